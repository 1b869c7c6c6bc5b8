"""A face as the catalogue keeps it: its cut picture compressed, and its place on the photograph.

Types and their frames are found among all faces of a side at once, so faces must be there when all
photographs have been read; and another encoder later needs them again. Kept so, a face takes about
27 kB, a small part of its photograph. Whatever is computed of a face is computed of this stored
form, in a first build as in a later one, so that both give the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from dieindex.errors import IndexFolderError
from dieindex.records import FACE_SIZE, Face, Flan, Side
from dieindex.storage.schema import MADE_ANEW

QUALITY = 95
"""JPEG quality: the error, 1.2 grey levels in the mean, is that of a photograph's own noise."""
_MASK_BYTES = FACE_SIZE * FACE_SIZE // 8


@dataclass(frozen=True, eq=False)
class StoredFace:
    """A face with its picture as JPEG and its mask as compressed bits."""

    side: Side
    flan: Flan
    rotation: float
    jpeg: bytes
    mask: bytes


def stored(face: Face) -> StoredFace:
    """The form in which a face is kept."""
    import cv2

    _, jpeg = cv2.imencode(
        ".jpg", np.ascontiguousarray(face.picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    mask = zlib.compress(np.packbits(face.mask).tobytes(), 6)
    return StoredFace(face.side, face.flan, face.rotation, jpeg.tobytes(), mask)


def restored(kept: StoredFace) -> Face:
    """The face that was kept. Raises IndexFolderError where the stored picture is damaged."""
    import cv2

    picture = cv2.imdecode(np.frombuffer(kept.jpeg, np.uint8), cv2.IMREAD_COLOR)
    try:
        # Never more bytes than a mask has: what is stored may have been tampered with.
        bits = zlib.decompressobj().decompress(kept.mask, _MASK_BYTES)
    except zlib.error:
        bits = b""
    size = (FACE_SIZE, FACE_SIZE, 3)
    if picture is None or picture.shape != size or len(bits) != _MASK_BYTES:
        raise IndexFolderError(f"the index holds a damaged picture of a face; {MADE_ANEW}")
    mask = np.unpackbits(np.frombuffer(bits, np.uint8)).astype(bool)
    return Face(
        kept.side,
        np.ascontiguousarray(picture[..., ::-1], np.uint8),
        mask.reshape(FACE_SIZE, FACE_SIZE),
        kept.flan,
        kept.rotation,
    )
