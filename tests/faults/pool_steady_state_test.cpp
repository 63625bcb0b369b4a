// Concerns: after set-up, containers on a pool make no page fault, and the pool no system call;
// nothing more is locked either.
// Plan: operations that allocate, on each kind of container, through resident::allocator and
// through std::pmr, faults counted; a million mixed operations of the pool in a child under strict
// seccomp, where any system call but read, write and exit is death.
//
// RESIDENT_STEADY_STATE_OPERATIONS=100000000 runs so many operations on each kind of container; by
// default it is a million, and a tenth of that under a sanitizer.

#include <resident/containers.hpp>
#include <resident/resident.hpp>

#include "support/build.hpp"
#include "support/child.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

std::uint64_t operations() {
    const char* const asked = std::getenv("RESIDENT_STEADY_STATE_OPERATIONS");
    return asked != nullptr ? std::strtoull(asked, nullptr, 10)
                            : (test::sanitized || test::line_counted ? 100'000 : 1'000'000);
}

/// xorshift: no table that could fault.
class random_numbers {
public:
    std::uint32_t operator()() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        return state_;
    }

private:
    std::uint32_t state_ = 1;
};

constexpr std::size_t most_elements = 512;
using record = std::array<char, 512>; // a node of a deque has one of them

// Loads: each operation allocates once or more, and frees as much as it allocates in the long run.

/// For vector and string: one of a few is replaced by another of another length.
template <class Container>
class replacing {
public:
    explicit replacing(unsynchronized_pool_resource& pool) : pool_(pool) {
        for (std::size_t i = 0; i < 16; ++i)
            slots_.emplace_back(&pool_);
    }
    void operate(random_numbers& random) {
        Container fresh(&pool_);
        fresh.resize(32 + random() % 400, 'x'); // longer than what a string holds itself
        slots_[random() % slots_.size()].swap(fresh);
    }

private:
    unsynchronized_pool_resource& pool_;
    std::vector<Container> slots_;
};

/// For deque and list.
template <class Container>
class queueing {
public:
    explicit queueing(unsynchronized_pool_resource& pool) : queue_(&pool) {}
    void operate(random_numbers& random) {
        queue_.emplace_back();
        if (queue_.size() > random() % most_elements)
            queue_.pop_front();
        if (queue_.size() > most_elements)
            queue_.pop_front();
    }

private:
    Container queue_;
};

template <class Container>
class stacking {
public:
    explicit stacking(unsynchronized_pool_resource& pool) : stack_(&pool) {}
    void operate(random_numbers& random) {
        stack_.push_front(random());
        if (++size_ <= most_elements)
            return;
        auto before = stack_.before_begin();
        for (std::uint32_t i = random() % 8; i > 0; --i)
            ++before;
        stack_.erase_after(before);
        --size_;
    }

private:
    Container stack_;
    std::size_t size_ = 0;
};

/// For set and map.
template <class Container>
class sorting {
public:
    explicit sorting(unsynchronized_pool_resource& pool) : sorted_(&pool) {}
    void operate(random_numbers& random) {
        if constexpr (requires { typename Container::mapped_type; })
            sorted_.emplace(random(), 0);
        else
            sorted_.emplace(random());
        if (sorted_.size() <= most_elements)
            return;
        const auto near = sorted_.lower_bound(random());
        sorted_.erase(near == sorted_.end() ? sorted_.begin() : near);
    }

private:
    Container sorted_;
};

template <class Container>
class hashing {
public:
    explicit hashing(unsynchronized_pool_resource& pool) : hashed_(&pool) {}
    void operate(random_numbers& random) {
        hashed_.emplace(random(), 0);
        if (hashed_.size() > most_elements)
            hashed_.erase(hashed_.begin());
        if (random() % 1024 == 0)
            hashed_.rehash(random() % (4 * most_elements));
    }

private:
    Container hashed_;
};

template <class Load>
class pool_steady_state : public testing::Test {};

using number = std::uint32_t;
using loads =
    testing::Types<replacing<vector<char>>, replacing<string>, queueing<deque<record>>,
                   queueing<list<number>>, stacking<forward_list<number>>, sorting<set<number>>,
                   sorting<map<number, number>>, hashing<unordered_map<number, number>>,
                   replacing<std::pmr::vector<char>>, replacing<std::pmr::string>,
                   queueing<std::pmr::deque<record>>, queueing<std::pmr::list<number>>,
                   stacking<std::pmr::forward_list<number>>, sorting<std::pmr::set<number>>,
                   sorting<std::pmr::map<number, number>>,
                   hashing<std::pmr::unordered_map<number, number>>>;

struct names {
    template <class Load>
    static std::string GetName(int index) {
        constexpr std::array kinds = {"vector",       "string", "deque", "list",
                                      "forward_list", "set",    "map",   "unordered_map"};
        const auto at = static_cast<std::size_t>(index);
        return (at < kinds.size() ? "" : "pmr_") + std::string(kinds[at % kinds.size()]);
    }
};
TYPED_TEST_SUITE(pool_steady_state, loads, names);

