/// What a reader must know about the machine to judge a figure, and what makes it repeatable.
#pragma once

namespace resident::bench {

/// Pins this thread to the last processor it may run on: the first ones serve most interrupts.
/// Returns: that processor's number, or -1 if the kernel does not permit it.
int pin_to_one_processor();

/// Ends the program with a message if malloc is not the C library's, or if a contestant's functions
/// are not those of its own library: then the figures would be somebody else's.
void verify_contestants();

/// Prints the processor, the kernel and the arena. Builds the shared arena.
void describe_machine(int pinned_to);

/// Prints which contestants were not found, and what would bring them.
void name_missing_contestants();

} // namespace resident::bench
