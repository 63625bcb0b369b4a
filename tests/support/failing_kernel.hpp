/// The real kernel, except that chosen calls fail; counts and logs every call, and keeps the books
/// of what was taken and not given back.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace resident::test {

/// Forwards each call to `target` unless a rule makes it fail; a failed call is not forwarded.
/// Put it in force with os::kernel_replacement. Threads: any.
class failing_kernel : public os::kernel {
public:
    /// One enumerator a virtual function of os::kernel.
    enum class call : std::uint8_t {
        map,
        unmap,
        protect,
        advise,
        prefer_node,
        name_mapping,
        lock,
        lock_on_fault,
        unlock,
        lock_all,
        unlock_all,
        get_limit,
        set_limit,
        effective_capabilities,
        open_file,
        read_file,
        read_file_at,
        close_file,
        current_node,
        count_faults,
        control_process,
        set_memory_policy,
        control_file,
        open_fault_event,
        start_thread,
        join_thread,
    };
    static constexpr std::size_t call_kinds = static_cast<std::size_t>(call::join_thread) + 1;

    explicit failing_kernel(os::kernel& target = os::system()) noexcept : target_(target) {}

    /// Makes the `nth` call of this kind fail, counted from 1 and from now on; 0: every call.
    void fail(call which, unsigned nth, int error_number);
    /// Makes the `k`-th call of any kind fail, counted from 1 and from now on.
    void fail_kth(unsigned k, int error_number);
    /// Forgets rules, counts and log; not the books.
    void reset();

    [[nodiscard]] unsigned calls() const;
    [[nodiscard]] unsigned calls(call which) const;
    /// Every call in order, failed ones included.
    [[nodiscard]] std::vector<call> log() const;
    /// Whether a rule has made a call fail since reset().
    [[nodiscard]] bool has_failed() const;

    // The books: exact, whatever the runtime and malloc map meanwhile.
    /// Bytes mapped through this kernel and not unmapped since.
    [[nodiscard]] std::size_t mapped_bytes() const;
    /// Files opened through this kernel and not closed since.
    [[nodiscard]] int open_files() const;
    /// Threads started through this kernel and not joined since.
    [[nodiscard]] int running_threads() const;

    os::outcome map(void* hint, std::size_t bytes, int protection, int flags) noexcept override;
    os::outcome unmap(void* address, std::size_t bytes) noexcept override;
    os::outcome protect(void* address, std::size_t bytes, int protection) noexcept override;
    os::outcome advise(void* address, std::size_t bytes, int advice) noexcept override;
    os::outcome prefer_node(void* address, std::size_t bytes, unsigned node) noexcept override;
    os::outcome name_mapping(void* address, std::size_t bytes, const char* name) noexcept override;
    os::outcome lock(const void* address, std::size_t bytes) noexcept override;
    os::outcome lock_on_fault(const void* address, std::size_t bytes) noexcept override;
    os::outcome unlock(const void* address, std::size_t bytes) noexcept override;
    os::outcome lock_all(int flags) noexcept override;
    os::outcome unlock_all() noexcept override;
    os::outcome get_limit(int resource, rlimit& limit) noexcept override;
    os::outcome set_limit(int resource, const rlimit& limit) noexcept override;
    os::outcome effective_capabilities() noexcept override;
    os::outcome open_file(const char* path) noexcept override;
    os::outcome read_file(int descriptor, std::span<char> buffer) noexcept override;
    os::outcome read_file_at(int descriptor, std::span<char> buffer,
                             off_t offset) noexcept override;
    os::outcome close_file(int descriptor) noexcept override;
    os::outcome current_node() noexcept override;
    os::outcome count_faults(os::fault_scope scope, os::fault_counts& counts) noexcept override;
    os::outcome control_process(int option, unsigned long argument) noexcept override;
    os::outcome set_memory_policy(int mode, unsigned node) noexcept override;
    os::outcome control_file(int descriptor, unsigned long request,
                             void* argument) noexcept override;
    os::outcome open_fault_event(perf_event_attr& attributes) noexcept override;
    os::outcome start_thread(void (*entry)(void*), void* argument,
                             const char* name) noexcept override;
    os::outcome join_thread(std::uintptr_t handle) noexcept override;

private:
    struct rule {
        bool any_kind;
        call which;
        unsigned at; // of the counter of that kind; 0: every call
        int error_number;
    };

    /// The errno that a rule has for this call, or 0.
    int count_and_judge(call which);
    void forget_mapping(std::uintptr_t begin, std::uintptr_t end);

    os::kernel& target_;
    mutable std::mutex mutex_;
    std::vector<rule> rules_;
    std::vector<call> log_;
    std::map<std::uintptr_t, std::uintptr_t> mapped_; // begin to end
    int open_files_ = 0;
    int running_threads_ = 0;
    bool has_failed_ = false;
};

/// Name of the virtual function. Static storage.
[[nodiscard]] const char* to_string(failing_kernel::call value) noexcept;

/// Whether the call undoes another: unmap, unlock, unlock_all, close_file, join_thread. When one of
/// these fails something may be left over; when another fails, nothing may.
[[nodiscard]] bool is_undo(failing_kernel::call value) noexcept;

} // namespace resident::test
