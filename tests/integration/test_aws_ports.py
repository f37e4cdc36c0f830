from __future__ import annotations

import uuid

import pytest

from fizzbridge.aws import aws_client
from fizzbridge.bus import Entry, EventBridgeBus
from fizzbridge.queues import SqsQueue
from fizzbridge.secrets import secrets_manager
from fizzbridge.state.bodies import pack, unpack
from fizzbridge.state.objects import ObjectMissingError, ObjectsUnavailableError, S3Objects

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def client_of(aws_address):
    clients = []

    def make(service):
        clients.append(aws_client(service, deadline_s=30, endpoint_url=aws_address))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def objects(client_of):
    client, bucket = client_of("s3"), f"bodies-{uuid.uuid4().hex}"
    client.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return S3Objects(client, bucket)


def test_an_object_is_stored_once(objects):
    objects.put("bodies/a", b"first")
    objects.put("bodies/a", b"second")
    assert objects.get("bodies/a") == b"first"


def test_a_missing_object_is_told(objects):
    with pytest.raises(ObjectMissingError):
        objects.get("bodies/none")


def test_a_missing_bucket_is_unavailable(client_of):
    nowhere = S3Objects(client_of("s3"), f"none-{uuid.uuid4().hex}")
    with pytest.raises(ObjectsUnavailableError):
        nowhere.get("bodies/a")
    with pytest.raises(ObjectsUnavailableError):
        nowhere.put("bodies/a", b"")


def test_a_large_body_lies_in_the_bucket(objects):
    text = "".join(f"{uuid.uuid4().hex}é" for _ in range(5000))
    row = pack(text, objects)
    assert list(row) == ["body_ref"]
    assert unpack(dict(row), objects) == text


def test_a_message_arrives_with_its_attributes(client_of):
    sqs = client_of("sqs")
    url = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    SqsQueue(sqs).send(url, "ärger", attributes={"reason": "full"})
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == "ärger"
    assert message["MessageAttributes"]["reason"]["StringValue"] == "full"


def test_events_are_taken_by_the_bus(client_of):
    events, name = client_of("events"), uuid.uuid4().hex
    events.create_event_bus(Name=name)
    EventBridgeBus(events, name).put(
        [Entry("fizzbridge.shop", "OrderPlaced", '{"key": "a"}') for _ in range(11)]
    )


def test_a_secret_is_read_by_name(client_of):
    manager, name = client_of("secretsmanager"), f"/fizzbridge/test/{uuid.uuid4().hex}"
    manager.create_secret(Name=name, SecretString='{"active": ["one"]}')
    fetch = secrets_manager(manager)
    assert fetch(name) == '{"active": ["one"]}'
    with pytest.raises(KeyError):
        fetch("/fizzbridge/test/none")
