#include "tool/store_sizing.hpp"

#include "resident/arena.hpp"
#include "tool/record_store.hpp"

#include <algorithm>
#include <cstdint>

namespace resident::tool {
namespace {

/// Counts what passes through, as an arena would.
class granule_meter final : public std::pmr::memory_resource {
public:
    [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

private:
    static std::size_t in_granules(std::size_t bytes) {
        return (bytes + arena::granule_size - 1) / arena::granule_size * arena::granule_size;
    }
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        in_use_ += in_granules(bytes);
        peak_ = std::max(peak_, in_use_);
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* memory, std::size_t bytes, std::size_t alignment) override {
        in_use_ -= in_granules(bytes);
        std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::size_t in_use_ = 0;
    std::size_t peak_ = 0;
};

/// Grows with what the records need; the first guess of records_that_fit.
std::size_t bytes_per_record(const record_view& input) {
    const std::size_t sample = std::min<std::size_t>(input.size(), 512);
    return std::max<std::size_t>(peak_need(input, sample) / sample, 64);
}

} // namespace

std::pmr::pool_options demo_pool_options() noexcept {
    return {.max_blocks_per_chunk = 256, .largest_required_pool_block = 4096};
}

std::size_t peak_need(const record_view& input, std::size_t records) {
    granule_meter meter;
    std::pmr::unsynchronized_pool_resource pool(demo_pool_options(), &meter);
    record_store store(input, records, pool);
    const std::size_t whole_pass = records + input.size();
    for (std::size_t arrival = 0; arrival < whole_pass; ++arrival)
        store.take_next();
    return meter.peak();
}

std::size_t records_that_fit(const record_view& input, std::size_t capacity) {
    const std::size_t usable = capacity / 8 * 7;
    std::size_t records = usable / bytes_per_record(input) + 1;
    // Measured, not reckoned: what a pool takes is not proportional to what it holds.
    for (int correction = 0; correction < 4; ++correction) {
        const std::size_t need = peak_need(input, records);
        if (need > usable / 32 * 31 && need <= usable)
            return records;
        const double ratio = static_cast<double>(usable) / static_cast<double>(need);
        records = std::max<std::size_t>(
            static_cast<std::size_t>(static_cast<double>(records) * ratio * 0.99), 1);
    }
    while (records > 0 && peak_need(input, records) > usable)
        records = records * 31 / 32;
    return records;
}

} // namespace resident::tool
