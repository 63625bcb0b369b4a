// What resident replay and resident size refuse before they begin, or else take: traces at the
// limits of the format and above, and more threads than there is room for.
#include "replay/made_up_program.hpp"
#include "tool/run_tool.hpp"
#include "trace/made_up.hpp"
#include "trace/made_up_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

namespace resident::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class ReplayLimits : public testing::Test {
protected:
    tool_result replay() {
        return run_tool({"replay", path, "-q", "-r", "1", "--samples", "0", "-c", "glibc",
                         "--capacity", "1MiB"});
    }
    tool_result size() { return run_tool({"size", path, "-q"}); }

    scratch_folder folder;
    std::string path = folder.file("program.trace");
};

/// A block of one thread, at event 2.
made_up_file one_block(std::uint64_t size, unsigned alignment_bits) {
    made_up_file made;
    made.add(0, 0,
             {{.kind = record_kind::allocate_aligned,
               .address = 0x1000,
               .size = size,
               .alignment_bits = alignment_bits}});
    return made;
}

TEST_F(ReplayLimits, WhatTheFormatAllowsIsReplayed) {
    for (const made_up_file& made :
         {one_block(8, 41), one_block(8, alignment_bits_limit), one_block(size_limit, 3)}) {
        made.write(path);
        const tool_result result = replay();
        EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
        EXPECT_THAT(result.output, HasSubstr("glibc does not fit: event 2 requests"));
    }
}

TEST_F(ReplayLimits, WhatItDoesNotAllowIsRefusedWithTheOffset) {
    for (const made_up_file& made :
         {one_block(8, alignment_bits_limit + 1), one_block(size_limit + 1, 3)}) {
        made.write(path);
        for (const tool_result& result : {replay(), size()}) {
            EXPECT_EQ(result.exit_code, 2) << result.output;
            EXPECT_THAT(result.diagnostics, HasSubstr(path + ": byte 4160: "));
            EXPECT_THAT(result.output, IsEmpty());
        }
    }
}

/// A limit for the processes that this one starts. Whoever has the privilege is not subject to it.
class threads_of_a_user {
public:
    explicit threads_of_a_user(rlim_t most) {
        ::getrlimit(RLIMIT_NPROC, &before_);
        const rlimit lowered{most, before_.rlim_max};
        ::setrlimit(RLIMIT_NPROC, &lowered);
    }
    ~threads_of_a_user() { ::setrlimit(RLIMIT_NPROC, &before_); }
    threads_of_a_user(const threads_of_a_user&) = delete;
    threads_of_a_user& operator=(const threads_of_a_user&) = delete;

private:
    rlimit before_{};
};

TEST_F(ReplayLimits, MoreThreadsThanMayBeStartedAreRefusedBeforeOneIs) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become a user that has no process";
    made_up_program program;
    for (std::uint32_t thread = 0; thread < 60; ++thread) {
        program.begin(thread);
        program.allocate(thread, 8);
    }
    write_trace(path, program.events);
    std::filesystem::permissions(path, std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    const threads_of_a_user limit(40);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"size", path, "-q"},
          {"replay", path, "-q", "-c", "empty", "--capacity", "1MiB"}}) {
        const tool_result result = run_tool(command, {.ordinary_user = true});
        EXPECT_EQ(result.exit_code, 1) << result.output;
        EXPECT_THAT(result.output, IsEmpty());
        EXPECT_THAT(result.diagnostics,
                    HasSubstr(path + ": has 60 threads at once, from event 119 on; RLIMIT_NPROC is "
                                     "40, "));
        EXPECT_THAT(result.diagnostics, HasSubstr("ulimit -u"));
        EXPECT_THAT(result.diagnostics, HasSubstr("or record a run with fewer threads"));
    }
}

} // namespace
} // namespace resident::test
