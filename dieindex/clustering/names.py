"""Names of dies: O1, O2 … on the obverse, R1, R2 … on the reverse."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from dieindex.records import DIE_PREFIX, Side


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Key that sorts ``2`` before ``10`` and ``a2`` before ``a10``; numbers before letters."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    key = tuple((0, int(p), p) if p[0] in "0123456789" else (1, 0, p.casefold()) for p in parts)
    # Strings that differ only in case would tie, and the order of the input would decide.
    return (*key, (2, 0, text))


def name_dies(labels: Iterable[Hashable], coins: Sequence[str], side: Side) -> list[str]:
    """Name of each coin's die, in the order of ``coins``.

    The die with most coins is number 1; among equals the one with the first coin in natural order.
    ``labels`` and ``coins`` have one entry a coin; raises ValueError where they differ in length or
    a coin occurs twice.
    """
    members: dict[Hashable, list[str]] = defaultdict(list)
    listed = list(labels)
    if len(listed) != len(coins) or len(set(coins)) != len(coins):
        raise ValueError("naming dies needs one label a coin and every coin once")
    for label, coin in zip(listed, coins, strict=True):
        members[label].append(coin)
    ranked = sorted(members, key=lambda d: (-len(members[d]), min(map(natural_key, members[d]))))
    name = {label: f"{DIE_PREFIX[side]}{number}" for number, label in enumerate(ranked, 1)}
    return [name[label] for label in listed]
