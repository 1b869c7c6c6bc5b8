"""What the workbench has open: one index under review, perhaps a build at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dieindex import api
from dieindex.errors import DieIndexError, IndexFolderError, UsageError
from dieindex.records import Side
from dieindex.workbench import documents
from dieindex.workbench.builds import Build
from dieindex.workbench.events import Events

_TO_BREAK_OFF = 120.0
"""Seconds within which work that is broken off has ended."""


class Stopped(DieIndexError):
    """A person stopped the work. What was finished is kept."""


class NotSortedYet(UsageError):
    """The dies of a side are still being found for the first time."""

    def __init__(self, side: Side) -> None:
        super().__init__(f"The {side}s are being compared; this comes when that is done.")


class Bench:
    """One workbench. ``index`` is opened at once, where it is given; ``data`` is proposed on the
    first page."""

    def __init__(self, index: Path | None = None, data: Path | None = None) -> None:
        self.events = Events()
        self.data = data
        self._lock = threading.RLock()
        self._session: api.ReviewSession | None = None
        self._build: Build | None = None
        self._study: tuple[tuple[object, ...], api.LiveStudy] | None = None
        self._studying = threading.Lock()
        if index is not None:
            self.open(index)

    @property
    def build(self) -> Build | None:
        """The build at work, or the last one."""
        return self._build

    @property
    def is_open(self) -> bool:
        return self._session is not None

    @property
    def session(self) -> api.ReviewSession:
        """The index under review. Raises IndexFolderError where none is open."""
        found = self._session
        if found is None:
            raise IndexFolderError("No index is open; choose a folder on the first page.")
        return found

    def open(self, folder: Path) -> None:
        """Put an index under review, in the place of what was. Raises IndexFolderError."""
        with self._lock:
            opened = api.open_index(folder)
            if self._session is not None:
                self._session.close()
            self._session = api.ReviewSession(opened, self._tell)
        self.events.tell("opened", {"index": str(opened.folder)})

    def close(self) -> None:
        """End all work; every answer is kept already."""
        with self._lock:
            if self._build is not None:
                self._build.stopping = True
            if self._session is not None:
                self._session.close()
        self.events.close()

    # building

    def start_build(self, data: Path, index: Path | None, options: Mapping[str, Any]) -> Build:
        """Build in a thread of its own; the index is put under review when it is there. Raises
        UsageError where a build is at work already."""
        with self._lock:
            self._check_free()
            folder = index if index is not None else api.default_index_folder(data)
            self._build = Build(data, options, folder)
            threading.Thread(
                target=self._run_build, args=(self._build,), name="build", daemon=True
            ).start()
            return self._build

    def rebuild(self, change: Callable[[], object]) -> Build:
        """Make a change to the collection of the index under review, and build it again as it was
        built. Raises UsageError where a build is at work already: then nothing is changed."""
        with self._lock:
            self._check_free()
            index = self.session.index
            options = api.build_options(index.folder)
            change()
            return self.start_build(Path(str(index.data)), index.folder, options)

    def _check_free(self) -> None:
        if self._build is not None and not self._build.finished.is_set():
            raise UsageError(f"{self._build.data} is being built; wait for it, or stop it.")

    def stop_build(self) -> None:
        """Break off the build at work; it goes on where it stopped when it is started again."""
        if self._build is not None:
            self._build.stopping = True

    def _run_build(self, build: Build) -> None:
        def progress(step: str, done: int, total: int, /) -> None:
            build.step, build.done, build.total = step, done, total
            self.events.tell("build", documents.build(build), passing=True)
            if build.stopping:
                raise Stopped("Stopped. What was finished is kept: start again to go on.")

        review = self._set_aside(build.index)
        try:
            built = api.build(build.data, build.index, progress=progress, **build.options)
            build.report = built.report
            self.open(build.index)
        except Exception as error:
            build.error = documents.told(error)
            if review is not None and self._session is review:
                with suppress(DieIndexError):
                    self.open(build.index)
        build.finished.set()
        self.events.tell("build", documents.build(build))

    def _set_aside(self, folder: Path) -> api.ReviewSession | None:
        """Break off what the review compares, where it is this index that is built: only one can
        work on it. It goes on with what is compared already when the index is opened again."""
        session = self._session
        if session is None or session.index.folder.resolve() != folder.resolve():
            return None
        session.close(_TO_BREAK_OFF)
        return session

    # the study

    def study(self) -> api.LiveStudy:
        """The study of the dies as they are now; computed anew where they changed. Raises
        DieIndexError where they are not found yet."""
        session = self.session
        found = {side: session.sorted(side) for side in api.SIDES}
        missing = [side for side, each in found.items() if each is None]
        if missing:
            raise NotSortedYet(missing[0])
        dies = {side: each.dies for side, each in found.items() if each is not None}
        # (It takes a while: nothing else waits for it.)
        with self._studying:
            if self._study is None or self._study[0] != tuple(dies.values()):
                self._study = tuple(dies.values()), api.live_study(session.index, dies)
            return self._study[1]

    def _tell(self, what: str, details: Mapping[str, Any]) -> None:
        if what == "dies":
            told = documents.sorted_side(details["side"], details["found"])
            self.events.tell("dies", told)
        elif what == "verdicts":
            reviews = [documents.review(each) for each in details["reviews"]]
            self.events.tell("verdicts", {"reviews": reviews})
        elif what == "failed":
            message = documents.told(details["error"])
            self.events.tell("failed", {"side": details["side"], "error": message})
        elif what == "progress":
            self.events.tell("progress", details, passing=True)
