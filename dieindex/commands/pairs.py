"""``dieindex pairs``: every shortlisted pair with its probability."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.shared import (
    VERIFYING,
    index_option,
    no_verify_option,
    open_index,
    progress_bars,
    quiet_option,
    say,
    side_option,
)
from dieindex.records import Side


@click.command(
    short_help="Write every shortlisted pair.",
    epilog="\b\nExample:\n  dieindex pairs --side reverse --out pairs.csv",
)
@side_option(required=True, text="The side to compare.")
@index_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE.csv",
    help="The table to write: coin_a,coin_b,distance,probability,verdict.",
)
@no_verify_option
@quiet_option
def pairs(side: Side, index: Path | None, out: Path, no_verify: bool) -> None:
    """Write all shortlisted pairs of coins of one side, each unordered pair once.

    In collections of up to 600 coins that is every pair, in larger ones the 50 nearest of each,
    some drawn at random, and those that were looked at before.
    """
    from dieindex.files import check_writable

    check_writable(out)
    opened = open_index(index)
    with progress_bars(VERIFYING) as progress:
        found = opened.pairs(side, verify=not no_verify, progress=progress)
    found.to_csv(out)
    say(f"{len(found)} pairs of {len(found.coins)} coins in {out} (prior {found.prior:.4f})")
