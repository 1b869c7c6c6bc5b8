"""What a person should look at in a collection, in whole sentences, one for each kind of thing."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection as Sized
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dieindex.collection.matching import Match
from dieindex.collection.names import NameReading, listed, loose_form, number_form
from dieindex.collection.sheets.rows import Sheet
from dieindex.files import content_hash
from dieindex.records import OBVERSE, REVERSE, SIDES, Doubt, Photograph, SheetCoin, Side
from dieindex.text import Message, Parameter, natural_key

_PROBE = 4_096


def unread(files: Sequence[str]) -> Iterator[Doubt]:
    """Pictures of formats that are not read."""
    if files:
        message = f"pictures of formats that are not read: {listed(files)}; save them as PNG"
        yield Doubt("unread format", message, tuple(files))


def own_pictures(files: Sequence[str]) -> Iterator[Doubt]:
    """Pictures that dieindex drew."""
    if files:
        message = f"pictures that dieindex itself drew are no photographs: {listed(files)}"
        yield Doubt("own pictures", message, tuple(files))


def sheet_and_pictures(
    sheet: Sheet, match: Match, known: Mapping[str, SheetCoin]
) -> Iterator[Doubt]:
    """Rows without picture and pictures without row."""
    name = sheet.path.name
    if sheet.rows and not known:
        coins = [row.coin or row.files[0][0] for row in sheet.rows]
        ids: list[str] = sorted(set(match.coins.values()), key=natural_key)
        yield Doubt(
            "sheet names other coins",
            Message(
                f"{name}: names none of the coins in the pictures, so it is of no use here: its "
                f"coins are {listed(coins)}, the pictures' are {listed(ids)}; "
                "give the right sheet with ",
                Parameter("labels", "FILE"),
                ", or a column “file”",
            ),
            (name,),
        )
        return
    if match.by_difference:
        text, coin = next(iter(match.by_difference.items()))
        message = (
            f"{name}: calls the coins otherwise than the pictures, all in the same way: “{text}” "
            f"is taken for {coin}, and so on"
        )
        yield Doubt("coins called otherwise", message, (name,))
    if match.rows_without_picture:
        rows = [
            f"{row.coin or row.files[0][0]} (row {row.number})"
            for row in match.rows_without_picture
        ]
        yield Doubt("row without picture", f"{name}: coins without a picture: {listed(rows)}")
    files = [file for file, coin in match.coins.items() if coin not in known]
    if files:
        message = f"{name}: has no row for the pictures {listed(files)}"
        yield Doubt("picture without row", message, tuple(files))
    if match.files_missing:
        message = f"{name}: names pictures that are not there: {listed(match.files_missing)}"
        yield Doubt("row without picture", message)
    if match.files_named_twice:
        files = list(dict.fromkeys(match.files_named_twice))
        message = f"{name}: gives several coins for {listed(files)}; the first row holds"
        yield Doubt("coin twice", message, tuple(files))


def about_names(names: NameReading, sides: Mapping[str, Side]) -> Iterator[Doubt]:
    """Tokens that count for nothing, contradict the sheet, or are missing here and there."""
    named = names.files
    for rule in names.rules:
        yield Doubt("side by rule", rule)
    if names.third:
        files = [file for file in names.third if file not in sides]
        words = listed(sorted({names.third[file] for file in files}))
        if files:
            message = f"neither obverse nor reverse (“{words}”), and left out: {listed(files)}"
            yield Doubt("other view", message, tuple(files))
    for token, holding in names.lone.items():
        files = [file for file in holding if file not in sides]
        if not files:
            continue
        yield Doubt(
            "side not read",
            f"names hold “{token}” but never its counterpart, so no side is read from it: "
            f"{listed(files)}",
            tuple(files),
        )
    against = [
        name.file for name in named if name.side and sides.get(name.file, name.side) != name.side
    ]
    if against:
        message = f"the sheet gives another side than the name, and holds: {listed(against)}"
        yield Doubt("side contradicted", message, tuple(against))
    sided = sum(name.side is not None for name in named)
    silent = [
        name.file
        for name in named
        if name.side is None and name.file not in sides and name.file not in names.third
    ]
    if sided and silent:
        message = f"other names tell the side, these do not: {listed(silent)}"
        yield Doubt("side not named", message, tuple(silent))


def about_photographs(photographs: Sequence[Photograph], grouped: Sized[str]) -> Iterator[Doubt]:
    """Coins photographed twice unasked, and coins of which one side has no picture.

    ``grouped`` are the files that a sheet's column has put together by intent.
    """
    shown: dict[str, dict[Side | None, list[str]]] = defaultdict(lambda: defaultdict(list))
    for photograph in photographs:
        shown[photograph.coin][photograph.side].append(photograph.file)
    for coin, by_side in shown.items():
        for side, files in by_side.items():
            if len(files) > 1 and not all(file in grouped for file in files):
                of_side = f" its {side}" if side else ""
                message = f"coin {coin} has several pictures of{of_side or ' it'}: {listed(files)}"
                yield Doubt("coin twice", message, tuple(files))
        if None in by_side and len(by_side) > 1:
            files = [file for group in by_side.values() for file in group]
            if not all(file in grouped for file in files):
                message = (
                    f"coin {coin} has pictures of single sides and one that may show both: "
                    f"{listed(files)}"
                )
                yield Doubt("coin twice", message, tuple(files))
    yield from _ids_alike(shown)
    if not any(OBVERSE in by_side for by_side in shown.values()):
        return
    if not any(REVERSE in by_side for by_side in shown.values()):
        return
    for side in SIDES:
        lacking = {
            coin: files
            for coin, by_side in shown.items()
            if side not in by_side and None not in by_side
            for files in [file for group in by_side.values() for file in group][:1]
        }
        if lacking:
            message = f"coins without a picture of the {side}: {listed(list(lacking))}"
            yield Doubt("one side missing", message, tuple(lacking.values()))


def _ids_alike(shown: Mapping[str, Mapping[Side | None, Sequence[str]]]) -> Iterator[Doubt]:
    """Coins whose ids are the same number or differ only in case or spacing."""
    alike: dict[str, list[str]] = defaultdict(list)
    for coin in shown:
        alike[loose_form(number_form(coin))].append(coin)
    for coins in alike.values():
        if len(coins) > 1:
            files = [file for coin in coins for group in shown[coin].values() for file in group]
            message = f"coins {listed(coins)} are kept apart but may be one: {listed(files)}"
            yield Doubt("coin names alike", message, tuple(files))


def sides_by_the_sheet(sheet: Sheet, files: tuple[str, ...]) -> Doubt:
    """The sheet names the dies of one side alone, so its pictures show that side."""
    side = sheet.sides[0]
    message = Message(
        f"{sheet.path.name}: names dies of the {side}s alone, so the pictures of its coins whose "
        f"names tell no side are taken for {side}s; say ",
        Parameter("side", OBVERSE if side == REVERSE else REVERSE),
        " where they are not",
    )
    return Doubt("sides", message, files)


def same_content(folder: Path, files: Sequence[str]) -> Iterator[Doubt]:
    """The same photograph under two names: equal size, equal bytes in the middle, equal hash."""
    by_size: dict[int, list[str]] = defaultdict(list)
    top = os.fspath(folder)
    for file in files:
        try:
            by_size[os.stat(f"{top}/{file}").st_size].append(file)  # noqa: PTH116 (100,000 files)
        except OSError:
            continue
    for size, alike in by_size.items():
        if len(alike) < 2 or size == 0:
            continue
        by_probe: dict[bytes, list[str]] = defaultdict(list)
        for file in alike:
            try:
                with open(f"{top}/{file}", "rb", buffering=0) as stream:  # noqa: PTH123
                    stream.seek(max((size - _PROBE) // 2, 0))
                    by_probe[stream.read(_PROBE)].append(file)
            except OSError:
                continue
        for group in by_probe.values():
            if len(group) > 1:
                yield from _equal(folder, group)


def _equal(folder: Path, group: Sequence[str]) -> Iterator[Doubt]:
    by_hash: dict[str, list[str]] = defaultdict(list)
    for file in group:
        try:
            by_hash[content_hash(folder / file)].append(file)
        except OSError:
            continue
    for same in by_hash.values():
        if len(same) > 1:
            message = f"the same photograph under several names: {listed(same)}"
            yield Doubt("same photograph", message, tuple(same))
