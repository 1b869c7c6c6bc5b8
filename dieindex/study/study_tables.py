"""The study's tables: dies.csv, coins.csv and the workbook study.xlsx."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from dieindex.collection.sheets.files import OUTPUT_MARK, STUDY_HEADERS, VERDICT_HEADER
from dieindex.records import OBVERSE, SIDES
from dieindex.study.analysis import Study, mean_weight
from dieindex.study.attributes import number
from dieindex.study.die_tables import MOST_LETTERS, Cell
from dieindex.study.drawing import clean
from dieindex.study.estimators import reliability
from dieindex.study.wording import SAMPLING, TEXT_LABELS, attribution_words, key_figures, struck
from dieindex.text import csv_text

DIE_HEADER = (
    *STUDY_HEADERS[0],
    "singleton",
    "linked_group",
    "partners",
    "doubtful",
    "lowest_certainty",
    "mean_weight_g",
    "best_preserved",
    "members",
)
REVIEW_HEADER = (*VERDICT_HEADER, "by", "note", "time", "standing")
"""As verdicts are imported and exported, and what became of each in the study."""


def die_rows(study: Study) -> Iterator[list[Cell]]:
    """One row a die, in the order of the chart; columns as DIE_HEADER."""
    for side in SIDES:
        for entry in study.dies.get(side, ()):
            stated = [
                value for coin in entry.coins if (value := coin.dies[side].certainty) is not None
            ]
            weight = mean_weight(entry, study.known)
            yield [
                side,
                entry.die,
                len(entry.coins),
                "yes" if len(entry.coins) == 1 else "no",
                entry.group,
                "; ".join(f"{die} ({coins})" for die, coins in entry.partners.items()),
                entry.doubtful,
                None if not stated else round(min(stated), 4),
                None if weight is None else round(weight, 3),
                entry.best[0] if entry.best else "",
                "; ".join(coin.name for coin in entry.coins),
            ]


def coin_header(study: Study) -> list[str]:
    """Own columns first, then those of the sheet that were not recognised."""
    own = [*STUDY_HEADERS[1], "linked_group"]
    for side in SIDES:
        own += [f"{side}_die", f"{side}_certainty", f"{side}_basis", f"{side}_author"]
    header = [*own, "weight_g", "axis_h", "diameter_mm", *TEXT_LABELS, "photographs"]
    for name in _unrecognised(study):
        header.append(_unlike(name, header))
    return header


def _unlike(name: str, others: Sequence[str]) -> str:
    """A name no other column has, to a reader who tells neither case nor blanks apart."""
    taken = {each.strip().casefold() for each in others}
    name = name.strip() or "column"
    shown, number = name, 1
    while shown.casefold() in taken:
        number += 1
        shown = f"{name} (sheet)" if number == 2 else f"{name} (sheet {number - 1})"
    return shown


def _unrecognised(study: Study) -> list[str]:
    return list(dict.fromkeys(name for coin in study.coins for name in study.known[coin.name].rest))


def coin_rows(study: Study) -> Iterator[list[Cell]]:
    """One row a coin, in the order of the catalogue; columns as ``coin_header``."""
    group = {
        (entry.side, entry.die): entry.group for side in study.dies for entry in study.dies[side]
    }
    others = _unrecognised(study)
    for coin in study.coins:
        known = study.known[coin.name]
        groups = [group[side, each.die] for side, each in coin.dies.items()]
        row: list[Cell] = [coin.name, study.number[coin.name], groups[0] if groups else None]
        for side in SIDES:
            held = coin.dies.get(side)
            if held is None:
                row += ["", None, "", ""]
            else:
                certainty = None if held.certainty is None else round(held.certainty, 4)
                row += [held.die, certainty, held.basis, held.author or study.material.author]
        row += [known.weight, known.axis, known.diameter]
        row += [known.texts.get(key, "") for key in TEXT_LABELS]
        row.append("; ".join(coin.photographs))
        row += [known.rest.get(name, "") for name in others]
        yield row


def review_rows(study: Study) -> Iterator[list[Cell]]:
    """One row a verdict of a person, the earliest first; columns as REVIEW_HEADER."""
    for known in study.material.reviews:
        r = known.review
        yield [r.coin_a, r.coin_b, r.side, r.verdict, r.by, r.note, r.time, known.standing]


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as a CSV that no spreadsheet program takes for formulas."""
    return csv_text([header, *rows])


