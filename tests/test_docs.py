"""What the documents name exists: commands, options, links, files and pictures."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from dieindex.calibration.two_kinds import ANY_COLLECTION, EXPECTED, TWO_FILES
from dieindex.commands.main import VERBS, cli
from dieindex.version import VERSION
from tests.commands_for_tests import Command

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "commands.md"
PICTURES = ROOT / "docs" / "pictures"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    + [ROOT / folder / "README.md" for folder in ("benchmarks", "data", "indexes")]
)
LANGUAGES = {"sh", "powershell", "python", "csv", "text"}
PROGRAMS = {
    "dieindex",
    "python",
    "python3",
    "make",
    "pip",
    "cd",
    "cp",
    "git",
    "eval",
    "export",
    "dask",
}
PRIVATE_WORDS = re.compile(
    r"\b(settl(?:e|ed|es|ing)|laid|laying|likest|looker|company|bonds?)\b", re.IGNORECASE
)
"""Words that this project once used for terms which have names of their own."""
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


class Block(NamedTuple):
    """Code set off in a page."""

    page: Path
    language: str
    text: str


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parts(page: Path) -> tuple[str, tuple[Block, ...]]:
    """A page's text without its blocks of code, and these."""
    text, blocks, inside = [], [], None
    lines: list[str] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.lstrip().startswith("```"):
            (text if inside is None else lines).append(line)
        elif inside is None:
            inside, lines = line.strip().strip("`"), []
        else:
            blocks.append(Block(page, inside, "\n".join(lines) + "\n"))
            inside = None
    assert inside is None, f"{name_of(page)}: a block of code is not closed"
    return "\n".join(text), tuple(blocks)


def blocks_in(language: str) -> list[Block]:
    return [block for page in PAGES for block in parts(page)[1] if block.language == language]


def shell_lines(block: Block) -> Iterator[list[str]]:
    """The words of each command, comments left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


@cache
def headings(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as forges name them."""
    found = re.findall(r"^#+ +(.+)$", parts(page)[0], re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found
    )


@cache
def options_of(verb: str) -> frozenset[str]:
    """Every option of a command, as it is typed."""
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None, f"no command {verb}"
    options = (p for p in command.params if isinstance(p, click.Option))
    return frozenset(name for option in options for name in (*option.opts, *option.secondary_opts))


COMMON = frozenset({"--help", "-h", "--version", "--quiet", "-q"})


@cache
def script_options(script: Path) -> frozenset[str]:
    """Options that a Python script names, or a module beside it that it imports."""
    found: set[str] = set()
    read, due = set(), [script]
    while due:
        path = due.pop()
        if path in read or not path.is_file():
            continue
        read.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if OPTION.fullmatch(node.value) else set()
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").removeprefix("benchmarks.")]
            elif isinstance(node, ast.Import):
                names = [alias.name.removeprefix("benchmarks.") for alias in node.names]
            due += [path.with_name(f"{name}.py") for name in names if "." not in name]
    return frozenset(found)


@cache
def every_option() -> frozenset[str]:
    scripts = [*(ROOT / "benchmarks").glob("*.py"), ROOT / "dieindex" / "training" / "calibrate.py"]
    found = {name for script in scripts for name in script_options(script)}
    return frozenset(found.union(COMMON, *map(options_of, VERBS)))


def check_call(words: list[str]) -> None:
    """A call of dieindex that the command line would take."""
    while words and words[0] in COMMON:
        words = words[1:]
    if not words:
        return
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, f"no command {words[0]}"
    context = click.Context(command, info_name=words[0])
    command.make_parser(context).parse_args(list(words[1:]))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for _, target in LINK.findall(parts(page)[0]):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{target}: no such file"
        assert goal.is_relative_to(ROOT), f"{target}: outside the checkout"
        if anchor:
            assert anchor in headings(goal), f"{target}: no such heading"


def test_readme_needs_nothing_beside_it() -> None:
    """On a package index there is README alone: no link, no picture may be relative to it."""
    text = README.read_text(encoding="utf-8")
    targets = [target for _, target in LINK.findall(text)]
    targets += re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", text)
    targets += re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE)
    for target in targets:
        assert re.match(r"https://|#", target), f"{target}: does not resolve outside the repository"
        if target.startswith("#"):
            assert target[1:] in headings(README)


