"""What came in came out, and every link is where it may be: by the command."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from fizzbridge.state import Write

AT = datetime.now(UTC) - timedelta(minutes=10)


@pytest.fixture
def log(stack):
    """Write lines into the log of a function."""

    def write(function, *lines):
        group = {"logGroupName": f"/aws/lambda/fizzbridge-test-{function}"}
        stack.logs.create_log_group(**group)
        stack.logs.create_log_stream(**group, logStreamName="one")
        at = int(AT.timestamp() * 1000)
        about = {"connection": "shop-uk", "timestamp": AT.isoformat()}
        events = [{"timestamp": at, "message": json.dumps(about | line)} for line in lines]
        stack.logs.put_log_events(**group, logStreamName="one", logEvents=events)

    return write


def rest(stack, order, **also):
    """Have a link say that it is in step."""
    said = {"status": "synced", **also}
    stack.table.write(Write(str(order), "LINK#erp", set=said, remove=["behind_shard"]))


def figures(name):
    return {
        "_aws": {"Timestamp": int(AT.timestamp() * 1000)},
        "correlation_id": name,
        "received": [1],
    }


def delivery(name, outcome, **told):
    return {"message": "delivery", "correlation_id": name, "outcome": outcome, **told}


def test_where_all_is_accounted_for_the_account_is_shown(fizzbridge, stack, shop, log):
    order = shop.order(1, placed_at=AT)
    wanted = stack.table.get(str(order), "LINK#erp")["wanted"]
    rest(stack, order, synced=wanted)
    log(
        "shop-uk-webhook",
        *(figures(name) for name in ("a", "b", "c", "d")),
        delivery("a", "taken", told=3, merged=1, equal=1, hinted=1),
        delivery("b", "refused", code="signature"),
        delivery("c", "spilled", told=1, spilled=1),
        delivery("d", "spilled", told=1, spilled=1),
    )
    log(
        "shop-uk-pull",
        delivery("c", "drained", told=1, older=1),
        delivery("d", "quarantined", told=1, quarantined=1),
        {"message": "taken in", "source": "poll orders", "told": 2, "equal": 2},
    )
    ran = fizzbridge("balance", "--json")
    assert ran.code == 0
    assert ran.data["deliveries"] == {
        "shop-uk": {
            "deliveries": {
                "received": 4,
                "taken": 1,
                "refused": 1,
                "spilled": 2,
                "drained": 1,
                "quarantined": 1,
            },
            "told": {"told": 5, "merged": 1, "equal": 1, "hinted": 1, "older": 1, "quarantined": 1},
            "imbalance": 0,
            "wrong": {},
        }
    }
    assert ran.data["late"] == ran.data["unaccounted"] == []
    assert ran.data["entities"] == 1
    assert "all accounted for" in fizzbridge("balance").out


def test_what_is_amiss_is_named_and_the_exit_code_says_so(fizzbridge, stack, shop, log):
    order = shop.order(1, placed_at=AT)
    stack.table.write(
        Write(str(order), "LINK#erp", set={"status": "synced"}, remove=["behind_shard"])
    )
    log(
        "shop-uk-webhook",
        figures("a"),
        delivery("b", "taken", told=2, merged=1),
        figures("c"),
        delivery("c", "spilled", told=1, spilled=1),
    )
    ran = fizzbridge("balance", "--json", "--late-after", "400")
    assert ran.code == 1
    assert ran.data["deliveries"]["shop-uk"]["wrong"] == {
        "uneven": ["b"],
        "silent": ["a"],
        "unreceived": ["b"],
        "unfinished": ["c"],
    }
    (found,) = ran.data["unaccounted"]
    assert (found["connection"], found["entity"]) == ("erp", str(order))
    shown = fizzbridge("balance")
    assert shown.code == 1
    assert "not all is accounted for" in shown.out


def test_a_span_that_is_empty_or_elsewhere(fizzbridge, log):
    log("shop-uk-webhook", figures("a"))
    assert fizzbridge("balance", "--to", "2026-11-01T00:00:00").code == 0
    ran = fizzbridge("balance", "--from", "2026-11-02", "--to", "2026-11-01")
    assert ran.err == "Error: --to must be later than --from.\n"
