"""SuiteTalk's SOAP: one envelope per call, signed by the auth, and what its answers mean.

NetSuite says no in three ways: a fault in HTTP 500 for the whole request, a status in HTTP 200 for
one record, and a warning for what it saved all the same. ``decode`` makes all of them paths that
``ERRORS`` can name; the answer itself stays XML below ``response``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

# The standard library builds and walks; what comes from outside is parsed by defusedxml alone.
import httpx
from defusedxml import ElementTree as Defused

from fizzbridge.errors import (
    ConfigurationError,
    ConflictError,
    NotThereError,
    OutcomeUnknownError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.classify import Answer, ErrorRules, Rule
from fizzbridge.http.client import ClientAround, VendorClient
from fizzbridge.settings import Connection

VERSION = "2025_2"
"""The last endpoint there will be; namespaces change with it, as a unit."""
PATH = f"/services/NetSuitePort_{VERSION}"


def _space(name: str) -> str:
    family, _, group = name.partition(".")
    return f"urn:{family}_{VERSION}.{group}.webservices.netsuite.com"


ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
CORE = _space("core.platform")
COMMON = _space("common.platform")
MESSAGES = _space("messages.platform")
RELATIONSHIPS = _space("relationships.lists")
ACCOUNTING = _space("accounting.lists")
SALES = _space("sales.transactions")
CUSTOMERS = _space("customers.transactions")
PREFIXES = {
    "soap": ENVELOPE,
    "xsi": XSI,
    "m": MESSAGES,
    "core": CORE,
    "common": COMMON,
    "rel": RELATIONSHIPS,
    "acct": ACCOUNTING,
    "sales": SALES,
    "cust": CUSTOMERS,
}
for _prefix, _uri in PREFIXES.items():
    ET.register_namespace(_prefix, _uri)
OURS = frozenset(PREFIXES.values())

# Elements whose children, or who themselves, belong to another namespace than what they stand in.
_INNER = {
    "basic": COMMON,
    "shippingAddress": COMMON,
    "addressbookAddress": COMMON,
    "nullFieldList": CORE,
}
_CORE = frozenset({"nullFieldList", "customField", "searchValue", "searchValue2", "value"})

PASSPORT = b"<m:tokenPassport />"
"""Where the auth writes the token passport."""

_PAUSE = re.compile(
    "unexpected error occurred|currently unavailable|NullPointerException|IllegalStateException"
    "|ConcurrentModificationException|Session invalidation is in progress|connection pool"
    "|connection reset",
    re.IGNORECASE,
)
_UNSPEAKABLE = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_BUSY = r"^(WS_REQUEST_BLOCKED|WS_CONCUR_SESSION_DISALLWD)$"
_LOGIN = r"^INVALID_LOGIN"
# By fault or code; what a code means is the same in a fault and in a status.
_BY_FAULT = (
    (r"^exceeded(ConcurrentRequest|Request)LimitFault$", RateLimitedError, None),
    (r"^(invalidCredentials|insufficientPermission)Fault$", ConfigurationError, None),
    # The endpoint is gone.
    (r"^invalidVersionFault$", ConfigurationError, None),
    (r"^exceeded(RecordCount|RequestSize)Fault$", TargetRejectedError, "ours"),
    (r"^unexpectedErrorFault$", TargetUnavailableError, None),
)
_BY_CODE = (
    (_BUSY, RateLimitedError, None),
    (_LOGIN, ConfigurationError, None),
    (r"^UNEXPECTED_ERROR$", TargetUnavailableError, None),
    (r"^RCRD_HAS_BEEN_CHANGED$", ConflictError, None),
    (r"^RCRD_DSNT_EXIST$", NotThereError, None),
    (r"^(INVALID_KEY_OR_REF|INVALID_INITIALIZE_REF|MISSING_REQD_FLD)$", TargetRejectedError, None),
    (r"^(USER_ERROR|DUP_RCRD)$", TargetRejectedError, None),
)
_TABLE = (
    *((("fault.kind",), *row) for row in _BY_FAULT),
    *((("fault.code", "status.code"), *row) for row in _BY_CODE),
)


def decode(text: str) -> dict[str, Any]:
    """An envelope as ``fault``, ``status`` of a record refused, and the ``response`` element.

    Raises:
        ValueError: it is no whole XML, or no envelope.
    """
    try:
        root = Defused.fromstring(text)
    except ET.ParseError as error:
        raise ValueError("no whole XML") from error
    body = root.find(f"{{{ENVELOPE}}}Body")
    if body is None or not len(body):
        raise ValueError("no SOAP envelope")
    if body[0].tag == f"{{{ENVELOPE}}}Fault":
        return {"fault": _fault(body[0])}
    refused = next(
        (s for s in body[0].iterfind(f"*/{{{CORE}}}status") if s.get("isSuccess") != "true"), None
    )
    return {"response": body[0]} | ({} if refused is None else {"status": _refusal(refused)})


def _fault(fault: ET.Element) -> dict[str, str]:
    # Beside the typed fault there may be a host name.
    details = fault.iterfind("detail/*")
    typed = next((one for one in details if local(one).endswith("Fault")), None)
    said = {local(child): child.text or "" for child in typed} if typed is not None else {}
    return {
        "kind": local(typed) if typed is not None else "",
        "code": said.get("code", ""),
        "message": said.get("message") or fault.findtext("faultstring") or "",
    }


def _refusal(status: ET.Element) -> dict[str, str]:
    """The errors of a status; a record refused may have warnings beside them."""
    details = status.findall(f"{{{CORE}}}statusDetail")
    errors = [one for one in details if one.get("type") == "ERROR"] or details
    code = errors[0].findtext(f"{{{CORE}}}code") if errors else ""
    said = [one.findtext(f"{{{CORE}}}message") or "" for one in errors]
    return {"code": code or "refused", "message": "; ".join(filter(None, said))}


ERRORS = ErrorRules(
    rules=(
        # The login page or an application's: no web services on this host.
        Rule(ConfigurationError, status=range(200, 405), media="text/html"),
        # A type or value the endpoint does not know.
        Rule(
            TargetRejectedError, where={"fault.message": re.compile("SAX(Parse)?Exc")}, blame="ours"
        ),
        Rule(TargetUnavailableError, where={"fault.message": _PAUSE}),
        Rule(TargetUnavailableError, where={"status.message": _PAUSE}),
        *(
            Rule(verdict, where={path: re.compile(name)}, blame=blame)
            for paths, name, verdict, blame in _TABLE
            for path in paths
        ),
        Rule(TargetRejectedError, where={"status.code": re.compile("")}),
    ),
    message_at=("fault.message", "status.message"),
    code_at=("status.code", "fault.code", "fault.kind"),
    media="xml",
    decode=decode,
)


class TokenPassport(httpx.Auth):
    """Token-based authentication: a signature in the SOAP header, made anew for every request.

    Args:
        account: as NetSuite writes it, ``1234567_SB1``.
        secret: keys and secrets of integration and token.

    Attributes:
        clock: the time that is signed; NetSuite allows it to be five minutes off.
    """

    requires_request_body = True

    def __init__(self, account: str, secret: Mapping[str, Any]) -> None:
        self._account = account.upper().replace("-", "_")
        self._consumer = str(secret["consumer_key"])
        self._token = str(secret["token"])
        self._key = f"{secret['consumer_secret']}&{secret['token_secret']}".encode()
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Write the passport into the header of the envelope."""
        at = int(self.clock().timestamp())
        content = request.content.replace(PASSPORT, self.passport(nonce(), at), 1)
        headers = {k: v for k, v in request.headers.items() if k != "content-length"}
        yield httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=content,
            extensions=request.extensions,
        )

    def passport(self, once: str, at: int) -> bytes:
        """The header element for a nonce and a moment in seconds."""
        plain = "&".join((self._account, self._consumer, self._token, once, str(at)))
        signed = hmac.new(self._key, plain.encode(), hashlib.sha256).digest()
        fields = {
            "account": self._account,
            "consumerKey": self._consumer,
            "token": self._token,
            "nonce": once,
            "timestamp": at,
            "signature": {"@algorithm": "HMAC-SHA256", "": base64.b64encode(signed).decode()},
        }
        made = ET.Element(f"{{{MESSAGES}}}tokenPassport")
        fill(made, CORE, fields)
        return ET.tostring(made)


