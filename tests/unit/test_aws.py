from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from fizzbridge.aws import aws_client

SENTENCE = "User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: sqs:SendMessage"


@pytest.fixture
def refused(monkeypatch, caplog):
    """Have a call refused; returns the lines logged of it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = aws_client("sqs", deadline_s=1)

    def call(code: str) -> list:
        with Stubber(client) as stub:
            stub.add_client_error("send_message", code, SENTENCE)
            with pytest.raises(ClientError):
                client.send_message(QueueUrl="https://q", MessageBody="{}")
        return caplog.records

    return call


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_a_missing_right_is_named_in_the_log_whatever_the_caller_makes_of_it(refused, code):
    (line,) = refused(code)
    assert (line.levelname, line.message, line.reason) == ("ERROR", "access denied", SENTENCE)


def test_any_other_error_is_the_callers_to_tell(refused):
    assert refused("ServiceUnavailable") == []
