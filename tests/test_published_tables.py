"""Tables as people publish and export them: what is read of each, and what is said of it."""

from __future__ import annotations

import base64
import datetime
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dieindex.collection.layout import read_collection
from dieindex.collection.sheets.archives import MAX_WORKBOOK_BYTES
from dieindex.collection.sheets.columns import header_columns
from dieindex.collection.sheets.die_cells import is_unknown
from dieindex.collection.sheets.files import is_own_output
from dieindex.collection.sheets.options import sheet_options
from dieindex.collection.sheets.reading import read_sheet
from dieindex.collection.sheets.rows import Sheet
from dieindex.errors import SheetError, UsageError
from dieindex.records import OBVERSE, REVERSE
from dieindex.study.reading import read_material
from tests.commands_for_tests import Command
from tests.test_sheets import dies_of, workbook, write
from tests.test_tables import patch


def read(folder: Path, text: str, name: str = "t.csv", columns: str | None = None) -> Sheet:
    return read_sheet(write(folder / name, text), sheet_options(columns))


def found(sheet: Sheet) -> list[tuple[str, str | None, str | None]]:
    return [(row.coin, row.dies.get(OBVERSE), row.dies.get(REVERSE)) for row in sheet.rows]


def said(sheet: Sheet) -> str:
    return f"{sheet.reading}\n" + "\n".join(doubt.message for doubt in sheet.doubts)


class TestHeaders:
    @pytest.mark.parametrize(
        ("header", "coin"),
        [
            ("Cat. no.;Obv. die;Rev. die;Wt.;Axis", "Cat. no."),
            ("Accession no.;Obverse die no.;Reverse die no.;Mint", "Accession no."),
            ("Lot;O die;R die;g", "Lot"),
            ("Lfd. Nr.;Vs.-Stempel;Rs.-Stempel;Gewicht (g);Stempelstellung", "Lfd. Nr."),
            ("Kat.-Nr.;Vorderseitenstempel;Rückseitenstempel", "Kat.-Nr."),
            ("Inventarnummer;Aversstempel;Reversstempel", "Inventarnummer"),
            ("Exemplar;V;R;Gew.", "Exemplar"),
            ("Monnaie;Coin D;Coin R;Poids", "Monnaie"),
            ("N° cat.;D/;R/;Axe", "N° cat."),
            ("Numéro d'inventaire;Matrice de droit;Matrice de revers", "Numéro d'inventaire"),
            ("N.;Conio D/;Conio R/", "N."),
            ("N. inv.;Conio di diritto;Conio di rovescio", "N. inv."),
            ("Nº de inventario;Cuño anv.;Cuño rev.", "Nº de inventario"),
            ("Munt;Stempel vz.;Stempel kz.", "Munt"),
            ("Inventarisnummer;Voorzijdestempel;Keerzijdestempel", "Inventarisnummer"),
            ("Α/Α;Σφραγίδα εμπροσθοτύπου;Σφραγίδα οπισθοτύπου", "Α/Α"),
            ("Αρ.;Εμπροσθότυπος;Οπισθότυπος", "Αρ."),
            ("No.;A;P;Weight", "No."),
            ("coin;obverse;reverse;2019;2020", "coin"),
        ],
    )
    def test_of_studies_and_museums(self, header: str, coin: str) -> None:
        columns = header_columns(header.split(";"))
        assert columns is not None
        roles = {(c.role, c.side): c.name for c in columns if c.role}
        names = header.split(";")
        assert roles == {
            ("coin", None): coin, ("die", OBVERSE): names[1], ("die", REVERSE): names[2]
        }  # fmt: skip

    @pytest.mark.parametrize(
        "name",
        [
            "Obverse legend",
            "Die axis",
            "Stempelstellung",
            "Hoard no.",
            "SNG",
            "Revers Legende",
            "W",
        ],
    )
    def test_what_names_no_role(self, name: str) -> None:
        columns = header_columns(["coin", "obverse", name])
        assert columns is not None
        assert columns[2].role is None

    def test_recto_and_verso_by_their_order(self, tmp_path: Path) -> None:
        assert found(read(tmp_path, "N.;R/;V/\n1;D1;E1\n"))[0] == ("1", "D1", "E1")
        assert found(read(tmp_path, "N.;V/;R/\n1;D1;E1\n"))[0] == ("1", "D1", "E1")

    @given(st.text(max_size=40))
    def test_any_text_may_head_a_column(self, text: str) -> None:
        columns = header_columns(["coin", "obverse", text])
        assert columns is None or len(columns) == 3


