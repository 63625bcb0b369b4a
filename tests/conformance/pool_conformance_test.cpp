// Concerns: the pools pass the conformance suite at every check level, and with other options.
// Plan: see memory_resource_suite_test.cpp.

#include <resident/synchronized_pool_resource.hpp>
#include <resident/unsynchronized_pool_resource.hpp>

#include "conformance/tested_resource.hpp"

namespace resident::test {
namespace {

template <check_level Checks, std::size_t Largest = 0, std::size_t Blocks = 0,
          class Pool = unsynchronized_pool_resource>
struct tested_pool : tested_resource {
    static constexpr bool refuses = true;
    static constexpr bool releases = true;
    tested_pool() {
        if constexpr (requires { pool_.attach_this_thread(); })
            pool_.attach_this_thread(); // a lane stays the pool's
    }
    Pool& resource() override { return pool_; }
    void* try_allocate(std::size_t bytes, std::size_t alignment) override {
        return pool_.try_allocate(bytes, alignment);
    }
    void release() override { pool_.release(); }
    [[nodiscard]] const char* check() const override { return pool_.check(); }

    Pool pool_{pool_options{.max_blocks_per_chunk = Blocks,
                            .largest_required_pool_block = Largest,
                            .checks = Checks},
               memory()};
};

template <check_level Checks, std::size_t Largest = 0, std::size_t Blocks = 0>
using tested_concurrent_pool = tested_pool<Checks, Largest, Blocks, synchronized_pool_resource>;

RESIDENT_CONFORMANCE(of_the_pool, row<tested_pool<check_level::off>>("unchecked"),
                     row<tested_pool<check_level::cheap>>("cheap"),
                     row<tested_pool<check_level::full>>("full"),
                     row<tested_pool<check_level::off, 256>>("small_blocks"),
                     row<tested_pool<check_level::off, 0, 3>>("short_slabs"));
RESIDENT_CONFORMANCE(of_the_concurrent_pool,
                     row<tested_concurrent_pool<check_level::off>>("unchecked"),
                     row<tested_concurrent_pool<check_level::cheap>>("cheap"),
                     row<tested_concurrent_pool<check_level::full>>("full"),
                     row<tested_concurrent_pool<check_level::off, 256>>("small_blocks"),
                     row<tested_concurrent_pool<check_level::off, 0, 3>>("short_slabs"));

} // namespace
} // namespace resident::test
