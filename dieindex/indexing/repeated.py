"""Coins whose photographs look like one and the same: one coin counted twice, perhaps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from dieindex.indexing.plan import REPEATED
from dieindex.records import SIDES, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.nearest import VectorIndex
from dieindex.workers import in_order

if TYPE_CHECKING:
    from dieindex.storage.face_codec import PackedFace

NEAREST = 4
"""Faces nearest to each new one that are looked at."""
NEAR = 0.8
"""Distance up to which they are. Copies of a photograph lay within 0.25, most strikes of one die
beyond 1."""


def note_repeated(catalogue: Catalogue, pool: Executor, jobs: int) -> None:
    """Compare the faces that are new with those nearest to them, and keep what looks alike."""
    found, seen = _kept(catalogue)
    calls, files, last = [], [], dict(seen)
    for side in SIDES:
        rows = catalogue.face_rows(side)
        new = [at for at, face in enumerate(rows.ids.tolist()) if face > seen[side]]
        if not new:
            continue
        last[side] = int(rows.ids.max())
        place = {face: at for at, face in enumerate(rows.ids.tolist())}
        near = VectorIndex.from_vectors(rows.vectors, rows.ids).search(
            rows.vectors[new], NEAREST + 1
        )
        pairs = {
            (min(at, place[face]), max(at, place[face]))
            for at, ids, distances in zip(
                new, near.ids.tolist(), near.distance.tolist(), strict=True
            )
            for face, distance in zip(ids, distances, strict=True)
            if distance < NEAR and face >= 0 and rows.coins[place[face]] != rows.coins[at]
        }
        for one, other in sorted(pairs):
            calls.append((int(rows.ids[one]), int(rows.ids[other])))
            files.append((rows.files[one], rows.files[other]))

    def work() -> Iterator[tuple[Any, ...]]:
        for one, other in calls:
            yield _alike, catalogue.packed_face(one), catalogue.packed_face(other)

    for pair, alike in zip(files, in_order(pool, jobs, work(), waiting=jobs), strict=True):
        if alike and pair not in found:
            found.append(pair)
    with catalogue.transaction():
        catalogue.set_meta(REPEATED, json.dumps({"seen": last, "pairs": found}, ensure_ascii=False))


def repeated_coins(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Pairs of coins that are still two, and of which a photograph of each looks like one."""
    coins = {row.file: row.coin for row in catalogue.photographs().values() if row.state == "done"}
    pairs = [
        (coins[one], coins[other])
        for one, other in _kept(catalogue)[0]
        if one in coins and other in coins and coins[one] != coins[other]
    ]
    return list(dict.fromkeys(pairs))


def _kept(catalogue: Catalogue) -> tuple[list[tuple[str, str]], dict[Side, int]]:
    """Pairs of files found before, and the last face of each side that was compared."""
    kept = json.loads(catalogue.meta(REPEATED) or "{}")
    pairs = [(one, other) for one, other in kept.get("pairs", [])]
    return pairs, {side: int(kept.get("seen", {}).get(side, 0)) for side in SIDES}


def _alike(first: PackedFace, second: PackedFace) -> bool:
    from dieindex.collection.same_photograph import same_photograph
    from dieindex.storage.face_codec import unpack_face

    return same_photograph(unpack_face(first), unpack_face(second))
