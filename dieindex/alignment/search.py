"""Coarse search: every turn, scale and shift of a pattern over a face, by Fourier transforms.

A face is correlated with a bank of turned and scaled copies of a pattern (a template or another
face); one product of spectra gives all shifts at once. Correlations are normalised by what both
show where they overlap (masked normalised correlation, Padfield 2012), so that an off-centre face
is not pulled to the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.alignment.fields import Field, Weight, blurred, planes_of, warped
from dieindex.records import Floats32, Matrix

GRID = 64
"""Edge of the coarse grid, cells."""
CELLS = 21.0
"""Cells per unit (flan radius): a shift and the grid's wrap never meet."""
SHIFT = 12
"""Largest shift tried, cells: more than half a flan radius."""
SCALES = (0.80, 0.865, 0.93, 1.0, 1.075, 1.155, 1.25)
TURN_STEP = 4.0
"""Degrees between neighbouring turns."""
USUAL_TURN = 36.0
FULL_CIRCLE = 180.0
"""Degrees to either side that are searched: usually, and where all turns are."""
PAIR_TURN = 1.4 * USUAL_TURN
"""Likewise of one face on another: both may stand askew."""
_WIDE_STEP = 5.0
_BLUR = 1.0
"""Of the field before it is sampled by the cells, pixels."""
_FLOOR = 0.2
"""Overlaps that hold less than this share of the patterns' signal are not judged by it alone."""


@dataclass(frozen=True)
class Grid:
    """The turns (radians) and scales that are tried."""

    turns: tuple[float, ...]
    scales: tuple[float, ...] = SCALES

    @property
    def full(self) -> bool:
        """Whether the turns go all around."""
        return max(self.turns) - min(self.turns) > 1.5 * np.pi

    def about(self, turn: float) -> Grid:
        """The same turns (radians) about another one."""
        return Grid(tuple(each + turn for each in self.turns), self.scales)

    @staticmethod
    def within(degrees: float) -> Grid:
        """All turns up to ±``degrees``; from ``FULL_CIRCLE`` all there are."""
        if degrees >= FULL_CIRCLE:
            steps = np.arange(0, 360, _WIDE_STEP) - 180
        else:
            count = int(np.ceil(degrees / TURN_STEP))
            steps = np.arange(-count, count + 1) * TURN_STEP
        return Grid(tuple(np.deg2rad(steps).tolist()))


@dataclass(frozen=True, eq=False)
class Bank:
    """Spectra of a pattern's turned and scaled copies.

    ``spectra`` ``(scales, turns, GRID, GRID)`` complex64, conjugated; ``power`` and ``cover``
    ``(scales, GRID, GRID)``: those of the squared pattern and of its weight; ``energy``
    ``(scales,)``.
    """

    grid: Grid
    spectra: Field
    power: Field
    cover: Field
    energy: Floats32

    def within(self, degrees: float) -> Bank:
        """Only the turns up to ±``degrees``."""
        turns = np.asarray(self.grid.turns)
        (at,) = np.nonzero(np.abs(turns) <= np.deg2rad(degrees) + 1e-6)
        kept = slice(int(at[0]), int(at[-1]) + 1)
        grid = Grid(self.grid.turns[kept], self.grid.scales)
        return Bank(grid, self.spectra[:, kept], self.power, self.cover, self.energy)

    def sketch(self) -> Bank:
        """Every second scale and turn: a quarter of the work, and enough to tell what
        is surely not alike."""
        grid = Grid(self.grid.turns[::2], self.grid.scales[1::2])
        spectra = np.ascontiguousarray(self.spectra[1::2, ::2])
        return Bank(grid, spectra, self.power[1::2], self.cover[1::2], self.energy[1::2])


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Spectra of a face on the coarse grid: of its field, its squared field and its weight."""

    values: Field
    power: Field
    cover: Field
    energy: float


@dataclass(frozen=True, eq=False)
class Peak:
    """One place where pattern and face agree.

    ``to_pattern`` ``(3, 3)`` takes units of the face to units of the pattern; ``score`` is the
    masked normalised correlation, −1…1.
    """

    to_pattern: Matrix
    score: float


def _fourier(values: npt.NDArray[np.complexfloating], flags: int = 0) -> Field:
    """The transform over the last two axes, in single precision. (OpenCV's is as fast as any, and
    needs nothing more than what warps the faces.)"""
    planes = np.ascontiguousarray(values, np.complex64).reshape(-1, *values.shape[-2:])
    out = np.empty_like(planes)
    entering, leaving = (each.view(np.float32).reshape(*planes.shape, 2) for each in (planes, out))
    for one, place in zip(entering, leaving, strict=True):
        cv2.dft(one, place, flags)
    return out.reshape(values.shape)


def _fourier_back(values: npt.NDArray[np.complexfloating]) -> Field:
    return _fourier(values, cv2.DFT_INVERSE | cv2.DFT_SCALE)


def spectrum_of(values: Field, weight: Weight, to_unit: Matrix) -> Spectrum:
    """The spectra of a face's field; ``to_unit`` takes its pixels to units."""
    back = np.linalg.inv(to_unit) @ _cells_to_unit()
    cells, cover = warped(planes_of(blurred(values, _BLUR), weight), back, GRID)
    squared = np.abs(cells) ** 2
    spectra = _fourier(np.stack([cells, squared, cover]).astype(np.complex64))
    return Spectrum(spectra[0], spectra[1], spectra[2], float(squared.sum()))


