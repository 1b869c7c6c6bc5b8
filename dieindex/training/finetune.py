"""Fine-tune the encoder on a person's own coins whose dies are known.

The dies are split: on most of them the network goes on learning, from the shipped weights, gently;
on the others it is watched, and stopped when it no longer gets better on them. Whether the result
is better than the shipped encoder is decided on those others too, by resampling them: where that is
not clear, the shipped encoder stays. Dies that are watched have helped to choose the moment to
stop, so what is reached on them flatters a little; that is why a bare gain is not enough.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dieindex.encoder.descriptor_config import DescriptorConfig
from dieindex.encoder.module_files import has_module
from dieindex.encoder.weights import read_card
from dieindex.errors import TrainingError
from dieindex.files import write_text
from dieindex.records import Flags, Ints
from dieindex.text import Parameter
from dieindex.training.augment import AugmentSettings
from dieindex.training.config import TrainConfig
from dieindex.training.learner import Clock, Learner, Losses
from dieindex.training.pool import choose_faces
from dieindex.training.shards import Shard
from dieindex.training.train import append_row
from dieindex.training.validation import WAYS
from dieindex.training.watching import (
    JUDGED_BY,
    LabelledFace,
    Watched,
    better_share,
    labelled_shard,
    split_dies,
    watch,
)

_log = logging.getLogger(__name__)

LEAST_DIES = 10
"""Dies to judge by: under so many, resampling them says nothing."""
LEAST_FIT_PAIRS = 30
LEAST_HELD_PAIRS = 15
"""Same-die pairs without which nothing can be learned, and nothing judged."""
MOST_FACES = 3000
SURE = 0.9
"""Share of the resamples of the held-out dies that must call the fine-tuned encoder better."""
GENTLE = AugmentSettings(
    shift=0.001, turn=0.15, scale=0.0015, affine=0.001, blur=0.8, gamma=0.3, noise=0.2, cut=0.3
)
"""The real alignment's errors are in the faces already; their photographs are what they are."""


@dataclass(frozen=True)
class FinetuneConfig:
    """How to fine-tune. A step sees ``dies`` dies of one frame with ``strikes`` faces each."""

    minutes: float = 10.0
    rate: float = 5e-4
    dies: int = 10
    strikes: int = 3
    pairs: int = 32
    seed: int = 1
    held_out: float = 0.3
    """Share of the same-die pairs whose dies are watched and never learned from."""
    every: int = 25
    """Steps from one look at the held-out dies to the next."""
    patience: int = 6
    """Looks without a gain after which it ends; the first hundred steps only warm up."""
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class Finetuned:
    """What came of it. ``before`` and ``after``: average precision on the held-out dies by way of
    comparing; ``sure``: share of their resamples in which the fine-tuned encoder is better."""

    weights: Path
    """The best of the run, whether better than the start or not."""
    better: bool
    before: dict[str, float]
    after: dict[str, float]
    sure: float
    steps: int
    dies_fitted: int
    dies_held_out: int


def finetune(
    faces: Sequence[LabelledFace],
    start: Path,
    out: Path,
    config: FinetuneConfig | None = None,
) -> Finetuned:
    """Fine-tune the weights file ``start`` on labelled faces, into the run folder ``out``.

    ``out`` gets ``config.json``, ``log.csv`` (losses), ``validation.csv`` and ``best.safetensors``,
    which carries no calibration yet (see ``training.calibrate``). Equal faces, settings and seeds
    give equal weights on one CPU, but for ``minutes``, which depend on the machine.

    How it goes is logged.

    Raises TrainingError where ``out`` holds a run already or the labels are too few, EncoderError
    where ``start`` is no weights file.
    """
    config = config or FinetuneConfig()
    if (out / "log.csv").exists():
        raise TrainingError(
            f"{out}: holds a run already; name another with ", Parameter("out", "DIR"), "."
        )
    torch.set_num_threads(config.threads)
    shard = labelled_shard(some_dies(faces, MOST_FACES, config.seed))
    held = split_dies(shard, config.held_out, config.seed)
    _check(shard, held)
    learner = _learner(start, config)
    judged_by = JUDGED_BY if learner.config.verdict_weight else JUDGED_BY[:1]
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "config.json", json.dumps(asdict(config), indent=2) + "\n")
    about = _story(start, len(shard), len(np.unique(shard.die)))
    _log.info(
        f"{len(np.unique(shard.die[~held]))} dies to learn from ({(~held).sum()} faces), "
        f"{len(np.unique(shard.die[held]))} to judge by ({held.sum()} faces)"
    )
    before = best = watch(*learner.averaged, shard, held, config.device, judged_by)
    best_step = 0
    learner.save_weights(out / "best.safetensors", about)
    append_row(out / "validation.csv", _row(learner, before))
    _log.info(f"  at the start: {before}")
    recent: list[Losses] = []
    while learner.progress < 1 and learner.step - best_step < config.patience * config.every:
        rng = np.random.default_rng([config.seed, learner.step])
        batch = sample_batch(shard.take(np.flatnonzero(~held)), config, rng)
        began = _now(config.device)
        recent.append(learner.advance(batch, Clock()))
        learner.seconds += _now(config.device) - began
        if learner.step % config.every:
            continue
        append_row(out / "log.csv", _losses(learner, recent))
        recent.clear()
        now = watch(*learner.averaged, shard, held, config.device, judged_by)
        append_row(out / "validation.csv", _row(learner, now))
        _log.info(f"  step {learner.step}, {learner.seconds / 60:.1f} minutes: {now}")
        if now.merit() > best.merit():
            best, best_step = now, learner.step
            learner.save_weights(out / "best.safetensors", about)
    sure = better_share(best, before, config.seed) if best_step else 0.0
    return Finetuned(
        weights=out / "best.safetensors",
        better=sure >= SURE,
        before=before.precision(),
        after=best.precision(),
        sure=sure,
        steps=learner.step,
        dies_fitted=len(np.unique(shard.die[~held])),
        dies_held_out=len(np.unique(shard.die[held])),
    )


