from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from fizzbridge.errors import ConfigurationError, MappingError, TargetRejectedError
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Payment, SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.events import EVENT_MODELS, DetailType, Event, OrderEvent
from fizzbridge.model.party import Contact
from fizzbridge.observation import Seen
from fizzbridge.runtime import rows
from fizzbridge.runtime.breaker import Breaker
from fizzbridge.runtime.facts import EVENT_LIMIT_BYTES, facts
from fizzbridge.runtime.leases import Lease, acquire, release
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import MemoryObjects
from fizzbridge.state.table import Write
from tests.kit.clock import Clock
from tests.kit.house import START, House, customer_ref, line, order_ref, order_request

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
OBJECTS = MemoryObjects()
SCHEMAS = Path(__file__).parents[3] / "events" / "schemas"


class Stream:
    """A table, and what its stream says."""

    def __init__(self) -> None:
        self.changes: list[tuple] = []
        self.table = MemoryTable(on_change=lambda *change: self.changes.append(change))
        self.clock = Clock()

    def facts(self) -> list:
        """The facts of what changed since the last look."""
        changes, self.changes = self.changes, []
        return [fact for change in changes for fact in facts(*change, OBJECTS)]

    def types(self) -> list[str]:
        return [str(detail_type) for detail_type, _ in self.facts()]

    def link(self, sk: str = "LINK#erp", pk: str = "Order#shop/1", **attributes) -> None:
        known = {"updated_at": to_text(self.clock())}
        self.table.write(Write(pk, sk, set=known | attributes))

    def assess(self, entity, state: str = "", content: str = "c1", **also) -> None:
        body = RecordAssessment(state=state, content=content, **also)
        row = rows.part_row(
            body, version="s1", connection="shop", observed_at=self.clock(), objects=OBJECTS
        )
        self.table.write(Write(str(entity), "PART#assessment", set=row, replace=True))


@pytest.fixture
def stream():
    return Stream()


def changed(house: House, second: int, **changes) -> None:
    request = order_request(second=second, **changes)
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    house.drain()


def of(house: House, *names: str) -> list[str]:
    return [name for name in house.announced() if name in names]


ORDER_EVENTS = ("OrderPlaced", "OrderChanged", "OrderCancelled", "OrderHeld", "OrderReleased")


# -- each row of the table of facts -----------------------------------------------------------


def test_entity_observed_when_what_assess_wants_moved(stream):
    stream.link("LINK#assess", wanted="w1", correlation_id="c-7")
    ((detail_type, event),) = stream.facts()
    assert detail_type == DetailType.ENTITY_OBSERVED
    assert (event.kind, event.key, event.connection) == (Kind.ORDER, "shop/1", "shop")
    assert event.correlation_id == "c-7"
    stream.link("LINK#assess", synced="w1")
    assert stream.facts() == []


def test_an_orders_life_in_facts():
    house = House()
    house.place()
    house.drain()
    assert of(house, *ORDER_EVENTS) == ["OrderPlaced"]
    changed(house, 2, lines=[line(quantity=3)])
    assert of(house, *ORDER_EVENTS)[1:] == ["OrderChanged"]
    changed(house, 3, lines=[line("KOLA")])
    assert of(house, *ORDER_EVENTS)[2:] == ["OrderHeld"]
    changed(house, 4, lines=[line("KOLA"), line("LEMONADE")])
    assert of(house, *ORDER_EVENTS)[3:] == ["OrderHeld"]
    changed(house, 5, lines=[line()])
    assert of(house, *ORDER_EVENTS)[4:] == ["OrderReleased"]
    changed(house, 6, cancelled_at=NINE)
    assert of(house, *ORDER_EVENTS)[5:] == ["OrderCancelled"]
    changed(house, 7, cancelled_at=NINE, note="sorry")
    assert of(house, *ORDER_EVENTS)[6:] == ["OrderChanged"]


def test_an_order_held_from_the_start_is_placed_and_held():
    house = House()
    house.place(lines=[line("KOLA")])
    house.drain()
    assert of(house, *ORDER_EVENTS) == ["OrderPlaced", "OrderHeld"]
    placed = next(event for name, event in house.events if name == DetailType.ORDER_PLACED)
    assert placed.holds == ("MAPPING",)
    assert placed.targets == ("erp",)


