"""Invoices, shipments and credit memos in the sandbox shop: what they do to orders and stock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from platforms.magento import sandbox_documents as documents
from platforms.magento.sandbox_catalogue import Catalogue
from platforms.magento.sandbox_documents import Taken
from platforms.magento.sandbox_lines import BASED
from platforms.magento.sandbox_orders import STATUSES, cards_of, rebase
from platforms.magento.sandbox_people import People
from platforms.magento.sandbox_values import ZERO, Json, RefusedError, second, shown, with_base

Notify = Callable[[str, int, str, Json], None]
STATUS_OF = {"new": "pending"}
IMMATERIAL = {"configurable", "bundle", "virtual"}


class Ledger:
    """Orders and what came of them, customers, companies, products and stock of one shop.

    Args:
        seed: what the shop is like.
        clock: gives the time.
        notify: tells of one change: event, entity id, what people call it, its body.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self._frozen: str | None = None
        first = int(seed["first_id"])
        self._ids = {
            name: itertools.count(first + place * 1000)
            for place, name in enumerate(
                "order label quote item address invoice shipment creditmemo row note".split()
            )
        }
        self.statuses = STATUSES | seed["statuses"]
        self.orders: dict[int, Json] = {}
        self.invoices: dict[int, Json] = {}
        self.shipments: dict[int, Json] = {}
        self.credit_memos: dict[int, Json] = {}
        self.returns: dict[int, Json] = {}
        self.catalogue = Catalogue(seed, self.now, notify)
        has_companies = "Magento_Company" in seed["modules"]
        self.people = People(first, self.now, notify, has_companies=has_companies)

    def now(self) -> str:
        """The time as the shop writes it."""
        return self._frozen or second(self.clock())

    def shown(self, body: Json) -> Json:
        """A body as REST answers with it."""
        result: Json = shown(body, is_noisy=bool(self.seed["float_noise"]))
        return result

    def invoice(
        self, order: Json, taken: dict[int, Decimal] | None, transaction: str | None = None
    ) -> Json:
        """Make an invoice and take its money."""
        rest = self.open(order, "qty_invoiced")
        wanted = {item: qty for item, qty in (rest if taken is None else taken).items() if qty}
        if not wanted or order["state"] in {"holded", "canceled", "complete", "closed"}:
            text = "Invoice Document Validation Error(s):\n"
            text += "The invoice can't be created without products. Add products and try again."
            if order["state"] in {"holded", "canceled", "complete", "closed"}:
                text += "\nAn invoice cannot be created when an order has a status of "
                text += order["status"]
            raise RefusedError(text)
        if any(qty > rest.get(item, ZERO) for item, qty in wanted.items()):
            raise RefusedError("We found an invalid quantity to invoice item")
        rows = documents.with_children(order, wanted)
        number = next(self._ids["invoice"])
        label = f"{number:09d}"
        body = documents.invoice(order, rows, number, label, self.now(), self._ids["row"])
        body["transaction_id"] = transaction
        for (row, qty), line in zip(rows, body["items"], strict=True):
            row["qty_invoiced"] += qty
            row["row_invoiced"] += line.get("row_total") or ZERO
            row["tax_invoiced"] += line.get("tax_amount") or ZERO
            row["discount_invoiced"] += line.get("discount_amount") or ZERO
        for name in ("subtotal", "tax_amount", "shipping_amount", "discount_amount"):
            _raise_by(order, f"{name.removesuffix('_amount')}_invoiced", body[name])
        for name in ("total_invoiced", "total_paid"):
            _raise_by(order, name, body["grand_total"])
        order["total_due"] = order["grand_total"] - order["total_paid"]
        _raise_by(order["payment"], "amount_paid", body["grand_total"])
        _raise_by(order["payment"], "shipping_captured", body["shipping_amount"])
        if transaction:
            order["payment"]["last_trans_id"] = transaction
        self.invoices[number] = body
        self._settle(order)
        self.notify("invoice.saved", number, label, body)
        self.changed(order)
        return body

    def deliver(
        self,
        order: Json,
        taken: dict[int, Decimal] | None,
        tracks: list[Json],
        *,
        source: str | None = None,
    ) -> Json:
        """Send goods; more than is left is cut to what is left."""
        source = source or self.catalogue.sources[0]
        rest = self.open(order, "qty_shipped")
        wanted = {
            item: min(qty, rest.get(item, ZERO))
            for item, qty in (rest if taken is None else taken).items()
            if min(qty, rest.get(item, ZERO)) > 0
        }
        if not wanted or order["state"] in {"holded", "canceled", "closed"}:
            text = "Shipment Document Validation Error(s):\n"
            if order["state"] in {"holded", "canceled", "closed"} or not any(rest.values()):
                text += "The order does not allow a shipment to be created.\n"
            raise RefusedError(text + "You can't create a shipment without products.")
        rows = documents.with_children(order, wanted)
        leaves = [(row, qty) for row, qty in rows if self._is_leaf(row)]
        if not all(self.catalogue.has(row["sku"], source, qty) for row, qty in leaves):
            raise RefusedError("Not all of your products are available in the requested quantity")
        number = next(self._ids["shipment"])
        label, now = f"{number:09d}", self.now()
        body = documents.shipment(order, rows, number, label, now, self._ids["row"], source)
        for one in tracks:
            made = documents.track(one, order["entity_id"], number, next(self._ids["row"]), now)
            body["tracks"].append(made)
        for row, qty in rows:
            if not documents.is_variant(order, row):
                row["qty_shipped"] += qty
        self.shipments[number] = body
        for row, qty in leaves:
            self.catalogue.reserve(row["sku"], -qty)
            self.catalogue.take(row["sku"], source, qty)
        self._settle(order)
        self.notify("shipment.saved", number, label, body)
        self.changed(order)
        return body

    def give_back(
        self,
        order: Json,
        taken: dict[int, Decimal] | None,
        *,
        shipping: Decimal | None,
        amount: Decimal | None = None,
        comment: str = "",
        back: list[int] | None = None,
    ) -> Json:
        """Make a credit memo; no lines mean all that is left, no freight all that is left of it."""
        rest = self.open(order, "qty_refunded")
        is_all = taken is None
        wanted = {item: qty for item, qty in (rest if taken is None else taken).items() if qty}
        if order["state"] == "closed" or order.get("total_paid") is None:
            raise RefusedError("The credit memo can't be created for the order.")
        for item, qty in wanted.items():
            if qty > rest.get(item, ZERO):
                raise RefusedError("We found an invalid quantity to refund item")
        left = order["shipping_amount"] - (order.get("shipping_refunded") or ZERO)
        shipping = left if shipping is None else shipping
        if shipping > left:
            raise RefusedError(f"Maximum shipping amount allowed to refund is: {left}")
        rows = documents.with_children(order, wanted)
        extra = {"shipping": shipping, "positive": ZERO, "negative": ZERO}
        extra["fees"] = self._fees(order) if is_all else ZERO
        number = next(self._ids["creditmemo"])
        label = f"{number:09d}"

        def made() -> Json:
            ids = self._ids["row"]
            return documents.credit_memo(order, rows, number, label, self.now(), ids, extra)

        body = made()
        if amount is not None:
            more = amount - body["grand_total"]
            extra["positive"], extra["negative"] = max(more, ZERO), max(-more, ZERO)
            body = made()
        money_left = order["total_paid"] - (order.get("total_refunded") or ZERO)
        over = body["grand_total"] - money_left
        if amount is None and ZERO < over <= cards_of(order):
            # What was paid by card or credit goes back to it, and is no money here.
            extra["fees"] -= over
            body = made()
        if body["grand_total"] > money_left or body["grand_total"] < 0:
            raise RefusedError(f"The most money available to refund is {money_left}.")
        if comment:
            body["comments"].append(self.note(number, comment))
        self._refunded(order, rows, body, back or [])
        self.credit_memos[number] = body
        self._settle(order, is_refund=True)
        self.notify("creditmemo.saved", number, label, body)
        self.changed(order)
        return body

    def note(self, parent: int, text: str) -> Json:
        """A comment on a document."""
        return {
            "is_customer_notified": 0,
            "parent_id": parent,
            "comment": text,
            "is_visible_on_front": 0,
            "created_at": self.now(),
            "entity_id": next(self._ids["note"]),
        }

    def order(self, order_id: int) -> Json:
        """An order, or a refusal."""
        if order_id in self.orders:
            return self.orders[order_id]
        raise RefusedError(f"no order {order_id}")

    def can_cancel(self, order: Json) -> bool:
        """Nothing invoiced, nothing over."""
        is_open = order["state"] in {"new", "pending_payment", "processing", "payment_review"}
        return is_open and order.get("total_invoiced") is None

    def open(self, order: Json, done: str) -> dict[int, Decimal]:
        """What is left to invoice, ship or refund of each row a call can name."""
        found = {}
        for row in order["items"]:
            if row["parent_item_id"] is not None or (done == "qty_shipped" and row["is_virtual"]):
                continue
            limit = row["qty_ordered"] - row["qty_canceled"]
            if done == "qty_refunded":
                limit = row["qty_invoiced"]
            if done == "qty_shipped":
                limit -= row["qty_refunded"]
            found[row["item_id"]] = max(limit - row[done], ZERO)
        return found

    def changed(self, order: Json) -> None:
        """An order was saved."""
        order["updated_at"] = self.now()
        rebase(order)
        for row in order["items"]:
            with_base(row, BASED, order["base_to_order_rate"])
        self.notify("order.saved", order["entity_id"], order["increment_id"], order)

    def leaves(self, order: Json, ids: list[int]) -> list[int]:
        """The rows below these, or these, that are goods."""
        return [
            row["item_id"]
            for row in order["items"]
            if self._is_leaf(row) and {row["item_id"], row["parent_item_id"]} & set(ids)
        ]

    def free(self, row: Json, quantity: Decimal) -> None:
        """An order gives up what was promised to it."""
        if self._is_leaf(row):
            self.catalogue.reserve(row["sku"], -quantity)

    def _label(self, kind: str) -> str:
        return f"{next(self._ids[kind]):09d}"

    def _is_leaf(self, row: Json) -> bool:
        return row["product_type"] not in IMMATERIAL and row["product_id"] is not None

    def _settle(self, order: Json, *, is_refund: bool = False) -> None:
        """State and status after a document.

        After goods were refunded before they left, a later refund throws a complete order back to
        new and the one after that brings it back: as seen.
        """
        state = order["state"]
        is_open = any(self.open(order, "qty_invoiced").values()) or any(
            self.open(order, "qty_shipped").values()
        )
        refunded = order.get("total_refunded") or ZERO
        if (
            is_refund
            and not any(self.open(order, "qty_refunded").values())
            and (refunded >= order["total_paid"])
        ):
            state = "closed"
        elif is_refund and order["_is_thrown_back"] and state in {"complete", "new"}:
            state = "new" if state == "complete" else "complete"
        elif not is_open:
            state = "complete"
        else:
            state = "processing"
        if state != order["state"]:
            order |= {"state": state, "status": STATUS_OF.get(state, state)}

    def _fees(self, order: Json) -> Decimal:
        """What is left of the fees to give back."""
        left = ZERO
        for one in order["extension_attributes"].get("custom_fees", []):
            left += one["custom_fee_amount"] - one["custom_fee_amount_refunded"]
            one["custom_fee_amount_refunded"] = one["custom_fee_amount"]
        return left

    def _refunded(self, order: Json, rows: Taken, body: Json, back: list[int]) -> None:
        for (row, quantity), line in zip(rows, body["items"], strict=True):
            if self._is_leaf(row):
                self._return(order, row, quantity, is_back=row["item_id"] in back)
            _raise_by(row, "amount_refunded", line.get("row_total") or ZERO)
            _raise_by(row, "tax_refunded", line.get("tax_amount") or ZERO)
            _raise_by(row, "discount_refunded", line.get("discount_amount") or ZERO)
        for row, quantity in rows:
            row["qty_refunded"] += quantity
        for name in ("subtotal", "tax_amount", "shipping_amount", "discount_amount"):
            _raise_by(order, f"{name.removesuffix('_amount')}_refunded", body[name])
        for name in ("adjustment_positive", "adjustment_negative"):
            _raise_by(order, name, body[name])
        for name in ("total_refunded", "total_offline_refunded"):
            _raise_by(order, name, body["grand_total"])
        _raise_by(order["payment"], "amount_refunded", body["grand_total"])
        _raise_by(order["payment"], "shipping_refunded", body["shipping_amount"])

    def _return(self, order: Json, row: Json, quantity: Decimal, *, is_back: bool) -> None:
        """What has not left is given up first: without a way back it is counted as gone."""
        by_parent = documents.is_variant(order, row)
        top = row["parent_item_id"] if by_parent else row["item_id"]
        shipped = next(one["qty_shipped"] for one in order["items"] if one["item_id"] == top)
        here = min(max(row["qty_ordered"] - shipped - row["qty_refunded"], ZERO), quantity)
        source = self.catalogue.sources[0]
        if here:
            order["_is_thrown_back"] = True
            self.free(row, here)
            if not is_back:
                self.catalogue.take(row["sku"], source, here)
        if is_back and quantity > here:
            self.catalogue.take(row["sku"], source, here - quantity)


def _raise_by(body: Json, name: str, amount: Decimal) -> None:
    body[name] = (body.get(name) or ZERO) + amount
