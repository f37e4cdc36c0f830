"""The QuickBooks sandbox beside the vendor's own schemas and samples, where those are at hand."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from platforms.quickbooks.sandbox_wire import NAMES, TRANSACTIONS, TYPES, cleaned, read
from tests.platforms.quickbooks.quickbooks_world import (
    COLA,
    TONIC,
    ZERO,
    Books,
    form,
    last,
    off,
    paying,
    sale,
)

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES, SPECS = VENDOR / "samples" / "quickbooks", VENDOR / "specs" / "quickbooks"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor samples are not here")
needs_spec = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendor schemas are not here")
XS = "{http://www.w3.org/2001/XMLSchema}"
V3 = "{http://schema.intuit.com/finance/v3}"
NUMBERS = {"xs:decimal", "xs:int", "xs:positiveInteger", "xs:integer"}
# Since October 2025 answers have no coordinates; a project is none of this company's.
NOT_SHOWN = {"Lat", "Long", "ProjectRef"}


@cache
def schema() -> tuple[dict[str, ET.Element], dict[str, str | None]]:
    """The vendor's complex types, and the types of its global elements."""
    types: dict[str, ET.Element] = {}
    elements: dict[str, str | None] = {}
    for path in SPECS.glob("*.xsd"):
        root = ET.parse(path).getroot()  # noqa: S314  files of the vendor, kept by us
        types |= {str(one.get("name")): one for one in root.findall(f"{XS}complexType")}
        elements |= {str(one.get("name")): one.get("type") for one in root.findall(f"{XS}element")}
    return types, elements


@cache
def fields(kind: str) -> dict[str, tuple[str, bool]]:
    """The elements and attributes of a type: the type of each, and whether it is a list."""
    types, elements = schema()
    found: dict[str, tuple[str, bool]] = {}
    for extension in types[kind].iter(f"{XS}extension"):
        base = str(extension.get("base"))
        found |= fields(base) if base in types else {"value": (base, False)}
    for one in types[kind].iter(f"{XS}element"):
        name = one.get("name") or str(one.get("ref"))
        of = one.get("type") or elements.get(name) or "xs:string"
        found[name] = (of, one.get("maxOccurs", "1") != "1")
    for one in types[kind].iter(f"{XS}attribute"):
        found[str(one.get("name"))] = (str(one.get("type")), False)
    return found


def complaints(kind: str, value: Any, path: str) -> list[str]:
    """What of a JSON value is not as the schema says."""
    if kind in ("ReferenceType", "MemoRef"):
        texts = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
        return [] if texts and set(value) <= {"value", "name"} else [path]
    if kind in schema()[0]:
        if not isinstance(value, dict):
            return [path]
        known, found = fields(kind), []
        for name, one in value.items():
            if name not in known:
                found.append(f"{path}.{name} is unknown")
                continue
            of, is_list = known[name]
            if is_list != isinstance(one, list):
                found.append(f"{path}.{name} is a list in one place only")
                continue
            for item in one if is_list else [one]:
                found += complaints(of, item, f"{path}.{name}")
        return found
    if kind in NUMBERS:
        is_right = isinstance(value, int | Decimal) and not isinstance(value, bool)
    elif kind == "xs:boolean":
        is_right = isinstance(value, bool)
    else:
        is_right = isinstance(value, str)
    return [] if is_right else [f"{path}: {kind} {value!r}"]


def everything() -> Books:
    """A company in which every kind of record is there, with most of its fields."""
    books = Books(
        classes=[{"id": "11", "name": "Retail"}],
        departments=[{"id": "12", "name": "Leeds"}],
        vendors=["Can Maker Ltd"],
        employees=["Bo Vale"],
        multicurrency=True,
        currencies={"EUR": "0.8765"},
    )
    quay = {"Line1": "1 Quay", "City": "Leeds", "CountrySubDivisionCode": "WYK"}
    quay |= {"PostalCode": "LS1"}
    ada = books.post(
        "Customer",
        {
            "DisplayName": "Ada Quill",
            "CompanyName": "Quill Bar Ltd",
            "Title": "Dr",
            "GivenName": "Ada",
            "MiddleName": "M",
            "FamilyName": "Quill",
            "PrimaryEmailAddr": {"Address": "ada@quill.example"},
            "PrimaryPhone": {"FreeFormNumber": "+44 113 496 0000"},
            "WebAddr": {"URI": "https://quill.example"},
            "Notes": "pallets",
            "DefaultTaxCodeRef": {"value": "2"},
            "BillAddr": quay,
            "ShipAddr": quay | {"Country": "GB"},
        },
    )
    book = form(
        sale(10.0, Qty=2, UnitPrice=5, ServiceDate="2026-11-19", ClassRef={"value": "11"})
        | {"Description": "Cola"},
        {"DetailType": "DescriptionOnly", "Description": "ring twice"},
        {
            "DetailType": "GroupLineDetail",
            "GroupLineDetail": {
                "GroupItemRef": {"value": COLA},
                "Quantity": 1,
                "Line": [sale(9.4, item=TONIC, code=ZERO, Qty=1)],
            },
        },
        sale(5.0, item="SHIPPING_ITEM_ID"),
        off(1.0),
        DocNumber="WEB-1",
        CustomerMemo={"value": "thanks"},
        BillEmail={"Address": "ap@cornerpop.example"},
        DepartmentRef={"value": "12"},
        ShipMethodRef={"value": "Dray", "name": "Dray"},
        TrackingNum="T-1",
        ShipDate="2026-11-21",
        PrivateNote="shop:1",
        CustomField=[{"DefinitionId": "1", "StringValue": "PO 7"}],
    )
    term = {"SalesTermRef": {"value": "3"}}
    money = {"PaymentMethodRef": {"value": "3"}, "PaymentRefNum": "ch_77"}
    money |= {"DepositToAccountRef": {"value": "35"}}
    books.post("SalesReceipt", book | money)
    books.post("RefundReceipt", book | money)
    books.post("CreditMemo", book | term)
    estimate = books.post("Estimate", book | term | {"ExpirationDate": "2026-12-20"})
    link = [{"TxnId": estimate["Id"], "TxnType": "Estimate"}]
    invoice = books.post("Invoice", book | term | {"LinkedTxn": link})
    books.post("Invoice", book | term | {"CustomerRef": {"value": ada["Id"]}})
    item = books.get("Item", COLA)
    books.post("Item", last(item, sparse=True, Description="24 cans", PurchaseDesc="24 cans"))
    books.post("Payment", paying(invoice["Id"], 5.0) | money | {"PrivateNote": "part"})
    books.post(
        "Invoice", form(sale(12.0, TaxInclusiveAmt=14.4), GlobalTaxCalculation="TaxInclusive")
    )
    return books


