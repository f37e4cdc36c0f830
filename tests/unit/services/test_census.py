"""An hour of deliveries is judged, or as much of it as could be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fizzbridge.runtime.conservation import Window
from services.census import account

HOUR = datetime(2026, 11, 20, 9, tzinfo=UTC)
JUDGED = Window(HOUR, HOUR + timedelta(hours=1), timedelta(minutes=30))


def lines_of(number: int, **more: object) -> list[dict[str, object]]:
    """Figures and line of a delivery of that minute."""
    at = HOUR + timedelta(minutes=number)
    about = {"connection": "shop", "correlation_id": f"d-{number}"}
    figures = {"_aws": {"Timestamp": int(at.timestamp() * 1000)}, "received": [1]}
    line = {"message": "delivery", "outcome": "taken", "told": 1, "merged": 1}
    return [about | figures, about | line | {"timestamp": at.isoformat()} | more]


def written(webhook, pull=()):
    """Gives the lines of functions as their logs do."""

    def lines(function, since, until):
        assert since < HOUR < until
        return list(webhook) if function == "shop-webhook" else list(pull)

    return lines


def test_only_the_hour_is_judged_and_what_was_spilled_before_it_may_end_in_it():
    before, within, after = (lines_of(number, told=2) for number in (-5, 30, 65))
    left = {"outcome": "spilled", "merged": 0, "spilled": 1}
    spilled = [line for number in (-40, -20, 50) for line in lines_of(number, **left)]
    found, is_whole = account(
        written([*before, *within, *after, *spilled]), "shop", JUDGED, lambda: True
    )
    assert is_whole
    # Spilled 20 minutes before: it should have been finished by now. 40 before: in an earlier hour
    # that was said. 50 past: it still has time.
    assert found.wrong == {"uneven": ["d-30"], "unfinished": ["d--20"]}
    done = lines_of(45, correlation_id="d--20", outcome="drained")[1:]
    finished, _ = account(written([*within, *spilled], done), "shop", JUDGED, lambda: True)
    assert finished.wrong == {"uneven": ["d-30"]}


def test_what_could_not_be_read_is_not_judged():
    every = [line for number in range(60) for line in lines_of(number)]
    left = iter([True] * 41)  # the last delivery read is half read
    found, is_whole = account(written(every), "shop", JUDGED, lambda: next(left, False))
    assert not is_whole
    assert found.wrong == {}
    assert found.deliveries["received"] == 19
    nothing, is_whole = account(written(every), "shop", JUDGED, lambda: False)
    assert (nothing.deliveries, is_whole) == ({}, False)
