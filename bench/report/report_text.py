"""The report as plain text of at most 80 columns: what was found first, then every table."""

import re

import findings
import part_file
import report_json
from layout import plain, table, wrap
from quantities import figure, grouped, ratio, seconds, with_unit


def text_report(parts):
    blocks = [_head(), summary(parts), not_measured(parts), _machine(parts)]
    blocks += [_part(part) for part in report_json.measured(parts)]
    return "\n".join(block for block in blocks if block)


def _head():
    return "BENCHMARKS OF RESIDENT\n"


def _underlined(text, line):
    lines = wrap(text)
    return lines + line * max(map(len, lines.splitlines())) + "\n"


def summary(parts):
    """What was found, in sentences."""
    text = wrap("What was found: resident in proportion to the best other contestant. Bounds are "
                "no contestants. Where less is better, a ratio below 1x is ahead.")
    for part in report_json.measured(parts):
        said = list(conclusions_of(part))
        if said:
            text += "\n" + wrap(part["title"])
        for title, sentence in said:
            text += wrap(f"{plain(title)}: {sentence}", "  ", "    ")
    return text


def conclusions_of(part):
    """Titles of tables and curves, and a sentence about each that has one."""
    for each in part["tables"]:
        sentence = findings.conclusion(each, part["contestants"])
        if sentence:
            yield brief(each["title"]), sentence
    for curve in part["curves"]:
        sentence = findings.curve_conclusion(curve, part["contestants"])
        if sentence:
            yield brief(curve["title"]), sentence


def brief(title):
    """A title to the first colon or full stop; what follows explains the columns."""
    return re.split(r"[:;.] ", plain(title))[0]


def not_measured(parts):
    """Which parts have no figures, and why."""
    text = ""
    for part in parts:
        if part["status"] == part_file.NOT_MEASURED:
            text += wrap(f"{part['part']}: not measured: {part['reason']}", "  ", "    ")
    for name, reason in report_json.missing_contestants(parts):
        text += wrap(f"{name} did not take part: {reason}", "  ", "    ")
    return "Missing\n" + text if text else ""


def _machine(parts):
    text = ""
    found = report_json.machines(parts)
    for facts, titles in found:
        text += "Machine\n" if len(found) == 1 else wrap("Machine of " + ", ".join(titles))
        for key, value in facts.items():
            text += wrap(_fact(value), f"  {plain(key)[:28]:<30}")
    return text


def _fact(value):
    return "unlimited" if value is None else plain(value)


def noise_of(part):
    """The noise floor as a sentence, or None."""
    noise = part["machine"].get("noise")
    if noise is None:
        return None
    return (
        f"{plain(noise['what'])}, {grouped(noise['samples'])} times: p50"
        f" {with_unit(noise['p50_ns'], 'ns')}, p99 {with_unit(noise['p99_ns'], 'ns')}, p99.9"
        f" {with_unit(noise['p99_9_ns'], 'ns')}, p99.99 {with_unit(noise['p99_99_ns'], 'ns')},"
        f" max {with_unit(noise['max_ns'], 'ns')}"
    )


def _part(part):
    text = _underlined(part["title"], "=")
    text += wrap(f"{part['command']} ({part['mode']} mode, {part['began']},"
                 f" {seconds(part['seconds'])})")
    noise = noise_of(part)
    if noise:
        text += wrap(noise, "noise   ")
    for key, value in report_json.facts_of(part).items():
        text += wrap(_fact(value), f"{key:<8}" if len(key) < 8 else key + " ")
    for note in part["notes"]:
        text += wrap(note, "* ")
    for each in part["tables"]:
        text += "\n" + _table(each, part["contestants"])
    for curve in part["curves"]:
        text += "\n" + _curve(curve)
    return text


def _table(each, contestants):
    text = _underlined(each["title"], "-")
    compared = f"; x: times {each['compared_to']}" if each["compared_to"] else ""
    better = {"less": "; less is better", "more": "; more is better", None: ""}[each["better"]]
    text += wrap(each["unit"] + better + compared)
    cells = findings.cells_of(each)
    rows = []
    for name in findings.ordered(each["rows"]):
        row = [name]
        for column in each["columns"]:
            row.append(_cell(each, cells.get((name, column))))
        rows.append(row)
    ahead = {standing.column: standing for standing in findings.standings(each, contestants)}
    if ahead:
        found = [ahead.get(column) for column in each["columns"]]
        rows.append(["best other"] + [it.rival if it else "" for it in found])
        rows.append(["resident is"] + [ratio(it.ratio) if it else "" for it in found])
    text += "\n" + table(["", *each["columns"]], rows)
    return text + wrap(each["bias"], "Bias: ", "  ")


def _cell(each, cell):
    if cell is None:
        return "-"
    if "text" in cell:
        return cell["text"]
    times = findings.ratio_of(each, cell)
    text = figure(cell["value"])
    return text if times is None else f"{text} {ratio(times):>5}"


def _curve(curve):
    rows = findings.curve_rows(curve)
    faults = any(row["minor"] is not None or row["major"] is not None for row in rows)
    head = ["", *findings.CURVE_COLUMNS, "samples"] + (["minor faults", "major faults"] * faults)
    lines = []
    for name in findings.ordered(row["contestant"] for row in rows):
        row = next(row for row in rows if row["contestant"] == name)
        line = [name]
        line += ["-" if it is None else with_unit(it, curve["unit"]) for it in row["values"]]
        line.append(grouped(row["total"]))
        if faults:
            line += ["-" if row[it] is None else grouped(row[it]) for it in ("minor", "major")]
        lines.append(line)
    text = _underlined(curve["title"], "-")
    text += wrap(f"{curve['unit']} a call; less is better") + "\n"
    return text + table(head, lines, name_width=16) + wrap(curve["bias"], "Bias: ", "  ")
