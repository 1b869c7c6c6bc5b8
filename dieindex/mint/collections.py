"""Minting a whole collection: dies engraved, coins struck, photographed and written out."""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from dieindex.errors import MintError, UsageError
from dieindex.mint.ageing import years_later
from dieindex.mint.backgrounds import compose, sample_layout
from dieindex.mint.difficulty import NAMED_DIFFICULTIES
from dieindex.mint.flan import sample_coin
from dieindex.mint.order import CollectionOrder
from dieindex.mint.parameters import LayoutParameters, PhotoParameters, StrikeParameters
from dieindex.mint.photography import sample_photo, sample_source
from dieindex.mint.plan import Plan, PlannedPhotograph, make_plan
from dieindex.mint.relief import DieRelief
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.striking import die_seed, sample_strike, strike
from dieindex.mint.types import OBVERSE_KINDS, REVERSE_KINDS
from dieindex.mint.writing import (
    IMAGES_FOLDER,
    SHEET_NAME,
    TRUTH_NAME,
    Cell,
    check_out,
    jpeg_bytes,
    make_folder,
    sheet_bytes,
    truth_bytes,
    write,
)
from dieindex.records import OBVERSE, REVERSE, Circle, Floats, Progress, Side
from dieindex.text import Parameter

TruthRow = dict[str, object]
_TOKENS = ("obv", "rev")
Spread = Callable[[Callable[[int], Any], Iterable[int]], Iterator[Any]]


@dataclass(frozen=True)
class Minted:
    """What was written."""

    coins: int
    obverse_dies: int
    reverse_dies: int
    pictures: int
    sheet: Path
    truth: Path


@dataclass(frozen=True, eq=False)
class CoinPicture:
    """One picture file: its path below the collection, its bytes, and a row of truth a face."""

    file: str
    content: bytes
    truth: tuple[TruthRow, ...]


def mint_collection(
    out: Path, order: CollectionOrder, jobs: int = 1, progress: Progress | None = None
) -> Minted:
    """Mint a collection into the new or empty folder ``out``; same order, same bytes.

    Writes ``images/``, the sheet ``dies.xlsx`` and, for each face, a row of ``truth.csv``.
    ``jobs`` processes share the work; ``progress`` tells of ``dies`` and of ``coins``.

    Raises UsageError for an unknown difficulty, layout or kind; MintError for numbers that cannot
    be met or an ``out`` that is not empty; DieIndexError where the disk refuses.
    """
    _check_kinds(order)
    plan = make_plan(order)
    check_out(out)
    if jobs < 1:
        raise MintError(Parameter("jobs", jobs), ": there must be at least one process.")
    make_folder(out / IMAGES_FOLDER)
    rows: list[TruthRow] = []
    with tempfile.TemporaryDirectory() as dies, _workers(order, Path(dies), jobs) as spread:
        _engrave_all(plan, spread, progress)
        photographs = plan.photographs
        for done, pictures in enumerate(spread(_mint_one, range(len(photographs))), 1):
            for picture in pictures:
                write(out / picture.file, picture.content)
                rows += picture.truth
            if progress is not None:
                progress("coins", done, len(photographs))
    sheet, truth = out / SHEET_NAME, out / TRUTH_NAME
    header, sheet_rows = _sheet(plan, rows)
    write(truth, truth_bytes(rows))
    write(sheet, sheet_bytes(header, sheet_rows))
    return Minted(
        coins=order.coins,
        obverse_dies=order.obverse_dies,
        reverse_dies=order.reverse_dies,
        pictures=len({row["file"] for row in rows}),
        sheet=sheet,
        truth=truth,
    )


def _check_kinds(order: CollectionOrder) -> None:
    for side, kinds in ((OBVERSE, OBVERSE_KINDS), (REVERSE, REVERSE_KINDS)):
        kind = order.kind(side)
        if kind is not None and kind not in kinds:
            raise UsageError(
                Parameter(f"{side}_kind", kind), f": unknown; choose one of {', '.join(kinds)}."
            )


def _engrave_all(plan: Plan, spread: Spread, progress: Progress | None) -> None:
    orders = plan.die_orders()
    for done, _ in enumerate(spread(_engrave_one, range(len(orders))), 1):
        if progress is not None:
            progress("dies", done, len(orders))


