"""Which faces of a frame the encoder takes for strikes of one die, and settling on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dieindex.encoder.competition import competitors_of, less_shared
from dieindex.records import Face, Ints, Vectors

if TYPE_CHECKING:
    from dieindex.alignment.affine import Matrix
    from dieindex.alignment.finish import Ground
    from dieindex.encoder.encode import Encoder

FEWEST = 6
"""Among fewer faces of a frame likeness has no usual to stand out from: they stay in place."""
_MOST = 12
_SAMPLE = 512
"""Faces from which the usual likeness on a frame is taken."""
_SHARPNESS = 0.7
_CLEARLY_LIKE = 2.0
"""Standard deviations above the usual from which the likest face counts in full; one a standard
deviation less like counts exp(−0.7) of it."""
_BLOCK = 1024


def neighbours_of(
    vectors: Vectors, moving: Sequence[int] | Ints
) -> dict[int, list[tuple[int, float]]]:
    """For each of the faces ``moving`` of ONE frame those most like it, and how much each counts.

    ``vectors`` ``(n, dimension)``: unit vectors less what faces of the type share. No entry where
    the frame has fewer than ``FEWEST`` faces.
    """
    if len(vectors) < FEWEST:
        return {}
    middle, spread = _usual(vectors)
    rows = np.asarray(moving, np.int64)
    found: dict[int, list[tuple[int, float]]] = {}
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        alike = vectors[block] @ vectors.T
        alike[np.arange(len(block)), block] = -np.inf
        kept = min(_MOST, len(vectors) - 1)
        nearest = np.argpartition(-alike, kept - 1, axis=1)[:, :kept]
        for row, face in enumerate(block.tolist()):
            others = np.sort(nearest[row])
            beyond = (alike[row, others] - middle) / spread
            weight = np.exp(_SHARPNESS * (beyond - max(float(beyond.max()), _CLEARLY_LIKE)))
            found[face] = list(zip(others.tolist(), weight.tolist(), strict=True))
    return found


def _usual(vectors: Vectors) -> tuple[float, float]:
    """Median and robust standard deviation of the likeness of two faces of a frame."""
    some = vectors[np.unique(np.linspace(0, len(vectors) - 1, _SAMPLE).astype(int))]
    first, second = np.triu_indices(len(some), 1)
    alike = (some @ some.T)[first, second]
    middle = float(np.median(alike))
    return middle, 1.4826 * float(np.median(np.abs(alike - middle))) + 1e-6


def settled(
    encoder: Encoder,
    faces: Sequence[Face],
    places: Sequence[Matrix | None],
    frame: Sequence[int],
    grounds: Mapping[int, Ground],
    radius: float,
) -> tuple[list[Matrix | None], Vectors]:
    """A whole collection's faces of one side settled: their places, and their raw vectors there.

    ``places`` and ``frame`` are those of the alignment (None and −1 for a face on no frame),
    ``grounds`` the means of the frames, ``radius`` the distance within which faces compete
    (``EncoderCard.type_radius``). What a build does step by step, for collections in memory.
    """
    from dieindex.alignment.refinement import STEPS, ends_round, settle

    now = list(places)
    raw = encoder.encode(faces, now, fill=True)
    number = np.asarray(frame)
    near: dict[int, dict[int, list[tuple[int, float]]]] = {}
    for step in range(STEPS):
        for one, ground in grounds.items():
            rows = np.flatnonzero(number == one)
            if step == 0 or ends_round(step - 1):
                competing = competitors_of(raw[rows])
                apart = [less_shared(each, competing, radius) for each in raw[rows]]
                near[one] = neighbours_of(np.stack(apart), range(len(rows))) if apart else {}
            there = {k: now[i] for k, i in enumerate(rows.tolist())}
            known = {k: place for k, place in there.items() if place is not None}
            shown = {k: faces[i] for k, i in enumerate(rows.tolist())}
            if near[one]:
                for k, place in settle(step, shown, known, near[one], ground).items():
                    now[rows[k]] = place
        if ends_round(step):
            raw = encoder.encode(faces, now, fill=True)
    return now, raw
