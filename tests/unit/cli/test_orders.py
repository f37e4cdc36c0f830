"""One order: found, traced, resynced."""

from datetime import UTC, datetime

import pytest

from fizzbridge.model.entity import Kind, ref
from fizzbridge.runtime import rows
from fizzbridge.state import Write
from fizzbridge.state.moments import to_text

BOOKED = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def test_an_order_is_found_by_number_and_by_key(fizzbridge, shop):
    order = shop.order(1)
    for name in ("#FZ1001", "FZ1001", "shop-uk/5501", "Order#shop-uk/5501"):
        assert fizzbridge("trace", name, "--json").data["order"] == str(order)


def test_what_is_not_found_is_one_line(fizzbridge, stack, shop):
    assert fizzbridge("trace", "FZ9").err == (
        "Error: No order has the number FZ9. Try its key: <connection>/<id>.\n"
    )
    assert fizzbridge("trace", "shop-uk/1").err == "Error: Order#shop-uk/1 was never seen.\n"
    shop.order(1)
    stack.table.write(Write(rows.number_pk("#FZ1001"), "Order#shop-de/7", set={"kind": "Order"}))
    ran = fizzbridge("trace", "FZ1001")
    assert "name one: shop-de/7, shop-uk/5501" in ran.err


def test_the_trace_tells_all_and_nothing_of_persons(fizzbridge, stack, shop):
    order = shop.order(1)
    shop.payment(order)
    stack.table.write(
        Write(str(order), "LINK#erp", set={"external_id": "41", "status": "synced", "synced": "x"})
    )
    booked = rows.timeline(order, BOOKED, "b", "OrderBooked", [("external_id", "41")])
    stack.table.write(booked)
    ran = fizzbridge("trace", "FZ1001", "--json")
    traced = ran.data
    assert traced["facts"]["totals"]["gross"] == "2.40"
    assert traced["axes"] == {
        "order": "CONFIRMED",
        "fulfilment": "NONE",
        "billing": "UNBILLED",
        "settlement": "PAID",
    }
    assert [(part["entity"], part["part"]) for part in traced["parts"]] == [
        (str(order), "assessment"),
        (str(order), "request"),
        ("Payment#shop-uk/9001", "record"),
    ]
    told = [(one["entity"], one["what"]) for one in traced["happenings"]]
    assert told == [
        (str(order), "delivery"),
        ("Payment#shop-uk/9001", "delivery"),
        (str(order), "OrderBooked"),
    ]
    [erp] = [link for link in traced["links"] if link["to"] == "erp"]
    assert (erp["external_id"], erp["in_step"]) == ("41", False)
    assert not [word for word in ("Ann", "Lee", "example.com", "Road") if word in ran.out]


def test_a_hold_is_told_with_what_would_release_it(fizzbridge, shop):
    shop.order(2, sku="NOSUCH")
    ran = fizzbridge("trace", "FZ1002", "--json")
    [hold] = ran.data["holds"]
    assert hold["waits_for"] == "MAP#shop-uk#sku/NOSUCH"
    assert "NOSUCH" in hold["message"]
    assert ran.data["axes"]["order"] == "HELD"
    assert "held" in [one["what"] for one in ran.data["happenings"]]
    shown = fizzbridge("trace", "FZ1002").out
    assert "Holds" in shown
    assert "HELD" in shown
    assert "erp" in shown


def test_an_order_that_goes_nowhere_says_why(fizzbridge, shop):
    shop.order(1, country="FR")
    assert "nowhere: no route takes it" in fizzbridge("trace", "FZ1001").out


def test_what_an_order_needs_is_traced_by_its_kind_and_key(fizzbridge, shop):
    payment = shop.payment(shop.order(1))
    ran = fizzbridge("trace", str(payment), "--json")
    assert ran.data["order"] == str(payment)
    assert [(part["part"], part["owner"]) for part in ran.data["parts"]] == [("record", "shop-uk")]
    shown = fizzbridge("trace", str(payment))
    assert (shown.code, "not assessed" in shown.out) == (0, False)


def test_a_resync_assesses_again_and_tells_every_target(fizzbridge, stack, shop, messages):
    order = shop.order(1)
    before = stack.table.get(str(order), "LINK#assess")
    ran = fizzbridge("resync", "FZ1001", "--json")
    assert ran.data == {"order": str(order), "targets": ["erp"]}
    after = stack.table.get(str(order), "LINK#assess")
    assert after["wanted"] not in {before["wanted"], after["synced"]}
    assert stack.table.index("behind", after["behind_shard"])
    [hint] = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    assert hint["detail"]["key"] == order.key


