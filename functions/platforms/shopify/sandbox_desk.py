"""What people do in the sandbox shop: place, edit, pay, refund and cancel orders."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from platforms.shopify.sandbox_orders import (
    ADDRESS_KEYS,
    CANCEL_REASONS,
    COMPANY_KEYS,
    DETAIL_KEYS,
    DRAFT_KEYS,
    LINE_KEYS,
    PAYMENT_KINDS,
    RESTOCK_TYPES,
    ZERO,
    Currencies,
    Json,
    Line,
    Money,
    Order,
    RefusedError,
    Transaction,
    gid,
    known,
    total,
)

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
        self.customers: dict[str, Json] = {}
        self.variants: dict[str, Json] = {v["sku"]: v for v in seed.get("variants", [])}
        first_id: int = seed.get("first_id", 6_120_000_000_017)
        self._ids = itertools.count(first_id, ID_STEP)
        self._numbers = itertools.count(1001)
        self._zone = datetime.fromisoformat(
            "2000-01-01T00:00:00" + seed.get("time_offset", "+00:00")
        ).tzinfo

    def order(self, order_id: Any) -> Order:
        """The order of that id."""
        try:
            return self.orders[int(order_id)]
        except (KeyError, ValueError):
            raise RefusedError(f"no order {order_id}") from None

    def stamp(self, moment: datetime | None = None) -> str:
        """A moment, now by default, in the shop's own time with seconds."""
        return (moment or self.clock()).astimezone(self._zone).isoformat(timespec="seconds")

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
        known(draft, DRAFT_KEYS, "draft")
        defaults = {"currency": "GBP", "taxes_included": False, "tax_rate": None} | self.seed
        agreed = {
            key: draft.get(key, defaults[key]) for key in ("currency", "taxes_included", "tax_rate")
        }
        currency = agreed["currency"]
        currencies = Currencies(
            currency,
            draft.get("presentment_currency", currency),
            Decimal(str(draft.get("presentment_rate", 1))),
        )
        times = self._times(draft)
        order = Order(
            id=self.next_id(),
            number=next(self._numbers),
            shop=self.seed["shop"],
            facts=self._facts(draft),
            currencies=currencies,
            taxes_included=agreed["taxes_included"],
            lines=[
                self._line(line, currencies, agreed["tax_rate"]) for line in draft.get("lines", [])
            ],
            created_at=self.stamp(times["created_at"]),
            processed_at=self.stamp(times["processed_at"]),
            updated_at=self.stamp(times["updated_at"]),
            customer=None,
            company=draft.get("company"),
            shipping=self._shipping(draft.get("shipping"), currencies),
            shipping_id=self.next_id(),
            tax_rate=agreed["tax_rate"],
            ahead=max(times["updated_at"] - self.clock(), timedelta(0)),
        )
        self._discount(order, draft)
        order.original_price = order.ordered()["price"]
        order.customer = self._customer(draft, currency, self.at(order))
        if terms := draft.get("payment_terms"):
            order.payment_terms = self._payment_terms(order, terms)
        self.orders[order.id] = order
        order.indexed.append((self.clock(), order.updated_at))
        self.tell(order, "orders/create", order.body())
        if draft.get("paid"):
            self.pay(order.id)
        return order

    def _times(self, draft: Json) -> dict[str, datetime]:
        """When an order was created, processed and changed: by default all three at once."""
        times, otherwise = {}, self.clock()
        for key in ("created_at", "processed_at", "updated_at"):
            moment = datetime.fromisoformat(draft[key]) if key in draft else otherwise
            # A time without an offset is the shop's own.
            times[key] = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
            otherwise = times["created_at"]
        if times["processed_at"] > times["created_at"]:
            raise RefusedError("PROCESSED_AT_INVALID: processed_at lies after created_at")
        if times["updated_at"] < times["created_at"]:
            raise RefusedError("updated_at lies before created_at")
        return times

    def _facts(self, draft: Json) -> Json:
        company = draft.get("company")
        known(company or {}, COMPANY_KEYS, "company")
        _check_attributes(draft.get("note_attributes", []))
        customer = draft.get("customer") or {}
        return {
            "billing_address": _address(draft.get("billing_address")),
            "company": company and {key: company[key] for key in ("id", "location_id")},
            # The vendor writes an empty text here for a guest, and null in ``contact_email``.
            "email": draft.get("email") or customer.get("email") or "",
            "note": draft.get("note"),
            "note_attributes": draft.get("note_attributes", []),
            "phone": draft.get("phone"),
            "po_number": draft.get("po_number"),
            "shipping_address": _address(draft.get("shipping_address")),
            "source_identifier": draft.get("source_identifier"),
            "source_name": draft.get("source_name", "web"),
            "tags": ", ".join(draft.get("tags", [])),
            "test": draft.get("test", False),
        }

    def _line(self, given: Json, currencies: Currencies, tax_rate: Any) -> Line:
        known(given, LINE_KEYS, "line")
        sku, tip = given.get("sku"), given.get("tip", False)
        # A SKU outside the catalogue is still a product of the shop; only a bare title is custom.
        variant = self.variants.get(sku, {}) if sku else {}
        title = given.get("title", variant.get("title", sku))
        price = given.get("price", variant.get("price"))
        quantity = given.get("quantity", 1)
        if title is None or price is None or not isinstance(quantity, int) or quantity < 1:
            raise RefusedError(f"a line needs a title or sku, price and whole quantity: {given}")
        physical = not tip and not given.get("gift_card", False)
        taxable = given.get("taxable", variant.get("taxable", True)) and physical
        rate = given.get("tax_rate", tax_rate)
        facts = {
            "gift_card": given.get("gift_card", False),
            "name": " - ".join(filter(None, (title, given.get("variant_title")))),
            "product_exists": sku is not None,
            "product_id": variant.get("product_id", self.next_id()) if sku else None,
            "properties": given.get("properties", []),
            "requires_shipping": physical,
            "sku": sku,
            "taxable": taxable,
            "tip": tip,
            "title": title,
            "variant_id": variant.get("variant_id", self.next_id()) if sku else None,
            "variant_title": given.get("variant_title"),
            "vendor": self.seed["shop"].split(".")[0] if sku else None,
        }
        return Line(
            id=self.next_id(),
            facts=facts,
            price=currencies.money(price),
            quantity=quantity,
            current=quantity,
            rate=Decimal(str(rate)) if taxable and rate is not None else None,
            own_discount=currencies.money(given.get("discount", 0)),
        )

    def _shipping(self, given: Json | None, currencies: Currencies) -> Json | None:
        if given is None:
            return None
        known(given, {"title", "code", "price", "tax_rate"}, "shipping")
        rate = given.get("tax_rate")
        return {
            "title": given["title"],
            "code": given.get("code", given["title"]),
            "money": currencies.money(given["price"]),
            "rate": None if rate is None else Decimal(str(rate)),
        }

    def _discount(self, order: Order, draft: Json) -> None:
        bag = order.currencies
        for line in order.lines:
            if line.own_discount:
                self._refuse_above(line.own_discount, order.worth(line, line.quantity)[0])
                line.allocations.append((len(order.applications), line.own_discount))
                order.applications.append(
                    _application(bag.text(line.own_discount), "one", "explicit")
                    | {"type": "manual", "title": "Line discount", "description": "Line discount"}
                )
        if "discount" not in draft:
            return
        # Gift cards and tips are money already: no discount reaches them.
        lines = [one for one in order.lines if not one.facts["gift_card"] and not one.facts["tip"]]
        weights = [order.worth(line, line.quantity)[0] - line.own_discount for line in lines]
        amount = bag.money(draft["discount"])
        self._refuse_above(amount, total(weights))
        for line, share in zip(lines, bag.spread(amount, weights), strict=True):
            if share:
                line.allocations.append((len(order.applications), share))
        named = {"type": "manual", "title": "Order discount", "description": "Order discount"}
        if "discount_code" in draft:
            named = {"type": "discount_code", "code": draft["discount_code"]}
        order.applications.append(_application(bag.text(amount), "across", "all") | named)

    def _refuse_above(self, amount: Money, limit: Money) -> None:
        if amount.shop > limit.shop:
            raise RefusedError("a discount cannot exceed what it is taken from")

    def _customer(self, draft: Json, currency: str, at: datetime) -> Json | None:
        given = draft.get("customer")
        if given is None:
            return None
        email = given.get("email")
        if email in self.customers:
            return self.customers[email]
        number, now = self.next_id(), self.stamp(at)
        address = _address(draft.get("billing_address") or draft.get("shipping_address"))
        customer = {
            "id": number,
            "created_at": now,
            "updated_at": now,
            "first_name": given.get("first_name"),
            "last_name": given.get("last_name"),
            "state": "disabled",
            "note": given.get("note"),
            "verified_email": True,
            "multipass_identifier": None,
            "tax_exempt": False,
            "email": email,
            "phone": given.get("phone"),
            "currency": currency,
            "tax_exemptions": [],
            "admin_graphql_api_id": gid("Customer", number),
        }
        if address:
            place = {k: v for k, v in address.items() if k not in {"latitude", "longitude"}}
            customer["default_address"] = place | {
                "id": self.next_id(),
                "customer_id": number,
                "country_name": address["country"],
                "default": True,
            }
        if email:
            self.customers[email] = customer
        addresses = [customer["default_address"]] if address else []
        self.notify(
            "customers/create",
            number,
            {"default_address": None} | customer | {"addresses": addresses},
            at,
        )
        return customer

    def _payment_terms(self, order: Order, given: Json) -> Json:
        known(given, {"name", "type", "due_in_days"}, "payment_terms")
        terms, schedule = self.next_id(), self.next_id()
        issued = datetime.fromisoformat(order.processed_at)
        price = order.currencies.text(order.ordered()["price"])
        stamps = {"created_at": order.created_at, "updated_at": order.updated_at}
        due = {
            "id": schedule,
            "admin_graphql_api_id": gid("PaymentSchedule", schedule),
            "amount": price,
            "balance_due": price,
            "completed_at": None,
            "currency": order.currencies.shop,
            "due_at": self.stamp(issued + timedelta(days=given["due_in_days"])),
            "issued_at": order.processed_at,
            "payment_terms_id": terms,
            "presentment_currency": order.currencies.presentment,
            "total_balance": price,
            "total_price": price,
        }
        return stamps | {
            "id": terms,
            "admin_graphql_api_id": gid("PaymentTerms", terms),
            "due_in_days": given["due_in_days"],
            "payment_schedules": [stamps | due],
            "payment_terms_name": given["name"],
            "payment_terms_type": given.get("type", "net"),
        }

    def changed(self, order: Order, *topics: str) -> None:
        """The order changed now: these topics say so, and its general one."""
        order.updated_at = self.stamp(self.at(order))
        order.indexed.append((self.clock(), order.updated_at))
        body = order.body()
        for topic in (*topics, "orders/updated"):
            self.tell(order, topic, body)

    def update(self, order_id: Any, changes: Json) -> Order:
        """Change details that are not lines or money: note, tags, addresses and the like."""
        known(changes, DETAIL_KEYS, "update")
        _check_attributes(changes.get("note_attributes", []))
        order = self.order(order_id)
        for key, value in changes.items():
            if key == "tags":
                order.facts[key] = ", ".join(value)
            else:
                order.facts[key] = _address(value) if key.endswith("_address") else value
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
                    side = "additions" if delta > 0 else "removals"
                    moves[side].append({"id": line.id, "delta": abs(delta)})
            for given in changes.get("add", []):
                line = self._line(given, order.currencies, order.tax_rate)
                order.lines.append(line)
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
    def whole(self, order_id: Any) -> Iterator[Order]:
        """The open order; a change that is refused half way leaves nothing behind."""
        order = self._open(order_id)
        before = copy.deepcopy(order)
        try:
            yield order
        except BaseException:
            self.orders[order.id] = before
            raise

    def _open(self, order_id: Any) -> Order:
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
        order = self._open(order_id)
        if status == "failure":
            error_code = error_code or "card_declined"
        parent = None
        if kind == "capture":
            held = [t for t in order.transactions if t.kind == "authorization"]
            if not held:
                raise RefusedError("nothing was authorized")
            parent = held[-1].id
        money = order.outstanding if amount is None else order.currencies.money(amount)
        self._transact(order, kind, money, gateway, parent, status, error_code)
        paid = order.financial_status == "paid" and not order.was_paid
        order.was_paid = order.was_paid or paid
        if paid and order.payment_terms:
            due = order.payment_terms["payment_schedules"][0]
            settled = {"balance_due": order.currencies.text(ZERO)}
            due |= settled | {"completed_at": self.stamp(self.at(order))}
        self.changed(order, *(("orders/paid",) if paid else ()))
        return order

    def _transact(
        self,
        order: Order,
        kind: str,
        amount: Money,
        gateway: str,
        parent: int | None,
        status: str = "success",
        error_code: str | None = None,
    ) -> Json:
        number = self.next_id()
        at = self.stamp(self.at(order))
        one = Transaction(number, kind, status, amount, gateway, at, parent, error_code)
        order.transactions.append(one)
        body = order.transaction_body(one)
        self.tell(order, "order_transactions/create", body)
        return body

    def refund(
        self,
        order_id: Any,
        lines: list[Json],
        amount: Any = None,
        *,
        note: str = "",
    ) -> Order:
        """Take lines back and return money: their worth, unless told otherwise."""
        with self.whole(order_id) as order:
            worth, items = ZERO, []
            for given in lines:
                item, value = self._refund_line(order, given)
                items.append(item)
                worth += value
            left = order.received - order.moved("refund")
            money = order.currencies.money(amount) if amount is not None else worth
            if amount is None and money.shop > left.shop:
                money = left
            if money.shop > left.shop:
                raise RefusedError("more than was paid cannot be refunded")
            self._refund(order, items, money, money - worth if money else ZERO, note)
            self.changed(order)
        return order

    def _refund_line(self, order: Order, given: Json) -> tuple[Json, Money]:
        known(given, {"line", "quantity", "restock_type"}, "refund line")
        line = order.line(given["line"])
        quantity, restock = given.get("quantity", line.current), given.get("restock_type", "return")
        if not 0 < quantity <= line.current or restock not in RESTOCK_TYPES:
            raise RefusedError(f"cannot take back {quantity} ({restock}) of line {line.id}")
        before, after = order.worth(line, line.current), order.worth(line, line.current - quantity)
        subtotal = before[0] - before[1] - (after[0] - after[1])
        tax = before[2] - after[2]
        bag = order.currencies
        body = order.line_body(line)
        for key in ("attributed_staffs", "current_quantity", "sales_line_item_group_id"):
            del body[key]
        line.current -= quantity
        line.fulfilled = min(line.fulfilled, line.current)
        item = {
            "id": self.next_id(),
            "line_item": body,
            "line_item_id": line.id,
            "location_id": None,
            "quantity": quantity,
            "restock_type": restock,
            # The vendor writes these two as JSON numbers, unlike all its other money.
            "subtotal": float(subtotal.shop),
            "subtotal_set": bag.bag(subtotal),
            "total_tax": float(tax.shop),
            "total_tax_set": bag.bag(tax),
        }
        return item, subtotal if order.taxes_included else subtotal + tax

    def _refund(
        self, order: Order, items: list[Json], money: Money, excess: Money, note: str
    ) -> None:
        number, now, adjustments = self.next_id(), self.stamp(self.at(order)), []
        if excess:
            order.excess_refunded += excess
            difference = ZERO - excess
            adjustments.append(
                {
                    "amount": order.currencies.text(difference),
                    "amount_set": order.currencies.bag(difference),
                    "id": self.next_id(),
                    "kind": "refund_discrepancy",
                    "order_id": order.id,
                    "reason": "Refund discrepancy",
                    "refund_id": number,
                    "tax_amount": order.currencies.text(ZERO),
                    "tax_amount_set": order.currencies.bag(ZERO),
                }
            )
        paid = [t for t in order.transactions if t.kind in {"sale", "capture"}]
        moved = []
        if money:
            moved = [self._transact(order, "refund", money, paid[-1].gateway, paid[-1].id)]
        refund = {
            "id": number,
            "admin_graphql_api_id": gid("Refund", number),
            "created_at": now,
            "duties": [],
            "note": note,
            "order_adjustments": adjustments,
            "order_id": order.id,
            "processed_at": now,
            "refund_line_items": items,
            "refund_shipping_lines": [],
            "restock": any(item["restock_type"] != "no_restock" for item in items),
            "return": None,
            "total_duties_set": order.currencies.bag(ZERO),
            "transactions": moved,
            "user_id": None,
        }
        order.refunds.append(refund)
        self.tell(order, "refunds/create", refund)

    def cancel(self, order_id: Any, reason: str = "customer") -> Order:
        """Cancel: every open unit goes back, and so does the money."""
        if reason not in CANCEL_REASONS:
            raise RefusedError(f"no cancel reason {reason}")
        order = self._open(order_id)
        if any(line.fulfilled for line in order.lines):
            raise RefusedError("a fulfilled order cannot be cancelled")
        back = [
            {"line": line.id, "quantity": line.current, "restock_type": "cancel"}
            for line in order.lines
            if line.current
        ]
        items = [self._refund_line(order, given)[0] for given in back]
        # Set after the lines went back: from here on freight counts as gone, too.
        order.cancelled_at, order.cancel_reason = self.stamp(self.at(order)), reason
        order.closed_at = order.cancelled_at
        order.excess_refunded = ZERO
        self._refund(order, items, order.received - order.moved("refund"), ZERO, "")
        self.changed(order, "orders/cancelled")
        return order

    def delete(self, order_id: Any) -> None:
        """Remove an order for good."""
        order = self.orders.pop(self.order(order_id).id)
        self.tell(order, "orders/delete", {"id": order.id})


def _check_attributes(given: list[Json]) -> None:
    for one in given:
        if one.keys() != {"name", "value"} or not all(isinstance(v, str) for v in one.values()):
            raise RefusedError(f"a note attribute is a name and a value, both text: {one}")


def _address(given: Json | None) -> Json | None:
    if given is None:
        return None
    known(given, set(ADDRESS_KEYS), "address")
    address = dict.fromkeys(ADDRESS_KEYS) | given
    names = filter(None, (address["first_name"], address["last_name"]))
    return address | {"name": " ".join(names)}


def _application(value: str, method: str, selection: str) -> Json:
    return {
        "target_type": "line_item",
        "value": value,
        "value_type": "fixed_amount",
        "allocation_method": method,
        "target_selection": selection,
    }
