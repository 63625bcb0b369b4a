#include "os/harness/instruction_counter.hpp"

#include "os/harness/shared_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::os {
namespace detail {

bracket_page shared_brackets;
static_assert(sizeof shared_brackets == 4096, "mapped over as a whole, and nothing beside it");

} // namespace detail

namespace {

using detail::bracket_page;
using detail::shared_brackets;

// ---- The child

sigset_t signals_outside; // of a bracket

/// As much as has room, always ended. Returns: whether that was all.
template <std::size_t Size>
bool copy_text(char (&to)[Size], std::string_view text) noexcept {
    const std::size_t length = text.copy(to, Size - 1);
    to[length] = '\0';
    return length == text.size();
}

[[noreturn]] void end_child(std::string_view why) noexcept {
    stepper::fail(why);
    std::fflush(nullptr);
    ::_exit(1);
}

/// Those that an instruction raises must come at once; all others can wait.
sigset_t signals_that_wait() noexcept {
    sigset_t set;
    ::sigfillset(&set);
    for (const int signal : {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS})
        ::sigdelset(&set, signal);
    return set;
}

void run_body(const std::function<void(stepper&)>& body) {
    stepper measuring;
    measuring.measure("", [] {}); // what an empty bracket takes; see tracer::keep
#if defined(__cpp_exceptions)
    try {
        body(measuring);
    } catch (const std::exception& thrown) {
        stepper::fail(std::string("the body threw: ") + thrown.what());
    } catch (...) {
        stepper::fail("the body threw");
    }
#else
    body(measuring);
#endif
}

[[noreturn]] void become_traced(const std::function<void(stepper&)>& body, pid_t parent,
                                int brackets) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(1); // it ended before the kernel was told
    void* page = ::mmap(&shared_brackets, sizeof shared_brackets, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED, brackets, 0);
    if (page == MAP_FAILED)
        ::_exit(1);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
        shared_brackets.refusal = errno;
        ::_exit(1);
    }
    ::raise(SIGSTOP);
    run_body(body);
    std::fflush(nullptr);
    shared_brackets.is_done = 1;
    ::_exit(0);
}

// ---- The parent

/// Keeps this thread where it is: a step hands over to the child and back, which takes three times
/// as long between two processors.
class pinned_thread {
public:
    pinned_thread() noexcept {
        known_ = ::sched_getaffinity(0, sizeof before_, &before_) == 0;
        const int processor = ::sched_getcpu();
        if (!known_ || processor < 0)
            return;
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(static_cast<unsigned>(processor), &only);
        ::sched_setaffinity(0, sizeof only, &only);
    }
    ~pinned_thread() {
        if (known_)
            ::sched_setaffinity(0, sizeof before_, &before_);
    }
    pinned_thread(const pinned_thread&) = delete;
    pinned_thread& operator=(const pinned_thread&) = delete;

private:
    cpu_set_t before_{};
    bool known_ = false;
};

#if defined(__x86_64__)
constexpr bool can_step = true;
std::uintptr_t instruction_pointer(pid_t process) noexcept {
    const auto place = reinterpret_cast<void*>(offsetof(user_regs_struct, rip)); // NOLINT
    return static_cast<std::uintptr_t>(::ptrace(PTRACE_PEEKUSER, process, place, nullptr));
}
#else
constexpr bool can_step = false;
std::uintptr_t instruction_pointer(pid_t) noexcept { return 0; }
#endif

/// Follows one child from its first stop to its end.
class tracer {
public:
    tracer(pid_t child, const bracket_page& brackets, const counting_options& options)
        : child_(child), brackets_(brackets), options_(options) {}

    instruction_counts run() {
        if (wait()) {
            ::ptrace(PTRACE_SETOPTIONS, child_, nullptr, PTRACE_O_EXITKILL);
            follow();
        }
        if (ended_)
            explain_end();
        return std::move(counts_);
    }

private:
    /// Returns: whether the child has stopped; otherwise it has ended.
    bool wait() {
        while (::waitpid(child_, &status_, 0) != child_) {
            if (errno != EINTR)
                return false;
        }
        ended_ = !WIFSTOPPED(status_);
        return !ended_;
    }

    /// Returns: whether the child has run and stopped again; otherwise it has ended.
    bool resume(decltype(PTRACE_CONT) how, int signal) {
        const auto data = reinterpret_cast<void*>(static_cast<std::intptr_t>(signal)); // NOLINT
        if (::ptrace(how, child_, nullptr, data) != 0 && errno != ESRCH) {
            counts_.refused = std::string("the child cannot be resumed: ") + std::strerror(errno);
            end();
            return false;
        }
        return wait();
    }

    void end() {
        ::kill(child_, SIGKILL);
        while (wait())
            ::ptrace(PTRACE_CONT, child_, nullptr, nullptr);
        ended_ = false; // by us, and explained
    }

    void follow() {
        int signal = 0; // the stop at the start is not the child's
        while (resume(PTRACE_CONT, signal)) {
            signal = WSTOPSIG(status_);
            if (signal != SIGTRAP || brackets_.open == 0)
                continue;
            if (!step_through())
                return;
            signal = 0;
        }
    }

