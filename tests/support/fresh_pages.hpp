/// Memory fresh from the kernel, page by page, and what the kernel says of each page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace resident::test {

inline const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

/// Private anonymous pages of 4 KiB, none of them in RAM; unmapped at the end.
class fresh_pages {
public:
    explicit fresh_pages(std::size_t count)
        : count_(count),
          memory_(static_cast<char*>(::mmap(nullptr, count * page, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
        ::madvise(memory_, bytes(), MADV_NOHUGEPAGE);
    }
    ~fresh_pages() { ::munmap(memory_, bytes()); }
    fresh_pages(const fresh_pages&) = delete;
    fresh_pages& operator=(const fresh_pages&) = delete;

    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] std::size_t bytes() const { return count_ * page; }
    /// First byte of a page.
    [[nodiscard]] char* operator[](std::size_t index) const { return memory_ + index * page; }

    void write(std::size_t index) const { *static_cast<volatile char*>((*this)[index]) = 1; }
    void read(std::size_t index) const {
        static_cast<void>(*static_cast<const volatile char*>((*this)[index]));
    }
    void unmap(std::size_t index) const { ::munmap((*this)[index], page); }

    /// One character a page: `L` locked (VmFlags lo), `-` mapped and not locked, ` ` not mapped.
    /// Reads /proc/self/smaps by itself, not through the library.
    [[nodiscard]] std::string locks() const {
        std::string map(count_, ' ');
        std::ifstream smaps("/proc/self/smaps");
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        for (std::string line; std::getline(smaps, line);) {
            char dash = 0;
            std::istringstream words(line);
            std::uintptr_t from = 0;
            std::uintptr_t to = 0;
            if (words >> std::hex >> from >> dash >> to && dash == '-') {
                begin = from;
                end = to;
            } else if (line.starts_with("VmFlags:")) {
                const bool locked = line.find(" lo") != std::string::npos;
                for (std::size_t index = 0; index < count_; ++index) {
                    const auto address = reinterpret_cast<std::uintptr_t>((*this)[index]);
                    if (begin <= address && address < end)
                        map[index] = locked ? 'L' : '-';
                }
            }
        }
        return map;
    }

private:
    std::size_t count_;
    char* memory_;
};

} // namespace resident::test
