"""How well dies of types never trained on are told apart: fixed faces, rendered once.

A validation collection is one type: its faces as the real alignment places them (those that it does
not align are left out), every pair of it judged. All figures are means over collections; easy,
medium and hard stand apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from dieindex.encoder.descriptors import Described, DescriptorNetwork, centred
from dieindex.evaluation.ranking import average_precision, recall_at_k
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.order import VALIDATION_TYPES
from dieindex.records import Floats, Ints
from dieindex.training.augment import PLAIN, AugmentSettings, see
from dieindex.training.rendering import SHARD_SETTINGS, RenderOrder, render
from dieindex.training.shards import Shard, read_shard, shard_files
from dieindex.verification.comparator import Comparator

SEED = 77
K = 20


@dataclass(frozen=True)
class ValidationOrder:
    """Which fixed faces: ``types`` designs, each difficulty with ``dies`` dies of ``strikes``."""

    folder: Path
    types: int = 6
    dies: int = 40
    strikes: int = 3
    first: int = VALIDATION_TYPES.start
    frames: str = "real"


def validation_shards(order: ValidationOrder) -> dict[str, list[Shard]]:
    """The fixed faces by difficulty, rendered where they are not there yet."""
    settings = replace(
        SHARD_SETTINGS,
        dies_per_type=order.dies,
        dies_in_type=order.dies,
        strikes_per_die=order.strikes,
    )
    shards: dict[str, list[Shard]] = {}
    for difficulty in DIFFICULTIES:
        folder = order.folder / f"{difficulty}-{order.dies}x{order.strikes}"
        types = range(order.first, order.first + order.types)
        there = shard_files(folder) if folder.is_dir() else []
        render(
            RenderOrder(
                folder,
                SEED,
                first=len(there),
                types=types,
                settings=replace(settings, difficulty=difficulty),
                frames=order.frames,
            ),
            shards=max(0, order.types - len(there)),
        )
        shards[difficulty] = [read_shard(path) for path in shard_files(folder)[: order.types]]
    return shards


@dataclass(frozen=True)
class Scores:
    """Of one way of comparing, over all pairs of one collection."""

    ap: float
    """Average precision, 0…1."""
    recall: float
    """Recall@20, 0…1."""
    chance: float
    """Share of same-die pairs: the AP of a ranking that knows nothing."""


def score(similarity: Floats, die: Ints) -> Scores:
    """Scores of a similarity matrix (n, n); NaN entries are pairs that were not compared, which
    must be different-die pairs sampled at random: the others then stand for them. (Average
    precision comes out a little too high so, since the few best negatives are easily missed.)"""
    first, second = np.triu_indices(len(die), 1)
    values, same = similarity[first, second], die[first] == die[second]
    known = ~np.isnan(values)
    missing = (~same).sum() / max((~same & known).sum(), 1)
    weights = np.where(same, 1.0, missing)[known]
    ap = average_precision(values[known], same[known], weights)
    whole = bool(known.all())
    recall = recall_at_k(_filled(similarity), die.tolist(), K) if whole else float("nan")
    return Scores(ap, recall, float(same.mean()))


def _filled(similarity: Floats) -> Floats:
    """The diagonal plays no part, but must be numbers."""
    out = similarity.copy()
    np.fill_diagonal(out, 0.0)
    return out


def mean_scores(scores: list[Scores]) -> Scores:
    """The mean over collections."""
    return Scores(
        *(float(np.mean([getattr(s, name) for s in scores])) for name in Scores.__annotations__)
    )


# -------------------------------------------------------------------------------- the network's own


def describe_shard(
    network: DescriptorNetwork,
    shard: Shard,
    seed: int,
    *,
    device: str = "cpu",
    amp: bool = False,
    settings: AugmentSettings = PLAIN,
) -> Described:
    """A collection as the network describes it; what ``settings`` change is fixed by ``seed``."""
    generator = torch.Generator().manual_seed(seed)
    seen = see(shard, settings, generator, network.config.input_size, device)
    parts = []
    with torch.inference_mode(), torch.autocast(device.split(":")[0], torch.bfloat16, enabled=amp):
        for start in range(0, len(seen), 16):
            parts.append(network(seen.faces[start : start + 16]))
    return Described(
        torch.cat([p.descriptors for p in parts]),
        torch.cat([p.reliability for p in parts]),
        torch.cat([p.raw for p in parts]),
    )


def vector_similarity(described: Described, *, less_mean: bool) -> Floats:
    """Cosines of the vectors, with the collection's mean taken off or not."""
    one = torch.zeros(len(described.raw), dtype=torch.long, device=described.raw.device)
    vectors = centred(described.vectors, one) if less_mean else described.vectors
    return _floats(vectors @ vectors.T)


