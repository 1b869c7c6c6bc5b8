"""The catalogue as text: dies in the order of the chart, every coin once below its leading die."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dieindex.records import Side, other_side
from dieindex.study.analysis import DieEntry, Study
from dieindex.study.drawing import clean
from dieindex.study.material import Coin
from dieindex.study.wording import (
    FREQUENCY_HEADING,
    SAMPLING,
    attribution_words,
    coin_parts,
    decimals,
    estimate_cells,
    frequency_table,
    key_figures,
    percent,
    span,
    struck,
)
from dieindex.text import counted, unturned

_MARKUP = re.compile(r"([\\`*_{}\[\]#|~!^$@]|:(?=\S))")


def safe(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no line breaks."""
    plain = " ".join(unturned(clean(text)).split())
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _MARKUP.sub(r"\\\1", plain)
    plain = re.sub(r"^([-+=])", r"\\\1", plain)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", plain)


def markdown(study: Study) -> str:
    """The whole catalogue with the study's figures before it."""
    return "\n".join(_lines(study)).rstrip() + "\n"


def _lines(study: Study) -> Iterator[str]:
    yield f"# {safe(study.material.title)}"
    yield ""
    yield f"Die study of {counted(len(study.coins), 'coin')}. Attributions: "
    yield f"{safe(study.material.source)}."
    yield ""
    for note in study.notes:
        yield f"> {safe(note)}"
        yield ""
    yield "## Figures"
    yield ""
    yield "| | | |"
    yield "|---|---|---:|"
    for symbol, meaning, value in key_figures(study):
        yield f"| {safe(symbol)} | {safe(meaning)} | {safe(value)} |"
    yield ""
    for side in study.sides:
        yield from _estimates(study, side)
    yield safe(struck(study, study.leading))
    yield ""
    yield from frequency_lines(study)
    yield from _dies(study, study.leading)
    without = [coin for coin in study.coins if study.leading not in coin.dies]
    if without:
        yield f"### {study.leading.capitalize()} die not identified"
        yield ""
        for coin in without:
            yield coin_line(study, coin, study.leading)
        yield ""
    other = other_side(study.leading)
    if other in study.sides:
        yield f"## {other.capitalize()} dies"
        yield ""
        for entry in study.dies[other]:
            coins = ", ".join(safe(coin.name) for coin in entry.coins)
            partners = ", ".join(safe(die) for die in entry.partners) or "–"
            yield (
                f"- **{safe(entry.die)}** (group {entry.group}, "
                f"{counted(len(entry.coins), 'coin')}): with {partners}. {coins}"
            )
        yield ""


def _estimates(study: Study, side: Side) -> Iterator[str]:
    each = study.sides[side]
    yield f"## Estimated number of {side} dies"
    yield ""
    if each.band:
        yield f"{each.band.words}."
    known = each.coverage
    if known.value is not None:
        limits = f" (95 %: {span(100 * (known.low or 0), 100 * (known.high or 0), 1)}\u00a0%)"
        yield f"Coverage {percent(known.value)}{limits if known.low is not None else ''}."
    if known.note:
        yield f"{known.note[0].upper()}{known.note[1:]}."
    yield safe(attribution_words(study, side))
    yield ""
    yield f"| method | estimate | 95 % ({SAMPLING}) | attributions | assumes | source |"
    yield "|---|---:|---:|---:|---|---|"
    for found in each.estimates:
        resampled = each.doubts.estimates.get(found.method.key)
        cells = estimate_cells(found, resampled)
        assumes = found.note if found.value is None else found.method.assumes
        yield (
            f"| {found.method.name} | {' | '.join(cells)} | {safe(assumes)} | "
            f"{safe(found.method.source)} |"
        )
    if each.models:
        low, high = each.models.low, each.models.high
        yield ""
        yield f"Spread between the models: {decimals(low, 0)} to {decimals(high, 0)} dies."
    yield ""


def frequency_lines(study: Study) -> Iterator[str]:
    """The die-frequency table of every side."""
    for side in study.sides:
        left_out, rows = frequency_table(study, side)
        yield f"## Die frequency, {side}s"
        yield ""
        if left_out:
            yield safe(left_out)
            yield ""
        yield f"| {' | '.join(FREQUENCY_HEADING)} |"
        yield "|---:|---:|---:|---:|---:|---|"
        for *numbers, names in rows:
            yield f"| {' | '.join(numbers)} | {safe(names)} |"
        yield ""


def _dies(study: Study, side: Side) -> Iterator[str]:
    yield "## Catalogue"
    yield ""
    group = 0
    for entry in study.dies[side]:
        if entry.group != group and len(study.sides) == 2:
            group = entry.group
            yield f"### Linked group {group}"
            yield ""
        yield f"#### {_heading(entry)}"
        yield ""
        for coin in entry.coins:
            yield coin_line(study, coin, side)
        yield ""


def _heading(entry: DieEntry) -> str:
    words = f"{safe(entry.die)} ({counted(len(entry.coins), 'coin')}"
    if entry.doubtful:
        words += f", {entry.doubtful} doubtful"
    return words + ")"


def coin_line(study: Study, coin: Coin, below: Side) -> str:
    """One coin of the catalogue: number, name, the other die, measures, remarks."""
    parts = [safe(part) for part in coin_parts(study, coin, below)]
    number = study.number[coin.name]
    return f"- {number}. **{safe(coin.name)}**" + (": " + "; ".join(parts) if parts else "")
