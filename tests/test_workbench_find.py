"""Finding by dropping a photograph: what is sent is looked up, and kept nowhere."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from dieindex.workbench.guard import MOST_BYTES, MOST_OF_PHOTOGRAPH
from tests.workbench_for_tests import Answer, Site, served


@pytest.fixture(scope="module")
def site(compared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("bench") / "index"
    with served(Path(shutil.copytree(compared, place))) as found:
        found.settle()
        yield found


def sent(site: Site, name: str, content: bytes, **headers: str) -> Answer:
    given = {"content_type": "application/octet-stream"} | headers
    return site.ask("POST", f"/api/find?name={quote(name)}", content, **given)


def test_a_photograph_is_looked_up(site: Site, coins: Path) -> None:
    photo = sorted((coins / "images").iterdir())[0]
    before = {path.name for path in site.bench.session.index.folder.iterdir()}
    answer = sent(site, "C:\\fakepath\\lot 7.jpg", photo.read_bytes())
    assert answer.status == 200, answer.text
    obverse, reverse = answer.document["found"]
    assert (obverse["side"], reverse["side"]) == ("obverse", "reverse")
    for each in (obverse, reverse):
        assert each["known_as"] == photo.stem
        assert sum(die["probability"] for die in each["dies"]) + each["new_die"] < 1.001
        assert base64.b64decode(each["picture"].partition(",")[2])[:2] == b"\xff\xd8"
        for die in each["dies"]:
            assert site.ask("GET", f"/picture/small/{die['face']}").status == 200
    assert {path.name for path in site.bench.session.index.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.txt", b"text", "no picture"),
        ("", b"text", "no picture"),
        ("coin.jpg", b"no picture at all", "coin.jpg"),
        ("coin.jpg", b"", "coin.jpg"),
        ("../../etc/passwd", b"x", "no picture"),
    ],
)
def test_what_is_no_picture_is_told_by_its_name(
    site: Site, name: str, content: bytes, told: str
) -> None:
    answer = sent(site, name, content)
    assert answer.status == 400
    assert told in answer.document["error"]
    assert "/tmp" not in answer.document["error"]


def test_a_file_is_taken_nowhere_else_and_not_without_bound(site: Site) -> None:
    large = b"x" * (MOST_BYTES + 1)
    assert site.ask("POST", "/api/verdict", large).status == 413
    too_much = {"content_length": str(MOST_OF_PHOTOGRAPH + 1)}
    assert sent(site, "coin.jpg", b"x", **too_much).status == 413
    assert sent(site, "coin.jpg", large).status == 400
    assert sent(site, "coin.jpg", b"x", origin="http://evil.example").status == 403
    assert sent(site, "coin.jpg", b"x", content_type="text/plain").status == 400
