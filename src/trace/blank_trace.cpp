#include "trace/blank_trace.hpp"

#include "trace/format.hpp"
#include "trace/trace_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace resident::trace {
namespace {

/// What is in the way of a new trace, or nothing.
std::optional<std::string> obstacle(const std::string& path) {
    std::error_code failure;
    const auto there = std::filesystem::status(path, failure);
    if (!std::filesystem::exists(there))
        return std::nullopt;
    if (!std::filesystem::is_regular_file(there))
        return "it is not a file";
    std::string reason;
    auto file = trace_file::open(path, trace_file::access::read, reason);
    if (!file)
        return reason;
    std::array<char, 8> magic{};
    const std::size_t read = file->read(0, magic.data(), magic.size());
    if (read == 0 || (read == magic.size() && magic == file_magic))
        return std::nullopt;
    return "a file that is no trace is there, and stays";
}

} // namespace

std::optional<std::string> create_blank_trace(const std::string& path, std::uint64_t session) {
    if (auto wrong = obstacle(path))
        return wrong;
    // Not emptied but replaced: a process may still have the old one mapped.
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    std::string reason;
    auto file = trace_file::open(path, trace_file::access::create, reason);
    if (!file)
        return reason;
    file_header header;
    header.magic = file_magic;
    header.byte_order = byte_order_mark;
    header.version = format_version;
    header.header_bytes = file_header_bytes;
    header.session = session;
    if (!file->write(0, &header, sizeof header))
        return std::strerror(errno);
    return std::nullopt;
}

} // namespace resident::trace
