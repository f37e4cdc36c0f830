"""What an organisation must have before anything goes there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import httpx

from fizzbridge.errors import ConfigurationError, MappingError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.order import AssessedLine, LineType
from fizzbridge.runtime.target import Finding, Situation
from platforms.xero.lookup import tax_rates
from platforms.xero.mapping import Books
from platforms.xero.transport import listed
from platforms.xero.wire import Account, TaxRate

SCOPES = {
    "Invoices": "accounting.invoices",
    "CreditNotes": "accounting.invoices",
    "Payments": "accounting.payments",
    "Contacts": "accounting.contacts",
}
USUAL = (LineType.FREIGHT, LineType.DISCOUNT, LineType.ROUNDING)


def findings(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    """Everything looked at, in the order it would be put right."""
    tenant = _tenant(vendor, situation)
    yield tenant
    if not tenant.is_good:
        return
    (organisation,) = vendor.get("/Organisation").data["Organisations"]
    base = str(organisation["BaseCurrency"])
    yield Finding("organisation", is_good=True, message=f"{organisation['Name']}, books in {base}")
    codes = [str(one["Code"]) for one in listed(vendor, "Currencies")]
    told = f"{', '.join(codes)}; others are added in Xero's settings"
    yield Finding("currencies", is_good=base in codes, message=told)
    yield from _taxes(tax_rates(vendor), situation)
    yield from _accounts([Account.model_validate(a) for a in listed(vendor, "Accounts")], situation)
    yield from _lines(situation)
    yield from _rights(vendor)


def _tenant(vendor: VendorClient, situation: Situation) -> Finding:
    connection = situation.connection
    address = httpx.URL(connection.base_url).copy_with(path="/connections")
    connected = vendor.get(f"{address}").data
    tenants = {str(one["tenantId"]): str(one.get("tenantName")) for one in connected}
    chosen = str(connection.settings.get("tenant_id", ""))
    if chosen in tenants:
        return Finding("tenant", is_good=True, message=tenants[chosen])
    known = ", ".join(f"{name} is {number}" for number, name in tenants.items())
    if not known:
        return Finding("tenant", is_good=False, message="connect the app to an organisation")
    return Finding("tenant", is_good=False, message=f"set tenant_id: {known}")


def _taxes(rates: list[TaxRate], situation: Situation) -> Iterator[Finding]:
    for percent in sorted({rate.effective_rate for rate in rates if rate.effective_rate}):
        value = f"{(percent / 100).normalize():f}"
        fitting = [rate.tax_type for rate in rates if rate.effective_rate == percent]
        mapped = situation.code("tax", value).name
        is_good = mapped in fitting if mapped else len(fitting) == 1
        choice = f"map tax {value} to one of {', '.join(fitting)}"
        yield Finding(f"tax {value}", is_good, (mapped or fitting[0]) if is_good else choice)


def _accounts(accounts: list[Account], situation: Situation) -> Iterator[Finding]:
    active = {account.code: account for account in accounts if account.status == "ACTIVE"}
    settings = situation.connection.settings
    if "payment_account" not in settings:
        told = "set payment_account, or map payment_method for every gateway"
        yield Finding("payment_account", is_good=False, message=told)
    for name in sorted(one for one in settings if one.endswith("_account")):
        account = active.get(str(settings[name]))
        if account is None:
            yield Finding(name, is_good=False, message=f"Xero has no account {settings[name]}")
        elif name == "payment_account" and not account.takes_payments:
            told = f"{account.name} takes no payments: enable payments to this account in Xero"
            yield Finding(name, is_good=False, message=told)
        else:
            yield Finding(name, is_good=True, message=account.name)


def _lines(situation: Situation) -> Iterator[Finding]:
    books = Books(**vars(situation))
    for kind in USUAL:
        line = AssessedLine(
            id=kind.lower(), type=kind, sku=None, quantity=None, amount=Decimal(0), tax=Decimal(0)
        )
        try:
            item = books.product(line, None).name
        except MappingError as error:
            yield Finding(f"{kind.lower()} lines", is_good=False, message=error.message)
        else:
            told = item or f"account {books.account(line)}"
            yield Finding(f"{kind.lower()} lines", is_good=True, message=told)


def _rights(vendor: VendorClient) -> Iterator[Finding]:
    for path, scope in SCOPES.items():
        try:
            listed(vendor, path, page=1, pageSize=1)
        except ConfigurationError:
            told = f"connect again with the scope {scope}"
            yield Finding(f"right to {path}", is_good=False, message=told)
        else:
            yield Finding(f"right to {path}", is_good=True, message=scope)
