/// Signal handlers that allocate, fork or jump while the thread is amid a call of the allocator.
///
/// While the next allocator runs, the thread's records are in order: a handler's calls are recorded
/// like others. While a number waits for its record they can only be counted.
#pragma once

#include "recorder/recording.hpp"

namespace resident::recorder {

/// A call at `frame` on the stack that comes while the thread is occupied. Returns: whether it can
/// be recorded. If not it is counted as missing, or it is the next allocator's own.
bool may_interrupt(thread_state& thread, const void* caller, std::uintptr_t frame) noexcept;

/// Makes a thread record again whose call will not be continued, because a handler left it by
/// longjmp or by the end of the thread. Counts it as missing if it was amid its record.
void recover(thread_state& thread) noexcept;

/// In a forked child.
void note_forked() noexcept;

} // namespace resident::recorder
