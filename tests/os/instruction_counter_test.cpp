// Concerns: the counter counts what the processor executes between its brackets and nothing else,
// call by call, and tells the worst call from the others.
// Plan: brackets around instructions that are known because they are written in assembly. That
// holds in every build, since what an empty bracket takes is subtracted; what only an optimised
// build promises, that nothing but the call is in the bracket, is asked of that alone.

#include "os/harness/instruction_trace.hpp"
#include "os/known_instructions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

using namespace resident;
#if defined(__x86_64__)

using test::instruction_counter;
using test::loop;
using testing::HasSubstr;

TEST_F(instruction_counter, an_empty_bracket_has_no_instruction) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        for (int i = 0; i < 10; ++i)
            stepper.measure("empty", [] {});
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["empty"].instructions, std::vector<std::uint32_t>(10, 0));
}

TEST_F(instruction_counter, as_many_as_there_are) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        stepper.measure("1", [] { asm volatile(".rept 1; nop; .endr"); });
        EXPECT_EQ(stepper.last(), 1u);
        stepper.measure("2", [] { asm volatile(".rept 2; nop; .endr"); });
        stepper.measure("1000", [] { asm volatile(".rept 1000; nop; .endr"); });
        EXPECT_EQ(stepper.last(), 1000u);
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["1"].max(), 1u);
    EXPECT_EQ(counts["2"].max(), 2u);
    EXPECT_EQ(counts["1000"].max(), 1000u);
    EXPECT_GE(counts.steps, 1003u);
}

TEST_F(instruction_counter, a_loop_counts_each_round) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        stepper.measure("one", [] { loop(1); });
        stepper.measure("many", [] { loop(501); });
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["many"].max() - counts["one"].max(), 1000u);
    if (test::counts_are_exact) {
        EXPECT_EQ(counts["one"].max(), 3u); // with the one that loads the number of rounds
    }
}

[[gnu::noinline]] void short_function() { asm volatile(".rept 10; nop; .endr"); }
[[gnu::noinline]] void long_function() { asm volatile(".rept 110; nop; .endr"); }

TEST_F(instruction_counter, a_call_through_a_pointer_counts_what_it_calls) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        void (*volatile function)() = short_function;
        for (const char* label : {"short", "long"}) {
            stepper.measure(label, [&] { function(); });
            function = long_function;
        }
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["long"].max() - counts["short"].max(), 100u);
    EXPECT_GE(counts["short"].max(), 12u); // the call and the return
    if (test::counts_are_exact) {
        EXPECT_LE(counts["short"].max(), 13u);
    }
}

std::array<char, 1000> filled;

TEST_F(instruction_counter, a_repeated_string_instruction_counts_one) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        stepper.measure("rep", [] {
            asm volatile("lea %0, %%rdi; mov $1000, %%ecx; mov $1, %%eax; rep stosb; nop"
                         : "=m"(filled)::"rdi", "rcx", "rax", "memory");
        });
        EXPECT_EQ(filled.back(), 1);
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_GE(counts["rep"].max(), 5u);
    EXPECT_LE(counts["rep"].max(), test::counts_are_exact ? 5u : 10u);
}

TEST_F(instruction_counter, a_system_call_counts_one) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        stepper.measure("asked", [] {
            asm volatile("mov %0, %%eax; nop; syscall; nop; nop" ::"i"(SYS_getppid)
                         : "rax", "rcx", "r11", "memory");
        });
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["asked"].max(), 5u);
}

TEST_F(instruction_counter, what_the_call_returns_comes_back) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        EXPECT_EQ(stepper.measure("integer", [] { return 42; }), 42);
        EXPECT_EQ(stepper.measure("floating", [] { return 0.5; }), 0.5);
        const char* text = "text";
        EXPECT_EQ(stepper.measure("pointer", [&] { return text; }), text);
    });
    EXPECT_EQ(counts.failure, "");
}

