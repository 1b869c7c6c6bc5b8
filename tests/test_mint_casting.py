from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from dieindex.mint.casting import cast_copies
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.flan import coin_grid
from dieindex.mint.parameters import StrikeParameters
from dieindex.mint.striking import sample_strike
from dieindex.mint.surface import blur

SIZE = 160


def _face(cast: float, *, reverse: bool = False) -> StrikeParameters:
    strike = sample_strike(np.random.default_rng(4), DIFFICULTIES["easy"], 0.2, reverse=reverse)
    return replace(strike, coin=replace(strike.coin, cast=cast))


def _cast(strikes: list[StrikeParameters]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(edge, height, filed) of round flans with fine ripples for a design."""
    extents = np.full(len(strikes), 1.06, np.float32)
    grid = coin_grid(extents, SIZE, [s.seed for s in strikes], "cpu")
    ripples = 0.02 * torch.sin(grid.x * 160)
    edge = 1 - grid.radius
    height, filed = cast_copies(ripples, edge, grid, strikes)
    return edge, height - ripples, filed


def test_struck_coins_stay_as_they_are_beside_cast_ones() -> None:
    _, change, filed = _cast([_face(0.0), _face(0.8)])
    assert not filed[0].any()
    assert not change[0].any()
    assert filed[1].any()
    assert not _cast([_face(0.0)])[2].any()


def test_the_file_went_round_the_rim_facet_by_facet() -> None:
    edge, change, filed = _cast([_face(0.8)])
    assert not filed[edge > 0.2].any()
    rim = filed[(edge > 0.005) & (edge < 0.02)]
    assert 0.2 < float(rim.mean()) <= 1
    strokes = (change - blur(change, 3.0))[filed > 0.9]
    assert float(strokes.std()) > 0.001


def test_both_faces_show_one_seam() -> None:
    _, _, front = _cast([_face(0.8)])
    _, _, back = _cast([_face(0.8, reverse=True)])
    assert float((front - back.flip(-1)).abs().mean()) < 0.1 * float(front.mean())
    assert float((front - back).abs().mean()) > 0.3 * float(front.mean())


@pytest.mark.parametrize("cast", [0.4, 1.0])
def test_casts_are_soft_and_have_pearls_and_pinholes(cast: float) -> None:
    edge, change, _ = _cast([_face(cast)])
    inside = edge > 0.25
    grid = coin_grid(np.array([1.06], np.float32), SIZE, [0], "cpu")
    ripples = torch.sin(grid.x * 160)[inside]
    # Ripples as fine as these hardly come through the mould.
    left = 0.02 + float((change[inside] * ripples).mean() / (ripples * ripples).mean())
    assert left < 0.015
    rest = change[inside] - (left - 0.02) * ripples
    assert float(rest.max()) > 0.002 * cast
    assert float(rest.min()) < -0.002 * cast
