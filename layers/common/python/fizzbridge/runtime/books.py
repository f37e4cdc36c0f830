"""Our own rows about an order's surroundings: claims on stock, open orders, empties, maps.

Each is one row per order under what it is about, so every figure is a sum over rows and an order
assessed twice counts once. Where two orders must not both take the last of something, the rows'
partition has a turn: whoever wrote since we read makes us read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from fizzbridge.model.catalogue import CatalogueItem, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Documents
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.order import LineType, OrderAssessment, OrderRequest
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Unit
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import ConditionFailedError, Equals, NoRow, Row, Table, Value, Write
from fizzbridge.trade import allocation
from fizzbridge.trade.availability import available
from fizzbridge.trade.books import Allotted, Rules
from fizzbridge.trade.empties import Movement

TURNS = 5
"""How often a claim is tried against other orders for the same item."""

CONFIRMED = frozenset({OrderState.CONFIRMED, OrderState.RELEASED})


class ContendedError(Exception):
    """Other orders kept taking their turn: assess again."""


class OrderBooks:
    """The books of one order, for one round of its assessment."""

    def __init__(
        self,
        table: Table,
        load: Loader,
        rules: Rules,
        ref: EntityRef,
        request: OrderRequest | None,
        now: datetime,
    ) -> None:
        self._table = table
        self._load = load
        self._rules = rules
        self._ref = ref
        self._request = request
        self._now = now
        self._maps = IdMaps(table, ref.connection)
        self._turn: str | None = None
        self._claimed: set[str] = set()

    # -- maps and the account --------------------------------------------------------------------

    def sku(self, code: str) -> str | None:
        """Our code for one of the source's; None where nobody said."""
        return self._maps.get("sku", code)

    def sku_cause(self, code: str) -> str:
        """What a hold for a missing code waits for."""
        return self._maps.cause("sku", code)

    @property
    def _account_ref(self) -> EntityRef | None:
        """The ERP's account where the shop's company is mapped to it, else the buyer."""
        if self._request is None:
            return None
        company = self._request.company
        key = self._maps.get("account", company.id) if company else None
        return EntityRef(kind=Kind.CUSTOMER, key=key) if key else self._request.customer

    def account(self) -> Customer | None:
        """The account the order is on, where it is known."""
        ref = self._account_ref
        return self._load.view(ref).body(Part.RECORD, Customer) if ref else None

    # -- credit ----------------------------------------------------------------------------------

    def credit_cause(self) -> str:
        """What a hold for credit waits for: another word on the account, or on its orders."""
        return rows.credit_cause(self._account_ref) if self._account_ref else ""

    def other_orders(self, currency: str) -> Decimal:
        """Gross of the account's other orders that are confirmed and not invoiced."""
        if self._account_ref is None:
            return Decimal(0)
        found = self._table.query(rows.account_pk(self._account_ref))
        self._turn = _turn(found)
        return sum(
            (
                Decimal(rows.text(row, "open"))
                for row in found
                if row.get("currency") == currency and row["sk"] != str(self._ref)
            ),
            Decimal(0),
        )

    def writes(self, assessment: OrderAssessment, documents: Documents) -> list[Write]:
        """The order's own rows, to be written with its assessment.

        Where credit was checked, nobody else of the account may have been let through since.
        """
        if self._account_ref is None or self._rules.bridge.credit is None:
            return []
        pk = rows.account_pk(self._account_ref)
        invoiced = sum((one.totals.gross for one in documents.standing_invoices()), Decimal(0))
        is_open = assessment.state in CONFIRMED and not assessment.is_historical
        owed = max(assessment.totals.gross - invoiced, Decimal(0)) if is_open else Decimal(0)
        own = {"open": str(owed), "currency": assessment.currency, "updated_at": self._at}
        writes = [Write(pk, str(self._ref), set=own, replace=True)]
        return writes + ([] if self._turn is None else [self._take(pk, self._turn)])

    # -- stock -----------------------------------------------------------------------------------

    def stock_cause(self, sku: str) -> str:
        """What a hold for stock waits for: another level, or a claim given up."""
        return rows.stock_pk(sku)

    def allot(self, item: CatalogueItem, wanted: int, at: datetime) -> Allotted | None:
        """Claim stock for the order; None where no system told of stock, or holds it reserved.

        Raises:
            ContendedError: other orders for the item kept coming first.
        """
        pk = rows.stock_pk(item.sku)
        for _ in range(TURNS):
            found = self._table.query(pk)
            levels = self._levels(found)
            if not levels or self._is_reserved(self._ref, levels):
                return None
            self._claimed.add(item.sku)
            got = self._share(item, wanted, at, found, levels)
            claim: dict[str, Value] = {
                "wanted": wanted,
                "allotted": got.allotted,
                "placed_at": to_text(at),
            }
            own = next((row for row in found if row["sk"] == rows.claim_sk(self._ref)), {})
            if all(own.get(name) == value for name, value in claim.items()):
                return got
            stamped = claim | {"updated_at": self._at}
            write = Write(pk, rows.claim_sk(self._ref), set=stamped, replace=True)
            told = self._told(levels, item.sku, got.allotted)
            try:
                self._table.transact([write, self._take(pk, _turn(found)), *told])
            except ConditionFailedError:
                continue
            return got
        raise ContendedError(f"{self._ref}: others kept claiming {item.sku}")

    def give_up(self, skus: Sequence[str], day: date) -> None:
        """Let go of claims on items the order does not want, or does not want any more.

        A mixed case had its claims on its components.
        """
        items = (self._rules.catalogue.item(sku, day) for sku in skus)
        parts = {part.sku for item in items if item for part in item.components}
        for sku in {*skus, *parts} - self._claimed:
            pk, sk = rows.stock_pk(sku), rows.claim_sk(self._ref)
            if rows.number(self._table.get(pk, sk) or {}, "wanted"):
                none: dict[str, Value] = {"wanted": 0, "allotted": 0, "updated_at": self._at}
                levels = self._levels(self._table.query(pk, rows.LEVEL))
                self._table.transact([Write(pk, sk, set=none), *self._told(levels, sku, 0)])

    def _told(
        self, levels: Sequence[tuple[EntityRef, StockLevel]], sku: str, allotted: int
    ) -> list[Write]:
        """A claim changes what may be offered: the levels are to be assessed again."""
        wanted = rows.token(str(self._ref), sku, str(allotted), self._at)
        return [rows.want(ref, rows.ASSESS, wanted, self._now) for ref, _ in levels]

    def _levels(self, found: Sequence[Row]) -> list[tuple[EntityRef, StockLevel]]:
        refs = [
            EntityRef.parse(rows.text(row, "sk").removeprefix(rows.LEVEL))
            for row in found
            if rows.text(row, "sk").startswith(rows.LEVEL)
        ]
        levels = ((ref, self._load.view(ref).body(Part.RECORD, StockLevel)) for ref in refs)
        return [(ref, level) for ref, level in levels if level]

    def _is_reserved(
        self, order: EntityRef, levels: Sequence[tuple[EntityRef, StockLevel]]
    ) -> bool:
        """Whether the system that owns stock has the order, and counted stock since."""
        return any(
            is_reserved(self._table, order, ref.connection, level.as_of) for ref, level in levels
        )

    def _share(
        self,
        item: CatalogueItem,
        wanted: int,
        at: datetime,
        found: Sequence[Row],
        levels: Sequence[tuple[EntityRef, StockLevel]],
    ) -> Allotted:
        policy = self._rules.bridge.stock
        assert policy is not None  # noqa: S101  stock is checked where there is a policy
        others = {
            order: row
            for order, row in claims(found).items()
            if order != self._ref and not self._is_reserved(order, levels)
        }
        taken = sum(rows.number(row, "allotted") for row in others.values())
        # The claims of others are on the whole stock, whichever location has it.
        offered = [
            available(level, taken if place == 0 else 0, item, policy, self._now)
            for place, (_, level) in enumerate(levels)
        ]
        free = sum(one.available for one in offered)
        waiting = {
            order: row
            for order, row in others.items()
            if rows.number(row, "allotted") < rows.number(row, "wanted")
        }
        demands = [allocation.Demand(str(self._ref), wanted, at)] + [
            allocation.Demand(
                str(order), rows.number(row, "wanted"), from_text(rows.text(row, "placed_at"))
            )
            for order, row in waiting.items()
        ]
        pool = free + sum(rows.number(row, "allotted") for row in waiting.values())
        if policy.share == "fair_share":
            shares = allocation.fair_share(pool, demands, item.factor(Unit.CASE) or 1)
        else:
            shares = allocation.by_order_time(pool, demands)
        allotted = min(shares[str(self._ref)], free)
        working = offered[0].working.model_copy(
            update={"text": f"{offered[0].working.text}; {allotted} of {wanted} for this order"}
        )
        lots = tuple(lot for _, level in levels for lot in level.lots)
        receipts = tuple(receipt for _, level in levels for receipt in level.on_order)
        return Allotted(wanted, allotted, lots, working, receipts)

    # -- empties ---------------------------------------------------------------------------------

    @property
    def _outlet(self) -> str:
        company = self._request.company if self._request else None
        return company.location_id if company else ""

    def empties(self) -> Mapping[str, Sequence[Movement]]:
        """The outlet's ledger by type of container, without this order's own movements."""
        if self._account_ref is None:
            return {}
        found: dict[str, list[Movement]] = {}
        for row in self._table.query(rows.empties_pk(self._account_ref, self._outlet)):
            container, _, order = rows.text(row, "sk").partition("#")
            if order != str(self._ref):
                found.setdefault(container, []).append(_movement(container, row))
        return found

    def empties_cause(self, container: str) -> str:
        """What a hold for too many empties waits for: another row of the ledger."""
        if self._account_ref is None:
            return ""
        return f"{rows.empties_pk(self._account_ref, self._outlet)}/{container}"

    def enter_empties(self, movements: Sequence[Movement]) -> None:
        """Enter what the order moved; the same row however often it is assessed."""
        if self._account_ref is None:
            return
        pk = rows.empties_pk(self._account_ref, self._outlet)
        for movement in movements:
            row: dict[str, Value] = {
                "shipped": movement.shipped,
                "returned": movement.returned,
                "written_off": movement.written_off,
                "rate": str(movement.rate),
                "day": movement.day.isoformat(),
            }
            sk = f"{movement.container}#{self._ref}"
            found = self._table.get(pk, sk) or {"shipped": 0, "returned": 0}
            if any(found[name] != row[name] for name in ("shipped", "returned")):
                stamped = row | {"updated_at": self._at}
                self._table.write(Write(pk, sk, set=stamped, replace=True))

    @property
    def _at(self) -> str:
        return to_text(self._now)

    def enter_lots(self, documents: Documents) -> None:
        """Enter which lots the order was shipped from, for a recall."""
        found: dict[str, dict[str, int]] = {}
        for shipment in documents.shipments:
            for line in shipment.lines if shipment.has_left else ():
                if line.lot:
                    of = found.setdefault(line.lot, {})
                    of[line.sku or ""] = of.get(line.sku or "", 0) + line.quantity
        for lot, quantities in found.items():
            row: dict[str, Value] = {
                "customer": str(self._account_ref or ""),
                "skus": [f"{sku} {quantity}" for sku, quantity in sorted(quantities.items())],
                "quantity": sum(quantities.values()),
            }
            self._table.write(Write(rows.lot_pk(lot), str(self._ref), set=row, replace=True))

    def _take(self, pk: str, turn: str) -> Write:
        new = rows.token(str(self._ref), to_text(self._now), turn)
        when = Equals("turn", turn) if turn else NoRow()
        return Write(pk, rows.TURN_SK, set={"turn": new}, when=when)


