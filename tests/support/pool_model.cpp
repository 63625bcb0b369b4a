#include "support/pool_model.hpp"

#include "support/build.hpp"

#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <new>

namespace resident::test {

namespace {

constexpr std::size_t unit = 8;
constexpr std::size_t largest_linear = 65536;

/// Of the sizes that are known when compiling.
template <typename Call>
auto with_fixed_size(std::size_t bytes, Call call) {
    switch (std::bit_width(bytes) / 2) {
    case 0:
    case 1:
        return call.template operator()<0, 1>();
    case 2:
        return call.template operator()<16, 16>();
    case 3:
        return call.template operator()<40, 8>();
    case 4:
        return call.template operator()<200, 64>();
    case 5:
        return call.template operator()<1000, 8>();
    case 6:
        return call.template operator()<4096, 4096>();
    case 7:
        return call.template operator()<9000, 512>();
    default:
        return call.template operator()<20000, 16>();
    }
}

struct request {
    std::size_t bytes;
    std::size_t alignment;
};

request fixed_request(std::size_t bytes) {
    return with_fixed_size(bytes, []<std::size_t Bytes, std::size_t Alignment>() {
        return request{Bytes, Alignment};
    });
}

} // namespace

bool byte_map::flip(const void* block, std::size_t bytes, bool used) {
    const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(block) - begin_);
    const std::size_t end = (offset + bytes + unit - 1) / unit;
    if (end > words_.size() * 64)
        return false;
    bool as_expected = true;
    for (std::size_t at = offset / unit; at < end;) {
        const std::size_t count = std::min(64 - at % 64, end - at);
        const std::uint64_t mask = (~std::uint64_t{0} >> (64 - count)) << (at % 64);
        as_expected = as_expected && (words_[at / 64] & mask) == (used ? 0 : mask);
        words_[at / 64] ^= mask;
        at += count;
    }
    return as_expected;
}

pool_model::pool_model(unsynchronized_pool_resource& pool, byte_map& used)
    : pool_(pool), used_(used), is_guarded_(pool.options().checks == check_level::full) {}

void pool_model::expect(bool holds, const char* what, const block& about) {
    if (holds || !difference_.empty())
        return;
    char text[256];
    std::snprintf(text, sizeof text, "%s: block %p of %zu bytes aligned to %zu, usable %zu", what,
                  static_cast<void*>(about.begin), about.bytes, about.alignment, about.usable);
    difference_ = text;
}

bool pool_model::allocate(std::size_t bytes, std::size_t alignment, entrance by) {
    block made{nullptr, bytes, alignment, 0, 0, 0};
    made.begin = call_allocate(made, by);
    if (made.begin == nullptr) {
        compare_refusal(made);
        return false;
    }
    take_note(made);
    return true;
}

std::byte* pool_model::call_allocate(block& wanted, entrance by) {
    void* made = nullptr;
    if (by == entrance::fixed_size) {
        const request fixed = fixed_request(wanted.bytes);
        made = with_fixed_size(wanted.bytes, [&]<std::size_t Bytes, std::size_t Alignment>() {
            return pool_.try_allocate_block<Bytes, Alignment>();
        });
        wanted.bytes = fixed.bytes;
        wanted.alignment = fixed.alignment;
    } else if (by == entrance::pmr && has_exceptions) {
#if defined(__cpp_exceptions)
        try {
            made = static_cast<std::pmr::memory_resource&>(pool_).allocate(wanted.bytes,
                                                                           wanted.alignment);
        } catch (const std::bad_alloc&) {
            made = nullptr;
        }
#endif
    } else {
        made = pool_.try_allocate(wanted.bytes, wanted.alignment);
    }
    return static_cast<std::byte*>(made);
}

void pool_model::take_note(block made) {
    made.usable = pool_.usable_size(made.begin);
    made.pattern = ++last_pattern_ * 0x9E3779B97F4A7C15;
    made.size_class = class_of(made);
    expect(made.usable >= made.bytes, "too small", made);
    expect(reinterpret_cast<std::uintptr_t>(made.begin) % made.alignment == 0, "misaligned", made);
    expect(used_.add(made.begin, made.usable), "overlaps another block", made);
    expect(pool_.owns(made.begin), "not owned", made);
    fill(made);
    if (made.size_class < in_use_.size())
        ++in_use_[made.size_class];
    bytes_in_use_ += made.usable;
    alive_.push_back(made);
}

void pool_model::deallocate(std::size_t index, entrance by) {
    const block freed = alive_[index];
    alive_[index] = alive_.back();
    alive_.pop_back();
    expect(is_intact(freed), "was written to by another", freed);
    expect(pool_.usable_size(freed.begin) == freed.usable, "changed its size", freed);
    expect(used_.remove(freed.begin, freed.usable), "freed by another", freed);
    if (freed.size_class < in_use_.size())
        --in_use_[freed.size_class];
    bytes_in_use_ -= freed.usable;
    call_deallocate(freed, by);
}

