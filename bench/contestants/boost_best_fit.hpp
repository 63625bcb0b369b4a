/// Boost.Interprocess' best fit, by a red-black tree in the memory itself.
#pragma once

#include "contestants/contestant.hpp"
#include "support/shared_arena.hpp"

#if defined(RESIDENT_BENCH_BOOST_INTERPROCESS)
#include <boost/interprocess/indexes/iset_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#endif

#include <cstddef>
#include <new>
#include <span>

namespace resident::bench {

#if defined(RESIDENT_BENCH_BOOST_INTERPROCESS)
/// In memory of one's own choice, for one thread.
class best_fit_tree {
public:
    explicit best_fit_tree(std::span<std::byte> memory)
        : segment_(boost::interprocess::create_only, memory.data(), memory.size()) {}

    /// Null if there is no such gap.
    void* try_allocate(std::size_t bytes) { return segment_.allocate(bytes, std::nothrow); }
    void* try_allocate(std::size_t bytes, std::size_t alignment) {
        return segment_.allocate_aligned(bytes, alignment, std::nothrow);
    }
    void deallocate(void* block) { segment_.deallocate(block); }

private:
    using best_fit = boost::interprocess::rbtree_best_fit<boost::interprocess::null_mutex_family>;
    using segment =
        boost::interprocess::basic_managed_external_buffer<char, best_fit,
                                                           boost::interprocess::iset_index>;

    segment segment_;
};

class boost_best_fit : public on_shared_arena {
public:
    static constexpr const char* name = "best fit";
    static constexpr const char* what = "Boost.Interprocess' rbtree_best_fit on the arena";

    void* allocate(std::size_t bytes) { return tree_.try_allocate(bytes); }
    void deallocate(void* block, std::size_t) { tree_.deallocate(block); }

    /// It has the whole arena, and leaves none to requests of another alignment.
    void* allocate_aligned(std::size_t bytes, std::size_t alignment) {
        return tree_.try_allocate(bytes, alignment);
    }
    [[nodiscard]] std::span<std::byte> memory() const noexcept { return run_.memory(); }

private:
    arena_run run_;
    best_fit_tree tree_{run_.memory()};
};
#else
using boost_best_fit = missing;
#endif

} // namespace resident::bench
