"""A rolling pool of rendered faces on disk: workers fill it while training samples from it.

Rendering is slower than a training step on a GPU and about as fast as one on a CPU, so each face is
used a few times, every time under another augmentation, and then gives way to a fresh one. A file
of the pool (a shard) holds several dies of ONE type with several strikes each, warped to the die
frame by the true homography with margin, so that any frame near it can be cut from them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from dieindex.alignment.align import align_faces
from dieindex.alignment.fields import face_to_unit
from dieindex.alignment.warping import unit_to_frame
from dieindex.errors import TrainingError
from dieindex.files import written_beside
from dieindex.mint.relief import RELIEF_SPAN
from dieindex.mint.stream import TRAIN_TYPES, FaceBatch, MintStream, StreamSettings
from dieindex.records import (
    FACE_SIZE,
    FLAN_RADIUS,
    SIDES,
    Circle,
    Face,
    Flan,
    Floats,
    Floats32,
    Ints,
)

POOL_SIZE = 224
"""Edge of a stored face, pixels, over the die frame's square of ±RELIEF_SPAN."""
TRUTH_SIZE = 56
"""Edge of the stored maps of truth, cells, over the same square."""
SHARD_SETTINGS = StreamSettings(
    types_per_batch=1,
    dies_per_type=12,
    strikes_per_die=4,
    dies_in_type=12,
    working_types=1,
    batches_per_type=1,
)
"""One type a shard, and a new type with every shard: there can never be enough types."""

Matrices = Floats
Aligner = Callable[[FaceBatch], Matrices]
"""Aligns the faces of one batch to a common frame: ``(B, 3, 3)``, die frame → common frame, both in
flan radii, NaN for a face that it does not align. The truth is the identity; the real alignment
(``aligned_frames``) takes its place for a share of shards."""


@dataclass(frozen=True, eq=False)
class Shard:
    """Faces of one type on the die frame, ``n`` of them."""

    picture: npt.NDArray[np.uint8]
    """(n, 2, POOL_SIZE, POOL_SIZE): grey; 255 on the flan and 0 off it."""
    visible: npt.NDArray[np.uint8]
    """(n, TRUTH_SIZE, TRUTH_SIZE): 0…255, where the die's work shows."""
    flow: npt.NDArray[np.float16]
    """(n, 2, TRUTH_SIZE, TRUTH_SIZE): true die position less the place, flan radii (x, y)."""
    die: Ints
    type: Ints
    frame: Floats32
    """(n, 3, 3): die frame → the frame an alignment gave, flan radii; the identity where true."""

    def __len__(self) -> int:
        return len(self.die)

    def take(self, faces: npt.ArrayLike) -> Shard:
        """Some of the faces, in the order given."""
        rows = np.asarray(faces, dtype=np.int64)
        return Shard(**{name: value[rows] for name, value in vars(self).items()})


def concatenated(shards: Sequence[Shard]) -> Shard:
    """Several shards as one."""
    return Shard(
        **{name: np.concatenate([getattr(s, name) for s in shards]) for name in vars(shards[0])}
    )


def on_die_frame(batch: FaceBatch, aligner: Aligner | None = None) -> Shard:
    """Warp a batch of the stream to the die frame by its true homographies.

    Faces that ``aligner`` does not align are left out: nothing compares them later either.
    """
    greys = [
        cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY)
        for p in batch.pictures.permute(0, 2, 3, 1).cpu().numpy()
    ]
    masks = batch.mask.cpu().numpy().astype(np.uint8) * 255
    visible = (batch.visible.float().clamp(0, 1) * 255).byte().cpu().numpy()
    flows = batch.flow.float().permute(0, 2, 3, 1).cpu().numpy()
    homographies = batch.homography.cpu().numpy()
    pool, truth = _from_die(POOL_SIZE), _from_die(TRUTH_SIZE)
    pictures, seen, moved = [], [], []
    for grey, mask, visible_one, flow, homography in zip(
        greys, masks, visible, flows, homographies, strict=True
    ):
        to_pool = pool @ np.linalg.inv(homography)
        pictures.append([_warped(grey, to_pool, POOL_SIZE), _warped(mask, to_pool, POOL_SIZE)])
        wide = _warped(visible_one, to_pool, POOL_SIZE)
        seen.append(cv2.resize(wide, (TRUTH_SIZE, TRUTH_SIZE), interpolation=cv2.INTER_AREA))
        moved.append(_warped(flow, truth @ np.linalg.inv(homography), TRUTH_SIZE))
    frames = np.repeat(np.eye(3)[None], len(batch), 0) if aligner is None else aligner(batch)
    shard = Shard(
        picture=np.array(pictures, np.uint8),
        visible=np.array(seen, np.uint8),
        flow=np.stack(moved).transpose(0, 3, 1, 2).astype(np.float16),
        die=batch.die.cpu().numpy(),
        type=batch.type.cpu().numpy(),
        frame=frames.astype(np.float32),
    )
    return shard.take(np.flatnonzero(np.isfinite(shard.frame).all((1, 2))))


