/// How the tests themselves were built.
#pragma once

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

#ifdef __cpp_exceptions
inline constexpr bool has_exceptions = true;
#else
inline constexpr bool has_exceptions = false;
#endif

} // namespace resident::test
