/// Run allocators without an arena, and the tests' way into them.
#pragma once

#include "arena/run_allocator.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

namespace resident::detail {

/// The one door into run_allocator's private state.
struct run_allocator_inspector {
    static run_links& granule(run_allocator& runs, std::uint32_t index) {
        return runs.at(runs.granule_link(index));
    }
    static run_links& before(run_allocator& runs) { return (&runs.record(0))[-1]; }
    static run_links& end(run_allocator& runs) { return granule(runs, runs.size()); }
    static run_links& list(run_allocator& runs, std::uint32_t length) {
        return runs.at(run_classes::head_for(length));
    }
    static std::uint32_t link(run_allocator& runs, std::uint32_t index) {
        return static_cast<std::uint32_t>(runs.granule_link(index));
    }
    static auto& class_bits(run_allocator& runs) { return runs.class_bits_; }
    static auto& word_bits(run_allocator& runs) { return runs.word_bits_; }
    static auto& in_use(run_allocator& runs) { return runs.in_use_; }
    static auto& peak(run_allocator& runs) { return runs.peak_in_use_; }
    static auto& runs_in_use(run_allocator& runs) { return runs.runs_in_use_; }
};

using inspect = run_allocator_inspector;

inline constexpr std::uint32_t none = run_allocator::none;

/// An allocator with a table behind it.
struct managed_runs {
    explicit managed_runs(std::uint32_t size, std::uint32_t room = 0)
        : storage(run_allocator::storage_for(std::max(size, room), std::max(size, room)) /
                      sizeof(std::uint64_t) +
                  1),
          runs(*new (storage.data()) run_allocator(std::max(size, room))) {
        if (size != 0)
            runs.extend(size);
    }
    std::uint32_t get(std::uint32_t count) { return runs.allocate(count); }

    std::vector<std::uint64_t> storage;
    run_allocator& runs;
};

} // namespace resident::detail
