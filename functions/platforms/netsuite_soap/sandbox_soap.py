"""SOAP 1.1 as NetSuite speaks it: reading envelopes, writing them under changing prefixes, faults.

Only the namespaces of endpoint 2025_2 are known here. A document type declaration is refused before
anything in it is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

VERSION = "2025_2"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
AXIS = "http://xml.apache.org/axis/"
FAMILIES = {
    "core": "platform",
    "common": "platform",
    "messages": "platform",
    "faults": "platform",
    "relationships": "lists",
    "accounting": "lists",
    "sales": "transactions",
    "customers": "transactions",
    "inventory": "transactions",
}
NS = {
    name: f"urn:{name}_{VERSION}.{family}.webservices.netsuite.com"
    for name, family in FAMILIES.items()
}
NAMED = {
    SOAP: "soapenv",
    XSI: "xsi",
    AXIS: "ns1",
    NS["core"]: "platformCore",
    NS["common"]: "platformCommon",
    NS["faults"]: "platformFaults",
    NS["relationships"]: "listRel",
    NS["accounting"]: "listAcct",
    NS["sales"]: "tranSales",
    NS["customers"]: "tranCust",
    NS["inventory"]: "tranInvt",
}
STYLES = ("named", "numbered", "default")
"""Who declares what: named prefixes as in the vendor's examples, numbers, or no prefix at all."""
OF_VERSION = re.compile(r"urn:(?:types\.)?[a-z]+_(\d{4}_\d)\.[a-z]+\.webservices\.netsuite\.com")


class SoapFaultError(Exception):
    """A fault for the whole request; without a kind it comes from the vendor's SOAP engine."""

    def __init__(self, kind: str, code: str, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.kind, self.code, self.message, self.status = kind, code, message, status


def engine(message: str) -> SoapFaultError:
    """What the vendor's SOAP engine says of a message it cannot read."""
    return SoapFaultError("", "", message)


@dataclass
class Element:
    """One element of a request, its prefixes resolved."""

    ns: str
    name: str
    attributes: dict[str, str]
    type: tuple[str, str] | None = None
    is_nil: bool = False
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str, ns: str = "") -> list[Element]:
        """The children of a name, in one namespace if that is given."""
        return [c for c in self.children if c.name == name and ns in ("", c.ns)]

    def get(self, name: str, ns: str = "") -> Element | None:
        """The first child of a name."""
        return next(iter(self.all(name, ns)), None)

    def texts(self, name: str, ns: str = "") -> list[str]:
        """The texts of the children of a name."""
        return [child.text.strip() for child in self.all(name, ns)]

    def word(self, name: str, ns: str = "") -> str:
        """The text of the first child of a name, or nothing."""
        return next(iter(self.texts(name, ns)), "")

    def only(self, ns: str, *names: str) -> None:
        """Refuse children other than these."""
        for child in self.children:
            if child.ns != ns or child.name not in names:
                raise unexpected(child)


def unexpected(child: Element) -> SoapFaultError:
    """An element that has no place where it stands."""
    version = OF_VERSION.fullmatch(child.ns)
    if version and version[1] != VERSION:
        text = f"Namespace of version {version[1]} in a message of version {VERSION}."
        return SoapFaultError("invalidVersionFault", "INVALID_VERSION", text)
    text = f"Invalid element in com.netledger.v{VERSION} - {child.name} of '{child.ns}'"
    return engine(f"org.xml.sax.SAXException: {text}")


class _Reader:
    def __init__(self) -> None:
        self.scopes: dict[str, list[str]] = {}
        self.open: list[Element] = []
        self.root: Element | None = None
        self.parser = expat.ParserCreate(namespace_separator="\n")
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.StartNamespaceDeclHandler = self.declare
        self.parser.EndNamespaceDeclHandler = self.forget
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters

    def doctype(self, *_: object) -> None:
        raise engine("org.xml.sax.SAXException: DOCTYPE is disallowed")

    def declare(self, prefix: str | None, uri: str | None) -> None:
        self.scopes.setdefault(prefix or "", []).append(uri or "")

    def forget(self, prefix: str | None) -> None:
        self.scopes[prefix or ""].pop()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        ns, _, local = name.rpartition("\n")
        plain = {key: value for key, value in attributes.items() if "\n" not in key}
        one = Element(ns, local, plain)
        one.is_nil = attributes.get(f"{XSI}\nnil", "") in ("true", "1")
        if given := attributes.get(f"{XSI}\ntype", "").strip():
            prefix, _, kind = given.rpartition(":")
            uris = self.scopes.get(prefix) or [""]
            if prefix and not uris[-1]:
                raise engine(f"org.xml.sax.SAXException: Prefix {prefix} of {given} is not bound")
            one.type = (uris[-1], kind)
        if self.open:
            self.open[-1].children.append(one)
        else:
            self.root = one
        self.open.append(one)

    def end(self, _: str) -> None:
        self.open.pop()

    def characters(self, text: str) -> None:
        self.open[-1].text += text


