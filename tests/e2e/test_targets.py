"""Orders of one shop at an ERP and, by route, at four more; what leaves a route is undone."""

from __future__ import annotations

import json
from collections.abc import Iterable

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.runtime.loading import Loader
from tests.kit import targets

PLACES = {slug: channel for channel, slugs in targets.CHANNELS.items() for slug in slugs}
LEDGERS = [slug for slug in PLACES if "documents" in targets.FACTS[slug]]
WHERE = {"first_name": "Bo", "last_name": "Ode", "address1": "1 Quay", "city": "Leeds"}
BRITAIN = WHERE | {"zip": "LS1 1AA", "country_code": "GB", "country": "United Kingdom"}
IRELAND = WHERE | {"zip": "D01", "country_code": "IE", "country": "Ireland"}


def sell(house, channel: str, **more) -> EntityRef:
    """A case of cola and eleven more for a company, sold in a channel."""
    shown = house.shop.place(
        {
            "lines": [{"sku": "COLA330-C24", "quantity": 12, "price": "9.60"}],
            "customer": {"first_name": "Bo", "last_name": "Ode", "email": "bo@bar.example"},
            "company": {"id": 7101, "location_id": 8101},
            "payment_terms": {"name": "Net 30", "due_in_days": 30},
            "shipping_address": BRITAIN,
            "billing_address": BRITAIN,
            "source_name": channel,
        }
        | more
    )
    return ref(Kind.ORDER, "shop-uk", shown["id"])


@pytest.fixture(scope="module")
def sold(house):
    """An order of each kind for each channel, told at once: the stack works them off together."""
    found = {
        channel: {name: sell(house, channel) for name in ("plain", "leaving", "refunded", "gone")}
        for channel in targets.CHANNELS
    }
    for orders in found.values():
        for order in orders.values():
            for slug in to(orders, found):
                booked(house, order, slug)
    for orders in found.values():
        act(house, orders["leaving"], "update", {"shipping_address": IRELAND})
        act(house, orders["gone"], "cancel", {})
        act(house, orders["refunded"], "pay", {})
        back = {"line": line_of(house, orders["refunded"]), "quantity": 2}
        act(house, orders["refunded"], "refund", {"lines": [back]})
    return found


def to(orders, found) -> Iterable[str]:
    channel = next(name for name, one in found.items() if one is orders)
    return targets.CHANNELS[channel]


def act(house, order: EntityRef, action: str, given) -> None:
    house.shop.act(int(order.external_id), action, given)


def line_of(house, order: EntityRef) -> int:
    """The one line of an order, by the shop's id."""
    view = Loader(house.stack.table, house.stack.objects).view(order)
    return int(view.request.lines[0].id)


def booked(house, order: EntityRef, slug: str) -> dict:
    house.await_(
        lambda: house.link(order, targets.CONNECTIONS[slug]).get("status") == "synced",
        lambda: f"{order} at {slug} is {house.link(order, targets.CONNECTIONS[slug])}",
        sweep=True,
    )
    return house.link(order, targets.CONNECTIONS[slug])


@pytest.mark.parametrize("slug", PLACES)
def test_an_order_goes_to_its_erp_and_by_its_route(house, sold, slug):
    order = sold[PLACES[slug]]["plain"]
    assert booked(house, order, slug)["external_id"]
    house.await_link(order, "synced")
    others = set(targets.FACTS) - set(targets.CHANNELS[PLACES[slug]])
    assert not any(house.link(order, targets.CONNECTIONS[one]) for one in others)


@pytest.mark.parametrize("slug", PLACES)
def test_an_order_that_leaves_its_route_is_undone_there_and_stays_at_the_erp(house, sold, slug):
    order = sold[PLACES[slug]]["leaving"]
    name = targets.CONNECTIONS[slug]
    house.await_(
        lambda: house.link(order, name).get("stamp") == "gone",
        lambda: f"{order} at {slug} is {house.link(order, name)}",
        sweep=True,
    )
    assert [sale.state for sale in house.sales(order)] == ["sale"]


