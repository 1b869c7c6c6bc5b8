"""Estimates of the original number of dies of one side, and of how much of it is known.

A sample of n coins shows d dies; d1, d2, d3 of them are known from 1, 2, 3 coins. Every formula has
its model of how unequally the dies struck; the models differ by more than the sampling errors, so
several are given, each with its assumption and its source. Limits are 95 % and are the sampling
error under that model alone; where a source gives none, none are invented.

Sources. Good, Biometrika 40 (1953); Esty, Numismatic Chronicle 144 (1984) and 146 (1986); Lyon,
British Numismatic Journal 59 (1989), formula 3; Carter, ANS Museum Notes 28 (1983); Esty, The
geometric model for estimating the number of dies (2011); Chao, Scandinavian Journal of Statistics
11 (1984), limits: Chao, Biometrics 43 (1987).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

NO_LIMITS = "none: the source gives none"


@dataclass(frozen=True)
class Sample:
    """``n`` coins with an identified die, ``d`` dies, of which ``d1``, ``d2``, ``d3`` are known
    from one, two, three coins."""

    n: int
    d: int
    d1: int = 0
    d2: int = 0
    d3: int = 0

    @classmethod
    def of(cls, coins_per_die: Iterable[int]) -> Sample:
        """From the number of coins of each die; dies without coins do not count."""
        counts = [count for count in coins_per_die if count > 0]
        of = Counter(counts)
        return cls(sum(counts), len(counts), of[1], of[2], of[3])


@dataclass(frozen=True)
class Coverage:
    """The share of the whole issue that was struck by the dies known: 0…1, limits or None."""

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Estimate:
    """An estimate of the number of dies; None where the formula has no answer (``note`` says why).

    ``low`` and ``high`` are None where the method has no limits or the sample allows none.
    """

    method: Method
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Method:
    """A way of estimating: its formula, what it assumes, where it comes from."""

    key: str
    name: str
    formula: str
    assumes: str
    source: str
    limits: str
    of: Callable[[Sample], tuple[float | None, str]]
    """The value and, where there is none or it needs one, a word on it."""
    bounds: Callable[[Sample, float], tuple[float, float] | None] | None = None


EMPTY = "no coin of this side has an identified die"
ALL_SINGLE = (
    "every coin shows another die (n = d): the coverage is 0 and the sample says nothing of how "
    "many there were"
)
NO_SINGLETON = "no die is known from one coin only: the sample shows no sign of further dies"


def coverage(sample: Sample) -> Coverage:
    """C = 1 − d1/n (Good; Esty 1984) with the 95 % limits of Esty 1986 as Lyon uses them.

    ``C ± (2/n)·sqrt(d1 + 2·d2 − d1²/n)``, clipped to ``[d/(d + n), 1]``.
    """
    n, d, d1, d2 = sample.n, sample.d, sample.d1, sample.d2
    if n == 0:
        return Coverage(None, note=EMPTY)
    if d1 == n:
        return Coverage(0.0, note=ALL_SINGLE)
    value = 1.0 - d1 / n
    half = 2.0 / n * math.sqrt(max(d1 + 2.0 * d2 - d1 * d1 / n, 0.0))
    floor = d / (d + n)
    note = NO_SINGLETON if d1 == 0 else ""
    return Coverage(value, min(max(value - half, floor), value), min(value + half, 1.0), note)


def estimate(method: Method, sample: Sample) -> Estimate:
    """One method on one sample, degenerate samples answered in words."""
    if sample.n == 0:
        return Estimate(method, None, note=EMPTY)
    if sample.d1 == sample.n:
        return Estimate(method, None, note=ALL_SINGLE)
    value, note = method.of(sample)
    if value is None:
        return Estimate(method, None, note=note)
    if value < sample.d:
        words = (
            f"the formula gives {value:.1f}, fewer than the {sample.d} dies known; "
            "it was not made for so well known an issue"
        )
        return Estimate(method, None, note=words)
    limits = method.bounds(sample, value) if method.bounds else None
    low, high = (None, None) if limits is None else limits
    # No limit falls below the dies that are known.
    return Estimate(
        method,
        value,
        None if low is None else max(low, float(sample.d)),
        None if high is None else max(high, float(sample.d)),
        note or (NO_SINGLETON if sample.d1 == 0 else ""),
    )


def estimates(sample: Sample) -> list[Estimate]:
    """Every method on one sample, in the order of ``METHODS``."""
    return [estimate(method, sample) for method in METHODS]


# --- the formulas; a sample here has 0 <= d1 < n ----------------------------------------------


def _good(s: Sample) -> tuple[float | None, str]:
    return s.d / (1.0 - s.d1 / s.n), ""


def _negative_binomial(s: Sample, shape: float) -> tuple[float | None, str]:
    return s.d / (1.0 - s.d1 / s.n) * (1.0 + s.d1 / (shape * s.d)), ""


def _geometric(s: Sample) -> tuple[float | None, str]:
    return s.n * s.d / (s.n - s.d), ""


def _carter(s: Sample) -> tuple[float | None, str]:
    ratio = s.n / s.d
    if ratio < 2.0:
        a, b = 1.214, 1.197
    elif ratio < 3.0:
        a, b = 1.124, 1.016
    else:
        a, b = 1.069, 0.843
    return s.n * s.d / (a * s.n - b * s.d), ""


def _chao1(s: Sample) -> tuple[float | None, str]:
    if s.d1 == 0:
        return float(s.d), ""
    if s.d2 == 0:
        return None, "no die is known from exactly two coins (d2 = 0); see the bias-corrected form"
    return s.d + s.d1 * s.d1 / (2.0 * s.d2), ""


def _chao1_corrected(s: Sample) -> tuple[float | None, str]:
    return s.d + s.d1 * (s.d1 - 1) / (2.0 * (s.d2 + 1)), ""


def _lyon(s: Sample) -> tuple[float | None, str]:
    if s.d1 == 0:
        return float(s.d), ""
    if s.d2 == 0 and s.d3 == 0:
        return None, "no die is known from two or three coins (d2 = d3 = 0)"
    return s.d + s.d1 * (s.d1 + s.d2) / (2.0 * s.d2 + 3.0 * s.d3), ""


def _through_coverage(sample: Sample, value: float) -> tuple[float, float] | None:
    """D·C/Cmax … D·C/Cmin."""
    known = coverage(sample)
    if known.value is None or not known.low or not known.high:
        return None
    return value * known.value / known.high, value * known.value / known.low


def _chao_limits(s: Sample, value: float) -> tuple[float, float] | None:
    """Chao 1987: the number of unseen dies is taken as log-normal."""
    unseen = value - s.d
    if s.d1 == 0 or s.d2 == 0 or unseen <= 0:
        return None
    ratio = s.d1 / s.d2
    variance = s.d2 * (0.25 * ratio**4 + ratio**3 + 0.5 * ratio**2)
    spread = math.exp(1.96 * math.sqrt(math.log(1.0 + variance / unseen**2)))
    return s.d + unseen / spread, s.d + unseen * spread


_BY_COVERAGE = "through the limits of the coverage (Esty 1986, Lyon 1989)"

METHODS: tuple[Method, ...] = (
    Method(
        "good",
        "Good",
        "d / C",
        "all dies struck equally many coins; otherwise too low",
        "Good 1953; Esty 1984",
        _BY_COVERAGE,
        _good,
        _through_coverage,
    ),
    Method(
        "lyon",
        "Lyon, formula 3",
        "d + d1(d1 + d2) / (2·d2 + 3·d3)",
        "rests on the rarest dies; output of the dies may differ",
        "Lyon 1989",
        _BY_COVERAGE,
        _lyon,
        _through_coverage,
    ),
    Method(
        "chao1",
        "Chao1",
        "d + d1² / (2·d2)",
        "a lower bound whatever the output of the dies",
        "Chao 1984, 1987",
        "log-normal (Chao 1987)",
        _chao1,
        _chao_limits,
    ),
    Method(
        "chao1_corrected",
        "Chao1, bias-corrected",
        "d + d1(d1 − 1) / (2(d2 + 1))",
        "a lower bound whatever the output of the dies; defined for d2 = 0",
        "Chao 1984 and later",
        NO_LIMITS,
        _chao1_corrected,
    ),
    Method(
        "esty_p2",
        "Esty, negative binomial p\u00a0=\u00a02",
        "(d / C)(1 + d1 / (2·d))",
        "output of the dies follows a gamma distribution of shape 2",
        "Esty 1984",
        _BY_COVERAGE,
        partial(_negative_binomial, shape=2.0),
        _through_coverage,
    ),
    Method(
        "carter",
        "Carter, simplified",
        "n·d / (a·n − b·d), (a, b) by n/d",
        "output of the dies varies moderately (simulated by Carter)",
        "Carter 1983",
        NO_LIMITS,
        _carter,
    ),
    Method(
        "esty_p1",
        "Esty, negative binomial p\u00a0=\u00a01",
        "(d / C)(1 + d1 / d)",
        "output of the dies is exponential: many dies broke early",
        "Esty 1984",
        _BY_COVERAGE,
        partial(_negative_binomial, shape=1.0),
        _through_coverage,
    ),
    Method(
        "geometric",
        "Geometric",
        "n·d / (n − d)",
        "output of the dies is geometric: many dies broke early",
        "Esty 2011",
        NO_LIMITS,
        _geometric,
    ),
)
BY_KEY = {method.key: method for method in METHODS}


@dataclass(frozen=True)
class Band:
    """How far estimates are to be trusted at a ratio n/d."""

    name: str
    words: str


def reliability(sample: Sample) -> Band | None:
    """The field's bands of n/d; None where nothing is known."""
    if sample.d == 0:
        return None
    ratio = sample.n / sample.d
    if ratio >= 3.0:
        return Band("reliable", "n/d is at least 3: estimates are reliable")
    if ratio >= 2.0:
        return Band("with care", "n/d lies between 2 and 3: estimates to be used with care")
    if ratio >= 1.5:
        return Band("risky", "n/d lies between 1.5 and 2: estimates are risky")
    return Band("not to be used", "n/d is below 1.5: estimates should not be used")
