#include "support/process_state.hpp"

#include "support/build.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <string>

namespace resident::test {
namespace {

constexpr std::size_t smallest_reservation = std::size_t{1} << 20;

std::size_t reserved_by(const std::string& line) {
    std::istringstream words(line);
    std::string range;
    std::string access;
    std::string offset;
    std::string device;
    std::string inode;
    words >> range >> access >> offset >> device >> inode;
    const auto dash = range.find('-');
    const std::size_t size = std::stoull(range.substr(dash + 1), nullptr, 16) -
                             std::stoull(range.substr(0, dash), nullptr, 16);
    const bool reservation = access.rfind("---", 0) == 0 && inode == "0";
    return !sanitized && reservation && size >= smallest_reservation ? size : 0;
}

/// "55d0c0a00000-55d0c0a21000 rw-p ...", where the other lines are "Size:  132 kB".
bool opens_a_mapping(const std::string& line) {
    return line.find('-') < line.find(' ') && line.find('-') < line.find(':');
}

} // namespace

std::size_t vm_locked_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmLck:", 0) == 0)
            return std::stoull(line.substr(6)) * 1024;
    }
    return 0;
}

process_state process_state::now() {
    process_state state;
    state.locked_bytes = vm_locked_bytes();
    std::ifstream smaps("/proc/self/smaps");
    for (std::string line; std::getline(smaps, line);) {
        if (opens_a_mapping(line))
            state.reserved_bytes += reserved_by(line);
        if (line.rfind("VmFlags:", 0) == 0 && line.find(" lo") != std::string::npos) {
            ++state.locked_mappings;
        }
    }
    smaps.close();
    using entries = std::filesystem::directory_iterator;
    state.open_descriptors =
        static_cast<std::size_t>(std::distance(entries("/proc/self/fd"), entries()));
    return state;
}

std::ostream& operator<<(std::ostream& out, const process_state& state) {
    return out << "{locked " << state.locked_bytes << " bytes in " << state.locked_mappings
               << " mappings, " << state.open_descriptors << " descriptors, reserved "
               << state.reserved_bytes << " bytes}";
}

} // namespace resident::test
