#include "tool/recorder_preload.hpp"

#include "tool/recordable_program.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace resident::tool {
namespace {

bool can_be_named(const std::string& path) {
    return path.find_first_of(" :$") == std::string::npos;
}

} // namespace

recorder_preload::recorder_preload() : path_(find_recorder()) {
    if (can_be_named(path_))
        return;
    const char* const named = std::getenv("TMPDIR");
    const std::string place =
        named != nullptr && named[0] == '/' && can_be_named(named) ? named : "/tmp";
    std::string reason;
    folder_ = os::temporary_folder::create(place, reason);
    if (!folder_)
        throw std::runtime_error(
            fmt::format("the recorder cannot be loaded from {}: there is a blank, a colon or a "
                        "dollar sign in the path, and no folder for a link to it can be made: {}; "
                        "install resident elsewhere, or name a folder with TMPDIR",
                        path_, reason));
    const std::filesystem::path link =
        std::filesystem::path(folder_->path()) / "resident_record.so";
    std::filesystem::create_symlink(path_, link);
    path_ = link.string();
}

std::string recorder_preload::setting() const {
    const char* const others = std::getenv("LD_PRELOAD");
    return "LD_PRELOAD=" + path_ +
           (others != nullptr && *others != '\0' ? ":" + std::string(others) : "");
}

void recorder_preload::stay() noexcept {
    if (folder_)
        folder_->stay();
}

} // namespace resident::tool
