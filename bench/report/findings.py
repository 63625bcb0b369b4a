"""What the figures say: ratios, percentiles, and how ours compares to the best of the others.

Every form of the report takes its conclusions from here, so that they agree.
"""

import dataclasses
import math
import statistics

from quantities import figure, grouped, ratio, with_unit

# Rows that no allocator can be: bounds and controls. They are no rivals.
BOUNDS = {
    "ref", "one thread", "no heap", "no call", "empty", "empty loop", "arena alone", "mmap, touch",
}  # fmt: skip
LEFT_TO_FULL = "--full"  # in a cell that the quick mode leaves out
SHARES = (0.5, 0.99, 0.999, 0.9999)


def is_ours(name):
    """Whether a contestant is this library."""
    return name == "resident" or name.startswith(("resident ", "resident,"))


def is_rival(name, contestants=()):
    """Whether a contestant is somebody else's allocator. Part files may mark one as a bound."""
    marked = any(each["name"] == name and each.get("bound") for each in contestants)
    return not (is_ours(name) or name in BOUNDS or marked)


def cells_of(table):
    """The cells by row and column."""
    return {(cell["row"], cell["column"]): cell for cell in table["cells"]}


def ratio_of(table, cell):
    """To the row that the table compares to; None where there is no such thing."""
    reference = cells_of(table).get((table["compared_to"], cell["column"]))
    if reference is None or not reference.get("value") or "value" not in cell:
        return None
    return cell["value"] / reference["value"]


@dataclasses.dataclass
class Standing:
    """How ours does in a column beside the best of the others."""

    column: str
    ours: str
    value: float
    rival: str
    best: float

    @property
    def ratio(self):
        if self.best:
            return self.value / self.best
        return math.inf if self.value else 1.0


def standings(table, contestants=()):
    """One for each column in which both ours and another have a figure."""
    found = []
    if table["better"] is None:
        return found
    best_of = min if table["better"] == "less" else max
    for column in table["columns"]:
        here = [c for c in table["cells"] if c["column"] == column and "value" in c]
        ours = [c for c in here if is_ours(c["row"])]
        rivals = [c for c in here if is_rival(c["row"], contestants)]
        if ours and rivals:
            mine = next((c for c in ours if c["row"] == "resident"), None)
            mine = mine or best_of(ours, key=lambda c: c["value"])
            best = best_of(rivals, key=lambda c: c["value"])
            found.append(Standing(column, mine["row"], mine["value"], best["row"], best["value"]))
    return found


def _failures(table, contestants):
    """What stands in the place of our figure in columns where another has one."""
    if table["better"] is None:
        return []
    found = []
    for column in table["columns"]:
        here = [c for c in table["cells"] if c["column"] == column]
        ours = [c for c in here if is_ours(c["row"])]
        told = [c["text"] for c in ours if c.get("text") not in (None, LEFT_TO_FULL)]
        rivals = [c for c in here if is_rival(c["row"], contestants) and "value" in c]
        if rivals and told and not any("value" in c for c in ours):
            found.append(told[0])
    return found


def conclusion(table, contestants=()):
    """A sentence about a table, or None if ours has nobody to be compared to."""
    said = [_comparison(table, standings(table, contestants))]
    failures = _failures(table, contestants)
    if failures:
        reasons = ", ".join(dict.fromkeys(failures))
        said.append(f"no figure in {len(failures)} ({reasons})")
    return "; ".join(each for each in said if each) or None


def _comparison(table, found):
    if not found:
        return ""
    more = table["better"] == "more"
    if len(found) == 1:
        only = found[0]
        times = "beside" if math.isinf(only.ratio) else f"{ratio(only.ratio)} of"
        return (
            f"{figure(only.value)} {table['unit']}, {times} the best other"
            f" ({only.rival}, {figure(only.best)})"
        )
    ahead = sum(1 for each in found if (each.ratio > 1 if more else each.ratio < 1))
    level = sum(1 for each in found if each.ratio == 1)
    ratios = sorted(each.ratio for each in found if not math.isinf(each.ratio))
    text = f"ahead of the best other in {ahead} of {len(found)}"
    if level:
        text += f", level in {level}"
    if ratios and level < len(found):
        text += (
            f"; {ratio(ratios[0])} to {ratio(ratios[-1])} of it,"
            f" median {ratio(statistics.median(ratios))}"
        )
    if len(ratios) < len(found):
        text += f"; in {len(found) - len(ratios)} the best other has 0"
    return text


def percentile(series, share):
    """The largest value of the bucket in which the share of all is reached; None if empty."""
    wanted, seen = share * series["total"], 0
    for begin, end, count in series["buckets"]:
        seen += count
        if seen >= wanted:
            return min(end - 1 if end - begin >= 1 else begin, series["max"])
    return series["max"] if series["total"] else None


def curve_rows(curve):
    """For each contestant: its name, the percentiles of SHARES, the largest, and its faults.

    None stands for percentiles that so few calls do not tell from the largest.
    """
    return [
        {
            "contestant": series["contestant"],
            "values": [
                percentile(series, share) if series["total"] * (1 - share) > 0.999 else None
                for share in SHARES
            ]
            + [series["max"] if series["total"] else None],
            "minor": series.get("minor_faults"),
            "major": series.get("major_faults"),
            "total": series["total"],
        }
        for series in curve["series"]
    ]


CURVE_COLUMNS = ("p50", "p99", "p99.9", "p99.99", "max")


def curve_conclusion(curve, contestants=()):
    """A sentence about the tail and the worst case, or None."""
    rows = [row for row in curve_rows(curve) if row["total"]]
    ours = [row for row in rows if is_ours(row["contestant"])]
    ours = next((row for row in ours if row["contestant"] == "resident"), ours[0] if ours else None)
    rivals = [row for row in rows if is_rival(row["contestant"], contestants)]
    if ours is None or not rivals:
        return None
    told = [at for at in range(len(SHARES)) if ours["values"][at] is not None]
    said = []
    for at in (told[-1:] or []) + [len(SHARES)]:
        counted = [row for row in rivals if row["values"][at] is not None]
        if not counted:
            continue
        best = min(counted, key=lambda row, at=at: row["values"][at])
        mine, other = ours["values"][at], best["values"][at]
        times = f" ({ratio(mine / other)})" if other else ""
        said.append(
            f"{CURVE_COLUMNS[at]} {with_unit(mine, curve['unit'])}, best other"
            f" {with_unit(other, curve['unit'])} by {best['contestant']}{times}"
        )
    return "; ".join(said + _faults(ours, rivals))


def _faults(ours, rivals):
    """Page faults of ours, and the range of the others', where they were counted."""
    if _sum(ours) is None:
        return []
    others = sorted(_sum(row) for row in rivals if _sum(row) is not None)
    more = f", others {grouped(others[0])} to {grouped(others[-1])}" if others else ""
    return [f"page faults: {grouped(_sum(ours))}{more}"]


def _sum(row):
    counted = [row[key] for key in ("minor", "major") if row[key] is not None]
    return sum(counted) if counted else None


def ordered(names):
    """Ours first, then the others as they came: the same order in every chart and legend."""
    return sorted(dict.fromkeys(names), key=lambda name: not is_ours(name))
