/// How the recorder gets into a program.
#pragma once

#include "os/harness/temporary_folder.hpp"

#include <optional>
#include <string>

namespace resident::tool {

/// What the loader is told to load. It takes blanks and colons for the ends of names, and a dollar
/// sign for the beginning of a variable, and knows no way to write them: a recorder below a folder
/// with one of these in its name goes by a link from a temporary folder.
class recorder_preload {
public:
    /// Throws: std::runtime_error, with the remedy, if and only if the recorder is missing or
    /// cannot be named.
    recorder_preload();

    /// LD_PRELOAD=..., with the recorder before others that are preloaded: those are then what the
    /// program is recorded on.
    [[nodiscard]] std::string setting() const;
    /// Processes outlive this one, and may start others: what was set holds for them, too.
    void stay() noexcept;

private:
    std::string path_;
    std::optional<os::temporary_folder> folder_;
};

} // namespace resident::tool
