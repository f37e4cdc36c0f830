from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fizzbridge.model.catalogue import CatalogueItem, Product
from fizzbridge.model.customer import Customer, Terms
from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Refund,
    SettlementStatus,
    Shipment,
    ShipmentState,
)
from fizzbridge.model.order import HoldReason, LineType, OrderAssessment, OrderRequest, Totals
from fizzbridge.model.party import Contact
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Unit
from fizzbridge.settings import Bridge
from fizzbridge.trade.assessing import OrderFacts, assess_order, assess_record
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Catalogue
from tests.kit.books import GivenBooks
from tests.kit.house import BRIDGE, START, line, order_ref, order_request

HOUSE = Bridge.model_validate(BRIDGE)
SHOP = HOUSE.connection("shop")


def assessed(request: OrderRequest, *items: CatalogueItem) -> OrderAssessment:
    rules = Rules(HOUSE, Catalogue(items))
    found = assess_order(OrderFacts(request), SHOP, rules, GivenBooks())
    assert found is not None
    return found


def test_a_code_for_a_pack_the_item_does_not_have_holds():
    broken = CatalogueItem(sku="KEG", name="Keg", case_sku="KEG-CASE")
    order = assessed(order_request(lines=[line("KEG-CASE")]), broken)
    (hold,) = order.holds
    assert (hold.reason, hold.cause) == (HoldReason.MAPPING, "MAP#shop#sku/KEG-CASE")
    assert hold.message == "KEG is not packed by the case"
    assert order.state is OrderState.HELD


def test_nobody_said_what_was_ordered():
    assert assess_order(OrderFacts(None), SHOP, Rules(HOUSE, Catalogue([])), GivenBooks()) is None


def test_an_invoice_says_its_gross_and_its_state():
    invoice = Invoice(
        order=order_ref(),
        number="INV1",
        state=InvoiceState.ISSUED,
        currency="GBP",
        tax_included=False,
        lines=(),
        totals=Totals(net="1", tax="0.2", gross="1.2"),
    )
    found = assess_record(invoice, SHOP)
    assert (found.state, found.amount, found.currency) == ("ISSUED", Decimal("1.20"), "GBP")
    assert found.order == order_ref()


def test_a_shipment_says_its_order_and_no_amount():
    parcel = Shipment(order=order_ref(), number="7", state=ShipmentState.DELIVERED, lines=())
    found = assess_record(parcel, SHOP)
    assert (found.state, found.order, found.amount) == ("DELIVERED", order_ref(), None)


@pytest.mark.parametrize(("at", "is_old"), [(START, False), (START.replace(month=10), True)])
def test_money_of_before_the_start_is_historical(at, is_old):
    refund = Refund(
        order=order_ref(),
        amount="1",
        currency="GBP",
        at=at,
        status=SettlementStatus.SETTLED,
    )
    assert assess_record(refund, SHOP).is_historical is is_old


def test_a_change_of_content_is_a_change_of_the_assessment():
    one, other = (assess_record(Product(sku="COLA", name=name), SHOP) for name in ("Cola", "Kola"))
    assert one.content != other.content
    assert one.state == other.state == ""


def test_a_code_that_is_mapped_is_counted_as_ours():
    item = CatalogueItem(sku="COLA", name="Cola")
    facts = OrderFacts(order_request(lines=[line("KOLA", 3)]))
    books = GivenBooks(skus={"KOLA": "COLA"})
    order = assess_order(facts, SHOP, Rules(HOUSE, Catalogue([item])), books)
    assert order is not None
    (one,) = order.lines
    assert one.sku == "COLA"
    assert order.tax_point == datetime(2026, 11, 20, tzinfo=UTC).date()


def test_lines_that_do_not_sum_to_the_total_hold():
    odd = Totals(net="5.00", tax="0.40", gross="5.40")
    order = assessed(order_request(totals=odd), CatalogueItem(sku="COLA330", name="Cola"))
    (hold,) = order.holds
    assert hold.reason is HoldReason.TOTAL_MISMATCH
    assert hold.message == ("the shop's lines sum to 2.00, its total is 5.00, difference 3.00")


@pytest.mark.parametrize("cents", range(-6, 7))
def test_a_cent_or_two_are_a_line_of_their_own(cents):
    net = Decimal(2) + Decimal(cents) / 100
    odd = Totals(net=net, tax="0.40", gross=net + Decimal("0.40"))
    order = assessed(order_request(totals=odd), CatalogueItem(sku="COLA330", name="Cola"))
    rounding = [line.amount for line in order.lines if line.type is LineType.ROUNDING]
    if abs(cents) > 5:
        assert [hold.reason for hold in order.holds] == [HoldReason.TOTAL_MISMATCH]
        assert rounding == []
    else:
        assert rounding == ([Decimal(cents) / 100] if cents else [])
        assert order.totals == odd


def test_a_discount_on_the_order_is_spread_over_its_goods():
    goods = [
        line("COLA330", 1, id=name, amount=Decimal(amount), tax=Decimal(0))
        for name, amount in (("a", "33.33"), ("b", "33.33"), ("c", "33.34"))
    ]
    off = line(None, 1, id="d", type=LineType.DISCOUNT, amount=Decimal("10.00"), tax=Decimal(0))
    totals = Totals(net="90.00", tax="0", gross="90.00")
    request = order_request(lines=[*goods, off], totals=totals)
    order = assessed(request, CatalogueItem(sku="COLA330", name="Cola"))
    assert [one.amount for one in order.lines] == [
        Decimal("30.00"),
        Decimal("30.00"),
        Decimal("30.00"),
    ]
    assert order.totals == totals


@pytest.mark.parametrize(("status", "quantity"), [("PENDING", 252), ("PAID", 251)])
def test_what_is_paid_is_never_rounded_up(status, quantity):
    terms = Terms(order_multiple=Unit.LAYER, accepts_rounding=True, payment_days=30)
    books = GivenBooks(customer=Customer(contact=Contact(), terms=terms))
    request = order_request(lines=[line("CASE", 251)], payment_status=status, payment_terms="NET")
    item = CatalogueItem(
        sku="COLA", name="Cola", case_sku="CASE", units_per_case=24, cases_per_layer=9
    )
    facts = OrderFacts(request)
    order = assess_order(facts, SHOP, Rules(HOUSE, Catalogue([item])), books)
    assert order is not None
    assert order.lines[0].quantity is not None
    assert order.lines[0].quantity.ordered == quantity
