// Building and destroying an arena_state: the cold half of it.
#include "arena/arena_state.hpp"
#include "os/headroom.hpp"
#include "os/huge_page_pool.hpp"
#include "os/lock_registry.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <new>
#include <utility>

namespace resident::detail {

namespace {

chunk_plan plan_for(const arena_options& options, bool lock, page_kind pages) noexcept {
    return {.pages = pages,
            .pages_are_required = options.pages != page_kind::automatic,
            .lock = lock,
            .on_fork = options.on_fork,
            .core_dump = options.core_dump,
            .numa_node = options.numa_node,
            .name = options.name};
}

/// Whether automatic pages come from the pool of reserved huge pages.
bool can_use_reserved_huge_pages(const arena_options& options) noexcept {
    constexpr std::size_t page = reserved_huge_page_size(page_kind::huge_2M);
    return options.pages == page_kind::automatic && options.on_fork != fork_policy::wipe &&
           options.capacity % page == 0 && options.max_capacity % page == 0 &&
           os::free_reserved_huge_pages(page) >= options.capacity / page;
}

bool failed_to_lock(const error& failure) noexcept {
    return failure.cause() == cause::memlock_limit || failure.cause() == cause::not_permitted ||
           failure.operation() == operation::lock;
}

/// Refused before anything is mapped, for the whole arena at once: the chunks would find out only
/// one after the other.
os::refusal refuse_headroom(const arena_options& options, const arena_layout& layout, bool lock) {
    const std::size_t bookkeeping = layout.bookkeeping_for(options.capacity);
    // Reserved huge pages are charged neither to the limit nor to a cgroup.
    const bool huge =
        reserved_huge_page_size(options.pages) != 0 || can_use_reserved_huge_pages(options);
    const std::size_t bytes = bookkeeping + (huge ? 0 : options.capacity);
    return os::check_headroom(lock ? bytes : 0, bytes);
}

} // namespace

arena_state::arena_state(reservation&& range, const arena_layout& layout,
                         const arena_options& options, const obtained_pages& obtained) noexcept
    : runs_(reinterpret_cast<granule_record*>(reinterpret_cast<std::byte*>(this) + records_offset)),
      data_(range.begin() + layout.data()), locked_(obtained.plan.lock), pages_(obtained.kind),
      range_(std::move(range)), layout_(layout), data_plan_(obtained.plan) {
    std::snprintf(name_.data(), name_.size(), "%s", options.name);
    data_plan_.name = name_.data();
    runs_.extend(options.capacity / arena::granule_size);
}

result<arena_state*> arena_state::build(const arena_options& given) {
    arena_options options = given;
    if (options.name == nullptr)
        options.name = "";
    if (auto refused = refuse_options(options))
        return *refused;
    result<arena_state*> built = build_once(options, options.lock != lock_policy::off);
    if (!built && options.lock == lock_policy::best_effort && failed_to_lock(built.error())) {
        const error why = built.error();
        auto unlocked = build_once(options, false);
        if (unlocked)
            (*unlocked)->degradation_.reset(new (std::nothrow) error(why));
        return unlocked;
    }
    return built;
}

result<arena_state*> arena_state::build_once(const arena_options& options, bool lock) {
    const arena_layout layout = make_layout(options, os::page_size());
    const os::refusal refusal = refuse_headroom(options, layout, lock);
    if (refusal.refused)
        return os::make_refusal_error(refusal, options.name);

    reservation range;
    const os::outcome reserved =
        reservation::make(layout.total(), layout.data(), layout.data_alignment, range);
    if (!reserved)
        return os::make_error(operation::reserve, reserved.error_number(), layout.total(),
                              options.name);

    chunk bookkeeping(range.begin() + layout.bookkeeping(),
                      layout.bookkeeping_for(options.capacity),
                      plan_for(options, lock, page_kind::base));
    if (auto failed = bookkeeping.make_resident({}))
        return *failed;
    auto progress = options.progress; // copied before anything is kept: it may throw
    obtained_pages obtained;
    std::byte* data = range.begin() + layout.data();
    if (auto failed = build_data(options, lock, data, obtained))
        return *failed;

    void* home = range.begin() + layout.bookkeeping();
    auto* state = new (home) arena_state(std::move(range), layout, options, obtained);
    bookkeeping.keep();
    state->progress_ = std::move(progress);
    // From here on destroy() undoes everything.
    if (auto failed = state->start_grower(options.growth)) {
        destroy(state);
        return *failed;
    }
    return state;
}

std::optional<error> arena_state::build_data(const arena_options& options, bool lock,
                                             std::byte* data, obtained_pages& obtained) {
    chunk_progress progress;
    if (options.progress)
        progress = [&options](std::size_t populated) {
            options.progress({populated, options.capacity});
        };
    const auto attempt = [&](page_kind pages) {
        obtained.plan = plan_for(options, lock, pages);
        chunk made(data, options.capacity, obtained.plan);
        auto failed = made.make_resident(progress);
        if (failed)
            return failed;
        made.keep();
        // Transparent huge pages are a wish: what came of it, smaps tells.
        const bool in_vain = pages == page_kind::transparent_huge && made.proof().huge == 0;
        obtained.kind = in_vain ? page_kind::base : pages;
        return failed;
    };
    if (options.pages != page_kind::automatic)
        return attempt(options.pages);
    if (can_use_reserved_huge_pages(options) && !attempt(page_kind::huge_2M))
        return std::nullopt;
    return attempt(page_kind::transparent_huge);
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
    const arena_layout layout = doomed->layout_;
    if (doomed->locked_) {
        const auto begin = reinterpret_cast<std::uintptr_t>(doomed->range_.begin());
        os::locked_pages().drop(begin + layout.bookkeeping(), layout.bookkeeping_for(capacity));
        if (doomed->locked_data() != 0)
            os::locked_pages().drop(begin + layout.data(), capacity);
    }
    // The state lies in what it owns: take the ownership out before the state ends.
    const reservation last = std::move(doomed->range_);
    doomed->~arena_state();
}

} // namespace resident::detail
