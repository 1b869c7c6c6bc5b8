"""Chromium without a window, which opens pages and drawings, and a server that listens for what
must not be asked for."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SCRIPT = "document.documentElement.dataset.abused=1"
_RAN = 'data-abused="1"'
"""What a script that ran leaves in the page."""
_POKE = """<script>for (const e of document.querySelectorAll("*")) for (const t of ["mouseover",
"mouseenter","focus","click","input","change","toggle","error"]) try { e.dispatchEvent(new Event(t,
{bubbles: true})) } catch (e) {}</script>"""
"""Touches all that is in a page."""
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=2000",
    "--dump-dom",
)  # fmt: skip


@functools.cache
def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for found in map(shutil.which, names) if found), None)


def what_opens_pages() -> str:
    if chromium() is None:
        return "No Chromium here: pages and drawings are parsed, not opened."
    return f"Pages and drawings are opened in {chromium()}."


class Browser:
    """Chromium without a window, and a server that notes what is asked of it."""

    def __enter__(self) -> Browser:
        asked: list[str] = []
        self.asked = asked

        class Listening(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Listening)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/asked"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._folder = tempfile.TemporaryDirectory(prefix="pages", ignore_cleanup_errors=True)
        if chromium() is not None:
            self._prove()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._folder.cleanup()

    def _prove(self) -> None:
        """What is looked for would be seen."""
        folder = Path(self._folder.name)
        for name, begin, end in (
            ("proof.html", "<html><body>", "</body></html>"),
            ("proof.svg", '<svg xmlns="http://www.w3.org/2000/svg">', "</svg>"),
        ):
            page = folder / name
            page.write_text(f"{begin}<script>{SCRIPT}</script>{end}")
            assert _RAN in self._opened(page), "the browser runs no script"
        page = folder / "asks.html"
        page.write_text(f"<img src='{self.address}'>")
        self._opened(page)
        assert self.asked, "the server hears nothing"
        self.asked.clear()

    def check(self, *pages: Path) -> None:
        """No script but a page's own runs when it is opened and all in it is touched, and nothing
        is asked of the network. Drawings are opened all at once."""
        if chromium() is None:
            return
        looked = Path(self._folder.name) / "looked.html"
        for page in pages:
            if page.suffix == ".html":
                text = page.read_text("utf-8")
                looked.write_text(text.replace("</body>", f"{_POKE}</body>"), "utf-8")
                page = looked
            assert _RAN not in self._opened(page), f"{page.name}: a script ran"
        assert not self.asked, f"asked for {self.asked[0]}"

    def _opened(self, page: Path) -> str:
        home = self._folder.name
        said = subprocess.run(
            [chromium() or "", *_OPTIONS, f"--user-data-dir={home}/profile", page.as_uri()],
            capture_output=True,
            timeout=120,
            check=False,
            env={**os.environ, "HOME": home},
        )
        text = said.stdout.decode("utf-8", "replace")
        why = said.stderr[-300:].decode(errors="replace")
        assert text.strip(), f"{page.name} did not open: {why}"
        return text
