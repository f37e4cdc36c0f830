"""What a call may write to an order of the sandbox store, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from platforms.bigcommerce.sandbox_blanks import ADDRESS_FIELDS, address
from platforms.bigcommerce.sandbox_orders import Order, price, set_price
from platforms.bigcommerce.sandbox_shapes import (
    STATUSES,
    ZERO,
    Json,
    RefusedError,
    known,
    moment,
    money,
    number,
    rfc,
    whole,
)
from platforms.bigcommerce.sandbox_store import Store

SUMS = (
    "subtotal_ex_tax subtotal_inc_tax shipping_cost_ex_tax shipping_cost_inc_tax"
    " handling_cost_ex_tax handling_cost_inc_tax total_ex_tax total_inc_tax".split()
)
PLAIN = (
    "channel_id customer_id customer_message external_id external_merchant_id external_order_id"
    " external_source order_source payment_method payment_provider_id staff_notes tax_provider_id"
    " customer_locale ip_address ip_address_v6 geoip_country geoip_country_iso2"
    " ebay_order_id".split()
)
IGNORED = "items_shipped items_total order_is_digital refunded_amount".split()
COSTS = "base_handling_cost base_shipping_cost base_wrapping_cost".split()
WRAPPING = ["wrapping_cost_ex_tax", "wrapping_cost_inc_tax"]
WRITABLE = {
    *SUMS,
    *PLAIN,
    *IGNORED,
    *COSTS,
    *WRAPPING,
    "billing_address",
    "shipping_addresses",
    "consignments",
    "products",
    "fees",
    "status_id",
    "date_created",
    "discount_amount",
    "default_currency_code",
}
LINE = set(
    "id product_id variant_id name name_customer name_merchant quantity price_ex_tax price_inc_tax"
    " sku upc product_options wrapping_id wrapping_name wrapping_message wrapping_cost_ex_tax"
    " wrapping_cost_inc_tax".split()
)
FEE = set(
    "id type name display_name_customer display_name_merchant source cost_ex_tax cost_inc_tax"
    " cost_tax tax_class_id base_cost".split()
)
NEW_PARCEL = set(
    "order_address_id tracking_number tracking_link merchant_shipping_cost shipping_method"
    " shipping_provider tracking_carrier comments items".split()
)
PROVIDERS = set(
    "auspost canadapost endicia usps fedex ups upsready upsonline shipperhq royalmail".split()
)
LENGTHS = {"tracking_number": 50, "tracking_link": 500}


def create_order(store: Store, given: Any) -> Order:
    """A new order as a call describes it; nobody is sent a mail."""
    known(given, WRITABLE, "order")
    for name in ("billing_address", "products"):
        if not given.get(name):
            raise RefusedError(f"The required field '{name}' was not supplied.", name)
    if "consignments" in given:
        raise RefusedError("Consignments and products can not both be given.", "consignments")
    _check(store, given)
    customer = store.people.customers.get(given.get("customer_id", 0))
    draft: Json = {"order_source": "external"}
    if "default_currency_code" in given:
        draft["currency"] = given["default_currency_code"]
    order = store.blank(draft, None)
    order.head["customer_id"] = customer["id"] if customer else 0
    now = store.clock()
    created = moment(given["date_created"], "date_created") if "date_created" in given else now
    order.head |= {"date_created": rfc(created), "date_modified": rfc(now), "cart_id": None}
    order.head["billing_address"] = _billing(given["billing_address"])
    places = given.get("shipping_addresses") or [given["billing_address"]]
    for one in places:
        _place(store, order, one)
    for line in given["products"]:
        _new_line(store, order, line)
    _write_rest(store, order, given)
    order.add_up()
    store.orders[order.id] = order
    store.tell("created", order)
    # A call's order is in its status from the beginning: nothing moves, only stock does.
    order.head["status_id"] = given.get("status_id", 1)
    order.add_up()
    store.move_stock(order)
    companies = store.people.companies
    companies.link(order.head, companies.of(order.head["customer_id"]))
    return order


def write_order(store: Store, order: Order, given: Any) -> None:
    """Change what a call names and nothing else; to set a status again is no change."""
    known(given, WRITABLE, "order")
    if "external_merchant_id" in given:
        raise RefusedError("The field 'external_merchant_id' can not be changed.", status=400)
    _check(store, given)
    if "billing_address" in given:
        order.head["billing_address"] |= _billing(given["billing_address"], partly=True)
    for one in given.get("shipping_addresses", []):
        _change_place(store, order, one)
    for line in given.get("products", []):
        _change_line(store, order, line)
    _write_rest(store, order, given)
    order.add_up()
    store.touch(order)
    if "status_id" in given:
        store.set_status(order, given["status_id"])
    store.move_stock(order)
    store.tell("updated", order)


def write_shipment(store: Store, order: Order, given: Any, made: Json | None = None) -> Json:
    """Send a parcel, or change what is said of one; its items stay as they are."""
    known(given, NEW_PARCEL if made is None else NEW_PARCEL - {"items"}, "shipment")
    for name, most in LENGTHS.items():
        if len(str(given.get(name, ""))) > most:
            raise RefusedError(f"The field '{name}' is too long.", name)
    provider = given.get("shipping_provider", "")
    if provider and provider not in PROVIDERS and not provider.startswith("carrier_"):
        raise RefusedError("The field 'shipping_provider' is invalid.", "shipping_provider")
    if made is not None:
        made |= given
        store.tell_shipment("updated", made)
        return made
    for name in ("order_address_id", "items"):
        if not given.get(name):
            raise RefusedError(f"The required field '{name}' was not supplied.", name)
    return store.dispatch(order, given)


def _check(store: Store, given: Json) -> None:
    status = given.get("status_id", 1)
    if isinstance(status, bool) or status not in STATUSES:
        raise RefusedError("The field 'status_id' is invalid.", "status_id")
    customer = given.get("customer_id", 0)
    if customer and customer not in store.people.customers:
        raise RefusedError("The field 'customer_id' is invalid.", "customer_id")
    if given.get("channel_id", store.seed["channel_id"]) != store.seed["channel_id"]:
        raise RefusedError("The field 'channel_id' is invalid.", "channel_id")
    for stem in ("total", "subtotal", "shipping_cost", "handling_cost"):
        pair = {f"{stem}_ex_tax", f"{stem}_inc_tax"}
        if len(pair & given.keys()) == 1:
            raise RefusedError(f"{stem}_ex_tax and {stem}_inc_tax go together.", stem)


def _billing(given: Any, *, partly: bool = False) -> Json:
    known(given, {*ADDRESS_FIELDS, "form_fields"}, "billing_address")
    fields = {"form_fields": given.get("form_fields", [])}
    if partly:
        return dict(given)
    return address({n: v for n, v in given.items() if n != "form_fields"}) | fields


def _place(store: Store, order: Order, given: Any) -> None:
    known(given, {*ADDRESS_FIELDS, "shipping_method", "form_fields", "id"}, "shipping_addresses")
    plain = {name: value for name, value in given.items() if name in ADDRESS_FIELDS}
    made = store.add_address(order, address(plain))
    made["shipping_method"] = given.get("shipping_method", "None")


def _change_place(store: Store, order: Order, given: Any) -> None:
    found = [one for one in order.addresses if one["id"] == given.get("id")]
    if not found:
        _place(store, order, given)
        return
    known(given, {*ADDRESS_FIELDS, "shipping_method", "form_fields", "id"}, "shipping_addresses")
    found[0] |= given


def _new_line(store: Store, order: Order, given: Any) -> None:
    known(given, LINE - {"id"}, "products")
    quantity = whole(given.get("quantity"), "quantity", 1)
    variant = None
    if "product_id" in given:
        variant = _sold(store, given)
    elif not given.get("name") or not {"price_ex_tax", "price_inc_tax"} <= given.keys():
        text = "A line without product_id has name, price_ex_tax and price_inc_tax."
        raise RefusedError(text, "products")
    line = store.new_line(order, variant, 0)
    line["quantity"] = quantity
    _name(line, given)
    order.rates[line["id"]] = order.rate
    if variant:
        entered = Decimal(str(variant["calculated_price"]))
        price(line, entered, order.rate, is_inclusive=order.is_inclusive)
    _override(order, line, given)


def _change_line(store: Store, order: Order, given: Any) -> None:
    """Like a patch: with an id it changes, without it adds, a quantity of none removes."""
    known(given, LINE, "products")
    if "id" not in given:
        _new_line(store, order, given)
        return
    line = order.line(given["id"])
    if line is None:
        raise RefusedError("The field 'id' of a product is invalid.", "products")
    quantity = whole(given.get("quantity", line["quantity"]), "quantity")
    if not quantity:
        order.lines.remove(line)
        return
    line |= {"quantity": quantity, "applied_discounts": []}
    _name(line, given)
    rate = order.rates.get(line["id"], order.rate)
    price(line, Decimal(line["base_price"]), rate, is_inclusive=order.is_inclusive)
    _override(order, line, given)


def _sold(store: Store, given: Json) -> Json:
    """The variant a line means; a product with several must say which."""
    rows = store.catalogue.variants.values()
    of = [one for one in rows if one["product_id"] == given["product_id"]]
    found = [one for one in of if one["id"] == given.get("variant_id", one["id"])]
    if not found or (len(of) > 1 and "variant_id" not in given):
        raise RefusedError("The product or its options are invalid.", "product_id")
    return found[0]


def _name(line: Json, given: Json) -> None:
    for name in ("name", "sku", "upc"):
        line[name] = given.get(name, line[name])
    for name in ("name_customer", "name_merchant"):
        line[name] = given.get(name, line["name"])


def _override(order: Order, line: Json, given: Json) -> None:
    pair = {"price_ex_tax", "price_inc_tax"} & given.keys()
    if not pair:
        return
    if len(pair) == 1:
        raise RefusedError("price_ex_tax and price_inc_tax go together.", "products")
    ex = number(given["price_ex_tax"], "price_ex_tax")
    inc = number(given["price_inc_tax"], "price_inc_tax")
    if inc < ex or ex < ZERO:
        raise RefusedError("The field 'price_inc_tax' is invalid.", "price_inc_tax")
    quantity = line["quantity"]
    set_price(line, ex, inc, ex * quantity, inc * quantity)
    entered = inc if order.is_inclusive else ex
    line |= {"base_price": money(entered), "base_total": money(entered * quantity)}
    order.rates[line["id"]] = (inc / ex - 1) * 100 if ex else ZERO


def _write_rest(store: Store, order: Order, given: Json) -> None:
    order.head |= {name: given[name] for name in PLAIN if name in given}
    order.given |= {name: number(given[name], name) for name in SUMS if name in given}
    order.head |= {n: money(number(given[n], n)) for n in WRAPPING if n in given}
    if "discount_amount" in given:
        order.manual = number(given["discount_amount"], "discount_amount")
    for stem, column in (("shipping", "cost"), ("handling", "handling_cost")):
        name = f"base_{stem}_cost"
        if name in given and order.addresses:
            entered = number(given[name], name)
            ex, inc = order.split(entered)
            order.addresses[0] |= {
                f"base_{column}": money(entered),
                f"{column}_ex_tax": money(ex),
                f"{column}_inc_tax": money(inc),
                f"{column}_tax": money(inc - ex),
            }
    if "fees" in given:
        order.fees.clear()
        for fee in given["fees"]:
            _fee(store, order, fee)


def _fee(store: Store, order: Order, fee: Any) -> None:
    known(fee, FEE - {"name"}, "fees")
    if fee.get("type") != "custom_fee" or not fee.get("display_name_customer"):
        raise RefusedError("A fee has type and display_name_customer.", "fees")
    costs = {name: number(fee.get(name), name) for name in ("cost_ex_tax", "cost_inc_tax")}
    entered = costs["cost_inc_tax" if order.is_inclusive else "cost_ex_tax"]
    store.add_fee(order, fee["display_name_customer"], entered, **costs)
