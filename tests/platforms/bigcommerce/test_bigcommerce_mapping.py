"""An order of a BigCommerce store becomes ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.model.documents import SettlementStatus
from fizzbridge.model.entity import Part
from fizzbridge.model.order import LineType, PaymentStatus
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.bigcommerce import mapping, wire
from platforms.bigcommerce.webhook import BigCommerceWebhook, hook_proof

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "bigcommerce"
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
QUAY = {
    "first_name": "Ada",
    "last_name": "Quill",
    "company": "Corner Pop Ltd",
    "street_1": "1 Quay",
    "city": "Leeds",
    "state": "West Yorkshire",
    "zip": "LS1",
    "country_iso2": "GB",
    "email": "ada@pop.example",
    "form_fields": [{"name": "PO number", "value": "PO-77"}, {"name": "Slot", "value": "AM"}],
}
LINE = {
    "id": 16,
    "sku": "COLA330-C24",
    "upc": "5012345678900",
    "name": "Cola",
    "type": "physical",
    "quantity": 2,
    "price_ex_tax": "13.2000",
    "price_inc_tax": "15.8400",
    "total_ex_tax": "26.4000",
    "total_inc_tax": "31.6800",
    "total_tax": "5.2800",
    "discounted_total_inc_tax": "31.6800",
    "applied_discounts": [],
    "parent_order_product_id": None,
    "gift_certificate_id": None,
}
TAX = {
    "name": "VAT",
    "rate": "20.0000",
    "line_amount": "5.2800",
    "line_item_type": "item",
    "order_product_id": 16,
}


def told(lines=(LINE,), taxes=(TAX,), places=(QUAY,), **more):
    body = {
        "id": 272,
        "status_id": 11,
        "date_created": "Fri, 20 Nov 2026 09:00:00 +0000",
        "date_modified": "Fri, 20 Nov 2026 09:05:00 +0000",
        "customer_id": 9,
        "channel_id": 1,
        "currency_code": "GBP",
        "currency_exchange_rate": "1.0000000000",
        "default_currency_code": "GBP",
        "store_default_currency_code": "GBP",
        "is_tax_inclusive_pricing": False,
        "total_ex_tax": "26.4000",
        "total_inc_tax": "31.6800",
        "total_tax": "5.2800",
        "discount_amount": "0.0000",
        "payment_method": "Invoice 30 days",
        "payment_status": "",
        "customer_message": "ring twice",
        "items_shipped": 0,
        "billing_address": QUAY,
        "fees": [],
    } | more
    return list(
        mapping.order(
            wire.Order.model_validate(body),
            [wire.Line.model_validate(one) for one in lines],
            [wire.Address.model_validate(one) for one in places],
            [wire.Tax.model_validate(one) for one in taxes],
            "shop",
            "PO number",
        )
    )


def request(**more):
    return next(one.body for one in told(**more) if getattr(one, "part", None) is Part.REQUEST)


def test_an_order_is_kept_in_full():
    order, buyer = told()
    assert (str(order.ref), str(buyer.ref)) == ("Order#shop/272", "Customer#shop/9")
    body = order.body
    assert (body.totals.net, body.totals.tax, body.totals.gross) == (
        Decimal("26.40"),
        Decimal("5.28"),
        Decimal("31.68"),
    )
    (line,) = body.lines
    assert (line.sku, line.gtin, line.quantity, line.amount, line.tax) == (
        "COLA330-C24",
        "5012345678900",
        2,
        Decimal("26.40"),
        Decimal("5.28"),
    )
    assert (line.taxes[0].title, line.taxes[0].rate) == ("VAT", Decimal("0.2"))
    assert (body.po_number, body.properties, body.note) == ("PO-77", {"Slot": "AM"}, "ring twice")
    assert body.placed_at == AT
    assert body.placed_at_local == "Fri, 20 Nov 2026 09:00:00 +0000"
    assert (body.company.id, body.company.name, body.contact.email) == (
        "9",
        "Corner Pop Ltd",
        "ada@pop.example",
    )


@pytest.mark.parametrize("status", [0, 12, 13])
def test_what_is_incomplete_or_to_be_verified_says_nothing(status):
    assert told(status_id=status) == []


@pytest.mark.parametrize(("status", "reason"), [(5, "cancelled"), (6, "declined")])
def test_what_is_over_is_cancelled(status, reason):
    body = request(status_id=status)
    assert (body.cancelled_at, body.cancel_reason) == (body.changed_at, reason)


@pytest.mark.parametrize("status", [1, 2, 3, 7, 8, 9, 10, 11])
def test_all_others_are_orders(status):
    assert request(status_id=status).cancelled_at is None


def test_our_own_orders_do_not_come_back():
    assert told(external_source="fizzbridge") == []


@pytest.mark.parametrize(
    ("said", "status", "ours"),
    [
        ("authorized", 11, PaymentStatus.AUTHORIZED),
        ("captured", 11, PaymentStatus.PAID),
        ("paid", 10, PaymentStatus.PAID),
        ("void", 11, PaymentStatus.VOIDED),
        ("", 4, PaymentStatus.REFUNDED),
        ("captured", 14, PaymentStatus.PART_REFUNDED),
    ],
)
def test_money_is_read_where_there_was_any(said, status, ours):
    seen = told(payment_status=said, status_id=status)
    assert seen[0].body.payment_status is ours
    assert seen[-1] == Hint("money", "272")
    assert told()[0].body.payment_status is PaymentStatus.PENDING


def test_shipments_are_read_where_there_are_any():
    assert told(items_shipped=1)[-1] == Hint("shipments", "272")


def test_discounts_are_off_and_the_tax_list_counts():
    line = LINE | {
        "discounted_total_inc_tax": "26.6800",
        "applied_discounts": [{"amount": "5.0000"}],
    }
    tax = TAX | {"line_amount": "4.4467"}
    (one,) = request(
        lines=(line,), taxes=(tax,), total_inc_tax="26.68", total_ex_tax="22.23", total_tax="4.45"
    ).lines
    assert (one.amount, one.tax, one.discount) == (
        Decimal("22.23"),
        Decimal("4.45"),
        Decimal("4.17"),
    )


def test_an_older_line_is_discounted_by_its_shares():
    line = LINE | {"discounted_total_inc_tax": None, "applied_discounts": [{"amount": "1.6800"}]}
    (one,) = request(lines=(line,), is_tax_inclusive_pricing=True).lines
    assert (one.amount, one.discount) == (Decimal("30.00"), Decimal("1.68"))


def test_prices_with_tax_in_them_stay_so():
    body = request(is_tax_inclusive_pricing=True)
    assert body.tax_included
    assert (body.lines[0].amount, body.lines[0].unit_price) == (Decimal("31.68"), Decimal("15.84"))


@pytest.mark.parametrize(("said", "included"), [("true", True), ("0", False), ([], False)])
def test_a_truth_may_be_a_text(said, included):
    assert request(is_tax_inclusive_pricing=said).tax_included is included


def test_freight_handling_wrapping_and_fees_are_lines():
    fee = {
        "id": 3,
        "display_name_merchant": "Deposit",
        "cost_ex_tax": "2.0000",
        "cost_inc_tax": "2.0000",
    }
    body = request(
        shipping_cost_ex_tax="5.0000",
        shipping_cost_inc_tax="6.0000",
        handling_cost_ex_tax="1.0000",
        handling_cost_inc_tax="1.2000",
        wrapping_cost_inc_tax="0.0000",
        fees=[fee],
    )
    lines = {line.id: line for line in body.lines[1:]}
    assert {key: (one.type, one.amount, one.tax) for key, one in lines.items()} == {
        "shipping": (LineType.FREIGHT, 5, 1),
        "handling": (LineType.FEE, 1, Decimal("0.20")),
        "fee:3": (LineType.FEE, 2, 0),
    }
    assert lines["fee:3"].title == "Deposit"
    assert not any(line.is_stocked for line in lines.values())


def test_bundles_and_what_is_not_stocked():
    child = LINE | {"id": 17, "parent_order_product_id": 16, "discounted_total_inc_tax": "0.0000"}
    gift = LINE | {"id": 18, "type": "giftcertificate", "sku": "", "gift_certificate_id": 4}
    free = LINE | {"id": 19, "discounted_total_inc_tax": "0.0000"}
    kit, part, card, mug = request(lines=(LINE, child, gift, free)).lines
    assert (kit.parent_id, part.parent_id, part.type) == (None, "16", LineType.GOODS)
    assert (card.is_stocked, card.sku, kit.is_stocked) == (False, None, True)
    assert mug.type is LineType.FREE_GOODS


def test_a_guest_is_known_by_the_order_alone():
    _, buyer = told(customer_id=0)
    assert str(buyer.ref) == "Customer#shop/order:272"


def test_what_b2b_edition_knows_of_an_order():
    extra = [{"fieldName": "Fintech ID", "fieldValue": "12"}, {"fieldName": "Dock"}]
    known = {"companyId": 12345, "poNumber": "PO-9", "extraFields": extra}
    body = request(b2b=known)
    assert (body.company.id, body.company.name) == ("12345", "Corner Pop Ltd")
    assert (body.po_number, body.customer.external_id) == ("PO-9", "9")
    assert body.properties == {"Slot": "AM", "Fintech ID": "12"}
    for none in (0, None, ""):
        body = request(b2b={"companyId": none, "poNumber": None, "extraFields": []})
        assert (body.company.id, body.po_number) == ("9", "PO-77")


def test_a_company_of_b2b_edition():
    row = {"companyId": "12345", "companyName": "Corner Pop Ltd", "companyStatus": "2"}
    row |= {"companyEmail": "buying@pop.example", "companyPhone": 113, "uuid": "C-100"}
    row |= {"catalogName": "Trade A", "updatedAt": "1763900000", "extraFields": []}
    (told,) = mapping.company(wire.Company.model_validate(row), "shop")
    assert (told.ref.key, told.refetch) == ("shop/company:12345", Hint("company", "12345"))
    assert told.changed == datetime(2025, 11, 23, 12, 13, 20, tzinfo=UTC)
    company = told.body.company
    assert (company.id, company.name, company.account) == ("12345", "Corner Pop Ltd", "C-100")
    assert (told.body.contact.phone, told.body.terms.price_list) == ("113", "Trade A")


@pytest.mark.parametrize(
    ("scope", "data", "key"),
    [
        ("store/customer/deleted", {"type": "customer", "id": 9}, "shop/9"),
        ("store/company/deleted", {"company_id": 12345}, "shop/company:12345"),
    ],
)
def test_who_is_deleted_is_gone_after_all_else_of_that_second(scope, data, key):
    body = {"scope": scope, "created_at": 1763900000, "data": data}
    (gone,) = read(BigCommerceWebhook(), Delivery({}, json.dumps(body).encode(), AT), "shop")
    assert (gone.ref.key, gone.body) == (key, None)
    assert gone.changed == datetime(2025, 11, 23, 12, 13, 21, tzinfo=UTC)


def test_what_the_shopper_saw_is_kept_beside_what_is_billed():
    body = request(currency_code="EUR", currency_exchange_rate="1.2000000000")
    assert (body.currency, body.presentment_currency) == ("GBP", "EUR")
    assert body.presentment_gross == Decimal("38.02")


def test_an_order_to_two_addresses_is_for_a_person():
    with pytest.raises(MalformedDeliveryError, match="2 addresses"):
        told(places=(QUAY, QUAY | {"city": "York"}))


def test_only_money_that_came_in_is_a_payment():
    paid = {
        "id": 5,
        "event": "purchase",
        "status": "ok",
        "amount": Decimal("31.68"),
        "currency": "GBP",
        "gateway": "stripe",
        "date_created": "2026-11-20T09:01:00Z",
    }

    def payments(**more):
        return list(mapping.payment(wire.Transaction.model_validate(paid | more), "272", "shop"))

    (seen,) = payments()
    assert (str(seen.ref), str(seen.parent), seen.body.amount) == (
        "Payment#shop/5",
        "Order#shop/272",
        Decimal("31.68"),
    )
    for event in ("authorization", "void", "refund", "pending"):
        assert payments(event=event) == []
    assert payments(status="error") == []
    assert payments(test=True)[0].body.is_test


def test_a_refund_that_was_declined_moved_nothing():
    body = {
        "id": 8,
        "order_id": 272,
        "created": "2026-11-21T09:01:00Z",
        "reason": "broken",
        "total_amount": Decimal("13.20"),
        "items": [
            {"item_type": "PRODUCT", "item_id": 16, "quantity": 1, "requested_amount": None},
            {"item_type": "SHIPPING", "item_id": 3, "requested_amount": Decimal("1.00")},
        ],
        "payments": [{"amount": Decimal("13.20"), "is_declined": False}],
    }

    def refund(**more):
        (seen,) = mapping.refund(wire.Refund.model_validate(body | more), "GBP", "shop")
        return seen.body

    given = refund()
    assert (given.amount, given.status) == (Decimal("13.20"), SettlementStatus.SETTLED)
    assert [(line.order_line_id, line.quantity) for line in given.lines] == [("16", 1)]
    declined = refund(payments=[{"amount": Decimal("13.20"), "is_declined": True}])
    assert (declined.amount, declined.status) == (0, SettlementStatus.FAILED)
    assert refund(payments=[]).amount == Decimal("13.20")


# -- the proof of a delivery -----------------------------------------------------------------------


def verify(headers, body=b'{"scope":"store/order/created"}'):
    signature = BigCommerceWebhook.signature
    signature.verify(Delivery(headers, body, AT), ("newest", "client-secret"), AT)


def test_a_delivery_without_signature_needs_our_own_header():
    verify({"x-fizz-hook": hook_proof("client-secret")})
    with pytest.raises(VerificationError):
        verify({"x-fizz-hook": hook_proof("other")})
    with pytest.raises(VerificationError):
        verify({})


def test_a_signature_that_is_there_decides():
    with pytest.raises(VerificationError):
        verify({"x-fizz-hook": hook_proof("client-secret"), "webhook-signature": "v1,AAAA"})


# -- the vendor's own ------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_the_vendors_own_order():
    def read(name):
        return json.loads((SAMPLES / name).read_text(), parse_float=Decimal)

    order = read("get-order-v2-orders-100.json")
    lines = read("get-order-products-v2-orders-100-products.json")
    body = wire.Order.model_validate(order | {"fees": []})
    seen, _ = mapping.order(
        body, [wire.Line.model_validate(one) for one in lines], [], [], "shop", "PO"
    )
    assert sum(line.amount for line in seen.body.lines) == seen.body.totals.net == 109
    assert (seen.body.currency, seen.body.customer.external_id) == ("KES", "order:100")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_the_vendors_own_deliveries():
    webhook = BigCommerceWebhook()
    known = 0
    for path in SAMPLES.glob("webhook-*.json"):
        delivery = Delivery({}, path.read_bytes(), AT)
        route = webhook.routes.get(webhook.topic(delivery))
        if route:
            known += 1
            (hint,) = route.mapping(route.wire.model_validate(webhook.content(delivery)), "shop")
            assert hint.external_id
    assert known >= 6


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_the_vendors_own_customers():
    rows = json.loads((SAMPLES / "list-customers-v3-customers.json").read_text())
    rows = rows["data"] if isinstance(rows, dict) else rows
    assert rows
    for row in rows:
        (seen,) = mapping.customer(wire.Customer.model_validate(row), "shop")
        assert seen.body.contact.email


VARIANT = {"id": 77, "sku": "COLA330-C24", "calculated_price": 13.2, "gtin": "", "upc": ""}
PRODUCT = {
    "id": 111,
    "name": "Cola, crate of 24",
    "upc": "5012345678900",
    "gtin": "",
    "is_visible": True,
    "availability": "available",
    "inventory_tracking": "product",
    "base_variant_id": 77,
    "date_modified": "2026-11-20T10:00:00+00:00",
    "variants": [VARIANT],
}
STORE = wire.Store(currency="GBP", is_price_entered_with_tax=True)


def stock(variant_id=77, product_id=111, **places):
    rows = [{"location_id": k.strip("_"), "available_to_sell": v} for k, v in places.items()]
    return wire.Stock.model_validate(
        {"identity": {"product_id": product_id, "variant_id": variant_id}, "locations": rows}
    )


def offered(*rows, **changes):
    told = wire.Product.model_validate(PRODUCT | changes)
    return list(mapping.product(told, rows, STORE, "shop"))


def test_a_variant_its_price_and_its_stock_at_each_place():
    product, price, one, two = offered(stock(_1=480, _2=0), stock(78, 112, _1=7))
    assert (product.ref.key, product.body.sku) == ("shop/77", "COLA330-C24")
    assert (product.body.gtin, product.body.is_active) == ("5012345678900", True)
    assert (price.body.price.amount, price.body.tax_included) == (Decimal("13.20"), True)
    assert [(row.ref.key, row.body.location, row.body.on_hand) for row in (one, two)] == [
        ("shop/77:1", "1", 480),
        ("shop/77:2", "2", 0),
    ]
    assert product.refetch == one.refetch == Hint("product", "111")


def test_variants_share_the_stock_of_a_product_that_counts_by_product():
    variants = [VARIANT, VARIANT | {"id": 78, "sku": "COLA330-C6"}, VARIANT | {"id": 79, "sku": ""}]
    several = {"variants": variants, "base_variant_id": None}
    for tracking, rows, expected in (
        ("product", [stock(0, _1=9)], {"shop/77:1": 9, "shop/78:1": 9}),
        ("variant", [stock(78, _1=4)], {"shop/78:1": 4}),
        ("none", [stock(78, _1=4)], {}),
    ):
        told = offered(*rows, inventory_tracking=tracking, **several)
        levels = {one.ref.key: one.body.on_hand for one in told if one.ref.kind == "StockLevel"}
        assert levels == expected
        assert [one.ref.key for one in told if one.ref.kind == "Product"] == ["shop/77", "shop/78"]


@pytest.mark.parametrize(
    "changes",
    [
        {"is_visible": False},
        {"availability": "disabled"},
        {"variants": [VARIANT | {"purchasing_disabled": True}]},
    ],
)
def test_what_cannot_be_bought_is_not_active(changes):
    assert not offered(**changes)[0].body.is_active
    assert offered(availability="preorder")[0].body.is_active


def test_a_location_that_is_switched_off_and_a_price_that_is_not_known_are_not_told():
    closed = {"location_id": 1, "location_enabled": False, "available_to_sell": 3}
    row = {"identity": {"product_id": 111, "variant_id": 77}, "locations": [closed]}
    told = offered(wire.Stock.model_validate(row), variants=[VARIANT | {"calculated_price": None}])
    assert [one.ref.kind for one in told] == ["Product"]


def listed(active=True, **changes):
    record = {"price_list_id": 4, "variant_id": 77, "sku": "COLA330-C24", "currency": "gbp"}
    record |= {"calculated_price": 12.1, "date_modified": "2026-11-20T10:00:00Z"}
    told = wire.ListedPrice.model_validate(record | changes)
    trade = wire.PriceList(name="Trade A", active=active)
    return list(mapping.list_price(told, trade, STORE, "shop"))


def test_a_price_on_a_list_goes_by_the_lists_name():
    (price,) = listed()
    assert (price.ref.key, price.body.price_list) == ("shop/77:4:GBP", "Trade A")
    assert (price.body.price.amount, price.refetch) == (Decimal("12.10"), Hint("price", "4:77"))
    assert listed(active=False) == listed(sku="") == listed(calculated_price=None) == []


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_a_product_and_a_variant_that_were_really_sent():
    products = json.loads((SAMPLES / "list-products-v3-catalog-products.json").read_text())
    name = "list-product-variants-v3-catalog-products-77-variants.json"
    variants = json.loads((SAMPLES / name).read_text())["data"]
    told = wire.Product.model_validate(products["data"][0] | {"variants": variants})
    product, price = mapping.product(told, [], STORE, "shop")
    assert (product.body.sku, product.body.is_active) == ("SLCTBS-A9615491", True)
    assert price.body.price.amount == Decimal(49)
