"""Small collections of drawn coins: quick to make; a type a side, and dies that differ in it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from dieindex.records import Picture


def draw_coin(die: int, strike: int = 0, size: int = 160, ground: int = 255) -> Picture:
    """A disc with the blobs of its type in relief, ``(size, size, 3)``; strikes differ by noise.

    Every 500 dies are of one type: a die has all the blobs of its
    type, each moved, turned and sized a little in its own way.
    """
    design = np.random.default_rng(1000 + die // 500)
    own = np.random.default_rng(5000 + die)
    noise = np.random.default_rng(100_000 + 1000 * die + strike)
    picture = np.full((size, size, 3), ground, np.uint8)
    centre, radius = size / 2, 0.42 * size
    cv2.circle(picture, (int(centre), int(centre)), int(radius), (120, 122, 126), -1)
    for _ in range(14):
        angle, reach = design.uniform(0, 2 * np.pi), design.uniform(0, 0.75) * radius
        place = np.array([np.cos(angle), np.sin(angle)]) * reach + centre
        place += own.normal(0, 0.05 * radius, 2)
        axes = design.uniform([0.05, 0.05], [0.25, 0.2]) * radius * own.uniform(0.8, 1.25, 2)
        turn, shade = design.uniform(0, 180) + own.normal(0, 10), int(design.uniform(60, 220))
        # Positions and sizes in sixteenths of a pixel.
        at, half = ((16 * values).astype(int).tolist() for values in (place, axes))
        for colour, width in (((shade,) * 3, -1), ((40,) * 3, 1)):
            cv2.ellipse(picture, at, half, turn, 0, 360, colour, width, cv2.LINE_AA, 4)
    coin = picture[..., 0] != ground
    grain = noise.normal(0, 6, picture.shape[:2])[..., None]
    shaded = np.where(coin[..., None], picture + grain, picture)
    return np.clip(shaded, 0, 255).astype(np.uint8)


def draw_pair(obverse: int, reverse: int, strike: int = 0, size: int = 160) -> Picture:
    """Obverse left, reverse right. Reverse dies are other designs than obverse dies."""
    return np.concatenate(
        [draw_coin(obverse, strike, size), draw_coin(4000 + reverse, strike, size)], axis=1
    )


def write_picture(path: Path, picture: Picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1])


def write_collection(
    folder: Path, dies: Sequence[tuple[int, int]], *, sheet: bool = True, size: int = 160
) -> Path:
    """Pictures ``01.jpg`` … of the coins with these (obverse, reverse) dies, and ``dies.csv``."""
    for number, (obverse, reverse) in enumerate(dies, 1):
        picture = draw_pair(obverse, reverse, strike=number, size=size)
        write_picture(folder / "images" / f"{number:02}.jpg", picture)
    if sheet:
        with (folder / "dies.csv").open("w", newline="") as stream:
            rows = [(n, f"O{o}", f"R{r}") for n, (o, r) in enumerate(dies, 1)]
            csv.writer(stream).writerows([("coin", "obverse", "reverse"), *rows])
    return folder


DIES = [(1, 1), (1, 2), (1, 2), (2, 3), (2, 3), (3, 4), (4, 4), (5, 5)]
"""Eight coins of five obverse and five reverse dies."""
