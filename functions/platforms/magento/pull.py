"""Reading Magento's REST V1 (documentation and a running 2.4.7-p3 read in November 2026).

A poll goes on behind the last row it saw, by (``updated_at``, ``entity_id``), and never by page: a
row that changes meanwhile moves behind the reader and is read again, none slips through. Filters of
one group are alternatives and groups hold together, so "later, or as late with a higher number" is
two groups. ``total_count`` says whether more is left: older versions repeat their last page.

One broken order makes the shop fail a whole list with a 500. The page is halved until the broken
row is alone, and stepped over; a hint then keeps asking for it, so that it is neither lost nor in
the way. A page that takes the shop too long (504) is halved alike.

The first round reads every product, however old.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from fizzbridge.errors import (
    ConfigurationError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.puller import pull_handler
from fizzbridge.settings import Connection
from platforms.magento.oauth import OAuth1
from platforms.magento.reading import NAMED, Api, NoRouteError, behind, gmt, number
from platforms.magento.webhook import MagentoWebhook


class BrokenError(TargetUnavailableError):
    """Something of what was asked for cannot be shown, or the shop is out of order."""

    code = "broken"


_EVER = "2000-01-01 00:00:00"
_NEIGHBOURS = 5
"""So many rows in a row may be broken; with more, it is rather the shop."""

# Without the "please" it is said of requests that will never do.
_PASSES = re.compile(r"deadlock|lock wait|please try again", re.IGNORECASE)


class MagentoPull(PullAdapter):
    """Orders, invoices, credit memos, shipments, customers, and what is sold."""

    platform = "magento"
    per_page = 100
    clock = Timestamp("second")
    level_streams = frozenset({"products"})
    errors = ErrorRules(
        rules=(
            # A firewall's or a maintenance page in place of an answer.
            Rule(TargetUnavailableError, range(200, 300), media="text/html"),
            Rule(TargetUnavailableError, 400, where={"message": _PASSES}),
            # Chance made the same nonce twice, or a proxy sent the request twice.
            Rule(TargetUnavailableError, 401, where={"message": re.compile("nonce is already")}),
            # Never a missing row.
            Rule(NoRouteError, 404, where={"message": re.compile("match any route")}),
            Rule(ConfigurationError, 404, media="text/html"),
            Rule(BrokenError, 500),
            # Half as many rows may be done in time.
            Rule(BrokenError, 504),
        ),
        message_at=("message",),
        code_at=("code",),
    )

    def __init__(self, seconds: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        # A shop's currency hardly changes, so a process that has read it keeps it.
        self._currencies: dict[str, str] = {}

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """An integration's four keys, or its token alone where the merchant has allowed that."""
        if connection.settings.get("auth") == "bearer":
            return Bearer(secret["access_token"])
        return OAuth1(
            secret["consumer_key"],
            secret["consumer_secret"],
            secret["access_token"],
            secret["access_token_secret"],
            clock=self._seconds,
        )

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read what a hint names.

        Orders and what follows them are never deleted, so a number that is not there may never have
        been. That a customer is gone is said by the module; of a company nobody says it.
        """
        api = Api(vendor, connection, self._currencies)
        read = {"order": api.order, "customer": api.customer, **dict.fromkeys(NAMED, api.document)}
        read |= {"product": api.product, "stock": api.stock, "company": api.company}
        if hint.what in read:
            return read[hint.what](hint)
        at, last, page = hint.external_id.split("/")
        rows, _ = api.listed(hint.what, behind(at, last), 1, int(page))
        return api.told(hint.what, rows)

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Rows behind the last one seen, oldest change first."""
        is_first = stream == "products" and span.since <= connection.start_at
        since = _EVER if is_first else gmt(span.since)
        start = {"at": since, "id": 0, "size": self.per_page, "over": 0}
        place: dict[str, Any] = json.loads(cursor) if cursor else start
        groups = behind(place["at"], place["id"])
        if span.until:
            groups.append([("updated_at", "lteq", gmt(span.until))])
        api = Api(vendor, connection, self._currencies)
        try:
            rows, total = api.listed(stream, groups, place["size"], 1 + place["over"])
            told = list(api.told(stream, rows))
        except BrokenError:
            return _narrower(stream, place)
        if not rows:
            return Page([], json.dumps(place), is_last=True)
        last = {"at": rows[-1]["updated_at"], "id": number(rows[-1])}
        if (last["at"], last["id"]) <= (place["at"], place["id"]):
            msg = f"the list of {stream} does not keep to its filters"
            raise TargetRejectedError(msg, code="filter_ignored", platform=self.platform)
        return Page(told, json.dumps(start | last), total <= place["over"] + len(rows))


def _narrower(stream: str, place: Mapping[str, Any]) -> Page:
    """Half the page; of a page of one, the row that cannot be shown is left to a hint."""
    size, over = place["size"] // 2, place["over"] + 1
    if size:
        return Page([], json.dumps({**place, "size": size}), is_last=False)
    if over > _NEIGHBOURS:
        raise BrokenError(f"the list of {stream} cannot be shown", platform="magento")
    told = [Hint(stream, f"{place['at']}/{place['id']}/{over}")]
    return Page(told, json.dumps({**place, "over": over}), is_last=False)


handler = pull_handler(MagentoPull(), MagentoWebhook())
