"""The Odoo sandbox behaves as the vendor's documentation and a running 19.0 do."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from platforms.odoo.sandbox import make
from sandbox.faults import Fault
from tests.platforms.odoo.odoo_world import (
    CASE,
    CONFIRMED,
    DELIVERY,
    DEPOSIT,
    DOCK,
    DRAFT,
    ELDER,
    KEY,
    PARTNER,
    SALES_ONLY_KEY,
    TAX,
    TAX_INCLUDED,
    UNIT,
    Odoo,
    goods,
    order,
    world,
)

SEEDS = Path(__file__).parents[2] / "e2e" / "seeds"
FIXTURES = Path(__file__).parents[3] / "events" / "odoo" / "api"
FACTS = Path(__file__).parents[3].parent / "shared" / "platforms"
SAMPLES = FACTS / "samples" / "odoo"
SPEC = FACTS / "specs" / "odoo" / "json2-api.openapi.json"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the vendor samples are not here")
needs_spec = pytest.mark.skipif(not SPEC.is_file(), reason="the vendor specification is not here")

CONFIRM_REFUSED = "Some orders are not in a state requiring confirmation."


@pytest.fixture
def odoo() -> Odoo:
    return Odoo(world())


def create(odoo: Odoo, *lines: dict[str, Any], **values: Any) -> int:
    commands = [[0, 0, line] for line in lines]
    vals = {"partner_id": PARTNER, "order_line": commands, **values}
    return odoo.ok("sale.order", "create", vals_list=[vals])[0]


def line(qty: float, price: float | None = None, **values: Any) -> dict[str, Any]:
    priced = {} if price is None else {"price_unit": price}
    return {"product_id": ELDER, "product_uom_qty": qty, **priced, **values}


def totals(odoo: Odoo, order_id: int) -> tuple[float, float, float]:
    fields = ["amount_untaxed", "amount_tax", "amount_total"]
    row = odoo.ok("sale.order", "read", ids=[order_id], fields=fields)[0]
    return row["amount_untaxed"], row["amount_tax"], row["amount_total"]


def lines_of(odoo: Odoo, order_id: int, *fields: str) -> list[dict[str, Any]]:
    domain = [["order_id", "=", order_id]]
    return odoo.ok("sale.order.line", "search_read", domain=domain, fields=list(fields))


# Money


def test_forty_bottles_and_untaxed_delivery():
    tax = {"name": "23%", "amount": 23.0}
    odoo = Odoo(world(taxes=[{"name": "19%", "amount": 19.0}, tax]))
    shipping = {"product_id": DELIVERY, "price_unit": 15.0, "tax_ids": [], "is_delivery": True}
    made = create(odoo, line(40, 12.5, tax_ids=[[6, 0, [41]]]), shipping)
    assert totals(odoo, made) == (515.0, 115.0, 630.0)


def test_cases_cans_deposits_and_texts(odoo):
    made = create(
        odoo,
        line(2, 22.92, product_uom_id=CASE, discount=5, tax_ids=[TAX]),
        line(24, 9.55),
        line(72, 0.25, product_id=DEPOSIT),
        {"display_type": "line_section", "name": "Charges"},
        {"product_id": DELIVERY, "name": "Parcel", "product_uom_qty": 1, "price_unit": 15.0},
        {"display_type": "line_note", "name": "gift wrap"},
    )
    assert totals(odoo, made) == (305.75, 55.24, 360.99)
    rows = lines_of(odoo, made, "price_subtotal", "price_tax", "price_total", "product_uom_id")
    assert [row["price_subtotal"] for row in rows] == [43.55, 229.2, 18.0, 0.0, 15.0, 0.0]
    assert [row["price_total"] for row in rows] == [51.82, 272.75, 21.42, 0.0, 15.0, 0.0]
    noise = [8.270000000000003, 43.55000000000001, 3.4200000000000017, 0.0, 0.0, 0.0]
    assert [row["price_tax"] for row in rows] == noise
    assert rows[3]["product_uom_id"] is False


def test_included_tax_is_taken_out_of_the_price(odoo):
    taxed = {"tax_ids": [TAX_INCLUDED]}
    made = create(odoo, line(3, 1.19, **taxed), line(7, 0.99, **taxed))
    rows = lines_of(odoo, made, "price_subtotal", "price_total")
    assert [row["price_subtotal"] for row in rows] == [3.0, 5.82]
    assert [row["price_total"] for row in rows] == [3.57, 6.93]
    assert totals(odoo, made) == (8.82, 1.68, 10.5)


@pytest.mark.parametrize(("method", "tax"), [("round_globally", 0.12), ("round_per_line", 0.10)])
def test_small_lines_round_as_the_company_wants(method, tax):
    company = {"currency": "EUR", "tax_calculation_rounding_method": method}
    odoo = Odoo(world(company=company))
    made = create(odoo, *[line(1, 0.13, tax_ids=[TAX]) for _ in range(5)])
    assert totals(odoo, made) == (0.65, tax, round(0.65 + tax, 2))


BULK = [
    (
        "Trade EUR",
        [
            ("COLA330", 10, "Case of 24", 9.6, "23%"),
            ("DEPOSIT", 240, "Units", 0.15, ""),
        ],
        ("EUR", 132.0, 22.08, 154.08),
    ),
    (
        "Trade EUR",
        [
            ("LEMON1000", 10, "Case of 12", 6.49, "19%"),
            ("DEPOSIT", 10, "Units", 1.5, "19%"),
            ("DEPOSIT", 120, "Units", 0.15, "19%"),
            ("DEPOSIT-REFUND", 8, "Units", -1.5, "19%"),
            ("DEPOSIT-REFUND", 101, "Units", -0.15, "19%"),
        ],
        ("EUR", 70.75, 13.44, 84.19),
    ),
    (
        "Trade GBP",
        [
            ("COLA330", 20, "Case of 24", 8.4, "20%"),
            ("DEPOSIT", 480, "Units", 0.2, ""),
        ],
        ("GBP", 264.0, 33.6, 297.6),
    ),
]


@pytest.mark.parametrize(("pricelist", "sold", "expected"), BULK)
def test_bulk_orders_of_three_countries_in_the_trade_seed(pricelist, sold, expected):
    seed = json.loads((SEEDS / "odoo-trade.seed.json").read_text())
    odoo = Odoo(make(seed), next(iter(seed["api_keys"])))

    def id_of(model: str, name: str, field: str = "name") -> int:
        (found,) = odoo.ok(model, "search", domain=[[field, "=", name]])
        return found

    (partner,) = odoo.ok("res.partner", "create", vals_list=[{"name": "Bar Ltd"}])
    lines = [
        [
            0,
            0,
            {
                "product_id": id_of("product.product", sku, "default_code"),
                "product_uom_qty": quantity,
                "product_uom_id": id_of("uom.uom", unit),
                "price_unit": price,
                "tax_ids": [id_of("account.tax", tax)] if tax else [],
            },
        ]
        for sku, quantity, unit, price, tax in sold
    ]
    values = {"partner_id": partner, "pricelist_id": id_of("product.pricelist", pricelist)}
    (made,) = odoo.ok("sale.order", "create", vals_list=[values | {"order_line": lines}])
    odoo.ok("sale.order", "action_confirm", ids=[made])
    (row,) = odoo.ok("sale.order", "read", ids=[made], fields=["currency_id", "state"])
    assert (row["currency_id"][1], *totals(odoo, made)) == expected
    assert row["state"] == "sale"


@pytest.mark.parametrize(
    "sku", ["DEPOSIT", "DEPOSIT-REFUND", "LEVY", "ROUNDING", "CHARGE", "DELIVERY"]
)
def test_services_of_the_trade_seed_have_no_tax_of_their_own(sku):
    seed = json.loads((SEEDS / "odoo-trade.seed.json").read_text())
    odoo = Odoo(make(seed), next(iter(seed["api_keys"])))
    domain, fields = [["default_code", "=", sku]], ["type", "taxes_id"]
    (row,) = odoo.ok("product.product", "search_read", domain=domain, fields=fields)
    assert (row["type"], row["taxes_id"]) == ("service", [])


TRADE = {
    "company": {"currency": "GBP"},
    "pricelists": [{"name": "Trade EUR", "currency": "EUR"}],
    "taxes": [
        {"name": "19%", "amount": 19.0},
        {"name": "23%", "amount": 23.0},
        {"name": "19% incl.", "amount": 19.0, "price_include": True},
        {"name": "0%", "amount": 0.0},
        {"name": "23% incl.", "amount": 23.0, "price_include": True},
    ],
}
T19, T23, T19_IN, T0, T23_IN = range(40, 45)


def trade(method: str = "round_globally") -> Odoo:
    company = TRADE["company"] | {"tax_calculation_rounding_method": method}
    return Odoo(world(**TRADE | {"company": company}))


def taxed(qty: float, price: float, *taxes: int, **values: Any) -> dict[str, Any]:
    return line(qty, price, tax_ids=list(taxes), **values)


@pytest.mark.parametrize("method", ["round_globally", "round_per_line"])
def test_euro_order_of_a_sterling_company(method):
    odoo = trade(method)
    deposit = {"product_id": DEPOSIT}
    ireland = create(odoo, taxed(10, 9.6, T23), taxed(240, 0.15, **deposit), pricelist_id=40)
    germany = create(
        odoo,
        taxed(10, 6.49, T19),
        taxed(10, 1.5, T19, **deposit),
        taxed(120, 0.15, T19, **deposit),
        taxed(8, -1.5, T19, **deposit),
        taxed(101, -0.15, T19, **deposit),
        pricelist_id=40,
    )
    assert totals(odoo, ireland) == (132.0, 22.08, 154.08)
    assert totals(odoo, germany) == (70.75, 13.44, 84.19)
    read = odoo.ok("sale.order", "read", ids=[ireland, germany], fields=["currency_id"])
    assert {tuple(row["currency_id"]) for row in read} == {(40, "EUR")}
    rows = lines_of(odoo, germany, "price_subtotal", "price_total")
    assert [row["price_subtotal"] for row in rows] == [64.9, 15.0, 18.0, -12.0, -15.15]
    assert [row["price_total"] for row in rows] == [77.23, 17.85, 21.42, -14.28, -18.03]


@pytest.mark.parametrize(
    ("method", "lines", "expected"),
    [
        # Each tax is rounded over all lines that bear it, whatever else they bear.
        ("round_globally", [(0.13, T19), (0.13, T19, T23)], (0.26, 0.08, 0.34)),
        ("round_per_line", [(0.13, T19), (0.13, T19, T23)], (0.26, 0.07, 0.33)),
        # The untaxed amount is rounded over all lines, taxed or not.
        ("round_globally", [(10.004, T19), (10.004,)], (20.01, 1.90, 21.91)),
        ("round_per_line", [(10.004, T19), (10.004,)], (20.0, 1.90, 21.90)),
        # Per line the tax is that of the rounded amount: 19 % of 0.50, not of 0.496.
        ("round_globally", [(0.496, T19)], (0.50, 0.09, 0.59)),
        ("round_per_line", [(0.496, T19)], (0.50, 0.10, 0.60)),
        # Where every price holds its tax, the prices stand.
        ("round_globally", [(0.99, T19_IN), (1.23, T23_IN), (2.0,)], (3.83, 0.39, 4.22)),
        ("round_per_line", [(0.99, T19_IN), (1.23, T23_IN), (2.0,)], (3.83, 0.39, 4.22)),
        ("round_globally", [(0.99, T19_IN)] * 5, (4.16, 0.79, 4.95)),
        ("round_per_line", [(0.99, T19_IN)] * 5, (4.15, 0.80, 4.95)),
        # No tax at all, and one of 0 %.
        ("round_globally", [(-0.125,), (0.13, T0)], (0.01, 0.0, 0.01)),
        ("round_per_line", [(-0.125,), (0.13, T0)], (0.0, 0.0, 0.0)),
        # What is given back rounds as what was charged.
        ("round_globally", [(-0.13, T19)] * 5, (-0.65, -0.12, -0.77)),
        ("round_per_line", [(-0.13, T19)] * 5, (-0.65, -0.10, -0.75)),
    ],
)
def test_totals_of_several_rates_and_signs(method, lines, expected):
    odoo = trade(method)
    made = create(odoo, *[taxed(1, *one) for one in lines])
    assert totals(odoo, made) == expected


def test_a_tax_inside_the_price_beside_one_on_top():
    odoo = trade()
    made = create(odoo, taxed(7, 0.99, T19_IN), taxed(1, 10, T23))
    assert totals(odoo, made) == (15.82, 3.41, 19.23)


def test_a_refund_of_empties_loads_and_confirms_without_a_delivery():
    odoo = trade()
    cells = [str(DEPOSIT), "Empties", "8", "-1.5", "-1", str(T19)]
    (made,) = order(odoo, "__fizz__.so_empties", [cells])["ids"]
    assert totals(odoo, made) == (-12.0, -2.28, -14.28)
    assert odoo.ok("sale.order", "action_confirm", ids=[made]) is True
    read = odoo.ok("sale.order", "read", ids=[made], fields=["state", "delivery_status"])
    assert read == [{"id": made, "state": "sale", "delivery_status": False}]


@pytest.mark.parametrize(("price", "subtotal"), [(1.005, 1.01), (2.675, 2.68)])
def test_half_goes_up(odoo, price, subtotal):
    made = create(odoo, line(1, price, tax_ids=[]))
    assert totals(odoo, made) == (subtotal, 0.0, subtotal)
    assert lines_of(odoo, made, "price_unit")[0]["price_unit"] == price


def test_without_a_price_the_list_price_of_the_unit_counts(odoo):
    made = create(odoo, line(1), line(1, product_uom_id=CASE), line(1, 0))
    prices = [row["price_unit"] for row in lines_of(odoo, made, "price_unit")]
    assert prices == [1.15, 27.599999999999998, 0.0]


@pytest.mark.parametrize("change", [{"product_uom_qty": 5}, {"product_uom_id": CASE}])
@pytest.mark.parametrize("confirmed", [False, True])
def test_price_trap(odoo, change, confirmed):
    manual = {"technical_price_unit": -1}
    made = create(odoo, line(1, 7.77), line(1, 7.77, **manual), line(1, 0, **manual))
    if confirmed:
        odoo.ok("sale.order", "action_confirm", ids=[made])
    ids = [row["id"] for row in lines_of(odoo, made)]
    odoo.ok("sale.order.line", "write", ids=ids, vals=change)
    reset = 1.15 if "product_uom_qty" in change else 27.599999999999998
    assert [row["price_unit"] for row in lines_of(odoo, made, "price_unit")] == [reset, 7.77, 0.0]
    odoo.ok("sale.order.line", "write", ids=ids[:1], vals={**change, "price_unit": 7.77})
    assert lines_of(odoo, made, "price_unit")[0]["price_unit"] == 7.77


def test_quantities_and_discounts_are_cut_and_odd_quantities_taken(odoo):
    made = create(odoo, line(7.123, 1, discount=3.456), line("3", 1), line(None, 1), line(-2, 1))
    rows = lines_of(odoo, made, "product_uom_qty", "discount")
    assert [row["product_uom_qty"] for row in rows] == [7.12, 3.0, 0.0, -2.0]
    assert rows[0]["discount"] == 3.46


def test_the_currency_is_the_pricelist_s():
    odoo = Odoo(world(pricelists=[{"name": "Island", "currency": "GBP"}]))
    made = create(odoo, line(1, 1), pricelist_id=40, currency_id=41)
    assert odoo.ok("sale.order", "read", ids=[made], fields=["currency_id"]) == [
        {"id": made, "currency_id": [42, "GBP"]}
    ]
    made = create(odoo, line(1, 1), currency_id=41)
    plain = odoo.ok("sale.order", "read", ids=[made], fields=["currency_id"], load=None)
    assert plain == [{"id": made, "currency_id": 40}]


# Orders


def test_a_confirmed_order(odoo):
    made = create(odoo, line(1, 1), date_order="2026-10-05 08:30:00")
    assert odoo.call("sale.order", "action_confirm", ids=[made]) == (200, True)
    row = odoo.ok("sale.order", "read", ids=[made])[0]
    assert (row["state"], row["invoice_status"], row["delivery_status"]) == (
        "sale",
        "to invoice",
        "pending",
    )
    assert len(row["picking_ids"]) == 1
    assert row["date_order"] > "2026-10-05 08:30:00"
    status, body = odoo.call("sale.order", "action_confirm", ids=[made])
    assert (status, body["message"]) == (422, CONFIRM_REFUSED)


def test_services_are_not_delivered_and_an_empty_order_confirms(odoo):
    service, empty = create(odoo, line(1, 1, product_id=DEPOSIT)), create(odoo)
    odoo.ok("sale.order", "action_confirm", ids=[service, empty])
    rows = odoo.ok("sale.order", "read", ids=[service, empty], fields=["delivery_status"])
    assert [row["delivery_status"] for row in rows] == [False, False]


def test_confirming_at_once_succeeds_once(odoo):
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(odoo.call("sale.order", "action_confirm", ids=[DRAFT])[0])
        )
        for _ in range(3)
    ]
    _run(threads)
    assert sorted(answers) == [200, 422, 422]
    assert odoo.sandbox.accepted["sale.order/action_confirm"] == 1


def test_cancel_from_anywhere_but_locked(odoo):
    for _ in range(2):
        assert odoo.ok("sale.order", "action_cancel", ids=[CONFIRMED]) is True
    assert odoo.ok("sale.order", "action_draft", ids=[CONFIRMED]) is True
    assert odoo.ok("sale.order", "action_confirm", ids=[CONFIRMED]) is True
    assert odoo.ok("sale.order", "action_lock", ids=[CONFIRMED]) is None
    assert odoo.call("sale.order", "action_cancel", ids=[CONFIRMED])[0] == 422
    first = lines_of(odoo, CONFIRMED)[0]["id"]
    status, body = odoo.call("sale.order.line", "write", ids=[first], vals={"product_uom_qty": 9})
    assert status == 422
    assert "forbidden to modify" in body["message"]
    assert odoo.ok("sale.order", "action_unlock", ids=[CONFIRMED]) is None
    assert odoo.ok("sale.order", "action_cancel", ids=[CONFIRMED]) is True


def test_changes_after_confirm(odoo):
    first = lines_of(odoo, CONFIRMED)[0]["id"]
    added = [0, 0, {"product_id": DEPOSIT, "product_uom_qty": 48}]
    commands = [[1, first, {"product_uom_qty": 3, "price_unit": 22.92}], added]
    assert odoo.ok("sale.order", "write", ids=[CONFIRMED], vals={"order_line": commands}) is True
    assert len(lines_of(odoo, CONFIRMED)) == 4
    refused: list[dict[str, Any]] = [
        {"order_line": [[1, first, {"product_id": DEPOSIT}]]},
        {"order_line": [[2, first, 0]]},
        {"order_line": [[5, 0, 0]]},
    ]
    for values in refused:
        assert odoo.call("sale.order", "write", ids=[CONFIRMED], vals=values)[0] == 422
    assert len(lines_of(odoo, CONFIRMED)) == 4
    assert odoo.call("sale.order", "unlink", ids=[CONFIRMED])[0] == 422


def test_a_confirmed_order_keeps_its_pricelist():
    odoo = Odoo(world(pricelists=[{"name": "Island", "currency": "GBP"}]))
    assert odoo.call("sale.order", "write", ids=[CONFIRMED], vals={"pricelist_id": 40})[0] == 422


def test_the_unit_s_fit_is_not_checked_and_references_repeat(odoo):
    hours = odoo.ok("uom.uom", "search", domain=[["name", "=", "Hours"]])[0]
    for _ in range(2):
        made = create(odoo, line(1, 1, product_uom_id=hours), origin="same", client_order_ref="PO")
        assert odoo.ok("sale.order", "action_confirm", ids=[made]) is True
    assert odoo.ok("sale.order", "search_count", domain=[["origin", "=", "same"]]) == 2


def test_a_line_without_product_needs_a_name(odoo):
    made = create(odoo, {"name": "by hand", "price_unit": 2})
    assert lines_of(odoo, made, "product_uom_id", "tax_ids") == [
        {"id": lines_of(odoo, made)[0]["id"], "product_uom_id": False, "tax_ids": []}
    ]
    vals = {"partner_id": PARTNER, "order_line": [[0, 0, {"price_unit": 2}]]}
    status, body = odoo.call("sale.order", "create", vals_list=vals)
    assert status == 422
    assert "'Description' (name)" in body["message"]


def test_all_or_nothing_and_numbers_with_gaps(odoo):
    good = {"partner_id": PARTNER}
    status, _ = odoo.call("sale.order", "create", vals_list=[good, {"origin": "no partner"}])
    assert status == 422
    assert odoo.ok("sale.order", "search_count", domain=[]) == 2
    made = create(odoo)
    name = odoo.ok("sale.order", "read", ids=[made], fields=["name"])[0]["name"]
    assert name > "S00042"
    assert odoo.sandbox.accepted == {"sale.order/create": 1}


# load


def test_load_inserts_once(odoo):
    first = order(odoo, "__fizz__.so_1", [goods(40, 12.5)])
    assert first == {"ids": [42], "messages": [], "nextrow": 0}
    assert order(odoo, "__fizz__.so_1", [goods(1), goods(2)], partner=str(DOCK)) == first
    assert totals(odoo, 42) == (500.0, 95.0, 595.0)
    assert odoo.ok("sale.order", "get_external_id", ids=[42]) == {"42": "__fizz__.so_1"}
    assert odoo.sandbox.accepted["sale.order/load"] == 1
    odoo.ok("sale.order", "unlink", ids=[42])
    assert order(odoo, "__fizz__.so_1", [goods(1)])["ids"] == [43]


def test_load_without_the_context_appends_the_lines_again(odoo):
    for count in (1, 2):
        assert order(odoo, "__fizz__.so_2", [goods(40)], context={})["ids"] == [42]
        assert totals(odoo, 42)[0] == 46.0 * count
    assert odoo.sandbox.accepted["sale.order/load"] == 1


def test_load_updates_lines_by_their_own_external_ids(odoo):
    fields = ["id", "partner_id/.id", "order_line/id", "order_line/product_id/.id"]
    data = [["so_3", str(PARTNER), "__fizz__.line_3", str(ELDER)]]
    for _ in range(2):
        ids = odoo.ok("sale.order", "load", fields=fields, data=data)["ids"]
        assert len(lines_of(odoo, ids[0])) == 1
    assert odoo.ok("sale.order", "get_external_id", ids=ids) == {str(ids[0]): "__import__.so_3"}


def test_load_at_once_has_one_winner(odoo):
    odoo.sandbox.commit_delay_seconds = 0.3
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(order(odoo, "__fizz__.so_4", [goods(1)])))
        for _ in range(3)
    ]
    _run(threads)
    won = [answer for answer in answers if answer["ids"]]
    lost = [answer for answer in answers if not answer["ids"]]
    assert (len(won), len(lost)) == (1, 2)
    assert all("could not serialize access" in a["messages"][0]["message"] for a in lost)
    assert order(odoo, "__fizz__.so_4", [goods(1)])["ids"] == won[0]["ids"]
    assert odoo.sandbox.accepted["sale.order/load"] == 1


def test_a_running_create_is_invisible_until_it_is_committed(odoo):
    odoo.sandbox.commit_delay_seconds = 0.3
    odoo.sandbox.faults.arm(Fault("give_up", on="sale.order/", seconds=0.05))
    with pytest.raises(httpx.ReadTimeout):
        order(odoo, "__fizz__.so_5", [goods(1)], origin="fizz:so-5")
    domain = [["origin", "=", "fizz:so-5"]]
    assert odoo.ok("sale.order", "search", domain=domain) == []
    assert order(odoo, "__fizz__.so_5", [goods(1)])["ids"] is False
    assert order(odoo, "__fizz__.so_5", [goods(1)])["ids"] == [42]
    assert odoo.ok("sale.order", "search", domain=domain) == [42]


def test_searching_before_creating_does_not_help_at_once(odoo):
    odoo.sandbox.commit_delay_seconds = 0.2
    domain = [["origin", "=", "fizz:so-6"]]

    def search_then_create() -> None:
        if not odoo.ok("sale.order", "search", domain=domain):
            create(odoo, origin="fizz:so-6")

    _run([threading.Thread(target=search_then_create) for _ in range(4)])
    assert odoo.sandbox.accepted["sale.order/create"] == 4


def test_commit_then_silence_leaves_the_order(odoo):
    odoo.sandbox.faults.arm(Fault("commit_then_silence", on="sale.order/load"))
    with pytest.raises(httpx.ReadTimeout):
        order(odoo, "__fizz__.so_7", [goods(1)])
    assert order(odoo, "__fizz__.so_7", [goods(1)])["ids"] == [42]
    assert odoo.sandbox.accepted["sale.order/load"] == 1


def test_an_empty_cell_is_an_empty_value(odoo):
    cells = [str(ELDER), "Elderflower", "2", "", "", ""]
    made = order(odoo, "__fizz__.so_8", [cells])["ids"][0]
    rows = lines_of(odoo, made, "price_unit", "tax_ids")
    assert (rows[0]["price_unit"], rows[0]["tax_ids"]) == (0.0, [])
    cells[1] = ""
    answer = order(odoo, "__fizz__.so_9", [goods(1), cells])
    assert answer["ids"] is False
    assert "'Description' (name)" in answer["messages"][0]["message"]
    assert odoo.ok("sale.order", "search_count", domain=[]) == 3


def test_times_in_cells_are_local(odoo):
    zones = {"UTC": "2026-10-05 08:30:00", "Europe/Berlin": "2026-10-05 06:30:00"}
    for number, (zone, utc) in enumerate(zones.items()):
        context = {"noupdate": True, "mode": "update", "tz": zone}
        made = order(odoo, f"__fizz__.tz_{number}", [goods(1)], context)["ids"]
        assert (
            odoo.ok("sale.order", "read", ids=made, fields=["date_order"])[0]["date_order"] == utc
        )


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"partner": "99999"}, "database id '99999' in field 'Customer'"),
        ({"date": "2026-10-05T08:30:00Z"}, "for field 'Order Date'"),
    ],
)
def test_a_bad_cell_is_a_message(odoo, cells, message):
    answer = order(odoo, "__fizz__.so_10", [goods(1)], **cells)
    assert answer["ids"] is False
    assert message in answer["messages"][0]["message"]
    status, body = odoo.call("sale.order", "load", fields=["id", "zzz"], data=[["a.b", "1"]])
    assert (status, body["name"]) == (500, "builtins.ValueError")


def test_a_section_and_its_partner_s_children_load(odoo):
    fields = ["id", "name", "child_ids/id", "child_ids/name", "child_ids/type"]
    data = [["__fizz__.c_1", "Lock House", "__fizz__.a_1", "Cellar", "delivery"]]
    loaded = odoo.ok("res.partner", "load", fields=fields, data=data)["ids"]
    found = odoo.ok("res.partner", "search_read", domain=[["id", "child_of", loaded]])
    assert [row["display_name"] for row in found] == ["Lock House, Cellar", "Lock House"]
    fields = ["id", "partner_id/.id", "order_line/name", "order_line/display_type"]
    data = [["__fizz__.so_11", loaded[0], "Charges", "line_section"]]
    made = odoo.ok("sale.order", "load", fields=fields, data=data)["ids"][0]
    assert lines_of(odoo, made, "display_type")[0]["display_type"] == "line_section"


def test_pricelists_need_rights_and_partners_bring_theirs():
    row = {"name": "Island", "currency_id": 42}
    assert Odoo(world()).call("product.pricelist", "create", vals_list=[row])[0] == 403
    bot = {"login": "bot@example.com", "uid": 6, "groups": ["Products/Create", "Contact/Creation"]}
    odoo = Odoo(world(api_keys={KEY: bot}))
    made = odoo.ok("product.pricelist", "create", vals_list=[row])
    vals = {"property_product_pricelist": made[0]}
    odoo.ok("res.partner", "write", ids=[PARTNER], vals=vals)
    sold = odoo.ok("sale.order", "read", ids=[create(odoo)], fields=["pricelist_id", "currency_id"])
    assert (sold[0]["pricelist_id"], sold[0]["currency_id"]) == ([40, "Island"], [42, "GBP"])


def test_load_reports_missing_rights_in_messages():
    odoo = Odoo(world(), SALES_ONLY_KEY)
    data = [["__fizz__.c_2", "Lock House"]]
    answer = odoo.ok("res.partner", "load", fields=["id", "name"], data=data)
    assert answer["ids"] is False
    assert answer["messages"][0]["message"].startswith("You are not allowed to create 'Contact'")


# Reading


@pytest.mark.parametrize(
    ("domain", "skus"),
    [
        ([["default_code", "=", "ELDER-33"]], ["ELDER-33"]),
        ([["default_code", "=", "elder-33"]], []),
        ([["default_code", "ilike", "elder"]], ["ELDER-33"]),
        ([["default_code", "like", "elder"]], []),
        ([["default_code", "=like", "%-25"]], ["DEP-25"]),
        ([["default_code", "in", ["SHIP", "DEP-25", "none"]]], ["DEP-25", "SHIP"]),
        ([["default_code", "not in", ["SHIP", "DEP-25", "ELDER-33"]]], ["TWIN-1", "TWIN-1"]),
        (["|", ["list_price", ">", 1], ["name", "=", "Deposit"]], ["DEP-25", "ELDER-33"]),
        (["!", ["list_price", ">=", 0.25]], ["SHIP", "TWIN-1", "TWIN-1"]),
        ([["barcode", "!=", False]], ["ELDER-33"]),
        ([["barcode", "=", False], ["list_price", "<=", 0]], ["SHIP", "TWIN-1", "TWIN-1"]),
        ([["uom_ids.name", "=", "Case of 24"]], ["ELDER-33"]),
        ([["uom_ids", "in", [CASE]]], ["ELDER-33"]),
        ([["uom_id", "=", "Units"], ["default_code", "=", "SHIP"]], ["SHIP"]),
        ([["active", "=", False]], ["OLD-1"]),
        ([["active", "in", [True, False]], ["name", "=", "Delisted"]], ["OLD-1"]),
    ],
)
def test_domains(odoo, domain, skus):
    rows = odoo.ok("product.product", "search_read", domain=domain, fields=["default_code"])
    assert [row["default_code"] for row in rows] == skus


def test_archived_records_pages_and_order(odoo):
    count = odoo.ok("product.product", "search_count", domain=[])
    everything = {"domain": [], "context": {"active_test": False}}
    assert odoo.ok("product.product", "search_count", **everything) == count + 1
    page = {"domain": [], "order": "list_price desc, id desc", "offset": 1, "limit": 2}
    assert odoo.ok("product.product", "search", **page) == [DEPOSIT, 44]


def test_write_date_is_the_start_of_the_call(odoo):
    odoo.sandbox.commit_delay_seconds = 1.1
    made = create(odoo)
    row = odoo.ok("sale.order", "read", ids=[made], fields=["write_date"])[0]
    assert row["write_date"] < time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    keyset = ["|", ["write_date", ">", row["write_date"]], "&"]
    keyset += [["write_date", "=", row["write_date"]], ["id", ">", CONFIRMED]]
    assert made in odoo.ok("sale.order", "search", domain=keyset)


def test_a_case_s_barcode_is_in_its_own_model(odoo):
    domain = [["barcode", "=", "4099999000124"]]
    assert odoo.ok("product.product", "search", domain=domain) == []
    found = odoo.ok("product.uom", "search_read", domain=domain, fields=["product_id", "uom_id"])
    assert (found[0]["product_id"][0], found[0]["uom_id"]) == (ELDER, [CASE, "Case of 24"])


def test_a_key_shows_only_itself(odoo):
    fields = ["name", "scope", "expiration_date"]
    found = odoo.ok("res.users.apikeys", "search_read", domain=[], fields=fields)
    assert [row["expiration_date"] for row in found] == ["2099-01-31 00:00:00"]


def test_fields_get(odoo):
    attributes = ["type", "required"]
    fields = odoo.ok("sale.order.line", "fields_get", attributes=attributes)
    assert fields["tax_ids"] == {"type": "many2many", "required": False}
    assert not {"tax_id", "product_uom"} & fields.keys()


# Errors


@pytest.mark.parametrize(
    ("model", "method", "arguments", "status", "name", "message"),
    [
        ("no.model", "read", {}, 404, "NotFound", "the model 'no.model' does not exist"),
        ("uom.category", "search", {"domain": []}, 404, "NotFound", "'uom.category'"),
        ("sale.order", "nope", {}, 404, "NotFound", "The method 'sale.order.nope' does not exist"),
        ("res.users.apikeys", "revoke", {}, 404, "NotFound", "does not exist"),
        ("sale.order", "_cancel", {"ids": [1]}, 403, "AccessError", "Private methods"),
        ("sale.order", "create", {}, 422, "UnprocessableEntity", "argument: 'vals_list'"),
        ("sale.order", "search", {}, 422, "UnprocessableEntity", "argument: 'domain'"),
        (
            "sale.order",
            "read",
            {"ids": [DRAFT], "zz": 1},
            422,
            "UnprocessableEntity",
            "got an unexpected keyword argument 'zz'",
        ),
        (
            "sale.order",
            "search",
            {"ids": [1], "domain": []},
            422,
            "UnprocessableEntity",
            "cannot call sale.order.search with ids",
        ),
        (
            "sale.order",
            "create",
            {"vals_list": [{"partner_id": PARTNER, "zzz": 1}]},
            500,
            "ValueError",
            "Invalid field 'zzz' in 'sale.order'",
        ),
        (
            "sale.order",
            "read",
            {"ids": [DRAFT], "fields": ["zzz"]},
            500,
            "ValueError",
            "Invalid field 'zzz' on 'sale.order'",
        ),
        (
            "sale.order",
            "search",
            {"domain": [["zzz", "=", 1]]},
            500,
            "ValueError",
            "Invalid field sale.order.zzz",
        ),
        ("sale.order", "create", {"vals_list": [{}]}, 422, "ValidationError", "(partner_id)"),
        (
            "res.partner",
            "write",
            {"ids": [999], "vals": {"phone": "1"}},
            404,
            "MissingError",
            "(Record: res.partner(999,), User: 6)",
        ),
        (
            "res.partner",
            "create",
            {"vals_list": [{"name": "x", "type": "zzz"}]},
            500,
            "ValueError",
            "Wrong value for res.partner.type: 'zzz'",
        ),
        (
            "res.partner",
            "create",
            {"vals_list": [{"name": "x", "country_id": 999}]},
            422,
            "ValidationError",
            "foreign key",
        ),
        (
            "res.partner",
            "create",
            {"vals_list": [{"name": "x", "mobile": "1"}]},
            500,
            "ValueError",
            "Invalid field 'mobile'",
        ),
        (
            "sale.order.line",
            "write",
            {"ids": [40], "vals": {"price_unit": "abc"}},
            500,
            "ValueError",
            "could not convert string to float",
        ),
        (
            "sale.order",
            "write",
            {"ids": [DRAFT], "vals": {"commitment_date": "2026-11-01T10:00:00Z"}},
            500,
            "ValueError",
            "expecting only datetimes with no timezone: '2026-11-01T10:00:00Z'",
        ),
        (
            "sale.order",
            "search",
            {"domain": [["write_date", ">", "2026-11-01 10:00:00+01:00"]]},
            500,
            "ValueError",
            "expecting only datetimes with no timezone",
        ),
        (
            "product.product",
            "write",
            {"ids": [ELDER], "vals": {"list_price": 1}},
            403,
            "AccessError",
            "Products/Create",
        ),
        ("ir.model.data", "search", {"domain": []}, 403, "AccessError", "(ir.model.data)"),
    ],
)
def test_errors(odoo, model, method, arguments, status, name, message):
    answer, body = odoo.call(model, method, **arguments)
    assert answer == status, body
    assert body["name"].rpartition(".")[2] == name
    assert message in body["message"]
    assert body["arguments"][0] == body["message"]
    assert body.keys() == {"name", "message", "arguments", "context", "debug"}


def test_an_unknown_id_reads_as_nothing(odoo):
    assert odoo.call("sale.order", "read", ids=[99999]) == (200, [])


def test_twin_external_ids_and_barcodes_are_refused():
    groups = ["Administration/Access Rights", "Products/Create"]
    key = {"login": "root", "uid": 6, "groups": groups}
    odoo = Odoo(world(api_keys={KEY: {**key, "groups": [*groups, "Contact/Creation"]}}))
    row = {"module": "__fizz__", "name": "so_900", "model": "sale.order", "res_id": CONFIRMED}
    status, body = odoo.call("ir.model.data", "create", vals_list=[row])
    assert status == 422
    assert "Key (module, name)=(__fizz__, so_900) already exists." in body["message"]
    twin = {"barcode": "4099999000117"}
    status, body = odoo.call("product.product", "write", ids=[DEPOSIT], vals=twin)
    assert status == 422
    assert body["message"].startswith("Barcode(s) already assigned")


@pytest.mark.parametrize(
    ("headers", "message", "challenge"),
    [
        ({}, "User not authenticated, use an API Key", "Bearer"),
        ({"Authorization": "Basic Ym90OmtleQ=="}, "User not authenticated", "Bearer"),
        ({"Authorization": "bearer wrong"}, "Invalid apikey", None),
        ({"Authorization": "Bearer expired-key"}, "Invalid apikey", None),
    ],
)
def test_keys(odoo, headers, message, challenge):
    answer = odoo.http.post("/json/2/res.users/context_get", json={}, headers=headers)
    assert answer.status_code == 401
    assert message in answer.json()["message"]
    assert answer.headers.get("www-authenticate") == challenge


def test_before_the_api_is_reached(odoo):
    path = "/json/2/res.users/context_get"
    key = {"Authorization": f"Bearer {KEY}"}
    answer = odoo.http.post(path, json={}, headers={**key, "X-Odoo-Database": "nowhere"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert odoo.http.get(path, headers=key).status_code == 404
    text = {**key, "Content-Type": "text/plain"}
    answer = odoo.http.post(path, content="{}", headers=text)
    assert (answer.status_code, answer.headers["content-type"]) == (415, "text/html; charset=utf-8")
    typed = {**key, "Content-Type": "application/json"}
    answer = odoo.http.post(path, content="{x", headers=typed)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("could not parse the body as json: Expecting")
    for empty in ("", "[]"):
        assert odoo.http.post(path, content=empty, headers=typed).json()["uid"] == 6


def test_a_host_of_several_databases_wants_the_header():
    odoo = Odoo(world())
    odoo.sandbox.seed["databases"] = ["other"]
    path, key = "/json/2/res.users/context_get", {"Authorization": f"Bearer {KEY}"}
    statuses = [
        odoo.http.post(path, json={}, headers=key | extra).status_code
        for extra in ({}, {"X-Odoo-Database": "main"}, {"X-Odoo-Database": "other"})
    ]
    assert statuses == [404, 200, 401]


def test_version(odoo):
    answer = odoo.http.get("/web/version")
    assert answer.json() == {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}
    assert odoo.service("common", "version")["result"]["server_version"] == "19.0"


# JSON-RPC


def test_both_transports_do_the_same():
    over_json2, over_rpc = Odoo(world()), Odoo(world())
    calls: list[tuple[str, str, list[Any], dict[str, Any]]] = [
        ("res.users", "context_get", [], {}),
        ("res.partner", "search", [[["ref", "=", "fizz:c-301"]]], {}),
        ("res.partner", "search_read", [[], ["name", "parent_id"]], {"limit": 1}),
        ("res.partner", "create", [[{"name": "A"}, {"name": "B"}]], {}),
        ("res.partner", "write", [[40], {"phone": "1"}], {}),
        ("sale.order", "action_confirm", [[DRAFT]], {}),
        ("sale.order", "read", [[DRAFT], ["state", "amount_total"]], {"load": ""}),
        ("sale.order", "get_external_id", [[DRAFT]], {}),
        ("sale.order", "action_cancel", [DRAFT], {}),
        ("sale.order", "action_unlock", [[DRAFT]], {}),
        ("product.product", "search_count", [[]], {"context": {"active_test": False}}),
        ("sale.order", "action_confirm", [[CONFIRMED]], {}),
        ("sale.order", "search", [[["zzz", "=", 1]]], {}),
        ("sale.order", "load", [["id", "partner_id/.id"], [["a.b", "40"], ["a.c", "9"]]], {}),
    ]
    names = {
        "search": ["domain"],
        "search_count": ["domain"],
        "search_read": ["domain", "fields"],
        "create": ["vals_list"],
        "write": ["ids", "vals"],
        "read": ["ids", "fields"],
        "load": ["fields", "data"],
    }
    for model, method, args, kwargs in calls:
        named = dict(zip(names.get(method, ["ids"]), args, strict=False))
        if isinstance(named.get("ids"), int):
            named["ids"] = [named["ids"]]
        status, body = over_json2.call(model, method, **named, **kwargs)
        answer = over_rpc.rpc(model, method, *args, **kwargs)
        if status == 200:
            assert answer.get("result") == body
            assert ("result" in answer) == (body is not None)
        else:
            data = answer["error"]["data"]
            assert (answer["error"]["code"], data["name"]) == (0, body["name"])
            assert data["message"] == body["message"]
    assert over_json2.sandbox.accepted == over_rpc.sandbox.accepted


def test_rpc_create_answers_as_it_was_asked(odoo):
    assert odoo.rpc("res.partner", "create", {"name": "A"})["result"] == 42
    assert odoo.rpc("res.partner", "create", [{"name": "A"}])["result"] == [43]
    assert odoo.ok("res.partner", "create", vals_list={"name": "A"}) == [44]


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (("object", "execute_kw", "nowhere", 6, KEY, "a", "b", []), "psycopg2.OperationalError"),
        (("object", "execute_kw", "main", 6, "x", "a", "b", []), "odoo.exceptions.AccessDenied"),
        (("object", "execute_kw", "main", 9, KEY, "a", "b", []), "odoo.exceptions.AccessDenied"),
        (
            ("object", "execute_kw", "main", 6, KEY, "sale.order", "nope", [[1]]),
            "builtins.AttributeError",
        ),
        (
            ("object", "execute_kw", "main", 6, KEY, "sale.order", "_x", [[1]]),
            "odoo.exceptions.AccessError",
        ),
        (
            ("object", "execute_kw", "main", 6, KEY, "sale.order", "search", []),
            "builtins.TypeError",
        ),
    ],
)
def test_rpc_errors(odoo, args, name):
    assert odoo.service(*args)["error"]["data"]["name"] == name


@pytest.mark.parametrize("params", [{}, {"service": "object", "method": "execute_kw", "args": []}])
def test_rpc_calls_out_of_shape(odoo, params):
    answer = odoo.http.post("/jsonrpc", json={"id": 1, "params": params}).json()
    assert answer["error"]["data"]["name"].startswith("builtins.")


def test_rpc_logins():
    odoo = Odoo(world(passwords={"bot@example.com": "pw"}))
    for secret, uid in ((KEY, 6), ("pw", 6), ("wrong", False), (SALES_ONLY_KEY, False)):
        answer = odoo.service("common", "authenticate", "main", "bot@example.com", secret, {})
        assert answer["result"] == uid
    head = ("main", 6, "pw", "res.users", "context_get", [])
    assert odoo.service("object", "execute_kw", *head)["result"]["uid"] == 6


# The sandbox's own routes


def test_control_routes(odoo):
    shown = odoo.http.get("/_sandbox/orders").json()
    assert shown["created"] == 0
    sold = shown["orders"][0]
    assert (sold["external_id"], sold["partner"]) == ("__fizz__.so_900", "Harbour Kiosk Ltd")
    assert (sold["lines"][0]["sku"], sold["lines"][0]["uom"]) == ("ELDER-33", "Units")
    odoo.http.post("/_sandbox/delay", json={"commit_delay_seconds": 0.01})
    assert odoo.sandbox.commit_delay_seconds == 0.01
    product = {"default_code": "NEW-1", "name": "New", "uom": "Case of 24"}
    added = odoo.http.post("/_sandbox/products", json=product)
    assert added.status_code == 201
    domain = [["default_code", "=", "NEW-1"]]
    assert odoo.ok("product.product", "search", domain=domain) == added.json()["ids"]
    assert odoo.http.post(f"/_sandbox/orders/{CONFIRMED}/delete").status_code == 204
    assert odoo.http.post(f"/_sandbox/orders/{CONFIRMED}/delete").status_code == 404
    assert odoo.ok("sale.order", "read", ids=[CONFIRMED]) == []
    create(odoo)
    assert odoo.http.get("/_sandbox/accepted").json() == {"sale.order/create": 1}
    odoo.http.post("/_sandbox/reset")
    assert odoo.http.get("/_sandbox/orders").json() == {"created": 0, "orders": []}


# Fixtures, samples, specification


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_fixtures_replay(path):
    exchange = json.loads(path.read_text())
    odoo = Odoo(world())
    asked, expected = exchange["request"], exchange["response"]
    if path.stem.endswith("lost_race"):
        odoo.sandbox.commit_delay_seconds = 0.3
        first = threading.Thread(target=lambda: _send(odoo, asked))
        first.start()
        time.sleep(0.1)
        answer = _send(odoo, asked)
        first.join()
    else:
        answer = _send(odoo, asked)
    assert answer.status_code == expected["status"]
    for name, value in expected["headers"].items():
        assert answer.headers[name] == value
    assert shape(answer.json()) == shape(expected["body"])


@needs_spec
@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_fixtures_fit_the_specification(path):
    exchange = json.loads(path.read_text())
    schemas = json.loads(SPEC.read_text())["components"]["schemas"]
    if exchange["transport"] == "json2":
        jsonschema.validate(exchange["request"]["body"], schemas["Call"])
        if exchange["response"]["status"] >= 400:
            closed = {**schemas["Error"], "required": list(schemas["Error"]["properties"])}
            jsonschema.validate(exchange["response"]["body"], closed)


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@pytest.fixture
def seen() -> Odoo:
    """A sandbox for the samples: their ids are replaced by this database's."""
    return Odoo(world())


