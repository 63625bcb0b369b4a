"""Part files: what is wrong is told with the file and the field; what may be left out, may."""

import copy
import json
import pathlib
import tempfile
import unittest

import part_file
import samples


def whole():
    return copy.deepcopy(samples.part("latency", "Latency", tables=[samples.table()],
                                      curves=[samples.curve(total=500)]))  # fmt: skip


class PartFile(unittest.TestCase):
    def refused(self, change):
        """What is said about a part after a change."""
        part = whole()
        change(part)
        with self.assertRaises(part_file.Invalid) as said:
            part_file.check_part(part, "latency.json")
        return str(said.exception)

    def test_names_the_field(self):
        for change, place in (
            (lambda p: p.update(schema="resident-bench-part/2"), "schema"),
            (lambda p: p.update(part="speed"), "part"),
            (lambda p: p.pop("title"), "title"),
            (lambda p: p.update(mode="slow"), "mode"),
            (lambda p: p.update(mode=[]), "mode"),
            (lambda p: p.update(seconds=-1), "seconds"),
            (lambda p: p.update(seconds=True), "seconds"),
            (lambda p: p.update(machine="big"), "machine"),
            (lambda p: p["machine"]["noise"].pop("p99_ns"), "machine.noise.p99_ns"),
            (lambda p: p.update(notes=[1]), "notes[0]"),
            (lambda p: p.update(missing=[{"name": "x"}]), "missing[0].reason"),
            (lambda p: p["tables"][0].update(compared_to="nobody"), "tables[0].compared_to"),
            (lambda p: p["tables"][0].update(rows=["a", "a"]), "tables[0].rows"),
            (lambda p: p["tables"][0]["cells"][3].update(row="nobody"), "tables[0].cells[3].row"),
            (lambda p: p["tables"][0]["cells"][3].update(value="1"), "tables[0].cells[3].value"),
            (lambda p: p["tables"][0]["cells"][3].update(low=1e9), "tables[0].cells[3]"),
            (lambda p: p["tables"][0]["cells"][3].pop("value"), "tables[0].cells[3]"),
            (lambda p: p["tables"][0]["cells"].append(p["tables"][0]["cells"][0]), "cells[36]"),
            (lambda p: p["curves"][0].update(charts=["pie"]), "curves[0].charts[0]"),
            (lambda p: p["curves"][0]["series"][2].update(total=1), "curves[0].series[2].total"),
            (lambda p: p["curves"][0]["series"][2]["buckets"][1].reverse(), "buckets[1]"),
            (lambda p: p["curves"][0]["series"][2]["buckets"].insert(0, [9, 9, 1]), "buckets[0]"),
            (lambda p: p["curves"][0]["series"][2]["buckets"].reverse(), "buckets[1]"),
            (lambda p: p["curves"][0]["series"][2]["buckets"].insert(0, [0, 1]), "buckets[0]"),
        ):
            with self.subTest(place):
                said = self.refused(change)
                self.assertTrue(said.startswith("latency.json: "), said)
                self.assertIn(place + ": ", said)

    def test_not_an_object(self):
        with self.assertRaisesRegex(part_file.Invalid, r"x.json: \[\] is not an object"):
            part_file.check_part([], "x.json")

    def test_what_may_be_left_out(self):
        part = part_file.unmeasured("pressure", "Pressure", "./dev bench pressure", "no swap")
        self.assertEqual([], part["tables"] + part["curves"] + part["notes"] + part["missing"])

    def test_unknown_fields_are_kept(self):
        part = whole()
        part["more"] = 1
        self.assertEqual(1, part_file.check_part(part, "x")["more"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "latency.json"
            with self.assertRaisesRegex(part_file.Invalid, "No such file"):
                part_file.read_part(path)
            for text in ("", "{", '{"a": NaN}', "[" * 100000):
                path.write_text(text, encoding="utf-8")
                with self.assertRaisesRegex(part_file.Invalid, "latency.json: "):
                    part_file.read_part(path)
            path.write_bytes(b"\xff\xfe")
            with self.assertRaisesRegex(part_file.Invalid, "not JSON"):
                part_file.read_part(path)
            path.write_text(json.dumps(whole()), encoding="utf-8")
            self.assertEqual("Latency", part_file.read_part(path)["title"])