def aligned_frames(batch: FaceBatch) -> Matrices:
    """The frames that the real alignment gives a batch of one type (an ``Aligner``).

    Where it finds several frames in the type, the faces of the largest are kept.
    """
    flan = Flan(Circle((FACE_SIZE - 1) / 2, (FACE_SIZE - 1) / 2, FLAN_RADIUS * FACE_SIZE), 1, True)
    pictures = batch.pictures.permute(0, 2, 3, 1).cpu().numpy()
    masks = batch.mask.cpu().numpy()
    faces = [
        Face(SIDES[0], np.ascontiguousarray(p), m, flan)
        for p, m in zip(pictures, masks, strict=True)
    ]
    found = align_faces(faces).faces
    types = [each.type for each in found if each.aligned]
    usual = max(set(types), key=types.count) if types else 0
    to_unit = np.linalg.inv(unit_to_frame())
    out = np.full((len(batch), 3, 3), np.nan)
    for row, (each, homography) in enumerate(
        zip(found, batch.homography.cpu().numpy(), strict=True)
    ):
        if each.aligned and each.type == usual:
            out[row] = to_unit @ each.to_frame @ homography
    return np.asarray(out / out[:, 2:, 2:])


def centred_frames(batch: FaceBatch) -> Matrices:
    """Faces as they were cut, the flan in the middle (an ``Aligner`` that aligns nothing)."""
    out = face_to_unit() @ batch.homography.cpu().numpy()
    return np.asarray(out / out[:, 2:, 2:])


def _from_die(size: int) -> Matrices:
    """``(3, 3)``: die frame to the pixels of a map of ``size`` over its square."""
    scale, middle = size / (2 * RELIEF_SPAN), (size - 1) / 2
    return np.array([[scale, 0, middle], [0, scale, middle], [0, 0, 1.0]])


def _warped(values: npt.NDArray[Any], matrix: Matrices, size: int) -> npt.NDArray[Any]:
    return np.asarray(cv2.warpPerspective(values, matrix, (size, size), flags=cv2.INTER_LINEAR))


# ------------------------------------------------------------------------------------------ files


def write_shard(shard: Shard, path: Path) -> None:
    """Write a shard so that no reader ever sees half of it."""
    with written_beside(path) as temporary:
        np.savez(temporary, **vars(shard))


def read_shard(path: Path) -> Shard:
    """Read a shard. Raises TrainingError for a file that is none."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            shard = Shard(**{name: stored[name] for name in Shard.__dataclass_fields__})
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise TrainingError(
            f"{path}: not a shard of a training pool ({error}); delete it."
        ) from error
    if shard.picture.shape[1:] != (2, POOL_SIZE, POOL_SIZE):
        raise TrainingError(f"{path}: made by another version; empty the pool's folder.")
    return shard


@dataclass(frozen=True)
class RenderOrder:
    """What a worker renders: shards of these types into ``folder``, at most ``capacity`` there.

    ``seed`` and ``worker`` name the stream; ``first`` is the number of its first batch, so that a
    later run goes on where an earlier one stopped.
    """

    folder: Path
    seed: int = 1
    worker: int = 0
    capacity: int = 400
    first: int = 0
    types: range = TRAIN_TYPES
    settings: StreamSettings = field(default=SHARD_SETTINGS)
    device: str = "cpu"
    frames: str = "half"
    """``true`` frames, those of the ``real`` alignment, ``half`` of the shards each, or faces that
    are only ``centred`` on their flans."""


def render(order: RenderOrder, shards: int | None = None) -> None:
    """Fill the pool: ``shards`` of them, or for ever, waiting while the pool is full."""
    torch.set_num_threads(1)
    order.folder.mkdir(parents=True, exist_ok=True)
    stream = MintStream(
        order.seed,
        None,
        order.types,
        order.settings,
        device=order.device,
        worker=order.worker,
        capacity=32,
    )
    number = order.first
    while shards is None or number < order.first + shards:
        while shards is None and len(shard_files(order.folder)) >= order.capacity:
            time.sleep(0.5)
        shard = on_die_frame(stream.batch(number), _aligner(order, number))
        write_shard(shard, order.folder / f"{order.seed}-{order.worker}-{number:06d}.npz")
        number += 1


def _aligner(order: RenderOrder, number: int) -> Aligner | None:
    """What aligns the faces of a worker's shard; None: the truth."""
    kind = order.frames
    if kind == "half":
        draw = np.random.default_rng([order.seed, order.worker, number]).random()
        kind = "real" if draw < 0.5 else "true"
    aligners = {"true": None, "real": aligned_frames, "centred": centred_frames}
    if kind not in aligners:
        raise TrainingError(f"frames {kind!r}: choose one of half, {', '.join(aligners)}.")
    return aligners[kind]


