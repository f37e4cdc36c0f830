"""D, F43: what we write comes back by the target's own webhook or poll, and ends there."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from fizzbridge.model.documents import (
    Refund,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.model.states import OrderState
from fizzbridge.runtime.loading import Loader
from tests.kit.effects import MANIFESTS
from tests.kit.held import Holder
from tests.kit.house import order_ref
from tests.kit.invariants import accounted, one_effect
from tests.kit.shop_back import ShopBack
from tests.kit.target import facts
from tests.platforms.shopify.shopify_back import Back
from tests.platforms.woocommerce.woo_back import Store

HOPS = 6
"""How often an echo is listened for; a loop would fill all of them."""


def shopify() -> tuple[ShopBack, EntityRef, str]:
    house = Back()
    return house, house.order(paid=True), "COLA-24"


def woocommerce() -> tuple[ShopBack, EntityRef, str]:
    house = Store()
    return house, house.buy(("COLA330", 6)), "COLA330"


SHOPS = {"shopify": shopify, "woocommerce": woocommerce}


def erp_speaks(house: ShopBack, order: EntityRef, sku: str) -> None:
    """The ERP says all it can: stock, price, product, state of the order, shipment, refund."""
    house.stock(sku, 77)
    house.price(sku, "1.25")
    house.product(sku)
    house.process(order, "S-9", OrderState.CONFIRMED)
    request = Loader(house.rows, house.objects).view(order).request
    (bought,) = (one for one in request.lines if one.sku == sku)
    shipment = Shipment(
        order=order,
        number="W1",
        state=ShipmentState.DISPATCHED,
        lines=(ShippedLine(order_line_id=bought.id, sku=sku, quantity=6),),
        tracking_number="JD014600",
        carrier="DHL",
        dispatched_at=house.clock(),
    )
    house.told(ref(Kind.SHIPMENT, "erp", "W1"), shipment, parent=order)
    back = Refund(
        order=order,
        amount=Decimal("1.00"),
        currency=request.currency,
        at=house.clock(),
        status=SettlementStatus.SETTLED,
        reason="broken",
    )
    house.told(ref(Kind.REFUND, "erp", "r1"), back, parent=order)


def effects(house: ShopBack) -> tuple[Counter[str], ...]:
    """What was written at either end; looking is no effect."""
    at_the_erp = Counter(house.orders.counts) + Counter(house.customers.counts)
    del at_the_erp["find"]
    return at_the_erp, Counter(house.sandbox.accepted)


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", sorted(SHOPS))
def test_f43_what_a_shop_says_of_our_own_writes_stops_after_one_hop(platform, figures):
    house, order, sku = SHOPS[platform]()
    house.hear()
    house.settle()
    erp_speaks(house, order, sku)
    house.settle()
    done = effects(house)
    heard = []
    for _ in range(HOPS):
        heard.append(house.hear())
        house.settle()
        assert effects(house) == done, "somebody was written to for a shop's own word"
    assert heard[0] > 0, "the shop said nothing of what was written"
    assert heard[1:] == [0] * (HOPS - 1)
    one_effect(house)
    states = accounted(house.rows, house.objects)
    assert states["parked"] == 0
    refunds = house.rows.query(str(order), "CHILD#Refund")
    assert len(refunds) == 1, "the shop's own word of our refund became a second one"
    assert "DriftFound" not in house.announced()
    figures(told_by_the_shop=heard[0], further_hops=0)


HOLDERS = [
    slug
    for slug, manifest in sorted(MANIFESTS.items())
    if manifest.is_booked and "acts" in facts(slug)
]


@pytest.mark.level("sandbox")
@pytest.mark.parametrize("platform", HOLDERS)
def test_f43_what_an_erp_shows_of_our_own_writes_is_not_written_again(platform, figures):
    house = Holder(platform, MANIFESTS[platform])
    house.customer()
    house.order(cases=4)
    house.settle()
    for act in ("ship", "invoice"):
        if act in house.facts["acts"]:
            house.does(act)
    house.poll()
    done = Counter(house.sandbox.accepted)
    link = house.link(order_ref())
    for _ in range(3):
        house.clock.advance(300)
        house.poll()
    assert Counter(house.sandbox.accepted) == done
    again = house.link(order_ref())
    assert [again[name] for name in ("stamp", "external_id")] == [
        link[name] for name in ("stamp", "external_id")
    ]
    assert house.committed("created") == 1
    accounted(house.rows, house.objects)
    figures(polls=4, further_writes=0)
