"""Webhooks of the sandbox store: who listens to what, and the thin signed word they are sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from platforms.bigcommerce.sandbox_shapes import GoneError, Json, RefusedError, known
from sandbox.deliveries import Delivery

MOST_HOOKS = 10
IDLE_DAYS = 90
EXCEPTIONS = "store/hook/deliveryException"
NEEDS = {
    "order": "store_v2_orders",
    "shipment": "store_v2_orders",
    "product": "store_v2_products",
    "sku": "store_v2_products",
    "priceList": "store_v2_products",
    "channel": "store_inventory",
    "customer": "store_v2_customers",
    "company": "store_v2_customers",
    "hook": "",
}
"""Which right a group of events needs."""
THREE = ("created", "updated", "deleted")
TOPICS = {
    EXCEPTIONS,
    *(f"store/order/{one}" for one in ("created", "updated", "statusUpdated", "archived")),
    *(f"store/order/{one}/created" for one in ("message", "refund", "transaction")),
    "store/order/transaction/updated",
    *(f"store/{group}/{one}" for group in ("shipment", "product", "sku") for one in THREE),
    *(f"store/{group}/inventory/updated" for group in ("product", "sku")),
    *(f"store/{group}/inventory/order/updated" for group in ("product", "sku")),
    *(f"store/customer/{one}" for one in THREE),
    *(f"store/customer/address/{one}" for one in THREE),
    *(f"store/priceList/{kind}/{one}" for kind in ("record", "records") for one in THREE),
    *(f"store/company/{one}" for one in (*THREE, "statusUpdated")),
}
CHANNEL_TOPICS = {"stock_changed", "low_stock_reached", "out_of_stock_reached"}
PRE_MADE = (
    "store/order/* store/shipment/* store/customer/* store/product/* store/sku/*"
    " store/priceList/*".split()
)
WRITABLE = {"scope", "destination", "is_active", "headers"}


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one delivery, in the way of Standard Webhooks with the raw secret as key."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    proof = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return f"v1,{base64.b64encode(proof).decode()}"


def compact(body: Any) -> bytes:
    """JSON as the vendor sends it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def covers(pattern: str, scope: str) -> bool:
    """Whether a hook's scope means an event; a star at its end stands for a whole group."""
    if pattern.endswith("/*"):
        return scope.startswith(pattern[:-1])
    return pattern == scope


