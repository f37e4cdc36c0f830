from __future__ import annotations

from datetime import date

import pytest

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.units import Unit
from fizzbridge.trade.packs import Catalogue, count
from tests.kit.house import line

DAY = date(2026, 11, 20)
EAN = "5201234000001"
COLA = CatalogueItem(sku="COLA", name="Cola", gtin=EAN, units_per_case=24, case_sku="COLA-CASE")
LEMON = CatalogueItem(sku="LEMON", name="Lemon")
LIME = CatalogueItem(sku="LIME", name="Lime", gtin="036000291452")
CATALOGUE = Catalogue([COLA, LEMON, LIME])


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