@needs_samples
def test_sample_partner(seen):
    rows = sample("seen_19_partner.json")
    partner = {key: rows[0][key] for key in ("name", "ref", "email", "phone", "vat", "street")}
    child = [0, 0, {"name": "Dock 2", "type": "delivery"}]
    made = seen.ok(
        "res.partner",
        "create",
        vals_list=[
            {
                **partner,
                "is_company": True,
                "city": "x",
                "zip": "y",
                "country_id": 40,
                "child_ids": [child],
            }
        ],
    )
    answer = seen.ok("res.partner", "read", ids=made, fields=list(rows[0]))
    assert shape(answer) == shape(rows)


@needs_samples
def test_sample_products_and_units(seen):
    seen_rows = sample("seen_19_product_uom.json")
    fields = list(seen_rows["product"][0])
    answer = seen.ok("product.product", "read", ids=[ELDER], fields=fields)
    assert shape(answer) == shape(seen_rows["product"])
    found = seen.ok(
        "product.uom", "search_read", domain=[], fields=["product_id", "uom_id", "barcode"]
    )
    assert shape(found) == shape(seen_rows["product.uom"])
    units = seen.ok("uom.uom", "read", ids=[UNIT, 41, CASE], fields=list(seen_rows["uom.uom"][0]))
    assert shape(units) == shape(seen_rows["uom.uom"])
    assert [unit["factor"] for unit in units] == [1.0, 6.0, 24.0]


