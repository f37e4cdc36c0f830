"""Money of the sandbox store's orders: transactions, refunds and their quotes; metafields too."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from platforms.bigcommerce.sandbox_orders import Order
from platforms.bigcommerce.sandbox_shapes import (
    ZERO,
    GoneError,
    Json,
    RefusedError,
    cents,
    known,
    money,
    number,
    offset,
    plain,
    whole,
    zulu,
)

if TYPE_CHECKING:
    from platforms.bigcommerce.sandbox_store import Store

QUANTITY_ITEM = {"item_type", "item_id", "quantity", "reason", "adjustments"}
AMOUNT_ITEM = {"item_type", "item_id", "amount", "reason"}
BY_AMOUNT = {
    "ORDER": ("total_inc_tax", ""),
    "SHIPPING": ("shipping_cost_inc_tax", "shipping_cost_tax"),
    "HANDLING": ("handling_cost_inc_tax", "handling_cost_tax"),
    "TAX": ("total_tax", ""),
}
PERMISSIONS = {"app_only", "read", "write", "read_and_sf_access", "write_and_sf_access"}
METAFIELD = {"permission_set", "namespace", "key", "value", "description"}
UNSET = (
    "payment_instrument_token provider_instrument_token provider_customer_id credit_card"
    " gift_certificate store_credit offline custom"
).split()
METHODS = set(
    "credit_card electronic_wallet gift_certificate store_credit custom offsite offline".split()
)


class Payments:
    """What was paid and given back.

    Args:
        store: the orders, and who is told.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids = itertools.count(176342001)
        self._refund_ids = itertools.count(1)
        self._payment_ids = itertools.count(1)
        self._metafield_ids = itertools.count(1)
        self._later: list[tuple[datetime, int, str]] = []

    # -- transactions ------------------------------------------------------------------------------

    def charge(
        self,
        order: Order,
        *,
        amount: Any = None,
        is_held: bool = False,
        is_declined: bool = False,
        method: str = "credit_card",
        gateway: str = "stripe",
        at: datetime | None = None,
    ) -> Json:
        """Take or hold the money online."""
        if method not in METHODS:
            raise RefusedError(f"no such method: {method}", "method")
        due = Decimal(order.head["total_inc_tax"]) if amount is None else number(amount, "amount")
        event = "authorization" if is_held else "purchase"
        status = "authorized" if is_held else "captured"
        made = self._add(order, event, due, method=method, gateway=gateway, at=at)
        if is_declined:
            made["status"] = "error"
        order.head["payment_status"] = "declined" if is_declined else status
        order.head["payment_provider_id"] = gateway
        self._tell(order, made, "created")
        return made

    def schedule(self, order: Order, action: str) -> None:
        """Capture or void what is held; the money itself follows later."""
        needed = {"capture": {"authorized"}, "void": {"authorized", "captured"}}[action]
        if order.head["payment_status"] not in needed:
            raise RefusedError(f"The order's payment can not be {action}d.")
        order.head["payment_status"] = f"{action} pending"
        due = self._store.clock() + timedelta(seconds=self._store.seed["settle_s"])
        self._later.append((due, order.id, action))
        self._store.touch(order)
        self._store.tell("updated", order)

    def settle(self) -> None:
        """Do what was scheduled and is due."""
        now = self._store.clock()
        due = [one for one in self._later if one[0] <= now]
        self._later = [one for one in self._later if one[0] > now]
        for _, order_id, action in due:
            order = self._store.order(order_id)
            held = order.transactions[-1] if order.transactions else {"amount": 0, "id": None}
            made = self._add(order, action, Decimal(str(held["amount"])), of=held["id"])
            order.head["payment_status"] = {"capture": "captured", "void": "void"}[action]
            self._store.touch(order)
            self._tell(order, made, "created")
            after = self._store.seed["status_after_void"]
            if action == "void" and after is not None:
                self._store.set_status(order, after)
            self._store.tell("updated", order)

    def update_transaction(self, order_id: int, transaction_id: int, changes: Json) -> Json:
        """What a gateway says later of a transaction."""
        known(changes, {"status", "fraud_review"}, "changes")
        order = self._store.order(order_id)
        found = next((one for one in order.transactions if one["id"] == transaction_id), None)
        if found is None:
            raise GoneError
        found |= changes
        self._tell(order, found, "updated")
        return copy.deepcopy(found)

    # -- refunds -----------------------------------------------------------------------------------

    def every_refund(self) -> Iterator[Json]:
        """All refunds of all orders, oldest first."""
        rows = [one for order in self._store.orders.values() for one in order.refunds]
        yield from sorted(rows, key=lambda one: one["id"])

    def refund_plainly(self, order: Order, given: Json) -> Json:
        """A refund by SKUs, by amount, or of all that is left."""
        lines = {line["sku"]: line for line in order.lines}
        items: list[Json] = []
        for asked in given.get("lines") or []:
            if asked["sku"] not in lines:
                raise RefusedError(f"no such line: {asked['sku']}")
            item = {"item_type": "PRODUCT", "item_id": lines[asked["sku"]]["id"]}
            items.append(item | {"quantity": asked["quantity"]})
        left = Decimal(order.head["total_inc_tax"]) - self._given_back(order)
        amount = given.get("amount")
        if not items:
            due = left if amount is None else number(amount, "amount")
            items = [{"item_type": "ORDER", "item_id": order.id, "amount": due}]
        quoted = self.quote(order, {"items": items})
        total = Decimal(str(quoted["total_refund_amount"])) if amount is None else number(amount)
        is_offline = bool(given.get("offline", not self._taken(order)))
        provider = "custom" if is_offline else order.head["payment_provider_id"]
        body: Json = {"items": items, "reason": given.get("reason", "")}
        body["payments"] = [{"provider_id": provider, "amount": total, "offline": is_offline}]
        if total != Decimal(str(quoted["total_refund_amount"])):
            tax = quoted["total_refund_tax_amount"]
            body["merchant_calculated_override"] = {"total_amount": total, "total_tax": tax}
        return self.refund(order, body)

    def quote(self, order: Order, given: Json) -> Json:
        """What a refund of these items would come to, and how it could be paid."""
        known(given, {"items"}, "quote")
        total, tax = self._worth(order, given.get("items"))
        ways = [{"provider_id": "custom", "provider_description": "Custom", "offline": True}]
        if self._taken(order):
            provider = order.head["payment_provider_id"]
            ways = [{"provider_id": provider, "provider_description": provider.title()}, *ways]
            ways[0] |= {"offline": False}
        if order.head["customer_id"]:
            ways.append({"provider_id": "storecredit", "provider_description": "Store Credit"})
            ways[-1] |= {"offline": False}
        for way in ways:
            way |= {"amount": plain(total), "offline_provider": way["offline"]}
            way["offline_reason"] = ""
        return {
            "order_id": order.id,
            "total_refund_amount": plain(total),
            "total_refund_tax_amount": plain(tax),
            "order_level_refund_amount": plain(
                sum(
                    (number(i["amount"]) for i in given["items"] if i["item_type"] == "ORDER"), ZERO
                )
            ),
            "rounding": 0,
            "adjustment": 0,
            "tax_inclusive": order.is_inclusive,
            "refund_methods": [[way] for way in ways],
        }

    def refund(self, order: Order, given: Json) -> Json:
        """Give money back; the order's own sums stay as they are."""
        known(given, {"items", "payments", "reason", "merchant_calculated_override"}, "refund")
        total, tax = self._worth(order, given.get("items"))
        override = given.get("merchant_calculated_override")
        if override:
            known(override, {"total_amount", "total_tax"}, "merchant_calculated_override")
            total = number(override.get("total_amount"), "total_amount")
            tax = number(override.get("total_tax"), "total_tax")
        if total + self._given_back(order) > Decimal(order.head["total_inc_tax"]):
            raise RefusedError("Refund amount exceeds what is left of the order.", "payments")
        payments = self._refund_payments(order, given.get("payments"), total)
        number_ = next(self._refund_ids)
        made: Json = {"id": number_, "order_id": order.id, "user_id": 0}
        made |= {"created": zulu(self._store.clock()), "reason": given.get("reason", "")}
        made |= {"total_amount": plain(total), "total_tax": plain(tax)}
        made |= {"uses_merchant_override_values": bool(override), "payments": payments}
        made["items"] = [self._refund_item(item) for item in given["items"]]
        order.refunds.append(made)
        for item in given["items"]:
            if item["item_type"] == "PRODUCT":
                _mark_returned(order, item)
        self._settle_refund(order, made, total)
        return made

    def _settle_refund(self, order: Order, made: Json, total: Decimal) -> None:
        is_full = self._given_back(order) >= Decimal(order.head["total_inc_tax"])
        if order.head["payment_status"]:
            order.head["payment_status"] = "refunded" if is_full else "partially refunded"
        self._store.touch(order)
        refund = {"refund_id": made["id"]}
        data = {"type": "order", "id": order.id, "refund": refund}
        self._store.notify("store/order/refund/created", str(order.id), data)
        if not made["payments"][0]["offline"]:
            first = order.transactions[0]
            back = self._add(order, "refund", total, of=first["id"])
            made["payments"][0]["transaction_id"] = str(back["id"])
            self._tell(order, back, "created")
        self._store.set_status(order, 4 if is_full else 14)
        self._store.tell("updated", order)

    def _worth(self, order: Order, items: Any) -> tuple[Decimal, Decimal]:
        if not isinstance(items, list) or not items:
            raise RefusedError("error.path.missing", "items")
        sums = [self._item_worth(order, item) for item in items]
        return (
            cents(sum((total for total, _ in sums), ZERO)),
            cents(sum((tax for _, tax in sums), ZERO)),
        )

    def _item_worth(self, order: Order, item: Any) -> tuple[Decimal, Decimal]:
        kind = item.get("item_type") if isinstance(item, dict) else None
        if kind == "PRODUCT":
            known(item, QUANTITY_ITEM, "items")
            line = order.line(item.get("item_id"))
            if line is None:
                raise RefusedError("error.invalid", "item_id")
            most = line["quantity"] - line["quantity_refunded"]
            part = Decimal(whole(item.get("quantity"), "quantity", 1, most)) / line["quantity"]
            inc = Decimal(line["discounted_total_inc_tax"])
            full = Decimal(line["total_inc_tax"])
            tax = inc * Decimal(line["total_tax"]) / full if full else ZERO
            return inc * part, tax * part
        known(item, AMOUNT_ITEM, "items")
        amount = number(item.get("amount"), "amount")
        if kind == "FEE":
            fee = next((one for one in order.fees if one["id"] == item.get("item_id")), None)
            if fee is None:
                raise RefusedError("error.invalid", "item_id")
            most, share = Decimal(fee["cost_inc_tax"]), Decimal(fee["cost_tax"])
        elif kind in BY_AMOUNT:
            gross, taxed = BY_AMOUNT[kind]
            most = Decimal(order.head[gross])
            share = Decimal(order.head[taxed]) if taxed else ZERO
        else:
            raise RefusedError("error.expected.validenumvalue", "item_type")
        if not ZERO < amount <= most:
            raise RefusedError("error.max", "amount")
        return amount, amount * share / most

    def _refund_payments(self, order: Order, given: Any, total: Decimal) -> list[Json]:
        if not isinstance(given, list) or not given:
            raise RefusedError("error.path.missing", "payments")
        made = []
        for one in given:
            known(one, {"provider_id", "amount", "offline"}, "payments")
            if one.get("provider_id") == "storecredit" and not order.head["customer_id"]:
                raise RefusedError("Unable to provide store credit for a guest customer.")
            is_offline = bool(one.get("offline", False))
            if not is_offline and not self._taken(order):
                raise RefusedError("There is no payment that could be refunded online.")
            amount = number(one.get("amount"), "amount")
            body = {"id": next(self._payment_ids), "provider_id": one.get("provider_id", "")}
            body |= {"amount": plain(amount), "offline": is_offline}
            made.append(body | {"is_declined": False, "declined_message": ""})
        if sum((number(one["amount"]) for one in made), ZERO) != total:
            raise RefusedError("The payments do not match the refund amount.", "payments")
        return made

    def _refund_item(self, item: Json) -> Json:
        is_counted = item["item_type"] == "PRODUCT"
        asked = ZERO if is_counted else number(item["amount"])
        body = {"item_type": item["item_type"], "item_id": item["item_id"]}
        body |= {"reason": item.get("reason", ""), "adjustments": item.get("adjustments", [])}
        body["quantity"] = item["quantity"] if is_counted else 1
        return body | {"requested_amount": None if is_counted else plain(asked)}

    def _given_back(self, order: Order) -> Decimal:
        return sum((Decimal(str(one["total_amount"])) for one in order.refunds), ZERO)

    def _taken(self, order: Order) -> bool:
        """Whether money came in online that could go back the same way."""
        paid = {"captured", "partially refunded", "paid"}
        return bool(order.transactions) and order.head["payment_status"] in paid

    # -- metafields --------------------------------------------------------------------------------

    def metafield(self, order: Order, given: Json) -> Json:
        """Something an app notes on an order; its key is unique in its namespace."""
        known(given, METAFIELD, "metafield")
        for name in ("permission_set", "namespace", "key", "value"):
            if not isinstance(given.get(name), str) or not given[name]:
                raise RefusedError("error.path.missing", name)
        if given["permission_set"] not in PERMISSIONS:
            raise RefusedError("error.expected.validenumvalue", "permission_set")
        place = (given["namespace"], given["key"])
        if place in {(one["namespace"], one["key"]) for one in order.metafields}:
            raise RefusedError("The metafield conflicts with another.", status=409)
        now = offset(self._store.clock())
        made = {"id": next(self._metafield_ids), "description": ""} | given
        made |= {"resource_type": "order", "resource_id": order.id}
        made |= {"date_created": now, "date_modified": now}
        made["owner_client_id"] = self._store.seed["client_id"]
        order.metafields.append(made)
        return made

    # -- how the store keeps it --------------------------------------------------------------------

    def _add(
        self,
        order: Order,
        event: str,
        amount: Decimal,
        *,
        method: str = "credit_card",
        gateway: str = "stripe",
        of: int | None = None,
        at: datetime | None = None,
    ) -> Json:
        number_ = next(self._ids)
        made: Json = {"id": number_, "order_id": str(order.id), "event": event, "method": method}
        made |= {"amount": plain(cents(amount)), "currency": order.head["default_currency_code"]}
        made |= {"gateway": gateway, "gateway_transaction_id": f"pi_{number_}"}
        made |= {"payment_method_id": f"{gateway}.{method}", "status": "ok", "test": False}
        made |= {"fraud_review": False, "reference_transaction_id": of}
        made |= {"date_created": offset(at or self._store.clock())} | dict.fromkeys(UNSET)
        avs = {"code": "", "message": "", "street_match": "", "postal_match": ""}
        made |= {"avs_result": avs, "cvv_result": {"code": "", "message": ""}}
        order.transactions.append(made)
        return made

    def _tell(self, order: Order, made: Json, event: str) -> None:
        """Both ids are texts here, and only here."""
        status = "complete" if made["status"] == "ok" else "failed"
        data = {"type": "transaction", "order_id": str(order.id), "transaction_id": str(made["id"])}
        data |= {"transaction_status": status, "transaction_type": made["event"]}
        self._store.notify(f"store/order/transaction/{event}", str(order.id), data)


def _mark_returned(order: Order, item: Json) -> None:
    line = order.line(item["item_id"])
    if line is None:
        return
    line["quantity_refunded"] += item["quantity"]
    line["is_refunded"] = line["quantity_refunded"] >= line["quantity"]
    worth = Decimal(line["discounted_total_inc_tax"]) * item["quantity"] / line["quantity"]
    line["refund_amount"] = money(Decimal(line["refund_amount"]) + worth)
