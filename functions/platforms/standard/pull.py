"""Reading what another system offers beside its deliveries: a list of each kind, and each record.

``GET /v1/<kinds>?changed_since&after&limit`` answers a page sorted by (changed_at, id), and
``GET /v1/<kinds>/<id>`` one record. A system that only posts offers neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Seen, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from fizzbridge.wire import places
from platforms.standard import mapping, wire
from platforms.standard.webhook import StandardWebhook

_MOST = 100


class StandardPull(PullAdapter):
    """The lists the setting ``offers`` names."""

    platform = "standard"
    clock = Timestamp("microsecond")
    errors = ErrorRules()
    calls = 1
    level_streams = frozenset({"products", "prices", "stock_levels"})

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """A bearer token."""
        del connection
        return Bearer(secret["token"])

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read one record; of an order one part."""
        stream, _, part = hint.what.partition("/")
        if stream not in _offered(connection):
            return []
        path = f"/v1/{stream}/{quote(hint.external_id, safe='')}"
        answer = vendor.get(path, params={"part": part} if part else None)
        try:
            return list(_told(stream, answer.data, connection.name))
        except ValidationError as error:
            raise _malformed(f"{hint.what} {hint.external_id}", error) from error

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """One page, in the system's own order; its cursor is what the system says comes next."""
        if stream not in _offered(connection):
            return Page((), "", is_last=True)
        params = {"changed_since": span.since.isoformat(), "limit": _MOST}
        answer = vendor.get(f"/v1/{stream}", params=params | ({"after": cursor} if cursor else {}))
        try:
            page = wire.Listed.model_validate(answer.data)
        except ValidationError as error:
            raise _malformed(f"a page of {stream}", error) from error
        told = [one for item in page.items for one in _shown(stream, item, connection.name)]
        is_last = not page.next or any(_is_after(span.until, one) for one in told)
        return Page(told, page.next or "", is_last=is_last)


def _offered(connection: Connection) -> Sequence[str]:
    return str(connection.settings.get("offers", "")).split()


def _told(stream: str, item: Any, connection: str) -> Iterable[Told]:
    return mapping.told(wire.STREAMS[stream], wire.Data.model_validate(item), connection)


def _shown(stream: str, item: Mapping[str, Any], connection: str) -> Iterator[Told]:
    """What an item of a page tells; one that cannot be read is asked for by itself.

    There it is refused, and left to a person: one bad record must not keep back those after it.
    """
    try:
        yield from list(_told(stream, item, connection))
    except (ValidationError, MalformedDeliveryError):
        what = f"{stream}/{item['part']}" if item.get("part") else stream
        yield Hint(what, str(item.get("id", "")), wire.STREAMS[stream])


def _is_after(until: datetime | None, one: Told) -> bool:
    changed = one.changed if isinstance(one, Seen) else None
    return until is not None and isinstance(changed, datetime) and changed > until


def _malformed(what: str, error: ValidationError) -> MalformedDeliveryError:
    return MalformedDeliveryError(f"{what}: {places(error)}", code="shape", platform="standard")


handler = pull_handler(StandardPull(), StandardWebhook())
