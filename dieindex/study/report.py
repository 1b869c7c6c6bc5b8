"""report.html: the whole study on one page that needs no network and prints.

All pictures are inside the page while they are few; of large collections they lie beside it in
``pictures/`` and are loaded when they come into view. Text from sheets and file names is escaped
wherever it stands; a content policy keeps the page from loading anything else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from dieindex.records import OBVERSE, SIDES, Side
from dieindex.study import report_catalogue
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
from dieindex.study.graphs import die_ids
from dieindex.study.link_chart import Chart
from dieindex.study.pictures import as_jpeg, on_white
from dieindex.study.words import (
    FREQUENCY_HEADING,
    SAMPLING,
    attribution_words,
    decimals,
    estimate_cells,
    frequency_table,
    key_figures,
    percent,
    plural,
    span,
    span_of,
    struck,
    whole,
)
from dieindex.version import VERSION

EMBEDDED_UP_TO = 24 << 20
"""Bytes of pictures that go into the page itself; beyond, they lie beside it."""
_STRIP_SHAPES = (1.24, 1.40)
"""Height of a printed strip of the chart, in widths: of the first, below a heading, and others."""
_MOST_STRIPS = 12
_LISTED_GROUPS = 400


@dataclass
class Page:
    """The report and the pictures that lie beside it, by their path below its folder."""

    html: str
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Pictures:
    """Where the page finds a coin's picture: inside it, or beside it."""

    study: Study
    inside: bool
    beside: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study) -> Pictures:
        dies = sum(len(entries) for entries in study.dies.values())
        small = sum(map(len, study.gallery.small.values()))
        return cls(
            study, small + 2 * 14_000 * (dies if study.gallery.small else 0) < EMBEDDED_UP_TO
        )

    def small(self, side: Side, coin: str) -> str | None:
        """The ``src`` of a coin's small picture; None where there is none."""
        jpeg = self.study.gallery.small.get((side, coin))
        if jpeg is None:
            return None
        if self.inside:
            return _data(jpeg)
        path = f"pictures/{side}-{self.study.number[coin]}.jpg"
        self.beside[path] = jpeg
        return path

    def large(self, side: Side, coin: str) -> str | None:
        """The ``src`` of a die's picture."""
        if not self.inside:
            return self.small(side, coin)
        face = self.study.gallery.large(side, coin)
        return None if face is None else _data(as_jpeg(on_white(*face), 86))

    @property
    def lazy(self) -> str:
        return "" if self.inside else ' loading="lazy"'


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def render(study: Study, chart: Chart, plates: int) -> Page:
    """The report. ``plates`` is the number of plates that lie beside it."""
    pictures = Pictures.of(study)
    body = "\n".join(_body(study, chart, pictures, plates))
    assets = files("dieindex.study") / "assets"
    style = (assets / "report.css").read_text(encoding="utf-8")
    script = (assets / "report.js").read_text(encoding="utf-8")
    policy = (
        "default-src 'none'; img-src data: 'self' file:; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'"
    )
    html = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="dieindex {escaped(VERSION)}">\n'
        f"<title>{escaped(study.material.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'{body}\n<script type="application/json" id="study-data">{_script_data(study)}</script>\n'
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )
    return Page(html, pictures.beside)


def _script_data(study: Study) -> str:
    """What the chart's script needs, as JSON that cannot end its element."""
    ids = die_ids(study)
    dies = {
        ids[entry.side, entry.die]: {
            "n": entry.die,
            "s": entry.side[0],
            "g": entry.group,
            "c": [study.number[coin.name] for coin in entry.coins],
            "b": [study.number[name] for name in entry.best[:3]],
        }
        for side in SIDES
        for entry in study.dies.get(side, ())
    }
    document = {"dies": dies, "coins": [coin.name for coin in study.coins]}
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _body(study: Study, chart: Chart, pictures: Pictures, plates: int) -> Iterator[str]:
    title = escaped(study.material.title)
    linked = len(study.sides) == 2
    shown = bool(study.gallery.small)
    links = [("figures", "Figures"), ("links", "Die links" if linked else "Dies")]
    links += [("estimates", "Estimates")]
    if _has_measures(study):
        links.append(("measures", _measures_title(study)))
    if shown:
        links.append(("plates", "Plates"))
    links += [("catalogue", "Catalogue"), ("notes", "Notes")]
    yield f'<header class="top"><h1>{title}</h1>'
    yield f'<p class="lead">{_lead(study)}</p></header>'
    yield "<nav><div>" + "".join(f'<a href="#{a}">{b}</a>' for a, b in links) + "</div></nav>"
    yield "<main>"
    yield from _figures(study)
    yield from _links(study, chart, linked)
    yield from _estimates(study)
    yield from _measures(study)
    if shown:
        yield from report_catalogue.plates(study, pictures, plates)
    yield from report_catalogue.catalogue(study, pictures)
    yield from _notes(study)
    yield "</main>"


