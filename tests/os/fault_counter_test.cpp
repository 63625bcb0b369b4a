// Concerns: faults since the start are counted, of this thread or of all; restart() forgets.
// Plan: a kernel that answers given counts; then real faults on fresh pages.
#include "os/kernel.hpp"
#include "resident/fault_counter.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include <sys/mman.h>

namespace {

using namespace resident;

class kernel_with_counts : public os::kernel {
public:
    os::fault_counts thread{.minor = 10, .major = 1};
    os::fault_counts process{.minor = 100, .major = 2};
    os::outcome count_faults(os::fault_scope scope, os::fault_counts& counts) noexcept override {
        counts = scope == os::fault_scope::thread ? thread : process;
        return os::outcome::success();
    }
};

TEST(fault_counter, counts_since_construction_and_restart) {
    kernel_with_counts kernel;
    const os::kernel_replacement replacement(kernel);
    fault_counter mine;
    const fault_counter everyone(fault_counter::scope::process);
    kernel.thread = {.minor = 12, .major = 4};
    kernel.process = {.minor = 107, .major = 2};
    EXPECT_EQ(mine.count(), (faults{.minor = 2, .major = 3}));
    EXPECT_EQ(everyone.count(), (faults{.minor = 7, .major = 0}));
    mine.restart();
    EXPECT_EQ(mine.count(), faults{});
}

TEST(fault_counter, prints_both_kinds) {
    std::ostringstream out;
    out << faults{.minor = 2, .major = 3};
    EXPECT_EQ(out.str(), "2 minor, 3 major");
}

void touch_fresh_pages(std::size_t pages) {
    const std::size_t bytes = pages * os::page_size();
    const os::outcome mapped =
        os::system().map(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    auto* const address = reinterpret_cast<char*>(mapped.value());
    static_cast<void>(os::system().advise(address, bytes, MADV_NOHUGEPAGE));
    for (std::size_t at = 0; at < bytes; at += os::page_size()) {
        static_cast<volatile char*>(address)[at] = 1;
    }
    EXPECT_TRUE(os::system().unmap(address, bytes));
}

TEST(fault_counter, sees_the_faults_of_other_threads_in_the_process_only) {
    const fault_counter everyone(fault_counter::scope::process);
    std::thread other([] {
        const fault_counter its_own;
        touch_fresh_pages(256);
        EXPECT_GE(its_own.count().minor, 256U);
    });
    const fault_counter mine;
    other.join();
    EXPECT_GE(everyone.count().minor, 256U);
    EXPECT_LT(mine.count().minor, 256U);
}

} // namespace
