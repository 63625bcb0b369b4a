#include "trace/block_index.hpp"

#include "trace/checksum.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace resident::trace {
namespace {

using maybe_error = std::optional<trace_error>;

std::string number(std::uint64_t value) { return std::to_string(value); }

/// Goes through the file once.
class index_builder {
public:
    index_builder(trace_file& file, block_index& index) : file_(file), index_(index) {}

    maybe_error run() {
        if (maybe_error wrong = read_header())
            return wrong;
        std::uint64_t offset = file_header_bytes;
        while (offset < file_.bytes()) {
            if (maybe_error wrong = read_block(offset))
                return wrong;
        }
        if (index_.header.sealed != 0 && index_.blocks.size() != index_.header.blocks)
            return trace_error{offsetof(file_header, blocks),
                               "the header tells of " + number(index_.header.blocks) +
                                   " blocks, the file has " + number(index_.blocks.size())};
        return std::nullopt;
    }

private:
    maybe_error read_header() {
        file_header& header = index_.header;
        if (file_.read(0, &header, sizeof header) != sizeof header)
            return trace_error{file_.bytes(), "a trace begins with a header of 4096 bytes; this "
                                              "file has " +
                                                  number(file_.bytes()) + " in all"};
        if (header.magic != file_magic)
            return trace_error{0, "this is not a trace: it does not begin with RSDTRACE"};
        if (header.byte_order != byte_order_mark)
            return trace_error{offsetof(file_header, byte_order),
                               "the trace was written with another byte order"};
        if (header.version != format_version)
            return trace_error{offsetof(file_header, version),
                               "the trace is of version " + number(header.version) +
                                   ", this program reads version " + number(format_version)};
        if (header.header_bytes != file_header_bytes)
            return trace_error{offsetof(file_header, header_bytes),
                               "a header of " + number(header.header_bytes) +
                                   " bytes, where 4096 are right"};
        if (header.sealed != 0)
            return check_seal();
        if (header.checksum != 0 || header.file_bytes != 0)
            return trace_error{offsetof(file_header, sealed),
                               "the header is that of a sealed file, but says that it is open"};
        if (header.process == 0)
            return trace_error{offsetof(file_header, process),
                               "no program has recorded anything into this file"};
        return check_command();
    }

    maybe_error check_seal() {
        const file_header& header = index_.header;
        if (header.checksum != checksum_of(header))
            return trace_error{0, "the header does not match its checksum"};
        if (header.file_bytes != file_.bytes())
            return trace_error{std::min(file_.bytes(), header.file_bytes),
                               "the file has " + number(file_.bytes()) +
                                   " bytes, and was sealed with " + number(header.file_bytes)};
        if (header.sealed != 1)
            return trace_error{offsetof(file_header, sealed), "neither sealed nor open"};
        return check_command();
    }

    maybe_error check_command() const {
        if (index_.header.command_bytes <= command_limit)
            return std::nullopt;
        return trace_error{offsetof(file_header, command_bytes),
                           "a command of " + number(index_.header.command_bytes) +
                               " bytes; the limit is " + number(command_limit)};
    }

    /// Moves `offset` behind the block, or behind the part of a hole.
    maybe_error read_block(std::uint64_t& offset) {
        block_header header;
        if (file_.read(offset, &header, sizeof header) != sizeof header)
            return trace_error{offset, "the file is cut within a block's header"};
        if (header.magic == 0)
            return skip_hole(offset);
        if (maybe_error wrong = check_block(offset, header))
            return wrong;
        const std::size_t space = header.block_bytes - sizeof header;
        if (header.sealed != 0) {
            content_.resize(space);
            if (file_.read(offset + sizeof header, content_.data(), space) != space)
                return trace_error{offset, "the block cannot be read to its end"};
            if (header.checksum != checksum_of(header, content_.data(), space))
                return trace_error{offset, "the block does not match its checksum"};
        }
        const auto bytes = header.sealed != 0 ? header.record_bytes : space;
        maybe_error wrong = add(header, {.offset = offset,
                                         .first_number = header.first_number,
                                         .record_bytes = static_cast<std::uint32_t>(bytes),
                                         .records = header.records,
                                         .sealed = header.sealed != 0});
        offset += header.block_bytes;
        return wrong;
    }

