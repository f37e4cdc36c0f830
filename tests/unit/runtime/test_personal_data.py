"""I5: canaries in every personal field, a whole life, and nowhere but in the parts any of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fizzbridge.errors import ConfigurationError, MappingError, TargetRejectedError
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import (
    Payment,
    Refund,
    Return,
    ReturnState,
    SettlementStatus,
    Shipment,
    ShipmentState,
)
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.observation import Seen
from fizzbridge.runtime.batch import Message
from services.announce import entry
from services.record import work
from tests.kit.desk import Desk
from tests.kit.house import customer_ref, line, order_ref, order_request
from tests.kit.source import captured_logs

CANARY = "Canary"
NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
PLACE = Address(
    name="CanaryName",
    company="CanaryFirm",
    street="1 Canary Street",
    street2="CanaryFloor",
    city="Canaryville",
    region="CanaryShire",
    postal_code="CanaryCode",
    country="GB",
    phone="+44 Canary",
)
CONTACT = Contact(name="Ada Canary", email="ada@canary.test", phone="Canary 1", language="Canary")
COMPANY = Company(id="c1", name="Canary Ltd", account="CanaryAccount", vat_number="GBCanary")
BUYER = Customer(contact=CONTACT, company=COMPANY, addresses=(PLACE,), tax_number="GBCanary")
PERSONAL = {
    "contact": CONTACT,
    "company": COMPANY,
    "bill_to": PLACE,
    "ship_to": PLACE,
    "po_number": "PO Canary",
    "note": "ring Canary",
    "cancel_reason": "Canary changed her mind",
    "tags": ("Canary",),
    "properties": {"gift message": "dear Canary"},
}


def bought(code: str) -> list:
    return [line(code, title="for Canary", properties={"engraving": "Canary"})]


def tell(desk: Desk, second: int, code: str = "COLA330", **changes) -> None:
    request = order_request(second=second, lines=bought(code), **PERSONAL | changes)
    desk.house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    desk.assess()


def documents() -> Iterator[Seen]:
    money = {"order": order_ref(), "amount": "1", "currency": "GBP", "at": NINE}
    goods = {"order": order_ref(), "number": "7", "lines": ()}
    for kind, body in (
        (Kind.PAYMENT, Payment(status=SettlementStatus.SETTLED, gateway="CanaryPay", **money)),
        (Kind.REFUND, Refund(status=SettlementStatus.SETTLED, reason="Canary", **money)),
        (Kind.RETURN, Return(state=ReturnState.REQUESTED, reason="Canary", **goods)),
        (
            Kind.SHIPMENT,
            Shipment(
                state=ShipmentState.DISPATCHED,
                tracking_number="Canary1",
                tracking_url="https://x.test/Canary",
                **goods,
            ),
        ),
    ):
        yield Seen(ref(kind, "shop", 7), body, NINE, parent=order_ref())


def lived() -> tuple[Desk, str]:
    """An order that goes through everything, and what was logged meanwhile."""
    desk = Desk()
    house, orders = desk.house, desk.house.orders
    with captured_logs() as logged:
        house.observe(Seen(customer_ref(), BUYER, NINE))
        tell(desk, 1, "KOLA")
        desk.work()
        for second, trouble in enumerate(
            (
                ConfigurationError("key expired"),
                MappingError("no product", cause="MAP#erp#sku/X"),
                TargetRejectedError("refused"),
            ),
            2,
        ):
            tell(desk, second)
            orders.refuse = trouble
            desk.work()
            desk.mend()
        orders.refuse = None
        tell(desk, 9)
        orders.script.extend([RuntimeError("bug at Canary"), "commit_then_unknown"])
        for _ in range(4):
            desk.work()
            house.clock.advance(70)
        for seen in documents():
            house.observe(seen)
        desk.assess()
        house.observe(Seen(order_ref(), None, NINE.replace(minute=9), Part.REQUEST))
        desk.assess()
        desk.work()
        for number, (detail_type, event) in enumerate(house.events):
            if hasattr(event, "kind"):
                body = {"detail-type": detail_type, "detail": json.loads(event.model_dump_json())}
                work(Message(f"m{number}", body, 1), house.rows)
        house.clock.advance(400)
        house.sweeper.run()
        return desk, logged()


@pytest.fixture(scope="module")
def life():
    return lived()


def rows(desk: Desk, *, parts: bool) -> list[str]:
    return [
        repr(row) for row in desk.house.rows.rows() if str(row["sk"]).startswith("PART#") is parts
    ]


def test_the_life_was_full_and_the_canaries_are_in_the_parts(life):
    desk, logged = life
    assert len(set(desk.house.announced())) >= 12
    assert desk.house.orders.counts["cancel"] == 1
    assert "converge did not finish" in logged
    assert any(CANARY in row for row in rows(desk, parts=True))


def test_no_event_on_the_bus_names_a_person(life):
    desk, _ = life
    entries = [entry(fact) for fact in desk.house.events]
    assert [one for one in entries if CANARY.lower() in repr(one).lower()] == []


def test_no_message_in_a_queue_names_a_person(life):
    desk, _ = life
    sent = desk.house.queue.sent()
    assert "dlq" in {message.url for message in sent}
    assert [message for message in sent if CANARY.lower() in repr(message).lower()] == []


def test_no_row_but_a_part_names_a_person(life):
    desk, _ = life
    found = rows(desk, parts=False)
    assert any("TIMELINE#" in row for row in found)
    assert any("HOLD#" in row for row in found)
    assert [row for row in found if CANARY.lower() in row.lower()] == []


def test_no_line_of_the_log_or_of_the_metrics_names_a_person(life):
    desk, logged = life
    assert desk.counted()
    assert CANARY.lower() not in logged.lower()
    assert CANARY.lower() not in "".join(desk.lines).lower()


@pytest.mark.parametrize(
    "body", [CONTACT, PLACE, COMPANY, BUYER], ids=lambda body: type(body).__name__
)
def test_no_model_of_people_shows_them_in_an_error_by_accident(body):
    shown = repr(body)
    for code in ("language='Canary'", "region='CanaryShire'", "account='CanaryAccount'"):
        shown = shown.replace(code, "")
    assert CANARY not in shown
