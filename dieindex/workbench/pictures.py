"""The pictures of an index's faces. A page names a face by its number, never a file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from starlette.responses import Response

from dieindex import api
from dieindex.workbench.answers import found_side
from dieindex.workbench.asked import Asked
from dieindex.workbench.bench import Bench

_KEPT_BYTES = 48 << 20
"""Of pictures that are kept for the next time they are asked for."""


class PictureCache:
    """The pictures that were asked for last."""

    def __init__(self, most: int = _KEPT_BYTES) -> None:
        self._most, self._bytes = most, 0
        self._lock = Lock()
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], bytes]) -> bytes:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += len(made)
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return made


_cache = PictureCache()


def small(bench: Bench, asked: Asked) -> Response:
    """A face in a list."""
    index, face = bench.session.index, asked.number("face")
    key = (index.folder, index.built, "small", face)
    made = _cache.get(key, lambda: api.small_face(index.folder, face))
    return _kept_long(made, "image/webp")


def large(bench: Bench, asked: Asked) -> Response:
    """A face as it is looked at."""
    index, face = bench.session.index, asked.number("face")
    key = (index.folder, index.built, "large", face)
    made = _cache.get(key, lambda: api.large_face(index.folder, face))
    return _kept_long(made, "image/jpeg")


def around(bench: Bench, asked: Asked) -> Response:
    """A face on its frame, with what lies beyond the frame's edges."""
    index, face = bench.session.index, asked.number("face")
    key = (index.folder, index.built, "around", face)
    made = _cache.get(key, lambda: api.large_face(index.folder, face, around=api.AROUND))
    return _kept_long(made, "image/jpeg")


def moved(bench: Bench, asked: Asked) -> Response:
    """A face on the frame of another to which it was aligned."""
    index, face, fixed = bench.session.index, asked.number("face"), asked.number("fixed")
    key = (index.folder, index.built, "moved", face, fixed)
    made = _cache.get(key, lambda: api.moved_face(index.folder, face, fixed))
    return _kept_long(made, "image/jpeg")


def photograph(bench: Bench, asked: Asked) -> Response:
    """The photograph that shows a face."""
    made, size = api.photograph(bench.session.index.folder, asked.number("face"))
    return _kept_long(made, "image/jpeg", {"x-size": f"{size[0]} {size[1]}"})


def mean(bench: Bench, asked: Asked) -> Response:
    """What all coins of a die show."""
    side, name = asked.side(), asked.text("die")
    found = found_side(bench, side)
    index = bench.session.index
    faces = [found.desk.coin(coin).face for coin in api.surest_first(found.dies, name)]
    faces = sorted(faces[: api.MOST_IN_MEAN])
    key = (index.folder, index.built, "mean", *faces)
    made = _cache.get(key, lambda: api.mean_face(index.folder, faces))
    return Response(made, media_type="image/webp")


def _kept_long(content: bytes, kind: str, more: dict[str, str] | None = None) -> Response:
    """(Its address holds when the index was built.)"""
    headers = {"cache-control": "private, max-age=86400, immutable"} | (more or {})
    return Response(content, media_type=kind, headers=headers)
