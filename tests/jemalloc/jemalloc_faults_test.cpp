// Concerns: after set-up no call makes a page fault, the first use of any memory included, nor a
// system call, and nothing more is locked. How many instructions calls take: measured, not bounded.
// Plan: faults counted on a locked arena while everything comes and goes; the same in a child under
// strict seccomp, where any system call but read, write and exit is death. Code is touched first,
// by another resource. Instructions are counted one by one, and told; jemalloc's version decides
// them, so none is a golden figure.
//
// RESIDENT_JEMALLOC_CALLS=3000 counts so many pairs of calls, and a refusal among so many extents;
// by default few, because each instruction is a stop.

#include <resident/jemalloc_resource.hpp>
#include <resident/resident.hpp>

#include "support/build.hpp"
#include "support/child.hpp"
#include "support/counted_calls.hpp"
#include "support/golden.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <vector>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

/// Slabs, extents and all of them at random, in phases, with its memory in an array of its own.
class mixture {
public:
    explicit mixture(jemalloc_resource& heap) : heap_(heap) {}

    void run(int count) {
        for (int i = 0; i < count; ++i) {
            constexpr std::array largest = {200u, 3000u, 20'000u, 150'000u};
            const std::uint32_t phase = random() % 4096 == 0 ? ++phase_ : phase_;
            block& chosen = blocks_[random() % blocks_.size()];
            if (chosen.address != nullptr) {
                heap_.deallocate(chosen.address, chosen.bytes);
                chosen.address = nullptr;
                continue;
            }
            chosen.bytes = 1 + random() % largest[phase % largest.size()];
            chosen.address = heap_.try_allocate(chosen.bytes, std::size_t{1} << random() % 8);
            if (chosen.address != nullptr)
                std::memset(chosen.address, 1, chosen.bytes);
        }
        for (block& each : blocks_) {
            if (each.address != nullptr)
                heap_.deallocate(each.address);
            each.address = nullptr;
        }
    }

private:
    struct block {
        void* address = nullptr;
        std::size_t bytes = 0;
    };
    std::uint32_t random() { // xorshift: no table that could fault
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        return state_;
    }

    jemalloc_resource& heap_;
    std::array<block, 512> blocks_{};
    std::uint32_t state_ = 1;
    std::uint32_t phase_ = 0;
};

constexpr int operations = test::sanitized ? 50'000 : 500'000;

TEST(Serial_jemalloc_faults, steady_state_makes_none_and_locks_nothing_more) {
    arena memory{{.capacity = 16_MiB}};
    jemalloc_resource heap{memory};
    mixture mixed(heap);
    mixed.run(10'000); // code, and the stack
    const std::size_t locked = test::vm_locked_bytes();
    const fault_counter counter;
    mixed.run(operations);
    const faults counted = counter.count();
    std::cout << operations << " operations: " << counted << '\n';
    EXPECT_EQ(counted.major, 0u);
    EXPECT_LE(counted.minor, test::runtime_faults(1000));
    EXPECT_EQ(test::vm_locked_bytes(), locked);
    EXPECT_GT(heap.statistics().failures, 0u); // it was exhausted, too
}

TEST(Serial_jemalloc_faults, the_first_use_of_memory_makes_none) {
    arena small{{.capacity = 16_MiB}};
    arena memory{{.capacity = 32_MiB}};
    jemalloc_resource heap{memory};
    {
        jemalloc_resource other{small};
        mixture(other).run(10'000); // code, and the stack
    }
    std::vector<void*> blocks(4096);
    const fault_counter counter;
    std::size_t count = 0;
    while (void* const block = heap.try_allocate(12'000)) {
        std::memset(block, 1, 12'000);
        blocks[count++] = block;
    }
    const faults counted = counter.count();
    EXPECT_GT(count, 2000u);
    EXPECT_EQ(counted.major, 0u);
    EXPECT_LE(counted.minor, test::runtime_faults(1000));
}

TEST(jemalloc_under_seccomp, mixed_operations_make_no_system_call) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime makes system calls";
    constexpr int survived = 42;
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 8_MiB}};
        jemalloc_resource heap{memory};
        mixture mixed(heap);
        mixed.run(10'000);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(1);
        mixed.run(operations);
        const bool well = heap.statistics().in_use == 0 && heap.statistics().failures > 0;
        heap.trim();
        heap.release();
        syscall(SYS_exit, well ? survived : 1);
    });
    EXPECT_EQ(child.signal, 0);
    EXPECT_EQ(child.exit_status, survived) << child.output;
}

