"""Who may ask the workbench, and for what: its own page, for what an index shows."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from dieindex.records import SIDES
from dieindex.storage.catalogue import Catalogue
from dieindex.workbench.app import _ASKED, _DONE, PAGES
from dieindex.workbench.guard import MOST_BYTES, POLICY
from tests.workbench_for_tests import SECRET, Answer, Site, served

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def site(compared: Path, coins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A workbench over an index whose folder and a coin have names that are markup."""
    place = tmp_path_factory.mktemp("bench") / "<b onclick=alert(1)>"
    folder = Path(shutil.copytree(compared, place))
    with served(folder) as found:
        found.settle()
        yield found


def verdicts(site: Site) -> int:
    return len(site.bench.session.reviews())


def said(site: Site) -> dict[str, str]:
    a, b = list(site.bench.session.index.faces(SIDES[0]).coins)[:2]
    return {"a": a, "b": b, "side": SIDES[0], "verdict": "unsure", "by": "A"}


@pytest.fixture
def untouched(site: Site) -> Iterator[None]:
    """Nothing is written by what is refused."""
    before = verdicts(site)
    yield
    assert verdicts(site) == before


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:{port}.evil.example",
        "localhost.evil.example:{port}",
        "[::1]:{port}",
        "",
        None,
    ],
)
def test_a_name_of_somebody_else_that_points_here_is_refused(
    site: Site, untouched: None, host: str | None
) -> None:
    """DNS rebinding: the page of evil.example would be of the same origin as this one."""
    host = host if host is None else host.format(port=site.port)
    for found in (
        site.get("/", host=host),
        site.get("/api/state", host=host),
        site.get(f"/open?secret={SECRET.replace(' ', '%20')}", host=host),
        site.post("verdict", said(site), host=host, origin=f"http://{host}"),
    ):
        assert found.status in (400, 421)
        assert "set-cookie" not in found.headers


def test_localhost_and_capitals_are_this_machine(site: Site) -> None:
    assert site.get("/", host=f"LOCALHOST:{site.port}").status == 200
    origin = f"http://localhost:{site.port}"
    found = site.post("undo", {"by": "nobody"}, host=f"localhost:{site.port}", origin=origin)
    assert found.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "https://127.0.0.1:{port}"},
        {"origin": "http://localhost:{port}"},
        {"origin": "http://127.0.0.1:{port}.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
    ids=str,
)
def test_another_page_can_do_nothing(
    site: Site, untouched: None, headers: dict[str, str | None]
) -> None:
    given = {k: v if v is None else v.format(port=site.port) for k, v in headers.items()}
    assert site.post("verdict", said(site), **given).status == 403
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert site.ask(method, "/api/verdict", b"{}", **given).status == 403


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "dieindex-{port}=",
        "dieindex-{port}=another",
        "dieindex-1={secret}",
        "{secret}",
        'dieindex-{port}="',
        "\xff=\xe9; =; ;;; dieindex-{port}",
        "dieindex-{port}=\xe9",
    ],
)
def test_without_the_secret_nothing_is_answered(
    site: Site, untouched: None, cookie: str | None
) -> None:
    if cookie is not None:
        cookie = cookie.format(port=site.port, secret=SECRET)
    asked = [*PAGES, "/api/state", "/events", "/assets/desk.js", "/identity/tokens.css"]
    asked += ["/picture/small/1", "/log/verdicts.csv", "/nowhere"]
    for address in asked:
        assert site.get(address, cookie=cookie).status == 403
    assert site.post("verdict", said(site), cookie=cookie).status == 403


@pytest.mark.parametrize("given", ["", "?secret=", "?secret=wrong", "?secret=%ff%00é", "?secret"])
def test_a_wrong_secret_opens_nothing(site: Site, given: str) -> None:
    found = site.get("/open" + given.replace("é", "%C3%A9"), cookie=None)
    assert (found.status, "set-cookie" in found.headers) == (403, False)


def test_the_cookie_goes_to_no_other_site_and_to_no_script(site: Site) -> None:
    found = site.get(f"/open?secret={SECRET.replace(' ', '%20')}", cookie=None)
    assert (found.status, found.headers["location"]) == (303, "/")
    parts = {each.strip().lower() for each in found.headers["set-cookie"].split(";")[1:]}
    assert parts == {"httponly", "samesite=strict", "path=/"}
    assert found.headers["set-cookie"].startswith(f"dieindex-{site.port}=")


def test_two_workbenches_of_one_machine_keep_their_own_cookies(site: Site) -> None:
    with served(None) as other:
        assert str(other.cookie).split("=")[0] != str(site.cookie).split("=")[0]
        both = f"{site.cookie}; {other.cookie}"
        assert site.get("/", cookie=both).status == other.get("/", cookie=both).status == 200


