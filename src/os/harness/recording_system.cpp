#include "os/harness/recording_system.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <limits.h>
#include <linux/mman.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// For kernel headers that are older than the kernel.
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace resident::os {
namespace {

/// The C library's functions of these names are cancellation points, and set errno.
template <class... Arguments>
long call(long number, Arguments... arguments) noexcept {
    const int before = errno;
    const long answer = ::syscall(number, arguments...);
    const long result = answer == -1 ? -errno : answer;
    errno = before;
    return result;
}

int error_of(long result) noexcept { return result < 0 ? static_cast<int>(-result) : 0; }

/// Out of the way: programs count on getting the lowest numbers.
int move_up(int descriptor) noexcept {
    for (const int lowest : {900, 200, 50}) {
        const long moved = call(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, lowest);
        if (moved >= 0) {
            call(SYS_close, descriptor);
            return static_cast<int>(moved);
        }
    }
    return descriptor;
}

struct file_identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool known = false;
};

file_identity identity_of(int descriptor) noexcept {
    const int before = errno;
    struct stat there {};
    const bool known = ::fstat(descriptor, &there) == 0;
    errno = before;
    return {.device = there.st_dev, .inode = there.st_ino, .known = known};
}

constinit file_identity standard_error{};

pthread_key_t thread_end_key;
void (*thread_end_hook)() noexcept = nullptr;

/// The value counts the rounds that are to come.
void run_thread_end_hook(void* rounds) {
    const auto left = reinterpret_cast<std::uintptr_t>(rounds);
    if (left > 1 && ::pthread_setspecific(thread_end_key, reinterpret_cast<void*>(left - 1)) == 0)
        return;
    thread_end_hook();
}

} // namespace

int recording_file::open(const char* path, bool create) noexcept {
    const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | (create ? O_CREAT | O_EXCL : 0);
    long descriptor = call(SYS_openat, AT_FDCWD, path, flags, 0644);
    if (descriptor < 0)
        return error_of(descriptor);
    descriptor = move_up(static_cast<int>(descriptor));
    struct stat there {};
    const int before = errno;
    const bool known = ::fstat(static_cast<int>(descriptor), &there) == 0;
    errno = before;
    if (!known || !S_ISREG(there.st_mode)) {
        call(SYS_close, descriptor);
        return EINVAL;
    }
    path_ = path;
    device_ = there.st_dev;
    inode_ = there.st_ino;
    descriptor_ = static_cast<int>(descriptor);
    open_ = true;
    return 0;
}

bool recording_file::is_ours(int descriptor) const noexcept {
    const file_identity there = identity_of(descriptor);
    return there.known && there.device == device_ && there.inode == inode_;
}

