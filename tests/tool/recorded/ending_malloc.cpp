// A malloc that ends its process, without a word, at its 5 000th call.
#include <atomic>
#include <cstddef>

#include <unistd.h>

extern "C" {

void* __libc_malloc(std::size_t bytes); // NOLINT: glibc's name

void* malloc(std::size_t bytes) {
    static std::atomic<int> calls{0};
    if (++calls == 5'000)
        ::_exit(3);
    return __libc_malloc(bytes);
}
}
