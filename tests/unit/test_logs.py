"""Reading logs: whole, by time, whether the service says that there is more or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from moto import mock_aws

from fizzbridge.logs import PAGE, group_of, logged

AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
GROUP = group_of("test", "shop-uk-webhook")
WHERE = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_json_lines_between_two_times():
    with mock_aws():
        client = boto3.client("logs", **WHERE)
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName="one")
        events = [
            {"timestamp": ms(AT) + number * 1000, "message": message}
            for number, message in enumerate(
                ['{"n": 1}', "START RequestId", '{"n": 2}', '{"n": 3}']
            )
        ]
        client.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)
        until = AT + timedelta(seconds=2.5)
        assert [line["n"] for line in logged(client, GROUP, AT, until)] == [1, 2]
        assert list(logged(client, group_of("test", "other"), AT, until)) == []


class Silent:
    """Gives pages as AWS does, and as the emulator does: never saying that there are more."""

    class exceptions:  # noqa: N801  as a client has them
        ResourceNotFoundException = LookupError

    def __init__(self, count: int, *, tells: bool, with_ids: bool) -> None:
        self._tells = tells
        self._events: list[dict[str, Any]] = [
            # Several of a millisecond, and pages that end amid them.
            {"timestamp": ms(AT) + number // 7, "message": json.dumps({"n": number})}
            | ({"eventId": str(number)} if with_ids else {})
            for number in range(count)
        ]

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        found = [one for one in self._events if one["timestamp"] >= asked["startTime"]]
        begin = int(asked.get("nextToken", 0))
        page = found[begin : begin + asked["limit"]]
        is_more = self._tells and begin + PAGE < len(found)
        return {"events": page} | ({"nextToken": str(begin + PAGE)} if is_more else {})


def test_more_than_a_page_is_read_whole_and_nothing_twice():
    for count in (0, PAGE - 1, PAGE, 2 * PAGE + 5):
        for tells in (True, False):
            for with_ids in (True, False):
                client: Any = Silent(count, tells=tells, with_ids=with_ids)
                read = [line["n"] for line in logged(client, GROUP, AT, AT + timedelta(hours=1))]
                assert read == list(range(count)), (count, tells, with_ids)
