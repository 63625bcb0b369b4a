#include "resident/jemalloc_resource.hpp"

#include "jemalloc/jemalloc_heap.hpp"
#include "os/headroom.hpp"
#include "os/lock_registry.hpp"
#include "pool/pool_state.hpp"

#include <new>

namespace resident {

namespace {

detail::jemalloc_heap* value_or_raise(const result<detail::jemalloc_heap*>& built) {
    if (!built)
        os::raise(built.error());
    return *built;
}

} // namespace

jemalloc_resource::jemalloc_resource(arena& memory, const jemalloc_options& options)
    : jemalloc_resource(detail::built_jemalloc_heap(
          value_or_raise(detail::jemalloc_heap::build(memory, options)))) {}

jemalloc_resource::jemalloc_resource(detail::built_jemalloc_heap built) noexcept
    : heap_(built.heap_), generation_(os::locked_pages().generation()) {}

result<jemalloc_resource> jemalloc_resource::create(arena& memory,
                                                    const jemalloc_options& options) {
    const result<detail::jemalloc_heap*> built = detail::jemalloc_heap::build(memory, options);
    if (!built)
        return built.error();
    return result<jemalloc_resource>(std::in_place, detail::built_jemalloc_heap(*built));
}

jemalloc_resource::~jemalloc_resource() {
    // In a forked child the memory is gone, or somebody else's by now; the parent still has it.
    if (generation_ == os::locked_pages().generation())
        detail::jemalloc_heap::destroy(heap_);
}

void* jemalloc_resource::try_allocate(std::size_t bytes, std::size_t alignment) noexcept {
    return heap_->allocate(bytes, alignment);
}

void* jemalloc_resource::do_allocate(std::size_t bytes, std::size_t alignment) {
    void* const block = heap_->allocate(bytes, alignment);
    if (block == nullptr)
        detail::raise_bad_alloc(source(), bytes);
    return block;
}

void jemalloc_resource::deallocate(void* block) noexcept { heap_->deallocate(block); }

void jemalloc_resource::do_deallocate(void* block, std::size_t /*bytes*/,
                                      std::size_t /*alignment*/) {
    heap_->deallocate(block);
}

std::size_t jemalloc_resource::usable_size(const void* block) const noexcept {
    return detail::jemalloc_heap::usable_size(block);
}

bool jemalloc_resource::attach_this_thread() noexcept {
    void* const block = heap_->allocate(1, 1);
    if (block == nullptr)
        return false;
    heap_->deallocate(block);
    return true;
}

void jemalloc_resource::trim() noexcept { heap_->trim(); }
void jemalloc_resource::release() noexcept { heap_->release(); }

arena& jemalloc_resource::source() const noexcept { return heap_->source(); }
jemalloc_options jemalloc_resource::options() const noexcept { return heap_->options(); }
jemalloc_statistics jemalloc_resource::statistics() const noexcept { return heap_->statistics(); }

} // namespace resident
