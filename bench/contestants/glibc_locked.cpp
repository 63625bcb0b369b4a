#include "contestants/glibc_locked.hpp"

#include "resident/prepare.hpp"

#include <cstdlib>

namespace resident::bench {

std::string glibc_locked::prepare_process() {
    const auto prepared = resident::prepare_process({.keep_malloc_memory = true,
                                                     .single_malloc_arena = false,
                                                     .lock_all = {.current = true, .future = true},
                                                     .lock_code = false});
    if (!prepared) {
        return prepared.error().what();
    }
    void* volatile const heap = std::malloc(heap_bytes); // populated by the lock, not trimmed after
    std::free(heap);
    return heap == nullptr ? "malloc does not get its heap under the memlock limit" : "";
}

} // namespace resident::bench
