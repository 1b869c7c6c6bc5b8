"""report.html: the whole study on one page that needs no network and prints.

All pictures are inside the page while they are few; of large collections they lie beside it in
``pictures/`` and are loaded when they come into view. Text from sheets and file names is escaped
wherever it stands; a content policy keeps the page from loading anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files

from dieindex.records import OBVERSE, SIDES
from dieindex.study import report_catalogue, report_figures
from dieindex.study.analysis import Study
from dieindex.study.drawing import escaped
from dieindex.study.link_chart import Chart
from dieindex.study.report_pictures import Pictures
from dieindex.study.wording import JOINED_HEADING
from dieindex.text import counted
from dieindex.version import VERSION

_STRIP_SHAPES = (1.24, 1.40)
"""Height of a printed strip of the chart, in widths: of the first, below a heading, and others."""
_MOST_STRIPS = 12
_LISTED_GROUPS = 400


@dataclass
class Page:
    """The report and the pictures that lie beside it, by their path below its folder."""

    html: str
    pictures: dict[str, bytes] = field(default_factory=dict)


def render(study: Study, chart: Chart, plates: int) -> Page:
    """The report. ``plates`` is the number of plates that lie beside it."""
    pictures = Pictures.of(study)
    body = "\n".join(_body(study, chart, pictures, plates))
    assets = files("dieindex.study") / "assets"
    style = "".join(
        (assets / name).read_text(encoding="utf-8") for name in ("tokens.css", "report.css")
    )
    theme, script = (
        (assets / name).read_text(encoding="utf-8") for name in ("theme.js", "report.js")
    )
    policy = (
        "default-src 'none'; img-src data: 'self' file:; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'"
    )
    html = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="dieindex {escaped(VERSION)}">\n'
        f"<script>\n{theme}</script>\n"
        f"<title>{escaped(study.material.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'{body}\n<script type="application/json" id="study-data">{_script_data(study)}</script>\n'
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )
    return Page(html, pictures.beside)


def _script_data(study: Study) -> str:
    """What the chart's script needs, as JSON that cannot end its element."""
    ids = study.ids
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
    if report_figures.has_measures(study):
        links.append(("measures", report_figures.measures_title(study)))
    if study.material.spreads:
        links.append(("joined", JOINED_HEADING))
    if shown:
        links.append(("plates", "Plates"))
    links += [("catalogue", "Catalogue"), ("notes", "Notes")]
    yield f'<header class="top"><h1>{title}</h1>'
    yield f'<p class="lead">{_lead(study)}</p></header>'
    yield "<nav><div>" + "".join(f'<a href="#{a}">{b}</a>' for a, b in links) + "</div></nav>"
    yield "<main>"
    yield from report_figures.figures(study)
    yield from _links(study, chart, linked)
    yield from report_figures.estimates(study)
    yield from report_figures.measures(study)
    yield from report_figures.joined(study)
    if shown:
        yield from report_catalogue.plates(study, pictures, plates)
    yield from report_catalogue.catalogue(study, pictures)
    yield from _notes(study)
    yield "</main>"


def _lead(study: Study) -> str:
    dies = " and ".join(
        counted(each.counts.sample.d, f"{side} die") for side, each in study.sides.items()
    )
    return (
        f"A die study of {counted(len(study.coins), 'coin')} from {escaped(dies)}. "
        f"Attributions: {escaped(study.material.source)}."
    )


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
                f"{counted(group.coins, 'coin')})</option>"
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
        f"{counted(several.combinations, 'combination')} of an obverse with a reverse die form "
        f"{counted(several.groups, 'linked group')}. Within a group the dies are placed so that "
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
        words += f" {counted(alone, 'die')} without an identified partner {stand} apart."
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
