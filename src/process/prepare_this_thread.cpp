#include "os/headroom.hpp"
#include "os/kernel_constants.hpp"
#include "os/mappings.hpp"
#include "os/thread_stack.hpp"
#include "process/steps.hpp"
#include "resident/page_lock.hpp"
#include "resident/prepare.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace resident {
namespace {

constexpr const char* stack_subject = "the stack of this thread";

/// Pages that a fork of another thread leaves out of its child. Belongs to a thread: its stack
/// becomes another thread's, which may fork, and its child must find that stack.
class fork_exclusion {
public:
    fork_exclusion() noexcept = default;
    fork_exclusion(const fork_exclusion&) = delete;
    fork_exclusion& operator=(const fork_exclusion&) = delete;
    ~fork_exclusion() { undo(); }

    os::outcome exclude(std::uintptr_t begin, std::uintptr_t end) noexcept {
        undo();
        const os::outcome advised = os::system().advise(reinterpret_cast<void*>(begin), end - begin,
                                                        os::exclude_from_fork_advice);
        if (advised) {
            begin_ = begin;
            end_ = end;
        }
        return advised;
    }
    void undo() noexcept {
        if (begin_ != end_)
            (void)os::system().advise(reinterpret_cast<void*>(begin_), end_ - begin_,
                                      os::include_in_fork_advice);
        begin_ = end_ = 0;
    }

private:
    std::uintptr_t begin_ = 0;
    std::uintptr_t end_ = 0;
};

/// What prepare_this_thread took for this thread; given back when the thread ends.
struct prepared_stack {
    page_lock lock;
    page_lock control_block_lock;
    fork_exclusion exclusion;
};
thread_local prepared_stack prepared;

error with_subject(const error& failure) noexcept {
    error_details details = failure.details();
    std::snprintf(details.subject.data(), details.subject.size(), "%s", stack_subject);
    return error(details);
}

/// Writes to every page from the current frame down to `lowest`, one after the other, so that the
/// kernel grows the main thread's stack as it would under deep calls.
[[gnu::noinline]] void touch_stack_down_to(std::uintptr_t lowest) noexcept {
    const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::size_t depth = frame > lowest ? frame - lowest : 0;
    auto* const block = static_cast<volatile char*>(__builtin_alloca(depth + 1));
    const std::size_t page = os::page_size();
    for (std::size_t below_frame = 0; below_frame < depth; below_frame += page)
        block[depth - below_frame] = 0;
    block[0] = 0;
}

/// Growing a stack that may not be locked, or that finds no memory, ends in a signal; so it is
/// asked before.
std::optional<error> grow_main_stack(std::uintptr_t lowest) {
    std::uintptr_t grown_to = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const auto visit = [](const os::mapping& met, void* context) {
        *static_cast<std::uintptr_t*>(context) = met.begin;
        return false;
    };
    const os::outcome read =
        os::visit_mappings(reinterpret_cast<const void*>(grown_to), 1, visit, &grown_to);
    if (!read)
        return os::make_error(operation::read_system_file, read.error_number(), 0, stack_subject);
    if (lowest < grown_to) {
        const os::refusal refusal = os::check_headroom(grown_to - lowest, grown_to - lowest);
        if (refusal.refused)
            return with_subject(error(refusal.details));
    }
    touch_stack_down_to(lowest);
    return std::nullopt;
}

/// The main thread's control block and thread-local variables lie outside its stack, in a small
/// mapping that the dynamic linker made: their surroundings, as far as they are mapped.
os::outcome lock_control_block(std::uintptr_t control_block) {
    struct {
        std::uintptr_t begin;
        std::uintptr_t end;
    } wanted{control_block - 64_KiB, control_block + 64_KiB};
    const auto visit = [](const os::mapping& met, void* context) {
        auto& range = *static_cast<decltype(wanted)*>(context);
        range = {std::max<std::uintptr_t>(range.begin, met.begin),
                 std::min<std::uintptr_t>(range.end, met.end)};
        return false;
    };
    const os::outcome read =
        os::visit_mappings(reinterpret_cast<const void*>(control_block), 1, visit, &wanted);
    if (!read)
        return read;
    auto lock =
        page_lock::create(reinterpret_cast<const void*>(wanted.begin), wanted.end - wanted.begin);
    if (!lock)
        return os::outcome::failure(lock.error().error_number());
    prepared.control_block_lock = std::move(*lock);
    return os::outcome::success();
}

preparation_step exclude_from_fork(const os::stack_bounds& bounds, std::uintptr_t lowest,
                                   bool asked) noexcept {
    constexpr std::string_view name = "exclude stack from fork";
    if (!asked || bounds.main_thread) {
        prepared.exclusion.undo();
        return {name, preparation_outcome::not_asked};
    }
    // Not the page of the control block: the C library walks the records of all threads in the
    // child, and would find nothing there.
    const std::uintptr_t page = os::page_size();
    const std::uintptr_t top = std::min(bounds.end, bounds.control_block) / page * page;
    if (top <= lowest)
        return {name, preparation_outcome::not_supported};
    return detail::step_of(name, prepared.exclusion.exclude(lowest, top), top - lowest);
}

std::optional<error> prepare_stack(const thread_options& options, preparation& done) {
    os::stack_bounds bounds;
    if (const os::outcome found = os::find_stack_bounds(bounds); !found)
        return os::make_error(operation::prepare, found.error_number(), options.stack,
                              stack_subject);
    const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::uintptr_t page = os::page_size();
    if (frame - bounds.begin < options.stack)
        return os::make_argument_error(stack_subject, "%zu bytes are asked for, %zu are left of it",
                                       options.stack, std::size_t{frame - bounds.begin});
    const std::uintptr_t lowest = (frame - options.stack) / page * page;
    if (bounds.main_thread)
        if (auto refused = grow_main_stack(lowest))
            return refused;
    // Before locking: a fork between the two would share the pages again.
    const preparation_step excluded =
        exclude_from_fork(bounds, lowest, options.exclude_stack_from_fork);
    const std::uintptr_t end = (bounds.end + page - 1) / page * page;
    auto lock = page_lock::create(reinterpret_cast<const void*>(lowest), end - lowest);
    if (!lock) {
        prepared.exclusion.undo();
        return with_subject(lock.error());
    }
    prepared.lock = std::move(*lock);
    done.add({"lock stack", preparation_outcome::done, 0, end - lowest});
    done.add(excluded);
    if (bounds.main_thread) {
        const os::outcome locked = lock_control_block(bounds.control_block);
        done.add(detail::step_of("lock thread-local variables", locked,
                                 prepared.control_block_lock.size()));
    }
    return std::nullopt;
}

preparation_step prefer_local_node(bool asked) noexcept {
    constexpr std::string_view name = "prefer local memory node";
    if (!asked)
        return {name, preparation_outcome::not_asked};
    const os::outcome node = os::system().current_node();
    if (!node)
        return detail::step_of(name, node);
    return detail::step_of(name,
                           os::system().set_memory_policy(os::preferred_node_policy,
                                                          static_cast<unsigned>(node.value())));
}

} // namespace

result<preparation> prepare_this_thread(const thread_options& options) {
    preparation done;
    // First, so that the stack's pages come from that node.
    done.add(prefer_local_node(options.prefer_local_node));
    if (options.stack == 0) {
        prepared.exclusion.undo();
        prepared.lock = page_lock();
        prepared.control_block_lock = page_lock();
        done.add({"lock stack", preparation_outcome::not_asked});
        done.add({"exclude stack from fork", preparation_outcome::not_asked});
        return done;
    }
    if (auto failed = prepare_stack(options, done))
        return *failed;
    return done;
}

} // namespace resident
