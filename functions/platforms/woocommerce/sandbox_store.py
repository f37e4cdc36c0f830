"""What people do in the sandbox store, and what it keeps of it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.woocommerce.sandbox_products import (
    SYMBOLS,
    Catalogue,
    Json,
    RefusedError,
    known,
    stamp,
)

VERSION = "11.0.0"
STATUSES = (
    "auto-draft pending processing on-hold completed cancelled refunded failed trash"
    " checkout-draft".split()
)
LABELS = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}
CENT = Decimal("0.01")
TAX_ID = 1
ADDRESS = "first_name last_name company address_1 address_2 city state postcode country".split()
DRAFT = set(
    "lines billing shipping status customer_id payment_method paid fees shipping_total customer"
    " customer_note meta_data created_at created_via prices_include_tax currency transaction_id"
    " number".split()
)
LINE = set("sku name quantity price total meta_data tax_rate".split())
TAKES_STOCK = {"processing", "on-hold", "completed"}
GIVES_STOCK = {"pending", "cancelled"}
REDUCED = "_reduced_stock"


def money(value: Decimal) -> str:
    """An amount as the store writes it."""
    return str(value.quantize(CENT, ROUND_HALF_UP))


class Store:
    """Orders, refunds, customers and products of one store.

    Args:
        seed: what the store is like.
        clock: gives the time.
        notify: sends one webhook: topic, subject, body.
    """

    def __init__(
        self,
        seed: Json,
        clock: Callable[[], datetime],
        notify: Callable[[str, int, Json], None],
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self.ids = itertools.count(int(seed["first_id"]))
        self._note_ids = itertools.count(31)
        self.orders: dict[int, Json] = {}
        self.refunds: dict[int, list[Json]] = {}
        self.notes: dict[int, list[Json]] = {}
        self.fulfillments: dict[int, list[Json]] = {}
        self.customers: dict[int, Json] = {}
        self.catalogue = Catalogue(seed, clock, notify)
        self.products = self.catalogue.products

    # -- what people do in the store ---------------------------------------------------------------

    def place(self, draft: Json) -> Json:
        """Place the order a draft describes."""
        known(draft, DRAFT, "draft")
        number = next(self.ids)
        included = bool(draft.get("prices_include_tax", self.seed["prices_include_tax"]))
        lines = [self._line(line, included) for line in draft.get("lines", [])]
        fees = [
            self._extra(one, included)
            | {"name": one.get("name", ""), "tax_class": "", "amount": ""}
            for one in draft.get("fees", [])
        ]
        shipping = []
        if draft.get("shipping_total"):
            method = {"method_title": "Pallet", "method_id": "flat_rate", "instance_id": "1"}
            shipping = [self._extra({"total": draft["shipping_total"]}, included) | method]
        created = self._moment(draft.get("created_at"))
        status = draft.get("status", "processing")
        if status not in STATUSES:
            raise RefusedError(f"no such status: {status}")
        paid = draft.get("paid", status in {"processing", "completed"})
        customer = self._customer(draft.get("customer"))
        billing = _address(draft.get("billing") or {}, "email", "phone")
        order = {
            "id": number,
            "parent_id": 0,
            "status": status,
            "currency": draft.get("currency", self.seed["currency"]),
            "version": VERSION,
            "prices_include_tax": included,
            "customer_id": draft.get("customer_id", customer),
            "order_key": (key := f"wc_order_{number:013x}"),
            "billing": billing,
            "shipping": _address(draft.get("shipping") or {}, "phone"),
            "payment_method": draft.get("payment_method", "card"),
            "payment_method_title": "Card",
            "transaction_id": draft.get("transaction_id", ""),
            "customer_ip_address": "192.0.2.7",
            "customer_user_agent": "Mozilla/5.0",
            "created_via": draft.get("created_via", "checkout"),
            "customer_note": draft.get("customer_note", ""),
            "cart_hash": "",
            "number": str(draft.get("number", number)),
            "payment_url": f"{self.seed['store']}checkout/order-pay/{number}/?key={key}",
            "meta_data": [
                {"id": 9000 + place} | one for place, one in enumerate(draft.get("meta_data", []))
            ],
            "line_items": lines,
            "shipping_lines": shipping,
            "fee_lines": fees,
            "coupon_lines": [],
            "refunds": [],
        }
        self._total(order)
        self.stamp(order, "date_created", created)
        self.stamp(order, "date_modified", created)
        self.stamp(order, "date_paid", created if paid else None)
        self.stamp(order, "date_completed", created if status == "completed" else None)
        order["currency_symbol"] = SYMBOLS.get(order["currency"], order["currency"])
        self.orders[number] = order
        moved = self._move_stock(order)
        # A cart that became a draft fires no ``created``.
        topics = ["order.updated"] if "draft" in status else ["order.updated", "order.created"]
        for topic in topics:
            self.notify(topic, number, order)
        for product_id in moved:
            self.catalogue.changed(product_id)
        return copy.deepcopy(order)

    def update(self, order_id: int, changes: Json) -> Json:
        """Change status, note, addresses or the quantity of lines by SKU."""
        known(changes, {"status", "customer_note", "billing", "shipping", "quantities"}, "changes")
        order = self._order(order_id)
        if changes.get("status", "pending") not in STATUSES:
            raise RefusedError(f"no such status: {changes['status']}")
        for sku, quantity in changes.get("quantities", {}).items():
            self._set_quantity(order, sku, quantity)
        for name in ("billing", "shipping"):
            order[name] |= changes.get(name, {})
        order["customer_note"] = changes.get("customer_note", order["customer_note"])
        return self.save(order, changes.get("status"))

    def save(self, order: Json, status: str | None = None) -> Json:
        """Keep a changed order, in another state perhaps; nothing is told of one in the bin."""
        is_told = order["status"] != "trash"
        if status and status != order["status"]:
            was, now = (LABELS.get(one, one) for one in (order["status"], status))
            order["status"] = status
            self.note(order["id"], f"Order status changed from {was} to {now}.")
            if status == "completed":
                self.stamp(order, "date_completed", self.clock())
        is_paid = order["status"] in {"processing", "completed"}
        if order["status"] == "processing" and order["payment_method"] == "cod":
            is_paid = False
        if is_paid and not order["date_paid_gmt"]:
            self.stamp(order, "date_paid", self.clock())
        self._total(order)
        moved = self._move_stock(order)
        self.stamp(order, "date_modified", self.clock())
        if is_told:
            self.notify("order.updated", order["id"], order)
        for product_id in moved:
            self.catalogue.changed(product_id)
        return copy.deepcopy(order)

    def note(self, order_id: int, text: str, *, author: str = "WooCommerce", **more: bool) -> Json:
        """Write a note to an order, which changes nothing of the order itself."""
        note = {"id": next(self._note_ids), "author": author}
        self.stamp(note, "date_created", self.clock())
        note |= {"note": text, "customer_note": False} | more
        self.notes.setdefault(order_id, []).insert(0, note)
        return copy.deepcopy(note)

    def refund(self, order_id: int, amount: str, lines: list[Json], reason: str = "") -> Json:
        """Give money back; what was ordered stays as it is."""
        order = self._order(order_id)
        if Decimal(amount) > self.left(order):
            raise RefusedError("Invalid refund amount.")
        number = next(self.ids)
        taken = [self._refund_line(order, line) for line in lines]
        refund: Json = {"id": number, "amount": money(Decimal(amount)), "reason": reason}
        refund |= {"refunded_by": 1, "refunded_payment": False, "meta_data": []}
        taxes = sum((Decimal(line["total_tax"]) for line in taken), Decimal(0))
        share = {"id": next(self.ids), "tax_total": money(taxes), "shipping_tax_total": "0.00"}
        refund |= {"line_items": taken, "shipping_lines": [], "fee_lines": []}
        refund |= {"tax_lines": [order["tax_lines"][0] | share] if taxes else []}
        self.stamp(refund, "date_created", self.clock())
        return self.keep_refund(order, refund)

    def keep_refund(self, order: Json, refund: Json) -> Json:
        """File a refund with its order, which is refunded once nothing is left of it."""
        self.refunds.setdefault(order["id"], []).append(refund)
        row = {"id": refund["id"], "reason": refund["reason"] or ""}
        row["total"] = money(-Decimal(refund["amount"]))
        order["refunds"] = [row, *order["refunds"]]
        if not self.left(order):
            order["status"] = "refunded"
        self.stamp(order, "date_modified", self.clock())
        self.notify("order.updated", order["id"], order)
        return copy.deepcopy(refund)

    def left(self, order: Json) -> Decimal:
        """What of an order's money can still be given back."""
        given = self.refunds.get(order["id"], [])
        return Decimal(order["total"]) - sum((Decimal(one["amount"]) for one in given), Decimal(0))

    def trash(self, order_id: int, *, is_forced: bool = False) -> Json:
        """Put an order into the bin; erasing it sends nothing."""
        order = self._order(order_id)
        if is_forced:
            del self.orders[order_id]
            return {"id": order_id}
        order["status"] = "trash"
        self.stamp(order, "date_modified", self.clock())
        self.notify("order.deleted", order_id, {"id": order_id})
        return {"id": order_id}

    def restore(self, order_id: int) -> Json:
        """Take an order out of the bin."""
        order = self._order(order_id)
        order["status"] = "pending"
        self._total(order)
        self.stamp(order, "date_modified", self.clock())
        self.notify("order.restored", order_id, order)
        return copy.deepcopy(order)

    def change_customer(self, customer_id: int, changes: Json) -> Json:
        """Change an account."""
        customer = self.customers[customer_id]
        customer |= changes
        self.stamp(customer, "date_modified", self.clock())
        self.notify("customer.updated", customer_id, customer)
        return copy.deepcopy(customer)

    def delete_customer(self, customer_id: int) -> Json:
        """Erase an account; its orders keep its number."""
        del self.customers[customer_id]
        self.notify("customer.deleted", customer_id, {"id": customer_id})
        return {"id": customer_id}

    def create_product(self, row: Json) -> Json:
        """Add a product, or a variation to one."""
        return self.catalogue.create(row)

    def change_product(self, product_id: int, changes: Json) -> Json:
        """Set price, stock, name or status, even to what it was."""
        return self.catalogue.change(product_id, changes)

    def trash_product(self, product_id: int, *, is_forced: bool = False) -> Json:
        """Put a product into the bin; erasing it sends nothing."""
        return self.catalogue.trash(product_id, is_forced=is_forced)

    def restore_product(self, product_id: int) -> Json:
        """Take a product out of the bin."""
        return self.catalogue.restore(product_id)

    # -- how the store keeps it --------------------------------------------------------------------

    def _line(self, given: Json, included: bool) -> Json:
        known(given, LINE, "line")
        product = self.catalogue.by_sku(given.get("sku")) or {}
        quantity, price = given["quantity"], Decimal(str(given.get("price") or product["price"]))
        before, before_tax = self._split(price * quantity, included, given.get("tax_rate"))
        after, after_tax = before, before_tax
        if "total" in given:
            after, after_tax = self._split(Decimal(given["total"]), included, given.get("tax_rate"))
        taxes = [{"id": TAX_ID, "total": money(after_tax), "subtotal": money(before_tax)}]
        return {
            "id": next(self.ids),
            "name": given.get("name") or product.get("name", given.get("sku", "")),
            "product_id": product.get("parent_id") or product.get("id", 0),
            "variation_id": product.get("id", 0) if product.get("parent_id") else 0,
            "quantity": quantity,
            "tax_class": "",
            "subtotal": money(before),
            "subtotal_tax": money(before_tax),
            "total": money(after),
            "total_tax": money(after_tax),
            "taxes": taxes if after_tax or before_tax else [],
            "meta_data": [shown_meta(one) for one in given.get("meta_data", [])],
            "sku": given.get("sku"),
            "price": float(after / quantity) if quantity else 0,
            "image": {"id": "", "src": ""},
            "parent_name": self.products.get(product.get("parent_id", 0), {}).get("name"),
        }

    def _extra(self, given: Json, included: bool) -> Json:
        total = Decimal(str(given["total"]))
        is_free = given.get("tax_status") == "none"
        net, tax = (total, Decimal(0)) if is_free else self._split(total, included, None)
        return {
            "id": next(self.ids),
            "tax_status": "none" if is_free else "taxable",
            "total": money(net),
            "total_tax": money(tax),
            "taxes": [] if is_free else [{"id": TAX_ID, "total": money(tax), "subtotal": ""}],
            "meta_data": [],
        }

    def _split(self, price: Decimal, included: bool, rate: Any) -> tuple[Decimal, Decimal]:
        """Net and tax of a price, rounded by line; what the store keeps is always net."""
        part = Decimal(str(self.seed["tax_rate"] if rate is None else rate)) / 100
        if not included:
            return price.quantize(CENT, ROUND_HALF_UP), (price * part).quantize(CENT, ROUND_HALF_UP)
        net = (price / (1 + part)).quantize(CENT, ROUND_HALF_UP)
        return net, price - net

    def _set_quantity(self, order: Json, sku: str, quantity: int) -> None:
        for line in list(order["line_items"]):
            if line["sku"] != sku:
                continue
            order["line_items"].remove(line)
            if quantity:
                one = Decimal(line["subtotal"]) / line["quantity"]
                net = one * quantity
                part = Decimal(str(self.seed["tax_rate"])) / 100
                sums = {"subtotal": money(net), "total": money(net)}
                taxes = {"subtotal_tax": money(net * part), "total_tax": money(net * part)}
                share = {"id": TAX_ID, "total": money(net * part), "subtotal": money(net * part)}
                order["line_items"].append(
                    line | {"quantity": quantity, "taxes": [share]} | sums | taxes
                )

    def _total(self, order: Json) -> None:
        lines, shipping, fees = order["line_items"], order["shipping_lines"], order["fee_lines"]

        def added(listed: list[Json], name: str) -> Decimal:
            return sum((Decimal(one[name]) for one in listed), Decimal(0))

        cart_tax = added([*lines, *fees], "total_tax")
        shipping_tax = added(shipping, "total_tax")
        net = added([*lines, *fees, *shipping], "total")
        order |= {
            "discount_total": money(added(lines, "subtotal") - added(lines, "total")),
            "discount_tax": money(added(lines, "subtotal_tax") - added(lines, "total_tax")),
            "shipping_total": money(added(shipping, "total")),
            "shipping_tax": money(shipping_tax),
            "cart_tax": money(cart_tax),
            "total_tax": money(cart_tax + shipping_tax),
            "total": money(net + cart_tax + shipping_tax),
            "is_editable": order["status"] in {"pending", "on-hold", "auto-draft"},
            "needs_payment": order["status"] in {"pending", "failed"} and bool(net),
            "needs_processing": bool(lines),
            "tax_lines": [
                {
                    "id": 1,
                    "rate_code": "GB-VAT-1",
                    "rate_id": TAX_ID,
                    "label": "VAT",
                    "compound": False,
                    "tax_total": money(cart_tax),
                    "shipping_tax_total": money(shipping_tax),
                    "rate_percent": self.seed["tax_rate"],
                    "meta_data": [],
                }
            ],
        }

    def _refund_line(self, order: Json, given: Json) -> Json:
        line = next(one for one in order["line_items"] if one["sku"] == given["sku"])
        part = Decimal(given["quantity"]) / line["quantity"]
        tax = money(-Decimal(line["total_tax"]) * part)
        net = money(-Decimal(line["total"]) * part)
        link = {"id": 1, "key": "_refunded_item_id", "value": str(line["id"])}
        taken: Json = line | {
            "id": next(self.ids),
            "quantity": -given["quantity"],
            "subtotal": net,
            "subtotal_tax": tax,
            "total": net,
            "total_tax": tax,
            "taxes": [{"id": TAX_ID, "total": tax, "subtotal": tax}],
            "meta_data": [shown_meta(link)],
        }
        return taken

    def _customer(self, given: Json | None) -> int:
        if given is None:
            return 0
        number = next(self.ids)
        billing = _address(given.get("billing", {}), "email", "phone")
        customer = {"id": number, "email": given["email"], "role": "customer", "username": "u"}
        customer |= {name: given.get(name, "") for name in ("first_name", "last_name")}
        customer |= {"billing": billing, "shipping": _address({}, "phone"), "meta_data": []}
        customer |= {"is_paying_customer": False, "avatar_url": "https://avatar.example/?s=96"}
        for name in ("date_created", "date_modified"):
            self.stamp(customer, name, self.clock())
        self.customers[number] = customer
        self.notify("customer.created", number, customer)
        return number

    def _move_stock(self, order: Json) -> list[int]:
        """Take what a paid order needs, give back what a cancelled one held; whose count moved."""
        moved = []
        for line in order["line_items"]:
            product = self.catalogue.counted(line["variation_id"] or line["product_id"])
            if product is None:
                continue
            held = sum(int(one["value"]) for one in line["meta_data"] if one["key"] == REDUCED)
            wanted = held
            if order["status"] in TAKES_STOCK:
                wanted = line["quantity"]
            elif order["status"] in GIVES_STOCK:
                wanted = 0
            if wanted == held:
                continue
            kept = [one for one in line["meta_data"] if one["key"] != REDUCED]
            note = {"id": next(self.ids), "key": REDUCED, "value": str(wanted)}
            line["meta_data"] = kept + ([shown_meta(note)] if wanted else [])
            product["stock_quantity"] -= wanted - held
            moved.append(product["id"])
        return moved

    def _order(self, order_id: int) -> Json:
        if order_id not in self.orders:
            raise RefusedError(f"no order {order_id}")
        return self.orders[order_id]

    def _moment(self, text: str | None) -> datetime:
        return datetime.fromisoformat(text) if text else self.clock()

    def stamp(self, body: Json, name: str, at: datetime | None) -> None:
        """The store's own time beside UTC, neither with its offset, in whole seconds."""
        stamp(body, name, at, self.seed["time_offset"])


def shown_meta(meta: Json) -> Json:
    """A line's meta as the store shows it, with what a person would read beside it."""
    return {"display_key": meta["key"], "display_value": meta["value"]} | meta


def _address(given: Json, *more: str) -> Json:
    return {name: given.get(name, "") for name in (*ADDRESS, *more)}
