"""What invoices, receipts and credits have alike: found by number, written with lines, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fizzbridge.errors import (
    ConfigurationError,
    DeletedAtTargetError,
    TargetRejectedError,
    TotalMismatchError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.money import to_minor_unit
from fizzbridge.runtime.target import short
from platforms.quickbooks import lookup, transport
from platforms.quickbooks.mapping import NUMBER
from platforms.quickbooks.wire import Form, Till, Transaction

NOTE = 4000


def find(vendor: VendorClient, entities: Sequence[str], reference: str) -> str | None:
    """The form whose number is our reference."""
    return transport.find_by(vendor, entities, "DocNumber", short(reference, NUMBER))


def create(
    vendor: VendorClient, entity: str, form: Form, reference: str, more: dict[str, Any]
) -> str:
    """Create a form under our reference.

    Raises:
        ConfigurationError: the company gives numbers by itself, so ours would be lost.
    """
    if not lookup.preferences(vendor).sales_forms_prefs.custom_txn_numbers:
        msg = (
            "switch on custom transaction numbers (account and settings, sales): forms are found "
            "by their number"
        )
        raise ConfigurationError(msg, code="custom_txn_numbers", platform="quickbooks")
    body = {
        "DocNumber": short(reference, NUMBER),
        "TxnDate": form.date,
        "CustomerRef": {"value": form.customer},
        "PrivateNote": f"{form.order} · {reference}"[:NOTE],
    }
    body |= lookup.currency(vendor, form.currency, f"order {form.order}")
    body |= amounts(vendor, form) | more
    try:
        return transport.create(vendor, entity, body, reference)
    except TargetRejectedError as error:
        # The number is taken: by a create of ours that no search had shown yet, or by a stranger.
        found = find(vendor, [entity], reference) if error.code in transport.DUPLICATES else None
        if found is None:
            raise
        return found


def amounts(vendor: VendorClient, form: Form) -> dict[str, Any]:
    """The lines of a form and how they are meant."""
    return lookup.tax_mode(vendor, form) | {"Line": lookup.lines(vendor, form)}


def till(vendor: VendorClient, money: Till) -> dict[str, Any]:
    """How money came in or went out, as fields."""
    found: dict[str, Any] = {"PaymentRefNum": money.reference}
    method = lookup.named(vendor, "PaymentMethod", money.method, "payment method")
    if method:
        found["PaymentMethodRef"] = {"value": method}
    account = lookup.named(vendor, "Account", money.account, "account")
    if account:
        found["DepositToAccountRef"] = {"value": account}
    return found


def same_lines(present: dict[str, Any], wanted: Sequence[dict[str, Any]]) -> bool:
    """Whether a form has these lines, in any order; remarks that people added do not count.

    Titles are left as they are: people put them right, and shops translate them.
    """
    return _counted(present.get("Line", ())) == _counted(wanted)


def _counted(lines: Sequence[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for line in lines:
        if line.get("DetailType") in {"SubTotalLineDetail", "DescriptionOnly"}:
            continue
        detail = line.get("SalesItemLineDetail", {})
        refs = (detail.get(name, {}).get("value") for name in ("ItemRef", "TaxCodeRef"))
        numbers = (detail.get("Qty"), detail.get("TaxInclusiveAmt"), line.get("Amount"))
        plain = (None if one is None else Decimal(one).normalize() for one in numbers)
        found[line["DetailType"], *refs, *plain] += 1
    return found


def refuse_voided(found: Transaction, entity: str) -> None:
    """Nothing is written to a form that people voided."""
    if found.is_voided:
        name = f"{entity} {found.doc_number or found.id}"
        msg = f"{name} was voided in QuickBooks"
        raise DeletedAtTargetError(msg, platform="quickbooks")


def check_total(found: Transaction, form: Form) -> None:
    """Refuse to go on with a form whose total is not ours, to the cent."""
    currency = found.currency_ref.value if found.currency_ref else form.currency
    if currency != form.currency:
        msg = (
            f"{found.doc_number} is in {currency} in QuickBooks and in {form.currency} at the shop"
        )
        raise TargetRejectedError(msg, code="currency", platform="quickbooks")
    total = to_minor_unit(found.total_amt, currency)
    if total != form.total:
        raise TotalMismatchError(
            found.doc_number,
            expected=form.total,
            found=total,
            currency=currency,
            platform="quickbooks",
        )
