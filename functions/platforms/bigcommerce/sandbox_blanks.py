"""The records of an order in the vendor's shape, before anybody counted or priced them."""

from __future__ import annotations

from decimal import Decimal

from platforms.bigcommerce.sandbox_shapes import COUNTRIES, ZERO, Json, known, money, number

OURS = {"address_1": "street_1", "address_2": "street_2", "postcode": "zip"}
ADDRESS = "first_name last_name company street_1 street_2 city state zip country country_iso2 phone"
ADDRESS_FIELDS = (*ADDRESS.split(), "email")


def blank_line(number: int, order_id: int, variant: Json | None, product: Json | None) -> Json:
    """A line before its price; without a variant it stands for nothing in the catalogue."""
    name = product["name"] if product else ""
    body: Json = {
        "id": number,
        "order_id": order_id,
        "product_id": product["id"] if product else 0,
        "variant_id": variant["id"] if variant else 0,
        "order_pickup_method_id": 0,
        "order_address_id": 0,
        "name": name,
        "name_customer": name,
        "name_merchant": name,
        "sku": variant["sku"] if variant else "",
        "upc": variant["upc"] if variant else "",
        "type": product["type"] if product else "physical",
    }
    nothing = money(ZERO)
    for named in "base_price price_ex_tax price_inc_tax price_tax base_total".split():
        body[named] = nothing
    for named in "total_ex_tax total_inc_tax total_tax weight width height depth".split():
        body[named] = nothing
    body["quantity"] = 1
    for named in "base_cost_price cost_price_inc_tax cost_price_ex_tax cost_price_tax".split():
        body[named] = nothing
    return body | {
        "is_refunded": False,
        "quantity_refunded": 0,
        "refund_amount": nothing,
        "return_id": 0,
        "wrapping_id": 0,
        "wrapping_name": "",
        "base_wrapping_cost": nothing,
        "wrapping_cost_ex_tax": nothing,
        "wrapping_cost_inc_tax": nothing,
        "wrapping_cost_tax": nothing,
        "wrapping_message": "",
        "quantity_shipped": 0,
        "event_name": None,
        "event_date": None,
        "fixed_shipping_cost": nothing,
        "ebay_item_id": "",
        "ebay_transaction_id": "",
        "option_set_id": None,
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "bin_picking_number": "",
        "external_id": "",
        "fulfillment_source": "",
        "brand": "",
        "gift_certificate_id": None,
        "applied_discounts": [],
        "product_options": [],
        "configurable_fields": [],
        "discounted_total_inc_tax": nothing,
    }


def address(given: Json) -> Json:
    """An address as the vendor writes it, from the plain words of a draft."""
    named = {OURS.get(name, name): value for name, value in given.items()}
    country = str(named.get("country", ""))
    if len(country) == 2:
        named |= {"country": COUNTRIES.get(country, country), "country_iso2": country}
    return {name: named.get(name, "") for name in ADDRESS_FIELDS}


def shipping_address(number: int, order_id: int, base: str, given: Json) -> Json:
    """One of the order's destinations, with what the way there costs."""
    nothing = money(ZERO)
    resource = f"/orders/{order_id}/shippingaddresses/{number}/shippingquotes"
    costs = dict.fromkeys(
        "base_cost cost_ex_tax cost_inc_tax cost_tax base_handling_cost"
        " handling_cost_ex_tax handling_cost_inc_tax handling_cost_tax".split(),
        nothing,
    )
    body: Json = {"id": number, "order_id": order_id} | given
    body |= {"items_total": 0, "items_shipped": 0, "shipping_method": "Pallet"} | costs
    return body | {
        "cost_tax_class_id": 0,
        "handling_cost_tax_class_id": 0,
        "shipping_zone_id": 1,
        "shipping_zone_name": given["country"],
        "shipping_quotes": {"url": f"{base}{resource}", "resource": resource},
        "form_fields": [],
    }


