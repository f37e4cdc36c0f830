"""Maps: rows people write so that what is held goes on."""

import pytest

from fizzbridge.runtime.facts import facts
from fizzbridge.runtime.rows import map_pk


def test_what_is_set_is_listed_until_it_is_unset(fizzbridge):
    ran = fizzbridge("map", "set", "shop-uk", "sku", "COLA", "COLA330", "--json")
    assert ran.data == {
        "connection": "shop-uk",
        "sort": "sku",
        "value": "COLA",
        "mapped": "COLA330",
        "held": 0,
        "shown_again": 0,
    }
    listed = fizzbridge("map", "list", "shop-uk", "sku", "--json")
    assert listed.data == [{"value": "COLA", "mapped": "COLA330"}]
    assert fizzbridge("map", "unset", "shop-uk", "sku", "COLA").code == 0
    assert fizzbridge("map", "list", "shop-uk", "sku", "--json").data == []


def test_who_sets_a_row_hears_how_much_was_held_for_it(fizzbridge, shop):
    shop.order(1, sku="NOSUCH")
    shop.order(2, sku="NOSUCH")
    assert "2 held for it" in fizzbridge("map", "set", "shop-uk", "sku", "NOSUCH", "COLA330").out
    mistyped = fizzbridge("map", "set", "shop-uk", "sku", "NOSUHC", "COLA330")
    assert "Nothing was held for it" in mistyped.out


def test_a_row_that_was_set_is_announced_with_its_cause(fizzbridge, stack):
    fizzbridge("map", "set", "shop-uk", "sku", "COLA", "COLA330")
    row = stack.table.get(map_pk("shop-uk", "sku"), "COLA")
    [(_, event)] = facts(None, row, stack.objects)
    assert event.cause == "MAP#shop-uk#sku/COLA"


def test_a_map_is_shown_as_a_table(fizzbridge):
    fizzbridge("map", "set", "erp", "tax", "20", "VAT 20%")
    shown = fizzbridge("map", "list", "erp", "tax").out
    assert "VAT 20%" in shown
    assert fizzbridge("map", "list", "erp", "sku").out == "erp has no sku mapped.\n"


def test_mistakes_are_one_line(fizzbridge):
    ran = fizzbridge("map", "unset", "erp", "sku", "COLA")
    assert (ran.code, ran.err) == (1, "Error: MAP#erp#sku/COLA is not mapped.\n")
    assert "needs something to be mapped to" in fizzbridge("map", "set", "erp", "sku", "A", "").err
    assert "There is no connection 'erb'" in fizzbridge("map", "list", "erb", "sku").err


def test_the_maps_there_are_are_listed_with_what_they_map(fizzbridge):
    known = fizzbridge("map", "list", "shop-uk", "--json").data
    assert "sku" in known
    assert all(known.values())
    assert "sku" in fizzbridge("map", "list", "shop-uk").out


@pytest.mark.parametrize(
    "order", [("set", "skus", "A", "B"), ("unset", "skus", "A"), ("list", "skus")]
)
def test_a_map_nobody_reads_is_refused_with_the_nearest(fizzbridge, order):
    verb, *rest = order
    told = fizzbridge("map", verb, "shop-uk", *rest)
    assert told.code == 1
    assert "has no map 'skus'" in told.err
    assert "did you mean 'sku'? It has: " in told.err
