"""What a shop shows of stock, prices and products: always the latest, in few calls, once."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from fizzbridge.errors import (
    ConfigurationError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.model.catalogue import CatalogueItem, Price, Product, StockLevel
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.money import Money
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Unit
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import Assessor
from fizzbridge.runtime.batch import Again, Message, process
from fizzbridge.runtime.breaker import STOPPED_WAIT, read
from fizzbridge.runtime.links import REAL_ATTEMPTS
from fizzbridge.runtime.loading import Loader
from fizzbridge.state.table import TableUnavailableError, Write
from tests.kit.house import ITEMS, START, Held, line
from tests.kit.way_back import BACK, WayBack

COLA = {"COLA330-CASE@": "8", "COLA330-PALLET@": "0", "COLA330@": "200"}


@pytest.fixture
def house():
    house = WayBack()
    house.stock("COLA330", 200)
    house.settle()
    return house


def test_stock_is_shown_in_every_code_in_whole_units(house):
    assert house.shown() == COLA
    assert len(house.shelves[Kind.STOCK_LEVEL].writes) == 1


def test_a_burst_becomes_one_write_of_the_last(house):
    for on_hand in (96, 97, 98, 99):
        level = house.stock("COLA330", on_hand)
        house.assess_all()
        outcome = house.levels.run([level], f"at {on_hand}")[level]
        assert outcome.kind == "retry"
        assert outcome.after > timedelta(0)
    house.settle()
    assert house.shown()["COLA330@"] == "99"
    assert len(house.shelves[Kind.STOCK_LEVEL].writes) == 2


def test_what_is_as_it_was_is_not_written(house):
    house.stock("COLA330", 100)
    house.stock("COLA330", 200)
    house.settle()
    assert len(house.shelves[Kind.STOCK_LEVEL].writes) == 1


def test_many_go_in_one_call_and_no_more_than_it_takes():
    items = [CatalogueItem(sku=f"S{number}", name="S") for number in range(10)]
    house = WayBack(items=items)
    for item in items:
        house.stock(item.sku, 7)
    house.settle()
    assert house.shown() == {f"{item.sku}@": "7" for item in items}
    sizes = [len(write) for write in house.shelves[Kind.STOCK_LEVEL].writes]
    assert max(sizes) == 4
    assert len(sizes) <= 4


def test_one_bad_item_fails_alone_and_is_parked(house):
    shelf = house.shelves[Kind.STOCK_LEVEL]
    lemon = house.stock("LEMON1L", 60)
    house.stock("COLA330", 48)
    shelf.refuse[lemon] = TargetRejectedError("no such unit")
    house.settle()
    assert house.shown()["COLA330@"] == "48"
    assert house.link(lemon, "shop")["status"] == "parked"
    shelf.refuse.clear()
    house.stock("LEMON1L", 61)
    house.settle()
    assert house.shown()["LEMON1L@"] == "61"


def test_an_order_takes_stock_at_once_and_its_item_goes_first():
    items = [*ITEMS, *(CatalogueItem(sku=f"S{number}", name="S") for number in range(8))]
    house = WayBack(items=items)
    for item in items:
        house.stock(item.sku, 100)
    house.settle()
    shelf = house.shelves[Kind.STOCK_LEVEL]
    done = len(shelf.writes)
    for number in range(8):
        house.stock(f"S{number}", 50)
    house.clock.advance(10)
    house.place(lines=[line("COLA330", 10)])
    house.assess_all()
    house.until(lambda: len(shelf.writes) > done)
    assert str(shelf.writes[done][0]) == "StockLevel#erp/COLA330@WH"
    house.settle()
    assert house.shown()["COLA330@"] == "90"


def test_a_call_nobody_answered_is_waited_out_and_done_again(house):
    shelf = house.shelves[Kind.STOCK_LEVEL]
    shelf.fail, shelf.is_silent = OutcomeUnknownError("no answer"), True
    level = house.stock("COLA330", 100)
    house.until(lambda: len(shelf.writes) == 2)
    link = house.link(level, "shop")
    assert "stamp" not in link
    assert link["intent"]
    shelf.fail = None
    sent_at = house.clock()
    house.stock("COLA330", 200)
    house.settle()
    assert house.shown() == COLA
    assert house.clock() - sent_at >= timedelta(seconds=50)


def test_a_refused_call_is_done_again_without_a_wait(house):
    shelf = house.shelves[Kind.STOCK_LEVEL]
    shelf.fail = RateLimitedError("slow down", retry_after=timedelta(seconds=3))
    level = house.stock("COLA330", 100)
    house.until(lambda: len(shelf.writes) == 2)
    assert "intent" not in house.link(level, "shop")
    shelf.fail = None
    house.settle()
    assert house.shown()["COLA330@"] == "100"


def test_what_moves_while_it_is_written_is_written_again(house):
    shelf = house.shelves[Kind.STOCK_LEVEL]
    shelf.meanwhile = lambda: (house.stock("COLA330", 5), house.assess_all())
    house.stock("COLA330", 100)
    house.settle()
    assert house.shown()["COLA330@"] == "5"


def test_places_that_are_one_to_the_shop_are_added_up():
    house = WayBack()
    house.map("location", "loc-1", "WH")
    house.stock("COLA330", 30)
    house.stock("COLA330", 100, "FAR")
    house.settle()
    assert house.shown()["COLA330@loc-1"] == "30"
    house = WayBack()
    house.stock("COLA330", 30)
    house.stock("COLA330", 100, "FAR")
    house.settle()
    assert house.shown()["COLA330@"] == "130"
    house.stock("COLA330", 31)
    house.settle()
    assert house.shown()["COLA330@"] == "131"
    house.told(house.stock("COLA330", 31, "FAR"), None)
    house.settle()
    assert house.shown()["COLA330@"] == "31"


def test_a_mixed_case_goes_by_its_scarcest_component_whichever_moves():
    mix = CatalogueItem(sku="MIX", name="Mix", components="COLA330*6 LEMON1L*6")
    house = WayBack(items=[*ITEMS, mix])
    house.stock("COLA330", 60)
    house.settle()
    assert house.shown()["MIX@"] == "0"
    house.stock("LEMON1L", 30)
    house.settle()
    assert house.shown()["MIX@"] == "5"
    house.stock("LEMON1L", 90)
    house.settle()
    assert house.shown()["MIX@"] == "10"
    house.place(lines=[line("MIX", 4)])
    house.settle()
    assert house.shown()["MIX@"] == "6"
    assert house.shown()["COLA330@"] == "36"


def test_the_shops_own_codes_are_used():
    house = WayBack()
    house.map("sku", "KISTE-COLA", "COLA330-CASE")
    house.stock("COLA330", 240)
    house.settle()
    assert house.shown() == {"KISTE-COLA@": "10", "COLA330-PALLET@": "0", "COLA330@": "240"}


def test_an_item_kept_in_cases_is_counted_in_cans():
    house = WayBack()
    house.stock("COLA330-CASE", 10)
    house.settle()
    assert house.shown()["COLA330@"] == "240"


def test_a_level_that_grows_old_is_believed_less_and_less():
    item = CatalogueItem(sku="COLA330", name="Cola", daily_demand="240")
    house = WayBack(items=[item])
    house.stock("COLA330", 100)
    house.settle()
    assert house.shown()["COLA330@"] == "100"
    house.clock.advance(2 * 3600)
    house.settle()
    first = int(house.shown()["COLA330@"])
    assert first <= 80
    house.clock.advance(3 * 3600)
    house.settle()
    assert int(house.shown()["COLA330@"]) <= first - 30
    house.stock("COLA330", 100)
    house.settle()
    assert house.shown()["COLA330@"] == "100"


def test_prices_take_turns_by_their_dates_though_nobody_says_a_word():
    house = WayBack()
    start = house.clock()
    house.price("COLA330", "0.65")
    house.price("COLA330", "0.59", "july", valid_from=start + timedelta(hours=1))
    end = start + timedelta(hours=3)
    house.price("COLA330", "0.49", "sale", valid_from=start + timedelta(hours=2), valid_to=end)
    house.settle()
    assert house.shown(Kind.PRICE) == {"COLA330  1+": "0.65"}
    for shown in ("0.59", "0.49", "0.59"):
        house.clock.advance(3600)
        house.settle()
        assert house.shown(Kind.PRICE) == {"COLA330  1+": shown}


def test_lists_and_steps_go_under_the_shops_names():
    house = WayBack()
    house.map("pricelist", "gid-7", "TRADE")
    house.price("COLA330-CASE", "14.40")
    house.price("COLA330-CASE", "12.00", "t1", price_list="TRADE")
    house.price("COLA330-CASE", "11.00", "t9", price_list="TRADE", min_quantity=9)
    house.price("COLA330-CASE", "1.00", "other", price_list="NOT-HERE")
    house.settle()
    assert house.shown(Kind.PRICE) == {
        "COLA330-CASE  1+": "14.40",
        "COLA330-CASE gid-7 1+": "12.00",
        "COLA330-CASE gid-7 9+": "11.00",
    }
    house.told(house.price("COLA330-CASE", "9.99", "t9", price_list="TRADE"), None)
    house.settle()
    assert "COLA330-CASE gid-7 9+" not in house.shown(Kind.PRICE)


def test_prices_that_stay_are_spoken_for_when_the_first_goes_to_another_item():
    house = WayBack()
    house.map("pricelist", "gid-7", "TRADE")
    first = house.price("COLA330", "0.65", "a")
    second = house.price("COLA330", "0.50", "b", price_list="TRADE")
    third = house.price("COLA330", "0.40", "c", price_list="OTHER")
    house.settle()
    assert house.record(first).priced
    house.told(first, lemon_price("0.99"))
    house.settle()
    assert [len(house.record(one).priced) for one in (first, second, third)] == [1, 2, 0]
    shown = house.shelves[Kind.PRICE].held
    assert shown[second].text == ("COLA330 gid-7 1+ 0.50",)
    assert shown[first].text == ("LEMON1L  1+ 0.99",)
    spoken = house.rows.query("ITEM#COLA330", "OWNED#")
    assert [row["sk"] for row in spoken] == [f"OWNED#{second}", f"OWNED#{third}"]


def lemon_price(amount):
    return Price(
        product=ref(Kind.PRODUCT, "erp", "LEMON1L"),
        sku="LEMON1L",
        unit=Unit.EACH,
        price=Money(amount=Decimal(amount), currency="GBP"),
        tax_included=False,
    )


def test_a_level_and_a_price_without_a_code_hear_that_their_product_has_another():
    house = WayBack()
    product = house.product("COLA330")
    level = house.stock("COLA330", 60)
    body = Loader(house.rows, house.objects).view(level).body(Part.RECORD, StockLevel)
    house.told(level, body.model_copy(update={"sku": None}))
    price = ref(Kind.PRICE, "erp", "COLA330:")
    house.told(price, lemon_price("0.99").model_copy(update={"sku": None, "product": product}))
    house.settle()
    assert house.shown(Kind.PRICE) == {"COLA330  1+": "0.99"}
    house.told(product, Product(sku="LEMON1L", name="Lemon"))
    house.settle()
    assert house.shown(Kind.PRICE) == {"LEMON1L  1+": "0.99"}
    assert house.shown()["LEMON1L@"] == "60"


def test_prices_of_other_currencies_and_ways_of_taxing_hide_nothing():
    house = WayBack()
    for part, amount, more in (
        ("a", "0.75", {"currency": "EUR"}),
        ("b", "0.65", {}),
        ("c", "0.78", {"tax_included": True}),
    ):
        house.price("COLA330", amount, part, **more)
    house.settle()
    assert house.shown(Kind.PRICE) == {"COLA330  1+": "0.65"}


def test_a_new_price_has_only_the_one_who_speaks_look_again():
    house = WayBack()
    house.map("pricelist", "gid-7", "TRADE")
    looked = 0
    for number in range(20, 0, -1):  # each comes before those there are, and speaks from then on
        house.price("COLA330", "0.65", f"{number:02}", price_list=f"L{number}")
        looked += house.assess_all()
    first = house.price("COLA330", "0.55", "00", price_list="TRADE")
    last = house.price("COLA330", "0.45", "99")
    looked += house.assess_all()
    assert looked <= 3 * 22
    house.settle()
    assert house.shown(Kind.PRICE) == {"COLA330 gid-7 1+": "0.55", "COLA330  1+": "0.45"}
    second = ref(Kind.PRICE, "erp", "COLA330:01")
    assert [len(house.record(one).priced) for one in (first, second, last)] == [22, 0, 0]


def a_newcomer_while_another_moves(at):
    """A price comes that speaks from then on; another moves at a step of its assessment."""
    house = WayBack()
    house.price("COLA330", "0.65", "b")
    other = house.price("COLA330", "0.50", "c", price_list="TRADE")
    house.settle()
    first = house.price("COLA330", "0.40", "a", price_list="VIP")
    steps = count(1)

    def step():
        if next(steps) == at:
            house.price("COLA330", "0.45", "c", price_list="TRADE")
            house.assessor.run(other, "meanwhile")

    house.steps.step = step
    house.assessor.run(first, "first")
    house.steps.step = lambda: None
    house.settle()
    prices = {one.price_list: str(one.price.amount) for one in house.record(first).priced}
    return prices, next(steps) - 1


@pytest.mark.parametrize("at", range(1, 1 + a_newcomer_while_another_moves(0)[1]))
def test_a_price_that_moves_at_any_step_of_a_newcomers_assessment_is_shown(at):
    prices, steps = a_newcomer_while_another_moves(at)
    assert steps >= at
    assert prices == {"": "0.65", "TRADE": "0.45", "VIP": "0.40"}


def test_an_item_that_is_not_sold_any_more_is_taken_off():
    house = WayBack()
    house.product("COLA330")
    house.settle()
    assert set(house.shown(Kind.PRODUCT).values()) == {"True"}
    house.product("COLA330", is_active=False)
    house.settle()
    assert set(house.shown(Kind.PRODUCT).values()) == {"False"}


def test_the_shop_hears_of_its_order_and_never_loses_it():
    house = WayBack()
    order = house.place()
    house.settle()
    assert house.notes.told == []
    house.process(order, "S00042", OrderState.CONFIRMED)
    house.settle()
    assert house.notes.told == [("update", ("1", "S00042", ()))]
    house.process(order, "S00042", OrderState.CANCELLED)
    house.settle()
    assert house.notes.told[1:] == [("cancel", "1")]


def test_an_order_cancelled_before_anything_was_told_of_it_is_cancelled_in_the_shop():
    house = WayBack()
    order = house.place()
    house.settle()
    house.process(order, "S00042", OrderState.CANCELLED)
    house.settle()
    assert house.notes.told == [("cancel", "1")]


# -- what the shop says back -----------------------------------------------------------------------

SHOWN = ref(Kind.PRICE, "shop", "v-COLA330")


def own_words(house, sku, amount, **more):
    """The shop's webhook about a product of its own: what it asks for it."""
    house.told(
        ref(Kind.PRICE, "shop", f"v-{sku}"),
        Price(
            product=ref(Kind.PRODUCT, "shop", f"v-{sku}"),
            sku=sku,
            unit=Unit.EACH,
            price=Money(amount=Decimal(amount), currency="GBP"),
            tax_included=False,
        ),
        by="shop",
        **more,
    )
    house.settle()


