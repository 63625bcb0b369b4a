#include "support/shared_arena.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace resident::bench {

namespace {

/// 400 000 blocks of 520 bytes are 208 MB; a pool with classes of powers of two needs half as much
/// again, and grows in large steps.
std::size_t shared_capacity = 512_MiB;

bool shared_is_locked = true;

bool is_built = false;

} // namespace

arena& shared_arena() {
    static arena shared = [] {
        try {
            return arena{{.capacity = shared_capacity,
                          .pages = shared_is_locked ? page_kind::automatic : page_kind::base,
                          .lock = shared_is_locked ? lock_policy::best_effort : lock_policy::off,
                          .name = "resident benchmarks"}};
        } catch (const error& failure) {
            std::fprintf(stderr, "%s\n", failure.what());
            std::exit(1);
        }
    }();
    is_built = true;
    return shared;
}

void set_shared_arena_capacity(std::size_t bytes) noexcept { shared_capacity = bytes; }

void set_shared_arena_unlocked() noexcept { shared_is_locked = false; }

std::string describe_shared_arena() {
    if (!is_built) {
        return {};
    }
    const arena& shared = shared_arena();
    return fmt::format("{} MiB, {}, pages: {}", shared.statistics().capacity >> 20,
                       shared.locked() ? "locked" : "NOT LOCKED (see ulimit -l)",
                       to_string(shared.pages()));
}

arena_run::arena_run() {
    arena& whole = shared_arena();
    const std::size_t bytes = whole.statistics().largest_free_run;
    memory_ = {static_cast<std::byte*>(whole.allocate(bytes)), bytes};
}

arena_run::~arena_run() { shared_arena().deallocate_run(memory_.data()); }

} // namespace resident::bench
