"""Where verification enters: the comparator of an index's encoder, and how it is weighed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from dieindex.api.seen import ScoredPair
from dieindex.calibration.distance import Calibration
from dieindex.calibration.fusion import VERIFIED, Fusion
from dieindex.calibration.two_kinds import TwoKinds
from dieindex.calibration.verdict import verified_verdict
from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.encode import Encoder
from dieindex.encoder.weights import INDEX, EncoderCard
from dieindex.errors import EncoderError
from dieindex.records import Verdict
from dieindex.storage.folder import encoder_card
from dieindex.verification.agreement import Agreement, DisplacementScale, agreement_of
from dieindex.verification.scorer import PairScorer


def check_weights(card: EncoderCard, device: str = "auto") -> None:
    """Raise EncoderError where weights cannot be used to the end: the networks, their calibrations,
    and the device; tried on a face."""
    Calibration.from_json(card.calibration_for(INDEX))
    DisplacementScale.of(card.calibration)
    encoder = Encoder(card, device)
    described = encoder.check()
    found = Verification(card, VERIFIED)
    if found.possible:
        assert found.fusion
        face = quantised(described.descriptors, described.reliability)
        logit, shared = found.scorer.score(face, face)
        if not (np.isfinite(logit).all() and np.isfinite(shared).all()):
            raise EncoderError(f"{card.path}: the weights' comparator is damaged.")


class Verification:
    """The comparator of one encoder and how its scores are weighed; loaded when it is needed.

    ``use`` is ``fusion.VERIFIED`` in an index and ``fusion.VERIFIED_PAIR`` for two files alone.
    """

    def __init__(self, card: EncoderCard, use: str, device: str = "cpu") -> None:
        self._card, self._use, self._device = card, use, device

    @classmethod
    def of_index(cls, folder: Path, version: str | None) -> Verification | None:
        """That of an index; None where its encoder is not here any more, or cannot verify."""
        card = encoder_card(folder)
        found = cls(card, VERIFIED)
        return found if card.version == version and found.possible else None

    @property
    def possible(self) -> bool:
        """Whether the weights file tells how evidence is weighed (older ones do not)."""
        return isinstance(self._card.calibration.get(self._use), dict)

    @cached_property
    def fusion(self) -> Fusion:
        return Fusion.from_json(self._card.calibration_for(self._use))

    @cached_property
    def scorer(self) -> PairScorer:
        return PairScorer(self._card.path, self._device)

    @cached_property
    def encoder(self) -> Encoder:
        return Encoder(self._card, self._device)

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and grid of the dense descriptors."""
        config = DescriptorConfig.from_dict(self._card.config)
        return config.descriptor, config.grid

    def score(
        self, first: DenseDescriptors, second: DenseDescriptors, distance: float
    ) -> ScoredPair:
        """What the comparator says of two faces that lie on one frame."""
        logit, shared = self.scorer.score(first, second)
        return ScoredPair(float(logit[0]), float(shared[0]), distance)

    def verdict(
        self, scored: ScoredPair, threshold: float, prior: float, kinds: TwoKinds
    ) -> Verdict:
        """On two faces of which it is known; ``kinds`` says how scores lie where they are from."""
        told = scored.logit, scored.shared, scored.distance
        return verified_verdict(self.fusion, kinds, *told, threshold, prior)

    def agreement(self, first: DenseDescriptors, second: DenseDescriptors) -> Agreement:
        """Where two faces on one frame agree, cell by cell."""
        scale = DisplacementScale.of(self._card.calibration)
        return agreement_of(self.scorer, first, second, scale)
