#include "os/kernel.hpp"

#include "os/kernel_constants.hpp"
#include "os/sanitizers.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace resident::os {
namespace {

/// An argument as it goes into a register: syscall() takes its arguments as words, and what is
/// narrower leaves part of the word undefined.
template <class Argument>
long as_word(Argument argument) noexcept {
    static_assert(sizeof(long) == sizeof(void*));
    if constexpr (std::is_null_pointer_v<Argument>) {
        return 0;
    } else if constexpr (std::is_pointer_v<Argument>) {
        return reinterpret_cast<long>(argument);
    } else {
        return static_cast<long>(argument);
    }
}

/// Real, whatever a sanitizer or an interposed library has put in the place of the libc function.
template <class... Arguments>
outcome direct(long number, Arguments... arguments) noexcept {
    const long answer = ::syscall(number, as_word(arguments)...);
    return answer == -1 ? outcome::failure(errno)
                        : outcome::success(static_cast<std::uintptr_t>(answer));
}

template <class Call>
outcome retried(Call call) noexcept {
    outcome answer = call();
    while (answer.error_number() == EINTR)
        answer = call();
    return answer;
}

/// The set of one NUMA node, as mbind and set_mempolicy take it.
class node_set {
public:
    explicit node_set(unsigned node) noexcept {
        bits_[node / bits_a_word] = 1UL << (node % bits_a_word);
    }
    static constexpr unsigned limit = 1024;
    [[nodiscard]] const unsigned long* data() const noexcept { return bits_.data(); }
    /// The kernel takes one off this count before it uses it.
    static constexpr unsigned long count = limit + 1;

private:
    static constexpr std::size_t bits_a_word = sizeof(unsigned long) * CHAR_BIT;
    std::array<unsigned long, limit / bits_a_word> bits_{};
};

} // namespace

// mmap and munmap go through libc on purpose: ThreadSanitizer must see memory come and go, or it
// takes one thread's new mapping for another thread's old one. No sanitizer disables these two.
outcome kernel::map(void* hint, std::size_t bytes, int protection, int flags) noexcept {
    void* const address = ::mmap(hint, bytes, protection, flags, -1, 0);
    return address == MAP_FAILED ? outcome::failure(errno)
                                 : outcome::success(reinterpret_cast<std::uintptr_t>(address));
}

outcome kernel::unmap(void* address, std::size_t bytes) noexcept {
    return ::munmap(address, bytes) == 0 ? outcome::success() : outcome::failure(errno);
}

outcome kernel::protect(void* address, std::size_t bytes, int protection) noexcept {
    return direct(SYS_mprotect, address, bytes, protection);
}

outcome kernel::advise(void* address, std::size_t bytes, int advice) noexcept {
    return retried([&] { return direct(SYS_madvise, address, bytes, advice); });
}

outcome kernel::prefer_node(void* address, std::size_t bytes, unsigned node) noexcept {
    if (node >= node_set::limit)
        return outcome::failure(EINVAL);
    const node_set nodes(node);
    return direct(SYS_mbind, address, bytes, preferred_node_policy, nodes.data(), node_set::count,
                  0);
}

outcome kernel::name_mapping(void* address, std::size_t bytes, const char* name) noexcept {
    return direct(SYS_prctl, mapping_option, name_of_anonymous_mapping, address, bytes, name);
}

outcome kernel::lock(const void* address, std::size_t bytes) noexcept {
    return retried([&] { return direct(SYS_mlock, address, bytes); });
}

outcome kernel::lock_on_fault(const void* address, std::size_t bytes) noexcept {
    return retried([&] { return direct(SYS_mlock2, address, bytes, lock_range_on_fault); });
}

outcome kernel::unlock(const void* address, std::size_t bytes) noexcept {
    return retried([&] { return direct(SYS_munlock, address, bytes); });
}

outcome kernel::lock_all(int flags) noexcept {
    return retried([&] { return direct(SYS_mlockall, flags); });
}