def _with_our_ids(value: Any) -> Any:
    """A sample's request with the ids of this database."""
    ours = {
        "partner_id": {8: PARTNER},
        "partner_shipping_id": {9: DOCK},
        "product_id": {2: ELDER, 3: DEPOSIT, 5: DELIVERY},
        "product_uom_id": {1: UNIT, 31: CASE},
    }
    if isinstance(value, list):
        return [
            [6, 0, [TAX] if item[2] else []] if _is_tax(item) else _with_our_ids(item)
            for item in value
        ]
    if isinstance(value, dict):
        return {k: ours[k][v] if k in ours else _with_our_ids(v) for k, v in value.items()}
    return value


def _is_tax(item: Any) -> bool:
    return isinstance(item, list) and item[:2] == [6, 0]


@needs_samples
def test_sample_sale_order(seen):
    rows = sample("seen_19_sale_order.json")
    body = _with_our_ids(rows["create"]["request"]["body"])
    made = seen.ok("sale.order", "create", **body)
    draft = seen.ok("sale.order", "read", ids=made, fields=list(rows["read_draft"][0]))
    assert shape(draft) == shape(rows["read_draft"])
    money = (
        "amount_untaxed",
        "amount_tax",
        "amount_total",
        "date_order",
        "note",
        "commitment_date",
    )
    assert {key: draft[0][key] for key in money} == {
        key: rows["read_draft"][0][key] for key in money
    }
    assert seen.call("sale.order", "action_confirm", ids=made) == (200, True)
    sold = seen.ok("sale.order", "read", ids=made, fields=list(rows["read_confirmed"][0]))
    assert shape(sold) == shape(rows["read_confirmed"])
    fields = list(rows["lines_after_confirm"][0])
    lines = seen.ok("sale.order.line", "read", ids=sold[0]["order_line"], fields=fields)
    assert shape(lines) == shape(rows["lines_after_confirm"])
    figures = (
        "product_uom_qty",
        "price_unit",
        "price_subtotal",
        "price_tax",
        "price_total",
        "qty_to_invoice",
    )
    for ours, theirs in zip(lines, rows["lines_after_confirm"], strict=True):
        assert {key: ours[key] for key in figures} == {key: theirs[key] for key in figures}


