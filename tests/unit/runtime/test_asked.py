"""What people ask of a target's function, and what a plan shows without writing anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fizzbridge.errors import ConfigurationError, TargetRejectedError
from fizzbridge.http.auth import HeaderToken
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.entity import Kind, Part
from fizzbridge.observation import Seen
from fizzbridge.runtime.asked import Desk, answer_sk, read_answer
from fizzbridge.runtime.converge import Converge
from fizzbridge.runtime.target import Finding, ItemThere, TargetAdapter, TargetEntity
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.house import House, customer_ref, order_ref, order_request

ITEMS = [
    CatalogueItem(sku="COLA330", name="Cola", gtin="5000000000005"),
    CatalogueItem(sku="LEMON1L", name="Lemon"),
    CatalogueItem(sku="TONIC", name="Tonic"),
]


class Wanted(Frozen):
    number: str
    note: str


class Vendor:
    """A target over HTTP that holds objects under a reference."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/").replace("%2F", "/")
        if request.method == "GET":
            return httpx.Response(200, json=self.held.get(name))
        self.writes.append(f"{request.method} {name}")
        self.held[name] = json.loads(request.content)
        return httpx.Response(200, json=self.held[name])


class Things(TargetEntity):
    refuses = False
    says = ""

    def desired(self, view, situation):
        if self.refuses:
            raise TargetRejectedError("the period is closed")
        if view.request is None:
            return Wanted(number="customer", note="")
        return Wanted(number=view.request.number, note=view.request.note)

    def find(self, vendor, reference, payload):
        return reference if vendor.get(f"/{reference}").data else None

    def create(self, vendor, reference, payload):
        body = payload.model_dump() | {"lines": [{"quantity": 2}]}
        if self.says:
            body["billing"] = {"x": self.says}
        return vendor.request("PUT", f"/{reference}", json=body, writes=True).data["id"]

    def update(self, vendor, external_id, payload):
        found = vendor.get(f"/{external_id}").data
        wanted = payload.model_dump()
        changes = {name: value for name, value in wanted.items() if found.get(name) != value}
        if changes:
            was = {name: found.get(name) for name in changes}
            vendor.request("PATCH", f"/{external_id}", json=changes, was=was, writes=True)

    def cancel(self, vendor, external_id):
        vendor.request("DELETE", f"/{external_id}", json={"state": "cancelled"}, writes=True)


@pytest.fixture
def world():
    house = House()
    vendor = Vendor()

    class Ledger(TargetAdapter):
        platform = "memory"
        errors = ErrorRules()
        entities = {Kind.ORDER: Things(), Kind.CUSTOMER: Things()}  # noqa: RUF012  read only
        search_lag = timedelta(0)
        longest_transaction = timedelta(seconds=60)
        findings: tuple[Finding, ...] = ()
        is_down = False
        breaks = False
        there: tuple[ItemThere, ...] = ()

        def auth(self, secret, connection):
            return HeaderToken("X-Key", "k")

        def check(self, vendor, situation) -> Iterable[Finding]:
            if self.is_down:
                raise ConfigurationError("the key is not known there")
            return self.findings

        def items(self, vendor, connection) -> Iterable[ItemThere]:
            if self.breaks:
                raise KeyError("code")
            return self.there

    @contextmanager
    def reach(_):
        yield VendorClient(
            platform="memory",
            base_url="http://127.0.0.1:2",
            auth=HeaderToken("X-Key", "k"),
            errors=ErrorRules(),
            timeout=timedelta(seconds=5),
            transport=httpx.MockTransport(vendor),
        )

    adapter, connection = Ledger(), house.bridge.connection("erp")
    converge = Converge(
        adapter, connection, house.bridge, house.rows, house.objects, reach, house.clock
    )
    desk = Desk(adapter, connection, converge, reach, house.rows, lambda: ITEMS, house.clock)
    return house, vendor, adapter, desk


def ask(world, question, **about):
    house, _, _, desk = world
    desk.answer({"type": question, "asked": "a1"} | about, "holder")
    return read_answer(house.rows.get("CONNECTION#erp", answer_sk("a1")))


def plan(world, entity=None):
    return ask(world, "plan", entity=str(entity or order_ref()))


def placed(world, **changes):
    house = world[0]
    house.place(**changes)
    while house.messages:
        to, event = house.messages.popleft()
        if to == "assess":
            house.handle(to, event)


def linked(world, held):
    house, vendor, _, _ = world
    vendor.held["shop/1"] = held
    row = {"external_id": "shop/1", "stamp": "old"}
    house.rows.write(Write(str(order_ref()), "LINK#erp", set=row))


def test_a_create_is_planned_field_by_field(world):
    placed(world, note="two dogs")
    found = plan(world)
    assert (found["does"], found["is_whole"]) == ("create", False)
    (step,) = found["steps"]
    assert step["call"] == "PUT /shop/1"
    assert {one["name"]: one["becomes"] for one in step["fields"]} == {
        "number": "#1",
        "note": "…",
        "lines.0.quantity": "2",
    }
    assert not world[1].writes


