"""One log-likelihood ratio from what is known of a pair, and from its context.

Of a pair that was scored, two things speak: the distance of the vectors and the comparator's
logit. A logistic regression weighs them (fitted on types of the mint that nothing else was trained
on, see ``training.calibrate``); less the log-odds of the pairs it was fitted on, its sum is a
log-likelihood ratio. Where a whole collection is compared, the other coins speak too: faces that
share a die share their partners (``context``). That is no evidence of the pair itself, so it is
weighed apart: ``compare`` goes by the pair alone, clustering by half of each. Where no third coin
has anything to say, as of a die of two coins, the pair's own ratio stays as it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dieindex.calibration.context import Context, context_evidence
from dieindex.calibration.distance import ORDER_SLOPE
from dieindex.errors import EncoderError
from dieindex.records import Floats

FUSION_FORMAT = 2
VERIFIED, VERIFIED_PAIR = "verified", "verified_pair"
"""The two fusions of a weights file: in an index, and of two files alone."""
LIMIT = 12.0
"""Nats that no ratio exceeds as learned (fitted to a collection it may, a little); approached
smoothly, so that what was ordered stays ordered."""
OF_USUAL = 0.5
"""Part of what two faces usually show in common from which a pair is judged."""
_KEYS = {"discount": "yielding"}
"""What weights files call a weight where that is not its name."""
MOST_DISCOUNT = 0.9
"""What is left of the pair's own ratio keeps its sign and its order."""


@dataclass(frozen=True)
class Fusion:
    """Weights of the evidence, nats a unit: of the comparator's ``logit``, of the ``distance``
    (0…2; negative), and ``bias``; of context, nats a unit of ln(1 + partners),
    ``partners_shared`` for one die and ``partners_apart`` against it. ``discount`` (0…0.9) is the
    part of the pair's own ratio that is taken off where partners abound: of two dies that resemble
    each other many pairs err together. (Weights files call it ``yielding``.)

    ``least_shared`` is the part of the frame that both faces must show; ``same_pairs`` and
    ``different_pairs`` state how many pairs it was fitted on.
    """

    logit: float
    distance: float
    bias: float
    least_shared: float
    discount: float = 0.0
    partners_shared: float = 0.0
    partners_apart: float = 0.0
    same_pairs: int = 0
    different_pairs: int = 0

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) for value in asdict(self).values()):
            raise ValueError("a fusion holds a number that is not finite")
        if self.logit < 0 or self.distance > 0 or min(self._of_context) < 0:
            raise ValueError("a fusion's weights have a sign that evidence cannot have")
        if self.discount > MOST_DISCOUNT:
            raise ValueError("a fusion gives too little to the pair itself")

    def log_likelihood_ratio(self, distance: Floats, logit: Floats) -> Floats:
        """Natural logarithm of p(evidence | same die) / p(evidence | different dies) of the pairs
        themselves, any shape."""
        return _limited(self.logit * logit + self.distance * distance + self.bias)

    def in_context(self, log_likelihood_ratio: Floats, context: Context) -> Floats:
        """The ratios ``(m,)`` with the word of the other coins weighed in."""
        return _limited(
            log_likelihood_ratio
            + np.column_stack(context_evidence(log_likelihood_ratio, context)) @ self._of_context
        )

    @property
    def _of_context(self) -> tuple[float, float, float]:
        """In the order of ``context_evidence``."""
        return self.discount, self.partners_shared, self.partners_apart

    def to_json(self) -> str:
        """One JSON object; ``from_json`` gives back an equal record."""
        record = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        return json.dumps({"format": FUSION_FORMAT, **record})

    @classmethod
    def from_json(cls, text: str) -> Fusion:
        """Read ``to_json``'s text; raises EncoderError where it is damaged or of another format."""
        remedy = "install dieindex again, or fit it with `python -m dieindex.training.calibrate`"
        try:
            record: Any = json.loads(text)
            if record["format"] != FUSION_FORMAT:
                raise EncoderError(f"the fusion has format {record['format']!r}: {remedy}")
            counts = ("same_pairs", "different_pairs")
            given = {name: float(record[_KEYS.get(name, name)]) for name in asdict(cls(0, 0, 0, 0))}
            return cls(**{n: int(v) if n in counts else v for n, v in given.items()})  # type: ignore[arg-type]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise EncoderError(f"the fusion is damaged ({error}): {remedy}") from error


def _limited(ratio: Floats) -> Floats:
    # The slope keeps the order where the limit's own is lost to rounding.
    return np.asarray(LIMIT * np.tanh(ratio / LIMIT) + ORDER_SLOPE * ratio)
