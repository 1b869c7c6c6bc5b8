"""A built index, open for questions."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.api.comparison import (
    SeenFace,
    View,
    content_of,
    cut_faces_of,
    details_of,
    drawn,
    encoder_for,
    judged,
)
from dieindex.api.results import Comparison, Dies, Pairs, read_labels
from dieindex.errors import CollectionError, IndexFolderError, SheetError, UsageError
from dieindex.records import SIDES, Face, PathLike, Progress, Review, Side

if TYPE_CHECKING:
    from dieindex.api.verification import Verification
    from dieindex.calibration.distance import Calibration
    from dieindex.encoder.dense import DenseDescriptors
    from dieindex.indexing.run import BuildReport
    from dieindex.storage.catalogue import Catalogue, FaceRows
    from dieindex.study.analysis import Study

_log = logging.getLogger(__name__)


class Index:
    """A built index, open for questions.

    What verification finds of pairs is kept in it; nothing else is written.
    """

    def __init__(self, folder: PathLike) -> None:
        from dieindex.calibration.distance import Calibration
        from dieindex.storage.catalogue import Catalogue

        self.folder = Path(folder)
        self.report: BuildReport | None = None
        """What ``build`` found, where this index was just built."""
        with Catalogue.open(self.folder) as catalogue:
            self.encoder_version = catalogue.meta("encoder")
            self.complete = catalogue.meta("generation") is not None
            self.data = catalogue.meta("data")
            self.built = catalogue.meta("built")
            calibration = catalogue.meta("calibration")
        if calibration is None:
            raise IndexFolderError(f"{self.folder}: holds nothing yet; run `dieindex.build(DATA)`.")
        self.calibration = Calibration.from_json(calibration)
        """What a distance means to the encoder at large."""
        self._rows: dict[Side, FaceRows] = {}
        self._adapted: dict[Side, Calibration] = {}

    @property
    def unverified(self) -> str | None:
        """Why pairs of this index cannot be looked at in detail; None where they can."""
        if self._verification is not None:
            return None
        return (
            f"{self.folder} was built with encoder {self.encoder_version}, which is not here or "
            "cannot verify: pairs are judged by their vectors alone; "
            "run `dieindex.build(DATA, reencode=True)`."
        )

    def __repr__(self) -> str:
        return f"Index({str(self.folder)!r})"

    # what is in it

    def faces(self, side: Side) -> FaceRows:
        """The best face of each coin on one side."""
        from dieindex.storage.catalogue import Catalogue
        from dieindex.verification.score_pairs import best_of_each_coin

        if side not in self._rows:
            with Catalogue.open(self.folder) as catalogue:
                self._rows[side] = best_of_each_coin(catalogue.face_rows(side))
        return self._rows[side]

    def calibration_of(self, side: Side) -> Calibration:
        """What a distance means among the faces of one side: the encoder's calibration, adapted to
        how this collection's faces lie; labels have no part in it."""
        from dieindex.calibration.distance_adaptation import adapted

        if side not in self._adapted:
            rows = self.faces(side)
            frame = np.where(rows.aligned, rows.frame, -1)
            self._adapted[side] = adapted(self.calibration, rows.vectors, frame)
        return self._adapted[side]

    def coin_of_file(self) -> dict[str, str]:
        """The coin that each present photograph shows."""
        from dieindex.storage.catalogue import Catalogue

        with Catalogue.open(self.folder) as catalogue:
            rows = catalogue.photographs()
        return {file: row.coin for file, row in rows.items() if row.state != "absent"}

    def labels(self, side: Side) -> dict[str, str]:
        """The sheet's dies by coin, as read by the last build."""
        from dieindex.storage.catalogue import Catalogue

        with Catalogue.open(self.folder) as catalogue:
            return {
                coin: known.dies[side]
                for coin, known in catalogue.coins().items()
                if side in known.dies
            }

    def info(self) -> dict[str, Any]:
        """What the index holds, as plain values."""
        from dieindex.storage.catalogue import Catalogue
        from dieindex.verification.candidates import shortlist_radius

        threshold = self.calibration.threshold

        with Catalogue.open(self.folder) as catalogue:
            counts = catalogue.counts()
            turning = catalogue.meta("any_rotation") == "1"
            frames = {side: catalogue.frame_count(side) for side in SIDES}
            unaligned = {side: catalogue.unaligned_reasons(side) for side in SIDES}
            aligned = {side: catalogue.aligned_count(side) for side in SIDES}
            skipped = [
                {"file": row.file, "reason": row.reason}
                for row in catalogue.photographs().values()
                if row.state == "skipped"
            ]
        return {
            "index": str(self.folder),
            "data": self.data,
            "built": self.built,
            "complete": self.complete,
            "encoder": self.encoder_version,
            "threshold": threshold,
            "shortlist_radius": shortlist_radius(threshold),
            "coins": counts["coins"],
            "faces": {side: counts[side] for side in SIDES},
            "unsure_faces": counts["unsure"],
            "aligned": aligned,
            "unaligned": unaligned,
            "frames": frames,
            "any_rotation": turning,
            "photographs": counts["done"],
            "absent": counts["absent"],
            "skipped": skipped,
            "labelled": {side: len(self.labels(side)) for side in SIDES},
        }

    # questions

    def compare(self, a: str, b: str, side: Side | None = None) -> Comparison:
        """Whether two coins of this index share a die; either may also be a picture file."""
        from dieindex.api.reviews import with_reviews

        first, second = self._view(a, side), self._view(b, side)
        found = judged(a, b, first, second, self.calibration_of, side, self._verification)
        return with_reviews(self.folder, found, (first.coin, second.coin))

    def pairs(
        self,
        side: Side,
        *,
        verify: bool = True,
        calibrate_on: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> Pairs:
        """All shortlisted pairs of one side; the prior is estimated from the collection.

        With ``verify`` the dense descriptors of every pair are compared that were not compared
        before, and what is found is kept in the index; ``progress`` is called with the side, the
        pairs done and those due. In a collection too large for all pairs, those that were scored
        when it was smaller stay. How they are judged: ``calibration/judge_pairs.py``.
        ``calibrate_on`` maps coins to known dies: then what a distance means is fitted anew on
        them, cross-fitted over dies, so that no pair is judged by what its own dies taught. Raises
        RefitError where they are too few.
        """
        from dieindex.calibration.judge_pairs import judge_pairs
        from dieindex.verification.candidates import shortlist_radius
        from dieindex.verification.score_pairs import score_pairs, stored_candidates, vectors_of

        rows = self.faces(side)
        faces = vectors_of(rows)
        verification = self._verification if verify else None
        radius = shortlist_radius(self.calibration.threshold)
        candidates = stored_candidates(
            self.folder, side, faces, radius, verify=verification is not None
        )
        scores = fusion = None
        if verification is not None:
            fusion = verification.fusion
            scores = score_pairs(
                self.folder,
                side,
                faces,
                candidates,
                lambda: verification.scorer,
                shape=verification.shape,
                progress=progress,
            )
        dies = None
        if calibrate_on is not None:
            dies = [calibrate_on.get(coin) for coin in rows.coins]
        judged = judge_pairs(
            candidates, scores, faces, calibration=self.calibration, fusion=fusion, labels=dies
        )
        return Pairs(side, rows.coins, judged)

    def cluster(
        self,
        side: Side,
        *,
        verify: bool = True,
        calibrate: bool = False,
        trust_sheet: bool = False,
        other_side: bool = False,
        keep: bool = False,
        adopt_names: bool = False,
        progress: Progress | None = None,
    ) -> Dies:
        """The collection's putative dies of one side; every coin is in exactly one.

        ``verify`` looks at the details of pairs (see ``pairs``); without it the vectors decide
        alone. ``calibrate`` fits the calibration anew on the sheet, cross-fitted over dies (see
        ``pairs``). Raises RefitError where the sheet knows too few dies for that. The other options
        are those of ``sorting.Sorting``; with ``other_side`` the dies of the other side have a say.
        """
        from dieindex.api.clustering import Sorting, sort_pairs

        known = self.labels(side) if calibrate else None
        pairs = self.pairs(side, verify=verify, calibrate_on=known, progress=progress)
        beside = None
        if other_side:
            other = self.cluster(SIDES[side == SIDES[0]], verify=verify)
            assert other.found is not None
            die = dict(zip(other.coins, other.found.tolist(), strict=True))
            beside = np.array([die.get(coin, -1) for coin in pairs.coins], np.int64)
        how = Sorting(True, trust_sheet, beside, keep, adopt_names)
        return sort_pairs(self, pairs, how)

    def evaluate(
        self,
        labels: PathLike | None = None,
        *,
        verify: bool = True,
        calibrate: bool = False,
        progress: Progress | None = None,
    ) -> dict[Side, dict[str, Any] | None]:
        """Scores of pairs and dies against the sheet, a side each; None for a side without labels.

        With ``calibrate`` scores come from a calibration cross-fitted over the labelled dies; where
        they are too few on a side, from the encoder's own. ``calibrated`` says which. ``verify``
        and ``progress`` as in ``pairs``. Raises SheetError where there are no labels at all.
        """
        given = None if labels is None else read_labels(Path(labels), self.coin_of_file())
        found: dict[Side, dict[str, Any] | None] = {}
        for side in SIDES:
            coins = self.faces(side).coins
            true = self.labels(side) if given is None else given[side]
            known = {coin: true[coin] for coin in coins if coin in true}
            if known:
                found[side] = self._evaluate_side(side, known, calibrate, verify, progress)
            else:
                found[side] = None
        if not any(found.values()):
            raise SheetError(
                "No coin of this index has a die in a sheet: put a sheet with rows such as "
                "`1 O1 R1` beside the pictures and build again, or name one with labels=FILE."
            )
        return found

    def _evaluate_side(
        self,
        side: Side,
        true: Mapping[str, str],
        calibrate: bool,
        verify: bool,
        progress: Progress | None,
    ) -> dict[str, Any] | None:
        from dieindex.api.clustering import Sorting, sort_pairs
        from dieindex.errors import RefitError
        from dieindex.evaluation.scores import evaluate_side

        try:
            known = true if calibrate else None
            pairs = self.pairs(side, verify=verify, calibrate_on=known, progress=progress)
        except RefitError:
            calibrate = False
            pairs = self.pairs(side, verify=verify, progress=progress)
        dies = sort_pairs(self, pairs, Sorting(reviews=False))
        scores = evaluate_side(
            coins=list(pairs.coins),
            found=dict(zip(dies.coins, dies.names, strict=True)),
            labels=true,
            first=pairs.table.first,
            second=pairs.table.second,
            probability=pairs.probability,
        )
        return None if scores is None else {**scores, "calibrated": calibrate}

    def study(
        self,
        out: PathLike,
        *,
        table: PathLike | None = None,
        title: str | None = None,
        author: str = "",
        coins_per_die: int | None = None,
        verify: bool = True,
        progress: Progress | None = None,
    ) -> Study:
        """Write the die study of this index into the folder ``out``.

        The dies are those that ``cluster`` finds, or those of a ``table`` of the same coins; the
        pictures are the index's. ``coins_per_die`` is what a die is assumed to have struck.
        ``progress`` is called with the step (a side that is verified, or ``study``), done, due.
        Raises UsageError where ``out`` lies in the collection.
        """
        from dieindex.api.studying import material_of
        from dieindex.study.analysis import COINS_PER_DIE, analyse
        from dieindex.study.folder import write_study

        if self.data and Path(out).resolve().is_relative_to(Path(self.data).resolve()):
            # Its plates would be taken for photographs by the next build.
            raise UsageError(f"out={out}: lies in the collection {self.data}; choose another.")
        sheet = None if table is None else Path(table)
        material = material_of(self, sheet, title, author, verify=verify, progress=progress)
        found = analyse(material, coins_per_die or COINS_PER_DIE)
        write_study(found, Path(out), progress)
        return found

    # what persons say

    def review(
        self,
        a: str,
        b: str,
        verdict: str,
        *,
        side: Side,
        by: str | None = None,
        note: str = "",
    ) -> Review:
        """Keep a person's verdict on two coins: "same", "different" or "unsure".

        It outranks the machine. Nothing is ever deleted: the latest verdict on a pair counts, and
        "unsure" takes an earlier one back. ``by`` is by default ``$DIEINDEX_REVIEWER``, else the
        name at the login. Raises CollectionError for an unknown coin, UsageError for a coin with
        itself or a verdict that is none.
        """
        from dieindex.api.reviews import add_review

        given = add_review(self.folder, self.find_coin, a, b, verdict, side=side, by=by, note=note)
        for coin in (given.coin_a, given.coin_b):
            if coin not in self.faces(side).coins:
                _log.warning(
                    "%s shows no %s in this index; the verdict is kept all the same.", coin, side
                )
        return given

    def reviews(self, side: Side | None = None) -> list[Review]:
        """Every verdict that persons ever gave, the earliest first."""
        from dieindex.api.reviews import reviews

        return reviews(self.folder, side)

    def import_reviews(self, table: PathLike, *, by: str | None = None) -> list[Review]:
        """Keep a table's verdicts, all or none; gives those that were not kept already.

        ``by`` is the author of rows that name none. Raises SheetError naming the row that cannot be
        understood.
        """
        from dieindex.api.reviews import import_reviews

        return import_reviews(self.folder, self.find_coin, table, by=by)

    @cached_property
    def _verification(self) -> Verification | None:
        from dieindex.api.verification import Verification

        return Verification.of_index(self.folder, self.encoder_version)

    def _view(self, name: str, side: Side | None) -> View:
        """What is known of a coin, by side: from the catalogue, or from a picture file."""
        from dieindex.storage.catalogue import Catalogue

        coin = self._coin_called(name)
        if coin is not None:
            return View(self._seen({each: self.faces(each) for each in SIDES}, coin=coin), coin)
        path = Path(name)
        if not path.is_file():
            coins = [coin for each in SIDES for coin in self.faces(each).coins]
            raise CollectionError(_unknown_coin(name, coins, self.folder))
        content = content_of(path)
        with Catalogue.open(self.folder) as catalogue:
            known = catalogue.photograph_of_content(content)
            if known is not None:
                rows = {each: catalogue.face_rows(each) for each in SIDES}
                return View(self._seen(rows, file=known.file), known.coin, content)
            return View(self._lay(path, side, catalogue), None, content)

    def _seen(
        self, rows: Mapping[Side, FaceRows], *, coin: str | None = None, file: str | None = None
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
                    lambda face=face: self._drawn(face),  # type: ignore[misc]
                    int(each.frame[position]),
                    lambda face=face: self._details(face),  # type: ignore[misc]
                )
        return found

    def _lay(self, path: Path, side: Side | None, catalogue: Catalogue) -> dict[Side, SeenFace]:
        """The faces of a picture file, laid on the index's frames."""
        from dieindex.alignment.align import align_to
        from dieindex.encoder.competition import less_shared
        from dieindex.indexing.encode import competitors

        encoder = encoder_for(self.folder, self.encoder_version)
        turning = catalogue.meta("any_rotation") == "1"
        found: dict[Side, SeenFace] = {}
        for face in cut_faces_of(path, side):
            frames = catalogue.frames(face.side)
            alignment = align_to(frames, [face], any_rotation=turning)[0]
            place = alignment.to_frame if alignment.aligned else None
            described = encoder.describe([face], [place])
            vector = described.vectors[0]
            on_frame = competitors(catalogue, face.side).get(alignment.type)
            if on_frame is not None:
                vector = less_shared(vector, on_frame, encoder.card.type_radius)
            found[face.side] = SeenFace(
                vector,
                None if alignment.aligned else alignment.reason,
                lambda face=face, place=place: drawn(face, place),  # type: ignore[misc]
                alignment.type,
                lambda described=described: details_of(described, 0),  # type: ignore[misc]
            )
        return found

    def find_coin(self, name: str) -> str:
        """The coin of this id, or of this number; raises CollectionError where there is none."""
        coin = self._coin_called(name)
        if coin is None:
            coins = [coin for each in SIDES for coin in self.faces(each).coins]
            raise CollectionError(_unknown_coin(name, coins, self.folder))
        return coin

    def _coin_called(self, name: str) -> str | None:
        """The coin of this id, or the only one of this number (``1`` for ``001``)."""
        from dieindex.collection.names import number_form

        coins = list(dict.fromkeys(coin for side in SIDES for coin in self.faces(side).coins))
        if name in coins:
            return name
        alike = [coin for coin in coins if number_form(coin) == number_form(name)]
        return alike[0] if len(alike) == 1 else None

    def _details(self, number: int) -> DenseDescriptors | None:
        """What verification sees of a face; None where the index does not know."""
        from dieindex.encoder.dense import unpacked
        from dieindex.storage.details import DetailStore

        with DetailStore.open(self.folder) as store:
            kept = store.cells_of(number)
        if kept is None or self._verification is None:
            return None
        return unpacked([kept], *self._verification.shape)

    def _drawn(self, number: int) -> Face:
        """A face of this index, drawn on its frame."""
        from dieindex.storage.catalogue import Catalogue
        from dieindex.storage.face_codec import unpack_face

        with Catalogue.open(self.folder) as catalogue:
            (packed,) = catalogue.packed_faces([number])
            return drawn(unpack_face(packed), catalogue.place_of(number))


def _unknown_coin(name: str, coins: Sequence[str], folder: Path) -> str:
    near = difflib.get_close_matches(name, list(dict.fromkeys(coins)), n=3)
    hint = (
        f"; did you mean {', '.join(near)}?" if near else "; `dieindex info` tells what is in it."
    )
    return f"{name}: neither a coin of {folder} nor a picture file{hint}"


def open_index(folder: PathLike | None = None) -> Index:
    """Open an index: the one named, ``$DIEINDEX_INDEX``, or the last built below ``./indexes``."""
    return Index(find_index(folder)[0])


def find_index(
    folder: PathLike | None = None, *, reviews_suffice: bool = False
) -> tuple[Path, str | None]:
    """The folder that ``open_index`` opens, and a note on how it was chosen (None: it was named).

    With ``reviews_suffice`` a folder in which persons' work alone is left will do.
    """
    from dieindex.storage.folder import find_index_folder

    given = None if folder is None else Path(folder)
    return find_index_folder(given, reviews_suffice=reviews_suffice)
