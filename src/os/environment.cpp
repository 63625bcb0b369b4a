#include "os/environment.hpp"

#include "os/process_status.hpp"
#include "os/system_file.hpp"
#include "os/text.hpp"

#include <cstdlib>
#include <string_view>

namespace resident::os {
namespace {

bool contains(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

bool has_container_mark() noexcept {
    return std::getenv("container") != nullptr || file_exists("/.dockerenv") ||
           file_exists("/run/.containerenv");
}

bool is_container_path(std::string_view path) noexcept {
    return contains(path, "docker") || contains(path, "libpod") || contains(path, "lxc") ||
           contains(path, "machine.slice");
}

/// The last component of `path` that ends in ".service".
std::string_view service_in(std::string_view path) noexcept {
    constexpr std::string_view suffix = ".service";
    const std::size_t found = path.rfind(suffix);
    if (found == std::string_view::npos)
        return {};
    const std::size_t end = found + suffix.size();
    if (end < path.size() && path[end] != '/')
        return {};
    const std::size_t slash = path.rfind('/', found);
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    return path.substr(begin, end - begin);
}

/// A process is in several hierarchies, and the deepest mark in any of them tells.
void judge_path(std::string_view path, environment& found) noexcept {
    const auto at_least = [&found](limit_setter setter) {
        if (setter > found.setter)
            found.setter = setter;
    };
    if (contains(path, "kubepods"))
        return at_least(limit_setter::kubernetes);
    if (is_container_path(path))
        return at_least(limit_setter::container);
    if (contains(path, "/user@"))
        return at_least(limit_setter::user_manager);
    // A login session is a scope in user.slice; below a service it would be that service's child.
    const std::string_view unit = service_in(path);
    if (unit.empty() || found.unit[0] != '\0')
        return;
    text_builder(found.unit) << unit;
    at_least(limit_setter::service);
}

void read_user_name(environment& found) noexcept {
    const std::uint64_t user = read_process_status().user;
    text_builder(found.user) << user;
    line_reader file("/etc/passwd");
    std::string_view line;
    while (file.next(line)) {
        const std::size_t name_end = line.find(':');
        if (name_end == 0 || name_end == std::string_view::npos)
            continue;
        const std::size_t password_end = line.find(':', name_end + 1);
        if (password_end == std::string_view::npos)
            continue;
        std::string_view number = line.substr(password_end + 1);
        if (take_number(number) != user || !number.starts_with(':'))
            continue;
        text_builder(found.user) << line.substr(0, name_end);
        return;
    }
}

} // namespace

environment read_environment() noexcept {
    environment found;
    line_reader file("/proc/self/cgroup");
    std::string_view line;
    while (file.next(line)) {
        const std::size_t path = line.find(":/");
        if (path != std::string_view::npos)
            judge_path(line.substr(path + 1), found);
    }
    if (std::getenv("KUBERNETES_SERVICE_HOST") != nullptr) {
        found.setter = limit_setter::kubernetes;
    } else if (found.setter != limit_setter::kubernetes && has_container_mark()) {
        found.setter = limit_setter::container;
    }
    read_user_name(found);
    return found;
}

} // namespace resident::os
