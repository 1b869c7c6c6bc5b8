"""Shards: faces of one type on the die frame, with the truth, as files.

A shard holds several dies of ONE type with several strikes each, warped to the die frame by the
true homography with margin, so that any frame near it can be cut from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.align import align_faces
from dieindex.alignment.fields import face_to_unit
from dieindex.alignment.warping import unit_to_frame
from dieindex.errors import TrainingError
from dieindex.files import written_beside
from dieindex.mint.relief import RELIEF_SPAN
from dieindex.mint.stream import FaceBatch
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

POOL_SIZE = 280
"""Edge of a stored face, pixels, over the die frame's square of ±RELIEF_SPAN."""
TRUTH_SIZE = 56
"""Edge of the stored maps of truth, cells, over the same square."""
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


def shard_files(folder: Path) -> list[Path]:
    """The pool's files in the order of their names."""
    return sorted(p for p in folder.glob("*.npz") if not p.name.startswith("."))
