"""The arithmetic of the Xero sandbox: a line, its tax by itself, a document's sums."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, DivisionByZero, InvalidOperation

from platforms.xero.sandbox_wire import CENT, PART, Json, cents, new_id

ZERO, HUNDRED = Decimal(0), Decimal(100)


@dataclass(frozen=True)
class Sheet:
    """What the lines of one document are judged by.

    Attributes:
        accounts: active accounts by code.
        taxes: active tax rates by type.
        items: items by code.
        tracking: categories by name, each with its options and their ids.
        types: ``Exclusive``, ``Inclusive`` or ``NoTax``.
        places: decimals a unit price keeps.
        is_draft: a draft may lack accounts and descriptions.
        has_discounts: sales invoices alone know them.
        is_sale: whose details of an item count.
    """

    accounts: dict[str, Json]
    taxes: dict[str, Json]
    items: dict[str, Json]
    tracking: dict[str, Json]
    types: str
    places: int
    is_draft: bool
    has_discounts: bool
    is_sale: bool


def make_line(given: Json, sheet: Sheet, wrong: list[str]) -> Json:
    """A line as the vendor keeps it; what is wrong with it goes into ``wrong``."""
    line: Json = {"LineItemID": given.get("LineItemID") or new_id()}
    filled = _with_item(given, sheet, wrong)
    line["Description"] = filled.get("Description", "")
    if not line["Description"] and not sheet.is_draft:
        wrong.append("Description must not be empty")
    for name in ("ItemCode", "AccountCode"):
        if filled.get(name):
            line[name] = filled[name]
    _account(line, filled, sheet, wrong)
    _amounts(line, filled, sheet, wrong)
    _tax(line, filled, sheet, wrong)
    line["Tracking"] = _tracking(filled.get("Tracking", []), sheet, wrong)
    return line


def _with_item(given: Json, sheet: Sheet, wrong: list[str]) -> Json:
    """The line with what its item says where the line itself says nothing."""
    code = given.get("ItemCode")
    if not code:
        return given
    item = sheet.items.get(code)
    if item is None:
        wrong.append(f"Item code '{code}' is not valid")
        return given
    details = item["SalesDetails" if sheet.is_sale else "PurchaseDetails"]
    found = {
        "Description": item.get("Description") or item["Name"],
        "UnitAmount": details.get("UnitPrice"),
        "AccountCode": details.get("AccountCode"),
        "TaxType": details.get("TaxType"),
    }
    filled = {name: value for name, value in found.items() if value is not None} | given
    if "LineAmount" in given and "UnitAmount" not in given and "Quantity" in given:
        filled.pop("UnitAmount", None)
    of_item = details.get("AccountCode")
    if item["IsTrackedAsInventory"] and of_item and filled.get("AccountCode") != of_item:
        text = "The account code of a tracked inventory item must be"
        wrong.append(f"{text} its sales account {of_item}")
    return filled


def _account(line: Json, filled: Json, sheet: Sheet, wrong: list[str]) -> None:
    code = filled.get("AccountCode")
    if filled.get("AccountID"):
        found = [one for one in sheet.accounts.values() if one["AccountID"] == filled["AccountID"]]
        code = found[0]["Code"] if found else filled["AccountID"]
        line["AccountCode"] = code
    if not code:
        if not sheet.is_draft:
            wrong.append("Account code or ID must be specified")
    elif code not in sheet.accounts or sheet.accounts[code]["Type"] == "BANK":
        wrong.append(f"Account code '{code}' is not a valid code for this document.")
    else:
        line["AccountID"] = sheet.accounts[code]["AccountID"]


def _amounts(line: Json, filled: Json, sheet: Sheet, wrong: list[str]) -> None:
    rate, off = _discount(filled, sheet, wrong)
    quantity, unit, total = (filled.get(k) for k in ("Quantity", "UnitAmount", "LineAmount"))
    if unit is None and total is None and quantity is None:
        quantity, unit = ZERO, ZERO
    try:
        if quantity is None:
            # One piece, unless the price of one and the sum tell how many.
            quantity = Decimal(1) if total is None or unit is None else total / unit
        elif unit is None:
            unit = ZERO if total is None else (total + (off or ZERO)) / quantity
        if unit is None:
            unit = (total or ZERO) / quantity
    except (DivisionByZero, InvalidOperation):
        wrong.append("The quantity and unit amount of the line do not give its line amount")
        quantity, unit = Decimal(1), ZERO
    quantity = quantity.quantize(PART, ROUND_HALF_UP)
    unit = unit.quantize(CENT if sheet.places == 2 else PART, ROUND_HALF_UP)
    gross = quantity * unit
    cut = gross * rate / HUNDRED if rate else off or ZERO
    expected = cents(gross - cut)
    derived = "Quantity" not in filled or "UnitAmount" not in filled
    if total is not None and not derived and cents(total) != expected:
        text = f"The line total {cents(total)} does not match the expected line total {expected}"
        wrong.append(text)
    amount = cents(total) if total is not None and derived else expected
    line |= {"Quantity": quantity, "UnitAmount": unit, "LineAmount": amount}
    if rate is not None:
        line["DiscountRate"] = rate
    if off is not None:
        line["DiscountAmount"] = off
    line["_discount"] = cents(cut)


def _discount(
    filled: Json, sheet: Sheet, wrong: list[str]
) -> tuple[Decimal | None, Decimal | None]:
    rate, off = filled.get("DiscountRate"), filled.get("DiscountAmount")
    if (rate or off) and not sheet.has_discounts:
        wrong.append("Discounts are only supported on sales invoices")
    if rate and off:
        wrong.append("Only one of DiscountRate and DiscountAmount can be specified")
    if rate is not None and not ZERO <= rate <= HUNDRED:
        wrong.append("DiscountRate must be between 0 and 100")
        rate = None
    return rate, cents(off) if off is not None else None


def _tax(line: Json, filled: Json, sheet: Sheet, wrong: list[str]) -> None:
    account = sheet.accounts.get(line.get("AccountCode", ""), {})
    code = filled.get("TaxType") or account.get("TaxType") or ("" if sheet.is_draft else "NONE")
    if sheet.types == "NoTax":
        line |= {"TaxType": "NONE", "TaxAmount": ZERO}
        return
    tax = sheet.taxes.get(code)
    if code and tax is None:
        wrong.append(
            f"The TaxType code '{code}' does not exist or cannot be used for this type of"
            " transaction."
        )
    line |= {"TaxType": code} if code else {}
    line["TaxAmount"] = tax_of(line["LineAmount"], tax["EffectiveRate"] if tax else ZERO, sheet)
    if "TaxAmount" in filled:
        line["TaxAmount"] = cents(filled["TaxAmount"])


def tax_of(amount: Decimal, rate: Decimal, sheet: Sheet) -> Decimal:
    """A line's tax, rounded by itself."""
    if sheet.types == "Inclusive":
        return cents(amount * rate / (HUNDRED + rate))
    return cents(amount * rate / HUNDRED)


def _tracking(given: list[Json], sheet: Sheet, wrong: list[str]) -> list[Json]:
    if len(given) > 2:
        wrong.append("A line item can have a maximum of 2 tracking categories")
    found = []
    for one in given:
        name, option = one.get("Name", ""), one.get("Option", "")
        category = sheet.tracking.get(name)
        if category is None or option not in category["options"]:
            wrong.append(f"Tracking category '{name}' has no active option '{option}'")
            continue
        ids = {
            "TrackingCategoryID": category["id"],
            "TrackingOptionID": category["options"][option],
        }
        found.append({"Name": name, "Option": option} | ids)
    return found


def sums(lines: list[Json], types: str) -> Json:
    """A document's totals: the lines' rounded taxes, added."""
    net = sum((line["LineAmount"] for line in lines), ZERO)
    tax = sum((line["TaxAmount"] for line in lines), ZERO)
    if types == "Inclusive":
        net -= tax
    cut = sum((line["_discount"] for line in lines), ZERO)
    return {"SubTotal": net, "TotalTax": tax, "Total": net + tax, "TotalDiscount": cut}
