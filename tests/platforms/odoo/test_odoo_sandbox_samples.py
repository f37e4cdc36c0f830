"""What a running 19.0 answered after an order, the Odoo sandbox answers too."""

from __future__ import annotations

import json

from tests.platforms.odoo.odoo_desk import (
    CASE,
    COLA,
    DEPOSIT,
    Desk,
    backorder_wizard,
    cans,
    full_order,
    start_return,
)
from tests.platforms.odoo.test_odoo_sandbox import needs_samples, sample, shape

TOTALS = ("amount_untaxed", "amount_tax", "amount_total")


@needs_samples
def test_sample_pickings():
    desk, rows = Desk(), sample("seen_19_pickings.json")
    order = desk.sold(
        cans(2, product_uom_id=CASE, price_unit=22.92),
        cans(24, price_unit=9.55),
        {"product_id": DEPOSIT, "product_uom_qty": 72},
        commitment_date="2026-11-20 08:00:00",
    )
    picking = desk.picking(order)
    fields = list(rows["assigned"]["picking"][0])
    shown = desk.ok("stock.picking", "read", ids=[picking], fields=fields)
    assert shape(shown) == shape(rows["assigned"]["picking"])
    move_fields = list(rows["assigned"]["moves"][0])
    moves = desk.moves(picking, *move_fields)
    assert shape(moves) == shape(rows["assigned"]["moves"])
    label = "S00001 - [COLA330-C24] Cola 330 ml can (fizz:c-9)"
    assert moves[0]["sale_line_id"][1] == label
    for move, quantity in zip(moves, (48, 10), strict=True):
        vals = {"quantity": quantity, "picked": True}
        desk.ok("stock.move", "write", ids=[move["id"]], vals=vals)
    vals = {"carrier_tracking_ref": "FZ000123"}
    desk.ok("stock.picking", "write", ids=[picking], vals=vals)
    answer = desk.ok("stock.picking", "button_validate", ids=[picking])
    assert shape(answer) == shape(rows["button_validate_partial_answer"])
    backorder_wizard(desk, answer)
    after = rows["after_backorder_wizard"]
    ids = desk.one("sale.order", order, "picking_ids")
    shown = desk.ok("stock.picking", "read", ids=ids, fields=list(after["pickings"][0]))
    assert shape(shown) == shape(after["pickings"])
    ids = [move["id"] for pick in reversed(ids) for move in desk.moves(pick)]
    shown = desk.ok("stock.move", "read", ids=ids, fields=move_fields)
    assert shape(shown) == shape(after["moves"])
    figures = ("product_uom_qty", "quantity", "picked", "state")
    assert [[row[key] for key in figures] for row in shown] == [
        [row[key] for key in figures] for row in after["moves"]
    ]
    shown = desk.ok("sale.order", "read", ids=[order], fields=list(after["order"][0]))
    assert shape(shown) == shape(after["order"])
    wizard, lines = start_return(desk, picking)
    fields = list(rows["return_wizard_line"])
    shown = desk.ok("stock.return.picking.line", "read", ids=[lines[0]["id"]], fields=fields)
    assert shape(shown) == shape([rows["return_wizard_line"]])
    desk.ok("stock.return.picking.line", "write", ids=[lines[0]["id"]], vals={"quantity": 2})
    made = desk.ok("stock.return.picking", "action_create_returns", ids=[wizard])
    assert shape(made) == shape(rows["action_create_returns_answer"])
    fields = list(rows["return_picking"])
    shown = desk.ok("stock.picking", "read", ids=[made["res_id"]], fields=fields)
    assert shape(shown) == shape([rows["return_picking"]])


