"""./dev bench: run.py measures and reports, compare.py compares two reports."""

import sys

import compare
import run


def main():
    words = sys.argv[1:]
    verbs = {"compare": compare.main, "report": run.report_again}
    if words and words[0] in verbs:
        sys.exit(verbs[words[0]](words[1:]))
    sys.exit(run.main(words))


if __name__ == "__main__":
    main()
