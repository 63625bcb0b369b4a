"""The driver behind ./dev bench: runs the programs of the parts, one after the other, and writes
the report."""

import argparse
import json
import os
import pathlib
import sys
import time

import child
import part_file
import programs
import replay_part
import report_json
from layout import plain, wrap
from quantities import seconds
from report_html import html_report
from report_text import not_measured, summary, text_report

QUICK_LIMIT = 300  # seconds that the quick mode may take
# With one of these a program does what Google Benchmark does, and tells the report nothing.
ONE_RUN = ("--benchmark_out=", "--benchmark_format=", "--benchmark_list_tests")

DESCRIPTION = """Measures, and writes report.html, report.txt and report.json. Parts, and programs
of parts (second column):

"""
EPILOG = """Other verbs:
  ./dev bench report FOLDER       writes the report of the parts in a folder anew
  ./dev bench compare OLD NEW     which differences of two report.json are not noise
Exit: 0 all is well, 1 something was not measured or somebody is broken, 2 the command
line is wrong."""


def parse(words):
    """The options of ./dev bench. Ends with 2 and what is wrong."""
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=DESCRIPTION + programs.listing(),
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("parts", nargs="*", metavar="part", help="what to measure [everything]")
    parser.add_argument("--full", action="store_true", help="the long mode")
    parser.add_argument("--out", metavar="FOLDER", type=pathlib.Path,
                        help="of the report [build/report/<time>]")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="print the parts and end")
    parser.add_argument("--dry-run", action="store_true", help="print the commands and end")
    own, flags = _divided(words)
    options = parser.parse_args(own)
    unknown = [name for name in options.parts if not programs.named(name)]
    if unknown:
        parser.exit(2, f'There is no part "{plain(unknown[0])}". There are:\n{programs.listing()}')
    options.programs = programs.chosen(options.parts)
    options.flags = flags
    if flags and not any(each.takes_flags for each in options.programs):
        parser.exit(2, f"None of these parts takes {plain(flags[0])}; those of Google Benchmark"
                       " are throughput and threads.\n")  # fmt: skip
    takers = [each for each in options.programs if each.takes_flags]
    if any(flag.startswith("--benchmark_out=") for flag in flags) and len(takers) != 1:
        parser.exit(2, f"--benchmark_out is one file, and {len(takers)} programs would write it:"
                       " name one, such as direct.\n")  # fmt: skip
    options.out = options.out or _new_folder()
    return options


def _divided(words):
    """Ours, and those for Google Benchmark: what begins with its prefix or comes after --."""
    own = words[: words.index("--")] if "--" in words else words
    rest = words[len(own) + 1 :]
    flags = [word for word in own if word.startswith("--benchmark_")]
    return [word for word in own if word not in flags], flags + rest


def _new_folder():
    return programs.ROOT / "build" / "report" / time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())


def main(words):
    options = parse(words)
    if options.list:
        print(programs.listing(), end="")
        return 0
    if options.dry_run:
        for program in options.programs:
            print(" ".join(command_of(program, options)))
        return 0
    if any(flag.startswith(ONE_RUN) for flag in options.flags):
        return run_as_google_benchmark(options)
    try:
        prepare(options.out)
    except OSError as failure:
        print(f"{failure.filename}: {failure.strerror}: name another folder with --out",
              file=sys.stderr)  # fmt: skip
        return 2
    status = measure(options)
    write_report(options.out)
    return status


def run_as_google_benchmark(options):
    """Without a report. Returns: 0, or 1 if a program failed."""
    status = 0
    for program in options.programs:
        if program.takes_flags:
            path = programs.BENCHMARKS / f"bench_{program.name}"
            try:
                ended, last = child.run([str(path), *options.flags])
            except OSError as failure:
                ended, last = 1, f"{path}: {failure.strerror}"
            if ended:
                status = 1
                print(wrap(f"{program.name}: {child.why(ended, last)}"), end="", file=sys.stderr)
    return status


def prepare(folder):
    """Makes the folders, and sees that they can be written to."""
    for each in (folder, folder / "parts", folder / "percentiles"):
        each.mkdir(parents=True, exist_ok=True)
        probe = each / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()


