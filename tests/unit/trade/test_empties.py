from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.scheme import TaxMode
from fizzbridge.trade.deposits import charges, taxes
from fizzbridge.trade.empties import (
    Balance,
    Movement,
    ledger,
    liability,
    over_return,
    refunds,
    returned,
    unclaimed,
)
from tests.unit.trade.goods import COLA, counted, money
from tests.unit.trade.rates import DE_BOTTLE, DE_CRATE, IE_SMALL, UK_CYLINDER, scheme

DAY = date(2026, 11, 20)
NEW_YORK = scheme(
    "us-ny",
    "0.05",
    "US",
    "USD",
    tax_mode=TaxMode.EXCLUDED,
    is_refillable=False,
    handling_fee=Decimal("0.035"),
    unclaimed_share=Decimal("0.80"),
)


def moved(container="crate", shipped=0, back=0, off=0, rate="1.50") -> Movement:
    return Movement(container, shipped, back, off, money(rate), DAY)


def test_v24_new_york_with_handling_and_the_unclaimed_share():
    held = charges(counted(COLA, 100), [NEW_YORK], "USD")
    assert [one.amount for one in held] == [money("120.00")]
    back = refunds({"us-ny": 1900}, [NEW_YORK], "USD")
    assert [one.amount for one in back] == [money("95.00"), money("66.50")]
    goods = 100 * money("7.25")
    assert goods + held[0].amount - sum(one.amount for one in back) == money("683.50")
    assert unclaimed(500, NEW_YORK, "USD") == (money("25.00"), money("20.00"))


def test_v26_three_crates_too_many():
    balance = ledger([moved(shipped=12)])["crate"]
    assert balance.outstanding == 12
    assert over_return(balance, 15, Decimal(0)) == 3


@pytest.mark.parametrize("brought", range(10, 15))
def test_v26_a_crate_around_those_outstanding(brought):
    balance = ledger([moved(shipped=20, back=8)])["crate"]
    assert over_return(balance, brought, Decimal(0)) == max(brought - 12, 0)


@pytest.mark.parametrize("brought", range(598, 604))
def test_v27_a_fifth_of_what_was_sold_is_tolerated(brought):
    balance = ledger([moved(shipped=500)])["crate"]
    assert over_return(balance, brought, Decimal(20)) == max(brought - 600, 0)


def test_v28_crates_and_bottles_and_what_they_are_worth():
    found = ledger(
        [
            moved("crate", 40),
            moved("crate", 10, 13),
            moved("bottle", 480, rate="0.15"),
            moved("bottle", 120, 101, rate="0.15"),
        ]
    )
    assert (found["crate"].outstanding, found["bottle"].outstanding) == (37, 499)
    assert liability(found.values()) == money("130.35")


def test_v29_a_cylinder_that_comes_back_is_credited_with_its_tax():
    (back,) = refunds({"co2-cylinder": 1}, [UK_CYLINDER], "GBP")
    (vat,) = taxes(back.scheme, back.amount, (), "GBP", included=False)
    assert (back.amount, vat.amount) == (money("60.00"), money("12.00"))


movements = st.lists(
    st.builds(
        Movement,
        st.sampled_from(["crate", "bottle", "keg"]),
        st.integers(0, 500),
        st.integers(0, 500),
        st.integers(0, 50),
        st.sampled_from([money("0.08"), money("0.15"), money("1.50")]),
        st.just(DAY),
    ),
    max_size=40,
)


@given(movements, st.randoms(use_true_random=False))
def test_i6_the_ledger_is_a_sum_whatever_the_order_of_rows(rows, random):
    shuffled = rows.copy()
    random.shuffle(shuffled)
    found = ledger(rows)
    assert ledger(shuffled) == found
    for container, balance in found.items():
        own = [row for row in rows if row.container == container]
        left = sum(row.shipped - row.returned - row.written_off for row in own)
        assert balance.outstanding == left
        worth = sum((row.shipped - row.returned - row.written_off) * row.rate for row in own)
        assert balance.money == worth


@given(movements, st.integers(0, 5000), st.integers(0, 100))
def test_more_tolerance_never_finds_more(rows, brought, percent):
    for balance in ledger(rows).values():
        strict = over_return(balance, brought, Decimal(0))
        assert 0 <= over_return(balance, brought, Decimal(percent)) <= strict <= brought


def test_what_an_order_says_it_brings():
    properties = {"empties crate-12": " 8 ", "empties bottle-1l": "0", "door": "ring twice"}
    assert returned(properties) == {"crate-12": 8}


def test_one_type_told_twice_is_brought_twice():
    assert returned({"empties crate-12": "3", "empties  crate-12": "4"}) == {"crate-12": 7}


@pytest.mark.parametrize("value", ["-1", "1.5", "eight", "", "²", "1" * 10, "9" * 31, "9" * 5000])
def test_what_is_no_number_of_pieces_is_named(value):
    with pytest.raises(ValueError, match="'empties crate-12' is not a whole number"):
        returned({"empties crate-12": value})


def test_what_a_buyer_wrote_is_not_repeated():
    with pytest.raises(ValueError, match="'empties crate-12'") as found:
        returned({"empties crate-12": "ask canary"})
    assert "canary" not in str(found.value)


@given(st.integers(1, 10**9 - 1))
def test_any_count_that_is_taken_has_an_exact_worth(count):
    (found,) = refunds(returned({"empties ie-small": str(count)}), [IE_SMALL], "EUR")
    assert (found.count, found.amount) == (count, count * money("0.15"))


@given(st.integers(10**9))
def test_a_count_beyond_that_is_refused(count):
    with pytest.raises(ValueError, match="'empties ie-small'"):
        returned({"empties ie-small": str(count)})


def test_empties_are_worth_the_deposit_and_nothing_of_the_goods():
    found = refunds({"crate-12": 8, "bottle-1l": 101}, [DE_BOTTLE, DE_CRATE], "EUR")
    assert [one.amount for one in found] == [money("12.00"), money("15.15")]
    assert sum(one.amount for one in found) == money("27.15")


def test_containers_of_a_scheme_by_content_go_by_its_name():
    (found,) = refunds({"ie-small": 24}, [IE_SMALL], "EUR")
    assert found.amount == money("3.60")


def test_what_nobody_takes_back_is_named():
    with pytest.raises(ValueError, match="crate-99: no scheme takes them back"):
        refunds({"crate-99": 1}, [DE_CRATE], "EUR")
    twice = DE_CRATE.model_copy(update={"name": "de-crate-2"})
    with pytest.raises(ValueError, match="crate-12: several schemes"):
        refunds({"crate-12": 1}, [DE_CRATE, twice], "EUR")


def test_a_balance_that_nobody_has_is_empty():
    assert Balance("crate").outstanding == 0
    assert over_return(Balance("crate"), 1, Decimal(20)) == 1
