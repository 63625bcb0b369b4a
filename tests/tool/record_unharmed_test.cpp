// Concerns: that a program is not harmed by being recorded: not by the sealing of a trace that it
// still writes, wherever it runs and whether or not it may be looked at; not by signals that come
// twice; and that the recorder is loaded from whatever folder it is installed in.
// Plan: children that outlive the command go on when it has ended, and leave a file if they live.

#include "tool/recorded_session.hpp"
#include "tool/traces.hpp"

namespace resident {
namespace {

using namespace test;

/// The command, the recorder and the program, where every user may execute them.
std::string install(const scratch_folder& folder, const std::string& name) {
    namespace fs = std::filesystem;
    const fs::path place = fs::path(folder.path()) / name;
    fs::create_directory(place);
    const fs::path tool = RESIDENT_TOOL;
    fs::copy_file(tool, place / "resident");
    fs::copy_file(tool.parent_path() / "libresident_record.so", place / "libresident_record.so");
    fs::copy_file(RESIDENT_RECORDED_PROGRAM, place / "program");
    return place.string();
}

/// Lets who has outlived the command go on. Returns: whether it came to its own end.
bool goes_on(const std::string& file) {
    std::ofstream(file + ".go") << "";
    return becomes_true([&] { return std::filesystem::exists(file + ".done"); });
}

TEST(RecordUnharmed, AChildThatNobodyMayLookAtRecordsOn) {
    const scratch_folder folder;
    const std::string place = install(folder, "bin");
    const std::string file = folder.file("trace");
    const tool_result result =
        run_tool({"record", "-o", file, "--", place + "/program", "outlive", "hidden", file},
                 {.program = place + "/resident", .ordinary_user = is_root()});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(says(result, "still runs, as far as can be told")) << result.diagnostics;
    EXPECT_TRUE(goes_on(file));
    EXPECT_TRUE(read_trace(file).header.sealed);
}

TEST(RecordUnharmed, AProgramInAnotherPidNamespaceRecordsOn) {
    if (!is_root())
        GTEST_SKIP() << "only root can make a PID namespace";
    const scratch_folder folder;
    const std::string file = folder.file("trace");
    const tool_result result =
        run_script(folder, "unshare -p --fork true || exit 77\n"
                           "exec $resident record -o $folder/trace -- sh -c 'unshare -p --fork "
                           "$0 outlive alone $1 & while [ ! -e $1.begun ]; do sleep 0.01; done' "
                           "$program $folder/trace\n");
    if (result.exit_code == 77)
        GTEST_SKIP() << "no PID namespace can be made here";
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(says(result, "process 1 still runs")) << result.diagnostics;
    EXPECT_TRUE(goes_on(file));
}

TEST(RecordUnharmed, ATraceWhoseMemoryAForkedChildStillHasIsSealedAndNotCut) {
    const scratch_folder folder;
    const std::string file = folder.file("trace");
    const tool_result result =
        run_tool({"record", "-o", file, "--", RESIDENT_RECORDED_PROGRAM, "outlive", "quiet", file});
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    const read_trace read(file);
    EXPECT_EQ(read.failure, "");
    EXPECT_TRUE(read.header.complete);
    EXPECT_EQ(read.counted, (counted_calls_of{20'000, 20'000, 0}));
    EXPECT_EQ(read.header.file_bytes, std::filesystem::file_size(file));
    // The header's 4 KiB, and blocks of 4, 8, 16, 32, 64, 64 ... KiB: all of the last is there.
    EXPECT_EQ(read.header.file_bytes % 65536, 0U);
    EXPECT_TRUE(goes_on(file));
}

TEST(RecordUnharmed, WhereWritersAreNotCountedProcessesAreLookedForAndNothingIsCut) {
    if (!is_root())
        GTEST_SKIP() << "only root can mount an overlay";
    const scratch_folder folder;
    folder.write("within",
                 "mount -t tmpfs none $1 && cd $1 && mkdir lower upper work all || exit 77\n"
                 "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none all "
                 "|| exit 77\n"
                 "file=$1/all/trace\n"
                 "$2 record -o $file -- $3 pairs 5 || exit 98\n"
                 "$2 record -o $file -- sh -c 'unshare -p --fork $0 outlive alone $1 & "
                 "while [ ! -e $1.begun ]; do sleep 0.01; done' $3 $file\n"
                 "code=$?\n"
                 "touch $file.go\n"
                 "for times in $(seq 400); do\n"
                 "  [ -e $file.done ] && exit $code\n"
                 "  sleep 0.05\n"
                 "done\n"
                 "exit 99\n");
    const tool_result result =
        run_script(folder, "mkdir $folder/over\n"
                           "exec unshare -m sh $folder/within $folder/over $resident $program\n");
    if (result.exit_code == 77)
        GTEST_SKIP() << "no overlay can be mounted here";
    EXPECT_EQ(result.exit_code, 1) << result.diagnostics;
    EXPECT_TRUE(says(result, "counted and complete")) << result.diagnostics;
    EXPECT_TRUE(says(result, "process 1 still runs")) << result.diagnostics;
}

TEST(RecordUnharmed, ASignalToTheGroupComesOnce) {
    for (const char* from : {"", "elsewhere"}) {
        const scratch_folder folder;
        const tool_result result =
            run_script(folder, "setsid -w $resident record -q -o $folder/trace -- "
                               "$program signals " +
                                   std::string(from) + "\n");
        EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
        EXPECT_EQ(result.output, "1\n");
    }
}

TEST(RecordUnharmed, TheRecorderMayBeInAFolderThatTheLoaderCannotName) {
    for (const char* name : {"a blank", "a:colon", "$LIB"}) {
        const scratch_folder folder;
        const std::string place = install(folder, name);
        const tool_result result =
            run_tool({"record", "-o", folder.file("trace"), "--", place + "/program", "pairs", "5"},
                     {.program = place + "/resident", .environment = {"TMPDIR=" + folder.path()}});
        EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
        EXPECT_EQ(read_trace(folder.file("trace")).counted, (counted_calls_of{5, 5, 0}));
        // Nothing is left behind: the three that were installed, their folder, and the trace.
        EXPECT_EQ(folder.content().size(), 5U);
    }
}

TEST(RecordUnharmed, ALinkForTheTraceStaysALink) {
    const scratch_folder folder;
    std::filesystem::create_directory(folder.file("elsewhere"));
    std::filesystem::create_symlink("elsewhere/trace", folder.file("link"));
    std::filesystem::create_symlink("link", folder.file("link to link"));
    const tool_result result = run_tool({"record", "-o", folder.file("link to link"), "--",
                                         RESIDENT_RECORDED_PROGRAM, "pairs", "5"});
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link to link")));
    EXPECT_EQ(read_trace(folder.file("elsewhere/trace")).counted, (counted_calls_of{5, 5, 0}));
}

TEST(RecordUnharmed, ALinkThatLeadsToItselfIsRefused) {
    const scratch_folder folder;
    std::filesystem::create_symlink("link", folder.file("link"));
    const tool_result result = run_tool({"record", "-o", folder.file("link"), "--", "true"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_TRUE(says(result, "a link that leads to itself")) << result.diagnostics;
    EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
}

} // namespace
} // namespace resident
