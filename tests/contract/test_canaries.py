"""I5: a person's data, keys and secrets of every platform's whole way, and where they turn up.

``tests/unit/runtime/test_personal_data.py`` is about our own records; here the vendors' own bodies
and answers are driven through their adapters.
"""

from __future__ import annotations

import json
from collections import Counter
from xml.sax.saxutils import escape

import httpx
import pytest

from fizzbridge.observability import Metrics
from fizzbridge.observation import Seen
from fizzbridge.runtime.facts import facts
from fizzbridge.runtime.worker import Worker
from services.announce import entry
from tests.contract.test_sources import PLATFORMS, webhook_of
from tests.kit import canaries
from tests.kit.between import BOOKED, READ, Read, close_breaker, told
from tests.kit.canaries import CANARIES, found_in, planted
from tests.kit.house import customer_ref, order_ref
from tests.kit.source import (
    OLD_SECRET,
    SECRET,
    TOKEN,
    Fixture,
    Source,
    captured_logs,
    fixtures,
    proof_in,
    proves_any_body,
)


def bodies(platform):
    """The platform's deliveries with a person in them, and as many that break off in the middle."""
    webhook = webhook_of(platform)
    for fixture in fixtures(platform):
        try:
            body = json.dumps(planted(json.loads(fixture.body)), separators=(",", ":")).encode()
        except ValueError:
            body = fixture.body
        yield Fixture(fixture.name, fixture.headers, body), True
        if proves_any_body(webhook):
            yield Fixture(fixture.name, fixture.headers, body[: len(body) * 4 // 5]), False


def everything(source, logged):
    """All a connection has said and kept, but what a person's data may be in."""
    source.metrics.flush()
    rows = list(source.table.table.rows())
    events = [entry(fact) for row in rows for fact in facts(None, row, source.objects)]
    return {
        "logs": logged,
        "metrics": "".join(source.emf),
        "queues": "".join(map(repr, source.queue.sent())),
        "rows": "".join(repr(row) for row in rows if not str(row["sk"]).startswith("PART#")),
        "keys": "".join(f"{row['pk']}{row['sk']}" for row in rows),
        "events": "".join(map(repr, events)),
        "objects": "".join(sorted(map(str, source.objects.keys()))),
    }


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_a_delivery_tells_of_a_person_is_said_or_kept_elsewhere(platform, record_property):
    webhook = webhook_of(platform)
    told_of, driven = Counter(), 0
    pull = Read(platform).adapter
    for fixture, _ in bodies(platform):
        source = Source(webhook, pull)
        event = fixture.event(webhook)
        proof = proof_of(webhook, event)
        with captured_logs() as logged:
            source.deliver(event)
            source.deliver(fixture.event(webhook, "somebody else's"))
            source.table.is_down = True
            source.deliver(fixture.event(webhook, OLD_SECRET))
            source.table.is_down = False
            for message in source.queue.sent("https://sqs.test/pull"):
                body = json.loads(message.body)
                if body["type"] == "delivery":
                    source.work(body)
        driven += 1
        kept = "".join(repr(row) for row in source.table.table.rows()) + "".join(
            data.decode("utf-8", "replace") for data in stored(source)
        )
        told_of.update(one for one in CANARIES if one in kept)
        secrets = (SECRET, OLD_SECRET, TOKEN, *([proof] if proof else []))
        assert found_in(everything(source, logged()), *secrets) == [], fixture.name
    record_property("driven", str(driven))
    record_property("canaries_kept", str(told_of.total()))


def stored(source):
    """What is in the bucket."""
    keys = source.objects.keys()
    return [source.objects.get(key) for key in keys]


def proof_of(webhook, event):
    """What proves a delivery; nothing where there is nothing to prove."""
    try:
        fields, name = proof_in(webhook, event)
        return fields[name]
    except (IndexError, KeyError, ValueError):
        return ""


def test_the_deliveries_that_show_people_do_show_the_canaries():
    """Or the test above would find nothing because nothing was planted."""
    for platform in ("shopify", "woocommerce"):
        shown = "".join(fixture.body.decode() for fixture, _ in bodies(platform))
        assert not {*CANARIES} - {canaries.VAT} - {one for one in CANARIES if one in shown}


def test_a_quarantined_delivery_is_kept_apart():
    """Whatever broke off is in the bucket, and its row says where and no more."""
    platform = "shopify"
    webhook = webhook_of(platform)
    fixture = next(one for one, is_whole in bodies(platform) if not is_whole)
    source = Source(webhook, Read(platform).adapter)
    assert source.deliver(fixture.event(webhook)) == 200
    source.drain()
    (row,) = [r for r in source.table.table.rows() if str(r["sk"]).startswith("QUARANTINE#")]
    assert found_in([repr(row)]) == []
    assert fixture.body in stored(source)
    assert len(source.messages("https://sqs.test/dlq")) == 1


# -- answers that quote us -------------------------------------------------------------------------


def shapes(errors):
    """Answers with a sentence wherever the platform's are looked for."""
    for path in (*errors.message_at, *errors.code_at):
        yield lambda said, path=path: at(path.split("."), said)
    yield lambda said: f"<html>{said}</html>"


def at(steps, said):
    """A body that says it there."""
    if not steps:
        return said
    inner = at(steps[1:], said)
    return [inner] if steps[0].isdigit() else {steps[0]: inner}


def fault(said):
    """The same in SOAP."""
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        "<soapenv:Body><soapenv:Fault><faultcode>soapenv:Client</faultcode>"
        f"<faultstring>{escape(said)}</faultstring></soapenv:Fault></soapenv:Body>"
        "</soapenv:Envelope>"
    )


STATUSES = (400, 401, 403, 409, 422, 500, 503)


def quoting(secrets, errors):
    """A vendor that says no, and quotes what it was told."""
    number = 0
    ways = list(shapes(errors))

    def spoil(request, response):
        nonlocal number
        text = request.content.decode("utf-8", "replace")
        sent = f"{text} {request.url} {unescaped(text)}"
        quoted = [one for one in CANARIES if one in sent]
        quoted += [one for one in (canaries.FIRST, canaries.LAST) if f'"{one}"' in sent]
        quoted += [one for one in secrets if one in f"{sent}{request.headers}"]
        quoted += [value for name, value in request.headers.items() if name == "authorization"]
        said = f"not allowed here: {quoted[number % len(quoted)]}" if quoted else "not allowed here"
        shape = ways[number % len(ways)](said)
        status = STATUSES[(number // 3) % len(STATUSES)]
        number += 1
        if errors.media == "xml":
            xml = {"Content-Type": "text/xml"}
            return httpx.Response(status, text=fault(said), headers=xml)
        if isinstance(shape, str):
            return httpx.Response(status, html=shape, headers={"X-Request-Id": "r-1"})
        return httpx.Response(status, json=shape)

    return spoil


def unescaped(text):
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


@pytest.mark.parametrize("platform", BOOKED)
def test_a_vendor_that_quotes_what_it_was_told_is_not_quoted(platform, record_property):
    house = told(platform)
    house.observe(Seen(customer_ref(), canaries.BUYER, None))
    house.order(second=3, **canaries.ORDERED)
    house.assess()
    lines, errors = [], []
    house.worker = Worker(
        house.adapter,
        house.connection,
        house.converge,
        house.worker._breaker,  # the same, with lines to read
        lambda ref, outcome, event: errors.append((str(ref), repr(outcome), event)),
        Metrics(lines.append),
    )
    secrets = list(house.secret.values())
    answers = 0
    with captured_logs() as logged:
        # First the calls go through up to one, then to the next: every call is quoted by and by.
        for first in range(12):
            count = 0
            spoil = quoting(secrets, house.adapter.errors)

            def between(request, response, first=first, spoil=spoil):
                nonlocal count, answers
                count += 1
                if count <= first or "form" in request.headers.get("content-type", ""):
                    return response  # or a token, which is asked for by itself
                answers += 1
                return spoil(request, response)

            house.transport.spoil = between
            for _ in range(4):
                house.work(order_ref())
                for entity in (order_ref(), customer_ref()):
                    if house.link(entity):
                        house.redrive(entity)
                house.clock.advance(400)
                close_breaker(house.rows, "erp")
        house.worker._metrics.flush()
    rows = [row for row in house.rows.rows() if not str(row["sk"]).startswith("PART#")]
    texts = {
        "logs": logged(),
        "metrics": "".join(lines),
        "parked": "".join(map(repr, errors)),
        "outcomes": "".join(map(repr, house.outcomes)),
        "rows": "".join(map(repr, rows)),
        "events": "".join(map(repr, house.events)),
        "queues": "".join(map(repr, house.queue.sent())),
    }
    assert answers >= 8
    assert "not allowed here" in texts["rows"] + texts["parked"]
    assert found_in(texts, *secrets) == []
    record_property("answers", str(answers))


@pytest.mark.parametrize("platform", READ)
def test_what_a_vendor_quotes_of_our_keys_while_it_is_read_is_not_quoted(platform):
    read = Read(platform)
    read.between.spoil = quoting(read.secret.values(), read.puller._adapter.errors)
    raised = []
    with captured_logs() as logged:
        for _ in range(3):
            for stream in read.streams:
                try:
                    read.poll(stream, receives=5)
                except Exception as error:  # noqa: BLE001  # whatever it is, its text is looked at
                    raised.append(repr(error))
                read.clock.advance(30)
    rows = [row for row in read.rows.rows() if not str(row["sk"]).startswith("PART#")]
    texts = {
        "logs": logged(),
        "raised": "".join(raised),
        "rows": "".join(map(repr, rows)),
        "queues": "".join(map(repr, read.queue.sent())),
    }
    secret = "".join(read.secret.values())
    assert secret
    leaks = [one for one in read.secret.values() if one in "".join(texts.values())]
    assert leaks == []
