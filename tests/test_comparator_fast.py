"""The comparator as it is used gives what the comparator as it is trained gives."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dieindex.encoder.dense import DenseDescriptors, quantised
from dieindex.encoder.weights import BASELINE_WEIGHTS, SHIPPED_WEIGHTS
from dieindex.errors import EncoderError
from dieindex.verification.agreement import (
    SCALE,
    Displaced,
    DisplacementScale,
    agreement_of,
    displaced,
    fit_scale,
)
from dieindex.verification.comparator import Comparator
from dieindex.verification.comparator_fast import both_ways_fast
from dieindex.verification.scorer import PairScorer, has_comparator


def faces(count: int, size: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    cells = F.normalize(torch.randn(count, 32, size, size, generator=generator), dim=1)
    return cells, torch.rand(count, 1, size, size, generator=generator)


@pytest.mark.parametrize("size", [16, 24])
def test_the_fast_comparator_is_the_same_in_full_precision(size: int) -> None:
    torch.manual_seed(3)
    comparator = Comparator().eval().requires_grad_(False)
    first, trust = faces(5, size, 1)
    second, other_trust = faces(5, size, 2)
    second = F.normalize(second + 1.5 * torch.roll(first, (1, -2), (2, 3)), dim=1)
    with torch.inference_mode():
        slow = comparator.both_ways(first, second, trust, other_trust)
        args = (trust * other_trust, torch.float32)
        fast = both_ways_fast(comparator, first, second, *args)
        back = both_ways_fast(comparator, second, first, *args)
    torch.testing.assert_close(fast, slow, atol=2e-4, rtol=1e-4)
    torch.testing.assert_close(fast, back, atol=2e-4, rtol=1e-4)


def test_a_sharper_comparator_stays_finite_where_a_face_shows_nothing() -> None:
    torch.manual_seed(3)
    comparator = Comparator().eval().requires_grad_(False)
    comparator.sharpness.fill_(4.7)  # (The weights that ship have 3.4.)
    first, trust = faces(2, 16, 1)
    first[:, :, :9] = 0
    trust[:, :, :9] = 0
    with torch.inference_mode():
        slow = comparator.both_ways(first, first, trust, trust)
        fast = both_ways_fast(comparator, first, first, trust * trust, torch.float32)
    torch.testing.assert_close(fast, slow, atol=1e-3, rtol=1e-3)


@pytest.fixture(scope="module")
def scorer() -> PairScorer:
    return PairScorer(SHIPPED_WEIGHTS)


@pytest.fixture(scope="module")
def smooth() -> DenseDescriptors:
    """Eighteen faces whose neighbouring cells are alike, as those of coins are."""
    cells, _ = faces(18, 48, 5)
    cells = F.normalize(F.avg_pool2d(cells, 3, 1, 1), dim=1)
    trust = np.zeros((18, 1, 48, 48))
    trust[:, :, 8:40, 8:40] = 0.8
    return quantised(cells.numpy(), trust)


def test_a_pair_is_judged_alike_in_any_batch(scorer: PairScorer, smooth: DenseDescriptors) -> None:
    first, second = np.arange(17), np.arange(1, 18)
    together, shared = scorer.score_among(smooth, first, second)
    alone, _ = scorer.score_among(smooth, first[5:6], second[5:6])
    assert alone[0] == together[5]
    assert shared == pytest.approx(np.full(17, 0.64 * 32 * 32 / 48**2), abs=1e-2)


def test_a_batch_that_is_not_filled_up_says_the_same(
    scorer: PairScorer, smooth: DenseDescriptors
) -> None:
    one, other = smooth.take(np.array([0, 1, 2])), smooth.take(np.array([1, 1, 0]))
    filled, shared = scorer.score(one, other)
    few, seen = scorer.score(one, other, fill=False)
    np.testing.assert_allclose(few, filled, atol=0.1)
    np.testing.assert_allclose(seen, shared, atol=1e-6)


def test_a_face_agrees_with_itself_and_not_with_another(
    scorer: PairScorer, smooth: DenseDescriptors
) -> None:
    scale = DisplacementScale(between=0.21, full=0.08)
    own = agreement_of(scorer, smooth.take([0]), smooth.take([0]), scale)
    assert own.share > 0.99
    assert own.value.shape == own.weight.shape == (48, 48)
    assert (own.weight[:4] < 0.05).all()
    other = agreement_of(scorer, smooth.take([0]), smooth.take([1]), scale)
    assert other.share < 0.5


def test_what_a_displacement_says_is_measured_on_pairs_of_either_kind(
    scorer: PairScorer, smooth: DenseDescriptors
) -> None:
    def pairs(step: int) -> list[Displaced]:
        return [displaced(scorer, smooth.take([k]), smooth.take([k + step])) for k in range(4)]

    scale = fit_scale(pairs(0), pairs(1))
    own, other = (
        agreement_of(scorer, smooth.take([7]), smooth.take([k]), scale).share for k in (7, 8)
    )
    assert own > 0.9
    assert other < 0.6
    with pytest.raises(ValueError, match="no pair"):
        fit_scale(pairs(0), [])
    assert fit_scale(pairs(1), pairs(0)).full == pytest.approx(scale.between)
    kept = json.loads(json.dumps({SCALE: asdict(scale)}))
    assert DisplacementScale.of(kept) == scale
    for damaged in (
        {},
        "x",
        {"between": 1.0},
        {"between": 0.2, "full": 0.0},
        {"between": "x", "full": 1},
    ):
        with pytest.raises(EncoderError, match="calibrate them anew"):
            DisplacementScale.of({SCALE: damaged})


def test_weights_without_a_comparator_say_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert has_comparator(SHIPPED_WEIGHTS)
    assert not has_comparator(BASELINE_WEIGHTS)
    with pytest.raises(EncoderError, match="no comparator"):
        PairScorer(BASELINE_WEIGHTS)
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(EncoderError, match="not a weights file"):
        has_comparator(tmp_path / "x")