class Hooks:
    """The hooks of one API client on one store.

    Args:
        seed: what the store is like.
        clock: gives the time.
        add: keeps one delivery.
    """

    def __init__(
        self, seed: Json, clock: Callable[[], datetime], add: Callable[[Delivery], None]
    ) -> None:
        self.seed = seed
        self.clock = clock
        self._add = add
        self.rows: dict[int, Json] = {}
        self.emails: list[str] = []
        self._live_at: dict[int, datetime] = {}
        self._used_at: dict[int, datetime] = {}
        self._deactivated: set[int] = set()
        self._ids = itertools.count(18048287)
        self._messages = itertools.count(1)

    # -- what calls do -----------------------------------------------------------------------------

    def make_in_advance(self, uri: str) -> None:
        """Hooks for everything the store tells of, as a merchant's app leaves them behind."""
        groups = [*PRE_MADE, f"store/channel/{self.seed['channel_id']}/inventory/product/*"]
        for scope in [*groups, "store/company/*"] if self.seed["b2b"] else groups:
            self._keep(scope, uri, self.seed["hook_headers"])

    def point_to(self, uri: str) -> None:
        """Change every address; without a hook yet they are all made now."""
        if not self.rows:
            self.make_in_advance(uri)
        for row in self.rows.values():
            row["destination"] = uri

    def create(self, given: Any, may: Callable[[str], bool]) -> Json:
        """Listen to a scope; it takes a while to begin."""
        known(given, WRITABLE, "hook")
        for name in ("scope", "destination"):
            if name not in given:
                raise RefusedError("error.path.missing", name)
        self._check(given, may)
        same = [row for row in self.rows.values() if row["scope"] == given["scope"]]
        if len(same) >= (1 if given["scope"] == EXCEPTIONS else MOST_HOOKS):
            raise RefusedError("The maximum number of hooks for this scope is reached.", "scope")
        self._check_own(given["scope"], given["destination"])
        headers = given.get("headers") or {}
        row = self._keep(given["scope"], given["destination"], headers)
        row["is_active"] = given.get("is_active", True)
        self._live_at[row["id"]] = self.clock() + timedelta(seconds=self.seed["hook_delay_s"])
        return row

    def change(self, hook_id: int, given: Any, may: Callable[[str], bool]) -> Json:
        """Change a hook, or switch it on again."""
        row = self.get(hook_id)
        known(given, WRITABLE, "hook")
        self._check(row | given, may)
        if {"scope", "destination"} & given.keys():
            merged = row | given
            self._check_own(merged["scope"], merged["destination"], hook_id)
        row |= given | {"updated_at": int(self.clock().timestamp())}
        if row["is_active"]:
            self._deactivated.discard(hook_id)
            self._used_at[hook_id] = self.clock()
        return row

    def remove(self, hook_id: int) -> Json:
        """Stop listening."""
        row = self.get(hook_id)
        del self.rows[hook_id]
        return row

    def get(self, hook_id: int) -> Json:
        """The hook of that number, if this client made it."""
        self._retire()
        if hook_id not in self.rows:
            raise GoneError(f"Webhook with id [{hook_id}] not found")
        return self.rows[hook_id]

    def listed(self) -> list[Json]:
        """All of them."""
        self._retire()
        return list(self.rows.values())

    def health(self, is_active: bool | None) -> Json:
        """Which hooks work, and who is told when one does not."""
        rows = [
            row | {"status": self._state(row)}
            for row in self.listed()
            if is_active in (None, row["is_active"])
        ]
        return {"emails": self.emails, "hooks_list": rows, "blocked_domains": []}

    def disable(self, subscription: str) -> None:
        """Every try of an event failed: switch its hook off and tell the one who asked to know."""
        row = self.rows.get(int(subscription))
        if row is None or not row["is_active"]:
            return
        row["is_active"] = False
        self._deactivated.add(row["id"])
        text = f"Non-200 response received when delivering to {row['destination']}, disabled"
        data = {"type": "webhook", "id": row["id"], "error_code": 90002, "message": text}
        self.notify(EXCEPTIONS, str(row["id"]), data)

    # -- what the store tells ----------------------------------------------------------------------

    def notify(self, scope: str, subject: str, data: Any) -> None:
        """Send one event to every hook that is live and means it."""
        now = self.clock()
        self._retire()
        raw = self.body(scope, data, now)
        for row in self.rows.values():
            if not row["is_active"] or not covers(row["scope"], scope):
                continue
            if self._live_at.get(row["id"], now) > now:
                continue
            self._used_at[row["id"]] = now
            place = next(self._messages)
            headers = self.headers(f"msg_{place:027d}", int(now.timestamp()), raw, row["headers"])
            self._add(
                Delivery(
                    f"d{place}", scope, subject, str(row["id"]), row["destination"], headers, raw
                )
            )

    def body(self, scope: str, data: Any, at: datetime) -> bytes:
        """The envelope; its hash is the same for two events that say the same."""
        producer = f"stores/{self.seed['store_hash']}"
        told = {"scope": scope, "store_id": self.seed["store_id"], "data": data}
        told |= {"producer": producer}
        digest = hashlib.sha1(compact(told)).hexdigest()  # noqa: S324  the vendor's
        envelope = {"producer": producer, "hash": digest, "created_at": int(at.timestamp())}
        envelope |= {"store_id": self.seed["store_id"], "scope": scope, "data": data}
        return compact(envelope)

    def headers(self, message_id: str, timestamp: int, body: bytes, static: Json) -> dict[str, str]:
        """What goes with a body: the proof, and what the client gave when it made the hook."""
        found = {"Content-Type": "application/json"}
        if self.seed["signs"]:
            found |= self._proof(message_id, timestamp, body)
        return found | static

    def stamped(self, delivery: Delivery) -> dict[str, str]:
        """The headers of a try that is made now; the message keeps its id."""
        if "webhook-id" not in delivery.headers:
            return delivery.headers
        now = int(self.clock().timestamp())
        message_id = delivery.headers["webhook-id"]
        return delivery.headers | self._proof(message_id, now, delivery.body)

    # -- how the store keeps it --------------------------------------------------------------------

    def _proof(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        proof = sign(self.seed["client_secret"], message_id, timestamp, body)
        found = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
        return found | {"webhook-signature": proof}

    def _keep(self, scope: str, destination: str, headers: Json) -> Json:
        now = int(self.clock().timestamp())
        row: Json = {"id": next(self._ids), "client_id": self.seed["client_id"]}
        row |= {"store_hash": self.seed["store_hash"], "scope": scope, "destination": destination}
        row |= {"headers": dict(headers), "is_active": True, "created_at": now, "updated_at": now}
        self.rows[row["id"]] = row
        self._used_at[row["id"]] = self.clock()
        return row

    def _check(self, given: Json, may: Callable[[str], bool]) -> None:
        if not _is_scope(given["scope"]):
            raise RefusedError("error.invalid.scope", "scope")
        if not _is_destination(given["destination"]):
            raise RefusedError("error.invalid.destination", "destination")
        headers = given.get("headers") or {}
        if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
            raise RefusedError("error.expected.jsobject", "headers")
        if not isinstance(given.get("is_active", True), bool):
            raise RefusedError("error.expected.jsboolean", "is_active")
        if not may(NEEDS[given["scope"].split("/")[1]]):
            text = "You don't have a required scope to access the endpoint"
            raise RefusedError(text, status=403)

    def _check_own(self, scope: str, destination: str, hook_id: int | None = None) -> None:
        """Hooks of one scope differ in their addresses; that of failures differs from all."""
        for row in self.rows.values():
            is_near = scope == row["scope"] or EXCEPTIONS in (scope, row["scope"])
            if row["id"] != hook_id and is_near and row["destination"] == destination:
                raise RefusedError("This destination has a hook already.", "destination")

    def _retire(self) -> None:
        """Switch off what heard nothing for a long time."""
        oldest = self.clock() - timedelta(days=IDLE_DAYS)
        for row in self.rows.values():
            if row["is_active"] and self._used_at[row["id"]] < oldest:
                row["is_active"] = False
                self._deactivated.add(row["id"])

    def _state(self, row: Json) -> str:
        if row["is_active"]:
            return "active"
        return "deactivated" if row["id"] in self._deactivated else "inactive"


def _is_scope(scope: Any) -> bool:
    if not isinstance(scope, str):
        return False
    parts = scope.split("/")
    if scope.startswith("store/channel/") and len(parts) == 6:
        numbered = parts[2].isdecimal() and parts[3:5] == ["inventory", "product"]
        return numbered and (parts[5] in CHANNEL_TOPICS or parts[5] == "*")
    if scope.endswith("/*"):
        return any(topic.startswith(scope[:-1]) for topic in TOPICS) and len(parts) > 2
    return scope in TOPICS


def _is_destination(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and port in {None, 443}
