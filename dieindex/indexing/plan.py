"""What a build has to do: whose index it is, which photographs are due, which have vanished."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dieindex.encoder.weights import INDEX, EncoderCard
from dieindex.errors import CollectionError, IndexFolderError
from dieindex.indexing.repeated import REPEATED
from dieindex.records import OBVERSE, SIDES, Collection, Override, Photograph
from dieindex.storage.catalogue import Catalogue, PhotographRow
from dieindex.storage.details import DetailStore
from dieindex.storage.reference import reference_of
from dieindex.text import Parameter, some_of

VANISHED_LIMIT = 0.2
"""Share of an index's photographs that may vanish before a build stops (an unmounted disk)."""


@dataclass(frozen=True)
class Task:
    """A photograph that is new, changed, or told of otherwise than before."""

    photograph: Photograph
    hints: str
    known: PhotographRow | None
    sha256: str | None = None
    """Of its content, where it was looked at already."""


def claim(catalogue: Catalogue, collection: Collection) -> list[str]:
    """Record whose index this is, and give what is to be said of it. Raises IndexFolderError for
    another collection's."""
    if reference_of(catalogue) is not None:
        raise IndexFolderError(
            f"{catalogue.path.parent}: is a reference that somebody made to look coins up in; "
            "choose another index."
        )
    data = str(collection.folder.resolve())
    recorded = catalogue.meta("data")
    if recorded == data:
        return []
    if recorded is not None:
        known = set(catalogue.photographs())
        here = {photograph.file for photograph in collection}
        moved = not Path(recorded).exists() and len(known & here) >= 0.8 * len(known)
        if not moved:
            raise IndexFolderError(
                f"{catalogue.path.parent}: is the index of {recorded}, not of {data}; choose "
                "another index."
            )
    with catalogue.transaction():
        catalogue.set_meta("data", data)
    return [] if recorded is None else [f"The collection has moved from {recorded} to {data}."]


def record_sheet(catalogue: Catalogue, collection: Collection) -> None:
    """Record which sheet the collection was read with, as no result is ever written over it, and
    how it was read."""
    told = {
        "sheet": None if collection.sheet is None else str(collection.sheet.resolve()),
        "sheet_reading": str(collection.reading) if collection.reading else None,
    }
    if any(catalogue.meta(key) != text for key, text in told.items()):
        with catalogue.transaction():
            for key, text in told.items():
                catalogue.set_meta(key, text)


def claim_encoder(catalogue: Catalogue, card: EncoderCard, reencode: bool) -> list[str]:
    """Record by which encoder faces are encoded, and give what is to be said of it; with
    ``reencode`` another than before makes every face due anew. Raises IndexFolderError
    otherwise."""
    recorded = catalogue.meta("encoder")
    if recorded == card.version:
        return []
    if recorded is not None and not reencode:
        raise IndexFolderError(
            f"{catalogue.path.parent}: was built with encoder {recorded}, this dieindex has "
            f"{card.version}; build again with ",
            Parameter("reencode"),
            " to make it anew. Verdicts and die numbers are kept.",
        )
    settings = encoder_settings(card)
    with catalogue.transaction():
        catalogue.forget_vectors()
        for key, text in settings.items():
            catalogue.set_meta(key, text)
        catalogue.set_meta("generation", None)
        for side in SIDES:
            catalogue.set_kinds(side, None)
    return [] if recorded is None else [f"All faces are encoded anew with {card.version}."]


def encoder_settings(card: EncoderCard) -> dict[str, str]:
    """What an index notes of its encoder."""
    return {
        "encoder": card.version,
        "dimension": str(card.config["dimension"]),
        "calibration": card.calibration_for(INDEX),
        "type_radius": repr(card.type_radius),
    }


def claim_rotation(catalogue: Catalogue, wanted: bool) -> list[str]:
    """Remember whether all turns are looked for; an index is never narrowed by leaving it out."""
    recorded = catalogue.meta("any_rotation")
    if recorded == "1" or (recorded is not None and not wanted):
        return []
    with catalogue.transaction():
        catalogue.set_meta("any_rotation", "1" if wanted else "0")
        if recorded is not None:
            catalogue.forget_alignment()
            catalogue.set_meta("generation", None)
    return [] if recorded is None else ["All faces are aligned anew, turned by any angle."]


MIXED_SIDES, BUILT = "mixed_sides", "built"
"""Settings of the index."""


