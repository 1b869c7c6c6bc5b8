"""``dieindex train``: train the encoder on rendered coins, or fine-tune it on labelled ones."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dieindex import api
from dieindex.api import Index, choose_device
from dieindex.commands.notes import say, tell
from dieindex.commands.shared import (
    device_option,
    json_option,
    labels_option,
    open_index,
    print_json,
    quiet_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.errors import UsageError

if TYPE_CHECKING:
    from dieindex.training.run import FinetunedIndex, Trained


@click.command(
    short_help=VERBS["train"],
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
@click.option("--seed", type=click.IntRange(0), help="Equal seeds, equal samples [default: 1].")
@device_option("Where the network learns [auto].")
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
    _train(config, {**given, "workers": workers}, out, pool, validation, start, as_json)
    return 0


def _train(
    config: Path | None,
    given: dict[str, Any],
    out: Path,
    pool: Path,
    validation: Path,
    start: Path | None,
    as_json: bool,
) -> None:
    # (Training loads torch and OpenCV.)
    from dieindex.training.run import is_started, settings_of, train_on_rendered

    settings = settings_of(config, given)
    if is_started(out):
        say(f"{out} holds a run already: it goes on.")
    # A run that is stopped from outside leaves its state too.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        found = train_on_rendered(settings, out, pool=pool, validation=validation, start=start)
    finally:
        signal.signal(signal.SIGTERM, before)
    if found.note is not None:
        say(found.note)
    _tell_trained(found, out, as_json)


def _tell_trained(found: Trained, out: Path, as_json: bool) -> None:
    plot = None if found.plot is None else str(found.plot)
    if as_json:
        print_json(
            {
                "out": str(out),
                "weights": str(found.weights),
                "plot": plot,
                "validation": found.validation,
            }
        )
        return
    tell(f"Weights: {found.weights}" + (f"; curves: {plot}" if plot else ""))
    for name, value in found.validation.items():
        if name.endswith("_ap"):
            tell(f"  {name.removesuffix('_ap').replace('_', ' '):28} AP {value:.3f}")


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
    from dieindex.training.run import finetune_on_labelled

    run = finetune_on_labelled(
        api.labelled_faces(index, labels),
        out,
        start=start,
        minutes=minutes,
        seed=seed,
        device=device,
    )
    found, weights = run.found, run.weights
    if run.note is not None:
        say(run.note)
    used = weights is not None and use
    if weights is not None and use:
        api.use_weights(index, weights, device=device)
    if as_json:
        print_json(
            {
                "out": str(out),
                "better": found.better,
                "sure": found.sure,
                "weights": None if weights is None else str(weights),
                "used": used,
                "before": found.before,
                "after": found.after,
                "steps": found.steps,
                "dies": {"learned": found.dies_fitted, "held_out": found.dies_held_out},
            }
        )
    else:
        _tell_finetuned(run, used)
    return 1 if use and weights is None else 0


def _tell_finetuned(run: FinetunedIndex, used: bool) -> None:
    found = run.found
    tell(
        f"Average precision on {found.dies_held_out} dies held out, before and after "
        f"{found.steps} steps on {found.dies_fitted} others:"
    )
    for way, before in found.before.items():
        tell(f"  {way.replace('_', ' '):20}{before:7.3f}{found.after[way]:7.3f}")
    share = f"better in {found.sure:.0%} of the resamples of these dies"
    if run.weights is None:
        tell(f"The shipped encoder stays: the fine-tuned one is {share}, 90% are needed.")
        return
    tell(f"The fine-tuned encoder is {share}: {run.weights}")
    if used:
        tell("The index was encoded anew with it.")
