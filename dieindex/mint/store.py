"""Dies engraved once and kept: in memory, and where wished in a folder."""

from __future__ import annotations

import hashlib
import zlib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from dieindex.errors import DieIndexError, MintError
from dieindex.files import written_beside
from dieindex.mint import engraving, parameters, relief, types
from dieindex.mint.relief import DieRelief
from dieindex.records import Side

_HEIGHT_STEPS = 65535


@dataclass(frozen=True)
class DieOrder:
    """Which die to engrave; equal orders give equal dies.

    ``type_seed`` and ``kind`` name the design (``kind`` None leaves it to the seed), ``die_seed``
    the die, ``die_distance`` how far dies of the type lie apart (1 is usual), ``hand`` the
    engraver (None: his own), ``state`` 1 a recut die.
    """

    side: Side
    type_seed: int
    die_seed: int
    kind: str | None = None
    die_distance: float = 1.0
    hand: int | None = None
    state: int = 0


class DieStore:
    """Engraves dies on demand and keeps the last ``capacity`` of them in memory.

    With ``folder`` each die is also kept there as a compressed file, to be shared by processes and
    by runs; files of another version of the engraver are never read. A die is the same to the last
    bit whether engraved now or read back.
    """

    def __init__(self, folder: Path | None = None, capacity: int = 256) -> None:
        self._folder = folder
        self._capacity = capacity
        self._kept: OrderedDict[DieOrder, DieRelief] = OrderedDict()
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MintError(
                    f"The folder of engraved dies {folder} cannot be made: {error.strerror}."
                ) from error

    def get(self, order: DieOrder) -> DieRelief:
        """The die of this order."""
        relief = self._kept.pop(order, None)
        if relief is None:
            relief = self._read(order)
        self._kept[order] = relief
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return relief

    def _read(self, order: DieOrder) -> DieRelief:
        path = None if self._folder is None else self._folder / f"{_key(order)}.npz"
        if path is None:
            return _unpacked(_packed(_engrave(order)))
        if path.exists():
            try:
                with np.load(path, allow_pickle=False) as stored:
                    return _unpacked(dict(stored))
            except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
                pass  # a damaged file is engraved anew
        packed = _packed(_engrave(order))
        _write(path, packed)
        return _unpacked(packed)


def _engrave(order: DieOrder) -> DieRelief:
    design = types.sample_type(order.type_seed, order.side, order.kind)
    return types.engrave(
        design, order.die_seed, order.die_distance, state=order.state, hand=order.hand
    )


def _packed(relief: DieRelief) -> dict[str, np.ndarray]:
    """Heights in 16 and design in 8 bits: a step of the height is finer than any metal shows."""
    low, high = float(relief.height.min()), float(relief.height.max())
    step = max(high - low, 1e-6) / _HEIGHT_STEPS
    return {
        "height": np.round((relief.height - low) / step).astype(np.uint16),
        "scale": np.array([low, step, relief.radius, relief.depth], np.float64),
        "design": np.round(np.clip(relief.design, 0, 1) * 255).astype(np.uint8),
        "keys": np.array([relief.type_key, relief.die_key]),
        "state": np.array(relief.state),
    }


def _unpacked(packed: dict[str, np.ndarray]) -> DieRelief:
    low, step, radius, depth = (float(value) for value in packed["scale"])
    return DieRelief(
        height=packed["height"].astype(np.float32) * np.float32(step) + np.float32(low),
        design=packed["design"].astype(np.float32) / np.float32(255),
        radius=radius,
        type_key=str(packed["keys"][0]),
        die_key=str(packed["keys"][1]),
        state=int(packed["state"]),
        depth=depth,
    )


def _write(path: Path, packed: dict[str, np.ndarray]) -> None:
    # A full disk only costs engraving the die again.
    with suppress(DieIndexError), written_beside(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **packed)  # type: ignore[arg-type]


def _key(order: DieOrder) -> str:
    return hashlib.sha256(f"{_engraver_version()} {order!r}".encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _engraver_version() -> str:
    """A hash of the source that dies come from, so that stored ones never outlive a change."""
    digest = hashlib.sha256()
    modules = sorted(Path(engraving.__file__).parent.glob("*.py"))
    modules += [Path(str(module.__file__)) for module in (parameters, relief, types)]
    for module in modules:
        digest.update(module.read_bytes())
    return digest.hexdigest()
