/// Whether a program can be recorded, before it runs.
#pragma once

#include <string>

namespace resident::tool {

/// Finds `name` as a shell does: along PATH, unless there is a slash in it.
/// Throws: usage_error, with the remedy, if and only if there is no such program, or none that the
/// recorder can be loaded into: one that is linked statically, that is of another kind of machine,
/// or that gains privileges.
[[nodiscard]] std::string find_recordable(const std::string& name);

/// Whether the program itself, or the interpreter of a script, has a malloc linked into it. The
/// loader finds that before any that is preloaded. False also if its symbols cannot be read.
[[nodiscard]] bool brings_own_malloc(const std::string& program);

/// The recorder, beside this program or where it is installed.
/// Throws: std::runtime_error if it is in neither place.
[[nodiscard]] std::string find_recorder();

} // namespace resident::tool
