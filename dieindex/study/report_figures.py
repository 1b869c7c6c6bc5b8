"""The report's numbers: figures and die frequency, estimates, weights, axes and certainties."""

from __future__ import annotations

from collections.abc import Iterator

from dieindex.records import SIDES, Side
from dieindex.study.analysis import Study
from dieindex.study.charts import (
    accumulation_chart,
    axis_rose,
    certainty_chart,
    estimates_chart,
    frequency_chart,
    weights_chart,
)
from dieindex.study.drawing import Drawing, escaped
from dieindex.study.estimators import NO_LIMITS
from dieindex.study.pair_chart import pair_chart
from dieindex.study.wording import (
    FREQUENCY_HEADING,
    JOINED_HEADING,
    SAMPLING,
    attribution_words,
    decimals,
    estimate_cells,
    frequency_table,
    joined_words,
    key_figures,
    percent,
    span,
    span_of,
    struck,
    whole,
)


def figures(study: Study) -> Iterator[str]:
    yield '<section id="figures"><div class="keys">'
    for value, words in _keys(study):
        yield f"<div><b>{value}</b><span>{words}</span></div>"
    yield "</div>"
    if study.notes:
        yield '<div class="notes">' + "".join(f"<p>{escaped(note)}</p>" for note in study.notes[:6])
        if len(study.notes) > 6:
            yield f'<p>{len(study.notes) - 6} more under <a href="#notes">Notes</a>.</p>'
        yield "</div>"
    yield '<h2>Figures</h2><div class="two"><div class="scroll"><table class="figures">'
    rows = key_figures(study)
    for symbol, meaning, value in rows:
        yield (
            f'<tr><td class="sym">{_symbol(symbol)}</td><td>{escaped(meaning)}</td>'
            f'<td class="n">{escaped(value)}</td></tr>'
        )
    yield "</table></div><div>"
    for each in study.sides.values():
        yield _figure(frequency_chart(each.counts))
    yield "</div></div>"
    for side in study.sides:
        left_out, frequencies = frequency_table(study, side)
        yield f"<h3>Die frequency, {side}s</h3>"
        if left_out:
            yield f'<p class="small">{escaped(left_out)}</p>'
        heading = "".join(f'<th class="n">{words}</th>' for words in FREQUENCY_HEADING[:-1])
        yield (
            f'<div class="scroll"><table class="frequency"><thead><tr>{heading}<th>names</th></tr>'
            "</thead><tbody>"
        )
        for *numbers, names in frequencies:
            cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
            yield f'<tr>{cells}<td class="names">{escaped(names)}</td></tr>'
        yield "</tbody></table></div>"
    yield "</section>"


def _symbol(symbol: str) -> str:
    text = escaped(symbol)
    return text.replace("o1", "o<sub>1</sub>").replace("r1", "r<sub>1</sub>")


def _keys(study: Study) -> Iterator[tuple[str, str]]:
    yield whole(len(study.coins)), "coins"
    for side in SIDES:
        if side in study.sides:
            counts = study.sides[side].counts
            yield whole(counts.sample.d), f"{side} dies ({counts.sample.d1} from one coin)"
    for side in SIDES:
        if side in study.sides:
            yield decimals(study.sides[side].counts.coins_per_die), f"coins per {side} die"
    if study.counts.links is not None:
        yield whole(study.counts.links.groups), "linked groups"
    each = study.sides[study.leading]
    if each.models:
        yield span_of(each.models), f"{study.leading} dies estimated (range of the models)"


def _figure(drawing: Drawing | None, caption: str = "", kind: str = "") -> str:
    if drawing is None:
        return ""
    words = f"<figcaption>{caption}</figcaption>" if caption else ""
    inner = drawing.svg(standalone=False)
    if kind == "wide":
        inner = f'<div class="scroll">{inner}</div>'
    return f'<figure class="chart {kind}">{inner}{words}</figure>'


def estimates(study: Study) -> Iterator[str]:
    yield '<section id="estimates" class="break"><h2>Original number of dies</h2>'
    yield (
        "<p>Every estimate rests on a model of how unequally the dies struck. The models differ by "
        "more than the sampling error, so several are given; limits are the "
        f"<em>{SAMPLING}</em> and no more. Where a source gives none, none are given here.</p>"
    )
    for side in study.sides:
        yield from _side_estimates(study, side)
    yield "</section>"


