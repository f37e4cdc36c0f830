"""Money at a ledger: every payment is there once, and an invoice shows what was sold."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fizzbridge.errors import TargetUnavailableError
from fizzbridge.model.documents import Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.observation import Seen
from fizzbridge.runtime.target import BilledOrder, DocumentPayload
from tests.kit.house import Shelf, line, order_ref, seen_customer
from tests.kit.ledger import PAYMENT, ROUTE, LedgerHouse, live

REFUND = ref(Kind.REFUND, "shop", "r1")


class Invoices(BilledOrder, Shelf):
    """Orders as they were sold."""

    def desired(self, view, situation):
        order = self.order(view)
        return DocumentPayload(currency=order.currency, total=order.totals.gross)


class Credits(Shelf):
    def requires(self, view):
        return [view.parent.ref]

    def desired(self, view, situation):
        refund = view.body(Part.RECORD, Refund)
        return DocumentPayload(currency=refund.currency, total=refund.amount)


@pytest.fixture
def house():
    return LedgerHouse()


@pytest.fixture
def ledger():
    house = LedgerHouse(routes=[{"kinds": ["Order", "Payment", "Refund"]} | ROUTE])
    house.orders = Invoices(house.clock, house.steps, Kind.ORDER)
    house.credits = Credits(house.clock, house.steps, Kind.REFUND)
    shelves = (house.orders, house.customers, house.payments, house.credits)
    house.serve({shelf.kind: shelf for shelf in shelves})
    return house


def pending_first(house):
    """A payment that is settled after the target was told there is none."""
    house.place()
    house.pay(SettlementStatus.PENDING)
    house.settle()
    house.clock.advance(5)
    house.pay()
    return house


def busy_once(shelf):
    """What follows a create has trouble once; the id is saved by then."""
    update = shelf.update

    def busy(vendor, external_id, payload):
        shelf.update = update
        raise TargetUnavailableError("503")

    shelf.update = busy


def refund(house):
    part = RefundedLine(
        order_line_id="l-COLA330",
        quantity=4,
        amount=Decimal("4.00"),
        tax=Decimal("0.80"),
        is_restocked=True,
    )
    body = Refund(
        order=order_ref(),
        amount=Decimal("4.80"),
        currency="GBP",
        at=house.clock(),
        status=SettlementStatus.SETTLED,
        lines=(part,),
    )
    house.observe(Seen(REFUND, body, house.clock(), parent=order_ref()))
    house.settle()


def lower(house):
    """The order shows what is left of it after the refund."""
    house.amend(5, lines=[line(quantity=6, quantity_ordered=10)])
    house.settle()


# -- once ----------------------------------------------------------------------------------------


def test_a_payment_pending_first_is_made_once_whatever_follows_it(house):
    pending_first(house)
    busy_once(house.payments)
    house.settle()
    assert len(house.payments.objects) == 1


def steps_after_pending():
    house = pending_first(LedgerHouse())
    house.steps.taken = 0
    house.settle()
    return house.steps.taken


@pytest.mark.parametrize("kill_at", range(1, steps_after_pending() + 1))
def test_killed_at_any_step_a_payment_pending_first_is_made_once(house, kill_at):
    pending_first(house)
    house.steps.taken, house.steps.kill_at = 0, kill_at
    house.settle()
    assert len(house.payments.objects) == 1
    assert house.link(PAYMENT)["status"] == "synced"


def test_a_payment_made_without_an_answer_is_voided_when_it_is_taken_back(house):
    pending_first(house)
    house.payments.script.append("commit_then_unknown")
    house.assess()
    house.handle("erp", order_ref())
    assert house.converge.run(PAYMENT, "once").kind == "retry"
    house.clock.advance(5)
    house.pay(SettlementStatus.VOIDED)
    house.settle()
    house.clock.advance(400)
    house.settle()
    (made,) = house.payments.objects.values()
    assert made.is_cancelled


def test_an_order_that_went_and_came_back_before_it_was_made_is_made_once(house):
    house.place(lines=[line("NOBODY-KNOWS")])
    house.settle()
    house.move("IE", 5, lines=[line("NOBODY-KNOWS")])
    assert not house.orders.objects
    assert house.link(order_ref())["stamp"] == "gone"
    busy_once(house.orders)
    house.move("GB", 9)
    assert len(house.orders.objects) == 1


# -- what was sold -------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [(lower, refund), (refund, lower)], ids=["order", "refund"])
def test_the_invoice_shows_the_whole_sale_whichever_comes_first(ledger, steps):
    ledger.place(lines=[line(quantity=10)])
    ledger.pay(amount="12.00")
    ledger.settle()
    for step in steps:
        step(ledger)
    (invoice,) = ledger.orders.objects.values()
    (credit,) = ledger.credits.objects.values()
    assert (invoice.payload.total, credit.payload.total) == (Decimal("12.00"), Decimal("4.80"))


def test_a_refund_the_shop_takes_back_is_voided(ledger):
    ledger.place(lines=[line(quantity=10)])
    ledger.pay(amount="12.00")
    refund(ledger)
    (credit,) = live(ledger.credits)
    ledger.clock.advance(5)
    ledger.observe(Seen(REFUND, None, ledger.clock(), parent=order_ref()))
    ledger.settle()
    assert credit.is_cancelled


def booked_with_its_money(ledger):
    return (len(live(ledger.orders)), len(ledger.payments.objects)) == (1, 1)


@pytest.mark.parametrize("is_paid_first", [True, False])
def test_money_of_a_cancelled_order_is_booked_whichever_is_told_first(ledger, is_paid_first):
    ledger.observe(seen_customer())
    if is_paid_first:
        ledger.pay()
    ledger.amend(5, cancelled_at=ledger.clock())
    ledger.settle()
    if not is_paid_first:
        ledger.pay()
        ledger.settle()
    assert booked_with_its_money(ledger)


def test_money_told_after_the_invoice_was_voided_is_booked(ledger):
    ledger.place()
    ledger.settle()
    ledger.amend(5, cancelled_at=ledger.clock())
    ledger.settle()
    assert not live(ledger.orders)
    ledger.pay()
    ledger.settle()
    assert booked_with_its_money(ledger)


# -- what goes first -----------------------------------------------------------------------------


def assessed(house):
    house.clock.advance(5)
    while any(sort == "assess" for sort, *_ in house.messages):
        house.assess()


def test_money_for_a_changed_order_goes_after_the_change(ledger):
    ledger.place(lines=[line(quantity=10)])
    ledger.settle()
    ledger.clock.advance(5)
    ledger.amend(5, lines=[line(quantity=20)])
    ledger.pay(amount="24.00")
    assessed(ledger)
    ledger.handle("erp", PAYMENT)
    (invoice,) = ledger.orders.objects.values()
    assert invoice.payload.total == Decimal("24.00")
    assert len(live(ledger.payments)) == 1


def test_money_waits_while_its_order_is_held(ledger):
    ledger.place(lines=[line(quantity=10)])
    ledger.settle()
    ledger.clock.advance(5)
    ledger.amend(5, lines=[line("NOBODY-KNOWS")])
    ledger.pay(amount="12.00")
    ledger.settle()
    assert ledger.link(order_ref())["status"] == "held"
    assert not ledger.payments.objects
    ledger.clock.advance(5)
    ledger.amend(9, lines=[line(quantity=10)])
    ledger.settle()
    ledger.handle("erp", PAYMENT)
    assert len(live(ledger.payments)) == 1


def test_what_stands_against_a_cancelled_order_is_taken_off_first(ledger):
    ledger.place(lines=[line(quantity=10)])
    ledger.settle()
    ledger.pay(amount="12.00")
    ledger.settle()
    ledger.clock.advance(5)
    ledger.pay(SettlementStatus.VOIDED, amount="12.00")
    ledger.amend(5, cancelled_at=ledger.clock())
    assessed(ledger)
    ledger.handle("erp", order_ref())
    assert not live(ledger.payments)
    assert not live(ledger.orders)
