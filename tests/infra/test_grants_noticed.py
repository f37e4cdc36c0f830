"""On the emulator each function's role may make its calls, and none with the right taken away.

The rights come from the deployed templates; permissions are checked as on AWS. What only shows
in a template is in ``grants.TEMPLATE_ONLY``.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.deploy import client, stack_outputs
from infra.local.state import LocalState
from tests.infra.grants import NOTICED
from tests.infra.synthesis import ROOT
from tests.kit.emulator import emulator_missing, free_port

CONNECTIONS = {"webhook": "shop-uk", "pull": "shop-uk", "target": "erp"}
DENIED = {"AccessDenied", "AccessDeniedException"}
PROBE = {"pk": {"S": "probe"}, "sk": {"S": "probe"}}

pytestmark = pytest.mark.skipif(emulator_missing(), reason="needs the emulator: make setup")


def local_command(command, folder, port):
    paths = (str(ROOT / "layers/common/python"), str(ROOT))
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "infra.local", *command],
        cwd=ROOT,
        env=os.environ
        | {
            "FIZZBRIDGE_LOCAL": str(folder),
            "FIZZBRIDGE_PORT": str(port),
            "PYTHONPATH": os.pathsep.join(paths),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The example bridge on an emulator of its own."""
    folder, port = tmp_path_factory.mktemp("stack"), free_port()
    done = local_command(["up", "--bridge", "bridge.example.toml"], folder, port)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield LocalState(**json.loads((folder / "stack.json").read_text()))
    finally:
        local_command(["down"], folder, port)


@dataclass
class Role:
    """A function's role, and the function's own view of the stack."""

    state: LocalState
    function: str
    core: dict[str, str]

    def __post_init__(self):
        connection = CONNECTIONS.get(self.function)
        self.prefix = f"fizzbridge-local-{connection}" if connection else "fizzbridge-local"
        found = client(self.state, "lambda").get_function_configuration(
            FunctionName=f"{self.prefix}-{self.function}"
        )
        self.environment = found["Environment"]["Variables"]
        self.arn = found["Role"]
        self.name = self.arn.rsplit("/", 1)[1]

    def client(self, service):
        given = client(self.state, "sts").assume_role(RoleArn=self.arn, RoleSessionName="probe")
        keys = given["Credentials"]
        return boto3.client(
            service,
            endpoint_url=self.state.endpoint,
            region_name=self.state.region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def queue(self, resource):
        """Return a queue's name; the sweep may use all, for example a target's."""
        name = resource.removeprefix("queue ")
        return "fizzbridge-local-erp-documents" if name == "*" else f"{self.prefix}-{name}"


def _table(role, call, **arguments):
    getattr(role.client("dynamodb"), call)(TableName=role.core["TableName"], **arguments)


def _query(role, resource):
    index = resource.partition("/index/")[2]
    key = {"": "pk", "behind": "behind_shard", "cause": "cause"}[index]
    arguments = {"IndexName": index} if index else {}
    values = {":p": {"S": "probe"}}
    condition = f"{key} = :p"
    _table(
        role,
        "query",
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
        **arguments,
    )


def _secret(role, resource):
    name = f"FIZZBRIDGE_{resource.split()[1].upper()}_SECRET"
    role.client("secretsmanager").get_secret_value(SecretId=role.environment[name])


def _put_off(role, resource):
    sqs = role.client("sqs")
    address = f"{role.state.endpoint}/{role.state.account}/{role.queue(resource)}"
    sqs.change_message_visibility(QueueUrl=address, ReceiptHandle="none", VisibilityTimeout=1)


def _send(role, resource):
    # Never to a queue that somebody reads.
    address = f"{role.state.endpoint}/{role.state.account}/{role.queue(resource)}"
    role.client("sqs").send_message(QueueUrl=address, MessageBody="{}", DelaySeconds=900)


CALLS = {
    "dynamodb:GetItem": lambda role, _: _table(role, "get_item", Key=PROBE),
    "dynamodb:PutItem": lambda role, _: _table(role, "put_item", Item=PROBE),
    "dynamodb:UpdateItem": lambda role, _: _table(role, "update_item", Key=PROBE),
    "dynamodb:Query": _query,
    "events:PutEvents": lambda role, _: role.client("events").put_events(
        Entries=[
            {
                "Source": "probe",
                "DetailType": "probe",
                "Detail": "{}",
                "EventBusName": role.core["BusName"],
            }
        ]
    ),
    "s3:GetObject": lambda role, _: role.client("s3").get_object(
        Bucket=role.core["BucketName"], Key="probe"
    ),
    "s3:PutObject": lambda role, _: role.client("s3").put_object(
        Bucket=role.core["BucketName"], Key="probe", Body=b""
    ),
    "secretsmanager:GetSecretValue": _secret,
    "sqs:ChangeMessageVisibility": _put_off,
    "sqs:GetQueueUrl": lambda role, resource: role.client("sqs").get_queue_url(
        QueueName=role.queue(resource)
    ),
    "sqs:SendMessage": _send,
}


def is_denied(role, grant) -> bool:
    """Return whether the call is refused; what it finds or misses does not matter."""
    try:
        CALLS[grant.action](role, grant.resource)
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False


@pytest.fixture(scope="module")
def roles(stack):
    core = stack_outputs(stack, "fizzbridge-local-core")
    return {name: Role(stack, name, core) for name in {grant.function for grant in NOTICED}}


@pytest.mark.parametrize("grant", sorted(NOTICED), ids="-".join)
def test_a_right_suffices_and_is_missed(stack, roles, grant):
    role = roles[grant.function]
    iam = client(stack, "iam")
    whole = iam.get_role_policy(RoleName=role.name, PolicyName="function")["PolicyDocument"]
    less = json.loads(json.dumps(whole))
    for statement in less["Statement"]:
        actions = statement["Action"]
        listed = actions if isinstance(actions, list) else [actions]
        kept = [action for action in listed if action != grant.action]
        # A statement needs an action; this one gives nothing the probe asks for.
        statement["Action"] = kept or ["iam:GetAccountSummary"]
    assert not is_denied(role, grant)
    policy = {"RoleName": role.name, "PolicyName": "function"}
    try:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(less))
        assert is_denied(role, grant)
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(whole))
