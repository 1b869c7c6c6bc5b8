"""The verbs as a person or another program meets them: documents, exit codes, clear errors."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dieindex.commands.main import VERBS, run
from tests.collections_for_tests import draw_coin, draw_pair, write_picture


class Command:
    """Runs a verb in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    def document(self, *arguments: object) -> Any:
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    monkeypatch.delenv("DIEINDEX_INDEX", raising=False)
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


# --- what the contract promises ----------------------------------------------------------------


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


def test_compare_coins_of_an_index(built: Path, command: Command) -> None:
    document = command.document("compare", "01", "02", "--index", built)
    assert set(document) == {"a", "b", "obverse", "reverse"}
    for side in ("obverse", "reverse"):
        verdict = document[side]
        assert set(verdict) == {
            "verdict", "probability", "prior", "distance", "threshold", "basis", "reason",
        }  # fmt: skip
        assert verdict["verdict"] in ("same", "different", "cannot tell")
        assert 0 <= verdict["probability"] <= 1
        assert 0 <= verdict["distance"] <= 2
        assert (verdict["reason"] is not None) == (verdict["verdict"] == "cannot tell")
    # 01 and 02 share the obverse die and not the reverse die.
    assert document["obverse"]["distance"] < document["reverse"]["distance"]


def test_compare_meets_a_coin_by_its_number(built: Path, command: Command) -> None:
    by_number = command.document("compare", "1", "2", "--index", built)
    by_name = command.document("compare", "01", "02", "--index", built)
    assert by_number["obverse"] == by_name["obverse"]


def test_compare_two_files_without_an_index(coins: Path, command: Command, tmp_path: Path) -> None:
    a, b = (coins / "images" / name for name in ("01.jpg", "02.jpg"))
    document = command.document("compare", a, b, "--picture", tmp_path / "evidence.png")
    assert document["obverse"]["distance"] < document["reverse"]["distance"]
    assert (tmp_path / "evidence.png").stat().st_size > 10_000
    single = tmp_path / "single.png"
    write_picture(single, draw_coin(1))
    document = command.document("compare", single, a, "--side", "obverse")
    assert document["reverse"] is None
    assert document["obverse"] is not None


def test_a_file_meets_a_coin_of_the_index(coins: Path, built: Path, command: Command) -> None:
    document = command.document("compare", coins / "images" / "02.jpg", "02", "--index", built)
    assert document["obverse"]["distance"] < 1e-2


def test_the_same_photograph_twice_is_said_to_be_so(coins: Path, command: Command) -> None:
    path = coins / "images" / "01.jpg"
    document = command.document("compare", path, path)
    assert document["obverse"]["verdict"] == "same"
    assert "same" in document["obverse"]["reason"]


