// Seeing residency: sixteen untouched pages, then two of every four locked.
#include <resident/page_lock.hpp>
#include <resident/residency.hpp>

#include <cstddef>
#include <iostream>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

int main() {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    constexpr std::size_t pages = 16;
    // Memory fresh from the kernel is only a promise: no page of it is in RAM.
    void* const memory =
        mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 1;
    madvise(memory, pages * page, MADV_NOHUGEPAGE); // or one touch could bring in 2 MiB
    std::cout << "before " << *resident::residency(memory, pages * page) << '\n';

    std::vector<resident::page_lock> locks;
    for (std::size_t first = 0; first < pages; first += 4)
        locks.emplace_back(static_cast<std::byte*>(memory) + first * page, 2 * page);
    std::cout << "after  " << *resident::residency(memory, pages * page) << '\n';

    locks.clear();
    munmap(memory, pages * page);
}
