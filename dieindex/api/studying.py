"""What an index gives a die study: its coins, the dies it found, how sure, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dieindex.api.arguments import checked_count, checked_path, path_or_none
from dieindex.api.dies import Dies
from dieindex.api.reader import IndexReader
from dieindex.api.specimens import alike_pictures, specimens_of
from dieindex.clustering.membership import memberships
from dieindex.clustering.spread import Spread
from dieindex.collection.known_coins import MatchedSheet, matched_sheet
from dieindex.collection.sheets.options import Columns, SheetOptions, sheet_options
from dieindex.errors import SheetError, UsageError
from dieindex.outputs import NOTHING_READ, Sources, check_output, lies_in, real
from dieindex.records import SIDES, PathLike, Progress, Review, SheetCoin, Side
from dieindex.review.verdicts import latest
from dieindex.storage.catalogue import Catalogue
from dieindex.study.material import Attribution, Coin, Material, Reviewed
from dieindex.study.reading import coins_of_sheet, read_material, source_of
from dieindex.text import Message, counted, some_of
from dieindex.version import VERSION

if TYPE_CHECKING:
    from dieindex.study.analysis import Study

Attributions = Mapping[Side, Mapping[str, Attribution]]
_MOST_OTHERS = 3
"""Other dies a doubtful coin may belong to, the likeliest first."""
_MOST_NAMED = 8
"""Verdicts that a note names one by one."""


def material_of(
    index: IndexReader,
    found: Mapping[Side, Dies] | None,
    table: Path | None = None,
    title: str | None = None,
    author: str = "",
    options: SheetOptions | None = None,
) -> Material:
    """A study's material from an index: the dies ``found``, or those of a table of its coins (one
    of the two). Raises SheetError where the table knows none of the coins.
    """
    from dieindex.study.pictures import CataloguePictures

    sheet = index.sheet_coins()
    with Catalogue.open(index.folder) as catalogue:
        reading = catalogue.meta("sheet_reading")
    photographs: dict[str, list[str]] = {}
    for file, coin in index.coin_of_file().items():
        photographs.setdefault(coin, []).append(file)
    seen = list(dict.fromkeys(coin for side in SIDES for coin in index.faces(side).coins))
    dies: Attributions
    told: tuple[str, ...] = ()
    matched: MatchedSheet | None = None
    if table is None:
        assert found is not None
        dies = {side: _attributed(index, found[side]) for side in SIDES}
        source = f"found by dieindex {VERSION} on photographs"
        author = author or f"dieindex {VERSION}, encoder {index.encoder_version}"
    else:
        matched = _matched(index, table, options)
        sheet, dies = _told(matched, sheet, author)
        told = tuple(doubt.message for doubt in matched.doubts)
        source = source_of(table, author)
    reviews = standings(index.said(), dies)
    if table is None:
        dies = reviewed(dies, reviews)
        if any(each.basis == "review" for side in SIDES for each in dies[side].values()):
            source += ", and by persons who looked at coins"
    coins = [
        Coin(
            name,
            {side: dies[side][name] for side in SIDES if name in dies[side]},
            sheet[name].columns if name in sheet else {},
            tuple(photographs.get(name, ())),
        )
        for name in seen
    ]
    name = Path(index.data).name if index.data else index.folder.name
    notes = _machine_notes(index, dies) if table is None else told
    notes = (*notes, *_specimen_notes(index, found if table is None else None))
    if reading is not None and table is None:
        notes = (*notes, f"What is known of the coins beside their dies: {reading}.")
    return Material(
        coins,
        title or f"Die study of {name}",
        source,
        author,
        notes=(*notes, *_review_notes(reviews)),
        reading=matched.reading if matched else None,
        pictures=CataloguePictures(index.folder.absolute(), index.leading),
        reviews=reviews,
        spreads=_spreads(found) if table is None and found is not None else {},
    )


def _spreads(found: Mapping[Side, Dies]) -> dict[Side, Spread]:
    """Of the sides that show any coin."""
    return {
        side: dies.spread
        for side, dies in found.items()
        if len(dies.coins) and dies.spread is not None
    }


def standings(reviews: Sequence[Review], dies: Attributions) -> tuple[Reviewed, ...]:
    """What became of every verdict where the coins are attributed so: see ``Standing``."""
    counting = set(latest(reviews))
    found = []
    for each in reviews:
        a, b = (dies[each.side].get(coin) for coin in (each.coin_a, each.coin_b))
        if each not in counting:
            found.append(Reviewed(each, "superseded"))
        elif each.verdict == "unsure":
            found.append(Reviewed(each, "unsure"))
        elif a is None or b is None:
            found.append(Reviewed(each, "not in the study"))
        else:
            agrees = (a.die == b.die) == each.joins
            found.append(Reviewed(each, "followed" if agrees else "not followed"))
    return tuple(found)


def reviewed(dies: Attributions, reviews: Sequence[Reviewed]) -> Attributions:
    """The attributions, those that rest on a verdict marked as such, with its authors.

    A coin's attribution rests on a "same" with another coin of its die; that of a coin which stands
    alone in its die, on a "different" from any other coin.
    """
    authors: dict[tuple[Side, str], list[str]] = {}
    for side in SIDES:
        size: dict[str, int] = {}
        for each in dies[side].values():
            size[each.die] = size.get(each.die, 0) + 1
        for known in reviews:
            review = known.review
            if review.side != side or known.standing != "followed":
                continue
            for coin in (review.coin_a, review.coin_b):
                if review.joins or size[dies[side][coin].die] == 1:
                    authors.setdefault((side, coin), []).append(review.by or "unknown")
    return {
        side: {
            coin: replace(each, basis="review", author=", ".join(dict.fromkeys(by)))
            if (by := authors.get((side, coin)))
            else each
            for coin, each in dies[side].items()
        }
        for side in SIDES
    }


def _review_notes(reviews: Sequence[Reviewed]) -> list[str]:
    """What verdicts of persons did to the dies, and which of them the dies do not follow."""
    counted = [each for each in reviews if each.standing in ("followed", "not followed")]
    if not counted:
        return []
    by = ", ".join(dict.fromkeys(each.review.by or "unknown" for each in counted))
    words = "verdict of a person" if len(counted) == 1 else "verdicts of persons"
    notes = [f"{len(counted)} {words} ({by}) on pairs of these coins: see reviews.csv."]
    against = [each.review for each in counted if each.standing == "not followed"]
    if against:
        named = "; ".join(
            f"{r.coin_a} and {r.coin_b} {r.verdict} ({r.side}, {r.by or 'unknown'})"
            for r in against[:_MOST_NAMED]
        )
        more = " …" if len(against) > _MOST_NAMED else ""
        notes.append(
            f"The dies of this study contradict {len(against)} of the verdicts: {named}{more}."
        )
    return notes


def _machine_notes(index: IndexReader, dies: Attributions) -> tuple[str, ...]:
    held = [each for side in SIDES for each in dies[side].values()]
    by_persons = sum(each.basis == "review" for each in held)
    told = "The dies were told apart by a program, from photographs"
    if by_persons:
        told += f"; {by_persons} of the {len(held)} attributions rest on what a person saw"
    notes = [
        f"{told}. Look at doubtful attributions, and at singletons above all, before these figures "
        "are used: every die wrongly split adds to the estimates."
    ]
    for side in SIDES:
        without = [coin for coin in index.faces(side).coins if coin not in dies[side]]
        if without:
            shown = ", ".join(without[:12]) + (" …" if len(without) > 12 else "")
            notes.append(
                f"{counted(len(without), side)} could not be aligned to the others, so that "
                f"nothing can be told of the die, which counts as not identified: {shown}."
            )
    return tuple(notes)


def _specimen_notes(index: IndexReader, found: Mapping[Side, Dies] | None) -> list[str]:
    """Which coins are one and count once, and which may be."""
    notes = []
    if index.leading:
        same = [f"{lead} is also {coin}" for coin, lead in index.leading.items()]
        notes.append(
            f"{counted(len(same), 'coin')} that a person knew again count once: {some_of(same)}."
        )
    may = specimens_of(index, found) if found is not None else alike_pictures(index)
    if may:
        told = [f"{each.coin_a} and {each.coin_b} ({each.basis})" for each in may]
        each = "" if len(may) == 1 else " each"
        notes.append(
            f"{counted(len(may), 'pair')} of coins may be one coin{each}, counted twice here: "
            f"{some_of(told)}. "
            "Look, and say which are: they count once then (dieindex verdict A B one-coin)."
        )
    return notes


def _not_aligned(index: IndexReader, side: Side) -> set[str]:
    rows = index.faces(side)
    return {coin for coin, lies in zip(rows.coins, rows.aligned, strict=True) if not lies}


def _matched(index: IndexReader, table: Path, options: SheetOptions | None) -> MatchedSheet:
    """What a table knows of the index's coins."""
    files = index.coin_of_file()
    try:
        matched = matched_sheet(table, list(dict.fromkeys(files.values())), files, options)
    except SheetError as error:
        # A sheet of a collection is named by another parameter.
        raise SheetError(Message(error).renamed("labels", "table")) from error
    if not any(row.dies for row in matched.coins.values()):
        raise SheetError(f"{table}: names a die for none of the index's coins; is it their table?")
    return matched


