"""Nothing of a person's is written over; what dieindex wrote itself is known, and replaced."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from dieindex.errors import DieIndexError, UsageError
from dieindex.marks import FORMATS, is_as_drawn, is_own_picture, marked, marked_jpeg
from dieindex.outputs import (
    IN_EVERY_INDEX,
    LIST_NAME,
    Sources,
    check_output,
    is_own,
    write_text_output,
)
from dieindex.storage.schema import CATALOGUE_NAME, REVIEWS_NAME
from dieindex.text import as_typed, csv_text, for_screen, harmless, json_for_screen
from tests.commands_for_tests import Command

CSV = (".csv",)


def written(folder: Path, name: str = "dies.csv", text: str = "coin,die\n1,O1\n") -> Path:
    path = folder / name
    write_text_output(path, text, CSV)
    return path


# --- the guard ---------------------------------------------------------------------------------


def test_what_dieindex_wrote_is_replaced_also_renamed_until_a_person_changes_it(
    tmp_path: Path,
) -> None:
    path = written(tmp_path)
    written(tmp_path, text="coin,die\n1,O2\n")
    path = path.rename(tmp_path / "mine.csv")
    written(tmp_path, "mine.csv", "coin,die\n1,O3\n")
    path.write_text(path.read_text() + "2,O3\n")
    with pytest.raises(UsageError, match="not as dieindex wrote it"):
        written(tmp_path, "mine.csv")
    assert path.read_text().endswith("2,O3\n")


def test_a_write_that_was_broken_off_takes_nothing_from_what_is_there(tmp_path: Path) -> None:
    path = written(tmp_path)
    # (Killed between the list and the file.)
    with (tmp_path / LIST_NAME).open("a") as stream:
        stream.write(f"{'0' * 64}  dies.csv\n")
    assert is_own(path)
    written(tmp_path, text="coin,die\n1,O2\n")


def test_a_file_of_a_persons_is_replaced_with_force_alone(tmp_path: Path) -> None:
    path = tmp_path / "dies.csv"
    path.write_text("coin,side,die,certainty\n")  # the very header of dieindex's own tables
    with pytest.raises(UsageError) as refused:
        write_text_output(path, "x", CSV)
    assert "--force" in refused.value.terminal
    assert path.read_text() == "coin,side,die,certainty\n"
    write_text_output(path, "x", CSV, force=True)
    assert path.read_text() == "x"
    assert is_own(path)


def test_sources_are_never_replaced_whatever_way_leads_there(tmp_path: Path) -> None:
    data, index = tmp_path / "hoard", tmp_path / "index"
    data.mkdir()
    index.mkdir()
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("coin,obverse\n")
    (data / "notes.csv").write_text("precious\n")
    (tmp_path / "link.csv").symlink_to(data / "notes.csv")
    (tmp_path / "way").symlink_to(data)
    os.link(sheet, tmp_path / "also.csv")
    sources = Sources(data, index).with_files(sheet)
    for path in (
        sheet,
        tmp_path / "also.csv",
        data / "notes.csv",
        data / ".." / "hoard" / "notes.csv",
        tmp_path / "link.csv",
        tmp_path / "way" / "notes.csv",
        index / "new.csv",
    ):
        with pytest.raises(UsageError):
            write_text_output(path, "x", CSV, force=True, sources=sources)
    assert sheet.read_text() == "coin,obverse\n"
    assert (data / "notes.csv").read_text() == "precious\n"
    assert not (index / "new.csv").exists()
    write_text_output(data / "new.csv", "x", CSV, sources=sources)  # a new file there is no harm
    write_text_output(data / "new.csv", "y", CSV, sources=sources)


def test_no_index_is_a_place_for_a_table(tmp_path: Path) -> None:
    assert {CATALOGUE_NAME, REVIEWS_NAME} == IN_EVERY_INDEX
    (tmp_path / REVIEWS_NAME).touch()
    (tmp_path / "verdicts.csv").write_text("a keeper's work")
    for name in ("verdicts.csv", "new.csv"):
        with pytest.raises(UsageError, match="lies in an index"):
            write_text_output(tmp_path / name, "x", CSV, force=True)


def test_a_table_just_read_is_no_place_even_where_dieindex_wrote_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(UsageError, match="is what was read"):
        check_output(path, CSV, force=True, sources=Sources(files=(path,)))


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("dies.xlsx", UsageError, "end the table's name in .csv"),
        ("dies", UsageError, "end the table's name in .csv"),
        ("folder.csv", UsageError, "is a folder"),
        ("nowhere/dies.csv", DieIndexError, "there is no folder"),
        ("loop.csv", UsageError, "is there already"),
        ("pipe.csv", UsageError, "is there already"),
    ],
)
def test_places_that_cannot_be(
    tmp_path: Path, name: str, error: type[DieIndexError], said: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(error, match=said):
        write_text_output(tmp_path / name, "x", CSV, force=True)
    assert not (tmp_path / "nowhere").exists()


def test_names_that_another_system_takes_for_one_are_one(tmp_path: Path) -> None:
    (tmp_path / "Münzen.CSV").write_text("mine")
    for name in ("münzen.csv", "mu\u0308nzen.csv"):
        with pytest.raises(UsageError, match=r"is there already as Münzen\.CSV"):
            written(tmp_path, name)
    sources = Sources(files=(tmp_path / "Münzen.CSV",))
    with pytest.raises(UsageError):
        check_output(tmp_path / "münzen.csv", CSV, force=True, sources=sources)


def test_a_link_to_an_own_table_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path = written(tmp_path / "real")
    (tmp_path / "link.csv").symlink_to(path)
    written(tmp_path, "link.csv", "new\n")
    assert (tmp_path / "link.csv").is_symlink()
    assert path.read_text() == "new\n"


def test_a_list_that_is_damaged_or_hostile_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "dies.csv").write_text("mine\n")
    (tmp_path / LIST_NAME).write_bytes(b"\xff\0" * 500 + b"\n../x  y\n" + b"0" * 64 + b"  /etc/x\n")
    with pytest.raises(UsageError):
        written(tmp_path)
    (tmp_path / LIST_NAME).unlink()
    (tmp_path / LIST_NAME).mkdir()
    written(tmp_path, "other.csv")  # what cannot be listed is written all the same
    assert not is_own(tmp_path / "other.csv")


def test_the_sheet_an_index_was_built_with_is_never_replaced(
    data: Path, command: Command, tmp_path: Path
) -> None:
    sheet = tmp_path / "known.csv"
    heads = [
        "Coin",
        *(f"{side} die of the coin, {'very ' * 30}surely" for side in ("Obverse", "Reverse")),
    ]
    coins = sorted(path.stem for path in (data / "images").iterdir())
    rows = [f"{coin};O1;R1\n" for coin in coins]
    sheet.write_text(";".join(heads) + "\n" + "".join(rows))
    content = sheet.read_text()
    assert command("build", data, "--labels", sheet)[0] == 0
    for verb in (("cluster", "--side", "both"), ("pairs", "--side", "obverse")):
        code, _, err = command(*verb, "--out", sheet, "--force")
        assert code == 2, err
        assert "never written over" in err
    assert sheet.read_text() == content
    assert command("verdict", "--export", tmp_path / "verdicts.csv")[0] in (0, 1)


# --- pictures ----------------------------------------------------------------------------------

DRAWN: dict[str, Callable[[Image.Image], bytes]] = {
    **{end: lambda image, kind=kind: marked(image, kind) for end, kind in FORMATS.items()},  # type: ignore[misc]
    ".jfif.jpg": lambda image: marked_jpeg(_plain(image)),
}


def _plain(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("end", DRAWN)
def test_a_drawn_picture_is_known_wherever_it_goes_and_its_change_is_seen(
    end: str, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    path = tmp_path / f"a{end}"
    path.write_bytes(DRAWN[end](Image.fromarray(noise)))
    assert is_own_picture(path)
    assert is_as_drawn(path)
    with Image.open(path) as image:  # (it is sound: check sums hold)
        pixels = np.asarray(image.convert("RGB"))
    again = tmp_path / f"again{end}"
    Image.fromarray(pixels).save(again)  # any other program's picture
    assert not is_own_picture(again)
    path.write_bytes(path.read_bytes()[:-3] + b"\0\0\0")
    assert not is_as_drawn(path)


def test_pictures_of_dieindex_never_become_coins(
    data: Path, command: Command, tmp_path: Path
) -> None:
    before = command.document("build", data)["coins"]
    images = data / "images"
    assert command("show", "001", "002", "--out", images / "900.png")[0] == 0
    assert command("compare", "001", "002", "--picture", images / "901.webp")[0] == 0
    assert command("faces", data, "--out", images / "902_obv.jpg")[0] == 0
    assert command("faces", data, "--aligned", "--out", images / "903.jpeg")[0] == 0
    assert command("study", "--out", tmp_path / "study")[0] == 0
    shutil.copytree(tmp_path / "study", data / "old study")
    shutil.copy(tmp_path / "study" / "links.png", images / "004_rev.tif")
    code, _, err = command("build", data)
    assert code == 0
    assert "drew are no photographs" in err
    assert "900.png" in err
    document = command.document("build", data)
    assert document["coins"] == before
    assert not document["skipped"]


# --- the commands ------------------------------------------------------------------------------


def test_every_command_refuses_what_it_did_not_write(
    data: Path, command: Command, tmp_path: Path
) -> None:
    command("build", data)
    photograph = next(iter(sorted((data / "images").iterdir())))
    sheet = next(data.glob("*.csv"))
    mine = {name: tmp_path / name for name in ("mine.csv", "mine.xlsx", "mine.png")}
    for path in mine.values():
        path.write_bytes(b"precious")
    tables: list[list[object]] = [
        ["cluster", "--side", "both", "--out"],
        ["pairs", "--side", "obverse", "--out"],
        ["verdict", "--export"],
    ]
    pictures: list[list[object]] = [
        ["show", "001", "002", "--out"],
        ["compare", "001", "002", "--picture"],
        ["show", photograph, photograph, "--out"],
        ["faces", data, "--out"],
        ["faces", data, "--aligned", "--out"],
        ["info", "--picture"],
    ]
    kept = {path: path.read_bytes() for path in (photograph, sheet, *mine.values())}
    for words in tables:
        assert command(*words, mine["mine.csv"])[0] == 2, words
        for never in (sheet, tmp_path / "indexes" / "data" / "verdicts.csv"):
            assert command(*words, never, "--force")[0] == 2, words
    assert command(*tables[0], mine["mine.xlsx"])[0] == 2
    assert command("verdict", "--export", tmp_path / "v.xlsx")[0] == 2
    assert not (tmp_path / "v.xlsx").exists()
    for words in pictures:
        code, _, err = command(*words, mine["mine.png"])
        assert code == 2, words
        assert "--force" in err
        assert command(*words, photograph, "--force")[0] == 2, words
    assert {path: path.read_bytes() for path in kept} == kept
    for words in tables:
        assert command(*words, mine["mine.csv"], "--force")[0] == 0, words
        assert command(*words, mine["mine.csv"])[0] == 0, words
    assert command(*pictures[0], mine["mine.png"], "--force")[0] == 0
    assert command(*pictures[3], mine["mine.png"])[0] == 0


def test_a_workbook_with_a_persons_notes_stays(
    data: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "dies.xlsx"
    for _ in range(2):
        assert command("cluster", "--side", "obverse", "--out", out)[0] == 0
    book = openpyxl.load_workbook(out)
    book["coins"]["E2"] = "seen in London"
    book.save(out)  # the mark of dieindex stays in it
    before = out.read_bytes()
    assert command("cluster", "--side", "obverse", "--out", out)[0] == 2
    assert out.read_bytes() == before


# --- text in tables and on the terminal --------------------------------------------------------

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
FORMULAS = st.text(st.sampled_from("'=+-@\t\r\n\"1,;\uff1d "), max_size=6)


@given(TEXT | FORMULAS)
@example("'=1")
@example("''-x")
@example("-1")
@example("'-1")
def test_a_table_gives_the_text_back_and_holds_no_formula(text: str) -> None:
    line = csv_text([["a", text, "b"]])
    ((first, cell, last),) = csv.reader(io.StringIO(line, newline=""))
    assert (first, as_typed(cell), last) == ("a", text, "b")
    if cell[:1] and cell[0] in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20":
        assert cell in "+-" or float(cell) is not None  # a number


@given(TEXT)
def test_no_text_moves_colours_or_turns_the_terminal(text: str) -> None:
    for shown in (for_screen(text), json_for_screen(f'"{text}"').replace("\n", "")):
        assert not any(c < " " or "\x7f" <= c <= "\x9f" for c in shown)
        assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_numbers_stay_numbers() -> None:
    assert harmless("-1.5e-05") == "-1.5e-05"
    assert csv_text([["x", None, -2, 0.5]]) == "x,,-2,0.5\n"


ESCAPES = "a\x1b[31m\x1b]0;title\x07\u202eb\x9b2J"


def test_no_name_commands_the_terminal(data: Path, command: Command, tmp_path: Path) -> None:
    picture = sorted((data / "images").iterdir())[0]
    (data / "images" / f"{ESCAPES}{picture.suffix}").symlink_to(picture)
    (data / "images" / f"{ESCAPES}.png").write_bytes(b"no picture")
    table = tmp_path / f"{ESCAPES}.csv"
    table.write_text(f"coin,obverse\n1,{ESCAPES}\n2,O2\n")
    said = [
        command("build", data),
        command("build", data, "--json"),
        command("info"),
        command("verdict", ESCAPES, "002", "same", "--side", "obverse", "--note", ESCAPES),
        command("verdict"),
        command("cluster", "--side", "obverse"),
        command("cluster", "--side", "obverse", "--json"),
        command("compare", ESCAPES, "002"),
        command("compare", ESCAPES + "?", "002"),
        command("study", "--table", table, "--out", tmp_path / ESCAPES, "--title", ESCAPES),
        command("pairs", "--side", ESCAPES, "--out", tmp_path / "p.csv"),
        command(ESCAPES),
    ]
    assert [code for code, _, _ in said] == [0] * 8 + [1, 0, 2, 2]
    for number, (_, out, err) in enumerate(said):
        assert not set(out + err) & set("\x1b\x07\x9b\u202e"), number
    assert r"a\x1b[31m" in said[4][1]
    (kept,) = command.document("verdict")
    assert kept["coin_a"] == ESCAPES  # a program reads what was meant


def test_commands_print_through_one_function() -> None:
    folder = Path(__file__).parents[1] / "dieindex" / "commands"
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        own = {"notes.py": "click.secho(for_screen(", "shared.py": "click.echo(json_for_screen("}
        text = text.replace(own.get(path.name, "\0"), "")
        assert not re.search(r"click\.s?echo\(|\bprint\(", text), path.name
