"""How Xero is spoken to: the tenant's header, plural bodies, natural keys, what answers mean."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

import httpx

from fizzbridge.errors import (
    AmbiguousMatchError,
    ConfigurationError,
    ConflictError,
    DeletedAtTargetError,
    FizzbridgeError,
    NotThereError,
    TargetRejectedError,
)
from fizzbridge.http.auth import client_credentials
from fizzbridge.http.classify import Answer, ErrorRules, Plain, Rule
from fizzbridge.http.client import ClientAround, VendorClient, encode
from fizzbridge.runtime.target import short
from fizzbridge.runtime.tokens import RotatingToken
from fizzbridge.settings import Connection


class TakenError(TargetRejectedError):
    """A number or name that must be unique is another object's."""

    code = "taken"


_COLLECTIONS = ("Invoices", "CreditNotes", "Payments", "Contacts", "Allocations")
_TAKEN = re.compile(
    r"must be unique|already (exists|assigned|in use|used)|has already been used", re.IGNORECASE
)
# Where a refusal keeps its sentence: of the element, else of the first of its lines.
_SAID = (
    "Elements.0.ValidationErrors.0.Message",
    "Elements.0.LineItems.0.ValidationErrors.0.Message",
    *(f"{name}.0.ValidationErrors.0.Message" for name in _COLLECTIONS),
)


def _refused() -> Iterator[Rule]:
    """A refusal inside a 200, as `summarizeErrors=false` or a vendor's whim has it."""
    for name in _COLLECTIONS:
        marks: list[tuple[str, Plain]] = [
            ("StatusAttributeString", "ERROR"),
            ("HasErrors", True),
            ("HasValidationErrors", True),
        ]
        for mark, value in marks:
            yield Rule(
                TargetRejectedError,
                status=range(200, 300),
                where={
                    f"{name}.0.{mark}": value,
                    f"{name}.0.ValidationErrors.0.Message": re.compile(""),
                },
            )


def _wait(answer: Answer) -> timedelta | None:
    """How long to keep quiet where the answer names the limit and no time."""
    if "retry-after" in answer.headers:
        return None
    problem = answer.headers.get("x-rate-limit-problem", "").lower()
    waits = {"concurrent": timedelta(seconds=2), "minute": timedelta(minutes=1)}
    waits |= {"appminute": waits["minute"], "day": timedelta(hours=1), "daily": timedelta(hours=1)}
    return waits.get(problem)


ERRORS = ErrorRules(
    rules=(
        *(Rule(TakenError, status=400, where={path: _TAKEN}) for path in _SAID),
        # Our own bug: a body or a filter that Xero cannot read.
        Rule(
            TargetRejectedError,
            status=400,
            where={"Type": re.compile("PostDataInvalid|QueryParse")},
            blame="ours",
        ),
        Rule(ConflictError, status=412),
        *_refused(),
    ),
    message_at=(*_SAID, "Message", "Detail", "detail", "Title", "title"),
    code_at=("Type", "Title", "title"),
    retry_after=_wait,
)

KEYS = uuid.UUID("5b8b7a52-4f0c-5b3e-9f0e-1d6d0a6c7e11")
"""Namespace of our idempotency keys."""


TOKEN_URL = "https://identity.xero.com/connect/token"  # noqa: S105  an address
SCOPES = "accounting.invoices accounting.payments accounting.contacts accounting.settings"


