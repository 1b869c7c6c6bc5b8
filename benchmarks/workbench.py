"""How the workbench answers: time, memory, and whether anything is ever lost.

    python benchmarks/workbench.py --index indexes/data
    python benchmarks/workbench.py --index DIR --index LARGE --out benchmarks/results/workbench.json

Every index is copied first; what lies there is never written. Of each, through the real server and
HTTP (and Chromium, where there is one):

``first page``: seconds from the start of ``dieindex review`` until its first page was there;
``sorted``: until both sides were. ``next pair``: milliseconds from an answer's key until the next
pair was painted, median and 95 of 100, over ``--answers``. ``memory``: the most the server held,
MB. ``reviewer``: a simulated one answers by the sheet what is listed first, and the dies after that
many looks are compared with those of the same reviewer without any server (``looks.py``).
``killed``: ``--verdicts`` verdicts are given one after the other while the server is killed
``--kills`` times; how many are missing and how many are there twice. ``clients``: as many as
``--clients`` ask and answer for ``--seconds``; requests, errors, and the slowest of 100.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np

import dieindex as di
from dieindex.clustering.doubts import Doubts
from dieindex.clustering.find_dies import find_dies
from dieindex.evaluation.partitions import adjusted_rand_index
from dieindex.records import SIDES, Constraint, Side

CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
"""How it is started."""
ANSWERS = ("same", "different", "unsure")


class Server:
    """``dieindex review`` as a process of its own, and a client that its page would be."""

    def __init__(self, index: Path) -> None:
        started, given = time.perf_counter(), ("--no-browser", "--index", str(index))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dieindex.commands.main", "review", *given],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.host = urlsplit(self.address).netloc
        opened = self._raw("GET", self.address.split(self.host, 1)[1], {})
        self.cookie = opened[2]["set-cookie"].split(";")[0]
        status, _, _ = self._raw("GET", "/", {"cookie": self.cookie})
        if status != 200:
            raise SystemExit(f"the first page answers {status}")
        self.first_page = time.perf_counter() - started
        self.started = started

    def get(self, path: str, **values: object) -> Any:
        query = f"?{urlencode(values)}" if values else ""
        return self._document("GET", f"/api/{path}{query}")

    def post(self, path: str, **body: object) -> Any:
        return self._document("POST", f"/api/{path}", body)

    def picture(self, face: int) -> int:
        return self._raw("GET", f"/picture/small/{face}", {"cookie": self.cookie})[0]

    def _document(self, method: str, path: str, body: object = None) -> Any:
        headers = {"cookie": self.cookie, "origin": f"http://{self.host}"}
        headers["content-type"] = "application/json"
        sent = None if body is None else json.dumps(body)
        status, content, _ = self._raw(method, path, headers, sent)
        document = json.loads(content)
        if status != 200:
            raise RuntimeError(f"{path}: {status}: {document.get('error')}")
        return document

    def _raw(
        self, method: str, path: str, headers: Mapping[str, str], body: str | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self.host, timeout=120)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def wait(self, side: Side, seconds: float = 3600) -> float:
        """Until a side is sorted; seconds since the start."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            found = self.get("state")["sides"][side]
            if found is not None and "error" in found:
                raise RuntimeError(found["error"])
            if found is not None:
                return time.perf_counter() - self.started
            time.sleep(0.05)
        raise RuntimeError(f"the {side}s were not sorted in {seconds:.0f} s")

    def revision(self, side: Side) -> int:
        return int(self.get("state")["sides"][side]["revision"])

    def most_memory(self) -> float:
        """MB; NaN where the system does not tell."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return float("nan")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def copied(index: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        place = Path(folder) / index.name
        shutil.copytree(index, place, ignore=shutil.ignore_patterns("reviews*", "*.csv", "lock"))
        yield place


def chromium() -> str | None:
    """Where Chromium is; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def painted(server: Server, answers: int) -> dict[str, float] | None:
    """Milliseconds from an answer's key to the next pair; None where there is no browser."""
    path = chromium()
    if path is None:
        return None
    from playwright.sync_api import sync_playwright

    taken: list[float] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=CHROMIUM)
        page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
        page.goto(server.address)
        page.evaluate("localStorage.setItem('person', 'benchmark')")
        page.goto(f"http://{server.host}/desk")
        page.wait_for_selector("html[data-painted]", state="attached", timeout=600_000)
        page.evaluate(
            """() => { window.taken = []; document.addEventListener("di:painted", () => {
            const [mark] = performance.getEntriesByName("answered");
            if (mark) { window.taken.push(performance.now() - mark.startTime);
            performance.clearMarks("answered"); } }); }"""
        )
        rng = random.Random(1)
        for number in range(answers):
            page.keyboard.press(rng.choice("sdu"))
            for _ in range(200):
                taken = page.evaluate("() => window.taken")
                if len(taken) > number:
                    break
                page.wait_for_timeout(20)
            else:
                break
            # (A person looks a while.)
            page.wait_for_timeout(400)
        browser.close()
    if not taken:
        return None
    return {
        "answers": len(taken),
        "median": float(np.median(taken)),
        "95 of 100": float(np.quantile(taken, 0.95)),
    }