class Serial_jemalloc_instructions : public test::golden_test {};

int calls() {
    const char* const asked = std::getenv("RESIDENT_JEMALLOC_CALLS");
    return asked != nullptr ? std::atoi(asked) : 120;
}

void tell(const os::instruction_counts& counts) {
    for (const os::call_counts& each : counts.labels)
        std::printf("%-28s %8zu calls: median %u, p99 %u, max %u instructions\n",
                    each.label.c_str(), each.calls(), each.median(), each.p99(), each.max());
}

TEST_F(Serial_jemalloc_instructions, of_a_log_mix) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        arena memory{{.capacity = 32_MiB, .lock = lock_policy::off}};
        jemalloc_resource heap{memory};
        std::minstd_rand random(1);
        std::vector<std::pair<void*, std::size_t>> live;
        std::string phase = "fresh, ";
        const auto allocate = [&] {
            const std::size_t bytes = 1 + random() % (std::size_t{16} << random() % 11);
            void* const block = stepper.measure(phase + "allocate", std::to_string(bytes), [&] {
                return heap.try_allocate(os::opaque(bytes));
            });
            ASSERT_NE(block, nullptr);
            live.emplace_back(block, bytes);
        };
        for (int i = 0; i < calls() / 4; ++i)
            allocate();
        phase = "warm, ";
        for (int i = 0; i < calls(); ++i) {
            std::swap(live[random() % live.size()], live.back());
            stepper.measure(phase + "deallocate", std::to_string(live.back().second),
                            [&] { heap.deallocate(os::opaque(live.back().first)); });
            live.pop_back();
            allocate();
        }
    });
    if (!counts.refused.empty())
        GTEST_SKIP() << counts.refused;
    ASSERT_EQ(counts.failure, "");
    tell(counts);
    EXPECT_EQ(counts["warm, allocate"].calls(), static_cast<std::size_t>(calls()));
}

/// The instructions of a request that is refused, when `count` free extents lie between blocks.
std::uint32_t instructions_of_a_refusal(std::size_t count) {
    const auto counts = test::count_instructions([count](os::stepper& stepper) {
        arena memory{{.capacity = 128_MiB, .lock = lock_policy::off}};
        jemalloc_resource heap{memory};
        std::vector<void*> blocks(2 * count);
        for (void*& each : blocks)
            each = heap.try_allocate(16_KiB);
        for (std::size_t i = 0; i < blocks.size(); i += 2)
            heap.deallocate(blocks[i], 16_KiB);
        void* const refused =
            stepper.measure("refused, " + std::to_string(count) + " free", "",
                            [&] { return heap.try_allocate(os::opaque(120_MiB)); });
        EXPECT_EQ(refused, nullptr);
    });
    EXPECT_EQ(counts.failure, "");
    if (counts.labels.empty())
        return 0;
    tell(counts);
    return counts.labels[0].max();
}

// Why no bound can be promised: the evidence that docs/jemalloc.md quotes.
TEST_F(Serial_jemalloc_instructions, of_a_refusal_grow_with_the_free_extents) {
    const auto most = static_cast<std::size_t>(calls()) / 2;
    const std::uint32_t few = instructions_of_a_refusal(most / 6);
    const std::uint32_t many = instructions_of_a_refusal(most);
    if (few == 0)
        GTEST_SKIP() << "instructions cannot be counted here";
    EXPECT_GT(many, 3 * few);
}

} // namespace
} // namespace resident
