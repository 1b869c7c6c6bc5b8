"""Which die of an index struck a coin that is not in it: ``Index.find``.

A photograph is cut, laid on the frames of the index, refined and encoded as a build would do it;
then it is compared with the coins nearest to it, and with all others of their dies. The index is
not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dieindex.api.arguments import checked_count, checked_path, side_or_none
from dieindex.api.cutting import content_of, cut_faces_of
from dieindex.api.face_pictures import drawn_face
from dieindex.api.moved_photo import (
    CoinsItLiesOn,
    FeaturesOfSide,
    PlacedPhoto,
    lies_on_coins,
)
from dieindex.api.reader import IndexReader
from dieindex.api.seen import on_frame
from dieindex.api.views import view_of
from dieindex.calibration.two_kinds import ANY_COLLECTION, TwoKinds, from_json
from dieindex.clustering.known_dies import odds_of_dies, shares
from dieindex.clustering.numbering import die_name
from dieindex.encoder.competition import less_shared
from dieindex.encoder.dense import DenseDescriptors, quantised, unpacked
from dieindex.encoder.neighbours import neighbours_of
from dieindex.errors import IndexFolderError, PictureError, UsageError
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Floats, Ints, Matrix, PathLike, Side, Vectors
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.details import DetailStore
from dieindex.storage.die_numbers import die_numbers
from dieindex.storage.face_codec import unpack_face
from dieindex.storage.reviews import ReviewStore
from dieindex.text import counted
from dieindex.verification.evidence_picture import Shown, draw_rows

if TYPE_CHECKING:
    from dieindex.alignment.frames import Frame
    from dieindex.alignment.result import Alignment
    from dieindex.api.dies import Dies

NEAREST = 24
"""Coins of its frame, the nearest, that a new one is compared with at least."""
_DIES = 12
"""Of so many of them the dies are compared wholly."""
_OF_ONE_DIE = 8
"""Coins of a die, the nearest, that are compared at most."""
_FIRST, _SURE = 6, 0.99
"""So many nearest coins are compared first; where one die is as likely as this by them, no more but
its own."""
_LIKELY = 0.5
"""How likely a face must be of some die that the index has, else it is aligned to single coins."""
_DRAWN = 3
"""Dies that a picture shows."""
_NO_TYPE = (
    "no such type here, or too worn to tell: it fits none of the index's types well enough to be "
    "sure of its place"
)
_NOTHING = "what it shows is too little to compare"


@dataclass(frozen=True)
class LikelyDie:
    """A die of the index that may have struck a coin: its name, how likely that is, the coin of it
    most like the new one, and how many coins of it the index has."""

    die: str
    probability: float
    nearest: str
    coins: int


@dataclass(frozen=True, eq=False)
class Found:
    """What is known of one side of a photograph: the likeliest ``dies``, likeliest first, and how
    likely it is of none that the index has. Both are probabilities; with those of the dies that are
    not named their sum is 1. Where nothing can be told ``new_die`` is None, and ``reason`` says
    why."""

    photo: str
    side: Side | None
    new_die: float | None
    dies: Sequence[LikelyDie] = ()
    reason: str | None = None
    known_as: str | None = None
    """The coin of the index that the very same file shows: it is left out."""
    seen: PlacedPhoto | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class KnownDies:
    """The dies of a side: each coin's label, ``(n,)`` in the order of the side's faces, the names
    of the labels, how many coins each has, and how scores lie."""

    labels: Ints
    names: Sequence[str]
    size: Ints
    kinds: TwoKinds


class Finder:
    """An index asked for many photographs: what it needs of it is read once."""

    def __init__(self, index: IndexReader, find_dies: Callable[[Side], Dies]) -> None:
        """``find_dies`` finds the dies of a side where some coin has none yet."""
        if index.verification is None:
            raise IndexFolderError(str(index.unverified))
        index.check_whole()
        self._index, self._find_dies = index, find_dies
        self._verification = index.verification
        self._encoder = self._verification.encoder
        self._dies: dict[Side, KnownDies] = {}
        self._frames: dict[Side, list[Frame]] = {}
        self._competitors: dict[Side, Mapping[int, Vectors]] = {}
        self._features: dict[Side, FeaturesOfSide] = {}

    def find(self, photo: PathLike, side: Side | None = None, top: int = 5) -> list[Found]:
        """Each side of a photograph; see ``Index.find``."""
        path, side, top = (
            checked_path(photo, "photo"),
            side_or_none(side),
            checked_count(top, "top"),
        )
        if not path.is_file():
            raise PictureError(f"{path}: no such picture.")
        faces = cut_faces_of(path, side)
        known, side_known = self._known(path), side is not None or len(faces) > 1
        found = []
        for face in faces:
            placed, alignment = self._placed(face, side_known=side_known)
            if placed is not None:
                found.append(self.found(str(path), placed, top, known))
                continue
            told = face.side if side_known else None
            nowhere = Found(str(path), told, None, reason=_why(alignment))
            sides = (face.side,) if side_known else SIDES
            on_coins = (
                self._on_coins(str(path), replace(face, side=side), top, known) for side in sides
            )
            found.append(max((one for one in on_coins if one), key=_of_known, default=nowhere))
        return found

    def found(self, photo: str, placed: PlacedPhoto, top: int, known_as: str | None) -> Found:
        """Which die a placed face is of; where it seems of none, it is aligned to single coins,
        too, and of each the better score counts."""
        told = self.among_dies(photo, placed, top, known_as)
        if _of_known(told) >= _LIKELY:
            return told
        on = self._lies_on(placed.face, placed, known_as)
        if on is None:
            return told
        asked, score = self._on_frame_scores(placed, known_as)
        asked, score = _better(asked, score, on)
        found = self._told(photo, placed.face.side, asked, score, top, known_as)
        first = self._index.faces(placed.face.side).coins[int(on.rows[0])]
        shown = self._moved(placed.face, on) if found.dies[0].nearest == first else None
        return replace(found, seen=shown or placed)

    def _on_coins(self, photo: str, face: Face, top: int, known_as: str | None) -> Found | None:
        """Which die a face is of that lies on no frame, by the coins that it lies on; None where
        that is likelier none of theirs, as where it is of another type."""
        on = self._lies_on(face, None, known_as)
        if on is None:
            return None
        found = self._told(photo, face.side, on.rows, on.score, top, known_as)
        return replace(found, seen=self._moved(face, on)) if _of_known(found) >= _LIKELY else None

    def _lies_on(
        self, face: Face, placed: PlacedPhoto | None, known_as: str | None
    ) -> CoinsItLiesOn | None:
        # (Finding the dies looks for features, too.)
        self.dies(face.side)

        def competitors(frame: int) -> Vectors | None:
            return self._competing(face.side, frame)

        if face.side not in self._features:
            self._features[face.side] = FeaturesOfSide(self._index, face.side)
        return lies_on_coins(
            self._index,
            self._verification,
            face,
            placed,
            self._features[face.side],
            competitors,
            known_as,
        )

    def _moved(self, face: Face, on: CoinsItLiesOn) -> PlacedPhoto | None:
        """The face as it lies on the coin most like it."""
        if on.frame is None or on.place is None:
            return None
        return self._described(face, on.frame, on.place)

    def _known(self, path: Path) -> str | None:
        with Catalogue.open(self._index.folder) as catalogue:
            same = catalogue.photograph_of_content(content_of(path))
        return None if same is None else self._index.leading.get(same.coin, same.coin)

    # ------------------------------------------------------ where it lies

    def _placed(self, face: Face, *, side_known: bool) -> tuple[PlacedPhoto | None, Alignment]:
        """The face on its frame, as a build would lay it there; None where it fits none. Where
        it is not known which side it is, both are tried."""
        best: tuple[Face, Alignment] | None = None
        for side in (face.side,) if side_known else SIDES:
            tried = replace(face, side=side)
            alignment = self._aligned(tried)
            if best is None or alignment.confidence > best[1].confidence:
                best = tried, alignment
        assert best is not None
        face, alignment = best
        if not alignment.aligned:
            return None, alignment
        return self._refined(face, alignment), alignment

    def _aligned(self, face: Face) -> Alignment:
        # (Alignment loads OpenCV.)
        from dieindex.alignment.align import align_to

        return align_to(
            self._frames_of(face.side),
            [face],
            any_rotation=self._any_rotation,
            vectorise=self._encoder.encode,
        )[0]

    def _refined(self, face: Face, alignment: Alignment) -> PlacedPhoto:
        from dieindex.alignment.refinement import STEPS, refine_step, that_count

        frame, place = alignment.type, np.asarray(alignment.to_frame)
        vector = self._vector(face, frame, self._encoder.encode([face], [place])[0])
        on_frame = self._on_frame(face.side, frame)
        rows = self._index.faces(face.side)
        # (A reference may hold no pictures: what is left is where it was aligned.)
        told = self._index.reference
        without = told is not None and not told.pictures
        near = neighbours_of(np.vstack([rows.vectors[on_frame], vector[None]]), [len(on_frame)])
        if near and not without:
            around = [(int(rows.ids[on_frame[k]]), w) for k, w in that_count(near[len(on_frame)])]
            with Catalogue.open(self._index.folder) as catalogue:
                ids = [number for number, _ in around]
                faces = {
                    number: unpack_face(each)
                    for number, each in zip(ids, catalogue.packed_faces(ids), strict=True)
                }
                places: dict[int, Matrix] = dict(catalogue.places(ids))
            own = -1
            faces[own] = face
            mean = self._frames_of(face.side)[frame].mean()
            for step in range(STEPS):
                place = refine_step(step, faces, {**places, own: place}, {own: around}, mean)[own]
        return self._described(face, frame, place, alignment.confidence)

    def _described(
        self, face: Face, frame: int, place: Matrix, confidence: float = 1.0
    ) -> PlacedPhoto:
        described = self._encoder.describe([face], [place])
        return PlacedPhoto(
            face,
            frame,
            place,
            self._vector(face, frame, described.vectors[0]),
            quantised(described.descriptors, described.reliability),
            confidence,
        )

    def _vector(self, face: Face, frame: int, raw: Vectors) -> Vectors:
        others = self._competing(face.side, frame)
        radius = self._encoder.card.type_radius
        return raw if others is None else less_shared(raw, others, radius)

    def _competing(self, side: Side, frame: int) -> Vectors | None:
        if side not in self._competitors:
            with Catalogue.open(self._index.folder) as catalogue:
                self._competitors[side] = catalogue.competitors(side)
        return self._competitors[side].get(frame)

    def _frames_of(self, side: Side) -> list[Frame]:
        if side not in self._frames:
            with Catalogue.open(self._index.folder) as catalogue:
                self._frames[side] = catalogue.frames(side)
        return self._frames[side]

    @cached_property
    def _any_rotation(self) -> bool:
        with Catalogue.open(self._index.folder) as catalogue:
            return catalogue.meta("any_rotation") == "1"

    def _on_frame(self, side: Side, frame: int) -> Ints:
        """Rows of the faces on a frame."""
        rows = self._index.faces(side)
        return np.flatnonzero(rows.aligned & (rows.frame == frame))

    # ------------------------------------------------------ whose die it is

    def among_dies(self, photo: str, placed: PlacedPhoto, top: int, known_as: str | None) -> Found:
        """Which die a placed face is of; the coin ``known_as`` is left out."""
        side = placed.face.side
        asked, score = self._on_frame_scores(placed, known_as)
        if not len(asked):
            return Found(photo, side, None, reason=_NOTHING, known_as=known_as, seen=placed)
        told = self._told(photo, side, asked, score, top, known_as)
        return replace(told, seen=placed)

    def _on_frame_scores(self, placed: PlacedPhoto, known_as: str | None) -> tuple[Ints, Floats]:
        """The coins of its frame with which a face is compared, and what each says."""
        side = placed.face.side
        rows, dies = self._index.faces(side), self.dies(side)
        there = self._on_frame(side, placed.frame)
        there = there[[rows.coins[row] != known_as for row in there]]
        distance = unit_distance(rows.vectors[there] @ placed.vector)
        die = dies.labels[there]
        first = np.argsort(distance, kind="stable")[:_FIRST]
        asked, score = self._scores(placed, rows, there[first], distance[first])
        sure = _sure_die(dies.labels[asked], score, dies)
        others = _compared(distance, die) if sure is None else _nearest_of(sure, distance, die)
        others = others[~np.isin(others, first)]
        more = self._scores(placed, rows, there[others], distance[others])
        return np.concatenate([asked, more[0]]), np.concatenate([score, more[1]])

    def _told(
        self, photo: str, side: Side, asked: Ints, score: Floats, top: int, known_as: str | None
    ) -> Found:
        """What the coins ``asked`` (rows, ``(m,)``) say of a face, and their dies."""
        rows, dies = self._index.faces(side), self.dies(side)
        size = dies.size.copy()
        if known_as is not None and known_as in rows.coins:
            size[dies.labels[rows.coins.index(known_as)]] -= 1
        numbers, log_odds = odds_of_dies(score, dies.labels[asked], size, dies.kinds)
        probability, new = shares(log_odds)
        place = np.searchsorted(numbers, dies.labels[asked])
        best = np.full(len(numbers), -np.inf)
        np.maximum.at(best, place, score)
        likely = []
        # (Of dies that are equally unlikely that with the likest coin first.)
        for k in np.lexsort((-best, -probability))[:top].tolist():
            of_it = np.flatnonzero(place == k)
            nearest = asked[of_it[int(np.argmax(score[of_it]))]]
            label = int(numbers[k])
            likely.append(
                LikelyDie(
                    dies.names[label],
                    float(probability[k]),
                    rows.coins[int(nearest)],
                    int(size[label]),
                )
            )
        return Found(photo, side, new, tuple(likely), known_as=known_as)

    def _scores(
        self, placed: PlacedPhoto, rows: FaceRows, asked: Ints, distance: Floats
    ) -> tuple[Ints, Floats]:
        """The rows ``asked`` with which enough is in common to tell, and what each says."""
        with DetailStore.open(self._index.folder) as store:
            cells = [store.cells_of(int(rows.ids[row])) for row in asked.tolist()]
        there = [k for k, each in enumerate(cells) if each is not None]
        if not there:
            return asked[:0], np.zeros(0)
        others = unpacked([cells[k] or b"" for k in there], *self._verification.shape)
        own = placed.described
        count = len(there)
        logit, shared = self._verification.scorer.score(
            DenseDescriptors(
                np.repeat(own.descriptors, count, axis=0), np.repeat(own.reliability, count, axis=0)
            ),
            others,
            fill=False,
        )
        fusion = self._verification.fusion
        told = shared >= fusion.least_shared
        score = fusion.score(distance[there], logit)
        return asked[there][told], np.asarray(score[told])

    def use_dies(self, side: Side, names: Sequence[str], kinds: TwoKinds) -> None:
        """Take these for the dies of the side's coins, in the order of its faces."""
        self._dies[side] = dies_of(names, kinds)

    def dies(self, side: Side) -> KnownDies:
        """The dies of a side as they are kept now (another may have clustered since); found, where
        some coin has none yet."""
        if side in self._dies:
            return self._dies[side]
        kept = self._kept_dies(side)
        if kept is not None:
            return kept
        self._dies[side] = self._found_dies(side)
        return self._dies[side]

    def _kept_dies(self, side: Side) -> KnownDies | None:
        coins = self._index.faces(side).coins
        with ReviewStore.open(self._index.folder) as kept:
            known = die_numbers(kept, side)
        with Catalogue.open(self._index.folder) as catalogue:
            kinds = catalogue.kinds(side)
        if kinds is None or any(coin not in known.numbers for coin in coins):
            return None
        return dies_of(
            [die_name(known.numbers[coin], side, known.adopted) for coin in coins],
            from_json(kinds) or ANY_COLLECTION,
        )

    def _found_dies(self, side: Side) -> KnownDies:
        found = self._find_dies(side)
        name = dict(zip(found.coins, found.names, strict=True))
        kinds = found.graph.kinds
        return dies_of([name[coin] for coin in self._index.faces(side).coins], kinds)


