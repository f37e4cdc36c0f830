"""What Magento says, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.documents import SettlementStatus, ShipmentState
from fizzbridge.model.entity import Kind
from fizzbridge.model.order import LineType, PaymentStatus
from fizzbridge.model.party import Company
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.magento import mapping, wire
from platforms.magento.lines import Shop
from platforms.magento.webhook import MagentoWebhook

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "magento"
AT = datetime(2026, 11, 20, 10, 5, tzinfo=UTC)
NET, GROSS = Shop("shop"), Shop("shop", tax_included=True)
D = Decimal


def item(number=501, quantity=2, price="12.00", **changes):
    """So many at a net price, 20 % on top."""
    price = D(price)
    row = price * quantity
    return {
        "item_id": number,
        "product_type": "simple",
        "sku": "COLA-24",
        "name": "Cola, case of 24",
        "qty_ordered": quantity,
        "price": price,
        "price_incl_tax": price * D("1.2"),
        "row_total": row,
        "row_total_incl_tax": row * D("1.2"),
        "tax_amount": row * D("0.2"),
        "tax_percent": 20,
        "discount_amount": 0,
        "extension_attributes": {"itemized_taxes": []},
    } | changes


ADDRESS = {
    "firstname": "Ada",
    "lastname": "Quill",
    "street": ["1 Quay", "Unit 4"],
    "city": "Leeds",
    "postcode": "LS1 1AA",
    "country_id": "GB",
    "telephone": "0113",
}


def told(**changes):
    body = {
        "entity_id": 42,
        "increment_id": "000000042",
        "state": "new",
        "status": "pending",
        "created_at": "2026-11-20 10:00:00",
        "updated_at": "2026-11-20 10:05:00",
        "order_currency_code": "GBP",
        "base_currency_code": "GBP",
        "grand_total": D("28.80"),
        "base_grand_total": D("28.80"),
        "tax_amount": D("4.80"),
        "total_due": D("28.80"),
        "customer_is_guest": 1,
        "customer_email": "ada@shop.example",
        "store_name": "Main Website\nMain Website Store\nTrade View",
        "billing_address": ADDRESS,
        "payment": {"method": "purchaseorder", "po_number": "PO-77"},
        "items": [item()],
        "extension_attributes": {
            "shipping_assignments": [{"shipping": {"address": ADDRESS | {"city": "Cork"}}}]
        },
    }
    return wire.Order.model_validate(body | changes)


def seen(shop=NET, **changes):
    return list(mapping.order(told(**changes), shop))


def request(shop=NET, **changes):
    return seen(shop, **changes)[0].body


def sums_up(found):
    total = found.totals.gross if found.tax_included else found.totals.net
    assert sum(line.type.sign * line.amount for line in found.lines) == total


def test_an_order_and_its_buyer():
    order, buyer = seen()
    assert (order.ref.key, order.changed, order.refetch) == ("shop/42", AT, Hint("order", "42"))
    assert (buyer.ref.key, buyer.changed) == ("shop/order:42", None)
    found = order.body
    assert (found.number, found.placed_at_local) == ("000000042", "2026-11-20 10:00:00")
    assert found.placed_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (found.channel, found.po_number) == ("Trade View", "PO-77")
    assert found.payment_status is PaymentStatus.PENDING
    assert (found.bill_to.city, found.ship_to.city) == ("Leeds", "Cork")
    assert (found.bill_to.street, found.bill_to.street2) == ("1 Quay", "Unit 4")
    (line,) = found.lines
    assert (line.id, line.unit_price, line.amount, line.tax) == ("501", 12, 24, D("4.80"))
    assert (line.taxes[0].title, line.taxes[0].rate) == ("20 %", D("0.2"))
    sums_up(found)


def test_an_order_without_a_state_was_written_past_the_checkout():
    assert seen(state=None) == []


def test_an_account_a_name_and_a_company():
    extension = {"company_order_attributes": {"company_id": 7, "company_name": "Corner Pop Ltd"}}
    found = request(
        customer_id=9, customer_is_guest=0, extension_attributes=extension, customer_taxvat="GB1"
    )
    assert found.customer.key == "shop/9"
    assert found.contact.name == "Ada Quill"  # of the bill, where the account has none
    company = found.company
    assert (company.id, company.name, company.vat_number) == ("7", "Corner Pop Ltd", "GB1")
    assert found.ship_to == found.bill_to
    pop = ADDRESS | {"company": "Pop", "street": "1 Quay\nUnit 4"}
    plain = request(billing_address=pop, extension_attributes=[], ext_customer_id="C-1004")
    assert (plain.company.id, plain.company.name) == ("order:42", "Pop")
    assert plain.company.account == "C-1004"
    assert (plain.bill_to.street, plain.bill_to.street2) == ("1 Quay", "Unit 4")


def test_a_discount_is_positive_on_lines_and_negative_on_the_order():
    line = item(discount_amount=D("2.40"), tax_amount=D("4.32"))
    found = request(
        items=[line], discount_amount=D("-2.40"), grand_total="25.92", tax_amount="4.32"
    )
    assert (found.lines[0].discount, found.lines[0].amount) == (D("2.40"), D("21.60"))
    assert found.totals.discount == D("2.40")
    sums_up(found)


def test_the_tax_hidden_in_a_discount_comes_back():
    # 10 % off 28.80 with tax: 2.88, of which 0.48 is tax.
    line = item(
        discount_amount="2.88", tax_amount="4.32", discount_tax_compensation_amount=D("0.48")
    )
    changes = {"items": [line], "grand_total": "25.92", "tax_amount": "4.32"}
    net, gross = request(**changes), request(GROSS, **changes)
    assert (net.lines[0].amount, net.lines[0].discount) == (D("21.60"), D("2.40"))
    assert (gross.lines[0].amount, gross.lines[0].discount) == (D("25.92"), D("2.88"))
    assert gross.lines[0].unit_price == D("14.4")
    assert (net.tax_included, gross.tax_included) == (False, True)
    sums_up(net)
    sums_up(gross)


def test_amounts_that_were_printed_from_floats():
    found = request(grand_total=D("28.799999999"), tax_amount=D("4.80000001"))
    assert (found.totals.gross, found.totals.tax) == (D("28.80"), D("4.80"))


def test_a_configurable_product_is_one_line():
    parent = item(product_type="configurable", sku="TONIC-6")
    child = item(502, price="0", sku="TONIC-6", parent_item_id=501)
    found = request(items=[parent, child])
    assert [(one.id, one.sku, one.is_stocked) for one in found.lines] == [("501", "TONIC-6", True)]
    sums_up(found)


def bundle(is_dynamic):
    """One mixed box at 24.00: of two colas and a tonic."""
    prices = ("9.00", "6.00") if is_dynamic else ("0", "0")
    return [
        item(500, 1, "24.00", product_type="bundle", sku="BOX"),
        item(501, 2, prices[0], parent_item_id=500),
        item(502, 1, prices[1], parent_item_id=500, sku="TONIC"),
    ]


def test_the_parts_of_a_bundle_have_the_prices_or_the_bundle_has():
    dynamic, fixed = request(items=bundle(True)), request(items=bundle(False))
    assert [(one.id, one.parent_id, one.amount) for one in dynamic.lines] == [
        ("501", "500", D("18.00")),
        ("502", "500", D("6.00")),
    ]
    assert [(one.id, one.parent_id, one.amount, one.is_stocked) for one in fixed.lines] == [
        ("500", None, D("24.00"), False),
        ("501", "500", D("0.00"), True),
        ("502", "500", D("0.00"), True),
    ]
    assert all(one.type is LineType.GOODS for one in (*dynamic.lines, *fixed.lines))
    sums_up(dynamic)
    sums_up(fixed)


def test_free_goods_and_what_is_no_stock():
    lines = [
        item(),
        item(502, 1, "0"),
        item(503, 1, "0", product_type="giftcard", sku="GIFT"),
        item(504, 1, "0", product_type="virtual", sku="CLUB"),
    ]
    found = request(items=lines).lines
    assert found[1].type is LineType.FREE_GOODS
    assert [one.is_stocked for one in found] == [True, True, False, False]


def test_fixed_product_taxes_are_deposits_and_levies():
    listed = [
        {"title": "Deposit", "amount": 3.6, "row_amount": 7.2, "row_amount_incl_tax": 8.64},
        {"title": "Sugar levy", "amount": 1, "row_amount": 2},
    ]
    line = item(
        weee_tax_applied=json.dumps(listed),
        weee_tax_applied_amount="4.60",
        weee_tax_applied_row_amount="9.20",
    )
    shop = Shop("shop", levies=frozenset({"Sugar levy"}))
    changes = {"items": [line], "grand_total": "39.44", "tax_amount": "6.24"}
    found = request(shop, **changes)
    assert [(one.id, one.type, one.parent_id, one.amount, one.tax) for one in found.lines[1:]] == [
        ("501:0", LineType.DEPOSIT, "501", D("7.20"), D("1.44")),
        ("501:1", LineType.LEVY, "501", D("2.00"), D("0.00")),
    ]
    assert not any(one.is_stocked for one in found.lines[1:])
    sums_up(found)
    sums_up(request(GROSS, **changes))


@pytest.mark.parametrize("listed", ["[]", "no list", None, '[{"row_amount": 1}]'])
def test_a_fixed_product_tax_without_a_list_is_one_deposit(listed):
    line = item(weee_tax_applied=listed, weee_tax_applied_row_amount="7.20")
    (deposit,) = request(items=[line], grand_total="36.00").lines[1:]
    assert (deposit.type, deposit.amount, deposit.quantity) == (LineType.DEPOSIT, D("7.20"), 2)


def test_freight_its_discount_and_its_tax():
    changes = {
        "shipping_amount": "10.00",
        "shipping_incl_tax": "12.00",
        "shipping_tax_amount": "1.80",
        "shipping_discount_amount": "1.00",
        "shipping_description": "Route van",
        "grand_total": "39.60",
        "tax_amount": "6.60",
    }
    found = request(**changes)
    freight = found.lines[-1]
    assert (freight.type, freight.title) == (LineType.FREIGHT, "Route van")
    assert (freight.unit_price, freight.discount, freight.amount) == (10, 1, 9)
    assert (freight.taxes[0].rate, freight.taxes[0].amount) == (D("0.2"), D("1.80"))
    sums_up(found)
    gross = request(GROSS, **changes).lines[-1]
    assert (gross.unit_price, gross.amount) == (12, D("10.80"))


def test_taxes_by_rate_where_the_version_says_them():
    applied = [{"title": "State", "percent": 5, "amount": 1.2}, {"code": "City", "amount": 3.6}]
    taxes = [
        {"type": "product", "item_id": 501, "applied_taxes": applied},
        {"type": "shipping", "applied_taxes": [{"title": "VAT", "percent": 20, "amount": 2}]},
    ]
    found = request(
        extension_attributes={"item_applied_taxes": taxes},
        shipping_amount=10,
        shipping_tax_amount=2,
    )
    assert [(one.title, one.amount) for one in found.lines[0].taxes] == [
        ("State", D("1.20")),
        ("City", D("3.60")),
    ]
    assert found.lines[1].taxes[0].title == "VAT"
    itemized = {"itemized_taxes": [{"tax_code": "VAT 20", "tax_percent": "20", "amount": 4.8}]}
    (share,) = request(items=[item(extension_attributes=itemized)]).lines[0].taxes
    assert (share.title, share.rate) == ("VAT 20", D("0.2"))


def test_newer_versions_have_the_tax_of_freight_in_another_place():
    taxes = [
        {"taxable_item_type": "weee", "tax_code": "Levy", "tax_percent": 5, "amount": 1},
        {"taxable_item_type": "shipping", "tax_code": "VAT", "tax_percent": "20", "amount": 2},
    ]
    found = request(
        extension_attributes={"additional_itemized_taxes": taxes},
        shipping_amount=10,
        shipping_tax_amount=2,
    )
    (share,) = found.lines[1].taxes
    assert (share.title, share.rate, share.amount) == ("VAT", D("0.2"), D("2.00"))


def test_gift_cards_without_their_sum():
    cards = [{"id": 1, "code": "G1", "amount": 8}, {"id": 2, "code": "G2", "amount": "2.80"}]
    found = request(extension_attributes={"gift_cards": cards}, grand_total=18, total_due=18)
    assert found.totals.gross == D("28.80")
    sums_up(found)


def test_wrapping_and_fees_and_money_in_other_forms():
    extension = {
        "gw_price": "2.00",
        "gw_tax_amount": "0.40",
        "custom_fees": [{"id": "3", "custom_fee_label": "Pallet", "custom_fee_amount": 5}],
        "gift_cards_amount": 30,
        "customer_balance_amount": "6.20",
    }
    found = request(extension_attributes=extension, grand_total=0, total_due=0, tax_amount="5.20")
    assert found.totals.gross == D("36.20")
    assert found.payment_status is PaymentStatus.PAID
    assert [(one.type, one.amount, one.title) for one in found.lines[1:]] == [
        (LineType.FEE, D("2.00"), "wrapping"),
        (LineType.FEE, D("5.00"), "Pallet"),
    ]
    sums_up(found)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, PaymentStatus.PENDING),
        ({"state": "pending_payment"}, PaymentStatus.PENDING),
        ({"payment": {"amount_authorized": "28.80"}}, PaymentStatus.AUTHORIZED),
        ({"total_paid": 10, "total_due": "18.80"}, PaymentStatus.PART_PAID),
        ({"total_paid": 10, "total_due": None}, PaymentStatus.PART_PAID),
        ({"total_paid": "28.80", "total_due": 0}, PaymentStatus.PAID),
        # A refund can throw a shipped order back to new.
        ({"total_paid": "28.80", "total_due": 0, "total_refunded": 5}, PaymentStatus.PART_REFUNDED),
        ({"total_paid": "28.80", "total_refunded": "28.80"}, PaymentStatus.REFUNDED),
        ({"state": "canceled", "total_canceled": "28.80"}, PaymentStatus.VOIDED),
    ],
)
def test_what_is_paid_is_told_by_amounts_and_not_by_the_state(changes, status):
    assert request(**changes).payment_status is status


def test_a_cancelled_order_stays_as_it_was():
    lines = [item(qty_canceled=2)]
    found = request(state="canceled", items=lines, total_canceled="28.80", tax_canceled="4.80")
    assert (found.cancelled_at, found.lines[0].quantity) == (AT, 2)
    sums_up(found)


def test_what_was_cancelled_of_an_order_that_goes_on_is_taken_off():
    found = request(
        state="processing",
        items=[item(quantity=3, qty_canceled=1)],
        grand_total="43.20",
        tax_amount="7.20",
        total_paid="28.80",
        total_due="14.40",
        total_canceled="14.40",
        tax_canceled="2.40",
    )
    (line,) = found.lines
    assert (line.quantity, line.quantity_ordered, line.amount) == (2, 3, D("24.00"))
    assert (found.totals.gross, found.payment_status) == (D("28.80"), PaymentStatus.PAID)
    assert found.cancelled_at is None
    sums_up(found)


def test_an_edit_is_a_new_order_that_replaces_the_old():
    old = request(state="canceled", relation_child_real_id="000000042-1")
    new = request(relation_parent_real_id="000000042", increment_id="000000042-1")
    assert old.cancel_reason == "replaced by 000000042-1"
    assert (new.properties["replaces"], new.cancelled_at) == ("000000042", None)
    by_number = request(relation_parent_id=41, relation_child_id="0", state="canceled")
    assert (by_number.properties["replaces"], by_number.cancel_reason) == ("41", "")


def test_what_has_no_place_of_its_own_is_a_property():
    found = request(extension_attributes={"pickup_location_code": "leeds"}, coupon_code="NEW10")
    assert found.properties == {"pickup_location": "leeds", "coupon": "NEW10"}
    newer = request(extension_attributes={"coupon_codes": ["NEW10", "SODA"]})
    assert newer.properties == {"coupon": "NEW10, SODA"}


def test_an_order_the_shop_holds_is_marked():
    assert request(state="holded").tags == ("holded",)


def test_the_buyers_currency_is_the_documents_and_the_websites_is_kept():
    found = request(order_currency_code="EUR", base_currency_code="GBP", base_grand_total="24.50")
    assert (found.currency, found.shop_currency, found.presentment_currency) == (
        "EUR",
        "GBP",
        "EUR",
    )
    assert found.properties == {"base_grand_total": "24.50 GBP"}
    assert found.presentment_gross == found.totals.gross


def test_half_a_piece_is_kept_for_a_person():
    with pytest.raises(MalformedDeliveryError, match=r"order 42: a quantity of 1\.5 "):
        seen(items=[item(quantity=D("1.5000"))])


INVOICE = {
    "entity_id": 5,
    "order_id": 42,
    "created_at": "2026-11-20 10:01:00",
    "updated_at": "2026-11-20 10:02:00",
    "order_currency_code": "GBP",
    "grand_total": "28.80",
    "state": 2,
}


def invoiced(**changes):
    invoice = wire.Invoice.model_validate(INVOICE | changes)
    return [one.body for one in mapping.invoice(invoice, told(), NET)]


def test_an_invoice_is_a_payment():
    invoice = wire.Invoice.model_validate(INVOICE)
    (payment,) = mapping.invoice(invoice, told(), NET)
    assert (payment.ref.key, payment.parent.key) == ("shop/5", "shop/42")
    assert payment.changed == datetime(2026, 11, 20, 10, 2, tzinfo=UTC)
    assert (payment.body.amount, payment.body.gateway) == (D("28.80"), "purchaseorder")
    assert payment.body.status is SettlementStatus.SETTLED
    assert payment.refetch == Hint("invoice", "5")


@pytest.mark.parametrize(
    ("state", "status"), [(1, SettlementStatus.PENDING), (3, SettlementStatus.VOIDED)]
)
def test_an_invoice_that_is_not_paid(state, status):
    assert invoiced(state=state)[0].status is status


def test_gift_cards_and_store_credit_are_payments_of_their_own():
    extension = {"gift_cards_amount": 8, "customer_balance_amount": 2}
    assert [(one.gateway, one.amount) for one in invoiced(extension_attributes=extension)] == [
        ("purchaseorder", D("28.80")),
        ("gift_cards", D("8.00")),
        ("customer_balance", D("2.00")),
    ]
    (card,) = invoiced(grand_total=0, extension_attributes={"gift_cards_amount": 8})
    assert card.gateway == "gift_cards"


def credited(order, *rows, **changes):
    body = INVOICE | {"grand_total": "19.40", "items": rows} | changes
    memo = wire.CreditMemo.model_validate(body)
    return list(mapping.creditmemo(memo, order, NET))


def test_a_credit_memo_its_lines_and_their_deposits():
    row = {
        "order_item_id": 501,
        "qty": "1.0000",
        "row_total": 12,
        "tax_amount": "2.40",
        "weee_tax_applied": "[]",
        "weee_tax_applied_row_amount": "3.60",
    }
    comments = [{"comment": "Damaged"}]
    (found,) = credited(told(), row, adjustment_positive="1.40", comments=comments)
    assert (found.ref.key, found.body.amount, found.body.reason) == (
        "shop/5",
        D("19.40"),
        "Damaged",
    )
    lines = [(one.order_line_id, one.quantity, one.amount, one.tax) for one in found.body.lines]
    assert lines == [("501", 1, D("12.00"), D("2.40")), ("501:0", 1, D("3.60"), D("0.00"))]


def test_a_credit_memo_names_lines_of_ours_only():
    order = told(
        items=[
            item(product_type="configurable"),
            item(502, price="0", parent_item_id=501),
        ]
    )
    rows = [{"order_item_id": 501, "qty": 1, "row_total": 12}, {"order_item_id": 502, "qty": 1}]
    (found,) = credited(order, *rows)
    assert [one.order_line_id for one in found.body.lines] == ["501"]


def sent(order, *rows, tracks=()):
    body = INVOICE | {"increment_id": "000000005", "items": rows, "tracks": tracks}
    (found,) = mapping.shipment(wire.Shipment.model_validate(body), order, NET)
    return found.body


def test_a_shipment():
    tracks = [
        {"track_number": "JD1", "title": "DHL", "carrier_code": "dhl"},
        {"track_number": "JD2", "title": "DHL"},
    ]
    found = sent(told(), {"order_item_id": 501, "qty": 2}, tracks=tracks)
    assert (found.number, found.state) == ("000000005", ShipmentState.DISPATCHED)
    assert (found.carrier, found.tracking_number) == ("DHL", "JD1, JD2")
    assert [(one.order_line_id, one.quantity) for one in found.lines] == [("501", 2)]


@pytest.mark.parametrize("is_dynamic", [True, False])
def test_a_bundle_is_sent_as_its_parts(is_dynamic):
    order = told(items=bundle(is_dynamic))
    whole = sent(order, {"order_item_id": 500, "qty": 1})
    assert [(one.order_line_id, one.quantity) for one in whole.lines] == [("501", 2), ("502", 1)]
    apart = sent(order, {"order_item_id": 500, "qty": 1}, {"order_item_id": 502, "qty": 1})
    assert [(one.order_line_id, one.quantity) for one in apart.lines] == [("502", 1)]


def test_an_account():
    away = ADDRESS | {"region": {"region_code": "NY", "region": "New York"}, "company": "Away Inc"}
    home = ADDRESS | {"default_billing": True, "company": "Corner Pop Ltd", "vat_id": "GB1"}
    body = {
        "id": 9,
        "updated_at": "2026-11-20 10:05:00",
        "email": "ada@shop.example",
        "firstname": "Ada",
        "lastname": "Quill",
        "addresses": [away, home],
        "extension_attributes": [],
    }
    (found,) = mapping.customer(wire.Customer.model_validate(body), NET)
    assert (found.ref.key, found.changed, found.body.contact.name) == ("shop/9", AT, "Ada Quill")
    assert [one.company for one in found.body.addresses] == ["Corner Pop Ltd", "Away Inc"]
    assert found.body.addresses[1].region == "NY"
    assert (found.body.company.id, found.body.company.vat_number) == ("9", "GB1")


def test_a_company_is_a_customer_of_its_own_whatever_its_status():
    row = {"company_name": "Corner Pop Ltd", "legal_name": "Corner Pop Limited"}
    row |= {"company_email": "buying@pop.example", "vat_tax_id": "GB1", "telephone": "0113"}
    row |= {"street": ["1 Dock Rd", "Unit 2"], "city": "Leeds", "region": "West Yorkshire"}
    row |= {"id": 3, "status": 3, "country_id": "GB", "postcode": "LS1", "reject_reason": None}
    (found,) = mapping.company(wire.Business.model_validate(row), NET)
    assert (found.ref.key, found.refetch) == ("shop/company:3", Hint("company", "3"))
    assert found.body.company == Company(id="3", name="Corner Pop Ltd", vat_number="GB1")
    (place,) = found.body.addresses
    assert (place.company, place.street2, place.region) == (
        "Corner Pop Ltd",
        "Unit 2",
        "West Yorkshire",
    )
    assert found.body.contact.email == "buying@pop.example"
    bare = wire.Business.model_validate({"id": 4, "legal_name": "Only Ltd", "street": []})
    (found,) = mapping.company(bare, NET)
    assert (found.body.company.name, found.body.addresses) == ("Only Ltd", ())


def delivered(**body):
    text = json.dumps({"delivery_id": "d-1", "occurred_at": "2026-11-20T10:05:00Z"} | body)
    return read(MagentoWebhook(), Delivery({}, text.encode(), AT), "shop")


@pytest.mark.parametrize(
    "what", ["order", "invoice", "creditmemo", "shipment", "customer", "company"]
)
def test_what_was_saved_is_read(what):
    assert delivered(event=f"{what}.saved", entity_id=42) == [Hint(what, "42")]
    assert delivered(event=f"{what}.saved", entity_id="42") == [Hint(what, "42")]


def test_a_deleted_account_is_gone():
    (gone,) = delivered(event="customer.deleted", entity_id=9)
    assert (gone.ref.key, gone.body) == ("shop/9", None)
    assert gone.changed == datetime(2026, 11, 20, 10, 5, 1, tzinfo=UTC)


def test_other_events_are_none_of_ours_and_a_body_without_one_is_kept():
    assert delivered(event="cart.saved", entity_id=4) is None
    with pytest.raises(MalformedDeliveryError):
        delivered(entity_id=4)
    with pytest.raises(MalformedDeliveryError):
        delivered(event="order.saved", entity_id="../customers")


def sample(name):
    return json.loads((SAMPLES / f"{name}.json").read_text(), parse_float=Decimal)


needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine"
)


@needs_samples
def test_an_order_that_was_really_placed():
    order = wire.Order.model_validate(sample("seen_order_new_simple_configurable_bundles"))
    found = next(mapping.order(order, NET)).body
    sums_up(found)
    stocked = {}
    for line in found.lines:
        if line.is_stocked and line.sku:
            stocked[line.sku] = stocked.get(line.sku, 0) + line.quantity
    assert stocked == {"TON-A": 7, "TON-C6": 4}


@needs_samples
def test_an_invoice_of_the_documentation():
    of = told(payment={"method": "checkmo"})
    (payment,) = mapping.invoice(wire.Invoice.model_validate(sample("invoice-get")), of, NET)
    assert (payment.ref.key, payment.parent.key) == ("shop/3", "shop/3")
    assert (payment.body.amount, payment.body.currency) == (D("165.00"), "USD")
    assert payment.body.status is SettlementStatus.SETTLED


@needs_samples
def test_documents_that_were_really_made():
    order = wire.Order.model_validate(sample("seen_order_new_simple_configurable_bundles"))
    (payment,) = mapping.invoice(wire.Invoice.model_validate(sample("seen_invoice")), order, NET)
    assert payment.body.amount == D("47.50")
    memo = wire.CreditMemo.model_validate(sample("seen_creditmemo"))
    (refund,) = mapping.creditmemo(memo, order, NET)
    assert refund.body.lines[0].amount == refund.body.amount == D("12.50")
    (row,) = sample("seen_shipments_by_order")["items"]
    (shipment,) = mapping.shipment(wire.Shipment.model_validate(row), order, NET)
    assert shipment.body.tracking_number == "JD0002"


@needs_samples
def test_companies_of_the_documentation():
    rows = sample("companies-list")["items"]
    told = [one for row in rows for one in mapping.company(wire.Business.model_validate(row), NET)]
    assert [one.ref.key for one in told] == ["shop/company:2", "shop/company:3"]
    assert told[1].body.addresses[0].street2 == "Ste 1500"


@needs_samples
def test_a_direct_save_is_no_order_and_an_account_is_one():
    direct = wire.Order.model_validate(sample("seen_direct_order_response"))
    assert list(mapping.order(direct, NET)) == []
    account = wire.Customer.model_validate(sample("customer-created"))
    (found,) = mapping.customer(account, NET)
    assert found.body.addresses[0].region == "NY"


def thing(**changes):
    row = {"id": 51, "sku": "COLA-24", "name": "Cola", "type_id": "simple", "status": 1}
    row |= {"price": 13.199999999, "updated_at": "2026-11-20 10:00:00"}
    return wire.Product.model_validate(row | changes)


def offered(shop=NET, **changes):
    return list(mapping.product(thing(**changes), "GBP", shop))


def test_a_product_and_its_price_with_its_stock_to_be_read():
    product, price, hint = offered(GROSS)
    assert (product.ref.key, product.body.sku, product.body.is_active) == (
        "shop/51",
        "COLA-24",
        True,
    )
    assert (price.body.price.amount, price.body.tax_included) == (D("13.20"), True)
    assert product.changed == price.changed == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert hint == Hint("stock", "51", Kind.STOCK_LEVEL)
    assert not offered(status=2)[0].body.is_active


@pytest.mark.parametrize("kind", ["configurable", "grouped"])
def test_what_is_a_choice_of_products_is_not_sold_itself(kind):
    assert offered(type_id=kind) == []
    assert offered(sku="") == []


def test_a_bundle_has_the_price_of_its_parts_or_its_own_and_no_stock():
    assert [one.ref.kind for one in offered(type_id="bundle", price=0)] == [Kind.PRODUCT]
    assert len(offered(type_id="bundle", price=56)) == 2
    assert len(offered(price=0)) == 3


def test_a_deletion_is_later_than_what_was_saved_in_its_second():
    told = wire.Deleted.model_validate({"entity_id": 51, "occurred_at": "2026-11-20T10:00:00Z"})
    gone = list(mapping.product_deleted(told, "shop"))
    assert {one.ref.kind for one in gone} == {Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL}
    assert {(one.body, one.changed) for one in gone} == {
        (None, datetime(2026, 11, 20, 10, 0, 1, tzinfo=UTC))
    }


@needs_samples
def test_a_product_of_the_documentation():
    row = sample("product-simple-created")
    product, price, _ = mapping.product(wire.Product.model_validate(row), "USD", NET)
    assert (product.body.sku, price.body.price.amount) == ("MS-Champ-S", D(25))
    (level,) = mapping.stock(wire.StockedProduct.model_validate(row), D("9.5"), NET)
    assert level.body.on_hand == 9
