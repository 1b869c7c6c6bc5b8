"""``dieindex build`` and ``faces``: documents, pictures and sheets that are bad."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.collections_for_tests import draw_coin, draw_pair, write_picture
from tests.commands_for_tests import Command


def test_build_prints_the_document_and_puts_the_index_in_its_place(
    coins: Path, command: Command, tmp_path: Path
) -> None:
    document = command.document("build", coins)
    assert document["coins"] == 8
    assert document["faces"] == {"obverse": 8, "reverse": 8}
    assert document["skipped"] == []
    assert isinstance(document["warnings"], list)
    assert document["seconds"] > 0
    assert (tmp_path / "indexes" / "coins" / "catalogue.sqlite").is_file()
    # The last one built below ./indexes is used, and named on standard error.
    code, out, err = command("info")
    assert code == 0
    assert "indexes/coins" in err
    assert "8 obverses" in out


def test_strict_makes_a_skipped_picture_a_failure(data: Path, command: Command) -> None:
    (data / "images" / "bad.jpg").write_bytes(b"")
    assert command("build", data)[0] == 0
    code, _, err = command("build", data, "--strict")
    assert code == 1
    assert "bad.jpg" in err


def test_a_face_that_lies_on_no_frame_stays_in_every_output(
    data: Path, command: Command, tmp_path: Path
) -> None:
    write_picture(data / "images" / "99.jpg", draw_pair(1000, 1000))
    document = command.document("build", data)
    assert document["faces"] == {"obverse": 9, "reverse": 9}
    assert [sum(document["unaligned"][s].values()) for s in ("obverse", "reverse")] == [1, 1]
    assert document["frames"] == {"obverse": 1, "reverse": 1}
    _, out, _ = command("info")
    assert "8 of 9 obverses on 1 frame" in out
    assert "not aligned 1 obverse: " in out
    verdict = command.document("compare", "99", "01")["obverse"]
    assert verdict["verdict"] == "cannot tell"
    assert verdict["probability"] == verdict["prior"] == 0.5
    assert verdict["reason"].startswith("not aligned: ")
    table = tmp_path / "pairs.csv"
    command("pairs", "--side", "obverse", "--out", table)
    with table.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if "99" in (row["coin_a"], row["coin_b"])]
    assert len(rows) == 8
    assert {row["verdict"] for row in rows} == {"cannot tell"}
    assert len({row["probability"] for row in rows}) == 1
    code, _, err = command("faces", data, "--aligned", "--out", tmp_path / "frames.png")
    assert code == 0
    assert "obverses: 8 aligned on 1 frame, 1 not aligned" in err
    assert len(list(tmp_path.glob("frames*.png"))) == 4
    assert "8 of 9 obverses" in command("faces", data, "--out", tmp_path / "sheet.png")[2]
    clusters = command.document("cluster", "--side", "obverse")["obverse"]["clusters"]
    assert ["99"] in clusters.values()
    assert sum(map(len, clusters.values())) == 9


def test_faces_draws_a_contact_sheet(coins: Path, command: Command, tmp_path: Path) -> None:
    code, _, err = command("faces", coins, "--out", tmp_path / "sheet.png")
    assert code == 0
    assert "16 faces" in err
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("truncated.jpg", "half", "truncated.jpg"),
        ("empty.jpg", b"", "empty.jpg"),
        ("text.jpg", b"this is text", "text.jpg"),
        ("tiny.png", "tiny", "tiny.png"),
        ("huge.png", "huge", "huge.png"),
        ("white.png", "white", "white.png"),
    ],
)
def test_a_bad_picture_is_one_line_and_the_others_are_done(
    coins: Path, data: Path, command: Command, name: str, content: bytes | str, said: str
) -> None:
    path = data / "images" / name
    if content == "half":
        whole = (coins / "images" / "01.jpg").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif content == "tiny":
        write_picture(path, np.full((10, 10, 3), 90, np.uint8))
    elif content == "white":
        write_picture(path, np.full((300, 600, 3), 255, np.uint8))
    elif content == "huge":
        path.write_bytes(_header_of_a_huge_png(30_000))
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)
    code, out, err = command("build", data, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["coins"] == 8
    assert [Path(skipped["file"]).name for skipped in document["skipped"]] == [name]
    assert said in err
    # Compared directly, the same picture is a clear error.
    code, _, err = command("compare", path, data / "images" / "01.jpg")
    assert code == 1
    assert name in err


def _header_of_a_huge_png(edge: int) -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("sheet", "code", "said"),
    [
        ("coin,obverse,reverse\n77,O1,R1\n78,O2,R2\n", 0, "coins"),
        ("weight,axis\n16.2,6\n", 1, "sheet.csv"),
        ("coin,obverse\n1,O1\n1,O2\n", 0, "1"),
        ("", 1, "sheet.csv"),
    ],
)
def test_a_doubtful_sheet(data: Path, command: Command, sheet: str, code: int, said: str) -> None:
    (data / "dies.csv").unlink()
    (data / "sheet.csv").write_text(sheet)
    found, _, err = command("build", data)
    assert found == code, err
    assert said in err


def test_merged_cells_in_a_sheet(data: Path, command: Command) -> None:
    from openpyxl import Workbook

    (data / "dies.csv").unlink()
    book = Workbook()
    sheet = book.active
    for row in [("coin", "obverse"), (1, "O1"), (2, None), (3, None), (4, "O2")]:
        sheet.append(row)
    sheet.merge_cells("B2:B4")
    book.save(data / "dies.xlsx")
    assert command("build", data)[0] == 0
    assert command.document("info")["labelled"]["obverse"] == 4


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
        RuntimeError("(-4:Insufficient memory) Failed to allocate 36 bytes"),
    ],
)
def test_too_little_memory_is_said_as_such(
    error: Exception, coins: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("dieindex.api.build", fail)
    code, _, err = command("build", coins)
    assert code == 1
    assert "not enough memory" in err
    assert "fault" not in err


def test_where_every_picture_lacks_a_side_the_build_asks(command: Command, tmp_path: Path) -> None:
    for number in range(4):
        write_picture(tmp_path / "coins" / f"IMG_{number}.png", draw_coin(1, number))
    code, _, err = command("build", tmp_path / "coins")
    assert code == 1
    assert "nothing says which (IMG_0.png, IMG_1.png, IMG_2.png and 1 more)" in err
    assert "--side obverse" in err
    assert "“file”" in err


def test_pages_and_pictures_of_several_coins_are_named(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "coins"
    write_picture(folder / "1.png", draw_pair(1, 1))
    two_coins = np.concatenate([draw_pair(1, 1, 2, 300), draw_pair(2, 1, 3, 300)])
    write_picture(folder / "two.png", two_coins)
    pages = [Image.fromarray(draw_pair(1, 1, strike)) for strike in (4, 5)]
    pages[0].save(folder / "2.tif", save_all=True, append_images=pages[1:])
    notes = command.document("build", folder)["warnings"]
    assert any(note.startswith("two.png: more coins or views") for note in notes)
    assert any(note.startswith("2.tif: several pages") for note in notes)
    assert not any("nothing says which" in note for note in notes)
    assert "1 of 5 faces was not found for sure" in command("build", folder)[2]
