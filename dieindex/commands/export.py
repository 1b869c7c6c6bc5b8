"""``dieindex export``: a reference to give away."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.notes import say
from dieindex.commands.shared import (
    index_option,
    json_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.errors import UsageError
from dieindex.records import SIDES
from dieindex.text import Message, counted


@click.command(
    short_help=VERBS["export"],
    epilog="\b\nExamples:\n"
    "  dieindex export --reference caracalla --licence CC-BY-4.0 --citation Keeper-2026\n"
    "  dieindex find auction.jpg --index caracalla",
)
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    required=True,
    metavar="OUT",
    help="The new folder to write.",
)
@click.option(
    "--coins",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="Coins of each die at most.",
)
@click.option("--pictures", is_flag=True, help="Give the faces' pictures along.")
@click.option("--title", default="", metavar="TEXT", help="What it is.")
@click.option("--citation", default="", metavar="TEXT", help="How it is to be cited.")
@click.option("--licence", default="", metavar="TEXT", help="Under which licence it is given.")
@index_option
@json_option
@quiet_option
def export(
    reference: Path,
    coins: int,
    pictures: bool,
    title: str,
    citation: str,
    licence: str,
    index: Path | None,
    as_json: bool,
) -> None:
    """Write a small index of your dies that `dieindex find` works on, to be given away.

    It holds some coins of each die: vectors, descriptors, die names, names and digests of the
    photographs, and no pictures but with --pictures.
    """
    opened = open_index(index, writes=True)
    try:
        with progress_bars() as progress:
            given = opened.export_reference(
                reference,
                coins_per_die=coins,
                pictures=pictures,
                title=title,
                citation=citation,
                licence=licence,
                progress=progress,
            )
    except UsageError as error:
        # (The folder is named by another option.)
        raise UsageError(Message(error).renamed("out", "reference")) from error
    if as_json:
        print_json(
            {
                "reference": str(given.folder),
                "coins": given.coins,
                "dies": dict(given.dies),
                "bytes": given.size,
            }
        )
    dies = " and ".join(counted(given.dies[side], f"{side} die") for side in SIDES)
    say(
        f"{counted(given.coins, 'coin')} of {dies} in {given.folder} ({given.size / 1e6:.1f} MB). "
        f"Look coins up in it: dieindex find PHOTO --index {given.folder}"
    )
