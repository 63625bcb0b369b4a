/// The dynamic linker's work, done before anything is measured.
#pragma once

namespace resident::bench {

/// Effects: starts the program anew with LD_BIND_NOW=1, unless it was started so; returns only then
/// or if it cannot. Otherwise the first call of each function of a shared library is charged with
/// looking it up. Call first in main.
void bind_at_start(char** argv);

} // namespace resident::bench
