"""Losses against values worked out by hand, and their laws."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from dieindex.training.losses import (
    VECTOR_LOSSES,
    arcface,
    batch_hard_triplet,
    contrastive,
    displacement_loss,
    multi_similarity,
    supervised_contrastive,
    verdict_loss,
    within_types,
)
from dieindex.verification.comparator import REACH, SHIFTS, displacements

DIE = torch.tensor([0, 0, 1, 1])
APART = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
"""Perfect: dies coincide and lie opposite each other."""
CORNERS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
"""Same-die pairs at right angles, likewise two of the four different-die pairs."""


def test_contrastive_by_hand() -> None:
    # Same: d² = 2. Different: d = √2 twice, 2 twice, all beyond the margin 1; with 1.5, (1.5-√2)².
    assert contrastive(CORNERS, DIE).item() == pytest.approx(2.0)
    expected = 2.0 + 2 * (1.5 - math.sqrt(2)) ** 2 / 4
    assert contrastive(CORNERS, DIE, margin=1.5).item() == pytest.approx(expected, abs=1e-5)


def test_triplet_by_hand() -> None:
    # Each face's like lies at √2 and its nearest unlike at √2: only the margin remains.
    assert batch_hard_triplet(CORNERS, DIE, margin=0.3).item() == pytest.approx(0.3, abs=1e-5)


def test_supervised_contrastive_by_hand() -> None:
    # At temperature 1: like at cosine 0, unlikes at 0 and -1: -log(1 / (1 + 1 + 1/e)).
    expected = math.log(2 + math.exp(-1))
    assert supervised_contrastive(CORNERS, DIE, temperature=1.0).item() == pytest.approx(expected)


def test_multi_similarity_by_hand() -> None:
    # All likes are mined (0 - 0.1 < 0); of the unlikes those at cosine 0, not those at -1.
    pull = math.log(1 + math.exp(-2 * (0 - 0.5))) / 2
    push = math.log(1 + math.exp(40 * (0 - 0.5))) / 40
    assert multi_similarity(CORNERS, DIE).item() == pytest.approx(pull + push, rel=1e-5)


def test_arcface_by_hand() -> None:
    loss = arcface(APART, DIE, margin=0.3, scale=4.0)
    # The other die's centre lies opposite, one's own where the face itself lies.
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-4 - 4 * math.cos(0.3))), abs=2e-3)


@pytest.mark.parametrize("name", list(VECTOR_LOSSES))
def test_perfect_vectors_cost_next_to_nothing_and_confused_ones_much(name: str) -> None:
    loss = VECTOR_LOSSES[name]
    perfect = loss(APART, DIE).item()
    confused = loss(APART, torch.tensor([0, 1, 0, 1])).item()
    assert perfect >= -1e-6
    # Of the logarithmic losses the best possible value is small and not 0.
    assert perfect < {"multi_similarity": 0.2}.get(name, 1e-3)
    assert confused > perfect + 0.25


@pytest.mark.parametrize("name", list(VECTOR_LOSSES))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_order_of_faces_and_no_name_of_dies_matters(name: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vectors = F.normalize(torch.randn(9, 4, generator=generator), dim=1)
    die = torch.tensor([3, 3, 3, 5, 5, 5, 8, 8, 9])
    order = torch.randperm(9, generator=generator)
    loss = VECTOR_LOSSES[name]
    plain = loss(vectors, die)
    assert torch.allclose(loss(vectors[order], die[order]), plain, atol=1e-5)
    assert torch.allclose(loss(vectors, 100 - die), plain, atol=1e-5)


@pytest.mark.parametrize("name", list(VECTOR_LOSSES))
@pytest.mark.parametrize("die", [[0, 1, 2], [0, 0, 0], [0, 0, 1]])
def test_gradients_stay_finite_where_a_kind_of_pair_is_missing(name: str, die: list[int]) -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    VECTOR_LOSSES[name](vectors, torch.tensor(die)).backward()
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize("name", list(VECTOR_LOSSES))
def test_going_down_a_loss_brings_dies_together(name: str) -> None:
    generator = torch.Generator().manual_seed(4)
    raw = torch.randn(8, 6, generator=generator, requires_grad=True)
    die = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    optimiser = torch.optim.Adam([raw], lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        VECTOR_LOSSES[name](F.normalize(raw, dim=1), die).backward()
        optimiser.step()
    vectors = F.normalize(raw, dim=1)
    similarity = vectors @ vectors.T
    same = (die[:, None] == die[None]) & ~torch.eye(8, dtype=torch.bool)
    assert similarity[same].min() > similarity[die[:, None] != die[None]].max()


def test_faces_of_other_types_are_no_negatives() -> None:
    die = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    group = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    vectors = torch.cat([CORNERS, APART])
    apart = within_types(supervised_contrastive, vectors, die, group)
    expected = (supervised_contrastive(CORNERS, DIE) + supervised_contrastive(APART, DIE)) / 2
    assert torch.allclose(apart, expected)
    assert supervised_contrastive(vectors, die) > apart


# ------------------------------------------------------------------------- displacement, verdicts


def test_displacement_loss_by_hand() -> None:
    weight = torch.ones(1, 1, 2, 2)
    flat = torch.zeros(1, SHIFTS, 2, 2)
    moved = torch.tensor([1.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    assert displacement_loss(flat, moved, weight).item() == pytest.approx(
        math.log(SHIFTS), abs=1e-5
    )
    right = flat.clone()
    entry = next(i for i, d in enumerate(displacements().tolist()) if d == [1.0, -2.0])
    right[:, entry] = 50.0
    assert displacement_loss(right, moved, weight).item() == pytest.approx(0.0, abs=1e-4)
    wrong = flat.clone()
    wrong[:, 0] = 50.0
    assert displacement_loss(wrong, moved, weight).item() == pytest.approx(50.0, abs=1e-3)


def test_between_cells_the_neighbours_share() -> None:
    weight = torch.ones(1, 1, 1, 1)
    moved = torch.tensor([0.25, 0.0]).view(1, 2, 1, 1)
    costs = torch.full((1, SHIFTS, 1, 1), -40.0)
    entries = [displacements().tolist().index([x, 0.0]) for x in (0.0, 1.0)]
    costs[0, entries[0]], costs[0, entries[1]] = math.log(0.75), math.log(0.25)
    entropy = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert displacement_loss(costs, moved, weight).item() == pytest.approx(entropy, abs=1e-4)


def test_what_is_beyond_reach_or_unseen_does_not_count() -> None:
    generator = torch.Generator().manual_seed(0)
    costs = torch.randn(1, SHIFTS, 2, 2, generator=generator)
    moved = torch.zeros(1, 2, 2, 2)
    moved[0, 0, 0, 0] = REACH + 0.5
    weight = torch.ones(1, 1, 2, 2)
    unseen = weight.clone()
    unseen[0, 0, 0, 0] = 0
    assert torch.allclose(
        displacement_loss(costs, moved, weight), displacement_loss(costs, moved, unseen)
    )
    assert displacement_loss(costs, moved, 0 * weight).item() == 0


def test_verdicts_weigh_both_kinds_alike() -> None:
    logit = torch.tensor([0.0, 2.0, 2.0, 2.0])
    same = torch.tensor([True, False, False, False])
    expected = (math.log(2) + math.log(1 + math.exp(2))) / 2
    assert verdict_loss(logit, same).item() == pytest.approx(expected, rel=1e-5)
    assert verdict_loss(torch.tensor([30.0, -30.0]), same[:2]).item() == pytest.approx(0, abs=1e-6)
