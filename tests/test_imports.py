"""The folders tell the way of the data: a stage imports only what comes before it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dieindex"
BASE = {"records", "errors", "version", "numeric", "text", "files", "workers"}
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
ALLOWED["commands"] = BASE | {"commands", "api", "evaluation", "mint", "training", *WAY}
for _alone in (*BASE, "__init__"):
    ALLOWED[_alone] = BASE | {"api"} if _alone == "__init__" else BASE

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Full names of everything a module imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_earlier_stages(path: Path) -> None:
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "dieindex" and len(parts) > 1:
            assert parts[1] in ALLOWED[part_of(path)], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_commands_import_click_and_one_module_torchvision(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    if part_of(path) != "commands":
        assert "click" not in roots
    if path != PACKAGE / "encoder" / "vision.py":
        assert "torchvision" not in roots


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
    check = f"{statement}; import sys; print([h for h in {heavy} if h in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]", result.stdout + result.stderr


@pytest.mark.parametrize("module", ["dieindex.mint.stream", "dieindex.training.train"])
def test_training_needs_only_torch_numpy_opencv_and_safetensors(module: str) -> None:
    heavy = ("sklearn", "faiss", "pandas", "scipy", "openpyxl", "PIL", "click", "torchvision")
    check = f"import {module}, sys; print([h for h in {heavy} if h in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]", result.stdout + result.stderr
