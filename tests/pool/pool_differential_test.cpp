// Concerns: over long random histories, that every block is as large and as aligned as asked, is
// nobody else's, keeps what is written to it, and is counted; that a refusal is deserved; that
// check() holds throughout; that all of the memory comes back.
// Plan: pools with different options over one arena that grows meanwhile, each beside a model
// (support/pool_model.hpp). A history is a sequence of phases, each with a distribution of sizes,
// an order of frees, and a drift towards full or empty, which reaches exhaustion. 10^7 operations
// in an optimised build, fewer where each costs a sanitizer's checks. Seeds are fixed; the one
// that fails is in the test's name.

#include "support/build.hpp"
#include "support/pool_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

namespace resident {
namespace {

using test::entrance;

constexpr unsigned history_count = 10;
#if defined(__OPTIMIZE__)
constexpr std::uint64_t operations = test::sanitized ? 400'000 : 1'000'000;
#else
constexpr std::uint64_t operations = 100'000;
#endif

enum class sizes : unsigned { one, log_mix, edges, small, large, everything, count };
enum class order_of_frees : unsigned { random, last_first, first_first, count };

struct phase {
    std::uint64_t length = 0;
    unsigned allocations_in_16 = 8; ///< of that many operations
    sizes distribution = sizes::one;
    order_of_frees frees = order_of_frees::random;
    std::size_t size = 0; ///< of sizes::one
    bool is_aligned = false;
};

class history {
public:
    explicit history(unsigned seed)
        // Some so large that slabs have their usual length, some that are often full.
        : random_(seed), memory_({.capacity = seed % 3 == 0 ? 66_MiB : 6_MiB,
                                  .max_capacity = 80_MiB,
                                  .pages = page_kind::base,
                                  .lock = lock_policy::off}),
          used_(memory_) {
        for (const pool_options& options :
             {pool_options{}, pool_options{.largest_required_pool_block = 2000},
              pool_options{.max_blocks_per_chunk = 4}, pool_options{.checks = check_level::cheap},
              pool_options{.checks = check_level::full}}) {
            pools_.push_back(std::make_unique<unsynchronized_pool_resource>(options, memory_));
            models_.emplace_back(*pools_.back(), used_);
        }
        empty_ = memory_.statistics().in_use;
    }

    void run() {
        for (std::uint64_t step = 0; step < operations; ++step) {
            if (now_.length-- == 0)
                begin_phase();
            test::pool_model& model = models_[below(models_.size())];
            operate(model);
            if (step % 4096 == 0)
                model.compare();
            if (!model.difference().empty())
                return fail(model, step);
        }
        finish();
    }

private:
    std::size_t below(std::size_t end) { return random_() % end; }

    void begin_phase() {
        now_.length = 1000 + below(60'000);
        now_.allocations_in_16 = static_cast<unsigned>(3 + below(12));
        now_.distribution = static_cast<sizes>(below(static_cast<std::size_t>(sizes::count)));
        now_.frees =
            static_cast<order_of_frees>(below(static_cast<std::size_t>(order_of_frees::count)));
        now_.size = size_of(sizes::log_mix) % 70'000;
        now_.is_aligned = below(3) == 0;
        if (below(8) == 0)
            (void)memory_.try_grow(2_MiB);
    }

    std::size_t size_of(sizes distribution) {
        switch (distribution) {
        case sizes::one:
            return now_.size;
        case sizes::log_mix:
            return random_() % (std::size_t{2} << below(18));
        case sizes::edges: // 2^k - 3 to 2^k + 3, and zero
            return std::max<std::size_t>((std::size_t{1} << below(18)) + below(7), 3) - 3;
        case sizes::small:
            return below(200);
        case sizes::large:
            return below(64) == 0 ? below(1_MiB) : 60'000 + below(30'000);
        case sizes::everything:
        case sizes::count:
            break;
        }
        return size_of(static_cast<sizes>(below(static_cast<std::size_t>(sizes::everything))));
    }

    /// 1 byte to 2 MiB, small ones more often.
    std::size_t alignment() {
        if (!now_.is_aligned)
            return below(2) == 0 ? 8 : 16;
        return std::size_t{1} << (below(16) == 0 ? below(22) : below(13));
    }

    void operate(test::pool_model& model) {
        const std::size_t rare = below(100'000);
        if (rare == 0)
            model.release();
        else if (rare < 20)
            model.reserve(std::min<std::size_t>(size_of(now_.distribution), 65536), below(300));
        else if (below(16) < now_.allocations_in_16)
            (void)model.allocate(size_of(now_.distribution), alignment(), door());
        else if (model.alive() != 0)
            model.deallocate(victim(model.alive()), door());
    }

    entrance door() { return static_cast<entrance>(below(4)); }

    std::size_t victim(std::size_t alive) {
        const std::size_t near = below(std::min<std::size_t>(alive, 4));
        switch (now_.frees) {
        case order_of_frees::last_first:
            return alive - 1 - near;
        case order_of_frees::first_first:
            return near;
        case order_of_frees::random:
        case order_of_frees::count:
            break;
        }
        return below(alive);
    }

    void finish() {
        std::uint64_t refused = 0;
        for (test::pool_model& model : models_) {
            model.free_all();
            model.compare();
            EXPECT_EQ(model.difference(), "");
            model.release();
            model.compare();
            EXPECT_EQ(model.difference(), "");
            refused += model.refused();
        }
        EXPECT_EQ(memory_.statistics().in_use, empty_) << "a run was not given back";
        EXPECT_GT(refused, 0u) << "the arena was never full";
        std::printf("%llu operations, %llu of them refused, on an arena of %zu MiB at last\n",
                    static_cast<unsigned long long>(operations),
                    static_cast<unsigned long long>(refused),
                    memory_.statistics().capacity / 1_MiB);
        pools_.clear();
        EXPECT_EQ(memory_.statistics().in_use, 0u);
        EXPECT_EQ(memory_.check(), nullptr);
    }

    void fail(const test::pool_model& model, std::uint64_t step) {
        ADD_FAILURE() << "pool " << &model - models_.data() << ", step " << step << ", sizes "
                      << static_cast<unsigned>(now_.distribution) << ": " << model.difference();
    }

    std::mt19937 random_;
    arena memory_;
    test::byte_map used_;
    std::vector<std::unique_ptr<unsynchronized_pool_resource>> pools_;
    std::vector<test::pool_model> models_;
    std::size_t empty_ = 0; ///< in use by the pools themselves
    phase now_{};
};

class pool_differential : public testing::TestWithParam<unsigned> {};

TEST_P(pool_differential, agrees_with_the_model) { history(GetParam()).run(); }

INSTANTIATE_TEST_SUITE_P(seed, pool_differential, testing::Range(1u, history_count + 1));

} // namespace
} // namespace resident
