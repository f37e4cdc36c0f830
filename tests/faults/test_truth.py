"""D: time, order, silence and echoes: the last word is the source's, whatever way it came."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fizzbridge.model.entity import EntityRef, Part
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from tests.kit.calendar import MANIFESTS, Calendar
from tests.kit.house import House, customer_ref, line, order_ref, order_request, seen_customer
from tests.kit.invariants import hold
from tests.kit.shop import HEARS, Shop
from tests.kit.source import CONNECTION, EVENTS, Source, http_event

SHOPS = sorted(slug for slug in MANIFESTS if (EVENTS / slug / "source.json").is_file())
SKEW_S = 600
DAYS = {
    "spring forward": datetime(2027, 3, 28, 0, 20, tzinfo=UTC),
    "fall back": datetime(2027, 10, 31, 0, 20, tzinfo=UTC),
    "leap day": datetime(2028, 2, 28, 23, 20, tzinfo=UTC),
    "after the leap day": datetime(2028, 2, 29, 23, 20, tzinfo=UTC),
}
SLOW = pytest.mark.slow
ODD = sorted(DAYS.keys() - {"fall back"})


def key(order: str) -> str:
    return f"Order#{CONNECTION}/{order}"


def request(source: Source, order: str) -> Any:
    """The order as the bridge has it."""
    return Loader(source.table, source.objects).view(EntityRef.parse(key(order))).request


def life(calendar: Calendar) -> str:
    """An order is placed, changed and cancelled, with minutes between."""
    shop = calendar.shop
    order = shop.place()
    for action in ("update", "cancel"):
        calendar.pass_by(7)
        shop.act(order, action)
    return order


# -- F39: clocks that differ, days that are odd, moments that are equal ----------------------------


@pytest.mark.level("sandbox")
@pytest.mark.parametrize(
    "skew", [-SKEW_S, pytest.param(SKEW_S, marks=SLOW)], ids=["behind", "ahead"]
)
@pytest.mark.parametrize("platform", SHOPS)
def test_f39_a_shop_whose_clock_is_wrong_loses_nothing(platform, skew, figures):
    """What signs its time may be refused by then; the polls find it."""
    shop = Shop(platform)
    calendar = Calendar(shop, shop.source(), skew)
    calendar.pass_by(16)
    first = life(calendar)
    calendar.hears = False  # by polls alone
    second = life(calendar)
    calendar.pass_by(31)
    for order in (first, second):
        found = request(calendar.source, order)
        assert found is not None, f"{order} was never found"
        assert found.cancelled_at is not None, f"{order} is not the newest"
    assert set(calendar.statuses) <= {200, 401}
    figures(deliveries=len(calendar.statuses), refused=calendar.statuses.count(401))


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("skew", [-295, 295], ids=["behind", "ahead"])
@pytest.mark.parametrize("platform", SHOPS)
def test_f39_a_clock_that_is_a_little_wrong_is_no_replay(platform, skew, figures):
    shop = Shop(platform)
    calendar = Calendar(shop, shop.source(), skew)
    order = shop.place()
    calendar.hear()
    for action in ("update", "cancel"):
        calendar.pass_by(2)
        shop.act(order, action)
        calendar.hear()
    assert set(calendar.statuses) == {200}
    assert request(calendar.source, order).cancelled_at is not None
    figures(deliveries=len(calendar.statuses), refused=0)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("day", ["fall back", *(pytest.param(one, marks=SLOW) for one in ODD)])
@pytest.mark.parametrize("platform", SHOPS)
def test_f39_an_odd_day_leaves_versions_in_order(platform, day, figures):
    """Changes every quarter of an hour through the odd hour, told in any order."""
    shop = Shop(platform)
    shop.clock.now = DAYS[day] - timedelta(minutes=30)
    hears, asks = shop.source(), shop.source()
    before = len(shop.told())
    order = shop.place()
    for _ in range(8):
        shop.later(900)
        shop.act(order, "update")
    shop.later(900)
    shop.act(order, "cancel")
    told = shop.told()[before:]
    # The vendor's own clock signs; what it said is heard within the minute, in disorder.
    random.Random(7).shuffle(told)  # noqa: S311  the same disorder every time
    shop.poll(asks)
    heard = [one for one in told if _is_heard(shop, hears, one)]
    shop.poll(hears)
    assert request(asks, order).cancelled_at is not None
    assert hears.content("Order#") == asks.content("Order#")
    figures(deliveries=len(told), heard=len(heard))


def _is_heard(shop: Shop, source: Source, delivery: Any) -> bool:
    status = source.deliver(http_event(delivery.headers, delivery.body, encoded=True))
    shop.drain(source)
    return status == 200


@pytest.mark.level("in-process")
@pytest.mark.parametrize("can_fetch", [True, False])
def test_f39_equal_moments_end_alike_in_every_order(can_fetch, figures):
    """Ten contents of one second; where the shop can be asked, its answer decides."""
    contents = [order_request(second=5, lines=[line(quantity=n)]) for n in range(1, 11)]
    ends = set()
    for seed in range(20):
        house = House()
        house.place()
        house.drain()
        told = contents.copy()
        random.Random(seed).shuffle(told)  # noqa: S311  the same disorders every time
        for content in told:
            seen = Seen(order_ref(), content, content.changed_at, Part.REQUEST)
            house.observe(seen, can_fetch=can_fetch)
            house.drain()
        if can_fetch:
            house.clock.advance(1)
            last = Seen(order_ref(), contents[3], contents[3].changed_at, Part.REQUEST)
            house.observe(last, is_authoritative=True)
        house.settle()
        hold(house)
        (held,) = house.orders.of("shop/1")
        ends.add(held.payload.lines)
    assert len(ends) == 1
    if can_fetch:
        assert ends == {("COLA330 4",)}
    figures(orders_of_arrival=20, ends=len(ends))


# -- F40: before, after, and a thousand in disorder ------------------------------------------------


def told(house: House, second: int, *, is_gone: bool = False) -> Any:
    """The shop's word of its order as of that second."""
    body = order_request(second=second, lines=[line(quantity=1 + second % 97)])
    moment = body.changed_at
    house.observe(Seen(order_ref(), None if is_gone else body, moment, Part.REQUEST))
    return body


