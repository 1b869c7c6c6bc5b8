"""What training takes from an index, and gives it."""

from __future__ import annotations

import shutil
from pathlib import Path

from dieindex.api.arguments import checked_path, path_or_none
from dieindex.api.labels import read_labels
from dieindex.api.reader import IndexReader
from dieindex.api.verification import check_weights
from dieindex.encoder.weights import read_card
from dieindex.files import written_beside
from dieindex.indexing.run import build_index
from dieindex.records import SIDES, Face, Matrix, PathLike
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import unpack_face
from dieindex.storage.folder import WEIGHTS_NAME


def labelled_faces(
    index: IndexReader, labels: PathLike | None = None
) -> list[tuple[Face, Matrix, int, str]]:
    """The aligned faces of an index whose die a sheet tells (its own where none is named), one a
    coin and side: the face, where it lies on its frame, the frame's number, the die's name."""
    sheet = path_or_none(labels, "labels")
    given = None if sheet is None else read_labels(sheet, index.coin_of_file())
    found: list[tuple[Face, Matrix, int, str]] = []
    with Catalogue.open(index.folder) as catalogue:
        for side in SIDES:
            rows = index.faces(side)
            dies = index.labels(side) if given is None else given[side]
            for position, coin in enumerate(rows.coins):
                number = int(rows.ids[position])
                place = catalogue.place_of(number)
                if coin in dies and place is not None:
                    face = unpack_face(catalogue.packed_face(number))
                    found.append((face, place, int(rows.frame[position]), dies[coin]))
    return found


def use_weights(index: IndexReader, weights: PathLike, *, device: str = "auto") -> None:
    """Encode an index anew with these weights, of which its folder keeps a copy."""
    check_weights(read_card(checked_path(weights, "weights")), device)
    kept = index.folder / WEIGHTS_NAME
    with written_beside(kept) as part:
        shutil.copyfile(weights, part)
    build_index(Path(index.data or "."), index.folder, device=device, reencode=True, weights=kept)
