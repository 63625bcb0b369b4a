/// The instructions of some of the calls of a trace.
#pragma once

#include "os/harness/instruction_counter.hpp"
#include "replay/block_sources.hpp"
#include "replay/executor.hpp"
#include "replay/operation.hpp"

#include <algorithm>
#include <cstdint>

namespace resident::replay {

/// Which calls of one kind are counted: one of each stretch of equally many, at a place in it that
/// differs, so that no rhythm of the program is met or missed.
class sample_plan {
public:
    sample_plan() = default;
    /// The behavior is undefined unless `wanted` is above 0.
    sample_plan(std::uint64_t calls, std::uint64_t wanted) noexcept
        : stretch_(std::max<std::uint64_t>(calls / wanted, 1)) {
        choose();
    }

    /// Whether the next call is one of them.
    bool next() noexcept {
        const bool chosen = place_ == chosen_;
        if (++place_ == stretch_) {
            place_ = 0;
            choose();
        }
        return chosen;
    }

private:
    void choose() noexcept {
        random_ = random_ * 6364136223846793005U + 1442695040888963407U; // Knuth's generator
        chosen_ = (random_ >> 33) % stretch_;
    }

    std::uint64_t stretch_ = 1;
    std::uint64_t place_ = 0;
    std::uint64_t chosen_ = 0;
    std::uint64_t random_ = 1;
};

/// Labels for os::instruction_counts.
inline constexpr const char* allocate_label = "allocate";
inline constexpr const char* free_label = "free";

/// Runs chunk after chunk on one thread, in the order of the trace, and single-steps the calls that
/// the plans choose. Reallocations are not counted: most of theirs is copying.
template <class Source>
class sampler {
public:
    sampler(Source& source, const workplace& where, os::stepper& stepper,
            const sample_plan& allocations, const sample_plan& frees)
        : source_(source), where_(where), stepper_(stepper), allocations_(allocations),
          frees_(frees) {}

    /// Effects: executes the first `count` operations, whose events count from `first_event`, up to
    /// one that is refused. Returns: that one, if there is one.
    finding run(std::uint32_t count, std::uint64_t first_event) {
        for (const operation& now : where_.operations.first(count)) {
            block_slot& slot = where_.slots[now.slot];
            switch (now.kind) {
            case action::allocate:
                if (!take_in(slot, now, allocate(now)))
                    return refusal_of(now, first_event + now.event);
                break;
            case action::free:
                free(slot);
                break;
            case action::reallocate:
                if (!take_in(slot, now,
                             source_.reallocate(slot.block, slot.size, now.size, now.alignment_log2,
                                                slot.alignment_log2)))
                    return refusal_of(now, first_event + now.event);
                break;
            default:
                break; // all on this thread
            }
        }
        return {};
    }

private:
    void* allocate(const operation& now) {
        if (!allocations_.next())
            return source_.allocate(now.size, now.alignment_log2);
        return stepper_.measure(allocate_label, [&] {
            return source_.allocate(os::opaque(now.size), os::opaque(now.alignment_log2));
        });
    }

    void free(block_slot& slot) {
        if (!frees_.next()) {
            source_.deallocate(slot.block, slot.size, slot.alignment_log2);
        } else {
            stepper_.measure(free_label, [&] {
                source_.deallocate(os::opaque(slot.block), os::opaque(slot.size),
                                   os::opaque(slot.alignment_log2));
            });
        }
        slot.block = nullptr;
    }

    static bool take_in(block_slot& slot, const operation& now, void* block) noexcept {
        if (block == nullptr)
            return false;
        slot.block = static_cast<std::byte*>(block);
        slot.size = now.size;
        slot.alignment_log2 = now.alignment_log2;
        if constexpr (Source::gives_memory) {
            if (now.size != 0)
                *slot.block = std::byte{1};
        }
        return true;
    }

    Source& source_;
    const workplace where_;
    os::stepper& stepper_;
    sample_plan allocations_;
    sample_plan frees_;
};

} // namespace resident::replay
