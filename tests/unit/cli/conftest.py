"""A deployed bridge in memory, and the command run against it."""

import json
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import app
from cli.stack import CommandError, Stack
from fizzbridge.manifest import load_registry
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.objects import MemoryObjects

ROOT = Path(__file__).resolve().parents[3]
WHERE = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
QUEUES = ["assess", "record", "erp-documents", "erp-levels", "shop-uk-pull"]


@pytest.fixture
def stack():
    with mock_aws():
        sqs = boto3.client("sqs", **WHERE)
        secrets = boto3.client("secretsmanager", **WHERE)
        dead = {
            name: _queue(sqs, f"{name}-dlq") for name in ("assess", "record", "rules", "erp")
        } | {"shop-uk": _queue(sqs, "shop-uk-dlq")}
        live = {name: _queue(sqs, name) for name in QUEUES}
        for name in ("shop-uk/signing", "shop-uk/api", "erp/api"):
            secrets.create_secret(Name=f"/fizzbridge/test/{name}", SecretString="as generated")
        yield Stack(
            stage="test",
            core={
                "ApiUrl": "https://api.example",
                "DashboardName": "fizzbridge-test",
                "AssessQueueUrl": live["assess"],
                "RecordQueueUrl": live["record"],
                "AssessDlqUrl": dead["assess"],
                "RecordDlqUrl": dead["record"],
                "RuleDlqUrl": dead["rules"],
            },
            connections={
                "erp": {
                    "Platform": "odoo",
                    "DocumentsQueueUrl": live["erp-documents"],
                    "LevelsQueueUrl": live["erp-levels"],
                    "DlqUrl": dead["erp"],
                    "ApiSecretName": "/fizzbridge/test/erp/api",
                },
                "shop-uk": {
                    "Platform": "shopify",
                    "WebhookUrl": "https://api.example/webhooks/shop-uk",
                    "PullQueueUrl": live["shop-uk-pull"],
                    "DlqUrl": dead["shop-uk"],
                    "SigningSecretName": "/fizzbridge/test/shop-uk/signing",
                    "ApiSecretName": "/fizzbridge/test/shop-uk/api",
                },
            },
            table=MemoryTable(),
            objects=MemoryObjects(),
            sqs=sqs,
            secrets=secrets,
            manifests=load_registry(ROOT),
        )


def _queue(sqs, name):
    return sqs.create_queue(QueueName=f"fizzbridge-test-{name}")["QueueUrl"]


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out)


@pytest.fixture
def fizzbridge(stack):
    """Run the command; the stack it opens is the one in memory."""

    def opener(stage):
        if stage not in {None, "test"}:
            raise CommandError(f"Nothing is deployed as fizzbridge-{stage}-core in this account.")
        return stack

    def run(*arguments, typed=None):
        result = CliRunner().invoke(app, [str(one) for one in arguments], obj=opener, input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def messages(stack):
    """What waits in a queue, taken out."""

    def taken(url):
        found = []
        while batch := stack.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in batch:
                stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found

    return taken
