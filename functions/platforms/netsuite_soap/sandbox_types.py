"""Record types of the NetSuite sandbox: their fields, and values between XML and Python.

``sandbox_fields.json`` names the fields of each type by the kind of value. A value is held as text,
``Decimal``, ``bool``, ``int``, aware ``datetime`` or ``date``; a reference as {"id"} or {"key"}; a
sublist as a list of rows. An unknown field, or a value that is not of its kind, fails the request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from platforms.netsuite_soap.sandbox_countries import COUNTRIES
from platforms.netsuite_soap.sandbox_soap import NS, Element, Node, engine, unexpected

Row = dict[str, Any]

SIMPLE = ("string", "boolean", "decimal", "long", "date", "dateTime", "enum", "ref")
ENUMS: dict[str, Sequence[str]] = {
    "country": COUNTRIES,
    "orderStatus": (
        "_pendingApproval",
        "_pendingFulfillment",
        "_cancelled",
        "_partiallyFulfilled",
        "_pendingBillingPartFulfilled",
        "_pendingBilling",
        "_fullyBilled",
        "_closed",
        "_pendingReceipt",
    ),
    "shipStatus": ("_picked", "_packed", "_shipped"),
}
LARGEST = 15
"""Digits of a number on either side: a double holds no more."""
CUSTOM = {
    "StringCustomFieldRef": "string",
    "LongCustomFieldRef": "long",
    "DoubleCustomFieldRef": "decimal",
    "BooleanCustomFieldRef": "boolean",
    "DateCustomFieldRef": "dateTime",
    "SelectCustomFieldRef": "select",
    "MultiSelectCustomFieldRef": "multi",
}


class RefusalError(Exception):
    """What is wrong with one record: the vendor answers with a status, not with a fault."""

    def __init__(self, code: str, message: str, kind: str = "ERROR") -> None:
        super().__init__(message)
        self.code, self.message, self.kind = code, message, kind


@dataclass(frozen=True)
class Schema:
    """One type: where its elements live and what each field holds."""

    name: str
    ns: str
    kind: str
    fields: Mapping[str, str]
    lists: Mapping[str, tuple[str, str]]
    complex: Mapping[str, str]
    read_only: frozenset[str]
    has_custom: bool


def _schema(name: str, entry: Row) -> Schema:
    fields = {one: kind for kind in SIMPLE for one in entry.get(kind, "").split()}
    lists = {one: tuple(said.split(":")) for one, said in entry.get("lists", {}).items()}
    return Schema(
        name,
        entry["ns"],
        entry.get("kind", ""),
        fields,
        lists,
        entry.get("complex", {}),
        frozenset(entry.get("read_only", "").split()),
        entry.get("custom", False),
    )


SCHEMAS = {
    name: _schema(name, entry)
    for name, entry in json.loads(
        Path(__file__).with_name("sandbox_fields.json").read_text()
    ).items()
}
KINDS = {schema.kind: schema for schema in SCHEMAS.values() if schema.kind}
"""The types that are records, by the name references give them."""


@dataclass
class Sublist:
    """The rows of a sublist in a request, and whether they are to be all of them."""

    replaces: bool
    rows: list[Row]


@dataclass
class Draft:
    """One record of a request."""

    kind: str
    internal_id: str
    external_id: str
    values: Row = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)


class Types:
    """Reads and writes values in one account: its time zone and its custom fields."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    # Into Python.

    def draft(self, record: Element) -> Draft:
        """A ``record`` element; its type says what it is."""
        if record.type is None:
            raise engine("org.xml.sax.SAXException: Abstract type Record: xsi:type is missing")
        ns, name = record.type
        schema = SCHEMAS.get(name)
        if schema is None or not schema.kind or ns != NS[schema.ns]:
            raise engine(f"org.xml.sax.SAXException: Invalid type: {{{ns}}}{name}")
        only = set(record.attributes) - {"internalId", "externalId"}
        if only:
            raise engine(f"org.xml.sax.SAXException: Invalid attribute: {min(only)}")
        found = Draft(
            schema.kind,
            record.attributes.get("internalId", "").strip(),
            record.attributes.get("externalId", "").strip(),
        )
        others = []
        for child in record.children:
            if (child.ns, child.name) == (NS["core"], "nullFieldList"):
                child.only(NS["core"], "name")
                found.cleared += child.texts("name")
            else:
                others.append(child)
        found.values = self.values(others, schema)
        return found

    def values(self, children: Sequence[Element], schema: Schema) -> Row:
        """The fields of one type; an empty element is as good as none."""
        row: Row = {}
        for child in children:
            name = child.name
            if child.ns != NS[schema.ns] or name in row:
                raise unexpected(child)
            value = self.value(child, schema)
            if value is not None:
                row[name] = value
        return row

    def value(self, child: Element, schema: Schema) -> Any:
        """One field's value."""
        name = child.name
        if name in schema.lists:
            return self.sublist(child, *schema.lists[name])
        if name in schema.complex:
            return self.values(child.children, SCHEMAS[schema.complex[name]])
        if name == "customFieldList" and schema.has_custom:
            return self.custom(child)
        kind = schema.fields.get(name)
        if kind is None:
            raise unexpected(child)
        if child.is_nil:
            return None
        if kind == "ref":
            return self.reference(child)
        if child.children:
            raise unexpected(child.children[0])
        text = child.text.strip()
        return self.parsed(text, kind, name) if text else None

    def sublist(self, element: Element, name: str, of: str) -> Sublist:
        """A sublist; the vendor replaces all rows unless it is told not to."""
        text = element.attributes.get("replaceAll", "true")
        ns = NS["core"] if not of else element.ns
        element.only(ns, name)
        replaces = self.parsed(text, "boolean", "replaceAll")
        if not of:
            return Sublist(replaces, [self.reference(child) for child in element.children])
        return Sublist(replaces, [self.values(c.children, SCHEMAS[of]) for c in element.children])

    def reference(self, element: Element) -> Row:
        """A reference by one of the two ids; the name beside it is only for people."""
        element.only(NS["core"], "name")
        ids = element.attributes
        if ids.get("internalId", "").strip():
            return {"id": ids["internalId"].strip()}
        if ids.get("externalId", "").strip():
            return {"key": ids["externalId"].strip()}
        raise RefusalError(
            "INVALID_KEY_OR_REF", f"A reference in {element.name} has neither id nor externalId."
        )

    def custom(self, element: Element) -> Row:
        """Custom fields by script id."""
        element.only(NS["core"], "customField")
        found: Row = {}
        for one in element.children:
            ns, name = one.type or ("", "")
            kind = CUSTOM.get(name)
            if kind is None or ns != NS["core"]:
                raise engine(f"org.xml.sax.SAXException: Invalid type: {{{ns}}}{name}")
            script_id = one.attributes.get("scriptId", "")
            one.only(NS["core"], "value")
            found[script_id] = {"type": name, "value": self.custom_value(one, kind)}
        return found

    def custom_value(self, one: Element, kind: str) -> Any:
        """The value of a custom field: choices by id, the rest as usual."""
        if kind == "multi":
            return [child.attributes.get("internalId", "") for child in one.all("value")]
        value = one.get("value")
        if value is None or value.is_nil:
            return None
        if kind == "select":
            return value.attributes.get("internalId", "")
        return self.parsed(value.text.strip(), kind, one.attributes.get("scriptId", ""))

    def parsed(self, text: str, kind: str, name: str) -> Any:
        """A text as its kind, or the SOAP engine's complaint."""
        try:
            return self._parsed(text, kind, name)
        except (ValueError, KeyError, InvalidOperation) as error:
            wrong = f"org.xml.sax.SAXException: Invalid value '{text}' of {name}"
            raise engine(wrong) from error

    def _parsed(self, text: str, kind: str, name: str) -> Any:
        if kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text]
        if kind == "decimal":
            return finite(text)
        if kind == "long":
            return int(text)
        if kind == "dateTime":
            return self.moment(text)
        if kind == "date":
            return self.moment(text).astimezone(self.zone).date()
        if kind == "enum" and text not in ENUMS.get(name, (text,)):
            raise ValueError(text)
        return text

    def moment(self, text: str) -> datetime:
        """A time; without an offset it is the account's own."""
        if "T" not in text:
            raise ValueError(text)
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=self.zone)

    # Out of Python.

    def text(self, value: Any) -> str:
        """A value as the vendor writes it: decimals as a Java double prints, times local."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Decimal):
            return plain(value)
        if isinstance(value, datetime):
            return value.astimezone(self.zone).isoformat(timespec="milliseconds")
        if isinstance(value, date):
            midnight = datetime(value.year, value.month, value.day, tzinfo=self.zone)
            return midnight.isoformat(timespec="milliseconds")
        return str(value)

    def record(self, kind: str, row: Row, element: tuple[str, str]) -> Node:
        """A record as an element of this namespace and name."""
        schema = KINDS[kind]
        ids = {"internalId": row.get("internalId"), "externalId": row.get("externalId")}
        node = Node(*element, type=(NS[schema.ns], schema.name))
        node.attributes = {name: str(value) for name, value in ids.items() if value}
        node.children = self.children(schema, row)
        return node

    def children(self, schema: Schema, row: Row) -> list[Node]:
        """The fields of a row that have a value; a cleared one is nil."""
        nodes = []
        for name, kind in schema.fields.items():
            if name not in row:
                continue
            value = row[name]
            if value is None:
                nodes.append(Node(schema.ns, name, is_nil=True))
            elif kind == "ref":
                nodes.append(self.pointer(schema.ns, name, value))
            else:
                nodes.append(Node(schema.ns, name, self.text(value)))
        for name, of in schema.complex.items():
            if row.get(name):
                inner = self.children(SCHEMAS[of], row[name])
                nodes.append(Node(schema.ns, name, children=inner))
        for name, (one, of) in schema.lists.items():
            if row.get(name):
                nodes.append(self.rows(schema.ns, name, one, of, row[name]))
        if row.get("customFieldList"):
            nodes.append(self.custom_nodes(schema.ns, row["customFieldList"]))
        return nodes

    def rows(self, ns: str, name: str, one: str, of: str, rows: list[Row]) -> Node:
        """A sublist."""
        if not of:
            inner = [self.pointer("core", one, row) for row in rows]
        else:
            inner = [Node(ns, one, children=self.children(SCHEMAS[of], row)) for row in rows]
        return Node(ns, name, children=inner)

    def pointer(self, ns: str, name: str, value: Row) -> Node:
        """A reference with its name."""
        node = Node(ns, name, attributes={"internalId": str(value["id"])})
        if value.get("externalId"):
            node.attributes["externalId"] = value["externalId"]
        if value.get("name"):
            node.children = [Node("core", "name", value["name"])]
        return node

    def custom_nodes(self, ns: str, fields: Row) -> Node:
        """The custom fields that have a value."""
        nodes = []
        for script_id, one in fields.items():
            if one["value"] in (None, "", []):
                continue
            node = Node("core", "customField", attributes={"scriptId": script_id})
            node.attributes["internalId"] = str(one.get("number", ""))
            node.type = (NS["core"], one["type"])
            chosen = one["value"] if isinstance(one["value"], list) else [one["value"]]
            if CUSTOM[one["type"]] in ("select", "multi"):
                ids = [{"internalId": str(value)} for value in chosen]
                node.children = [Node("core", "value", attributes=entry) for entry in ids]
            else:
                node.children = [Node("core", "value", self.text(one["value"]))]
            nodes.append(node)
        return Node(ns, "customFieldList", children=nodes)

    def words(self, row: Any) -> Any:
        """A row as JSON for the control routes: texts as the vendor writes them."""
        if isinstance(row, dict):
            return {
                name: self.words(value) for name, value in row.items() if not name.startswith("_")
            }
        if isinstance(row, list):
            return [self.words(one) for one in row]
        return row if row is None or isinstance(row, bool) else self.text(row)


def finite(text: str) -> Decimal:
    """A number of a sensible size, without underscores."""
    number = Decimal(text)
    if not number.is_finite() or "_" in text or abs(number.adjusted()) > LARGEST:
        raise ValueError(text)
    return number


def plain(value: Decimal) -> str:
    """As Java prints a double: at least one decimal, no zeros beyond it."""
    text = f"{value.normalize():f}"
    return text if "." in text else f"{text}.0"


def utc(moment: datetime) -> datetime:
    """A time in UTC, to the second: what the vendor keeps."""
    return moment.astimezone(UTC).replace(microsecond=0)
