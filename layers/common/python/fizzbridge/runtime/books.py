"""Our own rows about an order's surroundings: claims on stock, open orders, empties, maps.

Each is one row per order under what it is about, so every figure is a sum over rows and an order
assessed twice counts once. Where two orders must not both take the last of something, the rows'
partition has a turn: whoever wrote since we read makes us read again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from fizzbridge.model.catalogue import CatalogueItem, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Documents
from fizzbridge.model.entity import EntityRef, Kind, Part, Role
from fizzbridge.model.order import (
    LineType,
    OrderAssessment,
    OrderProcessing,
    OrderRequest,
)
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Unit
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.maps import IdMaps
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import (
    TRANSACTION_LIMIT,
    ConditionFailedError,
    Equals,
    NoRow,
    Present,
    Row,
    Table,
    Value,
    Write,
)
from fizzbridge.trade import allocation
from fizzbridge.trade.availability import available, kept_back
from fizzbridge.trade.books import Allotted, Rules
from fizzbridge.trade.empties import Movement

TURNS = 5
"""How often a claim is tried against other orders for the same item."""

CONFIRMED = frozenset({OrderState.CONFIRMED, OrderState.RELEASED})
GOES_ON = CONFIRMED | {OrderState.CLOSED}
"""States in which an ERP has reserved what an order takes."""


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
        processing: OrderProcessing | None,
        now: datetime,
        *,
        is_new: bool,
    ) -> None:
        self._table = table
        self._goes_on = processing is not None and processing.state in GOES_ON
        # What the buyer has just said is told to nobody before it is assessed.
        self._is_new = is_new
        self._reserved_at = ""
        self._reserved: dict[str, int] = {}
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

    def expect(self, needs: Mapping[str, Mapping[str, int]]) -> None:
        """Say what the order takes of each item, by line: another amount is to be reserved anew.

        It is reserved once the system that owns stock has it as it is now and says that it goes on
        with it; of one that says nothing of orders, once it has it.
        """
        wants = {
            f"{sku} {line}": quantity
            for sku in sorted(needs)
            for line, quantity in needs[sku].items()
        }
        for owner in self._rules.bridge.connections:
            if Role.STOCK not in owner.roles:
                continue
            if owner.name == self._ref.connection:
                self._reserved_at = self._at  # it took it off when the order was placed
                continue
            says = Role.ORDER_PROCESSING in owner.roles
            self._expect(owner.name, wants, goes_on=self._goes_on or not says)

    def _expect(self, owner: str, wants: Mapping[str, int], *, goes_on: bool) -> None:
        sk = rows.link_sk(owner)
        row = self._table.get(str(self._ref), sk) or {}
        listed = [f"{name} {quantity}" for name, quantity in wants.items()]
        known = rows.words(row, "reserved_for")
        if goes_on and known == listed:
            self._reserved_at = rows.text(row, "reserved_at")
        elif goes_on and not self._is_new and _is_in_step(row):
            now: dict[str, Value] = {"reserved_for": listed, "reserved_at": self._at}
            self._table.write(Write(str(self._ref), sk, set=now))
            self._reserved_at = self._at
        elif goes_on:
            # What was reserved before an amendment is still: only what it adds is in flight.
            pairs = (one.rpartition(" ") for one in known)
            self._reserved = {name: int(quantity) for name, _, quantity in pairs}
        elif known:
            self._table.write(Write(str(self._ref), sk, remove=("reserved_for", "reserved_at")))

    def allot(
        self, item: CatalogueItem, wanted: Mapping[str, int], at: datetime
    ) -> Allotted | None:
        """Claim stock for the order's lines; None where no system told of stock, or holds it.

        What is reserved stays claimed as it is: each level ends what it shows.

        Raises:
            ContendedError: other orders for the item kept coming first.
        """
        pk = rows.stock_pk(item.sku)
        for _ in range(TURNS):
            found = self._table.query(pk)
            levels = self._levels(found)
            if not levels:
                return None
            self._claimed.add(item.sku)
            every = claims(found)
            own = [claim for claim in every if claim.order == self._ref]
            if self._reserved_at:
                self._mark(pk, own)
                return None
            others = [
                claim
                for claim in every
                if claim.order != self._ref and not _is_shown(claim, levels)
            ]
            more = sum(
                max(quantity - self._reserved.get(f"{item.sku} {line}", 0), 0)
                for line, quantity in wanted.items()
            )
            got, free = self._share(item, more, at, others, levels)
            claimed = self._claims(next(iter(wanted)), more, got.allotted, free, at)
            got = replace(got, allotted=sum(wanted.values()) - more + got.allotted)
            if self._claim(item.sku, own, claimed, levels, _turn(found)):
                return got
        raise ContendedError(f"{self._ref}: others kept claiming {item.sku}")

    def _claim(
        self,
        sku: str,
        own: Sequence[Claim],
        claimed: Sequence[Claim],
        levels: Sequence[tuple[EntityRef, StockLevel]],
        turn: str,
    ) -> bool:
        """Claim this instead of what is claimed; whether that is done, or to be looked at again."""
        now = {claim.sk: claim.said for claim in claimed}
        if now == {claim.sk: claim.said for claim in own}:
            return True
        pk = rows.stock_pk(sku)
        stamp: dict[str, Value] = {"updated_at": self._at}
        made = [Write(pk, sk, set=said | stamp, replace=True) for sk, said in now.items()]
        mark = Write(str(self._ref), f"{rows.CLAIMED}{sku}", set=stamp)
        told = self._told(levels, {claim.place for claim in [*own, *claimed]})
        ended = [Write(pk, one.sk, delete=True) for one in own if one.sk not in now]
        writes = [*made, self._take(pk, turn), mark, *told]
        room = TRANSACTION_LIMIT - len(writes)
        # A release before this one had a row for each line: they may be too many to end at once.
        is_last = len(ended) < room
        writes += [*ended, *self._freed(pk)] if ended and is_last else ended[: room - 1]
        try:
            self._table.transact(writes)
        except ConditionFailedError:
            return False
        return is_last

    def _mark(self, pk: str, own: Sequence[Claim]) -> None:
        """Note on claims since when levels have them in; one that has, may end it meanwhile."""
        since: dict[str, Value] = {"since": self._reserved_at, "updated_at": self._at}
        for claim in own:
            if not claim.since:
                with suppress(ConditionFailedError):
                    self._table.write(Write(pk, claim.sk, set=since, when=Present("order")))

    def give_up(self, *, has_left: bool) -> None:
        """Let go of claims on items the order does not want, or does not want any more.

        What is on its way out of the door stays claimed until a level was counted later.

        Raises:
            ContendedError: levels kept ending the claims meanwhile.
        """
        found = self._table.query(str(self._ref), rows.CLAIMED)
        known = {rows.text(row, "sk").removeprefix(rows.CLAIMED) for row in found}
        for sku in sorted(known - self._claimed):
            for _ in range(TURNS):
                if self._let_go(rows.stock_pk(sku), has_left=has_left):
                    self._table.write(Write(str(self._ref), f"{rows.CLAIMED}{sku}", delete=True))
                    break
            else:
                raise ContendedError(f"{self._ref}: levels kept ending its claims on {sku}")

    def _let_go(self, pk: str, *, has_left: bool) -> bool:
        own = [
            claim
            for claim in claims(self._table.query(pk, f"{rows.claim_sk(self._ref)}#"))
            if not (has_left and claim.since)
        ]
        if not own:
            return True
        left: dict[str, Value] = {"since": self._at, "updated_at": self._at}
        writes = [
            # A level may end it at this moment, and must not find it again.
            Write(pk, one.sk, set=left, when=Present("order"))
            if has_left
            else Write(pk, one.sk, delete=True)
            for one in own
        ]
        levels = self._levels(self._table.query(pk, rows.LEVEL))
        told = self._told(levels, {one.place for one in own})
        try:
            self._table.transact([*writes, *self._freed(pk), *told])
        except ConditionFailedError:
            return False
        return True

    def _freed(self, pk: str) -> list[Write]:
        """A mark that is news to those who wait for stock; the claims themselves are gone."""
        return [Write(pk, rows.FREED_SK, set={"by": str(self._ref), "updated_at": self._at})]

    def _told(
        self, levels: Sequence[tuple[EntityRef, StockLevel]], places: Collection[str]
    ) -> list[Write]:
        """A claim changes what may be offered at a place: its levels are to be assessed again."""
        wanted = rows.token(str(self._ref), self._at)
        at_places = [ref for ref, level in levels if level.location in places]
        # A claim on a place that nobody tells of any more is the first one's.
        named = at_places or [ref for ref, _ in levels[:1]]
        return [rows.want(ref, rows.ASSESS, wanted, self._now) for ref in named]

    def _levels(self, found: Sequence[Row]) -> list[tuple[EntityRef, StockLevel]]:
        """The levels of an item in its base units: where orders are shipped from first."""
        known = []
        for row in found:
            sk = rows.text(row, "sk")
            if not sk.startswith(rows.LEVEL):
                continue
            ref = EntityRef.parse(sk.removeprefix(rows.LEVEL))
            level = self._load.view(ref).body(Part.RECORD, StockLevel)
            if level:
                known.append((ref, level.times(rows.number(row, "factor") or 1)))
        return sorted(known, key=lambda one: (not self._ships_from(*one), str(one[0])))

    def _ships_from(self, ref: EntityRef, level: StockLevel) -> bool:
        """Whether the level's owner books orders at its place."""
        settings = self._rules.bridge.connection(ref.connection).settings
        return level.location in {settings.get("warehouse"), settings.get("location")}

    def _share(
        self,
        item: CatalogueItem,
        wanted: int,
        at: datetime,
        others: Sequence[Claim],
        levels: Sequence[tuple[EntityRef, StockLevel]],
    ) -> tuple[Allotted, dict[str, int]]:
        """What the order gets beside others, and what is free of it at each place."""
        policy = self._rules.bridge.stock
        assert policy is not None  # noqa: S101  stock is checked where there is a policy
        free: dict[str, int] = {}
        workings = []
        places = list(dict.fromkeys(level.location for _, level in levels))
        for place in places:
            taken = _taken(others, place, places)
            raw = 0
            for level in (level for _, level in levels if level.location == place):
                found = available(level, taken, item, policy, self._now)
                workings.append(found.working)
                raw, taken = raw + found.raw, 0
            free[place] = max(raw - kept_back(raw, item, policy), 0)
        by_order: dict[EntityRef, list[Claim]] = {}
        for claim in others:
            by_order.setdefault(claim.order, []).append(claim)
        waiting = {
            order: listed
            for order, listed in by_order.items()
            # What is reserved takes no more; a level has shown some of it, and ended that claim.
            if not listed[0].since and _got(listed) < _want(listed)
        }
        demands = [allocation.Demand(str(self._ref), wanted, at)] + [
            allocation.Demand(str(order), _want(listed), from_text(listed[0].placed_at))
            for order, listed in waiting.items()
        ]
        pool = sum(free.values()) + sum(_got(listed) for listed in waiting.values())
        if policy.share == "fair_share":
            shares = allocation.fair_share(pool, demands, item.factor(Unit.CASE) or 1)
        else:
            shares = allocation.by_order_time(pool, demands)
        allotted = min(shares[str(self._ref)], sum(free.values()))
        working = workings[0]
        working = working.model_copy(
            update={"text": f"{working.text}; {allotted} of {wanted} for this order"}
        )
        lots = tuple(lot for _, level in levels for lot in level.lots)
        receipts = tuple(receipt for _, level in levels for receipt in level.on_order)
        return Allotted(wanted, allotted, lots, working, receipts), free

    def _claims(
        self, line: str, wanted: int, allotted: int, free: Mapping[str, int], at: datetime
    ) -> list[Claim]:
        """One claim for each place that gives something; one that gets nothing waits at the first.

        However many lines an order has for an item: a transaction takes a hundred rows.
        """
        given: dict[str, int] = {}
        for place, there in free.items():
            given[place] = min(there, allotted - sum(given.values()))
        places = [place for place, some in given.items() if some]
        if wanted and not places:
            places = [next(iter(given))]
        return [
            Claim(self._ref, line, place, wanted, given[place], to_text(at)) for place in places
        ]

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


