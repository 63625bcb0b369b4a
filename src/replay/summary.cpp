#include "replay/summary.hpp"

#include <algorithm>

namespace resident::replay {

bool live_bytes::apply(const operation& now) {
    if (now.kind != action::allocate && now.kind != action::free && now.kind != action::reallocate)
        return false;
    if (now.slot >= sizes_.size())
        sizes_.resize(now.slot + std::size_t{1});
    std::uint64_t& size = sizes_[now.slot];
    bytes_ -= size;
    size = now.kind == action::free ? 0 : now.size;
    bytes_ += size;
    if (now.kind == action::allocate)
        ++blocks_;
    if (now.kind == action::free)
        --blocks_;
    if (bytes_ <= peak_)
        return false;
    peak_ = bytes_;
    return true;
}

namespace {

class counter {
public:
    void count(const chunk& part) {
        for (const operation& now : part.operations.first(part.count)) {
            count(now);
            if (live_.apply(now)) {
                summary_.peak_blocks = live_.blocks();
                summary_.peak_event = part.first_event + now.event;
            }
        }
    }

    trace_summary finish(const decoder& decoded) {
        summary_.events = decoded.events();
        summary_.notes = decoded.notes();
        summary_.most_slots = decoded.most_slots();
        summary_.most_threads = decoded.most_workers();
        summary_.most_threads_event = decoded.most_workers_event();
        if (decoded.most_workers() != 0)
            ++summary_.threads; // the first one begins without an operation
        summary_.peak_bytes = live_.peak();
        summary_.bytes_left = live_.bytes();
        summary_.blocks_left = live_.blocks();
        return summary_;
    }

private:
    void count(const operation& now) {
        switch (now.kind) {
        case action::allocate:
            ++summary_.allocations;
            break;
        case action::free:
            ++summary_.frees;
            break;
        case action::reallocate:
            ++summary_.reallocations;
            break;
        case action::begin_thread:
            ++summary_.threads;
            return;
        default:
            return;
        }
        if (now.kind != action::free)
            summary_.largest_request = std::max(summary_.largest_request, now.size);
    }

    live_bytes live_;
    trace_summary summary_;
};

} // namespace

trace_summary summarize(event_source& events, std::string& failure, chunk_visitor* visitor) {
    std::vector<operation> room(chunk_operations);
    chunk part{.operations = room};
    decoder decoded(events);
    counter counts;
    while (decoded.next(part)) {
        counts.count(part);
        if (visitor != nullptr)
            visitor->visit(part);
    }
    failure = decoded.failure();
    return counts.finish(decoded);
}

} // namespace resident::replay
