"""Frames made again of more faces: when, of which, and what is left as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dieindex.alignment.align import align_faces
from dieindex.alignment.growing import (
    BESIDE,
    MADE_OF,
    align_beside,
    fitted_to_frames,
    grown,
    would_grow,
)
from dieindex.indexing.run import build_index
from dieindex.records import OBVERSE, SIDES, Circle, Face, Flan
from dieindex.storage.catalogue import Catalogue
from dieindex.storage.frames import FrameTable
from dieindex.verification.pair_alignment import apart
from tests.collections_for_tests import draw_coin, write_collection
from tests.test_indexing import content_of

COINS = [(k % 5, k % 6) for k in range(16)]


def drawn(die: int, strike: int) -> Face:
    picture = draw_coin(die, strike, 256)
    flan = Flan(Circle(127.5, 127.5, 0.42 * 256), 1.0, True)
    return Face(OBVERSE, picture, picture.min(2) < 250, flan)


def test_a_frame_grows_where_it_would_be_of_twice_as_many() -> None:
    faces = [drawn(k % 3, k) for k in range(8)]
    found = align_faces(faces)
    (frame,) = found.frames
    sure = np.array([each.confidence for each in found.faces])
    trust = frame.faces / float((sure**2).sum())
    assert trust == pytest.approx(1, abs=0.05)
    assert not would_grow(frame, sure)
    assert not would_grow(frame, np.zeros(0))
    assert would_grow(frame, np.concatenate([sure, sure, sure]))
    places = [each.to_frame for each in found.faces]
    again = grown(faces * 3, places * 3, np.concatenate([sure] * 3))
    assert again.faces == pytest.approx(3 * (sure**2).sum(), rel=1e-4)
    assert not would_grow(again, np.concatenate([sure] * 5))
    # It shows what it showed.
    alike = np.vdot(again.fine, frame.fine).real
    assert alike / np.linalg.norm(again.fine) / np.linalg.norm(frame.fine) > 0.95


def test_what_fits_a_frame_lies_there_as_the_others_do_and_a_stranger_fits_none() -> None:
    faces = [drawn(k % 3, k) for k in range(10)]
    found = align_faces(faces)
    (frame,) = found.frames
    (fits, at), (stranger, _) = fitted_to_frames([frame], [faces[8], drawn(2000, 1)])
    assert (fits.aligned, at) == (True, 0)
    assert not stranger.aligned
    known, places = faces[:8], [each.to_frame for each in found.faces[:8]]
    (lies,) = align_beside(frame, known, places, [faces[8]], [fits])
    assert apart(lies.to_frame, found.faces[8].to_frame) < 0.01
    assert 16 <= BESIDE <= MADE_OF


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Types are looked for among three faces."""
    monkeypatch.setattr("dieindex.indexing.align.SAMPLE", 3)
    monkeypatch.setattr("dieindex.indexing.align.CHUNK", 4)
    monkeypatch.setattr("dieindex.indexing.grow.CHUNK", 4)


@pytest.mark.usefixtures("few_at_once")
def test_a_build_makes_frames_of_few_again_of_many_and_broken_off_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_collection(tmp_path / "coins", COINS)
    made: list[float] = []
    keep = FrameTable.replace_frame

    def note(self: FrameTable, side: str, number: int, frame: object) -> None:
        made.append(frame.faces)  # type: ignore[attr-defined]
        keep(self, side, number, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(FrameTable, "replace_frame", note)
    build_index(data, tmp_path / "whole", jobs=1)
    assert made
    with Catalogue.open(tmp_path / "whole") as catalogue:
        for side in SIDES:
            held = catalogue.faces_per_frame(side)
            # (Made of three faces, it holds fewer than half of them.)
            assert max(held.values()) >= 10
            for number, frame in enumerate(catalogue.frames(side)):
                assert frame.faces > held[number] / 2.2

    broken = iter([True, False, True])

    def break_off(self: FrameTable, *given: object) -> None:
        if next(broken, False):
            raise KeyboardInterrupt
        keep(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(FrameTable, "replace_frame", break_off)
    for _ in range(3):
        try:
            build_index(data, tmp_path / "broken", jobs=2)
        except KeyboardInterrupt:
            continue
    assert content_of(tmp_path / "broken") == content_of(tmp_path / "whole")
    # What was built stays as it is, built again.
    monkeypatch.setattr(FrameTable, "replace_frame", note)
    before, made[:] = content_of(tmp_path / "whole"), []
    build_index(data, tmp_path / "whole")
    assert content_of(tmp_path / "whole") == before
    assert not made
