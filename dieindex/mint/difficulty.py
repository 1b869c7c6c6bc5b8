"""How hard a rendered collection is to study: the ranges every latent value is sampled from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Range = tuple[float, float]


@dataclass(frozen=True)
class Difficulty:
    """Ranges ``(low, high)`` and chances (0…1) of everything that parts two faces of one die.

    Lengths are in nominal flan radii unless said otherwise. Each knob moves one cause of trouble,
    so that a collection can be made harder in one respect alone.
    """

    name: str
    off_centre: float
    """Standard deviation of each coordinate of the die's offset on the flan."""
    die_scale: Range
    """Nominal over true flan radius: above 1 the die is larger than the flan, its rim is lost."""
    weakness: Range
    """Severity of weak striking, 0 (full) … 1 (half of the design is not filled)."""
    weak_chance: float
    tilt: Range
    """How unevenly the blow falls from one edge to the other, 0…1."""
    double_strike: float
    metal_flow: Range
    """Root-mean-square displacement by metal flow, share of the diameter."""
    irregularity: Range
    """Departure of the flan's outline from a circle."""
    edge_damage: float
    """Chance of edge cracks, clips and chips (missing share)."""
    wear: Range
    """Circulation wear, 0 (mint state) … 1 (worn flat)."""
    corrosion: Range
    corrosion_chance: float
    deposits: Range
    deposit_chance: float
    scratches: Range
    marks: float
    """Chance of bankers' marks, test cuts, a piercing or tooling, each a share of it."""
    casts: float
    light_spread: float
    """0: every lamp stands where the source's habit has it; 1: anywhere."""
    harshness: Range
    """0 diffuse light … 1 a single low lamp with hard shadows."""
    blur: Range
    """Gaussian blur of the picture in pixels of a 256 px face."""
    noise: Range
    """Standard deviation of the sensor's noise, share of white."""
    face_size: Range
    """Pixels across a face in a full photograph."""
    rotation: float
    """Standard deviation of the turn of a face in its picture, degrees."""
    perspective: float
    plates: float
    """Chance that a source prints black-and-white plates."""
    plaster: float
    """Chance that a source shows plaster casts."""
    cut_edge: float
    """Chance that a photograph cuts the coin's edge."""
    relief: Range = (0.85, 1.15)
    """Height of a strike against its die."""
    devices: float = 0.0
    """Chance that a source works with a ring light, a flatbed scanner or a telephone."""


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty(
        name="easy",
        off_centre=0.043,
        die_scale=(0.941, 1.08),
        weakness=(0.05, 0.41),
        weak_chance=0.31,
        tilt=(0.0, 0.36),
        double_strike=0.019,
        metal_flow=(0.00072, 0.0034),
        irregularity=(0.0077, 0.039),
        edge_damage=0.21,
        wear=(0.039, 0.41),
        corrosion=(0.05, 0.36),
        corrosion_chance=0.31,
        deposits=(0.05, 0.39),
        deposit_chance=0.31,
        scratches=(0.05, 0.46),
        marks=0.052,
        casts=0.0043,
        light_spread=0.4,
        harshness=(0.18, 0.73),
        blur=(0.0, 0.32),
        noise=(0.0035, 0.0095),
        face_size=(260, 600),
        rotation=6.0,
        perspective=0.014,
        plates=0.052,
        plaster=0.033,
        cut_edge=0.019,
    ),
    "medium": Difficulty(
        name="medium",
        off_centre=0.0656,
        die_scale=(0.929, 1.13),
        weakness=(0.057, 0.592),
        weak_chance=0.421,
        tilt=(0.0, 0.542),
        double_strike=0.0342,
        metal_flow=(0.00107, 0.00471),
        irregularity=(0.0107, 0.0542),
        edge_damage=0.321,
        wear=(0.064, 0.592),
        corrosion=(0.057, 0.549),
        corrosion_chance=0.421,
        deposits=(0.057, 0.542),
        deposit_chance=0.421,
        scratches=(0.057, 0.642),
        marks=0.0898,
        casts=0.0128,
        light_spread=0.656,
        harshness=(0.143, 0.914),
        blur=(0.0, 0.42),
        noise=(0.0038, 0.0115),
        face_size=(193, 579),
        rotation=9.7,
        perspective=0.0221,
        plates=0.0898,
        plaster=0.0542,
        cut_edge=0.0342,
    ),
    "hard": Difficulty(
        name="hard",
        off_centre=0.084,
        die_scale=(0.924, 1.17),
        weakness=(0.0775, 0.73),
        weak_chance=0.495,
        tilt=(0.0, 0.68),
        double_strike=0.048,
        metal_flow=(0.0013, 0.00535),
        irregularity=(0.0125, 0.068),
        edge_damage=0.395,
        wear=(0.11, 0.73),
        corrosion=(0.0775, 0.71),
        corrosion_chance=0.495,
        deposits=(0.0775, 0.68),
        deposit_chance=0.495,
        scratches=(0.0775, 0.78),
        marks=0.125,
        casts=0.022,
        light_spread=0.84,
        harshness=(0.12, 0.96),
        blur=(0.0, 0.55),
        noise=(0.004, 0.0145),
        face_size=(170, 510),
        rotation=13.25,
        perspective=0.029,
        plates=0.125,
        plaster=0.068,
        cut_edge=0.048,
    ),
}

"""The levels that figures are stated for; they stay as they are."""

WILD = Difficulty(
    name="wild",
    off_centre=0.105,
    die_scale=(0.87, 1.28),
    weakness=(0.08, 0.95),
    weak_chance=0.5,
    tilt=(0.0, 0.9),
    double_strike=0.08,
    metal_flow=(0.0013, 0.0065),
    irregularity=(0.0125, 0.088),
    edge_damage=0.5,
    wear=(0.02, 0.8),
    corrosion=(0.08, 0.85),
    corrosion_chance=0.5,
    deposits=(0.08, 0.85),
    deposit_chance=0.5,
    scratches=(0.05, 0.9),
    marks=0.14,
    casts=0.022,
    light_spread=1.0,
    harshness=(0.0, 1.0),
    blur=(0.0, 0.8),
    noise=(0.003, 0.02),
    face_size=(150, 1200),
    rotation=16.0,
    perspective=0.029,
    plates=0.1,
    plaster=0.05,
    cut_edge=0.05,
    relief=(0.5, 1.2),
    devices=0.6,
)
"""Wider than all of them in every respect, to learn from: no figure is stated for it."""

NAMED_DIFFICULTIES: dict[str, Difficulty] = {**DIFFICULTIES, "wild": WILD}


def between(rng: np.random.Generator, limits: Range, bend: float = 1.0) -> float:
    """A value sampled from ``limits``; ``bend`` above 1 favours the lower end."""
    low, high = limits
    return low + (high - low) * float(rng.random() ** bend)
