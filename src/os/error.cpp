#include "resident/error.hpp"

#include "os/headroom.hpp"
#include "os/remedy.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace resident {

const char* to_string(operation value) noexcept {
    switch (value) {
    case operation::check_options:
        return "check_options";
    case operation::check_headroom:
        return "check_headroom";
    case operation::reserve:
        return "reserve";
    case operation::make_accessible:
        return "make_accessible";
    case operation::advise:
        return "advise";
    case operation::bind_to_node:
        return "bind_to_node";
    case operation::lock:
        return "lock";
    case operation::unlock:
        return "unlock";
    case operation::populate:
        return "populate";
    case operation::verify:
        return "verify";
    case operation::start_thread:
        return "start_thread";
    case operation::read_system_file:
        return "read_system_file";
    case operation::set_limit:
        return "set_limit";
    case operation::prepare:
        return "prepare";
    case operation::observe_faults:
        return "observe_faults";
    }
    return "operation";
}

const char* to_string(cause value) noexcept {
    switch (value) {
    case cause::invalid_argument:
        return "invalid_argument";
    case cause::memlock_limit:
        return "memlock_limit";
    case cause::not_permitted:
        return "not_permitted";
    case cause::memory_cgroup:
        return "memory_cgroup";
    case cause::physical_memory:
        return "physical_memory";
    case cause::overcommit:
        return "overcommit";
    case cause::huge_pages:
        return "huge_pages";
    case cause::address_space:
        return "address_space";
    case cause::mapping_count:
        return "mapping_count";
    case cause::unsupported:
        return "unsupported";
    case cause::not_resident:
        return "not_resident";
    case cause::system:
        return "system";
    }
    return "cause";
}

namespace {

using os::text_builder;

/// "cannot ... 8 MiB (8388608 bytes)": the words around the size.
struct phrase {
    const char* before;
    bool has_size;
};

phrase phrase_for(operation failed) noexcept {
    switch (failed) {
    case operation::check_options:
        return {"invalid request", false};
    case operation::check_headroom:
        return {"cannot make resident ", true};
    case operation::reserve:
        return {"cannot reserve ", true};
    case operation::make_accessible:
        return {"cannot make accessible ", true};
    case operation::advise:
        return {"cannot advise the kernel on ", true};
    case operation::bind_to_node:
        return {"cannot bind to a NUMA node ", true};
    case operation::lock:
        return {"cannot lock ", true};
    case operation::unlock:
        return {"cannot unlock ", true};
    case operation::populate:
        return {"cannot populate ", true};
    case operation::verify:
        return {"cannot prove resident ", true};
    case operation::start_thread:
        return {"cannot start a thread", false};
    case operation::read_system_file:
        return {"cannot read what the kernel tells", false};
    case operation::set_limit:
        return {"cannot set a limit of ", true};
    case operation::prepare:
        return {"cannot prepare the process", false};
    case operation::observe_faults:
        return {"cannot observe page faults", false};
    }
    return {"cannot go on", false};
}

void append_errno(int error_number, text_builder& text) noexcept {
    if (error_number == 0)
        return;
    const char* const name = os::error_name(error_number);
    const char* const description = os::error_description(error_number);
    if (name == nullptr || description == nullptr) {
        text.print(" [errno %d]", error_number);
    } else {
        text << " [" << name << ": " << description << "]";
    }
}

/// Whether limits and memory left have anything to do with it; they are as read then.
bool concerns_memory(const error_details& details) noexcept {
    switch (details.cause) {
    case cause::invalid_argument:
    case cause::unsupported:
        return false;
    case cause::not_permitted:
        return details.operation == operation::lock ||
               details.operation == operation::check_headroom ||
               details.operation == operation::set_limit;
    default:
        return true;
    }
}

void append_numbers(const error_details& details, text_builder& text) noexcept {
    const headroom_snapshot& headroom = details.headroom;
    text << " RLIMIT_MEMLOCK: soft ";
    text.size(headroom.memlock_soft_limit) << ", hard ";
    text.size(headroom.memlock_hard_limit) << ", already locked ";
    text.size(headroom.locked) << ", CAP_IPC_LOCK "
                               << (headroom.can_exceed_memlock ? "effective" : "not effective")
                               << ".";
    const std::size_t levels = std::min(headroom.cgroup_count, headroom.cgroups.size());
    for (std::size_t index = 0; index < levels; ++index) {
        const memory_cgroup_level& level = headroom.cgroups[index];
        text << " Memory cgroup " << level.path.data() << ": limit ";
        text.short_size(level.limit) << ", usage ";
        text.short_size(level.usage) << ".";
    }
    if (headroom.available_memory != unlimited) {
        text << " RAM available: ";
        text.short_size(headroom.available_memory) << ".";
    }
    if (headroom.strict_overcommit)
        text << " Overcommit: strict (vm.overcommit_memory=2).";
}

/// The remedy is never cut off: the numbers give way to it.
void compose_message(const error_details& details, std::string_view remedy,
                     std::span<char> buffer) noexcept {
    constexpr std::string_view before_remedy = " Remedy: ";
    const std::size_t tail = before_remedy.size() + remedy.size() + 1;
    text_builder text(buffer.first(buffer.size() - tail));
    const phrase words = phrase_for(details.operation);
    text << "resident: " << words.before;
    if (words.has_size)
        text.size(details.bytes_asked);
    if (details.subject[0] != '\0')
        text << " for " << details.subject.data();
    if (details.reason[0] != '\0')
        text << ": " << details.reason.data();
    append_errno(details.error_number, text);
    text << ".";
    if (concerns_memory(details))
        append_numbers(details, text);
    text_builder(buffer.subspan(text.view().size())) << before_remedy << remedy << ".";
}

} // namespace

error::error(const error_details& details) noexcept : details_(details) {
    text_builder remedy(remedy_);
    os::compose_remedy(details_, remedy);
    compose_message(details_, remedy.view(), message_);
}

namespace os {

void raise(const error& failure) {
#ifdef __cpp_exceptions
    throw failure;
#else
    std::fputs(failure.what(), stderr);
    std::fputc('\n', stderr);
    std::abort();
#endif
}

} // namespace os
} // namespace resident
