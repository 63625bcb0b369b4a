/// What a trace tells: the events of one process, in order.
#pragma once

#include <cstdint>
#include <string>

namespace resident::trace {

enum class event_kind : std::uint8_t {
    thread_begin, ///< the thread's first event
    thread_end,   ///< its last; absent if it was still running at the end of the trace
    allocate,     ///< any call that gives a block: malloc, calloc, posix_memalign, operator new ...
    free,
    reallocate, ///< realloc of a block; it has moved if the two addresses differ
};
inline constexpr unsigned event_kinds = 5;

/// One event. Fields without a meaning for its kind are 0.
///
/// An address is live from an event that gives it to the next that takes it. A block that was there
/// before the recording began (in a process that was forked off: all that it inherited) may be
/// freed or reallocated without ever having been given: its address is then not live.
struct event {
    event_kind kind = event_kind::allocate;
    std::uint32_t thread = 0;      ///< number in order of appearance, from 0
    std::uint64_t sequence = 0;    ///< place in the order over all threads, from 0, without gaps
    std::uint64_t address = 0;     ///< of the block allocated, reallocated to, or freed
    std::uint64_t old_address = 0; ///< reallocate: the block before
    std::uint64_t size = 0;        ///< bytes requested (allocate, reallocate)
    std::uint64_t alignment = 0;   ///< bytes requested; 0: that of malloc

    friend bool operator==(const event&, const event&) = default;
};

/// How the recorded process ended, as far as is known.
enum class process_end : std::uint32_t {
    unknown = 0,   ///< it still runs, or nobody saw its end
    exited = 1,    ///< `end_value` is the exit code, if the recorder could know it, else 0
    signalled = 2, ///< `end_value` is the signal
    replaced = 3,  ///< the process went on as another program (exec), which has its own trace
};

/// What a trace says of itself.
struct trace_header {
    std::uint64_t process = 0;        ///< its id
    std::uint64_t parent_process = 0; ///< its parent's
    std::uint64_t started = 0;        ///< nanoseconds since 1970, UTC
    std::uint64_t session = 0;        ///< the same in all traces of one `resident record`
    std::string command;              ///< arguments, with a blank between
    /// The file was sealed after the process's end, and holds every call that came to its end.
    bool complete = false;
    bool sealed = false;      ///< otherwise all that follows, down to `end_value`, is 0
    std::uint64_t events = 0; ///< as many as the reader yields
    std::uint64_t threads = 0;
    std::uint64_t allocations = 0;
    std::uint64_t frees = 0;
    std::uint64_t reallocations = 0;
    std::uint64_t failed_calls = 0;             ///< that returned null; they are not events
    std::uint64_t unrecorded_calls = 0;         ///< after recording stopped, or amid a record
    std::uint64_t unrecorded_processes = 0;     ///< whose own trace could not be created
    std::uint32_t unrecorded_process_error = 0; ///< errno: why not that of the first of them
    std::uint64_t calls_under_way = 0; ///< when the process ended; they gave nothing to the program
    std::uint64_t lost_records = 0;
    process_end end = process_end::unknown;
    std::uint32_t end_value = 0;
    std::uint32_t stop_error = 0; ///< errno that stopped the recording; 0: none did
    std::uint64_t file_bytes = 0;
};

/// Why a file is refused.
struct trace_error {
    std::uint64_t offset = 0; ///< in the file, bytes
    std::string what;         ///< one line: what is wrong, the value and the limit

    [[nodiscard]] std::string message() const {
        return "byte " + std::to_string(offset) + ": " + what;
    }
};

} // namespace resident::trace
