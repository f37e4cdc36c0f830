from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from fizzbridge.errors import MappingError
from fizzbridge.model.catalogue import Product, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Payment, SettlementStatus
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.events import DetailType
from fizzbridge.model.order import OrderAssessment, OrderClass, OrderProcessing, PaymentStatus
from fizzbridge.model.party import Company, Contact
from fizzbridge.model.states import OrderState, SettlementState, settlement
from fizzbridge.observation import Seen
from fizzbridge.runtime.assess import (
    HOLDS_AT_ONCE,
    RELEASED_AT_ONCE,
    TOLD_AT_ONCE,
    Assessed,
    Assessor,
)
from fizzbridge.runtime.leases import acquire
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.view import View
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.clock import Clock
from tests.kit.house import (
    BRIDGE,
    ITEMS,
    SECOND,
    START,
    House,
    KilledError,
    customer_ref,
    line,
    order_ref,
    order_request,
    seen_customer,
)
from tests.kit.way_back import WayBack

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)


def view(house: House, number: int = 1) -> View:
    return Loader(house.rows, house.objects).view(order_ref(number))


def assessed(house: House, number: int = 1) -> OrderAssessment:
    found = view(house, number).assessment
    assert found is not None
    return found


def placed(house: House | None = None, **changes) -> House:
    house = house or House()
    house.place(**changes)
    house.drain()
    return house


def changed(house: House, second: int, **changes) -> None:
    request = order_request(second=second, **changes)
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))


def processed(house: House, state: OrderState, second: int = 1) -> None:
    """The ERP tells what it did with the order."""
    at = NINE.replace(second=second)
    body = OrderProcessing(number="S1", state=state, changed_at=at)
    seen = Seen(order_ref(), body, at, Part.PROCESSING)
    house.observer.observe("erp", seen, SECOND, Circumstances(house.clock(), False))
    house.drain()


def map_row(house: House, value: str, mapped: str) -> None:
    """Somebody says what one of the shop's codes is called by us."""
    stamp = to_text(house.clock())
    house.rows.write(Write("MAP#shop#sku", value, set={"mapped": mapped, "updated_at": stamp}))


def open_causes(house: House, number: int = 1) -> list[str]:
    found = house.rows.query(str(order_ref(number)), "HOLD#order#")
    return [str(row["cause"]) for row in found if "cause" in row]


# -- class -------------------------------------------------------------------------------------


def test_the_class_is_kept_with_the_rule_that_gave_it():
    bulk = placed(lines=[line("COLA330-CASE", 12)])
    assert assessed(bulk).order_class is OrderClass.BULK
    assert assessed(bulk).class_reason == "12 case-equivalents"
    assert assessed(placed()).class_reason == "no rule for bulk matched"


def test_the_class_fixed_on_the_account_counts():
    house = House()
    account = Customer(contact=Contact(name="Ada"), fixed_class=OrderClass.BULK)
    house.observe(Seen(customer_ref(), account, NINE))
    placed(house)
    assert assessed(house).class_reason == "fixed on the account"


def test_lines_are_counted_in_base_units_under_our_own_code():
    house = placed(lines=[line("COLA330-CASE", 2), line("LEMON1L", 3)])
    counted = [(one.sku, one.quantity and one.quantity.base) for one in assessed(house).lines]
    assert counted == [("COLA330", 48), ("LEMON1L", 3)]


def test_the_assessment_holds_nothing_of_a_person():
    house = placed(note="ring Ada", contact=Contact(name="Ada", email="ada@x.test"))
    assert "Ada" not in assessed(house).model_dump_json()


# -- routes ------------------------------------------------------------------------------------


def routed(where: dict[str, list[str]], **changes) -> tuple[str, ...]:
    route = {"kinds": ["Order"], "from": ["shop"], "to": ["erp"], "where": where}
    return assessed(placed(House(routes=[route]), **changes)).targets


