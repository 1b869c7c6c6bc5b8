"""What a row leaves to the row above it: ditto marks, and specimens a, b, c under one number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dieindex.collection.sheets.coin_cells import ITEM_LETTER, LETTER, NUMBERED_LETTER
from dieindex.collection.sheets.column_content import profile_of
from dieindex.collection.sheets.passed_over import PassedOver
from dieindex.collection.sheets.raw_rows import Row
from dieindex.collection.sheets.roles import Roles, cells_of
from dieindex.collection.sheets.vocabulary import says_ditto
from dieindex.text import some_of


def without_dittos(body: Sequence[Row], places: Sequence[int]) -> tuple[list[Row], list[str]]:
    """The rows with ditto marks in the columns ``places`` replaced by what stands above; and the
    rows where they stood, for a note."""
    filled: list[str] = []
    above: dict[int, str] = {}
    found = []
    for row in body:
        cells = list(row.cells)
        for place in places:
            if place >= len(cells):
                continue
            if says_ditto(cells[place]):
                filled.append(f"row {row.number} ({above.get(place) or '?'})")
                cells[place] = above.get(place, "?")
            above[place] = cells[place]
        found.append(replace(row, cells=tuple(cells)) if tuple(cells) != row.cells else row)
    return found, list(dict.fromkeys(filled))


def with_specimens(
    body: Sequence[Row], roles: Roles, passed: PassedOver
) -> tuple[list[Row], str | None]:
    """The rows with specimens called ``12a``, ``12b`` where letters stand under a number, each with
    the dies of the number above where it names none; and what is to be told of it."""
    if len(roles.coin) != 1 or roles.count is not None:
        return list(body), None
    at = roles.coin[0].place
    dies = [column.place for column in roles.all_dies]
    beside = at + 1
    lettered = cells_of(body, beside) if beside not in roles.used else []
    if _are_letters(lettered):
        if profile_of(cells_of(body, at)).is_unique:
            return list(body), None
        what = "a column of letters beside the coin’s number names specimens"
        return _beside(body, at, _letters_of(lettered, LETTER), dies, passed, what)
    width = max((len(row.cells) for row in body), default=0)
    for place in set(range(width)) - roles.used:
        letters = _letters_of(cells_of(body, place), ITEM_LETTER)
        if _run_on(cells_of(body, at), letters):
            what = "letters that begin a cell (“a. …”) name the specimens of a number"
            body, told = _beside(body, at, letters, dies, passed, what)
            found, more = _below(body, at, dies, passed)
            return found, "; ".join(note for note in (told, more) if note)
    return _below(body, at, dies, passed)


def _are_letters(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) >= 2 and all(LETTER.fullmatch(cell) for cell in filled)


def _letters_of(cells: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    matches = [pattern.match(cell) for cell in cells]
    return [match.group(1).lower() if match else "" for match in matches]


def _run_on(coins: Sequence[str], letters: Sequence[str]) -> bool:
    """Whether every row without a number has the letter that comes next, some of them ``b``."""
    before = ""
    for coin, letter in zip(coins, letters, strict=True):
        following = chr(ord(before) + 1) if before else "a"
        if not coin and letter != following:
            return False
        before = letter if letter in {"a", following} else ""
    return any(not coin and letter == "b" for coin, letter in zip(coins, letters, strict=True))


def _beside(
    body: Sequence[Row],
    at: int,
    letters: Sequence[str],
    dies: Sequence[int],
    passed: PassedOver,
    what: str,
) -> tuple[list[Row], str | None]:
    """The letter stands in another column than the coin's."""
    number, above = "", [""] * len(dies)
    found: list[Row] = []
    filled: list[str] = []
    for place, row in enumerate(body):
        cells = [*row.cells, *[""] * (max([at, *dies]) + 1 - len(row.cells))]
        begins = bool(cells[at]) and cells[at] != number
        number = cells[at] or number
        if letters[place] and number:
            cells[at] = number + letters[place]
            above = _take_dies(cells, dies, above, begins, row.number, filled)
        elif letters[place + 1 : place + 2] == ["a"] and not _begins(body[place + 1], at):
            above = [cells[die] for die in dies]
            passed.add("number of the specimens below", row.number)
            continue
        found.append(replace(row, cells=tuple(cells)))
    return found, _note(filled, what)


