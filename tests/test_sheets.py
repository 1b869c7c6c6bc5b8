"""Sheets of coins and dies: tables in every guise, columns in several languages."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.collection.sheets.die_cells import is_unknown
from dieindex.collection.sheets.files import (
    CLUSTER_HEADER,
    OUTPUT_MARK,
    PAIRS_HEADER,
    find_sheet,
    is_own_output,
)
from dieindex.collection.sheets.reading import read_sheet
from dieindex.collection.sheets.tables import find_delimiter, read_rows
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE, Doubt
from dieindex.review.verdicts import COLUMNS
from dieindex.study.study_tables import REVIEW_HEADER

DIES = {"1": ("O1", "R1"), "2": ("O1", "R2"), "3": ("O2", "R2")}
PLAIN = "coin,obverse,reverse\n1,O1,R1\n2,O1,R2\n3,O2,R2\n"


def dies_of(path: Path) -> dict[str, tuple[str | None, str | None]]:
    return {
        row.coin: (row.dies.get(OBVERSE), row.dies.get(REVERSE)) for row in read_sheet(path).rows
    }


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, rows: list[list[object]], merge: str | None = None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    book.save(path)
    return path


class TestText:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters(self, tmp_path: Path, delimiter: str) -> None:
        assert dies_of(write(tmp_path / "a.csv", PLAIN.replace(",", delimiter))) == DIES

    @pytest.mark.parametrize("ending", ["\r\n", "\r", "\n\n", "\r\n \r\n"])
    def test_line_ends_and_blank_lines(self, tmp_path: Path, ending: str) -> None:
        assert dies_of(write(tmp_path / "a.csv", PLAIN.replace("\n", ending))) == DIES

    @pytest.mark.parametrize(
        "encoding",
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman"],
    )
    def test_encodings(self, tmp_path: Path, encoding: str) -> None:
        text = "Münze;Vorderseite;Rückseite;Atelier\n1;O1;R1;près de Gergovie çà\n2;O1;R2;\n"
        sheet = read_sheet(write(tmp_path / "a.csv", text, encoding))
        assert [row.coin for row in sheet.rows] == ["1", "2"]
        assert sheet.sides == (OBVERSE, REVERSE)
        assert sheet.rows[0].columns == {"Atelier": "près de Gergovie çà"}

    def test_headerless_white_space(self, tmp_path: Path) -> None:
        assert dies_of(write(tmp_path / "a.txt", "1 O1 R1\n2  O1 R2\n3 O2   R2\n")) == DIES

    def test_headerless_with_delimiter(self, tmp_path: Path) -> None:
        assert dies_of(write(tmp_path / "a.csv", PLAIN.split("\n", 1)[1])) == DIES

    def test_headerless_with_one_side(self, tmp_path: Path) -> None:
        assert dies_of(write(tmp_path / "a.csv", "1,O1\n2,O2\n"))["2"] == ("O2", None)
        assert dies_of(write(tmp_path / "a.csv", "1,R1\n2,R2\n"))["2"] == (None, "R2")

    def test_columns_by_wide_gaps(self, tmp_path: Path) -> None:
        text = "Coin no   Obverse die   Reverse die\n1         O1            R1\n"
        assert dies_of(write(tmp_path / "a.txt", text)) == {"1": ("O1", "R1")}

    def test_decimal_commas_stay_text(self, tmp_path: Path) -> None:
        text = "Nr;Gewicht;Vs;Rs\n1;16,53;O1;R1\n2;16,5;O1;R2\n3;17,0;O2;R2\n"
        sheet = read_sheet(write(tmp_path / "a.csv", text))
        assert dies_of(tmp_path / "a.csv") == DIES
        assert [row.columns["Gewicht"] for row in sheet.rows] == ["16,53", "16,5", "17,0"]

    def test_decimal_commas_between_white_space(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.txt", "1 O1 R1 16,53\n2 O1 R2 16,50\n3 O2 R2 17,01\n")
        assert dies_of(path) == DIES

    def test_delimiter_stated_as_excel_does(self, tmp_path: Path) -> None:
        assert dies_of(write(tmp_path / "a.csv", "sep=;\r\n" + PLAIN.replace(",", ";"))) == DIES

    def test_quotes(self, tmp_path: Path) -> None:
        text = 'coin,obverse,reverse,note\n1,"O1",R1,"a, ""b""\nc"\n2,O1,"R2",\n3,O2,R2,\n'
        sheet = read_sheet(write(tmp_path / "a.csv", text))
        assert sheet.rows[0].columns["note"] == 'a, "b"\nc'
        assert [row.number for row in sheet.rows] == [2, 4, 5]

    def test_a_quote_that_never_ends_swallows_no_rows(self, tmp_path: Path) -> None:
        text = 'coin,obverse,reverse\n1,"O1,R1\n2,O1,R2\n3,O2,R2\n'
        sheet = read_sheet(write(tmp_path / "a.csv", text))
        assert [row.coin for row in sheet.rows] == ["1", "2", "3"]
        assert "quotation" in sheet.doubts[0].message

    def test_binary_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 4)
        with pytest.raises(SheetError, match=r"a\.csv: is not a table of text"):
            read_sheet(tmp_path / "a.csv")

    def test_old_excel_is_refused_with_the_remedy(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
        with pytest.raises(SheetError, match=r"save it as \.xlsx"):
            read_sheet(tmp_path / "a.csv")

    def test_missing_and_empty(self, tmp_path: Path) -> None:
        with pytest.raises(SheetError, match="no such sheet"):
            read_sheet(tmp_path / "a.csv")
        with pytest.raises(SheetError, match="holds no rows"):
            read_sheet(write(tmp_path / "a.csv", "\n\n"))

    def test_plain_table(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "a;b;c\n1;2\n;;3;4\n")
        cells = [row.cells for row in read_rows(path).rows]
        assert cells == [("a", "b", "c"), ("1", "2"), ("", "", "3", "4")]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8).map(str.strip)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_written_table_reads_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    encoding: str,
) -> None:
    path = tmp_path_factory.mktemp("table") / "a.csv"
    stream = io.StringIO()
    # A first column of numbers: a row of blanks alone would not be read back.
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["number", "one", "two", "three"])
    writer.writerows([number, *row] for number, row in enumerate(rows))
    path.write_bytes(stream.getvalue().encode(encoding))
    header, *back = (row.cells for row in read_rows(path).rows)
    assert header == ("number", "one", "two", "three")
    padded = [(*cells, *[""] * (4 - len(cells))) for cells in back]
    assert padded == [(str(number), *row) for number, row in enumerate(rows)]


class TestColumns:
    @pytest.mark.parametrize(
        "header",
        [
            "coin,obverse,reverse",
            "Coin ID,Obv.,Rev.",
            "no,obverse_die,reverse_die",
            "Nr.,Av,Rv",
            "NUMBER,OBVERSE DIE,REVERSE DIE",
            "id,ObverseDie,ReverseDie",
            "coin-id,obv-die,rev-die",
            "Münze,Vorderseite,Rückseite",
            "Münze Nr.,Vs.-Stempel,Rs.-Stempel",
            "Monnaie,Droit,Revers",
            "N°,coin d'avers,coin de revers",
            "numéro,avers,revers",
            "moneta,dritto,rovescio",
            "moneda,anverso,reverso",
            "specimen,Heads,Tails",
            "coin,O,R",
            "#,obversedie,reversedie",
            "coin no,Obverse dies,Reverse dies",
            "Nº,o die,r die",
        ],
    )
    def test_languages(self, tmp_path: Path, header: str) -> None:
        path = write(tmp_path / "a.csv", PLAIN.replace("coin,obverse,reverse", header))
        assert dies_of(path) == DIES

    def test_what_is_no_die_is_carried_through(self, tmp_path: Path) -> None:
        text = (
            "coin,Obverse type,Obverse legend,Obverse,Reverse die axis,Reverse,A,image source\n"
            "1,head,ΑΥΤ,O1,6,R1,12,a.org\n"
        )
        row = read_sheet(write(tmp_path / "a.csv", text)).rows[0]
        assert row.dies == {OBVERSE: "O1", REVERSE: "R1"}
        assert row.columns == {
            "Obverse type": "head",
            "Obverse legend": "ΑΥΤ",
            "Reverse die axis": "6",
            "A": "12",
            "image source": "a.org",
        }

    def test_a_lone_letter_names_no_side(self, tmp_path: Path) -> None:
        row = read_sheet(write(tmp_path / "a.csv", "coin,A,reverse\n1,12,R1\n")).rows[0]
        assert row.dies == {REVERSE: "R1"}

    def test_order_does_not_matter_and_the_surest_column_is_taken(self, tmp_path: Path) -> None:
        text = "Obverse,No,Reverse,Coin,Obverse die\nhead,77,R1,1,O1\n"
        assert dies_of(write(tmp_path / "a.csv", text)) == {"1": ("O1", "R1")}

    def test_two_columns_alike_are_told(self, tmp_path: Path) -> None:
        sheet = read_sheet(write(tmp_path / "a.csv", "coin,obv,obverse\n1,O1,O9\n"))
        assert sheet.rows[0].dies == {OBVERSE: "O1"}
        assert "several columns" in sheet.doubts[0].message

    def test_columns_of_one_name(self, tmp_path: Path) -> None:
        row = read_sheet(write(tmp_path / "a.csv", "coin,obv,note,note,\n1,O1,a,b,c\n")).rows[0]
        assert list(row.columns.values()) == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("header", "missing"),
        [("coin,weight,axis", "dies"), ("weight,obverse,reverse", "coin")],
    )
    def test_missing_columns(self, tmp_path: Path, header: str, missing: str) -> None:
        path = write(tmp_path / "a.csv", f"{header}\n1,2,3\n")
        with pytest.raises(SheetError) as caught:
            read_sheet(path)
        message = str(caught.value)
        assert "a.csv" in message
        assert f"no column for the {missing}" in message
        assert ", ".join(header.split(",")) in message
        assert "expected" in message
        assert "labels=FILE" in message

    def test_a_header_of_unknown_words(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "kohde,etupuoli,takapuoli\n1,O1,R1\n2,O1,R2\n3,O2,R2\n")
        with pytest.raises(SheetError, match=r"not understood.*etupuoli"):
            read_sheet(path)

    def test_title_above_the_header(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "My dies 2024\n" + PLAIN)
        assert dies_of(path) == DIES
        assert "above the header" in read_sheet(path).doubts[0].message

    def test_long_form(self, tmp_path: Path) -> None:
        text = "coin,side,die\n1,obv,O1\n1,rev,R1\n2,Obverse,O1\n2,R,?\n"
        sheet = read_sheet(write(tmp_path / "a.csv", text))
        assert sheet.side_of_die
        assert [dict(row.dies) for row in sheet.rows] == [
            {OBVERSE: "O1"},
            {REVERSE: "R1"},
            {OBVERSE: "O1"},
            {},
        ]

    def test_die_without_side(self, tmp_path: Path) -> None:
        sheet = read_sheet(write(tmp_path / "a.csv", "coin,die\n1,A\n2,B\n"))
        assert sheet.rows[0].dies == {OBVERSE: "A"}
        assert "taken for the obverse" in sheet.doubts[0].message

    def test_die_by_the_side_in_the_files_name(self, tmp_path: Path) -> None:
        text = "file,die\n1_obv.jpg,O1\n1_rev.jpg,R1\n"
        rows = read_sheet(write(tmp_path / "a.csv", text)).rows
        assert [dict(row.dies) for row in rows] == [{OBVERSE: "O1"}, {REVERSE: "R1"}]

    def test_files_and_sides(self, tmp_path: Path) -> None:
        text = "coin,photo,side,obv\nA,img\\1.jpg,rev,O1\nA,2.jpg,edge,O1\n"
        sheet = read_sheet(write(tmp_path / "a.csv", text))
        assert [row.files for row in sheet.rows] == [(("img/1.jpg", None),), (("2.jpg", None),)]
        assert [row.side for row in sheet.rows] == [REVERSE, None]
        assert any("row 3 (edge)" in doubt.message for doubt in sheet.doubts)

    def test_files_by_side(self, tmp_path: Path) -> None:
        text = "coin,obverse image,reverse image,obverse,reverse\n1,a.jpg,b.jpg,O1,R1\n"
        row = read_sheet(write(tmp_path / "a.csv", text)).rows[0]
        assert row.files == (("a.jpg", OBVERSE), ("b.jpg", REVERSE))

    def test_rows_without_coin_are_told(self, tmp_path: Path) -> None:
        sheet = read_sheet(write(tmp_path / "a.csv", PLAIN + ",O1,R1\n"))
        assert len(sheet.rows) == 3
        assert "without a coin" in sheet.doubts[0].message


class TestDies:
    @pytest.mark.parametrize(
        "cell", ["", "?", "??", "-", "–", "—", " - ", "n/a", "#N/A", "NaN", "NA"]
    )
    def test_unknown(self, tmp_path: Path, cell: str) -> None:
        assert is_unknown(cell)
        row = read_sheet(write(tmp_path / "a.csv", f"coin,obverse,reverse\n1,{cell},R1\n")).rows[0]
        assert row.dies == {REVERSE: "R1"}

    @pytest.mark.parametrize("cell", ["O1", "O1?", "0", "A-", "NO", "-1"])
    def test_known(self, cell: str) -> None:
        assert not is_unknown(cell)

    def test_trimmed_and_otherwise_exact(self, tmp_path: Path) -> None:
        text = "coin,obverse\n1, O1 \n2,o1\n3,O 1\n4,O1\n5,O2\n"
        sheet = read_sheet(write(tmp_path / "a.csv", text))
        assert [row.dies[OBVERSE] for row in sheet.rows] == ["O1", "o1", "O 1", "O1", "O2"]
        (doubt,) = sheet.doubts
        assert doubt.kind == "die names alike"
        assert all(f"“{name}”" in doubt.message for name in ("O1", "o1", "O 1"))
        assert "O2" not in doubt.message

    def test_a_question_mark_beside_a_name_is_told(self, tmp_path: Path) -> None:
        sheet = read_sheet(write(tmp_path / "a.csv", "coin,obverse\n1,O1\n2,O1?\n"))
        assert sheet.rows[1].dies == {}
        assert "row 3 (O1?)" in sheet.doubts[0].message


class TestFinding:
    def test_at_the_top(self, tmp_path: Path) -> None:
        path = write(tmp_path / "Dies.CSV", PLAIN)
        assert find_sheet(tmp_path) == path
        (tmp_path / "sub").mkdir()
        assert find_sheet(tmp_path / "sub") is None

    def test_beside_images(self, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir()
        path = workbook(tmp_path / "dies.xlsx", [["coin", "obverse"], [1, "O1"]])
        assert find_sheet(tmp_path / "images") == path
        assert find_sheet(tmp_path) == path

    def test_labels_outrank(self, tmp_path: Path) -> None:
        write(tmp_path / "a.csv", PLAIN)
        other = write(tmp_path / "b.txt", PLAIN)
        assert find_sheet(tmp_path, other) == other

    def test_several(self, tmp_path: Path) -> None:
        write(tmp_path / "a.csv", PLAIN)
        write(tmp_path / "b.csv", PLAIN)
        doubts: list[Doubt] = []
        assert find_sheet(tmp_path, doubts=doubts) is None
        assert "a.csv, b.csv" in doubts[0].message
        assert "labels=FILE" in doubts[0].message

    def test_of_several_the_only_one_with_dies(self, tmp_path: Path) -> None:
        write(tmp_path / "prices.csv", "lot,price\n1,200\n2,300\n")
        write(tmp_path / "readme.txt", "photographs of 2024\n")
        sheet = write(tmp_path / "z.tsv", PLAIN.replace(",", "\t"))
        doubts: list[Doubt] = []
        assert find_sheet(tmp_path, doubts=doubts) == sheet
        assert "not prices.csv" in doubts[0].message

    def test_a_table_that_is_not_read_is_named(self, tmp_path: Path) -> None:
        write(tmp_path / "dies.numbers", "…")
        doubts: list[Doubt] = []
        assert find_sheet(tmp_path, doubts=doubts) is None
        assert "dies.numbers is not read; export it" in doubts[0].message

    def test_missing_labels(self, tmp_path: Path) -> None:
        write(tmp_path / "dies.csv", PLAIN)
        with pytest.raises(SheetError, match=r"die\.csv.*labels=FILE.*there is dies\.csv"):
            find_sheet(tmp_path, tmp_path / "die.csv")

    def test_what_is_no_sheet(self, tmp_path: Path) -> None:
        for name in ("overrides.csv", "truth.csv", "Truth.CSV", "~$dies.xlsx", ".dies.csv"):
            write(tmp_path / name, PLAIN)
        (tmp_path / "folder.csv").mkdir()
        assert find_sheet(tmp_path) is None

    @pytest.mark.parametrize("header", [CLUSTER_HEADER, PAIRS_HEADER])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_own_output(self, tmp_path: Path, header: tuple[str, ...], mark: str) -> None:
        path = write(tmp_path / "out.csv", mark + ",".join(header) + "\r\n1,obverse,O1,0.9\r\n")
        assert is_own_output(path)
        assert find_sheet(tmp_path) is None
        with pytest.raises(SheetError, match="dieindex itself"):
            find_sheet(tmp_path, path)

    @pytest.mark.parametrize("header", [COLUMNS, REVIEW_HEADER])
    def test_verdicts_that_lie_in_a_collection(self, tmp_path: Path, header: list[str]) -> None:
        write(tmp_path / "verdicts.csv", ",".join(header) + "\n1,2,obverse,same\n")
        assert find_sheet(tmp_path) is None
        write(tmp_path / "dies.csv", PLAIN)
        assert find_sheet(tmp_path) == tmp_path / "dies.csv"
        assert is_own_output(workbook(tmp_path / "a.xlsx", [list(header)]))

    def test_own_output_by_its_mark(self, tmp_path: Path) -> None:
        assert is_own_output(write(tmp_path / "a.csv", f"# {OUTPUT_MARK}\n{PLAIN}"))
        book = openpyxl.Workbook()
        book.active.append(["coin", "obverse"])
        book.properties.creator = OUTPUT_MARK
        book.save(tmp_path / "b.xlsx")
        assert is_own_output(tmp_path / "b.xlsx")
        assert find_sheet(tmp_path) is None

    def test_own_result_saved_anew_by_a_spreadsheet_program(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [list(CLUSTER_HEADER), [1, "obverse", "O1", 0.9]])
        assert is_own_output(path)

    def test_a_persons_sheet_is_not_own_output(self, tmp_path: Path) -> None:
        assert not is_own_output(write(tmp_path / "a.csv", "coin,side,die\n1,obverse,O1\n"))
        assert not is_own_output(workbook(tmp_path / "a.xlsx", [["coin", "obverse"]]))
        assert not is_own_output(write(tmp_path / "b.xlsx", "no workbook"))


def test_delimiter_of_ragged_rows() -> None:
    assert find_delimiter("coin,obv,rev\n1,O1\n2,O1,R2\n3,O2,R3\n") == ","
    assert find_delimiter("one column\nof text\n") is None


def test_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b\n\n1,2\n\n\n3,4\n")
    assert [row.number for row in read_rows(path).rows] == [1, 3, 6]


def test_large_text_sheets_are_quick(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", "coin,obv,rev\n" + "".join(f"{n},O1,R1\n" for n in range(20_000))
    )
    start = time.process_time()
    assert len(read_sheet(path).rows) == 20_000
    assert time.process_time() - start < 3  # 0.15 s on a free core
