"""What becomes of a store's orders: numbers, shipments and refunds, each exactly once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fizzbridge.model.documents import SettlementStatus, ShipmentState, ShippedLine
from fizzbridge.model.entity import Kind
from fizzbridge.model.states import OrderState
from tests.platforms.woocommerce.woo_back import Store


@pytest.fixture
def store():
    return Store()


# -- orders ----------------------------------------------------------------------------------------

LINES = (("COLA330", 24), ("COLA330-CASE", 2))


def test_the_erps_number_is_a_field_and_one_note(store):
    order = store.buy(*LINES)
    assert store.written(order) == []
    store.process(order, "S00042", OrderState.CONFIRMED)
    store.settle()
    store.heard_of()
    assert store.fields(order) == {"_fizzbridge_erp_number": "S00042"}
    assert store.written(order) == ["Order S00042 in the ERP"]
    assert store.kept(order)["status"] == "processing"
    store.process(order, "S00042", OrderState.RELEASED)
    store.settle()
    assert (store.done("order_updated"), store.done("note_created")) == (1, 1)


@pytest.mark.parametrize("write", ["_fizzbridge_erp_number", '"note"'])
def test_a_number_whose_answer_is_lost_is_written_once(store, write):
    order = store.buy(*LINES)
    store.fault("commit_then_silence", body=write)
    store.process(order, "S00042", OrderState.CONFIRMED)
    store.settle()
    assert store.written(order) == ["Order S00042 in the ERP"]
    assert (store.done("order_updated"), store.done("note_created")) == (1, 1)
    assert store.link(order, "shop")["status"] == "synced"


def test_an_order_the_erp_cancels_is_cancelled_once(store):
    order = store.buy(*LINES)
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert store.kept(order)["status"] == "cancelled"
    done = store.done("order_updated")
    store.heard_of()
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert store.done("order_updated") == done
    assert store.link(order, "shop")["status"] == "synced"


@pytest.mark.parametrize("status", ["completed", "refunded"])
def test_what_is_over_in_the_shop_is_not_cancelled(store, status):
    order = store.buy(*LINES)
    store.put(f"orders/{order.external_id}", status=status)
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert store.kept(order)["status"] == status
    link = store.link(order, "shop")
    assert (link["status"], status in link["message"]) == ("parked", True)


def test_what_has_left_is_not_cancelled(store):
    order = store.buy(*LINES)
    store.ship(order, (0, 4))
    store.settle()
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert store.kept(order)["status"] == "processing"
    assert "goods have left" in store.link(order, "shop")["message"]


@pytest.mark.parametrize("way", ["shipment_tracking", "fulfillments"])
def test_what_people_shipped_in_the_shop_is_not_cancelled(way):
    store = Store({"tracking": way}, **HAS)
    order = store.buy(*LINES)
    line = store.kept(order)["line_items"][0]["id"]
    if way == "fulfillments":
        path = f"/wp-json/wc/v3/orders/{order.external_id}/fulfillments"
        rows = {"_items": [{"item_id": line, "qty": 24}], "_tracking_number": "JD7"}
        meta = [{"key": key, "value": value} for key, value in rows.items()]
        body = {"status": "fulfilled", "is_fulfilled": True, "meta_data": meta}
    else:
        path = f"/wp-json/wc-shipment-tracking/v3/orders/{order.external_id}/shipment-trackings"
        body = {"tracking_number": "JD7", "tracking_provider": "DHL"}
    store.client.post(path, json=body, writes=True)
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert store.kept(order)["status"] == "processing"
    link = store.link(order, "shop")
    assert (link["status"], "shipped in the shop" in link["message"]) == ("parked", True)


def test_where_nothing_was_shipped_each_way_lets_it_be_cancelled():
    store = Store({"tracking": "fulfillments"}, **HAS)
    order = store.buy(*LINES)
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert store.kept(order)["status"] == "cancelled"


# -- shipments -------------------------------------------------------------------------------------


WAYS = [{}, {"tracking": "shipment_tracking"}, {"tracking": "fulfillments"}]
HAS = {"plugins": ["shipment_tracking"], "fulfillments": True}
MADE = ("note_created", "tracking_created", "fulfillment_created")


FAULTS = [
    ("status", 429),
    ("status", 503),
    ("drop", 503),
    ("commit_then_reset", 503),
    ("commit_then_status", 502),
    ("truncate", 503),
]


def test_the_customer_gets_a_note_and_the_order_is_completed(store):
    order = store.buy(*LINES)
    shipment = store.ship(order, (0, 24), (1, 2), tracking_number="JD 2", carrier="DHL")
    store.settle()
    store.heard_of()
    assert store.written(order) == ["Shipped: DHL JD 2 https://dhl.example/JD?a=1&b=2 [erp/s1]"]
    (note,) = [one for one in store.notes_of(order) if "[erp/s1]" in one["note"]]
    assert note["customer_note"] is True
    assert store.fields(order) == {"_fizzbridge_shipment_erp/s1": f"note:{note['id']}"}
    assert store.kept(order)["status"] == "completed"
    assert store.link(shipment, "shop")["status"] == "synced"
    assert (store.done("note_created"), store.done("order_updated")) == (1, 1)


@pytest.mark.parametrize("settings", WAYS)
def test_parts_are_told_one_by_one_and_the_last_completes(settings):
    store = Store(settings, **HAS)
    order = store.buy(*LINES)
    for number, part in enumerate([(0, 10), (0, 14), (1, 2)]):
        assert store.kept(order)["status"] == "processing"
        store.ship(order, part, number=f"s{number}", tracking_number=f"JD{number}")
        store.settle()
    store.heard_of()
    assert store.kept(order)["status"] == "completed"
    assert sum(map(store.done, MADE)) == 3
    assert len(store.fields(order)) == 3


@pytest.mark.parametrize("settings", WAYS)
@pytest.mark.parametrize("lost", ["JD1", "_fizzbridge_shipment_erp/s1"])
def test_a_shipment_whose_answer_is_lost_is_told_once(settings, lost):
    store = Store(settings, **HAS)
    order = store.buy(*LINES)
    fault = store.fault("commit_then_silence", body=lost)
    shipment = store.ship(order, (0, 24), (1, 2), tracking_number="JD1", carrier="DHL")
    store.settle()
    assert fault.fired == 1
    assert sum(map(store.done, MADE)) == 1
    assert store.kept(order)["status"] == "completed"
    assert store.link(shipment, "shop")["status"] == "synced"


@pytest.mark.parametrize("settings", WAYS)
@pytest.mark.parametrize(("kind", "status"), FAULTS)
def test_whatever_goes_wrong_a_shipment_is_told_once(settings, kind, status):
    store = Store(settings, **HAS)
    order = store.buy(*LINES)
    for body in ("JD1", "_fizzbridge_shipment"):
        store.fault(kind, body=body, status=status)
    store.ship(order, (0, 24), (1, 2), tracking_number="JD1", carrier="DHL")
    store.settle()
    assert not [one for one in store.sandbox.faults.armed if one.times]
    assert sum(map(store.done, MADE)) == 1
    assert store.kept(order)["status"] == "completed"


def test_another_greeting_tells_nobody_again(store):
    order = store.buy(*LINES)
    shipment = store.ship(order, (0, 24))
    store.settle()
    (first,) = store.written(order)
    settings = {"shipped_text": "Unterwegs:"}
    store.speak(settings)
    store.ship(order, (0, 23))
    store.settle()
    assert store.written(order) == [first]
    assert store.link(shipment, "shop")["status"] == "synced"


def test_another_way_takes_the_place_of_the_first():
    store = Store(**HAS)
    order = store.buy(*LINES)
    store.ship(order, (0, 24), tracking_number="JD1")
    store.settle()
    store.speak({"tracking": "fulfillments"})
    store.ship(order, (0, 24), tracking_number="JD2")
    store.settle()
    assert store.written(order) == []
    assert store.parcels(order, {"tracking": "fulfillments"}) == ["JD2"]


def test_a_way_nobody_knows_is_said():
    store = Store({"tracking": "pigeon"})
    order = store.buy(*LINES)
    shipment = store.ship(order, (0, 24))
    store.until(lambda: store.link(shipment, "shop").get("message"))
    assert "one of fulfillments, note, shipment_tracking" in store.link(shipment, "shop")["message"]


@pytest.mark.parametrize("settings", WAYS)
def test_tracking_that_comes_later_is_added(settings):
    store = Store(settings, **HAS)
    order = store.buy(*LINES)
    store.ship(order, (0, 24))
    store.settle()
    store.ship(order, (0, 24), tracking_number="JD1", carrier="DHL")
    store.settle()
    store.ship(order, (0, 24), tracking_number="JD2", carrier="DHL")
    store.settle()
    assert store.parcels(order, settings) == ["JD2"]


def test_goods_that_left_without_a_number_have_left():
    store = Store({"tracking": "shipment_tracking"}, **HAS)
    order = store.buy(*LINES)
    store.ship(order, (0, 24))
    store.settle()
    assert (store.done("tracking_created"), set(store.fields(order).values())) == (
        0,
        {"shipment_tracking:"},
    )
    store.process(order, "S00042", OrderState.CANCELLED)
    store.settle()
    assert "goods have left" in store.link(order, "shop")["message"]


@pytest.mark.parametrize("settings", WAYS)
def test_a_shipment_called_off_is_taken_back(settings):
    store = Store(settings, **HAS)
    order = store.buy(*LINES)
    store.ship(order, (0, 24), tracking_number="JD1")
    store.settle()
    assert store.parcels(order, settings) == ["JD1"]
    store.ship(order, (0, 24), tracking_number="JD1", state=ShipmentState.CANCELLED)
    store.settle()
    assert store.parcels(order, settings) == []
    assert set(store.fields(order).values()) <= {""}


@pytest.mark.parametrize("settings", [{}, {"tracking": "fulfillments"}])
@pytest.mark.parametrize("kind", ["commit_then_silence", "drop"])
@pytest.mark.parametrize("seed", [HAS, {"fulfillments": True}])
def test_what_is_called_off_while_nobody_has_answered_is_taken_back(settings, kind, seed):
    store = Store(settings, **seed)
    order = store.buy(*LINES)
    fault = store.fault(kind, body="JD1")
    shipment = store.ship(order, (0, 24), tracking_number="JD1")
    store.until(lambda: fault.fired)
    store.ship(order, (0, 24), tracking_number="JD1", state=ShipmentState.CANCELLED)
    store.settle()
    assert sum(map(store.done, MADE)) == (kind == "commit_then_silence")
    assert store.parcels(order, settings) == []
    assert store.link(shipment, "shop")["status"] == "synced"


@pytest.mark.parametrize(
    ("change", "others"),
    [({"state": ShipmentState.CANCELLED}, []), ({"tracking_number": "JD2"}, ["JD2"])],
)
def test_a_parcel_that_two_shipments_share_stays_for_the_other(change, others):
    settings = {"tracking": "shipment_tracking"}
    store = Store(settings, **HAS)
    order = store.buy(*LINES)
    parcel = {"tracking_number": "JD1", "carrier": "DHL"}
    store.ship(order, (0, 24), number="s1", **parcel)
    store.settle()
    store.ship(order, (1, 2), number="s2", **parcel)
    store.settle()
    assert store.parcels(order, settings) == ["JD1"]
    store.ship(order, (1, 2), number="s2", **(parcel | change))
    store.settle()
    assert store.parcels(order, settings) == ["JD1", *others]
    store.ship(order, (0, 24), number="s1", **parcel, state=ShipmentState.CANCELLED)
    store.settle()
    assert store.parcels(order, settings) == others


def test_a_shop_without_fulfilments_has_nothing_to_look_for_there(store):
    order = store.buy(*LINES)
    fault = store.fault("drop", body="JD1")
    shipment = store.ship(order, (0, 24), tracking_number="JD1")
    store.until(lambda: fault.fired)
    store.ship(order, (0, 24), tracking_number="JD1", state=ShipmentState.CANCELLED)
    store.settle()
    assert store.written(order) == []
    assert store.link(shipment, "shop")["status"] == "synced"


def test_a_fulfilment_names_the_lines(store):
    store = Store({"tracking": "fulfillments"}, **HAS)
    order = store.buy(*LINES)
    first, second = (one["id"] for one in store.kept(order)["line_items"])
    store.ship(order, (0, 4), (1, 1), tracking_number="JD1", carrier="dhl")
    store.settle()
    (told,) = store.read(f"orders/{order.external_id}/fulfillments")
    kept = {one["key"]: one["value"] for one in told["meta_data"]}
    assert kept["_items"] == [{"item_id": first, "qty": 4}, {"item_id": second, "qty": 1}]
    assert kept["_fizzbridge_ref"] == "erp/s1"
    assert told["status"] == "fulfilled"


def test_what_the_erp_ships_by_code_only_is_put_to_the_lines():
    store = Store({"tracking": "fulfillments"}, **HAS)
    order = store.buy(("COLA330-CASE", 2))
    (line,) = (one["id"] for one in store.kept(order)["line_items"])
    by_code = ShippedLine(order_line_id="", sku="COLA330", quantity=48)
    store.ship(order, lines=(by_code,))
    store.settle()
    (told,) = store.read(f"orders/{order.external_id}/fulfillments")
    kept = {one["key"]: one["value"] for one in told["meta_data"]}
    assert kept["_items"] == [{"item_id": line, "qty": 2}]
    assert store.kept(order)["status"] == "completed"


@pytest.mark.parametrize("numbers", [("s1", "s2"), ("s2", "s1"), ("s9", "s10")])
def test_a_case_that_leaves_in_halves_is_in_the_later_parcel(numbers):
    store = Store({"tracking": "fulfillments"}, **HAS)
    order = store.buy(("COLA330-CASE", 1))
    (line,) = (one["id"] for one in store.kept(order)["line_items"])
    for number in numbers:
        half = ShippedLine(order_line_id="", sku="COLA330", quantity=12)
        store.ship(order, lines=(half,), number=number, tracking_number=f"JD{number}")
        store.settle()
    (told,) = store.read(f"orders/{order.external_id}/fulfillments")
    kept = {one["key"]: one["value"] for one in told["meta_data"]}
    assert kept["_items"] == [{"item_id": line, "qty": 1}]
    assert kept["_fizzbridge_ref"] == f"erp/{numbers[1]}"
    assert store.kept(order)["status"] == "completed"


@pytest.mark.parametrize(
    ("settings", "draft"),
    [({"complete": False}, {}), ({}, {"status": "on-hold"})],
)
def test_an_order_is_not_completed_where_nobody_wants_it_or_it_is_not_paid(settings, draft):
    store = Store(settings)
    order = store.buy(*LINES, **draft)
    before = store.kept(order)["status"]
    store.ship(order, (0, 24), (1, 2))
    store.settle()
    after = store.kept(order)
    assert after["status"] == before
    assert len(store.written(order)) == 1


def test_cash_on_delivery_is_not_said_to_be_paid(store):
    order = store.buy(*LINES, payment_method="cod", status="pending")
    store.put(f"orders/{order.external_id}", status="processing")
    store.ship(order, (0, 24), (1, 2))
    store.settle()
    kept = store.kept(order)
    assert (kept["status"], kept["date_paid_gmt"]) == ("processing", None)


def test_what_has_not_left_is_not_told(store):
    order = store.buy(*LINES)
    store.ship(order, (0, 24), state=ShipmentState.PLANNED)
    store.settle()
    assert store.written(order) == []


def test_goods_that_came_back_are_not_goods_that_have_left(store):
    order = store.buy(*LINES)
    store.ship(order, (0, 12), (1, 2), number="s1", tracking_number="JD1")
    store.settle()
    store.refund(order, "4.80", (0, 6, "4.80", "0"))  # six of those twelve were broken
    store.settle()
    store.ship(order, (0, 6), number="s2", tracking_number="JD2")
    store.settle()
    assert store.kept(order)["status"] == "processing"
    store.ship(order, (0, 6), number="s3", tracking_number="JD3")
    store.settle()
    assert store.kept(order)["status"] == "completed"


def test_an_order_whose_rest_was_given_back_is_left_to_people(store):
    order = store.buy(*LINES)
    store.refund(order, "38.40", (1, 2, "32.00", "6.40"))
    store.ship(order, (0, 24))
    store.settle()
    assert store.kept(order)["status"] == "processing"


# -- refunds ---------------------------------------------------------------------------------------


def test_a_refund_of_the_erps_is_the_shops_once_and_known_again(store):
    order = store.buy(*LINES)
    stock = store.shelf("stock_quantity", 51)
    refund = store.refund(order, "1.60", (0, 2, "1.60", "0"))
    store.settle()
    (there,) = store.read(f"orders/{order.external_id}/refunds")
    assert (there["amount"], there["refunded_payment"]) == ("1.60", False)
    assert [one["quantity"] for one in there["line_items"]] == [-2]
    kept = {one["key"]: one["value"] for one in there["meta_data"]}
    assert kept == {"_fizzbridge_ref": "erp/r1"}
    assert store.shelf("stock_quantity", 51) == [stock[0] + 2]
    assert store.link(refund, "shop")["external_id"] == str(there["id"])
    before = len(store.children(order, Kind.REFUND))
    store.heard_of()
    assert store.children(order, Kind.REFUND) == [str(refund)]
    assert before == 1
    assert store.done("refund_created") == 1


def test_a_refund_whose_answer_is_lost_is_made_once(store):
    order = store.buy(*LINES)
    fault = store.fault("commit_then_silence", body="erp/r1")
    refund = store.refund(order, "1.00")
    store.settle()
    assert fault.fired == 1
    assert store.done("refund_created") == 1
    assert store.link(refund, "shop")["status"] == "synced"


@pytest.mark.parametrize(("kind", "status"), FAULTS)
def test_whatever_goes_wrong_a_refund_is_made_once(store, kind, status):
    order = store.buy(*LINES)
    fault = store.fault(kind, body="erp/r1", status=status)
    refund = store.refund(order, "1.00")
    store.settle()
    assert fault.fired == 1
    assert store.done("refund_created") == 1
    assert store.link(refund, "shop")["status"] == "synced"


def test_the_echo_of_a_refund_may_come_before_its_answer(store):
    order = store.buy(*LINES)
    store.fault("commit_then_silence", body="erp/r1")
    refund = store.refund(order, "1.00")
    store.until(lambda: store.done("refund_created"))
    store.heard_of()
    assert store.children(order, Kind.REFUND) == [str(refund)]
    assert store.done("refund_created") == 1


def test_taxes_of_a_line_are_given_back_as_they_were_charged(store):
    order = store.buy(*LINES)
    line = store.kept(order)["line_items"][0]
    tax = Decimal(str(line["total_tax"])) / 2
    store.refund(order, str(Decimal("9.60") + tax), (0, 12, "9.60", str(tax)), restock=False)
    store.settle()
    (there,) = store.read(f"orders/{order.external_id}/refunds")
    (back,) = there["line_items"]
    assert (back["total"], Decimal(back["total_tax"])) == ("-9.60", -tax)
    assert tax > 0


def test_lines_of_an_order_with_tax_in_its_prices_are_given_back_without(store):
    order = store.buy(*LINES, prices_include_tax=True)
    store.refund(order, "12.00", (0, 12, "12.00", "2.00"))
    store.settle()
    (there,) = store.read(f"orders/{order.external_id}/refunds")
    (back,) = there["line_items"]
    assert (back["total"], back["total_tax"]) == ("-10.00", "-2.00")


def test_two_lots_of_one_line_are_given_back_together(store):
    order = store.buy(*LINES)
    lots = (0, 6, "4.80", "0.96"), (0, 2, "1.60", "0.32")
    refund = store.refund(order, "7.68", *lots)
    store.settle()
    (there,) = store.read(f"orders/{order.external_id}/refunds")
    (back,) = there["line_items"]
    assert (back["quantity"], back["total"], back["total_tax"]) == (-8, "-6.40", "-1.28")
    assert store.link(refund, "shop")["status"] == "synced"


def test_two_lots_of_one_line_may_not_be_more_than_it_has(store):
    order = store.buy(("COLA330", 4))
    refund = store.refund(order, "4.80", (0, 3, "2.40", "0"), (0, 3, "2.40", "0"))
    store.settle()
    assert store.read(f"orders/{order.external_id}/refunds") == []
    assert store.link(refund, "shop")["status"] == "parked"


def test_freight_is_given_back_as_freight(store):
    order = store.buy(*LINES, shipping_total="35.00")
    store.refund(order, "42.00", (2, 1, "35.00", "7.00"))
    store.settle()
    (there,) = store.read(f"orders/{order.external_id}/refunds")
    assert [one["total"] for one in there["shipping_lines"]] == ["-35.00"]
    assert [one["shipping_tax_total"] for one in there["tax_lines"]] == ["-7.00"]


@pytest.mark.parametrize(
    ("amount", "lines", "text"),
    [
        ("9999.00", (), "is left to refund"),
        ("1.00", ((0, 25, "1.00", "0"),), "less than 25 of line"),
        ("1.00", ((7, 1, "1.00", "0"),), "less than 1 of line"),
    ],
)
def test_more_than_is_left_is_not_refunded(store, amount, lines, text):
    order = store.buy(*LINES)
    refund = store.refund(order, amount, *lines)
    store.settle()
    link = store.link(refund, "shop")
    assert (link["status"], text in link["message"]) == ("parked", True)
    assert store.done("refund_created") == 0


def test_money_moves_only_where_it_is_to():
    store = Store({"refund_money": True})
    order = store.buy(*LINES)
    store.refund(order, "1.00")
    store.settle()
    (there,) = store.read(f"orders/{order.external_id}/refunds")
    assert there["refunded_payment"] is True
    store = Store({"refund_money": True})
    order = store.buy(*LINES, payment_method="cheque")
    refund = store.refund(order, "1.00")
    store.settle()
    assert store.link(refund, "shop")["status"] == "parked", "a gateway that gives nothing back"


def test_a_refund_taken_back_while_nobody_has_answered_is_found_and_named(store):
    order = store.buy(*LINES)
    fault = store.fault("commit_then_silence", body="erp/r1")
    refund = store.refund(order, "1.00")
    store.until(lambda: fault.fired)
    store.refund(order, "1.00", status=SettlementStatus.VOIDED)
    store.settle()
    assert "delete it there" in store.link(refund, "shop")["message"]
    assert store.done("refund_created") == 1


def test_a_refund_the_erp_takes_back_is_left_to_a_person(store):
    order = store.buy(*LINES)
    refund = store.refund(order, "1.00")
    store.settle()
    store.told_by_erp(refund, None, order)
    store.settle()
    assert "delete it there" in store.link(refund, "shop")["message"]
    assert len(store.read(f"orders/{order.external_id}/refunds")) == 1
