/// Touching memory and counting what that costs, out of the sanitizers' sight: their shadow memory
/// faults as well.
#pragma once

#include "resident/fault_counter.hpp"
#include "support/build.hpp"
#include "support/fresh_pages.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

/// Both compilers know this spelling; clang does not know [[gnu::no_sanitize]].
#define RESIDENT_UNSANITIZED \
    __attribute__((noinline, no_sanitize("address"), no_sanitize("thread")))

namespace resident::test {

/// Writes to each page of the range. Returns: the minor faults that this made.
RESIDENT_UNSANITIZED inline std::uint64_t write_faults(void* address, std::size_t bytes) {
    const fault_counter counter;
    for (std::size_t offset = 0; offset < bytes; offset += page)
        static_cast<volatile char*>(address)[offset] = 1;
    return counter.count().minor;
}

/// The same on `Bytes` of stack below the caller's frame.
template <std::size_t Bytes>
RESIDENT_UNSANITIZED std::uint64_t stack_faults() {
    auto* const block = static_cast<char*>(__builtin_alloca(Bytes));
    return write_faults(block, Bytes);
}

/// Whether as many faults were made as expected: exactly, but for those of a sanitizer's runtime.
inline testing::AssertionResult as_expected(std::uint64_t faults, std::uint64_t expected) {
    constexpr std::uint64_t slack = runtime_faults(12);
    if (faults <= expected + slack && expected <= faults + slack)
        return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << faults << " faults, expected " << expected << " (within " << slack << ")";
}

/// After a fork the stack, the globals and the heap are shared as well; this makes those that
/// counting itself uses the caller's own, so that they do not count.
inline void settle() {
    char byte = 0;
    (void)write_faults(&byte, 1);
    (void)write_faults(&byte, 1);
}

} // namespace resident::test
