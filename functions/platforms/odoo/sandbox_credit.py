"""What customers owe and may owe, and one payment over several of their invoices."""

from __future__ import annotations

from platforms.odoo.sandbox_accounting import Entries, residual
from platforms.odoo.sandbox_acts import Acts, Made, WrongDraftError, money
from platforms.odoo.sandbox_payments import Payments
from platforms.odoo.sandbox_records import COMPUTED, Records
from platforms.odoo.sandbox_store import Row, is_list
from platforms.odoo.sandbox_taxes import exact


def pay_customer(acts: Acts, id_: int, draft: Row) -> Made:
    """Register one payment over several invoices, or money on account that pays none of them."""
    invoices = draft.get("invoices") or []
    if not is_list(invoices) or not all(isinstance(one, int) for one in invoices):
        raise WrongDraftError("invoices is a list of ids")
    if invoices:
        return acts.pay(invoices, draft)
    vals: Row = {"partner_id": id_, "amount": money(draft["amount"])}
    vals["memo"] = draft.get("reference", False)
    vals |= {"date": draft["date"]} if draft.get("date") else {}
    (made,) = acts.on("account.payment").create([vals])
    acts.root.of(Payments, "account.payment", [made]).action_post()
    return "account.payment", made


def _owed(partners: Records, row: Row) -> float:
    """The open claims of a company with all its addresses; nothing of an address by itself."""
    entries = partners.of(Entries, "account.move")
    open_ = (
        exact(residual(entries, claim))
        for move in partners.txn.rows("account.move")
        if move["state"] == "posted" and _is_of(entries, move, row["id"])
        if (claim := entries.claim(move["id"]))
    )
    return float(sum(open_))


def _is_of(entries: Records, move: Row, partner: int) -> bool:
    return bool(entries.value(move, "commercial_partner_id") == partner)


def _not_invoiced(partners: Records, row: Row) -> float:
    """What is ordered and not on a posted invoice yet: owed soon."""
    orders, entries = partners.on("sale.order"), partners.on("account.move")
    left = exact(0.0)
    for order in partners.txn.rows("sale.order"):
        payer = partners.row(order["partner_invoice_id"])
        is_of = partners.value(payer, "commercial_partner_id") == row["id"]
        if order["state"] != "sale" or not is_of or order["invoice_status"] != "to invoice":
            continue
        billed = [entries.row(move) for move in orders.value(order, "invoice_ids")]
        posted = sum(exact(move["amount_total"]) for move in billed if move["state"] == "posted")
        left += exact(order["amount_total"]) - posted
    return float(left)


COMPUTED.update(
    {
        ("res.partner", "currency_id"): lambda partners, _: next(partners.txn.rows("res.company"))[
            "currency_id"
        ],
        ("res.partner", "credit"): _owed,
        ("res.partner", "credit_to_invoice"): _not_invoiced,
        # The company's own limit is none here.
        ("res.partner", "use_partner_credit_limit"): lambda _, row: bool(row.get("credit_limit")),
    }
)