@needs_samples
def test_sample_stock():
    desk, rows = Desk(), sample("seen_19_stock.json")
    desk.sold(cans(6))
    desk.act("items", "COLA330-C24", "scatter")
    fields = list(rows["product_read"][0])
    shown = desk.ok("product.product", "read", ids=[COLA], fields=fields)
    assert shape(shown) == shape(rows["product_read"])
    assert shown[0]["outgoing_qty"] == 6.0
    domain = [["location_id.usage", "=", "internal"]]
    shown = desk.found("stock.quant", *domain, fields=list(rows["quants"][0]))
    assert {str(shape(row)) for row in shown} == {str(shape(row)) for row in rows["quants"]}
    assert sorted(row["available_quantity"] for row in shown)[0] == -6.0
    (quant,) = desk.found("stock.quant", ["quantity", "=", 200])
    desk.ok("stock.quant", "write", ids=[quant["id"]], vals={"inventory_quantity": 90})
    desk.act("orders", desk.sold(cans(5)), "ship")
    answer = desk.ok("stock.quant", "action_apply_inventory", ids=[quant["id"]])
    assert shape(answer) == shape(rows["conflict_dict_from_action_apply_inventory"])


@needs_samples
def test_sample_invoice_and_payments():
    desk, rows = Desk(), sample("seen_19_invoice_payment.json")
    order = full_order(desk, client_order_ref="INV1")
    vals = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [order]]]}
    wizards = desk.ok("sale.advance.payment.inv", "create", vals_list=[vals])
    made = desk.ok("sale.advance.payment.inv", "create_invoices", ids=wizards)
    assert shape(made) == shape(rows["create_invoices_answer_shortened"])
    invoice = made["res_id"]
    assert desk.ok("account.move", "action_post", ids=[invoice]) is rows["action_post_answer"]
    answer = desk.paid(invoice, 100, "pay_778", payment_date="2026-11-24")
    assert shape(answer) == shape(rows["action_create_payments_answer"])
    desk.paid(invoice, memo="pay_779", payment_date="2026-11-24")
    shown = desk.ok("account.move", "read", ids=[invoice], fields=list(rows["invoice"][0]))
    assert shape(shown) == shape(rows["invoice"])
    same = (
        *TOTALS,
        "name",
        "state",
        "payment_state",
        "amount_residual",
        "payment_reference",
        "ref",
    )
    assert {key: shown[0][key] for key in same} == {key: rows["invoice"][0][key] for key in same}
    ids = shown[0]["invoice_line_ids"]
    lines = desk.ok("account.move.line", "read", ids=ids, fields=list(rows["lines"][0]))
    assert shape(lines) == shape(rows["lines"])
    figures = ("quantity", "price_unit", "discount", "price_subtotal", "price_total")
    assert [[line[key] for key in figures] for line in lines] == [
        [line[key] for key in figures] for line in rows["lines"]
    ]
    ids = shown[0]["matched_payment_ids"]
    payments = desk.ok("account.payment", "read", ids=ids, fields=list(rows["payments"][0]))
    assert shape(payments) == shape(rows["payments"])
    same = ("name", "state", "amount", "memo", "date", "is_reconciled", "is_matched")
    assert [[row[key] for key in same] for row in payments] == [
        [row[key] for key in same] for row in rows["payments"]
    ]


@needs_samples
def test_sample_credit_note():
    desk, rows = Desk(), sample("seen_19_credit_note_draft.json")
    invoice = desk.posted(full_order(desk, client_order_ref="INV1"))
    desk.paid(invoice)
    refund = desk.credited(invoice, "2 cases broken", date="2026-11-25")
    shown = desk.ok("account.move", "read", ids=[refund], fields=list(rows[0]))
    assert shape(shown) == shape(rows)
    same = ("name", "ref", "invoice_date", "invoice_date_due", "date", "status_in_payment", *TOTALS)
    assert {key: shown[0][key] for key in same} == {key: rows[0][key] for key in same}
    assert shown[0]["reversed_entry_id"][1] == rows[0]["reversed_entry_id"][1]


@needs_samples
def test_sample_webhook():
    desk, seen = (
        Desk(webhook_uri="https://hooks.example.com/webhooks/odoo/t1/tok"),
        sample("seen_19_webhook_request.json"),
    )
    desk.sold(cans(1), client_order_ref="HOOK 1")
    rows = [one for one in desk.sandbox.outbox.deliveries if one.topic == "sale.order"]
    body, wanted = json.loads(rows[-1].body), json.loads(seen["body_raw"])
    assert shape(body) == shape(wanted)
    assert rows[-1].body.startswith(b'{"_action": "')
    assert rows[-1].headers.keys() == seen["headers"].keys() - {"Host"}
