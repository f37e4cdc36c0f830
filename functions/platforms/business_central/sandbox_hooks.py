"""Webhook subscriptions: the handshake, their three days, and the thin notifications they get."""

from __future__ import annotations

import json
import re
import ssl
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx

from platforms.business_central.sandbox_fields import WEBHOOKS
from platforms.business_central.sandbox_shapes import ZERO
from platforms.business_central.sandbox_store import Store, Told
from platforms.business_central.sandbox_values import ApiError, Row, moment, no_record, read_moment
from sandbox.deliveries import Delivery, Outbox, poster

LIFE = timedelta(days=3)
PAUSES = (30.0, 60.0, 300.0, 900.0, 3600.0, *(3 * 3600.0 for _ in range(11)))
"""Tried again for somewhat less than the vendor's 36 hours; the steps are nowhere told."""
REFUSED = range(400, 500)
AGAIN = {408, 429}
RESOURCE = re.compile(r"/?api/v2\.0/companies\(([0-9a-fA-F-]{36})\)/(\w+)")
Shake = Callable[[str], tuple[int, bytes]]
"""Asks an address to echo a token: the status and the body of its answer."""


def shake(uri: str) -> tuple[int, bytes]:
    """One real handshake."""
    context = ssl.create_default_context()
    with httpx.Client(timeout=10, verify=context, trust_env=False) as client:
        answer = client.post(uri)
    return answer.status_code, answer.content


