/// Tells the true cause of a failed call: the same errno means different things by operation, and
/// by the limits in force.
#include "os/cgroups.hpp"
#include "os/features.hpp"
#include "os/headroom.hpp"
#include "os/mappings.hpp"
#include "os/process_status.hpp"
#include "os/system_file.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <string_view>

#include <sys/resource.h>

namespace resident::os {
namespace {

/// One failed call, with what it takes to judge it.
class diagnosis {
public:
    explicit diagnosis(error_details& details) noexcept
        : details_(details), reason_(details.reason) {}

    void judge() noexcept;

private:
    void judge_by_operation() noexcept;
    void judge_by_number() noexcept;
    void judge_lock() noexcept;
    void judge_reserve() noexcept;
    void judge_protect() noexcept;
    void judge_populate() noexcept;
    void judge_advice() noexcept;

    // Each returns whether it is the cause, and then says so.
    bool is_memlock_limit() noexcept;
    bool is_mapping_count() noexcept;
    bool is_address_space() noexcept;
    bool is_data_limit() noexcept;
    bool is_overcommit() noexcept;
    bool is_memory_left() noexcept;
    bool is_huge_page_pool() noexcept;
    bool is_missing_feature() noexcept;

    void conclude(cause why, std::string_view reason) noexcept {
        details_.cause = why;
        reason_ << reason;
    }
    [[nodiscard]] int number() const noexcept { return details_.error_number; }
    [[nodiscard]] const headroom_snapshot& headroom() const noexcept { return details_.headroom; }

