"""A workbench on a free port, and a browser's requests without the browser."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dieindex.records import SIDES
from dieindex.workbench.app import create_app
from dieindex.workbench.bench import Bench
from dieindex.workbench.serve import Server

SECRET = "a secret of the tests"
WAIT = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8")

    @property
    def document(self) -> Any:
        return json.loads(self.content)


@dataclass
class Site:
    """Asks a workbench as its own page would; every header can be another, or None: not sent."""

    port: int
    bench: Bench
    cookie: str | None = None
    own: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        address: str,
        body: bytes | Iterator[bytes] | None = None,
        **headers: str | None,
    ) -> Answer:
        """``headers`` with _ for -."""
        sent: dict[str, str | None] = {"host": self.host, "cookie": self.cookie}
        if method != "GET":
            sent |= {"origin": f"http://{self.host}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.putrequest(method, address, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            chunked = body is not None and not isinstance(body, bytes)
            if chunked:
                connection.putheader("transfer-encoding", "chunked")
            elif isinstance(body, bytes) and "content-length" not in sent:
                connection.putheader("content-length", str(len(body)))
            # (It may be refused before all was sent.)
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.endheaders(body, encode_chunked=chunked)
            found = connection.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, told, found.read())
        finally:
            connection.close()

    def get(self, address: str, **headers: str | None) -> Answer:
        return self.ask("GET", address, **headers)

    def post(self, name: str, document: Any = None, **headers: str | None) -> Answer:
        body = json.dumps({} if document is None else document).encode()
        return self.ask("POST", f"/api/{name}", body, **headers)

    def settle(self) -> None:
        """Wait until all that was said is in the dies."""
        for side in SIDES:
            assert self.bench.session.sorted(side, WAIT)
            assert self.bench.session.settled(side, WAIT)

    @contextmanager
    def events(self, after: int | None = None) -> Iterator[Iterator[tuple[int, str, Any]]]:
        """The stream of events: number, kind, document."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        headers = {"Host": self.host, "Cookie": str(self.cookie)}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        connection.request("GET", "/events", headers=headers)
        found = connection.getresponse()
        assert found.status == 200
        assert found.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert found.readline() == b"retry: 1000\n"
        try:
            yield _parsed(found)
        finally:
            connection.close()


def _parsed(found: http.client.HTTPResponse) -> Iterator[tuple[int, str, Any]]:
    lines: dict[str, str] = {}
    for raw in found:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name:
            lines[name] = value
        elif "data" in lines:
            yield int(lines["id"]), lines["event"], json.loads(lines["data"])
            lines = {}


@contextmanager
def served(index: Path | None, data: Path | None = None) -> Iterator[Site]:
    """A workbench, opened with its secret."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    port = listening.getsockname()[1]
    bench = Bench(index, data)
    app = create_app(bench, hosts=[f"127.0.0.1:{port}", f"localhost:{port}"], secret=SECRET)
    server = Server(app, bench)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        site = Site(port, bench)
        opened = site.get(f"/open?secret={SECRET.replace(' ', '%20')}")
        site.cookie = opened.headers["set-cookie"].split(";")[0]
        yield site
    finally:
        server.should_exit = True
        thread.join(WAIT)
        bench.close()
        listening.close()
    assert not thread.is_alive()
