"""Abuse by what is read: damaged pictures in a collection, damaged and swollen sheets."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import openpyxl
from abuse_commands import Bench, Try, run
from abuse_damage import (
    PICTURE_DAMAGES,
    PICTURE_KINDS,
    SHEET_DAMAGES,
    as_kind,
    cut,
    forged,
    in_parts,
)
from openpyxl.cell import WriteOnlyCell

from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue

PICTURES = 9
"""Damaged pictures of a try, beside two sound ones."""
LONGEST_MESSAGE = 300
OLD_EXCEL = Path(__file__).with_name("abuse_old_excel.xls")
Rows = list[list[object]]
ROWS: Rows = [
    ["coin", "obverse", "reverse"],
    *([n, f"O{n // 2}", f"R{n // 3}"] for n in range(1, 25)),
]


def damaged_pictures(bench: Bench, place: Path, rng: random.Random) -> None:
    """Every picture is in the index or listed with a reason; one that was cut, or tells a forged
    size, is listed, or no face of it is sure."""
    data, index, harmed = place / "coins", place / "index", set()
    data.mkdir()
    for picture in bench.pictures[:2]:
        shutil.copy(picture, data)
    for number in range(PICTURES):
        suffix, damage = rng.choice(list(PICTURE_KINDS)), rng.choice(PICTURE_DAMAGES)
        whole = as_kind(rng.choice(bench.pictures[2:]), suffix)
        content = damage(whole, rng)
        name = f"9{number}.{suffix}"
        (data / name).write_bytes(content)
        # (What a decoder needs may end a little before the file does.)
        if damage is forged or (damage is cut and len(content) < 0.9 * len(whole)):
            harmed.add(name)
    said = run("build", data, "--index", index, "--json")
    assert said.code in (0, 1), said.err[-300:]
    document = json.loads(said.out)
    reasons = {each["file"]: each["reason"] for each in document["skipped"]}
    for file, reason in reasons.items():
        assert 0 < len(reason) <= LONGEST_MESSAGE, f"{file}: {reason[:400]}"
        assert file in said.err
    with Catalogue.open(index) as catalogue:
        rows = [catalogue.face_rows(side) for side in SIDES]
    sure = {each.files[at] for each in rows for at in each.sure.nonzero()[0]}
    assert document["faces"]["obverse"] + len(reasons) == PICTURES + 2, "a picture is not told of"
    missed = harmed & sure
    assert not missed, f"{sorted(missed)}: damaged, and taken as sure"


def workbook(rows: Rows) -> bytes:
    book, stream = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet("dies")
    for row in rows:
        sheet.append([WriteOnlyCell(sheet, cell) for cell in row])
    book.save(stream)
    return stream.getvalue()


def open_document(rows: Rows) -> bytes:
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    cells = (
        "".join(
            f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row
        )
        for row in rows
    )  # fmt: skip
    lines = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        table = f'<table:table table:name="D">{lines}</table:table>'
        archive.writestr("content.xml", f"<office:document{names}>{table}</office:document>")
    return stream.getvalue()


def text(rows: Rows) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


SHEETS: dict[str, Callable[[Rows], bytes]] = {
    "csv": text, "xlsx": workbook, "ods": open_document,
    "xls": lambda rows: OLD_EXCEL.read_bytes(),
}  # fmt: skip


def damaged_sheet(suffix: str, bench: Bench, place: Path, rng: random.Random) -> None:
    """A short message, or a study; of an archive, whose sums tell of damage, the right one."""
    whole = SHEETS[suffix](ROWS)
    damage, in_part = rng.choice(SHEET_DAMAGES), False
    if suffix in ("xlsx", "ods"):
        in_part = rng.random() < 0.5
    content = in_parts(whole, rng, damage) if in_part else damage(whole, rng)
    document = _read(place / f"dies.{suffix}", content, place)
    if document is not None and suffix in ("xlsx", "ods") and not in_part:
        assert document["coins"] == len(ROWS) - 1, "read otherwise, without a word"


def swollen_sheet(bench: Bench, place: Path, rng: random.Random) -> None:
    """Long cells, wide and long tables, archives that unpack to far more than they are."""
    suffix = rng.choice(("csv", "xlsx", "ods"))
    rows: Rows = [list(row) for row in ROWS]
    way = rng.choice(("cell", "cells", "wide", "long", "quote", "bomb", "bomb", "parts"))
    if way == "cell":
        rows[rng.randrange(len(rows))][rng.randrange(3)] = "O" * 10 ** rng.randrange(4, 7)
    elif way == "cells":
        rows = [[f"{cell}{'x' * 30_000}" for cell in row] for row in rows]
    elif way == "wide":
        rows = [[*row, *range(rng.choice((300, 16_000)))] for row in rows]
    elif way == "long":
        rows += [[f"c{n}", "O1", "R1"] for n in range(rng.choice((5_000, 60_000)))]
    elif way == "quote":
        rows[3][1] = '"O'
    if way not in ("bomb", "parts") or suffix == "csv":
        content = SHEETS[suffix](rows)
    else:
        content = _bomb(SHEETS[suffix](rows), way, rng)
    _read(place / f"dies.{suffix}", content, place)


def _bomb(content: bytes, way: str, rng: random.Random) -> bytes:
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        if way == "parts":
            for number in range(20_000):
                archive.writestr(f"xl/worksheets/sheet9{number}.xml", b"<a/>")
        else:
            name = rng.choice(("xl/sharedStrings.xml", "xl/big.xml", "docProps/core.xml"))
            with archive.open(name, "w", force_zip64=True) as part:
                for _ in range(rng.choice((100, 600))):
                    part.write(bytes(1 << 20))
    return stream.getvalue()


def _read(path: Path, content: bytes, place: Path) -> dict[str, object] | None:
    """The figures of a study of a sheet, None where it is refused with a short message."""
    path.write_bytes(content)
    said = run("study", "--table", path, "--out", place / "study", "--json")
    if said.code == 0:
        document: dict[str, object] = json.loads(said.out)
        return document
    message = said.error.replace(str(path), path.name)
    assert message, f"exit {said.code} without a word"
    assert len(message) <= LONGEST_MESSAGE, f"{len(message)} characters: {message[:500]}"
    return None


KINDS: dict[str, Try] = {
    "damaged pictures": damaged_pictures,
    **{f"damaged {suffix}": partial(damaged_sheet, suffix) for suffix in SHEETS},
    "swollen sheet": swollen_sheet,
}
