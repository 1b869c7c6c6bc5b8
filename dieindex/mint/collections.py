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
import numpy.typing as npt
import torch

from dieindex.errors import MintError, UsageError
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.order import CollectionOrder
from dieindex.mint.photography import (
    PhotoParameters,
    coin_to_picture,
    photograph,
    sample_photo,
    sample_source,
)
from dieindex.mint.plan import Plan, PlannedPhotograph, make_plan
from dieindex.mint.relief import DieRelief
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.striking import StrikeParameters, die_seed, sample_coin, sample_strike, strike
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
    write_beside,
)
from dieindex.records import OBVERSE, REVERSE, SIDES, Picture, Side

Progress = Callable[[str, int, int], None]
TruthRow = dict[str, object]
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
    ``jobs`` processes share the work; ``progress`` is called with (work, done, in all).

    Raises UsageError for an unknown difficulty, layout or kind; MintError for numbers that cannot
    be met, an ``out`` that is not empty, or a disk that refuses.
    """
    _check_kinds(order)
    plan = make_plan(order)
    check_out(out)
    if jobs < 1:
        raise MintError(f"--jobs {jobs}: there must be at least one process.")
    make_folder(out / IMAGES_FOLDER)
    rows: list[TruthRow] = []
    with tempfile.TemporaryDirectory() as dies, _workers(order, Path(dies), jobs) as spread:
        _engrave_all(plan, spread, progress)
        photographs = plan.photographs
        for done, pictures in enumerate(spread(_mint_one, range(len(photographs))), 1):
            for picture in pictures:
                write_beside(out / picture.file, picture.content)
                rows += picture.truth
            if progress is not None:
                progress("coins", done, len(photographs))
    sheet, truth = out / SHEET_NAME, out / TRUTH_NAME
    header, sheet_rows = _sheet(plan, rows)
    write_beside(truth, truth_bytes(rows))
    write_beside(sheet, sheet_bytes(header, sheet_rows))
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
            raise UsageError(f"--{side}-kind {kind}: unknown; choose one of {', '.join(kinds)}.")


def _engrave_all(plan: Plan, spread: Spread, progress: Progress | None) -> None:
    orders = plan.die_orders()
    for done, _ in enumerate(spread(_engrave_one, range(len(orders))), 1):
        if progress is not None:
            progress("dies", done, len(orders))


def _sheet(plan: Plan, rows: Sequence[TruthRow]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """One row a coin; with a column of files, one row a file."""
    dies = {
        number: tuple(plan.die_name(side, coin.dies[side]) for side in SIDES)
        for number, coin in enumerate(plan.links.coins)
    }
    if not plan.order.duplicates:
        return ("coin", *SIDES), [(number + 1, *names) for number, names in dies.items()]
    files = {(int(str(row["coin"])), str(row["file"])) for row in rows}
    return (
        ("coin", *SIDES, "file"),
        [(coin, *dies[coin - 1], Path(file).name) for coin, file in sorted(files)],
    )


# --------------------------------------------------------------------------------- worker processes


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


# ------------------------------------------------------------------------------------ one photograph


@dataclass(frozen=True, eq=False)
class _FaceOfCoin:
    side: Side
    relief: DieRelief
    opposite: DieRelief
    strike: StrikeParameters


def _faces(workshop: _Workshop, number: int) -> dict[Side, _FaceOfCoin]:
    """The two faces of a coin; the same metal whenever it is photographed."""
    plan, store = workshop.plan, workshop.store
    coin = plan.coin(number)
    difficulty = DIFFICULTIES[plan.order.difficulty]
    rng = plan.coin_rng(number)
    blank = sample_coin(rng, difficulty)
    faces = {}
    for side in SIDES:
        relief = store.get(plan.die_order(side, coin.dies[side], coin.state[side]))
        faces[side] = _FaceOfCoin(
            side=side,
            relief=relief,
            opposite=store.get(workshop.partners[side, coin.dies[side]]),
            strike=sample_strike(
                rng,
                difficulty,
                coin.life[side],
                coin=blank,
                reverse=side == REVERSE,
                die_seed=die_seed(relief.die_key),
            ),
        )
    return faces


def _maps(faces: Sequence[_FaceOfCoin], name: str, opposite: bool = False) -> torch.Tensor:
    reliefs = [face.opposite if opposite else face.relief for face in faces]
    return torch.from_numpy(np.stack([getattr(relief, name) for relief in reliefs])[:, None])


def _photographed(workshop: _Workshop, planned: PlannedPhotograph) -> list[CoinPicture]:
    """The files of one photographing: one of both sides, or one a side."""
    plan = workshop.plan
    difficulty = DIFFICULTIES[plan.order.difficulty]
    source = sample_source(plan.source_rng(planned.source), difficulty)
    rng = plan.photograph_rng(planned)
    first = sample_photo(rng, difficulty, source)
    faces = _faces(workshop, planned.coin)
    pair = (faces[OBVERSE], faces[REVERSE])
    photos = (first, _same_sitting(first, sample_photo(rng, difficulty, source)))
    pieces = [
        _one_face(face, photo, source.face_size) for face, photo in zip(pair, photos, strict=True)
    ]
    if planned.swapped:
        pieces = pieces[::-1]
    if plan.order.layout == "separate":
        return [
            _picture(workshop, planned, f"{planned.stem}_{token}.jpg", [piece])
            for token, piece in zip(("obv", "rev"), pieces, strict=True)
        ]
    return [_picture(workshop, planned, f"{planned.stem}.jpg", pieces)]


def _same_sitting(first: PhotoParameters, second: PhotoParameters) -> PhotoParameters:
    """The second face as it lies, under the light and camera of the first."""
    return replace(
        first,
        seed=second.seed,
        rotation=second.rotation,
        shift=second.shift,
        perspective=second.perspective,
        squeeze=second.squeeze,
        squeeze_angle=second.squeeze_angle,
    )


@dataclass(frozen=True, eq=False)
class _Piece:
    """One face in a picture of its own; ``homography`` takes the die frame to its pixels."""

    face: _FaceOfCoin
    photo: PhotoParameters
    picture: Picture
    homography: npt.NDArray[np.float64]
    coin_to_picture: npt.NDArray[np.float64]


def _one_face(face: _FaceOfCoin, photo: PhotoParameters, size: int) -> _Piece:
    with torch.inference_mode():
        struck = strike(
            _maps([face], "height"),
            _maps([face], "design"),
            [face.relief.radius],
            [face.strike],
            size,
            _maps([face], "height", opposite=True),
        )
        taken = photograph(struck, [photo], size)
    return _Piece(
        face=face,
        photo=photo,
        picture=taken.pictures()[0],
        homography=taken.homography[0],
        coin_to_picture=coin_to_picture(photo, face.strike.outline, size),
    )


def _picture(
    workshop: _Workshop, planned: PlannedPhotograph, name: str, pieces: Sequence[_Piece]
) -> CoinPicture:
    """Pieces side by side as one file, with the truth of each face."""
    file = f"{IMAGES_FOLDER}/{name}"
    rows, x = [], 0
    for piece in pieces:
        shift = np.array([[1.0, 0, x], [0, 1, 0], [0, 0, 1]])
        rows.append(_truth(workshop.plan, planned, file, piece, shift))
        x += piece.picture.shape[1]
    picture = np.concatenate([piece.picture for piece in pieces], axis=1)
    return CoinPicture(file, jpeg_bytes(picture, pieces[0].photo.jpeg_quality), tuple(rows))


# ---------------------------------------------------------------------------------------- the truth


def _truth(
    plan: Plan,
    planned: PlannedPhotograph,
    file: str,
    piece: _Piece,
    to_file: npt.NDArray[np.float64],
) -> TruthRow:
    """Every latent value of one face: where it is, of which dies, how struck and photographed."""
    coin, side = plan.coin(planned.coin), piece.face.side
    number = coin.dies[side]
    die = plan.links.dies[side][number]
    homography = to_file @ piece.homography
    homography = homography / homography[2, 2]
    x, y, radius = _flan(piece, to_file)
    row: TruthRow = {
        "file": file,
        "coin": planned.coin + 1,
        "side": side,
        "die": plan.die_name(side, number),
        "state": coin.state[side],
        "type": piece.face.relief.type_key,
        "die_key": piece.face.relief.die_key,
        "hand": die.hand,
        "die_life": coin.life[side],
        "time": coin.time,
        "difficulty": plan.order.difficulty,
        "take": planned.take,
        "swapped": int(planned.swapped),
        "source": planned.source,
        "flan_x": x,
        "flan_y": y,
        "flan_radius": radius,
    }
    for k, value in enumerate(homography.ravel()):
        row[f"h{k // 3 + 1}{k % 3 + 1}"] = float(value)
    row |= _flat("strike", piece.face.strike)
    row |= _flat("photo", piece.photo)
    return row


def _flan(piece: _Piece, to_file: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Centre and radius, in pixels of the file, of the circle that best fits the flan's outline."""
    outline = piece.face.strike.outline
    angle = np.arange(len(outline)) * (2 * np.pi / len(outline))
    rim = np.stack([outline * np.cos(angle), outline * np.sin(angle), np.ones(len(angle))])
    seen = to_file @ piece.coin_to_picture @ rim
    points = (seen[:2] / seen[2]).T
    # Least squares of x² + y² = 2ax + 2by + c (Kasa).
    design = np.column_stack([2 * points, np.ones(len(points))])
    a, b, c = np.linalg.lstsq(design, (points**2).sum(1), rcond=None)[0]
    return float(a), float(b), float(np.sqrt(c + a * a + b * b))


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
