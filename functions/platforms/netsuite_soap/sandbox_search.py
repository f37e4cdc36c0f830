"""Searches of the NetSuite sandbox: filters, operators, and pages that are searched anew each time.

A page is cut from what fits when it is asked for, as at the vendor: rows that change between two
pages are skipped or come twice, unless the search is closed against it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from platforms.netsuite_soap.sandbox_soap import NS, Element, engine, unexpected
from platforms.netsuite_soap.sandbox_store import TRANSACTIONS, Store
from platforms.netsuite_soap.sandbox_types import CUSTOM, RefusalError, Row, Types
from platforms.netsuite_soap.sandbox_views import Views

Test = Callable[[Row], bool]
ITEM_TYPES = {
    "inventoryItem": "_inventoryItem",
    "assemblyItem": "_assembly",
    "kitItem": "_kit",
    "nonInventorySaleItem": "_nonInventoryItem",
}
DATES = ("after before on onOrAfter onOrBefore within notAfter notBefore notOn notWithin").split()
STRINGS = ("contains doesNotContain doesNotStartWith is isNot startsWith hasKeywords").split()
NUMBERS = ("between equalTo greaterThan greaterThanOrEqualTo lessThan lessThanOrEqualTo").split()
EMPTY = ["empty", "notEmpty"]
OPERATORS = {
    "SearchDateField": DATES + EMPTY,
    "SearchStringField": STRINGS + EMPTY,
    "SearchEnumMultiSelectField": ["anyOf", "noneOf"],
    "SearchMultiSelectField": ["anyOf", "noneOf"],
    "SearchLongField": NUMBERS + EMPTY,
    "SearchDoubleField": NUMBERS + EMPTY,
    "SearchTextNumberField": NUMBERS + EMPTY,
    "SearchBooleanField": [],
}
IDS = {
    "internalId": "SearchMultiSelectField",
    "internalIdNumber": "SearchLongField",
    "externalId": "SearchMultiSelectField",
    "externalIdString": "SearchStringField",
    "lastModifiedDate": "SearchDateField",
    "dateCreated": "SearchDateField",
}
REFS = "SearchMultiSelectField"
TEXT = "SearchStringField"
TRANSACTION = IDS | {
    "type": "SearchEnumMultiSelectField",
    "status": "SearchEnumMultiSelectField",
    "tranDate": "SearchDateField",
    "dueDate": "SearchDateField",
    "tranId": TEXT,
    "memo": TEXT,
    "otherRefNum": "SearchTextNumberField",
    "entity": REFS,
    "createdFrom": REFS,
    "subsidiary": REFS,
    "location": REFS,
    "currency": REFS,
    "item": REFS,
    "appliedToTransaction": REFS,
    "mainLine": "SearchBooleanField",
}
PERSON = IDS | {
    "entityId": TEXT,
    "email": TEXT,
    "phone": TEXT,
    "firstName": TEXT,
    "lastName": TEXT,
    "subsidiary": REFS,
    "isInactive": "SearchBooleanField",
}
CUSTOMER = PERSON | {"companyName": TEXT, "priceLevel": REFS}
ITEM = IDS | {
    "itemId": TEXT,
    "displayName": TEXT,
    "upcCode": TEXT,
    "type": "SearchEnumMultiSelectField",
    "isInactive": "SearchBooleanField",
    "lastQuantityAvailableChange": "SearchDateField",
}
LISTED = {
    "internalId": REFS,
    "internalIdNumber": "SearchLongField",
    "name": TEXT,
    "isInactive": "SearchBooleanField",
}
SEARCHES: dict[str, tuple[str, Sequence[str], dict[str, str]]] = {
    "Transaction": ("sales", TRANSACTIONS, TRANSACTION),
    "Customer": ("relationships", ("customer",), CUSTOMER),
    "Contact": ("relationships", ("contact",), PERSON | {"company": REFS}),
    "Item": ("accounting", tuple(ITEM_TYPES), ITEM),
    "Location": ("accounting", ("location",), LISTED),
    "Subsidiary": ("accounting", ("subsidiary",), LISTED),
    "UnitsType": ("accounting", ("unitsType",), LISTED),
    "SalesTaxItem": ("accounting", ("salesTaxItem",), LISTED | {"itemId": TEXT}),
    "Term": ("accounting", ("term",), LISTED),
    "PriceLevel": ("accounting", ("priceLevel",), LISTED),
    "PaymentMethod": ("accounting", ("paymentMethod",), LISTED),
    "Account": ("accounting", ("account",), LISTED | {"number": TEXT}),
}


@dataclass
class Filter:
    """One condition of a search, as given."""

    name: str
    kind: str
    operator: str
    values: list[str]
    ids: list[str]
    keys: list[str]


@dataclass
class Search:
    """A search as it is kept between pages."""

    kinds: Sequence[str]
    tests: list[Test]
    page_size: int
    is_body_only: bool


@dataclass
class Page:
    """One page of a search."""

    search_id: str
    rows: list[Row]
    total: int
    pages: int
    index: int
    size: int
    is_body_only: bool


class Searches:
    """The searches of one account."""

    def __init__(self, store: Store, views: Views) -> None:
        self.store = store
        self.views = views
        self.kept: dict[str, Search] = {}
        self.ids = itertools.count(1)

    def start(self, record: Element, page_size: int, *, is_body_only: bool) -> Page:
        """A new search: its first page."""
        if not 5 <= page_size <= 1000:
            raise RefusalError("INVALID_SEARCH_PAGE_SIZE", "The page size is between 5 and 1000.")
        kinds, tests = self.read(record)
        search_id = f"WEBSERVICES_{self.store.seed['account']}_{next(self.ids):012d}"
        self.kept[search_id] = Search(kinds, tests, page_size, is_body_only)
        return self.page(search_id, 1)

    def page(self, search_id: str, index: int) -> Page:
        """A page of what fits now."""
        search = self.kept.get(search_id)
        if search is None:
            raise RefusalError("INVALID_SEARCH_MORE", f"Invalid searchId {search_id}.")
        rows = [
            row for row in self.store.all(*search.kinds) if all(test(row) for test in search.tests)
        ]
        pages = -(-len(rows) // search.page_size)
        if index < 1 or index > max(1, pages):
            raise RefusalError("INVALID_SEARCH_PAGE_INDEX", f"There is no page {index}.")
        start = (index - 1) * search.page_size
        part = rows[start : start + search.page_size]
        size, is_short = search.page_size, search.is_body_only
        return Page(search_id, part, len(rows), pages, index, size, is_short)

    # Reading a search.

    def read(self, record: Element) -> tuple[Sequence[str], list[Test]]:
        """The kinds a ``searchRecord`` is about, and its conditions."""
        ns, name = record.type or ("", "")
        subject = name.removesuffix("Basic").removesuffix("Search")
        if subject not in SEARCHES or not name.endswith(("Search", "SearchBasic")):
            raise engine(f"org.xml.sax.SAXException: Invalid type: {{{ns}}}{name}")
        family, kinds, fields = SEARCHES[subject]
        is_basic = name.endswith("Basic")
        if ns != NS["common" if is_basic else family]:
            raise engine(f"org.xml.sax.SAXException: Invalid type: {{{ns}}}{name}")
        if is_basic:
            return kinds, self.tests(record, fields)
        record.only(NS[family], "basic")
        return kinds, [test for one in record.children for test in self.tests(one, fields)]

    def tests(self, basic: Element, fields: dict[str, str]) -> list[Test]:
        """The conditions of a basic search."""
        found = []
        for child in basic.children:
            if child.ns != NS["common"]:
                raise unexpected(child)
            if child.name == "customFieldList":
                child.only(NS["core"], "customField")
                found += [self.custom_test(one) for one in child.children]
            elif child.name in fields:
                found.append(self.test(self.filter(child, fields[child.name])))
            else:
                raise unexpected(child)
        return found

    def filter(self, child: Element, kind: str) -> Filter:
        """One condition, its operator and values checked."""
        if child.type not in (None, (NS["core"], kind)):
            text = f"{child.name} is not a {(child.type or ('', ''))[1]}"
            raise engine(f"org.xml.sax.SAXException: {text}")
        child.only(NS["core"], "searchValue", "searchValue2")
        operator = child.attributes.get("operator", "")
        if operator not in OPERATORS[kind] and OPERATORS[kind]:
            text = f"Invalid operator '{operator}' of search field {child.name}."
            raise RefusalError("INVALID_SEARCH_FIELD_OPERATOR", text)
        values = child.texts("searchValue") + child.texts("searchValue2")
        given = child.all("searchValue")
        ids = [one.attributes["internalId"] for one in given if "internalId" in one.attributes]
        keys = [one.attributes["externalId"] for one in given if "externalId" in one.attributes]
        wanted = 2 if operator in ("within", "notWithin", "between") else 1
        if operator not in EMPTY and len(values) < wanted:
            raise RefusalError("INVALID_SEARCH_VALUE", f"{child.name} needs a search value.")
        if kind == REFS and len(ids) + len(keys) != len(given):
            text = f"{child.name} needs internalId or externalId."
            raise RefusalError("INVALID_SEARCH_SELECT_OBJ", text)
        return Filter(child.name, kind, operator, values, ids, keys)

    def test(self, asked: Filter) -> Test:
        """A condition as a function of a row."""
        if asked.name == "mainLine":
            return lambda _: True
        reading = self.reader(asked)
        if asked.kind == REFS:
            return self.chosen(asked, reading)
        return compared(self.store.types, asked, reading)

    def chosen(self, asked: Filter, reading: Callable[[Row], Any]) -> Test:
        """Whether one of the references is among those asked for."""
        wanted = set(asked.ids)
        if asked.name == "externalId":
            wanted = set(asked.keys)
        else:
            for key in asked.keys:
                found = [row for rows in self.store.rows.values() for row in rows.values()]
                wanted |= {row["internalId"] for row in found if row.get("externalId") == key}
        is_any = asked.operator == "anyOf"
        return lambda row: bool(wanted & set(reading(row))) == is_any

    def reader(self, asked: Filter) -> Callable[[Row], Any]:
        """Where a row has what a condition is about."""
        name = asked.name
        special: dict[str, Callable[[Row], Any]] = {
            "internalId": lambda row: [row["internalId"]],
            "internalIdNumber": lambda row: Decimal(row["internalId"]),
            "externalId": lambda row: [row.get("externalId") or ""],
            "externalIdString": lambda row: row.get("externalId"),
            "dateCreated": lambda row: row.get("dateCreated") or row.get("createdDate"),
            "type": lambda row: ITEM_TYPES.get(row["_kind"], f"_{row['_kind']}"),
            "status": self.status,
            "item": lambda row: [one["item"]["id"] for one in row.get("itemList", [])],
            "appliedToTransaction": lambda row: [
                str(one["doc"]) for one in row.get("applyList", [])
            ],
            "entity": lambda row: _ids(row.get("entity") or row.get("customer")),
            "number": lambda row: row.get("acctNumber"),
            "lastQuantityAvailableChange": self.counted_at,
        }
        if name in special:
            return special[name]
        if asked.kind == REFS:
            return lambda row: _ids(row.get(name))
        if name == "name":
            return lambda row: self.store.label((row["_kind"],), row["internalId"])
        return lambda row: row.get(name)

    def counted_at(self, row: Row) -> datetime | None:
        """When there was last more or less of an item to sell, anywhere."""
        stock = self.store.stock.items()
        times = [place["changed"] for (item, _), place in stock if item == row["internalId"]]
        return max(times, default=None)

    def status(self, row: Row) -> str:
        """A transaction's state as a search names it: the kind before the words."""
        words = str(self.views.show(row).get("status", "")).replace("/", " ").split()
        return f"_{row['_kind']}{''.join(word[0].upper() + word[1:] for word in words)}"

    def custom_test(self, one: Element) -> Test:
        """A condition on a custom field."""
        ns, name = one.type or ("", "")
        script_id = one.attributes.get("scriptId", "")
        known = self.store.custom.get(script_id)
        kinds = {
            "SearchStringCustomField": ("SearchStringField", "string"),
            "SearchBooleanCustomField": ("SearchBooleanField", "boolean"),
            "SearchLongCustomField": ("SearchLongField", "long"),
            "SearchDoubleCustomField": ("SearchDoubleField", "decimal"),
            "SearchDateCustomField": ("SearchDateField", "dateTime"),
        }
        if name not in kinds or ns != NS["core"]:
            raise engine(f"org.xml.sax.SAXException: Invalid type: {{{ns}}}{name}")
        field, holds = kinds[name]
        if known is None or CUSTOM[known["type"]] != holds:
            text = f"Invalid search field {script_id}."
            raise RefusalError("INVALID_SEARCH_FIELD_NAME", text)
        bare = Element(one.ns, script_id, one.attributes, None, False, "", one.children)
        asked = self.filter(bare, field)

        def reading(row: Row) -> Any:
            return row.get("customFieldList", {}).get(script_id, {}).get("value")

        return compared(self.store.types, asked, reading)


