"""The arithmetic of the QuickBooks sandbox: lines, discounts, tax and totals of a sales form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from platforms.quickbooks.sandbox_store import Store, money
from platforms.quickbooks.sandbox_wire import CENT, QboError, Row, broken, cents, missing, plain

SHIPPING = "SHIPPING_ITEM_ID"
HUNDRED = Decimal(100)
NOTHING = Decimal("0.00")


@dataclass
class Sum:
    """What a form comes to.

    Attributes:
        lines: as the vendor answers them.
        taxed: for each sale line its tax code, its net amount and its gross one.
        sold: how many of which item leave the shelf.
    """

    lines: list[Row] = field(default_factory=list)
    taxed: list[tuple[str, Decimal, Decimal]] = field(default_factory=list)
    sold: dict[str, Decimal] = field(default_factory=dict)
    subtotal: Decimal = NOTHING
    discount: Decimal = NOTHING
    tax: Decimal = NOTHING
    total: Decimal = NOTHING
    detail: Row = field(default_factory=dict)


class Lines:
    """Reads the lines of one sales form.

    Args:
        store: where items, accounts and tax codes are.
        form: the whole form, as given.
    """

    def __init__(self, store: Store, form: Row) -> None:
        self.store = store
        self.form = form
        self.sum = Sum()
        self.mode = self._mode()

    def _mode(self) -> str:
        mode = self.form.get("GlobalTaxCalculation")
        if self.store.is_us and mode:
            text = "GlobalTaxCalculation is for companies outside the United States:"
            raise QboError("2010", f"Property Name:{text} it is unsupported or invalid")
        return str(mode or "TaxExcluded")

    def calculated(self) -> Sum:
        """The form's sum; the order of its lines becomes the vendor's."""
        given = [one for one in self.form["Line"] if one.get("DetailType") != "SubTotalLineDetail"]
        if not given:
            raise missing("Line")
        shipping: list[Row] = []
        discounts: list[Row] = []
        for line in given:
            kind = line.get("DetailType")
            if kind is None:
                raise missing("Line.DetailType")
            if kind == "DiscountLineDetail":
                discounts.append(line)
            elif _item_of(line) == SHIPPING:
                shipping.append(self._shipping(line))
            else:
                self.sum.lines.append(self._line(line))
        numbered = _numbered(self.sum.lines)
        subtotal = {"DetailType": "SubTotalLineDetail", "Amount": self.sum.subtotal}
        last = [self._discount(one) for one in discounts]
        if len(last) > 1:
            raise broken("A transaction has one discount line at most.")
        self.sum.lines = [*numbered, subtotal | {"SubTotalLineDetail": {}}, *last, *shipping]
        self._taxes()
        return self.sum

    # -- lines -------------------------------------------------------------------------------------

    def _line(self, line: Row) -> Row:
        kind = line["DetailType"]
        shown = {"Description": line.get("Description")}
        if kind == "DescriptionOnly":
            text = shown | {"DetailType": kind, "DescriptionLineDetail": {}}
            return _present(text)
        if kind == "GroupLineDetail":
            return self._group(line, shown)
        amount, detail = self._sale(line)
        self.sum.subtotal += amount
        shown |= {"Amount": amount, "DetailType": kind, "SalesItemLineDetail": detail}
        return _present(shown | {"LinkedTxn": line.get("LinkedTxn")})

    def _group(self, line: Row, shown: Row) -> Row:
        group = line.get("GroupLineDetail") or {}
        ref = self.store.reference(group, "GroupItemRef", needed=True)
        inner = group.get("Line")
        if not inner:
            raise missing("GroupLineDetail.Line")
        if any(one.get("DetailType") != "SalesItemLineDetail" for one in inner):
            raise broken("A bundle holds sale lines only.")
        before = self.sum.subtotal
        lines = _numbered([self._line(one) for one in inner])
        detail = {"GroupItemRef": ref, "Quantity": plain(group.get("Quantity") or Decimal(1))}
        shown |= {"Amount": self.sum.subtotal - before, "DetailType": "GroupLineDetail"}
        return _present(shown | {"GroupLineDetail": detail | {"Line": lines}})

    def _shipping(self, line: Row) -> Row:
        if not self.store.seed["allows_shipping"]:
            raise broken("Shipping is not enabled for this company.")
        amount, detail = self._sale(line)
        return {"Amount": amount, "DetailType": "SalesItemLineDetail"} | {
            "SalesItemLineDetail": detail
        }

    def _sale(self, line: Row) -> tuple[Decimal, Row]:
        detail = line.get("SalesItemLineDetail")
        if detail is None:
            raise missing("SalesItemLineDetail")
        if line.get("Amount") is None:
            raise missing("Line.Amount")
        amount = cents(line["Amount"])
        code = self._code(detail)
        shown: Row = {"ItemRef": self._item(detail), **self._priced(detail, amount)}
        net, gross = self._with_tax(amount, detail, code)
        self.sum.taxed.append((code, net, gross))
        shown["TaxCodeRef"] = {"value": code} if code else None
        shown["TaxInclusiveAmt"] = gross if self.mode == "TaxInclusive" else None
        shown["ClassRef"] = self.store.reference(detail, "ClassRef")
        shown["ServiceDate"] = detail.get("ServiceDate")
        return net, _present(shown)

    def _item(self, detail: Row) -> Row:
        if not detail.get("ItemRef"):
            raise missing("ItemRef")
        if detail["ItemRef"]["value"] == SHIPPING:
            return {"value": SHIPPING}
        ref = self.store.reference(detail, "ItemRef", needed=True) or {}
        if self.store.rows["Item"][ref["value"]]["Type"] == "Inventory":
            quantity = detail.get("Qty", Decimal(1))
            self.sum.sold[ref["value"]] = self.sum.sold.get(ref["value"], Decimal(0)) + quantity
        return ref

    def _priced(self, detail: Row, amount: Decimal) -> Row:
        """Quantity and price, which must come to the amount; what is not given stays out."""
        quantity, price = detail.get("Qty"), detail.get("UnitPrice")
        rate, off = detail.get("DiscountRate"), detail.get("DiscountAmt")
        if (rate or off) and not self.store.seed["line_discounts"]:
            raise broken("Discounts of single lines are not enabled for this company.")
        if price is None and quantity:
            price = plain(amount / quantity)
        if price is not None:
            worth = price * (1 if quantity is None else quantity)
            worth -= worth * rate / HUNDRED if rate else off or 0
            if cents(worth) != amount:
                text = "Amount calculation incorrect in the request : Amount is not equal to "
                text += f"UnitPrice * Qty. Supplied value:{amount}"
                raise QboError("6070", text, element="Line.Amount")
        return {
            "Qty": None if quantity is None else plain(quantity),
            "UnitPrice": None if price is None else plain(price),
            "DiscountRate": rate,
            "DiscountAmt": off,
        }

    def _discount(self, line: Row) -> Row:
        given = line.get("DiscountLineDetail")
        if given is None:
            raise missing("DiscountLineDetail")
        detail: Row = {"PercentBased": bool(given.get("PercentBased"))}
        base = sum((gross for _, _, gross in self.sum.taxed), NOTHING)
        base = base if self.mode == "TaxInclusive" else self.sum.subtotal
        if detail["PercentBased"]:
            if given.get("DiscountPercent") is None:
                raise missing("DiscountPercent")
            detail["DiscountPercent"] = plain(given["DiscountPercent"])
            amount = cents(base * given["DiscountPercent"] / HUNDRED)
        elif line.get("Amount") is None:
            raise missing("Line.Amount")
        else:
            amount = cents(line["Amount"])
        if amount < 0 or amount > max(base, NOTHING):
            raise broken("The discount amount can't be greater than the subtotal.")
        account = self.store.reference(given, "DiscountAccountRef")
        detail["DiscountAccountRef"] = account or self.store.account("discount")
        self.sum.discount += amount
        shown = {"Amount": amount, "DetailType": "DiscountLineDetail"}
        return shown | {"DiscountLineDetail": _present(detail)}

    # -- tax ---------------------------------------------------------------------------------------

    def _code(self, detail: Row) -> str:
        if self.mode == "NotApplicable":
            return ""
        ref = detail.get("TaxCodeRef")
        if ref is None and self.store.is_us:
            item = self.store.meant("Item", detail.get("ItemRef"))
            return "TAX" if item.get("Taxable", False) else "NON"
        if ref is None:
            raise broken("Make sure all your transactions have a VAT rate before you save.")
        code = self.store.rows["TaxCode"].get(ref["value"])
        if code is None or not code["Active"]:
            detail_text = f"Invalid Reference Id : TaxCodeRef {ref['value']} is not there"
            raise QboError("2500", detail_text, element="TaxCodeRef")
        return str(code["Id"])

    def _rates(self, code: str) -> list[Row]:
        if not code:
            return []
        details = self.store.rows["TaxCode"][code]["SalesTaxRateList"]["TaxRateDetail"]
        return [self.store.rows["TaxRate"][one["TaxRateRef"]["value"]] for one in details]

    def _with_tax(self, amount: Decimal, detail: Row, code: str) -> tuple[Decimal, Decimal]:
        """A line's net and gross; where tax is included the gross one is what counts."""
        if self.mode != "TaxInclusive":
            return amount, amount
        factor = 1 + sum((one["RateValue"] for one in self._rates(code)), NOTHING) / HUNDRED
        if detail.get("TaxInclusiveAmt") is None:
            return amount, cents(amount * factor)
        gross = cents(detail["TaxInclusiveAmt"])
        net = cents(gross / factor)
        if abs(net - amount) > CENT:
            text = f"TaxInclusiveAmt {gross} does not agree with the net amount {amount}."
            raise broken(text)
        return amount, gross

    def _taxes(self) -> None:
        """Each code's tax once over all of its lines, and the total."""
        made = self.sum
        is_inclusive = self.mode == "TaxInclusive"
        bases: dict[str, Decimal] = {}
        for code, net, gross in made.taxed:
            bases[code] = bases.get(code, NOTHING) + (gross if is_inclusive else net)
        everything = sum(bases.values(), NOTHING)
        if self.form.get("ApplyTaxAfterDiscount") and everything:
            bases = _less(bases, made.discount, everything)
        lines = [one for code, base in bases.items() for one in self._tax_lines(code, base)]
        made.tax = sum((one["Amount"] for one in lines), NOTHING)
        given = self.form.get("TxnTaxDetail") or {}
        wanted = given.get("TotalTax")
        if self.store.seed["honours_total_tax"] and wanted is not None and lines:
            lines[0]["Amount"] += cents(wanted) - made.tax
            made.tax = cents(wanted)
        made.total = everything - made.discount + (NOTHING if is_inclusive else made.tax)
        made.detail = {"TotalTax": made.tax} | ({"TaxLine": lines} if lines else {})
        if self.store.is_us and lines:
            made.detail = {"TxnTaxCodeRef": {"value": "2"}} | made.detail

    def _tax_lines(self, code: str, base: Decimal) -> Iterable[Row]:
        rates = self._rates(code)
        if not rates:
            return
        together = sum((one["RateValue"] for one in rates), NOTHING)
        whole = HUNDRED + together if self.mode == "TaxInclusive" else HUNDRED
        amounts = [cents(base * one["RateValue"] / whole) for one in rates]
        net = base - sum(amounts, NOTHING) if self.mode == "TaxInclusive" else base
        for rate, amount in zip(rates, amounts, strict=True):
            detail = {"TaxRateRef": {"value": rate["Id"]}, "PercentBased": True}
            detail |= {"TaxPercent": plain(rate["RateValue"]), "NetAmountTaxable": net}
            yield {"Amount": amount, "DetailType": "TaxLineDetail", "TaxLineDetail": detail}


