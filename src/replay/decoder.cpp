#include "replay/decoder.hpp"

#include "trace/format.hpp"

#include <algorithm>
#include <bit>

namespace resident::replay {
namespace {

/// What one event becomes at most: its thread's begin, a free that was not seen, and itself.
constexpr std::uint32_t most_operations_of_an_event = 3;
/// Plays the part of the thread that is seen first, and begins and ends the others.
constexpr std::uint32_t first_worker = 0;

std::uint8_t logarithm(std::uint64_t alignment) noexcept {
    return alignment == 0 ? malloc_alignment
                          : static_cast<std::uint8_t>(std::countr_zero(alignment));
}

} // namespace

bool decoder::next(chunk& into) {
    begin_chunk(into);
    trace::event event{};
    while (failure_.empty() && into.count + most_operations_of_an_event <= into.operations.size() &&
           events_.next(event)) {
        ++events_seen_;
        take(event);
        if (bytes_ > trace::address_limit)
            failure_ = "event " + std::to_string(events_seen_) + ": blocks of " +
                       std::to_string(bytes_) +
                       " bytes are in use at once, more than any process can have";
    }
    return failure_.empty() && events_seen_ >= into.first_event;
}

void decoder::begin_chunk(chunk& into) {
    into_ = &into;
    into.count = 0;
    into.first_event = events_seen_ + 1;
    for (const std::uint32_t slot : touched_)
        slots_[slot].last = no_operation;
    touched_.clear();
    free_slots_.insert(free_slots_.end(), freed_.begin(), freed_.end());
    freed_.clear();
    std::fill(workers_.begin(), workers_.end(), worker_state{});
    into.first.assign(workers_.size(), no_operation);
}

void decoder::take(const trace::event& event) {
    switch (event.kind) {
    case trace::event_kind::thread_begin:
        worker_of(event.thread);
        break;
    case trace::event_kind::thread_end:
        end_worker(event.thread);
        break;
    case trace::event_kind::allocate:
        allocate(event);
        break;
    case trace::event_kind::free:
        free(event);
        break;
    case trace::event_kind::reallocate:
        reallocate(event);
        break;
    }
}

void decoder::allocate(const trace::event& event) {
    const std::uint32_t worker = worker_of(event.thread);
    if (const auto there = live_.find(event.address); there != live_.end()) {
        ++notes_.implied_frees;
        free_slot(worker, there->second);
        live_.erase(there);
    }
    const std::uint32_t slot = take_slot();
    live_.emplace(event.address, slot);
    resize(slot, event);
    append_on_slot(worker, action::allocate, slot);
}

void decoder::free(const trace::event& event) {
    const auto there = live_.find(event.address);
    if (there == live_.end()) {
        ++notes_.unknown_frees;
        return;
    }
    free_slot(worker_of(event.thread), there->second);
    live_.erase(there);
}

void decoder::free_slot(std::uint32_t worker, std::uint32_t slot) {
    append_on_slot(worker, action::free, slot);
    bytes_ -= slots_[slot].size;
    slots_[slot].size = 0;
    freed_.push_back(slot);
}

void decoder::reallocate(const trace::event& event) {
    const auto there = live_.find(event.old_address);
    if (there == live_.end()) {
        if (event.old_address != 0)
            ++notes_.unknown_reallocations;
        return allocate(event);
    }
    const std::uint32_t worker = worker_of(event.thread);
    const std::uint32_t slot = there->second;
    live_.erase(there);
    if (const auto other = live_.find(event.address); other != live_.end()) {
        ++notes_.implied_frees;
        free_slot(worker, other->second);
        live_.erase(other);
    }
    live_.emplace(event.address, slot);
    resize(slot, event);
    append_on_slot(worker, action::reallocate, slot);
}

/// Gives the slot the size and alignment of a request.
void decoder::resize(std::uint32_t slot, const trace::event& event) {
    slot_state& state = slots_[slot];
    bytes_ += event.size - state.size;
    state.size = event.size;
    state.alignment_log2 = logarithm(event.alignment);
}

std::uint32_t decoder::worker_of(std::uint32_t thread) {
    if (const auto known = worker_by_thread_.find(thread); known != worker_by_thread_.end())
        return known->second;
    std::uint32_t worker = most_workers();
    if (free_workers_.empty()) {
        workers_.emplace_back();
        workers_event_ = events_seen_;
    } else {
        worker = free_workers_.back();
        free_workers_.pop_back();
    }
    worker_by_thread_.emplace(thread, worker);
    if (worker == first_worker) {
        into_->first.resize(1, no_operation);
        return worker;
    }
    const std::uint32_t begin = into_->count;
    operation& made = append(first_worker, action::begin_thread);
    made.slot = no_operation;
    made.worker = worker;
    workers_[worker] = {.last = no_operation, .begin = begin};
    return worker;
}

void decoder::end_worker(std::uint32_t thread) {
    const auto known = worker_by_thread_.find(thread);
    if (known == worker_by_thread_.end() || known->second == first_worker)
        return; // the first one plays on: it begins and ends the others
    const std::uint32_t worker = known->second;
    worker_by_thread_.erase(known);
    append(worker, action::leave);
    append(first_worker, action::end_thread).worker = worker;
    free_workers_.push_back(worker);
}

std::uint32_t decoder::take_slot() {
    if (free_slots_.empty()) {
        slots_.emplace_back();
        return most_slots() - 1;
    }
    const std::uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
}

operation& decoder::append(std::uint32_t worker, action kind) {
    const std::uint32_t index = into_->count++;
    worker_state& state = workers_[worker];
    if (state.last != no_operation) {
        into_->operations[state.last].next = index;
    } else if (state.begin != no_operation) {
        into_->operations[state.begin].slot = index;
    } else {
        into_->first[worker] = index;
    }
    state.last = index;
    operation& made = into_->operations[index];
    made = {.size = 0,
            .slot = 0,
            .next = no_operation,
            .turn = 0,
            .worker = worker,
            .event = static_cast<std::uint32_t>(events_seen_ - into_->first_event),
            .kind = kind,
            .alignment_log2 = malloc_alignment,
            .waits = false,
            .publishes = false};
    return made;
}

void decoder::append_on_slot(std::uint32_t worker, action kind, std::uint32_t slot) {
    const std::uint32_t index = into_->count;
    operation& made = append(worker, kind);
    slot_state& state = slots_[slot];
    made.slot = slot;
    made.size = state.size;
    made.alignment_log2 = state.alignment_log2;
    if (state.last == no_operation) {
        touched_.push_back(slot);
    } else if (operation& before = into_->operations[state.last]; before.worker != worker) {
        before.publishes = true;
        made.waits = true;
        made.turn = ++state.turn;
    }
    state.last = index;
}

} // namespace resident::replay