def is_reserved(table: Table, order: EntityRef, connection: str, as_of: datetime) -> bool:
    """Whether a stock level of that moment has an order's reservation in it already."""
    booked = rows.text(table.get(str(order), rows.link_sk(connection)) or {}, "booked_at")
    return bool(booked) and from_text(booked) < as_of


def claims(found: Sequence[Row]) -> dict[EntityRef, Row]:
    """The claims on an item by order."""
    return {
        EntityRef.parse(rows.text(row, "sk").removeprefix(rows.CLAIM)): row
        for row in found
        if rows.text(row, "sk").startswith(rows.CLAIM) and rows.number(row, "wanted")
    }


def _turn(found: Sequence[Row]) -> str:
    return next((rows.text(row, "turn") for row in found if row["sk"] == rows.TURN_SK), "")


def _movement(container: str, row: Row) -> Movement:
    return Movement(
        container=container,
        shipped=rows.number(row, "shipped"),
        returned=rows.number(row, "returned"),
        written_off=rows.number(row, "written_off"),
        rate=Decimal(rows.text(row, "rate") or "0"),
        day=date.fromisoformat(rows.text(row, "day")),
    )


def movements(assessment: OrderAssessment, documents: Documents) -> list[Movement]:
    """What an order moved of each type of container: shipped with goods, brought back empty."""
    shipped = documents.shipped()
    quantities = {line.id: line.quantity for line in assessment.lines if line.quantity}
    sums: dict[str, dict[str, int]] = {}
    rates: dict[str, Decimal] = {}
    is_back = assessment.state in CONFIRMED or assessment.state is OrderState.CLOSED
    for line in assessment.lines:
        container = line.container
        if not container:
            continue
        moved = sums.setdefault(container, {"shipped": 0, "returned": 0})
        rates[container] = line.unit_price or Decimal(0)
        quantity = quantities.get(line.parent_id or "")
        if line.type is LineType.DEPOSIT and quantity and quantity.ordered:
            out = min(shipped.get(line.parent_id or "", 0), quantity.ordered)
            moved["shipped"] += line.count * out // quantity.ordered
        elif line.type is LineType.DEPOSIT_REFUND and is_back:
            moved["returned"] += line.count
    return [
        Movement(
            container=container,
            written_off=0,
            rate=rates[container],
            day=assessment.tax_point,
            **moved,
        )
        for container, moved in sums.items()
    ]
