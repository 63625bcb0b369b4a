/// Events of programs that never ran, and playing them in this process.
#pragma once

#include "replay/decoder.hpp"
#include "replay/executor.hpp"
#include "replay/summary.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

namespace resident::test {

/// Each block has an address of its own.
class made_up_program final : public replay::event_source {
public:
    std::uint64_t allocate(std::uint32_t thread, std::uint64_t size, std::uint64_t alignment = 0) {
        add({.kind = trace::event_kind::allocate,
             .thread = thread,
             .address = fresh_ += 0x100000,
             .size = size,
             .alignment = alignment});
        return fresh_;
    }
    void free(std::uint32_t thread, std::uint64_t address) {
        add({.kind = trace::event_kind::free, .thread = thread, .address = address});
    }
    std::uint64_t reallocate(std::uint32_t thread, std::uint64_t address, std::uint64_t size) {
        add({.kind = trace::event_kind::reallocate,
             .thread = thread,
             .address = fresh_ += 0x100000,
             .old_address = address,
             .size = size});
        return fresh_;
    }
    void begin(std::uint32_t thread) {
        add({.kind = trace::event_kind::thread_begin, .thread = thread});
    }
    void end(std::uint32_t thread) {
        add({.kind = trace::event_kind::thread_end, .thread = thread});
    }
    void add(trace::event what) {
        what.sequence = events.size();
        events.push_back(what);
    }

    bool next(trace::event& event) override {
        if (next_ == events.size())
            return false;
        event = events[next_++];
        return true;
    }
    void rewind() { next_ = 0; }

    std::vector<trace::event> events;

private:
    std::uint64_t fresh_ = 0x7000'0000'0000;
    std::size_t next_ = 0;
};

/// `count` calls or some more: blocks of `threads` threads, which free each other's; all of them
/// are freed at the end if `balanced`.
inline made_up_program busy_program(std::size_t count, std::uint32_t threads, unsigned seed,
                                    bool balanced = false) {
    made_up_program program;
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> live;
    for (std::uint32_t thread = 0; thread < threads; ++thread)
        program.begin(thread);
    while (program.events.size() < count) {
        const auto thread = static_cast<std::uint32_t>(random() % threads);
        const std::uint64_t size = random() % 10 == 0 ? random() % 9000 : random() % 200;
        const unsigned choice = random() % 100;
        if (live.size() < 50 || (choice < 50 && live.size() < 500)) {
            const std::uint64_t alignment = choice < 5 ? std::uint64_t{1} << random() % 14 : 0;
            live.push_back(program.allocate(thread, size, alignment));
            continue;
        }
        std::swap(live[random() % live.size()], live.back());
        if (choice < 90) {
            program.free(thread, live.back());
            live.pop_back();
        } else {
            live.back() = program.reallocate(thread, live.back(), size);
        }
    }
    for (const std::uint64_t block : live) {
        if (balanced)
            program.free(0, block);
    }
    for (std::uint32_t thread = 1; thread < threads; ++thread)
        program.end(thread);
    return program;
}

/// Plays all of it on `source`. Small chunks: every program spans many of them.
template <replay::treatment Treatment = replay::treatment::check, class Source>
replay::execution play(made_up_program& program, Source& source, std::size_t operations = 64) {
    std::string failure;
    program.rewind();
    const replay::trace_summary summary = replay::summarize(program, failure);
    EXPECT_EQ(failure, "");
    std::vector<replay::operation> room(operations);
    // What the tool has in shared memory.
    const std::unique_ptr<replay::block_slot[]> slots(
        new replay::block_slot[summary.most_slots + std::size_t{1}]());
    // In small chunks fewer slots are used: those freed are used again sooner.
    const auto give_up = [](void*, std::string_view why) {
        std::cerr << why << '\n';
        std::abort();
    };
    replay::executor<Source, Treatment> executor(
        source, {.operations = room, .slots = {slots.get(), summary.most_slots}},
        summary.most_threads, give_up, nullptr);
    program.rewind();
    replay::decoder decoder(program);
    replay::chunk part{.operations = room};
    while (decoder.next(part))
        executor.run(part.first, part.first_event);
    EXPECT_LE(decoder.most_slots(), summary.most_slots);
    executor.finish();
    return executor.done();
}

} // namespace resident::test
