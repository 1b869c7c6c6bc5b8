"""What a person may look at, in one list: dies that may be one or two, coins that may be elsewhere
or of which nothing is known, labels of a sheet that may be wrong, coins that may be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from dieindex.api.dies import Dies
from dieindex.api.doubts import UNJUDGED
from dieindex.api.specimens import ANEW, Basis, OneSpecimen
from dieindex.indexing.repeated import ALTERED, SAME_PICTURE
from dieindex.records import Side
from dieindex.review.verdicts import latest

Kind = Literal["near miss", "contradiction", "coin", "unaligned", "sheet", "specimen"]
KINDS: tuple[Kind, ...] = ("near miss", "contradiction", "coin", "unaligned", "sheet", "specimen")
"""Dies that may be one; a die that may be two; a coin that may be of another die; one of which
nothing could be told; a label that may be wrong; two coins that may be one specimen."""


@dataclass(frozen=True)
class Item:
    """A pair of coins worth a look, and why. ``probability`` 0…1 is that of what ``why`` says,
    ``change`` that times the pairs of coins that would part or join; ``part`` are the coins that
    would part. Where nothing is said of the odds both are None."""

    kind: Kind
    side: Side
    coin: str
    other_coin: str
    die: str
    other_die: str
    part: tuple[str, ...]
    probability: float | None
    change: float | None
    why: str

    @property
    def pair(self) -> frozenset[str]:
        return frozenset((self.coin, self.other_coin))


def queue_of(dies: Dies, specimens: Iterable[OneSpecimen] = ()) -> list[Item]:
    """All that is worth a look on one side, that first which would change most; ``specimens`` are
    pairs of coins that may be one, last."""
    die_of = dies.die_of
    found = [
        Item(
            "unaligned" if case.why == UNJUDGED else cast(Kind, case.what),
            dies.side,
            case.coin,
            case.other_coin,
            die_of[case.coin],
            die_of[case.other_coin],
            case.part,
            case.probability,
            case.change,
            case.why,
        )
        for case in dies.to_look_at
    ]
    # (What is listed above leaves out what persons have looked at.)
    seen = {item.pair for item in found} | {each.pair for each in latest(dies.reviews)}
    for error in dies.suspects:
        one, other = error.compare
        if frozenset((one, other)) in seen:
            continue
        rather = f" It looks like coins of {error.rather}." if error.rather else ""
        found.append(
            Item(
                "sheet", dies.side, one, other, die_of[one], die_of[other], (),
                None, error.change,
                f"The sheet says {error.sheet} of {error.coin}; its picture speaks against it."
                + rather,
            )
        )  # fmt: skip
    found.sort(key=lambda item: -(item.change or 0.0))
    for each in specimens:
        one, other = each.coin_a, each.coin_b
        known = one in die_of and other in die_of
        if known and frozenset((one, other)) not in seen:
            found.append(
                Item(
                    "specimen", dies.side, one, other, die_of[one], die_of[other], (),
                    each.probability, None, _WHY[each.basis],
                )
            )  # fmt: skip
    return found


_WHY: Mapping[Basis, str] = {
    SAME_PICTURE: "Their photographs are one and the same: one coin, it seems, counted twice.",
    ALTERED: "Their photographs look like one and the same, altered: one coin, perhaps, counted "
    "twice.",
    ANEW: "The flan lies about the design in both alike: one coin, perhaps, photographed twice.",
}


def filtered(
    items: Sequence[Item],
    *,
    kinds: Iterable[Kind] = (),
    die: str | None = None,
    coin: str | None = None,
) -> list[Item]:
    """Those of these ``kinds`` (none: of all), about a ``die``, about a ``coin``."""
    wanted = frozenset(kinds) or frozenset(KINDS)
    return [
        item
        for item in items
        if item.kind in wanted
        and (die is None or die in (item.die, item.other_die))
        and (coin is None or coin in (item.coin, item.other_coin))
    ]
