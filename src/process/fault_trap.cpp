#include "resident/fault_trap.hpp"

#include "os/fault_signal.hpp"
#include "os/headroom.hpp"
#include "os/text.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <dlfcn.h>

namespace resident {

struct detail::armed_trap {
    os::fault_listener listener;
    fault_trap::handler handler = nullptr;
    void* context = nullptr;
    bool in_use = false;
};

namespace {

// The event holds its address, so it outlives every move of the fault_trap.
thread_local detail::armed_trap trap_of_this_thread;

/// Without printf, which a signal handler must not call.
void append(os::text_builder& text, std::uintptr_t number, int base) noexcept {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
    text << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void append(os::text_builder& text, const void* address) noexcept {
    text << "0x";
    append(text, reinterpret_cast<std::uintptr_t>(address), 16);
}

const void* offset_from(const void* base, const void* address) noexcept {
    return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(address) -
                                         reinterpret_cast<std::uintptr_t>(base));
}

[[noreturn]] void report_and_abort(const void* address, const void* instruction) noexcept {
    std::array<char, 1024> buffer{};
    os::text_builder text(buffer);
    text << "resident: page fault of thread ";
    append(text, static_cast<std::uintptr_t>(os::this_thread_id()), 10);
    text << "\n  touched  ";
    append(text, address);
    text << "\n  by       ";
    append(text, instruction);
    Dl_info found{};
    if (::dladdr(instruction, &found) != 0 && found.dli_fname != nullptr) {
        const bool named = found.dli_sname != nullptr;
        text << ", " << (named ? found.dli_sname : found.dli_fname) << "+";
        append(text, offset_from(named ? found.dli_saddr : found.dli_fbase, instruction));
        if (named)
            text << " in " << found.dli_fname;
    }
    text << "\n";
    os::write_diagnostic(text.view().data(), text.view().size());
    std::abort();
}

void on_fault(os::fault_listener& listener, const void* address, const void* instruction) {
    auto& armed = reinterpret_cast<detail::armed_trap&>(listener); // its first member
    if (armed.handler == nullptr)
        report_and_abort(address, instruction);
    armed.handler({address, instruction}, armed.context);
}
static_assert(offsetof(detail::armed_trap, listener) == 0);

/// Everything but the start, so that the start can be the last thing done.
std::optional<error> prepare(fault_trap::handler handler, void* context,
                             detail::armed_trap*& armed) noexcept {
    detail::armed_trap& trap = trap_of_this_thread;
    if (trap.in_use)
        return os::make_argument_error("fault_trap", "this thread has one already");
    trap.handler = handler;
    trap.context = context;
    trap.listener.on_fault = on_fault;
    const os::outcome prepared = os::prepare_listening(trap.listener);
    if (!prepared)
        return os::make_error(operation::observe_faults, prepared.error_number(), 0, "fault_trap");
    trap.in_use = true;
    armed = &trap;
    return std::nullopt;
}

} // namespace

result<fault_trap> fault_trap::create(handler on_fault, void* context) {
    detail::armed_trap* armed = nullptr;
    if (const auto refused = prepare(on_fault, context, armed))
        return *refused;
    fault_trap trap{unarmed{}};
    trap.armed_ = armed;
    result<fault_trap> made(std::move(trap));
    os::start_listening(armed->listener);
    return made;
}

fault_trap::fault_trap() : fault_trap(nullptr) {}

fault_trap::fault_trap(handler on_fault, void* context) {
    if (const auto refused = prepare(on_fault, context, armed_))
        os::raise(*refused);
    os::start_listening(armed_->listener);
}

fault_trap::~fault_trap() {
    if (armed_ == nullptr)
        return;
    os::stop_listening(armed_->listener);
    armed_->in_use = false;
}

bool fault_trap::sees_kernel() const noexcept {
    return armed_ != nullptr && armed_->listener.sees_kernel;
}

} // namespace resident