TYPED_TEST(pool_steady_state, operations_make_no_fault_and_lock_nothing_more) {
    arena memory{{.capacity = 1_MiB}};
    unsynchronized_pool_resource pool{memory};
    random_numbers random;
    TypeParam load(pool);
    const auto run = [&](std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i)
            load.operate(random);
    };
    run(10'000); // code pages and the stack: touched once
    const std::size_t locked = test::vm_locked_bytes();
    const std::uint64_t count = operations();
    const fault_counter counter;
    run(count);
    const faults counted = counter.count();
    std::cout << count << " operations: " << counted << '\n';
    EXPECT_EQ(counted.major, 0u);
    if (!test::sanitized) {
        EXPECT_EQ(counted.minor, 0u);
    }
    EXPECT_EQ(test::vm_locked_bytes(), locked);
    EXPECT_GT(pool.statistics().in_use, 0u);
    EXPECT_EQ(pool.statistics().failures, 0u);
    EXPECT_STREQ(pool.check(), nullptr);
}

/// Everything that a real-time thread may ask of a pool, at random; the sizes change from phase to
/// phase, so that slabs become empty and runs are split and merged.
class mixture {
public:
    explicit mixture(unsynchronized_pool_resource& pool) : pool_(pool) {}

    void run(int count) {
        for (int i = 0; i < count; ++i) {
            const std::uint32_t phase = random_() % 4096 == 0 ? ++phase_ : phase_;
            block& chosen = blocks_[random_() % blocks_.size()];
            if (chosen.address != nullptr)
                free(chosen);
            else
                allocate(chosen, phase);
            if (i % 1024 == 0)
                inspect();
        }
        for (block& each : blocks_)
            if (each.address != nullptr)
                free(each);
    }
    [[nodiscard]] bool went_well() const { return well_; }

private:
    struct block {
        void* address = nullptr;
        std::size_t bytes = 0;
        std::size_t alignment = 1;
    };

    void allocate(block& into, std::uint32_t phase) {
        // Small ones, large ones, runs, and all of them.
        constexpr std::array largest = {200u, 3000u, 20'000u, 150'000u};
        into.bytes = random_() % largest[phase % largest.size()];
        into.alignment = std::size_t{1} << random_() % (random_() % 16 == 0 ? 15 : 5);
        into.address = pool_.try_allocate(into.bytes, into.alignment);
        if (into.address == nullptr)
            return;
        std::memset(into.address, 1, into.bytes);
        well_ &= pool_.owns(into.address) && pool_.usable_size(into.address) >= into.bytes;
    }
    void free(block& freed) {
        if (random_() % 4 == 0)
            pool_.deallocate(freed.address);
        else
            pool_.deallocate(freed.address, freed.bytes, freed.alignment);
        freed.address = nullptr;
    }
    void inspect() {
        const pool_statistics all = pool_.statistics();
        well_ &= all.in_use <= all.held && all.held <= all.peak_held;
        (void)pool_.try_reserve(96, random_() % 64);
    }

    unsynchronized_pool_resource& pool_;
    random_numbers random_;
    std::array<block, 1024> blocks_{};
    std::uint32_t phase_ = 0;
    bool well_ = true;
};

constexpr int mixed_operations = 1'000'000;

TEST(pool_under_seccomp, a_million_mixed_operations_make_no_system_call) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime makes system calls";
    constexpr int survived = 42;
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 2_MiB}};
        unsynchronized_pool_resource pool{memory};
        mixture mixed(pool);
        mixed.run(10'000);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(1);
        mixed.run(mixed_operations);
        const pool_statistics all = pool.statistics();
        const bool well = mixed.went_well() && all.failures > 1000 && all.arena_visits > 10'000 &&
                          all.in_use == 0 && pool.check() == nullptr;
        pool.release();
        syscall(SYS_exit, well ? survived : 1);
    });
    EXPECT_EQ(child.signal, 0);
    EXPECT_EQ(child.exit_status, survived) << child.output;
}

TEST(pool_under_seccomp, a_million_mixed_operations_make_no_fault) {
    arena memory{{.capacity = 2_MiB}};
    unsynchronized_pool_resource pool{memory};
    mixture mixed(pool);
    mixed.run(10'000);
    const fault_counter counter;
    mixed.run(mixed_operations);
    const faults counted = counter.count();
    EXPECT_TRUE(mixed.went_well());
    EXPECT_EQ(counted.major, 0u);
    if (!test::sanitized) {
        EXPECT_EQ(counted.minor, 0u);
    }
    EXPECT_GT(pool.statistics().failures, 1000u);
}

TEST(pool_under_seccomp, the_control_a_pool_whose_upstream_is_malloc_does_make_system_calls) {
    if (test::sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 1_MiB}};
        unsynchronized_pool_resource pool{memory, std::pmr::new_delete_resource()};
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(1);
        void* volatile block = pool.try_allocate(8_MiB);
        syscall(SYS_exit, block == nullptr);
    });
    EXPECT_EQ(child.signal, SIGKILL);
}

} // namespace
} // namespace resident
