"""The collections of the encoder's benchmark: faces of one type and side, aligned, kept on disk.

A collection is ordered from the mint as ``dieindex mint`` orders one: its dies' output and lives,
the sources of its photographs. Its faces are cut as the mint's stream cuts them (with the scatter
of a flan finder) and not by way of photographs on disk, which takes several times longer;
``benchmarks/encoder.py --photographs`` goes the whole way for one of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

import dieindex.alignment
import dieindex.mint
from dieindex.alignment.align import align_faces
from dieindex.alignment.exemplars import TypeMean
from dieindex.alignment.frames import Frame
from dieindex.collection.names import number_form
from dieindex.encoder.encode import Encoder
from dieindex.encoder.weights import SHIPPED_WEIGHTS
from dieindex.evaluation.labels import codes
from dieindex.files import written_beside
from dieindex.mint.order import TEST_TYPES, TRAIN_TYPES, VALIDATION_TYPES, CollectionOrder
from dieindex.mint.plan import Plan, make_plan
from dieindex.mint.store import DieStore
from dieindex.records import OBVERSE, REVERSE, SIDES, Face, Side
from dieindex.training.rendered import DIES_A_COIN, MIDDLE, RADIUS, Faces, render_faces

SPLITS = {"test": TEST_TYPES, "validation": VALIDATION_TYPES, "train": TRAIN_TYPES}


@dataclass(frozen=True)
class Order:
    """One collection of the benchmark: ``seed`` decides its type, dies and coins."""

    seed: int
    side: Side
    coins: int
    difficulty: str
    split: str = "test"

    @property
    def name(self) -> str:
        return f"{self.split}-{self.difficulty}-{self.coins}-{self.side}-{self.seed}"

    def minted(self) -> CollectionOrder:
        """What ``dieindex mint`` would be told."""
        return CollectionOrder(
            coins=self.coins,
            obverse_dies=max(2, round(self.coins * DIES_A_COIN[OBVERSE])),
            reverse_dies=max(2, round(self.coins * DIES_A_COIN[REVERSE])),
            difficulty=self.difficulty,
            seed=self.seed,
        )

    def plan(self) -> Plan:
        """Collections are of test types; others are as far along in another range of seeds."""
        plan = make_plan(self.minted())
        shift = SPLITS[self.split].start - TEST_TYPES.start
        seeds = {side: tuple(s + shift for s in plan.type_seeds[side]) for side in SIDES}
        return replace(plan, type_seeds=seeds)


def orders(
    types: int, coins: Sequence[int], difficulties: Sequence[str], sides: str, split: str
) -> list[Order]:
    """Every collection asked for, types innermost. ``sides``: ``alternate``, ``both`` or one side.

    A type's coins are the same whatever the difficulty: only wear, strikes and pictures differ.
    """
    found: list[Order] = []
    for count in coins:
        for difficulty in difficulties:
            for number in range(types):
                seed = 1000 * (count != 91) + number + 1
                chosen = tuple(side for side in SIDES if side == sides)
                wanted = chosen or (SIDES if sides == "both" else (SIDES[number % 2],))
                found += [Order(seed, side, count, difficulty, split) for side in wanted]
    return found


def collection_options(
    parser: argparse.ArgumentParser, *, types: int = 5, split: str = "test"
) -> None:
    """The options that say which collections are asked for, of which weights, kept where; and
    where the figures go."""
    parser.add_argument("--weights", type=Path, default=SHIPPED_WEIGHTS)
    parser.add_argument("--types", type=int, default=types, help="0: no collection of the mint")
    parser.add_argument("--coins", type=int, nargs="+", default=[91])
    parser.add_argument("--difficulty", nargs="+", default=["easy", "medium", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument(
        "--most", type=int, help="coins kept of each die, as in a hoard of many dies"
    )
    parser.add_argument(
        "--pairs", type=int, help="in place of it: single coins, but for so many dies of two"
    )
    parser.add_argument("--split", default=split, choices=("test", "validation"))
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    parser.add_argument("--keep-stale", action="store_true")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")


def real_options(parser: argparse.ArgumentParser, doubtful: Sequence[str]) -> None:
    """The options of a labelled set of photographs, with its ``doubtful`` coins by default."""
    parser.add_argument("--real", type=Path, help="a labelled collection of photographs")
    parser.add_argument("--doubtful", nargs="*", default=list(doubtful), help="its doubtful coins")


def domain_options(parser: argparse.ArgumentParser) -> None:
    """The option of labelled collections of other worlds."""
    parser.add_argument(
        "--collection",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a labelled collection, a domain of its own; may be given several times",
    )


@dataclass(frozen=True, eq=False)
class Alignment:
    """How each face of a collection is aligned: ``type`` (n,), its frame or −1, and ``to_frame``
    (n, 3, 3)."""

    type: np.ndarray
    to_frame: np.ndarray
    milliseconds: float
    """Process time a face."""
    frames: np.ndarray
    """(k, bytes) uint8: the frames as an index stores them."""

    @property
    def aligned(self) -> np.ndarray:
        return np.asarray(self.type >= 0)

    def places(self) -> list[np.ndarray | None]:
        """Where each face lies, None for one on no frame."""
        return [
            place if lying else None
            for place, lying in zip(self.to_frame, self.aligned, strict=True)
        ]

    def means(self) -> dict[int, TypeMean]:
        """The mean of each frame."""
        return {k: Frame.from_bytes(row.tobytes()).mean() for k, row in enumerate(self.frames)}


@dataclass(frozen=True, eq=False)
class Aligned:
    """A collection ready to be encoded; ``faces_key`` names its faces, ``key`` also their
    alignment."""

    name: str
    faces_key: str
    key: str
    side: Side
    faces: Faces
    alignment: Alignment


def source_hash(*packages: Any) -> str:
    """A hash of all source files of some packages."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(Path(package.__file__).parent.rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


