"""Runs gnuplot, and makes its pictures part of a page.

gnuplot draws in colours that stand for roles; in the page they are CSS variables, so that a picture
follows the reader's light or dark scheme. Contestants differ in dash and marker too.
"""

import html
import re
import shutil
import subprocess

MISSING = "gnuplot is missing: no picture (Debian: gnuplot-nox)"
ROLES = {"ink": "#010101", "quiet": "#010102", "grid": "#010103", "paper": "#010104"}
DASHES = ("1", "(10,4)", "(3,3)", "(10,3,2,3)", "(6,3)", "(14,4)", "(2,5)", "(10,3,2,3,2,3)",
          "(5,2,5,6)", "(1,3)", "(16,3,4,3)", "(8,8)")
MARKERS = (7, 5, 9, 11, 13, 4, 6, 8, 10, 12, 1, 2)


class Failed(Exception):
    """What gnuplot said."""


def available():
    return shutil.which("gnuplot") is not None


def _style(index):
    """Of the styles, that of a contestant by its place in the order; ours is 0, and ours alone."""
    return 0 if index == 0 else (index - 1) % 11 + 1


def colour(index):
    """The colour of a contestant by its place in the order."""
    return f"#0202{_style(index) + 1:02x}"


def line_style(index):
    """Width, dash and colour."""
    return f"lw {3 if index == 0 else 1.6} dt {DASHES[_style(index)]} lc rgb '{colour(index)}'"


def marker_style(index):
    return f"pt {MARKERS[_style(index)]} ps 0.55 lc rgb '{colour(index)}'"


def quoted(text):
    """A text for gnuplot, in which nothing has a meaning."""
    kept = "".join(each if each.isprintable() else " " for each in str(text))
    return "'" + kept.replace("'", "''") + "'"


def short(name, most):
    """Cut to so many characters."""
    return name if len(name) <= most else name[: most - 1] + "…"


def numbers(rows):
    """A block of data."""
    return "\n".join(" ".join(f"{each:.9g}" for each in row) for row in rows) + "\ne\n"


def head(width, height):
    return (
        "set encoding utf8\n"
        f"set terminal svg size {width},{height} dynamic noenhanced font 'sans-serif,12'\n"
        f"set border 3 lw 1 lc rgb '{ROLES['quiet']}'\n"
        f"set tics nomirror textcolor rgb '{ROLES['ink']}'\n"
        f"set grid lt 1 lw 0.6 lc rgb '{ROLES['grid']}', lt 1 lw 0.6 lc rgb '{ROLES['grid']}'\n"
        "set key off\n"
    )


def label(which, text):
    return f"set {which} {quoted(text)} textcolor rgb '{ROLES['ink']}'\n"


def text_at(text, place, role="ink", more=""):
    return f"set label {quoted(text)} at {place} textcolor rgb '{ROLES.get(role, role)}' {more}\n"


def draw(scripts, descriptions):
    """The pictures that scripts plot, as SVG for a page. Raises Failed. One gnuplot for all of
    them: to start it takes longer than to draw."""
    run = subprocess.run(
        ["gnuplot"],
        input="reset\nset output\n".join(scripts) + "set output\n",
        text=True,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    drawn = run.stdout.split("</svg>")[:-1]
    if run.returncode != 0 or len(drawn) != len(scripts) or "line " in run.stderr:
        raise Failed(" ".join(run.stderr.split()) or f"gnuplot ended with {run.returncode}")
    return [inline(one, description) for one, description in zip(drawn, descriptions)]


def inline(drawn, description):
    """gnuplot's SVG without its head, its definitions and what is empty, in the page's colours."""
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawn).groups()
    body = drawn[drawn.index('<g id="gnuplot_canvas">') + 23 : drawn.rindex("</g>")]
    body = re.sub(r"<defs>.*?</defs>", "", body, flags=re.DOTALL)
    body = re.sub(r"<title>.*?</title>", "", body, flags=re.DOTALL)
    body = re.sub(r'<rect x="0" y="0" width="\d+" height="\d+" fill="none"/>', "", body)
    body = re.sub(r' id="gnuplot_plot_\w+"| class="gridline"', "", body)
    body = re.sub(r"<text></text>", "", body)  # a marker of the legend is a label without a text
    for _ in range(2):
        body = re.sub(r"<g[^<>]*>\s*</g>", "", body)
    body = re.sub(r"rgb\(\s*(\d+),\s*(\d+),\s*(\d+)\)", _variable, body)
    body = re.sub(r'color="(?:black|gray)"', 'color="var(--ink)"', body)
    body = re.sub(r"\n\s*", "\n", body)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{html.escape(description)}">{body}</svg>'
    )


def _variable(match):
    code = "#" + "".join(f"{int(each):02x}" for each in match.groups())
    for role, known in ROLES.items():
        if code == known:
            return f"var(--{role})"
    return f"var(--c{int(match.group(3)) - 1})" if code.startswith("#0202") else match.group(0)


MARKER_SHAPES = """<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>
<path id="gpPt0" stroke-width=".3" stroke="currentColor" d="M-1,0h2M0,-1v2"/>
<path id="gpPt1" stroke-width=".3" stroke="currentColor" d="M-1,-1L1,1M1,-1L-1,1"/>
<path id="gpPt2" stroke-width=".3" stroke="currentColor" d="M-1,0L1,0M0,-1L0,1M-1,-1L1,1M-1,1L1,-1"/>
<rect id="gpPt3" stroke-width=".3" stroke="currentColor" fill="var(--paper)" x="-1" y="-1" width="2" height="2"/>
<rect id="gpPt4" stroke="none" fill="currentColor" x="-1" y="-1" width="2" height="2"/>
<circle id="gpPt5" stroke-width=".3" stroke="currentColor" fill="var(--paper)" r="1"/>
<circle id="gpPt6" stroke="none" fill="currentColor" r="1"/>
<path id="gpPt7" stroke-width=".3" stroke="currentColor" fill="var(--paper)" d="M0,-1.33L-1.33,.67L1.33,.67z"/>
<path id="gpPt8" stroke="none" fill="currentColor" d="M0,-1.33L-1.33,.67L1.33,.67z"/>
<path id="gpPt9" stroke-width=".3" stroke="currentColor" fill="var(--paper)" d="M0,1.33L-1.33,-.67L1.33,-.67z"/>
<path id="gpPt10" stroke="none" fill="currentColor" d="M0,1.33L-1.33,-.67L1.33,-.67z"/>
<path id="gpPt11" stroke-width=".3" stroke="currentColor" fill="var(--paper)" d="M0,-1.4L1.4,0L0,1.4L-1.4,0z"/>
<path id="gpPt12" stroke="none" fill="currentColor" d="M0,-1.4L1.4,0L0,1.4L-1.4,0z"/>
</defs></svg>
"""
