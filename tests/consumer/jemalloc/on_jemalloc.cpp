// A stranger's program on the optional component: jemalloc's heap, and malloc stays libc's.
#include <resident/jemalloc_resource.hpp>
#include <resident/resident.hpp>

#include <cstdlib>
#include <cstring>
#include <memory_resource>
#include <vector>

#include <dlfcn.h>

int main() {
    using namespace resident::literals;
    resident::arena arena{{.capacity = 6_MiB}};
    resident::jemalloc_resource heap{arena};
    std::pmr::vector<int> values{&heap};
    values.assign(1000, 7);
    Dl_info library{};
    const bool found = dladdr(dlsym(RTLD_DEFAULT, "malloc"), &library) != 0;
    const bool is_libc = found && std::strstr(library.dli_fname, "jemalloc") == nullptr;
    return arena.owns(values.data()) && is_libc ? 0 : 1;
}