def _lead(study: Study) -> str:
    dies = " and ".join(
        plural(each.counts.sample.d, f"{side} die") for side, each in study.sides.items()
    )
    return (
        f"A die study of {plural(len(study.coins), 'coin')} from {escaped(dies)}. "
        f"Attributions: {escaped(study.material.source)}."
    )


# --- figures ----------------------------------------------------------------------------------


def _figures(study: Study) -> Iterator[str]:
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


# --- the chart --------------------------------------------------------------------------------


def _links(study: Study, chart: Chart, linked: bool) -> Iterator[str]:
    kind, title = (' class="break"', "Die links") if linked else ("", "Dies")
    yield f'<section id="links"{kind}><h2>{title}</h2>'
    yield f"<p>{_links_words(study)}</p>"
    yield '<div class="tools">'
    yield (
        '<button id="wider" type="button" aria-label="smaller">−</button>'
        '<button id="closer" type="button" aria-label="larger">+</button>'
        '<button id="whole" type="button">whole chart</button>'
    )
    listed = [group for group in study.groups if group.links][:_LISTED_GROUPS]
    if linked and len(listed) > 1:
        yield '<label>group <select id="filter"><option value="">all</option>'
        for group in listed:
            dies = len(group.obverses) + len(group.reverses)
            yield (
                f'<option value="{group.number}">{group.number} ({dies} dies, '
                f"{plural(group.coins, 'coin')})</option>"
            )
        yield "</select></label>"
    yield '<label>find <input id="find" type="search" placeholder="die or coin"></label></div>'
    starts = {0: "legend"} | {row.first: f"row{i}" for i, row in enumerate(chart.rows)}
    svg = chart.drawing.svg(
        standalone=False, attributes='preserveAspectRatio="xMidYMin meet"', starts=starts
    )
    yield f'<div class="board">{svg}<div class="tip" hidden></div></div>'
    yield '<div class="panel" hidden></div>'
    yield (
        '<p class="small screen">Drag to move, pinch or use the buttons (or the wheel, after a '
        "click into the chart) to zoom. A die shows its best coins under the pointer, and all "
        "its coins when clicked. The same chart for print: links.svg and links.png; for Gephi "
        "and Cytoscape: links.gexf and links.graphml.</p>"
    )
    yield '<div class="strips" aria-hidden="true">'
    strips = list(_strips(chart))
    if len(strips) > _MOST_STRIPS:
        yield "<p>The chart is too large to be printed here: see links.svg.</p>"
        strips = []
    for top, height, names in strips:
        width = chart.drawing.width
        used = "".join(f'<use href="#{name}"/>' for name in names)
        yield f'<svg viewBox="0 {top:.1f} {width:.1f} {height:.1f}">{used}</svg>'
    yield "</div></section>"


def _links_words(study: Study) -> str:
    if len(study.sides) < 2:
        return "With the dies of one side alone there are no links to draw."
    several = study.counts.links
    if several is None:
        return "No coin has both its dies identified: there are no links to draw."
    words = (
        f"{plural(several.combinations, 'combination')} of an obverse with a reverse die form "
        f"{plural(several.groups, 'linked group')}. Within a group the dies are placed so that "
        "few links cross; neighbours share partners. "
    )
    if any(known.state for known in study.known.values()):
        words += "A group whose die states are stated reads from early to late; of the others the "
    else:
        words += "No die states are stated: the "
    words += "order is not necessarily one of time, and may run either way."
    alone = sum(not group.links for group in study.groups)
    if alone:
        stand = "stands" if alone == 1 else "stand"
        words += f" {plural(alone, 'die')} without an identified partner {stand} apart."
    return words


def _strips(chart: Chart) -> Iterator[tuple[float, float, list[str]]]:
    """The pieces that fit a page each, cut between the rows of groups: top, height, their parts."""
    first, later = (shape * chart.drawing.width for shape in _STRIP_SHAPES)
    start, end, names = 0.0, 0.0, ["legend"]
    for number, row in enumerate(chart.rows):
        if row.bottom + 12 - start > (later if start else first) and end > start:
            yield start, end - start, names
            start, names = end, []
        end = row.bottom + 12
        names.append(f"row{number}")
    if end > start:
        yield start, end - start, names


