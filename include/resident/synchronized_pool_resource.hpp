/// resident::synchronized_pool_resource: blocks of locked memory in constant time, for any thread.
#pragma once

#include "resident/arena.hpp"
#include "resident/detail/thread_lanes.hpp"
#include "resident/pool_options.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <new>

namespace resident {

/// The pool of unsynchronized_pool_resource.hpp for any number of threads, in any mixture: a block
/// may be freed by any of them. The drop-in for the class of the same name in std::pmr.
///
/// Each thread has a *lane* of its own, a pool with slabs of its own: claimed at its first call out
/// of line or by attach_this_thread(), given back as it ends, and taken over whole by a thread that
/// comes later. Allocating and freeing is the lane's list of free blocks, whoever they belong to:
/// no lock, no atomic read-modify-write. What does not fit the list moves on as a whole list, or
/// block by block into the inbox of the lane that owns it: one exchange.
///
/// Threads: any, for all functions but construction, destruction and release(), during which no
/// other thread may use the pool. Up to 64 threads at a time have lanes; others share one,
/// guarded by a mutex with priority inheritance, and are counted. Beyond 32 such pools at a time
/// in a process, all threads share the guarded lane of each further one.
///
/// Real-time safe: the first call of a thread takes 16 KiB for its lane from the arena, unless one
/// was given back, and a few system calls: attach_this_thread() does it in advance. After that no
/// call makes a system call, waits or faults, while there is memory and nobody calls trim() or
/// reserves; but for two threads that meet at the arena's mutex, which is held for a constant-time
/// section. A thread must not call the pool for the first time from a destructor of its
/// thread-specific data (pthread_key_create).
///
/// Out of memory: before a request is refused, all that the lanes have cached goes back to the
/// arena; but for those of threads that are inside of a call at that moment, which may have been
/// stopped there, and what others freed into their inboxes. Then upstream is asked, under the
/// mutex; then the request is refused, and counted. Other threads find their lanes taken while this
/// lasts, and wait if they call. Complexity: linear in the blocks cached. Needs membarrier(2),
/// Linux 4.14; without it the lanes of other living threads are left alone.
///
/// With check_level above `off` every call takes the mutex, those that only ask included, and
/// counts as guarded.
///
/// In a forked child the behavior of everything but destruction is undefined; threads of the child
/// may use pools that were built there.
class synchronized_pool_resource final : public std::pmr::memory_resource {
public:
    static constexpr std::size_t largest_block = detail::size_classes::largest; ///< bytes
    static constexpr std::size_t most_lanes = 64; ///< threads with a lane of their own, at a time

    /// As unsynchronized_pool_resource has them, but that 255 such pools may share an arena at a
    /// time. Effects: takes two runs from the arena, 20 KiB.
    synchronized_pool_resource() : synchronized_pool_resource(pool_options{}) {}
    explicit synchronized_pool_resource(const pool_options& options);
    explicit synchronized_pool_resource(arena& memory,
                                        std::pmr::memory_resource* upstream = nullptr)
        : synchronized_pool_resource(pool_options{}, memory, upstream) {}
    synchronized_pool_resource(const pool_options& options, arena& memory,
                               std::pmr::memory_resource* upstream = nullptr);

    /// The same as std::pmr has them: the arena by pointer, and std::pmr's options.
    explicit synchronized_pool_resource(arena* memory) : synchronized_pool_resource(*memory) {}
    synchronized_pool_resource(const pool_options& options, arena* memory,
                               std::pmr::memory_resource* upstream = nullptr)
        : synchronized_pool_resource(options, *memory, upstream) {}
    // Templates, so that braces without a type are pool_options.
    template <std::same_as<std::pmr::pool_options> Options>
    explicit synchronized_pool_resource(const Options& options)
        : synchronized_pool_resource(detail::converted(options)) {}
    template <std::same_as<std::pmr::pool_options> Options>
    synchronized_pool_resource(const Options& options, arena& memory,
                               std::pmr::memory_resource* upstream = nullptr)
        : synchronized_pool_resource(detail::converted(options), memory, upstream) {}
    template <std::same_as<std::pmr::pool_options> Options>
    synchronized_pool_resource(const Options& options, arena* memory,
                               std::pmr::memory_resource* upstream = nullptr)
        : synchronized_pool_resource(detail::converted(options), *memory, upstream) {}

    /// Effects: release(), and gives everything back. Threads that used the pool may live on.
    ~synchronized_pool_resource() override;

    synchronized_pool_resource(const synchronized_pool_resource&) = delete;
    synchronized_pool_resource& operator=(const synchronized_pool_resource&) = delete;

    /// Returns: at least `bytes` bytes, aligned to `alignment`; 0 bytes count as 1.
    /// Throws: `std::bad_alloc` if and only if the arena has no room after all that is cached was
    /// given back, and there is no upstream, or it refuses too; if the size overflows; or if
    /// `alignment` exceeds the arena's. Blocks of larger classes count as room where they are
    /// aligned as all blocks of the request's class are. The behavior is undefined unless
    /// `alignment` is a power of two.
    [[nodiscard]] void* allocate(std::size_t bytes,
                                 std::size_t alignment = alignof(std::max_align_t)) {
        if (void* const block = pop(bytes, alignment)) [[likely]]
            return block;
        return allocate_out_of_line(bytes, alignment);
    }
    /// The same, but null instead of the exception.
    [[nodiscard]] void* try_allocate(std::size_t bytes,
                                     std::size_t alignment = alignof(std::max_align_t)) noexcept {
        if (void* const block = pop(bytes, alignment)) [[likely]]
            return block;
        return try_allocate_out_of_line(bytes, alignment);
    }
    /// The behavior is undefined unless `block` is from a call of this pool with the same
    /// arguments, and in use. Any thread may free it.
    void deallocate(void* block, std::size_t bytes,
                    std::size_t alignment = alignof(std::max_align_t)) noexcept {
        if (!push(block, bytes, alignment)) [[unlikely]]
            deallocate_out_of_line(block, bytes, alignment);
    }
    /// The same without a size.
    void deallocate(void* block) noexcept;

