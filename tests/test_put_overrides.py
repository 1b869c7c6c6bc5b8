"""Corrections written into overrides.csv: nothing else changes, and what is written is read."""

from __future__ import annotations

import codecs
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dieindex.collection.overrides import OVERRIDES_HEADER, put_overrides, read_overrides
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE, SIDES, Circle, Override

FULL = ",".join(OVERRIDES_HEADER)
NEW = Override("2.jpg", OBVERSE, Circle(10, 20.5, 30))


def _raw(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def put(folder: Path, content: bytes | str, *given: Override) -> bytes:
    raw = _raw(content)
    (folder / "overrides.csv").write_bytes(raw)
    put_overrides(folder, given)
    return (folder / "overrides.csv").read_bytes()


def test_the_first_correction_makes_the_file(tmp_path: Path) -> None:
    put_overrides(tmp_path, [NEW])
    assert (tmp_path / "overrides.csv").read_text() == f"{FULL}\n2.jpg,obverse,10.0,20.5,30.0,,,\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_other_line_stays_byte_for_byte(tmp_path: Path, newline: str) -> None:
    """Remarks where they stand, blank lines, quotes that were not needed, blanks round cells, a
    note of several lines; line ends as the file has them."""
    lines = [
        "# mine, do not touch",
        "",
        f"{FULL},note",
        ' "1.jpg" , rev ,1,2,3,,,,"seen twice,\n\nsays A"',
        "# 2.jpg was wrong",
        "3.jpg,,,,,007,,",
        "",
    ]
    before = newline.join(lines)
    after = put(tmp_path, before, NEW)
    assert after == (before + newline.join(["2.jpg,obverse,10.0,20.5,30.0,,,,", ""])).encode()
    assert put(tmp_path, after, Override("2.jpg", OBVERSE)) == before.encode()


def test_columns_keep_their_order_and_missing_ones_come_last(tmp_path: Path) -> None:
    after = put(tmp_path, "Rotate;FILE\n12,5;1.jpg\n0;3.jpg", NEW)
    assert after.decode().splitlines() == [
        "Rotate;FILE;side;x;y;radius;swap;skip",
        "12,5;1.jpg",
        "0;3.jpg",
        ";2.jpg;obverse;10.0;20.5;30.0;;",
    ]
    assert [each.rotate for each in read_overrides(tmp_path)[0]] == [12.5, 0.0, None]


@pytest.mark.parametrize("delimiter", ["\t", ";", ",", "|"])
def test_cells_are_set_apart_as_before(tmp_path: Path, delimiter: str) -> None:
    name = f"a{delimiter}b.jpg"
    put(tmp_path, FULL.replace(",", delimiter) + "\n", NEW, Override(name, skip=True))
    assert read_overrides(tmp_path)[0] == [NEW, Override(name, skip=True)]


def test_the_line_by_which_excel_says_the_delimiter_stays(tmp_path: Path) -> None:
    after = put(tmp_path, "sep=;\r\nfile;skip\r\n1.jpg;1\r\n", NEW)
    assert after.startswith(b"sep=;\r\nfile;skip;side;x;y;radius;rotate;swap\r\n1.jpg;1\r\n2.jpg;;")


def test_earlier_corrections_of_the_same_file_and_side_go(tmp_path: Path) -> None:
    before = f"{FULL}\n2.jpg,avers,1,2,3,,,\n2.jpg,reverse,4,5,6,,,\nsub\\2.jpg,obv,1,2,3,,,\n"
    put(tmp_path, before, NEW, Override("sub/2.jpg", OBVERSE))
    assert read_overrides(tmp_path)[0] == [Override("2.jpg", REVERSE, Circle(4, 5, 6)), NEW]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_file_of_another_encoding_says_what_it_is_then(tmp_path: Path, encoding: str) -> None:
    before = f"{FULL}\nKöln 1.jpg,,,,,9,,\n".encode(encoding)
    after = put(tmp_path, before, NEW)
    assert after.startswith(codecs.BOM_UTF8)
    assert [each.file for each in read_overrides(tmp_path)[0]] == ["Köln 1.jpg", "2.jpg"]


def test_names_of_macos_are_the_same_file(tmp_path: Path) -> None:
    decomposed = "Ko\u0308ln.jpg"
    before = f"{FULL}\nKöln.jpg,,,,,9,,\n"
    assert put(tmp_path, before, Override(decomposed)) == f"{FULL}\n".encode()


@pytest.mark.parametrize(
    "content",
    [
        "file  rotate\n1.jpg  10\n",
        "x,y\n1,2\n",
        f'{FULL}\n"1.jpg,,,,,9,,\n3.jpg,,,,,9,,\n',
        b"PK\x03\x04 a workbook by another name",
        f"{FULL}\n1.jpg,edge,,,,9,,\n",
    ],
    ids=["blanks", "no files", "quote", "workbook", "side"],
)
def test_what_cannot_be_added_to_is_left_alone(tmp_path: Path, content: bytes | str) -> None:
    with pytest.raises(SheetError, match=r"overrides\.csv"):
        put(tmp_path, content, NEW)
    raw = _raw(content)
    assert (tmp_path / "overrides.csv").read_bytes() == raw


_NAMES = st.text(st.sampled_from("aä1 ,;|'\"=+-@#._\t\n()\u2028\u202e"), min_size=1, max_size=9)
_FILES = _NAMES.map(lambda name: f"{name.strip()}x.jpg") | st.just("img/1.jpg")
_CIRCLES = st.none() | st.builds(
    Circle,
    *(st.integers(-50, 99_999).map(lambda n: n / 10) for _ in "xy"),
    st.integers(10, 99_999).map(lambda n: n / 10),
)
_OVERRIDES = st.builds(
    Override,
    _FILES,
    st.sampled_from([None, *SIDES]),
    _CIRCLES,
    st.none() | st.integers(-180, 180).map(float),
    swap=st.booleans(),
    skip=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(_OVERRIDES, max_size=5), st.lists(_OVERRIDES, max_size=3))
@example([], [Override("'=x.jpg", skip=True)])
def test_what_is_written_is_read_again(first: list[Override], then: list[Override]) -> None:
    """Also names that look like formulas or remarks, or hold what sets cells apart."""
    wanted = {(each.file, each.side): each for each in first}
    with tempfile.TemporaryDirectory() as folder:
        put_overrides(Path(folder), wanted.values())
        for each in then:
            wanted[each.file, each.side] = each
            put_overrides(Path(folder), [each])
        found = {(each.file, each.side): each for each in read_overrides(folder)[0]}
        assert found == {
            key: each for key, each in wanted.items() if each != replace(each, **NOTHING)
        }
        put_overrides(Path(folder), [Override(*key) for key in wanted])
        assert (Path(folder) / "overrides.csv").read_text() == f"{FULL}\n"


NOTHING = {"circle": None, "rotate": None, "swap": False, "skip": False}
