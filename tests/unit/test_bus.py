from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from fizzbridge.bus import (
    BusUnavailableError,
    Entry,
    EntryRefusedError,
    EventBridgeBus,
    MemoryBus,
)


def entry(number, size=0):
    detail = json.dumps({"number": number, "filler": "x" * size})
    return Entry("fizzbridge.shop", "OrderPlaced", detail)


class Script:
    """A client whose answers are given: per call, the error code of each entry, or an error."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def put_events(self, Entries):  # noqa: N803  # the service's name
        self.calls.append([json.loads(sent["Detail"])["number"] for sent in Entries])
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        results = [
            {"ErrorCode": answer[number], "ErrorMessage": "no"}
            if number in answer
            else {"EventId": "id"}
            for number in range(len(Entries))
        ]
        return {"FailedEntryCount": len(answer), "Entries": results}


def bus_on(*answers):
    script, pauses = Script(*answers), []
    return EventBridgeBus(script, "bus", pauses.append), script, pauses


def test_all_entries_go_in_calls_of_ten():
    bus, script, pauses = bus_on()
    bus.put([entry(number) for number in range(23)])
    assert [len(call) for call in script.calls] == [10, 10, 3]
    assert pauses == []


def test_a_call_holds_no_more_than_its_size():
    bus, script, _ = bus_on()
    bus.put([entry(number, 400_000) for number in range(5)])
    assert script.calls == [[0, 1], [2, 3], [4]]


def test_nothing_to_put_is_no_call():
    bus, script, _ = bus_on()
    bus.put([])
    assert script.calls == []


def test_only_what_failed_is_sent_again():
    throttled = {1: "ThrottlingException", 3: "InternalFailure"}
    bus, script, pauses = bus_on(throttled, {1: "ThrottlingException"})
    bus.put([entry(number) for number in range(5)])
    assert script.calls == [[0, 1, 2, 3, 4], [1, 3], [3]]
    assert sum(pauses) <= 0.1


def test_what_fails_to_the_end_is_named():
    down = {0: "InternalFailure"}
    bus, script, _ = bus_on({4: "InternalFailure"}, down, down)
    with pytest.raises(BusUnavailableError, match="InternalFailure") as caught:
        bus.put([entry(number) for number in range(12)])
    assert caught.value.entries == [entry(4)]
    assert script.calls[-1] == [10, 11]


def test_what_the_bus_refuses_is_not_sent_again():
    bus, script, _ = bus_on({0: "MalformedDetail"})
    with pytest.raises(BusUnavailableError, match="MalformedDetail") as caught:
        bus.put([entry(0), entry(1)])
    assert caught.value.entries == [entry(0)]
    assert len(script.calls) == 1


def test_a_refusal_beside_a_throttle_keeps_the_throttled_going():
    bus, script, _ = bus_on({0: "MalformedDetail", 1: "ThrottlingException"})
    with pytest.raises(BusUnavailableError) as caught:
        bus.put([entry(0), entry(1), entry(2)])
    assert caught.value.entries == [entry(0)]
    assert script.calls == [[0, 1, 2], [1]]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "PutEvents"), "AccessDenied"),
        (ReadTimeoutError(endpoint_url="http://bus"), "ReadTimeoutError"),
    ],
)
def test_a_call_that_fails_whole_is_unavailable(error, reason):
    bus, _, _ = bus_on(error)
    with pytest.raises(BusUnavailableError, match=reason) as caught:
        bus.put([entry(0), entry(1)])
    assert caught.value.entries == [entry(0), entry(1)]


def test_a_throttled_call_is_tried_again():
    throttle = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents")
    bus, script, _ = bus_on(throttle)
    bus.put([entry(0)])
    assert script.calls == [[0], [0]]


@pytest.mark.parametrize(
    "wrong",
    [
        Entry("fizzbridge.shop", "OrderPlaced", "no json"),
        Entry("fizzbridge.shop", "OrderPlaced", "[]"),
        Entry("fizzbridge.shop", "OrderPlaced", '{"total": NaN}'),
        Entry("", "OrderPlaced", "{}"),
        Entry("fizzbridge.shop", "x" * 129, "{}"),
        entry(0, 1_000_000),
    ],
    ids=["text", "list", "nan", "no source", "long type", "large"],
)
def test_a_malformed_entry_is_refused_before_any_is_sent(wrong):
    bus, script, _ = bus_on()
    memory = MemoryBus()
    for put in (bus.put, memory.put):
        with pytest.raises(EntryRefusedError):
            put([entry(0), wrong])
    assert script.calls == []
    assert memory.entries == []


def test_the_memory_bus_keeps_and_delivers():
    delivered = []
    bus = MemoryBus(delivered.append)
    bus.put([entry(0), entry(1)])
    assert delivered == bus.entries == [entry(0), entry(1)]
