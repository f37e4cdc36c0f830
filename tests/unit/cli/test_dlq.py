"""The desk: what waits, by cause and worth; sent back, given up, and recorded."""

import json
from dataclasses import replace

import pytest

from fizzbridge.model.entity import Part
from fizzbridge.runtime import rows
from fizzbridge.state import Write

ORDER = "Order#shop-uk/5501"
POINTER = {
    "kind": "Order",
    "key": "shop-uk/5501",
    "connection": "erp",
    "reason": "the customer is blocked",
    "event_id": "e1",
}
DELIVERY = {"type": "delivery", "headers": {"x": "y"}, "body_base64": "QW5uIExlZQ==", "reason": ""}
EVENT = {"detail-type": "EntityObserved", "detail": {"kind": "Order", "key": "shop-uk/5501"}}
FAST = ("--yes", "--json", "--per-second", "1000")
MINUTE = "2026-11-24T09:{:02}:00.000000Z"


@pytest.fixture
def put(stack):
    def send(url, body, **attributes):
        return stack.sqs.send_message(
            QueueUrl=url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )["MessageId"]

    return send


@pytest.fixture
def park(stack):
    """Park an entity's link as a worker does; its pointer may be gone already."""

    def parked(entity, minute=0, **also):
        known = {
            "status": "parked",
            "attempts": 5,
            "reason": "rejected",
            "message": "the customer is blocked",
            "blame": "vendor",
            "cause": rows.waiting_cause("erp", "parked"),
            "wanted": "w",
            "updated_at": MINUTE.format(minute),
        }
        behind = ("behind_shard", "behind_since")
        stack.table.write(Write(str(entity), "LINK#erp", set=known | also, remove=behind))
        return entity

    return parked


@pytest.fixture
def hold(stack):
    """Hold an entity for a target, as a worker does."""

    def held(entity, cause, reason="MAPPING", minute=0):
        opened = {"cause": cause, "message": "so it is", "blocks": "export"}
        opened["opened_at"] = MINUTE.format(minute)
        stack.table.write(Write(str(entity), f"HOLD#erp#{reason}#{cause}", set=opened))
        listed = {"status": "held", "cause": rows.waiting_cause("erp", "held")}
        stack.table.write(Write(str(entity), "LINK#erp", set=listed))

    return held


@pytest.fixture
def parked(stack, put, park):
    park(ORDER)
    return put(stack.connections["erp"]["DlqUrl"], POINTER, reason="rejected", blame="vendor")


class Breaks:
    """A table that stops at one of its transactions: somebody presses Ctrl-C there."""

    def __init__(self, table, after):
        self._table, self._left = table, after

    def __getattr__(self, name):
        return getattr(self._table, name)

    def transact(self, writes):
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        self._table.transact(writes)


# -- seen ------------------------------------------------------------------------------------------


def test_the_overview_groups_by_cause_and_says_what_it_is_worth(fizzbridge, shop, park, hold):
    """The reading in one sentence, the orders' gross, whose turn it is, and what mends it."""
    for number in (1, 2, 3):
        hold(shop.order(number), "MAP#erp#sku/COLA-24", minute=number)
    for number in (4, 5):
        park(shop.order(number), minute=number)
    park(shop.order(6), minute=6, message="no such warehouse")
    found = {one["reading"]: one for one in fizzbridge("dlq", "--json").data}
    assert set(found) == {
        "SKU COLA-24 has no item in erp (Odoo)",
        "erp (Odoo), rejected: the customer is blocked",
        "erp (Odoo), rejected: no such warehouse",
    }
    mapping = found["SKU COLA-24 has no item in erp (Odoo)"]
    assert (mapping["cause"], mapping["reason"]) == ("MAP#erp#sku/COLA-24", "MAPPING")
    assert (mapping["entities"], mapping["orders"], mapping["gross"]) == (3, 3, {"GBP": "7.20"})
    assert mapping["oldest"] == MINUTE.format(1)
    assert mapping["blame"] == "customer_config"
    assert mapping["repair"] == "fizzbridge map set erp sku COLA-24 <code>"
    blocked = found["erp (Odoo), rejected: the customer is blocked"]
    assert (blocked["orders"], blocked["gross"]) == (2, {"GBP": "4.80"})
    assert blocked["repair"] == f"fizzbridge dlq redrive --group {blocked['group']}"
    assert blocked["blame"] == "vendor"


