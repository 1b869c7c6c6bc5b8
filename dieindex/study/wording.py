"""How a study's numbers and coins are put into words; the same in every format."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dieindex.clustering.spread import Spread
from dieindex.records import OBVERSE, REVERSE, SIDES, Side, other_side
from dieindex.study.analysis import Study
from dieindex.study.counts import components
from dieindex.study.die_names import common_beginning
from dieindex.study.estimators import Estimate
from dieindex.study.material import Attribution, Coin
from dieindex.study.pair_chart import FEW, why_unreadable
from dieindex.study.uncertainty import Interval

TEXT_LABELS = {
    "source": "Source",
    "reference": "Reference",
    "find_spot": "Find-spot",
    "type": "Type",
    "author": "Attributed by",
    "rights": "Rights",
}
NOT_IDENTIFIED = "not identified"
SAMPLING = "sampling error under this model"


def decimals(value: float | None, places: int = 2) -> str:
    """A number for a table; an en dash where there is none."""
    return "–" if value is None else f"{value:.{places}f}"


def percent(value: float | None, places: int = 1) -> str:
    return "–" if value is None else f"{100 * value:.{places}f}\u00a0%"


def certainty(value: float | None) -> str:
    """A certainty, cut off and not rounded: what is doubtful must not read 0.90."""
    return decimals(None if value is None else math.floor(value * 100 + 1e-9) / 100)


def span(low: float | None, high: float | None, places: int = 0) -> str:
    """``58–61``, ``58`` where both are written alike, or ``none``."""
    if low is None or high is None:
        return "none"
    first, last = f"{low:.{places}f}", f"{high:.{places}f}"
    return first if first == last else f"{first}–{last}"


def span_of(interval: Interval | None, places: int = 0) -> str:
    return "–" if interval is None else span(interval.low, interval.high, places)


def whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u2009")


def measures(study: Study, coin: Coin) -> Iterator[str]:
    """``16.53 g``, ``12 h``, ``25.5 mm``, as far as they are known."""
    known = study.known[coin.name]
    if known.weight is not None:
        yield f"{known.weight:.2f} g"
    if known.axis is not None:
        yield f"{known.axis} h"
    if known.diameter is not None:
        yield f"{known.diameter:g} mm"


def remarks(study: Study, coin: Coin) -> Iterator[tuple[str, str]]:
    """What else the sheet says of a coin: label and text, the recognised columns first."""
    known = study.known[coin.name]
    for key, label in TEXT_LABELS.items():
        if key in known.texts:
            yield label, known.texts[key]
    yield from known.rest.items()


def attribution(coin: Coin, side: Side) -> str:
    """The die with what must be known of it: ``O3``, ``O3 (doubtful, 0.62)``, ``O3 (seen by A.
    Body)``, ``not identified``."""
    held = coin.dies.get(side)
    if held is None:
        return NOT_IDENTIFIED
    marks = ", ".join(basis_marks(held))
    return f"{held.die} ({marks})" if marks else held.die


def basis_marks(held: Attribution) -> list[str]:
    """What a reader must know of an attribution: that it is doubtful, whose eyes it rests on."""
    marks = [f"doubtful, {certainty(held.certainty)}"] if held.doubtful else []
    return [*marks, f"seen by {held.author}"] if held.basis == "review" else marks


JOINED_HEADING = "Why coins were joined"


def joined_words(side: Side, spread: Spread) -> Iterator[str]:
    """From what score on coins of a side are joined, by the collection's own numbers."""
    if not spread.readable:
        yield why_unreadable(spread)
        return
    kinds, threshold = spread.kinds, f"{spread.joined_from:.1f}".replace("-", "\u2212")
    yield (
        f"Two {side}s of different dies mostly score "
        f"{_range(kinds.centre - kinds.left, kinds.centre + kinds.right)}, two of one die "
        f"{_range(kinds.place - kinds.width, kinds.place + kinds.width)}; two coins are joined "
        f"from {threshold} on."
    )
    joined = int(spread.together.sum())
    if not joined:
        yield f"Of {_pairs(spread.compared)} compared in detail none is in one die as found."
    else:
        yield (
            f"Of {_pairs(spread.compared)} compared in detail {whole(joined)} "
            f"{'is' if joined == 1 else 'are'} in one die as found. Where a die has several coins "
            "the mean over the pairs compared decides, which is surer than one pair: so a pair of "
            "one die may score less, and one of different dies more."
        )
    if kinds.share * float(spread.stands_for.sum()) < FEW:
        yield (
            "Hardly any pair is of one die: what such pairs score is taken from other collections."
        )
    if spread.sampled is not None:
        yield (
            f"Drawn are all pairs: {whole(spread.sampled)} of different dies, sampled at random, "
            "stand for those that were not compared; those of one die that were stand for all of "
            "one die."
        )
    if spread.by_vectors:
        yield f"{_pairs(spread.by_vectors)} judged by vectors alone are not drawn."


def _pairs(count: int) -> str:
    return f"{whole(count)} pair" + ("" if count == 1 else "s")


def _range(low: float, high: float) -> str:
    """``−7 to −2``."""
    return f"{low:.0f} to {high:.0f}".replace("-0 ", "0 ").replace("-", "\u2212")


