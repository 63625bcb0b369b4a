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

bool write_line(const std::string& path, const std::string& line) {
    std::ofstream file(path);
    file << line << std::flush;
    return file.good();
}

} // namespace

std::unique_ptr<system_setting>
system_setting::change(const std::string& path, const std::string& value, std::string& reason) {
    std::string old;
    if (!read_line(path, old)) {
        reason = path + " cannot be read: " + std::strerror(errno);
        return nullptr;
    }
    std::unique_ptr<system_setting> setting(new system_setting(path, old));
    if (!write_line(path, value)) {
        reason = path + " cannot be set to " + value + ": " + std::strerror(errno);
        return nullptr;
    }
    return setting;
}

system_setting::~system_setting() { write_line(path_, old_); }

std::string system_setting::now() const {
    std::string line;
    return read_line(path_, line) ? line : std::string();
}

} // namespace resident::os