def _of_known(found: Found) -> float:
    """How likely it is of a die that the index has; less than nothing where that is not told."""
    return -1.0 if found.new_die is None else 1.0 - found.new_die


def _better(asked: Ints, score: Floats, on: CoinsItLiesOn) -> tuple[Ints, Floats]:
    """Of each coin the better of two scores: on its frame, and where the face lies on it."""
    known = dict(zip(asked.tolist(), score.tolist(), strict=True))
    for row, other in zip(on.rows.tolist(), on.score.tolist(), strict=True):
        known[row] = max(known.get(row, other), other)
    return np.array(list(known), np.int64), np.array(list(known.values()), np.float64)


def _why(alignment: Alignment) -> str:
    """Why a face lies on no frame."""
    from dieindex.alignment.align import NO_FIT

    return _NO_TYPE if alignment.reason in (None, NO_FIT) else str(alignment.reason)


def dies_of(names: Sequence[str], kinds: TwoKinds) -> KnownDies:
    each, labels = np.unique(np.array(names, object).astype(str), return_inverse=True)
    return KnownDies(labels, each.tolist(), np.bincount(labels), kinds)


def _compared(distance: Floats, die: Ints) -> Ints:
    """Positions of the coins that are compared, nearest first: the nearest, and those of the dies
    of the very nearest."""
    order = np.argsort(distance, kind="stable")
    kept = set(order[:NEAREST].tolist())
    for near in set(die[order[:_DIES]].tolist()):
        kept.update(_nearest_of(near, distance, die).tolist())
    return np.array([k for k in order.tolist() if k in kept], np.int64)


