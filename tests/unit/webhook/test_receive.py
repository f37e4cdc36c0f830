import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fizzbridge.state.objects import MemoryObjects, ObjectsUnavailableError
from fizzbridge.webhook.receive import active
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.storing import from_message, to_message
from tests.kit.source import CONNECTION, Source, captured_logs, http_event, signed
from tests.kit.toy import ToyWebhook

ANN = {"id": "7", "name": "Ann", "at": "2026-11-20T09:00:00Z"}


@pytest.fixture
def source():
    return Source(ToyWebhook())


def event(body, topic="person"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-toy-topic": topic, "x-toy-id": "d-1", "x-other": "kept"}
    return http_event(signed(ToyWebhook(), headers, raw), raw)


def test_a_delivery_is_merged_and_acknowledged(source):
    assert source.deliver(event(ANN)) == 200
    assert list(source.parts()) == [f"Customer#{CONNECTION}/7/PART#record"]
    assert source.counts() == {"received": 1, "merged": 1}


def test_a_hint_told_twice_is_sent_once(source):
    assert source.deliver(event({"id": "7"}, "named")) == 200
    (message,) = source.messages()
    assert (message["type"], message["what"], message["id"]) == ("hint", "person", "7")
    assert message["correlation_id"]
    assert source.counts() == {"received": 1, "hinted": 1}


def test_fifty_copies_at_the_same_instant_are_one(source):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(source.deliver, [event(ANN)] * 50))
    assert answers == [200] * 50
    assert source.messages() == []
    (row,) = source.parts().values()
    assert row["version"] == "t2026-11-20T09:00:00.000000Z"


def test_an_older_delivery_changes_nothing(source):
    source.deliver(event(ANN))
    before = source.content()
    source.deliver(event(ANN | {"name": "Bob", "at": "2026-11-20T08:00:00Z"}))
    assert source.content() == before
    assert source.counts()["older"] == 1


def test_a_tie_asks_for_the_entity(source):
    source.deliver(event(ANN))
    source.deliver(event(ANN | {"name": "Bob"}))
    assert [(m["what"], m["id"]) for m in source.messages()] == [("person", "7")]


def test_our_own_bug_costs_no_delivery(source):
    with captured_logs() as text:
        assert source.deliver(event(ANN | {"name": "bug"})) == 200
    (message,) = source.messages()
    assert message["type"] == "delivery"
    assert '"reason":"mapping_bug"' in text()
    assert "canary-person" not in text()


def test_a_spilled_delivery_is_whole_but_for_its_proof(source):
    source.table.is_down = True
    sent = event(ANN)
    source.deliver(sent)
    (message,) = source.messages()
    kept = from_message(message, source.objects)
    assert kept.body == sent["body"].encode()
    assert kept.headers["x-other"] == "kept"
    assert "x-toy-proof" not in kept.headers
    assert kept.request_id == "r-1"
    assert source.counts() == {"received": 1, "spilled": 1}


def test_a_large_delivery_is_spilled_by_way_of_the_bucket(source):
    source.table.is_down = True
    body = json.dumps(ANN | {"name": "A" * 300_000}).encode()
    assert source.deliver(event(body)) == 200
    (message,) = source.messages()
    assert message["bucket_key"].startswith(f"deliveries/{CONNECTION}/")
    assert from_message(message, source.objects).body == body


def test_what_takes_too_long_to_merge_is_left_to_pull(source):
    people = {"people": [ANN | {"id": str(number)} for number in range(5)]}
    source.table.takes_s = 1.0
    assert source.deliver(event(people, "people")) == 200
    (message,) = source.messages()
    assert message["type"] == "delivery"
    # The second is begun within the time a merge has, the third is not.
    assert len(source.parts()) == 2


def test_hints_that_cannot_be_sent_ask_the_vendor_to_come_again(source):
    source.queue.is_down = True
    assert source.deliver(event({"id": "7"}, "named")) == 503
    source.queue.is_down = False
    assert source.deliver(event({"id": "7"}, "named")) == 200
    assert len(source.messages()) == 1


@pytest.mark.parametrize(
    ("secret", "values"),
    [
        ({"active": ["a", "b"]}, ["a", "b"]),
        ({"active": "a"}, ["a"]),
        ({"active": ["", None, 7]}, []),
        ({"active": None}, []),
        ({}, []),
    ],
)
def test_active_values_of_a_secret(secret, values):
    assert active(secret) == values


@pytest.mark.parametrize("secret", [{}, {"active": []}, {"active": ""}])
def test_with_no_active_secret_nothing_is_accepted(source, secret):
    source.secrets["signing"] = json.dumps(secret)
    assert source.deliver(event(ANN)) == 401


def test_a_forger_cannot_make_us_ask_for_the_secret_all_the_time(source):
    asked = []
    source.secrets = Counting(source.secrets, asked)
    for _ in range(20):
        source.deliver(http_event({"x-toy-proof": "00"}, b"{}"))
    assert len(asked) <= 2


class Counting(dict):
    def __init__(self, values, asked):
        super().__init__(values)
        self.asked = asked

    def __getitem__(self, name):
        self.asked.append(name)
        return super().__getitem__(name)


class Unreachable(MemoryObjects):
    def put(self, key: str, data: bytes) -> None:
        raise ObjectsUnavailableError(key)


def test_a_body_is_in_the_message_only_while_the_bucket_is_out_of_reach():
    source = Source(ToyWebhook())
    delivery = Delivery(headers={}, body=b"x", received_at=source.clock())
    kept = to_message(delivery, "shop", "c", source.objects)
    assert base64.b64encode(b"x").decode() not in json.dumps(kept)
    alone = to_message(delivery, "shop", "c", Unreachable())
    assert from_message(alone, source.objects).body == b"x"
    large = Delivery(headers={}, body=b"x" * 300_000, received_at=source.clock())
    with pytest.raises(ObjectsUnavailableError):
        to_message(large, "shop", "c", Unreachable())
