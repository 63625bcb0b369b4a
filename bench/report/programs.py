"""What there is to run: the parts of the report and the programs that measure them."""

import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "release"
BENCHMARKS = BUILT / "bench"
TOOL = BUILT / "src" / "resident"
REPLAYER = BENCHMARKS / "bench_replay"  # `resident replay` with every contestant
REPLAY = "replay"  # measured by replay_part.py, with the command and bench_replay


@dataclasses.dataclass(frozen=True)
class Program:
    """One that writes one part file."""

    part: str
    name: str  # after bench_
    what: str
    takes_flags: bool = False  # those of Google Benchmark

    @property
    def file(self):
        """Of its part file: a part of several programs has one for each."""
        return f"{self.part}.json" if self.is_part else f"{self.part}-{self.name}.json"

    @property
    def is_part(self):
        """Whether it is all of its part."""
        return self.part == self.name.replace("_", "-")


PROGRAMS = (
    Program("throughput", "direct", "pairs, batches and churn, called directly", True),
    Program("throughput", "pmr", "the same behind std::pmr::memory_resource", True),
    Program("throughput", "containers", "containers of every standard kind", True),
    Program("latency", "latency", "every call timed, to the 99.99th percentile"),
    Program("bounds", "bounds", "instructions of every call, counted"),
    Program("capacity", "capacity", "how much of 64 MiB can be given out"),
    Program("pressure", "pressure", "a periodic loop beside a memory hog"),
    Program("start-up", "start_up", "the time to lock and populate an arena"),
    Program("threads", "threads", "threads that share a pool", True),
    Program("replay", REPLAY, "traces of real programs, recorded here and now"),
)
PARTS = tuple(dict.fromkeys(program.part for program in PROGRAMS))


def named(name):
    """The programs of a part, or the one program of that name."""
    return [each for each in PROGRAMS if name in (each.part, each.name)]


def chosen(names):
    """Those of all names, each once, in the order of PROGRAMS; all if there is no name."""
    wanted = {each for name in names for each in named(name)}
    return [each for each in PROGRAMS if each in wanted or not names]


def listing():
    """What --list prints."""
    lines = []
    for program in PROGRAMS:
        alone = "" if program.is_part else program.name
        lines.append(f"{program.part:<12}{alone:<12}{program.what}")
    return "\n".join(lines) + "\n"
