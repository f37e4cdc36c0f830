from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.states import (
    BillingState,
    FulfilmentState,
    OrderState,
    SettlementState,
    billing,
    fulfilment,
    move,
    settlement,
)
from fizzbridge.trade.allocation import open_quantity

S = OrderState
LEGAL = {
    (S.RECEIVED, S.HELD),
    (S.RECEIVED, S.CONFIRMED),
    (S.RECEIVED, S.REJECTED),
    (S.HELD, S.CONFIRMED),
    (S.HELD, S.CANCELLED),
    (S.HELD, S.REJECTED),
    (S.CONFIRMED, S.HELD),
    (S.CONFIRMED, S.RELEASED),
    (S.CONFIRMED, S.CANCELLED),
    (S.RELEASED, S.CLOSED),
    (S.RELEASED, S.CANCELLED),
}
FINAL = {S.CLOSED, S.CANCELLED, S.REJECTED}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("wanted", S)
def test_only_the_trades_moves_are_made(state, wanted):
    assert move(state, wanted) is (wanted if (state, wanted) in LEGAL else state)


def test_nothing_follows_a_final_state():
    assert {state for state in S if state.is_final} == FINAL


@given(st.lists(st.sampled_from(S)))
def test_wishes_in_any_number_never_leave_a_final_state(wishes):
    state, reached = S.RECEIVED, None
    for wanted in wishes:
        state = move(state, wanted)
        reached = reached or (state if state in FINAL else None)
    assert reached in {None, state}


LINES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 50))
PARCELS = st.lists(LINES, max_size=5)


@given(LINES, PARCELS, st.randoms())
def test_i10_shipments_in_any_order_give_one_state(wanted, parcels, random):
    shuffled = list(parcels)
    random.shuffle(shuffled)
    assert fulfilment(wanted, parcels) is fulfilment(wanted, shuffled)
    assert fulfilment(wanted, parcels, parcels) is fulfilment(wanted, shuffled, shuffled)


@given(LINES, PARCELS, LINES)
def test_a_further_shipment_never_moves_fulfilment_back(wanted, parcels, further):
    rank = list(FulfilmentState).index
    before, after = fulfilment(wanted, parcels), fulfilment(wanted, [*parcels, further])
    assert rank(after) >= rank(before)


@given(LINES, PARCELS)
def test_i5_shipped_is_when_no_line_is_open(wanted, parcels):
    out = {line: sum(parcel.get(line, 0) for parcel in parcels) for line in wanted}
    is_open = any(
        open_quantity(ordered, min(out[line], ordered), 0, 0) for line, ordered in wanted.items()
    )
    state = fulfilment(wanted, parcels)
    has_left = any(quantity for parcel in parcels for quantity in parcel.values())
    assert (state is FulfilmentState.NONE) is not has_left
    assert (state is FulfilmentState.PART_SHIPPED) is (has_left and is_open)


@given(LINES, PARCELS, LINES)
def test_i5_what_is_cancelled_never_opens_a_line(wanted, parcels, cancelled):
    left = {line: max(ordered - cancelled.get(line, 0), 0) for line, ordered in wanted.items()}
    rank = list(FulfilmentState).index
    assert rank(fulfilment(left, parcels)) >= rank(fulfilment(wanted, parcels))


@pytest.mark.parametrize(
    ("wanted", "shipped", "delivered", "state"),
    [
        ({"a": 24}, [], [], FulfilmentState.NONE),
        ({"a": 24}, [{"a": 0}], [], FulfilmentState.NONE),
        ({"a": 24, "b": 6}, [{"a": 24}], [], FulfilmentState.PART_SHIPPED),
        ({"a": 24, "b": 6}, [{"b": 6}, {"a": 24}], [], FulfilmentState.SHIPPED),
        ({"a": 24}, [{"a": 20}, {"a": 4}], [{"a": 20}], FulfilmentState.SHIPPED),
        ({"a": 24}, [{"a": 20}, {"a": 4}], [{"a": 4}, {"a": 20}], FulfilmentState.DELIVERED),
        ({"a": 24, "b": 0}, [{"a": 24}], [{"a": 24}], FulfilmentState.DELIVERED),
    ],
)
def test_fulfilment(wanted, shipped, delivered, state):
    assert fulfilment(wanted, shipped, delivered) is state


AMOUNTS = st.lists(st.decimals(0, 1000, places=2), max_size=6)


@given(st.decimals(0, 1000, places=2), AMOUNTS, AMOUNTS, st.randoms())
def test_i10_documents_in_any_order_give_one_state(gross, ups, downs, random):
    up, down = list(ups), list(downs)
    random.shuffle(up)
    random.shuffle(down)
    assert billing(gross, ups, downs) is billing(gross, up, down)
    assert settlement(gross, ups, downs) is settlement(gross, up, down)


@given(st.decimals(0, 1000, places=2), AMOUNTS, st.decimals(0, 1000, places=2))
def test_a_further_payment_or_invoice_never_moves_money_back(gross, before, further):
    paid, billed = list(SettlementState).index, list(BillingState).index
    after = [*before, further]
    assert paid(settlement(gross, after, [])) >= paid(settlement(gross, before, []))
    assert billed(billing(gross, after, [])) >= billed(billing(gross, before, []))


@pytest.mark.parametrize(
    ("invoiced", "credited", "state"),
    [
        ([], [], BillingState.UNBILLED),
        (["60"], [], BillingState.PART_BILLED),
        (["60", "40"], [], BillingState.BILLED),
        (["100"], ["10"], BillingState.PART_CREDITED),
        (["60", "40"], ["40", "60"], BillingState.CREDITED),
    ],
)
def test_billing(invoiced, credited, state):
    assert billing(Decimal(100), map(Decimal, invoiced), map(Decimal, credited)) is state


@pytest.mark.parametrize(
    ("gross", "paid", "refunded", "state"),
    [
        ("100", [], [], SettlementState.UNPAID),
        ("0", [], [], SettlementState.PAID),
        ("100", ["30"], [], SettlementState.PART_PAID),
        ("100", ["30", "70"], [], SettlementState.PAID),
        ("100", ["110"], ["10"], SettlementState.PAID),
        ("100", ["100"], ["100"], SettlementState.REFUNDED),
    ],
)
def test_settlement(gross, paid, refunded, state):
    assert settlement(Decimal(gross), map(Decimal, paid), map(Decimal, refunded)) is state
