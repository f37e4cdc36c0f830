"""Notifications of Business Central: ids only, proven by the client state each of them carries."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint
from fizzbridge.webhook.request import Delivery

_STATE = "clientState"
_RESOURCE = re.compile(r"/?api/v2\.0/companies\([^)]+\)/([\w.]+)(?:\(([0-9A-Fa-f-]{36})\))?")
_SINCE = re.compile(r" gt (\d{4}-\d\d-\d\dT[\d:.]+Z)")
_OVERLAP = timedelta(minutes=5)


class _Named(NamedTuple):
    """What records of a resource are called.

    Attributes:
        what: the word of a hint.
        stream: lists them.
        of: their kind, where they are only read if somebody owns such things.
    """

    what: str
    stream: str
    of: Kind | None = None


RESOURCES = {
    "salesOrders": _Named("order", "orders"),
    "salesInvoices": _Named("invoice", "invoices"),
    "salesCreditMemos": _Named("credit_note", "credit_notes"),
    "customers": _Named("customer", "customers"),
    "items": _Named("item", "items", Kind.PRODUCT),
}
"""What is subscribed to; shipments and movements of stock cannot be."""


class Notice(BaseModel):
    """What changed: a record, or more of a collection than is named one by one."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True
    )
    resource: str
    change_type: str
    last_modified_date_time: AwareDatetime


class Notices(BaseModel):
    """One delivery; it may serve several subscriptions."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    value: tuple[Notice, ...]


def hints(told: Notices, connection: str) -> Iterator[Hint]:
    """What to read; of what is told twice, once."""
    del connection
    yield from dict.fromkeys(hint for one in told.value if (hint := _hint(one)))


def _hint(told: Notice) -> Hint | None:
    found = _RESOURCE.match(told.resource)
    named = RESOURCES.get(found[1]) if found else None
    if found is None or named is None:
        return None
    if told.change_type != "collection" and found[2]:
        return Hint(named.what, found[2].lower(), named.of)
    # Since when, only the filter says; it names a field there is not, so it cannot be asked as is.
    said = _SINCE.search(told.resource)
    since = datetime.fromisoformat(said[1]) if said else told.last_modified_date_time
    return Hint("changes", f"{named.stream}@{since - _OVERLAP:%Y-%m-%dT%H:%M:%S.%fZ}", named.of)


def resource(delivery: Delivery) -> str:
    """The resource a delivery is about; the first that is one of ours, if there is any."""
    names = [
        found[1] for one in _items(delivery) if (found := _RESOURCE.match(str(one.get("resource"))))
    ]
    return next((name for name in names if name in RESOURCES), next(iter(names), ""))


def subscription(delivery: Delivery) -> str:
    """The subscription of the first notification."""
    return str(next(iter(_items(delivery)), {}).get("subscriptionId", ""))


def _items(delivery: Delivery) -> list[dict[str, Any]]:
    """The notifications of a body, whatever it is."""
    try:
        body = delivery.json()
    except MalformedDeliveryError:
        return []
    value = body.get("value") if isinstance(body, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


@dataclass(frozen=True)
class ClientState:
    """The secret that was given with a subscription, in each of its notifications."""

    scheme: ClassVar[str] = "client state in each notification"
    headers: tuple[str, ...] = ()

    def verify(self, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
        """Accept a delivery some of which any active secret proves; see `proven`."""
        del now
        fits = [_is_proven(one, secrets) for one in _items(delivery)]
        if not any(fits):
            raise VerificationError("no notification has our client state", code="unsigned")


def proven(delivery: Delivery, secrets: Sequence[str]) -> Delivery:
    """The notifications that are proven, without their proof."""
    kept = [one | {_STATE: ""} for one in _items(delivery) if _is_proven(one, secrets)]
    body = json.dumps({"value": kept}, separators=(",", ":"), default=str).encode()
    return replace(delivery.without(()), body=body)


def _is_proven(told: dict[str, Any], secrets: Sequence[str]) -> bool:
    given = str(told.get(_STATE) or "").encode("utf-8", "replace")
    # All secrets are tried, whichever fits: the time taken must not tell which one is in use.
    fits = [hmac.compare_digest(secret.encode(), given) for secret in secrets]
    return bool(given) and any(fits)
