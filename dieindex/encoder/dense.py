"""What verification needs of a face, as it is kept: dense descriptors in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dieindex.errors import IndexFolderError
from dieindex.records import Ints

STEPS = 127.0
"""A descriptor's entries, −1…1, are kept as whole numbers −127…127."""


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
        sure = np.frombuffer(blob[: grid * grid], np.uint8)
        used = sure > 0
        if len(sure) != grid * grid or len(blob) != grid * grid + channels * int(used.sum()):
            raise IndexFolderError(
                "the index holds damaged descriptors of a face; delete its details.sqlite and "
                "build again"
            )
        reliability[row, 0] = sure.reshape(grid, grid)
        cells = np.frombuffer(blob, np.int8, offset=grid * grid).reshape(-1, channels)
        descriptors[row][:, used.reshape(grid, grid)] = cells.T
    return DenseDescriptors(descriptors, reliability)
