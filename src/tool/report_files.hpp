/// Where the reports go.
#pragma once

#include "tool/demo_result.hpp"

#include <string>

namespace resident::tool {

/// The files of a run, checked before it and written after it.
class report_files {
public:
    /// Effects: makes the output folder, checks every file to be written.
    /// Throws: usage_error if and only if one of them cannot be.
    explicit report_files(const demo_options& options);
    /// A folder that was made for nothing goes away again.
    ~report_files();
    report_files(const report_files&) = delete;
    report_files& operator=(const report_files&) = delete;

    /// Effects: writes them all, each wholly or not at all.
    /// Returns: what could not be written or drawn, one line each.
    std::string write(const demo_result& result);
    /// Whether every file is there, but for the picture where gnuplot is missing.
    [[nodiscard]] bool complete() const noexcept { return complete_; }

    /// The names, for the reader.
    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }

private:
    [[nodiscard]] std::string path(const char* name) const { return folder_ + "/" + name; }

    std::string folder_;
    std::string json_; ///< beside the one in the folder; empty: none
    bool made_folder_ = false;
    bool complete_ = false;
};

} // namespace resident::tool
