"""A platform is complete, or the list of what it lacks is the first thing to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from fizzbridge.manifest import load_registry
from tests.kit.completeness import missing

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("platform", sorted(load_registry(ROOT)))
def test_nothing_is_missing(platform):
    gaps = missing(platform)
    assert not gaps, f"{platform} lacks\n" + "\n".join(f"  - {gap}" for gap in gaps)


def test_every_folder_is_registered():
    folders = {path.parent.name for path in ROOT.glob("functions/platforms/*/manifest.toml")}
    assert folders == set(load_registry(ROOT))
