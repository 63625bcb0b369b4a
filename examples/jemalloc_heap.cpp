// jemalloc's heap with locked pages: containers that change their sizes a lot, and no page fault.
#include <resident/jemalloc_resource.hpp>
#include <resident/resident.hpp>

#include <iostream>
#include <memory_resource>
#include <string>
#include <unordered_map>

int main() {
    using namespace resident::literals;
    resident::arena arena{{.capacity = 6_MiB, .name = "orders"}};
    resident::jemalloc_resource heap{arena}; // takes 2 MiB of it for jemalloc's metadata

    std::pmr::unordered_map<int, std::pmr::string> orders{&heap};
    const auto change_orders = [&] {
        for (int id = 0; id < 5000; ++id)
            orders[id % 700].assign(static_cast<std::size_t>(id % 300), 'x');
        for (int id = 0; id < 700; id += 2)
            orders.erase(id);
    };
    change_orders(); // the program's code is touched once

    const resident::fault_counter counter;
    change_orders();
    const resident::faults faults = counter.count();

    const resident::jemalloc_statistics now = heap.statistics();
    std::cout << orders.size() << " orders, all in the arena: " << std::boolalpha
              << arena.owns(&*orders.begin()) << '\n'
              << "within 1 MiB of jemalloc's metadata: "
              << (now.held < resident::jemalloc_resource::least_metadata + 1_MiB) << '\n'
              << "page faults: " << faults.minor + faults.major << '\n';
    return faults.minor + faults.major == 0 ? 0 : 2;
}
