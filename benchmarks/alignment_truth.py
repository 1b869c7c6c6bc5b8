"""Rendered faces whose true places are known, and how far found places lie from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from dieindex.alignment.fields import face_to_unit
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.order import TEST_TYPES, VALIDATION_TYPES
from dieindex.mint.photography import photograph, sample_photo, sample_source
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.striking import die_seed, sample_strike, strike
from dieindex.records import FACE_SIZE, FLAN_RADIUS, REVERSE, Circle, Face, Flan, Side

FAILED = 0.06
"""Share of the diameter beyond which a face lies wrong."""
RADIUS = FLAN_RADIUS * FACE_SIZE
MIDDLE = (FACE_SIZE - 1) / 2
_GRID = 64


@dataclass(frozen=True, eq=False)
class Truth:
    """Faces whose place is known: ``homography`` (n, 3, 3) die frame to pixels, ``visible``
    (n, 64, 64) share of the die's work that shows, ``flow`` (n, 64, 64, 2) how far the metal's
    flow moved the die's work from where the homography alone says (die frame), ``dies`` (n,)."""

    faces: list[Face]
    homography: np.ndarray
    visible: np.ndarray
    flow: np.ndarray
    dies: np.ndarray


@dataclass(frozen=True)
class Job:
    """One collection to render and align."""

    seed: int
    difficulty: str
    side: Side
    coins: int
    strays: int
    features: int
    cache: str | None
    validation: bool
    any_rotation: bool = False
    alone: bool = False


