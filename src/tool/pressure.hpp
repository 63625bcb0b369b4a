/// Too little memory, on purpose, and only for the demo's own children.
#pragma once

#include "os/harness/child_process.hpp"
#include "os/harness/cleanup_guardian.hpp"
#include "os/harness/memory_cgroup.hpp"
#include "os/harness/shared_memory.hpp"
#include "tool/contest_channel.hpp"
#include "tool/demo_result.hpp"

#include <memory>
#include <optional>
#include <string>

namespace resident::tool {

/// A memory cgroup, swap, and a hog in that cgroup: whatever in it is not locked gets swapped out.
/// All is gone when the object is, and also when the process ends in any other way.
class pressure {
public:
    /// Arranges it for an arena of `arena_capacity` bytes, or finds out why that cannot be:
    /// state() tells. Call while this process has one thread.
    explicit pressure(std::size_t arena_capacity);
    /// No pressure, for `reason`.
    explicit pressure(std::string reason) { state_.reason = std::move(reason); }
    pressure(const pressure&) = delete;
    pressure& operator=(const pressure&) = delete;

    [[nodiscard]] const pressure_state& state() const noexcept { return state_; }
    /// To start a contestant in; empty without pressure.
    [[nodiscard]] std::string cgroup() const { return cgroup_ ? cgroup_->path() : std::string(); }

    /// Starts a hog that keeps off `processor`; nothing without pressure.
    /// Throws: std::runtime_error if and only if it does not start.
    void start_hog(int processor);
    /// Whether it has taken all its memory once, so that everything else is on its way out; true
    /// without pressure. Throws: std::runtime_error if and only if the hog has ended.
    bool hog_is_in_full_swing();
    void stop_hog() { hog_.reset(); }

    /// Ends it all. Returns: whether the machine is as before.
    bool end();

private:
    std::string arrange(std::size_t arena_capacity);
    std::string arrange_swap(std::size_t needed);

    pressure_state state_;
    std::unique_ptr<os::cleanup_guardian> guardian_; // outlives what it cleans up
    std::unique_ptr<os::memory_cgroup> cgroup_;
    std::optional<os::shared_memory> hog_memory_;
    std::optional<os::child_process> hog_;
};

} // namespace resident::tool
