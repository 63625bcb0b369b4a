#include "os/harness/memory_cgroup.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace resident::os {
namespace {

/// Where memory cgroups are found, and the one that this process is in.
struct hierarchy {
    int version = 0; ///< 0: no memory controller is mounted
    std::string mount_point;
    std::string own_path; ///< below the mount point, begins with '/'
};

bool has_item(std::string_view list, std::string_view item, char separator) {
    while (!list.empty()) {
        const std::size_t length = std::min(list.find(separator), list.size());
        if (list.substr(0, length) == item)
            return true;
        list.remove_prefix(std::min(length + 1, list.size()));
    }
    return false;
}

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    std::string content = text.str();
    while (!content.empty() && content.back() == '\n')
        content.pop_back();
    return content;
}

/// One write call, because the files of a cgroup take a value as a whole. Returns: errno or 0.
int write_text(const std::string& path, std::string_view text) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    const int error_number = written < 0 ? errno : 0;
    ::close(descriptor);
    return error_number;
}

/// The mount point of the memory controller: version 1 where it is mounted, else version 2.
void find_mount_point(hierarchy& found) {
    std::ifstream mounts("/proc/self/mountinfo");
    std::string line;
    while (std::getline(mounts, line)) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos)
            continue;
        std::istringstream left(line.substr(0, dash));
        std::istringstream right(line.substr(dash + 3));
        std::string identity, parent, device, root, mount_point, type, source, options;
        left >> identity >> parent >> device >> root >> mount_point;
        right >> type >> source >> options;
        if (type == "cgroup" && has_item(options, "memory", ',')) {
            found.version = 1;
            found.mount_point = mount_point;
            return;
        }
        if (type == "cgroup2" && found.version == 0 &&
            has_item(read_text(mount_point + "/cgroup.controllers"), "memory", ' ')) {
            found.version = 2;
            found.mount_point = mount_point;
        }
    }
}

hierarchy find_hierarchy() {
    hierarchy found;
    find_mount_point(found);
    std::ifstream memberships("/proc/self/cgroup");
    std::string line;
    while (std::getline(memberships, line)) { // hierarchy-id:controllers:path
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string::npos)
            continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool wanted =
            found.version == 1 ? has_item(controllers, "memory", ',') : controllers.empty();
        if (wanted)
            found.own_path = line.substr(second + 1);
    }
    if (found.own_path == "/")
        found.own_path.clear();
    return found;
}

/// Whether a child of this version 2 cgroup would have the memory controller.
bool delegates_memory(const std::string& directory) {
    const std::string control = directory + "/cgroup.subtree_control";
    return has_item(read_text(control), "memory", ' ') || write_text(control, "+memory") == 0;
}

/// The directory to make the cgroup in: as near to this process as the version allows.
std::string find_parent(const hierarchy& where) {
    std::string path = where.own_path;
    for (;;) {
        std::string directory = where.mount_point + path;
        const bool exists = ::access(directory.c_str(), F_OK) == 0; // not so in some containers
        if (exists && (where.version == 1 || delegates_memory(directory)))
            return directory;
        if (path.empty())
            return {};
        path.resize(path.rfind('/'));
    }
}

void pause_briefly() {
    const timespec ten_milliseconds{0, 10'000'000};
    ::nanosleep(&ten_milliseconds, nullptr);
}

void end_processes(const std::string& directory) {
    std::ifstream members(directory + "/cgroup.procs");
    pid_t process = 0;
    while (members >> process) {
        if (process > 0 && process != ::getpid())
            ::kill(process, SIGKILL);
    }
}

} // namespace

std::string memory_cgroup::directory_of(const std::string& name, std::string& reason) {
    const hierarchy where = find_hierarchy();
    if (where.version == 0) {
        reason = "no memory controller is mounted";
        return {};
    }
    const std::string parent = find_parent(where);
    if (!parent.empty())
        return parent + "/" + name;
    reason = "no cgroup here passes the memory controller on to its children";
    return {};
}

std::unique_ptr<memory_cgroup> memory_cgroup::create(const std::string& name, std::size_t limit,
                                                     std::string& reason) {
    const std::string directory = directory_of(name, reason);
    if (directory.empty())
        return nullptr;
    if (::mkdir(directory.c_str(), 0755) != 0) {
        reason = "cannot make " + directory + ": " + std::strerror(errno);
        return nullptr;
    }
    std::unique_ptr<memory_cgroup> made(new memory_cgroup(directory)); // removes it from here on
    int error_number = ENOENT;
    for (const char* file : {"/memory.limit_in_bytes", "/memory.max"}) { // version 1, version 2
        if (error_number == ENOENT) {
            error_number = write_text(directory + file, std::to_string(limit));
        }
    }
    if (error_number == 0)
        return made;
    reason = "cannot limit " + directory + ": " + std::strerror(error_number);
    return nullptr;
}

memory_cgroup::~memory_cgroup() {
    // A process that has just ended may still be counted for a moment.
    for (int attempt = 0; attempt < 200; ++attempt) {
        if (::rmdir(path_.c_str()) == 0 || errno != EBUSY)
            return;
        pause_briefly();
    }
}

bool memory_cgroup::admit(pid_t process) {
    return write_text(path_ + "/cgroup.procs", std::to_string(process)) == 0;
}

std::size_t memory_cgroup::usage() const {
    for (const char* file : {"/memory.usage_in_bytes", "/memory.current"}) {
        const std::string text = read_text(path_ + file);
        std::size_t bytes = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), bytes).ec == std::errc()) {
            return bytes;
        }
    }
    return 0;
}

bool memory_cgroup::remove(const std::string& directory) {
    for (int attempt = 0; attempt < 200; ++attempt) {
        end_processes(directory);
        if (::rmdir(directory.c_str()) == 0 || errno == ENOENT)
            return true;
        if (errno != EBUSY)
            return false;
        pause_briefly();
    }
    return false;
}

} // namespace resident::os
