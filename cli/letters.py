"""Messages in dead-letter queues: seen without losing anything, and taken away one by one.

A message here is a pointer to parked work, or anything that killed its function or could not be
delivered; that goes back to the queue it came from. The move is our own receive, send, delete,
because what a pointer needs is more than to be moved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cli.stack import CommandError, Stack
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.state.moments import to_text

HIDDEN_S = 900
"""How long a message is out of others' sight while we hold it; longer than any look takes."""
BATCH = 10
CORE_QUEUES = {"AssessDlqUrl": "assess", "RecordDlqUrl": "record", "RuleDlqUrl": "rules"}
PULL_TYPES = frozenset({"delivery", "hint", "poll", "continue"})


class Sort(StrEnum):
    """What a dead letter is."""

    POINTER = "parked"
    PULL = "pull"
    EVENT = "event"


@dataclass(frozen=True)
class Letter:
    """One message in a dead-letter queue, held by us."""

    queue: str
    """The connection's name, or one of ``CORE_QUEUES``."""
    url: str
    id: str
    receipt: str
    body: str
    attributes: dict[str, str]
    sent_at: datetime

    @property
    def content(self) -> dict[str, Any]:
        """The message; empty where it is not a JSON object."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def sort(self) -> Sort:
        """What the message is."""
        content = self.content
        if {"kind", "key", "connection"} <= content.keys():
            return Sort.POINTER
        return Sort.PULL if content.get("type") in PULL_TYPES else Sort.EVENT

    @property
    def about(self) -> tuple[str, str]:
        """The entity and the connection a pointer points at."""
        return str(self.ref or ""), str(self.content.get("connection", ""))

    @property
    def reason(self) -> str:
        """Why it is here, in a word."""
        for name in ("reason", "ERROR_CODE"):
            if found := self.attributes.get(name):
                return found
        return f"failed {self.sort}"

    @property
    def ref(self) -> EntityRef | None:
        """The entity it is about, where it says so."""
        named = self.content.get("detail", self.content)
        if not isinstance(named, dict) or not {"kind", "key"} <= named.keys():
            return None
        return EntityRef(kind=Kind(named["kind"]), key=named["key"])

    def shown(self) -> dict[str, Any]:
        """What people may see of it: codes and ids, no delivery's content."""
        content = self.content
        return {
            "id": self.id,
            "queue": self.queue,
            "sort": str(self.sort),
            "reason": self.reason,
            "entity": str(self.ref or ""),
            "what": str(content.get("detail-type") or content.get("type") or ""),
            "message": str(content.get("reason", "")),
            "blame": self.attributes.get("blame", ""),
            "sent_at": to_text(self.sent_at),
        }


def queues(stack: Stack, connection: str | None) -> dict[str, str]:
    """Addresses of the dead-letter queues by name: all, or a connection's own."""
    if connection is not None:
        return {connection: stack.connection(connection)["DlqUrl"]}
    core = {
        name: stack.core[output] for output, name in CORE_QUEUES.items() if output in stack.core
    }
    own = {
        name: outputs["DlqUrl"]
        for name, outputs in stack.connections.items()
        if "DlqUrl" in outputs
    }
    return core | own


def peek(stack: Stack, connection: str | None) -> list[Letter]:
    """Every dead letter, oldest first; each is back in its queue afterwards."""
    named = queues(stack, connection)

    def one(name: str) -> list[Letter]:
        held: list[Letter] = []
        try:
            for batch in _held(stack, name, named[name]):
                held += batch
        finally:
            put_back(stack, held)
        return held

    with ThreadPoolExecutor(len(named) or 1) as pool:
        return sorted(
            (letter for found in pool.map(one, named) for letter in found),
            key=lambda letter: letter.sent_at,
        )


def _held(stack: Stack, name: str, url: str) -> Iterator[list[Letter]]:
    """Take hold of batches until the queue has nothing we have not seen."""
    seen: set[str] = set()
    while True:
        answer = stack.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_S,
            WaitTimeSeconds=stack.queue_wait_s,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        batch = [_letter(name, url, message) for message in answer.get("Messages", [])]
        fresh = [letter for letter in batch if letter.id not in seen]
        seen |= {letter.id for letter in batch}
        if fresh:
            yield fresh
        if len(fresh) < len(batch) or not batch:
            return


def _letter(name: str, url: str, message: Any) -> Letter:
    own = {
        key: str(value.get("StringValue", ""))
        for key, value in message.get("MessageAttributes", {}).items()
    }
    system = message.get("Attributes", {})
    return Letter(
        queue=name,
        url=url,
        id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        attributes=own | {key: str(value) for key, value in system.items()},
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", "0")) / 1000, UTC),
    )


def put_back(stack: Stack, letters: Iterable[Letter]) -> None:
    """Make held letters visible again."""
    for letter in letters:
        stack.sqs.change_message_visibility(
            QueueUrl=letter.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )


def work_off(
    stack: Stack,
    connection: str | None,
    act: Callable[[Letter], str],
    *,
    ids: frozenset[str],
    paced: Callable[[str], None],
) -> None:
    """Do something with each of these dead letters and delete it.

    Args:
        stack: the stack.
        connection: only its queue.
        act: what to do; returns what became of the letter. A letter is deleted only after it.
        ids: the messages; others are put back.
        paced: told what became of each, and waits as long as it likes before the next.
    """
    for name, url in queues(stack, connection).items():
        others: list[Letter] = []
        try:
            for batch in _held(stack, name, url):
                # What is not done when something fails comes back at once, not after HIDDEN_S.
                others += batch
                for letter in batch:
                    if letter.id not in ids:
                        continue
                    outcome = act(letter)
                    stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)
                    others.remove(letter)
                    paced(outcome)
        finally:
            put_back(stack, others)


def way_back(stack: Stack, letter: Letter) -> str:
    """The queue a failed message came from."""
    arn = letter.attributes.get("DeadLetterQueueSourceArn") or letter.attributes.get("TARGET_ARN")
    if arn:
        return stack.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    core = {"assess": "AssessQueueUrl", "record": "RecordQueueUrl"}.get(letter.queue)
    if core:
        return stack.core[core]
    outputs = stack.connections.get(letter.queue, {})
    output = "PullQueueUrl" if letter.sort is Sort.PULL else "DocumentsQueueUrl"
    if output not in outputs:
        raise CommandError(
            f"Message {letter.id} in {letter.queue} does not say where it came from. "
            "Look at it with: fizzbridge dlq show"
        )
    return outputs[output]
