// Building and destroying an arena_state: the cold half of it.
#include "arena/arena_state.hpp"
#include "os/headroom.hpp"
#include "os/huge_page_pool.hpp"
#include "os/lock_registry.hpp"

#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>

namespace resident::detail {

namespace {

/// Of valid options.
std::uint32_t granules_of(std::size_t bytes) noexcept {
    return static_cast<std::uint32_t>(bytes / granule_size);
}

/// The node to prefer: as asked for, or the one this thread runs on. -1: a kernel without NUMA.
int resolve_node(const arena_options& options) noexcept {
    if (options.numa_node >= 0)
        return options.numa_node;
    const os::outcome local = os::system().current_node();
    return local ? static_cast<int>(local.value()) : -1;
}

chunk_plan plan_data(const arena_options& options, bool lock) noexcept {
    return {.pages = page_kind::base, // until build_data knows better
            .pages_are_required = options.pages != page_kind::automatic,
            .lock = lock,
            .on_fork = options.on_fork,
            .core_dump = options.core_dump,
            .numa_node = resolve_node(options),
            .node_is_required = options.numa_node >= 0,
            .name = options.name};
}

chunk_plan plan_bookkeeping(const chunk_plan& data) noexcept {
    chunk_plan plan = data;
    if (data.on_fork == fork_policy::inherit)
        plan.on_fork = fork_policy::wipe; // see arena_state
    return plan;
}

/// Whether automatic pages come from the pool of reserved huge pages: if it has enough for growth
/// too, because growth keeps to the kind that was settled on.
bool can_use_reserved_huge_pages(const arena_options& options) noexcept {
    constexpr std::size_t page = reserved_huge_page_size(page_kind::huge_2M);
    const std::size_t most = std::max(options.capacity, options.max_capacity);
    return options.pages == page_kind::automatic && options.on_fork == fork_policy::exclude &&
           options.capacity % page == 0 && most % page == 0 &&
           os::free_reserved_huge_pages(page) >= most / page;
}

bool failed_to_lock(const error& failure) noexcept {
    return failure.cause() == cause::memlock_limit || failure.cause() == cause::not_permitted ||
           failure.operation() == operation::lock;
}

/// Refused before anything is mapped, for the whole arena at once: the chunks would find out only
/// one after the other.
os::refusal refuse_headroom(const arena_options& options, bool lock) noexcept {
    const std::size_t bookkeeping = bookkeeping_for(options.capacity, options.max_capacity);
    // Reserved huge pages are charged neither to the limit nor to a cgroup.
    const bool huge =
        reserved_huge_page_size(options.pages) != 0 || can_use_reserved_huge_pages(options);
    const std::size_t bytes = bookkeeping + (huge ? 0 : options.capacity);
    return os::check_headroom(lock ? bytes : 0, bytes);
}

std::optional<error> reserve(const reservation_plan& plan, const char* name, reservation& made) {
    const os::outcome reserved = reservation::make(plan, made);
    if (reserved)
        return std::nullopt;
    return os::make_error(operation::reserve, reserved.error_number(), plan.size, name,
                          plan.huge_page_size);
}

error not_resident_error(const arena_proof& proof, const char* name) noexcept {
    error_details details = os::make_error(operation::verify, 0, proof.size, name).details();
    details.cause = cause::not_resident;
    std::snprintf(details.reason.data(), details.reason.size(),
                  "of %zu bytes %zu are in RAM and %zu locked, and writing made %llu faults",
                  proof.size, proof.rss, proof.locked,
                  static_cast<unsigned long long>(proof.write_faults));
    return error(details);
}

} // namespace

void arena_part::drop_holds(std::size_t bytes) noexcept {
    if (holds != 0)
        os::locked_pages().drop(address_of(range.begin()), bytes, holds);
    holds = 0;
}

arena_state::arena_state(arena_part&& bookkeeping, arena_part&& data,
                         const arena_options& options) noexcept
    : locked_(data.plan.lock), pages_(data.plan.pages), node_plus_1_(data.plan.numa_node + 1),
      max_capacity_(std::max(options.capacity, options.max_capacity)),
      bookkeeping_(std::move(bookkeeping)), data_(std::move(data)),
      runs_(data_.range.begin(), granules_of(options.capacity), granules_of(max_capacity_),
            name_.data()) {
    std::snprintf(name_.data(), name_.size(), "%s", options.name);
    data_.plan.name = bookkeeping_.plan.name = name_.data();
}

result<arena_state*> arena_state::build(const arena_options& options) {
    // Cut once and for all: a chunk that is named otherwise than its neighbour does not merge.
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "%s", options.name == nullptr ? "" : options.name);
    arena_options named = options;
    named.name = name.data();
    if (auto refused = refuse_options(named))
        return *refused;
    result<arena_state*> built = build_once(named, options.lock != lock_policy::off);
    if (built || options.lock != lock_policy::best_effort || !failed_to_lock(built.error()))
        return built;
    const error why = built.error();
    result<arena_state*> unlocked = build_once(named, false);
    if (!unlocked)
        return unlocked;
    (*unlocked)->degradation_.reset(new (std::nothrow) error(why));
    if ((*unlocked)->degradation() != nullptr)
        return unlocked;
    destroy(*unlocked); // not even room for the reason: then it cannot be queried, and must be told
    return why;
}

