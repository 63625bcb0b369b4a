// A program of std::pmr, migrated by its namespace: only the line with the pool has changed. Beside
// it resident::map, which knows its pool when it is compiled and makes no virtual call. What to
// lock is not guessed: the program is run beforehand, and what it takes is reserved.
#include <resident/resident.hpp>

#include <cstddef>
#include <iostream>
#include <map>
#include <vector>

namespace {

struct offer {
    int price;
    int amount;
};

/// As it was written for std::pmr.
std::size_t keep_book(std::pmr::memory_resource* memory) {
    std::pmr::map<int, std::pmr::vector<offer>> book{memory};
    for (int index = 0; index < 2000; ++index)
        book[index % 50].push_back({.price = index % 50, .amount = index});
    return book.size();
}

std::size_t keep_best_offers(resident::unsynchronized_pool_resource& pool) {
    resident::map<int, offer> best{pool};
    for (int index = 0; index < 1000; ++index)
        best[index] = {.price = index, .amount = 1};
    return best.size();
}

} // namespace

int main() {
    const auto needed = resident::footprint([](resident::unsynchronized_pool_resource& pool) {
        keep_book(&pool);
        keep_best_offers(pool);
    });
    std::cout << "verified to fit:    " << (needed.verified ? "yes" : "no") << '\n';

    resident::arena arena{{.capacity = needed.bound}};
    resident::unsynchronized_pool_resource pool{arena}; // was of std::pmr
    resident::reserve(pool, needed);
    const auto visits = pool.statistics().arena_visits;
    std::cout << "prices:             " << keep_book(&pool) << '\n'
              << "best offers:        " << keep_best_offers(pool) << '\n'
              << "arena visits:       " << pool.statistics().arena_visits - visits << '\n'
              << "requests refused:   " << pool.statistics().failures << '\n';
}
