"""Orders of shops of all ages, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fizzbridge.errors import TargetUnavailableError, VerificationError
from fizzbridge.model.entity import Kind
from fizzbridge.model.order import LineType, PaymentStatus
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read as read_delivery
from fizzbridge.webhook.request import Delivery
from platforms.prestashop import mapping, wire
from platforms.prestashop.webhook import PrestaShopWebhook
from platforms.prestashop.webservice import read

SAMPLES = Path(__file__).parents[4] / "shared" / "platforms" / "samples" / "prestashop"
SHOP = mapping.Shop("shop", ZoneInfo("Europe/Berlin"), "EUR")
PAID = {"id": "2", "paid": "1", "template": "payment"}
WAITING = {"id": "10", "paid": "0", "template": "bankwire"}
VAT = {"name": "VAT 21%", "rate": "21.000"}


def goods(**changes):
    """Three cases at 10.00 with 21 % in it, which the shop keeps as 9.999999."""
    return {
        "id": "13",
        "product_id": "1",
        "product_reference": "COLA-24",
        "product_name": "Cola, case of 24",
        "product_quantity": "3",
        "unit_price_tax_excl": "8.264462",
        "unit_price_tax_incl": "9.999999",
        "taxes": [VAT],
    } | changes


def told(**changes):
    address = {"id": "4", "firstname": "Ada", "lastname": "Quill", "address1": "1 Quay"}
    address |= {"city": "Berlin", "country": "DE", "region": "DE-BE", "phone": "030"}
    body = {
        "id": "5",
        "reference": "KHWLILZLL",
        "date_add": "2026-11-01 11:02:12",
        "date_upd": "2026-11-01 11:15:30",
        "id_shop": "1",
        "current_state": "2",
        "round_type": "2",
        "total_paid_tax_incl": "30.000000",
        "total_paid_tax_excl": "24.790000",
        "payment": "Bank wire",
        "module": "ps_wirepayment",
        "currency": "EUR",
        "tax_included": True,
        "state": PAID,
        "customer": {"id": "1", "email": "ada@shop.example", "firstname": "Ada"},
        "bill_to": address,
        "ship_to": address,
        "details": [goods()],
    }
    return wire.Order.model_validate(body | changes)


def seen(**changes):
    return list(mapping.order(told(**changes), SHOP))


def request(**changes):
    return seen(**changes)[0].body


def of(kind, **changes):
    return [one for one in seen(**changes) if one.ref.kind == kind]


def test_an_order_and_its_buyer():
    order, buyer = seen()
    assert order.ref.key == "shop/5"
    assert order.changed == datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)
    assert order.refetch == Hint("order", "5")
    assert (buyer.ref.key, buyer.changed) == ("shop/1", None)
    body = order.body
    assert (body.number, body.channel) == ("KHWLILZLL", "1")
    assert body.placed_at == datetime(2026, 11, 1, 10, 2, 12, tzinfo=UTC)
    assert body.placed_at_local == "2026-11-01 11:02:12"
    assert (body.ship_to.country, body.ship_to.region) == ("DE", "BE")
    assert body.contact.email == "ada@shop.example"
    assert body.properties == {"payment": "Bank wire", "module": "ps_wirepayment"}


def test_a_line_is_rounded_after_it_is_multiplied():
    (line,) = request().lines
    assert (line.amount, line.tax, line.discount) == (Decimal("30.00"), Decimal("5.21"), 0)
    assert [(one.title, one.rate, one.amount) for one in line.taxes] == [
        ("VAT 21%", Decimal("0.21"), Decimal("5.21"))
    ]
    totals = request().totals
    assert (totals.net, totals.tax, totals.gross) == tuple(map(Decimal, ("24.79", "5.21", "30.00")))


def test_a_shop_may_round_each_piece():
    line = goods(product_quantity="100", unit_price_tax_incl="3.333333", unit_price_tax_excl="0")
    assert request(details=[line]).lines[0].amount == Decimal("333.33")
    assert request(details=[line], round_type="1").lines[0].amount == Decimal("333.00")


def test_without_tax_lines_are_net():
    order = request(tax_included=False)
    assert (order.tax_included, order.lines[0].amount) == (False, Decimal("24.79"))
    assert order.totals.gross == Decimal("30.00")


@pytest.mark.parametrize(
    "reduction",
    [
        {"reduction_percent": "20.00"},
        {"reduction_amount_tax_incl": "2.500000", "reduction_amount_tax_excl": "2.066116"},
    ],
)
def test_what_a_line_was_reduced_by_is_its_discount(reduction):
    (line,) = request(details=[goods(**reduction, unit_price_tax_incl="10.000000")]).lines
    assert (line.unit_price, line.discount) == (Decimal("12.5"), Decimal("7.50"))
    assert line.amount == Decimal("30.00")


def test_freight_wrapping_and_cart_rules_are_lines():
    rules = [
        {"id": "1", "name": "WELCOME", "value": "2.00", "value_tax_excl": "1.65"},
        {"id": "2", "name": "gone", "value": "9.00", "value_tax_excl": "9.00", "deleted": "1"},
    ]
    order = request(
        total_shipping_tax_incl="4.84",
        total_shipping_tax_excl="4.00",
        carrier_tax_rate="21.000",
        carrier="My carrier",
        total_wrapping_tax_incl="1.21",
        total_wrapping_tax_excl="1.00",
        total_discounts_tax_incl="2.00",
        total_discounts_tax_excl="1.65",
        cart_rules=rules,
    )
    assert [(one.id, one.type, one.title, one.amount, one.tax) for one in order.lines[1:]] == [
        ("shipping", LineType.FREIGHT, "My carrier", Decimal("4.84"), Decimal("0.84")),
        ("wrapping", LineType.FEE, "Gift wrapping", Decimal("1.21"), Decimal("0.21")),
        ("cart-rule:1", LineType.DISCOUNT, "WELCOME", Decimal("2.00"), Decimal("0.35")),
    ]
    assert not any(one.is_stocked for one in order.lines[1:])
    assert order.lines[1].taxes[0].rate == Decimal("0.21")
    assert order.totals.discount == Decimal("2.00")


def test_a_discount_that_no_rule_explains_is_one_line():
    order = request(total_discounts_tax_incl="2.42", total_discounts_tax_excl="2.00")
    assert (order.lines[-1].type, order.lines[-1].amount) == (LineType.DISCOUNT, Decimal("2.42"))


def test_two_taxes_of_a_line_share_its_tax():
    eco = {"name": "Eco", "rate": "2.000"}
    taxes = request(details=[goods(taxes=[VAT, eco])]).lines[0].taxes
    assert sum(one.amount for one in taxes) == Decimal("5.21")


def test_free_virtual_and_unnamed_lines():
    free = goods(unit_price_tax_excl="0.000000", unit_price_tax_incl="0.000000")
    card = goods(
        id="14", is_virtual="1", product_reference="", ecotax="0.120000", id_customization="8"
    )
    first, second = request(details=[free, card]).lines
    assert (first.type, first.is_stocked) == (LineType.FREE_GOODS, True)
    assert (second.is_stocked, second.sku) == (False, None)
    assert second.properties == {"ecotax": "0.120000", "customization": "8"}


def test_a_guest_is_known_by_the_order():
    customer = {"id": "9", "email": "ann@shop.example", "is_guest": "1"}
    order = request(customer=customer)
    assert (order.customer.key, order.contact.email) == ("shop/order:5", "ann@shop.example")
    assert request(customer=None).customer.key == "shop/order:5"


def test_a_company_and_what_the_buyer_wrote():
    order = request(
        customer={"id": "1", "company": "Corner Pop &amp; Co", "siret": "123"},
        bill_to={"id": "4", "vat_number": "FR123", "country": "FR"},
        po_number="PO-77",
        messages=[
            {"message": "Ring twice", "private": "0"},
            {"message": "he never pays", "private": "1"},
            {"message": "sent today", "id_employee": "3"},
        ],
        note="staff only",
        gift="1",
    )
    assert (order.company.id, order.company.name) == ("1", "Corner Pop & Co")
    assert (order.company.vat_number, order.po_number) == ("FR123", "PO-77")
    assert order.note == "Ring twice"
    assert (order.properties["note"], order.properties["gift"]) == ("staff only", "1")


def test_another_currency_than_the_shops():
    order = request(currency="GBP", conversion_rate="0.871000")
    assert (order.currency, order.shop_currency) == ("GBP", "EUR")
    assert order.properties["conversion_rate"] == "0.871000"


@pytest.mark.parametrize(
    "state", [None, {"id": "8"}, {"id": "23", "template": "payment_error"}], ids=str
)
def test_what_is_not_placed_is_no_order(state):
    assert seen(state=state) == []


def test_a_cancelled_order_says_when():
    moment = datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)
    assert request(state={"id": "6"}).cancelled_at == moment
    assert request(state={"id": "31", "template": "order_canceled"}).cancelled_at == moment


def payment(**changes):
    return {
        "id": "3",
        "amount": "30.000000",
        "currency": "EUR",
        "payment_method": "Card",
        "date_add": "2026-11-01 11:15:30",
    } | changes


def test_a_payment_that_no_state_tells_of():
    assert request(state=WAITING).payment_status is PaymentStatus.PENDING
    assert request(state=WAITING, payments=[payment()]).payment_status is PaymentStatus.PAID
    some = payment(amount="12.000000")
    assert request(state=WAITING, payments=[some]).payment_status is PaymentStatus.PART_PAID
    (paid,) = of("Payment", payments=[payment(), payment(id="4", amount="0.000000")])
    assert (paid.ref.key, paid.body.amount, paid.body.gateway) == (
        "shop/3",
        Decimal("30.00"),
        "Card",
    )


def test_orders_of_one_reference_share_a_payment():
    siblings = [{"id": "4", "total_paid_tax_incl": "20"}, {"id": "5", "total_paid_tax_incl": "10"}]
    fourth, fifth = (
        of("Payment", id=key, payments=[payment(amount="20.00")], siblings=siblings)[0]
        for key in ("4", "5")
    )
    assert (fourth.ref.key, fourth.body.amount) == ("shop/3:4", Decimal("13.33"))
    assert (fifth.ref.key, fifth.body.amount) == ("shop/3:5", Decimal("6.67"))


def slip(**changes):
    line = {"id_order_detail": "13", "product_quantity": "1"}
    line |= {"amount_tax_excl": "8.264462", "amount_tax_incl": "10.000000"}
    return {
        "id": "7",
        "date_add": "2026-11-02 09:00:00",
        "date_upd": "2026-11-02 09:00:00",
        "total_products_tax_incl": "10.000000",
        "total_shipping_tax_incl": "4.840000",
        "amount": "8.264462",
        "order_slip_details": [line],
    } | changes


def test_a_credit_slip_is_a_refund():
    (refund,) = of("Refund", slips=[slip()])
    (line,) = refund.body.lines
    assert (refund.body.amount, refund.parent.key) == (Decimal("14.84"), "shop/5")
    assert (line.order_line_id, line.quantity) == ("13", 1)
    assert (line.amount, line.tax) == (Decimal("8.26"), Decimal("1.74"))
    assert not line.is_restocked
    assert request(slips=[slip()]).payment_status is PaymentStatus.PART_REFUNDED
    back = goods(product_quantity_reinjected="1")
    assert of("Refund", slips=[slip()], details=[back])[0].body.lines[0].is_restocked


def test_an_old_slip_has_other_amounts_and_a_whole_one_is_all():
    old = slip(total_products_tax_incl="0", total_shipping_tax_incl="0", amount="30.00")
    assert of("Refund", slips=[old])[0].body.amount == Decimal("30.00")
    assert request(slips=[old]).payment_status is PaymentStatus.REFUNDED
    assert request(state={"id": "7"}).payment_status is PaymentStatus.REFUNDED


def test_a_parcel_is_told_once_it_left_or_has_a_number():
    parcel = {"id": "2", "carrier": "My carrier", "tracking_number": ""}
    sent = {"id": "4", "paid": "1", "shipped": "1"}
    assert of("Shipment", parcels=[parcel]) == []
    (planned,) = of("Shipment", parcels=[parcel | {"tracking_number": "ABCD"}])
    assert (planned.body.state, planned.body.tracking_number) == ("PLANNED", "ABCD")
    (left,) = of("Shipment", parcels=[parcel], state=sent, details=[goods(), goods(is_virtual=1)])
    assert (left.ref.key, left.body.state, left.body.carrier) == (
        "shop/2",
        "DISPATCHED",
        "My carrier",
    )
    assert [(one.order_line_id, one.quantity) for one in left.body.lines] == [("13", 3)]
    assert of("Shipment", state=sent)[0].ref.key == "shop/order:5"


def test_what_came_back_is_one_return():
    (back,) = of("Return", details=[goods(product_quantity_return="2"), goods(id="14")])
    assert [(one.order_line_id, one.quantity) for one in back.body.lines] == [("13", 2)]


def test_an_account_of_the_shop():
    body = {
        "id": "1",
        "email": "ada@shop.example",
        "firstname": "Ada",
        "lastname": "Quill",
        "siret": "123",
        "date_upd": "2026-11-01 11:15:30",
        "addresses": [
            {"id": "3", "city": "Old", "deleted": "1"},
            {"id": "4", "city": "Berlin", "country": "DE", "phone_mobile": "0171"},
        ],
    }
    (found,) = mapping.customer(wire.Customer.model_validate(body), SHOP)
    assert (found.ref.key, found.body.contact.phone) == ("shop/1", "0171")
    assert ([one.city for one in found.body.addresses], found.body.tax_number) == (
        ["Berlin"],
        "123",
    )
    for no_account in ({"is_guest": "1"}, {"deleted": "1"}, {"date_upd": "0000-00-00 00:00:00"}):
        other = wire.Customer.model_validate(body | no_account)
        assert list(mapping.customer(other, SHOP)) == []


# -- clocks ----------------------------------------------------------------------------------------


def test_an_hour_that_comes_twice_is_one_moment_of_changes():
    first, second = (SHOP.version(f"2026-10-25 02:{minute}:00") for minute in (10, 45))
    assert first == second == datetime(2026, 10, 25, 1, 59, 59, tzinfo=UTC)
    assert SHOP.version("2026-10-25 01:59:59") < first < SHOP.version("2026-10-25 03:00:00")


def shown(moment):
    return f"{moment.astimezone(SHOP.zone):%Y-%m-%d %H:%M:%S}"


def test_a_clock_turned_back_hides_nothing():
    moment = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for _ in range(6 * 6):
        steps = [timedelta(minutes=10 * step) for step in range(24)]
        assert SHOP.since(moment) <= min(shown(moment + step) for step in steps)
        assert SHOP.until(moment) >= max(shown(moment - step) for step in steps)
        moment += timedelta(minutes=10)
    assert SHOP.since(datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)) == "2026-11-01 11:15:30"


# -- deliveries ------------------------------------------------------------------------------------

BODY = (
    b'{"event":"order.status_changed","id_shop":1,"id_order":5,"reference":"KHWLILZLL",'
    b'"id_order_state":2,"date_upd":"2026-11-01 11:15:30",'
    b'"delivery_id":"8c2d3a50-1b1f-4a35-8f44-7b1c6c1de002"}'
)
PROOF = "v1=07e1a05f480051e549afb49a988c181308b7588422cd6f83c2e183e4a2c0e8fb"
AT = datetime.fromtimestamp(1793528130, UTC)
ADAPTER = PrestaShopWebhook()


def test_the_modules_proof():
    headers = {"x-fizz-timestamp": "1793528130", "x-fizz-signature": PROOF}
    delivery = Delivery(headers, BODY, AT)
    ADAPTER.signature.verify(delivery, ["fizz_hook_demo_secret"], AT)
    with pytest.raises(VerificationError):
        ADAPTER.signature.verify(delivery, ["fizz_hook_demo_secret"], AT + timedelta(seconds=301))
    assert ADAPTER.delivery_id(delivery) == "8c2d3a50-1b1f-4a35-8f44-7b1c6c1de002"
    assert read_delivery(ADAPTER, delivery, "shop") == [Hint("order", "5")]


@pytest.mark.parametrize(
    ("event", "hint"),
    [
        ("order.created", Hint("order", "5")),
        ("order.edited", Hint("order", "5")),
        ("order.paid", Hint("order", "5")),
        ("order.refunded", Hint("order", "5")),
        ("order.returned", Hint("order", "5")),
        ("order.shipped", Hint("order", "5")),
        ("customer.changed", Hint("customer", "6")),
        ("address.changed", Hint("address", "7")),
    ],
)
def test_what_the_module_names_is_read(event, hint):
    body = {"event": event, "id_order": 5, "id_customer": 6, "id_address": 7}
    delivery = Delivery({}, json.dumps(body).encode(), AT)
    assert read_delivery(ADAPTER, delivery, "shop") == [hint]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("product.changed", Kind.PRODUCT),
        ("stock.changed", Kind.STOCK_LEVEL),
        ("price.changed", Kind.PRICE),
    ],
)
def test_what_happened_to_a_product_is_read(event, kind):
    delivery = Delivery({}, json.dumps({"event": event, "id_product": 11}).encode(), AT)
    assert read_delivery(ADAPTER, delivery, "shop") == [Hint("product", "11", kind)]


def test_a_special_price_of_no_product_says_nothing():
    delivery = Delivery({}, b'{"event": "price.changed", "id_product": 0}', AT)
    assert read_delivery(ADAPTER, delivery, "shop") == []


@pytest.mark.parametrize(("combination", "key"), [(0, "shop/11"), (7, "shop/11-7")])
def test_a_product_that_was_deleted_is_gone_when_that_was_sent(combination, key):
    body = {"event": "product.deleted", "id_product": 11, "id_product_attribute": combination}
    delivery = Delivery({"x-fizz-timestamp": "1793528130"}, json.dumps(body).encode(), AT)
    gone = read_delivery(ADAPTER, delivery, "shop")
    assert {one.ref.kind for one in gone} == {Kind.PRODUCT, Kind.PRICE, Kind.STOCK_LEVEL}
    assert {(one.ref.key, one.body, one.changed) for one in gone} == {(key, None, AT)}


# -- what is sold ----------------------------------------------------------------------------------


def product(**changes):
    body = {
        "id": "11",
        "reference": "SYRUP",
        "name": "Dock Syrup",
        "ean13": "5012345678900",
        "active": "1",
        "available_for_order": "1",
        "state": "1",
        "price": "6.100000",
        "date_upd": "2026-11-01 11:15:30",
        "is_counted": True,
        "stock": [{"id_product_attribute": "0", "quantity": "-3"}],
    }
    return list(mapping.product(wire.Product.model_validate(body | changes), SHOP))


def test_a_product_its_price_and_its_stock():
    shown, price, level = product()
    assert (shown.ref.key, shown.body.gtin) == ("shop/11", "5012345678900")
    assert (shown.body.is_active, level.body.on_hand) == (True, -3)
    assert (price.body.price.amount, price.body.tax_included) == (Decimal("6.10"), False)
    assert shown.changed == datetime(2026, 11, 1, 10, 15, 30, tzinfo=UTC)
    assert product(reference="") == product(date_upd="") == []
    assert len(product(is_counted=False)) == len(product(stock=[])) == 2


@pytest.mark.parametrize("change", [{"active": "0"}, {"available_for_order": "0"}, {"state": "0"}])
def test_what_cannot_be_ordered_is_not_active(change):
    assert not product(**change)[0].body.is_active


def test_combinations_are_sold_in_place_of_their_product():
    combinations = [
        {"id": "7", "reference": "SYRUP-LEMON", "price": "0.000000", "upc": "123"},
        {"id": "8", "reference": "SYRUP-GINGER", "price": "0.400000"},
        {"id": "9", "reference": "", "price": "0"},
    ]
    stock = [{"id_product_attribute": "7", "quantity": "30"}]
    found = product(combinations=combinations, stock=stock)
    assert [(one.ref.kind, one.ref.external_id) for one in found] == [
        (Kind.PRODUCT, "11-7"),
        (Kind.PRICE, "11-7"),
        (Kind.STOCK_LEVEL, "11-7"),
        (Kind.PRODUCT, "11-8"),
        (Kind.PRICE, "11-8"),
    ]
    assert found[0].body.gtin == "123"
    assert found[4].body.price.amount == Decimal("6.50")


def special(**changes):
    nought = dict.fromkeys(("id_group", "id_customer", "id_country", "id_currency", "id_cart"), "0")
    never = dict.fromkeys(("from", "to"), "0000-00-00 00:00:00")
    price = {"price": "-1.000000", "from_quantity": "1", "reduction": "0.200000"}
    price |= {"reduction_type": "percentage", "reduction_tax": "1"}
    return nought | never | price | changes


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (special(), "4.88"),
        (special(price="5.500000", reduction="0"), "5.50"),
        (special(reduction="0.50", reduction_type="amount", reduction_tax="0"), "5.60"),
        (special(reduction="0.50", reduction_type="amount"), None),
        (special(id_customer="4"), "6.10"),
        (special(id_country="8"), "6.10"),
        (special(from_quantity="6"), "6.10"),
        (special(to="2026-12-01 00:00:00"), "6.10"),
        (special(id_product_attribute="7"), "6.10"),
    ],
)
def test_a_special_price_for_everybody_is_the_price(row, told):
    found = [one.body.price.amount for one in product(prices=[row]) if one.ref.kind is Kind.PRICE]
    assert found == ([Decimal(told)] if told else [])


def test_a_special_price_of_a_combination_goes_before_one_of_all():
    rows = [special(id_product_attribute="7", price="5.00", reduction="0"), special()]
    combination = {"id": "7", "reference": "SYRUP-LEMON"}
    _, price = product(prices=rows, combinations=[combination])
    assert price.body.price.amount == Decimal("5.00")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine")
def test_a_product_that_was_really_sent():
    own = {"combinations": [], "stock": [_sample("stock_available_1.xml")], "is_counted": True}
    told = wire.Product.model_validate(_sample("product_1.xml") | own)
    shown, price, level = mapping.product(told, SHOP)
    assert (shown.body.sku, shown.body.gtin) == ("demo_1", "")
    assert (price.body.price.amount, level.body.on_hand) == (Decimal("16.51"), 1799)


# -- answers ---------------------------------------------------------------------------------------


def test_notices_of_php_and_padding_are_cut_off():
    text = (
        "<br />\n<b>Notice</b>: Undefined index\n<?xml version='1.0'?>\n"
        '<prestashop xmlns:xlink="http://www.w3.org/1999/xlink"><orders><order>'
        '<id xlink:href="http://10.0.0.5/api/orders/5"><![CDATA[\n  5 ]]></id>'
        "<name><language id='1'/><language id='2'>Pay &amp; go</language></name>"
        "<note><![CDATA[a\x0bb]]></note><associations><order_rows><order_row><id>1</id>"
        "</order_row></order_rows></associations></order></orders></prestashop>\nNotice"
    )
    rows = [{"id": "1"}]
    assert read(text) == [{"id": "5", "name": "Pay & go", "note": "ab", "order_rows": rows}]


def test_declared_entities_are_never_read():
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE prestashop [<!ENTITY a "bang">]>'
        "<prestashop><orders><order><id>&a;</id></order></orders></prestashop>"
    )
    with pytest.raises(TargetUnavailableError):
        read(bomb)


@pytest.mark.parametrize("text", ["", "<html>busy</html>", "<prestashop><orders></prestashop>"])
def test_what_is_no_answer_is_asked_for_again(text):
    with pytest.raises(TargetUnavailableError):
        read(text)


needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the vendor's samples are not on this machine"
)


@needs_samples
def test_an_order_that_was_really_sent():
    order = _sample("order_5.xml")
    detail, address = _sample("order_detail_13.xml"), _sample("address_4.xml")
    more = {"currency": "EUR", "tax_included": False, "state": WAITING, "details": [detail]}
    body = order | more | {"bill_to": address, "ship_to": address}
    found = next(mapping.order(wire.Order.model_validate(body), SHOP)).body
    assert (found.totals.net, found.totals.gross) == (Decimal("71.51"), Decimal("71.51"))
    assert [(one.id, one.amount) for one in found.lines] == [
        ("13", Decimal("16.51")),
        ("shipping", Decimal("2.00")),
    ]
    assert found.bill_to.company == "My Company"
    assert found.payment_status is PaymentStatus.PENDING


@needs_samples
def test_a_list_of_slips_that_was_really_sent_and_an_empty_one():
    (row,) = read((SAMPLES / "seen_order_slip_list.xml").read_text())
    (refund,) = of("Refund", slips=[row])
    assert (refund.body.amount, refund.body.lines[0].order_line_id) == (Decimal("19.12"), "9")
    assert read((SAMPLES / "seen_empty_list.xml").read_text()) == []


@needs_samples
def test_flags_of_states_that_were_really_sent():
    states = json.loads((SAMPLES / "seen_order_states.json").read_text())["order_states"]
    placed = {one["id"] for one in states if seen(state=one)}
    assert placed == {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13}


def _sample(name):
    """One object as a row: a list of one has the same shape, one level further in."""
    text = (SAMPLES / name).read_text().replace("<prestashop", "<prestashop><x", 1)
    return read(text.replace("</prestashop>", "</x></prestashop>"))[0]
