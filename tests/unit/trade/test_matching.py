"""What an ERP ships by code ends at the order lines it was ordered with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.documents import Documents, Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.order import AssessedLine, LineType, OrderAssessment, OrderClass, Totals
from fizzbridge.model.states import OrderState
from fizzbridge.model.units import Quantity, Unit
from fizzbridge.trade.matching import matched

ORDER = ref(Kind.ORDER, "shop", 1)


def order(*lines):
    return OrderAssessment(
        number="1",
        state=OrderState.CONFIRMED,
        order_class=OrderClass.BULK,
        class_reason="",
        currency="GBP",
        tax_included=False,
        lines=tuple(
            AssessedLine(
                id=f"l{place}",
                type=LineType.GOODS,
                sku=sku,
                quantity=Quantity(
                    ordered=ordered, unit=Unit.CASE, factor=factor, base=ordered * factor
                ),
                amount=Decimal(1),
                tax=Decimal(0),
            )
            for place, (sku, ordered, factor) in enumerate(lines)
        ),
        totals=Totals(net=Decimal(1), tax=Decimal(0), gross=Decimal(1)),
        tax_point=date(2026, 11, 1),
        placed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def shipment(*lines, state=ShipmentState.DISPATCHED):
    return Shipment(
        order=ORDER,
        number="S",
        state=state,
        lines=tuple(
            ShippedLine(order_line_id=line, sku=sku, quantity=quantity)
            for line, sku, quantity in lines
        ),
    )


def found(documents, of):
    return [
        [(line.order_line_id, line.sku, line.quantity) for line in one.lines]
        for one in matched(documents, of)
    ]


def test_base_units_become_the_lines_own():
    assert found([shipment(("", "COLA", 48))], order(("COLA", 10, 24))) == [[("l0", "COLA", 2)]]


def test_lines_of_one_code_are_filled_one_after_the_other():
    of = order(("COLA", 2, 24), ("COLA", 60, 1))
    assert found([shipment(("", "COLA", 60))], of) == [[("l0", "COLA", 2), ("l1", "COLA", 12)]]


def test_half_a_case_counts_when_its_other_half_has_left():
    of = order(("COLA", 2, 24))
    told = [shipment(("", "COLA", 30)), shipment(("", "COLA", 18))]
    assert found(told, of) == [[("l0", "COLA", 1)], [("l0", "COLA", 1)]]


def test_more_than_was_ordered_is_the_last_lines():
    of = order(("COLA", 1, 24), ("COLA", 1, 24))
    assert found([shipment(("", "COLA", 96))], of) == [[("l0", "COLA", 1), ("l1", "COLA", 3)]]


def test_what_names_its_line_or_nothing_known_stays():
    told = [shipment(("l0", None, 3), ("", "crate-12", 4), ("", None, 1))]
    assert found(told, order(("COLA", 10, 24))) == [
        [("l0", None, 3), ("", "crate-12", 4), ("", None, 1)]
    ]
    assert found(told, None) == found(told, order(("COLA", 10, 24)))


@pytest.mark.parametrize("state", [ShipmentState.CANCELLED, ShipmentState.PLANNED])
@pytest.mark.parametrize(("quantity", "shipped"), [(24, {"l0": 1}), (12, {})])
def test_what_is_called_off_or_only_planned_fills_no_line(state, quantity, shipped):
    told = [shipment(("", "COLA", quantity), state=state), shipment(("", "COLA", quantity))]
    documents = Documents(shipments=matched(told, order(("COLA", 1, 24), ("COLA", 1, 24))))
    assert documents.shipped() == shipped


@given(st.lists(st.integers(0, 100), max_size=6), st.integers(1, 24))
def test_over_all_shipments_no_whole_case_is_lost(parts, factor):
    told = [shipment(("", "COLA", part)) for part in parts]
    lines = [line for one in found(told, order(("COLA", 10, factor))) for line in one]
    assert sum(quantity for _, _, quantity in lines) == sum(parts) // factor
