"""Tests of bench/report: python3 -m unittest discover -s tests/report -t tests (see CONTRIBUTING)."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench" / "report"), str(ROOT / "tests" / "report")]