@pytest.mark.parametrize(
    ("where", "changes", "targets"),
    [
        ({}, {}, ("erp",)),
        ({"class": ["BULK"]}, {}, ()),
        ({"class": ["BULK"]}, {"company": Company(id="c1")}, ("erp",)),
        ({"class": ["BULK", "RETAIL"], "ship_country": ["GB", "IE"]}, {}, ("erp",)),
        ({"class": ["RETAIL"], "ship_country": ["IE"]}, {}, ()),
        ({"ship_country": ["GB"]}, {"ship_to": None}, ()),
        ({"channel": ["pos"]}, {"channel": "pos"}, ("erp",)),
        ({"channel": ["pos"]}, {"channel": "web"}, ()),
        ({"currency": ["EUR"]}, {}, ()),
    ],
)
def test_a_route_takes_what_meets_all_its_conditions(where, changes, targets):
    assert routed(where, **changes) == targets


def test_an_order_of_another_source_or_kind_is_not_routed():
    for route in (
        {"kinds": ["Order"], "from": ["erp"], "to": ["erp"]},
        {"kinds": ["Invoice"], "from": ["shop"], "to": ["erp"]},
    ):
        house = placed(House(routes=[route]))
        assert assessed(house).targets == ()
        assert house.link(order_ref()) == {}


def test_a_test_order_is_assessed_and_goes_nowhere():
    house = placed(is_test=True)
    assert (assessed(house).skipped, assessed(house).targets) == ("test order", ())
    house.settle()
    assert house.orders.objects == {}


def test_other_kinds_are_routed_too_and_stay_routed():
    routes = [{"kinds": ["Customer"], "from": ["shop"], "to": ["erp"]}]
    house = House(routes=routes)
    house.observe(Seen(customer_ref(), Customer(contact=Contact(name="Ada")), NINE))
    house.settle()
    (held,) = house.customers.of("shop/c1")
    assert held.payload is not None
    assert held.payload.name == "Ada"
    assert house.announced().count(DetailType.CUSTOMER_CHANGED) == 1


# -- holds -------------------------------------------------------------------------------------


def test_every_unknown_line_holds_for_itself_and_the_last_one_known_releases():
    house = placed(lines=[line("KOLA"), line("COLA330"), line("LEMONADE")])
    assert assessed(house).state is OrderState.HELD
    assert open_causes(house) == ["MAP#shop#sku/KOLA", "MAP#shop#sku/LEMONADE"]
    map_row(house, "KOLA", "COLA330")
    house.drain()
    assert open_causes(house) == ["MAP#shop#sku/LEMONADE"]
    assert assessed(house).state is OrderState.HELD
    assert house.orders.objects == {}
    map_row(house, "LEMONADE", "LEMON1L")
    house.drain()
    assert (open_causes(house), assessed(house).state) == ([], OrderState.CONFIRMED)
    assert [one.sku for one in assessed(house).lines] == ["COLA330", "COLA330", "LEMON1L"]
    types = [kind for kind in house.announced() if kind in {"OrderHeld", "OrderReleased"}]
    assert types == ["OrderHeld", "OrderReleased"]


def test_a_hold_says_what_it_waits_for_and_what_was_probably_meant():
    house = placed(lines=[line("cola330 ")])
    (hold,) = assessed(house).holds
    assert (
        hold.message
        == "line l-cola330 : SKU cola330  is not in the catalogue; did you mean COLA330?"
    )
    (row,) = house.rows.query("Order#shop/1", "HOLD#")
    assert (row["blocks"], row["by"], row["message"]) == ("export", "assess", hold.message)


def test_a_line_without_a_code_is_named_by_its_id():
    house = placed(lines=[line(None, id="77")])
    assert open_causes(house) == ["MAP#shop#sku/77"]
    assert "line 77 without SKU" in assessed(house).holds[0].message


def test_what_is_no_stock_item_needs_no_mapping():
    house = placed(lines=[line("GIFT", is_stocked=False)])
    assert assessed(house).holds == ()


def test_an_edit_that_drops_the_unknown_line_closes_its_hold():
    house = placed(lines=[line("KOLA")])
    changed(house, 5, lines=[line("COLA330")])
    house.settle()
    assert open_causes(house) == []
    (row,) = house.rows.query("Order#shop/1", "HOLD#")
    assert row["released_cause"] == "MAP#shop#sku/KOLA"
    (held,) = house.orders.of("shop/1")
    assert held.payload is not None
    assert held.payload.lines == ("COLA330 2",)


