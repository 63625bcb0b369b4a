/// What `resident record` is asked to do.
#pragma once

#include <string>
#include <vector>

namespace resident::tool {

struct record_options {
    std::string output = "resident.trace"; ///< FILE
    std::vector<std::string> command;      ///< program and arguments
    bool overhead = false;                 ///< measure that of recording instead
    bool quiet = false;                    ///< no summary; only what is wrong
};

} // namespace resident::tool