class Cache:
    """Faces and alignments on disk, each under the hash of the sources that made it.

    With ``keep_stale`` what older sources made is used where there is any: the newest.
    """

    def __init__(
        self,
        folder: Path,
        weights: Path = SHIPPED_WEIGHTS,
        *,
        keep_stale: bool = False,
        say: bool = True,
    ) -> None:
        """``weights``: the encoder that aligning asks about doubtful faces, as a build does."""
        self._encoder = Encoder.load(weights, "cpu")
        self.folder, self._keep_stale, self._say = folder, keep_stale, say
        self._store = DieStore(folder / "dies", 400)
        self._mint = source_hash(dieindex.mint)
        self._alignment = f"{source_hash(dieindex.alignment)}-{self._encoder.version}"
        self.stale: set[str] = set()
        """Names of what was taken although made by other sources."""

    def aligned(self, order: Order) -> Aligned:
        """A collection, rendered and aligned where that is still to be done."""
        faces, made_by = self.rendered(order)
        return self.aligned_faces(order.name, made_by, order.side, faces)

    def rendered(self, order: Order) -> tuple[Faces, str]:
        """The faces of a collection, rendered where that is still to be done, and by what."""
        path = self._find(f"faces/{order.name}", f"{self._mint}.npz")
        made_by = path.stem.split(".")[-1]
        if path.exists():
            return Faces(**read_arrays(path)), made_by
        began = time.process_time()
        faces = render(order, self._store)
        write_arrays(path, asdict_arrays(faces))
        self._tell(f"{order.name}: rendered in {time.process_time() - began:.0f} s")
        return faces, made_by

    def aligned_faces(self, name: str, made_by: str, side: Side, faces: Faces) -> Aligned:
        """Faces that are there already (``made_by`` names their making), aligned."""
        path = self._find(f"aligned/{name}.{made_by}", f"{self._alignment}.npz")
        if path.exists():
            stored = read_arrays(path)
            spent = float(stored["milliseconds"])
            alignment = Alignment(stored["type"], stored["to_frame"], spent, stored["frames"])
        else:
            alignment = align(faces, side, self._encoder)
            write_arrays(path, asdict_arrays(alignment))
            self._tell(
                f"{name}: aligned, {alignment.aligned.mean():.3f} of {len(faces)} faces, "
                f"{alignment.milliseconds:.0f} ms a face"
            )
        faces_key = f"{name}.{made_by}"
        key = f"{faces_key}.{path.stem.split('.')[-1]}"
        return Aligned(name, faces_key, key, side, faces, alignment)

    def _find(self, name: str, ending: str) -> Path:
        """The file of today's sources, or with ``keep_stale`` the newest of any."""
        own = self.folder / f"{name}.{ending}"
        own.parent.mkdir(parents=True, exist_ok=True)
        if own.exists() or not self._keep_stale:
            return own
        others = sorted(
            own.parent.glob(f"{Path(name).name}.*.npz"), key=lambda p: p.stat().st_mtime_ns
        )
        if others:
            self.stale.add(name)
        return others[-1] if others else own

    def _tell(self, line: str) -> None:
        if self._say:
            print(line, file=sys.stderr, flush=True)


