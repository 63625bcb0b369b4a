#include "os/pages_to_populate.hpp"

#include "os/kernel.hpp"
#include "os/pagemap.hpp"

namespace resident::os {

std::size_t bytes_to_populate(std::size_t address, std::size_t bytes) noexcept {
    const pagemap pages;
    if (!pages.status())
        return bytes;
    const std::size_t count = bytes / page_size();
    std::size_t settled = 0;
    const auto settles = [&settled](std::size_t, pagemap_entry entry) noexcept {
        constexpr pagemap_entry both = entry_is_present | entry_is_mapped_here_alone;
        if ((entry & both) == both)
            ++settled;
    };
    // Entries that cannot be read count as pages to populate: too much rather than too little.
    static_cast<void>(pages.visit_entries(address / page_size(), count, settles));
    return (count - settled) * page_size();
}

} // namespace resident::os
