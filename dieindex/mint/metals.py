"""Metals and their patinas: the colours that make a rendered coin look like one.

Colours are linear RGB reflectances. Each patina names the bare metal that wear brings out, two
colours between which the toning drifts, the dirt of the recesses, the deposits that may lie on it,
and how it shines: share and gloss of the specular part where bare and where toned.
"""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Patina:
    """Looks of one metal in one state of preservation."""

    metal: str
    bare: Colour
    tone: Colour
    other: Colour
    recess: Colour
    deposit: Colour
    shine_bare: float
    shine_tone: float
    gloss: float
    """0 matt … 1 mirror."""
    contrast: float
    """How strongly toning gathers in the recesses and leaves the high points, 0…1."""
    weight: float
    drift: Colour = (0.07, 0.01, -0.09)
    """How much each channel swings as toning drifts over the face."""


BRONZE_DRIFT: Colour = (0.13, -0.02, -0.06)
EARTH: Colour = (0.30, 0.22, 0.13)
CHALK: Colour = (0.52, 0.48, 0.40)
GREEN_CRUST: Colour = (0.18, 0.34, 0.24)
RED_CRUST: Colour = (0.28, 0.12, 0.06)

PATINAS: dict[str, Patina] = {
    "bright silver": Patina(
        "silver", (0.82, 0.81, 0.79), (0.60, 0.59, 0.57), (0.50, 0.49, 0.47),
        (0.06, 0.055, 0.05),
        EARTH, 0.8, 0.55, 0.55, 0.75, 3.0,
    ),
    "grey silver": Patina(
        "silver", (0.66, 0.65, 0.63), (0.33, 0.325, 0.31), (0.26, 0.25, 0.24),
        (0.05, 0.045, 0.04),
        EARTH, 0.65, 0.4, 0.45, 0.7, 4.0,
    ),
    "warm silver": Patina(
        "silver", (0.64, 0.60, 0.55), (0.32, 0.28, 0.235), (0.22, 0.185, 0.15),
        (0.05, 0.04, 0.03),
        EARTH, 0.6, 0.4, 0.45, 0.7, 3.0,
    ),
    "dark silver": Patina(
        "silver", (0.50, 0.49, 0.47), (0.12, 0.12, 0.12), (0.075, 0.075, 0.08),
        (0.02, 0.02, 0.02),
        EARTH, 0.6, 0.35, 0.5, 0.6, 2.5,
    ),
    "iridescent silver": Patina(
        "silver", (0.60, 0.57, 0.53), (0.26, 0.205, 0.15), (0.16, 0.18, 0.20),
        (0.05, 0.05, 0.06),
        EARTH, 0.6, 0.5, 0.55, 0.7, 1.2,
    ),
    "hoard silver": Patina(
        "silver", (0.55, 0.54, 0.53), (0.36, 0.35, 0.34), (0.28, 0.24, 0.24),
        (0.10, 0.09, 0.085),
        RED_CRUST, 0.4, 0.2, 0.25, 0.5, 1.5,
    ),
    "billon": Patina(
        "billon", (0.50, 0.45, 0.39), (0.22, 0.20, 0.17), (0.15, 0.15, 0.12),
        (0.04, 0.04, 0.03),
        GREEN_CRUST, 0.45, 0.2, 0.3, 0.65, 2.0, BRONZE_DRIFT,
    ),
    "gold": Patina(
        "gold", (0.86, 0.60, 0.25), (0.68, 0.44, 0.15), (0.60, 0.36, 0.11),
        (0.12, 0.055, 0.015),
        RED_CRUST, 0.8, 0.7, 0.55, 0.6, 2.0,
    ),
    "brown bronze": Patina(
        "bronze", (0.36, 0.24, 0.13), (0.15, 0.095, 0.05), (0.09, 0.06, 0.035),
        (0.025, 0.018, 0.012),
        EARTH, 0.45, 0.28, 0.4, 0.6, 2.5, BRONZE_DRIFT,
    ),
    "green bronze": Patina(
        "bronze", (0.32, 0.235, 0.13), (0.065, 0.098, 0.066), (0.045, 0.07, 0.055),
        (0.015, 0.02, 0.015),
        CHALK, 0.4, 0.3, 0.45, 0.85, 2.0, BRONZE_DRIFT,
    ),
    "black bronze": Patina(
        "bronze", (0.30, 0.22, 0.14), (0.055, 0.055, 0.05), (0.035, 0.042, 0.042),
        (0.012, 0.012, 0.012),
        EARTH, 0.45, 0.35, 0.5, 0.75, 2.0, BRONZE_DRIFT,
    ),
    "olive bronze": Patina(
        "bronze", (0.33, 0.26, 0.13), (0.13, 0.115, 0.06), (0.09, 0.095, 0.055),
        (0.03, 0.028, 0.018),
        EARTH, 0.4, 0.25, 0.4, 0.6, 1.5, BRONZE_DRIFT,
    ),
    "verdigris bronze": Patina(
        "bronze", (0.22, 0.15, 0.08), (0.13, 0.18, 0.135), (0.075, 0.05, 0.035),
        (0.05, 0.07, 0.055),
        GREEN_CRUST, 0.3, 0.12, 0.25, 0.4, 1.0, BRONZE_DRIFT,
    ),
    "sandy bronze": Patina(
        "bronze", (0.20, 0.15, 0.09), (0.075, 0.065, 0.045), (0.06, 0.06, 0.04),
        (0.34, 0.26, 0.16),
        EARTH, 0.35, 0.2, 0.35, 0.75, 1.0,
    ),
    "plaster": Patina(
        "plaster", (0.74, 0.72, 0.67), (0.72, 0.70, 0.65), (0.68, 0.66, 0.60),
        (0.60, 0.57, 0.51),
        CHALK, 0.03, 0.03, 0.1, 0.35, 0.0,
    ),
}  # fmt: skip
"""By name. ``weight`` is how often a coin is of that kind; plaster belongs to casts alone."""
