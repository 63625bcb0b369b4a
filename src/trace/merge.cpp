#include "trace/merge.hpp"

#include <algorithm>

namespace resident::trace {
namespace {

std::string joined(const file_header& header) {
    std::string command(header.command.data(), header.command_bytes);
    while (!command.empty() && command.back() == '\0')
        command.pop_back();
    std::replace(command.begin(), command.end(), '\0', ' ');
    return command;
}

trace_header described(const file_header& header, std::uint64_t bytes) {
    trace_header told;
    told.process = header.process;
    told.parent_process = header.parent_process;
    told.started = header.started;
    told.session = header.session;
    told.command = joined(header);
    told.stop_error = static_cast<std::uint32_t>(header.stop_error);
    told.unrecorded_calls = header.unrecorded_calls;
    told.unrecorded_processes = header.unrecorded_processes;
    told.unrecorded_process_error = static_cast<std::uint32_t>(header.unrecorded_process_error);
    told.file_bytes = bytes;
    told.sealed = header.sealed != 0;
    if (!told.sealed)
        return told;
    told.complete =
        header.stop_error == 0 && header.lost_records == 0 && header.unrecorded_calls == 0;
    told.events = header.events;
    told.threads = header.threads;
    told.allocations = header.allocations;
    told.frees = header.frees;
    told.reallocations = header.reallocations;
    told.failed_calls = header.failed_calls;
    told.calls_under_way = header.calls_under_way;
    told.lost_records = header.lost_records;
    told.end = header.end <= static_cast<std::uint32_t>(process_end::replaced)
                   ? static_cast<process_end>(header.end)
                   : process_end::unknown;
    told.end_value = header.end_value;
    return told;
}

} // namespace

trace_totals totals_of(const file_header& header) noexcept {
    return {.records = header.records,
            .events = header.events,
            .threads = header.threads,
            .allocations = header.allocations,
            .frees = header.frees,
            .reallocations = header.reallocations,
            .failed_calls = header.failed_calls,
            .calls_under_way = header.calls_under_way,
            .lost_records = header.lost_records};
}

std::variant<std::unique_ptr<reader::merge>, trace_error>
reader::merge::open(const std::string& path) {
    std::string reason;
    std::optional<trace_file> file = trace_file::open(path, trace_file::access::read, reason);
    if (!file)
        return trace_error{0, "the file cannot be opened: " + reason};
    std::unique_ptr<merge> opened(new merge(std::move(*file)));
    if (std::optional<trace_error> wrong = build_index(opened->file_, opened->index_))
        return *wrong;
    opened->begin();
    return opened;
}

void reader::merge::begin() {
    header_ = described(index_.header, file_.bytes());
    threads_.reserve(index_.threads.size());
    for (const indexed_thread& each : index_.threads) {
        threads_.push_back({.records = thread_records(each.first)});
        // Not read yet: the header tells from where on its numbers are.
        turns_.push({index_.blocks[each.first].first_number,
                     static_cast<std::uint32_t>(threads_.size() - 1)});
    }
}

bool reader::merge::next(event& what) {
    while (ready_at_ == ready_.size()) {
        ready_.clear();
        ready_at_ = 0;
        if (error_ || !step())
            return false;
    }
    what = ready_[ready_at_++];
    return true;
}

/// Returns: false at the end.
bool reader::merge::step() {
    if (turns_.empty()) {
        if (!finished_)
            finish();
        return ready_at_ != ready_.size();
    }
    const turn now = turns_.top();
    turns_.pop();
    take(now.thread);
    return true;
}

void reader::merge::take(std::uint32_t at) {
    thread& from = threads_[at];
    const record& what = from.records.current();
    if (what.kind == record_kind::end) // its first turn
        return queue_next(at);
    if (!from.passing) {
        count_gap(what.number, from.records.current_offset());
        if (error_)
            return;
        ++totals_.records;
        if (what.kind == record_kind::reallocate) {
            from.passing = true;
            from.passed = false;
            giving_up_.try_emplace(what.old_address, at);
            turns_.push({what.last_number, at});
            return;
        }
    } else {
        count_gap(what.last_number, from.records.current_offset());
        if (error_)
            return;
    }
    if (!from.passed)
        put_out(at);
    from.passing = from.passed = false;
    queue_next(at);
}

void reader::merge::queue_next(std::uint32_t at) {
    thread& from = threads_[at];
    if (from.records.advance(file_, index_, error_)) {
        turns_.push({from.records.current().number, at});
        return;
    }
    if (error_)
        return;
    if (from.ended) {
        put_event(from, {.kind = event_kind::thread_end});
    } else {
        ++silent_threads_;
    }
}

/// A number that nobody wrote: of a call that was under way when the process ended, if there is a
/// thread that wrote nothing after it; otherwise something is lost.
void reader::merge::count_gap(std::uint64_t number, std::uint64_t offset) {
    if (number < next_number_) {
        error_ = trace_error{offset, "two records have the number " + std::to_string(number)};
        return;
    }
    const std::uint64_t missing = number - next_number_;
    const std::uint64_t under_way = std::min(missing, silent_threads_ - totals_.calls_under_way);
    totals_.calls_under_way += under_way;
    totals_.lost_records += missing - under_way;
    next_number_ = number + 1;
}

/// Tells a thread's current record, and first the reallocations that must have given up the
/// address at which it puts a block. Each step takes one out of giving_up_, so that a file in which
/// they wait for each other is no trouble.
void reader::merge::put_out(std::uint32_t at) {
    due_.assign(1, at);
    for (;;) {
        const std::uint32_t last = due_.back();
        const record& what = threads_[last].records.current();
        if (what.kind == record_kind::reallocate) {
            threads_[last].passed = true;
            const auto mine = giving_up_.find(what.old_address);
            if (mine != giving_up_.end() && mine->second == last)
                giving_up_.erase(mine);
        } else if (what.kind != record_kind::allocate &&
                   what.kind != record_kind::allocate_aligned) {
            break;
        }
        const auto found = giving_up_.find(what.address);
        if (found == giving_up_.end())
            break;
        due_.push_back(found->second);
    }
    for (; !due_.empty(); due_.pop_back())
        tell(due_.back());
}

/// Turns the current record of a thread into its event.
void reader::merge::tell(std::uint32_t at) {
    thread& from = threads_[at];
    const record& what = from.records.current();
    event told;
    told.address = what.address;
    told.size = what.size;
    switch (what.kind) {
    case record_kind::allocate_aligned:
        told.alignment = std::uint64_t{1} << what.alignment_bits;
        [[fallthrough]];
    case record_kind::allocate:
        told.kind = event_kind::allocate;
        ++totals_.allocations;
        break;
    case record_kind::free:
        told.kind = event_kind::free;
        ++totals_.frees;
        break;
    case record_kind::reallocate:
        told.kind = event_kind::reallocate;
        told.old_address = what.old_address;
        ++totals_.reallocations;
        break;
    case record_kind::thread_end:
        from.ended = true; // told behind its last record: its last destructors may still free
        return;
    case record_kind::failed:
        ++totals_.failed_calls;
        return;
    default: // thread_begin: told with the first record, whatever that is
        told.kind = event_kind::thread_begin;
        if (!from.begun)
            put_event(from, told);
        return;
    }
    put_event(from, told);
}

void reader::merge::put_event(thread& from, const event& what) {
    if (!from.begun) {
        from.begun = true;
        from.number = static_cast<std::uint32_t>(totals_.threads++);
        if (what.kind != event_kind::thread_begin)
            put_event(from, {.kind = event_kind::thread_begin});
    }
    event& told = ready_.emplace_back(what);
    told.thread = from.number;
    told.sequence = totals_.events++;
}

void reader::merge::finish() {
    finished_ = true;
    if (index_.header.sealed == 0)
        return;
    if (totals_ != totals_of(index_.header))
        error_ = trace_error{offsetof(file_header, records),
                             "the header's totals are not those of the blocks: " +
                                 std::to_string(index_.header.events) + " events, there are " +
                                 std::to_string(totals_.events)};
}

std::variant<reader, trace_error> reader::open(const std::string& path) {
    auto opened = merge::open(path);
    if (auto* wrong = std::get_if<trace_error>(&opened))
        return std::move(*wrong);
    return reader(std::move(*std::get_if<0>(&opened)));
}

reader::reader(std::unique_ptr<merge> content) noexcept : content_(std::move(content)) {}
reader::reader(reader&&) noexcept = default;
reader& reader::operator=(reader&&) noexcept = default;
reader::~reader() = default;

const trace_header& reader::header() const noexcept { return content_->header(); }
bool reader::next(event& what) { return content_->next(what); }
const std::optional<trace_error>& reader::error() const noexcept { return content_->error(); }

} // namespace resident::trace