def _sheet(plan: Plan, rows: Sequence[TruthRow]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """One row a coin; with a column of files, one row a file."""
    dies = {
        number: tuple(plan.die_name(side, coin.dies[side]) for side in plan.order.sides)
        for number, coin in enumerate(plan.links.coins)
    }
    if not plan.order.duplicates:
        return ("coin", *plan.order.sides), [(number + 1, *names) for number, names in dies.items()]
    files = {(int(str(row["coin"])), str(row["file"])) for row in rows}
    return (
        ("coin", *plan.order.sides, "file"),
        [(coin, *dies[coin - 1], Path(file).name) for coin, file in sorted(files)],
    )


# ------------------------------------------------------------ worker processes


@dataclass(frozen=True)
class _Workshop:
    """What a worker keeps between its coins."""

    plan: Plan
    store: DieStore
    dies: list[DieOrder]
    partners: dict[tuple[Side, int], DieOrder]
    """The opposite die that each die could have clashed with."""


_workshop: _Workshop | None = None


def _open_workshop(order: CollectionOrder, dies: Path, parent: int | None) -> None:
    global _workshop
    # One thread each: sums over threads come out in another order, and their bytes differ.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    plan = make_plan(order)
    _workshop = _Workshop(plan, DieStore(dies), plan.die_orders(), plan.partners())
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: a killed command must leave no workers."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


@contextmanager
def _workers(order: CollectionOrder, dies: Path, jobs: int) -> Iterator[Spread]:
    """Something to spread work by number over processes, answers in order."""
    if jobs == 1:
        global _workshop
        threads, cv_threads, before = torch.get_num_threads(), cv2.getNumThreads(), _workshop
        _open_workshop(order, dies, None)
        try:
            yield map
        finally:
            torch.set_num_threads(threads)
            cv2.setNumThreads(cv_threads)
            _workshop = before
        return
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_open_workshop,
        initargs=(order, dies, os.getpid()),
    )
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _in_workshop() -> _Workshop:
    assert _workshop is not None, "the workshop is opened before any work is given"
    return _workshop


def _engrave_one(number: int) -> None:
    workshop = _in_workshop()
    workshop.store.get(workshop.dies[number])


def _mint_one(number: int) -> list[CoinPicture]:
    workshop = _in_workshop()
    return _photographed(workshop, workshop.plan.photographs[number])


# ------------------------------------------------------------ one photograph


@dataclass(frozen=True, eq=False)
class _FaceOfCoin:
    side: Side
    relief: DieRelief
    opposite: DieRelief
    strike: StrikeParameters


def _faces(workshop: _Workshop, number: int) -> dict[Side, _FaceOfCoin]:
    """The two faces of a coin as it was first photographed."""
    plan, store = workshop.plan, workshop.store
    coin = plan.coin(number)
    difficulty = NAMED_DIFFICULTIES[plan.order.difficulty]
    rng = plan.coin_rng(number)
    metal = plan.metal(number)
    blank = sample_coin(rng, difficulty)
    while blank.looks.metal != metal:  # the metal; the blank's other values stay random
        blank = sample_coin(rng, difficulty)
    faces = {}
    for side in plan.order.sides:
        relief = store.get(plan.die_order(side, coin.dies[side], coin.state[side]))
        faces[side] = _FaceOfCoin(
            side=side,
            relief=relief,
            opposite=store.get(workshop.partners[side, coin.dies[side]]),
            strike=sample_strike(
                plan.strike_rng(number, side),
                difficulty,
                coin.life[side],
                coin=blank,
                reverse=side == REVERSE,
                die_seed=die_seed(relief.die_key),
                die_depth=relief.depth,
            ),
        )
    return faces


def _maps(faces: Sequence[_FaceOfCoin], name: str, opposite: bool = False) -> torch.Tensor:
    reliefs = [face.opposite if opposite else face.relief for face in faces]
    return torch.from_numpy(np.stack([getattr(relief, name) for relief in reliefs])[:, None])


