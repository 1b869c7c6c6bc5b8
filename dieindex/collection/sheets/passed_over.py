"""Rows of a table that are no coins: totals, repeated headers, titles of sections, remarks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dieindex.collection.names import loose_form
from dieindex.collection.sheets.coin_cells import ITEM_LETTER
from dieindex.collection.sheets.columns import BARE, Column, header_columns
from dieindex.collection.sheets.die_cells import is_unknown
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.vocabulary import (
    COINS_WORDS,
    COUNT_WORDS,
    DIE_WORDS,
    DIES_WORDS,
    NOISE_WORDS,
    NUMBER_WORDS,
    OBVERSE_WORDS,
    REVERSE_WORDS,
    TOTAL_WORDS,
    plain,
    words_of,
)
from dieindex.errors import SheetError

_MANY_WORDS = 5
_SUMMARY_WORDS = (
    COUNT_WORDS | NUMBER_WORDS | DIE_WORDS | COINS_WORDS | NOISE_WORDS
    | OBVERSE_WORDS | REVERSE_WORDS
)  # fmt: skip
"""Words of which alone ``Anzahl Stempel`` and ``No. of dies`` are made."""
_SEVERAL_WORDS = DIES_WORDS | {"stempel"}


@dataclass
class PassedOver:
    """The numbers of rows that were passed over, by the reason why."""

    rows: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, number: int) -> None:
        self.rows[reason].append(number)


def comments_and_hidden(rows: Sequence[Row], passed: PassedOver) -> list[Row]:
    """The rows that are shown and no comments (``# …``; ``# 1`` is a coin)."""
    left = []
    for row in rows:
        first = row.cells[0]
        if row.hidden:
            passed.add("hidden", row.number)
        elif first.startswith("# ") and not re.fullmatch(r"#\s*\w{0,4}\d+\w?", first):
            passed.add("comment", row.number)
        else:
            left.append(row)
    return left


def coins_alone(
    path: object, body: Sequence[Row], columns: Sequence[Column], passed: PassedOver
) -> list[Row]:
    """The rows that may be coins. Raises SheetError for a second table with other columns."""
    header = [loose_form(column.name) for column in columns]
    places = [column.place for column in columns if column.role in ("coin", "die", "count")]
    dies = [column.place for column in columns if column.role == "die"]
    coins = [column.place for column in columns if column.role == "coin"]
    shapes = Counter(
        _shape(_at(row, place))
        for row in body
        for place in coins
        if any(not is_unknown(_at(row, die)) for die in dies)
    )
    die_shapes = Counter(_shape(_at(row, die)) for row in body for die in dies if _at(row, die))
    names = {_at(row, die) for row in body for die in dies}
    left = []
    for row in body:
        reason = None
        if _repeats(row, header, places) or _heads_the_same(row, columns):
            reason = "header repeated"
        elif is_total(row, dies, coins) or _is_summary(row, shapes, die_shapes, coins, dies):
            reason = "total"
        elif _is_title(row, shapes, len(places), names) or _is_remark(
            row, shapes, die_shapes, dies
        ):
            reason = "title or remark"
        elif _is_other_header(row, columns):
            raise SheetError(
                f"{path}: row {row.number} begins another table, with other columns; keep one "
                "table in a sheet or file"
            )
        if reason is None:
            left.append(row)
        else:
            passed.add(reason, row.number)
    return left


def _at(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _repeats(row: Row, header: Sequence[str], places: Sequence[int]) -> bool:
    cells = [(loose_form(_at(row, place)), header[place]) for place in places]
    filled = [(cell, name) for cell, name in cells if cell]
    if not filled or any(cell != name for cell, name in filled):
        return False
    return len(filled) >= min(2, len(places)) and len(row.cells) > 1


def _heads_the_same(row: Row, columns: Sequence[Column]) -> bool:
    """Whether the row is a header that says the same in other words (``No`` for ``No.``)."""
    if any(map(str.isdigit, "".join(row.cells[:4]))):
        return False
    found = header_columns(row.cells)
    said = [(c.place, c.role, c.side) for c in found or () if c.role]
    return len(said) > 1 and said == [(c.place, c.role, c.side) for c in columns if c.role]


def is_total(row: Row, dies: Sequence[int], coins: Sequence[int] = ()) -> bool:
    """``Total``, ``Summe:``, ``Mean weight`` as the first words of a row without names of dies;
    as its only words where the row names a coin beside them (``Grand Palais``, a museum)."""
    place, first = next((at, cell) for at, cell in enumerate(row.cells) if cell)
    if not 0 < len(first) <= 60 or plain(first[0]).isdigit():
        return False
    words = words_of(first)
    if not words or len(words) > _MANY_WORDS:
        return False
    counting = all(word in _SUMMARY_WORDS for word in words) and (
        len(words) > 1
        or (place not in dies and (first.endswith("=") or words[0] in _SEVERAL_WORDS))
    )
    if words[0] not in TOTAL_WORDS and words[-1] not in TOTAL_WORDS and not counting:
        return False
    named = place not in dies and any(coin != place and _at(row, coin) for coin in coins)
    if named and not all(word in TOTAL_WORDS or word in _SUMMARY_WORDS for word in words):
        return False
    others = [_at(row, die) for die in dies if die != place]
    return all(is_unknown(cell) or cell[0].isdigit() for cell in others)


def _is_summary(
    row: Row,
    shapes: Counter[str],
    die_shapes: Counter[str],
    coins: Sequence[int],
    dies: Sequence[int],
) -> bool:
    """``3 coins | 2 dies | 2``: numbers where all dies are called otherwise, and no coin's form."""
    cells = [cell for die in dies if not is_unknown(cell := _at(row, die))]
    if not cells or any((cell := _at(row, coin)) and shapes[_shape(cell)] > 1 for coin in coins):
        return False
    own = Counter(map(_shape, cells))
    return all(s.startswith("9") and die_shapes[s] == own[s] for s in own) and any(
        not s.startswith("9") for s in die_shapes
    )


def _is_title(row: Row, shapes: Counter[str], roles: int, names: set[str]) -> bool:
    """One cell alone, and not formed as the coins of other rows are; or the name of a die."""
    filled = [cell for cell in row.cells if cell]
    if len(filled) != 1 or roles < 2 or not shapes:
        return False
    (text,) = filled
    if len(text) == 1 and text.isalpha():  # a specimen of the coin above
        return False
    if row.cells[0] != text and ITEM_LETTER.match(text):  # “a. London” likewise
        return False
    shape = _shape(text)
    if shape in shapes:
        return False
    if row.cells[0] != text:
        return len(text.split()) >= 2
    numbered = any("9" in known for known in shapes)
    words = len(text.split())
    if text in names:
        return True
    return words >= 2 or "9" not in shape if numbered else words >= _MANY_WORDS


def _is_remark(
    row: Row, shapes: Counter[str], die_shapes: Counter[str], dies: Sequence[int]
) -> bool:
    """A sentence where all other coins are single words, and nothing formed as a die."""
    text = row.cells[0]
    if len(text.split()) < 3 or sum(" " not in shape for shape in shapes) < len(shapes) - 1:
        return False
    cells = [_at(row, die) for die in dies]
    return all(is_unknown(cell) or die_shapes[_shape(cell)] < 2 for cell in cells)


def _shape(text: str) -> str:
    """``L003`` as ``a9``: what names of one kind have in common."""
    letters = re.sub(r"[^\W\d_]+", "a", text[:60])
    return re.sub(r"\d+", "9", letters)


def _is_other_header(row: Row, columns: Sequence[Column]) -> bool:
    if any(map(str.isdigit, "".join(row.cells[:4]))):
        return False
    found = header_columns(row.cells)
    known = [column for column in found or () if column.role in ("coin", "die", "count")]
    filled = sum(map(bool, row.cells))
    if found is None or (len(known) < 3 and not 1 < filled == len(known)):
        return False
    dies = [column for column in known if column.role == "die" and column.rank < BARE]
    return any(
        column.place >= len(columns)
        or loose_form(columns[column.place].name) != loose_form(column.name)
        for column in dies
    )
