"""The text is at most 80 columns wide and begins with what was found; the page has every table and
nothing from elsewhere; each kind of chart can be drawn."""

import html.parser
import pathlib
import re
import tempfile
import unittest
from unittest import mock

import bar_charts
import curve_charts
import findings
import layout
import part_file
import plots
import quantities
import report_html
import report_json
import report_text
import samples

AWKWARD = [
    "resident",
    "n" * 200,
    "a name of many words that goes on and on and does not come to an end before the line does",
    "two\nlines\tand \x1b[31mred",
    "日本語の名前" * 12,
    "<script>alert('&')</script>",
    "100 % 'quoted' \"twice\" \\ back`tick` %s %d $x {y}",
    "",
]


def awkward_parts():
    """Figures that nothing is expected of but to be shown."""
    table = samples.table(AWKWARD, [name + " col" for name in AWKWARD], key="odd")
    table["title"] = table["bias"] = table["unit"] = " ".join(AWKWARD)
    for at, huge in enumerate((0, 1e-9, 1e300, -5, 12345678901)):
        cell = table["cells"][9 * at]
        cell.clear()
        cell.update({"row": AWKWARD[at], "column": AWKWARD[at + 1] + " col", "value": huge})
    seen = {(cell["row"], cell["column"]): cell for cell in table["cells"]}
    table["cells"] = list(seen.values())
    curve = samples.curve(("steps", "percentiles", "cumulative"), "ns", AWKWARD, 300)
    curve["series"].append({"contestant": "none", "buckets": [], "total": 0, "max": 0})
    curve["series"].append({"contestant": "0", "buckets": [[0, 1, 1]], "total": 1, "max": 0})
    part = samples.part("latency", AWKWARD[2], tables=[table], curves=[curve], notes=AWKWARD,
                        missing=[{"name": name, "reason": name} for name in AWKWARD],
                        contestants=[{"name": name, "what": name} for name in AWKWARD])  # fmt: skip
    part["machine"]["memlock"] = None
    return [part, part_file.unmeasured("bounds", AWKWARD[1], AWKWARD[2], AWKWARD[3])]