def authorised(secret: Mapping[str, Any], connection: Connection) -> TokenPassport:
    """A token passport per request, of the connection's account.

    Raises:
        ConfigurationError: nobody said which account.
    """
    account = str(connection.settings.get("account", ""))
    if not account:
        msg = f"{connection.name}: set account, as NetSuite writes it: 1234567_SB1"
        raise ConfigurationError(msg, platform=connection.platform)
    return TokenPassport(account, secret)


def nonce() -> str:
    """Something used once: letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))


def fill(parent: ET.Element, space: str, fields: Mapping[str, Any]) -> None:
    """Fill an element: ``@name`` is an attribute, ``""`` its text, a list repeats a child."""
    for name, value in fields.items():
        if not name:
            parent.text = _text(value)
        elif name.startswith("@"):
            # The serialiser writes a QName with the prefix it gives the namespace.
            parent.set(name[1:], value if isinstance(value, ET.QName) else _text(value))  # type: ignore[arg-type]  # typeshed knows text only
        else:
            for one in value if isinstance(value, list) else [value]:
                child = ET.SubElement(parent, f"{{{CORE if name in _CORE else space}}}{name}")
                nested = one if isinstance(one, Mapping) else {"": one}
                fill(child, _INNER.get(name, space), nested)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else legible(str(value))


def legible(text: str) -> str:
    """A text without the characters that XML cannot hold, which somebody may have pasted."""
    return _UNSPEAKABLE.sub("", text)


def kind(space: str, name: str) -> dict[str, Any]:
    """The type of an element: ``xsi:type``."""
    return {f"@{{{XSI}}}type": ET.QName(space, name)}


def local(element: ET.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def plain(element: ET.Element) -> Any:
    """An element of NetSuite's as a dict of attributes and children, or as its text; nil is None.

    Names are told apart by namespace, since prefixes differ from answer to answer.
    """
    if element.get(f"{{{XSI}}}nil") in {"true", "1"}:
        return None
    found: dict[str, Any] = {k: v for k, v in element.attrib.items() if not k.startswith("{")}
    for child in element:
        space, _, name = child.tag[1:].partition("}")
        if space in OURS:
            found.setdefault(name, []).append(plain(child))
    if not found:
        return element.text or ""
    return {k: v[0] if isinstance(v, list) and len(v) == 1 else v for k, v in found.items()}


class SuiteTalk(ClientAround):
    """Knows the connection's settings, and remembers lookups for as long as a run takes."""

    STEADY = re.compile(
        rb'"acct:(Item|SalesTaxItem|Term|Location)Search"|type="unitsType"|recordType="currency"'
    )

    def __init__(self, inner: VendorClient, settings: Mapping[str, Any]) -> None:
        super().__init__(inner)
        self.settings = settings
        self._known: dict[bytes, Answer] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        content: bytes | None = None,
        **more: Any,
    ) -> Answer:
        """Make one call, or answer it from memory."""
        question = content or b""
        if question in self._known:
            return self._known[question]
        answer = self._inner.request(method, path, writes=writes, content=content, **more)
        if not writes and self.STEADY.search(question):
            self._known[question] = answer
        return answer


