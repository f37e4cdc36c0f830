"""Every failure of the list has a test that says where it is proven."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

FAULTS = Path(__file__).parents[1] / "faults"
NUMBERS = range(1, 49)
NAMED = re.compile(r"test_f(\d{1,2})_")


def levels(marks: Iterable[ast.expr]) -> set[str]:
    """The levels that marks name."""
    return {
        str(ast.literal_eval(mark.args[0]))
        for mark in marks
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.level"
    }


def of_all(module: ast.Module) -> set[str]:
    """The levels a module names for all its tests."""
    return levels(
        node.value
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    )


def proven() -> dict[int, set[str]]:
    """By number of the failure, the levels its tests name."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted(FAULTS.glob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            named = NAMED.match(node.name) if isinstance(node, ast.FunctionDef) else None
            if named:
                found[int(named.group(1))] |= levels(node.decorator_list) | of_all(module)
    return found


def test_every_failure_has_a_test_at_a_named_level():
    found = proven()
    missing = [f"F{number}" for number in NUMBERS if not found.get(number)]
    assert missing == []
    assert set(found) <= set(NUMBERS)
