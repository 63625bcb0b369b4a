"""Charts of how long calls take: step histograms, percentile curves, cumulative shares.

Each function returns gnuplot scripts with the titles of what they show.
"""

import math

import findings
import plots
from quantities import decades, duration, grouped, percent, with_unit

FLOOR = 0.7  # where 0 is drawn on a logarithmic axis


def steps(curve):
    """Small multiples: each contestant in a panel, over ours, on the same axes."""
    series = _series(curve)
    if not series:
        return []
    edges = _edges(max(each["buckets"][-1][1] for each in series))
    low = min(max(each["buckets"][0][0], 1) for each in series)
    top = max(each["max"] for each in series)
    floor = min(1 / each["total"] for each in series) / 2
    frame = _frame(curve, max(low * 0.7, FLOOR), top * 1.5, floor)
    ours = [each for each in series if findings.is_ours(each["contestant"])][:1]
    panels = [each for each in series if each not in ours] or ours
    return [
        (each["contestant"], frame + _step_panel(each, ours, edges, floor, _place(series, each)))
        for each in panels
    ]


def _frame(curve, low, top, floor):
    script = plots.head(420, 270) + "set logscale xy\n"
    script += f"set xrange [{low:g}:{top:g}]\nset yrange [{floor:g}:1.3]\nset lmargin 12\n"
    script += plots.label("xlabel", axis_title(curve))
    script += "set ylabel offset 1,0\n" + plots.label("ylabel", "share of calls")
    script += value_tics("xtics", low, top, curve["unit"], 6)
    shares = [each for each in decades(floor, 1) if floor <= each <= 1]
    return script + _tics("ytics", [(each, percent(each)) for each in shares[:: len(shares) // 7 + 1]])


def _step_panel(series, ours, edges, floor, index):
    script, data, drawn = "", "", []
    for each in ours:
        if each is not series:
            drawn.append(f"'-' with filledcurves y1={floor:g} fs transparent solid 0.22 noborder"
                         f" lc rgb '{plots.colour(0)}'")
            drawn.append(f"'-' with lines lw 1.2 lc rgb '{plots.colour(0)}'")
            data += plots.numbers(_outline(each, edges, floor)) * 2
            script += plots.text_at("filled: " + plots.short(each["contestant"], 16), "graph 0.98, 0.86",
                                    plots.colour(0), "right")
    drawn.append(f"'-' with lines lw 2 dt 1 lc rgb '{plots.colour(index)}'")
    data += plots.numbers(_outline(series, edges, floor))
    script += plots.text_at("line: " + plots.short(series["contestant"], 20), "graph 0.98, 0.95",
                            plots.colour(index), "right")
    return script + "plot " + ", ".join(drawn) + "\n" + data


def _edges(top):
    """Bins of about an eighth; where the values are that small, of one."""
    edges = [0]
    while edges[-1] <= top:
        edges.append(max(edges[-1] + 1, math.ceil(edges[-1] * 1.122)))
    return edges


def _outline(series, edges, floor):
    """The corners of a step histogram."""
    counts, at = [0] * (len(edges) - 1), 0
    for begin, _, count in series["buckets"]:
        while begin >= edges[at + 1]:
            at += 1
        counts[at] += count
    corners = []
    for at, count in enumerate(counts):
        height = max(count / series["total"], floor) if count else floor
        begin, end = max(edges[at], FLOOR), max(edges[at + 1], FLOOR)
        corners += [(begin, height), (end, height)]
    return corners


def percentiles(curve):
    """One chart: the time that a share of calls does not exceed, to the rarest call."""
    series = _series(curve)
    if not series:
        return []
    rarest = max(each["total"] for each in series)
    low = min(max(findings.percentile(each, 0.5), 1) for each in series) * 0.7
    top = max(each["max"] for each in series) * 1.4
    script = plots.head(900, 460) + "set logscale xy\nset rmargin 26\nset lmargin 11\n"
    script += f"set xrange [2:{rarest:g}]\nset yrange [{max(low, FLOOR):g}:{top:g}]\n"
    script += plots.label("xlabel", "percentile: share of calls that took no longer")
    script += plots.label("ylabel", axis_title(curve))
    script += _tics("xtics", [(1 / (1 - share), percent(share)) for share in _shares(rarest)])
    script += value_tics("ytics", max(low, FLOOR), top, curve["unit"], 9)
    lines = {_place(series, each): _percentile_points(each) for each in series}
    marks = {at: [p for p in points if _is_power(p[0])] for at, points in lines.items()}
    return [("", script + _lines_with_labels(series, lines, marks, max(low, FLOOR), top))]


def _percentile_points(series):
    """(1 / (1 - share), value) at eight points a decade, and at the rarest call."""
    points = []
    for step in range(3, 8 * 12):
        inverse = 10 ** (step / 8)
        if inverse >= series["total"]:
            break
        points.append((inverse, max(findings.percentile(series, 1 - 1 / inverse), FLOOR)))
    return [*points, (max(series["total"], 2), max(series["max"], FLOOR))]


def _is_power(number):
    return abs(math.log10(number) - round(math.log10(number))) < 1e-9


def _shares(rarest):
    known = (0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999, 0.9999999, 0.99999999)
    return [share for share in known if 1 / (1 - share) <= rarest * 1.001]


def cumulative(curve):
    """One chart: which share of calls takes at most so much; a mark at the largest."""
    series = _series(curve)
    if not series:
        return []
    low = max(min(each["buckets"][0][0] for each in series) * 0.8, FLOOR)
    top = max(each["max"] for each in series) * 1.4
    script = plots.head(900, 440) + "set logscale x\nset rmargin 32\nset lmargin 9\n"
    script += f"set xrange [{low:g}:{top:g}]\nset yrange [0:104]\nset ytics 20 format '%g %%'\n"
    script += plots.label("xlabel", axis_title(curve) + "; marks and names: the most that any call took")
    script += plots.label("ylabel", "share of calls that took no more")
    script += value_tics("xtics", low, top, curve["unit"], 12)
    lines = {_place(series, each): _shares_of(each) for each in series}
    marks = {at: points[-1:] for at, points in lines.items()}
    return [("", script + _lines_with_key(series, lines, marks, curve["unit"]))]


def _shares_of(series):
    points, seen = [(max(series["buckets"][0][0], FLOOR), 0.0)], 0
    for begin, _, count in series["buckets"]:
        points.append((max(begin, FLOOR), 100 * seen / series["total"]))
        seen += count
        points.append((max(begin, FLOOR), 100 * seen / series["total"]))
    return [*points, (max(series["max"], FLOOR), 100.0)]


def _lines_with_labels(series, lines, marks, low, top):
    """Names to the right of the lines' ends, moved apart where they would touch."""
    span = math.log(top / low)
    ends = {at: math.log(points[-1][1] / low) / span for at, points in lines.items()}
    places = spread(ends, 0.052)
    script = ""
    for each in series:
        at = _place(series, each)
        end = lines[at][-1]
        script += (f"set arrow from first {end[0]:g}, first {end[1]:g} to graph 1.03, graph"
                   f" {places[at]:.4f} nohead lw 0.7 lc rgb '{plots.colour(at)}'\n")
        script += _key_entry(each, at, places[at])
    return script + _plot(lines, marks)


def _lines_with_key(series, lines, marks, unit):
    script = ""
    for each in series:
        at = _place(series, each)
        most = with_unit(each["max"], unit)
        script += _key_entry(each, at, 0.97 - 0.065 * at, f": {most}")
    return script + _plot(lines, marks)


def _key_entry(series, at, height, more=""):
    script = (f"set arrow from graph 1.035, graph {height:.4f} to graph 1.085, graph {height:.4f}"
              f" nohead {plots.line_style(at)}\n")
    script += (f"set label '' at graph 1.06, graph {height:.4f} point {plots.marker_style(at)}\n")
    return script + plots.text_at(
        plots.short(series["contestant"], 20) + more, f"graph 1.095, graph {height:.4f}", plots.colour(at)
    )


def _plot(lines, marks):
    """Ours last: above the others."""
    drawn, data = [], ""
    for at in sorted(lines, reverse=True):
        drawn.append(f"'-' with lines {plots.line_style(at)}")
        data += plots.numbers(lines[at])
        if marks[at]:
            drawn.append(f"'-' with points {plots.marker_style(at)}")
            data += plots.numbers(marks[at])
    return "plot " + ", ".join(drawn) + "\n" + data


def spread(wanted, distance):
    """Places near the wanted ones and at least so far from each other, within 0 to 1 if there is
    room."""
    order = sorted(wanted, key=lambda key: (wanted[key], key))
    places, least = {}, 0.0
    for key in order:
        places[key] = max(wanted[key], least)
        least = places[key] + distance
    most = max(1.0, distance * (len(order) - 1))
    for key in reversed(order):
        places[key] = min(places[key], most)
        most = places[key] - distance
    return places


def axis_title(curve):
    return "time of a call" if curve["unit"] == "ns" else curve["unit"] + " of a call"


def value_tics(axis, low, top, unit, most):
    """Powers of ten, in between 2 and 5 where there is room, with their units."""
    ticks = [each for each in decades(low, top) if low <= each <= top]
    if len(ticks) <= most // 3:
        ticks = [tick * by for tick in decades(low, top) for by in (1, 2, 5)]
        ticks = [tick for tick in ticks if low <= tick <= top]
    ticks = ticks[:: len(ticks) // (most + 1) + 1]
    show = duration if unit == "ns" else grouped
    return _tics(axis, [(tick, show(tick)) for tick in ticks])


def _tics(axis, places):
    """Their texts are formats for the value to gnuplot, which is why % is doubled."""
    listed = ", ".join(
        f"{plots.quoted(text.replace('%', '%%'))} {value:g}" for value, text in places
    )
    return f"set {axis} ({listed}) textcolor rgb '{plots.ROLES['ink']}'\n"


def _series(curve):
    """Those with values, ours first."""
    names = findings.ordered(each["contestant"] for each in curve["series"])
    full = [each for each in curve["series"] if each["total"]]
    return sorted(full, key=lambda each: names.index(each["contestant"]))


def _place(series, one):
    """The place in the order: 0 is for ours alone."""
    first = 0 if findings.is_ours(series[0]["contestant"]) else 1
    return series.index(one) + first
