"""Rendered collections with coins photographed twice and pictures used twice, and their truth."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from encoder_collections import SPLITS

import dieindex.mint.collections as minting
from dieindex.api.specimens import ANEW
from dieindex.indexing.repeated import ALTERED, SAME_PICTURE
from dieindex.mint.order import TEST_TYPES, CollectionOrder
from dieindex.mint.plan import Plan, make_plan
from dieindex.records import SIDES, Picture

COINS, OBVERSE_DIES, REVERSE_DIES = 40, 6, 9
"""Few dies: most coins have die duplicates, the hard negatives."""
RESOLD, YEARS_LATER = 0.4, 0.5
TRUTH = "specimens.csv"

Alter = Callable[[Picture, np.random.Generator], Picture]


@dataclass(frozen=True)
class Specimens:
    """A collection: where it lies, and of every photograph the coin it shows and how it was made
    (``original``, an alteration, ``anew`` or ``years later``)."""

    folder: Path
    coin: dict[str, str]
    made: dict[str, str]
    source: dict[str, str]
    """Of an altered picture that of which it was made."""

    def basis(self, a: str, b: str) -> str | None:
        """What two photographs have in common; None where they show two coins."""
        if self.coin[a] != self.coin[b]:
            return None
        if self.source.get(a, a) != self.source.get(b, b):
            return ANEW
        return SAME_PICTURE if {self.made[a], self.made[b]} <= {"original", "copied"} else ALTERED


def collection(folder: Path, seed: int, difficulty: str, split: str) -> Specimens:
    """A collection of one type of a ``split``; made where it is not there yet."""
    if not (folder / TRUTH).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, seed, difficulty, split)
    with (folder / TRUTH).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return Specimens(
        folder,
        {row["photo"]: row["coin"] for row in rows},
        {row["photo"]: row["made"] for row in rows},
        {row["photo"]: row["source"] for row in rows if row["source"]},
    )


def _make(folder: Path, seed: int, difficulty: str, split: str) -> None:
    order = CollectionOrder(
        coins=COINS,
        obverse_dies=OBVERSE_DIES,
        reverse_dies=REVERSE_DIES,
        difficulty=difficulty,
        seed=seed,
        duplicates=RESOLD,
        years_later=YEARS_LATER,
    )
    vars(minting)["make_plan"] = _plan_of(split)
    try:
        minting.mint_collection(folder, order)
    finally:
        vars(minting)["make_plan"] = make_plan
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        truth = {row["file"]: row for row in csv.DictReader(stream)}
    rows = [
        {
            "photo": file,
            "coin": row["coin"],
            "made": "original"
            if row["take"] == "0"
            else "years later"
            if row["aged"] == "1"
            else "anew",
            "source": "",
        }
        for file, row in truth.items()
    ]
    rng = np.random.default_rng([seed, 5])
    singles = sorted(
        {r["coin"] for r in rows} - {r["coin"] for r in rows if r["made"] != "original"}
    )
    first = {row["coin"]: row["photo"] for row in rows if row["made"] == "original"}
    for number, (name, coin) in enumerate(zip(ALTERATIONS, rng.permutation(singles), strict=False)):
        source = first[str(coin)]
        kept = _altered(folder / source, folder / "images" / f"again{number + 1:02d}", name, rng)
        rows.append(
            {
                "photo": kept.relative_to(folder).as_posix(),
                "coin": str(coin),
                "made": name,
                "source": source,
            }
        )
    with (folder / TRUTH).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["photo", "coin", "made", "source"])
        writer.writeheader()
        writer.writerows(rows)


def _plan_of(split: str) -> Callable[[CollectionOrder], Plan]:
    shift = SPLITS[split].start - TEST_TYPES.start

    def plan(order: CollectionOrder) -> Plan:
        made = make_plan(order)
        seeds = {side: tuple(s + shift for s in made.type_seeds[side]) for side in SIDES}
        return replace(made, type_seeds=seeds)

    return plan


# ------------------------------------------------------------------------------ alterations


def _altered(source: Path, target: Path, name: str, rng: np.random.Generator) -> Path:
    if name == "copied":
        return Path(shutil.copy(source, target.with_suffix(".jpg")))
    picture = np.asarray(cv2.imread(str(source)), np.uint8)
    quality = int(rng.integers(45, 70)) if name == "recompressed" else 88
    target = target.with_suffix(".jpg")
    cv2.imwrite(str(target), ALTERATIONS[name](picture, rng), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return target


def _reduced(picture: Picture, rng: np.random.Generator) -> Picture:
    share = float(rng.uniform(0.4, 0.7))
    return np.asarray(cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA))


def _cropped(picture: Picture, rng: np.random.Generator) -> Picture:
    """As much taken off as the ground allows."""
    height, width = picture.shape[:2]
    off = rng.uniform(0.005, 0.025, 4)
    top, bottom = int(off[0] * height), height - int(off[1] * height)
    left, right = int(off[2] * width), width - int(off[3] * width)
    return picture[top:bottom, left:right]


def _greyed(picture: Picture, _: np.random.Generator) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


def _captioned(picture: Picture, _: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    strip = max(24, height // 10)
    colour = [int(x) for x in np.median(picture[-4:].reshape(-1, 3), axis=0)]
    found = cv2.copyMakeBorder(picture, 0, strip, 0, 0, cv2.BORDER_CONSTANT, value=colour)
    ink = (20, 20, 20) if sum(colour) > 380 else (235, 235, 235)
    place, scale = (width // 20, height + strip * 2 // 3), strip / 50
    cv2.putText(found, "Lot 318 (2x)", place, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
    return np.asarray(found)


def _brightened(picture: Picture, rng: np.random.Generator) -> Picture:
    gamma, gain = rng.uniform(0.7, 1.3), rng.uniform(0.9, 1.15)
    table = np.clip((np.arange(256) / 255) ** gamma * gain * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table))


def _as_it_is(picture: Picture, _: np.random.Generator) -> Picture:
    return picture


def _several(picture: Picture, rng: np.random.Generator) -> Picture:
    return _brightened(_greyed(_reduced(_cropped(picture, rng), rng), rng), rng)


ALTERATIONS: dict[str, Alter] = {
    "copied": _as_it_is,
    "reduced": _reduced,
    "cropped": _cropped,
    "recompressed": _as_it_is,
    "greyed": _greyed,
    "captioned": _captioned,
    "brightened": _brightened,
    "reduced, cropped, greyed, brightened": _several,
}
