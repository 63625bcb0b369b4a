"""Whole report objects: collected from a folder of part files, and written as report.json."""

import json
import os
import pathlib

import part_file

# Facts of the machine that differ from part to part, and are shown with each.
OF_A_PART = ("arena", "pinned to processor")


def collect(folder):
    """The parts in a folder, in the order of part_file.PARTS. A file that cannot be read becomes a
    part that was not measured, with the reason."""
    parts = []
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        try:
            parts.append(part_file.read_part(path))
        except part_file.Invalid as wrong:
            name = _part_of(path.stem)
            parts.append(
                part_file.unmeasured(
                    name, path.stem, f"./dev bench {name}", f"unreadable part file: {wrong}"
                )
            )
    return sorted(parts, key=lambda part: part_file.PARTS.index(part["part"]))


def _part_of(stem):
    return next((name for name in part_file.PARTS if stem.startswith(name)), part_file.PARTS[0])


def measured(parts):
    return [part for part in parts if part["status"] == part_file.MEASURED]


def missing_contestants(parts):
    """Names and reasons in alphabetical order: of each name whatever is broken, and one limit, since
    the next part meets the same one with other numbers. Of somebody who took part in other parts,
    with the titles of those where he did not."""
    found = {}
    for part in parts:
        for each in part["missing"]:
            broken = each["reason"] if each["reason"].startswith("broken: ") else None
            reason, titles = found.setdefault((each["name"], broken), (each["reason"], {}))
            titles[part["title"]] = True
    took_part = {row for part in measured(parts) for table in part["tables"] for row in table["rows"]
                 if any("value" in cell for cell in table["cells"] if cell["row"] == row)}  # fmt: skip
    return sorted(
        (f"{name} ({'; '.join(titles)})" if name in took_part else name, reason)
        for (name, _), (reason, titles) in found.items()
    )


def facts_of(part):
    """Of OF_A_PART what it tells. That a program's own thread is not pinned is left out: those of the
    children that it measures may be."""
    told = {key: part["machine"].get(key) for key in OF_A_PART}
    return {key: value for key, value in told.items() if value not in (None, "none")}


def machines(parts):
    """Each different machine once, with the titles of the parts that ran on it. What differs from
    part to part by its nature is left out."""
    found = []
    for part in measured(parts):
        facts = {
            key: value
            for key, value in part["machine"].items()
            if key not in ("noise", *OF_A_PART)
        }
        for known, titles in found:
            if known.items() >= facts.items() or known.items() <= facts.items():
                known.update(facts)
                titles.append(part["title"])
                break
        else:
            found.append((facts, [part["title"]]))
    return found


def write(parts, path):
    write_file(path, json.dumps({"schema": part_file.REPORT_SCHEMA, "parts": parts}) + "\n")


def write_file(path, text):
    """Through a file beside it, so that there is never half of one."""
    path = pathlib.Path(path)
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
