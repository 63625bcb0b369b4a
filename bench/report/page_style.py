"""The style sheet of the page, with the colours of its pictures.

Colours of contestants are those of Okabe and Ito, which people with any kind of colour vision can
tell apart, made darker or lighter to be seen on the paper: --c0 is ours.
"""

LIGHT = {
    "ink": "#1c2733", "quiet": "#5d6b78", "grid": "#e3e8ed", "line": "#d5dce3", "paper": "#ffffff",
    "tint": "#e7f4f0", "bad": "#a3341f",
    "c": ("#00755c", "#c06a00", "#2f7fc1", "#b5483a", "#8a56a8", "#7a7000", "#4a5561", "#a83a7a",
          "#00808f", "#8c5a2b", "#4b4bb0", "#5a7a1f"),
}  # fmt: skip
DARK = {
    "ink": "#e8edf2", "quiet": "#a2aeb9", "grid": "#27313b", "line": "#2d3843", "paper": "#11171d",
    "tint": "#14302a", "bad": "#f08b74",
    "c": ("#3fd0ac", "#f0a030", "#6fb8f0", "#f08070", "#c79be0", "#d8cc40", "#b4c0cc", "#ee8cc0",
          "#4cc8d8", "#d09a68", "#9a9af5", "#a6cc5c"),
}  # fmt: skip


def _variables(colours):
    named = [f"--{name}:{value};" for name, value in colours.items() if name != "c"]
    return " ".join(named + [f"--c{at}:{value};" for at, value in enumerate(colours["c"])])


STYLE = f"""
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
@media print {{ :root {{ color-scheme: light; {_variables(LIGHT)} }} }}
""" + """
* { box-sizing: border-box; }
body { margin: 2.5rem auto; max-width: 84rem; padding: 0 1.25rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 3.5rem 0 .3rem; padding-top: 1rem;
  border-top: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2.2rem 0 .3rem; }
p { margin: .3rem 0 .6rem; max-width: 62rem; }
a { color: var(--c0); font-weight: 600; }
small { font-size: .78em; color: var(--quiet); }
.quiet, .bias, .parts em { color: var(--quiet); font-size: .9rem; }
.parts { padding-left: 1.1rem; }
.parts li { margin: .25rem 0; }
.parts li li { font-size: .92rem; }
.parts li li span { color: var(--quiet); }
.note { border-left: 3px solid var(--line); padding-left: .7rem; }
.warning { border-left: 3px solid var(--bad); padding-left: .7rem; }
.failed { color: var(--bad); }
code { font-size: .92em; }
summary { cursor: pointer; color: var(--quiet); }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .15rem 1.2rem;
  margin: .5rem 0; font-size: .92rem; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0 1rem;
  font-size: .92rem; }
caption { text-align: left; color: var(--quiet); font-size: .85rem; padding-bottom: .2rem; }
th { font-weight: 600; font-size: .82rem; color: var(--quiet); text-align: right;
  vertical-align: bottom; max-width: 9rem; }
th, td { padding: .28rem .6rem; border-bottom: 1px solid var(--line); }
td { text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--paper); max-width: 14rem; white-space: normal; }
tr.ours, tr.ours td:first-child { background: var(--tint); font-weight: 600; }
tr.ours td:first-child { box-shadow: inset 3px 0 var(--c0); }
td.heat { background: color-mix(in srgb, var(--c0) var(--heat), var(--paper)); }
figure { margin: 0; }
figcaption { font-weight: 600; font-size: .92rem; }
.panels { display: grid; gap: 1rem 1.5rem; margin: .8rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(23rem, 100%), 1fr)); }
.panels svg { width: 100%; max-width: 30rem; height: auto; }
.wide svg { width: 100%; min-width: 44rem; max-width: 62rem; height: auto; }
"""
