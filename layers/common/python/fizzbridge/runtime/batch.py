"""Messages from a queue, one by one: what is done is deleted, what failed comes back.

The answer to Lambda names only ids of messages that came in: an unknown or empty id would make AWS
bring back the whole batch, and the local emulator delete it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from fizzbridge.observability import BRIDGE, log, log_context, new_correlation_id

LONGEST_WAIT = timedelta(hours=12)
"""SQS hides a message no longer than this."""

_OWN = os.environ.get("FIZZBRIDGE_CONNECTION") or BRIDGE

FIRST_WAIT = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(minutes=15)


@dataclass(frozen=True)
class Message:
    """One message of a batch.

    Attributes:
        id: unique to the message.
        body: parsed JSON.
        receives: how often it has been received, this time included.
        sent_at: when it was sent, where the queue says so.
    """

    id: str
    body: Any
    receives: int
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Again:
    """The message is to come back.

    Attributes:
        after: how long to wait; None for a backoff by how often it came already.
    """

    after: timedelta | None = None


class Visibility(Protocol):
    """Hides a message for a while, in the queue it came from."""

    def __call__(self, queue_arn: str, receipt: str, seconds: int) -> None:
        """Hide the message of this receipt."""
        ...


def process(
    event: Mapping[str, Any],
    work: Callable[[Message], Again | None],
    hide: Visibility,
    together: Callable[[Sequence[Message]], Mapping[str, Again | None]] | None = None,
) -> dict[str, Any]:
    """Work through a batch; what raises comes back, like what asks to.

    Args:
        event: what Lambda hands over.
        work: does one message; returns when it is to come back, or None when it is done.
        hide: sets when it comes back.
        together: does messages of its choice at once, and answers for those by their ids.
    """
    with log_context(new_correlation_id(), connection=_OWN):
        return _process(event, work, hide, together)


def _process(
    event: Mapping[str, Any],
    work: Callable[[Message], Again | None],
    hide: Visibility,
    together: Callable[[Sequence[Message]], Mapping[str, Again | None]] | None,
) -> dict[str, Any]:
    records = {record["messageId"]: record for record in event["Records"]}
    answers: dict[str, Again | None] = {}
    messages = [message for record in records.values() if (message := _read(record, answers))]
    if together:
        try:
            answers |= together(messages)
        except Exception:  # noqa: BLE001  then each for itself
            log.exception("batch failed")
    for message in messages:
        if message.id in answers:
            continue
        with log_context(_correlation_id(message.body), connection=_OWN):
            try:
                answers[message.id] = work(message)
            except Exception:  # noqa: BLE001  one bad message must not bring back the others
                log.exception("message failed", extra={"message_id": message.id})
                answers[message.id] = Again()
    failures = []
    for message_id, record in records.items():
        receives = _receives(record)
        again = answers[message_id]
        if again:
            failures.append({"itemIdentifier": message_id})
            seconds = wait_s(again.after, receives)
            try:
                hide(record["eventSourceARN"], record["receiptHandle"], seconds)
            except Exception:  # noqa: BLE001  then it comes back when the queue's own time is over
                log.exception("message not put off", extra={"message_id": message_id})
    return {"batchItemFailures": failures}


def _read(record: Mapping[str, Any], answers: dict[str, Again | None]) -> Message | None:
    """A message; one that is no JSON comes back, and ends in the DLQ by its count."""
    try:
        body = json.loads(record["body"])
        return Message(record["messageId"], body, _receives(record), _sent_at(record))
    except ValueError:
        log.exception("message failed", extra={"message_id": record["messageId"]})
        answers[record["messageId"]] = Again()
        return None


def _correlation_id(body: Any) -> str:
    """Of what a message is about: an event's, or that of a message of our own; else a new one."""
    about = body.get("detail", body) if isinstance(body, dict) else {}
    found = about.get("correlation_id") if isinstance(about, dict) else None
    return found or new_correlation_id()


def _receives(record: Mapping[str, Any]) -> int:
    return int(record["attributes"].get("ApproximateReceiveCount", 1))


def _sent_at(record: Mapping[str, Any]) -> datetime | None:
    sent = record["attributes"].get("SentTimestamp")
    return datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None


def wait_s(after: timedelta | None, receives: int) -> int:
    """Whole seconds until a message comes back: as asked, or doubling with jitter."""
    if after is None:
        doubled = FIRST_WAIT * 2 ** min(receives - 1, 10)
        after = min(doubled, LONGEST_BACKOFF) * random.uniform(0.5, 1)  # noqa: S311  # jitter
    # Rounded up: coming back a moment too early is coming back for nothing.
    return int(-(-min(max(after, timedelta(0)), LONGEST_WAIT).total_seconds() // 1))
