"""What one NetSuite account holds: records, external ids, numbers, stock, and what was deleted.

A record keeps only what is its own. What it owes to others, such as what has been shipped of an
order, is worked out from them (``sandbox_books``): one write changes one record, or nothing.
"""

from __future__ import annotations

import copy
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from platforms.netsuite_soap.sandbox_types import KINDS, RefusalError, Row, Types, utc

SEED: Row = json.loads(Path(__file__).with_name("sandbox_seed.json").read_text())
ITEMS = ("inventoryItem", "assemblyItem", "kitItem", "nonInventorySaleItem", "discountItem")
STOCKED = ("inventoryItem", "assemblyItem")
ENTITIES = ("customer", "contact")
TRANSACTIONS = (
    "salesOrder",
    "invoice",
    "cashSale",
    "cashRefund",
    "itemFulfillment",
    "customerPayment",
    "customerDeposit",
    "creditMemo",
    "customerRefund",
    "returnAuthorization",
    "inventoryAdjustment",
)
TITLES = {
    "salesOrder": ("SO", "Sales Order"),
    "invoice": ("INV", "Invoice"),
    "cashSale": ("CS", "Cash Sale"),
    "cashRefund": ("CR", "Cash Refund"),
    "itemFulfillment": ("IF", "Item Fulfilment"),
    "customerPayment": ("PYMT", "Payment"),
    "customerDeposit": ("DEP", "Customer Deposit"),
    "creditMemo": ("CM", "Credit Memo"),
    "customerRefund": ("RF", "Customer Refund"),
    "returnAuthorization": ("RMA", "Return Authorisation"),
    "inventoryAdjustment": ("IA", "Inventory Adjustment"),
}
FIRST_NUMBER = 1001
TARGETS: dict[str, Sequence[str]] = {
    "entity": ("customer",),
    "customer": ("customer",),
    "company": ("customer",),
    "item": ITEMS,
    "discountItem": ITEMS,
    "terms": ("term",),
    "taxCode": ("salesTaxItem",),
    "taxItem": ("salesTaxItem",),
    "salesTaxCode": ("salesTaxItem",),
    "shippingTaxCode": ("salesTaxItem",),
    "handlingTaxCode": ("salesTaxItem",),
    "priceLevel": ("priceLevel",),
    "price": ("priceLevel",),
    "createdFrom": TRANSACTIONS,
    "salesOrder": ("salesOrder",),
    "locationId": ("location",),
    "adjLocation": ("location",),
    "preferredLocation": ("location",),
    "arAcct": ("account",),
    "incomeAccount": ("account",),
    "assetAccount": ("account",),
    "cogsAccount": ("account",),
    "shipMethod": ("shipItem",),
    "shippingItem": ("shipItem",),
    "class": ("classification",),
    "units": ("unit",),
    "saleUnit": ("unit",),
    "stockUnit": ("unit",),
    "purchaseUnit": ("unit",),
}
"""What a reference's field points to, where that is not the field's own name."""


def family(kind: str) -> Sequence[str]:
    """The kinds that share ids and external ids with one."""
    return next((group for group in (TRANSACTIONS, ENTITIES, ITEMS) if kind in group), (kind,))