def dense_similarity(described: Described) -> Floats:
    """Cosines of all dense descriptors of a face as one long vector, weighted by reliability, the
    collection's mean taken off."""
    flat = (described.descriptors * described.reliability).flatten(1)
    flat = F.normalize(flat - flat.mean(0), dim=1)
    return _floats(flat @ flat.T)


def compared_similarity(
    comparator: Comparator,
    described: Described,
    die: Ints,
    *,
    negatives: int | None = None,
    seed: int = 0,
    amp: bool = False,
) -> Floats:
    """The comparator's logits. With ``negatives`` only so many different-die pairs are compared,
    sampled at random, the rest being NaN; without, all pairs, both ways."""
    n = len(die)
    first, second = np.triu_indices(n, 1)
    if negatives is not None:
        same = die[first] == die[second]
        others = np.flatnonzero(~same)
        sample = np.random.default_rng(seed).choice(others, min(negatives, len(others)), False)
        rows = np.concatenate([np.flatnonzero(same), sample])
        first, second = first[rows], second[rows]
    out = np.full((n, n), np.nan)
    device = described.raw.device
    judge = comparator if negatives is not None else None
    edges = [*range(0, len(first), 32), len(first)]
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
        for start, end in pairwise(edges):
            a = torch.from_numpy(first[start:end]).to(device)
            b = torch.from_numpy(second[start:end]).to(device)
            pair = (
                described.descriptors[a],
                described.descriptors[b],
                described.reliability[a],
                described.reliability[b],
            )
            logits = judge(*pair).logit if judge is not None else comparator.both_ways(*pair)
            out[first[start:end], second[start:end]] = _floats(logits)
    return np.where(np.isnan(out), out.T, out)


def _floats(values: Tensor) -> Floats:
    return values.float().cpu().numpy().astype(np.float64)


WAYS = ("vector", "vector_less_mean", "dense_less_mean", "comparator")


def validate(
    network: DescriptorNetwork,
    comparator: Comparator,
    shards: dict[str, list[Shard]],
    *,
    device: str = "cpu",
    amp: bool = False,
    negatives: int | None = 400,
    compare: bool = True,
) -> dict[str, dict[str, Scores]]:
    """Scores by difficulty and way. ``negatives`` as in ``compared_similarity``: None looks at all
    pairs, which alone gives the comparator's recall. Without ``compare`` the comparator is left
    out."""
    training = network.training, comparator.training
    network.eval()
    comparator.eval()
    result: dict[str, dict[str, Scores]] = {}
    for difficulty, collections in shards.items():
        ways: dict[str, list[Scores]] = {way: [] for way in WAYS}
        for number, shard in enumerate(collections):
            described = describe_shard(network, shard, SEED + number, device=device, amp=amp)
            similarities = [
                vector_similarity(described, less_mean=False),
                vector_similarity(described, less_mean=True),
                dense_similarity(described),
            ]
            if compare:
                compared = compared_similarity(
                    comparator, described, shard.die, negatives=negatives, seed=number, amp=amp
                )
                similarities.append(compared)
            for way, similarity in zip(WAYS, similarities, strict=False):
                ways[way].append(score(similarity, shard.die))
        result[difficulty] = {way: mean_scores(scores) for way, scores in ways.items() if scores}
    network.train(training[0])
    comparator.train(training[1])
    return result