def shard_files(folder: Path) -> list[Path]:
    """The pool's files in the order of their names."""
    return sorted(p for p in folder.glob("*.npz") if not p.name.startswith("."))


@contextlib.contextmanager
def render_workers(order: RenderOrder, workers: int) -> Iterator[None]:
    """Worker processes that fill the pool until the block ends, each on one core."""
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=_work, args=(replace(order, worker=order.worker + i),), daemon=True)
        for i in range(workers)
    ]
    # Threads of the numeric libraries are counted when they load: the workers inherit this.
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        for process in running:
            process.start()
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.join(10)


def _work(order: RenderOrder) -> None:
    """Go on behind the worker's last shard (also of an earlier run), for ever."""
    with contextlib.suppress(OSError):
        os.nice(5)  # a step of training goes before a fresh face
    with contextlib.suppress(KeyboardInterrupt):
        render(replace(order, first=_next_number(order)))


def _next_number(order: RenderOrder) -> int:
    """Behind all that was ever rendered here: shards that gave way must not come again."""
    own = order.folder.glob(f"{order.seed}-{order.worker}-*.npz")
    last = max((int(p.stem.rsplit("-", 1)[1]) for p in own), default=order.first - 1)
    return last + 1


# -------------------------------------------------------------------------------------- sampling


class ShardPool:
    """Samples groups of faces from a pool's folder.

    What is sampled depends on the seed, the step and the files that are there, on nothing else:
    with a folder that stands still, equal seeds give equal groups. With ``uses`` a shard is deleted
    after it was sampled that many times, while at least ``least`` others remain.
    """

    def __init__(self, folder: Path, uses: int | None = None, least: int = 40) -> None:
        self.folder = folder
        self._uses = uses
        self._least = least
        self._used: dict[str, int] = {}
        self.seen_types: set[int] = set()
        self._kept: dict[Path, Shard] = {}

    def wait(self, shards: int, seconds: float = 600) -> None:
        """Wait until so many shards lie there. Raises TrainingError if they do not come."""
        deadline = time.monotonic() + seconds
        while len(shard_files(self.folder)) < shards:
            if time.monotonic() > deadline:
                raise TrainingError(
                    f"{self.folder}: fewer than {shards} shards after {seconds:.0f} s; render some "
                    "first, or give --workers."
                )
            time.sleep(0.5)

    def sample(self, rng: np.random.Generator, types: int, dies: int, strikes: int) -> Shard:
        """``types`` shards, of each ``dies`` dies with ``strikes`` faces each, as one."""
        files = shard_files(self.folder)
        if len(files) < types:
            raise TrainingError(
                f"{self.folder} holds {len(files)} shards, {types} are needed; render some first."
            )
        chosen = [files[int(i)] for i in rng.choice(len(files), types, replace=False)]
        groups = []
        for path in chosen:
            shard = self._read(path)
            groups.append(shard.take(choose_faces(rng, shard.die, dies, strikes)))
            self.seen_types.add(int(shard.type[0]))
            self._count(path, len(files))
        return concatenated(groups)

    def _read(self, path: Path) -> Shard:
        """Recently used shards stay in memory; a folder that fits is read once."""
        shard = self._kept.pop(path, None) or read_shard(path)
        self._kept[path] = shard
        while len(self._kept) > 200:
            self._kept.pop(next(iter(self._kept)))
        return shard

    def _count(self, path: Path, present: int) -> None:
        used = self._used.get(path.name, 0) + 1
        self._used[path.name] = used
        if self._uses is not None and used >= self._uses and present > self._least:
            # The newest file of each worker stays: its name says where the worker goes on.
            stem = path.stem.rsplit("-", 1)[0]
            if path != max(self.folder.glob(f"{stem}-*.npz"), default=path):
                path.unlink(missing_ok=True)
                self._kept.pop(path, None)


def choose_faces(rng: np.random.Generator, die: Ints, dies: int, strikes: int) -> Ints:
    """Rows of ``dies`` dies with ``strikes`` faces each, or as many as there are."""
    names = rng.permutation(np.unique(die))[:dies]
    rows = [rng.permutation(np.flatnonzero(die == name))[:strikes] for name in names]
    return np.concatenate(rows)
