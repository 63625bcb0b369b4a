#include "os/harness/instruction_trace.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include <cxxabi.h>
#include <dlfcn.h>

namespace resident::os {
namespace {

std::string function_name(const Dl_info& place) {
    if (place.dli_sname == nullptr)
        return {};
    int status = 0;
    char* plain = abi::__cxa_demangle(place.dli_sname, nullptr, nullptr, &status);
    std::string name = plain == nullptr ? place.dli_sname : plain;
    std::free(plain); // NOLINT(cppcoreguidelines-no-malloc): __cxa_demangle's way
    return name;
}

std::string describe_run(std::uintptr_t first, std::ptrdiff_t length) {
    std::string object = "?";
    std::string function;
    std::uintptr_t offset = first;
    Dl_info place{};
    if (::dladdr(reinterpret_cast<void*>(first), &place) != 0) { // NOLINT
        object = place.dli_fname;
        object.erase(0, object.rfind('/') + 1);
        offset -= reinterpret_cast<std::uintptr_t>(place.dli_fbase);
        function = function_name(place);
    }
    char line[128];
    std::snprintf(line, sizeof line, "%6td  +0x%-8zx ", length, offset);
    return line + object + "  " + function + '\n';
}

} // namespace

std::string describe_trace(const std::vector<std::uintptr_t>& trace) {
    constexpr std::uintptr_t longest_instruction = 15;
    const auto jumps = [](std::uintptr_t here, std::uintptr_t next) {
        return next <= here || next > here + longest_instruction;
    };
    std::string text;
    for (auto first = trace.begin(); first != trace.end();) {
        auto last = std::adjacent_find(first, trace.end(), jumps);
        if (last != trace.end())
            ++last;
        text += describe_run(*first, std::distance(first, last));
        first = last;
    }
    return text;
}

} // namespace resident::os
