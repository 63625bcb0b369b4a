#include "resident/synchronized_pool_resource.hpp"

#include "os/lock_registry.hpp"
#include "pool/lane_group.hpp"

namespace resident {

namespace {

detail::lane_group* make_group(const pool_options& options, arena& memory,
                               std::pmr::memory_resource* upstream) {
    detail::lane_group* const made = detail::lane_group::create(options, memory, upstream);
    if (made == nullptr)
        detail::raise_bad_alloc(memory, sizeof(detail::lane_group) + sizeof(detail::lane));
    return made;
}

} // namespace

static_assert(synchronized_pool_resource::most_lanes == detail::lane_group::most_lanes);

synchronized_pool_resource::synchronized_pool_resource(const pool_options& options)
    : own_arena_(new arena()), group_(make_group(options, *own_arena_, nullptr)),
      classes_(&group_->guarded_lane()), slot_(group_->slot()),
      generation_(os::locked_pages().generation()) {}

synchronized_pool_resource::synchronized_pool_resource(const pool_options& options, arena& memory,
                                                       std::pmr::memory_resource* upstream)
    : group_(make_group(options, memory, upstream)), classes_(&group_->guarded_lane()),
      slot_(group_->slot()), generation_(os::locked_pages().generation()) {}

synchronized_pool_resource::~synchronized_pool_resource() {
    // In a forked child the memory is gone, or somebody else's by now; the parent still has it.
    if (generation_ == os::locked_pages().generation())
        detail::lane_group::destroy(group_);
}

void* synchronized_pool_resource::allocate_out_of_line(std::size_t bytes, std::size_t alignment) {
    void* const block = group_->allocate(bytes, alignment);
    if (block == nullptr)
        detail::raise_bad_alloc(source(), bytes);
    return block;
}

void* synchronized_pool_resource::try_allocate_out_of_line(std::size_t bytes,
                                                           std::size_t alignment) noexcept {
    return group_->allocate(bytes, alignment);
}

void synchronized_pool_resource::deallocate_out_of_line(void* block, std::size_t bytes,
                                                        std::size_t alignment) noexcept {
    group_->deallocate(block, bytes, alignment);
}

void synchronized_pool_resource::deallocate(void* block) noexcept {
    group_->deallocate(block, detail::pool_state::unknown_size, 1);
}

void* synchronized_pool_resource::do_allocate(std::size_t bytes, std::size_t alignment) {
    return allocate(bytes, alignment);
}

void synchronized_pool_resource::do_deallocate(void* block, std::size_t bytes,
                                               std::size_t alignment) {
    deallocate(block, bytes, alignment);
}

bool synchronized_pool_resource::attach_this_thread() noexcept { return group_->attach(); }

bool synchronized_pool_resource::attach_this_thread(std::size_t bytes, std::size_t count,
                                                    std::size_t alignment) noexcept {
    group_->attach();
    return group_->reserve(bytes, count, alignment);
}

std::size_t synchronized_pool_resource::usable_size(const void* block) const noexcept {
    return group_->usable_size(block);
}

bool synchronized_pool_resource::owns(const void* address) const noexcept {
    return group_->owns(address);
}

void synchronized_pool_resource::reserve(std::size_t bytes, std::size_t count,
                                         std::size_t alignment) {
    if (!try_reserve(bytes, count, alignment))
        detail::raise_bad_alloc(source(), bytes);
}

bool synchronized_pool_resource::try_reserve(std::size_t bytes, std::size_t count,
                                             std::size_t alignment) noexcept {
    return group_->reserve(bytes, count, alignment);
}

void synchronized_pool_resource::trim() noexcept { group_->trim(); }

void synchronized_pool_resource::release() noexcept { group_->release(); }

pool_options synchronized_pool_resource::options() const noexcept {
    return detail::with_chosen_values(group_->options());
}

std::pmr::memory_resource* synchronized_pool_resource::upstream_resource() const noexcept {
    return group_->upstream() != nullptr ? group_->upstream() : std::pmr::null_memory_resource();
}

arena& synchronized_pool_resource::source() const noexcept { return group_->source(); }

pool_statistics synchronized_pool_resource::statistics() const noexcept {
    return group_->statistics();
}

std::size_t synchronized_pool_resource::lanes_in_use() const noexcept {
    return group_->lanes_in_use();
}

std::size_t synchronized_pool_resource::guarded_calls() const noexcept {
    return group_->guarded_calls();
}

const char* synchronized_pool_resource::check() const noexcept { return group_->check(); }

} // namespace resident
