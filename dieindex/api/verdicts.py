"""The verdict on two coins, side by side, and what can be seen of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from dieindex.api.comparison import Comparison
from dieindex.api.seen import ScoredPair, SeenFace, View
from dieindex.api.verification import Verification
from dieindex.calibration.distance import Calibration
from dieindex.calibration.two_kinds import ANY_COLLECTION, TwoKinds
from dieindex.calibration.verdict import APART, apart_verdict, embedding_verdict, unaligned_verdict
from dieindex.encoder.dense import DenseDescriptors
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Side, Verdict
from dieindex.verification.agreement import Agreement

COMPARE_PRIOR = 0.5
"""What ``compare`` assumes before looking: a person who asks about two coins has a reason to."""


def judged(
    a: str,
    b: str,
    first: View,
    second: View,
    threshold: float,
    calibration_of: Callable[[Side], Calibration],
    only: Side | None,
    verification: Verification | None = None,
    kinds_of: Callable[[Side], TwoKinds] = lambda _: ANY_COLLECTION,
    note: str | None = None,
    scored: Mapping[Side, ScoredPair] = MappingProxyType({}),
) -> Comparison:
    """The verdict on every side that both coins show, or on ``only`` one.

    ``threshold`` 0…2 is the distance that decides; ``calibration_of`` tells what one means on a
    side, where distances decide alone. ``verification`` compares the faces where it is given and
    they are known, ``scored`` is what it said of them before, and ``kinds_of`` tells how its scores
    lie on a side. Where nothing can be told, ``note`` is part of the reason.
    """
    verdicts: dict[Side, Verdict | None] = {}
    known = _why_the_same(a, b, first, second)
    for side in SIDES:
        if side not in first.faces or side not in second.faces or only not in (None, side):
            verdicts[side] = None
        elif known is not None:
            verdicts[side] = Verdict("same", 1.0, COMPARE_PRIOR, 0.0, threshold, "embedding", known)
        else:
            verdict = _verdict(
                first.faces[side],
                second.faces[side],
                threshold,
                partial(calibration_of, side),
                verification,
                kinds_of(side),
                scored.get(side),
            )
            if note is not None and verdict.verdict == "cannot tell":
                verdict = replace(verdict, reason=f"{verdict.reason}; {note}")
            verdicts[side] = verdict
    return Comparison(
        a,
        b,
        verdicts[SIDES[0]],
        verdicts[SIDES[1]],
        None if known is not None else note,
        _Seen(first, second, verification),
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """What can be seen of two views; see ``comparison.Evidence``."""

    first: View
    second: View
    verification: Verification | None

    def faces(self, side: Side) -> tuple[Face, Face]:
        return self.first.faces[side].rendered(), self.second.faces[side].rendered()

    def agreement(self, side: Side) -> Agreement | None:
        if self.verification is None:
            return None
        found = _both_descriptors(self.first.faces[side], self.second.faces[side])
        return None if found is None else self.verification.agreement(*found)

    def apart(self, side: Side) -> str | None:
        return why_apart(self.first.faces[side], self.second.faces[side])


def why_apart(first: SeenFace, second: SeenFace) -> str | None:
    """Why two faces do not lie on each other; None where they do."""
    if reason := first.unaligned or second.unaligned:
        return reason
    return None if first.frame == second.frame else APART


def _why_the_same(a: str, b: str, first: View, second: View) -> str | None:
    """Why two views are of one coin, whatever its faces look like; None where they are not."""
    if a == b or (first.coin is not None and first.coin == second.coin):
        return "it is the same coin"
    if first.content is not None and first.content == second.content:
        return "it is the same photograph"
    return None


def _verdict(
    first: SeenFace,
    second: SeenFace,
    threshold: float,
    calibration: Callable[[], Calibration],
    verification: Verification | None,
    kinds: TwoKinds,
    scored: ScoredPair | None,
) -> Verdict:
    distance = float(unit_distance(first.vector @ second.vector))
    reason = first.unaligned or second.unaligned
    if reason is not None:
        return unaligned_verdict(distance, threshold, COMPARE_PRIOR, reason)
    if verification is not None:
        if scored is None and (both := _both_descriptors(first, second)) is not None:
            scored = verification.score(*both, distance)
        if scored is not None:
            return verification.verdict(scored, threshold, COMPARE_PRIOR, kinds)
    if first.frame != second.frame:
        return apart_verdict(distance, threshold, COMPARE_PRIOR)
    ratio = calibration().log_likelihood_ratio(distance)
    return embedding_verdict(distance, threshold, ratio, COMPARE_PRIOR)


def _both_descriptors(
    first: SeenFace, second: SeenFace
) -> tuple[DenseDescriptors, DenseDescriptors] | None:
    """The dense descriptors of two faces that lie on one frame, where both are known."""
    if why_apart(first, second) is not None:
        return None
    one, other = first.descriptors(), second.descriptors()
    return None if one is None or other is None else (one, other)