def test_a_map_to_nothing_we_sell_keeps_holding():
    house = placed(lines=[line("KOLA")])
    map_row(house, "KOLA", "GONE")
    house.settle()
    assert open_causes(house) == ["MAP#shop#sku/KOLA"]
    assert house.orders.objects == {}


def test_an_order_of_hundreds_of_unknown_lines_is_held_and_comes_free():
    codes = [f"NEW{number:03}" for number in range(HOLDS_AT_ONCE + 10)]
    house = placed(lines=[line(code) for code in codes])
    assert len(assessed(house).holds) == len(codes)
    assert len(open_causes(house)) == HOLDS_AT_ONCE
    for code in codes:
        map_row(house, code, "COLA330")
        house.drain()
        assert len(open_causes(house)) <= HOLDS_AT_ONCE
    assert (open_causes(house), assessed(house).state) == ([], OrderState.CONFIRMED)
    house.settle()
    assert len(house.orders.of("shop/1")) == 1


def test_an_edit_may_close_and_open_as_many_holds_as_there_can_be():
    house = placed(lines=[line(f"OLD{number}") for number in range(2 * HOLDS_AT_ONCE)])
    changed(house, 5, lines=[line(f"NEW{number}") for number in range(2 * HOLDS_AT_ONCE)])
    house.drain()
    assert len(open_causes(house)) == HOLDS_AT_ONCE
    assert all("NEW" in cause for cause in open_causes(house))


def test_one_run_releases_what_it_has_time_for_and_says_that_more_may_wait():
    house = House()
    for number in range(1, RELEASED_AT_ONCE + 3):
        house.place(number, lines=[line("KOLA")])
    house.drain()
    map_row(house, "KOLA", "GONE")
    cause = "MAP#shop#sku/KOLA"
    assert not house.assessor.release_holds(cause, "e1", "a"), "of no use, so it must end"
    map_row(house, "KOLA", "COLA330")
    house.messages.clear()
    assert house.assessor.release_holds(cause, "e2", "b")
    assert not house.assessor.release_holds(cause, "e2", "c")
    waiting = [n for n in range(1, RELEASED_AT_ONCE + 3) if open_causes(house, n)]
    assert waiting == []


