"""Checks the sources. Prints "PASS: check", "FAIL: check" or "SKIP: check: reason".

    lint.py format [--fix]   clang-format
    lint.py rules            the rules of the house, see CONTRIBUTING.md
    lint.py tidy             clang-tidy on the library, with the commands of build/clang
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Each may include those before it.
ROOMS = ["os", "arena", "pool", "process", "jemalloc", "trace", "replay", "tool", "recorder"]
TIDY_ROOMS = re.compile(r"/src/(os|arena|pool|process|jemalloc|trace|recorder)/")
KERNEL_HEADER = re.compile(
    r"(?:sys|linux|asm)/.*|(?:sched|unistd|fcntl|poll|signal|ucontext|pthread|spawn)\.h|csignal"
)
LENGTH, LENGTH_LIMIT = 400, 450
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["format", "rules", "tidy"])
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--llvm", help="the version of the clang tools that counts")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    os.chdir(ROOT)
    passed = {"format": check_format, "rules": check_rules, "tidy": check_tidy}[options.verb](options)
    sys.exit(0 if passed else 1)


def report(name, complaints):
    for complaint in complaints:
        print(complaint)
    print(f"{'FAIL' if complaints else 'PASS'}: {name}")
    return not complaints


def tracked():
    """The files under version control, or all outside build/ where there is no repository."""
    listing = shutil.which("git") and subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=False
    )
    if listing and listing.returncode == 0:
        return [path for path in listing.stdout.splitlines() if os.path.isfile(path)]
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if path.parts[0] not in ("build", ".git"))


def sources():
    return [path for path in tracked() if path.endswith((".cpp", ".hpp"))]


def lines_of(path):
    return pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines()


def other_version(program, wanted):
    """Why the program at hand is not the one that counts, or nothing."""
    output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)", output.stdout).group(1)
    return f"{program} {found} is here, {wanted} counts" if wanted not in (None, found) else None


def check_format(options):
    why = other_version("clang-format", options.llvm)
    if why:
        print(f"SKIP: format: {why}")
        return True
    mode = ["-i"] if options.fix else ["--dry-run", "-Werror", "-ferror-limit=1"]
    files = sources()
    run = files and subprocess.run(
        ["clang-format", *mode, *files], capture_output=True, text=True, check=False
    )
    if not run or run.returncode == 0:
        return report("format", [])
    places = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", run.stderr, re.MULTILINE)))
    return report("format", (places or [run.stderr]) + ["./dev format puts this right."])


def check_rules(_):
    return all(
        [
            report("includes go down only", upward_includes()),
            report("only src/os talks to the kernel", kernel_includes()),
            report(f"no file above {LENGTH_LIMIT} lines", long_files()),
            report("nothing is left unfinished", unfinished_lines()),
            report("public headers stand alone", dependent_headers()),
        ]
    )


def includes(path):
    for number, line in enumerate(lines_of(path), 1):
        match = re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line)
        if match:
            yield f"{path}:{number}", match.group(1)


def room_of(path):
    """Where a path relative to src/ belongs, as a rank; the harness is above the library's rooms
    because the library must not need it."""
    parts = path.split("/")
    if parts[:2] == ["os", "harness"]:
        return ROOMS.index("replay")
    return ROOMS.index(parts[0]) if parts[0] in ROOMS else None


def upward_includes():
    found = []
    for path in sources():
        if path.startswith("src/"):
            here = room_of(path.removeprefix("src/"))
        elif path.startswith("include/"):
            here = -1
        else:
            continue
        for place, header in includes(path):
            there = room_of(header)
            if there is not None and here is not None and there > here:
                found.append(f"{place}: {header} is above this room")
    return found


def kernel_includes():
    return [
        f"{place}: <{header}> belongs to src/os"
        for path in sources()
        if path.startswith(("include/", "src/")) and not path.startswith("src/os/")
        for place, header in includes(path)
        if KERNEL_HEADER.fullmatch(header)
    ]


def long_files():
    found = []
    for path in tracked():
        if not path.endswith((".cpp", ".hpp", ".py", ".sh", ".cmake", "CMakeLists.txt", "dev")):
            continue
        length = len(lines_of(path))
        if length > LENGTH_LIMIT:
            found.append(f"{path}: {length} lines")
        elif length > LENGTH:
            print(f"{path}: {length} lines, close to the limit")
    return found


def unfinished_lines():
    return [
        f"{path}:{number}: {line.strip()}"
        for path in tracked()
        for number, line in enumerate(lines_of(path), 1)
        if UNFINISHED.search(line)
    ]


def dependent_headers():
    command = ["g++", "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fsyntax-only", "-Iinclude"]

    def complaint(path):
        one = [*command, "-include", path, "-x", "c++", "/dev/null"]
        run = subprocess.run(one, capture_output=True, text=True, check=False)
        return run.stderr if run.returncode != 0 else ""

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        headers = [path for path in sources() if path.startswith("include/")]
        return [text for text in pool.map(complaint, headers) if text]


def check_tidy(options):
    why = other_version("clang-tidy", options.llvm)
    if why:
        print(f"SKIP: clang-tidy: {why}")
        return True
    build = ROOT / "build" / "clang"
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    commands = [c for c in commands if TIDY_ROOMS.search(c["file"])]
    cache = ROOT / "build" / "tidy"
    cache.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outputs = pool.map(lambda command: tidy_one(command, build, cache), commands)
    return report("clang-tidy", [output for output in outputs if output])


def tidy_one(command, build, cache):
    """What clang-tidy says about one file; the silence is remembered by the preprocessed text."""
    words = shlex.split(command["command"])
    compiler = next(at for at, word in enumerate(words) if word.endswith("clang++"))
    preprocess = words[compiler : words.index("-o")] + ["-E", "-CC", command["file"]]
    text = subprocess.run(preprocess, cwd=command["directory"], capture_output=True, check=False)
    key = hashlib.sha256(text.stdout + (ROOT / ".clang-tidy").read_bytes()).hexdigest()
    if text.returncode == 0 and (cache / key).exists():
        return ""
    tidy = ["clang-tidy", "--quiet", "-p", str(build), command["file"]]
    run = subprocess.run(tidy, capture_output=True, text=True, check=False)
    if run.returncode == 0:
        (cache / key).touch()
        return ""
    return run.stdout or run.stderr


if __name__ == "__main__":
    main()
