"""What is different is found, noise is not, and figures that cannot be compared are not compared."""

import contextlib
import copy
import io
import json
import pathlib
import random
import tempfile
import unittest

import compare
import layout
import rank_test
import report_json
import samples


def report(seed, change=None, rows=samples.NAMES):
    """A table of throughput, of which cells may be changed."""
    columns = [f"column {at}" for at in range(10)]
    table = samples.table(rows, columns, seed=seed)
    for cell in table["cells"]:
        if change and "value" in cell:
            by = change(cell["row"], cell["column"])
            cell["samples"] = [each * by for each in cell["samples"]]
            for key in ("value", "low", "high"):
                cell[key] *= by
    return [samples.part("throughput", "Throughput", tables=[table])]


def told(found):
    return {(each.row, each.column) for each in found["pairs"] if each.beyond_noise}


class PairTest(unittest.TestCase):
    def test_which_is_worse(self):
        for better, new, expected in (
            ("less", 11, True), ("less", 10, False), ("less", 9, False),
            ("more", 11, False), ("more", 10, False), ("more", 9, True), (None, 11, False),
        ):  # fmt: skip
            pair = compare.Pair("part", "table", "row", "column", better, 10, new)
            self.assertEqual(expected, pair.worse, f"{better} {new}")


class RankTest(unittest.TestCase):
    def test_exact_values(self):
        # All orders of 3 and 3 are 20; of 9 and 9, 48 620.
        self.assertAlmostEqual(2 / 20, rank_test.two_sided([1, 2, 3], [4, 5, 6]))
        self.assertAlmostEqual(4 / 20, rank_test.two_sided([1, 2, 4], [3, 5, 6]))
        self.assertAlmostEqual(1, rank_test.two_sided([1, 4, 6], [2, 3, 5]), 0)
        self.assertAlmostEqual(2 / 48620, rank_test.two_sided(list(range(9)), list(range(9, 18))))

    def test_symmetric(self):
        first, second = [1.0, 7.0, 3.5, 9.0], [2.0, 8.0, 10.0, 11.0, 12.0]
        self.assertEqual(rank_test.two_sided(first, second), rank_test.two_sided(second, first))

    def test_ties(self):
        self.assertEqual(1, rank_test.two_sided([5] * 9, [5] * 9))
        self.assertLess(rank_test.two_sided([5] * 9, [6] * 9), 0.001)
        # Worked by hand: U = 0.5, variance 5 * 5 / 12 * (11 - (2^3 - 2) / 90) = 22.777...
        p = rank_test.two_sided([1, 2, 3, 4, 5], [5, 6, 7, 8, 9])
        self.assertAlmostEqual(0.01597, p, 4)

    def test_approximation_is_near_the_exact(self):
        chance = random.Random(3)
        first = [chance.random() for _ in range(20)]
        second = [chance.random() + 0.2 for _ in range(20)]
        exact = rank_test.two_sided(first, second)
        u, _ = rank_test._statistic(first, second)
        self.assertAlmostEqual(exact, rank_test._approximate(u, 20, 20, first + second), 2)

    def test_empty(self):
        with self.assertRaises(ValueError):
            rank_test.two_sided([], [1])

    def test_false_discoveries(self):
        self.assertEqual([True, True, False, False],
                         rank_test.false_discoveries([0.001, 0.02, 0.2, 0.9], 0.05))  # fmt: skip
        self.assertEqual([], rank_test.false_discoveries([], 0.05))


