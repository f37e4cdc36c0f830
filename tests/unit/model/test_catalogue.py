"""Pack sizes of the sample item: 24 cans a case, 9 cases a layer, 12 layers a pallet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.units import Unit

COLA = CatalogueItem(
    sku="COLA330",
    name="Cola 330 ml can",
    units_per_case=24,
    cases_per_layer=9,
    layers_per_pallet=12,
    case_sku="COLA330-CASE",
    pallet_sku="COLA330-PALLET",
    volume_ml="330",
)


def split(count: int, *units: Unit) -> list[int]:
    """A count in the largest units first."""
    found = []
    for unit in units:
        factor = COLA.factor(unit)
        assert factor is not None
        whole, count = divmod(count, factor)
        found.append(whole)
    assert count == 0
    return found


def test_v1_a_pallet_is_2592_cans_of_855_360_litres_and_a_case_7_920():
    assert COLA.factor(Unit.PALLET) == 2592
    assert COLA.volume_ml is not None
    assert 2592 * COLA.volume_ml / 1000 == Decimal("855.360")
    assert 24 * COLA.volume_ml / 1000 == Decimal("7.920")


def test_v2_250_cases_are_2_pallets_3_layers_and_7_cases():
    assert split(250 * 24, Unit.PALLET, Unit.LAYER, Unit.CASE) == [2, 3, 7]


def test_v3_5000_cans_are_208_cases_and_8_cans():
    assert split(5000, Unit.CASE, Unit.EACH) == [208, 8]


def test_v4_2_pallets_3_cases_and_30_cans_are_5286_cans():
    factor = {unit: COLA.factor(unit) or 0 for unit in Unit}
    cans = 2 * factor[Unit.PALLET] + 3 * factor[Unit.CASE] + 30
    assert cans == 5286
    assert Decimal(cans) / factor[Unit.CASE] == Decimal("220.25")


@given(st.integers(0, 10**6))
def test_i11_there_and_back_is_the_identity(cans):
    pallets, layers, cases, rest = split(cans, Unit.PALLET, Unit.LAYER, Unit.CASE, Unit.EACH)
    assert pallets * 2592 + layers * 216 + cases * 24 + rest == cans


def test_a_unit_the_item_is_not_packed_in_has_no_factor():
    loose = CatalogueItem(sku="KEG", name="Keg")
    assert loose.factor(Unit.EACH) == 1
    assert {loose.factor(unit) for unit in Unit if unit is not Unit.EACH} == {None}
    assert COLA.factor(Unit.CRATE) is None


def test_an_item_counted_by_the_crate_has_the_crate_as_its_base():
    crated = CatalogueItem(sku="C", name="Crate", base_unit=Unit.CRATE)
    assert (crated.factor(Unit.CRATE), crated.factor(Unit.EACH)) == (1, None)


@pytest.mark.parametrize("factor", [0, -1])
def test_a_pack_of_nothing_is_refused(factor):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        CatalogueItem(sku="X", name="X", units_per_case=factor)


def test_each_code_means_one_unit():
    assert COLA.sold_as() == {
        "COLA330": Unit.EACH,
        "COLA330-CASE": Unit.CASE,
        "COLA330-PALLET": Unit.PALLET,
    }


def test_a_changed_pack_size_is_another_row_both_ends_included():
    row = COLA.model_copy(update={"valid_from": date(2026, 1, 1), "valid_to": date(2026, 6, 30)})
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1)]
    assert [row.is_valid_on(day) for day in days] == [False, True, True, False]
    assert COLA.is_valid_on(date(1999, 1, 1))