def test_a_resync_says_that_a_parked_order_stays_parked(fizzbridge, stack, shop):
    order = shop.order(1)
    assert "parked" not in fizzbridge("resync", "FZ1001").out
    stack.table.write(Write(str(order), rows.link_sk("erp"), set={"status": "parked"}))
    assert "stays parked at erp" in fizzbridge("resync", "FZ1001").out


@pytest.fixture
def behind(stack):
    def write(number, since, status="behind", connection="erp"):
        order = ref(Kind.ORDER, "shop-uk", number)
        attributes = {"status": status, "wanted": "w"}
        if status == "behind":
            attributes |= {"behind_since": since, "behind_shard": rows.shard(order, connection)}
            attributes |= {"reason": "unavailable"}
        else:
            attributes["cause"] = rows.waiting_cause(connection, status)
        stack.table.write(Write(str(order), rows.link_sk(connection), set=attributes))
        return order.key

    return write


def test_a_connection_is_told_what_it_is_behind_with(fizzbridge, stack, messages, behind):
    old = behind(1, "2026-11-01T00:00:00.000000Z")
    new = behind(2, "2026-11-20T00:00:00.000000Z")
    held = behind(3, "", "held")
    behind(4, "", "parked")
    behind(5, "2026-11-01T00:00:00.000000Z", connection="assess")

    def told(*options):
        ran = fizzbridge("resync", "--connection", "erp", "--json", *options)
        keys = {
            one["detail"]["key"] for one in messages(stack.connections["erp"]["DocumentsQueueUrl"])
        }
        assert ran.data == {"connection": "erp", "hints": len(keys)}
        return keys

    assert told() == {old, new}
    assert told("--since", "2026-11-10") == {new}
    assert told("--held") == {held}


def test_a_source_cannot_be_told(fizzbridge, behind):
    behind(1, to_text(BOOKED), connection="shop-uk")
    for command in (("resync",), ("route", "apply", "--since", "2026-11-01")):
        ran = fizzbridge(*command, "--connection", "shop-uk")
        assert ran.err == "Error: 'shop-uk' is no target: nothing is written to it.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("FZ1", "--connection", "erp"),
        ("--connection", "erp", "--held", "--since", "2026-11-01"),
    ],
)
def test_contradictions_are_refused(fizzbridge, arguments):
    ran = fizzbridge("resync", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("Error: ")


def test_the_status_counts_links_queues_and_cursors(fizzbridge, stack, behind):
    since = "2026-11-01T00:00:00.000000Z"
    behind(1, "2026-11-20T00:00:00.000000Z")
    behind(2, since)
    behind(3, "", "held")
    behind(4, "", "parked")
    behind(5, since, connection="assess")
    stack.sqs.send_message(QueueUrl=stack.connections["erp"]["DlqUrl"], MessageBody="{}")
    for sk, row in {
        "BREAKER": {"state": "open", "reason": "configuration", "message": "key expired"},
        "CURSOR#orders": {"position": "p9", "revision": 3, "holder": "somebody"},
    }.items():
        stack.table.write(Write(rows.connection_pk("shop-uk"), sk, set=row))
    ran = fizzbridge("status", "--json")
    erp, shop = ran.data["connections"]["erp"], ran.data["connections"]["shop-uk"]
    assert erp["links"] == {"behind": 2, "held": 1, "parked": 1}
    assert erp["behind_since"] == since
    assert erp["reasons"] == {"unavailable": 2}
    assert erp["queues"]["dlq"] == {"waiting": 1, "in_work": 0}
    assert ran.data["connections"]["core"]["links"]["behind"] == 1
    assert shop["health"]["status"] == "open"
    assert shop["cursors"]["orders"] == {"position": "p9", "revision": 3}
    assert ran.data["addresses"]["webhook shop-uk"] == "https://api.example/webhooks/shop-uk"
    shown = fizzbridge("status").out
    assert "key expired" in shown
    assert "unavailable" in shown


def test_a_healthy_status_has_no_column_for_trouble(fizzbridge):
    shown = fizzbridge("status").out
    assert "parked" in shown
    assert "health" not in shown
