"""``dieindex info``: what is in an index."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex.commands.shared import (
    index_option,
    json_option,
    open_index,
    print_json,
    quiet_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.records import SIDES
from dieindex.text import counted


@click.command(
    short_help=VERBS["info"], epilog="\b\nExample:\n  dieindex info --index indexes/data"
)
@index_option
@json_option
@quiet_option
def info(index: Path | None, as_json: bool) -> None:
    """Tell what an index holds and how it was built."""
    found = open_index(index).info()
    if as_json:
        print_json(found)
        return
    faces = ", ".join(counted(found["faces"][side], side) for side in SIDES)
    labelled = ", ".join(counted(found["labelled"][side], side) for side in SIDES)
    state = "complete" if found["complete"] else "broken off; run the build again"
    click.echo(f"index       {found['index']}")
    click.echo(f"collection  {found['data']}")
    click.echo(f"built       {found['built']} ({state})")
    click.echo(f"encoder     {found['encoder']}")
    click.echo(
        f"distances   decision at {found['threshold']:.3f}, "
        f"shortlists up to {found['shortlist_radius']:.3f}"
    )
    click.echo(f"coins       {found['coins']}")
    click.echo(f"faces       {faces}; {found['unsure_faces']} not found for sure")
    for side in SIDES:
        turned = ", turned by any angle" if found["any_rotation"] else ""
        click.echo(
            f"aligned     {found['aligned'][side]} of {found['faces'][side]} {side}s "
            f"on {counted(found['frames'][side], 'frame')}{turned}"
        )
        for reason, count in found["unaligned"][side].items():
            click.echo(f"not aligned {counted(count, side)}: {reason}")
    click.echo(f"photographs {found['photographs']}, {found['absent']} absent")
    click.echo(f"labelled    {labelled}")
    for skipped in found["skipped"]:
        click.echo(f"skipped     {skipped['file']}: {skipped['reason']}")