@dataclass(frozen=True)
class Claim:
    """What an order takes of an item at one place, until a level shows it.

    Attributes:
        order: the order.
        line: the first of its lines for the item.
        place: the location.
        wanted: base units the order asks for, at all places.
        allotted: base units it has there.
        placed_at: when it was ordered.
        since: when the owner of stock had reserved it, or it was on its way out of the door.
    """

    order: EntityRef
    line: str
    place: str
    wanted: int
    allotted: int
    placed_at: str
    since: str = ""

    @property
    def sk(self) -> str:
        """Sort key of the claim's row."""
        return f"{rows.claim_sk(self.order)}#{self.line}#{self.place}"

    def is_in(self, as_of: datetime) -> bool:
        """Whether a stock level of that moment has the claim in it already: reserved, or gone."""
        return bool(self.since) and from_text(self.since) < as_of

    @property
    def said(self) -> dict[str, Value]:
        """What the row says."""
        return {
            "order": str(self.order),
            "line": self.line,
            "place": self.place,
            "wanted": self.wanted,
            "allotted": self.allotted,
            "placed_at": self.placed_at,
        }


def claims(found: Sequence[Row]) -> list[Claim]:
    """The claims on an item."""
    return [
        Claim(
            order=EntityRef.parse(rows.text(row, "order")),
            line=rows.text(row, "line"),
            place=rows.text(row, "place"),
            wanted=rows.number(row, "wanted"),
            allotted=rows.number(row, "allotted"),
            placed_at=rows.text(row, "placed_at"),
            since=rows.text(row, "since"),
        )
        for row in found
        if rows.text(row, "sk").startswith(rows.CLAIM)
    ]


def _is_shown(claim: Claim, levels: Sequence[tuple[EntityRef, StockLevel]]) -> bool:
    """Whether the level of a claim's place was counted after the order was heard of there."""
    at_place = [level for _, level in levels if level.location == claim.place]
    first = [level for _, level in levels[:1]]
    return any(claim.is_in(level.as_of) for level in at_place or first)


def _is_in_step(row: Row) -> bool:
    return "external_id" in row and row.get("wanted") == row.get("synced")


def _taken(claimed: Sequence[Claim], place: str, places: Sequence[str]) -> int:
    """What is claimed at a place; of a place nobody tells of any more, at the first."""
    return sum(
        claim.allotted
        for claim in claimed
        if place == (claim.place if claim.place in places else places[0])
    )


def _got(listed: Sequence[Claim]) -> int:
    return sum(claim.allotted for claim in listed)


def _want(listed: Sequence[Claim]) -> int:
    # A release before this one had claims of each line.
    return sum({claim.line: claim.wanted for claim in listed}.values())


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
