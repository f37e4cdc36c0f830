"""What a company must have and allow before anything goes there."""

from __future__ import annotations

from collections.abc import Iterator

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.target import Finding, Situation
from platforms.business_central.lines import code
from platforms.business_central.transport import query, rows

READ = (
    "salesOrders salesInvoices salesShipments salesCreditMemos itemLedgerEntries items "
    "customers customerFinancialDetails unitsOfMeasure taxGroups taxAreas locations paymentTerms "
    "accounts"
).split()

NAMED = {
    "base_unit": "unitsOfMeasure",
    "location": "locations",
    "tax_area": "taxAreas",
    "payment_terms": "paymentTerms",
}
"""Settings that name a code, and where it is kept."""

KINDS = "FREIGHT FEE DEPOSIT DEPOSIT_REFUND LEVY DISCOUNT ROUNDING".split()


def findings(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    """Rights first; then the codes that settings and maps name."""
    company = next(rows(vendor, "/companyInformation"))
    named = f"{company['displayName']}, keeps its books in {company['currencyCode']}"
    yield Finding("company", is_good=True, message=named)
    for collection in READ:
        yield _right(vendor, collection)
    settings = {"base_unit": "PCS"} | dict(situation.connection.settings)
    for setting, collection in NAMED.items():
        if settings.get(setting):
            yield _there(vendor, f"setting {setting}", collection, "code", str(settings[setting]))
    for rate in _rates(situation):
        tax = situation.code("tax", rate)
        if tax.name:
            yield _there(vendor, f"tax {rate}", "taxGroups", "code", tax.name)
        else:
            said = "no map row: items and customers decide, and the total is compared"
            yield Finding(f"tax {rate}", is_good=True, message=said)
    for kind in KINDS:
        name = str(settings.get(f"{kind.lower()}_sku", "")) or situation.code("sku", kind).name
        account = situation.code("account", name).name if name else ""
        if account:
            yield _there(vendor, f"account {name}", "accounts", "number", account)


def _rates(situation: Situation) -> list[str]:
    """The rates a person wants looked at: maps cannot be listed."""
    return str(situation.connection.settings.get("tax_rates", "0")).split()


def _right(vendor: VendorClient, collection: str) -> Finding:
    try:
        vendor.get(query(f"/{collection}", top="1"))
    except ConfigurationError as error:
        message = f"not allowed: {error.message}; give the app a permission set that reads it"
        return Finding(f"right {collection}", is_good=False, message=message)
    return Finding(f"right {collection}", is_good=True, message="can be read")


def _there(vendor: VendorClient, what: str, collection: str, field: str, value: str) -> Finding:
    known = sorted(str(one[field]) for one in rows(vendor, f"/{collection}"))
    if code(value) in known:
        return Finding(what, is_good=True, message=value)
    few = ", ".join(known[:20])
    message = f"{collection} has no {value}; make it, or choose one of: {few}"
    return Finding(what, is_good=False, message=message)
