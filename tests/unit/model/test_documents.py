from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Payment,
    Refund,
    RefundedLine,
    SettlementStatus,
)
from fizzbridge.model.order import LineType, OrderRequest, Totals
from tests.kit.house import line, order_ref, order_request

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def refund(**changes) -> Refund:
    known = {
        "order": order_ref(),
        "amount": "2.40",
        "currency": "GBP",
        "at": NOON,
        "status": SettlementStatus.SETTLED,
    }
    return Refund(**known | changes)


def test_net_plus_tax_is_gross_to_the_penny():
    with pytest.raises(ValidationError, match=r"net 2\.00 plus tax 0\.40 is not gross 2\.41"):
        order_request(totals=Totals(net="2", tax="0.4", gross="2.41"))


@pytest.mark.parametrize("name", ["amount", "tax", "discount"])
def test_a_lines_amount_smaller_than_the_minor_unit_is_refused(name):
    with pytest.raises(ValidationError, match=f"line l-COLA330 {name}: 0.001 has more digits"):
        order_request(
            lines=[line(**{"amount": "0", "tax": "0"} | {name: "0.001"})],
            totals=Totals(net="0", tax="0", gross="0"),
        )


def test_yen_have_no_pence_and_dinars_have_three_digits():
    yen = {"currency": "JPY", "presentment_currency": "JPY", "presentment_gross": "2"}
    with pytest.raises(ValidationError, match="more digits than JPY"):
        order_request(lines=[line(tax="0.4")], **yen)
    totals = Totals(net="1.234", tax="0.001", gross="1.235")
    assert order_request(lines=[], totals=totals, currency="KWD").totals.net == Decimal("1.234")


def test_what_the_buyer_saw_is_exact_in_the_buyers_currency():
    with pytest.raises(ValidationError, match=r"presentment gross: 240\.5 has more digits"):
        order_request(presentment_currency="JPY", presentment_gross="240.5")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"presentment_gross": "2.4"}, {"presentment_gross": "2.40"}),
        (
            {"lines": [line(taxes=({"title": "VAT", "rate": "0.2", "amount": "0.4"},))]},
            {"lines": [line(taxes=({"title": "VAT", "rate": "0.20", "amount": "0.40"},))]},
        ),
        ({"lines": [line(unit_price="1")]}, {"lines": [line(unit_price="1.000")]}),
    ],
)
def test_equal_orders_written_with_other_digits_are_equal_to_the_byte(one, other):
    assert order_request(**one).fingerprint() == order_request(**other).fingerprint()


def test_a_refund_and_its_lines_are_equal_to_the_byte_too():
    covered = {"order_line_id": "1", "quantity": 1, "is_restocked": True}
    one = refund(amount="2.4", lines=[RefundedLine(amount="2", tax="0.4", **covered)])
    other = refund(lines=[RefundedLine(amount="2.00", tax="0.40", **covered)])
    assert one.fingerprint() == other.fingerprint()
    with pytest.raises(ValidationError, match="line 1 tax"):
        refund(lines=[RefundedLine(amount="2", tax="0.401", **covered)])


def test_a_payment_is_exact_in_its_currency():
    with pytest.raises(ValidationError, match=r"amount: 2\.401 has more digits than GBP"):
        Payment(
            order=order_ref(),
            amount="2.401",
            currency="GBP",
            at=NOON,
            status=SettlementStatus.SETTLED,
        )


def test_an_invoice_is_a_document_like_an_order():
    with pytest.raises(ValidationError, match="is not gross"):
        Invoice(
            order=order_ref(),
            number="INV1",
            state=InvoiceState.ISSUED,
            currency="GBP",
            tax_included=False,
            lines=(),
            totals=Totals(net="1", tax="0.2", gross="1.3"),
        )


def test_only_discounts_and_deposit_refunds_take_away():
    assert {kind for kind in LineType if kind.sign < 0} == {
        LineType.DISCOUNT,
        LineType.DEPOSIT_REFUND,
    }


PENCE = st.integers(0, 10**7)


@given(PENCE, PENCE, st.sampled_from(["", "0", "000"]))
def test_any_way_of_writing_an_order_reads_back_as_the_same(net, tax, zeros):
    def pounds(pence: int) -> str:
        return f"{Decimal(pence).scaleb(-2)}{zeros}"

    totals = Totals(net=pounds(net), tax=pounds(tax), gross=pounds(net + tax))
    request = order_request(lines=[], totals=totals)
    again = OrderRequest.model_validate_json(request.model_dump_json())
    assert again == request
    assert again.fingerprint() == request.fingerprint()


@pytest.mark.parametrize("moment", ["2026-11-20T09:00:00", datetime(2026, 11, 20, 9)])  # noqa: DTZ001  # the point
def test_a_moment_without_zone_is_refused(moment):
    with pytest.raises(ValidationError, match="timezone"):
        order_request(placed_at=moment)


def test_moments_told_in_two_zones_are_one():
    tokyo = order_request(placed_at="2026-11-20T18:00:00+09:00")
    assert tokyo.fingerprint() == order_request(placed_at="2026-11-20T09:00:00Z").fingerprint()


def test_the_goods_go_to_the_delivery_address_or_else_where_the_bill_goes():
    assert order_request(ship_to=None, bill_to={"country": "IE"}).ship_country == "IE"
    assert order_request(ship_to={"country": "GB"}, bill_to={"country": "IE"}).ship_country == "GB"
    assert order_request(ship_to={}, bill_to=None).ship_country is None
