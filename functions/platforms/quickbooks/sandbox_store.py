"""What the QuickBooks sandbox keeps: one company's records, changed act by act."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from platforms.quickbooks.sandbox_wire import (
    CENT,
    NAMES,
    TRANSACTIONS,
    TYPES,
    QboError,
    Row,
    broken,
    country,
    missing,
)

REFERENCES = {
    "CustomerRef": "Customer",
    "ItemRef": "Item",
    "GroupItemRef": "Item",
    "SalesTermRef": "Term",
    "PaymentMethodRef": "PaymentMethod",
    "DepositToAccountRef": "Account",
    "IncomeAccountRef": "Account",
    "ExpenseAccountRef": "Account",
    "AssetAccountRef": "Account",
    "DiscountAccountRef": "Account",
    "ClassRef": "Class",
    "DepartmentRef": "Department",
    "SalesTaxCodeRef": "TaxCode",
    "DefaultTaxCodeRef": "TaxCode",
}
ADDRESSES = ("BillAddr", "ShipAddr", "ShipFromAddr")
PEOPLE = ("Customer", "Vendor", "Employee")
SETTINGS = ("Account", "TaxCode", "TaxRate", "PaymentMethod", "Term", "Class", "Department")
KINDS = (*NAMES, *TRANSACTIONS, *SETTINGS, "Vendor", "Employee", "CompanyCurrency", "TaxAgency")
SINGLE = ("CompanyInfo", "Preferences")


@dataclass(frozen=True)
class Event:
    """What happened to one record."""

    kind: str
    id: str
    operation: str
    at: datetime


class Store:
    """The records of one company.

    Rows are replaced and never changed in place, so that an act that fails leaves nothing behind.

    Args:
        seed: what the company is like.
        clock: gives the time.
        notify: is told what one act did, after it.
    """

    def __init__(
        self, seed: Row, clock: Callable[[], datetime], notify: Callable[[list[Event]], None]
    ) -> None:
        self.seed = seed
        self._clock = clock
        self._notify = notify
        self.lock = threading.RLock()
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in (*KINDS, *SINGLE)}
        self.gone: list[tuple[str, Row]] = []
        self._ids: dict[str, Iterator[int]] = defaultdict(
            lambda: itertools.count(int(seed["first_id"]))
        )
        self._number = itertools.count(int(seed["first_number"]))
        self._events: list[Event] = []
        self._opening: datetime | None = None
        sign = -1 if seed["time_offset"].startswith("-") else 1
        hours, minutes = seed["time_offset"].lstrip("+-").split(":")
        self._zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))

    # -- time and numbers --------------------------------------------------------------------------

    def now(self) -> datetime:
        """The company's time; while the books are opened it is the day of that."""
        return (self._opening or self._clock()).astimezone(self._zone)

    def stamp(self) -> str:
        """Now, as records have it: the company's own offset, whole seconds."""
        return self.now().isoformat(timespec="seconds")

    def today(self) -> str:
        """The company's date."""
        return self.now().date().isoformat()

    def next_id(self, kind: str) -> str:
        """An id nobody had; all transactions share one series."""
        return str(next(self._ids["Txn" if kind in TRANSACTIONS else kind]))

    def next_number(self) -> str:
        """The next document number."""
        return str(next(self._number))

    @property
    def is_us(self) -> bool:
        """Whether sales tax is the automated one of the United States."""
        return bool(self.seed["company"]["country"] == "US")

    # -- acts --------------------------------------------------------------------------------------

    @contextmanager
    def opening(self, at: str) -> Iterator[None]:
        """Fill the books without telling anybody, as of that time."""
        self._opening = datetime.fromisoformat(at).astimezone(UTC)
        try:
            yield
        finally:
            self._opening = None
            self._events = []

    @contextmanager
    def act(self) -> Iterator[None]:
        """All of it or nothing; afterwards the listeners are told."""
        with self.lock:
            rows = {kind: dict(those) for kind, those in self.rows.items()}
            gone, self._events = list(self.gone), []
            try:
                yield
            except BaseException:
                self.rows, self.gone, self._events = rows, gone, []
                raise
            told, self._events = self._events, []
            if told:
                self._notify(told)

    def tell(self, kind: str, id_: str, operation: str) -> None:
        """Remember an event of this act; a record changed twice is told of once."""
        if not any((one.kind, one.id) == (kind, id_) for one in self._events):
            self._events.append(Event(kind, id_, operation, self.now().astimezone(UTC)))

    def add(self, kind: str, row: Row, id_: str = "") -> Row:
        """Keep a new record."""
        at = self.stamp()
        head = {"domain": "QBO", "sparse": False, "Id": id_ or self.next_id(kind)}
        head |= {"SyncToken": "0", "MetaData": {"CreateTime": at, "LastUpdatedTime": at}}
        made = _filled(row) | head
        self.rows[kind][made["Id"]] = made
        self.tell(kind, made["Id"], "Create")
        return made

    def put(self, kind: str, old: Row, row: Row, operation: str = "Update") -> Row:
        """Keep a changed record, one step further; several changes in one act are one step."""
        known = self.rows[kind][old["Id"]]
        is_first = not any((one.kind, one.id) == (kind, old["Id"]) for one in self._events)
        step = 1 if is_first else 0
        meta = known["MetaData"] | {"LastUpdatedTime": self.stamp()}
        head = {"Id": old["Id"], "domain": "QBO", "sparse": False, "MetaData": meta}
        made = _filled(row) | head | {"SyncToken": str(int(known["SyncToken"]) + step)}
        self.rows[kind][old["Id"]] = made
        self.tell(kind, old["Id"], operation)
        return made

    def drop(self, kind: str, row: Row) -> Row:
        """Delete a transaction: what is left is for change data capture."""
        del self.rows[kind][row["Id"]]
        left = {"domain": "QBO", "status": "Deleted", "Id": row["Id"]}
        self.gone.append((kind, left | {"MetaData": {"LastUpdatedTime": self.stamp()}}))
        self.tell(kind, row["Id"], "Delete")
        return left

    # -- reading -----------------------------------------------------------------------------------

    def get(self, kind: str, id_: Any) -> Row:
        """One record, or the vendor's 610."""
        row = self.rows[kind].get(str(id_))
        if row is None:
            text = "Another user has deleted this transaction."
            if kind not in TRANSACTIONS:
                text = "Something you're trying to use has been made inactive. "
                text += "Check the fields with accounts, customers, items, vendors or employees."
            raise QboError("610", f"Object Not Found : {text}")
        return row

    def locked(self, kind: str, given: Row) -> Row:
        """The record an update means, if the caller has seen its last state."""
        if not given.get("Id"):
            raise missing("Id")
        row = self.get(kind, given["Id"])
        if given.get("SyncToken") is None:
            raise missing("SyncToken")
        if given["SyncToken"] != row["SyncToken"]:
            text = "Stale Object Error : You and another user were working on this at the same "
            raise QboError("5010", f"{text}time. The other user finished before you did.")
        return row

    def reference(self, given: Row, name: str, needed: bool = False) -> Row | None:
        """A reference with the name of what it means, which must be there and active."""
        ref = given.get(name)
        if ref is None:
            if needed:
                raise missing(name)
            return None
        kind = REFERENCES.get(name)
        if kind is None:
            return {key: ref[key] for key in ("value", "name") if ref.get(key)}
        row = self.rows[kind].get(ref["value"])
        if row is None:
            detail = f"Invalid Reference Id : {name} {ref['value']} is not there"
            raise QboError("2500", detail, element=name)
        if not row.get("Active", True):
            text = "Object Not Found : Something you're trying to use has been made inactive."
            raise QboError("610", f"{text} Check the field {name}.", element=name)
        shown = row.get("FullyQualifiedName") or row.get("DisplayName") or row["Name"]
        return {"value": row["Id"], "name": shown}

    def references(self, given: Row, row: Row) -> None:
        """All references of a body into the record."""
        for name in given:
            if name.endswith("Ref"):
                row[name] = self.reference(given, name)

    def meant(self, kind: str, ref: Row | None) -> Row:
        """The record a reference means, or nothing."""
        return self.rows[kind].get((ref or {}).get("value", ""), {})

    def account(self, purpose: str) -> Row:
        """A reference to the account the company has for a purpose."""
        row = self.rows["Account"][self.seed[f"{purpose}_account"]]
        return {"value": row["Id"], "name": row["Name"]}

    def addresses(self, given: Row, row: Row) -> None:
        """Addresses into the record: an id each, the country in three letters."""
        for name in ADDRESSES:
            if given.get(name):
                lines = {key: text.strip() for key, text in given[name].items() if text}
                if lines.get("Country"):
                    lines["Country"] = country(lines["Country"])
                row[name] = {"Id": self.next_id("Address")} | lines

    def shown(self, kind: str, row: Row) -> Row:
        """A record as answers have it: a customer's balance is that of the open invoices."""
        if kind != "Customer":
            return row
        owed = Decimal("0.00")
        for invoice in self.rows["Invoice"].values():
            if invoice["CustomerRef"]["value"] == row["Id"]:
                owed += invoice["Balance"]
        for other, left in (("Payment", "UnappliedAmt"), ("CreditMemo", "RemainingCredit")):
            for one in self.rows[other].values():
                if one["CustomerRef"]["value"] == row["Id"]:
                    owed -= one[left]
        return row | {"Balance": owed, "BalanceWithJobs": owed}

    def all(self, kind: str) -> list[Row]:
        """Every record of a kind, the newest first: the vendor promises no order."""
        found = [self.shown(kind, row) for row in self.rows[kind].values()]
        return sorted(found, key=lambda row: (len(row["Id"]), row["Id"]), reverse=True)

    def check_open(self, *days: str | None) -> None:
        """Refuse what would change a closed period."""
        end = self.seed["closed_until"]
        if end and any(day and day <= end for day in days):
            text = "Account Period Closed : The account period has closed and the account books "
            raise QboError("6210", f"{text}cannot be updated through the QBO Services API.")

    def rate_of(self, currency: str) -> Decimal | None:
        """A currency's rate, or None where the books know no other currency."""
        if not self.seed["multicurrency"]:
            if currency != self.seed["currency"]:
                raise broken("Multicurrency should be enabled to perform this operation")
            return None
        if currency == self.seed["currency"]:
            return Decimal(1)
        if currency not in self.seed["currencies"]:
            raise QboError("2500", f"Invalid Reference Id : CurrencyRef {currency}")
        return Decimal(str(self.seed["currencies"][currency]))


def writable(kind: str, row: Row) -> Row:
    """What of a record a caller could have written: the base of a sparse update."""
    return {name: row[name] for name, spec in TYPES[kind].items() if spec != "!" and name in row}


def merged(kind: str, old: Row | None, given: Row) -> Row:
    """What an update leaves: a sparse one keeps what it does not name, a full one clears it."""
    base = writable(kind, old) if old and given.get("sparse") else {}
    both = base | {name: value for name, value in given.items() if name != "sparse"}
    return {name: value for name, value in both.items() if value is not None}


def money(value: Any) -> Decimal:
    """Any number as an amount."""
    return Decimal(str(value)).quantize(CENT)


def days_after(day: str, days: int) -> str:
    """A date some days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
