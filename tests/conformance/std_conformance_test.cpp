// Concerns: the suite asks for nothing that the standard library's own pools do not do.
// Plan: see memory_resource_suite_test.cpp.

#include "conformance/tested_resource.hpp"

namespace resident::test {
namespace {

template <class Pool>
struct tested_std_pool : tested_resource {
    static constexpr bool releases = true;
    /// The pools of libstdc++ 12 choose a block by its size: 104 bytes at 64 get 112, aligned to
    /// 16.
    static constexpr bool aligns_every_size = false;
    std::pmr::memory_resource& resource() override { return pool_; }
    void release() override { pool_.release(); }
    Pool pool_{&memory()};
};

RESIDENT_CONFORMANCE(of_std,
                     row<tested_std_pool<std::pmr::unsynchronized_pool_resource>>("unsynchronized"),
                     row<tested_std_pool<std::pmr::synchronized_pool_resource>>("synchronized"));

} // namespace
} // namespace resident::test
