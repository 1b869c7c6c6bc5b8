"""Where clustering meets an index: persons' verdicts, the sheet, and numbers that dies keep."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from dieindex.api.dies import Dies
from dieindex.api.pairs import Pairs
from dieindex.api.reader import IndexReader
from dieindex.calibration.two_kinds import to_json
from dieindex.clustering.constraints import constraints_of_dies
from dieindex.clustering.find_dies import find_dies
from dieindex.clustering.numbering import (
    Change,
    Numbering,
    adopt_names,
    changes,
    die_name,
    number_dies,
    numbers_named,
)
from dieindex.clustering.spread import spread_of
from dieindex.errors import IndexFolderError
from dieindex.records import DIE_PREFIX, Ints, Side
from dieindex.review.verdicts import constraints_of, latest, now
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.die_numbers import (
    DieNumbers,
    die_numbers,
    earlier_numbers,
    keep_die_numbers,
)
from dieindex.storage.folder import locked
from dieindex.storage.reviews import ReviewStore
from dieindex.text import some_of

_log = logging.getLogger(__name__)


def cluster_pairs(
    index: IndexReader,
    pairs: Pairs,
    *,
    reviews: bool = True,
    trust_sheet: bool = False,
    other_die: Ints | None = None,
    keep: bool = False,
    adopt: bool = False,
) -> Dies:
    """The dies of a side from its judged pairs.

    ``reviews``: persons' verdicts count. ``trust_sheet``: the sheet's dies are constraints; scores
    then come from a run without them. ``other_die`` ``(n,)``: each coin's putative die on the other
    side has a say. ``keep``: die numbers, what changed, and how pairs lie are kept in the index.
    ``adopt``: dies take the sheet's names.
    """
    sheet = index.labels(pairs.side)
    said = index.said(pairs.side) if reviews else []
    constraints = constraints_of(said, pairs.coins)
    if trust_sheet or other_die is not None or constraints != list(pairs.constraints):
        found = find_dies(
            pairs.judgement,
            constraints,
            trusted=constraints_of_dies(sheet, pairs.coins, pairs.table) if trust_sheet else None,
            other_die=other_die,
        )
    else:
        found = pairs.found
    scored = [f"die {label}" for label in found.own_labels.tolist()] if trust_sheet else None
    named = None
    if keep:
        kinds = to_json(found.graph.kinds) if pairs.judgement.readable else None
        named = _kept_names(index, pairs, found.labels, kinds, adopt=adopt)
    if named is None:
        with ReviewStore.open(index.folder) as kept:
            named = _named(index, pairs, found.labels, kept, adopt=adopt)
    return Dies(
        side=pairs.side,
        coins=pairs.coins,
        names=named.names,
        labels=found.labels,
        certainty=found.certainty,
        prior=found.prior,
        graph=found.graph,
        own_graph=found.own_graph,
        sheet=sheet,
        files=index.coin_of_file(),
        scored_names=scored,
        changes=named.changes,
        reviews=said,
        pictures=pairs.pictures,
        sources=pairs.sources,
        spread=spread_of(pairs.judgement, found.labels, found.graph.kinds),
    )


@dataclass(frozen=True)
class _Named:
    """The name of each coin's die, what changed since numbers were last kept, and what is to be
    kept: the numbers, and what else is to be logged."""

    names: list[str]
    changes: list[str]
    numbers: DieNumbers
    logged: list[str]


def _named(
    index: IndexReader, pairs: Pairs, labels: Ints, kept: ReviewStore, *, adopt: bool
) -> _Named:
    side = pairs.side
    known = die_numbers(kept, side)
    before, adopted = Numbering(dict(known.numbers), known.last), dict(known.adopted)
    # (A number that goes by a name of its own can come back; nobody sees which it is.)
    reserved = numbers_named(adopted.values(), side) - adopted.keys()
    earlier = earlier_numbers(kept, side)
    after = number_dies(labels.tolist(), pairs.coins, before, reserved=reserved, earlier=earlier)
    told = changes(before, after, pairs.coins)
    logged: list[str] = []
    if adopt:
        found = after
        after, adopted = adopt_names(found, index.labels(side), side)
        logged = adoption_texts(side, found, after, known.adopted, adopted)
    names = [die_name(after.numbers[coin], side, adopted) for coin in pairs.coins]
    changed = [change_text(change, side, adopted) for change in told]
    return _Named(names, changed, DieNumbers(after.numbers, after.last, adopted), logged)


def _kept_names(
    index: IndexReader, pairs: Pairs, labels: Ints, kinds: str | None, *, adopt: bool
) -> _Named | None:
    """Name the dies, and keep their numbers and how pairs lie; all under the lock, so that two runs
    at once never give one number twice. None where nothing can be kept, which is said."""
    side = pairs.side
    try:
        with locked(index.folder):
            if index.has_changed():
                raise IndexFolderError("a build has changed the index meanwhile.")
            with ReviewStore.open(index.folder, write=True) as kept:
                named = _named(index, pairs, labels, kept, adopt=adopt)
                if pairs.coins:
                    told = [*named.changes, *named.logged]
                    keep_die_numbers(kept, side, named.numbers, told, now())
            if kinds is not None:
                with Catalogue.open(index.folder) as catalogue:
                    if catalogue.kinds(side) != kinds:
                        with catalogue.transaction():
                            catalogue.set_kinds(side, kinds)
            return named
    except IndexFolderError as error:
        _log.warning("The numbers of the %s dies are not kept: %s", side, error)
        return None


def change_text(change: Change, side: Side, adopted: Mapping[int, str]) -> str:
    """One change of die numbers in words."""
    name = die_name(change.number, side, adopted)
    others = ", ".join(die_name(number, side, adopted) for number in change.others)
    shown = ", ".join(change.coins[:8]) + (" …" if len(change.coins) > 8 else "")
    return {
        "new": f"{name} is new: {shown}",
        "grown": f"{name} has grown by {shown}",
        "merged": f"{others} merged into {name}: {shown}",
        "split": f"{name} split from {others}: {shown}",
        "moved": f"moved to {name} from {others}: {shown}",
    }[change.kind]


def adoption_texts(
    side: Side,
    found: Numbering,
    after: Numbering,
    was: Mapping[int, str],
    adopted: Mapping[int, str],
) -> list[str]:
    """What adopting names changed, in words: dies that made room for a name (their numbers were
    ``found``, and are ``after``), and names that numbers go by now."""
    own = DIE_PREFIX[side]
    room = {
        number: after.numbers[coin]
        for coin, number in found.numbers.items()
        if after.numbers[coin] != number
    }
    texts = [f"{own}{old} is now {own}{new}" for old, new in sorted(room.items())]
    return texts + [
        f"{own}{number} goes by {adopted.get(number, 'its own name')}"
        for number in sorted({*was, *adopted})
        if was.get(number) != adopted.get(number)
    ]


def waiting_verdicts(index: IndexReader) -> str | None:
    """Which verdicts wait for coins that are not there; None where none does."""
    given = latest(index.said())
    there = set(index.coin_of_file().values()) if given else set()
    waiting = [
        f"{each.coin_a} and {each.coin_b} {each.verdict} ({each.side})"
        for each in given
        if each.verdict != "unsure" and not each.pair <= there
    ]
    if not waiting:
        return None
    wait = "verdict waits" if len(waiting) == 1 else "verdicts wait"
    return (
        f"{len(waiting)} {wait} for coins that are not there, and count again when they are: "
        f"{some_of(waiting)}."
    )
