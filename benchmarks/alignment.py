"""How exactly, how surely and how fast faces are aligned, against the mint's true places.

    python benchmarks/alignment.py --types 42 --coins 40
    python benchmarks/alignment.py --types 6 --features 40      # also pairwise features, slow
    python benchmarks/alignment.py --types 6 --any-rotation     # faces turned by any angle
    python benchmarks/alignment.py --types 42 --alone           # no encoder judges doubtful faces

Each type is a collection by itself: ``--coins`` faces of one test type and ``--strays`` faces of
other types, cut as the mint's stream cuts them. A pair of faces of one die is right where aligning
one to the other differs from the truth by at most 2 % of the diameter, in the mean over the die's
visible area; quantiles are over all pairs of a difficulty. Beside the plain distance (``away``),
which takes the die's homography for the truth, stands that of what the metal's flow made of it,
over the area both show (``seen``): no homography undoes the flow. A face has failed where it lies
more than 6 % from the median place of its die (of its type, where the die has fewer than four
faces); a stray fails always, unless it is marked or in a type without the collection's. Intervals
are over types. Run from the root of the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
import torch

from dieindex.alignment.align import align_faces
from dieindex.alignment.fields import face_to_unit
from dieindex.alignment.result import Alignment, Alignments
from dieindex.encoder.encode import Encoder
from dieindex.evaluation.intervals import mean_interval
from dieindex.evaluation.matcher import load_matcher
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.order import TEST_TYPES, VALIDATION_TYPES
from dieindex.mint.photography import photograph, sample_photo, sample_source
from dieindex.mint.store import DieOrder, DieStore
from dieindex.mint.striking import die_seed, sample_strike, strike
from dieindex.records import FACE_SIZE, FLAN_RADIUS, OBVERSE, REVERSE, Circle, Face, Flan, Side

RIGHT = 0.02
FAILED = 0.06
RADIUS = FLAN_RADIUS * FACE_SIZE
MIDDLE = (FACE_SIZE - 1) / 2
_GRID = 64
_QUANTILES = (0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


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


def by_features(truth: Truth, pairs: list[tuple[int, int]], method: str) -> tuple[float, float]:
    """Share of right pairs, and milliseconds a pair, of matched features and MAGSAC++."""
    start = time.process_time()
    features = load_matcher(method).describe([face.picture for face in truth.faces])
    matcher = cv2.BFMatcher(cv2.NORM_L2, crossCheck=True)
    right = 0
    for a, b in pairs:
        matches = matcher.match(features[b].descriptors, features[a].descriptors)
        if len(matches) < 4:
            continue
        scale = FACE_SIZE / 400
        source = np.array([features[b].points[m.queryIdx] for m in matches]) * scale
        target = np.array([features[a].points[m.trainIdx] for m in matches]) * scale
        found, _ = cv2.findHomography(source, target, cv2.USAC_MAGSAC, 2.0, maxIters=2000)
        if found is not None:
            right += displacement(found, true_map(truth, a, b), truth.visible[b]) <= RIGHT
    return right / max(len(pairs), 1), (time.process_time() - start) / max(len(pairs), 1) * 1e3


def measure(job: Job) -> dict[str, Any]:
    """Render one collection, align it, compare with the truth."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    truth = render(job, job.seed, job.coins)
    strays: list[Face] = []
    for k in range(job.strays):  # each of a type of its own, far from the seeds in use
        strays += render(job, 50_000 + 97 * job.seed + k, 1).faces
    if job.any_rotation:
        rng = np.random.default_rng([job.seed, 1])
        truth = turned_all(truth, rng)
        strays = [turned(f, truth.visible[0], rng.uniform(-180, 180))[0] for f in strays]
    order = np.random.default_rng(job.seed).permutation(job.coins + job.strays)
    mixed = [(truth.faces + strays)[i] for i in order]
    vectorise = None if job.alone else partial(Encoder.load(device="cpu").encode, fill=True)
    start = time.process_time()
    result = align_faces(mixed, any_rotation=job.any_rotation, vectorise=vectorise)
    spent = (time.process_time() - start) / len(mixed)
    alignments = [result.faces[i] for i in np.argsort(order)]
    return _compared(job, truth, result, alignments, spent)


