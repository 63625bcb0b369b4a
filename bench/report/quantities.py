"""Figures as people read them."""

import math

DURATIONS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))


def grouped(number):
    """Digits in groups of three: 12 345."""
    return f"{number:,.0f}".replace(",", " ")


def figure(number):
    """Three digits that count; all of them before the point."""
    size = abs(number)
    if size >= 99.95 or number == int(number):
        return grouped(number)
    if size >= 9.995:
        return f"{number:.1f}"
    if size >= 0.01:
        return f"{number:.2f}"
    return f"{number:.2g}"


def ratio(number):
    """1.25x."""
    return "∞" if math.isinf(number) else figure(number) + "x"


def duration(nanoseconds):
    """850 ns, 1.2 ms."""
    return _scaled(nanoseconds, DURATIONS, "ns")


def size(count):
    """512 KiB."""
    return _scaled(count, SIZES, "B")


def _scaled(number, units, smallest):
    for factor, unit in units:
        if number >= factor:
            scaled = number / factor
            text = f"{scaled:.3g}" if scaled < 99.95 else f"{scaled:.0f}"
            return f"{text} {unit}"
    return f"{figure(number)} {smallest}" if number else f"0 {smallest}"


def with_unit(number, unit):
    """A value of a curve: times are scaled, counts are not."""
    return duration(number) if unit == "ns" else grouped(number)


def seconds(number):
    """4.2 s, 3 min 20 s."""
    if number < 59.95:
        return f"{number:.1f} s"
    minutes, rest = divmod(round(number), 60)
    return f"{minutes} min {rest} s"


def percent(share):
    """A share as text: 99.9 %, 0.01 %."""
    return f"{share * 100:.10g} %"


def decades(low, high):
    """The powers of ten in a range of positive numbers, and one on either side."""
    begin, end = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**exponent for exponent in range(begin, end + 1)]
