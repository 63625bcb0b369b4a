#include "arena/arena_state.hpp"

#include "os/headroom.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <tuple>

namespace resident::detail {

namespace {

constexpr std::size_t granule = arena::granule_size;

std::uintptr_t address_of(const void* pointer) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

constexpr std::size_t granules_for(std::size_t bytes) noexcept {
    return bytes == 0 ? 1 : bytes / granule + (bytes % granule != 0);
}

/// Not std::has_single_bit, which is a call of a library function on x86-64 without popcnt.
constexpr bool is_power_of_two(std::size_t value) noexcept {
    return value != 0 && (value & (value - 1)) == 0;
}

[[noreturn, gnu::cold]] void report_bad_free(const char* name, const void* run,
                                             const char* what) noexcept {
    std::fprintf(stderr, "resident: arena \"%s\": deallocate(%p): %s\n", name, run, what);
    std::abort();
}

} // namespace

void* arena_state::allocate(std::size_t bytes, std::size_t alignment) noexcept {
    // Addresses are aligned, not indices: the data may begin at any multiple of data_unit.
    const std::size_t unit = alignment <= granule ? 1 : alignment / granule;
    const std::lock_guard guard(mutex_);
    const std::uint32_t first =
        is_power_of_two(alignment)
            ? runs_.allocate(granules_for(bytes), unit, address_of(begin_) / granule)
            : run_allocator::none;
    if (first == run_allocator::none) {
        ++failures_;
        return nullptr;
    }
    return begin_ + std::size_t{first} * granule;
}

void arena_state::deallocate(void* run, std::size_t bytes) noexcept {
    if (begin_ == nullptr)
        return; // in a forked child: what was allocated before is the parent's
    const std::size_t offset = address_of(run) - address_of(begin_);
    const std::lock_guard guard(mutex_);
    const std::size_t first = offset / granule;
    if (first >= runs_.size())
        report_bad_free(name(), run, "not memory of this arena");
    const std::size_t length = offset % granule == 0 ? runs_.run_length(first) : 0;
    if (length == 0)
        report_bad_free(name(), run, "no run in use begins here (freed twice?)");
    if (bytes != unknown_size && granules_for(bytes) != length)
        report_bad_free(name(), run, "the run was allocated with another size");
    runs_.deallocate(static_cast<std::uint32_t>(first));
}

std::size_t arena_state::free_bytes() const noexcept {
    const std::lock_guard guard(mutex_);
    return (runs_.size() - runs_.in_use()) * granule;
}

page_kind arena_state::pages() const noexcept {
    return pages_ == page_kind::automatic ? page_kind::base : pages_; // zeros, in a forked child
}

arena_statistics arena_state::statistics() const noexcept {
    const std::lock_guard guard(mutex_);
    const std::size_t capacity = runs_.size() * granule;
    const std::size_t bookkeeping = begin_ == nullptr ? 0 : bookkeeping_for(capacity);
    const bool charged = reserved_huge_page_size(pages_) == 0;
    return {.capacity = capacity,
            .max_capacity = max_capacity_,
            .resident = capacity + bookkeeping,
            .locked = locked_ ? bookkeeping + (charged ? capacity : 0) : 0,
            .bookkeeping = bookkeeping,
            .in_use = runs_.in_use() * granule,
            .peak_in_use = runs_.peak_in_use() * granule,
            .largest_free_run = runs_.largest_free_run() * granule,
            .runs_in_use = runs_.runs_in_use(),
            .failures = failures_,
            .growth_failures = growth_failures_};
}

result<arena_proof> arena_state::verify() const noexcept {
    if (begin_ == nullptr)
        return arena_proof{}; // in a forked child
    const std::lock_guard growing(growth_mutex_);
    const std::size_t bytes = capacity();
    arena_proof data;
    arena_proof bookkeeping;
    for (const auto& [begin, size, proof] :
         {std::tuple{begin_, bytes, &data},
          std::tuple{bookkeeping_.range.begin(), bookkeeping_for(bytes), &bookkeeping}}) {
        const os::outcome read = prove_resident(begin, size, locked_, *proof);
        if (!read)
            return os::make_error(operation::read_system_file, read.error_number(), size, name());
    }
    return data + bookkeeping;
}

const char* arena_state::check() const noexcept {
    const std::lock_guard guard(mutex_);
    return runs_.check();
}

result<std::size_t> arena_state::grow(std::size_t bytes, bool report_progress) {
    if (begin_ == nullptr)
        return std::size_t{0}; // in a forked child
    const std::lock_guard growing(growth_mutex_);
    const std::size_t before = capacity();
    const std::size_t room = max_capacity_ - before;
    // The end is rounded, not the length: the next growth then begins where a huge page can.
    const std::size_t unit = data_unit(data_.plan.pages);
    const std::size_t added =
        bytes >= room ? room : std::min(round_up(before + bytes, unit) - before, room);
    if (bytes == 0 || added == 0)
        return std::size_t{0};

    const auto refuse = [this](const error& failed) -> result<std::size_t> {
        const std::lock_guard guard(mutex_);
        ++growth_failures_;
        return failed;
    };
    // Records first: a granule may only be published once its record is resident.
    const std::size_t records_before = bookkeeping_for(before);
    chunk records(bookkeeping_.range.begin() + records_before,
                  bookkeeping_for(before + added) - records_before, bookkeeping_.plan);
    if (auto failed = records.make_resident({}))
        return refuse(*failed);
    chunk data(begin_ + before, added, data_.plan);
    chunk_progress progress;
    if (report_progress && progress_)
        progress = [this, added](std::size_t populated) { progress_({populated, added}); };
    if (auto failed = data.make_resident(progress))
        return refuse(*failed);
    bookkeeping_.keep(records);
    data_.keep(data);
    const std::lock_guard guard(mutex_);
    runs_.extend(added / granule);
    capacity_.store(before + added, std::memory_order_release);
    return added;
}

} // namespace resident::detail