@pytest.fixture(scope="module")
def books() -> Books:
    return everything()


@needs_spec
def test_every_record_is_as_the_schema_says(books):
    for kind in books.sandbox.books.rows:
        rows = read(books.control("GET", f"records/{kind}").content)
        assert rows, kind
        assert [one for row in rows for one in complaints(kind, row, kind)] == []


@needs_spec
@pytest.mark.parametrize("kind", [*TRANSACTIONS, *NAMES])
def test_every_field_it_takes_is_in_the_schema(kind):
    assert set(TYPES[kind]) <= set(fields(kind))


@needs_spec
def test_every_part_it_takes_is_in_the_schema():
    named = {"Address": "PhysicalAddress", "Email": "EmailAddress", "Phone": "TelephoneNumber"}
    named |= {"Web": "WebSiteAddress", "TaxLine": "Line", "PaymentLine": "Line"}
    whole = {"Ref", "Memo", "Entity", "Sale"}
    for part in TYPES.keys() - whole - {*TRANSACTIONS, *NAMES}:
        assert set(TYPES[part]) <= set(fields(named.get(part, part))), part


@needs_spec
@pytest.mark.parametrize("path", ["item/999", "query?query=select", "invoice"])
def test_every_fault_is_as_the_schema_says(books, path):
    method = "POST" if path == "invoice" else "GET"
    body = {} if method == "POST" else None
    answer = books.http.request(method, path, json=body)
    assert complaints("Fault", answer.json()["Fault"], "Fault") == []


# Samples


def same(sample: Any, ours: Any, path: str = "") -> list[str]:
    """Where a sample has what we do not show, or show otherwise."""
    if isinstance(sample, dict):
        if not isinstance(ours, dict):
            return [path]
        found = []
        for name, one in sample.items():
            if name in NOT_SHOWN:
                continue
            if name not in ours:
                found.append(f"{path}.{name}")
            else:
                found += same(one, ours[name], f"{path}.{name}")
        return found
    if isinstance(sample, list):
        return same(sample[0], ours[0], f"{path}[0]") if sample and ours else []
    is_number = isinstance(sample, int | float) and not isinstance(sample, bool)
    kind = (int, float) if is_number else type(sample)
    return [] if isinstance(ours, kind) else [path]


SHOWN = {
    "customer.json": ("Customer", "Customer"),
    "invoice.json": ("Invoice", "Invoice"),
    "item.json": ("Item", "Item"),
    "sales_receipt.json": ("SalesReceipt", "SalesReceipt"),
}


@needs_samples
@pytest.mark.parametrize("name", sorted(SHOWN))
def test_what_a_sample_has_is_shown(books, name):
    kind, control = SHOWN[name]
    sample = json.loads((SAMPLES / name).read_text())
    sample = sample.get(kind, sample)
    rows = books.control("GET", f"records/{control}").json()
    assert any(same(sample, row) == [] for row in rows), [same(sample, row) for row in rows]


@needs_samples
@pytest.mark.parametrize("name", sorted(SHOWN))
def test_what_a_sample_has_is_taken(name):
    """A whole document, as read, can be sent back."""
    kind, _ = SHOWN[name]
    sample = read((SAMPLES / name).read_text())
    assert cleaned(kind, sample.get(kind, sample))["Id"]


