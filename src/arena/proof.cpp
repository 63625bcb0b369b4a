#include "arena/chunk.hpp"
#include "os/mappings.hpp"
#include "os/sanitizers.hpp"

#include <atomic>

namespace resident::detail {

namespace {

/// Writes to one word of each page without changing it, whatever other threads write there.
/// Out of ThreadSanitizer's sight, calls included: it would write a trace, whose pages fault.
__attribute__((noinline, no_sanitize("thread"), no_sanitize("address"))) void
write_unchanged(std::byte* begin, std::size_t bytes, std::size_t page) noexcept {
    for (std::size_t offset = 0; offset < bytes; offset += page) {
        auto& word = *reinterpret_cast<std::uint32_t*>(begin + offset);
#if defined(__x86_64__) || defined(__i386__)
        // Not an atomic_ref: the owner of the memory may use plain accesses, which tools report.
        asm volatile("lock orl $0, %0" : "+m"(word));
#else
        std::atomic_ref(word).fetch_or(0, std::memory_order_relaxed);
#endif
    }
}

/// What the runtime of ThreadSanitizer may add to a pass from under the two readings. Memory that
/// is not resident, or does not stay so, makes more: a fault a page.
constexpr std::uint64_t faults_of_the_runtime = os::thread_sanitized ? 8 : 0;

} // namespace

os::outcome count_write_faults(std::byte* begin, std::size_t bytes,
                               std::uint64_t& faults) noexcept {
    os::kernel& kernel = os::system();
    const std::size_t page = os::page_size();
    os::fault_counts before;
    os::fault_counts after;
    const os::outcome started = kernel.count_faults(os::fault_scope::thread, before);
    if (!started)
        return started;
    write_unchanged(begin, bytes, page);
    const os::outcome ended = kernel.count_faults(os::fault_scope::thread, after);
    const std::uint64_t counted = after.minor - before.minor + after.major - before.major;
    faults = counted > faults_of_the_runtime ? counted : 0;
    return ended;
}

os::outcome prove_resident(std::byte* begin, std::size_t bytes, bool locked,
                           arena_proof& proof) noexcept {
    // A page that the kernel moves just now (compaction) is one fault, and so is each copy due
    // after a fork: they tell of the past. The last pass tells of now.
    constexpr int passes = 3;
    std::uint64_t faults = 1;
    for (int pass = 0; pass < passes && faults != 0; ++pass) {
        const os::outcome counted = count_write_faults(begin, bytes, faults);
        if (!counted)
            return counted;
        proof.write_faults += faults;
    }
    os::mapping_summary summary;
    const os::outcome read = os::summarize_mappings(begin, bytes, summary);
    if (!read)
        return read;
    proof.size = summary.size;
    proof.rss = summary.rss;
    proof.locked = summary.locked;
    proof.huge = summary.huge;
    proof.resident = faults == 0 && summary.size >= bytes && proof.rss == summary.size &&
                     (!locked || proof.locked == summary.size);
    return os::outcome::success();
}

arena_proof operator+(const arena_proof& left, const arena_proof& right) noexcept {
    return {.resident = left.resident && right.resident,
            .size = left.size + right.size,
            .rss = left.rss + right.rss,
            .locked = left.locked + right.locked,
            .huge = left.huge + right.huge,
            .write_faults = left.write_faults + right.write_faults};
}

} // namespace resident::detail
