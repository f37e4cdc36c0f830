"""What the system sends, from its bytes to the state table, and the example its README gives."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.units import Unit
from fizzbridge.runtime.loading import Loader
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import standard_proof
from platforms.standard import wire
from platforms.standard.webhook import handler
from tests.kit.source import CONNECTION, Source, http_event

ROOT = Path(__file__).parents[3]
RECORDS = ROOT / "events" / "schemas" / "records"
WEBHOOK = handler.adapter
AT = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

LINE = {
    "id": "1",
    "type": "GOODS",
    "sku": "COLA-24",
    "quantity": 2,
    "quantity_ordered": 2,
    "unit_price": "13.2",
    "amount": "26.40",
    "tax": "5.28",
    "taxes": [{"title": "VAT", "rate": "0.2", "amount": "5.28"}],
}
DOCUMENT = {
    "currency": "GBP",
    "tax_included": False,
    "lines": [LINE],
    "totals": {"net": "26.40", "tax": "5.28", "gross": "31.68"},
}
ORDER = DOCUMENT | {
    "number": "W-5501",
    "placed_at": "2026-11-20T08:59:00+00:00",
    "shop_currency": "GBP",
    "presentment_currency": "GBP",
    "presentment_gross": "31.68",
    "customer": "c-77",
    "contact": {"name": "Ada Quill", "email": "ada@canary.example"},
    "ship_to": {"name": "Ada Quill", "city": "Leeds", "country": "GB"},
}
GOODS = [{"order_line_id": "1", "sku": "COLA-24", "quantity": 1}]
MONEY = {"order": "5501", "amount": "31.68", "currency": "GBP", "at": "2026-11-20T09:00:00Z"}
SENT = {
    "order": ORDER,
    "shipment": {"order": "5501", "number": "S-1", "state": "DISPATCHED", "lines": GOODS},
    "invoice": DOCUMENT | {"order": "5501", "number": "I-1", "state": "ISSUED", "credits": None},
    "payment": MONEY | {"status": "SETTLED", "gateway": "card"},
    "refund": MONEY | {"status": "PENDING", "reason": "broken"},
    "return": {"order": "5501", "number": "R-1", "state": "REQUESTED", "lines": GOODS},
    "customer": {"contact": {"name": "Ada Quill"}, "terms": {"payment_days": 30}},
    "product": {"sku": "COLA330", "name": "Cola 330 ml can"},
    "price": {
        "product": "cola-330",
        "unit": "CASE",
        "price": {"amount": "13.20", "currency": "GBP"},
        "tax_included": False,
    },
    "stock_level": {"product": "cola-330", "location": "MAIN", "on_hand": 480},
}


def body(what="product.updated", record=None, **data):
    shown = {"id": "1", "changed_at": AT.isoformat()} | ({"record": record} if record else {})
    return json.dumps({"type": what, "timestamp": AT.isoformat(), "data": shown | data}).encode()


def told(*args, **data):
    return list(read(WEBHOOK, Delivery({}, body(*args, **data), AT), CONNECTION))


def event(content, secret=SECRET, at=AT, named="msg_1"):
    second = str(int(at.timestamp()))
    proof = standard_proof(secret, named, second, content)
    headers = {"webhook-id": named, "webhook-timestamp": second, "webhook-signature": proof}
    return http_event(headers, content)


@pytest.fixture
def source():
    source = Source(WEBHOOK)
    source.secrets["signing"] = json.dumps({"active": [SECRET]})
    return source


@pytest.mark.parametrize("word", sorted(SENT))
def test_a_record_of_each_kind_is_taken_as_its_schema_allows(word):
    kind = wire.KINDS[word]
    one, *others = told(f"{word}.updated", SENT[word], id="x-1")
    assert (one.ref, one.changed) == (ref(kind, CONNECTION, "x-1"), AT)
    assert type(one.body) is wire.RECORDS[kind, one.part]
    part = "/request" if word == "order" else ""
    assert (one.refetch.what, one.refetch.external_id) == (f"{word}s{part}", "x-1")
    assert [seed.changed for seed in others] == ([None] if word == "order" else [])
    schema = json.loads((RECORDS / f"{type(one.body).__name__}.v1.json").read_text())
    jsonschema.validate(SENT[word], schema)
    jsonschema.validate(wire.plain(one.body), schema)


@pytest.mark.parametrize("word", sorted(SENT))
def test_what_is_deleted_leaves_a_tombstone(word):
    (gone,) = told(f"{word}.deleted", id="x-1")
    assert (gone.ref, gone.body, gone.changed) == (
        ref(wire.KINDS[word], CONNECTION, "x-1"),
        None,
        AT,
    )


@pytest.mark.parametrize(
    ("named", "key"),
    [
        ("5501", f"{CONNECTION}/5501"),
        (5501, f"{CONNECTION}/5501"),
        ("shop-eu/5501", "shop-eu/5501"),
        ("SO/17", f"{CONNECTION}/SO/17"),
        (f"{CONNECTION}/so/17", f"{CONNECTION}/so/17"),
    ],
)
def test_an_order_is_named_by_the_senders_id_or_by_a_whole_key(named, key):
    (paid,) = told("payment.updated", SENT["payment"] | {"order": named})
    assert paid.body.order == paid.parent == ref(Kind.ORDER, *key.split("/", 1))


def test_an_id_of_the_senders_own_is_never_taken_for_a_key():
    (one,) = told(record=SENT["product"], id="drinks/cola")
    assert one.ref.key == f"{CONNECTION}/drinks/cola"


def test_what_became_of_a_shops_order_goes_to_that_order():
    state = {"number": "SO-9", "state": "CONFIRMED"}
    (one,) = told("order.updated", state, id="shop-eu/5501", part="processing")
    assert (one.ref, one.part) == (ref(Kind.ORDER, "shop-eu", "5501"), Part.PROCESSING)
    assert one.body.changed_at == AT
    (gone,) = told("order.deleted", id="5501", part="processing")
    assert (gone.ref.connection, gone.part, gone.body) == (CONNECTION, Part.PROCESSING, None)


def test_an_order_brings_its_buyer_as_a_seed():
    order, buyer = told("order.updated", ORDER, id="5501")
    assert buyer.ref == order.body.customer == ref(Kind.CUSTOMER, CONNECTION, "c-77")
    assert buyer.body.contact == order.body.contact
    assert buyer.body.addresses == (order.body.ship_to,)


def test_times_left_out_are_those_of_the_delivery():
    (level,) = told("stock_level.updated", SENT["stock_level"])
    assert level.body.as_of == AT
    (level,) = told("stock_level.updated", SENT["stock_level"] | {"as_of": "2026-11-19T00:00:00Z"})
    assert level.body.as_of == datetime(2026, 11, 19, tzinfo=UTC)


def test_an_amount_is_a_text_or_a_number_taken_digit_for_digit():
    raw = body("price.updated", SENT["price"]).replace(b'"13.20"', b"13.20")
    (price,) = read(WEBHOOK, Delivery({}, raw, AT), CONNECTION)
    assert price.body.price.amount == Decimal("13.20")
    assert price.body.unit is Unit.CASE
    exact = {**LINE, "unit_price": "0.1234567890123456789"}
    raw = body("order.updated", ORDER | {"lines": [exact]})
    order, _ = read(
        WEBHOOK,
        Delivery({}, raw.replace(b'"0.1234567890123456789"', b"0.1234567890123456789"), AT),
        CONNECTION,
    )
    assert order.body.lines[0].unit_price == Decimal("0.1234567890123456789")


WRONG = [
    ("product.updated", {}, {"record": {"sku": "A", "name": "b", "colour": "red"}}, "colour"),
    ("product.updated", {}, {"record": {"sku": "A"}}, "name"),
    ("product.updated", {}, {"record": {"sku": "A", "name": "b", "is_active": 7}}, "is_active"),
    ("product.updated", {}, {"record": {"sku": 7, "name": "b"}}, "sku"),
    ("product.updated", {}, {}, "record"),
    ("product.updated", {}, {"record": {"sku": "A", "name": "b"}, "part": "request"}, "part"),
    ("product.updated", {}, {"record": {"sku": "A", "name": "b"}, "id": ""}, "id"),
    ("product.updated", {}, {"record": {"sku": "A", "name": "b"}, "id": "a b"}, "key"),
    ("product.updated", {}, {"record": {"sku": "A", "name": "b"}, "id": None}, "id"),
    ("stock_level.updated", "stock_level", {"on_hand": "many"}, "on_hand"),
    ("stock_level.updated", "stock_level", {"on_hand": 480.5}, "on_hand"),
    ("stock_level.updated", "stock_level", {"product": ["x"]}, "product"),
    ("price.updated", "price", {"price": {"amount": "13.205", "currency": "GBP"}}, "price"),
    ("payment.updated", "payment", {"at": "2026-11-20T09:00:00"}, "at"),
    ("order.updated", "order", {"totals": {"net": "1", "tax": "1", "gross": "3"}}, "OrderRequest"),
]


@pytest.mark.parametrize(("what", "base", "changes", "names"), WRONG)
def test_what_its_schema_does_not_allow_is_refused_by_name(what, base, changes, names):
    data = {"record": SENT[base] | changes} if base else changes
    with pytest.raises(MalformedDeliveryError) as refused:
        told(what, **data)
    assert refused.value.code == "shape"
    assert names in refused.value.message
    assert "480" not in refused.value.message


@pytest.mark.parametrize("at", ["2026-11-20T09:00:00", "yesterday", 1795680000, None])
def test_a_change_without_a_moment_is_refused(at):
    with pytest.raises(MalformedDeliveryError, match="changed_at"):
        told(record=SENT["product"], changed_at=at)


def test_a_newer_change_wins_whatever_comes_first(source):
    old, new = (
        body(record={"sku": "A", "name": name}, changed_at=at)
        for name, at in (("old", "2026-11-20T10:00:00.000001+01:00"), ("new", AT.isoformat()))
    )
    for content in (new, old, new):
        assert source.deliver(event(content)) == 200
    entity = ref(Kind.PRODUCT, CONNECTION, "1")
    product = Loader(source.table, source.objects).view(entity).parts[Part.RECORD].body
    assert product.name == "new"


def test_what_is_malformed_is_quarantined_and_what_is_unknown_acknowledged(source):
    assert source.deliver(event(body(record={"sku": "A"}))) == 200
    assert source.counts() == {"received": 1, "spilled": 1}
    assert source.deliver(event(body("parrot.updated", {"sku": "A"}))) == 200
    assert source.counts() == {"received": 1, "ignored": 1}
    assert source.parts() == {}


def test_a_secret_stands_for_its_decoded_bytes(source):
    content = body(record=SENT["product"])
    assert source.deliver(event(content, SECRET.removeprefix("whsec_"))) == 401
    assert source.deliver(event(content)) == 200
    assert list(source.parts()) == [f"Product#{CONNECTION}/1/PART#record"]


OPENSSL = shutil.which("openssl")


@pytest.mark.skipif(OPENSSL is None, reason="the example is made with openssl")
def test_the_example_of_the_readme_is_taken_in(source, tmp_path):
    readme = (ROOT / "functions/platforms/standard/README.md").read_text(encoding="utf-8")
    script = re.search(r"```sh\n(.*?)```", readme, re.DOTALL)[1]
    assert len(script.strip().splitlines()) <= 10
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    curl.chmod(0o755)
    path = f"{tmp_path}:{Path(OPENSSL).parent}:/usr/bin:/bin"
    sent = subprocess.run(  # noqa: S603  # our own text
        ["/bin/sh", "-eu", "-c", script],
        env={"PATH": path, "SECRET": SECRET, "BRIDGE": "https://bridge.example"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    headers = dict(value.split(": ", 1) for flag, value in itertools.pairwise(sent) if flag == "-H")
    sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    source.clock.advance((sent_at - source.clock()).total_seconds())
    assert source.deliver(http_event(headers, sent[sent.index("--data-raw") + 1].encode())) == 200
    assert list(source.parts()) == [f"Product#{CONNECTION}/cola-330/PART#record"]
