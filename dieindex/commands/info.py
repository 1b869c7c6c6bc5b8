"""``dieindex info``: what is in an index."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.notes import say, tell
from dieindex.commands.shared import (
    engine_option,
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
from dieindex.records import SIDES, Side
from dieindex.text import counted


@click.command(
    short_help=VERBS["info"],
    epilog="\b\nExamples:\n  dieindex info --index indexes/data\n"
    "  dieindex info --picture scores.svg",
)
@index_option
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.png|.svg",
    help="Draw why coins are joined: how the scores of pairs lie, and from where on two are one "
    "die. Compares what pairs were not compared.",
)
@side_option(text="With --picture: this side only.")
@force_option
@engine_option
@json_option
@quiet_option
def info(
    index: Path | None,
    picture: Path | None,
    side: Side | None,
    engine: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Tell what an index holds and how it was built."""
    if side is not None and picture is None:
        raise click.UsageError("--side goes with --picture.")
    opened = open_index(index, engine, verifies=picture is not None)
    if picture is not None:
        with progress_bars() as progress:
            opened.draw_scores(picture, side, force=force, progress=progress)
        say(f"Drawn in {picture}.")
    found = opened.info()
    if as_json:
        print_json(found)
        return
    faces = ", ".join(counted(found["faces"][side], side) for side in SIDES)
    labelled = ", ".join(counted(found["labelled"][side], side) for side in SIDES)
    built = f"{found['built']} (complete)" if found["complete"] else "not finished"
    tell(f"index       {found['index']}")
    if found["reference"] is None:
        tell(f"collection  {found['data']}")
    else:
        about = found["reference"]
        for name in ("title", "citation", "licence"):
            if about[name]:
                tell(f"{name:12}{about[name]}")
        tell(f"reference   to look coins up in; made by {about['made_by']}, {about['made']}")
    tell(f"built       {built}")
    tell(f"encoder     {found['encoder']}")
    tell(
        f"distances   decision at {found['threshold']:.3f}, "
        f"shortlists up to {found['shortlist_radius']:.3f}"
    )
    tell(f"coins       {found['coins']}")
    tell(f"faces       {faces}; {found['unsure_faces']} not found for sure")
    for side in SIDES:
        turned = ", turned by any angle" if found["any_rotation"] else ""
        tell(
            f"aligned     {found['aligned'][side]} of {found['faces'][side]} {side}s "
            f"on {counted(found['frames'][side], 'frame')}{turned}"
        )
        for reason, count in found["unaligned"][side].items():
            tell(f"not aligned {counted(count, side)}: {reason}")
    tell(f"photographs {found['photographs']}, {found['absent']} absent")
    tell(f"labelled    {labelled}")
    for skipped in found["skipped"]:
        tell(f"skipped     {skipped['file']}: {skipped['reason']}")
