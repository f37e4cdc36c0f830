"""A strict stand-in for one WooCommerce store: REST ``wc/v3`` and signed webhooks.

Orders, their refunds, customers, products, settings and webhooks, with the vendor's error bodies,
paging and habits: a filter that leaves its own second out, pages by date that lose rows, a delivery
id that two orders share, no second try of a failed delivery and a webhook that switches itself off.
``/_sandbox`` routes drive the store from outside. Products, variations, orders, notes and refunds
are written as well (see the modules of writes for what is not). Not here: coupons, ``search``,
``dp``, other groups of settings, and bodies made when a delivery leaves.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.woocommerce.sandbox_args import RestError
from platforms.woocommerce.sandbox_gate import refusal
from platforms.woocommerce.sandbox_order_writes import OrderWrites
from platforms.woocommerce.sandbox_product_writes import ProductWrites
from platforms.woocommerce.sandbox_products import Json, below, taken
from platforms.woocommerce.sandbox_query import ListQuery, WrongQueryError, error, fields
from platforms.woocommerce.sandbox_settings import linked, settings
from platforms.woocommerce.sandbox_store import VERSION, Store
from platforms.woocommerce.sandbox_tracking import Parcels
from sandbox.control import control_routes
from sandbox.deliveries import Delivery, Outbox, poster
from sandbox.faults import Faults
from sandbox.load import Load

API = "/wp-json/wc/v3"
TRACKING = "/wp-json/wc-shipment-tracking/v3"
RESOURCES = ("order", "product", "customer", "coupon")
EVENTS = ("created", "updated", "deleted", "restored")
HOOKS = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
}
DOES = {"POST": "create", "PUT": "edit", "DELETE": "delete"}
# The sixth failure in a row switches a webhook off, and so does every one after it.
FAILURES = 6
SUCCESSES = range(200, 303)

Answer = Callable[[Request], Awaitable[Response]]


class WooCommerceSandbox:
    """One store.

    Seed keys, all optional: ``store`` (its address), ``currency``, ``tax_rate`` (in percent),
    ``prices_include_tax``, ``country`` (of the shop, "GB"), ``time_offset``, ``first_id``,
    ``products`` [{sku, name, price, sale_price, id, stock, parent_id, option, status, tax_status,
    tax_class}], ``keys`` [{key, secret, permissions, is_manager}], ``gateways`` {way to pay:
    whether it gives money back}, ``limits`` {parallel, per_minute} of the host, ``webhook_uri``
    and ``webhook_secret`` (webhooks made in advance, without their ping), ``fulfillments`` (the
    core's are switched on), ``plugins`` ["shipment_tracking"]. Without a ``tax_rate`` taxes are
    off.

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how hard the store is driven, and what its host bears.
        accepted: committed writes by name, and placed orders under ``orders``.
        outbox: the webhooks and how they are sent.
        clock: gives the time; tests may replace it.
        is_demoted: whether who made the webhooks lost their rights: an error is sent as the body.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {
            "store": "https://fizz-store.example/",
            "currency": "GBP",
            "tax_rate": 20,
            "prices_include_tax": False,
            "country": "GB",
            "time_offset": "+00:00",
            "first_id": 700,
            "products": [],
            "gateways": {"card": True, "bacs": False, "cheque": False, "cod": False},
            "keys": [{"key": "ck_sandbox", "secret": "cs_sandbox", "permissions": "read_write"}],
            "webhook_secret": "sandboxwebhooksecret0123456789ab",
        } | seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        # A delivery is sent once, and never again.
        self.outbox = Outbox(poster(2, 60), (), FAILURES, self._disable, SUCCESSES)
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        most = seed.get("limits", {})
        self.load = Load(
            self.faults, lambda: self.clock(), most.get("parallel"), most.get("per_minute")
        )
        self.app = self.load

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        self.store = Store(self.seed, lambda: self.clock(), self._notify)
        self.webhooks: dict[int, Json] = {}
        self._secrets: dict[int, str] = {}
        self._webhook_ids = itertools.count(1)
        self.is_demoted = False
        self.outbox.clear()
        if uri := self.seed.get("webhook_uri"):
            for topic in (f"{r}.{e}" for r in ("order", "customer", "product") for e in EVENTS):
                if topic != "customer.restored":
                    self._webhook(topic, uri, self.seed["webhook_secret"])

    # -- webhooks ----------------------------------------------------------------------------------

    def point_webhooks_to(self, uri: str) -> None:
        """Change the address of every webhook, without its ping."""
        for webhook in self.webhooks.values():
            webhook["delivery_url"] = uri

    def _webhook(self, topic: str, uri: str, secret: str, name: str = "") -> Json:
        number = next(self._webhook_ids)
        resource, _, event = topic.partition(".")
        webhook = {"id": number, "name": name or topic, "status": "active", "topic": topic}
        webhook |= {"resource": resource, "event": event, "delivery_url": uri}
        webhook["hooks"] = HOOKS.get(topic, [])
        self.store.stamp(webhook, "date_created", self.clock())
        webhook |= {"date_modified": None, "date_modified_gmt": None}
        self.webhooks[number] = webhook
        self._secrets[number] = secret
        return webhook

    def _disable(self, number: str) -> None:
        # A delivery may outlive its webhook.
        if webhook := self.webhooks.get(int(number)):
            webhook["status"] = "disabled"

    def _notify(self, topic: str, subject: int, body: Json) -> None:
        now = self.clock()
        if self.is_demoted and not topic.endswith(".deleted"):
            text = "Sorry, you cannot view this resource."
            code = "woocommerce_rest_cannot_view"
            body = {"code": code, "message": text, "data": {"status": 401}}
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

    async def _ping(self, webhook: Json) -> None:
        """Ask, unsigned and within the call, if somebody listens; the answer changes nothing."""
        body = f"webhook_id={webhook['id']}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        ping = Delivery("ping", "", "", "", webhook["delivery_url"], headers, body)
        with contextlib.suppress(httpx.HTTPError):
            await run_in_threadpool(self.outbox.post, ping)

    # -- REST --------------------------------------------------------------------------------------

    def _guarded(self, answer: Answer, does: str = "view") -> Answer:
        """Look at the keys first; refuse queries the store does not understand."""

        async def guarded(request: Request) -> Response:
            try:
                return refusal(request, self.seed["keys"], does) or await answer(request)
            except (WrongQueryError, RestError) as wrong:
                return wrong.answer()

        return guarded

    def _asked(self, request: Request, **how: bool) -> ListQuery:
        return ListQuery(request.query_params, self.seed["time_offset"], **how)

    async def _list_orders(self, request: Request) -> Response:
        asked = self._asked(request)
        via = request.query_params.get("created_via")
        found = [
            order
            for order in self.store.orders.values()
            if asked.takes_status(order["status"])
            and asked.takes_time(order)
            and asked.takes_id(order["id"])
            and via in (None, order["created_via"])
        ]
        return asked.answer(request, found)

    async def _get_order(self, request: Request) -> Response:
        order = self.store.orders.get(request.path_params["id"])
        if order is None:
            return error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return JSONResponse(order)

    async def _list_refunds(self, request: Request) -> Response:
        number = request.path_params["id"]
        if number not in self.store.orders:
            return error(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
        return self._asked(request).answer(request, self.store.refunds.get(number, []))

    async def _list_customers(self, request: Request) -> Response:
        email = request.query_params.get("email")
        rows = self.store.customers.values()
        found = [one for one in rows if email in (None, one["email"])]
        return self._asked(request, has_bounds=False).answer(request, found)

    async def _get_customer(self, request: Request) -> Response:
        customer = self.store.customers.get(request.path_params["id"])
        if customer is None:
            return error(404, "woocommerce_rest_invalid_id", "Invalid resource ID.")
        return JSONResponse(customer)

    async def _list_products(self, request: Request) -> Response:
        asked = self._asked(request, of_products=True)
        parent = request.path_params.get("id", 0)
        found = [
            one
            for one in taken(self.store.products, request.query_params, parent)
            if asked.takes_status(one["status"])
            and asked.takes_time(one)
            and asked.takes_id(one["id"])
        ]
        return asked.answer(request, [below(one) for one in found] if parent else found)

    async def _get_product(self, request: Request) -> Response:
        """A variation answers here too; the bin's rows do."""
        product = self.store.products.get(request.path_params["id"])
        if product is None:
            return error(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return JSONResponse(fields(product, request.query_params))

    async def _get_variation(self, request: Request) -> Response:
        product = self.store.products.get(request.path_params["variation"])
        if product is None or product["parent_id"] != request.path_params["id"]:
            return error(404, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
        return JSONResponse(fields(below(product), request.query_params))

    async def _list_settings(self, request: Request) -> Response:
        """All of a group, on one page."""
        group = request.path_params["group"]
        rows = settings(self.seed).get(group)
        if rows is None:
            return _no_setting("setting_group", "setting group")
        base = self.seed["store"].rstrip("/") + API
        shown = [fields(linked(one, group, base), request.query_params) for one in rows]
        return JSONResponse(shown)

    async def _get_setting(self, request: Request) -> Response:
        """Only by itself a setting names its group."""
        group, name = request.path_params["group"], request.path_params["id"]
        rows = settings(self.seed).get(group)
        if rows is None:
            return _no_setting("setting_group", "setting group")
        found = next((one for one in rows if one["id"] == name), None)
        if found is None:
            return _no_setting("setting", "setting")
        base = self.seed["store"].rstrip("/") + API
        shown = linked(found | {"group_id": group}, group, base)
        return JSONResponse(fields(shown, request.query_params))

    async def _list_webhooks(self, request: Request) -> Response:
        return self._asked(request).answer(request, list(self.webhooks.values()))

    async def _get_webhook(self, request: Request) -> Response:
        webhook = self.webhooks.get(request.path_params["id"])
        return JSONResponse(webhook) if webhook else _no_webhook()

    async def _create_webhook(self, request: Request) -> Response:
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
        await self._ping(webhook)
        where = str(request.url.replace(path=f"{API}/webhooks/{webhook['id']}", query=""))
        return JSONResponse(webhook, 201, {"Location": where})

    async def _update_webhook(self, request: Request) -> Response:
        webhook = self.webhooks.get(request.path_params["id"])
        if webhook is None:
            return _no_webhook()
        given = await request.json()
        self.store.stamp(webhook, "date_modified", self.clock())
        webhook |= {
            name: given[name] for name in ("status", "delivery_url", "name") if name in given
        }
        if "secret" in given:
            self._secrets[webhook["id"]] = given["secret"]
        if given.get("status") == "active" or "delivery_url" in given:
            await self._ping(webhook)
        return JSONResponse(webhook)

    async def _delete_webhook(self, request: Request) -> Response:
        if request.query_params.get("force") != "true":
            text = "Webhooks do not support trashing."
            return error(501, "woocommerce_rest_trash_not_supported", text)
        webhook = self.webhooks.pop(request.path_params["id"], None)
        if webhook is None:
            return _no_webhook()
        return JSONResponse(webhook)

    # -- control -----------------------------------------------------------------------------------

    async def _control(self, request: Request) -> Response:
        number = request.path_params.get("id", 0)
        store = self.store
        actions: dict[str, Callable[[Json], Json]] = {
            "orders/place": store.place,
            "orders/update": lambda given: store.update(number, given),
            "orders/cancel": lambda _: store.update(number, {"status": "cancelled"}),
            "orders/refund": lambda given: store.refund(
                number, given["amount"], given.get("lines", []), given.get("reason", "")
            ),
            "orders/delete": lambda given: store.trash(number, is_forced=bool(given.get("force"))),
            "orders/restore": lambda _: store.restore(number),
            "customers/update": lambda given: store.change_customer(number, given),
            "customers/delete": lambda _: store.delete_customer(number),
            "products/place": store.create_product,
            "products/update": lambda given: store.change_product(number, given),
            "products/delete": lambda given: store.trash_product(
                number, is_forced=bool(given.get("force"))
            ),
            "products/restore": lambda _: store.restore_product(number),
        }
        kind = request.path_params.get("kind") or request.url.path.rpartition("/")[2]
        name = f"{kind}/{request.path_params.get('action', 'place')}"
        if name not in actions:
            return JSONResponse({"error": f"no such action: {name}"}, 404)
        try:
            given = json.loads(await request.body() or b"{}")
            shown = actions[name](given)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as refused:
            return JSONResponse({"error": str(refused)}, 422)
        is_new = name.endswith("/place")
        if is_new:
            self.accepted[kind] += 1
        answer = {"id": str(number or shown["id"]), kind.removesuffix("s"): shown}
        return JSONResponse(answer, 201 if is_new else 200)

    async def _demote(self, request: Request) -> Response:
        self.is_demoted = bool((await request.json())["demoted"])
        return Response(status_code=204)

    async def _set_uri(self, request: Request) -> Response:
        self.point_webhooks_to((await request.json())["uri"])
        return Response(status_code=204)

    def _routes(self) -> list[Route]:
        products = ProductWrites(lambda: self.store.catalogue, self.accepted)
        base = self.seed["store"].rstrip("/") + API
        orders = OrderWrites(lambda: self.store, self.accepted, self.seed["gateways"], base)
        read: dict[str, Answer] = {
            "/orders": self._list_orders,
            "/orders/{id:int}": self._get_order,
            "/orders/{id:int}/refunds": self._list_refunds,
            "/orders/{id:int}/refunds/{refund:int}": orders.get_refund,
            "/orders/{id:int}/notes": orders.list_notes,
            "/orders/{id:int}/notes/{note:int}": orders.get_note,
            "/customers": self._list_customers,
            "/customers/{id:int}": self._get_customer,
            "/products": self._list_products,
            "/products/{id:int}": self._get_product,
            "/products/{id:int}/variations": self._list_products,
            "/products/{id:int}/variations/{variation:int}": self._get_variation,
            "/settings/{group}": self._list_settings,
            "/settings/{group}/{id}": self._get_setting,
            "/webhooks": self._list_webhooks,
            "/webhooks/{id:int}": self._get_webhook,
        }
        write: dict[tuple[str, str], Answer] = {
            ("POST", "/webhooks"): self._create_webhook,
            ("PUT", "/webhooks/{id:int}"): self._update_webhook,
            ("DELETE", "/webhooks/{id:int}"): self._delete_webhook,
            ("POST", "/orders/{id:int}/notes"): orders.create_note,
            ("DELETE", "/orders/{id:int}/notes/{note:int}"): orders.delete_note,
            ("POST", "/orders/{id:int}/refunds"): orders.create_refund,
            ("DELETE", "/orders/{id:int}/refunds/{refund:int}"): orders.delete_refund,
        }
        change: dict[str, Answer] = {
            "/orders/batch": orders.orders,
            "/orders/{id:int}": orders.order,
            "/products/batch": products.products,
            "/products/{id:int}": products.product,
            "/products/{id:int}/variations/batch": products.variations,
            "/products/{id:int}/variations/{variation:int}": products.variation,
        }
        return [
            *(Route(API + path, self._guarded(how), methods=["GET"]) for path, how in read.items()),
            *(
                Route(API + path, self._guarded(how, DOES[method]), methods=[method])
                for (method, path), how in write.items()
            ),
            *(
                Route(
                    API + path,
                    self._guarded(how, "batch" if path.endswith("batch") else "edit"),
                    methods=["POST", "PUT", "PATCH"],
                )
                for path, how in change.items()
            ),
            *self._parcel_routes(),
            Route("/_sandbox/orders", self._control, methods=["POST"]),
            Route("/_sandbox/products", self._control, methods=["POST"]),
            Route("/_sandbox/webhook_uri", self._set_uri, methods=["PUT"]),
            Route("/_sandbox/webhook_user", self._demote, methods=["PUT"]),
            Route("/_sandbox/{kind}/{id:int}/{action}", self._control, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
            Route("/wp-json/{rest:path}", _no_route, methods="GET POST PUT PATCH DELETE".split()),
        ]

    def _parcel_routes(self) -> list[Route]:
        """Routes that only some stores have."""
        parcels = Parcels(lambda: self.store, self.accepted)
        found: list[tuple[str, str, Answer]] = []
        if self.seed.get("fulfillments"):
            base = f"{API}/orders/{{id:int}}/fulfillments"
            found += [
                ("GET", base, parcels.list_fulfillments),
                ("POST", base, parcels.create_fulfillment),
                ("GET", f"{base}/{{part:int}}", parcels.get_fulfillment),
                ("PUT", f"{base}/{{part:int}}", parcels.update_fulfillment),
                ("DELETE", f"{base}/{{part:int}}", parcels.delete_fulfillment),
            ]
        if "shipment_tracking" in self.seed.get("plugins", ()):
            base = f"{TRACKING}/orders/{{id:int}}/shipment-trackings"
            found += [
                ("GET", base, parcels.list_trackings),
                ("POST", base, parcels.create_tracking),
                ("GET", f"{base}/{{tracking}}", parcels.get_tracking),
                ("DELETE", f"{base}/{{tracking}}", parcels.delete_tracking),
            ]
        return [
            Route(path, self._guarded(how, DOES.get(method, "view")), methods=[method])
            for method, path, how in found
        ]


async def _no_route(_: Request) -> Response:
    text = "No route was found matching the URL and request method."
    return error(404, "rest_no_route", text)


def _no_setting(code: str, what: str) -> Response:
    return error(404, f"rest_setting_{code}_invalid", f"Invalid {what}.")


def _no_webhook() -> Response:
    return error(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")


def make(seed: Json | None = None) -> WooCommerceSandbox:
    """A store with the seed's facts."""
    return WooCommerceSandbox(seed or {})
