"""dieindex in Python: build an index, ask it, cluster it, score it.

>>> import dieindex as di
>>> index = di.build("data/")
>>> index.compare("12", "57").obverse.verdict
>>> dies = index.cluster("obverse")
>>> dies.score("dies.xlsx")
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dieindex.errors import CollectionError, IndexFolderError, PictureError, SheetError
from dieindex.records import (
    OBVERSE,
    SIDES,
    Clustering,
    Face,
    Override,
    PairTable,
    Side,
    Vectors,
    Verdict,
)

if TYPE_CHECKING:
    from dieindex.encoder.encode import Encoder
    from dieindex.index.build import BuildReport
    from dieindex.index.catalogue import FaceRows
    from dieindex.verification.verdicts import Calibration

COMPARE_PRIOR = 0.5
"""What ``compare`` assumes before looking: a person who asks about two coins has a reason to."""

PathLike = str | os.PathLike[str]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The verdict on each side two coins have in common; None where one of them lacks the side."""

    a: str
    b: str
    obverse: Verdict | None
    reverse: Verdict | None
    faces: Callable[[Side], tuple[Face, Face]] = field(repr=False)
    """Cuts the two faces that were compared, for showing them."""

    def side(self, side: Side) -> Verdict | None:
        return self.obverse if side == OBVERSE else self.reverse

    def draw(self, path: PathLike) -> None:
        """Write a picture of the faces that were compared, with the verdicts."""
        from dieindex.verification.evidence import draw_comparison

        shown = [(self.side(side), self.faces(side)) for side in SIDES if self.side(side)]
        draw_comparison(self.a, self.b, shown, Path(path))


@dataclass(frozen=True, eq=False)
class Pairs:
    """The shortlisted pairs of one side, by coins, with their probabilities at ``prior``."""

    side: Side
    coins: Sequence[str]
    table: PairTable
    probability: np.ndarray
    prior: float

    def __len__(self) -> int:
        return len(self.table)

    def to_csv(self, path: PathLike) -> None:
        """One row an unordered pair: ``coin_a,coin_b,distance,probability,verdict``."""
        from dieindex.collection.writing import write_text
        from dieindex.verification.verdicts import verdict_of

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["coin_a", "coin_b", "distance", "probability", "verdict"])
        columns = zip(
            self.table.first.tolist(),
            self.table.second.tolist(),
            self.table.distance.tolist(),
            self.probability.tolist(),
            strict=True,
        )
        for first, second, distance, probability in columns:
            writer.writerow(
                [
                    self.coins[first],
                    self.coins[second],
                    # All digits, so that rounding makes no ties.
                    f"{distance:.17g}",
                    f"{probability:.17g}",
                    verdict_of(probability),
                ]
            )
        write_text(Path(path), text.getvalue())


@dataclass(frozen=True, eq=False)
class Dies:
    """Putative dies of one side: ``names[i]`` is the die of ``coins[i]``."""

    side: Side
    coins: Sequence[str]
    names: Sequence[str]
    certainty: np.ndarray
    prior: float
    labels: Mapping[str, str] = field(default_factory=dict)
    """The sheet's dies by coin; they only score."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The coin of every photograph, by which another sheet's rows are matched."""

    @property
    def clusters(self) -> dict[str, list[str]]:
        """Coins by die, dies in the order of their numbers."""
        from dieindex.collection.names import natural_key

        found: dict[str, list[str]] = {}
        for coin, name in zip(self.coins, self.names, strict=True):
            found.setdefault(name, []).append(coin)
        return {name: found[name] for name in sorted(found, key=natural_key)}

    def score(self, labels: PathLike | Mapping[str, str] | None = None) -> dict[str, Any] | None:
        """Scores against a sheet, a mapping coin → die, or the index's own sheet.

        None where no coin has a label.
        """
        from dieindex.evaluation.scores import score_dies

        if labels is None:
            true: Mapping[str, str] = self.labels
        elif isinstance(labels, Mapping):
            true = labels
        else:
            true = read_labels(Path(labels), self.files)[self.side]
        return score_dies(dict(zip(self.coins, self.names, strict=True)), true)


