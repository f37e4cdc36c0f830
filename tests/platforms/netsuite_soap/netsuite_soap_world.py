"""A made-up account for the sandbox's tests, and somebody who signs and reads its SOAP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import httpx

from platforms.netsuite_soap.sandbox import make
from tests.kit.stand import Stand

URL = "https://7654321-sb2.suitetalk.erp.example"
PATH = "/services/NetSuitePort_2025_2"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
NAMESPACES = {
    "": "urn:messages_2025_2.platform.webservices.netsuite.com",
    "c": "urn:core_2025_2.platform.webservices.netsuite.com",
    "cm": "urn:common_2025_2.platform.webservices.netsuite.com",
    "l": "urn:relationships_2025_2.lists.webservices.netsuite.com",
    "a": "urn:accounting_2025_2.lists.webservices.netsuite.com",
    "s": "urn:sales_2025_2.transactions.webservices.netsuite.com",
    "t": "urn:customers_2025_2.transactions.webservices.netsuite.com",
    "i": "urn:inventory_2025_2.transactions.webservices.netsuite.com",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "e": ENVELOPE,
}
TYPES = {
    "Customer": "l",
    "Contact": "l",
    "SalesOrder": "s",
    "Invoice": "s",
    "CashSale": "s",
    "ItemFulfillment": "s",
    "CustomerPayment": "t",
    "CustomerDeposit": "t",
    "CreditMemo": "t",
    "CustomerRefund": "t",
    "CashRefund": "t",
    "ReturnAuthorization": "t",
    "InventoryAdjustment": "i",
    "InventoryItem": "a",
    "NonInventorySaleItem": "a",
}
FULL = (
    "<searchPreferences><bodyFieldsOnly>false</bodyFieldsOnly>"
    "<returnSearchColumns>false</returnSearchColumns><pageSize>{}</pageSize></searchPreferences>"
)


@dataclass
class Keys:
    """The four parts of a token, and its account."""

    account: str = "7654321_SB2"
    consumer: str = "ck_sandbox"
    consumer_secret: str = "cs_sandbox"
    token: str = "tk_sandbox"
    token_secret: str = "ts_sandbox"

    def signature(self, nonce: str, timestamp: str, digest: Any = hashlib.sha256) -> str:
        base = "&".join((self.account, self.consumer, self.token, nonce, timestamp))
        key = f"{self.consumer_secret}&{self.token_secret}".encode()
        return base64.b64encode(hmac.new(key, base.encode(), digest).digest()).decode()

    def passport(self, nonce: str, timestamp: str, **changes: str) -> str:
        said = {
            "account": self.account,
            "consumerKey": self.consumer,
            "token": self.token,
            "nonce": nonce,
            "timestamp": timestamp,
        }
        proof = {
            "signature": self.signature(nonce, timestamp),
            "algorithm": "HMAC-SHA256",
        } | changes
        said |= {name: value for name, value in changes.items() if name in said}
        fields = "".join(f"<c:{name}>{value}</c:{name}>" for name, value in said.items())
        signature = f'<c:signature algorithm="{proof["algorithm"]}">{proof["signature"]}'
        return f"<tokenPassport>{fields}{signature}</c:signature></tokenPassport>"


def enveloped(body: str, header: str) -> str:
    """A whole message with all prefixes bound."""
    bound = " ".join(
        f'xmlns:{prefix}="{uri}"' if prefix else f'xmlns="{uri}"'
        for prefix, uri in NAMESPACES.items()
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><e:Envelope {bound}>'
        f"<e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )


def parsed(text: str | bytes) -> ElementTree.Element:
    """The root of a document of the sandbox, or of a sample."""
    return ElementTree.fromstring(text)  # noqa: S314  nobody outside wrote it


@dataclass
class Status:
    """A status: whether it is a success, and its details as (type, code, message)."""

    ok: bool
    details: list[tuple[str | None, str, str]] = field(default_factory=list)
    after_failed: str | None = None

    @property
    def code(self) -> str:
        """The code of the first detail."""
        return self.details[0][1]


def status(element: ElementTree.Element) -> Status:
    """The status of an answer or of one record in it."""
    found = element.find(f"{{{NAMESPACES['c']}}}status")
    assert found is not None, ElementTree.tostring(element)
    details = [
        (
            one.get("type"),
            one.findtext("{*}code", ""),
            one.findtext("{*}message", ""),
        )
        for one in found.findall("{*}statusDetail")
    ]
    late = found.findtext("{*}statusDetail/{*}afterSubmitFailed")
    return Status(found.get("isSuccess") == "true", details, late)


def plain(element: ElementTree.Element) -> Any:
    """A record as names and texts: references are ids, sublists lists."""
    if element.get(f"{XSI}nil") == "true":
        return None
    name = element.tag.rpartition("}")[2]
    if element.get("internalId") and all(c.tag.endswith("}name") for c in element):
        return element.get("internalId")
    if name == "customFieldList":
        return {
            one.get("scriptId"): one.findtext("{*}value") or one.find("{*}value").get("internalId")
            for one in element
        }
    if name.endswith("List") or name == "pricingMatrix":
        return [plain(one) for one in element]
    if len(element) == 0:
        return element.text
    return {child.tag.rpartition("}")[2]: plain(child) for child in element}


class NetSuite(Stand):
    """One account and its integration."""

    def __init__(self, keys: Keys | None = None, **seed: Any) -> None:
        super().__init__(make(seed), URL)
        self.keys = keys or Keys()
        self.nonces = itertools.count(10**11)

    def send(self, operation: str, body: str, header: str | None = None, **headers: str) -> Any:
        """One request as it is; the passport is made unless the header is given whole."""
        if header is None:
            header = self.passport()
        named = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'}
        content = enveloped(body, header).encode()
        return self.http.post(PATH, content=content, headers=named | headers)

    def passport(self, **changes: str) -> str:
        """A passport of this moment."""
        timestamp = changes.pop("timestamp", str(int(self.now.timestamp())))
        return self.keys.passport(str(next(self.nonces)), timestamp, **changes)

    def call(self, operation: str, inner: str, header: str = "", body: str = "") -> Any:
        """One call that must not be a fault: the element in the response."""
        answer = self.send(
            operation, body or f"<{operation}>{inner}</{operation}>", self.passport() + header
        )
        assert answer.status_code == 200, answer.text
        return self.opened(answer, operation)

    def opened(self, answer: httpx.Response, operation: str) -> ElementTree.Element:
        """What a response element holds."""
        root = parsed(answer.content)
        response = root.find(f"{{{ENVELOPE}}}Body/{{{NAMESPACES['']}}}{operation}Response")
        assert response is not None, answer.text
        return response[0]

    def fault(self, answer: httpx.Response, at: int = 500) -> tuple[str, str, str]:
        """Kind, code and message of a fault; the engine's own faults have no kind."""
        assert answer.status_code == at, answer.text
        fault = parsed(answer.content).find(f"{{{ENVELOPE}}}Body/{{{ENVELOPE}}}Fault")
        assert fault is not None
        assert fault.findtext("faultcode") == "soapenv:Server.userException"
        detail = fault.find("detail")
        assert detail is not None
        faults = "{urn:faults_2025_2.platform.webservices.netsuite.com}"
        typed = [one for one in detail if one.tag.startswith(faults)]
        message = fault.findtext("faultstring", "")
        if not typed:
            return "", "", message
        assert typed[0].findtext(f"{faults}message") == message
        return typed[0].tag.rpartition("}")[2], typed[0].findtext(f"{faults}code", ""), message

    # Records.

    def write(self, operation: str, kind: str, inner: str, header: str = "", **ids: str) -> Any:
        """One add, update or upsert: the writeResponse."""
        return self.call(operation, record(kind, inner, **ids), header)

    def made(self, operation: str, kind: str, inner: str, header: str = "", **ids: str) -> str:
        """One write that must succeed: the internal id."""
        answer = self.write(operation, kind, inner, header, **ids)
        assert status(answer).ok, status(answer)
        ref = answer.find(f"{{{NAMESPACES['']}}}baseRef")
        assert ref is not None
        return ref.get("internalId", "")

    def refused(self, operation: str, kind: str, inner: str, header: str = "", **ids: str) -> Any:
        """One write that must be refused: its status."""
        found = status(self.write(operation, kind, inner, header, **ids))
        assert not found.ok
        return found

    def get(self, kind: str, number: str) -> dict[str, Any]:
        """One record."""
        ref = f'<baseRef xsi:type="c:RecordRef" type="{kind}" internalId="{number}"/>'
        answer = self.call("get", ref)
        assert status(answer).ok, status(answer)
        found = answer.find(f"{{{NAMESPACES['']}}}record")
        assert found is not None
        return plain(found)

    def initialized(self, kind: str, source: str, number: str) -> Any:
        """The readResponse of an initialize."""
        asked = f'<c:type>{kind}</c:type><c:reference type="{source}" internalId="{number}"/>'
        return self.call("initialize", f"<initializeRecord>{asked}</initializeRecord>")

    def search(self, kind: str, basic: str, size: int = 200, ns: str = "s") -> Any:
        """The searchResult of a first page, with lines."""
        asked = f'<searchRecord xsi:type="{ns}:{kind}Search"><{ns}:basic>{basic}</{ns}:basic>'
        return self.call("search", f"{asked}</searchRecord>", FULL.format(size))

    def more(self, search_id: str, page: int) -> Any:
        """A later page."""
        asked = f"<searchId>{search_id}</searchId><pageIndex>{page}</pageIndex>"
        return self.call("searchMoreWithId", asked)


