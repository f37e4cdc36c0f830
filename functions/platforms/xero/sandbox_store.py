"""Money in the Xero sandbox, and what people do in the organisation's own screens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from platforms.xero.sandbox_documents import Documents
from platforms.xero.sandbox_lines import ZERO
from platforms.xero.sandbox_records import How
from platforms.xero.sandbox_wire import InvalidError, Json, XeroError, cents, new_id, read

PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
}
PAYABLE = ("Invoice", "CreditNote", "Overpayment")
CREDITED = {"ACCREC": ("ACCRECCREDIT", "RECEIVE-OVERPAYMENT"), "ACCPAY": ("ACCPAYCREDIT",)}
PERSON = "Ada Quill"


class Store(Documents):
    """One organisation: what its API writes, and the acts of the people in it.

    The acts, for tests without HTTP: ``raise_invoice``, ``pay``, ``pay_ahead``, ``credit``,
    ``cancel``, ``delete``, ``edit``, ``block``, ``set_stock``, ``set_price``.
    """

    def seed(self, kind: str, given: Json) -> None:
        """Put in a contact or item of the seed: nobody hears of it."""
        self._typed(kind, given, How(creates=True, places=4))
        self.forget()

    # Payments.

    def write_payment(self, given: Json, how: How, wrong: list[str]) -> Json:
        """Book a payment, or reverse one: nothing else of it can be changed."""
        own = how.id or given.get("PaymentID", "")
        if own and not how.creates:
            payment = self.payments.get(own)
            if payment is None:
                raise InvalidError("The payment with the specified PaymentID could not be found")
            if given.get("Status") != "DELETED":
                raise InvalidError("Payments cannot be updated, only deleted")
            return self.reverse(payment, how)
        if given.get("Status", "AUTHORISED") != "AUTHORISED":
            wrong.append("A new payment must be AUTHORISED")
        document = self._paid_document(given, wrong)
        account = self._bank(given, wrong)
        amount = self._amount(given, wrong)
        day = given.get("Date", self.clock().date())
        self.check_open(day, wrong)
        if document and amount > self.open_amount(document):
            wrong.append("Payment amount exceeds the amount outstanding on this document")
        if wrong or document is None or account is None:
            raise InvalidError(*wrong)
        rate = given.get("CurrencyRate") or document["CurrencyRate"]
        payment = {
            "PaymentID": new_id(),
            "Date": day,
            "Amount": amount,
            "BankAmount": cents(amount / rate),
            "Reference": given.get("Reference", ""),
            "CurrencyRate": rate,
            "PaymentType": PAYMENT_TYPES[document["Type"]],
            "Status": "AUTHORISED",
            "IsReconciled": given.get("IsReconciled", False),
            "_account": account,
            "_document": document["_id"],
        }
        self.payments[payment["PaymentID"]] = payment
        document["_applied"].append(payment["PaymentID"])
        self._touch(document, "Payment", f"{amount} received", how)
        self.changed("", payment, payment["PaymentID"], "Created")
        self.counted["payment created"] += 1
        return payment

    def _paid_document(self, given: Json, wrong: list[str]) -> Json | None:
        named = [(kind, given[kind]) for kind in PAYABLE if kind in given]
        for kind in ("Invoice", "CreditNote"):
            if f"{kind}Number" in given:
                named.append((kind, {f"{kind}Number": given[f"{kind}Number"]}))
        if len(named) != 1:
            wrong.append("A payment must name one invoice, credit note or overpayment")
            return None
        kind, one = named[0]
        name = one.get(f"{kind}ID") or one.get(f"{kind}Number") or ""
        document = self.document_named(kind, name) if name else None
        if document is None:
            wrong.append(f"{kind} could not be found")
        elif document["Status"] not in ("AUTHORISED", "PAID"):
            wrong.append("Payments can only be made against Authorised documents")
        return document

    def _bank(self, given: Json, wrong: list[str]) -> Json | None:
        named = given.get("Account", {"Code": given["Code"]} if "Code" in given else {})
        for one in self.accounts:
            if named.get("AccountID") == one["AccountID"] or (
                named.get("Code") == one["Code"] and "AccountID" not in named
            ):
                takes = one["Type"] == "BANK" or one["EnablePaymentsToAccount"]
                if one["Status"] != "ACTIVE" or not takes:
                    wrong.append(
                        "Account must be a bank account or have payments to the account enabled"
                    )
                return one
        wrong.append("Account could not be found")
        return None

    def _amount(self, given: Json, wrong: list[str]) -> Decimal:
        amount = cents(given.get("Amount", ZERO))
        if amount <= ZERO:
            wrong.append("The amount must be greater than zero")
        return amount

    def reverse(self, payment: Json, how: How) -> Json:
        """Take a payment back: its document is open again."""
        if payment["Status"] == "DELETED":
            raise InvalidError("The payment has already been deleted")
        if payment["IsReconciled"]:
            raise InvalidError("A reconciled payment cannot be deleted")
        payment["Status"] = "DELETED"
        self.changed("", payment, payment["PaymentID"], "Deleted")
        document = self.documents[payment["_document"]]
        self._touch(document, "Payment deleted", f"{payment['Amount']} taken back", how)
        self.counted["payment deleted"] += 1
        return payment

    def _touch(self, document: Json, changes: str, details: str, how: How) -> None:
        """Money moved on a document: its state and time follow, and its listeners hear."""
        self.settle(document)
        category = document["_kind"].upper()
        category = "" if category == "OVERPAYMENT" else category
        self.changed(category, document, document["_id"], changes)
        self.note(document["_id"], changes, details, how.app)

    def show_payment(self, payment: Json, detail: str = "full") -> Json:
        """A payment; one on a credit note shows that as an invoice of the credit's type."""
        document = self.documents[payment["_document"]]
        kind, account = document["_kind"], payment["_account"]
        row = {name: value for name, value in payment.items() if not name.startswith("_")}
        row["UpdatedDateUTCString"] = f"{payment['UpdatedDateUTC']:%Y-%m-%dT%H:%M:%SZ}"
        row["HasAccount"] = True
        row["Account"] = {"AccountID": account["AccountID"], "Code": account["Code"]}
        named = {f"{kind}ID": document["_id"]}
        if kind != "Overpayment":
            named[f"{kind}Number"] = document[f"{kind}Number"]
        contact = self.show_contact(self.contacts[document["_contact"]], "brief")
        row["Invoice"] = {
            "Type": document["Type"],
            "InvoiceID": document["_id"],
            "InvoiceNumber": document.get(f"{kind}Number", ""),
            **_lists(),
            "HasErrors": False,
            "IsDiscounted": bool(document["TotalDiscount"]),
            "Contact": contact,
            "LineItems": [],
            "CurrencyCode": document["CurrencyCode"],
        }
        if detail == "full":
            row["Account"]["Name"] = account["Name"]
            if kind == "Invoice":
                row["Invoice"] = self.show_document(document)
            else:
                row[kind] = named
        return row | {"HasValidationErrors": False}

    # Credits against invoices.

    def allocate(self, credit: Json, given: Json, how: How, wrong: list[str]) -> Json:
        """Set a credit note or an overpayment off against an invoice."""
        one = given.get("Invoice", {})
        name = one.get("InvoiceID") or one.get("InvoiceNumber") or ""
        invoice = self.document_named("Invoice", name) if name else None
        amount = self._amount(given, wrong)
        if "Date" not in given:
            wrong.append("The Date must be specified for an allocation")
        if credit["Status"] != "AUTHORISED":
            wrong.append("Only an authorised credit with an amount left can be allocated")
        elif amount > self.open_amount(credit):
            wrong.append("The amount exceeds the remaining credit")
        self._check_allocated(credit, invoice, amount, wrong)
        if wrong or invoice is None:
            raise InvalidError(*wrong)
        allocation = {
            "AllocationID": new_id(),
            "Amount": amount,
            "Date": given["Date"],
            "_from": credit["_id"],
            "_to": invoice["_id"],
        }
        self.allocations[allocation["AllocationID"]] = allocation
        for document in (credit, invoice):
            document["_applied"].append(allocation["AllocationID"])
            self._touch(document, "Credit Applied", f"{amount} applied", how)
        self.counted["allocation created"] += 1
        return allocation

    def _check_allocated(
        self, credit: Json, invoice: Json | None, amount: Decimal, wrong: list[str]
    ) -> None:
        if invoice is None:
            wrong.append("Invoice could not be found")
            return
        if invoice["Status"] != "AUTHORISED":
            wrong.append("Credits can only be allocated to Authorised invoices")
        elif amount > self.open_amount(invoice):
            wrong.append("The amount exceeds the amount outstanding on this document")
        if credit["Type"] not in CREDITED[invoice["Type"]]:
            wrong.append("The credit and the invoice are not of one kind")
        if credit["_contact"] != invoice["_contact"]:
            wrong.append("The credit and the invoice do not belong to the same contact")
        if credit["CurrencyCode"] != invoice["CurrencyCode"]:
            wrong.append("The credit and the invoice are in different currencies")

    def show_allocation(self, allocation: Json) -> Json:
        """An allocation as the answer to its making."""
        credit = self.documents[allocation["_from"]]
        row = {name: allocation[name] for name in ("AllocationID", "Amount", "Date")}
        row["Invoice"] = {"InvoiceID": allocation["_to"], **_lists(), "HasErrors": False}
        row["Invoice"] |= {"IsDiscounted": False, "LineItems": [], "ValidationErrors": []}
        kind = credit["_kind"]
        row[kind] = {f"{kind}ID": credit["_id"], "ID": credit["_id"], "LineItems": []}
        return row | {"ValidationErrors": []}

    def drop_allocation(self, credit: Json, allocation_id: str, how: How) -> Json:
        """Take an allocation back."""
        allocation = self.allocations.get(allocation_id)
        if allocation is None or allocation["_from"] != credit["_id"]:
            raise KeyError(allocation_id)
        del self.allocations[allocation_id]
        for document in (credit, self.documents[allocation["_to"]]):
            self._touch(document, "Credit removed", f"{allocation['Amount']} taken back", how)
        self.counted["allocation deleted"] += 1
        row = {name: allocation[name] for name in ("AllocationID", "Amount", "Date")}
        return row | {"Invoice": {"InvoiceID": allocation["_to"]}, "IsDeleted": True}

    def overpay(self, contact_id: str, amount: Decimal, reference: str, currency: str) -> Json:
        """Money beyond an invoice: kept for the customer, to be set off or paid back."""
        own = new_id()
        document = {
            "_id": own,
            "_kind": "Overpayment",
            "_app": "",
            "_applied": [],
            "_contact": contact_id,
            "OverpaymentID": own,
            "Type": "RECEIVE-OVERPAYMENT",
            "Reference": reference,
            "Date": self.clock().date(),
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [],
            "SubTotal": amount,
            "TotalTax": ZERO,
            "Total": amount,
            "TotalDiscount": ZERO,
            "CurrencyCode": currency,
            "CurrencyRate": Decimal(1),
        }
        self.documents[own] = document
        self.changed("", document, own, "Created")
        return document

    # What people do. None of it counts as a call of ours.

    def act(self, what: Callable[[How], Json]) -> Json:
        """One act in the screens: its events go out, and a refusal changes nothing."""
        saved = self.save()
        try:
            record = what(How(places=4, app=PERSON))
        except InvalidError:
            self.restore(saved)
            raise
        except XeroError as error:
            self.restore(saved)
            raise InvalidError(str(error)) from None
        self.commit()
        return record

    def raise_invoice(self, contact_id: str, draft: Json) -> Json:
        """A person writes an invoice or, with ``Type`` ACCPAY, a bill; approved at once.

        The ``lines`` are of the vendor's fields, or {sku, quantity, price}.
        """
        draft = dict(draft)
        if "lines" in draft:
            draft["LineItems"] = _lines(draft.pop("lines"), [])
        start = {"Type": "ACCREC", "Status": "AUTHORISED", "DueDate": f"{self.clock():%Y-%m-%d}"}
        given = start | draft | {"Contact": {"ContactID": contact_id}}
        return self.act(lambda how: self._typed("Invoice", given, how))

    def _typed(self, kind: str, given: Json, how: How) -> Json:
        wrong: list[str] = []
        clean = read(kind, _exact(given), kind, wrong)
        writers: dict[str, Callable[[], Json]] = {
            "Contact": lambda: self.write_contact(clean, how, wrong),
            "Item": lambda: self.write_item(clean, how, wrong),
            "Payment": lambda: self.write_payment(clean, how, wrong),
        }
        return writers.get(kind, lambda: self.write_document(kind, clean, how, wrong))()

    def pay(self, document_id: str, draft: Json) -> Json:
        """A customer's money is booked from the bank; what is too much is an overpayment."""
        document = self.documents[document_id]
        due = self.open_amount(document)
        amount = _decimal(draft.get("amount", due))
        reference = str(draft.get("reference", ""))
        bank = next(one["Code"] for one in self.accounts if one["Type"] == "BANK")

        def booked(how: How) -> Json:
            kind = document["_kind"]
            if min(amount, due) <= 0:
                raise InvalidError("nothing is left to pay")
            given = {
                kind: {f"{kind}ID": document_id},
                "Account": {"Code": draft.get("account", bank)},
                "Amount": min(amount, due),
                "Reference": reference,
                "Date": draft.get("date", f"{self.clock():%Y-%m-%d}"),
            }
            self._typed("Payment", given, how)
            if amount > due:
                code = document["CurrencyCode"]
                self.overpay(document["_contact"], amount - due, reference, code)
            return document

        return self.act(booked)

    def pay_ahead(self, contact_id: str, draft: Json) -> Json:
        """A customer's money for no invoice: it is an overpayment until it is used or paid back."""
        amount = _decimal(draft["amount"])
        if amount <= 0:
            raise InvalidError("an amount is needed")
        given = str(draft.get("reference", "")), self.tenant["base_currency"]
        return self.act(lambda _: self.overpay(contact_id, amount, *given))

    def credit(self, invoice_id: str, draft: Json) -> Json:
        """A person credits an invoice, by ``lines`` or an ``amount`` with its tax.

        What the invoice still owes is set off at once; the rest stays open on the credit note.
        """
        invoice = self.documents[invoice_id]
        sold = invoice["LineItems"]
        first = sold[0] if sold else {}
        shared = {key: first[key] for key in ("AccountCode", "TaxType") if key in first}
        types = invoice["LineAmountTypes"]
        if "lines" not in draft and types == "Exclusive":
            types = "Inclusive"
        unit = draft.get("amount", invoice["Total"])
        whole = [{"Description": "Credit", "Quantity": 1, "UnitAmount": unit}]
        lines = _lines(draft["lines"], sold) if "lines" in draft else whole

        def credited(how: How) -> Json:
            given = {
                "Type": invoice["Type"] + "CREDIT",
                "Status": "AUTHORISED",
                "Contact": {"ContactID": invoice["_contact"]},
                "CurrencyCode": invoice["CurrencyCode"],
                "LineAmountTypes": types,
                "Reference": str(draft.get("reference", "")),
                "LineItems": [shared | line for line in lines],
            }
            note = self._typed("CreditNote", given, how)
            amount = min(self.open_amount(note), self.open_amount(invoice))
            if amount > 0 and draft.get("allocate", True):
                day: date = self.clock().date()
                part = {"Invoice": {"InvoiceID": invoice_id}, "Amount": amount, "Date": day}
                self.allocate(note, part, how, [])
            return note

        return self.act(credited)

    def cancel(self, document_id: str, _: Json | None = None) -> Json:
        """Void what is approved, delete what is not."""
        document = self.documents[document_id]
        status = "VOIDED" if document["Status"] == "AUTHORISED" else "DELETED"

        def ended(how: How) -> Json:
            self._check_move(document["_kind"], document, status)
            return self.end_document(document, status, how)

        return self.act(ended)

    def undo_payment(self, payment_id: str, _: Json | None = None) -> Json:
        """Take a payment back."""
        return self.act(lambda how: self.reverse(self.payments[payment_id], how))

    def edit(self, kind: str, record_id: str, draft: Json) -> Json:
        """Change a record by the vendor's own fields; an item goes by its code."""
        if kind == "Item" and record_id not in self.items:
            record_id = self._item(record_id)["ItemID"]
        how = How(id=record_id, places=4, app=PERSON)
        return self.act(lambda _: self._typed(kind, draft, how))

    def block(self, contact_id: str, _: Json | None = None) -> Json:
        """Archive a contact."""
        return self.edit("Contact", contact_id, {"ContactStatus": "ARCHIVED"})

    def set_stock(self, code: str, quantity: Any) -> Json:
        """A stock take of a tracked item."""

        def counted(_: How) -> Json:
            item = self._item(code)
            if not item["IsTrackedAsInventory"]:
                raise InvalidError("the item is not tracked as inventory")
            item["_opening"] = item.get("_opening", ZERO) + _decimal(quantity) - self.on_hand(item)
            self.changed("", item, item["ItemID"], "Edited")
            return item

        return self.act(counted)

    def set_price(self, code: str, price: Any) -> Json:
        """A new price of an item."""
        details = {"SalesDetails": {"UnitPrice": _decimal(price)}}
        return self.edit("Item", self._item(code)["ItemID"], details)

    def remove_item(self, code: str) -> Json:
        """Delete an item."""

        def removed(_: How) -> Json:
            item = self._item(code)
            self.drop_item(item)
            return item

        return self.act(removed)

    def _item(self, code: str) -> Json:
        item = self.item_named(code)
        if item is None:
            raise InvalidError(f"no item {code}")
        return item


def _lines(given: list[Json], sold: list[Json]) -> list[Json]:
    """Lines of a draft; of one by its SKU the rest is as it was sold."""
    made = []
    for one in given:
        if "sku" not in one:
            made.append(one)
            continue
        like = next((line for line in sold if line.get("ItemCode") == one["sku"]), {})
        names = ("Description", "UnitAmount", "AccountCode", "TaxType")
        line = {key: like[key] for key in names if key in like}
        price = {"UnitAmount": one["price"]} if "price" in one else {}
        made.append({**line, "ItemCode": one["sku"], "Quantity": one["quantity"], **price})
    return made


def _lists() -> Json:
    return {name: [] for name in ("Payments", "CreditNotes", "Prepayments", "Overpayments")}


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise InvalidError(f"no number: {value}") from None


def _exact(value: Any) -> Any:
    """Drafts of tests may hold floats and numbers as text where the vendor has numbers."""
    if isinstance(value, dict):
        return {
            key: _decimal(item) if key in _NUMBERS else _exact(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value


_NUMBERS = set("Quantity UnitAmount LineAmount TaxAmount DiscountRate UnitPrice Amount".split())
