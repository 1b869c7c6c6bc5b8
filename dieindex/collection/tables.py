"""Read a table of text cells from .csv (any usual delimiter and encoding) or .xlsx, bounded.

Nothing is guessed about meaning here; ``sheets`` finds out what the columns are.
"""

from __future__ import annotations

import codecs
import csv
import datetime
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from dieindex.errors import SheetError

WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm"})
TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ""})
"""Other text (a page, a program) would be read as a table of nonsense."""
MAX_TEXT_BYTES = 128 << 20
MAX_WORKBOOK_BYTES = 128 << 20
"""Largest sum of the unpacked parts of a workbook: a zip bomb is refused before unpacking."""
MAX_ROWS = 1_500_000
MAX_COLUMNS = 200

_DELIMITERS = "\t;,|"
_MAX_FILLED = 2_000_000
_SAMPLE_ROWS = 200
_SAMPLE_LETTERS = 200_000


@dataclass(frozen=True)
class Row:
    """One row that is not blank: its number in the file, from 1, and its trimmed cells."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The rows of one file, with what a person should know about how they were read."""

    path: Path
    rows: tuple[Row, ...]
    warnings: tuple[str, ...] = ()


def read_table(path: Path | str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a table whose first row names its columns.

    Every row has as many cells as the header; all cells are trimmed text. Lines that start with
    ``#`` before the header are passed over. Raises SheetError as ``read_rows`` does.
    """
    rows = list(read_rows(Path(path)).rows)
    while rows and rows[0].cells[0].startswith("#"):
        rows.pop(0)
    if not rows:
        return [], []
    header = list(rows[0].cells)
    width = len(header)
    return header, [
        [*row.cells[:width], *[""] * (width - len(row.cells))] for row in rows[1:]
    ]  # fmt: skip


def read_rows(path: Path) -> Table:
    """Every row of ``path`` that is not blank, as trimmed text.

    Raises SheetError: missing, not readable, not text and no workbook, too large.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
        if head.startswith(b"PK\x03\x04") or path.suffix.lower() in WORKBOOK_SUFFIXES:
            return _read_workbook(path)
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            raise SheetError(
                f"{path}: is a workbook of the old Excel format (or one with a password), which is "
                "not read; save it as .xlsx or .csv without a password"
            )
        if path.suffix.lower() not in TEXT_SUFFIXES:
            raise SheetError(
                f"{path}: is no sheet by its name; give one that ends in .csv or .xlsx"
            )
        return _read_text(path)
    except FileNotFoundError:
        raise SheetError(f"{path}: there is no such sheet") from None
    except IsADirectoryError:
        raise SheetError(f"{path}: is a folder, not a sheet (.xlsx or .csv)") from None
    except OSError as error:
        raise SheetError(f"{path}: cannot be read ({error.strerror or error})") from error


# --- text ------------------------------------------------------------------------------------


def _read_text(path: Path) -> Table:
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise SheetError(
            f"{path}: has {size >> 20} MB, more than the {MAX_TEXT_BYTES >> 20} MB that are read; "
            "keep only the columns of coins and dies"
        )
    text = decode_text(path.read_bytes(), path)
    first = text[:200].lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    stated = re.fullmatch(r"sep=(.)", first, re.IGNORECASE)  # how Excel marks its delimiter
    delimiter = stated.group(1) if stated else find_delimiter(text)
    warnings: list[str] = []
    rows = _parse(path, text, delimiter, warnings)
    return Table(path, tuple(rows[1:] if stated else rows), tuple(warnings))


def decode_text(raw: bytes, path: Path) -> str:
    """Text of unknown encoding: marked by a BOM, else UTF-16 by its zeros, UTF-8, Windows, Mac.

    The old encodings of a byte a letter cannot be told for sure; all give the same ASCII.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    sample = raw[:4096]
    if b"\0" in sample:
        half = max(len(sample) // 2, 1)
        for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if sample[start::2].count(0) > 0.7 * half and sample[1 - start :: 2].count(0) == 0:
                return raw.decode(encoding, errors="replace")
        raise SheetError(f"{path}: is not a table of text; save it as .csv or .xlsx")
    for encoding in ("utf-8", "cp1252", "mac-roman"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def find_delimiter(text: str) -> str | None:
    """The delimiter that cuts most rows into equally many cells, the more the better.

    None means white space (``1 O1 R1``) or a single column.
    """
    head = text[:_SAMPLE_LETTERS]
    best, best_score = None, (0.0, 1)
    for delimiter in _DELIMITERS:
        widths = _widths(head, delimiter)
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]))
        score = (rows / widths.total(), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    lines = [line for line in head.splitlines()[:_SAMPLE_ROWS] if line.strip()]
    return None if best == "," and _only_decimal_commas(lines) else best


def _widths(head: str, delimiter: str) -> Counter[int]:
    """How many of the first rows have how many cells."""
    for strict in (True, False):
        try:
            rows = islice(_csv_rows(head, delimiter, strict), _SAMPLE_ROWS)
            return Counter(len(cells) for _, cells in rows if any(map(str.strip, cells)))
        except csv.Error:
            continue
    return Counter()


def _only_decimal_commas(sample: list[str]) -> bool:
    """Whether the lines are cut by white space and their commas stand inside numbers."""
    commas = sum(line.count(",") for line in sample)
    inside = sum(len(re.findall(r"(?<=\d),(?=\d)", line)) for line in sample)
    widths = {len(line.split()) for line in sample}
    return commas == inside and len(widths) == 1 and widths.pop() > 2


def _parse(path: Path, text: str, delimiter: str | None, warnings: list[str]) -> list[Row]:
    try:
        if delimiter is None:
            return list(_rows_of(path, _white_space_rows(text)))
        try:
            return list(_rows_of(path, _csv_rows(text, delimiter, strict=True)))
        except csv.Error:
            rows = list(_rows_of(path, _csv_rows(text, delimiter, strict=False)))
            warnings.append(
                f"{path.name}: its quotation marks do not match; they were read as plain "
                "characters, so check the cells that contain them"
            )
            return rows
    except csv.Error as error:
        raise SheetError(f"{path}: cannot be read as a table ({error})") from None


def _csv_rows(text: str, delimiter: str, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """Cells with the number of the line they begin in; not strict: quotes are plain characters."""
    reader = csv.reader(
        io.StringIO(text, newline=""),  # cells may hold line breaks of any kind
        delimiter=delimiter,
        strict=strict,
        quoting=csv.QUOTE_MINIMAL if strict else csv.QUOTE_NONE,
    )
    before = 0
    for cells in reader:
        yield before + 1, cells
        before = reader.line_num


def _white_space_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    lines = text.splitlines()
    filled = [line for line in lines[:_SAMPLE_ROWS] if line.strip()]
    # Columns set apart by two blanks or more may hold single blanks.
    wide = [len(re.split(r"\s{2,}", line.strip())) for line in filled]
    cut = r"\s{2,}" if wide and min(wide) == max(wide) > 1 else r"\s+"
    for number, line in enumerate(lines, start=1):
        yield number, re.split(cut, line.strip())


def _rows_of(path: Path, numbered: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    for count, (number, cells) in enumerate(numbered, start=1):
        if count > MAX_ROWS:
            raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
        trimmed = [cell.strip() for cell in cells[:MAX_COLUMNS]]
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        if trimmed:
            yield Row(number, tuple(trimmed))


# --- workbooks -------------------------------------------------------------------------------


def _read_workbook(path: Path) -> Table:
    """The first sheet with rows; formulas by their last computed value, merged cells repeated."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile:
        raise SheetError(
            f"{path}: is not a workbook, or damaged; open it in a spreadsheet program and save it "
            "as .xlsx or .csv"
        ) from None
    if unpacked > MAX_WORKBOOK_BYTES:
        raise SheetError(
            f"{path}: unpacks to {unpacked >> 20} MB, more than the "
            f"{MAX_WORKBOOK_BYTES >> 20} MB that are read; keep only the columns of coins and dies"
        )
    try:
        return _read_sheets(path)
    except (SheetError, OSError):
        raise
    # A damaged workbook makes the reader raise nearly anything: KeyError, ParseError, ValueError...
    except Exception as error:
        raise SheetError(
            f"{path}: cannot be read as a workbook ({' '.join(str(error).split())[:120]}); open it "
            "in a spreadsheet program and save it anew, or as .csv"
        ) from error


def first_row(path: Path) -> tuple[str, ...]:
    """The first row of a workbook's first sheet; empty where it cannot be read."""
    import openpyxl

    try:
        with path.open("rb") as stream:
            sheet = openpyxl.load_workbook(stream, read_only=True, data_only=True).worksheets[0]
            row = next(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS, max_row=1), ())
            return tuple("" if value is None else _as_text(value) for value in row)
    except Exception:  # read_rows tells what is wrong with it
        return ()


