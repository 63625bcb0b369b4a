#include "os/harness/loaded_objects.hpp"

#include <span>
#include <utility>

#include <link.h>

namespace resident::os {
namespace {

int lock_writable_segments(dl_phdr_info* object, std::size_t, void* context) {
    auto& locks = *static_cast<std::vector<page_lock>*>(context);
    for (const ElfW(Phdr) & segment : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0)
            continue;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as integers
        const void* begin = reinterpret_cast<const void*>(object->dlpi_addr + segment.p_vaddr);
        result<page_lock> lock = page_lock::create(begin, segment.p_memsz);
        if (lock)
            locks.push_back(std::move(*lock));
    }
    return 0;
}

} // namespace

std::vector<page_lock> lock_static_data() {
    std::vector<page_lock> locks;
    ::dl_iterate_phdr(lock_writable_segments, &locks);
    return locks;
}

} // namespace resident::os
