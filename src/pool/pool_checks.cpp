#include "pool/pool_checks.hpp"

#include "pool/annotations.hpp"

#include <algorithm>
#include <bit>
#include <cstdarg>

namespace resident::detail {

namespace {

/// How far a byte lies from where the memory begins or ends.
std::size_t bytes_between(const std::byte* from, const std::byte* to) noexcept {
    return static_cast<std::size_t>(to - from);
}

/// Whether memory that is given out may lie so far behind the begin of a block of its own.
bool may_be_lead(std::size_t distance) noexcept {
    return std::has_single_bit(distance) && guarded_block::lead(distance) == distance;
}

} // namespace

/// Upstream's blocks are known by a list alone, so only check_level::full looks for them.
bool pool_checks::check_outside(const checked_call& call) noexcept {
    if (full_ ? pool_.upstream_.owns(call.address) : pool_.upstream() != nullptr)
        return true;
    report_unknown(call);
    return false;
}

/// Requires: not check_level::full.
bool pool_checks::check_unguarded(const checked_call& call, const block_place& at) noexcept {
    if (!check_carved(call, at))
        return false;
    if (call.address != at.begin)
        return report_misaligned(call, at);
    const granule_record& slab = pool_.record(at.first);
    if (at.size_class == 0)
        return check_request(call, at, run_request(at.first));
    if (slab.free == slab.carved || is_hidden(at.begin) ||
        (slab.free != 0 && call.address == pool_.first_free(slab, at.first)))
        return report(misuse_kind::double_free, call, &at,
                      "the block is free already (double free)");
    return check_class(call, at);
}

/// Effects: opens the block, and hides it again if a check fails.
bool pool_checks::check_guarded(const checked_call& call, const block_place& at) noexcept {
    if (!check_carved(call, at))
        return false;
    annotate_opened(at.begin, at.extent);
    const guarded_block block = guarded(at);
    if (check_state(call, at, block) && check_request(call, at, block.request()) &&
        check_canaries(call, at, block))
        return true;
    hide_around(at, block);
    return false;
}

void pool_checks::hide_around(const block_place& at, const guarded_block& block) noexcept {
    const guarded_block::condition state = block.state();
    if (state == guarded_block::condition::free)
        annotate_hidden(at.begin, at.extent);
    if (state != guarded_block::condition::in_use)
        return; // where nothing is known, what the program has must stay usable
    std::byte* const end = block.memory() + std::max<std::size_t>(block.request().bytes, 1);
    annotate_hidden(at.begin, bytes_between(at.begin, block.memory()));
    annotate_hidden(end, bytes_between(end, at.begin + at.extent));
}

bool pool_checks::check_carved(const checked_call& call, const block_place& at) noexcept {
    return at.size_class == 0 || at.number < pool_.record(at.first).carved ||
           report(misuse_kind::misaligned_pointer, call, &at,
                  "nothing was ever handed out there: free what allocate returned");
}

/// A block of a larger class may have been lent to the one that serves the request. That is over
/// now: this is the last check.
bool pool_checks::check_class(const checked_call& call, const block_place& at) noexcept {
    if (call.bytes == unknown_size)
        return true;
    const size_class_index asked = class_of({call.bytes, call.alignment});
    if (asked == at.size_class)
        return true;
    class_list& list = pool_.classes[asked];
    if (asked != 0 && asked < at.size_class && list.borrowed != 0) {
        pool_.note_return(list);
        return true;
    }
    return report(misuse_kind::wrong_size, call, &at,
                  "requests of %zu bytes have blocks of %zu bytes, this one has %zu: free it with "
                  "the size and alignment it was allocated with",
                  call.bytes, asked != 0 ? slab_geometries[asked].block_size : call.bytes,
                  at.extent);
}

bool pool_checks::check_request(const checked_call& call, const block_place& at,
                                const block_request& request) noexcept {
    if (call.bytes == unknown_size)
        return true;
    if (call.bytes != request.bytes)
        return report(misuse_kind::wrong_size, call, &at,
                      "it was allocated with %zu bytes: free it with the same", request.bytes);
    if (call.alignment != request.alignment)
        return report(misuse_kind::wrong_size, call, &at,
                      "it was allocated with alignment %zu, not %zu: free it with the same",
                      request.alignment, call.alignment);
    return true;
}

bool pool_checks::check_state(const checked_call& call, const block_place& at,
                              const guarded_block& block) noexcept {
    const guarded_block::condition state = block.state();
    const std::size_t behind = bytes_between(at.begin, static_cast<const std::byte*>(call.address));
    if (state == guarded_block::condition::unknown)
        return may_be_lead(behind) ? report_header(call, at) : report_misaligned(call, at);
    if (call.address != block.memory())
        return report_misaligned(call, at);
    if (state == guarded_block::condition::free)
        return report(misuse_kind::double_free, call, &at,
                      "the block is free already (double free)");
    return true;
}

bool pool_checks::check_canaries(const checked_call& call, const block_place& at,
                                 const guarded_block& block) noexcept {
    const std::size_t bytes = block.request().bytes;
    if (const std::byte* const damage = block.damage_behind())
        return report(misuse_kind::overflow, call, &at,
                      "byte %zu was written to, %zu behind the end of the %zu bytes at %p",
                      bytes_between(block.memory(), damage),
                      bytes_between(block.memory() + bytes, damage) + 1, bytes,
                      static_cast<const void*>(block.memory()));
    if (const std::byte* const damage = block.damage_before())
        return report(misuse_kind::underflow, call, &at,
                      "a byte was written to, %zu before the begin of the %zu bytes at %p",
                      bytes_between(damage, block.memory()), bytes,
                      static_cast<const void*>(block.memory()));
    return true;
}

bool pool_checks::check_free(const checked_call& call, const block_place& at,
                             const guarded_block& block) noexcept {
    if (block.state() != guarded_block::condition::free)
        return report_header(call, at);
    const std::byte* const damage = block.damage_in_fill();
    return damage == nullptr ||
           report(misuse_kind::use_after_free, call, &at,
                  "the free block was written to, %zu bytes from its begin at %p, where %zu bytes "
                  "were allocated",
                  bytes_between(block.memory(), damage), static_cast<const void*>(block.memory()),
                  block.request().bytes);
}

bool pool_checks::report_header(const checked_call& call, const block_place& at) noexcept {
    return report(misuse_kind::underflow, call, &at,
                  "the bytes before the block were written to, from there or from the block "
                  "before");
}

bool pool_checks::report_misaligned(const checked_call& call, const block_place& at) noexcept {
    return report(misuse_kind::misaligned_pointer, call, &at,
                  "the pointer is into the middle of a block: free what allocate returned");
}

void pool_checks::report_link(const block_place& at, std::uint32_t lost) noexcept {
    report(misuse_kind::corrupted_link, {.name = "allocate"}, &at,
           "the link in the free block at %p was written to; the %u free blocks of its slab are "
           "not used any more",
           static_cast<const void*>(at.begin), unsigned{lost});
}

void pool_checks::report_unknown(const checked_call& call) noexcept {
    block_place at;
    if (search(call.address, at))
        (void)(check_carved(call, at) && report_misaligned(call, at));
    else if (pool_.offset(call.address) < pool_.capacity())
        report(misuse_kind::foreign_pointer, call, nullptr,
               "no block of this pool is there: it was freed already, and its slab went back to "
               "the arena, or it is not this pool's");
    else
        report(misuse_kind::foreign_pointer, call, nullptr,
               "the pointer is not from this pool, nor its arena: free it where it was allocated");
}

bool pool_checks::report(misuse_kind kind, const checked_call& call, const block_place* at,
                         const char* format, ...) noexcept {
    misuse_text text;
    add_call(text, pool_.source_.name(), call);
    std::va_list arguments;
    va_start(arguments, format);
    text.add(format, arguments);
    va_end(arguments);
    if (at != nullptr)
        add_place(text, *at);
    const void* const address =
        call.has_address || at == nullptr ? call.address : static_cast<const void*>(at->begin);
    report_misuse(kind, address, at, call.bytes == unknown_size ? 0 : call.bytes, text);
    return false;
}

} // namespace resident::detail
