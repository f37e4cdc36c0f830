"""Shapes that vendors write in several ways are read as one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import ValidationError

from fizzbridge.wire import Flag, Id, Listed, MaybeMoment, Moment, Money, Object, Text, Wire


class Inner(Wire):
    name: Text = ""


class Thing(Wire):
    id: Id = ""
    text: Text = ""
    money: Money = Decimal(0)
    at: Moment = datetime(2026, 1, 1, tzinfo=UTC)
    maybe: MaybeMoment = None
    flag: Flag = False
    rows: Annotated[tuple[Inner, ...], Listed] = ()
    inner: Annotated[Inner, Object] = Inner()


def test_an_id_is_text_whether_it_came_as_number_or_text():
    assert {Thing(id=one).id for one in (7, "7", " 7 ")} == {"7"}


@pytest.mark.parametrize("empty", [None, {}, []])
def test_nothing_is_empty_text(empty):
    assert Thing(text=empty, id=empty) == Thing()


@pytest.mark.parametrize("said", ["true", 1, "1", True])
@pytest.mark.parametrize("denied", [None, {}, [], "", 0, "0", "false", False])
def test_a_truth_has_many_forms(said, denied):
    assert (Thing(flag=said).flag, Thing(flag=denied).flag) == (True, False)


@pytest.mark.parametrize("empty", [None, {}, [], "", 0])
def test_an_empty_list_has_many_forms(empty):
    assert Thing(rows=empty).rows == ()
    assert Thing(inner=empty).inner == Inner()


def test_money_is_never_a_float():
    assert Thing(money="13.2000").money == Decimal("13.2000")
    assert Thing(money=None).money == Thing(money="").money == 0


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 18 Jun 2026 12:05:04 +0000",
        "2026-06-18T12:05:04Z",
        "2026-06-18T14:05:04+02:00",
        "2026-06-18T12:05:04",
        "2026-06-18 12:05:04",
        "2026-06-18T12:05:04.000Z",
    ],
)
def test_times_of_one_moment_are_equal(text):
    assert Thing(at=text).at == datetime(2026, 6, 18, 12, 5, 4, tzinfo=UTC)


def test_a_time_that_is_there_keeps_its_zone():
    at = datetime(2026, 6, 18, tzinfo=timezone(timedelta(hours=2)))
    assert Thing(at=at).at is at
    assert Thing(maybe="").maybe is None


@pytest.mark.parametrize("text", ["soon", "Thu, 99 Jun 2026", "2026-13-01"])
def test_a_time_that_is_none_is_refused_by_its_field(text):
    with pytest.raises(ValidationError) as refused:
        Thing(at=text)
    assert refused.value.errors()[0]["loc"] == ("at",)
