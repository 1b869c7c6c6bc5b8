"""The files of a study: what they hold, and that nothing in them is ever more than text."""

from __future__ import annotations

import csv
import json
import re
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from itertools import combinations
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from PIL import Image

from dieindex.collection.sheets.files import find_sheet, is_own_output
from dieindex.errors import CollectionError, DieIndexError, UsageError
from dieindex.records import FACE_SIZE, OBVERSE, REVERSE, Review, Side
from dieindex.study import report, report_pictures
from dieindex.study.analysis import Study, analyse
from dieindex.study.charts import rarefaction
from dieindex.study.drawing import Drawing, Text, escaped, printable
from dieindex.study.folder import write_study
from dieindex.study.link_chart import Chart
from dieindex.study.material import Attribution, Coin, Material, Reviewed
from dieindex.study.plates import DPI, Plate, draw_plates
from dieindex.study.printed_catalogue import safe
from dieindex.study.study_tables import REVIEW_HEADER, coin_header, coin_rows
from dieindex.study.wording import coin_parts, frequency_table, key_figures
from dieindex.text import harmless

NASTY = [
    "<script>alert(1)</script>",
    "=cmd|'/C calc'!A0",
    '"><img src=x onerror=alert(1)>',
    "</title></script><b>",
    "a & b; ]]> \x00\x0b",
    "| * _ ` [x](javascript:alert(1))",
    "@SUM(1)",
    "+1+1",
    "ünïcode Ἀλέξανδρος 皇帝",
]
FILES = {
    "report.html", "study.xlsx", "dies.csv", "coins.csv", "links.graphml", "links.gexf",
    "links.svg", "links.png", "catalogue.md", "catalogue.docx", "study.jsonld", "charts",
    ".dieindex-study",
}  # fmt: skip


class Drawn:
    """Faces drawn on the spot: a disc whose contrast differs from coin to coin."""

    def __init__(self, coins: list[str], unsure: frozenset[int] = frozenset()) -> None:
        self._coins = coins
        self.unsure = unsure

    def faces(self, side: Side) -> dict[str, int]:
        return {coin: i for i, coin in enumerate(self._coins)}

    def load(self, face: int, half: bool = False) -> tuple[np.ndarray, np.ndarray]:
        edge = FACE_SIZE // (2 if half else 1)
        y, x = np.mgrid[:edge, :edge] - (edge - 1) / 2
        mask = x**2 + y**2 < (0.45 * edge) ** 2
        waves = 120 + (10 + 8 * (face % 10)) * np.sign(
            np.sin(x / edge * 90) * np.sin(y / edge * 90)
        )
        return np.repeat(waves[..., None], 3, 2).astype(np.uint8), mask


def nasty_study(pictures: bool = False) -> Study:
    coins = []
    for i, name in enumerate(NASTY * 2):
        dies: dict[Side, Attribution] = {
            OBVERSE: Attribution(NASTY[i % len(NASTY)], 0.5 if i % 3 else 0.99, author=name),
            REVERSE: Attribution(f"R{i // 2}{name}"),
        }
        columns = {"weight": f"{16 + i / 10}", "axis": "12", "source": name, name: name}
        coins.append(Coin(f"{i}{name}", dies, columns, (f"{name}.jpg", f"{i}.jpg")))
    source = Drawn([coin.name for coin in coins]) if pictures else None
    return analyse(Material(coins, NASTY[0], NASTY[2], NASTY[3], (NASTY[1],), source))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    write_study(nasty_study(pictures=True), out)
    return out


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_all_files_are_there_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES | {"plates"}


def test_the_report_holds_no_element_but_its_own(folder: Path) -> None:
    page = Elements()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    tags = [tag for tag, _ in page.found]
    assert tags.count("script") == 3  # dark or light, its data, its own script
    drawn = [tag for tag, attributes in page.found if attributes.get("role") == "img"]
    assert tags.count("title") == 1 + len(drawn)
    for _, attributes in page.found:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/jpeg;base64,")), value[:80]
    assert NASTY[0] in "".join(page.text)


