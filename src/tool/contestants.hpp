/// Who takes part in the demo. A new contestant is one entry in contestants.cpp.
#pragma once

#include "resident/prepare.hpp"
#include "resident/synchronized_pool_resource.hpp"
#include "resident/unsynchronized_pool_resource.hpp"
#include "tool/contest_channel.hpp"

#include <memory_resource>
#include <span>
#include <string_view>

namespace resident::tool {

/// The part that is the same for every contestant: fill, warm up, wait, measure. It ends the
/// process when all is measured; it throws what the memory resource does.
class contest_run {
public:
    virtual void with(std::pmr::memory_resource& memory) = 0;
    /// The same with containers that know the pool's type.
    virtual void with_pool(unsynchronized_pool_resource& pool) = 0;
    /// The same, but a second thread frees the records that go out.
    virtual void with_shared_pool(synchronized_pool_resource& pool) = 0;
    /// The control: the same loop without containers.
    virtual void without_work() = 0;
    /// What pages the arena was made of, for the report.
    virtual void note_page_kind(std::string_view kind) = 0;

protected:
    ~contest_run() = default;
};

/// A way of getting memory for the containers. Each runs in a process of its own.
struct contestant {
    std::string_view name;        ///< at most 21 characters: a column of the table
    std::string_view description; ///< one line
    /// A row that claims to be free of faults; its name begins with "resident".
    bool is_arena = false;
    bool is_control = false;
    bool has_second_thread = false; ///< with_shared_pool: its stack is locked, too
    /// What this contestant does to its process, beside what the harness does for all.
    bool keep_malloc_memory = false;
    bool single_malloc_arena = false;
    bool lock_all = false; ///< mlockall(MCL_CURRENT | MCL_FUTURE)
    /// Libraries of which the first that there is replaces malloc; see preload_variable().
    const char* preload = nullptr;
    /// Runs on the loop's thread; whatever it makes is on that thread's locked stack.
    void (*run)(const contest_order& order, contest_run& run);
};

/// In the order of the report: the control first.
[[nodiscard]] std::span<const contestant> all_contestants() noexcept;

} // namespace resident::tool
