// Concerns: an arena, and a monotonic resource over it, pass the conformance suite.
// Plan: see memory_resource_suite_test.cpp.

#include "conformance/tested_resource.hpp"

namespace resident::test {
namespace {

struct tested_arena : tested_resource {
    static constexpr bool refuses = true;
    arena& resource() override { return memory(); }
    void* try_allocate(std::size_t bytes, std::size_t alignment) override {
        return memory().try_allocate(bytes, alignment);
    }
};

struct tested_monotonic : tested_resource {
    static constexpr bool reuses = false;
    static constexpr bool releases = true;
    std::pmr::memory_resource& resource() override { return resource_; }
    void release() override { resource_.release(); }
    std::pmr::monotonic_buffer_resource resource_{&memory()};
};

RESIDENT_CONFORMANCE(of_the_arena, row<tested_arena>("arena"),
                     row<tested_monotonic>("std_monotonic"));

} // namespace
} // namespace resident::test
