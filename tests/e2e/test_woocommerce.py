"""Orders of a WooCommerce store reach the same ERP, told or found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from fizzbridge.model.entity import EntityRef, Kind, ref

ADDRESS = {"first_name": "Ada", "last_name": "Quill", "address_1": "1 Quay", "city": "Leeds"}
BILLING = ADDRESS | {"postcode": "LS1", "country": "GB", "email": "ada@woo.example"}


def shop(house):
    return house.counters["woocommerce"]


def placed(house, *lines: dict[str, Any], **more: Any) -> EntityRef:
    shown = shop(house).place({"lines": list(lines), "billing": BILLING} | more)
    return ref(Kind.ORDER, "shop-woocommerce", shown["id"])


def cola(quantity: int, **more: Any) -> dict[str, Any]:
    return {"sku": "COLA330-C24", "quantity": quantity} | more


def booked(house, order: EntityRef):
    house.await_link(order, "synced")
    (sale,) = house.erp.details(order.key)
    return sale


def test_a_retail_order_with_freight(house):
    sale = booked(house, placed(house, cola(2), shipping_total="4.95"))
    assert (sale.untaxed, sale.tax, sale.total) == (
        Decimal("31.35"),
        Decimal("6.27"),
        Decimal("37.62"),
    )
    assert [(line.product, line.quantity) for line in sale.lines] == [
        ("COLA330", 2),
        ("DELIVERY", 1),
    ]


def test_prices_with_tax_in_them_come_to_what_the_buyer_paid(house):
    line = cola(3, price="15.49")
    sale = booked(house, placed(house, line, prices_include_tax=True))
    assert sale.total == Decimal("46.47")


def test_an_edit_and_a_cancellation_follow(house):
    order = placed(house, cola(4), status="pending")
    assert booked(house, order).total == Decimal("63.36")
    shop(house).act(int(order.external_id), "update", {"quantities": {"COLA330-C24": 3}})
    house.await_(
        lambda: house.erp.details(order.key)[0].total == Decimal("47.52"),
        lambda: f"{house.erp.details(order.key)}",
        sweep=True,
    )
    shop(house).act(int(order.external_id), "cancel", {})
    house.await_(
        lambda: [sale.state for sale in house.sales(order)] == ["cancel"],
        lambda: f"{house.sales(order)}",
        sweep=True,
    )


def test_what_no_webhook_told_is_found_by_the_poll(house):
    shop(house).switch("manual")
    try:
        order = placed(house, cola(1))
        house.poll("shop-woocommerce")
        assert booked(house, order).total == Decimal("15.84")
    finally:
        shop(house).switch("auto")
    assert len(house.sales(order)) == 1


def test_the_ping_is_answered_and_a_forged_delivery_is_not(house):
    url = house.webhook_url.replace("shop-uk", "shop-woocommerce")
    ping = httpx.post(url, data={"webhook_id": "27"}, timeout=30, trust_env=False)
    assert ping.status_code == 200
    headers = {"x-wc-webhook-topic": "order.created", "x-wc-webhook-signature": "AAAA"}
    forged = httpx.post(url, json={"id": 1}, headers=headers, timeout=30, trust_env=False)
    assert forged.status_code == 401
