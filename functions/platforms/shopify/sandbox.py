"""A strict stand-in for one Shopify shop: Admin GraphQL API, token grant and signed webhooks.

Version 2026-10. The GraphQL part runs the subset in ``sandbox_schema.graphql`` with the vendor's
scopes, page and cost limits and error bodies; ``/_sandbox`` routes drive the shop from outside.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

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

from platforms.shopify.sandbox_acts import acts, reads
from platforms.shopify.sandbox_bucket import Bucket
from platforms.shopify.sandbox_desk import OrderDesk
from platforms.shopify.sandbox_fulfillments import Dispatch
from platforms.shopify.sandbox_graphql import (
    SCOPES,
    Cost,
    number_in,
    scalar,
    schema_subset,
    shown,
    value_at,
)
from platforms.shopify.sandbox_hooks import RETRY_SECONDS, SERVED_VERSIONS, Hooks, sign
from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_nodes import index_entry, order_node
from platforms.shopify.sandbox_people import SHOP_ID
from platforms.shopify.sandbox_routes import json_object, people_routes
from platforms.shopify.sandbox_search import Entry, connection, denied, listing, refusal, utc, zulu
from platforms.shopify.sandbox_stock import LEVEL_ID
from platforms.shopify.sandbox_writes import Writes
from sandbox.control import control_routes
from sandbox.deliveries import Delivery, Outbox, poster
from sandbox.faults import Faults
from sandbox.load import Load

__all__ = ["ShopifySandbox", "make", "sign"]

TOKEN_SECONDS = 86399
QUERY_COST_LIMIT = 1000
SEARCH_DAYS = 60


class ShopifySandbox:
    """One shop with its app installed.

    Seed keys, all optional: ``shop`` (domain), ``currency``, ``taxes_included``, ``tax_rate``,
    ``time_offset``, ``variants`` [{sku, title, price, variant_id, product_id, taxable, stock ...}],
    ``products`` (drafts as for the control route), ``first_id``, ``location_id``,
    ``location_name``, ``locations`` [{id, name}] beside that first one; ``access_tokens``
    {token: [scope]}, ``client_id``, ``client_secrets``, ``scopes`` (of granted tokens);
    ``webhook_uri``, ``webhook_topics`` (made in advance for that address: a list, "all", or by
    default those of orders and shipments; the three privacy topics go there always),
    ``api_version``, ``retry_seconds``; ``search_lag_seconds``,
    ``bucket`` {maximum_available, restore_rate}, ``limits`` {parallel, per_minute} of calls, by
    default none; ``price_lists`` (see there), ``job_seconds`` before a job begins. Variants
    without ``stock`` are not counted.

    Attributes:
        app: the ASGI application.
        faults: misbehaviour on demand.
        load: how many calls came at once and in a minute.
        bucket: the points queries cost.
        accepted: committed mutations by name, and placed orders under ``orders``.
        outbox: the webhooks and how they are sent.
        desk: the shop: its orders, ``people``, ``companies``, ``catalogue``, ``price_lists``,
            ``returns``, ``refunds``, ``groups`` (fulfilment orders), ``metafields`` and ``jobs``.
        dispatch: what leaves the shop.
        hooks: who hears of what.
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
            drop=lambda number: self.hooks.drop(number),
        )
        self._schema = schema_subset()
        self._start()
        self.faults = Faults(Starlette(routes=self._routes()))
        most = seed.get("limits", {})
        self.app = self.load = Load(
            self.faults, lambda: self.clock(), most.get("parallel"), most.get("per_minute")
        )

    def _reset(self) -> None:
        self.load.clear()
        self._start()

    def _start(self) -> None:
        seed = self.seed
        self.client_secrets: list[str] = list(seed.get("client_secrets", ["shpss_sandbox"]))
        self.hooks = Hooks(seed, self.outbox, self.accepted, lambda: self.client_secrets[0])
        self.desk = OrderDesk(seed, lambda: self.clock(), self.hooks.notify)
        self.dispatch = Dispatch(self.desk)
        self.writes = Writes(acts(self.desk, self.dispatch), self.accepted)
        # A token from the seed never ends, like the ones of old custom apps.
        self.tokens: dict[str, tuple[frozenset[str], datetime | None]] = {
            token: (frozenset(scopes), None)
            for token, scopes in seed.get("access_tokens", {}).items()
        }
        self.bucket = Bucket(lambda: self.clock(), **seed.get("bucket", {}))
        self.outbox.clear()
        self.hooks.prepare(self.desk.stamp())

    @property
    def subscriptions(self) -> dict[int, Json]:
        """The app's subscriptions by number."""
        return self.hooks.subscriptions

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
        return {"id": int(order_id)}

    def point_webhooks_to(self, uri: str) -> None:
        """Change the address of every subscription; what was sent before keeps its own."""
        self.hooks.point_to(uri)

    def expire_tokens(self) -> None:
        """End every access token, also those of the seed."""
        self.tokens.clear()

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
        payload = await json_object(request)
        variables = (payload or {}).get("variables") or {}
        good = payload and isinstance(payload.get("query"), str) and isinstance(variables, dict)
        if not payload or not good:
            text = "Required parameter missing or invalid"
            return JSONResponse({"errors": {"query": text}}, 400, headers)
        self.desk.jobs.run()
        answer = self._answer(payload["query"], variables, scopes)
        # What is due at once is done right after the answer was made.
        self.desk.jobs.run()
        return JSONResponse(answer, 200, headers)

    def _scopes(self, token: str) -> frozenset[str] | None:
        scopes, ends = self.tokens.get(token, (None, None))
        if scopes is None or (ends and ends <= self.clock()):
            return None
        # Who may write may read.
        return scopes | {one.replace("write_", "read_", 1) for one in scopes}

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
        if not self.bucket.bears(requested):
            throttled = shown(refusal("Throttled", "THROTTLED"))
            return {"errors": [throttled], "extensions": self.bucket.shown(requested, None)}
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
        self.bucket.spend(min(actual, requested))
        answer: Json = {"data": result.data, "extensions": self.bucket.shown(requested, actual)}
        if result.errors:
            answer["errors"] = [shown(error) for error in result.errors]
            if any(error.path is None or _is_too_long(error) for error in result.errors):
                del answer["data"]
        return answer

    def _resolve(self, source: Json, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        spot = (info.parent_type.name, info.field_name)
        if (needed := SCOPES.get(spot)) and not needed & info.context:
            raise denied(info.field_name, needed)
        if info.parent_type.name in {"QueryRoot", "Mutation"}:
            return self._root(info, args)
        value = value_at(source, spot)
        if callable(value):
            value = value(args)
        kind = get_named_type(info.return_type)
        if kind.name.endswith("Connection"):
            return connection(((i, n["id"], n) for i, n in enumerate(value)), args)
        if isinstance(kind, GraphQLEnumType) and isinstance(value, str):
            return value.upper()
        if isinstance(value, list) or value is None:
            return value and value[: args.get("first")]
        return scalar(kind.name, value)

    def _root(self, info: GraphQLResolveInfo[Any], args: Json) -> Any:
        name, desk = info.field_name, self.desk
        if name in self.writes:
            return self.writes.run(info, args)
        if name in self._one:
            return self._one[name](args)
        lag = timedelta(seconds=self.seed.get("search_lag_seconds", 0))
        seen_until = self.clock() - (lag if args.get("query") else timedelta(0))
        many = {
            "companies": desk.companies.entries,
            "companyLocations": desk.companies.place_entries,
            "customers": desk.people.entries,
            "inventoryItems": desk.catalogue.item_entries,
            "products": desk.catalogue.entries,
            "productVariants": desk.catalogue.variant_entries,
        }
        if name in many:
            return listing(name, many[name](seen_until), args)
        if name == "orders":
            return listing(name, self._orders(info.context, seen_until), args, "PROCESSED_AT")
        if name == "locations":
            rows = [
                Entry(one["id"], {"name": one["name"]}, partial(dict, one))
                for one in desk.catalogue.stock.locations
            ]
            return listing(name, rows, args, "NAME")
        if name == "webhookSubscriptionCreate":
            given, now = args["webhookSubscription"], desk.stamp()
            return self.hooks.create(info.context, args["topic"], given, now)
        return self._shop()

    @property
    def _one(self) -> dict[str, Callable[[Json], Any]]:
        desk, hooks = self.desk, self.hooks
        people, catalogue = desk.people, desk.catalogue

        def known(args: Json, kind: str, things: dict[int, Any], show: Callable[..., Any]) -> Any:
            thing = things.get(number_in(args["id"], kind))
            return thing and show(thing)

        def place(args: Json) -> Any:
            number = number_in(args["id"], "CompanyLocation")
            pairs = ((c, c.places.get(number)) for c in desk.companies.known.values())
            return next((desk.companies.place_node(c, one) for c, one in pairs if one), None)

        def item(args: Json) -> Any:
            variant = catalogue.level_item(number_in(args["id"], "InventoryItem"))
            return variant and catalogue.item_node(variant)

        def variant(args: Json) -> Any:
            found = catalogue.by_id(number_in(args["id"], "ProductVariant"))
            return found and catalogue.variant_node(found)

        def location(args: Json) -> Any:
            return catalogue.stock.location(args.get("id") and number_in(args["id"], "Location"))

        def subscribed(args: Json) -> Any:
            return connection(((s["id"], s["id"], s) for s in hooks.listed(args)), args)

        return {
            "order": lambda args: known(
                args, "Order", desk.orders, lambda one: order_node(one, desk)
            ),
            "customer": lambda args: known(args, "Customer", people.known, people.node),
            "company": lambda args: known(
                args, "Company", desk.companies.known, desk.companies.node
            ),
            "companyLocation": place,
            "return": lambda args: known(args, "Return", desk.returns.known, desk.returns.node),
            "product": lambda args: known(args, "Product", catalogue.products, catalogue.node),
            "productVariant": variant,
            "inventoryItem": item,
            "inventoryLevel": self._level,
            "location": location,
            "webhookSubscription": lambda args: hooks.subscriptions.get(number_in(args["id"])),
            "webhookSubscriptions": subscribed,
            "webhookSubscriptionDelete": lambda args: hooks.delete(args["id"]),
        } | reads(desk, self.dispatch)

    def _level(self, args: Json) -> Json | None:
        match = LEVEL_ID.fullmatch(args["id"])
        if match is None:
            raise refusal(f"Invalid global id '{args['id']}'", "argumentLiteralsIncompatible")
        catalogue = self.desk.catalogue
        variant = catalogue.level_item(int(match[2]))
        levels = variant.item.levels if variant else []
        for level in levels:
            if variant and level.id == int(match[1]):
                return catalogue.stock.level_node(level, lambda _: catalogue.item_node(variant))
        return None

    def _shop(self) -> Json:
        name = self.seed["shop"]
        return {
            "id": SHOP_ID,
            "name": name.split(".")[0],
            "myshopify_domain": name,
            "currency_code": self.seed.get("currency", "GBP"),
            "taxes_included": self.seed.get("taxes_included", False),
        }

    def _orders(self, scopes: frozenset[str], seen_until: datetime) -> Iterator[Entry]:
        oldest = zulu(self.clock() - timedelta(days=SEARCH_DAYS))
        for order in self.desk.orders.values():
            entry = index_entry(order, seen_until)
            # Without this scope the vendor leaves older orders out and says nothing.
            shown_age = "read_all_orders" in scopes or utc(order.created_at) >= oldest
            if entry and shown_age:
                yield Entry(order.id, entry, partial(order_node, order, self.desk))

    async def _access_token(self, request: Request) -> Response:
        given = await json_object(request) or {}
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
        return [
            Route("/admin/oauth/access_token", self._access_token, methods=["POST"]),
            Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
            *people_routes(self),
            *self.outbox.routes(),
            *control_routes(lambda: self.faults, self.accepted, self._reset),
        ]


def _is_too_long(error: GraphQLError) -> bool:
    """Whether the vendor refuses the whole call for the size of its input."""
    return (error.extensions or {}).get("code") == "MAX_INPUT_SIZE_EXCEEDED"


def make(seed: Json) -> ShopifySandbox:
    """The sandbox a seed describes."""
    return ShopifySandbox(seed)
