// Concerns: the registry's memory follows the owners alive, however they came and went: an arena
// that grew holds piece by piece and drops all at once. (What locks the counts mean: page_lock.)
// Plan: many lives of a grown owner beside one that stays, with the registry's calls counted.
#include "os/lock_registry.hpp"
#include "support/failing_kernel.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace {

using namespace resident;
using call = test::failing_kernel::call;

// Never mapped: holding is counting, without a look at the pages.
constexpr std::uintptr_t begin = std::uintptr_t{1} << 40U;

class lock_registry : public ::testing::Test {
protected:
    lock_registry() : page(os::page_size()), registry(os::locked_pages()) {}

    std::size_t owners(std::size_t index) { return registry.owners(begin + index * page); }

    const std::size_t page;
    os::lock_registry& registry;
};

TEST_F(lock_registry, one_drop_gives_up_several_holds) {
    ASSERT_TRUE(registry.hold(begin, 2 * page));
    ASSERT_TRUE(registry.hold(begin + 2 * page, page));
    ASSERT_TRUE(registry.hold(begin + 2 * page, page));
    registry.drop(begin, 3 * page, 2);
    EXPECT_EQ(owners(0), 0U);
    EXPECT_EQ(owners(1), 0U);
    EXPECT_EQ(owners(2), 1U) << "somebody else's";
    registry.drop(begin + 2 * page, page);
    EXPECT_EQ(owners(2), 0U);
}

TEST_F(lock_registry, does_not_grow_by_owners_that_grew_and_went) {
    ASSERT_TRUE(registry.hold(begin, page));
    test::failing_kernel kernel;
    {
        const os::kernel_replacement in_force(kernel);
        for (int life = 0; life < 8000; ++life) {
            ASSERT_TRUE(registry.hold(begin + 2 * page, page));
            ASSERT_TRUE(registry.hold(begin + 3 * page, page));
            registry.drop(begin + 2 * page, 2 * page, 2);
        }
        EXPECT_LE(kernel.calls(call::map), 1U) << "the first counts may need a place";
        EXPECT_LE(kernel.mapped_bytes(), 2 * page);
    }
    EXPECT_EQ(owners(0), 1U);
    EXPECT_EQ(owners(2), 0U);
    registry.drop(begin, page);
    EXPECT_EQ(owners(0), 0U);
}

TEST_F(lock_registry, keeps_room_for_those_who_stay_when_others_drop_too_much) {
    // More holds than there are: a misuse that must not turn the count round.
    ASSERT_TRUE(registry.hold(begin, 3 * page));
    registry.drop(begin, page, 1000);
    EXPECT_EQ(owners(0), 0U);
    EXPECT_EQ(owners(1), 1U);
    registry.drop(begin + page, 2 * page);
    EXPECT_EQ(owners(1), 0U);
}

} // namespace
