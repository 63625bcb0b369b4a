"""Plain text of at most 80 columns, whatever the names are."""

import re
import unicodedata

WIDTH = 80
GAP = 2
TOGETHER = re.compile(r"(?<=\d) (?=\d{3}\b|%|[nµm]?s\b|[KMG]?i?B\b)")  # 10 000, 5 ns


def plain(text):
    """On one line, without control characters."""
    kept = (" " if unicodedata.category(each)[0] in "CZ" else each for each in str(text))
    return " ".join("".join(kept).split())


def width_of(text):
    """Columns on a terminal."""
    return sum(map(_width, text))


def _width(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def split(text, width):
    """Lines of at most that width; words are broken only if they must be."""
    lines, line = [], ""
    for word in TOGETHER.sub("\u00a0", plain(text)).split(" "):
        while True:
            joined = f"{line} {word}" if line else word
            if width_of(joined) <= width:
                line = joined
                break
            if line:
                lines.append(line)
                line = ""
                continue
            at = _fitting(word, width)
            lines.append(word[:at])
            word = word[at:]
    lines += [line] if line or not lines else []
    return [each.replace("\u00a0", " ") for each in lines]


def _fitting(word, width):
    used = 0
    for at, character in enumerate(word):
        used += _width(character)
        if used > width:
            return max(at, 1)
    return len(word)


def wrap(text, first="", rest=None, width=WIDTH):
    """A paragraph, whose first line begins with `first` and all others with `rest`."""
    rest = " " * width_of(first) if rest is None else rest
    lines = split(text, width - max(width_of(first), width_of(rest)))
    return "".join((rest if at else first) + line + "\n" for at, line in enumerate(lines))


def left(text, width):
    return text + " " * (width - width_of(text))


def right(text, width):
    return " " * (width - width_of(text)) + text


def table(head, rows, name_width=22, width=WIDTH):
    """Rows of texts below a head, the first column to the left. What does not fit side by side
    comes below, with the first column again."""
    head = [plain(each) for each in head]
    rows = [[plain(each) for each in row] for row in rows]
    names = min(max((width_of(row[0]) for row in [head, *rows]), default=0), name_width)
    columns = [_column(head[at], [row[at] for row in rows]) for at in range(1, len(head))]
    text = ""
    for block in _blocks(columns, width - names):
        if text:
            text += "\n"
        text += _lines([head[0], *(head[at] for at in block)], names, block, columns, True)
        for row in rows:
            text += _lines([row[0], *(row[at] for at in block)], names, block, columns, False)
    return text


def _column(head, cells):
    """As wide as its cells; a head has lines, but a word of it stays whole up to 14 columns."""
    word = max((width_of(each) for each in head.split(" ")), default=0)
    return min(max([min(word, 14), *map(width_of, cells)], default=1), 24) or 1


def _blocks(columns, room):
    block, used = [], 0
    for at, column in enumerate(columns, 1):
        if block and used + column + GAP > room:
            yield block
            block, used = [], 0
        block.append(at)
        used += column + GAP
    yield block


def _lines(cells, names, block, columns, bottom):
    """A row; what is too long for its column goes on below."""
    widths = [names] + [columns[at - 1] for at in block]
    parts = [split(cell, width) for cell, width in zip(cells, widths)]
    height = max(map(len, parts))
    parts = [[""] * (height - len(each)) + each if bottom else each for each in parts]
    text = ""
    for at in range(height):
        line = left(parts[0][at] if at < len(parts[0]) else "", names)
        for part, width in zip(parts[1:], widths[1:]):
            line += " " * GAP + right(part[at] if at < len(part) else "", width)
        text += line.rstrip() + "\n"
    return text