class Compare(unittest.TestCase):
    def test_known_shift_is_found(self):
        shifted = {("resident", "column 3"), ("glibc", "column 7")}
        found = compare.compare(
            report(1), report(2, lambda *place: 1.4 if place in shifted else 1.0)
        )
        self.assertEqual(shifted, told(found))
        text = compare.text_of(found)
        self.assertIn("resident: 0 better, 1 worse.", text)

    def test_noise_is_not_found(self):
        false, tests = 0, 0
        for seed in range(0, 40, 2):
            found = compare.compare(report(seed + 100), report(seed + 101), least_effect=0)
            false += len(told(found))
            tests += len(found["pairs"])
        self.assertGreater(tests, 2000)
        self.assertLessEqual(false, tests * 0.002)

    def test_small_effects_are_not_told(self):
        one = report(1)
        other = copy.deepcopy(one)
        for cell in other[0]["tables"][0]["cells"]:
            if "value" in cell:
                cell["samples"] = [1.02 * cell["value"]] * 9
                cell["value"] *= 1.02
        for cell in one[0]["tables"][0]["cells"]:
            if "value" in cell:
                cell["samples"] = [cell["value"]] * 9
        self.assertEqual(set(), told(compare.compare(one, other)))
        self.assertEqual(119, len(told(compare.compare(one, other, 0.01))))

    def test_other_machine(self):
        other = report(2, lambda row, _: 3.0 if row != "resident" else 6.0)
        other[0]["machine"]["processor"] = "Another"
        found = compare.compare(report(1), other)
        self.assertEqual({"resident"}, {row for row, _ in told(found)})
        self.assertIn("processor: Sample Processor 9000 and Another", compare.text_of(found))

    def test_a_fact_that_an_older_report_does_not_tell(self):
        other = report(2)
        del other[0]["machine"]["processor"]
        self.assertEqual([], compare.compare(other, report(1))["mismatches"])

    def test_moved_together(self):
        found = compare.compare(report(1), report(2, lambda *_: 1.3))
        self.assertRegex(compare.text_of(found), r"the others moved by \+\d+ %")

    def test_without_repetitions(self):
        one, other = report(1), report(1)
        for part, value in ((one, 10), (other, 11)):
            del part[0]["tables"][0]["cells"][1:]
            part[0]["tables"][0]["cells"][0].update(value=value, samples=[])
        found = compare.compare(one, other)
        self.assertEqual(set(), told(found))
        self.assertIn("Without repetitions", compare.text_of(found))
        self.assertIn("+10 %", compare.text_of(found))

    def test_too_few_repetitions_are_told(self):
        """Ten times as slow, and three repetitions: no certainty, and no silence either."""
        one, other = report(1), report(2, lambda row, _: 10.0 if row == "resident" else 1.0)
        for part in (one, other):
            for cell in part[0]["tables"][0]["cells"]:
                if "samples" in cell:
                    cell["samples"] = cell["samples"][:3]
        found = compare.compare(one, other)
        self.assertEqual(set(), told(found))
        text = compare.text_of(found)
        self.assertRegex(text, r"have too few repetitions")
        self.assertIn("Without repetitions, or with too few", text)
        self.assertRegex(text, r"resident +\S+ +\S+ +\+\d+ %")

    def test_what_only_one_has(self):
        one, other = report(1), report(2)
        other[0]["tables"][0]["key"] = "other"
        text = compare.text_of(compare.compare(one, other))
        self.assertIn("only in the old report", text)
        self.assertIn("only in the new report", text)

    def test_at_most_80_columns(self):
        names = ["resident", "n" * 99, "a b " * 40]
        one, other = report(1, rows=names), report(2, lambda *_: 9, rows=names)
        other[0]["machine"]["kernel"] = "k" * 300
        for reports in ((one, other), (one, report(2, lambda *_: 9, rows=names))):
            for line in compare.text_of(compare.compare(*reports)).splitlines():
                self.assertLessEqual(layout.width_of(line), 80, line)


class Command(unittest.TestCase):
    def run_it(self, *words):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            with contextlib.redirect_stderr(io.StringIO()) as error:
                try:
                    status = compare.main([str(word) for word in words])
                except SystemExit as end:
                    status = end.code
        return status, out.getvalue(), error.getvalue()

    def test_exit_codes_and_json(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            slower = report(2, lambda row, _: 1.5 if row == "resident" else 1.0)
            report_json.write(report(1), folder / "report.json")
            report_json.write(slower, folder / "new.json")
            new = folder / "new.json"
            self.assertEqual(0, self.run_it(folder, new)[0])
            self.assertEqual(1, self.run_it(folder, new, "--fail-if-slower", 20)[0])
            self.assertEqual(0, self.run_it(folder, new, "--fail-if-slower", 90)[0])
            self.assertEqual(0, self.run_it(new, folder, "--fail-if-slower", 0)[0])
            self.assertEqual(2, self.run_it(folder, new, "--fail-if-slower", "-3")[0])
            self.assertEqual(0, self.run_it(folder, new, "--json", folder / "out.json")[0])
            written = json.loads((folder / "out.json").read_text(encoding="utf-8"))
            self.assertEqual(10, sum(each["beyond_noise"] for each in written["compared"]))
            status, _, error = self.run_it(folder, folder / "none.json")
            self.assertEqual(2, status)
            self.assertIn("none.json: No such file", error)
            new.write_text('{"schema": "resident-bench-report/9", "parts": []}', encoding="utf-8")
            self.assertIn("new.json: schema: ", self.run_it(folder, new)[2])
