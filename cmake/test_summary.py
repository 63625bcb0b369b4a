"""Adds up ./dev test. The results file has one line a check:
pass|fail|skip, configuration, name, reason, separated by tabs.

    test_summary.py junit RESULTS CONFIGURATION FILE STATUS  adds the tests of a ctest run
    test_summary.py log RESULTS CONFIGURATION FILE STATUS    adds PASS:, FAIL: and SKIP: lines
    test_summary.py failures FILE                            prints what failing tests said
    test_summary.py total RESULTS                            prints the skips and the sum

STATUS is what the run ended with. The first two print the sum of what they added; the last ends
with 1 if anything failed.
"""

import collections
import pathlib
import re
import sys
import textwrap
import xml.etree.ElementTree as ElementTree


def main(verb, results, *arguments):
    if verb == "total":
        sys.exit(total(read(results)))
    if verb == "failures":
        print_failures(results)
        return
    configuration, path, status = arguments
    rows = {"junit": from_junit, "log": from_log}[verb](configuration, path)
    if not rows or (status != "0" and not any(row[0] == "fail" for row in rows)):
        rows.append(("fail", configuration, "the run itself", f"ended with {status}"))
    with open(results, "a", encoding="utf-8") as file:
        for row in rows:
            file.write("\t".join(" ".join(field.split()) for field in row) + "\n")
    print(counted(rows))


def read(results):
    lines = pathlib.Path(results).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def from_junit(configuration, path):
    try:
        cases = ElementTree.parse(path).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return []
    return [from_case(configuration, case) for case in cases]


def from_case(configuration, case):
    name, status = case.get("name"), case.get("status")
    if status == "run":
        return ("pass", configuration, name, "")
    if status == "disabled":
        return ("skip", configuration, name, "disabled")
    skipped = case.find("skipped")
    if status == "notrun" and skipped is not None and "REGULAR" in skipped.get("message", ""):
        return ("skip", configuration, name, skip_reason(case.findtext("system-out") or ""))
    return ("fail", configuration, name, "")


def print_failures(path, at_most=8, lines=20):
    cases = ElementTree.parse(path).getroot().iter("testcase")
    failed = [case for case in cases if from_case("", case)[0] == "fail"]
    for case in failed[:at_most]:
        output = re.sub(r".*\[ RUN +\] \S+\n", "", case.findtext("system-out") or "", flags=re.DOTALL)
        output = output.partition("[----")[0].splitlines()
        print("\n".join([case.get("name"), *("  " + line for line in output[-lines:])]))
    if failed[at_most:]:
        print(f"... and {len(failed) - at_most} more")


def skip_reason(output):
    """gtest: "file:line: Skipped", then the reason to an empty line; others: "SKIPPED: reason"."""
    match = re.search(r": Skipped\n(.*?)\n\s*(?:\n|\[)", output, re.DOTALL) or re.search(
        r"^SKIPPED: (.*)", output, re.MULTILINE
    )
    return " ".join(match.group(1).split()) if match else "no reason given"


def from_log(configuration, path):
    text = pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    found = re.findall(r"^(PASS|FAIL|SKIP): ([^:\n]*)(?:: (.*))?$", text, re.MULTILINE)
    return [(verdict.lower(), configuration, name, reason) for verdict, name, reason in found]


def counted(rows):
    count = collections.Counter(row[0] for row in rows)
    parts = [f"{count['pass']} passed"]
    if count["fail"]:
        parts.append(f"{count['fail']} FAILED")
    if count["skip"]:
        parts.append(f"{count['skip']} skipped")
    return ", ".join(parts)


def total(rows):
    wrap = textwrap.TextWrapper(
        width=80,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    skips = collections.defaultdict(lambda: (set(), []))
    for _, configuration, name, reason in (row for row in rows if row[0] == "skip"):
        names, configurations = skips[reason]
        names.add(name)
        if configuration not in configurations:
            configurations.append(configuration)
    if skips:
        print("\nSkipped:")
    for reason, (names, configurations) in sorted(skips.items()):
        what = next(iter(names)) if len(names) == 1 else f"{len(names)} tests"
        print(wrap.fill(f"{reason} ({what} in {', '.join(configurations)})"))
    failures = [row for row in rows if row[0] == "fail"]
    if failures:
        print("\nFailed:")
    for _, configuration, name, _ in failures:
        print(f"  {configuration}: {name}")
    count = collections.Counter(row[0] for row in rows)
    print(f"\n{count['pass']} passed, {count['fail']} failed, {count['skip']} skipped")
    return 1 if count["fail"] or not rows else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
