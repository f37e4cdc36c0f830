"""Bulk orders of three countries: what the ERP holds, to the cent, on the deployed stack."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from fizzbridge.model.entity import Kind, ref

COUNTRIES = {"IE": "Ireland", "DE": "Germany", "GB": "United Kingdom"}


def bulk(house, country: str, sku: str, quantity: int, price: str, rate: float, **more: Any):
    """A company orders on terms at the shop of its currency."""
    where = {"address1": "1 Quay", "city": "Port", "zip": "1", "company": "Bar Ltd"}
    where |= {"first_name": "Bo", "last_name": "Ode", "country_code": country}
    where |= {"country": COUNTRIES[country]} | more.pop("address", {})
    shop = house.shop if country == "GB" else house.shop_eu
    shown = shop.place(
        {
            "lines": [{"sku": sku, "quantity": quantity, "price": price, "tax_rate": rate}],
            "customer": {"first_name": "Bo", "last_name": "Ode", "email": "bo@bar.example"},
            "company": {"id": 7101, "location_id": 8101},
            "payment_terms": {"name": "Net 30", "due_in_days": 30},
            "shipping_address": where,
            "billing_address": where,
        }
        | more
    )
    return ref(Kind.ORDER, "shop-uk" if country == "GB" else "shop-eu", shown["id"])


def fizzbridge(*words: str) -> Any:
    done = CliRunner().invoke(app, ["--json", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def steps(order, rule: str) -> list[dict[str, str]]:
    return [one for one in fizzbridge("explain", order.key)["steps"] if one["rule"] == rule]


def test_ireland_deposits_are_lines_without_tax(house):
    order = bulk(house, "IE", "COLA330-C24", 10, "9.60", 0.23)
    house.await_link(order, "synced")
    (sale,) = house.erp.details(order.key)
    assert (sale.untaxed, sale.tax, sale.total) == (
        Decimal("132.00"),
        Decimal("22.08"),
        Decimal("154.08"),
    )
    assert [(line.product, line.quantity, line.net, line.rates) for line in sale.lines] == [
        ("COLA330", 10, Decimal("96.00"), (Decimal(23),)),
        ("DEPOSIT", 240, Decimal("36.00"), ()),
    ]
    (deposit,) = steps(order, "deposit")
    assert deposit["arithmetic"] == "240 × 0.15 EUR for a container"
    assert (deposit["source"], deposit["valid_from"]) == ("ie-small", "2024-02-01")


def test_germany_crates_returned_lower_the_order(house):
    brought = [
        {"name": "empties crate-12", "value": "8"},
        {"name": "empties bottle-1l", "value": "101"},
    ]
    order = bulk(house, "DE", "LEMON1000-CRATE", 10, "6.49", 0.19, note_attributes=brought)
    house.await_link(order, "held")
    waiting = fizzbridge("hold", "list", order.key)
    assert {one["reason"] for one in waiting} == {"LIMIT"}
    fizzbridge("hold", "release", order.key, "--why", "crates from before the bridge")
    house.await_link(order, "synced")
    (sale,) = house.erp.details(order.key)
    assert (sale.untaxed, sale.tax, sale.total) == (
        Decimal("70.75"),
        Decimal("13.44"),
        Decimal("84.19"),
    )
    kinds = {line.product: Decimal(0) for line in sale.lines}
    for line in sale.lines:
        kinds[line.product] += line.net
        assert line.rates == (Decimal(19),)
    assert kinds == {
        "LEMON1000": Decimal("64.90"),
        "DEPOSIT": Decimal("33.00"),
        "DEPOSIT-REFUND": Decimal("-27.15"),
    }
    told = fizzbridge("trace", order.key)
    (released,) = [one for one in told["happenings"] if one["what"] == "hold released"]
    assert released["details"]["why"] == "crates from before the bridge"
    assert released["details"]["by"].startswith("arn:aws")


@pytest.mark.parametrize(
    ("day", "deposit", "total"),
    [("2027-09-30", "0", "201.60"), ("2027-10-01", "96.00", "297.60")],
)
def test_england_before_and_after_the_scheme_starts(house, day, deposit, total):
    at = f"{day}T10:00:00+00:00"
    england = {"province_code": "ENG"}
    order = bulk(
        house, "GB", "COLA330-C24", 20, "8.40", 0.2, address=england, created_at=at, updated_at=at
    )
    house.await_link(order, "synced")
    (sale,) = house.erp.details(order.key)
    assert (sale.tax, sale.total) == (Decimal("33.60"), Decimal(total))
    held = sum((line.net for line in sale.lines if line.product == "DEPOSIT"), Decimal(0))
    assert held == Decimal(deposit)
