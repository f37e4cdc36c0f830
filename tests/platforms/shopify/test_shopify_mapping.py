import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fizzbridge.model.documents import SettlementStatus, ShipmentState, ShippedLine
from fizzbridge.model.order import LineType, PaymentStatus
from fizzbridge.observation import Hint
from platforms.shopify import mapping, wire
from tests.kit.source import EVENTS


def body(name):
    content = json.loads((EVENTS / "shopify" / f"{name}.json").read_text())["body"]
    return json.loads(content, parse_float=Decimal)


def order(name="orders_create__discounts", **changes):
    told = wire.Order.model_validate(body(name) | changes)
    seen, seed, *hints = mapping.order(told, "shop")
    return seen, seed, hints


def line(name, sku):
    return next(one for one in order(name)[0].body.lines if one.sku == sku)


def test_line_and_order_discounts_both_fall_on_the_line():
    ginger = line("orders_create__discounts", "GINGER-ALE-24")
    assert (ginger.discount, ginger.amount) == (Decimal("10.26"), Decimal("98.94"))
    assert ginger.unit_price == Decimal("15.6")


def test_what_an_edit_took_off_counts_no_more():
    tonic = line("orders_updated__edited_lines", "TONIC-12")
    assert (tonic.quantity, tonic.quantity_ordered) == (0, 4)
    assert (tonic.amount, tonic.tax, tonic.discount) == (0, 0, 0)


def test_discounts_and_taxes_shrink_with_the_quantity():
    content = body("orders_create__discounts")
    content["line_items"][0]["current_quantity"] = 2
    ginger = order("orders_create__discounts", line_items=content["line_items"])[0].body.lines[0]
    # 10.26 * 2 / 7 and 19.79 * 2 / 7, half up.
    assert (ginger.discount, ginger.tax) == (Decimal("2.93"), Decimal("5.65"))
    assert ginger.amount == Decimal("31.20") - Decimal("2.93")


def test_what_is_no_stock_item_needs_no_catalogue():
    lines = order("orders_create__gift_card_tip_custom")[0].body.lines
    assert [one.is_stocked for one in lines] == [True, False, False, False]
    assert [one.sku for one in lines] == ["TONIC-12", None, None, None]


def test_deposits_in_properties_are_kept():
    lines = order("orders_create__deposit_properties")[0].body.lines
    assert any(one.properties for one in lines)


def test_freight_is_a_line_and_removed_freight_is_none():
    content = body("orders_create__discounts")
    (freight,) = [one for one in order()[0].body.lines if one.type is LineType.FREIGHT]
    assert (freight.amount, freight.tax, freight.is_stocked) == (
        Decimal("4.50"),
        Decimal("0.90"),
        False,
    )
    content["shipping_lines"][0]["is_removed"] = True
    gone = order(shipping_lines=content["shipping_lines"])[0].body
    assert LineType.FREIGHT not in {one.type for one in gone.lines}


def test_freight_of_a_cancelled_order_costs_nothing():
    (freight,) = [
        one
        for one in order("orders_cancelled__unpaid")[0].body.lines
        if one.type is LineType.FREIGHT
    ]
    assert (freight.amount, freight.tax) == (0, 0)


def test_free_freight_keeps_its_taxes_of_nought():
    content = body("orders_create__discounts")
    content["shipping_lines"][0] |= {
        "discounted_price": "0.00",
        "current_discounted_price_set": {"shop_money": {"amount": "0.00"}},
        "tax_lines": [],
    }
    freight = order(shipping_lines=content["shipping_lines"])[0].body.lines[-1]
    assert (freight.amount, freight.discount) == (0, Decimal("4.50"))


def test_duties_and_fees_are_lines_of_their_own():
    money = {"shop_money": {"amount": "3.21", "currency_code": "GBP"}}
    lines = order(current_total_duties_set=money, current_total_additional_fees_set=money)[
        0
    ].body.lines
    assert [(one.id, one.type, one.amount) for one in lines[-2:]] == [
        ("duties", LineType.FEE, Decimal("3.21")),
        ("additional-fees", LineType.FEE, Decimal("3.21")),
    ]


