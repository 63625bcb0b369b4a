// Concerns: threads that pass blocks to each other through a pool make no page fault and no system
// call, once they have their lanes and slabs.
// Plan: two threads that allocate, free, and free what the other allocated, through a ring without
// locks: under strict seccomp, where any system call but read, write and exit is death; and with
// their faults counted.

#include <resident/fault_counter.hpp>
#include <resident/synchronized_pool_resource.hpp>

#include "support/build.hpp"
#include "support/child.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

constexpr int exchanged = test::sanitized ? 20'000 : 200'000; ///< blocks, each way
constexpr std::array<std::size_t, 4> sizes{64, 256, 1000, 3000};

/// One way between two threads.
class ring {
public:
    bool put(void* block) {
        if (written_ - read_.load(std::memory_order_acquire) == slots_.size())
            return false;
        slots_[written_ % slots_.size()].store(block, std::memory_order_relaxed);
        written_.store(written_ + 1, std::memory_order_release);
        return true;
    }
    void* take() {
        if (read_ == written_.load(std::memory_order_acquire))
            return nullptr;
        void* const block = slots_[read_ % slots_.size()].load(std::memory_order_relaxed);
        read_.store(read_ + 1, std::memory_order_release);
        return block;
    }

private:
    std::array<std::atomic<void*>, 256> slots_{};
    std::atomic<std::size_t> written_{0};
    std::atomic<std::size_t> read_{0};
};

class pair_of_threads {
public:
    explicit pair_of_threads(synchronized_pool_resource& pool) : pool_(pool) {}

    /// One thread's part: `count` blocks to the other, and as many from it.
    void exchange(int which, int count) {
        ring& out = ways_[which];
        ring& in = ways_[1 - which];
        int sent = 0;
        int freed = 0;
        void* waiting = nullptr;
        while (sent < count || freed < count) {
            const std::size_t bytes = sizes[static_cast<std::size_t>(sent / 64) % sizes.size()];
            if (sent < count && waiting == nullptr) {
                waiting = pool_.try_allocate(bytes);
                failed_ = failed_ || waiting == nullptr;
                if (waiting == nullptr)
                    return;
                *static_cast<std::size_t*>(waiting) = bytes;
                pool_.deallocate(pool_.try_allocate(bytes), bytes);
            }
            if (sent < count && out.put(waiting)) {
                waiting = nullptr;
                ++sent;
            }
            if (void* const taken = in.take()) {
                pool_.deallocate(taken, *static_cast<std::size_t*>(taken));
                ++freed;
            }
        }
    }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    synchronized_pool_resource& pool_;
    std::array<ring, 2> ways_;
    std::atomic<bool> failed_{false};
};

/// Each thread has what it will need, whatever the other has in its lists.
void prepare(synchronized_pool_resource& pool) {
    for (const std::size_t bytes : sizes)
        pool.attach_this_thread(bytes, 3000);
}

TEST(lanes_under_seccomp, blocks_passed_between_threads_make_no_system_call) {
    if (test::sanitized)
        GTEST_SKIP() << "a sanitizer's runtime makes system calls";
    constexpr int survived = 42;
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 64_MiB, .lock = lock_policy::off}};
        synchronized_pool_resource pool{memory};
        pair_of_threads pair(pool);
        std::atomic<int> ready{0};
        std::atomic<int> done{0};
        for (int which = 0; which < 2; ++which)
            std::thread([&, which] {
                prepare(pool);
                for (++ready; ready != 2;) {
                }
                if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
                    _exit(1);
                pair.exchange(which, exchanged);
                ++done;
                syscall(SYS_exit, 0);
            }).detach();
        for (int waited = 0; done != 2 && waited < 5000; ++waited)
            usleep(10'000);
        _exit(done == 2 && !pair.failed() ? survived : 1);
    });
    EXPECT_EQ(child.exit_status, survived) << child.output << "signal " << child.signal;
}

TEST(lanes_steady_state, blocks_passed_between_threads_make_no_fault) {
    arena memory{{.capacity = 64_MiB}};
    synchronized_pool_resource pool{memory};
    pair_of_threads pair(pool);
    std::array<faults, 2> counted{};
    std::atomic<int> ready{0};
    std::array<std::thread, 2> threads;
    for (int which = 0; which < 2; ++which)
        threads[static_cast<std::size_t>(which)] = std::thread([&, which] {
            prepare(pool);
            pool.deallocate(pool.allocate(sizes[0]), sizes[0]);
            for (++ready; ready != 2;)
                std::this_thread::yield();
            const fault_counter counter;
            pair.exchange(which, exchanged);
            counted[static_cast<std::size_t>(which)] = counter.count();
        });
    for (std::thread& each : threads)
        each.join();
    EXPECT_FALSE(pair.failed());
    for (const faults& each : counted) {
        EXPECT_EQ(each.major, 0u);
        EXPECT_LE(each.minor, test::runtime_faults(10'000));
    }
    EXPECT_EQ(pool.check(), nullptr);
}

} // namespace
} // namespace resident
