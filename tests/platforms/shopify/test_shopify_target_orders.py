"""What a Shopify shop is told of its own orders: their number at the ERP, cancellation, refunds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.documents import Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.converge import Converge
from platforms.shopify.orders import Orders
from tests.kit.shop_back import ShopBack
from tests.platforms.shopify.shopify_back import DEPOT, QUAY, READS, TOKEN, WRITES, Back

READ = """query($i: ID!) { order(id: $i) { cancelledAt cancelReason displayFinancialStatus tags note
  metafield(namespace: "fizzbridge", key: "erp_number") { value }
  netPaymentSet { shopMoney { amount } presentmentMoney { amount } }
  refunds(first: 9) { id note transactions(first: 9) { nodes { kind gateway
      amountSet { shopMoney { amount } } } }
    refundLineItems(first: 9) { nodes { quantity restockType restocked lineItem { sku } } } } } }"""


def read(house, order):
    return house.ask(READ, i=f"gid://shopify/Order/{order.external_id}")["order"]


@pytest.fixture
def house():
    return Back()


@pytest.fixture
def order(house):
    return house.order()


# -- the order itself ------------------------------------------------------------------------------


def test_the_shop_shows_the_erps_number_and_keeps_what_people_wrote(house):
    order = house.order(note="Ring twice", tags=["web"])
    assert house.sent("metafieldsSet") == []
    house.process(order, "S00042", OrderState.CONFIRMED)
    house.settle()
    found = read(house, order)
    assert found["metafield"] == {"value": "S00042"}
    assert (found["note"], found["tags"]) == ("Ring twice", ["web"])
    house.process(order, "S00042", OrderState.RELEASED)
    house.settle()
    assert len(house.sent("metafieldsSet")) == 1


def test_the_number_coming_back_by_webhook_stops_there(house, order):
    house.process(order, "S00042", OrderState.CONFIRMED)
    house.settle()
    for _ in range(3):
        house.hear()
        house.settle()
    assert len(house.sent("metafieldsSet")) == 1


@pytest.mark.parametrize("kind", ["commit_then_silence", "drop"])
def test_a_lost_answer_shows_the_number_once(house, order, kind):
    house.fault(kind, "metafieldsSet")
    house.process(order, "S00042", OrderState.CONFIRMED)
    house.settle()
    assert read(house, order)["metafield"] == {"value": "S00042"}


def cancelled(house, order):
    house.process(order, "S00042", OrderState.CONFIRMED)
    house.process(order, "S00042", OrderState.CANCELLED)
    house.settle()
    return house.link(order, "shop")


def test_what_the_erp_cancelled_is_cancelled_and_its_money_stays(house):
    order = house.order(paid=True)
    assert house.available() == 34
    assert cancelled(house, order)["status"] == "synced"
    found = read(house, order)
    assert found["cancelledAt"]
    assert found["cancelReason"] == "OTHER"
    assert Decimal(found["netPaymentSet"]["shopMoney"]["amount"]) > 0
    assert house.available() == 40
    assert house.accepted["order_cancel"] == 1


def test_a_cancellation_that_takes_its_time_is_waited_for():
    house = Back(seed={"job_seconds": 25})
    order = house.order()
    assert cancelled(house, order)["status"] == "synced"
    assert read(house, order)["cancelledAt"]
    assert house.accepted["order_cancel"] == 1


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "drop"])
def test_a_lost_answer_cancels_once(house, order, kind):
    house.fault(kind, "orderCancel")
    assert cancelled(house, order)["status"] == "synced"
    assert house.accepted["order_cancel"] == 1


def test_what_the_buyer_cancelled_needs_no_call(house, order):
    house.process(order, "S00042", OrderState.CONFIRMED)
    house.settle()
    house.control(f"orders/{order.external_id}/cancel")
    house.hear()
    house.settle()
    assert house.link(order, "shop")["status"] == "synced"
    assert house.sent("orderCancel(") == []


def test_what_was_fulfilled_is_not_cancelled(house, order):
    house.control(f"orders/{order.external_id}/ship")
    link = cancelled(house, order)
    assert link["status"] == "parked"
    assert "goods have been fulfilled" in link["message"]
    assert read(house, order)["cancelledAt"] is None


def test_an_order_the_shop_does_not_show_is_not_said_to_be_cancelled(house):
    with pytest.raises(TargetRejectedError, match="shows no order"):
        Orders().cancel(house.shop, "6120000099999")


def test_what_the_shop_refuses_to_cancel_is_named(house, order):
    house.sandbox.pay_order(int(order.external_id), "authorization")
    link = cancelled(house, order)
    assert link["status"] == "parked"
    assert "authorizations" in link["message"]


# -- refunds ---------------------------------------------------------------------------------------


def give_back(
    house: Any,
    order: Any,
    number: str = "R1",
    amount: str = "15.84",
    status: SettlementStatus = SettlementStatus.SETTLED,
    restocked: bool = True,
    currency: str = "GBP",
    settles: bool = True,
    **lines: int,
) -> Any:
    """The ERP gives back goods and money."""
    refund = ref(Kind.REFUND, "erp", number)
    body = Refund(
        order=order,
        amount=Decimal(amount),
        currency=currency,
        at=house.clock(),
        status=status,
        lines=tuple(
            RefundedLine(
                order_line_id=house.line(order, sku.replace("_", "-")),
                quantity=quantity,
                amount=Decimal("13.20") * quantity,
                tax=Decimal("2.64") * quantity,
                is_restocked=restocked,
            )
            for sku, quantity in lines.items()
        ),
    )
    house.told(refund, body, parent=order)
    if settles:
        house.settle()
    return refund


def test_goods_go_back_and_no_money_unless_it_is_wanted(house):
    order = house.order(paid=True)
    house.ship(order)
    before = house.available()
    refund = give_back(house, order, COLA_24=2)
    (made,) = read(house, order)["refunds"]
    assert made["note"] == "erp/R1"
    assert made["transactions"]["nodes"] == []
    assert made["refundLineItems"]["nodes"] == [
        {
            "quantity": 2,
            "restockType": "RETURN",
            "restocked": True,
            "lineItem": {"sku": "COLA-24"},
        }
    ]
    assert house.available() == before + 2
    assert house.link(refund, "shop")["external_id"] == made["id"].rpartition("/")[2]


def test_goods_that_never_left_are_called_off_and_broken_ones_stay_out(house):
    order = house.order(paid=True)
    give_back(house, order, COLA_24=1)
    give_back(house, order, "R2", restocked=False, TONIC_12=1)
    found = [one["refundLineItems"]["nodes"][0] for one in read(house, order)["refunds"]]
    assert [one["restockType"] for one in found] == ["CANCEL", "NO_RESTOCK"]


@pytest.mark.parametrize(
    ("left", "back", "kind"), [(4, 3, "RETURN"), (4, 2, "RETURN"), (1, 5, "CANCEL")]
)
def test_of_a_line_in_parts_what_left_comes_back_first(house, left, back, kind):
    order = house.order(paid=True)
    house.ship(order, lines={"COLA-24": left})
    give_back(house, order, COLA_24=back)
    (made,) = read(house, order)["refunds"]
    assert made["refundLineItems"]["nodes"][0]["restockType"] == kind


def test_goods_come_back_to_where_they_left_from(house):
    house.map("location", str(DEPOT), "WH")
    house.map("location", str(QUAY), "FAR")
    house.stock("COLA-24", 20, "FAR")
    house.settle()
    order = house.order(paid=True)
    lines = [{"sku": "COLA-24", "quantity": 6}]
    house.control(f"orders/{order.external_id}/split", {"location": QUAY, "lines": lines})
    house.ship(order)
    before = house.available(11, QUAY)
    give_back(house, order, COLA_24=2)
    assert house.available(11, QUAY) == before + 2


def test_money_goes_back_the_way_it_came():
    house = Back(settings={"refund_money": True})
    order = house.order()
    house.sandbox.pay_order(int(order.external_id), amount="20.00")
    house.sandbox.pay_order(int(order.external_id), gateway="manual")
    paid = Decimal(read(house, order)["netPaymentSet"]["shopMoney"]["amount"])
    give_back(house, order, amount="15.84", COLA_24=1)
    give_back(house, order, "R2", amount=f"{paid - Decimal('25.84')}")
    moved = [
        [(one["gateway"], one["amountSet"]["shopMoney"]["amount"]) for one in
         made["transactions"]["nodes"]]
        for made in read(house, order)["refunds"]
    ]  # fmt: skip
    assert moved[0] == [("manual", "15.84")]
    assert [gateway for gateway, _ in moved[1]] == ["manual", "shopify_payments"]
    left = read(house, order)["netPaymentSet"]["shopMoney"]["amount"]
    assert Decimal(left) == Decimal("10.00")


def test_more_than_was_paid_is_refused():
    house = Back(settings={"refund_money": True})
    order = house.order(paid=True)
    refund = give_back(house, order, amount="9999.00", COLA_24=1)
    link = house.link(refund, "shop")
    assert link["status"] == "parked"
    assert "GBP more than was paid and is left" in link["message"]
    assert read(house, order)["refunds"] == []


def test_more_goods_than_were_ordered_are_refused(house):
    order = house.order(paid=True)
    refund = give_back(house, order, COLA_24=7)
    assert house.link(refund, "shop")["status"] == "parked"
    assert read(house, order)["refunds"] == []


def test_money_of_another_currency_is_for_people():
    house = Back(settings={"refund_money": True})
    order = house.order(presentment_currency="EUR", presentment_rate="1.25", paid=True)
    refund = give_back(house, order)
    assert "give back 15.84 GBP in the shop by hand" in house.link(refund, "shop")["message"]


def test_all_that_the_buyer_paid_in_their_currency_can_be_given_back():
    house = Back(settings={"refund_money": True})
    order = house.order(presentment_currency="EUR", presentment_rate="1.25", paid=True)
    paid = Decimal(read(house, order)["netPaymentSet"]["presentmentMoney"]["amount"])
    more = give_back(house, order, amount=f"{paid + Decimal('0.01')}", currency="EUR")
    assert "0.01 EUR more than was paid" in house.link(more, "shop")["message"]
    refund = give_back(house, order, "R2", amount=f"{paid}", currency="EUR")
    assert house.link(refund, "shop")["status"] == "synced"
    left = read(house, order)["netPaymentSet"]["presentmentMoney"]["amount"]
    assert Decimal(left) == 0


@pytest.mark.parametrize("status", [SettlementStatus.PENDING, SettlementStatus.FAILED])
def test_money_that_has_not_moved_is_not_told(house, order, status):
    give_back(house, order, status=status, COLA_24=1)
    assert read(house, order)["refunds"] == []


def test_money_alone_is_nothing_where_the_shop_moves_none(house, order):
    refund = give_back(house, order)
    assert house.link(refund, "shop")["status"] == "synced"
    assert house.sent("refundCreate") == []


@pytest.mark.parametrize(
    "kind", ["commit_then_silence", "commit_then_reset", "commit_then_status", "truncate", "drop"]
)
def test_a_lost_answer_gives_back_once(house, kind):
    house = Back(settings={"refund_money": True})
    order = house.order(paid=True)
    house.fault(kind, "refundCreate")
    refund = give_back(house, order, COLA_24=1)
    assert len(read(house, order)["refunds"]) == 1
    assert house.accepted["refund_create"] == 1
    assert house.link(refund, "shop")["status"] == "synced"


def test_a_call_that_comes_twice_gives_back_once(house):
    """A create that was as good as lost, and lands after all: its key is the same."""
    order = house.order(paid=True)
    house.fault("drop", "refundCreate")
    give_back(house, order, COLA_24=1)
    late = house.sent("refundCreate")[0]
    house.transport.handle_request(late)
    assert len(read(house, order)["refunds"]) == 1


def test_a_refund_changed_afterwards_is_named(house):
    order = house.order(paid=True)
    refund = give_back(house, order, COLA_24=1)
    give_back(house, order, COLA_24=2)
    assert "is made and has other goods" in house.link(refund, "shop")["message"]
    assert house.accepted["refund_create"] == 1


@pytest.mark.parametrize("amount", ["15.85", "5.00", "0"])
def test_a_refund_whose_amount_is_another_afterwards_is_named(amount):
    house = Back(settings={"refund_money": True})
    order = house.order(paid=True)
    refund = give_back(house, order, COLA_24=1)
    assert house.link(refund, "shop")["status"] == "synced"
    give_back(house, order, amount=amount, COLA_24=1)
    link = house.link(refund, "shop")
    assert link["status"] == "parked"
    assert f"gave back 15.84 GBP, not {amount}" in link["message"]
    assert house.accepted["refund_create"] == 1


def test_an_amount_is_nothing_to_a_shop_that_moves_no_money(house):
    order = house.order(paid=True)
    refund = give_back(house, order, COLA_24=1)
    give_back(house, order, amount="5.00", COLA_24=1)
    assert house.link(refund, "shop")["status"] == "synced"


def test_a_refund_called_off_is_for_people(house):
    order = house.order(paid=True)
    refund = give_back(house, order, COLA_24=1)
    house.told(refund, None, parent=order)
    house.settle()
    assert "takes none back" in house.link(refund, "shop")["message"]


def test_one_taken_back_while_nobody_has_answered_is_found_and_named(house):
    order = house.order(paid=True)
    house.fault("commit_then_silence", "refundCreate")
    give_back(house, order, settles=False, COLA_24=1)
    house.until(lambda: house.sent("refundCreate"))
    refund = give_back(house, order, status=SettlementStatus.VOIDED, COLA_24=1)
    assert "takes none back" in house.link(refund, "shop")["message"]


def test_our_own_refund_coming_back_by_webhook_stops_there(house):
    order = house.order(paid=True)
    give_back(house, order, COLA_24=1)
    made = read(house, order)["refunds"][0]["id"].rpartition("/")[2]
    assert house.hear() > 0
    house.settle()
    assert house.accepted["refund_create"] == 1
    assert house.rows.get(f"Refund#shop/{made}", "PART#record") is None


def test_it_stops_though_nobody_has_answered_the_create_yet(house):
    order = house.order(paid=True)
    house.fault("commit_then_silence", "refundCreate")
    refund = give_back(house, order, settles=False, COLA_24=1)
    house.until(lambda: house.sent("refundCreate"))
    assert "external_id" not in house.link(refund, "shop")
    assert house.hear() > 0
    house.settle()
    made = read(house, order)["refunds"][0]["id"].rpartition("/")[2]
    assert house.rows.get(f"Refund#shop/{made}", "PART#record") is None
    assert house.link(refund, "shop")["external_id"] == made


# -- what is checked -------------------------------------------------------------------------------


def checked(house: ShopBack) -> dict[str, Any]:
    converge = Converge(
        house.adapter,
        house.connection,
        house.bridge,
        house.rows,
        house.objects,
        house._capacity,
        house.clock,
    )
    found = house.adapter.check(house.shop, converge.situation({}))
    return {one.what: (one.is_good, one.message) for one in found}


def test_a_shop_that_may_be_told_is_good(house):
    found = checked(house)
    assert found["shop"][1].endswith(": prices in GBP, without tax")
    assert found["right to inventoryActivate"] == (True, "write_inventory")
    assert found["location"][0]
    assert all(is_good for is_good, _ in found.values())
    assert not house.accepted


def test_what_is_mapped_must_be_there():
    house = Back(seed={"price_lists": [{"id": 501, "name": "Trade", "currency": "GBP"}]})
    for sort, name in (("location", "71000000022"), ("location", "5"), ("pricelist", "501"),
                       ("pricelist", "6")):  # fmt: skip
        house.map(sort, name, "X")
    found = checked(house)
    assert found["location 71000000022"] == (True, "Quay store shows the stock of X")
    assert found["location 5"][0] is False
    assert "Quay store is 71000000022" in found["location 5"][1]
    assert found["price list 501"] == (True, "Trade in GBP has the prices of X")
    assert found["price list 6"] == (False, "the shop has no such price list: Trade in GBP is 501")


@pytest.mark.parametrize("scope", WRITES)
def test_each_right_is_missed(scope):
    rights = [*READS, *(one for one in WRITES if one != scope)]
    found = checked(Back(seed={"access_tokens": {TOKEN: rights}}))
    bad = [message for is_good, message in found.values() if not is_good]
    assert bad == [f"give the app the scope {scope}, and install it anew"]