def read(body: bytes) -> Element:
    """The root of a document."""
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as error:
        raise engine(f"org.xml.sax.SAXParseException: {error}") from error
    if reader.root is None:
        raise engine("org.xml.sax.SAXParseException: Premature end of file.")
    return reader.root


@dataclass
class Node:
    """One element of an answer; ``ns`` is a name of ``NS`` or a whole address."""

    ns: str
    name: str
    text: str | None = None
    children: list[Node] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    type: tuple[str, str] | None = None
    is_nil: bool = False

    def walk(self) -> Iterator[Node]:
        """This and everything below."""
        yield self
        for child in self.children:
            yield from child.walk()


class Writer:
    """Writes one document in one of the ``STYLES``."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.count = 0

    def document(self, node: Node) -> bytes:
        """The whole document."""
        head = '<?xml version="1.0" encoding="utf-8"?>\n'
        return (head + self.element(node, {})).encode()

    def element(self, node: Node, scope: dict[str, str]) -> str:
        """One element within the prefixes already bound."""
        declared: dict[str, str] = {}
        tag = self.bind(node.ns, scope, declared, is_element=True) + node.name
        attributes = dict(node.attributes)
        if node.type:
            kind = self.bind(node.type[0], scope, declared, is_element=False) + node.type[1]
            attributes[self.bind(XSI, scope, declared, is_element=False) + "type"] = kind
        if node.is_nil:
            attributes[self.bind(XSI, scope, declared, is_element=False) + "nil"] = "true"
        for prefix, uri in declared.items():
            attributes[f"xmlns:{prefix}" if prefix else "xmlns"] = uri
        head = tag + "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
        inner = escape(node.text or "")
        inner += "".join(self.element(child, scope | declared) for child in node.children)
        return f"<{head}>{inner}</{tag}>" if inner else f"<{head}/>"

    def bind(
        self, ns: str, scope: dict[str, str], declared: dict[str, str], *, is_element: bool
    ) -> str:
        """The prefix of a namespace with its colon, declared here unless it is bound already."""
        uri = NS.get(ns, ns)
        bound = scope | declared
        prefix = self.prefix(uri, bound, is_element=is_element)
        if bound.get(prefix, "") != uri:
            declared[prefix] = uri
        return f"{prefix}:" if prefix else ""

    def prefix(self, uri: str, bound: dict[str, str], *, is_element: bool) -> str:
        """The prefix this style takes."""
        if uri in ("", SOAP, XSI, AXIS):
            return NAMED.get(uri, "")
        if self.style == "named":
            return NAMED.get(uri, "")
        if self.style == "default" and is_element:
            return ""
        known = next((p for p, u in bound.items() if u == uri and p), None)
        if known:
            return known
        self.count += 1
        return f"ns{self.count}" if self.style == "numbered" else f"q{self.count}"


def envelope(style: str, body: Node, number: str = "") -> bytes:
    """An answer: the document info names the request as the vendor's log does."""
    children = [Node(SOAP, "Body", children=[body])]
    if number:
        info = Node("messages", "documentInfo", children=[Node("messages", "nsId", number)])
        children.insert(0, Node(SOAP, "Header", children=[info]))
    return Writer(style).document(Node(SOAP, "Envelope", children=children))


def fault_body(kind: str, code: str, message: str, style: str = "named") -> bytes:
    """The body of a fault; the message stands twice, as the vendor writes it."""
    detail = []
    if kind:
        said = [Node("faults", "code", code), Node("faults", "message", message)]
        detail.append(Node("faults", kind, children=said))
    detail.append(Node(AXIS, "hostname", "partners-java00001.erp.example"))
    fault = Node(
        SOAP,
        "Fault",
        children=[
            Node("", "faultcode", "soapenv:Server.userException"),
            Node("", "faultstring", message),
            Node("", "detail", children=detail),
        ],
    )
    return envelope(style, fault)