    /// For requests whose size is known when compiling: the class is, too.
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] void* try_allocate_block() noexcept {
        if (void* const block = detail::pop_from_lane(slot_, offset_for<Bytes, Alignment>))
            [[likely]]
            return block;
        return try_allocate_out_of_line(Bytes, Alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] void* allocate_block() {
        if (void* const block = detail::pop_from_lane(slot_, offset_for<Bytes, Alignment>))
            [[likely]]
            return block;
        return allocate_out_of_line(Bytes, Alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    void deallocate_block(void* block) noexcept {
        if (!detail::push_to_lane(slot_, offset_for<Bytes, Alignment>, block)) [[unlikely]]
            deallocate_out_of_line(block, Bytes, Alignment);
    }

    /// Effects: claims a lane for this thread in advance; if the arena has no room for one more,
    /// after trim(). Returns: whether it has one of its own now; if not, its calls go by way of the
    /// guarded lane. Not real-time safe.
    bool attach_this_thread() noexcept;
    /// The same, and reserves blocks in the lane. Returns: whether they are there.
    bool attach_this_thread(std::size_t bytes, std::size_t count,
                            std::size_t alignment = alignof(std::max_align_t)) noexcept;

    /// Bytes of the block or run, at least what was requested.
    /// The behavior is undefined unless `block` is in use. Constant.
    [[nodiscard]] std::size_t usable_size(const void* block) const noexcept;
    /// Whether the block that begins at `address` is of this pool's slabs and runs; upstream's are
    /// not. For an address within a block the answer may be false. Constant; takes the arena's
    /// mutex.
    [[nodiscard]] bool owns(const void* address) const noexcept;

    /// Effects: makes sure that this thread's lane has `count` more blocks of `bytes`, in slabs
    /// that stay its own until release() or until it ends. What other threads free of them comes
    /// back by and by, and at the latest when memory runs out; but a thread that also allocates
    /// such blocks takes those first that it freed. So reserve, in each thread that allocates them,
    /// more than it has in use at a time by as many as the lists of those who free them may hold
    /// (pool_statistics::cached), and no request visits the arena.
    /// Throws: as unsynchronized_pool_resource::reserve; and if this thread has no lane of its own
    /// because all are taken.
    void reserve(std::size_t bytes, std::size_t count,
                 std::size_t alignment = alignof(std::max_align_t));
    [[nodiscard]] bool try_reserve(std::size_t bytes, std::size_t count,
                                   std::size_t alignment = alignof(std::max_align_t)) noexcept;

    /// Effects: gives back to the arena what the lanes have cached, reserves excepted, and threads
    /// inside of a call: with every block freed and no reserve, all but the lanes themselves.
    /// Not real-time safe, and other threads that call the pool meanwhile may wait.
    void trim() noexcept;
    /// Effects: frees everything that was allocated here, and all reserves. Not real-time safe.
    void release() noexcept;

    /// As given, with the values chosen where 0 was.
    [[nodiscard]] pool_options options() const noexcept;
    /// As given; std::pmr::null_memory_resource() if there is none.
    [[nodiscard]] std::pmr::memory_resource* upstream_resource() const noexcept;
    /// Where the memory comes from.
    [[nodiscard]] arena& source() const noexcept;

    /// Summed over the lanes without stopping anyone: exact while no call is in progress, and else
    /// within what lists can hold. Blocks on their way to another lane count as in use. A block
    /// that was lent to a smaller class counts as one of that while it is in its list. Blocks of
    /// upstream count in their class, larger ones in `upstream` alone. Takes the pool's mutex if it
    /// checks, or has an upstream.
    [[nodiscard]] pool_statistics statistics() const noexcept;
    [[nodiscard]] std::size_t lanes_in_use() const noexcept;  ///< threads with a lane
    [[nodiscard]] std::size_t guarded_calls() const noexcept; ///< by way of the guarded lane

    /// Gives back what is in lists, and validates the invariants of each lane, but of those whose
    /// thread is inside of a call; if there is none, also what they count together. Returns: null
    /// if all hold, else which does not (static storage). Not real-time safe, and other threads
    /// that call the pool meanwhile may wait. For tests.
    [[nodiscard]] const char* check() const noexcept;

private:
    [[nodiscard]] void* pop(std::size_t bytes, std::size_t alignment) noexcept {
        return detail::pop_from_lane(slot_, classes_->offset_for(bytes, alignment));
    }
    [[nodiscard]] bool push(void* block, std::size_t bytes, std::size_t alignment) noexcept {
        return detail::push_to_lane(slot_, classes_->offset_for(bytes, alignment), block);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    static constexpr std::size_t offset_for = detail::pool_front::offset_for<Bytes, Alignment>();
    void* allocate_out_of_line(std::size_t bytes, std::size_t alignment);
    void* try_allocate_out_of_line(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate_out_of_line(void* block, std::size_t bytes, std::size_t alignment) noexcept;

    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::unique_ptr<arena> own_arena_;  ///< of a pool that was given none
    detail::lane_group* group_;         ///< lies in the arena
    const detail::pool_front* classes_; ///< of each size; in the arena, too
    std::size_t slot_;                  ///< where threads find their lanes
    std::size_t generation_;            ///< which process, counted in forks, built it
};

} // namespace resident
