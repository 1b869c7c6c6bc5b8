"""A coin of an index, or a picture file, as it enters a comparison there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dieindex.api.arguments import Coin, coin_called, name_of, unknown_coin
from dieindex.api.cutting import content_of, cut_faces_of
from dieindex.api.reader import IndexReader
from dieindex.api.seen import SeenFace, View, descriptors_of, on_frame
from dieindex.encoder.competition import less_shared
from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.errors import CollectionError
from dieindex.records import SIDES, Face, PathLike, Side
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.details import DetailStore
from dieindex.storage.face_codec import unpack_face


def view_of(index: IndexReader, coin: Coin | PathLike, side: Side | None) -> View:
    """What is known of a coin, by side: from the catalogue, or from a picture file.

    ``side`` is that of a picture which shows a single one. Raises CollectionError for what is
    neither a coin nor a file, PictureError for a file that cannot be used.
    """
    called = coin_called(coin, [*index.coins, *index.leading])
    if called is not None:
        called = index.leading.get(called, called)
        rows = {each: index.faces(each) for each in SIDES}
        return View(_stored(index, rows, coin=called), called)
    path = Path(name_of(coin))
    if not path.is_file():
        raise CollectionError(unknown_coin(coin, index.coins, index.folder))
    content = content_of(path)
    with Catalogue.open(index.folder) as catalogue:
        known = catalogue.photograph_of_content(content)
        if known is not None:
            rows = {each: catalogue.face_rows(each) for each in SIDES}
            coin = index.leading.get(known.coin, known.coin)
            return View(_stored(index, rows, file=known.file), coin, content)
        return View(_new(index, path, side, catalogue), None, content)


def _stored(
    index: IndexReader,
    rows: Mapping[Side, FaceRows],
    *,
    coin: str | None = None,
    file: str | None = None,
) -> dict[Side, SeenFace]:
    """The faces of one coin, or of one photograph."""
    found: dict[Side, SeenFace] = {}
    for side, each in rows.items():
        names, name = (each.coins, coin) if coin is not None else (each.files, file)
        if name in names:
            position = names.index(name)
            face = int(each.ids[position])
            found[side] = SeenFace(
                each.vectors[position],
                None if each.aligned[position] else each.unaligned[position],
                lambda face=face: _rendered(index, face),  # type: ignore[misc]
                int(each.frame[position]),
                lambda face=face: _descriptors(index, face),  # type: ignore[misc]
                face,
            )
    return found


def _new(
    index: IndexReader, path: Path, side: Side | None, catalogue: Catalogue
) -> dict[Side, SeenFace]:
    """The faces of a picture file, aligned to the index's frames."""
    # (Alignment loads OpenCV.)
    from dieindex.alignment.align import align_to

    encoder = index.encoder()
    turning = catalogue.meta("any_rotation") == "1"
    found: dict[Side, SeenFace] = {}
    for face in cut_faces_of(path, side):
        frames = catalogue.frames(face.side)
        alignment = align_to(frames, [face], any_rotation=turning)[0]
        place = alignment.to_frame if alignment.aligned else None
        described = encoder.describe([face], [place])
        vector = described.vectors[0]
        competitors = catalogue.competitors(face.side).get(alignment.type)
        if competitors is not None:
            vector = less_shared(vector, competitors, encoder.card.type_radius)
        found[face.side] = SeenFace(
            vector,
            None if alignment.aligned else alignment.reason,
            lambda face=face, place=place: on_frame(face, place),  # type: ignore[misc]
            alignment.type,
            lambda described=described: descriptors_of(described, 0),  # type: ignore[misc]
        )
    return found


def _descriptors(index: IndexReader, number: int) -> DenseDescriptors | None:
    """What verification sees of a face; None where the index does not know."""
    with DetailStore.open(index.folder) as store:
        kept = store.cells_of(number)
    if kept is None or index.verification is None:
        return None
    return unpacked([kept], *index.verification.shape)


def _rendered(index: IndexReader, number: int) -> Face:
    """A face of this index as it lies on its frame."""
    with Catalogue.open(index.folder) as catalogue:
        face = unpack_face(catalogue.packed_face(number))
        return on_frame(face, catalogue.place_of(number))