class Impatient:
    """A table whose every transaction is followed by a worker that looks at the order."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.seen: list[tuple[str, int]] = []

    def _look(self) -> None:
        house = self.house
        house.rows.write(Write("Order#shop/1", "LINK#erp", set={"wanted": f"w{len(self.seen)}"}))
        house.converge.run(order_ref(), f"impatient-{len(self.seen)}")
        self.seen.append((str(assessed(house).state), len(house.orders.objects)))

    def write(self, write):
        row = self.house.rows.write(write)
        self._look()
        return row

    def transact(self, writes) -> None:
        self.house.rows.transact(writes)
        self._look()

    def __getattr__(self, name):
        return getattr(self.house.rows, name)


def test_nothing_is_exported_between_the_release_of_a_hold_and_the_new_assessment():
    house = placed(lines=[line("KOLA")])
    map_row(house, "KOLA", "COLA330")
    house.messages.clear()
    table = Impatient(house)
    assessor = Assessor(table, house.objects, house.rules, house.clock)
    assessor.release_holds("MAP#shop#sku/KOLA", "e1", "a")
    assert table.seen[-1] == ("CONFIRMED", 1)
    assert {made for state, made in table.seen if state == "HELD"} == {0}


class StaleIndex:
    """An index that still lists a hold that has been released."""

    def __init__(self, house: House, *keys: tuple[str, str]) -> None:
        self.house = house
        self.keys = list(keys)

    def index(self, name, pk, *, up_to=None, limit=100):
        return self.keys

    def __getattr__(self, name):
        return getattr(self.house.rows, name)


def test_what_somebody_else_has_released_meanwhile_is_left_as_it_is():
    house = House()
    house.orders.refuse = MappingError("no product", cause="MAP#erp#sku/X")
    placed(house)
    house.orders.refuse = None
    (hold,) = house.rows.query("Order#shop/1", "HOLD#erp#")
    assert not house.assessor.release_holds("MAP#erp#sku/X", "e1", "first")
    (released,) = house.rows.query("Order#shop/1", "HOLD#erp#")
    assert released["by"] == "map"
    table = StaleIndex(house, ("Order#shop/1", str(hold["sk"])))
    late = Assessor(table, house.objects, house.rules, house.clock)
    assert not late.release_holds("MAP#erp#sku/X", "e1", "second")
    assert house.rows.query("Order#shop/1", "HOLD#erp#") == [released]


def test_an_account_that_is_gone_is_nothing_to_assess():
    house = House()
    house.observe(Seen(customer_ref(), None, NINE))
    house.settle()
    assert house.rows.get(str(customer_ref()), "PART#assessment") is None
    assert house.link(customer_ref(), "assess")["status"] == "synced"


# -- the state of the order ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([], OrderState.CONFIRMED),
        ([OrderState.RELEASED], OrderState.RELEASED),
        ([OrderState.RELEASED, OrderState.CLOSED], OrderState.CLOSED),
        ([OrderState.CLOSED], OrderState.CLOSED),
        ([OrderState.CANCELLED], OrderState.CANCELLED),
        ([OrderState.CLOSED, OrderState.RELEASED], OrderState.CLOSED),
    ],
)
def test_i10_the_erps_word_ends_alike_however_much_of_it_we_saw(told, state):
    house = placed()
    for second, one in enumerate(told, 1):
        processed(house, one, second)
    assert assessed(house).state is state


def test_the_erps_word_may_come_before_the_order():
    house = House()
    processed(house, OrderState.RELEASED)
    assert view(house).assessment is None
    placed(house)
    assert assessed(house).state is OrderState.RELEASED


def test_an_order_the_shop_deleted_is_cancelled_for_everyone_else():
    house = placed()
    house.settle()
    house.observe(Seen(order_ref(), None, NINE.replace(minute=5), Part.REQUEST))
    house.settle()
    assert assessed(house).state is OrderState.CANCELLED
    (held,) = house.orders.of("shop/1")
    assert held.is_cancelled
    assert house.announced().count(DetailType.ORDER_CANCELLED) == 1


def test_an_order_deleted_before_anybody_looked_is_never_made():
    house = House()
    house.observe(Seen(order_ref(), None, NINE, Part.REQUEST))
    house.settle()
    assert view(house).assessment is None
    assert house.announced() == ["EntityObserved"]
    assert house.link(order_ref(), "assess")["status"] == "synced"


def paid(number: int = 77, amount: str = "2.40") -> Seen:
    body = Payment(
        order=order_ref(),
        amount=amount,
        currency="GBP",
        at=NINE.replace(second=1),
        status=SettlementStatus.SETTLED,
    )
    return Seen(ref(Kind.PAYMENT, "shop", number), body, body.at, parent=order_ref())


def test_a_payment_changes_nothing_of_what_we_make_of_the_order():
    house = placed()
    before = view(house).parts[Part.ASSESSMENT]
    house.observe(paid())
    house.drain()
    assert view(house).parts[Part.ASSESSMENT] == before
    assert DetailType.ORDER_CHANGED not in house.announced()
    assert house.announced().count(DetailType.PAYMENT_RECEIVED) == 1


def told(status: PaymentStatus) -> Seen:
    request = order_request(second=1, payment_status=status)
    return Seen(order_ref(), request, request.changed_at, Part.REQUEST)


@pytest.mark.parametrize(
    "arrival",
    list(permutations([told(PaymentStatus.PENDING), told(PaymentStatus.PAID), paid()])),
    ids=lambda order: "-".join(str(seen.ref.kind) for seen in order),
)
def test_created_and_paid_in_one_second_ends_paid_in_every_order_of_arrival(arrival):
    house = House()
    house.observe(seen_customer())
    for seen in arrival:
        house.observe(seen)
        house.drain()
    house.settle()
    now = view(house)
    amounts = [payment.amount for payment in now.records(Payment)]
    assert now.request is not None
    assert settlement(now.request.totals.gross, amounts, []) is SettlementState.PAID
    assert len(house.orders.of("shop/1")) == 1


# -- frozen at the first assessment --------------------------------------------------------------


def test_the_tax_point_is_the_companys_day_and_stays_what_it_was():
    # 23:30 in London is another day in Auckland.
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    company = BRIDGE["company"] | {"time_zone": "Pacific/Auckland"}
    house = placed(House(company=company), placed_at=late)
    assert assessed(house).tax_point == date(2026, 11, 21)
    changed(house, 5, placed_at=datetime(2026, 12, 24, tzinfo=UTC))
    house.drain()
    assert assessed(house).tax_point == date(2026, 11, 21)


def test_i14_a_pack_size_of_a_later_day_does_not_alter_an_order():
    old, new = (
        ITEMS[0].model_copy(update={"valid_to": date(2026, 11, 30)}),
        ITEMS[0].model_copy(update={"valid_from": date(2026, 12, 1), "units_per_case": 20}),
    )
    house = House(items=[old, new])
    placed(house, lines=[line("COLA330-CASE", 1)])
    house.clock.advance(30 * 24 * 3600)
    changed(house, 5, lines=[line("COLA330-CASE", 2)], note="in December")
    house.drain()
    (one,) = assessed(house).lines
    assert one.quantity is not None
    assert (one.quantity.factor, one.quantity.base) == (24, 48)


def test_what_was_placed_before_the_start_is_historical():
    assert assessed(placed(placed_at=START.replace(year=2025))).is_historical
    assert not assessed(placed(placed_at=START)).is_historical


# -- the run ------------------------------------------------------------------------------------


def test_nothing_moved_nothing_written():
    house = placed()
    before = house.rows.rows()
    assert house.assessor.run(order_ref(), "again") is Assessed.UNCHANGED
    after = house.rows.rows()
    assert [row | {"fence": 0} for row in after] == [row | {"fence": 0} for row in before]


def test_a_busy_order_is_left_to_whoever_is_at_it():
    house = House()
    house.place()
    lease = house.bridge.timing.lease
    acquire(house.rows, "Order#shop/1", "LINK#assess", "other", lease, house.clock())
    assert house.assessor.run(order_ref(), "late") is Assessed.BUSY
    assert view(house).assessment is None
    house.messages.clear()
    house.settle()
    assert assessed(house).number == "#1"


class Meddling:
    """A table where the shop tells more at the very moment assess wants to write."""

    def __init__(self, house: House, times: int) -> None:
        self.house = house
        self.left = times

    def transact(self, writes) -> None:
        if self.left:
            self.left -= 1
            changed(self.house, 50 - self.left, note=f"{self.left} more")
        self.house.rows.transact(writes)

    def __getattr__(self, name):
        return getattr(self.house.rows, name)


def meddled(times: int) -> tuple[House, Assessed]:
    house = House()
    house.place()
    assessor = Assessor(Meddling(house, times), house.objects, house.rules, Clock())
    return house, assessor.run(order_ref(), "meddled")


def test_what_moves_during_the_run_is_assessed_in_the_next_round():
    house, how = meddled(2)
    assert how is Assessed.DONE
    request = view(house).request
    assert request is not None
    assert assessed(house).content == request.fingerprint()
    assert house.link(order_ref(), "assess")["status"] == "synced"


def test_what_keeps_moving_is_left_to_the_sweeper():
    house, how = meddled(3)
    assert how is Assessed.BUSY
    link = house.link(order_ref(), "assess")
    assert "holder" not in link
    assert "behind_shard" in link
    house.messages.clear()
    house.settle()
    assert assessed(house).number == "#1"


# -- assess and converge ---------------------------------------------------------------------------


def test_a_request_that_is_not_assessed_yet_is_never_exported():
    house = placed()
    house.settle()
    changed(house, 5, lines=[line("COLA330-CASE", 1)])
    link = house.link(order_ref())
    house.rows.write(Write("Order#shop/1", "LINK#erp", set={"wanted": "an older message"}))
    assert house.converge.run(order_ref(), "early").kind == "dropped"
    (held,) = house.orders.of("shop/1")
    assert held.payload is not None
    assert held.payload.lines == ("COLA330 2",)
    house.settle()
    assert held.payload.lines == ("COLA330-CASE 1",)
    assert house.link(order_ref())["external_id"] == link["external_id"]


def test_a_change_of_the_note_alone_reaches_the_target_without_the_sweeper():
    house = placed()
    before = house.link(order_ref())["synced"]
    changed(house, 5, note="ring twice")
    house.drain()
    link = house.link(order_ref())
    assert link["wanted"] == link["synced"] != before


def test_an_order_is_found_by_its_number_and_by_its_day():
    house = placed()
    assert [row["sk"] for row in house.rows.query("NUMBER##1")] == ["Order#shop/1"]
    assert [row["sk"] for row in house.rows.query("PLACED#shop#2026-11-20")] == ["Order#shop/1"]


# -- those who did not fit in the transaction -----------------------------------------------------


class Dying:
    """A table at which the process dies when it begins to tell what did not fit."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._is_written = False

    def transact(self, writes) -> None:
        self._house.rows.transact(writes)
        self._is_written = True

    def write(self, change):
        if self._is_written:
            raise KilledError
        return self._house.rows.write(change)

    def __getattr__(self, name):
        return getattr(self._house.rows, name)