def test_readme_is_the_packages_description_and_short() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert setup["metadata"]["long_description"] == "file: README.md"
    assert setup["metadata"]["long_description_content_type"] == "text/markdown"
    assert len(parts(README)[0].split()) < 800


def test_readme_names_every_user_page() -> None:
    named = set(CODE.findall(parts(README)[0]))
    pages = {f"docs/{name}.md" for name in ("README", "guide", "answers", "keeping", "study")}
    assert pages <= named
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index, f"{page.name}: not listed"
    research = (ROOT / "docs" / "research" / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs" / "research").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in research, f"{page.name}: not listed"


def test_every_picture_is_shown_and_no_other_is_named() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for picture, target in LINK.findall(parts(page)[0])
        if picture
    }
    assert shown == set(PICTURES.iterdir())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_says_in_which_language_it_is(page: Path) -> None:
    assert {block.language for block in parts(page)[1]} <= LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_shell_code_can_be_typed(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in parts(page)[1]:
        if block.language != "sh":
            continue
        for words in shell_lines(block):
            program = words[0].removeprefix(".venv/bin/")
            assert program in PROGRAMS, f"{program}: a program that nobody checks"
            if program == "dieindex":
                check_call(words[1:])
            elif program == "make":
                assert words[1] in targets, f"make {words[1]}: no such target"
            elif program.startswith("python"):
                check_python(words[1:])


def check_python(words: list[str]) -> None:
    """A call of a script or module of this checkout, with options that it has."""
    if words[0] == "-m":
        if words[1].split(".")[0] != "dieindex":
            return
        script = ROOT.joinpath(*words[1].split("."))
        script = script / "__main__.py" if script.is_dir() else script.with_suffix(".py")
    else:
        script = ROOT / words[0]
    assert script.is_file(), f"{words[:2]}: no such script"
    if script in (ROOT / "cli.py", ROOT / "dieindex" / "__main__.py"):
        check_call(words[1:] if script.name == "cli.py" else words[2:])
        return
    for option in OPTION.findall(" ".join(words)):
        assert option in script_options(script), f"{words[0]} has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_named_exist(page: Path) -> None:
    for code in CODE.findall(parts(page)[0]):
        words = code.split()
        if words[0] == "dieindex" and len(words) > 1:
            rest = [word for word in words[1:] if word not in COMMON]
            if rest and not rest[0].startswith("-"):
                assert rest[0] in VERBS, f"`{code}`: no such command"
                wrong = set(OPTION.findall(code)) - options_of(rest[0]) - COMMON
                assert not wrong, f"`{code}`: {wrong}"
        elif words[0] in VERBS and len(words) > 1:
            wrong = set(OPTION.findall(code)) - options_of(words[0]) - COMMON
            assert not wrong, f"`{code}`: {wrong}"
        elif words[0] in ("python", "python3") and len(words) > 1:
            check_python(words[1:])
        elif words[0] == "make" and len(words) == 2:
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), code
        elif words[0] not in ("pip", "git"):
            wrong = set(OPTION.findall(code)) - every_option() - {"--extra-index-url"}
            assert not wrong, f"`{code}`: {wrong}"


def test_the_reference_has_every_command_and_option() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    sections = {
        section.split("\n", 1)[0].strip(): section
        for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    }
    assert set(sections) == set(VERBS)
    for verb in VERBS:
        tabled = re.findall(r"^\| (`-.+?) \|", sections[verb], re.MULTILINE)
        named = set(re.findall(r"`(--?[a-z-]+)", " ".join(tabled)))
        assert named == set(options_of(verb)), verb


def test_every_benchmark_has_a_line() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in (ROOT / "benchmarks").glob("*.py") if path.name not in text]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_named_exist(page: Path) -> None:
    """Modules and pages in code: by their path in the checkout or in the package."""
    for code in CODE.findall(parts(page)[0]):
        if re.fullmatch(r"dieindex(\.[a-z_]+)+", code):
            code = code.replace(".", "/")
            code += "" if (ROOT / code).is_dir() else ".py"
        if not re.fullmatch(r"[\w./-]+\.(py|md|cff|toml|cfg)|[\w./-]+/", code):
            continue
        near = [ROOT, ROOT / "dieindex", ROOT / "docs", page.parent]
        found = any((place / code).exists() for place in near)
        if not found and code.endswith(".py"):
            found = any(name_of(path).endswith(f"/{code}") for path in _modules())
        assert found or code in MADE, f"`{code}`: no such file"


