"""``dieindex faces``: contact sheets of what was found on the photographs, and how it was laid."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.shared import (
    counted,
    index_option,
    progress_bars,
    quiet_option,
    say,
    side_option,
    warn,
)
from dieindex.records import SIDES, Side


@click.command(
    short_help="Draw what was found on the photographs.",
    epilog="\b\nExamples:\n  dieindex faces data/ --out sheet.png\n"
    "  dieindex faces data/ --aligned --out frames.png",
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="SHEET.png",
    help="The picture to write; large collections go on in SHEET-2.png and so on.",
)
@click.option(
    "--aligned",
    is_flag=True,
    help="Draw the faces of DATA's index instead, as they were laid on their frames.",
)
@index_option
@side_option(text="The side of single pictures whose side neither sheet nor name tells.")
@quiet_option
def faces(data: Path, out: Path, aligned: bool, index: Path | None, side: Side | None) -> None:
    """Draw every photograph of DATA with the coins found on it, beside the faces cut out.

    Green circles were found for sure, amber ones were not. Wrong ones are corrected in
    overrides.csv in the folder (file,side,x,y,radius,rotate,swap,skip; pixels and degrees).

    With --aligned: every frame that the built index (--index, else that of DATA) found, with the
    mean of its faces and each of them as it lies, then those that lie on none.
    """
    from dieindex.storage.folder import default_index_folder

    folder = index or default_index_folder(data)
    if aligned:
        _draw_aligned(folder, out)
        return
    from dieindex.collection.overview import write_overview

    with progress_bars({"cutting": ("Looking", "pictures")}) as progress:
        overview = write_overview(data, out, side, progress)
    for file, reason in overview.skipped:
        warn(f"{file} skipped: {reason}")
    pages = ", ".join(str(page) for page in overview.pages)
    say(f"{overview.faces} faces, {overview.unsure} of them not sure, drawn in {pages}")
    _say_how_they_lie(data, folder)


def _draw_aligned(folder: Path, out: Path) -> None:
    from dieindex.indexing.frame_sheet import draw_frames
    from dieindex.storage.catalogue import Catalogue

    with Catalogue.open(folder) as catalogue:
        sheets = draw_frames(catalogue, out)
        frames = {side: catalogue.frame_count(side) for side in SIDES}
    for side in SIDES:
        say(
            f"{side}s: {sheets.aligned[side]} aligned on {counted(frames[side], 'frame')}, "
            f"{sheets.unaligned[side]} not aligned"
        )
    say(f"Drawn in {', '.join(str(page) for page in sheets.pages)}.")


def _say_how_they_lie(data: Path, folder: Path) -> None:
    """Where DATA has an index, what became of its faces there."""
    from dieindex.storage.catalogue import Catalogue
    from dieindex.storage.folder import CATALOGUE_NAME

    if not (folder / CATALOGUE_NAME).is_file():
        return
    with Catalogue.open(folder) as catalogue:
        if catalogue.meta("data") != str(data.resolve()):
            return
        counts = catalogue.counts()
        known = ", ".join(
            f"{catalogue.aligned_count(side)} of {counts[side]} {side}s" for side in SIDES
        )
    say(f"In {folder} {known} are aligned; --aligned draws them on their frames.")
