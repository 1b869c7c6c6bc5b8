"""Threads that work side by side, each on one core, with results in the order of the work."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

MOST_WORKERS = 16
"""More would hold too much memory at a time, whatever was asked."""


def count_of(jobs: int | None) -> int:
    """How many workers: as asked, else one a processor; 16 at most."""
    return min(max(1, jobs or os.cpu_count() or 1), MOST_WORKERS)


@contextmanager
def workers(jobs: int) -> Iterator[Executor]:
    """A pool of ``jobs`` threads. When the block is left by an error, what runs is not awaited.

    Workers never write: whatever they were doing when an interrupted block was left is lost, no
    more.
    """
    _share_freed_memory()
    pool = ThreadPoolExecutor(jobs, "dieindex")
    with _one_thread_each():
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
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


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keep torch and OpenCV from starting threads of their own beside the pool's.

    With one worker too: sums must not depend on how many threads share them.
    """
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def _share_freed_memory() -> None:
    """Let threads use the memory that others have freed.

    The C library of Linux keeps what a thread frees for that thread alone, up to eight heaps a
    processor: sixteen workers then hold a gigabyte that none of them uses.
    """
    # Another C library has no such setting, and does not need it.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _HEAPS)


_ARENA_MAX = -8
_HEAPS = 2