def note_mixed_sides(catalogue: Catalogue) -> None:
    """Remember that faces on frames of one side turned out to be of the other: frames were found
    among faces of both."""
    catalogue.set_meta(MIXED_SIDES, "1")


def claim_sides(catalogue: Catalogue) -> list[str]:
    """Where frames were found among faces of both sides, make all faces due to be aligned as in a
    build from nothing, and give what is to be said of it. (Which frames would be others without a
    face cannot be told: what competes for it, and whose mean it entered, goes on to every
    frame.)"""
    if catalogue.meta(MIXED_SIDES) is None:
        return []
    with catalogue.transaction():
        catalogue.number_faces_anew()
        catalogue.set_meta(REPEATED, None)
        catalogue.forget_alignment()
        for side in SIDES:
            catalogue.set_kinds(side, None)
        catalogue.set_meta(MIXED_SIDES, None)
    return ["Faces turned out to be of the other side: all are aligned anew."]


def ask_for_sides(catalogue: Catalogue, collection: Collection) -> None:
    """Raises CollectionError where every picture of a new index shows one side and nothing says
    which of the two: half of them would be taken for the other side, and every die be wrong."""
    if catalogue.meta(BUILT) is not None:
        return
    rows = [row for row in catalogue.photographs().values() if row.state == "done"]
    if not rows or not all("side" in row.notes for row in rows):
        return
    pages = [row.file for row in rows if "pages" in row.notes]
    hint = f" {some_of(pages, 3)}: of several pages only one is read; save each as a picture."
    raise CollectionError(
        f"{collection.folder}: every picture shows one side of a coin, and nothing says which "
        f"({some_of([row.file for row in rows], 3)}). Say it with ",
        Parameter("side", OBVERSE),
        " (or reverse) where all show the same; else name them such as 12_obv.jpg and 12_rev.jpg, "
        "or give a sheet with the columns “file”, “coin” and “side”.",
        hint if pages else "",
    )


def due_photographs(
    catalogue: Catalogue, collection: Collection
) -> tuple[list[Task], list[PhotographRow]]:
    """What is due, in the collection's order, and which known photographs have vanished."""
    rows = catalogue.photographs()
    tasks: list[Task] = []
    with catalogue.transaction():
        for photograph in collection:
            hints = _hints(photograph)
            known = rows.get(photograph.file)
            if known is None or known.hints != hints:
                tasks.append(Task(photograph, hints, known))
                continue
            status = (collection.folder / photograph.file).stat()
            if (status.st_size, status.st_mtime_ns) != (known.size, known.mtime_ns):
                tasks.append(Task(photograph, hints, known))
            elif known.state == "absent" or known.coin != photograph.coin:
                catalogue.update_photograph(
                    photograph.file,
                    coin=photograph.coin,
                    size=known.size,
                    mtime_ns=known.mtime_ns,
                    hints=hints,
                    state="done" if known.reason is None else "skipped",
                )
                catalogue.set_meta("generation", None)
    present = {photograph.file for photograph in collection}
    vanished = [row for row in rows.values() if row.file not in present and row.state != "absent"]
    return tasks, vanished


def _hints(photograph: Photograph) -> str:
    """What the collection says of a photograph that changes its faces, as a comparable text."""

    def plain(override: Override) -> dict[str, object]:
        return {key: value for key, value in asdict(override).items() if key != "file"}

    return json.dumps(
        {
            "side": photograph.side,
            "from": photograph.side_from,
            "overrides": [plain(override) for override in photograph.overrides],
        },
        sort_keys=True,
    )


def check_vanished(catalogue: Catalogue, vanished: Sequence[PhotographRow], prune: bool) -> None:
    """Raises IndexFolderError where too many have vanished, unless ``prune``."""
    counts = catalogue.photograph_counts()
    present = counts.get("done", 0) + counts.get("skipped", 0)
    if len(vanished) > VANISHED_LIMIT * present and not prune:
        raise IndexFolderError(
            f"{catalogue.path.parent}: {len(vanished)} of its {present} photographs have vanished "
            f"({vanished[0].file} …). Is the disk mounted? If they were taken away on purpose, "
            "build again with ",
            Parameter("prune"),
            ". Nothing was changed.",
        )


def lacks_descriptors(catalogue: Catalogue, details: DetailStore) -> bool:
    """Whether descriptors of a present face are missing, or are those of another than today's."""
    known = details.keys()
    wanted = catalogue.descriptor_keys(present=True)
    return any(known.get(face) != key for face, key in wanted.items())