def test_pairs_lists_every_pair_once_with_its_digits(
    built: Path, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "pairs.csv"
    assert command("pairs", "--side", "obverse", "--index", built, "--out", out)[0] == 0
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["coin_a", "coin_b", "distance", "probability", "verdict"]
    assert len({frozenset((row["coin_a"], row["coin_b"])) for row in rows}) == len(rows) == 28
    for row in rows:
        assert 0 <= float(row["probability"]) <= 1
        assert len(row["distance"].replace(".", "").lstrip("0")) >= 6


@pytest.mark.parametrize("side", ["obverse", "reverse", "both"])
def test_cluster_puts_every_coin_into_exactly_one_die(
    built: Path, command: Command, side: str
) -> None:
    document = command.document("cluster", "--side", side, "--index", built)
    assert set(document) == ({"obverse", "reverse"} if side == "both" else {side})
    for each, found in document.items():
        placed = [coin for coins in found["clusters"].values() for coin in coins]
        assert sorted(placed) == [f"{n:02}" for n in range(1, 9)]
        assert found["coins"] == 8
        assert found["dies"] == len(found["clusters"])
        assert all(name.startswith(each[0].upper()) for name in found["clusters"])
        assert {
            "ari", "ami", "pair_precision", "pair_recall", "pair_f1", "dies_true", "dies_found",
        } <= set(found["scores"])  # fmt: skip
        assert found["scores"]["dies_true"] == 5


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_cluster_writes_tables_that_are_never_read_as_labels(
    data: Path, built: Path, command: Command, tmp_path: Path, suffix: str
) -> None:
    from dieindex.collection.sheets import is_own_output
    from dieindex.collection.tables import read_table

    out = tmp_path / f"dies{suffix}"
    code, *_ = command("cluster", "--side", "both", "--index", built, "--out", out, "--no-verify")
    assert code == 0
    assert is_own_output(out)
    header, rows = read_table(out)
    assert header == ["coin", "side", "die", "certainty"]
    assert len(rows) == 16
    assert all(0 <= float(row[3]) <= 1 for row in rows)
    # Lying beside the pictures it is not taken for the sheet.
    (data / "dies.csv").unlink()
    shutil.copy(out, data / f"found{suffix}")
    command.document("build", data)
    assert command.document("info")["labelled"] == {"obverse": 0, "reverse": 0}
    document = command.document("cluster", "--side", "obverse")
    assert document["obverse"]["scores"] is None


def test_text_like_a_formula_stays_text(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    from dieindex.study.tables import write_die_table

    write_die_table([("=1+1", "obverse", "O1", 0.5)], tmp_path / "dies.xlsx")
    cell = load_workbook(tmp_path / "dies.xlsx").active["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_evaluate_prints_scores_beside_the_trivial_answers(
    coins: Path, built: Path, command: Command
) -> None:
    for document in (
        command.document("evaluate", "--index", built),
        command.document("evaluate", "--index", built, "--labels", coins / "dies.csv"),
    ):
        for side in ("obverse", "reverse"):
            scores = document[side]
            assert scores["n"] == scores["labelled"] == 8
            # Eight coins, pairs 28; the sheet's dies give 4 pairs of one die on the obverse.
            same = {"obverse": 3 + 1, "reverse": 1 + 1 + 1}[side]
            assert scores["always_different"] == pytest.approx(1 - same / 28)
            assert set(scores["baselines"]) == {"all_singletons", "one_die"}
            assert scores["baselines"]["all_singletons"]["ari"] == 0
    code, out, _ = command("evaluate", "--index", built)
    assert code == 0
    assert 'always answering "different"' in out


def test_the_drawn_dies_are_told_apart(built: Path, command: Command) -> None:
    """Coins of one die differ by noise alone here: every same-die pair must be nearest."""
    document = command.document("evaluate", "--index", built)
    assert document["obverse"]["ap"] == 1.0
    assert document["reverse"]["ap"] == 1.0


def test_the_index_can_be_named_by_the_environment(
    built: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIEINDEX_INDEX", str(built))
    code, _, err = command("cluster", "--side", "obverse")
    assert code == 0
    assert str(built) in err
    assert command("--quiet", "cluster", "--side", "obverse")[2] == ""
    assert command("cluster", "--side", "obverse", "--quiet")[2] == ""


def test_the_python_interface(coins: Path, tmp_path: Path) -> None:
    import dieindex as di

    index = di.build(coins, tmp_path / "index")
    assert index.report is not None
    assert index.compare("01", "02").obverse is not None
    dies = index.cluster("obverse")
    assert sum(map(len, dies.clusters.values())) == 8
    assert dies.score(coins / "dies.csv") == dies.score()
    assert dies.score({"01": "A", "02": "A", "04": "B"})["dies_true"] == 2
    assert di.compare(coins / "images" / "01.jpg", coins / "images" / "02.jpg").reverse is not None
    assert len(di.open_index(tmp_path / "index").pairs("reverse")) == 28


def test_an_index_can_be_moved(built: Path, command: Command, tmp_path: Path) -> None:
    moved = shutil.copytree(built, tmp_path / "moved")
    first = command.document("cluster", "--side", "both", "--index", built)
    assert command.document("cluster", "--side", "both", "--index", moved) == first


def test_faces_draws_a_contact_sheet(coins: Path, command: Command, tmp_path: Path) -> None:
    code, _, err = command("faces", coins, "--out", tmp_path / "sheet.png")
    assert code == 0
    assert "16 faces" in err
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


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


def test_two_files_alone_are_said_to_know_less(coins: Path, command: Command) -> None:
    a, b = (coins / "images" / name for name in ("01.jpg", "04.jpg"))
    code, _, err = command("compare", a, b)
    assert code == 0
    assert "two pictures alone" in " ".join(err.split())
    there, back = command.document("compare", a, b), command.document("compare", b, a)
    for side in ("obverse", "reverse"):
        assert there[side]["distance"] == pytest.approx(back[side]["distance"], abs=1e-6)


def test_a_new_photograph_meets_the_coins_of_its_die(
    built: Path, command: Command, tmp_path: Path
) -> None:
    write_picture(tmp_path / "new.png", draw_pair(2, 3, strike=70))
    of_coin = {
        coin: command.document("compare", tmp_path / "new.png", coin, "--index", built)
        for coin in ("01", "04", "06")
    }
    for side in ("obverse", "reverse"):
        nearest = min(of_coin, key=lambda coin: of_coin[coin][side]["distance"])
        assert nearest == "04"
    assert of_coin["04"]["obverse"]["verdict"] == "same"


def test_a_comparison_is_drawn_on_the_common_frame(built: Path, tmp_path: Path) -> None:
    import dieindex as di

    comparison = di.open_index(built).compare("01", "02")
    first, second = comparison.faces("obverse")
    assert first.picture.shape == second.picture.shape == (512, 512, 3)
    apart = np.abs(first.picture.astype(float) - second.picture).mean()
    other = comparison.faces("reverse")
    assert apart < 0.5 * np.abs(other[0].picture.astype(float) - other[1].picture).mean()


# --- bad input: one clear line, the right exit code --------------------------------------------


def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def without_pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "notes.txt").write_text("no pictures here")
    return folder


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "no-such-folder"], 1, "no-such-folder"),
        (["build", empty], 1, "empty"),
        (["build", without_pictures], 1, "no photographs"),
        (["build"], 2, "DATA"),
        (["compare", "1"], 2, "B"),
        (["compare", "1", "2"], 1, "dieindex build"),
        (["cluster", "--side", "edge"], 2, "edge"),
        (["cluster"], 2, "--side"),
        (["cluster", "--side", "both", "--out", "dies.doc"], 2, "dies.doc"),
        (["cluster", "--side", "both", "--index", "nowhere"], 1, "nowhere"),
        (["info", "--index", empty], 1, "not an index"),
        (["biuld", "data"], 2, "build"),
        (["faces", "no-such-folder", "--out", "sheet.png"], 1, "no-such-folder"),
    ],
)
def test_wrong_calls(
    command: Command, tmp_path: Path, arguments: list[Any], code: int, said: str
) -> None:
    given = [argument(tmp_path) if callable(argument) else argument for argument in arguments]
    found, out, err = command(*given)
    assert found == code
    assert said in err
    assert out == ""
    assert any(line.startswith("Error: ") for line in err.splitlines())


