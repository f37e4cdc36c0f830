"""What people do in the Odoo sandbox, how it tells of it, and how a poller sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.deliveries import Delivery
from sandbox.faults import Fault
from tests.platforms.odoo.odoo_desk import (
    ADMIN_KEY,
    BAR,
    CASE,
    COLA,
    TRADE,
    Desk,
    cans,
    full_order,
)
from tests.platforms.odoo.odoo_world import Odoo

URI = "https://hooks.example.com/webhooks/odoo/t1/tok"
EVENTS = Path(__file__).parents[3] / "events" / "odoo"
FIXTURES = sorted(EVENTS.glob("*__*.json"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def told(desk: Desk) -> list[tuple[str, str]]:
    return [(one.topic, one.subject) for one in desk.sandbox.outbox.deliveries]


def bodies(desk: Desk, model: str = "") -> list[dict[str, Any]]:
    rows = [json.loads(one.body) for one in desk.sandbox.outbox.deliveries]
    return [row for row in rows if row["_model"] == (model or row["_model"])]


# People's acts


def test_from_the_order_to_the_money_back(desk):
    order = full_order(desk)
    shipped = desk.act("orders", order, "ship", carrier="Parcel Express", tracking="FZ000123")
    assert (shipped["state"], shipped["carrier_tracking_ref"]) == ("done", "FZ000123")
    assert shipped["carrier_id"][1] == "Parcel Express"
    invoice = desk.act("orders", order, "invoice")
    assert (invoice["state"], invoice["amount_total"]) == ("posted", 360.99)
    part = desk.act("orders", order, "pay", amount="100.00", reference="pay_1")
    assert (part["amount"], part["memo"], part["state"]) == (100.0, "pay_1", "in_process")
    rest = desk.act("invoices", invoice["id"], "pay")
    assert (rest["amount"], rest["state"]) == (260.99, "paid")
    back = desk.act(
        "orders", order, "return", lines=[{"sku": "COLA330-C24", "quantity": 50}], refund=True
    )
    assert (back["picking_type_code"], back["state"]) == ("incoming", "done")
    line = {"sku": "DEP-25", "quantity": 12}
    credit = desk.act("orders", order, "credit", lines=[line], reason="empties")
    assert (credit["move_type"], credit["amount_total"]) == ("out_refund", 3.57)
    paid = desk.act("credit_notes", credit["id"], "pay")
    assert paid["payment_type"] == "outbound"
    assert desk.sandbox.accepted == {"sale.order/create": 1, "sale.order/action_confirm": 1}


def test_a_credit_of_an_amount_bears_no_tax(desk):
    invoice = desk.act("orders", full_order(desk), "invoice")
    credit = desk.act("invoices", invoice["id"], "credit", amount="5.00")
    assert (credit["amount_untaxed"], credit["amount_tax"]) == (5.0, 0.0)
    assert desk.one("account.move", invoice["id"], "amount_residual") == 355.99


def test_a_part_is_shipped_and_the_rest_waits_or_is_dropped(desk):
    order = desk.sold(cans(24))
    line = {"sku": "COLA330-C24", "quantity": 10}
    desk.act("orders", order, "ship", lines=[line])
    assert desk.one("sale.order", order, "delivery_status") == "partial"
    desk.act("orders", order, "ship", lines=[line], backorder=False)
    assert desk.one("sale.order", order, "delivery_status") == "full"
    (row,) = desk.found("sale.order.line", ["order_id", "=", order])
    assert (row["qty_delivered"], row["product_uom_qty"]) == (20.0, 24.0)


def test_people_choose_lots(desk):
    order = desk.sold({"product_id": 4, "product_uom_qty": 2, "price_unit": 1})
    line = {"sku": "BERRY-LOT", "quantity": 2, "lot": "L26B"}
    shipped = desk.act("orders", order, "ship", lines=[line])
    rows = desk.found("stock.move.line", ["picking_id", "=", shipped["id"]], fields=["lot_id"])
    assert [row["lot_id"][1] for row in rows] == ["L26B"]


def test_people_edit_orders(desk):
    order = desk.sold(cans(24))
    lines = [
        {"sku": "COLA330-C24", "quantity": 30, "price": "0.99"},
        {"sku": "DEP-25", "quantity": 30},
    ]
    row = desk.act("orders", order, "edit", client_order_ref="PO 8", lines=lines)
    assert (row["client_order_ref"], row["amount_untaxed"]) == ("PO 8", 37.2)
    assert desk.act("orders", order, "block")["locked"] is True
    assert desk.act("orders", order, "unblock")["locked"] is False
    assert desk.act("orders", order, "cancel")["state"] == "cancel"
    assert desk.act("orders", order, "delete") is None
    assert desk.found("sale.order") == []


def test_people_change_master_data(desk):
    assert desk.act("items", "COLA330-C24", "price", price="1.25")["list_price"] == 1.25
    item = desk.act("items", COLA, "price", price="0.8", pricelist="Trade", min_quantity=48)
    assert (item["fixed_price"], item["min_quantity"]) == (0.8, 48.0)
    again = desk.act("items", COLA, "price", price="0.79", pricelist="Trade", min_quantity=48)
    assert (again["id"], again["fixed_price"]) == (item["id"], 0.79)
    order = desk.sold(cans(2, product_uom_id=CASE), pricelist_id=TRADE)
    assert desk.one("sale.order", order, "amount_untaxed") == 37.92
    assert desk.act("items", COLA, "edit", name="Cola 330 ml")["name"] == "Cola 330 ml"
    assert desk.act("customers", BAR, "edit", phone="+44 113 1")["phone"] == "+44 113 1"
    assert desk.act("customers", BAR, "archive")["active"] is False
    assert desk.act("customers", BAR, "unarchive")["active"] is True


def test_the_control_routes(desk):
    order = desk.sold(cans(24))
    status, body = desk.control("POST", f"orders/{order}/ship", tracking="FZ1")
    assert (status, body["record"]["id"]) == (200, body["id"])
    for path in ("items/COLA330-C24/stock", f"items/{COLA}/stock"):
        status, body = desk.control("POST", path, quantity=77, location="WH/Stock/Cold")
        assert (status, body["record"]["quantity"]) == (200, 77.0)
    for kind, count in (("orders", 1), ("shipments", 1), ("sale.order.line", 1), ("stock", 4)):
        status, rows = desk.control("GET", f"records/{kind}")
        assert (status, len(rows)) == (200, count)
    assert rows[0]["location_id"] == [5, "WH/Stock"]


@pytest.mark.parametrize(
    ("path", "draft", "status"),
    [
        ("orders/1/zzz", {}, 404),
        ("zzz/1/ship", {}, 404),
        ("orders/99/ship", {}, 404),
        ("orders/x/ship", {}, 404),
        ("items/NONE/stock", {"quantity": 1}, 404),
        ("customers/1/block", {}, 404),
        ("orders/1/ship", {"zzz": 1}, 422),
        ("orders/1/ship", {"lines": [{"sku": "NONE", "quantity": 1}]}, 422),
        ("orders/1/ship", {"lines": [{"sku": "DEP-25", "quantity": 1}]}, 422),
        ("orders/1/ship", {"lines": [{"sku": "COLA330-C24"}]}, 422),
        ("orders/1/ship", {"lines": [{"sku": "COLA330-C24", "quantity": "x"}]}, 422),
        ("orders/1/return", {}, 422),
        ("orders/1/pay", {}, 422),
        ("orders/1/credit", {}, 422),
        ("orders/1/edit", {"zzz": 1}, 422),
        ("orders/1/confirm", {}, 422),
        ("customers/1/delete", {}, 422),
        ("items/COLA330-C24/delete", {}, 422),
        ("items/COLA330-C24/stock", {}, 422),
        ("items/COLA330-C24/stock", {"quantity": 1, "location": "WH/None"}, 422),
        ("items/COLA330-C24/price", {"price": 1, "pricelist": "None"}, 422),
        ("items/COLA330-C24/scatter", {}, 422),
    ],
)
def test_wrong_acts_change_nothing(desk, path, draft, status):
    vals = {"partner_id": BAR, "order_line": [[0, 0, cans(0)], [0, 0, {"product_id": 2}]]}
    desk.ok("sale.order", "create", vals_list=[vals])
    desk.ok("sale.order", "action_confirm", ids=[1])
    before = desk.sandbox.store.records("sale.order"), desk.sandbox.store.records("stock.picking")
    answer, body = desk.control("POST", path, **draft)
    assert (answer, list(body)) == (status, ["error"])
    after = desk.sandbox.store.records("sale.order"), desk.sandbox.store.records("stock.picking")
    assert before == after


def test_bodies_that_are_no_drafts_and_kinds_that_are_not(desk):
    assert desk.http.post("/_sandbox/orders/1/ship", content="{x").status_code == 422
    assert desk.http.post("/_sandbox/orders/1/ship", json=[1]).status_code == 422
    assert desk.http.put("/_sandbox/webhook_uri", json={"url": "x"}).status_code == 422
    assert desk.control("GET", "records/zzz")[0] == 404


def test_a_fault_after_the_commit_finds_the_act_done(desk):
    invoice = desk.posted(full_order(desk))
    context = {"active_model": "account.move", "active_ids": [invoice]}
    register = "account.payment.register"
    wizards = desk.ok(register, "create", vals_list=[{}], context=context)
    desk.sandbox.faults.arm(Fault("commit_then_silence", on="action_create_payments"))
    with pytest.raises(httpx.ReadTimeout):
        desk.ok(register, "action_create_payments", ids=wizards)
    assert desk.sandbox.accepted["account.payment.register/action_create_payments"] == 1
    assert desk.one("account.move", invoice, "payment_state") == "paid"


def test_what_is_accepted_has_the_vendor_s_names(desk):
    order = desk.sold(cans(5))
    desk.ok("stock.picking", "button_validate", ids=[desk.picking(order)])
    invoice = desk.posted(order)
    desk.paid(invoice)
    refund = desk.credited(invoice)
    desk.ok("account.move", "action_post", ids=[refund])
    counts = desk.sandbox.accepted
    assert counts["stock.picking/button_validate"] == 1
    assert counts["sale.advance.payment.inv/create_invoices"] == 1
    assert counts["account.move/action_post"] == 2
    assert counts["account.payment.register/action_create_payments"] == 1
    assert counts["account.move.reversal/refund_moves"] == 1
    assert +counts == counts


# Polling


def test_a_keyset_reads_each_change_once(desk):
    rows = [desk.sold(cans(1)) for _ in range(3)]
    desk.tick()
    rows += [desk.sold(cans(1)) for _ in range(2)]
    seen: list[int] = []
    mark: tuple[str, int] = ("2026-11-23 00:00:00", 0)
    while True:
        later, same = ["write_date", ">", mark[0]], ["write_date", "=", mark[0]]
        domain = ["|", later, "&", same, ["id", ">", mark[1]]]
        named = {"domain": domain, "fields": ["write_date"], "limit": 2}
        page = desk.ok("sale.order", "search_read", order="write_date asc, id asc", **named)
        if not page:
            break
        seen += [row["id"] for row in page]
        mark = (page[-1]["write_date"], page[-1]["id"])
    assert seen == rows


def test_what_began_earlier_shows_up_behind_the_cursor(desk):
    orders = [desk.sold(cans(1)), desk.sold(cans(1))]
    desk.tick(10)
    desk.act("orders", orders[0], "ship")
    cursor = desk.one("sale.order", orders[0], "write_date")
    desk.act("orders", orders[1], "ship", began_seconds_ago=4)
    assert desk.one("sale.order", orders[1], "write_date") < cursor
    overlap = [["write_date", ">=", "2026-11-23 13:38:36"]]
    assert set(desk.ok("sale.order", "search", domain=overlap)) == set(orders)


@pytest.mark.parametrize(
    ("model", "act"),
    [
        ("sale.order", lambda desk, order: desk.act("orders", order, "cancel")),
        ("sale.order", lambda desk, order: desk.act("orders", order, "ship")),
        ("sale.order", lambda desk, order: desk.act("orders", order, "invoice")),
        ("sale.order.line", lambda desk, order: desk.act("orders", order, "ship")),
        ("stock.picking", lambda desk, order: desk.act("orders", order, "ship")),
        ("stock.quant", lambda desk, order: desk.act("orders", order, "ship")),
        ("account.move", lambda desk, order: desk.act("invoices", 1, "pay")),
        ("account.payment", lambda desk, order: desk.act("invoices", 1, "pay")),
        ("product.product", lambda desk, order: desk.act("items", COLA, "price", price=2)),
        (
            "product.pricelist.item",
            lambda desk, order: desk.act("items", COLA, "price", price=2, pricelist="Trade"),
        ),
        ("res.partner", lambda desk, order: desk.act("customers", BAR, "edit", phone="1")),
    ],
)
def test_every_change_moves_the_write_date(desk, model, act):
    order = desk.sold(cans(5), client_order_ref="PO 1")
    desk.posted(desk.sold(cans(2)))
    desk.tick()
    act(desk, order)
    changed = desk.found(model, ["write_date", ">=", "2026-11-23 13:44:26"], fields=["write_date"])
    assert changed
    assert {row["write_date"] for row in changed} == {"2026-11-23 13:44:26"}


def test_the_order_s_date_does_not_move_with_a_line_s_name(desk):
    order = desk.sold(cans(5))
    desk.tick()
    (line,) = desk.one("sale.order", order, "order_line")
    desk.ok("sale.order.line", "write", ids=[line], vals={"name": "Cola, cold"})
    assert desk.one("sale.order", order, "write_date") == "2026-11-23 13:43:26"
    assert desk.one("sale.order.line", line, "write_date") == "2026-11-23 13:44:26"


# Automation rules


def test_rules_are_made_by_an_administrator(desk):
    admin = Odoo(desk.sandbox, ADMIN_KEY)
    for model in ("base.automation", "ir.model", "ir.actions.server"):
        assert desk.call(model, "search", domain=[])[0] == 403
    (model,) = admin.ok("ir.model", "search", domain=[["model", "=", "sale.order"]])
    names = ["state", "write_date", "create_date", "order_line"]
    domain = [["model", "=", "sale.order"], ["name", "in", names]]
    found = admin.ok("ir.model.fields", "search_read", domain=domain, fields=["name"])
    ids = {row["name"]: row["id"] for row in found}
    action = {"name": "to fizz", "model_id": model, "state": "webhook", "webhook_url": URI}
    action |= {"webhook_field_ids": [[6, 0, list(ids.values())]], "usage": "base_automation"}
    rule = {"name": "to fizz", "model_id": model, "trigger": "on_create_or_write"}
    rule |= {"trigger_field_ids": [[6, 0, [ids["state"]]]], "action_server_ids": [[0, 0, action]]}
    (made,) = admin.ok("base.automation", "create", vals_list=[rule])
    order = desk.sold(cans(5))
    # One for the draft, one for the confirmation, and none for what no rule waits for.
    desk.ok("sale.order", "write", ids=[order], vals={"client_order_ref": "PO 1"})
    draft, sold = bodies(desk)
    assert (draft["state"], sold["state"]) == ("draft", "sale")
    assert sold["_action"] == "to fizz(#1)"
    assert sold["write_date"] == "2026-11-23 13:43:26.613179"
    assert list(sold) == sorted(sold)
    assert (sold["_id"], sold["id"], sold["order_line"]) == (order, order, [1])
    admin.ok("base.automation", "write", ids=[made], vals={"filter_domain": "[('state','=','x')]"})
    desk.ok("sale.order", "action_cancel", ids=[order])
    admin.ok("base.automation", "write", ids=[made], vals={"active": False})
    desk.sold(cans(1))
    assert len(bodies(desk)) == 2
    status, _ = admin.call("base.automation", "write", ids=[made], vals={"filter_domain": "[("})
    assert status == 500
    status, _ = admin.call("base.automation", "write", ids=[made], vals={"trigger": "on_time"})
    assert status == 500


def test_no_rules_where_the_module_is_not_installed():
    desk = Desk(modules=["stock_delivery"])
    assert Odoo(desk.sandbox, ADMIN_KEY).call("base.automation", "search", domain=[])[0] == 404
    assert desk.control("PUT", "webhook_uri", uri=URI)[0] == 404


def test_every_polled_model_can_be_told_of(desk):
    assert desk.control("PUT", "webhook_uri", uri=URI) == (200, {"uri": URI})
    order = full_order(desk)
    desk.act("orders", order, "ship")
    invoice = desk.act("orders", order, "invoice")
    desk.act("invoices", invoice["id"], "pay")
    desk.act("items", COLA, "price", price="1.30")
    desk.act("items", COLA, "price", price="0.70", pricelist="Trade")
    desk.act("customers", BAR, "edit", phone="1")
    assert {topic for topic, _ in told(desk)} == set(desk.sandbox.seed["webhook_models"])
    assert bodies(desk, "product.product")[-1]["list_price"] == 1.3
    paid = bodies(desk, "account.move")[-1]
    assert (paid["payment_state"], paid["partner_id"]) == ("paid", BAR)
    desk.control("PUT", "webhook_uri", uri=URI + "2")
    assert len(desk.sandbox.store.rows["base.automation"]) == 8
    desk.sandbox.outbox.clear()
    desk.act("customers", BAR, "edit", phone="2")
    assert [one.uri for one in desk.sandbox.outbox.deliveries] == [URI + "2"]


def test_a_whole_second_has_no_fraction_and_nothing_is_told_of_a_failure():
    desk = Desk(webhook_uri=URI, webhook_models=["res.partner"])
    desk.now = desk.now.replace(microsecond=0)
    assert desk.call("res.partner", "create", vals_list=[{"name": "A"}, {"zzz": 1}])[0] == 500
    assert told(desk) == []
    desk.ok("res.partner", "create", vals_list=[{"name": "A"}, {"name": "B"}])
    assert told(desk) == [("res.partner", "4"), ("res.partner", "5")]
    assert bodies(desk)[0]["write_date"] == "2026-11-23 13:43:26"
    assert desk.act("customers", 5, "delete") is None
    assert len(told(desk)) == 2


def test_a_body_leaves_once_unsigned_and_before_the_answer(desk):
    desk.control("PUT", "webhook_uri", uri=URI)
    sent: list[Delivery] = []

    def answer(delivery: Delivery) -> int:
        # The caller still waits, but everybody sees what was committed.
        assert desk.one("res.partner", BAR, "phone") == "7"
        sent.append(delivery)
        return 503

    desk.sandbox.outbox.post = answer
    desk.sandbox.outbox.switch("auto")
    desk.ok("res.partner", "write", ids=[BAR], vals={"phone": "7"}, context={})
    (delivery,) = sent
    assert (delivery.status, delivery.answers) == ("given_up", [503])
    assert delivery.headers["User-Agent"].startswith("python-requests/2.")
    assert delivery.headers["Content-Length"] == str(len(delivery.body))
    assert not any(name.lower().startswith("x-") for name in delivery.headers)
    assert delivery.body == json.dumps(json.loads(delivery.body), sort_keys=True).encode()


def test_a_reset_forgets_what_was_told_and_set():
    desk = Desk(webhook_uri=URI)
    desk.control("PUT", "webhook_uri", uri="https://elsewhere.example.com/")
    desk.sold(cans(1))
    assert told(desk)
    desk.http.post("/_sandbox/reset")
    assert told(desk) == []
    desk.sold(cans(1))
    assert {one.uri for one in desk.sandbox.outbox.deliveries} == {URI}


# Fixtures


def test_there_are_fixtures_of_every_model_told_of(desk):
    models = {path.stem.partition("__")[0] for path in FIXTURES}
    assert models >= {name.replace(".", "_") for name in desk.sandbox.seed["webhook_models"]}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_fixture_is_what_the_vendor_sends(desk, path):
    fixture = json.loads(path.read_text())
    assert fixture["origin"] == "documented"
    assert fixture["headers"]["Content-Type"] == "application/json"
    assert fixture["headers"]["Content-Length"] == str(len(fixture["body"].encode()))
    body = json.loads(fixture["body"])
    assert json.dumps(body, sort_keys=True) == fixture["body"]
    assert body["_model"].replace(".", "_") == path.stem.partition("__")[0]
    assert {"_action", "_id"} <= body.keys()
    fields = desk.ok(body["_model"], "fields_get")
    assert {name for name in body if name[0] not in "_x"} <= fields.keys()