class Store:
    """The records of one account; ``tell`` hears the event, kind and id of each record saved.

    Args:
        seed: the account, complete.
        clock: gives the time.
    """

    def __init__(self, seed: Row, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.types = Types(seed["time_zone"])
        self.lock = threading.RLock()
        self.rows: dict[str, dict[str, Row]] = {}
        self.deleted: list[Row] = []
        self.stock: dict[tuple[str, str], Row] = {}
        self.numbers: Counter[str] = Counter()
        self.last_id = seed["first_id"] - 1
        self.scripts: list[Row] = copy.deepcopy(seed["scripts"])
        self.tell: Callable[[str, str, str], None] = lambda *_: None
        self.version = 0
        self.cache: dict[str, Any] = {}
        self.custom = {
            one["scriptId"]: one | {"number": str(900 + place)}
            for place, one in enumerate(seed["custom_fields"])
        }
        Seeding(self).fill()

    # Reading.

    def all(self, *kinds: str) -> Iterator[Row]:
        """The rows of these kinds in the order of their ids."""
        rows = [row for kind in kinds for row in self.rows.get(kind, {}).values()]
        yield from sorted(rows, key=lambda row: int(row["internalId"]))

    def get(self, kind: str, internal_id: str) -> Row | None:
        """One row."""
        return self.rows.get(kind, {}).get(internal_id)

    def need(self, kind: str, internal_id: str) -> Row:
        """One row that is there."""
        row = self.get(kind, internal_id)
        if row is None:
            raise KeyError(f"no {kind} {internal_id}")
        return row

    def of(self, kinds: Iterable[str], internal_id: str) -> Row | None:
        """The row of an id among these kinds."""
        found = (self.get(kind, internal_id) for kind in kinds)
        return next((row for row in found if row is not None), None)

    def keyed(self, kinds: Iterable[str], external_id: str) -> Row | None:
        """The row of an external id among these kinds."""
        return next((r for r in self.all(*kinds) if r.get("externalId") == external_id), None)

    def point(self, ref: Row, name: str, *, must_be_active: bool = True) -> Row:
        """The row a reference's field points to, or the vendor's refusal."""
        kinds = TARGETS.get(name, (name,))
        given = str(ref.get("id") or ref.get("key"))
        row = self.of(kinds, ref["id"]) if "id" in ref else self.keyed(kinds, ref["key"])
        if row is None or (must_be_active and row.get("isInactive")):
            raise RefusalError("INVALID_KEY_OR_REF", f"Invalid {name} reference key {given}.")
        return row

    def resolved(self, row: Row, known: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Turn every reference of a row into an id; nested rows too.

        What the record already points to, ``known``, may have been blocked since.
        """
        for name, value in row.items():
            rows = value if isinstance(value, list) else []
            for one in rows:
                if isinstance(one, dict) and {"id", "key"} & one.keys():
                    one["id"] = self.found(one, name.removesuffix("List"), known)
                    one.pop("key", None)
                elif isinstance(one, dict):
                    self.resolved(one, known)
            if isinstance(value, dict) and {"id", "key"} & value.keys():
                row[name] = {"id": self.found(value, name, known)}

    def found(self, ref: Row, name: str, known: frozenset[tuple[str, str]]) -> str:
        """The id a reference means."""
        if ref == {"id": "-1"} and name in ("price", "priceLevel"):
            return "-1"
        is_old = (name, ref.get("id")) in known
        is_checked = name not in ("createdFrom", "entity", "customer", "salesOrder")
        row = self.point(ref, name, must_be_active=is_checked and not is_old)
        return str(row["internalId"])

    def label(self, kinds: Sequence[str], internal_id: str) -> str:
        """The name people see for a record."""
        row = self.of(kinds, internal_id)
        if row is None:
            return "Custom" if internal_id == "-1" else ""
        kind = row["_kind"]
        if kind in TRANSACTIONS:
            return f"{TITLES[kind][1]} #{row['tranId']}"
        if kind == "customer":
            return " ".join(filter(None, (row["entityId"], row.get("altName"))))
        named = ("name", "itemId", "unitName", "acctName", "entityId")
        return str(next((row[one] for one in named if row.get(one)), ""))

    # Writing.

    def next_id(self) -> str:
        """A new internal id; a refused write leaves a gap."""
        self.last_id += 1
        return str(self.last_id)

    def next_number(self, kind: str) -> str:
        """The next number of a kind's series."""
        number = FIRST_NUMBER + self.numbers[kind]
        self.numbers[kind] += 1
        return f"{TITLES[kind][0] if kind in TITLES else 'CUST'}{number}"

    def claim(self, row: Row) -> None:
        """Refuse an external id somebody else has."""
        external_id, kind = row.get("externalId"), row["_kind"]
        if not external_id:
            return
        kinds = family(kind) if self.seed["external_ids"] == "family" else (kind,)
        found = self.keyed(kinds, external_id)
        if found is not None and found["internalId"] != row.get("internalId"):
            raise RefusalError("DUP_RCRD", "This record already exists")

    def put(self, row: Row, *touched: tuple[str, str], is_scripted: bool = True) -> Row:
        """Keep a row; these others changed with it, but it alone was saved.

        Args:
            row: the record.
            touched: kind and id of those it changes in passing.
            is_scripted: whether scripts run that tell of it.
        """
        kind = row["_kind"]
        now = utc(self.clock())
        created = "dateCreated" if kind in ENTITIES else "createdDate"
        row.setdefault(created, now)
        row["lastModifiedDate"] = now
        if "internalId" not in row:
            row["internalId"] = self.next_id()
        self.rows.setdefault(kind, {})[row["internalId"]] = row
        for other in touched:
            if found := self.get(*other):
                found["lastModifiedDate"] = now
        self.changed()
        if is_scripted:
            self.tell("record.changed", kind, row["internalId"])
        return row

    def drop(self, kind: str, internal_id: str) -> Row:
        """Delete a row; ``getDeleted`` tells of it."""
        name = self.label((kind,), internal_id)
        row = self.rows[kind].pop(internal_id)
        entry: Row = {"kind": kind, "id": internal_id, "name": name}
        entry["externalId"] = row.get("externalId")
        self.deleted.append(entry | {"deletedDate": utc(self.clock())})
        self.changed()
        self.tell("record.deleted", kind, internal_id)
        return row

    def changed(self) -> None:
        """Forget what was worked out."""
        self.version += 1
        self.cache.clear()

    def remember(self, key: str, work: Callable[[], Any]) -> Any:
        """Something worked out once per change."""
        if key not in self.cache:
            self.cache[key] = work()
        return self.cache[key]

    def move(self, item: str, location: str, quantity: Decimal) -> None:
        """Change the stock of an item at a location, in its base unit."""
        place = self.stock.setdefault((item, location), {"onHand": Decimal(), "onOrder": Decimal()})
        place["onHand"] += quantity
        place["changed"] = utc(self.clock())
        self.changed()

    # Units and money.

    def factor(self, unit: str | None) -> Decimal:
        """How many base units one unit is."""
        row = self.get("unit", unit) if unit else None
        return Decimal(row["conversionRate"]) if row else Decimal(1)

    def percent(self, tax: str | None) -> Decimal:
        """The rate of a tax code."""
        row = self.get("salesTaxItem", tax) if tax else None
        return Decimal(row["rate"].rstrip("%")) if row else Decimal()


class Seeding:
    """Puts the seed's records into a new store."""

    LISTS = (
        ("currencies", "currency"),
        ("locations", "location"),
        ("taxes", "salesTaxItem"),
        ("terms", "term"),
        ("price_levels", "priceLevel"),
        ("payment_methods", "paymentMethod"),
        ("accounts", "account"),
    )

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = utc(store.clock())

    def fill(self) -> None:
        """Everything but customers, which are written as anybody writes them."""
        for key, kind in self.LISTS:
            for entry in self.store.seed[key]:
                self.keep(kind, self.typed(kind, entry))
        for entry in self.store.seed["subsidiaries"]:
            row = self.typed("subsidiary", {k: v for k, v in entry.items() if k != "currency"})
            self.keep("subsidiary", row | {"currency": {"id": entry["currency"]}})
        for entry in self.store.seed["units"]:
            self.units(entry)
        for kind, entries in self.store.seed["lists"].items():
            for entry in entries:
                self.keep(kind, dict(entry))
        for entry in self.store.seed["items"]:
            self.item(entry)

    def typed(self, kind: str, entry: Row) -> Row:
        """Texts of the seed as the values of a kind's fields."""
        fields = KINDS[kind].fields
        return {
            name: self.store.types.parsed(str(value), fields[name], name)
            if name in fields
            else value
            for name, value in entry.items()
        }

    def keep(self, kind: str, row: Row) -> Row:
        """One row under the id the seed gives it."""
        kept: Row = {"_kind": kind, "isInactive": False} | row
        kept.setdefault("internalId", self.store.next_id())
        self.store.rows.setdefault(kind, {})[kept["internalId"]] = kept
        return kept

    def units(self, entry: Row) -> None:
        """A units type and its units, which lines refer to by their own ids."""
        uoms = [{"baseUnit": "false"} | one for one in entry["uoms"]]
        for one in uoms:
            row = {"unitName": one["unitName"], "conversionRate": one["conversionRate"]}
            self.keep("unit", row | {"internalId": one["internalId"], "_of": entry["internalId"]})
        shown = [
            one
            | {
                "conversionRate": Decimal(one["conversionRate"]),
                "baseUnit": one["baseUnit"] == "true",
            }
            for one in uoms
        ]
        row = {"internalId": entry["internalId"], "name": entry["name"], "uomList": shown}
        self.keep("unitsType", row)

    def item(self, entry: Row) -> Row:
        """An item given by plain words."""
        plain = ("internalId", "externalId", "itemId", "displayName", "isInactive", "upcCode")
        row: Row = {name: entry[name] for name in plain if name in entry}
        refs = {"units": "unitsType", "saleUnit": "saleUnit", "taxCode": "salesTaxCode"}
        row |= {name: {"id": entry[key]} for key, name in refs.items() if key in entry}
        if "members" in entry:
            row["memberList"] = [
                {"item": {"id": one["item"]}, "quantity": Decimal(one["quantity"])}
                for one in entry["members"]
            ]
        row["pricingMatrix"] = pricing(entry.get("prices", []))
        row |= {"createdDate": self.now, "lastModifiedDate": self.now}
        kept = self.keep(entry.get("type", "inventoryItem"), row)
        for location, counts in entry.get("stock", {}).items():
            place = {name: Decimal(str(value)) for name, value in counts.items()}
            place = {"onHand": Decimal(), "onOrder": Decimal()} | place | {"changed": self.now}
            self.store.stock[kept["internalId"], location] = place
        return kept


def pricing(prices: list[Row]) -> list[Row]:
    """A pricing matrix out of {level, currency, value, quantity}."""
    found: dict[tuple[str, str], list[Row]] = {}
    for one in prices:
        key = (one.get("currency", "1"), one.get("level", "1"))
        price = {"value": Decimal(str(one["value"])), "quantity": Decimal(one.get("quantity", "0"))}
        found.setdefault(key, []).append(price)
    return [
        {"currency": {"id": currency}, "priceLevel": {"id": level}, "priceList": rows}
        for (currency, level), rows in found.items()
    ]


def pointers(row: Any) -> Iterator[tuple[str, str]]:
    """The references in a row, as field and id."""
    if isinstance(row, list):
        for one in row:
            yield from pointers(one)
    elif isinstance(row, dict):
        for name, value in row.items():
            if isinstance(value, dict) and "id" in value:
                yield name, value["id"]
            yield from pointers(value)