TEST_F(instruction_counter, arithmetic_with_an_opaque_value_stays_inside) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        unsigned long number = 3;
        stepper.measure("quotients", [&] {
            for (int i = 0; i < 10; ++i)
                number = os::opaque(number) / (os::opaque(number) + 1);
            return number;
        });
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_GE(counts["quotients"].max(), 30u); // a sum, an upper half and a quotient each
}

TEST_F(instruction_counter, calls_are_told_apart_by_label) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        for (unsigned round = 0; round < 2; ++round) {
            for (unsigned label = 0; label < 200; ++label)
                stepper.measure(std::to_string(label), [&] { loop(label % 16 + 1); });
        }
    });
    ASSERT_EQ(counts.failure, "");
    ASSERT_EQ(counts.labels.size(), 200u);
    const std::uint32_t first = counts["0"].max();
    for (unsigned label = 0; label < 200; ++label) {
        EXPECT_EQ(counts.labels[label].label, std::to_string(label));
        EXPECT_EQ(counts.labels[label].instructions,
                  std::vector<std::uint32_t>(2, first + 2 * (label % 16)));
    }
    EXPECT_EQ(counts.find("200"), nullptr);
}

TEST_F(instruction_counter, the_worst_call_is_known_by_place_and_note) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        for (const unsigned rounds : {1u, 7u, 9u, 2u, 9u, 1u}) {
            const std::string note = std::to_string(rounds) + " rounds";
            stepper.measure("loop", note, [&] { loop(rounds); });
        }
    });
    ASSERT_EQ(counts.failure, "");
    const os::call_counts& calls = counts["loop"];
    EXPECT_EQ(calls.calls(), 6u);
    EXPECT_EQ(calls.worst_call, 2u);
    EXPECT_EQ(calls.worst_note, "9 rounds");
    EXPECT_EQ(calls.max(), calls.instructions[2]);
    EXPECT_EQ(calls.median(), calls.instructions[3]);
}

TEST(instruction_counts, percentiles_are_counts_that_occurred) {
    os::call_counts calls{.label = "calls"};
    for (std::uint32_t count = 1000; count > 0; --count)
        calls.instructions.push_back(count);
    EXPECT_EQ(calls.median(), 500u);
    EXPECT_EQ(calls.p99(), 990u);
    EXPECT_EQ(calls.percentile(99.9), 999u);
    EXPECT_EQ(calls.percentile(100), 1000u);
    EXPECT_EQ(calls.max(), 1000u);
    calls.instructions = {7};
    EXPECT_EQ(calls.median(), 7u);
    EXPECT_EQ(calls.p99(), 7u);
}

TEST(instruction_counts_death, a_label_without_a_call_has_no_figures) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH((void)os::instruction_counts{}["free"], "no call was measured as \"free\"");
}

TEST_F(instruction_counter, a_trace_leads_to_the_function) {
    const auto counts = test::count_instructions(
        [](os::stepper& stepper) {
            (void)getppid(); // bound
            stepper.measure("nops", [] { asm volatile(".rept 20; nop; .endr"); });
            stepper.measure("asked", [] { return getppid(); });
        },
        {.trace = true});
    ASSERT_EQ(counts.failure, "");
    const std::string nops_run = os::describe_trace(counts["nops"].worst_trace);
    const std::string asked = os::describe_trace(counts["asked"].worst_trace);
    if (test::counts_are_exact) {
        EXPECT_EQ(counts["nops"].worst_trace.size(), 20u);
        EXPECT_THAT(nops_run, testing::MatchesRegex(" +20  .*\n")); // one run
        for (const std::uintptr_t place : counts["nops"].worst_trace)
            EXPECT_EQ(*reinterpret_cast<const unsigned char*>(place), 0x90); // nop
    }
    if (!test::sanitized) {
        EXPECT_THAT(asked, HasSubstr("getppid\n"));
        EXPECT_THAT(asked, HasSubstr("libc.so"));
    }
}