outcome kernel::unlock_all() noexcept {
    return retried([] { return direct(SYS_munlockall); });
}

outcome kernel::get_limit(int resource, rlimit& limit) noexcept {
    static_assert(sizeof(rlim_t) == sizeof(std::uint64_t)); // as prlimit64 has it
    return direct(SYS_prlimit64, 0, resource, nullptr, &limit);
}

outcome kernel::set_limit(int resource, const rlimit& limit) noexcept {
    return direct(SYS_prlimit64, 0, resource, &limit, nullptr);
}

outcome kernel::effective_capabilities() noexcept {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    const outcome answer = direct(SYS_capget, &header, data.data());
    if (!answer)
        return answer;
    const std::uint64_t set = data[0].effective | std::uint64_t{data[1].effective} << 32U;
    return outcome::success(static_cast<std::uintptr_t>(set));
}

outcome kernel::open_file(const char* path) noexcept {
    return retried([&] { return direct(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0); });
}

outcome kernel::read_file(int descriptor, std::span<char> buffer) noexcept {
    return retried([&] { return direct(SYS_read, descriptor, buffer.data(), buffer.size()); });
}

outcome kernel::read_file_at(int descriptor, std::span<char> buffer, off_t offset) noexcept {
    return retried([&] {
        const ssize_t length = ::pread(descriptor, buffer.data(), buffer.size(), offset);
        return length < 0 ? outcome::failure(errno)
                          : outcome::success(static_cast<std::uintptr_t>(length));
    });
}

outcome kernel::close_file(int descriptor) noexcept {
    const outcome answer = direct(SYS_close, descriptor);
    // Linux has closed it then, and the number may be another thread's by now.
    return answer.error_number() == EINTR ? outcome::success() : answer;
}

outcome kernel::current_node() noexcept {
    unsigned processor = 0;
    unsigned node = 0;
    const outcome answer = direct(SYS_getcpu, &processor, &node, nullptr);
    return answer ? outcome::success(node) : answer;
}

outcome kernel::count_faults(fault_scope scope, fault_counts& counts) noexcept {
    rusage usage{};
    const int whose = scope == fault_scope::thread ? RUSAGE_THREAD : RUSAGE_SELF;
    const outcome answer = direct(SYS_getrusage, whose, &usage);
    if (!answer)
        return answer;
    counts = {static_cast<std::uint64_t>(usage.ru_minflt),
              static_cast<std::uint64_t>(usage.ru_majflt)};
    return answer;
}

outcome kernel::control_process(int option, unsigned long argument) noexcept {
    return direct(SYS_prctl, option, argument, 0, 0, 0);
}

outcome kernel::set_memory_policy(int mode, unsigned node) noexcept {
    // These two take no node, and refuse one.
    if (mode == default_node_policy || mode == local_node_policy) {
        return direct(SYS_set_mempolicy, mode, nullptr, 0);
    }
    if (node >= node_set::limit)
        return outcome::failure(EINVAL);
    const node_set nodes(node);
    return direct(SYS_set_mempolicy, mode, nodes.data(), node_set::count);
}

outcome kernel::control_file(int descriptor, unsigned long request, void* argument) noexcept {
    return direct(SYS_ioctl, descriptor, request, argument);
}

outcome kernel::open_fault_event(perf_event_attr& attributes) noexcept {
    constexpr pid_t this_thread = 0;
    constexpr int any_processor = -1;
    constexpr int no_group = -1;
    return direct(SYS_perf_event_open, &attributes, this_thread, any_processor, no_group,
                  PERF_FLAG_FD_CLOEXEC);
}

