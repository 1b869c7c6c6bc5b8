"""The command line's entrance: finds the verb, and turns errors into one line and an exit code."""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Any

import click

from dieindex.commands.notes import keep_quiet, logged_notes, tell
from dieindex.commands.verbs import VERBS
from dieindex.errors import DieIndexError, is_out_of_memory
from dieindex.version import VERSION

EXAMPLES = """\b
Examples:
  dieindex build data/                 photographs and sheet become an index
  dieindex compare 12 57               do these two coins share a die?
  dieindex compare a.jpg b.jpg         the same of two picture files
  dieindex cluster --side obverse      the whole collection, die by die
  dieindex verdict 12 57 same --side obverse
                                       what you see counts more than what the machine sees
  dieindex evaluate                    scores against the sheet
  dieindex study --out study/          the published form: links, estimates, catalogue, report
"""


class _Verbs(click.Group):
    """Imports a verb's module only when that verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module(f"dieindex.commands.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            if near:
                raise click.UsageError(
                    f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx
                ) from error
            raise


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@click.version_option(VERSION, prog_name="dieindex")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
@click.pass_context
def cli(ctx: click.Context, quiet: bool) -> None:
    """Tell which ancient coins were struck by the same die.

    Results go to standard output, all else to standard error. Exit code 0: done; 1: the work
    failed; 2: wrong usage.
    """
    if quiet:
        keep_quiet()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; no traceback reaches the user (``DIEINDEX_DEBUG=1`` asks for
    one)."""
    code = run(arguments)
    if threading.active_count() > 1:
        # A broken-off build's workers are still busy; they write nothing: nobody waits for them.
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # Pillow warns of damaged tags; what matters about a picture is said in our own words.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        with logged_notes():
            result: Any = cli.main(
                args=None if arguments is None else list(arguments),
                prog_name="dieindex",
                standalone_mode=False,
            )
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        for line in shown.getvalue().removesuffix("\n").split("\n"):
            tell(line, err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say_error("Interrupted. What was finished is kept; run the same command again to go on.")
        return 1
    except DieIndexError as error:
        _say_error(error.terminal)
        return error.exit_code
    except BrokenPipeError:
        # The reader of a pipe has gone; without this Python complains once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("DIEINDEX_DEBUG"):
            raise
        if is_out_of_memory(error):
            _say_error(
                "There is not enough memory left for this work. Close other programs, or let fewer "
                "pictures be worked on at once (--jobs 1). What was finished is saved."
            )
            return 1
        _say_error(
            f"Unexpected {type(error).__name__}: {error}. This is a fault of dieindex; "
            "please report it with the output of the same command after DIEINDEX_DEBUG=1."
        )
        return 1


def _say_error(message: str) -> None:
    tell("Error: ", fg="red", bold=True, nl=False, err=True)
    tell(" ".join(message.split()), err=True)


if __name__ == "__main__":
    main()
