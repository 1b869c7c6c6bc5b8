"""Pictures of the coins: read from an index, judged for their preservation, made small."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.marks import marked_jpeg
from dieindex.records import FACE_SIZE, FLAN_RADIUS, SIDES, Mask, Picture, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.study.material import Material, PictureSource
from dieindex.verification.score_pairs import best_of_each_coin
from dieindex.workers import side_by_side

THUMB = FACE_SIZE // 2
"""Edge of a coin's small picture, pixels."""
_SMALL_QUALITY, _LARGE_QUALITY = 82, 88
_FLAN_SHARE = float(np.pi * FLAN_RADIUS**2)


class CataloguePictures:
    """The faces an index keeps: the best photograph of every coin."""

    def __init__(self, folder: Path, leading: Mapping[str, str] | None = None) -> None:
        """``leading``: of coins that are one under several names, the name that leads."""
        self._faces: dict[Side, dict[str, int]] = {}
        unsure: set[int] = set()
        with Catalogue.open(folder) as catalogue:
            for side in SIDES:
                rows = best_of_each_coin(catalogue.face_rows(side).under(leading or {}))
                self._faces[side] = dict(zip(rows.coins, rows.ids.tolist(), strict=True))
                unsure.update(rows.ids[~(rows.sure & rows.aligned)].tolist())
        self.unsure: frozenset[int] = frozenset(unsure)
        self._folder = folder
        self._opened = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = {**state, "_opened": threading.local()}

    def faces(self, side: Side) -> Mapping[str, int]:
        return self._faces[side]

    def load(self, face: int, half: bool = False) -> tuple[Picture, Mask]:
        """See ``PictureSource``. Raises IndexFolderError where a kept picture is damaged."""
        # (Each thread has a connection of its own.)
        if not hasattr(self._opened, "catalogue"):
            self._opened.catalogue = Catalogue.open(self._folder)
        catalogue: Catalogue = self._opened.catalogue
        return catalogue.picture_of(face, half=half)


@dataclass(frozen=True)
class Preservation:
    """How much of a die a coin shows. ``area`` is the share of the flan's disc that is seen;
    ``sharpness`` and ``relief`` are contrasts of fine and of larger detail, above 0."""

    area: float
    sharpness: float
    relief: float
    unsure: bool = False


@dataclass
class Gallery:
    """The small picture (JPEG) of every coin's sides, and how well each is preserved.

    ``score`` lies in 0…1 and compares coins of one collection only.
    """

    source: PictureSource | None = None
    small: dict[tuple[Side, str], bytes] = field(default_factory=dict)
    preservation: dict[tuple[Side, str], Preservation] = field(default_factory=dict)
    score: dict[tuple[Side, str], float] = field(default_factory=dict)

    def best_first(self, side: Side, coins: Sequence[str]) -> list[str]:
        """The coins by preservation; those without a picture come last, as they were."""
        return sorted(coins, key=lambda coin: -self.score.get((side, coin), -1.0))

    def large(self, side: Side, coin: str) -> tuple[Picture, Mask] | None:
        """The face of a coin at full size; None where there is none."""
        if self.source is None or (side, coin) not in self.small:
            return None
        return self.source.load(self.source.faces(side)[coin])


def make_gallery(material: Material) -> Gallery:
    """Small pictures and preservation of all faces the material has pictures of."""
    source = material.pictures
    gallery = Gallery(source)
    if source is None:
        return gallery
    faces = {
        (side, coin.name): known[coin.name]
        for side in SIDES
        for known in [source.faces(side)]
        for coin in material.coins
        if coin.name in known
    }

    def small(face: int) -> tuple[Preservation, bytes]:
        picture, mask = source.load(face, half=True)
        told = preservation(picture, mask, face in source.unsure)
        return told, as_jpeg(on_white(picture, mask), _SMALL_QUALITY)

    with side_by_side() as pool:
        for key, (told, jpeg) in zip(faces, pool.map(small, faces.values()), strict=True):
            gallery.preservation[key], gallery.small[key] = told, jpeg
    gallery.score = scores(gallery.preservation)
    return gallery


def preservation(picture: Picture, mask: Mask, unsure: bool = False) -> Preservation:
    """What a face shows of its die, from its picture alone.

    Contrast is that of light and dark against the brightness around, so that exposure does not
    count: at the scale of letters and curls (relief: worn and weakly struck coins have less), and
    at that of single pixels (sharpness: blurred photographs have less).
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8.0
    inside = mask
    seen = float(inside.mean())
    if seen < 0.01:
        return Preservation(0.0, 0.0, 0.0, True)
    broad = cv2.blur(grey, (25, 25))
    middle = cv2.blur(grey, (5, 5))
    around = broad[inside]
    relief = float((np.abs(middle[inside] - around) / around).mean())
    sharp = float((np.abs(grey[inside] - middle[inside]) / around).mean())
    return Preservation(min(seen / _FLAN_SHARE, 1.0), sharp, relief, unsure)


def scores(found: Mapping[tuple[Side, str], Preservation]) -> dict[tuple[Side, str], float]:
    """One number a face, to choose the best by: area squared, times relief and sharpness.

    Both contrasts count by their ratio to the collection's median and level off above it: harsh
    light is no better preservation. Faces not surely found count half.
    """
    if not found:
        return {}
    sharp = float(np.median([each.sharpness for each in found.values()])) or 1.0
    relief = float(np.median([each.relief for each in found.values()])) or 1.0
    return {
        key: each.area**2
        * (each.sharpness / (each.sharpness + sharp))
        * (each.relief / (each.relief + relief))
        * (2.0 if each.unsure else 4.0)
        / 4.0
        for key, each in found.items()
    }


def on_white(picture: Picture, mask: Mask) -> Picture:
    """The coin on white, its outline softened by a pixel."""
    alpha = cv2.blur(mask.astype(np.uint8) * 255, (3, 3))
    dark = cv2.multiply(255 - picture, cv2.merge([alpha, alpha, alpha]), scale=1 / 255)
    white: Picture = 255 - np.asarray(dark, np.uint8)
    return white


def as_jpeg(picture: Picture, quality: int = _LARGE_QUALITY) -> bytes:
    """The picture as JPEG, with dieindex's mark."""
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    encoded: npt.NDArray[np.uint8] = data
    return marked_jpeg(encoded.tobytes())
