/// One call out of line of a concurrent pool.
#pragma once

#include "pool/lane_group.hpp"

namespace resident::detail {

/// While it lives, the thread is inside of the pool, and has a lane for itself: its own, or the
/// guarded one, with the mutex.
class lane_visit {
public:
    explicit lane_visit(lane_group& group) noexcept : group_(group), thread_(this_thread_lanes) {
        thread_.enter(&group);
        lane_ = static_cast<lane*>(thread_.lane(group.slot_));
        if (lane_ == nullptr) [[unlikely]]
            enter_slowly();
    }
    ~lane_visit() {
        lane_->report_held();
        if (is_guarded_) [[unlikely]]
            group_.mutex_.unlock();
        thread_.leave();
    }
    lane_visit(const lane_visit&) = delete;
    lane_visit& operator=(const lane_visit&) = delete;

    [[nodiscard]] lane* operator->() const noexcept { return lane_; }
    [[nodiscard]] bool is_guarded() const noexcept { return is_guarded_; }

private:
    /// The thread has no lane so far, or somebody has taken it for a while.
    [[gnu::noinline]] void enter_slowly() noexcept {
        thread_.leave(); // whoever has taken the lane may have all of it
        group_.mutex_.lock();
        thread_.enter(&group_);
        lane_ = static_cast<lane*>(thread_.lane(group_.slot_));
        if (lane_ == nullptr)
            lane_ = group_.claim(thread_);
        if (lane_ != nullptr)
            return group_.mutex_.unlock();
        lane_ = &group_.guarded_lane();
        is_guarded_ = true;
        group_.guarded_calls_.fetch_add(1, std::memory_order_relaxed);
    }

    lane_group& group_;
    thread_lanes& thread_;
    lane* lane_ = nullptr;
    bool is_guarded_ = false;
};

} // namespace resident::detail
