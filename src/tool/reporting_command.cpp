#include "tool/reporting_command.hpp"

#include "os/harness/output_file.hpp"
#include "os/harness/terminal.hpp"
#include "tool/contest.hpp"
#include "tool/exit_code.hpp"
#include "tool/usage_error.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

namespace resident::tool {

void reporting_command::complain(std::string_view what) const {
    fmt::print(stderr, "{}: {}\n", name_, what);
}

int reporting_command::run(
    const std::function<int(os::termination_signals&)>& measure_and_report) const {
    int signal = 0;
    try {
        os::termination_signals signals;
        std::string reason;
        if (is_to_file() && !os::output_file::usable(*json_, reason))
            throw usage_error("--json: " + reason);
        return measure_and_report(signals);
    } catch (const usage_error& what) {
        complain(what.what());
        return exit_usage;
    } catch (const interrupted& what) {
        signal = what.signal;
    } catch (const std::exception& what) {
        complain(what.what());
        return exit_check_failed;
    }
    complain("stopped; no report was written");
    os::termination_signals::end_by(signal);
}

bool reporting_command::write(const std::function<std::string()>& json,
                              const std::function<std::string()>& text) const {
    bool written = true;
    if (is_to_file()) {
        std::string reason;
        written = os::output_file::write(*json_, json(), reason);
        if (!written)
            complain(reason);
    }
    const std::string refused = os::write_output(json_ == "-" ? json() : text());
    if (!refused.empty())
        complain("standard output takes no more: " + refused);
    return written && refused.empty();
}

} // namespace resident::tool