def _read_sheets(path: Path) -> Table:
    import warnings as python_warnings

    import openpyxl

    warnings: list[str] = []
    with path.open("rb") as stream:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")  # extensions that do not matter here
            workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        chosen, rows, others = None, [], []
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # what the file states of its size need not be true
            if chosen is None:
                rows = _sheet_rows(path, sheet, warnings)
                chosen = sheet if rows else None
            elif sheet.sheet_state == "visible" and _has_cells(sheet):
                others.append(sheet.title)
        if others:
            warnings.append(
                f"{path.name}: only its first sheet is read; not read: {', '.join(others)}"
            )
        workbook.close()
    return Table(path, tuple(rows), tuple(warnings))


def _has_cells(sheet: Any) -> bool:
    rows = islice(sheet.iter_rows(values_only=True), 50)
    return any(cell not in (None, "") for row in rows for cell in row)


def _sheet_rows(path: Path, sheet: Any, warnings: list[str]) -> list[Row]:
    rows: dict[int, list[str]] = {}
    values_by_row = sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS)
    for number, values in enumerate(values_by_row, start=1):
        if number > MAX_ROWS:
            raise SheetError(f"{path}: has more than the {MAX_ROWS} rows that are read")
        cells = ["" if value is None else _as_text(value) for value in values]
        if any(cells):
            rows[number] = cells
    _fill_merged(path, rows, _merged_areas(sheet), warnings)
    return list(_rows_of(path, sorted(rows.items())))


