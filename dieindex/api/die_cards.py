"""All dies of a side beside each other, each by its surest coin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dieindex.api.arranging import held
from dieindex.api.sorting import Sorted


@dataclass(frozen=True)
class DieCard:
    """A die at a glance: its coins, the surest of them and its face; how well they hold together
    0…1 (None: nothing was compared), how sure the least sure is 0…1, whether persons' verdicts
    alone hold them, and what the sheet calls them."""

    die: str
    coins: Sequence[str]
    best: str
    face: int
    cohesion: float | None
    least: float
    held: bool
    sheet: Sequence[str]


def board(found: Sorted) -> list[DieCard]:
    """Every die, in the order of their numbers."""
    dies = found.dies
    by_persons = held(dies)
    certainty = dict(zip(dies.coins, dies.certainty.tolist(), strict=True))
    cards = []
    for name, coins in dies.clusters.items():
        best = max(coins, key=lambda coin: certainty[coin])
        cards.append(
            DieCard(
                name,
                coins,
                best,
                found.desk.coin(best).face,
                dies.cohesion.get(name),
                min(certainty[coin] for coin in coins),
                name in by_persons,
                sorted({dies.sheet[coin] for coin in coins if coin in dies.sheet}),
            )
        )
    return cards
