// Concerns: a fork never makes the parent fault on an arena under exclude and wipe; the child finds
// what fork_policy documents; posix_spawn disturbs nothing; destroying an arena in the child is
// harmless.
// Plan: a thread writes to every page of an arena while the main thread forks in a loop, faults
// counted in that thread; `inherit` is the control, where the same loop must count faults.

#include <resident/resident.hpp>

#include "support/build.hpp"
#include "support/child.hpp"
#include "support/process_state.hpp"
#include "support/touching.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

/// Writes to every page of a range, round after round, until told to stop.
class writing_thread {
public:
    explicit writing_thread(std::span<std::byte> memory)
        : thread_([this, memory] { run(memory); }) {
        while (rounds_ == 0)
            std::this_thread::yield();
    }
    /// Returns: the faults that writing made, after at least one more round over everything.
    faults stop() {
        const unsigned now = rounds_;
        while (rounds_ < now + 2)
            std::this_thread::yield();
        stop_ = true;
        thread_.join();
        return counted_;
    }

private:
    void run(std::span<std::byte> memory) {
        (void)prepare_this_thread({.stack = 64_KiB});
        sweep(memory);
        const fault_counter counter;
        while (!stop_)
            sweep(memory);
        counted_ = counter.count();
    }
    void sweep(std::span<std::byte> memory) {
        test::write_faults(memory.data(), memory.size());
        ++rounds_;
    }

    std::atomic<unsigned> rounds_{0};
    std::atomic<bool> stop_{false};
    faults counted_;
    std::thread thread_;
};

void fork_and_wait(int times) {
    for (int i = 0; i < times; ++i) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0)
            _exit(0);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
    }
}

/// What else the writing thread touches and a fork makes it copy: its counters and those of an
/// instrumented build, a few pages; under sanitizers their shadow too. The arena has 1024 pages,
/// and an_arena_alone_makes_exactly_no_fault counts those alone.
constexpr std::uint64_t own_pages_a_fork = 32 + test::runtime_faults(400);
constexpr int forks = 20;

class arena_fork : public testing::TestWithParam<fork_policy> {};

TEST_P(arena_fork, makes_no_fault_in_the_parent) {
    arena memory{{.capacity = 4_MiB, .pages = page_kind::base, .on_fork = GetParam()}};
    writing_thread writer(memory.memory());
    fork_and_wait(forks);
    const faults counted = writer.stop();
    EXPECT_EQ(counted.major, 0u);
    EXPECT_LE(counted.minor, forks * own_pages_a_fork);
    EXPECT_TRUE(memory.verify()->resident);
}
INSTANTIATE_TEST_SUITE_P(policies, arena_fork,
                         testing::Values(fork_policy::exclude, fork_policy::wipe),
                         [](const auto& each) { return to_string(each.param); });

TEST(arena_fork, the_control_inherit_does_fault) {
    arena memory{{.capacity = 4_MiB, .pages = page_kind::base, .on_fork = fork_policy::inherit}};
    writing_thread writer(memory.memory());
    fork_and_wait(forks);
    EXPECT_GT(writer.stop().minor, 4_MiB / 4_KiB);
    fork_and_wait(1);
    // The first write pass takes the copies that are due, and says so; then there are none.
    EXPECT_GE(memory.verify()->write_faults, 4_MiB / 4_KiB);
    EXPECT_TRUE(memory.verify()->resident);
}

TEST(arena_fork, an_arena_alone_makes_exactly_no_fault) {
    // Without a second thread, whose own pages would count: fork, then write.
    for (const fork_policy policy : {fork_policy::exclude, fork_policy::wipe}) {
        arena memory{{.capacity = 4_MiB, .on_fork = policy}};
        const auto range = memory.memory();
        void* run = memory.try_allocate(1_MiB);
        for (int i = 0; i < 5; ++i) {
            fork_and_wait(1);
            const auto proof = memory.verify();
            EXPECT_TRUE(proof->resident);
            EXPECT_LE(proof->write_faults, test::runtime_faults(100));
        }
        memory.deallocate_run(run);
        EXPECT_EQ(range.size(), 4_MiB);
    }
}

