/// Records into bytes. Calls nothing: the recorder runs inside of malloc.
#pragma once

#include "trace/format.hpp"

namespace resident::trace {

/// Appends records to the space of one block.
class record_encoder {
public:
    record_encoder() = default;
    /// `space` is zero, and for records alone; numbers begin at `first_number`.
    record_encoder(unsigned char* space, std::size_t bytes, std::uint64_t first_number) noexcept
        : at_(space), end_(space + bytes), next_number_(first_number) {}

    /// Whether any record fits.
    [[nodiscard]] bool has_room() const noexcept {
        return static_cast<std::size_t>(end_ - at_) > longest_record;
    }
    [[nodiscard]] const unsigned char* position() const noexcept { return at_; }

    /// Requires: has_room(), and a number above all that went before.
    /// About 40 instructions. The tag comes last, so that a process that ends within leaves no half
    /// of a record: it is a part of the file as soon as its tag is not 0.
    [[gnu::always_inline]] void append(const record& what) noexcept {
        unsigned char* const tag = at_;
        unsigned char* to = at_ + 1;
        const std::uint64_t gap = what.number - next_number_;
        if (gap >= short_gap_limit)
            to = put(to, gap - short_gap_limit);
        to = put_body(to, what);
        next_number_ = what.last_number + 1;
        const std::uint64_t short_gap = gap < short_gap_limit ? gap : short_gap_limit;
        __atomic_store_n(tag,
                         static_cast<unsigned char>(static_cast<std::uint64_t>(what.kind) |
                                                    short_gap << kind_bits),
                         __ATOMIC_RELEASE);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); // for take_back()
        at_ = to;
    }

    /// Leaves nothing of an append() that was interrupted and will not be continued, unless its tag
    /// is there already. Nothing can be appended any more.
    void take_back() noexcept {
        if (has_room() && *at_ == 0)
            __builtin_memset(at_, 0, longest_record);
        *this = {};
    }

private:
    [[gnu::always_inline]] unsigned char* put_body(unsigned char* to, const record& what) noexcept {
        switch (what.kind) {
        case record_kind::reallocate:
            to = put_address(to, what.old_address);
            to = put_address(to, what.address);
            to = put(to, what.size);
            return put(to, what.last_number - what.number - 1);
        case record_kind::allocate_aligned:
            to = put_address(to, what.address);
            to = put(to, what.size);
            return put(to, what.alignment_bits);
        case record_kind::allocate:
            to = put_address(to, what.address);
            return put(to, what.size);
        case record_kind::free:
            return put_address(to, what.address);
        case record_kind::failed:
            return put(to, what.size);
        default:
            return to;
        }
    }

    unsigned char* put_address(unsigned char* to, std::uint64_t address) noexcept {
        to = put(to, fold_distance(address, last_address_));
        last_address_ = address;
        return to;
    }

    /// Seven bits a byte, the lowest first; the uppermost bit is set in all but the last.
    static unsigned char* put(unsigned char* to, std::uint64_t value) noexcept {
        for (; value >= 0x80; value >>= 7)
            *to++ = static_cast<unsigned char>(value | 0x80);
        *to++ = static_cast<unsigned char>(value);
        return to;
    }

    unsigned char* at_ = nullptr;
    unsigned char* end_ = nullptr;
    std::uint64_t next_number_ = 0;
    std::uint64_t last_address_ = 0;
};

} // namespace resident::trace
