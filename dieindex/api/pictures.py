"""Pictures of an index's coins, for what is shown of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dieindex.records import Face, Side
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.face_codec import unpack_face
from dieindex.verification.score_pairs import best_of_each_coin


class Pictures(Protocol):
    """Where faces of coins are had from."""

    def faces(self, side: Side, coins: Sequence[str]) -> dict[str, Face]:
        """The best face of each of the coins that shows the side."""
        ...


@dataclass(frozen=True)
class IndexPictures:
    """The pictures that an index keeps; they are read when they are asked for."""

    folder: Path
    leading: Mapping[str, str] = field(default_factory=dict)
    """Coins under the names that lead, where several are one."""

    def faces(self, side: Side, coins: Sequence[str]) -> dict[str, Face]:
        with Catalogue.open(self.folder) as catalogue:
            rows = best_of_each_coin(catalogue.face_rows(side).under(self.leading))
            number = dict(zip(rows.coins, rows.ids.tolist(), strict=True))
            return {
                coin: unpack_face(catalogue.packed_face(number[coin]))
                for coin in coins
                if coin in number
            }


@dataclass(frozen=True, eq=False)
class GivenPictures:
    """Faces that were given, one a coin."""

    given: dict[str, Face]

    def faces(self, side: Side, coins: Sequence[str]) -> dict[str, Face]:
        return {coin: self.given[coin] for coin in coins if coin in self.given}
