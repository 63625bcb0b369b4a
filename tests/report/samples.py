"""Parts that resemble real ones: ten contestants, heavy tails, failures, a part that is missing."""

import random
import statistics

import part_file

NAMES = ["ref", "resident", "glibc", "glibc mlock", "jemalloc", "mimalloc", "tcmalloc", "tbbmalloc",
         "std arena", "std malloc", "boost", "foonathan"]  # fmt: skip
MACHINE = {
    "processor": "Sample Processor 9000",
    "processors": "4",
    "kernel": "6.1.0",
    "governor": "performance",
    "memory": "16 GiB",
    "noise": {"what": "two readings of the clock, with nothing between them", "samples": 1000000,
              "p50_ns": 30, "p99_ns": 31, "p99_9_ns": 40, "p99_99_ns": 90, "max_ns": 12244},
}  # fmt: skip


def part(name, title, **more):
    made = {
        "schema": part_file.SCHEMA,
        "part": name,
        "title": title,
        "command": f"./dev bench {name}",
        "mode": "quick",
        "began": "2024-05-01T12:00:00Z",
        "seconds": 12.5,
        "status": part_file.MEASURED,
        "machine": dict(MACHINE),
    }
    return part_file.check_part({**made, **more}, name)


def table(rows=NAMES, columns=("16 B", "64 B", "1 KiB"), scale=1.0, seed=1, key="pair"):
    chance = random.Random(seed)
    cells = []
    for at, row in enumerate(rows):
        for column in columns:
            if row == "boost" and column == columns[-1]:
                cells.append({"row": row, "column": column, "text": "fails"})
                continue
            samples = [(0.6 + at**1.6) * scale * chance.lognormvariate(0, 0.06) for _ in range(9)]
            low, value, high = statistics.quantiles(samples, method="inclusive")
            cells.append({"row": row, "column": column, "value": value, "low": low, "high": high,
                          "samples": samples})
    return {"key": key, "title": "Allocate and free one block", "bias": "the best of all cases",
            "unit": "ns a pair", "better": "less", "compared_to": rows[0], "chart": "bars",
            "rows": list(rows), "columns": list(columns), "cells": cells}  # fmt: skip


def series(name, middle, tail, seed, total=100000):
    """Most calls near the middle, and a tail."""
    chance = random.Random(seed)
    counts = {}
    for _ in range(total):
        value = int(middle * chance.lognormvariate(0, 0.15) + tail * chance.paretovariate(1.1) / 40)
        width = max(1, 1 << max(0, value.bit_length() - 7))
        counts[value // width * width, width] = counts.get((value // width * width, width), 0) + 1
    buckets = [[begin, begin + width, count] for (begin, width), count in sorted(counts.items())]
    top = buckets[-1][1] - 1
    return {"contestant": name, "buckets": buckets, "total": total, "max": top,
            "minor_faults": int(tail // 9), "major_faults": 0}  # fmt: skip


def curve(charts=("steps", "percentiles"), unit="ns", names=NAMES, total=100000):
    made = [series(name, 40 + 12 * at, 8 * at**1.5, at, total) for at, name in enumerate(names)]
    return {"key": "warm-allocate", "title": "allocate, warm", "bias": "everything is in the cache",
            "unit": unit, "charts": list(charts), "series": made}  # fmt: skip


def parts(total=20000):
    return [
        part("throughput", "Throughput: called directly", tables=[table()],
             contestants=[{"name": "resident", "what": "our pool"}],
             missing=[{"name": "best fit", "reason": "not found (Debian: libboost-dev)"}]),
        part("latency", "Latency: every call timed", curves=[curve(total=total)]),
        part("bounds", "Bounds: instructions of every call",
             curves=[curve(("cumulative",), "instructions", total=total)]),
        part_file.unmeasured("pressure", "Pressure", "./dev bench pressure", "no swap"),
    ]  # fmt: skip


