"""The driver: parts by name, a program that fails, is missing or writes nonsense, a folder that
cannot be written to. The programs are shell scripts that write prepared part files."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import child
import part_file
import programs
import report_html
import run
import samples


class Driver(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.out = self.folder / "out"
        self.bench = self.folder / "bench"
        self.bench.mkdir()
        for target, name, value in (
            (programs, "BENCHMARKS", self.bench),
            (report_html.plots, "available", lambda: False),  # pictures have their own tests
        ):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def program(self, name, script):
        """A program that has $json, the file to write, and $words, all its arguments."""
        path = self.bench / f"bench_{name}"
        path.write_text(
            '#!/bin/sh\nwords="$*"\nwhile [ $# -gt 0 ]; do [ "$1" = --json ] && json=$2; shift; done\n'
            + script,
            encoding="utf-8",
        )
        path.chmod(0o755)

    def good(self, name, part=None):
        """A program that does what it should."""
        ready = self.folder / f"{name}.json"
        made = samples.part(part or name, f"Title of {name}", tables=[samples.table()])
        ready.write_text(json.dumps(made), encoding="utf-8")
        self.program(name, f'cp {ready} "$json"; echo "$words" > {self.folder}/{name}.words\n')

    def run_it(self, *words):
        """The exit code and what was printed."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            with contextlib.redirect_stderr(io.StringIO()) as error:
                try:
                    status = run.main([*words, "--out", str(self.out)])
                except SystemExit as end:
                    status = end.code
        return status, out.getvalue() + error.getvalue()

    def parts(self):
        return part_file.read_report(self.out / "report.json")

    def words(self, name):
        return (self.folder / f"{name}.words").read_text(encoding="utf-8").split()

    def test_a_part_alone(self):
        self.good("capacity")
        status, said = self.run_it("capacity")
        self.assertEqual(0, status)
        self.assertEqual(["Title of capacity"], [part["title"] for part in self.parts()])
        ending = [str(self.out / f"report.{kind}") for kind in ("html", "txt", "json")]
        self.assertEqual(ending, said.splitlines()[-3:])
        for path in ending:
            self.assertTrue(os.path.getsize(path))
        self.assertNotIn("--full", self.words("capacity"))
        for line in said.splitlines()[:-3]:
            self.assertLessEqual(len(line), 80)

    def test_a_program_alone_and_flags(self):
        self.good("pmr", "throughput")
        self.assertEqual(0, self.run_it("pmr", "--full", "--benchmark_filter=x")[0])
        self.assertTrue((self.out / "parts" / "throughput-pmr.json").exists())
        self.assertEqual(["--full", "--benchmark_filter=x"],
                         [each for each in self.words("pmr") if "=" in each or "full" in each])

    def test_failures_are_reported_and_the_rest_is_measured(self):
        self.program("latency", 'echo first >&2; echo "no memory for it" >&2; exit 3\n')
        self.program("bounds", "kill -9 $$\n")
        self.good("capacity")
        self.program("pressure", 'echo "{" > "$json"\n')
        self.program("start_up", "exit 0\n")
        status, said = self.run_it("latency", "bounds", "capacity", "pressure", "start-up",
                                   "threads")  # fmt: skip
        self.assertEqual(1, status)
        reasons = {part["part"]: part.get("reason") for part in self.parts()}
        self.assertEqual(
            {
                "latency": "no memory for it (exit code 3)",
                "bounds": "it ended with signal 9",
                "capacity": None,
                "pressure": reasons["pressure"],
                "start-up": "it ended well and wrote no part file",
                "threads": "there is no program bench_threads",
            },
            reasons,
        )
        self.assertIn("pressure.json: not JSON", reasons["pressure"])
        for form in ("report.txt", "report.html"):
            self.assertIn("no memory for it", (self.out / form).read_text(encoding="utf-8"))
        self.assertIn("[1/6] latency: not measured after", said)

    def test_measured_and_failed(self):
        self.good("capacity")
        path = self.bench / "bench_capacity"
        path.write_text(path.read_text(encoding="utf-8") + "echo overlap >&2; exit 1\n",
                        encoding="utf-8")  # fmt: skip
        status, said = self.run_it("capacity")
        self.assertEqual(1, status)
        self.assertIn("measured after", said)
        self.assertNotIn("not measured after", said)
        self.assertEqual(["Not all is well: overlap (exit code 1)"], self.parts()[0]["notes"])
        self.assertEqual(1, len(self.parts()[0]["tables"]))

    def test_not_measured_by_its_own_account(self):
        made = part_file.unmeasured("pressure", "Pressure", "./dev bench pressure", "no cgroup")
        ready = self.folder / "ready.json"
        ready.write_text(json.dumps(made), encoding="utf-8")
        self.program("pressure", f'cp {ready} "$json"\n')
        self.assertEqual(1, self.run_it("pressure")[0])
        self.assertEqual("no cgroup", self.parts()[0]["reason"])

    def test_other_parts_of_the_folder_stay(self):
        self.good("capacity")
        self.good("latency")
        self.run_it("capacity")
        self.run_it("latency")
        self.assertEqual(["latency", "capacity"], [part["part"] for part in self.parts()])

    def test_what_was_measured_before_is_not_taken_for_new(self):
        self.good("capacity")
        self.run_it("capacity")
        self.program("capacity", "exit 1\n")
        self.assertEqual(1, self.run_it("capacity")[0])
        self.assertEqual(part_file.NOT_MEASURED, self.parts()[0]["status"])

    def test_interrupted(self):
        self.good("latency")
        self.good("capacity")
        with mock.patch.object(child, "run", side_effect=KeyboardInterrupt):
            self.assertEqual(130, self.run_it("latency", "capacity")[0])
        self.assertEqual(["interrupted"] * 2, [part["reason"] for part in self.parts()])

    def test_an_interrupt_leaves_what_was_measured_before(self):
        self.good("capacity")
        self.run_it("capacity")
        self.good("latency")
        with mock.patch.object(child, "run", side_effect=KeyboardInterrupt):
            self.assertEqual(130, self.run_it("latency", "capacity")[0])
        status = {part["part"]: part["status"] for part in self.parts()}
        self.assertEqual({"latency": part_file.NOT_MEASURED, "capacity": part_file.MEASURED}, status)

    def test_what_cannot_be_read_is_kept_aside(self):
        self.program("capacity", 'echo "{" > "$json"\n')
        self.assertEqual(1, self.run_it("capacity")[0])
        aside = self.out / "parts" / "capacity.unreadable"
        self.assertEqual("{\n", aside.read_text(encoding="utf-8"))

    def test_an_interrupted_program_puts_away_what_it_made(self):
        made = self.folder / "made"
        words = ["bash", "-c", f"trap 'rm {made}; exit 0' INT; touch {made}; while :; do sleep 0.1; done"]

        def interrupt(_):
            while not made.exists():
                pass
            raise KeyboardInterrupt

        with mock.patch.object(child, "_pass_on", side_effect=interrupt):
            with self.assertRaises(KeyboardInterrupt):
                child.run(words)
        self.assertFalse(made.exists())

    def test_wrong_command_lines(self):
        for words, expected in (
            (["speed"], 'There is no part "speed". There are:'),
            (["capacity", "--benchmark_filter=x"], "None of these parts takes --benchmark_filter"),
            (["--fast"], "unrecognized arguments: --fast"),
            (["throughput", "--benchmark_out=x"], "3 programs would write it"),
        ):
            status, said = self.run_it(*words)
            self.assertEqual(2, status)
            self.assertIn(expected, said)
        self.assertIn("start-up", self.run_it("speed")[1])
        self.assertFalse(self.out.exists())

    def test_list_and_dry_run(self):
        self.assertEqual((0, programs.listing()), self.run_it("--list"))
        status, said = self.run_it("threads", "--dry-run", "--", "-v=1")
        self.assertEqual(0, status)
        self.assertIn("bench_threads --json", said)

    def test_google_benchmarks_own_output(self):
        self.program("pmr", f'echo "$words" > {self.folder}/pmr.words\n')
        self.assertEqual(0, self.run_it("pmr", "--benchmark_out=x.json")[0])
        self.assertEqual(["--benchmark_out=x.json"], self.words("pmr"))
        self.assertFalse(self.out.exists())
        self.assertEqual(1, self.run_it("direct", "--benchmark_list_tests")[0])

    def test_folder_that_cannot_be_written(self):
        self.out.write_text("in the way", encoding="utf-8")
        self.good("capacity")
        status, said = self.run_it("capacity")
        self.assertEqual(2, status)
        self.assertIn("name another folder with --out", said)
        self.assertEqual("in the way", self.out.read_text(encoding="utf-8"))

    def test_report_again(self):
        self.good("capacity")
        self.run_it("capacity")
        (self.out / "report.html").unlink()
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(0, run.report_again([str(self.out)]))
        self.assertTrue((self.out / "report.html").exists())

    def test_every_part_has_a_program(self):
        self.assertEqual(set(part_file.PARTS), set(programs.PARTS))
        self.assertEqual(list(programs.PROGRAMS), programs.chosen([]))


class Child(unittest.TestCase):
    """In a process of its own, whose standard error can be looked at."""

    def run_it(self, script):
        code = f"import child; print(child.run(['sh', '-c', {script!r}]))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True,
                              cwd=pathlib.Path(child.__file__).parent, check=True)  # fmt: skip
        return done.stdout.decode(), done.stderr.decode()

    def test_passes_on_and_remembers(self):
        out, error = self.run_it("echo shown; echo one >&2; printf 'two\\r\\033[Kthree\\n\\n' >&2; exit 7")
        self.assertEqual("shown\n(7, 'three')\n", out)
        self.assertEqual("one\ntwo\r\x1b[Kthree\n\n", error)

    def test_signals(self):
        self.assertEqual("(-9, '')\n", self.run_it("kill -9 $$")[0])
        self.assertEqual("it ended with signal 9", child.why(-9, ""))