def command_of(program, options):
    """What runs a program."""
    file = str(options.out / "parts" / program.file)
    mode = ["--full"] if options.full else []
    if program.name == programs.REPLAY:
        words = [sys.executable, str(pathlib.Path(replay_part.__file__))]
        return words + mode + ["--json", file, "--traces", str(options.out / "traces")]
    words = [str(programs.BENCHMARKS / f"bench_{program.name}"), *mode, "--json", file]
    if program.part == "latency":
        words += ["--percentiles", str(options.out / "percentiles")]
    return words + (options.flags if program.takes_flags else [])


def measure(options):
    """Runs all programs. Returns: 0, 1 if not all is well, 130 after an interrupt."""
    begin, status = time.monotonic(), 0
    for at, program in enumerate(options.programs, 1):
        place = f"[{at}/{len(options.programs)}] {program.part}"
        place += f" {program.name}" if not program.is_part else ""
        print(wrap(f"{program.what} ...", f"{place}: ", "  "), flush=True)
        since = time.monotonic()
        try:
            flaw = run_one(program, options)
        except KeyboardInterrupt:
            for left in options.programs[at - 1 :]:
                if left is program or not (options.out / "parts" / left.file).exists():
                    leave_out(left, options, "interrupted")
            print("\nInterrupted: the report has what was measured.", file=sys.stderr)
            return 130
        took = seconds(time.monotonic() - since)
        if flaw:
            status = 1
            print(wrap(f"{flaw[0]} after {took}: {flaw[1]}", f"{place}: ", "  "))
        else:
            print(wrap(took, f"\n{place}: ", "  "))
    total = time.monotonic() - begin
    print(f"Measured in {seconds(total)}.")
    if not options.full and total > QUICK_LIMIT:
        print(wrap(f"The quick mode should take less than {seconds(QUICK_LIMIT)}: something else"
                   " takes this machine's time, or it is a slow one."))  # fmt: skip
    return status


def run_one(program, options):
    """Returns: None, or whether it was measured and what is not well."""
    words = command_of(program, options)
    file = options.out / "parts" / program.file
    file.unlink(missing_ok=True)
    if program.name != programs.REPLAY and not os.access(words[0], os.X_OK):
        reason = f"there is no program {os.path.basename(words[0])}"
        return part_file.NOT_MEASURED, leave_out(program, options, reason)
    ended, last = child.run(words)
    if not file.exists():
        reason = child.why(ended, last) if ended else "it ended well and wrote no part file"
        return part_file.NOT_MEASURED, leave_out(program, options, reason)
    try:
        part = part_file.read_part(file)
    except part_file.Invalid as wrong:
        aside = file.with_suffix(".unreadable")
        file.replace(aside)
        reason = f"unreadable part file, kept as {aside.name}: {wrong}"
        return part_file.NOT_MEASURED, leave_out(program, options, reason)
    if part["status"] == part_file.NOT_MEASURED:
        return part_file.NOT_MEASURED, part["reason"]
    if ended:
        part["notes"].append("Not all is well: " + child.why(ended, last))
        report_json.write_file(file, json.dumps(part))
        return part_file.MEASURED, part["notes"][-1]
    return None


def leave_out(program, options, reason):
    """Writes a part file that says why there is no other. Returns the reason."""
    title = program.part.capitalize()
    if not program.is_part:
        title += f": {program.what}"
    command = f"./dev bench {program.name.replace('_', '-')}" + " --full" * options.full
    part = part_file.unmeasured(program.part, title, command, reason)
    report_json.write_file(options.out / "parts" / program.file, json.dumps(part))
    return reason


def write_report(folder):
    """All that is in the folder's parts, in three forms."""
    parts = report_json.collect(folder / "parts")
    report_json.write(parts, folder / "report.json")
    report_json.write_file(folder / "report.txt", text_report(parts))
    report_json.write_file(folder / "report.html", html_report(parts))
    show(parts)
    for name in ("report.html", "report.txt", "report.json"):
        print(folder / name)


def show(parts):
    """The conclusions, on the terminal."""
    print("\n" + summary(parts) + "\n" + not_measured(parts))


def report_again(words):
    """./dev bench report FOLDER"""
    parser = argparse.ArgumentParser(prog="./dev bench report", allow_abbrev=False)
    parser.add_argument("folder", type=pathlib.Path, help="that has parts/*.json")
    folder = parser.parse_args(words).folder
    if not any((folder / "parts").glob("*.json")):
        parser.exit(2, f"{folder}/parts: no part files\n")
    write_report(folder)
    return 0
