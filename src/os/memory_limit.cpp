#include "resident/memory_limit.hpp"

#include "os/headroom.hpp"
#include "os/memlock_limit.hpp"
#include "os/process_status.hpp"

namespace resident {
namespace {

constexpr const char* limit_subject = "RLIMIT_MEMLOCK";

result<os::memlock_limit> read_limit() {
    os::memlock_limit limit;
    const os::outcome answer = os::read_memlock_limit(limit);
    if (answer)
        return limit;
    return os::make_error(operation::read_system_file, answer.error_number(), 0, limit_subject);
}

error refused(const os::outcome& answer, std::size_t soft) {
    return os::make_error(operation::set_limit, answer.error_number(), soft, limit_subject);
}

status set(const os::memlock_limit& limit) {
    if (const os::outcome answer = os::set_memlock_limit(limit); !answer)
        return refused(answer, limit.soft);
    return std::monostate{};
}

memory_limit describe(const os::memlock_limit& limit) {
    return {.soft = limit.soft,
            .hard = limit.hard,
            .locked = os::read_process_status().locked,
            .exempt = os::can_exceed_memlock()};
}

} // namespace

result<memory_limit> read_memory_limit() {
    const result<os::memlock_limit> limit = read_limit();
    if (!limit)
        return limit.error();
    return describe(*limit);
}

status set_memory_limit(std::size_t soft) {
    const result<os::memlock_limit> limit = read_limit();
    if (!limit)
        return limit.error();
    return set({.soft = soft, .hard = limit->hard});
}

status set_memory_limit(std::size_t soft, std::size_t hard) {
    return set({.soft = soft, .hard = hard});
}

result<memory_limit> raise_memory_limit() {
    result<os::memlock_limit> limit = read_limit();
    if (!limit)
        return limit.error();
    if (const os::outcome raised = os::raise_soft_memlock_limit(*limit); !raised)
        return refused(raised, limit->hard);
    return describe(*limit);
}

headroom_snapshot read_headroom() noexcept { return os::read_headroom(); }

} // namespace resident
