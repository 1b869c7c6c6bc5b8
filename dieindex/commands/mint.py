"""``dieindex mint``: render a collection whose dies are known."""

from __future__ import annotations

import time
from pathlib import Path

import click

from dieindex.commands.notes import tell
from dieindex.commands.shared import json_option, print_json, progress_bars, quiet_option
from dieindex.commands.verbs import VERBS
from dieindex.mint.order import DIFFICULTY_NAMES, LAYOUTS, CollectionOrder, Layout
from dieindex.text import counted

_EPILOG = """\b
Examples:
  dieindex mint rendered/
  dieindex mint rendered/ --coins 300 --obverse-dies 60 --reverse-dies 90 --difficulty hard
  dieindex mint rendered/ --obverse-kind laureate --reverse-kind eagle --layout separate
"""


@click.command(short_help=VERBS["mint"], epilog=_EPILOG)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--coins", default=91, show_default=True, help="Number of coins.")
@click.option("--obverse-dies", default=24, show_default=True, help="Number of obverse dies.")
@click.option("--reverse-dies", default=34, show_default=True, help="Number of reverse dies.")
@click.option(
    "--difficulty",
    type=click.Choice(DIFFICULTY_NAMES),
    default="medium",
    show_default=True,
    help="How worn the coins are and how far apart their photographs.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same collection.")
@click.option("--types", default=1, show_default=True, help="Number of reverse designs.")
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="pair",
    show_default=True,
    help="One picture a coin with both sides, or one picture a side.",
)
@click.option("--obverse-kind", help="Design of the obverse (left to the seed if not given).")
@click.option("--reverse-kind", help="Design of the reverse (left to the seed if not given).")
@click.option(
    "--die-distance",
    default=1.0,
    show_default=True,
    help="How unlike the dies of one type are; below 1 they are more alike.",
)
@click.option(
    "--duplicates",
    default=0.0,
    show_default=True,
    help="Share (0 to 1) of coins photographed twice.",
)
@click.option(
    "--years-later",
    default=0.0,
    show_default=True,
    help="Share (0 to 1) of the second photographs taken when the coin had aged.",
)
@click.option(
    "--swapped",
    default=0.0,
    show_default=True,
    help="Share (0 to 1) of photographs with the sides exchanged.",
)
@click.option("--jobs", default=1, show_default=True, help="Processes at work.")
@json_option
@quiet_option
def mint(
    out: Path,
    coins: int,
    obverse_dies: int,
    reverse_dies: int,
    difficulty: str,
    seed: int,
    types: int,
    layout: Layout,
    obverse_kind: str | None,
    reverse_kind: str | None,
    die_distance: float,
    duplicates: float,
    years_later: float,
    swapped: float,
    jobs: int,
    as_json: bool,
) -> None:
    """Strike and photograph coins with known dies into the new or empty folder OUT.

    Writes OUT/images, the sheet OUT/dies.xlsx, and OUT/truth.csv with everything that is known
    of each face.
    """
    # (Minting loads torch and OpenCV.)
    from dieindex.mint.collections import mint_collection

    order = CollectionOrder(
        coins=coins,
        obverse_dies=obverse_dies,
        reverse_dies=reverse_dies,
        difficulty=difficulty,
        seed=seed,
        types=types,
        layout=layout,
        obverse_kind=obverse_kind,
        reverse_kind=reverse_kind,
        die_distance=die_distance,
        duplicates=duplicates,
        years_later=years_later,
        swapped=swapped,
    )
    start = time.monotonic()
    with progress_bars() as progress:
        minted = mint_collection(out, order, jobs=jobs, progress=progress)
    seconds = time.monotonic() - start
    if as_json:
        print_json(
            {
                "out": str(out),
                "coins": minted.coins,
                "pictures": minted.pictures,
                "dies": {"obverse": minted.obverse_dies, "reverse": minted.reverse_dies},
                "sheet": str(minted.sheet),
                "truth": str(minted.truth),
                "seconds": round(seconds, 2),
            }
        )
        return
    tell(
        f"{counted(minted.coins, 'coin')} of {minted.obverse_dies} obverse and "
        f"{counted(minted.reverse_dies, 'reverse die')} in {counted(minted.pictures, 'picture')}: "
        f"{out} ({seconds:.0f} s)"
    )
