"""A reference: a small index of few coins a die, to be given away, for ``find`` to look coins up.

It is an index like any other, without what only a build needs: photographs are known by name and
digest, faces by their vector and coarse descriptors; pictures are there if their owner wished it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dieindex.records import Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.details import DetailStore
from dieindex.storage.die_numbers import DieNumbers, keep_die_numbers
from dieindex.storage.nearest import generation_of
from dieindex.storage.reviews import ReviewStore
from dieindex.storage.schema import CATALOGUE_NAME, CHOSEN_FACES

REFERENCE = "reference"
"""The setting by which a reference is known."""
_SETTINGS = ("encoder", "dimension", "calibration", "type_radius", "any_rotation", "built")
_TEXTS = ("title", "citation", "licence", "made_by", "made")
_OF_FACE = (
    "id, photograph, side, x, y, radius, confidence, sure, flan_reason, rotation, frames_tried,"
    " searched, aligned, frame, to_frame, alignment_confidence, unaligned_reason, vector"
)


@dataclass(frozen=True)
class Reference:
    """What a reference says of itself: its ``title``, how it is to be cited, under which licence it
    is given, which dieindex made it, when, and whether it holds pictures."""

    title: str
    citation: str
    licence: str
    made_by: str
    made: str
    pictures: bool


def reference_of(catalogue: Catalogue) -> Reference | None:
    """What an index says of itself if it is a reference."""
    kept = catalogue.meta(REFERENCE)
    if kept is None:
        return None
    try:
        told = json.loads(kept)
        texts = {name: str(told[name]) for name in _TEXTS}
        return Reference(**texts, pictures=bool(told["pictures"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Reference(**dict.fromkeys(_TEXTS, ""), pictures=False)


def write_reference(
    source: Path,
    target: Path,
    faces: Iterable[int],
    about: Reference,
    dies: Mapping[Side, DieNumbers],
    kinds: Mapping[Side, str],
    coarse: Callable[[bytes], bytes],
) -> None:
    """Write the ``faces`` of the index ``source`` into the empty folder ``target``, with the
    numbers and names of their ``dies`` and how the scores of pairs lie. ``coarse`` makes packed
    descriptors small."""
    chosen = sorted(set(faces))
    with Catalogue.open(source) as known:
        settings = {key: known.meta(key) for key in _SETTINGS}
    with Catalogue.open(target, create=True) as catalogue:
        catalogue.write("ATTACH ? AS source", (str(source / CATALOGUE_NAME),))
        with catalogue.transaction():
            catalogue.write(CHOSEN_FACES)
            catalogue.write_many("INSERT INTO chosen VALUES (?)", [(face,) for face in chosen])
            for statement in _copies(pictures=about.pictures):
                catalogue.write(statement)
            for key, text in settings.items():
                catalogue.set_meta(key, text)
            catalogue.halve_competitors()
            for side, text in kinds.items():
                catalogue.set_kinds(side, text)
            catalogue.set_meta(REFERENCE, json.dumps(asdict(about), ensure_ascii=False))
        with catalogue.transaction():
            catalogue.set_meta("generation", generation_of(catalogue))
            catalogue.sum_all()
        catalogue.write("DETACH source")
        # (What was halved has left holes.)
        catalogue.write("VACUUM")
    with DetailStore.open(source) as known_details, DetailStore.open(target, create=True) as kept:
        keys = known_details.keys()
        with kept.transaction():
            for face in chosen:
                cells = known_details.cells_of(face)
                if cells is not None:
                    kept.put_descriptors([(face, keys[face], coarse(cells))])
    with ReviewStore.open(target, write=True) as persons:
        for side, numbers in dies.items():
            keep_die_numbers(persons, side, numbers, (), about.made)


def _copies(*, pictures: bool) -> list[str]:
    here = "SELECT face FROM temp.chosen"
    found = [
        "INSERT INTO main.photographs SELECT * FROM source.photographs WHERE id IN"
        f" (SELECT photograph FROM source.faces WHERE id IN ({here}))",
        f"INSERT INTO main.faces ({_OF_FACE}) SELECT {_OF_FACE} FROM source.faces"
        f" WHERE id IN ({here})",
        "INSERT INTO main.frames SELECT * FROM source.frames AS s WHERE EXISTS (SELECT 1 FROM"
        " main.faces AS f WHERE f.side = s.side AND f.frame = s.number)",
    ]
    if pictures:
        found.append(
            f"INSERT INTO main.pictures SELECT * FROM source.pictures WHERE face IN ({here})"
        )
    return found
