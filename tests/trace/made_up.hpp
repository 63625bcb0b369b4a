/// Traces for the tests of their readers and writers.
#pragma once

#include "trace/reader.hpp"
#include "trace/written.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

namespace resident::test {

/// A folder of its own, removed with what is in it.
class trace_folder {
public:
    trace_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "trace-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~trace_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    trace_folder(const trace_folder&) = delete;
    trace_folder& operator=(const trace_folder&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// What a program of several threads could have done, all of them from begin to end.
inline std::vector<trace::event> made_up_events(std::size_t count, unsigned threads,
                                                unsigned seed) {
    using trace::event_kind;
    std::mt19937_64 random(seed);
    std::vector<trace::event> events;
    std::vector<std::uint64_t> live;
    std::uint64_t fresh = 0x5555'5555'0010;
    const auto add = [&events](trace::event what) {
        what.sequence = events.size();
        events.push_back(what);
    };
    for (std::uint32_t thread = 0; thread < threads; ++thread)
        add({.kind = event_kind::thread_begin, .thread = thread});
    while (events.size() + threads < count) {
        const auto thread = static_cast<std::uint32_t>(random() % threads);
        const unsigned choice = random() % 100;
        const std::uint64_t size = random() >> (40 + random() % 24);
        if (live.empty() || choice < 50) {
            live.push_back(fresh += 16 * (1 + random() % 64));
            add({.kind = event_kind::allocate,
                 .thread = thread,
                 .address = live.back(),
                 .size = size,
                 .alignment = choice < 5 ? std::uint64_t{1} << random() % 20 : 0});
            continue;
        }
        std::swap(live[random() % live.size()], live.back());
        const std::uint64_t old = live.back();
        live.pop_back();
        if (choice < 90) {
            add({.kind = event_kind::free, .thread = thread, .address = old});
        } else {
            live.push_back(choice < 95 ? old : fresh += 4096);
            add({.kind = event_kind::reallocate,
                 .thread = thread,
                 .address = live.back(),
                 .old_address = old,
                 .size = size});
        }
    }
    for (std::uint32_t thread = 0; thread < threads; ++thread)
        add({.kind = event_kind::thread_end, .thread = thread});
    return events;
}

inline std::size_t count(const std::vector<trace::event>& events, trace::event_kind kind) {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [kind](const auto& each) { return each.kind == kind; }));
}

inline std::vector<trace::event> events_of(const std::string& path) {
    std::vector<trace::event> events;
    auto opened = trace::reader::open(path);
    if (const auto* wrong = std::get_if<1>(&opened)) {
        ADD_FAILURE() << wrong->message();
        return events;
    }
    auto& read = std::get<0>(opened);
    for (trace::event each; read.next(each);)
        events.push_back(each);
    if (read.error())
        ADD_FAILURE() << read.error()->message();
    return events;
}

} // namespace resident::test
