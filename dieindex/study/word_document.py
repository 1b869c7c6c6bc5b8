"""The catalogue as a Word document, written without a word processor.

A .docx is a zip of XML parts; the few that a text with headings, tables and pictures needs are
written here, so that no further package is wanted.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dieindex.records import Side, other_side
from dieindex.study.analysis import DieEntry, Study
from dieindex.study.drawing import escaped
from dieindex.study.material import Coin
from dieindex.study.pictures import as_jpeg, on_white
from dieindex.study.wording import (
    FREQUENCY_HEADING,
    JOINED_HEADING,
    SAMPLING,
    attribution_words,
    coin_parts,
    estimate_cells,
    frequency_table,
    joined_words,
    key_figures,
    percent,
    struck,
)
from dieindex.text import counted

_EMU_PER_MM = 36_000
_PICTURE_MM = 24.0
_MOST_PICTURES = 1_200
"""Dies shown with a picture; beyond, the plates have them, and the document stays usable."""
_TIME = (1980, 1, 1, 0, 0, 0)
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass
class _Document:
    body: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)

    def paragraph(self, text: str, style: str = "", *, keep: bool = False) -> None:
        self.body.append(_paragraph([_run(text)], style, keep))

    def table(self, rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """The first row is the heading; columns in ``right`` are set flush right."""
        grid = "<w:gridCol/>" * len(rows[0])
        lines = [
            '<w:tbl><w:tblPr><w:tblStyle w:val="Plain"/><w:tblW w:w="0" w:type="auto"/></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>"
        ]
        for i, row in enumerate(rows):
            heading = "<w:trPr><w:tblHeader/></w:trPr>" if i == 0 else ""
            cells = []
            for column, text in enumerate(row):
                align = '<w:jc w:val="right"/>' if column in right else ""
                cells.append(
                    f'<w:tc><w:p><w:pPr><w:spacing w:after="20"/>{align}</w:pPr>'
                    f"{_run(text, bold=i == 0, size=17)}</w:p></w:tc>"
                )
            lines.append(f"<w:tr>{heading}{''.join(cells)}</w:tr>")
        lines.append("</w:tbl>")
        self.body.append("".join(lines))
        self.paragraph("")

    def picture(self, jpeg: bytes, words: str) -> str:
        """A run that shows a picture."""
        self.pictures.append(jpeg)
        number, edge = len(self.pictures), round(_PICTURE_MM * _EMU_PER_MM)
        return (
            '<w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
            f'wordprocessingDrawing" distT="0" distB="0" distL="0" distR="0">'
            f'<wp:extent cx="{edge}" cy="{edge}"/>'
            f'<wp:docPr id="{number}" name="Picture {number}" descr="{escaped(words)}"/>'
            '<a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">'
            '<pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture">'
            f'<pic:nvPicPr><pic:cNvPr id="{number}" name="Picture {number}"/><pic:cNvPicPr/>'
            f'</pic:nvPicPr><pic:blipFill><a:blip r:embed="rIdP{number}"/><a:stretch><a:fillRect/>'
            '</a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>'
            f'<a:ext cx="{edge}" cy="{edge}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
            "</a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>"
            "</w:r>"
        )


def _run(text: str, *, bold: bool = False, italic: bool = False, size: int = 0) -> str:
    look = ("<w:b/>" if bold else "") + ("<w:i/>" if italic else "")
    look += f'<w:sz w:val="{size}"/>' if size else ""
    plain = " ".join(text.split("\n"))
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{escaped(plain)}</w:t></w:r>'


def _paragraph(runs: Sequence[str], style: str = "", keep: bool = False) -> str:
    look = (f'<w:pStyle w:val="{style}"/>' if style else "") + ("<w:keepNext/>" if keep else "")
    return f"<w:p><w:pPr>{look}</w:pPr>{''.join(runs)}</w:p>"


def write_word(study: Study, path: Path) -> None:
    """Figures, estimates and the catalogue, with a picture of every die's best coin."""
    document = _Document()
    document.paragraph(study.material.title, "Title")
    document.paragraph(
        f"Die study of {counted(len(study.coins), 'coin')}. Attributions: {study.material.source}."
    )
    for note in study.notes:
        document.paragraph(note)
    document.paragraph("Figures", "Heading1", keep=True)
    document.table([("", "", ""), *key_figures(study)], right=(2,))
    for side in study.sides:
        _write_side(document, study, side)
    document.paragraph(struck(study, study.leading))
    if study.material.spreads:
        document.paragraph(JOINED_HEADING, "Heading1", keep=True)
    for side, spread in study.material.spreads.items():
        document.paragraph(" ".join(joined_words(side, spread)))
    document.paragraph("Catalogue", "Heading1", keep=True)
    for entry in study.dies[study.leading]:
        _write_die(document, study, entry)
    without = [coin for coin in study.coins if study.leading not in coin.dies]
    if without:
        document.paragraph(
            f"{study.leading.capitalize()} die not identified", "Heading2", keep=True
        )
        for coin in without:
            document.body.append(_coin(study, coin, study.leading))
    other = other_side(study.leading)
    if other in study.sides:
        document.paragraph(f"{other.capitalize()} dies", "Heading1", keep=True)
        for entry in study.dies[other]:
            _write_other(document, study, entry)
    _save(document, path)


