"""Settings of the sandbox store as REST shows them: the groups ``general`` and ``tax``, to read."""

from __future__ import annotations

from typing import Any

from platforms.woocommerce.sandbox_products import SYMBOLS, Json

COUNTRIES = {"DE": "Germany", "FR": "France", "GB": "United Kingdom (UK)", "US:CA": "California"}
DISPLAYS = {"incl": "Including tax", "excl": "Excluding tax"}


def settings(seed: Json) -> dict[str, list[Json]]:
    """Settings by group; the vendor has more groups, which are unknown here."""
    country: str = seed["country"]
    currency: str = seed["currency"]
    countries = COUNTRIES | {country: COUNTRIES.get(country, country)}
    currencies = {code: f"{code} ({sign})" for code, sign in SYMBOLS.items()} | {currency: currency}
    general = [
        _setting("store_address", "Address line 1", "text", "", "", tip="Street and number"),
        _setting("store_city", "City", "text", "", "", tip="Town of the business"),
        _setting("default_country", "Country / State", "select", "US:CA", country, countries),
        _setting("store_postcode", "Postcode / ZIP", "text", "", "", tip="If there is one"),
        _setting("calc_taxes", "Taxes", "checkbox", "no", _flag(seed["tax_rate"])),
        _setting("enable_coupons", "Coupons", "checkbox", "yes", "yes"),
        _setting("currency", "Currency", "select", "USD", currency, currencies, tip="Of prices"),
        _setting("price_thousand_sep", "Thousands", "text", ",", ",", tip="Between thousands"),
        _setting("price_decimal_sep", "Decimals", "text", ".", ".", tip="Before the decimals"),
        _setting("price_num_decimals", "Digits", "number", "2", "2", tip="How many decimals"),
    ]
    included = {"yes": "Prices with tax", "no": "Prices without tax"}
    based = {"shipping": "Where it goes", "billing": "Who pays", "base": "Where the shop is"}
    classes = {"inherit": "As the goods", "": "Standard"}
    value = _flag(seed["prices_include_tax"])
    tax = [
        _setting("prices_include_tax", "Entered prices", "radio", "no", value, included),
        _setting("tax_based_on", "Place of tax", "select", "shipping", "shipping", based),
        _setting("shipping_tax_class", "Freight", "select", "inherit", "inherit", classes),
        # What the store adds up is rounded line by line.
        _setting("tax_round_at_subtotal", "Rounding", "checkbox", "no", "no"),
        _setting("tax_classes", "More classes", "textarea", "", "", tip="One a line"),
        _setting("tax_display_shop", "In the shop", "select", "excl", "excl", DISPLAYS),
        _setting("tax_display_cart", "In the basket", "select", "excl", "excl", DISPLAYS),
        _setting("price_display_suffix", "Suffix", "text", "", "", tip="Behind a price"),
    ]
    return {"general": general, "tax": tax}


def linked(setting: Json, group: str, base: str) -> Json:
    """With the addresses the vendor adds."""
    listed = f"{base}/settings/{group}"
    links = {
        "self": [{"href": f"{listed}/{setting['id']}"}],
        "collection": [{"href": listed}],
    }
    return setting | {"_links": links}


def _setting(
    name: str,
    label: str,
    kind: str,
    default: str,
    value: str,
    options: dict[str, str] | None = None,
    *,
    tip: str = "",
) -> Json:
    """One; it has no ``options`` and no ``tip`` where there are none."""
    shown: dict[str, Any] = {"id": f"woocommerce_{name}", "label": label, "description": tip}
    shown |= {"type": kind, "default": default}
    if options:
        shown["options"] = options
    if tip:
        shown["tip"] = tip
    return shown | {"value": value}


def _flag(value: Any) -> str:
    return "yes" if value else "no"