def voided(lines: list[Row]) -> list[Row]:
    """The same lines with every amount and quantity at nothing."""
    return [{name: _zeroed(name, value) for name, value in line.items()} for line in lines]


def _zeroed(name: str, value: object) -> object:
    if name == "Line" and isinstance(value, list):
        return voided(value)
    if name in ("Amount", "Qty", "TaxInclusiveAmt", "DiscountAmt", "Quantity"):
        return NOTHING
    if isinstance(value, dict):
        return {key: _zeroed(key, one) for key, one in value.items()}
    return value


def _less(bases: dict[str, Decimal], discount: Decimal, everything: Decimal) -> dict[str, Decimal]:
    """A discount taken off the bases in proportion; the last one has what rounding leaves."""
    left, reduced = discount, {}
    for place, (code, base) in enumerate(bases.items(), start=1):
        share = left if place == len(bases) else cents(discount * base / everything)
        reduced[code] = base - share
        left -= share
    return reduced


def _numbered(lines: list[Row]) -> list[Row]:
    return [
        {"Id": str(place), "LineNum": place} | line for place, line in enumerate(lines, start=1)
    ]


def _item_of(line: Row) -> str:
    ref = (line.get("SalesItemLineDetail") or {}).get("ItemRef") or {}
    return str(ref.get("value", ""))


def _present(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def shelf_sign(kind: str) -> int:
    """Which way a form moves stock: sold, come back, or neither."""
    return {"Invoice": -1, "SalesReceipt": -1, "CreditMemo": 1, "RefundReceipt": 1}.get(kind, 0)


def as_home(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    """An amount in the home currency, where there is another."""
    return None if rate is None else money(cents(amount * rate))
