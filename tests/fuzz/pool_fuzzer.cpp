// Concerns: that no sequence of calls makes pools that share an arena differ from their models,
// break an invariant, or leave memory behind.
// Plan: the input is a program: two bytes choose an arena and the options of two pools, then each
// step is a byte that says what to do, followed by what that takes (see program::step). Whatever
// the bytes are, they are a valid use. The models (support/pool_model.hpp) compare; a difference
// prints the input and aborts. libFuzzer searches for programs; replay.cpp runs those that are kept
// in corpus/.

#include "support/pool_model.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace resident {
namespace {

using test::entrance;

/// An arena, and what is in use there.
struct place {
    explicit place(std::size_t capacity)
        : memory({.capacity = capacity, .pages = page_kind::base, .lock = lock_policy::off}),
          used(memory) {}
    arena memory;
    test::byte_map used;
};

/// Two for all inputs: to build one reads /proc, and would be most of the time. One that is soon
/// full, and one so large that slabs have their usual length.
place& place_of(unsigned choice) {
    static place small(1_MiB);
    static place large(64_MiB);
    return (choice & 64) == 0 ? small : large;
}

pool_options options_of(unsigned choice) {
    constexpr std::array<check_level, 4> levels{check_level::off, check_level::off,
                                                check_level::cheap, check_level::full};
    constexpr std::array<std::size_t, 4> largest{0, 100, 2000, 20'000};
    constexpr std::array<std::size_t, 4> blocks{0, 1, 5, 40};
    return {.max_blocks_per_chunk = blocks[choice >> 4 & 3],
            .largest_required_pool_block = largest[choice >> 2 & 3],
            .checks = levels[choice & 3]};
}

class program {
public:
    explicit program(std::span<const unsigned char> bytes)
        : bytes_(bytes), first_choice_(next()), in_(place_of(first_choice_)),
          first_pool_(options_of(first_choice_), in_.memory),
          second_pool_(options_of(next()), in_.memory), models_{
                                                            test::pool_model(first_pool_, in_.used),
                                                            test::pool_model(second_pool_,
                                                                             in_.used)} {}

    void run() {
        while (!bytes_.empty() && budget_ != 0 && holds())
            step();
        for (test::pool_model& model : models_) {
            model.compare();
            model.free_all();
            model.release();
            model.compare();
        }
    }

    [[nodiscard]] const char* difference() const {
        for (const test::pool_model& model : models_)
            if (!model.difference().empty())
                return model.difference().c_str();
        return nullptr;
    }

private:
    /// The byte's lowest bit chooses the pool, the next three what to do, the others how.
    void step() {
        const unsigned code = next();
        test::pool_model& model = models_[code & 1];
        const unsigned how = code >> 4;
        const auto by = static_cast<entrance>(how & 3);
        switch (code >> 1 & 7) {
        case 0: // small
            return allocate(model, {next(), 8, by}, 1);
        case 1: // any size up to 64 KiB, and up to 1 MiB
            return allocate(model, {next_word() << (how & 4), 8, by}, 1);
        case 2: { // aligned
            const unsigned exponent = next() % 22;
            return allocate(model, {next_word() >> how, std::size_t{1} << exponent, by}, 1);
        }
        case 3: // the same again, many times
            return allocate(model, last_, 1 + next() * (how + 1U));
        case 4: // one: from the begin, or from the end
            return deallocate(model, how < 8 ? next() : ~std::size_t{next()}, by);
        case 5: { // every second, third ...
            const std::size_t apart = 1 + how % 8;
            for (std::size_t at = 0; at < model.alive(); at += apart)
                deallocate(model, at, by);
            return;
        }
        case 6: {
            const std::size_t bytes = next_word() >> how;
            return model.reserve(bytes, next());
        }
        default:
            return how == 0 ? model.release() : model.compare();
        }
    }

    struct request {
        std::size_t bytes;
        std::size_t alignment;
        entrance by;
    };
    void allocate(test::pool_model& model, const request& wanted, std::size_t count) {
        last_ = wanted;
        for (; count != 0 && budget_ != 0; --count, --budget_)
            if (!model.allocate(wanted.bytes, wanted.alignment, wanted.by))
                return;
    }
    static void deallocate(test::pool_model& model, std::size_t index, entrance by) {
        if (model.alive() != 0)
            model.deallocate(index % model.alive(), by);
    }

    [[nodiscard]] bool holds() const { return difference() == nullptr; }

    /// 0 behind the end.
    unsigned next() {
        if (bytes_.empty())
            return 0;
        const unsigned byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }
    std::size_t next_word() {
        const std::size_t low = next();
        return low | std::size_t{next()} << 8;
    }

    std::span<const unsigned char> bytes_;
    unsigned first_choice_;
    place& in_;
    unsynchronized_pool_resource first_pool_;
    unsynchronized_pool_resource second_pool_;
    std::array<test::pool_model, 2> models_;
    request last_{16, 8, entrance::direct};
    unsigned budget_ = 12'000; ///< allocations: more would be the same again, and slow the search
};

[[noreturn]] void fail(std::span<const unsigned char> input, const char* what) {
    std::fprintf(stderr, "%s\ninput:", what);
    for (const unsigned char byte : input)
        std::fprintf(stderr, " %02x", byte);
    std::fprintf(stderr, "\n");
    std::abort();
}

} // namespace
} // namespace resident

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace resident;
    const std::span<const unsigned char> input(data, size);
    {
        program tried(input);
        tried.run();
        if (const char* difference = tried.difference())
            fail(input, difference);
    }
    for (const unsigned choice : {0U, 64U})
        if (place_of(choice).memory.statistics().in_use != 0)
            fail(input, "a run was not given back");
    return 0;
}