def _told(
    matched: MatchedSheet, sheet: Mapping[str, SheetCoin], author: str
) -> tuple[Mapping[str, SheetCoin], Mapping[Side, Mapping[str, Attribution]]]:
    """What a table says of the index's coins; columns of the index's own sheet stay."""
    rows = matched.coins
    told = {coin.name: coin for coin in coins_of_sheet(rows, {}, author)}
    dies = {
        side: {name: coin.dies[side] for name, coin in told.items() if side in coin.dies}
        for side in SIDES
    }
    merged = dict(sheet)
    for name, row in rows.items():
        known = sheet[name].columns if name in sheet else {}
        merged[name] = replace(row, columns={**known, **row.columns})
    return merged, dies


def _attributed(index: IndexReader, found: Dies) -> dict[str, Attribution]:
    """The dies found on a side, with the other dies a doubtful coin may belong to."""
    if not len(found.coins):
        return {}
    author = f"dieindex {VERSION}"
    # Of a face that lies on no frame nothing is known: unless a person told its die, it has none.
    unaligned = _not_aligned(index, found.side) - {
        coin for coins in found.clusters.values() if len(coins) > 1 for coin in coins
    }
    attributions = {
        coin: Attribution(name, float(certainty), basis="machine", author=author)
        for coin, name, certainty in zip(
            found.coins, found.names, found.certainty.tolist(), strict=True
        )
        if coin not in unaligned
    }
    for coin, others in _others(found).items():
        if coin in attributions and attributions[coin].doubtful:
            attributions[coin] = replace(attributions[coin], others=others)
    return attributions