def test_the_report_names_no_address_of_the_network(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"(?:https?:)?//[a-z0-9.]+\.[a-z]{2,}[^\s\"'<]*", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_the_data_of_the_script_is_json_that_cannot_end_it(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    found = re.search(r'id="study-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data = json.loads(found.group(1))
    assert "<" not in found.group(1)
    names = {die["n"] for die in data["dies"].values()}
    assert set(NASTY) <= names
    assert len(data["coins"]) == 2 * len(NASTY)


def test_every_picture_file_of_vectors_is_sound_xml(folder: Path) -> None:
    paths = [*folder.rglob("*.svg"), folder / "links.graphml", folder / "links.gexf"]
    assert len(paths) > 6
    for path in paths:
        root = ET.parse(path).getroot()
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not names & {"script", "b", "img", "foreignObject"}


def test_graphml_and_gexf_tell_the_same_graph(folder: Path) -> None:
    nx = pytest.importorskip("networkx")
    graph = nx.read_graphml(folder / "links.graphml")
    study = nasty_study()
    assert graph.number_of_nodes() == sum(len(entries) for entries in study.dies.values())
    assert sum(data["weight"] for *_, data in graph.edges(data=True)) == len(study.coins)
    labels = {data["label"] for _, data in graph.nodes(data=True)}
    assert NASTY[0] in labels
    assert {data["side"] for _, data in graph.nodes(data=True)} == {"obverse", "reverse"}
    assert all(isinstance(data["weight"], float) for *_, data in graph.edges(data=True))
    same = nx.read_gexf(folder / "links.gexf")
    assert {n: d["label"] for n, d in same.nodes(data=True)} == {
        n: d["label"] for n, d in graph.nodes(data=True)
    }
    root = ET.parse(folder / "links.gexf").getroot()
    space = {"g": "http://gexf.net/1.3"}
    nodes = root.findall(".//g:node", space)
    edges = root.findall(".//g:edge", space)
    assert {node.get("label") for node in nodes} == labels
    ends = {
        (edge.get("source"), edge.get("target"), int(edge.get("weight") or 0)) for edge in edges
    }
    assert ends == {(a, b, data["weight"]) for a, b, data in graph.edges(data=True)}


def test_the_workbook_holds_text_and_no_formula(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "study.xlsx")
    assert book.sheetnames == [
        "summary", "estimates", "die frequency", "dies", "coins", "links", "notes",
    ]  # fmt: skip
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert NASTY[1] in {cell.value for cell in cells}
    numbers = [row[2].value for row in book["dies"].iter_rows(min_row=2)]
    assert all(isinstance(value, int) for value in numbers)
    assert is_own_output(folder / "study.xlsx")


def test_the_tables_are_read_as_tables_and_never_as_formulas_or_labels(folder: Path) -> None:
    with (folder / "dies.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0][:3] == ["side", "die", "coins"]
    study = nasty_study()
    assert len(rows) == 1 + sum(len(entries) for entries in study.dies.values())
    assert sum(int(row[2]) for row in rows[1:] if row[0] == "obverse") == len(study.coins)
    for name in ("dies.csv", "coins.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                assert not any(cell[:1] in ("=", "+", "@", "\t") for cell in row)
        assert is_own_output(folder / name)
    assert find_sheet(folder) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [("=1+1", "'=1+1"), ("-1.5", "-1.5"), ("-cmd", "'-cmd"), ("@x", "'@x"), ("O1", "O1"),
     ("+5", "+5"), ("-", "-"), ("+inf", "'+inf"), ("", "")],
)  # fmt: skip
def test_text_that_looks_like_a_formula_is_set_off(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_linked_data_are_json_with_authors_and_certainty(folder: Path) -> None:
    text = (folder / "study.jsonld").read_text(encoding="utf-8")
    assert "</" not in text
    document = json.loads(text)
    assert document["@context"]["nmo"] == "http://nomisma.org/ontology#"
    assert document.keys() == {"@context", "@graph"}  # else it is a named graph, often passed over
    assert document["@graph"][0]["title"] == NASTY[0]
    coins = [item for item in document["@graph"] if item.get("@type") == "nmo:NumismaticObject"]
    dies = {item["@id"] for item in document["@graph"] if item.get("@type") == "nmo:Die"}
    assert len(coins) == 2 * len(NASTY)
    for coin in coins:
        for side in ("obverse", "reverse"):
            assert coin[side]["die"]["value"] in dies
        assert coin["obverse"]["die"]["creator"]
        assert 0 <= float(coin["obverse"]["die"]["certainty"]) <= 1
        assert float(coin["weight"]) >= 16


def test_the_word_document_is_sound_and_shows_the_dies(folder: Path) -> None:
    with zipfile.ZipFile(folder / "catalogue.docx") as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, part in parts.items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(part)
    main = parts["word/document.xml"].decode("utf-8")
    used = set(re.findall(r'r:embed="(rIdP\d+)"', main))
    given = set(re.findall(r'Id="(rIdP\d+)"', parts["word/_rels/document.xml.rels"].decode()))
    assert used == given
    assert len(used) == sum(len(entries) for entries in nasty_study().dies.values())
    shown = "".join(ET.fromstring(main).itertext())
    assert NASTY[0] in shown


def test_the_catalogue_shows_names_as_they_are() -> None:
    assert safe("<b>|*x*") == r"&lt;b&gt;\|\*x\*"
    assert safe("- item") == r"\- item"
    assert safe("3. item") == r"3\. item"
    assert safe("3.37") == "3.37"
    assert safe("a\nb") == "a b"


def test_the_same_study_gives_the_same_files(folder: Path, tmp_path: Path) -> None:
    write_study(nasty_study(pictures=True), tmp_path / "again")
    for path in sorted(folder.rglob("*")):
        # A workbook notes its hour, and the list of files the workbook's digest.
        if path.is_file() and path.suffix != ".xlsx" and not path.name.startswith("."):
            again = tmp_path / "again" / path.relative_to(folder)
            assert again.read_bytes() == path.read_bytes(), path.name


def test_a_study_replaces_a_study_and_leaves_other_files(tmp_path: Path) -> None:
    out = tmp_path / "study"
    coins = [Coin(name, {OBVERSE: Attribution("O1")}) for name in "ab"]
    write_study(analyse(Material(coins, "t", "s", pictures=Drawn(["a", "b"]))), out)
    (out / "mine.txt").write_text("kept")
    assert (out / "plates").is_dir()
    write_study(analyse(Material(coins, "t", "s")), out)
    assert {path.name for path in out.iterdir()} == FILES | {"mine.txt"}


def test_a_study_that_cannot_be_written_stops_at_once_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step fails: the long one beside it does not go on to its end."""
    drawn: list[int] = []

    def plates(study: Study) -> Iterator[Plate]:
        for number in range(500):
            drawn.append(number)
            time.sleep(0.02)
            yield Plate(OBVERSE, number, (), b"")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dieindex.study.folder.draw_plates", plates)
    monkeypatch.setattr("dieindex.study.folder.json_ld", full)
    with pytest.raises(DieIndexError, match="No space left"):
        write_study(nasty_study(), tmp_path / "out")
    assert len(drawn) < 500
    assert not (tmp_path / "out").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        write_study(nasty_study(), tmp_path / "out")


def test_one_side_without_links(tmp_path: Path) -> None:
    coins = [Coin(str(i), {REVERSE: Attribution(f"R{i // 3}")}) for i in range(10)]
    write_study(analyse(Material(coins, "one side", "a test")), tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "there are no links to draw" in text
    assert "No obverse die is identified" in text
    root = ET.parse(tmp_path / "out" / "links.graphml").getroot()
    kinds = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert (kinds.count("node"), kinds.count("edge")) == (4, 0)


def test_a_single_coin_and_a_die_for_every_coin(tmp_path: Path) -> None:
    for count in (1, 3):
        coins = [Coin(str(i), {OBVERSE: Attribution(f"O{i}")}) for i in range(count)]
        write_study(analyse(Material(coins, "t", "s")), tmp_path / "out")
        text = (tmp_path / "out" / "catalogue.md").read_text(encoding="utf-8")
        assert "every coin shows another die" in text


def test_nothing_to_study_is_refused() -> None:
    with pytest.raises(CollectionError, match="no coin"):
        analyse(Material([], "t", "s"))
    with pytest.raises(CollectionError, match="No coin has an identified die"):
        analyse(Material([Coin("1")], "t", "s"))


# --- verdicts of persons ----------------------------------------------------------------------


def reviewed_study() -> Study:
    seen = Attribution("O1", 0.99, basis="review", author="=A. Body <b>")
    coins = [
        Coin("a", {OBVERSE: seen, REVERSE: Attribution("R1", 0.5, basis="machine", author="m")}),
        Coin("b", {OBVERSE: seen}),
        Coin("c", {OBVERSE: Attribution("O2", basis="machine", author="m")}),
    ]
    review = Review("a", "b", OBVERSE, "same", "=A. Body <b>", "=1+1", "2026-01-01T00:00:00Z", 1)
    return analyse(Material(coins, "t", "s", reviews=(Reviewed(review, "followed"),)))


def test_verdicts_are_exported_and_shown_with_their_authors(tmp_path: Path) -> None:
    write_study(reviewed_study(), tmp_path)
    with (tmp_path / "reviews.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert tuple(rows[0]) == REVIEW_HEADER
    assert rows[1] == ["a", "b", "obverse", "same", "'=A. Body <b>", "'=1+1",
                       "2026-01-01T00:00:00Z", "followed"]  # fmt: skip
    with (tmp_path / "coins.csv").open(encoding="utf-8", newline="") as stream:
        found = {row["coin"]: row for row in csv.DictReader(stream)}
    assert found["a"]["obverse_basis"] == "review"
    assert found["a"]["obverse_author"] == "'=A. Body <b>"
    assert found["c"]["obverse_basis"] == "machine"
    book = openpyxl.load_workbook(tmp_path / "study.xlsx")
    assert book["reviews"]["H2"].value == "followed"
    assert "seen by =A. Body &lt;b&gt;" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "seen by =A. Body &lt;b&gt;" in (tmp_path / "catalogue.md").read_text(encoding="utf-8")
    linked = json.loads((tmp_path / "study.jsonld").read_text(encoding="utf-8"))
    (coin,) = [item for item in linked["@graph"] if item.get("identifier") == "a"]
    assert coin["obverse"]["die"]["basis"] == "review"
    assert coin["obverse"]["die"]["creator"] == "=A. Body <b>"


def test_a_study_takes_its_own_verdicts_away_and_leaves_those_a_person_keeps(
    tmp_path: Path,
) -> None:
    write_study(reviewed_study(), tmp_path)
    plain = analyse(Material([Coin("a", {OBVERSE: Attribution("O1")})], "t", "s"))
    write_study(plain, tmp_path)
    assert not (tmp_path / "reviews.csv").exists()
    (tmp_path / "reviews.csv").write_text("coin_a,coin_b,side,verdict\na,b,obverse,same\n")
    write_study(plain, tmp_path)
    assert (tmp_path / "reviews.csv").read_text().startswith("coin_a,coin_b,side,verdict\na")


# --- tables -----------------------------------------------------------------------------------


def test_unknown_columns_never_share_a_name_with_others() -> None:
    names = ["coin ", "OBVERSE_DIE", "obverse_die (sheet)", "note", "Note", " "]
    columns = {name: str(i) for i, name in enumerate(names)}
    study = analyse(Material([Coin("1", {OBVERSE: Attribution("O1")}, columns)], "t", "s"))
    header = coin_header(study)
    assert len({name.strip().casefold() for name in header}) == len(header)
    (row,) = coin_rows(study)
    assert len(row) == len(header)
    assert row[-len(names) :] == [str(i) for i in range(len(names))]


def test_the_frequency_table_tells_a_common_beginning_once() -> None:
    dies = ["corpus_r_1", "corpus_r_2", "corpus_r_2", "corpus_r_10"]
    coins = [Coin(str(i), {REVERSE: Attribution(die)}) for i, die in enumerate(dies)]
    left_out, rows = frequency_table(analyse(Material(coins, "t", "s")), REVERSE)
    assert "“corpus_r_”" in left_out
    assert [(row[0], row[-1]) for row in rows] == [("1", "1, 10"), ("2", "2")]


def test_a_group_counts_every_coin_that_shows_one_of_its_dies() -> None:
    coins = [
        Coin("1", {OBVERSE: Attribution("O1"), REVERSE: Attribution("R1")}),
        Coin("2", {OBVERSE: Attribution("O1")}),
        Coin("3", {REVERSE: Attribution("R1")}),
    ]
    (group,) = analyse(Material(coins, "t", "s")).groups
    assert group.coins == 3


def test_groups_that_stand_without_doubtful_combinations_are_told() -> None:
    pairs = [("O1", "R1", None), ("O1", "R2", 0.5), ("O2", "R2", None), ("O3", "R3", 0.2)]
    coins = [
        Coin(str(i), {OBVERSE: Attribution(o), REVERSE: Attribution(r, sure)})
        for i, (o, r, sure) in enumerate(pairs)
    ]
    told = {words: value for _, words, value in key_figures(analyse(Material(coins, "t", "s")))}
    assert told["linked groups"] == "2"
    assert told["combinations without doubt"] == "2"
    assert told["linked groups they make"] == "2"
    assert told["dies in the largest of these"] == "2"
    (lone,) = [Coin("1", {OBVERSE: Attribution("O", 0.1), REVERSE: Attribution("R")})]
    told = {words: value for _, words, value in key_figures(analyse(Material([lone], "t", "s")))}
    assert told["linked groups they make"] == "0"


def test_two_sides_without_a_coin_that_shows_both(tmp_path: Path) -> None:
    coins = [Coin("1", {OBVERSE: Attribution("O1")}), Coin("2", {REVERSE: Attribution("R1")})]
    study = analyse(Material(coins, "t", "s"))
    write_study(study, tmp_path)
    assert "No coin has both its dies" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert list(coin_parts(study, coins[0], OBVERSE)) == ["reverse not identified"]


# --- pictures ---------------------------------------------------------------------------------


def test_the_best_preserved_coin_stands_for_its_die() -> None:
    names = [str(i) for i in range(10)]
    coins = [Coin(name, {OBVERSE: Attribution("O1")}) for name in names]
    study = analyse(Material(coins, "t", "s", pictures=Drawn(names)))
    assert study.dies[OBVERSE][0].best == tuple(reversed(names))
    doubted = analyse(Material(coins, "t", "s", pictures=Drawn(names, frozenset({9}))))
    assert doubted.dies[OBVERSE][0].best[0] == "8"


@pytest.mark.parametrize("diameter", [18.0, 31.5])
def test_plates_are_to_scale(diameter: float) -> None:
    coin = Coin("1", {OBVERSE: Attribution("O1")}, {"diameter": f"{diameter} mm"})
    (plate,) = draw_plates(analyse(Material([coin], "t", "s", pictures=Drawn(["1"]))))
    image = Image.open(BytesIO(plate.jpeg))
    assert image.info["dpi"] == (DPI, DPI)
    dark = np.asarray(image.convert("L"))[300:, :] < 200
    rows = np.flatnonzero(dark.sum(1) > 40)
    band = rows[: np.flatnonzero(np.diff(rows, append=rows[-1] + 99) > 1)[0] + 1]
    columns = np.flatnonzero(dark[band].any(0))
    width = columns[-1] - columns[0] + 1
    assert width / DPI * 25.4 == pytest.approx(diameter, rel=0.03)


def test_large_studies_keep_their_pictures_beside_the_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_pictures, "EMBEDDED_UP_TO", 1000)
    page = report.render(nasty_study(pictures=True), Chart(Drawing(10, 10)), 0)
    found = Elements()
    found.feed(page.html)
    sources = {attributes["src"] for tag, attributes in found.found if tag == "img"}
    assert sources == set(page.pictures)
    assert len(sources) == 4 * len(NASTY)
    for source in sources:
        assert re.fullmatch(r"pictures/(obverse|reverse)-\d+\.jpg", str(source))


# --- drawings ---------------------------------------------------------------------------------


def test_text_in_drawings_is_escaped_and_png_has_its_size() -> None:
    drawing = Drawing(100, 50, "<t>", [Text(5, 20, '<a href="x">&', turn=30), Text(5, 40, "é皇")])
    root = ET.fromstring(drawing.svg())
    assert 'href="x"' in "".join(root.itertext())
    assert escaped("\x00<") == "\ufffd&lt;"
    assert printable("p\u00a0=\u20092\u0007") == "p = 2?"
    assert Image.open(BytesIO(drawing.png(3.0))).size == (300, 150)


def test_no_name_turns_round_what_stands_behind_it(tmp_path: Path) -> None:
    name = "O1\u202e1O\u2066"
    dies: dict[Side, Attribution] = {OBVERSE: Attribution(name), REVERSE: Attribution("R1\u05d0")}
    coins = [Coin(f"{i}{name}", dies, {"source": name}) for i in range(3)]
    write_study(analyse(Material(coins, name, name, name, (name,))), tmp_path / "out")
    for page in ("report.html", "links.svg", "catalogue.md"):
        text = (tmp_path / "out" / page).read_text(encoding="utf-8")
        assert not set(name) & set(text) & set("\u202e\u2066"), page
        assert "R1\u05d0" in text
        assert re.search(r"O1\\+u202e1O", text), page
    with zipfile.ZipFile(tmp_path / "out" / "catalogue.docx") as archive:
        assert "\u202e" not in archive.read("word/document.xml").decode()
    with (tmp_path / "out" / "dies.csv").open(encoding="utf-8", newline="") as stream:
        assert name in [row["die"] for row in csv.DictReader(stream)]  # data stay as they are


def test_accumulation_is_the_mean_over_all_samples() -> None:
    dies = ["a", "a", "a", "b", "b", "c"]
    found = dict(rarefaction({"a": 3, "b": 2, "c": 1}))
    for m in range(7):
        samples = list(combinations(dies, m))
        mean = sum(len(set(sample)) for sample in samples) / len(samples)
        assert found[float(m)] == pytest.approx(mean)
