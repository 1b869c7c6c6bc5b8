"""Workers of a Dask cluster that is there already, behind the same two functions as threads.

This process alone reads and writes the index; workers are sent what a piece of work needs and send
back what they found. A piece whose worker is lost is given to another by Dask. A cluster runs the
code that it is sent: it belongs in a network that is trusted (``docs/scale.md``).
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from dieindex.elsewhere import (
    PACKAGE,
    PROCESSOR,
    FileThere,
    FromWeights,
    Lacking,
    NetworkThere,
    Shared,
    StandIn,
    ValueThere,
    call,
    differences,
    one_thread_each,
    software,
)
from dieindex.errors import EngineError, UsageError
from dieindex.files import content_hash
from dieindex.text import Parameter

Result = TypeVar("Result")

_SCHEMES = {"dask": "tcp", "dask+tls": "tls"}
_PATIENCE = 10.0
"""Seconds to wait for the scheduler, and for a first worker."""
_LOADING = 120.0
"""Seconds in which the workers have loaded what they need."""
PROTOCOL = 5
_MOST_LARGE = "1 GB"
"""Of a piece of work; above it Dask warns."""

_log = logging.getLogger(__name__)


def address_of(engine: str) -> str:
    """The scheduler's address as Dask writes it. Raises UsageError for anything but
    ``dask://host:port`` (``dask+tls://`` where the cluster encrypts)."""
    try:
        parts = urlsplit(engine)
        host, port = parts.hostname, parts.port
    except (ValueError, TypeError, AttributeError):
        host = port = None
    if (
        not host
        or not port
        or parts.scheme not in _SCHEMES
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
        or "@" in engine
        or any(each.isspace() for each in engine)
    ):
        raise UsageError(
            Parameter("engine", str(engine)),
            ": not the address of a cluster; give dask://HOST:PORT, as its scheduler tells it.",
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{_SCHEMES[parts.scheme]}://{shown}:{port}"


@contextmanager
def cluster_workers(engine: str, jobs: int | None) -> Iterator[tuple[Executor, int]]:
    """The workers of a cluster, and how many calls they work on at once: as many as asked, else as
    they have threads. When the block is left by an error, what waits is cancelled.

    Raises UsageError where the cluster cannot be used: it is not there, has no workers, or they run
    other software than this machine.
    """
    pool = _ClusterPool(address_of(engine), engine)
    try:
        yield pool, jobs or pool.threads
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


class _ClusterPool(Executor):
    """Calls are answered by a cluster's workers; all talk with it is on one thread of its own."""

    def __init__(self, address: str, engine: str) -> None:
        try:
            import dask
            import distributed
        except ImportError as error:
            raise UsageError(
                Parameter("engine", engine),
                ": needs the package distributed; install it with "
                "`pip install 'dieindex[cluster]'`.",
            ) from error
        self._engine = engine
        self._distributed: Any = distributed
        self._settings: Any = dask.config.set(
            {"distributed.admin.large-graph-warning-threshold": _MOST_LARGE}
        )
        # (What goes wrong is said by this module.)
        self._loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
        self._levels = [each.level for each in self._loggers]
        for each in self._loggers:
            each.setLevel(logging.CRITICAL)
        self._digests: dict[Path, str] = {}
        self._asked: set[Future[Any]] = set()
        self._client: Any = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="dieindex-engine", daemon=True).start()
        try:
            self.threads = self._waited_for(self._connect(address))
            self._carrying = asyncio.Semaphore(2 * self.threads)
        except BaseException:
            self.shutdown(cancel_futures=True)
            raise

    def submit(self, function: Callable[..., Result], /, *arguments: Any) -> Future[Result]:  # type: ignore[override]
        asked = asyncio.run_coroutine_threadsafe(self._answer(function, arguments), self._loop)
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        return asked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if self._loop.is_closed():
            return
        if cancel_futures:
            for asked in list(self._asked):
                asked.cancel()
        self._waited_for(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        while self._loop.is_running():
            time.sleep(0.001)
        self._loop.close()
        for each, level in zip(self._loggers, self._levels, strict=True):
            each.setLevel(level)
        self._settings.__exit__(None, None, None)

    def _waited_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _connect(self, address: str) -> int:
        """How many threads the workers have. Raises UsageError as ``cluster_workers``."""
        named = Parameter("engine", self._engine)
        client = self._distributed.Client(
            address, asynchronous=True, timeout=_PATIENCE, set_as_default=False
        )
        self._client = client
        try:
            await _within(client, _PATIENCE + 2)
        except Exception as error:  # (Whatever else listens there may answer with anything.)
            if "ssl_context" in str(error):
                why = "encryption is not set up: Dask's setting distributed.comm.tls is empty."
            else:
                why = "no scheduler answers there. Is it running, and can this machine reach it?"
            raise UsageError(named, f": {why}") from error
        try:
            await client.wait_for_workers(1, timeout=_PATIENCE)
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise UsageError(
                named, ": the cluster has no workers; start some with `dask worker`."
            ) from error
        here = await asyncio.to_thread(software)
        try:
            told = await _within(client.run(software, on_error="return"), _LOADING)
        except TimeoutError as error:
            raise UsageError(named, ": the workers do not answer.") from error
        for worker, there in told.items():
            if isinstance(there, ImportError):
                raise UsageError(named, f": the worker {worker} has no dieindex ({there}).")
            differing = differences(here, there) if isinstance(there, dict) else repr(there)
            if differing:
                raise UsageError(
                    named,
                    f": the worker {worker} would give other results: {differing}. Install there "
                    "what is installed here.",
                )
        others = {there[PROCESSOR] for there in told.values()} - {here[PROCESSOR]}
        if others:
            _log.warning(
                "Workers have other processors (%s) than this machine (%s): results may differ in "
                "their last digits.", ", ".join(sorted(others)), here[PROCESSOR],
            )  # fmt: skip
        return sum((await client.nthreads()).values())

    async def _leave(self) -> None:
        own = asyncio.current_task()
        left = [each for each in asyncio.all_tasks() if each is not own and _is_answer(each)]
        await asyncio.gather(*left, return_exceptions=True)
        if self._client is not None:
            # (A scheduler that is gone is not waited for.)
            with suppress(Exception):
                await _within(self._client.close(timeout=2), 4)

    async def _answer(self, function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
        # A photograph that cannot be read here either is worked on here: that is its outcome.
        try:
            sent = await asyncio.to_thread(self._stand_ins, arguments)
        except OSError:
            return await asyncio.to_thread(_called_here, function, arguments)
        piece = await asyncio.to_thread(pickle.dumps, (function, sent), PROTOCOL)
        found = await self._sent(function, piece, {})
        if isinstance(found, Lacking):
            async with self._carrying:
                contents: dict[str, bytes] = {}
                # (Each time another worker may be given it, and lack more.)
                while isinstance(found, Lacking):
                    try:
                        contents |= await asyncio.to_thread(_contents, found, sent, arguments)
                    except OSError:
                        return await asyncio.to_thread(_called_here, function, arguments)
                    found = await self._sent(function, piece, contents)
        return found  # type: ignore[no-any-return]

    async def _sent(
        self, function: Callable[..., Any], piece: bytes, contents: dict[str, bytes]
    ) -> Any:
        # (A key of its own: Dask would look for equal calls by hashing all they carry.)
        key = f"dieindex{function.__name__}-{uuid4().hex}"
        more = {"key": key, "priority": len(contents)}
        return await self._gathered(
            self._client.submit(call, software(), piece, contents, **more), function
        )

    async def _gathered(self, asked: Any, function: Callable[..., Any]) -> Any:
        """What a call gave. Raises EngineError where the cluster cannot tell."""
        try:
            return await asked
        except self._distributed.KilledWorker as error:
            raise EngineError(
                f"{self._engine}: {error.allowed_failures + 1} workers were lost, one after the "
                f"other, while they worked on one piece ({function.__name__.strip('_')}); the last "
                f"was {error.last_worker.address}. They may have too little memory. What was "
                "finished is saved: the same command goes on."
            ) from error
        except CancelledError as error:
            raise EngineError(
                f"{self._engine}: the scheduler was lost. What was finished is saved: the same "
                "command goes on."
            ) from error

    def _stand_ins(self, arguments: tuple[Any, ...]) -> list[Any]:
        """The arguments as they travel. Raises OSError where a file cannot be seen here."""
        return [self._stand_in(each) for each in arguments]

    def _stand_in(self, argument: Any) -> Any:
        if isinstance(argument, Path):
            status = argument.stat()
            return FileThere(argument.absolute(), status.st_size, status.st_mtime_ns)
        if isinstance(argument, FromWeights):
            path = argument.weights.absolute()
            if path not in self._digests:
                self._digests[path] = content_hash(path)
            shipped = path.is_relative_to(PACKAGE.absolute())
            file = path.relative_to(PACKAGE.absolute()).as_posix() if shipped else ""
            own = self._digests[path], argument.device, argument.precision
            return NetworkThere(type(argument), file, *own)
        if isinstance(argument, Shared):
            return ValueThere(argument.name)
        return argument


async def _within(work: Awaitable[Any], seconds: float) -> Any:
    """The result of some work. Raises TimeoutError where it takes longer, and does not wait for it
    to end."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        raise TimeoutError
    return task.result()


def _is_answer(task: asyncio.Task[Any]) -> bool:
    return getattr(task.get_coro(), "__name__", "") == _ClusterPool._answer.__name__


def _called_here(function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    with one_thread_each():
        return function(*arguments)


def _contents(lacking: Lacking, sent: Sequence[Any], arguments: Sequence[Any]) -> dict[str, bytes]:
    """By name what a worker is sent that has not got it. Raises OSError."""
    found = {}
    for stand_in, argument in zip(sent, arguments, strict=True):
        if isinstance(stand_in, StandIn) and stand_in.name in lacking.names:
            path = argument.weights if isinstance(argument, FromWeights) else argument
            own = isinstance(argument, Shared)
            found[stand_in.name] = argument.content if own else Path(path).read_bytes()
    return found
