"""``dieindex find``: which die of the index struck this coin, or a new one?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dieindex.api import Found, Index, is_picture_name
from dieindex.commands.notes import tell, warn
from dieindex.commands.shared import (
    force_option,
    index_option,
    json_option,
    open_index,
    print_json,
    progress_bars,
    quiet_option,
    side_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.errors import PictureError, UsageError
from dieindex.records import Side
from dieindex.text import Parameter, counted


@click.command(
    short_help=VERBS["find"],
    epilog="\b\nExamples:\n  dieindex find auction.jpg\n"
    "  dieindex find lot12.jpg lot13.jpg --top 3 --json\n"
    "  dieindex find reverse.jpg --side reverse --picture found.png",
)
@click.argument(
    "photos", nargs=-1, required=True, metavar="PHOTO…", type=click.Path(path_type=Path)
)
@index_option
@side_option(text="The side of pictures that show a single one [default: whichever fits].")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Dies named for each side.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.png",
    help="Draw one photograph beside its three likeliest dies.",
)
@force_option
@json_option
@quiet_option
def find(
    photos: tuple[Path, ...],
    index: Path | None,
    side: Side | None,
    top: int,
    picture: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Say for each side of PHOTO… which die of the index struck it, or that none did.

    The photographs are of coins that are not in the index, which is not changed.
    """
    if picture is not None and len(photos) > 1:
        raise UsageError(Parameter("picture", picture), " shows one photograph; give one.")
    opened = open_index(index)
    found, failed = _found(opened, photos, side, top)
    if as_json:
        print_json([_document(each) for each in found])
    else:
        for each in found:
            _print(each)
    # (What is known is told also where there is nothing to draw.)
    if picture is not None:
        opened.draw_found(found, picture, force=force)
    if failed and len(photos) > 1:
        warn(f"{counted(failed, 'photograph')} of {len(photos)} could not be used.")


def _found(
    index: Index, photos: tuple[Path, ...], side: Side | None, top: int
) -> tuple[list[Found], int]:
    """Of all photographs; one that cannot be used stops no other, and is told in its place."""
    found: list[Found] = []
    failed = 0
    with progress_bars() as progress:
        for photo in photos:
            try:
                found += index.find(photo, side, top=top, progress=progress)
            except PictureError as error:
                if len(photos) == 1:
                    raise
                failed += 1
                found.append(Found(str(photo), side, None, reason=str(error)))
    return found, failed


def _document(found: Found) -> dict[str, Any]:
    return {
        "photo": found.photo,
        "side": found.side,
        "new_die": found.new_die,
        "dies": [
            {
                "die": each.die,
                "probability": each.probability,
                "nearest": each.nearest,
                "coins": each.coins,
            }
            for each in found.dies
        ],
        "reason": found.reason,
        "known_as": found.known_as,
    }


def _print(found: Found) -> None:
    name = Path(found.photo).name if is_picture_name(found.photo) else found.photo
    tell(f"{name}  {found.side or ''}".rstrip(), bold=True)
    if found.known_as is not None:
        tell(f"  the index has this very file: coin {found.known_as}, which is left out here")
    if found.new_die is None:
        tell(f"  cannot tell: {found.reason}", fg="yellow")
        return
    rows = [(each.probability, each.die, _of(each.coins, each.nearest)) for each in found.dies]
    rows.append((found.new_die, "a new die", ""))
    best = max(probability for probability, _, _ in rows)
    for probability, die, of in sorted(rows, key=lambda row: -row[0]):
        tell(f"  {probability:5.2f}  {die:10}  {of}".rstrip(), bold=probability == best)


def _of(coins: int, nearest: str) -> str:
    return f"{counted(coins, 'coin')}, nearest {nearest}"
