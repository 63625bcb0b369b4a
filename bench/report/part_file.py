"""Reads and validates part files: docs/report-format.md describes them.

A part file comes from a program that may have crashed or be of another version: whatever is wrong
with it is told with the file and the field, as in "latency.json: curves[0].unit: missing".
"""

import json
import math
import pathlib

SCHEMA = "resident-bench-part/1"
REPORT_SCHEMA = "resident-bench-report/1"
PARTS = (
    "throughput",
    "latency",
    "bounds",
    "capacity",
    "pressure",
    "start-up",
    "threads",
    "replay",
)
MEASURED, NOT_MEASURED = "measured", "not measured"
CHARTS = ("steps", "percentiles", "cumulative")


class Invalid(Exception):
    """What is wrong with a file, and where in it."""


def read_part(path):
    """The part in a file. Raises Invalid."""
    path = pathlib.Path(path)
    return check_part(read_json(path), path.name)


def read_report(path):
    """All parts of a report.json. Raises Invalid."""
    name = str(path)
    report = read_json(pathlib.Path(path))
    _Field(report, name, "").one_of("schema", (REPORT_SCHEMA,))
    parts = _Field(report, name, "").list("parts")
    return [check_part(part.value, f"{name}: {part.place}") for part in parts]


def read_json(path):
    """Raises Invalid."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except OSError as failure:
        raise Invalid(f"{path}: {failure.strerror}") from failure
    except RecursionError as failure:
        raise Invalid(f"{path}: nested too deeply") from failure
    except ValueError as failure:
        raise Invalid(f"{path}: not JSON: {failure}") from failure


def check_part(part, name):
    """The part, with what it may leave out filled in. Raises Invalid."""
    root = _Field(part, name, "")
    root.one_of("schema", (SCHEMA,))
    root.one_of("part", PARTS)
    root.one_of("status", (MEASURED, NOT_MEASURED))
    for key in ("title", "command"):
        root.text(key)
    if part["status"] == NOT_MEASURED:
        root.text("reason")
    else:
        root.one_of("mode", ("quick", "full"))
        root.text("began")
        root.number("seconds", least=0)
        _check_machine(root.object("machine"))
    for key, second in (("contestants", "what"), ("missing", "reason")):
        for each in root.list(key, absent=[]):
            each.text("name")
            each.text(second)
    for note in root.list("notes", absent=[]):
        note.must(isinstance(note.value, str), "a text")
    for table in root.list("tables", absent=[]):
        _check_table(table)
    for curve in root.list("curves", absent=[]):
        _check_curve(curve)
    root.object("machine", absent={})
    return part


def unmeasured(part, title, command, reason):
    """A part that says why it is not there."""
    return check_part(
        {
            "schema": SCHEMA,
            "part": part,
            "title": title,
            "command": command,
            "status": NOT_MEASURED,
            "reason": reason,
        },
        part,
    )


class _Field:
    """A value in a file, and the way to it."""

    def __init__(self, value, name, place):
        self.value, self.name, self.place = value, name, place

    def fail(self, what, key=None):
        place = self._way(key) if key is not None else self.place
        raise Invalid(f"{self.name}: {place + ': ' if place else ''}{what}")

    def must(self, holds, what):
        if not holds:
            self.fail(f"{_shown(self.value)} is not {what}")

    def text(self, key):
        return self._get(key, lambda value: isinstance(value, str), "a text")

    def number(self, key, least=None, optional=False):
        if optional and self._absent(key):
            return None
        what = "a number" if least is None else f"a number of at least {least}"
        return self._get(key, lambda value: is_number(value, least), what)

    def one_of(self, key, choices):
        listed = ", ".join("null" if each is None else f'"{each}"' for each in choices)
        return self._get(key, lambda value: value in choices, f"one of {listed}")

    def object(self, key, absent=None):
        if absent is not None and self._absent(key):
            self.value[key] = absent
        value = self._get(key, lambda value: isinstance(value, dict), "an object")
        return _Field(value, self.name, self._way(key))

    def list(self, key, absent=None):
        if absent is not None and self._absent(key):
            self.value[key] = absent
        items = self._get(key, lambda value: isinstance(value, list), "an array")
        return [
            _Field(item, self.name, f"{self._way(key)}[{at}]") for at, item in enumerate(items)
        ]

    def _get(self, key, holds, what):
        if not isinstance(self.value, dict):
            self.fail(f"{_shown(self.value)} is not an object")
        if key not in self.value:
            self.fail("missing", key)
        value = self.value[key]
        try:
            right = holds(value)
        except TypeError:
            right = False
        if not right:
            self.fail(f"{_shown(value)} is not {what}", key)
        return value

    def _absent(self, key):
        return isinstance(self.value, dict) and key not in self.value

    def _way(self, key):
        return f"{self.place}.{key}" if self.place else key


def is_number(value, least=None):
    """Whether it is a finite one; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and (least is None or value >= least)


