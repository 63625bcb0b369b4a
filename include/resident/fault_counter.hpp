/// Counting page faults, and stopping at the first.
#pragma once

#include <cstdint>
#include <iosfwd>

namespace resident {

/// Page faults of one kind and the other.
struct faults {
    std::uint64_t minor = 0; ///< served without I/O: a first touch, a copy-on-write, a moved page
    std::uint64_t major = 0; ///< served from disk or swap
    friend bool operator==(const faults&, const faults&) = default;
};
std::ostream& operator<<(std::ostream& out, const faults& counted);

/// Counts the faults of one thread or of the whole process since it was made or restarted.
/// getrusage: one system call a reading, about 300 ns. A fault that maps a transparent huge page
/// counts 1; pages populated by madvise count too, so restart() after set-up. Real-time safe but
/// for that system call; a thread counter is read on the thread that made it.
class fault_counter {
public:
    enum class scope : std::uint8_t { this_thread, process };

    explicit fault_counter(scope counted = scope::this_thread) noexcept;
    /// Faults since construction or restart().
    [[nodiscard]] faults count() const noexcept;
    void restart() noexcept;

private:
    scope scope_;
    faults start_;
};

} // namespace resident
