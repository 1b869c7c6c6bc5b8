"""Pictures of an index's faces as a person looks at them: on their frames, large, or as
photographed; encoded, for a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dieindex.api.cut_out import shown_of
from dieindex.collection.pictures import read_picture
from dieindex.errors import IndexFolderError, PictureError
from dieindex.records import (
    FACE_SIZE,
    FLAN_RADIUS,
    Circle,
    Face,
    Floats,
    Floats32,
    Mask,
    Picture,
    Side,
)
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import PackedFace, unpack_picture

Shown = Floats32
"""(s, s), 0…1: how much of a picture's pixel is shown."""
LARGE, LARGEST = 512, 1024
"""Edge of a face on its frame as it is looked at, pixels: as large as its photograph shows it."""
AROUND = 0.125
"""What a face may show beyond every edge of its frame, in frames: dies hit flans off centre."""
GROUND = (27, 29, 32)
"""Colour around a large face, RGB."""
SMALL = 160
"""Edge of a face in a list, pixels."""
MOST_IN_MEAN = 200
"""Faces of which a mean is taken; more would show no more."""
_QUALITY = 88


@dataclass(frozen=True)
class Photographed:
    """A face on its photograph: the file, whose coin, the circle in pixels of the upright file,
    whether it was found for sure and why not, and whether it lies on a frame and why not."""

    face: int
    side: Side
    file: str
    coin: str
    circle: Circle
    rotation: float
    sure: bool
    reason: str | None
    unaligned: str | None


def small_face(folder: Path, face: int) -> bytes:
    """A face on its frame (as it was cut, where it lies on none), small: WebP with the ground
    transparent. Raises IndexFolderError where the index has no such face."""
    with Catalogue.open(folder) as catalogue:
        packed, place = catalogue.packed_face(face), catalogue.place_of(face)
    return _cut_out(*_warped(packed, place, SMALL))


def large_face(folder: Path, face: int, place: Floats | None = None, around: float = 0.0) -> bytes:
    """A face on its frame, or at ``place`` ``(3, 3)`` on another's, with ``around`` frames beyond
    every edge: JPEG on ``GROUND``. Where the photograph is not there any more, or has changed, it
    is made of the face that the index keeps. Raises IndexFolderError as ``small_face``."""
    with Catalogue.open(folder) as catalogue:
        packed = catalogue.packed_face(face)
        if place is None:
            place = catalogue.place_of(face)
        source = catalogue.source_of(face)
        data = catalogue.meta("data")
    larger = 1 + 2 * around
    if around:
        place = _about_middle(1 / larger) @ (_as_cut() if place is None else place)
    found = None
    if data is not None and source.is_unchanged(Path(data)):
        found = _in_detail(Path(data) / source.file, packed, place, larger)
    return _on_ground(*(_warped(packed, place, int(LARGE * larger)) if found is None else found))


def drawn_face(face: Face, place: Floats) -> bytes:
    """A face that is in no index, as it lies on a frame: JPEG on ``GROUND``."""
    return _on_ground(*_warped_face(face.picture, face.mask, place, LARGE))


def moved_face(folder: Path, face: int, fixed: int) -> bytes:
    """A face on the frame of another to which it was aligned, with ``AROUND`` beyond its
    edges; as ``large_face``. Raises IndexFolderError where the two were not."""
    ids = np.array(sorted((face, fixed)))
    with DetailStore.open(folder) as store:
        rows = [row for row in store.aligned_pairs(ids) if row.moved == face]
    if not rows:
        raise IndexFolderError(f"{folder}: these faces were not aligned to each other.")
    return large_face(folder, face, rows[0].place, AROUND)


def photograph(folder: Path, face: int) -> tuple[bytes, tuple[int, int]]:
    """The photograph that shows a face, as JPEG, upright, and the size (across, down) of the
    upright file in pixels. Raises PictureError where it cannot be read any more."""
    from dieindex.study.pictures import as_jpeg

    with Catalogue.open(folder) as catalogue:
        source, data = catalogue.source_of(face), catalogue.meta("data")
    if data is None:
        raise PictureError(f"{source.file}: the index does not say where its collection lies.")
    decoded = read_picture(Path(data) / source.file)
    down, across = decoded.picture.shape[:2]
    full = round(across * decoded.scale), round(down * decoded.scale)
    return as_jpeg(decoded.picture), full


def photographed(folder: Path) -> list[Photographed]:
    """Every face of the photographs that are there, by file."""
    with Catalogue.open(folder) as catalogue:
        return [
            Photographed(
                row.id, row.side, row.file, row.coin, Circle(row.x, row.y, row.radius),
                row.rotation, row.sure, row.reason, row.unaligned,
            )
            for row in catalogue.faces_on_photographs()
        ]  # fmt: skip