def _photographed(workshop: _Workshop, planned: PlannedPhotograph) -> list[CoinPicture]:
    """The files of one photographing: one of both sides, or one a side."""
    plan = workshop.plan
    difficulty = NAMED_DIFFICULTIES[plan.order.difficulty]
    source = sample_source(plan.source_rng(planned.source), difficulty)
    rng = plan.photograph_rng(planned)
    coin = _faces(workshop, planned.coin)
    if planned.aged:
        strikes = {side: face.strike for side, face in coin.items()}
        later = years_later(plan.ageing_rng(planned.coin), strikes)
        coin = {side: replace(face, strike=later[side]) for side, face in coin.items()}
    first = sample_photo(rng, difficulty, source)
    photos = {OBVERSE: first, REVERSE: _same_sitting(first, sample_photo(rng, difficulty, source))}
    order = plan.order.sides[::-1] if planned.swapped else plan.order.sides
    if plan.order.layout == "separate" and len(order) == 2:
        files = {
            f"{planned.stem}_{token}.jpg": [side]
            for token, side in zip(_TOKENS, order, strict=True)
        }
    else:
        files = {f"{planned.stem}.jpg": list(order)}
    pictures = []
    for name, sides in files.items():
        layout = sample_layout(rng, difficulty, source, len(sides))
        shown = [(coin[side], photos[side]) for side in sides]
        pictures.append(_taken(plan, planned, f"{IMAGES_FOLDER}/{name}", shown, layout))
    return pictures


def _same_sitting(first: PhotoParameters, second: PhotoParameters) -> PhotoParameters:
    """The second face as it lies, under the light and camera of the first."""
    return replace(
        first,
        seed=second.seed,
        rotation=second.rotation,
        perspective=second.perspective,
        squeeze=second.squeeze,
        squeeze_angle=second.squeeze_angle,
    )


def _taken(
    plan: Plan,
    planned: PlannedPhotograph,
    file: str,
    shown: Sequence[tuple[_FaceOfCoin, PhotoParameters]],
    layout: LayoutParameters,
) -> CoinPicture:
    """One file, with the truth of each face in it."""
    faces, photos = [face for face, _ in shown], [photo for _, photo in shown]
    with torch.inference_mode():
        struck = strike(
            _maps(faces, "height"),
            _maps(faces, "design"),
            [face.relief.radius for face in faces],
            [face.strike for face in faces],
            layout.grid_size,
            _maps(faces, "height", opposite=True),
        )
        composed = compose(struck, photos, layout)
    rows = []
    places = zip(composed.homographies, composed.circles, strict=True)
    for (face, photo), (homography, circle) in zip(shown, places, strict=True):
        row = _truth(plan, planned, file, face, homography, circle)
        row |= _flat("strike", face.strike) | _flat("photo", photo) | _flat("layout", layout)
        rows.append(row)
    return CoinPicture(file, jpeg_bytes(composed.picture, composed.jpeg_quality), tuple(rows))


# ------------------------------------------------------------ the truth


def _truth(
    plan: Plan,
    planned: PlannedPhotograph,
    file: str,
    face: _FaceOfCoin,
    homography: Floats,
    circle: Circle,
) -> TruthRow:
    """Where one face is, and of which die: the columns before the latent values."""
    coin, side = plan.coin(planned.coin), face.side
    number = coin.dies[side]
    row: TruthRow = {
        "file": file,
        "coin": planned.coin + 1,
        "side": side,
        "die": plan.die_name(side, number),
        "state": coin.state[side],
        "type": face.relief.type_key,
        "die_key": face.relief.die_key,
        "hand": plan.links.dies[side][number].hand,
        "die_life": coin.life[side],
        "time": coin.time,
        "difficulty": plan.order.difficulty,
        "take": planned.take,
        "aged": int(planned.aged),
        "swapped": int(planned.swapped),
        "source": planned.source,
        "flan_x": circle.x,
        "flan_y": circle.y,
        "flan_radius": circle.radius,
    }
    for k, value in enumerate((homography / homography[2, 2]).ravel()):
        row[f"h{k // 3 + 1}{k % 3 + 1}"] = float(value)
    return row


def _flat(prefix: str, value: object) -> TruthRow:
    """A dataclass as columns; what is not one number or word is written as JSON."""
    row: TruthRow = {}
    if is_dataclass(value):
        for each in fields(value):
            row |= _flat(f"{prefix}_{each.name}", getattr(value, each.name))
    elif isinstance(value, np.ndarray):
        # The shortest digits that give the same float32 again.
        row[prefix] = json.dumps([float(str(v)) for v in value.ravel()])
    elif isinstance(value, tuple):
        row[prefix] = json.dumps(value)
    elif isinstance(value, bool):
        row[prefix] = int(value)
    else:
        row[prefix] = value
    return row
