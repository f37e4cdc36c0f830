"""A table put back to one hour ago: nothing a second time, nobody told twice, nothing by hand."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime
from decimal import Decimal

import pytest

from cli.restore import BEFORE, compare, look_again, put_back
from fizzbridge.aws import aws_client
from fizzbridge.errors import TargetRejectedError
from fizzbridge.model.documents import (
    Invoice,
    InvoiceState,
    Payment,
    Refund,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.events import LEVEL_TYPES, DetailType
from fizzbridge.model.order import Totals
from fizzbridge.observation import Seen
from fizzbridge.runtime import rows
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.state.dynamodb import DynamoTable
from fizzbridge.state.memory import MemoryTable
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.emulator import REGION, create_table, emulator, emulator_missing
from tests.kit.house import (
    BRIDGE,
    SECOND,
    House,
    KilledError,
    Shelf,
    Wanted,
    line,
    order_ref,
    order_request,
    seen_customer,
)

HOUR = 3600
UNHEARD = {DetailType.ENTITY_OBSERVED, DetailType.CAUSE_CHANGED, DetailType.CUSTOMER_CHANGED}
"""What goes to functions and targets only: nobody is told."""
OWN = ("pk", "sk")


class Act(Shelf):
    """Payments and refunds at the target: each once, for its order."""

    def requires(self, view):
        return [view.body(Part.RECORD, self.body).order]

    def desired(self, view, situation):
        found = view.body(Part.RECORD, self.body)
        return Wanted(name=f"{found.amount} {found.currency}")

    @property
    def body(self):
        return Payment if self.kind is Kind.PAYMENT else Refund


class Drill(House):
    """A house whose sources remember what they said, and can be read again."""

    def __init__(self, seed: int) -> None:
        self.is_deaf = False
        shop, erp = BRIDGE["connections"]
        erp = erp | {"roles": [*erp["roles"], "shipment", "invoice"]}
        routes = [{"kinds": ["Order", "Payment", "Refund"], "from": ["shop"], "to": ["erp"]}]
        super().__init__(connections=[shop, erp], routes=routes)
        self.payments = Act(self.clock, self.steps, Kind.PAYMENT)
        self.refunds = Act(self.clock, self.steps, Kind.REFUND)
        self.shelves = {
            shelf.kind: shelf
            for shelf in (self.orders, self.customers, self.payments, self.refunds)
        }
        self.serve(self.shelves)
        self.random = random.Random(seed)  # noqa: S311  # no secret
        self.said: dict[tuple[EntityRef, Part], tuple[datetime, str, Seen]] = {}
        self.quantities: dict[int, int] = {}
        self.seconds: Counter[int] = Counter()
        self.cancelled: set[int] = set()
        self.paid: Counter[int] = Counter()
        self.unmapped: list[str] = []
        self.done: Counter[str] = Counter()

    def _announce(self, before, after):
        if not self.is_deaf:
            super()._announce(before, after)

    # -- what happens ------------------------------------------------------------------------------

    def say(self, connection: str, seen: Seen) -> None:
        """A source tells of something, and keeps it."""
        self.said[seen.ref, seen.part] = (self.clock(), connection, seen)
        how = Circumstances(self.clock(), is_authoritative=False)
        self.observer.observe(connection, seen, SECOND, how)

    def _tell(self, number: int, **changes) -> None:
        self.quantities[number] = self.random.randint(1, 50)
        self.seconds[number] += 1
        sku = changes.pop("sku", "COLA330")
        lines = [line(sku, self.quantities[number])]
        request = order_request(number, lines=lines, second=self.seconds[number], **changes)
        self.say("shop", Seen(order_ref(number), request, request.changed_at, Part.REQUEST))

    def order(self) -> None:
        number = len(self.quantities) + 1
        self.say("shop", seen_customer(number))
        self._tell(number)

    def unknown(self) -> None:
        """An order, new or old, comes to have an item nobody knows."""
        self.unmapped.append(f"NEW{len(self.unmapped)}-{self.random.randint(0, 99)}")
        number = len(self.quantities) + 1
        if self.random.random() < 0.5:
            number = self._some() or number
        if number not in self.quantities:
            self.say("shop", seen_customer(number))
        self._tell(number, sku=self.unmapped[-1])

    def map(self) -> None:
        """A person says what the unknown items are."""
        for sku in self.unmapped:
            mapped = {"mapped": "COLA330", "updated_at": to_text(self.clock())}
            self.rows.write(Write(rows.map_pk("shop", "sku"), sku, set=mapped))

    def change(self) -> None:
        if number := self._some():
            self._tell(number)

    def cancel(self) -> None:
        if number := self._some():
            self._tell(number, cancelled_at=self.clock())
            self.cancelled.add(number)

    def pay(self) -> None:
        if number := self._some():
            amount = self.random.randint(50, 99)
            self.paid[number] += amount
            self._money(Kind.PAYMENT, Payment, number, amount)

    def refund(self) -> None:
        """Never more than was paid: else the order is held, and rightly so."""
        paid = [number for number, amount in sorted(self.paid.items()) if amount > 5]
        if paid:
            number = self.random.choice(paid)
            self.paid[number] -= 5
            self._money(Kind.REFUND, Refund, number, 5)

    def _money(self, kind: Kind, body, number: int, amount: int) -> None:
        now = self.clock()
        moved = {"status": SettlementStatus.SETTLED, "at": now, "currency": "GBP"}
        made = body(order=order_ref(number), amount=Decimal(amount), **moved)
        entity = ref(kind, "shop", len(self.said))
        self.say("shop", Seen(entity, made, now, parent=order_ref(number)))

    def ship(self) -> None:
        if number := self._some():
            now = self.clock()
            gone = ShippedLine(order_line_id="l-COLA330", sku="COLA330", quantity=1)
            entity = ref(Kind.SHIPMENT, "erp", len(self.said))
            state = {"state": ShipmentState.DISPATCHED, "lines": (gone,), "dispatched_at": now}
            made = Shipment(order=order_ref(number), number="S", **state)
            self.say("erp", Seen(entity, made, now, parent=order_ref(number)))

    def bill(self) -> None:
        if number := self._some():
            now = self.clock()
            totals = Totals(net=Decimal(1), tax=Decimal(0), gross=Decimal(1))
            found = {"currency": "GBP", "tax_included": False, "lines": (), "totals": totals}
            made = Invoice(order=order_ref(number), number="I", state=InvoiceState.ISSUED, **found)
            entity = ref(Kind.INVOICE, "erp", len(self.said))
            self.say("erp", Seen(entity, made, now, parent=order_ref(number)))

    def park(self) -> None:
        """The ERP refuses for a while, and a person sends back what was parked."""
        self.orders.refuse = TargetRejectedError("the period is closed")
        self.change()
        self.drain()
        self.orders.refuse = None
        for number in self.quantities:
            if self.link(order_ref(number)).get("status") == "parked":
                self.redrive(order_ref(number))

    def lose(self) -> None:
        """The next create commits, and its answer is lost."""
        self.random.choice(list(self.shelves.values())).script.append("commit_then_unknown")

    def kill(self) -> None:
        self.steps.kill_at = self.steps.taken + self.random.randint(1, 60)

    def _some(self) -> int | None:
        live = sorted(set(self.quantities) - self.cancelled)
        return self.random.choice(live) if live else None

    def live(self, acts: int, *, calm: bool = False) -> None:
        """So much happens, as it comes, and all of it is worked off."""
        usual = ["order", "order", "change", "cancel", "pay", "pay", "refund", "ship", "bill"]
        rough = [*usual, "unknown", "unknown", "map", "park", "lose", "kill"]
        for _ in range(acts):
            act = self.random.choice(usual if calm else rough)
            self.done[act] += 1
            getattr(self, act)()
            self.clock.advance(HOUR / acts)
            if self.random.random() < 0.6:
                self.work()
        self.map()
        self.work()

    def work(self) -> None:
        try:
            self.drain()
        except KilledError:
            self.clock.advance(self.bridge.timing.lease + 1)
        self.settle(rounds=14)

    # -- what is done about it ---------------------------------------------------------------------

    def snapshot(self) -> MemoryTable:
        """The table as it is, as AWS would restore it."""
        kept = MemoryTable()
        for row in self.rows.rows():
            said = {name: value for name, value in row.items() if name not in OWN}
            kept.write(Write(str(row["pk"]), str(row["sk"]), set=said))
        return kept

    def ruin(self) -> None:
        """Somebody's script goes wrong: rows are gone, links say what is not so."""
        self.is_deaf = True
        for row in self.rows.rows():
            pk, sk = str(row["pk"]), str(row["sk"])
            if "#" not in pk or pk.startswith("MAP#") or sk.startswith("TIMELINE#"):
                continue
            dice = self.random.random()
            if dice < 0.2:
                self.rows.write(Write(pk, sk, delete=True))
            elif dice < 0.3 and sk == "LINK#erp":
                self.rows.write(Write(pk, sk, set={"external_id": "Order-1", "stamp": "wrong"}))
        self.is_deaf = False

    def restore(self, then: MemoryTable) -> int:
        """As ``fizzbridge restore`` does it, functions stopped."""
        self.messages.clear()
        found = compare(self.rows, then)
        now = self.clock()
        touched = set(put_back(self.rows, self.objects, then, found, "op", now))
        return look_again(self.rows, touched, "op", now)

    def read_again(self, since: datetime) -> int:
        """Every source is read from the moment on; what is known already changes nothing."""
        listed = [told for told in self.said.values() if told[0] >= since]
        for _, connection, seen in listed:
            how = Circumstances(self.clock(), is_authoritative=True)
            self.observer.observe(connection, seen, SECOND, how)
        return len(listed)

    def replay(self, since: datetime) -> int:
        """The archive of the hour is sent to the target once more."""
        found = [
            event
            for _, event in self.events
            if event.occurred_at >= since and "erp" in getattr(event, "targets", ())
        ]
        self.messages.extend(("erp", event) for event in found)
        self.work()
        return len(found)

    # -- what must be so ---------------------------------------------------------------------------

    def second_objects(self) -> int:
        """Objects at the target beyond the one each reference may have."""
        return sum(
            count - 1
            for shelf in self.shelves.values()
            for count in Counter(held.reference for held in shelf.objects.values()).values()
        )

    def told(self) -> Counter[str]:
        """Ids of what people are told of, each with how often."""
        return Counter(
            event.event_id
            for detail_type, event in self.events
            if detail_type not in UNHEARD and detail_type not in LEVEL_TYPES
        )

    def not_synced(self) -> dict[str, str]:
        return {
            f"{row['pk']} {row['sk']}": str(row.get("status"))
            for row in self.rows.rows()
            if str(row["sk"]).startswith("LINK#") and row.get("status") != "synced"
        }

    def is_as_the_shop_says(self) -> None:
        """The target holds what the shop said last, of each order and each payment one object."""
        for number, quantity in self.quantities.items():
            found = self.orders.of(f"shop/{number}")
            if number in self.cancelled:
                assert all(held.is_cancelled for held in found), number
                continue
            (held,) = found
            assert held.payload is not None
            ((_, shown),) = (one.split() for one in held.payload.lines)
            assert (int(shown), held.is_cancelled) == (quantity, False), number

    def made(self) -> int:
        return sum(shelf.counts["create"] for shelf in self.shelves.values())


