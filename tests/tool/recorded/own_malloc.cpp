// A program with an allocator of its own in it, as one that is linked with jemalloc.a: nothing that
// is preloaded comes before it.

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {
alignas(16) std::array<unsigned char, std::size_t{1} << 20> memory;
std::size_t used = 0;
} // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's secret
extern "C" void* malloc(std::size_t bytes) noexcept {
    const std::size_t at = used;
    used += (bytes + 31) / 16 * 16;
    return used <= memory.size() ? memory.data() + at : nullptr;
}
extern "C" void free(void*) noexcept {}
extern "C" void* calloc(std::size_t count, std::size_t each) noexcept {
    return malloc(count * each); // it is zero, and never given twice
}
extern "C" void* realloc(void* block, std::size_t bytes) noexcept {
    void* const moved = malloc(bytes);
    if (moved != nullptr && block != nullptr)
        std::memmove(moved, block, bytes);
    return moved;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

int main() {
    void* volatile block = nullptr;
    for (int times = 0; times < 100; ++times) {
        block = std::malloc(10);
        std::free(block);
    }
    return 0;
}
