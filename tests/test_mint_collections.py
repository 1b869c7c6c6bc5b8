from __future__ import annotations

import csv
import io
import itertools
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.commands.main import run
from dieindex.errors import DieIndexError, MintError, UsageError
from dieindex.mint.collections import mint_collection
from dieindex.mint.links import sample_links
from dieindex.mint.order import CollectionOrder
from dieindex.mint.writing import check_out, sheet_bytes, truth_bytes, write
from dieindex.records import OBVERSE, REVERSE, SIDES


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_links_have_exactly_the_asked_numbers(data: st.DataObject) -> None:
    coins = data.draw(st.integers(1, 120))
    obverses = data.draw(st.integers(1, coins))
    reverses = data.draw(st.integers(1, coins))
    types = data.draw(st.integers(1, reverses))
    seed = data.draw(st.integers(0, 2**32 - 1))
    links = sample_links(np.random.default_rng(seed), coins, obverses, reverses, types)
    assert len(links.coins) == coins
    assert {coin.dies[OBVERSE] for coin in links.coins} == set(range(obverses))
    assert {coin.dies[REVERSE] for coin in links.coins} == set(range(reverses))
    assert {die.design for die in links.dies[REVERSE]} == set(range(types))
    for side in SIDES:
        for die in links.dies[side]:
            of_die = [coin for coin in links.coins if coin.dies[side] == die.number]
            of_die.sort(key=lambda coin: coin.time)
            lives = [coin.life[side] for coin in of_die]
            assert lives == sorted(lives)
            assert 0 <= lives[0] <= lives[-1] <= die.end <= 1
            states = [coin.state[side] for coin in of_die]
            assert states == sorted(states)


def test_links_look_like_a_die_study() -> None:
    singletons, largest, pairings, mixed = [], [], [], 0
    for seed in range(30):
        links = sample_links(np.random.default_rng(seed), 91, 24, 34, types=3)
        obverse = Counter(coin.dies[OBVERSE] for coin in links.coins)
        singletons.append(sum(count == 1 for count in obverse.values()) / 24)
        largest.append(max(obverse.values()))
        pairs = {(coin.dies[OBVERSE], coin.dies[REVERSE]) for coin in links.coins}
        pairings.append(len(pairs))
        designs: dict[int, set[int]] = {}
        for coin in links.coins:
            design = links.dies[REVERSE][coin.dies[REVERSE]].design
            designs.setdefault(coin.dies[OBVERSE], set()).add(design)
        mixed += any(len(found) > 1 for found in designs.values())
    assert 0.2 < np.mean(singletons) < 0.45
    assert np.mean(largest) > 3 * 91 / 24
    # A tree over 58 dies has 57 edges: chains, neither one pair a die nor every pair.
    assert 40 < np.mean(pairings) < 70
    assert mixed > 20


def test_dies_follow_one_another() -> None:
    links = sample_links(np.random.default_rng(5), 400, 40, 60)
    for side in SIDES:
        number = [coin.dies[side] for coin in sorted(links.coins, key=lambda coin: coin.time)]
        assert np.corrcoef(np.arange(400), number)[0, 1] > 0.95
    # The order of the coins themselves says nothing.
    shuffled = [coin.dies[OBVERSE] for coin in links.coins]
    assert abs(np.corrcoef(np.arange(400), shuffled)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("numbers", "option"),
    [
        ((0, 1, 1, 1), "coins="),
        ((5, 6, 1, 1), "obverse_dies="),
        ((5, 2, 9, 1), "reverse_dies="),
        ((5, 0, 1, 1), "obverse_dies="),
        ((5, 2, 2, 3), "types="),
        ((5, 2, 2, 0), "types="),
    ],
)
def test_impossible_numbers_name_the_parameter(
    numbers: tuple[int, int, int, int], option: str
) -> None:
    with pytest.raises(MintError, match=option):
        sample_links(np.random.default_rng(0), *numbers)


