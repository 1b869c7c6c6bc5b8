"""Read a table of text cells from .csv (any usual delimiter and encoding) or .xlsx, bounded.

Nothing is guessed about meaning here; ``sheets`` finds out what the columns are.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from dieindex.collection.sheets.old_workbooks import read_old_workbook
from dieindex.collection.sheets.opendocument import read_opendocument
from dieindex.collection.sheets.raw_rows import MAX_ROWS, Row, Table, rows_of
from dieindex.collection.sheets.workbooks import WORKBOOK_SUFFIXES, read_workbook
from dieindex.errors import SheetError

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ".xls", ".ods", ""})
"""Other text (a page, a program) would be read as a table of nonsense; .xls and .ods are often
text with tabs."""
UNREAD_TABLES = {
    ".numbers": "is not read; export it from Numbers as CSV or Excel (File > Export To)",
    ".gsheet": "is a link, not a table; download it as .xlsx or .csv",
    ".xlsb": "is not read; save it as .xlsx or .csv",
    ".fods": "is not read; save it as .ods, .xlsx or .csv",
    ".wk1": "is not read; save it as .xlsx or .csv",
    ".dbf": "is not read; save it as .xlsx or .csv",
    ".sav": "is not read; export it as .csv",
    ".rds": "is not read; write it with write.csv",
    ".parquet": "is not read; save it as .csv",
}
"""Tables that are known by their suffix, and what to do with them."""
MAX_TEXT_BYTES = 128 << 20
_OLE = b"\xd0\xcf\x11\xe0"

_DELIMITERS = "\t;,|"
_STATED = re.compile(r"[\r\n]*sep=([^\r\n])\r*(?:\n|$)", re.IGNORECASE)
"""How Excel marks its delimiter."""
_SAMPLE_ROWS = 200
_SAMPLE_LETTERS = 200_000
_WIDEST_LINE = 2_000


def read_rows(path: Path) -> Table:
    """Every row of ``path`` that is not blank, as trimmed text; of a workbook its first sheet that
    shows any.

    Raises SheetError: missing, not readable, not text and no workbook, too large.
    """
    tables = read_tables(path)
    shown = [table for table in tables if not table.hidden] or tables
    return shown[0] if shown else Table(path, ())


def read_tables(path: Path, most_rows: int = MAX_ROWS, only: str | None = None) -> list[Table]:
    """The sheets of a workbook that hold anything, or the one called ``only``, of each the first
    ``most_rows``; a file of text is one table. What a file is, its content tells, not its name.

    Raises SheetError as ``read_rows`` does.
    """
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            head = stream.read(1024)
        if suffix in UNREAD_TABLES:
            raise SheetError(f"{path}: {UNREAD_TABLES[suffix]}")
        if head.startswith(b"PK\x03\x04"):
            if b"opendocument" in head or suffix == ".ods":
                return read_opendocument(path, most_rows, only)
            return read_workbook(path, most_rows, only)
        if suffix in WORKBOOK_SUFFIXES and not head.startswith(_OLE):
            return read_workbook(path, most_rows, only)
        if head.startswith(_OLE):
            return read_old_workbook(path, most_rows, only)
        if re.match(rb"\s*(<\?xml|<!doctype|<html|<table)", head, re.IGNORECASE):
            raise SheetError(
                f"{path}: is a page of the web or XML, not a table; open it in a spreadsheet "
                "program and save it as .xlsx or .csv"
            )
        if suffix not in TEXT_SUFFIXES:
            raise SheetError(
                f"{path}: is no sheet by its name; give one that ends in .csv or .xlsx"
            )
        return [_read_text(path)]
    except FileNotFoundError:
        raise SheetError(f"{path}: there is no such sheet") from None
    except IsADirectoryError:
        raise SheetError(f"{path}: is a folder, not a sheet (.xlsx or .csv)") from None
    except OSError as error:
        raise SheetError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_text(path: Path) -> Table:
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise SheetError(
            f"{path}: has {size >> 20} MB, more than the {MAX_TEXT_BYTES >> 20} MB that are read; "
            "keep only the columns of coins and dies"
        )
    text = decode_text(path.read_bytes(), path)
    stated = _STATED.match(text)
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
    # Ÿ, Š and Ž inside a word are ü, ä and é of old Macs.
    old = ("mac-roman",) if re.search(rb"[A-Za-z][\x8a\x8e\x9f][a-z]", raw) else ("cp1252",)
    for encoding in ("utf-8", *old):
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


@dataclass(frozen=True)
class WrittenTable:
    """A table of text for who changes it: every row as it is written, line break included, with its
    trimmed cells (none where it is blank, or says what sets cells apart); what sets cells apart,
    what ends a line, and the mark that the file begins with."""

    lines: tuple[tuple[str, tuple[str, ...]], ...] = ()
    delimiter: str = ","
    newline: str = "\n"
    mark: str = ""


def read_lines(path: Path) -> WrittenTable:
    """A table of text as it is written. Raises SheetError for one that is none, or whose cells are
    set apart by blanks, or whose quotation marks do not match: nothing can be added to these."""
    raw = path.read_bytes()
    text = decode_text(raw, path)
    # (What is not UTF-8 becomes it, and says so: spreadsheet programs ask for that.)
    plain = text.encode(errors="replace") == raw
    stated = _STATED.match(text)
    delimiter = stated.group(1) if stated else find_delimiter(text)
    lines = list(io.StringIO(text, newline=""))
    if delimiter is None:
        if any(len(line.split()) > 1 and not line.startswith("#") for line in lines):
            raise SheetError(f"{path}: its columns are set apart by blanks; save it with commas")
        delimiter = ","
    try:
        rows = [(line - 1, cells) for line, cells in _csv_rows(text, delimiter, strict=True)]
    except csv.Error as error:
        raise SheetError(f"{path}: a quotation mark is missing or too much ({error})") from None
    ends = [*(start for start, _ in rows[1:]), len(lines)]
    written = []
    for (start, cells), end in zip(rows, ends, strict=True):
        says = stated and "".join(lines[:end]).strip() == stated.group(0).strip()
        trimmed = () if says else tuple(cell.strip() for cell in cells)
        written.append(("".join(lines[start:end]), trimmed))
    return WrittenTable(
        tuple(written),
        delimiter,
        "\r\n" if "\r\n" in text else "\n",
        "" if plain else "\ufeff",
    )


def _parse(path: Path, text: str, delimiter: str | None, warnings: list[str]) -> list[Row]:
    try:
        if delimiter is None:
            return list(rows_of(path, _white_space_rows(text), warnings))
        try:
            return list(rows_of(path, _csv_rows(text, delimiter, strict=True), warnings))
        except csv.Error:
            rows = list(rows_of(path, _csv_rows(text, delimiter, strict=False), warnings))
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
    starts = _column_starts(filled) if wide and min(wide) < max(wide) else []
    cut = r"\s{2,}" if wide and min(wide) == max(wide) > 1 else r"\s+"
    for number, line in enumerate(lines, start=1):
        if len(starts) > 1:
            yield number, [line[a:b].strip() for a, b in pairwise([*starts, None])]
        else:
            yield number, re.split(cut, line.strip())


def _column_starts(lines: Sequence[str]) -> list[int]:
    """Where columns begin that all lines set apart by two blanks or more, cells left blank or not;
    none where a line has a tab, or no such columns are there."""
    longest = max(map(len, lines))
    if longest > _WIDEST_LINE or any("\t" in line for line in lines):
        return []
    blank = [all(line[at : at + 1] in (" ", "") for line in lines) for at in range(longest)]
    first = blank.index(False)
    return [first] + [
        at for at in range(first + 3, longest) if blank[at - 2 : at + 1] == [True, True, False]
    ]
