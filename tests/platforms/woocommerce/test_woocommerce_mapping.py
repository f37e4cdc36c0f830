"""Orders of stores with all sorts of plugins, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.entity import Kind
from fizzbridge.model.order import LineType, PaymentStatus
from fizzbridge.observation import Hint
from fizzbridge.webhook.adapter import Reply
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.woocommerce import mapping, wire
from platforms.woocommerce.webhook import WooCommerceWebhook

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "woocommerce"
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def goods(**changes):
    """Two cases at 12.00, 20 % on top, as the store tells them."""
    return {
        "id": 501,
        "name": "Cola, case of 24",
        "sku": "COLA330-C24",
        "quantity": 2,
        "subtotal": "24.00",
        "subtotal_tax": "4.80",
        "total": "24.00",
        "total_tax": "4.80",
        "taxes": [{"id": 7, "total": "4.80", "subtotal": "4.80"}],
        "meta_data": [],
    } | changes


def told(**changes):
    address = {"first_name": "Ada", "last_name": "Quill", "address_1": "1 Quay"}
    address |= {"city": "Leeds", "country": "GB", "state": "ENG"}
    body = {
        "id": 727,
        "number": "727",
        "status": "processing",
        "date_created": "2026-11-20T10:00:00",
        "date_created_gmt": "2026-11-20T10:00:00",
        "date_modified_gmt": "2026-11-20T10:05:00",
        "date_paid_gmt": "2026-11-20T10:01:00",
        "currency": "GBP",
        "prices_include_tax": False,
        "total": "28.80",
        "total_tax": "4.80",
        "billing": address | {"email": "ada@shop.example"},
        "shipping": [],
        "line_items": [goods()],
        "tax_lines": [{"rate_id": 7, "label": "VAT", "rate_percent": 20}],
    }
    return wire.Order.model_validate(body | changes)


def seen(**changes):
    return list(mapping.order(told(**changes), "shop"))


def request(**changes):
    return seen(**changes)[0].body


def test_an_order_its_buyer_and_its_payment():
    order, buyer, payment = seen()
    assert (order.ref.key, order.changed) == ("shop/727", datetime(2026, 11, 20, 10, 5, tzinfo=UTC))
    assert buyer.ref.key == "shop/order:727"
    assert (payment.body.amount, payment.parent) == (Decimal("28.80"), order.ref)
    (line,) = order.body.lines
    assert (line.unit_price, line.amount, line.tax) == (
        Decimal(12),
        Decimal("24.00"),
        Decimal("4.80"),
    )
    assert line.taxes[0].rate == Decimal("0.2")
    assert order.body.payment_status is PaymentStatus.PAID


def test_prices_with_tax_in_them_are_told_with_it():
    line = goods(quantity=3, subtotal="34.03", subtotal_tax="6.47", total="34.03", total_tax="6.47")
    order = request(prices_include_tax=True, line_items=[line], total="40.50", total_tax="6.47")
    assert order.tax_included
    assert (order.lines[0].unit_price, order.lines[0].amount) == (Decimal("13.5"), Decimal("40.50"))
    assert order.totals.gross == Decimal("40.50")


def test_a_coupon_is_a_discount_of_the_line():
    line = request(line_items=[goods(total="21.60", total_tax="4.32")]).lines[0]
    assert (line.discount, line.amount) == (Decimal("2.40"), Decimal("21.60"))


def test_a_negative_fee_is_a_discount():
    fees = [
        {"id": 9, "name": "Deposit", "total": "3.60", "total_tax": "0.00", "taxes": []},
        {"id": 10, "name": "Loyal", "total": "-5.00", "total_tax": "-1.00", "taxes": []},
    ]
    found = [(one.type, one.amount, one.title) for one in request(fee_lines=fees).lines[1:]]
    assert found == [
        (LineType.FEE, Decimal("3.60"), "Deposit"),
        (LineType.DISCOUNT, Decimal("5.00"), "Loyal"),
    ]


def test_a_bundles_parts_name_their_parent():
    key = {"key": "_bundle_cart_key", "value": "abc"}
    child = {"key": "_bundled_by", "value": "abc"}
    lines = [goods(meta_data=[key]), goods(id=502, total="0.00", meta_data=[child])]
    assert [one.parent_id for one in request(line_items=lines).lines] == [None, "501"]


def test_a_free_line_is_free_goods():
    free = goods(subtotal="0.00", subtotal_tax="0.00", total="0.00", total_tax="0.00", taxes=[])
    assert request(line_items=[free]).lines[0].type is LineType.FREE_GOODS


@pytest.mark.parametrize("status", ["checkout-draft", "auto-draft"])
def test_a_draft_is_no_order(status):
    assert seen(status=status) == []


def test_our_own_order_is_no_news():
    assert seen(created_via="fizzbridge") == []


def test_an_order_in_the_bin_is_gone():
    (gone,) = seen(status="trash")
    assert (gone.body, gone.changed) == (None, datetime(2026, 11, 20, 10, 5, tzinfo=UTC))


def test_a_cancelled_order_says_when():
    assert request(status="cancelled").cancelled_at == datetime(2026, 11, 20, 10, 5, tzinfo=UTC)


def test_refunds_are_read_from_the_order():
    refunds = [{"id": 19, "reason": "", "total": "-12.00"}]
    assert seen(refunds=refunds)[-1] == Hint("refunds", "727")
    assert request(refunds=refunds).payment_status is PaymentStatus.PART_REFUNDED


def test_a_refund_in_positive_amounts():
    body = {
        "id": 19,
        "order_id": "727",
        "currency": "GBP",
        "date_created_gmt": "2026-11-21T08:00:00",
        "amount": "14.40",
        "reason": "Damaged",
        "line_items": [
            {
                "quantity": -1,
                "total": "-12.00",
                "total_tax": "-2.40",
                "meta_data": [{"key": "_refunded_item_id", "value": "501"}],
            }
        ],
    }
    (found,) = mapping.refund(wire.Refund.model_validate(body), "shop")
    (line,) = found.body.lines
    assert (found.body.amount, line.order_line_id) == (Decimal("14.40"), "501")
    assert (line.quantity, line.amount, line.tax) == (1, Decimal("12.00"), Decimal("2.40"))


def test_a_company_its_number_and_its_purchase_order():
    billing = {"company": "Corner Pop Ltd", "country": "GB"}
    meta = [
        {"key": "_billing_po_number", "value": "PO-77"},
        {"key": "_vat_number", "value": "GB123"},
        {"key": "empties crate-12", "value": "8"},
        {"key": "_wc_order_attribution_source_type", "value": "organic"},
        {"key": "list", "value": ["of", "things"]},
    ]
    order = request(billing=billing, customer_id=42, meta_data=meta)
    assert order.company.name == "Corner Pop Ltd"
    assert (order.company.id, order.company.vat_number) == ("42", "GB123")
    assert (order.po_number, order.customer.key) == ("PO-77", "shop/42")
    assert order.properties == {"empties crate-12": "8"}


def test_entities_in_names_are_letters():
    billing = {"first_name": "Ann", "last_name": "O&#8217;Conner", "country": "IE"}
    assert request(billing=billing).contact.name == "Ann O\u2019Conner"


def test_goods_go_where_the_bill_goes_unless_said_otherwise():
    assert request().ship_to.city == "Leeds"
    shipping = {"address_1": "2 Dock", "city": "Cork", "country": "IE"}
    assert request(shipping=shipping).ship_to.city == "Cork"


def test_half_a_piece_is_kept_for_a_person():
    with pytest.raises(MalformedDeliveryError, match=r"1\.5"):
        seen(line_items=[goods(quantity=1.5)])


def test_text_and_numbers_may_be_either():
    order = request(id="727", line_items=[goods(quantity="2", id="501")], customer_id="0")
    assert order.lines[0].quantity == 2


def test_an_account_of_the_shop():
    body = {
        "id": 42,
        "date_modified_gmt": "2026-11-20T10:00:00",
        "email": "ada@shop.example",
        "first_name": "Ada",
        "last_name": "Quill",
        "billing": {"company": "Corner Pop Ltd", "country": "GB", "phone": "0113"},
        "shipping": [],
    }
    (found,) = mapping.customer(wire.Customer.model_validate(body), "shop")
    assert (found.ref.key, found.body.contact.name) == ("shop/42", "Ada Quill")
    assert (found.body.contact.phone, found.body.company.name) == ("0113", "Corner Pop Ltd")
    undated = wire.Customer.model_validate(body | {"date_modified_gmt": None})
    assert list(mapping.customer(undated, "shop")) == [Hint("customer", "42")]


def thing(**changes):
    """A case of cola, 480 of which are offered at 13.20."""
    body = {
        "id": 51,
        "parent_id": 0,
        "type": "simple",
        "status": "publish",
        "name": "Cola, case of 24",
        "sku": "COLA330-C24",
        "price": "13.20",
        "global_unique_id": "4006381-33393-1",
        "manage_stock": True,
        "stock_quantity": 480,
        "date_modified_gmt": "2026-11-20T10:05:00",
    }
    return wire.Product.model_validate(body | changes)


GBP = mapping.Market("GBP", tax_included=False)


def offered(**changes):
    parent = changes.pop("parent", None)
    return list(mapping.item(thing(**changes), "shop", GBP, parent))


def test_a_product_its_price_and_its_stock():
    product, price, level = offered()
    assert (product.ref.key, product.changed) == (
        "shop/51",
        datetime(2026, 11, 20, 10, 5, tzinfo=UTC),
    )
    assert (product.body.sku, product.body.gtin) == ("COLA330-C24", "4006381333931")
    assert product.body.is_active
    assert (price.body.price.amount, price.body.price.currency) == (Decimal("13.20"), "GBP")
    assert (price.body.sku, price.body.tax_included) == ("COLA330-C24", False)
    assert (level.body.on_hand, level.body.product, level.body.as_of) == (
        480,
        product.ref,
        product.changed,
    )


def test_a_delivery_shows_no_currency_so_the_price_is_read():
    product, level, hint = mapping.product(thing(), "shop")
    assert (product.ref.kind, level.ref.kind) == (Kind.PRODUCT, Kind.STOCK_LEVEL)
    assert hint == Hint("price", "51", Kind.PRICE)


@pytest.mark.parametrize("kind", ["variation", "variable", "variable-subscription"])
def test_what_hangs_together_with_others_is_read(kind):
    assert list(mapping.product(thing(type=kind), "shop")) == [Hint("product", "51", Kind.PRODUCT)]


def test_a_product_in_the_bin_is_gone_with_price_and_stock():
    trashed = wire.Trashed.model_validate({"id": 51})
    assert list(mapping.dropped(trashed, "shop")) == [Hint("product", "51", Kind.PRODUCT)]
    assert [(one.ref.kind, one.body) for one in offered(status="trash")] == [
        (Kind.PRICE, None),
        (Kind.PRODUCT, None),
        (Kind.STOCK_LEVEL, None),
    ]


@pytest.mark.parametrize(
    "changes", [{"sku": ""}, {"type": "grouped"}, {"type": "external"}, {"date_modified_gmt": None}]
)
def test_what_the_shop_does_not_sell_under_a_code_is_not_told(changes):
    assert offered(**changes) == []
    assert list(mapping.product(thing(**changes), "shop")) == []


def test_a_price_that_is_empty_and_stock_that_is_not_counted_are_not_told():
    (product,) = offered(price="", manage_stock=False, stock_quantity=None)
    assert product.ref.kind is Kind.PRODUCT
    assert len(offered(price="0", stock_quantity=None)) == 2


def test_a_variation_is_sold_while_its_parent_is():
    parent = thing(id=50, type="variable", sku="", name="Cola")
    variation = {"type": "variation", "parent_id": 50, "name": "Cola - 24", "parent": parent}
    product, _, level = offered(**variation, manage_stock="parent", stock_quantity="16.5")
    assert (product.body.name, product.body.is_active, level.body.on_hand) == ("Cola", True, 16)
    variation["parent"] = parent.model_copy(update={"status": "draft"})
    for changes in (variation, {"status": "private"}, {"purchasable": False}):
        assert not offered(**changes)[0].body.is_active


def test_an_account_that_was_deleted_is_gone_when_that_is_told():
    webhook = WooCommerceWebhook()
    delivery = Delivery({"x-wc-webhook-topic": "customer.deleted"}, b'{"id": 25}', AT)
    (gone,) = read(webhook, delivery, "shop")
    assert (str(gone.ref), gone.body, gone.changed) == (
        "Customer#shop/25",
        None,
        datetime(2026, 11, 20, 9, 0, 1, tzinfo=UTC),
    )


def ping(body: bytes, **headers: str) -> Reply | None:
    usual = {"content-type": "application/x-www-form-urlencoded"}
    return WooCommerceWebhook().handshake(Delivery(usual | headers, body, AT))


def test_the_ping_is_answered_and_nothing_else_goes_unsigned():
    assert ping(b"webhook_id=27") == Reply()
    assert ping(b"webhook_id=27&id=1") is None
    assert ping(b"webhook_id=") is None
    assert ping(b'{"id": 27}') is None
    assert ping(b"webhook_id=27", **{"x-wc-webhook-topic": "order.created"}) is None
    assert ping(b"webhook_id=27", **{"content-type": "application/json"}) is None


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
@pytest.mark.parametrize(
    "name",
    ["docs-order-create-response", "seen_order_tax_inclusive_dp4", "ios-order-without-data"],
)
def test_orders_that_were_really_sent_sum_up(name):
    body = json.loads((SAMPLES / f"{name}.json").read_text(), parse_float=Decimal)
    body = body.get("body", body)
    found = next(mapping.order(wire.Order.model_validate(body), "shop")).body
    base = sum(line.type.sign * line.amount for line in found.lines)
    total = found.totals.gross if found.tax_included else found.totals.net
    assert abs(base - total) <= Decimal("0.01")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_a_variation_that_was_really_sent():
    (row,) = json.loads((SAMPLES / "seen_product_by_sku_variation.json").read_text())
    product, price, level = mapping.item(wire.Product.model_validate(row), "shop", GBP)
    assert (product.body.sku, price.body.price.amount) == ("TONIC-6", Decimal("7.99"))
    assert level.body.on_hand == 19