def bank_of(values: Field, weight: Weight, to_unit: Matrix, grid: Grid) -> Bank:
    """The bank of a pattern; ``to_unit`` takes its pixels to units."""
    planes = planes_of(blurred(values, _BLUR), weight)
    from_unit = np.linalg.inv(to_unit)
    shape = (len(grid.scales), len(grid.turns), GRID, GRID)
    cells = np.empty(shape, np.complex64)
    sides = np.empty((len(grid.scales), 2, GRID, GRID), np.complex64)
    for s, scale in enumerate(grid.scales):
        for t, turn in enumerate(grid.turns):
            back = from_unit @ np.linalg.inv(_similarity(turn, scale)) @ _cells_to_unit()
            cells[s, t], _ = warped(planes, back, GRID)
        level = from_unit @ np.linalg.inv(_similarity(0.0, scale)) @ _cells_to_unit()
        shown, sides[s, 1] = warped(planes, level, GRID)
        sides[s, 0] = np.abs(shown) ** 2
    energy = sides[:, 0].real.sum((1, 2))
    spectra = np.conj(_fourier(cells))
    power, cover = np.conj(_fourier(sides)).transpose(1, 0, 2, 3)
    return Bank(grid, spectra, power, cover, energy.astype(np.float32))


def search(face: Spectrum, bank: Bank, peaks: int = 1) -> list[Peak]:
    """The best places of the bank's pattern on a face, best first, well apart from each other."""
    agreement = _fourier_back(face.values * bank.spectra).real
    of_face = _fourier_back(face.power * bank.cover).real
    of_pattern = _fourier_back(face.cover * bank.power).real
    maps = [centred(each) for each in (agreement, of_face, of_pattern)]
    score = score_of(maps, face.energy, bank.energy)
    return peaks_of(score, bank.grid, peaks)


def score_of(
    maps: Sequence[npt.NDArray[np.floating]], energy: float, pattern_energy: Floats32
) -> npt.NDArray[np.floating]:
    """The masked normalised correlation ``(scales, turns, shifts, shifts)``, of three ``maps``: the
    agreement, likewise, and of each scale what face and pattern show where they overlap."""
    agreement, of_face, of_pattern = maps
    spread = np.maximum(of_face, 0) + _FLOOR * energy
    spread = spread * (np.maximum(of_pattern, 0) + _FLOOR * pattern_energy[:, None, None])
    return np.asarray(agreement / np.sqrt(spread + 1e-9)[:, None])


def peaks_of(score: npt.NDArray[np.floating], grid: Grid, peaks: int) -> list[Peak]:
    """The highest scores, best first, well apart from each other; ``score`` is changed."""
    found: list[Peak] = []
    for _ in range(peaks):
        s, t, y, x = (int(at) for at in np.unravel_index(int(score.argmax()), score.shape))
        best = float(score[s, t, y, x])
        if not found or best > 0:
            found.append(Peak(_face_to_pattern(score, grid, s, t, y, x), best))
        if peaks > 1:
            _blank_around(score, grid, t, y, x)
    return found


_NEAR_TURN = np.deg2rad(13.0)
_NEAR_SHIFT = 4


def _blank_around(score: npt.NDArray[np.floating], grid: Grid, t: int, y: int, x: int) -> None:
    """Leave out a peak with its surroundings, so that the next one is another alignment."""
    turns = np.asarray(grid.turns)
    away = np.abs((turns - turns[t] + np.pi) % (2 * np.pi) - np.pi)
    rows = slice(max(0, y - _NEAR_SHIFT), y + _NEAR_SHIFT + 1)
    columns = slice(max(0, x - _NEAR_SHIFT), x + _NEAR_SHIFT + 1)
    for near in np.flatnonzero(away < _NEAR_TURN):
        score[:, near, rows, columns] = -1


def centred(maps: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The shifts up to ``SHIFT`` of a correlation, shift 0 in the middle."""
    at = np.arange(-SHIFT, SHIFT + 1) % GRID
    return np.asarray(maps[..., at[:, None], at[None, :]])


def _face_to_pattern(
    score: npt.NDArray[np.floating], grid: Grid, s: int, t: int, y: int, x: int
) -> Matrix:
    """The alignment of one cell of the search, its shift refined between the cells."""
    plane = score[s, t]
    dx = x - SHIFT + _vertex(plane[y], x)
    dy = y - SHIFT + _vertex(plane[:, x], y)
    onto_face = _similarity(grid.turns[t], grid.scales[s])
    onto_face[:2, 2] = dx / CELLS, dy / CELLS
    return np.linalg.inv(onto_face)


def _vertex(line: npt.NDArray[np.floating], at: int) -> float:
    """Where the parabola through a maximum and its neighbours peaks, −0.5…0.5."""
    if not 0 < at < len(line) - 1:
        return 0.0
    left, middle, right = (float(v) for v in line[at - 1 : at + 2])
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-9 else 0.0


def _similarity(turn: float, scale: float) -> Matrix:
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def _cells_to_unit() -> Matrix:
    middle = (GRID - 1) / 2
    return np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, CELLS]]) / CELLS