def drift(house):
    return [event for kind, event in house.events if kind == "DriftFound"]


def bridged(**shop):
    house = WayBack()
    first, second = house.bridge.connections
    changed = {"connections": (first.model_copy(update=shop), second)}
    house.bridge = house.bridge.model_copy(update=changed)
    house.rules = replace(house.rules, bridge=house.bridge)
    house.assessor = Assessor(house.table, house.objects, house.rules, house.clock)
    return house


def priced(**shop):
    house = bridged(**shop)
    house.price("COLA330", "0.65")
    house.settle()
    own_words(house, "COLA330", "0.65")
    return house


def writes(house):
    return len(house.shelves[Kind.PRICE].writes)


def test_our_own_write_coming_back_stops_there():
    house = priced()
    known, events = writes(house), len(house.events)
    own_words(house, "COLA330", "0.65")
    assert writes(house) == known
    assert drift(house) == []
    assert [kind for kind, _ in house.events[events:]] in ([], ["EntityObserved"])


def test_a_change_on_its_way_is_no_drift():
    house = priced()
    house.price("COLA330", "0.70")
    own_words(house, "COLA330", "0.65", at=house.clock())
    assert drift(house) == []
    own_words(house, "COLA330", "0.70")
    assert drift(house) == []


def test_what_a_person_changes_in_the_shop_is_reported_and_let_be():
    house = priced()
    known = writes(house)
    own_words(house, "COLA330", "0.99")
    (event,) = drift(house)
    assert (event.differences[0].owner_says, event.differences[0].told) == ("0.65 GBP", "0.99 GBP")
    assert writes(house) == known