def test_the_overview_for_people_fits_a_terminal(fizzbridge, shop, park, hold, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    hold(shop.order(1), "MAP#erp#sku/COLA-24")
    park(shop.order(2), message="A long story. " * 20, redriven=2)
    shown = fizzbridge("dlq").out
    assert "SKU COLA-24 has no item in erp (Odoo): 1 order, 2.40 GBP" in shown
    assert "Parked: a person must look (1 order, 2.40 GBP)" in shown
    assert "mapping: 1 order, 2.40 GBP" in shown
    assert "sent back 2 times already, blame: vendor" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_purged_queue_hides_nothing(fizzbridge, stack, parked):
    """The link is the truth, the pointer only the bell."""
    before = fizzbridge("dlq", "--json").data
    stack.sqs.purge_queue(QueueUrl=stack.connections["erp"]["DlqUrl"])
    after = fizzbridge("dlq", "--json").data
    assert [one.pop("messages") for one in (*before, *after)] == [1, 0]
    assert before == after
    assert fizzbridge("dlq", "redrive", *FAST).data["counts"] == {"sent back": 1}


def test_a_groups_id_stays_with_its_cause(fizzbridge, shop, park):
    """Whatever else waits, and however many there are of it."""
    park(shop.order(1), external_id="S1", message="order S1 is locked")
    (first,) = fizzbridge("dlq", "--json").data
    park(shop.order(2), external_id="S2", message="order S2 is locked")
    park(shop.order(3), message="something else")
    found = {one["group"]: one["orders"] for one in fizzbridge("dlq", "--json").data}
    assert found[first["group"]] == 2
    assert len(first["group"]) == 6
    assert len(found) == 2


def test_currencies_are_listed_apart(fizzbridge, stack, shop, park):
    park(shop.order(1))
    foreign = shop.order(2)
    sk = rows.part_sk(Part.ASSESSMENT)
    stored = rows.stored_part(stack.table.get(str(foreign), sk), foreign, stack.objects)
    abroad = stored.body.model_copy(update={"currency": "EUR"})
    stack.table.write(Write(str(foreign), sk, set={"body": abroad.model_dump_json()}))
    park(foreign)
    (found,) = fizzbridge("dlq", "--json").data
    assert found["gross"] == {"EUR": "2.40", "GBP": "2.40"}
    assert "2 orders, 2.40 EUR, 2.40 GBP" in fizzbridge("dlq").out


def test_an_order_counts_once_however_many_of_its_documents_wait(fizzbridge, shop, park):
    order = shop.order(1)
    for entity in (shop.payment(order, 9001), shop.payment(order, 9002), order):
        park(entity)
    (found,) = fizzbridge("dlq", "--json").data
    assert (found["entities"], found["orders"], found["gross"]) == (3, 1, {"GBP": "2.40"})
    assert "3 entities" in fizzbridge("dlq").out


def test_an_order_held_twice_is_summed_once(fizzbridge, shop, hold):
    order = shop.order(1)
    hold(order, "MAP#erp#sku/COLA-24")
    hold(order, "MAP#erp#tax/0.2")
    found = fizzbridge("dlq", "--json").data
    assert {one["reading"] for one in found} == {
        "SKU COLA-24 has no item in erp (Odoo)",
        "tax 0.2 has no tax in erp (Odoo)",
    }
    assert "what it waits for is there (1 order, 2.40 GBP)" in " ".join(
        fizzbridge("dlq").out.split()
    )


@pytest.mark.parametrize(
    ("cause", "reason", "reading", "repair"),
    [
        ("MAP#erp#payment_method/pay pal", "MAPPING", "payment method pay pal has no counterpart "
         "in erp (Odoo)", "fizzbridge map set erp payment_method 'pay pal' <code>"),
        ("CREDIT#Customer#erp/4711", "CREDIT", "account erp/4711: over its credit limit",
         'fizzbridge hold release shop-uk/5501 --why "..."'),
        ("STOCK#COLA330", "STOCK", "SKU COLA330: short of stock",
         'fizzbridge hold release shop-uk/5501 --why "..."'),
        ("total", "TOTAL_MISMATCH", "erp (Odoo): the total would be another one there",
         'fizzbridge hold release shop-uk/5501 --why "..."'),
        ("request", "ADDRESS", "erp (Odoo), address: so it is",
         'fizzbridge hold release shop-uk/5501 --why "..."'),
    ],
)  # fmt: skip
def test_every_hold_reads_as_business(fizzbridge, shop, hold, cause, reason, reading, repair):
    hold(shop.order(1), cause, reason)
    (found,) = fizzbridge("dlq", "--json").data
    assert (found["reading"], found["repair"]) == (reading, repair)


def test_a_code_the_shop_alone_knows_is_the_shops(fizzbridge, shop):
    shop.order(1, sku="NEW-DRINK")
    (found,) = fizzbridge("dlq", "--json").data
    assert found["reading"] == "SKU NEW-DRINK of shop-uk (Shopify) is none that we know"
    assert found["repair"] == "fizzbridge map set shop-uk sku NEW-DRINK <code>"


@pytest.mark.parametrize(
    ("reason", "reading"),
    [
        ("deleted_at_target", "Deleted at erp (Odoo) by somebody, and wanted there"),
        ("ambiguous", "Several objects at erp (Odoo) carry our reference"),
        ("internal", "erp (Odoo), internal: unexpected KeyError"),
    ],
)
def test_every_parked_reason_reads_as_business(fizzbridge, shop, park, reason, reading):
    park(shop.order(1), reason=reason, message="unexpected KeyError")
    (found,) = fizzbridge("dlq", "--json").data
    assert found["reading"] == reading


def test_what_is_gone_is_made_again_one_by_one(fizzbridge, shop, park):
    park(shop.order(1), reason="deleted_at_target")
    (found,) = fizzbridge("dlq", "--json").data
    assert found["repair"] == 'fizzbridge recreate shop-uk/5501 --to erp --why "..."'
    park(shop.order(2), reason="deleted_at_target")
    (found,) = fizzbridge("dlq", "--json").data
    assert found["repair"] == f"fizzbridge dlq redrive --group {found['group']}"


def test_an_order_not_assessed_yet_counts_with_what_the_shop_says(fizzbridge, stack, shop, park):
    order = park(shop.order(1))
    stack.table.write(Write(str(order), rows.part_sk(Part.ASSESSMENT), delete=True))
    (found,) = fizzbridge("dlq", "--json").data
    assert found["gross"] == {"GBP": "2.40"}


def test_the_list_shows_codes_and_loses_nothing(fizzbridge, stack, put, parked):
    put(stack.connections["shop-uk"]["DlqUrl"], DELIVERY)
    put(stack.core["AssessDlqUrl"], EVENT)
    put(stack.core["RecordDlqUrl"], "not json")
    for _ in range(2):
        ran = fizzbridge("dlq", "list", "--json")
        found = {one["connection"]: one for one in ran.data}
        assert set(found) == {"erp", "shop-uk", "assess", "record"}
        assert "QW5uIExlZQ" not in ran.out
    found["erp"].pop("group")
    assert found["erp"] == {
        "status": "parked",
        "connection": "erp",
        "entity": ORDER,
        "reason": "rejected",
        "message": "the customer is blocked",
        "what": "",
        "blame": "vendor",
        "since": MINUTE.format(0),
        "redriven": 0,
        "ids": [parked],
    }
    assert (found["shop-uk"]["status"], found["shop-uk"]["reason"]) == ("failed", "failed pull")
    assert found["assess"]["what"] == "EntityObserved"


def test_the_list_for_people_groups_by_cause(fizzbridge, stack, put, parked):
    put(stack.core["AssessDlqUrl"], EVENT)
    shown = fizzbridge("dlq", "list").out
    assert "erp rejected: 1" in shown
    assert "assess failed event: 1" in shown
    told = fizzbridge("dlq", "list", "--connection", "shop-uk").out
    assert told == "Nothing waits for a person.\n"
    assert fizzbridge("dlq").code == 0
    assert "no connection 'nobody'" in fizzbridge("dlq", "--connection", "nobody").err


def test_more_than_one_batch_is_seen(fizzbridge, stack, put):
    sent = {put(stack.core["AssessDlqUrl"], EVENT) for _ in range(23)}
    assert {id_ for one in fizzbridge("dlq", "list", "--json").data for id_ in one["ids"]} == sent


def test_one_letter_is_shown_without_a_deliverys_content(fizzbridge, stack, put, parked):
    assert fizzbridge("dlq", "show", parked[:8], "--json").data["content"] == POINTER
    delivery = put(stack.connections["shop-uk"]["DlqUrl"], DELIVERY)
    ran = fizzbridge("dlq", "show", delivery)
    assert ran.code == 0
    assert "QW5uIExlZQ" not in ran.out
    assert fizzbridge("dlq", "show", "nobody").err.startswith("Error: No message has the id")


def test_an_empty_desk_says_so(fizzbridge):
    assert fizzbridge("dlq").out == "Nothing waits for a person.\n"
    assert fizzbridge("dlq", "--json").data == []


# -- sent back -------------------------------------------------------------------------------------


def test_a_redriven_pointer_sets_its_link_going(fizzbridge, stack, messages, parked):
    assert fizzbridge("dlq", "redrive", *FAST).data["counts"] == {"sent back": 1}
    link = stack.table.get(ORDER, "LINK#erp")
    assert (link["status"], link["attempts"], link["redriven"]) == ("behind", 0, 1)
    assert not {"reason", "cause", "blame"} & link.keys()
    assert stack.table.index("behind", link["behind_shard"]) == [(ORDER, "LINK#erp")]
    [hint] = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    assert hint["detail"] == {"kind": "Order", "key": "shop-uk/5501"}
    assert fizzbridge("dlq", "list", "--json").data == []


def test_redriving_again_pushes_nothing_twice(fizzbridge, stack, put, park, messages):
    """The same pointers may lie there twice, or be left by one who was interrupted."""
    park(ORDER)
    for _ in range(2):
        put(stack.connections["erp"]["DlqUrl"], POINTER, reason="rejected", blame="vendor")
    assert fizzbridge("dlq", "redrive", *FAST).data["counts"] == {"sent back": 1}
    put(stack.connections["erp"]["DlqUrl"], POINTER, reason="rejected", blame="vendor")
    assert fizzbridge("dlq", "redrive", *FAST).data["counts"] == {"not parked any more": 1}
    assert len(messages(stack.connections["erp"]["DocumentsQueueUrl"])) == 1
    nothing = {"dry_run": False, "operation": "", "counts": {}}
    assert fizzbridge("dlq", "redrive", *FAST).data == nothing


def test_a_pointer_to_what_is_not_parked_any_more_is_only_removed(
    fizzbridge, stack, messages, parked
):
    stack.table.write(Write(ORDER, "LINK#erp", set={"status": "synced"}))
    (found,) = fizzbridge("dlq", "--json").data
    assert (found["status"], found["orders"]) == ("settled", 0)
    assert fizzbridge("dlq", "redrive", *FAST).data["counts"] == {"not parked any more": 1}
    assert stack.table.get(ORDER, "LINK#erp")["status"] == "synced"
    assert messages(stack.connections["erp"]["DocumentsQueueUrl"]) == []


def test_deliveries_and_events_go_back_where_they_came_from(fizzbridge, stack, put, messages):
    put(stack.connections["shop-uk"]["DlqUrl"], DELIVERY)
    put(stack.core["AssessDlqUrl"], EVENT)
    record = "arn:aws:sqs:eu-west-1:1:fizzbridge-test-record"
    put(stack.core["RuleDlqUrl"], EVENT | {"id": "rule"}, TARGET_ARN=record, ERROR_CODE="DENIED")
    assert fizzbridge("dlq", "redrive", *FAST).data["counts"] == {"sent back": 3}
    assert messages(stack.connections["shop-uk"]["PullQueueUrl"]) == [DELIVERY]
    assert messages(stack.core["AssessQueueUrl"]) == [EVENT]
    assert messages(stack.core["RecordQueueUrl"]) == [EVENT | {"id": "rule"}]


def test_a_letter_without_a_way_back_stays_with_all_that_follow(fizzbridge, stack, put):
    put(stack.core["RuleDlqUrl"], EVENT)
    ran = fizzbridge("dlq", "redrive", "--yes")
    assert ran.code == 1
    assert "does not say where it came from" in ran.err
    assert len(fizzbridge("dlq", "list", "--json").data) == 1
    (told,) = fizzbridge("operations", "--json").data
    assert told["ended"] == "failed: CommandError"


def test_a_group_alone_is_redriven(fizzbridge, stack, shop, park, messages):
    for number in (1, 2):
        park(shop.order(number), minute=number)
    park(shop.order(3), message="no such warehouse")
    groups = {one["orders"]: one["group"] for one in fizzbridge("dlq", "--json").data}
    listed = fizzbridge("dlq", "list", "--group", groups[2], "--json").data
    assert [one["entity"] for one in listed] == ["Order#shop-uk/5501", "Order#shop-uk/5502"]
    ran = fizzbridge("dlq", "redrive", "--group", groups[2].upper()[:4], *FAST)
    assert ran.data["counts"] == {"sent back": 2}
    hints = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    # The one that waited longest goes first.
    assert [one["detail"]["key"] for one in hints] == ["shop-uk/5501", "shop-uk/5502"]
    assert [one["group"] for one in fizzbridge("dlq", "--json").data] == [groups[1]]
    again = fizzbridge("dlq", "redrive", "--group", groups[2], "--yes")
    assert "There is no group" in again.err
    assert "There is no group" in fizzbridge("dlq", "redrive", "--group", "", "--yes").err


def test_one_order_is_redriven_by_its_number(fizzbridge, stack, shop, park, messages):
    park(shop.order(1))
    park(shop.order(2))
    ran = fizzbridge("dlq", "redrive", "FZ1002", *FAST)
    assert ran.data["counts"] == {"sent back": 1}
    (hint,) = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    assert hint["detail"]["key"] == "shop-uk/5502"
    assert "Nothing of shop-uk/5502 waits" in fizzbridge("dlq", "redrive", "FZ1002").err
    both = fizzbridge("dlq", "redrive", "FZ1001", "--group", "abc")
    assert "not both" in both.err


def test_what_is_held_is_not_redriven(fizzbridge, stack, shop, hold):
    order = shop.order(1)
    hold(order, "MAP#erp#sku/COLA-24")
    (found,) = fizzbridge("dlq", "--json").data
    ran = fizzbridge("dlq", "redrive", "--group", found["group"], "--yes")
    assert ran.code == 1
    assert "held, not parked" in ran.err
    assert stack.table.get(str(order), "LINK#erp")["status"] == "held"
    assert fizzbridge("operations", "--json").data == []


def test_a_dry_run_changes_nothing(fizzbridge, stack, parked):
    ran = fizzbridge("dlq", "redrive", "--dry-run", "--json")
    assert [one["ids"] for one in ran.data["cases"]] == [[parked]]
    assert stack.table.get(ORDER, "LINK#erp")["status"] == "parked"
    assert len(fizzbridge("dlq", "list", "--json").data) == 1
    assert fizzbridge("operations", "--json").data == []


def test_only_what_is_named_and_confirmed_is_redriven(fizzbridge, stack, put, messages):
    first, second = put(stack.core["AssessDlqUrl"], EVENT), put(stack.core["AssessDlqUrl"], EVENT)
    assert fizzbridge("dlq", "redrive", first, typed="n\n").code == 1
    assert fizzbridge("dlq", "redrive", first, typed="y\n").code == 0
    (left,) = fizzbridge("dlq", "list", "--json").data
    assert left["ids"] == [second]
    assert messages(stack.core["AssessQueueUrl"]) == [EVENT]
    assert "No message or order is called x" in fizzbridge("dlq", "redrive", "x", "--yes").err


def test_an_interrupted_redrive_says_what_it_did_and_goes_on(
    fizzbridge, stack, shop, put, park, messages, running
):
    """Ctrl-C: what is sent is sent, what is not waits on, and the second run takes it up."""
    for number in range(1, 6):
        order = park(shop.order(number), minute=number)
        pointer = POINTER | {"key": order.key}
        put(stack.connections["erp"]["DlqUrl"], pointer, reason="rejected", blame="vendor")
    broken = running(replace(stack, table=Breaks(stack.table, after=2)))
    ran = broken("dlq", "redrive", *FAST)
    assert ran.code != 0
    assert "Interrupted: 2 sent back. Run it again to go on." in ran.err
    assert sum(one["entities"] for one in fizzbridge("dlq", "--json").data) == 5
    ran = fizzbridge("dlq", "redrive", *FAST)
    assert ran.data["counts"] == {"not parked any more": 2, "sent back": 3}
    hints = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    assert [one["detail"]["key"] for one in hints] == [f"shop-uk/550{one}" for one in range(1, 6)]
    assert fizzbridge("dlq", "--json").data == []
    told = fizzbridge("operations", "--json").data
    assert [one["ended"] for one in told] == ["done", "interrupted"]
    assert told[1]["outcome"] == ["2 sent back"]


# -- given up --------------------------------------------------------------------------------------


def test_what_is_discarded_is_listed_no_more_and_keeps_its_reason(fizzbridge, stack, parked):
    assert fizzbridge("dlq", "discard", "--yes").code == 2
    assert "Say why" in fizzbridge("dlq", "discard", "--why", " ", "--yes").err
    ran = fizzbridge("dlq", "discard", "--why", "order was test", *FAST)
    assert ran.data["counts"] == {"discarded": 1}
    [line] = stack.table.query(ORDER, "TIMELINE#")
    assert (line["what"], line["why"]) == ("discarded", "order was test")
    assert (line["connection"], line["operation"]) == ("erp", ran.data["operation"])
    assert line["by"].startswith("arn:aws:")
    assert fizzbridge("dlq", "--json").data == []
    assert fizzbridge("status", "--json").data["connections"]["erp"]["links"]["parked"] == 0
    assert stack.table.get(ORDER, "LINK#erp")["status"] == "parked"
    assert fizzbridge("dlq", "discard", "--why", "x").out == "Nothing waits for a person.\n"


def test_what_was_discarded_can_be_sent_back_by_name(fizzbridge, stack, shop, park, messages):
    park(shop.order(1))
    fizzbridge("dlq", "discard", "FZ1001", "--why", "test", *FAST)
    assert fizzbridge("dlq", "redrive", "FZ1001", *FAST).data["counts"] == {"sent back": 1}
    assert len(messages(stack.connections["erp"]["DocumentsQueueUrl"])) == 1
    assert "discarded" not in stack.table.get(ORDER, "LINK#erp")


def test_a_message_is_discarded_with_its_reason_on_the_timeline(fizzbridge, stack, put, shop):
    order = shop.order(1)
    put(stack.core["AssessDlqUrl"], EVENT)
    ran = fizzbridge("dlq", "discard", "--why", "of no use", *FAST)
    assert ran.data["counts"] == {"discarded": 1}
    line = stack.table.query(str(order), "TIMELINE#")[-1]
    assert (line["what"], line["why"], line["queue"]) == ("discarded", "of no use", "assess")


# -- recorded --------------------------------------------------------------------------------------


def test_every_act_is_recorded_with_who_when_what_and_why(fizzbridge, stack, shop, park):
    park(shop.order(1))
    park(shop.order(2), message="no such warehouse")
    first, second = (one["group"] for one in fizzbridge("dlq", "--json").data)
    redriven = fizzbridge("dlq", "redrive", "--group", first, *FAST).data["operation"]
    discarded = fizzbridge("dlq", "discard", "--group", second, "--why", "typed in", *FAST)
    told = fizzbridge("operations", "--json").data
    assert [one["id"] for one in told] == [discarded.data["operation"], redriven]
    assert (told[0]["what"], told[0]["why"], told[0]["group"]) == (
        "dlq discard",
        "typed in",
        second,
    )
    assert (told[1]["what"], told[1]["outcome"]) == ("dlq redrive", ["1 sent back"])
    assert all(one["by"].startswith("arn:aws:") and one["at"] for one in told)
    lines = [
        line
        for number in (5501, 5502)
        for line in stack.table.query(f"Order#shop-uk/{number}", "TIMELINE#")
        if "operation" in line
    ]
    assert {line["operation"] for line in lines} == {one["id"] for one in told}
    shown = fizzbridge("operations").out
    assert "dlq discard" in shown
    assert "typed in" in shown


def test_nothing_done_is_said(fizzbridge):
    assert fizzbridge("operations", "--days", "2").out == "Nobody did anything in 2 days.\n"