class Page(html.parser.HTMLParser):
    """Tags, attributes and tables of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


class Text(unittest.TestCase):
    def test_at_most_80_columns(self):
        for parts in (samples.parts(2000), awkward_parts()):
            for line in report_text.text_report(parts).splitlines():
                self.assertLessEqual(layout.width_of(line), 80, line)
                self.assertTrue(line.isprintable() or not line, repr(line))

    def test_conclusion_comes_first(self):
        text = report_text.text_report(samples.parts(2000))
        found = text.index("ahead of the best other in 3 of 3")
        self.assertLess(found, text.index("Machine"))
        self.assertLess(found, text.index("16 B"))
        self.assertIn("pressure: not measured: no swap", text)
        self.assertIn("best fit did not take part: not found (Debian: libboost-dev)", text)

    def test_every_figure_is_there(self):
        parts = samples.parts(2000)
        text = report_text.text_report(parts)
        for cell in parts[0]["tables"][0]["cells"]:
            self.assertIn(cell["text"] if "text" in cell else
                          report_text.figure(cell["value"]), text)  # fmt: skip

    def test_words_stay_together(self):
        self.assertEqual(["about", "10 000", "or 5 ns"], layout.split("about 10 000 or 5 ns", 8))
        self.assertEqual(["abc", "d"], layout.split("abcd", 3))


class Missing(unittest.TestCase):
    def test_no_reason_hides_another(self):
        parts = [samples.part(name, title, tables=[samples.table(rows=rows)],
                              missing=[{"name": "best fit", "reason": reason}])
                 for name, title, rows, reason in (
                     ("latency", "Latency", ("resident", "ref"), "broken: overlaps"),
                     ("bounds", "Bounds", ("resident", "ref"), "memlock"),
                     ("capacity", "Capacity", ("resident", "ref"), "memlock, by 2 bytes more"))]  # fmt: skip
        self.assertEqual([("best fit", "broken: overlaps"), ("best fit", "memlock")],
                         report_json.missing_contestants(parts))  # fmt: skip
        parts.append(samples.part("threads", "Threads",
                                  tables=[samples.table(rows=("resident", "best fit"))]))  # fmt: skip
        parts[-1].setdefault("missing", [])
        self.assertEqual([("best fit (Bounds; Capacity)", "memlock"),
                          ("best fit (Latency)", "broken: overlaps")],
                         report_json.missing_contestants(parts))  # fmt: skip


class Facts(unittest.TestCase):
    def test_where_it_stayed_is_told(self):
        for stays, told in (("1", True), ("none", False)):
            part = samples.part("latency", "Latency", notes=[], contestants=[],
                                missing=[], tables=[samples.table()], curves=[])  # fmt: skip
            part["machine"]["pinned to processor"] = stays
            self.assertEqual(told, "pinned to processor 1" in report_text.text_report([part]))
            self.assertEqual(told, "Pinned to processor: 1" in report_html.html_report([part]))


class Findings(unittest.TestCase):
    def test_bounds_are_no_rivals(self):
        table = samples.table(["ref", "resident", "x"])
        self.assertEqual(["x"] * 3, [each.rival for each in findings.standings(table)])
        marked = [{"name": "x", "what": "", "bound": True}]
        self.assertEqual([], findings.standings(table, marked))

    def test_each_bound_is_no_rival(self):
        for name in sorted(findings.BOUNDS):
            self.assertFalse(findings.is_rival(name), name)
        # As the programs call their rows that are no allocators, or do less.
        for name in ("ref", "no call", "no heap", "one thread", "arena alone", "mmap, touch"):
            self.assertIn(name, findings.BOUNDS)

    def test_none_at_all_beside_many_is_a_figure(self):
        table = samples.table(["resident", "glibc"])
        for cell in table["cells"]:
            if cell["row"] == "resident":
                cell.update(value=0.0, low=0.0, high=0.0, samples=[0.0] * 9)
        self.assertIn("ahead of the best other in 3 of 3", findings.conclusion(table))

    def test_behind_who_has_none_is_told(self):
        table = samples.table(["resident", "glibc"])
        for cell in table["cells"]:
            if cell["row"] == "glibc":
                cell.update(value=0.0, low=0.0, high=0.0, samples=[0.0] * 9)
        self.assertEqual("ahead of the best other in 0 of 3; in 3 the best other has 0",
                         findings.conclusion(table))  # fmt: skip
        for cell in table["cells"]:
            cell.update(value=0.0, low=0.0, high=0.0, samples=[0.0] * 9)
        self.assertIn("in 0 of 3, level in 3", findings.conclusion(table))

    def test_where_ours_fails_is_told(self):
        table = samples.table(["resident", "glibc"])
        for cell in table["cells"]:
            if cell["row"] == "resident" and cell["column"] != "16 B":
                for key in ("value", "low", "high", "samples"):
                    del cell[key]
                cell["text"] = "fails" if cell["column"] == "64 B" else "--full"
        self.assertIn("; no figure in 1 (fails)", findings.conclusion(table))
        for cell in table["cells"]:
            if cell["row"] == "resident":
                cell.pop("value", None)
                cell["text"] = "broken"
        self.assertEqual("no figure in 3 (broken)", findings.conclusion(table))

    def test_more_is_better(self):
        table = samples.table(["resident", "glibc", "jemalloc"])
        table["better"] = "more"
        found = findings.standings(table)
        self.assertEqual(["jemalloc"] * 3, [each.rival for each in found])
        self.assertIn("ahead of the best other in 0 of 3", findings.conclusion(table))

    def test_neither_is_better(self):
        table = samples.table()
        table["better"] = None
        self.assertIsNone(findings.conclusion(table))

    def test_percentiles(self):
        buckets = [[at, at + 1, 1] for at in range(1, 101)]
        series = {"contestant": "x", "buckets": buckets, "total": 100, "max": 100}
        self.assertEqual([50, 99, 100], [findings.percentile(series, each) for each in
                                         (0.5, 0.99, 0.9999)])  # fmt: skip
        self.assertIsNone(findings.percentile({"buckets": [], "total": 0, "max": 0}, 0.5))

    def test_percentiles_that_so_few_calls_do_not_tell(self):
        buckets = [[at, at + 1, 1] for at in range(1, 101)]
        curve = {"series": [{"contestant": "x", "buckets": buckets, "total": 100, "max": 100}]}
        self.assertEqual([50, 99, None, None, 100], findings.curve_rows(curve)[0]["values"])

    def test_no_other_looks_like_ours(self):
        styles = [(plots.line_style(at), plots.marker_style(at)) for at in range(1, 40)]
        for ours in (plots.colour(0), f"dt {plots.DASHES[0]} "):
            self.assertEqual([], [each for each in styles if ours in each[0]])

    def test_a_ratio_is_no_power_of_ten(self):
        self.assertEqual("0.0024x", quantities.ratio(0.0024))


class Html(unittest.TestCase):
    def test_every_table_and_nothing_from_elsewhere(self):
        for parts in (samples.parts(2000), awkward_parts()):
            text = report_html.html_report(parts)
            page = Page(text)
            tables = sum(len(part["tables"]) + len(part["curves"]) for part in parts)
            self.assertEqual(tables, page.tags.count("table"))
            for tag in ("script", "link", "img", "iframe", "object", "image", "base"):
                self.assertNotIn(tag, page.tags)
            for name, value in page.attributes:
                if name in ("href", "xlink:href", "src", "srcset", "data", "action"):
                    self.assertTrue(value.startswith("#"), value)
                self.assertFalse(name.startswith("on"), name)
            self.assertNotRegex(text, r"https?://|url\(|@import")

    def test_every_figure_is_there(self):
        parts = samples.parts(2000)
        text = report_html.html_report(parts)
        for cell in parts[0]["tables"][0]["cells"]:
            shown = cell["text"] if "text" in cell else report_html.figure(cell["value"])
            self.assertRegex(text, f"<td[^>]*>(<u>)?{re.escape(shown)}")

    def test_without_gnuplot(self):
        with mock.patch.object(plots, "available", return_value=False):
            text = report_html.html_report(samples.parts(2000))
        self.assertIn(plots.MISSING, text)
        self.assertEqual(1, Page(text).tags.count("svg"))  # the markers' shapes

    def test_what_gnuplot_says_is_shown(self):
        with self.assertRaisesRegex(plots.Failed, "."):
            plots.draw(["plot nonsense(\n"], ["x"])


@unittest.skipUnless(plots.available(), plots.MISSING)
class Charts(unittest.TestCase):
    """What a picture shows is looked at; that it can be drawn, whatever the names are, is tested."""

    def draw(self, panels):
        self.assertTrue(panels)
        pictures = plots.draw([script for _, script in panels], [name for name, _ in panels])
        for picture in pictures:
            found = re.search(r"rgb\([^)]*\)|\bNaN\b|<title>|black", picture)
            self.assertIsNone(found)
            self.assertTrue(picture.startswith("<svg ") and picture.endswith("</svg>"))
        return pictures

    def test_each_kind(self):
        for curve in (samples.curve(total=2000), awkward_parts()[0]["curves"][0]):
            for make in (curve_charts.steps, curve_charts.percentiles, curve_charts.cumulative):
                self.draw(make(curve))

    def test_units_on_the_axes(self):
        curve = samples.curve(total=2000)
        for picture in self.draw(curve_charts.steps(curve)):
            self.assertRegex(picture, "100 ns")
            self.assertIn("share of calls", picture)
        counted = self.draw(curve_charts.cumulative({**curve, "unit": "instructions"}))[0]
        self.assertIn("instructions of a call", counted)
        self.assertIn("ns a pair", self.draw(bar_charts.bars(samples.table()))[0])

    def test_names_do_not_overlap(self):
        places = curve_charts.spread({at: 0.5 for at in range(12)}, 0.052)
        ordered = sorted(places.values())
        self.assertTrue(all(b - a > 0.0519 for a, b in zip(ordered, ordered[1:])))
        self.assertLessEqual(ordered[-1], 1)
        self.assertGreaterEqual(ordered[0], 0)

    def test_bars(self):
        pictures = self.draw(bar_charts.bars(samples.table()))
        self.assertEqual(3, len(pictures))
        self.assertIn("fails", pictures[2])
        self.draw(bar_charts.bars(awkward_parts()[0]["tables"][0]))
        self.assertEqual([], bar_charts.bars(samples.table(columns=[])))


class Files(unittest.TestCase):
    def test_collects_and_reads_again(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            parts = samples.parts(500)
            for at, part in enumerate(reversed(parts)):
                (folder / f"{at}.json").write_text(report_json.json.dumps(part), encoding="utf-8")
            (folder / "threads.json").write_text("{", encoding="utf-8")
            found = report_json.collect(folder)
            self.assertEqual(["throughput", "latency", "bounds", "pressure", "threads"],
                             [part["part"] for part in found])  # fmt: skip
            self.assertIn("threads.json: not JSON", found[-1]["reason"])
            report_json.write(found, folder / "report.json")
            self.assertEqual(found, part_file.read_report(folder / "report.json"))
