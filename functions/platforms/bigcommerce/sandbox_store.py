"""What people do with orders in the sandbox store, and what it keeps of it."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from platforms.bigcommerce.sandbox_blanks import (
    address,
    blank_line,
    options,
    shipment,
    shipping_address,
)
from platforms.bigcommerce.sandbox_blanks import head as head_of
from platforms.bigcommerce.sandbox_catalogue import Catalogue, Notify
from platforms.bigcommerce.sandbox_orders import LINE_FIELDS, PROMOTION, Order, price
from platforms.bigcommerce.sandbox_payments import Payments
from platforms.bigcommerce.sandbox_people import People
from platforms.bigcommerce.sandbox_shapes import (
    STATUSES,
    GoneError,
    Json,
    RefusedError,
    known,
    moment,
    money,
    number,
    rfc,
    whole,
)

DRAFT = set(
    "lines discount_total shipping_total handling_total fees prices_include_tax currency customer"
    " billing shipping po_number customer_note staff_notes status paid authorized created_at coupon"
    " payment_method external_order_id order_source channel_id shown_currency exchange_rate"
    " store_credit gift_certificate company".split()
)
LINE = LINE_FIELDS | {"bundle", "options", "ship_to"}
UPDATE = set(
    "quantities customer_note staff_notes status billing shipping external_order_id".split()
)
STATUS_IDS = {name: number_ for number_, name in STATUSES.items()}
# What a status holds of the stock: nothing before the order is one, nothing once it is off.
HOLDS_NOTHING = {0, 5, 6}
EDIT_REPEATS = 2
"""One edit in the control panel fires ``updated`` more than once."""
LINKED = {"fees": "fees", "consignments": "consignments", "products": "products"}
LINKED |= {"shipping_addresses": "shipping_addresses", "coupons": "coupons"}


class Store:
    """The orders of one store, beside its catalogue and its customers.

    Args:
        seed: what the store is like.
        clock: gives the time.
        notify: sends one webhook: scope, subject, data.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], notify: Notify) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self.orders: dict[int, Order] = {}
        self.catalogue = Catalogue(seed, clock, notify)
        self.people = People(seed, clock, notify)
        self.payments = Payments(self)
        self._ids = itertools.count(int(seed["first_id"]))
        self._line_ids = itertools.count(1)
        self._address_ids = itertools.count(1)
        self._shipment_ids = itertools.count(1)
        self._fee_ids = itertools.count(1)
        self._message_ids = itertools.count(1)

    # -- what people do in the store ---------------------------------------------------------------

    def place(self, draft: Json) -> Json:
        """Place the order a draft describes, as a buyer at the checkout does."""
        known(draft, DRAFT, "draft")
        status = self._status(draft.get("status", 11 if draft.get("paid", True) else 7))
        created = moment(draft["created_at"]) if "created_at" in draft else self.clock()
        customer = self.people.buyer(draft.get("customer"))
        company = self.people.companies.buying(draft, customer["id"] if customer else 0)
        order = self.blank(draft, customer)
        order.head |= {"date_created": rfc(created), "date_modified": rfc(created)}
        self._fill(order, draft)
        if company is None and draft.get("po_number"):
            self.people.note_po(order, str(draft["po_number"]), self.payments.metafield)
        is_online = bool(draft.get("paid", status in {2, 3, 8, 9, 10, 11}))
        order.head["payment_method"] = draft.get(
            "payment_method", "Credit Card" if is_online else "Invoice 30 days"
        )
        order.add_up()
        self.orders[order.id] = order
        self.tell("created", order)
        if is_online or draft.get("authorized"):
            self.payments.charge(order, is_held=bool(draft.get("authorized")), at=created)
        # The checkout makes an incomplete order first and moves it at once.
        self.set_status(order, status)
        self.people.companies.link(order.head, company, draft.get("po_number"))
        if status:
            self.tell("updated", order)
        return self.shown(order)

    def update(self, order_id: int, changes: Json) -> Json:
        """Change quantities by SKU, notes, addresses or the status, as staff does."""
        known(changes, UPDATE, "changes")
        order = self.order(order_id)
        if "quantities" in changes:
            self._recount(order, changes["quantities"])
        if "billing" in changes:
            billing = {name: one for name, one in address(changes["billing"]).items() if one}
            order.head["billing_address"] |= billing
        for place in order.addresses[:1] if "shipping" in changes else ():
            place |= {name: one for name, one in address(changes["shipping"]).items() if one}
        if "customer_note" in changes:
            order.head["customer_message"] = changes["customer_note"]
        for name in ("staff_notes", "external_order_id"):
            order.head[name] = changes.get(name, order.head[name])
        order.add_up()
        self.touch(order)
        if "status" in changes:
            self.set_status(order, self._status(changes["status"]))
        else:
            self.move_stock(order)
        for _ in range(EDIT_REPEATS if "quantities" in changes else 1):
            self.tell("updated", order)
        return self.shown(order)

    def cancel(self, order_id: int, given: Json | None = None) -> Json:
        """Cancel an order; its money stays where it is."""
        known(given or {}, set(), "cancel")
        return self.update(order_id, {"status": 5})

    def pay(self, order_id: int, given: Json | None = None) -> Json:
        """Take the money online, or note with ``offline`` that it came another way."""
        given = given or {}
        known(given, {"offline", "amount", "authorize", "method", "gateway", "declined"}, "pay")
        order = self.order(order_id)
        if order.head["status_id"] in {4, 5}:
            raise RefusedError("This order takes no payment any more.")
        if not given.get("offline"):
            self.payments.charge(
                order,
                amount=given.get("amount"),
                is_held=bool(given.get("authorize")),
                is_declined=bool(given.get("declined")),
                method=given.get("method", "credit_card"),
                gateway=given.get("gateway", "stripe"),
            )
        self.touch(order)
        if order.head["status_id"] in {0, 1, 6, 7}:
            self.set_status(order, 6 if given.get("declined") else 11)
        self.tell("updated", order)
        return self.shown(order)

    def refund(self, order_id: int, given: Json | None = None) -> Json:
        """Give money back for lines, as an amount, or all that is left."""
        given = given or {}
        known(given, {"amount", "lines", "reason", "offline"}, "refund")
        order = self.order(order_id)
        self.payments.refund_plainly(order, given)
        return self.shown(order)

    def ship(self, order_id: int, given: Json | None = None) -> Json:
        """Ship lines, by default all that are open; one shipment for each address."""
        given = given or {}
        known(given, {"lines", "carrier", "tracking"}, "ship")
        order = self.order(order_id)
        items = self._open(order, given.get("lines"))
        if not items:
            raise RefusedError("There is nothing left to ship.", "items")
        parcel = {
            "tracking_number": given.get("tracking", ""),
            "tracking_carrier": given.get("carrier", ""),
        }
        for place, there in items.items():
            self.dispatch(order, parcel | {"order_address_id": place, "items": there})
        return self.shown(order)

    def delete(self, order_id: int, given: Json | None = None) -> Json:
        """Archive an order; nothing is ever really deleted."""
        known(given or {}, set(), "delete")
        order = self.order(order_id)
        order.head["is_deleted"] = True
        self.touch(order)
        self.tell("archived", order)
        return self.shown(order)

    def message(self, order_id: int, text: str) -> Json:
        """A message of the buyer about an order."""
        order = self.order(order_id)
        made: Json = {"id": next(self._message_ids), "order_id": order_id, "staff_id": 0}
        made |= {"customer_id": order.head["customer_id"], "type": "customer", "subject": "Order"}
        made |= {"message": text, "status": "unread", "is_flagged": False}
        made |= {"date_created": rfc(self.clock()), "customer": {}}
        order.messages.append(made)
        data = {"type": "order", "id": order_id, "message": {"order_message_id": made["id"]}}
        self.notify("store/order/message/created", str(order_id), data)
        return copy.deepcopy(made)

    # -- what the calls of the API do too ----------------------------------------------------------

    def order(self, order_id: Any) -> Order:
        """The order of that number."""
        if order_id not in self.orders:
            raise GoneError
        return self.orders[order_id]

    def shown(self, order: Order) -> Json:
        """The record V2 shows, with links to what belongs to it."""
        body = copy.deepcopy(order.head)
        base = f"{self.seed['api']}/stores/{self.seed['store_hash']}/v2"
        for name, path in LINKED.items():
            resource = f"/orders/{order.id}/{path}"
            body[name] = {"url": base + resource, "resource": resource}
        return body

    def tell(self, event: str, order: Order) -> None:
        """Send the thin word that something happened to an order."""
        self.notify(f"store/order/{event}", str(order.id), {"type": "order", "id": order.id})

    def touch(self, order: Order) -> None:
        """The order was changed now."""
        order.head["date_modified"] = rfc(self.clock())

    def set_status(self, order: Order, status: int) -> None:
        """Move an order, its stock and whoever wants to know."""
        before = order.head["status_id"]
        order.head["status_id"] = status
        order.add_up()
        if before == status:
            return
        moved = {"previous_status_id": before, "new_status_id": status}
        data = {"type": "order", "id": order.id, "status": moved}
        self.notify("store/order/statusUpdated", str(order.id), data)
        self.move_stock(order)

    def blank(self, draft: Json, customer: Json | None) -> Order:
        """An order without lines, incomplete and not yet in the books."""
        is_inclusive = bool(draft.get("prices_include_tax", self.seed["prices_include_tax"]))
        billing = address(draft.get("billing") or {})
        for name in ("first_name", "last_name", "company", "phone", "email"):
            billing[name] = billing[name] or (customer or {}).get(name, "")
        head = head_of(next(self._ids), self.seed, draft)
        head |= {"customer_id": customer["id"] if customer else 0}
        head |= {"is_tax_inclusive_pricing": is_inclusive}
        head["billing_address"] = billing | {"form_fields": []}
        rate = number(self.seed["tax_rate"])
        order = Order(head, is_inclusive, rate)
        order.has_net_discounts = bool(self.seed["discounts_are_net"])
        order.labels = self.seed["status_labels"]
        return order

    def add_address(self, order: Order, given: Json) -> Json:
        """One more destination; its costs are written by whoever knows them."""
        base = f"{self.seed['api']}/stores/{self.seed['store_hash']}/v2"
        made = shipping_address(next(self._address_ids), order.id, base, given)
        order.addresses.append(made)
        return made

    def add_line(self, order: Order, given: Json, place: int) -> Json:
        """One line of a draft, priced; its bundle's parts follow it for nothing."""
        known(given, LINE, "line")
        variant = self.catalogue.by_sku(given.get("sku"))
        if variant is None and ("price" not in given or not given.get("name", given.get("sku"))):
            raise RefusedError(f"no SKU {given.get('sku')}; a line of its own has name and price")
        line = self.new_line(order, variant, place)
        line["quantity"] = whole(given.get("quantity"), "quantity", 1)
        line["sku"] = given.get("sku", line["sku"])
        if variant is None or "name" in given:
            name = given.get("name") or given.get("sku", "")
            line |= {"name": name, "name_customer": name, "name_merchant": name}
        rate = number(given.get("tax_rate", order.rate), "tax_rate")
        order.rates[line["id"]] = rate
        entered = number(given.get("price", variant and variant["calculated_price"]), "price")
        price(line, entered, rate, is_inclusive=order.is_inclusive)
        line["product_options"] = options(line["id"], given.get("options", []))
        if off := number(given.get("discount", 0), "discount"):
            share = {"id": PROMOTION, "amount": money(off), "name": "Summer crates", "code": None}
            line["applied_discounts"].append(share | {"target": "product"})
        for part in given.get("bundle", []):
            known(part, {"sku", "quantity"}, "bundle")
            child = self.new_line(order, self.catalogue.by_sku(part["sku"]), place)
            child["quantity"] = whole(part["quantity"], "quantity", 1) * line["quantity"]
            child |= {"parent_order_product_id": line["id"], "is_bundled_product": True}
        return line

    def new_line(self, order: Order, variant: Json | None, place: int) -> Json:
        """A line without quantity and price; what is sent by mail has no address."""
        product = self.catalogue.products[variant["product_id"]] if variant else None
        line = blank_line(next(self._line_ids), order.id, variant, product)
        if line["type"] != "digital" and order.addresses:
            line["order_address_id"] = order.addresses[place]["id"]
        order.lines.append(line)
        return line

    def add_fee(self, order: Order, name: str, entered: Decimal, **costs: Decimal) -> None:
        """A surcharge or a deposit."""
        ex, inc = order.split(entered)
        ex, inc = costs.get("cost_ex_tax", ex), costs.get("cost_inc_tax", inc)
        order.fees.append(
            {
                "id": next(self._fee_ids),
                "type": "custom_fee",
                "display_name_customer": name,
                "display_name_merchant": name,
                "source": "v2",
                "base_cost": money(entered),
                "cost_ex_tax": money(ex),
                "cost_inc_tax": money(inc),
                "cost_tax": money(inc - ex),
                "tax_class_id": 0,
            }
        )

    def dispatch(self, order: Order, parcel: Json) -> Json:
        """Send a parcel and move the order to shipped, or partly."""
        place = next((a for a in order.addresses if a["id"] == parcel["order_address_id"]), None)
        if place is None:
            raise RefusedError("The field 'order_address_id' is invalid.", "order_address_id")
        items = [self._item(order, item, place["id"]) for item in parcel["items"]]
        for line, quantity in items:
            line["quantity_shipped"] += quantity
        made = shipment(next(self._shipment_ids), order.head, place, parcel, rfc(self.clock()))
        made["items"] = [
            {
                "order_product_id": line["id"],
                "product_id": line["product_id"],
                "quantity": quantity,
            }
            for line, quantity in items
        ]
        order.shipments.append(made)
        self.tell_shipment("created", made)
        self._shipped(order)
        return made

    def recall(self, order: Order, shipment: Json) -> None:
        """Take a parcel back out of the order."""
        order.shipments.remove(shipment)
        for item in shipment["items"]:
            if line := order.line(item["order_product_id"]):
                line["quantity_shipped"] -= item["quantity"]
        self.tell_shipment("deleted", shipment)
        self._shipped(order)

    def tell_shipment(self, event: str, shipment: Json) -> None:
        """Send the thin word that something happened to a parcel."""
        data = {"type": "shipment", "id": shipment["id"], "orderId": shipment["order_id"]}
        self.notify(f"store/shipment/{event}", str(shipment["order_id"]), data)

    def move_stock(self, order: Order) -> None:
        """Bring what the order holds of each variant in step with its lines and status."""
        wanted: Counter[int] = Counter()
        if order.head["status_id"] not in HOLDS_NOTHING:
            for line in order.lines:
                wanted[line["variant_id"]] += line["quantity"]
        for variant_id in sorted({*wanted, *order.taken}):
            self.catalogue.take(variant_id, wanted[variant_id] - order.taken.get(variant_id, 0))
        order.taken = dict(wanted)

    # -- how the store keeps it --------------------------------------------------------------------

    def _fill(self, order: Order, draft: Json) -> None:
        places = draft.get("shipping") or draft.get("billing") or {}
        places = places if isinstance(places, list) else [places]
        lines = draft.get("lines", [])
        if any(self._needs_address(line) for line in lines) or not lines:
            for given in places:
                self.add_address(order, address(given))
        for line in lines:
            self.add_line(order, line, whole(line.get("ship_to", 0), "ship_to", 0, len(places) - 1))
        self._charge_way(order, draft)
        for fee in draft.get("fees", []):
            known(fee, {"name", "total"}, "fee")
            self.add_fee(order, fee["name"], number(fee["total"], "total"))
        order.manual = number(draft.get("discount_total", 0), "discount_total")
        if coupon := draft.get("coupon"):
            known(coupon, {"code", "amount"}, "coupon")
            amount = number(coupon["amount"], "amount")
            made = {"id": order.id, "coupon_id": 1, "order_id": order.id, "code": coupon["code"]}
            made |= {"amount": money(amount), "type": 2, "discount": float(amount)}
            order.coupons.append(made)

    def _needs_address(self, line: Json) -> bool:
        variant = self.catalogue.by_sku(line.get("sku"))
        return (
            variant is None or self.catalogue.products[variant["product_id"]]["type"] != "digital"
        )

    def _charge_way(self, order: Order, draft: Json) -> None:
        for name, total in (("cost", "shipping_total"), ("handling_cost", "handling_total")):
            entered = number(draft.get(total, 0), total)
            if entered and order.addresses:
                ex, inc = order.split(entered)
                order.addresses[0] |= {
                    f"base_{name}": money(entered),
                    f"{name}_ex_tax": money(ex),
                    f"{name}_inc_tax": money(inc),
                    f"{name}_tax": money(inc - ex),
                }

    def _recount(self, order: Order, quantities: Json) -> None:
        """Staff's edit makes every line anew, so that all line ids change."""
        have = {line["sku"] for line in order.lines}
        for sku in quantities:
            if sku not in have:
                self.add_line(order, {"sku": sku, "quantity": quantities[sku] or 1}, 0)
        renamed: dict[int, int] = {}
        for line in list(order.lines):
            quantity = whole(quantities.get(line["sku"], line["quantity"]), "quantity")
            rate = order.rates.pop(line["id"], order.rate)
            if not quantity:
                order.lines.remove(line)
                continue
            old, line["id"] = line["id"], next(self._line_ids)
            renamed[old] = line["id"]
            order.rates[line["id"]] = rate
            line["quantity"] = quantity
            price(line, Decimal(line["base_price"]), rate, is_inclusive=order.is_inclusive)
        for line in order.lines:
            parent = line["parent_order_product_id"]
            line["parent_order_product_id"] = renamed.get(parent)
            for option in line["product_options"]:
                option["order_product_id"] = line["id"]
        for parcel in order.shipments:
            for item in parcel["items"]:
                old = item["order_product_id"]
                item["order_product_id"] = renamed.get(old, old)

    def _status(self, given: Any) -> int:
        found = STATUS_IDS.get(given, given) if isinstance(given, str) else given
        if isinstance(found, bool) or found not in STATUSES:
            raise RefusedError(f"The field 'status_id' is invalid: {given}", "status_id")
        return int(found)

    def _open(self, order: Order, lines: list[Json] | None) -> dict[int, list[Json]]:
        """What is to be shipped, by address."""
        found: dict[int, list[Json]] = {}
        wanted = {line["sku"]: line["quantity"] for line in lines or []}
        for line in order.lines:
            open_ = line["quantity"] - line["quantity_shipped"]
            quantity = wanted.pop(line["sku"], 0) if lines else open_
            if quantity and line["order_address_id"]:
                item = {"order_product_id": line["id"], "quantity": quantity}
                found.setdefault(line["order_address_id"], []).append(item)
        if wanted:
            raise RefusedError(f"no such line: {', '.join(wanted)}", "items")
        return found

    def _item(self, order: Order, item: Any, place: int) -> tuple[Json, int]:
        known(item, {"order_product_id", "quantity"}, "item")
        line = order.line(item.get("order_product_id"))
        if line is None or line["order_address_id"] != place:
            raise RefusedError("The field 'order_product_id' is invalid.", "order_product_id")
        most = line["quantity"] - line["quantity_shipped"]
        return line, whole(item.get("quantity"), "quantity", 1, most)

    def _shipped(self, order: Order) -> None:
        physical = [line for line in order.lines if line["order_address_id"]]
        is_all = all(line["quantity_shipped"] >= line["quantity"] for line in physical)
        is_any = any(line["quantity_shipped"] for line in physical)
        order.head["date_shipped"] = rfc(self.clock()) if is_any and is_all else ""
        self.touch(order)
        self.set_status(order, 2 if is_any and is_all else 3 if is_any else 11)
        self.tell("updated", order)
