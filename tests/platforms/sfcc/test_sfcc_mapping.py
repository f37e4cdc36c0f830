"""An order of a B2C Commerce site becomes ours."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.entity import Kind, Part
from fizzbridge.model.order import LineType, PaymentStatus
from platforms.sfcc import mapping, wire

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "sfcc"
SITE = mapping.Site("shop")
COLA = {
    "id": "COLA330-C24",
    "name": {"default": "Cola, case of 24", "de": "Cola, Kasten"},
    "upc": "54",
    "online": True,
    "type": {"item": True, "master": False},
    "creationDate": "2025-01-01T09:00:00.000Z",
    "lastModified": "2026-11-20T09:05:00.750Z",
}
QUAY = {
    "firstName": "Ada",
    "lastName": "Quill",
    "companyName": "Corner Pop Ltd",
    "address1": "1 Quay",
    "city": "Leeds",
    "postalCode": "LS1",
    "countryCode": "gb",
}


def item(item_id="i1", price="26.40", tax="5.28", **more):
    return {
        "itemId": item_id,
        "productId": "COLA330-C24",
        "itemText": "Cola",
        "quantity": 2,
        "basePrice": Decimal("13.20"),
        "price": Decimal(price),
        "priceAfterItemDiscount": Decimal(price),
        "priceAfterOrderDiscount": Decimal(price),
        "tax": Decimal(tax),
        "adjustedTax": Decimal(tax),
        "taxRate": Decimal("0.2"),
        "taxClassId": "standard",
        "shipmentId": "me",
    } | more


def told(**more):
    body = {
        "orderNo": "00028011",
        "creationDate": "2026-11-20T09:00:00.250Z",
        "lastModified": "2026-11-20T09:05:00.750Z",
        "status": "new",
        "confirmationStatus": "confirmed",
        "paymentStatus": "not_paid",
        "channelType": "storefront",
        "currency": "GBP",
        "taxation": "net",
        "orderTotal": Decimal("31.68"),
        "taxTotal": Decimal("5.28"),
        "customerInfo": {"customerNo": "0001", "email": "ada@pop.example", "customerName": "Ada Q"},
        "billingAddress": QUAY,
        "productItems": [item()],
        "shippingItems": [],
        "shipments": [
            {"shipmentId": "me", "shippingAddress": QUAY, "shippingStatus": "not_shipped"}
        ],
        "paymentInstruments": [{"paymentMethodId": "INVOICE", "amount": 0}],
        "orderToken": "secret-token",
        "c_poNumber": "PO-77",
        "c_customerNote": "ring twice",
        "c_slot": "AM",
    } | more
    return list(mapping.order(wire.Order.model_validate(body), SITE))


def request(**more):
    return next(one.body for one in told(**more) if one.part is Part.REQUEST)


def test_an_order_is_kept_in_full():
    order, buyer = told()
    assert (str(order.ref), order.changed.microsecond) == ("Order#shop/00028011", 750000)
    assert (str(buyer.ref), buyer.changed) == ("Customer#shop/0001", None)
    body = order.body
    assert (body.totals.net, body.totals.tax, body.totals.gross) == (
        Decimal("26.40"),
        Decimal("5.28"),
        Decimal("31.68"),
    )
    (line,) = body.lines
    assert (line.sku, line.quantity, line.unit_price, line.amount, line.tax) == (
        "COLA330-C24",
        2,
        Decimal("13.20"),
        Decimal("26.40"),
        Decimal("5.28"),
    )
    assert line.taxes[0].rate == Decimal("0.2")
    assert (body.po_number, body.note) == ("PO-77", "ring twice")
    assert body.properties == {"slot": "AM"}
    assert (body.company.name, body.ship_to.country, body.payment_terms) == (
        "Corner Pop Ltd",
        "GB",
        "INVOICE",
    )
    assert body.placed_at_local == "2026-11-20T09:00:00.250Z"
    assert "secret-token" not in body.model_dump_json()


@pytest.mark.parametrize("status", ["created", "something_new"])
def test_what_is_not_placed_says_nothing(status):
    assert told(status=status) == []


@pytest.mark.parametrize("status", ["cancelled", "failed", "failed_with_reopen", "replaced"])
def test_what_is_over_is_cancelled(status):
    body = request(status=status, replacementOrderNo="00028012" if status == "replaced" else None)
    assert body.cancelled_at == body.changed_at
    assert body.cancel_reason == ("replaced by 00028012" if status == "replaced" else status)


@pytest.mark.parametrize(("status", "waits"), [("new", True), ("open", True), ("completed", False)])
def test_a_site_may_let_orders_wait_for_its_confirmation(status, waits):
    body = wire.Order.model_validate(
        {
            "orderNo": "1",
            "creationDate": "2026-11-20T09:00:00Z",
            "lastModified": "2026-11-20T09:00:00Z",
            "status": status,
            "confirmationStatus": "not_confirmed",
            "currency": "GBP",
            "taxation": "net",
            "orderTotal": 0,
        }
    )
    careful = mapping.Site("shop", needs_confirmation=True)
    assert (list(mapping.order(body, careful)) == []) is waits
    assert list(mapping.order(body, SITE))


def test_discounts_are_off_and_the_adjusted_tax_counts():
    freight = item("s1", "5.00", "1.00", productId="", quantity=1, basePrice=5) | {
        "priceAfterItemDiscount": Decimal(0),
        "priceAfterOrderDiscount": None,
        "adjustedTax": Decimal(0),
    }
    goods = item(priceAfterItemDiscount=Decimal("24.00"), priceAfterOrderDiscount=Decimal("20.00"))
    goods["adjustedTax"] = Decimal("4.00")
    body = request(productItems=[goods], shippingItems=[freight], orderTotal=24, taxTotal=4)
    line, free = body.lines
    assert (line.amount, line.discount, line.tax) == (Decimal(20), Decimal("6.40"), Decimal(4))
    assert (free.type, free.amount, free.discount, free.tax) == (LineType.FREIGHT, 0, 5, 0)
    assert not free.is_stocked


def test_prices_with_tax_in_them_stay_so():
    body = request(taxation="gross", productItems=[item(price="31.68")])
    assert body.tax_included
    assert body.lines[0].amount == body.totals.gross == Decimal("31.68")
    assert body.totals.net == Decimal("26.40")


def test_options_bundles_gifts_and_certificates():
    goods = item(
        optionItems=[item("o1", "1.00", "0.20", productId="", basePrice=1, quantity=1)],
        bundledProductItems=[item("b1", "0", "0", productId="TONIC", basePrice=0)],
    )
    bonus = item("g1", "0", "0", bonusProductLineItem=True, productId="MUG")
    certificate = {"giftCertificateItemId": "gc1", "amount": Decimal("10.00")}
    body = request(productItems=[goods, bonus], giftCertificateItems=[certificate])
    lines = {line.id: line for line in body.lines}
    assert (lines["o1"].parent_id, lines["o1"].is_stocked) == ("i1", False)
    assert (lines["b1"].parent_id, lines["b1"].sku, lines["b1"].amount) == ("i1", "TONIC", 0)
    assert lines["g1"].type is LineType.FREE_GOODS
    assert (lines["gc1"].amount, lines["gc1"].is_stocked) == (10, False)


def test_a_guest_is_known_by_the_order_alone():
    _, buyer = told(guest=True)
    assert str(buyer.ref) == "Customer#shop/order:00028011"


def test_paid_and_shipped_orders_say_so():
    shipment = {"shipmentId": "me", "shippingStatus": "shipped", "trackingNumber": "JD1"}
    order, _, payment, sent = told(paymentStatus="paid", shipments=[shipment])
    assert order.body.payment_status is PaymentStatus.PAID
    assert (payment.ref.kind, payment.body.amount) == (Kind.PAYMENT, Decimal("31.68"))
    assert (sent.body.tracking_number, sent.body.lines[0].quantity) == ("JD1", 2)
    assert request(paymentStatus="part_paid").payment_status is PaymentStatus.PART_PAID


def test_what_no_order_of_ours_can_hold_is_for_a_person():
    with pytest.raises(MalformedDeliveryError, match="no number of pieces"):
        told(productItems=[item(quantity=Decimal("0.5"))])
    there = {"shipmentId": "you", "shippingAddress": QUAY | {"city": "York"}}
    here = {"shipmentId": "me", "shippingAddress": QUAY}
    with pytest.raises(MalformedDeliveryError, match="2 addresses"):
        told(shipments=[here, there])


def test_a_customer_without_a_time_of_change_is_not_told():
    body = {"customerNo": "1", "firstName": "Ada", "lastName": "Q", "addresses": [QUAY]}
    assert list(mapping.customer(wire.Customer.model_validate(body), "shop")) == []
    at = {"lastModified": "2026-11-20T09:00:00Z"}
    (seen,) = mapping.customer(wire.Customer.model_validate(body | at), "shop")
    assert (seen.body.contact.name, seen.body.addresses[0].city) == ("Ada Q", "Leeds")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
@pytest.mark.parametrize("number", ["00028010", "00028011"])
def test_the_vendors_own_orders_add_up(number):
    body = json.loads((SAMPLES / f"scapi_order_{number}.json").read_text(), parse_float=Decimal)
    assert list(mapping.order(wire.Order.model_validate(body), SITE)) == []
    order, *_ = mapping.order(wire.Order.model_validate(body | {"status": "new"}), SITE)
    assert sum(line.amount for line in order.body.lines) == order.body.totals.net
    assert sum(line.tax for line in order.body.lines) == order.body.totals.tax == Decimal("3.45")
    assert order.body.totals.gross == Decimal("72.42")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_the_vendors_own_customer():
    body = json.loads((SAMPLES / "scapi_registered_customer.json").read_text())
    (seen,) = mapping.customer(wire.Customer.model_validate(body), "shop")
    assert seen.body.addresses


def shown(**more):
    return list(mapping.product(wire.Product.model_validate(COLA | more), "shop"))


def test_a_product_goes_by_its_id():
    (one,) = shown()
    assert (str(one.ref), one.changed.microsecond) == ("Product#shop/COLA330-C24", 750_000)
    body = one.body
    assert (body.sku, body.name, body.gtin, body.is_active) == (
        "COLA330-C24",
        "Cola, case of 24",
        "54",
        True,
    )
    assert shown(ean="12", name={"de": "Kasten"}, online=False)[0].body.model_dump() == {
        "sku": "COLA330-C24",
        "name": "Kasten",
        "gtin": "12",
        "is_active": False,
    }


def test_a_key_of_ours_has_no_spaces_and_a_code_of_theirs_may():
    (one,) = shown(id="Cola 330/24")
    assert (one.ref.key, one.body.sku) == ("shop/Cola%20330%2F24", "Cola 330/24")


@pytest.mark.parametrize("kind", ["master", "variationGroup", "set", "retailSet"])
def test_what_is_on_no_line_is_not_told(kind):
    assert shown(type={kind: True}) == []
    assert shown(type={"variant": True})
