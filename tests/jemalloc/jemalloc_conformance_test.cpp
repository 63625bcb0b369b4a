// Concerns: jemalloc_resource passes the conformance suite, whether it keeps free extents or not.
// Plan: see conformance/memory_resource_suite_test.cpp.

#include <resident/jemalloc_resource.hpp>

#include "conformance/tested_resource.hpp"

namespace resident::test {
namespace {

template <bool Keeps>
struct tested_jemalloc : tested_resource {
    static constexpr bool refuses = true;
    static constexpr bool releases = true;
    jemalloc_resource& resource() override { return resource_; }
    void* try_allocate(std::size_t bytes, std::size_t alignment) override {
        return resource_.try_allocate(bytes, alignment);
    }
    void release() override { resource_.release(); }
    [[nodiscard]] const char* check() const override { return resource_.source().check(); }

    jemalloc_resource resource_{memory(), {.keep_free_extents = Keeps}};
};

RESIDENT_CONFORMANCE(of_jemalloc, row<tested_jemalloc<true>>("keeps_extents"),
                     row<tested_jemalloc<false>>("gives_extents_back"));

} // namespace
} // namespace resident::test
