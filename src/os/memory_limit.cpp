#include "resident/memory_limit.hpp"

#include "os/headroom.hpp"
#include "os/kernel.hpp"
#include "os/process_status.hpp"

#include <algorithm>

namespace resident {
namespace {

constexpr const char* subject = "RLIMIT_MEMLOCK";

std::size_t as_size(rlim_t limit) noexcept {
    return limit == RLIM_INFINITY ? unlimited : static_cast<std::size_t>(limit);
}

rlim_t as_limit(std::size_t bytes) noexcept {
    return bytes == unlimited ? RLIM_INFINITY : static_cast<rlim_t>(bytes);
}

status set(const rlimit& limit) {
    const os::outcome answer = os::system().set_limit(RLIMIT_MEMLOCK, limit);
    if (answer)
        return std::monostate{};
    return os::make_error(operation::set_limit, answer.error_number(), as_size(limit.rlim_cur),
                          subject);
}

} // namespace

result<memory_limit> read_memory_limit() {
    rlimit limit{};
    const os::outcome answer = os::system().get_limit(RLIMIT_MEMLOCK, limit);
    if (!answer) {
        return os::make_error(operation::read_system_file, answer.error_number(), 0, subject);
    }
    return memory_limit{.soft = as_size(limit.rlim_cur),
                        .hard = as_size(limit.rlim_max),
                        .locked = os::read_process_status().locked,
                        .exempt = os::can_exceed_memlock()};
}

status set_memory_limit(std::size_t soft) {
    const result<memory_limit> now = read_memory_limit();
    if (!now)
        return now.error();
    return set({as_limit(soft), as_limit(now->hard)});
}

status set_memory_limit(std::size_t soft, std::size_t hard) {
    return set({as_limit(soft), as_limit(hard)});
}

result<memory_limit> raise_memory_limit() {
    result<memory_limit> now = read_memory_limit();
    if (!now || now->soft == now->hard)
        return now;
    const status raised = set_memory_limit(now->hard);
    if (!raised)
        return raised.error();
    return read_memory_limit();
}

headroom_snapshot read_headroom() noexcept { return os::read_headroom(); }

} // namespace resident
