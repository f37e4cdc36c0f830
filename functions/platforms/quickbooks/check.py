"""Whether a company has what exports need, and what it sells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fizzbridge.http.client import VendorClient
from fizzbridge.model.order import LineType
from fizzbridge.runtime.target import Finding, ItemThere, Situation
from platforms.quickbooks import lookup
from platforms.quickbooks.transport import once
from platforms.quickbooks.wire import Item, Named, Preferences

ACCOUNTS = ("deposit_account", "refund_account")


def items(vendor: VendorClient) -> Iterator[ItemThere]:
    """Every item that can be on a line; shipping is a line of its own where it is allowed."""
    for record in once(vendor, "Item"):
        item = Item.model_validate(record)
        if item.type != "Category":
            yield ItemThere(code=item.sku or item.name, name=item.name)
    if lookup.preferences(vendor).sales_forms_prefs.allow_shipping:
        yield ItemThere(code=lookup.SHIPPING, name="the shipping line of sales forms")


def findings(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    """One finding for each thing looked at."""
    prefs = lookup.preferences(vendor)
    yield from _setup(prefs)
    yield from _taxes(vendor, situation)
    yield from _accounts(vendor, situation)
    yield from _deposits(vendor, situation)


def _setup(prefs: Preferences) -> Iterator[Finding]:
    numbers = prefs.sales_forms_prefs.custom_txn_numbers
    turn_on = "switch on custom transaction numbers (account and settings, sales)"
    yield Finding("form numbers", is_good=numbers, message="ours are taken" if numbers else turn_on)
    currencies = prefs.currency_prefs
    home = currencies.home_currency.value
    many = "and others" if currencies.multi_currency_enabled else "only"
    yield Finding("currency", is_good=True, message=f"the company keeps {home} {many}")


def _taxes(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    taxes = lookup.Taxes(vendor)
    if taxes.is_american:
        said = "QuickBooks reckons sales tax by itself; an order whose total differs is held"
        yield Finding("taxes", is_good=True, message=said)
        return
    for percent, codes in sorted(taxes.every().items()):
        rate = f"{(percent / 100).normalize():f}"
        for value in (rate, f"{rate} included") if percent else (rate,):
            mapped = situation.code("tax", value).name
            fitting = taxes.called(mapped) if mapped else codes
            names = ", ".join(code.name for code in fitting)
            add = f"fizzbridge map set {situation.connection.name} tax '{value}' <name of the code>"
            is_one = len(fitting) == 1
            wrong = f"no code {mapped}" if mapped and not fitting else f"any of {names}"
            message = names if is_one else f"may be {wrong}: {add}"
            yield Finding(f"tax {value}", is_good=is_one, message=message)


def _accounts(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    if not any(situation.connection.settings.get(setting) for setting in ACCOUNTS):
        message = "set refund_account, or map account for each gateway: refunds name an account"
        yield Finding("setting refund_account", is_good=False, message=message)
    for setting in ACCOUNTS:
        name = str(situation.connection.settings.get(setting, ""))
        if name:
            is_there = len(_account(vendor, name)) == 1
            message = name if is_there else f"there is no one account {name}; choose another"
            yield Finding(f"setting {setting}", is_good=is_there, message=message)


def _deposits(vendor: VendorClient, situation: Situation) -> Iterator[Finding]:
    """Deposits are owed back: their item must not earn."""
    wanted = situation.code("account", LineType.DEPOSIT).name
    chosen = situation.code("sku", LineType.DEPOSIT).name
    code = chosen or str(situation.connection.settings.get("deposit_sku", ""))
    if not wanted or not code:
        return
    found = [
        item
        for item in map(Item.model_validate, once(vendor, "Item"))
        if code in {item.sku, item.name} and item.income_account_ref
    ]
    accounts = {one.id for one in _account(vendor, wanted)}
    is_good = bool(found) and all(
        item.income_account_ref is not None and item.income_account_ref.value in accounts
        for item in found
    )
    message = f"set the income account of item {code} to {wanted}: deposits are owed back"
    if is_good:
        message = f"{code} goes to {wanted}"
    yield Finding("account DEPOSIT", is_good=is_good, message=message)


def _account(vendor: VendorClient, name: str) -> list[Named]:
    records: Iterable[Named] = map(Named.model_validate, once(vendor, "Account"))
    return lookup.called(records, name)
