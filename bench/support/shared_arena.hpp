/// The locked memory that contestants take turns on.
#pragma once

#include <resident/arena.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace resident::bench {

/// One arena for the whole program, built at the first call; locked if the limit permits (the
/// program's output says). Contestants give back what they took, so each finds it empty.
/// Ends the program with the error's message if there is not enough memory.
arena& shared_arena();

/// For 10 000 blocks of the log mix, some 4 MiB, and pools that grow by large steps.
inline constexpr std::size_t enough_for_the_churn = std::size_t{128} << 20;

/// Another size than 512 MiB, where the blocks of the workload need less: locking takes its time.
/// Call before the first use.
void set_shared_arena_capacity(std::size_t bytes) noexcept;
/// Neither locked nor of huge pages. Call before the first use.
void set_shared_arena_unlocked() noexcept;

/// Its size, whether it is locked, and its pages; empty if it was not built.
std::string describe_shared_arena();

/// What contestants on it have in common.
class on_shared_arena {
public:
    /// Bytes of its runs that are handed out.
    static std::size_t bytes_in_use() { return shared_arena().statistics().in_use; }
};

/// The whole shared arena as one run, while it lives.
class arena_run {
public:
    arena_run();
    ~arena_run();
    arena_run(const arena_run&) = delete;
    arena_run& operator=(const arena_run&) = delete;

    [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

private:
    std::span<std::byte> memory_;
};

} // namespace resident::bench
