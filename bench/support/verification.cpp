#include "support/verification.hpp"

#include "os/harness/realtime_thread.hpp"
#include "random.hpp"
#include "support/in_child.hpp"
#include "support/shared_arena.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include <malloc.h>

namespace resident::bench {

namespace {

/// The content of a block: eight bytes that its operation and their place decide.
std::uint64_t word_at(std::uint64_t operation, std::size_t place) {
    return random_stream{operation * 0x100000001b3 + place}.next();
}

void fill(void* block, std::size_t bytes, std::uint64_t operation) {
    auto* const to = static_cast<unsigned char*>(block);
    for (std::size_t at = 0; at < bytes; at += sizeof(std::uint64_t)) {
        const std::uint64_t word = word_at(operation, at);
        std::memcpy(to + at, &word, std::min(bytes - at, sizeof word));
    }
}

/// The first byte that is not what fill() wrote; `bytes` if there is none.
std::size_t first_difference(const void* block, std::size_t bytes, std::uint64_t operation) {
    std::vector<unsigned char> expected(bytes);
    fill(expected.data(), bytes, operation);
    const auto* const found = static_cast<const unsigned char*>(block);
    return static_cast<std::size_t>(std::mismatch(expected.begin(), expected.end(), found).first -
                                    expected.begin());
}

std::uint32_t size_of(std::uint64_t bits, const log_sizes& sizes) {
    const auto low = static_cast<std::uint32_t>(bits);
    return low % 128 == 0 ? 16'384 + static_cast<std::uint32_t>(bits >> 32) % 86'016 : sizes(low);
}

struct live_block {
    void* address;
    std::uint32_t bytes;
};

/// One play of the mixture; the operations are counted over all of it.
class player {
public:
    explicit player(const heap_calls& heap) : heap_(heap) {}

    std::string play(const mixture& played) {
        std::string defect;
        while (defect.empty() && blocks_.size() != played.live) {
            blocks_.push_back({});
            defect = allocate(blocks_.back());
        }
        for (std::uint32_t done = 0; defect.empty() && done != played.replacements; ++done) {
            live_block& chosen = blocks_[random_.below(played.live)];
            defect = deallocate(chosen);
            if (defect.empty()) {
                defect = allocate(chosen);
            }
        }
        while (defect.empty() && !blocks_.empty()) {
            std::swap(blocks_[random_.below(static_cast<std::uint32_t>(blocks_.size()))],
                      blocks_.back());
            defect = deallocate(blocks_.back());
            blocks_.pop_back();
        }
        return defect;
    }

private:
    std::string allocate(live_block& into) {
        ++operation_;
        into.bytes = size_of(random_.next(), sizes_);
        into.address = heap_.allocate(into.bytes);
        return told(fmt::format("allocate({})", into.bytes),
                    ledger_.enter(into.address, into.bytes, operation_));
    }
    std::string deallocate(const live_block& block) {
        ++operation_;
        std::string defect =
            told(fmt::format("before deallocate({}, {})", block.address, block.bytes),
                 ledger_.leave(block.address));
        if (defect.empty()) {
            heap_.deallocate(block.address, block.bytes);
        }
        return defect;
    }
    [[nodiscard]] std::string told(const std::string& call, const std::string& defect) const {
        return defect.empty() ? "" : fmt::format("operation {}, {}: {}", operation_, call, defect);
    }

