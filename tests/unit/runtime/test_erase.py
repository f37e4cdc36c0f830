"""Somebody is to be forgotten: blanked here and at the target, and brought back by nothing."""

from __future__ import annotations

import json

import pytest

from fizzbridge.model.customer import Credit, Customer, Terms
from fizzbridge.model.documents import Refund, Return, ReturnState, Shipment, ShipmentState
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.model.privacy import scrub
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from tests.kit.house import customer_ref, order_ref, order_request, seen_customer
from tests.kit.wholesaler import Wholesaler

PERSONAL = ("Zuleika", "Quince", "zuleika@canary.example", "7 Canary", "canary note", "Perch")


def placed(house: Wholesaler, **draft) -> EntityRef:
    person = {"first_name": "Zuleika", "last_name": "Quince", "email": "zuleika@canary.example"}
    order = house.order(
        customer=person,
        email=person["email"],
        address={"first_name": "Zuleika", "last_name": "Quince", "address1": "7 Canary Row"},
        note="canary note",
        note_attributes=[{"name": "pet", "value": "Perch"}],
        **draft,
    )
    assert kept(house), "there is something to erase"
    return order


def kept(house: Wholesaler) -> set[str]:
    """What is still kept of the person, in any row."""
    text = json.dumps(list(house.rows.rows()), default=repr)
    return {word for word in PERSONAL if word in text}


def redacted(house: Wholesaler, order: EntityRef) -> None:
    """The shop's own request, signed like everything else."""
    person = house.desk.orders[int(order.external_id)].customer
    body = {"shop_id": 1, "customer": {"id": person["id"], "email": "zuleika@canary.example"}}
    house.clock.advance(3600)
    house.webhook("customers/redact", 1, body | {"orders_to_redact": [int(order.external_id)]})
    house.settle()


def test_a_person_asks_the_command():
    house = Wholesaler()
    order = placed(house)
    told = house.fizzbridge("erase", order.key, "--yes")
    assert told["orders"] == [order.key]
    house.settle()
    assert kept(house) == set()


@pytest.mark.parametrize(
    ("company", "stays"), [({"id": 7001, "location_id": 8001}, {"7 Canary"}), (None, set())]
)
def test_the_shop_asks_by_webhook(company, stays):
    house = Wholesaler()
    order = placed(house, company=company)
    redacted(house, order)
    assert kept(house) == stays, "a business stays, with its address"


def test_no_later_word_brings_anything_back():
    house = Wholesaler()
    order = placed(house)
    house.fizzbridge("erase", order.key, "--yes")
    house.settle()
    house.clock.advance(60)
    house.desk.update(int(order.external_id), {"tags": ["again"]})
    house.settle()
    assert kept(house) == set()
    request = Loader(house.rows, house.objects).view(order).request
    assert request is not None
    assert request.tags == ("again",), "what is not personal goes on"


def test_money_goods_and_place_stay():
    house = Wholesaler()
    order = placed(house)
    before = house.assessed(order)
    house.fizzbridge("erase", order.key, "--yes")
    house.settle()
    after = house.assessed(order)
    assert (after.totals, after.lines, after.order_class) == (
        before.totals,
        before.lines,
        before.order_class,
    )
    assert after.delivered_to == "IE"
    assert house.orders.counts["create"] == 1


def test_a_new_order_of_the_same_person_is_a_new_beginning():
    house = Wholesaler()
    house.fizzbridge("erase", placed(house).key, "--yes")
    house.settle()
    again = placed(house)
    request = Loader(house.rows, house.objects).view(again).request
    assert request is not None
    assert request.contact.email == "zuleika@canary.example"


def test_erasing_twice_changes_nothing_more():
    house = Wholesaler()
    order = placed(house)
    house.fizzbridge("erase", order.key, "--yes")
    house.settle()
    parts = house.rows.query(str(order), "PART#")
    house.fizzbridge("erase", order.key, "--yes")
    house.settle()
    assert house.rows.query(str(order), "PART#") == parts


def test_a_customer_nobody_knows_is_erased_in_advance():
    house = Wholesaler()
    stranger = ref(Kind.CUSTOMER, "shop", "77")
    house.webhook("customers/redact", 1, {"customer": {"id": 77}, "orders_to_redact": []})
    house.settle()
    (row,) = house.rows.query(str(stranger), "PART#record")
    assert row["erased"] is True


def test_an_order_goes_with_the_customer_it_has_by_now():
    house = Wholesaler()
    person = Contact(name="Zuleika Quince", email="zuleika@canary.example")
    house.place(contact=person)
    house.settle()
    house.observe(seen_customer(7))
    request = order_request(second=9, customer=customer_ref(7), contact=person)
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    house.settle()
    assert kept(house)
    house.fizzbridge("erase", str(customer_ref(7)), "--yes")
    house.settle()
    assert kept(house) == set()


def test_a_document_that_comes_after_is_blanked_too():
    house = Wholesaler()
    order = placed(house)
    house.fizzbridge("erase", order.key, "--yes")
    house.settle()
    back = Return(
        order=order, number="R1", state=ReturnState.REQUESTED, lines=(), reason="Zuleika is ill"
    )
    told = ref(Kind.RETURN, "shop", "r1")
    house.told(told, back, order)
    assert Loader(house.rows, house.objects).view(told).body(Part.RECORD, Return).number == "R1"
    assert kept(house) == set()


def test_what_stays_of_each_kind_of_body():
    account = Customer(
        contact=Contact(name="Zuleika"),
        company=Company(id="1", name="Quince"),
        addresses=(Address(street="7 Canary"),),
        terms=Terms(price_list="bars"),
        credit=Credit(currency="EUR", limit="1", as_of="2026-11-20T00:00:00Z"),
        tax_number="Perch",
    )
    order = {"order": order_ref(), "number": "1", "lines": ()}
    sent = Shipment(state=ShipmentState.PLANNED, tracking_number="Perch", **order)
    back = Return(state=ReturnState.REQUESTED, reason="Quince", **order)
    money = Refund(
        order=order_ref(),
        amount="1",
        currency="EUR",
        status="SETTLED",
        at="2026-11-20T00:00:00Z",
        reason="Zuleika",
    )
    for body in (account, sent, back, money):
        blank = scrub(body)
        assert scrub(blank) == blank
        assert not any(word in blank.model_dump_json() for word in PERSONAL)
    assert scrub(account).terms.price_list == "bars"
