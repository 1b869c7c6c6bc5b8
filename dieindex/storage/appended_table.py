"""Persons' work once more, as plain tables that any program reads, beside ``reviews.sqlite``.

Such a table is only ever added to: neither what is in it is changed nor what a person may have
added. A line that was broken off is completed. A table that cannot be understood is left alone, and
that is said; what is to be in it is in ``reviews.sqlite``.
"""

from __future__ import annotations

import csv
import io
import logging
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from dieindex.storage.schema import REVIEWS_NAME
from dieindex.text import as_typed, csv_lines, harmless

T = TypeVar("T")
_log = logging.getLogger(__name__)


class AppendedTable(ABC, Generic[T]):
    """A table of records of one kind; each is known to be in it by its number."""

    name: ClassVar[str]
    """The file's name in an index folder."""
    columns: ClassVar[tuple[str, ...]]
    """As they are written, that of the number among them."""
    required: ClassVar[tuple[str, ...]]
    """Those without which it is no such table."""
    number: ClassVar[str]
    """The column of the number; it may be empty in what a person added."""
    mark: ClassVar[str] = ""
    """A line before the header."""
    what: ClassVar[str]
    """What is in it, in words."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.name

    @abstractmethod
    def cells(self, record: T) -> Mapping[str, object]:
        """A record's cells by column."""

    @abstractmethod
    def record(self, row: Mapping[str, str]) -> T | None:
        """What a row says; None where it says nothing that can be understood."""

    @abstractmethod
    def number_of(self, record: T) -> int:
        """A record's number, 0 where it has none."""

    def exists(self) -> bool:
        return self.path.is_file()

    def records(self) -> list[T]:
        """What is in it, in its order; the number is 0 where a row has none.

        Rows that cannot be understood are left out, and that is logged.
        """
        if not self.exists():
            return []
        try:
            rows = self.form_of(self.path.read_bytes()).rows
        except (OSError, ValueError) as error:
            _log.warning("%s: cannot be understood (%s)", self.path, error)
            return []
        found = []
        for row in rows:
            record = self.record(row)
            if record is None:
                said = ", ".join(map(str, row.values()))
                _log.warning("%s: no row of %s: %s", self.path, self.what, said)
            else:
                found.append(record)
        return found

    def glance(self) -> tuple[int, int] | None:
        """How many rows it has and the last one's number, at little cost; None where it is not
        there, or not as dieindex writes it (then only ``records`` tells)."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        header = self.own.header
        if not content.startswith(header) or not content.endswith(b"\n"):
            return None
        lines = content.count(b"\n") - header.count(b"\n")
        if not lines:
            return 0, 0
        last = content[content.rfind(b"\n", 0, -1) + 1 :]
        cells = next(csv.reader([last.decode(errors="replace")]))
        at = self.columns.index(self.number)
        if len(cells) != len(self.columns) or not cells[at].isdecimal():
            return None
        return lines, int(cells[at])

    def knows_more(self, count: int, highest: int) -> bool:
        """Whether it has numbers beyond the ``count`` up to ``highest``."""
        if not self.exists():
            return False
        seen = self.glance()
        if seen is not None and seen[0] <= count and seen[1] <= highest:
            return False
        return any(self.number_of(each) > highest for each in self.records())

    def append(self, records: Sequence[T]) -> None:
        """Add records to a table that is as dieindex writes it (see ``glance``), and whole.

        Nothing is raised: where it cannot be done, that is logged, and it is done the next time.
        """
        self._append(lambda: b"".join(self.own.line_of(self.cells(each)) for each in records))

    def append_missing(self, records: Sequence[T]) -> None:
        """Add those of the records that are not in it, and complete a line that was broken off.

        Nothing is raised, as in ``append``.
        """
        self._append(lambda: addition(self, self._content(), records))

    def _content(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    def _append(self, made: Callable[[], bytes]) -> None:
        try:
            content = made()
            if not content:
                return
            with self.path.open("ab") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except ValueError as error:
            _log.warning(
                "%s: cannot be understood (%s) and is left as it is; %s are in %s. Move it away, "
                "and it is written anew.",
                *(self.path, error, self.what, REVIEWS_NAME),
            )
        except OSError as error:
            reason = error.strerror or error
            _log.warning(
                "%s: cannot be written (%s); %s are in %s.",
                *(self.path, reason, self.what, REVIEWS_NAME),
            )

    @property
    def own(self) -> Form:
        """How dieindex writes it."""
        return Form(",", self.columns, [], "\n", self.mark)

    def form_of(self, content: bytes) -> Form:
        """How a table is written: perhaps saved anew by a spreadsheet program. Raises ValueError
        where it is no such table."""
        text = content.decode("utf-8-sig")
        newline = "\r\n" if "\r\n" in text else "\n"
        for delimiter in (",", ";", "\t"):
            try:
                lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
            except csv.Error as error:
                raise ValueError(str(error)) from error
            lines = [line for line in lines if line and not is_comment(line)]
            columns = tuple(cell.strip().casefold() for cell in lines[0]) if lines else ()
            if set(self.required) <= set(columns):
                typed = ([as_typed(cell) for cell in line] for line in lines[1:])
                rows = [dict(zip(columns, line, strict=False)) for line in typed]
                return Form(delimiter, columns, rows, newline)
        raise ValueError(f"its first row must be {','.join(self.columns)}")

    def without(self, form: Form, records: Sequence[T]) -> list[T]:
        """Those of the records that are not in it: by their numbers, else by what they say."""
        if self.number in form.columns:
            numbers = {row.get(self.number, "").strip() for row in form.rows}
            return [each for each in records if str(self.number_of(each)) not in numbers]
        names = [name for name in self.columns if name != self.number]
        here = Counter(tuple(row.get(name, "") for name in names) for row in form.rows)
        missing = []
        for each in records:
            cells = self.cells(each)
            said = tuple(str(cells[name]) for name in names)
            if here[said]:
                here[said] -= 1
            else:
                missing.append(each)
        return missing


def is_comment(cells: Sequence[str]) -> bool:
    """Whether a row is a remark: one cell that begins with ``#`` (a coin's name may, too)."""
    return cells[0].startswith("#") and not any(cells[1:])


