"""Coins of script: lines of large connected letters, circles, and a legend along the margin."""

from __future__ import annotations

import numpy as np

from dieindex.mint.engraving.hammered import draw_sign
from dieindex.mint.engraving.punches import PunchedDie, annulet, bar, pellet
from dieindex.mint.engraving.scripts import WORDS, ArabicLetters, arabic_circle, arabic_line
from dieindex.mint.parameters import DesignType, Inscription


def words(rng: np.random.Generator, widest: int, fewest: int = 1) -> str:
    """Words for a line of at most ``widest`` letters."""
    text = str(WORDS[int(rng.integers(len(WORDS)))])
    for _ in range(12):
        more = text + " " + str(WORDS[int(rng.integers(len(WORDS)))])
        if len(more) <= widest and (len(text) < fewest or rng.random() < 0.6):
            text = more
    return text[: max(widest, 2)].strip()


def lines_of_script(rng: np.random.Generator, room: float) -> tuple[Inscription, ...]:
    """One to four lines that fill a circle of radius ``room``."""
    count = int(rng.choice([1, 2, 3, 3, 4]))
    pitch = 1.75 * room / (count + 0.35)
    letter = pitch * float(rng.uniform(0.60, 0.80))
    runs = []
    for k in range(count):
        y = (k - (count - 1) / 2) * pitch + 0.30 * letter
        half = float(
            np.sqrt(max((0.95 * room) ** 2 - (abs(y - 0.3 * letter) + 0.25 * letter) ** 2, 0.03))
        )
        text = words(
            rng, max(2, int(2 * half / (0.40 * letter))), max(2, int(1.3 * half / (0.40 * letter)))
        )
        runs.append(Inscription(text, "line", letter, y=float(y), span=2 * half))
    return tuple(runs)


def draw_script(die: PunchedDie, design: DesignType) -> None:
    """Field and margin; the circles between them are the border's affair."""
    t = die.engraver.type_rng("script")
    room = design.room
    for number, run in enumerate(design.inscriptions):
        die.part(f"run {number}")
        letters = ArabicLetters(die, design.alphabet, run.letter)
        span = run.span or 1.0
        if run.run == "outward":
            base = run.radius - 0.3 * run.letter
            arabic_circle(die, letters, run.text, base, run.start, span)
        else:
            arabic_line(
                die, letters, run.text, run.x + die.stray(0.01), run.y + die.stray(0.008), span
            )
    die.part("ornament")
    frame = str(t.choice(["none", "none", "none", "square", "star"]))
    corners = {"square": 4, "star": 6}.get(frame, 0)
    if corners:
        reach = room * float(t.uniform(0.97, 1.05))
        turn = float(t.choice([0.0, np.pi / 4])) if corners == 4 else np.pi / 2
        turn += die.stray(0.03)
        skip = 1 if corners == 4 else 2
        side = 2 * reach * float(np.sin(skip * np.pi / corners))
        beam = die.punches.cut("side", bar(0.016 / side, 0.2), side)
        for k in range(corners):
            a = turn + 2 * np.pi * k / corners
            b = a + 2 * np.pi * skip / corners
            x, y = reach * (np.cos(a) + np.cos(b)) / 2, reach * (np.sin(a) + np.sin(b)) / 2
            die.set(
                beam,
                float(x),
                float(y),
                float(np.arctan2(np.sin(b) - np.sin(a), np.cos(b) - np.cos(a))),
                0.8,
            )
    what = str(
        t.choice(["pellet", "three pellets", "annulet", "ring and pellet", "star", "crescent"])
    )
    for y in (-0.93, 0.93):
        if t.random() < 0.35:
            draw_sign(die, what, 0.0, y * room, 0.12)
    if t.random() < 0.4:  # points and rings among the letters
        for _ in range(int(t.integers(2, 9))):
            r, a = room * float(np.sqrt(t.uniform(0.1, 0.8))), float(t.uniform(0, 2 * np.pi))
            die.set(
                die.punches.cut("point", pellet(), 0.05), r * float(np.cos(a)), r * float(np.sin(a))
            )
    if t.random() < 0.3:  # rings along the rim, as on early dirhams
        many = int(t.choice([4, 5, 6, 8]))
        for k in range(many):
            a = 2 * np.pi * k / many
            ring = die.punches.cut("ring of the rim", annulet(0.15), 0.09)
            r = design.border_radius + 0.01
            die.set(ring, r * float(np.cos(a)), r * float(np.sin(a)))
