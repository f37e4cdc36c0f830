"""Messages from a queue, one by one: what is done is deleted, what failed comes back.

The answer to Lambda names only ids of messages that came in: an unknown or empty id would make AWS
bring back the whole batch, and the local emulator delete it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from fizzbridge.observability import log

LONGEST_WAIT = timedelta(hours=12)
"""SQS hides a message no longer than this."""

FIRST_WAIT = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(minutes=15)


@dataclass(frozen=True)
class Message:
    """One message of a batch.

    Attributes:
        id: unique to the message.
        body: parsed JSON.
        receives: how often it has been received, this time included.
    """

    id: str
    body: Any
    receives: int


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
) -> dict[str, Any]:
    """Work through a batch; what raises comes back, like what asks to.

    Args:
        event: what Lambda hands over.
        work: does one message; returns when it is to come back, or None when it is done.
        hide: sets when it comes back.
    """
    failures = []
    for record in event["Records"]:
        message_id = record["messageId"]
        receives = int(record["attributes"].get("ApproximateReceiveCount", 1))
        try:
            again = work(Message(message_id, json.loads(record["body"]), receives))
        except Exception:  # noqa: BLE001  one bad message must not bring back the others
            log.exception("message failed", extra={"message_id": message_id})
            again = Again()
        if again:
            failures.append({"itemIdentifier": message_id})
            seconds = wait_s(again.after, receives)
            try:
                hide(record["eventSourceARN"], record["receiptHandle"], seconds)
            except Exception:  # noqa: BLE001  then it comes back when the queue's own time is over
                log.exception("message not put off", extra={"message_id": message_id})
    return {"batchItemFailures": failures}


def wait_s(after: timedelta | None, receives: int) -> int:
    """Whole seconds until a message comes back: as asked, or doubling with jitter."""
    if after is None:
        doubled = FIRST_WAIT * 2 ** min(receives - 1, 10)
        after = min(doubled, LONGEST_BACKOFF) * random.uniform(0.5, 1)  # noqa: S311  # jitter
    # Rounded up: coming back a moment too early is coming back for nothing.
    return int(-(-min(max(after, timedelta(0)), LONGEST_WAIT).total_seconds() // 1))
