"""A ledger bills what was sold; what went back is credited once, not taken off as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fizzbridge.model.documents import Documents, Payment, Refund, RefundedLine, SettlementStatus
from fizzbridge.model.entity import Kind, ref
from fizzbridge.runtime.loading import Loader
from fizzbridge.trade.billing import billed, was_paid
from tests.kit.wholesaler import Wholesaler

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def view():
    house = Wholesaler(tax_rate=0.2)
    order = house.order(quantity=10)
    found = Loader(house.rows, house.objects).view(order)
    assert found.request
    assert found.assessment
    return found


def refund(view, quantity, amount, tax, status=SettlementStatus.SETTLED):
    line = RefundedLine(
        order_line_id=view.request.lines[0].id,
        quantity=quantity,
        amount=Decimal(amount),
        tax=Decimal(tax),
        is_restocked=True,
    )
    return Refund(
        order=ref(Kind.ORDER, "shop", 1),
        amount=Decimal(amount) + Decimal(tax),
        currency="EUR",
        at=NOW,
        status=status,
        lines=(line,),
    )


def lowered(view, quantity):
    """The shop's order after it took refunded quantities off, as Shopify does."""
    (line,) = view.request.lines
    kept = line.model_copy(update={"quantity": quantity})
    return view.request.model_copy(update={"lines": (kept,)})


def test_what_a_refund_took_off_is_put_back(view):
    request = lowered(view, 8)
    told = view.assessment.lines[0]
    quantity = told.quantity.model_copy(update={"ordered": 8, "base": 8 * 24})
    lines = (told.model_copy(update={"quantity": quantity, "amount": Decimal("76.80")}),)
    order = view.assessment.model_copy(update={"lines": lines})
    found = billed(request, order, Documents(refunds=(refund(view, 2, "19.20", "3.84"),)))
    assert found.lines[0].amount == Decimal("96.00")
    assert found.lines[0].quantity.ordered == 10
    assert found.lines[0].quantity.base == 240
    assert found.totals.gross == order.totals.gross + Decimal("23.04")
    assert found.totals.net + found.totals.tax == found.totals.gross


def test_a_shop_that_leaves_its_order_as_it_was_is_billed_as_it_is(view):
    documents = Documents(refunds=(refund(view, 2, "19.20", "3.84"),))
    assert billed(view.request, view.assessment, documents) == view.assessment


@pytest.mark.parametrize("status", [SettlementStatus.PENDING, SettlementStatus.FAILED])
def test_only_money_that_moved_counts(view, status):
    documents = Documents(refunds=(refund(view, 2, "19.20", "3.84", status),))
    assert billed(lowered(view, 8), view.assessment, documents) == view.assessment
    assert not was_paid(replace(documents, payments=()))


def test_what_was_taken_off_before_anybody_paid_is_not_put_back(view):
    nothing = refund(view, 2, "19.20", "3.84").model_copy(update={"amount": Decimal(0)})
    documents = Documents(refunds=(nothing,))
    assert billed(lowered(view, 8), view.assessment, documents) == view.assessment


@pytest.mark.parametrize("is_test", [True, False])
def test_a_payment_of_a_test_is_no_money(is_test):
    payment = Payment(
        order=ref(Kind.ORDER, "shop", 1),
        amount=Decimal("12.00"),
        currency="EUR",
        at=NOW,
        status=SettlementStatus.SETTLED,
        is_test=is_test,
    )
    assert was_paid(Documents(payments=(payment,))) is not is_test
