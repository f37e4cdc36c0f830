"""Writes of orders in the sandbox store, and their notes.

A note changes nothing of its order and is told to nobody; a write of an order is told even where
it changes nothing. Not here: orders made or erased over REST, and changes of their lines.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from platforms.woocommerce.sandbox_args import (
    NOTE,
    ORDER,
    PlainError,
    RestError,
    checked,
    given,
    missing,
    whole,
)
from platforms.woocommerce.sandbox_meta import merged
from platforms.woocommerce.sandbox_product_writes import batch
from platforms.woocommerce.sandbox_products import Json
from platforms.woocommerce.sandbox_refunds import RefundAsked, refund_of, restock
from platforms.woocommerce.sandbox_store import Store

TEXTS = "customer_note payment_method payment_method_title transaction_id customer_id".split()
UNPAID = {"pending", "failed"}
NOT_HERE = set("line_items shipping_lines fee_lines coupon_lines parent_id currency".split())


class OrderWrites:
    """The routes that write orders, their notes and refunds.

    Args:
        store: gives the store as it is now.
        accepted: counts what was written.
        gateways: ways to pay that the store has by name, and whether each gives money back.
        base: the address of the API, for what was made.
    """

    def __init__(
        self,
        store: Callable[[], Store],
        accepted: Counter[str],
        gateways: dict[str, bool],
        base: str,
    ) -> None:
        self._store = store
        self._accepted = accepted
        self._gateways = gateways
        self._base = base
        self._meta_ids = itertools.count(20_000)

    async def order(self, request: Request) -> Response:
        """``PUT /orders/{id}``."""
        body = await given(request)
        _here(body)
        return JSONResponse(self._update(request.path_params["id"], checked(body, ORDER)))

    async def orders(self, request: Request) -> Response:
        """``POST /orders/batch``."""

        def write(row: Json) -> Json:
            _here(row)
            return self._update(whole(row["id"]), row)

        return batch(await given(request), write, self._accepted)

    def _update(self, number: int, fields: Json) -> Json:
        store = self._store()
        order = store.orders.get(number)
        if order is None:
            raise RestError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 400)
        asked = {name: value for name, value in fields.items() if value is not None}
        if asked.get("customer_id") and asked["customer_id"] not in store.customers:
            message = "Customer ID is invalid."
            raise RestError("woocommerce_rest_invalid_customer_id", message, 400)
        order |= {name: asked[name] for name in TEXTS if name in asked}
        for part in ("billing", "shipping"):
            known = {name: str(one) for name, one in asked.get(part, {}).items()}
            order[part] |= {name: one for name, one in known.items() if name in order[part]}
        if "meta_data" in asked:
            order["meta_data"] = merged(order["meta_data"], asked["meta_data"], self._meta_ids)
        status = asked.get("status") or None
        before = status or order["status"]
        if asked.get("set_paid") is True and before in UNPAID and Decimal(order["total"]):
            status = "processing"
        if status == "refunded" and (left := store.left(order)):
            # Money only: no lines, and nothing goes back on the shelf.
            store.save(order)
            store.keep_refund(order, refund_of(store, order, left, "Order fully refunded.", {}))
        shown = store.save(order, status)
        self._accepted["order_updated"] += 1
        return shown

    # -- notes -------------------------------------------------------------------------------------

    async def list_notes(self, request: Request) -> Response:
        """``GET /orders/{id}/notes``: all of them, the newest first, never in pages."""
        number = self._known(request, "shop_order")
        kind = request.query_params.get("type", "any")
        wanted = {"customer": [True], "internal": [False]}.get(kind, [True, False])
        notes = self._store().notes.get(number, [])
        return JSONResponse([one for one in notes if one["customer_note"] in wanted])

    async def get_note(self, request: Request) -> Response:
        """``GET /orders/{id}/notes/{note}``."""
        return JSONResponse(self._note(request))

    async def create_note(self, request: Request) -> Response:
        """``POST /orders/{id}/notes``."""
        body = await given(request)
        if body.get("note") is None:
            raise missing("note")
        fields = checked(body, NOTE)
        number = self._known(request, "order")
        note = self._store().note(
            number,
            # As everything that goes into the vendor's table of comments.
            fields["note"].replace("\\", ""),
            author="shop" if fields.get("added_by_user") else "WooCommerce",
            customer_note=fields.get("customer_note", False),
        )
        self._accepted["note_created"] += 1
        where = f"{self._base}/orders/{number}/notes/{note['id']}"
        return JSONResponse(note, 201, {"Location": where})

    async def delete_note(self, request: Request) -> Response:
        """``DELETE /orders/{id}/notes/{note}?force=true``."""
        if request.query_params.get("force") not in {"true", "1"}:
            message = "Webhooks do not support trashing."
            raise RestError("woocommerce_rest_trash_not_supported", message, 501)
        note = self._note(request)
        self._store().notes[request.path_params["id"]].remove(note)
        self._accepted["note_deleted"] += 1
        return JSONResponse(note)

    def _known(self, request: Request, kind: str) -> int:
        number: int = request.path_params["id"]
        if number not in self._store().orders:
            raise RestError(f"woocommerce_rest_{kind}_invalid_id", "Invalid order ID.", 404)
        return number

    def _note(self, request: Request) -> Json:
        notes = self._store().notes.get(self._known(request, "order"), [])
        for note in notes:
            if note["id"] == request.path_params["note"]:
                return note
        raise RestError("woocommerce_rest_invalid_id", "Invalid resource ID.", 404)

    # -- refunds -----------------------------------------------------------------------------------

    async def create_refund(self, request: Request) -> Response:
        """``POST /orders/{id}/refunds``: nobody asks whether the lines have so much left."""
        body = await given(request)
        asked = RefundAsked(body)
        store = self._store()
        order = store.orders.get(request.path_params["id"])
        if order is None:
            raise PlainError("woocommerce_rest_invalid_order_id", "Invalid order ID.", 404)
        if asked.amount < 0:
            message = "Refund amount must be greater than zero."
            raise PlainError("woocommerce_rest_invalid_order_refund", message, 400)
        if asked.amount > store.left(order):
            raise _cannot("Invalid refund amount.")
        if asked.pays:
            self._pay(order["payment_method"])
        refund = refund_of(store, order, asked.amount, asked.reason, asked.lines)
        refund["refunded_payment"] = asked.pays
        refund["meta_data"] = merged([], asked.meta, self._meta_ids)
        moved = restock(store, order, asked.lines) if asked.restocks else []
        for product_id in moved:
            store.catalogue.changed(product_id)
        shown = store.keep_refund(order, refund)
        self._accepted["refund_created"] += 1
        where = f"{self._base}/orders/{order['id']}/refunds/{refund['id']}"
        return JSONResponse(shown, 201, {"Location": where})

    def _pay(self, method: str) -> None:
        if method not in self._gateways:
            raise _cannot("The payment gateway for this order does not exist.")
        if not self._gateways[method]:
            what = "does not support automatic refunds"
            raise _cannot(f"The payment gateway for this order {what}.")
        self._accepted["payment_refunded"] += 1

    async def get_refund(self, request: Request) -> Response:
        """``GET /orders/{id}/refunds/{refund}``."""
        return JSONResponse(self._refund(request))

    async def delete_refund(self, request: Request) -> Response:
        """``DELETE /orders/{id}/refunds/{refund}``: nobody is told, and the state stays."""
        if request.query_params.get("force", "true") not in {"true", "1"}:
            message = "The shop_order_refund does not support trashing."
            raise RestError("woocommerce_rest_trash_not_supported", message, 501)
        refund = self._refund(request)
        order = self._store().orders[request.path_params["id"]]
        self._store().refunds[order["id"]].remove(refund)
        order["refunds"] = [one for one in order["refunds"] if one["id"] != refund["id"]]
        self._accepted["refund_deleted"] += 1
        return JSONResponse(refund)

    def _refund(self, request: Request) -> Json:
        number = request.path_params["id"]
        if number not in self._store().orders:
            raise PlainError("woocommerce_rest_invalid_order_id", "Invalid order ID.", 404)
        for refund in self._store().refunds.get(number, []):
            if refund["id"] == request.path_params["refund"]:
                return refund
        raise RestError("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.", 404)


def _here(body: Json) -> None:
    if unknown := NOT_HERE & set(body):
        names = ", ".join(sorted(unknown))
        raise RestError("sandbox_not_here", f"This store does not change {names}.", 501)


def _cannot(message: str) -> PlainError:
    return PlainError("woocommerce_rest_cannot_create_order_refund", message, 500)