result<arena_state*> arena_state::build_once(const arena_options& options, bool lock) {
    const os::refusal refusal = refuse_headroom(options, lock);
    if (refusal.refused)
        return os::make_refusal_error(refusal, options.name);

    arena_part data{.range = {}, .plan = plan_data(options, lock)};
    arena_part bookkeeping{.range = {}, .plan = plan_bookkeeping(data.plan)};
    const std::size_t page = os::page_size();
    const std::size_t most = std::max(options.capacity, options.max_capacity);
    if (auto failed =
            reserve({.size = bookkeeping_for(most, most), .guard = page, .alignment = page},
                    options.name, bookkeeping.range))
        return *failed;
    std::byte* home = bookkeeping.range.begin();
    chunk records(home, bookkeeping_for(options.capacity, most), bookkeeping.plan);
    if (auto failed = records.make_resident({}))
        return *failed;

    auto progress = options.progress; // copied before anything is kept: it may throw
    if (auto failed = build_data(options, data))
        return *failed;
    bookkeeping.keep(records);
    auto* state = new (home) arena_state(std::move(bookkeeping), std::move(data), options);
    state->progress_ = std::move(progress);
    // From here on destroy() undoes everything.
    auto failed = state->prove_as_built();
    if (!failed)
        failed = state->start_grower(options.growth);
    if (!failed)
        return state;
    destroy(state);
    return *failed;
}

std::optional<error> arena_state::build_data(const arena_options& options, arena_part& data) {
    if (options.pages != page_kind::automatic)
        return build_data_of(options, options.pages, data);
    if (can_use_reserved_huge_pages(options) && !build_data_of(options, page_kind::huge_2M, data))
        return std::nullopt;
    return build_data_of(options, page_kind::transparent_huge, data);
}

std::optional<error> arena_state::build_data_of(const arena_options& options, page_kind pages,
                                                arena_part& data) {
    const std::size_t huge_page = reserved_huge_page_size(pages);
    reservation range;
    if (auto failed = reserve({.size = std::max(options.capacity, options.max_capacity),
                               .guard = std::max(huge_page, os::page_size()),
                               .alignment = data_unit(pages),
                               .huge_page_size = huge_page},
                              options.name, range))
        return failed;
    chunk_progress progress;
    if (options.progress)
        progress = [&options](std::size_t populated) {
            options.progress({populated, options.capacity});
        };
    data.plan.pages = pages;
    chunk made(range.begin(), options.capacity, data.plan);
    if (auto failed = made.make_resident(progress))
        return failed;
    if (!made.is_bound())
        data.plan.numa_node = -1;
    data.keep(made);
    data.range = std::move(range);
    return std::nullopt;
}

std::optional<error> arena_state::prove_as_built() noexcept {
    const result<arena_proof> proof = verify();
    // Without /proc, or not allowed to read it (after setuid): each chunk has been proved by
    // writing; verify() says that it cannot say more.
    if (!proof)
        return std::nullopt;
    // Transparent huge pages are a wish: what came of it, smaps tells.
    if (pages_ == page_kind::transparent_huge && proof->huge == 0)
        pages_ = page_kind::base;
    const bool in_ram = proof->rss == proof->size;
    const bool pinned = !locked_ || proof->locked == proof->size;
    // Under `inherit` a fork of another thread makes faults at any time.
    if (proof->resident || (in_ram && pinned && data_.plan.on_fork == fork_policy::inherit))
        return std::nullopt;
    return not_resident_error(*proof, name());
}

std::optional<error> arena_state::start_grower(const background_growth& growth) noexcept {
    if (growth.keep_free == 0)
        return std::nullopt;
    grower_.emplace(*this, growth);
    const os::outcome started = grower_->start();
    if (started)
        return std::nullopt;
    grower_.reset();
    return os::make_error(operation::start_thread, started.error_number(), 0, name());
}

void arena_state::destroy(arena_state* doomed) noexcept {
    doomed->grower_.reset();
    const std::size_t capacity = doomed->capacity();
    doomed->data_.drop_holds(capacity);
    doomed->bookkeeping_.drop_holds(bookkeeping_for(capacity, doomed->max_capacity_));
    // The state lies in what it owns: take the ownership out before the state ends.
    const reservation data = std::move(doomed->data_.range);
    const reservation home = std::move(doomed->bookkeeping_.range);
    doomed->~arena_state();
}

} // namespace resident::detail
