"""What the cells that name coins say: one coin, several (``1, 3, 5–7``), a specimen (``a``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dieindex.collection.names import number_form
from dieindex.errors import SheetError

MAX_EXPANDED = 100_000
"""Most coins that the cells of one sheet are expanded to."""
_LONGEST_LIST = 2_000
_ITEM = re.compile(r"([^\W\d_]{0,4}[ .]?)(\d{1,9})([a-z]?)")
_RANGE = re.compile(rf"{_ITEM.pattern}\s*(?:[-‐‑–—]|\.\.|to|bis|à|al?|έως|t/m)\s*{_ITEM.pattern}")
_APART = re.compile(r"\s*[,;+&]\s*|\s+(?:and|und|u\.?|et|y|e|en|και|/)\s+|\s*/\s*")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_LETTERS = re.compile(r"([^\W\d_]{0,4}[ .]?\d{1,9})([a-z])\s*[-–—]\s*([a-z])")
_SEVERAL = re.compile(r"\d[^,;]{0,40}(?:,\s|;\s*)\D{0,8}\d|\d,\d+,\d")
LETTER = re.compile(r"\(?([a-z])[).]?", re.IGNORECASE)
ITEM_LETTER = re.compile(r"\(?([a-z])[).]\s+\S", re.IGNORECASE)
"""``a. London``."""
NUMBERED_LETTER = re.compile(r"(.*\d)[\s.]?([a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Lists:
    """The coins of every cell, where a column lists them; and the rows that list several."""

    coins: list[list[str]]
    rows: list[int]


def listed_coins(cells: Sequence[str], rows: Sequence[int], said_plural: bool) -> Lists | None:
    """The coins that cells such as ``1, 3, 5–7`` list; None where each cell is one coin.

    A column is read so only as a whole: every cell understood, no coin in two cells. Ranges alone
    (``1-3``, ``4-9``) may be names; they are lists where the header says ``coins`` or other cells
    hold commas or single numbers. Raises SheetError where a list is too long.
    """
    lists, several, ranges, singles, commas = [], [], 0, 0, 0
    total = 0
    for cell, row in zip(cells, rows, strict=True):
        found = _coins_of(cell)
        if found is None:
            return None
        lists.append(found)
        if len(found) > 1:
            total += len(found)
            several.append(row)
            comma = _APART.search(cell) is not None
            commas += comma
            ranges += not comma
        else:
            singles += 1
        if total > MAX_EXPANDED:
            raise SheetError(f"row {row} lists more than {MAX_EXPANDED} coins")
    every = [number_form(coin) for found in lists for coin in found]
    if not several or len(set(every)) < len(every):
        return None
    if not commas and not said_plural and ranges > singles:
        return None
    return Lists(lists, several)


def _coins_of(cell: str) -> list[str] | None:
    if not cell or _THOUSANDS.fullmatch(cell):
        return [cell]
    if len(cell) > _LONGEST_LIST:
        return None
    found: list[str] = []
    before = ""
    for part in _APART.split(cell.strip(" .,;")):
        item, span = _ITEM.fullmatch(part), _RANGE.fullmatch(part)
        letter = LETTER.fullmatch(part)
        letters = _LETTERS.fullmatch(part)
        if item:
            found.append(part)
            before = item.group(1) + item.group(2)
        elif span:
            prefix, number, start, other, last, end = span.groups()
            if start or end or (other and other.strip() != prefix.strip()):
                return None
            low, high = int(number), int(last)
            if not low < high or high - low >= MAX_EXPANDED:
                return None
            width = len(number) if number.startswith("0") else 0
            found += [f"{prefix}{each:0{width}d}" for each in range(low, high + 1)]
        elif letters and letters.group(2) < letters.group(3):  # 12a-c
            first, last = map(ord, letters.group(2, 3))
            found += [letters.group(1) + chr(code) for code in range(first, last + 1)]
        elif letter and before:  # 12a, b
            found.append(before + letter.group(1))
        else:
            return None
    return found


def may_list(cell: str) -> bool:
    """Whether a cell that is read as one coin looks as if it listed several."""
    if _THOUSANDS.fullmatch(cell) or len(cell) > _LONGEST_LIST:
        return False
    span = re.fullmatch(r"(\d{1,6})\s*[-–—]\s*(\d{1,6})", cell)
    if span:
        return int(span.group(1)) < int(span.group(2))
    # (1841,B.121 and 1841,0726.121 are numbers of a museum.)
    return _SEVERAL.search(cell[:_LONGEST_LIST]) is not None
