"""What is held, parked, silent or about to expire is counted at every tick."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.order import HoldReason
from fizzbridge.observability import Metrics
from fizzbridge.runtime import rows
from fizzbridge.runtime.subscriptions import SUBSCRIPTIONS_SK
from fizzbridge.runtime.tokens import TOKEN_SK
from fizzbridge.runtime.watch import EXPIRES, LOOKED_AT, VOLUME, Watch
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.clock import Clock
from tests.kit.house import House, line

SHOP = rows.connection_pk("shop")
HOUR = datetime(2026, 11, 20, 8, tzinfo=UTC)
"""The last full hour when the house's clock starts."""


class Watched(House):
    """A house with somebody who looks after it."""

    def watch(self) -> dict[str, int]:
        """Every figure of one tick, by its name and dimensions."""
        lines: list[str] = []
        with Metrics(lines.append) as metrics:
            Watch(self.rows, self.bridge, metrics, self.clock).run()
        found = {}
        for text in lines:
            told = json.loads(text)
            (block,) = told["_aws"]["CloudWatchMetrics"]
            (names,) = block["Dimensions"]
            about = " ".join(str(told[one]) for one in names)
            for metric in block["Metrics"]:
                (found[f"{metric['Name']} {about}"],) = told[metric["Name"]]
        return found

    def usually(self, *orders: int) -> None:
        """What the last full hour brought in the weeks before."""
        for week, number in enumerate(orders, 1):
            sk = f"{VOLUME}{to_text(HOUR - timedelta(weeks=week))}"
            self.rows.write(Write(SHOP, sk, set={"orders": number}))


@pytest.fixture
def house():
    return Watched()


def test_a_quiet_house_is_nought_everywhere(house):
    reasons = {f"held_orders shop {reason}": 0 for reason in HoldReason}
    assert house.watch() == reasons | {
        "held_value shop GBP": 0,
        "orders_seen shop": 0,
        "orders_expected shop": 0,
        "silent shop": 0,
        "parked_links erp": 0,
        "parked_value erp GBP": 0,
    }


def test_held_orders_are_counted_by_reason_and_summed_once(house):
    house.place(1, lines=[line("UNKNOWN")])
    house.place(2, lines=[line("UNKNOWN"), line("UNHEARD-OF")])
    house.place(3)
    house.settle()
    found = house.watch()
    assert found["held_orders shop MAPPING"] == 2
    # 2.40 and 4.80, in whole pounds.
    assert found["held_value shop GBP"] == 7
    assert found["held_orders shop CREDIT"] == 0


def test_a_hold_that_is_released_is_counted_no_more(house):
    house.place(1, lines=[line("UNKNOWN")])
    house.settle()
    mapped = {"mapped": "COLA330", "updated_at": to_text(house.clock())}
    house.rows.write(Write("MAP#shop#sku", "UNKNOWN", set=mapped))
    house.settle()
    found = house.watch()
    assert (found["held_orders shop MAPPING"], found["held_value shop GBP"]) == (0, 0)


def test_what_an_order_waited_for_before_is_no_reason_any_more(house):
    order = house.place(1, lines=[line("UNKNOWN")])
    house.settle()
    released = {"released_at": to_text(house.clock()), "released_cause": "x"}
    house.rows.write(Write(str(order), "HOLD#order#CREDIT#x", set=released))
    found = house.watch()
    assert (found["held_orders shop MAPPING"], found["held_orders shop CREDIT"]) == (1, 0)


def test_orders_in_currencies_nobody_watches_are_counted_and_not_summed(house):
    euros = {"currency": "EUR", "shop_currency": "EUR", "presentment_currency": "EUR"}
    house.place(1, lines=[line("UNKNOWN", 100)], **euros)
    house.settle()
    found = house.watch()
    assert (found["held_orders shop MAPPING"], found["held_value shop GBP"]) == (1, 0)
    watching = house.bridge.alarms.model_copy(update={"currencies": ("EUR",)})
    house.bridge = house.bridge.model_copy(update={"alarms": watching})
    found = house.watch()
    assert (found["held_value shop EUR"], found["held_value shop GBP"]) == (120, 0)


