"""What people do in the sandbox shop: place, edit, pay, refund and cancel orders."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from platforms.shopify.sandbox_catalogue import Catalogue
from platforms.shopify.sandbox_companies import Companies
from platforms.shopify.sandbox_drafts import Drafts, check_attributes
from platforms.shopify.sandbox_fulfillment_orders import Groups
from platforms.shopify.sandbox_jobs import Jobs
from platforms.shopify.sandbox_metafields import Metafields
from platforms.shopify.sandbox_money import ZERO, Json, Money
from platforms.shopify.sandbox_orders import (
    DETAIL_KEYS,
    PAYMENT_KINDS,
    Move,
    Order,
    RefusedError,
    Transaction,
    known,
)
from platforms.shopify.sandbox_people import People, address
from platforms.shopify.sandbox_price_lists import PriceLists
from platforms.shopify.sandbox_refunds import Refunds
from platforms.shopify.sandbox_returns import Returns

ID_STEP = 32769
"""Real ids of one shop lie apart like this; neighbours would hide mixed-up ids in tests."""


class Notify(Protocol):
    """Sends one webhook for a subject to whoever subscribed."""

    def __call__(self, topic: str, subject: int, body: Json, at: datetime) -> None:
        """Send it; ``at`` is when it happened."""


class OrderDesk:
    """The orders and customers of one shop, and the webhooks each change causes."""

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self.orders: dict[int, Order] = {}
        first_id: int = seed.get("first_id", 6_120_000_000_017)
        self._ids = itertools.count(first_id, ID_STEP)
        self._numbers = itertools.count(1001)
        self.zone = datetime.fromisoformat(
            "2000-01-01T00:00:00" + seed.get("time_offset", "+00:00")
        ).tzinfo
        self.drafts = Drafts(self)
        self.people = People(self)
        self.companies = Companies(self)
        self.catalogue = Catalogue(self)
        self.returns = Returns(self)
        self.refunds = Refunds(self)
        self.metafields = Metafields(self)
        self.jobs = Jobs(clock, seed.get("job_seconds", 0))
        self.groups = Groups(self)
        self.price_lists = PriceLists(self)

    def order(self, order_id: Any) -> Order:
        """The order of that id."""
        try:
            return self.orders[int(order_id)]
        except (KeyError, ValueError):
            raise RefusedError(f"no order {order_id}") from None

    def stamp(self, moment: datetime | None = None) -> str:
        """A moment, now by default, in the shop's own time with seconds."""
        return (moment or self.clock()).astimezone(self.zone).isoformat(timespec="seconds")

    def at(self, order: Order) -> datetime:
        """The time it is for an order."""
        return self.clock() + order.ahead

    def tell(self, order: Order, topic: str, body: Json) -> None:
        """Send one webhook about an order."""
        self.notify(topic, order.id, body, self.at(order))

    def next_id(self) -> int:
        """A fresh id, unique over all kinds of things."""
        return next(self._ids)

    def place(self, draft: Json) -> Order:
        """Create the order a draft describes; ``paid`` also pays it in the same second."""
        order = self.drafts.order(draft, next(self._numbers))
        self.companies.adopt(order.company, order.created_at)
        self.orders[order.id] = order
        order.indexed.append((self.clock(), order.updated_at))
        self.tell(order, "orders/create", order.body())
        order.moves += [
            Move(line.facts["variant_id"], -n, n) for line in order.lines if (n := line.open)
        ]
        self.catalogue.settle(order)
        if draft.get("paid"):
            self.pay(order.id)
        return order

    def changed(self, order: Order, *topics: str) -> None:
        """The order changed now: these topics say so, and its general one."""
        order.updated_at = self.stamp(self.at(order))
        order.indexed.append((self.clock(), order.updated_at))
        if order.groups:
            self.groups.of(order)
        body = order.body()
        for topic in (*topics, "orders/updated"):
            self.tell(order, topic, body)
        self.catalogue.settle(order)

    def update(self, order_id: Any, changes: Json) -> Order:
        """Change details that are not lines or money: note, tags, addresses and the like."""
        known(changes, DETAIL_KEYS, "update")
        check_attributes(changes.get("note_attributes", []))
        order = self.order(order_id)
        for key, value in changes.items():
            if key == "tags":
                order.facts[key] = ", ".join(value)
            else:
                order.facts[key] = address(value) if key.endswith("_address") else value
        self.changed(order)
        return order

    def edit(self, order_id: Any, changes: Json) -> Order:
        """Set quantities and add lines in one edit session."""
        known(changes, {"quantities", "add", "staff_note"}, "edit")
        with self.whole(order_id) as order:
            moves: dict[str, list[Json]] = {"additions": [], "removals": []}
            for key, quantity in changes.get("quantities", {}).items():
                line = order.line(key)
                if quantity < line.fulfilled:
                    raise RefusedError("units that were fulfilled cannot be removed")
                delta, line.current = quantity - line.current, quantity
                line.quantity += max(delta, 0)
                if delta:
                    order.moves.append(Move(line.facts["variant_id"], -delta, delta))
                    side = "additions" if delta > 0 else "removals"
                    moves[side].append({"id": line.id, "delta": abs(delta)})
            for given in changes.get("add", []):
                line = self.drafts.line(given, order.currencies, order.tax_rate)
                order.lines.append(line)
                order.moves.append(Move(line.facts["variant_id"], -line.open, line.open))
                moves["additions"].append({"id": line.id, "delta": line.quantity})
            order.edited = True
            edit_id, now = self.next_id(), self.stamp(self.at(order))
            nothing: Json = {"additions": [], "removals": []}
            order_edit = {
                "id": edit_id,
                "app_id": None,
                "committed_at": now,
                "created_at": now,
                "discounts": {"line_item": nothing},
                "line_items": moves,
                "notify_customer": False,
                "order_id": order.id,
                "shipping_lines": nothing,
                "staff_note": changes.get("staff_note", ""),
                "user_id": None,
            }
            self.tell(order, "orders/edited", {"order_edit": order_edit})
            self.changed(order)
        return order

    @contextmanager
    def whole(self, order_id: Any, *, even_cancelled: bool = False) -> Iterator[Order]:
        """The open order; a change that is refused half way leaves nothing behind."""
        order = self.order(order_id) if even_cancelled else self.open_order(order_id)
        before = copy.deepcopy(order)
        try:
            yield order
        except BaseException:
            # The customer is the shop's, and no part of the order.
            before.customer = order.customer
            self.orders[order.id] = before
            raise

    def open_order(self, order_id: Any) -> Order:
        """The order of that id, if it is not cancelled."""
        order = self.order(order_id)
        if order.cancelled_at:
            raise RefusedError("the order is cancelled")
        return order

    def pay(
        self,
        order_id: Any,
        kind: str = "sale",
        amount: Any = None,
        *,
        status: str = "success",
        gateway: str = "shopify_payments",
        error_code: str | None = None,
    ) -> Order:
        """Add a transaction; without an amount it covers all that is outstanding."""
        if kind not in PAYMENT_KINDS:
            raise RefusedError(f"no payment is a {kind}")
        order = self.open_order(order_id)
        if status == "failure":
            error_code = error_code or "card_declined"
        parent = None
        if kind == "capture":
            held = [t for t in order.transactions if t.kind == "authorization"]
            if not held:
                raise RefusedError("nothing was authorized")
            parent = held[-1].id
        money = order.outstanding if amount is None else order.currencies.money(amount)
        self.transact(order, kind, money, gateway, parent, status, error_code)
        paid = order.financial_status == "paid" and not order.was_paid
        order.was_paid = order.was_paid or paid
        if paid and order.payment_terms:
            due = order.payment_terms["payment_schedules"][0]
            settled = {"balance_due": order.currencies.text(ZERO)}
            due |= settled | {"completed_at": self.stamp(self.at(order))}
        self.changed(order, *(("orders/paid",) if paid else ()))
        return order

    def transact(
        self,
        order: Order,
        kind: str,
        amount: Money,
        gateway: str,
        parent: int | None,
        status: str = "success",
        error_code: str | None = None,
    ) -> Json:
        """Add a transaction to an order, and tell of it."""
        number = self.next_id()
        at = self.stamp(self.at(order))
        one = Transaction(number, kind, status, amount, gateway, at, parent, error_code)
        order.transactions.append(one)
        body = order.transaction_body(one)
        self.tell(order, "order_transactions/create", body)
        return body

    def refund(self, order_id: Any, lines: list[Json], amount: Any = None, **more: Any) -> Order:
        """Take lines back and return money: their worth, unless told otherwise."""
        return self.refunds.refund(order_id, lines, amount, **more)

    def cancel(self, order_id: Any, reason: str = "customer") -> Order:
        """Cancel: every open unit goes back, and so does the money."""
        return self.refunds.cancel(order_id, reason)

    def delete(self, order_id: Any) -> None:
        """Remove an order for good."""
        order = self.orders.pop(self.order(order_id).id)
        self.tell(order, "orders/delete", {"id": order.id})
