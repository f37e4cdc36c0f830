from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.model.catalogue import StockLevel
from fizzbridge.model.documents import Payment, SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.version import ReadTime, Sequence, Timestamp
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import (
    MERGE_TRIES,
    Circumstances,
    Merge,
    Observer,
    version_of,
)
from fizzbridge.state.table import ConditionFailedError, TableUnavailableError, Write
from tests.kit.house import BRIDGE, SECOND, House, order_ref, order_request
from tests.kit.way_back import WayBack

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def told(second: int, note: str = "", number: int = 1) -> Seen:
    request = order_request(number, second=second, note=note)
    return Seen(order_ref(number), request, request.changed_at, Part.REQUEST)


def deleted(second: int) -> Seen:
    return Seen(order_ref(), None, NINE + timedelta(seconds=second), Part.REQUEST)


def stored_note(house: House) -> str | None:
    request = Loader(house.rows, house.objects).view(order_ref()).request
    return request.note if request else None


def test_newer_wins_older_is_ignored_equal_is_nothing():
    house = House()
    assert house.observe(told(1, "a")) is Merge.MERGED
    assert house.observe(told(3, "c")) is Merge.MERGED
    assert house.observe(told(2, "b")) is Merge.OLDER
    assert house.observe(told(3, "c")) is Merge.EQUAL
    assert stored_note(house) == "c"


@given(st.permutations([told(second, str(second)) for second in range(1, 7)]))
def test_f40_any_order_of_arrival_ends_with_the_newest(order):
    house = House()
    for seen in order:
        house.observe(seen)
    assert stored_note(house) == "6"


def test_a_tie_is_fetched_and_the_later_read_wins():
    house = House()
    house.observe(told(1, "a"), observed_at=NINE)
    assert house.observe(told(1, "b"), observed_at=NINE + timedelta(seconds=5)) is Merge.TIED
    assert stored_note(house) == "a"
    read_at = NINE + timedelta(seconds=6)
    assert house.observe(told(1, "b"), observed_at=read_at, is_authoritative=True) is Merge.MERGED
    assert stored_note(house) == "b"


def test_a_read_begun_before_the_stored_one_does_not_win_a_tie():
    house = House()
    house.observe(told(1, "new"), observed_at=NINE + timedelta(seconds=5))
    early = house.observe(told(1, "old"), observed_at=NINE, is_authoritative=True)
    assert early is Merge.TIED
    assert stored_note(house) == "new"


@pytest.mark.parametrize("order", list(permutations([told(1, "a"), told(1, "b"), told(1, "c")])))
def test_ties_that_nobody_can_fetch_end_alike_in_every_order(order):
    ends = set()
    for arrangement in (order, tuple(reversed(order))):
        house = House()
        for seen in arrangement:
            house.observe(seen, can_fetch=False)
        ends.add(stored_note(house))
    assert len(ends) == 1


def test_a_delete_of_something_never_seen_is_kept():
    house = House()
    assert house.observe(deleted(9)) is Merge.MERGED
    assert house.observe(told(1, "late create")) is Merge.OLDER
    assert stored_note(house) is None


def test_only_a_later_read_revives():
    house = House()
    house.observe(told(1, "a"), observed_at=NINE)
    house.observe(deleted(5), observed_at=NINE + timedelta(seconds=5))
    assert house.observe(told(9, "replayed")) is Merge.TIED
    early = house.observe(told(9, "x"), observed_at=NINE, is_authoritative=True)
    assert early is Merge.TIED
    later = NINE + timedelta(seconds=60)
    assert house.observe(told(2, "back"), observed_at=later, is_authoritative=True) is Merge.MERGED
    assert stored_note(house) == "back"


def test_a_seed_creates_and_never_updates():
    house = House()
    request = order_request(second=1, note="seed")
    assert house.observe(Seen(order_ref(), request, None, Part.REQUEST)) is Merge.MERGED
    assert house.observe(told(0, "real")) is Merge.MERGED
    assert house.observe(Seen(order_ref(), request, None, Part.REQUEST)) is Merge.IGNORED
    assert stored_note(house) == "real"


def test_the_word_of_a_non_owner_is_not_written():
    house = House()
    stock = Seen(ref(Kind.INVOICE, "shop", 7), order_request(), NINE, Part.RECORD)
    assert house.observe(stock) is Merge.IGNORED
    assert house.rows.query("Invoice#shop/7") == []


def test_a_child_tells_its_order():
    house = House()
    payment = Payment(
        order=order_ref(), amount="2.40", currency="GBP", at=NINE, status=SettlementStatus.SETTLED
    )
    seen = Seen(ref(Kind.PAYMENT, "shop", 77), payment, NINE, parent=order_ref())
    assert house.observe(seen) is Merge.MERGED
    assert house.rows.get("Order#shop/1", "CHILD#Payment#shop/77")
    assert house.link(order_ref(), "assess")["wanted"]
    assert house.announced() == ["EntityObserved", "EntityObserved"]


def test_what_changed_nothing_still_shows_on_the_timeline():
    house = House()
    house.observe(told(2, "b"))
    house.observe(told(1, "a"))
    outcomes = {row["outcome"] for row in house.rows.query("Order#shop/1", "TIMELINE#")}
    assert outcomes == {"merged", "older"}


@pytest.mark.parametrize(
    ("clock", "changed", "version"),
    [
        (Sequence(), 7, "s00000000000000000007"),
        (ReadTime(), NINE, "t2026-11-20T09:00:05.000000Z"),
        (Timestamp("second"), NINE, "t2026-11-20T09:00:00.000000Z"),
        (Sequence(), None, ""),
    ],
)
def test_the_version_is_by_the_platforms_clock(clock, changed, version):
    seen = Seen(order_ref(), order_request(), changed, Part.REQUEST)
    assert version_of(seen, clock, NINE + timedelta(seconds=5)) == version


