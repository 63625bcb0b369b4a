// How much to lock for containers: run them on a pool that counts, before anything is locked.
// docs/sizing.md shows what this prints with libstdc++ 12.
#include <resident/containers.hpp>
#include <resident/footprint.hpp>

#include <cstddef>
#include <cstdio>

namespace {

struct order {
    std::byte fields[40];
};

void print(const char* what, std::size_t bytes) { std::printf("%-16s %9zu\n", what, bytes); }

/// 10 000 ints in a container, and what one more of them takes.
template <class Container>
void print_container(const char* name) {
    std::printf("%-22s", name);
    if constexpr (requires { resident::node_size<Container>(); })
        std::printf("%6zu", resident::node_size<Container>().bytes);
    else
        std::printf("%6s", "");
    std::printf("%10zu\n", resident::footprint<Container>(10'000).capacity);
}

} // namespace

int main() {
    const auto needed = resident::footprint<resident::map<int, order>>(10'000);
    std::puts("A map of 10 000 orders, bytes");
    print("peak_requested", needed.peak_requested);
    print("peak_in_use", needed.peak_in_use);
    print("peak_held", needed.peak_held);
    print("capacity", needed.capacity);
    print("memlock", needed.memlock);
    print("bound", needed.bound);

    std::puts("\n10 000 ints            node  capacity, bytes");
    print_container<resident::vector<int>>("vector");
    print_container<resident::deque<int>>("deque");
    print_container<resident::forward_list<int>>("forward_list");
    print_container<resident::list<int>>("list");
    print_container<resident::set<int>>("set");
    print_container<resident::map<int, int>>("map");
    print_container<resident::unordered_set<int>>("unordered_set");
    print_container<resident::unordered_map<int, int>>("unordered_map");
    return needed.verified ? 0 : 1;
}
