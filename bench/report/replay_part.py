"""The part "replay": traces of real programs, recorded here and now, on every contestant.

    replay_part.py --json FILE [--traces FOLDER] [--full]

`resident record` writes the traces; bench_replay, which is `resident replay` with every contestant,
and `resident size` measure them: what these two tell as JSON becomes tables whose columns are the
traces.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import part_file
import programs
import report_json
import workloads
from layout import plain, wrap
from quantities import grouped

MIB = 1 << 20
NAMES = {  # on a command line a name is one word
    "mlockall": "glibc mlock",
    "std-pool": "std malloc",
    "std-arena": "std arena",
    "je-on-arena": "je on arena",
    "best-fit": "best fit",
}
BIAS = (
    "the calls of the program in its order, without the work it does in between: its data leave"
    " the cache to the allocator. Ours is on the smallest arena that it fits, and"
    " gathers what it kept when that is full; other heaps on an arena have room to spare. All of"
    " them have their memory before the clock starts, as glibc mlock has; the page faults of the other"
    " mallocs are in their time"
)
PEAK_BIAS = (
    "ours gathers what it kept only when its arena is full: what it needs is in the table of what to"
    " lock. On an arena it is what was taken from it, otherwise the growth of the process"
)


def main(words):
    parser = argparse.ArgumentParser(description="Records and replays traces of real programs.")
    parser.add_argument("--json", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--traces", type=pathlib.Path, metavar="FOLDER", help="keep them here")
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args(words)
    for program in (programs.TOOL, programs.REPLAYER):
        if not program.exists():
            print(f"{program}: there is no such program", file=sys.stderr)
            return 1
    with tempfile.TemporaryDirectory(prefix="resident-bench-") as scratch:
        folder = options.traces or pathlib.Path(scratch) / "traces"
        folder.mkdir(parents=True, exist_ok=True)
        part, failed = measure(folder, pathlib.Path(scratch), options.full)
    report_json.write_file(options.json, json.dumps(part))
    if failed:
        print(f"resident replay failed on {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measure(folder, scratch, full):
    """The whole part, and the traces on which somebody is broken, or ours does not fit."""
    began, begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.monotonic()
    results, missing = {}, []
    work = workloads.all_of(scratch, full)
    for at, each in enumerate(work, 1):
        print(f"  [{at}/{len(work)}] {each.name}: record, replay, size", flush=True)
        try:
            results[each.name] = replay_one(each, folder, full)
        except workloads.Failed as failure:
            missing.append({"name": each.name, "reason": str(failure)})
            print(wrap(f"not measured: {failure}", "    "), end="", flush=True)
    mode = "full" if full else "quick"
    made = part_from(results, missing, mode, began, time.monotonic() - begin)
    failed = [name for name, (replay, _) in results.items() if not replay["passed"]]
    return part_file.check_part(made, "replay.json"), failed


def replay_one(work, folder, full):
    """Records, and measures what was recorded. Returns what replay and size told. Raises Failed."""
    work.prepare()
    trace = record(work, folder)
    effort = ["--repetitions", "9", "--samples", "1000"] if full else []
    effort = effort or ["--repetitions", "3", "--samples", "10"]
    told = {}
    for verb, program, more in (
        ("replay", [programs.REPLAYER], effort),
        ("size", [programs.TOOL, "size"], ["--tries", "24" if full else "8"]),
    ):
        file = folder / f"{work.name}.{verb}.json"
        file.unlink(missing_ok=True)
        command = [*program, trace, "--quiet", "--json", file, *more]
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        if not file.exists():
            raise workloads.Failed(f"resident {verb}: {_last_line(run)}")
        told[verb] = part_file.read_json(file)
    return told["replay"], told["size"]


def record(work, folder):
    """The trace of the program itself; those of its children are beside it. Raises Failed."""
    trace = folder / f"{work.name}.trace"
    for old in folder.glob(f"{work.name}.trace*"):
        old.unlink()
    command = [programs.TOOL, "record", "--quiet", "-o", trace, "--", *work.command]
    with open(work.input, "rb") if work.input else open("/dev/null", "rb") as standard_input:
        run = subprocess.run(command, stdin=standard_input, capture_output=True, text=True,
                             errors="replace", cwd=work.folder, check=False)  # fmt: skip
    if run.returncode != 0:
        raise workloads.Failed(f"resident record: {_last_line(run)}")
    found = sorted(folder.glob(f"{work.name}.trace*"), key=lambda path: -path.stat().st_size)
    if not found:
        raise workloads.Failed("resident record wrote no trace")
    # The compiler's driver does little itself: the largest trace is that of its child.
    return found[0]


def _last_line(run):
    lines = [line.strip() for line in run.stderr.splitlines() if line.strip()]
    return plain(lines[-1]) if lines else f"it ended with {run.returncode}"


# ---------------------------------------------------------------- from the command's JSON


def part_from(results, missing, mode, began, seconds):
    """The one place that knows what `resident replay --json` and `resident size --json` tell."""
    replays = {name: _told_by(replay) for name, (replay, _) in results.items()}
    part = {
        "schema": part_file.SCHEMA,
        "part": "replay",
        "title": "Replay: traces of real programs",
        "command": "./dev bench replay" + (" --full" if mode == "full" else ""),
        "mode": mode,
        "began": began,
        "seconds": round(seconds, 1),
        "status": part_file.MEASURED if results else part_file.NOT_MEASURED,
        "reason": "; ".join(f"{each['name']}: {each['reason']}" for each in missing),
        "machine": _machine([each["machine"] for each in replays.values()]),
        "contestants": _contestants(replays),
        "missing": missing + _skipped(replays) + _broken(replays),
        "notes": [_trace_note(name, told["trace"]) for name, told in replays.items()]
        + _reasons(replays),
        "tables": [],
        "curves": [],
    }
    if results:
        del part["reason"]
        part["tables"] = [
            _timed_table(replays),
            _instruction_table(replays, "median", "instructions", "Instructions of sampled calls",
                               "less"),  # fmt: skip
            # Not the worst there is: whose it is by chance is no finding.
            _instruction_table(replays, "max", "instructions-max",
                               "The longest of the sampled calls", None),  # fmt: skip
            _table(replays, "faults", "Page faults of the timed replays", "faults", _faults,
                   "of the calls of the program alone, after set-up"),  # fmt: skip
            _table(replays, "peak", "Memory held at the peak", "MiB", _peak, PEAK_BIAS),
            _sizes({name: size for name, (_, size) in results.items()}),
        ]
    return part


def _told_by(tool):
    """What a command told, with its contestants under the names that the other parts give them."""
    return {**tool, **{key: [{**each, "name": NAMES.get(each["name"], each["name"])}
                             for each in tool[key]] for key in ("contestants", "skipped")}}  # fmt: skip


def _contestants(replays):
    found = {}
    for told in replays.values():
        for each in told["contestants"]:
            found[each["name"]] = {
                "name": each["name"],
                "what": each["description"],
                "bound": each["control"],
            }
    return list(found.values())


def _skipped(replays):
    found = {}
    for trace, told in replays.items():
        for each in told["skipped"]:
            found.setdefault((each["name"], each["reason"]), []).append(trace)
    return [
        {"name": name, "reason": reason + _on(traces, replays)}
        for (name, reason), traces in found.items()
    ]


def _broken(replays):
    return [
        {"name": each["name"], "reason": f"broken: {plain(each['broken'])} ({trace})"}
        for trace, told in replays.items()
        for each in told["contestants"]
        if "broken" in each
    ]


def _machine(machines):
    """That of all traces: only where the threads stay depends on the trace."""
    if not machines:
        return {}
    pinned = dict.fromkeys(each.get("pinned to processor") for each in machines)
    together = {"pinned to processor": ", ".join(pinned)} if None not in pinned else {}
    return {**machines[0], **together}


def _on(traces, replays):
    """Which, unless it is all of them."""
    return "" if len(traces) == len(replays) else f" ({', '.join(traces)})"


def _reasons(replays):
    """Why cells are empty, or ours is on another arena than was found; each reason once."""
    reasons = {}
    for trace, told in replays.items():
        options = told.get("options", {})
        if "outgrown_capacity_bytes" in options:
            found, grown = (
                f"{options[key] / MIB:.1f} MiB"
                for key in ("outgrown_capacity_bytes", "capacity_bytes")
            )
            reason = (
                f"resident: an arena of {found} had been found to be enough, and was not when the"
                f" threads met in another way: all were measured with {grown}"
            )
            reasons.setdefault(reason, []).append(trace)
        for each in told["contestants"]:
            uncounted = each.get("instructions", {}).get("missing")
            if uncounted is not None and "median_ns_per_event" in each:
                reason = f"{each['name']}: no instructions were counted: {plain(uncounted)}"
                reasons.setdefault(reason, []).append(trace)
            if options.get("locked") and each.get("arena_locked") is False:
                reason = f"{each['name']}: its arena could not be locked (see ulimit -l)"
                reasons.setdefault(reason, []).append(trace)
            if "refusal" in each:
                refusal = each["refusal"]
                reason = f"{each['name']} does not fit: event {grouped(refusal['event'])} is refused"
                reasons.setdefault(reason, []).append(trace)
    return [reason + _on(traces, replays) for reason, traces in reasons.items()]


def _counted(number, what):
    return f"{grouped(number)} {what}" + ("" if number == 1 else "s")


def _trace_note(name, trace):
    return (
        f"{name}: {trace['command']}: {grouped(trace['events'])} events,"
        f" {grouped(trace['allocations'])} allocations, {_counted(trace['threads'], 'thread')}, at most"
        f" {trace['peak_live_bytes'] / MIB:.1f} MiB live"
        + ("" if trace["complete"] else "; the trace is not complete")
    )


def _table(replays, key, title, unit, cell_of, bias=BIAS):
    """Columns are traces; `cell_of` makes the rest of a cell from a contestant of a replay."""
    rows, cells = {}, []
    for name, told in replays.items():
        for each in told["contestants"]:
            made = cell_of(each)
            if made is not None:
                rows[each["name"]] = True
                cells.append({"row": each["name"], "column": name, **made})
    return {
        "key": key,
        "title": title,
        "bias": bias,
        "unit": unit,
        "better": "less",
        "compared_to": "resident" if "resident" in rows else None,
        "chart": "none",
        "rows": list(rows),
        "columns": list(replays),
        "cells": cells,
    }


def _timed_table(replays):
    table = _table(replays, "time", "Time of an event", "ns an event", _time)
    return {**table, "chart": "bars"}


def _time(contestant):
    if "median_ns_per_event" not in contestant:
        return {"text": _failure(contestant)}
    low, high = contestant["quartiles_ns_per_event"]
    return {"value": contestant["median_ns_per_event"], "low": low, "high": high,
            "samples": contestant["samples_ns_per_event"]}  # fmt: skip


def _failure(contestant):
    if "broken" in contestant:
        return "broken"
    return "does not fit" if "refusal" in contestant else "not measured"


def _instruction_table(replays, what, key, title, better):
    """Of sampled calls of either kind; `what` is one of the figures that replay tells of them."""
    rows, columns, cells, most = {}, [], [], 0
    for name, told in replays.items():
        columns += [f"{name} {verb}" for verb in ("allocate", "free")]
        for each in told["contestants"]:
            counted = each.get("instructions", {})
            rows.update({each["name"]: True} if counted else {})
            for verb in ("allocate", "free"):
                cell = {"row": each["name"], "column": f"{name} {verb}"}
                if "missing" in counted:
                    cells.append({**cell, "text": "not counted"})
                elif counted.get(verb, {}).get("calls"):
                    cells.append({**cell, "value": counted[verb][what]})
                    most = max(most, counted[verb]["calls"])
    return {
        "key": key,
        "title": title,
        "bias": f"{most} of the calls of each kind at most, stepped through one by one: a rarer and"
        " longer one may be among the others",
        "unit": "instructions a call",
        "better": better,
        "compared_to": None,
        "chart": "none",
        "rows": list(rows),
        "columns": columns,
        "cells": cells,
    }


def _faults(contestant):
    if "minor_faults" not in contestant:
        return {"text": _failure(contestant)}
    return {"value": contestant["minor_faults"] + contestant["major_faults"]}


def _peak(contestant):
    if "peak_held_bytes" not in contestant or contestant["control"]:
        return None
    return {"value": contestant["peak_held_bytes"] / MIB}


def _sizes(sizes):
    """What to lock for each program."""
    rows = {
        "live at the peak": lambda told: told["trace"]["peak_live_bytes"],
        "capacity that is enough": lambda told: told["capacity_bytes"],
        "locked with bookkeeping": lambda told: told["memlock_bytes"],
        "enough in every order": lambda told: told["bound_bytes"],
    }
    cells = [
        {"row": row, "column": name, "value": value_of(told) / MIB}
        for row, value_of in rows.items()
        for name, told in sizes.items()
    ]
    return {
        "key": "size",
        "title": "What to lock, by resident size",
        "bias": "of these inputs; another one may need more",
        "unit": "MiB",
        "better": None,
        "compared_to": "live at the peak",
        "chart": "none",
        "rows": list(rows),
        "columns": list(sizes),
        "cells": cells,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
