#include "os/cgroups.hpp"

#include "os/system_file.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace resident::os {
namespace {

using path_buffer = std::array<char, 4096>;

struct hierarchy {
    std::string_view file_system;  // in mountinfo
    std::string_view super_option; // that the mount must have
};

constexpr hierarchy version_2{"cgroup2", ""};

/// The names that differ between the two versions of memory cgroups.
struct memory_files {
    std::string_view limit;
    std::string_view usage;
    std::string_view droppable_field; // of memory.stat: file pages not used lately
};

constexpr memory_files files_of_1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                                  "total_inactive_file"};
constexpr memory_files files_of_2{"memory.max", "memory.current", "inactive_file"};

/// What v1 calls unlimited is the greatest multiple of a page below 2^63.
constexpr std::uint64_t least_unlimited = std::uint64_t{1} << 62U;

bool contains_item(std::string_view list, std::string_view item) noexcept {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (list.substr(0, comma) == item)
            return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

/// Puts the process's path in the hierarchy into `path`, from "4:cpu,memory:/path" or "0::/path".
bool find_own_path(const hierarchy& wanted, text_builder& path) noexcept {
    line_reader file("/proc/self/cgroup");
    std::string_view line;
    while (file.next(line)) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos)
            continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const bool match = wanted.super_option.empty()
                               ? controllers.empty()
                               : contains_item(controllers, wanted.super_option);
        if (!match)
            continue;
        path << line.substr(second + 1);
        return true;
    }
    return false;
}

/// Undoes mountinfo's octal escapes of blanks and backslashes.
void append_unescaped(text_builder& out, std::string_view text) noexcept {
    const auto octal = [](char digit) { return digit >= '0' && digit <= '7'; };
    while (!text.empty()) {
        if (text.size() >= 4 && text[0] == '\\' && octal(text[1]) && octal(text[2]) &&
            octal(text[3])) {
            const int value = (text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0');
            const char character = static_cast<char>(value);
            out << std::string_view(&character, 1);
            text.remove_prefix(4);
        } else {
            out << text.substr(0, 1);
            text.remove_prefix(1);
        }
    }
}

/// What of `path` lies below `root`, component by component; nothing if it does not lie below.
std::optional<std::string_view> below(std::string_view path, std::string_view root) noexcept {
    if (path.find("/..") != std::string_view::npos)
        return std::nullopt;
    if (root == "/")
        return path == "/" ? "" : path;
    if (!path.starts_with(root))
        return std::nullopt;
    path.remove_prefix(root.size());
    if (!path.empty() && path.front() != '/')
        return std::nullopt;
    return path;
}

struct location {
    path_buffer text{};
    std::size_t mount_length = 0; // of the mount point, in text
    std::size_t length = 0;       // of the directory
};

/// A mountinfo line: "31 23 0:28 root mount-point options [optional]... - type source super".
/// Returns: whether it mounts the hierarchy; then `found` is the process's directory in it, or, if
/// its own path is not visible there, the mount point: the nearest ancestor that can be seen.
bool locate(std::string_view line, const hierarchy& wanted, std::string_view own_path,
            location& found, bool& visible) noexcept {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string_view::npos)
        return false;
    std::string_view tail = line.substr(separator + 3);
    if (take_word(tail) != wanted.file_system)
        return false;
    take_word(tail); // the source
    const std::string_view super_options = take_word(tail);
    if (!wanted.super_option.empty() && !contains_item(super_options, wanted.super_option)) {
        return false;
    }
    for (int skipped = 0; skipped < 3; ++skipped)
        take_word(line);
    path_buffer root_text;
    text_builder root(root_text);
    append_unescaped(root, take_word(line));

    text_builder directory(found.text);
    append_unescaped(directory, take_word(line));
    found.mount_length = directory.view().size();
    const auto relative = below(own_path, root.view());
    visible = relative.has_value();
    if (visible)
        directory << *relative;
    found.length = directory.view().size();
    return true;
}

