"""What the sandbox keeps: one company's records, transactions over them, numbers and stock."""

from __future__ import annotations

import base64
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from platforms.business_central.sandbox_fields import ENTITIES
from platforms.business_central.sandbox_shapes import ZERO, Field
from platforms.business_central.sandbox_values import (
    ApiError,
    Row,
    is_blank,
    moment,
    no_record,
    no_relation,
    refusal,
)

Told = tuple[str, str, str]
"""A change: set, id, and how it is called."""
REFERENCES = {
    "paymentTermsId": ("paymentTerms", "Payment Terms"),
    "shipmentMethodId": ("shipmentMethods", "Shipment Method"),
    "paymentMethodId": ("paymentMethods", "Payment Method"),
    "taxAreaId": ("taxAreas", "Tax Area"),
    "customerReturnReasonId": ("customerReturnReasons", "Return Reason"),
    "locationId": ("locations", "Location"),
    "itemVariantId": ("itemVariants", "Item Variant"),
}
PAIRS = {
    "itemCategory": ("itemCategories", "Item Category"),
    "taxGroup": ("taxGroups", "Tax Group"),
    "baseUnitOfMeasure": ("unitsOfMeasure", "Unit of Measure"),
    "generalProductPostingGroup": ("generalProductPostingGroups", "Gen. Product Posting Group"),
    "inventoryPostingGroup": ("inventoryPostingGroups", "Inventory Posting Group"),
}


def etag(row: Row) -> str:
    """The version of a record, opaque to callers."""
    raw = f"20;{row['_version']};{row.get('id') or row.get('subscriptionId')};".encode()
    return f'W/"{base64.b64encode(raw).decode()}"'


