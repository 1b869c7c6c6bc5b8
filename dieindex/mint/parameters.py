"""Every latent value of a rendered face: the design of its die, the coin, the blow, the photograph.

Plain values alone. How they are sampled and what they do stands with the stages that use them:
designs in ``types``, coins in ``flan``, blows in ``striking``, photographs in ``photography`` and
``backgrounds``. Lengths are in nominal flan radii and angles in radians unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dieindex.mint.metals import PATINAS, Patina
from dieindex.mint.relief import FULL_DEPTH
from dieindex.records import Floats, Floats32, Side

# ---------------------------------------------------------------------------- the design of a die

Script = Literal["latin", "greek", "arabic"]

Border = Literal[
    "none", "dots", "pellets", "linear", "double", "linear-dots", "wreath", "reel", "cable"
]

Run = Literal["outward", "inward", "line", "stacked"]


@dataclass(frozen=True)
class Alphabet:
    """How a type's legends are cut, in shares of the letter height."""

    weight: float = 0.085
    """Half width of a stroke."""
    serif: float = 0.5
    """How much a stroke swells towards its ends."""
    pellets: bool = False
    """Greek letters whose strokes end in drilled dots."""
    spacing: float = 0.22
    width: float = 1.0
    variant: int = 0
    """Which of the forms of a letter the type uses; hands stray from it now and then."""


@dataclass(frozen=True)
class Inscription:
    """One run of letters. ``outward`` and ``inward`` run along a circle, see lettering.circular;
    ``line`` and ``stacked`` are centred on (x, y), see lettering.linear."""

    text: str
    run: Run
    letter: float
    radius: float = 0.0
    start: float = 0.0
    span: float | None = None
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0


@dataclass(frozen=True)
class Mark:
    """A small sign in the field; ``what`` is a name of marks.MARKS."""

    what: str
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class DesignType:
    """A type: what all its dies show. Lengths are in flan radii, angles in radians."""

    side: Side
    kind: str
    seed: int
    facing: int
    """+1 looks or walks to the right, −1 to the left."""
    script: Script
    inscriptions: tuple[Inscription, ...]
    marks: tuple[Mark, ...]
    alphabet: Alphabet
    border: Border
    border_radius: float
    room: float
    """Radius of the circle left to the main motif."""
    middle: float
    """Height (y) of that circle's centre."""
    exergue: float | None
    """Height (y) of the line above the exergue; None where there is no exergue."""
    height: float
    """Depth of relief of the main motif against the usual, about 1."""

    @property
    def key(self) -> str:
        """Name of the type, the same on every machine."""
        return f"{self.side}-{self.kind}-{self.seed}"


# ---------------------------------------------------------------------------- the coin and the blow

OUTLINE_STEPS = 360

MARGIN = 1.06
"""The grid of a face reaches this much beyond the flan's farthest point."""


@dataclass(frozen=True, eq=False)
class CoinParameters:
    """What both faces of one coin share. Lengths are in nominal flan radii.

    ``outline`` (360,) is the radius by angle on the obverse, from x toward y (down); the reverse
    sees it mirrored. ``splits`` (k, 4): edge cracks as angle, depth, width, bend. ``hole`` (4,):
    x, y, radius and whether it is there. Severities lie in 0…1.
    """

    seed: int
    patina: str
    patina_shift: tuple[float, float, float]
    outline: Floats32
    splits: Floats32
    hole: Floats32
    edge_width: float
    dish: float
    wear: float
    corrosion: float
    deposits: float
    scratches: float
    cast: float
    unevenness: float
    """How lumpy the surface is, 0…1."""
    pitting: float
    """Density of scattered small pits, 0…1."""
    roughness: float
    """How grainy the surface feels, 0…1."""
    staining: float
    """How blotchy its colour is, 0…1."""
    lustre: float
    """Added to the gloss of its patina."""
    toning: float
    """How far toning has gone, 0 (stripped) … 1."""
    soil: float
    """How much dirt has gathered in the recesses, 0 (cleaned) … 1."""
    earthiness: float
    """How brown that dirt is, 0…1."""

    @property
    def looks(self) -> Patina:
        return PATINAS[self.patina]


@dataclass(frozen=True, eq=False)
class StrikeParameters:
    """Every latent value of one face of one coin. Lengths in nominal flan radii, angles radians."""

    seed: int
    coin: CoinParameters
    reverse: bool
    """The flan is seen from its other side: its outline is mirrored."""
    die_seed: int
    die_life: float
    offset: tuple[float, float]
    """Where on the coin the die's centre fell."""
    rotation: float
    """Of the die on the coin, clockwise as seen."""
    weakness: float
    weak_angle: float
    tilt: float
    relief: float
    """Depth of the strike, multiplies heights."""
    flow: float
    """Metal flow, root-mean-square in flan radii."""
    double: float
    """Strength of the first blow's ghost, 0 for a single blow."""
    double_shift: tuple[float, float]
    double_rotation: float
    wear: float
    corrosion: float
    deposits: float
    scratches: float
    tooling: float
    cuts: Floats32
    """(k, 5): x, y, angle, length, depth."""
    punches: Floats32
    """(k, 5): x, y, radius, shape, turn."""
    gouges: Floats32
    """(k, 5): x, y, angle, length, depth."""
    die_depth: float = FULL_DEPTH
    """What a sound blow fills of this die: shallow dies are lost sooner."""

    @property
    def outline(self) -> Floats32:
        """The flan's radius by angle as this face shows it, ``(360,)``."""
        return mirrored(self.coin.outline) if self.reverse else self.coin.outline

    @property
    def extent(self) -> float:
        """Half the edge of the grid that holds the whole flan."""
        return float(self.coin.outline.max()) * MARGIN

    def coin_to_die(self) -> Floats:
        """``(3, 3)``: coin frame to die frame, metal flow apart."""
        c, s = np.cos(self.rotation), np.sin(self.rotation)
        x, y = self.offset
        turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        shift = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y], [0.0, 0.0, 1.0]])
        return np.asarray(turn @ shift)


