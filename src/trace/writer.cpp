#include "trace/writer.hpp"

#include "trace/seal.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace resident::trace {

/// A block in memory, as it will be in the file.
struct writer::open_block {
    block_header header;
    std::array<unsigned char, full_block_bytes - sizeof(block_header)> records{};
    record_encoder encoder;
    bool empty = true;

    void begin(std::uint32_t thread, std::uint32_t bytes, std::uint64_t first_number) {
        header = {.magic = block_magic,
                  .thread = thread,
                  .block_bytes = bytes,
                  .first_number = first_number,
                  .system_thread = thread};
        records.fill(0);
        encoder = record_encoder(records.data(), bytes - sizeof header, first_number);
        empty = false;
    }
};

std::optional<writer> writer::create(const std::string& path, const description& told,
                                     std::string& reason) {
    auto file = trace_file::open(path, trace_file::access::create, reason);
    if (!file)
        return std::nullopt;
    file_header header;
    header.magic = file_magic;
    header.byte_order = byte_order_mark;
    header.version = format_version;
    header.header_bytes = file_header_bytes;
    header.process = told.process;
    header.started = told.started;
    const std::string_view command = std::string_view(told.command).substr(0, command_limit - 1);
    std::replace_copy(command.begin(), command.end(), header.command.begin(), ' ', '\0');
    header.command_bytes = static_cast<std::uint32_t>(command.size() + 1);
    if (!file->write(0, &header, sizeof header)) {
        reason = std::strerror(errno);
        return std::nullopt;
    }
    return writer(std::move(*file), path);
}

bool writer::append(const event& what) {
    record put_down;
    put_down.number = put_down.last_number = next_number_;
    put_down.address = what.address;
    put_down.size = what.size;
    const bool has_address =
        what.kind != event_kind::thread_begin && what.kind != event_kind::thread_end;
    if ((has_address && (what.address == 0 || what.address >= address_limit)) ||
        what.size > size_limit || what.thread >= thread_limit)
        return false;
    switch (what.kind) {
    case event_kind::thread_begin:
        put_down.kind = record_kind::thread_begin;
        break;
    case event_kind::thread_end:
        put_down.kind = record_kind::thread_end;
        break;
    case event_kind::free:
        put_down.kind = record_kind::free;
        break;
    case event_kind::reallocate:
        put_down.kind = record_kind::reallocate;
        put_down.old_address = what.old_address;
        put_down.last_number = next_number_ + 1;
        if (what.old_address == 0 || what.old_address >= address_limit)
            return false;
        break;
    case event_kind::allocate:
        put_down.kind = what.alignment == 0 ? record_kind::allocate : record_kind::allocate_aligned;
        if (what.alignment == 0)
            break;
        put_down.alignment_bits = static_cast<unsigned>(std::countr_zero(what.alignment));
        if (!std::has_single_bit(what.alignment) || put_down.alignment_bits > alignment_bits_limit)
            return false;
        break;
    }
    next_number_ = put_down.last_number + 1;
    return put(what.thread, put_down);
}

bool writer::put(std::uint32_t thread, const record& what) {
    std::unique_ptr<open_block>& block = blocks_[thread];
    if (!block) {
        block = std::make_unique<open_block>();
        block->begin(thread, first_block_bytes, what.number);
    } else if (!block->encoder.has_room()) {
        const std::uint32_t larger = std::min(2 * block->header.block_bytes, full_block_bytes);
        if (!write_out(*block))
            return false;
        block->begin(thread, larger, what.number);
    }
    block->encoder.append(what);
    ++block->header.records;
    if (what.kind != record_kind::thread_end)
        return !failed_;
    const bool written = write_out(*block);
    blocks_.erase(thread);
    return written;
}

bool writer::write_out(open_block& block) {
    const std::uint64_t offset = file_->bytes();
    block.empty = true;
    if (!file_->write(offset, &block.header, sizeof block.header) ||
        !file_->write(offset + sizeof block.header, block.records.data(),
                      block.header.block_bytes - sizeof block.header))
        failed_ = true;
    return !failed_;
}

std::optional<trace_error> writer::finish(process_end end, std::uint32_t end_value) {
    for (auto& [thread, block] : blocks_)
        if (!block->empty)
            write_out(*block);
    blocks_.clear();
    const std::uint64_t bytes = file_->bytes();
    file_.reset();
    if (failed_)
        return trace_error{bytes, "the file could not be written to its end"};
    return seal(path_, end, end_value);
}

writer::writer(trace_file file, std::string path)
    : file_(std::make_unique<trace_file>(std::move(file))), path_(std::move(path)) {}
writer::writer(writer&&) noexcept = default;
writer& writer::operator=(writer&&) noexcept = default;
writer::~writer() = default;

} // namespace resident::trace