def _write_side(document: _Document, study: Study, side: Side) -> None:
    each = study.sides[side]
    document.paragraph(f"Die frequency, {side}s", "Heading1", keep=True)
    left_out, rows = frequency_table(study, side)
    if left_out:
        document.paragraph(left_out, keep=True)
    document.table([FREQUENCY_HEADING, *rows], right=(0, 1, 2, 3, 4))
    document.paragraph(f"Estimated number of {side} dies", "Heading1", keep=True)
    if each.band:
        document.paragraph(f"{each.band.words}; coverage {percent(each.coverage.value)}.")
    document.paragraph(attribution_words(study, side))
    table = [("method", "estimate", f"95 %: {SAMPLING}", "attributions", "assumes", "source")]
    for found in each.estimates:
        cells = estimate_cells(found, each.doubts.estimates.get(found.method.key))
        words = found.note if found.value is None else found.method.assumes
        table.append((found.method.name, *cells, words, found.method.source))
    document.table(table, right=(1, 2, 3))


def _best_picture(document: _Document, study: Study, entry: DieEntry) -> list[str]:
    face = study.gallery.large(entry.side, entry.best[0]) if entry.best else None
    if face is None or len(document.pictures) >= _MOST_PICTURES:
        return []
    words = f"{entry.side} die {entry.die}, coin {entry.best[0]}"
    return [document.picture(as_jpeg(on_white(*face)), words)]


def _write_die(document: _Document, study: Study, entry: DieEntry) -> None:
    heading = f"{entry.die} ({counted(len(entry.coins), 'coin')})"
    document.paragraph(heading, "Heading2", keep=True)
    runs = _best_picture(document, study, entry)
    if runs:
        document.body.append(_paragraph(runs, keep=True))
    for coin in entry.coins:
        document.body.append(_coin(study, coin, entry.side))


def _write_other(document: _Document, study: Study, entry: DieEntry) -> None:
    runs = _best_picture(document, study, entry)
    partners = ", ".join(entry.partners)
    coins = ", ".join(coin.name for coin in entry.coins)
    words = f" ({counted(len(entry.coins), 'coin')})" + (f" with {partners}" if partners else "")
    runs += [_run(f" {entry.die}", bold=True), _run(f"{words}: {coins}")]
    document.body.append(_paragraph(runs))


def _coin(study: Study, coin: Coin, below: Side) -> str:
    parts = list(coin_parts(study, coin, below))
    tail = ": " + "; ".join(parts) if parts else ""
    number = _run(f"{study.number[coin.name]}. ")
    return _paragraph([number, _run(coin.name, bold=True), _run(tail)], "Coin")


# --- the file ---------------------------------------------------------------------------------

_STYLES = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>
<w:rFonts w:ascii="Georgia" w:hAnsi="Georgia" w:cs="Georgia"/><w:sz w:val="20"/></w:rPr></w:rPrDefault>
<w:pPrDefault><w:pPr><w:spacing w:after="100"/></w:pPr></w:pPrDefault></w:docDefaults>
<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:rPr><w:b/><w:sz w:val="40"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:pPr><w:spacing w:before="360"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/><w:sz w:val="28"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Heading2"><w:name w:val="heading 2"/><w:pPr><w:spacing w:before="200"/><w:outlineLvl w:val="1"/></w:pPr><w:rPr><w:b/><w:sz w:val="22"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Coin"><w:name w:val="Coin"/><w:pPr><w:spacing w:after="40"/><w:ind w:left="340" w:hanging="340"/></w:pPr></w:style>
<w:style w:type="table" w:styleId="Plain"><w:name w:val="Plain Table"/><w:tblPr><w:tblBorders>
<w:top w:val="single" w:sz="8"/><w:bottom w:val="single" w:sz="8"/><w:insideH w:val="single" w:sz="2" w:color="BBBBBB"/></w:tblBorders>
<w:tblCellMar><w:right w:w="160" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>
</w:styles>"""  # noqa: E501
_TYPES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/><Default Extension="jpg" ContentType="image/jpeg"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>
</Types>"""  # noqa: E501
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def _save(document: _Document, path: Path) -> None:
    main = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<w:document xmlns:w="{_W}" xmlns:r="{_R}"><w:body>{"".join(document.body)}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" '
        'w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
        "</w:body></w:document>"
    )
    links = [f'<Relationship Id="rIdS" Type="{_R}/styles" Target="styles.xml"/>']
    links += [
        f'<Relationship Id="rIdP{i}" Type="{_R}/image" Target="media/p{i}.jpg"/>'
        for i in range(1, len(document.pictures) + 1)
    ]
    top = f'<Relationship Id="rId1" Type="{_R}/officeDocument" Target="word/document.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _part(archive, "[Content_Types].xml", _TYPES)
        _part(archive, "_rels/.rels", f'<Relationships xmlns="{_PACKAGE}">{top}</Relationships>')
        _part(archive, "word/document.xml", main)
        _part(archive, "word/styles.xml", _STYLES)
        relations = f'<Relationships xmlns="{_PACKAGE}">{"".join(links)}</Relationships>'
        _part(archive, "word/_rels/document.xml.rels", relations)
        for number, jpeg in enumerate(document.pictures, 1):
            info = zipfile.ZipInfo(f"word/media/p{number}.jpg", _TIME)
            archive.writestr(info, jpeg)


def _part(archive: zipfile.ZipFile, name: str, text: str) -> None:
    # A fixed time: equal studies are equal files.
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, text.encode("utf-8"))
