"""Pictures of a run: losses and the validation curve. Needs matplotlib, which training does not."""

from __future__ import annotations

import csv
from pathlib import Path

from dieindex.errors import TrainingError
from dieindex.marks import UNSEALED, sealed
from dieindex.training.validation import WAYS

LOSSES = ("vector", "flow", "verdict")


def read_log(path: Path) -> dict[str, list[float]]:
    """A log's columns by name; cells that are empty become NaN."""
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = list(rows[0]) if rows else []
    return {name: [float(row[name] or "nan") for row in rows] for name in names}


def plot_run(run: Path, out: Path) -> None:
    """Draw a run's losses and validation over minutes of training into ``out`` (PNG).

    Raises TrainingError where the folder holds no log, or matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TrainingError("Plots need matplotlib: pip install matplotlib.") from error
    if not (run / "log.csv").exists():
        raise TrainingError(f"{run}: no log.csv there; name the folder of a training run.")
    log = read_log(run / "log.csv")
    validated = run / "validation.csv"
    marks = read_log(validated) if validated.exists() else {}
    difficulties = list(dict.fromkeys(n.split("_")[0] for n in marks if n.endswith("_ap")))
    figure = Figure(figsize=(4.2 * (1 + len(difficulties)), 3.6), layout="constrained")
    axes = figure.subplots(1, 1 + len(difficulties), squeeze=False)[0]
    for name in LOSSES:
        axes[0].plot(log["minutes"], log[name], label=name)
    axes[0].set(xlabel="minutes", ylabel="loss", title="Training")
    axes[0].legend()
    for axis, difficulty in zip(axes[1:], difficulties, strict=True):
        for way in (w for w in WAYS if f"{difficulty}_{w}_ap" in marks):
            axis.plot(
                marks["minutes"],
                marks[f"{difficulty}_{way}_ap"],
                marker="o",
                markersize=3,
                label=way.replace("_", " "),
            )
        axis.set(xlabel="minutes", ylabel="AP", ylim=(0, 1), title=f"Validation, {difficulty}")
        axis.legend(fontsize=7)
    figure.savefig(out, dpi=110, metadata={"Software": UNSEALED})
    out.write_bytes(sealed(out.read_bytes()))