#ifdef __cpp_exceptions
TEST_F(instruction_counter, an_exception_closes_the_bracket) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        for (int i = 0; i < 2; ++i) {
            EXPECT_THROW(stepper.measure("throws", [] { throw std::runtime_error("thrown"); }),
                         std::runtime_error);
        }
        stepper.measure("nops", [] { asm volatile(".rept 5; nop; .endr"); });
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["throws"].calls(), 2u);
    EXPECT_GT(counts["throws"].instructions[1], 1000u); // unwinding is part of it
    EXPECT_EQ(counts["nops"].max(), 5u);
}

TEST_F(instruction_counter, an_exception_that_leaves_the_body_is_a_failure) {
    const auto counts = test::count_instructions(
        [](os::stepper&) { throw std::runtime_error("out of everything"); });
    EXPECT_EQ(counts.failure, "the body threw: out of everything");
}
#endif

std::atomic<unsigned> alarms{0};

TEST_F(instruction_counter, signals_wait_outside) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        struct sigaction action {};
        action.sa_handler = [](int) { ++alarms; };
        sigaction(SIGALRM, &action, nullptr);
        const itimerval often{{0, 1000}, {0, 1000}};
        setitimer(ITIMER_REAL, &often, nullptr);
        for (int i = 0; i < 200; ++i)
            stepper.measure("nops", [] { asm volatile(".rept 100; nop; .endr"); });
        EXPECT_GT(alarms, 10u); // they were not lost
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["nops"].instructions, std::vector<std::uint32_t>(200, 100));
}

TEST_F(instruction_counter, a_signal_that_the_call_raises_reaches_its_handler) {
    const auto counts = test::count_instructions(
        [](os::stepper& stepper) {
            struct sigaction action {};
            action.sa_flags = SA_SIGINFO;
            action.sa_sigaction = [](int, siginfo_t*, void* context) {
                static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2; // past ud2
            };
            sigaction(SIGILL, &action, nullptr);
            stepper.measure("ud2", [] { asm volatile("ud2" ::: "memory"); });
            stepper.measure("nops", [] { asm volatile(".rept 5; nop; .endr"); });
        },
        {.longest_call = 10'000});
    ASSERT_EQ(counts.failure, "");
    EXPECT_GE(counts["ud2"].max(), 4u); // ud2, then the handler and its return
    EXPECT_EQ(counts["nops"].max(), 5u);
}

TEST_F(instruction_counter, beside_other_threads) {
    std::atomic<bool> stop{false};
    // A sanitizer's runtime starts a thread with locks that no fork frees: that comes first.
    std::atomic<bool> running{false};
    std::thread busy([&] {
        for (running = true; !stop;)
            std::this_thread::yield();
    });
    while (!running)
        std::this_thread::yield();
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        if (!test::thread_sanitized)   // whose runtime allows a forked child no thread
            std::thread([] {}).join(); // the child's own are free to run
        stepper.measure("nops", [] { asm volatile(".rept 5; nop; .endr"); });
    });
    stop = true;
    busy.join();
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["nops"].max(), 5u);
}

TEST_F(instruction_counter, leaves_this_thread_the_processors_it_had) {
    cpu_set_t before;
    cpu_set_t after;
    std::memset(&before, 0xff, sizeof before);
    ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0); // whatever is allowed
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    (void)test::count_instructions([](os::stepper&) {});
    ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST_F(instruction_counter, a_hundred_thousand_calls) {
    const unsigned calls = test::counts_are_exact ? 100'000 : 1000;
    const auto counts = test::count_instructions([&](os::stepper& stepper) {
        for (unsigned i = 0; i < calls; ++i)
            stepper.measure("nop", [] { asm volatile(".rept 1; nop; .endr"); });
    });
    ASSERT_EQ(counts.failure, "");
    EXPECT_EQ(counts["nop"].instructions, std::vector<std::uint32_t>(calls, 1));
}

#endif

} // namespace
