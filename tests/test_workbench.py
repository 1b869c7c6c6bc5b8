"""The workbench through HTTP: a study's answers, corrections and builds, by one person and many."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dieindex import api
from dieindex.api import session as sessions
from dieindex.errors import CollectionError
from dieindex.records import OBVERSE, SIDES
from dieindex.text import Message, Parameter, for_terminal
from dieindex.workbench import documents
from dieindex.workbench.builds import Build
from tests.workbench_for_tests import WAIT, Answer, Site, served


@pytest.fixture
def site(compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(sessions, "GLANCE", 0.05)
    folder = Path(shutil.copytree(compared, tmp_path / "index"))
    with served(folder) as found:
        found.settle()
        yield found


def listed(site: Site) -> list[dict[str, Any]]:
    site.settle()
    found: list[dict[str, Any]] = site.get("/api/dies?side=obverse").document["listed"]
    return found


def done(found: Answer) -> Any:
    assert found.status == 200, found.text
    return found.document


def test_before_an_index_is_open_the_first_page_alone_is_there(
    coins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with served(None, coins) as site:
        assert site.get("/").status == 200
        for page in ("/desk", "/dies", "/faces", "/study", "/log"):
            found = site.get(page)
            assert (found.status, found.headers["location"]) == (303, "/")
        assert site.get("/api/state").document == {"open": False, "build": None, "last": 0}
        assert site.get("/api/known").document["data"] == str(coins)
        assert "choose a folder" in site.get("/api/queue?side=obverse").document["error"]
        for folder in (tmp_path / "none", tmp_path, coins / "dies.csv"):
            found = site.post("open", {"index": str(folder)})
            assert found.status in (400, 409)
            assert str(folder) in found.document["error"]
        seen = done(site.post("recognise", {"data": str(coins)}))
        assert seen["coins"] == 8
        assert seen["reading"]["columns"]["obverse die"] == "obverse"
        wrong = done(site.post("recognise", {"data": str(coins), "columns": "coin=nothing"}))
        assert "nothing" in wrong["problem"]
        assert list(tmp_path.iterdir()) == []


def test_an_answer_changes_the_dies_and_can_be_taken_back(site: Site) -> None:
    was = sorted(each["names"] for each in listed(site))
    one, other = listed(site)[:2]
    a, b = one["best"], other["best"]
    shown = done(site.get(f"/api/pair?side=obverse&a={a}&b={b}"))
    assert (shown["a"]["coin"], shown["b"]["coin"], shown["reviews"]) == (a, b, [])
    for face in (shown["a"]["face"], shown["b"]["face"]):
        for kind, mark in (("small", b"RIFF"), ("large", b"\xff\xd8")):
            assert site.get(f"/picture/{kind}/{face}").content.startswith(mark)
    assert 0 <= done(site.get(f"/api/opinion?side=obverse&a={a}&b={b}"))["probability"] <= 1
    answer = {"a": a, "b": b, "side": "obverse", "verdict": "same", "by": "A"}
    assert done(site.post("verdict", answer))["kept"]["number"] == 1
    site.settle()
    assert len(listed(site)) == len(was) - 1
    state = done(site.get("/api/state?by=A"))
    assert (state["undo"], state["redo"]) == (True, False)
    assert done(site.get("/api/state?by=B"))["undo"] is False
    assert done(site.post("undo", {"by": "B"}))["kept"] == []
    assert done(site.post("undo", {"by": "A"}))["kept"][0]["taken_back"] is True
    assert sorted(each["names"] for each in listed(site)) == was
    assert done(site.post("redo", {"by": "A"}))["kept"][0]["verdict"] == "same"
    counts = [each["counts"] for each in done(site.get("/api/log"))["reviews"]]
    assert counts == [True, False, False]


def test_dies_are_merged_split_moved_and_held(site: Site) -> None:
    one, other = listed(site)[:2]
    merge = {"side": "obverse", "die": one["die"], "other": other["die"], "by": "A"}
    done(site.post("merge", merge))
    both = sorted([*one["names"], *other["names"]])
    (whole,) = [each for each in listed(site) if sorted(each["names"]) == both]
    done(site.post("hold", {"side": "obverse", "die": whole["die"], "by": "A"}))
    held = [each["die"] for each in listed(site) if each["held"]]
    assert held == [whole["die"]]
    move = {"side": "obverse", "coins": both[:1], "to": None, "by": "A"}
    done(site.post("move", move))
    alone = [each for each in listed(site) if each["names"] == both[:1]]
    assert len(alone) == 1
    third = next(each["die"] for each in listed(site) if each["names"][0] not in both)
    done(site.post("move", move | {"to": third}))
    assert not [each for each in listed(site) if each["names"] == both[:1]]
    shown = done(site.get(f"/api/die?side=obverse&die={listed(site)[0]['die']}"))
    assert shown["coins"][0]["coin"] == listed(site)[0]["best"]
    for wrong in (
        {"coins": ["nobody"], "to": None},
        {"coins": [], "to": None},
        {"coins": both[:1], "to": "O99"},
        {"coins": both[:1], "to": 7},
    ):
        assert site.post("move", {"side": "obverse", "by": "A"} | wrong).status in (400, 409)
    assert site.post("merge", merge | {"other": one["die"]}).status in (400, 409)


def test_a_die_takes_a_free_name_only(site: Site) -> None:
    one, other = (each["die"] for each in listed(site)[:2])
    for name in ("", " ", other, other.lower(), "x" * 61, "a\u202eb", "a\x00b", "O999"):
        found = site.post("name", {"side": "obverse", "die": one, "name": name})
        assert found.status == 400, name
    assert site.post("name", {"side": "obverse", "die": "O99", "name": "a"}).status == 400
    done(site.post("name", {"side": "obverse", "die": one, "name": "  Lion,  left "}))
    for _ in range(200):
        if "Lion, left" in [each["die"] for each in listed(site)]:
            break
    taken = {"side": "obverse", "die": other, "name": "lion, LEFT"}
    assert site.post("name", taken).status == 400
    done(site.post("name", {"side": "obverse", "die": "Lion, left", "name": one}))


def test_what_happened_is_told_to_who_was_away(site: Site) -> None:
    """Every page hears what others answer; a page that was cut off gets what it missed, once."""
    coins = sorted(site.bench.session.index.faces(OBVERSE).coins)
    before = site.get("/api/state").document["last"]
    answer = {"side": "obverse", "verdict": "unsure", "by": "A"}
    with site.events() as live:
        done(site.post("verdict", answer | {"a": coins[0], "b": coins[1]}))
        number, what, told = next(live)
        assert (number, what) == (before + 1, "verdicts")
        assert told["reviews"][0]["coin_a"] == coins[0]
        assert next(live)[1] == "dies"
    for n in (1, 2):
        done(site.post("verdict", answer | {"a": coins[n], "b": coins[n + 1], "note": "\n\nid: 9"}))
        site.settle()
    with site.events(after=number) as missed:
        heard = [next(missed) for _ in range(5)]
    assert [each[0] for each in heard] == list(range(number + 1, number + 6))
    seen = [
        each["coin_a"] for _, what, told in heard if what == "verdicts" for each in told["reviews"]
    ]
    assert seen == coins[1:3]
    with site.events(after=10**9) as later:
        done(site.post("undo", {"by": "A"}))
        assert next(later)[1] == "verdicts"
    assert site.get("/events", last_event_id="x" * 50, cookie=None).status == 403


def test_the_progress_of_a_build_drives_out_nothing_that_was_missed(site: Site) -> None:
    """Nor does a page that takes nothing fill the memory: its stream ends, and it asks again."""
    bench, before = site.bench, site.bench.events.last
    bench.events.tell("verdicts", {"reviews": []})
    for n in range(2000):
        bench.events.tell("build", {"done": n}, passing=True)
    with site.events(after=before) as missed:
        assert next(missed)[1] == "verdicts"
    with site.events() as frozen:
        for n in range(40):
            for _ in range(100):
                bench.events.tell("verdicts", {"n": n, "long": "x" * 5000})
        assert len(list(frozen)) < 4000


def test_eight_persons_at_once_lose_nothing_and_meet_no_error(site: Site) -> None:
    coins = sorted(site.bench.session.index.faces(OBVERSE).coins)
    faces = [each["face"] for each in done(site.get("/api/faces"))["faces"]]
    wrong: list[object] = []

    def work(person: int) -> None:
        try:
            for n in range(4):
                side = SIDES[(person + n) % 2]
                answer = {"a": coins[person], "b": coins[(person + n + 1) % 8], "side": side}
                answer |= {"verdict": ("same", "different", "unsure")[n % 3], "by": f"P{person}"}
                found = [
                    site.post("verdict", answer),
                    site.get(f"/api/queue?side={side}"),
                    site.get(f"/api/dies?side={side}"),
                    site.get(f"/picture/small/{faces[(person + n) % len(faces)]}"),
                    site.get("/api/log"),
                    site.get(f"/api/state?by=P{person}"),
                ]
                wrong.extend(each.text for each in found if each.status != 200)
            found = [site.post("undo", {"by": f"P{person}"})]
            wrong.extend(each.text for each in found if each.status != 200)
        except BaseException as error:
            wrong.append(error)

    people = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert not wrong
    kept = site.bench.session.reviews()
    assert [each.number for each in kept] == list(range(1, 41))
    for n in range(8):
        assert len([each for each in kept if each.by == f"P{n}"]) == 5
    site.settle()


def test_an_index_that_goes_away_is_told(site: Site) -> None:
    folder = site.bench.session.index.folder
    coins = sorted(site.bench.session.index.faces(OBVERSE).coins)
    shutil.rmtree(folder)
    answer = {"a": coins[0], "b": coins[1], "side": "obverse", "verdict": "same", "by": "A"}
    for found in (
        site.post("verdict", answer),
        site.get("/picture/large/1"),
        site.get("/api/faces"),
        site.post("name", {"side": "obverse", "die": "O1", "name": "x"}),
    ):
        assert found.status == 409
        assert str(folder) in found.document["error"]
    assert site.get("/api/state").status == 200
    assert site.get("/desk").status == 200
    assert not folder.exists()


# faces


@pytest.fixture
def corrected(
    compared: Path, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    with served(tmp_path / "indexes" / "data") as found:
        yield found


def built_again(site: Site) -> Build:
    build = site.bench.build
    assert build is not None
    assert build.finished.wait(WAIT)
    return build


def test_a_circle_is_kept_and_that_face_alone_worked_on_again(corrected: Site, data: Path) -> None:
    site = corrected
    before = {each["face"]: each for each in done(site.get("/api/faces"))["faces"]}
    one = next(each for each in before.values() if each["side"] == "obverse")
    row = {"side": "obverse", "x": one["x"] + 2, "y": one["y"], "radius": one["radius"] - 2}
    done(site.post("correct", {"file": one["file"], "rows": [{"side": ""}, row], "by": "A"}))
    assert built_again(site).error is None
    found = done(site.get("/api/faces"))
    (given,) = found["corrections"]
    assert given["file"] == one["file"]
    assert given["circle"] == pytest.approx([row["x"], row["y"], row["radius"]], abs=0.06)
    now = {each["face"]: each for each in found["faces"]}
    changed = [face for face in now if face not in before or now[face]["x"] != before[face]["x"]]
    assert [now[face]["file"] for face in changed] == [one["file"]]
    done(site.post("correct", {"file": one["file"], "rows": [{"side": "obverse"}]}))
    assert built_again(site).error is None
    assert done(site.get("/api/faces"))["corrections"] == []


NO_CIRCLES: list[object] = [
    [],
    None,
    [{}] * 101,
    [{"side": "edge", "skip": True}],
    [{"side": "obverse", "x": 1, "y": 2}],
    [{"side": "obverse", "radius": 5}],
    [{"x": 1, "y": 2, "radius": 0}],
    [{"x": 1, "y": 2, "radius": 0.04}],
    [{"x": 1, "y": 2, "radius": 10**400}],
    [{"x": float("nan"), "y": 2, "radius": 5}],
    [{"x": 1e300, "y": 2, "radius": 5}],
    [{"x": "1", "y": 2, "radius": 5}],
    [{"rotate": float("inf")}],
]


def test_what_is_no_circle_is_refused_and_nothing_is_changed(site: Site, coins: Path) -> None:
    file = done(site.get("/api/faces"))["faces"][0]["file"]
    for rows in NO_CIRCLES:
        assert site.post("correct", {"file": file, "rows": rows}).status == 400, rows
    for other in ("../" + file, "/etc/passwd", "nothing.jpg"):
        found = site.post("correct", {"file": other, "rows": [{"skip": True}]})
        assert "no photograph of this index" in found.document["error"]
    assert not (coins / "overrides.csv").exists()


def test_faces_are_redone_of_a_collection_as_it_was_told_to_be_read(
    corrected: Site, data: Path, tmp_path: Path
) -> None:
    """By the sheet, its columns and the side that were said when the index was built."""
    site, index = corrected, site_index(corrected)
    told = tmp_path / "told.csv"
    rows = (data / "dies.csv").read_text().splitlines()
    told.write_text("\n".join(["Z1,Z2,Z3", *(row for row in rows[1:])]))
    options = {"labels": told, "columns": "coin=Z1,obverse=Z3,reverse=Z2"}
    api.build(data, index, side="reverse", **options)
    kept = api.open_index(index).labels(OBVERSE)
    site.bench.open(index)
    file = done(site.get("/api/faces"))["faces"][0]["file"]
    done(site.post("correct", {"file": file, "rows": [{"side": "obverse", "rotate": 5}]}))
    build = built_again(site)
    assert build.error is None
    assert build.report is not None
    assert not [each for each in build.report.warnings if "build before" in each]
    assert api.open_index(index).labels(OBVERSE) == kept
    assert api.build_options(index) == {
        "labels": str(told),
        "columns": {"coin": "Z1", "obverse": "Z3", "reverse": "Z2"},
        "side": "reverse",
    }
    # Who builds without says so, or is told.
    again = api.build(data, index).report
    assert again is not None
    (said,) = [each for each in again.warnings if "build before" in each]
    for part in (f"--labels {told}", "--columns coin=Z1,obverse=Z3,reverse=Z2", "--side reverse"):
        assert part in for_terminal(said)
    assert api.build_options(index) == {}
    api.build(data, index, labels=False)
    assert api.build_options(index) == {"labels": False}


def site_index(site: Site) -> Path:
    return site.bench.session.index.folder


def test_while_a_build_is_at_work_nothing_is_corrected(
    corrected: Site, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, go = corrected, threading.Event()
    file = done(site.get("/api/faces"))["faces"][0]["file"]
    monkeypatch.setattr(api, "build", lambda *_, **__: go.wait(WAIT) and 1 // 0)
    done(site.post("build", {"data": str(data)}))
    for name, document in (
        ("correct", {"file": file, "rows": [{"skip": True}]}),
        ("build", {"data": str(data)}),
    ):
        found = site.post(name, document)
        assert found.status == 400
        assert "is being built" in found.document["error"]
    go.set()
    assert "ZeroDivisionError" in str(built_again(site).error)
    assert not (data / "overrides.csv").exists()


def test_a_build_is_told_of_and_can_be_stopped(corrected: Site, data: Path) -> None:
    site = corrected
    done(site.post("build", {"data": str(data), "index": "new"}))
    done(site.post("stop"))
    build = built_again(site)
    assert build.error is None or "start again to go on" in build.error
    done(site.post("build", {"data": str(data)}))
    assert built_again(site).error is None
    told = done(site.get("/api/state"))["build"]
    assert (told["finished"], told["report"]["coins"], told["error"]) == (True, 8, None)
    site.post("build", {"data": str(data / "none")})
    assert str(data / "none") in str(built_again(site).error)


# what is written


def test_the_study_the_dies_and_the_verdicts_are_written(site: Site, tmp_path: Path) -> None:
    for side in SIDES:
        site.bench.session.sorted(side, WAIT)
    done(site.post("export", {"kind": "workbook", "path": str(tmp_path / "dies.xlsx")}))
    done(site.post("export", {"kind": "verdicts", "path": str(tmp_path / "said.csv")}))
    assert (tmp_path / "dies.xlsx").read_bytes().startswith(b"PK")
    mine = tmp_path / "mine.csv"
    mine.write_text("not written by dieindex")
    found = site.post("export", {"kind": "verdicts", "path": str(mine)})
    assert found.status == 400
    assert mine.read_text() == "not written by dieindex"
    for wrong in ({"kind": "all", "path": "x"}, {"kind": "study"}, {"path": "x.csv"}):
        assert site.post("export", wrong).status == 400


def test_what_is_to_be_said_is_called_as_on_the_page() -> None:
    error = CollectionError("nobody knows. Say it with ", Parameter("side", "reverse"), ".")
    assert documents.told(error) == (
        "nobody knows. Say it with “The pictures show: reverses alone”."
    )
    assert documents.in_words(Message(error)) == documents.told(error)
    assert documents.in_words("side=reverse") == "side=reverse"