def drilled(seed: int, *, is_ruined: bool = True) -> tuple[Drill, Counter[str]]:
    """Two hours of life, the table put back to the end of the first, and all that follows."""
    drill = Drill(seed)
    drill.live(25, calm=True)
    then, moment = drill.snapshot(), drill.clock()
    drill.live(30)
    before, waited, made = drill.told(), drill.not_synced(), drill.made()
    if is_ruined:
        drill.ruin()
    drill.clock.advance(600)
    counted = Counter(looked_at=drill.restore(then))
    counted["read_again"] = drill.read_again(moment - BEFORE)
    drill.work()
    counted["replayed"] = drill.replay(moment)
    counted["told_before"] = len(before)
    counted["new_ids"] = sum(one not in before for one in drill.told())
    counted["made_again"] = drill.made() - made
    counted["second_objects"] = drill.second_objects()
    # A payment of an order that was cancelled before it was made waits as it did before.
    counted["not_synced"] = len(drill.not_synced().keys() - waited.keys())
    return drill, counted


def assert_nothing_twice(drill: Drill, counted: Counter[str]) -> None:
    drill.is_as_the_shop_says()
    for name in ("second_objects", "made_again", "new_ids", "not_synced"):
        assert counted[name] == 0, (name, counted, drill.done, drill.not_synced())
    assert counted["told_before"] > 50
    assert counted["replayed"] > 10
    assert counted["looked_at"] > 0


