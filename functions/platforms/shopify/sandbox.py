"""A strict stand-in for one Shopify shop: Admin GraphQL API, token grant and signed webhooks.

Version 2026-10. The GraphQL part runs the subset in ``sandbox_schema.graphql`` with the vendor's
scopes, page and cost limits and error bodies; ``/_sandbox`` routes drive the shop from outside.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    execute_sync,
    get_named_type,
    parse,
    validate,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from platforms.shopify.sandbox_desk import OrderDesk
from platforms.shopify.sandbox_fulfillments import Dispatch
from platforms.shopify.sandbox_graphql import (
    SCOPES,
    Cost,
    connection,
    index_entry,
    matches,
    number_in,
    order_node,
    refusal,
    scalar,
    schema_subset,
    search_terms,
    shown,
    utc,
    value_at,
    zulu,
)
from platforms.shopify.sandbox_orders import Json
from sandbox.control import control_routes
from sandbox.deliveries import Delivery, Outbox, poster
from sandbox.faults import Faults

SERVED_VERSIONS = ("2026-10", "2026-07")
PRE_MADE_TOPICS = (
    "orders/create orders/updated orders/edited orders/cancelled orders/paid orders/fulfilled"
    " orders/partially_fulfilled orders/delete refunds/create order_transactions/create"
    " fulfillments/create fulfillments/update".split()
)
TOPICS = {
    topic.replace("/", "_").upper(): topic for topic in (*PRE_MADE_TOPICS, "customers/create")
}
SUBSCRIBE_SCOPES = {"CUSTOMERS": "customers", "FULFILLMENTS": "fulfillments"}
RETRY_SECONDS = (60, 120, 240, 480, 900, 1800, 3600, 7200)
TOKEN_SECONDS = 86399
QUERY_COST_LIMIT = 1000
SEARCH_DAYS = 60


def sign(secret: str, body: bytes) -> str:
    """The signature of a webhook: base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