class Store:
    """Records by set and id; a row is replaced as a whole, never changed in place.

    Names that begin with ``_`` are the sandbox's own and never shown.

    Args:
        clock: gives the time.
        tell: hears of every committed change.
        accepted: committed acts by name.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        tell: Callable[[list[Told]], None],
        accepted: Counter[str],
    ) -> None:
        self.clock = clock
        self.tell = tell
        self.accepted = accepted
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in ENTITIES}
        self.numbers: dict[str, int] = {}
        self.local = ""
        self._version = 1000
        self._log: list[tuple[datetime, str, str, Row | None]] = []
        self._told: list[Told] = []
        self._done: list[str] = []
        self._depth = 0

    # -- transactions ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, is_quiet: bool = False) -> Iterator[None]:
        """All or nothing; what is begun within another belongs to that one.

        Args:
            is_quiet: whether its acts are people's, which nobody counts.
        """
        mark, numbers = len(self._log), dict(self.numbers)
        told, done = len(self._told), len(self._done)
        self._depth += 1
        try:
            yield
        except BaseException:
            self._undo(mark)
            self.numbers = numbers
            del self._told[told:], self._done[done:]
            raise
        finally:
            self._depth -= 1
        if is_quiet:
            del self._done[done:]
        if self._depth == 0:
            self._commit()

    def _commit(self) -> None:
        self.accepted.update(self._done)
        changes = list(self._told)
        self._told.clear()
        self._done.clear()
        if changes:
            self.tell(changes)

    def _undo(self, mark: int) -> None:
        while len(self._log) > mark:
            _, name, id_, old = self._log.pop()
            if old is None:
                self.rows[name].pop(id_, None)
            else:
                self.rows[name][id_] = old

    def done(self, what: str) -> None:
        """Count an act, once it is committed."""
        self._done.append(what)

    # -- rows --------------------------------------------------------------------------------------

    def put(self, name: str, id_: str, row: Row | None) -> None:
        """Replace, add or remove a row, and nothing else."""
        self._log.append((self.clock(), name, id_, self.rows[name].get(id_)))
        if row is None:
            self.rows[name].pop(id_, None)
        else:
            self.rows[name][id_] = row

    def add(self, name: str, values: Row) -> Row:
        """A new record; what is not given is empty."""
        entity = ENTITIES[name]
        row = {field.name: field.blank for field in entity.fields.values()} | values
        if is_blank(row.get("id")):
            row["id"] = str(uuid.uuid4())
        if row["id"] in self.rows[name]:
            text = f"The {entity.name} already exists. Identification fields and values: "
            raise ApiError("Internal_EntityWithSameKeyExists", f"{text}SystemId='{{{row['id']}}}'")
        self.put(name, row["id"], self._stamped(row))
        self._changed(name, row["id"], "created")
        return self.rows[name][row["id"]]

    def change(self, name: str, id_: str, /, **values: Any) -> Row:
        """Set fields of a record; it gets a new version whether or not they differ."""
        row = self.rows[name][id_] | values
        self.put(name, id_, self._stamped(row))
        self._changed(name, id_, "updated")
        return self.rows[name][id_]

    def drop(self, name: str, id_: str) -> None:
        """Remove a record and its parts."""
        for part in ENTITIES[name].parts.values():
            parent = ENTITIES[part].parent
            if parent:
                for row in self.find(part, **{parent[1]: id_}):
                    self.put(part, row["id"], None)
        old = self.rows[name][id_]
        self.put(name, id_, None)
        self._changed(name, id_, "deleted", old)

    def bump(self, name: str, id_: str, /, **values: Any) -> Row:
        """A new version that keeps the record's time and that nobody hears of."""
        self._version += 1
        return self.quiet(name, id_, _version=self._version, **values)

    def quiet(self, name: str, id_: str, /, **values: Any) -> Row:
        """Set what the vendor works out when it is read: the record stays as it was."""
        row = self.rows[name][id_] | values
        self.put(name, id_, row)
        return row

    def tick(self) -> int:
        """The next version."""
        self._version += 1
        return self._version

    def settle(self, name: str, id_: str, values: Row) -> None:
        """Set what follows from other fields, if it differs."""
        row = self.rows[name][id_]
        if any(row[key] != value for key, value in values.items()):
            self.bump(name, id_, **values)

    def _stamped(self, row: Row) -> Row:
        self._version += 1
        stamp: Row = {"_version": self._version}
        if "lastModifiedDateTime" in row:
            stamp["lastModifiedDateTime"] = moment(self.clock())
        return row | stamp

    def _changed(self, name: str, id_: str, told: str, old: Row | None = None) -> None:
        parent = ENTITIES[name].parent
        if parent is None:
            self._told.append((name, id_, told))
            return
        # A line tells of its document, which has a new version with it.
        above = (old or self.rows[name][id_])[parent[1]]
        if parent[1] != "id" and above in self.rows[parent[0]]:
            self.change(parent[0], above)

    def get(self, name: str, id_: str) -> Row:
        """The record of an id, or the vendor's error."""
        row = self.rows[name].get(id_.lower())
        if row is None:
            raise no_record(ENTITIES[name].name, id_)
        return row

    def find(self, name: str, /, **values: Any) -> list[Row]:
        """All records with these values, oldest first."""
        return [
            row
            for row in self.rows[name].values()
            if all(row.get(key) == value for key, value in values.items())
        ]

    def one(self, name: str, /, **values: Any) -> Row | None:
        """A record with these values, if there is one."""
        return next(iter(self.find(name, **values)), None)

    def as_of(self, lag: timedelta) -> dict[str, dict[str, Row]]:
        """The records as they were: what a replica that lags shows."""
        until = self.clock() - lag
        rows = {name: dict(kept) for name, kept in self.rows.items()}
        for when, name, id_, old in reversed(self._log):
            if when <= until:
                break
            if old is None:
                rows[name].pop(id_, None)
            else:
                rows[name][id_] = old
        return rows

    def next(self, series: str) -> str:
        """The next number of a series."""
        letters = series.rstrip("0123456789")
        first = int(series[len(letters) :])
        number = self.numbers.get(series, first)
        self.numbers[series] = number + 1
        return f"{letters}{number:0{len(series) - len(letters)}}"

    # -- references --------------------------------------------------------------------------------

    def check(self, name: str, values: Row) -> None:
        """Refuse ids of master data that is not there; complete pairs of id and code."""
        for field, (related, label) in REFERENCES.items():
            id_ = values.get(field)
            is_asked = field in ENTITIES[name].fields and not is_blank(id_)
            if is_asked and id_ not in self.rows[related]:
                raise refusal(f'The "{field}" does not match to a {label}.')
        for stem, (related, label) in PAIRS.items():
            if f"{stem}Id" in ENTITIES[name].fields:
                self.pair(values, stem, related, label)
        if "currencyCode" in values or "currencyId" in values:
            self.currency(values)
        country = values.get("country")
        if country and not self.one("countriesRegions", code=country):
            raise no_relation("Country/Region Code", label_of(name), country, "Country/Region")

    def pair(self, values: Row, stem: str, related: str, label: str) -> None:
        """An id and a code of one record: each follows from the other, and both must agree."""
        id_, code = values.get(f"{stem}Id"), values.get(f"{stem}Code")
        if id_ is None and code is None:
            return
        if is_blank(id_) and is_blank(code):
            values |= {f"{stem}Id": ZERO, f"{stem}Code": ""}
            return
        found = None if is_blank(id_) else self.rows[related].get(str(id_))
        if is_blank(id_):
            found = self.one(related, code=code)
            if found is None:
                raise no_relation(f"{label} Code", "Record", code, label)
        if found is None:
            raise refusal(f'The "{stem}Id" does not match to a {label}.')
        if code and code != found["code"]:
            raise refusal(f"The {label} values do not match to a specific {label}.")
        values |= {f"{stem}Id": found["id"], f"{stem}Code": found["code"]}

    def currency(self, values: Row) -> None:
        """The local currency has its code and no id."""
        id_, code = values.get("currencyId"), values.get("currencyCode")
        if is_blank(id_) and code in (None, "", self.local):
            values |= {"currencyId": ZERO, "currencyCode": self.local}
            return
        if is_blank(id_):
            found = self.one("currencies", code=code)
            if found is None:
                raise refusal('The "currencyCode" does not match to a Currency.')
        else:
            found = self.rows["currencies"].get(str(id_))
            if found is None:
                raise refusal('The "currencyId" does not match to a Currency.')
            if code and code != found["code"]:
                raise refusal("The currency values do not match to a specific Currency.")
        values |= {"currencyId": found["id"], "currencyCode": found["code"]}

    # -- stock -------------------------------------------------------------------------------------

    def move(self, item: Row, quantity: Decimal, kind: str, **entry: Any) -> None:
        """Post a stock movement in the item's base unit; the item itself is not touched by it."""
        number = 1 + len(self.rows["itemLedgerEntries"])
        values = {
            "entryNumber": number,
            "itemNumber": item["number"],
            "postingDate": self.today(),
            "entryType": kind,
            "description": item["displayName"],
            "quantity": quantity,
        }
        self.add("itemLedgerEntries", values | entry)
        now = self.rows["items"][item["id"]]
        self.put("items", now["id"], now | {"inventory": now["inventory"] + quantity})

    def stock_at(self, item: Row, location: str) -> Decimal:
        """How much of an item lies at a location."""
        entries = self.find("itemLedgerEntries", itemNumber=item["number"])
        found = (row["quantity"] for row in entries if row.get("_location", ZERO) == location)
        return sum(found, Decimal(0))

    def today(self) -> str:
        """The day, as a date field has it."""
        return self.clock().date().isoformat()


def label_of(name: str) -> str:
    """How the vendor's messages call a table."""
    word = ENTITIES[name].name
    return "".join(f" {letter}" if letter.isupper() else letter for letter in word).title()


def shown(fields: Iterable[Field], row: Row) -> Row:
    """A record as it is read, without what is the sandbox's own."""
    return {"@odata.etag": etag(row)} | {field.name: row[field.name] for field in fields}
