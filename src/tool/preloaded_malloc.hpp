/// Which malloc a contestant's process has.
#pragma once

#include <string>

namespace resident::tool {

/// For the environment of a contestant. `libraries`: files that the loader finds, with colons
/// between; all that there are are loaded, and the first of them replaces malloc. Null: none does,
/// whatever this process was started with.
[[nodiscard]] std::string preload_variable(const char* libraries);

/// In the contestant's process. By the file that holds the malloc in force: the loader passes over
/// a library that it does not find, and a program may be linked with one that does not replace
/// malloc. Returns: empty if it is that of one of `libraries`, or for null the C library's, the
/// program's own or a sanitizer's; otherwise why not.
[[nodiscard]] std::string why_other_malloc(const char* libraries);

/// The first line of what a contestant's process said that is not the loader's about a library it
/// did not find. Empty if there is none.
[[nodiscard]] std::string first_own_line(const std::string& said);

} // namespace resident::tool
