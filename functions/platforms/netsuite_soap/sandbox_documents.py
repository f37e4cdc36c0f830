"""Orders and what is made from them in the NetSuite sandbox: what each may say, and when."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from platforms.netsuite_soap.sandbox_books import ZERO, Books
from platforms.netsuite_soap.sandbox_lines import Lines, needed
from platforms.netsuite_soap.sandbox_merge import forbidden
from platforms.netsuite_soap.sandbox_store import STOCKED, TRANSACTIONS, Store
from platforms.netsuite_soap.sandbox_types import RefusalError, Row

SOURCES = {
    "itemFulfillment": ("salesOrder",),
    "invoice": ("salesOrder",),
    "cashSale": ("salesOrder",),
    "customerPayment": ("invoice", "customer"),
    "customerDeposit": ("salesOrder",),
    "cashRefund": ("cashSale", "returnAuthorization"),
    "returnAuthorization": ("salesOrder", "invoice", "cashSale"),
    "creditMemo": ("invoice", "returnAuthorization"),
    "customerRefund": ("creditMemo",),
}
"""What can be initialized from what."""
TAKEN_OVER = (
    "entity",
    "subsidiary",
    "currency",
    "exchangeRate",
    "location",
    "department",
    "class",
    "terms",
    "otherRefNum",
    "memo",
    "billingAddress",
    "shippingAddress",
    "discountItem",
    "shipMethod",
    "shippingTaxCode",
    "handlingTaxCode",
    "email",
    "taxItem",
)
LINE = ("item", "description", "units", "price", "rate", "taxCode", "location", "department")
SETTABLE = ("_pendingApproval", "_pendingFulfillment")


def missing(name: str) -> RefusalError:
    """A field the vendor cannot do without."""
    return RefusalError("MISSING_REQD_FLD", f"Missing required field: {name}")


def user_error(text: str) -> RefusalError:
    """A rule of the vendor's forms."""
    return RefusalError("USER_ERROR", text)


