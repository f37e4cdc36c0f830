"""The webhook functions over HTTP, held to what `events/webhooks.openapi.json` says of them.

`make fuzz` sends 1,500 requests to each source; the usual run a few dozen.
"""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import core, given, note, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter
from schemathesis import GenerationMode
from schemathesis.generation.hypothesis import setup
from schemathesis.specs.openapi import checks

from fizzbridge.manifest import load_registry
from fizzbridge.webhook.request import Delivery
from scripts.export_webhooks import FILE, path_of
from tests.contract.test_sources import ROOT, webhook_of
from tests.kit.clock import START
from tests.kit.gateway import Gateway
from tests.kit.source import (
    OLD_SECRET,
    SECRET,
    Source,
    captured_logs,
    fixtures,
    proven,
    proves_any_body,
)

# Schemathesis takes Hypothesis's printer away, and no test of the process could show its example.
setup()
core.RepresentationPrinter = RepresentationPrinter

MANIFESTS = {
    slug: manifest for slug, manifest in load_registry(ROOT).items() if manifest.functions.webhook
}
PLATFORMS = sorted(MANIFESTS)
PROVABLE = [slug for slug in PLATFORMS if proves_any_body(webhook_of(slug))]
# A request over HTTP takes longer than most cases do.
FEWER = settings(max_examples=settings().max_examples // 5)
AS_DESCRIBED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
CANARY = "canary-of-a-person"
OF_A_PERSON = {"email": CANARY, "note": CANARY}
MEDIA = ["application/json", "text/plain", "application/x-www-form-urlencoded", "odd", ""]


@cache
def served(platform):
    """The gateway in front of a source, and the operation that describes it."""
    described = schemathesis.openapi.from_dict(json.loads(FILE.read_text(encoding="utf-8")))
    described.validate()
    path = path_of(platform, MANIFESTS[platform])
    described.app = Gateway(path)
    return described.app, described[path]["POST"]


class Asked:
    """One request: as described or not quite, with a person's data wherever there is room."""

    def __init__(self, platform, data, *, prove, is_down=False):
        self.source = source = Source(webhook_of(platform))
        source.table.is_down = source.queue.is_down = is_down
        gateway, operation = served(platform)
        gateway.answer = lambda event, body: source.receiver.receive(self.sent(event, body, prove))
        case = data.draw(
            st.one_of(
                operation.as_strategy(),
                operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
            )
        )
        headers = {"authorization": CANARY, "cookie": f"who={CANARY}", "x-forwarded-for": CANARY}
        if isinstance(case.body, dict):
            case.body |= OF_A_PERSON
            if data.draw(st.booleans(), label="of a known topic"):
                fixture = data.draw(st.sampled_from(fixtures(platform)))
                headers |= fixture.headers
                case.body |= texts(fixture.body)
        if data.draw(st.booleans(), label="of an odd type"):
            headers["content-type"] = data.draw(st.sampled_from(MEDIA))
        note(repr(case))
        with captured_logs() as logged:
            self.response = case.call(headers=headers, params=OF_A_PERSON)
        case.validate_response(self.response, AS_DESCRIBED)
        self.status, self.logged = self.response.status_code, logged()
        for secret in (CANARY, SECRET, OLD_SECRET):
            assert secret not in self.logged

    def sent(self, event, body, prove):
        self.body = body
        if prove:
            event = proven(self.source.webhook, event, body)
        self.headers = event["headers"]
        return event


def texts(body):
    """The texts at the top of a body, which say what it is about."""
    try:
        shown = json.loads(body)
    except ValueError:
        shown = dict(parse_qsl(body.decode()))
    if not isinstance(shown, dict):
        return {}
    return {name: value for name, value in shown.items() if isinstance(value, str)}


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@FEWER
@given(data=st.data())
def test_what_nobody_proved_is_refused(platform, data):
    asked = Asked(platform, data, prove=False)
    reply = asked.source.webhook.handshake(Delivery(asked.headers, asked.body, START))
    assert asked.status == (reply.status if reply else 401)
    assert asked.response.text == (reply.body if reply else "")
    assert asked.source.table.table.rows() == []
    assert asked.source.messages() == []


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PROVABLE)
@FEWER
@given(data=st.data())
def test_whatever_was_proved_is_kept(platform, data):
    asked = Asked(platform, data, prove=True)
    assert asked.status == (200 if asked.body else 401)
    assert asked.response.text == ""
    names = asked.source.webhook.signature.headers
    assert not any(asked.headers[name] in asked.logged for name in names if name in asked.headers)
    if not asked.body:
        return
    counted, messages = asked.source.counts(), asked.source.messages()
    # Taken in, left for pull, or none of ours: something became of it.
    assert asked.source.table.table.rows() or messages or counted.get("ignored")
    if counted.get("spilled"):
        assert asked.source.objects.get(messages[0]["bucket_key"]) == asked.body


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PROVABLE)
@FEWER
@given(data=st.data())
def test_only_what_cannot_be_kept_is_asked_for_again(platform, data):
    asked = Asked(platform, data, prove=True, is_down=True)
    counted = asked.source.counts()
    if asked.status == 200:
        assert counted.get("ignored")
    elif asked.body:
        assert asked.status == 503
        assert counted["put_off"] == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_too_long_is_turned_away_as_described(platform):
    source = Source(webhook_of(platform))
    gateway, operation = served(platform)
    gateway.answer = lambda event, body: source.receiver.receive(event)
    case = operation.Case(path_parameters={"token": "any"})
    response = case.call(data=bytes(source.config.limits.delivery_bytes + 1))
    case.validate_response(response, AS_DESCRIBED)
    assert response.status_code == 413
