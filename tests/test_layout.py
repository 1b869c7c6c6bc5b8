"""Folders of photographs: coins, sides, sheets, and what is doubtful about them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from dieindex.collection.known_coins import match_sheet
from dieindex.collection.layout import list_files, read_collection
from dieindex.errors import CollectionError, SheetError
from dieindex.records import OBVERSE, REVERSE, Collection, Doubt, Side


def fill(folder: Path, names: Iterable[str]) -> Path:
    """Files of unlike bytes: nothing here decodes them."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 3)
    return folder


def coins(collection: Collection) -> dict[str, tuple[str, Side | None]]:
    return {p.file: (p.coin, p.side) for p in collection}


def doubts(collection: Collection, kind: str) -> list[Doubt]:
    return [doubt for doubt in collection.doubts if doubt.kind == kind]


class TestFiles:
    def test_natural_order_and_hidden_things(self, tmp_path: Path) -> None:
        fill(
            tmp_path,
            [
                "10.jpg", "2.JPG", "1.jpeg", "b/3.png", "a/4.tif", ".hidden.jpg", ".git/5.jpg",
                "__MACOSX/6.jpg", "b/._3.png", "Thumbs.db", "notes.txt", "7.webp", "8.bmp",
                "9.heic",
            ],
        )  # fmt: skip
        assert list_files(tmp_path).pictures == [
            "1.jpeg", "2.JPG", "7.webp", "8.bmp", "9.heic", "10.jpg", "a/4.tif", "b/3.png",
        ]  # fmt: skip

    def test_loops_and_repeated_folders_are_read_once(self, tmp_path: Path) -> None:
        fill(tmp_path, ["z/1.jpg"])
        (tmp_path / "z" / "loop").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "a").symlink_to(tmp_path / "z", target_is_directory=True)
        assert list_files(tmp_path).pictures == ["z/1.jpg"]

    def test_links_to_elsewhere_are_followed(self, tmp_path: Path) -> None:
        fill(tmp_path, ["far/1.jpg", "data/2.jpg"])
        (tmp_path / "data" / "link").symlink_to(tmp_path / "far", target_is_directory=True)
        assert list_files(tmp_path / "data").pictures == ["2.jpg", "link/1.jpg"]

    def test_a_broken_link_is_told(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg"])
        (tmp_path / "2.jpg").symlink_to(tmp_path / "nowhere.jpg")
        collection = read_collection(tmp_path)
        assert list(coins(collection)) == ["1.jpg"]
        assert doubts(collection, "unreadable")[0].files == ("2.jpg",)

    def test_a_link_round_in_a_circle_is_told(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg"])
        (tmp_path / "round").symlink_to(tmp_path / "round")
        collection = read_collection(tmp_path)
        assert list(coins(collection)) == ["1.jpg"]
        assert doubts(collection, "unreadable")[0].files == ("round",)

    def test_names_that_are_no_text(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg"])
        try:
            Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff2.jpg")).write_bytes(b"x")
        except OSError:
            pytest.skip("this file system allows text alone")
        collection = read_collection(tmp_path)
        assert list(coins(collection)) == ["1.jpg"]
        assert "rename" in doubts(collection, "unreadable")[0].message

    def test_formats_not_read_are_told(self, tmp_path: Path) -> None:
        others = ("2.gif", "3.jxl", "4.CR2", "5.nef", "6.dng", "7.arw", "8.psd")
        collection = read_collection(fill(tmp_path, ["1.jpg", *others]))
        assert doubts(collection, "unread format")[0].files == others

    def test_an_unreadable_folder_below_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(tmp_path, ["1.jpg", "locked/2.jpg"])
        refuse(monkeypatch, tmp_path / "locked")
        collection = read_collection(tmp_path)
        assert list(coins(collection)) == ["1.jpg"]
        assert "locked" in doubts(collection, "unreadable")[0].message


def refuse(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make ``folder`` unreadable (permissions do not bind the super-user that tests may run as)."""
    scan = os.scandir

    def scandir(path: object = ".") -> object:
        if Path(str(path)) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", scandir)


class TestErrors:
    def test_no_such_folder(self, tmp_path: Path) -> None:
        (tmp_path / "tetradrachms").mkdir()
        with pytest.raises(CollectionError, match=r"tetradrachm: there is no such .*tetradrachms"):
            read_collection(tmp_path / "tetradrachm")

    def test_unreachable(self, tmp_path: Path) -> None:
        with pytest.raises(CollectionError, match=r"cannot be reached|no such folder"):
            read_collection(tmp_path / ("x" * 5_000))

    def test_a_file(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg"])
        with pytest.raises(CollectionError, match="is a file; give the folder"):
            read_collection(tmp_path / "1.jpg")

    def test_empty(self, tmp_path: Path) -> None:
        with pytest.raises(CollectionError, match="is empty"):
            read_collection(tmp_path)

    def test_no_pictures(self, tmp_path: Path) -> None:
        fill(tmp_path, ["a.txt", "b.gif", "c/d.pdf"])
        with pytest.raises(CollectionError, match=r"no photographs among its 3 files.*\.jpg"):
            read_collection(tmp_path)

    def test_unreadable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fill(tmp_path, ["1.jpg"])
        refuse(monkeypatch, tmp_path)
        with pytest.raises(CollectionError, match=r"cannot be read.*permissions"):
            read_collection(tmp_path)


class TestSidesFromNames:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("12_obv.jpg", "12_rev.jpg"), ("12-o.jpg", "12-r.jpg"), ("12 A.png", "12 R.png"),
            ("12.av.jpg", "12.rv.jpg"), ("12_VS.jpg", "12_RS.jpg"), ("obv_12.jpg", "rev_12.jpg"),
            ("12 (Heads).jpg", "12 (Tails).jpg"), ("obv/12.jpg", "rev/12.jpg"),
            ("Obverse/12.jpg", "Reverse/12.jpg"), ("12/o.jpg", "12/r.jpg"),
            ("12/Obverse.jpg", "12/reverse.jpg"), ("all obverses/12_obverse.jpg", "12_REVERSE.tif"),
            ("photos obv/12.jpg", "photos rev/12.jpg"), ("obv/12.jpg", "12_rev.jpg"),
            ("12_Rückseite/1/obv.jpg".replace("12_Rückseite/1", "12"), "12/rev.jpg"),
        ],
    )  # fmt: skip
    def test_tokens(self, tmp_path: Path, first: str, second: str) -> None:
        collection = read_collection(fill(tmp_path, [first, second]))
        assert coins(collection) == {first: ("12", OBVERSE), second: ("12", REVERSE)}
        assert {photograph.side_from for photograph in collection} == {"name"}

    @pytest.mark.parametrize(
        "names",
        [
            ["12_obv.jpg", "13_obv.jpg"],  # no partner
            ["12a.jpg", "12r.jpg"],  # not set off
            ["heads00049.jpg", "tails00049.jpg"],  # not set off
            ["12_a.jpg", "12_b.jpg", "12_r.jpg"],  # letters of the alphabet
            ["A/1.jpg", "B/2.jpg", "R/3.jpg"],
            ["5_n.jpg", "5_o.jpg", "5_p.jpg", "5_q.jpg", "5_r.jpg"],
            ["12_obverses.jpg", "12_reverses.jpg"],  # other words
            ["12_obv.jpg", "12_tails.jpg"],  # partners of other tokens
        ],
    )
    def test_no_tokens(self, tmp_path: Path, names: list[str]) -> None:
        collection = read_collection(fill(tmp_path, names))
        assert {photograph.side for photograph in collection} == {None}
        assert {p.coin for p in collection} == {Path(name).stem for name in names}

    @pytest.mark.parametrize(
        ("obverses", "reverses"),
        [
            ("570{}O.jpg", "570{}R.jpg"), ("{}_D.jpg", "{}_R.jpg"), ("{}-front.jpg", "{}-back.jpg"),
            ("O_{}.JPG", "R_{}.JPG"), ("NeroObv{}.jpg", "NeroRev{}.jpg"),
            ("{}obv.jpg", "{}rev.jpg"), ("heads0{}.jpg", "tails0{}.jpg"), ("D/{}.jpg", "R/{}.jpg"),
            ("Obverses/{}.jpg", "Reverses/{}.jpg"), ("Vorderseiten/{}.jpg", "Rückseiten/{}.jpg"),
            ("1931.6.{}.obv.noscale.jpg", "1931.6.{}.rev.noscale.jpg"),
            ("Nr_0{}_Vs.jpg", "Nr_0{}_Rs.jpg"), ("{} Εμπρόσθια.jpg", "{} Οπίσθια.jpg"),
            ("{}_аверс.jpg", "{}_реверс.jpg"), ("{}-voorzijde.jpg", "{}-keerzijde.jpg"),
            ("Type_O_{}_D.jpg", "Type_O_{}_R.jpg"), ("BM_1_B_12{}.a.jpg", "BM_1_B_12{}.b.jpg"),
            ("lot{}_1.jpg", "lot{}_2.jpg"), ("lot {} (1).jpg", "lot {} (2).jpg"),
            ("coin_{}_0.jpg", "coin_{}_1.jpg"), ("lot {}/IMG_001.jpg", "lot {}/IMG_002.jpg"),
            ("lot {}/DSC_9.jpg", "lot {}/DSC_10.jpg"), ("{}_obv.jpg", "{}_rs.jpg"),
        ],
    )  # fmt: skip
    def test_what_varies_in_all_names_is_the_side(
        self, tmp_path: Path, obverses: str, reverses: str
    ) -> None:
        names = [name.format(coin) for coin in range(1, 5) for name in (obverses, reverses)]
        collection = read_collection(fill(tmp_path, names))
        shown = coins(collection)
        assert [shown[name][1] for name in names] == [OBVERSE, REVERSE] * 4
        assert [shown[a][0] for a in names[::2]] == [shown[b][0] for b in names[1::2]]
        assert len({coin for coin, _ in shown.values()}) == 4
        assert not doubts(collection, "one side missing")

    @pytest.mark.parametrize(
        "names",
        [
            ["12a.jpg", "12b.jpg", "13a.jpg", "13b.jpg", "13c.jpg", "14a.jpg"],  # specimens
            [f"{tray}_{n}.jpg" for tray in "xyz" for n in range(1, 5)],
            [f"{house}_{n}.jpg" for house in ("CNG", "NAC") for n in (1, 2)],
            [f"{year}.6.{n}.jpg" for year in (1931, 1944, 1950) for n in (1, 2)],  # accessions
            [f"{n}_{letter}.jpg" for n in (5, 6) for letter in "nopqr"],
            [f"IMG_{n:04}.jpg" for n in range(1, 9)],
            [f"lot {n}/IMG_{m}.jpg" for n in range(1, 5) for m in (1, 2, 3)],
        ],
    )
    def test_what_only_numbers_things_is_no_side(self, tmp_path: Path, names: list[str]) -> None:
        collection = read_collection(fill(tmp_path, names))
        assert {photograph.side for photograph in collection} == {None}

    def test_letters_and_numbers_taken_for_sides_are_told(self, tmp_path: Path) -> None:
        collection = read_collection(
            fill(tmp_path, [f"lot{n}_{m}.jpg" for n in (1, 2, 3) for m in (1, 2)])
        )
        (doubt,) = doubts(collection, "side by rule")
        assert "“1” and “2” alone, which are taken for obverse and reverse" in doubt.message
        assert "lot1_1.jpg, lot1_2.jpg" in doubt.message

    def test_two_by_order_are_coins_where_the_sheet_says_so(self, tmp_path: Path) -> None:
        fill(tmp_path, [f"12{n}{letter}.jpg" for n in range(4) for letter in "ab"])
        rows = "".join(f"12{n}{letter},O1\n" for n in range(4) for letter in "ab")
        collection = read_collection(sheet(tmp_path, "coin,obverse\n" + rows))
        assert {p.coin for p in collection} == {p.file.removesuffix(".jpg") for p in collection}

    def test_two_by_order_that_show_both_sides_each_are_coins(self, tmp_path: Path) -> None:
        for name in ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2"):
            Image.new("RGB", (200, 100)).save(tmp_path / f"{name}.png")
        assert {p.side for p in read_collection(tmp_path)} == {None}

    @pytest.mark.parametrize("third", ["e", "edge", "Rand", "detail"])
    def test_a_third_view_is_told_and_left_out(self, tmp_path: Path, third: str) -> None:
        names = [f"{n}_{word}.jpg" for n in (1, 2) for word in ("o", "r", third)]
        collection = read_collection(fill(tmp_path, names))
        assert [p.file for p in collection] == ["1_o.jpg", "1_r.jpg", "2_o.jpg", "2_r.jpg"]
        (doubt,) = doubts(collection, "other view")
        assert doubt.files == (f"1_{third}.jpg", f"2_{third}.jpg")
        assert not doubts(collection, "side not named")

    def test_a_third_view_that_the_sheet_names_is_kept(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1_o.jpg", "1_r.jpg", "1_e.jpg"])
        sheet(tmp_path, "file,coin,side\n1_e.jpg,1,reverse\n")
        assert "1_e.jpg" in coins(read_collection(tmp_path))

    def test_a_token_without_partner_is_told(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["12_obv.jpg", "13_obv.jpg"]))
        (doubt,) = doubts(collection, "side not read")
        assert "“obv”" in doubt.message
        assert doubt.files == ("12_obv.jpg", "13_obv.jpg")

    def test_a_name_of_both_sides_shows_both(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1_obv_rev.jpg", "2_obv.jpg", "2_rev.jpg"]))
        assert coins(collection)["1_obv_rev.jpg"] == ("1_obv_rev", None)
        assert doubts(collection, "side not named")[0].files == ("1_obv_rev.jpg",)

    def test_the_last_token_is_the_side(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["A_12_o.jpg", "A_12_r.jpg"]))
        assert coins(collection) == {
            "A_12_o.jpg": ("A_12", OBVERSE),
            "A_12_r.jpg": ("A_12", REVERSE),
        }

    def test_the_name_outranks_the_folder(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["obv/12_rev.jpg", "obv/13.jpg"]))
        assert coins(collection) == {
            "obv/12_rev.jpg": ("12", REVERSE),
            "obv/13.jpg": ("13", OBVERSE),
        }

    def test_alone_at_the_top(self, tmp_path: Path) -> None:
        folder = fill(tmp_path / "BM 1842", ["obv.jpg", "rev.jpg"])
        assert coins(read_collection(folder))["obv.jpg"] == ("BM 1842", OBVERSE)

    def test_the_option_fills_what_names_leave_open(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1_o.jpg", "1_r.jpg", "2.jpg"]), side=REVERSE)
        told = {p.file: (p.side, p.side_from) for p in collection}
        assert told["1_o.jpg"] == (OBVERSE, "name")
        assert told["2.jpg"] == (REVERSE, "option")

    def test_coins_of_one_side_are_told(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1_o.jpg", "1_r.jpg", "2_o.jpg"]))
        (doubt,) = doubts(collection, "one side missing")
        assert "reverse: 2" in doubt.message

    def test_one_sided_collections_are_not(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1.jpg", "2.jpg"]), side=OBVERSE)
        assert not collection.doubts


class TestIds:
    def test_stem(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["001.jpg", "a/002.jpg", "b/Münze 3.x.jpg"]))
        assert [p.coin for p in collection] == ["001", "002", "Münze 3.x"]

    def test_folder_where_stems_collide(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1.jpg", "a/1.jpg", "b/c/1.jpg", "b/2.jpg"]))
        assert [p.coin for p in collection] == ["1", "a/1", "2", "b/c/1"]

    def test_folders_of_sides_are_no_part_of_it(self, tmp_path: Path) -> None:
        names = [f"{hoard}/{side}/1.jpg" for hoard in "xy" for side in ("obv", "rev")]
        collection = read_collection(fill(tmp_path, names))
        assert [(p.coin, p.side) for p in collection] == [
            ("x/1", OBVERSE), ("x/1", REVERSE), ("y/1", OBVERSE), ("y/1", REVERSE),
        ]  # fmt: skip

    def test_twice_in_one_folder(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1.jpg", "1.png", "2.jpg"]))
        assert [p.coin for p in collection] == ["1", "1", "2"]
        assert doubts(collection, "coin twice")[0].files == ("1.jpg", "1.png")

    def test_a_picture_of_both_sides_beside_single_ones(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1.jpg", "1_obv.jpg", "1_rev.jpg"]))
        (doubt,) = doubts(collection, "coin twice")
        assert "may show both" in doubt.message

    def test_ids_that_look_alike_are_told(self, tmp_path: Path) -> None:
        collection = read_collection(fill(tmp_path, ["1.jpg", "01.jpg", "BM 2.jpg", "bm2.jpg"]))
        assert [p.coin for p in collection] == ["01", "1", "bm2", "BM 2"]
        found = doubts(collection, "coin names alike")
        assert [doubt.files for doubt in found] == [("01.jpg", "1.jpg"), ("bm2.jpg", "BM 2.jpg")]

    def test_composed_and_decomposed_letters_are_one(self, tmp_path: Path) -> None:
        fill(tmp_path, ["Mu\u0308nze.jpg"])
        (tmp_path / "d.csv").write_text("coin,obverse\nMünze,O1\n", encoding="utf-8")
        collection = read_collection(tmp_path)
        assert collection.coins["Münze"].dies == {OBVERSE: "O1"}


def test_the_same_photograph_under_two_names(tmp_path: Path) -> None:
    fill(tmp_path, ["1.jpg", "2.jpg", "3.jpg"])
    (tmp_path / "4.jpg").write_bytes((tmp_path / "2.jpg").read_bytes())
    # Equal size and equal middle, another end.
    (tmp_path / "5.jpg").write_bytes(b"x" * 9_000 + b"a")
    (tmp_path / "6.jpg").write_bytes(b"x" * 9_000 + b"b")
    (tmp_path / "7.jpg").write_bytes(b"")
    (tmp_path / "8.jpg").write_bytes(b"")
    found = doubts(read_collection(tmp_path), "same photograph")
    assert [doubt.files for doubt in found] == [("2.jpg", "4.jpg")]


def sheet(folder: Path, text: str, name: str = "dies.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


class TestSheet:
    @pytest.mark.parametrize("written", ["1", "01", "001", "1.0", " 1 "])
    @pytest.mark.parametrize("stem", ["1", "001"])
    def test_numbers_meet(self, tmp_path: Path, written: str, stem: str) -> None:
        fill(tmp_path, [f"images/{stem}.jpg", "images/2.jpg"])
        sheet(tmp_path, f"coin,obverse,reverse,weight\n{written},O1,?,16.5\n2,O2,R2,\n")
        collection = read_collection(tmp_path)
        assert collection.sheet == tmp_path / "dies.csv"
        coin = collection.coins[stem]
        assert (coin.coin, dict(coin.dies)) == (stem, {OBVERSE: "O1"})
        assert (dict(coin.columns), coin.row) == ({"weight": "16.5"}, 2)
        assert not collection.doubts

    @pytest.mark.parametrize(
        ("written", "stem"),
        [
            ("{}", "Nr_0{}"), ("1841,B.12{}", "BM_1841_B_12{}"), ("1931.6.{}", "1931.6.{}.noscale"),
            ("Kat. {}", "{}"), ("No. {}", "coin_{}"), ("Silver 1{}", "silver_1{}"),
        ],
    )  # fmt: skip
    def test_names_that_differ_by_one_thing_meet(
        self, tmp_path: Path, written: str, stem: str
    ) -> None:
        fill(tmp_path, [f"{stem.format(n)}.jpg" for n in (1, 2, 3)])
        rows = "".join(f'"{written.format(n)}",O{n}\n' for n in (1, 2, 3, 9))
        collection = read_collection(sheet(tmp_path, "coin,obverse\n" + rows))
        dies = {coin: row.dies[OBVERSE] for coin, row in collection.coins.items()}
        assert dies == {stem.format(n): f"O{n}" for n in (1, 2, 3)}
        assert stem.format(1) in doubts(collection, "coins called otherwise")[0].message

    def test_names_that_meet_in_two_ways_are_not_guessed(self, tmp_path: Path) -> None:
        fill(tmp_path, [f"{hoard}_{n}.jpg" for hoard in ("east", "west") for n in (1, 2, 3)])
        collection = read_collection(sheet(tmp_path, "coin,obverse\n1,O1\n2,O2\n3,O3\n"))
        assert not collection.coins
        assert doubts(collection, "sheet names other coins")

    def test_workbook_beside_the_images(self, tmp_path: Path) -> None:
        fill(tmp_path, ["images/1_o.jpg", "images/1_r.jpg"])
        book = openpyxl.Workbook()
        book.active.append([1, "O1", "R1"])
        book.save(tmp_path / "dies.xlsx")
        for folder in (tmp_path, tmp_path / "images"):
            collection = read_collection(folder)
            assert collection.coins["1"].dies == {OBVERSE: "O1", REVERSE: "R1"}

    @pytest.mark.parametrize(
        ("rows", "names", "told"),
        [
            (["1,O1"], ["1.jpg", "01.jpg"], "row 2 (1) and the pictures 01.jpg, 1.jpg"),
            (["1,O1", "01,O2"], ["1.jpg"], "row 2 (1), row 3 (01) and the pictures 1.jpg"),
            (["1,O1"], ["a/1.jpg", "b/1.jpg"], "row 2 (1) and the pictures a/1.jpg, b/1.jpg"),
        ],
    )
    def test_ambiguities_name_the_rows(
        self, tmp_path: Path, rows: list[str], names: list[str], told: str
    ) -> None:
        sheet(fill(tmp_path, names), "\n".join(["coin,obverse", *rows]))
        with pytest.raises(SheetError) as caught:
            read_collection(tmp_path)
        assert told in str(caught.value)
        assert "dies.csv" in str(caught.value)

    def test_exact_names_are_no_ambiguity(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg", "01.jpg", "a/2.jpg", "b/2.jpg"])
        sheet(tmp_path, "coin,obverse\n1,O1\n01,O2\na/2,O3\nb/2,O4\n")
        collection = read_collection(tmp_path)
        assert {coin: row.dies[OBVERSE] for coin, row in collection.coins.items()} == {
            "1": "O1", "01": "O2", "a/2": "O3", "b/2": "O4",
        }  # fmt: skip

    @pytest.mark.parametrize("written", ["12.jpg", "x/12.jpg", "12_obv", "12.TIF"])
    def test_a_coin_written_as_a_file(self, tmp_path: Path, written: str) -> None:
        fill(tmp_path, ["x/12_obv.jpg" if "obv" in written else "x/12.jpg", "13_rev.jpg"])
        sheet(tmp_path, f"coin,obverse\n{written},O1\n")
        assert read_collection(tmp_path).coins["12"].dies == {OBVERSE: "O1"}

    def test_rows_and_pictures_that_lack_each_other(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg", "2.jpg"])
        sheet(tmp_path, "coin,obverse,reverse\n1,O1,R1\n7,O1,R1\n")
        collection = read_collection(tmp_path)
        assert "7 (row 3)" in doubts(collection, "row without picture")[0].message
        assert doubts(collection, "picture without row")[0].files == ("2.jpg",)
        assert list(collection.coins) == ["1"]

    def test_a_sheet_of_other_coins_is_told_and_stops_nothing(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg", "2.jpg"])
        sheet(tmp_path, "coin,obverse,reverse\nA7,O1,R1\nA8,O1,R1\n")
        collection = read_collection(tmp_path)
        assert not collection.coins
        (doubt,) = collection.doubts
        assert doubt.kind == "sheet names other coins"
        assert "A7, A8" in doubt.message
        assert "1, 2" in doubt.message

    def test_rows_that_contradict_each_other(self, tmp_path: Path) -> None:
        sheet(fill(tmp_path, ["1.jpg"]), "coin,obverse,reverse\n1,O1,R1\n1,O2,R1\n")
        collection = read_collection(tmp_path)
        assert collection.coins["1"].dies == {REVERSE: "R1"}
        (doubt,) = doubts(collection, "coin twice")
        assert "rows 2, 3" in doubt.message
        assert "O1, O2" in doubt.message

    def test_rows_that_agree_complete_each_other(self, tmp_path: Path) -> None:
        sheet(fill(tmp_path, ["1.jpg"]), "coin,side,die\n1,obverse,O1\n1,reverse,R1\n")
        collection = read_collection(tmp_path)
        assert collection.coins["1"].dies == {OBVERSE: "O1", REVERSE: "R1"}
        assert coins(collection)["1.jpg"] == ("1", None)
        assert not collection.doubts

    def test_own_output_is_never_labels(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1.jpg"])
        sheet(tmp_path, "coin,side,die,certainty\n1,obverse,O1,0.9\n", "clusters.csv")
        assert read_collection(tmp_path).sheet is None
        sheet(tmp_path, "coin,obverse\n1,O5\n")
        assert read_collection(tmp_path).coins["1"].dies == {OBVERSE: "O5"}

    def test_labels_option(self, tmp_path: Path) -> None:
        fill(tmp_path / "data", ["1.jpg"])
        sheet(tmp_path, "1 O1 R1\n", "known.txt")
        collection = read_collection(tmp_path / "data", labels=tmp_path / "known.txt")
        assert collection.coins["1"].dies == {OBVERSE: "O1", REVERSE: "R1"}


class TestFileColumn:
    def test_groups_photographs_of_one_coin(self, tmp_path: Path) -> None:
        fill(tmp_path, ["img/a.jpg", "img/b.jpg", "img/c.jpg"])
        sheet(tmp_path, "coin,file,obverse,reverse\n7,img/a.jpg,O1,\n7,b,O1,R1\n8,C.JPG,O2,R1\n")
        collection = read_collection(tmp_path)
        assert [p.coin for p in collection] == ["7", "7", "8"]
        assert collection.coins["7"].dies == {OBVERSE: "O1", REVERSE: "R1"}
        assert not collection.doubts

    def test_without_a_column_of_coins(self, tmp_path: Path) -> None:
        fill(tmp_path, ["1_o.jpg", "1_r.jpg", "2_o.jpg", "2_r.jpg"])
        sheet(tmp_path, "file,die\n1_o.jpg,O1\n1_r.jpg,R1\n2_o.jpg,O1\n2_r.jpg,R2\n")
        collection = read_collection(tmp_path)
        assert collection.coins["1"].dies == {OBVERSE: "O1", REVERSE: "R1"}
        assert collection.coins["2"].dies == {OBVERSE: "O1", REVERSE: "R2"}

    def test_sides(self, tmp_path: Path) -> None:
        fill(tmp_path, ["a.jpg", "b.jpg", "c_o.jpg", "d_r.jpg"])
        sheet(
            tmp_path,
            "coin,photo,side,obverse\n1,a.jpg,obv,O1\n1,b.jpg,rev,O1\n2,c_o.jpg,rev,\n2,d_r,,\n",
        )
        collection = read_collection(tmp_path)
        assert [(p.coin, p.side, p.side_from) for p in collection] == [
            ("1", OBVERSE, "sheet"), ("1", REVERSE, "sheet"), ("2", REVERSE, "sheet"),
            ("2", REVERSE, "name"),
        ]  # fmt: skip
        assert doubts(collection, "side contradicted")[0].files == ("c_o.jpg",)

    def test_columns_of_files_by_side(self, tmp_path: Path) -> None:
        fill(tmp_path, ["a.jpg", "b.jpg"])
        sheet(tmp_path, "coin,obverse image,reverse image,obverse\n1,a.jpg,b.jpg,O1\n")
        assert coins(read_collection(tmp_path)) == {
            "a.jpg": ("1", OBVERSE),
            "b.jpg": ("1", REVERSE),
        }

    def test_ambiguous_files_name_the_row(self, tmp_path: Path) -> None:
        fill(tmp_path, ["x/a.jpg", "y/a.jpg"])
        sheet(tmp_path, "coin,file,obverse\n1,a.jpg,O1\n")
        with pytest.raises(SheetError, match=r"row 2: a\.jpg fits several .*x/a\.jpg, y/a\.jpg"):
            read_collection(tmp_path)
        sheet(tmp_path, "coin,file,obverse\n1,x/a.jpg,O1\n2,y/a.jpg,O2\n")
        assert [p.coin for p in read_collection(tmp_path)] == ["1", "2"]

    def test_missing_files_and_files_of_two_coins(self, tmp_path: Path) -> None:
        fill(tmp_path, ["a.jpg", "b.jpg"])
        sheet(tmp_path, "coin,file,obverse\n1,a,O1\n1,gone.jpg,O1\n2,b,O2\n3,b,O3\n4,lost,O4\n")
        collection = read_collection(tmp_path)
        messages = " ".join(doubt.message for doubt in collection.doubts)
        assert "gone.jpg" in messages
        assert "4 (row 6)" in messages
        assert "several coins for b.jpg" in messages
        assert [p.coin for p in collection] == ["1", "2"]


class TestOneSidedSheets:
    def pictures(self, folder: Path, size: tuple[int, int]) -> Path:
        for number in range(1, 4):
            Image.new("RGB", size, (number, 0, 0)).save(folder / f"{number}.jpg")
        return sheet(folder, "coin,reverse\n1,R1\n2,R1\n3,R2\n")

    def test_give_the_side_of_single_faces(self, tmp_path: Path) -> None:
        collection = read_collection(self.pictures(tmp_path, (60, 62)))
        assert {(p.side, p.side_from) for p in collection} == {(REVERSE, "sheet")}
        (doubt,) = [doubt for doubt in collection.doubts if doubt.kind == "sides"]
        assert "names dies of the reverses alone" in doubt.message

    def test_but_a_person_who_says_it_is_heard(self, tmp_path: Path) -> None:
        collection = read_collection(self.pictures(tmp_path, (60, 62)), side=OBVERSE)
        assert {(p.side, p.side_from) for p in collection} == {(OBVERSE, "option")}

    def test_and_not_of_pictures_that_the_sheet_does_not_know(self, tmp_path: Path) -> None:
        Image.new("RGB", (60, 62)).save(tmp_path / "9.jpg")
        collection = read_collection(self.pictures(tmp_path, (60, 62)))
        assert [p.side for p in collection] == [REVERSE] * 3 + [None]

    @pytest.mark.parametrize("size", [(120, 60), (60, 120)])
    def test_but_not_of_pictures_of_both(self, tmp_path: Path, size: tuple[int, int]) -> None:
        collection = read_collection(self.pictures(tmp_path, size))
        assert {(p.side, p.side_from) for p in collection} == {(None, None)}

    def test_nor_does_the_side_of_a_die(self, tmp_path: Path) -> None:
        self.pictures(tmp_path, (120, 60))
        sheet(tmp_path, "coin,side,die\n1,obverse,O1\n2,obverse,O1\n")
        assert {photograph.side for photograph in read_collection(tmp_path)} == {None}


def test_a_sheet_for_coins_of_an_index(tmp_path: Path) -> None:
    sheet(tmp_path, "coin,obverse\n1,O1\n2,O1\n9,O2\n")
    known = match_sheet(tmp_path / "dies.csv", ["001", "002", "003"])
    assert {coin: dict(row.dies) for coin, row in known.items()} == {
        "001": {OBVERSE: "O1"},
        "002": {OBVERSE: "O1"},
    }
    sheet(tmp_path, "coin,file,obverse\n1,a.jpg,O1\n2,b.jpg,O2\n")
    assert match_sheet(tmp_path / "dies.csv", ["1", "2"])["2"].dies == {OBVERSE: "O2"}
    sheet(tmp_path, "file,die\n1_obv.jpg,O1\n1_rev.jpg,R1\n")
    assert match_sheet(tmp_path / "dies.csv", ["001"])["001"].dies == {OBVERSE: "O1", REVERSE: "R1"}
    sheet(tmp_path, "coin,file,obverse\n1,a.jpg,O1\n2,b.jpg,O2\n")
    files = {"x/a.jpg": "K", "x/b.jpg": "L"}
    assert match_sheet(tmp_path / "dies.csv", ["K", "L"], files)["L"].dies == {OBVERSE: "O2"}
    sheet(tmp_path, "coin,side,die,certainty\n1,obverse,O1,1\n")
    with pytest.raises(SheetError, match="dieindex itself"):
        match_sheet(tmp_path / "dies.csv", ["1"])


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    fill(tmp_path, [f"{n % 3}/{n}_{side}.jpg" for n in range(60) for side in "or"])
    sheet(tmp_path, "coin,obverse\n" + "".join(f"{n},O{n // 4}\n" for n in range(50)))
    assert read_collection(tmp_path) == read_collection(tmp_path)


def test_two_thousand_coins_are_quick(tmp_path: Path) -> None:
    fill(tmp_path, [f"images/{n:04}.jpg" for n in range(2_000)])
    sheet(tmp_path, "coin,obverse,reverse\n" + "".join(f"{n},O1,R1\n" for n in range(2_000)))
    start = time.process_time()
    assert len(read_collection(tmp_path).coins) == 2_000
    assert time.process_time() - start < 1.5  # 0.1 s on a free core


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    fill(tmp_path, ["1_o.jpg", "1_r.jpg"])
    sheet(tmp_path, "coin,obverse\n1,O1\n")
    code = (
        "import sys; from dieindex.collection.layout import read_collection; "
        f"read_collection({str(tmp_path)!r}); "
        "print([m for m in ('torch', 'cv2', 'pandas', 'PIL', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
