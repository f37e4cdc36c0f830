"""Queues: sending messages to SQS, or to a list in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

MESSAGE_LIMIT_BYTES = 1024 * 1024
DELAY_LIMIT_S = 900
ATTRIBUTE_LIMIT = 10


class QueueUnavailableError(Exception):
    """The queue is down, slow or refuses us; the message may or may not be in it."""


class MessageRefusedError(ValueError):
    """No queue takes this message: too large, or an attribute is empty or one too many."""


class Queue(Protocol):
    """Where messages are sent."""

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Sends a message.

        Args:
            url: The queue's address.
            body: Text, at most 1 MiB with its attributes.
            delay: Seconds before it can be received, at most 900; more is cut to that.
            attributes: For people and filters; never secret or personal.
        """
        ...


@dataclass(frozen=True)
class Message:
    """A message that was sent."""

    url: str
    body: str
    delay: int = 0
    attributes: Mapping[str, str] = field(default_factory=dict)


class MemoryQueue:
    """A `Queue` that keeps what it was sent, for tests and dry runs."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._lock = threading.Lock()

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Keeps a message."""
        message = _checked(Message(url, body, delay, dict(attributes or {})))
        with self._lock:
            self._messages.append(message)

    def sent(self, url: str | None = None) -> list[Message]:
        """Messages sent so far: all, or those to one queue."""
        with self._lock:
            return [message for message in self._messages if url in (None, message.url)]

    def take(self, url: str) -> list[Message]:
        """Takes away and returns the messages sent to one queue."""
        with self._lock:
            taken = [message for message in self._messages if message.url == url]
            self._messages = [message for message in self._messages if message.url != url]
        return taken


class SqsQueue:
    """A `Queue` on SQS."""

    def __init__(self, client: SQSClient) -> None:
        self._client: Any = client

    def send(
        self, url: str, body: str, delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Sends a message."""
        message = _checked(Message(url, body, delay, dict(attributes or {})))
        try:
            self._client.send_message(
                QueueUrl=url,
                MessageBody=body,
                DelaySeconds=message.delay,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": text}
                    for name, text in message.attributes.items()
                },
            )
        except ClientError as error:
            raise QueueUnavailableError(error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise QueueUnavailableError(type(error).__name__) from error


def _checked(message: Message) -> Message:
    attributes = message.attributes
    texts = [message.body, *attributes, *attributes.values(), *("String" for _ in attributes)]
    if sum(len(text.encode()) for text in texts) > MESSAGE_LIMIT_BYTES:
        raise MessageRefusedError("a message holds at most 1 MiB")
    if not all(texts) or len(attributes) > ATTRIBUTE_LIMIT:
        raise MessageRefusedError("a body and up to 10 attributes, none of them empty")
    delay = min(max(message.delay, 0), DELAY_LIMIT_S)
    return Message(message.url, message.body, delay, attributes)
