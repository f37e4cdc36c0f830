"""What people do with orders at the stand-in system, written down as canonical records."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.standard.sandbox_records import Json, Records, RefusedError, text_of

CENT = Decimal("0.01")
DRAFT = set("lines customer address shipping note number".split())


class Desk:
    """Orders over the counter: placed, changed, paid, shipped, returned, refunded.

    Prices are those of the records: the first of a code, in the system's one currency, without tax.

    Args:
        records: gives what is kept now.
        clock: gives the time.
        seed: ``currency``, ``tax_rate`` as a fraction, ``first_id``.
    """

    def __init__(
        self, records: Records, clock: Callable[[], datetime], seed: Mapping[str, Any]
    ) -> None:
        self._records = records
        self._clock = clock
        self._currency: str = seed["currency"]
        self._rate = Decimal(str(seed["tax_rate"]))
        self._ids = itertools.count(int(seed["first_id"]))
        self._customers: dict[str, str] = {}
        self.actions: dict[str, Callable[[str, Json], Json]] = {
            "update": self._update,
            "cancel": self._cancel,
            "delete": lambda order, _: self._records.delete("orders", order),
            "book": self._book,
            "pay": self._pay,
            "ship": self._ship,
            "return": self._return,
            "refund": self._refund,
        }

    def place(self, draft: Json) -> Json:
        """Take an order; gives it as it is told."""
        if unknown := set(draft) - DRAFT:
            raise RefusedError(f"unknown in draft: {', '.join(sorted(unknown))}")
        number = str(next(self._ids))
        lines = [self._goods(place, one) for place, one in enumerate(draft.get("lines", ()), 1)]
        if draft.get("shipping"):
            freight = self._line("freight", "FREIGHT", 1, Decimal(draft["shipping"]))
            lines.append(freight | {"is_stocked": False, "title": "Freight"})
        customer, address = self._customer(draft), draft.get("address")
        record: Json = {
            "number": str(draft.get("number", f"O-{number}")),
            "placed_at": text_of(self._clock()),
            "customer": customer or f"order:{number}",
            "contact": _contact(draft.get("customer") or {}),
            "note": draft.get("note", ""),
            "payment_status": "PENDING",
            "shop_currency": self._currency,
            "presentment_currency": self._currency,
            **self._sums(lines),
        }
        record["presentment_gross"] = record["totals"]["gross"]
        if address:
            record |= {"bill_to": address, "ship_to": address}
        if address and address.get("company"):
            record["company"] = {"id": record["customer"], "name": address["company"]}
        return self._records.put("orders", number, record)

    # -- what is done to one -----------------------------------------------------------------------

    def _update(self, order: str, given: Json) -> Json:
        if set(given) - {"note", "po_number", "tags"}:
            raise RefusedError("only note, po_number and tags are changed here")
        return self._records.put("orders", order, self._order(order) | given)

    def _cancel(self, order: str, given: Json) -> Json:
        gone = {"cancelled_at": text_of(self._clock()), "cancel_reason": given.get("reason", "")}
        return self._records.put("orders", order, self._order(order) | gone)

    def _book(self, order: str, given: Json) -> Json:
        """What became of it in a warehouse: the part another system would own."""
        self._order(order)
        record = {"number": given.get("number", f"SO-{order}"), "state": "CONFIRMED"} | given
        return self._records.put("orders", order, record, part="processing")

    def _pay(self, order: str, given: Json) -> Json:
        amount = given.get("amount", self._order(order)["totals"]["gross"])
        return self._records.put("payments", self._next("p"), self._moved(order, amount))

    def _refund(self, order: str, given: Json) -> Json:
        record = self._moved(order, given["amount"]) | {"reason": given.get("reason", "")}
        return self._records.put("refunds", self._next("r"), record)

    def _ship(self, order: str, given: Json) -> Json:
        """All of it goes, with its invoice."""
        request, number = self._order(order), self._next("s")
        invoice = {name: request[name] for name in ("currency", "tax_included", "lines", "totals")}
        day = f"{self._clock():%Y-%m-%d}"
        invoice |= {"order": order, "number": f"I-{number}", "state": "ISSUED", "issued_on": day}
        self._records.put("invoices", self._next("i"), invoice)
        shipment: Json = {"order": order, "number": number, "state": "DISPATCHED"}
        shipment |= {"lines": _moving(request), "dispatched_at": text_of(self._clock())}
        return self._records.put("shipments", number, shipment | given)

    def _return(self, order: str, given: Json) -> Json:
        number = self._next("rma")
        record: Json = {"order": order, "number": number, "state": "REQUESTED"}
        record |= {"lines": _moving(self._order(order))}
        return self._records.put("returns", number, record | given)

    # -- how it is written -------------------------------------------------------------------------

    def _order(self, order: str) -> Json:
        record: Json = self._records.record("orders", order)
        return record

    def _next(self, letter: str) -> str:
        return f"{letter}-{next(self._ids)}"

    def _moved(self, order: str, amount: str) -> Json:
        self._order(order)
        moved = {"order": order, "amount": str(amount), "currency": self._currency}
        return moved | {"gateway": "card", "at": text_of(self._clock()), "status": "SETTLED"}

    def _customer(self, draft: Json) -> str | None:
        given = draft.get("customer")
        if not given:
            return None
        number = self._customers.setdefault(given["email"], f"c-{len(self._customers) + 1}")
        if self._records.get("customers", number) is None:
            address = draft.get("address")
            record: Json = {"contact": _contact(given)}
            if address:
                record["addresses"] = [address]
            self._records.put("customers", number, record)
        return number

    def _goods(self, place: int, given: Json) -> Json:
        prices = (one.record for one in self._records.all("prices") if one.record)
        price = next((one for one in prices if one.get("sku") == given["sku"]), None)
        if price is None:
            raise RefusedError(f"nothing is sold as {given['sku']}")
        each = Decimal(price["price"]["amount"])
        line = self._line(f"l-{place}", "GOODS", int(given["quantity"]), each)
        return line | {"sku": given["sku"], "title": given.get("title", given["sku"])}

    def _line(self, number: str, kind: str, quantity: int, each: Decimal) -> Json:
        amount = _cents(each * quantity)
        tax = str(_cents(amount * self._rate))
        share = {"title": "VAT", "rate": str(self._rate), "amount": tax}
        counted = {"quantity": quantity, "quantity_ordered": quantity, "unit_price": str(each)}
        return {"id": number, "type": kind, **counted, "amount": str(amount), "tax": tax} | {
            "taxes": [share]
        }

    def _sums(self, lines: list[Json]) -> Json:
        net = sum((Decimal(one["amount"]) for one in lines), Decimal(0))
        tax = sum((Decimal(one["tax"]) for one in lines), Decimal(0))
        totals = {"net": str(net), "tax": str(tax), "gross": str(net + tax)}
        return {
            "currency": self._currency,
            "tax_included": False,
            "lines": lines,
            "totals": totals,
        }


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def _contact(given: Json) -> Json:
    return {name: given[name] for name in ("name", "email", "phone", "language") if name in given}


def _moving(request: Json) -> list[Json]:
    return [
        {"order_line_id": one["id"], "sku": one["sku"], "quantity": one["quantity"]}
        for one in request["lines"]
        if one["type"] == "GOODS"
    ]
