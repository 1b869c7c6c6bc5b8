"""``dieindex cluster``: the whole collection, die by die."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dieindex.commands.shared import (
    VERIFYING,
    calibrate_option,
    index_option,
    json_option,
    no_verify_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
    say,
    side_option,
    sides_of,
)

if TYPE_CHECKING:
    from dieindex.api import Dies

SCORE_NAMES = {
    "ari": "adjusted Rand index",
    "ami": "adjusted mutual information",
    "pair_precision": "pair precision",
    "pair_recall": "pair recall",
    "pair_f1": "pair F1",
    "dies_true": "dies in the sheet",
    "dies_found": "dies found",
}


@click.command(
    short_help="Sort the whole collection into dies.",
    epilog="\b\nExamples:\n  dieindex cluster --side obverse\n"
    "  dieindex cluster --side both --out dies.xlsx",
)
@side_option(required=True, both=True, text="The side to sort, or both.")
@index_option
@no_verify_option
@calibrate_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv|.xlsx",
    help="Write coin,side,die,certainty.",
)
@json_option
@quiet_option
def cluster(
    side: str,
    index: Path | None,
    no_verify: bool,
    calibrate: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Sort a collection's coins into putative dies; every coin is in exactly one.

    The number of dies is found, not given. Where the sheet names dies, the result is scored
    against it; the sheet moves no coin.
    """
    from dieindex.api import write_dies

    if out is not None and out.suffix.lower() not in (".csv", ".xlsx"):
        raise click.BadParameter(f"{out}: write to a .csv or .xlsx file.", param_hint="--out")
    opened = open_index(index)
    with progress_bars(VERIFYING) as progress:
        found = [
            opened.cluster(
                each,
                verify=not no_verify,
                calibrate=calibrate,
                progress=partial(progress, each),
            )
            for each in sides_of(side)
        ]
    if calibrate:
        say("Calibrated on the sheet, cross-fitted over dies: none judged by its own labels.")
    found = [dies for dies in found if dies.coins]
    if not found:
        say(f"No coin of this index shows its {side}.")
    if out is not None:
        write_dies(found, out)
        say(f"Written to {out}.")
    if as_json:
        print_json({dies.side: _document(dies) for dies in found})
        return
    for dies in found:
        _print_dies(dies)


def _document(dies: Dies) -> dict[str, Any]:
    clusters = dies.clusters
    return {
        "coins": len(dies.coins),
        "dies": len(clusters),
        "clusters": clusters,
        "scores": dies.score(),
    }


def _print_dies(dies: Dies) -> None:
    clusters = dies.clusters
    singletons = sum(len(coins) == 1 for coins in clusters.values())
    click.secho(
        f"{dies.side}: {len(dies.coins)} coins, {len(clusters)} dies, "
        f"{singletons} of them known from one coin",
        bold=True,
    )
    for name, coins in clusters.items():
        if len(coins) > 1:
            click.echo(f"  {name:5} {len(coins):4} coins: {', '.join(coins)}")
    scores = dies.score()
    if scores:
        click.echo("  scores against the sheet:")
        for key, label in SCORE_NAMES.items():
            value = scores[key]
            shown = "-" if value is None else str(value)
            if isinstance(value, float):
                shown = f"{value:.3f}"
            click.echo(f"    {label:28} {shown}")
