"""Fresh strikes for training, batch after batch, without touching the disk.

Imports torch, NumPy and OpenCV alone. Several processes stream side by side: each gives its
``worker`` number, and no two sample the same coin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dieindex.errors import MintError
from dieindex.mint.dieage import has_clashed
from dieindex.mint.difficulty import DIFFICULTIES, NAMED_DIFFICULTIES, WILD, Difficulty
from dieindex.mint.jpeg import compressed
from dieindex.mint.order import TRAIN_TYPES
from dieindex.mint.parameters import StrikeParameters
from dieindex.mint.photography import photograph, quality_at, sample_photo, sample_source
from dieindex.mint.relief import DieRelief
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.striking import die_seed, sample_strike, strike
from dieindex.records import FACE_SIZE, SIDES, Floats32, Side, other_side

_SLOT, _BATCH = range(2)
_CLASH_PARTNERS = 4
"""Dies of the other side that the dies of one design may have clashed with."""


@dataclass(frozen=True, eq=False)
class FaceBatch:
    """Faces with the truth; ``B`` faces of ``S`` pixels on one device.

    The flan stands about the middle, its mean radius about ``records.FLAN_RADIUS * S``, as in the
    faces that the collection stage cuts, with the scatter of a flan finder.
    """

    pictures: Tensor
    """(B, 3, S, S) uint8 RGB."""
    mask: Tensor
    """(B, S, S) bool: on the flan."""
    visible: Tensor
    """(B, S, S) float16 0…1: where the die's work shows; elsewhere nothing can be judged."""
    die: Tensor
    """(B,) int64: equal numbers mean the same die, over all batches and workers."""
    type: Tensor
    """(B,) int64: likewise the design."""
    homography: Tensor
    """(B, 3, 3) float64: die frame to picture pixels (centres at whole numbers)."""
    flow: Tensor
    """(B, 2, S, S) float16: die position of a pixel less what the homography says (metal flow)."""

    def __len__(self) -> int:
        return len(self.die)


@dataclass(frozen=True)
class StreamSettings:
    """How a stream samples its batches.

    A batch holds ``types_per_batch`` designs, ``dies_per_type`` dies of each and
    ``strikes_per_die`` faces of each die. ``dies_in_type`` dies exist of a type. A worker keeps
    ``working_types`` designs in use and exchanges the oldest after ``batches_per_type`` batches,
    which bounds how much has to be engraved. ``difficulty`` None mixes easy, medium and hard, and
    makes ``wild_share`` of the faces of training types wild.
    ``die_distance`` limits how unlike the dies of a type are, as likely in each octave between;
    ``near_share`` of the types are engraved by few hands, whose dies are near-copies.
    """

    types_per_batch: int = 2
    dies_per_type: int = 4
    strikes_per_die: int = 3
    dies_in_type: int = 24
    working_types: int = 16
    batches_per_type: int = 8
    size: int = FACE_SIZE
    difficulty: str | None = None
    die_distance: tuple[float, float] = (0.25, 1.3)
    near_share: float = 0.5
    wild_share: float = 0.25

    def check(self) -> None:
        """Raise MintError for numbers that cannot be."""
        counts = ("types_per_batch", "dies_per_type", "strikes_per_die", "dies_in_type")
        for name in (*counts, "working_types", "batches_per_type"):
            if getattr(self, name) < 1:
                raise MintError(f"{name} is {getattr(self, name)}; give at least 1.")
        if self.dies_per_type > self.dies_in_type:
            raise MintError(
                f"dies_per_type {self.dies_per_type} is more than dies_in_type {self.dies_in_type}."
            )
        if self.types_per_batch > self.working_types:
            raise MintError(
                f"types_per_batch {self.types_per_batch} is more than working_types "
                f"{self.working_types}."
            )
        if not 32 <= self.size <= 2048:
            raise MintError(f"size {self.size}: give 32 to 2048 pixels.")
        if self.difficulty is not None and self.difficulty not in NAMED_DIFFICULTIES:
            names = ", ".join(NAMED_DIFFICULTIES)
            raise MintError(f"Unknown difficulty {self.difficulty!r}: {names}.")
        if not 0 <= self.wild_share <= 1:
            raise MintError(f"wild_share {self.wild_share}: give a share from 0 to 1.")


@dataclass(frozen=True)
class _Design:
    side: Side
    type_seed: int
    die_distance: float
    hands: int


