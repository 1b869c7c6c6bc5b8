"""Abuse by names: text from outside in every output stays text.

Pages and drawings are opened in Chromium, with a server that listens for what must not be asked
for; where there is no Chromium, what they hold is looked at instead, and that is said.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import shutil
from pathlib import Path

from abuse_browser import SCRIPT as RUN
from abuse_browser import Browser
from abuse_checks import check_csv, check_folder, check_terminal, check_workbook
from abuse_commands import Bench, Try, expect, run

FIELDS = ("coin", "obverse", "reverse", "source", "note", "type", "author", "file", "rights")


# --- what is put into names --------------------------------------------------------------------


def payloads(address: str) -> tuple[str, ...]:
    """Text that becomes a command where it is taken for one; ``address`` is that of the server."""
    image = f"<img src=x onerror={RUN}>"
    return (
        f"<script>{RUN}</script>", f'"><script>{RUN}</script>', f"</script><script>{RUN}//",
        f"</title></style></textarea>{image}", image, f'" onmouseover="{RUN}" x="',
        f"' onfocus='{RUN}' autofocus x='", f"<svg/onload={RUN}>", f"]]><script>{RUN}</script>",
        f"--><script>{RUN}</script>", f"&lt;script&gt;{RUN}&lt;/script&gt;",
        f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e", f"javascript:{RUN}",
        f'<iframe srcdoc="<script>parent.{RUN}</script>">', f"<img src={address}>",
        f'<link rel=stylesheet href="{address}">', f"@import url({address});", "${7*7}{{7*7}}",
        f"<meta http-equiv=refresh content='0;url={address}'>", f"![x]({address})",
        f"[x](javascript:{RUN})", "`x`\n# y\n| a | b |",
        f'=HYPERLINK("{address}","x")', "=cmd|' /C calc'!A0", "+1+cmd|x", "@SUM(1)", "-2+3|cmd",
        "\t=1+1", "\r=1+1", "\n=1+1", "'=1+1", "\uff1d1+1", '";=1+1;"', "a\r=1+1",
        f'=IMAGE("{address}")', f'=WEBSERVICE("{address}")', 'INCLUDETEXT "http://x"',
        "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", f"\x1b]8;;{address}\x07link\x1b]8;;\x07",
        "\x9b2J", "\r\x1b[2K1 coin", "\b\b\b\b", "\x07", "\x00x", "\x85next", "\u2028line",
        "O1\u202e1O", "\u2066x", "\u200fx", "\u061cx", "e\u0301", "\u200b", "\ufeff", "\ud83e",
        "../../etc/passwd", "%s%n{0}", "x" * 3000, "&amp;", "&#x3c;b&#x3e;", "<!--", "<![CDATA[",
    )  # fmt: skip


def hostile(address: str, rng: random.Random) -> str:
    """One or some of them, with a name round it."""
    chosen = rng.choices(payloads(address), k=rng.choice((1, 1, 1, 2, 3)))
    return rng.choice(("", "", "O", "R 1 ")) + "".join(chosen) + rng.choice(("", " x", "1"))


def file_name(text: str) -> str:
    """The like as a file's name."""
    text = text.encode("utf-8", "surrogateescape" if "\udcff" in text else "replace").decode()
    return re.sub("[/\x00]", "\uff0f", text)[:60] or "x"


# --- the tries ---------------------------------------------------------------------------------


def hostile_sheet(bench: Bench, place: Path, rng: random.Random) -> None:
    """A study of a sheet full of such text, with such a title and author, in all its files."""
    with Browser() as browser:
        rows: list[list[str]] = [[*FIELDS]]
        if rng.random() < 0.4:
            rows[0][3:] = [hostile(browser.address, rng) for _ in FIELDS[3:]]
        for number in range(24):
            row = [hostile(browser.address, rng) for _ in FIELDS]
            row[0] += f" {number}"
            rows.append([cell if rng.random() < 0.7 else f"x{number // 2}" for cell in row])
        sheet, out = place / "dies.csv", place / "study"
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        sheet.write_bytes(text.getvalue().replace("\x00", "").encode("utf-8", "replace"))
        said = run(
            *("study", "--table", sheet, "--out", out, "--json", "--columns"),
            "coin=1,obverse=2,reverse=3",
            f"--title={_as_argument(hostile(browser.address, rng))}",
            f"--author={_as_argument(hostile(browser.address, rng))}",
        )
        expect(said, 0)
        check_terminal(said)
        check_folder(out, browser)


def hostile_index(bench: Bench, place: Path, rng: random.Random) -> None:
    """Pictures and dies with such names, in an index and in all that is made of it."""
    with Browser() as browser:
        data, index = place / "coins", place / "index"
        data.mkdir()
        rows = [["coin", "obverse", "reverse", "note"]]
        for number, picture in enumerate(bench.pictures[:5]):
            name = file_name(f"{number}{hostile(browser.address, rng)}")
            shutil.copy(picture, data / f"{name}.jpg")
            rows.append([name, *(hostile(browser.address, rng) for _ in range(3))])
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        (data / "dies.csv").write_bytes(
            text.getvalue().replace("\x00", "").encode("utf-8", "replace")
        )
        check_terminal(run("build", data, "--index", index, "--json"))
        at = ("--index", index)
        said = expect(run("cluster", "--side", "both", *at, "--json"), 0)
        coins = sorted(
            {
                coin
                for coins in json.loads(said.out)["obverse"]["clusters"].values()
                for coin in coins
            }
        )
        note = _as_argument(hostile(browser.address, rng))
        words = ("--side", "obverse", f"--note={note}", f"--by={note[::-1]}")
        for each in (
            said,
            expect(run("verdict", *words, *at, "--", *coins[:2], "same"), 0),
            run("verdict", "--export", place / "verdicts.csv", *at),
            run("verdict", *at),
            run("cluster", "--side", "both", *at, "--out", place / "dies.csv"),
            run("cluster", "--side", "both", *at, "--out", place / "dies.xlsx"),
            run("pairs", "--side", "obverse", *at, "--out", place / "pairs.csv"),
            run("info", *at), run("evaluate", *at), run("compare", *at, "--", *coins[1:3]),
            expect(run("study", *at, "--out", place / "study", "--title", note), 0),
        ):  # fmt: skip
            check_terminal(each)
        check_folder(place / "study", browser)
        for path in place.glob("*.csv"):
            check_csv(path)
        check_workbook(place / "dies.xlsx")


def _as_argument(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


KINDS: dict[str, Try] = {"hostile sheet": hostile_sheet, "hostile index": hostile_index}
