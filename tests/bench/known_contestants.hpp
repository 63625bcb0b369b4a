/// Contestants whose behaviour is known to the last call, for the tests of what measures them.
#pragma once

#include "os/harness/periodic_clock.hpp"
#include "support/shared_arena.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <signal.h>
#include <sys/mman.h>

namespace resident::test {

/// The C library's malloc, as it is.
class honest {
public:
    static constexpr const char* name = "honest";
    void* allocate(std::size_t bytes) { return std::malloc(bytes); }
    void deallocate(void* block, std::size_t) { std::free(block); }
};

/// Blocks of one array in turn: no call of it ever faults or takes long.
class array_of_blocks {
public:
    static constexpr const char* name = "array";
    static constexpr bool is_no_allocator = true;
    void* allocate(std::size_t) { return &blocks_[next_++ % blocks_.size()]; }
    void deallocate(void*, std::size_t) {}

private:
    struct alignas(64) block {
        std::array<std::byte, 64> content{};
    };
    std::vector<block> blocks_ = std::vector<block>(1024);
    std::size_t next_ = 0;
};

/// Every 1 000th allocation spins until the clock has advanced by `delay`.
class late : public array_of_blocks {
public:
    static constexpr std::int64_t delay = 100'000'000; // ns: longer than any turn of other threads
    void* allocate(std::size_t bytes) {
        if (++calls_ % 1000 == 0) {
            const std::int64_t until = os::monotonic_nanoseconds() + delay;
            while (os::monotonic_nanoseconds() < until) {
            }
        }
        return array_of_blocks::allocate(bytes);
    }

private:
    std::uint64_t calls_ = 0;
};

/// Every 100th allocation writes to a page that was never touched.
class faulting : public array_of_blocks {
public:
    faulting()
        : pages_(
              ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (pages_ == MAP_FAILED) {
            throw std::bad_alloc{};
        }
        ::madvise(pages_, size, MADV_NOHUGEPAGE);
    }
    ~faulting() { ::munmap(pages_, size); }
    faulting(const faulting&) = delete;
    faulting& operator=(const faulting&) = delete;
    void* allocate(std::size_t bytes) {
        if (++calls_ % 100 == 0) {
            static_cast<volatile char*>(pages_)[calls_ / 100 * 4096] = 1;
        }
        return array_of_blocks::allocate(bytes);
    }

private:
    static constexpr std::size_t size = std::size_t{16} << 20;
    void* pages_;
    std::size_t calls_ = 0;
};

/// Each call has `Instructions` that do nothing.
template <int Instructions>
class long_winded {
public:
    static constexpr const char* name = "long-winded";
    static constexpr bool is_no_allocator = true;
    [[gnu::always_inline]] void* allocate(std::size_t) {
        asm volatile(".rept %c0\n nop\n .endr" ::"i"(Instructions));
        return block_;
    }
    [[gnu::always_inline]] void deallocate(void*, std::size_t) {
        asm volatile(".rept %c0\n nop\n .endr" ::"i"(2 * Instructions));
    }

private:
    alignas(std::max_align_t) char block_[64] = {};
};

/// Never gives back what it takes when it is built.
template <std::size_t Granules>
class leaking : public honest, public bench::on_shared_arena {
public:
    static constexpr const char* name = "leaking";
    static constexpr std::size_t bytes = Granules * 4096;
    leaking() { (void)bench::shared_arena().allocate(bytes, 4096); }
};

/// Tells what malloc has given out, and loses `blocks` blocks of 1 000 bytes with each heap.
class leaking_malloc : public honest {
public:
    static constexpr const char* name = "leaking malloc";
    static constexpr int blocks = 3;
    static std::size_t bytes_in_use();
    static constexpr bool caches_until_thread_ends = true;
    leaking_malloc() {
        for (int block = 0; block != blocks; ++block) {
            void* volatile lost = std::malloc(1000);
            (void)lost;
        }
    }
};

/// What is wrong with an allocator that does it at its 500th allocation.
enum class flaw { overlap, misaligned, null, twice, corrupts, throws, crashes, killed };

template <flaw Flaw>
class broken {
public:
    static constexpr const char* name = "broken";
    static constexpr std::uint64_t bad_call = 500;

    void* allocate(std::size_t bytes) {
        void* const block = std::malloc(bytes + 64);
        void* const before = std::exchange(last_, block);
        if (++calls_ != bad_call) {
            return block;
        }
        switch (Flaw) {
        case flaw::overlap:
            return static_cast<char*>(before) + 16;
        case flaw::misaligned:
            return static_cast<char*>(block) + 8;
        case flaw::null:
            return nullptr;
        case flaw::twice:
            return before;
        case flaw::corrupts:
            static_cast<char*>(before)[5] ^= 1;
            return block;
        case flaw::throws:
            throw std::runtime_error("out of order");
        case flaw::crashes:
            std::abort();
        case flaw::killed:
            ::raise(SIGKILL);
        }
        return block;
    }
    void deallocate(void* block, std::size_t) { std::free(block); }

private:
    void* last_ = nullptr;
    std::uint64_t calls_ = 0;
};

/// Cannot prepare its process, and ends the program that calls it all the same.
class refusing : public honest {
public:
    static constexpr const char* name = "refusing";
    static std::string prepare_process() { return "the process is not to its liking"; }
    void* allocate(std::size_t) { std::abort(); }
};

/// A path for a file of this test, which does not exist.
inline std::string fresh_path(const std::string& name) {
    std::string folder = testing::TempDir() + "resident-bench-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) {
        ADD_FAILURE() << "no folder like " << folder;
    }
    return folder + "/" + name;
}

} // namespace resident::test