    error_details& details_;
    text_builder reason_;
};

bool exceeds(std::size_t bytes, std::size_t left) noexcept {
    return left != unlimited && bytes > left;
}

bool diagnosis::is_memlock_limit() noexcept {
    const std::size_t left = lockable(headroom());
    if (headroom().memlock_soft_limit == 0 && left == 0) {
        conclude(cause::not_permitted, "RLIMIT_MEMLOCK is 0: nothing may be locked");
        return true;
    }
    if (!exceeds(details_.bytes_asked, left))
        return false;
    details_.cause = cause::memlock_limit;
    reason_.short_size(details_.bytes_asked) << " to lock, but RLIMIT_MEMLOCK leaves ";
    reason_.short_size(left) << " (soft limit ";
    reason_.short_size(headroom().memlock_soft_limit) << ", already locked ";
    reason_.short_size(headroom().locked) << ")";
    return true;
}

bool diagnosis::is_mapping_count() noexcept {
    constexpr std::size_t split_by_one_call = 2;
    std::size_t mappings = 0;
    const auto most = read_number("/proc/sys/vm/max_map_count");
    if (!most || !count_mappings(mappings) || mappings + split_by_one_call < *most)
        return false;
    details_.cause = cause::mapping_count;
    reason_ << "the process has " << mappings << " mappings, and vm.max_map_count is " << *most;
    return true;
}

bool diagnosis::is_address_space() noexcept {
    rlimit limit{};
    if (!system().get_limit(RLIMIT_AS, limit) || limit.rlim_cur == RLIM_INFINITY)
        return false;
    const std::size_t mapped = read_process_status().mapped;
    const std::size_t most = static_cast<std::size_t>(limit.rlim_cur);
    if (!exceeds(details_.bytes_asked, most - std::min(most, mapped)))
        return false;
    details_.cause = cause::address_space;
    reason_ << "RLIMIT_AS is ";
    reason_.short_size(most) << ", and ";
    reason_.short_size(mapped) << " are mapped already";
    return true;
}

bool diagnosis::is_data_limit() noexcept {
    rlimit limit{};
    if (!system().get_limit(RLIMIT_DATA, limit) || limit.rlim_cur == RLIM_INFINITY)
        return false;
    const std::size_t data = read_process_status().data;
    const std::size_t most = static_cast<std::size_t>(limit.rlim_cur);
    if (!exceeds(details_.bytes_asked, most - std::min(most, data)))
        return false;
    details_.cause = cause::address_space;
    reason_ << "RLIMIT_DATA is ";
    reason_.short_size(most) << ", and ";
    reason_.short_size(data) << " count against it already";
    return true;
}

bool diagnosis::is_overcommit() noexcept {
    if (!headroom().strict_overcommit)
        return false;
    details_.cause = cause::overcommit;
    reason_ << "vm.overcommit_memory is 2";
    const auto limit = read_field("/proc/meminfo", "CommitLimit");
    const auto committed = read_field("/proc/meminfo", "Committed_AS");
    if (limit && committed) {
        reason_ << ": of the commit limit of ";
        reason_.short_size(*limit) << ", ";
        reason_.short_size(*committed) << " are promised already";
    }
    return true;
}

bool diagnosis::is_memory_left() noexcept {
    const memory_cgroup_level* const level = tightest(headroom());
    if (level != nullptr && exceeds(details_.bytes_asked, room(*level))) {
        details_.cause = cause::memory_cgroup;
        reason_ << "a memory cgroup leaves ";
        reason_.short_size(room(*level)) << ": " << level->path.data();
        return true;
    }
    if (!exceeds(details_.bytes_asked, headroom().available_memory))
        return false;
    details_.cause = cause::physical_memory;
    reason_ << "RAM leaves ";
    reason_.short_size(headroom().available_memory) << " (MemAvailable)";
    return true;
}

bool diagnosis::is_huge_page_pool() noexcept {
    if (details_.huge_page_size == 0)
        return false;
    details_.cause = cause::huge_pages;
    reason_ << "the pool of reserved huge pages of ";
    reason_.short_size(details_.huge_page_size) << " is short";
    return true;
}

bool diagnosis::is_missing_feature() noexcept {
    const kernel_feature* const missing = missing_feature(details_.operation, number());
    if (missing == nullptr)
        return false;
    details_.cause = cause::unsupported;
    const kernel_release here = running_kernel();
    if (here >= missing->since) {
        reason_ << "Linux " << here << " has " << missing->name << " and yet refuses it";
        return true;
    }
    if (here != kernel_release{})
        reason_ << "this is Linux " << here << "; ";
    reason_ << missing->name << " needs Linux " << missing->since;
    return true;
}

void diagnosis::judge_lock() noexcept {
    switch (number()) {
    case EPERM:
        if (is_memlock_limit())
            return;
        return conclude(cause::not_permitted, "a security policy forbids the call (seccomp?)");
    case ENOMEM:
    case EAGAIN:
        if (is_memlock_limit() || is_mapping_count() || is_memory_left())
            return;
        if (number() == EAGAIN)
            return conclude(cause::physical_memory, "RAM ran out");
        return conclude(cause::invalid_argument,
                        "part of the range is not mapped (the limits leave enough)");
    case EINVAL:
        return conclude(cause::invalid_argument, "the range does not fit the address space");
    default:
        return;
    }
}

void diagnosis::judge_reserve() noexcept {
    switch (number()) {
    case EAGAIN:
        // mlockall(MCL_FUTURE) is in force: every mapping counts.
        if (is_memlock_limit())
            return;
        return conclude(cause::memlock_limit, "under MCL_FUTURE mappings are locked at once");
    case ENOMEM:
        if (is_address_space() || is_mapping_count() || is_huge_page_pool())
            return;
        if (is_data_limit() || is_overcommit())
            return;
        return conclude(cause::address_space, "no gap of that length in the address space");
    case EPERM:
        return conclude(cause::not_permitted, "a security policy forbids the call");
    case EINVAL:
        if (details_.huge_page_size == 0)
            break;
        return conclude(cause::unsupported, "this machine has no huge pages of that size");
    case ENODEV:
        return conclude(cause::unsupported, "this kernel has no such mappings");
    default:
        break;
    }
    if (number() == EINVAL)
        conclude(cause::invalid_argument, "no valid length or alignment");
}

void diagnosis::judge_protect() noexcept {
    if (number() == EAGAIN && is_memlock_limit())
        return;
    if (number() == EACCES)
        return conclude(cause::not_permitted, "a security policy forbids it");
    if (number() != ENOMEM)
        return;
    if (is_mapping_count() || is_overcommit() || is_data_limit() || is_memory_left())
        return;
    conclude(cause::overcommit, "the kernel promises no more memory than RAM and swap hold");
}

void diagnosis::judge_populate() noexcept {
    switch (number()) {
    case EFAULT:
        if (is_huge_page_pool() || is_memory_left())
            return;
        return conclude(cause::physical_memory, "a page could not be had");
    case ENOMEM:
    case EAGAIN:
        if (is_huge_page_pool() || is_memory_left())
            return;
        return conclude(cause::physical_memory, "no page could be had");
    case EHWPOISON:
        return conclude(cause::physical_memory, "a page of RAM is defective");
    default:
        return;
    }
}

void diagnosis::judge_advice() noexcept {
    if (number() == EINVAL) {
        conclude(cause::unsupported, "this kernel, or this kind of page, does not know the advice");
    } else if (number() == ENOMEM && !is_mapping_count()) {
        conclude(cause::invalid_argument, "part of the range is not mapped");
    }
}

/// What an errno means where the operation alone tells.
struct plain_answer {
    operation failed;
    int error_number;
    cause why;
    std::string_view reason;
};

constexpr plain_answer plain_answers[] = {
    {operation::bind_to_node, EPERM, cause::not_permitted, "a security policy forbids mbind"},
    {operation::bind_to_node, EINVAL, cause::invalid_argument,
     "no such NUMA node, or it has no memory"},
    {operation::set_limit, EPERM, cause::not_permitted, "raising the hard limit needs a privilege"},
    {operation::set_limit, EINVAL, cause::invalid_argument, "the soft limit exceeds the hard one"},
    {operation::observe_faults, EPERM, cause::not_permitted, "the kernel forbids perf events"},
    {operation::observe_faults, EACCES, cause::not_permitted, "the kernel forbids perf events"},
    {operation::observe_faults, ENOENT, cause::unsupported, "this kernel has no such perf event"},
    {operation::observe_faults, ENODEV, cause::unsupported, "this kernel has no such perf event"},
    {operation::start_thread, EAGAIN, cause::system, "no more threads, or no room for its stack"},
    {operation::read_system_file, EPERM, cause::not_permitted, "the file may not be read"},
    {operation::read_system_file, EACCES, cause::not_permitted, "the file may not be read"},
    {operation::read_system_file, ENOENT, cause::unsupported,
     "the file is not there: is /proc mounted?"},
    {operation::prepare, EPERM, cause::not_permitted, "a privilege is missing"},
    {operation::prepare, EINVAL, cause::unsupported, "this kernel does not know the request"},
    {operation::unlock, ENOMEM, cause::invalid_argument, "part of the range is not mapped"},
    {operation::verify, 0, cause::not_resident, "pages are not in RAM, or not locked"},
    {operation::check_options, 0, cause::invalid_argument, ""},
};

void diagnosis::judge_by_number() noexcept {
    for (const plain_answer& answer : plain_answers) {
        if (answer.failed == details_.operation && answer.error_number == number()) {
            return conclude(answer.why, answer.reason);
        }
    }
}

void diagnosis::judge_by_operation() noexcept {
    switch (details_.operation) {
    case operation::lock:
        return judge_lock();
    case operation::reserve:
        return judge_reserve();
    case operation::make_accessible:
        return judge_protect();
    case operation::populate:
        return judge_populate();
    case operation::advise:
        return judge_advice();
    case operation::unlock:
        if (number() == ENOMEM && is_mapping_count())
            return;
        break;
    case operation::start_thread:
        if (number() != ENOMEM)
            break;
        if (!is_memory_left())
            conclude(cause::physical_memory, "no memory for its stack");
        return;
    default:
        break;
    }
    judge_by_number();
}

void diagnosis::judge() noexcept {
    if (is_missing_feature())
        return;
    if (number() == ENOSYS || number() == EOPNOTSUPP) {
        return conclude(cause::unsupported, "this kernel does not have the call");
    }
    judge_by_operation();
}

} // namespace

error make_error(operation failed, int error_number, std::size_t bytes_asked, const char* subject,
                 std::size_t huge_page_size) noexcept {
    error_details details{.operation = failed,
                          .error_number = error_number,
                          .bytes_asked = bytes_asked,
                          .huge_page_size = huge_page_size,
                          .headroom = read_headroom()};
    const bool whole_address_space = failed == operation::lock && bytes_asked == 0;
    if (whole_address_space)
        details.bytes_asked = read_process_status().mapped;
    text_builder(details.subject) << subject;
    diagnosis(details).judge();
    return error(details);
}

error make_refusal_error(const refusal& refused, const char* subject) noexcept {
    error_details details = refused.details;
    text_builder(details.subject) << subject;
    return error(details);
}

error make_argument_error(const char* subject, const char* reason, ...) noexcept {
    error_details details{.operation = operation::check_options, .cause = cause::invalid_argument};
    text_builder(details.subject) << subject;
    std::va_list arguments;
    va_start(arguments, reason);
    text_builder(details.reason).print_list(reason, arguments);
    va_end(arguments);
    return error(details);
}

} // namespace resident::os
