"""``dieindex train``: train the encoder on rendered coins, or fine-tune it on labelled ones."""

from __future__ import annotations

import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dieindex.commands.shared import (
    is_quiet,
    json_option,
    labels_option,
    open_index,
    print_json,
    quiet_option,
    say,
)
from dieindex.errors import UsageError
from dieindex.records import SIDES
from dieindex.storage.folder import WEIGHTS_NAME

if TYPE_CHECKING:
    from dieindex.api import Index
    from dieindex.training.config import TrainConfig
    from dieindex.training.finetune import Finetuned
    from dieindex.training.watching import LabelledFace

DEVICES = ("auto", "cpu", "cuda", "mps")


@click.command(
    short_help="Train the encoder, or fine-tune it on your own coins.",
    epilog="\b\nExamples:\n  dieindex train --out runs/a --minutes 60\n"
    "  dieindex train --index indexes/hoard --out runs/hoard --use",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True,
              metavar="DIR", help="Folder of the run.")  # fmt: skip
@click.option("--index", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Fine-tune on this index's coins, whose dies its sheet tells.")  # fmt: skip
@labels_option
@click.option("--use", is_flag=True,
              help="With --index: encode the index anew where the result is better.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True),
              help="Minutes of training [default: 40, fine-tuning at most 10].")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), help="Steps of training, in place of minutes.")
@click.option("--seed", type=click.IntRange(0), help="Equal seeds, equal draws [default: 1].")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True,
              help="Where the network learns.")  # fmt: skip
@click.option("--start", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Weights to begin with [fine-tuning: the shipped ones].")  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Settings of a run, as its config.json; options go before them.")  # fmt: skip
@click.option("--pool", type=click.Path(path_type=Path, file_okay=False),
              default=Path("runs/pool"), show_default=True,
              help="Folder of rendered coins, filled while training.")  # fmt: skip
@click.option("--validation", type=click.Path(path_type=Path, file_okay=False),
              default=Path("runs/validation"), show_default=True,
              help="Folder of the fixed coins that a run is watched on.")  # fmt: skip
@click.option("--workers", type=click.IntRange(0), help="Processes that render [default: 1].")
@json_option
@quiet_option
def train(
    out: Path,
    index: Path | None,
    labels: Path | None,
    use: bool,
    minutes: float | None,
    steps: int | None,
    seed: int | None,
    device: str,
    start: Path | None,
    config: Path | None,
    pool: Path,
    validation: Path,
    workers: int | None,
    as_json: bool,
) -> int:
    """Train the encoder on rendered coins, or fine-tune it on your own.

    Without --index the network learns from freshly minted coins and is watched on types that it
    never learns from; called again on the same folder a run goes on where it stopped. Weights are
    kept in OUT/best.safetensors.

    With --index it goes on learning from the coins of that index, on most of their dies, and is
    judged by the others. Where it is not clearly better on those, the shipped encoder stays.
    """
    from dieindex.encoder.encode import choose_device

    if index is None and (use or labels is not None):
        raise UsageError("--use and --labels belong to fine-tuning; name an index with --index.")
    if index is not None and (steps is not None or config is not None or workers is not None):
        raise UsageError("--steps, --config and --workers belong to training without --index.")
    chosen = choose_device(device)
    if index is not None:
        opened = open_index(index)
        return _finetune(
            opened, labels, out, start, use, minutes, 1 if seed is None else seed, chosen, as_json
        )
    given = {"minutes": minutes, "steps": steps, "seed": seed, "device": chosen}
    run = _config(config, {**given, "workers": workers})
    _train(run, out, pool, validation, start)
    _report(out, as_json)
    return 0


# ------------------------------------------------------------------------------ on rendered coins


def _config(path: Path | None, given: dict[str, Any]) -> TrainConfig:
    """The settings of a file, those given on the command line before them."""
    import json

    from dieindex.errors import TrainingError
    from dieindex.training.config import TrainConfig

    try:
        values = {} if path is None else json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("not a list of settings")
    except (OSError, ValueError) as error:
        raise TrainingError(f"--config {path}: cannot be read ({error}).") from error
    known = {field.name for field in fields(TrainConfig)}
    values |= {name: v for name, v in given.items() if name in known and v is not None}
    return TrainConfig.from_json(values)


