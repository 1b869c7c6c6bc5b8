"""``verdicts.csv``: every verdict once, only ever added to, mended where a line was broken off."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dieindex.records import Review
from dieindex.review.verdicts import read_reviews
from dieindex.storage.verdict_file import VerdictFile

HEADER = "coin_a,coin_b,side,verdict,by,note,time,number\n"


def review(number: int, note: str = "") -> Review:
    return Review("1", "2", "obverse", "same", "me", note, "2026-01-01T00:00:00Z", number)


GIVEN = [review(n, note=f'no {n}, "seen"') for n in (1, 2, 3)]


@pytest.fixture
def file(tmp_path: Path) -> VerdictFile:
    return VerdictFile(tmp_path)


def test_what_is_missing_is_added_and_can_be_imported(file: VerdictFile) -> None:
    file.append_missing(GIVEN[:1])
    file.append_missing(GIVEN)
    file.append_missing(GIVEN)
    text = file.path.read_text()
    assert text.startswith(HEADER)
    assert len(text.splitlines()) == 4
    assert file.records() == GIVEN
    imported = read_reviews(file.path, "you", find_coin=str)
    assert [(each.note, each.by) for each in imported] == [(g.note, "me") for g in GIVEN]


def test_no_verdict_no_table(file: VerdictFile) -> None:
    file.append_missing([])
    assert not file.exists()


def test_broken_off_anywhere_the_table_ends_the_same(file: VerdictFile) -> None:
    file.append_missing(GIVEN)
    whole = file.path.read_bytes()
    for length in range(len(whole)):
        file.path.write_bytes(whole[:length])
        file.append_missing(GIVEN)
        assert file.path.read_bytes() == whole, length


def test_what_a_person_added_stays_and_gets_its_newline(file: VerdictFile) -> None:
    file.append_missing(GIVEN[:2])
    own = "7,8,reverse,different,a keeper,seen in the hand,,"
    with file.path.open("a") as stream:
        stream.write(own)
    file.append_missing(GIVEN)
    lines = file.path.read_text().splitlines()
    assert lines[3] == own
    assert len(lines) == 5
    assert [each.number for each in file.records()] == [1, 2, 0, 3]


def test_saved_by_a_spreadsheet_program_it_is_added_to_in_its_own_way(file: VerdictFile) -> None:
    saved = "number;side;coin_a;coin_b;verdict;time;remark\r\n1;obverse;1;2;same;;x\r\n"
    file.path.write_bytes(b"\xef\xbb\xbf" + saved.encode())
    file.append_missing(GIVEN[:2])
    last = "2;obverse;1;2;same;2026-01-01T00:00:00Z;\r\n"
    assert file.path.read_bytes() == b"\xef\xbb\xbf" + (saved + last).encode()


def test_an_export_in_its_place_is_known_by_what_it_says(file: VerdictFile) -> None:
    file.append_missing(GIVEN[:2])
    lines = [line.rsplit(",", 1)[0] + "\n" for line in file.path.read_text().splitlines()]
    file.path.write_text("".join(lines))
    file.append_missing(GIVEN)
    assert len(file.path.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    "content", [b"a thesis\nof mine\n", b"\xff\xfe\x00", b"coin_a,coin_b\n1,2\n"]
)
def test_what_cannot_be_understood_is_left_and_said(
    file: VerdictFile, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "dieindex"):
        file.append_missing(GIVEN)
    assert file.path.read_bytes() == content
    assert "cannot be understood" in caplog.text
    assert "reviews.sqlite" in caplog.text
    assert file.records() == []


def test_a_table_that_cannot_be_written_is_said(
    file: VerdictFile, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.mkdir()
    with caplog.at_level(logging.WARNING, "dieindex"):
        file.append_missing(GIVEN)
    assert "verdicts.csv" in caplog.text


def test_rows_that_are_no_verdicts_are_left_out_and_said(
    file: VerdictFile, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.write_text(HEADER + "1,2,edge,same,,,,\n1,1,obverse,same,,,,\n3,4,rev,same\n")
    with caplog.at_level(logging.WARNING, "dieindex"):
        (found,) = file.records()
    assert (found.coin_a, found.side, found.number) == ("3", "reverse", 0)
    assert found.time.endswith("Z")
    assert caplog.text.count("no row of verdicts") == 2


def test_a_coin_whose_name_begins_with_a_hash_is_no_remark(file: VerdictFile) -> None:
    given = Review("#1", "2", "obverse", "same", "me", "", "2026-01-01T00:00:00Z", 1)
    file.append_missing([given])
    with file.path.open("a") as stream:
        stream.write("# seen in London\n")
    file.append_missing([given])
    assert file.records() == [given]
    (imported,) = read_reviews(file.path, "you", find_coin=str)
    assert imported.coin_a == "#1"


def test_whatever_names_hold_they_come_back_and_are_no_formulas(file: VerdictFile) -> None:
    notes = ["=1+1", "'=1", "@x", "-1", "plain"]
    given = [
        Review(f"a\r{n}", f"=b\n{n}", "obverse", "same", "+me", note, "2026-01-01T00:00:00Z", n)
        for n, note in enumerate(notes, 1)
    ]
    for _ in range(2):
        file.append_missing(given)
    assert file.records() == given
    assert not any(mark in file.path.read_text() for mark in (",=", ",+", ",@"))
    assert [each.note for each in read_reviews(file.path, "you", find_coin=str)] == notes
