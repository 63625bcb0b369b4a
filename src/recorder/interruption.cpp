#include "recorder/interruption.hpp"

#include "recorder/next_allocator.hpp"

namespace resident::recorder {
namespace {

/// Less than the kernel puts on a stack before a handler runs there.
constexpr std::uintptr_t least_signal_frame = 512;

/// Whether the thread's call was left by longjmp: the stack is used again from where it was, or
/// above, and that is not the alternate stack.
bool is_left(const thread_state& thread, std::uintptr_t frame) noexcept {
    return frame + least_signal_frame >= thread.frame && !os::on_signal_stack();
}

} // namespace

bool may_interrupt(thread_state& thread, const void* caller, std::uintptr_t frame) noexcept {
    if (thread.busy == occupation::joining)
        return false;
    if (thread.busy != occupation::appending && frame < thread.frame && is_next_allocator(caller))
        return false;
    if (is_left(thread, frame)) {
        recover(thread);
    } else if (thread.busy != occupation::calling) {
        count_missing_call();
        return false;
    }
    return true;
}

void recover(thread_state& thread) noexcept {
    const os::held_signals held;
    // In a forked child the call was its parent's, and so is the block.
    if (thread.busy != occupation::calling && thread.session == current->session.load()) {
        count_missing_call();
        thread.encoder.take_back();
        thread.block = nullptr; // still mapped: who switches stacks may yet go on with the call
        replenish(thread, current->next_number.load());
    }
    thread.busy = occupation::nothing;
}

/// A child that is forked amid a record goes on to write it: into memory of its own, and not into
/// its parent's trace.
void note_forked() noexcept {
    const thread_state& thread = this_thread_state;
    if (thread.busy == occupation::appending && thread.block != nullptr)
        os::map_own_memory_over(thread.block, thread.block_bytes);
}

} // namespace resident::recorder
