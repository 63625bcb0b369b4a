#include "recorder/recording.hpp"

#include "recorder/interruption.hpp"
#include "recorder/trace_names.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" char** environ; // NOLINT(readability-redundant-declaration): of <unistd.h>

namespace resident::recorder {

thread_local constinit thread_state this_thread_state;

namespace {

using stage = recording::stage;
using trace::block_header;
using trace::file_header;

/// Before there is one, and where there can be none.
constinit recording no_recording{};
/// Of FILE itself; also in forked children, to count there what cannot be recorded at all.
file_header* first_header = nullptr;
trace_names names;

void append_only(thread_state& thread, trace::record_kind kind) noexcept {
    const std::uint64_t number = recorded_call::take_number();
    if (!thread.encoder.has_room() && !replenish(thread, number))
        return;
    thread.encoder.append({.kind = kind, .number = number, .last_number = number});
    __atomic_store_n(&thread.block->records, thread.block->records + 1, __ATOMIC_RELEASE);
}

/// No more is recorded: the calls from now on are counted.
void stop(int reason) noexcept {
    std::uint64_t none = 0;
    __atomic_compare_exchange_n(&current->header->stop_error, &none,
                                static_cast<std::uint64_t>(reason), false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    current->session.store(0);
    current->at.store(stage::stopped);
}

/// The first one says so at once; FILE tells of all.
void count_unrecorded_process(int reason) noexcept {
    if (first_header == nullptr)
        return names.complain(reason);
    std::uint64_t none = 0;
    __atomic_compare_exchange_n(&first_header->unrecorded_process_error, &none,
                                static_cast<std::uint64_t>(reason), false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    if (__atomic_fetch_add(&first_header->unrecorded_processes, 1, __ATOMIC_RELAXED) == 0)
        names.complain(reason);
}

/// Gives the file its header, but for the magic that makes it a trace: that comes last.
void describe(file_header& header, const os::recorded_process& process) noexcept {
    header.byte_order = trace::byte_order_mark;
    header.version = trace::format_version;
    header.header_bytes = trace::file_header_bytes;
    header.parent_process = process.parent;
    header.started = process.now;
    if (header.session == 0)
        header.session = first_header != nullptr ? first_header->session : process.now;
    header.command_bytes = static_cast<std::uint32_t>(
        os::copy_arguments(header.command.data(), header.command.size()));
    __atomic_store_n(&header.process, process.process, __ATOMIC_RELEASE);
    std::memcpy(header.magic.data(), trace::file_magic.data(), header.magic.size());
}

int map_header(os::recording_file& file, file_header*& header) noexcept {
    void* address = nullptr;
    const int failure = file.map(0, trace::file_header_bytes, address);
    header = static_cast<file_header*>(address);
    return failure;
}

/// FILE, which the command made, is whose who comes first. Returns: whether it is this process's.
bool claim_first(recording& to, const os::recorded_process& process) noexcept {
    if (first_header == nullptr) {
        if (to.file.open(names.first(), false) == ENOENT && to.file.open(names.first(), true) == 0)
            to.file.reserve(0, trace::file_header_bytes); // without the command: by hand
        if (to.file.bytes() >= trace::file_header_bytes && map_header(to.file, to.header) == 0)
            first_header = to.header;
        std::uint64_t nobody = 0;
        if (first_header != nullptr &&
            __atomic_compare_exchange_n(&first_header->process, &nobody, process.process, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            describe(*first_header, process);
            return true;
        }
        to.file.close();
    }
    to.header = nullptr;
    return false;
}

/// A file for this process alone. Returns: 0, or the errno.
int create_own(recording& to, const os::recorded_process& process) noexcept {
    int failure = EEXIST;
    const char* path = names.of(process.process, 1);
    for (unsigned image = 2; failure == EEXIST && path != nullptr; ++image) {
        failure = to.file.open(path, true);
        if (failure == EEXIST)
            path = names.of(process.process, image);
    }
    if (failure == 0)
        failure = to.file.reserve(0, trace::file_header_bytes);
    if (failure == 0)
        failure = map_header(to.file, to.header);
    if (failure == 0)
        describe(*to.header, process);
    return failure;
}

/// By one thread of the process. Others wait: it is some system calls.
void begin(recording& to) noexcept {
    stage none = stage::none;
    if (!to.at.compare_exchange_strong(none, stage::beginning)) {
        while (to.at.load() == stage::beginning)
            os::let_others_run();
        return;
    }
    const os::recorded_process process = os::this_process();
    if (!claim_first(to, process)) {
        if (const int failure = create_own(to, process); failure != 0) {
            count_unrecorded_process(failure);
            to.file.close();
            to.at.store(stage::off);
            return;
        }
    }
    to.file_bytes.store(trace::file_header_bytes);
    to.next_number.store(0);           // a call that the parent had begun may have taken one
    to.session.store(process.now | 1); // a process's id may come again, in another namespace
    to.at.store(stage::going_on);
}

/// The thread's first call of this recording. Requires: signals are held.
bool attach(thread_state& thread) noexcept {
    if (thread.session == current->session.load())
        return true;    // by a signal handler, just before
    drop_block(thread); // a forked child's view of its parent's
    thread.ended = false;
    thread.block_bytes = 0;
    thread.number = current->threads.fetch_add(1);
    os::hook_this_thread();
    thread.session = current->session.load();
    if (!replenish(thread, current->next_number.load()))
        return false;
    append_only(thread, trace::record_kind::thread_begin);
    return true;
}

void note_thread_end() noexcept {
    const os::held_signals held;
    thread_state& thread = this_thread_state;
    if (thread.busy != occupation::nothing)
        recover(thread); // the thread has ended amid a call, from a signal handler
    if (thread.session != current->session.load() || thread.ended)
        return;
    thread.busy = occupation::joining;
    append_only(thread, trace::record_kind::thread_end);
    thread.ended = true;
    drop_block(thread);
    thread.busy = occupation::nothing;
}

void note_exit(int status, void*) noexcept {
    if (current->session.load() == 0 || current->header == nullptr)
        return;
    current->header->end_value = static_cast<std::uint32_t>(status) & 0xFF;
    __atomic_store_n(&current->header->end, 1U, __ATOMIC_RELEASE);
}

} // namespace

recording* current = &no_recording;

void set_up() noexcept {
    if (current != &no_recording || no_recording.at.load() == stage::off)
        return;
    if (environ == nullptr)
        return; // the loader allocates before the C library is there
    auto* const made = names.read_environment()
                           ? static_cast<recording*>(os::map_wiped_on_fork(sizeof(recording)))
                           : nullptr;
    if (made == nullptr || !os::hook_thread_ends(note_thread_end) ||
        !os::hook_forked_children(note_forked)) {
        no_recording.at.store(stage::off);
        return;
    }
    os::remember_standard_error();
    current = made;
    ::on_exit(note_exit, nullptr);
}

bool join(thread_state& thread, const void* caller, std::uintptr_t frame) noexcept {
    if (thread.busy != occupation::nothing && !may_interrupt(thread, caller, frame))
        return false;
    const stage at = current->at.load();
    if (at == stage::off || at == stage::stopped) {
        miss();
        return false;
    }
    const os::held_signals held;
    const occupation before = thread.busy;
    thread.busy = occupation::joining;
    set_up();
    if (current->at.load() <= stage::beginning && current != &no_recording)
        begin(*current);
    const bool joined = current->session.load() != 0 && attach(thread);
    if (!joined)
        miss();
    thread.busy = before;
    return joined;
}

void miss() noexcept {
    if (current->at.load() == stage::stopped)
        __atomic_fetch_add(&current->header->unrecorded_calls, 1, __ATOMIC_RELAXED);
}

void count_missing_call() noexcept {
    // A child forked amid a record has no trace yet: nothing can be begun before that is written.
    file_header* const header = current->header != nullptr ? current->header : first_header;
    if (header != nullptr)
        __atomic_fetch_add(&header->unrecorded_calls, 1, __ATOMIC_RELAXED);
}

void drop_block(thread_state& thread) noexcept {
    block_header* const block = thread.block;
    thread.block = nullptr;
    thread.encoder = {};
    if (block != nullptr)
        os::unmap(block, thread.block_bytes);
}

bool replenish(thread_state& thread, std::uint64_t first_number) noexcept {
    const os::held_signals held;
    if (thread.session != current->session.load())
        return false;
    const std::uint32_t before = thread.block_bytes;
    drop_block(thread);
    thread.block_bytes = before == 0 || thread.ended        ? trace::first_block_bytes
                         : before < trace::full_block_bytes ? 2 * before
                                                            : before;
    const std::uint64_t offset = current->file_bytes.fetch_add(thread.block_bytes);
    void* address = nullptr;
    int failure = current->file.reserve(offset, thread.block_bytes);
    if (failure == 0)
        failure = current->file.map(offset, thread.block_bytes, address);
    if (failure != 0) {
        thread.session = ~std::uint64_t{0};
        stop(failure);
        return false;
    }
    thread.block = static_cast<block_header*>(address);
    thread.block->thread = thread.number;
    thread.block->block_bytes = thread.block_bytes;
    thread.block->first_number = first_number;
    thread.block->system_thread = os::this_thread();
    __atomic_store_n(&thread.block->magic, trace::block_magic, __ATOMIC_RELEASE);
    thread.encoder = trace::record_encoder(reinterpret_cast<unsigned char*>(thread.block + 1),
                                           thread.block_bytes - sizeof(block_header), first_number);
    return true;
}

} // namespace resident::recorder