class MintStream:
    """An endless iterator of ``FaceBatch``; equal arguments give equal batches.

    ``types`` are the seeds of the designs (see ``TRAIN_TYPES``), ``side`` None mixes both sides,
    each design keeping its own. ``cache`` is a folder for engraved dies, shared by workers
    and runs; ``capacity`` dies (1.5 MB each) are kept in memory.
    """

    def __init__(
        self,
        seed: int,
        side: Side | None = None,
        types: Sequence[int] = TRAIN_TYPES,
        settings: StreamSettings | None = None,
        *,
        device: torch.device | str = "cpu",
        worker: int = 0,
        cache: Path | None = None,
        capacity: int = 512,
    ) -> None:
        self.settings = settings or StreamSettings()
        self.settings.check()
        if seed < 0 or worker < 0:
            raise MintError(f"seed {seed} and worker {worker} must be 0 or more.")
        if len(types) == 0:
            raise MintError("types is empty; give at least one seed of a design.")
        self.side = side
        self._types = types
        self._key = (int(seed), int(worker))
        self._device = torch.device(device)
        self._store = DieStore(cache, capacity)

    def __iter__(self) -> Iterator[FaceBatch]:
        number = 0
        while True:
            yield self.batch(number)
            number += 1

    def batch(self, number: int) -> FaceBatch:
        """The batch of this number, from 0; the same whenever it is asked for."""
        settings = self.settings
        rng = np.random.default_rng([*self._key, _BATCH, number])
        newest = settings.working_types + number // settings.batches_per_type
        slots = rng.choice(settings.working_types, settings.types_per_batch, replace=False)
        orders: list[DieOrder] = []
        type_ids: list[int] = []
        for slot in slots:
            design = self._design(newest - 1 - int(slot))
            dies = rng.choice(settings.dies_in_type, settings.dies_per_type, replace=False)
            for die in dies:
                orders += [_die_order(design, int(die))] * settings.strikes_per_die
                type_ids += [_type_id(design)] * settings.strikes_per_die
        return self._faces(rng, orders, type_ids)

    def _design(self, slot: int) -> _Design:
        """The design that came into use as number ``slot`` of this worker."""
        rng = np.random.default_rng([*self._key, _SLOT, slot])
        # A worker goes through its own shuffle of short lists, so that all are used alike.
        if len(self._types) <= 4096:
            turn, place = divmod(slot, len(self._types))
            shuffle = np.random.default_rng([*self._key, 2, turn]).permutation(len(self._types))
            type_seed = int(self._types[int(shuffle[place])])
        else:
            type_seed = int(self._types[int(rng.integers(len(self._types)))])
        # What a design is follows from its seed alone: every worker engraves the same dies of it.
        own = np.random.default_rng([type_seed, 3])
        side = SIDES[int(own.integers(2))] if self.side is None else self.side
        near = own.random() < self.settings.near_share
        return _Design(
            side=side,
            type_seed=type_seed,
            die_distance=float(np.exp(own.uniform(*np.log(self.settings.die_distance)))),
            hands=int(own.integers(1, 5)) if near else 0,
        )

    def _faces(
        self, rng: np.random.Generator, orders: list[DieOrder], type_ids: list[int]
    ) -> FaceBatch:
        size = self.settings.size
        reliefs = [self._store.get(order) for order in orders]
        difficulties = [self._difficulty(rng, order.type_seed) for order in orders]
        strikes = [
            _sample_strike(rng, difficulty, relief, order.side == "reverse")
            for order, relief, difficulty in zip(orders, reliefs, difficulties, strict=True)
        ]
        photos = [
            sample_photo(rng, difficulty, sample_source(rng, difficulty))
            for difficulty in difficulties
        ]
        heights = _stack([relief.height for relief in reliefs], self._device)
        designs = _stack([relief.design for relief in reliefs], self._device)
        opposite = self._clashed_with(orders, reliefs, strikes)
        with torch.inference_mode():
            struck = strike(heights, designs, [r.radius for r in reliefs], strikes, size, opposite)
            taken = photograph(struck, photos, size)
            pictures = (taken.rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8)
            pictures = compressed(pictures, [quality_at(photo, size) for photo in photos])
        return FaceBatch(
            pictures=pictures,
            mask=taken.mask[:, 0] > 0.5,
            visible=taken.visible[:, 0].half(),
            die=torch.tensor([_die_id(order) for order in orders], device=self._device),
            type=torch.tensor(type_ids, device=self._device),
            homography=torch.from_numpy(taken.homography).to(self._device),
            flow=taken.flow.half(),
        )

    def _difficulty(self, rng: np.random.Generator, type_seed: int) -> Difficulty:
        settings = self.settings
        names = list(DIFFICULTIES) if settings.difficulty is None else [settings.difficulty]
        chosen = NAMED_DIFFICULTIES[str(rng.choice(names))]
        # What is measured on validation and test types stays what it was.
        if settings.difficulty is None and type_seed in TRAIN_TYPES:
            return WILD if rng.random() < settings.wild_share else chosen
        return chosen

    def _clashed_with(
        self, orders: list[DieOrder], reliefs: list[DieRelief], strikes: list[StrikeParameters]
    ) -> Tensor | None:
        """Heights of the opposite dies where they left their ghost, None if nowhere.

        Few of the dies ever clash, so only their partners are engraved: dies of the design that the
        same seed has on the other side.
        """
        struck_bare = [has_clashed(s.die_seed, s.die_life) for s in strikes]
        if not any(struck_bare):
            return None
        heights = []
        for order, relief, clashed in zip(orders, reliefs, struck_bare, strict=True):
            partner = replace(
                order,
                side=other_side(order.side),
                die_seed=order.die_seed % _CLASH_PARTNERS,
                hand=None,
            )
            heights.append((self._store.get(partner) if clashed else relief).height)
        return _stack(heights, self._device)


def _die_order(design: _Design, die: int) -> DieOrder:
    return DieOrder(
        side=design.side,
        type_seed=design.type_seed,
        die_seed=die,
        die_distance=design.die_distance,
        hand=die % design.hands if design.hands else None,
    )


def _type_id(design: _Design) -> int:
    return 2 * design.type_seed + SIDES.index(design.side)


def _die_id(order: DieOrder) -> int:
    return (2 * order.type_seed + SIDES.index(order.side)) * 2**20 + order.die_seed


def _sample_strike(
    rng: np.random.Generator, difficulty: Difficulty, relief: DieRelief, reverse: bool
) -> StrikeParameters:
    return sample_strike(
        rng,
        difficulty,
        float(rng.random()) ** 1.3,
        reverse=reverse,
        die_seed=die_seed(relief.die_key),
        die_depth=relief.depth,
    )


def _stack(maps: list[Floats32], device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(maps)[:, None]).to(device)