def authorised(secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
    """A web app's rotating token, or a custom connection's own; whichever function uses it."""
    settings = connection.settings
    url = str(settings.get("token_url", TOKEN_URL))
    grant = settings.get("grant", "web")
    if grant == "web":
        return RotatingToken(
            url, secret["client_id"], secret["client_secret"], secret["refresh_token"]
        )
    if grant == "custom":
        scopes = str(settings.get("scopes", SCOPES))
        return client_credentials(url, secret["client_id"], secret["client_secret"], scopes)
    msg = f"{connection.name}: grant is web or custom, not {grant}"
    raise ConfigurationError(msg, platform="xero")


STEADY = frozenset({"/Items", "/TaxRates", "/Organisation"})
"""Read once per run: days have few calls, and create and update ask the same."""


class XeroClient(ClientAround):
    """Names the organisation on every call, and remembers lookups."""

    def __init__(self, inner: VendorClient, connection: Connection) -> None:
        super().__init__(inner)
        self._tenant = str(connection.settings.get("tenant_id", ""))
        self._known: dict[str, Answer] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        """Make one call."""
        question = f"{path} {params}" if path in STEADY else ""
        if question in self._known:
            return self._known[question]
        tenant = {"Xero-tenant-id": self._tenant} if self._tenant else {}
        every = tenant | dict(headers or {})
        answer = self._inner.request(method, path, params=params, headers=every, **rest)
        if question:
            self._known[question] = answer
        return answer


def listed(vendor: VendorClient, path: str, **params: Any) -> list[dict[str, Any]]:
    """The objects of a collection that fit."""
    found: list[dict[str, Any]] = vendor.get(f"/{path}", params=params).data[path]
    return found


def changed(
    vendor: VendorClient, path: str, since: datetime, **params: Any
) -> list[dict[str, Any]]:
    """A page of the objects that were changed after that second, oldest change first."""
    late = {"If-Modified-Since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"}
    asked = {"order": "UpdatedDateUTC ASC", "unitdp": 4} | params
    answer = vendor.request("GET", f"/{path}", params=asked, headers=late, writes=False)
    found: list[dict[str, Any]] = answer.data[path]
    return found


def read(vendor: VendorClient, path: str, external_id: str, **params: Any) -> dict[str, Any]:
    """One object.

    Raises:
        DeletedAtTargetError: there is none.
    """
    try:
        answer = vendor.get(f"/{path}/{external_id}", params=params)
    except NotThereError as error:
        msg = f"{external_id} is not among the {path} of Xero any more"
        raise DeletedAtTargetError(msg, platform="xero") from error
    found: dict[str, Any] = answer.data[path][0]
    return found


def add(
    vendor: VendorClient, path: str, body: Mapping[str, Any], reference: str, **params: Any
) -> dict[str, Any]:
    """Create one object. Sent twice within minutes it is made once; after that ``find`` helps.

    The key is made of the reference and the body: what was refused and then put right is another
    request, not the stored refusal again.
    """
    name = path.rpartition("/")[2]
    content = {name: [body]}
    key = uuid.uuid5(KEYS, f"{path} {reference} {encode(content).decode()}")
    answer = vendor.request(
        "PUT",
        f"/{path}",
        json=content,
        params=params,
        headers={"Idempotency-Key": str(key)},
        writes=True,
    )
    made: dict[str, Any] = answer.data[name][0]
    return made


def change(
    vendor: VendorClient,
    path: str,
    external_id: str,
    body: Mapping[str, Any],
    was: Mapping[str, Any],
    **params: Any,
) -> dict[str, Any]:
    """Write fields of one object. No idempotency key: it would hide a change back to before."""
    answer = vendor.request(
        "POST",
        f"/{path}/{external_id}",
        json={path: [body]},
        params=params,
        was={path: [was]},
        writes=True,
    )
    written: dict[str, Any] = answer.data[path][0]
    return written


def key_of(reference: str, limit: int, prefix: str = "") -> str:
    """A reference as a natural key: nothing in it ends a list, a filter or a quoted text."""
    return prefix + short(quote(reference, safe="/~:#"), limit - len(prefix))


def marked(text: str, prefix: str = "") -> str:
    """The reference a natural key was made of."""
    return unquote(text.removeprefix(prefix))


def carrier(found: Sequence[dict[str, Any]], name: str, gone: frozenset[str]) -> str | None:
    """The one object that carries a key: a standing one before those that were voided.

    Raises:
        AmbiguousMatchError: several stand.
    """
    id_field = f"{name}ID"
    state = "ContactStatus" if name == "Contact" else "Status"
    standing = [one for one in found if one.get(state) not in gone]
    if len(standing) > 1:
        msg = f"{len(standing)} of Xero's {name}s carry one reference of ours"
        raise AmbiguousMatchError(msg, platform="xero")
    chosen = next(iter(standing or found), None)
    return str(chosen[id_field]) if chosen else None


def rejected(message: str, code: str = "") -> FizzbridgeError:
    """A refusal of ours, before Xero has to."""
    return TargetRejectedError(message, code=code, platform="xero")