def _begins(row: Row, at: int) -> bool:
    return at < len(row.cells) and bool(row.cells[at])


def _below(
    body: Sequence[Row], at: int, dies: Sequence[int], passed: PassedOver
) -> tuple[list[Row], str | None]:
    """The letter stands in the coin's column: ``12``, ``a``, ``b``; or ``12a``, ``12b``."""
    cells_at = cells_of(body, at)
    letters = [LETTER.fullmatch(cell) for cell in cells_at]
    numbered = [NUMBERED_LETTER.fullmatch(cell) for cell in cells_at]
    alone = sum(each is not None for each in letters)
    continued = any(
        both is not None and _follows(both.group(2), following)
        for both, following in zip(numbered, letters[1:], strict=False)
    )
    if alone < 2 and not continued and not _blank_followers(body, numbered, dies):
        return list(body), None
    if alone and not any(any(map(str.isdigit, cell)) for cell in cells_at):
        return list(body), None
    number, above = "", [""] * len(dies)
    found: list[Row] = []
    filled: list[str] = []
    for place, row in enumerate(body):
        cells = [*row.cells, *[""] * (max([at, *dies]) + 1 - len(row.cells))]
        letter, both = letters[place], numbered[place]
        if letter and alone:
            if number:
                cells[at] = number + letter.group(1)
            above = _take_dies(cells, dies, above, False, row.number, filled)
        else:
            following = letters[place + 1] if place + 1 < len(body) else None
            lettered = both is not None and (not alone or _follows(both.group(2), following))
            begins = both is None or both.group(1) != number
            number = both.group(1) if both and lettered else cells[at]
            if following and following.group(1).lower() == "a" and alone:
                above = [cells[die] for die in dies]
                passed.add("number of the specimens below", row.number)
                continue
            above = _take_dies(cells, dies, above, begins, row.number, filled)
        found.append(replace(row, cells=tuple(cells)))
    return found, _note(filled, "letters under a number were read as its specimens")


def _follows(letter: str, following: re.Match[str] | None) -> bool:
    """Whether the row below ``12a`` is ``b``, so that ``a`` is no part of the number."""
    return following is not None and ord(following.group(1).lower()) == ord(letter.lower()) + 1


def _blank_followers(
    body: Sequence[Row], numbered: Sequence[re.Match[str] | None], dies: Sequence[int]
) -> bool:
    """Whether ``12b``, ``12c`` under ``12a`` never name a die."""
    blank = named = 0
    before = ""
    for row, match in zip(body, numbered, strict=True):
        if match is None:
            before = ""
            continue
        if match.group(1) == before:
            cells = [row.cells[die] if die < len(row.cells) else "" for die in dies]
            blank += not any(cells)
            named += any(cells)
        before = match.group(1)
    return blank > 0 and not named


def _take_dies(
    cells: list[str],
    dies: Sequence[int],
    above: list[str],
    begins: bool,
    number: int,
    filled: list[str],
) -> list[str]:
    """Fill dies that are all blank from above, unless a number begins; gives those now above."""
    own = [cells[die] for die in dies]
    if any(own) or begins:
        return own
    for die, name in zip(dies, above, strict=True):
        cells[die] = name
    if any(above):
        filled.append(f"row {number}")
    return above


def _note(filled: list[str], what: str) -> str:
    if not filled:
        return what
    return (
        f"{what}, with the dies of the row above where they name none ({some_of(filled, 6)}; write "
        "? where a die is not known)"
    )


def filled_down(cells: Sequence[str]) -> list[str]:
    """The cells, blank ones as the one above: a hoard is named once for its coins."""
    found: list[str] = []
    for cell in cells:
        found.append(cell or (found[-1] if found else ""))
    return found
