"""Follow one order from the shop's webhook to the ERP, through the bridge's own state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cli.stack import Stack
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.events import DetailType
from fizzbridge.model.order import AssessedLine, OrderAssessment
from fizzbridge.model.states import OrderState
from fizzbridge.runtime import rows
from fizzbridge.state import Row
from fizzbridge.state.moments import from_text
from infra.local.demo.cases import Case, End

WAITING = frozenset({"held", "parked"})


@dataclass
class Placed:
    """An order of the demo, placed.

    Attributes:
        case: what it is for.
        shop: the connection it comes from.
        shown: the order as the shop shows it now.
    """

    case: Case
    shop: str
    shown: dict[str, Any]

    @property
    def ref(self) -> EntityRef:
        """The order's key in the bridge."""
        return ref(Kind.ORDER, self.shop, self.shown["id"])

    @property
    def called(self) -> str:
        """Its number and what is special about it, for people."""
        return f"{self.shown['name']} ({self.case.name})"

    @property
    def total(self) -> Decimal:
        """What the shop says it costs now."""
        return Decimal(self.shown["current_total_price"])


@dataclass(frozen=True)
class Whereabouts:
    """Where an order is, as the state table says.

    Attributes:
        assessment: what the bridge makes of it.
        link: its link to the ERP.
        in_step: whether assess and the ERP have taken in all that is known.
        holds: the messages of its open holds.
        booked_at: when the ERP had it first.
    """

    assessment: OrderAssessment | None
    link: Row
    in_step: bool
    holds: tuple[str, ...]
    booked_at: datetime | None

    @property
    def status(self) -> str:
        """The status of the link."""
        return rows.text(self.link, "status")

    @property
    def lines(self) -> int:
        """Lines that something is left of."""
        found = self.assessment.lines if self.assessment else ()
        return len([line for line in found if _is_left(line)])

    @property
    def is_cancelled(self) -> bool:
        """Whether the order is cancelled."""
        return bool(self.assessment and self.assessment.state is OrderState.CANCELLED)


def _is_left(line: AssessedLine) -> bool:
    return bool(line.amount) or bool(line.quantity and line.quantity.ordered)


def whereabouts(stack: Stack, order: EntityRef, target: str) -> Whereabouts:
    """Read an order's rows once."""
    found = {rows.text(row, "sk"): row for row in stack.table.query(str(order))}
    part = found.get(rows.part_sk(Part.ASSESSMENT))
    body = rows.stored_part(part, order, stack.objects).body if part else None
    assess, link = (found.get(rows.link_sk(name), {}) for name in (rows.ASSESS, target))
    booked = [
        from_text(rows.text(row, "at"))
        for row in found.values()
        if row.get("what") == DetailType.ORDER_BOOKED
    ]
    return Whereabouts(
        assessment=body if isinstance(body, OrderAssessment) else None,
        link=link,
        in_step=_in_step(assess) and _in_step(link),
        holds=tuple(
            rows.text(row, "message")
            for sk, row in found.items()
            if sk.startswith("HOLD#") and "cause" in row
        ),
        booked_at=min(booked, default=None),
    )


def _in_step(link: Row) -> bool:
    return "wanted" in link and link["wanted"] == link.get("synced")


def has_arrived(placed: Placed, where: Whereabouts) -> bool:
    """Whether the bridge has done with the order as the shop shows it now."""
    if where.assessment is None:
        return False
    if placed.shown["cancelled_at"]:
        return where.is_cancelled and where.in_step
    if where.assessment.totals.gross != placed.total:
        return False
    if placed.case.end is End.HELD:
        return where.status in WAITING
    return where.status == "parked" or (where.in_step and where.booked_at is not None)
