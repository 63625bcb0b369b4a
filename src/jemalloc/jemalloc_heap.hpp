/// One jemalloc arena on the memory of a resident arena.
#pragma once

#include "arena/run_source.hpp"
#include "jemalloc/jemalloc_interface.hpp"
#include "resident/jemalloc_resource.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Lies in a run of the arena itself. Each extent of jemalloc is exactly one run of the arena: they
/// are split and joined together, so that the arena can check every extent that comes back, and
/// take back any part of what it gave.
class jemalloc_heap : private jemalloc_interface::extent_hooks {
public:
    /// Effects: everything that jemalloc_resource's constructor promises.
    static result<jemalloc_heap*> build(arena& source, const jemalloc_options& options);
    /// Effects: gives everything back, `doomed` included.
    static void destroy(jemalloc_heap* doomed) noexcept;

    jemalloc_heap(const jemalloc_heap&) = delete;
    jemalloc_heap& operator=(const jemalloc_heap&) = delete;

    void* allocate(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate(void* block) noexcept;
    [[nodiscard]] static std::size_t usable_size(const void* block) noexcept;
    void trim() noexcept;
    void release() noexcept;

    [[nodiscard]] arena& source() const noexcept { return source_; }
    [[nodiscard]] const jemalloc_options& options() const noexcept { return options_; }
    [[nodiscard]] jemalloc_statistics statistics() const noexcept;

private:
    /// One of mallctl's values for this arena, looked up once.
    class control {
    public:
        /// `name` is that of arena 0, whose number is its part `place`. Returns: whether there is
        /// such a value.
        [[nodiscard]] bool find(const char* name, std::size_t place, unsigned arena) noexcept;
        bool invoke() const noexcept;                    ///< Returns: whether that was done.
        [[nodiscard]] std::size_t read() const noexcept; ///< 0 where it cannot be read
        template <class Value>
        [[nodiscard]] bool write(Value value) const noexcept {
            return RESIDENT_JEMALLOC(mallctlbymib)(mib_.data(), length_, nullptr, nullptr, &value,
                                                   sizeof value) == 0;
        }

    private:
        std::array<std::size_t, 5> mib_{};
        std::size_t length_ = 0;
    };

    jemalloc_heap(arena& source, const jemalloc_options& options) noexcept;
    ~jemalloc_heap() = default;

    [[nodiscard]] bool create_arena() noexcept;

    /// Effects: adds this to the list of all heaps, and if it is the only one on its arena, touches
    /// the tables.
    void enroll() noexcept;
    void withdraw() noexcept; ///< Effects: takes this off that list.

    /// Effects: has jemalloc register an extent in each 2 MiB of the arena, and forget it, so that
    /// its process-wide table, of 8 bytes a page, is touched for all of them. Nothing is taken from
    /// the arena for it, and none of its memory is touched: jemalloc writes to no extent by itself.
    void touch_tables() noexcept;

    void* place_pretended(std::size_t bytes, std::size_t alignment) const noexcept;

    void* serve(std::size_t bytes, std::size_t alignment) noexcept;
    void take_back(void* address, std::size_t bytes) noexcept;
    [[noreturn]] void report_foreign(const void* block) const noexcept;

    static jemalloc_heap& heap_of(extent_hooks* hooks) noexcept {
        return *static_cast<jemalloc_heap*>(hooks);
    }
    static void* allocate_extent(extent_hooks* hooks, void* new_address, std::size_t bytes,
                                 std::size_t alignment, bool* zero, bool* commit,
                                 unsigned) noexcept;
    static bool deallocate_extent(extent_hooks* hooks, void* address, std::size_t bytes, bool,
                                  unsigned) noexcept;
    static void destroy_extent(extent_hooks* hooks, void* address, std::size_t bytes, bool,
                               unsigned) noexcept;
    static bool split_extent(extent_hooks* hooks, void* address, std::size_t,
                             std::size_t first_bytes, std::size_t, bool, unsigned) noexcept;
    static bool merge_extents(extent_hooks* hooks, void* first, std::size_t, void* second,
                              std::size_t, bool, unsigned) noexcept;

    arena& source_;
    run_source& runs_;
    jemalloc_options options_;
    int flags_ = 0; ///< for mallocx
    control purge_;
    control reset_;
    control destroy_;
    control small_in_use_;
    control large_in_use_;
    std::atomic<std::size_t> held_ = 0;
    std::atomic<std::size_t> peak_held_ = 0;
    std::atomic<std::uint64_t> failures_ = 0;
    std::byte* pretended_ = nullptr; ///< in touch_tables() alone: where the next extent is to be
    jemalloc_heap* next_ = nullptr;  ///< in the list of all heaps
};

} // namespace resident::detail
