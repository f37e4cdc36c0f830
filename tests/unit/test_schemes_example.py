"""The rates that come along as an example: they load, and nobody's guess is among them."""

from __future__ import annotations

import shutil
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge.bridge_file import read_schemes
from fizzbridge.settings import CatalogueFiles, load_bridge_file
from fizzbridge.trade.deposits import Place, in_force

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def schemes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bridge")
    for name in ("bridge.example.toml", "catalogue.example.csv", "schemes.example.toml"):
        shutil.copy(ROOT / name, folder)
    bridge = load_bridge_file(folder / "bridge.example.toml", ROOT)
    files = CatalogueFiles(file="catalogue.example.csv", schemes="schemes.example.toml")
    return read_schemes(bridge.model_copy(update={"catalogue": files}), folder)


def test_it_reads_as_the_bridge_reads_it(schemes):
    text = (ROOT / "schemes.example.toml").read_text()
    assert len(schemes) == len(tomllib.loads(text)["schemes"])


@pytest.mark.parametrize(
    ("place", "day"),
    [
        (Place("GB"), date(2026, 4, 1)),
        (Place("GB", "WLS"), date(2027, 10, 1)),
        (Place("NL"), date(2026, 11, 20)),
        (Place("US", "NY", "New York"), date(2026, 11, 20)),
        (Place("US", "MI", "Detroit"), date(2026, 11, 20)),
        (Place("US", "HI", "Hilo"), date(2026, 11, 20)),
        (Place("US", "WA", "Seattle"), date(2026, 11, 20)),
    ],
)
def test_what_nobody_confirmed_is_not_in_it(schemes, place, day):
    assert in_force(schemes, place, day) == ()


def test_germany_has_no_lower_limit(schemes):
    (one_way,) = [one for one in schemes if one.name == "de-one-way"]
    assert (one_way.min_ml, one_way.max_ml) == (None, Decimal(3000))
