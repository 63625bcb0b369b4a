#include "resident/fault_trap.hpp"

#include "os/fault_signal.hpp"
#include "os/headroom.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

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

/// Text composed without printf, which a signal handler must not call.
class signal_safe_text {
public:
    signal_safe_text& operator<<(const char* text) noexcept {
        const std::size_t length = std::min(std::strlen(text), text_.size() - length_);
        std::memcpy(text_.data() + length_, text, length);
        length_ += length;
        return *this;
    }
    signal_safe_text& operator<<(const void* address) noexcept {
        return *this << "0x" << digits(reinterpret_cast<std::uintptr_t>(address), 16).data();
    }
    signal_safe_text& decimal(std::uintptr_t value) noexcept {
        return *this << digits(value, 10).data();
    }
    void print() const noexcept { os::write_diagnostic(text_.data(), length_); }

private:
    using digit_array = std::array<char, 24>;
    static digit_array digits(std::uintptr_t value, std::uintptr_t base) noexcept {
        digit_array reversed{};
        std::size_t count = 0;
        do {
            reversed[count++] = "0123456789abcdef"[value % base];
            value /= base;
        } while (value != 0);
        digit_array ordered{};
        for (std::size_t index = 0; index < count; ++index)
            ordered[index] = reversed[count - 1 - index];
        return ordered;
    }

    std::array<char, 1024> text_{};
    std::size_t length_ = 0;
};

const void* offset_from(const void* base, const void* address) noexcept {
    return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(address) -
                                         reinterpret_cast<std::uintptr_t>(base));
}

void report_and_abort(const void* address, const void* instruction) noexcept {
    signal_safe_text text;
    text << "resident: page fault of thread ";
    text.decimal(static_cast<std::uintptr_t>(os::this_thread_id()));
    text << "\n  touched  " << address << "\n  by       " << instruction;
    Dl_info found{};
    if (::dladdr(instruction, &found) != 0 && found.dli_fname != nullptr) {
        text << ", ";
        if (found.dli_sname != nullptr)
            text << found.dli_sname << "+" << offset_from(found.dli_saddr, instruction) << " in ";
        text << found.dli_fname;
        if (found.dli_sname == nullptr)
            text << "+" << offset_from(found.dli_fbase, instruction);
    }
    text << "\n";
    text.print();
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
