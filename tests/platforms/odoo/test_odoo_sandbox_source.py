"""What a source reads of the Odoo sandbox: goods, prices, credit and money, and what moves them."""

from __future__ import annotations

import pytest

from tests.platforms.odoo.odoo_desk import BAR, BERRY, COLA, DOCK, STOCK, Desk, cans

URI = "https://hooks.example.com/webhooks/odoo/t1/tok"
QUANT = ["quantity", "reserved_quantity", "lot_id", "location_id", "write_date"]
AFTER = "2026-11-23 13:44:26"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def quants(desk: Desk, product: int = COLA) -> list[tuple[str, float, float]]:
    rows = desk.found(
        "stock.quant",
        ["product_id", "=", product],
        ["location_id.usage", "=", "internal"],
        fields=QUANT,
    )
    return [(row["location_id"][1], row["quantity"], row["reserved_quantity"]) for row in rows]


# Goods


def test_goods_are_expected_and_come_in(desk):
    receipt = desk.act("items", "COLA330-C24", "receive", quantity=48, receive=False)
    assert (receipt["picking_type_code"], receipt["state"]) == ("incoming", "assigned")
    assert receipt["sale_id"] is False
    assert desk.one("product.product", COLA, "incoming_qty") == 48.0
    assert quants(desk) == [("WH/Stock", 200.0, 0.0)]
    desk.tick()
    done = desk.act("items", "COLA330-C24", "receive", quantity=24, location="WH/Stock/Cold")
    assert (done["state"], done["date_done"]) == ("done", AFTER)
    assert quants(desk) == [("WH/Stock", 200.0, 0.0), ("WH/Stock/Cold", 24.0, 0.0)]
    assert desk.one("product.product", COLA, "write_date") == "2026-11-23 13:43:26"


def test_a_lot_comes_in_with_its_name(desk):
    desk.act("items", "BERRY-LOT", "receive", quantity=5, lot="L27A")
    rows = desk.found(
        "stock.quant",
        ["product_id", "=", BERRY],
        ["location_id", "=", STOCK],
        ["lot_id", "!=", False],
        fields=QUANT,
    )
    assert [(row["lot_id"][1], row["quantity"]) for row in rows] == [
        ("L26A", 8.0),
        ("L26B", 3.0),
        ("L27A", 5.0),
    ]


def test_lots_have_days_where_the_module_is():
    desk = Desk(modules=["base_automation", "product_expiry"])
    days = {"best_before": "2027-05-31 00:00:00", "expires": "2027-06-30 00:00:00"}
    desk.act("items", "BERRY-LOT", "stock", quantity=9, lot="L26A", **days)
    fields = ["use_date", "expiration_date"]
    first, second = desk.found("stock.lot", ["product_id", "=", BERRY], fields=fields)
    assert (first["use_date"], first["expiration_date"]) == tuple(days.values())
    assert (second["use_date"], second["expiration_date"]) == (False, False)
    bare = Desk().call("stock.lot", "search_read", domain=[], fields=["use_date"])
    assert bare[0] == 500


def test_goods_are_put_somewhere_else_and_thrown_away(desk):
    desk.tick()
    there = desk.act("items", COLA, "move", quantity=30, to="WH/Stock/Cold")
    assert (there["location_id"][1], there["quantity"]) == ("WH/Stock/Cold", 30.0)
    lost = desk.act("items", COLA, "scrap", quantity=4, location="WH/Stock/Cold")
    assert lost["location_id"][1] == "Inventory adjustment"
    assert quants(desk) == [("WH/Stock", 170.0, 0.0), ("WH/Stock/Cold", 26.0, 0.0)]
    moved = desk.found("stock.quant", ["write_date", ">=", AFTER], fields=QUANT)
    assert {row["location_id"][1] for row in moved} == {
        "WH/Stock",
        "WH/Stock/Cold",
        "Inventory adjustment",
    }
    assert desk.one("product.product", COLA, "write_date") == "2026-11-23 13:43:26"
    assert desk.found("stock.picking") == []


def test_what_was_reserved_is_free_where_it_is_taken_away(desk):
    desk.sold(cans(200))
    desk.act("items", COLA, "move", quantity=50, to="WH/Stock/Cold")
    assert quants(desk) == [("WH/Stock", 150.0, 150.0), ("WH/Stock/Cold", 50.0, 0.0)]


