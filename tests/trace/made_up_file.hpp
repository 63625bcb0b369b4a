/// Trace files that no recorder and no writer makes.
#pragma once

#include "trace/format.hpp"
#include "trace/record_encoder.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace resident::test {

using namespace trace;

inline std::vector<char> bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void put(const std::string& path, const std::vector<char>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A file header, and what goes behind it; nothing is sealed.
class made_up_file {
public:
    made_up_file() {
        header.magic = file_magic;
        header.byte_order = byte_order_mark;
        header.version = format_version;
        header.header_bytes = file_header_bytes;
        header.process = 7;
    }

    /// A block of the thread with these records.
    void add(std::uint32_t thread, std::uint64_t first_number, const std::vector<record>& records) {
        std::vector<unsigned char> space(block_unit - sizeof(block_header));
        record_encoder encoder(space.data(), space.size(), first_number);
        for (const record& each : records)
            encoder.append(each);
        const block_header block{.magic = block_magic,
                                 .thread = thread,
                                 .block_bytes = block_unit,
                                 .first_number = first_number,
                                 .records = static_cast<std::uint32_t>(records.size())};
        append(&block, sizeof block);
        append(space.data(), space.size());
    }
    void append(const void* from, std::size_t count) {
        const auto* bytes = static_cast<const char*>(from);
        content.insert(content.end(), bytes, bytes + count);
    }
    void write(const std::string& path) const {
        std::vector<char> all(sizeof header);
        std::memcpy(all.data(), &header, sizeof header);
        all.insert(all.end(), content.begin(), content.end());
        put(path, all);
    }
    block_header& block(std::size_t at = 0) {
        return *reinterpret_cast<block_header*>(content.data() + at * block_unit);
    }

    file_header header;
    std::vector<char> content;
};

inline record allocate(std::uint64_t number, std::uint64_t address, std::uint64_t size = 16) {
    return {.kind = record_kind::allocate,
            .number = number,
            .last_number = number,
            .address = address,
            .size = size};
}
inline record free_of(std::uint64_t number, std::uint64_t address) {
    return {.kind = record_kind::free, .number = number, .last_number = number, .address = address};
}
inline record reallocate(std::uint64_t number, std::uint64_t last, std::uint64_t from,
                         std::uint64_t to) {
    return {.kind = record_kind::reallocate,
            .number = number,
            .last_number = last,
            .address = to,
            .old_address = from,
            .size = 32};
}

} // namespace resident::test