def test_where_it_is_to_be_corrected_it_is_written_over_once():
    house = priced(drift="correct")
    known = writes(house)
    own_words(house, "COLA330", "0.99")
    assert writes(house) == known + 1
    own_words(house, "COLA330", "0.65")
    own_words(house, "COLA330", "0.98")
    assert writes(house) == known + 2, "another change is another correction"


def test_a_value_the_shop_does_not_hold_is_written_over_once_and_reported_once():
    house = priced(drift="correct")
    known = writes(house)
    for _ in range(4):
        own_words(house, "COLA330", "0.66")
    assert writes(house) == known + 1
    assert [one.differences[0].is_unholdable for one in drift(house)] == [False, True]
    house.price("COLA330", "0.70")
    house.settle()
    assert house.shown(Kind.PRICE) == {"COLA330  1+": "0.70"}


def test_what_the_shop_begins_to_sell_is_shown_at_once():
    house = WayBack()
    house.price("COLA330", "0.65")
    house.settle()
    known = writes(house)
    own_words(house, "COLA330", "0.00")
    assert writes(house) == known + 1


def test_another_program_in_the_shop_is_not_fought_for_ever():
    house = priced(drift="correct")
    known = writes(house)
    for _ in range(6):
        own_words(house, "COLA330", "0.99")
        own_words(house, "COLA330", "0.65")
    assert writes(house) == known + 3
    assert [one.differences[0].is_unholdable for one in drift(house)] == [False] * 3 + [True]
    own_words(house, "COLA330", "0.99")
    assert house.link(SHOWN, "assess")["status"] == "differs"


