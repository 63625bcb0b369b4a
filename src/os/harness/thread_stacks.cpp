#include "os/harness/thread_stacks.hpp"

#include "os/headroom.hpp"
#include "os/kernel.hpp"
#include "os/kernel_constants.hpp"

namespace resident::os {
namespace {

constexpr const char* subject = "stacks of threads";

} // namespace

thread_stacks::thread_stacks(std::size_t count) {
    if (count == 0)
        return;
    if (const auto refused = check_populate_headroom(count * populated_each); refused.refused)
        raise(make_refusal_error(refused, subject));
    const std::size_t bytes = count * bytes_each;
    const outcome mapped = system().map(nullptr, bytes, read_write, reserve_flags);
    if (!mapped)
        raise(make_error(operation::reserve, mapped.error_number(), bytes, subject));
    memory_ = {reinterpret_cast<std::byte*>(mapped.value()), bytes}; // NOLINT: what mmap gave
    // A huge page would populate the rest; where there are none, nothing is to be advised.
    (void)system().advise(memory_.data(), bytes, no_huge_page_advice);
    (void)system().name_mapping(memory_.data(), bytes, subject);
    for (std::size_t index = 0; index < count; ++index) {
        volatile std::byte* const upper =
            (*this)[index].subspan(bytes_each - populated_each).data();
        for (std::size_t place = 0; place < populated_each; place += page_size())
            upper[place] = std::byte{0};
    }
}

thread_stacks::~thread_stacks() {
    if (!memory_.empty())
        (void)system().unmap(memory_.data(), memory_.size());
}

} // namespace resident::os
