#include "os/harness/swap_file.hpp"

#include "os/harness/child_process.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/swap.h>
#include <unistd.h>

namespace resident::os {
namespace {

/// Returns: empty, or why not. The file has no holes, which swap cannot have.
std::string make_file(const std::string& path, std::size_t bytes) {
    const int descriptor = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return "cannot create " + path + ": " + std::strerror(errno);
    const int error_number = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
    ::close(descriptor);
    if (error_number == 0)
        return {};
    ::unlink(path.c_str());
    return "cannot fill " + path + ": " + std::strerror(error_number);
}

/// mkswap lives in sbin, which not every PATH has.
std::string format_as_swap(const std::string& path) {
    std::string reason;
    for (const char* program : {"mkswap", "/usr/sbin/mkswap", "/sbin/mkswap"}) {
        auto child =
            child_process::start({.program = program, .arguments = {"mkswap", path}}, reason);
        if (!child)
            continue;
        const child_end end = child->wait();
        return end.signal == 0 && end.exit_code == 0 ? std::string() : child->output();
    }
    return reason;
}

} // namespace

std::size_t free_swap() {
    std::ifstream facts("/proc/meminfo");
    std::string name;
    std::size_t kibibytes = 0;
    std::string unit;
    while (facts >> name >> kibibytes) {
        if (name == "SwapFree:")
            return kibibytes << 10;
        std::getline(facts, unit);
    }
    return 0;
}

std::string add_swap_file(const std::string& path, std::size_t bytes) {
    std::string failure = make_file(path, bytes);
    if (!failure.empty())
        return failure;
    failure = format_as_swap(path);
    if (failure.empty() && ::swapon(path.c_str(), 0) != 0) {
        failure = "cannot swap to " + path + ": " + std::strerror(errno);
    }
    if (!failure.empty())
        ::unlink(path.c_str());
    return failure;
}

bool remove_swap_file(const std::string& path) {
    // EINVAL: it is no swap any more, or never was.
    const bool off = ::swapoff(path.c_str()) == 0 || errno == EINVAL || errno == ENOENT;
    if (!off)
        return false; // a file in use must stay: deleted, nobody could turn it off by name
    return ::unlink(path.c_str()) == 0 || errno == ENOENT;
}

} // namespace resident::os
