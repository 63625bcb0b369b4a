/// The blocks that a pool had from its upstream resource, so that release() can free them.
#pragma once

#include <cstddef>
#include <memory_resource>

namespace resident::detail {

/// Each block has a header before it, which links it to the others.
class upstream_blocks {
public:
    /// `resource` may be null: then there is none.
    explicit upstream_blocks(std::pmr::memory_resource* resource) noexcept : resource_(resource) {}
    upstream_blocks(const upstream_blocks&) = delete;
    upstream_blocks& operator=(const upstream_blocks&) = delete;

    /// Null if there is no resource; what it throws passes through.
    void* allocate(std::size_t bytes, std::size_t alignment);
    /// The same, but null whatever it throws.
    void* try_allocate(std::size_t bytes, std::size_t alignment) noexcept;
    /// The behavior is undefined unless `block` is from allocate and in use.
    void deallocate(void* block) noexcept;
    /// Effects: frees all.
    void release() noexcept;
    [[nodiscard]] bool owns(const void* block) const noexcept; ///< linear in the blocks
    /// Bytes of a block in use, as requested.
    [[nodiscard]] static std::size_t size(const void* block) noexcept;

    /// Null if every invariant holds, else which does not. Linear in the blocks; their headers lie
    /// in memory of the resource, where only the ways back are there to tell a wrong link.
    [[nodiscard]] const char* check() const noexcept;

    /// Bytes in front of a block of this alignment, as the resource is asked for it: for its
    /// header.
    [[nodiscard]] static std::size_t lead(std::size_t alignment) noexcept;

    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; } ///< bytes, as requested
    [[nodiscard]] std::pmr::memory_resource* resource() const noexcept { return resource_; }

private:
    friend struct pool_inspector; // the tests' one door

    struct header {
        header* next;
        header* previous;
        std::size_t bytes;     ///< as requested
        std::size_t alignment; ///< of the whole, which begins `lead` bytes before the block
    };
    [[nodiscard]] static header* header_of(const void* block) noexcept;

    std::pmr::memory_resource* resource_;
    header* first_ = nullptr;
    std::size_t in_use_ = 0;
};

} // namespace resident::detail
