"""Tables of coins and dies, and what their other columns hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE
from dieindex.study.analysis import analyse
from dieindex.study.attributes import (
    axis_hour,
    certainty_of,
    meaning_of,
    number,
    state_level,
)
from dieindex.study.material import Material
from dieindex.study.reading import read_material


def table(folder: Path, text: str, name: str = "t.csv") -> Material:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_material(path)


def test_a_table_of_two_sides(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "coin,obverse,reverse,Gewicht (g),Stempelstellung,Fundort,Farbe\n"
        '1,O1,R1,"16,53",12h,Antiochia,rot\n2,O1,?,16.4 g,6,,blau\n3,,R1,,,,\n',
    )
    study = analyse(found)
    assert [coin.name for coin in found.coins] == ["1", "2", "3"]
    assert found.coins[1].die(OBVERSE) == "O1"
    assert found.coins[1].die(REVERSE) is None
    known = study.known["1"]
    assert (known.weight, known.axis) == (16.53, 12)
    assert known.texts == {"find_spot": "Antiochia"}
    assert known.rest == {"Farbe": "rot"}
    assert study.known["2"].weight == 16.4


def test_a_table_of_one_side_says_so(tmp_path: Path) -> None:
    study = analyse(table(tmp_path, "coin,reverse\n1,R1\n2,R1\n3,R2\n"))
    assert list(study.sides) == [REVERSE]
    assert study.leading == REVERSE
    assert any("No obverse die" in note for note in study.notes)


def test_rows_of_one_coin_are_one_coin(tmp_path: Path) -> None:
    found = table(tmp_path, "coin,file,obverse\n1,a.jpg,O1\n1,b.jpg,O1\n2,c.jpg,O2\n")
    assert len(found.coins) == 2
    assert found.coins[0].photographs == ("a.jpg", "b.jpg")
    assert analyse(found).counts.several_photographs == 1


def test_rows_that_contradict_each_other_are_not_used_and_named(tmp_path: Path) -> None:
    found = table(tmp_path, "coin,obverse,reverse\n1,O1,R1\n1,O2,R1\n2,O2,R1\n")
    assert found.coins[0].die(OBVERSE) is None
    assert found.coins[0].die(REVERSE) == "R1"
    assert any("coin 1 different obverse dies (O1, O2)" in note for note in found.notes)


def test_dieindex_own_table_of_dies_can_be_studied(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "coin,side,die,certainty\n1,obverse,O1,0.9900\n1,reverse,R1,0.4000\n2,obverse,O1,0.7\n",
    )
    first, second = found.coins
    assert first.dies[OBVERSE].certainty == 0.99
    assert first.dies[REVERSE].certainty == 0.4
    assert first.dies[REVERSE].doubtful
    assert second.dies[OBVERSE].certainty == 0.7


def test_names_that_look_alike_are_kept_apart_and_mentioned(tmp_path: Path) -> None:
    found = table(tmp_path, "coin,obverse\n1,O_22\n2,o_22\n3,O_22\n")
    assert set(found.members(OBVERSE)) == {"O_22", "o_22"}
    assert any("differ only in case" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("coin,weight\n1,16.5\n2,16.4\n", "no column for the dies"),
        ("coin,obverse,reverse\n", "holds no coin|no column|names no die|names a die"),
        ("", "no rows"),
        ("coin,obverse\n1,?\n2,-\n", "names a die for none|no column for the dies"),
    ],
)
def test_a_table_that_cannot_be_studied_is_refused_by_name(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(SheetError, match=words) as error:
        table(tmp_path, text)
    assert "t.csv" in str(error.value)
    assert "labels=" not in str(error.value)  # it is table=FILE that names a study's table


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"nowhere\.csv"):
        read_material(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("weight_g", "weight"), ("Wt.", "weight"), ("Gewicht", "weight"), ("poids (g)", "weight"),
        ("Peso", "weight"), ("axis", "axis"), ("Die axis", "axis"), ("Stempelstellung", "axis"),
        ("Durchmesser", "diameter"), ("diam. mm", "diameter"), ("Diamètre", "diameter"),
        ("Findspot", "find_spot"), ("find spot", "find_spot"), ("Fundort", "find_spot"),
        ("lieu de trouvaille", "find_spot"), ("Museum", "source"), ("Sammlung", "source"),
        ("Literatur", "reference"), ("Ref.", "reference"), ("Type", "type"),
        ("certainty", "certainty"), ("Licence", "rights"), ("notes", None), ("colour", None),
        ("", None), ("g", "weight"), ("h", "axis"), ("photo size", None),
    ],
)  # fmt: skip
def test_columns_by_name(name: str, meaning: str | None) -> None:
    found = meaning_of(name)
    assert (found[0] if found else None) == meaning


def test_columns_of_one_side() -> None:
    assert meaning_of("obverse state") == ("state", OBVERSE)
    assert meaning_of("certainty reverse") == ("certainty", REVERSE)
    assert meaning_of("die state") == ("state", None)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12", 12), ("12h", 12), ("0", 12), ("6.0", 6), ("180°", 6), ("5:30", 5), ("↑", 12), ("↓", 6),
     ("330", 11), ("13", 12), ("x", None), ("", None), ("-3", None), ("6 or 7", None)],
)  # fmt: skip
def test_axes(text: str, hour: int | None) -> None:
    assert axis_hour(text) == hour


def test_numbers_states_certainties() -> None:
    assert number("16,53 g") == 16.53
    assert number("16.5-17.0") is None
    assert number("nan") is None
    assert state_level("II") == 2
    assert state_level("b") == 2
    assert state_level("cracked") is None
    assert [certainty_of(text) for text in ("0.8", "80 %", "?", "sure", "", "much")] == [
        0.8, 0.8, 0.5, 1.0, None, None,
    ]  # fmt: skip


def test_a_number_that_cannot_be_read_stays_as_text(tmp_path: Path) -> None:
    found = table(tmp_path, "coin,obverse,weight\n1,O1,heavy\n2,O1,-4\n3,O1,1e99\n")
    study = analyse(found)
    assert all(known.weight is None for known in list(study.known.values())[:2])
    assert study.known["1"].rest == {"weight": "heavy"}