namespace {

struct thread_start {
    void (*entry)(void*);
    void* argument;
    std::array<char, 16> name; // what the kernel keeps
};

void* run_thread(void* argument) {
    const std::unique_ptr<thread_start> start(static_cast<thread_start*>(argument));
    ::prctl(PR_SET_NAME, start->name.data(), 0UL, 0UL, 0UL);
    start->entry(start->argument);
    return nullptr;
}

/// Small, because under MCL_FUTURE all of it is locked; but thread-local variables live there too.
std::size_t thread_stack_size() noexcept {
    constexpr bool sanitized = thread_sanitized || address_sanitized; // with larger frames
    constexpr std::size_t room = std::size_t{sanitized ? 1024U : 112U} << 10;
    const long minimum = ::sysconf(_SC_THREAD_STACK_MIN);
    const std::size_t page = page_size();
    const std::size_t size = room + (minimum > 0 ? static_cast<std::size_t>(minimum) : page);
    return (size + page - 1) / page * page;
}

/// Normal priority whatever the creator's: a real-time thread must not create another unawares.
class thread_attributes {
public:
    thread_attributes() noexcept {
        ::pthread_attr_init(&attributes_);
        ::pthread_attr_setinheritsched(&attributes_, PTHREAD_EXPLICIT_SCHED);
        ::pthread_attr_setschedpolicy(&attributes_, SCHED_OTHER);
        const sched_param normal{};
        ::pthread_attr_setschedparam(&attributes_, &normal);
        ::pthread_attr_setstacksize(&attributes_, thread_stack_size());
    }
    ~thread_attributes() { ::pthread_attr_destroy(&attributes_); }
    thread_attributes(const thread_attributes&) = delete;
    thread_attributes& operator=(const thread_attributes&) = delete;
    [[nodiscard]] const pthread_attr_t* get() const noexcept { return &attributes_; }

private:
    pthread_attr_t attributes_{};
};

} // namespace

outcome kernel::start_thread(void (*entry)(void*), void* argument, const char* name) noexcept {
    std::unique_ptr<thread_start> start(new (std::nothrow) thread_start{entry, argument, {}});
    if (!start)
        return outcome::failure(ENOMEM);
    std::strncpy(start->name.data(), name, start->name.size() - 1);

    const thread_attributes attributes;
    // Inherited by the new thread: the program's signals are not for it to handle.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread{};
    const int error_number = ::pthread_create(&thread, attributes.get(), run_thread, start.get());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error_number != 0)
        return outcome::failure(error_number);
    static_cast<void>(start.release());
    static_assert(sizeof(pthread_t) == sizeof(std::uintptr_t));
    return outcome::success(std::bit_cast<std::uintptr_t>(thread));
}

outcome kernel::join_thread(std::uintptr_t handle) noexcept {
    const int error_number = ::pthread_join(std::bit_cast<pthread_t>(handle), nullptr);
    return error_number == 0 ? outcome::success() : outcome::failure(error_number);
}

outcome kernel::thread_id() noexcept { return direct(SYS_gettid); }

outcome kernel::memory_barrier(int command) noexcept {
    return direct(SYS_membarrier, command, 0, 0);
}
outcome kernel::futex(std::uint32_t* word, int operation, std::uint32_t value) noexcept {
    return direct(SYS_futex, word, operation, value, nullptr, nullptr, 0);
}

namespace {

/// Never destroyed: arenas that are static objects still need it after main.
union immortal_kernel {
    constexpr immortal_kernel() noexcept : value{} {}
    ~immortal_kernel() {} // NOLINT(modernize-use-equals-default): it would be deleted
    kernel value;
};

constinit immortal_kernel real_kernel;
constinit std::atomic<kernel*> kernel_in_force{&real_kernel.value};

} // namespace

kernel& system() noexcept { return *kernel_in_force.load(std::memory_order_acquire); }

kernel_replacement::kernel_replacement(kernel& replacement) noexcept
    : previous_(kernel_in_force.exchange(&replacement)) {}

kernel_replacement::~kernel_replacement() { kernel_in_force.store(previous_); }

std::size_t page_size() noexcept {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

} // namespace resident::os
