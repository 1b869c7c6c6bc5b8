"""Who may ask: only the browser that was opened with the secret, and only pages of this server.

The address that ``dieindex review`` prints holds a secret; opened, it becomes a cookie that no
other site can send along (SameSite=Strict) and no script can read. Hosts other than the server's
own are refused (a name of somebody else's that points at this machine: DNS rebinding), so is every
request that writes and comes from another page (Origin), and every body that is large.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPENING = "/open"
MOST_BYTES = 256 * 1024
"""Of what a page sends: texts and the names of coins, and no file but ``PHOTOGRAPH``."""
PHOTOGRAPH, MOST_OF_PHOTOGRAPH = "/api/find", 64 << 20
"""Where a photograph may be sent, and how many bytes of it."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; font-src 'self'; frame-src 'self'; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_SAFE = frozenset(("GET", "HEAD"))


class Guard:
    """Stands before the application; see the top of this module. ``hosts`` are the values of Host
    that are this server's own (``127.0.0.1:8420``), ``secret`` what lets its owner in."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], secret: str) -> None:
        self._app = app
        self._hosts = frozenset(host.casefold() for host in hosts)
        self._secret = secret
        # (Cookies know no port: two workbenches of one machine must not take each other's.)
        port = re.search(r":([0-9]+)$", max(self._hosts, key=len))
        self._cookie = f"dieindex-{port[1] if port else 80}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = self._refused(scope)
        if answer is not None:
            await answer(scope, receive, _with_headers(send))
            return
        await self._app(scope, _Bounded(receive, _most(scope)).receive, _with_headers(send))

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let through; None to one that is."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").casefold()
        if host not in self._hosts:
            return _refusal(421, "This is the workbench of another address.")
        if scope["method"] not in _SAFE:
            origin = headers.get("origin", "").casefold()
            if origin != f"http://{host}" or headers.get("sec-fetch-site", "same-origin") not in (
                "same-origin",
                "none",
            ):
                return _refusal(403, "Only a page of this workbench may do this.")
            if int_of(headers.get("content-length")) > _most(scope):
                return _refusal(413, "That is too long.")
        if scope["path"] == OPENING:
            return self._opened(scope)
        if not self._knows(headers.get("cookie", "")):
            return _refusal(
                403, "Open the workbench with the address that dieindex printed when it started."
            )
        return None

    def _opened(self, scope: Scope) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("secret", [""])[0]
        if not secrets.compare_digest(given.encode(), self._secret.encode()):
            return _refusal(403, "This address is of an earlier workbench, which was closed.")
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self._cookie, self._secret, httponly=True, samesite="strict", path="/")
        return answer

    def _knows(self, cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return False
        value = "" if found is None else found.value
        return secrets.compare_digest(value.encode(), self._secret.encode())


def int_of(text: str | None) -> int:
    """A length as a header says it; a number too large for what is none."""
    if text is None:
        return 0
    good = text.isascii() and text.isdigit() and len(text) < 16
    return int(text) if good else MOST_OF_PHOTOGRAPH + 1


def _most(scope: Scope) -> int:
    """Bytes of a body that are taken."""
    return MOST_OF_PHOTOGRAPH if scope["path"] == PHOTOGRAPH else MOST_BYTES


def _refusal(status: int, text: str) -> Response:
    return PlainTextResponse(text, status_code=status)


class _Bounded:
    """Takes no more of a body than ``most`` bytes, whatever length was announced."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._most, self._taken = receive, most, 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            return {"type": "http.disconnect"}
        return message


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sent
