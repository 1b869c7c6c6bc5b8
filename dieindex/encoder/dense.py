"""What verification needs of a face, as it is kept: dense descriptors in whole numbers."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.errors import IndexFolderError
from dieindex.records import Ints

STEPS = 127.0
"""A descriptor's entries, −1…1, are kept as whole numbers −127…127."""
_COARSE = b"coarse descriptors 1\n"
"""By which those of a reference begin. (All others begin with the reliability of a corner.)"""
_BOUNDS = np.array([-1.244, -0.3823, 0.3823, 1.244], np.float32)
_LEVELS = np.array([-1.724, -0.7646, 0.0, 0.7646, 1.724], np.float32)
_A_WORD = 27
_POWERS = np.uint64(len(_LEVELS)) ** np.arange(_A_WORD, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class DenseDescriptors:
    """What verification sees of ``n`` faces.

    ``descriptors`` (n, channels, grid, grid) int8, unit length in 127ths; ``reliability``
    (n, 1, grid, grid) uint8, 255 for full reliability.
    """

    descriptors: npt.NDArray[np.int8]
    reliability: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.descriptors)

    def take(self, rows: Sequence[int] | Ints) -> DenseDescriptors:
        """Some of the faces, in this order."""
        chosen = np.asarray(rows, np.int64)
        return DenseDescriptors(self.descriptors[chosen], self.reliability[chosen])


def quantised(
    descriptors: npt.NDArray[np.floating], reliability: npt.NDArray[np.floating]
) -> DenseDescriptors:
    """In whole numbers: ``descriptors`` (n, channels, grid, grid) −1…1, ``reliability``
    (n, 1, grid, grid) 0…1."""
    whole = np.round(np.clip(descriptors, -1, 1) * STEPS).astype(np.int8)
    sure = np.round(np.clip(reliability, 0, 1) * 255).astype(np.uint8)
    return DenseDescriptors(np.where(sure > 0, whole, np.int8(0)), sure)


def packed(faces: DenseDescriptors) -> list[bytes]:
    """Each face's dense descriptors as they are kept: reliabilities, then descriptors of the cells
    that have any (about two thirds; about 80 kB a face of 64 × 64 cells of 32 numbers)."""
    found = []
    for cells, sure in zip(faces.descriptors, faces.reliability, strict=True):
        used = sure[0] > 0
        found.append(sure.tobytes() + np.ascontiguousarray(cells[:, used].T).tobytes())
    return found


def unpacked(kept: Sequence[bytes], channels: int, grid: int) -> DenseDescriptors:
    """The dense descriptors of faces as they were packed. Raises IndexFolderError where one is
    damaged."""
    descriptors = np.zeros((len(kept), channels, grid, grid), np.int8)
    reliability = np.zeros((len(kept), 1, grid, grid), np.uint8)
    for row, blob in enumerate(kept):
        if blob.startswith(_COARSE):
            descriptors[row], reliability[row, 0] = _uncoarsened(blob, channels, grid)
            continue
        sure = np.frombuffer(blob[: grid * grid], np.uint8)
        used = sure > 0
        if len(sure) != grid * grid or len(blob) != grid * grid + channels * int(used.sum()):
            raise _damaged()
        reliability[row, 0] = sure.reshape(grid, grid)
        cells = np.frombuffer(blob, np.int8, offset=grid * grid).reshape(-1, channels)
        descriptors[row][:, used.reshape(grid, grid)] = cells.T
    return DenseDescriptors(descriptors, reliability)


def coarsened(kept: bytes, channels: int, grid: int) -> bytes:
    """A face's packed descriptors in a quarter of the room, to be given away: every entry in five
    steps (those of least error for a normal distribution; Max 1960), 27 of them in eight bytes,
    and reliabilities in sixteen. Raises as ``unpacked``."""
    face = unpacked([kept], channels, grid)
    sure = face.reliability[0, 0] >> 4
    cells = face.descriptors[0][:, sure > 0].T.astype(np.float32) / STEPS
    step = np.searchsorted(_BOUNDS, cells * np.sqrt(channels)).astype(np.uint64).ravel()
    padded = np.zeros(-(-len(step) // _A_WORD) * _A_WORD, np.uint64)
    padded[: len(step)] = step
    words = (padded.reshape(-1, _A_WORD) * _POWERS).sum(1, dtype=np.uint64)
    shown = zlib.compress((sure[:, ::2] << 4 | sure[:, 1::2]).tobytes(), 9)
    codes: bytes = words.astype("<u8").tobytes()
    return _COARSE + len(shown).to_bytes(4, "little") + shown + codes


def _uncoarsened(
    blob: bytes, channels: int, grid: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint8]]:
    start = len(_COARSE) + 4
    shown = start + int.from_bytes(blob[len(_COARSE) : start], "little")
    try:
        halves = zlib.decompressobj().decompress(blob[start:shown], grid * grid // 2)
    except zlib.error as error:
        raise _damaged() from error
    if len(halves) != grid * grid // 2:
        raise _damaged()
    both = np.frombuffer(halves, np.uint8).reshape(grid, grid // 2)
    sure = np.stack([both >> 4, both & 15], axis=-1).reshape(grid, grid)
    count = channels * int((sure > 0).sum())
    if len(blob) - shown != -(-count // _A_WORD) * 8:
        raise _damaged()
    words = np.frombuffer(blob, "<u8", offset=shown)
    step = (words[:, None] // _POWERS % np.uint64(len(_LEVELS))).ravel()[:count]
    cells = _LEVELS[step.astype(np.int64)].reshape(-1, channels)
    cells /= np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-6)
    found = np.zeros((channels, grid, grid), np.int8)
    found[:, sure > 0] = np.round(cells.T * STEPS)
    return found, sure * np.uint8(17)


def _damaged() -> IndexFolderError:
    return IndexFolderError(
        "the index holds damaged descriptors of a face; delete its details.sqlite and build again"
    )
