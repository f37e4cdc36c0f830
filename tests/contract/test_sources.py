"""What every source must do, run once over the registry: a new platform adds fixtures, no tests."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel
from syrupy.extensions.json import JSONSnapshotExtension

from fizzbridge.manifest import load_registry
from fizzbridge.observation import Enquiry, Farewell, Hint, Seen
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from tests.kit.source import (
    CONNECTION,
    OLD_SECRET,
    SECRET,
    TOKEN,
    Fixture,
    Source,
    captured_logs,
    fixtures,
    http_event,
    proof_in,
    proves_any_body,
    signed,
)

ROOT = Path(__file__).parents[2]
PLATFORMS = sorted(
    slug for slug, manifest in load_registry(ROOT).items() if manifest.functions.webhook
)
AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
UNDECLARED = {
    "bigcommerce": {
        "store/order/archived",
        "store/order/message/created",
        "store/hook/deliveryException",
        "store/product/deleted",
        "store/channel/1/inventory/product/low_stock_reached",
        "store/channel/1/inventory/product/out_of_stock_reached",
    },
    "business_central": {
        *("accounts", "companyInformation", "countriesRegions", "currencies", "dimensions"),
        *("customerPaymentJournals", "employees", "generalLedgerEntries", "itemCategories"),
        *("journals", "paymentMethods", "paymentTerms", "purchaseInvoices", "salesQuotes"),
        *("shipmentMethods", "unitsOfMeasure", "vendors"),
        # Of what names nothing, and of what only asks whether somebody listens.
        "",
    },
    "lightspeed": {
        "register_closure.create",
        "consignment.send",
        "consignment.receive",
    },
    "quickbooks": {
        *("qbo.account", "qbo.bill", "qbo.class", "qbo.currency", "qbo.department"),
        *("qbo.estimate", "qbo.paymentmethod", "qbo.taxagency", "qbo.term", "Estimate", "Vendor"),
        # Of a test that tells of nothing.
        "",
    },
    # The empty one is the intent to receive.
    "xero": {"SUBSCRIPTION", ""},
}
"""Topics with a fixture that we leave alone: what a shop may be subscribed to beside ours."""


def webhook_of(platform):
    return importlib.import_module(f"platforms.{platform}.webhook").handler.adapter


def delivery(fixture):
    return Delivery.from_event(http_event(fixture.headers, fixture.body), AT)


def told_by(webhook, fixture):
    """What a genuine delivery tells."""
    shown = delivery(fixture)
    if not proves_any_body(webhook):
        shown = webhook.proven(Delivery.from_event(fixture.event(webhook), AT), [SECRET])
    return read(webhook, shown, CONNECTION)


CASES = [
    pytest.param(platform, fixture, id=f"{platform}-{fixture.name}")
    for platform in PLATFORMS
    for fixture in fixtures(platform)
]


def known(platform, fixture):
    return topic(platform, fixture) in webhook_of(platform).routes


def topic(platform, fixture):
    return webhook_of(platform).topic(delivery(fixture))


KNOWN = [case for case in CASES if known(*case.values)]


@pytest.fixture(params=PLATFORMS)
def source(request):
    return Source(webhook_of(request.param))


def is_shown(one):
    return isinstance(one, Seen) and one.body is not None


@pytest.fixture
def golden(source):
    """A delivery that shows an entity, or names one where the platform's show none."""
    webhook = source.webhook
    told = [
        (fixture, list(told_by(webhook, fixture) or ())) for fixture in fixtures(webhook.platform)
    ]
    shows = [one for one, seen in told if any(map(is_shown, seen))]
    return (shows or [one for one, seen in told if seen])[0]


@pytest.fixture
def showing(source, golden):
    """The same, of platforms whose deliveries show entities; the others only name them."""
    told = told_by(source.webhook, golden)
    if not any(map(is_shown, told)):
        pytest.skip(f"deliveries of {source.webhook.platform} name entities and show none")
    return golden


