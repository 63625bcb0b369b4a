#include "process/steps.hpp"

#include <algorithm>
#include <cerrno>
#include <ostream>
#include <system_error>

namespace resident {
namespace {

const char* to_string(preparation_outcome value) noexcept {
    switch (value) {
    case preparation_outcome::done:
        return "done";
    case preparation_outcome::not_asked:
        return "not asked for";
    case preparation_outcome::not_supported:
        return "not supported here";
    case preparation_outcome::failed:
        return "failed";
    case preparation_outcome::done_in_part:
        return "done in part";
    }
    return "?";
}

} // namespace

bool preparation::complete() const noexcept {
    return std::ranges::none_of(steps(), [](const preparation_step& step) {
        return step.outcome == preparation_outcome::failed ||
               step.outcome == preparation_outcome::done_in_part;
    });
}

std::ostream& operator<<(std::ostream& out, const preparation& done) {
    for (const preparation_step& step : done.steps()) {
        out << step.name;
        for (std::size_t column = step.name.size(); column < 28; ++column)
            out << ' ';
        out << to_string(step.outcome);
        if (step.bytes != 0)
            out << ", " << step.bytes / 1024 << " KiB";
        if (step.error_number != 0)
            out << ": " << std::generic_category().message(step.error_number);
        out << '\n';
    }
    return out;
}

preparation_step detail::step_of(std::string_view name, const os::outcome& answered,
                                 std::size_t bytes) noexcept {
    if (answered)
        return {name, preparation_outcome::done, 0, bytes};
    const int why = answered.error_number();
    const bool unknown = why == EINVAL || why == ENOSYS || why == EOPNOTSUPP;
    return {name, unknown ? preparation_outcome::not_supported : preparation_outcome::failed,
            unknown ? 0 : why};
}

} // namespace resident
