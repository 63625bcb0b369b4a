/// Whether a signal went to one process or to its whole group.
#pragma once

#include <sys/types.h>

namespace resident::os {

/// The kernel tells who sent a signal, and not to whom. So a small process in the same group, which
/// does nothing else, keeps what it is sent: it has the signal, too, if and only if that went to
/// the group. The group of the sender would not do: a script and what it starts share one, and who
/// has sent a signal may be gone before it is asked about.
///
/// Where no process can be made, no signal went to the group.
class group_witness {
public:
    /// Effects: starts it. Call while this process has one thread.
    group_witness();
    ~group_witness();
    group_witness(const group_witness&) = delete;
    group_witness& operator=(const group_witness&) = delete;

    /// Whether `signal`, which this process was just sent, went to the group. Tells it once.
    [[nodiscard]] bool has_got(int signal);

private:
    int socket_ = -1;
    pid_t process_ = -1;
    unsigned questions_ = 0;
};

} // namespace resident::os
