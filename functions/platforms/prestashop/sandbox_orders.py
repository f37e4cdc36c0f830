"""Orders: what buyers and the staff do with them, and how their sums come about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from platforms.prestashop.sandbox_catalogue import Catalogue, Tell
from platforms.prestashop.sandbox_fields import Row
from platforms.prestashop.sandbox_lines import Lines
from platforms.prestashop.sandbox_people import People
from platforms.prestashop.sandbox_tables import (
    CANCELLED,
    ERROR,
    MODULES,
    PAID,
    PAYMENTS,
    SHIPPED,
    WIRE,
    Json,
    RefusedError,
    Tables,
    cents,
    is_zero,
    known,
    net_of,
    price,
    reference_of,
    secret_of,
)

DRAFT = set(
    "lines discount_total shipping_total fees prices_include_tax currency customer billing shipping"
    " po_number customer_note status paid created_at id_shop reference gift_message carrier".split()
)
UPDATE = set("quantities customer_note status billing shipping note".split())
NO_STOCK = (CANCELLED, ERROR)
"""States in which an order holds nothing."""
GIFT_WRAP = "gift wrapping"


class Orders:
    """The orders of the shop.

    Args:
        tables: the shop's rows.
        catalogue: what it sells.
        people: who buys.
        tell: hands an event to the module: its name and ids.
    """

    def __init__(self, tables: Tables, catalogue: Catalogue, people: People, tell: Tell) -> None:
        self.tables = tables
        self.catalogue = catalogue
        self.people = people
        self.lines = Lines(tables, catalogue)
        self.tell = tell

    def get(self, number: int) -> Row:
        """The order of that id."""
        if number not in self.tables.rows["orders"]:
            raise RefusedError(f"no order {number}")
        return self.tables.rows["orders"][number]

    # -- what buyers do ----------------------------------------------------------------------------

    def place(self, draft: Json) -> Row:
        """Place the order a draft describes."""
        known(draft, DRAFT, "draft")
        at = _moment(draft.get("created_at"))
        state = self._first_state(draft)
        shop = self._shop(draft.get("id_shop"))
        for line in draft.get("lines", []):
            self.lines.check(line)
        gift = self._gift(draft)
        currency = self.tables.currency(str(draft.get("currency") or self.tables.seed["currency"]))
        billing = draft.get("billing") or {}
        customer = self.people.buyer(draft.get("customer"), billing, shop)
        phone = (draft.get("customer") or {}).get("phone", "")
        company = (draft.get("customer") or {}).get("company", "")
        fill = {"phone": phone, "company": company}
        invoice = self.people.address(fill | billing, customer, "My address", at)
        delivery = invoice
        if draft.get("shipping"):
            delivery = self.people.address(draft["shipping"], customer, "Delivery", at)
        order = self.open(
            {
                "id_address_delivery": delivery["id"],
                "id_address_invoice": invoice["id"],
                "id_customer": customer["id"],
                "secure_key": customer["secure_key"],
                "id_currency": currency["id"],
                "conversion_rate": currency["conversion_rate"],
                "id_shop": shop["id"],
                "id_shop_group": shop["id_shop_group"],
                "module": MODULES.get(int(state["id"]), "ps_wirepayment"),
                "gift": int(bool(gift)),
                "gift_message": draft.get("gift_message", ""),
            },
            at,
        )
        if "reference" in draft:
            order["reference"] = draft["reference"]
        included = bool(draft.get("prices_include_tax", self.tables.seed["prices_include_tax"]))
        for line in draft.get("lines", []):
            self.lines.add(order, line, customer, included=included)
        self._extras(order, draft, gift, included)
        self.total(order)
        self._discount(order, Decimal(str(draft.get("discount_total", 0))), included)
        self._words(order, draft, at)
        self.begin(order, int(state["id"]), at)
        if draft.get("paid") and state["paid"] == "0":
            self._payment(order, Decimal(order["total_paid"]), at)
            order["total_paid_real"] = order["total_paid"]
        return order

    def open(self, values: Json, at: datetime | None) -> Row:
        """A new order before it has rows and a state."""
        tables = self.tables
        kind = str(values.get("module", "ps_wirepayment"))
        facts = {
            "id_lang": 1,
            "payment": PAYMENTS.get(kind, kind),
            "round_mode": 2,
            "round_type": tables.seed["round_type"],
        }
        facts |= dict.fromkeys(("date_add", "date_upd"), tables.local(at))
        order = tables.add("orders", facts | values)
        if "id_cart" not in values:
            names = "id_address_delivery id_address_invoice id_currency id_customer id_shop".split()
            cart = tables.add("carts", {name: order[name] for name in names} | {"id_lang": 1})
            cart |= {"date_add": tables.local(at), "date_upd": tables.local(at)}
            order["id_cart"] = str(cart["id"])
        order["reference"] = reference_of(int(order["id"]))
        return order

    def begin(self, order: Row, state: int, at: datetime | None = None) -> None:
        """Take the stock, tell that the order is there, and bring it into its first state."""
        if state not in NO_STOCK:
            self._hold(order, is_taken=True)
        self.told("order.created", order, state)
        self._enter(order, state, at)

    # -- what the staff do -------------------------------------------------------------------------

    def update(self, number: int, changes: Json) -> Row:
        """Change quantities by SKU, state, addresses, the staff's note; add a buyer's message."""
        known(changes, UPDATE, "changes")
        order = self.get(number)
        for sku in changes.get("quantities", {}):
            self.lines.row(order, sku)
        for sku, quantity in changes.get("quantities", {}).items():
            self._set_quantity(order, sku, int(quantity))
        for name, field in (("billing", "id_address_invoice"), ("shipping", "id_address_delivery")):
            if name in changes:
                self._readdress(order, field, changes[name])
        if "customer_note" in changes:
            self._say(order, changes["customer_note"])
        if "note" in changes:
            order |= {"note": changes["note"], "date_upd": self.tables.local()}
        if changes.get("quantities"):
            self.edited(order)
        if "status" in changes:
            self.enter(number, self._state(changes["status"])["id"])
        return order

    def edited(self, order: Row) -> None:
        """Sums anew, the date moves, the module hears of it."""
        self.total(order)
        order["date_upd"] = self.tables.local()
        self.told("order.edited", order)

    def cancel(self, number: int, given: Json) -> Row:
        """Give the order up; its stock comes back."""
        known(given, set(), "cancel")
        return self.enter(number, CANCELLED)

    def pay(self, number: int, given: Json) -> Row:
        """All of it by the staff's hand, or with an amount one more payment and nothing else."""
        known(given, {"amount", "transaction_id", "payment_method"}, "pay")
        order = self.get(number)
        if given:
            amount = Decimal(str(given.get("amount", order["total_paid"])))
            self._payment(order, amount, None, given)
            return order
        if self.tables.flags(order["current_state"])["paid"] == "1":
            raise RefusedError("the order is paid")
        return self.enter(number, PAID)

    def ship(self, number: int, given: Json) -> Row:
        """Send all of it: the shop keeps no parcels by line."""
        known(given, {"lines", "carrier", "tracking"}, "ship")
        order = self.get(number)
        sent = {line["sku"]: int(line["quantity"]) for line in given.get("lines", [])}
        held = self.lines.quantities(order)
        if sent and sent != held:
            raise RefusedError("the shop ships an order as a whole")
        parcel = self.tables.first("order_carriers", id_order=number)
        if parcel is None and given:
            raise RefusedError("without a carrier there is no place for tracking")
        if parcel and "carrier" in given:
            carrier = str(self.tables.carrier(given["carrier"])["id"])
            parcel["id_carrier"] = order["id_carrier"] = carrier
        if parcel and "tracking" in given:
            self.track(parcel, given["tracking"])
        return self.enter(number, SHIPPED)

    def track(self, parcel: Row, tracking: str) -> None:
        """A tracking number; the order's own date stays."""
        parcel["tracking_number"] = tracking
        order = self.tables.rows["orders"].get(int(parcel["id_order"]))
        if order:
            order["shipping_number"] = tracking
            self.told("order.shipped", order)

    def delete(self, number: int, given: Json | None = None) -> Row:
        """Erase it; no hook of the module's says so."""
        known(given or {}, set(), "delete")
        self.get(number)
        return self.tables.rows["orders"].pop(number)

    # -- states ------------------------------------------------------------------------------------

    def enter(self, number: int, state: Any) -> Row:
        """Bring an order into a state; the same state again only adds a row to its history."""
        order = self.get(number)
        state = int(self.tables.flags(state)["id"])
        before = int(order["current_state"])
        if before == state:
            self._history(order, state, None)
            self.told("order.status_changed", order)
            return order
        if (before in NO_STOCK) != (state in NO_STOCK):
            self._hold(order, is_taken=state not in NO_STOCK)
        self._enter(order, state, None)
        return order

    def _enter(self, order: Row, state: int, at: datetime | None) -> None:
        tables, flags = self.tables, self.tables.flags(state)
        before = tables.rows["order_states"].get(int(order["current_state"]))
        self._history(order, state, at)
        now = tables.local(at)
        order |= {"current_state": str(state), "valid": flags["logable"], "date_upd": now}
        if flags["invoice"] == "1" and order["invoice_number"] == "0":
            self._invoice(order, now)
        if flags["delivery"] == "1" and is_zero(order["delivery_date"]):
            count = sum(one["delivery_number"] != "0" for one in tables.rows["orders"].values())
            order |= {"delivery_number": str(count + 1), "delivery_date": now}
        open_sum = Decimal(order["total_paid_tax_incl"]) - Decimal(order["total_paid_real"])
        if flags["paid"] == "1" and open_sum > 0:
            self._payment(order, open_sum, at)
            order["total_paid_real"] = price(Decimal(order["total_paid_real"]) + open_sum)
        self.told("order.status_changed", order)
        if flags["paid"] == "1" and (before is None or before["paid"] == "0"):
            self.told("order.paid", order)

    def _history(self, order: Row, state: int, at: datetime | None) -> None:
        given = {"id_order": order["id"], "id_order_state": state, "id_employee": 0}
        self.tables.add("order_histories", given | {"date_add": self.tables.local(at)})

    def _invoice(self, order: Row, now: str) -> None:
        number = len(self.tables.rows["order_invoices"]) + 1
        order |= {"invoice_number": str(number), "invoice_date": now}
        names = "total_paid_tax_excl total_paid_tax_incl total_products total_products_wt".split()
        names += "total_shipping_tax_excl total_shipping_tax_incl".split()
        names += "total_wrapping_tax_excl total_wrapping_tax_incl".split()
        facts = {name: order[name] for name in names}
        facts |= {
            f"total_discount_{kind}": order[f"total_discounts_{kind}"]
            for kind in ("tax_excl", "tax_incl")
        }
        facts |= {"id_order": order["id"], "number": number, "date_add": now}
        invoice = self.tables.add("order_invoices", facts)
        for plural in ("order_details", "order_carriers", "order_cart_rules"):
            for row in self.tables.where(plural, id_order=order["id"]):
                row["id_order_invoice"] = str(invoice["id"])

    def _payment(
        self, order: Row, amount: Decimal, at: datetime | None, given: Json | None = None
    ) -> None:
        given = given or {}
        facts = {
            "order_reference": order["reference"],
            "id_currency": order["id_currency"],
            "amount": price(amount),
            "payment_method": given.get("payment_method", order["payment"]),
            "conversion_rate": order["conversion_rate"],
            "transaction_id": given.get("transaction_id", ""),
            "date_add": self.tables.local(at),
        }
        self.tables.add("order_payments", facts)
        self.paid(order["reference"])

    def paid(self, reference: str) -> None:
        """A payment names a reference, which may be that of several orders."""
        for order in self.tables.where("orders", reference=reference):
            self.told("order.paid", order)

    # -- how it is kept ----------------------------------------------------------------------------

    def told(self, event: str, order: Row, state: int | None = None) -> None:
        """Tell the module of an order as it is now."""
        self.tell(
            event,
            {
                "id_order": int(order["id"]),
                "reference": order["reference"],
                "id_order_state": int(order["current_state"]) if state is None else state,
                "date_upd": order["date_upd"],
                "_shop": order["id_shop"],
            },
        )

    def total(self, order: Row) -> None:
        """The sums: goods by row, then freight and wrapping on top and discounts off."""
        net, gross = self.lines.sums(order)
        rules = self.tables.where("order_cart_rules", id_order=order["id"], deleted=0)
        off_net = sum((Decimal(one["value_tax_excl"]) for one in rules), Decimal(0))
        off_gross = sum((Decimal(one["value"]) for one in rules), Decimal(0))
        order["total_discounts_tax_excl"] = price(off_net)
        order["total_discounts"] = order["total_discounts_tax_incl"] = price(off_gross)
        order |= {"total_products": price(net), "total_products_wt": price(gross)}
        for kind, goods, off in (("excl", net, off_net), ("incl", gross, off_gross)):
            more = Decimal(order[f"total_shipping_tax_{kind}"])
            more += Decimal(order[f"total_wrapping_tax_{kind}"])
            order[f"total_paid_tax_{kind}"] = price(max(cents(goods + more - off), Decimal(0)))
        order["total_paid"] = order["total_paid_tax_incl"]

    def _extras(self, order: Row, draft: Json, gift: Decimal, included: bool) -> None:
        """Freight with its carrier, and gift wrapping."""
        rate = Decimal(str(self.tables.seed["tax_rate"]))
        freight = Decimal(str(draft.get("shipping_total", 0)))
        for kind, amount in (("shipping", freight), ("wrapping", gift)):
            net = cents(net_of(amount, rate)) if included else amount
            gross = amount if included else cents(amount * (1 + rate / 100))
            order[f"total_{kind}_tax_excl"] = price(net)
            order[f"total_{kind}"] = order[f"total_{kind}_tax_incl"] = price(gross)
        if self.lines.are_virtual(order):
            # Nothing is carried: no row, and so no place for a tracking number.
            return
        carrier = self.tables.carrier(str(draft.get("carrier") or self.tables.seed["carrier"]))
        order |= {"id_carrier": str(carrier["id"]), "carrier_tax_rate": f"{rate:.3f}"}
        facts = {"id_order": order["id"], "id_carrier": carrier["id"]}
        facts["date_add"] = order["date_add"]
        for kind in ("tax_excl", "tax_incl"):
            facts[f"shipping_cost_{kind}"] = order[f"total_shipping_{kind}"]
        facts["weight"] = price(self.lines.weight(order))
        self.tables.add("order_carriers", facts)

    def _discount(self, order: Row, amount: Decimal, included: bool) -> None:
        """A voucher; its tax is the goods' average."""
        if not amount:
            return
        net, gross = Decimal(order["total_products"]), Decimal(order["total_products_wt"])
        if amount > (gross if included else net):
            raise RefusedError("a discount above the price of the goods")
        share = net / gross if included else gross / net
        other = cents(amount * share)
        excl, incl = (other, amount) if included else (amount, other)
        values = {"value": price(incl), "value_tax_excl": price(excl)}
        facts = {"id_order": order["id"], "id_cart_rule": 1, "name": "Voucher"}
        self.tables.add("order_cart_rules", facts | values)
        self.total(order)

    def _gift(self, draft: Json) -> Decimal:
        wrap = Decimal(0)
        for fee in draft.get("fees", []):
            if str(fee.get("name", "")).lower() != GIFT_WRAP:
                raise RefusedError(f"the shop knows no fee but {GIFT_WRAP}")
            wrap += Decimal(str(fee["total"]))
        return wrap

    def _words(self, order: Row, draft: Json, at: datetime | None) -> None:
        """There is no field for a PO number: the buyer writes it in a message."""
        if draft.get("po_number"):
            self._say(order, f"PO number: {draft['po_number']}", at)
        if draft.get("customer_note"):
            self._say(order, draft["customer_note"], at)

    def _say(self, order: Row, text: str, at: datetime | None = None, *, private: int = 0) -> None:
        ids = {"id_order": order["id"], "id_cart": order["id_cart"]}
        facts = ids | {"id_customer": order["id_customer"], "message": text, "private": private}
        now = self.tables.local(at)
        self.tables.add("messages", facts | {"date_add": now})
        # The same once more for those who answer customers.
        thread = self.tables.first("customer_threads", id_order=order["id"])
        if thread is None:
            customer = self.tables.rows["customers"].get(int(order["id_customer"]), {})
            ids = {name: order[name] for name in ("id_lang", "id_shop", "id_customer")}
            token = secret_of("thread", order["id"])[:12]
            ids |= {"id_order": order["id"], "email": customer.get("email", ""), "token": token}
            dates = {"date_add": now, "date_upd": now, "status": "open"}
            thread = self.tables.add("customer_threads", ids | dates)
        words = {"id_customer_thread": thread["id"], "message": text, "private": private}
        self.tables.add("customer_messages", words | {"date_add": now, "date_upd": now})

    def note_privately(self, order: Row, text: str) -> None:
        """A message among the staff."""
        self._say(order, text, private=1)

    def _set_quantity(self, order: Row, sku: str, quantity: int) -> None:
        detail = self.lines.row(order, sku)
        delta = quantity - int(detail["product_quantity"])
        if int(order["current_state"]) not in NO_STOCK and delta:
            ids = int(detail["product_id"]), int(detail["product_attribute_id"])
            self.catalogue.move(*ids, -delta)
        self.lines.resize(detail, quantity)

    def _readdress(self, order: Row, field: str, given: Json) -> None:
        """An address of its own is changed in place; a shared one is replaced by a new one."""
        row = self.tables.rows["addresses"][int(order[field])]
        if order["id_address_invoice"] != order["id_address_delivery"]:
            self.people.change_address(row, given)
            return
        kept = {name: value for name, value in row.items() if name != "id"}
        fresh = self.tables.add("addresses", kept | {"date_add": self.tables.local()})
        self.people.change_address(fresh, given)
        order |= {field: str(fresh["id"]), "date_upd": self.tables.local()}

    def _hold(self, order: Row, *, is_taken: bool) -> None:
        for detail in self.tables.where("order_details", id_order=order["id"]):
            pieces = int(detail["product_quantity"])
            ids = int(detail["product_id"]), int(detail["product_attribute_id"])
            before = self.catalogue.move(*ids, -pieces if is_taken else pieces)
            if is_taken:
                detail["product_quantity_in_stock"] = str(before)

    def _first_state(self, draft: Json) -> Row:
        is_paid = bool(draft.get("paid"))
        state = self._state(draft.get("status", PAID if is_paid else WIRE))
        if "paid" in draft and not is_paid and state["paid"] == "1":
            raise RefusedError(f"state {state['id']} is a paid one")
        return state

    def _state(self, given: Any) -> Row:
        """By id or by name."""
        if str(given).isdigit():
            return self.tables.flags(given)
        found = self.tables.first("order_states", name=given)
        if found is None:
            raise RefusedError(f"no order state {given}")
        return found

    def _shop(self, number: Any) -> Row:
        shops = self.tables.rows["shops"]
        if number is None:
            return next(iter(shops.values()))
        if int(number) not in shops:
            raise RefusedError(f"no shop {number}")
        return shops[int(number)]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
