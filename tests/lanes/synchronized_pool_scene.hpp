/// A concurrent pool, and threads that use it in a known order.
#pragma once

#include <resident/synchronized_pool_resource.hpp>

#include "support/build.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

namespace resident {

using namespace resident::literals;

/// Runs `body` on a thread of its own, to its end.
template <class Body>
void on_a_thread(Body body) {
    std::thread(body).join();
}

/// Runs `first` on a thread, and `meanwhile` here once it is done; the thread ends after that.
template <class First, class Meanwhile>
void while_a_thread_lives(First first, Meanwhile meanwhile) {
    std::barrier meet(2);
    std::thread other([&] {
        first();
        meet.arrive_and_wait();
        meet.arrive_and_wait();
    });
    meet.arrive_and_wait();
    meanwhile();
    meet.arrive_and_wait();
    other.join();
}

/// Blocks in lists, of all classes.
inline std::size_t cached_blocks(const pool_statistics& all) {
    std::size_t count = 0;
    for (const size_class_statistics& each : all.classes)
        count += each.cached;
    return count;
}

/// Whether the pool, with everything freed, has nothing but its lanes after trim(), and the arena
/// nothing once the pool is gone.
class synchronized_pool : public testing::Test {
protected:
    void SetUp() override {
        if (test::address_sanitized)
            GTEST_SKIP() << "AddressSanitizer watches each block: there is one lane, with a mutex";
    }
    void TearDown() override {
        if (!pool_)
            return;
        EXPECT_EQ(pool_->check(), nullptr);
        pool_->trim();
        EXPECT_EQ(pool_->statistics().in_use, 0u);
        EXPECT_LE(pool_->statistics().held, 8_KiB + lanes_made_ * 20_KiB);
        EXPECT_EQ(pool_->statistics().held, memory_.statistics().in_use);
        pool_.reset();
        EXPECT_EQ(memory_.statistics().in_use, 0u);
        EXPECT_EQ(memory_.check(), nullptr);
    }
    std::vector<void*> allocate(std::size_t count, std::size_t bytes) {
        std::vector<void*> blocks(count);
        for (void*& each : blocks)
            each = pool_->try_allocate(bytes);
        return blocks;
    }
    void free_all(const std::vector<void*>& blocks, std::size_t bytes) {
        for (void* const each : blocks)
            if (each != nullptr)
                pool_->deallocate(each, bytes);
    }

    arena memory_{{.capacity = 32_MiB, .lock = lock_policy::off}};
    std::optional<synchronized_pool_resource> pool_{memory_};
    std::size_t lanes_made_ = 8; ///< at most, the guarded one included
};

} // namespace resident
