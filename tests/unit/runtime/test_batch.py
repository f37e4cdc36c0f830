from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.observability import new_correlation_id
from fizzbridge.runtime.batch import LONGEST_WAIT, Again, Message, process, wait_s
from tests.kit.source import captured_logs


def record(message_id: str, body: str = "{}", receives: int = 1) -> dict:
    return {
        "messageId": message_id,
        "receiptHandle": f"receipt-{message_id}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
    }


class Hidden:
    def __init__(self):
        self.calls = []

    def __call__(self, queue_arn, receipt, seconds):
        self.calls.append((queue_arn, receipt, seconds))


def failed(answer: dict) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_f19_what_failed_comes_back_and_nothing_else():
    seen = []

    def work(message: Message) -> Again | None:
        seen.append(message.id)
        if message.id == "b":
            raise RuntimeError("bug")
        return Again(timedelta(seconds=40)) if message.id == "d" else None

    hidden = Hidden()
    answer = process({"Records": [record(name) for name in "abcde"]}, work, hidden)
    assert seen == list("abcde")
    assert failed(answer) == ["b", "d"]
    assert [receipt for _, receipt, _ in hidden.calls] == ["receipt-b", "receipt-d"]
    assert hidden.calls[1] == ("arn:aws:sqs:eu-west-1:1:q", "receipt-d", 40)


@given(st.lists(st.sampled_from(["done", "again", "raise", "bad json"]), max_size=10))
def test_f19_the_answer_only_ever_names_ids_that_came_in(fates):
    def work(message: Message) -> Again | None:
        if message.body == "raise":
            raise KeyError("x")
        return Again() if message.body == "again" else None

    records = [
        record(f"m{number}", "{" if fate == "bad json" else json.dumps(fate))
        for number, fate in enumerate(fates)
    ]
    answer = process({"Records": records}, work, Hidden())
    wanted = [f"m{number}" for number, fate in enumerate(fates) if fate != "done"]
    assert failed(answer) == wanted


def test_a_failure_is_logged_under_the_id_of_what_the_message_is_about():
    def work(message: Message) -> Again | None:
        raise RuntimeError(message.id)

    about = [
        {"detail": {"correlation_id": "delivery-1"}},
        {"type": "hint", "correlation_id": "delivery-2"},
        {"detail": {}},
    ]
    records = [record(f"m{number}", json.dumps(body)) for number, body in enumerate(about)]
    with captured_logs() as logs:
        process({"Records": records}, work, Hidden())
    lines = [json.loads(line) for line in logs().splitlines()]
    assert [line["message_id"] for line in lines] == ["m0", "m1", "m2"]
    ids = [line["correlation_id"] for line in lines]
    assert ids[:2] == ["delivery-1", "delivery-2"]
    assert len(ids[2]) == len(new_correlation_id())
    assert {line["connection"] for line in lines} == {"bridge"}


def test_f20_a_message_that_is_no_json_comes_back_by_itself():
    done = []
    records = [record("bad", "{not json"), record("good", '{"x": 1}')]
    answer = process({"Records": records}, lambda message: done.append(message.body), Hidden())
    assert (failed(answer), done) == (["bad"], [{"x": 1}])


def test_a_batch_that_went_well_names_nobody():
    hidden = Hidden()
    assert failed(process({"Records": [record("a")]}, lambda _: None, hidden)) == []
    assert hidden.calls == []


def test_work_is_told_how_often_the_message_came():
    told = []
    process({"Records": [record("a", receives=7)]}, told.append, Hidden())
    assert told == [Message("a", {}, 7)]


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        (timedelta(0), 0),
        (timedelta(seconds=-3), 0),
        (timedelta(seconds=1.2), 2),
        (timedelta(seconds=42), 42),
        (timedelta(hours=30), int(LONGEST_WAIT.total_seconds())),
    ],
)
def test_a_wait_is_what_was_asked_in_whole_seconds_and_what_sqs_takes(after, seconds):
    assert wait_s(after, 1) == seconds


@pytest.mark.parametrize(
    ("receives", "least", "most"),
    [(1, 1, 2), (2, 2, 4), (5, 16, 32), (9, 256, 512), (40, 450, 900)],
)
def test_without_a_wish_it_doubles_up_to_a_quarter_of_an_hour_with_jitter(receives, least, most):
    waits = {wait_s(None, receives) for _ in range(60)}
    assert min(waits) >= least
    assert max(waits) <= most
    assert receives < 5 or len(waits) > 3


def test_a_record_without_a_count_came_once():
    bare = record("a") | {"attributes": {}}
    told = []
    process({"Records": [bare]}, told.append, Hidden())
    assert told[0].receives == 1


def test_a_message_that_cannot_be_put_off_comes_back_all_the_same_and_alone():
    def refuse(queue_arn: str, receipt: str, seconds: int) -> None:
        raise RuntimeError("no right to")

    records = [record(name) for name in "abc"]
    answer = process({"Records": records}, lambda m: Again() if m.id == "b" else None, refuse)
    assert failed(answer) == ["b"]
