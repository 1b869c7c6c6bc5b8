"""What an index gives a die study: its coins, the dies it found, how sure, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dieindex.errors import SheetError
from dieindex.records import SIDES, SheetCoin, Side
from dieindex.study.material import Attribution, Coin, Material
from dieindex.version import VERSION

if TYPE_CHECKING:
    from dieindex.api.opened import Index
    from dieindex.api.results import Dies, Pairs

_MOST_OTHERS = 3
"""Other dies a doubtful coin may belong to, the likeliest first."""
_LOG_ODDS_LIMIT = 10.0
Progress = Callable[[str, int, int], None]


def material_of(
    index: Index,
    table: Path | None = None,
    title: str | None = None,
    author: str = "",
    *,
    verify: bool = True,
    progress: Progress | None = None,
) -> Material:
    """A study's material from an index: the dies found, or those of a table of its coins.

    ``progress`` is called with a side and its pairs verified and due. Raises SheetError where the
    table knows none of the coins.
    """
    from dieindex.index.catalogue import Catalogue
    from dieindex.study.pictures import CataloguePictures

    with Catalogue.open(index.folder) as catalogue:
        sheet: Mapping[str, SheetCoin] = catalogue.coins()
    photographs: dict[str, list[str]] = {}
    for file, coin in index.coin_of_file().items():
        photographs.setdefault(coin, []).append(file)
    seen = list(dict.fromkeys(coin for side in SIDES for coin in index.faces(side).coins))
    dies: Mapping[Side, Mapping[str, Attribution]]
    if table is None:
        dies = {side: _found(index, side, verify, progress) for side in SIDES}
        source = f"found by dieindex {VERSION} on photographs"
        author = author or f"dieindex {VERSION}, encoder {index.encoder_version}"
    else:
        sheet, dies = _told(index, table, sheet, author)
        source = f"the table {table.name}"
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
    return Material(
        coins,
        title or f"Die study of {name}",
        source,
        author,
        notes=_notes(index, table is None),
        pictures=CataloguePictures(index.folder),
    )


def _notes(index: Index, by_machine: bool) -> tuple[str, ...]:
    if not by_machine:
        return ()
    notes = [
        "The dies were told apart by a program, from photographs. Look at doubtful attributions, "
        "and at singletons above all, before these figures are used: every die wrongly split adds "
        "to the estimates."
    ]
    for side in SIDES:
        rows = index.faces(side)
        without = [coin for coin, lies in zip(rows.coins, rows.aligned, strict=True) if not lies]
        if without:
            shown = ", ".join(without[:12]) + (" …" if len(without) > 12 else "")
            notes.append(
                f"{len(without)} {side} could not be laid on the others, so that nothing can be "
                f"told of the die; each counts as a die of its own: {shown}."
            )
    return tuple(notes)


def _told(
    index: Index, table: Path, sheet: Mapping[str, SheetCoin], author: str
) -> tuple[Mapping[str, SheetCoin], Mapping[Side, Mapping[str, Attribution]]]:
    """What a table says of the index's coins; columns of the index's own sheet stay."""
    from dataclasses import replace

    from dieindex.collection.layout import match_sheet
    from dieindex.study.reading import coins_of_sheet

    files = index.coin_of_file()
    rows = match_sheet(table, list(dict.fromkeys(files.values())), files=files)
    if not any(row.dies for row in rows.values()):
        raise SheetError(f"{table}: names a die for none of the index's coins; is it their table?")
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


def _found(
    index: Index, side: Side, verify: bool, progress: Progress | None
) -> dict[str, Attribution]:
    """The dies the index finds, with the other dies a doubtful coin may belong to."""
    show = None if progress is None else partial(progress, side)
    found = index.cluster(side, verify=verify, progress=show)
    if not len(found.coins):
        return {}
    author = f"dieindex {VERSION}"
    attributions = {
        coin: Attribution(name, float(certainty), basis="machine", author=author)
        for coin, name, certainty in zip(
            found.coins, found.names, found.certainty.tolist(), strict=True
        )
    }
    doubtful = {coin for coin, each in attributions.items() if each.doubtful}
    if doubtful:
        for coin, others in _others(index.pairs(side, verify=verify), found, doubtful).items():
            old = attributions[coin]
            attributions[coin] = Attribution(old.die, old.certainty, others, old.basis, old.author)
    return attributions


def _others(
    pairs: Pairs, found: Dies, doubtful: set[str]
) -> dict[str, tuple[tuple[str | None, float], ...]]:
    """Odds that a coin belongs to each other die, as the certainty reckons them.

    The odds of a die are the exponential of the coin's mean log-odds to the listed coins of it;
    those of "a die of its own" are 1.
    """
    die_of = dict(zip(found.coins, found.names, strict=True))
    sure = 1.0 / (1.0 + np.exp(_LOG_ODDS_LIMIT))
    p = np.clip(pairs.probability, sure, 1.0 - sure)
    weight = np.log(p / (1.0 - p))
    total: dict[str, dict[str, list[float]]] = {coin: {} for coin in doubtful}
    for first, second, value in zip(
        pairs.table.first.tolist(), pairs.table.second.tolist(), weight.tolist(), strict=True
    ):
        for a, b in ((first, second), (second, first)):
            coin = pairs.coins[a]
            if coin in total:
                total[coin].setdefault(die_of[pairs.coins[b]], []).append(value)
    others: dict[str, tuple[tuple[str | None, float], ...]] = {}
    for coin, dies in total.items():
        odds = [
            (die, float(np.exp(np.mean(values))))
            for die, values in dies.items()
            if die != die_of[coin]
        ]
        odds.sort(key=lambda item: (-item[1], item[0]))
        others[coin] = (*odds[:_MOST_OTHERS], (None, 1.0))
    return others
