"""Our names to the company's ids: items, tax codes, accounts, payment methods, terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from fizzbridge.errors import AmbiguousMatchError, MappingError, TargetRejectedError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.positions import Position
from fizzbridge.runtime.target import Code
from fizzbridge.trade.taxes import net_of
from platforms.quickbooks.mapping import unit_price
from platforms.quickbooks.transport import among, once
from platforms.quickbooks.wire import Form, Item, Named, Preferences, TaxCode, TaxRate

N = TypeVar("N", bound=Named)

SHIPPING = "SHIPPING_ITEM_ID"
"""Stands for the shipping line of a form; it is no item, and has no quantity."""
US = "TAX"
"""The id of the one tax code that a company in the United States has beside NON."""
UNKNOWN = Decimal(-1)
DESCRIPTION = 4000


def preferences(vendor: VendorClient) -> Preferences:
    """How the company is set up."""
    return Preferences.model_validate(once(vendor, "Preferences")[0])


def currency(vendor: VendorClient, wanted: str, name: str) -> dict[str, Any]:
    """The currency of a document as fields of it.

    Raises:
        TargetRejectedError: the company keeps no such currency.
    """
    prefs = preferences(vendor).currency_prefs
    if prefs.multi_currency_enabled:
        return {"CurrencyRef": {"value": wanted}}
    home = prefs.home_currency.value
    if home != wanted:
        msg = f"{name} is in {wanted} and the company keeps {home} only: switch multicurrency on"
        raise TargetRejectedError(msg, code="currency", platform="quickbooks")
    return {}


def named(vendor: VendorClient, entity: str, wanted: Code | None, what: str) -> str | None:
    """The id of an account, payment method or term; None where nothing is wanted.

    Raises:
        MappingError: there is none of that name, or several.
    """
    if wanted is None or not wanted.name:
        return None
    records = [Named.model_validate(record) for record in once(vendor, entity)]
    found = called(records, wanted.name)
    if len(found) != 1:
        several = "several" if found else "no"
        msg = f"QuickBooks has {several} {what} {wanted.name}"
        raise MappingError(msg, cause=wanted.cause, platform="quickbooks")
    return found[0].id


def called(records: Iterable[N], name: str) -> list[N]:
    """Records of that name, or else of that id."""
    listed = list(records)
    return [one for one in listed if name in {one.name, one.fully_qualified_name}] or [
        one for one in listed if one.id == name
    ]


def lines(vendor: VendorClient, form: Form) -> list[dict[str, Any]]:
    """The lines of a form as they are sent.

    Raises:
        MappingError: an item or a tax code is not there.
        AmbiguousMatchError: several items carry one code, which QuickBooks allows.
    """
    items = _items(vendor, [line.product for line in form.lines])
    taxes = Taxes(vendor)
    if taxes.is_american and form.included:
        msg = f"order {form.order}: prices with tax in them cannot be booked in the United States"
        raise TargetRejectedError(msg, platform="quickbooks")
    return [_line(line, form, items[line.product.name], taxes) for line in form.lines]


def tax_mode(vendor: VendorClient, form: Form) -> dict[str, Any]:
    """How amounts are meant, as fields of a form: companies in the United States have no choice."""
    taxes = Taxes(vendor)
    if taxes.is_american:
        return {}
    if not taxes.is_used:
        return {"GlobalTaxCalculation": "NotApplicable"}
    return {"GlobalTaxCalculation": "TaxInclusive" if form.included else "TaxExcluded"}


def _line(line: Position, form: Form, item: str, taxes: Taxes) -> dict[str, Any]:
    amount = line.amount
    if form.included:
        amount = net_of(amount, [tax.rate for tax in line.taxes], form.currency)
    detail: dict[str, Any] = {"ItemRef": {"value": item}}
    # There are no units: everything is counted in pieces of the item.
    price = unit_price(amount, line.base, form.currency)
    if item != SHIPPING and price is not None:
        detail |= {"Qty": line.base, "UnitPrice": price}
    code = taxes.code(line, form.untaxed)
    if code:
        detail["TaxCodeRef"] = {"value": code}
    if form.included and taxes.is_used:
        detail["TaxInclusiveAmt"] = line.amount
    return {
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "Description": _described(line)[:DESCRIPTION],
        "SalesItemLineDetail": detail,
    }


def _described(line: Position) -> str:
    if line.unit is None or line.factor == 1:
        return line.title
    return f"{line.title} ({line.ordered} × {line.factor})"


def _items(vendor: VendorClient, products: Sequence[Code]) -> Mapping[str, str]:
    """Ids by our names: of the SKU, or of the name of an item that has none."""
    causes = {product.name: product.cause for product in products}
    found = {SHIPPING: SHIPPING}
    for field in ("Sku", "Name"):
        missing = causes.keys() - found.keys()
        for record in among(vendor, "Item", field, missing):
            item = Item.model_validate(record)
            code = item.sku if field == "Sku" else item.code
            if code not in missing or item.type == "Category":
                continue
            if code in found:
                msg = f"several items in QuickBooks have the {field} {code}"
                raise AmbiguousMatchError(msg, platform="quickbooks")
            found[code] = item.id
    for name, cause in causes.items():
        if name not in found:
            raise MappingError(f"QuickBooks has no item {name}", cause=cause, platform="quickbooks")
    return found


class Taxes:
    """The company's tax codes."""

    def __init__(self, vendor: VendorClient) -> None:
        self.is_used = preferences(vendor).tax_prefs.using_sales_tax
        self._codes = [TaxCode.model_validate(one) for one in once(vendor, "TaxCode")]
        self.is_american = any(code.id == US for code in self._codes)
        self._vendor = vendor

    def code(self, line: Position, untaxed: Code) -> str | None:
        """The id of a line's tax code.

        Raises:
            MappingError: none of the codes has the line's rates, or several have.
        """
        if self.is_american:
            # What the tax comes to is reckoned there, from the address.
            return US if line.taxes else "NON"
        if not self.is_used and not line.taxes:
            return None
        names = {tax.code.name for tax in line.taxes} or {untaxed.name}
        cause = line.taxes[0].code.cause if line.taxes else untaxed.cause
        rates = sorted(tax.rate * 100 for tax in line.taxes if tax.rate)
        name = names.pop() if len(names) == 1 else ""
        fitting = called(self._codes, name) if name else self.of_rates(rates)
        if len(fitting) == 1:
            return fitting[0].id
        label = name or (" and ".join(f"{rate.normalize():f} %" for rate in rates) or "no tax")
        some = ", ".join(sorted(code.name for code in fitting)) or "none"
        msg = f"line {line.id}: no one tax code in QuickBooks is meant by {label}, but {some}"
        raise MappingError(msg, cause=cause, platform="quickbooks")

    def called(self, name: str) -> list[TaxCode]:
        """The codes of a name."""
        return called(self._codes, name)

    def of_rates(self, wanted: Sequence[Decimal]) -> list[TaxCode]:
        """The codes that come to these percentages; to none at all without."""
        return [code for code in self._codes if self.rates(code) == list(wanted)]

    def rates(self, code: TaxCode) -> list[Decimal]:
        """The percentages a code is made of, those of nought left out."""
        values = self._values()
        listed = code.sales_tax_rate_list.tax_rate_detail if code.sales_tax_rate_list else ()
        # A rate that is not in use any more is no rate of nought.
        found = (values.get(one.tax_rate_ref.value, UNKNOWN) for one in listed)
        return sorted(rate for rate in found if rate)

    def every(self) -> dict[Decimal, list[TaxCode]]:
        """The codes by what they come to, where that is one rate or none."""
        found: dict[Decimal, list[TaxCode]] = {}
        for code in self._codes:
            rates = self.rates(code)
            if len(rates) < 2 and UNKNOWN not in rates:
                found.setdefault(rates[0] if rates else Decimal(0), []).append(code)
        return found

    def _values(self) -> dict[str, Decimal]:
        rates = (TaxRate.model_validate(one) for one in once(self._vendor, "TaxRate"))
        return {rate.id: rate.rate_value for rate in rates if rate.rate_value is not None}
