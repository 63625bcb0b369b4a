/// The ways to get memory that is there, one of them in a process of its own.
#pragma once

#include "os/harness/periodic_clock.hpp"
#include "os/harness/realtime_thread.hpp"
#include "os/harness/shared_memory.hpp"
#include "resident/arena.hpp"
#include "resident/fault_counter.hpp"
#include "resident/memory_limit.hpp"
#include "tool/contest_channel.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace resident::bench {

/// What the program and the child that it measures tell each other.
struct start_up_channel {
    std::uint32_t way = 0; ///< index in start_up_ways
    std::uint64_t bytes = 0;
    std::atomic<std::uint64_t> populated{0}; ///< bytes
    std::atomic<bool> done{false};           ///< the rest is complete
    std::int64_t nanoseconds = 0;
    std::int64_t first_use_nanoseconds = 0; ///< of a write to each page afterwards
    std::uint64_t minor_faults = 0;
    std::uint64_t major_faults = 0;
    std::array<char, 32> pages{};    ///< that an arena got
    std::array<char, 32> cause{};    ///< why not, in a word; empty if it is there
    std::array<char, 3072> reason{}; ///< the same in full
};

/// A way that was refused.
struct refusal {
    std::string cause;
    std::string reason;
};

inline void* map_plainly(std::size_t bytes) {
    void* const memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw refusal{"mmap", std::string{"mmap: "} + std::strerror(errno)};
    }
    return memory;
}

inline void lock_plainly(void* memory, std::size_t bytes) {
    if (mlock(memory, bytes) != 0) {
        throw refusal{"mlock", std::string{"mlock: "} + std::strerror(errno)};
    }
}

/// Writes to each page; `channel` learns how far it has come.
inline void write_to_each_page(void* memory, std::size_t bytes, start_up_channel& channel) {
    auto* const place = static_cast<volatile char*>(memory);
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    for (std::size_t offset = 0; offset < bytes; offset += page) {
        place[offset] = 1;
        if (offset % 2_MiB == 0) {
            channel.populated.store(offset, std::memory_order_relaxed);
        }
    }
}

inline void* map_and_touch(std::size_t bytes, start_up_channel& channel) {
    void* const memory = map_plainly(bytes);
    write_to_each_page(memory, bytes, channel);
    return memory;
}

inline void* map_and_lock(std::size_t bytes, start_up_channel&) {
    void* const memory = map_plainly(bytes);
    lock_plainly(memory, bytes);
    return memory;
}

inline void* map_and_lock_huge(std::size_t bytes, start_up_channel&) {
    void* const memory = map_plainly(bytes);
    madvise(memory, bytes, MADV_HUGEPAGE); // without such pages it is map_and_lock
    lock_plainly(memory, bytes);
    return memory;
}

/// Never destroyed: that is not what is measured, and the end of the process does it.
template <page_kind Kind>
void* build_arena(std::size_t bytes, start_up_channel& channel) {
    const auto tell = [&channel](const arena_progress& now) {
        channel.populated.store(now.populated, std::memory_order_relaxed);
    };
    try {
        arena& built = *new arena{
            {.capacity = bytes, .pages = Kind, .name = "start-up benchmark", .progress = tell}};
        tool::copy_text(channel.pages, to_string(built.pages()));
        return built.allocate(bytes);
    } catch (const error& why) {
        throw refusal{to_string(why.cause()), why.what()};
    }
}

/// How to get `bytes` of memory; returns where they are, throws `refusal`.
struct start_up_way {
    std::string_view name; ///< at most 25 characters
    std::string_view what;
    void* (*run)(std::size_t bytes, start_up_channel& channel);
    std::size_t reserved_page = 0; ///< bytes of the huge pages that must be reserved; 0: none
};

inline constexpr std::array<start_up_way, 7> start_up_ways{{
    {.name = "mmap, touch",
     .what = "mmap and a write to each page: populated, but NOT locked",
     .run = map_and_touch},
    {.name = "mmap, mlock", .what = "mmap and mlock", .run = map_and_lock},
    {.name = "mmap, huge, mlock",
     .what = "mmap, MADV_HUGEPAGE and mlock",
     .run = map_and_lock_huge},
    {.name = "resident base",
     .what = "resident::arena of base pages",
     .run = build_arena<page_kind::base>},
    {.name = "resident transparent_huge",
     .what = "resident::arena of transparent huge pages",
     .run = build_arena<page_kind::transparent_huge>},
    {.name = "resident huge_2M",
     .what = "resident::arena of reserved pages of 2 MiB",
     .run = build_arena<page_kind::huge_2M>,
     .reserved_page = 2_MiB},
    {.name = "resident huge_1G",
     .what = "resident::arena of reserved pages of 1 GiB",
     .run = build_arena<page_kind::huge_1G>,
     .reserved_page = 1_GiB},
}};

/// The child: does what the channel at descriptor 3 says, tells how long it took, and ends.
inline int run_start_up_child() {
    std::string unopened;
    const auto shared = os::shared_memory::open(3, unopened);
    if (!shared) {
        return 1;
    }
    auto& channel = *static_cast<start_up_channel*>(shared->data());
    if (const auto allowed = os::allowed_processors(); !allowed.empty()) {
        os::pin_to_processor(allowed.back());
    }
    (void)raise_memory_limit(); // what it does not permit, the way itself tells
    const fault_counter counter;
    const std::int64_t begin = os::monotonic_nanoseconds();
    void* memory = nullptr;
    try {
        memory = start_up_ways[channel.way].run(channel.bytes, channel);
    } catch (const refusal& why) {
        tool::copy_text(channel.cause, why.cause);
        tool::copy_text(channel.reason, why.reason);
    }
    channel.nanoseconds = os::monotonic_nanoseconds() - begin;
    const faults counted = counter.count();
    channel.minor_faults = counted.minor;
    channel.major_faults = counted.major;
    if (memory != nullptr) {
        const std::int64_t first_use = os::monotonic_nanoseconds();
        write_to_each_page(memory, channel.bytes, channel);
        channel.first_use_nanoseconds = os::monotonic_nanoseconds() - first_use;
    }
    channel.done.store(true);
    std::_Exit(0);
}

} // namespace resident::bench
