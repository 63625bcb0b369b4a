#include "os/pages_to_populate.hpp"

#include "os/kernel.hpp"
#include "os/pagemap.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace resident::os {
namespace {

// Documentation/admin-guide/mm/pagemap.rst: one entry of 64 bits a page.
constexpr std::uint64_t present = std::uint64_t{1} << 63;
constexpr std::uint64_t mapped_here_alone = std::uint64_t{1} << 56;
static_assert(sizeof(std::uint64_t) == 8);

} // namespace

std::size_t bytes_to_populate(std::size_t address, std::size_t bytes) noexcept {
    const outcome file = system().open_file(pagemap_path);
    if (!file)
        return bytes;
    const int descriptor = static_cast<int>(file.value());
    const std::size_t pages = bytes / page_size();
    const std::size_t first = address / page_size();
    std::size_t settled = 0;
    std::array<std::uint64_t, 512> entries{};
    for (std::size_t page = 0; page < pages;) {
        const std::size_t wanted = std::min(entries.size(), pages - page);
        const outcome read = system().read_file_at(
            descriptor, {reinterpret_cast<char*>(entries.data()), wanted * sizeof entries[0]},
            static_cast<off_t>((first + page) * sizeof entries[0]));
        if (!read || read.value() < sizeof entries[0])
            break;
        const std::size_t got = read.value() / sizeof entries[0];
        settled += static_cast<std::size_t>(std::count_if(
            entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(got),
            [](std::uint64_t entry) { return (entry & present) && (entry & mapped_here_alone); }));
        page += got;
    }
    (void)system().close_file(descriptor);
    return (pages - settled) * page_size();
}

} // namespace resident::os
