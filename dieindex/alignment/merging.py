"""Frames that are one type's, found apart: merged into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dieindex.alignment.affine import fit_affine
from dieindex.alignment.fields import field_of
from dieindex.alignment.result import NO_TYPE, Alignment, surest
from dieindex.alignment.search import Grid
from dieindex.alignment.templates import Template, prepare_face
from dieindex.alignment.voting import Voters, frame_change
from dieindex.alignment.warping import in_pixels, in_units
from dieindex.records import Face

_MERGED_INTO = 2
_LEAST_MERGED_INTO = 8
_VOTERS = 12
_VOTED_ON = 6
"""Other frames are merged into the largest two alone, if those hold so many faces: so many of their
surest faces vote on so many of the other frame's."""


def merge_frames(
    faces: Sequence[Face],
    results: list[Alignment],
    guesses: list[int],
    frames: Sequence[Template],
    turn: float,
) -> int:
    """Merge frames that are one type's; ``results`` and ``guesses`` are changed and numbered anew,
    largest type first. ``turn`` degrees are searched. Returns how many types are left."""
    sizes = np.bincount([r.type for r in results if r.aligned], minlength=len(frames))
    order = np.argsort(-sizes, kind="stable").tolist()
    into = list(range(len(frames)))
    for place, large in enumerate(order[:_MERGED_INTO]):
        if into[large] != large or sizes[large] < _LEAST_MERGED_INTO or place + 1 == len(order):
            continue
        voters = voters_of(faces, results, large, turn, _VOTERS)
        for small in order[place + 1 :]:
            if into[small] != small:
                continue
            chosen = surest(results, small)[:_VOTED_ON]
            prepared = [prepare_face(field_of(faces[i])) for i in chosen]
            maps = [in_units(results[i].to_frame) for i in chosen]
            change = frame_change(voters, prepared, maps) if chosen else None
            if change is None:
                continue
            into[small] = large
            target = frames[large].target()
            for i in [i for i, each in enumerate(results) if each.type == small]:
                start = change @ in_units(results[i].to_frame)
                fit = fit_affine(field_of(faces[i]), target, start)
                results[i] = replace(results[i], type=large, to_frame=in_pixels(fit.to_frame))
    left = [number for number in order if into[number] == number]
    sizes = np.bincount([r.type for r in results if r.aligned], minlength=len(frames))
    left.sort(key=lambda number: -sizes[number])
    place_of = {number: left.index(large) for number, large in enumerate(into)}
    place_of[NO_TYPE] = NO_TYPE
    for i, each in enumerate(results):
        results[i] = replace(each, type=place_of[each.type])
        guesses[i] = place_of[guesses[i]]
    return len(left)


def voters_of(
    faces: Sequence[Face], results: Sequence[Alignment], number: int, turn: float, most: int
) -> Voters:
    """The surest faces of a type, ``most`` at most, as they lie in its frame."""
    chosen = surest(results, number)[:most]
    prepared = [prepare_face(field_of(faces[i])) for i in chosen]
    maps = [in_units(results[i].to_frame) for i in chosen]
    return Voters(prepared, maps, Grid.within(turn))
