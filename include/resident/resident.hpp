/// All of resident.
#pragma once

#include "resident/allocator.hpp"                    // IWYU pragma: export
#include "resident/arena.hpp"                        // IWYU pragma: export
#include "resident/arena_options.hpp"                // IWYU pragma: export
#include "resident/containers.hpp"                   // IWYU pragma: export
#include "resident/error.hpp"                        // IWYU pragma: export
#include "resident/fault_counter.hpp"                // IWYU pragma: export
#include "resident/fault_trap.hpp"                   // IWYU pragma: export
#include "resident/footprint.hpp"                    // IWYU pragma: export
#include "resident/memory_limit.hpp"                 // IWYU pragma: export
#include "resident/misuse.hpp"                       // IWYU pragma: export
#include "resident/page_lock.hpp"                    // IWYU pragma: export
#include "resident/pool_options.hpp"                 // IWYU pragma: export
#include "resident/pool_statistics.hpp"              // IWYU pragma: export
#include "resident/prepare.hpp"                      // IWYU pragma: export
#include "resident/residency.hpp"                    // IWYU pragma: export
#include "resident/result.hpp"                       // IWYU pragma: export
#include "resident/size_literals.hpp"                // IWYU pragma: export
#include "resident/synchronized_pool_resource.hpp"   // IWYU pragma: export
#include "resident/unsynchronized_pool_resource.hpp" // IWYU pragma: export
#include "resident/version.hpp"                      // IWYU pragma: export
