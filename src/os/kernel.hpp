/// The door to the kernel: one virtual function a system call, so that a test can make each fail.
///
/// Nothing here is on the hot path: allocate and deallocate make no system call at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/resource.h>
#include <sys/types.h>

struct perf_event_attr;

namespace resident::os {

/// What a system call answered: its value, or the errno it failed with.
class [[nodiscard]] outcome {
public:
    static constexpr outcome success(std::uintptr_t value = 0) noexcept { return {value, 0}; }
    static constexpr outcome failure(int error_number) noexcept { return {0, error_number}; }

    constexpr explicit operator bool() const noexcept { return error_number_ == 0; }
    /// The behavior is undefined unless the call succeeded.
    [[nodiscard]] constexpr std::uintptr_t value() const noexcept { return value_; }
    /// 0 if the call succeeded.
    [[nodiscard]] constexpr int error_number() const noexcept { return error_number_; }

private:
    constexpr outcome(std::uintptr_t value, int error_number) noexcept
        : value_(value), error_number_(error_number) {}
    std::uintptr_t value_;
    int error_number_;
};

/// Page faults since the start of a thread or process. A transparent-huge-page fault counts 1.
struct fault_counts {
    std::uint64_t minor = 0;
    std::uint64_t major = 0;
};

/// Which faults are counted.
enum class fault_scope : std::uint8_t { thread, process };

/// The kernel, call by call, through direct system calls: the runtimes of AddressSanitizer and
/// ThreadSanitizer turn the libc functions mlock and munlock into no-ops.
/// Flags and constants are the kernel's own. All functions: any thread, not real-time safe.
class kernel {
public:
    virtual ~kernel() = default;

    // Mapping (mmap, munmap, mprotect, madvise, mbind, prctl PR_SET_VMA_ANON_NAME)
    virtual outcome map(void* hint, std::size_t bytes, int protection, int flags) noexcept;
    virtual outcome unmap(void* address, std::size_t bytes) noexcept;
    virtual outcome protect(void* address, std::size_t bytes, int protection) noexcept;
    virtual outcome advise(void* address, std::size_t bytes, int advice) noexcept;
    /// mbind MPOL_PREFERRED to `node`.
    virtual outcome prefer_node(void* address, std::size_t bytes, unsigned node) noexcept;
    virtual outcome name_mapping(void* address, std::size_t bytes, const char* name) noexcept;

    // Locking (mlock, mlock2, munlock, mlockall, munlockall)
    virtual outcome lock(const void* address, std::size_t bytes) noexcept;
    virtual outcome lock_on_fault(const void* address, std::size_t bytes) noexcept;
    virtual outcome unlock(const void* address, std::size_t bytes) noexcept;
    virtual outcome lock_all(int flags) noexcept;
    virtual outcome unlock_all() noexcept;

    // Limits and privileges (prlimit, capget)
    virtual outcome get_limit(int resource, rlimit& limit) noexcept;
    virtual outcome set_limit(int resource, const rlimit& limit) noexcept;
    /// Value: the effective capability set, one bit a capability.
    virtual outcome effective_capabilities() noexcept;

    // Files of /proc and /sys (open O_RDONLY|O_CLOEXEC, read, pread, close)
    virtual outcome open_file(const char* path) noexcept;
    virtual outcome read_file(int descriptor, std::span<char> buffer) noexcept;
    virtual outcome read_file_at(int descriptor, std::span<char> buffer, off_t offset) noexcept;
    virtual outcome close_file(int descriptor) noexcept;

    // This machine and thread
    /// Value: the NUMA node this thread runs on (getcpu).
    virtual outcome current_node() noexcept;
    virtual outcome count_faults(fault_scope scope, fault_counts& counts) noexcept; ///< getrusage
    /// prctl with integer arguments (KSM and the like).
    virtual outcome control_process(int option, unsigned long argument) noexcept;
    virtual outcome set_memory_policy(int mode, unsigned node) noexcept; ///< set_mempolicy
    /// PAGEMAP_SCAN and the like.
    virtual outcome control_file(int descriptor, unsigned long request, void* argument) noexcept;
    virtual outcome open_fault_event(perf_event_attr& attributes) noexcept; ///< this thread

    /// Starts a detached-signal, normal-priority thread that runs `entry(argument)`; joinable.
    /// Value: a handle for join_thread.
    virtual outcome start_thread(void (*entry)(void*), void* argument, const char* name) noexcept;
    virtual outcome join_thread(std::uintptr_t handle) noexcept;
    virtual outcome thread_id() noexcept;                 ///< gettid
    virtual outcome memory_barrier(int command) noexcept; ///< membarrier, without flags
    /// Without a timeout. Not repeated when a signal comes between.
    virtual outcome futex(std::uint32_t* word, int operation, std::uint32_t value) noexcept;
};

/// The kernel in force: the real one unless a test has put another in its place.
[[nodiscard]] kernel& system() noexcept;

/// Puts another kernel in force while it lives; for tests. Not thread safe.
class kernel_replacement {
public:
    explicit kernel_replacement(kernel& replacement) noexcept;
    ~kernel_replacement();
    kernel_replacement(const kernel_replacement&) = delete;
    kernel_replacement& operator=(const kernel_replacement&) = delete;

private:
    kernel* previous_;
};

/// Bytes a base page. Constant of the running kernel; read once.
[[nodiscard]] std::size_t page_size() noexcept;

} // namespace resident::os
