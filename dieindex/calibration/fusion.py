"""One score from what is known of a pair.

Of a pair that was compared in detail two things speak: the distance of the vectors and the
comparator's logit. A logistic regression weighs them (fitted on types of the mint that nothing else
was trained on, see ``training.calibrate``); less the log-odds of the pairs it was fitted on, its
sum is a log-likelihood ratio on collections like those. What it says in another collection is read
from that (``two_kinds``).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dieindex.calibration.distance import ORDER_SLOPE
from dieindex.errors import EncoderError
from dieindex.records import Floats

FUSION_FORMAT = 2
VERIFIED, VERIFIED_PAIR = "verified", "verified_pair"
"""The two fusions of a weights file: in an index, and of two files alone."""
LIMIT = 12.0
"""Nats that no ratio exceeds as learned; approached smoothly, so that what was ordered stays
ordered. (A score has no bound: what it says in a collection, ``two_kinds`` tells.)"""
OF_USUAL = 0.5
"""Part of what two faces usually show in common from which a pair is judged."""


@dataclass(frozen=True)
class Fusion:
    """Weights of the evidence, nats a unit: of the comparator's ``logit``, of the ``distance``
    (0…2; negative), and ``bias``.

    ``least_shared`` is the part of the frame that both faces must show; ``same_pairs`` and
    ``different_pairs`` state how many pairs it was fitted on.
    """

    logit: float
    distance: float
    bias: float
    least_shared: float
    same_pairs: int = 0
    different_pairs: int = 0

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) for value in asdict(self).values()):
            raise ValueError("a fusion holds a number that is not finite")
        if self.logit < 0 or self.distance > 0:
            raise ValueError("a fusion's weights have a sign that evidence cannot have")

    def score(self, distance: Floats, logit: Floats) -> Floats:
        """What the pairs say, nats, any shape; without bound."""
        return np.asarray(self.logit * logit + self.distance * distance + self.bias)

    def log_likelihood_ratio(self, distance: Floats, logit: Floats) -> Floats:
        """Natural logarithm of p(evidence | same die) / p(evidence | different dies) of the pairs,
        any shape, on collections like those it was fitted on."""
        return _limited(self.score(distance, logit))

    def to_json(self) -> str:
        """One JSON object; ``from_json`` gives back an equal record."""
        return json.dumps({"format": FUSION_FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Fusion:
        """Read ``to_json``'s text; raises EncoderError where it is damaged or of another format."""
        remedy = "install dieindex again, or fit it with `python -m dieindex.training.calibrate`"
        try:
            record: Any = json.loads(text)
            if record["format"] != FUSION_FORMAT:
                raise EncoderError(f"the fusion has format {record['format']!r}: {remedy}")
            counts = ("same_pairs", "different_pairs")
            given = {name: float(record[name]) for name in asdict(cls(0, 0, 0, 0))}
            return cls(**{n: int(v) if n in counts else v for n, v in given.items()})  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise EncoderError(f"the fusion is damaged ({error}): {remedy}") from error


def _limited(ratio: Floats) -> Floats:
    # The slope keeps the order where the limit's own is lost to rounding.
    return np.asarray(LIMIT * np.tanh(ratio / LIMIT) + ORDER_SLOPE * ratio)