def test_every_answer_forbids_what_no_page_of_it_needs(site: Site) -> None:
    face = site.get("/api/faces").document["faces"][0]["face"]
    addresses = [*PAGES, "/api/state", "/log/verdicts.csv", f"/picture/small/{face}", "/nowhere"]
    for address in [*addresses, "/assets/desk.js", "/api/pair"]:
        found = site.get(address)
        assert found.headers["content-security-policy"] == POLICY, address
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"
        kept = "private" if address.startswith("/picture") else "no-store"
        assert kept in found.headers["cache-control"]
        assert "server" not in found.headers
    assert "unsafe" not in POLICY
    assert site.get("/", cookie=None).headers["content-security-policy"] == POLICY


def test_pages_have_no_script_and_no_style_of_their_own(site: Site) -> None:
    """What the policy forbids would silently not work."""
    for address in PAGES:
        page = site.get(address).text
        assert page.count("<script") == page.count("<script src=") + page.count(
            '<script type="module" src='
        )
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page.replace("&lt;b onclick=", "")
        assert "http://" not in page.replace("http://www.w3.org/", "")
        assert "https://" not in page


# what is sent


def test_long_bodies_are_refused(site: Site, untouched: None) -> None:
    long = json.dumps(said(site) | {"note": "x" * MOST_BYTES}).encode()
    assert site.ask("POST", "/api/verdict", long).status == 413
    short = b"{}"
    assert site.ask("POST", "/api/verdict", short, content_length="9" * 30).status in (400, 413)
    pieces = iter([long[at : at + 4096] for at in range(0, len(long), 4096)])
    assert site.ask("POST", "/api/verdict", pieces).status == 413
    assert site.get("/api/state").status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b'{"a": NaN}',
        b'{"a": "\\ud800", "b": "\\ud800", "side": "obverse", "verdict": "same"}',
        b'{"a": 1, "b": 2, "side": "obverse", "verdict": "same"}',
        b'{"a": ["01"], "b": {"c": 1}, "side": "obverse", "verdict": "same"}',
        b'{"a": "01", "b": "02", "side": "edge", "verdict": "same"}',
        b'{"a": "01", "b": "02", "side": "obverse", "verdict": "same", "by": "\\udc00"}',
        b"1" * 5000,
    ],
    ids=range(15),
)
def test_what_is_no_answer_is_refused_in_words(site: Site, untouched: None, body: bytes) -> None:
    found = site.ask("POST", "/api/verdict", body)
    assert found.status == 400
    assert found.document["error"]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_forms_of_other_sites_are_no_answers(site: Site, untouched: None, kind: str | None) -> None:
    found = site.post("verdict", said(site), content_type=kind)
    assert (found.status, found.document["error"]) == (400, "Only JSON is taken here.")


# what is served

_OUT = [
    "..%2f..%2fguard.py",
    "../guard.py",
    "%2e%2e/guard.py",
    "..%5cguard.py",
    "....//guard.py",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "..;/guard.py",
    "desk.js%00.css",
    "%252e%252e%252fguard.py",
    "",
    ".",
    "fonts",
]


@pytest.mark.parametrize("rest", _OUT)
def test_no_address_leads_to_another_file(site: Site, rest: str) -> None:
    faces = ["/picture/small/", "/picture/large/", "/picture/photograph/", "/picture/moved/1/"]
    for start in ["/assets/", "/identity/", *faces, "/study/pictures/", "/"]:
        if start + rest == "/":
            continue
        found = site.get(start + rest)
        assert found.status in (303, 400, 404, 405, 409), start
        assert b"import" not in found.content
        assert b"root:" not in found.content


@pytest.mark.parametrize("face", ["0", "999999999999", "-1", "1.5", "1e3", "٣", "9" * 40, "a"])
def test_only_faces_of_the_index_are_shown(site: Site, face: str) -> None:
    for kind in ("small", "large", "photograph"):
        found = site.get(f"/picture/{kind}/{quote(face)}")
        assert found.status in (400, 404, 409)
        assert found.document["error"]


# markup in what persons write


