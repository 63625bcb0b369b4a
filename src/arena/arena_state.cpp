#include "arena/arena_state.hpp"

#include "os/headroom.hpp"

#include <algorithm>
#include <bit>
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

[[noreturn]] void report_bad_free(const char* name, const void* run, const char* what) noexcept {
    std::fprintf(stderr, "resident: arena \"%s\": deallocate(%p): %s\n", name, run, what);
    std::abort();
}

} // namespace

void* arena_state::allocate(std::size_t bytes, std::size_t alignment) noexcept {
    // Addresses are aligned, not indices: the data may begin at any multiple of data_alignment.
    const std::size_t unit = alignment <= granule ? 1 : alignment / granule;
    const std::lock_guard guard(mutex_);
    const std::uint32_t first =
        std::has_single_bit(alignment)
            ? runs_.allocate(granules_for(bytes), unit, address_of(data_) / granule)
            : run_allocator::none;
    if (first == run_allocator::none) {
        ++failures_;
        return nullptr;
    }
    return data_ + std::size_t{first} * granule;
}

void arena_state::deallocate(void* run, std::size_t bytes) noexcept {
    if (data_ == nullptr)
        return; // wiped by fork: what was allocated before is gone
    const std::size_t offset = address_of(run) - address_of(data_);
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

std::size_t arena_state::capacity() const noexcept {
    const std::lock_guard guard(mutex_);
    return runs_.size() * granule;
}

std::size_t arena_state::free_bytes() const noexcept {
    const std::lock_guard guard(mutex_);
    return (runs_.size() - runs_.in_use()) * granule;
}

bool arena_state::owns(const void* address) const noexcept {
    return address_of(address) - address_of(data_) < capacity();
}

std::size_t arena_state::locked_data() const noexcept {
    return locked_ && reserved_huge_page_size(pages_) == 0 ? runs_.size() * granule : 0;
}

arena_statistics arena_state::statistics() const noexcept {
    const std::lock_guard guard(mutex_);
    const std::size_t capacity = runs_.size() * granule;
    const std::size_t bookkeeping = data_ == nullptr ? 0 : layout_.bookkeeping_for(capacity);
    return {.capacity = capacity,
            .max_capacity = layout_.data_reserved,
            .resident = capacity + bookkeeping,
            .locked = locked_ ? locked_data() + bookkeeping : 0,
            .bookkeeping = bookkeeping,
            .in_use = runs_.in_use() * granule,
            .peak_in_use = runs_.peak_in_use() * granule,
            .largest_free_run = runs_.largest_free_run() * granule,
            .runs_in_use = runs_.runs_in_use(),
            .failures = failures_,
            .growth_failures = growth_failures_};
}

result<arena_proof> arena_state::verify() const noexcept {
    if (data_ == nullptr)
        return arena_proof{}; // wiped by fork
    const std::lock_guard growing(growth_mutex_);
    const std::size_t bytes = capacity();
    arena_proof data;
    arena_proof bookkeeping;
    const std::size_t bookkeeping_bytes = layout_.bookkeeping_for(bytes);
    for (const auto& [begin, size, proof] :
         {std::tuple{data_, bytes, &data},
          std::tuple{range_.begin() + layout_.bookkeeping(), bookkeeping_bytes, &bookkeeping}}) {
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
    if (data_ == nullptr)
        return std::size_t{0}; // wiped by fork
    const std::lock_guard growing(growth_mutex_);
    const std::size_t before = capacity();
    const std::size_t room = layout_.data_reserved - before;
    const std::size_t unit = std::max(step_size, reserved_huge_page_size(pages_));
    const std::size_t added = bytes >= room ? room : std::min(round_up(bytes, unit), room);
    if (added == 0)
        return std::size_t{0};

    const auto refuse = [this](const error& failed) -> result<std::size_t> {
        const std::lock_guard guard(mutex_);
        ++growth_failures_;
        return failed;
    };
    // Records first: a granule may only be published once its record is resident.
    const std::size_t records_before = layout_.bookkeeping_for(before);
    const std::size_t records_added = layout_.bookkeeping_for(before + added) - records_before;
    chunk_plan records_plan = data_plan_;
    records_plan.pages = page_kind::base;
    chunk records(range_.begin() + layout_.bookkeeping() + records_before, records_added,
                  records_plan);
    if (records_added != 0)
        if (auto failed = records.make_resident({}))
            return refuse(*failed);
    chunk data(data_ + before, added, data_plan_);
    chunk_progress progress;
    if (report_progress && progress_)
        progress = [this, added](std::size_t populated) { progress_({populated, added}); };
    if (auto failed = data.make_resident(progress))
        return refuse(*failed);
    records.keep();
    data.keep();
    const std::lock_guard guard(mutex_);
    runs_.extend(added / granule);
    return added;
}

} // namespace resident::detail
