"""Work side by side on this machine."""

from __future__ import annotations

import time
from threading import Event, Timer

import pytest

from dieindex.workers import side_by_side


def test_what_was_begun_well_is_all_done() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.001)
        done.append(number)

    with side_by_side() as pool:
        for number in range(100):
            pool.submit(work, number)
    assert sorted(done) == list(range(100))


def test_after_an_error_what_had_not_begun_is_not_done() -> None:
    go = Event()
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        go.wait(10)

    def failing() -> None:
        with side_by_side() as pool:
            for number in range(1000):
                pool.submit(work, number)
            Timer(0.2, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert len(begun) < 1000
