"""Worker processes that render fresh shards into a pool while training samples from it.

Rendering is slower than a training step on a GPU and about as fast as one on a CPU, so each face is
used a few times, every time under another augmentation, and then gives way to a fresh one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from dieindex.errors import TrainingError
from dieindex.mint.order import TRAIN_TYPES
from dieindex.mint.stream import MintStream, StreamSettings
from dieindex.training.shards import (
    Aligner,
    aligned_frames,
    centred_frames,
    on_die_frame,
    shard_files,
    write_shard,
)

SHARD_SETTINGS = StreamSettings(
    types_per_batch=1,
    dies_per_type=12,
    strikes_per_die=4,
    dies_in_type=12,
    working_types=1,
    batches_per_type=1,
)
"""One type a shard, and a new type with every shard: there can never be enough types."""


@dataclass(frozen=True)
class RenderOrder:
    """What a worker renders: shards of these types into ``folder``, at most ``capacity`` there.

    ``seed`` and ``worker`` name the stream; ``first`` is the number of its first batch, so that a
    later run goes on where an earlier one stopped.
    """

    folder: Path
    seed: int = 1
    worker: int = 0
    capacity: int = 400
    first: int = 0
    types: range = TRAIN_TYPES
    settings: StreamSettings = field(default=SHARD_SETTINGS)
    device: str = "cpu"
    frames: str = "half"
    """``true`` frames, those of the ``real`` alignment, ``half`` of the shards each, or faces that
    are only ``centred`` on their flans."""


def render(order: RenderOrder, shards: int | None = None) -> None:
    """Fill the pool: ``shards`` of them, or for ever, waiting while the pool is full."""
    torch.set_num_threads(1)
    order.folder.mkdir(parents=True, exist_ok=True)
    stream = MintStream(
        order.seed,
        None,
        order.types,
        order.settings,
        device=order.device,
        worker=order.worker,
        capacity=32,
    )
    number = order.first
    while shards is None or number < order.first + shards:
        while shards is None and len(shard_files(order.folder)) >= order.capacity:
            time.sleep(0.5)
        shard = on_die_frame(stream.batch(number), _aligner(order, number))
        write_shard(shard, order.folder / f"{order.seed}-{order.worker}-{number:06d}.npz")
        number += 1


def _aligner(order: RenderOrder, number: int) -> Aligner | None:
    """What aligns the faces of a worker's shard; None: the truth."""
    kind = order.frames
    if kind == "half":
        draw = np.random.default_rng([order.seed, order.worker, number]).random()
        kind = "real" if draw < 0.5 else "true"
    aligners = {"true": None, "real": aligned_frames, "centred": centred_frames}
    if kind not in aligners:
        raise TrainingError(f"frames {kind!r}: choose one of half, {', '.join(aligners)}.")
    return aligners[kind]


@contextlib.contextmanager
def render_workers(order: RenderOrder, workers: int) -> Iterator[None]:
    """Worker processes that fill the pool until the block ends, each on one core."""
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=_work, args=(replace(order, worker=order.worker + i),), daemon=True)
        for i in range(workers)
    ]
    # Threads of the numeric libraries are counted when they load: the workers inherit this.
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        for process in running:
            process.start()
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.join(10)


def _work(order: RenderOrder) -> None:
    """Go on behind the worker's last shard (also of an earlier run), for ever."""
    with contextlib.suppress(OSError):
        os.nice(5)  # a step of training goes before a fresh face
    with contextlib.suppress(KeyboardInterrupt):
        render(replace(order, first=_next_number(order)))


def _next_number(order: RenderOrder) -> int:
    """Behind all that was ever rendered here: shards that gave way must not come again."""
    own = order.folder.glob(f"{order.seed}-{order.worker}-*.npz")
    last = max((int(p.stem.rsplit("-", 1)[1]) for p in own), default=order.first - 1)
    return last + 1
