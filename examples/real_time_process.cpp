// A whole real-time program: prepare the process, take an arena, prepare the thread, and run a
// loop of 1 ms in which containers grow and shrink without a single page fault.
#include <resident/arena.hpp>
#include <resident/fault_counter.hpp>
#include <resident/prepare.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <memory_resource>
#include <thread>

#include <pthread.h>
#include <sched.h>

using namespace resident::literals;
using namespace std::chrono_literals;

namespace {

constexpr int iterations = 200;

bool become_real_time() {
    sched_param priority{};
    priority.sched_priority = 80;
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;
}

resident::faults control_loop(resident::arena& arena) {
    // A pool of the standard library over locked memory. It keeps what it took, so that the rounds
    // before the counting starts show it what the loop will need.
    std::pmr::unsynchronized_pool_resource pool{&arena};
    std::pmr::map<int, double> measurements{&pool};
    const auto round = [&] {
        for (int sensor = 0; sensor < 50; ++sensor)
            measurements[sensor] = sensor * 0.5;
        measurements.clear();
    };
    const auto run = [&](int count) {
        auto next = std::chrono::steady_clock::now();
        for (int iteration = 0; iteration < count; ++iteration) {
            round();
            next += 1ms;
            std::this_thread::sleep_until(next);
        }
    };
    run(20); // whatever is called is called here for the first time
    const resident::fault_counter counter;
    run(iterations);
    return counter.count();
}

} // namespace

int main() {
    // First, before other threads and before anything large: malloc keeps what it has, code is in
    // RAM, and room in the memlock limit is left for the arena below.
    const auto process = resident::prepare_process({.leave_lockable = 3_MiB});
    if (!process) {
        std::cerr << process.error().what() << '\n';
        return 1;
    }
    std::cout << "process:\n" << *process;

    // 2 MiB, so that this runs within the 8 MiB which an ordinary user may lock by default.
    auto arena = resident::arena::create({.capacity = 2_MiB, .name = "control loop"});
    if (!arena) {
        std::cerr << arena.error().what() << '\n';
        return 1;
    }

    resident::faults faults;
    bool prepared = false;
    std::thread control{[&] {
        // Before the thread becomes real-time: growing and locking its stack takes its time.
        const auto stack = resident::prepare_this_thread({.stack = 128_KiB});
        prepared = stack.has_value();
        if (!prepared) {
            std::cerr << stack.error().what() << '\n';
            return;
        }
        std::cout << "thread:\n" << *stack;
        std::cout << (become_real_time() ? "scheduling: SCHED_FIFO, priority 80\n"
                                         : "scheduling: ordinary (SCHED_FIFO needs a privilege: "
                                           "rtprio in limits.conf)\n");
        faults = control_loop(*arena);
    }};
    control.join();

    std::cout << iterations << " iterations of 1 ms: " << faults.minor << " minor and "
              << faults.major << " major page faults\n";
    return prepared && faults == resident::faults{} ? 0 : 2;
}
