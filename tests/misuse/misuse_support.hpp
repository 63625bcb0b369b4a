/// What the tests of the check levels share: ways into a pool, and handlers that are heard.
#pragma once

#include <resident/resident.hpp>

#include "support/build.hpp"
#include "support/child.hpp"
#include "support/touching.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <ostream>
#include <regex>
#include <string>
#include <vector>

#include <signal.h>

namespace resident::test {

/// In messages.
inline constexpr const char* address_pattern = "0x[0-9a-f]+";

/// Out of AddressSanitizer's sight, so that the pool is who finds it.
RESIDENT_UNSANITIZED inline void write_byte(void* memory, std::ptrdiff_t offset, int value = 0x42) {
    static_cast<volatile char*>(memory)[offset] = static_cast<char>(value);
}
RESIDENT_UNSANITIZED inline int read_byte(const void* memory, std::ptrdiff_t offset) {
    return static_cast<const volatile unsigned char*>(memory)[offset];
}

inline void* behind(void* memory, std::ptrdiff_t bytes) {
    return static_cast<std::byte*>(memory) + bytes;
}

/// A way for memory to come from a pool, and go back.
struct face {
    const char* name;
    void* (*allocate)(unsynchronized_pool_resource& pool, std::size_t bytes);
    void (*deallocate)(unsynchronized_pool_resource& pool, void* memory, std::size_t bytes);
};
inline std::ostream& operator<<(std::ostream& out, const face& which) { return out << which.name; }

/// allocator<T> for one object of `Bytes`.
template <std::size_t Bytes>
using object_allocator = allocator<std::array<std::byte, Bytes>>;

inline const std::array<face, 3> faces{{
    {"pool", [](auto& pool, std::size_t bytes) { return pool.allocate(bytes); },
     [](auto& pool, void* memory, std::size_t bytes) { pool.deallocate(memory, bytes); }},
    {"pmr",
     [](auto& pool, std::size_t bytes) {
         return static_cast<std::pmr::memory_resource&>(pool).allocate(bytes);
     },
     [](auto& pool, void* memory, std::size_t bytes) {
         static_cast<std::pmr::memory_resource&>(pool).deallocate(memory, bytes);
     }},
    {"allocator",
     [](auto& pool, std::size_t bytes) -> void* {
         return bytes == 48 ? static_cast<void*>(object_allocator<48>(pool).allocate(1))
                            : allocator<std::byte>(pool).allocate(bytes);
     },
     [](auto& pool, void* memory, std::size_t bytes) {
         if (bytes == 48)
             object_allocator<48>(pool).deallocate(static_cast<std::array<std::byte, 48>*>(memory),
                                                   1);
         else
             allocator<std::byte>(pool).deallocate(static_cast<std::byte*>(memory), bytes);
     }},
}};

/// A misuse as a handler saw it; the message is its own.
struct heard {
    misuse what;
    std::string message;
};

/// As long as it lives, the handler writes down what it is told, and returns.
class listener {
public:
    listener() : before_(set_misuse_handler(hear)) { all().clear(); }
    ~listener() { set_misuse_handler(before_); }
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;
    static std::vector<heard>& all() {
        static std::vector<heard> told;
        return told;
    }
    static testing::AssertionResult heard_nothing() {
        return all().empty() ? testing::AssertionSuccess()
                             : testing::AssertionFailure() << all().front().message;
    }
    /// Whether exactly one was heard, of that kind and with that message; forgets it.
    static testing::AssertionResult heard_one(misuse_kind kind, const std::string& pattern) {
        const std::vector<heard> told = std::move(all());
        all().clear();
        if (told.size() != 1)
            return testing::AssertionFailure()
                   << "heard " << told.size()
                   << ", expected one: " << (told.empty() ? "" : told.front().message);
        if (told[0].what.kind == kind && std::regex_match(told[0].message, std::regex(pattern)))
            return testing::AssertionSuccess();
        return testing::AssertionFailure()
               << to_string(told[0].what.kind) << ": " << told[0].message << "\nexpected "
               << to_string(kind) << ": " << pattern;
    }

private:
    static void hear(const misuse& found) { all().push_back({found, found.message}); }
    misuse_handler before_;
};

/// "resident: pool on arena "test": " and the rest, where @ stands for an address.
inline std::string message_pattern(const std::string& rest) {
    std::string pattern = "resident: pool on arena \"test\": ";
    for (const char each : rest) {
        if (each == '@')
            pattern += address_pattern;
        else if (std::string_view("().+*?[]").find(each) != std::string_view::npos)
            pattern += std::string("\\") + each;
        else
            pattern += each;
    }
    return pattern;
}

inline arena_options small_arena() { return {.capacity = std::size_t{2} << 20, .name = "test"}; }

} // namespace resident::test