def test_what_the_shop_did_not_hold_is_forgotten_with_the_owners_next_word():
    house = priced(drift="correct")
    for _ in range(3):
        own_words(house, "COLA330", "0.66")
    house.price("COLA330", "0.70")
    house.settle()
    own_words(house, "COLA330", "0.70")
    known = writes(house)
    own_words(house, "COLA330", "0.99")
    assert writes(house) == known + 1


def test_the_first_word_of_a_shop_may_differ_and_is_corrected_like_any_other():
    house = bridged(drift="correct")
    house.price("COLA330", "0.65")
    house.settle()
    known = writes(house)
    own_words(house, "COLA330", "0.99")
    assert writes(house) == known + 1
    own_words(house, "COLA330", "0.99")
    assert writes(house) == known + 1
    assert [one.differences[0].is_unholdable for one in drift(house)] == [False, True]


def test_an_item_of_very_many_prices_is_shown_anew_by_the_one_who_speaks():
    house = WayBack()
    for number in range(101):
        house.price("COLA330", "0.65", f"{number:03}", price_list=f"L{number}" if number else "")
    house.drain(2000)
    known = writes(house)
    own_words(house, "COLA330", "0.65")
    assert writes(house) == known + 1
    assert house.link(SHOWN, "assess")["status"] == "synced"