MADE = {"indexes/hoard/", "rev/12.jpg", "catalogue.md", "plates/", "charts/", "pictures/", "study/"}
"""Files and folders that commands make, or that are examples."""


@cache
def _modules() -> tuple[Path, ...]:
    return tuple(
        path
        for folder in ("dieindex", "benchmarks", "tests")
        for path in (ROOT / folder).rglob("*.py")
    )


@pytest.mark.parametrize("block", blocks_in("python"), ids=lambda block: name_of(block.page))
def test_python_code_is_python_and_imports_what_there_is(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dieindex"):
            spec = importlib.util.find_spec(node.module or "")
            assert spec is not None, f"no module {node.module}"
            assert spec.origin is not None, f"{node.module}: a folder"
            source = Path(spec.origin).read_text(encoding="utf-8")
            for alias in node.names:
                assert re.search(rf"\b{alias.name}\b", source), f"{node.module}.{alias.name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_fields_words_are_used(page: Path) -> None:
    found = PRIVATE_WORDS.search(page.read_text(encoding="utf-8"))
    assert found is None, f"{found.group()!r} has a name in the field"


def test_environment_variables_named_exist() -> None:
    source = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "dieindex").rglob("*.py"))
    for page in PAGES:
        for name in re.findall(r"\bDIEINDEX_[A-Z]+\b", parts(page)[0]):
            assert name in source, f"{name_of(page)}: {name}"


def test_citation() -> None:
    """CITATION.cff has what its format demands (version 1.2.0), and the version of the package."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    top = dict(re.findall(r"^([a-z-]+): *(.*)$", text, re.MULTILINE))
    assert {"cff-version", "message", "title", "authors", "type"} <= set(top)
    assert top["cff-version"] == "1.2.0"
    assert top["type"] in ("software", "dataset")
    assert top["version"] == VERSION
    assert re.search(r"^authors:\n  - name: \"[^\"]+\"$", text, re.MULTILINE)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert top["license"] == setup["metadata"]["license"]
    try:
        import yaml
    except ImportError:
        assert "\t" not in text
    else:
        assert yaml.safe_load(text)["authors"] == [{"name": "The dieindex developers"}]


def test_the_page_of_decisions_has_the_constants_that_ship() -> None:
    text = (ROOT / "docs" / "decision.md").read_text(encoding="utf-8")
    section = text.split("## What is expected beforehand")[1].split("\n## ")[0]
    e = EXPECTED
    own = 1.0 - 2.0 * e.of_coin
    for line in (
        f"centre | \u2212{-e.centre:g} nats | 1 pair",
        f"deviation below, above | {e.left:g}, {e.right:g} nats | {e.different_pairs:g} pairs",
        f"place | {e.place:g} ± {e.place_spread:g} nats | 1 pair of one die, and "
        f"{1e4 * e.misfit:g} more for each 10,000 pairs",
        f"width | {e.width:g} nats | {e.width_pairs:g} pairs",
        f"share of pairs of one die | {100 * e.share:g} % | {e.share_pairs:g} pairs",
        f"in the variance of one die | {e.of_coin:g} each",
        f"in the variance of different dies | {e.of_dies:g} ",
        f"Student's, {e.tail:g} degrees of freedom",
    ):
        assert line in section
    assert f"| different dies | {e.of_dies:g} + {1 - e.of_dies:g} / m |" in text
    for kinds in (ANY_COLLECTION, TWO_FILES):
        middle = f"centre \u2212{-kinds.centre:g}, deviations {kinds.left:g} and {kinds.right:g}"
        assert f"{middle}, place {kinds.place:g}, width {kinds.width:g} |" in text
    assert f"| one die | {e.of_coin:g} · (1/k + 1/l) + {own:.2g} / m |" in text


def test_the_demonstration_runs(
    data: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    makefile = (ROOT / "Makefile").read_text()
    lines = re.findall(r"^\t\$\(BIN\)/dieindex (.+)$", makefile, re.MULTILINE)
    assert len(lines) == 4
    for _ in range(2):  # (The second time its own table is there already.)
        for line in lines:
            words = line.replace("049", "01").replace("078", "02").split()
            code, _, err = command(*words)
            assert code == 0, err