def _nearest_of(one: int, distance: Floats, die: Ints) -> Ints:
    """Positions of the coins of one die that are compared, nearest first."""
    own = np.flatnonzero(die == one)
    return np.asarray(own[np.argsort(distance[own], kind="stable")[:_OF_ONE_DIE]])


def _sure_die(die: Ints, score: Floats, dies: KnownDies) -> int | None:
    """The die of which a face surely is by what some coins say; None where there is none."""
    if not len(die):
        return None
    numbers, log_odds = odds_of_dies(score, die, dies.size, dies.kinds)
    probability, _ = shares(log_odds)
    best = int(np.argmax(probability))
    return int(numbers[best]) if probability[best] >= _SURE else None


def picture_of_found(found: Found) -> bytes | None:
    """The face that was looked up, as it lies on its frame: JPEG; None where it lies on none."""
    if found.seen is None:
        return None
    return drawn_face(found.seen.face, np.asarray(found.seen.place, np.float64))


def draw_found(
    index: IndexReader,
    found: Sequence[Found],
    path: PathLike,
    *,
    force: bool = False,
) -> None:
    """Draw a photograph beside its three likeliest dies, a row a die: the coin of it that is most
    like, one on the other, what differs, and where details agree.

    Raises UsageError where nothing is to be shown, for a suffix that is no picture's, and for a
    file that dieindex did not write, unless ``force`` says to replace it.
    """
    place = checked_path(path, "path")
    if index.reference is not None and not index.reference.pictures:
        raise UsageError(f"{index.folder}: is a reference without pictures; nothing can be drawn.")
    rows: list[tuple[str, str, Shown, str]] = []
    for one in found:
        seen = one.seen
        if seen is None:
            continue
        for die in one.dies[:_DRAWN]:
            other = view_of(index, die.nearest, None).faces[seen.face.side]
            described = other.descriptors()
            agreement = None
            if index.verification is not None and described is not None:
                agreement = index.verification.agreement(seen.described, described)
            shown = Shown(
                None, on_frame(seen.face, seen.place), other.rendered(), agreement, other.unaligned
            )
            told = (
                f"{seen.face.side}: {die.die}   probability {die.probability:.2f}; "
                f"{counted(die.coins, 'coin')}, nearest {die.nearest}; "
                f"a new die {one.new_die or 0.0:.2f}"
            )
            rows.append((one.photo, die.nearest, shown, told))
    sources = index.sources.with_files(*(Path(one.photo) for one in found))
    draw_rows(rows, place, force=force, sources=sources)
