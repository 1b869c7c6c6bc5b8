"""A cell's value as the text that a person sees."""

from __future__ import annotations

import datetime
import re
from typing import Any

_SHOWN = re.compile(r'(?:"([^"]{0,20})"|\\?([A-Za-z#]?))(0+)(?:"([^"]{0,20})")?')
"""Number formats that make a name of a whole number: ``000``, ``"O"0``, ``\\R00``."""


def as_text(value: Any, shown_as: str | None = None) -> str:
    """A cell as a person would write it: whole numbers without ``.0``, dates as 2024-03-01, and
    whole numbers whose format makes them names (``"O"0``) as it shows them."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value, shown_as)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


def _number(value: float, shown_as: str | None) -> str:
    if isinstance(value, float) and not (value.is_integer() and abs(value) < 1e15):
        # 15 digits are what spreadsheet programs show of a number, of whatever they stored.
        return f"{value:.15g}"
    whole = int(value)
    match = _SHOWN.fullmatch(shown_as) if shown_as and whole >= 0 else None
    if match is None or match.group(0) == "0":
        return str(whole)
    quoted, letter, zeros, tail = match.groups()
    return f"{quoted or letter or ''}{whole:0{len(zeros)}d}{tail or ''}"


def is_date(value: Any) -> bool:
    return isinstance(value, (datetime.date, datetime.time))