def test_an_unknown_coin_is_told_with_near_ones(built: Path, command: Command) -> None:
    code, _, err = command("compare", "01", "O3", "--index", built)
    assert code == 1
    assert "O3: neither a coin" in err


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


def test_labels_of_another_collection(built: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("coin,obverse\nA,O1\nB,O2\n")
    code, _, err = command("evaluate", "--index", built, "--labels", tmp_path / "other.csv")
    assert code == 1
    assert "other.csv" in err


def test_evaluate_without_labels_says_what_to_do(data: Path, command: Command) -> None:
    (data / "dies.csv").unlink()
    command("build", data)
    code, _, err = command("evaluate")
    assert code == 1
    assert "--labels" in err


def test_an_output_that_cannot_be_written(built: Path, command: Command, tmp_path: Path) -> None:
    code, _, err = command(
        "pairs", "--side", "obverse", "--index", built, "--out", tmp_path / "no" / "pairs.csv"
    )
    assert code == 1
    assert "pairs.csv" in err


def test_interrupting_is_one_line(
    coins: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dieindex.index.build.build_index", interrupted)
    code, _, err = command("build", coins)
    assert code == 1
    assert "the same command goes on" in err


def test_a_fault_of_our_own_shows_no_traceback(
    coins: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("something")

    monkeypatch.setattr("dieindex.index.build.build_index", broken)
    code, _, err = command("build", coins)
    assert code == 1
    assert "DIEINDEX_DEBUG" in err


# --- the entrances -----------------------------------------------------------------------------


@pytest.mark.parametrize("entrance", [["cli.py"], ["-m", "dieindex.commands.main"]])
def test_the_launchers(entrance: list[str]) -> None:
    root = Path(__file__).parents[1]
    result = subprocess.run(
        [sys.executable, *entrance, "--version"], capture_output=True, text=True, cwd=root
    )
    assert result.returncode == 0
    assert result.stdout.startswith("dieindex, version ")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(command: Command, verb: str) -> None:
    code, out, _ = command(verb, "--help")
    assert code == 0
    assert "Example" in out


def test_colours_only_on_a_terminal(built: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dieindex.commands.main", "compare", "01", "02"],
        capture_output=True,
        text=True,
        env={**os.environ, "DIEINDEX_INDEX": str(built)},
    )
    assert result.returncode == 0
    assert "\x1b[" not in result.stdout + result.stderr
