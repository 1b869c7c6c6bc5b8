"""How hard a rendered collection is to study: the ranges every latent value is drawn from."""

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


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty(
        name="easy",
        off_centre=0.03,
        die_scale=(0.95, 1.05),
        weakness=(0.05, 0.3),
        weak_chance=0.25,
        tilt=(0.0, 0.25),
        double_strike=0.01,
        metal_flow=(0.0005, 0.0025),
        irregularity=(0.006, 0.03),
        edge_damage=0.15,
        wear=(0.03, 0.3),
        corrosion=(0.05, 0.25),
        corrosion_chance=0.25,
        deposits=(0.05, 0.3),
        deposit_chance=0.25,
        scratches=(0.05, 0.35),
        marks=0.03,
        casts=0.0,
        light_spread=0.25,
        harshness=(0.2, 0.6),
        blur=(0.0, 0.4),
        noise=(0.002, 0.008),
        face_size=(300, 600),
        rotation=4.0,
        perspective=0.01,
        plates=0.03,
        plaster=0.02,
        cut_edge=0.01,
    ),
    "medium": Difficulty(
        name="medium",
        off_centre=0.06,
        die_scale=(0.93, 1.12),
        weakness=(0.05, 0.55),
        weak_chance=0.4,
        tilt=(0.0, 0.5),
        double_strike=0.03,
        metal_flow=(0.001, 0.0045),
        irregularity=(0.01, 0.05),
        edge_damage=0.3,
        wear=(0.05, 0.55),
        corrosion=(0.05, 0.5),
        corrosion_chance=0.4,
        deposits=(0.05, 0.5),
        deposit_chance=0.4,
        scratches=(0.05, 0.6),
        marks=0.08,
        casts=0.01,
        light_spread=0.6,
        harshness=(0.15, 0.9),
        blur=(0.0, 0.6),
        noise=(0.002, 0.01),
        face_size=(200, 600),
        rotation=9.0,
        perspective=0.02,
        plates=0.08,
        plaster=0.05,
        cut_edge=0.03,
    ),
    "hard": Difficulty(
        name="hard",
        off_centre=0.08,
        die_scale=(0.925, 1.16),
        weakness=(0.07, 0.7),
        weak_chance=0.48,
        tilt=(0.0, 0.65),
        double_strike=0.045,
        metal_flow=(0.0012, 0.0052),
        irregularity=(0.012, 0.065),
        edge_damage=0.38,
        wear=(0.1, 0.7),
        corrosion=(0.07, 0.68),
        corrosion_chance=0.48,
        deposits=(0.07, 0.65),
        deposit_chance=0.48,
        scratches=(0.07, 0.75),
        marks=0.12,
        casts=0.02,
        light_spread=0.8,
        harshness=(0.12, 0.95),
        blur=(0.0, 0.78),
        noise=(0.0025, 0.015),
        face_size=(180, 520),
        rotation=12.5,
        perspective=0.028,
        plates=0.12,
        plaster=0.065,
        cut_edge=0.045,
    ),
}


def between(rng: np.random.Generator, limits: Range, bend: float = 1.0) -> float:
    """A draw from ``limits``; ``bend`` above 1 favours the lower end."""
    share = float(rng.random()) ** bend
    return limits[0] + (limits[1] - limits[0]) * share