def _side_estimates(study: Study, side: Side) -> Iterator[str]:
    each = study.sides[side]
    sample, known = each.counts.sample, each.coverage
    yield f"<h3>{side.capitalize()}s: {sample.n} coins, {sample.d} dies</h3>"
    sentences = []
    if each.band:
        sentences.append(f"<strong>{escaped(each.band.words)}</strong>")
    if known.value is not None:
        words = f"coverage {percent(known.value)}"
        if known.low is not None and known.high is not None:
            words += f" (95 % limits {span(100 * known.low, 100 * known.high, 1)}\u00a0%)"
        sentences.append(words)
    if known.note:
        sentences.append(escaped(known.note))
    yield "<p>" + ". ".join(text[0].upper() + text[1:] for text in sentences) + ".</p>"
    yield f"<p>{escaped(attribution_words(study, side))}</p>"
    yield (
        '<div class="scroll"><table class="estimates"><thead><tr><th>method</th>'
        '<th class="n">estimate</th>'
        f'<th class="n w">95 % limits:<br>{SAMPLING}</th><th class="n">95 %:<br>attributions</th>'
        "<th>assumption, formula and source</th></tr></thead><tbody>"
    )
    for found in each.estimates:
        value, limits, resampled = estimate_cells(
            found, each.doubts.estimates.get(found.method.key)
        )
        method = found.method
        note = f"<strong>{escaped(found.note)}</strong>; " if found.value is None else ""
        yield (
            f'<tr><td>{escaped(method.name)}</td><td class="n">{value}</td>'
            f'<td class="n">{limits}</td><td class="n">{resampled}</td>'
            f'<td class="what">{note}{escaped(method.assumes)}<span class="small">'
            f"D = {escaped(method.formula)}. {escaped(method.source)}."
            f"{_limit_words(method.limits)}</span></td></tr>"
        )
    yield "</tbody></table></div>"
    if each.models:
        models = f"<strong>{span_of(each.models)}</strong>"
        yield f"<p>Spread between the models: {models} {side} dies.</p>"
    if side == study.leading:
        yield f'<div class="assumption">{escaped(struck(study, side))}</div>'
    yield '<div class="two">'
    yield _figure(
        estimates_chart(side, sample.d, each.estimates, each.doubts.estimates),
        f"Bars: {SAMPLING}, where the source gives limits"
        + ("; grey: doubtful attributions sampled anew." if each.doubts.estimates else "."),
    )
    yield _figure(
        accumulation_chart(each.counts, each.estimates),
        "Line: dies among that many coins sampled from these, on average; dashed: what further "
        "coins would bring by Chao1. Grey: from the lowest to the highest estimate.",
    )
    yield "</div>"


def _limit_words(limits: str) -> str:
    return "" if limits == NO_LIMITS else f" Limits {escaped(limits)}."


def has_measures(study: Study) -> bool:
    return any(k.weight is not None or k.axis is not None for k in study.known.values()) or any(
        each.doubts.stated for each in study.sides.values()
    )


def measures_title(study: Study) -> str:
    known = study.known.values()
    parts = ["weights"] if any(each.weight is not None for each in known) else []
    parts += ["axes"] if any(each.axis is not None for each in known) else []
    parts += ["certainty"] if any(each.doubts.stated for each in study.sides.values()) else []
    return ", ".join(parts).capitalize()


def measures(study: Study) -> Iterator[str]:
    if not has_measures(study):
        return
    yield '<section id="measures"><h2>' + measures_title(study) + "</h2>"
    for side in study.sides:
        yield _figure(weights_chart(side, study.weights_of(side)), kind="wide")
    axes = [known.axis for known in study.known.values() if known.axis is not None]
    yield '<div class="two">'
    yield _figure(axis_rose(axes), "The area of a sector is the number of coins.", "rose")
    for side in study.sides:
        yield _figure(certainty_chart(side, study.certainties_of(side)))
    yield "</div></section>"


def joined(study: Study) -> Iterator[str]:
    """Why coins were joined, of sides whose dies dieindex found."""
    spreads = study.material.spreads
    if not spreads:
        return
    yield f'<section id="joined"><h2>{JOINED_HEADING}</h2>'
    yield (
        "<p>Every pair of coins has a score: the higher, the more its pictures speak for one die. "
        "What a score means differs from collection to collection, and so it is read from the "
        "pairs of this one. They are of two kinds, of different dies and of one; where the lines "
        "of the two cross, both are equally likely.</p>"
    )
    yield '<div class="two">'
    for side, spread in spreads.items():
        words = escaped(" ".join(joined_words(side, spread)))
        yield _figure(pair_chart({side: spread}), words)
    yield "</div></section>"