def test_what_is_parked_is_counted_until_it_is_set_going(house):
    house.orders.refuse = TargetRejectedError("no")
    order = house.place(lines=[line(quantity=10)])
    house.settle()
    found = house.watch()
    assert (found["parked_links erp"], found["parked_value erp GBP"]) == (1, 12)
    house.redrive(order)
    found = house.watch()
    assert (found["parked_links erp"], found["parked_value erp GBP"]) == (0, 0)


def test_an_hour_is_held_against_what_the_same_hour_usually_brings(house):
    house.usually(40, 50, 60, 3)
    found = house.watch()
    assert (found["orders_expected shop"], found["orders_seen shop"]) == (40, 0)
    assert found["silent shop"] == 1


def test_a_silence_ends_when_the_orders_come_in_late(house):
    house.usually(10, 10)
    assert house.watch()["silent shop"] == 1
    for number in range(1, 3):
        house.place(number, placed_at=HOUR + timedelta(minutes=number))
    house.place(3, placed_at=HOUR + timedelta(hours=1))
    house.place(4, placed_at=HOUR - timedelta(minutes=1))
    house.settle()
    house.clock = Clock(HOUR + timedelta(hours=1, minutes=30))
    found = house.watch()
    assert (found["orders_seen shop"], found["silent shop"]) == (2, 0)


def test_the_next_hour_is_judged_by_itself(house):
    house.usually(10, 10)
    assert house.watch()["silent shop"] == 1
    house.clock.advance(3600)
    assert house.watch()["silent shop"] == 0, "that hour usually brings nothing"


@pytest.mark.parametrize(
    ("usual", "why"),
    [((50,), "one week says nothing"), ((4, 4, 4), "so few that none is no news")],
)
def test_silence_is_not_cried_for_little(house, usual, why):
    house.usually(*usual)
    assert house.watch()["silent shop"] == 0, why


def test_what_an_hour_brought_is_remembered_as_long_as_it_says_what_is_usual(house):
    house.watch()
    row = house.rows.get(SHOP, f"{VOLUME}{to_text(HOUR)}")
    assert row
    assert row["expires_at"] == int((HOUR + timedelta(weeks=5)).timestamp())


def test_an_hour_that_was_counted_is_not_counted_again(house):
    house.watch()
    house.place(1, placed_at=HOUR)
    house.settle()
    house.clock = Clock(HOUR + timedelta(hours=1, minutes=10))
    assert house.watch()["orders_seen shop"] == 0, "nobody expects any: what is known will do"


def test_days_left_are_those_of_the_first_that_ends(house):
    pk, now = rows.connection_pk("erp"), house.clock()
    house.rows.write(
        Write(pk, TOKEN_SK, set={"refresh_until": to_text(now + timedelta(days=90, hours=1))})
    )
    assert house.watch()["days_left erp"] == 90
    for name, days in (("api_key", 20), ("certificate", -1)):
        until = to_text(now + timedelta(days=days, hours=1))
        house.rows.write(Write(pk, f"{EXPIRES}{name}", set={"until": until}))
    assert house.watch()["days_left erp"] == -1


def test_webhooks_nobody_has_looked_at_grow_old(house):
    checked = to_text(house.clock())
    house.rows.write(Write(SHOP, SUBSCRIPTIONS_SK, set={"wanted": "yes", "checked": checked}))
    house.clock.advance(5 * 3600)
    assert house.watch()["unwatched_hours shop"] == 5
    house.rows.write(Write(SHOP, SUBSCRIPTIONS_SK, set={"wanted": "no"}))
    assert "unwatched_hours shop" not in house.watch()


def test_values_are_whole_numbers_made_of_exact_ones(house):
    house.place(1, lines=[line("UNKNOWN", 1, amount=Decimal("0.40"), tax=Decimal("0.09"))])
    house.place(2, lines=[line("UNKNOWN", 1, amount=Decimal("0.10"), tax=Decimal("0.02"))])
    house.settle()
    assert house.watch()["held_value shop GBP"] == 1


def test_what_a_run_reads_is_bounded(house):
    cause = rows.waiting_cause("erp", "parked")
    for number in range(LOOKED_AT + 5):
        link = {"status": "parked", "cause": cause, "updated_at": to_text(house.clock())}
        house.rows.write(Write(f"Refund#shop/{number}", "LINK#erp", set=link))
    assert house.watch()["parked_links erp"] == LOOKED_AT
