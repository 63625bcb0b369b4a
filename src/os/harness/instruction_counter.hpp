/// The instructions of single calls, counted exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace resident::os {

/// What was counted under one label.
struct call_counts {
    std::string label;
    std::vector<std::uint32_t> instructions{}; ///< of each call, in the order of the calls
    std::size_t worst_call = 0;                ///< the first that took max() instructions
    std::string worst_note{};                  ///< what measure() was told of it
    std::vector<std::uintptr_t> worst_trace{}; ///< address of each, with counting_options::trace

    [[nodiscard]] std::size_t calls() const noexcept { return instructions.size(); }
    /// The smallest count that `percent` of the calls do not exceed.
    /// The behavior is undefined unless 0 < percent <= 100.
    [[nodiscard]] std::uint32_t percentile(double percent) const;
    [[nodiscard]] std::uint32_t median() const { return percentile(50); }
    [[nodiscard]] std::uint32_t p99() const { return percentile(99); }
    [[nodiscard]] std::uint32_t max() const noexcept { return instructions[worst_call]; }
};

/// What came of count_instructions.
struct instruction_counts {
    std::string refused{}; ///< why nothing can be counted here; empty if it can
    std::string failure{}; ///< why the body did not come to a good end; empty if it did
    bool crashed = false;  ///< the end was a signal of its own: not SIGKILL
    std::uint64_t steps = 0;
    std::vector<call_counts> labels{}; ///< by their first call

    /// Null if no call was measured under `label`.
    [[nodiscard]] const call_counts* find(std::string_view label) const noexcept;
    /// The same; a label without a call is told on stderr, and aborts.
    [[nodiscard]] const call_counts& operator[](std::string_view label) const noexcept;
};

struct counting_options {
    bool trace = false; ///< keep the address of each instruction of the worst calls
    /// A call that takes more steps fails the run: it would not end.
    std::uint64_t longest_call = 10'000'000;
};

namespace detail {

/// The page that the measuring child shares with its tracer. At a fixed place in the program, so
/// that closing a bracket is one store that needs no register.
struct alignas(4096) bracket_page {
    volatile std::uint32_t open;
    std::uint32_t count;   ///< the tracer's answer
    std::int32_t refusal;  ///< errno of what the child was refused
    std::uint32_t is_done; ///< the body has returned
    char label[128];
    char note[512];
    char failure[2048];
};
extern bracket_page shared_brackets [[gnu::visibility("hidden")]];

void prepare_bracket(std::string_view label, std::string_view note) noexcept;
void finish_bracket() noexcept;

/// Between the two markers every instruction is a step. An exception closes the bracket too.
struct bracket {
#if defined(__x86_64__)
    [[gnu::always_inline]] bracket() noexcept { asm volatile("int3" ::: "memory"); }
    [[gnu::always_inline]] ~bracket() {
        asm volatile("movl $0, %0" : "=m"(shared_brackets.open)::"memory");
        finish_bracket();
    }
#else
    bracket() noexcept {}
    ~bracket() { finish_bracket(); }
#endif
    bracket(const bracket&) = delete;
    bracket& operator=(const bracket&) = delete;
};

} // namespace detail

/// The value, of which the compiler knows nothing from here on: computations with it stay behind
/// this point, and what makes it before. No instruction by itself. For use inside a bracket:
/// `measure("allocate", [&] { return pool.try_allocate(os::opaque(bytes)); })`.
template <class Value>
[[gnu::always_inline]] inline Value opaque(Value value) noexcept {
    if constexpr (std::is_integral_v<Value> || std::is_pointer_v<Value> || std::is_enum_v<Value>) {
        asm volatile("" : "+r"(value)::"memory");
    } else {
        asm volatile("" : "+m"(value)::"memory");
    }
    return value;
}

/// What the body measures its calls with, on the thread that it was called on. Brackets do not
/// nest.
class stepper {
public:
    /// Effects: calls `call` and has its instructions counted under `label`, at most 127 characters
    /// long. `note` says what `call` does, for the case that it turns out the worst; 511 characters
    /// of it are kept. Returns: what `call` returned, by value.
    ///
    /// Exact in optimised builds, where `call` becomes part of the caller; what it computes in
    /// registers, without touching memory, may move across the bracket unless it passes opaque().
    /// A repeated string instruction counts 1, as does a system call. The first call into a shared
    /// library may contain its lazy binding. Signals wait outside, but for those that an
    /// instruction raises.
    template <class Call>
    [[gnu::always_inline]] inline std::invoke_result_t<Call&>
    measure(std::string_view label, std::string_view note, Call&& call) {
        detail::prepare_bracket(label, note);
        const detail::bracket stepped;
        if constexpr (std::is_void_v<std::invoke_result_t<Call&>>) {
            call();
        } else {
            return opaque(call());
        }
    }
    template <class Call>
    [[gnu::always_inline]] inline std::invoke_result_t<Call&> measure(std::string_view label,
                                                                      Call&& call) {
        return measure(label, {}, call);
    }

    /// The instructions of the last call measured.
    [[nodiscard]] static std::uint32_t last() noexcept { return detail::shared_brackets.count; }

    /// Effects: makes `why` the failure of the run, unless it has one already. The body goes on.
    static void fail(std::string_view why) noexcept;
};

/// Effects: runs `body` in a forked child, single-stepped inside of brackets and at full speed
/// outside, on one processor with this thread. The child ends when this process ends in any way.
/// Threads that the body starts run freely, but must not measure. Counts of an instrumented or
/// unoptimised build mean nothing beside those of another.
[[nodiscard]] instruction_counts count_instructions(const std::function<void(stepper&)>& body,
                                                    const counting_options& options = {});

} // namespace resident::os
