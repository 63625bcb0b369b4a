/// How many instructions single calls take, counted exactly by single-stepping: a matter of code
/// and not of the machine's mood, the same in every run.
#include "contestants/all.hpp"
#include "support/bind_at_start.hpp"
#include "support/machine.hpp"
#include "support/progress.hpp"
#include "support/shared_arena.hpp"
#include "support/stepped_calls.hpp"
#include "tool/text_layout.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace {

using namespace resident::bench;

constexpr stepped_amount quick{
    .warm_up = 20'000, .fresh = 120, .warm = 100, .leave_out_long_first_calls = true};
constexpr stepped_amount full{.fresh = 2'000, .warm = 10'000};

std::vector<counted_contestant> all_counted() {
    std::vector<counted_contestant> made;
    for_each_contestant(all_contestants{}, [&]<class C>() { made.push_back(counted<C>()); });
    return made;
}

} // namespace

int main(int argc, char** argv) {
    bind_at_start(argv);
    const part_writer writer;
    const run_options options = parse_command_line(
        argc, argv, "The instructions of single calls, counted exactly by single-stepping");
    verify_contestants();
    set_shared_arena_capacity(enough_for_the_churn);
    name_missing_contestants();
    const stepped_amount& chosen = options.full ? full : quick;
    std::vector<counted_result> results;
    {
        const waiting_line waiting{"counting the instructions of each contestant, by turns ..."};
        results = count_all(all_counted(), chosen);
    }
    const std::string stepped =
        fmt::format("Of each kind {} calls are counted in the steady state, and the first {} of a "
                    "fresh heap",
                    chosen.warm, chosen.fresh);
    fmt::print("{}{}", resident::tool::wrap("", stepped), bounds_text(results));
    std::fflush(stdout);
    part_record part = bounds_part(results);
    part.full = options.full;
    part.notes = {stepped,
                  fmt::format("10 000 blocks of the log mix are alive, replaced {} times before",
                              chosen.warm_up),
                  "Exact; the same in every run on the same machine"};
    return writer.finish(part, options);
}
