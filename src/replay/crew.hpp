/// The threads of a replay.
#pragma once

#include "os/harness/stack_thread.hpp"
#include "os/harness/thread_stacks.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace resident::replay {

/// Real threads for the workers of a trace, on stacks of which what they use is there from the
/// start: making them costs no fault in memory of their own. Worker 0 is the thread that calls
/// run().
class crew {
public:
    /// Executes the list of one worker. Returns: whether that worker goes on in the next chunk.
    using list_runner = bool (*)(void* context, std::uint32_t worker, std::uint32_t first);
    /// Is called where a thread cannot be started, which leaves the others waiting.
    using surrender = void (*)(void* context, std::string_view why);

    struct options {
        std::uint32_t workers = 1; ///< at once
        list_runner run_list = nullptr;
        surrender give_up = nullptr; ///< must not return
        void* context = nullptr;
    };

    /// Of memory, what each worker takes: its stack; some 28 KiB of the kernel's, where a thread
    /// has a stack of 16 KiB and its description; and what is kept of it here.
    static constexpr std::size_t bytes_each = os::thread_stacks::populated_each + 28_KiB + 1_KiB;

    /// Throws: `resident::error` if there is no memory for the stacks.
    explicit crew(const options& how);
    ~crew() { finish(); }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;

    /// Effects: has each worker execute the list that begins at its place in `first`, if any, and
    /// waits for all, also for those that began meanwhile.
    void run(std::span<const std::uint32_t> first);

    // For the list runner of worker 0.
    void begin(std::uint32_t worker, std::uint32_t first);
    void end(std::uint32_t worker);

    /// Effects: ends and joins the workers that are still there.
    void finish();

private:
    enum : std::uint32_t { idle, running, stopping };
    struct worker {
        crew* of = nullptr;
        std::uint32_t number = 0;
        std::uint32_t first = 0;
        bool is_there = false; ///< for worker 0 to know
        std::atomic<std::uint32_t> state{idle};
        os::stack_thread thread{};
    };

    static void live(void* self);
    void start_list(worker& who, std::uint32_t first);

    options how_;
    os::thread_stacks stacks_; ///< of worker 1 and those after it
    std::vector<std::unique_ptr<worker>> workers_;
};

} // namespace resident::replay
