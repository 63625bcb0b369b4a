// A stranger's program: it knows nothing of this project but what is installed.
#include <resident/resident.hpp>

#include <memory_resource>
#include <vector>

int main() {
    using namespace resident::literals;
    resident::arena arena{{.capacity = 1_MiB}};
    std::pmr::vector<int> values{&arena};
    values.assign(1000, 7);
    resident::synchronized_pool_resource pool{arena};
    std::pmr::vector<int> shared{&pool}; // by the thread's own variable in the library
    shared.assign(1000, 7);
    return arena.statistics().in_use > 0 && pool.lanes_in_use() == 1 ? 0 : 1;
}
