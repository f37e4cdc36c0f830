"""The script signs as the bridge verifies, and never stands in the way of a save."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fizzbridge.errors import VerificationError
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.netsuite_soap.webhook import NetSuiteSoapWebhook

ROOT = Path(__file__).parents[3]
NODE = ROOT / ".venv-node" / "bin" / "node"
SCRIPT = ROOT / "functions/platforms/netsuite_soap/suitescript/fizzbridge_userevent.js"
SECRET = "script secret"
# NetSuite's modules, as far as the script uses them: its HMACs are in capitals.
PROGRAM = """
const node = require('crypto');
const [file, asked] = process.argv.slice(1);
const given = JSON.parse(asked);
const posted = [], logged = [];
const secrets = {custsecret_fizzbridge: 'script secret'};
const modules = {
    'N/crypto': {
        HashAlg: {SHA256: 'SHA256'},
        createSecretKey: ({secret}) => {
            if (!secrets[secret]) throw Object.assign(new Error(), {name: 'INVALID_SECRET'});
            return secrets[secret];
        },
        createHmac: ({algorithm, key}) => {
            const hmac = node.createHmac(algorithm, key);
            return {
                update: ({input}) => hmac.update(input, 'utf8'),
                digest: ({outputEncoding}) => hmac.digest(outputEncoding).toUpperCase(),
            };
        },
    },
    'N/crypto/random': {generateUUID: () => '6f1f2b66-8c9c-4a39-9d0c-9d8a1d1f6a5e'},
    'N/encode': {Encoding: {UTF_8: 'UTF_8', HEX: 'hex'}},
    'N/https': {post: request => {
        if (given.fails) throw Object.assign(new Error('secret'), {name: given.fails});
        posted.push(request);
        return {code: given.code || 200};
    }},
    'N/log': {error: one => logged.push(one.details)},
    'N/runtime': {getCurrentScript: () => ({getParameter: ({name}) => given.parameters[name]})},
};
global.define = (names, make) => { global.made = make(...names.map(name => modules[name])); };
require(file);
const UserEventType = {CREATE: 'create', EDIT: 'edit', XEDIT: 'xedit', DELETE: 'delete'};
const there = {type: given.type, id: given.id};
const isGone = given.context === 'delete';
const result = global.made.afterSubmit({
    type: given.context,
    UserEventType,
    newRecord: isGone ? null : there,
    oldRecord: isGone ? there : null,
});
const names = Object.keys(global.made);
console.log(JSON.stringify({posted, logged, names, result: result === undefined}));
"""
HOOK = "https://hooks.example.com/webhooks/erp"
PARAMETERS = {
    "custscript_fizzbridge_url": HOOK,
    "custscript_fizzbridge_secret": "custsecret_fizzbridge",
}
pytestmark = pytest.mark.skipif(not NODE.exists(), reason="Node is not installed: make setup")


def run(**given):
    usual = {"parameters": PARAMETERS, "type": "salesorder", "id": 123, "context": "edit"}
    program = [str(NODE), "-e", PROGRAM, str(SCRIPT), json.dumps(usual | given)]
    made = subprocess.run(program, capture_output=True, text=True, check=True)  # noqa: S603  our own
    return json.loads(made.stdout)


def delivery(request):
    headers = {name.lower(): value for name, value in request["headers"].items()}
    at = datetime.fromtimestamp(int(headers["x-fizz-timestamp"]), UTC)
    return Delivery(headers, request["body"].encode(), at)


@pytest.mark.parametrize(
    ("context", "topic"),
    [
        ("create", "record.changed"),
        ("edit", "record.changed"),
        ("xedit", "record.changed"),
        ("delete", "record.deleted"),
    ],
)
def test_what_the_script_posts_is_genuine_and_understood(context, topic):
    webhook = NetSuiteSoapWebhook()
    (request,) = run(context=context, type="invoice")["posted"]
    told = delivery(request)
    assert request["url"] == HOOK
    webhook.signature.verify(told, (SECRET,), told.received_at)
    assert abs(datetime.now(UTC) - told.received_at).total_seconds() < 60
    assert webhook.topic(told) == topic
    assert webhook.delivery_id(told) == "6f1f2b66-8c9c-4a39-9d0c-9d8a1d1f6a5e"
    assert json.loads(told.body) == {
        "event": topic,
        "delivery_id": webhook.delivery_id(told),
        "type": "invoice",
        "id": "123",
    }
    assert read(webhook, told, "erp") == [Hint("invoice", "123")]


def test_another_secret_does_not_prove_it():
    (request,) = run()["posted"]
    told = delivery(request)
    with pytest.raises(VerificationError):
        NetSuiteSoapWebhook().signature.verify(told, ("another",), told.received_at)


@pytest.mark.parametrize(
    ("given", "logged"),
    [
        ({"fails": "SSS_REQUEST_TIME_EXCEEDED"}, ["SSS_REQUEST_TIME_EXCEEDED"]),
        ({"code": 503}, ["answered 503"]),
        ({"parameters": PARAMETERS | {"custscript_fizzbridge_secret": "none"}}, ["INVALID_SECRET"]),
        ({"parameters": {"custscript_fizzbridge_url": HOOK}}, []),
        ({"parameters": {"custscript_fizzbridge_secret": "custsecret_fizzbridge"}}, []),
    ],
)
def test_nothing_that_goes_wrong_stops_a_save(given, logged):
    made = run(**given)
    assert made["logged"] == logged
    assert made["result"]
    assert len(made["posted"]) == (1 if "code" in given else 0)


def test_the_script_runs_after_the_save_alone():
    assert run()["names"] == ["afterSubmit"]
    head = SCRIPT.read_text().partition("*/")[0]
    assert "@NApiVersion 2.1" in head
    assert "@NScriptType UserEventScript" in head