@pytest.mark.level("in-process")
def test_f48_a_table_put_back_by_an_hour_catches_up_by_itself(figures):
    """Restored, read again, replayed: no second object, and no id that was not told before."""
    drill, counted = drilled(0)
    assert_nothing_twice(drill, counted)
    figures(**counted)


@pytest.mark.slow
@pytest.mark.level("in-process")
@pytest.mark.parametrize("is_ruined", [True, False], ids=["ruined", "whole"])
def test_f48_whatever_the_hour_was_like(is_ruined, figures):
    """Rows deleted and links that lie, or a healthy table put back by mistake: seeds 1 to 20."""
    total: Counter[str] = Counter()
    acts: Counter[str] = Counter()
    for seed in range(1, 21):
        drill, counted = drilled(seed, is_ruined=is_ruined)
        assert_nothing_twice(drill, counted)
        total += counted
        acts += drill.done
    # Zeros are dropped by the sum; said all the same.
    zeros = dict.fromkeys(("second_objects", "made_again", "new_ids", "not_synced"), 0)
    figures(
        seeds=20, **zeros | dict(total), **{f"acts_{name}": acts[name] for name in sorted(acts)}
    )
    assert min(acts[name] for name in ("kill", "lose", "park", "unknown", "cancel")) > 10


@pytest.mark.level("in-process")
def test_f47_a_restore_that_was_interrupted_is_run_again(figures):
    """Half the rows are back when it dies; the second run does the rest, and nothing twice."""
    drill = Drill(3)
    drill.live(25, calm=True)
    then, moment = drill.snapshot(), drill.clock()
    drill.live(30)
    before, made = drill.told(), drill.made()
    drill.ruin()
    found = compare(drill.rows, then)
    half = len(found.back) // 2
    run = put_back(drill.rows, drill.objects, then, found, "first", drill.clock())
    for _ in zip(range(half), run, strict=False):
        pass
    run.close()
    drill.clock.advance(600)
    drill.restore(then)
    drill.read_again(moment - BEFORE)
    drill.work()
    drill.is_as_the_shop_says()
    assert drill.made() == made
    assert drill.second_objects() == 0
    news = [one for one in drill.told() if one not in before]
    assert news == []
    figures(rows_back_at_first=half, second_objects=0, new_ids=len(news))


