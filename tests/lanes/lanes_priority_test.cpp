// Concerns: a thread that waits for the mutex of a concurrent pool lends its priority to the thread
// that holds it.
// Plan: the one who holds it is found in the upstream resource, which is asked with the mutex held;
// three real-time threads on one processor.

#include <resident/arena.hpp>
#include <resident/synchronized_pool_resource.hpp>

#include "os/harness/realtime_thread.hpp"
#include "support/build.hpp"
#include "support/inversion.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory_resource>
#include <utility>

namespace resident {
namespace {

using namespace resident::literals;

/// Calls what it was given, once, before it serves a request.
class calling_resource : public std::pmr::memory_resource {
public:
    std::function<void()> next_time;

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (const std::function<void()> called = std::exchange(next_time, nullptr))
            called();
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
};

TEST(lanes_priority, is_lent_to_the_thread_that_holds_the_mutex) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime waits for others when a thread starts";
    calling_resource upstream;
    arena memory{{.capacity = 1_MiB, .lock = lock_policy::off}};
    synchronized_pool_resource pool{memory, &upstream};
    const auto ask_upstream = [&] { pool.deallocate(pool.allocate(2_MiB), 2_MiB); };
    test::inversion scene(
        os::allowed_processors().front(),
        [&](const std::function<void()>& start_others) {
            upstream.next_time = start_others;
            ask_upstream();
        },
        ask_upstream);
    if (!scene.run())
        GTEST_SKIP() << "real-time priority is not permitted here";
    ASSERT_EQ(scene.failed, 0);
    EXPECT_TRUE(scene.high_waited);
    EXPECT_FALSE(scene.middle_ran_while_held);
    EXPECT_TRUE(scene.high_was_done_when_middle_ran);
}

} // namespace
} // namespace resident
