"""Coins whose photographs look like one and the same: one coin counted twice, perhaps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dieindex.records import SIDES, Ints, Side, Vectors, other_side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import PackedFace, unpack_face
from dieindex.storage.faces import FaceRows
from dieindex.storage.nearest import EXACT_UP_TO, VectorIndex
from dieindex.workers import in_order

REPEATED = "repeated"
"""Where the catalogue keeps which faces were compared for being one photograph, and which are."""
SAME_PICTURE: Literal["same picture"] = "same picture"
ALTERED: Literal["same picture altered"] = "same picture altered"
NEAREST = 4
"""Faces nearest to each new one that are looked at."""
NEAR = 1.0
"""Distance up to which they are. Copies of a photograph lie within 0.3, among four coins within 1;
most strikes of one die lie farther apart."""


def note_repeated(catalogue: Catalogue, pool: Executor, jobs: int) -> None:
    """Compare the faces that are new with those nearest to them, and keep what looks alike."""
    found, seen = _kept(catalogue)
    rows = {side: catalogue.face_rows(side) for side in SIDES}
    last = {side: int(rows[side].ids.max(initial=seen[side])) for side in SIDES}
    pairs = [(side, *pair) for side in SIDES for pair in _near_pairs(rows[side], last=seen[side])]

    def calls() -> Iterator[tuple[Any, ...]]:
        for side, one, other in pairs:
            ids = rows[side].ids
            yield _alike, *map(catalogue.packed_face, (int(ids[one]), int(ids[other])))

    alike = in_order(pool, jobs, calls(), waiting=jobs)
    faces_of = {side: _faces_of_coins(rows[side]) for side in SIDES}
    for (side, one, other), same in zip(pairs, alike, strict=True):
        here = rows[side]
        beside = [faces_of[other_side(side)].get(here.coins[at], []) for at in (one, other)]
        if same and _other_sides_agree(catalogue, *beside):
            found.append((int(here.ids[one]), int(here.ids[other])))
    with catalogue.transaction():
        catalogue.set_meta(REPEATED, json.dumps({"seen": last, "pairs": found}))


def _near_pairs(rows: FaceRows, last: int) -> list[tuple[int, int]]:
    """Positions of faces of two coins, one of them beyond face ``last``, that lie near."""
    new = [at for at, face in enumerate(rows.ids.tolist()) if face > last]
    if not new:
        return []
    place = {face: at for at, face in enumerate(rows.ids.tolist())}
    # (A copy may lie on another frame, or on none: of no more than so many all are looked at. Among
    # more such a copy is not found.)
    frame = np.zeros_like(rows.frame) if len(rows) <= EXACT_UP_TO else rows.frame
    index = VectorIndex.from_vectors(rows.vectors, rows.ids, frame)

    def vectors_of(ids: Ints) -> Vectors:
        return rows.vectors[[place[face] for face in ids.tolist()]]

    near = index.search(rows.vectors[new], NEAREST + 1, frame[new], vectors_of)
    pairs = set()
    for at, ids, distances in zip(new, near.ids.tolist(), near.distance.tolist(), strict=True):
        for face, distance in zip(ids, distances, strict=True):
            if distance < NEAR and rows.coins[place[face]] != rows.coins[at]:
                pairs.add((min(at, place[face]), max(at, place[face])))
    return sorted(pairs)


def _faces_of_coins(rows: FaceRows) -> dict[str, list[int]]:
    faces: dict[str, list[int]] = {}
    for face, coin in zip(rows.ids.tolist(), rows.coins, strict=True):
        faces.setdefault(coin, []).append(face)
    return faces


def _other_sides_agree(catalogue: Catalogue, one: list[int], other: list[int]) -> bool:
    """Whether the other sides of two coins may be one photograph too, where both are shown."""
    faces = [[catalogue.packed_face(face) for face in of_coin] for of_coin in (one, other)]
    return not all(faces) or any(not _unlike(a, b) for a in faces[0] for b in faces[1])


@dataclass(frozen=True)
class Repeated:
    """Two photographs, by file and coin, of which the pictures are one: ``basis`` says whether one
    of them was altered."""

    file_a: str
    file_b: str
    coin_a: str
    coin_b: str
    basis: Literal["same picture", "same picture altered"]


def repeated_faces(catalogue: Catalogue) -> list[Repeated]:
    """The photographs of coins that are still two, and of which a face of each looks like one."""
    kept = _kept(catalogue)[0]
    shown = catalogue.photographs_of_faces(face for pair in kept for face in pair)
    found = []
    for one, other in kept:
        if one in shown and other in shown and shown[one].coin != shown[other].coin:
            same = shown[one].sha256 == shown[other].sha256 or catalogue.picture_sum(
                one
            ) == catalogue.picture_sum(other)
            found.append(
                Repeated(
                    shown[one].file, shown[other].file, shown[one].coin, shown[other].coin,
                    SAME_PICTURE if same else ALTERED,
                )
            )  # fmt: skip
    return found


def repeated_coins(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Pairs of coins that are still two, and of which a photograph of each looks like one."""
    return list(dict.fromkeys((each.coin_a, each.coin_b) for each in repeated_faces(catalogue)))


def _kept(catalogue: Catalogue) -> tuple[list[tuple[int, int]], dict[Side, int]]:
    """Pairs of faces found before, and the last face of each side that was compared."""
    kept = json.loads(catalogue.meta(REPEATED) or "{}")
    pairs = [(one, other) for one, other in kept.get("pairs", [])]
    return pairs, {side: int(kept.get("seen", {}).get(side, 0)) for side in SIDES}


def _alike(first: PackedFace, second: PackedFace) -> bool:
    from dieindex.collection.same_photograph import same_photograph

    return same_photograph(unpack_face(first), unpack_face(second))


def _unlike(first: PackedFace, second: PackedFace) -> bool:
    from dieindex.collection.same_photograph import contradicted

    return contradicted(unpack_face(first), unpack_face(second))
