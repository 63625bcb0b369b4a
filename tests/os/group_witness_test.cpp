// Concerns: that a signal to the process is told from one to its group, each time.
// Plan: in a child, which is a group of its own; what it finds is its exit code.

#include "os/harness/group_witness.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

/// Each bit is an answer.
int answers_of_child() {
    ::setpgid(0, 0);
    sigset_t watched;
    ::sigemptyset(&watched);
    ::sigaddset(&watched, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &watched, nullptr);
    os::group_witness witness;
    int answers = 0;
    int bit = 1;
    const auto ask = [&](pid_t to) {
        ::kill(to, SIGUSR1);
        int signal = 0;
        ::sigwait(&watched, &signal);
        answers |= witness.has_got(signal) ? bit : 0;
        bit *= 2;
    };
    ask(0);
    ask(::getpid());
    ask(-::getpgrp());
    ask(0);
    ask(::getpid());
    return answers;
}

TEST(GroupWitness, TellsWhatWentToTheGroup) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(answers_of_child());
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0b01101);
}

} // namespace
} // namespace resident