def asdict_arrays(value: Faces | Alignment) -> dict[str, np.ndarray]:
    return {name: np.asarray(each) for name, each in vars(value).items()}


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def write_arrays(path: Path, values: Mapping[str, np.ndarray]) -> None:
    with written_beside(path) as part:
        np.savez(part, **values)  # type: ignore[arg-type]


def render(order: Order, store: DieStore) -> Faces:
    """Strike and photograph the faces of one side of a collection."""
    return render_faces(order.plan(), order.side, order.difficulty, store)


def align(faces: Faces, side: Side, encoder: Encoder) -> Alignment:
    """Align a collection as a build does."""
    began = time.process_time()
    found = align_faces(faces.records(side), vectorise=partial(encoder.encode, fill=True))
    spent = (time.process_time() - began) / max(len(faces), 1)
    return Alignment(
        np.array([each.type if each.aligned else -1 for each in found.faces]),
        np.stack([each.to_frame for each in found.faces]),
        spent * 1e3,
        np.stack([np.frombuffer(frame.to_bytes(), np.uint8) for frame in found.frames]),
    )


def collection_of(cache: Cache, order: Order, given: argparse.Namespace) -> Aligned:
    """One of the collections asked for (``collection_options``), thinned where that is wanted."""
    collection = cache.aligned(order)
    if given.most is None and given.pairs is None:
        return collection
    return thinned(collection, given.most, given.pairs)


def thinned(collection: Aligned, most: int | None = None, pairs: int | None = None) -> Aligned:
    """A hoard of many dies: at most ``most`` coins of each, or one of each but ``pairs`` dies that
    have two; places are as they were aligned among all coins."""
    die = collection.faces.die
    turn = np.array([int((die[:row] == die[row]).sum()) for row in range(len(die))])
    if pairs is not None:
        several = np.flatnonzero(np.bincount(die[die >= 0]) > 1)
        doubled = np.random.default_rng(0).permutation(several)[:pairs]
        kept = np.flatnonzero((turn < 1) | ((turn < 2) & np.isin(die, doubled)))
    else:
        kept = np.flatnonzero(turn < (len(die) if most is None else most))
    faces = Faces(**{name: value[kept] for name, value in asdict_arrays(collection.faces).items()})
    alignment = replace(
        collection.alignment,
        type=collection.alignment.type[kept],
        to_frame=collection.alignment.to_frame[kept],
    )
    few = f"{most}-a-die" if pairs is None else f"{pairs}-pairs"
    return replace(
        collection,
        name=f"{collection.name}-{few}",
        faces_key=f"{collection.faces_key}.{few}",
        key=f"{collection.key}.{few}",
        faces=faces,
        alignment=alignment,
    )


def displacement(collection: Aligned) -> float:
    """Median distance of same-die pairs from their true place, share of the diameter; NaN without
    truth. Pairs in one frame alone."""
    faces, alignment = collection.faces, collection.alignment
    first, second = np.triu_indices(len(faces), 1)
    kept = (faces.die[first] == faces.die[second]) & alignment.aligned[first]
    kept &= alignment.type[first] == alignment.type[second]
    apart = [
        pair_displacement(faces, a, b, alignment.to_frame[a], alignment.to_frame[b])
        for a, b in zip(first[kept], second[kept], strict=True)
    ]
    return float(np.median(apart)) if apart else float("nan")


