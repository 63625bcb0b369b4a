"""What `resident replay` and `resident size` tell becomes a part; what cannot be recorded is named."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest
from unittest import mock

import part_file
import programs
import replay_part
import report_text
import workloads

TRACE = {"command": "sqlite3 :memory:", "complete": False, "events": 12345, "allocations": 6000,
         "threads": 1, "peak_live_bytes": 3 << 20}  # fmt: skip


def contestant(name, **more):
    return {"name": name, "description": "what it is", "control": name == "empty",
            "verified": True, "samples_ns_per_event": [], **more}  # fmt: skip


def measured(name, median):
    samples = [median * by for by in (1.0, 0.9, 1.1, 1.2, 1.0)]
    counted = {"calls": 10, "median": 20, "p99": 90, "max": 400}
    return contestant(name, samples_ns_per_event=samples, median_ns_per_event=median,
                      quartiles_ns_per_event=[median, median * 1.1], spread=0.1,
                      minor_faults=3, major_faults=1, peak_held_bytes=4 << 20,
                      instructions={"allocate": counted, "free": counted})  # fmt: skip


REPLAY = {
    "machine": {"processor": "x"},
    "passed": False,
    "options": {"locked": True},
    "trace": TRACE,
    "contestants": [
        measured("resident", 10.0),
        measured("glibc", 20.0),
        contestant("std-pool", refusal={"event": 9}, instructions={"missing": "not come to"}),
        contestant("mimalloc", broken="hands out\noverlapping memory"),
        {**measured("boost", 30.0), "instructions": {"missing": "not permitted"},
         "arena_locked": False},
        measured("empty", 2.0),
    ],
    "skipped": [{"name": "tcmalloc", "reason": "not installed"}],
}
SIZE = {"trace": TRACE, "capacity_bytes": 5 << 20, "memlock_bytes": 6 << 20, "bound_bytes": 9 << 20}


class Conversion(unittest.TestCase):
    def setUp(self):
        missing = [{"name": "git log", "reason": "git is not there"}]
        made = replay_part.part_from({"sqlite3": (REPLAY, SIZE)}, missing, "quick", "now", 1)
        self.part = part_file.check_part(json.loads(json.dumps(made)), "replay.json")
        self.tables = {table["key"]: table for table in self.part["tables"]}

    def cell(self, table, row, column="sqlite3"):
        return next(cell for cell in self.tables[table]["cells"]
                    if (cell["row"], cell["column"]) == (row, column))  # fmt: skip

    def test_figures(self):
        self.assertEqual(10.0, self.cell("time", "resident")["value"])
        self.assertEqual((10.0, 11.0), tuple(self.cell("time", "resident")[key]
                                             for key in ("low", "high")))  # fmt: skip
        self.assertEqual("does not fit", self.cell("time", "std malloc")["text"])
        self.assertEqual("broken", self.cell("time", "mimalloc")["text"])
        self.assertEqual(4, self.cell("faults", "glibc")["value"])
        self.assertEqual(4, self.cell("peak", "glibc")["value"])
        self.assertEqual(20, self.cell("instructions", "glibc", "sqlite3 free")["value"])
        self.assertEqual(400, self.cell("instructions-max", "glibc", "sqlite3 free")["value"])
        self.assertIsNone(self.tables["instructions-max"]["better"])
        self.assertEqual("not counted",
                         self.cell("instructions", "std malloc", "sqlite3 free")["text"])  # fmt: skip
        self.assertEqual([3, 5, 6, 9], [cell["value"] for cell in self.tables["size"]["cells"]])

    def test_a_capacity_that_had_to_grow(self):
        grown = {**REPLAY["options"], "capacity_bytes": 9 << 20, "outgrown_capacity_bytes": 7 << 20}
        made = replay_part.part_from(
            {"git log": ({**REPLAY, "options": grown}, SIZE), "sqlite3": (REPLAY, SIZE)},
            [], "quick", "now", 1)  # fmt: skip
        notes = [note for note in made["notes"] if "when the threads met in another way" in note]
        self.assertEqual(1, len(notes))
        self.assertIn("an arena of 7.0 MiB had been found to be enough", notes[0])
        self.assertIn("all were measured with 9.0 MiB (git log)", notes[0])

    def test_what_is_missing(self):
        self.assertEqual(["git log", "tcmalloc", "mimalloc"],
                         [each["name"] for each in self.part["missing"]])
        self.assertEqual("broken: hands out overlapping memory (sqlite3)",
                         self.part["missing"][-1]["reason"])  # fmt: skip
        self.assertIn("12 345 events, 6 000 allocations", self.part["notes"][0])
        self.assertIn("1 thread, at most 3.0 MiB live", self.part["notes"][0])
        self.assertIn("not complete", self.part["notes"][0])
        self.assertEqual(
            ["std malloc does not fit: event 9 is refused",
             "boost: no instructions were counted: not permitted",
             "boost: its arena could not be locked (see ulimit -l)"],
            self.part["notes"][1:],
        )  # fmt: skip

    def test_where_the_threads_stay(self):
        stays = [{"processor": "x", "pinned to processor": each} for each in ("1", "none", "1")]
        self.assertEqual("1, none", replay_part._machine(stays)["pinned to processor"])
        self.assertEqual({}, replay_part._machine([]))

    def test_the_names_are_those_of_the_other_parts(self):
        sources = (programs.ROOT / "bench" / "contestants").glob("*.hpp")
        told = "".join(source.read_text(encoding="utf-8") for source in sources)
        for name in replay_part.NAMES.values():
            self.assertIn(f'name = "{name}"', told)

    def test_the_control_is_no_rival(self):
        text = report_text.text_report([self.part])
        self.assertIn("10 ns an event, 0.50x of the best other (glibc, 20)", text)

    def test_nothing_measured(self):
        made = replay_part.part_from({}, [{"name": "a", "reason": "b"}], "full", "now", 1)
        part = part_file.check_part(made, "replay.json")
        self.assertEqual("a: b", part["reason"])


class Run(unittest.TestCase):
    def test_with_a_command_that_is_played(self):
        """A script in the place of the programs: records a file, tells what is prepared, fails once."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "replay.json").write_text(json.dumps(REPLAY), encoding="utf-8")
            (folder / "size.json").write_text(json.dumps(SIZE), encoding="utf-8")
            tool = folder / "resident"
            tool.write_text(
                "#!/bin/sh\n"
                'verb=$1; all="$*"\n'
                'case $0 in *bench_replay) verb=replay ;; esac\n'
                "while [ $# -gt 0 ]; do\n"
                '  case $1 in -o) out=$2 ;; --json) json=$2 ;; esac; shift\n'
                "done\n"
                'case "$all" in *fails*) echo "disk full" >&2; exit 1 ;; esac\n'
                f'if [ $verb = record ]; then echo x > "$out"; else cp {folder}/$verb.json "$json"; fi\n',
                encoding="utf-8",
            )
            tool.chmod(0o755)
            replayer = folder / "bench_replay"
            replayer.symlink_to(tool)
            work = [
                workloads.Workload("works", "sh", "dash", ["-c", "true"]),
                workloads.Workload("broken", "sh", "dash", ["fails"]),
                workloads.Workload("absent", "no-such-program", "nowhere", []),
            ]
            with mock.patch.object(programs, "TOOL", tool), mock.patch.object(
                programs, "REPLAYER", replayer
            ), mock.patch.object(
                workloads, "all_of", lambda *_: work
            ), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(
                io.StringIO()
            ) as errors:
                words = ["--json", str(folder / "out.json"), "--traces", str(folder / "traces")]
                self.assertEqual(1, replay_part.main(words), "a contestant is broken")
            self.assertIn("resident replay failed on works", errors.getvalue())
            part = part_file.read_part(folder / "out.json")
            self.assertEqual(["works"], part["tables"][0]["columns"])
            self.assertEqual(
                [("broken", "resident record: disk full"),
                 ("absent", "no-such-program is not there (Debian: nowhere)"),
                 ("tcmalloc", "not installed"),
                 ("mimalloc", "broken: hands out overlapping memory (works)")],
                [(each["name"], each["reason"]) for each in part["missing"]],
            )  # fmt: skip

    def test_workloads(self):
        """Each can be begun: its files are written, and nothing is there twice."""
        with tempfile.TemporaryDirectory() as name:
            work = workloads.all_of(name, False)
            self.assertEqual(5, len({each.name for each in work}))
            for each in work:
                if each.input is not None:
                    self.assertTrue(each.input.exists())