def took(source):
    """What came of a delivery: merged parts, or hints."""
    return source.parts() or source.messages()


@pytest.mark.parametrize(("platform", "fixture"), KNOWN)
def test_every_fixture_becomes_what_was_agreed(platform, fixture, snapshot):
    told = told_by(webhook_of(platform), fixture)
    assert [shown(one) for one in told] == snapshot(extension_class=JSONSnapshotExtension)


def shown(one):
    if isinstance(one, Hint):
        return {"hint": one.what, "id": one.external_id}
    if isinstance(one, Enquiry):
        return {"enquiry": str(one.customer)}
    if isinstance(one, Farewell):
        return {"farewell": one.host}
    return {
        "entity": str(one.ref),
        "part": str(one.part),
        "parent": str(one.parent) if one.parent else None,
        "changed": one.changed.isoformat() if one.changed else None,
        "refetch": one.refetch.what if one.refetch else None,
        "body": one.body.model_dump(mode="json", exclude_defaults=True) if one.body else None,
    }


@pytest.mark.parametrize(("platform", "fixture"), KNOWN)
def test_every_fixture_is_taken_in_at_once(platform, fixture):
    source = Source(webhook_of(platform))
    assert source.deliver(fixture.event(source.webhook)) == 200
    told = told_by(source.webhook, fixture)
    assert {f"{one.ref}/PART#{one.part}" for one in told if isinstance(one, Seen)} == set(
        source.parts()
    )
    hints = [(m["what"], m["id"]) for m in source.messages() if m["type"] == "hint"]
    assert hints == [(one.what, one.external_id) for one in told if isinstance(one, Hint)]
    assert "spilled" not in source.counts()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_topics_and_fixtures_are_the_same_set(platform):
    told = {topic(platform, fixture) for fixture in fixtures(platform)}
    assert told - UNDECLARED.get(platform, set()) == set(webhook_of(platform).routes)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_field_the_mapping_reads_occurs_in_a_fixture(platform):
    webhook = webhook_of(platform)
    for wire in {route.wire for route in webhook.routes.values()}:
        bodies = [
            webhook.content(delivery(fixture))
            for fixture in fixtures(platform)
            if (route := webhook.routes.get(topic(platform, fixture))) and route.wire is wire
        ]
        assert list(missing(wire, bodies)) == []


def missing(wire, bodies):
    """Fields of a wire model that no body has, by path."""
    for name, field in wire.model_fields.items():
        key = field.validation_alias or name
        values = [body[key] for body in bodies if isinstance(body, dict) and key in body]
        if not values:
            yield f"{wire.__name__}.{key}"
        inner = model_in(field.annotation)
        flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
        if inner and any(isinstance(one, dict) for one in flat):
            yield from missing(inner, flat)


def model_in(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (model_in(one) for one in getattr(annotation, "__args__", ()))
    return next((one for one in found if one), None)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_webhook_function_loads_nothing_it_does_not_need(platform):
    program = f"import sys, platforms.{platform}.webhook; print(*sys.modules)"
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run(  # noqa: S603  # our own interpreter and text
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    ).stdout.split()
    unwanted = "httpx boto3 fizzbridge.http fizzbridge.runtime.converge fizzbridge.runtime.assess"
    assert not {*unwanted.split(), f"platforms.{platform}.pull"} & set(loaded)
    assert "fizzbridge.webhook.receive" in loaded


def tampered(fixture):
    return fixture.body.replace(b"1", b"2", 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda proof: None,
        lambda proof: "",
        lambda proof: proof[:-2],
        lambda proof: proof.swapcase(),
        lambda proof: f"{proof},{proof}",
        lambda proof: f" {proof}",
        lambda proof: f"{proof}\n",
        lambda proof: "é" * len(proof),
        lambda proof: "\ud800",
        lambda proof: base64.b64encode(proof.encode()).decode(),
    ],
    ids=[
        "missing",
        "empty",
        "cut",
        "case",
        "twice",
        "blank",
        "line",
        "accent",
        "surrogate",
        "again",
    ],
)
def test_f36_a_proof_that_is_not_quite_right_is_refused(source, golden, spoil):
    event = golden.event(source.webhook)
    fields, name = proof_in(source.webhook, event)
    proof = spoil(fields.pop(name))
    if proof is not None:
        fields[name] = proof
    assert source.deliver(event) == 401
    assert source.parts() == {}
    assert source.messages() == []
    assert source.counts() == {"received": 1, "rejected": 1}


