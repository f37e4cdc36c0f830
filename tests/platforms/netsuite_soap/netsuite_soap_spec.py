"""Requests by the vendor's own word: operations of its WSDL, fields of its records.

The stored WSDL is 2015.1 and comes without the schemas it imports; the fields are those a public
client library sends and reads. Types of values and the order of elements are in neither.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
from defusedxml import ElementTree as Defused

SPECS = Path(__file__).parents[4] / "shared" / "platforms" / "specs" / "netsuite_soap"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
PLATFORM_CORE = "{urn:core_2025_2.platform.webservices.netsuite.com}"
MESSAGES = "{urn:messages_2025_2.platform.webservices.netsuite.com}"
SPACES = {
    "PlatformCommon": "{urn:common_2025_2.platform.webservices.netsuite.com}",
    "TranSales": "{urn:sales_2025_2.transactions.webservices.netsuite.com}",
    "ListRel": "{urn:relationships_2025_2.lists.webservices.netsuite.com}",
}
ROWS = {"itemList": "SalesOrderItem", "addressbookList": "CustomerAddressbook"}
CORE = {"nullFieldList", "customField"}


@cache
def operations() -> frozenset[str]:
    """Every operation the WSDL binds, as its ``soapAction`` spells it."""
    root = Defused.parse(SPECS / "NetSuitePort_2015_1.wsdl").getroot()
    soap = "{http://schemas.xmlsoap.org/wsdl/soap/}operation"
    return frozenset(one.get("soapAction") for one in root.iter(soap))


@cache
def records() -> dict[str, dict]:
    """Fields of record types by name."""
    return json.loads((SPECS / "record_fields.json").read_text(encoding="utf-8"))["records"]


def validate(request: httpx.Request) -> tuple[str, str]:
    """Entity and operation of a request.

    Raises:
        AssertionError: the spec does not allow it.
    """
    assert request.method == "POST", request.method
    assert request.url.path == "/services/NetSuitePort_2025_2", request.url.path
    root = Defused.fromstring(request.content)
    header, body = root.find(f"{ENVELOPE}Header"), root.find(f"{ENVELOPE}Body")
    assert header.find(f"{MESSAGES}tokenPassport/*") is not None, "no passport"
    (asked,) = body
    operation = asked.tag.removeprefix(MESSAGES)
    assert operation in operations(), f"no operation {operation}"
    assert request.headers["SOAPAction"] == f'"{operation}"'
    assert request.headers["Content-Type"].startswith("text/xml")
    if operation in {"add", "update", "upsert"}:
        return _written(asked, operation)
    if operation == "get":
        sort = asked.find(f"{MESSAGES}baseRef").get("type")
        return _readable(sort[:1].upper() + sort[1:], "get"), operation
    if operation == "getAll":
        sort = asked.find(f"{MESSAGES}record").get("recordType")
        return _readable(sort[:1].upper() + sort[1:], "getAll"), operation
    if operation == "getServerTime":
        return "", operation
    if operation == "searchMoreWithId":
        assert asked.findtext(f"{MESSAGES}searchId"), "no search is named"
        assert int(asked.findtext(f"{MESSAGES}pageIndex")) > 0
        return "", operation
    if operation == "getDeleted":
        dated = asked.find(f"{MESSAGES}getDeletedFilter/{PLATFORM_CORE}deletedDate")
        assert dated.get("operator") == "within"
        return "", operation
    if operation == "getItemAvailability":
        refs = asked.findall(f"{MESSAGES}itemAvailabilityFilter/{PLATFORM_CORE}item/*")
        assert refs, "no item is asked for"
        assert {one.tag for one in refs} == {f"{PLATFORM_CORE}recordRef"}
        assert all(one.get("internalId") for one in refs), "an item without an id"
        return "ItemAvailability", operation
    searched = asked.find(f"{MESSAGES}searchRecord").get(TYPE).rpartition(":")[2]
    return searched.removesuffix("Search"), operation


def _readable(name: str, operation: str) -> str:
    if name in records():
        assert operation in records()[name]["operations"], f"{name} has no {operation}"
    return name


def _written(asked: ET.Element, operation: str) -> tuple[str, str]:
    (record,) = asked
    name = record.get(TYPE).rpartition(":")[2]
    assert operation in records()[name]["operations"], f"{name} has no {operation}"
    assert not (operation == "upsert" and record.get("internalId")), "an upsert by internalId"
    _fields(record, name)
    return name, operation


def _fields(element: ET.Element, name: str) -> None:
    spec = records()[name]
    known = {*spec["fields"], *spec.get("recordRefs", ()), *spec.get("complex", ())}
    space = SPACES[spec["namespace"]]
    for child in element:
        field = child.tag.rpartition("}")[2]
        if field in CORE:
            continue
        assert child.tag == f"{space}{field}", f"{name}.{field} is in another namespace"
        assert field in known, f"{name} has no {field} that can be written"
        if field in spec.get("recordRefs", ()):
            assert child.get("internalId") or child.get("externalId"), f"{name}.{field} refers to"
        if field in ROWS:
            assert child.get("replaceAll") in {"true", "false"}, f"{field} does not say replaceAll"
            for row in child:
                _fields(row, ROWS[field])
        elif spec.get("complex", {}).get(field, "").endswith("Address"):
            _fields(child, "Address")
