"""What every shop must do from its sandbox to the state table, run once over the registry."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from fizzbridge.manifest import load_registry
from fizzbridge.model.entity import EntityRef, Kind
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.rows import placed_pk
from fizzbridge.state.table import Write
from sandbox.faults import Fault
from tests.kit.shop import HEARS, ROOT, Shop
from tests.kit.source import CONNECTION, EVENTS, captured_logs

MANIFESTS = load_registry(ROOT)
SHOPS = sorted(slug for slug in MANIFESTS if (EVENTS / slug / "source.json").is_file())


@pytest.fixture(params=SHOPS)
def shop(request):
    return Shop(request.param)


def orders(source):
    """Requests by key."""
    loader = Loader(source.table, source.objects)
    keys = {name.partition("/PART#")[0] for name in source.parts("Order#")}
    return {one: loader.view(EntityRef.parse(one)).request for one in sorted(keys)}


def key(order):
    return f"Order#{CONNECTION}/{order}"


def reports(shop, kind):
    if kind not in MANIFESTS[shop.platform].entities.source:
        pytest.skip(f"{shop.platform} does not report a {kind}")


def test_an_order_told_and_an_order_found_are_the_same(shop):
    order = shop.place()
    hears, asks = shop.source(), shop.source()
    shop.hear(hears)
    shop.poll(asks)
    found = orders(asks)
    assert list(found) == [key(order)]
    assert orders(hears) == found
    assert hears.content("Order#") == asks.content("Order#")


def test_an_order_is_kept_in_full(shop):
    order = shop.place()
    source = shop.source()
    shop.poll(source)
    request = orders(source)[key(order)]
    goods = {line.sku: line for line in request.lines if line.sku}
    assert {sku: line.quantity for sku, line in goods.items()} == {"COLA330-C24": 2, "TONIC-12": 1}
    sums = request.totals
    assert sums.net + sums.tax == sums.gross
    amounts = sum(line.amount * line.type.sign for line in request.lines)
    assert abs(amounts - (sums.gross if request.tax_included else sums.net)) <= Decimal("0.02")
    for line in request.lines:
        assert [share.rate for share in line.taxes] == [Decimal("0.2")]
        assert line.tax == sum(share.amount for share in line.taxes)
    assert (sums.net, sums.tax) == (Decimal("40.75"), Decimal("8.15"))
    assert request.currency == "GBP"
    assert request.contact.email == "ada@canary.example"
    assert request.bill_to.country == "GB"
    assert request.bill_to.company == "Canary Pop Ltd"
    assert request.placed_at.utcoffset().total_seconds() == 0


def test_f40_whatever_comes_twice_and_in_any_order_ends_the_same(shop):
    order = shop.place()
    shop.later()
    shop.act(order, "update")
    shop.later()
    shop.act(order, "cancel")
    plain, wild = shop.source(), shop.source()
    shop.hear(plain)
    deliveries = [*shop.told(), *shop.told()]
    random.Random(7).shuffle(deliveries)  # noqa: S311  the same disorder every time
    shop.hear(wild, deliveries)
    assert plain.content("Order#") == wild.content("Order#")
    assert orders(plain)[key(order)].cancelled_at is not None


def test_a_cancellation_nobody_told_is_found(shop):
    order = shop.place()
    source = shop.source()
    shop.poll(source)
    assert orders(source)[key(order)].cancelled_at is None
    shop.later()
    shop.act(order, "cancel")
    shop.poll(source)
    assert orders(source)[key(order)].cancelled_at is not None


def test_an_order_that_is_erased_without_a_word_is_found(shop):
    if not MANIFESTS[shop.platform].rechecked:
        pytest.skip(f"{shop.platform} tells of what it deletes, or deletes nothing")
    source = shop.source()
    erased, kept = shop.place(), shop.place()
    shop.poll(source)
    for order in (erased, kept):
        entity = EntityRef.parse(key(order))
        placed = orders(source)[key(order)].placed_at
        source.table.transact([Write(placed_pk(CONNECTION, placed), str(entity), set={"kind": ""})])
    shop.act(erased, "delete")
    for looks, gone in ((1, []), (2, [key(erased)])):
        shop.later(7200)
        shop.catch_up(source)
        assert source.work({"type": "recheck"}) is None
        shop.drain(source)
        found = {name: row for name, row in source.parts("Order#").items() if row["deleted"]}
        assert [name.partition("/PART#")[0] for name in found] == gone, looks


def test_a_refund_is_told_and_found(shop):
    reports(shop, Kind.REFUND)
    order = shop.place()
    shop.later()
    if "pay" in shop.facts:
        shop.act(order, "pay")
    shop.act(order, "refund")
    hears, asks = shop.source(), shop.source()
    shop.hear(hears)
    shop.poll(asks)
    (refund,) = asks.parts("Refund#")
    assert list(hears.parts("Refund#")) == [refund]


def test_every_kind_it_reports_is_seen(shop):
    order = shop.place()
    for action in ("pay", "ship", "return", "refund"):
        shop.later()
        if action in shop.facts:
            shop.act(order, action)
    source = shop.source()
    shop.poll(source)
    seen = {Kind(name.partition("#")[0]) for name in source.parts()}
    assert seen == set(MANIFESTS[shop.platform].entities.source)


MANY = 120


def test_f39_orders_of_one_second_are_all_found(shop):
    placed = {key(shop.place()) for _ in range(MANY)}
    source = shop.source()
    shop.poll(source)
    assert set(orders(source)) == placed


def test_a_poll_that_broke_off_goes_on(shop):
    placed = set()
    for _ in range(MANY):
        placed.add(key(shop.place()))
        shop.later(1)
    source = shop.source()
    shop.catch_up(source)
    for stream in MANIFESTS[shop.platform].streams:
        for calls in (1, 2, 5):
            source.transport.left = calls
            source.work({"type": "poll", "stream": stream.name})
    source.transport.left = None
    shop.poll(source)
    assert set(orders(source)) == placed


def test_an_order_of_five_hundred_lines(shop):
    lines = [{"sku": ("COLA330-C24", "TONIC-12")[n % 2], "quantity": 1 + n % 3} for n in range(500)]
    order = shop.place(lines=lines)
    source = shop.source()
    shop.poll(source)
    request = orders(source)[key(order)]
    assert len([line for line in request.lines if line.sku]) == 500


def test_nothing_secret_or_personal_is_logged_on_the_way(shop):
    with captured_logs() as text:
        order = shop.place()
        shop.later()
        shop.act(order, "update")
        source = shop.source()
        shop.hear(source)
        shop.poll(source)
        shop.sandbox.faults.arm(Fault(on="/", kind="status", status=400, times=50))
        shop.later()
        shop.poll(source)
    source.metrics.flush()
    written = text() + "".join(source.emf)
    secrets = [one for one in shop.facts["secret"].values() if len(one) > 5]
    for secret in ("anary", "ring twice", "no ring", *secrets):
        assert secret not in written


# -- webhooks of the platform ----------------------------------------------------------------------


@pytest.fixture
def register(shop):
    """A shop whose platform has a register of webhooks, with none of ours in it."""
    if MANIFESTS[shop.platform].webhook.watched is None:
        pytest.skip(f"webhooks of {shop.platform} are set up in the shop")
    bare = Shop(shop.platform, webhook_uri="")
    source = bare.source()
    streams = [stream.name for stream in MANIFESTS[shop.platform].streams]
    return bare, source, {"address": HEARS, "streams": streams}


def listed(shop, source):
    """Our webhooks at the platform, by topic."""
    adapter = source.pull.subscriptions
    client = source.client()
    connection = source.config.connection(CONNECTION)
    return sorted(
        one.topic
        for one in adapter.listed(client, connection)
        if one.address == HEARS and one.is_active
    )


def test_connecting_subscribes_once(register):
    shop, source, body = register
    for _ in range(2):
        assert source.work({"type": "connect", **body}) is None
        shop.drain(source)
    assert listed(shop, source) == sorted(source.pull.subscriptions.topics)
    assert source.counts()["resubscribed"] == len(source.pull.subscriptions.topics)


def test_what_the_platform_dropped_comes_back_and_the_gap_is_read(register):
    shop, source, body = register
    source.work({"type": "connect", **body})
    shop.drain(source)
    adapter = source.pull.subscriptions
    connection = source.config.connection(CONNECTION)
    client = source.client()
    lost = next(iter(adapter.listed(client, connection)))
    adapter.remove(client, lost, connection)
    missed = shop.place()
    shop.later()
    shop.catch_up(source)
    assert source.work({"type": "watch", **body}) is None
    shop.drain(source)
    assert listed(shop, source) == sorted(adapter.topics)
    assert key(missed) in orders(source)


def test_the_watch_leaves_alone_what_nobody_connected(register):
    shop, source, body = register
    assert source.work({"type": "watch", **body}) is None
    assert listed(shop, source) == []


def test_disconnecting_removes_ours_and_stays_so(register):
    shop, source, body = register
    source.work({"type": "connect", **body})
    source.work({"type": "disconnect", **body})
    source.work({"type": "watch", **body})
    assert listed(shop, source) == []


def test_a_right_that_is_missing_is_said_before_anything_is_made(register):
    shop, source, body = register
    shop.sandbox.faults.arm(Fault(on="/", kind="status", status=403, times=50))
    assert source.work({"type": "connect", **body}) is not None
    shop.sandbox.faults.clear()
    assert listed(shop, source) == []
    assert source.breaker().name == "open"
    assert "403" in source.breaker().message
