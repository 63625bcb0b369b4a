/// An upstream resource that keeps books.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory_resource>
#include <new>
#include <utility>

namespace resident {

/// Serves from operator new, and compares what comes back with what went out.
class bookkeeper final : public std::pmr::memory_resource {
public:
    struct refusal {}; ///< not derived from std::bad_alloc
    bool refuses = false;
    int served = 0;
    std::map<void*, std::pair<std::size_t, std::size_t>> out;

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
#if defined(__cpp_exceptions)
        if (refuses)
            throw refusal();
#endif
        void* const block = ::operator new(bytes, std::align_val_t(alignment));
        out.emplace(block, std::pair(bytes, alignment));
        ++served;
        return block;
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        const auto found = out.find(block);
        ASSERT_NE(found, out.end());
        EXPECT_EQ(found->second, std::pair(bytes, alignment));
        out.erase(found);
        ::operator delete(block, std::align_val_t(alignment));
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }
};

} // namespace resident
