"""A built index, open for questions."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.api import evaluating, review_records
from dieindex.api.aligned_views import on_each_other
from dieindex.api.arguments import (
    Coin,
    checked_count,
    checked_path,
    checked_share,
    checked_side,
    engine_or_none,
    known_dies,
    name_of,
    path_or_none,
    side_or_none,
)
from dieindex.api.clustering import cluster_pairs
from dieindex.api.comparison import Comparison
from dieindex.api.dies import Dies
from dieindex.api.finding import Finder, Found, draw_found
from dieindex.api.giving import Given, export_reference
from dieindex.api.judging import pairs_of
from dieindex.api.notebook import Content, table
from dieindex.api.pairs import Pairs
from dieindex.api.reader import IndexReader
from dieindex.api.specimens import OneSpecimen, specimens_of
from dieindex.api.studying import check_out, check_picture, draw_spreads, study_index
from dieindex.api.verdicts import judged
from dieindex.api.views import view_of
from dieindex.collection.sheets.options import Columns, sheet_options
from dieindex.records import SIDES, PathLike, Progress, Review, Side
from dieindex.records import other_side as opposite
from dieindex.storage.folder import find_index_folder
from dieindex.text import counted
from dieindex.verification.score_pairs import can_score, vectors_of

if TYPE_CHECKING:
    from dieindex.study.analysis import Study

_log = logging.getLogger(__name__)


class Index(IndexReader):
    """A built index, open for questions.

    What verification finds of pairs is kept in it; nothing else is written but what ``review``,
    ``import_reviews`` and ``cluster(keep=True)`` are told to.
    """

    _finder: Finder | None = None

    def compare(
        self, a: Coin | PathLike, b: Coin | PathLike, side: Side | None = None
    ) -> Comparison:
        """Whether two coins of this index share a die; either may also be a picture file.

        A coin is given by its id, or its number (``49`` for ``049``); ``side`` compares one side
        only, and is the side of a picture that shows a single one. Raises CollectionError for an
        unknown coin, PictureError for a file that cannot be used.
        """
        side = side_or_none(side)
        seen = view_of(self, a, side), view_of(self, b, side)
        first, second, scored = on_each_other(self, *seen)
        names = name_of(a), name_of(b)
        found = judged(
            *names,
            first,
            second,
            self.calibration.threshold,
            self.calibration_of,
            side,
            self.verification,
            self.kinds_of,
            scored=scored,
        )
        files = [
            Path(name) for name, seen in zip(names, (first, second), strict=True) if seen.content
        ]
        found = replace(found, sources=self.sources.with_files(*files))
        return review_records.with_reviews(self.said(), found, (first.coin, second.coin))

    def find(
        self,
        photo: PathLike,
        side: Side | None = None,
        *,
        top: int = 5,
        progress: Progress | None = None,
    ) -> list[Found]:
        """Which die of this index struck the coin of a photograph that is not in it, or a new one;
        an entry for each side that it shows. The index is not changed.

        ``side`` is that of a picture which shows a single one (tried on both where not said),
        ``top`` how many dies are named at most. Dies are those that ``cluster`` last kept; where a
        coin has none yet they are found first, of which ``progress`` is told as in ``pairs``. A
        photograph of a type that the index has not says so. Raises PictureError for a file that
        cannot be used, IndexFolderError for an index whose pairs cannot be compared in detail.
        """
        if self._finder is None or self.has_changed():
            self._finder = Finder(self, lambda each: self.cluster(each, progress=progress))
        return self._finder.find(photo, side, top)

    def export_reference(
        self,
        out: PathLike,
        *,
        coins_per_die: int = 3,
        pictures: bool = False,
        title: str = "",
        citation: str = "",
        licence: str = "",
        progress: Progress | None = None,
    ) -> Given:
        """Write a reference into the new folder ``out``, to be given away: a small index with
        ``coins_per_die`` coins of each die at most, in which ``find`` looks coins up. The dies are
        those that ``cluster`` finds, by the names they have.

        Photographs are known by name and digest; with ``pictures`` the faces' pictures go along.
        ``title``, ``citation`` and ``licence`` stand in it. Raises UsageError where ``out`` is
        there already.
        """
        self.check_whole()
        dies = {side: self.cluster(side, keep=True, progress=progress) for side in SIDES}
        return export_reference(
            self,
            dies,
            out,
            coins_per_die=coins_per_die,
            pictures=pictures,
            title=title,
            citation=citation,
            licence=licence,
        )

    def draw_found(self, found: Sequence[Found], path: PathLike, *, force: bool = False) -> None:
        """Draw what ``find`` found, beside the three likeliest dies of each side; see
        ``finding.draw_found``."""
        draw_found(self, found, path, force=force)

    def specimens(
        self, *, least: float = 0.5, progress: Progress | None = None
    ) -> list[OneSpecimen]:
        """Photographs that may show one and the same coin that counts as two, the likeliest first:
        the same picture, the same altered, or the coin photographed anew.

        ``least`` is the least probability, 0…1. Nothing is taken for one coin by itself: say it
        with ``one_coin``. Pairs that were not compared yet are first, as in ``pairs``.
        """
        checked_share(least, "least")
        self.check_idle()
        return specimens_of(
            self, {side: self.cluster(side, progress=progress) for side in SIDES}, least
        )

    def pairs(
        self,
        side: Side,
        *,
        verify: bool = True,
        calibrate_on: Mapping[Any, Any] | None = None,
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> Pairs:
        """All candidate pairs of one side; the prior is estimated from the collection.

        With ``verify`` the dense descriptors of each coin and those nearest to it are compared (of
        small collections all), and what is found is kept in the index; ``progress`` is called with
        the side, the pairs done and those due. In a collection too large for all pairs to be
        listed, those that were scored when it was smaller stay listed. How they are judged:
        ``calibration/judge_pairs.py``. Where ``engine`` names a cluster
        (``dask://host:port``), or the index was opened with one, its workers compare them.
        ``calibrate_on`` maps coins to known dies: then what a distance means is fitted anew on
        them, cross-fitted over dies, so that no pair is judged by what its own dies taught. Raises
        RefitError where they are too few, CollectionError for an id that none of the coins has.
        """
        checked_side(side)
        self.check_idle()
        known = None
        if calibrate_on is not None:
            coins = [*self.coins, *self.coin_of_file().values()]
            known = known_dies(calibrate_on, coins, "calibrate_on")
        return pairs_of(
            self,
            side,
            verify=verify,
            calibrate_on=known,
            engine=engine_or_none(engine),
            progress=progress,
        )

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
        engine: str | None = None,
        progress: Progress | None = None,
    ) -> Dies:
        """The collection's putative dies of one side; every coin is in exactly one.

        Persons' verdicts count. ``verify`` compares the dense descriptors of pairs (see ``pairs``);
        without it the vectors decide alone. ``calibrate`` fits the calibration anew on the sheet,
        cross-fitted over dies; raises RefitError where the sheet knows too few. ``trust_sheet``
        takes the sheet's dies for links; scores then come from a run without them. With
        ``other_side`` shared dies of the other side have a say. ``keep`` keeps die numbers in the
        index, so that they stay from one run to the next. ``adopt_names`` names dies as the sheet
        does, and moves no coin. ``engine`` as in ``pairs``.
        """
        checked_side(side)
        self.check_idle()
        known = self.labels(side) if calibrate else None
        pairs = pairs_of(
            self,
            side,
            verify=verify,
            calibrate_on=known,
            engine=engine_or_none(engine),
            progress=progress,
        )
        beside = None
        if other_side:
            other = self.cluster(opposite(side), verify=verify, engine=engine)
            die = dict(zip(other.coins, other.labels.tolist(), strict=True))
            beside = np.array([die.get(coin, -1) for coin in pairs.coins], np.int64)
        if keep and not self.tells_all(side, verify):
            _log.warning("The numbers of the %s dies are not kept from this run.", side)
            keep = False
        return cluster_pairs(
            self, pairs, trust_sheet=trust_sheet, other_die=beside, keep=keep, adopt=adopt_names
        )

    def tells_all(self, side: Side, verify: bool = True) -> bool:
        """Whether dies found now are those of the whole collection by all that can be compared.
        (Coins that are missing, and vectors alone, make other dies: numbers would move to them and
        back again.)"""
        if not self.complete or (verify and self.unverified is not None):
            return False
        return not verify or can_score(self.folder, vectors_of(self.faces(side)))

    def evaluate(
        self,
        labels: PathLike | None = None,
        *,
        columns: Columns = None,
        sheet: str | None = None,
        verify: bool = True,
        calibrate: bool = False,
        progress: Progress | None = None,
    ) -> dict[Side, dict[str, Any] | None]:
        """Scores of pairs and dies against the sheet, a side each; None for a side without labels.

        ``columns`` and ``sheet`` say how to read ``labels``, as in ``build``.
        With ``calibrate`` scores come from a calibration cross-fitted over the labelled dies; where
        they are too few on a side, from the encoder's own. ``calibrated`` says which. ``verify``
        and ``progress`` as in ``pairs``. Raises SheetError where there are no labels at all.
        """
        return evaluating.evaluate(
            self,
            labels,
            verify=verify,
            calibrate=calibrate,
            progress=progress,
            options=sheet_options(columns, sheet),
        )

    def study(
        self,
        out: PathLike,
        *,
        table: PathLike | None = None,
        columns: Columns = None,
        sheet: str | None = None,
        title: str | None = None,
        author: str = "",
        coins_per_die: int | None = None,
        verify: bool = True,
        progress: Progress | None = None,
    ) -> Study:
        """Write the die study of this index into the folder ``out``.

        The dies are those that ``cluster`` finds, or those of a ``table`` of the same coins; the
        pictures are the index's; ``columns`` and ``sheet`` say how to read the table, as in
        ``build``. ``coins_per_die`` is what a die is assumed to have struck.
        ``progress`` is called with the step (a side that is verified, or ``study``), done, due.
        What an earlier study wrote there is replaced, where nobody changed it. Raises UsageError
        where ``out`` lies in the collection or holds it, and where files of a person are in the
        way.
        """
        out = checked_path(out, "out")
        check_out(self, out, table)
        self.check_whole()
        if coins_per_die is not None:
            checked_count(coins_per_die, "coins_per_die")
        dies = None
        if table is None:
            dies = {side: self.cluster(side, verify=verify, progress=progress) for side in SIDES}
        return study_index(
            self,
            dies,
            out,
            table=table,
            options=sheet_options(columns, sheet),
            title=title,
            author=author,
            coins_per_die=coins_per_die,
            progress=progress,
        )

    def draw_scores(
        self,
        path: PathLike,
        side: Side | None = None,
        *,
        force: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Draw how the scores of pairs lie, and from where two coins are joined, as .png or .svg:
        both sides, one below the other, or one ``side``.

        Pairs that were not compared in detail before are compared; ``progress`` as in ``pairs``.
        Raises UsageError for another suffix, for a place in the collection, and for a file that
        dieindex did not write, unless ``force`` says to replace it.
        """
        path, side = checked_path(path, "path"), side_or_none(side)
        check_picture(self, path, force=force)
        spreads = {}
        for each in SIDES if side is None else (side,):
            spread = self.cluster(each, progress=progress).spread
            assert spread is not None
            spreads[each] = spread
        draw_spreads(spreads, path, force=force, sources=self.sources)

    # what persons say

    def review(
        self,
        a: Coin,
        b: Coin,
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
        given = review_records.add_review(
            self.folder, self.find_name, a, b, verdict, side=checked_side(side), by=by, note=note
        )
        self.heed_reviews()
        for coin in (given.coin_a, given.coin_b):
            if self.leading.get(coin, coin) not in self.faces(side).coins:
                _log.warning(
                    "%s shows no %s in this index; the verdict is kept all the same.", coin, side
                )
        return given

    def one_coin(self, a: Coin, b: Coin, *, by: str | None = None, note: str = "") -> list[Review]:
        """Keep that the photographs of two coins show one and the same: it counts once from then
        on, under the name of its best photograph, and both names are understood.

        Any later verdict on the two takes it back (``review``). Raises as ``review``.
        """
        given = review_records.add_one_coin(self.folder, self.find_name, a, b, by=by, note=note)
        self.heed_reviews()
        return given

    def reviews(self, side: Side | None = None) -> list[Review]:
        """Every verdict that persons ever gave, the earliest first."""
        return review_records.reviews(self.folder, side_or_none(side))

    def import_reviews(self, table: PathLike, *, by: str | None = None) -> list[Review]:
        """Keep a table's verdicts, all or none; gives those that were not kept already.

        ``by`` is the author of rows that name none. Raises SheetError naming the row that cannot be
        understood.
        """
        given = review_records.import_reviews(self.folder, self.find_name, table, by=by)
        self.heed_reviews()
        return given

    def export_reviews(self, table: PathLike, *, force: bool = False) -> list[Review]:
        """Write every verdict ever given as a table (.csv) that ``import_reviews`` reads; gives
        them. Raises UsageError for a file that dieindex did not write, unless ``force`` says to
        replace it."""
        given = self.reviews()
        review_records.write_reviews(given, table, force=force, sources=self.sources)
        return given

    def __repr__(self) -> str:
        count = self._counts
        faces = ", ".join(counted(count[side], side) for side in SIDES)
        return f"<Index {self.folder}: {counted(count['coins'], 'coin')}, {faces}>"

    def _repr_html_(self) -> str:
        rows: list[list[Content]] = [["coins", self._counts["coins"]]]
        rows += [[f"{side}s", self._counts[side]] for side in SIDES]
        rows += [["collection", self.data], ["built", self.built]]
        return table(["index", str(self.folder)], rows)


def open_index(folder: PathLike | None = None, *, engine: str | None = None) -> Index:
    """Open an index: the one named, ``$DIEINDEX_INDEX``, or the last built below ``./indexes``.

    With ``engine``, ``dask://host:port``, the workers of a Dask cluster compare its pairs."""
    return Index(find_index(folder)[0], engine)


def find_index(
    folder: PathLike | None = None, *, reviews_suffice: bool = False
) -> tuple[Path, str | None]:
    """The folder that ``open_index`` opens, and a note on how it was chosen (None: it was named).

    With ``reviews_suffice`` a folder in which persons' work alone is left will do.
    """
    return find_index_folder(path_or_none(folder, "index"), reviews_suffice=reviews_suffice)
