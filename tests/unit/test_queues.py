from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from fizzbridge.queues import (
    MemoryQueue,
    Message,
    MessageRefusedError,
    QueueUnavailableError,
    SqsQueue,
)


class Client:
    def __init__(self, error=None):
        self.error = error
        self.sent = []

    def send_message(self, **request):
        if self.error:
            raise self.error
        self.sent.append(request)


def test_messages_are_kept_by_queue():
    queue = MemoryQueue()
    queue.send("a", "1")
    queue.send("b", "2", delay=1000, attributes={"reason": "full"})
    assert queue.sent() == [Message("a", "1"), Message("b", "2", 900, {"reason": "full"})]
    assert queue.sent("a") == queue.take("a") == [Message("a", "1")]
    assert queue.take("a") == []
    assert len(queue.sent()) == 1


def test_a_message_goes_to_sqs():
    client = Client()
    SqsQueue(client).send("url", "body", delay=901, attributes={"reason": "full"})
    assert client.sent == [
        {
            "QueueUrl": "url",
            "MessageBody": "body",
            "DelaySeconds": 900,
            "MessageAttributes": {"reason": {"DataType": "String", "StringValue": "full"}},
        }
    ]


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ("é" * 524_289, {}),
        ("x" * 1_048_576, {"reason": "full"}),
        ("", {}),
        ("x", {"reason": ""}),
        ("x", {f"a{number}": "x" for number in range(11)}),
    ],
    ids=["large", "large with attributes", "empty", "empty attribute", "many attributes"],
)
def test_what_no_queue_takes_is_refused(body, attributes):
    client = Client()
    for queue in (MemoryQueue(), SqsQueue(client)):
        with pytest.raises(MessageRefusedError):
            queue.send("url", body, attributes=attributes)
    assert client.sent == []


def test_the_largest_message_is_taken():
    MemoryQueue().send("url", "x" * 1_048_576)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "SendMessage"),
        ReadTimeoutError(endpoint_url="http://queue"),
    ],
)
def test_a_queue_in_trouble_is_unavailable(error):
    with pytest.raises(QueueUnavailableError):
        SqsQueue(Client(error)).send("url", "body")
