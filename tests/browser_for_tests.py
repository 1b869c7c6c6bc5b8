"""A workbench that runs, and a browser to sit at it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
"""Of the browser: as root, without a screen, asking nothing of the network."""
AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
START_SECONDS = 120.0


def chromium() -> str:
    """The browser of this machine. Where it has none, the tests are skipped; in CI they fail."""
    for name in _NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    what = "No chromium is installed (apt-get install chromium): nothing was tried in a browser."
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def axe() -> str:
    """The source of axe-core; the test is skipped where it was not fetched."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there (npm ci --prefix tests/browser): no fault was sought.")
    return AXE.read_text(encoding="utf-8")


class Workbench:
    """``dieindex review`` as a process of its own. Its ``address`` changes when it starts again."""

    def __init__(self, place: Path, index: Path | None = None) -> None:
        self._place, self._index = place, index
        self.address = ""
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def base(self) -> str:
        return self.address.partition("/open")[0]

    def start(self) -> None:
        """At the port where it was, if it ran before."""
        command = [sys.executable, "-m", "dieindex.commands.main", "review", "--no-browser"]
        if self._index is not None:
            command += ["--index", str(self._index)]
        if self.address:
            command += ["--port", self.base.rpartition(":")[2]]
        environment = {
            name: value for name, value in os.environ.items() if name != "DIEINDEX_INDEX"
        }
        root = str(Path(__file__).parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join([root, environment.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            command,
            cwd=self._place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        watch = threading.Timer(START_SECONDS, process.kill)
        watch.start()
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline().strip()
        watch.cancel()
        assert line.startswith("http://127.0.0.1:"), line + process.stderr.read()
        self.address, self._process = line, process

    def kill(self) -> None:
        """At once, as when the power fails."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        process.send_signal(how)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        self._process = None


def opened(browser: Any, workbench: Workbench, person: str | None, theme: str = "light") -> Any:
    """A page of a new person's browser, let in. What goes wrong in it is in ``page.faults``."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 768}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(30_000)
    if person is not None:
        context.add_init_script(f"localStorage.setItem('person', {person!r})")
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("dialog", lambda dialog: (page.faults.append(dialog.message), dialog.dismiss()))
    page.on(
        "console",
        lambda told: page.faults.append(told.text) if "Content Security" in told.text else None,
    )
    page.goto(workbench.address)
    return page
