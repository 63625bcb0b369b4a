#include "contestants/confined.hpp"

#include <cstdio>
#include <cstdlib>

namespace resident::bench {

std::span<std::byte> confined_memory() {
    void* const memory = std::aligned_alloc(confined_bytes, confined_bytes);
    if (memory == nullptr) {
        std::fprintf(stderr, "No %zu MiB of memory.\n", confined_bytes >> 20);
        std::exit(1);
    }
    return {static_cast<std::byte*>(memory), confined_bytes};
}

} // namespace resident::bench
