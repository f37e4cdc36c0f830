"""The operations of the NetSuite sandbox: a request's body in, the answer's body out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from platforms.netsuite_soap.sandbox_documents import SOURCES
from platforms.netsuite_soap.sandbox_search import Page, Searches
from platforms.netsuite_soap.sandbox_soap import NS, Element, Node, SoapFaultError, engine
from platforms.netsuite_soap.sandbox_store import Store
from platforms.netsuite_soap.sandbox_types import KINDS, RefusalError, Row, utc
from platforms.netsuite_soap.sandbox_views import Views
from platforms.netsuite_soap.sandbox_writes import Outcome, Wishes, Writes

REF = (NS["core"], "RecordRef")
DELETED_PAGE = 1000


class HalfDoneError(Exception):
    """The work is cut off after some records."""


class Asked:
    """What a request's header says beside the passport."""

    def __init__(self, header: Element | None, denied: Sequence[str]) -> None:
        self.wishes = Wishes(denied=frozenset(denied))
        self.page_size = 1000
        self.is_body_only = True
        for child in header.children if header else ():
            if child.name == "preferences":
                self.prefer(child)
            elif child.name == "searchPreferences":
                self.search(child)

    def prefer(self, element: Element) -> None:
        """The preferences of a write."""
        names = (
            "warningAsError",
            "ignoreReadOnlyFields",
            "runServerSuiteScriptAndTriggerWorkflows",
        )
        others = ("disableMandatoryCustomFieldValidation", "disableSystemNotesForCustomFields")
        element.only(NS["messages"], *names, *others, "useConditionalDefaultsOnAdd")
        self.wishes.warnings_are_errors = element.word(names[0]) == "true"
        self.wishes.ignores_read_only = element.word(names[1]) == "true"
        self.wishes.runs_scripts = element.word(names[2]) != "false"

    def search(self, element: Element) -> None:
        """The preferences of a search; without any, no sublist comes."""
        element.only(NS["messages"], "bodyFieldsOnly", "returnSearchColumns", "pageSize")
        self.is_body_only = element.word("bodyFieldsOnly") != "false"
        text = element.word("pageSize")
        if text and not text.isdigit():
            raise engine(f"org.xml.sax.SAXException: Invalid value '{text}' of pageSize")
        self.page_size = int(text) if text else 1000


