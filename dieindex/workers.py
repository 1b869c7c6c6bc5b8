"""Workers side by side, each on one core, with results in the order of the work: threads of this
machine, or those of a cluster."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from dieindex.elsewhere import one_thread_each

MOST_WORKERS = 16
"""More would hold too much memory at a time, whatever was asked."""


def count_of(jobs: int | None) -> int:
    """How many workers: as asked, else one a processor; 16 at most."""
    return min(max(1, jobs or os.cpu_count() or 1), MOST_WORKERS)


@contextmanager
def workers(jobs: int | None, engine: str | None = None) -> Iterator[tuple[Executor, int]]:
    """A pool, and how many calls it works on at once: ``jobs`` threads, or the workers of the
    cluster at ``engine`` (``engine.py``). When the block is left by an error, what runs is not
    awaited.

    Workers never write: whatever they were doing when an interrupted block was left is lost, no
    more. What is called must be a function of a module, and its arguments plain: they may travel.
    """
    if engine is not None:
        from dieindex.engine import cluster_workers

        with cluster_workers(engine, jobs) as there:
            yield there
        return
    jobs = count_of(jobs)
    _share_freed_memory()
    pool = ThreadPoolExecutor(jobs, "dieindex")
    with one_thread_each():
        try:
            yield pool, jobs
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()


@contextmanager
def side_by_side() -> Iterator[Executor]:
    """A pool of threads of this machine, whatever is called: for closures, and for what needs no
    network, as nothing is loaded. When the block is left by an error, what has not begun is not
    done; what runs is awaited."""
    _share_freed_memory()
    pool = ThreadPoolExecutor(count_of(None), "dieindex")
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def in_order(
    pool: Executor, jobs: int, calls: Iterable[tuple[Any, ...]], waiting: int
) -> Iterator[Any]:
    """Results of ``calls``, each a function and its arguments, in their order.

    At most ``jobs + waiting`` of them are held at a time, so that memory stays bounded.
    """
    held: deque[Future[Any]] = deque()
    for function, *arguments in calls:
        held.append(pool.submit(function, *arguments))
        if len(held) >= jobs + waiting:
            yield held.popleft().result()
    while held:
        yield held.popleft().result()


def _share_freed_memory() -> None:
    """Let threads use the memory that others have freed.

    The C library of Linux keeps what a thread frees for that thread alone, up to eight heaps a
    processor: sixteen workers then hold a gigabyte that none of them uses.
    """
    # Another C library has no such setting, and does not need it.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _HEAPS)


def give_back_freed_memory() -> None:
    """Give what was freed back to the machine. (The C library of Linux keeps it for what comes:
    what one step needed most is then held beside what the next needs.)"""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


_ARENA_MAX = -8
_HEAPS = 2