def mirrored(values: Floats32) -> Floats32:
    """An outline as seen from the other side: x reversed."""
    steps = (OUTLINE_STEPS // 2 - np.arange(OUTLINE_STEPS)) % OUTLINE_STEPS
    return np.ascontiguousarray(values[steps])


# ---------------------------------------------------------------------------- the photograph


Device = Literal["camera", "ring", "scanner", "phone"]


@dataclass(frozen=True, eq=False)
class Source:
    """The habits of one auction house or museum, the same for all its photographs.

    Angles in radians, colours linear RGB 0…1.
    """

    seed: int
    azimuth: float
    elevation: float
    lamps: int
    lamp_width: float
    harshness: float
    ambient: float
    overhead: float
    ring: float
    room: float
    ground: str
    ground_colour: tuple[float, float, float]
    ground_second: tuple[float, float, float]
    cast_shadow: float
    white_balance: tuple[float, float, float]
    saturation: float
    exposure: float
    """Where the coin's middle brightness is put, 0…1 of the encoded picture."""
    contrast: float
    curve: float
    """Exponent of the camera's tone curve: above 1 it holds the middle tones down."""
    sharpening: float
    blur: float
    noise: float
    jpeg_quality: int
    face_size: int
    """Pixels across a face in its full photographs."""
    plate: bool
    """Black-and-white plates out of printed catalogues."""
    halftone: float
    plaster: bool
    stacked: bool
    """Obverse above reverse instead of left of it."""
    margin: float
    scale_bar: float
    caption: float
    device: Device = "camera"
    shadows: float = 1.0
    """How dark the shadows of relief are: 0 on a scanner, whose light comes along a line."""
    wander: float = 1.0
    """How far the lamps stray from their place, against the usual."""
    lean: float = 1.0
    """How far the camera leans, against the usual."""


LAMPS = 4


@dataclass(frozen=True, eq=False)
class Lighting:
    """The lamps and the room. Angles in radians; strengths relative.

    ``lamps`` (LAMPS, 5): azimuth (from x toward y down, in the picture), elevation, strength,
    angular radius, warmth (−1 blue … 1 orange). Unused ones have strength 0.
    """

    lamps: Floats32
    ambient: float
    overhead: float
    """A bright ceiling or axial light that mirrors in surfaces facing the camera."""
    ring: float
    ring_elevation: float
    room: float
    """How bright the room mirrors where no lamp stands."""
    occlusion: float
    relief_gain: float
    shadows: float = 1.0


@dataclass(frozen=True, eq=False)
class Camera:
    """One exposure and what was done to it. Pixel lengths are for a face of 256 px."""

    exposure: float
    """Encoded value the coin's middle brightness is brought to, 0…1."""
    pull: float
    """How far exposure follows the coin: 0 leaves a dark coin dark, 1 lifts all to one level."""
    contrast: float
    curve: float
    white_balance: tuple[float, float, float]
    saturation: float
    blur: float
    sharpening: float
    sharpening_radius: float
    noise: float
    veil: float
    """Stray light that lifts the blacks, 0…1."""
    plate: bool
    halftone: float
    halftone_period: float
    halftone_angle: float
    plate_tint: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class PhotoParameters:
    """Every latent value of one picture of one face."""

    seed: int
    source: Source
    rotation: float
    """Turn of the coin in the picture, radians, clockwise as seen."""
    share: float
    """The flan's mean radius over half the picture's edge."""
    shift: tuple[float, float]
    """Of the coin's centre, in halves of the picture's edge."""
    perspective: tuple[float, float]
    squeeze: float
    """Foreshortening of one direction by a tilted coin."""
    squeeze_angle: float
    lighting: Lighting
    camera: Camera
    ground: str
    ground_colour: tuple[float, float, float]
    ground_second: tuple[float, float, float]
    cast_shadow: float
    shadow_angle: float
    plaster: bool
    jpeg_quality: int


@dataclass(frozen=True)
class LayoutParameters:
    """How faces lie in one photograph. Lengths in diameters of a face unless in pixels."""

    seed: int
    faces: int
    stacked: bool
    face_size: int
    """Pixels across a face."""
    gap: float
    margin: float
    jitter: tuple[tuple[float, float], ...]
    """Each face's shift from its place."""
    cut: float
    """How much of the picture's edges is cropped into the coins."""
    scale_bar: bool
    caption: bool
    frame: bool
    """A thin line round the picture, as printed plates have."""
    jpeg_quality: int

    @property
    def grid_size(self) -> int:
        """The size to strike faces at for this photograph."""
        return int(np.ceil(self.face_size * MARGIN))
