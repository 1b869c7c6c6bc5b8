"""The workers of a cluster: the same index as on one machine, whatever becomes of a worker."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dieindex as di
from dieindex.elsewhere import FileThere, Shared, differences, one_thread_each
from dieindex.encoder.encode import Encoder, check_device
from dieindex.encoder.weights import SHIPPED_WEIGHTS
from dieindex.engine import address_of
from dieindex.errors import EngineError, UsageError
from dieindex.indexing.run import build_index
from dieindex.records import Side
from dieindex.storage.details import DetailStore
from dieindex.verification.pair_blocks import MOST_FACES, MOST_PAIRS, parts_of_few_faces
from dieindex.workers import in_order, workers
from tests.commands_for_tests import Command
from tests.test_indexing import content_of

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, each a process; a piece is given up when two were lost with it."""
    import dask

    # (A worker that is not back in time is taken off for good: on a busy machine it takes long.)
    patient = {
        "distributed.scheduler.allowed-failures": 1,
        "distributed.deploy.lost-worker-timeout": "600s",
    }
    with dask.config.set(patient):
        started = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=100
        )
        yield started
        started.close()


@pytest.fixture
def engine(cluster: Any) -> str:
    # (A test before may have killed some.)
    wait_for_both(cluster)
    return str(cluster.scheduler_address).replace("tcp:", "dask:")


def wait_for_both(cluster: Any) -> None:
    with distributed.Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=240)


def away(path: Path, size: int, mtime_ns: int) -> FileThere:
    """A file that no worker sees."""
    return FileThere(Path("/nowhere") / path.name, size, mtime_ns)


def scores_of(folder: Path) -> list[tuple]:
    with DetailStore.open(folder) as store:
        return [
            *store.rows("SELECT * FROM pair_scores ORDER BY first, second"),
            *store.rows("SELECT * FROM aligned_pairs ORDER BY first, second"),
            *store.rows("SELECT * FROM local_features ORDER BY face"),
            *store.rows("SELECT * FROM checksums ORDER BY kind, face"),
        ]


