"""The cartridge signs as the bridge verifies."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fizzbridge.webhook.request import Delivery
from platforms.sfcc.webhook import SfccWebhook

ROOT = Path(__file__).parents[3]
NODE = ROOT / ".venv-node" / "bin" / "node"
SCRIPTS = ROOT / "functions/platforms/sfcc/cartridge/int_fizzbridge/cartridge/scripts"
PROGRAM = """
const crypto = require('crypto');
const event = require(process.argv[1]);
const order = {number: '00028011', status: process.argv[2], site: 'FizzUS', changed: new Date(0)};
const body = event.body(order, 'd-1');
const hmac = text => crypto.createHmac('sha256', 'cartridge secret').update(text).digest('hex');
console.log(JSON.stringify({body, headers: event.headers(body, 1793528130, hmac)}));
"""
pytestmark = pytest.mark.skipif(not NODE.exists(), reason="Node is not installed: make setup")


def posted(status):
    program = [str(NODE), "-e", PROGRAM, str(SCRIPTS / "event.js"), status]
    made = subprocess.run(program, capture_output=True, text=True, check=True)  # noqa: S603  our own
    return json.loads(made.stdout)


def delivery(sent):
    headers = {name.lower(): value for name, value in sent["headers"].items()}
    return Delivery(headers, sent["body"].encode(), datetime.fromtimestamp(1793528130, UTC))


@pytest.mark.parametrize(
    ("status", "topic"),
    [
        ("NEW", "order.placed"),
        ("OPEN", "order.changed"),
        ("COMPLETED", "order.changed"),
        ("CANCELLED", "order.cancelled"),
        ("REPLACED", "order.cancelled"),
        ("FAILED", "order.failed"),
        ("SOMETHING_ELSE", "order.changed"),
    ],
)
def test_what_the_cartridge_posts_is_genuine_and_understood(status, topic):
    webhook = SfccWebhook()
    told = delivery(posted(status))
    webhook.signature.verify(told, ("cartridge secret",), told.received_at)
    assert webhook.topic(told) == topic
    assert topic in webhook.routes
    assert webhook.delivery_id(told) == "d-1"
