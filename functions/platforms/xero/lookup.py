"""Our names to Xero's codes: items, their accounts, tax types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from fizzbridge.errors import MappingError
from fizzbridge.http.client import VendorClient
from platforms.xero.mapping import priced
from platforms.xero.transport import listed
from platforms.xero.wire import Document, Item, Line, Resolved, TaxRate

CODE = 30
"""Letters of the longest item code."""
AT_ONCE = 25
"""Items asked for in one filter, so that no address grows too long."""


def resolve(vendor: VendorClient, document: Document) -> list[Resolved]:
    """A document's lines in Xero's codes.

    Raises:
        MappingError: an item, an account or a tax is not there.
    """
    codes = sorted({line.item.name for line in document.lines if line.item.name})
    found = {item.code: item for item in _items(vendor, codes)}
    asks = any(line.tax and not line.tax.code.name for line in document.lines)
    rates = tax_rates(vendor) if asks else []
    return [_resolve(line, found, rates, document.sales_account) for line in document.lines]


def _resolve(
    line: Line, items: dict[str, Item], rates: Sequence[TaxRate], sales_account: str
) -> Resolved:
    item = items.get(line.item.name)
    if line.item.name and item is None:
        msg = f"line {line.id}: Xero has no item {line.item.name}"
        raise MappingError(msg, cause=line.item.cause, platform="xero")
    # Xero takes no other account for an item whose stock it counts.
    is_bound = item is not None and item.is_tracked_as_inventory
    own = "" if is_bound else line.account.name
    account = own or (item.account if item else "") or sales_account
    if not account:
        msg = f"line {line.id}: item {line.item.name} has no sales account; set sales_account"
        raise MappingError(msg, cause=line.account.cause, platform="xero")
    quantity, unit, discount = priced(line.amount, line.quantity)
    return Resolved(
        item=line.item.name,
        description=line.description,
        quantity=quantity,
        unit=unit,
        discount=discount,
        amount=line.amount,
        tax_type=_tax(line, rates),
        account=account,
        is_own_account=bool(own),
    )


def _items(vendor: VendorClient, codes: Sequence[str]) -> Iterator[Item]:
    # Nothing else can be a code; and a quote would end the filter.
    fit = iter([code for code in codes if len(code) <= CODE and not set(code) & set('"\\')])
    while some := list(islice(fit, AT_ONCE)):
        where = " OR ".join(f'Code=="{code}"' for code in some)
        for told in listed(vendor, "Items", where=where, unitdp=4):
            item = Item.model_validate(told)
            if item.code in some:
                yield item


def tax_rates(vendor: VendorClient) -> list[TaxRate]:
    """The rates a sale can bear."""
    found = map(TaxRate.model_validate, listed(vendor, "TaxRates"))
    return [rate for rate in found if rate.is_of_sales]


def _tax(line: Line, rates: Sequence[TaxRate]) -> str:
    if line.tax is None:
        return line.untaxed
    if line.tax.code.name:
        return line.tax.code.name
    fitting = [rate for rate in rates if rate.effective_rate == line.tax.rate * 100]
    if len(fitting) != 1:
        many = "several tax rates" if fitting else "no tax rate"
        percent = f"{(line.tax.rate * 100).normalize():f} %"
        msg = f"line {line.id}: Xero has {many} of {percent} for sales; map the tax"
        raise MappingError(msg, cause=line.tax.code.cause, platform="xero")
    return fitting[0].tax_type