def test_a_place_lies_in_a_warehouse():
    desk = Desk(warehouses=[{"name": "North", "code": "NO"}], locations=["NO/Stock/Cold"])
    desk.act("items", COLA, "move", quantity=30, to="NO/Stock/Cold")
    fields = ["complete_name", "warehouse_id"]
    rows = desk.found("stock.location", ["usage", "=", "internal"], fields=fields)
    assert {row["complete_name"]: row["warehouse_id"] for row in rows} == {
        "WH/Stock": [1, "My Company"],
        "NO/Stock": [2, "North"],
        "NO/Stock/Cold": [2, "North"],
    }
    outside = desk.found("stock.location", ["usage", "=", "customer"], fields=fields)
    assert [row["warehouse_id"] for row in outside] == [False]
    there = desk.found("stock.quant", ["location_id.warehouse_id", "=", 2], fields=QUANT)
    assert [(row["location_id"][1], row["quantity"]) for row in there] == [("NO/Stock/Cold", 30.0)]


def test_a_place_may_be_no_stock():
    desk = Desk(locations=["WH/Stock/Cold", ["WH/Stock/On the road", "transit"]])
    desk.act("items", COLA, "move", quantity=30, to="WH/Stock/On the road")
    assert quants(desk) == [("WH/Stock", 170.0, 0.0)]
    rows = desk.found("stock.location", ["usage", "=", "transit"], fields=["complete_name"])
    assert [row["complete_name"] for row in rows] == ["WH/Stock/On the road"]


def test_the_scheduler_merges_without_a_new_date(desk):
    desk.sold(cans(24))
    desk.act("items", COLA, "scatter")
    assert quants(desk) == [("WH/Stock", 200.0, 0.0), ("WH/Stock", 0.0, 24.0)]
    desk.tick()
    desk.sandbox.outbox.clear()
    desk.act("items", COLA, "tidy")
    assert quants(desk) == [("WH/Stock", 200.0, 24.0)]
    assert desk.found("stock.quant", ["write_date", ">=", AFTER]) == []
    assert desk.sandbox.outbox.deliveries == []


def test_what_is_sold_out_has_no_quant_after_the_scheduler(desk):
    desk.act("items", COLA, "stock", quantity=0)
    assert quants(desk) == [("WH/Stock", 0.0, 0.0)]
    desk.act("items", COLA, "tidy")
    assert quants(desk) == []
    assert desk.stock() == (0.0, 0.0, 0.0)
    desk.act("items", COLA, "stock", quantity=7)
    assert quants(desk) == [("WH/Stock", 7.0, 0.0)]


def test_an_archived_item_is_told_of_and_hidden(desk):
    desk.control("PUT", "webhook_uri", uri=URI)
    desk.tick()
    assert desk.act("items", COLA, "archive")["active"] is False
    assert desk.found("product.product", ["default_code", "=", "COLA330-C24"]) == []
    changed = [["write_date", ">=", AFTER], ["active", "in", [True, False]]]
    rows = desk.found("product.product", *changed, fields=["default_code", "active"])
    assert [(row["default_code"], row["active"]) for row in rows] == [("COLA330-C24", False)]
    assert [one.topic for one in desk.sandbox.outbox.deliveries] == ["product.product"]


# Prices


def test_a_price_holds_from_a_day_to_a_day(desk):
    days = {"valid_from": "2026-12-01 00:00:00", "valid_to": "2026-12-31 23:59:59"}
    made = desk.act("items", COLA, "price", price="0.75", pricelist="Trade", **days)
    assert (made["date_start"], made["date_end"]) == tuple(days.values())
    assert (made["applied_on"], made["compute_price"]) == ("0_product_variant", "fixed")
    again = desk.act("items", COLA, "price", price="0.74", pricelist="Trade", **days)
    standing = desk.act("items", COLA, "price", price="0.99", pricelist="Trade")
    assert (again["id"], again["fixed_price"]) == (made["id"], 0.74)
    assert (standing["id"] != made["id"], standing["date_start"]) == (True, False)
    desk.act("prices", made["id"], "delete")
    assert desk.found("product.pricelist.item", ["id", "=", made["id"]]) == []


# Credit


def test_what_a_customer_owes_is_the_company_s_and_moves_no_date(desk):
    invoice = desk.posted(desk.sold(cans(10, price_unit=10), partner_id=DOCK))
    names = ["credit", "credit_limit", "use_partner_credit_limit", "currency_id"]
    owed = desk.one("account.move", invoice, "amount_residual")
    assert desk.one("res.partner", BAR, *names) | {"id": 0} == {
        "id": 0,
        "credit": owed,
        "credit_limit": 0.0,
        "use_partner_credit_limit": False,
        "currency_id": [1, "EUR"],
    }
    assert desk.one("res.partner", DOCK, "credit") == 0.0
    desk.tick()
    desk.act("invoices", invoice, "pay", amount=50)
    assert desk.one("res.partner", BAR, "credit") == owed - 50
    assert desk.found("res.partner", ["write_date", ">=", AFTER]) == []


