#include "arena/chunk.hpp"
#include "os/mappings.hpp"

#include <atomic>

namespace resident::detail {

namespace {

/// Writes to one word of the page without changing it, whatever other threads write there.
#if defined(__clang__) || defined(__GNUC__)
__attribute__((no_sanitize("thread", "address")))
#endif
void
write_unchanged(std::byte* page) noexcept {
#if defined(__x86_64__) || defined(__i386__)
    // Not an atomic_ref: the owner of the memory may use plain accesses, which tools would report.
    asm volatile("lock orl $0, %0" : "+m"(*reinterpret_cast<std::uint32_t*>(page)));
#else
    std::atomic_ref(*reinterpret_cast<std::uint32_t*>(page)).fetch_or(0, std::memory_order_relaxed);
#endif
}

std::uint64_t faults_now() noexcept {
    os::fault_counts counts;
    (void)os::system().count_faults(os::fault_scope::thread, counts);
    return counts.minor + counts.major;
}

} // namespace

os::outcome prove_resident(std::byte* begin, std::size_t bytes, bool locked,
                           arena_proof& proof) noexcept {
    os::mapping_summary summary;
    const os::outcome read = os::summarize_mappings(begin, bytes, summary);
    if (!read)
        return read;
    const std::uint64_t before = faults_now();
    for (std::size_t offset = 0; offset < bytes; offset += os::page_size())
        write_unchanged(begin + offset);
    proof.write_faults = faults_now() - before;
    proof.size = summary.size;
    proof.rss = summary.rss;
    proof.locked = summary.locked;
    proof.huge = summary.huge;
    proof.resident = summary.size >= bytes && proof.rss == summary.size &&
                     (!locked || proof.locked == summary.size) && proof.write_faults == 0;
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
