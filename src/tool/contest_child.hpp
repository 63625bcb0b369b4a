/// The child's side of a contest.
#pragma once

namespace resident::tool {

/// Runs one contestant, as ordered through the contest_channel in descriptor 3, on the records in
/// descriptor 4. Returns: the exit code; 0 if and only if the stage is `finished`.
int run_contest_child();

/// Keeps memory busy until it is ended, as ordered through the hog_channel in descriptor 3.
int run_hog_child();

} // namespace resident::tool