def work_some(house: House, chance: random.Random) -> None:
    """A few messages, any of them, some of them twice."""
    for _ in range(chance.randrange(4)):
        if house.messages:
            place = chance.randrange(len(house.messages))
            house.messages.rotate(-place)
            if chance.random() < 0.1:
                house.messages.append(house.messages[0])
            house.handle(*house.messages.popleft())


@pytest.mark.level("in-process")
@pytest.mark.parametrize("seed", [1, 2])
def test_f40_a_thousand_updates_in_disorder_end_with_the_newest(seed, figures):
    chance = random.Random(seed)  # noqa: S311  the same disorder every time
    house = House()
    house.observe(seen_customer())
    seconds = list(range(1000))
    chance.shuffle(seconds)
    deliveries = 0
    for second in seconds:
        for _ in range(1 + (chance.random() < 0.2)):
            told(house, second)
            deliveries += 1
        work_some(house, chance)
    house.settle()
    newest = order_request(second=999, lines=[line(quantity=1 + 999 % 97)])
    hold(house, {order_ref(): newest})
    assert house.orders.counts["create"] == 1
    figures(deliveries=deliveries, updates_at_target=house.orders.counts["update"])


@pytest.mark.level("in-process")
@pytest.mark.parametrize("gone_at", [0, 3, 7])
def test_f40_a_deletion_stands_against_whatever_is_older(gone_at, figures):
    """The deletion is told first, though it happened in the middle; then all else, in disorder."""
    for seed in range(10):
        chance = random.Random(seed)  # noqa: S311  the same disorder every time
        house = House()
        house.observe(seen_customer())
        told(house, gone_at, is_gone=True)
        work_some(house, chance)
        older = list(range(gone_at + 1))
        chance.shuffle(older)
        for second in older:
            if second != gone_at:
                told(house, second)
            work_some(house, chance)
        house.settle()
        hold(house)
        assert not [one for one in house.orders.of("shop/1") if not one.is_cancelled]
        part = house.rows.get(str(order_ref()), "PART#request")
        assert part["deleted"]
    figures(orders_of_arrival=10, standing=0)


@pytest.mark.level("in-process")
def test_f40_an_update_before_its_create_and_an_order_before_its_customer(figures):
    house = House()
    told(house, 9)
    house.drain()
    assert house.orders.counts["create"] == 0, "it waits for its customer"
    told(house, 0)
    house.observe(seen_customer())
    house.settle()
    newest = order_request(second=9, lines=[line(quantity=10)])
    hold(house, {order_ref(): newest})
    assert house.link(customer_ref())["status"] == "synced"
    figures(creates=house.orders.counts["create"])


# -- F41: the source does not say a word -----------------------------------------------------------

FOUND_WITHIN = 15
"""Minutes an order may stay unknown where the source says nothing of it."""


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", SHOPS)
def test_f41_what_is_never_sent_is_found_within_a_quarter_of_an_hour(platform, figures):
    shop = Shop(platform)
    calendar = Calendar(shop, shop.source())
    calendar.hears = False
    calendar.pass_by(20)
    waited = []
    for _ in range(3):
        order = shop.place()
        minute = 0
        while request(calendar.source, order) is None:
            minute += 1
            assert minute <= FOUND_WITHIN, f"{order} is not known after {minute} minutes"
            calendar.pass_by(1)
        waited.append(minute)
    figures(orders=3, longest_minutes=max(waited))


WATCHED = [slug for slug in SHOPS if MANIFESTS[slug].webhook.watched]


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("how", ["all removed", pytest.param("one removed", marks=SLOW)])
@pytest.mark.parametrize("platform", WATCHED)
def test_f41_what_the_vendor_dropped_is_subscribed_to_again_and_the_gap_filled(
    platform, how, figures
):
    shop = Shop(platform, webhook_uri="")
    source = shop.source()
    calendar = Calendar(shop, source)
    streams = [one.name for one in MANIFESTS[platform].streams]
    calendar.ask({"type": "connect", "address": HEARS, "streams": streams})
    adapter, connection = source.pull.subscriptions, source.config.connection(CONNECTION)

    def listed() -> list[Any]:
        found = adapter.listed(source.client(), connection)
        return [one for one in found if one.address == HEARS and one.is_active]

    assert sorted(one.topic for one in listed()) == sorted(adapter.topics)
    dropped = listed() if how == "all removed" else listed()[:1]
    for one in dropped:
        adapter.remove(source.client(), one, connection)
    source.counts()
    placed = []
    waited = 0
    while len(listed()) < len(adapter.topics):
        waited += 5
        assert waited <= FOUND_WITHIN
        placed.append(shop.place())
        calendar.pass_by(5)
    calendar.pass_by(FOUND_WITHIN)
    assert [one for one in placed if request(source, one) is None] == []
    assert source.counts()["resubscribed"] == len(dropped)
    # From now on it is told again.
    calendar.due.clear()
    before = len(calendar.statuses)
    told_again = shop.place()
    calendar.pass_by(1)
    assert len(calendar.statuses) > before
    assert request(source, told_again) is not None
    figures(dropped=len(dropped), orders_meanwhile=len(placed), minutes=waited)