def _ids(ref: Row | None) -> list[str]:
    return [ref["id"]] if ref else []


def compared(types: Types, asked: Filter, reading: Callable[[Row], Any]) -> Test:
    """A condition on a text, a number, a time, a yes or a choice."""
    operator = asked.operator
    if operator in EMPTY:
        return lambda row: (reading(row) in (None, "")) == (operator == "empty")
    if asked.kind == "SearchDateField":
        moments = [types.parsed(text, "dateTime", asked.name) for text in asked.values]
        return lambda row: _dated(types, operator, reading(row), moments)
    if asked.kind == "SearchBooleanField":
        wanted = types.parsed(asked.values[0], "boolean", asked.name)
        return lambda row: bool(reading(row)) == wanted
    if asked.kind == "SearchEnumMultiSelectField":
        return lambda row: (reading(row) in asked.values) == (operator == "anyOf")
    if asked.kind == "SearchStringField":
        return lambda row: _texted(operator, str(reading(row) or "").lower(), asked.values)
    if asked.kind == "SearchTextNumberField" and operator == "equalTo":
        return lambda row: str(reading(row) or "") == asked.values[0]
    numbers = [types.parsed(text, "decimal", asked.name) for text in asked.values]
    return lambda row: _numbered(operator, reading(row), numbers)


