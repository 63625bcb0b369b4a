/// A pool in which every state that a class, a slab and a block can have is there at once; its
/// fields can be set, and put right again.
#pragma once

#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/free_link.hpp"
#include "pool/pool_state.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory_resource>
#include <vector>

namespace resident::detail {

/// The one door into pool_state's private state.
struct pool_inspector {
    static class_list& list(pool_state& pool, std::size_t bytes) {
        return pool.classes[size_classes::of(bytes)];
    }
    static std::uint32_t first_granule(pool_state& pool, const void* block) {
        return pool.first_granule(block);
    }
    static granule_record& record(pool_state& pool, std::uint32_t granule) {
        return pool.record(granule);
    }
    static granule_record& slab(pool_state& pool, const void* block) {
        return pool.record(pool.first_granule(block));
    }
    static free_block* first_free(pool_state& pool, const void* block) {
        return pool.first_free(slab(pool, block), pool.first_granule(block));
    }
    static auto& class_offsets(pool_state& pool) { return pool.class_offsets; }
    static auto& large_class_offsets(pool_state& pool) { return pool.large_class_offsets; }
    static auto& base(pool_state& pool) { return pool.base_; }
    static auto& records(pool_state& pool) { return pool.records_; }
    static auto& open_bytes(pool_state& pool) { return pool.open_bytes_; }
    static auto& closed(pool_state& pool) { return pool.closed_; }
    static auto& owner(pool_state& pool) { return pool.owner_; }
    static auto& options(pool_state& pool) { return pool.options_; }
    static auto& held(pool_state& pool) { return pool.held_; }
    static auto& peak_held(pool_state& pool) { return pool.peak_held_; }
    static auto& requested(pool_state& pool) { return pool.requested_; }
    static auto& runs_in_use(pool_state& pool) { return pool.runs_in_use_; }
    static auto& upstream_first(pool_state& pool) { return pool.upstream_.first_; }
    static auto& upstream_in_use(pool_state& pool) { return pool.upstream_.in_use_; }
};

using inspect = pool_inspector;

inline constexpr std::uint32_t none = pool_state::none;

// A size for each state that a class can be in.
inline constexpr std::size_t active = 64;    ///< has a current slab, and some blocks in its list
inline constexpr std::size_t caching = 32;   ///< has a full list, of several slabs
inline constexpr std::size_t surplus = 128;  ///< has blocks that go back to their slabs
inline constexpr std::size_t partial = 3072; ///< has slabs with lists of their own
inline constexpr std::size_t reserved = 208;
inline constexpr std::size_t unused = 480;
inline constexpr std::size_t run = 4096;

class scene {
public:
    explicit scene(check_level checks)
        : memory_({.pages = page_kind::base, .lock = lock_policy::off}),
          pool_({.checks = checks}, memory_, &upstream_),
          state(*reinterpret_cast<pool_state*>(memory_.memory().data())) {
        for (int block = 0; block < 2; ++block)
            EXPECT_NE(get(5_MiB), nullptr); // more than the arena has
        for (int block = 0; block < 20; ++block)
            actives.push_back(get(active));
        give(actives[5], active);
        give(actives[3], active);
        fill_list();
        begin_surplus();
        make_partial();
        EXPECT_TRUE(pool_.try_reserve(reserved, 50));
        in_run = get(run);
        give(get(run), run);
        large = get(100'000);
        two_free = partials[12];
        EXPECT_EQ(pool_.check(), nullptr);
    }
    ~scene() {
        restore();
        EXPECT_EQ(pool_.check(), nullptr);
    }
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;

    [[nodiscard]] const char* check() const { return pool_.check(); }
    class_list& list(std::size_t bytes) { return inspect::list(state, bytes); }
    granule_record& slab(const void* block) { return inspect::slab(state, block); }
    std::uint32_t first(const void* block) { return inspect::first_granule(state, block); }

    template <typename T>
    void set(T& field, T value) {
        undo_.push_back([&field, before = field] { field = before; });
        field = value;
    }
    void set_link(free_block* block, free_block link) {
        undo_.push_back([block, before = read_link(block)] { write(block, before); });
        write(block, link);
    }
    /// Undoes what was set, the last first.
    void restore() {
        for (; !undo_.empty(); undo_.pop_back())
            undo_.back()();
    }

private:
    void* get(std::size_t bytes) { return pool_.try_allocate(bytes, 8); }
    void give(void* block, std::size_t bytes) { pool_.deallocate(block, bytes, 8); }

    /// Blocks in a full list, were the pool not closed.
    std::size_t capacity(std::size_t bytes) const {
        return list_capacity(slab_geometries[size_classes::of(bytes)],
                             longest_slab(memory_.memory().size() / arena::granule_size));
    }
    std::vector<void*> get_many(std::size_t bytes, std::size_t count) {
        std::vector<void*> blocks;
        while (blocks.size() < count)
            blocks.push_back(get(bytes));
        return blocks;
    }
    /// As many blocks freed as the list takes, and two more, while others are in use.
    void fill_list() {
        const std::vector<void*> blocks = get_many(caching, 3 * capacity(caching));
        for (std::size_t freed = 0; freed < capacity(caching) + 2; ++freed)
            give(blocks[freed], caching);
        cached = blocks.back();
        first_cached = blocks.front();
        cached_elsewhere = blocks[capacity(caching)];
    }
    /// The list was full while hardly anything was in use.
    void begin_surplus() {
        const std::vector<void*> blocks = get_many(surplus, capacity(surplus) + 10);
        for (std::size_t freed = 0; freed < capacity(surplus) + 4; ++freed)
            give(blocks[freed], surplus);
    }
    /// One or two blocks of three slabs freed, when the list was full.
    void make_partial() {
        partials = get_many(partial, 80);
        for (std::size_t freed = 0; freed < capacity(partial); ++freed)
            give(partials[60 - freed], partial);
        for (const std::size_t block : {0U, 6U, 12U, 13U})
            give(partials[block], partial);
    }

    __attribute__((no_sanitize("address"))) static void write(free_block* block, free_block link) {
        block->next = link.next;
        block->room = link.room;
    }

    arena memory_;
    std::pmr::monotonic_buffer_resource upstream_{std::pmr::new_delete_resource()};
    unsynchronized_pool_resource pool_;
    std::vector<std::function<void()>> undo_;

public:
    pool_state& state; ///< the first run of the arena
    std::vector<void*> actives;
    std::vector<void*> partials;
    void* cached = nullptr;           ///< in use; of the class with a full list
    void* first_cached = nullptr;     ///< the last in that class's list
    void* cached_elsewhere = nullptr; ///< free, of that class, in the list of its slab
    void* in_run = nullptr;
    void* large = nullptr;
    void* two_free = nullptr; ///< in a slab with two free blocks
};

} // namespace resident::detail
