#include "os/harness/temporary_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <sys/stat.h>

namespace resident::os {

std::optional<temporary_folder> temporary_folder::create(const std::string& place,
                                                         std::string& reason) {
    std::string path = place + "/resident-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
        reason = place + ": " + std::strerror(errno);
        return std::nullopt;
    }
    temporary_folder made(path);
    if (::chmod(path.c_str(), 0755) != 0) {
        reason = path + ": " + std::strerror(errno);
        return std::nullopt;
    }
    return made;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    if (!path_.empty())
        std::filesystem::remove_all(path_, ignored);
}

} // namespace resident::os
