"""Real programs, small jobs of theirs, that are recorded for the part "replay"."""

import dataclasses
import os
import pathlib
import shutil
import subprocess

import programs


class Failed(Exception):
    """Why a program cannot be recorded here."""


@dataclasses.dataclass
class Workload:
    """A command to record. Its name is that of the trace and of a column."""

    name: str
    program: str  # that must be there
    package: str  # that has it in Debian
    arguments: list
    input: pathlib.Path | None = None  # standard input
    folder: pathlib.Path = programs.ROOT
    needs: pathlib.Path | None = None  # a file without which there is nothing to do

    @property
    def command(self):
        return [_real(self.program), *self.arguments]

    def prepare(self):
        """Raises Failed if the program or what it works on is not there."""
        if shutil.which(self.program) is None:
            raise Failed(f"{self.program} is not there (Debian: {self.package})")
        if self.needs is not None and not self.needs.exists():
            raise Failed(f"{self.needs.name} is not there: not a clone with its history")


def _real(program):
    """Not a script in its place, whose shell would be recorded."""
    system = f"/usr/bin/{program}"
    return system if os.access(system, os.X_OK) else program


def all_of(scratch, full):
    """In a folder for their files. With `full` they have more to do."""
    scratch = pathlib.Path(scratch)
    history = programs.ROOT / ".git"
    return [
        _sqlite(scratch, 100_000 if full else 10_000),
        _python(scratch, 200_000 if full else 10_000),
        Workload("git log", "git", "git",
                 ["--no-pager", "log", "--stat", "-n", "1000" if full else "50"], needs=history),
        Workload("git diff", "git", "git",
                 ["--no-pager", "diff", "--stat", _first_commit(history), "HEAD"], needs=history),
        _compiler(scratch, full),
    ]  # fmt: skip


def _sqlite(scratch, rows):
    """Fills a database in memory, and queries it."""
    script = scratch / "fill.sql"
    script.write_text(
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL);\n"
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})\n"
        "INSERT INTO item SELECT i, 'item ' || (i * 7919 % 10007), i * 0.25 FROM n;\n"
        "CREATE INDEX by_name ON item(name);\n"
        "SELECT name, count(*), sum(price) FROM item GROUP BY name ORDER BY 3 DESC LIMIT 20;\n"
        "SELECT count(*) FROM item a JOIN item b ON a.name = b.name AND a.id < b.id;\n"
        "UPDATE item SET name = name || ' old' WHERE id % 3 = 0;\n"
        "DELETE FROM item WHERE id % 5 = 0;\n"
        "SELECT group_concat(name) FROM (SELECT name FROM item ORDER BY price LIMIT 500);\n",
        encoding="utf-8",
    )
    return Workload("sqlite3", "sqlite3", "sqlite3", [":memory:"], input=script)


def _python(scratch, lines):
    """Counts words, with malloc for what python would serve from its own pools."""
    script = scratch / "words.py"
    script.write_text(
        "import collections, random\n"
        "chance = random.Random(1)\n"
        "words = [''.join(chance.choices('abcdefgh', k=chance.randint(2, 24))) for _ in range(999)]\n"
        "count, lines = collections.Counter(), []\n"
        f"for number in range({lines}):\n"
        "    line = ' '.join(chance.choices(words, k=6))\n"
        "    count.update(line.split())\n"
        "    lines.append(line.title())\n"
        "    if len(lines) > 2000:\n"
        "        del lines[chance.randrange(2000)]\n"
        "print(count.most_common(9), len(''.join(sorted(lines))))\n",
        encoding="utf-8",
    )
    return Workload("python3", "env", "coreutils",
                    ["PYTHONMALLOC=malloc", _real("python3"), "-S", "-E", str(script)])  # fmt: skip


def _compiler(scratch, full):
    """Compiles a file of the standard library's headers."""
    source = scratch / "compiled.cpp"
    headers = ["map", "string", "vector"] + (["regex", "unordered_map", "iostream"] if full else [])
    source.write_text(
        "".join(f"#include <{each}>\n" for each in headers)
        + "int main() { std::map<std::string, std::vector<int>> m; return (int)m[\"a\"].size(); }\n",
        encoding="utf-8",
    )
    return Workload("g++", "g++", "g++",
                    ["-O1", "-c", str(source), "-o", str(scratch / "compiled.o")])  # fmt: skip


def _first_commit(history):
    if not history.exists() or shutil.which("git") is None:
        return "HEAD"
    run = subprocess.run(["git", "rev-list", "--max-parents=0", "HEAD"], capture_output=True,
                         text=True, cwd=programs.ROOT, check=False)  # fmt: skip
    return (run.stdout.split() or ["HEAD"])[-1]
