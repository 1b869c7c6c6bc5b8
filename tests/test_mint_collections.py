from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dieindex.errors import MintError
from dieindex.mint.links import draw_links
from dieindex.mint.writing import check_out, sheet_bytes, truth_bytes, write_beside
from dieindex.records import OBVERSE, REVERSE, SIDES


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_links_have_exactly_the_asked_numbers(data: st.DataObject) -> None:
    coins = data.draw(st.integers(1, 120))
    obverses = data.draw(st.integers(1, coins))
    reverses = data.draw(st.integers(1, coins))
    types = data.draw(st.integers(1, reverses))
    seed = data.draw(st.integers(0, 2**32 - 1))
    links = draw_links(np.random.default_rng(seed), coins, obverses, reverses, types)
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
        links = draw_links(np.random.default_rng(seed), 91, 24, 34, types=3)
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
    links = draw_links(np.random.default_rng(5), 400, 40, 60)
    for side in SIDES:
        number = [coin.dies[side] for coin in sorted(links.coins, key=lambda coin: coin.time)]
        assert np.corrcoef(np.arange(400), number)[0, 1] > 0.95
    # The order of the coins themselves says nothing.
    shuffled = [coin.dies[OBVERSE] for coin in links.coins]
    assert abs(np.corrcoef(np.arange(400), shuffled)[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("numbers", "option"),
    [
        ((0, 1, 1, 1), "--coins"),
        ((5, 6, 1, 1), "--obverse-dies"),
        ((5, 2, 9, 1), "--reverse-dies"),
        ((5, 0, 1, 1), "--obverse-dies"),
        ((5, 2, 2, 3), "--types"),
        ((5, 2, 2, 0), "--types"),
    ],
)
def test_impossible_numbers_name_the_option(
    numbers: tuple[int, int, int, int], option: str
) -> None:
    with pytest.raises(MintError, match=option):
        draw_links(np.random.default_rng(0), *numbers)


def test_sheet_bytes_do_not_depend_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import time

    import openpyxl

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
    from pathlib import Path

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MintError, match=r"001\.jpg cannot be written: No space"):
        write_beside(tmp_path / "001.jpg", b"x")
    assert list(tmp_path.iterdir()) == []
