"""What a target says of the orders it holds, run once over the registry."""

from __future__ import annotations

import pytest

from fizzbridge.manifest import load_registry
from fizzbridge.model.documents import InvoiceState, ReturnState
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import OrderProcessing
from fizzbridge.model.states import OrderState
from tests.kit.held import Holder
from tests.kit.house import order_ref
from tests.kit.shop import ROOT
from tests.kit.target import facts

MANIFESTS = load_registry(ROOT)
HOLDERS = sorted(
    slug for slug, manifest in MANIFESTS.items() if manifest.is_booked and "acts" in facts(slug)
)


@pytest.fixture(params=HOLDERS)
def holder(request):
    house = Holder(request.param, MANIFESTS[request.param])
    house.customer()
    house.order(cases=4)
    house.settle()
    assert house.link(order_ref())["status"] == "synced"
    house.clock.advance(300)
    return house


def can(holder, *acts):
    for act in acts:
        if act not in holder.facts["acts"]:
            pytest.skip(f"{holder.adapter.platform} has no such act: {act}")


def test_how_far_the_order_is_comes_back_under_our_name(holder):
    holder.poll()
    processing = holder.view.body(Part.PROCESSING, OrderProcessing)
    assert processing is not None
    assert processing.number
    assert holder.view.assessment.state is processing.state
    assert processing.state in {OrderState.HELD, OrderState.CONFIRMED, OrderState.RELEASED}


def test_a_shipment_comes_back_in_the_orders_own_lines(holder):
    can(holder, "ship")
    holder.does("ship")
    holder.poll()
    assert holder.view.documents.shipped() == {"l-COLA330-CASE": 4}
    (shipment,) = holder.view.documents.shipments
    assert shipment.has_left
    assert shipment.number
    assert shipment.order == ref(Kind.ORDER, "erp", holder.link(order_ref())["external_id"])


def test_an_invoice_comes_back_to_the_cent(holder):
    can(holder, "ship", "invoice")
    holder.does("ship")
    holder.does("invoice")
    holder.poll()
    (invoice,) = holder.view.documents.standing_invoices()
    assert (invoice.totals.gross, invoice.currency) == (holder.view.assessment.totals.gross, "GBP")
    assert invoice.state is InvoiceState.ISSUED
    assert invoice.issued_on is not None


def test_a_credit_note_names_what_it_credits(holder):
    can(holder, "ship", "invoice", "credit")
    for act in ("ship", "invoice", "credit"):
        holder.does(act)
    holder.poll()
    notes = [one for one in holder.view.documents.invoices if one.credits]
    assert len(notes) == 1
    assert notes[0].totals.gross > 0
    assert notes[0].credits in {child.ref for child in holder.view.children}


def test_a_return_comes_back(holder):
    can(holder, "ship", "return")
    holder.does("ship")
    holder.does("return")
    holder.poll()
    (back,) = holder.view.documents.returns
    assert back.state in {ReturnState.REQUESTED, ReturnState.RECEIVED}
    assert sum(line.quantity for line in back.lines) > 0


def test_what_is_read_again_changes_nothing(holder):
    can(holder, "ship")
    holder.does("ship")
    holder.poll()
    before = holder.rows.query(str(order_ref()), "PART#")
    children = holder.rows.query(str(order_ref()), "CHILD#")
    for _ in range(2):
        holder.clock.advance(60)
        holder.poll()
    assert holder.rows.query(str(order_ref()), "PART#") == before
    assert holder.rows.query(str(order_ref()), "CHILD#") == children


def test_what_it_says_is_announced(holder):
    can(holder, "ship", "invoice")
    holder.does("ship")
    holder.does("invoice")
    holder.poll()
    announced = holder.announced()
    assert announced.count("ShipmentDispatched") == 1
    assert announced.count("InvoiceIssued") == 1
