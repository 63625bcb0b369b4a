/// resident::unsynchronized_pool_resource: blocks of locked memory in constant time, for one
/// thread.
#pragma once

#include "resident/arena.hpp"
#include "resident/detail/pool_front.hpp"
#include "resident/pool_options.hpp"
#include "resident/result.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>

namespace resident {

namespace detail {
class pool_state;
template <class Resource>
class resource_binding;
} // namespace detail

/// A pool of blocks over an arena; several may share one. The drop-in for the class of the same
/// name in std::pmr, with a bound: no call makes a system call or a fault, or loops without limit.
///
///     arena:  [ slab of 64 B | run 8 KiB | slab of 48 B |  free  | state | run 100 KiB |  free  ]
///     slab:   [ used ][ free ][ used ][ free ][ ........ never used so far ........ ]
///
/// A request up to 64 KiB gets a block of a size class (detail/size_classes.hpp); blocks of one
/// class lie in slabs, runs of granules that go back to the arena when they are empty; but some
/// free blocks of each class stay with the pool, where the next requests find them: worth 1/1024 of
/// the arena, but a short slab's at least and two slabs' of 64 KiB at most. A larger request, or
/// one aligned to more than a granule, gets a run. What is known of slabs and blocks lies out of
/// band in the arena's bookkeeping: an overflowing block cannot reach it. The links of free blocks
/// do lie in them; see check_level.
///
/// Out of memory: before a request is refused, everything that the pool keeps without need goes
/// back to the arena, and blocks of larger classes serve it; then upstream is asked, if there is
/// one; then the request is refused, and counted. Blocks of the four next larger classes serve it
/// already while less than 1/32 of the arena is free. What other pools of the arena keep is theirs:
/// trim() them.
///
/// Threads: one at a time. The arena may be shared with other threads. In a forked child the
/// behavior of everything but destruction is undefined.
class unsynchronized_pool_resource final : public std::pmr::memory_resource {
public:
    static constexpr std::size_t largest_block = detail::size_classes::largest; ///< bytes

    /// Over an arena of its own with default options.
    unsynchronized_pool_resource() : unsynchronized_pool_resource(pool_options{}) {}
    explicit unsynchronized_pool_resource(const pool_options& options);

    /// Over `memory`, which must outlive the pool, as must `upstream`; null is none. The behavior
    /// is undefined if `upstream` takes memory from `memory`. Effects: takes the pool's state, 16
    /// KiB, from the arena. Throws: `std::bad_alloc` if and only if the arena has no room for it,
    /// or 32 767 pools share it. In a build without exceptions: prints so and aborts.
    explicit unsynchronized_pool_resource(arena& memory,
                                          std::pmr::memory_resource* upstream = nullptr)
        : unsynchronized_pool_resource(pool_options{}, memory, upstream) {}
    unsynchronized_pool_resource(const pool_options& options, arena& memory,
                                 std::pmr::memory_resource* upstream = nullptr);

    /// The same as std::pmr has them: the arena by pointer, and std::pmr's options.
    explicit unsynchronized_pool_resource(arena* memory) : unsynchronized_pool_resource(*memory) {}
    unsynchronized_pool_resource(const pool_options& options, arena* memory,
                                 std::pmr::memory_resource* upstream = nullptr)
        : unsynchronized_pool_resource(options, *memory, upstream) {}
    // Templates, so that braces without a type are pool_options.
    template <std::same_as<std::pmr::pool_options> Options>
    explicit unsynchronized_pool_resource(const Options& options)
        : unsynchronized_pool_resource(detail::converted(options)) {}
    template <std::same_as<std::pmr::pool_options> Options>
    unsynchronized_pool_resource(const Options& options, arena& memory,
                                 std::pmr::memory_resource* upstream = nullptr)
        : unsynchronized_pool_resource(detail::converted(options), memory, upstream) {}
    template <std::same_as<std::pmr::pool_options> Options>
    unsynchronized_pool_resource(const Options& options, arena* memory,
                                 std::pmr::memory_resource* upstream = nullptr)
        : unsynchronized_pool_resource(detail::converted(options), *memory, upstream) {}

    /// Effects: release(), and gives the state back; at check_level::full reports leaks before.
    /// In a forked child: nothing. Requires: an upstream and the arena that are still alive.
    ~unsynchronized_pool_resource() override;

    unsynchronized_pool_resource(const unsynchronized_pool_resource&) = delete;
    unsynchronized_pool_resource& operator=(const unsynchronized_pool_resource&) = delete;

    /// Returns: at least `bytes` bytes, aligned to `alignment`; 0 bytes count as 1.
    /// Throws: `std::bad_alloc` if and only if the arena has no room, after all that is cached was
    /// given back, and upstream, if any, throws it; in a build without exceptions: prints so and
    /// aborts. The behavior is undefined unless `alignment` is a power of two.
    /// Complexity: constant, docs/pool.md has the instructions. Real-time safe, unless upstream is
    /// asked.
    [[nodiscard]] void* allocate(std::size_t bytes,
                                 std::size_t alignment = alignof(std::max_align_t)) {
        return front_->allocate(front_->class_for(bytes, alignment), bytes, alignment);
    }

