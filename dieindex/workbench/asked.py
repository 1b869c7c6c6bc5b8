"""What a page asks, checked; and how an answer is made of it.

An answer is a function of the bench and of what is asked, run in a thread of its own. What it
raises becomes a document with the ``error`` in words.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from dieindex.api import SIDES
from dieindex.errors import DieIndexError, UsageError
from dieindex.records import Side
from dieindex.workbench import documents
from dieindex.workbench.bench import Bench, NotSortedYet
from dieindex.workbench.guard import PHOTOGRAPH

_log = logging.getLogger(__name__)

LONGEST = 4000
"""Letters of a text that a page sends."""
MOST_PARTS = 100
"""Documents in a list that a page sends."""
MOST_LISTED = 20_000
"""Coins that a page names at once."""


@dataclass(frozen=True)
class Asked:
    """What is asked: the values of the address, or of the document that was sent."""

    values: Mapping[str, Any]
    body: Mapping[str, Any] = field(default_factory=dict)
    photograph: bytes = b""
    """What was sent as a file."""

    def text(self, name: str, default: str | None = None) -> str:
        """Raises UsageError where it is missing and there is no ``default``, or is no text."""
        value = self._value(name)
        if value is None and default is not None:
            return default
        if not _is_text(value):
            raise UsageError(f"{name}: a text of at most {LONGEST} letters is missing.")
        return str(value)

    def text_or_none(self, name: str) -> str | None:
        """Empty and missing are None."""
        return self.text(name, "").strip() or None

    def side(self) -> Side:
        """Raises UsageError where it names none."""
        value = self.text("side")
        for side in SIDES:
            if value == side:
                return side
        raise UsageError(f"side: choose {' or '.join(SIDES)}.")

    def number(self, name: str) -> int:
        """A number that counts. Raises UsageError for what is none."""
        value = self._value(name)
        text = str(value)
        if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 12:
            raise UsageError(f"{name}: a number is missing.")
        return int(text)

    def numeric(self, name: str) -> float | None:
        """None where it is missing."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UsageError(f"{name}: a number is missing.")
        try:
            return float(value)
        except OverflowError:
            raise UsageError(f"{name}: this number is too large.") from None

    def flag(self, name: str) -> bool:
        return self._value(name) is True

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self._value(name)
        if not isinstance(value, list) or len(value) > MOST_LISTED:
            raise UsageError(f"{name}: a list is missing.")
        if not all(map(_is_text, value)):
            raise UsageError(f"{name}: a list of texts is missing.")
        return value

    def parts(self, name: str) -> list[Asked]:
        """A list of documents."""
        value = self._value(name)
        if not isinstance(value, list) or not 0 < len(value) <= MOST_PARTS:
            raise UsageError(f"{name}: a list of 1 to {MOST_PARTS} is missing.")
        if not all(isinstance(each, dict) for each in value):
            raise UsageError(f"{name}: a list of objects is missing.")
        return [Asked({}, each) for each in value]

    def path(self, name: str) -> Path:
        """A path that a person typed. Raises UsageError for an empty one, and one that none can
        be."""
        found = self.path_or_none(name)
        if found is None:
            raise UsageError("Name a folder.")
        return found

    def path_or_none(self, name: str) -> Path | None:
        """Empty and missing are None; else as ``path``."""
        text = self.text_or_none(name)
        if text is None:
            return None
        if "\0" in text or any(len(os.fsencode(part)) > 255 for part in Path(text).parts):
            raise UsageError(f"{name}: no file has such a name.")
        try:
            return Path(text).expanduser()
        except RuntimeError:
            raise UsageError(f"{text}: there is no such person on this machine.") from None

    def _value(self, name: str) -> Any:
        return self.body[name] if name in self.body else self.values.get(name)


def _is_text(value: Any) -> bool:
    """Whether it is a text, no half of a character in it, and not too long."""
    if not isinstance(value, str) or len(value) > LONGEST:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


class Document(JSONResponse):
    """An answer as JSON. (Names of files may hold what is no character: it is escaped.)"""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


Work = Callable[[Bench, Asked], Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def answered(work: Work) -> Endpoint:
    """An endpoint that answers with a document."""

    async def endpoint(request: Request) -> Response:
        try:
            asked = await _asked(request)
            answer = await run_in_threadpool(work, request.app.state.bench, asked)
            return answer if isinstance(answer, Response) else Document(answer)
        except ClientDisconnect:
            return Response(status_code=413)
        except Exception as error:
            return _failed(error)

    return endpoint


async def _asked(request: Request) -> Asked:
    if request.method == "GET":
        return Asked(dict(request.query_params) | dict(request.path_params))
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.url.path == PHOTOGRAPH and kind == "application/octet-stream":
        return Asked(dict(request.query_params), photograph=await request.body())
    if kind != "application/json":
        raise UsageError("Only JSON is taken here.")
    try:
        body = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise UsageError("That is no JSON.") from None
    if not isinstance(body, dict):
        raise UsageError("A JSON object is missing.")
    return Asked(dict(request.path_params), body)


def _failed(error: Exception) -> Response:
    if not isinstance(error, DieIndexError):
        _log.debug("an answer failed", exc_info=error)
    status = 400 if isinstance(error, UsageError) else 409
    if isinstance(error, NotSortedYet):
        status = 503
    if not isinstance(error, DieIndexError):
        status = 500
    return Document({"error": documents.told(error)}, status_code=status)
