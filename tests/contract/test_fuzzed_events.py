"""The front door of every source, knocked at with what no vendor sends: nothing breaks, nothing
unproven is taken, nothing proven is lost.

``test_fuzzed_http.py`` asks as the description says or nearly so, and ``test_fuzzed_sources.py``
spoils fixtures; here are the bodies and events that break parsers.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.webhook.request import Delivery
from tests.contract.test_sources import PLATFORMS, webhook_of
from tests.kit.between import Read
from tests.kit.clock import START
from tests.kit.source import (
    SECRET,
    Source,
    captured_logs,
    fixtures,
    http_event,
    proves_any_body,
    signed,
)

PULL_QUEUE, DLQ = "https://sqs.test/pull", "https://sqs.test/dlq"
PROVABLE = [slug for slug in PLATFORMS if proves_any_body(webhook_of(slug))]

TOKENS = {
    "not a number": b"NaN",
    "infinity": b"-Infinity",
    "beyond floats": b"1e999",
    "below floats": b"1e-999",
    "a long exponent": b"1e99999999999999999999",
    "a long number": b"9" * 5000,
    "a very long number": b"1" + b"0" * 200_000,
    "many digits": b"0." + b"3" * 50_000,
    "minus nothing": b"-0",
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "open lists": b"[" * 10_000,
    "lone surrogate": rb'"\ud800"',
    "the wrong way round": rb'"\udc00\ud800"',
    "null in a text": rb'"a\u0000b"',
    "a raw null": b'"a\x00b"',
    "not utf-8": b'"\xff\xfe"',
    "overlong": b'"\xc0\xaf"',
    "a byte order mark": b"\xef\xbb\xbf1",
    "control letters": b'"a\x01\x1fb"',
    "an escape": rb'"\u001b[31m\u202e"',
    "a megabyte": b'"' + b"a" * 1_000_000 + b'"',
    "many keys": b"{" + b",".join(b'"k%d":0' % n for n in range(20_000)) + b"}",
    "one key twice": b'{"id":1,"id":2,"id":null}',
    "odd keys": rb'{"":1,"__proto__":{"a":1},"\ud800":2,"a.b":3,"$ref":"#"}',
    "true": b"true",
    "nothing": b"null",
    "a date there is not": b'"2026-02-30T25:61:61Z"',
    "year nothing": b'"0000-00-00T00:00:00"',
    "a far year": b'"99999-01-01T00:00:00Z"',
    "a template": b'"{{7*7}}${7*7}%s%n{0}"',
    "a query": b'"\' or 1=1 --"',
    "a path": b'"../../../etc/passwd"',
    "an address": b'"http://169.254.169.254/latest/meta-data/"',
    "an empty text": b'""',
    "a long id": b'"' + b"7" * 2_000 + b'"',
    "a hash sign": b'"Order#shop/1#PART"',
}
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "boom">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><z>&a9;</z>"
)
BODIES = {
    "a bomb of entities": BOMB,
    "a file of ours": b'<!DOCTYPE z [<!ENTITY x SYSTEM "file:///etc/passwd">]><z>&x;</z>',
    "packed": gzip.compress(b'{"id": 1}'),
    "a packed bomb": gzip.compress(b"0" * 10_000_000),
    "nulls": bytes(1000),
    "every byte": bytes(range(256)),
    "utf-16": '{"id": 1}'.encode("utf-16"),
    "utf-7": b"+AHsAIgBpAGQAIg-",
    "two values": b'{"id":1}{"id":2}',
    "a form": b"payload=%7B%22id%22%3A1%7D&type=sale.update&payload=&=&&&;%ff",
    "many fields": b"&".join(b"f%d=1" % n for n in range(5000)),
    "a multipart": b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--",
    "a line": b"\n",
    "a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}
BODIES |= {f"{name} alone": token for name, token in TOKENS.items() if token}
LEAF = re.compile(rb'(?<=[:\[,])\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)(?=\s*[,}\]])')


def put_into(body, place, token):
    """A body with one of its values replaced, as bytes: no writer of JSON makes most of these."""
    leaves = list(LEAF.finditer(body))
    if not leaves:
        return body + token
    leaf = leaves[place % len(leaves)]
    return body[: leaf.start(1)] + token + body[leaf.end(1) :]


def door(platform, adapter=None):
    return Source(webhook_of(platform), adapter)


def knock(source, event):
    """Whatever comes, an answer; gives its status."""
    with captured_logs() as logged:
        answer = source.receiver.receive(event)
    assert isinstance(answer["statusCode"], int)
    assert SECRET not in logged()
    return answer["statusCode"]


def kept_whole(source, body):
    """Something became of it: taken in, left for pull with its bytes, or none of ours."""
    counted = source.counts()
    assert counted.get("received") == 1
    if counted.get("spilled"):
        (message,) = source.messages(PULL_QUEUE)
        assert source.objects.get(message["bucket_key"]) == body
    else:
        assert set(counted) - {"received"}


@pytest.mark.parametrize("platform", PROVABLE)
def test_a_proven_body_of_any_kind_is_kept_and_read_or_quarantined(platform, record_property):
    adapter = Read(platform).adapter
    known = next(iter(fixtures(platform)))
    statuses = Counter()
    for name, body in BODIES.items():
        source = door(platform, adapter)
        event = http_event(signed(source.webhook, known.headers, body), body, encoded=True)
        statuses[knock(source, event)] += 1
        assert list(statuses) == [200], name
        kept_whole(source, body)
        read_later(source, name)
    record_property("inputs", str(statuses.total()))


def read_later(source, name):
    """Pull reads what was left to it, or a person does: it never comes back for ever."""
    for message in source.queue.take(PULL_QUEUE):
        body = json.loads(message.body)
        if body["type"] != "delivery":
            continue
        with captured_logs():
            assert source.work(body) is None, name
        assert "parked" not in source.counts()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_an_unproven_body_of_any_kind_is_refused(platform, record_property):
    known = next(iter(fixtures(platform)))
    source = door(platform)
    for name, body in BODIES.items():
        for encoded in (True, False):
            if not encoded and not is_text(body):
                continue
            headers = known.headers
            if proves_any_body(source.webhook):
                headers = signed(source.webhook, headers, body, "forged")
            event = http_event(headers, body, encoded=encoded)
            reply = source.webhook.handshake(Delivery.from_event(event, START))
            assert knock(source, event) == (reply.status if reply else 401), name
    assert source.table.table.rows() == []
    assert source.messages() == []
    record_property("inputs", str(len(BODIES)))


def is_text(body):
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def holds(platform, fixture, token, place):
    """Deliver a fixture with one of its values replaced, genuine."""
    source = door(platform)
    body = put_into(fixture.body, place, token)
    if proves_any_body(source.webhook):
        event = http_event(signed(source.webhook, fixture.headers, body), body, encoded=True)
        assert knock(source, event) == 200
        kept_whole(source, body)
        return
    # The proof is in the body itself: it may be spoiled as well, and is refused then.
    body = body.replace(b"k3y-fizz-01", SECRET.encode())
    event = http_event(fixture.headers, body, encoded=True)
    assert knock(source, event) in {200, 401, *handshake_of(source, event)}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_value_no_parser_likes_loses_nothing(platform, record_property):
    shown = [one for one in fixtures(platform) if LEAF.search(one.body)]
    fixture = max(shown or fixtures(platform), key=lambda one: len(one.body))
    count = len(LEAF.findall(fixture.body)) or 1
    tried = 0
    for token in TOKENS.values():
        for place in range(0, count, max(count // 6, 1)):
            holds(platform, fixture, token, place)
            tried += 1
    record_property("inputs", str(tried))


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_a_value_no_parser_likes_anywhere_loses_nothing(platform, data):
    fixture = data.draw(st.sampled_from(fixtures(platform)), label="fixture")
    token = TOKENS[data.draw(st.sampled_from(sorted(TOKENS)), label="token")]
    holds(platform, fixture, token, data.draw(st.integers(0, 500), label="place"))


ANY_TEXT = st.text(max_size=30)
NAMES = st.one_of(
    st.sampled_from(
        [
            "content-type",
            "Content-Type",
            "content-encoding",
            "x-forwarded-for",
            "host",
            "",
            "\x00",
            "webhook-id",
            "webhook-timestamp",
            "x-fizz-timestamp",
        ]
    ),
    ANY_TEXT,
)
VALUES = st.one_of(
    ANY_TEXT,
    st.sampled_from(
        ["gzip", "9" * 400, "-1", "1e3", "\u0661", "a" * 9_000, "application/xml", ","]
    ),
)


@st.composite
def odd_events(draw, event):
    """An event whose parts are doubled, missing, in the wrong case, huge, or of another kind."""
    event = json.loads(json.dumps(event))
    for _ in range(draw(st.integers(1, 4))):
        change = draw(
            st.sampled_from(["add", "drop", "case", "double", "flag", "body", "path", "part"])
        )
        headers = event.get("headers") or {}
        if change == "add":
            event["headers"] = headers | {draw(NAMES): draw(VALUES)}
        elif change == "drop" and headers:
            del headers[draw(st.sampled_from(sorted(headers)))]
        elif change == "case" and headers:
            name = draw(st.sampled_from(sorted(headers)))
            headers[name.swapcase()] = headers.pop(name)
        elif change == "double" and headers:
            name = draw(st.sampled_from(sorted(headers)))
            headers[name.upper()] = draw(VALUES)
        elif change == "flag":
            event["isBase64Encoded"] = draw(st.sampled_from([True, False, None]))
        elif change == "body":
            event["body"] = draw(st.sampled_from([None, "", "%%%", "A", "====", "é", "\ud800"]))
        elif change == "path":
            event["pathParameters"] = draw(
                st.sampled_from([None, {}, {"token": ""}, {"token": "x" * 5000}, {"other": "y"}])
            )
        elif change == "part":
            event.pop(draw(st.sampled_from(sorted(event))))
    return event


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_an_event_of_any_shape_is_answered_and_taken_only_with_its_proof(platform, data):
    source = door(platform)
    fixture = data.draw(st.sampled_from(fixtures(platform)))
    forged = fixture.event(source.webhook, "forged")
    event = data.draw(odd_events(forged))
    status = knock(source, event)
    assert status in {401, 413, *handshake_of(source, event)}
    assert source.table.table.rows() == []
    assert source.messages() == []


def handshake_of(source, event):
    """The answer to who only asks whether somebody listens."""
    try:
        reply = source.webhook.handshake(Delivery.from_event(event, START))
    except Exception:  # noqa: BLE001  # then there is none; the door itself must not break
        return []
    return [reply.status] if reply else []


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_a_genuine_event_of_any_shape_never_breaks(platform, data):
    source = door(platform)
    fixture = data.draw(st.sampled_from(fixtures(platform)))
    event = data.draw(odd_events(fixture.event(source.webhook)))
    status = knock(source, event)
    assert status in {200, 401, 413, *handshake_of(source, event)}
    if status == 401:
        assert source.table.table.rows() == []


def test_a_body_is_what_its_flag_says():
    """Taken for text it would be another body, and its proof another's."""
    source = door("shopify")
    fixture = fixtures("shopify")[0]
    good = fixture.event(source.webhook)
    as_base64 = good | {"body": base64.b64encode(fixture.body).decode()}
    assert knock(source, as_base64) == 401
    assert knock(source, as_base64 | {"isBase64Encoded": True}) == 200
    assert knock(source, good | {"isBase64Encoded": True}) == 401
