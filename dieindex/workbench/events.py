"""What happened, told to every open page as it happens (server-sent events)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

_KEPT = 500
"""Events that a page which was away for a moment gets afterwards."""
_BEAT = 15.0
"""Seconds after which a page hears that the server is there."""

Numbered = tuple[int, str, str]
"""The number of an event, what it is, and its document as JSON."""


class Events:
    """Events in their order. ``tell`` may be called from any thread, and never waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._kept: deque[Numbered] = deque(maxlen=_KEPT)
        self._open: dict[asyncio.Queue[Numbered | None], asyncio.AbstractEventLoop] = {}

    def tell(self, what: str, document: Mapping[str, Any], *, passing: bool = False) -> None:
        """Tell all pages. What is ``passing`` (how far some work is) is told to no page that was
        away: there would be no room for anything else."""
        with self._lock:
            self._last += 1
            event = (self._last, what, json.dumps(document))
            if not passing:
                self._kept.append(event)
            listening = list(self._open.items())
        for queue, loop in listening:
            # (Its loop may have ended.)
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_put, queue, event)

    def close(self) -> None:
        """End every stream."""
        with self._lock:
            listening = list(self._open.items())
        for queue, loop in listening:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, None)

    @property
    def last(self) -> int:
        """The number of the last event."""
        with self._lock:
            return self._last

    async def stream(self, after: int | None) -> AsyncIterator[str]:
        """Events behind the one numbered ``after`` (None: from now on), as a browser reads them."""
        queue: asyncio.Queue[Numbered | None] = asyncio.Queue()
        with self._lock:
            self._open[queue] = asyncio.get_running_loop()
            missed = [] if after is None else [each for each in self._kept if each[0] > after]
        try:
            yield "retry: 1000\n\n"
            for event in missed:
                yield _written(event)
            while True:
                try:
                    event_or_end = await asyncio.wait_for(queue.get(), _BEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event_or_end is None:
                    return
                yield _written(event_or_end)
        finally:
            with self._lock:
                self._open.pop(queue, None)


def _put(queue: asyncio.Queue[Numbered | None], event: Numbered) -> None:
    """(The stream of a page that takes nothing ends; it asks again for what it missed.)"""
    if queue.qsize() >= _KEPT:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
    else:
        queue.put_nowait(event)


def _written(event: Numbered) -> str:
    number, what, document = event
    return f"id: {number}\nevent: {what}\ndata: {document}\n\n"
