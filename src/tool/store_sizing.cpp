#include "tool/store_sizing.hpp"

#include "resident/arena.hpp"
#include "resident/footprint.hpp"
#include "resident/size_literals.hpp"
#include "tool/record_store.hpp"

#include <algorithm>
#include <new>

namespace resident::tool {
namespace {

/// What the row with two threads takes beside its records: two lanes, and slabs used by parts.
/// Another quarter is left to it because what the second thread frees comes back out of order.
constexpr std::size_t for_lanes = 256_KiB;

/// Fills a store, then takes the whole input through it once more.
void keep_records(const record_view& input, std::size_t records,
                  std::pmr::memory_resource& memory) {
    record_store<pmr_containers> store(input, records, memory);
    const std::size_t whole_pass = records + input.size();
    for (std::size_t arrival = 0; arrival < whole_pass; ++arrival)
        store.take_next();
}

/// Grows with what the records need; the first guess of records_that_fit.
std::size_t bytes_per_record(const record_view& input) {
    const std::size_t sample = std::min<std::size_t>(input.size(), 512);
    const footprint_report taken =
        footprint([&](std::pmr::memory_resource* memory) { keep_records(input, sample, *memory); },
                  {.run_once = true});
    return std::max<std::size_t>(taken.peak_in_use / sample, 64);
}

bool fits(const record_view& input, std::size_t records, arena& memory) {
    unsynchronized_pool_resource pool(memory);
    try {
        keep_records(input, records, pool);
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

} // namespace

std::size_t records_that_fit(const record_view& input, std::size_t capacity) {
    const std::size_t usable = (capacity - std::min(capacity, for_lanes)) / 4 * 3 /
                               arena::granule_size * arena::granule_size;
    if (usable == 0)
        return 0;
    arena memory({.capacity = usable,
                  .pages = page_kind::base,
                  .lock = lock_policy::off,
                  .name = "resident demo"});
    std::size_t fitting = 0;
    std::size_t next = usable / bytes_per_record(input) + 1;
    std::size_t too_many = 0; // not known yet
    while (too_many == 0 || too_many - fitting > fitting / 32 + 1) {
        if (fits(input, next, memory)) {
            fitting = next;
            next = too_many == 0 ? next + next / 16 + 1 : fitting + (too_many - fitting) / 2;
        } else {
            too_many = next;
            next = fitting == 0 ? next - next / 16 - 1 : fitting + (too_many - fitting) / 2;
        }
        if (next == 0)
            return 0;
    }
    return fitting;
}

} // namespace resident::tool
