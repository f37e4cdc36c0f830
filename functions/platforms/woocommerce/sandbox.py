"""A strict stand-in for one WooCommerce store: REST ``wc/v3`` and signed webhooks.

Orders, their refunds, customers and webhooks, with the vendor's error bodies, paging and habits: a
filter that leaves its own second out, a delivery id that two orders share, no second try of a
failed delivery and a webhook that switches itself off. ``/_sandbox`` routes drive the store from
outside. Not here: products, coupons, writes of orders, and bodies made when a delivery leaves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.woocommerce.sandbox_store import STATUSES, VERSION, Json, RefusedError, Store
from sandbox.control import control_routes
from sandbox.deliveries import Delivery, Outbox, poster
from sandbox.faults import Faults

API = "/wp-json/wc/v3"
RESOURCES = ("order", "product", "customer", "coupon")
EVENTS = ("created", "updated", "deleted", "restored")
SORTS = ("date", "modified", "id", "include", "title", "slug")
FAILURES = 6


def error(status: int, code: str, message: str, **data: Any) -> JSONResponse:
    """The vendor's error body."""
    body = {"code": code, "message": message, "data": {"status": status} | data}
    return JSONResponse(body, status)


class WooCommerceSandbox:
    """One store.

    Seed keys, all optional: ``store`` (its address), ``currency``, ``tax_rate`` (in percent),
    ``prices_include_tax``, ``time_offset``, ``first_id``, ``products`` [{sku, name, price}],
    ``keys`` [{key, secret, permissions}], ``webhook_uri`` and ``webhook_secret`` (webhooks made in
    advance, without their ping).

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        accepted: committed writes by name, and placed orders under ``orders``.
        outbox: the webhooks and how they are sent.
        clock: gives the time; tests may replace it.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {
            "store": "https://fizz-store.example/",
            "currency": "GBP",
            "tax_rate": 20,
            "prices_include_tax": False,
            "time_offset": "+00:00",
            "first_id": 700,
            "products": [],
            "keys": [{"key": "ck_sandbox", "secret": "cs_sandbox", "permissions": "read_write"}],
            "webhook_secret": "sandboxwebhooksecret0123456789ab",
        } | seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        # A delivery is sent once, and never again.
        self.outbox = Outbox(poster(2, 60), (), FAILURES, drop=self._disable)
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.faults

    def _start(self) -> None:
        self.store = Store(self.seed, lambda: self.clock(), self._notify)
        self.webhooks: dict[int, Json] = {}
        self._secrets: dict[int, str] = {}
        self.outbox.clear()
        if uri := self.seed.get("webhook_uri"):
            for topic in (f"{r}.{e}" for r in ("order", "customer") for e in EVENTS):
                if topic != "customer.restored":
                    self._webhook(topic, uri, self.seed["webhook_secret"])

    # -- webhooks ----------------------------------------------------------------------------------

    def point_webhooks_to(self, uri: str) -> None:
        """Change the address of every webhook, without its ping."""
        for webhook in self.webhooks.values():
            webhook["delivery_url"] = uri

    def _webhook(self, topic: str, uri: str, secret: str, name: str = "") -> Json:
        number = len(self.webhooks) + 1
        resource, _, event = topic.partition(".")
        webhook = {"id": number, "name": name or topic, "status": "active", "topic": topic}
        webhook |= {"resource": resource, "event": event, "hooks": [], "delivery_url": uri}
        self.store.stamp(webhook, "date_created", self.clock())
        webhook |= {"date_modified": None, "date_modified_gmt": None}
        self.webhooks[number] = webhook
        self._secrets[number] = secret
        return webhook

    def _disable(self, number: str) -> None:
        self.webhooks[int(number)]["status"] = "disabled"

    def _notify(self, topic: str, subject: int, body: Json) -> None:
        now = self.clock()
        for number, webhook in self.webhooks.items():
            if webhook["topic"] != topic or webhook["status"] != "active":
                continue
            raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            resource, _, event = topic.partition(".")
            proof = hmac.digest(self._secrets[number].encode(), raw, hashlib.sha256)
            second = f"{number}{now:%Y-%m-%dT%H:%M:%S}"
            headers = {
                "Content-Type": "application/json",
                "User-Agent": f"WooCommerce/{VERSION} Hookshot (WordPress/6.9)",
                "X-WC-Webhook-Source": self.seed["store"],
                "X-WC-Webhook-Topic": topic,
                "X-WC-Webhook-Resource": resource,
                "X-WC-Webhook-Event": event,
                "X-WC-Webhook-Signature": base64.b64encode(proof).decode(),
                "X-WC-Webhook-ID": str(number),
                "X-WC-Webhook-Delivery-ID": hashlib.md5(second.encode()).hexdigest(),  # noqa: S324  the vendor's
            }
            place = len(self.outbox.deliveries) + 1
            self.outbox.add(
                Delivery(
                    f"d{place}",
                    topic,
                    str(subject),
                    str(number),
                    webhook["delivery_url"],
                    headers,
                    raw,
                )
            )

    def _ping(self, webhook: Json) -> None:
        """Ask, unsigned, whether somebody listens; the answer changes nothing."""
        body = f"webhook_id={webhook['id']}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        ping = Delivery("ping", "", "", "", webhook["delivery_url"], headers, body)
        self.outbox.post(ping)

    # -- REST --------------------------------------------------------------------------------------

    def _refusal(self, request: Request, *, writes: bool = False) -> JSONResponse | None:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            key = secret = ""
        found = next((one for one in self.seed["keys"] if one["key"] == key), None)
        if scheme.lower() != "basic" or found is None:
            return error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if not hmac.compare_digest(found["secret"].encode(), secret.encode()):
            text = "Consumer secret is invalid."
            return error(401, "woocommerce_rest_authentication_error", text)
        if writes and "write" not in found["permissions"]:
            text = "The API key provided does not have write permissions."
            return error(401, "woocommerce_rest_authentication_error", text)
        return None

    async def _list_orders(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        query = request.query_params
        wrong = {}
        per_page, page = query.get("per_page", "10"), query.get("page", "1")
        if not per_page.isdigit() or not 1 <= int(per_page) <= 100:
            wrong["per_page"] = "per_page must be between 1 (inclusive) and 100 (inclusive)"
        if not page.isdigit() or int(page) < 1:
            wrong["page"] = "page must be greater than or equal to 1"
        if query.get("orderby", "date") not in SORTS:
            wrong["orderby"] = f"orderby is not one of {', '.join(SORTS)}."
        wanted = query.get("status", "any").split(",")
        if not set(wanted) <= {"any", *STATUSES}:
            wrong["status"] = "status[0] is not one of any, ..."
        bounds = {}
        for name in ("modified_after", "modified_before"):
            try:
                bounds[name] = self._bound(query.get(name), query.get("dates_are_gmt") == "true")
            except ValueError:
                wrong[name] = "Invalid date."
        if wrong:
            text = f"Invalid parameter(s): {', '.join(wrong)}"
            return error(400, "rest_invalid_param", text, params=wrong)
        found = [
            order
            for order in self.store.orders.values()
            if (order["status"] in wanted or ("any" in wanted and order["status"] != "trash"))
            and _within(order, bounds["modified_after"], bounds["modified_before"])
        ]
        key = {"modified": "date_modified_gmt", "date": "date_created_gmt"}.get(
            query.get("orderby", "date"), "id"
        )
        found.sort(key=lambda one: one[key], reverse=query.get("order", "desc") == "desc")
        size = int(per_page)
        first = (int(page) - 1) * size
        pages = -(-len(found) // size)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return JSONResponse(found[first : first + size], headers=headers)

    def _bound(self, text: str | None, is_gmt: bool) -> datetime | None:
        if text is None:
            return None
        at = datetime.fromisoformat(text)
        if at.tzinfo:
            return at
        if is_gmt:
            return at.replace(tzinfo=UTC)
        return datetime.fromisoformat(text + self.seed["time_offset"])

    async def _get_order(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        order = self.store.orders.get(request.path_params["id"])
        return JSONResponse(order) if order else _no_order()

    async def _list_refunds(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        number = request.path_params["id"]
        if number not in self.store.orders:
            return error(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
        found = self.store.refunds.get(number, [])
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": "1"}
        return JSONResponse(found, headers=headers)

    async def _get_customer(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        customer = self.store.customers.get(request.path_params["id"])
        if customer is None:
            return error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
        return JSONResponse(customer)

    async def _list_webhooks(self, request: Request) -> Response:
        refusal = self._refusal(request)
        return refusal or JSONResponse(list(self.webhooks.values()))

    async def _create_webhook(self, request: Request) -> Response:
        if refusal := self._refusal(request, writes=True):
            return refusal
        given = await request.json()
        resource, _, event = str(given.get("topic", "")).partition(".")
        if resource not in {*RESOURCES, "action"} or (
            resource in RESOURCES and event not in EVENTS
        ):
            text = "Webhook topic must be valid."
            return error(400, "woocommerce_rest_shop_webhook_invalid_topic", text)
        if not str(given.get("delivery_url", "")).startswith(("http://", "https://")):
            text = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            return error(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", text)
        webhook = self._webhook(
            given["topic"], given["delivery_url"], given.get("secret", ""), given.get("name", "")
        )
        self.accepted["webhooks"] += 1
        self._ping(webhook)
        return JSONResponse(webhook, 201)

    async def _update_webhook(self, request: Request) -> Response:
        if refusal := self._refusal(request, writes=True):
            return refusal
        webhook = self.webhooks.get(request.path_params["id"])
        if webhook is None:
            return error(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        given = await request.json()
        webhook |= {
            name: given[name] for name in ("status", "delivery_url", "name") if name in given
        }
        if "secret" in given:
            self._secrets[webhook["id"]] = given["secret"]
        if given.get("status") == "active" or "delivery_url" in given:
            self._ping(webhook)
        return JSONResponse(webhook)

    async def _delete_webhook(self, request: Request) -> Response:
        if refusal := self._refusal(request, writes=True):
            return refusal
        if request.query_params.get("force") != "true":
            text = "Webhooks do not support trashing."
            return error(501, "woocommerce_rest_trash_not_supported", text)
        webhook = self.webhooks.pop(request.path_params["id"], None)
        if webhook is None:
            return error(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return JSONResponse(webhook)

    # -- control -----------------------------------------------------------------------------------

    async def _control(self, request: Request) -> Response:
        given = json.loads(await request.body() or b"{}")
        action, number = (
            request.path_params.get("action", "place"),
            request.path_params.get("id", 0),
        )
        try:
            match action:
                case "place":
                    order = self.store.place(given)
                    self.accepted["orders"] += 1
                case "update":
                    order = self.store.update(number, given)
                case "cancel":
                    order = self.store.update(number, {"status": "cancelled"})
                case "refund":
                    order = self.store.refund(number, given["amount"], given.get("lines", []))
                case "trash":
                    order = self.store.trash(number, is_forced=bool(given.get("force")))
                case "restore":
                    order = self.store.restore(number)
                case _:
                    return JSONResponse({"error": f"no such action: {action}"}, 404)
        except (RefusedError, KeyError, StopIteration) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        return JSONResponse({"order": order}, 201 if action == "place" else 200)

    async def _set_uri(self, request: Request) -> Response:
        self.point_webhooks_to((await request.json())["uri"])
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        one = API + "/{kind}/{id:int}".replace("{kind}", "orders")
        hooks = f"{API}/webhooks"
        return [
            Route(f"{API}/orders", self._list_orders, methods=["GET"]),
            Route(one, self._get_order, methods=["GET"]),
            Route(one + "/refunds", self._list_refunds, methods=["GET"]),
            Route(API + "/customers/{id:int}", self._get_customer, methods=["GET"]),
            Route(hooks, self._list_webhooks, methods=["GET"]),
            Route(hooks, self._create_webhook, methods=["POST"]),
            Route(hooks + "/{id:int}", self._update_webhook, methods=["PUT"]),
            Route(hooks + "/{id:int}", self._delete_webhook, methods=["DELETE"]),
            Route("/_sandbox/orders", self._control, methods=["POST"]),
            Route("/_sandbox/orders/{id:int}/{action}", self._control, methods=["POST"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._start),
        ]


def _within(order: Json, after: datetime | None, before: datetime | None) -> bool:
    """Both bounds leave their own second out."""
    at = datetime.fromisoformat(order["date_modified_gmt"]).replace(tzinfo=UTC)
    return (after is None or at > after) and (before is None or at < before)


def _no_order() -> JSONResponse:
    return error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")


def make(seed: Json | None = None) -> WooCommerceSandbox:
    """A store with the seed's facts."""
    return WooCommerceSandbox(seed or {})
