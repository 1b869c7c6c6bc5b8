"""Faces of one side of a collection, rendered as a collector would meet them.

The mint plans a collection (its dies' output and lives, the sources of its photographs); its faces
are cut as the mint's stream cuts them, with the scatter of a flan finder, and not by way of
photographs on disk, which takes several times longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dieindex.mint.difficulty import NAMED_DIFFICULTIES
from dieindex.mint.flan import sample_coin
from dieindex.mint.jpeg import compressed
from dieindex.mint.photography import photograph, quality_at, sample_photo, sample_source
from dieindex.mint.plan import Plan
from dieindex.mint.store import DieStore
from dieindex.mint.striking import die_seed, sample_strike, strike
from dieindex.records import FACE_SIZE, FLAN_RADIUS, OBVERSE, REVERSE, Circle, Face, Flan, Side

DIES_A_COIN = {OBVERSE: 24 / 91, REVERSE: 34 / 91}
"""As in the collection that the project began with, whatever the number of coins."""
RADIUS = FLAN_RADIUS * FACE_SIZE
MIDDLE = (FACE_SIZE - 1) / 2
_AT_ONCE = 4


@dataclass(frozen=True, eq=False)
class Faces:
    """``n`` faces of one side: ``picture`` (n, 256, 256, 3) uint8, ``mask`` (n, 256, 256) bool,
    ``die`` (n,), ``homography`` (n, 3, 3) die frame to pixels (NaN where not known)."""

    picture: np.ndarray
    mask: np.ndarray
    die: np.ndarray
    homography: np.ndarray

    def __len__(self) -> int:
        return len(self.die)

    def records(self, side: Side) -> list[Face]:
        flan = Flan(Circle(MIDDLE, MIDDLE, RADIUS), 1.0, True)
        return [Face(side, p, m, flan) for p, m in zip(self.picture, self.mask, strict=True)]


def render_faces(plan: Plan, side: Side, difficulty_name: str, store: DieStore) -> Faces:
    """Strike and photograph the faces of one side of a planned collection."""
    difficulty = NAMED_DIFFICULTIES[difficulty_name]
    partners = plan.partners()
    sources = [sample_source(plan.source_rng(k), difficulty) for k in range(plan.sources)]
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for chunk in _chunks(plan.photographs, _AT_ONCE):
        reliefs, opposites, strikes, photos = [], [], [], []
        for planned in chunk:
            coin = plan.coin(planned.coin)
            number = coin.dies[side]
            relief = store.get(plan.die_order(side, number, coin.state[side]))
            blank_rng = plan.coin_rng(planned.coin)
            blank = sample_coin(blank_rng, difficulty)
            while blank.looks.metal != plan.metal(planned.coin):
                blank = sample_coin(blank_rng, difficulty)
            reliefs.append(relief)
            opposites.append(store.get(partners[side, number]))
            strikes.append(
                sample_strike(
                    plan.strike_rng(planned.coin, side),
                    difficulty,
                    coin.life[side],
                    coin=blank,
                    reverse=side == REVERSE,
                    die_seed=die_seed(relief.die_key),
                    die_depth=relief.depth,
                )
            )
            rng = plan.photograph_rng(planned)
            photos.append(sample_photo(rng, difficulty, sources[planned.source]))
        with torch.inference_mode():
            struck = strike(
                _maps(reliefs, "height"),
                _maps(reliefs, "design"),
                [relief.radius for relief in reliefs],
                strikes,
                FACE_SIZE,
                _maps(opposites, "height"),
            )
            taken = photograph(struck, photos, FACE_SIZE)
        sharp = torch.from_numpy(taken.pictures()).permute(0, 3, 1, 2)
        pictures = compressed(sharp, [quality_at(photo, FACE_SIZE) for photo in photos])
        seen = np.ascontiguousarray(pictures.permute(0, 2, 3, 1).numpy())
        parts.append((seen, taken.mask[:, 0].numpy() > 0.5, taken.homography))
    picture, mask, homography = (np.concatenate(each) for each in zip(*parts, strict=True))
    die = np.array([plan.coin(p.coin).dies[side] for p in plan.photographs])
    return Faces(picture, mask, die, homography)


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _maps(reliefs: Sequence[Any], name: str) -> torch.Tensor:
    return torch.from_numpy(np.stack([getattr(relief, name) for relief in reliefs])[:, None])
