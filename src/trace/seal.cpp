#include "trace/seal.hpp"

#include "trace/block_index.hpp"
#include "trace/merge.hpp"
#include "trace/record_decoder.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace resident::trace {

class sealer {
public:
    static std::optional<trace_error> run(const std::string& path, process_end end,
                                          std::uint32_t end_value, unused_space unused) {
        auto opened = reader::merge::open(path);
        if (auto* wrong = std::get_if<trace_error>(&opened))
            return std::move(*wrong);
        const auto merged = std::move(*std::get_if<0>(&opened));
        if (merged->header().sealed)
            return std::nullopt;
        for (event passed; merged->next(passed);) {
        }
        if (merged->error())
            return merged->error();
        std::string reason;
        auto file = trace_file::open(path, trace_file::access::read_and_write, reason);
        if (!file)
            return trace_error{0, "the file cannot be written: " + reason};
        return sealer(*file, path, unused).write(*merged, end, end_value);
    }

private:
    sealer(trace_file& file, const std::string& path, unused_space unused)
        : file_(file), path_(path), unused_(unused) {}

    std::optional<trace_error> write(const reader::merge& merged, process_end end,
                                     std::uint32_t end_value) {
        const block_index& index = merged.index();
        std::uint64_t file_bytes = file_header_bytes;
        for (const indexed_block& block : index.blocks) {
            const bool is_cut = unused_ == unused_space::cut_off && &block == &index.blocks.back();
            if (auto wrong = seal_block(block, is_cut, file_bytes))
                return wrong;
        }
        if (unused_ == unused_space::kept)
            file_bytes = file_.bytes();
        std::error_code failure;
        if (file_bytes != file_.bytes())
            std::filesystem::resize_file(path_, file_bytes, failure);
        if (failure)
            return trace_error{file_bytes, "the file cannot be cut: " + failure.message()};
        file_header header = index.header;
        fill(header, merged.totals());
        header.sealed = 1;
        // A process that has told of its exit did not go on as another program.
        const bool told = header.end != static_cast<std::uint32_t>(process_end::unknown);
        if (end != process_end::unknown && !(told && end == process_end::replaced)) {
            header.end = static_cast<std::uint32_t>(end);
            header.end_value = end_value;
        }
        header.file_bytes = file_bytes;
        header.blocks = index.blocks.size();
        header.checksum = checksum_of(header);
        return put(0, &header, sizeof header);
    }

    static void fill(file_header& header, const trace_totals& totals) {
        header.records = totals.records;
        header.events = totals.events;
        header.threads = totals.threads;
        header.allocations = totals.allocations;
        header.frees = totals.frees;
        header.reallocations = totals.reallocations;
        header.failed_calls = totals.failed_calls;
        header.calls_under_way = totals.calls_under_way;
        header.lost_records = totals.lost_records;
    }

    /// One that is cut gives back the pages that it did not use. `end` becomes the block's.
    std::optional<trace_error> seal_block(const indexed_block& block, bool is_cut,
                                          std::uint64_t& end) {
        block_header header;
        if (file_.read(block.offset, &header, sizeof header) != sizeof header)
            return trace_error{block.offset, "the block cannot be read"};
        content_.resize(header.block_bytes - sizeof header);
        if (file_.read(block.offset + sizeof header, content_.data(), content_.size()) !=
            content_.size())
            return trace_error{block.offset, "the block cannot be read"};
        if (header.sealed == 0) {
            if (auto wrong = count(block.offset, header))
                return wrong;
        }
        if (is_cut) {
            const std::uint64_t used = sizeof header + header.record_bytes;
            header.block_bytes =
                static_cast<std::uint32_t>((used + block_unit - 1) / block_unit * block_unit);
            content_.resize(header.block_bytes - sizeof header);
        }
        end = block.offset + header.block_bytes;
        header.sealed = 1;
        header.checksum = checksum_of(header, content_.data(), content_.size());
        return put(block.offset, &header, sizeof header);
    }

    /// Counts the records again, one block alone, and compares with what their writer counted. One
    /// that was ended by force may have written a record and not counted it.
    std::optional<trace_error> count(std::uint64_t offset, block_header& header) {
        record_decoder decoder(header.first_number);
        std::span<const unsigned char> rest(content_);
        std::uint32_t records = 0;
        record what;
        for (;;) {
            const std::size_t taken = decoder.decode(rest, what);
            if (taken == 0)
                return trace_error{offset + header.block_bytes - rest.size(), decoder.reason()};
            if (what.kind == record_kind::end)
                break;
            rest = rest.subspan(taken);
            ++records;
        }
        for (const unsigned char byte : rest)
            if (byte != 0)
                return trace_error{offset + header.block_bytes - rest.size(),
                                   "something is written behind the end of the records"};
        if (records != header.records && records != header.records + 1)
            return trace_error{offset + offsetof(block_header, records),
                               "the block has " + std::to_string(records) + " records, and " +
                                   std::to_string(header.records) + " were counted"};
        header.records = records;
        header.record_bytes = static_cast<std::uint32_t>(content_.size() - rest.size());
        return std::nullopt;
    }

    std::optional<trace_error> put(std::uint64_t offset, const void* from, std::size_t bytes) {
        if (file_.write(offset, from, bytes))
            return std::nullopt;
        return trace_error{offset,
                           std::string("the file cannot be written: ") + std::strerror(errno)};
    }

    trace_file& file_;
    const std::string& path_;
    unused_space unused_;
    std::vector<unsigned char> content_;
};

std::optional<trace_error> seal(const std::string& path, process_end end, std::uint32_t end_value,
                                unused_space unused) {
    return sealer::run(path, end, end_value, unused);
}

} // namespace resident::trace
