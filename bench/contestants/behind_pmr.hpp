/// Any contestant behind the virtual functions of std::pmr::memory_resource.
#pragma once

#include "contestants/contestant.hpp"

#include <cstddef>
#include <memory_resource>
#include <optional>

namespace resident::bench {

/// A contestant that is not a memory_resource, as one.
template <contestant C>
class resource_over final : public std::pmr::memory_resource {
public:
    explicit resource_over(C& heap) noexcept : heap_(heap) {}

private:
    void* do_allocate(std::size_t bytes, std::size_t) override { return heap_.allocate(bytes); }
    void do_deallocate(void* block, std::size_t bytes, std::size_t) override {
        heap_.deallocate(block, bytes);
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    C& heap_;
};

/// A contestant itself, whose every call is virtual. Contestants that are memory resources have
/// only those two virtual calls; the others' own calls are made inside them.
template <contestant C>
class behind_pmr {
public:
    static constexpr const char* name = C::name;

    void* allocate(std::size_t bytes) { return resource_->allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) { resource_->deallocate(block, bytes); }
    std::pmr::memory_resource& resource() noexcept { return *resource_; }

private:
    /// Hides the concrete type, or the compiler would call it directly.
    std::pmr::memory_resource* hidden_resource() {
        std::pmr::memory_resource* resource = nullptr;
        if constexpr (requires { heap_.resource(); }) {
            resource = &heap_.resource();
        } else {
            resource = &adaptor_.emplace(heap_);
        }
        asm volatile("" : "+r"(resource));
        return resource;
    }

    C heap_;
    std::optional<resource_over<C>> adaptor_;
    std::pmr::memory_resource* resource_ = hidden_resource();
};

} // namespace resident::bench
