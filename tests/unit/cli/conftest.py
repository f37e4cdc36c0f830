"""A deployed bridge in memory, and the command run against it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli.main import app
from cli.stack import CommandError, Stack
from fizzbridge.bridge_file import read_catalogue
from fizzbridge.manifest import load_registry
from fizzbridge.model.documents import Payment, SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import DocumentLine, LineType, OrderRequest, Totals
from fizzbridge.model.party import Address, Contact
from fizzbridge.model.version import Timestamp
from fizzbridge.observation import Seen
from fizzbridge.runtime.assess import Assessor
from fizzbridge.runtime.observe import Circumstances, Observer
from fizzbridge.settings import load_bridge_file
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.trade.books import Rules
from fizzbridge.trade.packs import Catalogue

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
            sts=boto3.client("sts", **WHERE),
            manifests=load_registry(ROOT),
            queue_wait_s=0,
            logs=boto3.client("logs", **WHERE),
        )


def _queue(sqs, name):
    return sqs.create_queue(QueueName=f"fizzbridge-test-{name}")["QueueUrl"]


NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
PLACED = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)


@pytest.fixture
def shop(stack):
    """What the shop tells, merged and assessed as the functions do."""
    file = ROOT / "bridge.example.toml"
    bridge = load_bridge_file(file)
    rules = Rules(bridge, Catalogue(read_catalogue(bridge, ROOT)))
    observer = Observer(stack.table, stack.objects, bridge, lambda: NOW)
    assessor = Assessor(stack.table, stack.objects, rules, lambda: NOW)
    return Shop(observer, assessor)


@dataclass
class Shop:
    observer: Observer
    assessor: Assessor

    def tell(self, *seen):
        for number, one in enumerate(seen):
            how = Circumstances(
                NOW, is_authoritative=False, correlation_id=f"d-{number}", source="orders/create"
            )
            self.observer.observe("shop-uk", one, Timestamp(), how)
        self.assessor.run(seen[-1].parent or seen[-1].ref, "test")

    def order(self, number, sku="COLA330-C24", placed_at=PLACED, country="GB"):
        """Place an order of one line over two pounds forty, by Ann Lee."""
        order = ref(Kind.ORDER, "shop-uk", 5500 + number)
        gross = Decimal("2.40")
        line = DocumentLine(
            id="1",
            type=LineType.GOODS,
            sku=sku,
            quantity=2,
            quantity_ordered=2,
            unit_price=Decimal("1.00"),
            amount=Decimal("2.00"),
            tax=Decimal("0.40"),
        )
        body = OrderRequest(
            currency="GBP",
            tax_included=False,
            lines=(line,),
            totals=Totals(net=Decimal("2.00"), tax=Decimal("0.40"), gross=gross),
            number=f"#FZ{1000 + number}",
            placed_at=placed_at,
            changed_at=placed_at,
            shop_currency="GBP",
            presentment_currency="GBP",
            presentment_gross=gross,
            customer=ref(Kind.CUSTOMER, "shop-uk", 77),
            contact=Contact(name="Ann Lee", email="ann@example.com"),
            ship_to=Address(street="1 Low Road", city="Leeds", country=country),
            channel="web",
        )
        self.tell(Seen(order, body, placed_at, Part.REQUEST))
        return order

    def payment(self, order, number=9001):
        ref_of_payment = ref(Kind.PAYMENT, "shop-uk", number)
        payment = Payment(
            order=order,
            amount=Decimal("2.40"),
            currency="GBP",
            at=PLACED,
            status=SettlementStatus.SETTLED,
        )
        self.tell(Seen(ref_of_payment, payment, PLACED, parent=order))
        return ref_of_payment


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def data(self):
        return json.loads(self.out)


@pytest.fixture
def running():
    """Run the command against a stack in memory."""

    def against(stack):
        def opener(stage):
            if stage not in {None, "test"}:
                missing = f"fizzbridge-{stage}-core"
                raise CommandError(f"Nothing is deployed as {missing} in this account.")
            return stack

        def run(*arguments, typed=None):
            words = [str(one) for one in arguments]
            result = CliRunner().invoke(app, words, obj=opener, input=typed)
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return Ran(result.exit_code, result.stdout, result.stderr)

        return run

    return against


@pytest.fixture
def fizzbridge(stack, running):
    """Run the command; the stack it opens is the one in memory."""
    return running(stack)


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