@pytest.mark.parametrize("slug", PLACES)
def test_a_cancelled_order_is_cancelled_there(house, sold, slug):
    order = sold[PLACES[slug]]["gone"]
    name = targets.CONNECTIONS[slug]
    house.await_(
        lambda: house.link(order, name).get("stamp") == "gone",
        lambda: f"{order} at {slug} is {house.link(order, name)}",
        sweep=True,
    )


@pytest.mark.parametrize("slug", LEDGERS)
def test_payment_and_refund_follow_to_the_ledger_once(house, sold, slug):
    order = sold[PLACES[slug]]["refunded"]
    name = targets.CONNECTIONS[slug]

    def documents() -> dict[str, str]:
        rows = house.stack.table.query(str(order), "CHILD#")
        refs = [EntityRef.parse(str(row["sk"]).removeprefix("CHILD#")) for row in rows]
        return {str(one.kind): house.link(one, name).get("status", "") for one in refs}

    house.await_(
        lambda: documents() == {"Payment": "synced", "Refund": "synced"},
        lambda: f"{order} at {slug} has {documents()}",
        sweep=True,
    )


@pytest.mark.parametrize("slug", PLACES)
def test_nothing_was_made_twice(house, sold, slug):
    """After all of that: as many objects as there were orders and refunds."""
    facts = targets.FACTS[slug]
    done = targets.accepted(house.ports[targets.PORTS[slug]])
    assert done[facts["created"]] == len(sold[PLACES[slug]])
    refunds = facts.get("documents", {}).get("Refund", [])
    assert sum(done.get(name, 0) for name in refunds) == bool(refunds)


@pytest.mark.parametrize("slug", PLACES)
def test_a_plan_and_a_check_are_answered_by_the_deployed_target(house, sold, slug):
    order, name = sold[PLACES[slug]]["plain"], targets.CONNECTIONS[slug]
    plan = fizzbridge("plan", order.key, "--to", name)
    assert (plan["does"], plan["steps"]) == ("nothing", [])
    findings = {one["what"]: one for one in fizzbridge("check", name, code=1)["findings"]}
    assert findings["connection"]["is_good"]
    # The demo sells more than the sandbox has.
    assert not findings["sku LEMON330"]["is_good"]
    assert "sku COLA330" not in findings


def test_what_the_erp_did_comes_back_and_is_announced(house):
    order = sell(house, "web")
    link = house.await_link(order, "synced")
    url = f"{house.stack.local['sandboxes']['odoo']}/_sandbox/orders/{link['external_id']}"
    for act in ("ship", "invoice"):
        answer = httpx.post(f"{url}/{act}", json={}, trust_env=False, timeout=30)
        assert answer.is_success, answer.text

    def documents():
        return Loader(house.stack.table, house.stack.objects).view(order).documents

    (line,) = Loader(house.stack.table, house.stack.objects).view(order).request.lines
    streams = ("orders", "shipments", "invoices")
    # The shipment may have been seen while it was planned.
    house.await_(
        lambda: documents().shipped() == {line.id: 12} and documents().invoices,
        lambda: f"{order} has {documents()}",
        meanwhile=lambda: [house.poll("erp", stream) for stream in streams],
    )
    (invoice,) = documents().standing_invoices()
    view = Loader(house.stack.table, house.stack.objects).view(order)
    assert invoice.totals.gross == view.assessment.totals.gross
    house.await_(
        lambda: {"ShipmentDispatched", "InvoiceIssued"} <= told(house, order),
        lambda: f"{order}'s documents say {told(house, order)}",
    )


def told(house, order: EntityRef) -> set[str]:
    """What the timelines of an order's documents show."""
    rows = house.stack.table.query(str(order), "CHILD#")
    refs = [str(row["sk"]).removeprefix("CHILD#") for row in rows]
    lines = [one for ref_ in refs for one in house.stack.table.query(ref_, "TIMELINE#")]
    return {str(one["what"]) for one in lines}


def fizzbridge(*words: str, code: int = 0):
    done = CliRunner().invoke(app, ["--json", *words])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)