def _others(found: Dies) -> dict[str, tuple[tuple[str | None, float], ...]]:
    """The odds that a coin belongs to each other die, by which its certainty was reckoned; those of
    "a die of its own" are 1. A die that a person ruled out is none of them."""
    name_of = dict(zip(found.labels.tolist(), found.names, strict=True))
    odds: dict[str, list[tuple[str | None, float]]] = {coin: [] for coin in found.coins}
    known = memberships(found.labels, found.graph)
    values = np.exp(known.log_odds)
    for face, die, value in zip(
        known.face.tolist(), known.die.tolist(), values.tolist(), strict=True
    ):
        if found.labels[face] != die and value > 0:
            odds[found.coins[face]].append((name_of[die], value))
    return {
        coin: (*sorted(each, key=lambda item: (-item[1], str(item[0])))[:_MOST_OTHERS], (None, 1.0))
        for coin, each in odds.items()
    }


def study_index(
    index: IndexReader,
    found: Mapping[Side, Dies] | None,
    out: Path,
    *,
    table: PathLike | None = None,
    options: SheetOptions | None = None,
    title: str | None = None,
    author: str = "",
    coins_per_die: int | None = None,
    progress: Progress | None = None,
) -> Study:
    """See ``Index.study``; ``found`` are the dies, None where a ``table`` tells them."""
    # (The study's drawings load OpenCV and Pillow.)
    from dieindex.study.analysis import COINS_PER_DIE, analyse
    from dieindex.study.folder import write_study

    sheet = path_or_none(table, "table")
    struck = COINS_PER_DIE
    if coins_per_die is not None:
        struck = checked_count(coins_per_die, "coins_per_die")
    study = analyse(material_of(index, found, sheet, title, author, options), struck)
    write_study(study, out, progress, index.sources.with_files(sheet))
    return study