def test_what_was_placed_before_the_cut_over_is_no_news_for_people():
    house = House()
    house.place(placed_at=START.replace(year=2025))
    house.drain()
    assert of(house, *ORDER_EVENTS) == ["OrderChanged"]


@pytest.mark.parametrize(
    ("kind", "state", "detail_type"),
    [
        (Kind.CUSTOMER, "", DetailType.CUSTOMER_CHANGED),
        (Kind.PRODUCT, "", DetailType.PRODUCT_CHANGED),
        (Kind.PRICE, "", DetailType.PRICE_CHANGED),
        (Kind.STOCK_LEVEL, "", DetailType.STOCK_LEVEL_CHANGED),
        (Kind.SHIPMENT, "PLANNED", None),
        (Kind.SHIPMENT, "DISPATCHED", DetailType.SHIPMENT_DISPATCHED),
        (Kind.SHIPMENT, "DELIVERED", DetailType.SHIPMENT_DELIVERED),
        (Kind.INVOICE, "DRAFT", None),
        (Kind.INVOICE, "ISSUED", DetailType.INVOICE_ISSUED),
        (Kind.INVOICE, "VOIDED", DetailType.INVOICE_VOIDED),
        (Kind.PAYMENT, "PENDING", None),
        (Kind.PAYMENT, "SETTLED", DetailType.PAYMENT_RECEIVED),
        (Kind.REFUND, "SETTLED", DetailType.REFUND_ISSUED),
        (Kind.REFUND, "FAILED", None),
        (Kind.RETURN, "REQUESTED", DetailType.RETURN_REQUESTED),
        (Kind.RETURN, "RECEIVED", DetailType.RETURN_RECEIVED),
    ],
)
def test_other_kinds_by_their_state(stream, kind, state, detail_type):
    stream.assess(ref(kind, "shop", 7), state)
    assert stream.types() == ([detail_type] if detail_type else [])


def test_an_entitys_event_names_its_order_and_amount(stream):
    money = {"order": order_ref(), "amount": Decimal("2.40"), "currency": "GBP"}
    stream.assess(ref(Kind.PAYMENT, "shop", 7), "SETTLED", **money, targets=("erp",))
    ((_, event),) = stream.facts()
    assert (event.order, event.amount, event.currency) == ("shop/1", Decimal("2.40"), "GBP")
    assert event.targets == ("erp",)


def test_the_same_assessment_again_is_no_fact(stream):
    entity = ref(Kind.PRODUCT, "erp", 7)
    stream.assess(entity)
    assert len(stream.facts()) == 1
    stream.assess(entity)
    assert stream.facts() == []


@pytest.mark.parametrize("kind", Kind)
def test_booked_once_and_synced_from_then_on(stream, kind):
    pk = f"{kind}#shop/1"
    first = "OrderBooked" if kind is Kind.ORDER else f"{kind}Synced"
    stream.link(pk=pk, external_id="S1")
    assert stream.types() == [first]
    stream.link(pk=pk, stamp="a")
    stream.link(pk=pk, stamp="b", synced="w")
    assert stream.types() == [f"{kind}Synced"] * 2
    stream.link(pk=pk, synced="w2")
    assert stream.types() == []


def test_what_was_booked_in_the_end_says_nothing_of_the_attempts_before(stream):
    stream.link(pk="Order#shop/1", external_id="S1", reason="unavailable", cause="LINK#erp#held")
    [(_, booked)] = stream.facts()
    assert (booked.external_id, booked.reason, booked.cause) == ("S1", "", "")


def test_export_failed_when_a_link_is_parked_and_not_when_it_is_held():
    house = House()
    house.orders.refuse = TargetRejectedError("no credit", code="CREDIT")
    house.place()
    house.settle()
    (failed,) = [event for name, event in house.events if name == DetailType.EXPORT_FAILED]
    assert (failed.connection, failed.reason, failed.key) == ("erp", "CREDIT", "shop/1")
    held = House()
    held.orders.refuse = MappingError("no product", cause="MAP#erp#sku/X")
    held.place()
    held.settle()
    assert of(held, "ExportFailed", "OrderHeld") == ["OrderHeld"]


