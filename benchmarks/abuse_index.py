"""Abuse of an index: kills, changed bytes, a full disk, many commands at once."""

from __future__ import annotations

import csv
import json
import random
import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from abuse_commands import COMMAND, LONGEST, Bench, Try, expect, run

from dieindex.encoder.weights import SHIPPED_WEIGHTS
from dieindex.storage.folder import WEIGHTS_NAME
from dieindex.storage.reviews import reviews_of
from dieindex.storage.schema import CATALOGUE_NAME, DETAILS_NAME, REVIEWS_NAME, VERDICTS_NAME

FILES = (CATALOGUE_NAME, DETAILS_NAME, "obverse.faiss", REVIEWS_NAME, VERDICTS_NAME, WEIGHTS_NAME)


def verdicts(index: Path) -> set[tuple[str, str, str]]:
    return {(each.coin_a, each.coin_b, each.verdict) for each in reviews_of(index)}


def check_whole(bench: Bench, index: Path) -> None:
    """The index is mended by a build, and answers as it did."""
    expect(bench.build(index), 0)
    assert set(bench.verdicts) <= verdicts(index), "a verdict is lost"
    expect(bench.answer(index), 0)
    assert bench.answer(index).out == bench.expected, "the answer is another"


def copied(bench: Bench, place: Path) -> Path:
    return Path(shutil.copytree(bench.index, place / "index"))


def killed_build(bench: Bench, place: Path, rng: random.Random) -> None:
    index = copied(bench, place)
    (index / CATALOGUE_NAME).unlink()
    run("build", bench.data, "--index", index, kill_after=rng.uniform(0.5, 8))
    check_whole(bench, index)


def killed_cluster(bench: Bench, place: Path, rng: random.Random) -> None:
    index = copied(bench, place)
    (index / DETAILS_NAME).unlink()
    expect(bench.build(index), 0)
    table = place / "dies.csv"
    words = ("cluster", "--side", "both", "--index", index, "--out", table)
    killed = run(*words, kill_after=rng.uniform(0.5, 6)).code is None
    assert killed or table.exists()
    assert not table.exists() or table.read_text().count("\n") == 17, "half a table"
    check_whole(bench, index)


def killed_verdict(bench: Bench, place: Path, rng: random.Random) -> None:
    index = copied(bench, place)
    words = ("verdict", "5", "6", "different", "--side", "reverse", "--index", index)
    said = run(*words, kill_after=rng.uniform(0.2, 1.5))
    kept = verdicts(index)
    assert set(bench.verdicts) <= kept
    assert said.code is None or ("005", "006", "different") in kept
    check_tables_alike(index)


def killed_import(bench: Bench, place: Path, rng: random.Random) -> None:
    index, table = copied(bench, place), place / "import.csv"
    rows = [f"{a:03},{b:03},reverse,unsure" for a in range(1, 9) for b in range(1, a)] * 100
    table.write_text("\n".join(["coin_a,coin_b,side,verdict,note", *(
        f"{row},{number}" for number, row in enumerate(rows))]))  # fmt: skip
    words = ("verdict", "--import", table, "--index", index)
    run(*words, kill_after=rng.uniform(0.3, 2))
    before = len(bench.verdicts)
    assert len(reviews_of(index)) in (before, before + len(rows)), "half an import"
    check_tables_alike(index)


def check_tables_alike(index: Path) -> None:
    """After one more verdict the plain table holds all that the database holds, once, and no
    more."""
    words = ("verdict", "7", "8", "unsure", "--side", "obverse", "--index", index)
    expect(run(*words), 0)
    stored = [(str(each.number), each.coin_a, each.coin_b) for each in reviews_of(index)]
    with (index / VERDICTS_NAME).open(encoding="utf-8", newline="") as stream:
        listed = [(row["number"], row["coin_a"], row["coin_b"]) for row in csv.DictReader(stream)]
    assert sorted(listed) == sorted(stored), "the plain table says something else"


def full_disk(bench: Bench, place: Path, rng: random.Random) -> None:
    """No file may grow beyond some size: as if the disk were full."""
    index = copied(bench, place)
    (index / CATALOGUE_NAME).unlink()
    limit = rng.randrange(10_000, 2_000_000)
    run("build", bench.data, "--index", index, file_limit=limit)
    run("verdict", "5", "6", "unsure", "--side", "reverse", "--index", index, file_limit=limit)
    check_whole(bench, index)


def full_disk_verdict(bench: Bench, place: Path, rng: random.Random) -> None:
    """The disk is full while a verdict is kept: it is kept where the command says so, and where it
    says it is not, then nowhere."""
    index = copied(bench, place)
    sizes = [(index / name).stat().st_size for name in (REVIEWS_NAME, VERDICTS_NAME)]
    limit = rng.choice((rng.randrange(60_000), *(size + rng.randrange(80) for size in sizes)))
    before = verdicts(index)
    words = ("verdict", "5", "6", "different", "--side", "reverse", "--index", index)
    said = run(*words, file_limit=limit)
    given = {("005", "006", "different")} if said.code == 0 else set()
    # (Read twice: reading brings what is behind up to date.)
    for _ in range(2):
        assert verdicts(index) == before | given, f"limit {limit}: {said.err[-300:]}"
    check_tables_alike(index)