class Notifier(Outbox):
    """Drops a subscription at the first answer that says the notification itself is wrong.

    Args:
        drop: removes a subscription.
        delay: how long the first change waits for others.
    """

    def __init__(self, drop: Callable[[str], None], delay: float) -> None:
        super().__init__(poster(5, 30), PAUSES, sys.maxsize, lambda _: None)
        self._forget = drop
        self.delay = delay
        self.lock = self._wake
        self.begun: set[str] = set()

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery; in auto mode it leaves once its time has come."""
        with self._wake:
            self.deliveries.append(delivery)
            if self.mode == "auto":
                self._schedule(delivery, self.delay)

    def clear(self) -> None:
        """Forget every delivery and failure."""
        super().clear()
        self.begun.clear()

    def _attempt(self, delivery: Delivery) -> int | str:
        with self.lock:
            self.begun.add(delivery.id)
        answer = super()._attempt(delivery)
        is_refused = isinstance(answer, int) and answer in REFUSED and answer not in AGAIN
        redirected = isinstance(answer, int) and 300 <= answer < 400
        if is_refused or redirected:
            for subscription in delivery.subscription.split(","):
                self._forget(subscription)
            delivery.status = "given_up"
        return answer


class Hooks:
    """The environment's subscriptions.

    Args:
        store: whose changes are told.
        seed: limits, and what is subscribed to in advance.
    """

    def __init__(self, store: Store, seed: Row) -> None:
        self.store = store
        self.seed = seed
        self.shake: Shake = shake
        self.outbox = Notifier(self.drop, float(seed["notify_delay_seconds"]))
        self.rows: dict[str, Row] = {}
        self._advance = ""
        # What is still open to more changes: by address, the delivery, its start and its items.
        self._open: dict[str, tuple[Delivery, datetime, dict[tuple[str, str], Row]]] = {}

    def start(self) -> None:
        """Begin afresh, with what the seed has subscribed to."""
        self.rows = {}
        self._open = {}
        self.outbox.clear()
        # What is subscribed to in advance lives from when it is first looked at.
        self._advance = self.seed["webhook_uri"]

    def point_to(self, uri: str) -> None:
        """All subscriptions to another address, without asking it; made where there are none."""
        self._advance = ""
        for name in self.seed["topics"] if not self.rows else ():
            self._save(self._resource(name), uri, self.seed["webhook_secret"])
        for id_, row in self.rows.items():
            self.rows[id_] = row | {"notificationUrl": uri}

    # -- subscriptions -----------------------------------------------------------------------------

    def alive(self) -> list[Row]:
        """The subscriptions that have not run out."""
        if self._advance:
            self.point_to(self._advance)
        now = self.store.clock()
        self.rows = {
            id_: row
            for id_, row in self.rows.items()
            if read_moment(row["expirationDateTime"]) > now
        }
        return list(self.rows.values())

    def get(self, id_: str) -> Row:
        """One subscription, or the vendor's error."""
        found = next((row for row in self.alive() if row["subscriptionId"] == id_), None)
        if found is None:
            raise no_record("Webhook Subscription", id_)
        return found

    def wanted(self, values: Row, old: Row | None = None) -> Row:
        """What a request asks for, once it is found good: the handshake comes next."""
        for name in ("notificationUrl", "resource"):
            if not values.get(name):
                text = f"Field '{name}' must not be blank or empty."
                raise ApiError("BadRequest_RequiredParamNotProvided", text)
        uri, resource = values["notificationUrl"], self._checked(values["resource"])
        if not uri.startswith(("https://", "http://")):
            raise ApiError("BadRequest", "The notificationUrl is not a valid URL.")
        if old and resource != self._checked(old["resource"]):
            raise ApiError("BadRequest", "The resource of a subscription cannot be changed.")
        if old is None:
            self._check_room(uri, resource)
        return values | {"resource": values["resource"], "_name": resource}

    def _check_room(self, uri: str, resource: str) -> None:
        if len(self.alive()) >= self.seed["subscription_limit"]:
            text = "The maximum number of webhook subscriptions has been reached."
            raise ApiError("BadRequest", text)
        same = [
            r for r in self.rows.values() if (r["notificationUrl"], r["_name"]) == (uri, resource)
        ]
        if same and not self.seed["duplicate_subscriptions"]:
            text = "The Webhook Subscription already exists. Identification fields and values:"
            raise ApiError("Internal_EntityWithSameKeyExists", f"{text} Endpoint='{resource}'")

    def _checked(self, resource: str) -> str:
        path = resource.partition("/api/v2.0/")[2] if "://" in resource else ""
        found = RESOURCE.fullmatch(f"api/v2.0/{path}" if path else resource)
        if found is None or found[1].lower() != self.seed["company"]["id"]:
            raise ApiError("BadRequest", f"The resource '{resource}' is not valid.")
        if found[2] not in WEBHOOKS:
            raise ApiError("BadRequest", f"Webhooks are not supported for '{found[2]}'.")
        return found[2]

    def greet(self, uri: str) -> None:
        """Ask an address whether it wants this; it must give the token back as it came."""
        token = str(uuid.uuid4())
        mark = "&" if "?" in uri else "?"
        try:
            status, body = self.shake(f"{uri}{mark}validationToken={token}")
        except httpx.HTTPError:
            status, body = 0, b""
        if status != 200 or body != token.encode():
            text = "The notification URL did not answer the validation request with its token."
            raise ApiError("BadRequest", text)

    def create(self, values: Row) -> Row:
        """Keep a subscription whose address has answered."""
        self._check_room(values["notificationUrl"], values["_name"])
        return self._save(
            values["resource"], values["notificationUrl"], values.get("clientState", "")
        )

    def renew(self, row: Row, values: Row) -> Row:
        """Three more days from now."""
        own = {key: values[key] for key in ("notificationUrl", "clientState") if key in values}
        now = self.store.clock()
        stamp = {"expirationDateTime": moment(now + LIFE), "lastModifiedDateTime": moment(now)}
        fresh = row | own | stamp | {"systemModifiedAt": moment(now), "_version": self._next()}
        self.rows[row["subscriptionId"]] = fresh
        return fresh

    def drop(self, id_: str) -> None:
        """Forget a subscription."""
        self.rows.pop(id_, None)

    def _resource(self, name: str) -> str:
        return f"/api/v2.0/companies({self.seed['company']['id']})/{name}"

    def _save(self, resource: str, uri: str, state: str) -> Row:
        now = moment(self.store.clock())
        row = {
            "subscriptionId": uuid.uuid4().hex,
            "notificationUrl": uri,
            "resource": resource,
            "timestamp": self._next(),
            "userId": ZERO,
            "lastModifiedDateTime": now,
            "clientState": state,
            "expirationDateTime": moment(self.store.clock() + LIFE),
            "systemCreatedAt": now,
            "systemCreatedBy": ZERO,
            "systemModifiedAt": now,
            "systemModifiedBy": ZERO,
            "_version": self._next(),
            "_name": self._checked(resource),
        }
        self.rows[str(row["subscriptionId"])] = row
        return row

    def _next(self) -> int:
        return self.store.tick()

    # -- notifications -----------------------------------------------------------------------------

    def tell(self, changes: list[Told]) -> None:
        """Put changes into the notification of each address that waits, or begin one."""
        for name, id_, kind in changes:
            for row in self.alive():
                if row["_name"] == name:
                    # What is on its way takes no more changes.
                    with self.outbox.lock:
                        self._note(row, id_, kind)

    def _note(self, subscription: Row, id_: str, kind: str) -> None:
        uri, now = subscription["notificationUrl"], self.store.clock()
        delivery, _, items = self._waiting(uri, now)
        key = (subscription["subscriptionId"], id_)
        company = self.seed["company"]["id"]
        old = items.pop(key, None)
        item = {
            "subscriptionId": subscription["subscriptionId"],
            "clientState": subscription["clientState"],
            "expirationDateTime": subscription["expirationDateTime"],
            "resource": f"api/v2.0/companies({company})/{subscription['_name']}({id_})",
            "changeType": _merged(old["changeType"], kind) if old else kind,
            "lastModifiedDateTime": moment(now),
        }
        items[key] = item
        self._render(delivery, items)

    def _waiting(
        self, uri: str, now: datetime
    ) -> tuple[Delivery, datetime, dict[tuple[str, str], Row]]:
        found = self._open.get(uri)
        if found:
            delivery, start, _ = found
            is_over = now >= start + timedelta(seconds=self.outbox.delay)
            if delivery.id not in self.outbox.begun and not is_over:
                return found
        number = len(self.outbox.deliveries) + 1
        headers = {"Content-Type": "application/json; charset=utf-8"}
        delivery = Delivery(f"d{number}", "", "", "", uri, headers, b"")
        self._open[uri] = (delivery, now, {})
        self.outbox.add(delivery)
        return self._open[uri]

    def _render(self, delivery: Delivery, items: dict[tuple[str, str], Row]) -> None:
        """Write a delivery anew; too many records of one subscription become their collection."""
        shown: list[Row] = []
        for subscription in dict.fromkeys(key[0] for key in items):
            mine = [item for key, item in items.items() if key[0] == subscription]
            if len(mine) > self.seed["collection_limit"]:
                first = mine[0]
                base = first["resource"].rpartition("(")[0]
                # The vendor's own filter names a field of the older API.
                since = f"?$filter=lastDateTimeModified gt {first['lastModifiedDateTime']}"
                mine = [mine[-1] | {"resource": base + since, "changeType": "collection"}]
            shown += mine
        delivery.subscription = ",".join(dict.fromkeys(item["subscriptionId"] for item in shown))
        kinds = (f"{_set_of(item['resource'])}.{item['changeType']}" for item in shown)
        delivery.topic = ",".join(dict.fromkeys(kinds))
        delivery.subject = ",".join(item["resource"].rpartition("(")[2][:-1] for item in shown)
        delivery.body = json.dumps({"value": shown}, separators=(",", ":")).encode()


def _set_of(resource: str) -> str:
    return resource.rpartition("/")[2].partition("(")[0].partition("?")[0]


def _merged(old: str, new: str) -> str:
    if old == "created" and new == "updated":
        return "created"
    if old == "deleted" and new == "created":
        return "updated"
    return new
