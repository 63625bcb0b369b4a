#include "support/failing_kernel.hpp"

#include <algorithm>
#include <array>

namespace resident::test {

using os::outcome;

void failing_kernel::fail(call which, unsigned nth, int error_number) {
    const unsigned before = calls(which);
    const std::lock_guard guard(mutex_);
    rules_.push_back({false, which, nth == 0 ? 0 : before + nth, error_number});
}

void failing_kernel::fail_kth(unsigned k, int error_number) {
    const std::lock_guard guard(mutex_);
    rules_.push_back({true, call::map, static_cast<unsigned>(log_.size()) + k, error_number});
}

void failing_kernel::reset() {
    const std::lock_guard guard(mutex_);
    rules_.clear();
    log_.clear();
    has_failed_ = false;
}

unsigned failing_kernel::calls() const {
    const std::lock_guard guard(mutex_);
    return static_cast<unsigned>(log_.size());
}

unsigned failing_kernel::calls(call which) const {
    const std::lock_guard guard(mutex_);
    return static_cast<unsigned>(std::count(log_.begin(), log_.end(), which));
}

std::vector<failing_kernel::call> failing_kernel::log() const {
    const std::lock_guard guard(mutex_);
    return log_;
}

bool failing_kernel::has_failed() const {
    const std::lock_guard guard(mutex_);
    return has_failed_;
}

std::size_t failing_kernel::mapped_bytes() const {
    const std::lock_guard guard(mutex_);
    std::size_t sum = 0;
    for (const auto& [begin, end] : mapped_)
        sum += end - begin;
    return sum;
}

int failing_kernel::open_files() const {
    const std::lock_guard guard(mutex_);
    return open_files_;
}

int failing_kernel::running_threads() const {
    const std::lock_guard guard(mutex_);
    return running_threads_;
}

int failing_kernel::count_and_judge(call which) {
    const std::lock_guard guard(mutex_);
    log_.push_back(which);
    const auto of_this_kind = std::count(log_.begin(), log_.end(), which);
    for (const rule& each : rules_) {
        if (!each.any_kind && each.which != which)
            continue;
        const auto count = each.any_kind ? static_cast<std::ptrdiff_t>(log_.size()) : of_this_kind;
        if (each.at != 0 && count != static_cast<std::ptrdiff_t>(each.at))
            continue;
        has_failed_ = true;
        return each.error_number;
    }
    return 0;
}

void failing_kernel::forget_mapping(std::uintptr_t begin, std::uintptr_t end) {
    std::map<std::uintptr_t, std::uintptr_t> left;
    for (const auto& [first, last] : mapped_) {
        if (first < begin)
            left.emplace(first, std::min(last, begin));
        if (last > end)
            left.emplace(std::max(first, end), last);
    }
    mapped_ = std::move(left);
}

outcome failing_kernel::map(void* hint, std::size_t bytes, int protection, int flags) noexcept {
    if (const int error = count_and_judge(call::map))
        return outcome::failure(error);
    const outcome answer = target_.map(hint, bytes, protection, flags);
    if (answer) {
        const std::lock_guard guard(mutex_);
        forget_mapping(answer.value(), answer.value() + bytes); // MAP_FIXED replaces
        mapped_.emplace(answer.value(), answer.value() + bytes);
    }
    return answer;
}

outcome failing_kernel::unmap(void* address, std::size_t bytes) noexcept {
    if (const int error = count_and_judge(call::unmap))
        return outcome::failure(error);
    const outcome answer = target_.unmap(address, bytes);
    if (answer) {
        const auto begin = reinterpret_cast<std::uintptr_t>(address);
        const std::size_t page = os::page_size();
        const std::lock_guard guard(mutex_);
        forget_mapping(begin, begin + (bytes + page - 1) / page * page);
    }
    return answer;
}

outcome failing_kernel::open_file(const char* path) noexcept {
    if (const int error = count_and_judge(call::open_file))
        return outcome::failure(error);
    const outcome answer = target_.open_file(path);
    const std::lock_guard guard(mutex_);
    open_files_ += answer ? 1 : 0;
    return answer;
}

outcome failing_kernel::close_file(int descriptor) noexcept {
    if (const int error = count_and_judge(call::close_file))
        return outcome::failure(error);
    const outcome answer = target_.close_file(descriptor);
    const std::lock_guard guard(mutex_);
    open_files_ -= answer ? 1 : 0;
    return answer;
}

outcome failing_kernel::open_fault_event(perf_event_attr& attributes) noexcept {
    if (const int error = count_and_judge(call::open_fault_event))
        return outcome::failure(error);
    const outcome answer = target_.open_fault_event(attributes);
    const std::lock_guard guard(mutex_);
    open_files_ += answer ? 1 : 0;
    return answer;
}

outcome failing_kernel::start_thread(void (*entry)(void*), void* argument,
                                     const char* name) noexcept {
    if (const int error = count_and_judge(call::start_thread))
        return outcome::failure(error);
    const outcome answer = target_.start_thread(entry, argument, name);
    const std::lock_guard guard(mutex_);
    running_threads_ += answer ? 1 : 0;
    return answer;
}

outcome failing_kernel::join_thread(std::uintptr_t handle) noexcept {
    if (const int error = count_and_judge(call::join_thread))
        return outcome::failure(error);
    const outcome answer = target_.join_thread(handle);
    const std::lock_guard guard(mutex_);
    running_threads_ -= answer ? 1 : 0;
    return answer;
}

outcome failing_kernel::protect(void* address, std::size_t bytes, int protection) noexcept {
    const int error = count_and_judge(call::protect);
    return error != 0 ? outcome::failure(error) : target_.protect(address, bytes, protection);
}

outcome failing_kernel::advise(void* address, std::size_t bytes, int advice) noexcept {
    const int error = count_and_judge(call::advise);
    return error != 0 ? outcome::failure(error) : target_.advise(address, bytes, advice);
}

outcome failing_kernel::prefer_node(void* address, std::size_t bytes, unsigned node) noexcept {
    const int error = count_and_judge(call::prefer_node);
    return error != 0 ? outcome::failure(error) : target_.prefer_node(address, bytes, node);
}

outcome failing_kernel::name_mapping(void* address, std::size_t bytes, const char* name) noexcept {
    const int error = count_and_judge(call::name_mapping);
    return error != 0 ? outcome::failure(error) : target_.name_mapping(address, bytes, name);
}

outcome failing_kernel::lock(const void* address, std::size_t bytes) noexcept {
    const int error = count_and_judge(call::lock);
    return error != 0 ? outcome::failure(error) : target_.lock(address, bytes);
}

outcome failing_kernel::lock_on_fault(const void* address, std::size_t bytes) noexcept {
    const int error = count_and_judge(call::lock_on_fault);
    return error != 0 ? outcome::failure(error) : target_.lock_on_fault(address, bytes);
}

outcome failing_kernel::unlock(const void* address, std::size_t bytes) noexcept {
    const int error = count_and_judge(call::unlock);
    return error != 0 ? outcome::failure(error) : target_.unlock(address, bytes);
}

outcome failing_kernel::lock_all(int flags) noexcept {
    const int error = count_and_judge(call::lock_all);
    return error != 0 ? outcome::failure(error) : target_.lock_all(flags);
}

outcome failing_kernel::unlock_all() noexcept {
    const int error = count_and_judge(call::unlock_all);
    return error != 0 ? outcome::failure(error) : target_.unlock_all();
}

outcome failing_kernel::get_limit(int resource, rlimit& limit) noexcept {
    const int error = count_and_judge(call::get_limit);
    return error != 0 ? outcome::failure(error) : target_.get_limit(resource, limit);
}

outcome failing_kernel::set_limit(int resource, const rlimit& limit) noexcept {
    const int error = count_and_judge(call::set_limit);
    return error != 0 ? outcome::failure(error) : target_.set_limit(resource, limit);
}

outcome failing_kernel::effective_capabilities() noexcept {
    const int error = count_and_judge(call::effective_capabilities);
    return error != 0 ? outcome::failure(error) : target_.effective_capabilities();
}

outcome failing_kernel::read_file(int descriptor, std::span<char> buffer) noexcept {
    const int error = count_and_judge(call::read_file);
    return error != 0 ? outcome::failure(error) : target_.read_file(descriptor, buffer);
}

outcome failing_kernel::read_file_at(int descriptor, std::span<char> buffer,
                                     off_t offset) noexcept {
    const int error = count_and_judge(call::read_file_at);
    return error != 0 ? outcome::failure(error) : target_.read_file_at(descriptor, buffer, offset);
}

outcome failing_kernel::current_node() noexcept {
    const int error = count_and_judge(call::current_node);
    return error != 0 ? outcome::failure(error) : target_.current_node();
}

outcome failing_kernel::count_faults(os::fault_scope scope, os::fault_counts& counts) noexcept {
    const int error = count_and_judge(call::count_faults);
    return error != 0 ? outcome::failure(error) : target_.count_faults(scope, counts);
}

outcome failing_kernel::control_process(int option, unsigned long argument) noexcept {
    const int error = count_and_judge(call::control_process);
    return error != 0 ? outcome::failure(error) : target_.control_process(option, argument);
}

outcome failing_kernel::set_memory_policy(int mode, unsigned node) noexcept {
    const int error = count_and_judge(call::set_memory_policy);
    return error != 0 ? outcome::failure(error) : target_.set_memory_policy(mode, node);
}

outcome failing_kernel::control_file(int descriptor, unsigned long request,
                                     void* argument) noexcept {
    const int error = count_and_judge(call::control_file);
    return error != 0 ? outcome::failure(error)
                      : target_.control_file(descriptor, request, argument);
}

namespace {

constexpr std::array<const char*, failing_kernel::call_kinds> names = {"map",
                                                                       "unmap",
                                                                       "protect",
                                                                       "advise",
                                                                       "prefer_node",
                                                                       "name_mapping",
                                                                       "lock",
                                                                       "lock_on_fault",
                                                                       "unlock",
                                                                       "lock_all",
                                                                       "unlock_all",
                                                                       "get_limit",
                                                                       "set_limit",
                                                                       "effective_capabilities",
                                                                       "open_file",
                                                                       "read_file",
                                                                       "read_file_at",
                                                                       "close_file",
                                                                       "current_node",
                                                                       "count_faults",
                                                                       "control_process",
                                                                       "set_memory_policy",
                                                                       "control_file",
                                                                       "open_fault_event",
                                                                       "start_thread",
                                                                       "join_thread"};

} // namespace

const char* to_string(failing_kernel::call value) noexcept {
    return names[static_cast<std::size_t>(value)];
}

bool is_undo(failing_kernel::call value) noexcept {
    using enum failing_kernel::call;
    return value == unmap || value == unlock || value == unlock_all || value == close_file ||
           value == join_thread;
}

} // namespace resident::test
