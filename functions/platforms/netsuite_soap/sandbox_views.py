"""Records as NetSuite shows them: names beside ids, and what is worked out from other records."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from platforms.netsuite_soap.sandbox_books import ORDER, ZERO, Books
from platforms.netsuite_soap.sandbox_store import ITEMS, STOCKED, TARGETS, TRANSACTIONS, Store
from platforms.netsuite_soap.sandbox_types import KINDS, SCHEMAS, Row, Schema

RETURN = {
    "_pendingApproval": "Pending Approval",
    "_closed": "Closed",
    "_cancelled": "Cancelled",
}


class Views:
    """Shows the records of one store."""

    def __init__(self, store: Store, books: Books) -> None:
        self.store = store
        self.books = books

    def show(self, row: Row, *, is_body_only: bool = False) -> Row:
        """A record with everything the vendor says of it; without sublists if so asked."""
        kind = row["_kind"]
        found = row | {"_kind": kind}
        more = {
            "salesOrder": self.order,
            "invoice": self.invoice,
            "itemFulfillment": self.fulfillment,
            "returnAuthorization": self.returned,
            "customer": self.customer,
        }
        if kind in more:
            found |= more[kind](row)
        elif "payment" in row or kind in ("creditMemo", "customerRefund", "cashSale", "cashRefund"):
            found |= self.paid(row)
        if kind in STOCKED:
            found |= self.goods(row)
        if kind in TRANSACTIONS and "currency" in row:
            found["currencyName"] = self.store.label(("currency",), row["currency"]["id"])
        schema = KINDS.get(kind)
        if schema is None:
            return found
        if is_body_only:
            found = {n: v for n, v in found.items() if n not in schema.lists}
        return self.named(found, schema)

    def named(self, row: Row, schema: Schema) -> Row:
        """The row with a name beside each reference, and numbers beside custom fields."""
        shown = dict(row)
        for name, kind in schema.fields.items():
            if kind == "ref" and isinstance(row.get(name), dict):
                shown[name] = self.pointer(name, row[name])
        for name, (_, of) in schema.lists.items():
            if of and isinstance(row.get(name), list):
                shown[name] = [self.named(one, SCHEMAS[of]) for one in row[name]]
            elif isinstance(row.get(name), list):
                shown[name] = [self.pointer(name.removesuffix("List"), one) for one in row[name]]
        if row.get("customFieldList"):
            shown["customFieldList"] = {
                script_id: one | {"number": self.store.custom[script_id]["number"]}
                for script_id, one in row["customFieldList"].items()
            }
        return shown

    def pointer(self, name: str, ref: Row) -> Row:
        """A reference as it is shown."""
        kinds: Sequence[str] = TARGETS.get(name, (name,))
        return {"id": ref["id"], "name": self.store.label(kinds, ref["id"])}

    def order(self, row: Row) -> Row:
        """An order's state, and how far each of its lines is."""
        number = row["internalId"]
        status = self.books.order_status(row)
        lines = []
        for one in row["itemList"]:
            place = one["line"]
            gone = self.books.shipped(number, place)
            is_open = status not in ("_pendingApproval", "_cancelled") and not one.get("isClosed")
            held = self.books.committed(number, place) if is_open else ZERO
            waits = self.store.of(STOCKED, one["item"]["id"]) is not None and is_open
            short = max(ZERO, one["quantity"] - gone - held) if waits else ZERO
            lines.append(
                one
                | {
                    "quantityFulfilled": gone,
                    "quantityBilled": self.books.billed(number, place),
                    "quantityCommitted": held,
                    "quantityBackOrdered": short,
                }
            )
        shipped = [
            package["packageTrackingNumber"]
            for one in self.books.following(number, "itemFulfillment")
            if one["shipStatus"] == "_shipped"
            for package in one.get("packageList", [])
            if package.get("packageTrackingNumber")
        ]
        found: Row = {"orderStatus": status, "status": ORDER[status], "itemList": lines}
        return found | ({"linkedTrackingNumbers": " ".join(shipped)} if shipped else {})

    def invoice(self, row: Row) -> Row:
        """What of an invoice is paid."""
        left = self.books.remaining(row)
        status = "Paid In Full" if left <= 0 else "Open"
        return {"amountRemaining": left, "amountPaid": row["total"] - left, "status": status}

    def paid(self, row: Row) -> Row:
        """What of a payment, deposit or credit is used."""
        kind = row["_kind"]
        if kind in ("customerRefund", "cashRefund"):
            return {"status": "Deposited"}
        if kind == "cashSale":
            return {"status": "Not Deposited" if row.get("undepFunds", True) else "Deposited"}
        left = self.books.remaining(row)
        whole: Decimal = row["payment"] if "payment" in row else row["total"]
        found: Row = {"applied": whole - left, "unapplied": left}
        if kind == "creditMemo":
            found["amountRemaining"] = left
            return found | {"status": "Fully Applied" if left <= 0 else "Open"}
        if kind == "customerDeposit":
            return {"status": "Fully Applied" if left <= 0 else "Not Deposited"}
        found["total"] = whole
        return found | {"status": "Not Deposited" if row["undepFunds"] else "Deposited"}

    def fulfillment(self, row: Row) -> Row:
        """How far a shipment is."""
        return {"status": row["shipStatus"].removeprefix("_").capitalize()}

    def returned(self, row: Row) -> Row:
        """How far a return is."""
        lines = []
        for one in row["itemList"]:
            billed = self.books.taken(row["internalId"], "creditMemo", one["line"])
            lines.append(one | {"quantityBilled": billed})
        return {"itemList": lines, "status": self.return_status(row, lines)}

    def return_status(self, row: Row, lines: list[Row]) -> str:
        """A return's state in words."""
        if row["orderStatus"] in RETURN:
            return RETURN[row["orderStatus"]]
        back = [one["quantityReceived"] for one in lines]
        if all(one["quantityBilled"] >= one["quantity"] for one in lines):
            return "Refunded"
        if all(b >= one["quantity"] for b, one in zip(back, lines, strict=True)):
            return "Pending Refund"
        return "Partially Received" if any(back) else "Pending Receipt"

    def customer(self, row: Row) -> Row:
        """What a customer owes today."""
        today = self.store.clock().astimezone(self.store.types.zone).date()
        return self.books.balances(row["internalId"], today)

    def goods(self, row: Row) -> Row:
        """An item's stock, in all and per location, in its base unit."""
        places = self.books.availability(row)
        names = ("quantityOnHand", "quantityAvailable", "quantityCommitted", "quantityOnOrder")
        found: Row = {name: sum((one[name] for one in places), ZERO) for name in names}
        found["locationsList"] = [
            one | {"location": self.store.label(("location",), one["locationId"]["id"])}
            for one in places
        ]
        return found

    def availability(self, items: list[Row]) -> list[Row]:
        """What ``getItemAvailability`` says of these items."""
        return [
            one | {"item": self.pointer("item", {"id": item["internalId"]}), "kind": item["_kind"]}
            for item in items
            if item["_kind"] in ITEMS
            for one in self.books.availability(item)
        ]

    def words(self, row: Row) -> Any:
        """A record as JSON, for the control routes."""
        return self.store.types.words(self.show(row))
