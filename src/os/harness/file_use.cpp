#include "os/harness/file_use.hpp"

#include "os/kernel.hpp"
#include "os/mappings.hpp"
#include "os/system_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace resident::os {
namespace {

namespace fs = std::filesystem;

/// A mapping counts as a writer where it holds the file that was opened. Stacked file systems
/// (overlay, FUSE) map another file; those of the network refuse leases for reasons of their own.
bool keeps_count_of_writers(int descriptor) {
    constexpr unsigned long xfs = 0x58465342;
    constexpr unsigned long zfs = 0x2fc12fc1;
    constexpr unsigned long bcachefs = 0xca451a4e;
    struct statfs there {};
    if (::fstatfs(descriptor, &there) != 0)
        return false;
    switch (static_cast<unsigned long>(there.f_type)) {
    case EXT4_SUPER_MAGIC: // and those before it
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
    case xfs:
    case zfs:
    case bcachefs:
        return true;
    default:
        return false;
    }
}

/// Nothing if the kernel cannot tell.
std::optional<bool> has_writers(const std::string& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return std::nullopt;
    std::optional<bool> found;
    if (keeps_count_of_writers(descriptor)) {
        // Who opens the file just now waits until the lease is given back, and has this process
        // told: by a signal that it ignores, instead of SIGIO, which would end it.
        ::fcntl(descriptor, F_SETSIG, SIGURG);
        if (::fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) {
            ::fcntl(descriptor, F_SETLEASE, F_UNLCK);
            found = false;
        } else if (errno == EAGAIN) {
            found = true;
        }
    }
    ::close(descriptor);
    return found;
}

/// What /proc/<id>/status says of a process.
struct process_state {
    bool readable = false;
    std::string inner_id; ///< in the innermost PID namespace; empty before Linux 4.1
    bool ended = false;   ///< and waits to be asked about; none of its threads runs
};

process_state read_state(const fs::path& process) {
    process_state state;
    bool is_zombie = false;
    bool is_alone = false;
    line_reader lines((process / "status").c_str());
    for (std::string_view line; lines.next(line); state.readable = true) {
        const std::string_view name = line.substr(0, line.find(':'));
        line.remove_prefix(std::min(name.size() + 1, line.size()));
        if (name == "State")
            is_zombie = take_word(line) == "Z";
        if (name == "Threads")
            is_alone = take_number(line) == 1U;
        if (name == "NSpid")
            for (auto id = take_word(line); !id.empty(); id = take_word(line))
                state.inner_id = id;
    }
    state.ended = is_zombie && is_alone;
    return state;
}

/// Whether a process that can be looked at has not mapped the file behind its first page. What is
/// mapped piece by piece may be one mapping: the kernel joins neighbours.
bool surely_unmapped(const fs::path& process, const std::string& file, const struct stat& there) {
    std::error_code failure;
    const std::string path = fs::canonical(file, failure).string();
    std::ifstream maps(process / "maps");
    bool any = false;
    for (std::string line; std::getline(maps, line);) {
        any = true;
        const auto mapped = parse_mapping(line);
        const bool is_file =
            mapped && (mapped->inode == there.st_ino || (!failure && line.ends_with(" " + path)));
        if (is_file && mapped->file_offset + (mapped->end - mapped->begin) > page_size())
            return false;
    }
    return any; // none: it may not be looked at, or its first thread alone has ended
}

/// /proc shows all processes that can be there: those of this PID namespace and of the ones below,
/// and no process can go up from where it is.
bool sees_all_processes() {
    std::error_code failure;
    return fs::exists("/proc/1", failure) && fs::exists("/proc/self/status", failure);
}

/// Whether a process of this id, in its own PID namespace, may have the file mapped.
bool may_write(const std::string& file, unsigned long writer) {
    struct stat there {};
    if (!sees_all_processes() || ::stat(file.c_str(), &there) != 0)
        return true;
    std::error_code failure;
    for (fs::directory_iterator at("/proc", failure), end; !failure && at != end;
         at.increment(failure)) {
        const std::string id = at->path().filename().string();
        if (id.find_first_not_of("0123456789") != std::string::npos)
            continue;
        const process_state state = read_state(at->path());
        if (!state.readable && !fs::exists(at->path()))
            continue; // it has just ended
        const std::string& inner = state.inner_id.empty() ? id : state.inner_id;
        if (state.readable && inner != std::to_string(writer))
            continue;
        if (!state.ended && !surely_unmapped(at->path(), file, there))
            return true;
    }
    return static_cast<bool>(failure);
}

} // namespace

file_use use_of(const std::string& file, unsigned long writer) {
    if (has_writers(file) == false)
        return file_use::none;
    return may_write(file, writer) ? file_use::live : file_use::stale;
}

} // namespace resident::os
