#include "os/harness/system_setting.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace resident::os {
namespace {

bool read_line(const std::string& path, std::string& line) {
    std::ifstream file(path);
    return static_cast<bool>(std::getline(file, line));
}

} // namespace

bool write_setting(const std::string& path, const std::string& value) {
    std::ofstream file(path);
    file << value << std::flush;
    return file.good();
}

std::unique_ptr<system_setting>
system_setting::change(const std::string& path, const std::string& value, std::string& reason) {
    std::string old;
    if (!read_line(path, old)) {
        reason = path + " cannot be read: " + std::strerror(errno);
        return nullptr;
    }
    auto guardian = cleanup_guardian::start(reason);
    if (guardian == nullptr)
        return nullptr;
    if (!guardian->announce_setting(path, old) || !write_setting(path, value)) {
        reason = path + " cannot be set to " + value + ": " + std::strerror(errno);
        return nullptr;
    }
    return std::unique_ptr<system_setting>(new system_setting(path, std::move(guardian)));
}

system_setting::~system_setting() = default;

std::string system_setting::now() const {
    std::string line;
    return read_line(path_, line) ? line : std::string();
}

} // namespace resident::os