def _figure(drawing: Drawing | None, caption: str = "", kind: str = "") -> str:
    if drawing is None:
        return ""
    words = f"<figcaption>{caption}</figcaption>" if caption else ""
    inner = drawing.svg(standalone=False)
    if kind == "wide":
        inner = f'<div class="scroll">{inner}</div>'
    return f'<figure class="chart {kind}">{inner}{words}</figure>'


# --- estimates --------------------------------------------------------------------------------


def _estimates(study: Study) -> Iterator[str]:
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
        value, limits, redrawn = estimate_cells(found, each.doubts.estimates.get(found.method.key))
        method = found.method
        note = f"<strong>{escaped(found.note)}</strong>; " if found.value is None else ""
        yield (
            f'<tr><td>{escaped(method.name)}</td><td class="n">{value}</td>'
            f'<td class="n">{limits}</td><td class="n">{redrawn}</td>'
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
        + ("; grey: doubtful attributions drawn anew." if each.doubts.estimates else "."),
    )
    yield _figure(
        accumulation_chart(each.counts, each.estimates),
        "Line: dies among that many coins drawn from the sample, on average; dashed: what further "
        "coins would bring by Chao1. Grey: from the lowest to the highest estimate.",
    )
    yield "</div>"


def _limit_words(limits: str) -> str:
    return "" if limits == NO_LIMITS else f" Limits {escaped(limits)}."


# --- measures ---------------------------------------------------------------------------------


def _has_measures(study: Study) -> bool:
    return any(k.weight is not None or k.axis is not None for k in study.known.values()) or any(
        each.doubts.stated for each in study.sides.values()
    )


def _measures_title(study: Study) -> str:
    known = study.known.values()
    parts = ["weights"] if any(each.weight is not None for each in known) else []
    parts += ["axes"] if any(each.axis is not None for each in known) else []
    parts += ["certainty"] if any(each.doubts.stated for each in study.sides.values()) else []
    return ", ".join(parts).capitalize()


def _measures(study: Study) -> Iterator[str]:
    if not _has_measures(study):
        return
    yield '<section id="measures"><h2>' + _measures_title(study) + "</h2>"
    for side in study.sides:
        yield _figure(weights_chart(side, die_weights(study, side)), kind="wide")
    axes = [known.axis for known in study.known.values() if known.axis is not None]
    yield '<div class="two">'
    yield _figure(axis_rose(axes), "The area of a sector is the number of coins.", "rose")
    for side in study.sides:
        yield _figure(certainty_chart(side, stated_certainties(study, side)))
    yield "</div></section>"


def die_weights(study: Study, side: Side) -> Mapping[str, list[float]]:
    """The weights of every die's coins, dies in the order of the chart."""
    return {
        entry.die: [w for c in entry.coins if (w := study.known[c.name].weight) is not None]
        for entry in study.dies[side]
    }


def stated_certainties(study: Study, side: Side) -> list[float]:
    """Every certainty stated for an attribution of this side."""
    return [
        value
        for coin in study.coins
        if side in coin.dies and (value := coin.dies[side].certainty) is not None
    ]


def _notes(study: Study) -> Iterator[str]:
    yield '<section id="notes"><h2>Notes</h2>'
    for note in study.notes:
        yield f"<p>{escaped(note)}</p>"
    leading = "obverse" if study.leading == OBVERSE else "reverse"
    yield (
        "<p>n counts only coins whose die on that side is identified; a coin known from several "
        f"photographs counts once. Coins are listed below their {leading} die. An attribution is "
        "doubtful below a certainty of 0.9.</p>"
    )
    if study.gallery.small:
        yield (
            "<p>A die's picture is that of its best-preserved coin: the share of the flan that is "
            "seen, and the contrast of larger and of fine detail on it, decide.</p>"
        )
    yield (
        "<p>Sources: Good 1953; Hurlbert 1971 (accumulation); Carter 1983; Chao 1984, 1987; Esty "
        "1984, 1986, 2011; Lyon 1989; Colwell et al. 2012 (its continuation).</p>"
    )
    yield f'<footer class="small">Made with dieindex {escaped(VERSION)}.</footer></section>'
