"""Which die of an index struck a coin that is not in it: ``Index.find``.

A photograph is cut, laid on the frames of the index, refined and encoded as a build would do it;
then it is compared with the nearest coins of the nearest dies, and with more where none is sure.
The index is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dieindex.api.arguments import checked_count, checked_path, side_or_none
from dieindex.api.cutting import content_of, cut_faces_of
from dieindex.api.face_pictures import drawn_face
from dieindex.api.moved_photo import CoinsItLiesOn, FeaturesOfSide, lies_on_coins
from dieindex.api.placed_photo import PlacedPhoto, Placer
from dieindex.api.reader import IndexReader
from dieindex.api.seen import on_frame
from dieindex.api.views import view_of
from dieindex.calibration.two_kinds import ANY_COLLECTION, TwoKinds, from_json
from dieindex.clustering.known_dies import odds_of_dies, shares
from dieindex.clustering.numbering import die_name
from dieindex.elsewhere import one_thread_each
from dieindex.encoder.dense import DenseDescriptors, unpacked
from dieindex.errors import IndexFolderError, PictureError, UsageError
from dieindex.numeric import unit_distance
from dieindex.records import SIDES, Face, Floats, Ints, PathLike, Side, Vectors
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.details import DetailStore
from dieindex.storage.die_numbers import die_numbers
from dieindex.storage.reviews import ReviewStore
from dieindex.text import counted
from dieindex.verification.evidence_picture import Shown, draw_rows
from dieindex.workers import side_by_side

if TYPE_CHECKING:
    from dieindex.alignment.result import Alignment
    from dieindex.api.dies import Dies

_FIRST, _SURE = 3, 0.99
"""Of so many dies the nearest coin is compared first; where one die is as likely as this by them,
no more but its own."""
_OF_SURE_DIE = 4
"""Coins of such a die, the nearest, that are compared at most."""
NEAREST = 24
"""Coins of its frame, the nearest, that a new one is compared with where no die is sure."""
_POSSIBLE = 0.01
"""How likely a die must be by those, that more of its coins are compared."""
_OF_ONE_DIE = 8
"""Coins of such a die, the nearest, that are compared at most."""
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
    """An index asked for many photographs, one at a time: what it needs of it is read once."""

    def __init__(self, index: IndexReader, find_dies: Callable[[Side], Dies]) -> None:
        """``find_dies`` finds the dies of a side where some coin has none yet."""
        if index.verification is None:
            raise IndexFolderError(str(index.unverified))
        index.check_whole()
        self._index, self._find_dies = index, find_dies
        self._verification = index.verification
        # (Loaded here: two sides ask for it at one time.)
        _ = self._verification.scorer
        self._placer = Placer(index, self._verification.encoder)
        self._dies: dict[Side, KnownDies] = {}
        self._kept: dict[Side, KnownDies] = {}
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
        self._kept.clear()
        if len(faces) == 1:
            # (Then the libraries may use all cores.)
            (face,) = faces
            placed, alignment = self._placer.placed(face, side_known=side_known)
            return [self._found(str(path), face, placed, alignment, side_known, top, known)]
        with one_thread_each(), side_by_side() as pool:
            there = list(pool.map(partial(self._placer.placed, side_known=True), faces))
            for face in faces:
                # (Here, as finding them has workers of its own.)
                self.dies(face.side)
            asked = [
                pool.submit(self._found, str(path), face, *each, side_known, top, known)
                for face, each in zip(faces, there, strict=True)
            ]
            return [each.result() for each in asked]

    def _found(
        self,
        photo: str,
        face: Face,
        placed: PlacedPhoto | None,
        alignment: Alignment,
        side_known: bool,
        top: int,
        known_as: str | None,
    ) -> Found:
        if placed is not None:
            return self.found(photo, placed, top, known_as)
        told = face.side if side_known else None
        nowhere = Found(photo, told, None, reason=_why(alignment))
        sides = (face.side,) if side_known else SIDES
        on_coins = (
            self._on_coins(photo, replace(face, side=side), top, known_as) for side in sides
        )
        return max((one for one in on_coins if one), key=_of_known, default=nowhere)

    def found(self, photo: str, placed: PlacedPhoto, top: int, known_as: str | None) -> Found:
        """Which die a placed face is of; where it seems of none, it is aligned to single coins,
        too, and of each the better score counts."""
        asked, score = self._on_frame_scores(placed, known_as)
        told = self._among(photo, placed, asked, score, top, known_as)
        if _of_known(told) >= _LIKELY:
            return told
        on = self._lies_on(placed.face, placed, known_as)
        if on is None:
            return told
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
        def competitors(frame: int) -> Vectors | None:
            return self._placer.competing(face.side, frame)

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
        return self._placer.described(face, on.frame, on.place)

    def _known(self, path: Path) -> str | None:
        with Catalogue.open(self._index.folder) as catalogue:
            same = catalogue.photograph_of_content(content_of(path))
        return None if same is None else self._index.leading.get(same.coin, same.coin)

    # ------------------------------------------------------ whose die it is

    def _among(
        self,
        photo: str,
        placed: PlacedPhoto,
        asked: Ints,
        score: Floats,
        top: int,
        known_as: str | None,
    ) -> Found:
        """Which die a placed face is of, by what the coins ``asked`` on its frame say."""
        side = placed.face.side
        if not len(asked):
            return Found(photo, side, None, reason=_NOTHING, known_as=known_as, seen=placed)
        told = self._told(photo, side, asked, score, top, known_as)
        return replace(told, seen=placed)

    def _on_frame_scores(self, placed: PlacedPhoto, known_as: str | None) -> tuple[Ints, Floats]:
        """The coins of its frame with which a face is compared, and what each says."""
        side = placed.face.side
        rows, dies = self._index.faces(side), self.dies(side)
        there = self._placer.rows_on_frame(side, placed.frame)
        there = there[[rows.coins[row] != known_as for row in there]]
        distance = unit_distance(rows.vectors[there] @ placed.vector)
        there = there[np.argsort(distance, kind="stable")]
        distance, die = np.sort(distance, kind="stable"), dies.labels[there]
        compared = np.zeros(len(there), bool)
        asked, score = there[:0], np.zeros(0)

        def compare(positions: Ints) -> None:
            nonlocal asked, score
            due = positions[~compared[positions]]
            compared[due] = True
            more = self._scores(placed, rows, there[due], distance[due])
            asked, score = np.concatenate([asked, more[0]]), np.concatenate([score, more[1]])

        compare(_nearest_of_each(die)[:_FIRST])
        sure = _dies_from(_SURE, dies.labels[asked], score, dies)
        if len(sure):
            compare(np.flatnonzero(die == sure[0])[:_OF_SURE_DIE])
            if len(_dies_from(_SURE, dies.labels[asked], score, dies)):
                return asked, score
        compare(np.arange(min(NEAREST, len(there))))
        for one in _dies_from(_POSSIBLE, dies.labels[asked], score, dies):
            compare(np.flatnonzero(die == one)[:_OF_ONE_DIE])
        return asked, score

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
        """The dies of a side as they were kept when the photograph in hand was asked for (another
        may have clustered since); found, where some coin has none yet."""
        if side in self._dies:
            return self._dies[side]
        kept = self._kept.get(side) or self._kept_dies(side)
        if kept is None:
            self._dies[side] = self._found_dies(side)
            return self._dies[side]
        self._kept[side] = kept
        return kept

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


def _nearest_of_each(die: Ints) -> Ints:
    """Where each die stands first, in their order."""
    return np.sort(np.unique(die, return_index=True)[1])


def _dies_from(least: float, die: Ints, score: Floats, dies: KnownDies) -> Ints:
    """The dies of which a face is at least as likely as this by what some coins say."""
    if not len(die):
        return die
    numbers, log_odds = odds_of_dies(score, die, dies.size, dies.kinds)
    probability, _ = shares(log_odds)
    return np.asarray(numbers[probability >= least])


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
