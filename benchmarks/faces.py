"""How well flans are found: against circles marked by hand, beside a plain baseline.

    python benchmarks/faces.py [FOLDER] [--sheet OUT.png]

FOLDER (default ``../shared/data/real``) holds ``SET/images/FILE`` for the rows of
``faces_marked.csv``, whose head says how the circles were marked. A face counts as found if its
centre lies within 5 % of the marked diameter of the marked centre and its radius is within 5 % of
the marked diameter of the marked radius, on the right side of a picture split into the right number
of faces. Only odd-numbered pictures of roman_pairs and roman_faces are marked: the finder was
developed on even-numbered ones and on composed pictures. damascus_alexander shows coins that reach
beyond the picture on every side.

The baseline is Otsu's threshold and the circle of equal area of the largest contour; pictures
wider than 1.5 times their height are cut blindly in the middle.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dieindex.collection.faces import cut_faces
from dieindex.records import Circle, Picture

MARKED = Path(__file__).with_name("faces_marked.csv")
TOLERANCE = 0.05
"""Share of the marked diameter by which centre and radius may be off."""


@dataclass(frozen=True)
class Outcome:
    """One marked face: errors as shares of its diameter (infinite: no such face was cut)."""

    centre: float
    radius: float
    sure: bool

    @property
    def found(self) -> bool:
        return self.centre <= TOLERANCE and self.radius <= TOLERANCE


def read_marks(path: Path = MARKED) -> dict[tuple[str, str], dict[str, Circle]]:
    """The marked circles by (set, file) and side."""
    marks: dict[tuple[str, str], dict[str, Circle]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        for row in rows:
            circle = Circle(float(row["x"]), float(row["y"]), float(row["radius"]))
            marks[row["set"], row["file"]][row["side"]] = circle
    return marks


def compare(found: dict[str, tuple[Circle, bool]], marked: dict[str, Circle]) -> list[Outcome]:
    """The outcome of every marked face of one picture, given what was found by side."""
    outcomes = []
    for side, mark in marked.items():
        # A picture of one face is cut as an obverse where nothing says otherwise: its side is not
        # the finder's to know.
        key = side if len(marked) == 2 else next(iter(found), side)
        if len(found) != len(marked) or key not in found:
            outcomes.append(Outcome(math.inf, math.inf, all(sure for _, sure in found.values())))
            continue
        circle, sure = found[key]
        diameter = 2 * mark.radius
        centre = math.hypot(circle.x - mark.x, circle.y - mark.y) / diameter
        outcomes.append(Outcome(centre, abs(circle.radius - mark.radius) / diameter, sure))
    return outcomes


def by_dieindex(picture: Picture) -> dict[str, tuple[Circle, bool]]:
    return {face.side: (face.flan.circle, face.flan.sure) for face in cut_faces(picture)}


def by_baseline(picture: Picture) -> dict[str, tuple[Circle, bool]]:
    """Otsu's threshold, the largest contour, blind halves; it never doubts itself."""
    height, width = picture.shape[:2]
    cuts = [(0, width)] if width <= 1.5 * height else [(0, width // 2), (width // 2, width)]
    found = {}
    for side, (start, stop) in zip(("obverse", "reverse"), cuts, strict=False):
        grey = cv2.cvtColor(picture[:, start:stop], cv2.COLOR_RGB2GRAY)
        _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        if rim.mean() > 127:
            mask = 255 - mask
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        circle = Circle(start + (stop - start) / 2, height / 2, min(height, stop - start) / 2)
        if contours:
            moments = cv2.moments(max(contours, key=cv2.contourArea))
            if moments["m00"] > 0:
                x, y = (moments[key] / moments["m00"] for key in ("m10", "m01"))
                circle = Circle(start + x, y, math.sqrt(moments["m00"] / math.pi))
        found[side] = (circle, True)
    return found


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (Wilson 1927)."""
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def line(name: str, outcomes: list[Outcome]) -> str:
    n = len(outcomes)
    found = sum(each.found for each in outcomes)
    low, high = wilson(found, n)
    centre = np.median([each.centre for each in outcomes])
    radius = np.median([each.radius for each in outcomes])
    flagged = sum(not each.sure for each in outcomes)
    silent = sum(each.sure and not each.found for each in outcomes)
    return (
        f"{name:<32}{n:5d}  {found / n:7.1%}  {low:6.1%}-{high:6.1%}"
        f"  {centre:7.2%}  {radius:7.2%}  {flagged:7d}  {silent:12d}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data/real"))
    parser.add_argument("--sheet", type=Path, help="draw what was found and missed")
    arguments = parser.parse_args()
    methods = {"dieindex": by_dieindex, "baseline": by_baseline}
    outcomes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    pictures: dict[str, int] = defaultdict(int)
    missed: list[str] = []
    overlays = []
    for (group, file), marked in sorted(read_marks().items()):
        path = arguments.folder / group / "images" / file
        raw = cv2.imread(str(path))
        if raw is None:
            raise SystemExit(f"{path} cannot be read: give the folder that holds {group}/images")
        picture: Picture = np.ascontiguousarray(raw[:, :, ::-1], np.uint8)
        pictures[group] += 1
        for method, cut in methods.items():
            start = time.process_time()
            found = cut(picture)
            seconds[group, method] += time.process_time() - start
            here = compare(found, marked)
            outcomes[group, method] += here
            if method == "dieindex":
                for side, outcome in zip(marked, here, strict=True):
                    if not (outcome.found and outcome.sure):
                        missed.append(
                            f"  {group}/{file} {side}: centre {outcome.centre:.1%}, "
                            f"radius {outcome.radius:.1%}, sure {outcome.sure}"
                        )
                if arguments.sheet:
                    overlays.append(overlay(f"{group[:5]} {file}", picture, found, marked))
    print(
        f"{'':<32}{'faces':>5}  {'found':>7}  {'95 % interval':>14}"
        f"  {'centre':>7}  {'radius':>7}  {'flagged':>7}  {'wrong, sure':>12}"
    )
    for method in methods:
        everything: list[Outcome] = []
        for group in sorted(pictures):
            print(line(f"{method} {group}", outcomes[group, method]))
            everything += outcomes[group, method]
        print(line(f"{method} all", everything))
    for method in methods:
        each = ", ".join(
            f"{group} {1000 * seconds[group, method] / pictures[group]:.1f}" for group in pictures
        )
        print(f"milliseconds of CPU a picture, {method} (cutting included): {each}")
    print("not found or not sure:", *missed, sep="\n")
    if arguments.sheet:
        save_sheet(overlays, arguments.sheet)


def overlay(
    name: str, picture: Picture, found: dict[str, tuple[Circle, bool]], marked: dict[str, Circle]
) -> Picture:
    """The picture with the marked circles in magenta, found ones in green or (not sure) orange."""
    height, width = picture.shape[:2]
    scale = 220 / max(height, width)
    margin = 24
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((220 + 2 * margin + 14, 220 + 2 * margin, 3), 90, np.uint8)
    tile[margin : margin + small.shape[0], margin : margin + small.shape[1]] = small
    circles = [(mark, (255, 0, 255)) for mark in marked.values()]
    circles += [(c, (0, 200, 0) if sure else (255, 150, 0)) for c, sure in found.values()]
    for circle, colour in circles:
        centre = (round(margin + circle.x * scale), round(margin + circle.y * scale))
        cv2.circle(tile, centre, round(circle.radius * scale), colour, 1, cv2.LINE_AA)
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(tile, name, (2, tile.shape[0] - 4), font, 0.4, white, 1)
    return tile


def save_sheet(tiles: list[Picture], path: Path, columns: int = 12) -> None:
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    cv2.imwrite(str(path), np.vstack(rows)[:, :, ::-1])


if __name__ == "__main__":
    main()
