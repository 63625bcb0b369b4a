// Concerns: a thread that stops anywhere inside of allocate or deallocate keeps no other waiting,
// but for those who need the arena while it holds the arena's mutex.
// Plan: a child with three threads. One is single-stepped by ptrace through calls that take every
// way there is between lists, depot, inboxes and slabs; after each of its instructions it stays
// frozen while the two others do ten thousand operations each, among them its own blocks handed
// back, runs from the arena, and trim(). While it holds the arena's mutex they do without the
// last two; those instructions are told, and are few. Then it frees blocks of theirs, past its list
// and the depot, while they take in what it has handed them so far.

#include <resident/synchronized_pool_resource.hpp>

#include "arena/run_source.hpp"
#include "pool/inbox.hpp"
#include "support/build.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

constexpr std::size_t small = 64;   // its list is long: inline
constexpr std::size_t large = 3000; // its list has two blocks: each third call goes out of line
constexpr std::size_t other = 5000; // the same, of another class
constexpr int operations = 10'000;  // of each thread, while the other is frozen

/// What the child and its tracer share.
struct board {
    std::atomic<pid_t> stepped{0};              ///< the thread to be frozen, once it is ready
    std::atomic<std::uint32_t*> mutex{nullptr}; ///< the arena's futex word, in the child
    std::atomic<bool> attached{false};          ///< the tracer is there
    std::atomic<bool> open{false};              ///< the call to be stepped through is not over
    std::atomic<bool> over{false};              ///< no more calls
    std::atomic<int> round{0};                  ///< that the others are to do
    std::atomic<bool> without_arena{false};
    std::atomic<bool> is_handing_over{false}; ///< so that no other empties lists, or the depot
    std::atomic<std::uintptr_t> hand_in{0};   ///< where inbox::hand_in() begins
    std::array<std::atomic<int>, 2> done{};   ///< rounds
    std::array<char, 64> call{};
    std::atomic<bool> stop{false};
};

/// The child: the frozen thread is its main one.
class frozen_program {
public:
    explicit frozen_program(board& shared) : board_(shared) {}

    void run() {
        std::array<std::thread, 2> others{std::thread([this] { be_other(0); }),
                                          std::thread([this] { be_other(1); })};
        while (ready_ != 2)
            std::this_thread::yield();
        pool_.attach_this_thread();
        board_.mutex = reinterpret_cast<std::uint32_t*>(&detail::arena_access::runs(memory_));
        board_.stepped = static_cast<pid_t>(syscall(SYS_gettid));
        while (!board_.attached)
            std::this_thread::yield();
        for (int time = 0; time < 2; ++time)
            take_every_way();
        hand_over();
        board_.over = true;
        asm volatile("int3");
        while (!board_.stop)
            std::this_thread::yield();
        for (std::thread& each : others)
            each.join();
        for (std::atomic<void*>& each : own_blocks_)
            if (void* const block = each.exchange(nullptr))
                pool_.deallocate(block, small);
        pool_.trim();
        const bool well = pool_.statistics().in_use == 0 && pool_.check() == nullptr;
        _exit(well ? 0 : 1);
    }

private:
    template <class Call>
    void step(const char* name, Call call) {
        std::strncpy(board_.call.data(), name, board_.call.size() - 1);
        board_.open = true;
        asm volatile("int3" ::: "memory");
        call();
        board_.open = false;
    }
    void* allocate(const char* name, std::size_t bytes) {
        void* block = nullptr;
        step(name, [&] { block = pool_.try_allocate(bytes); });
        return block;
    }
    void deallocate(const char* name, void* block, std::size_t bytes) {
        step(name, [&] { pool_.deallocate(block, bytes); });
    }
    void take_every_way() {
        for (std::atomic<void*>& each : own_blocks_) // for the others to free, meanwhile
            if (void* const before = each.exchange(pool_.try_allocate(small)))
                pool_.deallocate(before, small);
        deallocate("deallocate, inline", allocate("allocate, inline", small), small);
        std::vector<void*> blocks(9);
        for (void*& each : blocks)
            each = allocate("allocate, out of line", large);
        std::thread([&] { // a lane of its own, with blocks that are not of this one
            for (int count = 0; count < 6; ++count)
                blocks.push_back(pool_.try_allocate(large));
        })
            .join();
        for (void* const each : blocks)
            deallocate("deallocate, out of line", each, large);
        deallocate("deallocate, a run", allocate("allocate, a run", 100'000), 100'000);
    }

    void hand_over() {
        const auto entry = &detail::inbox::hand_in;
        std::uintptr_t address = 0;
        std::memcpy(&address, &entry, sizeof address); // of a function that is not virtual
        board_.hand_in = address;
        board_.is_handing_over = true;
        std::array<void*, 8> own{};
        for (void*& each : own)
            each = pool_.try_allocate(large);
        for (void* const each : own)
            pool_.deallocate(each, large);
        for (std::atomic<void*>& each : passed_)
            deallocate("deallocate, of another thread", each, large);
    }

    void be_other(std::size_t which) {
        pool_.attach_this_thread(small, 200); // so that there are some after trim(), too
        std::vector<void*> kept(40);
        for (void*& each : kept)
            each = pool_.try_allocate(large);
        for (std::size_t index = which; index < passed_.size(); index += 2) {
            passed_[index] = kept.back();
            kept.pop_back();
        }
        ++ready_;
        for (int round = 0; !board_.stop; std::this_thread::yield()) {
            if (board_.round == round)
                continue;
            round = board_.round;
            operate(which, board_.without_arena);
            board_.done[which] = round;
        }
        for (void* const each : kept)
            pool_.deallocate(each, large);
    }
    void operate(std::size_t which, bool without_arena) {
        std::array<void*, 20> blocks{};
        for (int done = 0; done < operations; done += 2 * static_cast<int>(blocks.size())) {
            for (void*& each : blocks)
                each = pool_.try_allocate(small);
            void* taken = own_blocks_[which].exchange(nullptr); // now and then, one of the frozen's
            for (void*& each : blocks)
                pool_.deallocate(each, small);
            if (taken != nullptr)
                pool_.deallocate(taken, small);
        }
        if (without_arena)
            return;
        const std::size_t bytes = board_.is_handing_over ? other : large;
        std::array<void*, 6> others{};
        for (void*& each : others)
            each = pool_.try_allocate(bytes);
        for (void* const each : others)
            pool_.deallocate(each, bytes);
        if (board_.is_handing_over)
            return;
        pool_.deallocate(pool_.try_allocate(100'000), 100'000);
        if (which == 0)
            pool_.trim();
    }

    board& board_;
    arena memory_{{.capacity = 16_MiB, .lock = lock_policy::off}};
    synchronized_pool_resource pool_{memory_};
    std::atomic<int> ready_{0};
    std::array<std::atomic<void*>, 2> own_blocks_{};
    std::array<std::atomic<void*>, 6> passed_{}; ///< of the others, for the frozen one to free
};

/// The parent: steps the child's thread, and has the others work in between.
class freezer {
public:
    freezer() {
        void* const page =
            mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        board_ = new (page) board;
        child_ = fork();
        if (child_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            frozen_program(*board_).run();
        }
    }
    ~freezer() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, __WALL);
        munmap(board_, sizeof(board));
    }

