/// Memory for the stacks of many threads.
#pragma once

#include "resident/size_literals.hpp"

#include <cstddef>
#include <span>

namespace resident::os {

/// Stacks for stack_thread in one mapping. Of each the upper part is there from the start, so that
/// a thread that goes no deeper makes no fault; the rest is address space until it is touched.
class thread_stacks {
public:
    static constexpr std::size_t bytes_each = 128_KiB;
    /// More than allocators use: jemalloc, which uses most, was seen to take 10.2 KiB, with what
    /// the C library keeps there.
    static constexpr std::size_t populated_each = 16_KiB;

    /// Throws: `resident::error` if memory is short.
    explicit thread_stacks(std::size_t count);
    ~thread_stacks();
    thread_stacks(const thread_stacks&) = delete;
    thread_stacks& operator=(const thread_stacks&) = delete;

    [[nodiscard]] std::span<std::byte> operator[](std::size_t index) const noexcept {
        return memory_.subspan(index * bytes_each, bytes_each);
    }

private:
    std::span<std::byte> memory_;
};

} // namespace resident::os
