"""Reading what functions have logged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import FilteredLogEventTypeDef, FilterLogEventsRequestTypeDef

PAGE = 10_000
"""The most events one call gives."""

_OURS = '{ ($.message = "*") || ($._aws.Timestamp > 0) }'
"""Lines and figures of ours, without what Lambda says of each invocation."""


def group_of(stage: str, function: str) -> str:
    """The log group of a function: ``assess``, ``shop-uk-webhook``."""
    return f"/aws/lambda/fizzbridge-{stage}-{function}"


def logged(
    client: CloudWatchLogsClient, group: str, since: datetime, until: datetime
) -> Iterator[dict[str, Any]]:
    """The JSON lines of a log group, by time; nothing where there is no such group.

    Args:
        client: of CloudWatch Logs.
        group: the group's name.
        since: lines from then on.
        until: and before then.
    """
    begin, end = (int(moment.timestamp() * 1000) for moment in (since, until))
    known: set[str] = set()
    token = ""
    while True:
        asked: FilterLogEventsRequestTypeDef = {
            "logGroupName": group,
            "startTime": begin,
            "endTime": end,
            "limit": PAGE,
            "filterPattern": _OURS,
        }
        if token:
            asked["nextToken"] = token
        try:
            page = client.filter_log_events(**asked)
        except client.exceptions.ResourceNotFoundException:
            return
        events = [event for event in page["events"] if _name(event) not in known]
        for event in events:
            if event["message"].startswith("{"):
                yield json.loads(event["message"])
        token = page.get("nextToken", "")
        if token:
            continue
        if len(page["events"]) < PAGE or not events:
            return
        # A full page and no word of a next one, as the emulator has it: go on where it ends.
        begin = events[-1]["timestamp"]
        known = {_name(event) for event in events if event["timestamp"] == begin}


def _name(event: FilteredLogEventTypeDef) -> str:
    return event.get("eventId") or event["message"]