# -- what may go wrong beside it -------------------------------------------------------------------


def test_a_lost_call_and_then_back_again_is_not_taken_for_done():
    house = WayBack()
    house.price("COLA330", "0.65")
    house.settle()
    shelf = house.shelves[Kind.PRICE]
    shelf.fail, shelf.is_silent = OutcomeUnknownError("no answer"), True
    house.price("COLA330", "0.70")
    house.until(lambda: len(shelf.writes) == 2)
    shelf.fail = None
    house.price("COLA330", "0.65")
    house.assess_all()
    house.settle(20)
    assert house.shown(Kind.PRICE) == {"COLA330  1+": "0.65"}


def test_there_and_back_within_the_settle_time_leaves_nothing_behind():
    house = WayBack()
    house.price("COLA330", "0.65")
    house.settle()
    price = house.price("COLA330", "0.70")
    house.assess_all()
    house.price("COLA330", "0.65")
    house.settle()
    assert house.sweep() == 0
    assert "behind_since" not in house.link(price, "shop")


@pytest.mark.parametrize("error", [TargetRejectedError("400: item 1 is invalid"), KeyError("item")])
def test_one_poisonous_item_does_not_park_its_neighbours(error):
    items = [CatalogueItem(sku=f"S{number}", name="S") for number in range(4)]
    house = WayBack(items=items)
    levels = [house.stock(one.sku, 7) for one in items]
    house.shelves[Kind.STOCK_LEVEL].poison = (levels[0], error)
    house.settle()
    assert [house.link(one, "shop")["status"] for one in levels[1:]] == ["synced"] * 3
    assert house.link(levels[0], "shop")["status"] != "synced"


