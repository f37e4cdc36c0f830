"""Every rule at work: orders come in by webhook, `fizzbridge explain` shows what was made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge.model.catalogue import CatalogueItem, ListPrice, Receipt
from fizzbridge.model.customer import Credit, Terms
from fizzbridge.model.documents import (
    Payment,
    Refund,
    RefundedLine,
    Return,
    ReturnState,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import HoldReason, LineType, OrderProcessing, PaymentStatus
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Unit
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances
from tests.kit.house import BRIDGE, SECOND
from tests.kit.wholesaler import ITEMS, Wholesaler, lot
from tests.unit.trade.rates import SCHEMES

CREDIT = {"currency": "EUR", "limit": "10000.00", "as_of": datetime(2026, 11, 20, tzinfo=UTC)}


def holds(house: Wholesaler, order) -> list[HoldReason]:
    return [hold.reason for hold in house.assessed(order).holds]


def amounts(house: Wholesaler, order, kind: LineType) -> list[Decimal]:
    return [line.amount for line in house.assessed(order).lines if line.type is kind]


def test_the_shop_is_answered_at_once():
    house = Wholesaler()
    house.order()
    assert set(house.answers) == {200}


def test_packs_are_counted_out():
    house = Wholesaler()
    (step,) = house.explain(house.order(), "pack")
    assert step["arithmetic"] == (
        "10 CASE × 24 = 240 EACH of COLA330 = 1 LAYER + 1 CASE, 79.2 l, 0.4000 EUR each"
    )


def test_amounts_and_taxes_of_the_shop_are_shown_line_by_line():
    house = Wholesaler()
    order = house.order()
    (goods,) = house.explain(order, "goods")
    assert (goods["arithmetic"], goods["amount"]) == ("Cola, case of 24: 10 × 9.60", "96.00")
    (tax,) = house.explain(order, "tax")
    assert tax["arithmetic"].startswith("96.00 × 23 %")
    assert tax["amount"] == "22.08"


def test_deposits_are_added_where_the_goods_go():
    house = Wholesaler(schemes=SCHEMES)
    order = house.order()
    (step,) = house.explain(order, "deposit")
    assert "240" in step["arithmetic"]
    assert "0.15" in step["arithmetic"]
    assert (step["amount"], step["valid_from"]) == ("36.00", "2024-02-01")
    totals = house.assessed(order).totals
    assert (totals.net, totals.tax, totals.gross) == (
        Decimal("132.00"),
        Decimal("22.08"),
        Decimal("154.08"),
    )


def test_a_later_touch_never_re_rates():
    house = Wholesaler(schemes=SCHEMES)
    order = house.order()
    dearer = [one.model_copy(update={"amount": one.amount * 2}) for one in SCHEMES]
    later = Wholesaler(schemes=dearer)
    house.assessor = later.assessor.__class__(house.rows, house.objects, later.rules, house.clock)
    house.desk.update(int(order.external_id), {"tags": ["touched"]})
    house.settle()
    assert amounts(house, order, LineType.DEPOSIT) == [Decimal("36.00")]
    assert amounts(house, house.order(), LineType.DEPOSIT) == [Decimal("72.00")]


def test_rates_wait_for_the_code_they_are_for():
    house = Wholesaler(schemes=SCHEMES)
    line = {"sku": "OLD-COLA", "title": "Cola", "quantity": 10, "price": "9.60"}
    order = house.order(lines=[line])
    assert holds(house, order) == [HoldReason.MAPPING]
    house.map("sku", "OLD-COLA", "COLA330-C24")
    assert amounts(house, order, LineType.DEPOSIT) == [Decimal("36.00")]
    assert holds(house, order) == []


def test_a_place_that_was_missing_is_rated_when_it_is_told():
    house = Wholesaler(schemes=SCHEMES)
    order = house.order(shipping_address=None)
    assert holds(house, order) == [HoldReason.COMPLIANCE]
    place = {"address1": "1 Quay", "city": "Cork", "zip": "1", "country_code": "IE"}
    house.desk.update(int(order.external_id), {"shipping_address": place | {"country": "Ireland"}})
    house.settle()
    assert amounts(house, order, LineType.DEPOSIT) == [Decimal("36.00")]


def test_after_its_release_an_order_is_checked_no_more():
    house = Wholesaler(credit={})
    order = house.order()
    assert holds(house, order) == [HoldReason.CREDIT]
    house.fizzbridge("hold", "release", order.key, "--why", "known for years")
    house.settle()
    body = OrderProcessing(number="S1", state=OrderState.RELEASED, changed_at=house.clock())
    seen = Seen(order, body, house.clock(), Part.PROCESSING)
    how = Circumstances(house.clock(), is_authoritative=True)
    house.observer.observe("erp", seen, SECOND, how)
    house.desk.update(int(order.external_id), {"note": "another word"})
    house.settle()
    assert holds(house, order) == []
    assert house.assessed(order).state is OrderState.RELEASED


def test_another_place_has_other_rates():
    house = Wholesaler(schemes=SCHEMES)
    order = house.order()
    moved = {"country_code": "FR", "country": "France"}
    address = {"address1": "1 Quai", "city": "Brest", "zip": "29200", **moved}
    house.desk.update(int(order.external_id), {"shipping_address": address})
    house.settle()
    assert amounts(house, order, LineType.DEPOSIT) == []


def test_empties_come_back_as_refunds_of_deposits():
    house = Wholesaler(schemes=SCHEMES, tax_rate=0.19, limits={"over_return_percent": 100})
    house.map("account", "7001", "shop/company:7001:8001")
    brought = [
        {"name": "empties crate-12", "value": "8"},
        {"name": "empties bottle-1l", "value": "101"},
    ]
    order = house.order("LEMON1000-CRATE", 10, "DE", note_attributes=brought)
    totals = house.assessed(order).totals
    assert (totals.net, totals.tax, totals.gross) == (
        Decimal("70.75"),
        Decimal("13.44"),
        Decimal("84.19"),
    )
    assert sum(amounts(house, order, LineType.DEPOSIT)) == Decimal("33.00")
    assert sum(amounts(house, order, LineType.DEPOSIT_REFUND)) == Decimal("27.15")


def test_more_empties_than_were_outstanding_wait_for_a_person():
    house = Wholesaler(schemes=SCHEMES, tax_rate=0.19)
    brought = [{"name": "empties crate-12", "value": "8"}]
    order = house.order("LEMON1000-CRATE", 10, "DE", note_attributes=brought)
    assert holds(house, order) == [HoldReason.LIMIT]
    (step,) = house.explain(order, "empties ledger")
    assert step["arithmetic"] == "0 outstanding - 8 brought = -8 crate-12"
    house.fizzbridge("hold", "release", order.key, "--why", "counted by the driver")
    house.settle()
    assert house.assessed(order).state is OrderState.CONFIRMED


def test_empties_of_earlier_deliveries_are_outstanding():
    house = Wholesaler(schemes=SCHEMES, tax_rate=0.19)
    house.ship(house.order("LEMON1000-CRATE", 10, "DE"), 10)
    brought = [{"name": "empties crate-12", "value": "8"}]
    order = house.order("LEMON1000-CRATE", 1, "DE", note_attributes=brought)
    (step,) = house.explain(order, "empties ledger")
    assert (step["arithmetic"], step["amount"]) == (
        "10 outstanding - 8 brought = 2 crate-12",
        "15.00",
    )
    assert holds(house, order) == []


def test_of_deposits_nobody_claimed_a_part_is_the_states():
    share = {"unclaimed_share": Decimal("0.8")}
    schemes = [
        one.model_copy(update=share if "crate-12" in one.containers else {}) for one in SCHEMES
    ]
    house = Wholesaler(schemes=schemes, tax_rate=0.19)
    house.ship(house.order("LEMON1000-CRATE", 10, "DE"), 10)
    order = house.order("LEMON1000-CRATE", 1, "DE")
    (step,) = house.explain(order, "unclaimed deposits")
    assert (step["arithmetic"], step["amount"]) == (
        "10 crate-12 not claimed yet, 12.00 of it due to the state",
        "15.00",
    )


def test_a_levy_of_the_city_is_charged():
    house = Wholesaler(schemes=SCHEMES, currency="USD", tax_rate=0)
    city = {"city": "Philadelphia", "province_code": "PA"}
    items = [ITEMS[0].model_copy(update={"volume_ml": Decimal("354.882354753")})]
    house = Wholesaler(schemes=SCHEMES, currency="USD", tax_rate=0, items=items)
    order = house.order("COLA330-C24", 20, "US", address=city)
    assert amounts(house, order, LineType.LEVY) == [Decimal("86.40")]
    (step,) = house.explain(order, "levy")
    assert step["amount"] == "86.40"


def test_the_packagers_levy_is_a_memo():
    house = Wholesaler(schemes=SCHEMES, currency="GBP", tax_rate=0.2)
    order = house.order(country="GB", address={"province_code": "ENG"}, created_at=DAY_OF_SDIL)
    assert amounts(house, order, LineType.LEVY) == []
    (step,) = house.explain(order, "levy memo")
    assert step["amount"] == "20.51"
    assert step["arithmetic"] == "79.2 litre × 0.259 GBP, paid before it came to us"
    assert house.assessed(order).totals.gross == Decimal("115.20")


DAY_OF_SDIL = "2026-03-31T10:00:00+00:00"


def test_the_class_is_shown_with_its_reason():
    house = Wholesaler()
    (step,) = house.explain(house.order(quantity=1), "class")
    assert step["arithmetic"] == "BULK: ordered for company 7001"


def test_credit_holds_the_release_and_a_payment_lets_it_go():
    house = Wholesaler(credit={})
    account = house.account(
        credit=Credit(**CREDIT, open_invoices="9900.00"), terms=Terms(payment_days=30)
    )
    order = house.order()
    assert holds(house, order) == [HoldReason.CREDIT]
    (step,) = house.explain(order, "credit")
    assert "10018.08" in step["arithmetic"]
    house.account(credit=Credit(**CREDIT, open_invoices="9800.00"), terms=Terms(payment_days=30))
    assert account.key == "erp/4711"
    assert house.assessed(order).state is OrderState.CONFIRMED


def test_without_a_word_of_the_erp_nothing_is_released_on_account():
    house = Wholesaler(credit={})
    order = house.order()
    assert holds(house, order) == [HoldReason.CREDIT]


def test_orders_of_one_account_share_its_credit():
    house = Wholesaler(credit={})
    house.account(credit=Credit(**CREDIT | {"limit": "200.00"}))
    first, second = house.order(), house.order()
    assert holds(house, first) == []
    assert holds(house, second) == [HoldReason.CREDIT]
    house.desk.cancel(int(first.external_id))
    house.settle()
    assert holds(house, second) == []


def test_stock_is_claimed_and_the_last_case_goes_once():
    house = Wholesaler(stock={})
    house.stock("COLA330", 300)
    first, second = house.order(), house.order()
    assert holds(house, first) == []
    assert holds(house, second) == [HoldReason.STOCK]
    (step,) = house.explain(second, "availability")
    assert "60 of 240" in step["arithmetic"]
    house.stock("COLA330", 500)
    assert holds(house, second) == []


def test_a_cancelled_order_gives_its_stock_back():
    house = Wholesaler(stock={})
    house.stock("COLA330", 300)
    first, second = house.order(), house.order()
    house.desk.cancel(int(first.external_id))
    house.settle()
    assert holds(house, second) == []


def test_backorders_are_said_and_not_held():
    house = Wholesaler(stock={"short": "backorder"})
    house.stock("COLA330", 100)
    order = house.order()
    assert holds(house, order) == []
    (step,) = house.explain(order, "backorder")
    assert step["arithmetic"] == "COLA330: 140 of 240 each are not there"


def test_lots_too_short_of_life_are_not_there():
    items = [ITEMS[0].model_copy(update={"is_lot_tracked": True})]
    house = Wholesaler(stock={}, items=items)
    house.account(terms=Terms(minimum_life_days=90))
    lots = (lot("A", "2026-12-31", 200), lot("B", "2027-06-30", 200))
    house.stock("COLA330", 400, lots=lots)
    order = house.order()
    assert holds(house, order) == [HoldReason.STOCK]
    (step,) = house.explain(order, "lots")
    assert "200" in step["arithmetic"]
    assert "B" in step["arithmetic"]


def test_a_mixed_case_is_there_as_often_as_its_scarcest_component():
    mix = CatalogueItem(sku="MIX", name="Mix", components="COLA330*6 LEMON1000*6")
    house = Wholesaler(stock={}, items=[*ITEMS, mix])
    house.stock("COLA330", 40)
    house.stock("LEMON1000", 25)
    order = house.order(lines=[{"sku": "MIX", "title": "Mix", "quantity": 5, "price": "9.00"}])
    (step,) = house.explain(order, "mixed case")
    assert step["arithmetic"] == "MIX: its components allow 4 of 5"
    assert holds(house, order) == [HoldReason.STOCK]
    (hold,) = house.assessed(order).holds
    assert hold.cause == "STOCK#LEMON1000"
    house.stock("LEMON1000", 30)
    assert holds(house, order) == []


def test_a_route_day_is_promised():
    delivery = {"time_zone": "Europe/Dublin", "cut_off": "14:00", "days": ["MON", "THU"]}
    house = Wholesaler(delivery=delivery)
    order = house.order()
    (step,) = house.explain(order, "delivery")
    told = house.fizzbridge("explain", order.key)
    assert told["promised_on"] in step["arithmetic"]
    assert datetime.fromisoformat(told["promised_on"]).weekday() in {0, 3}


def test_a_route_that_never_runs_promises_nothing_and_holds_nothing():
    days = [str(date(2026, 11, 1) + timedelta(days=n)) for n in range(500)]
    delivery = {"time_zone": "Europe/Dublin", "cut_off": "14:00", "holidays": days}
    house = Wholesaler(delivery=delivery)
    order = house.order()
    (step,) = house.explain(order, "delivery")
    assert "no route runs within a year" in step["arithmetic"]
    assert (house.assessed(order).promised_on, holds(house, order)) == (None, [])


def test_an_accounts_price_is_compared():
    price = ListPrice(sku="COLA330", price="9.20", currency="EUR", price_list="bars")
    house = Wholesaler(prices=[price])
    house.account(terms=Terms(price_list="bars"))
    order = house.order()
    assert holds(house, order) == [HoldReason.PRICE]
    (step,) = house.explain(order, "price")
    assert step["arithmetic"] == "9.20 for a case from 1 on, contract price"


def price_of(text: str, least: int = 1, **more) -> ListPrice:
    fields = {"sku": "COLA330", "price": text, "min_quantity": least, "currency": "EUR"}
    return ListPrice.model_validate(fields | more)


def test_a_larger_order_that_costs_less_is_told():
    house = Wholesaler(prices=[price_of("9.60"), price_of("9.20", 108)])
    house.account()
    (step,) = house.explain(house.order(quantity=104), "price step")
    assert step["arithmetic"] == "108 would cost less than 104"
    assert house.explain(house.order(quantity=103), "price step") == []


def test_i15_what_another_account_pays_is_neither_told_nor_counted():
    own = [price_of("9.60"), price_of("9.20", 54)]
    theirs = [
        price_of("1.00", 12, price_list="4712", mix_group="cans"),
        price_of("1.00", 12, price_list="4712", mix_group="cans", sku="LEMON1L"),
    ]
    house = Wholesaler(prices=[*theirs, *own])
    house.account()
    order = house.order(quantity=10)
    assert holds(house, order) == []
    assert house.explain(order, "price step") == []
    (step,) = house.explain(order, "price")
    assert step["arithmetic"] == "9.60 for a case from 1 on, list price"


def test_a_groups_price_holds_where_the_account_has_none():
    prices = [price_of("9.60", price_list="pubs"), price_of("9.99")]
    house = Wholesaler(prices=prices)
    house.account(terms=Terms(group_price_list="pubs"))
    order = house.order()
    (step,) = house.explain(order, "price")
    assert step["arithmetic"] == "9.60 for a case from 1 on, group price"
    assert holds(house, order) == []


def test_little_missing_from_a_layer_is_filled_where_the_account_agreed():
    house = Wholesaler()
    house.account(terms=Terms(order_multiple=Unit.LAYER, accepts_rounding=True))
    order = house.order(quantity=251)
    (step,) = house.explain(order, "order multiple")
    assert step["arithmetic"] == "251 rounded up to 252 CASE"
    (line,) = house.assessed(order).lines
    assert (line.requested, line.amount) == (251, Decimal("2419.20"))


def test_an_order_too_small_for_a_van_waits():
    house = Wholesaler(limits={"minimum_order_value": "100"})
    assert holds(house, house.order()) == [HoldReason.LIMIT]
    assert holds(house, house.order(quantity=11)) == []


def refund(order, **changes) -> Refund:
    body = {"order": order, "amount": "10.00", "currency": "EUR", "status": "SETTLED"}
    return Refund(**body | {"at": datetime(2026, 11, 21, tzinfo=UTC)} | changes)


def test_more_given_back_than_was_paid_holds():
    house = Wholesaler()
    order = house.order()
    house.told(ref(Kind.REFUND, "shop", "r1"), refund(order), order)
    (hold,) = house.assessed(order).holds
    assert hold.reason is HoldReason.LIMIT
    assert hold.message == "refund amount: 10.00 given back, 0 paid"


def test_money_of_another_currency_holds():
    house = Wholesaler()
    order = house.order()
    house.told(ref(Kind.REFUND, "shop", "r1"), refund(order, currency="USD"), order)
    (hold,) = house.assessed(order).holds
    assert hold.message == "refund currency: USD on an order in EUR"


def test_a_stock_level_says_what_may_be_offered_and_what_to_order():
    demand = {"daily_demand": "42", "demand_deviation": "11", "lead_time_days": "7"}
    item = CatalogueItem(**ITEMS[0].model_dump() | demand | {"service_level": "95"})
    house = Wholesaler(items=[item], stock={"buffer_cases": 1, "reorder_unit": "LAYER"})
    level = house.stock("COLA330", 310, reserved=96)
    found = house.records(level)
    assert found.available == 310 - 96 - 24
    assert [working.rule for working in found.workings] == ["availability", "replenishment"]
    assert found.workings[0].text.endswith("= 190: 7 whole cases")
    assert "position 214, reorder point 342: order 432" in found.workings[1].text


def test_what_is_shipped_is_to_bill():
    house = Wholesaler(schemes=SCHEMES)
    order = house.order()
    house.ship(order, 8)
    (step,) = house.explain(order, "to bill for what is shipped")
    assert step["amount"] == "123.26"
    (fill,) = house.explain(order, "fill")
    assert fill["arithmetic"].startswith("80.0 %")


def test_margin_is_of_goods_alone():
    items = [ITEMS[0].model_copy(update={"unit_cost": Decimal("71.00") / 240})]
    house = Wholesaler(schemes=SCHEMES, items=items)
    (step,) = house.explain(house.order(), "margin")
    assert "26.04 %" in step["arithmetic"]


def test_a_truck_takes_so_many_pallets():
    delivery = {"time_zone": "Europe/Dublin", "cut_off": "14:00", "truck_pallets": 26}
    house = Wholesaler(delivery=delivery)
    order = house.order(quantity=26 * 108 + 1)
    (step,) = house.explain(order, "load")
    assert step["arithmetic"] == "27 pallets on 26 places"
    assert holds(house, order) == [HoldReason.LIMIT]
    assert holds(house, house.order(quantity=26 * 108)) == []


def test_terms_say_when_it_is_due_and_what_paying_early_saves():
    house = Wholesaler(schemes=SCHEMES)
    house.account(terms=Terms(payment_days=30, cash_discount_percent="2"))
    order = house.order(created_at="2026-01-31T10:00:00+00:00")
    (due,) = house.explain(order, "due")
    assert due["arithmetic"].endswith("2026-03-02")
    (saved,) = house.explain(order, "cash discount")
    assert saved["amount"] == "1.92", "on 96.00 of goods; the deposit is none"


def test_what_a_receipt_covers_is_promised():
    house = Wholesaler(stock={"short": "backorder"})
    receipt = {"due_on": "2026-12-05", "quantity": 216}
    house.stock("COLA330", 100, on_order=(Receipt.model_validate(receipt),))
    (step,) = house.explain(house.order(), "available to promise")
    assert step["arithmetic"] == "140 missing are covered on 2026-12-05"


def test_what_was_credited_of_a_line_and_what_before():
    house = Wholesaler()
    order = house.order()
    line = house.assessed(order).lines[0].id
    of = {"order_line_id": line, "amount": "9.60", "tax": "2.21", "is_restocked": True}
    for number, quantity in ((1, 1), (2, 2), (3, 0)):
        body = refund(order, amount="0", lines=(RefundedLine(quantity=quantity, **of),))
        later = body.at.replace(hour=number)
        body = body.model_copy(update={"at": later})
        house.told(ref(Kind.REFUND, "shop", f"r{number}"), body, order)
    assert [step["arithmetic"] for step in house.explain(order, "credit")] == [
        "1 credited, 0 before",
        "2 credited, 1 before",
    ]


@pytest.mark.parametrize(("days", "word"), [(0, "kept"), (60, "late")])
def test_a_promise_is_kept_or_late(days, word):
    house = Wholesaler(delivery={"time_zone": "Europe/Dublin", "cut_off": "14:00"})
    order = house.order()
    promised = house.assessed(order).promised_on
    line = ShippedLine(order_line_id=house.assessed(order).lines[0].id, quantity=10)
    at = datetime(promised.year, promised.month, promised.day, 9, tzinfo=UTC)
    body = Shipment(
        order=order,
        number="S1",
        state=ShipmentState.DELIVERED,
        lines=(line,),
        delivered_at=at + timedelta(days=days),
    )
    house.told(ref(Kind.SHIPMENT, "erp", "S1"), body, order)
    (step,) = house.explain(order, "on time in full")
    assert step["arithmetic"].endswith(word)


def test_the_deposit_on_free_goods_bears_the_tax_of_the_others():
    house = Wholesaler(schemes=SCHEMES, tax_rate=0.19)
    free = {"sku": "LEMON1000-CRATE", "quantity": 1, "price": "0.00", "taxable": False}
    order = house.order(country="DE", lines=[{"sku": "LEMON1000-CRATE", "quantity": 10}, free])
    deposits = [one for one in house.assessed(order).lines if one.type is LineType.DEPOSIT]
    assert sum(one.amount for one in deposits) == 11 * Decimal("3.30")
    assert {share.rate for one in deposits for share in one.taxes} == {Decimal("0.19")}
    assert all(one.taxes for one in deposits)


def test_what_is_paid_has_its_price():
    request = {"payment_status": PaymentStatus.PAID}
    price = ListPrice(sku="COLA330", price="9.20", currency="EUR")
    house = Wholesaler(prices=[price])
    order = house.order()
    assert holds(house, order) == [HoldReason.PRICE]
    seen = Loader(house.rows, house.objects).view(order).request.model_copy(update=request)
    later = house.clock()
    house.observe(Seen(order, seen.model_copy(update={"changed_at": later}), later, Part.REQUEST))
    house.settle()
    assert holds(house, order) == []


def test_a_levy_memo_without_facts_says_so_and_holds_nothing():
    item = ITEMS[0].model_copy(update={"milk_percent": None})
    house = Wholesaler(schemes=SCHEMES, currency="GBP", tax_rate=0.2, items=[item])
    order = house.order(country="GB", address={"province_code": "ENG"}, created_at=DAY_OF_SDIL)
    assert holds(house, order) == []
    memos = house.explain(order, "levy memo")
    assert "uk-sdil-higher: milk_percent must be known" in [one["arithmetic"] for one in memos]


def test_empties_among_goods_of_several_taxes_wait():
    house = Wholesaler(schemes=SCHEMES, tax_rate=0.19)
    lines = [
        {"sku": "LEMON1000-CRATE", "quantity": 1, "price": "6.49", "tax_rate": rate}
        for rate in (0.19, 0.07)
    ]
    brought = [{"name": "empties crate-12", "value": "1"}]
    order = house.order(country="DE", lines=lines, note_attributes=brought)
    assert HoldReason.TAX in holds(house, order)


def test_a_group_of_items_counts_together_towards_a_tier():
    def tier(sku, price, least):
        more = {"currency": "EUR", "min_quantity": least, "mix_group": "fizz"}
        return ListPrice(sku=sku, price=price, **more)

    prices = [
        tier(sku, price, n)
        for sku in ("COLA330", "TONIC1500")
        for price, n in (("9.60", 1), ("9.00", 20))
    ]
    house = Wholesaler(prices=prices)
    lines = [
        {"sku": "COLA330-C24", "quantity": 10, "price": "9.00"},
        {"sku": "TONIC1500-C6", "quantity": 10, "price": "9.00"},
    ]
    assert holds(house, house.order(lines=lines)) == []
    assert holds(house, house.order(lines=lines[:1])) == [HoldReason.PRICE]


def test_a_step_up_that_costs_less_is_suggested():
    tiers = [
        ListPrice(sku="COLA330", price=price, currency="EUR", min_quantity=least)
        for price, least in (("9.20", 54), ("8.85", 108))
    ]
    house = Wholesaler(prices=tiers)
    order = house.order(lines=[{"sku": "COLA330-C24", "quantity": 104, "price": "9.20"}])
    (step,) = house.explain(order, "price step")
    assert (step["arithmetic"], step["amount"]) == ("108 would cost less than 104", "955.80")


def test_what_is_open_after_a_shipment():
    house = Wholesaler()
    order = house.order()
    house.ship(order, 8)
    (step,) = house.explain(order, "open")
    assert step["arithmetic"] == "240 ordered - 192 shipped = 48 open"


def test_a_recall_lists_who_was_sent_a_lot():
    house = Wholesaler()
    first, second, other = house.order(), house.order(), house.order()
    for order, quantity, name in ((first, 8, "B"), (second, 5, "B"), (other, 3, "A")):
        house.ship(order, quantity, name)
    told = house.fizzbridge("recall", "B")
    assert told["customers"] == {"shop/company:7001:8001": 13}
    assert [one["order"] for one in told["orders"]] == [first.key, second.key]


def test_an_account_that_takes_all_or_nothing_waits():
    house = Wholesaler(stock={"short": "backorder"})
    house.account(terms=Terms(ships_complete=True))
    house.stock("COLA330", 100)
    assert holds(house, house.order()) == [HoldReason.STOCK]


def test_driver_and_depot_count_empties():
    house = Wholesaler(schemes=SCHEMES, tax_rate=0.19)
    house.ship(house.order("LEMON1000-CRATE", 10, "DE"), 10)
    brought = [{"name": "empties crate-12", "value": "8"}]
    order = house.order("LEMON1000-CRATE", 1, "DE", note_attributes=brought)
    line = ShippedLine(order_line_id="", sku="crate-12", quantity=7)
    body = Return(order=order, number="R1", state=ReturnState.RECEIVED, lines=(line,))
    house.told(ref(Kind.RETURN, "shop", "r1"), body, order)
    (step,) = house.explain(order, "settlement")
    assert step["arithmetic"] == "8 crate-12 brought - 7 counted at the depot = 1 to explain"


def test_what_a_gateway_pays_out():
    house = Wholesaler()
    order = house.order()
    body = {"order": order, "amount": "118.08", "currency": "EUR", "status": "SETTLED"}
    paid = Payment(**body, fee="3.72", at=datetime(2026, 11, 21, tzinfo=UTC))
    house.told(ref(Kind.PAYMENT, "shop", "p1"), paid, order)
    (step,) = house.explain(order, "payout")
    assert (step["arithmetic"], step["amount"]) == (
        "118.08 paid - 0 refunded - 3.72 fees",
        "114.36",
    )


def test_deposits_that_the_shop_charges_itself_are_compared():
    deposit = CatalogueItem(sku="DEPOSIT", name="Deposit", is_deposit=True, is_drink=False)
    house = Wholesaler(schemes=SCHEMES, items=[*ITEMS, deposit])
    goods = {"sku": "COLA330-C24", "quantity": 10, "price": "9.60"}

    def order(pieces: int):
        held = {"sku": "DEPOSIT", "title": "Deposit", "quantity": pieces, "price": "0.15"}
        return house.order(lines=[goods, held | {"taxable": False}])

    right, wrong = order(240), order(230)
    assert holds(house, right) == []
    assert amounts(house, right, LineType.DEPOSIT) == [Decimal("36.00")]
    (hold,) = house.assessed(wrong).holds
    assert hold.message == (
        "deposits: the shop charged 34.50, by the schemes it is 36.00, difference 1.50"
    )


def test_a_shop_that_charges_deposits_must_not_forget_them():
    shop, erp = BRIDGE["connections"]
    shop = shop | {"deposits": "check"}
    house = Wholesaler(schemes=SCHEMES, connections=[shop, erp])
    (hold,) = house.assessed(house.order()).holds
    assert hold.reason is HoldReason.COMPLIANCE
    assert "charged 0, by the schemes it is 36.00" in hold.message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"volume_ml": None}, "volume_ml"),
        ({"material": None}, "material"),
        ({"is_refillable": None}, "refillable"),
    ],
)
def test_container_data_that_nobody_gave_hold(change, field):
    house = Wholesaler(schemes=SCHEMES, items=[ITEMS[0].model_copy(update=change)])
    order = house.order()
    (hold,) = house.assessed(order).holds
    assert hold.reason is HoldReason.COMPLIANCE
    assert field in hold.message


def test_a_place_of_delivery_that_nobody_gave_holds():
    house = Wholesaler(schemes=SCHEMES, currency="GBP", tax_rate=0.2)
    order = house.order(country="GB", created_at="2027-10-02T10:00:00+00:00")
    (hold,) = house.assessed(order).holds
    assert hold.reason is HoldReason.COMPLIANCE
    assert "region" in hold.message


@pytest.mark.parametrize("value", ["-3", "eight", "2.5"])
def test_empties_that_are_no_number_hold(value):
    house = Wholesaler(schemes=SCHEMES)
    order = house.order(note_attributes=[{"name": "empties crate-12", "value": value}])
    (hold,) = house.assessed(order).holds
    assert hold.reason is HoldReason.COMPLIANCE
    assert "empties crate-12" in hold.message
