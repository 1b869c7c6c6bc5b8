"""What a person corrects of a collection's photographs, kept in its ``overrides.csv``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dieindex.api.index import Index
from dieindex.collection.overrides import put_overrides, read_overrides
from dieindex.errors import CollectionError, UsageError
from dieindex.records import Override
from dieindex.storage.catalogue import Catalogue

FARTHEST = 1e6
"""Pixels, or degrees; no photograph is as large."""


def corrections(index: Index) -> list[Override]:
    """What ``overrides.csv`` of the index's collection says. Raises CollectionError where the index
    does not know its collection, or it is not there; SheetError where the file cannot be read."""
    return read_overrides(_collection_of(index))[0]


def correct(index: Index, given: Iterable[Override]) -> None:
    """Keep corrections of photographs of an index, in the place of earlier ones of the same file
    and side; the next build works on these faces alone. One that says nothing takes the earlier
    ones away.

    Raises CollectionError as ``corrections``, UsageError for a file that the index does not know
    and for a circle that is none.
    """
    folder, wanted = _collection_of(index), list(given)
    with Catalogue.open(index.folder) as catalogue:
        known: Mapping[str, object] = catalogue.photographs()
    for each in wanted:
        if each.file not in known:
            raise UsageError(f"{each.file}: is no photograph of this index.")
        circle = each.circle
        numbers = [] if circle is None else [circle.x, circle.y, circle.radius]
        numbers += [] if each.rotate is None else [each.rotate]
        if not all(abs(number) < FARTHEST for number in numbers):
            raise UsageError(f"{each.file}: a circle needs a middle, a radius and a turn.")
        if circle is not None and circle.radius < 1:
            raise UsageError(f"{each.file}: a circle needs a radius of 1 pixel at least.")
    put_overrides(folder, wanted)


def _collection_of(index: Index) -> Path:
    folder = None if index.data is None else Path(index.data)
    if folder is None or not folder.is_dir():
        raise CollectionError(
            f"{index.data or index.folder}: the photographs of this index are not there; put them "
            "back, or build again from where they are."
        )
    return folder
