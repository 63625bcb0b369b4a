/// Reads a trace: the events of all threads, in order.
#pragma once

#include "trace/event.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace resident::trace {

/// Streams a trace. Memory: some 40 bytes a block of the file (64 KiB each, in what the recorder
/// writes), and 4 KiB a thread that is not at its end; nothing grows with the events.
///
/// Order: for each address the events are as they must have been. That of a reallocate that moves
/// lies between two numbers, one taken before the call and one after; the reader puts it after what
/// frees the new address and before what allocates the old one again.
///
/// A file that is truncated, corrupted or made up is refused with the offset, at the latest when
/// the reader comes to that place. Whatever the file contains, memory stays within the bound.
///
/// One thread at a time may use a reader.
class reader {
public:
    /// Reads all of a sealed file once, against its checksums; of an open one the headers. Fails
    /// if and only if the file cannot be read or is no trace that this version understands.
    [[nodiscard]] static std::variant<reader, trace_error> open(const std::string& path);

    reader(reader&&) noexcept;
    reader& operator=(reader&&) noexcept;
    ~reader();

    [[nodiscard]] const trace_header& header() const noexcept;

    /// Goes on to the next event. Returns: false at the end, and at an error; then error() tells.
    bool next(event& what);
    [[nodiscard]] const std::optional<trace_error>& error() const noexcept;

private:
    friend class sealer;
    class merge;
    explicit reader(std::unique_ptr<merge> content) noexcept;
    std::unique_ptr<merge> content_;
};

} // namespace resident::trace