class Calls:
    """Performs the operations on one store.

    ``cut_after`` is how many more records may be written before the work is cut off, if it is.
    """

    def __init__(self, store: Store, views: Views, writes: Writes, searches: Searches) -> None:
        self.store = store
        self.views = views
        self.writes = writes
        self.searches = searches
        self.cut_after: int | None = None
        self.flags = {"empty_list": True}
        self.operations: dict[str, Callable[[Element, Asked], Node]] = {
            "get": self.get,
            "getList": self.get_list,
            "getAll": self.get_all,
            "search": self.search,
            "searchMoreWithId": self.search_more,
            "initialize": self.initialize,
            "getDeleted": self.get_deleted,
            "getItemAvailability": self.get_availability,
            "getServerTime": self.get_time,
        }
        for name in ("add", "update", "upsert"):
            self.operations[name] = self.write
            self.operations[f"{name}List"] = self.write_list
        self.operations |= {"delete": self.delete, "deleteList": self.delete_list}

    # Writes.

    def write(self, body: Element, asked: Asked) -> Node:
        """One record."""
        body.only(NS["messages"], "record")
        if len(body.children) != 1:
            raise engine("org.xml.sax.SAXException: exactly one record is needed")
        return _response(body.name, self.written(body.name, body.children[0], asked))

    def write_list(self, body: Element, asked: Asked) -> Node:
        """Several records: each for itself, in their order."""
        body.only(NS["messages"], "record")
        self.count(body)
        operation = body.name.removesuffix("List")
        found = [self.written(operation, record, asked) for record in body.children]
        return _listed(body.name, "writeResponseList", found)

    def written(self, operation: str, record: Element, asked: Asked) -> Node:
        """The answer to one record."""
        self.cut()
        try:
            draft = self.store.types.draft(record)
        except RefusalError as refused:
            name = (record.type or ("", ""))[1]
            kind = next((k for k, s in KINDS.items() if s.name == name), "")
            details = [(refused.kind, refused.code, refused.message)]
            ids = record.attributes
            outcome = Outcome(kind, ids.get("internalId", ""), ids.get("externalId", ""), details)
            outcome.has_failed = True
            return _write_response(outcome)
        return _write_response(self.writes.write(operation, draft, asked.wishes))

    def cut(self) -> None:
        """Count one record towards the cut."""
        if self.cut_after is not None:
            if self.cut_after <= 0:
                raise HalfDoneError
            self.cut_after -= 1

    def count(self, body: Element) -> None:
        """Not more records than a list may have."""
        limit = self.store.seed["list_limit"]
        if len(body.children) > limit:
            text = f"The maximum number of records allowed is {limit}."
            raise SoapFaultError("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED", text)

    def delete(self, body: Element, asked: Asked) -> Node:
        """One deletion."""
        body.only(NS["messages"], "baseRef", "deletionReason")
        return _response(body.name, self.deleted(body.get("baseRef"), asked))

    def delete_list(self, body: Element, asked: Asked) -> Node:
        """Several deletions."""
        body.only(NS["messages"], "baseRef", "deletionReason")
        self.count(body)
        found = [self.deleted(ref, asked) for ref in body.all("baseRef")]
        return _listed(body.name, "writeResponseList", found)

    def deleted(self, ref: Element | None, asked: Asked) -> Node:
        """The answer to one deletion."""
        self.cut()
        kind, number, key = self.base_ref(ref)
        return _write_response(self.writes.delete(kind, number, key, asked.wishes))

    def base_ref(self, ref: Element | None) -> tuple[str, str, str]:
        """Type and ids of a ``baseRef``."""
        if ref is None or ref.type != REF:
            raise engine("org.xml.sax.SAXException: Abstract type BaseRef: RecordRef is needed")
        ref.only(NS["core"], "name")
        ids = ref.attributes
        kind = ids.get("type", "")
        if kind not in KINDS:
            raise engine(f"org.xml.sax.SAXException: Invalid value '{kind}' of type")
        return kind, ids.get("internalId", ""), ids.get("externalId", "")

    # Reads.

    def get(self, body: Element, _: Asked) -> Node:
        """One record."""
        body.only(NS["messages"], "baseRef")
        return _response(body.name, self.read(body.get("baseRef")))

    def get_list(self, body: Element, _: Asked) -> Node:
        """Several records, each with a status of its own."""
        body.only(NS["messages"], "baseRef")
        self.count(body)
        return _listed(body.name, "readResponseList", [self.read(one) for one in body.children])

    def read(self, ref: Element | None) -> Node:
        """The answer for one reference."""
        kind, number, key = self.base_ref(ref)
        row = self.store.get(kind, number) if number else self.store.keyed((kind,), key)
        if row is None:
            refused = RefusalError("RCRD_DSNT_EXIST", "That record does not exist.")
            return Node("messages", "readResponse", children=[_refused(refused)])
        return self.shown(row)

    def shown(self, row: Row) -> Node:
        """A record that was found."""
        record = self.store.types.record(row["_kind"], self.views.show(row), ("messages", "record"))
        return Node("messages", "readResponse", children=[_status(), record])

    def get_all(self, body: Element, _: Asked) -> Node:
        """All records of the few short lists that have no search."""
        record = body.get("record", NS["messages"])
        kind = record.attributes.get("recordType", "") if record else ""
        if kind not in ("currency", "salesTaxItem", "paymentMethod", "priceLevel", "term"):
            raise engine(f"org.xml.sax.SAXException: Invalid value '{kind}' of recordType")
        rows = list(self.store.all(kind))
        nodes = [self.core_record(row) for row in rows]
        total = Node("core", "totalRecords", str(len(rows)))
        found = [_status(), total, Node("core", "recordList", children=nodes)]
        return _response(body.name, Node("core", "getAllResult", children=found))

    def core_record(self, row: Row, *, is_body_only: bool = False) -> Node:
        """A record in a list of results."""
        shown = self.views.show(row, is_body_only=is_body_only)
        return self.store.types.record(row["_kind"], shown, ("core", "record"))

    def search(self, body: Element, asked: Asked) -> Node:
        """The first page of a search."""
        body.only(NS["messages"], "searchRecord")
        record = body.get("searchRecord")
        if record is None:
            raise engine("org.xml.sax.SAXException: searchRecord is missing")
        size, is_short = asked.page_size, asked.is_body_only
        return self.page(
            body.name, lambda: self.searches.start(record, size, is_body_only=is_short)
        )

    def search_more(self, body: Element, _: Asked) -> Node:
        """A later page."""
        body.only(NS["messages"], "searchId", "pageIndex")
        index = self.store.types.parsed(body.word("pageIndex"), "long", "pageIndex")
        return self.page(body.name, lambda: self.searches.page(body.word("searchId"), index))

    def page(self, name: str, work: Callable[[], Page]) -> Node:
        """A page, or why there is none."""
        try:
            page = work()
        except RefusalError as refused:
            result = Node("core", "searchResult", children=[_refused(refused)])
            return _response(name, result)
        numbers = {
            "totalRecords": page.total,
            "pageSize": page.size,
            "totalPages": page.pages,
            "pageIndex": page.index,
            "searchId": page.search_id,
        }
        found = [_status()] + [Node("core", name, str(value)) for name, value in numbers.items()]
        rows = [self.core_record(row, is_body_only=page.is_body_only) for row in page.rows]
        if rows or self.flags["empty_list"]:
            found.append(Node("core", "recordList", children=rows))
        return _response(name, Node("core", "searchResult", children=found))

    def initialize(self, body: Element, _: Asked) -> Node:
        """A new record filled in from another; nothing is kept."""
        body.only(NS["messages"], "initializeRecord")
        record = body.get("initializeRecord")
        if record is None:
            raise engine("org.xml.sax.SAXException: initializeRecord is missing")
        record.only(NS["core"], "type", "reference")
        kind, ref = record.word("type"), record.get("reference")
        if kind not in SOURCES or ref is None:
            raise engine(f"org.xml.sax.SAXException: Invalid value '{kind}' of type")
        ids = ref.attributes
        number, source_kind = ids.get("internalId", ""), ids.get("type", "")
        source = (
            self.store.get(source_kind, number)
            if number
            else self.store.keyed((source_kind,), ids.get("externalId", ""))
        )
        try:
            if source is None:
                raise self.writes.documents.no_source(kind, number or ids.get("externalId", ""))
            row = self.writes.documents.initial(kind, source)
        except RefusalError as refused:
            answer = Node("messages", "readResponse", children=[_refused(refused)])
            return _response(body.name, answer)
        schema = KINDS[kind]
        shown = self.store.types.record(kind, self.views.named(row, schema), ("messages", "record"))
        answer = Node("messages", "readResponse", children=[_status(), shown])
        return _response(body.name, answer)

    def get_deleted(self, body: Element, _: Asked) -> Node:
        """What was deleted, and when."""
        body.only(NS["messages"], "getDeletedFilter", "pageIndex", "preferences")
        asked = body.get("getDeletedFilter")
        if asked is None:
            raise engine("org.xml.sax.SAXException: getDeletedFilter is missing")
        index = self.store.types.parsed(body.word("pageIndex") or "1", "long", "pageIndex")
        try:
            rows = self.deletions(asked, index)
        except RefusalError as refused:
            result = Node("core", "getDeletedResult", children=[_refused(refused)])
            return _response(body.name, result)
        pages = -(-len(rows) // DELETED_PAGE)
        numbers = {"totalRecords": len(rows), "pageSize": DELETED_PAGE}
        numbers |= {"totalPages": pages, "pageIndex": index}
        found = [_status()] + [Node("core", name, str(value)) for name, value in numbers.items()]
        part = rows[(index - 1) * DELETED_PAGE : index * DELETED_PAGE]
        listed = [self.deletion(row) for row in part]
        found.append(Node("core", "deletedRecordList", children=listed))
        return _response(body.name, Node("core", "getDeletedResult", children=found))

    def deletions(self, asked: Element, index: int) -> list[Row]:
        """The deletions a filter lets through, if there is such a page of them."""
        asked.only(NS["core"], "deletedDate", "type")
        tests = []
        for child in asked.children:
            is_date = child.name == "deletedDate"
            kind = "SearchDateField" if is_date else "SearchEnumMultiSelectField"
            one = self.searches.filter(child, kind)
            if not is_date:
                # Unconfirmed whether these values begin with the underscore others have.
                one.values = [f"_{value.removeprefix('_')}" for value in one.values]
            tests.append(self.searches.test(one))
        rows = [entry | {"_kind": entry["kind"]} for entry in self.store.deleted]
        found = [row for row in rows if all(test(row) for test in tests)]
        if index < 1 or (index - 1) * DELETED_PAGE > len(found):
            raise RefusalError("INVALID_SEARCH_PAGE_INDEX", f"There is no page {index}.")
        return found

    def deletion(self, row: Row) -> Node:
        """One deletion."""
        attributes = {"internalId": row["id"], "type": row["kind"]}
        if row["externalId"]:
            attributes["externalId"] = row["externalId"]
        name = [Node("core", "name", row["name"])]
        record = Node("core", "record", attributes=attributes, type=REF, children=name)
        when = Node("core", "deletedDate", self.store.types.text(row["deletedDate"]))
        return Node("core", "deletedRecord", children=[when, record])

    def get_availability(self, body: Element, _: Asked) -> Node:
        """The stock of some items at each location, in their base units."""
        body.only(NS["messages"], "itemAvailabilityFilter")
        asked = body.get("itemAvailabilityFilter")
        if asked is None:
            raise engine("org.xml.sax.SAXException: itemAvailabilityFilter is missing")
        asked.only(NS["core"], "item", "lastQtyAvailableChange")
        try:
            found = self.available(asked)
        except RefusalError as refused:
            failed = Node("core", "getItemAvailabilityResult", children=[_refused(refused)])
            return _response(body.name, failed)
        listed = Node("core", "itemAvailabilityList", children=found)
        result = [_status()] + ([listed] if found else [])
        return _response(body.name, Node("core", "getItemAvailabilityResult", children=result))

    def available(self, asked: Element) -> list[Node]:
        """One element per item and location."""
        listed = asked.get("item")
        refs = listed.children if listed else []
        if listed:
            listed.only(NS["core"], "recordRef")
        items = []
        for ref in refs:
            pointed = self.store.types.reference(ref)
            items.append(self.store.point(pointed, "item", must_be_active=False))
        rows = self.views.availability(items)
        if change := asked.get("lastQtyAvailableChange"):
            one = self.searches.filter(change, "SearchDateField")
            one.name = "changed"
            test = self.searches.test(one)
            rows = [row for row in rows if test(row)]
        return [self.place(row) for row in rows]

    def place(self, row: Row) -> Node:
        """One item at one location."""
        types = self.store.types
        item = types.pointer("core", "item", row["item"])
        item.attributes["type"] = row["kind"]
        where = self.views.pointer("location", row["locationId"])
        location = types.pointer("core", "locationId", where)
        location.attributes["type"] = "location"
        change = Node("core", "lastQtyAvailableChange", types.text(row["changed"]))
        names = ("quantityOnHand", "quantityOnOrder", "quantityCommitted", "quantityAvailable")
        counts = [Node("core", name, types.text(row[name])) for name in names]
        return Node("core", "itemAvailability", children=[item, change, location, *counts])

    def get_time(self, body: Element, _: Asked) -> Node:
        """The vendor's clock."""
        now = self.store.types.text(utc(self.store.clock()))
        children = [_status(), Node("core", "serverTime", now)]
        return _response(body.name, Node("core", "getServerTimeResult", children=children))

    def data_centers(self, body: Element) -> Node:
        """The account's hosts, for anybody."""
        body.only(NS["messages"], "account")
        hosts = domains(self.store.seed, body.word("account"))
        names = ("restDomain", "webservicesDomain", "systemDomain")
        urls = [Node("core", name, hosts[name]) for name in names]
        children = [_status(), Node("core", "dataCenterUrls", children=urls)]
        return _response(body.name, Node("core", "getDataCenterUrlsResult", children=children))


def domains(seed: Row, account: str) -> dict[str, str]:
    """The hosts of an account: its id in lower case, with a hyphen."""
    host = account.lower().replace("_", "-")
    return {name: text.replace("{acct}", host) for name, text in seed["domains"].items()}


def _response(name: str, inner: Node) -> Node:
    return Node("messages", f"{name}Response", children=[inner])


def _listed(name: str, outer: str, found: list[Node]) -> Node:
    inner = Node("messages", outer, children=[_status(), *found])
    return _response(name, inner)


def _status() -> Node:
    return Node("core", "status", attributes={"isSuccess": "true"})


def _refused(refused: RefusalError) -> Node:
    detail = _detail(refused.kind, refused.code, refused.message)
    return Node("core", "status", attributes={"isSuccess": "false"}, children=[detail])


def _detail(kind: str, code: str, message: str) -> Node:
    said = [Node("core", "code", code), Node("core", "message", message)]
    return Node("core", "statusDetail", attributes={"type": kind}, children=said)


def _write_response(outcome: Outcome) -> Node:
    status = Node("core", "status")
    status.attributes["isSuccess"] = "false" if outcome.has_failed else "true"
    status.children = [_detail(*one) for one in outcome.details]
    if not outcome.has_failed:
        late = Node("core", "afterSubmitFailed", "true" if outcome.after_submit_failed else "false")
        if status.children:
            status.children[-1].children.append(late)
        else:
            status.children = [Node("core", "statusDetail", children=[late])]
    children = [status]
    ids = {"internalId": outcome.internal_id, "externalId": outcome.external_id}
    given = {name: value for name, value in ids.items() if value}
    if given:
        attributes = given | {"type": outcome.kind}
        children.append(Node("messages", "baseRef", attributes=attributes, type=REF))
    return Node("messages", "writeResponse", children=children)