bool find_directory(const hierarchy& wanted, location& found) noexcept {
    path_buffer path_text;
    text_builder own_path(path_text);
    if (!find_own_path(wanted, own_path))
        return false;
    line_reader file("/proc/self/mountinfo");
    std::string_view line;
    bool any = false;
    while (file.next(line)) {
        location candidate;
        bool visible = false;
        if (!locate(line, wanted, own_path.view(), candidate, visible))
            continue;
        if (visible || !any)
            found = candidate;
        any = true;
        if (visible)
            break;
    }
    return any;
}

/// Reads files of one directory, by name.
class cgroup_directory {
public:
    explicit cgroup_directory(std::string_view directory) noexcept : directory_(directory) {}

    const char* file(std::string_view name) noexcept {
        text_builder(path_) << directory_ << "/" << name;
        return path_.data();
    }

private:
    std::string_view directory_;
    path_buffer path_;
};

void add_level(headroom_snapshot& snapshot, const memory_cgroup_level& level) noexcept {
    auto& levels = snapshot.cgroups;
    if (snapshot.cgroup_count == levels.size()) {
        auto* const roomiest =
            std::max_element(levels.begin(), levels.end(), [](const auto& one, const auto& other) {
                return room(one) < room(other);
            });
        if (room(*roomiest) <= room(level))
            return;
        std::move(roomiest + 1, levels.end(), roomiest);
        --snapshot.cgroup_count;
    }
    levels[snapshot.cgroup_count++] = level;
}

/// What is read of the levels, and where it goes.
struct memory_reading {
    const memory_files& names;
    headroom_snapshot& snapshot;
};

void read_level(std::string_view directory, std::string_view name, void* context) noexcept {
    const auto& reading = *static_cast<const memory_reading*>(context);
    cgroup_directory files(directory);
    const auto limit = read_number(files.file(reading.names.limit));
    if (!limit || *limit >= least_unlimited)
        return; // "max" is no number
    const std::uint64_t usage = read_number(files.file(reading.names.usage)).value_or(0);
    const std::uint64_t droppable =
        read_field(files.file("memory.stat"), reading.names.droppable_field).value_or(0);
    memory_cgroup_level level;
    level.limit = static_cast<std::size_t>(*limit);
    level.usage = static_cast<std::size_t>(usage - std::min(usage, droppable));
    const std::size_t shown = std::min(name.size(), level.path.size() - 1);
    text_builder(level.path) << name.substr(name.size() - shown);
    add_level(reading.snapshot, level);
}

void visit_levels(const hierarchy& wanted, cgroup_level_visitor visit, void* context) noexcept {
    location place;
    if (!find_directory(wanted, place))
        return;
    std::string_view directory(place.text.data(), place.length);
    while (directory.size() >= place.mount_length) {
        const std::string_view name = directory.substr(place.mount_length);
        visit(directory, name.empty() ? "/" : name, context);
        const std::size_t slash = directory.rfind('/');
        if (slash == std::string_view::npos || directory.size() == place.mount_length)
            break;
        directory = directory.substr(0, slash);
    }
}

} // namespace

void visit_cgroup_levels(std::string_view controller, cgroup_level_visitor visit,
                         void* context) noexcept {
    visit_levels({"cgroup", controller}, visit, context);
    visit_levels(version_2, visit, context);
}

void read_memory_cgroups(headroom_snapshot& snapshot) noexcept {
    memory_reading of_1{files_of_1, snapshot};
    visit_levels({"cgroup", "memory"}, read_level, &of_1);
    memory_reading of_2{files_of_2, snapshot};
    visit_levels(version_2, read_level, &of_2);
}

const memory_cgroup_level* tightest(const headroom_snapshot& snapshot) noexcept {
    const auto* const begin = snapshot.cgroups.begin();
    const auto* const end = begin + snapshot.cgroup_count;
    const auto* const found = std::min_element(
        begin, end, [](const auto& one, const auto& other) { return room(one) < room(other); });
    return found == end ? nullptr : found;
}

} // namespace resident::os
