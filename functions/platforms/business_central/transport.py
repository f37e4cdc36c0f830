"""The way to one company of Business Central: its token, its paths, what its answers mean."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from fizzbridge.errors import (
    ConfigurationError,
    ConflictError,
    FizzbridgeError,
    NotThereError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.auth import client_credentials
from fizzbridge.http.classify import Answer, ErrorRules, Rule
from fizzbridge.http.client import ClientAround, VendorClient
from fizzbridge.runtime.target import short
from fizzbridge.settings import Connection

SCOPE = "https://api.businesscentral.dynamics.com/.default"
ADDRESS = re.compile(r"/v2\.0/(?P<tenant>[^/]+)/[^/]+/api/v2\.0")
TOKEN_URL = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"  # noqa: S105  an address
LANGUAGE = {"Accept-Language": "en-US"}
"""Sentences of errors in one language."""

PAGES = {"Prefer": "odata.maxpagesize=200"}
"""Pages that come in time, those of orders with their lines among them."""

POLLS = {"Prefer": "odata.maxpagesize=40", "Data-Access-Intent": "ReadOnly"}
"""Lists that are polled: few enough that what a page belongs to is asked for in one address, and
from the replica, where reading an order does not change it."""

SAFE = "$,'()"
"""May stand in a query as it is."""

STEADY = frozenset({"/items", "/locations", "/companyInformation"})
"""Read once per run: what they answer does not change between create and update."""


def _code(verdict: type[FizzbridgeError], pattern: str, **more: Any) -> Rule:
    return Rule(verdict, where={"error.code": re.compile(pattern)}, **more)


ERRORS = ErrorRules(
    rules=(
        _code(ConflictError, "^Request_EntityChanged$"),
        # Which status a stale etag gets is not written down: 409 or 412.
        Rule(ConflictError, status=412),
        # Somebody was faster: the next run finds what they made.
        _code(ConflictError, "^Internal_EntityWithSameKeyExists$"),
        _code(TargetUnavailableError, "^Internal_(ServerError|TenantUnavailable)$"),
        _code(NotThereError, "^(Internal_RecordNotFound|BadRequest_NotFound)$"),
        # Any other 404 is about the address: environment, company or API version.
        _code(ConfigurationError, "^(Internal_CompanyNotFound|Authentication_|Authorization_)"),
        Rule(ConfigurationError, status=404),
        _code(TargetRejectedError, "^(Application_|Internal_InvalidTableRelation$)"),
        _code(TargetRejectedError, "^BadRequest", status=range(400, 500), blame="ours"),
        Rule(TargetRejectedError, status=413, blame="ours"),
    ),
)


def authorised(secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
    """Client credentials of the tenant the base URL names.

    Raises:
        ConfigurationError: it names none.
    """
    base = ADDRESS.fullmatch(httpx.URL(connection.base_url).path.rstrip("/"))
    if base is None:
        msg = f"{connection.name}: base_url ends with /v2.0/<tenant>/<environment>/api/v2.0"
        raise ConfigurationError(msg, platform="business_central")
    url = str(connection.settings.get("token_url", TOKEN_URL.format(tenant=base["tenant"])))
    # Entra ID wants the secret in the form.
    return client_credentials(
        url, secret["client_id"], secret["client_secret"], SCOPE, in_form=True
    )


def company(connection: Connection) -> str:
    """The path of the connection's company.

    Raises:
        ConfigurationError: its settings name none.
    """
    named = connection.settings.get("company")
    if not named:
        msg = f"{connection.name}: set company to its id, from {connection.base_url}/companies"
        raise ConfigurationError(msg, platform=connection.platform)
    return f"/companies({named})"


class CompanyClient(ClientAround):
    """Puts the company into every path, and remembers lookups for the length of a run."""

    def __init__(
        self, inner: VendorClient, connection: Connection, reads: Mapping[str, str] = PAGES
    ) -> None:
        super().__init__(inner)
        self._reads = reads
        self._company = company(connection)
        self._known: dict[str, Answer] = {}

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """Make one call below the company; the link to a next page is followed as it is."""
        if path in self._known:
            return self._known[path]
        answer = self._inner.request(
            method,
            path if "://" in path else self._company + path,
            headers=LANGUAGE | dict(self._reads if method == "GET" else {}) | dict(headers or {}),
            **more,
        )
        if method == "GET" and path.partition("?")[0] in STEADY:
            self._known[path] = answer
        return answer


def query(path: str, **options: str) -> str:
    """A path with OData options; not every server reads a plus sign as a blank."""
    asked = {f"${name}": value for name, value in options.items() if value}
    return f"{path}?{urlencode(asked, quote_via=quote, safe=SAFE)}" if asked else path


def rows(vendor: VendorClient, path: str, **options: str) -> Iterator[dict[str, Any]]:
    """The records of a collection, page by page."""
    answer = vendor.get(query(path, **options))
    while True:
        yield from answer.data["value"]
        link = answer.data.get("@odata.nextLink")
        if not link:
            return
        answer = vendor.get(link)


def patch(
    vendor: VendorClient, path: str, etag: str, values: Mapping[str, Any], was: Mapping[str, Any]
) -> None:
    """Write fields of the record as it was read."""
    vendor.request("PATCH", path, json=values, headers={"If-Match": etag}, was=was, writes=True)


def delete(vendor: VendorClient, path: str, etag: str) -> None:
    """Delete the record as it was read."""
    vendor.request("DELETE", path, headers={"If-Match": etag}, writes=True)


def equal(field: str, *values: str) -> str:
    """A filter for one of some values."""
    quoted = (value.replace("'", "''") for value in values)
    return " or ".join(f"{field} eq '{value}'" for value in quoted)


def code_of(reference: str, limit: int) -> str:
    """Our reference as a code, which Business Central keeps in upper case and trimmed.

    References that differ in nothing but case stay apart: one with upper case letters is hashed.
    """
    if reference != reference.lower():
        return hashlib.sha256(reference.encode()).hexdigest()[:limit].upper()
    return short(reference, limit).upper()