    const heap_calls& heap_;
    log_sizes sizes_{};
    random_stream random_{17};
    block_ledger ledger_;
    std::vector<live_block> blocks_;
    std::uint64_t operation_ = 0;
};

/// What a call throws is a defect, too.
std::string without_exception(const std::function<std::string()>& play) {
    try {
        return play();
    } catch (const std::exception& thrown) {
        return std::string{"threw: "} + thrown.what();
    }
}

/// Begins what is no defect.
constexpr std::string_view not_prepared = "! ";

std::string play_once(const verified_contestant& contestant) {
    if (!contestant.caches_until_thread_ends) {
        return without_exception(contestant.play);
    }
    struct play_on_thread {
        const verified_contestant& contestant;
        std::string defect{};
    } playing{contestant};
    constexpr std::size_t stack = std::size_t{512} << 10;
    // Not std::thread, whose own block one thread allocates and the other frees.
    const std::string refused = os::run_on_thread(
        stack,
        [](void* argument) {
            auto& play = *static_cast<play_on_thread*>(argument);
            play.defect = without_exception(play.contestant.play);
        },
        &playing);
    return refused.empty() ? playing.defect : std::string{not_prepared} + refused;
}

/// Its 2 000 blocks are some 2 MiB; pools grow by large steps.
constexpr std::size_t enough_for_the_mixture = std::size_t{64} << 20;

/// In the child. The text is a verdict: the bytes kept or "-", a blank, and the defect; or "!", a
/// blank, and what was refused.
std::string play_twice(const verified_contestant& contestant) {
    set_shared_arena_capacity(enough_for_the_mixture);
    // A thread's memory must go back to where it is counted.
    mallopt(M_ARENA_MAX, 1);
    if (contestant.prepare != nullptr) {
        if (const std::string refused = contestant.prepare(); !refused.empty()) {
            return std::string{not_prepared} + refused;
        }
    }
    const auto in_use = [&] {
        return contestant.bytes_in_use == nullptr ? std::nullopt : contestant.bytes_in_use();
    };
    std::string kept = "-";
    for (int round = 0; round != 2; ++round) {
        const std::optional<std::size_t> before = in_use();
        if (const std::string defect = play_once(contestant); !defect.empty()) {
            return defect.starts_with(not_prepared) ? defect : "- " + defect;
        }
        const std::optional<std::size_t> after = in_use();
        if (before && after) {
            kept = std::to_string(static_cast<std::int64_t>(*after - *before));
        }
    }
    return kept + " ";
}

} // namespace

std::string block_ledger::enter(void* block, std::size_t bytes, std::uint64_t operation) {
    if (block == nullptr) {
        return "returned null";
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(block);
    if (begin % alignof(std::max_align_t) != 0) {
        return fmt::format("returned {}, which is not aligned to {}", block,
                           alignof(std::max_align_t));
    }
    const auto overlaps = [&](const auto& other) {
        return other.first < begin + bytes && begin < other.first + other.second.bytes;
    };
    const auto next = alive_.lower_bound(begin);
    for (const auto& neighbour : {next, next == alive_.begin() ? alive_.end() : std::prev(next)}) {
        if (neighbour != alive_.end() && overlaps(*neighbour)) {
            return fmt::format("returned {}, in the middle of {} bytes at {:#x} that operation {} "
                               "was given and that are alive",
                               block, neighbour->second.bytes, neighbour->first,
                               neighbour->second.operation);
        }
    }
    alive_.emplace(begin, entry{bytes, operation});
    fill(block, bytes, operation);
    return {};
}

std::string block_ledger::leave(void* block) {
    const auto found = alive_.find(reinterpret_cast<std::uintptr_t>(block));
    const entry left = found->second;
    alive_.erase(found);
    const std::size_t place = first_difference(block, left.bytes, left.operation);
    if (place == left.bytes) {
        return {};
    }
    return fmt::format("byte {} of the {} bytes at {} that operation {} was given is no longer "
                       "what was written",
                       place, left.bytes, block, left.operation);
}

std::string play_mixture(const heap_calls& heap, const mixture& played) {
    return player{heap}.play(played);
}

verdict verify(const verified_contestant& contestant) {
    const auto said = text_from_child([&] { return play_twice(contestant); });
    if (!said.text) {
        return said.crashed ? verdict{.defect = said.failure + " in the verification"}
                            : verdict{.refused = said.failure};
    }
    if (said.text->starts_with(not_prepared)) {
        return {.refused = said.text->substr(not_prepared.size())};
    }
    const std::size_t blank = said.text->find(' ');
    verdict found{.defect = said.text->substr(blank + 1)};
    if (const std::string kept = said.text->substr(0, blank); kept != "-") {
        found.bytes_kept = std::stoll(kept);
        if (*found.bytes_kept != 0) {
            found.defect = fmt::format("{} bytes are not returned after everything was freed and "
                                       "the heap destroyed",
                                       *found.bytes_kept);
        }
    }
    return found;
}

} // namespace resident::bench
