"""One face or two: where the coins of a photograph are, and the part of the picture for each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt

from dieindex.collection.flans import WORKING_EDGE as FLAN_EDGE
from dieindex.collection.flans import Finding, find_flan
from dieindex.collection.grounds import blobs, fit_ground, make_view, reduce_picture, tidy
from dieindex.records import Circle, Picture

WORKING_EDGE = 176
"""Longest edge of the copy on which the coins of a picture are counted, pixels."""
SAME_SIZE = 0.6
"""Least ratio of the radii of two discs that can be the two sides of one coin."""
SINGLE_ASPECT = 1.35
"""Longer by shorter edge below which one coin is looked for first."""
ALONE = 0.6
"""Diameter by longer edge from which a coin leaves no room for others of its size."""
MOST_COINS = 16
CUT_APART = "cut it apart"
"""What the reason of a finding says where a picture shows several coins."""
READINGS = 3
"""Readings of the ground on which coins are counted."""
PAIR_ASPECT = 1.6
"""Longer by shorter edge from which a picture without clear coins is taken for a pair."""


@dataclass(frozen=True)
class Part:
    """A rectangle of the picture: columns ``left…right``, rows ``top…bottom``, ends open."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, picture: Picture) -> Picture:
        return picture[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True, eq=False)
class Split:
    """The findings of a picture in reading order: one or two; and how many coins it shows.

    Where these are more than two, nothing tells which of them are sides of one coin, and no finding
    is sure.
    """

    findings: tuple[Finding, ...]
    coins: int


def split_faces(picture: Picture) -> Split:
    """Looks whether a photograph shows one face or two, and finds the flan of each.

    ``picture`` is ``(h, w, 3)`` uint8 RGB. Two discs of similar size side by side, or one above the
    other, are a pair: the left or upper one comes first. The cut runs where there is least coin
    between them, not at the picture's middle.
    """
    small, scale = reduce_picture(picture, 2 * FLAN_EDGE)
    findings = _split(small)
    coins = len(findings)
    if _has_room(findings, small.shape[:2]):
        coins = max(coins, count_coins(small))
    if coins > 2:
        findings = tuple(_doubted(found, coins) for found in findings)
    return Split(tuple(found.mapped(scale) for found in findings), coins)


def _has_room(findings: tuple[Finding, ...], shape: tuple[int, ...]) -> bool:
    """Whether the coins found leave room for one more, beside or above them."""
    circles = [found.flan.circle for found in findings]
    if len(circles) == 1:
        return 2 * circles[0].radius < ALONE * max(shape)
    (one, other), (height, width) = circles, shape
    if not _beside(one, other):
        height, width = width, height
    across = width - 2 * (one.radius + other.radius)
    above = height - 2 * max(one.radius, other.radius)
    return max(across, above) >= 2 * SAME_SIZE * min(one.radius, other.radius)


def _doubted(found: Finding, coins: int) -> Finding:
    reason = f"the picture shows {coins} coins; {CUT_APART}"
    return replace(found, flan=replace(found.flan, sure=False, reason=reason))


def count_coins(picture: Picture) -> int:
    """How many coins of similar size a picture shows: discs that are found again by themselves.

    0 where there are not three of them: fewer are counted by the split.
    """
    height, width = picture.shape[:2]
    view = make_view(picture, WORKING_EDGE)
    most = 0
    for mask, _ in islice(blobs(view, fit_ground(view)), READINGS):
        discs = inscribed_discs(tidy(mask), MOST_COINS)
        if len(discs) <= max(2, most):
            continue
        alike = [disc for disc in discs if disc.radius >= SAME_SIZE * discs[0].radius]
        found = 0
        for disc in alike if len(alike) > 2 else ():
            near = [abs(other.x - disc.x) / 2 for other in alike if _beside(other, disc)]
            above = [
                abs(other.y - disc.y) / 2
                for other in alike
                if _beside(_turned(other), _turned(disc))
            ]
            reach = 1.3 * disc.radius
            across, down = min([reach, *near]), min([reach, *above])
            part = Part(
                max(round((disc.x - across) * view.scale), 0),
                max(round((disc.y - down) * view.scale), 0),
                min(round((disc.x + across) * view.scale), width),
                min(round((disc.y + down) * view.scale), height),
            )
            found += find_flan(part.of(picture)).flan.sure
        most = max(most, found if found > 2 else 0)
    return most


def _beside(other: Circle, disc: Circle) -> bool:
    """Whether a disc lies beside another, rather than above it."""
    return abs(other.x - disc.x) > abs(other.y - disc.y)


