#include "os/mappings.hpp"

#include "os/system_file.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

namespace resident::os {
namespace {

struct address_range {
    std::uintptr_t begin;
    std::uintptr_t end;

    address_range(const void* address, std::size_t bytes) noexcept
        : begin(reinterpret_cast<std::uintptr_t>(address)),
          end(begin + std::min(bytes, std::numeric_limits<std::uintptr_t>::max() - begin)) {}

    [[nodiscard]] std::size_t common_with(const mapping& other) const noexcept {
        const std::uintptr_t first = std::max(begin, other.begin);
        const std::uintptr_t last = std::min(end, other.end);
        return first < last ? last - first : 0;
    }
};

/// What smaps says of one mapping.
struct smaps_entry {
    mapping where;
    std::size_t rss = 0;
    std::size_t pss = 0;
    std::size_t locked = 0;
    std::size_t anonymous_huge = 0;
    std::size_t reserved_huge = 0;
    std::size_t swap = 0;
    std::size_t kernel_page_size = 0;
    bool has_flags = false; // VmFlags, Linux 3.8
    bool is_reserved_huge = false;
    bool excluded_from_fork = false;
    bool wiped_on_fork = false;
    bool excluded_from_dump = false;
};

void parse_flags(std::string_view flags, smaps_entry& entry) noexcept {
    entry.has_flags = true;
    for (std::string_view flag = take_word(flags); !flag.empty(); flag = take_word(flags)) {
        if (flag == "lo")
            entry.where.locked = true;
        if (flag == "ht")
            entry.is_reserved_huge = true;
        if (flag == "dc")
            entry.excluded_from_fork = true;
        if (flag == "wf")
            entry.wiped_on_fork = true;
        if (flag == "dd")
            entry.excluded_from_dump = true;
    }
}

void parse_field(std::string_view line, smaps_entry& entry) noexcept {
    constexpr std::string_view flags = "VmFlags:";
    if (line.starts_with(flags))
        return parse_flags(line.substr(flags.size()), entry);
    const auto add = [line](std::string_view key, std::size_t& sum) {
        if (const auto number = field_value(line, key))
            sum += static_cast<std::size_t>(*number);
    };
    add("Rss", entry.rss);
    add("Pss", entry.pss);
    add("Locked", entry.locked);
    add("AnonHugePages", entry.anonymous_huge);
    add("Private_Hugetlb", entry.reserved_huge);
    add("Shared_Hugetlb", entry.reserved_huge);
    add("Swap", entry.swap);
    add("KernelPageSize", entry.kernel_page_size);
}

/// Settles what needs the whole entry.
void complete(smaps_entry& entry) noexcept {
    entry.is_reserved_huge = entry.is_reserved_huge || entry.reserved_huge != 0;
    if (!entry.has_flags)
        entry.where.locked = entry.locked != 0;
    if (entry.is_reserved_huge) {
        // The kernel leaves them out of Rss and Locked; they never leave RAM.
        entry.rss = entry.reserved_huge;
        entry.locked = entry.reserved_huge;
    } else if (entry.where.locked && entry.locked == entry.pss) {
        entry.locked = entry.rss; // all of this process's share is locked, hence all of it
    }
}

/// Calls `visit` for each entry of smaps, or header of maps, that intersects the range; stops when
/// it returns false, and behind the range: mappings come in order of address.
template <class Visit>
outcome for_each_entry(const char* path, const address_range& range, Visit visit) noexcept {
    line_reader file(path);
    std::string_view line;
    std::optional<smaps_entry> entry;
    const auto finish = [&] {
        if (!entry || range.common_with(entry->where) == 0)
            return true;
        complete(*entry);
        return visit(*entry);
    };
    while (file.next(line)) {
        const auto header = parse_mapping(line);
        if (!header) {
            if (entry)
                parse_field(line, *entry);
            continue;
        }
        if (!finish())
            return outcome::success();
        entry.emplace().where = *header;
        if (header->begin >= range.end)
            return outcome::success();
    }
    if (file.status())
        finish();
    return file.status();
}

void accumulate(const smaps_entry& entry, const address_range& range,
                mapping_summary& summary) noexcept {
    const std::size_t size = entry.where.end - entry.where.begin;
    summary.size += size;
    summary.beyond += size - range.common_with(entry.where);
    summary.rss += entry.rss;
    summary.locked += entry.locked;
    summary.huge += entry.anonymous_huge + entry.reserved_huge;
    summary.swap += entry.swap;
    summary.kernel_page_size = entry.kernel_page_size;
    summary.all_locked_flag &= entry.where.locked || entry.is_reserved_huge;
    summary.all_excluded_from_fork &= entry.excluded_from_fork;
    summary.all_wiped_on_fork &= entry.wiped_on_fork;
    summary.all_excluded_from_dump &= entry.excluded_from_dump;
    ++summary.mappings;
}

} // namespace

std::optional<mapping> parse_mapping(std::string_view line) noexcept {
    const auto begin = take_hexadecimal(line);
    if (!begin || !line.starts_with('-'))
        return std::nullopt;
    line.remove_prefix(1);
    const auto end = take_hexadecimal(line);
    if (!end || !line.starts_with(' ') || *end <= *begin)
        return std::nullopt;
    const std::string_view access = take_word(line);
    if (access.size() < 3)
        return std::nullopt;
    std::string_view offset = take_word(line);
    take_word(line); // the device
    return mapping{.begin = static_cast<std::uintptr_t>(*begin),
                   .end = static_cast<std::uintptr_t>(*end),
                   .readable = access[0] == 'r',
                   .writable = access[1] == 'w',
                   .executable = access[2] == 'x',
                   .file_offset = take_hexadecimal(offset).value_or(0),
                   .inode = take_number(line).value_or(0)};
}

outcome summarize_mappings(const void* address, std::size_t bytes,
                           mapping_summary& summary) noexcept {
    const address_range range(address, bytes);
    summary = {};
    return for_each_entry("/proc/self/smaps", range, [&](const smaps_entry& entry) {
        accumulate(entry, range, summary);
        return true;
    });
}

outcome visit_mappings(const void* address, std::size_t bytes, bool (*visit)(const mapping&, void*),
                       void* context) noexcept {
    return for_each_entry("/proc/self/smaps", address_range(address, bytes),
                          [&](const smaps_entry& entry) { return visit(entry.where, context); });
}

outcome count_mapped(const void* address, std::size_t bytes, std::size_t& mapped) noexcept {
    const address_range range(address, bytes);
    mapped = 0;
    return for_each_entry("/proc/self/maps", range, [&](const smaps_entry& entry) {
        mapped += range.common_with(entry.where);
        return true;
    });
}

outcome count_mappings(std::size_t& mappings) noexcept {
    mappings = 0;
    const address_range everything(nullptr, std::numeric_limits<std::size_t>::max());
    return for_each_entry("/proc/self/maps", everything, [&](const smaps_entry&) {
        ++mappings;
        return true;
    });
}

} // namespace resident::os
