from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.units import ML_PER_US_FL_OZ, Quantity, Unit
from fizzbridge.settings import Limits
from fizzbridge.trade.packs import (
    Catalogue,
    case_equivalents,
    count,
    each_price,
    fl_oz,
    litres,
    mixed_stock,
    round_up,
    split,
    whole,
)
from tests.kit.house import line
from tests.unit.trade.goods import COLA as CAN

DAY = date(2026, 11, 20)
EAN = "5201234000001"
COLA = CatalogueItem(sku="COLA", name="Cola", gtin=EAN, units_per_case=24, case_sku="COLA-CASE")
LEMON = CatalogueItem(sku="LEMON", name="Lemon")
LIME = CatalogueItem(sku="LIME", name="Lime", gtin="036000291452")
CATALOGUE = Catalogue([COLA, LEMON, LIME])


def cases(ordered: int) -> Quantity:
    return Quantity(ordered=ordered, unit=Unit.CASE, factor=24, base=ordered * 24)


def found(code: str | None = None, mapped: str | None = None, gtin: str | None = None):
    sold = CATALOGUE.find(line(code, gtin=gtin), mapped, DAY)
    return (sold.item.sku, sold.unit) if sold else None


def test_a_mapped_code_comes_before_everything():
    assert found("LEMON", mapped="COLA-CASE", gtin="036000291452") == ("COLA", Unit.CASE)


def test_the_trade_item_number_comes_before_the_code():
    assert found("LEMON", gtin=EAN) == ("COLA", Unit.EACH)


def test_the_code_itself_must_be_exact():
    assert found("COLA-CASE") == ("COLA", Unit.CASE)
    assert found("cola") is None
    assert found(" COLA") is None


def test_numbers_of_8_12_13_and_14_digits_are_one_number_space():
    assert found("X", gtin="00036000291452") == ("LIME", Unit.EACH)
    assert found("X", gtin="0" + EAN) == ("COLA", Unit.EACH)


def test_what_differs_in_case_and_space_is_proposed_and_never_shipped():
    assert found("cola case") is None
    assert CATALOGUE.suggest("co la") == "COLA"
    assert CATALOGUE.suggest("cola-case") == "COLA-CASE"
    assert CATALOGUE.suggest("KOLA") is None


def test_a_map_that_points_nowhere_does_not_hide_the_code():
    assert found("COLA", mapped="GONE") == ("COLA", Unit.EACH)


def test_the_row_valid_on_the_day_gives_the_factor():
    old = COLA.model_copy(update={"units_per_case": 20, "valid_to": date(2026, 6, 30)})
    new = COLA.model_copy(update={"valid_from": date(2026, 7, 1)})
    catalogue = Catalogue([old, new])
    ordered = line("COLA-CASE", 2)
    for day, base in ((date(2026, 6, 30), 40), (date(2026, 7, 1), 48)):
        sold = catalogue.find(ordered, None, day)
        assert sold is not None
        quantity = count(ordered, sold).quantity
        assert (quantity.ordered, quantity.unit, quantity.base) == (2, Unit.CASE, base)


def test_a_code_for_a_unit_without_a_factor_says_so():
    broken = CatalogueItem(sku="COLA", name="Cola", case_sku="COLA-CASE")
    sold = Catalogue([broken]).find(line("COLA-CASE"), None, DAY)
    assert sold is not None
    with pytest.raises(ValueError, match="COLA is not packed by the case"):
        count(line("COLA-CASE"), sold)


# -- units and what they come to -----------------------------------------------------------------


def test_v1_a_pallet_in_cans_and_litres():
    pallet = CAN.factor(Unit.PALLET)
    assert pallet == 2592
    assert litres(pallet, CAN) == Decimal("855.360")
    assert litres(24, CAN) == Decimal("7.920")


def test_v2_cases_in_pallets_layers_and_cases():
    assert split(250 * 24, CAN) == {Unit.PALLET: 2, Unit.LAYER: 3, Unit.CASE: 7}


def test_v3_cans_in_whole_cases():
    assert whole(5000, Unit.CASE, CAN) == (208, 8)


def test_v4_case_equivalents_of_a_mixed_quantity():
    base = 2 * 2592 + 3 * 24 + 30
    assert base == 5286
    assert case_equivalents(base, CAN) == Decimal("220.25")


def test_v5_a_price_for_one_is_never_multiplied_back():
    case_price = Decimal("9.55")
    each = each_price(case_price, CAN)
    assert each == Decimal("0.3979")
    assert 24 * each == Decimal("9.5496")
    assert 24 * each.quantize(Decimal("0.01")) == Decimal("9.60")
    assert case_price * 3 == Decimal("28.65")


