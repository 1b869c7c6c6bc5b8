"""What a person says of a sheet: which sheet of a workbook, and which column holds what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dieindex.errors import UsageError
from dieindex.text import Parameter

COLUMN_ROLES = ("coin", "obverse", "reverse", "die", "file", "side", "count")
_ROLE = re.compile(rf"\s*({'|'.join(COLUMN_ROLES)})\s*=", re.IGNORECASE)


Columns = str | Mapping[str, str | int] | None
"""Columns as a person gives them: ``coin=Nr.,obverse=Vs``, or a mapping."""


@dataclass(frozen=True)
class SheetOptions:
    """``columns`` gives columns by what they hold (``coin``, ``obverse``, …): a column's name, or
    its number from 1; an empty one says that there is none. ``sheet`` is a workbook's sheet."""

    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None

    def __bool__(self) -> bool:
        return bool(self.columns) or self.sheet is not None


def sheet_options(columns: Columns, sheet: str | None = None) -> SheetOptions:
    """Checked options; ``columns`` as a mapping or as text, ``coin=Nr.,obverse=Vs``.

    Raises UsageError for what names no role.
    """
    if columns is None:
        return SheetOptions({}, sheet)
    given = _columns_of_text(columns) if isinstance(columns, str) else columns
    for role in given:
        if role not in COLUMN_ROLES:
            raise _wrong(f"{role!r} is nothing that a column can hold")
    return SheetOptions({role: str(name).strip() for role, name in given.items()}, sheet)


def _columns_of_text(text: str) -> dict[str, str]:
    """Names may hold commas and signs of equality: a comma ends one where a role follows."""
    parts = re.split(rf",(?=\s*(?:{'|'.join(COLUMN_ROLES)})\s*=)", text, flags=re.IGNORECASE)
    found: dict[str, str] = {}
    for part in parts:
        match = _ROLE.match(part)
        if match is None:
            raise _wrong(f"{part[:40]!r} says nothing")
        found[match.group(1).lower()] = part[match.end() :].strip()
    return found


def _wrong(what: str) -> UsageError:
    return UsageError(
        Parameter("columns", "…"),
        f": {what}; write it as coin=NAME,obverse=NAME,reverse=NAME (known are "
        f"{', '.join(COLUMN_ROLES)}; NAME is a column's header or number)",
    )