def mean_face(folder: Path, faces: list[int]) -> bytes:
    """The mean of faces as they lie on their frame, each brought to one brightness and contrast:
    what all of them show. WebP with the ground transparent, of edge ``2 * FACE_SIZE``. Raises
    IndexFolderError where none of them lies on a frame."""
    import cv2

    from dieindex.alignment.warping import warp_to_frame
    from dieindex.collection.light import normalise_light

    size = 2 * FACE_SIZE
    total, weight = np.zeros((size, size)), np.zeros((size, size))
    with Catalogue.open(folder) as catalogue:
        for face in faces:
            place = catalogue.place_of(face)
            if place is None:
                continue
            picture, mask = warp_to_frame(*catalogue.picture_of(face), place, size)
            inside = cv2.blur(mask.astype(np.float64), (5, 5))
            total += normalise_light(picture, mask) * inside
            weight += inside
    if not weight.any():
        raise IndexFolderError(f"{folder}: none of these faces lies on a frame.")
    mean = total / np.maximum(weight, 1e-6)
    shown = weight > 0.5 * weight.max()
    low, high = np.quantile(mean[shown], (0.01, 0.99))
    grey = np.clip((mean - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    alpha = np.clip(weight / weight.max() * 2, 0, 1)
    return _cut_out(np.repeat(grey[..., None], 3, axis=2), alpha.astype(np.float32))


def _warped(packed: PackedFace, place: Floats | None, size: int) -> tuple[Picture, Shown]:
    """A face on its frame, or as it was cut; and what of it is shown, 0…1."""
    return _warped_face(*unpack_picture(packed.jpeg, packed.mask), place, size)


def _warped_face(
    picture: Picture, mask: Mask, place: Floats | None, size: int
) -> tuple[Picture, Shown]:
    import cv2

    from dieindex.alignment.warping import resized, warp_to_frame

    shown = shown_of(picture, mask)
    if place is not None:
        picture, _ = warp_to_frame(picture, mask, place, size)
        matrix, edge = resized(size) @ np.asarray(place, np.float64), (size, size)
        return picture, np.asarray(cv2.warpPerspective(shown, matrix, edge), np.float32)
    how = cv2.INTER_AREA if size < FACE_SIZE else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(picture, (size, size), interpolation=how))
    return picture, np.asarray(cv2.resize(shown, (size, size)), np.float32)


def _as_cut() -> Floats:
    """Where a face that lies on no frame is shown: as large as the frame."""
    from dieindex.alignment.warping import FRAME_SIZE

    scale = FRAME_SIZE / FACE_SIZE
    return np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2], [0, 0, 1]])


def _about_middle(scale: float) -> Floats:
    """What sizes a frame about its middle."""
    from dieindex.alignment.warping import FRAME_SIZE

    middle = (FRAME_SIZE - 1) / 2 * (1 - scale)
    return np.array([[scale, 0, middle], [0, scale, middle], [0, 0, 1]])


def _in_detail(
    path: Path, packed: PackedFace, place: Floats | None, larger: float
) -> tuple[Picture, Shown] | None:
    """As ``_warped``, from the photograph at once and ``larger`` times as large; None where that
    cannot be read."""
    import cv2

    from dieindex.alignment.warping import resized
    from dieindex.collection.faces import to_face

    try:
        decoded = read_picture(path)
    except PictureError:
        return None
    circle = decoded.from_full(packed.flan.circle)
    size = int(np.clip(circle.radius / FLAN_RADIUS, LARGE, LARGEST) * larger)
    of_face = np.diag([size / FACE_SIZE, size / FACE_SIZE, 1.0])
    if place is not None:
        of_face = resized(size) @ np.asarray(place, np.float64)
    matrix = of_face @ to_face(circle, packed.rotation)
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    picture = decoded.picture
    if shrink > 1.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 * shrink), np.uint8)
    edge = (size, size)
    warped = cv2.warpPerspective(
        picture, matrix, edge, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    shown = shown_of(*unpack_picture(packed.jpeg, packed.mask))
    shown = np.asarray(cv2.warpPerspective(shown, of_face, edge, flags=cv2.INTER_LINEAR))
    return np.asarray(warped, np.uint8), shown


def _on_ground(picture: Picture, shown: Shown) -> bytes:
    import cv2

    ground = np.array(GROUND, np.float32)
    mixed = ground + (picture - ground) * shown[..., None]
    pixels = np.ascontiguousarray(mixed.astype(np.uint8)[..., ::-1])
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(data.tobytes())


def _cut_out(picture: Picture, shown: Shown) -> bytes:
    """WebP with the ground transparent."""
    import cv2

    opaque = np.clip(shown * 255, 0, 255).astype(np.uint8)
    pixels = np.dstack([picture[..., ::-1], opaque])
    _, data = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return bytes(data.tobytes())