def setting(vendor: VendorClient, name: str) -> str:
    """A setting of the connection, empty without: finds and cancels are told none."""
    return str(vendor.settings.get(name, "")) if isinstance(vendor, SuiteTalk) else ""


def call(
    vendor: VendorClient,
    operation: str,
    fields: Mapping[str, Any],
    *,
    space: str = MESSAGES,
    header: Mapping[str, Any] | None = None,
    writes: bool = False,
    was: Mapping[str, Any] | None = None,
    shown: Any = None,
) -> ET.Element:
    """Call an operation and return its response element.

    Args:
        vendor: the client.
        operation: as the WSDL names it.
        fields: its content, see ``fill``.
        space: of the content's children below the first level.
        header: preferences beside the passport.
        writes: whether it can change something.
        was: for plans.
        shown: for plans.
    """
    envelope = ET.Element(f"{{{ENVELOPE}}}Envelope")
    top = ET.SubElement(envelope, f"{{{ENVELOPE}}}Header")
    ET.SubElement(top, f"{{{MESSAGES}}}tokenPassport")
    fill(top, MESSAGES, header or {})
    body = ET.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    asked = ET.SubElement(body, f"{{{MESSAGES}}}{operation}")
    for name, value in fields.items():
        child = ET.SubElement(asked, f"{{{MESSAGES}}}{name}")
        fill(child, space, value if isinstance(value, Mapping) else {"": value})
    answer = vendor.request(
        "POST",
        PATH,
        content=ET.tostring(envelope, encoding="utf-8", xml_declaration=True),
        headers={
            "SOAPAction": f'"{operation}"',
            "Content-Type": "text/xml; charset=utf-8",
            "Accept": "text/xml",
        },
        writes=writes,
        was=was,
        shown=shown,
    )
    response: ET.Element = answer.data["response"]
    return response


