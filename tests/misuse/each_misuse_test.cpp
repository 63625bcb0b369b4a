// Concerns: each misuse that a check level detects is told with its exact message, and aborts, by
// default; where a handler returns, the call had no effect, the pool works on and check() holds;
// through the pool, std::pmr and allocator<T> alike.
// Plan: one table of misuses with the levels and messages; each entry is made in a forked child
// with the default handler, and once more under a handler that returns. @ is any address.

#include "misuse/misuse_support.hpp"

namespace resident {
namespace {

using namespace resident::literals;
using test::behind;
using test::write_byte;

/// What a misuse has to do with.
struct scene {
    unsynchronized_pool_resource& pool;
    arena& memory;
    const test::face& by;

    [[nodiscard]] void* allocate(std::size_t bytes) const { return by.allocate(pool, bytes); }
    void deallocate(void* block, std::size_t bytes) const { by.deallocate(pool, block, bytes); }
    /// A block that stays in use: otherwise its slab might go back to the arena.
    void keep(std::size_t bytes) const { (void)by.allocate(pool, bytes); }
};

struct misuse_case {
    const char* name;
    check_level level;
    misuse_kind kind;
    const char* message;
    void (*commit)(const scene& at);
};

std::ostream& operator<<(std::ostream& out, const misuse_case& which) {
    return out << to_string(which.level) << '_' << which.name;
}

std::array<std::byte, 64> not_in_the_pool;

void free_foreign(const scene& at) { at.deallocate(not_in_the_pool.data(), 48); }
void free_from_the_arena(const scene& at) { at.deallocate(at.memory.try_allocate(4_KiB), 48); }
void free_the_middle(const scene& at) { at.deallocate(behind(at.allocate(48), 8), 48); }
void free_before_carved(const scene& at) { at.deallocate(behind(at.allocate(48), 480), 48); }
void free_with_another_class(const scene& at) { at.deallocate(at.allocate(48), 200); }
void free_with_another_size(const scene& at) { at.deallocate(at.allocate(48), 47); }
void free_run_with_another_size(const scene& at) { at.deallocate(at.allocate(100'000), 99'999); }
void free_run_as_block(const scene& at) { at.deallocate(at.allocate(100'000), 48); }
void free_inside_a_run(const scene& at) { at.deallocate(behind(at.allocate(100'000), 50'000), 48); }
void free_twice(const scene& at) {
    void* const block = at.allocate(48);
    at.keep(48);
    at.deallocate(block, 48);
    at.deallocate(block, 48);
}
void free_twice_all_are_free(const scene& at) {
    void* const first = at.allocate(48);
    void* const second = at.allocate(48);
    at.deallocate(first, 48);
    at.deallocate(second, 48);
    at.deallocate(first, 48);
}
void free_twice_another_between(const scene& at) {
    void* const first = at.allocate(48);
    void* const second = at.allocate(48);
    at.keep(48);
    at.deallocate(first, 48);
    at.deallocate(second, 48);
    at.deallocate(first, 48);
}
void free_run_twice(const scene& at) {
    void* const run = at.allocate(100'000);
    at.deallocate(run, 100'000);
    at.deallocate(run, 100'000);
}
void write_to_a_link(const scene& at) {
    void* const block = at.allocate(48);
    at.keep(48);
    at.deallocate(block, 48);
    write_byte(block, 1);
    at.keep(48);
}
void write_to_a_room(const scene& at) {
    void* const first = at.allocate(48);
    void* const second = at.allocate(48);
    at.keep(48);
    at.deallocate(first, 48);
    at.deallocate(second, 48);
    write_byte(second, 9);
    at.keep(48);
}
void write_before_a_free_block(const scene& at) { // full: as far as the link
    void* const block = at.allocate(48);
    at.keep(48);
    at.deallocate(block, 48);
    write_byte(block, -32);
    at.keep(48);
}
void write_to_a_free_block(const scene& at) {
    void* const block = at.allocate(48);
    at.keep(48);
    at.deallocate(block, 48);
    write_byte(block, 47);
    at.keep(48);
}
void write_behind(const scene& at) {
    void* const block = at.allocate(48);
    write_byte(block, 48);
    at.deallocate(block, 48);
}
void write_far_behind(const scene& at) {
    void* const block = at.allocate(48);
    write_byte(block, 63); // the block's last byte
    at.deallocate(block, 48);
}
void write_before(const scene& at) {
    void* const block = at.allocate(48);
    write_byte(block, -1);
    at.deallocate(block, 48);
}
void write_far_before(const scene& at) {
    void* const block = at.allocate(48);
    write_byte(block, -20);
    at.deallocate(block, 48);
}
void write_behind_a_run(const scene& at) {
    void* const run = at.allocate(100'000);
    write_byte(run, 100'000);
    at.deallocate(run, 100'000);
}
void write_before_a_run(const scene& at) {
    void* const run = at.allocate(100'000);
    write_byte(run, -30);
    at.deallocate(run, 100'000);
}

using enum check_level;
using enum misuse_kind;

const misuse_case cases[] = {
    {"foreign", cheap, foreign_pointer,
     "deallocate(@, 48 bytes): the pointer is not from this pool, nor its arena: free it where it "
     "was allocated",
     free_foreign},
    {"from_the_arena", cheap, foreign_pointer,
     "deallocate(@, 48 bytes): no block of this pool is there: it was freed already, and its slab "
     "went back to the arena, or it is not this pool's",
     free_from_the_arena},
    {"the_middle", cheap, misaligned_pointer,
     "deallocate(@, 48 bytes): the pointer is into the middle of a block: free what allocate "
     "returned; block 0 of the slab at @ of 48-byte blocks",
     free_the_middle},
    {"before_carved", cheap, misaligned_pointer,
     "deallocate(@, 48 bytes): nothing was ever handed out there: free what allocate returned; "
     "block 10 of the slab at @ of 48-byte blocks",
     free_before_carved},
    {"inside_a_run", cheap, misaligned_pointer,
     "deallocate(@, 48 bytes): the pointer is into the middle of a block: free what allocate "
     "returned; the run at @ of 102400 bytes",
     free_inside_a_run},
    {"another_class", cheap, wrong_size,
     "deallocate(@, 200 bytes): requests of 200 bytes have blocks of 208 bytes, this one has 48: "
     "free it with the size and alignment it was allocated with; block 0 of the slab at @ of "
     "48-byte blocks",
     free_with_another_class},
    {"run_another_size", cheap, wrong_size,
     "deallocate(@, 99999 bytes): it was allocated with 100000 bytes: free it with the same; the "
     "run at @ of 102400 bytes",
     free_run_with_another_size},
    {"run_as_block", cheap, wrong_size,
     "deallocate(@, 48 bytes): it was allocated with 100000 bytes: free it with the same; the run "
     "at @ of 102400 bytes",
     free_run_as_block},
    {"twice", cheap, double_free,
     "deallocate(@, 48 bytes): the block is free already (double free); block 0 of the slab at @ "
     "of 48-byte blocks",
     free_twice},
    {"twice_all_are_free", cheap, double_free,
     "deallocate(@, 48 bytes): the block is free already (double free); block 0 of the slab at @ "
     "of 48-byte blocks",
     free_twice_all_are_free},
    {"run_twice", cheap, foreign_pointer,
     "deallocate(@, 100000 bytes): no block of this pool is there: it was freed already, and its "
     "slab went back to the arena, or it is not this pool's",
     free_run_twice},
    {"link", cheap, corrupted_link,
     "allocate: the link in the free block at @ was written to; the 1 free blocks of its slab are "
     "not used any more; block 0 of the slab at @ of 48-byte blocks",
     write_to_a_link},
    {"room", cheap, corrupted_link,
     "allocate: the link in the free block at @ was written to; the 2 free blocks of its slab are "
     "not used any more; block 1 of the slab at @ of 48-byte blocks",
     write_to_a_room},

    // 48 bytes and their guards are blocks of 96.
    {"foreign", full, foreign_pointer,
     "deallocate(@, 48 bytes): the pointer is not from this pool, nor its arena: free it where it "
     "was allocated",
     free_foreign},
    {"from_the_arena", full, foreign_pointer,
     "deallocate(@, 48 bytes): no block of this pool is there: it was freed already, and its slab "
     "went back to the arena, or it is not this pool's",
     free_from_the_arena},
    {"the_middle", full, misaligned_pointer,
     "deallocate(@, 48 bytes): the pointer is into the middle of a block: free what allocate "
     "returned; block 0 of the slab at @ of 96-byte blocks",
     free_the_middle},
    {"before_carved", full, misaligned_pointer,
     "deallocate(@, 48 bytes): nothing was ever handed out there: free what allocate returned; "
     "block 5 of the slab at @ of 96-byte blocks",
     free_before_carved},
    {"inside_a_run", full, misaligned_pointer,
     "deallocate(@, 48 bytes): the pointer is into the middle of a block: free what allocate "
     "returned; the run at @ of 102400 bytes",
     free_inside_a_run},
    {"another_class", full, wrong_size,
     "deallocate(@, 200 bytes): it was allocated with 48 bytes: free it with the same; block 0 of "
     "the slab at @ of 96-byte blocks",
     free_with_another_class},
    {"another_size", full, wrong_size,
     "deallocate(@, 47 bytes): it was allocated with 48 bytes: free it with the same; block 0 of "
     "the slab at @ of 96-byte blocks",
     free_with_another_size},
    {"run_another_size", full, wrong_size,
     "deallocate(@, 99999 bytes): it was allocated with 100000 bytes: free it with the same; the "
     "run at @ of 102400 bytes",
     free_run_with_another_size},
    {"twice", full, double_free,
     "deallocate(@, 48 bytes): the block is free already (double free); block 0 of the slab at @ "
     "of 96-byte blocks",
     free_twice},
    {"twice_another_between", full, double_free,
     "deallocate(@, 48 bytes): the block is free already (double free); block 0 of the slab at @ "
     "of 96-byte blocks",
     free_twice_another_between},
    {"run_twice", full, foreign_pointer,
     "deallocate(@, 100000 bytes): no block of this pool is there: it was freed already, and its "
     "slab went back to the arena, or it is not this pool's",
     free_run_twice},
    {"link", full, corrupted_link,
     "allocate: the link in the free block at @ was written to; the 1 free blocks of its slab are "
     "not used any more; block 0 of the slab at @ of 96-byte blocks",
     write_before_a_free_block},
    {"free_block", full, use_after_free,
     "allocate: the free block was written to, 47 bytes from its begin at @, where 48 bytes were "
     "allocated; block 0 of the slab at @ of 96-byte blocks",
     write_to_a_free_block},
    {"behind", full, overflow,
     "deallocate(@, 48 bytes): byte 48 was written to, 1 behind the end of the 48 bytes at @; "
     "block 0 of the slab at @ of 96-byte blocks",
     write_behind},
    {"far_behind", full, overflow,
     "deallocate(@, 48 bytes): byte 63 was written to, 16 behind the end of the 48 bytes at @; "
     "block 0 of the slab at @ of 96-byte blocks",
     write_far_behind},
    {"before", full, underflow,
     "deallocate(@, 48 bytes): the bytes before the block were written to, from there or from the "
     "block before; block 0 of the slab at @ of 96-byte blocks",
     write_before},
    {"far_before", full, underflow,
     "deallocate(@, 48 bytes): a byte was written to, 20 before the begin of the 48 bytes at @; "
     "block 0 of the slab at @ of 96-byte blocks",
     write_far_before},
    {"behind_a_run", full, overflow,
     "deallocate(@, 100000 bytes): byte 100000 was written to, 1 behind the end of the 100000 "
     "bytes at @; the run at @ of 102400 bytes",
     write_behind_a_run},
    {"before_a_run", full, underflow,
     "deallocate(@, 100000 bytes): a byte was written to, 30 before the begin of the 100000 bytes "
     "at @; the run at @ of 102400 bytes",
     write_before_a_run},
};

class EachMisuse : public testing::TestWithParam<std::tuple<misuse_case, test::face>> {
protected:
    [[nodiscard]] static const misuse_case& which() { return std::get<0>(GetParam()); }
    static void commit() {
        arena memory{test::small_arena()};
        unsynchronized_pool_resource pool({.checks = which().level}, memory);
        which().commit({pool, memory, std::get<1>(GetParam())});
    }
    [[nodiscard]] static std::string pattern() { return test::message_pattern(which().message); }
};

TEST_P(EachMisuse, is_told_and_aborts) {
    const test::child_result child = test::run_in_child({}, commit);
    EXPECT_EQ(child.signal, SIGABRT) << child.output;
    EXPECT_TRUE(std::regex_match(child.output, std::regex(pattern() + "\n")))
        << child.output << "\nexpected " << pattern();
}

TEST_P(EachMisuse, has_no_effect_where_a_handler_returns) {
    const test::listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = which().level}, memory);
    which().commit({pool, memory, std::get<1>(GetParam())});
    EXPECT_TRUE(test::listener::heard_one(which().kind, pattern()));
    EXPECT_EQ(pool.check(), nullptr);
    std::vector<void*> blocks;
    for (int round = 0; round < 3000; ++round) // more than a slab has
        blocks.push_back(pool.allocate(48));
    for (void* const block : blocks)
        pool.deallocate(block, 48);
    EXPECT_TRUE(test::listener::heard_nothing());
    EXPECT_EQ(pool.check(), nullptr);
    pool.release();
    EXPECT_EQ(pool.statistics().requested, 0U);
    EXPECT_EQ(pool.check(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Misuse, EachMisuse,
                         testing::Combine(testing::ValuesIn(cases), testing::ValuesIn(test::faces)),
                         [](const auto& instance) {
                             std::ostringstream name;
                             name << std::get<0>(instance.param) << '_'
                                  << std::get<1>(instance.param);
                             return name.str();
                         });

} // namespace
} // namespace resident
