"""``dieindex faces``: contact sheets of what was found on the photographs, and how it was
aligned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dieindex import api
from dieindex.commands.notes import say, warn
from dieindex.commands.shared import (
    force_option,
    index_option,
    json_option,
    print_json,
    progress_bars,
    quiet_option,
    side_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.records import SIDES, Side
from dieindex.text import counted


@click.command(
    short_help=VERBS["faces"],
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
    help="Draw the faces of DATA's index instead, aligned to their frames.",
)
@index_option
@side_option(text="The side of single pictures whose side neither sheet nor name tells.")
@force_option
@json_option
@quiet_option
def faces(
    data: Path,
    out: Path,
    aligned: bool,
    index: Path | None,
    side: Side | None,
    force: bool,
    as_json: bool,
) -> None:
    """Draw every photograph of DATA with the coins found on it, beside the faces cut out.

    Green circles were found for sure, amber ones were not. Wrong ones are corrected in
    overrides.csv in the folder (file,side,x,y,radius,rotate,swap,skip; pixels and degrees).

    With --aligned: every frame that the built index (--index, else that of DATA) found, with the
    mean of its faces and each of them as it lies, then those that lie on none.
    """
    if aligned:
        document = _draw_aligned(data, index, out, force)
    else:
        document = _draw(data, index, out, side, force)
    if as_json:
        print_json(document)


def _draw(
    data: Path, index: Path | None, out: Path, side: Side | None, force: bool
) -> dict[str, Any]:
    with progress_bars() as progress:
        overview = api.draw_photographs(data, out, side=side, force=force, progress=progress)
    for file, reason in overview.skipped:
        warn(f"{file} skipped: {reason}")
    pages = ", ".join(str(page) for page in overview.pages)
    say(f"{counted(overview.faces, 'face')}, {overview.unsure} of them not sure, drawn in {pages}")
    built = api.alignment_of(data, index)
    if built is not None:
        known = ", ".join(f"{built.aligned[each]} of {built.faces[each]} {each}s" for each in SIDES)
        say(f"In {built.index} {known} are aligned; --aligned draws them on their frames.")
    return {
        "pages": [str(page) for page in overview.pages],
        "faces": overview.faces,
        "unsure": overview.unsure,
        "skipped": [{"file": f, "reason": why} for f, why in overview.skipped],
    }


def _draw_aligned(data: Path, index: Path | None, out: Path, force: bool) -> dict[str, Any]:
    sheets, frames = api.draw_frames(data, out, index=index, force=force)
    for side in SIDES:
        say(
            f"{side}s: {sheets.aligned[side]} aligned on {counted(frames[side], 'frame')}, "
            f"{sheets.unaligned[side]} not aligned"
        )
    say(f"Drawn in {', '.join(str(page) for page in sheets.pages)}.")
    return {
        "pages": [str(page) for page in sheets.pages],
        "frames": frames,
        "aligned": sheets.aligned,
        "unaligned": sheets.unaligned,
    }
