"""``dieindex build``: photographs and sheet become an index."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex import api
from dieindex.commands.notes import is_quiet, say, tell, warn
from dieindex.commands.shared import (
    device_option,
    engine_option,
    json_option,
    labels_option,
    print_json,
    progress_bars,
    quiet_option,
    reading_document,
    sheet_options,
    side_option,
)
from dieindex.commands.verbs import VERBS
from dieindex.records import OBVERSE, REVERSE, SIDES, Side
from dieindex.text import counted, for_terminal


@click.command(
    short_help=VERBS["build"],
    epilog="\b\nExamples:\n  dieindex build data/\n"
    "  dieindex build hoard/ --labels dies.xlsx --index indexes/hoard\n"
    "  dieindex build singles/ --side reverse",
)
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--index",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the index goes [default: indexes/<name of DATA>].",
)
@labels_option
@click.option("--no-labels", is_flag=True, help="Use no sheet, whatever lies beside the pictures.")
@sheet_options
@side_option(text="The side of single pictures whose side neither sheet nor name tells.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Pictures worked on at once [default: cores, or workers].",
)
@engine_option
@device_option()
@click.option(
    "--any-rotation",
    is_flag=True,
    help="Look for every coin under all turns, not only where some lie turned; slower.",
)
@click.option("--prune", is_flag=True, help="Go on although many pictures have vanished.")
@click.option("--reencode", is_flag=True, help="Make an index of another encoder anew.")
@click.option("--strict", is_flag=True, help="Exit with 1 if any picture was skipped.")
@json_option
@quiet_option
def build(
    data: Path,
    index: Path | None,
    labels: Path | None,
    no_labels: bool,
    columns: str | None,
    sheet: str | None,
    side: Side | None,
    jobs: int | None,
    engine: str | None,
    device: str,
    any_rotation: bool,
    prune: bool,
    reencode: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Read the photographs below DATA, find, align and encode every face, and save the index.

    Only new and changed pictures are worked on. A build that was broken off goes on where it
    stopped when the same command is given again.
    """
    if no_labels and (labels or columns or sheet):
        raise click.UsageError("--no-labels leaves nothing to say of a sheet")
    with progress_bars() as progress:
        report = api.build(
            data,
            index,
            labels=False if no_labels else labels,
            columns=columns,
            sheet=sheet,
            side=side,
            jobs=jobs,
            engine=engine,
            device=device,
            prune=prune,
            reencode=reencode,
            any_rotation=any_rotation,
            progress=progress,
        ).report
    assert report is not None
    if as_json:
        print_json(
            {
                "coins": report.coins,
                "faces": report.faces,
                "frames": report.frames,
                "unaligned": report.unaligned,
                "skipped": [{"file": s.file, "reason": s.reason} for s in report.skipped],
                "warnings": [for_terminal(warning) for warning in report.warnings],
                "sheet": reading_document(report.sheet),
                "seconds": round(report.seconds, 3),
            }
        )
    _summary(report, as_json)
    return 1 if strict and report.skipped else 0


def _summary(report: api.BuildReport, as_json: bool) -> None:
    if report.sheet is not None:
        say(f"{report.sheet}.")
    for warning in report.warnings:
        warn(warning)
    for skipped in report.skipped:
        if not is_quiet():
            tell("Skipped: ", fg="red", nl=False, err=True)
            tell(f"{skipped.file}: {skipped.reason}", err=True)
    if report.unsure:
        faces = sum(report.faces[side] for side in SIDES)
        say(
            f"{report.unsure} of {counted(faces, 'face')} "
            f"{'was' if report.unsure == 1 else 'were'} not found for sure; look at them with "
            "`dieindex faces DATA --out sheet.png`, correct them in overrides.csv."
        )
    _say_unaligned(report)
    if as_json:
        return
    skipped_text = f", {counted(len(report.skipped), 'picture')} skipped" if report.skipped else ""
    new = "nothing new"
    if report.worked_on:
        new = f"{counted(report.worked_on, 'picture')} new or changed"
    elif report.encoded:
        new = f"{counted(report.encoded, 'face')} encoded"
    if not is_quiet():
        tell(
            f"{counted(report.coins, 'coin')}, {counted(report.faces[OBVERSE], OBVERSE)} and "
            f"{counted(report.faces[REVERSE], REVERSE)} in {report.folder} "
            f"({new}{skipped_text}; {report.seconds:.1f} s)"
        )


def _say_unaligned(report: api.BuildReport) -> None:
    """Faces that lie on no frame are in the index; what they miss is said."""
    for side in SIDES:
        reasons = report.unaligned[side]
        if reasons:
            listed = "; ".join(f"{count}: {reason}" for reason, count in reasons.items())
            say(
                f"Not aligned, so that nothing can be told of their dies: {sum(reasons.values())} "
                f"of {counted(report.faces[side], side)} ({listed}); look at them with "
                "`dieindex faces DATA --aligned --out sheet.png`."
            )
