"""Types of coins: random designs, and their engraving on dies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from dieindex.errors import MintError
from dieindex.mint.engraving import (
    animals,
    buildings,
    eagles,
    heads,
    layout,
    owl,
    punched,
    riders,
    scenes,
    symbols,
)
from dieindex.mint.engraving.borders import draw_border, draw_exergue
from dieindex.mint.engraving.cutting import finish, limit_depth, recut
from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.lettering import Punches
from dieindex.mint.engraving.marks import draw_mark
from dieindex.mint.engraving.randomness import stable_rng
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.order import PUNCHED_TYPES, TRAIN_TYPES
from dieindex.mint.parameters import DesignType
from dieindex.mint.relief import FULL_DEPTH, DieRelief
from dieindex.records import OBVERSE, SIDES, Floats32, Side

Motif = Callable[[Engraver, DesignType, float], Sheet]
"""Engraves the main motif of a type into a room of this radius."""

_OBVERSES: Mapping[str, Motif] = dict.fromkeys(
    (
        "bare",
        "laureate",
        "bearded",
        "diademed",
        "radiate",
        "female",
        "veiled",
        "helmeted",
        "lion-skin",
    ),
    heads.draw_head,
)
_REVERSES: Mapping[str, Motif] = {
    "eagle": eagles.draw_eagle,
    "owl": owl.draw_owl,
    "standing": scenes.draw_standing,
    "pair": scenes.draw_pair,
    "seated": scenes.draw_seated,
    "victory": scenes.draw_victory,
    "horseman": riders.draw_horseman,
    "chariot": riders.draw_chariot,
    "animal": animals.draw_animal,
    "altar": buildings.draw_altar,
    "temple": buildings.draw_temple,
    "ship": buildings.draw_ship,
    "wreath": symbols.draw_wreath,
    "symbol": symbols.draw_symbol,
    "two-heads": heads.draw_two_heads,
}
PUNCHED_KINDS = punched.PUNCHED_KINDS
OBVERSE_KINDS: tuple[str, ...] = (*_OBVERSES, *PUNCHED_KINDS)
REVERSE_KINDS: tuple[str, ...] = (*_REVERSES, *PUNCHED_KINDS)
PUNCHED_SHARE = 0.3
"""Share of the training types that are cut with punches."""


def sample_type(seed: int, side: Side, kind: str | None = None) -> DesignType:
    """Sample a design of a side, of the given kind or of any.

    Left to the seed, training types are engraved or punched (see ``PUNCHED_SHARE``), validation and
    test types engraved, and those of ``PUNCHED_TYPES`` punched. Raises MintError where side or kind
    is unknown.
    """
    if side not in SIDES:
        raise MintError(f"unknown side {side!r}: use one of {', '.join(SIDES)}")
    kinds = OBVERSE_KINDS if side == OBVERSE else REVERSE_KINDS
    kind = _any_kind(int(seed), side) if kind is None else kind
    if kind not in kinds:
        raise MintError(f"unknown kind {kind!r} of {side}: use one of {', '.join(kinds)}")
    rng = stable_rng("layout", side, int(seed), kind)
    plan = punched.sample(rng, kind) if kind in PUNCHED_KINDS else layout.sample(rng, side, kind)
    return DesignType(
        side=side,
        kind=kind,
        seed=int(seed),
        facing=1 if rng.random() < 0.72 else -1,
        script=plan.script,
        inscriptions=plan.inscriptions,
        marks=plan.marks,
        alphabet=plan.alphabet,
        border=plan.border,
        border_radius=plan.border_radius,
        room=plan.room,
        middle=plan.middle,
        exergue=plan.exergue,
        height=float(np.exp(rng.normal(0, 0.15))),
    )


_PUNCHED_DEPTH = 2.0
"""What a sound blow fills, against the height of a type's punches."""


def _any_kind(seed: int, side: Side) -> str:
    """The kind of design that a seed stands for."""
    rng = stable_rng("design", side, seed)
    engraved = tuple(_OBVERSES if side == OBVERSE else _REVERSES)
    kind = engraved[int(rng.integers(len(engraved)))]
    if seed in PUNCHED_TYPES or (seed in TRAIN_TYPES and rng.random() < PUNCHED_SHARE):
        kind = PUNCHED_KINDS[int(rng.integers(len(PUNCHED_KINDS)))]
    return kind


