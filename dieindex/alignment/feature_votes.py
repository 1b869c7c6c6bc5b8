"""Which faces of a side lie exactly on which, by votes of their local features.

Each feature of a face is sought among those of all others. A match says where its face would lie on
the other: turned, scaled and shifted so. Matches of one pair that say the same are added up (Hough
1962; Ballard 1981; Lowe 2004, 7.3), by how far each stands out from the feature's next matches. For
the few faces with most votes the fit is made anew from all features that lie near each other under
it; the number of those that agree tells faces of one die from faces of one design, as well as
contours can: what is decided is decided by the comparator, at that place.

Cost grows with the number of faces: a feature is sought in the cells near it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dieindex.alignment.local_features import LocalFeatures
from dieindex.records import FACE_SIZE, Floats, Floats32, Ints, Matrix

VOTING = 300
"""Features of a face that are sought, and among which is sought: the strongest."""
NEAREST = 12
"""Matches of each that vote."""
TRIED = 12
"""Faces, with most votes, on which a face is fitted."""
LARGEST_SCALE = 1.5
"""Beyond which, or below the inverse, no two strikes of one die lie."""
_SPARE = 8
"""Matches sought besides, since some are the face's own."""
_SCALE_STEP, _TURN_STEP, _SHIFT_STEP = 0.25, np.pi / 9, 20.0
"""Sizes of the cells of votes: natural logarithm, radians, pixels."""
_TURNS = 18
_FARTHEST = 0.43 * FACE_SIZE
"""Pixels by which a centre is shifted at most."""
_MIDDLE = (FACE_SIZE - 1) / 2
_DIMENSION = 128
_CELLS, _VISITED, _TRAINED = 2.0, 8, 20
"""Cells for the square root of the features, cells in which one is sought, and features a cell that
they are learnt from: seven in ten of its nearest are found. (Twice the cells, learnt from four
times as many, cost ten times as much and found fewer.)"""
_FEW_CELLS, _OF_FEW = 0.5, 12
"""The same for few faces: cells are learnt in a quarter of the time, and a feature is sought in one
of twelve. (Of 50 faces among 600 the best face that a search of all finds was then found for 48; a
search takes a twelfth of the time of one of all, learning half of it.)"""
_ALIKE = 0.75
"""Least similarity of two features that may be one."""
_NEAR = (14.0, 7.0)
"""Pixels from its place within which a feature's like is sought: at first, and once fitted."""
_LARGER, _TURNED = 1.6, np.pi / 6
"""Ratio of sizes and turn by which the two may differ from what the place says."""
_AGREES = 3.0
"""Pixels from its place within which a match agrees."""
_ROUNDS = 8
_HELD = 50.0
"""Square pixels: how firmly a fit is held to where it began, against few matches in one spot."""


@dataclass(frozen=True)
class Lies:
    """How a face lies on another: ``other`` is the other's position in the list; ``along``,
    ``across``, ``x`` and ``y`` are the similarity that takes pixels of the face to pixels of the
    other, ``agreeing`` is how many features are where it takes them."""

    other: int
    along: float
    across: float
    x: float
    y: float
    agreeing: int

    @property
    def matrix(self) -> Matrix:
        """``(3, 3)``."""
        return similarity(self.along, self.across, self.x, self.y)


def similarity(along: float, across: float, x: float, y: float) -> Matrix:
    """``(3, 3)``: turn and scale as a complex number ``along + across·i``, then a shift."""
    return np.array([[along, -across, x], [across, along, y], [0.0, 0.0, 1.0]])