TEST(arena_fork, posix_spawn_makes_no_fault) {
    arena memory{{.capacity = 4_MiB, .pages = page_kind::base}};
    writing_thread writer(memory.memory());
    for (int i = 0; i < forks; ++i) {
        pid_t child = 0;
        char name[] = "true";
        char* arguments[] = {name, nullptr};
        ASSERT_EQ(posix_spawnp(&child, name, nullptr, nullptr, arguments, environ), 0);
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    const faults counted = writer.stop();
    EXPECT_EQ(counted.major, 0u);
    EXPECT_LE(counted.minor, test::runtime_faults(forks * 400));
}

TEST(arena_fork, exclude_leaves_the_child_nothing) {
    if (test::sanitized)
        GTEST_SKIP() << "the sanitizer's runtime takes over SIGSEGV";
    arena memory{{.capacity = 1_MiB, .on_fork = fork_policy::exclude}};
    volatile std::byte* byte = memory.memory().data();
    const auto child = test::run_in_child({}, [byte] { *byte = std::byte{1}; });
    EXPECT_EQ(child.signal, SIGSEGV);
}

TEST(arena_fork, wipe_leaves_the_child_zeros_and_an_arena_that_refuses) {
    arena memory{{.capacity = 1_MiB, .on_fork = fork_policy::wipe}};
    void* run = memory.allocate(10'000);
    std::memset(run, 42, 10'000);
    const auto child = test::run_in_child({}, [&memory, run] {
        EXPECT_EQ(static_cast<unsigned char*>(run)[5000], 0);
        EXPECT_EQ(memory.try_allocate(1), nullptr);
        memory.deallocate(run, 10'000); // as the destructors of its containers will
        EXPECT_EQ(memory.statistics().capacity, 0u);
        EXPECT_EQ(memory.try_grow(2_MiB).has_value(), true);
        EXPECT_FALSE(memory.verify()->resident);
        EXPECT_FALSE(memory.owns(run));
        EXPECT_STREQ(memory.name(), "");
        EXPECT_EQ(memory.check(), nullptr);
    });
    EXPECT_TRUE(child.passed()) << child.output;
    EXPECT_EQ(static_cast<unsigned char*>(run)[5000], 42);
}

TEST(arena_fork, inherit_leaves_the_child_a_copy_to_read_and_an_arena_that_refuses) {
    arena memory{{.capacity = 1_MiB, .on_fork = fork_policy::inherit}};
    auto* run = static_cast<unsigned char*>(memory.allocate(10'000));
    std::memset(run, 42, 10'000);
    const auto child = test::run_in_child({}, [&memory, run] {
        EXPECT_EQ(run[5000], 42);
        run[5000] = 43;
        EXPECT_EQ(memory.try_allocate(1), nullptr);
        memory.deallocate(run, 10'000);
        EXPECT_FALSE(memory.locked());
        EXPECT_EQ(memory.statistics().locked, 0u);
        EXPECT_EQ(test::vm_locked_bytes(), 0u);
    });
    EXPECT_TRUE(child.passed()) << child.output;
    EXPECT_EQ(run[5000], 42);
}

TEST(arena_fork, while_another_thread_allocates_and_verifies) {
    // The child inherits every mutex as it was at the fork: held, now and then.
    for (const fork_policy policy : {fork_policy::wipe, fork_policy::inherit}) {
        arena memory{{.capacity = 1_MiB, .on_fork = policy}};
        std::atomic<bool> stop{false};
        std::thread allocating([&] {
            while (!stop)
                if (void* run = memory.try_allocate(100))
                    memory.deallocate_run(run);
        });
        std::thread verifying([&] {
            while (!stop)
                (void)memory.verify();
        });
        for (int i = 0; i < 100; ++i) {
            const pid_t child = fork();
            ASSERT_GE(child, 0);
            if (child == 0) {
                const bool refuses = memory.try_allocate(1) == nullptr;
                const bool verifies = memory.verify().has_value();
                _exit(refuses && verifies ? 0 : 1);
            }
            int status = -1;
            ASSERT_EQ(waitpid(child, &status, 0), child);
            ASSERT_EQ(status, 0) << to_string(policy);
        }
        stop = true;
        allocating.join();
        verifying.join();
    }
}

TEST(arena_fork, destroying_the_arena_in_the_child_is_harmless) {
    for (const fork_policy policy :
         {fork_policy::exclude, fork_policy::wipe, fork_policy::inherit}) {
        auto memory = std::make_unique<arena>(arena_options{.capacity = 1_MiB,
                                                            .max_capacity = 8_MiB,
                                                            .on_fork = policy,
                                                            .growth = {.keep_free = 512_KiB}});
        const auto child = test::run_in_child({}, [&memory] { memory.reset(); });
        EXPECT_TRUE(child.passed()) << to_string(policy) << '\n' << child.output;
        if (policy == fork_policy::inherit) {
            EXPECT_GT(memory->verify()->write_faults, 0u); // copies were due; now they are made
        }
        EXPECT_TRUE(memory->verify()->resident);
    }
}

TEST(arena_fork, the_child_can_build_an_arena_of_its_own) {
    const arena memory{{.capacity = 1_MiB}};
    const auto child = test::run_in_child({}, [] {
        const arena own{{.capacity = 1_MiB}};
        EXPECT_TRUE(own.verify()->resident);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

} // namespace
} // namespace resident
