// Concerns: AddressSanitizer and Valgrind see each block as allocated or freed, exactly as
// requested; memory that went back to the arena is anybody's again.
// Plan: with AddressSanitizer, errors are made in forked children, and the shadow is asked about
// whole arenas; Valgrind is started with this very program and one of its tests.

#include "misuse/misuse_support.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define RESIDENT_TEST_ASAN 1
#elif defined(__has_feature)
#define RESIDENT_TEST_ASAN __has_feature(address_sanitizer)
#else
#define RESIDENT_TEST_ASAN 0
#endif
#if RESIDENT_TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace resident {
namespace {

using namespace resident::literals;

#if RESIDENT_TEST_ASAN
/// In its sight.
[[gnu::noinline]] void touch(void* memory, std::ptrdiff_t offset) {
    static_cast<volatile char*>(memory)[offset] = 1;
}

class AddressSanitizer : public testing::TestWithParam<check_level> {
protected:
    void SetUp() override { pool.emplace(pool_options{.checks = GetParam()}, memory); }
    /// What the sanitizer says when a child touches a byte.
    static std::string said_of(void* block, std::ptrdiff_t offset) {
        return test::run_in_child({}, [=] { touch(block, offset); }).output;
    }
    [[nodiscard]] const void* first_hidden() const {
        return __asan_region_is_poisoned(memory.memory().data(), memory.memory().size());
    }
    arena memory{test::small_arena()};
    std::optional<unsynchronized_pool_resource> pool;
};
INSTANTIATE_TEST_SUITE_P(Misuse, AddressSanitizer,
                         testing::Values(check_level::off, check_level::cheap, check_level::full),
                         [](const auto& instance) { return to_string(instance.param); });

TEST_P(AddressSanitizer, sees_use_after_free) {
    void* const block = pool->allocate(48);
    touch(block, 0);
    pool->deallocate(block, 48);
    for (const std::ptrdiff_t offset : {0, 8, 47})
        EXPECT_NE(said_of(block, offset).find("use-after-poison"), std::string::npos);
    touch(pool->allocate(48), 47);
    pool->release();
}

TEST_P(AddressSanitizer, sees_a_byte_beyond_what_was_requested) {
    for (const std::size_t bytes : {1, 33, 41, 1001, 5000, 100'001}) {
        const auto end = static_cast<std::ptrdiff_t>(bytes);
        void* const block = pool->allocate(bytes);
        touch(block, end - 1);
        EXPECT_NE(said_of(block, end).find("use-after-poison"), std::string::npos) << bytes;
        pool->deallocate(block, bytes);
    }
}

TEST_P(AddressSanitizer, finds_nothing_hidden_in_what_went_back_to_the_arena) {
    EXPECT_EQ(first_hidden(), nullptr);
    pool->reserve(48, 10);
    EXPECT_NE(first_hidden(), nullptr);
    (void)pool->allocate(48);
    (void)pool->allocate(100'000);
    void* const run = pool->allocate(8192, 4096);
    pool->deallocate(run, 8192, 4096);
    EXPECT_NE(first_hidden(), nullptr);
    pool->release();
    EXPECT_EQ(first_hidden(), nullptr);
    pool->deallocate(pool->allocate(5000), 5000);
    pool.reset();
    EXPECT_EQ(first_hidden(), nullptr);
}

TEST_P(AddressSanitizer, finds_nothing_hidden_in_what_exhaustion_gave_back) {
    (void)pool->allocate(3000); // a slab with a part never used
    while (memory.try_allocate(4_KiB) != nullptr) {
    }
    EXPECT_EQ(pool->try_allocate(1_MiB), nullptr);
    void* const given_back = memory.try_allocate(4_KiB);
    if (given_back != nullptr)
        touch(given_back, 4095);
    EXPECT_EQ(pool->check(), nullptr);
    pool->release();
    EXPECT_EQ(first_hidden(), nullptr);
}

TEST_P(AddressSanitizer, lets_every_double_free_be_found) {
    const test::listener listening;
    void* const first = pool->allocate(48);
    void* const second = pool->allocate(48);
    (void)pool->allocate(48);
    pool->deallocate(first, 48);
    pool->deallocate(second, 48);
    pool->deallocate(first, 48);
    EXPECT_TRUE(test::listener::heard_one(misuse_kind::double_free, ".*"));
    pool->release();
}

#else

constexpr int not_installed = 97;
constexpr const char* inside = "RESIDENT_TEST_IN_VALGRIND";

/// Runs a test of this program under Valgrind.
test::child_result under_valgrind(const std::string& name) {
    return test::run_in_child({}, [&] {
        setenv(inside, "1", 1);
        const std::string filter = "--gtest_filter=" + name;
        const std::string self = std::filesystem::read_symlink("/proc/self/exe");
        execlp("valgrind", "valgrind", self.c_str(), filter.c_str(), nullptr);
        _exit(not_installed);
    });
}

using pool_work = void (*)(unsynchronized_pool_resource& pool);

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

class Valgrind : public testing::TestWithParam<check_level> {
protected:
    /// Effects: runs the current test under Valgrind, unless it is there already, where it does
    /// `work`. Returns: whether there is something to expect of `said`.
    bool hears(pool_work work) {
        if (std::getenv(inside) != nullptr) {
            arena memory{{.capacity = 2_MiB, .lock = lock_policy::off, .name = "test"}};
            unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
            work(pool);
            return false;
        }
        const auto* const current = testing::UnitTest::GetInstance()->current_test_info();
        const test::child_result child =
            under_valgrind(std::string(current->test_suite_name()) + "." + current->name());
        why_not = test::thread_sanitized ? "Valgrind does not run programs with ThreadSanitizer"
                  : child.exit_status == not_installed ? "valgrind is not installed"
                                                       : nullptr;
        EXPECT_TRUE(why_not != nullptr || child.passed()) << child.output;
        said = child.output;
        return why_not == nullptr;
    }
    std::string said;
    const char* why_not = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Misuse, Valgrind,
                         testing::Values(check_level::off, check_level::cheap, check_level::full),
                         [](const auto& instance) { return to_string(instance.param); });

TEST_P(Valgrind, sees_use_after_free) {
    const bool heard = hears([](unsynchronized_pool_resource& pool) {
        void* const block = pool.allocate(48);
        void* const kept = pool.allocate(48);
        pool.deallocate(block, 48);
        (void)test::read_byte(block, 7);
        pool.deallocate(kept, 48);
    });
    if (why_not != nullptr)
        GTEST_SKIP() << why_not;
    if (heard) {
        EXPECT_EQ(count(said, "is 7 bytes inside a block of size 48 free'd"), 1U) << said;
    }
}

TEST_P(Valgrind, sees_a_byte_beyond_what_was_requested) {
    const bool heard = hears([](unsynchronized_pool_resource& pool) {
        for (const std::size_t bytes : {41, 100'001}) {
            void* const block = pool.allocate(bytes);
            (void)test::read_byte(block, static_cast<std::ptrdiff_t>(bytes));
            pool.deallocate(block, bytes);
        }
    });
    if (why_not != nullptr)
        GTEST_SKIP() << why_not;
    if (heard) {
        EXPECT_EQ(count(said, "ERROR SUMMARY: 2 errors"), 1U) << said;
    }
}

TEST_P(Valgrind, finds_nothing_wrong_with_what_is_correct) {
    const bool heard = hears([](unsynchronized_pool_resource& pool) {
        pool.reserve(48, 20);
        std::vector<void*> blocks;
        for (int round = 0; round < 300; ++round) {
            const auto bytes = static_cast<std::size_t>(round * 10);
            blocks.push_back(pool.allocate(bytes));
            std::memset(blocks.back(), 1, bytes);
            if (round % 3 == 0) {
                pool.deallocate(blocks.back(), bytes);
                blocks.pop_back();
            }
        }
        EXPECT_EQ(pool.check(), nullptr);
        void* const run = pool.allocate(100'000);
        std::memset(run, 1, pool.usable_size(run));
        pool.deallocate(run, 100'000);
        pool.release();
        void* const again = pool.source().try_allocate(500'000);
        std::memset(again, 1, 500'000);
        pool.source().deallocate_run(again);
    });
    if (why_not != nullptr)
        GTEST_SKIP() << why_not;
    if (heard) {
        EXPECT_EQ(count(said, "ERROR SUMMARY: 0 errors"), 1U) << said;
    }
}

#endif

} // namespace
} // namespace resident