def key_figures(study: Study) -> list[tuple[str, str, str]]:
    """Symbol, meaning and value of the counts the field prints."""
    rows = [("", "coins in the study", str(study.counts.coins))]
    letter: dict[Side, str] = {OBVERSE: "o", REVERSE: "r"}
    for side in SIDES:
        if side not in study.sides:
            continue
        counts, name = study.sides[side].counts, letter[side]
        sample = counts.sample
        rows += [
            (f"n ({side})", f"coins whose {side} die is identified", str(sample.n)),
            ("", f"coins whose {side} die is not identified", str(counts.unidentified)),
            (name, f"{side} dies", str(sample.d)),
            (f"{name}1", f"{side} dies known from one coin", str(sample.d1)),
            (f"n/{name}", f"coins per {side} die", decimals(counts.coins_per_die)),
            (f"{name}1/{name}", "share of singletons", percent(counts.singleton_share)),
        ]
    if study.counts.reverses_per_obverse is not None:
        ratio = decimals(study.counts.reverses_per_obverse)
        rows.append(("r/o", "reverse dies per obverse die", ratio))
    links = study.counts.links
    if links is not None:
        rows += [
            ("", "coins with both dies identified", str(links.coins)),
            ("", "combinations of an obverse and a reverse die", str(links.combinations)),
            ("", "combinations known from several coins", str(links.combinations_of_several)),
            ("", "coins in them (die duplicates)", str(links.duplicate_coins)),
            ("", "pairs of coins that share both dies", str(links.duplicate_pairs)),
            ("", "obverse dies coupled with several reverses", str(links.linking_obverses)),
            ("", "reverse dies coupled with several obverses", str(links.linking_reverses)),
            ("", "linked groups", str(links.groups)),
            ("", "dies in the largest linked group", str(links.largest_group)),
        ]
    doubtful = study.doubtful_links
    if links is not None and doubtful:
        # A single false link joins two groups: what stands without the doubtful ones is told too.
        sure = [pair for group in study.groups for pair in group.links if pair not in doubtful]
        found = components(sure) or [0]
        rows += [
            ("", "combinations without doubt", str(len(sure))),
            ("", "linked groups they make", str(len(found) if sure else 0)),
            ("", "dies in the largest of these", str(found[-1])),
        ]
    if study.counts.several_photographs:
        number = str(study.counts.several_photographs)
        rows.append(("", "coins known from several photographs, counted once", number))
    return rows


FREQUENCY_HEADING = ("coins per die", "dies", "% of dies", "coins", "% of coins", "names")


def frequency_table(study: Study, side: Side) -> tuple[str, list[tuple[str, ...]]]:
    """The die-frequency table of a side: what its names leave out, in words or empty, and its rows
    under FREQUENCY_HEADING."""
    counts = study.sides[side].counts
    sample, beginning = counts.sample, common_beginning(list(counts.coins_of))
    rows: list[tuple[str, ...]] = [
        (
            str(row.coins_per_die),
            str(len(row.dies)),
            percent(len(row.dies) / sample.d),
            str(row.coins),
            percent(row.coins / sample.n),
            ", ".join(die[len(beginning) :] for die in row.dies),
        )
        for row in counts.frequencies
    ]
    return (f"Names without “{beginning}”, with which all begin." if beginning else ""), rows


def coin_parts(study: Study, coin: Coin, below: Side) -> Iterator[str]:
    """What the catalogue says of a coin listed below its die of one side, part by part."""
    other = other_side(below)
    if other in study.sides:
        yield f"{other} {attribution(coin, other)}"
    held = coin.dies.get(below)
    if held is not None and (marks := basis_marks(held)):
        yield f"{below} {', '.join(marks)}"
    yield from measures(study, coin)
    for label, text in remarks(study, coin):
        yield f"{label}: {text}"


def estimate_cells(found: Estimate, resampled: Interval | None) -> tuple[str, str, str]:
    """Value, limits and the interval of the attributions, as text."""
    if found.value is None:
        return "–", "–", "–"
    return decimals(found.value, 1), span(found.low, found.high), span_of(resampled)


def struck(study: Study, side: Side) -> str:
    """The quantity struck if each die struck the assumed number; marked as an assumption."""
    models = study.sides[side].models
    values = [each.value for each in study.sides[side].estimates if each.value is not None]
    per_die = whole(study.coins_per_die)
    if not values:
        return f"No estimate of the {side} dies, so none of the quantity struck."
    low, high = (models.low, models.high) if models else (values[0], values[0])
    return (
        f"ASSUMPTION, not a result: if every {side} die struck {per_die} coins on average, "
        f"{whole(low)} to {whole(high)} dies (the models above) struck "
        f"{_rounded(low * study.coins_per_die)} to {_rounded(high * study.coins_per_die)} coins. "
        "Nothing in this study says how many coins a die struck."
    )


def _rounded(value: float) -> str:
    """To two digits: more would pretend to knowledge."""
    if value <= 0:
        return "0"
    step = 10 ** max(len(str(int(value))) - 2, 0)
    return whole(round(value / step) * step)


def attribution_words(study: Study, side: Side) -> str:
    """What is known of how sure the attributions of a side are."""
    doubts = study.sides[side].doubts
    n = study.sides[side].counts.sample.n
    if not doubts.stated:
        return (
            f"No certainty is stated for the {side} attributions; they count as sure, and no "
            "interval for them can be given."
        )
    if not doubts.doubtful:
        return (
            f"None of the {doubts.stated} {side} attributions with a stated certainty is doubtful "
            "(below 0.9); they count as sure."
        )
    dies = span_of(doubts.dies)
    return (
        f"{doubts.doubtful} of {n} {side} attributions are doubtful (certainty below 0.9). "
        f"Sampled 400 times by their certainties, 95 % of the samples have {dies} dies; the column "
        "“attributions” gives the same for every estimate, without the sampling error."
    )