def _as_text(value: Any) -> str:
    """A cell as a person would write it: whole numbers without ``.0``, dates as 2024-03-01."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # 15 digits are what spreadsheet programs show of a number, of whatever they stored.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return str(value)


_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"'
)


def _merged_areas(sheet: Any) -> list[tuple[int, int, int, int]]:
    """Merged areas (first row, first column, last row, last column), rows from 1, columns from 0.

    The reader that streams rows passes over them, so the raw part is searched: inside cells a
    ``<`` cannot stand unescaped.
    """
    areas = []
    tail = b""
    with sheet._get_source() as source:
        while block := source.read(1 << 20):
            text = tail + block
            cut = text.rfind(b">") + 1
            for left, top, right, bottom in _MERGED.findall(text[:cut]):
                areas.append((int(top), _column(left), int(bottom), _column(right)))
            tail = text[cut:][-4096:]
    return areas


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _fill_merged(
    path: Path,
    rows: dict[int, list[str]],
    areas: list[tuple[int, int, int, int]],
    warnings: list[str],
) -> None:
    """Repeat the value of cells merged downwards: one die beside three coins is each coin's die.

    Only in rows that hold something else; cells merged sideways keep their value in the first.
    """
    filled = []
    left_to_fill = _MAX_FILLED
    for top, left, bottom, _ in areas:
        value = rows[top][left] if top in rows and left < MAX_COLUMNS else ""
        if not value or bottom <= top:
            continue
        left_to_fill -= bottom - top
        if left_to_fill < 0:
            raise SheetError(f"{path}: merges too many cells to be read; unmerge them")
        for number in range(top + 1, bottom + 1):
            if number in rows:
                rows[number][left] = value
        filled.append(f"rows {top} to {bottom} ({value})")
    if filled:
        more = f" and {len(filled) - 5} more" if len(filled) > 5 else ""
        warnings.append(
            f"{path.name}: merged cells were read as the same value in each of their rows: "
            f"{', '.join(filled[:5])}{more}; unmerge them if that is not meant"
        )
