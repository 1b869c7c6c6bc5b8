"""``dieindex pairs``: every shortlisted pair with its probability."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.api import check_pairs_table
from dieindex.commands.notes import say
from dieindex.commands.shared import (
    engine_option,
    force_option,
    index_option,
    json_option,
    no_verify_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
    side_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.errors import CollectionError
from dieindex.records import Side
from dieindex.text import counted


@click.command(
    short_help=VERBS["pairs"],
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
@engine_option
@force_option
@json_option
@quiet_option
def pairs(
    side: Side,
    index: Path | None,
    out: Path,
    no_verify: bool,
    engine: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write all shortlisted pairs of coins of one side, each unordered pair once.

    In collections of up to 600 coins that is every pair, in larger ones the 50 nearest of each on
    its frame, some sampled at random, and those that were compared before. The table is the result;
    --json tells how many pairs it holds, and the prior that their probabilities assume.
    """
    check_pairs_table(out, force=True)  # its name alone, as in cluster
    opened = open_index(index, engine, writes=True)
    check_pairs_table(out, force=force, sources=opened.sources)
    with progress_bars() as progress:
        found = opened.pairs(side, verify=not no_verify, progress=progress)
    if not len(found) and out.exists():
        raise CollectionError(
            f"There is no pair to write: {counted(len(found.coins), side)} in this index. "
            f"{out} was not changed."
        )
    found.to_csv(out, force=force)
    if as_json:
        print_json(
            {
                "side": side,
                "coins": len(found.coins),
                "pairs": len(found),
                "prior": found.prior,
                "out": str(out),
            }
        )
    say(
        f"{counted(len(found), 'pair')} of {counted(len(found.coins), 'coin')} in {out} "
        f"(prior {found.prior:.4f})"
    )
