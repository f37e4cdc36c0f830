"""The rates that come along as an example: they load, and nobody's guess is among them."""

from __future__ import annotations

import shutil
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge.bridge_file import read_schemes
from fizzbridge.model.catalogue import Material
from fizzbridge.model.scheme import SchemeKind
from fizzbridge.settings import CatalogueFiles, load_bridge_file
from fizzbridge.trade.deposits import Place, charges, in_force
from tests.unit.trade.goods import COLA, counted, item

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
        *[
            (Place("US", state, "Springfield"), date(2026, 11, 20))
            for state in ("OR", "CT", "ME", "VT", "IA")
        ],
    ],
)
def test_what_nobody_confirmed_is_not_in_it(schemes, place, day):
    assert in_force(schemes, place, day) == ()


def test_germany_has_no_lower_limit(schemes):
    (one_way,) = [one for one in schemes if one.name == "de-one-way"]
    assert (one_way.min_ml, one_way.max_ml) == (None, Decimal(3000))


@pytest.mark.parametrize(
    ("country", "region", "day", "currency", "can", "large"),
    [
        ("IE", "", date(2026, 11, 20), "EUR", "3.60", "1.50"),
        ("GB", "ENG", date(2027, 10, 1), "GBP", "4.80", "1.20"),
        ("DE", "", date(2026, 11, 20), "EUR", "6.00", "1.50"),
        ("AT", "", date(2026, 11, 20), "EUR", "6.00", "1.50"),
        ("US", "CA", date(2026, 11, 20), "USD", "1.20", "0.60"),
    ],
)
def test_what_a_case_bears(schemes, country, region, day, currency, can, large):
    """24 cans of 330 ml, and 6 PET bottles of 1.5 l."""
    rates = in_force(schemes, Place(country, region), day)
    bottle = item("TONIC", volume_ml="1500", material=Material.PET, units_per_case=6)
    for of, amount in ((COLA, can), (bottle, large)):
        (charge,) = charges(counted(of, 1), rates, currency)
        assert charge.amount == Decimal(amount)


def test_the_first_and_the_last_day_of_each(schemes):
    for scheme in schemes:
        assert not scheme.is_valid_on(scheme.valid_from - timedelta(days=1))
        if scheme.valid_to:
            assert not scheme.is_valid_on(scheme.valid_to + timedelta(days=1))
    uk = [one for one in schemes if one.countries == ("GB",) and one.kind is SchemeKind.LEVY]
    assert [(one.valid_to, one.is_charged) for one in uk] == [(date(2026, 3, 31), False)] * 2
