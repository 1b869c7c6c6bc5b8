"""Scoring pairs: the comparator on the dense descriptors of faces, in batches of one shape.

A pair's logit does not depend, to the last bit, on which pairs are scored beside it; so a
question broken off and asked again ends as an unbroken one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dieindex.elsewhere import FromWeights
from dieindex.encoder.dense import STEPS, DenseDescriptors
from dieindex.encoder.precision import network_precision
from dieindex.errors import EncoderError
from dieindex.records import Flags, Floats, Floats32, Ints

if TYPE_CHECKING:
    from torch import Tensor


BATCH = 16
"""Pairs that enter the comparator at once; shorter batches are filled up. (Of this many the
convolutions are as fast as of more.)"""


@dataclass(frozen=True, eq=False)
class PairScores:
    """What the comparator says of candidate pairs; NaN in both where a pair was not scored: a face
    of it lies on no frame, the two on different ones, or it was passed over."""

    logit: Floats
    """(m,): the comparator's log-odds of "same die", not calibrated."""
    shared: Floats
    """(m,) 0…1: the part of the frame that both faces show."""
    distance: Floats | None = None
    """(m,) 0…2: of the vectors, where pairs were aligned to each other; None: as on frames."""
    passed: Flags | None = None
    """(m,): which pairs were passed over: they could be scored, and need not be; None: none."""

    def only(self, compared: Flags) -> PairScores:
        """As if all others than those ``compared`` ``(m,)`` had been passed over."""
        passed = self.done & ~compared
        if self.passed is not None:
            passed |= self.passed
        unknown = [np.where(compared, each, np.nan) for each in (self.logit, self.shared)]
        return PairScores(unknown[0], unknown[1], self.distance, passed)

    def filled(self, other: PairScores) -> PairScores:
        """These scores, and those of ``other`` of pairs that are not known here."""
        logit, shared = (
            np.where(self.done, own, theirs)
            for own, theirs in ((self.logit, other.logit), (self.shared, other.shared))
        )
        passed = None if self.passed is None else self.passed & ~other.done
        return PairScores(logit, shared, self.distance, passed)

    @property
    def done(self) -> Flags:
        """(m,): whether the pair was scored."""
        return ~np.isnan(self.logit)


class PairScorer(FromWeights):
    """The comparator of a weights file, ready to score; safe to call from several threads."""

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        """Raises EncoderError where the file carries no comparator that fits."""
        import torch

        from dieindex.encoder.module_files import load_module
        from dieindex.verification.comparator import Comparator

        if not has_comparator(weights):
            raise EncoderError(f"{weights}: carries no comparator; train it with `dieindex train`.")
        comparator = Comparator()
        load_module(comparator, "comparator", weights)
        comparator.eval().requires_grad_(False)
        self.weights, self.device = weights, device
        self._comparator = comparator.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._narrow = network_precision(device)

    @classmethod
    def from_weights(cls, weights: Path, device: str) -> PairScorer:
        return cls(weights, device)

    @property
    def precision(self) -> str:
        return str(self._narrow)

    def score(
        self, first: DenseDescriptors, second: DenseDescriptors, *, fill: bool = True
    ) -> tuple[Floats, Floats]:
        """The comparator's logits ``(m,)`` of the pairs of two lists of ``m`` faces, whichever
        comes first, and the part 0…1 of the frame ``(m,)`` that both faces of each show.

        Short batches are filled up, so that a pair's score does not depend on how many others are
        scored beside it; without ``fill`` they are not, which takes less time where a pair is
        looked at once (scores differ by rounding then).
        """
        logits, shared = np.zeros(len(first)), np.zeros(len(first))
        for start in range(0, len(first), BATCH):
            part = slice(start, min(start + BATCH, len(first)))
            logits[part], shared[part] = self._batch(
                DenseDescriptors(first.descriptors[part], first.reliability[part]),
                DenseDescriptors(second.descriptors[part], second.reliability[part]),
                BATCH if fill else len(first.descriptors[part]),
            )
        return logits, shared

    def score_among(
        self, faces: DenseDescriptors, first: Ints, second: Ints
    ) -> tuple[Floats, Floats]:
        """``score`` the pairs of faces at these positions ``(m,)``."""
        logits, shared = np.zeros(len(first)), np.zeros(len(first))
        for start in range(0, len(first), BATCH):
            part = slice(start, start + BATCH)
            found = self.score(faces.take(first[part]), faces.take(second[part]))
            logits[part], shared[part] = found
        return logits, shared

    def displacement(
        self, first: DenseDescriptors, second: DenseDescriptors
    ) -> tuple[Floats32, Floats32]:
        """How far each cell of one face lies from its like on the other, (grid, grid, 2) cells
        (x, y), less the smooth part of it all; and the weight (grid, grid) 0…1 of each cell."""
        import torch

        one, other = (
            torch.from_numpy(each.descriptors).to(self.device).float() / STEPS
            for each in (first, second)
        )
        trust, beside = (
            torch.from_numpy(each.reliability).to(self.device).float() / 255
            for each in (first, second)
        )
        with torch.inference_mode():
            there = self._comparator(one, other, trust, beside)
        residual = there.residual[0].permute(1, 2, 0).float().cpu().numpy()
        return np.ascontiguousarray(residual), there.weight[0, 0].float().cpu().numpy()

    def _batch(
        self, first: DenseDescriptors, second: DenseDescriptors, size: int
    ) -> tuple[Floats, Floats]:
        import torch

        from dieindex.verification.comparator_fast import both_ways_fast

        used = len(first)
        one, other = (self._tensor(a, size) for a in (first.descriptors, second.descriptors))
        trusts = [self._tensor(a, size) for a in (first.reliability, second.reliability)]
        trust, other_trust = (each.float() / 255 for each in trusts)
        with (
            torch.inference_mode(),
            torch.autocast(
                self.device.split(":")[0],
                torch.bfloat16,
                enabled=self._narrow is torch.bfloat16,
            ),
        ):
            shown = trust * other_trust
            logits = both_ways_fast(self._comparator, one, other, shown, self._narrow, STEPS)
        shared = shown.mean((1, 2, 3))
        found = torch.stack([logits.float(), shared]).cpu().numpy().astype(np.float64)
        return found[0, :used], found[1, :used]

    def _tensor(self, values: npt.NDArray[np.generic], size: int) -> Tensor:
        """As the comparator takes it, filled up to a batch of ``size``."""
        import torch

        full = np.zeros((size, *values.shape[1:]), values.dtype)
        full[: len(values)] = values
        return torch.from_numpy(full).to(self.device)


def has_comparator(weights: Path) -> bool:
    """Whether a weights file carries a comparator."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(weights), "np") as stored:
            return any(name.startswith("comparator.") for name in stored.keys())  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"{weights}: not a weights file ({error}).") from error
