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
PAINTED = "html[data-painted]"
SLOW = 120_000
"""Milliseconds for what works on pictures."""


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
        self._place, self.index = place, index
        self.address = ""
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def base(self) -> str:
        return self.address.partition("/open")[0]

    def start(self) -> None:
        """At the port where it was, if it ran before."""
        command = [sys.executable, "-m", "dieindex.commands.main", "review", "--no-browser"]
        if self.index is not None:
            command += ["--index", str(self.index)]
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


def opened(
    browser: Any,
    workbench: Workbench,
    person: str | None,
    theme: str = "light",
    *,
    has_touch: bool = False,
) -> Any:
    """A page of a new person's browser, let in. What goes wrong in it is in ``page.faults``."""
    context = browser.new_context(
        viewport={"width": 1366, "height": 768},
        color_scheme=theme,
        reduced_motion="reduce",
        has_touch=has_touch,
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


def said(page: Any, workbench: Workbench) -> list[dict[str, Any]]:
    """Every verdict that the index has, the latest first."""
    answer = page.request.get(f"{workbench.base}/api/log")
    assert answer.ok
    reviews: list[dict[str, Any]] = answer.json()["reviews"]
    return reviews


def at_desk(page: Any, workbench: Workbench, query: str = "") -> str:
    """Go to the desk, and wait for a pair; which one."""
    page.goto(f"{workbench.base}/desk{query}")
    return painted(page)


def painted(page: Any) -> str:
    page.locator(PAINTED).wait_for(state="attached", timeout=SLOW)
    return str(page.locator("html").get_attribute("data-painted"))


def press(page: Any, key: str, before: str) -> str:
    """Press a key that answers, and wait for another pair; which one."""
    from playwright.sync_api import expect

    page.keyboard.press(key)
    expect(page.locator("html")).not_to_have_attribute("data-painted", before)
    return painted(page)


def kept(page: Any) -> None:
    """Wait until the workbench says that an answer is kept."""
    from playwright.sync_api import expect

    expect(page.locator(".toast", has_text="Kept").last).to_be_visible()


Point = tuple[float, float]
"""On the page, pixels."""


def middle(place: Any) -> Point:
    box = place.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Any, start: Point, end: Point, key: str | None = None) -> None:
    """With the mouse, perhaps with a key held."""
    if key is not None:
        page.keyboard.down(key)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 6, start[1])
    page.mouse.move(*end, steps=8)
    page.mouse.move(*end)
    page.mouse.up()
    if key is not None:
        page.keyboard.up(key)


def pinch(page: Any, around: Point, before: float, after: float) -> None:
    """Two fingers, each so far from the middle before and after."""
    hands = page.context.new_cdp_session(page)
    (x, y), steps = around, 6

    def touch(kind: str, away: float | None) -> None:
        places = [] if away is None else [x - away, x + away]
        points = [{"x": place, "y": y, "id": finger} for finger, place in enumerate(places)]
        hands.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", before)
    for step in range(1, steps + 1):
        touch("touchMove", before + (after - before) * step / steps)
    touch("touchEnd", None)
