"""``dieindex review``: the workbench in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from dieindex import api
from dieindex.commands.notes import say, warn
from dieindex.commands.shared import index_option, quiet_option
from dieindex.commands.verbs import VERBS
from dieindex.errors import IndexFolderError


@click.command(
    short_help=VERBS["review"],
    epilog="\b\nExamples:\n  dieindex review\n  dieindex review hoard/\n"
    "  dieindex review --index indexes/hoard --port 8500",
)
@click.argument(
    "data", type=click.Path(path_type=Path, file_okay=False, exists=True), required=False
)
@index_option
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Its port [default: 8420, or the next free]."
)
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="NAME",
    help="Serve others, too, at this name of this machine [default: this machine alone].",
)
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@quiet_option
def review(
    data: Path | None, index: Path | None, port: int | None, host: str, no_browser: bool
) -> None:
    """Open the workbench: look at pairs, sort dies, correct faces, write the study, in the browser.

    Serves the index of DATA, or the one named, to this machine alone until it is interrupted
    (Ctrl-C); without an index, it begins with building one. The address is printed as one line;
    the secret in it lets its owner in, and nobody else. Every answer is kept as it is given.
    """
    from dieindex.workbench.serve import is_loopback, serve

    folder: Path | None = None
    if index is not None or data is None:
        try:
            folder, note = api.find_index(index)
            if note:
                say(note)
        except IndexFolderError:
            if index is not None:
                raise
            say("No index yet: choose the folder of your photographs in the browser.")
    else:
        folder = api.index_of(data)
    if not is_loopback(host):
        warn(
            f"whoever can reach {host} on the network and has the address with its secret can see "
            "this collection and answer; what is sent is not encrypted. Use it in a network you "
            "trust, or through an SSH tunnel."
        )
    serve(folder, data, host=host, port=port, browser=not no_browser, announce=click.echo)