    /// The same; null instead of an exception, from upstream too.
    [[nodiscard]] void* try_allocate(std::size_t bytes,
                                     std::size_t alignment = alignof(std::max_align_t)) noexcept {
        return front_->try_allocate(front_->class_for(bytes, alignment), bytes, alignment);
    }

    /// Effects: frees the block. Complexity: constant. Real-time safe, unless it is upstream's.
    /// The behavior is undefined unless `block` was allocated here with `bytes` and `alignment`, by
    /// any of the functions, and was not freed since; check_level says what of that is detected.
    void deallocate(void* block, std::size_t bytes,
                    std::size_t alignment = alignof(std::max_align_t)) noexcept {
        front_->deallocate(front_->class_for(bytes, alignment), block, bytes, alignment);
    }

    /// The same without being told the size. Not for blocks that upstream may have supplied. If the
    /// block was one of a larger class, lent as memory ran out, the class that it was lent to is
    /// not told, and its calls go out of line until release().
    void deallocate(void* block) noexcept;

    /// For requests whose size is known when compiling: the class is, too.
    /// try_allocate_block<B, A>() is try_allocate(B, A); its blocks are freed by any deallocate.
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] void* try_allocate_block() noexcept {
        return front_->try_allocate(front_->class_for<Bytes, Alignment>(), Bytes, Alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] void* allocate_block() {
        return front_->allocate(front_->class_for<Bytes, Alignment>(), Bytes, Alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    void deallocate_block(void* block) noexcept {
        front_->deallocate(front_->class_for<Bytes, Alignment>(), block, Bytes, Alignment);
    }

    /// Bytes of the block or run, at least what was requested.
    /// The behavior is undefined unless `block` is in use and not from upstream. Constant.
    [[nodiscard]] std::size_t usable_size(const void* block) const noexcept;

    /// Whether the block that begins at `address`, in use or free, is of this pool's slabs and
    /// runs; upstream's are not. For an address within a block the answer may be false.
    /// Complexity: constant. Real-time safe.
    [[nodiscard]] bool owns(const void* address) const noexcept;

    /// Effects: makes sure that `count` more blocks of `bytes` can be allocated: they are there,
    /// none of these requests visits the arena or fails, and they and those in use now stay with
    /// the class when freed, until release(). Other size classes cannot have them. Of 0: none.
    /// Throws: std::bad_alloc if and only if the request is not for a block (`bytes` above the
    /// largest one, less what checks add; `alignment` above a granule), or the arena has no room,
    /// after all that is cached was given back; then no more is reserved than before. Linear in the
    /// memory reserved. Not real-time safe.
    void reserve(std::size_t bytes, std::size_t count,
                 std::size_t alignment = alignof(std::max_align_t));
    [[nodiscard]] bool try_reserve(std::size_t bytes, std::size_t count,
                                   std::size_t alignment = alignof(std::max_align_t)) noexcept;

    /// Effects: gives back to the arena what no block in use needs, reserves excepted: slabs whose
    /// blocks are all free, and the parts of slabs that were never used. For other pools of the
    /// arena, which cannot ask this one to: it does so itself only before it refuses a request.
    /// Complexity: linear in the free blocks in its lists. Not real-time safe.
    void trim() noexcept;

    /// Effects: frees everything that was allocated here, and all reserves.
    /// Complexity: linear in the runs of the arena. Not real-time safe.
    void release() noexcept;

    /// As given, with the values chosen where 0 was.
    [[nodiscard]] pool_options options() const noexcept;

    /// As given; std::pmr::null_memory_resource() if there is none.
    [[nodiscard]] std::pmr::memory_resource* upstream_resource() const noexcept;

    /// Where the memory comes from.
    [[nodiscard]] arena& source() const noexcept;

    /// Complexity: constant, a step for each size class. Real-time safe.
    [[nodiscard]] pool_statistics statistics() const noexcept;

    /// Validates every invariant of classes, slabs and free blocks. Returns: null if all hold, else
    /// which does not (static storage). Complexity: linear in the arena's granules and the free
    /// blocks. For tests.
    [[nodiscard]] const char* check() const noexcept;

private:
    friend class detail::resource_binding<unsynchronized_pool_resource>;

    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    [[nodiscard]] detail::pool_state& state() const noexcept;

    std::unique_ptr<arena> own_arena_; ///< of a pool that was given none
    detail::pool_front* front_;        ///< begins the state, which lies in the arena
    std::size_t generation_;           ///< which process, counted in forks, built it
};

} // namespace resident
