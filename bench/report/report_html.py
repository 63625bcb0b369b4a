"""The report as one page: no scripts, nothing from elsewhere, light and dark."""

import html

import bar_charts
import curve_charts
import findings
import part_file
import plots
import report_json
from page_style import STYLE
from quantities import figure, grouped, ratio, seconds, with_unit
from report_text import conclusions_of, noise_of


CURVE_CHARTS = {
    "steps": (
        curve_charts.steps,
        "Each panel: one contestant as a line, ours filled behind it. Both axes are logarithmic,"
        " so that one call in a million is seen. Bins are an eighth wide.",
    ),
    "percentiles": (
        curve_charts.percentiles,
        "To the right the calls become rarer; each line ends at its slowest call.",
    ),
    "cumulative": (curve_charts.cumulative, "The further to the left a line rises, the better."),
}


def html_report(parts):
    body = "".join(_part(part, at) for at, part in enumerate(parts))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Benchmarks of resident</title>\n<style>{STYLE}</style></head>\n<body>\n"
        f"{plots.MARKER_SHAPES}<h1>Benchmarks of resident</h1>\n{_summary(parts)}{body}"
        "</body></html>\n"
    )


def text(value):
    return html.escape(str(value))


def _summary(parts):
    found = "<ul class=parts>" + "".join(map(_entry, range(len(parts)), parts)) + "</ul>\n"
    return f"{found}{_missing(parts)}{_machine(parts)}{_how_to_read()}"


def _entry(at, part):
    link = f'<a href="#part-{at}">{text(part["title"])}</a>'
    if part["status"] == part_file.NOT_MEASURED:
        return f"<li>{link} <em>not measured: {text(part['reason'])}</em></li>"
    said = "".join(
        f"<li><span>{text(title)}:</span> {text(sentence)}</li>"
        for title, sentence in conclusions_of(part)
    )
    told = f" <small>{text(part['mode'])} mode, {seconds(part['seconds'])}</small>"
    return f"<li>{link}{told}{'<ul>' + said + '</ul>' if said else ''}</li>"


def _missing(parts):
    found = report_json.missing_contestants(parts)
    if not found:
        return ""
    items = "".join(f"<li><b>{text(name)}</b>: {text(reason)}</li>" for name, reason in found)
    return f"<h3>Contestants that did not take part</h3><ul>{items}</ul>\n"


def _machine(parts):
    found = report_json.machines(parts)
    page = ""
    for facts, titles in found:
        of = "" if len(found) == 1 else " of " + ", ".join(titles)
        items = "".join(
            f"<dt>{text(key.replace('_', ' '))}</dt><dd>{text(_fact(value))}</dd>"
            for key, value in facts.items()
        )
        page += f"<h3>Machine{text(of)}</h3><dl>{items}</dl>\n"
    return page


def _fact(value):
    return "unlimited" if value is None else value


def _how_to_read():
    return (
        "<p class=quiet>Ratios in the list above are those of <b>resident</b> to the best other"
        " contestant; bounds, which no allocator can be, do not count. Figures in tables are"
        " medians. Bars end at the median, and their whiskers are the quartiles of the repetitions;"
        " a bar with ▶ is cut off.</p>\n"
    )


def _part(part, at):
    page = f'<section id="part-{at}"><h2>{text(part["title"])}</h2>\n'
    page += f"<p class=command><code>{text(part['command'])}</code></p>\n"
    if part["status"] == part_file.NOT_MEASURED:
        return page + f"<p class=warning>Not measured: {text(part['reason'])}</p></section>\n"
    facts = [f"{part['mode']} mode, {part['began']}, {seconds(part['seconds'])}"]
    noise = noise_of(part)
    facts += [f"Noise floor: {noise}"] if noise else []
    facts += [
        f"{key.capitalize()}: {_fact(value)}"
        for key, value in report_json.facts_of(part).items()
    ]
    page += "<p class=quiet>" + "<br>".join(map(text, facts)) + "</p>\n"
    page += "".join(f"<p class=note>{text(note)}</p>\n" for note in part["notes"])
    page += _contestants(part["contestants"])
    page += "".join(_table(table, part["contestants"]) for table in part["tables"])
    page += "".join(_curve(curve, part["contestants"]) for curve in part["curves"])
    return page + "</section>\n"


def _contestants(contestants):
    if not contestants:
        return ""
    items = "".join(
        f"<dt>{text(each['name'])}</dt><dd>{text(each['what'])}</dd>" for each in contestants
    )
    return f"<details><summary>Contestants</summary><dl>{items}</dl></details>\n"


