"""A person's corrections in overrides.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from dieindex.collection.layout import read_collection
from dieindex.collection.overrides import OVERRIDES_HEADER, read_overrides
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE, Circle, Override


def write(folder: Path, *lines: str) -> Path:
    (folder / "overrides.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


FULL = ",".join(OVERRIDES_HEADER)


def test_no_file(tmp_path: Path) -> None:
    assert read_overrides(tmp_path) == ([], [])


def test_an_empty_file(tmp_path: Path) -> None:
    assert read_overrides(write(tmp_path, "")) == ([], [])


def test_every_column(tmp_path: Path) -> None:
    write(
        tmp_path,
        FULL,
        "a.jpg,obverse,10,20.5,30,-15,,",
        "a.jpg,rev,1,2,3,,0,no",
        "sub\\b.jpg,,,,,,1,",
        "c.jpg,,,,,,,yes",
    )
    overrides, doubts = read_overrides(tmp_path)
    assert overrides == [
        Override("a.jpg", OBVERSE, Circle(10, 20.5, 30), -15.0),
        Override("a.jpg", REVERSE, Circle(1, 2, 3)),
        Override("sub/b.jpg", swap=True),
        Override("c.jpg", skip=True),
    ]
    assert not doubts


def test_few_columns_in_another_order(tmp_path: Path) -> None:
    overrides, _ = read_overrides(write(tmp_path, "Rotate;FILE", "12,5;a.jpg", "0;b.jpg"))
    assert overrides == [Override("a.jpg", rotate=12.5), Override("b.jpg", rotate=0.0)]


def test_rows_that_change_nothing_are_told(tmp_path: Path) -> None:
    overrides, doubts = read_overrides(write(tmp_path, FULL, "a.jpg,obverse,,,,,,", ",,,,,9,,"))
    assert not overrides
    assert [
        "row 2 changes nothing of a.jpg" in doubts[0].message,
        "row 3" in doubts[1].message,
    ] == [
        True,
        True,
    ]


def test_unknown_columns_are_told(tmp_path: Path) -> None:
    _, doubts = read_overrides(write(tmp_path, "file,rotation", "a.jpg,9"))
    assert "rotation" in doubts[0].message


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.jpg,,ten,2,3,,,", "x is no number: 'ten'"),
        ("a.jpg,,1,nan,3,,,", "y is no number"),
        ("a.jpg,,1,inf,3,,,", "y is no number"),
        ("a.jpg,,1,2,3,1e999,,", "rotate is no number"),
        ("a.jpg,,1,2,0,,,", "radius must be above 0"),
        ("a.jpg,,1,2,-5,,,", "radius must be above 0"),
        ("a.jpg,,1,2,,,,", "x, y and radius together"),
        ("a.jpg,,,,9,,,", "x, y and radius together"),
        ("a.jpg,edge,1,2,3,,,", "side must be obverse, reverse or blank, not 'edge'"),
        ("a.jpg,,,,,,maybe,", "swap must be 1 or blank, not 'maybe'"),
    ],
)
def test_bad_cells_name_file_and_row(tmp_path: Path, row: str, told: str) -> None:
    write(tmp_path, FULL, "ok.jpg,,1,2,3,,,", row)
    with pytest.raises(SheetError) as caught:
        read_overrides(tmp_path)
    assert "overrides.csv: row 3: " in str(caught.value)
    assert told in str(caught.value)


def test_the_column_of_files_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"no column “file”.*found: x, y.*file,side,x"):
        read_overrides(write(tmp_path, "x,y", "1,2"))


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_reach_their_photograph(tmp_path: Path) -> None:
    pictures(tmp_path, "img/1.jpg", "img/2.jpg")
    write(
        tmp_path,
        "file,side,x,y,radius",
        "img/1.jpg,obverse,5,6,7",
        "1.jpg,reverse,8,9,7",
        "gone.jpg,,1,2,3",
    )
    collection = read_collection(tmp_path)
    first, second = collection.photographs
    assert [override.side for override in first.overrides] == [OBVERSE, REVERSE]
    assert second.overrides == ()
    (doubt,) = [doubt for doubt in collection.doubts if doubt.kind == "overrides"]
    assert doubt.files == ("gone.jpg",)
    assert collection.sheet is None


def test_of_two_rows_for_one_side_the_last_holds(tmp_path: Path) -> None:
    write(pictures(tmp_path, "1.jpg"), "file,rotate", "1.jpg,10", "1.jpg,20")
    collection = read_collection(tmp_path)
    (override,) = collection.photographs[0].overrides
    assert override.rotate == 20
    assert "the last one holds" in collection.doubts[0].message


def test_a_name_of_two_pictures_is_told(tmp_path: Path) -> None:
    write(pictures(tmp_path, "a/1.jpg", "b/1.jpg"), "file,skip", "1.jpg,1", "b/1.jpg,1")
    collection = read_collection(tmp_path)
    assert [bool(photograph.overrides) for photograph in collection] == [False, True]
    assert "fits several pictures" in collection.doubts[0].message