class FeatureIndex:
    """The local features of the faces of one side, ready to be searched: for all of them, or for a
    ``few`` faces."""

    def __init__(self, faces: Sequence[LocalFeatures], *, few: bool = False) -> None:
        self._faces = faces
        voting = [face.points[:VOTING] for face in faces]
        self._owner = np.repeat(np.arange(len(faces)), [len(each) for each in voting])
        self._points = np.concatenate([np.zeros((0, 4), np.float32), *voting])
        self._index = _searched(faces, few) if len(self._owner) else None

    def faces_on(self, face: int) -> list[Lies]:
        """Where a face lies on others, by position: at most ``TRIED``, most agreeing first."""
        return self.lies_of(self._faces[face], without=face)

    def lies_of(self, features: LocalFeatures, without: int | None = None) -> list[Lies]:
        """The same of a face that may be none of these; the one ``without`` is left out."""
        found = []
        for other, start in self._voted(features, without):
            fitted = _fitted(features, self._faces[other], start)
            if fitted is not None:
                turn, shift, agreeing = fitted
                found.append(Lies(other, turn.real, turn.imag, shift.real, shift.imag, agreeing))
        return sorted(found, key=lambda lies: (-lies.agreeing, lies.other))

    def _voted(
        self, features: LocalFeatures, without: int | None
    ) -> list[tuple[int, tuple[complex, complex]]]:
        """The faces with most votes, and the similarity they were given for, most first."""
        rows, matched, weight = self._matches(features, without)
        own, their = features.points[rows], self._points[matched]
        growth = np.log(their[:, 2] / own[:, 2])
        turn = their[:, 3] - own[:, 3]
        carried = (own[:, 0] - _MIDDLE + 1j * (own[:, 1] - _MIDDLE)) * np.exp(growth + 1j * turn)
        away = their[:, 0] - _MIDDLE + 1j * (their[:, 1] - _MIDDLE) - carried
        kept = (np.abs(growth) < np.log(LARGEST_SCALE)) & (weight > 0)
        kept &= (np.abs(away.real) < _FARTHEST) & (np.abs(away.imag) < _FARTHEST)
        if not kept.any():
            return []
        at = np.stack(
            [
                growth[kept] / _SCALE_STEP,
                turn[kept] % (2 * np.pi) / _TURN_STEP,
                away.real[kept] / _SHIFT_STEP,
                away.imag[kept] / _SHIFT_STEP,
            ]
        )
        return _most_voted(self._owner[matched[kept]], at, weight[kept])

    def _matches(self, features: LocalFeatures, without: int | None) -> tuple[Ints, Ints, Floats]:
        """Matches of a face's features among all others': rows of the feature and of its match, and
        0…1 by how much nearer it is than the first that does not count."""
        queries = features.descriptors(VOTING)
        if not len(queries) or self._index is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        alike, rows = self._index.search(queries, min(NEAREST + 1 + _SPARE, len(self._owner)))
        own = -1 if without is None else without
        alike = np.where((rows < 0) | (self._owner[rows] == own), -1.0, alike)
        order = np.argsort(-alike, axis=1, kind="stable")[:, : NEAREST + 1]
        rows, alike = np.take_along_axis(rows, order, 1), np.take_along_axis(alike, order, 1)
        distance = np.sqrt(np.clip(2 - 2 * alike, 0, None))
        weight = 1 - distance[:, :-1] / np.maximum(distance[:, -1:], 1e-6)
        feature = np.repeat(np.arange(len(queries)), weight.shape[1])
        return feature, rows[:, :-1].ravel(), weight.ravel().astype(np.float64)


