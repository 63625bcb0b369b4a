/// What is wrong with a command line, or with what it names.
#pragma once

#include <stdexcept>

namespace resident::tool {

/// The options ask for what cannot be; what() names the value and the remedy.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

} // namespace resident::tool
