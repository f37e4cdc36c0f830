"""Fixtures of the local AWS emulator and of the fault proxy before it: one of each in a session."""

from __future__ import annotations

import pytest

from fizzbridge.aws import aws_client
from tests.kit.emulator import REGION, emulator, emulator_missing, fault_proxy


@pytest.fixture(scope="session")
def aws_environment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        yield


@pytest.fixture(scope="session")
def aws_address(aws_environment, tmp_path_factory):
    if emulator_missing():
        pytest.fail("the emulator's environment is not installed")
    with emulator(tmp_path_factory.mktemp("emulator") / "log") as address:
        yield address


@pytest.fixture(scope="session")
def faulty_address(aws_address, tmp_path_factory):
    with fault_proxy(aws_address, tmp_path_factory.mktemp("proxy") / "log") as address:
        # Its first call takes a second, longer than the deadlines under test.
        client = aws_client("dynamodb", deadline_s=30, endpoint_url=address)
        client.list_tables()
        client.close()
        yield address


@pytest.fixture(scope="session")
def dynamodb(aws_address):
    client = aws_client("dynamodb", deadline_s=30, endpoint_url=aws_address)
    yield client
    client.close()