def truth(index: di.Index, side: Side, coins: list[str]) -> np.ndarray:
    """The sheet's dies as numbers, −1 where it says none."""
    known = index.labels(side)
    number = {die: place for place, die in enumerate(sorted(set(known.values())))}
    return np.array([number[known[coin]] if coin in known else -1 for coin in coins])


def answer_of(die: np.ndarray, a: int, b: int) -> str:
    if die[a] < 0 or die[b] < 0:
        return "unsure"
    return "same" if die[a] == die[b] else "different"


def alone(index: di.Index, side: Side, looks: int) -> tuple[np.ndarray, list[str], float]:
    """The dies after so many looks, found without a server."""
    pairs = index.pairs(side)
    coins = list(pairs.coins)
    die = truth(index, side, coins)
    constraints: list[Constraint] = []
    unsure: list[tuple[int, int]] = []
    labels = find_dies(pairs.judgement, constraints).labels
    for _ in range(looks):
        found = find_dies(pairs.judgement, constraints)
        seen = np.array(unsure, np.int64).reshape(-1, 2)
        listed = Doubts.of(found.labels, found.graph, seen).looks()
        labels = found.labels
        if not listed:
            break
        a, b = listed[0].pair
        said = answer_of(die, a, b)
        if said == "unsure":
            unsure.append((a, b))
        else:
            constraints.append(Constraint(a, b, said == "same"))
        labels = find_dies(pairs.judgement, constraints).labels
    told = die >= 0
    rand = adjusted_rand_index(labels[told].tolist(), die[told].tolist())
    return labels, coins, float(rand)


def reviewed(index: Path, side: Side, looks: int) -> dict[str, Any]:
    """The same reviewer by HTTP, and whether the dies are the same."""
    with copied(index) as place:
        labels, coins, rand = alone(di.open_index(place), side, looks)
    with copied(index) as place:
        opened = di.open_index(place)
        die = truth(opened, side, coins)
        at = {coin: position for position, coin in enumerate(coins)}
        server = Server(place)
        try:
            server.wait(side)
            given = 0
            for _ in range(looks):
                before = server.get("queue", side=side)
                items = [each for each in before["items"] if each["kind"] not in _NOT_OF_LOOKS]
                if not items:
                    break
                a, b = items[0]["coin"], items[0]["other_coin"]
                said = answer_of(die, at[a], at[b])
                server.post("verdict", side=side, a=a, b=b, verdict=said, by="reviewer")
                given += 1
                while server.revision(side) == before["revision"]:
                    time.sleep(0.02)
            found = {each["die"]: each for each in server.get("dies", side=side)["listed"]}
            whole = {name: server.get("die", side=side, die=name)["coins"] for name in found}
        finally:
            server.close()
    named = {coin["coin"]: name for name, listed in whole.items() for coin in listed}
    by_http = [named[coin] for coin in coins]
    return {
        "looks": given,
        "ari": rand,
        "ari by HTTP": float(_rand(by_http, die)),
        "same dies": adjusted_rand_index(by_http, labels.tolist()) == 1.0,
    }


_NOT_OF_LOOKS = ("sheet", "specimen")


def _rand(labels: list[str], die: np.ndarray) -> float:
    told = np.flatnonzero(die >= 0).tolist()
    return adjusted_rand_index([labels[k] for k in told], die[told].tolist())