def found(result: Any) -> list[str]:
    """The ids in a search result."""
    return [one.get("internalId") for one in result.iter(f"{{{NAMESPACES['c']}}}record")]


def record(kind: str, inner: str, **ids: str) -> str:
    """A ``record`` element."""
    attributes = "".join(f' {name}="{value}"' for name, value in ids.items())
    return f'<record xsi:type="{TYPES[kind]}:{kind}"{attributes}>{inner}</record>'


CAFE = (
    '<l:companyName>Harbour Corner Cafe</l:companyName><l:subsidiary internalId="1"/>'
    "<l:email>orders@corner.example</l:email>"
    '<l:terms internalId="2"/><l:addressbookList replaceAll="true"><l:addressbook>'
    "<l:defaultShipping>true</l:defaultShipping><l:defaultBilling>true</l:defaultBilling>"
    "<l:label>Quay</l:label><l:addressbookAddress><cm:country>_unitedKingdom</cm:country>"
    "<cm:addressee>Ada Quill</cm:addressee><cm:addr1>4 Quay Road</cm:addr1>"
    "<cm:city>Hull</cm:city><cm:zip>HU1 1AA</cm:zip></l:addressbookAddress>"
    "</l:addressbook></l:addressbookList>"
)


def line(quantity: str = "12", rate: str = "9.60", item: str = "57", more: str = "") -> str:
    """A line at a price of its own."""
    return (
        f'<s:item><s:item internalId="{item}"/><s:quantity>{quantity}</s:quantity>'
        f'<s:price internalId="-1"/><s:rate>{rate}</s:rate>{more}</s:item>'
    )


def order(*lines: str, replaces: str = 'replaceAll="true"', more: str = "") -> str:
    """The fields of an order of the cafe."""
    return (
        f'<s:entity externalId="cust:corner"/><s:orderStatus>_pendingFulfillment</s:orderStatus>'
        f"{more}<s:itemList {replaces}>{''.join(lines or (line(),))}</s:itemList>"
    )


def world(**seed: Any) -> NetSuite:
    """An account with one customer."""
    netsuite = NetSuite(**seed)
    netsuite.made("upsert", "Customer", CAFE, externalId="cust:corner")
    netsuite.sandbox.accepted.clear()
    netsuite.tick()
    return netsuite
