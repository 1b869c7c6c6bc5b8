"""Train the network for aligned faces and its comparator on the mint's stream.

    python -m dieindex.training.train --minutes 40 --out runs/first --pool runs/pool

One folder a run: ``config.json``, ``log.csv`` (losses), ``validation.csv``, ``last.safetensors``
(everything needed to go on) and ``best.safetensors`` (the averaged weights in half precision, best
on validation types). Called again on the same folder, a run goes on where it stopped.

It needs torch, NumPy, OpenCV and safetensors alone. On a machine with a GPU that is lent for a
quarter of an hour, one leg renders, aligns and trains:

    python -m dieindex.training.train --out runs/first --pool /dev/shm/pool --blind --device cuda \
        --workers 14 --leg-minutes 9 --steps 40000
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import logging
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dieindex.files import write_text
from dieindex.training.config import TrainConfig
from dieindex.training.learner import Clock, Learner, Losses
from dieindex.training.pool import ShardPool
from dieindex.training.rendering import RenderOrder, render_workers
from dieindex.training.shards import Shard
from dieindex.training.validation import Scores, ValidationOrder, validate, validation_shards

_log = logging.getLogger(__name__)


def train(
    config: TrainConfig,
    out: Path,
    pool: Path,
    validation: Path | None = None,
    *,
    start: Path | None = None,
) -> Path:
    """Train into the folder ``out`` and give it back; goes on where ``out`` holds a run.

    ``pool`` holds rendered faces (see ``pool.render``), ``validation`` the fixed ones, rendered if
    missing; None trains blind. A new run begins with encoder and comparator of the weights file
    ``start``, where given. Raises TrainingError for settings that cannot be, for a run of
    another network in ``out``, or where no faces come.
    """
    config.check()
    began = time.monotonic()
    torch.set_num_threads(config.threads)
    out.mkdir(parents=True, exist_ok=True)
    pool.mkdir(parents=True, exist_ok=True)
    learner = Learner(config)
    last = out / "last.safetensors"
    if last.exists():
        learner.load(last)
    elif start is not None:
        learner.start_from(start)
    write_text(out / "config.json", json.dumps(config.to_json(), indent=2) + "\n")
    fixed = (
        validation_shards(ValidationOrder(validation, config.validation_types))
        if validation is not None
        else {}
    )
    order = RenderOrder(pool, config.seed, capacity=config.capacity)
    with render_workers(order, config.workers) if config.workers else contextlib.nullcontext():
        shards = ShardPool(pool, config.uses if config.workers else None)
        shards.wait(max(config.types, config.first_shards if config.workers else 0))
        _Run(learner, shards, fixed, out, began).go()
    return out


class _Run:
    """The loop: steps, log lines, checkpoints, validation."""

    def __init__(
        self,
        learner: Learner,
        pool: ShardPool,
        fixed: dict[str, list[Shard]],
        out: Path,
        began: float,
    ) -> None:
        self._learner, self._pool, self._fixed = learner, pool, fixed
        self._out, self._began = out, began
        self._clock = Clock()
        self._recent: list[Losses] = []

    def go(self) -> None:
        learner, config = self._learner, self._learner.config
        checkpointed = validated = learner.seconds
        # Faces of the next step are read meanwhile: on a GPU reading takes as long as a step.
        ahead = ThreadPoolExecutor(1)
        coming = ahead.submit(self._sample, learner.step)
        try:
            while learner.progress < 1:
                began = self._now()
                shard = coming.result()
                coming = ahead.submit(self._sample, learner.step + 1)
                self._clock.lap("sample")
                self._recent.append(learner.advance(shard, self._clock))
                learner.seconds += self._now() - began
                if learner.step % 20 == 0:
                    self._log()
                if learner.seconds - checkpointed > 60 * config.checkpoint_minutes:
                    checkpointed = learner.seconds
                    learner.save(self._out / "last.safetensors")
                if learner.seconds - validated > 60 * config.validate_minutes:
                    validated = learner.seconds
                    self._validate()
                if self._leg_is_over():
                    break
        finally:
            ahead.shutdown(cancel_futures=True)
            learner.save(self._out / "last.safetensors")
        if learner.progress < 1 and self._fixed:
            return
        self._validate()
        learner.save(self._out / "last.safetensors")

    def _leg_is_over(self) -> bool:
        minutes = self._learner.config.leg_minutes
        return minutes is not None and time.monotonic() - self._began > 60 * minutes

    def _now(self) -> float:
        """Seconds of work: on a CPU those of this thread, so that equal minutes are equal whatever
        else the machine does; the clock's on a GPU."""
        on_cpu = self._learner.config.device == "cpu"
        return time.thread_time() if on_cpu else time.perf_counter()

    def _sample(self, step: int) -> Shard:
        config = self._learner.config
        rng = np.random.default_rng([config.seed, step])
        return self._pool.sample(rng, config.types, config.dies, config.strikes)

    def _log(self) -> None:
        learner = self._learner
        names = [f.name for f in fields(Losses)]
        means = {n: float(torch.stack([getattr(r, n) for r in self._recent]).mean()) for n in names}
        self._recent.clear()
        row = {
            "step": learner.step,
            "minutes": round(learner.seconds / 60, 3),
            **{name: round(value, 5) for name, value in means.items()},
            "rate": learner.optimiser.param_groups[0]["lr"],
            "types_seen": len(self._pool.seen_types),
            **{f"s_{n}": round(s / 20, 4) for n, s in self._clock.spent.items() if n != "rest"},
        }
        self._clock.spent.clear()
        append_row(self._out / "log.csv", row)
        _log.info(
            f"step {learner.step}  {learner.seconds / 60:.1f} min  "
            + "  ".join(f"{name} {value:.3f}" for name, value in means.items())
        )

    def _validate(self) -> None:
        if not self._fixed:
            self._learner.save_weights(self._out / "best.safetensors")
            return
        learner = self._learner
        result = validate(
            *learner.averaged,
            self._fixed,
            device=learner.config.device,
            amp=learner.config.mixed,
            compare=learner.config.compares,
        )
        row = {
            "step": learner.step,
            "minutes": round(learner.seconds / 60, 2),
            **flat_scores(result),
        }
        append_row(self._out / "validation.csv", row)
        for line in score_lines(result):
            _log.info(line)
        reached = merit(result)
        if reached > learner.best:
            learner.best = reached
            learner.save_weights(
                self._out / "best.safetensors", {"validation": json.dumps(flat_scores(result))}
            )
        self._clock.lap("rest")