def options(line_id: int, given: list[Json]) -> list[Json]:
    """What a buyer chose or wrote for a line."""
    shown = []
    for place, one in enumerate(given, 1):
        known(one, {"name", "value"}, "option")
        body: Json = {"id": line_id * 10 + place, "option_id": place, "order_product_id": line_id}
        body |= {"product_option_id": 100 + place, "value": one["value"], "type": "Text field"}
        for name in ("name", "display_name", "display_name_customer", "display_name_merchant"):
            body[name] = one["name"]
        for name in ("display_value", "display_value_customer", "display_value_merchant"):
            body[name] = one["value"]
        shown.append(body | {"display_style": ""})
    return shown


def shipment(number_: int, head: Json, place: Json, parcel: Json, at: str) -> Json:
    """One parcel, still without its items."""
    names = [name for name in head["billing_address"] if name != "form_fields"]
    return {
        "id": number_,
        "order_id": head["id"],
        "customer_id": head["customer_id"],
        "order_address_id": place["id"],
        "date_created": at,
        "tracking_number": parcel.get("tracking_number", ""),
        "merchant_shipping_cost": parcel.get("merchant_shipping_cost", money(ZERO)),
        "shipping_method": parcel.get("shipping_method", place["shipping_method"]),
        "comments": parcel.get("comments", ""),
        "shipping_provider": parcel.get("shipping_provider", ""),
        "tracking_carrier": parcel.get("tracking_carrier", ""),
        "tracking_link": parcel.get("tracking_link", ""),
        "billing_address": {name: head["billing_address"][name] for name in names},
        "shipping_address": {name: place[name] for name in names},
        "items": [],
        "shipping_provider_display_name": "",
        "generated_tracking_link": "",
    }


def head(number_: int, seed: Json, draft: Json) -> Json:
    """The record V2 shows before anything is in the order."""
    nothing = money(ZERO)
    currency = draft.get("currency", seed["currency"])
    rate = f"{Decimal(str(draft.get('exchange_rate', 1))):.10f}"
    zeros = (
        "subtotal_ex_tax subtotal_inc_tax subtotal_tax base_shipping_cost shipping_cost_ex_tax"
        " shipping_cost_inc_tax shipping_cost_tax base_handling_cost handling_cost_ex_tax"
        " handling_cost_inc_tax handling_cost_tax base_wrapping_cost wrapping_cost_ex_tax"
        " wrapping_cost_inc_tax wrapping_cost_tax total_ex_tax total_inc_tax total_tax"
        " discount_amount coupon_discount refunded_amount".split()
    )
    taxes = [f"{name}_cost_tax_class_id" for name in ("shipping", "handling", "wrapping")]
    return (
        {"id": number_, "date_shipped": "", "status_id": 0}
        | dict.fromkeys(zeros, nothing)
        | {
            **dict.fromkeys(taxes, 0),
            "payment_method": "Manual",
            "payment_provider_id": None,
            "payment_status": "",
            "store_credit_amount": money(number(draft.get("store_credit", 0))),
            "gift_certificate_amount": money(number(draft.get("gift_certificate", 0))),
            "ip_address": "192.0.2.7",
            "ip_address_v6": "",
            "geoip_country": "",
            "geoip_country_iso2": "",
            "currency_id": 1,
            "currency_code": draft.get("shown_currency", currency),
            "currency_exchange_rate": rate,
            "default_currency_id": 1,
            "default_currency_code": currency,
            "staff_notes": draft.get("staff_notes"),
            "customer_message": draft.get("customer_note"),
            "is_deleted": False,
            "ebay_order_id": "0",
            "cart_id": f"{number_:08x}-0000-4000-8000-{number_:012x}",
            "is_email_opt_in": False,
            "credit_card_type": None,
            "order_source": draft.get("order_source", "www"),
            "channel_id": draft.get("channel_id", seed["channel_id"]),
            "external_source": None,
            "external_id": None,
            "external_merchant_id": None,
            "tax_provider_id": "",
            "customer_locale": "en",
            "external_order_id": draft.get("external_order_id", ""),
            "store_default_currency_code": seed["currency"],
            "store_default_to_transactional_exchange_rate": rate,
        }
    )
