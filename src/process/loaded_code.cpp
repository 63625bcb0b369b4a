#include "process/loaded_code.hpp"

#include "os/headroom.hpp"
#include "os/kernel_constants.hpp"
#include "os/lock_registry.hpp"
#include "os/mappings.hpp"
#include "os/pages_to_populate.hpp"

#include <algorithm>
#include <cstdint>

#include <link.h>

namespace resident::detail {
namespace {

struct progress {
    std::size_t leave_lockable;
    std::size_t locked = 0;
    bool complete = true;
};

struct segment {
    std::uintptr_t begin;
    std::size_t bytes;
};

/// Mapping by mapping, because a part of a writable segment is read-only once it is relocated.
/// Populating by writing where that is possible: reading would leave the copy to the first write.
void populate(const segment& wanted) noexcept {
    const auto visit = [](const os::mapping& met, void* context) {
        const auto& whole = *static_cast<const segment*>(context);
        const std::uintptr_t begin = std::max(met.begin, whole.begin);
        const std::uintptr_t end = std::min(met.end, whole.begin + whole.bytes);
        (void)os::system().advise(reinterpret_cast<void*>(begin), end - begin,
                                  met.writable ? os::populate_write_advice
                                               : os::populate_read_advice);
        return true;
    };
    segment context = wanted;
    (void)os::visit_mappings(reinterpret_cast<const void*>(wanted.begin), wanted.bytes, visit,
                             &context);
}

/// Locked is best; populated means at least no fault at the first use.
void keep_in_ram(const segment& wanted, const char* object, progress& so_far) noexcept {
    const std::size_t lockable = os::lockable(os::read_headroom());
    if (lockable >= so_far.leave_lockable && lockable - so_far.leave_lockable >= wanted.bytes &&
        !os::locked_pages().lock(wanted.begin, wanted.bytes, object).refused) {
        so_far.locked += wanted.bytes;
        return;
    }
    so_far.complete = false;
    if (os::check_populate_headroom(os::bytes_to_populate(wanted.begin, wanted.bytes)).refused)
        return;
    populate(wanted);
}

int visit_object(dl_phdr_info* object, std::size_t, void* context) {
    auto& so_far = *static_cast<progress*>(context);
    const std::string_view name = object->dlpi_name;
    if (name.starts_with("linux-vdso"))
        return 0; // the kernel's own pages: always in RAM, never locked
    const std::uintptr_t page = os::page_size();
    for (std::size_t index = 0; index < object->dlpi_phnum; ++index) {
        const auto& header = object->dlpi_phdr[index];
        if (header.p_type != PT_LOAD || header.p_memsz == 0 || header.p_flags == 0)
            continue;
        const std::uintptr_t first = object->dlpi_addr + header.p_vaddr;
        const std::uintptr_t begin = first / page * page;
        const std::uintptr_t end = (first + header.p_memsz + page - 1) / page * page;
        keep_in_ram({begin, end - begin}, name.empty() ? "the program" : object->dlpi_name, so_far);
    }
    return 0;
}

} // namespace

preparation_step lock_loaded_code(std::string_view name, std::size_t leave_lockable) noexcept {
    progress so_far{leave_lockable};
    ::dl_iterate_phdr(visit_object, &so_far); // begins with the program itself
    return {name, so_far.complete ? preparation_outcome::done : preparation_outcome::done_in_part,
            0, so_far.locked};
}

} // namespace resident::detail
