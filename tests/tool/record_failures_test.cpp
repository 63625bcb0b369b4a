// Concerns: that what cannot be recorded is said, with the remedy, and the program goes on
// unharmed.

#include "tool/recorded_session.hpp"

namespace resident {
namespace {

using namespace test;

TEST(RecordFailures, ALimitForTheSizeOfFilesIsNamed) {
    const scratch_folder folder;
    const tool_result result = run_script(
        folder, "ulimit -f 64\nexec $resident record -o $folder/trace -- $program pairs 20000\n");
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(told_by(result.output), (counted_calls_of{20'000, 20'000, 0}));
    EXPECT_TRUE(says(result, "recording stopped at")) << result.diagnostics;
    EXPECT_TRUE(says(result, "File too large; raise the limit")) << result.diagnostics;
    EXPECT_LE(widest_line(result.diagnostics), 79U);
    const read_trace read(folder.file("trace"));
    EXPECT_EQ(read.failure, "");
    EXPECT_FALSE(read.header.complete);
    EXPECT_EQ(read.header.stop_error, static_cast<std::uint32_t>(EFBIG));
    EXPECT_LE(read.header.file_bytes, 64U * 1024);
    EXPECT_GT(read.header.unrecorded_calls, 1000U);
    EXPECT_GT(read.counted.allocations, 1000U);
    EXPECT_EQ(read.live.doubly_given(), 0U);
}

TEST(RecordFailures, AFullDiskIsNamed) {
    if (!is_root())
        GTEST_SKIP() << "only root can mount a small file system";
    const scratch_folder folder;
    const tool_result result =
        run_script(folder, "mkdir $folder/small\n"
                           "exec unshare -m sh -c '\n"
                           "mount -t tmpfs -o size=64k none $0/small || exit 77\n"
                           "$1 record -o $0/small/trace -- $2 threads 4 5000; code=$?\n"
                           "cp $0/small/trace $0/trace; exit $code' $folder $resident $program\n");
    if (result.exit_code == 77)
        GTEST_SKIP() << "no file system can be mounted here";
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(told_by(result.output), (counted_calls_of{20'000, 20'000, 0}));
    EXPECT_TRUE(says(result, "No space left on device; make room, or name a file elsewhere"))
        << result.diagnostics;
    const read_trace read(folder.file("trace"));
    EXPECT_EQ(read.failure, "");
    EXPECT_FALSE(read.header.complete);
    EXPECT_EQ(read.live.doubly_given(), 0U);
}

TEST(RecordFailures, ADiskThatIsFullFromTheBeginningStopsTheCommand) {
    const scratch_folder folder;
    const tool_result result = run_tool({"record", "-o", "/dev/full", "--", "true"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(says(result, "cannot write /dev/full: it is not a file")) << result.diagnostics;
}

TEST(RecordFailures, AChildWhoseTraceCannotBeMadeIsCounted) {
    if (!is_root())
        GTEST_SKIP() << "only root can become another user";
    const scratch_folder folder;
    ::chmod(folder.path().c_str(), 0755);
    const tool_result result =
        run_tool({"record", "-o", folder.file("trace"), "--", RESIDENT_RECORDED_PROGRAM, "drop"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(says(result, "this process is not recorded: " + folder.file("trace")))
        << result.diagnostics;
    EXPECT_TRUE(says(result, "1 process could not be recorded")) << result.diagnostics;
    EXPECT_EQ(read_trace(folder.file("trace")).header.unrecorded_processes, 1U);
}

TEST(RecordFailures, ChildrenWithoutDescriptorsAreCountedAndSaidOnce) {
    const scratch_folder folder;
    const tool_result result = run_tool(
        {"record", "-o", folder.file("trace"), "--", RESIDENT_RECORDED_PROGRAM, "narrow", "3"});
    EXPECT_EQ(result.exit_code, 1);
    const std::string once = "this process is not recorded: ";
    const std::size_t first = result.diagnostics.find(once);
    EXPECT_NE(first, std::string::npos);
    EXPECT_EQ(result.diagnostics.find(once, first + 1), std::string::npos) << result.diagnostics;
    EXPECT_TRUE(says(result, "3 processes could not be recorded")) << result.diagnostics;
    EXPECT_TRUE(says(result, "Too many open files; raise the limit for open files (ulimit -n)"))
        << result.diagnostics;
    const trace::trace_header header = read_trace(folder.file("trace")).header;
    EXPECT_EQ(header.unrecorded_processes, 3U);
    EXPECT_EQ(header.unrecorded_process_error, static_cast<std::uint32_t>(EMFILE));
}

TEST(RecordFailures, APlaceWhereNoTraceCanBeIsRefusedWithTheReason) {
    const scratch_folder folder;
    const std::string long_name(250, 'y');
    const std::string too_long_name(300, 'y');
    folder.write("file", "");
    const std::array<std::pair<std::string, std::string>, 5> cases{{
        {folder.file(long_name), "its name has 250 bytes, and more than 243 leave no room"},
        {folder.file(too_long_name), "its name has 300 bytes, and more than 243 leave no room"},
        {folder.file(too_long_name + "/trace"), "File name too long; name another file with -o"},
        {folder.file("file/trace"), "Not a directory; name another file with -o"},
        {folder.path(), "it is not a file; name another file with -o"},
    }};
    for (const auto& [place, reason] : cases) {
        const tool_result result = run_tool({"record", "-o", place, "--", "true"});
        EXPECT_EQ(result.exit_code, 2) << place;
        EXPECT_TRUE(says(result, reason)) << result.diagnostics;
    }
    const tool_result piped =
        run_script(folder, "$resident record -o /dev/stdout -- true 2>&1 | cat >&2; exit 2\n");
    EXPECT_TRUE(says(piped, "cannot write /dev/stdout: it is not a file")) << piped.diagnostics;
}

TEST(RecordFailures, ATraceThatIsTakenAwayIsMissed) {
    const scratch_folder folder;
    const std::string file = folder.file("trace");
    for (const char* harm : {"rm \"$0\"", "truncate -s 0 \"$0\""}) {
        const tool_result result = run_tool({"record", "-o", file, "--", "sh", "-c", harm, file});
        EXPECT_NE(result.exit_code, 0) << harm;
        EXPECT_TRUE(says(result, "removed or cut while sh ran")) << result.diagnostics;
        EXPECT_FALSE(says(result, "never allocated")) << result.diagnostics;
    }
}

TEST(RecordFailures, AScriptWhoseInterpreterIsMissingIsRefused) {
    const scratch_folder folder;
    folder.write("script", "#!/none/such -e\n");
    ::chmod(folder.file("script").c_str(), 0755);
    const tool_result result =
        run_tool({"record", "-o", folder.file("trace"), "--", folder.file("script")});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(says(result, "is a script for /none/such, which is not there"))
        << result.diagnostics;
}

TEST(RecordFailures, AFileInThePlaceOfStandardErrorIsLeftAlone) {
    if (!is_root())
        GTEST_SKIP() << "only root can become another user";
    const scratch_folder folder;
    ::chmod(folder.path().c_str(), 0755);
    folder.write("other", "untouched");
    const tool_result result = run_tool({"record", "-o", folder.file("trace"), "--",
                                         RESIDENT_RECORDED_PROGRAM, "drop", folder.file("other")});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(says(result, "1 process could not be recorded")) << result.diagnostics;
    EXPECT_EQ(read_text(folder.file("other")), "untouched");
}

TEST(RecordFailures, AProgramThatIsLinkedStaticallyIsRefused) {
    const scratch_folder folder;
    const tool_result result =
        run_tool({"record", "-o", folder.file("trace"), "--", RESIDENT_STATIC_PROGRAM});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(says(result, "is linked statically")) << result.diagnostics;
    EXPECT_TRUE(folder.content().empty());
}

TEST(RecordFailures, AProgramThatGainsPrivilegesIsRefused) {
    if (!is_root())
        GTEST_SKIP() << "only root can make a set-user-ID program";
    const scratch_folder folder;
    std::filesystem::copy_file("/bin/true", folder.file("program"));
    ::chmod(folder.file("program").c_str(), 04755);
    const tool_result result =
        run_tool({"record", "-o", folder.file("trace"), "--", folder.file("program")},
                 {.ordinary_user = true});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(says(result, "gains privileges")) << result.diagnostics;
}

TEST(RecordFailures, CallsThatWentPastTheRecorderAreProvenAndSaid) {
    const recorded_session freed({"bypass", "free", "100"});
    EXPECT_EQ(freed.result.exit_code, 1);
    EXPECT_TRUE(says(freed.result, "blocks given where one was, and 0 blocks"))
        << freed.result.diagnostics;
    const recorded_session given({"bypass", "malloc", "200"});
    EXPECT_EQ(given.result.exit_code, 1);
    EXPECT_TRUE(says(given.result, "0 blocks given where one was, and 200 blocks"))
        << given.result.diagnostics;
}

TEST(RecordFailures, AProgramWithItsOwnMallocIsNamed) {
    const scratch_folder folder;
    const tool_result result =
        run_tool({"record", "-o", folder.file("trace"), "--", RESIDENT_OWN_MALLOC_PROGRAM});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(says(result, "has a malloc of its own")) << result.diagnostics;
    EXPECT_FALSE(says(result, "nothing was recorded")) << result.diagnostics;
}

TEST(RecordFailures, AFileThatIsNoTraceIsKept) {
    const scratch_folder folder;
    folder.write("trace", "a letter");
    const tool_result result = run_tool({"record", "-o", folder.file("trace"), "--", "true"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(says(result, "a file that is no trace is there")) << result.diagnostics;
    EXPECT_EQ(read_text(folder.file("trace")), "a letter");
}

TEST(RecordFailures, AnOldTraceIsReplacedAndItsChildrenAreNotCounted) {
    const scratch_folder folder;
    for (int times = 0; times < 2; ++times) {
        const tool_result result =
            run_tool({"record", "-o", folder.file("trace"), "--", "sh", "-c", "ls /; true"});
        EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
        EXPECT_TRUE(says(result, "in 2 traces") || says(result, "in 3 traces"))
            << result.diagnostics;
    }
}

TEST(RecordFailures, TheCommandLineIsChecked) {
    EXPECT_EQ(run_tool({"record"}).exit_code, 2);
    EXPECT_EQ(run_tool({"record", "--", "no-such-program"}).exit_code, 2);
    EXPECT_EQ(run_tool({"record", "-o", "/no/folder/trace", "--", "true"}).exit_code, 2);
    EXPECT_EQ(run_tool({"record", "-o", "", "--", "true"}).exit_code, 2);
    EXPECT_EQ(run_tool({"record", "--overhead", "--", "true"}).exit_code, 2);
    const tool_result help = run_tool({"record", "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_LE(widest_line(help.output), 80U);
}

} // namespace
} // namespace resident
