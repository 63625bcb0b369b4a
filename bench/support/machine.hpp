/// What a reader must know about the machine to judge a figure, and what makes it repeatable.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace resident::bench {

/// Pins this thread to the last processor it may run on: the first ones serve most interrupts.
/// Returns: that processor's number, or -1 if the kernel does not permit it.
int pin_to_one_processor();

/// Pins this thread to one of the processors that the program might run on before
/// pin_to_one_processor(): `index` counts them, round and round.
void pin_in_turn(std::size_t index);

/// Ends the program with a message if malloc is not the C library's, or if a contestant's functions
/// are not those of its own library: then the figures would be somebody else's.
void verify_contestants();

/// Name and value of what a reader must know: the machine, its kernel and limits, where this thread
/// is pinned, how the program was built, and the shared arena if there is one.
std::vector<std::pair<std::string, std::string>> describe_this_machine();

/// Prints the processor, the kernel and the arena. Builds the shared arena.
void print_machine();

/// Names of the contestants that were not found, and what would bring them.
std::vector<std::pair<std::string, std::string>> missing_contestants();

/// Prints them.
void name_missing_contestants();

} // namespace resident::bench
