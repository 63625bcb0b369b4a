// Concerns: resident::allocator<T> of a pool and of an arena passes the conformance suite.
// Plan: see memory_resource_suite_test.cpp; a block of a given alignment is one or more objects
// that are so aligned.

#include <resident/allocator.hpp>

#include "conformance/tested_resource.hpp"

#include <bit>
#include <utility>

namespace resident::test {
namespace {

template <std::size_t Alignment>
struct alignas(Alignment) object {
    std::byte bytes[Alignment];
};

/// The interface of a memory_resource on allocators of one resource, for alignments up to 2 MiB.
template <class Resource>
class allocators_as_resource final : public std::pmr::memory_resource {
public:
    explicit allocators_as_resource(Resource& resource) : resource_(resource) {}

private:
    static constexpr std::size_t alignments = 22;

    template <std::size_t Alignment>
    static std::size_t objects(std::size_t bytes) {
        return bytes / Alignment + (bytes % Alignment != 0);
    }
    template <std::size_t Power>
    static void* allocate_with(Resource& resource, std::size_t bytes) {
        constexpr std::size_t alignment = std::size_t{1} << Power;
        return allocator<object<alignment>, Resource>(resource).allocate(objects<alignment>(bytes));
    }
    template <std::size_t Power>
    static void deallocate_with(Resource& resource, void* block, std::size_t bytes) {
        constexpr std::size_t alignment = std::size_t{1} << Power;
        allocator<object<alignment>, Resource>(resource).deallocate(
            static_cast<object<alignment>*>(block), objects<alignment>(bytes));
    }

    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        return [&]<std::size_t... Powers>(std::index_sequence<Powers...>) {
            constexpr void* (*by_power[])(Resource&, std::size_t) = {&allocate_with<Powers>...};
            return by_power[std::countr_zero(alignment)](resource_, bytes);
        }
        (std::make_index_sequence<alignments>());
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        [&]<std::size_t... Powers>(std::index_sequence<Powers...>) {
            constexpr void (*by_power[])(Resource&, void*,
                                         std::size_t) = {&deallocate_with<Powers>...};
            by_power[std::countr_zero(alignment)](resource_, block, bytes);
        }
        (std::make_index_sequence<alignments>());
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    Resource& resource_;
};

struct tested_pool_allocator : tested_resource {
    static constexpr bool releases = true;
    std::pmr::memory_resource& resource() override { return allocators_; }
    void release() override { pool_.release(); }
    [[nodiscard]] const char* check() const override { return pool_.check(); }
    unsynchronized_pool_resource pool_{memory()};
    allocators_as_resource<unsynchronized_pool_resource> allocators_{pool_};
};

struct tested_arena_allocator : tested_resource {
    std::pmr::memory_resource& resource() override { return allocators_; }
    allocators_as_resource<arena> allocators_{memory()};
};

RESIDENT_CONFORMANCE(of_allocator, row<tested_pool_allocator>("of_the_pool"),
                     row<tested_arena_allocator>("of_the_arena"));

} // namespace
} // namespace resident::test
