"""A rolling pool of shards on disk, from which training samples groups of faces."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from dieindex.errors import TrainingError
from dieindex.records import (
    Ints,
)
from dieindex.text import Parameter
from dieindex.training.shards import Shard, concatenated, read_shard, shard_files


class ShardPool:
    """Samples groups of faces from a pool's folder.

    What is sampled depends on the seed, the step and the files that are there, on nothing else:
    with a folder that stands still, equal seeds give equal groups. With ``uses`` a shard is deleted
    after it was sampled that many times, while at least ``least`` others remain.
    """

    def __init__(self, folder: Path, uses: int | None = None, least: int = 40) -> None:
        self.folder = folder
        self._uses = uses
        self._least = least
        self._used: dict[str, int] = {}
        self.seen_types: set[int] = set()
        self._kept: dict[Path, Shard] = {}

    def wait(self, shards: int, seconds: float = 600) -> None:
        """Wait until so many shards lie there. Raises TrainingError if they do not come."""
        deadline = time.monotonic() + seconds
        while len(shard_files(self.folder)) < shards:
            if time.monotonic() > deadline:
                raise TrainingError(
                    f"{self.folder}: fewer than {shards} shards after {seconds:.0f} s; render some "
                    "first, or give ",
                    Parameter("workers", "N"),
                    ".",
                )
            time.sleep(0.5)

    def sample(self, rng: np.random.Generator, types: int, dies: int, strikes: int) -> Shard:
        """``types`` shards, of each ``dies`` dies with ``strikes`` faces each, as one."""
        files = shard_files(self.folder)
        if len(files) < types:
            raise TrainingError(
                f"{self.folder} holds {len(files)} shards, {types} are needed; render some first."
            )
        chosen = [files[int(i)] for i in rng.choice(len(files), types, replace=False)]
        groups = []
        for path in chosen:
            shard = self._read(path)
            groups.append(shard.take(choose_faces(rng, shard.die, dies, strikes)))
            self.seen_types.add(int(shard.type[0]))
            self._count(path, len(files))
        return concatenated(groups)

    def _read(self, path: Path) -> Shard:
        """Recently used shards stay in memory; a folder that fits is read once."""
        shard = self._kept.pop(path, None) or read_shard(path)
        self._kept[path] = shard
        while len(self._kept) > 200:
            self._kept.pop(next(iter(self._kept)))
        return shard

    def _count(self, path: Path, present: int) -> None:
        used = self._used.get(path.name, 0) + 1
        self._used[path.name] = used
        if self._uses is not None and used >= self._uses and present > self._least:
            # The newest file of each worker stays: its name says where the worker goes on.
            stem = path.stem.rsplit("-", 1)[0]
            if path != max(self.folder.glob(f"{stem}-*.npz"), default=path):
                path.unlink(missing_ok=True)
                self._kept.pop(path, None)


def choose_faces(rng: np.random.Generator, die: Ints, dies: int, strikes: int) -> Ints:
    """Rows of ``dies`` dies with ``strikes`` faces each, or as many as there are."""
    names = rng.permutation(np.unique(die))[:dies]
    rows = [rng.permutation(np.flatnonzero(die == name))[:strikes] for name in names]
    return np.concatenate(rows)
