/// The kernel for code that runs inside of malloc: nothing here allocates, throws, is a
/// cancellation point, or changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resident::os {

/// A file that grows by blocks, which are mapped to be written. A program may close descriptors
/// that it does not know, and open its own in their place: before each use the descriptor is
/// compared with the file that it stands for, and if it is another the path is opened again.
///
/// All zero is a file that is not open; trivial, so that it can live in memory that a fork wipes.
class recording_file {
public:
    /// Functions that can fail return 0, or the errno.

    /// Opens `path`, a buffer that the object keeps. `create`: it must not be there yet.
    int open(const char* path, bool create) noexcept;
    [[nodiscard]] std::uint64_t bytes() noexcept;
    /// Gives the file `bytes` at `offset` that will surely be there to be written, within the
    /// limit for the size of files (RLIMIT_FSIZE), without raising SIGXFSZ.
    int reserve(std::uint64_t offset, std::uint64_t bytes) noexcept;
    /// Maps a part that has been reserved, or that is known to be there.
    int map(std::uint64_t offset, std::size_t bytes, void*& address) noexcept;
    void close() noexcept;

private:
    /// Whether it is still that of the file: the program may have closed it, and have another
    /// there.
    [[nodiscard]] bool is_ours(int descriptor) const noexcept;
    int refresh() noexcept;

    const char* path_;
    std::uint64_t device_;
    std::uint64_t inode_;
    int descriptor_;
    bool open_;
};

void unmap(void* address, std::size_t bytes) noexcept;
/// Puts zeroed memory of this process alone in the place of what is mapped there.
void map_own_memory_over(void* address, std::size_t bytes) noexcept;
/// Zeroed memory that is zeroed again in a forked child, however that was forked. Null if the
/// kernel cannot (before Linux 4.14).
void* map_wiped_on_fork(std::size_t bytes) noexcept;

struct recorded_process {
    std::uint64_t process;
    std::uint64_t parent;
    std::uint64_t now; ///< nanoseconds since 1970
};
[[nodiscard]] recorded_process this_process() noexcept;
[[nodiscard]] std::uint64_t this_thread() noexcept;
[[nodiscard]] std::size_t system_page_size() noexcept;
/// Copies the arguments, each with a 0 behind it. Returns: how many bytes, at most `limit`.
std::size_t copy_arguments(char* to, std::size_t limit) noexcept;
/// Remembers what standard error is now.
void remember_standard_error() noexcept;
/// Writes to standard error, if that is still what it was: a daemon may have closed it, and have a
/// file of its own there.
void complain(const char* text, std::size_t bytes) noexcept;
void let_others_run() noexcept;

/// While it lives no signal handler runs in the thread: signals wait.
class held_signals {
public:
    held_signals() noexcept;
    ~held_signals();
    held_signals(const held_signals&) = delete;
    held_signals& operator=(const held_signals&) = delete;

private:
    std::uint64_t before_ = 0; ///< as the kernel has it
};

/// Whether a handler runs on the thread's alternate signal stack.
[[nodiscard]] bool on_signal_stack() noexcept;

/// From now on `hook` is called in each thread that called `hook_this_thread()`, as it ends: in the
/// last of the rounds in which thread-specific data is destroyed, behind most other destructors.
bool hook_thread_ends(void (*hook)() noexcept) noexcept;
/// May allocate, if the process has many keys of thread-specific data.
void hook_this_thread() noexcept;
/// From now on `hook` is called in each child that comes of fork(), before that returns there.
bool hook_forked_children(void (*hook)() noexcept) noexcept;

} // namespace resident::os