def _load_with_our_ids(body: dict[str, Any]) -> dict[str, Any]:
    ours = {
        "partner_id/.id": {"8": PARTNER},
        "partner_shipping_id/.id": {"9": DOCK},
        "order_line/product_id/.id": {"2": ELDER, "3": DEPOSIT, "5": DELIVERY},
        "order_line/product_uom_id/.id": {"1": UNIT, "31": CASE},
        "order_line/tax_ids/.id": {"6": TAX},
    }
    data = [
        [
            str(ours.get(name, {}).get(cell, cell))
            for name, cell in zip(body["fields"], row, strict=True)
        ]
        for row in body["data"]
    ]
    return {**body, "data": data}


@needs_samples
def test_sample_load(seen):
    rows = sample("seen_19_load_insert_once.json")
    body = _load_with_our_ids(rows["request"]["body"])
    first = seen.ok("sale.order", "load", **body)
    assert shape(first) == shape(rows["first_response"]["body"])
    assert seen.ok("sale.order", "load", **body) == first
    plain = rows["plain_load_without_context"]
    body = _load_with_our_ids(plain["request"]["body"])
    loaded = seen.ok("sale.order", "load", **body)
    assert shape(loaded) == shape(plain["response"]["body"])
    assert totals(seen, loaded["ids"][0]) == (56.0, 10.64, 66.64)
    seen.ok("sale.order", "load", **body)
    assert totals(seen, loaded["ids"][0])[2] == 133.28
    broken = _load_with_our_ids(rows["request"]["body"])
    broken["data"][0][:1] = ["__fizz__.other"]
    broken["data"][0][5] = "99999"
    refused = seen.ok("sale.order", "load", **broken)
    assert refused == rows["bad_product_id"]["body"]


