#include "trace/thread_records.hpp"

#include <algorithm>
#include <cstring>

namespace resident::trace {

void thread_records::enter(const indexed_block& block) noexcept {
    within_ = true;
    decoder_ = record_decoder(block.first_number);
    records_ = 0;
    file_at_ = block.offset + sizeof(block_header);
    file_left_ = block.record_bytes;
    window_at_ = window_left_ = 0;
}

bool thread_records::refill(trace_file& file) noexcept {
    unsigned char* const bytes = window_->bytes.data();
    std::memmove(bytes, bytes + window_at_, window_left_);
    window_at_ = 0;
    const std::size_t wanted = std::min(window_bytes - window_left_, file_left_);
    if (file.read(file_at_, bytes + window_left_, wanted) != wanted)
        return false;
    window_left_ += wanted;
    file_at_ += wanted;
    file_left_ -= wanted;
    return true;
}

bool thread_records::advance(trace_file& file, const block_index& index,
                             std::optional<trace_error>& error) {
    while (block_ != no_block) {
        const indexed_block& block = index.blocks[block_];
        if (!window_)
            window_ = std::make_unique<window>();
        if (!within_)
            enter(block);
        current_offset_ = file_at_ - window_left_;
        if (window_left_ < longest_record && file_left_ != 0 && !refill(file)) {
            error = trace_error{current_offset_, "the file cannot be read here"};
            return false;
        }
        const std::size_t taken =
            decoder_.decode({window_->bytes.data() + window_at_, window_left_}, current_);
        if (taken == 0) {
            error = trace_error{current_offset_, decoder_.reason()};
            return false;
        }
        if (current_.kind == record_kind::end) {
            if (!leave(index, error))
                return false;
            continue;
        }
        if (current_.number < lowest_number_) {
            error = trace_error{current_offset_, "the numbers of a thread's records go backwards"};
            return false;
        }
        lowest_number_ = current_.last_number + 1;
        window_at_ += taken;
        window_left_ -= taken;
        ++records_;
        return true;
    }
    window_.reset();
    return false;
}

bool thread_records::leave(const block_index& index, std::optional<trace_error>& error) {
    const indexed_block& block = index.blocks[block_];
    const bool all_read = window_left_ == 0 && file_left_ == 0;
    if (block.sealed && (!all_read || records_ != block.records)) {
        error = trace_error{block.offset,
                            all_read ? "the block has " + std::to_string(records_) +
                                           " records, and tells of " + std::to_string(block.records)
                                     : std::string("the block's records end before their end")};
        return false;
    }
    block_ = block.next;
    within_ = false;
    return true;
}

} // namespace resident::trace
