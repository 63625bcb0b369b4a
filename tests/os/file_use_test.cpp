// Concerns: that a file is only said to be unused if no process can write to it by a descriptor or
// by its memory; that its writer is told from others that have it.
// Plan: children that open or map a file of their own wait for the end of a pipe.

#include "os/harness/file_use.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using os::file_use;

constexpr std::size_t page = 4096;

class FileUse : public testing::Test {
protected:
    FileUse() {
        const int descriptor = ::mkstemp(path_.data());
        EXPECT_EQ(::ftruncate(descriptor, 4 * page), 0);
        ::close(descriptor);
    }
    ~FileUse() override {
        end_child();
        ::unlink(path_.c_str());
    }

    /// Waits until the child has done its part, and then waits.
    void start_child(const std::function<void()>& part) {
        std::array<int, 2> done{};
        std::array<int, 2> end{};
        ASSERT_EQ(::pipe(done.data()), 0);
        ASSERT_EQ(::pipe(end.data()), 0);
        child_ = ::fork();
        if (child_ == 0) {
            ::close(end[1]);
            part();
            char none = 0;
            [[maybe_unused]] ssize_t count = ::write(done[1], &none, 1);
            count = ::read(end[0], &none, 1);
            ::_exit(0);
        }
        char none = 0;
        ASSERT_EQ(::read(done[0], &none, 1), 1);
        for (const int each : {done[0], done[1], end[0]})
            ::close(each);
        ending_ = end[1];
    }
    void end_child() {
        if (child_ <= 0)
            return;
        ::close(ending_);
        ::waitpid(child_, nullptr, 0);
        child_ = 0;
    }
    void map(off_t offset, std::size_t bytes = page) const {
        const int descriptor = ::open(path_.c_str(), O_RDWR);
        if (::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, offset) ==
            MAP_FAILED)
            ::_exit(1);
        ::close(descriptor);
    }
    [[nodiscard]] file_use use_by(pid_t process) const {
        return os::use_of(path_, static_cast<unsigned long>(process));
    }

    /// On a file system that counts its writers, as /tmp may not.
    std::string path_ = "/dev/shm/resident-test-XXXXXX";
    pid_t child_ = 0;
    int ending_ = -1;
};

TEST_F(FileUse, WhatNobodyHasIsUnused) { EXPECT_EQ(use_by(::getpid()), file_use::none); }

TEST_F(FileUse, WhatIsMappedIsUsedAlsoWithoutADescriptor) {
    start_child([this] { map(page); });
    EXPECT_EQ(use_by(child_), file_use::live);
    const pid_t child = child_;
    end_child();
    EXPECT_EQ(use_by(child), file_use::none);
}

TEST_F(FileUse, WhatOthersHaveIsStaleOnceItsWriterHasEnded) {
    start_child([this] { map(page); });
    const pid_t ended = ::fork();
    if (ended == 0)
        ::_exit(0);
    siginfo_t how{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(ended), &how, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(use_by(ended), file_use::stale) << "it has ended, and nobody has asked how";
    ::waitpid(ended, nullptr, 0);
    EXPECT_EQ(use_by(ended), file_use::stale);
}

TEST_F(FileUse, WhoHasTheHeaderAloneIsNotItsWriter) {
    start_child([this] { map(0); });
    EXPECT_EQ(use_by(child_), file_use::stale);
}

// Mappings of the header and of the first block that happen to be neighbours become one.
TEST_F(FileUse, WhoHasTheHeaderAndMoreInOneMappingIsItsWriter) {
    start_child([this] { map(0, 2 * page); });
    EXPECT_EQ(use_by(child_), file_use::live);
}

} // namespace
} // namespace resident