def some_dies(faces: Sequence[LabelledFace], most: int, seed: int) -> list[LabelledFace]:
    """All faces of as many dies, chosen by lot, as make up to ``most`` faces."""
    if len(faces) <= most:
        return list(faces)
    names = [(each.face.side, each.die) for each in faces]
    kept: set[tuple[str, str]] = set()
    count = 0
    distinct = sorted(set(names))
    for place in np.random.default_rng(seed).permutation(len(distinct)):
        own = names.count(distinct[place])
        if count + own <= most:
            kept.add(distinct[place])
            count += own
    return [each for each, name in zip(faces, names, strict=True) if name in kept]


def sample_batch(shard: Shard, config: FinetuneConfig, rng: np.random.Generator) -> Shard:
    """A batch: dies of one frame, three of four of them with several faces.

    Frames come up as often as they have pairs of one die.
    """
    frames = np.unique(shard.type)
    pairs = np.array([_same_pairs(shard.die[shard.type == each]) for each in frames])
    frame = rng.choice(frames, p=pairs / pairs.sum())
    rows = np.flatnonzero(shard.type == frame)
    die = shard.die[rows]
    names, count = np.unique(die, return_counts=True)
    wanted = min(-(-3 * config.dies // 4), int((count > 1).sum()))
    several = rng.permutation(names[count > 1])[:wanted]
    others = rng.permutation(np.setdiff1d(names, several))[: config.dies - wanted]
    some = rows[np.isin(die, np.concatenate([several, others]))]
    return shard.take(some[choose_faces(rng, shard.die[some], config.dies, config.strikes)])


def _same_pairs(die: Ints) -> int:
    _, count = np.unique(die, return_counts=True)
    return int((count * (count - 1) // 2).sum())


def _check(shard: Shard, held: Flags) -> None:
    """Raise TrainingError where the labels are too few to learn from or to judge by."""

    def pairs(rows: Flags) -> int:
        # Only faces of one frame can be compared.
        found = (_same_pairs(shard.die[rows & (shard.type == t)]) for t in np.unique(shard.type))
        return sum(found)

    fitted, judged, dies = pairs(~held), pairs(held), len(np.unique(shard.die[held]))
    if fitted < LEAST_FIT_PAIRS or judged < LEAST_HELD_PAIRS or dies < LEAST_DIES:
        raise TrainingError(
            f"{len(shard)} aligned faces of {len(np.unique(shard.die))} known dies are too few to "
            f"fine-tune on: they leave {fitted} pairs of one die to learn from and {judged} pairs "
            f"of {dies} dies to judge by, and {LEAST_FIT_PAIRS}, {LEAST_HELD_PAIRS} and "
            f"{LEAST_DIES} are needed. Label more coins, or use the shipped encoder."
        )


def _learner(start: Path, config: FinetuneConfig) -> Learner:
    """A learner that goes on from a weights file: its encoder, and its comparator if it has one."""
    network = DescriptorConfig.from_dict(read_card(start).config)
    compares = has_module("comparator", start)
    learner = Learner(
        TrainConfig(
            minutes=config.minutes,
            seed=config.seed,
            types=1,
            dies=config.dies,
            strikes=config.strikes,
            pairs=config.pairs,
            rate=config.rate,
            average=0.98,
            still_norms=0.0,
            vector_weight=1.0,
            flow_weight=0.0,  # where a point of the die lies on each face is not known here
            verdict_weight=1.0 if compares else 0.0,
            network=network,
            augment=GENTLE,
            device=config.device,
            threads=config.threads,
        )
    )
    learner.start_from(start)
    return learner


def _story(start: Path, faces: int, dies: int) -> dict[str, str]:
    card = read_card(start)
    return {
        "version": "finetuned",
        "provenance": f"{card.provenance} Fine-tuned from {card.version} on {faces} photographed "
        f"faces of {dies} dies that a person labelled.",
    }


def _now(device: str) -> float:
    """Seconds of work, whatever else a CPU does meanwhile; the clock's on a GPU."""
    return time.thread_time() if device == "cpu" else time.perf_counter()


def _row(learner: Learner, seen: Watched) -> dict[str, Any]:
    """A line of ``validation.csv``, as a run on the mint writes it."""
    found = seen.precision()
    precision = {f"collection_{way}_ap": round(found.get(way, float("nan")), 4) for way in WAYS}
    return {"step": learner.step, "minutes": round(learner.seconds / 60, 3), **precision}


def _losses(learner: Learner, recent: list[Losses]) -> dict[str, Any]:
    names = [f.name for f in fields(Losses)]
    means = {n: float(torch.stack([getattr(r, n) for r in recent]).mean()) for n in names}
    return {
        "step": learner.step,
        "minutes": round(learner.seconds / 60, 3),
        **{name: round(value, 5) for name, value in means.items()},
    }