def test_what_the_buyer_paid_in_is_kept_beside_the_books():
    request = order("orders_create__presentment_euro")[0].body
    assert (request.currency, request.presentment_currency) == ("GBP", "EUR")
    assert request.presentment_gross > request.totals.gross


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("orders_create__b2b_terms", "shop/company:7310044117:7310055228"),
        ("orders_create__pos_guest", "shop/order:6480050000360554"),
        ("orders_create__discounts", "shop/6480040000720994"),
    ],
)
def test_who_the_customer_is(name, key):
    seen, seed, _ = order(name)
    assert seed.ref.key == seen.body.customer.key == key
    assert seed.changed is None


def test_a_bundles_component_names_its_bundle():
    content = body("orders_create__discounts")
    content["line_items"][0]["sales_line_item_group_id"] = 7
    first, second, *_ = order(line_items=content["line_items"])[0].body.lines
    assert (first.parent_id, second.parent_id) == ("7", None)


@pytest.mark.parametrize(
    ("status", "canonical", "asks"),
    [
        (None, PaymentStatus.PENDING, False),
        ("pending", PaymentStatus.PENDING, False),
        ("authorized", PaymentStatus.AUTHORIZED, False),
        ("partially_paid", PaymentStatus.PART_PAID, True),
        ("PAID", PaymentStatus.PAID, True),
        ("partially_refunded", PaymentStatus.PART_REFUNDED, True),
        ("refunded", PaymentStatus.REFUNDED, True),
        ("voided", PaymentStatus.VOIDED, False),
        ("expired", PaymentStatus.VOIDED, False),
        ("something new", PaymentStatus.PENDING, False),
    ],
)
def test_payment_status_is_a_hint_to_read_the_money(status, canonical, asks):
    seen, _, hints = order(financial_status=status)
    assert seen.body.payment_status is canonical
    assert hints == ([Hint("transactions", seen.ref.external_id)] if asks else [])


def test_ids_beyond_what_a_double_holds_survive():
    assert order(id=9007199254740993)[0].ref.key == "shop/9007199254740993"


@pytest.mark.parametrize("tags", ["b, a ,, c", ["c", "a", "b"], ""])
def test_tags_are_a_list_in_either_shape(tags):
    assert order(tags=tags)[0].body.tags == tuple("abc" if tags else ())


@pytest.mark.parametrize(
    ("statuses", "amount", "status"),
    [
        ([], "0", SettlementStatus.SETTLED),
        (["success"], "9.40", SettlementStatus.SETTLED),
        (["success", "success"], "18.80", SettlementStatus.SETTLED),
        (["success", "failure"], "9.40", SettlementStatus.SETTLED),
        (["pending"], "0", SettlementStatus.PENDING),
        (["success", "pending"], "9.40", SettlementStatus.PENDING),
        (["failure"], "0", SettlementStatus.FAILED),
        (["error"], "0", SettlementStatus.FAILED),
    ],
)
def test_a_refund_is_the_money_that_really_moved(statuses, amount, status):
    content = body("refunds_create__with_transaction")
    (moved,) = content["transactions"]
    content["transactions"] = [moved | {"status": one} for one in statuses]
    (seen,) = mapping.refund(wire.Refund.model_validate(content), "shop")
    assert (seen.body.amount, seen.body.status) == (Decimal(amount), status)
    assert seen.parent.key == f"shop/{content['order_id']}"


def test_amounts_in_a_refund_are_exact_though_they_are_numbers():
    content = body("refunds_create__no_transaction")
    (seen,) = mapping.refund(wire.Refund.model_validate(content), "shop")
    (back,) = seen.body.lines
    assert (back.amount, back.tax) == (Decimal("35.40"), Decimal("7.08"))
    assert (back.is_restocked, seen.body.currency) == (True, "GBP")


