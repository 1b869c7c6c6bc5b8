"""Faces as an index keeps them: small, nearly as they were, and checked when read."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest

from dieindex.collection.faces import cut_faces
from dieindex.errors import IndexFolderError
from dieindex.records import FACE_SIZE, Face
from dieindex.storage.face_codec import PackedFace, pack_face, unpack_face
from tests.collections_for_tests import draw_coin


@pytest.fixture(scope="module")
def face() -> Face:
    return cut_faces(draw_coin(1))[0]


def test_a_face_comes_back_as_it_was(face: Face) -> None:
    kept = pack_face(face)
    again = unpack_face(kept)
    assert np.array_equal(again.mask, face.mask)
    assert again.picture.dtype == np.uint8
    difference = np.abs(again.picture.astype(float) - face.picture)
    assert difference[face.mask].mean() < 4  # drawn edges are sharper than a photograph's
    assert (again.side, again.flan, again.rotation) == (face.side, face.flan, face.rotation)
    assert len(kept.jpeg) + len(kept.mask) < 60_000
    assert pack_face(face).jpeg == kept.jpeg


@pytest.mark.parametrize(
    "change",
    [
        {"jpeg": b"no picture"},
        {"mask": b"no mask"},
        {"mask": zlib.compress(bytes(FACE_SIZE))},
    ],
)
def test_a_damaged_face_is_an_error(face: Face, change: dict[str, bytes]) -> None:
    damaged: PackedFace = replace(pack_face(face), **change)  # type: ignore[arg-type]
    with pytest.raises(IndexFolderError, match="damaged"):
        unpack_face(damaged)


def test_a_picture_of_another_size_is_an_error(face: Face) -> None:
    import cv2

    _, jpeg = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(IndexFolderError, match="damaged"):
        unpack_face(replace(pack_face(face), jpeg=jpeg.tobytes()))