def from_xml(element: ET.Element, kind: str) -> Any:
    """JSON of an XML sample: the same names; references have a value and perhaps a name."""
    if kind in ("ReferenceType", "MemoRef"):
        name = element.get("name")
        return {"value": element.text or ""} | ({"name": name} if name else {})
    if kind not in schema()[0]:
        text = (element.text or "").strip()
        if kind in NUMBERS:
            value = Decimal(text)
            return int(value) if kind != "xs:decimal" else value
        return text == "true" if kind == "xs:boolean" else text
    row: dict[str, Any] = {}
    for child in element:
        name = child.tag.removeprefix(V3)
        of, is_list = fields(kind)[name]
        value = from_xml(child, of)
        row[name] = [*row.get(name, []), value] if is_list else value
    return row


XML = {
    "customer.xml": "Customer",
    "fetch_credit_memo.xml": "CreditMemo",
    "fetch_customer_by_id.xml": "Customer",
    "fetch_invoice_by_id.xml": "Invoice",
    "invoice.xml": "Invoice",
    "invoice_sparse_create_request.xml": "Invoice",
    "item.xml": "Item",
    "items.xml": "Item",
    "payment.xml": "Payment",
    "payment_by_id.xml": "Payment",
    "refund_receipt.xml": "RefundReceipt",
    "sales_receipt.xml": "SalesReceipt",
}


def elements(name: str, kind: str) -> list[ET.Element]:
    root = ET.parse(SAMPLES / name).getroot()  # noqa: S314  files of the vendor, kept by us
    return [one for one in root.iter() if one.tag.removeprefix(V3) == kind]


@needs_samples
@needs_spec
@pytest.mark.parametrize("name", sorted(XML))
def test_what_an_xml_sample_has_is_taken(name):
    found = elements(name, XML[name])
    assert found
    for element in found:
        row = from_xml(element, XML[name])
        assert complaints(XML[name], row, name) == []
        assert cleaned(XML[name], row)


@needs_samples
@needs_spec
def test_a_tax_code_is_shown_as_in_the_sample(books):
    (element,) = elements("tax_code.xml", "TaxCode")
    sample = from_xml(element, "TaxCode")
    assert same(sample, books.get("TaxCode", "2")) == []


# What a company tells of itself that the books here do not keep.
NOT_KEPT = "CompanyAddr CustomerCommunicationAddr LegalAddr PrimaryPhone CompanyStartDate Email"


@needs_samples
@needs_spec
def test_a_company_is_shown_as_in_the_sample(books):
    (element,) = elements("company_info.xml", "CompanyInfo")
    sample = from_xml(element, "CompanyInfo")
    kept = {
        name: one
        for name, one in sample.items()
        if name not in (*NOT_KEPT.split(), "WebAddr", "NameValue")
    }
    assert same(kept, books.get("CompanyInfo", "9130350000000001")) == []


@needs_samples
def test_what_is_left_of_a_deleted_document():
    books = Books()
    memo = books.post("CreditMemo", form())
    gone = books.post("CreditMemo", last(memo), operation="delete")
    (deleted,) = elements("invoice_delete_success_response.xml", "Invoice")
    (changed,) = elements("credit_memo_changes.xml", "CreditMemo")
    assert gone == {**deleted.attrib, "Id": memo["Id"]}
    answer = books.call("GET", "cdc", entities="CreditMemo", changedSince="2026-11-19T00:00:00Z")
    (row,) = answer.json()["CDCResponse"][0]["QueryResponse"][0]["CreditMemo"]
    assert {name for name in row if name not in changed.attrib} == {
        child.tag.removeprefix(V3) for child in changed
    }


@needs_samples
def test_faults_are_those_of_the_samples():
    books = Books(per_minute=1)
    asked = "select * from Invoice startposition 0"
    (wrong,) = elements("query_validation_error.xml", "Error")
    ours = books.call("GET", "query", query=asked).json()["Fault"]["Error"][0]
    (limit,) = elements("too_many_requests_error.xml", "Error")
    throttled = books.call("GET", "query", query=asked).json()["Fault"]["Error"][0]
    for sample, error in ((wrong, ours), (limit, throttled)):
        assert error["code"] == sample.get("code")
        for name in ("Message", "Detail"):
            element = sample.find(f"{V3}{name}")
            assert element is not None
            assert error[name] == element.text


@needs_samples
@pytest.mark.parametrize(
    ("name", "how"),
    [("webhook_cloudevents.json", "cloudevents"), ("webhook_legacy_body.json", "classic")],
)
def test_webhooks_are_as_in_the_samples(name, how):
    books = Books(webhook_uri="https://hooks.example/books", webhook_form=how)
    books.post("Customer", {"DisplayName": "Fizz Bar Ltd"})
    sample, ours = json.loads((SAMPLES / name).read_text()), books.bodies()[0]
    assert same(sample, ours) == same(ours, sample) == []


@needs_samples
def test_every_sample_is_used():
    others = {"tax_code.xml", "company_info.xml", "credit_memo_changes.xml", "SOURCE.txt"}
    others |= {"invoice_delete_success_response.xml", "query_validation_error.xml"}
    others |= {"too_many_requests_error.xml", "webhook_cloudevents.json"}
    others |= {"webhook_legacy_body.json"}
    assert {path.name for path in SAMPLES.iterdir()} == set(SHOWN) | set(XML) | others
