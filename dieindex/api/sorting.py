"""One side of an index as it was found last, with what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass

from dieindex.api.clustering import cluster_pairs
from dieindex.api.desk import Desk, OtherSide
from dieindex.api.dies import Dies
from dieindex.api.index import Index
from dieindex.api.pairs import Pairs
from dieindex.api.review_queue import Item, queue_of
from dieindex.api.specimens import alike_pictures, specimens_of


@dataclass(frozen=True, eq=False)
class Sorted:
    """One side as it was found last: its dies, the queue of what is worth a look, and what changed
    against the dies before. ``revision`` counts up."""

    revision: int
    dies: Dies
    desk: Desk
    queue: tuple[Item, ...]
    changes: tuple[str, ...]


def sorted_now(
    index: Index, pairs: Pairs, other: OtherSide, beyond: Dies | None, revision: int
) -> Sorted:
    """The dies of a side with all that was said until now; their numbers are kept. ``other`` gives
    the dies of the other side, and ``beyond`` are these as they were found last, where they were.
    """
    dies = cluster_pairs(index, pairs, keep=index.tells_all(pairs.side))
    # (Which coins are one may have changed since the other side was found.)
    sides = {
        each.side: each
        for each in (dies, beyond)
        if each is not None and list(each.coins) == index.faces(each.side).coins
    }
    # (By one side alone too much looks like one coin.)
    specimens = specimens_of(index, sides) if len(sides) > 1 else alike_pictures(index)
    desk = Desk(index, pairs, dies, other)
    found = Sorted(revision, dies, desk, tuple(queue_of(dies, specimens)), tuple(dies.changes))
    # What is shown of them takes a while at first.
    _ = dies.count, dies.cohesion, dies.expected_wrong, dies.worth_looking, dies.clusters
    return found
