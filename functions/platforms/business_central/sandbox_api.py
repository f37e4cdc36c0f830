"""API v2.0 over the records: addresses, reading, writing, bound actions and batches."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from platforms.business_central.sandbox_documents import lines_name
from platforms.business_central.sandbox_fields import DOCUMENTS, ENTITIES, Entity
from platforms.business_central.sandbox_hooks import Hooks
from platforms.business_central.sandbox_payments import NO_BATCH, Payments
from platforms.business_central.sandbox_posting import Posting
from platforms.business_central.sandbox_query import Query, inner_options
from platforms.business_central.sandbox_store import etag, shown
from platforms.business_central.sandbox_values import (
    ApiError,
    Row,
    given,
    is_guid,
    no_record,
    parse,
    refusal,
    text_of,
)

SEGMENT = re.compile(r"([A-Za-z$][\w.$]*)(?:\(([^()]*)\))?")
MOST = 20_000
LINES = {lines_name(name): name for name in DOCUMENTS}
ALONE = LINES.keys() | {"salesShipmentLines"}
NO_DOCUMENT = "You must specify an Id or a Document Id to get the lines."
FINAL = 'The value for "{}" cannot be modified.'
JSON = {"Content-Type": "application/json; odata.metadata=minimal", "OData-Version": "4.0"}


@dataclass
class Call:
    """One request, alone or within a batch."""

    method: str
    path: str
    options: dict[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    base: str = ""

    @property
    def is_replica(self) -> bool:
        """Whether a copy of the data will do, which may be late."""
        return self.headers.get("data-access-intent", "").lower() == "readonly"


@dataclass
class Answer:
    """What comes of a call; a body of None is no body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        return self.body.encode() if isinstance(self.body, str) else text_of(self.body)


@dataclass
class Place:
    """What an address means: a set, one record of it, and perhaps what is below that."""

    entity: Entity
    id: str | None = None
    within: dict[str, Any] = field(default_factory=dict)
    action: str = ""
    is_count: bool = False


