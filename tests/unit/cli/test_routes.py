"""A new route takes in what was placed before it."""

from datetime import UTC, datetime, timedelta

import time_machine

from fizzbridge.runtime import rows
from fizzbridge.state import Write

DAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TODAY = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def unlink(stack, order):
    stack.table.write(Write(str(order), "LINK#erp", delete=True))


@time_machine.travel(TODAY, tick=True)
def test_orders_without_a_link_are_assessed_again(fizzbridge, stack, shop):
    linked = shop.order(1, placed_at=DAY)
    missing = shop.order(2, placed_at=DAY + timedelta(days=1))
    earlier = shop.order(3, placed_at=DAY - timedelta(days=1))
    unlink(stack, missing)
    unlink(stack, earlier)
    arguments = ("route", "apply", "--connection", "erp", "--since", "2026-11-20", "--json")
    counted = {"connection": "erp", "linked_before": 1, "without_link": 1}

    assert fizzbridge(*arguments, "--dry-run").data == counted
    assert not asked(stack, missing)

    ran = fizzbridge(*arguments, "--wait", "0")
    assert ran.data == counted | {"linked_now": 0, "not_assessed_yet": 1, "sold": 0}
    assert asked(stack, missing)
    assert not asked(stack, linked)
    assert not asked(stack, earlier)

    shop.assessor.run(missing, "test")
    assert fizzbridge(*arguments).data == {
        "connection": "erp",
        "linked_before": 2,
        "without_link": 0,
        "linked_now": 0,
        "not_assessed_yet": 0,
        "sold": 0,
    }


def asked(stack, order):
    link = stack.table.get(str(order), rows.link_sk(rows.ASSESS))
    return link["wanted"] != link["synced"]


@time_machine.travel(TODAY, tick=True)
def test_a_day_to_come_is_refused(fizzbridge):
    ran = fizzbridge("route", "apply", "--connection", "erp", "--since", "2026-12-01")
    assert ran.err == "Error: 2026-12-01 is still to come.\n"
