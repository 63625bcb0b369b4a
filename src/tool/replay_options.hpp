/// What `resident replay` and `resident size` are asked to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace resident::tool {

struct replay_options {
    std::string file;
    std::vector<std::string> contestants{}; ///< names; empty: all
    std::size_t capacity = 0;               ///< of the arena, bytes; 0: what fits
    std::uint64_t repetitions = 5;
    std::uint64_t samples = 1000; ///< calls of each kind to single-step; 0: none
    bool lock = true;             ///< the arena
    bool verify = true;
    std::optional<std::string> json{}; ///< "-": standard output
    bool quiet = false;
};

struct size_options {
    std::string file;
    std::uint64_t tries = 24; ///< replays of the search at most
    std::optional<std::string> json{};
    bool quiet = false;
};

} // namespace resident::tool