def killed(index: Path, side: Side, verdicts: int, kills: int) -> dict[str, int]:
    """Verdicts given while the server is killed again and again."""
    rng = random.Random(2)
    with copied(index) as place:
        coins = di.open_index(place).faces(side).coins
        when = sorted(rng.sample(range(1, verdicts), kills))
        server = Server(place)
        number = again = 0
        try:
            while number < verdicts:
                a, b = rng.sample(coins, 2)
                note = f"number {number}"
                if when and number == when[0]:
                    when.pop(0)
                    threading.Timer(rng.uniform(0, 0.02), server.kill).start()
                try:
                    server.post(
                        "verdict", side=side, a=a, b=b, verdict=rng.choice(ANSWERS), by="client",
                        note=note,
                    )  # fmt: skip
                except (OSError, http.client.HTTPException):
                    server.process.wait()
                    server = Server(place)
                    again += 1
                    kept = {each["note"] for each in server.get("log")["reviews"]}
                    if note not in kept:
                        continue
                number += 1
        finally:
            server.close()
        notes = [each.note for each in di.open_index(place).reviews()]
    wanted = {f"number {each}" for each in range(verdicts)}
    return {
        "verdicts": verdicts,
        "killed": again,
        "missing": len(wanted - set(notes)),
        "twice": len(notes) - len(set(notes)),
    }


def crowd(index: Path, side: Side, clients: int, seconds: float) -> dict[str, Any]:
    """Many at once."""
    errors: list[str] = []
    taken: list[float] = []
    with copied(index) as place:
        server = Server(place)
        try:
            server.wait(side)
            faces = [each["face"] for each in server.get("dies", side=side)["listed"]]
            coins = di.open_index(place).faces(side).coins
            end = time.perf_counter() + seconds

            def client(number: int) -> None:
                rng = random.Random(number)
                while time.perf_counter() < end:
                    begun = time.perf_counter()
                    try:
                        match rng.randrange(5):
                            case 0:
                                a, b = rng.sample(coins, 2)
                                server.post(
                                    "verdict", side=side, a=a, b=b,
                                    verdict=rng.choice(ANSWERS), by=f"client {number}",
                                )  # fmt: skip
                            case 1:
                                server.get("queue", side=side)
                            case 2:
                                a, b = rng.sample(coins, 2)
                                server.get("pair", side=side, a=a, b=b)
                            case 3:
                                server.get("dies", side=side)
                            case _:
                                if server.picture(rng.choice(faces)) != 200:
                                    errors.append("a picture is missing")
                    except Exception as error:
                        errors.append(f"{type(error).__name__}: {error}")
                    taken.append(time.perf_counter() - begun)

            threads = [threading.Thread(target=client, args=(each,)) for each in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            server.close()
    return {
        "clients": clients,
        "requests": len(taken),
        "errors": errors[:10],
        "99 of 100": float(np.quantile(taken, 0.99)),
    }


def measured(index: Path, given: argparse.Namespace) -> dict[str, Any]:
    """All figures of one index."""
    found: dict[str, Any] = {"coins": len(di.open_index(index).coins)}
    with copied(index) as place:
        server = Server(place)
        try:
            found["first page"] = server.first_page
            found["sorted"] = max(server.wait(side) for side in SIDES)
            found["next pair"] = painted(server, given.answers)
            found["memory"] = server.most_memory()
        finally:
            server.close()
    _say(index, found)
    side: Side = "obverse"
    if di.open_index(index).labels(side) and given.looks:
        found["reviewer"] = reviewed(index, side, given.looks)
        _say(index, {"reviewer": found["reviewer"]})
    if given.verdicts:
        found["killed"] = killed(index, side, given.verdicts, given.kills)
        _say(index, {"killed": found["killed"]})
    if given.seconds:
        found["clients"] = crowd(index, side, given.clients, given.seconds)
        _say(index, {"clients": found["clients"]})
    return found


def _say(index: Path, found: Mapping[str, Any]) -> None:
    for name, value in found.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
        print(f"{index.name:14} {name:12} {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--index", type=Path, action="append", required=True, metavar="DIR")
    parser.add_argument("--answers", type=int, default=60)
    parser.add_argument("--looks", type=int, default=40)
    parser.add_argument("--verdicts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path, help="keep the figures here (JSON)")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    results = {index.name: measured(index, given) for index in given.index}
    if given.out:
        given.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
