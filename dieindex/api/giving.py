"""A reference to give away: ``Index.export_reference``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dieindex.api.arguments import checked_count, checked_path, checked_text
from dieindex.api.dies import Dies
from dieindex.api.reader import IndexReader
from dieindex.calibration.two_kinds import to_json
from dieindex.encoder.dense import coarsened
from dieindex.errors import CollectionError, IndexFolderError, UsageError
from dieindex.records import PathLike, Side
from dieindex.review.verdicts import now
from dieindex.storage.die_numbers import DieNumbers, die_numbers
from dieindex.storage.reference import Reference, write_reference
from dieindex.storage.reviews import ReviewStore
from dieindex.text import Parameter
from dieindex.version import VERSION


@dataclass(frozen=True)
class Given:
    """What was written: the ``folder``, how many coins it holds, of how many dies a side, and its
    bytes."""

    folder: Path
    coins: int
    dies: Mapping[Side, int]
    size: int


def export_reference(
    index: IndexReader,
    found: Mapping[Side, Dies],
    out: PathLike,
    *,
    coins_per_die: int,
    pictures: bool,
    title: str,
    citation: str,
    licence: str,
) -> Given:
    """See ``Index.export_reference``; ``found`` are the dies of both sides as they are kept."""
    place = checked_path(out, "out")
    most = checked_count(coins_per_die, "coins_per_die")
    for text, name in ((title, "title"), (citation, "citation"), (licence, "licence")):
        checked_text(text, name)
    verification = index.verification
    if verification is None:
        raise IndexFolderError(str(index.unverified))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(Parameter("out", place), ": is there already; name a new folder.")
    coins = {coin for dies in found.values() for coin in _of_each_die(index, dies, most)}
    if not coins:
        raise CollectionError(f"{index.folder}: no coin of it lies on a frame; nothing to give.")
    faces = [
        face
        for side in found
        for coin, face, lies in zip(
            index.faces(side).coins,
            index.faces(side).ids.tolist(),
            index.faces(side).aligned,
            strict=True,
        )
        if coin in coins and lies
    ]
    about = Reference(title, citation, licence, f"dieindex {VERSION}", now(), pictures)
    with ReviewStore.open(index.folder) as kept:
        numbers = {side: _numbers_of(die_numbers(kept, side), coins) for side in found}
    kinds = {side: to_json(dies.graph.kinds) for side, dies in found.items()}
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".reference-", dir=place.parent) as beside:
        made = Path(beside) / "index"
        made.mkdir()
        coarse = partial(coarsened, channels=verification.shape[0], grid=verification.shape[1])
        write_reference(index.folder, made, faces, about, numbers, kinds, coarse)
        if place.exists():
            place.rmdir()
        shutil.move(made, place)
    return Given(
        place,
        len(coins),
        {
            side: len({n for c, n in zip(d.coins, d.names, strict=True) if c in coins})
            for side, d in found.items()
        },
        sum(file.stat().st_size for file in place.rglob("*") if file.is_file()),
    )


def _of_each_die(index: IndexReader, dies: Dies, most: int) -> list[str]:
    """The coins that stand for each die: those whose place is surest, larger before smaller."""
    rows = index.faces(dies.side)
    order = np.lexsort((-rows.radius, -np.round(dies.certainty, 2), ~rows.aligned))
    taken: dict[str, int] = {}
    chosen = []
    for row in order.tolist():
        die = dies.names[row]
        if rows.aligned[row] and taken.get(die, 0) < most:
            taken[die] = taken.get(die, 0) + 1
            chosen.append(dies.coins[row])
    return chosen


def _numbers_of(known: DieNumbers, coins: set[str]) -> DieNumbers:
    numbers = {coin: number for coin, number in known.numbers.items() if coin in coins}
    here = set(numbers.values())
    adopted = {number: name for number, name in known.adopted.items() if number in here}
    return DieNumbers(numbers, known.last, adopted)
