"""D, F46: odd amounts and texts: exact at the target, or held or parked with a reason."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fizzbridge.model.documents import Refund, SettlementStatus
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.order import TaxShare, Totals
from fizzbridge.observation import Seen
from tests.kit.effects import MANIFESTS, TARGETS, planned, undisturbed
from tests.kit.effects import book as usual_order
from tests.kit.house import line, order_ref, order_request
from tests.kit.invariants import accounted
from tests.kit.target import DOCK, TargetHouse

SHOWN = {
    "business_central": ("salesOrders", "totalAmountIncludingTax"),
    "netsuite_soap": ("salesOrder", "total"),
    "odoo": ("sale.order", "amount_total"),
    "quickbooks": ("invoice", "TotalAmt"),
    "xero": ("invoices", "Total"),
}
"""Where a sandbox shows its orders, and the field that says what one comes to."""


def sold(
    cases: int = 1, amount: str = "10", tax: str = "2", sku: str = "COLA330-CASE", **more: Any
) -> Any:
    """A line of so many cases, at a fifth of tax."""
    share = TaxShare(title="VAT", rate=Decimal("0.2"), amount=Decimal(tax))
    money = {"amount": Decimal(amount), "tax": Decimal(tax), "taxes": (share,)}
    price = {"unit_price": Decimal(amount) / cases, "title": "Cola"}
    return line(sku, cases, **(money | price | more))


def totals(net: str, tax: str) -> Totals:
    sums = Decimal(net), Decimal(tax)
    return Totals(net=sums[0], tax=sums[1], gross=sum(sums))


def of(currency: str) -> dict[str, str]:
    names = ("currency", "shop_currency", "presentment_currency")
    return dict.fromkeys(names, currency)


CUP = "\N{CUP WITH STRAW}"
TEXT = f"Cola {CUP} caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{HEBREW LETTER ALEF}"
ORDERS: dict[str, dict[str, Any]] = {
    "a price that never ends": {
        "lines": [sold(3, "10.00", "2.00", unit_price=Decimal("3.333333"))]
    },
    "half a cent": {
        "lines": [
            sold(1, "0.13", "0.03", unit_price=Decimal("0.125"), id="a"),
            sold(1, "0.12", "0.02", "COLA330", unit_price=Decimal("0.125"), id="b"),
        ]
    },
    "tax within": {
        "lines": [sold(1, "12.00", "2.00")],
        "tax_included": True,
        "totals": totals("10.00", "2.00"),
    },
    "three decimals": {"lines": [sold(1, "10.125", "2.025")], **of("KWD")},
    "no decimals": {"lines": [sold(1, "1000", "200")], **of("JPY")},
    "much money": {"lines": [sold(9, "9999999.99", "2000000.00")]},
    "a line for nothing": {"lines": [sold(), sold(1, "0", "0", "COLA330", id="free")]},
    "all for nothing": {"lines": [sold(1, "0", "0")]},
    "no lines": {"lines": []},
    "emoji": {"lines": [sold(title=TEXT)], "note": TEXT, "po_number": f"PO {CUP}"},
    "long texts": {
        "lines": [sold(title="Fizz " * 80)],
        "note": "Fizz " * 900,
        "po_number": "7" * 300,
    },
}

QUICK = ("a price that never ends", "half a cent", "three decimals", "no lines", "emoji")


def ordered(platform: str, what: str) -> TargetHouse:
    house = TargetHouse(platform)
    house.customer()
    request = order_request(**({"ship_to": DOCK} | ORDERS[what]))
    house.observe(Seen(order_ref(), request, request.changed_at, Part.REQUEST))
    house.settle(rounds=12)
    return house


def there(house: TargetHouse) -> list[Any]:
    """The orders as the target has them, numbers exact."""
    platform = house.adapter.platform
    told = "told" in house.facts
    path = "received" if told else f"records/{SHOWN[platform][0]}"
    url = httpx.URL(house.connection.base_url).copy_with(path=f"/_sandbox/{path}")
    answer = house.transport.handle_request(httpx.Request("GET", url))
    found = json.loads(answer.text, parse_float=Decimal)
    return [one["data"]["record"] for one in found if "Order" in one["type"]] if told else found


def comes_to(house: TargetHouse, order: Any) -> Decimal:
    if "told" in house.facts:
        return Decimal(order["totals"]["gross"])
    return Decimal(order[SHOWN[house.adapter.platform][1]])


def reason(house: TargetHouse, entity: EntityRef) -> str:
    """What a person is told of an export that waits for one."""
    link = house.link(entity)
    if link["status"] == "parked":
        return str(link["message"])
    holds = house.rows.query(str(entity), "HOLD#")
    return "; ".join(str(one["message"]) for one in holds if "released_at" not in one)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize(
    "what", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in ORDERS]
)
@pytest.mark.parametrize("platform", TARGETS)
def test_f46_an_odd_order_is_exact_at_the_target_or_waits_with_a_reason(platform, what, figures):
    house = ordered(platform, what)
    states = accounted(house.rows, house.objects)
    link = house.link(order_ref())
    figures(outcome=link["status"])
    if link["status"] != "synced":
        assert link["status"] in {"held", "parked"}
        assert len(reason(house, order_ref())) > 10
        assert states[link["status"]]
        return
    request = order_request(**({"ship_to": DOCK} | ORDERS[what]))
    (order,) = there(house)
    assert comes_to(house, order) == request.totals.gross
    # Read back, there is as little to write as of any other order.
    if "told" not in house.facts:
        usual = undisturbed(platform, (usual_order,)).left
        assert planned(house, order_ref())[:20] == usual[:20]
    text = json.dumps(order, default=str, ensure_ascii=False)
    if what == "emoji":
        assert CUP in text
        assert "\\ufffd" not in json.dumps(order, default=str)
    if what == "long texts":
        # Cut at its end where it is too long, never in between.
        assert "Fizz Fizz Fizz" in text


def money_back(house: TargetHouse, amount: str, **more: Any) -> EntityRef:
    """The shop tells of money given back: an amount, and of no line of the order."""
    refund = ref(Kind.REFUND, "shop", "r1")
    settled = {"at": house.clock(), "status": SettlementStatus.SETTLED, "currency": "GBP"}
    body = Refund(order=order_ref(), amount=Decimal(amount), **(settled | more))
    house.observe(Seen(refund, body, house.clock(), parent=order_ref()))
    house.settle(rounds=12)
    return refund


LEDGERS = [one for one in TARGETS if Kind.REFUND in MANIFESTS[one].entities.target]


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("amount", ["23.99", "60.00", "0.01"])
@pytest.mark.parametrize("platform", LEDGERS)
def test_f46_money_given_back_is_exact_or_waits_with_a_reason(platform, amount, figures):
    """Of an order of 24.00: nearly all of it, more than it, and a penny."""
    house = TargetHouse(platform)
    house.customer()
    house.order(payment_terms="Net 30")
    house.settle()
    house.pay()
    house.settle()
    refund = money_back(house, amount)
    link, order = house.link(refund), house.link(order_ref())
    figures(outcome=link["status"], order=order["status"])
    made = house.made(Kind.REFUND)
    assert house.committed("created") == 1
    if link["status"] == "behind":
        # More than was paid: the whole order waits for a person, and what belongs to it.
        assert (link["reason"], order["status"], made) == ("dependency", "held", 0)
        assert len(reason(house, order_ref())) > 10
        accounted(house.rows, house.objects, is_settled=False)
        return
    accounted(house.rows, house.objects)
    assert order["status"] == "synced"
    if link["status"] == "synced":
        assert made == 1
        sent = b"".join(one.content for one in house.sent())
        assert amount.rstrip("0").rstrip(".").encode() in sent
    else:
        assert (link["status"], made) == ("held", 0)
        assert len(reason(house, refund)) > 10