    maybe_error check_block(std::uint64_t offset, const block_header& header) {
        const auto refuse = [offset](std::size_t field, std::string what) {
            return trace_error{offset + field, std::move(what)};
        };
        if (header.magic != block_magic)
            return refuse(0, "no block begins here");
        if (header.block_bytes == 0 || header.block_bytes % block_unit != 0 ||
            header.block_bytes > largest_block)
            return refuse(offsetof(block_header, block_bytes),
                          "a block of " + number(header.block_bytes) +
                              " bytes; right are multiples of 4096 up to " + number(largest_block));
        if (header.block_bytes > file_.bytes() - offset)
            return refuse(file_.bytes() - offset, "the file is cut: the block at " +
                                                      number(offset) + " has " +
                                                      number(header.block_bytes) + " bytes");
        if (header.sealed > 1 || (header.sealed == 0 && index_.header.sealed != 0))
            return refuse(offsetof(block_header, sealed), "an open block in a file that is sealed");
        if (header.record_bytes > header.block_bytes - sizeof header)
            return refuse(offsetof(block_header, record_bytes),
                          number(header.record_bytes) + " bytes of records in a block of " +
                              number(header.block_bytes));
        if (header.first_number >= number_limit)
            return refuse(offsetof(block_header, first_number), "a record's number is above 2^56");
        return std::nullopt;
    }

    maybe_error skip_hole(std::uint64_t& offset) {
        content_.resize(block_unit);
        const std::size_t there = file_.read(offset, content_.data(), block_unit);
        if (there != block_unit)
            return trace_error{file_.bytes(), "the file is cut within a block"};
        const auto not_zero =
            std::find_if(content_.begin(), content_.end(), [](unsigned char b) { return b != 0; });
        if (not_zero != content_.end())
            return trace_error{offset + static_cast<std::uint64_t>(not_zero - content_.begin()),
                               "something is written where no block begins"};
        hole_ += block_unit;
        offset += block_unit;
        const std::uint64_t limit = hole_limit + index_.threads.size() * full_block_bytes;
        if (hole_ > limit)
            return trace_error{offset, "more than " + number(limit) +
                                           " bytes without a block; the limit for a trace of " +
                                           number(index_.threads.size()) + " threads"};
        return std::nullopt;
    }

    maybe_error add(const block_header& header, const indexed_block& block) {
        const auto [found, is_new] =
            threads_.try_emplace(header.thread, static_cast<std::uint32_t>(index_.threads.size()));
        if (is_new)
            index_.threads.emplace_back();
        if (index_.threads.size() > thread_limit || index_.blocks.size() >= no_block)
            return trace_error{block.offset + offsetof(block_header, thread),
                               "more than " + number(thread_limit) + " threads"};
        indexed_thread& thread = index_.threads[found->second];
        const auto at = static_cast<std::uint32_t>(index_.blocks.size());
        if (thread.first == no_block) {
            thread.first = at;
        } else {
            indexed_block& before = index_.blocks[thread.last];
            if (block.first_number < before.first_number)
                return trace_error{block.offset + offsetof(block_header, first_number),
                                   "the numbers of a thread's records go backwards"};
            before.next = at;
        }
        thread.last = at;
        index_.blocks.push_back(block);
        return std::nullopt;
    }

    trace_file& file_;
    block_index& index_;
    std::vector<unsigned char> content_;
    std::unordered_map<std::uint32_t, std::uint32_t> threads_; ///< number in the file, place here
    std::uint64_t hole_ = 0;                                   ///< bytes, in all holes
};

} // namespace

std::optional<trace_error> build_index(trace_file& file, block_index& index) {
    return index_builder(file, index).run();
}

std::uint32_t checksum_of(const block_header& header, const unsigned char* records,
                          std::size_t bytes) noexcept {
    block_header copy = header;
    copy.checksum = 0;
    return checksum(records, bytes, checksum(&copy, sizeof copy));
}

std::uint32_t checksum_of(const file_header& header) noexcept {
    file_header copy = header;
    copy.checksum = 0;
    return checksum(&copy, sizeof copy);
}

} // namespace resident::trace
