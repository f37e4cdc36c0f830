"""Payments, deposits, credits and refunds of the NetSuite sandbox, and what they are applied to."""

from __future__ import annotations

from decimal import Decimal

from platforms.netsuite_soap.sandbox_books import APPLYING, ZERO, Books, money
from platforms.netsuite_soap.sandbox_documents import Documents, missing, user_error
from platforms.netsuite_soap.sandbox_store import Store
from platforms.netsuite_soap.sandbox_types import RefusalError, Row

TARGET = {
    ("customerPayment", "applyList"): "invoice",
    ("creditMemo", "applyList"): "invoice",
    ("customerDeposit", "applyList"): "invoice",
    ("customerRefund", "applyList"): "creditMemo",
    ("customerRefund", "depositList"): "customerDeposit",
}


class Money:
    """Completes and checks one document that pays or pays back."""

    def __init__(self, store: Store, books: Books, documents: Documents) -> None:
        self.store = store
        self.books = books
        self.documents = documents

    def payment(self, row: Row, old: Row | None) -> None:
        """A payment: what is not applied stays with the customer."""
        if row.get("creditList"):
            raise user_error("Credits are applied by their own record.")
        self.documents.head(row, old)
        if row.get("autoApply") and old is None and not row.get("applyList"):
            row["applyList"] = self.oldest(row, row.get("payment", ZERO))
        given = self.check(row, "applyList", old, row.get("payment"))
        row.setdefault("payment", given)
        self.enough(row, given, old)
        row.setdefault("undepFunds", "account" not in row)

    def enough(self, row: Row, given: Decimal, old: Row | None) -> None:
        """A sum, and no more applied than it is."""
        if row["payment"] <= 0:
            raise missing("payment")
        row["payment"] = money(row["payment"])
        if given > row["payment"]:
            raise user_error("The amount applied is more than the payment.")
        refunded = self.books.applied_to(old["internalId"]) if old else ZERO
        if given + refunded > row["payment"]:
            raise user_error("The amount applied is more than what is left.")

    def deposit(self, row: Row, old: Row | None) -> None:
        """A deposit, for an order or just so."""
        order = self.store.get("salesOrder", row["salesOrder"]["id"]) if "salesOrder" in row else {}
        if order:
            row.setdefault("customer", dict(order["entity"]))
        self.documents.head(row, old)
        if order and order["entity"] != row["customer"]:
            raise RefusalError("INVALID_KEY_OR_REF", "Invalid salesOrder reference key.")
        row.setdefault("payment", ZERO)
        self.enough(row, self.check(row, "applyList", old, row["payment"]), old)
        if order:
            number = order["internalId"]
            paid = [r for r in self.store.all("customerDeposit") if r is not old]
            of_order = [r["payment"] for r in paid if r.get("salesOrder") == {"id": number}]
            if sum(of_order, row["payment"]) > order["total"]:
                row["_warning"] = "The deposits are more than the total of the sales order."

    def credit_memo(self, row: Row, old: Row | None) -> None:
        """A credit: made from an invoice it is applied there, as far as that is open."""
        source = self.documents.from_source(row, old)
        self.documents.head(row, old)
        self.documents.lines.settle(row)
        if old is None and not row.get("applyList"):
            if source is not None and source["_kind"] == "invoice":
                part = min(row["total"], self.books.remaining(source))
                doc = int(source["internalId"])
                row["applyList"] = [{"doc": doc, "apply": True, "amount": part}] if part else []
            elif row.get("autoApply"):
                row["applyList"] = self.oldest(row, row["total"])
        given = self.check(row, "applyList", old, row["total"])
        refunded = self.books.applied_to(old["internalId"]) if old else ZERO
        if given + refunded > row["total"]:
            raise user_error("The amount applied is more than the credit.")

    def refund(self, row: Row, old: Row | None) -> None:
        """Money back, out of credits and deposits."""
        self.documents.head(row, old)
        if not {"paymentMethod", "account"} & row.keys():
            raise missing("paymentMethod")
        given = sum((self.check(row, name, old, None) for name in APPLYING[row["_kind"]]), ZERO)
        if given <= 0:
            raise user_error("You must apply this refund to at least one credit.")
        row["total"] = given

    def oldest(self, row: Row, amount: Decimal) -> list[Row]:
        """An amount spread over the customer's open invoices, oldest first."""
        party = row.get("customer") or row["entity"]
        rows = []
        for invoice in self.store.all("invoice"):
            part = min(amount, self.books.remaining(invoice))
            if invoice["entity"] == party and invoice["currency"] == row["currency"] and part > 0:
                rows.append({"doc": int(invoice["internalId"]), "apply": True, "amount": part})
                amount -= part
        return rows

    def check(self, row: Row, name: str, old: Row | None, whole: Decimal | None) -> Decimal:
        """The sum a sublist applies: each to an open record of this customer, none too much."""
        kind = TARGET[row["_kind"], name]
        party = row.get("customer") or row["entity"]
        row[name] = [one for one in row.get(name, []) if one.get("apply", True)]
        given = ZERO
        seen = set()
        for one in row[name]:
            one["apply"] = True
            doc = str(one.get("doc", ""))
            target = self.store.get(kind, doc)
            owner = target and (target.get("customer") or target["entity"])
            if target is None or owner != party or doc in seen:
                raise RefusalError("INVALID_KEY_OR_REF", f"Invalid doc reference key {doc}.")
            seen.add(doc)
            if target["currency"] != row["currency"]:
                raise user_error("A record of another currency cannot be applied.")
            left = self.books.remaining(target, skip=(old or {}).get("internalId", ""))
            able = left if whole is None else min(left, whole - given)
            one["amount"] = money(one.get("amount", able))
            if one["amount"] <= 0 or one["amount"] > left:
                raise user_error(f"Amount {one['amount']} of {doc}: {money(left)} is open.")
            given += one["amount"]
        return given
