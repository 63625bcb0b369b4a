/// What commands have in common that measure for a while and end with a report.
#pragma once

#include "os/harness/termination_signals.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace resident::tool {

/// `json` is a file, or "-" for standard output in place of the text.
class reporting_command {
public:
    /// `name` begins what goes to standard error: "resident size".
    reporting_command(std::string_view name, std::optional<std::string> json)
        : name_(name), json_(std::move(json)) {}

    /// Effects: calls `measure_and_report`, which may call write().
    /// Returns: what it returns; exit_usage for a usage_error or a JSON file that cannot be
    /// written, exit_check_failed for another exception, each told on standard error. Does not
    /// return after `interrupted`: the process ends by that signal.
    [[nodiscard]] int
    run(const std::function<int(os::termination_signals&)>& measure_and_report) const;

    /// Effects: writes the JSON where it is asked for, and the text to standard output.
    /// Returns: whether all of it was taken; otherwise the reason is on standard error.
    [[nodiscard]] bool write(const std::function<std::string()>& json,
                             const std::function<std::string()>& text) const;

private:
    void complain(std::string_view what) const;
    [[nodiscard]] bool is_to_file() const { return json_ && *json_ != "-"; }

    std::string name_;
    std::optional<std::string> json_;
};

} // namespace resident::tool