def shipment(**changes):
    content = body("orders_fulfilled__two_parcels")["fulfillments"][0]
    (seen,) = mapping.shipment(wire.Fulfillment.model_validate(content | changes), "shop")
    return seen


def test_a_fulfilment_is_a_shipment_of_its_order():
    seen = shipment()
    assert seen.ref.key == "shop/6480160000721222"
    assert seen.parent == seen.body.order
    assert seen.parent.key == "shop/6480160000360763"
    assert seen.refetch == Hint("fulfillments", "6480160000360763")
    assert seen.body.number == "#1001.1"
    assert seen.body.lines == (ShippedLine(order_line_id="6480160000459070", quantity=2),)
    assert (seen.body.carrier, seen.body.tracking_number) == ("Harrow Parcels", "HP-559120")
    assert seen.body.tracking_url == "https://track.harrow-parcels.example/HP-559120"
    assert seen.body.dispatched_at == datetime(2026, 11, 20, 14, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "carrier_says", "state"),
    [
        ("pending", None, ShipmentState.PLANNED),
        ("OPEN", "SUBMITTED", ShipmentState.PLANNED),
        ("something new", None, ShipmentState.PLANNED),
        ("success", None, ShipmentState.DISPATCHED),
        ("SUCCESS", "FULFILLED", ShipmentState.DISPATCHED),
        ("success", "in_transit", ShipmentState.DISPATCHED),
        ("success", "delivered", ShipmentState.DELIVERED),
        ("SUCCESS", "DELIVERED", ShipmentState.DELIVERED),
        ("cancelled", "delivered", ShipmentState.CANCELLED),
        ("CANCELLED", "CANCELED", ShipmentState.CANCELLED),
        ("error", None, ShipmentState.CANCELLED),
        ("failure", None, ShipmentState.CANCELLED),
    ],
)
def test_how_far_a_shipment_is(status, carrier_says, state):
    seen = shipment(status=status, shipment_status=carrier_says)
    assert seen.body.state is state
    assert (seen.body.dispatched_at is not None) is seen.body.has_left


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A, B"),
        ([{"number": "A"}, {"number": "B"}], "A, B"),
        ([{"number": None}], ""),
    ],
)
def test_tracking_is_one_text_in_either_shape(numbers, text):
    assert shipment(tracking_numbers=numbers).body.tracking_number == text


def test_a_shipment_without_tracking():
    body = shipment(tracking_company=None, tracking_numbers=[], tracking_url=None).body
    assert (body.carrier, body.tracking_number, body.tracking_url) == ("", "", "")


@pytest.mark.parametrize("fulfillments", [[], [{"id": 1}], [{"id": 1}, {"id": 2}]])
def test_an_orders_fulfilments_are_a_hint_to_read_them(fulfillments):
    seen, _, hints = order(fulfillments=fulfillments)
    assert hints == [Hint("fulfillments", seen.ref.external_id)] * bool(fulfillments)


@pytest.mark.parametrize(
    ("kind", "status", "counts"),
    [
        ("sale", "success", True),
        ("CAPTURE", "SUCCESS", True),
        ("capture", "pending", False),
        ("sale", "failure", False),
        ("authorization", "success", False),
        ("void", "success", False),
        ("refund", "success", False),
    ],
)
def test_a_payment_is_a_sale_or_capture_that_succeeded(kind, status, counts):
    content = body("order_transactions_create__capture") | {"kind": kind, "status": status}
    seen = list(mapping.payment(wire.Transaction.model_validate(content), "shop"))
    assert bool(seen) is counts


def test_a_deletion_is_later_than_all_that_happened_in_its_second():
    at = datetime(2026, 11, 20, 12, 0, 0, 900_000, tzinfo=UTC)
    told = wire.Deleted(id="5", triggered_at=at)
    (seen,) = mapping.deleted(told, "shop")
    assert seen.body is None
    assert seen.changed > datetime(2026, 11, 20, 12, 0, 0, 999_999, tzinfo=UTC)
