"""What people do in NetSuite's own screens: ship, bill, take money, credit, edit, block."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from platforms.netsuite_soap.sandbox_books import money
from platforms.netsuite_soap.sandbox_soap import SoapFaultError
from platforms.netsuite_soap.sandbox_store import ITEMS, STOCKED, Store, pricing
from platforms.netsuite_soap.sandbox_types import KINDS, SCHEMAS, Draft, Row, Schema, Sublist
from platforms.netsuite_soap.sandbox_views import Views
from platforms.netsuite_soap.sandbox_writes import Wishes, Writes

PLAIN = {
    "orders": "salesOrder",
    "customers": "customer",
    "contacts": "contact",
    "invoices": "invoice",
    "receipts": "cashSale",
    "paybacks": "cashRefund",
    "shipments": "itemFulfillment",
    "payments": "customerPayment",
    "deposits": "customerDeposit",
    "credits": "creditMemo",
    "refunds": "customerRefund",
    "returns": "returnAuthorization",
    "adjustments": "inventoryAdjustment",
    "taxes": "salesTaxItem",
    "units": "unitsType",
}
"""Plain words for kinds, beside the vendor's own."""
Made = tuple[str, str]


class NoSuchActError(Exception):
    """People cannot do this to such a record, or there is no such record."""


