"""What the import contracts in pyproject.toml cannot say: rules that go by how a name begins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SANDBOXES = sorted((ROOT / "functions" / "platforms").glob("*/sandbox.py"))


def imported(file: Path) -> Iterator[str]:
    """Every module a file names, and everything it takes from one."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_sandbox(module: str) -> bool:
    first, _, rest = module.partition(".")
    return first == "sandbox" or (
        first == "platforms" and any(part.startswith("sandbox") for part in rest.split("."))
    )


def deployed() -> list[Path]:
    found = [
        path
        for folder in ("layers/common/python", "functions/platforms", "functions/services", "cli")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.name.startswith("sandbox")
    ]
    assert len(found) > 50
    return found


def test_nothing_that_is_deployed_imports_a_sandbox_or_a_part_of_one():
    wrong = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in deployed()
        for name in imported(file)
        if is_sandbox(name)
    }
    assert wrong == set()


@pytest.mark.parametrize("sandbox", SANDBOXES, ids=lambda path: path.parent.name)
def test_every_part_of_a_sandbox_belongs_to_it(sandbox):
    """So that the import contract about the sandbox judges its parts, too."""
    package = f"platforms.{sandbox.parent.name}"
    reached: set[str] = set()
    ahead = {"sandbox"}
    while ahead:
        name = ahead.pop()
        reached.add(name)
        found = {
            module.removeprefix(f"{package}.").partition(".")[0]
            for module in imported(sandbox.parent / f"{name}.py")
            if module.startswith(f"{package}.sandbox")
        }
        ahead |= found - reached
    assert reached == {path.stem for path in sandbox.parent.glob("sandbox*.py")}


SECRET_WORDS = re.compile(r"secret|proof|signature|digest|given|path_token")


def names_in(node: ast.AST) -> set[str]:
    """What a part of an expression reads, calls left out: the length of a secret is none."""
    if isinstance(node, ast.Call):
        return set()
    own = {node.id} if isinstance(node, ast.Name) else set()
    own |= {node.attr} if isinstance(node, ast.Attribute) else set()
    return own.union(*(names_in(child) for child in ast.iter_child_nodes(node)))


def schemes() -> list[Path]:
    """Every file with a way to prove who sent a delivery."""
    return [file for file in deployed() if "def verify(" in file.read_text(encoding="utf-8")]


def test_no_proof_is_compared_but_in_constant_time():
    """Neither ``==`` nor ``in``: they stop at the first letter that differs."""
    found = schemes()
    assert len(found) >= 3
    for file in found:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        wrong = [
            f"{file.name}:{node.lineno} {ast.unparse(node)}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Compare)
            and not any(isinstance(one, ast.Constant) for one in (node.left, *node.comparators))
            and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn)
            and any(map(SECRET_WORDS.search, names_in(node)))
        ]
        assert wrong == []
        assert "hmac.compare_digest(" in file.read_text(encoding="utf-8")
