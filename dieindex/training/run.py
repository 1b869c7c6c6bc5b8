"""What a training run is asked for and what came of it: for the command line and for Python."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dieindex.encoder.weights import SHIPPED_WEIGHTS
from dieindex.errors import TrainingError
from dieindex.records import Face, Matrix
from dieindex.text import Parameter
from dieindex.training import calibrate, finetune, train
from dieindex.training.config import TrainConfig
from dieindex.training.finetune import FinetuneConfig, Finetuned
from dieindex.training.plots import plot_run, read_log
from dieindex.training.watching import LabelledFace

_log = logging.getLogger(__name__)

WEIGHTS_NAME = "encoder.safetensors"
"""Fine-tuned weights with their calibration, as an index keeps them."""


RUN_FILES = (
    "config.json", "log.csv", "validation.csv", "best.safetensors", "last.safetensors",
    WEIGHTS_NAME, "curves.png",
)  # fmt: skip
"""What a run writes into its folder."""


@dataclass(frozen=True)
class Trained:
    """A run on rendered coins: its weights, the last figures of its validation by name, and its
    curves (None where they could not be plotted; ``note`` says why)."""

    weights: Path
    validation: Mapping[str, float]
    plot: Path | None
    note: str | None = None


@dataclass(frozen=True, eq=False)
class FinetunedIndex:
    """A run on labelled coins; ``weights`` are calibrated, None where the encoder it began with
    stays."""

    found: Finetuned
    weights: Path | None
    note: str | None = None


def settings_of(path: Path | None, given: Mapping[str, Any]) -> TrainConfig:
    """The settings of a file (as a run's ``config.json``), those ``given`` before them; None in
    ``given`` leaves the file's. Raises TrainingError where they cannot be read."""
    try:
        values = {} if path is None else json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("not a list of settings")
    except (OSError, ValueError) as error:
        told = (Parameter("config", str(path)), f": cannot be read ({error}).")
        raise TrainingError(*told) from error
    known = {field.name for field in fields(TrainConfig)}
    values |= {name: v for name, v in given.items() if name in known and v is not None}
    return TrainConfig.from_json(values)


def is_started(out: Path) -> bool:
    """Whether the folder holds a run, which goes on when it is called again."""
    return (out / "last.safetensors").exists()


def check_run_folder(out: Path) -> None:
    """Raise TrainingError where files of a person are in a new run's way, or ``out`` is a file."""
    if out.exists() and not out.is_dir():
        raise TrainingError(Parameter("out", out), ": is a file; name a folder.")
    there = next((name for name in RUN_FILES if os.path.lexists(out / name)), None)
    if there is not None:
        raise TrainingError(
            f"{out}: holds {there} already, and no run that could go on; name another folder with ",
            Parameter("out", "DIR"),
            ".",
        )


def train_on_rendered(
    config: TrainConfig,
    out: Path,
    *,
    pool: Path,
    validation: Path,
    start: Path | None = None,
) -> Trained:
    """Train on rendered coins until the settings' end; see ``train.train``. Raises TrainingError
    too where files of a person are in the way."""
    if not is_started(out):
        check_run_folder(out)
    train.train(config, out, pool, validation, start=start)
    log = out / "validation.csv"
    columns = read_log(log) if log.exists() else {}
    last = {name: values[-1] for name, values in columns.items()}
    plot, note = _plotted(out)
    return Trained(out / "best.safetensors", last, plot, note)


def finetune_on_labelled(
    faces: Iterable[tuple[Face, Matrix, int, str]],
    out: Path,
    *,
    start: Path | None = None,
    minutes: float | None = None,
    seed: int = 1,
    device: str = "cpu",
) -> FinetunedIndex:
    """Fine-tune on labelled faces, and calibrate what came of it where it is better.

    ``faces`` are faces, where each lies (to its frame), the frame's number, and the die that a
    person gave it. Raises TrainingError where they are too few, or ``out`` holds a run, or files of
    a person that are in the way.
    """
    check_run_folder(out)
    config = FinetuneConfig(minutes=minutes or FinetuneConfig.minutes, seed=seed, device=device)
    labelled = [LabelledFace(*each) for each in faces]
    found = finetune.finetune(labelled, start or SHIPPED_WEIGHTS, out, config)
    _, note = _plotted(out)
    if not found.better:
        return FinetunedIndex(found, None, note)
    _log.info("Better on dies that it did not learn from; its distances are calibrated …")
    weights = out / WEIGHTS_NAME
    calibrate.write_calibration(found.weights, calibrate.calibrate(found.weights), weights)
    return FinetunedIndex(found, weights, note)


def _plotted(out: Path) -> tuple[Path | None, str | None]:
    """The run's curves; where they cannot be plotted, the run is none the worse."""
    path = out / "curves.png"
    try:
        plot_run(out, path)
    except TrainingError as error:
        return None, str(error)
    return path, None
