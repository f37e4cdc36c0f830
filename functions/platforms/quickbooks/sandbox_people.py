"""What people do in the QuickBooks sandbox's company, beside the app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from platforms.quickbooks.sandbox_names import Names
from platforms.quickbooks.sandbox_sales import Payments, Sales
from platforms.quickbooks.sandbox_store import Store, writable
from platforms.quickbooks.sandbox_wire import (
    NAMES,
    SALES,
    TRANSACTIONS,
    Row,
    cents,
    cleaned,
    plain,
)

VOIDABLE = ("Invoice", "SalesReceipt", "Payment")
COPIED = (
    "CustomerRef CurrencyRef GlobalTaxCalculation ApplyTaxAfterDiscount BillAddr ShipAddr"
    " BillEmail".split()
)


class DraftError(ValueError):
    """A person cannot do this: the draft of it is wrong."""


class People:
    """Acts by people; each gives the record it made or changed.

    Args:
        store: the company.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sales = Sales(store)
        self.payments = Payments(store)
        self.names = Names(store)

    def writer(self, kind: str) -> Sales | Payments | Names:
        """Who writes records of a kind."""
        if kind in NAMES:
            return self.names
        return self.payments if kind == "Payment" else self.sales

    def actions(self, kind: str) -> dict[str, Callable[[str, Row], tuple[str, Row]]]:
        """What people can do with a kind: each gives the kind it made, and the record."""
        found: dict[str, Callable[[str, Row], tuple[str, Row]]] = {}
        if kind in (*TRANSACTIONS, *NAMES):
            found["edit"] = lambda id_, draft: (kind, self.edit(kind, id_, draft))
        if kind in TRANSACTIONS:
            found["delete"] = lambda id_, _: (kind, self.delete(kind, id_))
        if kind in VOIDABLE:
            found["cancel"] = lambda id_, _: (kind, self.void(kind, id_))
        if kind in ("Invoice", "SalesReceipt"):
            found["ship"] = lambda id_, draft: (kind, self.ship(kind, id_, draft))
            for name in ("credit", "return"):
                found[name] = lambda id_, draft: self.credit(kind, id_, draft)
            found["refund"] = lambda id_, draft: self.refund(kind, id_, draft)
        if kind == "Customer":
            found["pay"] = lambda id_, draft: ("Payment", self.pay_several(id_, draft))
        if kind == "Invoice":
            found["pay"] = lambda id_, draft: ("Payment", self.pay(id_, draft))
            found["email"] = lambda id_, _: (kind, self.email(id_))
        if kind == "Estimate":
            found["invoice"] = lambda id_, _: ("Invoice", self.invoice(id_))
        if kind in NAMES:
            found["block"] = lambda id_, _: (kind, self.block(kind, id_))
            found["merge"] = lambda id_, draft: (kind, self.merge(kind, id_, draft))
        return found

    # -- records -----------------------------------------------------------------------------------

    def _asked(self, kind: str, id_: str) -> Row:
        row = self.store.get(kind, id_)
        return {"Id": row["Id"], "SyncToken": row["SyncToken"]}

    def edit(self, kind: str, id_: str, changed: Row) -> Row:
        """Change fields, given as the API has them."""
        with self.store.act():
            given = cleaned(kind, dict(changed)) | self._asked(kind, id_) | {"sparse": True}
            return self.writer(kind).save(kind, given)

    def delete(self, kind: str, id_: str) -> Row:
        """Delete a transaction."""
        with self.store.act():
            writer = self.payments if kind == "Payment" else self.sales
            return writer.delete(kind, self._asked(kind, id_))

    def void(self, kind: str, id_: str) -> Row:
        """Void a transaction."""
        with self.store.act():
            writer = self.payments if kind == "Payment" else self.sales
            return writer.void(kind, self._asked(kind, id_))

    def block(self, kind: str, id_: str) -> Row:
        """Make a name inactive; old transactions keep it."""
        with self.store.act():
            row = self.store.get(kind, id_)
            return self.store.put(kind, row, row | {"Active": False})

    def merge(self, kind: str, id_: str, draft: Row) -> Row:
        """Merge a name into another: this one comes back inactive."""
        with self.store.act():
            row = self.store.get(kind, id_)
            self.store.get(kind, _wanted(draft, "into"))
            return self.store.put(kind, row, row | {"Active": False}, "Merge")

    # -- fulfilment --------------------------------------------------------------------------------

    def ship(self, kind: str, id_: str, draft: Row) -> Row:
        """Note carrier, tracking number and date; the books know no shipment of a part."""
        with self.store.act():
            row = self.store.get(kind, id_)
            if lines := draft.get("lines"):
                sent = Counter({one["sku"]: _number(one["quantity"]) for one in lines})
                if sent != self._sold(row):
                    raise DraftError("an invoice is shipped as a whole: the lines are others")
            carrier = draft.get("carrier", "Van")
            shipped = {"ShipMethodRef": {"value": carrier, "name": carrier}}
            shipped |= {"ShipDate": draft.get("date", self.store.today())}
            if draft.get("tracking"):
                shipped["TrackingNum"] = draft["tracking"]
            return self.store.put(kind, row, row | shipped)

    def _sold(self, row: Row) -> Counter[str]:
        sold: Counter[str] = Counter()
        for line in row["Line"]:
            detail = line.get("SalesItemLineDetail", {})
            item = self.store.meant("Item", detail.get("ItemRef"))
            if item:
                sold[str(item.get("Sku", item["Name"]))] += detail.get("Qty", Decimal(1))
        return sold

    # -- money -------------------------------------------------------------------------------------

    def pay(self, id_: str, draft: Row) -> Row:
        """Receive money for an invoice; more than is open stays unapplied."""
        with self.store.act():
            invoice = self.store.get("Invoice", id_)
            amount = cents(_number(draft.get("amount", invoice["Balance"])))
            applied = min(amount, invoice["Balance"])
            if amount <= 0 or applied <= 0:
                raise DraftError("there is nothing to pay")
            link = {"TxnId": id_, "TxnType": "Invoice"}
            given = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": amount}
            given |= {"Line": [{"Amount": applied, "LinkedTxn": [link]}]}
            if draft.get("reference"):
                given["PaymentRefNum"] = draft["reference"]
            return self.payments.save("Payment", given)

    def credit(self, kind: str, id_: str, draft: Row) -> tuple[str, Row]:
        """Credit or refund lines or an amount of a sale; ``apply`` uses it on the invoice."""
        with self.store.act():
            sale = self.store.get(kind, id_)
            form = {name: sale[name] for name in COPIED if name in sale}
            form["Line"] = self._credited(sale, draft)
            if draft.get("number"):
                form["DocNumber"] = draft["number"]
            if kind == "SalesReceipt":
                return self._refunded(sale, form, draft)
            row = self.sales.save("CreditMemo", form)
            if draft.get("apply"):
                self._apply(sale, row)
            return "CreditMemo", self.store.rows["CreditMemo"][row["Id"]]

    def refund(self, kind: str, id_: str, draft: Row) -> tuple[str, Row]:
        """Pay money back for lines or an amount of a sale; an invoice stays as it is."""
        with self.store.act():
            sale = self.store.get(kind, id_)
            form = {name: sale[name] for name in COPIED if name in sale}
            form["Line"] = self._credited(sale, draft)
            return self._refunded(sale, form, draft)

    def _refunded(self, sale: Row, form: Row, draft: Row) -> tuple[str, Row]:
        account = sale.get("DepositToAccountRef") or self.store.account("undeposited")
        form["DepositToAccountRef"] = account
        if draft.get("reference"):
            form["PaymentRefNum"] = str(draft["reference"])
        row = self.sales.save("RefundReceipt", form)
        return "RefundReceipt", self.store.rows["RefundReceipt"][row["Id"]]

    def pay_several(self, id_: str, draft: Row) -> Row:
        """Receive one sum of a customer for several invoices; what is over stays unapplied."""
        with self.store.act():
            open_ = [self.store.get("Invoice", str(one)) for one in draft.get("invoices", [])]
            lines = [
                {
                    "Amount": row["Balance"],
                    "LinkedTxn": [{"TxnId": row["Id"], "TxnType": "Invoice"}],
                }
                for row in open_
            ]
            owed = sum((row["Balance"] for row in open_), Decimal(0))
            amount = cents(_number(draft.get("amount", owed)))
            if amount <= 0:
                raise DraftError("an amount is needed")
            given = {"CustomerRef": {"value": id_}, "TotalAmt": amount, "Line": lines}
            if draft.get("reference"):
                given["PaymentRefNum"] = str(draft["reference"])
            return self.payments.save("Payment", given)

    def _credited(self, sale: Row, draft: Row) -> list[Row]:
        lines = [one for one in sale["Line"] if "SalesItemLineDetail" in one]
        if "amount" in draft:
            amount = cents(_number(draft["amount"]))
            if not lines or amount <= 0:
                raise DraftError("there is nothing to credit")
            detail = {"ItemRef": lines[0]["SalesItemLineDetail"]["ItemRef"]}
            codes = self.store.rows["TaxCode"].values()
            free = next((one["Id"] for one in codes if not one["Taxable"]), None)
            if free and sale.get("GlobalTaxCalculation") != "NotApplicable":
                detail["TaxCodeRef"] = {"value": free}
            line = {"DetailType": "SalesItemLineDetail", "Amount": amount}
            return [line | {"Description": "Goodwill", "SalesItemLineDetail": detail}]
        if "lines" not in draft:
            return list(writable("CreditMemo", sale)["Line"])
        return [self._part(lines, one) for one in draft["lines"]]

    def _part(self, lines: list[Row], wanted: Row) -> Row:
        """Some of a sold line, at its price."""
        quantity = _number(wanted["quantity"])
        for line in lines:
            detail = line["SalesItemLineDetail"]
            item = self.store.meant("Item", detail["ItemRef"])
            if wanted["sku"] not in (item.get("Sku"), item.get("Name")):
                continue
            sold = detail.get("Qty", Decimal(1))
            if quantity <= 0 or quantity > sold:
                raise DraftError(f"{wanted['sku']} was sold {sold} times")
            part = {name: detail[name] for name in ("ItemRef", "TaxCodeRef") if name in detail}
            if "TaxInclusiveAmt" in detail:
                part["TaxInclusiveAmt"] = cents(detail["TaxInclusiveAmt"] * quantity / sold)
            amount = cents(line["Amount"] * quantity / sold)
            part["Qty"] = quantity
            shown = {"DetailType": "SalesItemLineDetail", "Amount": amount}
            return shown | {"SalesItemLineDetail": part}
        raise DraftError(f"{wanted['sku']} was not sold")

    def _apply(self, invoice: Row, memo: Row) -> None:
        amount = min(invoice["Balance"], memo["RemainingCredit"])
        if amount <= 0:
            raise DraftError("the invoice is paid: nothing to apply the credit to")
        ends = (("Invoice", invoice), ("CreditMemo", memo))
        lines = [
            {"Amount": amount, "LinkedTxn": [{"TxnId": row["Id"], "TxnType": kind}]}
            for kind, row in ends
        ]
        given = {"CustomerRef": invoice["CustomerRef"], "TotalAmt": Decimal(0), "Line": lines}
        self.payments.save("Payment", given)

    def invoice(self, id_: str) -> Row:
        """Make an invoice of an estimate, which closes it."""
        with self.store.act():
            estimate = self.store.get("Estimate", id_)
            form = {name: estimate[name] for name in (*COPIED, "Line") if name in estimate}
            link = {"TxnId": id_, "TxnType": "Estimate"}
            return self.sales.save("Invoice", form | {"LinkedTxn": [link]})

    def email(self, id_: str) -> Row:
        """Send an invoice by mail."""
        with self.store.act():
            row = self.store.get("Invoice", id_)
            return self.store.put("Invoice", row, row | {"EmailStatus": "EmailSent"}, "Emailed")

    # -- items -------------------------------------------------------------------------------------

    def stock(self, sku: str, draft: Row) -> Row:
        """Adjust the quantity on hand of an inventory item."""
        with self.store.act():
            item = self._item(sku)
            if item["Type"] != "Inventory":
                raise DraftError(f"{sku} is not an inventory item")
            if draft.get("location"):
                raise DraftError("the books know one place only")
            on_hand = {"QtyOnHand": plain(_number(_wanted(draft, "quantity")))}
            return self.store.put("Item", item, item | on_hand)

    def receive(self, sku: str, draft: Row) -> Row:
        """Goods come in with a bill: that is no change of the item, and nobody hears of it."""
        with self.store.act():
            item = self._item(sku)
            quantity = _number(_wanted(draft, "quantity"))
            if item["Type"] != "Inventory" or quantity <= 0:
                raise DraftError(f"{sku} is not an inventory item, or nothing comes")
            on_hand = {"QtyOnHand": plain(item["QtyOnHand"] + quantity)}
            self.store.rows["Item"][item["Id"]] = item | on_hand
            return self.store.rows["Item"][item["Id"]]

    def price(self, sku: str, draft: Row) -> Row:
        """Change the price of an item."""
        with self.store.act():
            item = self._item(sku)
            price = {"UnitPrice": plain(_number(_wanted(draft, "price")))}
            return self.store.put("Item", item, item | price)

    def _item(self, sku: str) -> Row:
        for item in self.store.rows["Item"].values():
            if item.get("Sku") == sku:
                return item
        raise KeyError(sku)

    def make(self, kind: str, draft: Row) -> Row:
        """Enter a new record, given as the API has it."""
        if kind not in (*SALES, *NAMES, "Payment"):
            raise DraftError(f"people enter no {kind} here")
        with self.store.act():
            given = cleaned(kind, dict(draft))
            return self.writer(kind).save(kind, {k: v for k, v in given.items() if k != "Id"})


def _wanted(draft: Row, name: str) -> Any:
    if draft.get(name) is None:
        raise DraftError(f"{name} is missing")
    return draft[name]


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise DraftError(f"{value} is not a number") from error
    if not number.is_finite():
        raise DraftError(f"{value} is not a number")
    return number
