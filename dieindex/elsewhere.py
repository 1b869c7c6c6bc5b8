"""What a worker on another machine does with a call: it finds what the call needs, and calls.

A call travels with plain arrays and dataclasses. What is large and often needed does not: a
network goes by the digest of its weights, a value that many calls share by a digest of its own, a
photograph by its path. A worker that has not got one of these says so, and is sent the content.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Generic, TypeVar

from threadpoolctl import ThreadpoolController

from dieindex.errors import EngineError
from dieindex.files import content_hash
from dieindex.version import VERSION

Value = TypeVar("Value")

PACKAGE = Path(__file__).parent
PROCESSOR = "processor"
"""Where ``software`` tells what the processor can do; results may differ by it in their last bits,
and are good all the same."""
_LIBRARIES = ("numpy", "scipy", "pillow", "simplejpeg", "pillow-heif")
_MOST_KEPT = 6
"""Networks and shared values that a worker keeps; beyond, the oldest goes."""


class FromWeights(ABC):
    """What is made of a weights file alone: another machine makes the same of the same file."""

    weights: Path
    device: str

    @property
    @abstractmethod
    def precision(self) -> str:
        """In which it computes; processors differ in it."""

    @classmethod
    @abstractmethod
    def from_weights(cls, weights: Path, device: str) -> FromWeights: ...


class Shared(Generic[Value]):
    """A value that many calls share: it travels to each worker once. Called functions are given
    it as it is, and take its ``value``."""

    def __init__(self, value: Value) -> None:
        self.value = value

    @cached_property
    def content(self) -> bytes:
        return pickle.dumps(self.value, pickle.HIGHEST_PROTOCOL)

    @cached_property
    def name(self) -> str:
        return f"value {hashlib.sha256(self.content).hexdigest()}"


@dataclass(frozen=True)
class Lacking:
    """The answer of a worker that has not got what these names stand for."""

    names: tuple[str, ...]


class NotHereError(Exception):
    """(Stays within ``call``.)"""


class StandIn(ABC):
    """What travels in place of an argument."""

    name: str

    @abstractmethod
    def found(self, content: bytes | None, stack: ExitStack) -> Any:
        """The argument itself, of the ``content`` if that was sent. Raises NotHereError."""


@dataclass(frozen=True)
class FileThere(StandIn):
    """A file that the worker may see under the same path; it is the same where its size and its
    time are. (Reading it here only to compare contents would cost what is to be spared.)"""

    path: Path
    size: int
    mtime_ns: int

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"file {self.path}"

    def found(self, content: bytes | None, stack: ExitStack) -> Path:
        if content is not None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dieindex-"))
            copy = Path(folder) / self.path.name
            copy.write_bytes(content)
            os.utime(copy, ns=(self.mtime_ns, self.mtime_ns))
            return copy
        try:
            status = self.path.stat()
        except OSError as error:
            raise NotHereError from error
        same = (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)
        if not same or not os.access(self.path, os.R_OK):
            raise NotHereError
        return self.path


@dataclass(frozen=True)
class ValueThere(StandIn):
    """A shared value."""

    name: str

    def found(self, content: bytes | None, stack: ExitStack) -> Shared[Any]:
        make = None if content is None else lambda: Shared(pickle.loads(content))
        found: Shared[Any] = _kept(self.name, make)
        return found


@dataclass(frozen=True)
class NetworkThere(StandIn):
    """A network: of the same file of the worker's own dieindex, if it has that, else as it is
    sent."""

    kind: type[FromWeights]
    file: str
    """Below the package; empty for weights that were not shipped."""
    digest: str
    device: str
    precision: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.kind.__name__} {self.digest} {self.device}"

    def found(self, content: bytes | None, stack: ExitStack) -> FromWeights:
        made: FromWeights = _kept(self.name, self._maker(content))
        if made.precision != self.precision:
            raise EngineError(
                f"{socket.gethostname()}: its processor computes the network in {made.precision}, "
                f"this one in {self.precision}; results would differ. Use processors of one kind."
            )
        return made

    def _maker(self, content: bytes | None) -> Callable[[], FromWeights] | None:
        own = PACKAGE / self.file
        if self.file and own.is_file() and _digest_of(own) == self.digest:
            return lambda: self.kind.from_weights(own, self.device)
        if content is None:
            return None

        def make() -> FromWeights:
            with tempfile.TemporaryDirectory(prefix="dieindex-") as folder:
                copy = Path(folder) / "weights.safetensors"
                copy.write_bytes(content)
                return self.kind.from_weights(copy, self.device)

        return make


_digest_of = lru_cache(8)(content_hash)
_things: dict[str, Any] = {}
_making = threading.Lock()


def _kept(name: str, make: Callable[[], Any] | None) -> Any:
    """What this process keeps under a name, made once. Raises NotHereError where it cannot be."""
    with _making:
        if name not in _things:
            if make is None:
                raise NotHereError
            _things[name] = make()
        # (The last one asked for stands last.)
        found = _things[name] = _things.pop(name)
        while len(_things) > _MOST_KEPT:
            del _things[next(iter(_things))]
        return found


def call(
    expected: Mapping[str, str],
    piece: bytes,
    contents: Mapping[str, bytes],
) -> Any:
    """What a piece of work, a pickled function and its arguments, gives; or ``Lacking`` what must
    be sent before.

    Raises EngineError where this machine's software is not the one ``expected``.
    """
    differing = differences(expected, software())
    if differing:
        raise EngineError(f"{socket.gethostname()}: {differing}.")
    function, arguments = pickle.loads(piece)
    with ExitStack() as stack:
        found, lacking = [], []
        for each in arguments:
            try:
                there = isinstance(each, StandIn)
                found.append(each.found(contents.get(each.name), stack) if there else each)
            except NotHereError:
                lacking.append(each.name)
        if lacking:
            return Lacking(tuple(lacking))
        with one_thread_each():
            return function(*found)


@lru_cache(1)
def software() -> dict[str, str]:
    """Versions of all that decides what a piece of work gives, by name."""
    import cv2
    import torch

    found = {"dieindex": f"{VERSION} (code {_code()})"}
    found["torch"] = torch.__version__.partition("+")[0]
    found["opencv"] = cv2.__version__
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    found[PROCESSOR] = torch.backends.cpu.get_cpu_capability()
    return found


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What differs there from here, in words; nothing said of the processor."""
    return ", ".join(
        f"{name} is {there.get(name, 'missing')}, here it is {version}"
        for name, version in here.items()
        if name != PROCESSOR and there.get(name, "missing") != version
    )


def _code() -> str:
    """Digest of the package's source: a version's number does not tell one checkout from
    another."""
    found = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()[:12]


_setting = threading.Lock()
_at_work: list[Callable[[], object]] = []
"""For each block that keeps to one thread, what puts back how many there were before the first."""


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep torch, OpenCV and NumPy's linear algebra from starting threads of their own beside the
    workers, which only wait for each other there.

    With one worker too: sums must not depend on how many threads share them. The last block that
    is left puts back what the first one found.
    """
    with _setting:
        _at_work.append(_at_work[0] if _at_work else _keep_to_one_thread())
    try:
        yield
    finally:
        with _setting:
            put_back = _at_work.pop()
            if not _at_work:
                put_back()


def _keep_to_one_thread() -> Callable[[], object]:
    """Gives what puts back the threads that there were. (Of linear algebra: in libraries that are
    loaded by then.)"""
    import cv2
    import torch

    with ExitStack() as before:
        before.callback(torch.set_num_threads, torch.get_num_threads())
        before.callback(cv2.setNumThreads, cv2.getNumThreads())
        before.enter_context(ThreadpoolController().limit(limits=1, user_api="blas"))
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        return before.pop_all().close