@needs_samples
def test_sample_errors(seen):
    rows = sample("seen_19_errors.json")
    sales = Odoo(seen.sandbox, SALES_ONLY_KEY)
    calls = {
        "access_error": lambda: sales.call("res.partner", "create", vals_list=[{"name": "x"}]),
        "bad_key": lambda: Odoo(seen.sandbox, "wrong").call("res.partner", "search", domain=[]),
        "unknown_model": lambda: seen.call("no.model", "search", domain=[]),
        "unknown_method": lambda: seen.call("sale.order", "nope"),
        "private_method": lambda: seen.call("sale.order", "_action_cancel"),
        "missing_argument": lambda: seen.call("sale.order", "create"),
        "unknown_argument": lambda: seen.call("sale.order", "search", domain=[], zz=1),
        "ids_to_api_model": lambda: seen.call("sale.order", "search", ids=[1], domain=[]),
        "invalid_field_create": lambda: seen.call("sale.order", "create", vals_list={"zzz": 1}),
        "invalid_field_read": lambda: seen.call("sale.order", "read", ids=[40], fields=["zzz"]),
        "missing_required_field": lambda: seen.call("sale.order", "create", vals_list={}),
        "read_unknown_id_is_no_error": lambda: seen.call("sale.order", "read", ids=[999]),
        "confirm_twice_user_error": lambda: seen.call("sale.order", "action_confirm", ids=[41]),
        "bad_selection": lambda: seen.call("res.partner", "write", ids=[40], vals={"type": "zzz"}),
        "iso_datetime_in_domain": lambda: seen.call(
            "sale.order", "search", domain=[["write_date", ">", "2026-11-01T10:00:00Z"]]
        ),
        "jsonrpc_user_error": lambda: (200, seen.rpc("sale.order", "action_confirm", [41])),
    }
    for name, call in calls.items():
        status, body = call()
        want = rows[name]["body"]
        assert status == rows[name]["status"], name
        assert shape(body) == shape(want), name
        if isinstance(body, dict):
            inner, wanted = (
                (body, want) if "name" in body else (body["error"]["data"], want["error"]["data"])
            )
            assert {k: inner[k] for k in ("name", "message", "arguments")} == {
                k: wanted[k] for k in ("name", "message", "arguments")
            }, name
    elsewhere = {
        "no_authorization_header": "test_keys",
        "unknown_product_in_line": "the fixture error_404_missing_record",
        "write_unknown_id": "test_errors",
        "duplicate_external_id": "test_twin_external_ids_and_barcodes_are_refused",
        "malformed_json": "test_before_the_api_is_reached",
        "unknown_database_header": "test_before_the_api_is_reached",
        "wrong_content_type": "test_before_the_api_is_reached",
        "jsonrpc_bad_password": "test_rpc_errors",
        "jsonrpc_null_result": "test_both_transports_do_the_same",
    }
    assert rows.keys() == calls.keys() | elsewhere.keys()