@pytest.mark.parametrize("text", ["+447700900123", "CANARY", "SW1A1AA", "zuleika"])
def test_a_plan_shows_nothing_that_may_be_a_persons(world, text):
    placed(world)
    world[2].entities[Kind.ORDER].says = text
    (step,) = plan(world)["steps"]
    assert {"name": "billing.x", "was": None, "becomes": "…"} in step["fields"]


def test_a_change_shows_what_is_there_now(world):
    placed(world)
    linked(world, {"number": "#0", "note": ""})
    found = plan(world)
    assert (found["does"], found["is_whole"]) == ("change", True)
    (step,) = found["steps"]
    assert step["fields"] == [{"name": "number", "was": "#0", "becomes": "#1"}]
    assert not world[1].writes


def test_nothing_to_write_is_said(world):
    placed(world)
    linked(world, {"number": "#1", "note": ""})
    assert plan(world)["does"] == "nothing"


def test_a_cancellation_is_planned_for_what_was_made(world):
    placed(world)
    request = order_request(second=5, cancelled_at=world[0].clock())
    world[0].observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    world[0].assessor.run(order_ref(), "again")
    assert plan(world)["does"] == "nothing"
    linked(world, {"number": "#1"})
    found = plan(world)
    assert (found["does"], found["steps"][0]["call"]) == ("cancel", "DELETE /shop/1")


def test_a_hold_and_a_refusal_are_answers(world):
    house, _, adapter, _ = world
    placed(world)
    adapter.entities[Kind.ORDER].refuses = True
    assert plan(world)["why"] == "the period is closed"
    hold = {"cause": "c", "message": "no such SKU", "blocks": "export"}
    house.rows.write(Write(str(order_ref()), "HOLD#order#MAPPING#c", set=hold))
    found = plan(world)
    assert (found["does"], found["why"]) == ("held", "no such SKU")


def test_of_what_was_never_seen_nothing_is_planned(world):
    assert plan(world, order_ref(9))["does"] == "nothing"
    assert plan(world, customer_ref(9))["does"] == "nothing"


def test_a_check_lists_what_is_missing_and_what_to_do(world):
    house, _, adapter, _ = world
    adapter.findings = (Finding("tax 0.2", is_good=True, message="is OUTPUT2"),)
    adapter.there = (ItemThere("COLA330"), ItemThere("L-1"))
    row = {"mapped": "L-1", "updated_at": to_text(house.clock())}
    house.rows.write(Write("MAP#erp#sku", "LEMON1L", set=row))
    found = {one["what"]: one for one in ask(world, "check")["findings"]}
    assert found["connection"]["is_good"]
    assert found["tax 0.2"]["is_good"]
    assert [name for name, one in found.items() if not one["is_good"]] == ["sku TONIC"]
    assert "map set erp sku TONIC" in found["sku TONIC"]["message"]


def test_a_shops_codes_are_looked_up_in_its_map_the_other_way_round(world):
    house, _, adapter, _ = world
    adapter.entities = {Kind.ORDER: Things()}
    adapter.there = (ItemThere("K-1"), ItemThere("L-1"), ItemThere("to-nic"))
    for code, ours in (("K-1", "COLA330"), ("L-2", "LEMON1L")):
        row = {"mapped": ours, "updated_at": to_text(house.clock())}
        house.rows.write(Write("MAP#erp#sku", code, set=row))
    found = {one["what"]: one["message"] for one in ask(world, "check")["findings"]}
    assert sorted(found) == ["connection", "sku LEMON1L", "sku TONIC"]
    assert "no item L-2;" in found["sku LEMON1L"]
    assert "map set erp sku <its code> TONIC" in found["sku TONIC"]
    (suggested,) = ask(world, "suggest")["suggestions"]
    assert (suggested["sku"], suggested["code"]) == ("TONIC", "to-nic")


def test_a_check_that_reaches_nobody_says_so(world):
    world[2].is_down = True
    (found,) = ask(world, "check")["findings"]
    assert not found["is_good"]
    assert found["message"] == "the key is not known there"


def test_suggestions_are_by_barcode_and_by_nearly_the_same_code(world):
    world[2].there = (
        ItemThere("X-57", gtin="05000000000005", name="Cola there"),
        ItemThere("lemon-1l", name="Lemon there"),
        ItemThere("WATER"),
    )
    found = ask(world, "suggest")["suggestions"]
    assert [(one["sku"], one["code"]) for one in found] == [
        ("COLA330", "X-57"),
        ("LEMON1L", "lemon-1l"),
    ]
    assert "barcode" in found[0]["why"]
    assert "nearly" in found[1]["why"]


def test_an_answer_goes_by_itself(world):
    house = world[0]
    ask(world, "check")
    row = house.rows.get("CONNECTION#erp", answer_sk("a1"))
    assert row["expires_at"] == int((house.clock() + timedelta(minutes=15)).timestamp())


def test_another_question_is_no_crash(world):
    assert "no such question" in ask(world, "dance")["error"]


def test_a_question_that_breaks_the_adapter_is_answered(world):
    world[2].breaks = True
    assert ask(world, "suggest")["error"] == "unexpected KeyError"