def _table(table, contestants):
    page = f"<h3>{text(table['title'])}</h3>\n<p class=bias>Bias: {text(table['bias'])}</p>\n"
    sentence = findings.conclusion(table, contestants)
    page += f"<p>resident: {text(sentence)}</p>\n" if sentence else ""
    if table["chart"] == "bars":
        page += _charts(bar_charts.bars(table), table["title"])
    return page + _grid(table, contestants)


def _grid(table, contestants):
    cells = findings.cells_of(table)
    better = {"less": ", less is better", "more": ", more is better", None: ""}[table["better"]]
    compared = f"; small: times {table['compared_to']}" if table["compared_to"] else ""
    page = f"<div class=scroll><table><caption>{text(table['unit'] + better + compared)}</caption>"
    page += "<tr><th></th>" + "".join(f"<th>{text(it)}</th>" for it in table["columns"]) + "</tr>\n"
    best = {it.column: it.rival for it in findings.standings(table, contestants)}
    for row in findings.ordered(table["rows"]):
        page += f"<tr{' class=ours' if findings.is_ours(row) else ''}><td>{text(row)}</td>"
        for column in table["columns"]:
            page += _cell(table, cells.get((row, column)), best.get(column) == row)
        page += "</tr>\n"
    return page + "</table></div>\n"


def _cell(table, cell, is_best):
    if cell is None:
        return "<td>–</td>"
    if "text" in cell:
        kind = "quiet" if cell["text"] in ("-", findings.LEFT_TO_FULL) else "failed"
        return f"<td class={kind}>{text(cell['text'])}</td>"
    times = findings.ratio_of(table, cell)
    small = f" <small>{ratio(times)}</small>" if times is not None else ""
    told = ""
    if "low" in cell and "high" in cell:
        told = f' title="quartiles {figure(cell["low"])} to {figure(cell["high"])}"'
    heat = f' style="--heat:{_share(cell["value"]):.0f}%" class=heat' if _is_share(table) else ""
    value = figure(cell["value"])
    return f"<td{told}{heat}>{f'<u>{value}</u>' if is_best else value}{small}</td>"


def _is_share(table):
    return table["better"] == "more" and table["unit"].startswith("%")


def _share(value):
    return min(max(value, 0), 100) * 0.45


def _curve(curve, contestants):
    page = f"<h3>{text(curve['title'])}</h3>\n<p class=bias>Bias: {text(curve['bias'])}</p>\n"
    sentence = findings.curve_conclusion(curve, contestants)
    page += f"<p>resident: {text(sentence)}</p>\n" if sentence else ""
    page += _curve_table(curve)
    for chart in curve["charts"]:
        make, how_to_read = CURVE_CHARTS[chart]
        page += f"<p class=quiet>{how_to_read}</p>\n"
        page += _charts(make(curve), f"{curve['title']}, {chart}")
    return page


def _curve_table(curve):
    rows = {row["contestant"]: row for row in findings.curve_rows(curve)}
    faults = any(row["minor"] is not None or row["major"] is not None for row in rows.values())
    heads = ["", *findings.CURVE_COLUMNS, "calls"]
    heads += ["minor faults", "major faults"] if faults else []
    page = f"<div class=scroll><table><caption>{text(curve['unit'])} of a call</caption><tr>"
    page += "".join(f"<th>{each}</th>" for each in heads) + "</tr>\n"
    for name in findings.ordered(rows):
        row = rows[name]
        shown = ["–" if it is None else with_unit(it, curve["unit"]) for it in row["values"]]
        shown.append(grouped(row["total"]))
        if faults:
            shown += ["–" if row[it] is None else grouped(row[it]) for it in ("minor", "major")]
        page += f"<tr{' class=ours' if findings.is_ours(name) else ''}><td>{text(name)}</td>"
        page += "".join(f"<td>{text(each)}</td>" for each in shown) + "</tr>\n"
    return page + "</table></div>\n"


def _charts(panels, title):
    """Pictures side by side where there is room, each with its title."""
    if not panels:
        return "<p class=warning>Nothing to draw.</p>\n"
    if not plots.available():
        return f"<p class=warning>{plots.MISSING}</p>\n"
    try:
        drawn = plots.draw(
            [script for _, script in panels], [f"{title} {name}".strip() for name, _ in panels]
        )
    except plots.Failed as failure:
        return f"<p class=warning>gnuplot: {text(failure)}</p>\n"
    page = ""
    for (name, _), picture in zip(panels, drawn):
        caption = f"<figcaption>{text(name)}</figcaption>" if name else ""
        page += f"<figure>{caption}{picture}</figure>\n"
    kind = "panels" if len(panels) > 1 or panels[0][0] else "wide scroll"
    return f'<div class="{kind}">{page}</div>\n'
