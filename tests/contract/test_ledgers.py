"""What a ledger that is a source as well tells of an order it holds for us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fizzbridge.model.entity import Kind
from fizzbridge.runtime.observe import Circumstances, Merge
from fizzbridge.runtime.pull import Span
from platforms.quickbooks.pull import QuickBooksPull
from platforms.xero.pull import XeroPull
from tests.kit.house import order_ref
from tests.kit.target import TargetHouse

LEDGERS = {
    "quickbooks": (QuickBooksPull(), ("invoices", "payments")),
    "xero": (XeroPull(), ("invoices", "payments", "credit_notes")),
}
"""Readers, and their streams that tell of documents."""
SPAN = Span(datetime(2026, 1, 1, tzinfo=UTC))


class Lease:
    """As much time as it takes."""

    def left(self, now):
        return timedelta(minutes=5)


class Office(TargetHouse):
    """A house whose ledger owns what is invoiced, paid and given back, and is read back."""

    def __init__(self, platform):
        super().__init__(platform, roles=("invoice", "payment", "refund"))
        self.platform = platform
        self.pull, self.streams = LEDGERS[platform]

    def read(self):
        """Everything the ledger tells, taken in: what came of each thing, by its kind."""
        how = Circumstances(self.clock(), is_authoritative=True)
        told = [one for stream in self.streams for one in self.round(stream)]
        came = [
            (one.ref.kind, bool(one.body), self.observer.observe("erp", one, self.pull.clock, how))
            for one in told
        ]
        self.drain()
        return came

    def round(self, stream):
        cursor, is_last = None, False
        while not is_last:
            with self._capacity(Lease()) as vendor:
                page = self.pull.changes(vendor, stream, cursor, SPAN, self.connection)
            yield from page.told
            cursor, is_last = page.cursor, page.is_last

    def children(self, kind):
        """Documents of a kind that hang on our order."""
        found = self.rows.query(str(order_ref()), f"CHILD#{kind}#")
        return [str(row["key"]) for row in found]


@pytest.fixture(params=sorted(LEDGERS))
def office(request):
    house = Office(request.param)
    house.customer()
    house.order()
    return house


def test_the_form_of_an_order_is_its_invoice(office):
    office.settle()
    (came,) = office.read()
    assert came == (Kind.INVOICE, True, Merge.MERGED)
    held = office.link(order_ref())["external_id"]
    assert office.children(Kind.INVOICE) == [f"erp/{held}"]


def test_money_the_bridge_booked_is_not_told_back(office):
    office.pay()
    office.settle()
    office.refund()
    office.settle()
    came = office.read()
    moved = {kind: told for kind, _, told in came if kind is not Kind.INVOICE}
    # What a receipt was paid with is no payment of its own.
    assert moved.items() >= {(Kind.REFUND, Merge.IGNORED)}
    assert set(moved.values()) == {Merge.IGNORED}
    assert office.children(Kind.PAYMENT) == ["shop/p1"]
    assert office.children(Kind.REFUND) == ["shop/r1"]


def test_money_a_person_booked_is_of_our_order(office):
    office.settle()
    held = office.link(order_ref())["external_id"].rpartition(":")[2]
    paths = {"quickbooks": f"invoice/{held}/pay", "xero": f"invoices/{held}/pay"}
    office.act("paid", (paths[office.platform], {"amount": 5}))
    came = office.read()
    assert (Kind.PAYMENT, True, Merge.MERGED) in came
    (payment,) = office.children(Kind.PAYMENT)
    assert payment.startswith("erp/")
    # Read again, nothing is new.
    assert {told for _, _, told in office.read()} == {Merge.EQUAL}