def get(vendor: VendorClient, sort: str, **key: str) -> dict[str, Any]:
    """Read a record by ``internalId`` or ``externalId``.

    Raises:
        NotThereError: there is none.
    """
    ref = {f"@{name}": value for name, value in key.items()}
    asked = {"baseRef": ref | {"@type": sort} | kind(CORE, "RecordRef")}
    response = call(vendor, "get", asked)
    return as_record(response.find(f"{{{MESSAGES}}}readResponse/{{{MESSAGES}}}record"))


def as_record(element: ET.Element | None) -> dict[str, Any]:
    """A record as a dict; ``sort`` is its type."""
    found = plain(element) if element is not None else {}
    if not isinstance(found, dict) or element is None:
        return {}
    # What an item is stands in its type alone: inventoryItem, kitItem, discountItem.
    sort = element.get(f"{{{XSI}}}type", "").rpartition(":")[2]
    return found | {"sort": sort}


def get_all(vendor: VendorClient, sort: str) -> list[dict[str, Any]]:
    """All records of a short list."""
    response = call(vendor, "getAll", {"record": {"@recordType": sort}})
    path = f"{{{CORE}}}getAllResult/{{{CORE}}}recordList/{{{CORE}}}record"
    return [as_record(one) for one in response.iterfind(path)]


def write(
    vendor: VendorClient,
    operation: str,
    record: Mapping[str, Any],
    space: str,
    was: Mapping[str, Any] | None = None,
) -> str:
    """Add, upsert or update a record and return its internal id."""
    shown = _shown(record)
    response = call(
        vendor, operation, {"record": record}, space=space, writes=True, was=was, shown=shown
    )
    ref = response.find(f"{{{MESSAGES}}}writeResponse/{{{MESSAGES}}}baseRef")
    if ref is None or not ref.get("internalId"):
        msg = f"the answer to {operation} names no record"
        raise OutcomeUnknownError(msg, platform=vendor.platform)
    return str(ref.get("internalId"))


def _shown(value: Any) -> Any:
    """A record as a plan shows it: a reference is its id."""
    if isinstance(value, Mapping):
        named = {k.lstrip("@"): _shown(v) for k, v in value.items() if not k.startswith("@{")}
        return named["internalId"] if set(named) == {"internalId"} else named
    return [_shown(one) for one in value] if isinstance(value, list) else value
