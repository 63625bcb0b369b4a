/// Swap of one's own, for as long as it is needed.
#pragma once

#include <cstddef>
#include <string>

namespace resident::os {

/// Bytes of swap that are free on this machine now (SwapFree of /proc/meminfo).
[[nodiscard]] std::size_t free_swap();

/// Effects: makes the file `path` of `bytes` and swaps to it. On failure: nothing is left.
/// Returns: empty, or why not (no privilege, a file system that cannot hold swap, no mkswap).
std::string add_swap_file(const std::string& path, std::size_t bytes);

/// Effects: stops swapping to `path`, reading back what is there, and deletes it. Either may have
/// been done before. Returns: whether neither is left.
bool remove_swap_file(const std::string& path);

} // namespace resident::os