int recording_file::refresh() noexcept {
    if (!open_)
        return EBADF;
    int seen = __atomic_load_n(&descriptor_, __ATOMIC_RELAXED);
    if (is_ours(seen))
        return 0;
    recording_file again{};
    const int failure = again.open(path_, false);
    if (failure != 0)
        return failure;
    if (again.device_ != device_ || again.inode_ != inode_) {
        again.close();
        return ESTALE; // something else is at the path by now
    }
    if (!__atomic_compare_exchange_n(&descriptor_, &seen, again.descriptor_, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        again.close(); // another thread was first
    return 0;
}

std::uint64_t recording_file::bytes() noexcept {
    if (refresh() != 0)
        return 0;
    const int before = errno;
    struct stat there {};
    const bool known = ::fstat(descriptor_, &there) == 0;
    errno = before;
    return known ? static_cast<std::uint64_t>(there.st_size) : 0;
}

int recording_file::reserve(std::uint64_t offset, std::uint64_t bytes) noexcept {
    rlimit limit{};
    call(SYS_prlimit64, 0, RLIMIT_FSIZE, nullptr, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && offset + bytes > limit.rlim_cur)
        return EFBIG; // the kernel would say so, too, and send SIGXFSZ
    if (const int failure = refresh(); failure != 0)
        return failure;
    long result = 0;
    do {
        result = call(SYS_fallocate, descriptor_, 0, offset, bytes);
    } while (result == -EINTR);
    if (result != -EOPNOTSUPP)
        return error_of(result);
    static constexpr std::array<char, 4096> zeros{};
    for (std::uint64_t done = 0; done < bytes;) {
        result = call(SYS_pwrite64, descriptor_, zeros.data(), zeros.size(), offset + done);
        if (result > 0)
            done += static_cast<std::uint64_t>(result);
        else if (result != -EINTR)
            return result == 0 ? ENOSPC : error_of(result);
    }
    return 0;
}

int recording_file::map(std::uint64_t offset, std::size_t bytes, void*& address) noexcept {
    if (const int failure = refresh(); failure != 0)
        return failure;
    const long result =
        call(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, offset);
    if (result < 0 && result > -4096)
        return error_of(result);
    address = reinterpret_cast<void*>(result);
    // In one go instead of page by page; and a file system that cannot keep its promise of space
    // says so here, and not by SIGBUS.
    if (call(SYS_madvise, result, bytes, MADV_POPULATE_WRITE) == -EFAULT) {
        unmap(address, bytes);
        return ENOSPC;
    }
    return 0;
}

void recording_file::close() noexcept {
    if (open_ && is_ours(descriptor_))
        call(SYS_close, descriptor_);
    open_ = false;
}

void unmap(void* address, std::size_t bytes) noexcept { call(SYS_munmap, address, bytes); }

void map_own_memory_over(void* address, std::size_t bytes) noexcept {
    call(SYS_mmap, address, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
         -1, 0);
}

void* map_wiped_on_fork(std::size_t bytes) noexcept {
    const long result =
        call(SYS_mmap, nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (result < 0 && result > -4096)
        return nullptr;
    auto* const address = reinterpret_cast<void*>(result);
    if (call(SYS_madvise, address, bytes, MADV_WIPEONFORK) == 0)
        return address;
    unmap(address, bytes);
    return nullptr;
}

recorded_process this_process() noexcept {
    timespec now{};
    call(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return {.process = static_cast<std::uint64_t>(call(SYS_getpid)),
            .parent = static_cast<std::uint64_t>(call(SYS_getppid)),
            .now = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                   static_cast<std::uint64_t>(now.tv_nsec)};
}

std::uint64_t this_thread() noexcept { return static_cast<std::uint64_t>(call(SYS_gettid)); }

std::size_t system_page_size() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t copy_arguments(char* to, std::size_t limit) noexcept {
    const long file = call(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    if (file < 0)
        return 0;
    std::size_t copied = 0;
    while (copied < limit) {
        const long count = call(SYS_read, file, to + copied, limit - copied);
        if (count <= 0)
            break;
        copied += static_cast<std::size_t>(count);
    }
    call(SYS_close, file);
    return copied;
}

void remember_standard_error() noexcept { standard_error = identity_of(STDERR_FILENO); }

void complain(const char* text, std::size_t bytes) noexcept {
    const file_identity now = identity_of(STDERR_FILENO);
    if (now.known && standard_error.known && now.device == standard_error.device &&
        now.inode == standard_error.inode)
        call(SYS_write, STDERR_FILENO, text, bytes);
}

void let_others_run() noexcept { call(SYS_sched_yield); }

// By the kernel's call: the C library's leaves out the signals that it uses itself.
held_signals::held_signals() noexcept {
    const std::uint64_t all = ~std::uint64_t{0};
    call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof before_);
}
held_signals::~held_signals() {
    call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
}

bool on_signal_stack() noexcept {
    stack_t stack{};
    return call(SYS_sigaltstack, nullptr, &stack) == 0 && (stack.ss_flags & SS_ONSTACK) != 0;
}

bool hook_thread_ends(void (*hook)() noexcept) noexcept {
    thread_end_hook = hook;
    return ::pthread_key_create(&thread_end_key, run_thread_end_hook) == 0;
}

void hook_this_thread() noexcept {
    ::pthread_setspecific(thread_end_key,
                          reinterpret_cast<void*>(std::uintptr_t{PTHREAD_DESTRUCTOR_ITERATIONS}));
}

bool hook_forked_children(void (*hook)() noexcept) noexcept {
    return ::pthread_atfork(nullptr, nullptr, hook) == 0;
}

} // namespace resident::os