def _dated(types: Types, operator: str, value: Any, moments: list[datetime]) -> bool:
    if value is None:
        return False
    if operator.startswith("not"):
        positive = operator[3].lower() + operator[4:]
        return not _dated(types, positive, value, moments)
    bounds: list[Any] = list(moments)
    if not isinstance(value, datetime):
        bounds = [moment.astimezone(types.zone).date() for moment in moments]
    first, last = bounds[0], bounds[-1]
    if operator == "on":
        return bool(_day(types, value) == _day(types, first))
    return bool(
        {
            "after": value > first,
            "before": value < first,
            "onOrAfter": value >= first,
            "onOrBefore": value <= first,
            "within": first <= value <= last,
        }[operator]
    )


def _day(types: Types, value: Any) -> date:
    return value.astimezone(types.zone).date() if isinstance(value, datetime) else value


def _texted(operator: str, value: str, values: list[str]) -> bool:
    wanted = values[0].lower()
    return {
        "is": value == wanted,
        "isNot": value != wanted,
        "startsWith": value.startswith(wanted),
        "doesNotStartWith": not value.startswith(wanted),
        "contains": wanted in value,
        "doesNotContain": wanted not in value,
        "hasKeywords": all(word in value for word in wanted.split()),
    }[operator]


def _numbered(operator: str, value: Any, numbers: list[Decimal]) -> bool:
    if value is None:
        return False
    try:
        number = Decimal(value)
    except ArithmeticError:
        return False
    first, last = numbers[0], numbers[-1]
    return {
        "equalTo": number == first,
        "greaterThan": number > first,
        "greaterThanOrEqualTo": number >= first,
        "lessThan": number < first,
        "lessThanOrEqualTo": number <= first,
        "between": first <= number <= last,
    }[operator]