def test_a_limit_is_given_and_taken_back(desk):
    desk.tick()
    row = desk.act("customers", BAR, "edit", credit_limit=5000)
    assert (row["credit_limit"], row["use_partner_credit_limit"]) == (5000.0, True)
    assert row["write_date"] == AFTER
    row = desk.act("customers", BAR, "edit", use_partner_credit_limit=False)
    assert (row["credit_limit"], row["use_partner_credit_limit"]) == (0.0, False)


def test_what_is_ordered_is_owed_soon(desk):
    order = desk.sold(cans(10, price_unit=10))
    total = desk.one("sale.order", order, "amount_total")
    assert desk.one("res.partner", BAR, "credit", "credit_to_invoice") == {
        "id": BAR,
        "credit": 0.0,
        "credit_to_invoice": total,
    }
    desk.posted(order)
    assert desk.one("res.partner", BAR, "credit_to_invoice") == 0.0
    assert desk.one("res.partner", BAR, "credit") == total


# Money


def test_one_payment_for_two_invoices_is_matched_with_each(desk):
    invoices = [desk.posted(desk.sold(cans(n, price_unit=10))) for n in (1, 2)]
    totals = [desk.one("account.move", one, "amount_total") for one in invoices]
    payment = desk.act("customers", BAR, "pay", invoices=invoices, reference="pay_9")
    assert (payment["amount"], payment["state"]) == (sum(totals), "paid")
    assert payment["reconciled_invoice_ids"] == invoices
    parts = desk.found("account.partial.reconcile", fields=["amount"])
    assert [row["amount"] for row in parts] == totals
    assert desk.one("res.partner", BAR, "credit") == 0.0


def test_money_on_account_lowers_what_is_owed(desk):
    payment = desk.act("customers", BAR, "pay", amount="25.00", reference="pay_8")
    assert (payment["state"], payment["payment_type"]) == ("in_process", "inbound")
    assert payment["reconciled_invoice_ids"] == []
    assert desk.one("res.partner", BAR, "credit") == -25.0


def test_money_goes_back_on_a_credit_note(desk):
    invoice = desk.posted(desk.sold(cans(10, price_unit=10)))
    desk.act("invoices", invoice, "pay")
    credit = desk.act("invoices", invoice, "credit", amount="5.00")
    desk.tick()
    back = desk.act("credit_notes", credit["id"], "pay", reference="re_1")
    assert (back["payment_type"], back["amount"], back["state"]) == ("outbound", 5.0, "paid")
    assert back["reconciled_invoice_ids"] == [credit["id"]]
    assert desk.one("account.move", credit["id"], "reversed_entry_id")[0] == invoice
    rows = desk.found("account.payment", ["write_date", ">=", AFTER], fields=["memo"])
    assert [row["memo"] for row in rows] == ["re_1"]


@pytest.mark.parametrize(
    ("path", "draft"),
    [
        ("items/COLA330-C24/receive", {}),
        ("items/COLA330-C24/receive", {"quantity": 1, "location": "WH/None"}),
        ("items/BERRY-LOT/receive", {"quantity": 1}),
        ("items/COLA330-C24/move", {"quantity": 1}),
        ("items/COLA330-C24/move", {"quantity": 0, "to": "WH/Stock/Cold"}),
        ("items/COLA330-C24/scrap", {"quantity": -1}),
        ("items/BERRY-LOT/stock", {"quantity": 1, "lot": "L26A", "best_before": "soon"}),
        ("customers/1/pay", {}),
        ("customers/1/pay", {"invoices": ["x"]}),
        ("customers/1/pay", {"invoices": [99]}),
    ],
)
def test_wrong_acts_change_nothing(desk, path, draft):
    before = quants(desk), quants(desk, BERRY), desk.found("account.payment")
    status, body = desk.control("POST", path, **draft)
    assert (status, list(body)) == (422, ["error"])
    assert (quants(desk), quants(desk, BERRY), desk.found("account.payment")) == before


def test_it_counts_how_hard_it_is_driven(desk):
    for _ in range(3):
        desk.ok("res.users", "context_get")
    load = {"peak_parallel": 1, "peak_per_minute": 3, "refused": 0}
    assert desk.http.get("/_sandbox/load").json() == load
    desk.http.post("/_sandbox/reset")
    assert desk.http.get("/_sandbox/load").json() == dict.fromkeys(load, 0)
