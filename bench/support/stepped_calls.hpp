/// The instructions of every call of a contestant, counted exactly.
#pragma once

#include "contestants/contestant.hpp"
#include "os/harness/instruction_counter.hpp"
#include "support/part_file.hpp"
#include "support/verification.hpp"
#include "workloads.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace resident::bench {

struct stepped_amount {
    std::uint32_t live = 10'000;     ///< blocks in the steady state
    std::uint32_t warm_up = 100'000; ///< replacements before it
    std::uint32_t fresh = 500;       ///< calls of each kind that are counted, the first of a heap
    std::uint32_t warm = 1'000;      ///< calls of each kind that are counted in the steady state
    bool leave_out_long_first_calls = false; ///< a million steps take a minute
};

/// The labels of the counts.
inline constexpr std::array<const char*, 4> counted_labels{"allocate", "free", "allocate, fresh",
                                                           "free, fresh"};

/// The same calls for every contestant, with the same sizes in the same order.
template <contestant C>
class stepped_calls {
public:
    stepped_calls(C& heap, os::stepper& stepper, std::uint32_t live)
        : heap_(heap), stepper_(stepper), slots_(live) {}

    void run(const stepped_amount& amount) {
        const std::uint32_t fresh =
            has_long_first_calls && amount.leave_out_long_first_calls ? 0 : amount.fresh;
        for (std::uint32_t call = 0; call != fresh; ++call) {
            count_allocate("allocate, fresh", slots_[call]);
        }
        for (std::uint32_t call = 0; call != fresh; ++call) {
            count_free("free, fresh", slots_[call]);
        }
        for (held_block& each : slots_) {
            allocate(each);
        }
        for (std::uint32_t step = 0; step != amount.warm_up; ++step) {
            held_block& chosen = any();
            heap_.deallocate(chosen.address, chosen.bytes);
            allocate(chosen);
        }
        for (std::uint32_t call = 0; call != amount.warm; ++call) {
            held_block& chosen = any();
            count_free("free", chosen);
            count_allocate("allocate", chosen);
        }
        for (const held_block& each : slots_) {
            heap_.deallocate(each.address, each.bytes);
        }
    }

private:
    static constexpr bool has_long_first_calls = requires { C::first_calls_are_long; };

    held_block& any() { return slots_[random_.below(static_cast<std::uint32_t>(slots_.size()))]; }
    std::uint32_t next_size() { return sizes_(static_cast<std::uint32_t>(random_.next())); }

    void keep(held_block& into, void* block, std::uint32_t bytes) {
        if (block == nullptr) {
            throw std::bad_alloc{};
        }
        touch(block, bytes);
        into = {block, bytes};
    }
    void allocate(held_block& into) {
        const std::uint32_t bytes = next_size();
        keep(into, heap_.allocate(bytes), bytes);
    }
    // Not inline: what the loops around keep in registers is not the contestant's.
    [[gnu::noinline]] void count_allocate(const char* label, held_block& into) {
        const std::uint32_t bytes = next_size();
        C& heap = heap_;
        keep(into,
             stepper_.measure(
                 label, [&heap, bytes] { return heap.allocate(os::opaque(std::size_t{bytes})); }),
             bytes);
    }
    [[gnu::noinline]] void count_free(const char* label, const held_block& block) {
        C& heap = heap_;
        void* const address = block.address;
        const std::size_t bytes = block.bytes;
        stepper_.measure(label, [&heap, address, bytes] {
            heap.deallocate(os::opaque(address), os::opaque(bytes));
        });
    }

    C& heap_;
    os::stepper& stepper_;
    std::vector<held_block> slots_;
    log_sizes sizes_{};
    random_stream random_{23};
};

struct counted_contestant {
    std::string name{};
    std::string what{};
    std::function<verdict()> verify{}; ///< empty for what is no allocator
    std::function<os::instruction_counts(const stepped_amount&)> count{};
};

template <contestant C>
os::instruction_counts count_calls(const stepped_amount& amount) {
    return os::count_instructions([&amount](os::stepper& stepper) {
        if constexpr (requires { C::prepare_process(); }) {
            if (const std::string refused = C::prepare_process(); !refused.empty()) {
                stepper.fail(refused);
                return;
            }
        }
        const auto heap = std::make_unique<C>();
        stepped_calls<C>{*heap, stepper, amount.live}.run(amount);
    });
}

template <contestant C>
counted_contestant counted() {
    counted_contestant made{.name = C::name, .count = count_calls<C>};
    if constexpr (requires { C::what; }) {
        made.what = C::what;
    }
    if constexpr (!requires { C::is_no_allocator; }) {
        made.verify = [] { return verify<C>(); };
    }
    return made;
}

struct counted_result {
    std::string name{};
    std::string what{};
    std::string refused{};  ///< why nothing was counted; empty if it was
    bool is_broken = false; ///< nothing was counted for what no allocator may do
    os::instruction_counts counts{};
};

/// Effects: verifies every contestant, and counts the calls of those that pass. Each has a process
/// of its own, as many at a time as there are processors: what is counted does not depend on it.
std::vector<counted_result> count_all(const std::vector<counted_contestant>& contestants,
                                      const stepped_amount& amount);

/// The table and the curves, without what the program adds.
part_record bounds_part(const std::vector<counted_result>& results);

/// The same for a reader at a terminal.
std::string bounds_text(const std::vector<counted_result>& results);

} // namespace resident::bench
