"""What a disk has changed of a catalogue is made due anew, before a build trusts any of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dieindex.encoder.weights import EncoderCard
from dieindex.indexing.plan import BUILT, MIXED_SIDES, encoder_settings
from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.catalogue_rows import (
    COINS,
    FACES,
    FRAMES,
    PHOTOGRAPHS,
    PICTURES,
    SETTINGS,
    TABLES,
    VECTORS,
)
from dieindex.storage.details import DetailStore
from dieindex.storage.nearest import generation_of
from dieindex.storage.row_checksums import Damage
from dieindex.text import some_of


def mend(catalogue: Catalogue, card: EncoderCard) -> list[str]:
    """Make due anew what has changed on the disk since it was written, and say so; from then on
    every row has a checksum. ``card`` is the encoder of the build.

    Raises IndexFolderError where nothing but a new catalogue helps.
    """
    damage = catalogue.whole_damage()
    if TABLES in damage:
        catalogue.check_rows()
    rows = {name: keys for name, keys in damage.items() if name != VECTORS}
    told = []
    if rows:
        kinds, things = catalogue.damaged_kinds(rows), catalogue.damaged_things(rows)
        told.append(
            f"The index's {kinds} had changed on the disk ({some_of(things)}): they are made anew "
            "of what else is kept, and of the photographs."
        )
        with catalogue.transaction():
            _mend_rows(catalogue, rows, card)
    vectors = damage.get(VECTORS, [])
    if vectors or not rows:
        told += _mend_vectors(catalogue, vectors)
    with catalogue.transaction():
        catalogue.sum_all()
    return told


def _mend_rows(catalogue: Catalogue, damage: Damage, card: EncoderCard) -> None:
    catalogue.mend_order()
    _mend_settings(catalogue, damage.get(SETTINGS, ()), card)
    # (The checksum of a picture stays: by it the face is known again that is cut anew.)
    catalogue.forget_sums({name: keys for name, keys in damage.items() if name != PICTURES})
    catalogue.mend_pictures(damage.get(PICTURES, ()))
    catalogue.mend_faces(damage.get(FACES, ()))
    catalogue.mend_photographs(damage.get(PHOTOGRAPHS, ()))
    catalogue.remove_lost()
    if FRAMES in damage:
        # (A face that one does not hold goes on to every other.)
        catalogue.forget_alignment()
        for side in SIDES:
            catalogue.set_kinds(side, None)
    if COINS in damage:
        catalogue.mend_coins()
    catalogue.set_meta("generation", None)


def _mend_settings(catalogue: Catalogue, keys: Sequence[str], card: EncoderCard) -> None:
    """Settings that may be known from elsewhere become what they were; others are forgotten, and
    told anew by the build."""
    of_encoder = encoder_settings(card)
    possible = {key: (value,) for key, value in of_encoder.items()} | {"any_rotation": ("0", "1")}
    was = {
        key: next((text for text in possible[key] if catalogue.was_setting(key, text)), None)
        for key in keys
        if key in possible
    }
    for key in keys:
        catalogue.set_meta(key, was.get(key))
    if any(key in of_encoder and value is None for key, value in was.items()):
        # Which it was is not known: all faces are encoded anew.
        catalogue.set_meta("encoder", None)
    # (Of these it counts that they are there.)
    if BUILT in keys:
        catalogue.set_meta(BUILT, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    if MIXED_SIDES in keys:
        catalogue.set_meta(MIXED_SIDES, "1")


def _mend_vectors(catalogue: Catalogue, faces: Sequence[str]) -> list[str]:
    """Make vectors due anew that have changed: those ``faces``, and what the last build knew
    otherwise. (An earlier dieindex kept no checksums.)"""
    changed: list[str | int] = [*faces]
    recorded = catalogue.meta("generation")
    if recorded is not None:
        with DetailStore.open(catalogue.path.parent) as details:
            known = details.keys()
        wanted = catalogue.descriptor_keys(present=True)
        changed += [face for face, key in wanted.items() if known.get(face, key) != key]
        if not changed and generation_of(catalogue) == recorded:
            return []
    elif not changed:
        return []
    with catalogue.transaction():
        catalogue.forget_sums({VECTORS: faces})
        catalogue.forget_changed_vectors(changed)
        catalogue.set_meta("generation", None)
    return ["Vectors of faces had changed on the disk: they are made anew of the faces."]
