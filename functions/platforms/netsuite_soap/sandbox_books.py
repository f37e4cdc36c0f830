"""What NetSuite works out: how much of an order is shipped and billed, what is due and free."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.netsuite_soap.sandbox_store import STOCKED, Store
from platforms.netsuite_soap.sandbox_types import Row, utc

ZERO = Decimal()
ORDER = {
    "_pendingApproval": "Pending Approval",
    "_pendingFulfillment": "Pending Fulfillment",
    "_partiallyFulfilled": "Partially Fulfilled",
    "_pendingBillingPartFulfilled": "Pending Billing/Partially Fulfilled",
    "_pendingBilling": "Pending Billing",
    "_fullyBilled": "Billed",
    "_closed": "Closed",
    "_cancelled": "Cancelled",
}
APPLYING = {
    "customerPayment": ("applyList",),
    "creditMemo": ("applyList",),
    "customerRefund": ("applyList", "depositList"),
    "customerDeposit": ("applyList",),
}


def money(amount: Decimal) -> Decimal:
    """Rounded to the currency's places, half up."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


class Books:
    """Reads one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # What follows from a transaction.

    def following(self, source: str, *kinds: str) -> list[Row]:
        """The transactions of these kinds made from one."""

        def work() -> dict[str, list[Row]]:
            found = defaultdict(list)
            for row in self.store.all(
                "itemFulfillment",
                "invoice",
                "cashSale",
                "cashRefund",
                "creditMemo",
                "returnAuthorization",
            ):
                if ref := row.get("createdFrom"):
                    found[ref["id"]].append(row)
            return found

        index = self.store.remember("following", work)
        return [row for row in index.get(source, []) if row["_kind"] in kinds]

    def taken(self, source: str, kind: str, line: int, *, skip: str = "") -> Decimal:
        """How much of a line has gone into transactions of a kind."""
        return sum(
            (
                one.get("quantity", ZERO)
                for row in self.following(source, kind)
                if row["internalId"] != skip
                for one in row.get("itemList", [])
                if one.get("orderLine") == line and one.get("itemReceive", True)
            ),
            ZERO,
        )

    def shipped(self, order: str, line: int) -> Decimal:
        """How much of a line has left; picked and packed is not yet gone."""
        return sum(
            (
                one["quantity"]
                for row in self.following(order, "itemFulfillment")
                if row["shipStatus"] == "_shipped"
                for one in row["itemList"]
                if one.get("orderLine") == line
            ),
            ZERO,
        )

    def billed(self, order: str, line: int, *, skip: str = "") -> Decimal:
        """How much of a line is on invoices and cash sales."""
        kinds = ("invoice", "cashSale")
        return sum((self.taken(order, kind, line, skip=skip) for kind in kinds), ZERO)

    def order_status(self, row: Row) -> str:
        """Where an order stands: what people set, then what its lines say."""
        lines = row["itemList"]
        open_lines = [one for one in lines if not one.get("isClosed")]
        waits = row["orderStatus"] == "_pendingApproval" and open_lines
        if waits or row["orderStatus"] == "_cancelled":
            return str(row["orderStatus"])
        number = row["internalId"]
        gone = [self.shipped(number, one["line"]) for one in lines]
        paid = [self.billed(number, one["line"]) for one in lines]
        if not open_lines:
            is_billed = any(gone) and all(b >= g for b, g in zip(paid, gone, strict=True))
            return "_fullyBilled" if is_billed and any(paid) else "_closed"
        is_all_gone = all(
            one.get("isClosed") or not self.ships(one) or quantity >= one["quantity"]
            for one, quantity in zip(lines, gone, strict=True)
        )
        is_all_billed = all(
            one.get("isClosed") or quantity >= one["quantity"]
            for one, quantity in zip(lines, paid, strict=True)
        )
        if is_all_billed and is_all_gone:
            return "_fullyBilled"
        if is_all_gone:
            return "_pendingBilling"
        if not any(gone):
            return "_pendingFulfillment"
        is_unbilled = any(g > b for g, b in zip(gone, paid, strict=True))
        return "_pendingBillingPartFulfilled" if is_unbilled else "_partiallyFulfilled"

    def ships(self, line: Row) -> bool:
        """Whether a line's item is something to fulfil."""
        return self.store.of((*STOCKED, "kitItem"), line["item"]["id"]) is not None

    # Money.

    def applications(self, doc: str) -> Iterator[tuple[Row, Row]]:
        """The transactions applied to one, with the row that says so."""

        def work() -> dict[str, list[tuple[Row, Row]]]:
            found = defaultdict(list)
            for row in self.store.all(*APPLYING):
                for name in APPLYING[row["_kind"]]:
                    for one in row.get(name, []):
                        if one.get("apply"):
                            found[str(one["doc"])].append((row, one))
            return found

        yield from self.store.remember("applications", work).get(doc, [])

    def applied_to(self, doc: str, *, skip: str = "") -> Decimal:
        """How much has been applied to a transaction."""
        found = (one["amount"] for row, one in self.applications(doc) if row["internalId"] != skip)
        return sum(found, ZERO)

    def given_out(self, row: Row) -> Decimal:
        """How much a payment, deposit or credit has applied to others."""
        names = APPLYING.get(row["_kind"], ())
        rows = [one for name in names for one in row.get(name, []) if one.get("apply")]
        return sum((one["amount"] for one in rows), ZERO)

    def remaining(self, row: Row, *, skip: str = "") -> Decimal:
        """What is left of an invoice to pay, or of a credit to use."""
        whole: Decimal = row["payment"] if "payment" in row else row["total"]
        used = self.applied_to(row["internalId"], skip=skip)
        if row["_kind"] != "invoice" and row["internalId"] != skip:
            used += self.given_out(row)
        return whole - used

    def due_on(self, terms: Row | None, day: date) -> date:
        """When an invoice of a day falls due."""
        row = self.store.get("term", terms["id"]) if terms else None
        return day + timedelta(days=int(row.get("daysUntilNetDue", 0)) if row else 0)

    def balances(self, customer: str, today: date) -> Row:
        """What a customer owes."""
        invoices = [r for r in self.store.all("invoice") if r["entity"]["id"] == customer]
        left = [(self.remaining(row), row["dueDate"]) for row in invoices]
        # Money that pays no invoice yet is in the books already; a deposit is not.
        paid = [r for r in self.store.all("customerPayment") if r["customer"]["id"] == customer]
        paid += [r for r in self.store.all("creditMemo") if r["entity"]["id"] == customer]
        deposits = [r for r in self.store.all("customerDeposit") if r["customer"]["id"] == customer]
        late = [(amount, day) for amount, day in left if amount > 0 and day < today]
        orders = [r for r in self.store.all("salesOrder") if r["entity"]["id"] == customer]
        balance = sum((a for a, _ in left), ZERO) - sum(map(self.remaining, paid), ZERO)
        overdue = sum((amount for amount, _ in late), ZERO)
        days = max(((today - day).days for _, day in late), default=0)
        found: Row = {
            "balance": balance,
            "overdueBalance": overdue,
            "depositBalance": sum(map(self.remaining, deposits), ZERO),
            "unbilledOrders": sum(map(self.unbilled, orders), ZERO),
        }
        total = {f"consol{name[0].upper()}{name[1:]}": value for name, value in found.items()}
        return found | total | {"daysOverdue": days, "consolDaysOverdue": days}

    def unbilled(self, order: Row) -> Decimal:
        """The amount of an order's open lines that no invoice has yet."""
        if self.order_status(order) in ("_closed", "_cancelled", "_fullyBilled"):
            return ZERO
        total = ZERO
        for one in order["itemList"]:
            if one["quantity"] and not one.get("isClosed"):
                left = one["quantity"] - self.billed(order["internalId"], one["line"])
                total += money(one["amount"] * left / one["quantity"])
        return total

    # Stock.

    def stamp(self, before: dict[tuple[str, str], Decimal] | None) -> None:
        """Note the time where orders hold more or less than before: that much is available."""
        if before is None:
            return
        held = self.commitments()
        for place in before.keys() | held.keys():
            if before.get(place, ZERO) != held.get(place, ZERO) and place in self.store.stock:
                self.store.stock[place]["changed"] = utc(self.store.clock())

    def commitments(self) -> dict[tuple[str, str], Decimal]:
        """What open orders hold of each item and location, in base units, oldest order first."""
        held, _ = self.store.remember("stock", self._commit)
        return dict(held)

    def committed(self, order: str, line: int) -> Decimal:
        """What one line holds, in its own unit."""
        _, lines = self.store.remember("stock", self._commit)
        found: Decimal = lines.get((order, line), ZERO)
        return found

    def _commit(self) -> tuple[Any, Any]:
        held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        lines: dict[tuple[str, int], Decimal] = {}
        for order in self.store.all("salesOrder"):
            if order["orderStatus"] in ("_pendingApproval", "_cancelled"):
                continue
            for one in order["itemList"]:
                if one.get("isClosed") or self.store.of(STOCKED, one["item"]["id"]) is None:
                    continue
                unit = self.store.factor(one.get("units", {}).get("id"))
                left = (one["quantity"] - self.shipped(order["internalId"], one["line"])) * unit
                place = (one["item"]["id"], self.location(order, one))
                free = self.store.stock.get(place, {"onHand": ZERO})["onHand"] - held[place]
                part = max(ZERO, min(left, free))
                held[place] += part
                lines[order["internalId"], one["line"]] = part / unit
        return held, lines

    def location(self, row: Row, line: Row) -> str:
        """Where a line's goods lie: its own location, the document's, else the first there is."""
        given = line.get("location") or row.get("location")
        return str(given["id"] if given else self.store.seed["locations"][0]["internalId"])

    def availability(self, item: Row) -> list[Row]:
        """An item at each location it has been at; negative on hand leaves nothing available."""
        held = self.commitments()
        found = []
        for (number, location), place in sorted(self.store.stock.items()):
            if number != item["internalId"]:
                continue
            committed = held.get((number, location), ZERO)
            found.append(
                {
                    "locationId": {"id": location},
                    "quantityOnHand": place["onHand"],
                    "quantityOnOrder": place["onOrder"],
                    "quantityCommitted": committed,
                    "quantityAvailable": max(ZERO, place["onHand"] - committed),
                    "changed": place["changed"],
                }
            )
        return found