def engrave(
    design: DesignType,
    die_seed: int,
    die_distance: float = 1.0,
    state: int = 0,
    hand: int | None = None,
) -> DieRelief:
    """Engrave one die of a type; the same arguments always give the same relief.

    ``die_distance`` scales how far the die strays from its type: 1 is usual (alike to a layman,
    different in exact geometry), 0.3 a near-copy. ``state`` above 0 is the same die recut. Dies of
    one ``hand`` share its letter punches and its idea of the type.

    Raises MintError for a negative distance or state.
    """
    if not 0 <= die_distance <= 10:
        raise MintError(f"die_distance {die_distance} must lie in 0…10")
    if state < 0:
        raise MintError(f"state {state} must be 0 or more")
    die_key = f"{design.key}/{int(die_seed)}/{float(die_distance):g}/{hand}"
    if design.kind in PUNCHED_KINDS:
        return _punch(design, die_key, _workshop(design, int(die_seed), hand), die_distance, state)
    hand_key = die_key if hand is None else f"{design.script}/{int(hand)}"
    engraver = Engraver(design.key, die_key, hand_key, float(die_distance), state)
    engraver.exergue = design.exergue is not None
    motif = (_OBVERSES if design.side == OBVERSE else _REVERSES)[design.kind]
    sheet = motif(engraver, design, design.room)
    limit_depth(sheet, design.height * _depth(design))
    # Legends and border pass behind the motif where it reaches them.
    free = 1 - np.clip(sheet.height / np.float32(0.012), 0, 1)
    sheet.height += free * _lettering(engraver, design).height
    for again in range(1, state + 1):
        recut(engraver, sheet, again)
        limit_depth(sheet, 1.0)
    return _relief(engraver, design, finish(engraver, sheet), FULL_DEPTH)


def _relief(engraver: Engraver, design: DesignType, height: Floats32, depth: float) -> DieRelief:
    strokes = np.clip(np.abs(height) / 0.008, 0, 1).astype(np.float32)
    return DieRelief(
        height=height,
        design=np.asarray(cv2.GaussianBlur(strokes, (0, 0), 1.0), np.float32),
        radius=float(design.border_radius + engraver.type_rng("face").uniform(0.05, 0.18)),
        type_key=design.key,
        die_key=engraver.die_key,
        state=engraver.state,
        depth=depth,
    )


def _workshop(design: DesignType, die_seed: int, hand: int | None) -> str:
    """Whose punches a die is cut with: a type's dies have few sets among them, most often one."""
    if hand is None:
        sets = int(stable_rng("sets of punches", design.key).choice([1, 1, 2, 3]))
        hand = die_seed % sets
    return f"{design.key}/punches/{hand}"


def _punch(
    design: DesignType, die_key: str, hand_key: str, die_distance: float, state: int
) -> DieRelief:
    """Cut one die of a punched type."""
    engraver = Engraver(design.key, die_key, hand_key, float(die_distance), state)
    sheet = punched.draw_punched(engraver, design)
    for again in range(1, state + 1):
        recut(engraver, sheet, again)
    depth = min(FULL_DEPTH, _PUNCHED_DEPTH * punched.relief_of(engraver))
    return _relief(engraver, design, finish(engraver, sheet, tremor=0.0), depth)


def _depth(design: DesignType) -> float:
    """How deep a kind is cut, so that heads stand about 0.12 high and flat symbols 0.08."""
    if design.side == OBVERSE or design.kind == "two-heads":
        return 0.74
    return {"symbol": 1.25, "wreath": 1.2, "ship": 1.1, "temple": 1.15}.get(design.kind, 0.72)


def _lettering(engraver: Engraver, design: DesignType) -> Sheet:
    """Everything but the motif: legends, marks, the exergue's line, the border."""
    sheet = Sheet()
    punches = Punches(engraver, design.alphabet)
    layout.inscribe(sheet, engraver, punches, design.inscriptions)
    for number, mark in enumerate(design.marks):
        draw_mark(sheet, engraver, punches, mark.what, mark.x, mark.y, mark.size, str(number))
    if design.exergue is not None:
        draw_exergue(sheet, engraver, design.exergue, design.border_radius)
    draw_border(sheet, engraver, design.border, design.border_radius, 0.030 * engraver.depth)
    return sheet
