"""Dead letters: looked at without loss, sent back, given up."""

import json

import pytest

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
def parked(stack, put):
    stack.table.write(
        Write(
            ORDER,
            "LINK#erp",
            set={
                "status": "parked",
                "attempts": 5,
                "reason": "rejected",
                "cause": rows.waiting_cause("erp", "parked"),
                "wanted": "w",
            },
        )
    )
    return put(stack.connections["erp"]["DlqUrl"], POINTER, reason="rejected", blame="vendor")


def test_the_list_shows_codes_and_loses_nothing(fizzbridge, stack, put, parked):
    put(stack.connections["shop-uk"]["DlqUrl"], DELIVERY)
    put(stack.core["AssessDlqUrl"], EVENT)
    put(stack.core["RecordDlqUrl"], "not json")
    for _ in range(2):
        ran = fizzbridge("dlq", "list", "--json")
        found = {letter["queue"]: letter for letter in ran.data}
        assert set(found) == {"erp", "shop-uk", "assess", "record"}
        assert "QW5uIExlZQ" not in ran.out
    for changing in ("id", "sent_at"):
        found["erp"].pop(changing)
    assert found["erp"] == {
        "queue": "erp",
        "sort": "parked",
        "reason": "rejected",
        "message": "the customer is blocked",
        "entity": ORDER,
        "what": "",
        "blame": "vendor",
    }
    assert (found["shop-uk"]["sort"], found["shop-uk"]["reason"]) == ("pull", "failed pull")
    assert found["assess"]["what"] == "EntityObserved"


def test_the_list_for_people_groups_by_reason(fizzbridge, stack, put, parked):
    put(stack.core["AssessDlqUrl"], EVENT)
    shown = fizzbridge("dlq", "list").out
    assert "rejected: 1" in shown
    assert "failed event: 1" in shown
    assert fizzbridge("dlq", "list", "--connection", "shop-uk").out == (
        "The dead-letter queues are empty.\n"
    )


def test_more_than_one_batch_is_seen(fizzbridge, stack, put):
    sent = {put(stack.core["AssessDlqUrl"], EVENT) for _ in range(23)}
    assert {letter["id"] for letter in fizzbridge("dlq", "list", "--json").data} == sent


def test_one_letter_is_shown_without_a_deliverys_content(fizzbridge, stack, put, parked):
    assert fizzbridge("dlq", "show", parked, "--json").data["content"] == POINTER
    delivery = put(stack.connections["shop-uk"]["DlqUrl"], DELIVERY)
    ran = fizzbridge("dlq", "show", delivery)
    assert ran.code == 0
    assert "QW5uIExlZQ" not in ran.out
    assert fizzbridge("dlq", "show", "nobody").err.startswith("Error: No dead letter has the id")


def test_a_redriven_pointer_sets_its_link_going(fizzbridge, stack, messages, parked):
    ran = fizzbridge("dlq", "redrive", "--yes", "--json")
    assert ran.data == {"dry_run": False, "counts": {"sent back": 1}}
    link = stack.table.get(ORDER, "LINK#erp")
    assert (link["status"], link["attempts"]) == ("behind", 0)
    assert not {"reason", "cause"} & link.keys()
    assert stack.table.index("behind", link["behind_shard"]) == [(ORDER, "LINK#erp")]
    [hint] = messages(stack.connections["erp"]["DocumentsQueueUrl"])
    assert hint["detail"] == {"kind": "Order", "key": "shop-uk/5501"}
    assert fizzbridge("dlq", "list", "--json").data == []


def test_a_pointer_to_what_is_not_parked_any_more_is_only_removed(
    fizzbridge, stack, messages, parked
):
    stack.table.write(Write(ORDER, "LINK#erp", set={"status": "synced"}))
    ran = fizzbridge("dlq", "redrive", "--yes", "--json")
    assert ran.data["counts"] == {"not parked any more": 1}
    assert stack.table.get(ORDER, "LINK#erp")["status"] == "synced"
    assert messages(stack.connections["erp"]["DocumentsQueueUrl"]) == []


def test_deliveries_and_events_go_back_where_they_came_from(fizzbridge, stack, put, messages):
    put(stack.connections["shop-uk"]["DlqUrl"], DELIVERY)
    put(stack.core["AssessDlqUrl"], EVENT)
    record = "arn:aws:sqs:eu-west-1:1:fizzbridge-test-record"
    put(stack.core["RuleDlqUrl"], EVENT | {"id": "rule"}, TARGET_ARN=record, ERROR_CODE="DENIED")
    ran = fizzbridge("dlq", "redrive", "--yes", "--json", "--per-second", "1000")
    assert ran.data["counts"] == {"sent back": 3}
    assert messages(stack.connections["shop-uk"]["PullQueueUrl"]) == [DELIVERY]
    assert messages(stack.core["AssessQueueUrl"]) == [EVENT]
    assert messages(stack.core["RecordQueueUrl"]) == [EVENT | {"id": "rule"}]


def test_a_letter_without_a_way_back_stays_with_all_that_follow(fizzbridge, stack, put):
    put(stack.core["RuleDlqUrl"], EVENT)
    ran = fizzbridge("dlq", "redrive", "--yes")
    assert ran.code == 1
    assert "does not say where it came from" in ran.err
    assert len(fizzbridge("dlq", "list", "--json").data) == 1


def test_a_dry_run_changes_nothing(fizzbridge, stack, parked):
    ran = fizzbridge("dlq", "redrive", "--dry-run", "--json")
    assert [letter["id"] for letter in ran.data["letters"]] == [parked]
    assert stack.table.get(ORDER, "LINK#erp")["status"] == "parked"
    assert len(fizzbridge("dlq", "list", "--json").data) == 1


def test_only_what_is_named_and_confirmed_is_redriven(fizzbridge, stack, put, messages):
    first, second = put(stack.core["AssessDlqUrl"], EVENT), put(stack.core["AssessDlqUrl"], EVENT)
    assert fizzbridge("dlq", "redrive", first, typed="n\n").code == 1
    assert fizzbridge("dlq", "redrive", first, typed="y\n").code == 0
    assert [letter["id"] for letter in fizzbridge("dlq", "list", "--json").data] == [second]
    assert messages(stack.core["AssessQueueUrl"]) == [EVENT]
    assert "No dead letter has the id x" in fizzbridge("dlq", "redrive", "x", "--yes").err


def test_a_discarded_letter_leaves_its_reason_on_the_timeline(fizzbridge, stack, parked):
    assert fizzbridge("dlq", "discard", "--yes").code == 2
    ran = fizzbridge("dlq", "discard", "--why", "order was test", "--yes", "--json")
    assert ran.data["counts"] == {"discarded": 1}
    [line] = stack.table.query(ORDER, "TIMELINE#")
    assert (line["what"], line["why"], line["queue"]) == ("discarded", "order was test", "erp")
    assert fizzbridge("dlq", "list", "--json").data == []
    assert fizzbridge("dlq", "discard", "--why", "x").out == "Dead letters: none.\n"
