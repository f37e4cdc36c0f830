"""The ways into the Accounting API, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

import httpx

from fizzbridge.errors import (
    AmbiguousMatchError,
    ConfigurationError,
    ConflictError,
    DeletedAtTargetError,
    FizzbridgeError,
    NotThereError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.classify import Answer, ErrorRules, Rule, at, retry_after
from fizzbridge.http.client import ClientAround, VendorClient
from fizzbridge.runtime.tokens import RotatingToken
from fizzbridge.settings import Connection

MINOR = "75"
PAGE = 1000
CHANGED = "MetaData.LastUpdatedTime"
AT_ONCE = 40
"""Values asked for in one query, which is part of an address."""
TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105  an address
LONG = frozenset({"Item", "Account"})
"""What may need several pages, and so an order."""
THROTTLED = re.compile(r"^0*3001$")
BACK_OFF = timedelta(seconds=60)

DUPLICATES = frozenset({"6140", "6240"})
"""A number or a name that is taken."""

# Auth errors come in another casing than all others.
_FAULTS = ("Fault.Error.0", "fault.error.0")
_TYPES = ("Fault.type", "fault.type")


def _code(number: str) -> re.Pattern[str]:
    return re.compile(rf"^0*({number})$")


_BY_CODE: tuple[tuple[re.Pattern[str], type[FizzbridgeError], bool], ...] = (
    (THROTTLED, RateLimitedError, False),  # also in a 403 and a 503, from older parts
    (_code("3200|3100"), ConfigurationError, False),
    (_code("5010"), ConflictError, False),
    (_code("610"), NotThereError, False),
    (_code("10000"), TargetUnavailableError, False),
    # Too long, malformed, missing, unknown, no query, sums that do not agree: our mistakes.
    (_code("20[0-9][0-9]|4000|4001|6070"), TargetRejectedError, True),
)
_BY_TYPE = (
    (re.compile("^AuthenticationFault$|^AuthorizationFault$", re.IGNORECASE), ConfigurationError),
    (re.compile("^SystemFault$", re.IGNORECASE), TargetUnavailableError),
)
_REFUSAL = re.compile("^ValidationFault$", re.IGNORECASE)


def _wait(answer: Answer) -> timedelta | None:
    """Throttled without a word about when: a minute, which is the window of the limit."""
    asked = retry_after(answer.headers)
    codes = [at(answer.data, f"{path}.code") for path in _FAULTS]
    is_throttled = answer.status == 429 or any(THROTTLED.match(str(code)) for code in codes)
    return asked if asked is not None or not is_throttled else BACK_OFF


ERRORS = ErrorRules(
    rules=(
        *(
            Rule(verdict, where={f"{path}.code": code}, blame="ours" if is_ours else None)
            for code, verdict, is_ours in _BY_CODE
            for path in _FAULTS
        ),
        *(Rule(verdict, where={path: kind}) for kind, verdict in _BY_TYPE for path in _TYPES),
        # A refusal may come in a 200.
        *(
            Rule(TargetRejectedError, status=range(200, 500), where={path: _REFUSAL})
            for path in _TYPES
        ),
    ),
    message_at=tuple(
        f"{path}.{name}" for path in _FAULTS for name in ("Detail", "detail", "Message", "message")
    ),
    code_at=tuple(f"{path}.code" for path in _FAULTS),
    retry_after=_wait,
)


def authorised(secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
    """A grant whose refresh token moves on, whichever function uses it."""
    return RotatingToken(
        str(connection.settings.get("token_url", TOKEN_URL)),
        secret["client_id"],
        secret["client_secret"],
        secret["refresh_token"],
    )


class QuickBooks(ClientAround):
    """A client for one run, which asks for lists that do not change meanwhile only once.

    Reads are metered, and ``update`` follows ``create`` at once.
    """

    def __init__(self, inner: VendorClient) -> None:
        super().__init__(inner)
        self.kept: dict[str, list[dict[str, Any]]] = {}


def quoted(text: str) -> str:
    """A text as the query language takes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def query(
    vendor: VendorClient, entity: str, condition: str = "", fields: str = "*"
) -> list[dict[str, Any]]:
    """Every record of a kind that meets a condition."""
    found: list[dict[str, Any]] = []
    order = "Id" if entity in LONG else ""
    while True:
        some = page(vendor, entity, condition, order, start=len(found) + 1, fields=fields)
        found += some
        if len(some) < PAGE:
            return found


def page(
    vendor: VendorClient,
    entity: str,
    condition: str,
    order: str,
    *,
    start: int = 1,
    most: int = PAGE,
    fields: str = "*",
) -> list[dict[str, Any]]:
    """Some of the records of a kind that meet a condition, in an order."""
    where = f" where {condition}" if condition else ""
    sort = f" orderby {order}" if order else ""
    asked = f"select {fields} from {entity}{where}"  # noqa: S608  values are quoted
    asked += f"{sort} startposition {start} maxresults {most}"
    answer = vendor.get("/query", params={"query": asked, "minorversion": MINOR})
    # Where there is nothing the kind is not even named.
    found: list[dict[str, Any]] = answer.data["QueryResponse"].get(entity, [])
    return found


