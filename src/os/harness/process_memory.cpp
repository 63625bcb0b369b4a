#include "os/harness/process_memory.hpp"

#include "os/system_file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace resident::os {

process_memory read_process_memory() noexcept {
    constexpr const char* path = "/proc/self/status";
    return {.resident = static_cast<std::size_t>(read_field(path, "VmRSS").value_or(0)),
            .peak_resident = static_cast<std::size_t>(read_field(path, "VmHWM").value_or(0))};
}

bool restart_peak_of_memory() noexcept {
    const int descriptor = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    const bool done = ::write(descriptor, "5", 1) == 1;
    ::close(descriptor);
    return done;
}

} // namespace resident::os
