"""Whether a change of the code has left every result as it was.

    python benchmarks/unchanged.py --out before.json             # this checkout, before the change
    python benchmarks/unchanged.py --out after.json --against before.json

The commands of a checkout (``--checkout DIR``, this one by default) build and cluster whole
collections: the sample in ``data/``, those named with ``--collection DIR``, and one rendered for it
(``--minted COINS``; of more than 600 coins, shortlists and sampled pairs decide). Recorded are
digests of the FAISS files, of the table of pairs and of the dies, and the documents that
``cluster``, ``evaluate`` and ``compare`` print. With ``--against`` every difference is named, and
the exit code is 1 where there is one. The rendered collection is kept in ``--work`` and rendered
once; its own digest is recorded too.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
SIDES = ("obverse", "reverse")
UNSTEADY = ("seconds", "index", "built", "out", "truth", "sheet")
"""Fields of documents that differ from run to run."""


def digest(*paths: Path) -> str:
    """Of files' contents, in their order."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def steady(document: Any) -> Any:
    """A document without what differs from run to run."""
    if isinstance(document, dict):
        return {key: steady(v) for key, v in document.items() if key not in UNSTEADY}
    return [steady(each) for each in document] if isinstance(document, list) else document


class Checkout:
    """The commands of one checkout, run as a user runs them."""

    def __init__(self, folder: Path) -> None:
        self._launcher = folder / "cli.py"

    def run(self, *arguments: object) -> str:
        """What a command prints. Raises CalledProcessError where it fails."""
        command = [sys.executable, str(self._launcher), *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def document(self, *arguments: object) -> Any:
        return steady(json.loads(self.run(*arguments, "--json", "--quiet")))


def results(checkout: Checkout, data: Path, index: Path) -> dict[str, Any]:
    """Everything that a collection yields, from photographs to dies."""
    shutil.rmtree(index, ignore_errors=True)
    found: dict[str, Any] = {"build": checkout.document("build", data, "--index", index)}
    for side in SIDES:
        if not found["build"]["faces"][side]:
            continue
        found[f"{side} vectors"] = digest(index / f"{side}.faiss")
        for name, options in (("pairs", ()), ("pairs by vectors", ("--no-verify",))):
            table = index.with_name(f"{index.name}-pairs.csv")
            table.unlink(missing_ok=True)
            checkout.run(
                "pairs", "--side", side, "--index", index, "--out", table, "--quiet", *options
            )
            found[f"{side} {name}"] = digest(table)
    dies = index.with_name(f"{index.name}-dies.csv")
    dies.unlink(missing_ok=True)
    chosen = ("--side", "both", "--index", index)
    found["cluster"] = checkout.document("cluster", *chosen, "--out", dies)
    found["dies"] = digest(dies)
    found["cluster, other side"] = checkout.document("cluster", *chosen, "--other-side", "--look")
    found["cluster by vectors"] = checkout.document("cluster", *chosen, "--no-verify")
    if found["cluster"][next(iter(found["cluster"]))]["scores"] is not None:
        found["evaluate"] = checkout.document("evaluate", "--index", index)
        found["trusted"] = checkout.document("cluster", *chosen, "--trust-sheet", "--look")
    clusters = next(iter(found["cluster"].values()))["clusters"]
    coins = sorted(coin for each in clusters.values() for coin in each)
    found["compare"] = [
        checkout.document("compare", a, b, "--index", index)
        for a, b in itertools.pairwise(coins[:5])
    ]
    pictures = sorted(p for p in data.rglob("*") if p.suffix.lower() in (".jpg", ".png"))[:2]
    found["compare files"] = checkout.document("compare", *pictures)
    return found


def minted(checkout: Checkout, work: Path, coins: int) -> Path:
    """A rendered collection of so many coins, rendered where it is not there yet."""
    data = work / f"minted-{coins}"
    if not (data / "truth.csv").exists():
        shutil.rmtree(data, ignore_errors=True)
        dies = ("--obverse-dies", coins // 4, "--reverse-dies", coins * 3 // 8)
        checkout.run("mint", data, "--coins", coins, *dies, "--seed", 7, "--jobs", 2)
    return data


def small_mint(checkout: Checkout, work: Path) -> str:
    """Digest of the pictures of a few coins of several types, rendered anew."""
    data = work / "minted-small"
    shutil.rmtree(data, ignore_errors=True)
    some = ("--coins", 16, "--obverse-dies", 6, "--reverse-dies", 8, "--types", 3)
    checkout.run("mint", data, *some, "--difficulty", "hard", "--seed", 3, "--duplicates", "0.2")
    return digest(*sorted((data / "images").iterdir()))


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """Every place where two records differ, numbers compared digit by digit."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(dict.fromkeys([*before, *after]))
        return [
            line
            for key in keys
            for line in differences(before.get(key), after.get(key), f"{where} / {key}")
        ]
    if before == after:
        return []
    shown = " -> ".join(json.dumps(each, ensure_ascii=False)[:90] for each in (before, after))
    return [f"{where.removeprefix(' / ')}: {shown}"]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--checkout", type=Path, default=HERE)
    parser.add_argument("--collection", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--minted", type=int, metavar="COINS", help="also a rendered collection")
    parser.add_argument("--work", type=Path, default=Path("runs/unchanged"))
    parser.add_argument("--out", type=Path, required=True, help="write the record there (JSON)")
    parser.add_argument("--against", type=Path, help="a record to compare with")
    given = parser.parse_args(arguments)
    given.work.mkdir(parents=True, exist_ok=True)
    checkout = Checkout(given.checkout.resolve())
    before = json.loads(given.against.read_text("utf-8")) if given.against else None
    record: dict[str, Any] = {}
    different: list[str] = []

    def keep(name: str, found: Any, began: float) -> None:
        record[name] = found
        given.out.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
        lines = [] if before is None else differences(before.get(name), found, name)
        different.extend(lines)
        state = "recorded" if before is None else f"{len(lines)} differences"
        print(f"{name}: {state} ({time.monotonic() - began:.0f} s)", flush=True)
        for line in lines:
            print(f"  {line}", flush=True)

    began = time.monotonic()
    keep("mint", small_mint(checkout, given.work), began)
    collections = [HERE / "data", *(each.resolve() for each in given.collection)]
    if given.minted:
        collections.append(minted(checkout, given.work, given.minted).resolve())
    for data in collections:
        began = time.monotonic()
        index = given.work / f"{given.out.stem}-{data.name}"
        keep(data.name, results(checkout, data, index), began)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
