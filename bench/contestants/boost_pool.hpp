/// Boost.Container's pool, on the arena. Its interface is that of std::pmr from before C++17.
#pragma once

#include "contestants/contestant.hpp"
#include "support/shared_arena.hpp"

#if defined(RESIDENT_BENCH_BOOST_CONTAINER)
#include <boost/container/pmr/memory_resource.hpp>
#include <boost/container/pmr/pool_options.hpp>
#include <boost/container/pmr/unsynchronized_pool_resource.hpp>
#endif

#include <cstddef>

namespace resident::bench {

#if defined(RESIDENT_BENCH_BOOST_CONTAINER)
class boost_pool : public on_shared_arena {
public:
    static constexpr const char* name = "boost";
    static constexpr const char* what =
        "boost::container::pmr::unsynchronized_pool_resource on the arena";
    /// It links all blocks of a chunk when it takes one, and chunks grow.
    static constexpr bool first_calls_are_long = true;

    void* allocate(std::size_t bytes) { return pool_.allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) { pool_.deallocate(block, bytes); }

private:
    class arena_upstream final : public boost::container::pmr::memory_resource {
        void* do_allocate(std::size_t bytes, std::size_t alignment) override {
            return shared_arena().allocate(bytes, alignment);
        }
        void do_deallocate(void* run, std::size_t bytes, std::size_t alignment) override {
            shared_arena().deallocate(run, bytes, alignment);
        }
        [[nodiscard]] bool
        do_is_equal(const boost::container::pmr::memory_resource& other) const noexcept override {
            return this == &other;
        }
    };

    static boost::container::pmr::pool_options options() {
        boost::container::pmr::pool_options chosen;
        chosen.largest_required_pool_block = std::size_t{32} << 10;
        return chosen;
    }

    arena_upstream upstream_;
    boost::container::pmr::unsynchronized_pool_resource pool_{options(), &upstream_};
};
#else
using boost_pool = missing;
#endif

} // namespace resident::bench
