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

/// Faults that the sanitizer's runtime makes beside those of a test, at most: of its shadow memory,
/// of which a fork makes copies due as well. 0 in other builds, where counts are exact.
constexpr std::uint64_t runtime_faults(std::uint64_t at_most) { return sanitized ? at_most : 0; }

#ifdef __cpp_exceptions
inline constexpr bool has_exceptions = true;
#else
inline constexpr bool has_exceptions = false;
#endif

} // namespace resident::test