class TestSaid:
    def test_one_line_says_how_a_sheet_was_read(self, tmp_path: Path) -> None:
        text = "Lfd. Nr.;Vs.-Stempel;Rs.;g\n1;V1;R1;16\n;V1;R2;15\n3;V2;R2;14\nSumme;2;2;45\n"
        assert str(read(tmp_path, text).reading) == (
            "t.csv: coin = column “Lfd. Nr.”, obverse die = “Vs.-Stempel”, reverse die = “Rs.”; "
            "2 rows read, 2 passed over (rows 5: total; 3: no coin)"
        )

    def test_the_person_says_it(self, tmp_path: Path) -> None:
        text = "foo,bar,baz, qux\n7,O1,R1,1\n8,O1,R2,2\n"
        assert found(read(tmp_path, text, columns="coin=foo,obverse=BAR,reverse=3"))[1] == (
            "8", "O1", "R2"
        )  # fmt: skip
        plain = "coin,obverse,reverse\n1,O1,R1\n2,O1,R2\n"
        assert read(tmp_path, plain, columns="reverse=").sides == (OBVERSE,)
        with pytest.raises(SheetError, match="has no column “Vs”; its columns are coin, obverse"):
            read(tmp_path, plain, columns="obverse=Vs")
        with pytest.raises(UsageError, match="coin=NAME"):
            sheet_options("coins=1")

    def test_names_of_columns_may_hold_commas(self) -> None:
        given = sheet_options("coin=No., old,obverse=a=b, reverse=R")
        assert given.columns == {"coin": "No., old", "obverse": "a=b", "reverse": "R"}

    def test_by_study(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        run = Command(capsys)
        path = write(tmp_path / "t.csv", "Obverse die,Reverse die,n\nO1,R1,14\nO1,R2,3\nO2,R2,1\n")
        table = ["study", "--table", path, "--out", tmp_path / "out", "-q"]
        document = run.document(*table)
        assert document["table"]["columns"]["number of coins"] == "n"
        assert document["obverse"]["n"] == 18
        report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "number of coins = “n”; 3 rows read" in report
        code, _, err = run(*table[:-1], "--columns", "obverse=Vs")
        assert code == 1
        assert "has no column “Vs”" in err
        assert run("study", "--out", tmp_path / "x", "--columns", "coin=1")[0] == 2


class TestCounts:
    @pytest.mark.parametrize(
        "header",
        ["n", "No.", "Specimens", "Anzahl", "Anzahl Exemplare", "Nb. ex.", "Esemplari", "freq."],
    )
    def test_beside_combinations_of_dies(self, tmp_path: Path, header: str) -> None:
        text = f"Obverse die,Reverse die,{header}\nO1,R1,2\nO1,R2,3\nO2,R2,1\nO3,R3,2\n"
        material = read_material(write(tmp_path / "t.csv", text))
        assert len(material.coins) == 8
        assert sum(coin.die(OBVERSE) == "O1" for coin in material.coins) == 5

    def test_beside_numbers_of_rows(self, tmp_path: Path) -> None:
        text = "No.,Obverse,Reverse,Specimens\n1,O1,R1,14\n2,O1,R2,3\n3,O2,R2,0\n"
        names = [coin.name for coin in read_material(write(tmp_path / "t.csv", text)).coins]
        assert len(names) == 17
        assert names[14] == "2 [1]"

    def test_numbers_of_coins_in_any_order_are_no_counts(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, "No.,Obv,Rev\n7,O1,R1\n3,O1,R1\n12,O2,R1\n1,O2,R2\n")
        assert [row.coin for row in sheet.rows] == ["7", "3", "12", "1"]

    def test_what_may_be_either_is_refused(self, tmp_path: Path) -> None:
        text = "Obv,Rev,No.\nO1,R1,7\nO1,R2,3\nO2,R1,12\nO2,R2,1\n"
        with pytest.raises(SheetError, match=r"may number the coins.*count=No\."):
            read(tmp_path, text)
        assert [row.count for row in read(tmp_path, text, columns="count=No.").rows] == [
            7,
            3,
            12,
            1,
        ]
        assert read(tmp_path, text, columns="coin=No.").rows[0].coin == "7"


class TestCoins:
    def test_lists_and_ranges(self, tmp_path: Path) -> None:
        text = 'Coins,Obverse\n"1, 3, 5–7",O1\n2 and 4,O2\n"8a-c, 9",O3\n'
        coins = [row.coin for row in read(tmp_path, text).rows]
        assert coins == ["1", "3", "5", "6", "7", "2", "4", "8a", "8b", "8c", "9"]

    def test_what_may_be_a_list_is_pointed_out(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, 'coin,obverse\n"Paris 12, London 3",O1\nBerlin 4,O1\n')
        assert [row.coin for row in sheet.rows] == ["Paris 12, London 3", "Berlin 4"]
        assert "may list several coins" in said(sheet)

    def test_numbers_with_a_sign_are_no_comments(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, "# by me\ncoin,obverse\n# 1,O1\n# 2,O1\n3,O2\n")
        assert [row.coin for row in sheet.rows] == ["# 1", "# 2", "3"]

    def test_numbers_that_start_again(self, tmp_path: Path) -> None:
        text = "Hoard,No.,Obverse\nA,1,O1\n,2,O1\nB,1,O2\n,2,O3\n"
        with pytest.raises(SheetError, match=r"rows 2 and 4 are both coin 1.*coin=Hoard\+No\."):
            read_material(write(tmp_path / "t.csv", text))
        sheet = read(tmp_path, text, columns="coin=Hoard+No.")
        assert [row.coin for row in sheet.rows] == ["A/1", "A/2", "B/1", "B/2"]

    @pytest.mark.parametrize(
        "text",
        [
            "No.,Obv,Rev,g\n1,O1,R1,\na,,,16\nb,,,15\n2,O2,R1,\na,,,16\n",
            "Cat.,Ex.,Obv,Rev\n1,a,O1,R1\n,b,,\n2,a,O2,R1\n",
            "coin,obverse,reverse\n1a,O1,R1\n1b,,\n2a,O2,R1\n",
            "coin,obverse,reverse,g\n1a,O1,R1,16\nb,,,15\n2a,O2,R1,16\n",
            "No.,Obv,Rev,Collection\n1,O1,R1,\n,,,a. London\n,,,b. Paris\n2,O2,R1,a. Berlin\n",
            "No.,Obv,Rev,Where\n1,O1,R1,a. London\n,,,b. Paris\n2,O2,R1,(a) Berlin\n",
            "Cat.,Ex.,Obv,Rev\n1,,O1,R1\n,a,,\n,b,,\n2,a,O2,R1\n",
        ],
    )
    def test_specimens_under_a_number(self, tmp_path: Path, text: str) -> None:
        sheet = read(tmp_path, text)
        assert found(sheet) == [("1a", "O1", "R1"), ("1b", "O1", "R1"), ("2a", "O2", "R1")]
        assert "specimens" in said(sheet)

    def test_both_ways_in_one_table(self, tmp_path: Path) -> None:
        text = "No,Obv,Where\n1,O1,\n,,a. Bonn\n,,b. Bern\n2,O2,\na,,Rome\nb,,Rom\n"
        assert [row.coin for row in read(tmp_path, text).rows] == ["1a", "1b", "2a", "2b"]

    def test_letters_that_do_not_run_on_name_no_specimens(self, tmp_path: Path) -> None:
        """A remark that begins with a letter is no list."""
        text = "No.,Obv,Rev,Where\n1,O1,R1,M. Smith\n,,,b. 1931\n2,O2,R1,a. R.\n"
        assert [row.coin for row in read(tmp_path, text).rows] == ["1", "2"]

    def test_totals_headers_titles_remarks(self, tmp_path: Path) -> None:
        text = (
            "No.,Obverse,Reverse,g\nSeries I,,,\n1,O1,R1,16\nNo.,Obverse,Reverse,g\n2,O1,R2,16\n"
            "Summe,1,2,32\nSource: Smith 1931, p. 12\n* see note 3,,,\n3,?,,15\n"
        )
        sheet = read(tmp_path, text)
        assert [row.coin for row in sheet.rows] == ["1", "2", "3"]
        assert "rows 2, 7, 8: title or remark; 4: header repeated; 6: total" in said(sheet)

    def test_a_second_table_below_is_refused(self, tmp_path: Path) -> None:
        text = "coin,obverse,reverse\n1,O1,R1\nreverse,coin,obverse\nR9,11,O9\n"
        with pytest.raises(SheetError, match="row 3 begins another table"):
            read(tmp_path, text)


class TestCells:
    @pytest.mark.parametrize(
        "cell",
        ["NA", "#N/A", ".", "n. b.", "n.d.", "unbestimmt", "nicht bestimmbar", "illisible",
         "pas visible", "illeggibile", "no visible", "onleesbaar", "άγνωστη", "δεν διακρίνεται",
         "not visible", "uncertain", "unid.", "tbd", "#REF!"],
    )  # fmt: skip
    def test_words_for_not_known(self, cell: str) -> None:
        assert is_unknown(cell)

    @pytest.mark.parametrize("cell", ["A", "n1", "Athena", "I", "12", "die 3"])
    def test_names(self, cell: str) -> None:
        assert not is_unknown(cell)

    def test_codes_among_names_of_another_form(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, "coin,obverse,reverse\n1,O1,1\n2,0,99\n3,x,2\n4,O2,3\n")
        assert found(sheet)[1:3] == [("2", None, "99"), ("3", None, "2")]
        assert "row 3 (0), row 4 (x)" in said(sheet)

    def test_doubt_and_several_names(self, tmp_path: Path) -> None:
        odd = ["O1 (?)", "cf. O1", "[O1]", "wohl O1", "O1=O2", "O1 oder O2", "O1/2", "O1–O3"]
        rows = "".join(f'{n},"{cell}"\n' for n, cell in enumerate(["O1", "O2", "O1*", *odd]))
        sheet = read(tmp_path, "coin,obverse\n" + rows)
        assert [row.dies.get(OBVERSE) for row in sheet.rows] == ["O1", "O2", "O1*", *[None] * 8]
        assert "row 6 (cf. O1)" in said(sheet)
        assert "row 9 (O1=O2)" in said(sheet)
        assert "“O1” and “O1*” look alike" in said(sheet)

    @pytest.mark.parametrize("style", ["12/{}", "I-{}", "[{}]", "A-{}?"])
    def test_a_style_of_all_names_is_no_doubt(self, tmp_path: Path, style: str) -> None:
        names = [style.format(number) for number in (1, 1, 2, 3)]
        text = "coin,obverse\n" + "".join(f"{n},{name}\n" for n, name in enumerate(names))
        assert [row.dies.get(OBVERSE) for row in read(tmp_path, text).rows] == names

    def test_letters_that_look_alike(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, "coin,obverse\n1,O1\n2,О1\n3,O01\n4,\u200bO2\n5,O\u200b2\n")
        names = [row.dies[OBVERSE] for row in sheet.rows]
        assert names == ["O1", "О1", "O01", "O2", "O\u200b2"]
        assert "U+041E" in said(sheet)
        assert "U+200B" in said(sheet)
        assert "invisible letters were taken off: row 5" in said(sheet)

    @pytest.mark.parametrize("mark", ['""""', "″", "〃", "id.", "idem", "wie oben", '-""-'])
    def test_ditto_marks(self, tmp_path: Path, mark: str) -> None:
        mark = f'"{mark}"' if mark.startswith("-") else mark
        sheet = read(tmp_path, f"coin,obverse,reverse\n1,O1,R1\n2,{mark},R2\n3,{mark},R3\n")
        assert [row.dies[OBVERSE] for row in sheet.rows] == ["O1"] * 3
        assert "ditto marks were filled in from above: row 3 (O1)" in said(sheet)

    @pytest.mark.parametrize("cell", ["02-Jan", "2. Mrz", "2024-01-02", "déc-12", "01.02.2026"])
    def test_dates_are_no_dies(self, tmp_path: Path, cell: str) -> None:
        sheet = read(tmp_path, f"coin,obverse\n1,{cell}\n2,13-1\n3,13-1\n")
        assert [row.dies.get(OBVERSE) for row in sheet.rows] == [None, "13-1", "13-1"]
        assert f"row 2 ({cell})" in said(sheet)

    def test_both_dies_in_one_column(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, "coin,dies\n1,O1-R1\n2,O1/R2\n3,O2–R2\n4,?\n5,O3\n")
        assert found(sheet)[:3] == [("1", "O1", "R1"), ("2", "O1", "R2"), ("3", "O2", "R2")]
        assert found(sheet)[3:] == [("4", None, None), ("5", None, None)]
        assert "row 6 (O3)" in said(sheet)
        turned = read(tmp_path, "coin;Stempelkombination\n1;R1-V1\n2;R1-V2\n")
        assert found(turned) == [("1", "V1", "R1"), ("2", "V2", "R1")]

    @pytest.mark.parametrize(
        ("cells", "what"),
        [
            (["Laureate head right", "Laureate head right", "Eagle"], "descriptions"),
            (["open", "open", "open"], "the word “open” alone"),
            (["http://a.org/1", "http://a.org/2", "http://a.org/3"], "links"),
        ],
    )
    def test_what_is_no_die(self, tmp_path: Path, cells: list[str], what: str) -> None:
        rows = "".join(f"{n},{cell},16.5\n" for n, cell in enumerate(cells))
        with pytest.raises(SheetError, match=f"no column for the dies.*“Obverse” with {what}"):
            read(tmp_path, f"ID,Obverse,Weight\n{rows}")
        sheet = read_sheet(tmp_path / "t.csv", dies_needed=False)
        assert sheet.sides == ()
        assert sheet.rows[0].columns["Obverse"] == cells[0]

    def test_columns_that_hold_pictures(self, tmp_path: Path) -> None:
        sheet = read(tmp_path, "No.,Obverse,Reverse,Die\n1,1o.jpg,1r.jpg,O1\n2,2o.jpg,2r.jpg,O1\n")
        assert sheet.rows[0].files == (("1o.jpg", OBVERSE), ("1r.jpg", REVERSE))


class TestWithoutHeader:
    @pytest.mark.parametrize(
        ("rows", "first"),
        [
            ("1,16.53,O1,R1\n2,15.90,O1,R2\n3,16.01,O2,R2\n", ("1", "O1", "R1")),
            ("BM 1,London,16.5,12,A1,P1\nBM 2,London,16,6,A1,P2\n", ("BM 1", "A1", "P1")),
            ("1,R1,O1\n2,R2,O1\n3,R2,O2\n", ("1", "O1", "R1")),
            ("L001;O1\nL002;O1\nL003;O2\n", ("L001", "O1", None)),
            ("1 1 1\n2 1 2\n3 2 2\n", ("1", "1", "1")),
        ],
    )
    def test_cells_tell(self, tmp_path: Path, rows: str, first: tuple[str, str, str]) -> None:
        sheet = read(tmp_path, rows)
        assert found(sheet)[0] == first
        assert "no header; coin = column “column 1”" in said(sheet)

    def test_or_a_person(self, tmp_path: Path) -> None:
        text = "1,16,12,Athens\n2,17,6,Athens\n3,16,12,Corinth\n"
        with pytest.raises(SheetError, match="cells do not tell"):
            read(tmp_path, text)
        sheet = read(tmp_path, text, columns="coin=1,obverse=4")
        assert found(sheet)[0] == ("1", "Athens", None)


class TestWorkbooks:
    def test_first_shown_sheet_with_coins_and_dies(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.title = "Old"
        book.active.append(["coin", "obverse"])
        book.active.append([1, "OLD"])
        book.active.sheet_state = "hidden"
        book.create_sheet("Notes").append(["These coins were photographed in 2024"])
        for name, die in (("Group A", "A1"), ("Group B", "B1")):
            page = book.create_sheet(name)
            page.append(["Coin", "Obverse"])
            page.append([1, die])
        book.save(tmp_path / "a.xlsx")
        sheet = read_sheet(tmp_path / "a.xlsx")
        assert sheet.rows[0].dies == {OBVERSE: "A1"}
        assert "sheet “Group A” is read; not read: Notes, Group B" in said(sheet)
        assert "hidden sheets are not read: Old" in said(sheet)
        other = read_sheet(tmp_path / "a.xlsx", sheet_options(None, "group b"))
        assert other.rows[0].dies == {OBVERSE: "B1"}
        with pytest.raises(SheetError, match="has no sheet “C”; its sheets are Old, Notes, Group"):
            read_sheet(tmp_path / "a.xlsx", sheet_options(None, "C"))

    def test_hidden_rows_dates_and_formats(self, tmp_path: Path) -> None:
        rows: list[list[object]] = [
            ["coin", "obverse", "reverse"], [1, 1, "R1"], [2, datetime.date(2026, 2, 1), "R1"],
            [3, "FORGERY", "FORGERY"], [4, "O1", "R1"],
        ]  # fmt: skip
        path = workbook(tmp_path / "a.xlsx", rows)
        book = openpyxl.load_workbook(path)
        book.active["A2"].number_format = "000"
        book.active["B2"].number_format = '"O"0'
        book.active.row_dimensions[4].hidden = True
        book.save(path)
        sheet = read_sheet(path)
        assert found(sheet) == [("001", "O1", "R1"), ("2", None, "R1"), ("4", "O1", "R1")]
        assert "row 3 (2026-02-01)" in said(sheet)
        assert "hidden rows are passed over (row 4)" in said(sheet)

    def test_strict_open_xml(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"]])
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        strict = b"http://purl.oclc.org/ooxml/"
        with zipfile.ZipFile(path, "w") as archive:
            for name, raw in parts.items():
                for kind in (b"spreadsheetml", b"officeDocument"):
                    old = b"http://schemas.openxmlformats.org/" + kind + b"/2006/"
                    raw = raw.replace(old, strict + kind + b"/")
                archive.writestr(name, raw)
        with zipfile.ZipFile(path) as archive:
            assert strict in archive.read("xl/workbook.xml")
        assert dies_of(path) == {"1": ("O1", None)}

    def test_open_document(self, tmp_path: Path) -> None:
        def cell(text: str, more: str = 'office:value-type="string"') -> str:
            return f"<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"

        def row(cells: str, more: str = "") -> str:
            return f"<table:table-row {more}>{cells}</table:table-row>"

        number = 'office:value-type="float" office:value="1"'
        content = (
            row(cell("coin") + cell("obverse"))
            + row(cell("1.0", number) + cell("O1", number))
            + row(
                cell("2") + cell("1-2", 'office:value-type="date" office:date-value="2026-02-01"')
            )
            + row(cell("3") + cell("X"), 'table:visibility="filter"')
            + row("<table:table-cell/>", 'table:number-rows-repeated="1048570"')
        )
        assert self.open_document(tmp_path, content) == {"1": ("O1", None), "2": (None, None)}
        with pytest.raises(SheetError, match="repeats row 1 1048570 times"):
            self.open_document(tmp_path, row(cell("x"), 'table:number-rows-repeated="1048570"'))
        many = "".join(row(cell(str(n)), 'table:number-rows-repeated="9000"') for n in range(9))
        with pytest.raises(SheetError, match="repeats row 9001"):
            self.open_document(tmp_path, many)

    def open_document(self, folder: Path, rows: str) -> dict[str, tuple[str | None, str | None]]:
        names = "".join(
            f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
            for name in ("office", "table", "text", "style")
        )
        with zipfile.ZipFile(folder / "a.ods", "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            table = f'<table:table table:name="D">{rows}</table:table>'
            archive.writestr("content.xml", f"<office:document{names}>{table}</office:document>")
        return dies_of(folder / "a.ods")

    def test_old_excel(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xls"
        path.write_bytes(zlib.decompress(base64.b85decode("".join(OLD_EXCEL))))
        sheet = read_sheet(path)
        assert found(sheet) == [("1", "O1", "R1"), ("2", "O1", None)]
        assert "hidden sheets are not read: Old" in said(sheet)
        path.write_bytes(path.read_bytes()[:1500])
        with pytest.raises(SheetError, match="save it as"):
            read_sheet(path)
        path.write_text("<html><table><tr><td>coin</td></tr></table></html>")
        with pytest.raises(SheetError, match="page of the web"):
            read_sheet(path)

    def test_bombs_are_refused_before_a_part_is_read(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"]])
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/sharedStrings.xml", bytes(MAX_WORKBOOK_BYTES + 1))
        assert not is_own_output(path)
        with pytest.raises(SheetError, match="unpacks to") as caught:
            read_sheet(path)
        assert len(str(caught.value)) < 300 + len(str(path))

    def test_damaged_properties_do_not_matter(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], [1, "O1"]])
        patch(path, "docProps/core.xml", b"<cp:", b"<<\xff")
        assert dies_of(path) == {"1": ("O1", None)}

    def test_dates_of_the_first_and_last_years(self, tmp_path: Path) -> None:
        rows: list[list[object]] = [
            ["coin", "obverse", "found"],
            [1, "O1", -700_000],
            [2, "O1", 1e12],
        ]
        path = workbook(tmp_path / "a.xlsx", [*rows, [3, "O1", datetime.date(9999, 12, 31)]])
        book = openpyxl.load_workbook(path)
        for cell in ("C2", "C3"):
            book.active[cell].number_format = "yyyy-mm-dd"
        book.save(path)
        assert dies_of(path) == {"1": ("O1", None), "2": ("O1", None), "3": ("O1", None)}

    def test_a_cell_of_a_million_letters(self, tmp_path: Path) -> None:
        path = workbook(tmp_path / "a.xlsx", [["coin", "obverse"], *[[n, "O1"] for n in range(3)]])
        patch(path, "xl/worksheets/sheet1.xml", b">O1<", b">" + b"O" * 1_000_000 + b"<")
        sheet = read_sheet(path)
        assert sheet.rows[0].dies == {}
        assert "were cut (rows 2)" in said(sheet)
        assert max(len(doubt.message) for doubt in sheet.doubts) <= 300

    @pytest.mark.parametrize("cell", [". " * 16_000, " " * 30 + "1 " * 16_000, "(" * 32_000])
    def test_long_cells_are_read_in_time(self, tmp_path: Path, cell: str) -> None:
        start = time.process_time()
        rows = "".join(f'"{cell}{n}","{cell}","{cell}"\n' for n in range(10))
        for text in (f"coin,obverse,dies\n{rows}", rows):
            with suppress(SheetError):
                read(tmp_path, text)
        assert time.process_time() - start < 5


class TestCollections:
    def test_a_sheet_that_is_not_understood_may_be_left_aside(self, tmp_path: Path) -> None:
        (tmp_path / "1_obv.jpg").touch()
        write(tmp_path / "prices.csv", "what,price\nalbum,20\n")
        with pytest.raises(SheetError) as caught:
            read_collection(tmp_path)
        assert "prices.csv" in str(caught.value)
        assert caught.value.terminal.endswith("leave it aside with --no-labels")
        assert read_collection(tmp_path, labels=False).sheet is None

    def test_an_accession_list_lends_its_columns(self, tmp_path: Path) -> None:
        (tmp_path / "1931.6.1.jpg").touch()
        text = "Accession no.,Obverse,Weight\n1931.6.1,Head of Herakles right,16.5\n"
        write(tmp_path / "list.csv", text)
        collection = read_collection(tmp_path)
        assert collection.coins["1931.6.1"].columns["Weight"] == "16.5"
        assert "names no die" in " ".join(doubt.message for doubt in collection.doubts)

    def test_without_labels(self, tmp_path: Path) -> None:
        (tmp_path / "1.jpg").touch()
        write(tmp_path / "dies.csv", "coin,obverse\n1,O1\n")
        assert read_collection(tmp_path).coins
        assert read_collection(tmp_path).reading is not None
        assert not read_collection(tmp_path, labels=False).coins

    def test_a_sheet_that_only_counts(self, tmp_path: Path) -> None:
        (tmp_path / "1.jpg").touch()
        write(tmp_path / "dies.csv", "Obverse,Reverse,Anzahl\nO1,R1,3\nO1,R2,1\n")
        collection = read_collection(tmp_path)
        assert not collection.coins
        assert "counts coins and names none" in " ".join(d.message for d in collection.doubts)


OLD_EXCEL = (
    "c-rk)O=uHA6#iy+(<HS`lm3XU5JJGJwJjDeBDARz?Zu|G2dyG#+vE^hl9Gs^2d&l|1;LZWOQ8y0s$Tp-1-*F?DtZ"
    "tEq0yr!LBT`Y_07v{-2Mm+XrOh!Wxkzx^WM(Oyf-tOeLEMJpMKbs#|m^o$CBwqg-s@?c&&yX)Nh)yYTZ3lOa~hZU"
    "JnJb!i8tmZ`?A5GTwP;cwoFD20l|cjd8@%sYIxZIK(~-3F$+pFevvl+@|6~Bl}g$Ji=VZe4llnGk3G(I&&xK&Wlr"
    "+i^N*?t2`dm!rbR07I@4yA6e3Y2E3MeeEEhb=(=z)lN=h`EFD3k3NxTs_ast@jBI;x2L=%C3-1jYHMomP;3T1~x3"
    "?`Coku+-#SDI!A>g~U`d@||d3ogmB>%Zw?*4<^LlIp|?xo<al;6}S_7gDA3b_<=*n)9Gri+fgv3L$uF!%^C5KShs"
    "3pl{LyoV(iNhed3N$KJ9iA*-31ARxM#IZ~}@$szWfowZ1tAP$m!of;;e(-+dU$);=^D3+&j-!U_0bYxK8fW3&w|B"
    "k6{gE>)nc$HNC(#b+I80oT7G&(>9<9hN%zK!x@>92Sy@|P=)&t#}`x{i{$Rz7r<KAW(XCLEzWT&mZi|V<r$DRapU"
    "n0AyKHHPOSU>wAGL0}zZk+7pHHlWyDyD8pJdId)q4um#%#Ew|FOTL|zMJZ}t-+#Pi-Z7kp(STWD1EU)|B_b8vH;J"
    "k)EC9s?9yuSh^MF9cBYpjCI+*<fn%bt854b3OpIbnqn67SA-nYp8u538YMF(Kl%}N8PFrQSjb#BIp<q{ssX2|LQe"
    "U@aLP%wT&iX#(m(E_gtxUjLnc%>I0|yQqIQSnR)Z4PI-qT#_{m-qw>nu`Paz2x6S_~jf*E#xAco-?VXK<mU{MibZ"
    "u%0E>X=8malsG}7XE2Ik_G7f<{H6DIVgEhrHuV3!B~<G8OQrbvkH`N7gu4_9"
)
"""A hidden sheet, and one of three coins: a number shown as O1, a date, a hidden row."""
