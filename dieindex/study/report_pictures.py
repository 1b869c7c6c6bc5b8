"""Where the report finds its pictures: inside the page while they are few, else beside it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from dieindex.records import Side
from dieindex.study.analysis import Study
from dieindex.study.pictures import as_jpeg, on_white

EMBEDDED_UP_TO = 24 << 20
"""Bytes of pictures that go into the page itself; beyond, they lie beside it."""


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
