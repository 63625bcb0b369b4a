/// Whether a file that processes write through their memory is left alone by now.
#pragma once

#include <string>

namespace resident::os {

enum class file_use {
    none,  ///< proven: no process has it open for writing, or mapped for writing
    stale, ///< its writer has ended, but others may have it mapped: children that were forked
    live,  ///< its writer may still write to it; also if that cannot be told
};

/// `writer` is the process that writes to the file, by the id that it has for itself: it may be in
/// a PID namespace below this one, forbid to be looked at, or belong to another user.
///
/// The kernel grants a lease for reading if and only if nobody can write to a file, and counts a
/// mapping as it does a descriptor: that is the proof, on file systems that keep that count. On
/// others, and for files of other users, processes are looked for, and there is never one.
///
/// Requires: this process has not opened the file for writing.
[[nodiscard]] file_use use_of(const std::string& file, unsigned long writer);

} // namespace resident::os