def test_connection_troubled_once(stream):
    breaker = Breaker(stream.table, "erp", stream.clock)
    for _ in range(3):
        breaker.heard(ConfigurationError("key expired", code="401"))
    ((detail_type, event),) = stream.facts()
    assert detail_type == DetailType.CONNECTION_TROUBLED
    assert (event.connection, event.reason) == ("erp", "401")
    for _ in range(3):
        stream.clock.advance(901)
        breaker.probe()
        breaker.heard(ConfigurationError("still expired", code="401"))
    assert stream.facts() == []
    stream.clock.advance(901)
    breaker.probe()
    breaker.heard(None)
    assert stream.facts() == []
    breaker.heard(ConfigurationError("key expired"))
    assert stream.types() == ["ConnectionTroubled"]


def test_a_pause_is_nobodys_trouble(stream):
    breaker = Breaker(stream.table, "erp", stream.clock)
    breaker.pause("ann", "stocktaking")
    breaker.resume()
    assert stream.facts() == []


def test_mapping_changed_also_when_the_same_is_said_again(stream):
    said = {"mapped": "COLA330", "updated_at": to_text(stream.clock())}
    stream.table.write(Write("MAP#shop#sku", "KOLA", set=said))
    ((detail_type, event),) = stream.facts()
    assert (detail_type, event.cause) == (DetailType.CAUSE_CHANGED, "MAP#shop#sku/KOLA")
    again = {"mapped": "COLA330", "updated_at": to_text(stream.clock())}
    stream.table.write(Write("MAP#shop#sku", "KOLA", set=again))
    assert stream.types() == ["CauseChanged"]


# -- what is no fact -----------------------------------------------------------------------------


@pytest.mark.parametrize("sk", ["LINK#erp", "LINK#assess"])
def test_leases_intents_and_attempts_are_nobodys_business(stream, sk):
    stream.link(sk, wanted="w")
    stream.facts()
    lease = acquire(stream.table, "Order#shop/1", sk, "worker", 70, stream.clock())
    assert isinstance(lease, Lease)
    stream.link(sk, intent=to_text(stream.clock()), attempts=2, reason="internal")
    release(stream.table, lease)
    assert len(stream.changes) == 3
    assert stream.facts() == []


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("Order#shop/1", "TIMELINE#2026#x"),
        ("Order#shop/1", "PART#request"),
        ("Order#shop/1", "CHILD#Payment#shop/7"),
        ("Order#shop/1", "HOLD#order#MAPPING#x"),
        ("EXTERNAL#erp#Order#S1", "ENTITY"),
        ("CONNECTION#erp", "SLOTS"),
        ("NUMBER##1", "Order#shop/1"),
    ],
)
def test_other_rows_say_nothing(stream, pk, sk):
    stream.table.write(Write(pk, sk, set={"x": "1", "updated_at": to_text(stream.clock())}))
    assert stream.facts() == []


def test_a_row_that_goes_away_says_nothing(stream):
    stream.link(wanted="w", external_id="S1")
    stream.facts()
    stream.table.write(Write("Order#shop/1", "LINK#erp", delete=True))
    assert stream.facts() == []


# -- ids and sizes --------------------------------------------------------------------------------


def lived() -> House:
    """A house that has said everything it can say of an order, a payment and a connection."""
    house = House()
    house.place(lines=[line("KOLA")])
    house.drain()
    body = Payment(
        order=order_ref(), amount="1", currency="GBP", at=NINE, status=SettlementStatus.SETTLED
    )
    house.observe(Seen(ref(Kind.PAYMENT, "shop", 7), body, NINE, parent=order_ref()))
    stamp = to_text(house.clock())
    house.rows.write(Write("MAP#shop#sku", "KOLA", set={"mapped": "COLA330", "updated_at": stamp}))
    house.settle()
    Breaker(house.rows, "erp", house.clock).heard(ConfigurationError("no"))
    return house


def test_the_same_changes_give_the_same_events_with_the_same_ids():
    changes: list[tuple] = []
    house = lived()
    table = MemoryTable(on_change=lambda *change: changes.append(change))
    for row in house.rows.rows():
        kept = {name: value for name, value in row.items() if name not in {"pk", "sk"}}
        table.write(Write(str(row["pk"]), str(row["sk"]), set=kept, replace=True))
    once, twice = (
        [fact for change in changes for fact in facts(*change, house.objects)] for _ in range(2)
    )
    assert len(once) > 6
    assert once == twice
    assert len({event.event_id for _, event in once}) == len(once)


def test_no_two_events_of_a_life_share_an_id():
    events = lived().events
    assert len({event.event_id for _, event in events}) == len(events) > 8