def addition(table: AppendedTable[T], content: bytes, records: Sequence[T]) -> bytes:
    """What is to be added to a table so that all these records are in it. Raises ValueError."""
    own = table.own
    if own.header.startswith(content):
        lines = [own.header, *(own.line_of(table.cells(each)) for each in records)]
        return b"".join(lines)[len(content) :] if records or content else b""

    def missing_in(form: Form) -> list[bytes]:
        return [form.line_of(table.cells(each)) for each in table.without(form, records)]

    whole, newline, tail = content.rpartition(b"\n")
    lines = missing_in(table.form_of(whole + newline))
    if not tail:
        return b"".join(lines)
    begun = next((line for line in lines if line.startswith(tail)), None)
    if begun is not None:
        lines.remove(begun)
        return begun[len(tail) :] + b"".join(lines)
    # A person's last row, without its newline.
    form = table.form_of(content)
    lines = missing_in(form)
    return form.newline.encode() + b"".join(lines) if lines else b""


@dataclass(frozen=True)
class Form:
    """How a table is written, and its rows by column."""

    delimiter: str
    columns: tuple[str, ...]
    rows: list[dict[str, str]]
    newline: str
    mark: str = ""

    @property
    def header(self) -> bytes:
        mark = f"# {self.mark}{self.newline}" if self.mark else ""
        return mark.encode() + self.line(self.columns)

    def line(self, cells: Sequence[object]) -> bytes:
        (line,) = csv_lines([[harmless(str(cell)) for cell in cells]], self.delimiter, self.newline)
        return line.encode()

    def line_of(self, cells: Mapping[str, object]) -> bytes:
        return self.line([cells.get(name, "") for name in self.columns])