@pytest.fixture
def dynamodb(tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    if emulator_missing():
        pytest.fail("the emulator's environment is not installed")
    with emulator(tmp_path / "log") as address:
        client = aws_client("dynamodb", deadline_s=30, endpoint_url=address)
        yield client
        client.close()


def _filled(table: DynamoTable, wanted: MemoryTable) -> None:
    """Make a table hold exactly these rows."""
    there = {(row["pk"], row["sk"]): row for row in table.rows()}
    for row in wanted.rows():
        if there.pop((row["pk"], row["sk"]), None) != row:
            said = {name: value for name, value in row.items() if name not in OWN}
            table.write(Write(str(row["pk"]), str(row["sk"]), set=said, replace=True))
    for pk, sk in there:
        table.write(Write(str(pk), str(sk), delete=True))


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.level("emulator")
def test_f48_tables_of_aws_are_put_back_as_those_in_memory_are(dynamodb, figures):
    """Restored to the moment by AWS's own call; then row for row what the drill in memory has.

    The emulator restores a table as it is at the time of the call, whatever moment it is told, so
    the call is made at the moment.
    """
    drill = Drill(5)
    drill.live(25, calm=True)
    then = drill.snapshot()
    name = create_table(dynamodb)
    live = DynamoTable(dynamodb, name)
    _filled(live, then)
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=name, TargetTableName=f"{name}-restored", UseLatestRestorableTime=True
    )
    dynamodb.get_waiter("table_exists").wait(TableName=f"{name}-restored")
    restored = DynamoTable(dynamodb, f"{name}-restored")
    drill.live(30)
    drill.ruin()
    _filled(live, drill.snapshot())
    now = drill.clock()
    written = []
    for table, before in ((drill.rows, then), (live, restored)):
        found = compare(table, before)
        touched = set(put_back(table, drill.objects, before, found, "op", now))
        look_again(table, touched, "op", now)
        written.append(len(found.back) + len(found.away))
    assert written[0] == written[1] > 50
    in_memory = {(row["pk"], row["sk"]): row for row in drill.rows.rows()}
    assert {(row["pk"], row["sk"]): row for row in live.rows()} == in_memory
    figures(rows=len(in_memory), rows_written=written[1])
