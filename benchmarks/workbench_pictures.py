"""Every page of the workbench at three sizes, light and dark: the sheets in ``docs/pictures``.

    python benchmarks/workbench_pictures.py --index indexes/data

The index is copied first. Needs Chromium, and Playwright (``make browser-tools``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image
from workbench import CHROMIUM, Server, chromium, copied

from dieindex.records import SIDES

SIZES = ((820, 1180), (1366, 768), (3840, 2160))
COLUMNS, LARGEST, GAP = 4, 560, 12
"""Of a sheet: pages beside each other, their longer edge and what lies between them, pixels."""


def pages_of(server: Server) -> list[str]:
    dies = server.get("dies", side="obverse")["listed"]
    largest = max(dies, key=lambda each: each["coins"])
    die = f"die?side=obverse&die={largest['die']}"
    coin = f"coin?side=obverse&coin={largest['best']}"
    return ["", "desk", "dies?side=obverse", die, coin, "faces?which=all", "find", "study", "log"]


def photographed(server: Server, size: tuple[int, int], folder: Path) -> list[Path]:
    from playwright.sync_api import sync_playwright

    made = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=CHROMIUM)
        for theme in ("light", "dark"):
            width, height = size
            page = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,  # type: ignore[arg-type]
            ).new_page()
            page.goto(server.address)
            page.evaluate("localStorage.setItem('person', 'Anna')")
            for number, name in enumerate(pages_of(server)):
                page.goto(f"http://{server.host}/{name}")
                # (Its pictures come one by one.)
                page.wait_for_timeout(2500 if "study" not in name else 6000)
                made.append(folder / f"{width}-{theme}-{number}.png")
                page.screenshot(path=made[-1])
        browser.close()
    return made


def sheet(pictures: list[Path]) -> Image.Image:
    small = []
    for path in pictures:
        with Image.open(path) as page:
            small.append(page.convert("RGB"))
            small[-1].thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    across, down = small[0].width + GAP, small[0].height + GAP
    rows = -(-len(small) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * across + GAP, rows * down + GAP), (128, 128, 128))
    for number, each in enumerate(small):
        row, column = divmod(number, COLUMNS)
        whole.paste(each, (GAP + column * across, GAP + row * down))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--index", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    given = parser.parse_args()
    with copied(given.index) as place:
        server = Server(place)
        try:
            for side in SIDES:
                server.wait(side)
            for size in SIZES:
                made = photographed(server, size, place.parent)
                out = given.out / f"workbench-{size[0]}.jpg"
                sheet(made).save(out, quality=82, optimize=True)
                print(out)
        finally:
            server.close()


if __name__ == "__main__":
    main()
