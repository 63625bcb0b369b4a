#include "os/remedy.hpp"

#include "os/cgroups.hpp"
#include "os/environment.hpp"
#include "os/features.hpp"
#include "os/headroom.hpp"
#include "os/huge_page_pool.hpp"
#include "os/system_file.hpp"

#include <algorithm>
#include <cerrno>

namespace resident::os {
namespace {

std::size_t sum(std::size_t one, std::size_t other) noexcept {
    return one > unlimited - other ? unlimited : one + other;
}

/// The memlock limit, in KiB, under which the failed request would have succeeded.
std::size_t memlock_needed_kib(const error_details& details) noexcept {
    const std::size_t bytes = sum(details.headroom.locked, details.bytes_asked);
    return bytes / 1024 + (bytes % 1024 != 0 ? 1 : 0);
}

void remedy_at_login(std::size_t kib, const environment& here, text_builder& remedy) noexcept {
    remedy << "put the line \"" << here.user.data() << " - memlock " << kib
           << "\" (for a group: \"@realtime - memlock " << kib
           << "\") into /etc/security/limits.d/99-realtime.conf and log in again";
}

void remedy_in_service(std::size_t kib, const environment& here, text_builder& remedy) noexcept {
    remedy << "run \"systemctl edit " << here.unit.data() << "\", put \"LimitMEMLOCK=" << kib
           << "K\" (or infinity) into its [Service] section, and run \"systemctl restart "
           << here.unit.data() << "\"";
}

void remedy_in_user_manager(std::size_t kib, text_builder& remedy) noexcept {
    remedy << "this session belongs to systemd's user manager, which does not read limits.d: put "
              "\"LimitMEMLOCK="
           << kib << "K\" into the [Service] section by \"systemctl edit user@.service\" and "
           << "\"DefaultLimitMEMLOCK=" << kib
           << "K\" into the [Manager] section of /etc/systemd/user.conf, and log in again";
}

void remedy_in_container(std::size_t kib, text_builder& remedy) noexcept {
    remedy << "start the container with --ulimit memlock=" << sum(kib * 1024, 0)
           << " (or memlock=-1: no limit), or with --cap-add=IPC_LOCK where it is not rootless";
}

void remedy_in_kubernetes(text_builder& remedy) noexcept {
    remedy << "add \"IPC_LOCK\" to securityContext.capabilities.add of the container, or raise "
              "LimitMEMLOCK of the node's container runtime";
}

/// Whether it was enough; then nobody else needs to act.
bool remedy_by_raising_soft(const error_details& details, text_builder& remedy) noexcept {
    const headroom_snapshot& headroom = details.headroom;
    const std::size_t kib = memlock_needed_kib(details);
    const bool allowed = headroom.memlock_hard_limit > headroom.memlock_soft_limit &&
                         headroom.memlock_hard_limit / 1024 >= kib;
    if (!allowed)
        return false;
    remedy << "raise the soft limit, which the hard one (";
    remedy.short_size(headroom.memlock_hard_limit)
        << ") allows: call resident::raise_memory_limit(), or run \"ulimit -S -l " << kib
        << "\" first";
    return true;
}

void remedy_memlock(const error_details& details, text_builder& remedy) noexcept {
    if (remedy_by_raising_soft(details, remedy))
        return;
    const environment here = read_environment();
    const std::size_t kib = memlock_needed_kib(details);
    switch (here.setter) {
    case limit_setter::login:
        return remedy_at_login(kib, here, remedy);
    case limit_setter::service:
        return remedy_in_service(kib, here, remedy);
    case limit_setter::user_manager:
        return remedy_in_user_manager(kib, remedy);
    case limit_setter::container:
        return remedy_in_container(kib, remedy);
    case limit_setter::kubernetes:
        return remedy_in_kubernetes(remedy);
    }
}

void remedy_cgroup(const error_details& details, text_builder& remedy) noexcept {
    const memory_cgroup_level* const level = tightest(details.headroom);
    if (level == nullptr) {
        remedy << "raise the limit of the memory cgroup, or ask for less";
        return;
    }
    const std::size_t needed = sum(sum(level->usage, details.bytes_asked), populate_margin);
    remedy << "raise the limit of memory cgroup " << level->path.data() << " to at least " << needed
           << " bytes (";
    switch (read_environment().setter) {
    case limit_setter::container:
        remedy << "--memory=" << needed << " of the container";
        break;
    case limit_setter::kubernetes:
        remedy << "resources.limits.memory of the pod";
        break;
    case limit_setter::login:
    case limit_setter::service:
    case limit_setter::user_manager:
        remedy << "MemoryMax= of the systemd unit, memory.max, or memory.limit_in_bytes under "
                  "cgroup v1";
        break;
    }
    remedy << "), or ask for less";
}

void remedy_memory(const error_details& details, text_builder& remedy) noexcept {
    const std::size_t available = details.headroom.available_memory;
    remedy << "free memory, or ask for less";
    if (available == unlimited)
        return;
    remedy << ": at most ";
    remedy.size(available - std::min(available, populate_margin)) << " at this moment";
}

void remedy_huge_pages(const error_details& details, text_builder& remedy) noexcept {
    const std::size_t size =
        details.huge_page_size != 0 ? details.huge_page_size : std::size_t{2} << 20;
    const std::size_t needed = details.bytes_asked / size + (details.bytes_asked % size != 0);
    const huge_page_pool pool = read_huge_page_pool(size);
    const std::uint64_t usable = pool.usable();
    const std::uint64_t wanted = pool.total + needed - std::min<std::uint64_t>(needed, usable);
    remedy << "reserve more (" << usable << " of " << pool.total << " are usable, " << needed
           << " needed): ";
    if (read_field("/proc/meminfo", "Hugepagesize") == size) {
        remedy << "\"sysctl vm.nr_hugepages=" << wanted << "\", best at boot";
    } else {
        remedy << "\"echo " << wanted << " > ";
        append_pool_path(size, remedy);
        remedy << "\", best at boot by hugepagesz= and hugepages=";
    }
    remedy << "; or choose other pages";
}

void remedy_not_permitted(const error_details& details, text_builder& remedy) noexcept {
    switch (details.operation) {
    case operation::check_headroom:
    case operation::reserve:
    case operation::lock:
        if (lockable(details.headroom) >= details.bytes_asked) {
            remedy << "let the seccomp profile or the security module allow the call";
            return;
        }
        return remedy_memlock(details, remedy);
    case operation::set_limit:
        remedy << "only the administrator can raise the hard limit: ";
        return remedy_memlock(details, remedy);
    case operation::bind_to_node:
        remedy << "in a container: --cap-add=SYS_NICE, or a seccomp profile that allows mbind";
        return;
    case operation::observe_faults:
        remedy << "run \"sysctl kernel.perf_event_paranoid=1\", or grant CAP_PERFMON";
        return;
    case operation::read_system_file:
        remedy << "run as the user who owns the process; after a change of user, call "
                  "prctl(PR_SET_DUMPABLE, 1)";
        return;
    default:
        remedy << "grant the privilege, or do without what needs it";
        return;
    }
}

void remedy_mapping_count(text_builder& remedy) noexcept {
    const std::uint64_t most = read_number("/proc/sys/vm/max_map_count").value_or(65530);
    remedy << "run \"sysctl vm.max_map_count=" << 2 * most
           << "\", or let the program make fewer mappings";
}

void remedy_unsupported(const error_details& details, text_builder& remedy) noexcept {
    const kernel_feature* const missing = missing_feature(details.operation, details.error_number);
    const kernel_release here = running_kernel();
    if (missing != nullptr && here >= missing->since) {
        remedy << "let the seccomp profile or the security module allow the call, or choose other "
                  "options";
        return;
    }
    remedy << "choose options that ";
    if (here == kernel_release{}) {
        remedy << "this kernel";
    } else {
        remedy << "Linux " << here;
    }
    remedy << " knows, or run ";
    if (missing != nullptr) {
        remedy << "Linux " << missing->since << " or a newer one";
    } else {
        remedy << "a newer one";
    }
}

void remedy_system(const error_details& details, text_builder& remedy) noexcept {
    if (details.operation == operation::start_thread && details.error_number == EAGAIN) {
        remedy << "raise RLIMIT_NPROC (ulimit -u) or pids.max of the cgroup; under "
                  "mlockall(MCL_FUTURE) the stack counts against RLIMIT_MEMLOCK too";
    } else if (details.error_number == EMFILE) {
        remedy << "raise the limit of open files (ulimit -n), or close some";
    } else {
        remedy << "compare the limits in force (/proc/self/limits) with what was asked; a sandbox "
                  "(seccomp) may also refuse the call";
    }
}

} // namespace

void compose_remedy(const error_details& details, text_builder& remedy) noexcept {
    switch (details.cause) {
    case cause::invalid_argument:
        remedy << "correct the call as the reason says";
        return;
    case cause::memlock_limit:
        return remedy_memlock(details, remedy);
    case cause::not_permitted:
        return remedy_not_permitted(details, remedy);
    case cause::memory_cgroup:
        return remedy_cgroup(details, remedy);
    case cause::physical_memory:
        return remedy_memory(details, remedy);
    case cause::overcommit:
        remedy << "run \"sysctl vm.overcommit_memory=0\", or raise vm.overcommit_ratio, or ask "
                  "for less";
        return;
    case cause::huge_pages:
        return remedy_huge_pages(details, remedy);
    case cause::address_space:
        remedy << "raise RLIMIT_AS and RLIMIT_DATA (ulimit -v unlimited, ulimit -d unlimited), "
                  "or reserve less";
        return;
    case cause::mapping_count:
        return remedy_mapping_count(remedy);
    case cause::unsupported:
        return remedy_unsupported(details, remedy);
    case cause::not_resident:
        remedy << "look for what takes pages away (fork, MADV_DONTNEED_LOCKED, munlock by "
                  "others); against compaction run \"sysctl vm.compact_unevictable_allowed=0\"";
        return;
    case cause::system:
        return remedy_system(details, remedy);
    }
}

} // namespace resident::os