class Api:
    """The company's records for apps.

    Args:
        posting: everything documents can become.
        payments: the journals.
        hooks: the subscriptions.
        seed: how the environment is set up.
    """

    def __init__(self, posting: Posting, payments: Payments, hooks: Hooks, seed: Row) -> None:
        self.posting, self.payments, self.hooks, self.seed = posting, payments, hooks, seed
        self.store, self.masters = posting.store, posting.masters
        self.documents = posting.documents
        self.lock = threading.RLock()

    def answer(self, call: Call) -> Answer:
        """Do what is asked, or say why not; nothing is left half done."""
        try:
            # The handshake waits for somebody else: nobody else must wait for it.
            if call.path.startswith("subscriptions") and call.method in ("POST", "PATCH"):
                return self._subscribe(call)
            with self.lock, self.store.transaction():
                return self._one(call)
        except ApiError as error:
            return Answer(error.status, error.body(), dict(JSON))

    def _one(self, call: Call) -> Answer:
        if call.path.partition("(")[0].partition("/")[0] == "subscriptions":
            return self._subscription(call)
        place = self._place(call.path)
        if place.action:
            return self._act(call, place)
        if call.method == "GET":
            return self._read(call, place)
        self._allowed(call.method, place)
        if call.method == "POST":
            return self._create(call, place)
        row = self._current(call, place)
        if call.method == "DELETE":
            return self._delete(place, row)
        return self._change(call, place, row)

    # -- addresses ---------------------------------------------------------------------------------

    def _place(self, path: str) -> Place:
        parts = [SEGMENT.fullmatch(part) for part in path.split("/")]
        if not all(parts):
            raise ApiError("BadRequest_NotFound", "Bad Request - Error in query syntax")
        steps = [(part[1], part[2]) for part in parts if part]
        name, id_ = steps[0]
        if name != "companies":
            raise self._no_segment(name)
        if len(steps) == 1 or id_ is None:
            if len(steps) > 1:
                raise self._no_segment(steps[1][0])
            return Place(ENTITIES["companies"], id_ and self._id(id_))
        if self._id(id_) not in self.store.rows["companies"]:
            raise ApiError("Internal_CompanyNotFound", f"The company '{id_}' does not exist.")
        return self._below(steps[1:])

    def _below(self, steps: list[tuple[str, str | None]]) -> Place:
        place: Place | None = None
        for name, id_ in steps:
            if place and name.startswith("Microsoft.NAV."):
                place.action = name.removeprefix("Microsoft.NAV.")
            elif place and name == "$count" and place.id is None:
                place.is_count = True
            elif place is None:
                if name not in ENTITIES or name in ("companies", "subscriptions"):
                    raise self._no_segment(name)
                place = Place(ENTITIES[name], id_ if id_ is None else self._id(id_))
            else:
                place = self._next(place, name, id_)
        if place is None:
            raise self._no_segment("")
        return place

    def _next(self, place: Place, name: str, id_: str | None) -> Place:
        if place.id is None:
            raise self._no_segment(name)
        row = self._kept(place)
        if name in place.entity.parts:
            child = ENTITIES[place.entity.parts[name]]
            below = child.parent[1] if child.parent else "id"
            return Place(child, id_ and self._id(id_), {below: row["id"]})
        if name in place.entity.links and id_ is None:
            set_, key = place.entity.links[name]
            return Place(ENTITIES[set_], row[key])
        raise self._no_segment(name)

    def _id(self, text: str) -> str:
        if not is_guid(text):
            raise ApiError("BadRequest_NotFound", "Bad Request - Error in query syntax")
        return text.lower()

    def _no_segment(self, name: str) -> ApiError:
        text = f"Resource not found for the segment '{name}'."
        return ApiError("BadRequest_ResourceNotFound", text)

    def _kept(self, place: Place) -> Row:
        row = self.store.get(place.entity.set, place.id or "")
        if any(row[key] != value for key, value in place.within.items()):
            raise no_record(place.entity.name, place.id)
        return row

    def _allowed(self, method: str, place: Place) -> None:
        is_at_set = place.id is None
        fits = (method == "POST") == is_at_set
        if method not in place.entity.methods or not fits:
            text = f"'{method}' requests for '{place.entity.set}' of EdmType 'Entity' are not"
            raise ApiError(
                "BadRequest_MethodNotAllowed", f"{text} allowed within the OData web services."
            )

    # -- reading -----------------------------------------------------------------------------------

    def _read(self, call: Call, place: Place) -> Answer:
        query = Query.read(place.entity, call.options)
        rows = self._rows(call)
        if place.id is not None:
            row = rows[place.entity.set].get(place.id)
            if row is None or any(row[key] != value for key, value in place.within.items()):
                raise no_record(place.entity.name, place.id)
            body = {"@odata.context": self._context(call, place)}
            return Answer(
                200, body | self._shown(call, query, self._reread(call, place.entity, row)), JSON
            )
        pinned = {**place.within, **(query.filter.pinned if query.filter else {})}
        self._pinned(place.entity, pinned)
        found = [
            self._reread(call, place.entity, row)
            for row in rows[place.entity.set].values()
            if all(row[key] == value for key, value in place.within.items())
        ]
        wanted = query.wanted(found)
        if place.is_count:
            return Answer(200, str(len(wanted)), {"Content-Type": "text/plain"})
        return self._list(call, place, query, wanted)

    def _list(self, call: Call, place: Place, query: Query, rows: list[Row]) -> Answer:
        size, headers = self._size(call.headers.get("prefer", ""))
        page, token = query.page(query.cut(rows), size)
        body: Row = {"@odata.context": self._context(call, place)}
        if query.counts:
            body["@odata.count"] = len(rows)
        body["value"] = [self._shown(call, query, row) for row in page]
        if token:
            kept = {key: value for key, value in call.options.items() if key != "$skiptoken"}
            pairs = (f"{key}={quote(value, safe='')}" for key, value in kept.items())
            options = "&".join([*pairs, "aid=FIXED", f"$skiptoken={token}"])
            if "aid" in kept:
                options = options.replace("&aid=FIXED", "")
            body["@odata.nextLink"] = f"{call.base}/{call.path}?{options}"
        return Answer(200, body, JSON | headers)

    def _size(self, prefer: str) -> tuple[int, dict[str, str]]:
        found = re.search(r"odata\.maxpagesize\s*=\s*(\d+)", prefer)
        size = int(self.seed["page_size"])
        if found is None:
            return size, {}
        asked = int(found[1])
        if asked > MOST or asked < 1:
            text = f"The page size must be between 1 and {MOST}."
            raise ApiError("BadRequest", text, 413 if asked > MOST else 400)
        return min(size, asked), {"Preference-Applied": f"odata.maxpagesize={asked}"}

    def _rows(self, call: Call) -> dict[str, dict[str, Row]]:
        lag = float(self.seed["replica_lag_seconds"])
        if call.is_replica and lag:
            return self.store.as_of(timedelta(seconds=lag))
        return self.store.rows

    def _reread(self, call: Call, entity: Entity, row: Row) -> Row:
        if entity.set in DOCUMENTS and not call.is_replica:
            return self.documents.reread(entity.set, row)
        return self.posting.financial(row) if entity.set == "customerFinancialDetails" else row

    def _pinned(self, entity: Entity, pinned: Mapping[str, Any]) -> None:
        if entity.parent is None or "id" in pinned or entity.parent[1] in pinned:
            return
        if entity.set in ALONE:
            raise refusal(NO_DOCUMENT)
        if entity.set in ("customerPayments", "journalLines"):
            raise refusal(NO_BATCH)

    def _context(self, call: Call, place: Place) -> str:
        company = f"companies({self.seed['company']['id']})/"
        inner = "" if place.entity.set == "companies" else company
        tail = "/$entity" if place.id is not None else ""
        return f"{call.base}/$metadata#{inner}{place.entity.set}{tail}"

    def _shown(self, call: Call, query: Query, row: Row) -> Row:
        entity = query.entity
        names = [name for name in query.select if name != "*"] or list(entity.fields)
        found = shown((entity.fields[name] for name in names), row)
        for name, inner in query.expand.items():
            found |= self._expanded(call, entity, row, name, inner)
        return found

    def _expanded(self, call: Call, entity: Entity, row: Row, name: str, inner: str) -> Row:
        rows = self._rows(call)
        if name in entity.parts:
            child = ENTITIES[entity.parts[name]]
            query = Query.read(child, inner_options(inner))
            below = child.parent[1] if child.parent else "id"
            mine = [one for one in rows[child.set].values() if one[below] == row["id"]]
            mine = [self._reread(call, child, one) for one in mine]
            return {name: [self._shown(call, query, one) for one in query.cut(query.wanted(mine))]}
        if name in entity.links:
            set_, key = entity.links[name]
            query = Query.read(ENTITIES[set_], inner_options(inner))
            found = rows[set_].get(row[key])
            return {name: self._shown(call, query, found) if found else None}
        kind = f"Microsoft.NAV.{entity.name}"
        raise ApiError("BadRequest", f"Could not find a property named '{name}' on type '{kind}'.")

    # -- writing -----------------------------------------------------------------------------------

    def _create(self, call: Call, place: Place) -> Answer:
        name = place.entity.set
        values = given(place.entity, self.body(call), is_new=True) | dict(place.within)
        for part, rows in ((part, values.get(part)) for part in place.entity.parts):
            if rows is not None:
                child = ENTITIES[place.entity.parts[part]]
                values[part] = [given(child, row, is_new=True) for row in rows]
        row = self._made(name, values, place.entity)
        self.store.done(f"{place.entity.name.lower()} created")
        query = Query.read(place.entity, {"$expand": call.options.get("$expand", "")})
        body = {"@odata.context": self._context(call, Place(place.entity, row["id"]))}
        where = f"{call.base}/companies({self.seed['company']['id']})/{name}({row['id']})"
        return Answer(201, body | self._shown(call, query, row), JSON | {"Location": where})

    def _made(self, name: str, values: Row, entity: Entity) -> Row:
        if name in DOCUMENTS:
            return self.documents.create(name, values)
        if name in LINES:
            above = values.pop("documentId", "")
            if not above:
                raise refusal(NO_DOCUMENT)
            return self.documents.add_line(LINES[name], above, values)
        if name in ("customerPayments", "journalLines"):
            return self.payments.create(name, values)
        below = {part: values.pop(part, []) for part in entity.parts}
        row = self.masters.create(name, values)
        for part, rows in below.items():
            child = ENTITIES[entity.parts[part]]
            if rows and "POST" not in child.methods:
                raise ApiError("BadRequest", f"'{part}' cannot be inserted.")
            for one in rows:
                key = child.parent[1] if child.parent else "id"
                self._made(child.set, one | {key: row["id"]}, child)
        return self.store.get(name, row["id"])

    def _change(self, call: Call, place: Place, row: Row) -> Answer:
        name = place.entity.set
        values = given(place.entity, self.body(call), is_new=False)
        for key, value in values.items():
            if place.entity.fields[key].is_final and value != row[key]:
                raise refusal(FINAL.format(key))
        is_stock = name == "items" and "inventory" in values
        if name in DOCUMENTS:
            row = self.documents.change(name, row, values)
        elif name in LINES:
            row = self.documents.change_line(LINES[name], row, values)
        elif name in ("customerPayments", "journalLines"):
            row = self.payments.change(name, row, values)
        else:
            row = self.masters.change(name, row, values)
        self.store.done(f"{place.entity.name.lower()} updated")
        if is_stock:
            self.store.done("inventory adjusted")
        query = Query.read(place.entity, {"$expand": call.options.get("$expand", "")})
        body = {"@odata.context": self._context(call, place)}
        return Answer(200, body | self._shown(call, query, row), JSON)

    def _delete(self, place: Place, row: Row) -> Answer:
        name = place.entity.set
        if name in DOCUMENTS:
            self.documents.remove(name, row)
        elif name in LINES:
            self.documents.remove_line(LINES[name], row)
        elif name in ("customerPayments", "journalLines"):
            self.store.drop(name, row["id"])
        else:
            self.masters.remove(name, row)
        verb = "cancelled" if name == "salesOrders" else "deleted"
        self.store.done(f"{place.entity.name.lower()} {verb}")
        return Answer(204)

    def _current(self, call: Call, place: Place) -> Row:
        """The record, if the caller has seen its present version."""
        row = self._kept(place)
        self._match(call, row)
        return row

    def _match(self, call: Call, row: Row) -> None:
        wanted = call.headers.get("if-match")
        if wanted is None:
            text = "Could not validate the client concurrency token required by the service."
            hint = "Please provide a valid token in the client request."
            raise ApiError("BadRequest_InvalidToken", f"{text} {hint}")
        if wanted not in ("*", etag(row)):
            text = "Another user has already changed the record."
            raise ApiError("Request_EntityChanged", text, self.seed["stale_status"])

    def body(self, call: Call) -> Row:
        """The JSON object that was sent."""
        kind = call.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/json":
            text = f"The content type '{kind}' is not supported."
            raise ApiError("BadRequest", text, 415)
        return parse(call.body)

    # -- bound actions -----------------------------------------------------------------------------

    def _act(self, call: Call, place: Place) -> Answer:
        entity, name = place.entity, place.entity.set
        if call.method != "POST" or place.id is None:
            self._allowed("", place)
        if not entity.actions:
            text = "Entity does not support bound actions"
            raise ApiError("BadRequest_MethodNotImplemented", text)
        if place.action not in entity.actions:
            raise self._no_segment(f"Microsoft.NAV.{place.action}")
        if call.body.strip() not in (b"", b"{}"):
            raise ApiError("BadRequest", "Invalid Request Body")
        if name == "journals":
            return self._post_journal(place)
        row = self._kept(place)
        kind = entity.name.lower()
        if place.action == "shipAndInvoice":
            self.posting.ship_and_invoice(row)
            self.store.done(f"{kind} posted")
        elif place.action == "makeCorrectiveCreditMemo":
            self.posting.correct(row)
            self.store.done("salescreditmemo created")
        else:
            self._document_action(name, row, place.action, kind)
        return Answer(204)

    def _document_action(self, name: str, row: Row, action: str, kind: str) -> None:
        sends = action.lower().endswith("send")
        if sends and not (row["email"] or self.store.get("customers", row["customerId"])["email"]):
            raise refusal("The send-to email is empty. Specify email either for the customer.")
        if action.startswith("post"):
            self.posting.post(name, row)
            self.store.done(f"{kind} posted")
        elif action.startswith("cancel"):
            self.posting.cancel(name, row)
            self.store.done(f"{kind} cancelled")
        if sends:
            self.store.done(f"{kind} sent")

    def _post_journal(self, place: Place) -> Answer:
        id_, name = place.id or "", "journals"
        if (
            id_ in self.store.rows["customerPaymentJournals"]
            and self.seed["journals_post_payments"]
        ):
            name = "customerPaymentJournals"
        count = self.payments.post(name, self.store.get(name, id_))
        self.store.done("journal posted")
        for _ in range(count if name != "journals" else 0):
            self.store.done("customerpayment posted")
        return Answer(204)

    # -- subscriptions -----------------------------------------------------------------------------

    def _subscription_id(self, path: str) -> str:
        found = re.fullmatch(r"subscriptions\('([^']*)'\)", path)
        if found is None:
            raise ApiError("BadRequest_NotFound", "Bad Request - Error in query syntax")
        return found[1]

    def _subscription(self, call: Call) -> Answer:
        entity = ENTITIES["subscriptions"]
        if call.path == "subscriptions":
            if call.method != "GET":
                self._allowed("", Place(entity))
            query = Query.read(entity, call.options)
            return self._list(call, Place(entity), query, query.wanted(self.hooks.alive()))
        row = self.hooks.get(self._subscription_id(call.path))
        if call.method == "DELETE":
            self._match(call, row)
            self.hooks.drop(row["subscriptionId"])
            self.store.done("subscription deleted")
            return Answer(204)
        if call.method != "GET":
            self._allowed("", Place(entity))
        return self._told(call, 200, row)

    def _told(self, call: Call, status: int, row: Row) -> Answer:
        entity = ENTITIES["subscriptions"]
        body = {"@odata.context": f"{call.base}/$metadata#subscriptions/$entity"}
        return Answer(status, body | shown(entity.fields.values(), row), JSON)

    def _subscribe(self, call: Call) -> Answer:
        entity, old = ENTITIES["subscriptions"], None
        is_new = call.method == "POST"
        with self.lock:
            if is_new and call.path != "subscriptions":
                self._allowed("", Place(entity, "x"))
            if not is_new:
                old = self.hooks.get(self._subscription_id(call.path))
                self._match(call, old)
            values = self.hooks.wanted(given(entity, self.body(call), is_new=is_new), old)
        self.hooks.greet(values["notificationUrl"])
        with self.lock, self.store.transaction():
            row = self.hooks.renew(old, values) if old else self.hooks.create(values)
            self.store.done(f"subscription {'renewed' if old else 'created'}")
        return self._told(call, 200 if old else 201, row)
