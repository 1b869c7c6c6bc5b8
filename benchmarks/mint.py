"""Measures of the mint: difficulty by an outside measure, realism, and speed.

    python benchmarks/mint.py peer --types 5 --difficulty medium
    python benchmarks/mint.py statistics --real ../shared/data/real
    python benchmarks/mint.py critic --real ../shared/data/real
    python benchmarks/mint.py speed
    python benchmarks/mint.py sheets docs/pictures

The real photographs are only measured: even-numbered ones may guide changes of the mint,
odd-numbered ones report. Run from the root of the checkout.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import mint_peer
import mint_realism
import mint_sheets
import mint_speed

from dieindex.evaluation.matcher import matcher_names
from dieindex.mint.difficulty import DIFFICULTIES
from dieindex.mint.order import DIFFICULTY_NAMES
from dieindex.records import SIDES


def parser() -> argparse.ArgumentParser:
    """The command line of the benchmark."""
    root = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    verbs = root.add_subparsers(required=True)
    verb = verbs.add_parser("peer", help="AP of the tuned peer over all pairs")
    verb.add_argument("--types", type=int, default=5)
    verb.add_argument("--first-seed", type=int, default=101)
    verb.add_argument("--coins", type=int, default=91)
    verb.add_argument(
        "--difficulty", nargs="+", choices=DIFFICULTY_NAMES, default=tuple(DIFFICULTIES)
    )
    verb.add_argument("--side", choices=[*SIDES, "both", "alternate"], default="both")
    verb.add_argument("--share", type=float, default=1.0, help="of the different-die pairs")
    verb.add_argument("--method", choices=matcher_names(), default="xfeat")
    verb.add_argument("--jobs", type=int, default=2)
    verb.set_defaults(run=mint_peer.peer)
    verb = verbs.add_parser("statistics", help="plain statistics, rendered against real")
    verb.add_argument("--real", type=Path, default=Path("../shared/data/real"))
    verb.add_argument("--collections", type=int, default=24)
    verb.add_argument("--jobs", type=int, default=2)
    verb.set_defaults(run=mint_realism.statistics)
    verb = verbs.add_parser("critic", help="what a classifier tells rendered from real by")
    verb.add_argument("--real", type=Path, default=Path("../shared/data/real"))
    verb.add_argument("--collections", type=int, default=24)
    verb.add_argument("--jobs", type=int, default=2)
    verb.add_argument("--out", type=Path, help="picture of the most and least telling faces")
    verb.set_defaults(run=mint_realism.critic)
    verb = verbs.add_parser("speed", help="faces a second of the stream, with a profile")
    verb.add_argument("--size", type=int, default=256)
    verb.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    verb.add_argument("--processes", type=int, default=2)
    verb.add_argument("--device", default="cpu")
    verb.add_argument("--lines", type=int, default=30)
    verb.set_defaults(run=mint_speed.speed)
    verb = verbs.add_parser("sheets", help="contact sheets")
    verb.add_argument("out", type=Path)
    verb.add_argument("--seed", type=int, default=1)
    verb.set_defaults(run=lambda given: mint_sheets.render_all(given.out, given.seed))
    return root


def main() -> None:
    """Run the benchmark named on the command line."""
    arguments = parser().parse_args()
    start = time.monotonic()
    arguments.run(arguments)
    print(f"({time.monotonic() - start:.0f} s)", file=sys.stderr)


if __name__ == "__main__":
    main()
