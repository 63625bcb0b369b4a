/// resident::jemalloc_resource: jemalloc's heap on the locked memory of an arena. An optional part,
/// in a library of its own: resident::jemalloc. docs/jemalloc.md says how to link it.
#pragma once

#include "resident/arena.hpp"
#include "resident/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace resident {

/// How a jemalloc_resource is to behave.
struct jemalloc_options {
    /// Whether extents, jemalloc's runs of pages, stay with the resource when they are free, until
    /// trim(), or until a request would be refused; else each goes back to the arena at once.
    /// Keeping is faster; giving back serves others who share the arena.
    bool keep_free_extents = true;
};

/// What a jemalloc_resource counts; bytes unless said otherwise.
struct jemalloc_statistics {
    std::size_t in_use = 0;     ///< in blocks in use, as rounded up by jemalloc; 0 if it was built
                                ///< without statistics
    std::size_t held = 0;       ///< of the arena: extents, metadata, and the resource's own state
    std::size_t peak_held = 0;  ///< the most of it so far
    std::uint64_t failures = 0; ///< requests refused
};

class jemalloc_resource;

namespace detail {
class jemalloc_heap;
/// What create() passes to the constructor; nobody else can make one.
class built_jemalloc_heap {
    friend class resident::jemalloc_resource;
    explicit built_jemalloc_heap(jemalloc_heap* heap) noexcept : heap_(heap) {}
    jemalloc_heap* heap_;
};
} // namespace detail

/// A jemalloc arena whose memory, blocks and metadata alike, is that of a resident arena and of
/// nothing else. For programs that want jemalloc's heap with locked pages.
///
///     arena:   [ state | jemalloc's metadata, 2 MiB | slab | 20 KiB |  free  | slab | run of a
///     pool ]
///
/// After set-up no call makes a system call or a page fault on the arena's account. What is
/// not promised, other than by the pools of this library: a bound on the instructions of a call;
/// the share of the memory that fits before a request is refused; that a thread which waits for
/// another, at one of jemalloc's mutexes, lends it its priority. docs/jemalloc.md has figures.
///
/// Some of jemalloc's tables belong to the process and not to one of its arenas: they lie in
/// ordinary memory. Construction touches their parts for the arena's capacity of that time, so
/// that they are there, unless another resource is alive on the arena: then they are there for the
/// capacity that the first of them found. prepare_process() keeps them from being swapped out.
///
/// Out of memory: before a request is refused, all free extents go back to the arena, where they
/// join; then the request is tried again; then it is refused, and counted. One that is larger or
/// more aligned than the whole arena is refused at once.
///
/// Threads: every member may be called from any thread at any time, except construction,
/// destruction and release(). Nothing is cached per thread: jemalloc's thread caches would lie in
/// memory that is not locked, and what is in them would not come back. A thread's first call may
/// fault, where jemalloc makes itself known to it: see attach_this_thread().
///
/// fork(): jemalloc goes through its metadata in the child, so an arena that excludes or wipes its
/// memory there (fork_policy) kills the child inside of fork(), by SIGSEGV, as long as a
/// jemalloc_resource is alive on it. Use posix_spawn, or an arena with fork_policy::inherit. There,
/// the behavior of everything but destruction is undefined in the child, and no jemalloc_resource
/// may be built in it.
class jemalloc_resource final : public std::pmr::memory_resource {
public:
    /// What the arena must have free, aligned to as much, for jemalloc's metadata alone. It takes
    /// more, in larger steps, when there are many extents.
    static constexpr std::size_t least_metadata = std::size_t{2} << 20;

    /// Over `memory`, which must outlive the resource.
    /// Throws: `resident::error` if and only if the arena has no room for the metadata, the
    /// jemalloc at hand is none of version 5, or it has no arena left (it has 4 094). Then nothing
    /// is taken. In a build without exceptions: prints the error and aborts. Complexity: linear in
    /// the arena's capacity. Not real-time safe.
    explicit jemalloc_resource(arena& memory, const jemalloc_options& options = {});

    /// The same, for code without exceptions: fails if and only if the constructor would throw.
    static result<jemalloc_resource> create(arena& memory, const jemalloc_options& options = {});

    /// Effects: frees everything that was allocated here, and gives all memory back to the arena.
    /// In a forked child: nothing. The behavior is undefined if blocks are used afterwards.
    ~jemalloc_resource() override;

    jemalloc_resource(const jemalloc_resource&) = delete;
    jemalloc_resource& operator=(const jemalloc_resource&) = delete;
    explicit jemalloc_resource(detail::built_jemalloc_heap built) noexcept; ///< for create() alone

    /// Returns: at least `bytes` bytes, aligned to `alignment`, or null, counted as a failure, if
    /// and only if jemalloc does not find so much in what it holds and in what the arena has free.
    /// 0 bytes count as 1. The behavior is undefined unless `alignment` is a power of two.
    /// The inherited `allocate` is the same and throws `std::bad_alloc` instead of null; in a build
    /// without exceptions it prints so and aborts.
    /// Complexity: not bounded. No system call but where two threads meet at a mutex.
    [[nodiscard]] void* try_allocate(std::size_t bytes,
                                     std::size_t alignment = alignof(std::max_align_t)) noexcept;

    using std::pmr::memory_resource::deallocate;
    /// Effects: as the inherited `deallocate`, without being told the size. Any thread may free any
    /// block. The behavior is undefined unless `block` was allocated here and not freed since; an
    /// address outside of the arena, null included, is detected, told on stderr, and aborts.
    void deallocate(void* block) noexcept;

    /// Bytes of the block, at least what was requested.
    /// The behavior is undefined unless `block` is in use. Constant.
    [[nodiscard]] std::size_t usable_size(const void* block) const noexcept;

    /// Effects: makes jemalloc known to this thread, so that no later call of it faults therefor.
    /// Returns: whether the arena had room for the one block that this takes for a moment. Not
    /// real-time safe.
    bool attach_this_thread() noexcept;

    /// Effects: gives all free extents back to the arena. What metadata takes stays. Not real-time
    /// safe, and other threads that call the resource meanwhile may wait.
    void trim() noexcept;

    /// Effects: frees everything that was allocated here, and trim(). The behavior is undefined if
    /// another thread calls the resource meanwhile. Not real-time safe.
    void release() noexcept;

    /// Where the memory comes from.
    [[nodiscard]] arena& source() const noexcept;
    [[nodiscard]] jemalloc_options options() const noexcept; ///< as given

    /// `in_use` is summed over jemalloc's size classes, under its mutexes. Not real-time safe.
    [[nodiscard]] jemalloc_statistics statistics() const noexcept;

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    detail::jemalloc_heap* heap_; ///< lies in the arena
    std::size_t generation_;      ///< which process, counted in forks, built it
};

} // namespace resident