def test_a_map_changed_during_a_batch_reaches_every_item_of_it():
    house = WayBack()
    first, second = house.stock("COLA330", 48), house.stock("LEMON1L", 60)
    house.assess_all()
    house.clock.advance(60)
    shelf = house.shelves[Kind.STOCK_LEVEL]

    def mapped():
        house.map("sku", "ZITRONE", "LEMON1L")
        for one in (first, second):
            house.rows.write(rows.want(one, "shop", "shown again", house.clock()))

    shelf.meanwhile = mapped
    house.levels.run([first, second], "h")
    house.settle()
    assert "ZITRONE@" in house.shown()


def test_what_is_offered_no_more_is_taken_down():
    house = WayBack()
    house.map("location", "loc-1", "WH")
    level = house.stock("COLA330", 30)
    house.settle()
    assert house.shown()["COLA330@loc-1"] == "30"
    house.rows.write(Write("MAP#shop#location", "loc-1", delete=True))
    house.map("location", "loc-2", "FAR")
    house.rows.write(rows.want(level, "shop", "shown again", house.clock()))
    house.settle()
    assert house.shown()["COLA330@loc-1"] == "0"


def test_a_product_its_owner_deleted_is_not_sold_on():
    house = WayBack()
    product = house.product("COLA330")
    house.settle()
    house.told(product, None)
    house.settle()
    assert set(house.shown(Kind.PRODUCT).values()) == {"False"}


def record(name, body):
    """A message as SQS hands it to Lambda."""
    return {
        "messageId": name,
        "body": json.dumps(body),
        "receiptHandle": "r",
        "eventSourceARN": "a",
        "attributes": {"ApproximateReceiveCount": "1"},
    }


def test_a_batch_that_cannot_be_begun_is_worked_off_one_by_one(house):
    level = house.stock("COLA330", 48)
    house.assess_all()
    house.clock.advance(60)
    good = {"detail": {"kind": "StockLevel", "key": level.key}}
    records = [record("bad", {"detail": {}}), record("good", good)]
    worker = house.worker
    answer = process({"Records": records}, worker.work, lambda *_: None, worker.together)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert house.shown()["COLA330@"] == "48"
    assert house.link(level, "shop")["attempts"] == 0


def test_waiting_for_a_place_on_the_line_writes_nothing(house):
    level = house.stock("COLA330", 48)
    house.assess_all()
    house.clock.advance(60)
    house.is_full = True
    before = house.rows.rows()
    assert house.levels.run([level], "h")[level].kind == "retry"
    assert house.rows.rows() == before


def test_an_order_the_shop_deleted_is_not_cancelled_there():
    house = WayBack()
    order = house.place()
    house.settle()
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    house.told(order, None, part=Part.REQUEST, by="shop")
    house.settle()
    assert ("cancel", "1") not in house.notes.told


def test_our_own_cancellation_at_an_erp_is_not_the_orders_end():
    to_erp = {"kinds": ["Order"], "from": ["shop"], "to": ["erp"], "where": {"currency": ["GBP"]}}
    house = WayBack(routes=[to_erp, BACK])
    order = house.place()
    house.settle()
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    cancel = house.orders.cancel

    def cancelled(vendor, external_id):
        cancel(vendor, external_id)
        house.process(order, "S1", OrderState.CANCELLED)  # the ERP's webhook is quick
        house.assess_all()

    house.orders.cancel = cancelled
    house.place(currency="EUR", shop_currency="EUR", second=30)
    house.settle()
    assert ("cancel", "1") not in house.notes.told


def test_cans_and_cases_kept_at_one_place_add_up_and_claims_count_once():
    house = WayBack()
    house.stock("COLA330", 24)
    house.stock("COLA330-CASE", 10)
    house.settle()
    assert house.shown()["COLA330@"] == "264"
    order = house.place(lines=[line("COLA330", 100)])
    house.settle()
    assert house.shown()["COLA330@"] == "164"
    assert not [row for row in house.rows.query(str(order), "HOLD#") if "cause" in row]