def test_the_same_index_though_a_worker_is_killed_and_pictures_are_sent(
    coins: Path,
    built: Path,
    compared: Path,
    cluster: Any,
    engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dieindex.engine.FileThere", away)
    monkeypatch.setattr("dieindex.indexing.crop.TOGETHER", 2)
    monkeypatch.setattr("dieindex.indexing.crop._PLENTY", 1)
    killed: list[int] = []

    def kill(step: str, done: int, total: int) -> None:
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    folder = tmp_path / "index"
    build_index(coins, folder, engine=engine, progress=kill)
    assert killed
    assert content_of(folder) == content_of(built)

    index = di.open_index(folder, engine=engine)
    for side in ("obverse", "reverse"):
        found, expected = index.cluster(side), di.open_index(compared).cluster(side)
        assert found.clusters == expected.clusters
        assert found.certainty.tolist() == expected.certainty.tolist()
    assert scores_of(folder) == scores_of(compared)


def test_what_travels_and_what_does_not(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph = tmp_path / "12 ö.jpg"
    photograph.write_bytes(b"coin")
    os.utime(photograph, ns=(1, 1_700_000_000_123_456_789))
    own = Path(shutil.copy(SHIPPED_WEIGHTS, tmp_path / "own.safetensors"))
    shared = Shared([1, 2, 3])
    with workers(None, engine) as (pool, jobs):
        assert jobs == 2
        assert pool.submit(str, photograph).result() == str(photograph)
        assert "No such file" in pool.submit(_opened, tmp_path / "missing.jpg").result()
        calls = [(len_of, shared, n) for n in range(9)]
        assert list(in_order(pool, jobs, calls, waiting=jobs)) == [3 + n for n in range(9)]
        for weights in (SHIPPED_WEIGHTS, own):
            encoder = Encoder.load(weights, "cpu")
            found = pool.submit(Encoder.check, encoder).result()
            np.testing.assert_array_equal(found.vectors, encoder.check().vectors)
        with pytest.raises(UsageError) as caught:
            pool.submit(check_device, "lamp").result()
        assert "--device lamp" in caught.value.terminal
        monkeypatch.setattr("dieindex.engine.FileThere", away)
        copy = Path(pool.submit(str, photograph).result())
        assert copy.name == photograph.name
        assert copy != photograph
        assert not copy.exists()
        time = photograph.stat().st_mtime_ns
        assert pool.submit(_size_and_time, photograph).result() == (4, time)


def len_of(shared: Shared[list[int]], more: int) -> int:
    return len(shared.value) + more


def _opened(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        return str(error)


def _size_and_time(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


def test_a_piece_that_ends_its_workers_is_given_up_and_an_interrupt_cancels(
    cluster: Any, engine: str
) -> None:
    with pytest.raises(EngineError, match="2 workers were lost"), workers(1, engine) as (pool, _):
        pool.submit(os._exit, 3).result()
    wait_for_both(cluster)
    waiting: list[Any] = []

    def interrupted() -> None:
        with workers(1, engine) as (pool, _):
            waiting.extend(pool.submit(_slow, n) for n in range(50))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(each.done() for each in waiting)
    assert waiting[-1].cancelled()


def _slow(number: int) -> int:
    import time

    time.sleep(0.2)
    return number


@pytest.mark.parametrize(
    "wrong",
    [
        "dask://",
        "dask://host",
        "tcp://host:1",
        "host:1",
        "dask://a:b@c:1",
        "dask://h:99999",
        "dask://h:1?x=2",
    ],
)
def test_an_address_that_is_none(wrong: str, coins: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dask://HOST:PORT"):
        di.build(coins, tmp_path / "index", engine=wrong)


@pytest.mark.parametrize("banner", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_what_listens_there_is_no_scheduler(
    banner: bytes, coins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something that says nothing, or anything: told in time."""
    monkeypatch.setattr("dieindex.engine._PATIENCE", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    connection.sendall(banner)

        threading.Thread(target=answer, daemon=True).start()
        address = f"dask://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(UsageError, match="no scheduler answers"):
            di.build(coins, tmp_path / "index", engine=address)
        assert time.monotonic() - began < 20


def test_addresses() -> None:
    assert address_of("dask://node-7:8786") == "tcp://node-7:8786"
    assert address_of("dask+tls://[fe80::1]:8786/") == "tls://[fe80::1]:8786"


def test_a_cluster_that_cannot_be_used_is_said(
    engine: str, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used(engine: str) -> str:
        with pytest.raises(UsageError) as caught, workers(None, engine):
            pass
        return caught.value.terminal

    monkeypatch.setattr("dieindex.engine._PATIENCE", 0.5)
    assert "no scheduler answers" in used("dask://127.0.0.1:1")
    with distributed.LocalCluster(
        n_workers=0, processes=False, dashboard_address=":0", host="127.0.0.1", protocol="tcp"
    ) as empty:
        assert "no workers" in used(empty.scheduler_address.replace("tcp", "dask"))
    monkeypatch.setattr("dieindex.engine._PATIENCE", 10)
    here = {"torch": "1.0", "numpy": "1.0"}
    monkeypatch.setattr("dieindex.engine.differences", lambda _, there: differences(here, there))
    told = used(engine)
    assert "torch is" in told
    assert "here it is 1.0" in told
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "dieindex[cluster]" in used(engine)


def test_a_command_says_it_in_one_line(command: Command, coins: Path, tmp_path: Path) -> None:
    asked = "--index", tmp_path / "index", "--engine", "dask://nothing"
    code, _, told = command("build", coins, *asked)
    assert code == 2
    assert told.count("\n") == 1
    assert "--engine dask://nothing" in told


def test_what_differs_is_named() -> None:
    here = {"torch": "2.13", "numpy": "2.4", "processor": "AVX2"}
    assert not differences(here, {**here, "processor": "AVX512"})
    assert differences(here, {"torch": "2.12", "processor": "AVX2"}) == (
        "torch is 2.12, here it is 2.13, numpy is missing, here it is 2.4"
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_parts_hold_every_pair_once_and_few_faces(sparse: bool) -> None:
    rng = np.random.default_rng(3)
    first, second = np.triu_indices(300, 1)
    frame_of = rng.integers(0, 3, 300)
    on_one = frame_of[first] == frame_of[second]
    if sparse:
        on_one &= rng.random(len(first)) < 0.1
    pairs = 7 + 2 * np.stack([first, second], 1)[on_one]
    parts = list(parts_of_few_faces(pairs, frame_of[first[on_one]]))
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(pairs)))
    for part in parts:
        assert len(part) <= MOST_PAIRS
        assert len(np.unique(pairs[part])) <= MOST_FACES
        assert (np.diff(part) > 0).all()
    sent = sum(len(np.unique(pairs[part])) for part in parts)
    assert sent < (0.5 if sparse else 0.1) * 2 * len(pairs)


def test_one_thread_each_leaves_what_it_found() -> None:
    import cv2
    import torch
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        blas = [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
        return [torch.get_num_threads(), cv2.getNumThreads(), *blas]

    before = threads()
    with one_thread_each():
        with one_thread_each():
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_an_index_remembers_its_engine_when_pickled(built: Path) -> None:
    import pickle

    index = di.open_index(built, engine="dask://host:1")
    assert pickle.loads(pickle.dumps(index)).engine == "dask://host:1"


def test_with_another_side_too(compared: Path) -> None:
    # Nothing is due: the cluster is not even asked.
    side: Side = "obverse"
    assert di.open_index(compared, engine="dask://127.0.0.1:1").cluster(side, other_side=True).coins
