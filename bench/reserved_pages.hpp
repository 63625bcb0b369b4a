/// Huge pages of the administrator's pool, for the time of one measurement.
#pragma once

#include "os/harness/periodic_clock.hpp"
#include "os/harness/system_setting.hpp"
#include "os/harness/terminal.hpp"
#include "os/huge_page_pool.hpp"
#include "start_up_child.hpp"
#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include <unistd.h>

namespace resident::bench {

/// Enough huge pages for one child, given back when the object goes, or the process does.
class reserved_pages {
public:
    /// Throws: refusal.
    reserved_pages(const start_up_way& way, std::size_t bytes) {
        const std::size_t page = way.reserved_page;
        if (bytes < page) {
            throw refusal{"size", "less than one such page"};
        }
        const std::uint64_t wanted = bytes / page;
        const os::huge_page_pool before = os::read_huge_page_pool(page);
        if (before.usable() >= wanted) {
            return;
        }
        std::array<char, 128> path{};
        os::text_builder text{path};
        os::append_pool_path(page, text);
        if (access(path.data(), F_OK) != 0) {
            throw refusal{"pool",
                          fmt::format("this machine has no pages of {}", tool::short_size(page))};
        }
        if (!os::is_root()) {
            throw refusal{"root", fmt::format("none are reserved, and only root may do that: write "
                                              "their number to {}",
                                              path.data())};
        }
        const std::int64_t begin = os::monotonic_nanoseconds();
        std::string reason;
        setting_ = os::system_setting::change(
            path.data(), std::to_string(before.total + wanted - before.usable()), reason);
        nanoseconds_ = os::monotonic_nanoseconds() - begin;
        if (setting_ == nullptr) {
            throw refusal{"reserve", reason};
        }
        if (const std::uint64_t now = os::read_huge_page_pool(page).usable(); now < wanted) {
            throw refusal{"fragmentation",
                          fmt::format("the kernel could reserve {} of {} pages: memory is too "
                                      "fragmented, or too little",
                                      now, wanted)};
        }
    }

    /// What reserving took; none if there were enough.
    [[nodiscard]] std::optional<double> milliseconds() const {
        return setting_ == nullptr ? std::nullopt
                                   : std::optional{static_cast<double>(nanoseconds_) / 1e6};
    }

private:
    std::unique_ptr<os::system_setting> setting_;
    std::int64_t nanoseconds_ = 0;
};

} // namespace resident::bench
