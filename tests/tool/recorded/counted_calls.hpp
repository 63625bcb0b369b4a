/// For programs that are recorded: calls that a test finds in the trace, and their numbers.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace recorded {

inline std::atomic<unsigned long> allocations{0};
inline std::atomic<unsigned long> frees{0};
inline std::atomic<unsigned long> reallocations{0};

// Kept from the optimiser, which may leave out a malloc that is freed unread.
inline void* volatile seen = nullptr;

inline void* noted(void* block) {
    seen = block;
    if (block != nullptr)
        ++allocations;
    return block;
}
inline void give_back(void* block) {
    ++frees;
    std::free(block);
}

/// 7001 to 7999: nothing else in such a process asks for these.
inline std::size_t size_of(std::size_t at) { return 7001 + at * 13 % 998; }

inline void pairs(std::size_t count) {
    for (std::size_t at = 0; at < count; ++at)
        give_back(noted(std::malloc(size_of(at))));
}

inline void tell() {
    std::printf("%lu %lu %lu\n", allocations.load(), frees.load(), reallocations.load());
    std::fflush(stdout);
}

} // namespace recorded
