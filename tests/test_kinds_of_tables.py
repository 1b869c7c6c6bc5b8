"""Tables and names of files as studies, museums and statisticians write them, each with its right
reading: coin, obverse die, reverse die (“-” for none), and the number of coins where one counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dieindex.collection.layout import own_ids, read_collection
from dieindex.collection.names import read_names
from dieindex.collection.sheets import coin_cells
from dieindex.collection.sheets.options import sheet_options
from dieindex.collection.sheets.reading import read_sheet
from dieindex.collection.sheets.rows import Sheet
from dieindex.errors import SheetError
from dieindex.records import OBVERSE, REVERSE

PLAIN = "1 O1 R1; 2 O1 R2; 3 O2 R2"
ROWS = "1,O1,R1/2,O1,R2/3,O2,R2"


def read(folder: Path, table: str, columns: str | None = None, name: str = "t.csv") -> Sheet:
    """The table with its rows set apart by ``/`` where a line holds them all."""
    path = folder / name
    text = table if "\n" in table else table.replace("/", "\n")
    path.write_text(text + "\n", encoding="utf-8")
    return read_sheet(path, sheet_options(columns))


def shown(sheet: Sheet) -> str:
    rows = [
        [row.coin, row.dies.get(OBVERSE, "-"), row.dies.get(REVERSE, "-"), row.count]
        for row in sheet.rows
    ]
    return "; ".join(" ".join(str(cell) for cell in row if cell is not None) for row in rows)


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        # words of headers, and columns that are no dies
        ("Lfd. Nr.;Inv.-Nr.;StSt.;Av.-St.;Rv.-St./1;18;12;V1;R1/2;19;6;V1;R2", "1 V1 R1; 2 V1 R2"),
        ("Num. catalogo,Conio D,Conio R,Esemplare/1,A,B,Roma/2,A,C,Roma", "1 A B; 2 A C"),
        ("Volgnummer;Voorzijdestempel;Keerzijdestempel/1;V1;K1/2;V1;K2", "1 V1 K1; 2 V1 K2"),
        ("α.α.;Σφραγίδα εμπρόσθιας όψης;Οπίσθιας όψης/1;Ε1;Ο1/2;Ε1;Ο2", "1 Ε1 Ο1; 2 Ε1 Ο2"),
        ("Nr.;Vorder-seiten-stempel;Rück-seiten-stempel/1;V1;R1/2;V1;R2", "1 V1 R1; 2 V1 R2"),
        ("Nr.,V,R,A/1,1,1,12/2,1,2,6/3,2,2,3", "1 1 1; 2 1 2; 3 2 2"),
        ("coin,obverse,reverse/1,1.0,1.0/2,1.0,2.0", "1 1.0 1.0; 2 1.0 2.0"),
        # headers of two rows
        ("No.,Obverse,,Reverse,/,Type,Die,Type,Die/1,Zeus,O1,Owl,R1/2,Zeus,O1,Owl,R2",
         "1 O1 R1; 2 O1 R2"),
        ("Nr.;Stempel;;g/;Vs.;Rs.;/1;V1;R1;16/2;V1;R2;16", "1 V1 R1; 2 V1 R2"),
        # both dies in one cell, one die a row
        ("Nr.\tStempel\n1\tV1 / R1\n2\tV1 / R2\n3\tV2 / ?", "1 V1 R1; 2 V1 R2; 3 V2 -"),
        ("coin\tdies\n1\tO1/-\n2\tO1/R2\n3\t-/R2", "1 O1 -; 2 O1 R2; 3 - R2"),
        ("coin,die pair/1,O1_R1/2,O1_R2/3,O2_R2", PLAIN),
        ("coin,dies/1,O1R1/2,O1R2/3,O2R2", PLAIN),
        ("Münze;Seite;Stempel/1;Vs.;V1/1;Rs.;R1/2;Vs.;V1", "1 V1 -; 1 - R1; 2 V1 -"),
        ("Die,n/O1,14/O2,3/R1,9/R2,8", " O1 - 14;  O2 - 3;  - R1 9;  - R2 8"),
        # lists and counts
        ('Obv;Rev;Exemplare/V1;R1;"1; 2"/V1;R2;3/V2;R2;4 u. 5',
         "1 V1 R1; 2 V1 R1; 3 V1 R2; 4 V2 R2; 5 V2 R2"),
        ("Vs;Rs;Anzahl/V1;R1;14 Ex./V1;R2;3,0", " V1 R1 14;  V1 R2 3"),
        # rows that are no coins
        (f"No.,Obv,Rev/{ROWS}/Total: 3 coins,2 dies,2 dies", PLAIN),
        (f"No.,Obv,Rev/{ROWS}/3 Exemplare,2,2", PLAIN),
        (f"No.,Obv,Rev/{ROWS}/Ø,,/Anzahl Stempel,2,2", PLAIN),
        ("N°,Droit,Revers/1,1,1/2,1,2/n =,2,/Nombre de coins,1,2", "1 1 1; 2 1 2"),
        ("Obv,Rev,n/O1,R1,14/O1,R2,3/O1 total,,17/,,17", " O1 R1 14;  O1 R2 3"),
        ("No.,Obv,Rev/336 BC,,/1,O1,R1/2,O1,R2/320-319 BC,,/3,O2,R2", PLAIN),
        ("No.,Obv.,Rev.,g/1,O1,R1,1/2,O1,R2,1/No,Obv,Rev,Weight/3,O2,R2,1", PLAIN),
        ("Collection,No.,Obv. die,Rev. die/London,1,1,1/Grand Palais,2,1,2/Media Museum,3,2,3",
         "1 1 1; 2 1 2; 3 2 3"),
        ("coin,obverse,reverse/1,ID,R1/2,ID,R1/3,DO,R2", "1 ID R1; 2 ID R1; 3 DO R2"),
        # what cells say
        ("c no,Obv,Rev/1,VIII,a/2,X,b/3,XX,b".replace("c no", "No."), "1 VIII a; 2 X b; 3 XX b"),
        ("coin,obverse,reverse/1,O1,R1/2,zerkratzt,R1/3,O2,s.d./4,O1,R2/5,O2,R2",
         "1 O1 R1; 2 - R1; 3 O2 -; 4 O1 R2; 5 O2 R2"),
        ("coin,obverse,reverse/1,O1,R1/2,same as 1,R1/3,O1 and O2,R1/4,O2,…/5,O2,R2",
         "1 O1 R1; 2 - R1; 3 - R1; 4 O2 -; 5 O2 R2"),
        ("Cat. no.,Obv,Rev/1.a,O1,R1/1.b,,/2.a,O1,R2/2.b,,",
         "1.a O1 R1; 1.b O1 R1; 2.a O1 R2; 2.b O1 R2"),
    ],
)  # fmt: skip
def test_is_read_right(tmp_path: Path, table: str, wanted: str) -> None:
    assert shown(read(tmp_path, table)) == wanted


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("Series,n obverse dies,n reverse dies,n coins/I,12,30,90/II,3,4,20", None),
        ("No.,Weight,Obv,Rev/1,16,5,O1,R1/2,16,4,O1,R2", None),
        ("O1,R1,14/O1,R2,3/O2,R2,1", None),
        ("Obv,Rev,n/O1,R1,1/O1,R2,2/O2,R2,3", None),
        (f"No.,Obv,Rev/{ROWS}/Die,Coins/O1,2/O2,1", None),
        (f"No.,Obv,Rev/{ROWS}", "coin=No.,obverse=Obv,reverse=Obv"),
        (ROWS, "coin=1,obverse=2,reverse=9"),
    ],
)
def test_is_refused(tmp_path: Path, table: str, columns: str | None) -> None:
    with pytest.raises(SheetError):
        read(tmp_path, table, columns)


@pytest.mark.parametrize(
    ("table", "columns", "told"),
    [
        ("No.,Obverse,Reverse/1,Zeus,Owl/2,Zeus,Eagle/3,Hera,Eagle", None, "words without a numb"),
        ("coin,obverse,reverse/1,O1,R1/2,O1 (state b),R2/3,O2,R2", None, "differ only in a remark"),
        ("coin,obverse,reverse/1,O1-3,R1/2,O1,R2/3,O2,R2", None, "“O1-3” are called otherwise"),
        ("coin,Obv die (old),Obv die (new),Rev die/1,1,A,R1/2,2,B,R1", None, "may be in “Obv die"),
        ("Auction,Lot,Obv,Rev/CNG,2,O1,R1/NAC,2,O1,R2", None, "coin=Auction+Lot"),
        ("Obv,Rev,Coin/O1,R1,1/,R1,2/,R2,3/O2,R3,4", None, "names each die once"),
        ("Inv. no.,Obv,Rev/1.82E+07,O1,R1/1.83E+07,O1,R2", None, "shortened"),
        ("coin;obverse;x/1;O1;/2;O1;a;b/3;O2;", None, "rows 3"),
        ("No.,Obv,Rev,Wt/1,O1,R1,16.5/2,O1,R2,16.4", "coin=No.,obverse=Wt", "holds measures"),
        ("Obv,Rev,Coins/O1,R1,x 1 (London); 2 (Paris)/O1,R2,3", None, "may list several coins"),
    ],
)
def test_is_told(tmp_path: Path, table: str, columns: str | None, told: str) -> None:
    doubts = read(tmp_path, table, columns).doubts
    assert any(told in doubt.message for doubt in doubts), [doubt.message for doubt in doubts]


def test_columns_of_a_table_without_a_header_are_named_by_number(tmp_path: Path) -> None:
    table = "Hoard A,1,O1,R1/Hoard A,2,O1,R2/Hoard B,1,O2,R2"
    sheet = read(tmp_path, table, "coin=1+2,obverse=3,reverse=4")
    assert shown(sheet) == "Hoard A/1 O1 R1; Hoard A/2 O1 R2; Hoard B/1 O2 R2"
    assert shown(read(tmp_path, table.replace("Hoard ", ""), "coin=1+2,obverse=3,reverse=-")) == (
        "A/1 O1 -; A/2 O1 -; B/1 O2 -"
    )


def test_text_of_old_macs_and_columns_of_fixed_width(tmp_path: Path) -> None:
    path = tmp_path / "mac.csv"
    path.write_bytes("Nr;Vorderseite;Rückseite\n1;V1;R1\n2;V1;R2\n".encode("mac_roman"))
    assert shown(read_sheet(path)) == "1 V1 R1; 2 V1 R2"
    table = "Coin no.  Obv. die  Rev. die  g\n1         O1        R1        1\n2         O1\n"
    assert shown(read(tmp_path, table, name="t.txt")) == "1 O1 R1; 2 O1 -"


def test_many_coins_of_a_row_each_are_no_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coin_cells, "MAX_EXPANDED", 2)
    assert shown(read(tmp_path, f"coin,obverse,reverse/{ROWS}")) == PLAIN


@pytest.mark.parametrize(
    ("first", "second", "coin"),
    [
        ("{}_Dr", "{}_Rv", "{}"),
        ("Droits/{}", "Revers/{}", "{}"),
        ("{}_A", "{}_P", "{}"),
        ("{}_ob", "{}_re", "{}"),
        ("AN{}_001_l", "AN{}_002_l", "AN{}_l"),
        ("coin {} obverse copy", "coin {} reverse copy", "coin {} copy"),
        ("{}_obv (1)", "{}_rev (1)", "{} (1)"),
        ("{}_obv_1200x1200", "{}_rev_1200x1200", "{}_1200x1200"),
    ],
)
def test_names_of_two_sides(first: str, second: str, coin: str) -> None:
    numbers = ("12", "13", "15", "20")
    files = [form.format(n) + ".jpg" for n in numbers for form in (first, second)]
    named = read_names(files).files
    assert [name.side for name in named] == [OBVERSE, REVERSE] * len(numbers)
    ids = own_ids(named)
    assert [ids[file] for file in files[::2]] == [coin.format(n) for n in numbers]


@pytest.mark.parametrize(
    ("form", "coins"),
    [
        ("type{}_1", "AR"),
        ("coin{} (obverse and reverse)", "123"),
        ("{}_obv_rev", "123"),
        ("{}_obv", "123"),
        ("IMG_{}", "1234"),
    ],
)
def test_names_of_no_side(form: str, coins: str) -> None:
    named = read_names([form.format(coin) + ".jpg" for coin in coins]).files
    assert {name.side for name in named} == {None}


@pytest.mark.parametrize(
    ("header", "rows", "wanted"),
    [
        ("No.,Inv. no.", ("1,1820", "2,1821"), {"1820": "O1", "1821": "O2"}),
        ("Inv. no.,No.", ("1820,1", "1821,2"), {"1820": "O1", "1821": "O2"}),
        ("x,No.", ("a,1820*", "b,1821"), {"1820": "O1", "1821": "O2"}),
    ],
)
def test_a_sheet_meets_pictures_by_the_numbers_they_carry(
    tmp_path: Path, header: str, rows: tuple[str, str], wanted: dict[str, str]
) -> None:
    for place, coin in enumerate(wanted):
        Image.new("RGB", (32, 32), (90 * place, 80, 40)).save(tmp_path / f"{coin}_obv.png")
        Image.new("RGB", (32, 32), (90 * place, 80, 90)).save(tmp_path / f"{coin}_rev.png")
    lines = [f"{header},obverse", f"{rows[0]},O1", f"{rows[1]},O2"]
    (tmp_path / "dies.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_collection(tmp_path)
    assert {coin: row.dies[OBVERSE] for coin, row in found.coins.items()} == wanted
    assert found.reading is not None
    assert found.reading.columns["coin"] == ("Inv. no." if "Inv" in header else "No.")
