/// What the benchmarks ask of an allocator. Everything is resolved at compile time, so that no
/// contestant pays for an interface that another does not need.
#pragma once

#include <concepts>
#include <cstddef>

namespace resident::bench {

/// Default construction is the set-up, destruction gives everything back; neither is timed. Blocks
/// are aligned for every fundamental type. `deallocate` is told the size, and a contestant that can
/// use it, does. Beyond these a contestant may have
///     static constexpr const char* what;                            a line about it
///     static std::string prepare_process();                         needs a process of its own
///     static constexpr bool first_calls_are_long;                   millions of instructions
///     static std::size_t bytes_in_use();                            all that is given out now
///     static constexpr bool caches_until_thread_ends = true;        which threads keep part of
///     static constexpr bool is_no_allocator = true;                 nothing can be asked of it
///     std::pmr::memory_resource& resource();                        it is a memory_resource itself
///     template <class T> auto allocator();                          it has a standard allocator
template <class C>
concept contestant = std::default_initializable<C> &&
    requires(C& heap, void* block, std::size_t bytes) {
    { C::name } -> std::convertible_to<const char*>;
    { heap.allocate(bytes) } -> std::same_as<void*>;
    heap.deallocate(block, bytes);
};

/// Stands in the list of contestants for one whose package is not installed.
struct missing {};

/// A standard allocator over a contestant that has none of its own.
template <class T, contestant C>
class allocator_over {
public:
    using value_type = T;

    explicit allocator_over(C& heap) noexcept : heap_(&heap) {}
    template <class U>
    allocator_over(const allocator_over<U, C>& other) noexcept : heap_(other.heap_) {}

    T* allocate(std::size_t count) { return static_cast<T*>(heap_->allocate(count * sizeof(T))); }
    void deallocate(T* block, std::size_t count) noexcept {
        heap_->deallocate(block, count * sizeof(T));
    }
    friend bool operator==(const allocator_over&, const allocator_over&) = default;

private:
    template <class, contestant>
    friend class allocator_over;

    C* heap_;
};

/// The allocator that a container of T on this contestant uses.
template <class T, contestant C>
auto allocator_of(C& heap) {
    if constexpr (requires { heap.template allocator<T>(); }) {
        return heap.template allocator<T>();
    } else {
        return allocator_over<T, C>{heap};
    }
}

} // namespace resident::bench