def many_levels() -> tuple[WayBack, EntityRef]:
    """Levels of a product nobody knows yet, more than it can tell in one transaction."""
    house = WayBack()
    product = ref(Kind.PRODUCT, "erp", "7")
    for number in range(TOLD_AT_ONCE + 5):
        level = ref(Kind.STOCK_LEVEL, "erp", f"COLA330@W{number:02}")
        body = StockLevel(product=product, location=f"W{number:02}", on_hand=1, as_of=house.clock())
        house.told(level, body)
    house.settle()
    return house, product


def dies(house: WayBack, product: EntityRef, holder: str) -> None:
    dying = Assessor(Dying(house), house.objects, house.rules, house.clock)
    with pytest.raises(KilledError):
        dying.run(product, holder)


def heard(house: WayBack, sku: str) -> int:
    return len(house.rows.query(f"STOCK#{sku}", "LEVEL#"))


def test_who_is_told_after_the_transaction_is_told_though_the_process_dies():
    house, product = many_levels()
    house.told(product, Product(sku="COLA330", name="Cola"))
    dies(house, product, "first")
    house.messages.clear()
    house.settle()
    assert heard(house, "COLA330") == TOLD_AT_ONCE + 5


def test_a_late_run_takes_away_no_list_but_its_own():
    house, product = many_levels()

    class Late:
        """When the first run is about to end, the second has come, and died."""

        def write(self, change):
            if list(change.remove) == ["tell"]:
                house.told(product, Product(sku="LEMON1L", name="Lemon"))
                dies(house, product, "second")
            return house.rows.write(change)

        def __getattr__(self, name):
            return getattr(house.rows, name)

    house.told(product, Product(sku="COLA330", name="Cola"))
    Assessor(Late(), house.objects, house.rules, house.clock).run(product, "first")
    assert house.link(product, "assess")["tell"]
    house.settle()
    assert "tell" not in house.link(product, "assess")
    assert heard(house, "LEMON1L") == TOLD_AT_ONCE + 5


# -- what comes twice ------------------------------------------------------------------------------


def test_a_repeated_release_does_not_hide_what_was_told_in_between():
    house = WayBack()
    house.stock("COLA330", 10)
    house.settle()
    house.place(lines=[line("COLA330", 60)])
    house.settle()
    assert open_causes(house) == ["STOCK#COLA330"]
    house.assessor.release_holds("STOCK#COLA330", "event-1", "first")
    house.settle()
    house.place(lines=[line("COLA330", 60)], second=30, cancelled_at=house.clock())
    house.assessor.release_holds("STOCK#COLA330", "event-1", "second")
    house.settle()
    assert assessed(house).state is OrderState.CANCELLED
