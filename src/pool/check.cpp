#include "pool/pool_state.hpp"

namespace resident::detail {

const char* pool_state::check() const noexcept { return nullptr; }

} // namespace resident::detail
