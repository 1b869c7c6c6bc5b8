"""What is looked for in outputs: formulas, scripts, links, marks that turn a line, and more."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
from abuse_browser import Browser
from abuse_commands import Said

from dieindex.text import harmless

_BENEATH = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What could command a terminal, or turn its lines."""
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OWN_ADDRESSES = ("#", "data:image/jpeg;base64,", "pictures/", "plates/", "charts/")


def check_terminal(said: Said) -> None:
    assert said.code in (0, 1, 2)
    for text in (said.out, said.err):
        found = _BENEATH.search(text)
        place = found.start() if found else 0
        assert not found, f"at the terminal: {text[max(place - 60, 0) : place + 20]!r}"
    if said.out.startswith("{"):
        json.loads(said.out)


def check_folder(folder: Path, browser: Browser) -> None:
    """Every file of a study."""
    for path in sorted(folder.rglob("*")):
        suffix = path.suffix.lower()
        if suffix == ".csv":
            check_csv(path)
        elif suffix == ".xlsx":
            check_workbook(path)
        elif suffix == ".docx":
            check_word(path)
        elif suffix in (".svg", ".graphml", ".gexf"):
            check_xml(path, suffix == ".svg")
        elif suffix == ".jsonld":
            json.loads(path.read_text("utf-8"))
        elif suffix == ".md":
            check_markdown(path)
        elif suffix == ".html":
            check_page(path)
    browser.check(folder / "report.html", *sorted(folder.rglob("*.svg")))


def check_csv(path: Path) -> None:
    """No cell is a formula, read with any separator that a spreadsheet program takes."""
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            for cell in row:
                assert harmless(cell) == cell or cell.startswith("'"), f"{path.name}: {cell!r}"


def check_workbook(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{path.name}: {cell.value!r} is a formula"
                assert cell.hyperlink is None, f"{path.name}: {cell.value!r} is a link"
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if "externalLinks" in name]


def check_word(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith((".xml", ".rels")):
                continue
            text = archive.read(name).decode("utf-8")
            root = ElementTree.fromstring(text)
            assert 'TargetMode="External"' not in text, f"{name} loads something"
            tags = {each.tag.rpartition("}")[2] for each in root.iter()}
            assert not tags & {"altChunk", "object", "hyperlink"}, tags
            fields = {
                (each.text or "").split()[0] for each in root.iter()
                if each.tag.endswith("}instrText")
            }  # fmt: skip
            assert fields <= {"PAGE", "NUMPAGES", "TOC"}, fields
            _check_turning("".join(root.itertext()), path)


def check_xml(path: Path, is_drawing: bool) -> None:
    root = ElementTree.fromstring(path.read_bytes())
    for each in root.iter() if is_drawing else ():
        tag = each.tag.rpartition("}")[2]
        assert tag not in ("script", "foreignObject", "image", "a", "iframe", "animate"), tag
        for name, value in each.attrib.items():
            assert not name.lower().startswith("on"), f"{path.name}: {name}"
            assert "href" not in name or value.startswith("#"), f"{path.name}: {value}"
    if is_drawing:
        _check_turning("".join(root.itertext()), path)


def _check_turning(text: str, path: Path) -> None:
    found = _TURNING.search(text)
    assert not found, f"{path.name}: a mark turns the line {text[: found and found.end()][-60:]!r}"


def check_markdown(path: Path) -> None:
    text = path.read_text("utf-8")
    # (Lines of quotations begin with it.)
    assert not re.search(r"<|(?<!^)>(?<!\\>)", text.replace("\n>", "\n"), re.MULTILINE), "HTML"
    assert not re.search(r"(?<!\\)\]\(", text), "a link"
    _check_turning(text, path)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts, self.text = 0, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        assert tag not in ("iframe", "object", "embed", "link", "base", "form", "frame"), tag
        for name, value in attrs:
            assert not name.startswith("on"), f"<{tag} {name}={value}>"
            if name in ("src", "href", "action", "formaction", "srcset", "xlink:href", "data"):
                assert (value or "#").startswith(_OWN_ADDRESSES), f"<{tag} {name}={value}>"

    def handle_data(self, data: str) -> None:
        self.text += data


def check_page(path: Path) -> None:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    assert page.scripts == 2, f"{page.scripts} scripts"
    _check_turning(page.text, path)
