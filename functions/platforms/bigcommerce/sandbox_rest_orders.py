"""The orders of the sandbox store over REST: V2 records, V3 payments and metafields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_calls import Call, Calls
from platforms.bigcommerce.sandbox_orders import Order
from platforms.bigcommerce.sandbox_query import Asked, Filter, field, marked, v2_list
from platforms.bigcommerce.sandbox_shapes import (
    PLACES,
    STATUSES,
    GoneError,
    Json,
    RefusedError,
    offset,
)
from platforms.bigcommerce.sandbox_writes import create_order, write_order, write_shipment

ORDERS, MONEY = "store_v2_orders", "store_v2_orders|store_v2_transactions"
Handler = Callable[[Call], Response]
Rows = list[tuple[str, str, str, str, Handler]]
SORTS = "id customer_id date_created date_modified status_id channel_id external_id".split()
INCLUDES = {"consignments", "consignments.line_items", "fees"}
FILTERS: dict[str, Filter] = {
    **{name: field(name, "int") for name in ("customer_id", "status_id", "channel_id")},
    **{name: field(name) for name in ("cart_id", "payment_method", "external_order_id")},
    "email": Filter(lambda row: row["billing_address"]["email"]),
    **{
        f"{mark}_{name}": field(name, kind, f":{mark}")
        for mark in ("min", "max")
        for name, kind in (("id", "int"), ("date_created", "date"), ("date_modified", "date"))
    },
    **{
        f"{mark}_total": Filter(lambda row: Decimal(row["total_inc_tax"]), "number", f":{mark}")
        for mark in ("min", "max")
    },
}
REFUND_FILTERS = (
    marked("order_id", "int", "in")
    | marked("id", "int", "in")
    | marked("created", "date", "min max")
    | {
        "transaction_id": Filter(
            lambda row: next((one.get("transaction_id") for one in row["payments"]), None)
        )
    }
)
METAFIELD_FILTERS = (
    marked("key", "text", "= in")
    | marked("namespace", "text", "= in")
    | marked("date_created", "date", "= min max")
    | marked("date_modified", "date", "= min max")
)
SAID = {
    0: "The payment page was reached and nothing came of it.",
    11: "Paid, and waiting to be packed.",
}


class OrderCalls(Calls):
    """Handlers of everything below ``/orders``."""

    def rows(self) -> Rows:
        """Version, method, path, right and handler of each."""
        one, sub = "/orders/{id:int}", "/orders/{id:int}/shipments"
        parts: list[tuple[str, Callable[[Order], list[Json]]]] = [
            ("products", lambda order: order.lines),
            ("shipping_addresses", lambda order: order.addresses),
            ("coupons", lambda order: order.coupons),
            ("messages", lambda order: order.messages),
            ("shipments", lambda order: order.shipments),
        ]
        found: Rows = [
            ("v2", "GET", "/orders", ORDERS, self._list),
            ("v2", "GET", "/orders/count", ORDERS, self._count),
            ("v2", "POST", "/orders", ORDERS, self._create),
            ("v2", "GET", one, ORDERS, self._get),
            ("v2", "PUT", one, ORDERS, self._update),
            ("v2", "DELETE", one, ORDERS, self._archive),
            ("v2", "GET", one + "/taxes", ORDERS, self._taxes),
            ("v2", "GET", one + "/fees", ORDERS, self._fees),
            ("v2", "GET", one + "/consignments", ORDERS, self._consignments),
            ("v2", "GET", sub + "/count", ORDERS, self._count_shipments),
            ("v2", "POST", sub, ORDERS, self._ship),
            ("v2", "PUT", sub + "/{part:int}", ORDERS, self._change_shipment),
            ("v2", "DELETE", sub + "/{part:int}", ORDERS, self._recall),
            ("v2", "GET", "/order_statuses", ORDERS, self._statuses),
            ("v2", "GET", "/order_statuses/{id:int}", ORDERS, self._statuses),
            ("v3", "GET", one + "/transactions", "store_v2_transactions", self._transactions),
            ("v3", "POST", one + "/payment_actions/refund_quotes", MONEY, self._quote),
            ("v3", "GET", one + "/payment_actions/refunds", MONEY, self._order_refunds),
            ("v3", "POST", one + "/payment_actions/refunds", MONEY, self._refund),
            ("v3", "GET", "/orders/payment_actions/refunds", MONEY, self._refunds),
            ("v3", "GET", "/orders/payment_actions/refunds/{id:int}", MONEY, self._get_refund),
            ("v3", "POST", one + "/payment_actions/capture", MONEY, self._schedule("capture")),
            ("v3", "POST", one + "/payment_actions/void", MONEY, self._schedule("void")),
            ("v3", "GET", one + "/metafields", ORDERS, self._metafields),
            ("v3", "POST", one + "/metafields", ORDERS, self._note),
            ("v3", "GET", one + "/metafields/{part:int}", ORDERS, self._get_metafield),
            ("v3", "PUT", one + "/metafields/{part:int}", ORDERS, self._change_metafield),
            ("v3", "DELETE", one + "/metafields/{part:int}", ORDERS, self._drop_metafield),
        ]
        for name, take in parts:
            found.append(("v2", "GET", f"{one}/{name}", ORDERS, self._part(take)))
            found.append(("v2", "GET", f"{one}/{name}/{{part:int}}", ORDERS, self._part(take)))
        return found

    # -- V2 ----------------------------------------------------------------------------------------

    def _order(self, call: Call) -> Order:
        order = self.store.order(call.number())
        if order.head["is_deleted"] and call.seed["archived_is_gone"]:
            raise GoneError
        return order

    def _found(self, call: Call, more: str = "") -> tuple[Asked, list[Json]]:
        asked = call.asked(FILTERS, more)
        heads = [o.head for o in self.store.orders.values() if not o.head["is_deleted"]]
        return asked, asked.rows(heads)

    def _list(self, call: Call) -> Response:
        asked, heads = self._found(call, "sort include consignment_structure")
        heads = asked.sort(heads, SORTS, "id:asc")
        shown = [self._shown(call, self.store.orders[head["id"]]) for head in asked.cut(heads)]
        texts = bool(call.seed["text_booleans"])
        return v2_list(shown, call.seed["empty_list"], has_text_booleans=texts)

    def _count(self, call: Call) -> Response:
        _, heads = self._found(call)
        counts = Counter(head["status_id"] for head in heads)
        statuses = [
            {name: value for name, value in _status(number, call.seed).items() if name != "order"}
            | {"count": counts[number], "sort_order": PLACES[number]}
            for number in sorted(PLACES, key=PLACES.__getitem__)
        ]
        return call.shown({"statuses": statuses, "count": len(heads)})

    def _get(self, call: Call) -> Response:
        call.only("include", "consignment_structure")
        return call.shown(self._shown(call, self._order(call)))

    def _create(self, call: Call) -> Response:
        call.only("include", "consignment_structure")
        order = create_order(self.store, call.body)
        self.accepted["orders"] += 1
        return call.shown(self._shown(call, order), call.seed["create_status"])

    def _update(self, call: Call) -> Response:
        call.only("include", "consignment_structure")
        order = self._order(call)
        write_order(self.store, order, call.body)
        self.accepted["orders.update"] += 1
        return call.shown(self._shown(call, order))

    def _archive(self, call: Call) -> Response:
        self.store.delete(self._order(call).id)
        self.accepted["orders.archive"] += 1
        return Response(status_code=204)

    def _shown(self, call: Call, order: Order) -> Json:
        body = self.store.shown(order)
        query = call.request.query_params
        asked = {one for one in query.get("include", "").split(",") if one}
        if asked - INCLUDES or query.get("consignment_structure", "object") != "object":
            raise RefusedError("The field 'include' is invalid.", "include")
        if "fees" in asked:
            body["fees"] = order.fees
        if asked - {"fees"}:
            whole = self._consigned(order, has_lines="consignments.line_items" in asked)
            # Without the word for it the old form comes, a list.
            body["consignments"] = whole if "consignment_structure" in query else [whole]
        return body

    def _consigned(self, order: Order, *, has_lines: bool) -> Json:
        base = f"{self.store.seed['api']}/stores/{self.store.seed['store_hash']}/v2"

        def lines(place: int) -> list[Json]:
            there = [line for line in order.lines if line["order_address_id"] == place]
            if has_lines:
                return there
            links = (f"/orders/{order.id}/products/{line['id']}" for line in there)
            return [{"url": base + link, "resource": link} for link in links]

        shipping = []
        for one in order.addresses:
            kept = {name: value for name, value in one.items() if name != "order_id"}
            link = f"/orders/{order.id}/consignments/shipping/{one['id']}/shipping_quotes"
            quotes = {"url": base + link, "resource": link}
            shipping.append(kept | {"line_items": lines(one["id"]), "shipping_quotes": quotes})
        mailed = lines(0)
        to = order.head["billing_address"]["email"]
        downloads = [{"recipient_email": to, "line_items": mailed}] if mailed else []
        return {
            "pickups": [],
            "shipping": shipping,
            "downloads": downloads,
            "email": {"gift_certificates": []},
        }

    def _part(self, take: Callable[[Order], list[Json]]) -> Handler:
        def answer(call: Call) -> Response:
            rows = take(self._order(call))
            if "part" not in call.request.path_params:
                return call.page(rows)
            found = next((row for row in rows if row["id"] == call.number("part")), None)
            if found is None:
                raise GoneError
            return call.shown(found)

        return answer

    def _taxes(self, call: Call) -> Response:
        asked = call.asked(more="details")
        rows = self._order(call).taxes()
        if asked.query.get("details") != "true":
            hidden = {"order_product_id", "line_item_type"}
            rows = [{n: v for n, v in row.items() if n not in hidden} for row in rows]
        return call.listed(asked, rows)

    def _fees(self, call: Call) -> Response:
        return call.shown({"fees": self._order(call).fees})

    def _consignments(self, call: Call) -> Response:
        call.only("include")
        asked = call.request.query_params.get("include", "")
        if asked not in {"", "consignments.line_items"}:
            raise RefusedError("The field 'include' is invalid.", "include")
        return call.shown(self._consigned(self._order(call), has_lines=bool(asked)))

    def _count_shipments(self, call: Call) -> Response:
        return call.shown({"count": len(self._order(call).shipments)})

    def _ship(self, call: Call) -> Response:
        made = write_shipment(self.store, self._order(call), call.body)
        self.accepted["shipments"] += 1
        return call.shown(made, 201)

    def _shipment(self, call: Call) -> tuple[Order, Json]:
        order = self._order(call)
        for one in order.shipments:
            if one["id"] == call.number("part"):
                return order, one
        raise GoneError

    def _change_shipment(self, call: Call) -> Response:
        order, shipment = self._shipment(call)
        write_shipment(self.store, order, call.body, shipment)
        self.accepted["shipments.update"] += 1
        return call.shown(shipment)

    def _recall(self, call: Call) -> Response:
        self.store.recall(*self._shipment(call))
        self.accepted["shipments.delete"] += 1
        return Response(status_code=204)

    def _statuses(self, call: Call) -> Response:
        call.only()
        if "id" not in call.request.path_params:
            return JSONResponse([_status(number, call.seed) for number in STATUSES])
        if call.number() not in STATUSES:
            raise GoneError
        return call.shown(_status(call.number(), call.seed))

    # -- V3 ----------------------------------------------------------------------------------------

    def _transactions(self, call: Call) -> Response:
        rows = self._order(call).transactions
        return call.page(rows) if rows else Response(status_code=204)

    def _quote(self, call: Call) -> Response:
        return call.shown(self.store.payments.quote(self._order(call), call.body), 201)

    def _refund(self, call: Call) -> Response:
        made = self.store.payments.refund(self._order(call), call.body)
        self.accepted["refunds"] += 1
        return call.shown(made, 201)

    def _order_refunds(self, call: Call) -> Response:
        asked = call.asked({"transaction_id": REFUND_FILTERS["transaction_id"]})
        rows = asked.rows(self._order(call).refunds)
        return call.shown(rows)

    def _refunds(self, call: Call) -> Response:
        asked = call.asked(REFUND_FILTERS)
        return call.listed(asked, asked.rows(list(self.store.payments.every_refund())))

    def _get_refund(self, call: Call) -> Response:
        for one in self.store.payments.every_refund():
            if one["id"] == call.number():
                return call.shown(one)
        raise GoneError

    def _schedule(self, action: str) -> Handler:
        def answer(call: Call) -> Response:
            self.store.payments.schedule(self._order(call), action)
            self.accepted[action] += 1
            return JSONResponse({}, 201)

        return answer

    def _metafields(self, call: Call) -> Response:
        asked = call.asked(METAFIELD_FILTERS, "direction before after")
        rows = asked.rows(self._order(call).metafields)
        return call.listed(asked, rows, has_cursor=True)

    def _note(self, call: Call) -> Response:
        made = self.store.payments.metafield(self._order(call), call.body)
        self.accepted["metafields"] += 1
        return call.shown(made)

    def _metafield(self, call: Call) -> tuple[Order, Json]:
        order = self._order(call)
        for one in order.metafields:
            if one["id"] == call.number("part"):
                return order, one
        raise GoneError("A metafield was not found with this query.")

    def _get_metafield(self, call: Call) -> Response:
        return call.shown(self._metafield(call)[1])

    def _change_metafield(self, call: Call) -> Response:
        order, one = self._metafield(call)
        order.metafields.remove(one)
        try:
            # The same rules as for a new one, its own key excepted.
            made: Json = self.store.payments.metafield(order, _writable(one) | call.body)
        except RefusedError:
            order.metafields.append(one)
            raise
        made |= {"id": one["id"], "date_created": one["date_created"]}
        made["date_modified"] = offset(self.store.clock())
        self.accepted["metafields.update"] += 1
        return call.shown(made)

    def _drop_metafield(self, call: Call) -> Response:
        order, one = self._metafield(call)
        order.metafields.remove(one)
        self.accepted["metafields.delete"] += 1
        return Response(status_code=204)


def _writable(one: Json) -> dict[str, Any]:
    names = "permission_set namespace key value description".split()
    return {name: one[name] for name in names}


def _status(number: int, seed: Json) -> Json:
    label = STATUSES[number]
    body: Json = {"id": number, "name": label, "system_label": label}
    body["custom_label"] = seed["status_labels"].get(str(number), label)
    body["system_description"] = SAID.get(number, f"The order is {label.lower()}.")
    return body | {"order": PLACES[number]}