def _split(picture: Picture) -> tuple[Finding, ...]:
    height, width = picture.shape[:2]
    aspect = max(height, width) / min(height, width)
    single: Finding | None = None
    if aspect < SINGLE_ASPECT:
        single = find_flan(picture)
        if single.flan.sure and 2 * single.flan.circle.radius > 0.55 * max(height, width):
            return (single,)
    parts = find_pair(picture)
    if parts is not None:
        pair = tuple(find_in_part(picture, part) for part in parts)
        # A picture that is hardly wider than high seldom is a pair: both coins must be clear.
        clear = single is None or all(each.flan.sure for each in pair)
        if clear and not _overlapping(*pair):
            return pair
    if single is None:
        single = find_flan(picture)
    if not single.flan.sure and aspect >= PAIR_ASPECT:
        return tuple(find_in_part(picture, half) for half in middle_halves(picture))
    return (single,)


def _overlapping(first: Finding, second: Finding) -> bool:
    """Whether two circles are too near one another to be two coins (one coin cut in two is)."""
    a, b = first.flan.circle, second.flan.circle
    return math.hypot(a.x - b.x, a.y - b.y) < 0.75 * (a.radius + b.radius)


def find_one(picture: Picture) -> Finding:
    """The best coin of a picture that is to stand for one face; not sure where there are more."""
    split = split_faces(picture)
    best = max(split.findings, key=lambda each: each.flan.confidence)
    if split.coins == 2 and all(each.flan.sure for each in split.findings):
        return _doubted(best, split.coins)
    return best


def find_in_part(picture: Picture, part: Part) -> Finding:
    """The flan in one part of a picture, in pixels of the whole picture."""
    return find_flan(part.of(picture)).mapped(1.0, part.left, part.top)


def middle_halves(picture: Picture) -> tuple[Part, Part]:
    """The two halves of a picture along its longer edge."""
    height, width = picture.shape[:2]
    if width >= height:
        return Part(0, 0, width // 2, height), Part(width // 2, 0, width, height)
    return Part(0, 0, width, height // 2), Part(0, height // 2, width, height)


def find_pair(picture: Picture) -> tuple[Part, Part] | None:
    """The parts of the picture that hold the two coins of a pair, None if there is no pair."""
    height, width = picture.shape[:2]
    view = make_view(picture, WORKING_EDGE)
    ground = fit_ground(view)
    for mask, _ in blobs(view, ground):
        blob = tidy(mask)
        discs = two_discs(blob)
        if discs is None:
            continue
        first, second = discs
        across = abs(second.x - first.x) >= abs(second.y - first.y)
        if (second.x < first.x) if across else (second.y < first.y):
            first, second = second, first
        if across:
            cut = round((_gap(blob, first, second) + 0.5) * view.scale)
            return Part(0, 0, cut, height), Part(cut, 0, width, height)
        cut = round((_gap(blob.T, _turned(first), _turned(second)) + 0.5) * view.scale)
        return Part(0, 0, width, cut), Part(0, cut, width, height)
    return None


def _turned(circle: Circle) -> Circle:
    return replace(circle, x=circle.y, y=circle.x)


def two_discs(blob: npt.NDArray[np.uint8]) -> tuple[Circle, Circle] | None:
    """The two largest discs inscribed in a blob if they can be the two sides of one coin."""
    discs = inscribed_discs(blob, 3)
    if len(discs) < 2 or discs[1].radius < SAME_SIZE * discs[0].radius:
        return None
    if len(discs) == 3 and discs[2].radius > 0.8 * discs[1].radius:
        return None  # three coins or more: no pair of sides
    return discs[0], discs[1]


def inscribed_discs(blob: npt.NDArray[np.uint8], most: int) -> list[Circle]:
    """Up to ``most`` discs that lie in a blob without overlapping much, the largest first."""
    height, width = blob.shape
    margin = max(height, width) // 8
    # Beyond the picture's edge a cut coin goes on: replicate, so that its disc is not made smaller.
    padded = cv2.copyMakeBorder(blob, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    padded = np.pad(padded, 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)
    discs: list[Circle] = []
    rows = np.arange(depth.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(depth.shape[1], dtype=np.float32)[None, :]
    for _ in range(most):
        position = int(depth.argmax())
        y, x = divmod(position, depth.shape[1])
        radius = float(depth[y, x])
        if radius < 0.06 * max(height, width) or (discs and radius < 0.45 * discs[0].radius):
            break
        discs.append(Circle(x - margin - 1, y - margin - 1, radius))
        away = np.hypot(columns - x, rows - y)
        depth = np.where(away >= 0.85 * (radius + depth), depth, 0)
    return discs


def _gap(blob: npt.NDArray[np.uint8], left: Circle, right: Circle) -> float:
    """The column between two discs at which the blob is thinnest; the middle of several such."""
    low = left.x + 0.5 * left.radius
    high = right.x - 0.5 * right.radius
    start, stop = max(0, round(low)), min(blob.shape[1], round(high) + 1)
    if stop <= start:
        return (left.x + right.x) / 2
    thickness = blob[:, start:stop].sum(axis=0).astype(np.float32)
    thin = np.nonzero(thickness <= thickness.min())[0]
    return float(start + np.median(thin))