def test_markup_of_persons_stays_text_everywhere(site: Site) -> None:
    """As author, note and die; in pages, in JSON, and in the table, where it is no formula."""
    given = said(site) | {"by": EVIL, "note": f"{EVIL}\n=cmd|' /C calc'!A0"}
    assert site.post("verdict", given).status == 200
    assert site.post("verdict", given | {"by": "=1+1", "note": "@SUM(A1)"}).status == 200
    site.settle()
    die = site.get(f"/api/dies?side={SIDES[0]}").document["listed"][0]["die"]
    assert site.post("name", {"side": SIDES[0], "die": die, "name": EVIL}).status == 200
    for _ in range(100):
        site.settle()
        listed = site.get(f"/api/dies?side={SIDES[0]}")
        if EVIL in [each["die"] for each in listed.document["listed"]]:
            break
    else:
        pytest.fail("not named")
    for address in PAGES:
        page = site.get(f"{address}?side={SIDES[0]}&die={EVIL}&coin={EVIL}".replace(" ", "%20"))
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "alert(1)" not in page.text.replace("&lt;b onclick=alert(1)&gt;", "")
    for name in ("log", "state", f"dies?side={SIDES[0]}", f"queue?side={SIDES[0]}"):
        assert site.get(f"/api/{name}").headers["content-type"] == "application/json"
    log = site.get("/api/log").document["reviews"]
    assert EVIL in {each["by"] for each in log}
    table = site.get("/log/verdicts.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == 'attachment; filename="verdicts.csv"'
    assert ",'=1+1,'@SUM(A1)," in table.text
    assert not [cell for cell in table.text.split(",") if cell.startswith(("=", "@"))]
    assert "\n=" not in table.text
    report = site.get("/study/report")
    assert report.status == 200
    assert EVIL not in report.text
    assert "<b onclick" not in report.text
    policy = report.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]


# nonsense at every door

_NONSENSE = ["", " ", "..", "nobody", "\x00", "😀" * 50, "x" * 4001, "O1", "-1", "1e9", "[]", EVIL]


def _sensible(found: Answer, what: str) -> None:
    assert found.status < 500, f"{what}: {found.content!r:.300}"
    if found.status >= 400:
        assert found.document["error"], what


def test_whatever_is_asked_is_answered_in_words(site: Site) -> None:
    names = ("side", "die", "coin", "a", "b", "kinds", "by", "path", "face")
    pictures = ["/picture/mean", *(f"/picture/{k}/x" for k in ("small", "large", "photograph"))]
    addresses = [*(f"/api/{name}" for name in _ASKED), *pictures]
    for address in addresses:
        _sensible(site.get(address), address)
        for text in _NONSENSE:
            query = urlencode(dict.fromkeys(names, text) | {"side": SIDES[0]}, quote_via=quote)
            _sensible(site.get(f"{address}?{query}"), f"{address} {text[:9]!r}")
        _sensible(site.get(f"{address}?side=edge&die=O1"), address)


_VALUES = [
    None,
    "",
    "nobody",
    "~nobody",
    "/a\x00b",
    "x" * 300,
    -1,
    10**400,
    1.5,
    True,
    [],
    {},
    ["x"],
]


@pytest.mark.parametrize("name", _DONE)
def test_whatever_is_sent_is_answered_in_words(site: Site, name: str, tmp_path: Path) -> None:
    """Nothing is built or written of it."""
    names = ("a", "b", "verdict", "die", "other", "coins", "to", "name", "note", "by", "rows")
    names += ("data", "index", "labels", "columns", "sheet", "file", "path", "kind", "author")
    for value in _VALUES:
        for side in (SIDES[0], value):
            document = {**dict.fromkeys(names, value), "side": side}
            if name in ("build", "export"):
                document |= {"data": str(tmp_path / "none"), "path": str(tmp_path / "x" / "y")}
            _sensible(site.post(name, document), f"{name} {value!r:.20}")
            build = site.bench.build
            if build is not None:
                assert build.finished.wait(60)
                assert build.error
    _sensible(site.post(name), name)
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_method_is_told(site: Site) -> None:
    assert site.post("state").status == 405
    assert site.get("/api/verdict").status == 405


def test_a_coin_with_itself_is_answered(site: Site) -> None:
    coin = said(site)["a"]
    for name in ("pair", "opinion"):
        _sensible(site.get(f"/api/{name}?a={coin}&b={coin}&side={SIDES[0]}"), name)


def test_a_folder_with_a_name_that_is_no_text_is_listed(site: Site, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).mkdir()
    (tmp_path / EVIL.replace("/", "")).mkdir()
    (tmp_path / "round").symlink_to("round")
    found = site.get(f"/api/folders?path={tmp_path}")
    assert found.status == 200
    assert len(found.document["folders"]) == 2
    _sensible(site.get(f"/api/folders?path={tmp_path}/round"), "round")


def test_a_coin_may_have_any_name(compared: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(compared, tmp_path / "index"))
    with Catalogue.open(folder) as catalogue, catalogue.transaction():
        catalogue.write("UPDATE photographs SET coin = ? WHERE coin = '01'", (EVIL,))
    with served(folder) as site:
        site.settle()
        found = site.get(f"/api/coin?side={SIDES[0]}&coin=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        assert found.document["coin"]["coin"] == EVIL
        assert found.headers["content-type"] == "application/json"
        for address in PAGES:
            assert "alert(1)" not in site.get(f"{address}?coin={EVIL}").text