class Index:
    """A built index, open for questions. Nothing here writes to it."""

    def __init__(self, folder: PathLike) -> None:
        from dieindex.index.catalogue import Catalogue
        from dieindex.verification.verdicts import Calibration

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
            raise IndexFolderError(f"{self.folder}: holds nothing yet; run `dieindex build DATA`.")
        self.calibration = Calibration.from_json(calibration)
        self._rows: dict[Side, FaceRows] = {}

    def __repr__(self) -> str:
        return f"Index({str(self.folder)!r})"

    # what is in it

    def faces(self, side: Side) -> FaceRows:
        """The best face of each coin on one side."""
        from dieindex.index.catalogue import Catalogue
        from dieindex.index.shortlist import best_of_each_coin

        if side not in self._rows:
            with Catalogue.open(self.folder) as catalogue:
                self._rows[side] = best_of_each_coin(catalogue.face_rows(side))
        return self._rows[side]

    def coin_of_file(self) -> dict[str, str]:
        """The coin that each present photograph shows."""
        from dieindex.index.catalogue import Catalogue

        with Catalogue.open(self.folder) as catalogue:
            rows = catalogue.photographs()
        return {file: row.coin for file, row in rows.items() if row.state != "absent"}

    def labels(self, side: Side) -> dict[str, str]:
        """The sheet's dies by coin, as read by the last build."""
        from dieindex.index.catalogue import Catalogue

        with Catalogue.open(self.folder) as catalogue:
            return {
                coin: known.dies[side]
                for coin, known in catalogue.coins().items()
                if side in known.dies
            }

    def info(self) -> dict[str, Any]:
        """What the index holds, as plain values."""
        from dieindex.index.catalogue import Catalogue
        from dieindex.index.shortlist import shortlist_radius

        threshold = self.calibration.threshold

        with Catalogue.open(self.folder) as catalogue:
            counts = catalogue.counts()
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
            "photographs": counts["done"],
            "absent": counts["absent"],
            "skipped": skipped,
            "labelled": {side: len(self.labels(side)) for side in SIDES},
        }

    # questions

    def compare(self, a: str, b: str, side: Side | None = None) -> Comparison:
        """Whether two coins of this index share a die; either may also be a picture file."""
        first, second = self._view(a, side), self._view(b, side)
        return _compare(a, b, first, second, self.calibration, side)

    def pairs(self, side: Side) -> Pairs:
        """All shortlisted pairs of one side; the prior is estimated from the collection."""
        from dieindex.clustering.prior import estimate_prior
        from dieindex.verification.verdicts import probability

        rows = self.faces(side)
        table = self._judged(side)
        n = len(rows)
        prior = estimate_prior(table.log_likelihood_ratio, n * (n - 1) // 2)
        p = probability(table.log_likelihood_ratio, prior)
        return Pairs(side, rows.coins, table, np.asarray(p), prior)

    def cluster(self, side: Side, *, verify: bool = True) -> Dies:
        """The collection's putative dies of one side; every coin is in exactly one.

        ``verify`` looks at details where verification can; without it the vectors decide alone.
        """
        return self._cluster_pairs(self.pairs(side))

    def evaluate(self, labels: PathLike | None = None) -> dict[Side, dict[str, Any] | None]:
        """Scores of pairs and dies against the sheet, a side each; None for a side without labels.

        Raises SheetError where there are no labels at all.
        """
        given = None if labels is None else read_labels(Path(labels), self.coin_of_file())
        found: dict[Side, dict[str, Any] | None] = {}
        for side in SIDES:
            coins = self.faces(side).coins
            true = self.labels(side) if given is None else given[side]
            known = {coin: true[coin] for coin in coins if coin in true}
            found[side] = self._evaluate_side(side, known) if known else None
        if not any(found.values()):
            raise SheetError(
                "No coin of this index has a die in a sheet: put a sheet with rows such as "
                "`1 O1 R1` beside the pictures and build again, or name one with --labels FILE."
            )
        return found

    def _evaluate_side(self, side: Side, true: Mapping[str, str]) -> dict[str, Any] | None:
        from dieindex.evaluation.scores import evaluate_side

        pairs = self.pairs(side)
        dies = self._cluster_pairs(pairs)
        return evaluate_side(
            coins=list(pairs.coins),
            found=dict(zip(dies.coins, dies.names, strict=True)),
            labels=true,
            first=pairs.table.first,
            second=pairs.table.second,
            probability=pairs.probability,
        )

    def _cluster_pairs(self, pairs: Pairs) -> Dies:
        from dieindex.clustering.linkage import cluster_pairs
        from dieindex.clustering.names import name_dies

        if len(pairs.coins):
            clustering = cluster_pairs(len(pairs.coins), pairs.table, pairs.prior)
        else:
            clustering = Clustering(np.zeros(0, np.int64), np.zeros(0))
        names = name_dies(clustering.labels.tolist(), pairs.coins, pairs.side)
        return Dies(
            pairs.side,
            pairs.coins,
            names,
            clustering.certainty,
            pairs.prior,
            self.labels(pairs.side),
            self.coin_of_file(),
        )

    def _judged(self, side: Side) -> PairTable:
        from dieindex.index.catalogue import Catalogue
        from dieindex.index.shortlist import (
            ALL_PAIRS_UP_TO,
            NEAREST,
            all_pairs,
            nearest_pairs,
            shortlist_radius,
        )
        from dieindex.index.vectors import load_vectors
        from dieindex.verification.judging import judge_by_distance

        rows = self.faces(side)
        calibration = self.calibration
        if len(rows) <= ALL_PAIRS_UP_TO:
            shortlist = all_pairs(rows.vectors)
        else:
            with Catalogue.open(self.folder) as catalogue:
                vectors = load_vectors(self.folder, catalogue, side)
            radius = shortlist_radius(calibration.threshold)
            shortlist = nearest_pairs(rows, vectors, NEAREST, radius)
        return judge_by_distance(shortlist, calibration)

    def _view(self, name: str, side: Side | None) -> _View:
        """A coin's vectors by side: from the catalogue, or from a picture file."""
        found: dict[Side, Vectors] = {}
        ids: dict[Side, int] = {}
        coin = self._coin_called(name)
        for each in SIDES:
            rows = self.faces(each)
            if coin in rows.coins:
                position = rows.coins.index(coin)
                found[each] = rows.vectors[position]
                ids[each] = int(rows.ids[position])
        if found:
            return _View(found, lambda each: self._cut(ids[each]), None)
        if Path(name).is_file():
            return _view_file(Path(name), side, _encoder_for(self.encoder_version))
        coins = [coin for each in SIDES for coin in self.faces(each).coins]
        raise CollectionError(_unknown_coin(name, coins, self.folder))

    def _coin_called(self, name: str) -> str | None:
        """The coin of this id, or the only one of this number (``1`` for ``001``)."""
        from dieindex.collection.names import number_form

        coins = list(dict.fromkeys(coin for side in SIDES for coin in self.faces(side).coins))
        if name in coins:
            return name
        alike = [coin for coin in coins if number_form(coin) == number_form(name)]
        return alike[0] if len(alike) == 1 else None

    def _cut(self, face: int) -> Face:
        """Cut a face of this index from its photograph once more."""
        from dieindex.collection.photographs import cut_file
        from dieindex.index.catalogue import Catalogue

        with Catalogue.open(self.folder) as catalogue:
            file, side, circle, rotation = catalogue.face_place(face)
        placed = Override(file, side, circle, rotation)
        return cut_file(Path(self.data or ".") / file, side=side, overrides=(placed,))[0]


@dataclass(frozen=True, eq=False)
class _View:
    vectors: Mapping[Side, Vectors]
    cut: Callable[[Side], Face]
    content: str | None
    """Hash of the picture file, None for a coin of an index."""


def build(
    data: PathLike,
    index: PathLike | None = None,
    *,
    labels: PathLike | None = None,
    side: Side | None = None,
    jobs: int | None = None,
    device: str = "auto",
    prune: bool = False,
    reencode: bool = False,
    progress: Progress | None = None,
) -> Index:
    """Build or update the index of a collection and open it; see ``index.build.build_index``."""
    from dieindex.index.build import build_index

    report = build_index(
        Path(data),
        None if index is None else Path(index),
        labels=None if labels is None else Path(labels),
        side=side,
        jobs=jobs,
        device=device,
        prune=prune,
        reencode=reencode,
        progress=progress,
    )
    opened = Index(report.folder)
    opened.report = report
    return opened


def open_index(folder: PathLike | None = None) -> Index:
    """Open an index: the one named, ``$DIEINDEX_INDEX``, or the last built below ``./indexes``."""
    from dieindex.index.folder import find_index_folder

    found, _ = find_index_folder(None if folder is None else Path(folder))
    return Index(found)


def compare(
    a: PathLike, b: PathLike, *, side: Side | None = None, device: str = "auto"
) -> Comparison:
    """Whether the coins on two picture files share a die; no index is needed.

    ``side`` is the side of pictures that show a single one (an obverse where not said). Raises
    PictureError where a file cannot be used.
    """
    from dieindex.encoder.encode import Encoder
    from dieindex.verification.verdicts import Calibration

    encoder = Encoder.load(device=device)
    first, second = (_view_file(Path(name), side, encoder) for name in (a, b))
    calibration = Calibration.from_json(json.dumps(encoder.card.calibration))
    return _compare(os.fspath(a), os.fspath(b), first, second, calibration, side)


def read_labels(path: Path, coin_of_file: Mapping[str, str]) -> dict[Side, dict[str, str]]:
    """A sheet's dies by side and coin, for the coins of an index (``1`` in it meets ``001``).

    Raises SheetError where the sheet cannot be understood or knows none of the coins.
    """
    from dieindex.collection.layout import match_sheet

    coins = list(dict.fromkeys(coin_of_file.values()))
    rows = match_sheet(path, coins, files=dict(coin_of_file))
    found: dict[Side, dict[str, str]] = {
        side: {coin: row.dies[side] for coin, row in rows.items() if side in row.dies}
        for side in SIDES
    }
    if not any(found.values()):
        raise SheetError(f"{path}: names a die for none of the index's coins; is it their sheet?")
    return found


def write_dies(dies: Sequence[Dies], path: PathLike) -> None:
    """Write ``coin,side,die,certainty`` as .csv or .xlsx, marked as dieindex's own output."""
    from dieindex.study.tables import write_die_table

    rows = [
        (coin, each.side, name, float(certainty))
        for each in dies
        for coin, name, certainty in zip(each.coins, each.names, each.certainty, strict=True)
    ]
    write_die_table(rows, Path(path))


def _view_file(path: Path, side: Side | None, encoder: Encoder) -> _View:
    import hashlib

    from dieindex.collection.photographs import cut_file

    if not path.is_file():
        raise PictureError(f"{path}: no such picture, and no coin of an index.")
    faces: list[Face] = cut_file(path, default_side=side or OBVERSE)
    vectors = encoder.encode(faces)
    by_side = {face.side: face for face in faces}
    return _View(
        {face.side: vector for face, vector in zip(faces, vectors, strict=True)},
        lambda each: by_side[each],
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _compare(
    a: str, b: str, first: _View, second: _View, calibration: Calibration, only: Side | None
) -> Comparison:
    from dieindex.index.shortlist import euclidean
    from dieindex.verification.verdicts import embedding_verdict

    verdicts: dict[Side, Verdict | None] = {}
    for side in SIDES:
        if side not in first.vectors or side not in second.vectors or only not in (None, side):
            verdicts[side] = None
            continue
        if a == b or (first.content is not None and first.content == second.content):
            reason = "it is the same coin" if a == b else "it is the same photograph"
            verdicts[side] = Verdict(
                "same", 1.0, COMPARE_PRIOR, 0.0, calibration.threshold, "embedding", reason
            )
            continue
        distance = float(euclidean(first.vectors[side] @ second.vectors[side]))
        verdicts[side] = embedding_verdict(
            distance,
            calibration.threshold,
            calibration.log_likelihood_ratio(distance),
            COMPARE_PRIOR,
        )
    faces = lambda each: (first.cut(each), second.cut(each))  # noqa: E731
    return Comparison(a, b, verdicts[SIDES[0]], verdicts[SIDES[1]], faces)


def _encoder_for(version: str | None) -> Encoder:
    from dieindex.encoder.encode import Encoder
    from dieindex.encoder.weights import read_card

    card = read_card()
    if version != card.version:
        raise IndexFolderError(
            f"The index was built with encoder {version}, this dieindex has {card.version}; "
            "run `dieindex build DATA --reencode`."
        )
    return Encoder(card)


def _unknown_coin(name: str, coins: Sequence[str], folder: Path) -> str:
    near = difflib.get_close_matches(name, list(dict.fromkeys(coins)), n=3)
    hint = (
        f"; did you mean {', '.join(near)}?" if near else "; `dieindex info` tells what is in it."
    )
    return f"{name}: neither a coin of {folder} nor a picture file{hint}"
