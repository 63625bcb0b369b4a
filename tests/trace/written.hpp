/// Writing a whole trace file.
#pragma once

#include "trace/writer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace resident::test {

inline void write_trace(const std::string& path, const std::vector<trace::event>& events) {
    std::string reason;
    auto made = trace::writer::create(path, {.process = 42, .command = "made up"}, reason);
    ASSERT_TRUE(made) << reason;
    for (const trace::event& each : events)
        ASSERT_TRUE(made->append(each)) << "event " << each.sequence;
    const auto wrong = made->finish();
    ASSERT_FALSE(wrong) << wrong->message();
}

} // namespace resident::test
