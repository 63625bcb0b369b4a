#include "os/memlock_limit.hpp"

namespace resident::os {
namespace {

std::size_t as_size(rlim_t limit) noexcept {
    return limit == RLIM_INFINITY ? unlimited : static_cast<std::size_t>(limit);
}

rlim_t as_limit(std::size_t bytes) noexcept {
    return bytes == unlimited ? RLIM_INFINITY : static_cast<rlim_t>(bytes);
}

} // namespace

outcome read_memlock_limit(memlock_limit& limit) noexcept {
    rlimit read{};
    const outcome answer = system().get_limit(RLIMIT_MEMLOCK, read);
    if (answer)
        limit = {.soft = as_size(read.rlim_cur), .hard = as_size(read.rlim_max)};
    return answer;
}

outcome set_memlock_limit(const memlock_limit& limit) noexcept {
    return system().set_limit(RLIMIT_MEMLOCK, {as_limit(limit.soft), as_limit(limit.hard)});
}

outcome raise_soft_memlock_limit(memlock_limit& limit) noexcept {
    if (limit.soft == limit.hard)
        return outcome::success();
    const outcome raised = set_memlock_limit({.soft = limit.hard, .hard = limit.hard});
    if (raised)
        limit.soft = limit.hard;
    return raised;
}

} // namespace resident::os
