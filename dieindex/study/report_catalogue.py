"""The report's plates and catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from dieindex.records import SIDES, Side, other_side
from dieindex.study.analysis import DieEntry, Study
from dieindex.study.drawing import escaped
from dieindex.study.material import Attribution, Coin
from dieindex.study.report_pictures import Pictures
from dieindex.study.wording import NOT_IDENTIFIED, basis_marks, measures, remarks
from dieindex.text import counted


def plates(study: Study, pictures: Pictures, pages: int) -> Iterator[str]:
    """One picture a die, in the order of the chart."""
    ids = study.ids
    yield '<section id="plates" class="break"><h2>Plates</h2>'
    measured = any(known.diameter is not None for known in study.known.values())
    if pages:
        yield (
            f'<p class="small">The same for print, {counted(pages, "page")} in the folder plates'
            f"{', to scale where diameters are known' if measured else ''}.</p>"
        )
    for side in study.sides:
        yield f'<h3>{side.capitalize()} dies</h3><div class="plates">'
        for entry in study.dies[side]:
            best = next((n for n in entry.best if (side, n) in study.gallery.small), None)
            source = pictures.large(side, best) if best is not None else None
            if source is None or best is None:
                continue
            name = escaped(entry.die)
            yield (
                f'<figure><img src="{escaped(source)}" width="128" height="128" '
                f'alt="{side} die {name}"{pictures.lazy}><figcaption>'
                f'<a href="#d-{ids[side, entry.die]}">{name}</a><br>{escaped(best)}'
                f"{_of_several(entry)}</figcaption></figure>"
            )
        yield "</div>"
    yield "</section>"


def _of_several(entry: DieEntry) -> str:
    return f" (of {len(entry.coins)})" if len(entry.coins) > 1 else ""


def catalogue(study: Study, pictures: Pictures) -> Iterator[str]:
    """Every coin once, below its leading die; then the dies of the other side with their coins."""
    ids = study.ids
    side = study.leading
    bare = "" if study.gallery.small else " bare"
    yield '<section id="catalogue" class="break"><h2>Catalogue</h2>'
    group = 0
    for entry in study.dies[side]:
        if len(study.sides) == 2 and entry.group != group:
            group = entry.group
            yield f'<h3 class="group">Linked group {group}</h3>'
        # Printed, a die of few coins stays on one page.
        kind = "die short" if len(entry.coins) <= 6 else "die"
        yield f'<div class="{kind}" id="d-{ids[side, entry.die]}"><h4>{_heading(entry)}</h4>'
        yield _best(study, entry, pictures)
        yield f'<ol class="coins{bare}">'
        for coin in entry.coins:
            yield _coin(study, coin, side, pictures)
        yield "</ol></div>"
    without = [coin for coin in study.coins if side not in coin.dies]
    if without:
        yield f'<h3 class="group">{side.capitalize()} die {NOT_IDENTIFIED}</h3>'
        yield f'<ol class="coins{bare}">'
        for coin in without:
            yield _coin(study, coin, side, pictures)
        yield "</ol>"
    yield from _other_side(study, pictures)
    yield "</section>"


def _best(study: Study, entry: DieEntry, pictures: Pictures) -> str:
    """The die's picture: its best-preserved coin."""
    best = next((name for name in entry.best if (entry.side, name) in study.gallery.small), None)
    source = pictures.large(entry.side, best) if best is not None else None
    if source is None or best is None:
        return ""
    return (
        f'<figure class="best"><img src="{escaped(source)}" width="128" height="128" '
        f'alt="{entry.side} die {escaped(entry.die)}"{pictures.lazy}>'
        f"<figcaption>{escaped(best)}</figcaption></figure>"
    )


def _heading(entry: DieEntry) -> str:
    words = counted(len(entry.coins), "coin")
    if entry.doubtful:
        words += f', <span class="doubt">{entry.doubtful} doubtful</span>'
    name = f'<span class="{entry.side[0]}">{escaped(entry.die)}</span>'
    return f'{name}<span class="small">{words}</span>'


def _coin(study: Study, coin: Coin, below: Side, pictures: Pictures) -> str:
    number = study.number[coin.name]
    images = []
    for side in SIDES:
        source = pictures.small(side, coin.name)
        if source is not None:
            images.append(
                f'<img src="{escaped(source)}" data-side="{side[0]}" width="56" height="56" '
                f'alt="{side}"{pictures.lazy}>'
            )
    parts = []
    other = other_side(below)
    if other in study.sides:
        parts.append(_die(coin, other))
    held = coin.dies.get(below)
    if held is not None:
        parts += _marks(held, f"{below} ")
    parts += [escaped(text) for text in measures(study, coin)]
    parts += [f"{escaped(label)}: {escaped(text)}" for label, text in remarks(study, coin)]
    shown = f'<span class="pics">{"".join(images)}</span>' if images else ""
    text = f"<b>{escaped(coin.name)}</b>" + (" · " + " · ".join(parts) if parts else "")
    return (
        f'<li id="c{number}"><span class="no">{number}</span>{shown}'
        f'<span class="txt">{text}</span></li>'
    )


def _die(coin: Coin, side: Side) -> str:
    held = coin.dies.get(side)
    if held is None:
        return f"{side} {NOT_IDENTIFIED}"
    name = f'<span class="{side[0]}">{escaped(held.die)}</span>'
    return " ".join([name, *_marks(held)])


def _marks(held: Attribution, before: str = "") -> list[str]:
    """What a reader must know of an attribution, as elements."""
    kinds = ["doubt", "seen"] if held.doubtful else ["seen"]
    return [
        f'<span class="{kind}">{before}{escaped(text)}</span>'
        for kind, text in zip(kinds, basis_marks(held), strict=False)
    ]


def _other_side(study: Study, pictures: Pictures) -> Iterator[str]:
    other = other_side(study.leading)
    if other not in study.sides:
        return
    ids = study.ids
    yield f'<h3>{other.capitalize()} dies</h3><ul class="dies">'
    for entry in study.dies[other]:
        source = pictures.small(other, entry.best[0]) if not pictures.inside else None
        image = f'<img src="{escaped(source)}" alt=""{pictures.lazy}>' if source else ""
        coins = ", ".join(escaped(coin.name) for coin in entry.coins)
        partners = ", ".join(escaped(die) for die in entry.partners)
        with_them = f"with {partners}; " if partners else ""
        yield (
            f'<li id="d-{ids[other, entry.die]}">{image}<span>{_heading(entry)}<br>{with_them}'
            f"coins {coins}</span></li>"
        )
    yield "</ul>"