def test_levels_in_any_order_end_alike():
    house = WayBack()
    start = house.clock()
    for second, on_hand in ((1, 50), (3, 50), (2, 100)):
        at = start + timedelta(seconds=second)
        house.stock("COLA330", on_hand, as_of=at, at=at)
    house.settle()
    assert house.shown()["COLA330@"] == "50"


def test_an_order_the_shop_deleted_is_not_cancelled_there_whoever_says_so_first(house):
    order = house.place()
    house.settle()
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    house.told(order, None, part=Part.REQUEST, by="shop")
    house.until(lambda: house.orders.of("shop/1")[0].is_cancelled)
    house.process(order, "S1", OrderState.CANCELLED)
    house.settle()
    assert ("cancel", "1") not in house.notes.told


def test_an_order_from_before_the_cut_over_is_never_cancelled_in_the_shop(house):
    house.orders.objects["Order-9"] = Held("shop/1")
    order = house.place(placed_at=START - timedelta(days=1))
    house.settle()
    house.process(order, "S1", OrderState.CANCELLED)
    house.settle()
    assert house.notes.told == []


# -- who goes along in a call ----------------------------------------------------------------------


def message(level, number=1):
    return Message(f"m{number}", {"detail": {"kind": level.kind, "key": level.key}}, 1)


def together(house, level, number=1):
    """The worker has one message; whether it is to come back."""
    return house.worker.together([message(level, number)])[f"m{number}"]


def waits(house, level):
    """How long a message waits each time before it is done."""
    found = []
    while again := together(house, level, len(found)):
        found.append(again.after)
        assert len(found) < 100, "it never ends"
        house.clock.advance((again.after or timedelta(seconds=2)).total_seconds() + 0.05)
    return found


@pytest.fixture
def two(house):
    """Two levels are behind; a message names the first, and the other goes along."""
    named, extra = house.stock("COLA330", 100), house.stock("LEMON1L", 60)
    house.assess_all()
    house.clock.advance(60)
    house.messages.clear()
    return named, extra


def test_who_goes_along_with_a_message_is_written(house, two):
    assert together(house, two[0]) is None
    assert (house.shown()["COLA330@"], house.shown()["LEMON1L@"]) == ("100", "60")


def test_a_dead_shop_is_not_called_without_a_pause(house, two):
    house.shelves[Kind.STOCK_LEVEL].fail = TargetUnavailableError("503")
    assert together(house, two[0]) == Again(None)


def test_a_healthy_message_does_not_go_round_without_a_pause_for_another_item(house, two):
    named, extra = two
    shelf = house.shelves[Kind.STOCK_LEVEL]
    shelf.refuse = {extra: TargetUnavailableError("locked")}
    assert together(house, named) == Again(None)
    shelf.refuse = {}
    assert together(house, named, 2) is None
    assert house.shown()["LEMON1L@"] == "60"


def test_a_bad_key_is_told_though_another_item_failed_with_it(house, two):
    house.shelves[Kind.STOCK_LEVEL].fail = ConfigurationError("401")
    assert together(house, two[0]) == Again(STOPPED_WAIT)
    assert read(house.rows, "shop").name == "open"


def test_who_waits_for_a_place_on_the_line_waits_as_long_as_it_says(house, two):
    house.is_full = True
    assert together(house, two[0]) == Again(timedelta(seconds=2))


def test_a_lost_call_of_others_does_not_make_a_message_go_round(house, two):
    shelf = house.shelves[Kind.STOCK_LEVEL]
    shelf.fail = OutcomeUnknownError("no answer")
    together(house, two[0])
    shelf.fail = None
    third = house.stock("COLA330", 190, "FAR")
    house.assess_all()
    house.clock.advance(40)
    assert len(waits(house, third)) <= 3
    assert house.shown()["COLA330@"] == "290"


def test_a_change_while_an_extra_is_written_waits_for_no_sweeper(house, two):
    named, extra = two

    def moved():
        house.stock("LEMON1L", 5)
        house.assess_all()
        house.messages.clear()
        assert together(house, extra, 9) is None, "it is being written: its message goes"

    house.shelves[Kind.STOCK_LEVEL].meanwhile = moved
    assert waits(house, named)
    assert house.shown()["LEMON1L@"] == "5"


