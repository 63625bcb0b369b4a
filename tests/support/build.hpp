/// How the tests themselves were built.
#pragma once

#include <cstdint>

namespace resident::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitized = true;
inline constexpr bool thread_sanitized = false;
#elif defined(__SANITIZE_THREAD__)
inline constexpr bool address_sanitized = false;
inline constexpr bool thread_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool address_sanitized = __has_feature(address_sanitizer);
inline constexpr bool thread_sanitized = __has_feature(thread_sanitizer);
#else
inline constexpr bool address_sanitized = false;
inline constexpr bool thread_sanitized = false;
#endif

/// With a runtime that maps, reserves and intercepts on its own account.
inline constexpr bool sanitized = address_sanitized || thread_sanitized;

/// With counters of executed lines, which are written wherever the code runs.
#if defined(RESIDENT_COVERAGE)
inline constexpr bool line_counted = true;
#else
inline constexpr bool line_counted = false;
#endif

/// Faults that the build's own memory makes beside those of a test, at most: a sanitizer's shadow
/// or the counters of executed lines, of which a fork makes copies due as well. 0 in other builds,
/// where counts are exact.
constexpr std::uint64_t runtime_faults(std::uint64_t at_most) {
    return sanitized || line_counted ? at_most : 0;
}

#ifdef __cpp_exceptions
inline constexpr bool has_exceptions = true;
#else
inline constexpr bool has_exceptions = false;
#endif

} // namespace resident::test