def test_sheet_bytes_do_not_depend_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(1, "O1", "R1"), (2, "O1", "R2")]
    first = sheet_bytes(("coin", "obverse", "reverse"), rows)
    time.sleep(2.1)  # the clock of a zip entry ticks every two seconds
    assert sheet_bytes(("coin", "obverse", "reverse"), rows) == first
    read = list(openpyxl.load_workbook(io.BytesIO(first)).active.values)  # type: ignore[union-attr]
    assert read == [("coin", "obverse", "reverse"), *rows]


def test_truth_keeps_every_digit() -> None:
    text = truth_bytes([{"a": 0.1 + 0.2, "b": "x,y"}, {"a": 1, "c": None}]).decode()
    assert text == 'a,b,c\n0.30000000000000004,"x,y",\n1,,\n'


def test_out_must_be_new_or_empty(tmp_path) -> None:
    check_out(tmp_path / "new")
    check_out(tmp_path)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(MintError, match="not empty"):
        check_out(tmp_path)
    with pytest.raises(MintError, match="is a file"):
        check_out(tmp_path / "note.txt")


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch) -> None:
    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DieIndexError, match=r"001\.jpg: cannot be written \(No space"):
        write(tmp_path / "001.jpg", b"x")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------- whole collections


ORDER = CollectionOrder(
    coins=3,
    obverse_dies=2,
    reverse_dies=2,
    seed=4,
    duplicates=0.34,
    swapped=0.5,
    types=2,
    layout="separate",
)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _truth(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def minted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("minted")
    mint_collection(folder, ORDER)
    return folder


def test_same_seed_same_bytes_whatever_the_number_of_jobs(minted: Path, tmp_path: Path) -> None:
    mint_collection(tmp_path / "again", ORDER, jobs=2)
    again = _files(tmp_path / "again")
    assert again == _files(minted)
    assert set(again) >= {"dies.xlsx", "truth.csv", "images/001_obv.jpg", "images/004_rev.jpg"}


def test_another_seed_is_another_collection(minted: Path, tmp_path: Path) -> None:
    mint_collection(
        tmp_path, replace(ORDER, seed=5, coins=1, obverse_dies=1, reverse_dies=1, types=1)
    )
    assert (tmp_path / "images/001_obv.jpg").read_bytes() != (
        minted / "images/001_obv.jpg"
    ).read_bytes()


def test_sheet_and_truth_agree(minted: Path) -> None:
    rows = _truth(minted)
    assert len(rows) == 8  # four photographings of three coins, both sides each
    sheet = list(openpyxl.load_workbook(minted / "dies.xlsx").active.values)
    assert sheet[0] == ("coin", "obverse", "reverse", "file")
    listed = {str(file): (coin, obverse, reverse) for coin, obverse, reverse, file in sheet[1:]}
    assert set(listed) == {path.name for path in (minted / "images").iterdir()}
    for row in rows:
        coin, obverse, reverse = listed[Path(row["file"]).name]
        assert str(coin) == row["coin"]
        assert row["die"] == (obverse if row["side"] == "obverse" else reverse)
    twice = [coin for coin, count in Counter(coin for coin, *_ in sheet[1:]).items() if count == 4]
    assert len(twice) == 1
    sources = {row["source"] for row in rows if row["coin"] == str(twice[0])}
    assert len(sources) == 2
    # Half of the photographings have their sides exchanged: the name then says the other side.
    exchanged = [row for row in rows if ("_obv" in row["file"]) != (row["side"] == "obverse")]
    assert len(exchanged) == 4
    assert all(row["swapped"] == "1" for row in exchanged)


def _registered_edges(picture: np.ndarray, row: dict[str, str]) -> np.ndarray:
    """Edges of a face aligned to its die by the truth: 200 px over the die frame, -0.8 to 0.8."""
    numbers = [float(row[f"h{i}{j}"]) for i in (1, 2, 3) for j in (1, 2, 3)]
    grid = np.array([[0.008, 0, -0.8], [0, 0.008, -0.8], [0, 0, 1]])
    to_picture = np.array(numbers).reshape(3, 3) @ grid
    size = (200, 200)
    face = cv2.warpPerspective(picture, np.linalg.inv(to_picture), size, flags=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 1.2)
    edges = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    edges -= cv2.GaussianBlur(edges, (0, 0), 8)
    return np.asarray(edges / edges.std(), np.float32)


def test_homographies_lay_faces_of_one_die_on_each_other(tmp_path: Path) -> None:
    order = CollectionOrder(coins=5, obverse_dies=1, reverse_dies=1, difficulty="easy", seed=2)
    mint_collection(tmp_path, order)
    faces: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
    for row in _truth(tmp_path):
        picture = cv2.imread(str(tmp_path / row["file"]), cv2.IMREAD_GRAYSCALE)
        faces[row["side"]].append(_registered_edges(picture, row))
    window = cv2.createHanningWindow((200, 200), cv2.CV_32F)
    for side, registered in faces.items():
        shifts = []
        for a, b in itertools.combinations(registered, 2):
            (x, y), _ = cv2.phaseCorrelate(a, b, window)
            shifts.append(np.hypot(x, y))
        # Metal flow moves parts by a pixel or two, and one coin may be too worn to register; a
        # homography that is off for all of them is off by more than that for most pairs.
        assert np.median(shifts) < 2, (side, shifts)


def test_pair_layout_without_duplicates_has_a_plain_sheet(tmp_path: Path) -> None:
    order = CollectionOrder(coins=2, obverse_dies=1, reverse_dies=2, seed=7)
    minted = mint_collection(tmp_path, order)
    sheet = list(openpyxl.load_workbook(minted.sheet).active.values)
    assert sheet[0] == ("coin", "obverse", "reverse")
    assert [row[0] for row in sheet[1:]] == [1, 2]
    assert {row[1] for row in sheet[1:]} == {"O1"}
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["001.jpg", "002.jpg"]
    rows = _truth(tmp_path)
    for row in rows:
        x, y, radius = (float(row[name]) for name in ("flan_x", "flan_y", "flan_radius"))
        height, width = cv2.imread(str(tmp_path / row["file"])).shape[:2]
        assert 0 < x < width
        assert 0 < y < height
        assert 100 < 2 * radius < 700
    assert len(_truth(tmp_path)[0]) > 80  # every latent value


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"coins": 0}, MintError, "coins=0"),
        ({"obverse_dies": 92}, MintError, "obverse_dies=92"),
        ({"reverse_dies": 92}, MintError, "reverse_dies=92"),
        ({"duplicates": 1.5}, MintError, "duplicates="),
        ({"swapped": -0.1}, MintError, "swapped="),
        ({"die_distance": float("nan")}, MintError, "die_distance="),
        ({"seed": -1}, MintError, "seed="),
        ({"difficulty": "awful"}, UsageError, "easy, medium, hard or wild"),
        ({"obverse_kind": "eagle"}, UsageError, "laureate"),
    ],
)
def test_what_cannot_be_minted_is_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        mint_collection(tmp_path / "out", CollectionOrder(**wrong))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_the_command_ends_with_the_right_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ("--coins", "1", "--obverse-dies", "1", "--reverse-dies", "1")
    assert run(["mint", str(tmp_path / "a"), "--difficulty", "awful"]) == 2
    assert "easy" in capsys.readouterr().err
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "note.txt").write_text("mine")
    assert run(["mint", str(kept), *one]) == 1
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in kept.iterdir()] == ["note.txt"]
    assert run(["mint", str(tmp_path / "b"), *one, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["dies"] == {"obverse": 1, "reverse": 1}
    assert err == ""


def test_one_side_alone_can_be_photographed(tmp_path: Path) -> None:
    order = CollectionOrder(coins=2, obverse_dies=2, reverse_dies=1, seed=7, sides=("reverse",))
    minted = mint_collection(tmp_path, order)
    assert [row["side"] for row in _truth(tmp_path)] == ["reverse", "reverse"]
    sheet = list(openpyxl.load_workbook(minted.sheet).active.values)
    assert sheet == [("coin", "reverse"), (1, "R1"), (2, "R1")]
