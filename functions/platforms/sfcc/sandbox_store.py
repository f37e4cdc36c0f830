"""What people do in the sandbox shop, and what it keeps of it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from platforms.sfcc.sandbox_order import CUSTOMER, PAYMENT, SHIPPING, STATUSES, OrderForm, one_of
from platforms.sfcc.sandbox_products import Catalogue
from platforms.sfcc.sandbox_sums import Ids, Json, RefusedError, address, flat, known, shown, stamp

MOVES = {
    "created": {"new", "failed"},
    "new": {"open", "completed", "cancelled"},
    "open": {"new", "completed", "cancelled"},
    "completed": set(),
    "cancelled": {"new", "completed"},
    "failed": {"created"},
    "replaced": set(),
}
HOLDS_STOCK = {"created", "new", "open", "completed"}
EVENTS = {"cancelled": "order.cancelled", "failed": "order.failed"}
CHANGES = {"quantities", "customer_note", "status", "billing", "shipping", "po_number", "custom"}


class Store:
    """Orders, customers, products and stock of one tenant.

    Args:
        seed: what the shop is like.
        clock: gives the time.
        notify: tells the cartridge: event, site, the key's name and value.
    """

    def __init__(
        self,
        seed: Json,
        clock: Callable[[], datetime],
        notify: Callable[[str, str, str, str], None],
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.notify = notify
        self._ids = Ids()
        self._order_numbers = itertools.count(int(seed["first_id"]))
        # Far from the orders, so that nobody takes one for the other.
        self._customer_numbers = itertools.count(int(seed["first_id"]) + 90_000)
        self.orders: dict[str, Json] = {}
        self.customers: dict[str, Json] = {}
        self.catalogue = Catalogue(seed["products"], clock)
        self.products = self.catalogue.rows
        self._onhand: dict[tuple[str, str], tuple[Decimal, datetime]] = {}
        for one in seed["products"]:
            if one.get("stock") is not None:
                self._count(one["sku"], seed["locations"][0], one["stock"])
        self._drafts: dict[str, Json] = {}
        self._paid: dict[str, Decimal] = {}
        self._shipped: dict[str, dict[str, Decimal]] = {}
        self._refunded: dict[str, Decimal] = {}
        self._history: dict[str, list[tuple[datetime, Json]]] = {}
        self._form = OrderForm(seed, lambda sku: self.products.get(sku, {}), self._ids)

    # -- what people do in the shop ----------------------------------------------------------------

    def place(self, draft: Json) -> Json:
        """Place the order a draft describes; with the status ``created`` it is not placed yet."""
        draft = copy.deepcopy(draft)
        number = f"{next(self._order_numbers):08d}"
        at = datetime.fromisoformat(draft["created_at"]) if "created_at" in draft else self.clock()
        if at.tzinfo is None:
            raise RefusedError("created_at has no zone")
        # Looked at before a customer is made for it.
        self._reserve(self._form.order(number, draft, None, at))
        buyer = self._buyer(draft.get("customer"), draft)
        order = self._form.order(number, draft, buyer, at)
        self.orders[number] = order
        self._drafts[number] = draft
        self._paid[number] = order["orderTotal"] if draft.get("paid") else Decimal(0)
        self._keep(order)
        event = EVENTS.get(order["status"], "order.placed")
        if order["status"] != "created":
            self._tell(event, order)
        return self.shown(number)

    def update(self, number: str, changes: Json) -> Json:
        """Change status, texts or addresses; changed quantities make another order."""
        known(changes, CHANGES, "changes")
        changes = copy.deepcopy(changes)
        quantities = changes.pop("quantities", None)
        if quantities is not None and not self.seed["edits_in_place"]:
            return self.replace(number, quantities, changes)
        order, draft = copy.deepcopy(self._order(number)), copy.deepcopy(self._drafts[number])
        self._rewrite(order, draft, changes)
        if quantities is not None:
            self._take_over(draft, quantities)
            till = self._form.till(draft)
            order["productItems"] = self._form.lines(draft, till)
            till.total(order)
            self._note_payment(order, self._paid.get(number, Decimal(0)))
        event = "order.changed"
        if status := changes.get("status"):
            was = order["status"]
            self._move(order, status)
            event = EVENTS.get(order["status"], event)
            event = "order.placed" if (was, status) == ("created", "new") else event
        self._commit(order, draft, event)
        return self.shown(number)

    def replace(self, number: str, quantities: Json, changes: Json | None = None) -> Json:
        """Edit an order as the service centre does: a new one takes the place of the old."""
        old = copy.deepcopy(self._order(number))
        if old["status"] not in {"new", "open"}:
            raise RefusedError(f"an order that is {old['status']} is not replaced")
        draft = copy.deepcopy(self._drafts[number])
        self._take_over(draft, quantities)
        draft.pop("created_at", None)
        draft["status"] = old["status"]
        later = f"{next(self._order_numbers):08d}"
        buyer = self.customers.get(old["customerInfo"].get("customerNo", ""))
        order = self._form.order(later, draft, buyer, self.clock())
        self._rewrite(order, draft, changes or {})
        if status := (changes or {}).get("status"):
            self._move(order, status)
        order["originalOrderNo"] = old.get("originalOrderNo", number)
        order["replacedOrderNo"] = number
        old |= {"status": "replaced", "replacementOrderNo": later}
        self._commit(old, self._drafts[number], "order.changed")
        self.orders[later], self._drafts[later] = order, draft
        self._paid[later] = self._paid.get(number, Decimal(0))
        self._note_payment(order, self._paid[later])
        self._keep(order)
        self._tell("order.placed", order)
        return self.shown(later)

    def cancel(self, number: str) -> Json:
        """Cancel an order; stock and coupons are free again."""
        return self.update(number, {"status": "cancelled"})

    def pay(self, number: str, amount: Any = None) -> Json:
        """Take the money, or a part of it."""
        order = copy.deepcopy(self._order(number))
        total = order["orderTotal"]
        paid = self._paid.get(number, Decimal(0))
        paid = total if amount is None else paid + Decimal(str(amount))
        if not 0 < paid <= total:
            raise RefusedError(f"{paid} of {total}")
        self._note_payment(order, paid)
        self._paid[number] = paid
        self._commit(order, None, "order.paid" if paid == total else "order.changed")
        return self.shown(number)

    def refund(self, number: str, amount: Any) -> Json:
        """Note money given back, where the merchant has an attribute for it."""
        name = self.seed["refund_attribute"]
        if name is None:
            raise RefusedError("orders of this shop know no refunds")
        order = copy.deepcopy(self._order(number))
        given = self._refunded.get(number, Decimal(0)) + Decimal(str(amount))
        if Decimal(str(amount)) <= 0 or given > order["orderTotal"]:
            raise RefusedError(f"{given} of {order['orderTotal']}")
        self._refunded[number] = order[name] = given
        self._commit(order, None, "order.changed")
        return self.shown(number)

    def ship(
        self,
        number: str,
        lines: list[Json] | None = None,
        carrier: str = "",
        tracking: str = "",
        shipment: str | None = None,
    ) -> Json:
        """Send an order off: all of it, one shipment, or these lines.

        A shipment is shipped when all of its lines are; before that only the order shows a part.
        """
        order = copy.deepcopy(self._order(number))
        if order["status"] not in {"new", "open", "completed"}:
            raise RefusedError(f"an order that is {order['status']} is not shipped")
        sent = dict(self._shipped.get(number, {}))
        for item in self._going(order, sent, lines, shipment):
            home = next(
                one for one in order["shipments"] if one["shipmentId"] == item["shipmentId"]
            )
            home |= {"trackingNumber": tracking} if tracking else {}
            home |= {self.seed["carrier_attribute"]: carrier} if carrier else {}
        for one in order["shipments"]:
            here = [i for i in order["productItems"] if i["shipmentId"] == one["shipmentId"]]
            if here and all(sent.get(i["itemId"], 0) == i["quantity"] for i in here):
                one["shippingStatus"] = SHIPPING[2]
        whole = all(sent.get(i["itemId"], 0) == i["quantity"] for i in order["productItems"])
        order["shippingStatus"] = SHIPPING[2 if whole else 1]
        self._shipped[number] = sent
        self._commit(order, None, "order.shipped")
        return self.shown(number)

    def customer(self, given: Json) -> Json:
        """Open an account."""
        known(given, CUSTOMER | {"billing", "shipping"}, "customer")
        if any(one["login"] == given["email"] for one in self.customers.values()):
            raise RefusedError("the login is already in use")
        now = stamp(self.clock())
        number = f"{next(self._customer_numbers):08d}"
        homes = [
            {**address(given[name], self._ids), "addressId": name, "preferred": name == "billing"}
            | {"creationDate": now, "lastModified": now}
            for name in ("billing", "shipping")
            if given.get(name)
        ]
        body = {
            "addresses": [{key: one[key] for key in one if key != "id"} for one in homes],
            "authType": "registered",
            "creationDate": now,
            "customerId": self._ids(),
            "customerNo": number,
            "enabled": True,
            "login": given["email"],
            "paymentInstruments": [],
        }
        body |= dict.fromkeys(("lastLoginTime", "lastVisitTime"), now)
        body |= dict.fromkeys(("previousLoginTime", "previousVisitTime"), now)
        self.customers[number] = body
        return self.change_customer(number, given)

    def change_customer(self, number: str, given: Json) -> Json:
        """Change an account's name, mail or company."""
        if number not in self.customers:
            raise RefusedError(f"no customer {number}")
        known(given, CUSTOMER | {"billing", "shipping"}, "customer")
        names = {
            "email": "email",
            "first_name": "firstName",
            "last_name": "lastName",
            "company": "companyName",
            "phone": "phoneHome",
        }
        body = self.customers[number]
        body |= {theirs: given[ours] for ours, theirs in names.items() if given.get(ours)}
        body["lastModified"] = stamp(self.clock())
        self.notify("customer.changed", self.seed["sites"][0], "customer_no", number)
        return copy.deepcopy(body)

    def change_product(self, sku: str, given: Json) -> Json:
        """Change a product's name, EAN, or whether it is online; the cartridge tells nobody."""
        return self.catalogue.change(sku, given)

    def set_stock(self, sku: str, stock: Any, location: str | None = None) -> Json:
        """Count what is there."""
        if sku not in self.products:
            raise RefusedError(f"no product {sku}")
        place = one_of(location or self.seed["locations"][0], self.seed["locations"], "location")
        self._count(sku, place, stock)
        return self.available([sku], [place])[0]

    # -- what the API shows ------------------------------------------------------------------------

    def shown(self, number: str) -> Json:
        """An order as it is now."""
        body: Json = shown(self._order(number))
        return body

    def seen(self, lag: float) -> Iterator[Json]:
        """Orders as an index shows them that is so many seconds behind."""
        until = self.clock() - timedelta(seconds=lag)
        for states in self._history.values():
            past = [body for at, body in states if at <= until]
            if past:
                yield past[-1]

    def available(self, skus: Iterable[str], locations: Iterable[str]) -> list[Json]:
        """Stock records; there is none of what was never counted."""
        places = list(locations)
        found = []
        for sku in skus:
            for place in places:
                if (sku, place) not in self._onhand:
                    continue
                count, since = self._onhand[sku, place]
                held = self._reserved(sku) if place == self.seed["locations"][0] else Decimal(0)
                found.append(
                    {
                        "ats": float(count - held),
                        "effectiveDate": stamp(since),
                        "locationId": place,
                        "onHand": float(count),
                        "reserved": float(held),
                        "sku": sku,
                    }
                )
        return found

    # -- how it keeps it ---------------------------------------------------------------------------

    def _order(self, number: str) -> Json:
        if number not in self.orders:
            raise RefusedError(f"no order {number}")
        return self.orders[number]

    def _buyer(self, given: Json | None, draft: Json) -> Json | None:
        if given is None:
            return None
        known(given, CUSTOMER, "customer")
        for one in self.customers.values():
            if one["login"] == given["email"]:
                return one
        homes = {name: draft[name] for name in ("billing", "shipping") if draft.get(name)}
        made = self.customer(given | homes)
        return self.customers[made["customerNo"]]

    def _rewrite(self, order: Json, draft: Json, changes: Json) -> None:
        """Texts and addresses, in the order and in what a replacement is made from."""
        for name, attribute in (("po_number", "po_attribute"), ("customer_note", "note_attribute")):
            if name in changes:
                order[self.seed[attribute]] = draft[name] = changes[name]
        if wrong := [name for name in changes.get("custom", {}) if not name.startswith("c_")]:
            raise RefusedError(f"custom attributes begin with c_: {', '.join(wrong)}")
        order |= changes.get("custom", {})
        for name in ("billing", "shipping"):
            if name in changes:
                draft[name] = (draft.get(name) or draft.get("billing") or {}) | changes[name]
                moved = address(draft[name], self._ids)
                if name == "billing":
                    order["billingAddress"] = moved
                else:
                    order["shipments"][0]["shippingAddress"] = moved

    def _take_over(self, draft: Json, quantities: Json) -> None:
        """Put quantities into a draft; none of it takes the line out."""
        if unknown := set(quantities) - {line["sku"] for line in draft["lines"]}:
            raise RefusedError(f"not in the order: {', '.join(sorted(unknown))}")
        for line in draft["lines"]:
            line["quantity"] = quantities.get(line["sku"], line["quantity"])
        draft["lines"] = [line for line in draft["lines"] if line["quantity"]]

    def _move(self, order: Json, status: str) -> None:
        """Take a status, if one leads there from the present one."""
        one_of(status, [*STATUSES, "failed_with_reopen"], "status")
        goal = "failed" if status == "failed_with_reopen" else status
        if goal not in MOVES[order["status"]]:
            raise RefusedError(f"an order that is {order['status']} cannot be {status}")
        if (order["status"], goal) == ("created", "new"):
            # The placing hook does both.
            order |= {"confirmationStatus": "confirmed", "exportStatus": "ready"}
        if order["status"] == "cancelled":
            self._reserve(order | {"status": goal})
        order["status"] = goal

    def _note_payment(self, order: Json, paid: Decimal) -> None:
        part = 1 if paid < order["orderTotal"] else 2
        order["paymentStatus"] = PAYMENT[part if paid else 0]

    def _going(
        self, order: Json, sent: dict[str, Decimal], lines: list[Json] | None, shipment: str | None
    ) -> list[Json]:
        """The lines that leave now; ``sent`` grows."""
        left = {
            item["itemId"]: item["quantity"] - sent.get(item["itemId"], Decimal(0))
            for item in order["productItems"]
            if shipment in {None, item["shipmentId"]}
        }
        if lines is None:
            asked = dict(left)
        else:
            asked = {}
            for given in lines:
                known(given, {"sku", "quantity"}, "line")
                item = self._line_of(order, given["sku"], left)
                asked[item] = Decimal(str(given.get("quantity", left[item])))
        for item, quantity in asked.items():
            if not 0 <= quantity <= left[item]:
                raise RefusedError(f"{quantity} of {left[item]} left")
            sent[item] = sent.get(item, Decimal(0)) + quantity
        if not any(asked.values()):
            raise RefusedError("nothing is left to ship")
        return [one for one in order["productItems"] if asked.get(one["itemId"])]

    def _line_of(self, order: Json, sku: str, left: dict[str, Decimal]) -> str:
        for item in order["productItems"]:
            if item["productId"] == sku and left.get(item["itemId"]):
                return str(item["itemId"])
        raise RefusedError(f"nothing of {sku} is left to ship")

    def _reserve(self, order: Json) -> None:
        """Refuse what there is not enough of; an order that fails later gives it back."""
        if order["status"] not in HOLDS_STOCK:
            return
        wanted: dict[str, Decimal] = {}
        for line in flat(order["productItems"]):
            if sku := line.get("productId"):
                wanted[sku] = wanted.get(sku, Decimal(0)) + line["quantity"]
        for sku, quantity in wanted.items():
            for record in self.available([sku], self.seed["locations"][:1]):
                if quantity > Decimal(str(record["ats"])):
                    raise RefusedError(f"{sku} is not available in this quantity")

    def _reserved(self, sku: str) -> Decimal:
        """Held by orders; once exported, their part of the stock is the ERP's matter."""
        return sum(
            (
                line["quantity"]
                for order in self.orders.values()
                if order["status"] in HOLDS_STOCK and order["exportStatus"] != "exported"
                for line in flat(order["productItems"])
                if line.get("productId") == sku
            ),
            Decimal(0),
        )

    def _count(self, sku: str, place: str, stock: Any) -> None:
        self._onhand[sku, place] = Decimal(str(stock)), self.clock()

    def _commit(self, order: Json, draft: Json | None, event: str) -> None:
        order["lastModified"] = stamp(self.clock())
        self.orders[order["orderNo"]] = order
        if draft is not None:
            self._drafts[order["orderNo"]] = draft
        self._keep(order)
        self._tell(event, order)

    def _keep(self, order: Json) -> None:
        state = (self.clock(), shown(order))
        self._history.setdefault(order["orderNo"], []).append(state)

    def _tell(self, event: str, order: Json) -> None:
        self.notify(event, order["siteId"], "order_no", order["orderNo"])
