/// What is at the other end of standard output and standard error.
#pragma once

#include <cstddef>
#include <string>

namespace resident::os {

[[nodiscard]] bool output_is_terminal() noexcept;
[[nodiscard]] bool diagnostics_are_terminal() noexcept;

/// Columns of the terminal on standard error; 80 if there is none.
[[nodiscard]] std::size_t terminal_columns() noexcept;

/// Effects: writes all of `text` to standard output. Returns: empty, or why it was not taken.
std::string write_output(const std::string& text);

/// Whether this process has the privileges of root.
[[nodiscard]] bool is_root() noexcept;

/// The id of this process.
[[nodiscard]] int process_id() noexcept;

} // namespace resident::os