def merit(result: dict[str, dict[str, Scores]]) -> float:
    """What "best" means: mean over difficulties of the AP of vector and (if any) comparator."""
    ways = {"comparator", "vector_less_mean"}
    return float(
        np.mean([s.ap for scores in result.values() for way, s in scores.items() if way in ways])
    )


def flat_scores(result: dict[str, dict[str, Scores]]) -> dict[str, float]:
    """Validation as columns: ``easy_vector_ap`` and so on."""
    return {
        f"{difficulty}_{way}_{name}": round(getattr(scores, name), 4)
        for difficulty, ways in result.items()
        for way, scores in ways.items()
        for name in ("ap", "recall")
        if np.isfinite(getattr(scores, name))
    }


def score_lines(result: dict[str, dict[str, Scores]]) -> Iterator[str]:
    """Validation to be read."""
    for difficulty, ways in result.items():
        parts = [f"{way} AP {s.ap:.3f} R@20 {s.recall:.3f}" for way, s in ways.items()]
        chance = next(iter(ways.values())).chance
        yield f"  {difficulty:7s} {'  '.join(parts)}  (chance {chance:.3f})"


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Add a line to a table of a run, with a head where the table begins."""
    new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--pool", type=Path, default=Path("runs/pool"))
    parser.add_argument("--validation", type=Path, default=Path("runs/validation"))
    parser.add_argument("--start", type=Path, help="weights file to begin with")
    parser.add_argument("--config", type=Path, help="JSON file of settings (as config.json)")
    parser.add_argument("--blind", action="store_true", help="no validation")
    for name in (
        "--minutes",
        "--rate",
        "--checkpoint-minutes",
        "--validate-minutes",
        "--leg-minutes",
    ):
        parser.add_argument(name, type=float)
    for name in (
        "--steps",
        "--seed",
        "--types",
        "--dies",
        "--strikes",
        "--pairs",
        "--threads",
        "--workers",
        "--uses",
        "--capacity",
    ):
        parser.add_argument(name, type=int)
    parser.add_argument("--device")
    parser.add_argument("--full-precision", action="store_true", help="no bfloat16")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a stopped run leaves its state
    values = json.loads(given.config.read_text()) if given.config else {}
    known = {f.name for f in fields(TrainConfig)}
    values |= {k: v for k, v in vars(given).items() if k in known and v is not None}
    if given.full_precision:
        values["mixed"] = False
    validation = None if given.blind else given.validation
    train(TrainConfig.from_json(values), given.out, given.pool, validation, start=given.start)


if __name__ == "__main__":
    main()
