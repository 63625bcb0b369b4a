"""./dev bench compare: which differences between two reports are beyond noise.

Figures with repetitions are compared by a rank test, for all of them together with a limit on false
discoveries, and must differ by a least effect too: with enough repetitions every difference is
certain, and few matter. Figures without repetitions are listed apart: whether they are noise is not
known, unless they are exact by nature. So are those with too few to be certain of any difference.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import sys

import findings
import part_file
import rank_test
import report_json
from layout import plain, table, wrap
from quantities import figure, grouped

SCHEMA = "resident-bench-comparison/1"
FALSE_DISCOVERIES = 0.01  # of the differences told, on average
LEAST_EFFECT = 0.05  # of the figure
SAME_MACHINE = ("processor", "processors", "kernel", "compiler", "build", "governor")


@dataclasses.dataclass
class Pair:
    """The same figure in both reports."""

    part: str
    table: str
    row: str
    column: str
    better: str | None
    old: float
    new: float
    probability: float | None = None  # None: there are too few repetitions to tell
    few_repetitions: bool = False  # but some
    beyond_noise: bool = False

    @property
    def change(self):
        """1.1: a tenth more."""
        return self.new / self.old if self.old else (1.0 if self.new == 0 else float("inf"))

    @property
    def worse(self):
        if self.better is None or self.change == 1:
            return False
        return (self.change > 1) == (self.better == "less")


def main(words):
    options = _parse(words)
    try:
        old, new = (part_file.read_report(path) for path in (options.old, options.new))
    except part_file.Invalid as wrong:
        print(wrong, file=sys.stderr)
        return 2
    found = compare(old, new, options.least_effect / 100)
    print(text_of(found), end="")
    if options.json:
        try:
            report_json.write_file(options.json, json.dumps(json_of(found), indent=1) + "\n")
        except OSError as failure:
            print(f"{options.json}: {failure.strerror}", file=sys.stderr)
            return 2
    return _status(found, options.fail_if_slower)


def _parse(words):
    parser = argparse.ArgumentParser(
        prog="./dev bench compare",
        description="Tells which differences between two reports are beyond noise.",
        epilog="Exit: 0, also if something is slower; 1 with --fail-if-slower; 2 a report or the"
        " command line is wrong.",
        allow_abbrev=False,
    )
    parser.add_argument("old", type=pathlib.Path, metavar="OLD", help="report.json, or its folder")
    parser.add_argument("new", type=pathlib.Path, metavar="NEW")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write them here too")
    parser.add_argument("--least-effect", type=_percent, default=100 * LEAST_EFFECT,
                        metavar="PERCENT", help="smaller differences are not told [5]")
    parser.add_argument("--fail-if-slower", type=_percent, metavar="PERCENT",
                        help="exit with 1 if resident is worse by more, beyond noise")
    options = parser.parse_args(words)
    for name in ("old", "new"):
        path = getattr(options, name)
        setattr(options, name, path / "report.json" if path.is_dir() else path)
    return options


def _percent(text):
    number = float(text)
    if not 0 <= number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a percentage of 0 or more")
    return number


def compare(old, new, least_effect=LEAST_EFFECT):
    """All that the reports have in common, and what is different about the machines."""
    mismatches = _mismatches(old, new)
    pairs, only_old, only_new = [], [], []
    before, after = _tables(old), _tables(new)
    for key in list(before) + [key for key in after if key not in before]:
        if key not in after:
            only_old.append(key)
        elif key not in before:
            only_new.append(key)
        else:
            pairs += _pairs(key, before[key], after[key], bool(mismatches))
    tested = [each for each in pairs if each.probability is not None]
    taken = rank_test.false_discoveries([each.probability for each in tested], FALSE_DISCOVERIES)
    for each, certain in zip(tested, taken):
        each.beyond_noise = certain and abs(each.change - 1) >= least_effect
    return {
        "pairs": pairs,
        "mismatches": mismatches,
        "only_old": only_old,
        "only_new": only_new,
        "least_effect": least_effect,
        "curves": [] if mismatches else _curve_pairs(old, new),
    }


def _mismatches(old, new):
    """What makes figures incomparable, as sentences."""
    found = []
    before = {each["title"]: each for each in report_json.measured(old)}
    for part in report_json.measured(new):
        if part["title"] not in before:
            continue
        other = before[part["title"]]
        facts = {key: (other["machine"].get(key), part["machine"].get(key)) for key in SAME_MACHINE}
        facts["mode"] = other["mode"], part["mode"]
        for name, (first, second) in facts.items():
            sentence = f"{name}: {first} and {second}"
            # An older report may not tell it.
            told = name in other["machine"] and name in part["machine"] or name == "mode"
            if told and first != second and sentence not in found:
                found.append(sentence)
    return found


def _tables(parts):
    return {
        (part["part"], part["title"], each["key"]): each
        for part in report_json.measured(parts)
        for each in part["tables"]
    }


def _pairs(key, before, after, by_ratio):
    """Cells that are in both; as ratios to the row the table compares to if the machines differ."""
    reference = before["compared_to"]
    if by_ratio and (reference is None or reference != after["compared_to"]):
        return []
    old_cells, new_cells = findings.cells_of(before), findings.cells_of(after)
    pairs = []
    for (row, column), old in old_cells.items():
        new = new_cells.get((row, column))
        if by_ratio and row == reference:
            continue
        figures = [
            _figures(cell, cells.get((reference, column)) if by_ratio else None)
            for cell, cells in ((old, old_cells), (new, new_cells))
            if cell is not None and "value" in cell
        ]
        if len(figures) != 2 or None in figures:
            continue
        (old_value, old_samples), (new_value, new_samples) = figures
        pairs.append(
            Pair(key[0], before["title"], row, column, before["better"], old_value, new_value,
                 *_probability(old_samples, new_samples))
        )  # fmt: skip
    return pairs


def _figures(cell, reference):
    """The value and the samples. As ratios if there is a reference, sample by sample in the order in
    which they were measured, so that the noise of the reference is in them."""
    if reference is None:
        samples = cell["samples"]
        return (statistics.median(samples) if samples else cell["value"]), samples
    by, each_by = reference.get("value"), reference.get("samples", [])
    if not by or not all(each_by):
        return None
    if len(each_by) != len(cell["samples"]):
        each_by = [by] * len(cell["samples"])
    samples = [sample / divisor for sample, divisor in zip(cell["samples"], each_by)]
    return (statistics.median(samples) if samples else cell["value"] / by), samples


def _probability(old, new):
    """That of the samples if there is no difference, and whether they are too few: among many
    figures the least that they can give must be well below the rate."""
    if len(old) < 2 or len(new) < 2:
        return None, False
    if rank_test.least_possible(len(old), len(new)) > FALSE_DISCOVERIES / 10:
        return None, True
    return rank_test.two_sided(old, new), False


def _curve_pairs(old, new):
    """Percentiles of curves: one value a run each."""
    before = {
        (part["title"], curve["key"], row["contestant"]): row["values"]
        for part in report_json.measured(old)
        for curve in part["curves"]
        for row in findings.curve_rows(curve)
    }
    pairs = []
    for part in report_json.measured(new):
        for curve in part["curves"]:
            for row in findings.curve_rows(curve):
                values = before.get((part["title"], curve["key"], row["contestant"]), [])
                pairs += [
                    Pair(part["part"], curve["title"], row["contestant"], name, "less", first, then)
                    for name, first, then in zip(findings.CURVE_COLUMNS, values, row["values"])
                    if None not in (first, then)
                ]
    return pairs


def _drifts(pairs):
    """By how much all rows of a table moved together, if they did: the machine, not the program."""
    groups = {}
    for each in pairs:
        if each.probability is not None and each.change > 0 and not findings.is_ours(each.row):
            groups.setdefault((each.part, each.table), []).append(each.change)
    middles = {key: statistics.median(changes) for key, changes in groups.items()
               if len(changes) > 3}  # fmt: skip
    return {key: middle for key, middle in middles.items() if abs(middle - 1) > 0.03}


def text_of(found):
    """What was found, in at most 80 columns."""
    pairs, least = found["pairs"], found["least_effect"]
    told = [each for each in pairs if each.beyond_noise]
    tested = [each for each in pairs if each.probability is not None]
    text = wrap(
        f"{len(told)} of {len(tested)} figures with repetitions differ beyond noise: by"
        f" {figure(100 * least)} % or more, in the Mann-Whitney U test, at most"
        f" {figure(100 * FALSE_DISCOVERIES)} % false discoveries."
    )
    ours = [each for each in told if findings.is_ours(each.row)]
    worse = sum(each.worse for each in ours)
    text += wrap(f"resident: {len(ours) - worse} better, {worse} worse.")
    text += _warnings(found)
    if told:
        text += "\nBeyond noise\n" + _table(sorted(told, key=_order))
    others = [each for each in pairs + found["curves"] if each.probability is None]
    others = [each for each in others if abs(each.change - 1) >= max(least, 1e-9)]
    if others:
        text += "\n" + wrap("Without repetitions, or with too few: different, and whether it is noise"
                            " is not known, unless the figure is exact by nature (instructions,"
                            " bytes)")
        text += _table(sorted(others, key=_order)[:60])
        text += f"... and {len(others) - 60} more, see --json\n" if len(others) > 60 else ""
    return text


def _order(pair):
    return (not findings.is_ours(pair.row), -abs(pair.change - 1))


def _warnings(found):
    text = ""
    if found["mismatches"]:
        text += wrap("Not measured alike. Compared are ratios within a table only.", "! ")
        for each in found["mismatches"]:
            text += wrap(each, "  ")
    few = sum(each.few_repetitions for each in found["pairs"])
    if few:
        text += wrap(f"{grouped(few)} figures have too few repetitions to be certain of any"
                     " difference, nor are they limited by --fail-if-slower: run --full.", "! ")  # fmt: skip
    for key, middle in _drifts(found["pairs"]).items():
        text += wrap(f"{plain(key[1])}: the others moved by {100 * (middle - 1):+.0f} % (median):"
                     " that much is the machine's", "! ")  # fmt: skip
    for key, where in (("only_old", "the old"), ("only_new", "the new")):
        for _, title, table_key in found[key]:
            text += wrap(f"only in {where} report: {plain(title)}, {table_key}", "! ")
    return text


def _table(pairs):
    rows = []
    for each in pairs:
        place = f"{each.part}: {plain(each.table)}"
        if len(place) > 30:
            place = place[:29] + "…"
        rows.append([
            f"{place}, {each.column}",
            each.row, figure(each.old), figure(each.new), _change(each),
            "" if each.better is None else "worse" if each.worse else "better",
        ])  # fmt: skip
    return table(["", "", "old", "new", "change", ""], rows, name_width=36)


def _change(pair):
    return f"{100 * (pair.change - 1):+.0f} %" if pair.change < 100 else ">100x"


def json_of(found):
    """The same, for programs."""
    return {
        "schema": SCHEMA,
        "false_discovery_rate": FALSE_DISCOVERIES,
        "least_effect": found["least_effect"],
        "mismatches": found["mismatches"],
        "compared": [
            {
                **dataclasses.asdict(each),
                "change": each.change if each.old else None,
                "worse": each.worse,
            }
            for each in found["pairs"] + found["curves"]
        ],
    }


def _status(found, limit):
    """1 if ours is worse by more than the limit."""
    if limit is None:
        return 0
    for each in found["pairs"]:
        amount = each.change if each.better == "less" else (1 / each.change if each.change else 0)
        if each.beyond_noise and findings.is_ours(each.row) and each.worse:
            if 100 * (amount - 1) > limit:
                return 1
    return 0
