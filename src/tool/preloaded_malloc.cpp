#include "tool/preloaded_malloc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <dlfcn.h>

namespace resident::tool {
namespace {

/// Empty if it cannot be told.
std::string_view file_of(const void* address) {
    Dl_info found{};
    return address != nullptr && ::dladdr(address, &found) != 0 && found.dli_fname != nullptr
               ? found.dli_fname
               : "";
}

/// By the name without the folder.
bool is_in(std::string_view file, std::string_view library) {
    return file.substr(file.find_last_of('/') + 1).starts_with(library);
}

std::vector<std::string_view> divided(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

/// The C library's, a sanitizer's, or one that is linked with the program statically.
bool is_of_this_build(std::string_view file) {
    constexpr std::array<std::string_view, 5> own{"libc.", "ld-musl", "libasan.", "libtsan.",
                                                  "liblsan."};
    const auto is_it = [file](std::string_view library) { return is_in(file, library); };
    return file == file_of(reinterpret_cast<const void*>(preload_variable)) ||
           std::any_of(own.begin(), own.end(), is_it);
}

} // namespace

std::string preload_variable(const char* libraries) {
    return std::string("LD_PRELOAD=") + (libraries == nullptr ? "" : libraries);
}

std::string why_other_malloc(const char* libraries) {
    const std::string_view file = file_of(::dlsym(RTLD_DEFAULT, "malloc"));
    if (libraries == nullptr) {
        return is_of_this_build(file)
                   ? ""
                   : fmt::format("malloc is that of {} and not the C library's, by "
                                 "/etc/ld.so.preload or by how this program was linked",
                                 file);
    }
    std::string names;
    for (const std::string_view library : divided(libraries, ':')) {
        if (is_in(file, library))
            return {};
        names += fmt::format("{}{}", names.empty() ? "" : " or ", library);
    }
    return "not installed: the loader finds no " + names;
}

std::string first_own_line(const std::string& said) {
    for (const std::string_view line : divided(said, '\n')) {
        if (!line.empty() && !line.starts_with("ERROR: ld.so:"))
            return std::string(line);
    }
    return {};
}

} // namespace resident::tool
