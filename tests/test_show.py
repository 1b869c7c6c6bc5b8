"""``dieindex show`` as a person meets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dieindex.api.comparing import compare
from dieindex.api.seen import SeenFace
from dieindex.api.verdicts import why_apart
from dieindex.commands.main import run
from dieindex.records import FACE_SIZE, Circle, Face, Flan, Verdict
from dieindex.verification import evidence_picture as evidence
from dieindex.verification.evidence_picture import PANEL, Shown, evidence_row


def test_show_draws_two_coins(
    built: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["show", "01", "02", "--index", str(built)]) == 0
    out, err = capsys.readouterr()
    assert "obverse:" in out
    assert "show-01-02.png" in err
    assert (tmp_path / "show-01-02.png").stat().st_size > 20_000
    assert run(["show", "01", "99", "--index", str(built)]) == 1
    assert run(["show", "01", "02", "--index", str(built), "--out", "x.pdf"]) == 2


def a_face(seed: int) -> Face:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:FACE_SIZE, :FACE_SIZE] - (FACE_SIZE - 1) / 2
    mask = np.hypot(y, x) < 0.45 * FACE_SIZE
    picture = rng.integers(0, 255, (FACE_SIZE, FACE_SIZE, 3), np.uint8)
    return Face("obverse", picture, mask, Flan(Circle(0.0, 0.0, 1.0), 1.0, True))


def verdict_because(reason: str | None) -> Verdict:
    return Verdict("cannot tell", 0.5, 0.5, 1.2, 1.3, "embedding", reason)


def test_faces_that_do_not_lie_on_each_other_are_not_overlaid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = a_face(1), a_face(2)
    for name in ("_overlay", "_difference", "_agreement"):
        monkeypatch.setattr(evidence, name, lambda *_, name=name: pytest.fail(f"{name} drawn"))
    why = "too little of it fits the others"
    shown = Shown(verdict_because(why), first, second, apart=why)
    row = evidence_row("a", "b", shown)
    monkeypatch.undo()
    laid = evidence_row("a", "b", Shown(verdict_because(None), first, second))
    # The two faces as ever, and where the overlay was, paper with words.
    assert row.shape == laid.shape
    faces = slice(72, 72 + PANEL), slice(0, 2 * PANEL)
    np.testing.assert_array_equal(row[faces], laid[faces])
    beside = row[72 : 72 + PANEL, -2 * PANEL :]
    paper = (beside == beside[0, -1]).all(-1)
    assert 0.9 < paper.mean() < 0.999


def test_why_two_faces_do_not_lie_on_each_other() -> None:
    def seen(unaligned: str | None, frame: int) -> SeenFace:
        return SeenFace(np.zeros(4, np.float32), unaligned, lambda: a_face(0), frame)

    assert why_apart(seen(None, 3), seen(None, 3)) is None
    assert "two frames" in str(why_apart(seen(None, 3), seen(None, 4)))
    assert why_apart(seen(None, 0), seen("no relief", 0)) == "no relief"


@pytest.mark.parametrize("length", [10, 190, 191, 1000])
def test_a_long_reason_ends_between_words(length: int) -> None:
    told = ("coins " * 200)[: length - 1] + "s"
    short = evidence._shortened(told)
    assert len(short) <= evidence._LONGEST
    if length <= evidence._LONGEST:
        assert short == told
    else:
        assert short.endswith("coins…")


def test_the_map_of_details_tells_one_die_from_two() -> None:
    """The displacements that speak for neither side belong to the weights that ship."""
    images = Path(__file__).parents[1] / "data" / "images"
    found = compare(images / "049.jpg", images / "078.jpg")
    one_die, two_dies = found.agreement("obverse"), found.agreement("reverse")
    assert one_die is not None
    assert two_dies is not None
    assert one_die.share > 0.8
    assert two_dies.share < 0.6
    assert np.hypot(*np.moveaxis(two_dies.displacement, 2, 0)).max() > 0.3