@pytest.mark.parametrize("is_named", [True, False])
def test_who_is_parked_beside_others_leaves_a_pointer_in_the_dlq(house, two, is_named):
    named, extra = two
    bad, other = two if is_named else (extra, named)
    refuse = {bad: TargetRejectedError("no such place"), other: TargetUnavailableError("locked")}
    house.shelves[Kind.STOCK_LEVEL].refuse = refuse
    together(house, named)
    assert house.link(bad, "shop")["status"] == "parked"
    assert house.parked == [bad]


def test_what_was_sold_stays_urgent_though_it_is_counted_meanwhile(house):
    level = ref(Kind.STOCK_LEVEL, "erp", "COLA330@WH")
    house.place(lines=[line("COLA330", 60)])
    house.assess_all()
    urgent = rows.urgent_shard("shop")
    assert house.link(level, "shop")["behind_shard"] == urgent
    house.stock("COLA330", 199)
    house.assess_all()
    assert house.link(level, "shop")["behind_shard"] == urgent


def test_a_table_that_is_away_for_a_moment_is_no_attempt(house):
    level = house.stock("COLA330", 48)
    house.assess_all()
    house.clock.advance(60)

    def away():
        house.steps.step = lambda: None
        raise TableUnavailableError("throttled")

    house.steps.step = away
    worker, event = house.worker, {"Records": [record("m1", message(level).body)]}
    process(event, worker.work, lambda *_: None, worker.together)
    link = house.link(level, "shop")
    assert (link.get("reason"), link.get("attempts", 0)) == (None, 0)
    house.settle()
    assert house.shown()["COLA330@"] == "48"


def test_f17_a_table_that_fails_again_and_again_counts_against_no_level():
    """At the same step of every batch: before a call or, done and unheard, after it."""
    strikes: Counter[int] = Counter()
    for at in count(1):
        house = WayBack()
        levels = [house.stock("COLA330", 48), house.stock("LEMON1L", 48)]
        house.assess_all()
        house.clock.advance(60)
        messages = [message(level, number) for number, level in enumerate(levels)]
        quiet = house.steps.step
        for _ in range(REAL_ATTEMPTS + 2):
            left = count(at, -1)

            def step(left=left, at=at):
                if next(left) == 1:
                    strikes[at] += 1
                    raise TableUnavailableError("throttled")

            house.steps.step = step
            with suppress(TableUnavailableError):
                house.worker.together(messages)
            house.clock.advance(house.bridge.timing.lease + 1)
        house.steps.step = quiet
        for link in (house.link(level, "shop") for level in levels):
            assert (link.get("attempts", 0), link["status"] == "parked") == (0, False), at
        house.settle()
        assert {house.shown()[code] for code in ("COLA330@", "LEMON1L@")} == {"48"}
        if not strikes[at]:
            break
    assert strikes.total() > 100


def test_f17_a_batch_that_the_table_failed_can_be_taken_up_at_once(house):
    level = house.stock("COLA330", 48)
    house.assess_all()
    house.clock.advance(60)
    house.shelves[Kind.STOCK_LEVEL].poison = (level, TableUnavailableError("throttled"))
    with pytest.raises(TableUnavailableError):
        together(house, level)
    assert "holder" not in house.link(level, "shop")


# -- what nobody speaks for any more ---------------------------------------------------------------


@pytest.mark.parametrize("code", ["LEMON1L", "COLA330-OLD"], ids=["another item", "no item"])
def test_a_code_that_its_level_goes_by_no_more_is_taken_down(house, code):
    house.stock(code, 60, key="COLA330")
    house.settle()
    assert house.shelves[Kind.STOCK_LEVEL].said["COLA330@"] == "0"


def test_what_the_buyer_cancelled_in_the_shop_is_not_cancelled_there_again():
    house = WayBack()
    order = house.place()
    house.settle()
    house.process(order, "S1", OrderState.CONFIRMED)
    house.settle()
    house.place(cancelled_at=START + timedelta(seconds=30), second=30)
    house.settle()
    assert ("cancel", "1") not in house.notes.told