    /// Returns: whether the child has come to the end of the bracket.
    bool step_through() {
        std::uintptr_t here = instruction_pointer(child_);
        std::uint32_t count = 0;
        int signal = 0;
        trace_.clear();
        for (std::uint64_t steps = 0; brackets_.open != 0; ++steps, ++counts_.steps) {
            if (steps == options_.longest_call) {
                counts_.failure = "more than " + std::to_string(steps) + " steps" + where();
                end();
                return false;
            }
            if (!resume(PTRACE_SINGLESTEP, signal))
                return false;
            // A signal that the instruction raised; the next step delivers it.
            signal = WSTOPSIG(status_) == SIGTRAP ? 0 : WSTOPSIG(status_);
            // Some processors stop after each repetition of a string instruction.
            const std::uintptr_t next = instruction_pointer(child_);
            if (signal != 0 || next == here)
                continue;
            if (options_.trace)
                trace_.push_back(here);
            here = next;
            ++count;
        }
        keep(count);
        return true;
    }

    /// The first bracket is an empty one, and shows what to subtract: the closing store, and what
    /// an unoptimised build puts around the call.
    void keep(std::uint32_t count) {
        if (!overhead_) {
            overhead_ = count;
            return;
        }
        count -= std::min(count, *overhead_);
        const_cast<bracket_page&>(brackets_).count = count; // NOLINT: ours to write
        call_counts& calls = counts_of(brackets_.label);
        if (calls.instructions.empty() || count > calls.max()) {
            calls.worst_call = calls.instructions.size();
            calls.worst_note = brackets_.note;
            calls.worst_trace = trace_;
            if (!trace_.empty())
                calls.worst_trace.pop_back(); // the closing store
        }
        calls.instructions.push_back(count);
    }

    call_counts& counts_of(const char* label) {
        for (call_counts& each : counts_.labels) {
            if (each.label == label)
                return each;
        }
        return counts_.labels.emplace_back(call_counts{.label = label});
    }

    [[nodiscard]] std::string where() const {
        std::string text = std::string(" inside the bracket \"") + brackets_.label + '"';
        if (brackets_.note[0] != '\0')
            text += std::string(" (") + brackets_.note + ')';
        return text;
    }

    void explain_end() {
        if (brackets_.refusal != 0) {
            counts_.refused =
                std::string("a process may not trace its child here (seccomp, or a debugger is at "
                            "work): ") +
                std::strerror(brackets_.refusal);
            return;
        }
        if (WIFSIGNALED(status_)) {
            // After more steps than allowed it is killed.
            counts_.crashed = WTERMSIG(status_) != SIGKILL;
            counts_.failure = std::string("the child was ended by signal ") +
                              std::to_string(WTERMSIG(status_)) + " (" +
                              ::strsignal(WTERMSIG(status_)) + ')';
            if (brackets_.open != 0)
                counts_.failure += where();
        } else if (brackets_.failure[0] == '\0' && brackets_.is_done == 0) {
            counts_.failure =
                "the child exited by itself, with " + std::to_string(WEXITSTATUS(status_));
        }
        if (brackets_.failure[0] != '\0') {
            counts_.failure +=
                counts_.failure.empty() ? brackets_.failure : std::string("; ") + brackets_.failure;
        }
    }

    pid_t child_;
    const bracket_page& brackets_;
    const counting_options& options_;
    instruction_counts counts_;
    std::vector<std::uintptr_t> trace_;
    std::optional<std::uint32_t> overhead_;
    int status_ = 0;
    bool ended_ = false;
};

} // namespace

void detail::prepare_bracket(std::string_view label, std::string_view note) noexcept {
    if (shared_brackets.open != 0)
        end_child("a bracket inside of a bracket");
    if (!copy_text(shared_brackets.label, label))
        end_child("a label is too long");
    copy_text(shared_brackets.note, note);
    const sigset_t waiting = signals_that_wait();
    ::pthread_sigmask(SIG_BLOCK, &waiting, &signals_outside);
    shared_brackets.open = 1;
}

void detail::finish_bracket() noexcept {
    ::pthread_sigmask(SIG_SETMASK, &signals_outside, nullptr);
}

void stepper::fail(std::string_view why) noexcept {
    if (shared_brackets.failure[0] == '\0')
        copy_text(shared_brackets.failure, why);
}

std::uint32_t call_counts::percentile(double percent) const {
    std::vector<std::uint32_t> sorted = instructions;
    // Less a little: 99.9 % of 1000 is 999, not what rounding makes of it.
    const double calls = percent * static_cast<double>(sorted.size()) / 100 - 1e-6;
    const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(std::ceil(calls)) - 1;
    std::nth_element(sorted.begin(), place, sorted.end());
    return *place;
}

const call_counts* instruction_counts::find(std::string_view label) const noexcept {
    const auto found = std::find_if(labels.begin(), labels.end(),
                                    [&](const call_counts& each) { return each.label == label; });
    return found == labels.end() ? nullptr : &*found;
}

const call_counts& instruction_counts::operator[](std::string_view label) const noexcept {
    const call_counts* found = find(label);
    if (found != nullptr)
        return *found;
    std::fprintf(stderr, "no call was measured as \"%.*s\"\n", static_cast<int>(label.size()),
                 label.data());
    std::abort();
}

instruction_counts count_instructions(const std::function<void(stepper&)>& body,
                                      const counting_options& options) {
    if (!can_step)
        return {.refused = "instructions are counted on x86-64 only"};
    std::string reason;
    const auto memory = shared_memory::create("brackets", sizeof(bracket_page), reason);
    if (!memory)
        return {.refused = reason};
    const pinned_thread pinned;
    std::fflush(nullptr); // what is printed already is not the child's to print
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0)
        become_traced(body, parent, memory->descriptor());
    if (child < 0)
        return {.refused = std::string("no process can be made: ") + std::strerror(errno)};
    return tracer(child, *static_cast<const bracket_page*>(memory->data()), options).run();
}

} // namespace resident::os
