"""What people do in the sandbox shop."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from platforms.magento.sandbox_ledger import Ledger
from platforms.magento.sandbox_lines import Lines
from platforms.magento.sandbox_orders import (
    DRAFT,
    FREIGHT,
    METHODS,
    STORE,
    address,
    amended,
    fee,
    freight,
    payment,
    rebase,
    total,
)
from platforms.magento.sandbox_values import (
    NULL,
    ZERO,
    Json,
    RefusedError,
    decimal,
    known,
    second,
)

GUEST = "guest@shop.example"
CUSTOMER = set("email first_name last_name company phone vat_id group_id".split())


class Store(Ledger):
    """One shop, driven by the words all sandboxes share."""

    # -- what people do ----------------------------------------------------------------------------

    def place(self, draft: Json) -> Json:
        """Place the order a draft describes, and bring it as far as its status says."""
        known(draft, DRAFT, "draft")
        created = draft.get("created_at")
        at = datetime.fromisoformat(created) if created else self.clock()
        with self._at(at if at.tzinfo else at.replace(tzinfo=UTC)):
            order = self._make(draft, self._label("label"))
            self._begin(order, draft)
        return self.order_body(order)

    def update(self, order_id: int, changes: Json) -> Json:
        """Change note, addresses or status; other quantities make another order of it."""
        known(changes, set("quantities customer_note status billing shipping".split()), "changes")
        order = self.order(order_id)
        if changes.get("quantities"):
            order = self._edit(order, changes["quantities"])
        if "billing" in changes:
            amended(order["billing_address"], changes["billing"])
        if "shipping" in changes:
            if order["_shipping_address"] is None:
                raise RefusedError("nothing of this order is shipped")
            amended(order["_shipping_address"], changes["shipping"])
        if "customer_note" in changes:
            order["customer_note"] = changes["customer_note"]
        if "status" in changes:
            self._set_status(order, changes["status"])
        self.changed(order)
        return self.order_body(order)

    def cancel(self, order_id: int) -> Json:
        """Call an order off; one that was invoiced stays."""
        order = self.order(order_id)
        if not self.can_cancel(order):
            raise RefusedError("an order that is invoiced, held or over is not canceled")
        for row in order["items"]:
            row["qty_canceled"] = row["qty_ordered"] - row["qty_shipped"]
            self.free(row, row["qty_canceled"])
        names = {"subtotal": "subtotal", "tax_amount": "tax", "shipping_amount": "shipping"}
        order |= {f"{to}_canceled": order[name] for name, to in names.items()}
        order |= {"total_canceled": order["grand_total"], "state": "canceled", "status": "canceled"}
        rebase(order)
        self.changed(order)
        return self.order_body(order)

    def pay(self, order_id: int, given: Json | None = None) -> Json:
        """Take the money for what is not yet invoiced, or for some of it."""
        given = given or {}
        known(given, {"lines", "transaction_id"}, "payment")
        order = self.order(order_id)
        taken = self._by_sku(order, given["lines"]) if given.get("lines") else None
        self.invoice(order, taken, given.get("transaction_id"))
        return self.order_body(order)

    def ship(self, order_id: int, given: Json | None = None) -> Json:
        """Send what is not yet sent, or some of it."""
        given = given or {}
        known(given, set("lines carrier tracking source".split()), "shipment")
        order = self.order(order_id)
        taken = self._by_sku(order, given["lines"]) if given.get("lines") else None
        tracks = []
        if given.get("tracking"):
            carrier = given.get("carrier", "custom")
            tracks = [{"track_number": given["tracking"], "title": carrier.upper()}]
            tracks[0]["carrier_code"] = carrier.lower()
        self.deliver(order, taken, tracks, source=given.get("source"))
        return self.order_body(order)

    def refund(self, order_id: int, given: Json | None = None) -> Json:
        """Give money back: for lines, an amount, or with neither all that is left.

        An amount beside lines is what the credit memo comes to; the difference is an adjustment.
        """
        given = given or {}
        known(given, set("amount lines reason shipping back_to_stock".split()), "refund")
        order = self.order(order_id)
        taken = self._by_sku(order, given["lines"]) if given.get("lines") else None
        amount = given.get("amount")
        if amount is not None and taken is None:
            taken = {}
        freight_back = given.get("shipping", None if taken is None else 0)
        back = [*taken] if taken and given.get("back_to_stock") else []
        self.give_back(
            order,
            taken,
            shipping=None if freight_back is None else decimal(freight_back),
            amount=None if amount is None else decimal(amount),
            comment=given.get("reason", ""),
            back=self.leaves(order, back),
        )
        return self.order_body(order)

    def hold(self, order_id: int) -> Json:
        """Stop an order until it is let go."""
        order = self.order(order_id)
        self._set_status(order, "holded")
        self.changed(order)
        return self.order_body(order)

    def comment(self, order_id: int, given: Json) -> Json:
        """Note something on an order; that moves no date, and tells of the order all the same."""
        known(given, {"comment", "status"}, "comment")
        order = self.order(order_id)
        if "status" in given:
            self._set_status(order, given["status"])
        note = self.note(order_id, given.get("comment", ""))
        note |= {"entity_name": "order", "status": order["status"]}
        order["status_histories"].insert(0, note)
        self.notify("order.saved", order_id, order["increment_id"], order)
        return self.order_body(order)

    def add_return(self, given: Json) -> Json:
        """Somebody wants to send goods back."""
        known(given, set("order_id lines status reason".split()), "return")
        order = self.order(int(given["order_id"]))
        number = next(self._ids["note"])
        status = given.get("status", "pending")
        items = [
            {
                "entity_id": next(self._ids["row"]),
                "rma_entity_id": number,
                "order_item_id": item,
                "qty_requested": quantity,
                "qty_authorized": quantity if status != "pending" else NULL,
                "qty_approved": NULL,
                "qty_returned": NULL,
                "reason": given.get("reason", "11"),
                "condition": "8",
                "resolution": "5",
                "status": status,
            }
            for item, quantity in self._by_sku(order, given["lines"]).items()
        ]
        body = {
            "increment_id": self._label("note"),
            "entity_id": number,
            "order_id": order["entity_id"],
            "order_increment_id": order["increment_id"],
            "store_id": 1,
            "customer_id": order.get("customer_id") or NULL,
            "date_requested": self.now(),
            "customer_custom_email": order["customer_email"],
            "items": items,
            "status": status,
            "comments": [],
            "tracks": [],
            "_updated_at": self.now(),
        }
        self.returns[number] = body
        return self.shown(body)

    def change_return(self, number: int, changes: Json) -> Json:
        """Bring a return further."""
        known(changes, {"status"}, "changes")
        if number not in self.returns:
            raise RefusedError(f"no return {number}")
        body = self.returns[number]
        done = {"authorized": "qty_authorized", "received": "qty_returned"}
        for item in body["items"]:
            item["status"] = changes["status"]
            if name := done.get(changes["status"]):
                item[name] = item["qty_requested"]
        body |= {"status": changes["status"], "_updated_at": self.now()}
        return self.shown(body)

    def break_down(self, order_id: int) -> Json:
        """Spoil one order, so that it and every page with it are an internal error."""
        order = self.order(order_id)
        order["_is_broken"] = True
        return self.order_body(order)

    def add_customer(self, given: Json) -> Json:
        """Open an account."""
        return self.shown(self.people.add(given))

    # -- how the shop keeps it ---------------------------------------------------------------------

    def order_body(self, order: Json) -> Json:
        """What REST shows of an order: its rows twice, and parents inside their children."""
        body = copy.deepcopy(order)
        rows = {row["item_id"]: row for row in body["items"]}
        for row in body["items"]:
            row["parent_item"] = rows.get(row["parent_item_id"])
        if house := body["_shipping_address"]:
            shipping = {
                "address": house,
                "method": body["_shipping_method"],
                "total": {name: value for name, value in body.items() if _is_freight(name)},
            }
            assigned = {"shipping": shipping, "items": body["items"]}
            body["extension_attributes"] = {"shipping_assignments": [assigned]} | body[
                "extension_attributes"
            ]
        return self.shown(body)

    @contextmanager
    def _at(self, at: datetime) -> Iterator[None]:
        self._frozen = second(at)
        try:
            yield
        finally:
            self._frozen = None

    def _make(self, draft: Json, label: str, links: Json | None = None) -> Json:
        number, now = next(self._ids["order"]), self.now()
        currency: str = draft.get("currency") or self.seed["currency"]
        rate = decimal(self.seed["rates"].get(currency, 1))
        is_included = bool(draft.get("prices_include_tax", self.seed["prices_include_tax"]))
        lines = Lines(
            self.catalogue,
            self._ids["item"],
            self.seed["tax_rate"],
            is_included=is_included,
            rate=rate,
            now=now,
        )
        given = draft.get("lines")
        if not given:
            raise RefusedError("an order has lines")
        items = lines.make(given, number, decimal(draft.get("discount_total", 0)))
        self._promise(items)
        customer = self._customer(draft)
        billing = draft.get("billing") or {}
        email = (customer or {}).get("email") or billing.get("email") or GUEST
        ids = self._ids["address"]
        is_virtual = all(row["is_virtual"] for row in items)
        house = draft.get("shipping") or billing
        ship_to = None if is_virtual else address(house, "shipping", next(ids), number, email)
        bill_to = address(billing, "billing", next(ids), number, email)
        order: Json = {
            **_currencies(self.seed["currency"], currency, rate),
            "billing_address_id": bill_to["entity_id"],
            "coupon_code": draft.get("coupon_code"),
            "created_at": now,
            "customer_email": email,
            **self._buyer(customer, bill_to),
            "customer_note": draft.get("customer_note") or None,
            "customer_note_notify": 1,
            "discount_description": draft.get("coupon_code"),
            "email_sent": 1,
            "entity_id": number,
            "increment_id": label,
            "is_virtual": int(is_virtual),
            "protect_code": f"{number:032x}",
            "quote_id": next(self._ids["quote"]),
            "remote_ip": "203.0.113.7",
            "shipping_description": None if is_virtual else "Flat Rate - Fixed",
            "state": "new",
            "status": "pending",
            "store_id": 1,
            "store_name": STORE,
            "updated_at": now,
            **freight(
                decimal(draft.get("shipping_total", 0)),
                self._freight_rate(),
                is_included=is_included,
            ),
            **(links or {}),
            "items": items,
            "billing_address": bill_to,
            "payment": payment(self._method(draft), draft.get("po_number"), number),
            "status_histories": [],
            "extension_attributes": self._extension(draft, number, customer),
            "_shipping_address": ship_to,
            "_shipping_address_id": ship_to and ship_to["entity_id"],
            "_shipping_method": "flatrate_flatrate",
            "_shipping_rate": self._freight_rate(),
            "_is_thrown_back": False,
            "_draft": draft,
        }
        total(order)
        self.orders[number] = order
        # The shop saves once for the order and once more for the mail about it.
        for _ in range(2):
            self.notify("order.saved", number, label, order)
        return order

    def _promise(self, items: list[Json]) -> None:
        leaves = [row for row in items if self._is_leaf(row)]
        for row in leaves:
            if self.catalogue.salable(row["sku"]) < row["qty_ordered"]:
                raise RefusedError("The requested qty is not available")
        for row in leaves:
            self.catalogue.reserve(row["sku"], row["qty_ordered"])

    def _freight_rate(self) -> Decimal:
        rate = self.seed["shipping_tax_rate"]
        return decimal(self.seed["tax_rate"] if rate is None else rate)

    def _method(self, draft: Json) -> str:
        method: str = draft.get("payment_method") or (
            "purchaseorder" if draft.get("po_number") else "checkmo"
        )
        if draft.get("po_number") and method not in {"purchaseorder", "companycredit"}:
            raise RefusedError(f"{method} has no PO number")
        return method

    def _customer(self, draft: Json) -> Json | None:
        given = draft.get("customer")
        if given is None:
            return None
        known(given, CUSTOMER, "customer")
        if found := self.people.find(given["email"]):
            return found
        return self.people.add(given | {"billing": draft.get("billing") or None})

    def _buyer(self, customer: Json | None, bill_to: Json) -> Json:
        if customer is None:
            named = bill_to if self.seed["guest_names"] else {}
            return {
                "customer_firstname": named.get("firstname"),
                "customer_group_id": 0,
                "customer_is_guest": 1,
                "customer_lastname": named.get("lastname"),
            }
        return {
            "customer_firstname": customer["firstname"],
            "customer_group_id": customer["group_id"],
            "customer_id": customer["id"],
            "customer_is_guest": 0,
            "customer_lastname": customer["lastname"],
            "customer_taxvat": customer["taxvat"],
        }

    def _extension(self, draft: Json, number: int, customer: Json | None) -> Json:
        title = METHODS.get(self._method(draft), self._method(draft))
        found: Json = {"payment_additional_info": [{"key": "method_title", "value": title}]}
        company = self.people.company_of(customer) if customer else None
        if company:
            found["company_order_attributes"] = {
                "order_id": number,
                "company_id": company["id"],
                "company_name": company["company_name"],
            }
        if draft.get("fees"):
            found["custom_fees"] = [
                fee(one, number, place) for place, one in enumerate(draft["fees"], 1)
            ]
        names = {"gift_card_total": "gift_cards_amount", "store_credit": "customer_balance_amount"}
        for ours, theirs in names.items():
            if draft.get(ours):
                found |= dict.fromkeys((theirs, f"base_{theirs}"), decimal(draft[ours]))
        return found | {
            "applied_taxes": [],
            "converting_from_quote": False,
            "taxes": [],
            "additional_itemized_taxes": [],
        }

    def _begin(self, order: Json, draft: Json) -> None:
        """Bring a new order to where its status says it is."""
        status = draft.get("status", "pending")
        if status not in self.statuses:
            raise RefusedError(f"no such status: {status}")
        state = self.statuses[status]
        over = {"complete", "closed"}
        if draft.get("paid", state in {"processing", *over}):
            self.invoice(order, None)
        elif state in over:
            raise RefusedError(f"{status} is paid")
        if state == "complete" and any(self.open(order, "qty_shipped").values()):
            self.deliver(order, None, [])
        elif state == "closed":
            self.give_back(order, None, shipping=None)
        elif state == "canceled":
            self.cancel(order["entity_id"])
        elif status == "holded":
            self._set_status(order, status)
        elif state != "new" or order["state"] == "new":
            order |= {"state": state, "status": status}

    def _set_status(self, order: Json, status: str) -> None:
        """Only a status of the state the order is in; to hold and to cancel are steps."""
        if status not in self.statuses:
            raise RefusedError(f"no such status: {status}")
        state, now = self.statuses[status], order["state"]
        if status == "canceled" and now != "canceled":
            self.cancel(order["entity_id"])
        elif status == "holded" and now not in {"holded", "canceled", "complete", "closed"}:
            order |= {"hold_before_state": now, "hold_before_status": order["status"]}
            order |= {"state": "holded", "status": "holded"}
        elif now == "holded" and state == order["hold_before_state"]:
            order |= {"state": state, "status": status}
            order |= {"hold_before_state": None, "hold_before_status": None}
        elif state != now:
            text = f'The status "{status}" is not part of the order status history.'
            raise RefusedError(text)
        else:
            order["status"] = status

    def _edit(self, order: Json, quantities: dict[str, Any]) -> Json:
        """The shop cancels the order and makes another one that says whose place it takes."""
        if not self.can_cancel(order):
            raise RefusedError("an order that is invoiced, held or over is not edited")
        draft = copy.deepcopy(order["_draft"])
        draft.pop("created_at", None)
        for sku, quantity in quantities.items():
            lines = [line for line in draft["lines"] if line["sku"].lower() == sku.lower()]
            if not lines:
                raise RefusedError(f"no line of {sku}")
            lines[0]["quantity"] = quantity
            gone = lines[1:] if decimal(quantity) else lines
            draft["lines"] = [line for line in draft["lines"] if line not in gone]
        times = (order.get("edit_increment") or 0) + 1
        first = order.get("original_increment_id") or order["increment_id"]
        label = f"{first}-{times}"
        links = {
            "relation_parent_id": str(order["entity_id"]),
            "relation_parent_real_id": order["increment_id"],
            "original_increment_id": first,
            "edit_increment": times,
        }
        self.cancel(order["entity_id"])
        made = self._make(draft, label, links)
        order["relation_child_id"] = str(made["entity_id"])
        order["relation_child_real_id"] = label
        self.changed(order)
        return made

    def _by_sku(self, order: Json, lines: list[Json]) -> dict[int, Decimal]:
        """Which rows a call means; a variant's parent stands for it."""
        found: dict[int, Decimal] = {}
        for line in lines:
            known(line, {"sku", "quantity"}, "line")
            rows = [
                row["item_id"]
                for row in order["items"]
                if row["sku"].lower() == line["sku"].lower() and row["parent_item_id"] is None
            ]
            if not rows:
                raise RefusedError(f"no line of {line['sku']}")
            found[rows[0]] = decimal(line["quantity"])
        return found


def _currencies(base: str, currency: str, rate: Decimal) -> Json:
    return {
        "base_currency_code": base,
        "base_to_global_rate": Decimal(1),
        "base_to_order_rate": rate,
        "global_currency_code": base,
        "order_currency_code": currency,
        "store_currency_code": base,
        "store_to_base_rate": ZERO,
        "store_to_order_rate": ZERO,
    }


def _is_freight(name: str) -> bool:
    plain = name.removeprefix("base_").replace("_amnt", "_amount")
    return plain in FREIGHT.split()
