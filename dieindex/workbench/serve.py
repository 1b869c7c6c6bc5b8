"""The server of the workbench."""

from __future__ import annotations

import ipaddress
import logging
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from dieindex.errors import UsageError
from dieindex.workbench.app import create_app
from dieindex.workbench.bench import Bench
from dieindex.workbench.guard import OPENING

LOOPBACK = "127.0.0.1"
PORT = 8420
"""Where it is looked for a free port first."""
_TURN = 0.0005
"""Seconds that the thread which finds the dies may keep the interpreter from those that answer. A
picture is read in a hundred small pieces, after each of which it waits its turn."""


class Server(uvicorn.Server):
    """Tells its pages that it ends, so that their streams do not hold it."""

    def __init__(self, app: Starlette, bench: Bench) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        super().__init__(config)
        self._bench = bench

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._bench.close()
        await super().shutdown(sockets)


def serve(
    index: Path | None,
    data: Path | None = None,
    *,
    host: str = LOOPBACK,
    port: int | None = None,
    browser: bool = True,
    announce: Callable[[str], None],
) -> None:
    """Serve the workbench until it is interrupted. ``announce`` is called once with its address.

    ``index`` is put under review; else ``data`` is proposed on the first page. Raises UsageError
    where the port is taken and where ``host`` names no machine, IndexFolderError for a folder that
    is no index.
    """
    if _is_any(host):
        raise UsageError(
            f"{host or 'An empty name'}: is no name by which others call this machine; give its "
            "name or its address in the network."
        )
    listening = _listening(host, port)
    own_port = listening.getsockname()[1]
    secret = secrets.token_urlsafe(24)
    bench = Bench(index, data)
    names = {host, "127.0.0.1", "localhost"} if is_loopback(host) else {host}
    names = {f"[{name}]" if ":" in name else name for name in names}
    hosts = [f"{name}:{own_port}" for name in names]
    if own_port == 80:  # (Browsers leave it out.)
        hosts += names
    app = create_app(bench, hosts=hosts, secret=secret)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{own_port}{OPENING}?secret={secret}"
    announce(address)
    if browser:
        # (A browser of the terminal would be waited for, and it for the server.)
        threading.Thread(
            target=webbrowser.open, args=(address,), name="browser", daemon=True
        ).start()
    sys.setswitchinterval(_TURN)
    try:
        # (An interruption is how it ends.)
        with suppress(KeyboardInterrupt):
            Server(app, bench).run(sockets=[listening])
    finally:
        bench.close()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    """Whether it stands for all addresses of this machine: no page could be opened by it."""
    try:
        return not host or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _listening(host: str, port: int | None) -> socket.socket:
    """A socket at the port; where none is named, at the first free one from ``PORT`` on."""
    tried = range(PORT, PORT + 20) if port is None else (port,)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    failure: OSError | None = None
    for each in tried:
        found = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":
            # (Elsewhere it would let two servers have one port.)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, each))
            found.listen(128)
        except OSError as error:
            found.close()
            failure = error
            if isinstance(error, socket.gaierror):
                break
            continue
        return found
    where = f"port {port}" if port is not None else f"ports {PORT} to {PORT + 19}"
    reason = failure.strerror if failure is not None and failure.strerror else "taken"
    raise UsageError(f"{host}: {where} cannot be used ({reason}); name another one.")
