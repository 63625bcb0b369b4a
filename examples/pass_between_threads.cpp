// A control loop hands records to a logger, which frees them: no lock between the two, and no
// memory from the kernel. Each thread has its lane before the loop begins, and the loop's records
// are reserved in its own.
#include <resident/resident.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <iostream>
#include <memory_resource>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

struct record {
    record(int step_taken, std::pmr::string said) : step(step_taken), text(std::move(said)) {}

    int step;
    std::pmr::string text;
};

/// From one thread to one other; bounded.
class record_queue {
public:
    bool try_push(record* passed) {
        if (written_ - read_.load(std::memory_order_acquire) == slots_.size())
            return false;
        slots_[written_ % slots_.size()] = passed;
        written_.store(written_ + 1, std::memory_order_release);
        return true;
    }
    record* try_pop() {
        if (written_.load(std::memory_order_acquire) == read_)
            return nullptr;
        record* const passed = slots_[read_ % slots_.size()];
        read_.store(read_ + 1, std::memory_order_release);
        return passed;
    }

private:
    std::array<record*, 256> slots_{};
    alignas(64) std::atomic<std::size_t> written_{0};
    alignas(64) std::atomic<std::size_t> read_{0};
};

constexpr int steps = 10'000;
constexpr std::string_view text = "position reached, torque within limits";

void control(std::pmr::memory_resource& pool, record_queue& queue) {
    std::pmr::polymorphic_allocator<> memory{&pool};
    for (int step = 0; step < steps; ++step) {
        record* const made = memory.new_object<record>(step, std::pmr::string{text, memory});
        while (!queue.try_push(made))
            std::this_thread::yield(); // a real loop would drop the record, and count that
    }
}

std::size_t log(std::pmr::memory_resource& pool, record_queue& queue) {
    std::pmr::polymorphic_allocator<> memory{&pool};
    std::size_t characters = 0;
    for (int logged = 0; logged < steps;) {
        record* const next = queue.try_pop();
        if (next == nullptr) {
            std::this_thread::yield();
            continue;
        }
        characters += next->text.size();
        memory.delete_object(next);
        ++logged;
    }
    return characters;
}

} // namespace

int main() {
    resident::arena arena{};
    resident::synchronized_pool_resource pool{arena};
    record_queue queue;
    std::size_t characters = 0;
    std::thread logger([&] {
        pool.attach_this_thread();
        characters = log(pool, queue);
    });
    std::thread loop([&] {
        if (!pool.attach_this_thread(sizeof(record), 600))
            return;
        control(pool, queue);
    });
    loop.join();
    logger.join();
    std::cout << "characters logged:  " << characters << '\n'
              << "calls that waited:  " << pool.guarded_calls() << '\n'
              << "requests refused:   " << pool.statistics().failures << '\n';
    pool.trim();
    std::cout << "bytes still in use: " << pool.statistics().in_use << '\n';
    return pool.guarded_calls() == 0 ? 0 : 2;
}