def among(
    vendor: VendorClient, entity: str, field: str, values: Iterable[str]
) -> Iterator[dict[str, Any]]:
    """Records whose field is one of the values; as many at once as an address has room for."""
    wanted = sorted(set(values))
    for begin in range(0, len(wanted), AT_ONCE):
        listed = ", ".join(quoted(value) for value in wanted[begin : begin + AT_ONCE])
        yield from once(vendor, entity, f"{field} in ({listed})")


def deleted(vendor: VendorClient, entities: Sequence[str], since: datetime) -> dict[str, list[Any]]:
    """What was deleted since then, by kind: no query shows it."""
    params = {"entities": ",".join(entities), "changedSince": moment(since), "minorversion": MINOR}
    answer = vendor.get("/cdc", params=params)
    found: dict[str, list[Any]] = {}
    for part in answer.data["CDCResponse"][0]["QueryResponse"]:
        for entity in part.keys() & set(entities):
            found[entity] = [one for one in part[entity] if one.get("status") == "Deleted"]
    return found


def moment(at: datetime) -> str:
    """A time as queries take it."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def once(vendor: VendorClient, entity: str, condition: str = "") -> list[dict[str, Any]]:
    """The same, asked once a run: of lists that people seldom change."""
    kept = vendor.kept if isinstance(vendor, QuickBooks) else {}
    key = f"{entity} {condition}"
    if key not in kept:
        kept[key] = query(vendor, entity, condition)
    return kept[key]


def find_by(vendor: VendorClient, entities: Sequence[str], field: str, value: str) -> str | None:
    """The external id of the transaction whose field is the value to the letter.

    Raises:
        AmbiguousMatchError: several are.
    """
    found = [
        f"{entity}:{record['Id']}"
        for entity in entities
        for record in query(vendor, entity, f"{field} = {quoted(value)}", f"Id, {field}")
        # The query does not tell capitals from small letters.
        if record.get(field) == value
    ]
    if len(found) > 1:
        msg = f"several transactions in QuickBooks have the number {value}: {', '.join(found)}"
        raise AmbiguousMatchError(msg, platform="quickbooks")
    return found[0] if found else None


def split(external_id: str) -> tuple[str, str]:
    """An external id as kind and id: ids of different kinds may be equal."""
    entity, _, identity = external_id.partition(":")
    return entity, identity


def read(vendor: VendorClient, external_id: str) -> dict[str, Any]:
    """A record as it is.

    Raises:
        DeletedAtTargetError: there is none.
    """
    entity, identity = split(external_id)
    try:
        answer = vendor.get(f"/{entity.lower()}/{identity}", params={"minorversion": MINOR})
    except NotThereError as error:
        msg = f"{entity} {identity} is not in QuickBooks any more"
        raise DeletedAtTargetError(msg, platform="quickbooks") from error
    record: dict[str, Any] = answer.data[entity]
    if record.get("status") == "Deleted":
        msg = f"{entity} {identity} was deleted in QuickBooks"
        raise DeletedAtTargetError(msg, platform="quickbooks")
    return record


def post(
    vendor: VendorClient,
    entity: str,
    body: Mapping[str, Any],
    key: str,
    was: Mapping[str, Any] | None = None,
    **how: str,
) -> dict[str, Any]:
    """Write one record and return it as it is then.

    Args:
        vendor: the client.
        entity: kind of record.
        body: what is written.
        key: names this write: the same one sent twice is done once.
        was: what the fields hold now.
        how: operation and the like, beside the body.
    """
    stamp = str(uuid5(NAMESPACE_URL, f"fizzbridge/quickbooks/{entity}/{key}"))
    asked = urlencode(how | {"minorversion": MINOR, "requestid": stamp})
    answer = vendor.request(
        "POST",
        f"/{entity.lower()}?{asked}",
        json=body,
        writes=True,
        was=was,
        shown=dict(how) | dict(body),
    )
    written: dict[str, Any] = answer.data[entity]
    return written


def create(vendor: VendorClient, entity: str, body: Mapping[str, Any], reference: str) -> str:
    """Create a record under a reference."""
    return f"{entity}:{post(vendor, entity, body, f'create/{reference}')['Id']}"


def change(
    vendor: VendorClient, external_id: str, present: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Write some fields of a record as it was read: one that moved since is refused."""
    entity, identity = split(external_id)
    token = present["SyncToken"]
    body = {"Id": identity, "SyncToken": token, "sparse": True} | dict(changes)
    was = {name: present.get(name) for name in changes}
    # With the token in the key, going back to what once was is another write.
    return post(vendor, entity, body, f"update/{identity}/{token}", was)


def end(vendor: VendorClient, external_id: str, present: Mapping[str, Any], **how: str) -> None:
    """Void or delete a record as it was read."""
    entity, identity = split(external_id)
    token = present["SyncToken"]
    body: dict[str, Any] = {"Id": identity, "SyncToken": token}
    if "include" in how:
        body["sparse"] = True
    was = {name: present[name] for name in ("TotalAmt",) if name in present}
    post(vendor, entity, body, f"end/{identity}/{token}", was, **how)
