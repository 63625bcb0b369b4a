/// One step of a preparation, by its name.
#pragma once

#include "resident/prepare.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace resident::test {

/// Returns: the step; a failed expectation, and a step of no name, where there is none.
inline preparation_step step_named(const preparation& done, std::string_view name) {
    for (const auto& step : done.steps())
        if (step.name == name)
            return step;
    ADD_FAILURE() << "no step " << name;
    return {};
}

} // namespace resident::test
