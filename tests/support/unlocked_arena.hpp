/// Options of an arena that asks nothing of the machine: base pages, unlocked.
#pragma once

#include <resident/arena_options.hpp>

#include <cstddef>

namespace resident::test {

inline arena_options unlocked(std::size_t capacity) {
    return {.capacity = capacity, .pages = page_kind::base, .lock = lock_policy::off};
}

} // namespace resident::test
