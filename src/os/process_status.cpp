#include "os/process_status.hpp"

#include "os/kernel.hpp"
#include "os/system_file.hpp"

#include <string_view>

#include <linux/capability.h>

namespace resident::os {

process_status read_process_status() noexcept {
    process_status status;
    line_reader file("/proc/self/status");
    std::string_view line;
    const auto set = [&line](std::string_view key, std::size_t& field) {
        if (const auto number = field_value(line, key))
            field = static_cast<std::size_t>(*number);
    };
    while (file.next(line)) {
        set("VmSize", status.mapped);
        set("VmLck", status.locked);
        set("VmData", status.data);
        if (line.starts_with("Uid:")) {
            line.remove_prefix(4);
            take_number(line); // the real one
            status.user = take_number(line).value_or(0);
        }
    }
    return status;
}

namespace {

bool in_first_user_namespace() noexcept {
    line_reader file("/proc/self/uid_map");
    std::string_view line;
    if (!file.next(line))
        return true; // a kernel without user namespaces
    constexpr std::uint64_t every_user = 0xffffffff;
    const auto inside = take_number(line);
    const auto outside = take_number(line);
    const auto count = take_number(line);
    return inside == 0U && outside == 0U && count == every_user;
}

} // namespace

bool has_capability(unsigned capability) noexcept {
    const outcome effective = system().effective_capabilities();
    return effective && (effective.value() & std::uintptr_t{1} << capability) != 0;
}

bool can_exceed_memlock() noexcept {
    return has_capability(CAP_IPC_LOCK) && in_first_user_namespace();
}

} // namespace resident::os