class Desk:
    """The people of one account.

    Args:
        data: the account.
        views: shows what they have done.
        writes: keeps it by the vendor's rules; nothing of it is counted as accepted.
    """

    def __init__(self, data: Store, views: Views, writes: Writes) -> None:
        self.data = data
        self.views = views
        self.writes = writes
        self.acts: dict[tuple[str, str], Callable[[Row, Row], Made]] = {
            ("salesOrder", "ship"): self._ship,
            ("salesOrder", "invoice"): self._invoice,
            ("salesOrder", "pay"): self._deposit,
            ("salesOrder", "receipt"): self._sell,
            ("salesOrder", "return"): self._return,
            ("salesOrder", "approve"): self._approve,
            ("salesOrder", "cancel"): self._cancel,
            ("invoice", "pay"): self._pay,
            ("invoice", "credit"): self._credit,
            ("invoice", "return"): self._return,
            ("cashSale", "refund"): self._pay_back,
            ("creditMemo", "refund"): self._refund,
            ("customerDeposit", "refund"): self._refund,
            ("customer", "pay"): self._pay_several,
            ("returnAuthorization", "return"): self._receive,
            ("returnAuthorization", "credit"): self._credit,
            ("returnAuthorization", "cancel"): self._cancel,
            ("customer", "block"): self._block,
            **{(kind, "block"): self._block for kind in ITEMS},
        }

    # Reading.

    def kinds(self, word: str) -> list[str]:
        """The kinds a word means."""
        if word == "items":
            return list(ITEMS)
        known = {name.lower(): name for name in (*KINDS, *self.data.rows)}
        found = known.get(PLAIN.get(word, word).lower())
        if found is None:
            raise NoSuchActError(f"no kind {word}")
        return [found]

    def records(self, word: str) -> list[Any]:
        """All records of a kind, as the vendor shows them."""
        return [self.views.words(row) for row in self.data.all(*self.kinds(word))]

    def find(self, word: str, number: str) -> Row:
        """A record by either of its ids, an item by its name too."""
        kinds = self.kinds(word)
        if word == "items":
            return self._item(number, tuple(kinds))
        row = self.data.of(kinds, number) or self.data.keyed(kinds, number)
        if row is None:
            raise NoSuchActError(f"no {word} {number}")
        return row

    def record(self, word: str, number: str) -> Any:
        """One record, as the vendor shows it."""
        return self.views.words(self.find(word, number))

    # Doing.

    def act(self, word: str, number: str, action: str, body: Row | None = None) -> Row:
        """Do something to a record; gives the id and the record that came of it."""
        with self.data.lock:
            row = self.find(word, number)
            if action == "edit":
                made = self._edit(row, body or {})
            elif action == "delete":
                made = self._delete(row)
            else:
                work = self.acts.get((row["_kind"], action))
                if work is None:
                    raise NoSuchActError(f"nobody can {action} a {row['_kind']}")
                made = work(row, body or {})
            kept = self.data.get(*made)
            return {"id": made[1], "record": self.views.words(kept) if kept else None}

    def add(self, kind: str, fields: Row) -> str:
        """A record typed in, its fields under the vendor's names."""
        number, key = fields.get("internalId", ""), fields.get("externalId", "")
        rest = {k: v for k, v in fields.items() if k not in ("internalId", "externalId")}
        with self.data.lock:
            row = self._prepared(Draft(kind, "", key, self._values(rest, KINDS[kind])), None)
            if number:
                row["internalId"] = number
            self.writes.commit(row, None, is_counted=False)
            return str(row["internalId"])

    def set_stock(self, sku: str, quantity: Decimal, location: str = "") -> None:
        """Count an item at a location, in its base unit: an adjustment by what is off."""
        with self.data.lock:
            key = self._place(sku, location)
            there = self.data.stock.get(key, {"onHand": Decimal()})["onHand"]
            if quantity == there:
                return
            item, place = ({"id": one} for one in key)
            line = {"item": item, "location": place, "adjustQtyBy": quantity - there}
            values: Row = {"memo": "Count", "inventoryList": Sublist(True, [line])}
            for name, key_ in (("account", "accounts"), ("subsidiary", "subsidiaries")):
                values[name] = {"id": self.data.seed[key_][0]["internalId"]}
            self._keep("inventoryAdjustment", values)

    def receive(
        self, sku: str, quantity: Decimal, location: str = "", *, is_here: bool = True
    ) -> None:
        """Goods come in at a location; those not here yet are on order."""
        with self.data.lock:
            place = self._place(sku, location)
            self.data.move(*place, quantity if is_here else Decimal())
            ordered = self.data.stock[place]["onOrder"]
            due = max(Decimal(), ordered - quantity) if is_here else ordered + quantity
            self.data.stock[place]["onOrder"] = due

    def move(self, sku: str, quantity: Decimal, source: str, target: str) -> None:
        """Take goods from a location to another."""
        with self.data.lock:
            for location, part in ((source, -quantity), (target, quantity)):
                self.data.move(*self._place(sku, location), part)

    def _place(self, sku: str, location: str) -> tuple[str, str]:
        """An item's id and a location's; the first location if none is named."""
        place = location or self.data.seed["locations"][0]["internalId"]
        if self.data.get("location", place) is None:
            raise NoSuchActError(f"no location {place}")
        return str(self._item(sku, STOCKED)["internalId"]), place

    def set_price(
        self,
        sku: str,
        price: Decimal,
        level: str = "1",
        currency: str = "1",
        quantity: Decimal | None = None,
    ) -> None:
        """Give an item another price per sale unit: for any quantity, or from one on."""
        with self.data.lock:
            item = self._item(sku, ITEMS)
            changed = copy.deepcopy(item)
            of = {"level": level, "currency": currency}
            (entry,) = pricing([of | {"value": price, "quantity": str(quantity or 0)}])
            others = []
            for one in changed["pricingMatrix"]:
                if (one["priceLevel"]["id"], one["currency"]["id"]) != (level, currency):
                    others.append(one)
                elif quantity is not None:
                    kept = [row for row in one["priceList"] if row["quantity"] != quantity]
                    rows = [*kept, *entry["priceList"]]
                    entry["priceList"] = sorted(rows, key=lambda row: row["quantity"])
            self.data.put(changed | {"pricingMatrix": [*others, entry]})

    def _item(self, sku: str, kinds: tuple[str, ...]) -> Row:
        for row in self.data.all(*kinds):
            if sku in (row["itemId"], row["internalId"], row.get("externalId")):
                return row
        raise NoSuchActError(f"no item {sku}")

    def _prepared(self, draft: Draft, old: Row | None) -> Row:
        row = self.writes.prepare(draft, old, Wishes(ignores_read_only=True))
        row.pop("_warning", None)
        return row

    def _keep(self, kind: str, values: Row) -> Made:
        row = self._prepared(Draft(kind, "", "", values), None)
        self.writes.commit(row, None, is_counted=False)
        return kind, row["internalId"]

    def _change(self, row: Row, values: Row, cleared: list[str] | None = None) -> Made:
        draft = Draft(row["_kind"], row["internalId"], "", values, cleared or [])
        changed = self._prepared(draft, row)
        self.writes.commit(changed, row, is_counted=False)
        return row["_kind"], row["internalId"]

    def _edit(self, row: Row, body: Row) -> Made:
        if row["_kind"] not in self.writes.savers:
            raise NoSuchActError(f"nobody edits a {row['_kind']}")
        cleared = [name for name, value in body.items() if value is None]
        given = {name: value for name, value in body.items() if value is not None}
        return self._change(row, self._values(given, KINDS[row["_kind"]]), cleared)

    def _delete(self, row: Row) -> Made:
        self.writes.discard(row)
        return row["_kind"], row["internalId"]

    def _block(self, row: Row, _: Row) -> Made:
        self.data.put(row | {"isInactive": True})
        return row["_kind"], row["internalId"]

    # Orders.

    def _approve(self, order: Row, _: Row) -> Made:
        return self._change(order, {"orderStatus": "_pendingFulfillment"})

    def _approved(self, order: Row) -> None:
        if order["orderStatus"] == "_pendingApproval":
            self._approve(order, {})

    def _cancel(self, row: Row, _: Row) -> Made:
        if row["_kind"] == "returnAuthorization":
            return self._change(row, {"orderStatus": "_cancelled"})
        lines = [{"line": one["line"], "isClosed": True} for one in row["itemList"]]
        return self._change(row, {"itemList": Sublist(False, lines)})

    def _lines(self, source: Row, body: Row, **more: Any) -> Row:
        """Lines named by number or SKU, as rows made from a source's; none is all of them."""
        given = body.get("lines")
        if given is None:
            return {}
        rows = []
        for one in given:
            place = one.get("line") or self._line_of(source, one["sku"])
            quantity = Decimal(str(one["quantity"]))
            rows.append({"orderLine": int(place), "quantity": quantity} | more)
        return {"itemList": Sublist(True, rows)}

    def _line_of(self, source: Row, sku: str) -> int:
        item = self._item(sku, ITEMS)
        for one in source["itemList"]:
            if one["item"]["id"] == item["internalId"]:
                return int(one["line"])
        raise ValueError(f"no line of {sku}")

    def _ship(self, order: Row, body: Row) -> Made:
        self._approved(order)
        values: Row = {"createdFrom": {"id": order["internalId"]}, "shipStatus": "_shipped"}
        values |= self._lines(order, body, itemReceive=True)
        if body.get("tracking") or body.get("carrier"):
            package: Row = {"packageWeight": Decimal(1)}
            package |= {"packageTrackingNumber": str(body.get("tracking", ""))}
            package |= {"packageDescr": str(body.get("carrier", ""))}
            values["packageList"] = Sublist(True, [package])
        for method in self.data.all("shipItem"):
            if method["name"] == body.get("carrier"):
                values["shipMethod"] = {"id": method["internalId"]}
        return self._keep("itemFulfillment", values)

    def _invoice(self, order: Row, body: Row) -> Made:
        self._approved(order)
        values = {"createdFrom": {"id": order["internalId"]}} | self._lines(order, body)
        return self._keep("invoice", values)

    def _deposit(self, order: Row, body: Row) -> Made:
        amount = Decimal(str(body.get("amount", order["total"])))
        values: Row = {"salesOrder": {"id": order["internalId"]}, "payment": amount}
        return self._keep("customerDeposit", values | self._reference(body))

    def _sell(self, order: Row, body: Row) -> Made:
        """Bill an order that is paid at once."""
        self._approved(order)
        values = {"createdFrom": {"id": order["internalId"]}} | self._lines(order, body)
        return self._keep("cashSale", values | self._method(body))

    def _method(self, body: Row) -> Row:
        """How money moves: the first way there is unless one is named."""
        first = self.data.seed["payment_methods"][0]["internalId"]
        return {"paymentMethod": {"id": str(body.get("method", first))}}

    def _reference(self, body: Row) -> Row:
        return {"memo": str(body["reference"])} if body.get("reference") else {}

    # Invoices and returns.

    def _pay(self, invoice: Row, body: Row) -> Made:
        left = self.views.books.remaining(invoice)
        amount = Decimal(str(body.get("amount", left)))
        apply: Row = {"doc": int(invoice["internalId"]), "apply": True, "amount": min(amount, left)}
        values: Row = {"customer": dict(invoice["entity"]), "payment": amount}
        values |= {"currency": dict(invoice["currency"])}
        values["applyList"] = Sublist(True, [apply] if apply["amount"] > 0 else [])
        return self._keep("customerPayment", values | self._reference(body))

    def _pay_several(self, customer: Row, body: Row) -> Made:
        """One payment, spread over invoices by their ids; what is over stays unapplied."""
        rows, given = [], Decimal()
        for number in body.get("invoices", []):
            invoice = self.find("invoice", str(number))
            left = self.views.books.remaining(invoice)
            rows.append({"doc": int(invoice["internalId"]), "apply": True, "amount": left})
            given += left
        amount = Decimal(str(body.get("amount", given)))
        values: Row = {"customer": {"id": customer["internalId"]}, "payment": amount}
        values["applyList"] = Sublist(True, rows)
        return self._keep("customerPayment", values | self._reference(body))

    def _refund(self, source: Row, body: Row) -> Made:
        """Money back out of a credit or a deposit."""
        name = "depositList" if source["_kind"] == "customerDeposit" else "applyList"
        amount = Decimal(str(body.get("amount", self.views.books.remaining(source))))
        apply = {"doc": int(source["internalId"]), "apply": True, "amount": amount}
        party = source.get("customer") or source["entity"]
        values: Row = {"customer": dict(party), "currency": dict(source["currency"])}
        values |= self._method(body) | {name: Sublist(True, [apply])}
        return self._keep("customerRefund", values | self._reference(body))

    def _pay_back(self, sale: Row, body: Row) -> Made:
        """Money of a cash sale back, by lines, an amount, or all of it."""
        values: Row = {"createdFrom": {"id": sale["internalId"]}}
        if "amount" in body and "lines" not in body:
            values["itemList"] = Sublist(True, [self._lump(sale, Decimal(str(body["amount"])))])
        else:
            values |= self._lines(sale, body)
        return self._keep("cashRefund", values | self._reference(body))

    def _credit(self, source: Row, body: Row) -> Made:
        values: Row = {"createdFrom": {"id": source["internalId"]}}
        if "amount" in body and "lines" not in body:
            values["itemList"] = Sublist(True, [self._lump(source, Decimal(str(body["amount"])))])
        else:
            values |= self._lines(source, body)
        return self._keep("creditMemo", values | self._reference(body))

    def _lump(self, source: Row, gross: Decimal) -> Row:
        """One line worth an amount, tax included, on the first item of the source."""
        first = source["itemList"][0]
        net = money(gross * 100 / (100 + first["taxRate1"]))
        row = {"item": dict(first["item"]), "quantity": Decimal(1), "price": {"id": "-1"}}
        tax = {"taxCode": dict(first["taxCode"])} if "taxCode" in first else {}
        return row | {"amount": net, "description": "Allowance"} | tax

    def _return(self, source: Row, body: Row) -> Made:
        values = {"createdFrom": {"id": source["internalId"]}, "orderStatus": "_pendingReceipt"}
        return self._keep("returnAuthorization", values | self._lines(source, body))

    def _receive(self, row: Row, body: Row) -> Made:
        """Take goods of a return back into stock."""
        changed = copy.deepcopy(row)
        changed["orderStatus"] = "_pendingReceipt"
        wanted = {one["line"]: one["quantity"] for one in changed["itemList"]}
        if "lines" in body:
            wanted = {
                int(one.get("line") or self._line_of(row, one["sku"])): Decimal(
                    str(one["quantity"])
                )
                for one in body["lines"]
            }
        for one in changed["itemList"]:
            back = wanted.get(one["line"], Decimal())
            if one["quantityReceived"] + back > one["quantity"]:
                raise ValueError(f"line {one['line']}: more than is to come back")
            one["quantityReceived"] += back
            factor = self.data.factor((one.get("units") or {}).get("id"))
            for item, count in self.writes.documents.parts(one["item"]["id"]):
                place = self.views.books.location(changed, one)
                if back:
                    self.data.move(item, place, back * factor * count)
        self.data.put(changed)
        return row["_kind"], row["internalId"]

    # Words into values.

    def _values(self, given: Row, schema: Schema) -> Row:
        """JSON under the vendor's field names as a request's values."""
        return {name: self._value(name, value, schema) for name, value in given.items()}

    def _value(self, name: str, value: Any, schema: Schema) -> Any:
        if name in schema.lists:
            of = schema.lists[name][1]
            if not of:
                return Sublist(True, [{"id": str(one)} for one in value])
            return Sublist(False, [self._values(one, SCHEMAS[of]) for one in value])
        if name in schema.complex:
            return self._values(value, SCHEMAS[schema.complex[name]])
        if name == "customFieldList":
            return {
                script_id: {"type": self.data.custom[script_id]["type"], "value": one}
                for script_id, one in value.items()
            }
        kind = schema.fields[name]
        if kind == "ref":
            if isinstance(value, dict):
                return {"key": value["externalId"]} if "externalId" in value else value
            return {"id": str(value)}
        if isinstance(value, bool):
            return value
        try:
            return self.data.types.parsed(str(value), kind, name)
        except SoapFaultError as wrong:
            raise ValueError(wrong.message) from wrong