    void run() {
        while (board_->stepped == 0)
            std::this_thread::yield();
        ASSERT_EQ(ptrace(PTRACE_SEIZE, child_, nullptr, nullptr), 0) << std::strerror(errno);
        board_->attached = true;
        for (bool stopped = comes_to_a_stop(); stopped && !board_->over;
             stopped = go_on(PTRACE_CONT))
            if (!step_through_call())
                return;
        ASSERT_TRUE(board_->over);
        ptrace(PTRACE_DETACH, child_, nullptr, nullptr);
        board_->stop = true;
        int status = 0;
        ASSERT_EQ(waitpid(child_, &status, __WALL), child_);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }

    int instructions = 0;
    std::vector<int> holding{}; ///< those after which the mutex was held
    int longest_hold = 0;
    int hand_ins = 0; ///< stepped through
    std::vector<std::string> report{};

private:
    bool comes_to_a_stop() {
        int status = 0;
        return waitpid(child_, &status, __WALL) == child_ && WIFSTOPPED(status) &&
               WSTOPSIG(status) == SIGTRAP;
    }
    bool go_on(__ptrace_request how) {
        return ptrace(how, child_, nullptr, nullptr) == 0 && comes_to_a_stop();
    }
    bool step_through_call() {
        int count = 0;
        int held = 0;
        for (; board_->open; ++count) {
            const long word = ptrace(PTRACE_PEEKDATA, child_, board_->mutex.load(), nullptr);
            const bool holds = (static_cast<std::uint32_t>(word) & FUTEX_TID_MASK) ==
                               static_cast<std::uint32_t>(board_->stepped);
            held += holds ? 1 : 0;
            hand_ins += is_at(board_->hand_in) ? 1 : 0;
            if (!others_work(holds)) {
                ADD_FAILURE() << board_->call.data() << ": frozen after " << count
                              << " instructions, another thread does not go on";
                return false;
            }
            if (!go_on(PTRACE_SINGLESTEP))
                return false;
        }
        instructions += count;
        longest_hold = std::max(longest_hold, held);
        if (held != 0)
            report.push_back(std::string(board_->call.data()) + ": " + std::to_string(count) +
                             " instructions, " + std::to_string(held) + " with the mutex");
        return true;
    }
    bool is_at(std::uintptr_t instruction) const {
        user_regs_struct registers{};
        ptrace(PTRACE_GETREGS, child_, nullptr, &registers);
        return registers.rip == instruction;
    }
    /// Whether both others come to the end of their operations.
    bool others_work(bool without_arena) {
        board_->without_arena = without_arena;
        const int round = ++board_->round;
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (board_->done[0] != round || board_->done[1] != round) {
            if (std::chrono::steady_clock::now() > deadline)
                return false;
            std::this_thread::yield();
        }
        return true;
    }

    board* board_ = nullptr;
    pid_t child_ = -1;
};

TEST(lanes_progress, of_all_threads_while_one_is_frozen_anywhere) {
    if (test::sanitized)
        GTEST_SKIP() << "a sanitizer's runtime takes locks of its own";
    freezer all;
    all.run();
    std::printf("%d instructions, after each of which the others did %d operations each\n",
                all.instructions, operations);
    for (const std::string& each : all.report)
        std::printf("  %s\n", each.c_str());
    EXPECT_GT(all.instructions, 1000);
    EXPECT_GT(all.longest_hold, 0); // or the mutex was not seen
    EXPECT_LE(all.longest_hold, 120);
    EXPECT_GE(all.hand_ins, 3);
}

} // namespace
} // namespace resident
