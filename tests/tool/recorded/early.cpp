// A program whose dlsym allocates, as the loader's own does at times: the recorder looks for the
// functions that it calls with it, before it has them.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>

namespace {
void* grown = nullptr;
}

extern "C" void* dlsym(void* handle, const char* name) noexcept {
    static int depth = 0;
    ++depth;
    if (depth == 1) {
        grown = std::realloc(grown, 10);
        if (grown != nullptr)
            std::strcpy(static_cast<char*>(grown), "early");
        grown = std::realloc(grown, 100);
    }
    using find = void* (*)(void*, const char*);
    static const auto next = reinterpret_cast<find>(::dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34"));
    // Not the next of this program: that is the recorder.
    void* const library = handle == RTLD_NEXT ? ::dlopen("libc.so.6", RTLD_LAZY) : handle;
    void* const found = next(library, name);
    --depth;
    return found;
}

int main() { std::puts(grown != nullptr ? static_cast<const char*>(grown) : "nothing"); }
