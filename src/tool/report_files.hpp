/// Where the reports go.
#pragma once

#include "tool/demo_result.hpp"

#include <optional>
#include <string>

namespace resident::tool {

/// A folder that is there while this lives, and after it if it holds anything.
class report_folder {
public:
    /// Throws: usage_error if and only if it can neither be made (its parent is missing, or not
    /// writable) nor written into.
    explicit report_folder(const std::string& path);
    ~report_folder();
    report_folder(const report_folder&) = delete;
    report_folder& operator=(const report_folder&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    bool made_ = false;
};

/// The files of a run, checked before it and written after it.
class report_files {
public:
    /// Effects: makes the output folder, checks every file to be written.
    /// Throws: usage_error if and only if one of them cannot be; then nothing is left behind.
    explicit report_files(const demo_options& options);

    /// Effects: writes them all, each wholly or not at all.
    /// Returns: what could not be written or drawn, one line each.
    std::string write(const demo_result& result);
    /// Whether every file is there, but for the picture where gnuplot is missing.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

    /// Where they are, for the reader.
    [[nodiscard]] const std::string& folder() const noexcept { return folder_.path(); }

private:
    [[nodiscard]] std::string path(const char* name) const { return folder() + "/" + name; }

    report_folder folder_;
    std::optional<std::string> json_; ///< beside the one in the folder
    bool complete_ = false;
};

} // namespace resident::tool