def render(job: Job, seed: int, coins: int) -> Truth:
    """Strike and photograph faces of one type, a die for every four of them."""
    difficulty = DIFFICULTIES[job.difficulty]
    rng = np.random.default_rng(
        [seed, job.side == REVERSE, list(DIFFICULTIES).index(job.difficulty)]
    )
    store = DieStore(None if job.cache is None else Path(job.cache))
    types = VALIDATION_TYPES if job.validation else TEST_TYPES
    count = max(1, coins // 4)
    hands = int(rng.integers(2, 6))
    sources = [sample_source(rng, difficulty) for _ in range(5)]
    chance = rng.lognormal(0, 0.7, count)
    dies = rng.choice(count, coins, p=chance / chance.sum())
    faces, homography, visible, flow = [], [], [], []
    for die in dies:
        order = DieOrder(job.side, types[seed], int(die), hand=int(die) % hands)
        relief = store.get(order)
        struck_as = sample_strike(
            rng,
            difficulty,
            float(rng.random()) ** 1.3,
            reverse=job.side == REVERSE,
            die_seed=die_seed(relief.die_key),
            die_depth=relief.depth,
        )
        photo = sample_photo(rng, difficulty, sources[int(rng.integers(len(sources)))])
        height, design = (
            torch.from_numpy(maps)[None, None] for maps in (relief.height, relief.design)
        )
        with torch.inference_mode():
            struck = strike(height, design, [relief.radius], [struck_as], FACE_SIZE)
            taken = photograph(struck, [photo], FACE_SIZE)
        flan = Flan(Circle(MIDDLE, MIDDLE, RADIUS), 1.0, True)
        mask = taken.mask[0, 0].numpy() > 0.5
        faces.append(Face(job.side, taken.pictures()[0], mask, flan))
        homography.append(taken.homography[0])
        shown = taken.visible[0, 0].numpy()
        visible.append(cv2.resize(shown, (_GRID, _GRID), interpolation=cv2.INTER_AREA))
        moved_by = taken.flow[0].permute(1, 2, 0).numpy()
        flow.append(cv2.resize(moved_by, (_GRID, _GRID), interpolation=cv2.INTER_AREA))
    return Truth(faces, np.stack(homography), np.stack(visible), np.stack(flow), dies)


def turned(face: Face, shown: np.ndarray, angle: float) -> tuple[Face, np.ndarray, np.ndarray]:
    """A face turned in its picture by ``angle`` degrees, what it shows likewise, and the map of its
    pixels."""
    size, middle = (FACE_SIZE, FACE_SIZE), (_GRID - 1) / 2
    turn = cv2.getRotationMatrix2D((MIDDLE, MIDDLE), angle, 1.0)
    picture = cv2.warpAffine(
        face.picture, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpAffine(face.mask.astype(np.uint8), turn, size) > 0
    cells = cv2.getRotationMatrix2D((middle, middle), angle, 1.0)
    seen = cv2.warpAffine(shown, cells, (_GRID, _GRID))
    turned_face = Face(face.side, np.asarray(picture, np.uint8), mask, face.flan)
    return turned_face, seen, np.vstack([turn, [0, 0, 1]])


def turned_all(truth: Truth, rng: np.random.Generator) -> Truth:
    """The same faces, each turned by any angle. The metal's flow, small, is left out."""
    angles = rng.uniform(-180, 180, len(truth.faces))
    made = [turned(*each) for each in zip(truth.faces, truth.visible, angles, strict=True)]
    return Truth(
        [face for face, _, _ in made],
        np.stack([turn for _, _, turn in made]) @ truth.homography,
        np.stack([seen for _, seen, _ in made]),
        0 * truth.flow,
        truth.dies,
    )


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points ``(2, m)`` through a homography."""
    out = matrix @ np.vstack([points, np.ones(points.shape[1])])
    return np.asarray(out[:2] / out[2])


def places(shown: np.ndarray) -> np.ndarray:
    """Pixels of a face where its die shows, ``(2, m)``; the whole flan where it hardly does."""
    y, x = np.mgrid[0:_GRID, 0:_GRID] * (FACE_SIZE / _GRID) + (FACE_SIZE / _GRID - 1) / 2
    inside = shown > 0.3
    if inside.sum() < 20:
        inside = np.hypot(x - MIDDLE, y - MIDDLE) < RADIUS
    return np.stack([x[inside], y[inside]])


def displacement(found: np.ndarray, true: np.ndarray, shown: np.ndarray) -> float:
    """Mean distance of two maps of a face over where it shows its die, share of the diameter."""
    at = places(shown)
    return float(np.hypot(*(moved(found, at) - moved(true, at))).mean() / (2 * RADIUS))


def seen_displacement(truth: Truth, maps: list[np.ndarray], a: int, b: int) -> float:
    """Mean distance on face ``a`` between where ``maps`` place the contours of face ``b`` and where
    they are, flow included, share of the diameter."""
    at = places(truth.visible[b])
    on_die = moved(np.linalg.inv(truth.homography[b]), at) + _at(truth.flow[b], at)
    there = moved(truth.homography[a], on_die)
    for _ in range(2):  # the flow is given on the face, and is small and smooth
        there = moved(truth.homography[a], on_die - _at(truth.flow[a], there))
    both = _at(truth.visible[a][..., None], there)[0] > 0.3
    if both.sum() < 20:
        both[:] = True
    found = moved(np.linalg.inv(maps[a]) @ maps[b], at)
    return float(np.hypot(*(found - there))[both].mean() / (2 * RADIUS))


def _at(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Maps of ``_GRID`` cells at pixels of the face, ``(channels, m)``."""
    cells = ((points + 0.5) * (_GRID / FACE_SIZE) - 0.5).astype(np.float32)
    x, y = cells[0][None], cells[1][None]
    planes = values.astype(np.float32)
    taken = cv2.remap(planes, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(taken.reshape(points.shape[1], -1).T)


def same_die_pairs(dies: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of faces of one die."""
    return [(a, b) for b in range(len(dies)) for a in range(b) if dies[a] == dies[b]]


def true_map(truth: Truth, a: int, b: int) -> np.ndarray:
    """Pixels of face ``b`` to pixels of face ``a``."""
    return np.asarray(truth.homography[a] @ np.linalg.inv(truth.homography[b]))


def failed(truth: Truth, maps: list[np.ndarray]) -> np.ndarray:
    """Whether each face lies away from the others of its die, or of its type."""
    turn, away = np.meshgrid(np.linspace(0, 2 * np.pi, 16, endpoint=False), (0.2, 0.5, 0.8))
    points = np.stack([(away * np.cos(turn)).ravel(), (away * np.sin(turn)).ravel()])
    unit = face_to_unit()
    placed = [moved(unit @ m @ h, points) for m, h in zip(maps, truth.homography, strict=True)]
    stack = np.stack(placed)
    of_type = np.median(stack, 0)
    out = np.zeros(len(stack), bool)
    for i, one in enumerate(stack):
        mates = np.flatnonzero(truth.dies == truth.dies[i])
        middle = np.median(stack[mates], 0) if len(mates) >= 4 else of_type
        if np.hypot(*(middle - of_type)).mean() / 2 > 2 * FAILED:
            middle = of_type
        out[i] = min(np.hypot(*(one - m)).mean() / 2 for m in (middle, of_type)) > FAILED
    return out
