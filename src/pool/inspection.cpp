#include "pool/annotations.hpp"
#include "pool/pool_checks.hpp"

namespace resident::detail {

namespace {

constexpr const char* giving_back = "giving memory back to the arena";
constexpr unsigned most_named = 5; ///< blocks in a report of leaks

} // namespace

void pool_state::hide_free_slab(std::uint32_t first) noexcept {
    pool_checks(*this).hide_free_slab(first);
}

void pool_state::inspect_before_giving_back(std::uint32_t first) noexcept {
    pool_checks(*this).before_giving_back(first);
}

void pool_state::report_leaks() noexcept { pool_checks(*this).report_leaks(); }

void pool_checks::hide_free_slab(std::uint32_t first) noexcept {
    const granule_record& slab = pool_.record(first);
    const std::size_t size = slab_geometries[slab.size_class].block_size;
    for (std::uint32_t number = 0; full_ && number < slab.carved; ++number)
        guarded_block(pool_.address(first) + number * size, size, {}).end_use();
    annotate_hidden(pool_.address(first), slab.length() * size_classes::granule);
}

void pool_checks::before_giving_back(std::uint32_t first) noexcept {
    const granule_record& run = pool_.record(first);
    std::byte* const begin = pool_.address(first);
    const std::size_t bytes = run.length() * size_classes::granule;
    if (full_) {
        annotate_opened(begin, bytes);
        const std::size_t size = place_at(first, begin).extent;
        for (std::uint32_t number = 0; number < run.carved; ++number)
            inspect(place_at(first, begin + number * size));
    }
    annotate_given_back(begin, bytes);
}

/// Requires: check_level::full, and the block is opened.
void pool_checks::inspect(const block_place& at) noexcept {
    const guarded_block block = guarded(at);
    if (block.state() == guarded_block::condition::in_use)
        check_canaries({.name = giving_back}, at, block);
    else
        check_free({.name = giving_back}, at, block);
}

void pool_checks::report_leaks() noexcept {
    if (!full_)
        return;
    leaks found;
    const std::uint32_t own_run = pool_.first_granule_at(&pool_);
    constexpr std::uint32_t none = pool_state::none;
    for (std::uint32_t first = pool_.runs_.next_owned(pool_.owner_, none); first != none;
         first = pool_.runs_.next_owned(pool_.owner_, first))
        if (first != own_run)
            add_leaks(first, found);
    if (found.blocks == 0)
        return;
    misuse_text text;
    add_call(text, pool_.source_.name(), {.name = "destruction"});
    text.add("%zu blocks of %zu bytes in all were not freed: %s%s", found.blocks, found.bytes,
             found.named.get(), found.blocks > most_named ? ", ..." : "");
    report_misuse(misuse_kind::leak, found.first, nullptr, found.bytes, text);
}

void pool_checks::add_leaks(std::uint32_t first, leaks& found) noexcept {
    std::byte* const begin = pool_.address(first);
    const granule_record& run = pool_.record(first);
    annotate_opened(begin, run.length() * size_classes::granule);
    const std::size_t size = place_at(first, begin).extent;
    for (std::uint32_t number = 0; number < run.carved; ++number) {
        const guarded_block block = guarded(place_at(first, begin + number * size));
        if (block.state() != guarded_block::condition::in_use)
            continue;
        if (found.blocks == 0)
            found.first = block.memory();
        found.bytes += block.request().bytes;
        if (found.blocks++ < most_named)
            found.named.add("%s%p (%zu bytes)", found.blocks > 1 ? ", " : "",
                            static_cast<const void*>(block.memory()), block.request().bytes);
    }
}

bool pool_checks::search(const void* address, block_place& at) const noexcept {
    const std::uint32_t own_run = pool_.first_granule_at(&pool_);
    constexpr std::uint32_t none = pool_state::none;
    for (std::uint32_t first = pool_.runs_.next_owned(pool_.owner_, none); first != none;
         first = pool_.runs_.next_owned(pool_.owner_, first)) {
        const std::size_t behind = pool_.offset(address) - pool_.offset(pool_.address(first));
        if (first == own_run || behind >= pool_.record(first).length() * size_classes::granule)
            continue;
        at = place_at(first, address);
        return true;
    }
    return false;
}

} // namespace resident::detail
