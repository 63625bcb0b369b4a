/// resident::allocator: a standard allocator bound to one kind of pool, without virtual calls.
#pragma once

#include "resident/unsynchronized_pool_resource.hpp"

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

namespace resident {

namespace detail {

/// A resource that knows size classes when compiling.
template <class Resource>
concept has_static_blocks = requires(Resource& resource, void* block) {
    { resource.template allocate_block<16, 8>() } -> std::same_as<void*>;
    resource.template deallocate_block<16, 8>(block);
};

/// What an allocator keeps of its resource.
template <class Resource>
class resource_binding {
public:
    explicit resource_binding(Resource& resource) noexcept : resource_(&resource) {}

    template <std::size_t Bytes, std::size_t Alignment>
    void* allocate_block() {
        if constexpr (has_static_blocks<Resource>)
            return resource_->template allocate_block<Bytes, Alignment>();
        else
            return resource_->allocate(Bytes, Alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    void deallocate_block(void* block) noexcept {
        if constexpr (has_static_blocks<Resource>)
            resource_->template deallocate_block<Bytes, Alignment>(block);
        else
            resource_->deallocate(block, Bytes, Alignment);
    }
    void* allocate(std::size_t bytes, std::size_t alignment) {
        return resource_->allocate(bytes, alignment);
    }
    void deallocate(void* block, std::size_t bytes, std::size_t alignment) noexcept {
        resource_->deallocate(block, bytes, alignment);
    }
    [[nodiscard]] Resource* resource() const noexcept { return resource_; }
    bool operator==(const resource_binding&) const noexcept = default;

private:
    Resource* resource_;
};

/// Of a pool, its lists: a node is allocated without a way by the handle.
template <>
class resource_binding<unsynchronized_pool_resource> {
public:
    explicit resource_binding(unsynchronized_pool_resource& pool) noexcept : front_(pool.front_) {}

    template <std::size_t Bytes, std::size_t Alignment>
    void* allocate_block() {
        return front_->allocate(front_->class_for<Bytes, Alignment>(), Bytes, Alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    void deallocate_block(void* block) noexcept {
        front_->deallocate(front_->class_for<Bytes, Alignment>(), block, Bytes, Alignment);
    }
    void* allocate(std::size_t bytes, std::size_t alignment) {
        return front_->allocate(front_->class_for(bytes, alignment), bytes, alignment);
    }
    void deallocate(void* block, std::size_t bytes, std::size_t alignment) noexcept {
        front_->deallocate(front_->class_for(bytes, alignment), block, bytes, alignment);
    }
    [[nodiscard]] unsynchronized_pool_resource* resource() const noexcept { return front_->handle; }
    bool operator==(const resource_binding&) const noexcept = default;

private:
    pool_front* front_;
};

[[noreturn]] inline void raise_bad_array_new_length() {
#if defined(__cpp_exceptions)
    throw std::bad_array_new_length();
#else
    std::fputs("resident: an allocator was asked for more objects than fit the address space\n",
               stderr);
    std::abort();
#endif
}

} // namespace detail

/// Gives a container's elements and nodes memory of a pool (or of any std::pmr::memory_resource
/// that is named as Resource: an arena, for example). The class of a node's size is known when
/// compiling, so allocating one is the pool's list and nothing else.
///
/// Compares equal if and only if the pool is the same. Propagates on move assignment and on swap,
/// not on copy assignment: a container that is assigned to by copy keeps its pool; one that is
/// constructed as a copy shares it. There is no default constructor: a pool must be named.
template <class T, class Resource = unsynchronized_pool_resource>
class allocator {
public:
    using value_type = T;
    using resource_type = Resource;
    using propagate_on_container_copy_assignment = std::false_type;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;
    using is_always_equal = std::false_type;

    /// The behavior is undefined unless `resource` outlives what is allocated.
    allocator(Resource& resource) noexcept : resource_(resource) {} // NOLINT: converts on purpose
    /// The same; not null. As std::pmr::polymorphic_allocator has it.
    allocator(Resource* resource) noexcept : resource_(*resource) {} // NOLINT: converts on purpose
    allocator(const allocator&) noexcept = default;
    template <class U>
    allocator(const allocator<U, Resource>& other) noexcept // NOLINT: converts on purpose
        : resource_(other.resource_) {}
    allocator& operator=(const allocator&) noexcept = default;

    /// Returns: room for `count` objects. Throws: std::bad_array_new_length if and only if that
    /// exceeds the address space, else what the resource throws; in a build without exceptions:
    /// prints so and aborts.
    [[nodiscard]] T* allocate(std::size_t count) {
        if (count == 1)
            return static_cast<T*>(resource_.template allocate_block<sizeof(T), alignof(T)>());
        if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) [[unlikely]]
            detail::raise_bad_array_new_length();
        return static_cast<T*>(resource_.allocate(count * sizeof(T), alignof(T)));
    }

    /// The behavior is undefined unless `objects` is from allocate(count) of an equal allocator.
    void deallocate(T* objects, std::size_t count) noexcept {
        if (count == 1)
            return resource_.template deallocate_block<sizeof(T), alignof(T)>(objects);
        resource_.deallocate(objects, count * sizeof(T), alignof(T));
    }

    /// A copy of a container shares its pool.
    [[nodiscard]] allocator select_on_container_copy_construction() const noexcept { return *this; }

    [[nodiscard]] Resource* resource() const noexcept { return resource_.resource(); }

    template <class U>
    [[nodiscard]] bool operator==(const allocator<U, Resource>& other) const noexcept {
        return resource_ == other.resource_;
    }

private:
    template <class U, class Other>
    friend class allocator;

    detail::resource_binding<Resource> resource_;
};

} // namespace resident