def test_f36_a_tampered_body_is_refused(source, golden):
    if not source.webhook.signature.headers:
        pytest.skip(f"{source.webhook.platform} signs nothing: what it tells is read back")
    event = http_event(signed(source.webhook, golden.headers, golden.body), tampered(golden))
    assert source.deliver(event) == 401


def test_f36_an_empty_body_is_refused(source, golden):
    event = http_event(signed(source.webhook, golden.headers, b""), b"")
    assert source.deliver(event) == 401


def test_f38_another_connections_secret_is_refused(source, golden):
    assert source.deliver(golden.event(source.webhook, "somebody else's")) == 401


def test_f37_the_secret_before_the_newest_is_still_good(source, golden):
    assert source.deliver(golden.event(source.webhook, OLD_SECRET)) == 200
    assert took(source)


def test_f37_a_secret_rotated_a_moment_ago_is_read_anew(source, golden):
    assert source.deliver(golden.event(source.webhook)) == 200
    source.secrets["signing"] = json.dumps({"active": ["brand-new", SECRET]})
    assert source.deliver(golden.event(source.webhook, "brand-new")) == 200


def test_f37_a_retired_secret_is_dead_within_five_minutes(source, golden):
    assert source.deliver(golden.event(source.webhook, OLD_SECRET)) == 200
    source.secrets["signing"] = json.dumps({"active": [SECRET]})
    source.clock.advance(300)
    late = golden.event(source.webhook, OLD_SECRET, source.clock())
    assert source.deliver(late) == 401


def test_f36_a_body_in_base64_is_verified_as_it_was_sent(source, golden):
    headers = signed(source.webhook, golden.headers, golden.body)
    assert source.deliver(http_event(headers, golden.body, encoded=True)) == 200
    assert took(source)
    broken = http_event(headers, golden.body, encoded=True) | {"body": "%%%"}
    assert source.deliver(broken) == 401


def test_f38_a_duplicate_merges_to_nothing(source, golden):
    for _ in range(2):
        assert source.deliver(golden.event(source.webhook)) == 200
    once = source.content()
    counts = source.counts()
    source.clock.advance(7 * 24 * 3600)
    again = golden.event(source.webhook, at=source.clock())
    assert source.deliver(again) == 200
    assert source.content() == once
    assert counts.get("merged", 0) == len(once)
    assert set(source.counts()) <= {"received", "equal", "ignored", "hinted"}


def test_an_unknown_topic_is_acknowledged_and_counted(source, golden):
    said = source.webhook.topic(delivery(golden))
    headers = {
        key: "parties/thrown" if value == said else value for key, value in golden.headers.items()
    }
    body = golden.body
    if headers == dict(golden.headers):
        body = body.replace(said.encode(), b"parties.thrown", 1)
        assert body != golden.body
    other = Fixture("other", headers, body)
    assert source.deliver(other.event(source.webhook)) == 200
    assert source.counts() == {"received": 1, "ignored": 1}
    assert source.parts() == {}
    assert source.messages() == []


def test_a_failed_merge_is_spilled_and_acknowledged(source, showing):
    source.table.is_down = True
    assert source.deliver(showing.event(source.webhook)) == 200
    (message,) = source.messages()
    assert message["type"] == "delivery"
    assert source.objects.get(message["bucket_key"]) == showing.body
    assert not set(message["headers"]) & set(source.webhook.signature.headers)
    assert source.counts()["spilled"] == 1


