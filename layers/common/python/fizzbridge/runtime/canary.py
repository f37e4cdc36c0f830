"""A canary: an order of ours that goes the whole way, so that a way that leads nowhere is noticed.

Monitors look at what happens, and see nothing where nothing does: an event that is not delivered, a
mapping that is switched off, a function nobody calls. So once in a while an order is sent to the
front door, signed like any other, and has to be at its target within the time it is given. It is
cancelled when the next one is placed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.model.order import DocumentLine, LineType, OrderRequest, Totals
from fizzbridge.model.party import Address, Contact
from fizzbridge.observability import Metric, Metrics, log
from fizzbridge.runtime import rows
from fizzbridge.settings import Bridge
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import Row, Table, Write
from fizzbridge.webhook.signatures import standard_proof

CANARY_SK = "CANARY"
"""Row of the canary's connection: the order that is on its way, and the one before it."""

BUYER = "canary"
"""Its buyer, the same always: one customer at the target."""

Post = Callable[[Mapping[str, str], bytes], int]
"""Sends headers and body to the canary's own webhook; gives the status, 0 without an answer."""


@dataclass(frozen=True)
class Sent:
    """One canary order; its time is its name.

    Attributes:
        placed_at: when it was placed, to the second.
    """

    placed_at: datetime

    @property
    def name(self) -> str:
        """Its id at the shop it pretends to come from."""
        return f"canary-{self.placed_at:%Y%m%d%H%M%S}"

    def record(self, bridge: Bridge, sku: str, cancelled_at: datetime | None) -> dict[str, object]:
        """The order, of one test item at no price."""
        nought, company = Decimal(0), bridge.company
        request = OrderRequest(
            number=self.name.upper(),
            currency=company.currency,
            tax_included=False,
            lines=(
                DocumentLine(
                    id="1",
                    type=LineType.GOODS,
                    sku=sku,
                    title="Canary",
                    quantity=1,
                    quantity_ordered=1,
                    unit_price=nought,
                    amount=nought,
                    is_stocked=False,
                ),
            ),
            totals=Totals(net=nought, tax=nought, gross=nought),
            placed_at=self.placed_at,
            changed_at=cancelled_at or self.placed_at,
            cancelled_at=cancelled_at,
            channel="canary",
            shop_currency=company.currency,
            presentment_currency=company.currency,
            presentment_gross=nought,
            customer=ref(Kind.CUSTOMER, BUYER, BUYER),
            contact=Contact(name="Canary"),
            ship_to=Address(country=company.country),
        )
        return request.model_dump(mode="json") | {"customer": BUYER}


