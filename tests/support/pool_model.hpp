/// A pool beside a model of it: what every call should return, and what is alive.
#pragma once

#include <resident/unsynchronized_pool_resource.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace resident::test {

/// Which bytes of an arena are in use, whichever pool's they are; in units of 8 bytes.
class byte_map {
public:
    explicit byte_map(const arena& memory)
        : begin_(memory.memory().data()), words_(memory.statistics().max_capacity / 512 + 1) {}

    /// False if one of the bytes is in use, or in use already; else they are, or are not, now.
    bool add(const void* block, std::size_t bytes) { return flip(block, bytes, true); }
    bool remove(const void* block, std::size_t bytes) { return flip(block, bytes, false); }

private:
    bool flip(const void* block, std::size_t bytes, bool used);

    const std::byte* begin_;
    std::vector<std::uint64_t> words_;
};

/// By which of its functions a pool is called.
enum class entrance : std::uint8_t { direct, pmr, fixed_size, unsized };

/// Calls a pool and compares. The first difference is kept; from then on nothing means anything.
class pool_model {
public:
    /// `used` is shared by the pools of one arena.
    pool_model(unsynchronized_pool_resource& pool, byte_map& used);

    /// `entrance::fixed_size` rounds the request to one of the sizes that are known when compiling.
    /// Returns: whether it was served.
    bool allocate(std::size_t bytes, std::size_t alignment, entrance by);
    /// The block that is `index`th among those alive, of which the last takes the place.
    void deallocate(std::size_t index, entrance by);
    /// Reserves, and takes all that is promised.
    void reserve(std::size_t bytes, std::size_t count);
    void release();
    void free_all();
    /// Statistics against the model, and check() of pool and arena.
    void compare();

    [[nodiscard]] std::size_t alive() const noexcept { return alive_.size(); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] const std::string& difference() const noexcept { return difference_; }

private:
    struct block {
        std::byte* begin;
        std::size_t bytes; ///< as requested
        std::size_t alignment;
        std::size_t usable;
        std::uint64_t pattern;
        std::size_t size_class; ///< index in pool_statistics::classes; classes.size() for runs
    };

    void expect(bool holds, const char* what, const block& about);
    [[nodiscard]] std::byte* call_allocate(block& wanted, entrance by);
    void call_deallocate(const block& freed, entrance by);
    void take_note(block made);
    void compare_refusal(const block& refused);
    [[nodiscard]] std::size_t class_of(const block& made) const;
    static void fill(const block& made);
    [[nodiscard]] static bool is_intact(const block& filled);

    unsynchronized_pool_resource& pool_;
    byte_map& used_;
    std::vector<block> alive_;
    std::array<std::uint32_t, pool_statistics::size_class_count> in_use_{};
    std::size_t bytes_in_use_ = 0;
    bool is_guarded_; ///< check_level::full: blocks are larger than told, by guards
    bool has_reserve_ = false;
    std::uint64_t refused_ = 0;
    std::uint64_t last_pattern_ = 0;
    std::string difference_;
};

} // namespace resident::test
