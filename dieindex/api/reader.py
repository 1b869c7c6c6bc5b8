"""What an index holds, read: faces, sheet, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.api.arguments import (
    Coin,
    checked_path,
    checked_side,
    coin_called,
    engine_or_none,
    name_of,
    unknown_coin,
)
from dieindex.api.verification import Verification
from dieindex.calibration.distance import Calibration
from dieindex.calibration.distance_adaptation import adapted
from dieindex.calibration.two_kinds import ANY_COLLECTION, TwoKinds, from_json
from dieindex.encoder.encode import Encoder
from dieindex.errors import CollectionError, IndexFolderError
from dieindex.outputs import Sources
from dieindex.records import SIDES, PathLike, Review, SheetCoin, Side
from dieindex.review.one_coin import leading_coins, under_leading
from dieindex.review.verdicts import ONE_COIN
from dieindex.storage.catalogue import Catalogue, FaceRows
from dieindex.storage.folder import build_at_work, encoder_card
from dieindex.storage.nearest import generation_of
from dieindex.storage.reference import reference_of
from dieindex.storage.reviews import ReviewStore, reviews_of
from dieindex.storage.schema import DETAILS_NAME
from dieindex.text import BuildCall, Message
from dieindex.verification.candidates import shortlist_radius
from dieindex.verification.score_pairs import best_of_each_coin

if TYPE_CHECKING:
    from dieindex.indexing.report import BuildReport


def sources_of(folder: Path, catalogue: Catalogue) -> Sources:
    """What an index was built of."""
    data, sheet = catalogue.meta("data"), catalogue.meta("sheet")
    known = Sources(None if data is None else Path(data), folder.absolute())
    return known.with_files(None if sheet is None else Path(sheet))


def sources_of_folder(folder: Path) -> Sources:
    """The same of an index folder, however little is left in it."""
    try:
        with Catalogue.open(folder) as catalogue:
            return sources_of(folder, catalogue)
    except IndexFolderError:
        return Sources(index=folder.absolute())


class IndexReader:
    """An index open for reading; ``Index`` asks it questions.

    Pickled, it is its folder's name, and opened anew where it is read again.
    """

    def __init__(self, folder: PathLike, engine: str | None = None) -> None:
        """``engine``: a Dask cluster whose workers compare pairs, ``dask://host:port``; by default
        this machine does."""
        self.engine = engine_or_none(engine)
        self.folder = checked_path(folder, "index")
        self.report: BuildReport | None = None
        """What ``build`` found, where this index was just built."""
        with Catalogue.open(self.folder) as catalogue:
            self.encoder_version = catalogue.meta("encoder")
            self._generation = catalogue.meta("generation")
            self.complete = self._generation is not None
            """Whether the last build came to its end."""
            self.data = catalogue.meta("data")
            """The collection that it was built from."""
            self.built = catalogue.meta("built")
            """When, ISO 8601."""
            self.sources = sources_of(self.folder, catalogue)
            """What it was built of: nothing is ever written over it."""
            self.reference = reference_of(catalogue)
            """What it says of itself where it is a reference: one to look coins up in, no more."""
            calibration = catalogue.meta("calibration")
        if calibration is None:
            self.check_idle()
            raise IndexFolderError(f"{self.folder}: holds nothing yet; run ", BuildCall(), ".")
        self.calibration = Calibration.from_json(calibration)
        """What a distance means to the encoder at large."""
        self._checked = False
        self._rows: dict[Side, FaceRows] = {}
        self._adapted: dict[Side, Calibration] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder.absolute(), "report": self.report, "engine": self.engine}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["folder"], state.get("engine"))  # type: ignore[misc]  # (opened anew)
        self.report = state["report"]

    def check_idle(self) -> None:
        """Raise IndexFolderError where a build is at work on an index that is not whole yet."""
        at_work = None if self.complete else build_at_work(self.folder)
        if at_work is not None:
            raise IndexFolderError(at_work)

    @property
    def unfinished(self) -> str | None:
        """Why coins are missing; None where the last build came to its end."""
        if self.complete:
            return None
        return build_at_work(self.folder) or (
            f"The last build of {self.folder} was broken off; run it again to finish it."
        )

    def check_whole(self) -> None:
        """Raise IndexFolderError where the last build did not come to its end: what is written then
        lacks coins."""
        self.check_idle()
        if not self.complete:
            raise IndexFolderError(
                f"{self.folder}: the last build was broken off, so that coins are missing; run it "
                "again to finish it. Nothing was written."
            )

    def has_changed(self) -> bool:
        """Whether a build has changed the index since it was opened."""
        with Catalogue.open(self.folder) as catalogue:
            return catalogue.meta("generation") != self._generation

    @property
    def unverified(self) -> str | None:
        """Why pairs of this index cannot be compared in detail; None where they can."""
        if self.verification is not None:
            there = (self.folder / DETAILS_NAME).is_file()
            if not self.complete or there or self.reference is not None:
                return None
            return Message(
                f"{self.folder / DETAILS_NAME} is missing: pairs are judged by their vectors "
                "alone; run ",
                BuildCall(),
                ": it makes it anew.",
            )
        if self.reference is not None:
            return Message(
                f"{self.folder}: a reference made with encoder {self.encoder_version} by "
                f"{self.reference.made_by}; this dieindex has another. Look coins up in it with "
                "that one, or ask its authors for a newer one."
            )
        return Message(
            f"{self.folder} was built with encoder {self.encoder_version}, which is not here or "
            "cannot verify: pairs are judged by their vectors alone; "
            "run ",
            BuildCall(reencode=True),
            ".",
        )

    @cached_property
    def _counts(self) -> dict[str, int]:
        with Catalogue.open(self.folder) as catalogue:
            return catalogue.counts()

    @cached_property
    def verification(self) -> Verification | None:
        """The comparator of this index's encoder; None where there is none."""
        return Verification.of_index(self.folder, self.encoder_version)

    def kinds_of(self, side: Side) -> TwoKinds:
        """How the scores of a side's pairs lie, as the last clustering saw them; before it, as they
        lie in any collection."""
        with Catalogue.open(self.folder) as catalogue:
            kept = catalogue.kinds(side)
        found = None if kept is None else from_json(kept)
        return ANY_COLLECTION if found is None else found

    def encoder(self) -> Encoder:
        """The encoder of this index: its own, or the shipped one.

        Raises IndexFolderError where it is not the one the index was built with.
        """
        card = encoder_card(self.folder)
        if self.encoder_version != card.version:
            raise IndexFolderError(
                f"The index was built with encoder {self.encoder_version}, this dieindex has "
                f"{card.version}; run ",
                BuildCall(reencode=True),
                ".",
            )
        return Encoder(card)

    @property
    def coins(self) -> list[str]:
        """Every coin that shows a side."""
        return list(dict.fromkeys(coin for side in SIDES for coin in self.faces(side).coins))

    def find_coin(self, coin: Coin) -> str:
        """The coin of this id, or of this number (``49`` for ``049``); of several names that a
        person said are one coin's, that which leads.

        Raises CollectionError where there is none, or where several have the number.
        """
        found = self.find_name(coin)
        return self.leading.get(found, found)

    def find_name(self, coin: Coin) -> str:
        """As ``find_coin``, but a name of several that are one coin's stays that name."""
        names = [*self.coins, *self.leading]
        found = coin_called(coin, names)
        if found is None:
            # Its pictures may have had another name.
            with ReviewStore.open(self.folder) as kept:
                found = coin_called(kept.name_today(name_of(coin)), names)
        if found is None:
            raise CollectionError(unknown_coin(coin, self.coins, self.folder))
        return found

    @cached_property
    def leading(self) -> Mapping[str, str]:
        """By name of a coin that is another one too, as a person said, the name that leads."""
        return self._leading_now()

    def _leading_now(self) -> Mapping[str, str]:
        given = reviews_of(self.folder)
        if all(each.verdict != ONE_COIN for each in given):
            return {}
        with Catalogue.open(self.folder) as catalogue:
            return leading_coins(given, catalogue.largest_faces)

    def heed_reviews(self) -> bool:
        """Ask anew which coins are one; whether a person has changed that since."""
        now = self._leading_now()
        if now == self.leading:
            return False
        self.__dict__["leading"] = now
        self._rows.clear()
        self._adapted.clear()
        return True

    def said(self, side: Side | None = None) -> list[Review]:
        """Every verdict that persons gave, by the names of coins that lead."""
        return under_leading(reviews_of(self.folder, side), self.leading)

    def faces(self, side: Side) -> FaceRows:
        """The best face of each coin on one side."""
        if checked_side(side) not in self._rows:
            with Catalogue.open(self.folder) as catalogue:
                self._check_vectors(catalogue)
                rows = catalogue.face_rows(side)
                # (A build takes the generation away before it changes anything.)
                if catalogue.meta("generation") != self._generation:
                    raise IndexFolderError(
                        build_at_work(self.folder)
                        or f"{self.folder}: was built anew since it was opened; ask again."
                    )
            self._rows[side] = best_of_each_coin(rows.under(self.leading))
        return self._rows[side]

    def _check_vectors(self, catalogue: Catalogue) -> None:
        """Raise IndexFolderError where faces or vectors are not those of the last build (once)."""
        if self._generation is None or self._checked:
            return
        found = generation_of(catalogue)
        if found != self._generation == catalogue.meta("generation"):
            raise IndexFolderError(
                f"{self.folder}: vectors of faces have changed on the disk, and would change what "
                "is answered; run ",
                BuildCall(),
                ": it makes them anew of the faces that are kept. Verdicts and die numbers are "
                "kept, too.",
            )
        self._checked = True

    def calibration_of(self, side: Side) -> Calibration:
        """What a distance means among the faces of one side: the encoder's calibration, adapted to
        how this collection's faces lie; labels have no part in it."""
        if side not in self._adapted:
            rows = self.faces(side)
            frame = np.where(rows.aligned, rows.frame, -1)
            self._adapted[side] = adapted(self.calibration, rows.vectors, frame)
        return self._adapted[side]

    def coin_of_file(self) -> dict[str, str]:
        """The coin that each present photograph shows."""
        with Catalogue.open(self.folder) as catalogue:
            rows = catalogue.photographs()
        there = {file: row.coin for file, row in rows.items() if row.state != "absent"}
        return {file: self.leading.get(coin, coin) for file, coin in there.items()}

    def labels(self, side: Side) -> dict[str, str]:
        """The sheet's dies by coin, as read by the last build."""
        checked_side(side)
        sheet = self.sheet_coins()
        return {coin: known.dies[side] for coin, known in sheet.items() if side in known.dies}

    def sheet_coins(self) -> Mapping[str, SheetCoin]:
        """What the sheet says of each coin. Of several that are one, what it says of the first that
        leads, and what that lacks by the others."""
        with Catalogue.open(self.folder) as catalogue:
            known = catalogue.coins()
        found = {coin: said for coin, said in known.items() if coin not in self.leading}
        for coin, lead in self.leading.items():
            if coin in known:
                first, other = found.get(lead, known[coin]), known[coin]
                found[lead] = replace(
                    first,
                    dies={**other.dies, **first.dies},
                    columns={**other.columns, **first.columns},
                )
        return found

    def info(self) -> dict[str, Any]:
        """What the index holds, as plain values."""
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
            "reference": None if self.reference is None else asdict(self.reference),
            "data": self.data,
            "built": self.built,
            "complete": self.complete,
            "encoder": self.encoder_version,
            "threshold": threshold,
            "shortlist_radius": shortlist_radius(threshold),
            "coins": counts["coins"] - len(self.leading),
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
