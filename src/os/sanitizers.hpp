/// Which sanitizers this library is built with.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define RESIDENT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#define RESIDENT_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#else
#define RESIDENT_ADDRESS_SANITIZER 0
#endif

namespace resident::os {

#if defined(__has_feature)
#define RESIDENT_HAS_FEATURE(name) __has_feature(name)
#else
#define RESIDENT_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_THREAD__) || RESIDENT_HAS_FEATURE(thread_sanitizer)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif

#if RESIDENT_ADDRESS_SANITIZER || RESIDENT_HAS_FEATURE(memory_sanitizer)
inline constexpr bool address_sanitized = true;
#else
inline constexpr bool address_sanitized = false;
#endif

#undef RESIDENT_HAS_FEATURE

} // namespace resident::os
