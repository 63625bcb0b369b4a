/// Of the allocator that a recorded program has beside the recorder.
#pragma once

/// After so many calls that give a block, the next one raises SIGUSR1 before it returns.
extern "C" volatile int calls_until_interrupt;