class Documents:
    """Completes and checks one document before it is kept."""

    def __init__(self, store: Store, books: Books, lines: Lines) -> None:
        self.store = store
        self.books = books
        self.lines = lines

    # Made from another.

    def initial(self, kind: str, source: Row) -> Row:
        """What the vendor fills in of a new document made from another, nothing kept."""
        if source["_kind"] not in SOURCES.get(kind, ()):
            raise self.no_source(kind, source["internalId"])
        if source["_kind"] == "salesOrder":
            self.open_order(kind, source)
        row: Row = {"_kind": kind, "createdFrom": {"id": source["internalId"]}}
        if kind.startswith("customer"):
            return self.initial_money(kind, source, row)
        row |= {name: copy.deepcopy(source[name]) for name in TAKEN_OVER if name in source}
        row["itemList"] = [
            self.initial_line(one, left)
            for one in source["itemList"]
            if (left := self.left(kind, source, one)) > 0
            or (kind in ("invoice", "cashSale") and not one.get("quantity"))
        ]
        if not any(one.get("quantity") for one in row["itemList"]):
            raise self.no_source(kind, source["internalId"])
        if kind == "itemFulfillment":
            for one in row["itemList"]:
                one["itemReceive"] = True
                one["location"] = {"id": self.books.location(source, one)}
        elif kind in ("invoice", "cashSale"):
            self.take_costs(row, source)
        row["tranDate"] = self.today()
        return row

    def no_source(self, kind: str, number: str) -> RefusalError:
        """A reference nothing can be made from."""
        text = f"You can not initialize {kind}: invalid reference {number}."
        return RefusalError("INVALID_INITIALIZE_REF", text)

    def open_order(self, kind: str, order: Row) -> None:
        """An order must be approved and open."""
        if self.books.order_status(order) in ("_pendingApproval", "_cancelled", "_closed"):
            raise self.no_source(kind, order["internalId"])

    def initial_line(self, line: Row, left: Decimal) -> Row:
        """A line of the source with what is left of it."""
        row: Row = {name: copy.deepcopy(line[name]) for name in LINE if name in line}
        if line.get("customFieldList"):
            row["customFieldList"] = copy.deepcopy(line["customFieldList"])
        row["orderLine"] = line["line"]
        row["quantity"] = left
        if not line.get("quantity"):
            row["amount"] = line.get("amount", ZERO)
        return row

    def take_costs(self, row: Row, order: Row) -> None:
        """Shipping and a discount amount go with the first bill of an order."""
        is_first = not self.books.following(order["internalId"], "invoice", "cashSale")
        rate = order.get("discountRate")
        if rate and (is_first or str(rate).endswith("%")):
            row["discountRate"] = rate
        for name in ("shippingCost", "handlingCost"):
            if is_first and order.get(name) is not None:
                row[name] = order[name]

    def initial_money(self, kind: str, source: Row, row: Row) -> Row:
        """A payment, deposit or refund of what is left."""
        row["tranDate"] = self.today()
        if source["_kind"] == "customer":
            row.pop("createdFrom")
            return row | {"customer": {"id": source["internalId"]}}
        row |= {"customer": dict(source["entity"]), "currency": dict(source["currency"])}
        row.pop("createdFrom")
        if kind == "customerDeposit":
            row |= {"salesOrder": {"id": source["internalId"]}, "payment": source["total"]}
            return row
        left = self.books.remaining(source)
        apply = {"doc": int(source["internalId"]), "apply": True, "amount": left}
        row["applyList"] = [apply]
        return row | ({"payment": left} if kind == "customerPayment" else {})

    def left(self, kind: str, source: Row, line: Row, *, skip: str = "") -> Decimal:
        """How much of a source's line can still go into a document of a kind."""
        number, place = source["internalId"], line["line"]
        quantity: Decimal = line.get("quantity", ZERO)
        if kind == "itemFulfillment":
            if line.get("isClosed") or not self.books.ships(line):
                return ZERO
            return quantity - self.books.taken(number, kind, place, skip=skip)
        if kind in ("invoice", "cashSale"):
            in_advance = self.store.seed["is_invoice_in_advance"] or not self.books.ships(line)
            able = quantity if in_advance else self.books.shipped(number, place)
            return able - self.books.billed(number, place, skip=skip)
        if source["_kind"] == "salesOrder":
            quantity = self.books.shipped(number, place) if self.books.ships(line) else quantity
        elif source["_kind"] == "returnAuthorization":
            quantity = line.get("quantityReceived", ZERO)
        return quantity - self.books.taken(number, kind, place, skip=skip)

    def today(self) -> Any:
        """The day in the account's time zone."""
        return self.store.clock().astimezone(self.store.types.zone).date()

    # What every transaction has.

    def head(self, row: Row, old: Row | None) -> None:
        """Customer, currency, date and number."""
        party = "customer" if row["_kind"].startswith("customer") else "entity"
        if party not in row:
            raise missing(party)
        customer = self.store.point(row[party], party, must_be_active=old is None)
        defaults: Row = {"currency": customer["currency"], "subsidiary": customer["subsidiary"]}
        defaults["tranDate"] = self.today()
        if row["_kind"] in ("salesOrder", "invoice", "cashSale"):
            for name in ("terms", "email", "salesRep"):
                if customer.get(name):
                    defaults[name] = customer[name]
            self.addresses(row, customer)
        for name, value in defaults.items():
            row.setdefault(name, copy.deepcopy(value))
        self.allow_currency(row, customer)
        if row["subsidiary"]["id"] != customer["subsidiary"]["id"]:
            text = f"Invalid subsidiary reference key {row['subsidiary']['id']} for {party}"
            raise RefusalError("INVALID_KEY_OR_REF", f"{text} {customer['internalId']}.")
        currency = self.store.need("currency", row["currency"]["id"])
        row.setdefault("exchangeRate", currency["exchangeRate"])
        self.number(row, old)

    def number(self, row: Row, old: Row | None) -> None:
        """The document's number is the account's to give."""
        if row.get("tranId") != (old or {}).get("tranId"):
            raise forbidden("tranId")
        row.setdefault("tranId", self.store.next_number(row["_kind"]))

    def allow_currency(self, row: Row, customer: Row) -> None:
        """Only a currency the customer has."""
        own = [customer["currency"]["id"]]
        own += [one["currency"]["id"] for one in customer.get("currencyList", [])]
        if row["currency"]["id"] not in own:
            text = f"Invalid currency reference key {row['currency']['id']} for entity"
            raise RefusalError("INVALID_KEY_OR_REF", f"{text} {customer['internalId']}.")

    def addresses(self, row: Row, customer: Row) -> None:
        """The customer's default addresses, where the document has none of its own."""
        for flag, name in (("Shipping", "shippingAddress"), ("Billing", "billingAddress")):
            for entry in customer.get("addressbookList", []):
                if entry.get(f"default{flag}") and name not in row:
                    row[name] = copy.deepcopy(entry["addressbookAddress"])
        for name in ("shippingAddress", "billingAddress"):
            if row.get(name):
                row[name]["addrText"] = address_text(row[name])

    # Each kind.

    def sales_order(self, row: Row, old: Row | None) -> None:
        """An order: lines that have gone out stay, and status is the account's but for approval."""
        self.head(row, old)
        given = row.setdefault("orderStatus", self.store.seed["order_status"])
        before = (old or {}).get("orderStatus", given)
        if before == "_cancelled":
            raise user_error("This transaction has been cancelled and cannot be changed.")
        if given == "_cancelled":
            self.cancel(row, old)
        elif given not in SETTABLE:
            raise user_error(f"Invalid order status {given}.")
        for one in row.get("itemList", []):
            one.setdefault("isClosed", False)
        if old:
            self.keep_gone(row, old, given != before)
        self.lines.settle(row)

    def cancel(self, row: Row, old: Row | None) -> None:
        """Cancelling by status: only while pending, and only if the role may."""
        if not self.store.seed["is_cancel_by_status_allowed"]:
            raise forbidden("orderStatus")
        status = self.books.order_status(old) if old else ""
        if status not in SETTABLE:
            raise user_error("Only a pending order can be cancelled.")
        if self.books.following(row["internalId"], *TRANSACTIONS):
            raise user_error("An order with transactions made from it cannot be cancelled.")

    def keep_gone(self, row: Row, old: Row, is_moved: bool) -> None:
        """What has been picked or billed of a line must stay in it."""
        number = old["internalId"]
        lines = {one["line"]: one for one in row.get("itemList", []) if "line" in one}
        has_gone = False
        for one in old["itemList"]:
            place = one["line"]
            picked = self.books.taken(number, "itemFulfillment", place)
            gone = max(picked, self.books.billed(number, place))
            if not gone:
                continue
            has_gone = True
            if place not in lines or lines[place]["item"]["id"] != one["item"]["id"]:
                raise user_error(
                    f"Line {place} has been fulfilled or billed: it cannot be removed."
                )
            if lines[place].get("quantity", ZERO) < gone:
                raise user_error(f"The quantity of line {place} is less than was fulfilled.")
        if has_gone and is_moved and row["orderStatus"] == "_pendingApproval":
            raise user_error("A partly fulfilled order cannot go back to approval.")

    def from_source(self, row: Row, old: Row | None) -> Row | None:
        """The source of a document, its lines checked against what is left there."""
        kind = row["_kind"]
        ref = row.get("createdFrom")
        if ref is None:
            return None
        source = self.store.of(TRANSACTIONS, ref["id"])
        if source is None or source["_kind"] not in SOURCES[kind]:
            text = f"Invalid createdFrom reference key {ref['id']}."
            raise RefusalError("INVALID_KEY_OR_REF", text)
        lines = {one["line"]: one for one in source["itemList"]}
        for one in row.get("itemList", []):
            place = one.get("orderLine")
            if place is None:
                continue
            if place not in lines or one.get("item", lines[place]["item"]) != lines[place]["item"]:
                raise user_error(f"Invalid orderLine {place}.")
            skip = (old or {}).get("internalId", "")
            left = self.left(kind, source, lines[place], skip=skip)
            one.setdefault("item", dict(lines[place]["item"]))
            one.setdefault("quantity", left)
            if one["quantity"] > left or (left <= 0 and lines[place].get("quantity")):
                raise user_error(f"Order line {place}: only {left.normalize():f} are left.")
        return source

    def bill(self, row: Row, old: Row | None) -> None:
        """An invoice or a cash sale, of an order or alone."""
        source = self.from_source(row, old)
        if source is not None and any("orderLine" not in one for one in row["itemList"]):
            raise missing("orderLine")
        self.head(row, old)
        self.lines.settle(row)
        if row["_kind"] == "invoice":
            row.setdefault("dueDate", self.books.due_on(row.get("terms"), row["tranDate"]))
            if old and row["total"] < self.books.applied_to(row["internalId"]):
                raise user_error("The total is less than what has been applied to this invoice.")

    def cash_refund(self, row: Row, old: Row | None) -> None:
        """Money of a cash sale back, by the way it came."""
        source = self.from_source(row, old)
        for name in ("paymentMethod", "account"):
            if source and source.get(name):
                row.setdefault(name, dict(source[name]))
        if not {"paymentMethod", "account"} & row.keys():
            raise missing("paymentMethod")
        self.head(row, old)
        self.lines.settle(row)

    def fulfillment(self, row: Row, old: Row | None) -> None:
        """A shipment: only of an order, and gone only once it is marked shipped."""
        if "createdFrom" not in row:
            raise missing("createdFrom")
        lines = [one for one in row.get("itemList", []) if one.get("itemReceive", True)]
        row["itemList"] = [one for one in lines if one.get("quantity", Decimal(1)) != 0]
        if not row["itemList"]:
            raise user_error("You must have at least one valid line item for this transaction.")
        order = self.from_source(row, old)
        if order is None:
            raise missing("createdFrom")
        for place, one in enumerate(row["itemList"], 1):
            if "orderLine" not in one:
                raise missing("orderLine")
            if one["quantity"] < 0:
                raise user_error("Please enter a quantity greater than zero.")
            one |= {"line": place, "itemReceive": True}
            for name in ("price", "rate", "taxCode", "_touched"):
                one.pop(name, None)
        is_stepped = self.store.seed["is_pick_pack_ship"]
        row.setdefault("shipStatus", "_picked" if is_stepped else "_shipped")
        row["entity"] = dict(order["entity"])
        row.setdefault("tranDate", self.today())
        row.setdefault("shippingAddress", copy.deepcopy(order.get("shippingAddress", {})))
        self.number(row, old)

    def return_authorization(self, row: Row, old: Row | None) -> None:
        """A return: no more than went out; only people receive it."""
        self.from_source(row, old)
        self.head(row, old)
        status = row.setdefault("orderStatus", "_pendingApproval")
        if status not in ("_pendingApproval", "_pendingReceipt", "_closed", "_cancelled"):
            raise user_error(f"Invalid order status {status}.")
        for one in row.get("itemList", []):
            one.setdefault("quantityReceived", ZERO)
        self.lines.settle(row)

    def adjustment(self, row: Row, old: Row | None) -> None:
        """A correction of stock, booked on an account."""
        for name in ("account", "subsidiary"):
            if name not in row:
                raise missing(name)
        if not row.get("inventoryList"):
            raise user_error("You must enter at least one line item for this transaction.")
        for place, one in enumerate(row["inventoryList"], 1):
            one["line"] = place
            if "location" not in one and "adjLocation" not in row:
                raise missing("location")
            if "item" not in one or self.store.of(STOCKED, one["item"]["id"]) is None:
                raise RefusalError("INVALID_KEY_OR_REF", "Invalid item reference key.")
            if not one.get("adjustQtyBy"):
                raise needed("Adjust Qty. By")
        row.setdefault("tranDate", self.today())
        self.number(row, old)

    # Stock.

    def effect(self, row: Row | None) -> dict[tuple[str, str], Decimal]:
        """What a document does to the stock, in base units."""
        found: dict[tuple[str, str], Decimal] = {}
        if row is None:
            return found
        for line, sign in self.moving(row):
            given = line.get("location") or row.get("adjLocation")
            location = given["id"] if given else self.books.location(row, line)
            quantity: Decimal = line["adjustQtyBy" if "adjustQtyBy" in line else "quantity"] * sign
            quantity *= self.store.factor((line.get("units") or {}).get("id"))
            for item, count in self.parts(line["item"]["id"]):
                place = (item, location)
                found[place] = found.get(place, ZERO) + quantity * count
        return found

    def moving(self, row: Row) -> list[tuple[Row, int]]:
        """The lines that move goods, with their direction."""
        kind = row["_kind"]
        if kind == "inventoryAdjustment":
            return [(one, 1) for one in row["inventoryList"]]
        is_gone = kind == "itemFulfillment" and row["shipStatus"] == "_shipped"
        is_sold_alone = kind in ("invoice", "cashSale") and "createdFrom" not in row
        return [(one, -1) for one in row["itemList"]] if is_gone or is_sold_alone else []

    def parts(self, item: str) -> list[tuple[str, Decimal]]:
        """A kit's members, or the stocked item itself."""
        kit = self.store.get("kitItem", item)
        if kit:
            return [(one["item"]["id"], one["quantity"]) for one in kit.get("memberList", [])]
        return [(item, Decimal(1))] if self.store.of(STOCKED, item) else []


def address_text(address: Row) -> str:
    """An address as it is printed."""
    lines = [address.get(name) for name in ("attention", "addressee", "addr1", "addr2", "addr3")]
    town = " ".join(filter(None, (address.get(name) for name in ("city", "state", "zip"))))
    return "\n".join(filter(None, (*lines, town)))
