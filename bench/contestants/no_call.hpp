/// Stands beside the contestants where every call is measured: what the measurement itself takes.
#pragma once

#include "contestants/contestant.hpp"

#include <array>
#include <cstddef>

namespace resident::bench {

/// Always the same block; nothing is called.
class no_call {
public:
    static constexpr const char* name = "no call";
    static constexpr const char* what = "the noise floor: the same loop without a call";
    static constexpr bool is_no_allocator = true;

    [[gnu::always_inline]] void* allocate(std::size_t) noexcept { return block_.data(); }
    [[gnu::always_inline]] void deallocate(void*, std::size_t) noexcept {}

private:
    alignas(std::max_align_t) std::array<std::byte, 64> block_{};
};

} // namespace resident::bench
