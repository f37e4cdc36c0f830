"""The Accounting API of the Xero sandbox: which path does what, for one organisation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from platforms.xero.sandbox_query import Listing, flag, unit_places
from platforms.xero.sandbox_records import How
from platforms.xero.sandbox_store import Store
from platforms.xero.sandbox_wire import (
    GUID,
    NOWHERE,
    InvalidError,
    Json,
    XeroError,
    bad_body,
    bad_query,
    elements_of,
    not_found,
    read,
    validation,
)

ON_WRITE = {"unitdp", "summarizeErrors"}
GOOD: Json = {"StatusAttributeString": "OK", "ValidationErrors": []}
LIGHT = "Payments CreditNotes Prepayments Overpayments LineItems Balances ContactPersons".split()


@dataclass(frozen=True)
class Asked:
    """One call."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes
    modified: str | None
    app: str


class Api:
    """The operations.

    Args:
        most: the largest page.
    """

    COLLECTIONS: ClassVar[dict[str, str]] = {
        "Contacts": "Contact",
        "Invoices": "Invoice",
        "CreditNotes": "CreditNote",
        "Payments": "Payment",
        "Overpayments": "Overpayment",
        "Items": "Item",
        "Accounts": "",
        "TaxRates": "",
        "Currencies": "",
        "Organisation": "",
    }
    """The collections, each with what it holds that is written or has an id."""

    def __init__(self, most: int) -> None:
        self.most = most

    def answer(self, store: Store, asked: Asked) -> Json | None:
        """Do a call; None is an answer without a body."""
        collection, *rest = asked.path
        if collection not in self.COLLECTIONS:
            raise not_found()
        if not rest:
            return self._collection(store, asked, collection)
        kind = self.COLLECTIONS[collection]
        if not kind:
            return self._setting(store, asked, collection, rest)
        found = self.find(store, kind, rest[0])
        if found is None:
            raise not_found()
        if len(rest) == 1:
            return self._one(store, asked, collection, found)
        return self._below(store, asked, kind, found, rest[1:])

    def find(self, store: Store, kind: str, name: str) -> Json | None:
        """A record by its id, or by the number its kind has."""
        if kind == "Item":
            return store.item_named(name)
        if kind == "Contact":
            numbered = (one for one in store.contacts.values() if one["ContactNumber"] == name)
            return store.contacts.get(name.lower()) or next(numbered, None)
        if kind == "Payment":
            return store.payments.get(name.lower())
        if kind == "Overpayment" and not GUID.match(name):
            return None
        return store.document_named(kind, name)

    def id_of(self, store: Store, kind: str, name: str) -> str:
        """The id of a record, or KeyError; an item goes by its code."""
        found = self.find(store, kind, name)
        if found is None:
            raise KeyError(f"no {kind} {name}")
        return str(found["Code"] if kind == "Item" else found.get("_id") or found[f"{kind}ID"])

    def shown(self, store: Store, record: Json) -> tuple[str, Json]:
        """A record's id and how the vendor shows it."""
        if "_kind" in record:
            return record["_id"], store.show_document(record, "full", 4)
        if "PaymentID" in record:
            return record["PaymentID"], store.show_payment(record)
        if "ItemID" in record:
            return record["ItemID"], store.show_item(record, 4)
        return record["ContactID"], store.show_contact(record)

    # Reads.

    def rows(
        self,
        store: Store,
        collection: str,
        detail: str,
        places: int,
        keeps: Callable[[Json], bool] = lambda _: True,
    ) -> list[Json]:
        """The records of a collection, as the vendor shows them."""
        kind = self.COLLECTIONS[collection]
        if kind == "Contact":
            how = {"full": "full", "line": "page"}.get(detail, "list")
            kept = [one for one in store.contacts.values() if keeps(one)]
            return [store.show_contact(one, how) for one in kept]
        if kind == "Item":
            return [store.show_item(one, places) for one in store.items.values()]
        if kind == "Payment":
            return [store.show_payment(one, detail) for one in store.payments.values()]
        if kind:
            kept = [one for one in store.all_of(kind) if keeps(one)]
            return [store.show_document(one, detail, places) for one in kept]
        settings: dict[str, Callable[[], list[Json]]] = {
            "Accounts": lambda: store.accounts,
            "TaxRates": lambda: list(store.taxes.values()),
            "Currencies": store.currencies,
            "Organisation": lambda: [store.organisation()],
        }
        return settings[collection]()

    def _collection(self, store: Store, asked: Asked, collection: str) -> Json:
        if asked.method == "GET":
            return self._list(store, asked, collection)
        kind = self.COLLECTIONS[collection]
        if not kind or kind == "Overpayment" or asked.method not in ("PUT", "POST"):
            raise XeroError(405, "Method Not Allowed")
        return self._write(store, asked, collection, "")

    def _list(self, store: Store, asked: Asked, collection: str) -> Json:
        listing = Listing(collection, asked.query, asked.modified, self.most)
        detail = "line" if listing.is_paged else "row"
        keeps = self._keeps(asked, listing, collection)
        rows = self.rows(store, collection, detail, listing.units, keeps)
        rows, told = listing.cut(listing.chosen(rows))
        if listing.is_summary:
            rows = [{key: row[key] for key in row if key not in LIGHT} for row in rows]
        wrapper = "Organisations" if collection == "Organisation" else collection
        return told | {wrapper: rows}

    def _keeps(self, asked: Asked, listing: Listing, collection: str) -> Callable[[Json], bool]:
        """What a list's own parameters let through."""
        query, term = asked.query, asked.query.get("searchTerm")
        if collection == "Contacts":
            ids, all_of_them = listing.guids("IDs"), flag(query, "includeArchived")
            names = ("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress")
            return lambda one: (
                (all_of_them or one["ContactStatus"] == "ACTIVE")
                and (ids is None or one["ContactID"] in ids)
                and _has(one, term, names)
            )
        if collection == "Overpayments":
            wanted = listing.listed("References")
            return lambda one: wanted is None or one["Reference"] in wanted
        if collection != "Invoices":
            return lambda _: True
        flag(query, "includeArchived")
        lists = {
            "InvoiceID": listing.guids("IDs"),
            "_contact": listing.guids("ContactIDs"),
            "InvoiceNumber": listing.listed("InvoiceNumbers"),
            "Status": listing.listed("Statuses"),
            "_app": [asked.app] if flag(query, "createdByMyApp") else None,
        }
        chosen = [(name, values) for name, values in lists.items() if values is not None]
        return lambda one: (
            all(one[name] in values for name, values in chosen)
            and _has(one, term, ("InvoiceNumber", "Reference"))
        )

    def _setting(self, store: Store, asked: Asked, collection: str, rest: list[str]) -> Json:
        if asked.method != "GET":
            raise XeroError(405, "Method Not Allowed")
        key = {"Accounts": "AccountID", "TaxRates": "TaxType"}.get(collection, "")
        rows = self.rows(store, collection, "full", 2) if key and len(rest) == 1 else []
        found = [row for row in rows if row[key] == rest[0]]
        if not found:
            raise not_found()
        return {collection: found}

    def _one(self, store: Store, asked: Asked, collection: str, found: Json) -> Json | None:
        kind = self.COLLECTIONS[collection]
        if asked.method == "GET":
            if unknown := set(asked.query) - {"unitdp"}:
                raise bad_query(f"Unknown parameter: {', '.join(sorted(unknown))}")
            return {collection: [self._detail(store, kind, found, unit_places(asked.query))]}
        if asked.method == "DELETE" and kind == "Item":
            try:
                store.drop_item(found)
            except InvalidError as error:
                raise validation([_failed(kind, {}, error.messages)]) from None
            return None
        if asked.method != "POST" or kind == "Overpayment":
            raise XeroError(405, "Method Not Allowed")
        return self._write(store, asked, collection, found.get("_id") or found[f"{kind}ID"])

    def _detail(self, store: Store, kind: str, record: Json, places: int) -> Json:
        if kind == "Contact":
            return store.show_contact(record)
        if kind == "Item":
            return store.show_item(record, places)
        if kind == "Payment":
            return store.show_payment(record)
        return store.show_document(record, "full", places)

    # Writes.

    def _write(self, store: Store, asked: Asked, collection: str, record_id: str) -> Json:
        """The elements of a body, all or none, unless the call wants each told by itself."""
        if unknown := set(asked.query) - ON_WRITE:
            raise bad_query(f"Unknown parameter: {', '.join(sorted(unknown))}")
        kind = self.COLLECTIONS[collection]
        places = unit_places(asked.query)
        together = flag(asked.query, "summarizeErrors", default=True)
        how = How(asked.method == "PUT", record_id, places, asked.app)
        bare = kind == "Payment" and asked.method == "POST"
        elements = elements_of(asked.body, collection, bare)
        if record_id and len(elements) != 1:
            raise bad_body("One record takes one element.")
        saved = store.save() if len(elements) > 1 else {}
        rows, failed = [], []
        for number, element in enumerate(elements):
            try:
                row = self._written(store, kind, element, f"{collection}[{number}]", how)
                rows.append(row | ({} if together else GOOD))
            except InvalidError as error:
                failed.append(_failed(kind, element, error.messages))
                rows.append(failed[-1])
            except XeroError:
                if saved:
                    store.restore(saved)
                raise
        if failed and together:
            if saved:
                store.restore(saved)
            raise validation(failed)
        return {collection: rows}

    def _written(self, store: Store, kind: str, element: Any, path: str, how: How) -> Json:
        wrong: list[str] = []
        given = read(kind, element, path, wrong)
        if how.id and given.get(f"{kind}ID", how.id) != how.id:
            raise InvalidError(f"The {kind}ID does not match the one in the address")
        if kind == "Payment":
            return store.show_payment(store.write_payment(given, how, wrong))
        if kind == "Contact":
            record = store.write_contact(given, how, wrong)
        elif kind == "Item":
            record = store.write_item(given, how, wrong)
        else:
            record = store.write_document(kind, given, how, wrong)
        return self._detail(store, kind, record, how.places)

    # What hangs on a record.

    def _below(
        self, store: Store, asked: Asked, kind: str, found: Json, rest: list[str]
    ) -> Json | None:
        name, own = rest[0], str(found.get("_id") or found[f"{kind}ID"])
        if name == "History" and len(rest) == 1:
            return self._history(store, asked, own)
        if kind == "Invoice" and rest == ["Email"] and asked.method == "POST":
            self._email(store, asked, found)
            return None
        if name == "Allocations" and kind in ("CreditNote", "Overpayment"):
            how = How(app=asked.app)
            if len(rest) == 1 and asked.method == "PUT":
                return self._allocate(store, asked, found, how)
            if len(rest) == 2 and asked.method == "DELETE":
                try:
                    return store.drop_allocation(found, rest[1].lower(), how)
                except KeyError:
                    raise not_found() from None
        raise not_found()

    def _history(self, store: Store, asked: Asked, own: str) -> Json:
        if asked.method == "GET":
            rows = [_dated(row) for row in store.history.get(own, [])]
            return {"HistoryRecords": rows}
        if asked.method != "PUT":
            raise XeroError(405, "Method Not Allowed")
        rows = []
        wrong: list[str] = []
        for number, element in enumerate(elements_of(asked.body, "HistoryRecords")):
            given = read("HistoryRecord", element, f"HistoryRecords[{number}]", wrong)
            if not given.get("Details"):
                raise validation([_failed("HistoryRecord", element, ("Details must be given",))])
            row = store.note(own, "Note", given["Details"], asked.app)
            store.counted["history added"] += 1
            kept = {key: row[key] for key in ("DateUTC", "Details")}
            rows.append(_dated(kept) | {"ValidationErrors": []})
        return {"HistoryRecords": rows}

    def _email(self, store: Store, asked: Asked, found: Json) -> None:
        if asked.body.strip() not in (b"", b"{}"):
            raise bad_body("The body of this call is empty.")
        contact = store.contacts[found["_contact"]]
        if found["Status"] not in ("SUBMITTED", "AUTHORISED", "PAID"):
            text = "Only SUBMITTED, AUTHORISED and PAID invoices can be emailed"
            raise validation([_failed("Invoice", {"InvoiceID": found["_id"]}, (text,))])
        if not contact["EmailAddress"]:
            text = "The contact has no email address"
            raise validation([_failed("Invoice", {"InvoiceID": found["_id"]}, (text,))])
        found["SentToContact"] = True
        store.changed("INVOICE", found, found["_id"], "Emailed")
        store.note(found["_id"], "Email sent", contact["EmailAddress"], asked.app)
        store.counted["invoice emailed"] += 1

    def _allocate(self, store: Store, asked: Asked, found: Json, how: How) -> Json:
        elements = elements_of(asked.body, "Allocations")
        saved = store.save() if len(elements) > 1 else {}
        rows = []
        for number, element in enumerate(elements):
            wrong: list[str] = []
            try:
                given = read("Allocation", element, f"Allocations[{number}]", wrong)
                rows.append(store.show_allocation(store.allocate(found, given, how, wrong)))
            except InvalidError as error:
                if saved:
                    store.restore(saved)
                raise validation([_failed("Allocation", element, error.messages)]) from None
        return {"Allocations": rows}


def _has(row: Json, term: str | None, names: tuple[str, ...]) -> bool:
    """A search looks into some fields, whatever the capitals."""
    texts = (str(row.get(name, "")).casefold() for name in names)
    return not term or any(term.casefold() in text for text in texts)


def _dated(row: Json) -> Json:
    return row | {"DateUTCString": f"{row['DateUTC']:%Y-%m-%dT%H:%M:%S}"}


def _failed(kind: str, given: Json, messages: tuple[str, ...]) -> Json:
    """The element as it was sent, with what is wrong with it."""
    told = [{"Message": message} for message in messages]
    flags = {"HasErrors": True} if kind in ("Invoice", "CreditNote") else {}
    if kind in ("Contact", "Payment"):
        flags = {"HasValidationErrors": True}
    own = {} if kind in ("Allocation", "HistoryRecord") else {f"{kind}ID": NOWHERE}
    return copy.deepcopy(
        own | given | flags | {"StatusAttributeString": "ERROR", "ValidationErrors": told}
    )
