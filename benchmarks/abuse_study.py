"""Abuse of a study's folder: kills, also where an earlier study and a person's files lie in it."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

from abuse_commands import Bench, Try, expect, run

from dieindex.files import content_hash
from dieindex.outputs import STUDY_LIST_NAME, read_list

THEIRS = ("charts/my chart.svg", "photographs/IMG_1.jpg", "notes.txt")
"""Files of a person's among those of a study."""


def table(path: Path, coins: int) -> Path:
    """A sheet of some coins, two a die."""
    rows = [f"{coin},O{coin // 2},R{coin // 3},{16 + coin % 7 / 10}" for coin in range(1, coins)]
    path.write_text("\n".join(["coin,obverse,reverse,weight", *rows]) + "\n", encoding="utf-8")
    return path


def whole(folder: Path) -> dict[str, str] | None:
    """The digests of a study that is as its list says; None where it is not."""
    listed = read_list(folder / STUDY_LIST_NAME)
    there = all((folder / name).is_file() for name in listed)
    if not listed or not there:
        return None
    return listed if {name: content_hash(folder / name) for name in listed} == listed else None


def killed_study(
    with_earlier: bool, with_theirs: bool, bench: Bench, place: Path, rng: random.Random
) -> None:
    """The study that was there, or the new one, is whole; a person's files are as they were."""
    folder, first, second = place / "study", place / "first.csv", place / "second.csv"
    words = ("study", "--table", table(second, 40), "--out", folder)
    before = None
    if with_earlier:
        expect(run("study", "--table", table(first, 30), "--out", folder), 0)
        before = whole(folder)
        assert before
    if with_theirs:
        for name in THEIRS:
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(name)
    if rng.random() < 0.4:
        run(*words, kill_after=rng.uniform(0.3, 4))
    else:
        # In the short time in which the new one takes its place.
        run(*words, kill_after=rng.uniform(0, 0.06), kill_when=lambda: _is_written(place, folder))
    if not with_theirs:
        assert not folder.exists() or whole(folder), "half a study"
    elif with_earlier:
        for name in before or ():
            assert (folder / name).is_file(), f"{name} is gone"
    _check_theirs(folder, with_theirs)
    expect(run(*words), 0)
    after = whole(folder)
    assert after is not None, "the study given again is not whole"
    assert after != before
    _check_theirs(folder, with_theirs)
    left = [*place.glob(".study-*"), *folder.glob(".study-*")]
    assert not left, f"{left[0].name} is left"


def _is_written(place: Path, folder: Path) -> bool:
    found = [*place.glob(".study-*/catalogue.docx"), *folder.glob(".study-*/catalogue.docx")]
    return bool(found)


def _check_theirs(folder: Path, with_theirs: bool) -> None:
    for name in THEIRS if with_theirs else ():
        path = folder / name
        assert path.is_file(), f"{name} of a person's is lost"
        assert path.read_text() == name, f"{name} of a person's is another"


KINDS: dict[str, Try] = {
    "kill study": partial(killed_study, False, False),
    "kill study, earlier": partial(killed_study, True, False),
    "kill study, earlier, theirs": partial(killed_study, True, True),
}