def _searched(faces: Sequence[LocalFeatures], few: bool) -> Any:
    """Finds the voting features of all faces nearest to one."""
    import faiss

    counts = [min(VOTING, len(face)) for face in faces]
    count = sum(counts)
    index: Any
    root = (_FEW_CELLS if few else _CELLS) * np.sqrt(count)
    cells = int(min(root, count / _TRAINED))
    visited = max(1, cells // _OF_FEW) if few else _VISITED
    if cells <= _VISITED:
        index = faiss.IndexFlatIP(_DIMENSION)
    else:
        # One byte a number: 38 kB a face.
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(_DIMENSION),
            _DIMENSION,
            cells,
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.cp.seed, index.cp.niter, index.cp.min_points_per_centroid = 1, 5, 1
        threads = faiss.omp_get_max_threads()
        # (So that no sum depends on how many there are.)
        faiss.omp_set_num_threads(1)
        step = max(1, count // (_TRAINED * cells))
        start = np.cumsum([0, *counts])
        index.train(
            np.concatenate(
                [
                    # (A copy: a part would keep the whole.)
                    face.descriptors(VOTING)[-first % step :: step].copy()
                    for face, first in zip(faces, start.tolist(), strict=False)
                ]
            )
        )
        faiss.omp_set_num_threads(threads)
        index.nprobe = visited
        _fill(index, faces)
        return index
    for face in faces:
        index.add(face.descriptors(VOTING))
    return index


def _fill(index: Any, faces: Sequence[LocalFeatures]) -> None:
    """Add the features to cells that have their room from the start: cells that grow hold four
    times as much, in what they may need and in what they left behind."""
    import faiss

    cells = [
        np.ascontiguousarray(index.quantizer.assign(face.descriptors(VOTING), 1).ravel(), np.int64)
        for face in faces
    ]
    sizes = np.bincount(np.concatenate(cells), minlength=index.nlist)
    for cell, size in enumerate(sizes.tolist()):
        # (What is taken away again leaves its room.)
        index.invlists.resize(cell, size)
        index.invlists.resize(cell, 0)
    for face, of in zip(faces, cells, strict=True):
        added = face.descriptors(VOTING)
        index.add_core(len(of), faiss.swig_ptr(added), None, faiss.swig_ptr(of))


def _most_voted(
    other: Ints, at: Floats, weight: Floats
) -> list[tuple[int, tuple[complex, complex]]]:
    """Of votes for the faces ``other`` ``(v,)`` at places ``at`` ``(4, v)``, in cells, the faces
    with the fullest cell, and the mean place in it. Each vote counts in every cell beside it."""
    low = np.floor(at).astype(np.int64)
    keys = []
    for corner in range(16):
        cell = low + (np.array([[corner], [corner >> 1], [corner >> 2], [corner >> 3]]) & 1)
        cell[1] %= _TURNS
        keys.append(
            (((other * 16 + cell[0] + 8) * 32 + cell[1]) * 32 + cell[2] + 16) * 32 + cell[3] + 16
        )
    cells, of = np.unique(np.concatenate(keys), return_inverse=True)
    votes = np.bincount(of.ravel(), np.tile(weight, 16))
    order = np.lexsort((cells, -votes))
    faces = cells[order] >> 19
    _, first = np.unique(faces, return_index=True)
    best = order[np.sort(first)[:TRIED]]
    found = []
    for cell in cells[best].tolist():
        middle = np.array(
            [(cell >> 15 & 15) - 8, cell >> 10 & 31, (cell >> 5 & 31) - 16, (cell & 31) - 16]
        )
        mine = np.flatnonzero(other == cell >> 19)
        apart = at[:, mine] - middle[:, None]
        apart[1] = (apart[1] + _TURNS / 2) % _TURNS - _TURNS / 2
        inside = (np.abs(apart) < 1).all(0)
        mean = middle + np.average(apart[:, inside], axis=1, weights=weight[mine[inside]])
        turn = np.exp(mean[0] * _SCALE_STEP + 1j * mean[1] * _TURN_STEP)
        centre = _MIDDLE * (1 + 1j)
        shift = centre + (mean[2] + 1j * mean[3]) * _SHIFT_STEP - turn * centre
        found.append((cell >> 19, (complex(turn), complex(shift))))
    return found


def _fitted(
    one: LocalFeatures, other: LocalFeatures, start: tuple[complex, complex]
) -> tuple[complex, complex, int] | None:
    """The similarity of two faces near ``start`` on which most features agree, and how many; None
    where hardly any do."""
    turn, shift = start
    agreeing = 0
    descriptors = one.descriptors(), other.descriptors()
    for near in _NEAR:
        own, their = _alike_near(one.points, other.points, descriptors, turn, shift, near)
        fit = _robust(own, their, turn, shift)
        if fit is None:
            return None
        turn, shift, agreeing = fit
    return (turn, shift, agreeing) if abs(np.log(abs(turn))) < np.log(LARGEST_SCALE) else None


def _alike_near(
    points: Floats32,
    others: Floats32,
    descriptors: tuple[Floats32, Floats32],
    turn: complex,
    shift: complex,
    near: float,
) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """Places of features that are most alike of those near each other under a similarity, in both
    faces."""
    places = points[:, 0].astype(np.complex128) + 1j * points[:, 1]
    targets = others[:, 0].astype(np.complex128) + 1j * others[:, 1]
    carried = turn * places + shift
    x, y = (
        np.subtract.outer(one.astype(np.float32), other.astype(np.float32))
        for one, other in ((carried.real, targets.real), (carried.imag, targets.imag))
    )
    i, j = np.divmod(np.flatnonzero(x * x + y * y < near**2), len(others))
    growth = np.log(others[j, 2] / (points[i, 2] * abs(turn)))
    turned = others[j, 3] - points[i, 3] - np.angle(turn)
    kept = np.abs(growth) < np.log(_LARGER)
    kept &= np.cos(turned) > np.cos(_TURNED)
    i, j = i[kept], j[kept]
    alike = np.einsum("ij,ij->i", descriptors[0][i], descriptors[1][j])
    best, back = np.full(len(points), _ALIKE), np.full(len(others), _ALIKE)
    np.maximum.at(best, i, alike)
    np.maximum.at(back, j, alike)
    both = (alike >= best[i]) & (alike >= back[j])
    return places[i[both]], targets[j[both]]


def _robust(
    own: npt.NDArray[np.complex128],
    their: npt.NDArray[np.complex128],
    turn: complex,
    shift: complex,
) -> tuple[complex, complex, int] | None:
    """The similarity that most matches agree on, from where it nearly is: least squares, again and
    again, with Tukey's weights about it that grow narrower."""
    for step in range(_ROUNDS):
        limit = max(_AGREES, _NEAR[0] * 0.7**step)
        weight = np.clip(1 - (np.abs(turn * own + shift - their) / limit) ** 2, 0, None) ** 2
        total = float(weight.sum())
        if total < 1.5:
            return None
        middle, there = (weight @ own) / total, (weight @ their) / total
        away = own - middle
        amount = float(weight @ np.abs(away) ** 2) + _HELD
        turn = complex(((weight * np.conj(away)) @ (their - there) + _HELD * turn) / amount)
        shift = complex(there - turn * middle)
    return turn, shift, int((np.abs(turn * own + shift - their) < _AGREES).sum())
