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
    stains: float = 1.0
    """How far it blotches, times a coin's own staining."""
    cover: float = 0.3
    """Toning that stays even on a stripped coin: bronze keeps its patina, silver does not."""


BRONZE_DRIFT: Colour = (0.13, -0.02, -0.06)
EARTH: Colour = (0.30, 0.22, 0.13)
CHALK: Colour = (0.52, 0.48, 0.40)
GREEN_CRUST: Colour = (0.18, 0.34, 0.24)
RED_CRUST: Colour = (0.28, 0.12, 0.06)

PATINAS: dict[str, Patina] = {
    "bright silver": Patina(
        metal="silver",
        bare=(0.82, 0.81, 0.79),
        tone=(0.6, 0.58, 0.54),
        other=(0.5, 0.48, 0.44),
        recess=(0.06, 0.055, 0.05),
        deposit=EARTH,
        shine_bare=0.8,
        shine_tone=0.55,
        gloss=0.55,
        contrast=0.75,
        weight=3.0,
        drift=(0.04, 0.01, -0.05),
        stains=0.55,
    ),
    "grey silver": Patina(
        metal="silver",
        bare=(0.66, 0.65, 0.63),
        tone=(0.33, 0.315, 0.285),
        other=(0.26, 0.245, 0.22),
        recess=(0.05, 0.045, 0.04),
        deposit=EARTH,
        shine_bare=0.65,
        shine_tone=0.4,
        gloss=0.45,
        contrast=0.7,
        weight=4.0,
    ),
    "warm silver": Patina(
        metal="silver",
        bare=(0.64, 0.6, 0.55),
        tone=(0.32, 0.28, 0.235),
        other=(0.22, 0.185, 0.15),
        recess=(0.05, 0.04, 0.03),
        deposit=EARTH,
        shine_bare=0.6,
        shine_tone=0.4,
        gloss=0.45,
        contrast=0.7,
        weight=3.0,
    ),
    "dark silver": Patina(
        metal="silver",
        bare=(0.5, 0.49, 0.47),
        tone=(0.122, 0.118, 0.107),
        other=(0.078, 0.075, 0.07),
        recess=(0.02, 0.02, 0.02),
        deposit=EARTH,
        shine_bare=0.6,
        shine_tone=0.35,
        gloss=0.5,
        contrast=0.6,
        weight=2.5,
    ),
    "iridescent silver": Patina(
        metal="silver",
        bare=(0.6, 0.57, 0.53),
        tone=(0.26, 0.205, 0.15),
        other=(0.16, 0.18, 0.2),
        recess=(0.05, 0.05, 0.06),
        deposit=EARTH,
        shine_bare=0.6,
        shine_tone=0.5,
        gloss=0.55,
        contrast=0.7,
        weight=1.2,
    ),
    "hoard silver": Patina(
        metal="silver",
        bare=(0.55, 0.54, 0.53),
        tone=(0.36, 0.345, 0.32),
        other=(0.28, 0.24, 0.24),
        recess=(0.1, 0.09, 0.085),
        deposit=RED_CRUST,
        shine_bare=0.4,
        shine_tone=0.2,
        gloss=0.25,
        contrast=0.5,
        weight=1.5,
    ),
    "billon": Patina(
        metal="billon",
        bare=(0.5, 0.45, 0.39),
        tone=(0.22, 0.2, 0.17),
        other=(0.15, 0.15, 0.12),
        recess=(0.04, 0.04, 0.03),
        deposit=GREEN_CRUST,
        shine_bare=0.45,
        shine_tone=0.2,
        gloss=0.3,
        contrast=0.65,
        weight=2.0,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "gold": Patina(
        metal="gold",
        bare=(0.86, 0.6, 0.25),
        tone=(0.68, 0.48, 0.22),
        other=(0.6, 0.39, 0.17),
        recess=(0.12, 0.055, 0.015),
        deposit=RED_CRUST,
        shine_bare=0.8,
        shine_tone=0.7,
        gloss=0.55,
        contrast=0.6,
        weight=2.0,
        drift=(0.05, -0.03, -0.12),
        stains=0.35,
    ),
    "brown bronze": Patina(
        metal="bronze",
        bare=(0.36, 0.24, 0.13),
        tone=(0.15, 0.095, 0.05),
        other=(0.09, 0.06, 0.035),
        recess=(0.025, 0.018, 0.012),
        deposit=EARTH,
        shine_bare=0.45,
        shine_tone=0.28,
        gloss=0.4,
        contrast=0.6,
        weight=2.5,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "green bronze": Patina(
        metal="bronze",
        bare=(0.32, 0.235, 0.13),
        tone=(0.065, 0.098, 0.066),
        other=(0.045, 0.07, 0.055),
        recess=(0.015, 0.02, 0.015),
        deposit=CHALK,
        shine_bare=0.4,
        shine_tone=0.3,
        gloss=0.45,
        contrast=0.85,
        weight=2.0,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "black bronze": Patina(
        metal="bronze",
        bare=(0.3, 0.22, 0.14),
        tone=(0.056, 0.053, 0.045),
        other=(0.036, 0.041, 0.039),
        recess=(0.012, 0.012, 0.012),
        deposit=EARTH,
        shine_bare=0.45,
        shine_tone=0.35,
        gloss=0.5,
        contrast=0.75,
        weight=2.0,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "olive bronze": Patina(
        metal="bronze",
        bare=(0.33, 0.26, 0.13),
        tone=(0.13, 0.115, 0.06),
        other=(0.09, 0.095, 0.055),
        recess=(0.03, 0.028, 0.018),
        deposit=EARTH,
        shine_bare=0.4,
        shine_tone=0.25,
        gloss=0.4,
        contrast=0.6,
        weight=1.5,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "verdigris bronze": Patina(
        metal="bronze",
        bare=(0.22, 0.15, 0.08),
        tone=(0.13, 0.18, 0.135),
        other=(0.075, 0.05, 0.035),
        recess=(0.05, 0.07, 0.055),
        deposit=GREEN_CRUST,
        shine_bare=0.3,
        shine_tone=0.12,
        gloss=0.25,
        contrast=0.4,
        weight=1.0,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "sandy bronze": Patina(
        metal="bronze",
        bare=(0.2, 0.15, 0.09),
        tone=(0.075, 0.065, 0.045),
        other=(0.06, 0.06, 0.04),
        recess=(0.34, 0.26, 0.16),
        deposit=EARTH,
        shine_bare=0.35,
        shine_tone=0.2,
        gloss=0.35,
        contrast=0.75,
        weight=1.0,
        drift=BRONZE_DRIFT,
        cover=0.75,
    ),
    "plaster": Patina(
        metal="plaster",
        bare=(0.74, 0.72, 0.67),
        tone=(0.72, 0.7, 0.65),
        other=(0.68, 0.66, 0.6),
        recess=(0.6, 0.57, 0.51),
        deposit=CHALK,
        shine_bare=0.03,
        shine_tone=0.03,
        gloss=0.1,
        contrast=0.35,
        weight=0.0,
    ),
}
"""By name. ``weight`` is how often a coin is of that kind; plaster belongs to casts alone."""
