"""How many JPEGs of which a part is broken are noticed, and how many whole ones are called broken.

    python benchmarks/broken_jpegs.py data/images
    python benchmarks/broken_jpegs.py data/images DIR DIR --out FILE

Every whole JPEG of the folders is decoded as ``build`` does; then, of as many as ``--files`` of
each folder, a stretch of 20 to 400 bytes is left out, doubled or overwritten at random, a sector of
512 or 4,096 bytes is zeroed, or bits are turned, in the coded picture, with a fixed seed.
``noticed``: the picture is refused or said to be damaged; ``decoder``: by the decoder's errors and
warnings alone; ``harmful``: of those not noticed, in which more than 2 % of the pixels are off by
more than 6 of 255 levels (a turned bit is often seen by nobody).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import simplejpeg

from dieindex.collection.pictures import read_picture
from dieindex.errors import PictureError

Break = Callable[[bytearray, random.Random], bytearray]


def _inside(data: bytearray, rng: random.Random) -> int:
    """A place in the coded picture, far from its headers and its end."""
    return len(data) // 3 + rng.randrange(len(data) // 2)


def missing(data: bytearray, rng: random.Random) -> bytearray:
    at = _inside(data, rng)
    return data[:at] + data[at + rng.randrange(20, 400) :]


def doubled(data: bytearray, rng: random.Random) -> bytearray:
    at = _inside(data, rng)
    return data[:at] + data[at - rng.randrange(20, 400) :]


def overwritten(data: bytearray, rng: random.Random) -> bytearray:
    at, length = _inside(data, rng), rng.randrange(20, 400)
    return data[:at] + rng.randbytes(length) + data[at + length :]


def zeroed(data: bytearray, rng: random.Random) -> bytearray:
    at, length = _inside(data, rng), rng.choice([512, 4096])
    return data[:at] + bytes(length) + data[at + length :]


def bits(count: int) -> Break:
    def turned(data: bytearray, rng: random.Random) -> bytearray:
        for _ in range(count):
            data[_inside(data, rng)] ^= 1 << rng.randrange(8)
        return data

    return turned


BREAKS: dict[str, Break] = {
    "missing": missing,
    "doubled": doubled,
    "overwritten": overwritten,
    "zeroed": zeroed,
    "8 bits": bits(8),
    "1 bit": bits(1),
}


def pixels(path: Path) -> tuple[np.ndarray | None, bool]:
    """The picture, if it is read at all, and whether it is said to be damaged."""
    try:
        decoded = read_picture(path)
    except PictureError:
        return None, True
    return decoded.picture, decoded.damage is not None


def warned(data: bytes) -> bool:
    try:
        simplejpeg.decode_jpeg(data, "GRAY", strict=True)
    except ValueError:
        return True
    return False


def jpegs(folder: Path) -> Iterator[Path]:
    yield from (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in {".jpg", ".jpeg"})


def trials(files: list[Path], work: Path) -> dict[str, dict[str, int]]:
    """By kind of damage: how many were tried, noticed, warned of, and harmful without a word."""
    rng = random.Random(5)
    table = {kind: dict.fromkeys(("tried", "noticed", "decoder", "harmful"), 0) for kind in BREAKS}
    for file in files:
        whole, _ = pixels(file)
        for kind, breaks in BREAKS.items():
            data = bytes(breaks(bytearray(file.read_bytes()), rng))
            (broken := work / "broken.jpg").write_bytes(data)
            picture, noticed = pixels(broken)
            row = table[kind]
            row["tried"] += 1
            row["noticed"] += noticed
            row["decoder"] += picture is None or warned(data)
            if not noticed and whole is not None and picture is not None:
                off = np.abs(whole.astype(int) - picture).max(axis=-1) > 6
                row["harmful"] += bool(off.mean() > 0.02)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=120, help="broken ones of a folder (120)")
    parser.add_argument("--out", type=Path, help="keep the figures here (JSON)")
    options = parser.parse_args()
    results = {}
    for folder in options.folders:
        files = list(jpegs(folder))
        if not files:
            parser.error(f"{folder}: holds no JPEG")
        alarms = [file.name for file in files if pixels(file)[1]]
        chosen = files[:: max(1, len(files) // options.files)][: options.files]
        with tempfile.TemporaryDirectory() as work:
            table = trials(chosen, Path(work))
        name = f"{folder.parent.name}/{folder.name}"
        results[name] = {"whole": len(files), "called broken": alarms, "broken": table}
        print(f"{name}: {len(files)} whole, {len(alarms)} called broken {alarms[:5] or ''}")
        for kind, row in table.items():
            print("  " + f"{kind:12}" + "  ".join(f"{k} {v:4}" for k, v in row.items()), flush=True)
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
