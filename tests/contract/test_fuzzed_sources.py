"""Whatever reaches a webhook, nothing breaks, nothing is lost and nothing is told to the log.

`make fuzz` sends ten thousand mutated requests to each source; the usual run a few dozen.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.manifest import load_registry
from tests.contract.test_sources import ROOT, webhook_of
from tests.kit.source import (
    Source,
    captured_logs,
    fixtures,
    http_event,
    proof_in,
    proves_any_body,
    signed,
)

PLATFORMS = sorted(
    slug
    for slug, manifest in load_registry(ROOT).items()
    if manifest.functions.webhook and proves_any_body(webhook_of(slug))
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "0", "-1", "1e999", "NaN", "2026-02-30T00:00:00Z", "0000-00-00", "\x00"]),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
CANARY = "canary-of-a-person"


@st.composite
def spoiled(draw, value):
    """A JSON value with some places in it changed, lost or moved."""
    value = deepcopy(value)
    for _ in range(draw(st.integers(1, 4))):
        place, key = value, None
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            parent, key = place, draw(st.sampled_from(keys))
            place = parent[key]
            if draw(st.integers(0, 3)) == 0:
                break
        if key is None:
            return draw(ODD)
        change = draw(st.sampled_from(["odd", "gone", "canary"]))
        if change == "gone" and isinstance(parent, dict):
            del parent[key]
        else:
            parent[key] = CANARY if change == "canary" else draw(ODD)
    return value


@st.composite
def cut(draw, body):
    """Bytes with some of them changed, doubled or cut off."""
    raw = bytearray(body)
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, max(len(raw) - 1, 0)))
        end = draw(st.integers(start, min(start + 40, len(raw))))
        raw[start:end] = draw(st.binary(max_size=12))
    return bytes(raw)


@st.composite
def headers_of(draw, headers):
    """Headers with one of them changed, lost or added."""
    kept = dict(headers)
    name = draw(st.sampled_from([*kept, "content-type", "x-forwarded-for"]))
    if draw(st.booleans()):
        kept.pop(name, None)
    else:
        kept[name] = draw(st.text(max_size=30))
    return kept


def is_json(body):
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def answers(platform, headers, body):
    """Deliver it, genuine; gives the status, and what was logged and counted."""
    source = Source(webhook_of(platform))
    with captured_logs() as text:
        event = http_event(signed(source.webhook, headers, body), body, encoded=True)
        status = source.deliver(event)
    return source, status, text()


def holds(platform, headers, body):
    source, status, logged = answers(platform, headers, body)
    assert status == (200 if body else 401)
    counted = source.counts()
    assert counted.pop("received") == 1
    # Taken in, kept for pull, or none of ours: something became of it.
    assert counted
    if counted.get("spilled"):
        (message,) = source.messages()
        assert source.objects.get(message["bucket_key"]) == body
    # Who signs names its own topics and deliveries: these words are the vendor's, of no person.
    named = re.sub(rf'"(topic|delivery_id)":"{CANARY}"', "", logged)
    assert CANARY not in named


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_a_genuine_delivery_of_any_shape_is_kept(platform, data):
    shown = [one for one in fixtures(platform) if is_json(one.body)]
    if not shown:
        pytest.skip(f"deliveries of {platform} are not JSON; their bytes are mutated below")
    fixture = data.draw(st.sampled_from(shown))
    body = json.dumps(data.draw(spoiled(json.loads(fixture.body)))).encode()
    holds(platform, fixture.headers, body)


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_a_genuine_delivery_of_any_bytes_is_kept(platform, data):
    fixture = data.draw(st.sampled_from(fixtures(platform)))
    holds(platform, fixture.headers, data.draw(cut(fixture.body)))


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_any_headers_are_answered(platform, data):
    fixture = data.draw(st.sampled_from(fixtures(platform)))
    headers = data.draw(headers_of(fixture.headers))
    _, status, logged = answers(platform, headers, fixture.body)
    assert status == 200
    assert CANARY not in logged


@pytest.mark.hypothesis
@pytest.mark.parametrize("platform", PLATFORMS)
@given(data=st.data())
def test_a_forged_delivery_leaves_nothing(platform, data):
    source = Source(webhook_of(platform))
    fixture = data.draw(st.sampled_from(fixtures(platform)))
    event = fixture.event(source.webhook)
    proofs = [name for name in source.webhook.signature.headers if name in event["headers"]]
    fields, name = proof_in(source.webhook, event)
    name = data.draw(st.sampled_from(proofs or [name]))
    forged = data.draw(st.one_of(st.text(max_size=80), cut(fields[name].encode())))
    text = forged.decode("latin-1") if isinstance(forged, bytes) else forged
    if text == fields[name]:
        return
    fields[name] = text
    assert source.deliver(event) == 401
    assert source.table.table.rows() == []
    assert source.messages() == []