def test_ids_of_what_people_are_told_have_no_moment_in_them():
    """A table that was restored takes in again what it knew, later, and tells nobody twice."""
    ids = []
    for later in (0, 3600):
        stream = Stream()
        stream.clock.advance(later)
        stream.link(wanted="w", external_id="S1")
        stream.link(stamp="a")
        stream.link(status="parked", reason="rejected")
        stream.assess(ref(Kind.SHIPMENT, "erp", "1"), "DISPATCHED")
        ids.append([event.event_id for _, event in stream.facts()])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 4


def test_a_document_that_goes_elsewhere_too_is_no_news_of_it(stream):
    shipment = ref(Kind.SHIPMENT, "erp", "1")
    stream.assess(shipment, "DISPATCHED")
    stream.assess(shipment, "DISPATCHED", targets=("shop",))
    stream.assess(shipment, "DISPATCHED", content="c2")
    first, elsewhere, other = (event.event_id for _, event in stream.facts())
    assert first == elsewhere != other


def test_parked_again_after_a_redrive_is_news_again(stream):
    stream.link(status="parked", reason="rejected", wanted="w")
    stream.link(status="behind", redriven=1)
    stream.link(status="parked", reason="rejected")
    first, again = (event.event_id for _, event in stream.facts())
    assert first != again


def test_held_again_and_let_go_again_for_the_same_is_news_each_time():
    house = House()
    house.place(lines=[line("KOLA")])
    house.drain()
    for _ in range(2):
        mapped = {"mapped": "COLA330", "updated_at": to_text(house.clock())}
        house.rows.write(Write("MAP#shop#sku", "KOLA", set=mapped))
        house.drain()
        house.rows.write(Write("MAP#shop#sku", "KOLA", delete=True))
        again = rows.token(to_text(house.clock()))
        house.rows.write(rows.want(order_ref(), rows.ASSESS, again, house.clock()))
        house.drain()
    told = [(name, event.event_id) for name, event in house.events if name in ORDER_EVENTS]
    names = [name for name, _ in told]
    assert names == ["OrderPlaced", "OrderHeld", *["OrderReleased", "OrderHeld"] * 2]
    assert len({event_id for _, event_id in told}) == len(told)


def test_a_row_that_a_restore_puts_back_is_no_news(stream):
    stream.link(external_id="S1", restored="op1")
    assert stream.facts() == []
    stream.link(external_id="S2")
    assert stream.types() == ["OrderBooked"]
    stream.link(external_id="S1", restored="op2")
    assert stream.facts() == []


def test_every_event_is_what_its_detail_type_promises():
    for detail_type, event in lived().events:
        assert type(event) is EVENT_MODELS[detail_type]
        if isinstance(event, Event):
            assert EVENT_MODELS[detail_type].model_validate_json(event.model_dump_json()) == event


def test_every_event_is_what_its_published_schema_promises():
    for detail_type, event in lived().events:
        schema = json.loads((SCHEMAS / f"{detail_type}.v1.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        assert list(validator.iter_errors(json.loads(event.model_dump_json()))) == []


def order_events(lines) -> list[OrderEvent]:
    house = House()
    house.place(lines=lines)
    house.drain()
    return [event for _, event in house.events if isinstance(event, OrderEvent)]


@pytest.mark.parametrize(
    "lines",
    [
        [line("COLA330", 1, id=f"{number}", amount="1234567.89") for number in range(500)],
        [line("\N{BEER MUG}" * 255, 1, id=f"{number}", is_stocked=True) for number in range(150)],
    ],
    ids=["500 lines", "long codes"],
)
def test_f8_an_event_stays_below_64_kb_and_says_how_many_lines_there_are(lines):
    for event in order_events(lines):
        assert len(event.model_dump_json().encode()) <= EVENT_LIMIT_BYTES < 65_536
        assert event.line_count == len(lines)


def test_a_small_order_shows_its_lines_in_base_units():
    (event, *_) = order_events([line("COLA330-CASE", 2)])
    ((shown),) = event.lines
    assert (shown.sku, shown.base_quantity, shown.amount) == ("COLA330", 48, Decimal(2))


def test_a_customer_says_no_more_than_that_it_changed():
    house = House()
    house.observe(Seen(customer_ref(), Customer(contact=Contact(name="Ada")), NINE))
    house.drain()
    (event,) = [event for name, event in house.events if name == DetailType.CUSTOMER_CHANGED]
    assert "Ada" not in event.model_dump_json()
    assert event.key == "shop/c1"
