/// The threads of a trace, brought into one order.
#pragma once

#include "trace/block_index.hpp"
#include "trace/reader.hpp"
#include "trace/thread_records.hpp"

#include <queue>
#include <unordered_map>

namespace resident::trace {

/// What has been read so far, to compare with the file's header, or to be written there.
struct trace_totals {
    std::uint64_t records = 0;
    std::uint64_t events = 0;
    std::uint64_t threads = 0;
    std::uint64_t allocations = 0;
    std::uint64_t frees = 0;
    std::uint64_t reallocations = 0;
    std::uint64_t failed_calls = 0;
    std::uint64_t calls_under_way = 0;
    std::uint64_t lost_records = 0;

    friend bool operator==(const trace_totals&, const trace_totals&) = default;
};
[[nodiscard]] trace_totals totals_of(const file_header& header) noexcept;

class reader::merge {
public:
    static std::variant<std::unique_ptr<merge>, trace_error> open(const std::string& path);

    bool next(event& what);

    [[nodiscard]] const trace_header& header() const noexcept { return header_; }
    [[nodiscard]] const std::optional<trace_error>& error() const noexcept { return error_; }
    [[nodiscard]] const block_index& index() const noexcept { return index_; }
    [[nodiscard]] const trace_totals& totals() const noexcept { return totals_; }

private:
    struct thread {
        thread_records records;
        std::uint32_t number = 0; ///< in order of appearance, once it has begun
        bool begun = false;
        bool ended = false;   ///< its thread_end was read
        bool passing = false; ///< within a reallocate: between its first number and its last
        bool passed = false;  ///< that reallocate is already out
    };
    /// What a thread does next, and at which number.
    struct turn {
        std::uint64_t number;
        std::uint32_t thread;
        friend bool operator<(const turn& a, const turn& b) noexcept {
            return a.number > b.number; // the queue's top is the largest
        }
    };

    explicit merge(trace_file file) : file_(std::move(file)) {}
    void begin();
    bool step();
    void take(std::uint32_t at);
    void queue_next(std::uint32_t at);
    void count_gap(std::uint64_t number, std::uint64_t offset);
    void put_out(std::uint32_t at);
    void tell(std::uint32_t at);
    void put_event(thread& from, const event& what);
    void finish();

    trace_file file_;
    block_index index_;
    trace_header header_;
    std::vector<thread> threads_;
    std::priority_queue<turn> turns_;
    /// Reallocations between their numbers, by the address that they give up.
    std::unordered_map<std::uint64_t, std::uint32_t> giving_up_;
    std::vector<std::uint32_t> due_;
    std::vector<event> ready_; ///< from ready_at_ on
    std::size_t ready_at_ = 0;
    std::uint64_t next_number_ = 0;
    std::uint64_t silent_threads_ = 0; ///< without a record left, and without an end
    trace_totals totals_;
    std::optional<trace_error> error_;
    bool finished_ = false;
};

} // namespace resident::trace
