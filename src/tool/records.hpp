/// The demo's input: groups of lines, separated by blank lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace resident::tool {

/// The input cannot be used. what() names the file, what is wrong and what to do.
class input_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// One record within the text: its lines, without the blank ones around it.
struct record_place {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

/// A record longer than this is cut at the end of a line: an index of records, not of books.
inline constexpr std::size_t longest_record = 16 << 10;

/// What has been read, compact, in the order of the file.
struct record_table {
    std::string source;                ///< as it was named
    std::string text;                  ///< at most the bytes allowed
    std::vector<record_place> records; ///< at least one
    std::size_t source_bytes = 0;      ///< of the file; more than text.size() if it was capped
    std::size_t cut_records = 0;       ///< longer than longest_record

    [[nodiscard]] bool capped() const noexcept { return source_bytes > text.size(); }
};

/// Splits `text`; a line of blanks alone counts as blank. `cut` counts the records cut.
[[nodiscard]] std::vector<record_place> split_records(std::string_view text, std::size_t& cut);

/// Reads at most `cap` bytes of whole records from a regular file.
/// Throws: `input_error` if and only if it cannot be opened or read, is no regular file, is empty,
/// holds a 0 byte (so is no text), or holds no record.
[[nodiscard]] record_table read_records(const std::string& path, std::size_t cap);

/// A record's key: what follows ": " in its first line, else all of that line; 64 bytes at most.
[[nodiscard]] std::string_view key_of(std::string_view record) noexcept;

/// The same records in one block of memory, so that it can be locked and shared as a whole.
class record_view {
public:
    record_view(std::span<const record_place> records, std::string_view text)
        : records_(records), text_(text) {}

    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    /// The record of arrival `number`: the input over and over. Real-time safe.
    [[nodiscard]] std::string_view arrival(std::uint64_t number) const noexcept {
        const record_place& place = records_[number % records_.size()];
        return text_.substr(place.offset, place.length);
    }

    /// Bytes that pack() needs.
    [[nodiscard]] static std::size_t packed_size(const record_table& table) noexcept;
    static void pack(const record_table& table, void* memory);
    /// The view of what was packed there.
    [[nodiscard]] static record_view unpack(const void* memory) noexcept;

private:
    std::span<const record_place> records_;
    std::string_view text_;
};

/// Calls `visit(line)` for each line of a record, without its line end. Real-time safe if `visit`
/// is.
template <class Visitor>
void for_each_line(std::string_view record, Visitor visit) {
    while (!record.empty()) {
        const std::size_t end = record.find('\n');
        visit(record.substr(0, end));
        if (end == std::string_view::npos)
            return;
        record.remove_prefix(end + 1);
    }
}

} // namespace resident::tool
