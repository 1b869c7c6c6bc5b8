"""A face as the catalogue keeps it: its cut picture compressed, and its place on the photograph.

Types and their frames are found among all faces of a side at once, so faces must be there when all
photographs have been read; and another encoder later needs them again. Kept so, a face takes about
27 kB, a small part of its photograph. Whatever is computed of a face is computed of this kept
form, in a first build as in a later one, so that both give the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from dieindex.errors import IndexFolderError
from dieindex.records import FACE_SIZE, Face, Flan, Mask, Picture, Side
from dieindex.storage.schema import MADE_ANEW

QUALITY = 95
"""JPEG quality: the error, 1.2 grey levels in the mean, is that of a photograph's own noise."""
_MASK_BYTES = FACE_SIZE * FACE_SIZE // 8


@dataclass(frozen=True, eq=False)
class PackedFace:
    """A face with its picture as JPEG and its mask as compressed bits."""

    side: Side
    flan: Flan
    rotation: float
    jpeg: bytes
    mask: bytes


def pack_face(face: Face) -> PackedFace:
    """The form in which a face is kept."""
    import cv2

    # (Fifteen times faster than reversing the axis.)
    pixels = cv2.cvtColor(face.picture, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    mask = zlib.compress(np.packbits(face.mask).tobytes(), 6)
    return PackedFace(face.side, face.flan, face.rotation, jpeg.tobytes(), mask)


def unpack_face(kept: PackedFace) -> Face:
    """The face that was kept. Raises IndexFolderError where the kept picture is damaged."""
    picture, mask = unpack_picture(kept.jpeg, kept.mask)
    return Face(kept.side, picture, mask, kept.flan, kept.rotation)


class Unpacked(Sequence[Face]):
    """Kept faces, each unpacked whenever it is asked for: many need not be held all at once."""

    def __init__(self, kept: Sequence[PackedFace]) -> None:
        self._kept = kept

    @overload
    def __getitem__(self, at: int) -> Face: ...

    @overload
    def __getitem__(self, at: slice) -> Unpacked: ...

    def __getitem__(self, at: int | slice) -> Face | Unpacked:
        return Unpacked(self._kept[at]) if isinstance(at, slice) else unpack_face(self._kept[at])

    def __len__(self) -> int:
        return len(self._kept)


def unpack_picture(jpeg: bytes, mask: bytes, *, half: bool = False) -> tuple[Picture, Mask]:
    """A kept picture ``(FACE_SIZE, FACE_SIZE, 3)`` and its mask, or both at ``half`` that size.

    Raises IndexFolderError where they are damaged.
    """
    import cv2

    flag = cv2.IMREAD_REDUCED_COLOR_2 if half else cv2.IMREAD_COLOR
    try:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    except cv2.error:
        picture = None
    step = 2 if half else 1
    edge = FACE_SIZE // step
    if picture is None or picture.shape != (edge, edge, 3):
        raise _damaged()
    pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
    return pixels, unpack_mask(mask)[::step, ::step]


def unpack_mask(mask: bytes) -> Mask:
    """A kept mask ``(FACE_SIZE, FACE_SIZE)``. Raises IndexFolderError where it is damaged."""
    try:
        # Never more bytes than a mask has: what is kept may have been tampered with.
        bits = zlib.decompressobj().decompress(mask, _MASK_BYTES)
    except zlib.error:
        bits = b""
    if len(bits) != _MASK_BYTES:
        raise _damaged()
    shown = np.unpackbits(np.frombuffer(bits, np.uint8)).astype(bool)
    return shown.reshape(FACE_SIZE, FACE_SIZE)


def _damaged() -> IndexFolderError:
    return IndexFolderError(f"the index holds a damaged picture of a face; {MADE_ANEW}")
