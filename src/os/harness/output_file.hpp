/// Files that are either as they were or wholly new.
#pragma once

#include <string>

namespace resident::os {

/// A place for a file, checked before long work and written after it.
class output_file {
public:
    /// Effects: checks that `path` can be written: its folder exists and takes files, and nothing
    /// but a regular file is at `path` (a link is followed). Leaves nothing behind.
    /// On failure `reason` says what is wrong, naming the path, and what to do.
    static bool usable(const std::string& path, std::string& reason);

    /// Effects: writes `content` beside `path`, then renames it into place: readers see the old
    /// file or the new one, never a part. Returns: whether it is there; else why not in `reason`,
    /// and what was at `path` before is still there.
    static bool write(const std::string& path, const std::string& content, std::string& reason);
};

/// Effects: makes the folder, not its parents. Returns: whether it is there and takes files.
/// `made` tells whether it was made now.
bool make_folder(const std::string& path, bool& made, std::string& reason);

} // namespace resident::os
