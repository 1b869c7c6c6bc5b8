"""The order in which a die struck its coins: how much of it is to be seen, and how much is found.

    python benchmarks/order_within_die.py --dies 120

Renders dies of test types, seven coins of each at random ages, on the frame of the die (true
places: real ones are worse), and puts the coins of each die in order. Kendall's tau against the
true ages, the mean over dies with its 95 % interval; coins that a measure cannot part count
nothing.

What is there, read without fault from the mint's own parameters: ``cracks`` (their length),
``rust`` (in tenths of the die's life), whether the die has ``clashed``, and the die's ``wear`` (in
five steps); all that together is what a perfect eye could know. What is found in the pictures:
``lines`` (fine lines that the die's other coins have less of), ``shared`` (those that another of
its coins has, too), ``dullness`` (less fine detail).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dieindex.evaluation.intervals import mean_interval
from dieindex.mint import dieage, stream
from dieindex.mint.order import DIFFICULTY_NAMES, TEST_TYPES
from dieindex.mint.parameters import StrikeParameters
from dieindex.records import Floats, Floats32

COINS = 7
EDGE, EXTENT = 192, 1.15
"""Pixels of a face on its die's frame, and flan radii from its middle to its edge."""
_FIRST_TYPE = 500
_DIES_AT_ONCE = 3


@dataclass(frozen=True, eq=False)
class Coins:
    """The coins of one die: ``grey`` (n, EDGE, EDGE) and ``mask``, likewise, on its frame, and how
    each was struck."""

    grey: Floats32
    mask: Floats32
    strikes: Sequence[StrikeParameters]

    @property
    def age(self) -> Floats:
        return np.array([one.die_life for one in self.strikes])


