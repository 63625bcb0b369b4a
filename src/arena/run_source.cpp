#include "arena/run_source.hpp"

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace resident::detail {

namespace {

/// Not std::has_single_bit, nor what it stands for: without popcnt in the target, clang counts bits
/// by hand for either, in 20 instructions.
constexpr bool is_power_of_two(std::size_t value) noexcept {
    return (value ^ (value - 1)) > value - 1;
}
static_assert(is_power_of_two(1) && is_power_of_two(std::size_t{1} << 63));
static_assert(!is_power_of_two(0) && !is_power_of_two(3) && !is_power_of_two(12));

} // namespace

run_source::run_source(std::byte* begin, std::uint32_t granules, std::uint32_t max_granules,
                       const char* name) noexcept
    : capacity_(granules), begin_(begin), name_(name), runs_(max_granules) {
    os::identify_this_thread(); // a system call that the first allocate need not make then
    runs_.extend(granules);
}

void* run_source::allocate(std::size_t bytes, std::size_t alignment) noexcept {
    const bool usual = alignment <= granule_size && is_power_of_two(alignment) &&
                       bytes <= arena::max_supported_capacity;
    if (!usual) [[unlikely]]
        return allocate_unusual(bytes, alignment);
    if (!mutex_.try_lock()) [[unlikely]]
        return allocate_contended(bytes, alignment);
    const auto count = static_cast<std::uint32_t>(granules_for(bytes));
    const std::size_t list = runs_.find_fitting(count);
    if (list == 0) [[unlikely]]
        return allocate_held(bytes, alignment);
    void* const run = begin_ + runs_.take_first(list, count) * granule_size;
    if (!mutex_.try_unlock()) [[unlikely]]
        return hand_on(run);
    return run;
}

void* run_source::allocate_unusual(std::size_t bytes, std::size_t alignment) noexcept {
    if (!mutex_.try_lock()) [[unlikely]]
        return allocate_contended(bytes, alignment);
    return allocate_held(bytes, alignment);
}

void* run_source::allocate_contended(std::size_t bytes, std::size_t alignment) noexcept {
    mutex_.lock();
    return allocate_held(bytes, alignment);
}

void* run_source::allocate_held(std::size_t bytes, std::size_t alignment) noexcept {
    // Addresses are aligned, not indices: the data may begin at any multiple of data_unit.
    const std::size_t unit = alignment <= granule_size ? 1 : alignment / granule_size;
    std::uint32_t first = none;
    if (is_power_of_two(alignment) && bytes <= arena::max_supported_capacity)
        first = runs_.allocate_aligned(static_cast<std::uint32_t>(granules_for(bytes)), unit,
                                       address_of(begin_) / granule_size);
    if (first == none) {
        refuse();
        return nullptr;
    }
    mutex_.unlock();
    return begin_ + first * granule_size;
}

std::uint32_t run_source::allocate_contended(std::uint32_t count) noexcept {
    mutex_.lock();
    return allocate_held(count);
}

std::uint32_t run_source::allocate_held(std::uint32_t count) noexcept {
    const std::uint32_t first = runs_.allocate(count);
    return first == none ? refuse() : hand_on(first);
}

std::uint32_t run_source::allocate_slab_contended(std::uint32_t usual, std::uint32_t frugal,
                                                  std::uint32_t least) noexcept {
    mutex_.lock();
    const std::uint32_t count = slab_length(usual, frugal);
    const std::size_t list = runs_.find_fitting(count);
    return list != 0 ? hand_on(runs_.take_first(list, count)) : allocate_slab_held(count, least);
}

std::uint32_t run_source::allocate_slab_held(std::uint32_t count, std::uint32_t least) noexcept {
    const std::uint32_t first = runs_.allocate_longest(count, least);
    return first == none ? refuse() : hand_on(first);
}

/// Returns: the next of the numbers 0 to `count` - 1 that is not taken; or `count`. `last` counts
/// how often that was asked, up to twice as many, so that it is known when they have come round:
/// until then, none is taken.
template <typename IsTaken>
std::uint32_t run_source::next_number(std::uint16_t& last, std::uint32_t count,
                                      IsTaken is_taken) noexcept {
    const std::lock_guard guard(mutex_);
    for (std::uint32_t tried = 0; tried < count; ++tried) {
        const std::uint32_t number = last % count;
        const bool has_come_round = last >= count;
        last = static_cast<std::uint16_t>(last + 1U == 2 * count ? count : last + 1U);
        if (!has_come_round || !is_taken(number))
            return number;
    }
    return count;
}

std::uint16_t run_source::new_owner() noexcept {
    constexpr std::uint32_t owners = first_in_a_row - 1;
    static_assert(2 * owners <= 0xffff);
    const std::uint32_t number =
        next_number(last_owner_, owners, [this](std::uint32_t each) noexcept {
            return runs_.find_owned(static_cast<std::uint16_t>(each + 1), 0) != none;
        });
    return number == owners ? 0 : static_cast<std::uint16_t>(number + 1);
}

std::uint16_t run_source::new_owners_in_a_row() noexcept {
    constexpr std::uint32_t rows = first_in_a_row / owners_in_a_row;
    const auto first_of = [](std::uint32_t row) noexcept {
        return static_cast<std::uint16_t>(first_in_a_row + row * owners_in_a_row);
    };
    const std::uint32_t row = next_number(last_row_, rows, [&](std::uint32_t each) noexcept {
        return runs_.find_owned(first_of(each), 0) != none;
    });
    return row == rows ? 0 : first_of(row);
}

std::uint32_t run_source::next_owned(std::uint16_t owner, std::uint32_t behind) const noexcept {
    const std::lock_guard guard(mutex_);
    return runs_.find_owned(owner, behind == none ? 0 : behind + runs_.run_length(behind));
}

std::uint32_t run_source::refuse() noexcept {
    ++failures_;
    return hand_on(none);
}

std::uint32_t run_source::hand_on(std::uint32_t result) noexcept {
    mutex_.unlock();
    return result;
}

void* run_source::hand_on(void* result) noexcept {
    mutex_.unlock();
    return result;
}

void run_source::deallocate(void* run) noexcept { deallocate_checked(run, 0); }

void run_source::deallocate(void* run, std::size_t bytes) noexcept {
    deallocate_checked(run, granules_for(bytes));
}

inline void run_source::deallocate_checked(void* run, std::size_t expected) noexcept {
    if (!mutex_.try_lock()) [[unlikely]]
        return deallocate_contended(run, expected);
    if (!free_if_in_use(run, expected)) [[unlikely]]
        return report_bad_free(run);
    if (!mutex_.try_unlock()) [[unlikely]]
        mutex_.unlock_slowly();
}

inline std::size_t run_source::granule_at(const void* address) const noexcept {
    // Rotated, the index is above every other if the address is no multiple of a granule.
    constexpr int granule_bits = std::countr_zero(granule_size);
    return std::rotr(address_of(address) - address_of(begin_), granule_bits);
}

inline bool run_source::free_if_in_use(const void* run, std::size_t expected) noexcept {
    const std::size_t first = granule_at(run);
    const std::uint32_t length = runs_.run_length(first);
    if (expected == 0 ? length == 0 : length != expected) [[unlikely]]
        return false;
    runs_.deallocate(static_cast<std::uint32_t>(first));
    return true;
}

void run_source::deallocate_contended(void* run, std::size_t expected) noexcept {
    mutex_.lock();
    if (!free_if_in_use(run, expected))
        return report_bad_free(run);
    mutex_.unlock();
}

void run_source::report_bad_free(const void* run) noexcept {
    if (begin_ == nullptr) // in a forked child: what was allocated before is the parent's
        return mutex_.unlock();
    const std::size_t offset = address_of(run) - address_of(begin_);
    const char* const what =
        offset / granule_size >= runs_.size() ? "not memory of this arena"
        : offset % granule_size != 0 || runs_.run_length(offset / granule_size) == 0
            ? "no run in use begins here (freed twice?)"
            : "the run was allocated with another size";
    std::fprintf(stderr, "resident: arena \"%s\": deallocate(%p): %s\n", name_, run, what);
    std::abort();
}

void run_source::deallocate_contended(std::uint32_t first) noexcept {
    mutex_.lock();
    runs_.deallocate(first);
    mutex_.unlock();
}

bool run_source::shrink(std::uint32_t first, std::uint32_t count, std::uint32_t wanted) noexcept {
    const std::lock_guard guard(mutex_);
    const std::uint32_t freed = runs_.run_length(first) - count;
    if (freed + runs_.free_behind(first) < wanted)
        return false;
    runs_.shrink(first, count);
    return true;
}

bool run_source::split(void* run, std::size_t bytes) noexcept {
    const std::lock_guard guard(mutex_);
    const std::size_t first = granule_at(run);
    const std::size_t count = bytes / granule_size;
    if (bytes % granule_size != 0 || count == 0 || count >= runs_.run_length(first))
        return false;
    runs_.split(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(count));
    return true;
}

bool run_source::join(void* run, void* next) noexcept {
    const std::lock_guard guard(mutex_);
    const std::size_t first = granule_at(run);
    const std::uint32_t length = runs_.run_length(first);
    if (length == 0 || first + length != granule_at(next) || runs_.run_length(first + length) == 0)
        return false;
    runs_.join_next(static_cast<std::uint32_t>(first));
    return true;
}

void run_source::extend(std::uint32_t count) noexcept {
    const std::lock_guard guard(mutex_);
    runs_.extend(count);
    capacity_.store(runs_.size(), std::memory_order_release);
}

std::uint32_t run_source::largest_free_run() const noexcept {
    const std::lock_guard guard(mutex_);
    return runs_.largest_free_run();
}

std::uint32_t run_source::run_length(std::uint32_t first) const noexcept {
    const std::lock_guard guard(mutex_);
    return runs_.run_length(first);
}

run_counts run_source::counts() const noexcept {
    const std::lock_guard guard(mutex_);
    return {.capacity = runs_.size(),
            .in_use = runs_.in_use(),
            .peak_in_use = runs_.peak_in_use(),
            .largest_free_run = runs_.largest_free_run(),
            .runs_in_use = runs_.runs_in_use(),
            .failures = failures_};
}

const char* run_source::check() const noexcept {
    const std::lock_guard guard(mutex_);
    return runs_.check();
}

} // namespace resident::detail
