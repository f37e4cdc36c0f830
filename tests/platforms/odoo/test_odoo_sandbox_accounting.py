"""Invoices, payments, credit notes and prices of the Odoo sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platforms.odoo.odoo_desk import (
    ADMIN_KEY,
    BAR,
    CASE,
    COLA,
    DEPOSIT,
    SYRUP,
    TRADE,
    Desk,
    cans,
    full_order,
)
from tests.platforms.odoo.odoo_world import Odoo

TOTALS = ("amount_untaxed", "amount_tax", "amount_total")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def totals(desk: Desk, move: int) -> tuple[float, ...]:
    row = desk.one("account.move", move, *TOTALS)
    return tuple(row[name] for name in TOTALS)


def due(desk: Desk, move: int) -> tuple[str, float]:
    row = desk.one("account.move", move, "payment_state", "amount_residual")
    return row["payment_state"], row["amount_residual"]


def payment_of(desk: Desk, answer: Any, *fields: str) -> Any:
    return desk.one("account.payment", answer["res_id"], *fields)


# Invoices


def test_an_invoice_from_draft_to_posted(desk):
    order = full_order(desk, client_order_ref="PO 31")
    invoice = desk.invoiced(order)
    row = desk.one("account.move", invoice)
    assert (row["name"], row["state"], row["status_in_payment"]) == (False, "draft", "draft")
    assert (row["ref"], row["invoice_origin"]) == ("PO 31", "S00001")
    assert (row["invoice_date"], row["payment_state"]) == (False, "not_paid")
    assert totals(desk, invoice) == (305.75, 55.24, 360.99)
    assert desk.one("sale.order", order, "invoice_status") == "invoiced"
    assert desk.one("sale.order", order, "invoice_ids") == [invoice]
    assert desk.call("account.move", "action_post", ids=[invoice]) == (200, False)
    row = desk.one("account.move", invoice)
    assert (row["name"], row["payment_reference"]) == ("INV/2026/00001", "INV/2026/00001")
    assert (row["invoice_date"], row["amount_residual"]) == ("2026-11-23", 360.99)
    assert row["display_name"] == "INV/2026/00001 (PO 31)"
    assert "must be in draft" in desk.refused("account.move", "action_post", ids=[invoice])


def test_nothing_left_to_invoice_may_be_asked_again(desk):
    order = full_order(desk)
    desk.invoiced(order)
    vals = {"advance_payment_method": "delivered", "sale_order_ids": [order]}
    wizards = desk.ok("sale.advance.payment.inv", "create", vals_list=[vals])
    text = desk.refused("sale.advance.payment.inv", "create_invoices", ids=wizards)
    assert text == "Cannot create an invoice. No items are available to invoice."
    assert len(desk.found("account.move")) == 1


def test_the_invoice_s_lines_stand_beside_those_of_the_books(desk):
    invoice = desk.posted(full_order(desk))
    row = desk.one("account.move", invoice, "invoice_line_ids", "line_ids")
    assert len(row["line_ids"]) == len(row["invoice_line_ids"]) + 2
    lines = desk.ok("account.move.line", "read", ids=row["line_ids"])
    assert [line["display_type"] for line in lines] == ["product"] * 4 + ["tax", "payment_term"]
    assert sum(line["debit"] for line in lines) == pytest.approx(360.99)
    assert sum(line["balance"] for line in lines) == pytest.approx(0)
    assert lines[3]["name"] == "[SHIP] Delivery\nParcel service"


@pytest.mark.parametrize(("method", "tax"), [("round_globally", 0.12), ("round_per_line", 0.10)])
def test_the_company_s_rounding_counts_on_invoices_too(method, tax):
    company = {"currency": "EUR", "tax_calculation_rounding_method": method}
    desk = Desk(company=company)
    invoice = desk.posted(desk.sold(*[cans(1, price_unit=0.13) for _ in range(5)]))
    assert totals(desk, invoice) == (0.65, tax, round(0.65 + tax, 2))


def test_goods_billed_by_delivery_wait_for_it(desk):
    order = desk.sold(cans(5), {"product_id": SYRUP, "product_uom_qty": 3, "price_unit": 9})
    first = desk.invoiced(order)
    lines = desk.found("account.move.line", ["move_id", "=", first], ["product_id", "!=", False])
    assert [line["product_id"][0] for line in lines] == [COLA]
    assert desk.one("sale.order", order, "invoice_status") == "no"
    desk.act("orders", order, "ship", lines=[{"sku": "SYRUP-5L", "quantity": 2}])
    assert desk.one("sale.order", order, "invoice_status") == "to invoice"
    second = desk.invoiced(order)
    assert totals(desk, second) == (18.0, 3.42, 21.42)


@pytest.mark.parametrize(("consolidated", "count"), [(True, 1), (False, 2)])
def test_orders_of_one_customer_share_an_invoice(desk, consolidated, count):
    orders = [desk.sold(cans(1)), desk.sold(cans(2))]
    vals = {"sale_order_ids": [[6, 0, orders]], "consolidated_billing": consolidated}
    wizards = desk.ok("sale.advance.payment.inv", "create", vals_list=[vals])
    answer = desk.ok("sale.advance.payment.inv", "create_invoices", ids=wizards)
    rows = desk.found("account.move", ["move_type", "=", "out_invoice"])
    assert len(rows) == count
    if consolidated:
        assert answer["res_id"] == rows[0]["id"]
        assert rows[0]["invoice_origin"] == "S00001, S00002"


def test_sections_and_notes_come_along_with_what_they_head(desk):
    order = desk.sold(
        {"display_type": "line_section", "name": "Drinks"},
        cans(1),
        {"display_type": "line_note", "name": "chilled"},
        {"display_type": "line_section", "name": "Nothing below"},
    )
    ids = desk.one("account.move", desk.invoiced(order), "invoice_line_ids")
    lines = desk.ok("account.move.line", "read", ids=ids, fields=["display_type", "quantity"])
    kinds = [(line["display_type"], line["quantity"]) for line in lines]
    assert kinds == [("line_section", 0.0), ("product", 1.0), ("line_note", 0.0)]


def test_a_down_payment_is_a_line_without_product_and_comes_off_later(desk):
    order = desk.sold(cans(100, price_unit=1.0))
    vals = {"advance_payment_method": "percentage", "amount": 30, "sale_order_ids": [order]}
    wizards = desk.ok("sale.advance.payment.inv", "create", vals_list=[vals])
    made = desk.ok("sale.advance.payment.inv", "create_invoices", ids=wizards)["res_id"]
    assert totals(desk, made) == (30.0, 5.7, 35.7)
    lines = desk.found("sale.order.line", ["order_id", "=", order], ["is_downpayment", "=", True])
    assert [line["display_type"] for line in lines] == ["line_section", False]
    assert (lines[1]["product_uom_qty"], lines[1]["product_id"]) == (0.0, False)
    assert desk.one("sale.order", order, "amount_total") == 119.0
    assert totals(desk, desk.invoiced(order)) == (70.0, 13.3, 83.3)


def test_an_order_of_empties_is_billed_by_a_credit_note(desk):
    order = desk.sold({"product_id": DEPOSIT, "product_uom_qty": -48, "price_unit": 0.25})
    refund = desk.posted(order)
    row = desk.one("account.move", refund, "move_type", "name", "reversed_entry_id")
    assert (row["move_type"], row["name"]) == ("out_refund", "RINV/2026/00001")
    assert row["reversed_entry_id"] is False
    assert totals(desk, refund) == (12.0, 2.28, 14.28)
    assert desk.one("sale.order", order, "invoice_status") == "invoiced"


def test_an_invoice_made_by_hand_hangs_on_no_order(desk):
    line = {"product_id": COLA, "quantity": 40, "price_unit": 12.5, "tax_ids": [[6, 0, [1]]]}
    vals = {"move_type": "out_invoice", "partner_id": BAR, "ref": "fizz:5501"}
    vals |= {"invoice_date": "2026-11-01", "invoice_line_ids": [[0, 0, line]]}
    made = desk.ok("account.move", "create", vals_list=[vals, vals])
    assert len(made) == 2
    assert desk.ok("account.move", "action_post", ids=made) is False
    row = desk.one("account.move", made[0], "name", "invoice_date", "invoice_date_due", "date")
    assert (row["name"], row["date"]) == ("INV/2026/00001", "2026-11-01")
    assert totals(desk, made[0]) == (500.0, 95.0, 595.0)
    assert desk.one("account.move", made[0], "duplicated_ref_ids") == [made[1]]


def test_payment_terms_say_when_it_is_due():
    desk = Desk(payment_terms={"Net 14": 14})
    invoice = desk.posted(desk.sold(cans(1), payment_term_id=1))
    assert desk.one("account.move", invoice, "invoice_date_due") == "2026-12-07"


def test_a_draft_can_be_changed_and_a_posted_one_cannot(desk):
    invoice = desk.invoiced(desk.sold(cans(24, price_unit=2.0)))
    (line,) = desk.one("account.move", invoice, "invoice_line_ids")
    command = [[1, line, {"quantity": 10}]]
    desk.ok("account.move", "write", ids=[invoice], vals={"invoice_line_ids": command})
    assert totals(desk, invoice) == (20.0, 3.8, 23.8)
    desk.ok("account.move.line", "write", ids=[line], vals={"quantity": 12})
    assert totals(desk, invoice) == (24.0, 4.56, 28.56)
    desk.ok("account.move", "action_post", ids=[invoice])
    for values in ({"invoice_line_ids": command}, {"invoice_date": "2026-01-01"}):
        assert "posted" in desk.refused("account.move", "write", ids=[invoice], vals=values)
    desk.ok("account.move", "write", ids=[invoice], vals={"ref": "PO 9"})
    assert "draft" in desk.refused("account.move", "unlink", ids=[invoice])


def test_back_to_draft_and_cancelled_while_nobody_paid(desk):
    order = desk.sold(cans(24, price_unit=2.0))
    invoice = desk.posted(order)
    assert desk.ok("account.move", "button_draft", ids=[invoice]) is None
    assert desk.one("account.move", invoice, "state") == "draft"
    desk.ok("account.move", "action_post", ids=[invoice])
    assert desk.one("account.move", invoice, "name") == "INV/2026/00001"
    assert desk.ok("account.move", "button_cancel", ids=[invoice]) is None
    assert desk.one("account.move", invoice, "status_in_payment") == "cancel"
    assert desk.one("sale.order", order, "invoice_status") == "to invoice"
    again = desk.posted(order)
    desk.paid(again)
    assert desk.refused("account.move", "button_cancel", ids=[again])


def test_cancelling_the_order_cancels_drafts_and_leaves_what_is_posted(desk):
    drafted, posted = desk.sold(cans(1)), desk.sold(cans(1))
    draft, invoice = desk.invoiced(drafted), desk.posted(posted)
    desk.ok("sale.order", "action_cancel", ids=[drafted, posted])
    assert desk.one("account.move", draft, "state") == "cancel"
    assert desk.one("account.move", invoice, "state") == "posted"
    assert desk.one("sale.order", posted, "state") == "cancel"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"partner_id": BAR}, "Even magicians can't post nothing!"),
        ({"invoice_line_ids": [[0, 0, {"name": "x", "price_unit": 1}]]}, "'Customer'"),
        (
            {"partner_id": BAR, "invoice_line_ids": [[0, 0, {"name": "x", "price_unit": -1}]]},
            "negative",
        ),
    ],
)
def test_what_cannot_be_posted(desk, values, message):
    vals = {"move_type": "out_invoice", **values}
    made = desk.ok("account.move", "create", vals_list=[vals])
    assert message in desk.refused("account.move", "action_post", ids=made)


# Payments


def test_part_and_rest(desk):
    invoice = desk.posted(full_order(desk))
    first = desk.paid(invoice, 100, "pay_778")
    assert due(desk, invoice) == ("partial", 260.99)
    row = payment_of(desk, first, "name", "state", "amount", "memo", "payment_type", "journal_id")
    assert (row["name"], row["state"], row["amount"]) == ("PBNK1/2026/00001", "in_process", 100.0)
    assert (row["memo"], row["payment_type"], row["journal_id"][1]) == (
        "pay_778",
        "inbound",
        "Bank",
    )
    second = desk.paid(invoice, memo="pay_779", payment_date="2026-11-24")
    assert due(desk, invoice) == ("paid", 0.0)
    assert payment_of(desk, second, "amount", "date") | {"id": 0} == {
        "id": 0,
        "amount": 260.99,
        "date": "2026-11-24",
    }
    ids = [second["res_id"], first["res_id"]]
    assert desk.one("account.move", invoice, "matched_payment_ids") == ids
    assert {row["state"] for row in desk.found("account.payment")} == {"paid"}
    assert desk.found("account.payment", ["memo", "=", "pay_778"], fields=["memo"])
    status, body = desk.call("account.payment", "search", domain=[["ref", "=", "pay_778"]])
    assert (status, body["name"]) == (500, "builtins.ValueError")


def test_nothing_left_to_pay(desk):
    invoice = desk.posted(full_order(desk))
    desk.paid(invoice)
    context = {"active_model": "account.move", "active_ids": [invoice]}
    named = {"vals_list": [{}], "context": context}
    text = desk.refused("account.payment.register", "create", **named)
    assert text.startswith("There's nothing left to pay")


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "should only be called on account.move"),
        ({"active_model": "account.move"}, "posted"),
        ({"active_model": "account.move", "active_ids": [1]}, "posted"),
    ],
)
def test_payments_of_nothing_posted(desk, context, message):
    desk.invoiced(full_order(desk))
    named = {"vals_list": [{}], "context": context}
    assert message in desk.refused("account.payment.register", "create", **named)


def test_a_payment_repeated_and_one_too_large_are_taken(desk):
    invoice = desk.posted(full_order(desk))
    for _ in range(2):
        desk.paid(invoice, 200, "same")
    assert due(desk, invoice) == ("paid", 0.0)
    rows = desk.found("account.payment", ["memo", "=", "same"])
    assert [(row["amount"], row["is_reconciled"]) for row in rows] == [
        (200.0, True),
        (200.0, False),
    ]


def test_without_a_redirect_the_answer_is_true(desk):
    invoice = desk.posted(full_order(desk))
    context = {"active_model": "account.move", "active_ids": [invoice]}
    register = "account.payment.register"
    wizards = desk.ok(register, "create", vals_list=[{}], context=context)
    quiet = {"dont_redirect_to_payments": True}
    assert desk.ok(register, "action_create_payments", ids=wizards, context=quiet) is True
    assert due(desk, invoice) == ("paid", 0.0)
    assert desk.one("account.payment", 1, "memo") == "INV/2026/00001"


def test_a_payment_cancelled_is_due_again(desk):
    invoice = desk.posted(full_order(desk))
    made = desk.paid(invoice)["res_id"]
    desk.tick()
    assert desk.ok("account.payment", "action_cancel", ids=[made]) is None
    assert due(desk, invoice) == ("not_paid", 360.99)
    assert desk.one("account.payment", made, "state") == "canceled"
    assert desk.one("account.move", invoice, "write_date") == "2026-11-23 13:44:26"


def test_a_payment_made_by_hand_is_matched_by_hand(desk):
    invoice = desk.posted(full_order(desk))
    vals = {"amount": 360.99, "partner_id": BAR, "memo": "transfer 9"}
    made = desk.ok("account.payment", "create", vals_list=[vals])
    assert desk.one("account.payment", made[0], "state", "name") | {"id": 0} == {
        "id": 0,
        "state": "draft",
        "name": False,
    }
    assert desk.ok("account.payment", "action_post", ids=made) is None
    assert due(desk, invoice) == ("not_paid", 360.99)
    domain = [["account_type", "=", "asset_receivable"], ["reconciled", "=", False]]
    ids = [row["id"] for row in desk.found("account.move.line", *domain, fields=["account_type"])]
    assert desk.ok("account.move.line", "reconcile", ids=ids) is True
    assert due(desk, invoice) == ("paid", 0.0)
    assert desk.one("account.payment", made[0], "state") == "paid"
    assert "posted payment" in desk.refused(
        "account.payment", "write", ids=made, vals={"amount": 1}
    )


def test_an_entry_of_a_payment_is_no_invoice(desk):
    desk.paid(desk.posted(full_order(desk)))
    kinds = [row["move_type"] for row in desk.found("account.move", fields=["move_type"])]
    assert kinds == ["out_invoice", "entry"]
    domain = [["move_type", "in", ["out_invoice", "out_refund"]]]
    assert desk.ok("account.move", "search_count", domain=domain) == 1


def test_with_the_accounting_app_the_bank_must_show_the_money():
    desk = Desk(modules=["accountant"])
    invoice = desk.posted(full_order(desk))
    made = desk.paid(invoice)["res_id"]
    assert due(desk, invoice) == ("in_payment", 0.0)
    assert desk.one("account.payment", made, "state") == "in_process"
    desk.act("payments", made, "match")
    assert due(desk, invoice) == ("paid", 0.0)
    assert desk.one("account.payment", made, "state") == "paid"


# Credit notes


def test_a_credit_note_of_an_unpaid_invoice_settles_it(desk):
    order = full_order(desk)
    invoice = desk.posted(order)
    refund = desk.credited(invoice, "2 cases broken")
    row = desk.one("account.move", refund)
    assert (row["name"], row["state"], row["move_type"]) == (False, "draft", "out_refund")
    assert row["ref"] == "Reversal of: INV/2026/00001, 2 cases broken"
    assert row["reversed_entry_id"][0] == invoice
    assert totals(desk, refund) == (305.75, 55.24, 360.99)
    desk.ok("account.move", "action_post", ids=[refund])
    assert desk.one("account.move", refund, "name") == "RINV/2026/00001"
    assert (due(desk, invoice), due(desk, refund)) == (("reversed", 0.0), ("paid", 0.0))
    assert desk.one("sale.order", order, "invoice_status") == "to invoice"
    assert desk.one("account.move", invoice, "reversal_move_ids") == [refund]


def test_a_credit_note_of_a_paid_invoice_waits_for_money_back(desk):
    order = full_order(desk)
    invoice = desk.posted(order)
    desk.paid(invoice)
    refund = desk.credited(invoice)
    desk.ok("account.move", "action_post", ids=[refund])
    assert (due(desk, invoice), due(desk, refund)) == (("paid", 0.0), ("not_paid", 360.99))
    assert payment_of(desk, desk.paid(refund, memo="back_1"), "payment_type") == "outbound"
    assert (due(desk, invoice), due(desk, refund)) == (("paid", 0.0), ("paid", 0.0))
    assert desk.one("sale.order", order, "invoice_status") == "to invoice"


def test_a_partial_credit_note(desk):
    order = desk.sold(cans(24, price_unit=2.0), {"product_id": DEPOSIT, "product_uom_qty": 24})
    invoice = desk.posted(order)
    refund = desk.credited(invoice)
    goods, deposits = desk.one("account.move", refund, "invoice_line_ids")
    commands = [[1, goods, {"quantity": 6}], [2, deposits, 0]]
    desk.ok("account.move", "write", ids=[refund], vals={"invoice_line_ids": commands})
    desk.ok("account.move", "action_post", ids=[refund])
    assert totals(desk, refund) == (12.0, 2.28, 14.28)
    assert due(desk, invoice) == ("partial", 49.98)
    assert due(desk, refund) == ("paid", 0.0)
    lines = desk.found("sale.order.line", ["order_id", "=", order], fields=["qty_invoiced"])
    assert [line["qty_invoiced"] for line in lines] == [18.0, 24.0]


def test_a_credit_note_of_a_later_day_cannot_be_posted_yet(desk):
    refund = desk.credited(desk.posted(full_order(desk)), date="2026-11-25")
    assert desk.one("account.move", refund, "invoice_date") == "2026-11-25"
    text = desk.refused("account.move", "action_post", ids=[refund])
    assert "configured to be auto-posted on 2026-11-25" in text
    desk.tick(2 * 86400)
    desk.ok("account.move", "action_post", ids=[refund])


def test_a_reversal_needs_a_journal_and_something_posted(desk):
    order = full_order(desk)
    invoice = desk.invoiced(order)
    vals = {"move_ids": [invoice], "journal_id": 1}
    text = desk.refused("account.move.reversal", "create", vals_list=[vals])
    assert "posted first" in text
    desk.ok("account.move", "action_post", ids=[invoice])
    text = desk.refused("account.move.reversal", "create", vals_list=[{"move_ids": [invoice]}])
    assert "(journal_id)" in text


def test_a_credit_note_without_the_wizard_hangs_on_no_order(desk):
    order = desk.sold(cans(24, price_unit=2.0))
    invoice = desk.posted(order)
    line = {"product_id": COLA, "quantity": 2, "price_unit": 2.0}
    vals = {"move_type": "out_refund", "partner_id": BAR, "reversed_entry_id": invoice}
    vals |= {"ref": "goodwill", "invoice_line_ids": [[0, 0, line]]}
    made = desk.ok("account.move", "create", vals_list=[vals])
    desk.ok("account.move", "action_post", ids=made)
    assert due(desk, invoice) == ("partial", 52.36)
    assert desk.one("sale.order", order, "invoice_status") == "invoiced"
    assert desk.one("sale.order", order, "invoice_ids") == [invoice]


# Prices and products


def test_a_price_list_counts_its_minimum_in_stock_units(desk):
    order = desk.sold(cans(24), cans(2, product_uom_id=CASE), cans(23), pricelist_id=TRADE)
    lines = desk.found("sale.order.line", ["order_id", "=", order], fields=["price_unit"])
    assert [round(line["price_unit"], 6) for line in lines] == [0.88, 21.12, 1.15]


def test_prices_need_the_right_to_write_products(desk):
    admin = Odoo(desk.sandbox, ADMIN_KEY)
    vals = {"list_price": 1.25}
    assert desk.call("product.template", "write", ids=[COLA], vals=vals)[0] == 403
    item = {"pricelist_id": TRADE, "fixed_price": 0.9}
    assert desk.call("product.pricelist.item", "create", vals_list=[item])[0] == 403
    desk.tick()
    assert admin.ok("product.template", "write", ids=[COLA], vals=vals) is True
    row = desk.one("product.product", COLA, "lst_price", "list_price", "write_date")
    assert (row["lst_price"], row["write_date"]) == (1.25, "2026-11-23 13:44:26")
    (made,) = admin.ok("product.pricelist.item", "create", vals_list=[item])
    assert desk.one("product.pricelist.item", made, "applied_on") == "3_global"
    bad = item | {"applied_on": "0_product_variant"}
    assert admin.call("product.pricelist.item", "create", vals_list=[bad])[0] == 422
    order = desk.sold({"product_id": DEPOSIT, "product_uom_qty": 1}, pricelist_id=TRADE)
    assert desk.one("sale.order", order, "amount_untaxed") == 0.9


def test_an_archived_product_is_hidden_and_its_template_too(desk):
    desk.act("items", "DEP-25", "archive")
    assert desk.found("product.product", ["default_code", "=", "DEP-25"]) == []
    domain = ["active", "in", [True, False]]
    (row,) = desk.found("product.product", domain, ["default_code", "=", "DEP-25"])
    assert row["active"] is False
    assert desk.found("product.template", ["default_code", "=", "DEP-25"]) == []


@pytest.mark.parametrize(("vat", "status"), [("DE1", 422), ("DE123456789", 200)])
def test_a_vat_number_is_looked_at_where_the_module_is(vat, status):
    vals = {"vat": vat}
    desk = Desk(modules=["base_vat"])
    assert desk.call("res.partner", "write", ids=[BAR], vals=vals)[0] == status
    assert Desk().call("res.partner", "write", ids=[BAR], vals=vals)[0] == 200
