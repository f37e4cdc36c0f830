from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.trade.settlement import difference


def test_v61_one_case_to_explain():
    assert difference(loaded=120, delivered=107, back=11, damaged=1) == 1


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_v61_a_case_more_or_less_at_any_count(off):
    assert difference(120 + off, 107, 11, 1) == 1 + off
    assert difference(120, 107 + off, 11, 1) == 1 - off
    assert difference(120, 107, 11 + off, 1) == 1 - off
    assert difference(120, 107, 11, 1 + off) == 1 - off


counts = st.integers(0, 100_000)


@given(counts, counts, counts, st.integers(-1000, 1000))
def test_what_is_missing_is_what_must_be_explained(delivered, back, damaged, missing):
    assert difference(delivered + back + damaged + missing, delivered, back, damaged) == missing


@given(st.lists(st.tuples(counts, counts, counts, counts), max_size=6))
def test_the_stops_of_a_tour_add_up_to_the_tour(stops):
    whole = difference(*(sum(column) for column in zip(*stops, strict=True))) if stops else 0
    assert sum(difference(*stop) for stop in stops) == whole