def _compared(
    job: Job, truth: Truth, result: Alignments, alignments: list[Alignment], spent: float
) -> dict[str, Any]:
    own, others = alignments[: job.coins], alignments[job.coins :]
    maps = [each.to_frame for each in own]
    pairs = same_die_pairs(truth.dies)
    wrong = {
        (a, b): displacement(
            np.linalg.inv(maps[a]) @ maps[b], true_map(truth, a, b), truth.visible[b]
        )
        for a, b in pairs
    }
    # Two faces in different frames have no place against each other: not right.
    right = [wrong[a, b] <= RIGHT and own[a].type == own[b].type for a, b in pairs]
    anyhow = [value <= RIGHT for value in wrong.values()]
    aligned = [
        ok for ok, (a, b) in zip(right, pairs, strict=True) if own[a].aligned and own[b].aligned
    ]
    centred = [displacement(np.eye(3), true_map(truth, a, b), truth.visible[b]) for a, b in pairs]
    types = [each.type for each in own if each.aligned]
    main = max(set(types), key=types.count) if types else -1
    is_failed = np.concatenate([failed(truth, maps), np.ones(len(others), bool)])
    marked = np.array(
        [not each.aligned for each in own]
        + [not each.aligned or each.type != main for each in others]
    )
    scores: dict[str, Any] = {
        "difficulty": job.difficulty,
        "seed": job.seed,
        "side": job.side,
        "pairs": len(pairs),
        "away": list(wrong.values()),
        "seen": [seen_displacement(truth, maps, a, b) for a, b in pairs],
        "right": float(np.mean(anyhow)),
        "right_same_frame": float(np.mean(right)),
        "right_of_aligned": float(np.mean(aligned)) if aligned else 0.0,
        "flan_centre": float(np.mean([value <= RIGHT for value in centred])),
        "frames": len(result.frames),
        "own": [
            int((is_failed & marked)[: job.coins].sum()),
            int(is_failed[: job.coins].sum()),
            int(marked[: job.coins].sum()),
        ],
        "all": [int((is_failed & marked).sum()), int(is_failed.sum()), int(marked.sum())],
        "milliseconds": spent * 1e3,
    }
    if job.features:
        some = [pairs[i] for i in np.random.default_rng(0).permutation(len(pairs))[: job.features]]
        for method in ("sift", "xfeat"):
            scores[method], scores[f"{method}_milliseconds"] = by_features(truth, some, method)
        scores["right_on_these"] = float(np.mean([wrong[pair] <= RIGHT for pair in some]))
    return scores


def _line(name: str, rows: list[dict[str, Any]]) -> str:
    right = [row["right"] for row in rows]
    interval = mean_interval(right)
    around = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""

    def recognised(key: str) -> str:
        hits, failures, marks = (sum(row[key][k] for row in rows) for k in range(3))
        return (
            f"precision {hits / marks if marks else float('nan'):.2f} "
            f"recall {hits / failures if failures else float('nan'):.2f} of {failures}"
        )

    text = (
        f"{name:8} {len(rows):3} types | right pairs {np.mean(right):.3f}{around}, in one frame "
        f"{np.mean([row['right_same_frame'] for row in rows]):.3f}, both marked aligned "
        f"{np.mean([row['right_of_aligned'] for row in rows]):.3f}, flan centre only "
        f"{np.mean([row['flan_centre'] for row in rows]):.3f} | types with 0.7 "
        f"{np.mean([r >= 0.7 for r in right]):.2f} | failures: own {recognised('own')}, with "
        f"strays {recognised('all')} | "
        f"{np.mean([row['milliseconds'] for row in rows]):.0f} ms a face"
    )
    if "sift" in rows[0]:
        text += " | on the same pairs: aligned {:.3f}, SIFT {:.3f}, XFeat {:.3f}".format(
            *(np.mean([row[k] for row in rows]) for k in ("right_on_these", "sift", "xfeat"))
        )
    return text


def _quantiles(name: str, rows: list[dict[str, Any]]) -> str:
    """How far apart same-die pairs lie, per cent of the diameter."""
    text = f"{name:8} per cent of the diameter at " + "/".join(f"{q:.0%}" for q in _QUANTILES)
    for key in ("away", "seen"):
        values = np.quantile(np.concatenate([row[key] for row in rows]), _QUANTILES) * 100
        text += f" | {key} " + " ".join(f"{v:.2f}" for v in values)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", type=int, default=42)
    parser.add_argument("--coins", type=int, default=40)
    parser.add_argument("--strays", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--features", type=int, default=0, help="pairs a type matched by features")
    parser.add_argument("--validation", action="store_true", help="types of validation, not test")
    parser.add_argument(
        "--any-rotation", action="store_true", help="faces turned by any angle, all turns searched"
    )
    parser.add_argument("--alone", action="store_true", help="without the encoder")
    parser.add_argument("--cache", help="folder for engraved dies")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write every type's figures as JSON")
    given = parser.parse_args()
    levels = list(DIFFICULTIES)
    jobs = [
        Job(
            seed=given.first_seed + k,
            difficulty=levels[k % 3],
            side=OBVERSE if k // 3 % 2 else REVERSE,
            coins=given.coins,
            strays=given.strays,
            features=given.features,
            cache=given.cache,
            validation=given.validation,
            any_rotation=given.any_rotation,
            alone=given.alone,
        )
        for k in range(given.types)
    ]
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.jobs) as pool:
        for row in pool.map(measure, jobs):
            rows.append(row)
            print(
                f"{row['difficulty']:6} {row['side']:7} {row['seed']:4}: right {row['right']:.3f}, "
                f"frames {row['frames']}, own failed/marked {row['own'][1]}/{row['own'][2]}, "
                f"{row['milliseconds']:.0f} ms",
                file=sys.stderr,
                flush=True,
            )
    for level in levels:
        some = [row for row in rows if row["difficulty"] == level]
        if some:
            print(_line(level, some))
    print(_line("all", rows))
    for level in [*levels, "all"]:
        some = [row for row in rows if level in (row["difficulty"], "all")]
        if some:
            print(_quantiles(level, some))
    if given.out is not None:
        given.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
