"""Designs whose dies are cut with punches, and their engraving."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dieindex.mint.engraving import celtic, hammered, islamic
from dieindex.mint.engraving.engraver import Engraver
from dieindex.mint.engraving.layout import Arrangement
from dieindex.mint.engraving.punches import PunchedDie, PunchSet
from dieindex.mint.engraving.scripts import Letters, circle_of_letters
from dieindex.mint.engraving.sheet import Sheet
from dieindex.mint.parameters import Alphabet, Border, DesignType, Inscription

_LATIN = {
    "cross": hammered.draw_cross,
    "chatel": hammered.draw_chatel,
    "monogram": hammered.draw_monogram,
    "lines": hammered.draw_lines,
    "facing-head": hammered.draw_facing_head,
}
_OTHERS = {
    "celtic-horse": celtic.draw_celtic_horse,
    "celtic-signs": celtic.draw_celtic_signs,
    "script": islamic.draw_script,
}
PUNCHED_KINDS: tuple[str, ...] = (*_LATIN, *_OTHERS)
"""Both sides of a coin may be of any of these."""

_WORDS = (
    "REX", "COMES", "DVX", "CIVITAS", "DEI GRA", "EPISCOPVS", "MONETA", "VRBS", "FRANCORV",
    "DOMINVS", "BARO", "ABBAS", "CASTRI", "LEX", "PAX", "IN NOMINE", "SCS", "MARIA", "PETRVS",
    "MARTINVS", "ON",
)  # fmt: skip
_NAMES = (
    "VGO", "ODO", "HENRICVS", "PHILIPVS", "LVDOVICVS", "CARLVS", "ROBERTVS", "GVIDO", "RADVLFVS",
    "TEBALDVS", "EDVARD", "IOHANNES", "RAIMVNDVS", "BERENGER", "FVLCO", "CONAN", "ALFONSVS",
    "STEFANE", "OTTO", "AMALRIC",
)  # fmt: skip
_TOWNS = (
    "TVRON", "BITVRI", "ANDEGA", "PARISI", "REDONI", "LEMOVI", "RODEIS", "CATALA", "METVLO",
    "LVNDEN", "EOFERW", "PICTAV", "NIVERN", "ARELAT", "TREVER", "COLONI", "VIENNA", "BVRGVN",
    "MELGOR", "SANCTO",
)  # fmt: skip


def sample(rng: np.random.Generator, kind: str) -> Arrangement:
    """Sample a layout for a punched kind of design."""
    alphabet = Alphabet(
        weight=float(rng.uniform(0.09, 0.17)),
        serif=float(rng.uniform(0.1, 1.3)),
        spacing=float(rng.uniform(0.14, 0.34)),
        width=float(rng.uniform(0.85, 1.2)),
        variant=int(rng.integers(0, 4)),
    )
    edge = float(rng.uniform(0.86, 0.98))
    if kind in ("celtic-horse", "celtic-signs"):
        bare = rng.random() < 0.6
        # Many Celtic dies are larger than their flans: the design runs over the edge.
        room = float(rng.uniform(0.78, 1.0)) if bare else edge - 0.10
        border: Border = "none" if bare else "pellets"
        return Arrangement(
            "latin", alphabet, (), (), border, 1.0 if bare else edge, room, 0.0, None
        )
    if kind == "script":
        return _of_script(rng, alphabet, edge)
    letter, radius, room = 0.0, 0.0, edge - 0.07
    runs: tuple[Inscription, ...] = ()
    if kind != "lines" or rng.random() < 0.2:
        text = _legend(rng, short=kind == "lines")
        letter = float(np.clip(4.9 / (len(text) + 0.5) / 0.95, 0.13, 0.28) * rng.uniform(0.88, 1.0))
        radius = edge - 0.04 - letter / 2
        room = edge - 0.085 - letter
        first = np.pi / len(text)
        runs = (Inscription(text, "outward", letter, radius, float(-np.pi / 2 - first), 2 * np.pi),)
    return Arrangement("latin", alphabet, runs, (), "dots", edge, room, 0.0, None)


def _legend(rng: np.random.Generator, short: bool) -> str:
    parts = [str(rng.choice(_NAMES)) if rng.random() < 0.6 else str(rng.choice(_TOWNS))]
    while len("".join(parts)) < (5 if short else 7) or (
        rng.random() < 0.4 and len("".join(parts)) < 13
    ):
        parts.append(str(rng.choice(_WORDS if rng.random() < 0.6 else _TOWNS)))
    stop = str(rng.choice(["", "", ":", "·", "°"]))
    return "+" + stop.join(part.replace(" ", stop) for part in parts) + ("" if short else stop)


def _of_script(rng: np.random.Generator, alphabet: Alphabet, edge: float) -> Arrangement:
    alphabet = replace(
        alphabet, weight=float(rng.uniform(0.05, 0.12)), serif=float(rng.uniform(0, 1.0))
    )
    room = edge - 0.07
    runs: tuple[Inscription, ...] = ()
    if rng.random() < 0.7:
        letter = float(rng.uniform(0.12, 0.19))
        radius = edge - 0.05 - 0.62 * letter
        room = edge - 0.12 - 1.25 * letter
        text = islamic.words(rng, int(2 * np.pi * radius / (0.42 * letter)), 60)
        start = float(rng.uniform(0, 2 * np.pi))
        runs = (Inscription(text, "outward", letter, radius, start, 2 * np.pi),)
    runs = (*runs, *islamic.lines_of_script(rng, room))
    return Arrangement("arabic", alphabet, runs, (), "linear", edge, room, 0.0, None)


def relief_of(engraver: Engraver) -> float:
    """How high the punches of a type stand, flan radii: low, as on thin flans."""
    return float(np.exp(engraver.type_rng("relief").uniform(np.log(0.022), np.log(0.055))))


def draw_punched(engraver: Engraver, design: DesignType) -> Sheet:
    """Everything on a die of a punched type."""
    relief = relief_of(engraver) * engraver.depth
    die = PunchedDie(engraver, PunchSet(engraver), relief)
    if design.kind in _OTHERS:
        _OTHERS[design.kind](die, design)
    else:
        t = engraver.type_rng("letters")
        composed, rounded = bool(t.random() < 0.6), float(t.choice([0.0, 0.25, 0.8]))
        letters = Letters(die, design.alphabet, 0.2, composed, rounded)
        _LATIN[design.kind](die, design, letters)
        die.part("legend")
        for run in design.inscriptions:
            around = Letters(die, design.alphabet, run.letter, composed, rounded)
            circle_of_letters(die, around, run.text, run.radius, run.start, run.span or 1.0)
    _rings(die, design)
    return die.sheet


def _rings(die: PunchedDie, design: DesignType) -> None:
    """The outer circle, and where there is a legend the inner one."""
    if design.border == "none":
        return
    t = die.engraver.type_rng("rings")
    kinds, chance = (
        ["beads", "long beads", "cable", "line", "beaded line"],
        [0.38, 0.22, 0.14, 0.16, 0.10],
    )
    if design.border == "linear":
        chance = [0.15, 0.05, 0.1, 0.5, 0.2]
    outer, inner = (str(t.choice(kinds, p=chance)) for _ in range(2))
    if t.random() < 0.6:
        inner = outer
    step = float(t.uniform(0.042, 0.075)) * (1.8 if design.border == "pellets" else 1.0)
    die.part("outer ring")
    die.ring("beads" if design.border == "pellets" else outer, design.border_radius, step)
    if design.border == "linear" and t.random() < 0.4:
        die.ring("line", design.border_radius - 0.045, step)
    around = any(run.run == "outward" for run in design.inscriptions)
    if around and t.random() < 0.92:
        die.part("inner ring")
        die.ring(inner, design.room + 0.02, 0.85 * step)
