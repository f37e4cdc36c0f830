from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fizzbridge.manifest import load_registry
from scripts.new_platform import make

ROOT = Path(__file__).parents[3]
FOLDER = "functions/platforms/acme_pro"
PARTS = ("functions", "layers", "tests/kit", "pyproject.toml")
CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of what a platform stands on, with a new one in it."""
    root = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        source, goal = ROOT / part, root / part
        if source.is_dir():
            shutil.copytree(source, goal, ignore=CACHES)
        else:
            shutil.copy(source, goal)
    make("acme_pro", root)
    return root


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = [tree / "layers/common/python", tree / "functions", tree]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    return subprocess.run(  # noqa: S603  # our own tools
        [sys.executable, *command],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_registered_and_its_manifest_is_valid(tree):
    registry = load_registry(tree)
    assert registry["acme_pro"].name == "Acme Pro"
    lines = (tree / "functions/registry.toml").read_text().splitlines()
    assert lines[0].startswith("#")
    assert lines[1:] == sorted(lines[1:])
    assert (tree / "events/acme_pro").is_dir()


@pytest.mark.parametrize("how", [("check",), ("format", "--check")])
def test_it_passes_the_style_check_as_it_is(tree, how):
    found = run(tree, "-m", "ruff", *how, FOLDER)
    assert found.returncode == 0, found.stdout


def test_it_passes_the_type_check_as_it_is(tree):
    found = run(tree, "-m", "mypy", "--follow-imports=silent", "-p", "platforms.acme_pro")
    assert found.returncode == 0, found.stdout


LACKS = [
    "readme: README.md has no section 'Connect'",
    "readme: README.md has no section 'What it does'",
    "readme: README.md has no section 'Limits'",
    "sandbox: sandbox.py has no make(seed)",
    "webhook: webhook.py: routes is empty",
    "fixtures: no deliveries in events/acme_pro",
    "fixtures: no events/acme_pro/source.json: what is ordered in the sandbox",
    "pull: pull.py: fetch is not coded",
    "pull: pull.py: changes is not coded, and the manifest has streams: orders",
    "target: target.py: entities is empty",
    "target: target.py holds no kind Order, which the manifest says it does",
    "target: target.py holds no kind Customer, which the manifest says it does",
    "target: events/acme_pro/target.json does not say 'base_url'",
]
LIST = (
    "import json, pathlib; from tests.kit.completeness import missing;"
    "print(json.dumps(missing('acme_pro', pathlib.Path.cwd())))"
)


def lacks(tree: Path) -> list[str]:
    found = run(tree, "-c", LIST)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_what_it_lacks_is_listed_by_name(tree):
    found = lacks(tree)
    assert [one for one in LACKS if one not in found] == []
    assert len(found) == len(LACKS) + 7  # the other facts of target.json


def test_an_exemption_needs_a_rule_and_a_reason(tree):
    manifest = tree / FOLDER / "manifest.toml"
    before = manifest.read_text()
    exempt = '{ fixtures = "no", pull = "the vendor has no API to read", beauty = "none at all" }'
    try:
        manifest.write_text(f"{before}exempt = {exempt}\n")
        found = lacks(tree)
    finally:
        manifest.write_text(before)
    assert "quality: the exemption from 'fixtures' gives no reason" in found
    assert any("'beauty' is no rule to be exempt from" in one for one in found)
    assert not any(one.startswith(("pull:", "fixtures:")) for one in found)


@pytest.mark.parametrize("slug", ["Acme", "acme-pro", "7up", "", "a", "a.b", "../x"])
def test_a_name_that_is_no_slug_is_refused(tree, slug):
    with pytest.raises(ValueError, match="is named in lower case"):
        make(slug, tree)


def test_what_exists_is_not_overwritten(tree):
    with pytest.raises(ValueError, match="exists"):
        make("acme_pro", tree)