def test_only_when_nothing_can_be_kept_the_vendor_is_asked_to_send_again(source, golden):
    source.table.is_down = source.queue.is_down = True
    assert source.deliver(golden.event(source.webhook)) == 503
    assert source.counts() == {"received": 1, "put_off": 1}


def test_without_a_secret_the_vendor_is_asked_to_send_again(source, golden):
    del source.secrets["signing"]
    assert source.deliver(golden.event(source.webhook)) == 503
    assert source.messages() == []


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"null", b"{}", b'{"id": NaN}', b"[" * 5000, b"\xff\xfe", b"7"]
)
def test_what_cannot_be_read_is_kept_and_acknowledged(source, golden, body):
    if not proves_any_body(source.webhook):
        pytest.skip(f"what cannot be read proves nothing at {source.webhook.platform}")
    if body in [one.body for one in fixtures(source.webhook.platform)]:
        pytest.skip(f"{source.webhook.platform} does send {body.decode()}")
    headers = signed(source.webhook, golden.headers, body)
    assert source.deliver(http_event(headers, body, encoded=True)) == 200
    assert len(source.messages()) == 1
    assert source.counts() == {"received": 1, "spilled": 1}


def test_a_body_above_the_limit_is_refused(source, golden):
    limits = source.config.limits.model_copy(update={"delivery_bytes": len(golden.body) - 1})
    small = Source(source.webhook, config=source.config.model_copy(update={"limits": limits}))
    assert small.deliver(golden.event(small.webhook)) == 413


@pytest.mark.parametrize(("platform", "fixture"), KNOWN)
def test_logs_and_metrics_hold_nothing_secret_or_personal(platform, fixture):
    source = Source(webhook_of(platform))
    event = fixture.event(source.webhook)
    spoiled = fixture.event(source.webhook, "somebody else's")
    with captured_logs() as text:
        source.deliver(event)
        source.deliver(spoiled)
        source.table.is_down = True
        source.deliver(event)
    source.metrics.flush()
    written = text() + "".join(source.emf)
    assert '"topic"' in written
    fields, name = proof_in(source.webhook, event)
    proof = fields[name]
    for secret in (SECRET, OLD_SECRET, TOKEN, proof, *personal(content(platform, fixture))):
        assert secret not in written


def content(platform, fixture):
    return webhook_of(platform).content(delivery(fixture))


PERSONAL = "mail phone address name company city zip note street first last".split()


def personal(value, key=""):
    """Texts under keys that name something of a person."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from personal(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from personal(inner, key)
    elif isinstance(value, str) and len(value) > 3 and any(word in key for word in PERSONAL):
        yield value


def test_a_tie_is_settled_by_asking_the_platform(source, showing):
    """Two deliveries of one second that differ: neither wins by itself."""
    del showing
    first, second = tie(source.webhook)
    assert source.deliver(first.event(source.webhook)) == 200
    merged = source.content()
    source.queue.take("https://sqs.test/pull")
    assert source.deliver(second.event(source.webhook)) == 200
    assert source.content() == merged
    assert source.counts()["tied"] == 1
    (told,) = [
        one
        for one in read(source.webhook, delivery(second), CONNECTION)
        if isinstance(one, Seen) and one.changed
    ]
    asked = [(message["what"], message["id"]) for message in source.messages()]
    assert (told.refetch.what, told.refetch.external_id) in asked


def tie(webhook):
    """Two deliveries of one second, of a topic that shows what it tells of."""
    pairs = {}
    for fixture in fixtures(webhook.platform):
        name, _, end = fixture.name.rpartition("__")
        if end in {"tie_first", "tie_second"}:
            pairs.setdefault(name, []).append(fixture)
    return next(
        pair
        for _, pair in sorted(pairs.items(), reverse=True)
        if any(map(is_shown, read(webhook, delivery(pair[1]), CONNECTION) or ()))
    )