@pytest.mark.parametrize(("clock", "changed"), [(Sequence(), NINE), (Timestamp(), 7)])
def test_a_clock_refuses_what_it_cannot_read(clock, changed):
    seen = Seen(order_ref(), order_request(), changed, Part.REQUEST)
    with pytest.raises(TypeError, match="cannot read"):
        version_of(seen, clock, NINE)


class Racing:
    """A table where a rival is quicker: its word is there when ours is written."""

    def __init__(self, house: House, times: int) -> None:
        self.house = house
        self.left = times

    def transact(self, writes) -> None:
        if self.left:
            self.left -= 1
            self.house.observe(told(9 - self.left, "the rival"))
        self.house.rows.transact(writes)

    def __getattr__(self, name):
        return getattr(self.house.rows, name)


def raced(times: int, second: int) -> tuple[House, Callable[[], Merge]]:
    house = House()
    observer = Observer(Racing(house, times), house.objects, house.bridge, house.clock)
    how = Circumstances(NINE, is_authoritative=False)
    return house, lambda: observer.observe("shop", told(second, "ours"), SECOND, how)


def test_who_loses_a_race_judges_anew():
    house, observe = raced(1, second=5)
    assert observe() is Merge.OLDER
    assert stored_note(house) == "the rival"
    house, observe = raced(3, second=20)
    assert observe() is Merge.MERGED
    assert stored_note(house) == "ours"


def test_a_storm_of_races_is_given_up_and_the_delivery_kept_elsewhere():
    _, observe = raced(MERGE_TRIES, second=99)
    with pytest.raises(TableUnavailableError, match="races"):
        observe()


class Forgetful:
    """A table whose first transaction is stored while its reply says that a condition failed."""

    def __init__(self, table) -> None:
        self.table = table
        self.is_first = True

    def transact(self, writes) -> None:
        self.table.transact(writes)
        if self.is_first:
            self.is_first = False
            raise ConditionFailedError([None], [0])

    def __getattr__(self, name):
        return getattr(self.table, name)


def test_f6_our_own_write_is_known_again_when_its_reply_was_lost():
    house = House()
    observer = Observer(Forgetful(house.rows), house.objects, house.bridge, house.clock)
    how = Circumstances(NINE, is_authoritative=False)
    assert observer.observe("shop", told(1, "a"), SECOND, how) is Merge.EQUAL
    assert stored_note(house) == "a"


def both_own_payments() -> House:
    shop, erp = BRIDGE["connections"]
    return House(connections=[shop, erp | {"roles": ["order.processing", "payment"]}])


def payment_of(connection: str, reference: str = "") -> Seen:
    body = Payment(
        order=order_ref(),
        amount=12,
        currency="GBP",
        gateway="card",
        at=NINE,
        status=SettlementStatus.SETTLED,
    )
    entity = ref(Kind.PAYMENT, connection, "p1")
    return Seen(entity, body, NINE, parent=order_ref(), reference=reference)


def tell_erp(house: House, seen: Seen) -> Merge:
    return house.observer.observe("erp", seen, SECOND, Circumstances(NINE, is_authoritative=True))


def test_a_document_we_made_is_no_news():
    house = both_own_payments()
    entity = str(ref(Kind.PAYMENT, "shop", "7"))
    house.rows.write(Write("EXTERNAL#erp#Payment#p1", "ENTITY", set={"entity": entity}))
    assert tell_erp(house, payment_of("erp")) is Merge.IGNORED


def test_a_document_that_carries_our_mark_is_no_news_though_its_answer_was_lost():
    assert tell_erp(both_own_payments(), payment_of("erp", "shop/7~1")) is Merge.IGNORED


@pytest.mark.parametrize("reference", ["", "shop", "INV/2026/7", "paid by cheque"])
def test_a_document_of_others_is_news(reference):
    assert tell_erp(both_own_payments(), payment_of("erp", reference)) is Merge.MERGED


def test_a_document_that_is_another_orders_now_counts_there_alone():
    house = House()
    first, second = house.place(1), house.place(2)
    entity = ref(Kind.PAYMENT, "shop", "p1")
    for order, when in ((first, 1), (second, 2)):
        body = payment_of("shop").body.model_copy(update={"order": order})
        house.observe(Seen(entity, body, NINE + timedelta(seconds=when), parent=order))
    load = Loader(house.rows, house.objects)
    assert load.view(first).children == ()
    assert [child.ref for child in load.view(second).children] == [entity]


def test_a_level_read_again_is_written_when_it_moved_or_would_count_as_old():
    house = WayBack(stock={"stale_after_hours": "1"})
    start = house.clock() + timedelta(seconds=10)
    verdicts = [
        house.observer.observe(
            "erp",
            Seen(ref(Kind.STOCK_LEVEL, "erp", "COLA330@WH"), level_at(on_hand, at), at),
            SECOND,
            Circumstances(at, is_authoritative=True),
        )
        for on_hand, at in (
            (100, start),
            (100, start + timedelta(minutes=15)),
            (99, start + timedelta(minutes=20)),
            (99, start + timedelta(minutes=51)),
        )
    ]
    assert verdicts == [Merge.MERGED, Merge.EQUAL, Merge.MERGED, Merge.MERGED]


def level_at(on_hand: int, at: datetime) -> StockLevel:
    product = ref(Kind.PRODUCT, "erp", "COLA330")
    return StockLevel(product=product, sku="COLA330", location="WH", on_hand=on_hand, as_of=at)