class Canary:
    """Places canary orders, and looks whether they arrive."""

    def __init__(
        self,
        table: Table,
        bridge: Bridge,
        post: Post,
        secret: Callable[[], str],
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        """Place nothing yet.

        Args:
            table: The state table.
            bridge: It has a canary.
            post: Sends to the canary's webhook.
            secret: Gives what its deliveries are signed with.
            metrics: Hears whether one is missing.
            now: The clock.
        """
        if bridge.canary is None:
            raise ValueError("the bridge has no canary")
        self._table = table
        self._bridge = bridge
        self._policy = bridge.canary
        self._post = post
        self._secret = secret
        self._metrics = metrics
        self._now = now
        self._name = bridge.canary.connection
        self._pk = rows.connection_pk(self._name)

    def tick(self) -> bool:
        """Look at the order on its way, and place the next one when it is time; once a minute.

        Returns:
            Whether one is missing: it, or one before it, is not at its target in time, and none has
            been since.
        """
        row = self._table.get(self._pk, CANARY_SK) or {}
        is_missing = False
        if row:
            is_missing = self._look(row)
            row = self._table.get(self._pk, CANARY_SK) or {}
        # One that cannot be cancelled keeps the next one back: none is to be left there.
        if not row or (not row.get("last") and self._is_due(_sent(row))):
            row = self._begin(row)
        # Sent again until it is known: whatever repeats it finds it equal.
        if not self._known(_sent(row)):
            self._send(_sent(row))
        if rows.text(row, "last"):
            self._cancel(row)
        self._metrics.measure(Metric.CANARY_MISSING, self._name, int(is_missing))
        return is_missing

    def _look(self, row: Row) -> bool:
        """Whether the order on its way, or those before it, are missing."""
        sent = _sent(row)
        if rows.text(row, "arrived"):
            return False
        arrived = self._arrived(sent)
        if arrived:
            age = from_text(arrived) - sent.placed_at
            self._metrics.measure(
                Metric.CANARY_AGE_MS, self._name, max(0, age // timedelta(milliseconds=1))
            )
            self._note(set={"arrived": arrived}, remove=["missing"])
            return False
        if row.get("missing"):
            return True
        if self._now() - sent.placed_at < timedelta(seconds=self._policy.within):
            return False
        log.error(
            "canary missing", extra={"connection": self._name, "entity": str(self._ref(sent))}
        )
        self._note(set={"missing": True})
        return True

    def _is_due(self, sent: Sent) -> bool:
        return self._now() - sent.placed_at >= self._policy.interval

    def _begin(self, row: Row) -> Row:
        """Name the next order before it is sent, so that a run that dies has not sent two."""
        placed_at = to_text(self._now().replace(microsecond=0))
        last = {"last": rows.text(row, "placed_at")} if row else {}
        return self._note(set={"placed_at": placed_at, **last}, remove=["arrived"])

    def _cancel(self, row: Row) -> None:
        last = Sent(from_text(rows.text(row, "last")))
        # The next one's time, so that it is the same however often it is said.
        if self._send(last, cancelled_at=_sent(row).placed_at):
            self._note(remove=["last"])

    def _send(self, sent: Sent, cancelled_at: datetime | None = None) -> bool:
        at = self._now()
        data = {
            "id": sent.name,
            "changed_at": to_text(cancelled_at or sent.placed_at),
            "record": sent.record(self._bridge, self._policy.sku, cancelled_at),
        }
        body = json.dumps({"type": "order.updated", "timestamp": to_text(at), "data": data})
        named = f"{sent.name}-{'cancelled' if cancelled_at else 'placed'}"
        signed_at = str(int(at.timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": named,
            "webhook-timestamp": signed_at,
            "webhook-signature": standard_proof(self._secret(), named, signed_at, body.encode()),
        }
        status = self._post(headers, body.encode())
        is_accepted = 200 <= status < 300
        if not is_accepted:
            log.error("canary refused", extra={"connection": self._name, "status": status})
        return is_accepted

    # -- what is there -------------------------------------------------------------------------

    def _ref(self, sent: Sent) -> EntityRef:
        return ref(Kind.ORDER, self._name, sent.name)

    def _known(self, sent: Sent) -> bool:
        return bool(self._table.query(str(self._ref(sent)), "PART#", limit=1))

    def _arrived(self, sent: Sent) -> str:
        """When an order was in step with all its targets; empty where it is not, or has none."""
        links = self._table.query(str(self._ref(sent)), "LINK#")
        is_in_step = all(
            rows.text(link, "status") == "synced"
            and rows.text(link, "wanted") == rows.text(link, "synced")
            for link in links
        )
        targets = [link for link in links if link["sk"] != rows.link_sk(rows.ASSESS)]
        if not targets or not is_in_step:
            return ""
        return max(rows.text(link, "updated_at") for link in targets)

    def _note(self, set: Mapping[str, str | bool] | None = None, remove: Sequence[str] = ()) -> Row:
        return self._table.write(Write(self._pk, CANARY_SK, set=set or {}, remove=remove))


def _sent(row: Row) -> Sent:
    return Sent(from_text(rows.text(row, "placed_at")))
