"""Bars with their spread: a panel for each column of a table, a bar for each contestant."""

import math
import statistics

import findings
import plots
from quantities import duration, figure

ROW = 24  # of a bar, pixels
WIDTH = 420


def bars(table):
    """gnuplot scripts with the titles of their panels. All panels have the same rows."""
    rows = findings.ordered(table["rows"])
    cells = findings.cells_of(table)
    panels = []
    for column in table["columns"]:
        here = [cells.get((row, column)) for row in rows]
        values = [cell["value"] for cell in here if cell and cell.get("value", -1) >= 0]
        if values:
            panels.append((column, _panel(table, rows, here, values)))
    return panels


def _panel(table, rows, here, values):
    limit = axis_limit(values)
    highs = [cell.get("high", 0) for cell in here if cell]
    limit = max(limit, min(max(highs), 1.3 * limit))
    script = plots.head(WIDTH, ROW * len(rows) + 62)
    script += f"set xrange [0:{limit * 1.06:g}]\nset yrange [{len(rows) - 0.4:g}:-0.6]\n"
    script += f"unset grid\nset grid xtics lt 1 lw 0.6 lc rgb '{plots.ROLES['grid']}'\n"
    script += f"set border 2\nset ytics scale 0\nset xtics scale 0.5\n"
    step = _step(limit, 3 if table["unit"] == "ns" else 4)
    marks = [step * at for at in range(5) if step * at <= limit * 1.06]
    marks = ", ".join(f"{plots.quoted(_shown(at, table))} {at:g}" for at in marks)
    script += f"set xtics ({marks}) textcolor rgb '{plots.ROLES['ink']}'\n"
    script += f"set lmargin {min(max(map(len, rows)), 22) + 1}\nset rmargin 10\nset bars 0.5\n"
    script += plots.label("xlabel", table["unit"])
    names = ", ".join(f"{plots.quoted(plots.short(row, 22).replace('%', '%%'))} {at}" for at, row in enumerate(rows))
    script += f"set ytics ({names}) textcolor rgb '{plots.ROLES['ink']}'\n"
    boxes = {"ours": [], "rival": [], "bound": []}
    whiskers = []
    for at, (row, cell) in enumerate(zip(rows, here)):
        script += _label(at, cell, limit, table)
        if not cell or cell.get("value", -1) < 0:
            continue
        end = min(cell["value"], limit)
        boxes[_kind(row)].append((end / 2, at, 0, end, at - 0.34, at + 0.34))
        if cell["value"] <= limit and "low" in cell and "high" in cell:
            whiskers.append((cell["value"], at, cell["low"], min(cell["high"], limit * 1.05)))
    return script + _plot(boxes, whiskers)


def axis_limit(values):
    """Beyond it bars are cut off, so that one slow contestant does not hide all the others."""
    top, middle = max(values), statistics.median(values)
    return top if top <= 6 * middle or middle <= 0 else 5 * middle


def _step(limit, most):
    """1, 2 or 5 times a power of ten, such that there are so many marks at the most."""
    if limit <= 0:
        return 1
    least = limit / most
    unit = 10 ** math.floor(math.log10(least))
    return next(by * unit for by in (1, 2, 5, 10) if by * unit >= least * 0.999)


def _shown(value, table):
    """Times of some length in the unit that suits them."""
    return duration(value) if table["unit"] == "ns" else figure(value)


def _kind(row):
    if findings.is_ours(row):
        return "ours"
    return "rival" if findings.is_rival(row) else "bound"


def _label(at, cell, limit, table):
    if cell is None:
        return plots.text_at("no figure", f"first 0, first {at}", "quiet", "offset 0.6,0")
    if "text" in cell:
        return plots.text_at(plots.short(cell["text"], 34), f"first 0, first {at}", "quiet",
                             "offset 0.6,0")
    text = ("▶ " if cell["value"] > limit else "") + _shown(cell["value"], table)
    return plots.text_at(text, f"graph 1.02, first {at}")


def _plot(boxes, whiskers):
    """Ours is full, others are lighter, bounds are outlines alone."""
    fills = {
        "ours": f"fs solid 0.95 noborder lc rgb '{plots.colour(0)}'",
        "rival": f"fs solid 0.55 noborder lc rgb '{plots.ROLES['quiet']}'",
        "bound": f"lw 1.2 dt 3 lc rgb '{plots.ROLES['quiet']}' fs empty border",
    }
    drawn, data = [], ""
    for kind, rows in boxes.items():
        if rows:
            drawn.append(f"'-' with boxxyerror {fills[kind]}")
            data += plots.numbers(rows)
    if whiskers:
        drawn.append(f"'-' with xerrorbars pt 0 ps 0 lw 1.5 lc rgb '{plots.ROLES['ink']}'")
        data += plots.numbers(whiskers)
    return "plot " + ", ".join(drawn) + "\n" + data
