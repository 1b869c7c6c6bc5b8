"""``dieindex faces``: a contact sheet of what was found on the photographs."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.shared import progress_bar, quiet_option, say, side_option, warn
from dieindex.records import Side


@click.command(
    short_help="Draw what was found on the photographs.",
    epilog="\b\nExample:\n  dieindex faces data/ --out sheet.png",
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="SHEET.png",
    help="The picture to write; large collections go on in SHEET-2.png and so on.",
)
@side_option(text="The side of single pictures whose side neither sheet nor name tells.")
@quiet_option
def faces(data: Path, out: Path, side: Side | None) -> None:
    """Draw every photograph of DATA with the coins found on it, beside the faces cut out.

    Green circles were found for sure, amber ones were not. Wrong ones are corrected in
    overrides.csv in the folder (file,side,x,y,radius,rotate,swap,skip; pixels and degrees).
    """
    from dieindex.collection.overview import draw_overview

    with progress_bar("Looking", "pictures") as progress:
        overview = draw_overview(data, out, side, progress)
    for file, reason in overview.skipped:
        warn(f"{file} skipped: {reason}")
    pages = ", ".join(str(page) for page in overview.pages)
    say(f"{overview.faces} faces, {overview.unsure} of them not sure, drawn in {pages}")