class ShopifySandbox:
    """One shop with its app installed.

    Seed keys, all optional: ``shop`` (domain), ``currency``, ``taxes_included``, ``tax_rate``,
    ``time_offset``, ``variants`` [{sku, title, price, variant_id, product_id, taxable}],
    ``first_id``, ``location_id``, ``location_name``; ``access_tokens`` {token: [scope]},
    ``client_id``, ``client_secrets``, ``scopes`` (of granted tokens); ``webhook_uri``,
    ``api_version``, ``retry_seconds``; ``search_lag_seconds``,
    ``bucket`` {maximum_available, restore_rate}.

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        accepted: committed mutations by name, and placed orders under ``orders``.
        outbox: the webhooks and how they are sent.
        desk: the orders.
        dispatch: what leaves the shop.
        clock: gives the time; tests may replace it.
        client_secrets: the first one signs.
    """

    def __init__(self, seed: Json) -> None:
        self.seed: Json = {"shop": "fizz-test.myshopify.com"} | seed
        self.accepted: Counter[str] = Counter()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.outbox = Outbox(
            poster(connect_s=1, read_s=4),
            seed.get("retry_seconds", RETRY_SECONDS),
            limit=8,
            drop=self._drop_subscription,
        )
        self._schema = schema_subset()
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        self.app = self.faults

    def _start(self) -> None:
        seed = self.seed
        self.desk = OrderDesk(seed, lambda: self.clock(), self._notify)
        self.dispatch = Dispatch(self.desk)
        self.client_secrets: list[str] = list(seed.get("client_secrets", ["shpss_sandbox"]))
        # A token from the seed never ends, like the ones of old custom apps.
        self.tokens: dict[str, tuple[frozenset[str], datetime | None]] = {
            token: (frozenset(scopes), None)
            for token, scopes in seed.get("access_tokens", {}).items()
        }
        bucket = {"maximum_available": 2000, "restore_rate": 100} | seed.get("bucket", {})
        self.maximum_available: float = bucket["maximum_available"]
        self.restore_rate: float = bucket["restore_rate"]
        self.available, self._filled_at = self.maximum_available, self.clock()
        self.subscriptions: dict[int, Json] = {}
        self.outbox.clear()
        if uri := seed.get("webhook_uri"):
            for topic in PRE_MADE_TOPICS:
                self._subscribe(topic, {"uri": uri})

    @property
    def deliveries(self) -> list[Delivery]:
        """Every webhook so far, oldest first."""
        return self.outbox.deliveries

    def pending(self) -> list[Delivery]:
        """Webhooks nobody accepted yet."""
        return self.outbox.pending()

    def order(self, order_id: int) -> Json:
        """The order as a webhook would show it now."""
        return self.desk.order(order_id).body()

    def place_order(self, draft: Json) -> Json:
        """Place the order a draft describes."""
        order = self.desk.place(draft)
        self.accepted["orders"] += 1
        return order.body()

    def update_order(self, order_id: int, changes: Json) -> Json:
        """Change note, tags, addresses and other details."""
        return self.desk.update(order_id, changes).body()

    def edit_order(self, order_id: int, changes: Json) -> Json:
        """Set quantities (``{"quantities": {id or sku: n}}``) and add lines (``{"add": []}``)."""
        return self.desk.edit(order_id, changes).body()

    def cancel_order(self, order_id: int, reason: str = "customer") -> Json:
        """Cancel the order and give the money back."""
        return self.desk.cancel(order_id, reason).body()

    def pay_order(self, order_id: int, kind: str = "sale", amount: Any = None, **more: Any) -> Json:
        """Add a payment; ``status="failure"`` makes one that was declined."""
        return self.desk.pay(order_id, kind, amount, **more).body()

    def refund_order(
        self, order_id: int, lines: list[Json] | None = None, amount: Any = None, note: str = ""
    ) -> Json:
        """Take lines back and return money."""
        return self.desk.refund(order_id, lines or [], amount, note=note).body()

    def fulfill_order(self, order_id: int, lines: list[Json] | None = None, **more: Any) -> Json:
        """Ship lines, by default all that are open."""
        return self.dispatch.ship(order_id, lines, **more).body()

    def delete_order(self, order_id: int) -> Json:
        """Delete the order for good."""
        self.desk.delete(order_id)
        return {"id": order_id}

    def point_webhooks_to(self, uri: str) -> None:
        """Change the address of every subscription; what was sent before keeps its own."""
        for subscription in self.subscriptions.values():
            subscription["uri"] = uri

    def expire_tokens(self) -> None:
        """End every access token, also those of the seed."""
        self.tokens.clear()

    def _subscribe(self, topic: str, given: Json) -> Json:
        number = self.desk.next_id()
        now = self.desk.stamp()
        version = {"handle": SERVED_VERSIONS[0], "display_name": SERVED_VERSIONS[0]}
        self.subscriptions[number] = {
            "id": number,
            "topic": topic.replace("/", "_").upper(),
            "uri": given["uri"],
            "format": "JSON",
            "include_fields": given.get("includeFields") or [],
            "metafield_namespaces": given.get("metafieldNamespaces") or [],
            "filter": given.get("filter") or None,
            "name": given.get("name"),
            "created_at": now,
            "updated_at": now,
            "api_version": version | {"supported": True},
        }
        return self.subscriptions[number]

    def _drop_subscription(self, number: str) -> None:
        self.subscriptions.pop(int(number), None)

    def _notify(self, topic: str, subject: int, body: Json, at: datetime) -> None:
        event = str(uuid.uuid4())
        triggered = time.strftime("%Y-%m-%dT%H:%M:%S", at.utctimetuple())
        for subscription in self.subscriptions.values():
            if TOPICS[subscription["topic"]] != topic:
                continue
            kept = subscription["include_fields"] or body
            sent = {key: value for key, value in body.items() if key in kept}
            raw = json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()
            delivery = str(uuid.uuid4())
            headers = {
                "Content-Type": "application/json",
                "X-Shopify-Topic": topic,
                "X-Shopify-Hmac-Sha256": sign(self.client_secrets[0], raw),
                "X-Shopify-Shop-Domain": self.seed["shop"],
                "X-Shopify-API-Version": self.seed.get("api_version", SERVED_VERSIONS[0]),
                "X-Shopify-Webhook-Id": delivery,
                "X-Shopify-Event-Id": event,
                "X-Shopify-Triggered-At": f"{triggered}.{time.time_ns() % 10**9:09d}Z",
            }
            if subscription["name"]:
                headers["X-Shopify-Name"] = subscription["name"]
            self.outbox.add(
                Delivery(
                    id=delivery,
                    topic=topic,
                    subject=str(subject),
                    subscription=str(subscription["id"]),
                    uri=subscription["uri"],
                    headers=headers,
                    body=raw,
                )
            )

    def _create_subscription(self, scopes: frozenset[str], topic: str, given: Json) -> Json:
        kind = SUBSCRIBE_SCOPES.get(topic.split("_")[0], "orders")
        problem = _subscription_problem(given, topic, self.subscriptions.values())
        if f"read_{kind}" not in scopes:
            name = TOPICS[topic]
            problem = (None, f"You do not have permission to create webhooks with {name} topic.")
        if problem:
            field, message = problem
            path = ["webhookSubscription", field] if field else None
            errors = [{"field": path, "message": message}]
            return {"webhook_subscription": None, "user_errors": errors}
        self.accepted["webhookSubscriptionCreate"] += 1
        made = self._subscribe(TOPICS[topic], given)
        return {"webhook_subscription": made, "user_errors": []}

    def _delete_subscription(self, global_id: str) -> Json:
        if self.subscriptions.pop(number_in(global_id), None) is None:
            message = "Webhook subscription does not exist"
            errors = [{"field": ["id"], "message": message}]
            return {"deleted_webhook_subscription_id": None, "user_errors": errors}
        self.accepted["webhookSubscriptionDelete"] += 1
        return {"deleted_webhook_subscription_id": global_id, "user_errors": []}

    async def _graphql(self, request: Request) -> Response:
        headers = {"X-Request-Id": str(uuid.uuid4())}
        version = request.path_params["version"]
        scopes = self._scopes(request.headers.get("x-shopify-access-token", ""))
        if scopes is None:
            text = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": text}, 401, headers)
        if version not in SERVED_VERSIONS:
            return JSONResponse({"errors": "Not Found"}, 404, headers)
        headers["X-Shopify-API-Version"] = version
        payload = await _json_object(request)
        variables = (payload or {}).get("variables") or {}
        good = payload and isinstance(payload.get("query"), str) and isinstance(variables, dict)
        if not payload or not good:
            text = "Required parameter missing or invalid"
            return JSONResponse({"errors": {"query": text}}, 400, headers)
        return JSONResponse(self._answer(payload["query"], variables, scopes), 200, headers)

    def _scopes(self, token: str) -> frozenset[str] | None:
        scopes, ends = self.tokens.get(token, (None, None))
        return None if ends and ends <= self.clock() else scopes

    def _answer(self, query: str, variables: Json, scopes: frozenset[str]) -> Json:
        try:
            document = parse(query)
        except GraphQLError as error:
            return {"errors": [shown(error)]}
        if errors := validate(self._schema, document):
            return {"errors": [shown(error) for error in errors]}
        if not any(isinstance(one, OperationDefinitionNode) for one in document.definitions):
            return {"errors": [shown(refusal("No operation", "PARSE_ERROR"))]}
        requested = Cost(self._schema, document, variables).points()
        if requested > QUERY_COST_LIMIT:
            message = (
                f"Query cost is {requested}, which exceeds the single query max cost limit"
                f" ({QUERY_COST_LIMIT})."
            )
            limit = refusal(message, "MAX_COST_EXCEEDED", cost=requested, maxCost=QUERY_COST_LIMIT)
            return {"errors": [shown(limit)]}
        self._refill()
        if requested > self.available:
            throttled = shown(refusal("Throttled", "THROTTLED"))
            return {"errors": [throttled], "extensions": self._cost(requested, None)}
        result = execute_sync(
            self._schema,
            document,
            root_value={},
            context_value=scopes,
            variable_values=variables,
            field_resolver=self._resolve,
        )
        return self._settle(document, variables, requested, result)

    def _settle(
        self, document: DocumentNode, variables: Json, requested: int, result: ExecutionResult
    ) -> Json:
        actual = Cost(self._schema, document, variables).points(result.data or {})
        self.available -= min(actual, requested)
        answer: Json = {"data": result.data, "extensions": self._cost(requested, actual)}
        if result.errors:
            answer["errors"] = [shown(error) for error in result.errors]
            if any(error.path is None for error in result.errors):
                del answer["data"]
        return answer

    def _refill(self) -> None:
        now = self.clock()
        gained = (now - self._filled_at).total_seconds() * self.restore_rate
        self.available = min(self.available + gained, self.maximum_available)
        self._filled_at = now

    def _cost(self, requested: int, actual: int | None) -> Json:
        status = {
            "maximumAvailable": self.maximum_available,
            "currentlyAvailable": int(self.available),
            "restoreRate": self.restore_rate,
        }
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": status,
            }
        }

    def _resolve(self, source: Json, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        spot = (info.parent_type.name, info.field_name)
        if (needed := SCOPES.get(spot)) and not needed & info.context:
            scope = " or ".join(f"`{one}`" for one in sorted(needed))
            message = f"Access denied for {info.field_name} field. Required access: {scope} scope."
            raise refusal(
                message,
                "ACCESS_DENIED",
                documentation="https://shopify.dev/api/usage/access-scopes",
                requiredAccess=f"{scope} access scope.",
            )
        if info.parent_type.name in {"QueryRoot", "Mutation"}:
            return self._root(info, args)
        value = value_at(source, spot)
        kind = get_named_type(info.return_type)
        if kind.name.endswith("Connection"):
            return connection(((i, n["id"], n) for i, n in enumerate(value)), args)
        if isinstance(kind, GraphQLEnumType) and isinstance(value, str):
            return value.upper()
        if isinstance(value, list) or value is None:
            return value and value[: args.get("first")]
        return scalar(kind.name, value)

    def _root(self, info: GraphQLResolveInfo[Any], args: Json) -> Any:
        match info.field_name:
            case "order":
                order = self.desk.orders.get(number_in(args["id"], "Order"))
                return order and order_node(order)
            case "orders":
                return self._orders(args, info.context)
            case "webhookSubscription":
                return self.subscriptions.get(number_in(args["id"]))
            case "webhookSubscriptions":
                rows = ((s["id"], s["id"], s) for s in self._subscribed(args))
                return connection(rows, args)
            case "webhookSubscriptionCreate":
                return self._create_subscription(
                    info.context, args["topic"], args["webhookSubscription"]
                )
            case "webhookSubscriptionDelete":
                return self._delete_subscription(args["id"])
        name = self.seed["shop"]
        return {
            "id": 61_000_000_001,
            "name": name.split(".")[0],
            "myshopify_domain": name,
            "currency_code": self.seed.get("currency", "GBP"),
            "taxes_included": self.seed.get("taxes_included", False),
        }

    def _subscribed(self, args: Json) -> Iterable[Json]:
        for one in self.subscriptions.values():
            wanted = one["topic"] in (args.get("topics") or [one["topic"]])
            if wanted and (args.get("uri") or one["uri"]) == one["uri"]:
                yield one

    def _orders(self, args: Json, scopes: frozenset[str]) -> Json:
        lag = timedelta(seconds=self.seed.get("search_lag_seconds", 0))
        seen_until = self.clock() - (lag if args.get("query") else timedelta(0))
        terms = search_terms(args.get("query") or "")
        oldest = zulu(self.clock() - timedelta(days=SEARCH_DAYS))
        rows = []
        for order in self.desk.orders.values():
            entry = index_entry(order, seen_until)
            # Without this scope the vendor leaves older orders out and says nothing.
            shown_age = "read_all_orders" in scopes or utc(order.created_at) >= oldest
            if entry and shown_age and all(matches(entry, *term) for term in terms):
                sort_key = args.get("sortKey") or "PROCESSED_AT"
                rows.append((entry[sort_key.lower()], order.id, order))
        page = connection(rows, args)
        page["nodes"] = [order_node(order) for order in page["nodes"]]
        for edge, node in zip(page["edges"], page["nodes"], strict=True):
            edge["node"] = node
        return page

    async def _access_token(self, request: Request) -> Response:
        given = await _json_object(request) or {}
        if given.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        known_id = given.get("client_id") == self.seed.get("client_id")
        if not known_id or given.get("client_secret") not in self.client_secrets:
            return JSONResponse({"error": "invalid_client"}, 400)
        granted = self.seed.get("scopes") or sorted(
            {scope for scopes in self.seed.get("access_tokens", {}).values() for scope in scopes}
        )
        token = f"shpat_{uuid.uuid4().hex}"
        ends = self.clock() + timedelta(seconds=TOKEN_SECONDS)
        self.tokens[token] = (frozenset(granted), ends)
        answer = {"access_token": token, "scope": ",".join(granted), "expires_in": TOKEN_SECONDS}
        return JSONResponse(answer)

    def _routes(self) -> list[Route]:
        actions: dict[str, Callable[[int, Json], Json]] = {
            "update": self.update_order,
            "edit": self.edit_order,
            "cancel": lambda number, given: self.cancel_order(number, **given),
            "pay": lambda number, given: self.pay_order(number, **given),
            "refund": lambda number, given: self.refund_order(number, **given),
            "ship": lambda number, given: self.dispatch.ship(number, **given).body(),
            "track": lambda number, given: self.dispatch.track(number, **given).body(),
            "unship": lambda number, given: self.dispatch.cancel(number, **given).body(),
            "delete": lambda number, _: self.delete_order(number),
        }

        async def place(request: Request) -> Response:
            return _driven(lambda given: self.place_order(given), await _json_object(request), 201)

        async def act(request: Request) -> Response:
            action = actions.get(request.path_params["action"])
            if action is None:
                return JSONResponse({"error": "no such action"}, 404)
            number = request.path_params["id"]
            return _driven(lambda given: action(number, given), await _json_object(request))

        async def listing(_: Request) -> Response:
            return JSONResponse({"orders": [one.body() for one in self.desk.orders.values()]})

        async def repoint(request: Request) -> Response:
            self.point_webhooks_to((await request.json())["uri"])
            return Response(status_code=204)

        async def expire(_: Request) -> Response:
            self.expire_tokens()
            return Response(status_code=204)

        return [
            Route("/admin/oauth/access_token", self._access_token, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
            Route("/_sandbox/orders", place, methods=["POST"]),
            Route("/_sandbox/orders", listing, methods=["GET"]),
            Route("/_sandbox/orders/{id:int}/{action}", act, methods=["POST"]),
            Route("/_sandbox/webhook_uri", repoint, methods=["PUT"]),
            Route("/_sandbox/tokens/expire", expire, methods=["POST"]),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._start),
        ]


def make(seed: Json) -> ShopifySandbox:
    """The sandbox a seed describes."""
    return ShopifySandbox(seed)


def _subscription_problem(
    given: Json, topic: str, others: Iterable[Json]
) -> tuple[str | None, str] | None:
    uri = given.get("uri") or ""
    address = urlsplit(uri)
    host = address.hostname or ""
    # The only addresses of this machine's own bridge; the vendor takes none without https.
    local = address.scheme == "http" and (host == "127.0.0.1" or host.endswith("localhost"))
    if not host or (address.scheme != "https" and not local):
        return "uri", "Address is invalid"
    if any(one["uri"] == uri and one["topic"] == topic for one in others):
        return "uri", "Address for this topic has already been taken"
    if given.get("filter"):
        return "filter", "The sandbox knows no filters"
    if given.get("format") == "XML":
        return "format", "The sandbox writes JSON only"
    return None


async def _json_object(request: Request) -> Json | None:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        content = json.loads(await request.body() or b"{}")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _driven(action: Callable[[Json], Json], given: Json | None, status: int = 200) -> Response:
    if given is None:
        return JSONResponse({"error": "the body must be a JSON object"}, 422)
    try:
        return JSONResponse({"order": action(given)}, status)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        return JSONResponse({"error": str(error)}, 422)
