/// Every contestant, in the order of the tables.
#pragma once

#include "contestants/boost_best_fit.hpp"
#include "contestants/boost_pool.hpp"
#include "contestants/foonathan_pool.hpp"
#include "contestants/glibc_locked.hpp"
#include "contestants/jemalloc_on_arena.hpp"
#include "contestants/malloc_like.hpp"
#include "contestants/reference.hpp"
#include "contestants/resident_pool.hpp"
#include "contestants/std_pool.hpp"

namespace resident::bench {

template <class... C>
struct contestant_list {};

using all_contestants =
    contestant_list<reference, resident_pool, jemalloc, jemalloc_on_arena, mimalloc, tcmalloc,
                    tbbmalloc, glibc, glibc_locked, std_pool_on_arena, std_pool_on_malloc,
                    boost_pool, boost_best_fit, foonathan_pool>;

/// Calls `action.template operator()<C>()` for each contestant C that was found.
template <class Action, class... C>
void for_each_contestant(contestant_list<C...>, Action action) {
    const auto call = [&]<class One>() {
        if constexpr (contestant<One>) {
            action.template operator()<One>();
        }
    };
    (call.template operator()<C>(), ...);
}

} // namespace resident::bench
