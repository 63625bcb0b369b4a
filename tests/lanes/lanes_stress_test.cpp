// Concerns: blocks of all sizes that any thread allocates and any other frees never overlap, never
// lose what was written to them, and all come back; while memory is plenty, while it runs out all
// the time, while there are more threads than lanes, and while threads come and go.
// Plan: random operations with a pattern in every block, threads that pass blocks on in every
// direction, statistics() and trim() beside; at the end everything is freed and checked.
//
// RESIDENT_STRESS_SECONDS=600 goes on so long with each mixture; by default each is a few thousand
// operations of each thread.

#include <resident/synchronized_pool_resource.hpp>

#include "support/build.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <ostream>
#include <random>
#include <thread>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;

struct patterned {
    unsigned char* bytes;
    std::size_t size;
    unsigned char pattern;
    std::size_t alignment;
    std::thread::id allocated_by;

    /// Of a large block the first and last page say enough.
    [[nodiscard]] std::size_t written() const { return std::min<std::size_t>(size, 4096); }
    void write() const {
        std::memset(bytes, pattern, written());
        bytes[size - 1] = pattern;
    }
    [[nodiscard]] bool is_intact() const {
        return bytes[size - 1] == pattern &&
               std::all_of(bytes, bytes + written(), [=, this](auto b) { return b == pattern; });
    }
};

struct mixture {
    const char* name;
    std::size_t capacity;
    unsigned threads;
    unsigned operations; ///< of each thread
    check_level checks = check_level::off;
    bool comes_and_goes = false; ///< each thread is several, one after the other
    bool is_few_large = false;   ///< blocks whose lists are short, a handful of each thread

    friend std::ostream& operator<<(std::ostream& out, const mixture& each) {
        return out << each.name;
    }
};

/// So many are on their way from thread to thread, of more than 4 KiB each, once all have begun:
/// twice as much as the arenas that are short of memory have.
constexpr unsigned most_passed_on = 3000;

