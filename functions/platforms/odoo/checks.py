"""What a database must have before anything is sent there, and what it sells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.target import Finding, ItemThere, Situation
from platforms.odoo.transport import search

RIGHTS = {
    "sale.order": "Sales: all documents",
    "res.partner": "Contact creation",
    "account.move": "Invoicing",
    "stock.picking": "Inventory: user",
}
"""What must be read, and the group that allows it, by the name an administrator sees."""

PAGE = 500


def findings(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    """One line for each right and each piece of master data."""
    for model, group in RIGHTS.items():
        try:
            search(vendor, model, [], ["id"], limit=1)
        except ConfigurationError:
            message = f"give the bot the group {group}"
            yield Finding(f"rights on {model}", is_good=False, message=message)
        else:
            yield Finding(f"rights on {model}", is_good=True, message="may be read")
    settings = situation.connection.settings
    taxes = _names(vendor, "account.tax", [["type_tax_use", "=", "sale"]])
    yield Finding(
        "sales taxes",
        is_good=bool(taxes),
        message=", ".join(taxes) if taxes else "there is no tax on sales; make one",
    )
    if settings.get("warehouse"):
        code = str(settings["warehouse"])
        codes = _names(vendor, "stock.warehouse", [], "code")
        message = "is there" if code in codes else f"there is none; there are {', '.join(codes)}"
        yield Finding(f"warehouse {code}", is_good=code in codes, message=message)
    company = search(vendor, "res.company", [], ["currency_id"], limit=1)
    currency = company[0]["currency_id"][1] if company else "none"
    yield Finding("currency", is_good=bool(company), message=f"the company keeps {currency}")


def items(vendor: VendorClient) -> Iterator[ItemThere]:
    """Products that can be sold, in pages by id."""
    last = 0
    while True:
        domain = [["id", ">", last], ["sale_ok", "=", True], ["default_code", "!=", False]]
        fields = ["default_code", "barcode", "name"]
        page = search(vendor, "product.product", domain, fields, order="id", limit=PAGE)
        for one in page:
            yield ItemThere(one["default_code"], one["barcode"] or "", one["name"])
        if len(page) < PAGE:
            return
        last = page[-1]["id"]


def _names(
    vendor: VendorClient, model: str, domain: Iterable[Any], field: str = "name"
) -> list[str]:
    return [str(one[field]) for one in search(vendor, model, list(domain), [field])]
