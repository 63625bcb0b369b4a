/// What real-time programs use today: the C library's malloc after mlockall, told to keep what it
/// has.
#pragma once

#include "contestants/malloc_like.hpp"

#include <string>

namespace resident::bench {

class glibc_locked : public glibc {
public:
    static constexpr const char* name = "glibc mlock";
    static constexpr const char* what = "the same after mlockall, M_TRIM_THRESHOLD, M_MMAP_MAX and "
                                        "a heap grown ahead, in a process of its own";

    /// Bytes that malloc takes from the kernel, locked, before anything is measured.
    static constexpr std::size_t heap_bytes = std::size_t{256} << 20;

    /// The whole recipe, for a process of its own: malloc neither trims nor maps, mlockall of what
    /// is there and of what comes, a heap that is grown ahead and kept.
    /// Returns: empty, or what was refused.
    static std::string prepare_process();
};

} // namespace resident::bench
