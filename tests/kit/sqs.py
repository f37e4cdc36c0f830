"""SQS in this process, as far as the command line uses it: thousands of messages in no time."""

from __future__ import annotations

from itertools import islice
from typing import Any


class MemorySqs:
    """Queues by address; a message that was received is out of sight until it is put back.

    Arguments have the names boto3 gives them.
    """

    def __init__(self) -> None:
        self._queues: dict[str, dict[str, dict[str, Any]]] = {}
        self._hidden: set[str] = set()
        self._sent = 0

    def send_message(self, **asked: Any) -> dict[str, str]:
        self._sent += 1
        name = f"message-{self._sent:08}"
        message = {"MessageId": name, "ReceiptHandle": name, "Body": asked["MessageBody"]}
        message["Attributes"] = {"SentTimestamp": str(1_700_000_000_000 + self._sent)}
        message["MessageAttributes"] = asked.get("MessageAttributes", {})
        self._queues.setdefault(asked["QueueUrl"], {})[name] = message
        return {"MessageId": name}

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        messages = self._queues.get(asked["QueueUrl"], {}).items()
        seen = (message for name, message in messages if name not in self._hidden)
        found = list(islice(seen, asked.get("MaxNumberOfMessages", 1)))
        self._hidden |= {message["MessageId"] for message in found}
        return {"Messages": found} if found else {}

    def delete_message(self, **asked: Any) -> None:
        self._queues.get(asked["QueueUrl"], {}).pop(asked["ReceiptHandle"], None)
        self._hidden.discard(asked["ReceiptHandle"])

    def change_message_visibility(self, **asked: Any) -> None:
        self._hidden.discard(asked["ReceiptHandle"])

    def take(self, url: str) -> list[str]:
        """Bodies of the messages of a queue, in the order they were sent; it is empty then."""
        return [message["Body"] for message in self._queues.pop(url, {}).values()]