def pair_displacement(faces: Faces, a: int, b: int, place: np.ndarray, other: np.ndarray) -> float:
    """How far one strike of a die lies from where it should on another, share of the diameter, in
    the mean over the flan's middle part; ``place`` and ``other`` take their pixels to a frame."""
    turn, away = np.meshgrid(np.linspace(0, 2 * np.pi, 12, endpoint=False), (0.2, 0.5, 0.8))
    around = [(RADIUS * away * np.cos(turn)).ravel(), (RADIUS * away * np.sin(turn)).ravel()]
    at = np.stack([around[0] + MIDDLE, around[1] + MIDDLE, np.ones(turn.size)])
    found = np.linalg.inv(place) @ other @ at
    true = faces.homography[a] @ np.linalg.inv(faces.homography[b]) @ at
    return float(np.hypot(*(found[:2] / found[2] - true[:2] / true[2])).mean() / (2 * RADIUS))


def read_real(folder: Path) -> dict[Side, tuple[Faces, list[str]]]:
    """A labelled collection of photographs: by side, its faces and their coins; a face whose die
    the sheet does not tell has die −1."""
    from dieindex.collection.layout import read_collection
    from dieindex.collection.photographs import cut_photograph

    collection = read_collection(folder)
    found: dict[Side, list[tuple[Face, str, str | None]]] = {side: [] for side in SIDES}
    for shot in collection:
        known = collection.coins.get(shot.coin)
        for face in cut_photograph(collection.folder / shot.file, shot):
            die = None if known is None else known.dies.get(face.side)
            found[face.side].append((face, shot.coin, die))
    sides: dict[Side, tuple[Faces, list[str]]] = {}
    for side, rows in found.items():
        if not any(die for _, _, die in rows):
            continue
        faces = Faces(
            np.stack([face.picture for face, _, _ in rows]),
            np.stack([face.mask for face, _, _ in rows]),
            codes(die for _, _, die in rows),
            np.full((len(rows), 3, 3), np.nan),
        )
        sides[side] = faces, [coin for _, coin, _ in rows]
    return sides


@dataclass(frozen=True, eq=False)
class Labelled:
    """One side of a labelled collection: the ``folder`` it is of, and by name which of its faces
    ``(n,)`` are measured together."""

    folder: Path
    collection: Aligned
    parts: dict[str, np.ndarray]


def labelled(given: argparse.Namespace, cache: Cache) -> Iterator[Labelled]:
    """The sides of the ``--collection`` folders, and of ``--real`` with and without its doubtful
    coins (``real_options``, ``domain_options``)."""
    for folder in [*given.collection, *([] if given.real is None else [given.real])]:
        doubtful = {number_form(coin) for coin in given.doubtful} if folder == given.real else set()
        for side, (faces, coins) in read_real(folder).items():
            name = f"{folder.resolve().name}-{side}"
            known = faces.die >= 0
            sure = known & np.array([number_form(coin) not in doubtful for coin in coins])
            parts = {"all": known}
            if sure.sum() < known.sum():
                parts["without the doubtful"] = sure
            collection = cache.aligned_faces(name, content_hash(faces), side, faces)
            yield Labelled(folder, collection, parts)


def content_hash(faces: Faces) -> str:
    """Names faces by what they show."""
    return hashlib.sha256(faces.picture.tobytes() + faces.mask.tobytes()).hexdigest()[:12]


def story(order: Order) -> dict[str, object]:
    """An order as plain values for a report."""
    plain: dict[str, object] = json.loads(json.dumps(asdict(order)))
    return plain


def main() -> None:
    """Render and align what a later run of the benchmark will need."""
    import argparse

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=(main.__doc__ or ""))
    parser.add_argument("--types", type=int, default=5)
    parser.add_argument("--coins", type=int, nargs="+", default=[91, 600])
    parser.add_argument("--difficulty", nargs="+", default=["medium", "easy", "hard"])
    parser.add_argument("--sides", default="alternate", choices=("alternate", "both", *SIDES))
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--cache", type=Path, default=Path("runs/encoder"))
    given = parser.parse_args()
    cache = Cache(given.cache)
    for order in orders(given.types, given.coins, given.difficulty, given.sides, given.split):
        collection = cache.aligned(order)
        print(f"{order.name}: same-die pairs {100 * displacement(collection):.2f} % apart")


if __name__ == "__main__":
    main()
