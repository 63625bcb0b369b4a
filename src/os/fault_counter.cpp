#include "resident/fault_counter.hpp"

#include "os/kernel.hpp"

#include <ostream>

namespace resident {
namespace {

faults read(fault_counter::scope counted) noexcept {
    const auto scope = counted == fault_counter::scope::this_thread ? os::fault_scope::thread
                                                                    : os::fault_scope::process;
    os::fault_counts counts;
    // getrusage does not fail on these arguments.
    static_cast<void>(os::system().count_faults(scope, counts));
    return {.minor = counts.minor, .major = counts.major};
}

} // namespace

std::ostream& operator<<(std::ostream& out, const faults& counted) {
    return out << counted.minor << " minor, " << counted.major << " major";
}

fault_counter::fault_counter(scope counted) noexcept : scope_(counted), start_(read(counted)) {}

faults fault_counter::count() const noexcept {
    const faults now = read(scope_);
    return {.minor = now.minor - start_.minor, .major = now.major - start_.major};
}

void fault_counter::restart() noexcept { start_ = read(scope_); }

} // namespace resident
