"""Labelled faces of a real collection, split by die, and how well the held-out dies are told apart.

Faces are judged as an index judges them: aligned to their frames, the frame's mean taken off their
vectors. All pairs of held-out faces of one frame count; the comparator judges a sample of those
of different dies, which then stand for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from dieindex.alignment.warping import unit_to_frame
from dieindex.encoder.competition import all_less_shared
from dieindex.encoder.descriptors import Described, DescriptorNetwork
from dieindex.evaluation.intervals import die_replicates
from dieindex.evaluation.ranking import average_precision
from dieindex.mint.relief import RELIEF_SPAN
from dieindex.records import SIDES, Face, Flags, Floats, Floats32, Ints
from dieindex.training.augment import PLAIN
from dieindex.training.shards import POOL_SIZE, TRUTH_SIZE, Shard
from dieindex.training.validation import WAYS, compared_similarity, describe_shard
from dieindex.verification.comparator import Comparator

JUDGED_BY = ("vector_less_mean", "comparator")
"""Ways of comparing whose mean average precision decides what is better; the vector alone where the
weights have no comparator."""
_FRAMES_A_SIDE = 100_000
_NEGATIVES = 500
_AT_ONCE = 128


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """A face, where it lies (``to_frame`` (3, 3): its pixels to those of its frame, ``frame`` the
    frame's number on its side), and the die that a person gave it."""

    face: Face
    to_frame: npt.NDArray[np.floating]
    frame: int
    die: str


def labelled_shard(faces: Sequence[LabelledFace]) -> Shard:
    """Labelled faces as training takes them: warped to their frames, which stand for the die frame.

    Nothing is known of where the die shows or how the metal flowed; a shard's maps of it say
    "everywhere" and "nowhere".
    """
    scale, middle = POOL_SIZE / (2 * RELIEF_SPAN), (POOL_SIZE - 1) / 2
    to_pool = np.array([[scale, 0, middle], [0, scale, middle], [0, 0, 1.0]])
    to_pool = to_pool @ np.linalg.inv(unit_to_frame())
    size = (POOL_SIZE, POOL_SIZE)
    pictures = np.zeros((len(faces), 2, POOL_SIZE, POOL_SIZE), np.uint8)
    for row, each in zip(pictures, faces, strict=True):
        grey = cv2.cvtColor(each.face.picture, cv2.COLOR_RGB2GRAY)
        matrix = to_pool @ np.asarray(each.to_frame, np.float64)
        row[0] = cv2.warpPerspective(grey, matrix, size, flags=cv2.INTER_LINEAR)
        row[1] = 255 * cv2.warpPerspective(
            each.face.mask.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST
        )
    count = len(faces)
    sides = np.array([SIDES.index(each.face.side) for each in faces], np.int64)
    names = [f"{each.face.side} {each.die}" for each in faces]
    _, die = np.unique(names, return_inverse=True) if names else ([], np.zeros(0))
    return Shard(
        picture=pictures,
        visible=np.full((count, TRUTH_SIZE, TRUTH_SIZE), 255, np.uint8),
        flow=np.zeros((count, 2, TRUTH_SIZE, TRUTH_SIZE), np.float16),
        die=die.astype(np.int64),
        type=sides * _FRAMES_A_SIDE + np.array([each.frame for each in faces], np.int64),
        frame=np.repeat(np.eye(3, dtype=np.float32)[None], count, 0),
    )


def split_dies(shard: Shard, share: float, seed: int) -> Flags:
    """``(n,)``: the faces of the dies that are held out, with about ``share`` of the same-die
    pairs, and of the dies known from one face."""
    rng = np.random.default_rng(seed)
    names, count = np.unique(shard.die, return_counts=True)
    order = rng.permutation(len(names))
    order = order[np.argsort(-count[order], kind="stable")]
    chosen, held, whole = [], 0.0, 0.0
    for place in order:
        # Single faces count a little, so that they are split alike when pairs have been.
        load = count[place] * (count[place] - 1) / 2 + 1e-3
        whole += load
        if held + load / 2 <= share * whole:
            chosen.append(names[place])
            held += load
    return np.isin(shard.die, chosen)


@dataclass(frozen=True, eq=False)
class Watched:
    """Pairs of held-out faces of one frame as one encoder sees them: ``die_a``, ``die_b`` (m,),
    ``frame`` (m,), and by way of comparing ``values`` (m,), NaN for pairs not compared."""

    die_a: Ints
    die_b: Ints
    frame: Ints
    values: dict[str, Floats]
    judged_by: tuple[str, ...] = JUDGED_BY

    def precision(self, weights: Floats | None = None) -> dict[str, float]:
        """Average precision by way of comparing, mean over frames by their same-die pairs.

        ``weights`` ``(dies,)`` count a die several times (dies in the order of ``names``).
        """
        same = self.die_a == self.die_b
        pair = np.ones(len(same))
        if weights is not None:
            names = self.names
            a = weights[np.searchsorted(names, self.die_a)]
            pair = np.where(same, a, a * weights[np.searchsorted(names, self.die_b)])
        found = {}
        for way, values in self.values.items():
            total, mass = 0.0, 0.0
            if np.isnan(values).all():  # a way that these weights do not have
                continue
            for frame in np.unique(self.frame):
                rows = self.frame == frame
                own = float(pair[rows & same].sum())
                if own > 0:
                    total += own * _precision(values[rows], same[rows], pair[rows])
                    mass += own
            found[way] = total / mass if mass else float("nan")
        return found

    @property
    def names(self) -> Ints:
        """The held-out dies, in rising order."""
        return np.unique(np.concatenate([self.die_a, self.die_b]))

    def merit(self, weights: Floats | None = None) -> float:
        """What "better" means: the mean average precision of the ways it is judged by."""
        found = self.precision(weights)
        return float(np.mean([found[way] for way in self.judged_by]))

    def __str__(self) -> str:
        return "  ".join(f"{way} AP {ap:.3f}" for way, ap in self.precision().items())


def _precision(values: Floats, same: Flags, pair: Floats) -> float:
    known = ~np.isnan(values)
    stands_for = np.where(same, 1.0, (~same).sum() / max((~same & known).sum(), 1))
    return average_precision(values[known], same[known], (stands_for * pair)[known])


def watch(
    network: DescriptorNetwork,
    comparator: Comparator,
    shard: Shard,
    held: Flags,
    device: str = "cpu",
    judged_by: tuple[str, ...] = JUDGED_BY,
) -> Watched:
    """Compare the held-out faces frame by frame; the others only lend their frame its mean."""
    training = network.training, comparator.training
    network.eval()
    comparator.eval()
    parts: list[tuple[Ints, ...]] = []
    values: dict[str, list[Floats]] = {way: [] for way in WAYS}
    for frame in np.unique(shard.type[held]):
        rows = np.flatnonzero(shard.type == frame)
        own = held[rows]
        described, raw = _described(network, shard.take(rows), own, device)
        die = shard.die[rows][own]
        first, second = np.triu_indices(len(die), 1)
        if not len(first):
            continue
        # Whatever the distance, the faces of one frame count as of one type here.
        less = all_less_shared(raw[own], 2.0, raw)
        compared = np.full((len(die), len(die)), np.nan)
        if "comparator" in judged_by:
            compared = compared_similarity(comparator, described, die, negatives=_NEGATIVES)
        tables = (raw[own] @ raw[own].T, less @ less.T, _dense(described), compared)
        for way, table in zip(WAYS, tables, strict=True):
            values[way].append(table[first, second].astype(np.float64))
        parts.append((die[first], die[second], np.full(len(first), frame)))
    network.train(training[0])
    comparator.train(training[1])
    a, b, frames = (np.concatenate(each) for each in zip(*parts, strict=True))
    whole = {way: np.concatenate(each) for way, each in values.items()}
    return Watched(a, b, frames, whole, judged_by)


def _described(
    network: DescriptorNetwork, shard: Shard, held: Flags, device: str
) -> tuple[Described, Floats32]:
    """The held-out faces whole, and the unit vectors of all; a few at a time, for memory."""
    kept: list[Described] = []
    vectors = []
    for start in range(0, len(shard), _AT_ONCE):
        some = slice(start, min(start + _AT_ONCE, len(shard)))
        part = describe_shard(
            network,
            shard.take(np.arange(some.start, some.stop)),
            0,
            device=device,
            settings=PLAIN,
        )
        vectors.append(part.vectors.float().cpu().numpy())
        own = torch.from_numpy(np.flatnonzero(held[some])).to(part.raw.device)
        kept.append(Described(part.descriptors[own], part.reliability[own], part.raw[own]))
    whole = Described(
        torch.cat([each.descriptors for each in kept]),
        torch.cat([each.reliability for each in kept]),
        torch.cat([each.raw for each in kept]),
    )
    return whole, np.concatenate(vectors)


def _dense(described: Described) -> Floats:
    """Cosines of the dense descriptors, weighted by reliability, the mean of all taken off."""
    flat = (described.descriptors * described.reliability).flatten(1)
    flat = F.normalize(flat - flat.mean(0), dim=1)
    return (flat @ flat.T).double().cpu().numpy()


def better_share(one: Watched, other: Watched, seed: int, replicates: int = 300) -> float:
    """Share of the resamples of the held-out dies in which ``one`` has more merit, 0…1; 0 with
    fewer than ten dies."""
    names = one.names
    found = die_replicates(
        names.tolist(), lambda w: [one.merit(w) - other.merit(w)], replicates, seed
    )
    if found is None:
        return 0.0
    difference = found[np.isfinite(found)]
    return float((difference > 0).mean()) if len(difference) else 0.0