void pool_model::call_deallocate(const block& freed, entrance by) {
    const request fixed = fixed_request(freed.bytes);
    if (by == entrance::unsized) {
        pool_.deallocate(freed.begin);
    } else if (by == entrance::pmr) {
        static_cast<std::pmr::memory_resource&>(pool_).deallocate(freed.begin, freed.bytes,
                                                                  freed.alignment);
    } else if (by == entrance::fixed_size && freed.bytes == fixed.bytes &&
               freed.alignment == fixed.alignment) {
        with_fixed_size(freed.bytes, [&]<std::size_t Bytes, std::size_t Alignment>() {
            pool_.deallocate_block<Bytes, Alignment>(freed.begin);
        });
    } else {
        pool_.deallocate(freed.begin, freed.bytes, freed.alignment);
    }
}

/// What is refused is counted; and what statistics say would succeed, does.
void pool_model::compare_refusal(const block& refused) {
    ++refused_;
    const std::size_t largest = pool_.statistics().largest_block;
    if (largest == 0 || is_guarded_)
        return;
    void* const made = pool_.try_allocate(largest, 1);
    expect(made != nullptr, "the largest block is not to be had", {nullptr, largest, 1, 0, 0, 0});
    if (made == nullptr)
        return;
    // A class that has a reserve lends nothing, and one of runs borrows runs alone.
    using classes = detail::size_classes;
    const detail::size_class_index index = classes::of(refused.bytes);
    expect(has_reserve_ || refused.alignment > unit || refused.bytes > largest ||
               (index != 0 && classes::is_run(index)),
           "refused, though there is room", refused);
    pool_.deallocate(made, largest, 1);
}

void pool_model::reserve(std::size_t bytes, std::size_t count) {
    const block wanted{nullptr, bytes, unit, 0, 0, 0};
    const std::uint64_t failures = pool_.statistics().failures;
    if (!pool_.try_reserve(bytes, count, unit)) {
        expect(pool_.statistics().failures == failures, "a failed reserve is counted", wanted);
        return;
    }
    has_reserve_ = true;
    const std::uint64_t visits = pool_.statistics().arena_visits;
    for (std::size_t taken = 0; taken < count; ++taken)
        if (!allocate(bytes, unit, entrance::direct))
            return expect(false, "reserved, but refused", wanted);
    expect(pool_.statistics().arena_visits == visits, "reserved, but from the arena", wanted);
}

void pool_model::release() {
    for (const block& each : alive_) {
        expect(is_intact(each), "was written to by another", each);
        expect(used_.remove(each.begin, each.usable), "freed by another", each);
    }
    alive_.clear();
    in_use_.fill(0);
    bytes_in_use_ = 0;
    has_reserve_ = false;
    pool_.release();
}

void pool_model::free_all() {
    for (std::size_t turn = 0; !alive_.empty(); ++turn)
        deallocate(turn * 7919 % alive_.size(), static_cast<entrance>(turn % 4));
}

void pool_model::compare() {
    const block none{};
    const pool_statistics now = pool_.statistics();
    for (std::size_t index = 0; index < in_use_.size(); ++index) {
        const size_class_statistics& each = now.classes[index];
        const block about{nullptr, each.in_use, in_use_[index], each.block_size, 0, 0};
        expect(each.in_use == in_use_[index] || is_guarded_,
               "blocks in use of a class; so many, not so many", about);
        expect(each.cached <= each.free, "more cached than free", about);
    }
    expect(is_guarded_ ? now.in_use >= bytes_in_use_ : now.in_use == bytes_in_use_, "bytes in use",
           none);
    expect(now.requested <= now.in_use, "bytes requested", none);
    expect(!is_guarded_ || now.requested == bytes_in_use_, "bytes requested", none);
    expect(now.failures == refused_, "failures", none);
    expect(now.held >= now.in_use && now.peak_held >= now.held, "bytes held", none);
    expect(now.upstream == 0, "bytes from upstream", none);
    if (const char* broken = pool_.check())
        expect(false, broken, none);
    if (const char* broken = pool_.source().check())
        expect(false, broken, none);
}

/// The class that the block is of, which is larger than that of the request if it was borrowed.
std::size_t pool_model::class_of(const block& made) const {
    using classes = detail::size_classes;
    const std::size_t bytes = std::max<std::size_t>(made.bytes, 1);
    const std::size_t rounded = (bytes + made.alignment - 1) / made.alignment * made.alignment;
    if (is_guarded_ || made.alignment > classes::granule || rounded > largest_linear ||
        classes::block_size(classes::of(rounded)) > pool_.options().largest_required_pool_block)
        return in_use_.size();
    return classes::of(made.usable) - std::size_t{1};
}

/// All of a small block; of a large one both ends, where a neighbour or the pool would write.
void pool_model::fill(const block& made) {
    constexpr std::size_t edge = 256;
    std::size_t at = 0;
    for (; at + unit <= made.bytes; at += unit) {
        if (at == edge && made.bytes > 2 * edge)
            at = (made.bytes - edge) / unit * unit;
        std::memcpy(made.begin + at, &made.pattern, unit);
    }
    std::memcpy(made.begin + at, &made.pattern, made.bytes - at);
}

bool pool_model::is_intact(const block& filled) {
    constexpr std::size_t edge = 256;
    std::size_t at = 0;
    for (; at + unit <= filled.bytes; at += unit) {
        if (at == edge && filled.bytes > 2 * edge)
            at = (filled.bytes - edge) / unit * unit;
        if (std::memcmp(filled.begin + at, &filled.pattern, unit) != 0)
            return false;
    }
    return std::memcmp(filled.begin + at, &filled.pattern, filled.bytes - at) == 0;
}

} // namespace resident::test