def changed_file(name: str, bench: Bench, place: Path, rng: random.Random) -> None:
    """One file is cut, or some of its bytes are others: the answer is the same, or it is said."""
    index = copied(bench, place)
    path = index / name
    if name == WEIGHTS_NAME:
        shutil.copy(SHIPPED_WEIGHTS, path)
    content = bytearray(path.read_bytes())
    if rng.random() < 0.15:
        del content[rng.randrange(len(content)) :]
    else:
        for _ in range(rng.choice((1, 1, 1, 8, 100))):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    said = bench.answer(index)
    if said.code == 0 and said.out != bench.expected:
        assert said.err.strip(), "another answer without a word"
    if name not in (REVIEWS_NAME, VERDICTS_NAME):
        assert set(bench.verdicts) <= verdicts(index), "a verdict is lost"
    built = bench.build(index)
    if built.code:
        remedies = ("elete", "move", "build again", "newer", "Put a whole")
        assert any(word in built.err for word in remedies), f"no remedy: {built.err[-300:]}"


def turned_cell(name: str, bench: Bench, place: Path, rng: random.Random) -> None:
    """One bit of one cell of a database is another, and the database is sound: the answer is the
    same or the damage is said; a build mends it, and the coins of each die are what they were. (A
    face that is aligned anew lies a little otherwise.)"""
    index = copied(bench, place)
    with closing(sqlite3.connect(index / name, isolation_level=None)) as raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        table = rng.choice([row[0] for row in raw.execute(f"{listed} ORDER BY name")])
        columns = list(raw.execute(f"PRAGMA table_info({table})"))
        column = rng.choice([row[1] for row in columns])
        keys = [row[1] for row in columns if row[5]]
        found = f"SELECT {', '.join(keys)}, {column} FROM {table} WHERE {column} IS NOT NULL"
        rows = raw.execute(f"{found} AND {column} <> ''").fetchall()
        if not rows:
            return
        *key, value = rng.choice(rows)
        where = " AND ".join(f"{each} = ?" for each in keys)
        kind = "CAST(? AS TEXT)" if isinstance(value, str) else "?"
        change = f"UPDATE OR IGNORE {table} SET {column} = {kind} WHERE {where}"
        raw.execute(change, (one_bit_turned(value, rng), *key))
    what = f"{table}.{column}"
    said = bench.answer(index)
    if said.code == 0 and said.out != bench.expected:
        raise AssertionError(f"{what}: another answer")
    words = ("changed on the disk", "damaged", "build again")
    assert said.code == 0 or any(word in said.err for word in words), f"{what}: {said.err}"
    if name == DETAILS_NAME and said.code:
        (index / DETAILS_NAME).unlink()
    expect(bench.build(index), 0)
    mended = coins_of_dies(expect(bench.answer(index), 0).out)
    assert mended == coins_of_dies(bench.expected), f"{what}: mended, the dies are others"


def coins_of_dies(answer: str) -> list[object]:
    """The coins of each die, a side each."""
    return [side["clusters"] for side in json.loads(answer).values()]


def one_bit_turned(value: object, rng: random.Random) -> object:
    """A cell with one bit another; of a text its bytes."""
    if isinstance(value, int):
        return value ^ (1 << rng.randrange(40))
    if isinstance(value, float):
        changed = one_bit_turned(struct.pack("<d", value), rng)
        assert isinstance(changed, bytes)
        return struct.unpack("<d", changed)[0]
    content = bytearray(value.encode() if isinstance(value, str) else bytes(value))  # type: ignore[call-overload]
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def at_once(bench: Bench, place: Path, rng: random.Random) -> None:
    """Ten verdicts, a clustering and a build at once."""
    index = copied(bench, place)
    pairs = rng.sample([(a, b) for a in range(1, 9) for b in range(1, a)], 10)
    tail = ["--index", str(index)]
    commands: list[Sequence[str]] = [
        [*COMMAND, "verdict", "--side", "reverse", *tail, str(a), str(b), "unsure"]
        for a, b in pairs
    ]
    commands += [
        [*COMMAND, "cluster", "--side", "both", *tail],
        [*COMMAND, "build", str(bench.data), *tail],
    ]
    running = [
        subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for each in commands
    ]
    said = [each.communicate(timeout=LONGEST)[1] for each in running]
    kept = {(int(a), int(b)) for a, b, word in verdicts(index) if word == "unsure"}
    for process, pair, err in zip(running, pairs, said, strict=False):
        assert "Unexpected" not in err, err
        if process.returncode == 0:
            assert pair in kept, "a verdict is lost"
        else:
            assert "process " in err, f"nobody is named: {err}"


KINDS: dict[str, Try] = {
    "kill build": killed_build,
    "kill cluster": killed_cluster,
    "kill verdict": killed_verdict,
    "kill import": killed_import,
    **{f"change {name}": partial(changed_file, name) for name in FILES},
    **{f"turn {name}": partial(turned_cell, name) for name in (CATALOGUE_NAME, DETAILS_NAME)},
    "full disk": full_disk,
    "full disk verdict": full_disk_verdict,
    "at once": at_once,
}
