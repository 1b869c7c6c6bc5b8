"""``dieindex evaluate``: scores against the sheet, beside the trivial answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dieindex.commands.notes import say, tell, warn
from dieindex.commands.shared import (
    calibrate_option,
    engine_option,
    index_option,
    json_option,
    labels_option,
    no_verify_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
    sheet_options,
)
from dieindex.commands.verbs import VERBS
from dieindex.text import counted

ROWS = (
    ("accuracy", "accuracy over all pairs"),
    ("always_different", '… of always answering "different"'),
    ("ap", "average precision"),
    ("auc", "ROC-AUC"),
    ("ari", "adjusted Rand index"),
    ("ami", "adjusted mutual information"),
    ("pair_precision", "pair precision"),
    ("pair_recall", "pair recall"),
    ("pair_f1", "pair F1"),
    ("dies_found", "dies found"),
    ("dies_true", "dies in the sheet"),
)
BASELINES = {"all_singletons": "every coin alone", "one_die": "all one die"}


@click.command(
    short_help=VERBS["evaluate"],
    epilog="\b\nExamples:\n  dieindex evaluate\n  dieindex evaluate --labels dies.xlsx --json",
)
@index_option
@labels_option
@sheet_options
@no_verify_option
@engine_option
@calibrate_option
@json_option
@quiet_option
def evaluate(
    index: Path | None,
    labels: Path | None,
    columns: str | None,
    sheet: str | None,
    no_verify: bool,
    engine: str | None,
    calibrate: bool,
    as_json: bool,
) -> None:
    """Score pairs and dies against a sheet, beside the trivial answers.

    Accuracy over all pairs means little, since most pairs differ: compare it with the line below
    it. The sheet only scores; it changes nothing.
    """
    opened = open_index(index, engine, sorts=True)
    with progress_bars() as progress:
        found = opened.evaluate(
            labels,
            columns=columns,
            sheet=sheet,
            verify=not no_verify,
            calibrate=calibrate,
            progress=progress,
        )
    for side, scores in found.items():
        if calibrate and scores is not None:
            if scores["calibrated"]:
                say(f"{side}: calibrated on the sheet, cross-fitted over dies.")
            else:
                warn(f"{side}: the sheet knows too few dies to calibrate on; scored without.")
    if as_json:
        print_json(found)
        return
    for side, scores in found.items():
        if scores is None:
            tell(f"{side}: no labels", bold=True)
        else:
            _print_side(side, scores)


def _print_side(side: str, scores: dict[str, Any]) -> None:
    tell(
        f"{side}: {counted(scores['n'], 'coin')}, {scores['labelled']} with a die in the sheet",
        bold=True,
    )
    tell(f"  {'':36}{'dieindex':>9}" + "".join(f"{n:>18}" for n in BASELINES.values()))
    for key, label in ROWS:
        line = f"  {label:36}{_number(scores.get(key)):>9}"
        for baseline in BASELINES:
            line += f"{_number(scores['baselines'][baseline].get(key)):>18}"
        tell(line.rstrip())


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
