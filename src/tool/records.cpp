#include "tool/records.hpp"

#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace resident::tool {
namespace {

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// Cuts at the end of the last line that fits; a single long line anywhere.
std::size_t cut_length(std::string_view record) {
    const std::size_t line_end = record.rfind('\n', longest_record);
    return line_end == std::string_view::npos ? longest_record : line_end;
}

[[noreturn]] void refuse(const std::string& path, std::string_view what_is_wrong) {
    throw input_error(fmt::format("the input {} {}; give a text file of records separated by blank "
                                  "lines with --input FILE",
                                  path, what_is_wrong));
}

/// Returns: the size of the file.
std::size_t check_file(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code failure;
    const fs::file_status status = fs::status(path, failure);
    if (!fs::exists(status)) {
        refuse(path, fmt::format("cannot be opened: {}",
                                 failure ? failure.message() : std::strerror(ENOENT)));
    }
    if (fs::is_directory(status))
        refuse(path, "is a folder");
    if (!fs::is_regular_file(status))
        refuse(path, "is a device, a pipe or a socket");
    const std::uintmax_t bytes = fs::file_size(path, failure);
    if (failure)
        refuse(path, fmt::format("cannot be read: {}", failure.message()));
    return static_cast<std::size_t>(bytes);
}

std::string read_text(const std::string& path, std::size_t bytes) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        refuse(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
    std::string text(bytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(bytes));
    if (file.bad())
        refuse(path, fmt::format("cannot be read: {}", std::strerror(errno)));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

} // namespace

std::vector<record_place> split_records(std::string_view text, std::size_t& cut) {
    std::vector<record_place> records;
    constexpr std::size_t none = std::string_view::npos;
    std::size_t begin = none;
    std::size_t end = 0;
    const auto finish = [&] {
        if (begin == none)
            return;
        std::size_t length = end - begin;
        if (length > longest_record) {
            length = cut_length(text.substr(begin, length));
            ++cut;
        }
        records.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length)});
        begin = none;
    };
    for (std::size_t line = 0; line < text.size();) {
        const std::size_t line_end = std::min(text.find('\n', line), text.size());
        if (is_blank(text.substr(line, line_end - line))) {
            finish();
        } else {
            begin = std::min(begin, line);
            end = line_end;
        }
        line = line_end + 1;
    }
    finish();
    return records;
}

record_table read_records(const std::string& path, std::size_t cap) {
    record_table table;
    table.source = path;
    table.source_bytes = check_file(path);
    table.text = read_text(path, std::min(table.source_bytes, cap));
    if (table.text.empty())
        refuse(path, "is empty");
    const std::size_t zero = table.text.find('\0');
    if (zero != std::string::npos) {
        refuse(path, fmt::format("is binary: byte {} is 0", zero));
    }
    table.records = split_records(table.text, table.cut_records);
    // The last record of a part of a file is a part of a record.
    if (table.capped() && table.records.size() > 1)
        table.records.pop_back();
    if (table.records.empty())
        refuse(path, "holds blank lines only");
    const record_place& last = table.records.back();
    table.text.resize(std::size_t{last.offset} + last.length);
    // Blank lines at the end of a file read in whole do not make it capped.
    if (table.source_bytes <= cap)
        table.source_bytes = table.text.size();
    return table;
}

std::string_view key_of(std::string_view record) noexcept {
    constexpr std::size_t longest_key = 64;
    std::string_view line = record.substr(0, record.find('\n'));
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos && colon + 2 < line.size())
        line.remove_prefix(colon + 2);
    return line.substr(0, longest_key);
}

std::size_t record_view::packed_size(const record_table& table) noexcept {
    return 2 * sizeof(std::uint64_t) + table.records.size() * sizeof(record_place) +
           table.text.size();
}

void record_view::pack(const record_table& table, void* memory) {
    const std::uint64_t counts[] = {table.records.size(), table.text.size()};
    auto* place = static_cast<char*>(memory);
    std::memcpy(place, counts, sizeof counts);
    place += sizeof counts;
    std::memcpy(place, table.records.data(), table.records.size() * sizeof(record_place));
    place += table.records.size() * sizeof(record_place);
    std::memcpy(place, table.text.data(), table.text.size());
}

record_view record_view::unpack(const void* memory) noexcept {
    std::uint64_t counts[2];
    const auto* place = static_cast<const char*>(memory);
    std::memcpy(counts, place, sizeof counts);
    place += sizeof counts;
    const auto* records = reinterpret_cast<const record_place*>(place);
    place += counts[0] * sizeof(record_place);
    return {{records, counts[0]}, {place, counts[1]}};
}

} // namespace resident::tool
