#include "arena/background_grower.hpp"

#include "arena/arena_state.hpp"

namespace resident::detail {

os::outcome background_grower::start() noexcept {
    const os::outcome made = os::system().start_thread(
        [](void* self) { static_cast<background_grower*>(self)->run(); }, this, "resident-grower");
    if (made) {
        thread_ = made.value();
        started_ = true;
    }
    return made;
}

background_grower::~background_grower() {
    if (!started_)
        return;
    {
        const std::lock_guard guard(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    (void)os::system().join_thread(thread_);
}

void background_grower::run() noexcept {
    constexpr int patience_after_refusal = 16;
    std::unique_lock guard(mutex_);
    while (!stop_) {
        guard.unlock();
        const bool refused = !grow_to_watermark();
        guard.lock();
        wake_.wait_for(guard, growth_.poll_interval * (refused ? patience_after_refusal : 1),
                       [this] { return stop_; });
    }
}

bool background_grower::grow_to_watermark() noexcept {
    while (arena_.free_bytes() < growth_.keep_free) {
        {
            const std::lock_guard guard(mutex_);
            if (stop_)
                return true;
        }
        const result<std::size_t> grown = arena_.grow(step_size, false);
        if (!grown)
            return false;
        if (*grown == 0)
            return true; // max_capacity is reached
    }
    return true;
}

} // namespace resident::detail
