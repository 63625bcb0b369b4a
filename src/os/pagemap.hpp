/// /proc/self/pagemap: the page table of this process, as far as the kernel shows it.
#pragma once

#include "os/kernel.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/ioctl.h>

namespace resident::os {

// PAGEMAP_SCAN (Linux 6.7), from linux/fs.h, which older kernel headers have without it.
struct pagemap_region {
    std::uint64_t begin;
    std::uint64_t end;
    std::uint64_t categories;
};
struct pagemap_scan {
    std::uint64_t size = sizeof(pagemap_scan);
    std::uint64_t flags = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t walk_end = 0; // written by the kernel: how far it came
    std::uint64_t regions = 0;  // address of an array of pagemap_region
    std::uint64_t region_count = 0;
    std::uint64_t max_pages = 0; // 0: any number
    std::uint64_t category_inverted = 0;
    std::uint64_t category_mask = 0; // all of these, after inversion
    std::uint64_t category_any_mask = 0;
    std::uint64_t return_mask = 0;
};
static_assert(sizeof(pagemap_scan) == 96);

inline constexpr std::uint64_t page_is_present = std::uint64_t{1} << 3U;
inline constexpr std::uint64_t page_is_zero = std::uint64_t{1} << 5U;
inline constexpr unsigned long pagemap_scan_request = _IOWR('f', 16, pagemap_scan);

// Documentation/admin-guide/mm/pagemap.rst: one entry of 64 bits a page.
using pagemap_entry = std::uint64_t;
inline constexpr pagemap_entry entry_is_present = pagemap_entry{1} << 63U;
inline constexpr pagemap_entry entry_is_mapped_here_alone = pagemap_entry{1} << 56U;

/// The file, opened.
class pagemap {
public:
    pagemap() noexcept : opened_(system().open_file("/proc/self/pagemap")) {}
    ~pagemap() {
        if (opened_)
            static_cast<void>(system().close_file(descriptor()));
    }
    pagemap(const pagemap&) = delete;
    pagemap& operator=(const pagemap&) = delete;

    /// Whether it could be opened; the behavior of the rest is undefined if not.
    [[nodiscard]] const outcome& status() const noexcept { return opened_; }

    /// PAGEMAP_SCAN. Value: how many regions it has filled in.
    outcome scan(pagemap_scan& request) const noexcept {
        return system().control_file(descriptor(), pagemap_scan_request, &request);
    }

    /// Calls `visit(index, entry)` for each of `count` pages from page number `first` on, `index`
    /// counted from 0. Fails if and only if an entry cannot be read; those before it are visited.
    template <class Visit>
    outcome visit_entries(std::size_t first, std::size_t count, Visit visit) const {
        std::array<pagemap_entry, 512> entries{};
        constexpr std::size_t entry_bytes = sizeof(pagemap_entry);
        for (std::size_t done = 0; done < count;) {
            const std::size_t wanted = std::min(entries.size(), count - done);
            const std::span<char> buffer(reinterpret_cast<char*>(entries.data()),
                                         wanted * entry_bytes);
            const outcome read = system().read_file_at(
                descriptor(), buffer, static_cast<off_t>((first + done) * entry_bytes));
            if (!read)
                return read;
            const std::size_t got = read.value() / entry_bytes;
            if (got == 0)
                return outcome::failure(EIO);
            for (std::size_t index = 0; index < got; ++index)
                visit(done + index, entries[index]);
            done += got;
        }
        return outcome::success();
    }

private:
    [[nodiscard]] int descriptor() const noexcept { return static_cast<int>(opened_.value()); }

    outcome opened_;
};

} // namespace resident::os