def rendered(difficulty: str, dies: int, cache: Path) -> list[Coins]:
    """The coins of so many dies of test types."""
    settings = stream.StreamSettings(
        types_per_batch=1,
        dies_per_type=_DIES_AT_ONCE,
        strikes_per_die=COINS,
        dies_in_type=2 * _DIES_AT_ONCE,
        working_types=1,
        batches_per_type=1,
        difficulty=difficulty,
    )
    struck: list[StrikeParameters] = []
    sample = stream._sample_strike

    def noted(*given: Any) -> StrikeParameters:
        struck.append(sample(*given))
        return struck[-1]

    vars(stream)["_sample_strike"] = noted
    types = TEST_TYPES[_FIRST_TYPE : _FIRST_TYPE + 300]
    found: list[Coins] = []
    try:
        faces = stream.MintStream(3, types=types, settings=settings, cache=cache)
        while len(found) < dies:
            struck.clear()
            grey, mask = on_die(faces.batch(len(found) // _DIES_AT_ONCE))
            found += [
                Coins(grey[k : k + COINS], mask[k : k + COINS], struck[k : k + COINS])
                for k in range(0, len(struck), COINS)
            ]
    finally:
        vars(stream)["_sample_strike"] = sample
    return found[:dies]


def on_die(batch: stream.FaceBatch) -> tuple[Floats32, Floats32]:
    """Faces as they lie on their dies, metal flow undone: grey values and masks."""
    n, size = len(batch), batch.pictures.shape[-1]
    steps = (torch.arange(EDGE) + 0.5) / EDGE * 2 * EXTENT - EXTENT
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    places = torch.stack([x, y], -1)[None].expand(n, EDGE, EDGE, 2)

    def pixels(at: torch.Tensor) -> torch.Tensor:
        points = torch.cat([at, torch.ones(n, EDGE, EDGE, 1)], -1).reshape(n, -1, 3)
        carried = points @ batch.homography.float().transpose(1, 2)
        return ((carried[..., :2] / carried[..., 2:] + 0.5) / size * 2 - 1).view(n, EDGE, EDGE, 2)

    grid = pixels(places)
    for _ in range(2):
        flow = F.grid_sample(
            batch.flow.float(), grid, align_corners=False, padding_mode="border"
        ).permute(0, 2, 3, 1)
        grid = pixels(places - flow)
    planes = torch.stack([batch.pictures.float().mean(1), batch.mask.float()], 1)
    cut = F.grid_sample(planes, grid, align_corners=False).numpy()
    return cut[:, 0], (cut[:, 1] > 0.5).astype(np.float32)


# ------------------------------------------------------------ what is there


def there(coins: Coins) -> dict[str, Floats]:
    cracks, rust, clashed, wear = np.array([marks(one) for one in coins.strikes]).T
    without_wear = clashed * 1e6 + rust * 1e4 + cracks
    return {
        "cracks": cracks,
        "rust": rust,
        "cracks, rust, clash": without_wear,
        "and wear: a perfect eye": wear * 1e9 + without_wear,
    }


def marks(one: StrikeParameters) -> tuple[float, float, float, float]:
    """Of a strike: its die's cracks in steps of their lines, rust, whether it had clashed, wear."""
    cracks = sum(
        max(int((reached <= one.die_life).sum()) - 1, 0)
        for _, reached, _ in dieage._cracks(one.die_seed)
    )
    rng = np.random.default_rng([one.die_seed, 2])
    sink, rust_birth = rng.uniform(0.2, 1.0), rng.uniform(0.3, 1.6)
    rust = round(max(0.0, one.die_life - rust_birth), 1)
    wear = np.floor(one.die_life**1.5 * sink / 0.2)
    return float(cracks), rust, float(dieage.has_clashed(one.die_seed, one.die_life)), float(wear)


# ------------------------------------------------------------ what is found


def found(coins: Coins) -> dict[str, Floats]:
    lines, inside = [], []
    for grey, mask in zip(coins.grey, coins.mask, strict=True):
        inner = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
        drawn = line_strength(evened(grey, mask))
        lines.append((drawn - np.median(drawn[inner])) / (drawn[inner].std() + 1e-3))
        inside.append(inner)
    strength, seen = np.array(lines), np.array(inside, np.float32)
    total, count = (strength * seen).sum(0), seen.sum(0)
    others = (total - strength * seen) / np.maximum(count - seen, 1)
    more = (strength - others) * seen * (count > 1)
    clearly = np.maximum(more - 0.8, 0).reshape(len(more), -1)
    shared = clearly @ clearly.T
    np.fill_diagonal(shared, 0)
    detail = np.array([cv2.Laplacian(each, cv2.CV_32F).std() for each in coins.grey])
    return {
        "lines": np.array(
            [np.maximum(m, 0)[s > 0].mean() for m, s in zip(more, seen, strict=True)]
        ),
        "shared": shared.sum(1),
        "dullness": -detail,
    }


def evened(grey: Floats32, mask: Floats32) -> Floats32:
    """Grey values against those around, in their deviations."""
    around = cv2.GaussianBlur(mask, (0, 0), 6) + 1e-3
    mean = cv2.GaussianBlur(grey * mask, (0, 0), 6) / around
    away = (grey - mean) * mask
    spread = np.sqrt(cv2.GaussianBlur(away * away, (0, 0), 6) / around)
    return np.asarray(away / (spread + 4), np.float32)


def line_strength(grey: Floats32) -> Floats32:
    """The larger curvature of grey values, light or dark: lines of two pixels and so."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.2)
    xx, yy, xy = (
        cv2.Sobel(smooth, cv2.CV_32F, dx, dy, ksize=3) for dx, dy in ((2, 0), (0, 2), (1, 1))
    )
    half, turned = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    curved = np.maximum(np.abs(half + turned), np.abs(half - turned))
    return np.asarray(cv2.GaussianBlur(curved, (0, 0), 1.5), np.float32)


def agreement(order: Floats, age: Floats) -> float:
    """Kendall's tau, pairs that ``order`` does not part counting as neither (tau a)."""
    i, j = np.triu_indices(len(age), 1)
    return float((np.sign(order[i] - order[j]) * np.sign(age[i] - age[j])).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dies", type=int, default=120, help="of each difficulty")
    parser.add_argument("--cache", type=Path, default=Path("runs/dies"))
    parser.add_argument("--out", type=Path, help="a JSON file with all figures")
    given = parser.parse_args()
    torch.set_num_threads(1)
    told: dict[str, dict[str, Any]] = {}
    for difficulty in DIFFICULTY_NAMES[:3]:
        taus: dict[str, list[float]] = {}
        for coins in rendered(difficulty, given.dies, given.cache):
            for name, order in {**there(coins), **found(coins)}.items():
                taus.setdefault(name, []).append(agreement(order, coins.age))
        for name, values in taus.items():
            interval = mean_interval(values)
            assert interval is not None
            row = {"tau": interval.value, "low": interval.low, "high": interval.high}
            told.setdefault(difficulty, {})[name] = row
            print(
                f"{difficulty:8}{name:26}{row['tau']:7.3f} ({row['low']:.3f} … {row['high']:.3f})",
                flush=True,
            )
    if given.out is not None:
        given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
