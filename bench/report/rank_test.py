"""The Mann-Whitney U test: do two samples come from the same distribution?

H. B. Mann and D. R. Whitney, On a Test of Whether one of Two Random Variables is Stochastically
Larger than the Other, Annals of Mathematical Statistics 18 (1947), pages 50 to 60: the exact
distribution is by their recurrence. For ties and larger samples it is the normal approximation with
the variance corrected for ties and half a unit for continuity: E. L. Lehmann, Nonparametrics:
Statistical Methods Based on Ranks (1975), chapter 1. Many tests at once: Y. Benjamini and
Y. Hochberg, Controlling the False Discovery Rate, Journal of the Royal Statistical Society B 57
(1995), pages 289 to 300.
"""

import collections
import functools
import math

EXACT_UP_TO = 20  # samples on either side


def two_sided(first, second):
    """The probability of ranks at least as unequal if there is no difference."""
    if not first or not second:
        raise ValueError("a sample is empty")
    u, tied = _statistic(first, second)
    if not tied and max(len(first), len(second)) <= EXACT_UP_TO:
        return _exact(u, len(first), len(second))
    return _approximate(u, len(first), len(second), first + second)


def least_possible(first, second):
    """What two_sided() can be at the least with so many samples: 2 over n+m choose n."""
    return min(1.0, 2 / math.comb(first + second, first))


def false_discoveries(probabilities, rate):
    """Which are taken for differences such that `rate` of these are false, at the most and on
    average."""
    order = sorted(range(len(probabilities)), key=lambda at: probabilities[at])
    last = 0
    for place, at in enumerate(order, 1):
        if probabilities[at] <= rate * place / len(order):
            last = place
    taken = set(order[:last])
    return [at in taken for at in range(len(probabilities))]


def _statistic(first, second):
    """U of the first: the pairs in which it is larger, a tie for a half."""
    u, tied = 0.0, len(set(first + second)) != len(first) + len(second)
    for one in first:
        for other in second:
            u += 1 if one > other else 0.5 if one == other else 0
    return u, tied


def _exact(u, n, m):
    low = int(min(u, n * m - u))
    ways = sum(_ways(n, m, value) for value in range(low + 1))
    return min(1.0, 2 * ways / math.comb(n + m, n))


@functools.lru_cache(maxsize=None)
def _ways(n, m, u):
    """Orders of n and m values that give u: the largest is of the one or the other."""
    if u < 0 or u > n * m:
        return 0
    if n == 0 or m == 0:
        return 1 if u == 0 else 0
    return _ways(n - 1, m, u - m) + _ways(n, m - 1, u)


def _approximate(u, n, m, values):
    count = n + m
    ties = sum(same**3 - same for same in collections.Counter(values).values())
    variance = n * m / 12 * (count + 1 - ties / (count * (count - 1)))
    if variance <= 0:
        return 1.0  # all are the same
    distance = max(0.0, abs(u - n * m / 2) - 0.5)
    return min(1.0, math.erfc(distance / math.sqrt(2 * variance)))