@pytest.mark.parametrize(("ordered", "rounded"), [(251, 252), (250, None), (315, 324)])
def test_v6_little_missing_from_a_layer_or_pallet_is_filled(ordered, rounded):
    found = round_up(cases(ordered), CAN, Unit.LAYER, Limits())
    assert (found and found.ordered) == rounded
    if found:
        assert found.base == found.ordered * 24


@pytest.mark.parametrize("ordered", range(300, 326))
def test_v6_nearby_cases_follow_the_two_limits(ordered):
    found = round_up(cases(ordered), CAN, Unit.LAYER, Limits())
    to_layer, to_pallet = -ordered % 9, -ordered % 108
    if 0 < to_pallet <= 10:
        assert found.ordered == ordered + to_pallet
    elif 0 < to_layer <= 1:
        assert found.ordered == ordered + to_layer
    else:
        assert found is None


def test_without_pallets_only_layers_are_filled():
    flat = CAN.model_copy(update={"layers_per_pallet": None})
    assert round_up(cases(315), flat, Unit.LAYER, Limits()) is None
    assert round_up(cases(314), flat, Unit.LAYER, Limits()).ordered == 315
    assert round_up(cases(314), CAN, Unit.PALLET, Limits()).ordered == 324


def test_v7_a_mixed_case_goes_by_its_scarcest_component():
    mix = CatalogueItem(sku="MIX", name="Mix", components="COLA*6 LEMON*6")
    assert mixed_stock(mix, {"COLA": 40, "LEMON": 25}) == 4
    assert mixed_stock(mix, {"COLA": 40}) == 0
    assert mixed_stock(mix, {"COLA": 40, "LEMON": -3}) == 0
    assert mixed_stock(CAN, {}) == 0


def test_v8_fluid_ounces():
    assert (12 * ML_PER_US_FL_OZ).quantize(Decimal("0.1")) == Decimal("354.9")
    assert (24 * ML_PER_US_FL_OZ).quantize(Decimal("0.1")) == Decimal("709.8")
    assert fl_oz(Decimal(2000)).quantize(Decimal("0.001")) == Decimal("67.628")
    assert (128 * ML_PER_US_FL_OZ).quantize(Decimal("0.1")) == Decimal("3785.4")


@given(st.integers(0, 10**7))
def test_i11_units_there_and_back_are_the_same(base):
    parts = split(base, CAN)
    assert sum(number * CAN.factor(unit) for unit, number in parts.items()) == base
    number, left = whole(base, Unit.LAYER, CAN)
    assert number * CAN.factor(Unit.LAYER) + left == base
    assert round(case_equivalents(base, CAN) * 24) == base


@given(st.integers(1, 5000), st.sampled_from([Unit.LAYER, Unit.PALLET]))
def test_rounding_fills_and_never_cuts(ordered, multiple):
    found = round_up(cases(ordered), CAN, multiple, Limits())
    if found:
        assert found.ordered > ordered
        assert found.base % CAN.factor(Unit.LAYER) == 0


def test_an_item_counted_by_the_case_is_its_own_case():
    mix = CatalogueItem(sku="MIX", name="Mix", base_unit="CASE", cases_per_layer=9)
    sold = Catalogue([mix]).find(line("MIX", 10), None, DAY)
    assert sold is not None
    assert count(line("MIX", 10), sold).quantity.base == 10
    assert case_equivalents(10, mix) == 10
    assert split(10, mix) == {Unit.LAYER: 1, Unit.CASE: 1}


@pytest.mark.parametrize("wrong", ["5201234000002", "520-1234000001", "X"])
def test_a_number_with_a_wrong_check_digit_matches_nothing(wrong):
    assert found("X", gtin=wrong) is None


def test_a_volume_that_nobody_gave_is_not_nought():
    with pytest.raises(ValueError, match="volume_ml"):
        litres(24, CAN.model_copy(update={"volume_ml": None}))


def test_the_code_of_a_case_is_a_case():
    boxed = CatalogueItem(
        sku="COLA", name="C", gtin=EAN, case_gtin="35201234000002", units_per_case=24
    )
    sold = Catalogue([boxed]).find(line("X", gtin="35201234000002"), None, DAY)
    assert sold is not None
    assert sold.unit is Unit.CASE


@pytest.mark.parametrize("factor", [0, -1])
def test_a_pack_of_nothing_is_no_pack(factor):
    with pytest.raises(ValidationError, match="units_per_case"):
        CatalogueItem(sku="COLA", name="Cola", units_per_case=factor)


def test_a_negative_quantity_is_no_line():
    with pytest.raises(ValidationError, match="quantity"):
        line("COLA", -1)


def test_components_are_written_with_their_number():
    with pytest.raises(ValidationError, match=r"COLA330\*6"):
        CatalogueItem(sku="MIX", name="Mix", components="COLA330x6")