@dataclass(frozen=True)
class LiveStudy:
    """A study as it stands now, not written anywhere: what it says, and its report as a page, with
    the pictures that the page asks for by their path beside it."""

    study: Study
    html: str
    pictures: Mapping[str, bytes]


def live_study(index: IndexReader, found: Mapping[Side, Dies]) -> LiveStudy:
    """The study of dies as they were found. Raises CollectionError where no coin has a die."""
    # (The study's drawings load OpenCV and Pillow.)
    from dieindex.study.analysis import analyse
    from dieindex.study.folder import chart_of
    from dieindex.study.report import render

    study = analyse(material_of(index, found))
    page = render(study, chart_of(study), 0)
    return LiveStudy(study, page.html, page.pictures)


def check_picture(index: IndexReader, path: Path, *, force: bool = False) -> None:
    """Raise UsageError where a drawing must not be written: into the collection, or as
    ``outputs.check_output``."""
    # (Drawings load Pillow.)
    from dieindex.study.drawing import SUFFIXES

    if index.sources.data is not None and lies_in(real(path), index.sources.data):
        raise UsageError(f"{path}: lies in the collection {index.data}; choose another place.")
    check_output(path, SUFFIXES, force=force, sources=index.sources)


def draw_spreads(
    spreads: Mapping[Side, Spread], path: Path, *, force: bool = False, sources: Sources
) -> None:
    """See ``Index.draw_scores``."""
    # (Drawings load Pillow.)
    from dieindex.study.pair_chart import pair_chart

    pair_chart(spreads).save(path, force=force, sources=sources)


def check_out(index: IndexReader, out: Path, table: PathLike | None = None) -> None:
    """Raise UsageError where a study must not be written: see ``study.folder.check_out``."""
    # (The study's drawings load OpenCV and Pillow.)
    from dieindex.study import folder

    folder.check_out(out, index.sources.with_files(path_or_none(table, "table")))


def study_table(
    table: PathLike,
    out: PathLike,
    *,
    columns: Columns = None,
    sheet: str | None = None,
    title: str | None = None,
    author: str = "",
    coins_per_die: int | None = None,
    progress: Progress | None = None,
) -> Study:
    """Write the die study of a table of coins and dies into the folder ``out``.

    ``columns`` says which columns hold what (``"coin=Nr.,obverse=Vs"``, or a mapping; a name or a
    number from 1), ``sheet`` which sheet of a workbook is read.

    See ``Index.study`` for one of an index, and ``study.reading.read_material`` for what a table
    may look like. Raises SheetError where it cannot be understood, UsageError where the study must
    not be written there.
    """
    # (The study's drawings load OpenCV and Pillow.)
    from dieindex.study.analysis import COINS_PER_DIE, analyse
    from dieindex.study.folder import check_out, write_study

    struck = COINS_PER_DIE
    if coins_per_die is not None:
        struck = checked_count(coins_per_die, "coins_per_die")
    folder, path = checked_path(out, "out"), checked_path(table, "table")
    options = sheet_options(columns, sheet)
    sources = NOTHING_READ.with_files(path)
    check_out(folder, sources)
    found = analyse(read_material(path, title, author, options), struck)
    write_study(found, folder, progress, sources)
    return found
