"""What people do in the sandbox shop: sell, park, pay, return, send out, and change their minds."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from platforms.lightspeed.sandbox_desk import Desk
from platforms.lightspeed.sandbox_legacy import legacy_customer, legacy_sale
from platforms.lightspeed.sandbox_shapes import (
    CENT,
    CLOSES,
    STATES,
    STATUSES,
    ZERO,
    Json,
    RefusedError,
    cents,
    known,
    modern_sale,
    number,
    paid,
    stamp,
    state,
    total,
)

DRAFT = set(
    "lines discount_total shipping_total fees prices_include_tax currency customer billing shipping"
    " po_number customer_note status paid created_at payment_method source_id source".split()
)
LINE = set("sku quantity price discount tax_rate note".split())
FEE = set("name total type tax_rate".split())
FEES = ("NON_CASH_FEE", "TIP")
NEED_CUSTOMER = {"ONACCOUNT", "ONACCOUNT_CLOSED", "LAYBY", "LAYBY_CLOSED"}
FULFILS = {"AWAITING_DISPATCH": "SHIPPED", "AWAITING_PICKUP": "PICKED_UP"}


class Store(Desk):
    """The sales of one retailer; takes what its desk takes."""

    def __init__(self, *of_desk: Any) -> None:
        super().__init__(*of_desk)
        self.fulfillments: dict[str, list[Json]] = {}

    def shown(self, sale_id: str) -> Json:
        """A sale as the pinned version answers it."""
        return modern_sale(self.sale(sale_id), nulls=self.seed["shows_nulls"])

    def sale(self, sale_id: str) -> Json:
        """The sale as the shop keeps it."""
        if sale_id not in self.sales:
            raise RefusedError(f"no sale {sale_id}")
        return self.sales[sale_id]

    # -- sales -------------------------------------------------------------------------------------

    def place(self, draft: Json) -> Json:
        """Ring up the sale a draft describes; gives the body the API would answer."""
        known(draft, DRAFT, "draft")
        if draft.get("currency", self.seed["currency"]) != self.seed["currency"]:
            raise RefusedError("a retailer has one currency")
        included = bool(draft.get("prices_include_tax", self.seed["prices_include_tax"]))
        customer = self._buyer(draft)
        status = self._status(draft, customer)
        at = self.moment(draft.get("created_at"))
        sale = self.empty_sale(at)
        notes = [f"PO {draft['po_number']}"] if draft.get("po_number") else []
        notes += [draft["customer_note"]] if draft.get("customer_note") else []
        sale |= {"customer_id": customer["id"], "note": "\n".join(notes), "status": status}
        sale |= {name: draft[name] for name in ("source", "source_id") if name in draft}
        sale["lines"] = [self._line(one, included) for one in draft.get("lines", [])]
        for place, line in enumerate(sale["lines"]):
            line["sequence"] = place
        self._add_extras(sale, draft, included)
        if draft.get("paid", state(sale) == "closed"):
            self._take(sale, cents(sum(total(sale), ZERO)), draft.get("payment_method"))
        self.settle(sale)
        return self.shown(sale["id"])

    def update(self, sale_id: str, changes: Json) -> Json:
        """Change a sale's note, state, quantities, or its customer's addresses."""
        names = "quantities customer_note status billing shipping".split()
        known(changes, set(names), "changes")
        sale = self._copy(sale_id)
        wanted = changes.get("status", sale["status"])
        status = _word(wanted)
        if state(sale) == "voided" or (state(sale) == "closed" and "quantities" in changes):
            raise RefusedError(f"a {state(sale)} sale is final")
        if status != sale["status"]:
            self.may_become(sale, STATUSES[status][0])
        for sku, quantity in changes.get("quantities", {}).items():
            self._set_quantity(sale, sku, Decimal(str(quantity)))
        self._change_addresses(sale, changes)
        sale["note"] = changes.get("customer_note", sale["note"])
        sale["status"] = status
        self.settle(sale)
        return self.shown(sale_id)

    def cancel(self, sale_id: str) -> Json:
        """Void a sale that is not closed."""
        sale = self.sale(sale_id)
        self.may_become(sale, "voided")
        sale["status"] = "VOIDED"
        self.settle(sale)
        return self.shown(sale_id)

    def pay(self, sale_id: str, given: Json) -> Json:
        """Take a payment; the last one closes the sale unless goods are still to go out."""
        known(given, {"amount", "payment_method"}, "payment")
        sale = self._copy(sale_id)
        owed = cents(sum(total(sale), ZERO) - paid(sale))
        if state(sale) not in {"parked", "pending"} or owed <= ZERO:
            raise RefusedError("nothing to pay")
        amount = Decimal(str(given.get("amount", owed)))
        self._take(sale, amount, given.get("payment_method"))
        if amount >= owed and sale["status"] not in FULFILS:
            sale["status"] = CLOSES[sale["status"]]
        self.settle(sale)
        return self.shown(sale_id)

    def ship(self, sale_id: str, given: Json) -> Json:
        """Send out or hand over all of a sale; there is no part of it, carrier or tracking."""
        known(given, set(), "shipment")
        sale = self.sale(sale_id)
        if sale["status"] not in FULFILS:
            raise RefusedError("nothing awaits dispatch or pickup")
        self.fulfil(sale, FULFILS[sale["status"]])
        return self.shown(sale_id)

    def delete(self, sale_id: str) -> Json:
        """Discard a parked sale: it stays in the feed with the time of its end."""
        sale = self.sale(sale_id)
        if state(sale) != "parked":
            raise RefusedError("only a parked sale can be discarded")
        sale["deleted"] = self.moment(None)
        self.settle(sale)
        return self.shown(sale_id)

    def refund(self, sale_id: str, given: Json) -> Json:
        """Take goods back: a new sale with negative lines, paid out and closed."""
        known(given, {"amount", "lines", "reason"}, "refund")
        back = self.start_return(sale_id)
        for line in back["lines"]:
            line["reason"] = given.get("reason")
        try:
            self._pay_back(back, given)
        except (RefusedError, ArithmeticError, LookupError, TypeError):
            self._forget(back)
            raise
        back["status"] = "CLOSED"
        self.settle(back)
        self.settle(self.sale(sale_id))
        return self.shown(back["id"])

    def start_return(self, sale_id: str) -> Json:
        """A parked sale with what may still come back of a closed one."""
        sale = self.sale(sale_id)
        if state(sale) != "closed" or sale["return_for"]:
            raise RefusedError("only a closed sale can be returned")
        back = self.empty_sale(self.moment(None))
        back |= {"status": "SAVED", "return_for": sale_id, "customer_id": sale["customer_id"]}
        for line in sale["lines"]:
            if left := line["quantity"] + self._returned(sale, line["id"]):
                back["lines"].append(
                    line
                    | {"id": self.new_id(), "quantity": -left, "is_return": True, "of": line["id"]}
                )
        if not back["lines"]:
            raise RefusedError("everything came back already")
        sale["return_ids"].append(back["id"])
        self.sales[back["id"]] = back
        back["version"] = self.next_version()
        return back

    def fulfil(self, sale: Json, kind: str) -> Json:
        """All of a sale goes out; asked again it answers what it did the first time."""
        if done := self.fulfillments.get(sale["id"]):
            return done[0]
        row = {
            "id": self.new_id(),
            "sale_id": sale["id"],
            "outlet_id": sale["outlet_id"],
            "user_id": sale["user_id"],
            "status": kind,
            "created_at": stamp(self.moment(None)),
            "line_items": [
                {"id": one["id"], "product_id": one["product_id"]}
                | {"quantity": number(one["quantity"])}
                for one in sale["lines"]
            ],
        }
        self.fulfillments[sale["id"]] = [row]
        sale["status"] = CLOSES[sale["status"]]
        self.settle(sale)
        return row

    def empty_sale(self, at: datetime) -> Json:
        """A sale with nothing in it yet, at the first till."""
        register = self.first("registers")
        sequence = register["invoice_sequence"]
        register["invoice_sequence"] += 1
        prefix = register["invoice_prefix"]
        return {
            "id": self.new_id(),
            "status": "SAVED",
            "created": at,
            "updated": at,
            "date": at,
            "deleted": None,
            "invoice_number": f"{prefix}{sequence}{register['invoice_suffix']}",
            "sequence": sequence,
            "short_code": f"fz{sequence:04d}",
            "customer_id": self.walk_in["id"],
            "outlet_id": register["outlet_id"],
            "register_id": register["id"],
            "user_id": self.first("users")["id"],
            "source": "USER",
            "source_id": None,
            "note": "",
            "lines": [],
            "payments": [],
            "adjustments": [],
            "charges": [],
            "return_for": None,
            "return_ids": [],
            "has_moved": False,
            "version": 0,
        }

    def may_become(self, sale: Json, wanted: str) -> None:
        """Refuse what a sale cannot become: a closed one stays closed, a voided one voided."""
        now = state(sale)
        if now in {"closed", "voided"} and wanted != now:
            raise RefusedError(f"a {now} sale cannot become {wanted}")

    def settle(self, sale: Json) -> None:
        """Keep a sale as it now is, move the stock of a closed one, and tell."""
        if state(sale) == "closed" and abs(sum(total(sale), ZERO) - paid(sale)) > CENT:
            raise RefusedError("a sale closes when it is paid")
        self.sales[sale["id"]] = sale
        sale["updated"] = max(self.moment(None), sale["created"])
        sale["version"] = self.next_version()
        # An account or a layby is told more than once.
        times = 2 if sale["status"] in {"ONACCOUNT", "LAYBY"} else 1
        for _ in range(times):
            self.notify("sale.update", sale["id"], legacy_sale(sale, self))
        if state(sale) == "closed" and not sale["has_moved"]:
            sale["has_moved"] = True
            for line in sale["lines"]:
                self.tell_stock(self.move(line["product_id"], sale["outlet_id"], -line["quantity"]))

    # -- how the shop keeps it ---------------------------------------------------------------------

    def _status(self, draft: Json, customer: Json) -> str:
        is_known = customer is not self.walk_in
        word = draft.get("status") or (
            "closed" if draft.get("paid", True) else "pending" if is_known else "parked"
        )
        status = _word(word)
        if status in NEED_CUSTOMER and not is_known:
            raise RefusedError(f"{status} needs a customer")
        return status

    def _buyer(self, draft: Json) -> Json:
        given = draft.get("customer")
        places = {name: draft[name] for name in ("billing", "shipping") if draft.get(name)}
        if given is None:
            if places:
                raise RefusedError("addresses belong to a customer, and a walk-in has none")
            return self.walk_in
        email = given.get("email")
        for row in self.tables["customers"].values():
            if email and row["email"] == email and not row["deleted_at"]:
                if places:
                    self.write_addresses(row, places)
                    self.touch(row)
                    self.notify("customer.update", row["id"], legacy_customer(row))
                return row
        return self.tables["customers"][self.add_account(given | places)["id"]]

    def _change_addresses(self, sale: Json, changes: Json) -> None:
        places: Json = {name: changes[name] for name in ("billing", "shipping") if name in changes}
        if not places:
            return
        if sale["customer_id"] in {None, self.walk_in["id"]}:
            raise RefusedError("addresses belong to a customer, and a walk-in has none")
        row = self.row("customers", sale["customer_id"])
        self.write_addresses(row, places)
        self.touch(row)
        self.notify("customer.update", row["id"], legacy_customer(row))

    def _line(self, given: Json, included: bool) -> Json:
        """The price is what is charged; a discount is off the whole line."""
        known(given, LINE, "line")
        product, quantity = self.product(given.get("sku")), Decimal(str(given["quantity"]))
        rate, off = given.get("tax_rate"), Decimal(str(given.get("discount", 0)))
        kept = "price_including_tax" if included else "price_excluding_tax"
        listed = Decimal(str(given.get("price", product[kept])))
        if quantity <= ZERO:
            raise RefusedError("a line has something in it")
        price, tax = self.split(listed - off / quantity, rate, included)
        row = self.tax(rate)
        return {
            "id": self.new_id(),
            "product_id": product["id"],
            "quantity": quantity,
            "price": price,
            "discount": self.split(off / quantity, rate, included)[0],
            "tax": tax,
            "tax_id": row["id"],
            "rate_id": row["rates"][0]["id"],
            "cost": Decimal(str(product["supply_price"])),
            "note": given.get("note"),
            "price_set": "price" in given or bool(off),
            "sequence": 0,
            "is_return": False,
            "reason": None,
            "of": None,
        }

    def _add_extras(self, sale: Json, draft: Json, included: bool) -> None:
        """Discounts and fees of the whole sale are adjustments, freight a charge of a web shop."""
        given = list(draft.get("fees", []))
        if off := draft.get("discount_total"):
            discount = {"name": "Discount", "total": -Decimal(str(off)), "type": "DISCOUNT"}
            given.insert(0, discount)
        for one in given:
            known(one, FEE, "fee")
            kind = one.get("type", FEES[0])
            if kind not in {*FEES, "DISCOUNT"}:
                raise RefusedError(f"no such fee: {kind}")
            # Fees and tips bear no tax unless somebody says so; a discount takes tax along.
            rate = one.get("tax_rate", None if kind == "DISCOUNT" else 0)
            sale["adjustments"].append(self._extra(one, rate, included) | {"type": kind})
        if draft.get("shipping_total"):
            charge = {"name": "Shipping", "total": draft["shipping_total"]}
            sale["charges"].append(self._extra(charge, None, included) | {"source_id": "shipping"})

    def _extra(self, given: Json, rate: Any, included: bool) -> Json:
        net, tax = self.split(Decimal(str(given["total"])), rate, included)
        rate_id = self.tax(rate)["rates"][0]["id"]
        return {"name": given["name"], "total": net, "tax": tax, "rate_id": rate_id}

    def _take(self, sale: Json, amount: Decimal, name: str | None) -> None:
        kinds = self.tables["payment_types"].values()
        kind = next((one for one in kinds if name in (None, one["name"])), None)
        if kind is None:
            raise RefusedError(f"no such payment type: {name}")
        sale["payments"].append(
            {
                "id": self.new_id(),
                "amount": amount,
                "date": max(self.moment(None), sale["created"]),
                "type": kind,
                "outlet_id": sale["outlet_id"],
                "register_id": sale["register_id"],
            }
        )

    def _set_quantity(self, sale: Json, sku: str, quantity: Decimal) -> None:
        product = self.product(sku)
        for line in [one for one in sale["lines"] if one["product_id"] == product["id"]]:
            line["quantity"] = quantity
            if not quantity:
                sale["lines"].remove(line)

    def _returned(self, sale: Json, line_id: str) -> Decimal:
        backs = [self.sales[one] for one in sale["return_ids"]]
        return sum(
            (x["quantity"] for one in backs for x in one["lines"] if x["of"] == line_id), ZERO
        )

    def _keep_only(self, back: Json, wanted: list[Json]) -> None:
        asked = {self.product(x["sku"])["id"]: Decimal(str(x["quantity"])) for x in wanted}
        for line in list(back["lines"]):
            take = asked.pop(line["product_id"], ZERO)
            if take > -line["quantity"]:
                raise RefusedError("more than was sold")
            line["quantity"] = -take
            if not take:
                back["lines"].remove(line)
        if asked or not back["lines"]:
            raise RefusedError("not what was sold")

    def _pay_back(self, back: Json, given: Json) -> None:
        if "lines" in given:
            self._keep_only(back, given["lines"])
        worth = cents(sum(total(back), ZERO))
        amount = -Decimal(str(given.get("amount", -worth)))
        if abs(amount - worth) > CENT:
            raise RefusedError(f"what comes back is worth {-worth}, not {-amount}")
        self._take(back, amount, None)

    def _copy(self, sale_id: str) -> Json:
        """A sale to try changes on: one that is refused leaves nothing behind."""
        sale = self.sale(sale_id)
        rows = {name: [dict(one) for one in sale[name]] for name in ("lines", "payments")}
        return sale | rows

    def _forget(self, back: Json) -> None:
        del self.sales[back["id"]]
        self.sale(back["return_for"])["return_ids"].remove(back["id"])


def _word(given: Any) -> str:
    """The old shape's word for a status, which may come as the pinned version's state."""
    status: str = STATES.get(given, given)
    if status not in STATUSES:
        raise RefusedError(f"no such status: {given}")
    return status
