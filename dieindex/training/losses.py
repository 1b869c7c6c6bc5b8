"""Losses in small parts: of unit vectors with die labels, of displacements, and of verdicts.

Every loss of vectors takes ``vectors`` (B, d) of unit length and ``die`` (B,) integers, is the same
in any order of the faces, and is 0 (or near it, for those built on logarithms) where faces of a die
coincide and dies lie far apart. Batches hold dies of ONE type: then every negative is a hard one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from dieindex.verification.comparator import REACH

VectorLoss = Callable[[Tensor, Tensor], Tensor]


def _distances(vectors: Tensor) -> Tensor:
    """Euclidean distances (B, B) of unit vectors, with a gradient that stays finite at 0."""
    return (2 - 2 * vectors @ vectors.T).clamp(min=1e-9).sqrt()


def _kinds(die: Tensor) -> tuple[Tensor, Tensor]:
    """Masks (B, B) of the other faces of one's die, and of faces of other dies."""
    same = die[:, None] == die[None, :]
    itself = torch.eye(len(die), dtype=torch.bool, device=die.device)
    return same & ~itself, ~same


def contrastive(vectors: Tensor, die: Tensor, margin: float = 1.0) -> Tensor:
    """Hadsell, Chopra and LeCun 2006: mean d² of same-die pairs plus mean max(0, margin − d)² of
    the others, each kind with equal weight since one is rare."""
    distance = _distances(vectors)
    same, different = _kinds(die)
    pull = distance[same].square()
    push = (margin - distance[different]).clamp(min=0).square()
    return _mean(pull, vectors) + _mean(push, vectors)


def batch_hard_triplet(vectors: Tensor, die: Tensor, margin: float = 0.3) -> Tensor:
    """Hermans, Beyer and Leibe 2017: each face's farthest like against its nearest unlike."""
    distance = _distances(vectors)
    same, different = _kinds(die)
    usable = same.any(1) & different.any(1)
    farthest = distance.masked_fill(~same, -torch.inf).amax(1)[usable]
    nearest = distance.masked_fill(~different, torch.inf).amin(1)[usable]
    return _mean((farthest - nearest + margin).clamp(min=0), vectors)


def multi_similarity(
    vectors: Tensor,
    die: Tensor,
    alpha: float = 2.0,
    beta: float = 40.0,
    base: float = 0.5,
    margin: float = 0.1,
) -> Tensor:
    """Wang et al. 2019: pairs within ``margin`` of a face's hardest opposite are mined, then
    weighted by how they compare with ``base`` and with each other."""
    similarity = vectors @ vectors.T
    same, different = _kinds(die)
    hardest_same = similarity.masked_fill(~same, torch.inf).amin(1, keepdim=True)
    hardest_different = similarity.masked_fill(~different, -torch.inf).amax(1, keepdim=True)
    pulled = same & (similarity - margin < hardest_different)
    pushed = different & (similarity + margin > hardest_same)
    pull = _log_sum(-alpha * (similarity - base), pulled) / alpha
    push = _log_sum(beta * (similarity - base), pushed) / beta
    return _mean(pull + push, vectors)


def _log_sum(exponents: Tensor, chosen: Tensor) -> Tensor:
    """log(1 + Σ exp) over the chosen of each row, (B,)."""
    inside = exponents.masked_fill(~chosen, -torch.inf)
    return torch.logsumexp(F.pad(inside, (1, 0)), 1)


def supervised_contrastive(vectors: Tensor, die: Tensor, temperature: float = 0.1) -> Tensor:
    """Khosla et al. 2020 (the form with the sum outside): each like is to be picked out among all
    other faces of the batch."""
    same, different = _kinds(die)
    logits = vectors @ vectors.T / temperature
    log_share = logits - torch.logsumexp(
        logits.masked_fill(~(same | different), -torch.inf), 1, keepdim=True
    )
    usable = same.any(1)
    mean = (log_share * same).sum(1)[usable] / same.sum(1)[usable]
    return -_mean(mean, vectors)


def arcface(vectors: Tensor, die: Tensor, margin: float = 0.3, scale: float = 16.0) -> Tensor:
    """Deng et al. 2019 where dies come and go: cross-entropy over dies, the angle to one's own
    widened by ``margin`` (radians). A die's centre is the mean of its faces in the batch, but for
    the face itself, which would otherwise pull its own centre along. Dies need two faces."""
    names, which, count = torch.unique(die, return_inverse=True, return_counts=True)
    members = F.one_hot(which, len(names)).to(vectors.dtype)
    sums = members.T @ vectors
    cosine = vectors @ F.normalize(sums, dim=1).T
    others = F.normalize(sums[which] - vectors, dim=1)
    own = (vectors * others).sum(1, keepdim=True).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = torch.acos(own) + margin
    # Beyond π the cosine would rise again; there it goes on falling in a straight line.
    widened = torch.where(angle < torch.pi, torch.cos(angle), -2 - own)
    usable = count[which] > 1
    logits = scale * cosine.scatter(1, which[:, None], widened)
    return F.cross_entropy(logits[usable], which[usable]) if usable.any() else vectors.sum() * 0


VECTOR_LOSSES: dict[str, VectorLoss] = {
    "contrastive": contrastive,
    "triplet": batch_hard_triplet,
    "multi_similarity": multi_similarity,
    "supervised_contrastive": supervised_contrastive,
    "arcface": arcface,
}


def within_types(loss: VectorLoss, vectors: Tensor, die: Tensor, group: Tensor) -> Tensor:
    """A loss of vectors, mean over types: faces of other types are no negatives."""
    parts = [loss(vectors[group == one], die[group == one]) for one in torch.unique(group)]
    return torch.stack(parts).mean()


def displacement_loss(costs: Tensor, displacement: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of a cost volume against the true displacement of same-die pairs.

    ``costs`` (P, SHIFTS, H, W) as of ``comparator.cost_volume``, scaled; ``displacement``
    (P, 2, H, W) cells (x, y); ``weight`` (P, 1, H, W). The true place lies between cells: its four
    neighbours share the target (bilinear). Cells whose like is beyond reach do not count.
    """
    span = 2 * REACH + 1
    x, y = displacement[:, 0] + REACH, displacement[:, 1] + REACH
    reached = (x >= 0) & (x <= span - 1) & (y >= 0) & (y <= span - 1)
    x, y = x.clamp(0, span - 1), y.clamp(0, span - 1)
    left, top = x.floor().clamp(max=span - 2), y.floor().clamp(max=span - 2)
    log_share = torch.log_softmax(costs.float(), 1)
    expected = torch.zeros_like(x)
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        part = (1 - (x - left - dx).abs()) * (1 - (y - top - dy).abs())
        place = ((top + dy) * span + left + dx).long()
        expected = expected + part * log_share.gather(1, place[:, None]).squeeze(1)
    w = weight.squeeze(1) * reached
    return -(expected * w).sum() / w.sum().clamp(min=1.0)


def verdict_loss(logit: Tensor, same: Tensor) -> Tensor:
    """Binary cross-entropy, same-die and different-die pairs with equal weight in all.

    ``logit`` (P,), ``same`` (P,) bool.
    """
    each = F.binary_cross_entropy_with_logits(logit, same.to(logit.dtype), reduction="none")
    kinds = [each[same], each[~same]]
    return torch.stack([_mean(kind, logit) for kind in kinds if len(kind)]).mean()


def _mean(values: Tensor, like: Tensor) -> Tensor:
    """Mean; 0 (still joined to the graph) where there is nothing to average."""
    return values.mean() if values.numel() else like.sum() * 0