def _train(
    config: TrainConfig, out: Path, pool: Path, validation: Path, start: Path | None
) -> None:
    from dieindex.training.train import train as train_network

    if (out / "last.safetensors").exists():
        say(f"{out} holds a run already: it goes on.")
    # A run that is stopped from outside leaves its state too.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        train_network(config, out, pool, validation, start=start, say=not is_quiet())
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(out: Path, as_json: bool) -> None:
    from dieindex.training.plots import read_log

    log = out / "validation.csv"
    columns = read_log(log) if log.exists() else {}
    last = {name: values[-1] for name, values in columns.items()}
    weights = out / "best.safetensors"
    plot = _plot(out)
    if as_json:
        print_json({"out": str(out), "weights": str(weights), "plot": plot, "validation": last})
        return
    click.echo(f"Weights: {weights}" + (f"; curves: {plot}" if plot else ""))
    for name, value in last.items():
        if name.endswith("_ap"):
            click.echo(f"  {name.removesuffix('_ap').replace('_', ' '):28} AP {value:.3f}")


def _plot(out: Path) -> str | None:
    """Draw the curves; where they cannot be drawn, the run is none the worse."""
    from dieindex.errors import TrainingError
    from dieindex.training.plots import plot_run

    path = out / "curves.png"
    try:
        plot_run(out, path)
    except TrainingError as error:
        say(str(error))
        return None
    return str(path)


# ------------------------------------------------------------------------------ on labelled coins


def _finetune(
    index: Index,
    labels: Path | None,
    out: Path,
    start: Path | None,
    use: bool,
    minutes: float | None,
    seed: int,
    device: str,
    as_json: bool,
) -> int:
    from dieindex.encoder.weights import SHIPPED_WEIGHTS
    from dieindex.training.finetune import FinetuneConfig, finetune

    config = FinetuneConfig(minutes=minutes or FinetuneConfig.minutes, seed=seed, device=device)
    faces = labelled_faces(index, labels)
    found = finetune(faces, start or SHIPPED_WEIGHTS, out, config, say)
    _plot(out)
    weights = _finished(found, out) if found.better else None
    if weights is not None and use:
        _use(index, weights, device)
    if as_json:
        print_json(
            {
                "out": str(out),
                "better": found.better,
                "sure": found.sure,
                "weights": None if weights is None else str(weights),
                "used": weights is not None and use,
                "before": found.before,
                "after": found.after,
                "steps": found.steps,
                "dies": {"learned": found.dies_fitted, "held_out": found.dies_held_out},
            }
        )
    else:
        _tell(found, weights, use)
    return 1 if use and weights is None else 0


def labelled_faces(index: Index, labels: Path | None) -> list[LabelledFace]:
    """The aligned faces of an index whose die a sheet tells, one a coin and side."""
    from dieindex.api import read_labels
    from dieindex.indexing.align import stored_faces, stored_place
    from dieindex.storage.catalogue import Catalogue
    from dieindex.storage.face_codec import restored
    from dieindex.training.watching import LabelledFace

    given = None if labels is None else read_labels(labels, index.coin_of_file())
    found = []
    with Catalogue.open(index.folder) as catalogue:
        for side in SIDES:
            rows = index.faces(side)
            dies = index.labels(side) if given is None else given[side]
            for position, coin in enumerate(rows.coins):
                number = int(rows.ids[position])
                place = stored_place(catalogue, number)
                if coin in dies and place is not None:
                    face = restored(stored_faces(catalogue, [number])[0])
                    frame = int(rows.frame[position])
                    found.append(LabelledFace(face, place, frame, dies[coin]))
    return found


def _finished(found: Finetuned, out: Path) -> Path:
    """The weights with their calibration, ready to be used."""
    from dieindex.training.calibrate import calibrate, write_calibration

    say("Better on dies that it did not learn from; its distances are calibrated …")
    weights = out / WEIGHTS_NAME
    write_calibration(found.weights, calibrate(found.weights), weights)
    return weights


def _use(index: Index, weights: Path, device: str) -> None:
    """Encode an index anew with these weights, of which its folder keeps a copy."""
    import shutil

    from dieindex.indexing.run import build_index

    kept = index.folder / WEIGHTS_NAME
    part = kept.with_name(f".{WEIGHTS_NAME}.part")
    shutil.copyfile(weights, part)
    part.replace(kept)
    build_index(Path(index.data or "."), index.folder, device=device, reencode=True, weights=kept)


def _tell(found: Finetuned, weights: Path | None, used: bool) -> None:
    click.echo(
        f"Average precision on {found.dies_held_out} dies held out, before and after "
        f"{found.steps} steps on {found.dies_fitted} others:"
    )
    for way, before in found.before.items():
        click.echo(f"  {way.replace('_', ' '):20}{before:7.3f}{found.after[way]:7.3f}")
    share = f"better in {found.sure:.0%} of the resamples of these dies"
    if weights is None:
        click.echo(f"The shipped encoder stays: the fine-tuned one is {share}, 90% are needed.")
        return
    click.echo(f"The fine-tuned encoder is {share}: {weights}")
    if used:
        click.echo("The index was encoded anew with it.")