def _check_machine(machine):
    if "noise" not in machine.value:
        return
    noise = machine.object("noise")
    noise.text("what")
    for key in ("samples", "p50_ns", "p99_ns", "p99_9_ns", "p99_99_ns", "max_ns"):
        noise.number(key, least=0)


def _check_table(table):
    for key in ("key", "title", "bias", "unit"):
        table.text(key)
    table.one_of("better", ("less", "more", None))
    table.one_of("chart", ("bars", "none"))
    names = {}
    for key in ("rows", "columns"):
        names[key] = [each.value for each in table.list(key)]
        if not all(isinstance(each, str) for each in names[key]):
            table.fail("not all are texts", key)
        if len(set(names[key])) != len(names[key]):
            table.fail("a name is there twice", key)
    table.one_of("compared_to", (None, *names["rows"]))
    seen = set()
    for cell in table.list("cells"):
        cell.one_of("row", names["rows"])
        cell.one_of("column", names["columns"])
        place = cell.value["row"], cell.value["column"]
        if place in seen:
            cell.fail(f"{place[0]}, {place[1]} is there twice")
        seen.add(place)
        _check_cell(cell)


def _check_cell(cell):
    if ("text" in cell.value) == ("value" in cell.value):
        cell.fail('either "value" or "text" must be there')
    if "text" in cell.value:
        cell.text("text")
        return
    cell.number("value")
    low = cell.number("low", optional=True)
    high = cell.number("high", optional=True)
    if low is not None and high is not None and low > high:
        cell.fail(f"low {low} is above high {high}")
    for sample in cell.list("samples", absent=[]):
        sample.must(is_number(sample.value), "a number")


def _check_curve(curve):
    for key in ("key", "title", "bias", "unit"):
        curve.text(key)
    for chart in curve.list("charts"):
        chart.must(chart.value in CHARTS, "one of " + ", ".join(CHARTS))
    for series in curve.list("series"):
        series.text("contestant")
        series.number("max", least=0)
        for key in ("minor_faults", "major_faults"):
            series.number(key, least=0, optional=True)
        total, before = series.number("total", least=0), 0
        counted = 0
        for bucket in series.list("buckets"):
            before = _check_bucket(bucket, before)
            counted += bucket.value[2]
        if counted != total:
            series.fail(f"{total} is not the sum of the buckets, {counted}", "total")


def _check_bucket(bucket, before):
    value = bucket.value
    right = isinstance(value, list) and len(value) == 3
    bucket.must(right and all(is_number(each, 0) for each in value), "[begin, end, count]")
    begin, end, count = value
    if end <= begin:
        bucket.fail(f"end {end} is not above begin {begin}")
    if begin < before:
        bucket.fail(f"begin {begin} is below the end of the one before it, {before}")
    if count == 0:
        bucket.fail("count is 0; empty buckets are left out")
    return end


def _shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."


def _no_number(text):
    raise ValueError(f"{text} is not a number")