def write_workbook(study: Study, path: Path) -> None:
    """All tables in one workbook, marked as dieindex's own output."""
    book = Workbook(write_only=True)
    book.properties.creator = "dieindex"
    book.properties.title = clean(study.material.title)[:200]
    book.properties.keywords = OUTPUT_MARK
    _fill(book, "summary", ("symbol", "meaning", "value"), _summary(study), (12, 56, 16))
    header: tuple[str, ...] = ("side", "method", "estimate", "low", "high", "attributions low",
              "attributions high", "limits", "formula", "assumes", "source", "note")  # fmt: skip
    widths: tuple[int, ...] = (10, 30, 10, 10, 10, 16, 16, 34, 34, 44, 28, 60)
    _fill(book, "estimates", header, _estimates(study), widths)
    header = ("side", "coins per die", "dies", "% of dies", "coins", "% of coins", "names")
    _fill(book, "die frequency", header, _frequencies(study), (10, 14, 8, 11, 8, 11, 80))
    widths = (10, 18, 8, 10, 13, 30, 10, 17, 15, 18, 60)
    _fill(book, "dies", DIE_HEADER, die_rows(study), widths)
    _fill(book, "coins", coin_header(study), coin_rows(study), (18, 12, 13, 14, 12, 12, 14))
    _fill(
        book, "links", ("obverse", "reverse", "coins", "doubtful"), _links(study), (18, 18, 8, 10)
    )
    if study.material.reviews:
        widths = (18, 18, 10, 11, 18, 60, 22, 16)
        _fill(book, "reviews", REVIEW_HEADER, review_rows(study), widths)
    _fill(book, "notes", ("note",), _notes(study), (120,))
    book.save(path)


def _fill(
    book: Any,
    title: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    widths: Sequence[int],
) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = width

    def text(value: str, bold: bool = False) -> Any:
        cell = WriteOnlyCell(sheet, clean(value)[:MOST_LETTERS])
        # A name such as "=1+1" is text, never a formula.
        cell.data_type = "s"
        if bold:
            cell.font = Font(bold=True)
        return cell

    sheet.append([text(name, True) for name in header])
    for row in rows:
        sheet.append([text(cell) if isinstance(cell, str) and cell else cell or None
                      if not isinstance(cell, (int, float)) else cell for cell in row])  # fmt: skip


def _summary(study: Study) -> Iterator[list[Cell]]:
    yield ["", "study", study.material.title]
    yield ["", "attributions from", study.material.source]
    for symbol, meaning, value in key_figures(study):
        as_number = number(value) if "%" not in value else None
        yield [symbol, meaning, value if as_number is None else as_number]
    for side, each in study.sides.items():
        band = reliability(each.counts.sample)
        yield ["", f"reliability by n/d, {side}s", band.words if band else ""]


def _estimates(study: Study) -> Iterator[list[Cell]]:
    for side, each in study.sides.items():
        known = each.coverage
        yield [
            side, "coverage", _rounded(known.value, 4), _rounded(known.low, 4),
            _rounded(known.high, 4), None, None, "Esty 1986, Lyon 1989", "1 − d1/n", "",
            "Good 1953; Esty 1984", known.note,
        ]  # fmt: skip
        for found in each.estimates:
            resampled = each.doubts.estimates.get(found.method.key)
            limits = found.method.limits
            if found.low is not None:
                limits = f"{SAMPLING}; {limits}"
            yield [
                side, found.method.name, _rounded(found.value, 2), _rounded(found.low, 2),
                _rounded(found.high, 2), _rounded(resampled.low, 2) if resampled else None,
                _rounded(resampled.high, 2) if resampled else None, limits, found.method.formula,
                found.method.assumes, found.method.source, found.note,
            ]  # fmt: skip


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _frequencies(study: Study) -> Iterator[list[Cell]]:
    for side, each in study.sides.items():
        sample = each.counts.sample
        for row in each.counts.frequencies:
            yield [
                side, row.coins_per_die, len(row.dies), round(100 * len(row.dies) / sample.d, 2),
                row.coins, round(100 * row.coins / sample.n, 2), ", ".join(row.dies),
            ]  # fmt: skip


def _links(study: Study) -> Iterator[list[Cell]]:
    doubtful = study.doubtful_links
    for entry in study.dies.get(OBVERSE, ()):
        for partner, coins in entry.partners.items():
            unsure = "yes" if (entry.die, partner) in doubtful else "no"
            yield [entry.die, partner, coins, unsure]


def _notes(study: Study) -> Iterator[list[Cell]]:
    for side in study.sides:
        yield [attribution_words(study, side)]
    yield [struck(study, study.leading)]
    for note in study.notes:
        yield [note]
