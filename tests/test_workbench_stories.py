"""Whole stories at the workbench, in a real browser: as a numismatist sits at it.

Nothing here sleeps: what is waited for is what a person would see.
"""

from __future__ import annotations

import csv
import re
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dieindex.records import OBVERSE, REVERSE, SheetCoin
from dieindex.storage.catalogue import Catalogue
from tests.browser_for_tests import (
    ARGUMENTS,
    PAINTED,
    SLOW,
    Workbench,
    at_desk,
    axe,
    chromium,
    drag,
    kept,
    middle,
    opened,
    painted,
    pinch,
    press,
    said,
)
from tests.collections_for_tests import write_collection

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect
expect.set_options(timeout=20_000)
STRANGE = "<script>alert(1)</script>"
"""The name of a coin."""
OTHERWISE = """(canvas, before) => new Promise((done) => {
  const look = () => (canvas.toDataURL() === before ? requestAnimationFrame(look) : done());
  look();
})"""
"""Waits until a canvas shows something else."""
NEXT_PAIR = 1000.0
"""Milliseconds from an answer to the next pair; it is meant to be 300, on a machine of its own."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = chromium()
    with playwright.sync_playwright() as started:
        one = started.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield one
        one.close()


@pytest.fixture(scope="module")
def workbench(
    browser: Any, coins: Path, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    """The workbench over eight coins, of which a sheet says that all are of one die: so there is
    something to look at, however well they are told apart. Its verdicts are those of all tests
    before."""
    place = tmp_path_factory.mktemp("desk")
    index = Path(shutil.copytree(built, place / "indexes" / "coins"))
    data = Path(shutil.copytree(coins, place / "coins"))
    with Catalogue.open(index) as catalogue, catalogue.transaction():
        catalogue.set_meta("data", str(data.resolve()))
        one_die = {OBVERSE: "A", REVERSE: "B"}
        catalogue.put_coins({coin: SheetCoin(coin, one_die) for coin in catalogue.coins()})
    running = Workbench(place, index)
    yield running
    running.stop()


def test_from_a_folder_to_the_first_answer(browser: Any, tmp_path: Path) -> None:
    """A folder is chosen, a column is told, the build is stopped and goes on, a pair is answered;
    and a coin named like a script is a name."""
    folder = write_collection(
        tmp_path / "hoard", [(1, 1), (1, 1), (2, 2), (1, 3)], sheet=False, size=128
    )
    rows = [
        (STRANGE, "01.jpg", "A", "R1"),
        *((f"{n:02}", f"{n:02}.jpg", "A", "R1") for n in (2, 3, 4)),
    ]
    with (folder / "dies.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("coin", "file", "punch", "reverse"), *rows])
    workbench = Workbench(tmp_path)
    try:
        page = opened(browser, workbench, None)
        page.get_by_label("Folder").fill(str(folder))
        page.keyboard.press("Enter")
        expect(page.locator("#what")).to_contain_text("4 pictures of 4 coins")
        shown = page.get_by_label("The pictures show")
        shown.select_option(label="reverses alone")
        expect(page.locator("#what")).to_contain_text("4 with the reverse")
        shown.select_option(label="what is found in each")
        expect(page.locator("#what")).to_contain_text("told by looking")
        column = page.get_by_label("What column 3 holds")
        assert column.input_value() == ""
        column.select_option(label="obverse die")
        expect(page.locator("#line")).to_contain_text("obverse die")
        expect(page.get_by_label("What column 3 holds")).to_have_value("obverse")

        page.get_by_role("button", name="Build", exact=True).click()
        expect(page.locator("#step")).to_contain_text(re.compile(r"\d of \d"), timeout=SLOW)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#step")).to_contain_text("Stopped", timeout=SLOW)
        page.get_by_role("button", name="Go on").click()
        begin = page.get_by_role("link", name="Begin to look")
        begin.wait_for(timeout=SLOW)
        expect(page.locator("#step")).to_contain_text("4 coins: 4 obverses and 4 reverses")
        begin.click()

        page.get_by_label("Name").fill("Anna")
        page.keyboard.press("Enter")
        painted(page)
        at_desk(page, workbench, "?side=obverse&a=02&b=" + STRANGE.replace("/", "%2F"))
        expect(page.locator("#pane-b .name")).to_have_text(STRANGE)
        page.keyboard.press("s")
        kept(page)
        page.goto(f"{workbench.base}/log")
        expect(page.locator("#rows tr")).to_have_count(1)
        expect(page.locator("#rows")).to_contain_text(f"02 and {STRANGE}")
        expect(page.locator("#rows")).to_contain_text("Anna")
        assert page.faults == []
        page.context.close()
    finally:
        workbench.stop()


def test_looks_by_keyboard_alone(browser: Any, workbench: Workbench) -> None:
    """Ways to look, a note, four answers, undo and redo, without the mouse; the next pair is there
    at once."""
    page = opened(browser, workbench, "Anna")
    pair = at_desk(page, workbench)
    for digit in "2345678":
        page.keyboard.press(digit)
        expect(page.locator("[data-mode][aria-pressed=true] kbd")).to_have_text(digit)
    page.keyboard.press("1")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    assert not any(
        each["by"] == "Anna" and each["note"] == "a crack" for each in said(page, workbench)
    )

    page.evaluate(
        """() => {
          window.waited = [];
          document.addEventListener("di:painted", () => {
            const answered = performance.getEntriesByName("answered").at(-1);
            if (answered) window.waited.push(performance.now() - answered.startTime);
          });
        }"""
    )
    count = len(said(page, workbench))
    page.keyboard.press("n")
    page.keyboard.type("a crack")
    page.keyboard.press("Enter")
    for key in "udu":
        pair = press(page, key, pair)
    waited = page.evaluate("window.waited")
    assert len(waited) >= 3
    assert statistics.median(waited) < NEXT_PAIR
    expect(page.locator(".toast", has_text="Kept")).to_have_count(3)
    reviews = said(page, workbench)
    assert [each["verdict"] for each in reviews[:3]] == ["unsure", "different", "unsure"]
    assert reviews[2]["note"] == "a crack"
    assert len(reviews) == count + 3

    page.keyboard.press("z")
    expect(page.locator(".toast", has_text="Taken back")).to_be_visible()
    page.keyboard.press("z")
    expect(page.locator(".toast", has_text="Taken back")).to_have_count(2)
    taken = said(page, workbench)[0]
    assert {taken["coin_a"], taken["coin_b"]} == {reviews[1]["coin_a"], reviews[1]["coin_b"]}
    assert taken["taken_back"]
    page.keyboard.press("Shift+z")
    expect(page.locator(".toast", has_text="Done again")).to_be_visible()
    assert said(page, workbench)[0]["verdict"] == "different"
    assert page.faults == []
    page.context.close()


def test_a_die_is_split_and_the_study_written(
    browser: Any, workbench: Workbench, tmp_path: Path
) -> None:
    """One coin is moved to a die of its own on the page of its die; the study has it so."""
    page = opened(browser, workbench, "Anna")
    at_desk(page, workbench)
    dies = page.request.get(f"{workbench.base}/api/dies?side=obverse").json()
    largest = max(dies["listed"], key=lambda die: die["coins"])
    page.goto(f"{workbench.base}/die?side=obverse&die={largest['die']}")
    expect(page.locator("#coins .tile")).to_have_count(largest["coins"])
    last = page.locator("#coins .tile").last.get_attribute("data-coin")
    page.get_by_label(f"Choose {last}").check()
    expect(page.locator("#chosen")).to_have_text(f"1 of {largest['coins']} chosen")
    page.get_by_role("button", name="Move").click()
    expect(page.locator("#coins .tile")).to_have_count(largest["coins"] - 1, timeout=SLOW)
    expect(page.locator(f"[data-coin='{last}']")).to_have_count(0)

    page.get_by_role("link", name="Study").click()
    expect(page.locator("#keys-of .o")).to_have_text(str(dies["dies"] + 1))
    report = page.frame_locator("#report")
    report.get_by_role("heading", level=1).wait_for()
    for theme in ("dark", "light"):
        page.get_by_role("button", name="Dark or light").click()
        expect(report.locator("html")).to_have_attribute("data-theme", theme)
    page.get_by_label("Where").fill(str(tmp_path / "study"))
    page.get_by_role("button", name="Write").click()
    expect(page.locator("#written")).to_contain_text("Written to", timeout=SLOW)
    assert (tmp_path / "study" / "report.html").is_file()
    page.get_by_label("What").select_option("verdicts")
    page.get_by_label("Where").fill(str(tmp_path / "verdicts.csv"))
    page.get_by_role("button", name="Write").click()
    expect(page.locator("#written")).to_contain_text("verdicts.csv")
    assert str(last) in (tmp_path / "verdicts.csv").read_text()
    assert page.faults == []
    page.context.close()


def test_two_persons_see_each_other(browser: Any, workbench: Workbench) -> None:
    """What one answers the other sees, and both answers are kept."""
    anna, berta = (opened(browser, workbench, person) for person in ("Anna", "Berta"))
    for page in (anna, berta):
        at_desk(page, workbench, "?side=reverse&a=06&b=08")
    anna.keyboard.press("d")
    expect(berta.locator(".toast", has_text="Anna: 06 and 08")).to_be_visible()
    expect(berta.locator("#said")).to_contain_text("Anna: different dies")
    berta.keyboard.press("s")
    expect(anna.locator(".toast", has_text="Berta: 06 and 08")).to_be_visible()
    two = said(anna, workbench)[:2]
    assert [(each["by"], each["verdict"]) for each in two] == [
        ("Berta", "same"),
        ("Anna", "different"),
    ]
    anna.goto(f"{workbench.base}/log")
    expect(anna.locator("#disagreements")).to_contain_text("Anna says different")
    assert anna.faults == berta.faults == []
    for page in (anna, berta):
        page.context.close()


def test_nothing_is_lost(browser: Any, workbench: Workbench) -> None:
    """The page is loaded anew in the middle, the workbench is killed and started again: every
    answer is there once, and the page that was open goes on."""
    page = opened(browser, workbench, "Clara")
    pairs = [("01", "04"), ("01", "05"), ("01", "08")]
    for number, (a, b) in enumerate(pairs):
        at_desk(page, workbench, f"?side=obverse&a={a}&b={b}")
        page.keyboard.press("d")
        kept(page)
        if number == 1:
            page.reload()
            painted(page)
    workbench.kill()
    expect(page.locator("#lost")).to_be_visible()
    workbench.start()
    again = page.context.new_page()
    again.goto(workbench.address)
    expect(page.locator("#lost")).to_be_hidden()
    found = [
        (each["coin_a"], each["coin_b"]) for each in said(again, workbench) if each["by"] == "Clara"
    ]
    assert sorted(found) == pairs
    at_desk(page, workbench, "?side=obverse&a=01&b=08")
    expect(page.locator("#said")).to_contain_text("Clara: different dies")
    assert page.faults == []
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_serious_fault_of_access(browser: Any, workbench: Workbench, theme: str) -> None:
    """axe-core finds nothing serious or critical on any page."""
    source = axe()
    page = opened(browser, workbench, "Anna", theme)
    at_desk(page, workbench)
    pages = {
        "/": "#choose",
        "/desk": PAINTED,
        "/dies": ".card",
        "/die?side=obverse&die=O1": ".tile",
        "/coin?side=obverse&coin=03": PAINTED,
        "/faces": "#items button, #rest:not(:empty)",
        "/study": "#keys-of b",
        "/log": "#empty, #rows tr",
    }
    found = []
    for address, ready in pages.items():
        page.goto(workbench.base + address)
        page.locator(ready).first.wait_for(state="attached", timeout=SLOW)
        page.evaluate(source)
        for fault in page.evaluate("async () => (await axe.run(document)).violations"):
            if fault["impact"] in ("serious", "critical"):
                where = [node["html"][:160] for node in fault["nodes"][:3]]
                found.append(f"{address}: {fault['id']}: {fault['help']}: {where}")
    assert not found, "\n".join(found)
    page.context.close()


def test_looks_by_mouse_and_by_touch(browser: Any, workbench: Workbench) -> None:
    """The border of the slider is dragged, also beyond the middle; the right coin is shifted; two
    fingers zoom the coins and not the page."""
    page = opened(browser, workbench, "Anna", has_touch=True)
    at_desk(page, workbench)
    canvas, stage = page.locator("#pane-a canvas"), page.locator("#stage").bounding_box()
    shows = "canvas => canvas.toDataURL()"
    page.keyboard.press("3")
    x, y = middle(page.locator("#stage"))
    drag(page, (x, y), (x + 0.3 * stage["width"], y))
    expect(page.locator("#amount")).to_have_value(re.compile("^(79|80|81)$"))
    for act in (
        lambda: drag(page, (x + 80, y), (x + 120, y + 30), "Shift"),
        lambda: drag(page, (x + 80, y), (x + 160, y), "Alt"),
        lambda: pinch(page, (x + 100, y), 30, 90),
    ):
        before = canvas.evaluate(shows)
        act()
        canvas.evaluate(OTHERWISE, before)
    assert page.evaluate("visualViewport.scale") == 1
    assert page.faults == []
    page.context.close()


def test_a_coin_is_dragged_to_a_die_of_its_own(browser: Any, workbench: Workbench) -> None:
    """By mouse, on the page of its die."""
    page = opened(browser, workbench, "Anna")
    at_desk(page, workbench)
    dies = page.request.get(f"{workbench.base}/api/dies?side=reverse").json()
    largest = max(dies["listed"], key=lambda die: die["coins"])
    page.goto(f"{workbench.base}/die?side=reverse&die={largest['die']}")
    tiles = page.locator("#coins .tile")
    expect(tiles).to_have_count(largest["coins"])
    drag(page, middle(tiles.last.locator("img")), middle(page.locator(".own-drop")))
    expect(page.locator(".toast", has_text="1 coin of a die of their own")).to_be_visible()
    expect(tiles).to_have_count(largest["coins"] - 1, timeout=SLOW)
    assert page.faults == []
    page.context.close()


def test_a_circle_is_put_right(browser: Any, workbench: Workbench) -> None:
    """Moved by mouse and turned; ``overrides.csv`` says so, and the face is as it says."""
    page = opened(browser, workbench, "Anna")
    page.goto(f"{workbench.base}/faces?which=all")
    page.locator("#items button").first.click()
    file = page.locator("#file").inner_text()
    asked = page.request.get(f"{workbench.base}/api/faces").json()
    face = next(each for each in asked["faces"] if each["file"] == file)
    photograph = page.request.get(f"{workbench.base}/picture/photograph/{face['face']}")
    across, down = map(int, photograph.headers["x-size"].split())
    box = page.locator("#stage canvas").bounding_box()
    scale = min(box["width"] / across, box["height"] / down)
    x = box["x"] + (box["width"] - across * scale) / 2 + face["x"] * scale
    y = box["y"] + (box["height"] - down * scale) / 2 + face["y"] * scale
    expect(page.locator("#stage canvas")).to_have_attribute("data-shows", file)
    drag(page, (x, y), (x + 8, y + 4))
    page.get_by_label("turned by").fill("5")
    page.get_by_role("button", name="Keep and redo").click()
    expect(page.locator(".toast", has_text="Done")).to_be_visible(timeout=SLOW)
    with Catalogue.open(workbench.index) as catalogue:
        data = Path(str(catalogue.meta("data")))
    with (data / "overrides.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["file"], row["side"], row["rotate"]) == (file, face["side"], "5")
    assert float(row["x"]) == pytest.approx(face["x"] + 8 / scale, abs=2)
    asked = page.request.get(f"{workbench.base}/api/faces").json()
    now = next(each for each in asked["faces"] if each["file"] == file)
    assert (now["x"], now["rotation"]) == (float(row["x"]), 5)
    assert page.faults == []
    page.context.close()
