/// Puts the machine back as it was, whatever becomes of the process that changed it.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace resident::os {

/// A small process that waits for this one to finish or to end in any way, SIGKILL included, and
/// then undoes what was announced to it. It stands in a session of its own, so that a control-C or
/// a signal to the process group does not reach it, and is nobody's child here, so that who ends
/// this process with all of its descendants does not find it. It is called guard-<id of this
/// process>.
///
/// Announce before doing: undoing what was never done is harmless, the reverse is not.
class cleanup_guardian {
public:
    /// Returns null, and why in `reason`, if and only if no process can be made.
    /// Call while this process has one thread.
    static std::unique_ptr<cleanup_guardian> start(std::string& reason);

    /// Finishes, if finish() has not been called.
    ~cleanup_guardian();
    cleanup_guardian(const cleanup_guardian&) = delete;
    cleanup_guardian& operator=(const cleanup_guardian&) = delete;

    /// A memory cgroup, by directory: its processes are ended, then it is removed.
    /// Returns false if and only if the guardian is gone; then do not go on.
    bool announce_cgroup(const std::string& directory);
    /// A swap file: swapped off, then deleted. Returns likewise.
    bool announce_swap_file(const std::string& path);

    /// A one-line file of the kernel: written with its old value. Returns likewise.
    bool announce_setting(const std::string& path, const std::string& old_value);

    /// Effects: lets it undo everything now, and waits for that. If somebody ended the guardian,
    /// this process does its work. Returns: whether all is undone.
    bool finish();

    struct undertaking {
        char kind;
        std::string subject;
    };

private:
    explicit cleanup_guardian(int socket) : socket_(socket) {}
    bool announce(char kind, const std::string& subject);

    int socket_; ///< -1 once it has finished
    std::vector<undertaking> announced_;
};

} // namespace resident::os