class lanes_stress : public testing::TestWithParam<mixture> {
protected:
    void be_thread(unsigned seed, unsigned operations) {
        std::mt19937 random(seed);
        std::vector<patterned> own;
        for (unsigned done = 0; done < operations; ++done) {
            if (random() % 100 < 52 && own.size() < (GetParam().is_few_large ? 4 : 1000))
                allocate(random, own);
            else if (!own.empty())
                pass_on_or_free(random, own);
            if (done % 1000 == 999)
                broken_ += pool_.statistics().in_use > 2 * GetParam().capacity ? 1U : 0U;
            if (done % 5000 == 4999)
                pool_.trim();
        }
        for (const patterned& each : own)
            free(random, each);
    }
    void allocate(std::mt19937& random, std::vector<patterned>& own) {
        const std::size_t kind = random() % 100;
        const std::size_t size = GetParam().is_few_large ? 2800 + random() % 3 * 900
                                                         : 1 + random() % (kind < 75   ? 300
                                                                           : kind < 97 ? 20'000
                                                                                       : 200'000);
        const std::size_t alignment = std::size_t{1} << (random() % 50 == 0 ? random() % 14 : 3);
        auto* const bytes = static_cast<unsigned char*>(pool_.try_allocate(size, alignment));
        if (bytes == nullptr) {
            ++refused_;
            return;
        }
        broken_ += reinterpret_cast<std::uintptr_t>(bytes) % alignment != 0 ? 1U : 0U;
        own.push_back({bytes, size, static_cast<unsigned char>(random()), alignment,
                       std::this_thread::get_id()});
        own.back().write();
    }
    void pass_on_or_free(std::mt19937& random, std::vector<patterned>& own) {
        patterned block = taken_at_random(random, own);
        if (random() % 2 == 0) {
            const std::lock_guard guard(passed_on_mutex_);
            passed_on_.push_back(block);
            if (passed_on_.size() < (GetParam().is_few_large ? 8 : most_passed_on))
                return;
            block = taken_at_random(random, passed_on_);
        }
        free(random, block);
    }
    static patterned taken_at_random(std::mt19937& random, std::vector<patterned>& blocks) {
        std::swap(blocks[random() % blocks.size()], blocks.back());
        const patterned taken = blocks.back();
        blocks.pop_back();
        return taken;
    }
    void free(std::mt19937& random, const patterned& block) {
        freed_for_others_ += block.allocated_by == std::this_thread::get_id() ? 0U : 1U;
        broken_ += block.is_intact() ? 0U : 1U;
        if (random() % 4 == 0)
            pool_.deallocate(block.bytes);
        else
            pool_.deallocate(block.bytes, block.size, block.alignment);
    }

    arena memory_{{.capacity = GetParam().capacity, .lock = lock_policy::off}};
    synchronized_pool_resource pool_{{.checks = GetParam().checks}, memory_};
    std::mutex passed_on_mutex_;
    std::vector<patterned> passed_on_;
    std::atomic<unsigned> refused_{0};
    std::atomic<unsigned> broken_{0};
    std::atomic<unsigned> freed_for_others_{0};
};

TEST_P(lanes_stress, keeps_every_block_intact) {
    const mixture& of = GetParam();
    const char* const asked = std::getenv("RESIDENT_STRESS_SECONDS");
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::seconds(asked != nullptr ? std::atoi(asked) : 0);
    unsigned round = 0;
    do {
        std::vector<std::thread> threads;
        for (unsigned i = 0; i < of.threads; ++i)
            threads.emplace_back([this, &of, seed = 1000 * round + i] {
                const unsigned parts = of.comes_and_goes ? 20 : 1;
                for (unsigned part = 0; part < parts; ++part)
                    if (parts == 1)
                        be_thread(seed, of.operations);
                    else
                        std::thread([&] { be_thread(seed, of.operations / parts); }).join();
            });
        for (std::thread& each : threads)
            each.join();
        std::mt19937 random(round);
        for (const patterned& each : passed_on_)
            free(random, each);
        passed_on_.clear();
        // How many blocks get on their way where memory is short depends on who comes first.
        EXPECT_GT(freed_for_others_, of.is_few_large ? 0 : most_passed_on / 3);
        ASSERT_EQ(broken_, 0u) << "round " << round;
        ASSERT_EQ(pool_.check(), nullptr) << "round " << round;
        pool_.trim();
        ASSERT_EQ(pool_.statistics().in_use, 0u) << "round " << round;
        ++round;
    } while (std::chrono::steady_clock::now() < end);
    EXPECT_LE(pool_.lanes_in_use(), 1u); // this thread's, which freed what was passed on
    if (of.checks == check_level::off && !test::address_sanitized) { // else one lane has all
        EXPECT_EQ(refused_ != 0, of.capacity < 64_MiB);
    }
    EXPECT_LE(pool_.statistics().held, 8_KiB + (of.threads + 1) * 20_KiB);
}

constexpr unsigned few = test::sanitized ? 10'000 : 100'000;

INSTANTIATE_TEST_SUITE_P(
    all, lanes_stress,
    testing::Values(mixture{"two_threads", 512_MiB, 2, few},
                    mixture{"four_threads_short_of_memory", 8_MiB, 4, few},
                    mixture{"sixteen_threads_short_of_memory", 8_MiB, 16, few / 4},
                    mixture{"threads_that_come_and_go", 256_MiB, 4, few, check_level::off, true},
                    mixture{"more_threads_than_lanes", 512_MiB, 80, few / 20},
                    mixture{"few_large_blocks", 64_MiB, 4, few, check_level::off, false, true},
                    mixture{"checked_cheaply", 16_MiB, 4, few / 2, check_level::cheap},
                    mixture{"checked_in_full", 16_MiB, 4, few / 2, check_level::full}),
    [](const auto& each) { return each.param.name; });

} // namespace
} // namespace resident
