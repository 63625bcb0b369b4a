/// What a trace comes to, without running it on anything.
#pragma once

#include "replay/decoder.hpp"
#include "replay/operation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace resident::replay {

/// Counts of a whole trace. Bytes are as requested.
struct trace_summary {
    std::uint64_t events = 0; ///< of every kind
    std::uint64_t allocations = 0;
    std::uint64_t frees = 0;
    std::uint64_t reallocations = 0;
    std::uint64_t threads = 0;
    std::uint32_t most_threads = 0;       ///< at once
    std::uint64_t most_threads_event = 0; ///< the first at which there were as many
    std::uint32_t most_slots = 0;         ///< what executing takes
    std::uint64_t peak_bytes = 0;         ///< the most that was in use at once
    std::uint64_t peak_blocks = 0;        ///< in use at that moment
    std::uint64_t peak_event = 0;         ///< the first at which it was
    std::uint64_t largest_request = 0;
    std::uint64_t bytes_left = 0; ///< in use after the last event
    std::uint64_t blocks_left = 0;
    decoding_notes notes{};

    /// Calls that are timed.
    [[nodiscard]] std::uint64_t calls() const noexcept {
        return allocations + frees + reallocations;
    }
};

/// Follows what is in use, chunk by chunk.
class live_bytes {
public:
    /// Effects: takes in one operation. Returns: whether it made a new peak.
    bool apply(const operation& now);
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t blocks() const noexcept { return blocks_; }
    [[nodiscard]] std::uint64_t peak() const noexcept { return peak_; }

private:
    std::vector<std::uint64_t> sizes_; ///< by slot
    std::uint64_t bytes_ = 0;
    std::uint64_t blocks_ = 0;
    std::uint64_t peak_ = 0;
};

/// Is shown each chunk of a trace, in order.
class chunk_visitor {
public:
    virtual void visit(const chunk& part) = 0;

protected:
    ~chunk_visitor() = default;
};

/// Operations that a chunk holds: some milliseconds of work, 4 MiB.
inline constexpr std::uint32_t chunk_operations = 1U << 17;

/// Effects: decodes all of `events`, showing each chunk to `visitor` too, if there is one.
/// Returns: the counts; `failure` is why the trace cannot be decoded, else empty.
[[nodiscard]] trace_summary summarize(event_source& events, std::string& failure,
                                      chunk_visitor* visitor = nullptr);

} // namespace resident::replay
