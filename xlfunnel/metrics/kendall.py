"""Kendall's rank correlation with the exact permutation distribution of S, ties included.

S counts the pairs of points that rise less those that fall. Under "no trend" every order of the values is equally
likely. If the values have ties but x has none (or the other way round), the number of falling pairs over all distinct
orders is the number of inversions of a multiset, whose generating function is the q-multinomial coefficient
[n]! / ([m₁]! [m₂]! …), with m the sizes of the groups of equals (MacMahon 1915). So the p value is a ratio of whole
numbers, where scipy's exact method refuses ties and its approximation is poor for six months.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from math import comb, erfc, nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXACT_UP_TO = 60
"""Points up to which the distribution is counted out; beyond, the normal approximation is right to four decimals."""


class Kendall(NamedTuple):
    """Do the values rise with x?

    s      rising pairs less falling pairs
    tau    tau-b, −1…1; NaN if x or the values are all alike
    p      two-sided p value of "no trend", P(|S| ≥ |s|); NaN where tau is
    exact  p comes from the permutation distribution. If not (more than EXACT_UP_TO points, or ties both in x and in
           the values), from the normal approximation with the variance corrected for ties (Kendall 1975) and
           with continuity correction
    """

    s: int
    tau: float
    p: float
    exact: bool


def kendall(x: ArrayLike, values: ArrayLike) -> Kendall:
    """Kendall's S, tau-b and p of two sequences of equal length without NaN; only the order of x matters."""
    a, b = np.asarray(x, dtype=float), np.asarray(values, dtype=float)
    first, second = pairs(len(a))
    s = int(np.sign(a[second] - a[first]) @ np.sign(b[second] - b[first]))
    ties_a, ties_b = ties(a), ties(b)
    untied_a = len(first) - sum(comb(m, 2) for m in ties_a)
    untied_b = len(first) - sum(comb(m, 2) for m in ties_b)
    if not untied_a or not untied_b:
        return Kendall(s, nan, nan, True)
    tau = s / sqrt(untied_a * untied_b)
    exact = len(a) <= EXACT_UP_TO and (max(ties_a) == 1 or max(ties_b) == 1)
    p = _exact_p(s, ties_a if max(ties_b) == 1 else ties_b) if exact else _normal_p(s, ties_a, ties_b)
    return Kendall(s, tau, p, exact)


@lru_cache(maxsize=1024)
def inversions(groups: tuple[int, ...]) -> tuple[int, ...]:
    """Orders of a multiset by their number of inversions: `inversions((1, 1, 1)) == (1, 2, 2, 1)`.

    groups  sizes of the groups of equal elements
    """
    counts, placed = [1], 0
    for size in groups:
        for i in range(1, size + 1):  # [placed + size]! / ([placed]! [size]!), a factor at a time: it stays whole
            counts = _divided(_multiplied(counts, placed + i), i)
        placed += size
    return tuple(counts)


def _multiplied(counts: list[int], k: int) -> list[int]:
    """The polynomial times (1 − qᵏ)."""
    longer = counts + [0] * k
    for i in range(len(counts)):
        longer[i + k] -= counts[i]
    return longer


def _divided(counts: list[int], k: int) -> list[int]:
    """The polynomial divided by (1 − qᵏ), which it holds as a factor."""
    for i in range(k, len(counts)):
        counts[i] += counts[i - k]
    return counts[: len(counts) - k]


@lru_cache(maxsize=8)
def pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and second of all pairs of n points."""
    return np.triu_indices(n, 1)


def ties(values: NDArray[np.float64]) -> tuple[int, ...]:
    """Sizes of the groups of equal values, smallest first; `(1,)` for none, so that max() has an answer."""
    return tuple(sorted(Counter(values.tolist()).values())) or (1,)


def spread(sizes: Iterable[int]) -> int:
    """What groups of equals of these sizes take from 18 times the variance of S; one of all points: what it is."""
    return sum(m * (m - 1) * (2 * m + 5) for m in sizes)


def _exact_p(s: int, ties: tuple[int, ...]) -> float:
    if s == 0:
        return 1.0
    counts = inversions(ties)
    untied_pairs = len(counts) - 1
    tail = sum(counts[: (untied_pairs - abs(s)) // 2 + 1])
    return min(1.0, 2 * tail / sum(counts))


def _normal_p(s: int, ties_a: tuple[int, ...], ties_b: tuple[int, ...]) -> float:
    n = sum(ties_a)

    def twos(sizes: Iterable[int]) -> int:
        return sum(m * (m - 1) for m in sizes)

    def threes(sizes: Iterable[int]) -> int:
        return sum(m * (m - 1) * (m - 2) for m in sizes)

    variance = (spread((n,)) - spread(ties_a) - spread(ties_b)) / 18 + twos(ties_a) * twos(ties_b) / (2 * n * (n - 1))
    if n > 2:
        variance += threes(ties_a) * threes(ties_b) / (9 * n * (n - 1) * (n - 2))
    return erfc(max(0, abs(s) - 1) / sqrt(2 * variance))