@needs_samples
def test_every_seen_sample_is_taken():
    """Each is the subject of a test here or in the modules beside this one."""
    tests = "".join(
        path.read_text() for path in Path(__file__).parent.glob("test_odoo_sandbox*.py")
    )
    for path in SAMPLES.glob("seen_19_*.json"):
        assert f'sample("{path.name}")' in tests, path.name


@needs_spec
def test_every_field_of_the_catalogue_is_known(odoo):
    # Campaigns, a company's positions and the online payments are nobody's business here.
    left = "fiscal_position_id transaction_ids amount_paid source_id medium_id campaign_id"
    left += " journal_id product_template_id combo_item_id linked_line_id extra_tax_data"
    catalogue = json.loads((SPEC.parent / "odoo19-model-fields.json").read_text())
    for model, fields in (catalogue["confirmed"] | catalogue["unconfirmed"]).items():
        known = odoo.ok(model, "fields_get", attributes=["type", "relation"])
        for name, facts in fields.items():
            if name not in left.split():
                wanted = {key: facts[key] for key in ("type", "relation") if key in facts}
                assert known[name] == known[name] | wanted, (model, name)


@pytest.mark.parametrize("model", ["purchase.order", "payment.transaction", "mrp.bom"])
def test_entities_not_built_are_unknown_models(odoo, model):
    assert odoo.call(model, "search", domain=[])[0] == 404


def shape(value: Any) -> Any:
    """A JSON value with its types instead of its values; an id pair and a list of ids differ."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[1], str):
            return "pair"
        if all(isinstance(item, int) for item in value):
            return "ids"
        return [shape(item) for item in value]
    return type(value).__name__


def _send(odoo: Odoo, asked: dict[str, Any]) -> httpx.Response:
    headers, body = asked["headers"], asked["body"]
    return odoo.http.request(asked["method"], asked["path"], json=body, headers=headers)


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
