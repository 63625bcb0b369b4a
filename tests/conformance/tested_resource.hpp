/// What the conformance suite asks of a resource beside std::pmr::memory_resource.
#pragma once

#include <resident/arena.hpp>

#include "support/build.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <memory_resource>
#include <new>
#include <ostream>
#include <string>
#include <vector>

namespace resident::test {

using namespace resident::literals;

/// A resource over an arena of its own; one for each test.
class tested_resource {
public:
    /// Room for two runs aligned to 2 MiB.
    static constexpr std::size_t capacity = 8_MiB;

    tested_resource() : memory_({.capacity = capacity, .name = "conformance"}) {}
    virtual ~tested_resource() = default;
    tested_resource(const tested_resource&) = delete;
    tested_resource& operator=(const tested_resource&) = delete;

    [[nodiscard]] arena& memory() { return memory_; }
    virtual std::pmr::memory_resource& resource() = 0;

    /// Null where allocate throws std::bad_alloc. Without exceptions: as allocate.
    virtual void* try_allocate(std::size_t bytes, std::size_t alignment) {
#if defined(__cpp_exceptions)
        try {
            return resource().allocate(bytes, alignment);
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
#else
        return resource().allocate(bytes, alignment);
#endif
    }
    /// Effects: frees everything at once, where `releases` says so.
    virtual void release() {}
    /// Null, or which invariant does not hold.
    [[nodiscard]] virtual const char* check() const { return nullptr; }

    // What a derived class can do; it declares its own where it differs.

    /// try_allocate can return null: in every build where it is a twin that does not throw.
    static constexpr bool refuses = has_exceptions;
    static constexpr bool reuses = true; ///< what is freed serves again, without release()
    static constexpr bool releases = false;
    /// A size that is no multiple of its alignment may be asked for.
    static constexpr bool aligns_every_size = true;

private:
    arena memory_;
};

/// One row of an instantiation.
struct resource_under_test {
    const char* name;
    std::unique_ptr<tested_resource> (*make)();
    bool refuses, reuses, releases, aligns_every_size;

    friend std::ostream& operator<<(std::ostream& out, const resource_under_test& each) {
        return out << each.name;
    }
};

template <class Tested>
constexpr resource_under_test row(const char* name) {
    return {.name = name,
            .make = [] { return std::unique_ptr<tested_resource>(new Tested); },
            .refuses = Tested::refuses,
            .reuses = Tested::reuses,
            .releases = Tested::releases,
            .aligns_every_size = Tested::aligns_every_size};
}

/// For every resource; its tests are in memory_resource_suite_test.cpp.
class memory_resource_suite : public testing::TestWithParam<resource_under_test> {
protected:
    [[nodiscard]] static std::unique_ptr<tested_resource> make() { return GetParam().make(); }
};
class reuse_suite : public memory_resource_suite {}; ///< for what reuses
// In exhaustion_suite_test.cpp:
class refusal_suite : public memory_resource_suite {};    ///< for what refuses
class exhaustion_suite : public memory_resource_suite {}; ///< for what refuses and reuses
class release_suite : public memory_resource_suite {};    ///< for what refuses and releases

/// The rows that have all of these.
inline std::vector<resource_under_test> with(std::initializer_list<resource_under_test> rows,
                                             bool resource_under_test::*first,
                                             bool resource_under_test::*second) {
    std::vector<resource_under_test> chosen;
    for (const resource_under_test& each : rows)
        if (each.*first && each.*second)
            chosen.push_back(each);
    return chosen;
}

inline std::string name_of(const testing::TestParamInfo<resource_under_test>& each) {
    return each.param.name;
}

} // namespace resident::test

/// Runs the suites on rows; at namespace scope.
#define RESIDENT_CONFORMANCE(which, ...)                                                           \
    INSTANTIATE_TEST_SUITE_P(which, memory_resource_suite, testing::Values(__VA_ARGS__), name_of); \
    INSTANTIATE_TEST_SUITE_P(which, reuse_suite,                                                   \
                             testing::ValuesIn(with({__VA_ARGS__}, &resource_under_test::reuses,   \
                                                    &resource_under_test::reuses)),                \
                             name_of);                                                             \
    INSTANTIATE_TEST_SUITE_P(which, refusal_suite,                                                 \
                             testing::ValuesIn(with({__VA_ARGS__}, &resource_under_test::refuses,  \
                                                    &resource_under_test::refuses)),               \
                             name_of);                                                             \
    INSTANTIATE_TEST_SUITE_P(which, exhaustion_suite,                                              \
                             testing::ValuesIn(with({__VA_ARGS__}, &resource_under_test::refuses,  \
                                                    &resource_under_test::reuses)),                \
                             name_of);                                                             \
    INSTANTIATE_TEST_SUITE_P(which, release_suite,                                                 \
                             testing::ValuesIn(with({__VA_ARGS__}, &resource_under_test::refuses,  \
                                                    &resource_under_test::releases)),              \
                             name_of)
